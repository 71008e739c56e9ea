/* color.h - how a video's YUV becomes RGB and back: matrix, primaries and transfer, with a choice where
 * the video doesn't say. */
#ifndef MR_VIDEO_COLOR_H
#define MR_VIDEO_COLOR_H

#ifdef MRCNN_WITH_VIDEO

#include "video/av.h"

#include <libswscale/swscale.h>

/* Never AVCOL_SPC_UNSPECIFIED or RGB: what a YUV video of these colours would be tagged with. */
typedef struct mr_video_color {
    enum AVColorSpace matrix;
    enum AVColorPrimaries primaries;
    enum AVColorTransferCharacteristic transfer;
} mr_video_color;

/* For frames of this size that say nothing: BT.709 for high definition, else BT.601. */
mr_video_color mr_color_by_size(int width, int height);
mr_video_color mr_color_of_frame(const AVFrame *frame);

/* swscale's tables for a matrix. */
const int *mr_color_table(enum AVColorSpace matrix);

/* The old "yuvj" formats are plain ones of full range: gives the plain one and sets *full. */
enum AVPixelFormat mr_plain_format(enum AVPixelFormat format, int *full);

#endif
#endif
