/* decode.h - the frames of one video stream, in the order of showing. Knows no pictures. */
#ifndef MR_VIDEO_DECODE_H
#define MR_VIDEO_DECODE_H

#ifdef MRCNN_WITH_VIDEO

#include "video/container.h"
#include "video/numbers.h"

typedef struct mr_decoder {
    mr_container container;
    AVStream *stream;
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;
    mr_frame_numbers numbers;

    /* Packets before `start` are held back from a key frame on, and dropped when the next key frame
     * comes: so nothing is decoded in vain, and yet every frame is counted. */
    int64_t start; /* in the stream's time base; AV_NOPTS_VALUE: from the beginning */
    AVPacket **held;
    size_t held_count, held_room, held_next;
    int64_t held_bytes;

    int drained;    /* the decoder has been told that nothing follows */
    int read_error; /* the code with which reading ended, 0 at the proper end */
    int64_t broken; /* packets and frames that could not be decoded */
} mr_decoder;

/* Opens the file's best video stream. */
mrcnn_status mr_decoder_open(mr_decoder *decoder, const char *path, double start,
                             int64_t max_pixels, mrcnn_error *err);
/* The next good frame is in decoder->frame; 0 at the end. */
int mr_decoder_next(mr_decoder *decoder);
void mr_decoder_close(mr_decoder *decoder);

#endif
#endif
