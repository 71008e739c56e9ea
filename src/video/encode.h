/* encode.h - pictures into packets of a new stream: which encoder, and what it is told. */
#ifndef MR_VIDEO_ENCODE_H
#define MR_VIDEO_ENCODE_H

#ifdef MRCNN_WITH_VIDEO

#include "video/color.h"

#include <mrcnn/mrcnn.h>

typedef struct mr_encoder_options {
    int width, height; /* of the pictures */
    AVRational rate, time_base, aspect;
    mr_video_color color;
    const char *name; /* NULL: the best there is */
    int quality;
} mr_encoder_options;

typedef struct mr_encoder {
    AVCodecContext *codec;
    AVFrame *rgb, *yuv; /* of even sides */
    struct SwsContext *sws;
} mr_encoder;

/* `path` is what messages name. */
mrcnn_status mr_encoder_open(mr_encoder *encoder, const AVFormatContext *format,
                             const mr_encoder_options *options, const char *path, mrcnn_error *err);
/* Hands a picture to the codec, to be shown at `pts` of its time base; FFmpeg's code. */
int mr_encoder_send(mr_encoder *encoder, const mrcnn_image *image, int64_t pts);
void mr_encoder_close(mr_encoder *encoder);

#endif
#endif
