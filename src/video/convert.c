/* convert.c - see convert.h. */
#include "video/convert.h"

#ifdef MRCNN_WITH_VIDEO

#include "base/memory.h"
#include "image/codec.h"

#include <stdlib.h>

/* swscale's vector code may write a little past the last row. */
enum { ROOM_BEHIND = 128 };

/* The matrix maps stored pixels (x, y) to shown ones: x' = a x + c y, y' = b x + d y, in 16.16. */
int mr_orientation_of_matrix(const int32_t *matrix) {
    static const struct {
        int a, b, c, d, orientation;
    } turns[] = {{1, 0, 0, 1, 1}, {-1, 0, 0, 1, 2}, {-1, 0, 0, -1, 3}, {1, 0, 0, -1, 4},
                 {0, 1, 1, 0, 5}, {0, 1, -1, 0, 6}, {0, -1, -1, 0, 7}, {0, -1, 1, 0, 8}};
    const int half = 1 << 15;
    int signs[4];
    const int32_t values[4] = {matrix[0], matrix[1], matrix[3], matrix[4]};
    for (int i = 0; i < 4; i++) signs[i] = (values[i] > half) - (values[i] < -half);
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++)
        if (signs[0] == turns[i].a && signs[1] == turns[i].b && signs[2] == turns[i].c &&
            signs[3] == turns[i].d)
            return turns[i].orientation;
    return 1;
}

mrcnn_status mr_converter_start(mr_converter *converter, const AVFrame *first, int orientation,
                                int64_t max_pixels, const char *name, mrcnn_error *err) {
    if ((int64_t)first->width * first->height > max_pixels)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: its frames are %d x %d, more than the %lld pixels that are allowed",
                       name, first->width, first->height, (long long)max_pixels);
    converter->width = first->width;
    converter->height = first->height;
    converter->orientation = orientation;
    return MRCNN_OK;
}

/* A context for frames like this one; kept as long as they stay alike. */
static mrcnn_status choose_context(mr_converter *converter, const AVFrame *frame, const char *name,
                                   mrcnn_error *err) {
    int full = frame->color_range == AVCOL_RANGE_JPEG;
    enum AVPixelFormat format = mr_plain_format((enum AVPixelFormat)frame->format, &full);
    if (!sws_isSupportedInput(format))
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: this pixel format (number %d) is not converted", name, (int)format);
    /* Without the latter two swscale has a faster way, which is off by some levels and leaves the last
     * columns of some widths black. */
    int flags = SWS_BILINEAR | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT;
    converter->sws =
        sws_getCachedContext(converter->sws, frame->width, frame->height, format, converter->width,
                             converter->height, AV_PIX_FMT_RGB24, flags, NULL, NULL, NULL);
    if (!converter->sws)
        return mr_fail(err, MRCNN_E_MEMORY, "%s: frames of %d x %d can't be converted to RGB", name,
                       frame->width, frame->height);
    const int *table = mr_color_table(mr_color_of_frame(frame).matrix);
    /* Says no for frames that are RGB already, which have no matrix. */
    sws_setColorspaceDetails(converter->sws, table, full, table, 1, 0, 1 << 16, 1 << 16);
    return MRCNN_OK;
}

static mrcnn_status make_pixels(uint8_t **pixels, size_t bytes, const char *name,
                                mrcnn_error *err) {
    *pixels = mr_calloc(bytes + ROOM_BEHIND, 1);
    return *pixels ? MRCNN_OK : mr_fail_memory(err, bytes, name);
}

mrcnn_status mr_converter_run(mr_converter *converter, const AVFrame *frame, mrcnn_image *image,
                              const char *name, mrcnn_error *err) {
    int turned = converter->orientation >= 5;
    int width = turned ? converter->height : converter->width;
    int height = turned ? converter->width : converter->height;
    size_t bytes = 3 * (size_t)width * (size_t)height;
    mrcnn_status status = choose_context(converter, frame, name, err);
    if (status == MRCNN_OK && (!image->pixels || image->width != width || image->height != height ||
                               image->channels != 3)) {
        free(image->pixels);
        *image = (mrcnn_image){width, height, 3, NULL};
        status = make_pixels(&image->pixels, bytes, name, err);
    }
    if (status == MRCNN_OK && converter->orientation > 1 && !converter->flat)
        status = make_pixels(&converter->flat, bytes, name, err);
    if (status != MRCNN_OK) return status;
    uint8_t *to[4] = {converter->orientation > 1 ? converter->flat : image->pixels};
    int stride[4] = {3 * converter->width};
    sws_scale(converter->sws, (const uint8_t *const *)frame->data, frame->linesize, 0,
              frame->height, to, stride);
    if (converter->orientation > 1) {
        mrcnn_image flat = {converter->width, converter->height, 3, converter->flat};
        mr_orient_pixels(image->pixels, &flat, converter->orientation);
    }
    return MRCNN_OK;
}

void mr_converter_stop(mr_converter *converter) {
    sws_freeContext(converter->sws);
    free(converter->flat);
    converter->sws = NULL;
    converter->flat = NULL;
}

#endif
