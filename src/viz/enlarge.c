/* enlarge.c - small pictures with their masks, made large enough to be drawn over. */
#include "viz/canvas.h"
#include "viz/check.h"

#include "base/memory.h"
#include "image/picture.h"

#include <mrcnn/draw.h>

#include <stdlib.h>
#include <string.h>

enum { TIMES_MOST = 16 };

/* Rows of `bytes` bytes a pixel, each pixel `times` times in both directions. */
static void repeat(uint8_t *to, const uint8_t *from, int32_t height, int32_t width, size_t bytes,
                   int times) {
    size_t row = (size_t)width * (size_t)times * bytes;
    for (int32_t y = 0; y < height; y++, to += row * (size_t)times) {
        uint8_t *at = to;
        for (int32_t x = 0; x < width; x++, from += bytes)
            for (int i = 0; i < times; i++, at += bytes) memcpy(at, from, bytes);
        for (int i = 1; i < times; i++) memcpy(to + (size_t)i * row, to, row);
    }
}

static mrcnn_status enlarge_image(mrcnn_image *enlarged, const mrcnn_image *image, int times,
                                  mrcnn_error *err) {
    mrcnn_image rgb = {0};
    if (image->width > INT32_MAX / times || image->height > INT32_MAX / times)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a picture of %d x %d can't be enlarged %d times",
                       image->width, image->height, times);
    mrcnn_image like = {image->width * times, image->height * times, 3, NULL};
    mrcnn_status status = mr_canvas_like(&rgb, image, err);
    if (status == MRCNN_OK) status = mr_canvas_like(enlarged, &like, err);
    if (status == MRCNN_OK) {
        mr_copy_as_rgb(rgb.pixels, image);
        repeat(enlarged->pixels, rgb.pixels, image->height, image->width, 3, times);
    }
    free(rgb.pixels);
    return status;
}

/* `small` and `large` are scratch of the pictures' pixels. */
static mrcnn_status enlarge_instance(mrcnn_instance *enlarged, const mrcnn_instance *instance,
                                     int times, uint8_t *small, uint8_t *large, mrcnn_error *err) {
    const mrcnn_mask *mask = &instance->mask;
    *enlarged = *instance;
    enlarged->y1 *= times;
    enlarged->x1 *= times;
    enlarged->y2 *= times;
    enlarged->x2 *= times;
    enlarged->mask = (mrcnn_mask){0};
    mrcnn_mask_to_bytes(mask, small);
    repeat(large, small, mask->height, mask->width, 1, times);
    return mrcnn_mask_from_bytes(&enlarged->mask, large, mask->height * times, mask->width * times,
                                 err);
}

static mrcnn_status enlarge_result(mrcnn_result **enlarged, const mrcnn_result *result, int times,
                                   mrcnn_error *err) {
    size_t pixels = (size_t)result->height * (size_t)result->width, larger;
    size_t factor = (size_t)times * (size_t)times;
    mrcnn_result *fresh = mr_calloc(1, sizeof *fresh);
    uint8_t *small = mr_calloc(pixels, 1);
    uint8_t *large = mr_mul_size(pixels, factor, &larger) ? mr_calloc(larger, 1) : NULL;
    if (fresh) fresh->instances = mr_calloc(result->count, sizeof *fresh->instances);
    mrcnn_status status = MRCNN_OK;
    if (!fresh || !fresh->instances || !small || !large)
        status = mr_fail_memory(err, pixels * factor, "an enlarged result");
    for (size_t i = 0; i < result->count && status == MRCNN_OK; i++) {
        status =
            enlarge_instance(&fresh->instances[i], &result->instances[i], times, small, large, err);
        if (status == MRCNN_OK) fresh->count++;
    }
    free(small);
    free(large);
    if (status != MRCNN_OK) {
        mrcnn_result_free(&fresh);
        return status;
    }
    fresh->height = result->height * times;
    fresh->width = result->width * times;
    *enlarged = fresh;
    return MRCNN_OK;
}

mrcnn_status mrcnn_enlarge(mrcnn_image *enlarged, mrcnn_result **enlarged_result,
                           const mrcnn_image *image, const mrcnn_result *result, int times,
                           mrcnn_error *err) {
    mrcnn_image larger = {0};
    mrcnn_status status =
        result ? mr_check_drawing(enlarged, image, result, err) : mr_check_picture(image, err);
    if (status != MRCNN_OK) return status;
    if (!enlarged || enlarged == image || (result && !enlarged_result))
        return mr_fail(err, MRCNN_E_ARGUMENT, "there is nowhere to put the enlarged picture");
    if (times < 1 || times > TIMES_MOST)
        return mr_fail(err, MRCNN_E_ARGUMENT, "enlarging %d times: it must be 1 to %d", times,
                       TIMES_MOST);
    status = enlarge_image(&larger, image, times, err);
    if (status == MRCNN_OK && result) status = enlarge_result(enlarged_result, result, times, err);
    if (status == MRCNN_OK)
        *enlarged = larger;
    else
        free(larger.pixels);
    return status;
}
