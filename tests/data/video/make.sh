#!/bin/sh
# make.sh - how the clips of this folder were made (FFmpeg 5.1): patterns and tones of FFmpeg's own.
set -eu
cd "$(dirname "$0")"
quiet="-v error -y -fflags +bitexact"
exact="-map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact"
pattern() {
    echo "testsrc=size=$1:rate=$2:duration=$3,format=yuv420p"
}

# Ten frames; from the fifth on each is shown twice as long. 64 x 48, AAC.
ffmpeg $quiet -f lavfi -i "$(pattern 64x48 20 0.8)" -f lavfi -i "sine=sample_rate=16000:duration=0.8" \
    -vf "select=lt(n\,4)+not(mod(n\,2))" -vsync vfr -enc_time_base 1:1000 -c:v libx264 -bf 2 \
    -x264-params keyint=4:scenecut=0 -c:a aac -b:a 16k $exact vfr.mp4
# The same frames without sound, a quarter turn to the right to be made by the player.
ffmpeg $quiet -f lavfi -i "$(pattern 64x48 10 0.3)" -c:v libx264 $exact upright.mp4
ffmpeg $quiet -i upright.mp4 -c copy -metadata:s:v rotate=270 -fflags +bitexact turned.mp4
# Three frames of 64 x 48, then three of 32 x 32, whose clock begins anew.
ffmpeg $quiet -f lavfi -i "$(pattern 64x48 10 0.3)" -c:v libx264 $exact -f mpegts first.ts
ffmpeg $quiet -f lavfi -i "$(pattern 32x32 10 0.3)" -c:v libx264 $exact -f mpegts second.ts
cat first.ts second.ts >sizes.ts
rm first.ts second.ts
# A recording whose clock does not begin with 0.
ffmpeg $quiet -f lavfi -i "$(pattern 32x32 10 0.3)" -f lavfi -i "sine=sample_rate=16000:duration=0.3" \
    -c:v libx264 -c:a aac -b:a 8k $exact -f mpegts tape.ts
# Odd sides.
ffmpeg $quiet -f lavfi -i "testsrc=size=35x27:rate=10:duration=0.2" -c:v libx264 -pix_fmt yuv444p $exact odd.mp4
# Sound that MP4 can't hold; sound alone; sound with a cover picture.
ffmpeg $quiet -f lavfi -i "$(pattern 32x32 10 0.3)" -f lavfi -i "sine=sample_rate=8000:duration=0.3" \
    -c:v mpeg4 -c:a pcm_s16le $exact pcm.avi
ffmpeg $quiet -f lavfi -i "sine=sample_rate=8000:duration=0.3" -c:a aac -b:a 8k $exact sound.m4a
ffmpeg $quiet -f lavfi -i "$(pattern 32x32 1 1)" -frames:v 1 cover.png
ffmpeg $quiet -i sound.m4a -i cover.png -map 0 -map 1 -c:a copy -c:v copy -disposition:v attached_pic \
    $exact -f mp4 cover.m4a
rm cover.png
