/* helper_video.h - videos made by hand, byte by byte, and what FFmpeg says of files without any of our
 * code in between. */
#ifndef HELPER_VIDEO_H
#define HELPER_VIDEO_H

#include <stddef.h>
#include <stdint.h>

/* Writes an uncompressed Y4M clip of grey frames: frame i has luma first + i * step everywhere. `header`
 * is what follows the size in its first line: "F10:1 C420mpeg2". Each frame has `planes` bytes of
 * chroma, all 128. */
void video_y4m(const char *path, int width, int height, const char *header, int frames, int first,
               int step);
/* One frame of 4:4:4 in one colour. */
void video_y4m_color(const char *path, int width, int height, const char *more, int y, int u,
                     int v);

#ifdef MRCNN_WITH_VIDEO

enum { VIDEO_MOST_PACKETS = 512 };

/* The packets of one kind of stream, by time. */
typedef struct video_packets {
    char codec[32];
    int width, height, matrix, count;
    double first, last,
        seconds; /* when the first and last are shown, and how long the stream lasts */
    double times[VIDEO_MOST_PACKETS];
    uint64_t bytes[VIDEO_MOST_PACKETS]; /* a checksum of each */
} video_packets;

/* `sound`: of the first sound track, else of the first video stream. Returns 0 when there is none. */
int video_read_packets(video_packets *packets, const char *path, int sound);

#endif
#endif
