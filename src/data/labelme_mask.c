/* labelme_mask.c - LabelMe's shapes that are masks: a small PNG inside of the JSON. It becomes a
 * polygon that covers the same pixels, so that everything else treats it as one. */
#include "data/labelme.h"

#include "base/base64.h"
#include "data/writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_PIXELS = 1 << 26, FARTHEST = 1 << 30 };

/* The picture's first channel, packed in front of its pixels. */
static void keep_first_channel(mrcnn_image *image) {
    size_t count = (size_t)image->height * (size_t)image->width;
    for (size_t i = 0; i < count; i++)
        image->pixels[i] = image->pixels[i * (size_t)image->channels];
}

static mrcnn_status trace(const uint8_t *bytes, size_t length, mr_polygon_list *polygons,
                          int64_t *area, mrcnn_error *err) {
    mrcnn_image_options options = mrcnn_image_options_default();
    mrcnn_image image = {0};
    mrcnn_mask mask = {0};
    options.max_pixels = MOST_PIXELS;
    mrcnn_status status = mrcnn_image_decode(&image, bytes, length, "the mask", &options, err);
    if (status != MRCNN_OK) return status;
    keep_first_channel(&image);
    status = mrcnn_mask_from_bytes(&mask, image.pixels, image.height, image.width, err);
    mrcnn_image_free(&image);
    *area = status == MRCNN_OK ? mrcnn_mask_area(&mask) : 0;
    if (*area) status = mr_mask_to_polygon(&mask, polygons, err);
    mrcnn_mask_free(&mask);
    return status;
}

static mr_shape_result place(const mr_polygon_list *polygon, double x, double y,
                             mr_numbers *numbers, char why[MR_SHAPE_WHY]) {
    numbers->count = 0;
    for (size_t i = 0; i < polygon->points[0]; i++)
        if (!mr_numbers_add(numbers, polygon->xy[2 * i] + x) ||
            !mr_numbers_add(numbers, polygon->xy[2 * i + 1] + y)) {
            snprintf(why, MR_SHAPE_WHY, "there is no memory for the mask");
            return MR_SHAPE_BAD;
        }
    return MR_SHAPE_USABLE;
}

mr_shape_result mr_labelme_mask(const char *base64, double x, double y, mr_numbers *numbers,
                                char why[MR_SHAPE_WHY]) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_polygon_list polygon = {MR_RULE_NONE, 0, NULL, NULL};
    mr_shape_result result = MR_SHAPE_BAD;
    size_t length = 0;
    int64_t area = 0;
    uint8_t *bytes = mr_base64_decode(base64, &length);
    if (!bytes)
        snprintf(why, MR_SHAPE_WHY, "the mask is no base64");
    else if (fabs(x) > FARTHEST || fabs(y) > FARTHEST)
        snprintf(why, MR_SHAPE_WHY, "the mask lies too far out");
    else if (trace(bytes, length, &polygon, &area, &err) != MRCNN_OK)
        snprintf(why, MR_SHAPE_WHY, "%.300s", err.message);
    else if (area == 0)
        snprintf(why, MR_SHAPE_WHY, "the mask has no pixel");
    else
        result = place(&polygon, x, y, numbers, why);
    free(bytes);
    mr_polygon_list_free(&polygon);
    return result;
}
