/* splash.c - colour splash: the picture in grey, its objects in colour. */
#include "viz/canvas.h"
#include "viz/check.h"
#include "viz/spans.h"

#include "base/memory.h"
#include "image/picture.h"

#include <stdlib.h>
#include <string.h>

/* skimage's rgb2gray in its own order of operations: matterport truncates, so the last bit of the
 * double decides (grey 25 becomes 24, white stays 255). */
static void turn_grey(uint8_t *out, const uint8_t *pixels, size_t count) {
    double red[256], green[256], blue[256];
    for (int i = 0; i < 256; i++) {
        double value = i * (1.0 / 255.0);
        red[i] = 0.2125 * value;
        green[i] = 0.7154 * value;
        blue[i] = 0.0721 * value;
    }
    for (const uint8_t *p = pixels, *end = pixels + 3 * count; p < end; p += 3, out += 3) {
        double grey = red[p[0]] + green[p[1]] + blue[p[2]];
        out[0] = out[1] = out[2] = (uint8_t)(grey * 255.0);
    }
}

typedef struct splash {
    uint8_t *out;
    const uint8_t *pixels;
    size_t width;
} splash;

static void restore_span(void *context, int32_t x, int32_t y, int32_t length) {
    splash *job = context;
    size_t first = 3 * ((size_t)y * job->width + (size_t)x);
    memcpy(job->out + first, job->pixels + first, 3 * (size_t)length);
}

static mrcnn_status draw_splash(mrcnn_image *out, const mrcnn_image *image,
                                const mrcnn_result *result, mrcnn_error *err) {
    mrcnn_image canvas;
    uint64_t *rows = mr_calloc((size_t)image->height, sizeof *rows);
    if (!rows) return mr_fail_memory(err, (size_t)image->height * sizeof *rows, "mask rows");
    mrcnn_status status = mr_canvas_like(&canvas, image, err);
    if (status == MRCNN_OK) {
        turn_grey(canvas.pixels, image->pixels, (size_t)image->width * (size_t)image->height);
        splash job = {canvas.pixels, image->pixels, (size_t)image->width};
        for (size_t i = 0; i < result->count; i++)
            mr_mask_spans(&result->instances[i].mask, rows, restore_span, &job);
        *out = canvas;
    }
    free(rows);
    return status;
}

mrcnn_status mrcnn_color_splash(mrcnn_image *out, const mrcnn_image *image,
                                const mrcnn_result *result, mrcnn_error *err) {
    mrcnn_image rgb;
    mrcnn_status status = mr_check_drawing(out, image, result, err);
    if (status != MRCNN_OK) return status;
    if (image->channels == 3) return draw_splash(out, image, result, err);
    status = mr_canvas_like(&rgb, image, err);
    if (status != MRCNN_OK) return status;
    mr_copy_as_rgb(rgb.pixels, image);
    status = draw_splash(out, &rgb, result, err);
    free(rgb.pixels);
    return status;
}
