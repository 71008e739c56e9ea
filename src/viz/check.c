/* check.c - see check.h. */
#include "viz/check.h"

#include "base/memory.h"
#include "config/config.h"

#include <stdio.h>

mrcnn_status mr_check_mask(const mrcnn_mask *mask, const char *who, mrcnn_error *err) {
    if (mask->height < 0 || mask->width < 0)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: the mask is %d x %d, which is no size", who,
                       mask->width, mask->height);
    if (mask->count > 0 && !mask->counts)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: the mask has %zu runs but counts is NULL", who,
                       mask->count);
    uint64_t pixels = (uint64_t)mask->height * (uint64_t)mask->width, sum = 0;
    for (size_t i = 0; i < mask->count && sum <= pixels; i++) sum += mask->counts[i];
    if (sum != pixels)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: the mask's runs cover %s pixels than the %d x %d of its size", who,
                       sum > pixels ? "more" : "fewer", mask->width, mask->height);
    return MRCNN_OK;
}

mrcnn_status mr_check_picture(const mrcnn_image *image, mrcnn_error *err) {
    size_t bytes;
    if (!image || !image->pixels)
        return mr_fail(err, MRCNN_E_ARGUMENT, "the picture to draw on has no pixels");
    if (image->channels < 1 || image->channels > MR_MAX_CHANNELS)
        return mr_fail(err, MRCNN_E_ARGUMENT, "the picture has %d channels; it must have 1 to %d",
                       image->channels, MR_MAX_CHANNELS);
    if (image->width <= 0 || image->height <= 0 ||
        !mr_mul_size((size_t)image->width * MR_MAX_CHANNELS, (size_t)image->height, &bytes))
        return mr_fail(err, MRCNN_E_ARGUMENT, "the picture is %d x %d, which is no size",
                       image->width, image->height);
    return MRCNN_OK;
}

static mrcnn_status check_instance(const mrcnn_instance *instance, size_t index,
                                   const mrcnn_result *result, mrcnn_error *err) {
    char who[32];
    snprintf(who, sizeof who, "instance %zu", index);
    const mrcnn_mask *mask = &instance->mask;
    if (mask->height != result->height || mask->width != result->width)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: its mask is %d x %d in a result of %d x %d", who,
                       mask->width, mask->height, result->width, result->height);
    return mr_check_mask(mask, who, err);
}

mrcnn_status mr_check_drawing(const mrcnn_image *out, const mrcnn_image *image,
                              const mrcnn_result *result, mrcnn_error *err) {
    mrcnn_status status = mr_check_picture(image, err);
    if (status != MRCNN_OK) return status;
    if (!out || out == image)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "the drawn picture needs an mrcnn_image of its own to go to");
    if (!result || (result->count > 0 && !result->instances))
        return mr_fail(err, MRCNN_E_ARGUMENT, "there is no result to draw");
    if (result->width != image->width || result->height != image->height)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "the result is for a picture of %d x %d, but this one is %d x %d",
                       result->width, result->height, image->width, image->height);
    for (size_t i = 0; i < result->count && status == MRCNN_OK; i++)
        status = check_instance(&result->instances[i], i, result, err);
    return status;
}
