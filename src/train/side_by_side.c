/* side_by_side.c - see side_by_side.h. */
#include "train/side_by_side.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/codec.h"
#include "image/mask.h"

#include <mrcnn/draw.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 4, PAPER = 255, MOST_ENLARGED = 4 };

/* Where the two go. */
typedef struct layout {
    int32_t height, width; /* of one of them */
    int stacked;           /* the second one lies below the first */
} layout;

static double smaller(double a, double b) {
    return a < b ? a : b;
}

/* Beside or below each other: as they become larger. */
static layout choose_layout(const mrcnn_image *image) {
    double most = MR_SIDE_BY_SIDE_MOST, half = (most - GAP) / 2;
    double beside = smaller(most / image->height, half / image->width);
    double below = smaller(half / image->height, most / image->width);
    double scale = smaller(below > beside ? below : beside, MOST_ENLARGED);
    double height = floor(image->height * scale), width = floor(image->width * scale);
    return (layout){.height = height < 1 ? 1 : (int32_t)height,
                    .width = width < 1 ? 1 : (int32_t)width,
                    .stacked = below > beside};
}

/* ------------------------------------------------------------------------------------- objects */

static mrcnn_result *make_result(int32_t height, int32_t width, size_t room, mrcnn_error *err) {
    mrcnn_result *r = mr_calloc(1, sizeof *r);
    if (r) r->instances = mr_calloc(room, sizeof *r->instances);
    if (!r || !r->instances) {
        free(r);
        mr_fail_memory(err, room * sizeof *r->instances, "objects");
        return NULL;
    }
    r->height = height;
    r->width = width;
    return r;
}

/* In the colours of their classes, crowds too. */
static mrcnn_status read_truth(mrcnn_result **truth, const mr_side_by_side *what,
                               mrcnn_error *err) {
    mrcnn_status status = mrcnn_dataset_truth(what->set, what->picture, what->image->height,
                                              what->image->width, truth, err);
    for (size_t i = 0; status == MRCNN_OK && i < (*truth)->count; i++)
        (*truth)->instances[i].class_id = abs((*truth)->instances[i].class_id);
    return status;
}

/* ---------------------------------------------------------------------------------- to its size */

static int32_t scale_down(int32_t at, int32_t from, int32_t to) {
    return (int32_t)((int64_t)at * to / from);
}

static int32_t scale_up(int32_t at, int32_t from, int32_t to) {
    return (int32_t)(((int64_t)at * to + from - 1) / from);
}

/* The pixels in the middle of those that become one; `large` and `small` are room for the bytes. */
static mrcnn_status resize_mask(mrcnn_mask *out, const mrcnn_mask *mask, const layout *l,
                                uint8_t *large, uint8_t *small, mrcnn_error *err) {
    mrcnn_mask_to_bytes(mask, large);
    for (int32_t y = 0; y < l->height; y++) {
        int64_t from_y = (2 * (int64_t)y + 1) * mask->height / (2 * (int64_t)l->height);
        const uint8_t *row = large + (size_t)from_y * (size_t)mask->width;
        uint8_t *to = small + (size_t)y * (size_t)l->width;
        for (int32_t x = 0; x < l->width; x++)
            to[x] = row[(2 * (int64_t)x + 1) * mask->width / (2 * (int64_t)l->width)];
    }
    return mrcnn_mask_from_bytes(out, small, l->height, l->width, err);
}

static mrcnn_status resize_result(mrcnn_result **out, const mrcnn_result *result,
                                  const mr_side_by_side *what, const layout *l, mrcnn_error *err) {
    int32_t height = what->image->height, width = what->image->width;
    mrcnn_result *made = make_result(l->height, l->width, result->count, err);
    uint8_t *large = mr_calloc((size_t)height, (size_t)width);
    uint8_t *small = mr_calloc((size_t)l->height, (size_t)l->width);
    mrcnn_status status = MRCNN_OK;
    if (!made || !large || !small)
        status = mr_fail_memory(err, (size_t)height * (size_t)width, "masks");
    for (size_t i = 0; status == MRCNN_OK && i < result->count; i++) {
        const mrcnn_instance *from = &result->instances[i];
        if (from->score >= 0 && from->score < what->confidence) continue;
        mrcnn_instance *to = &made->instances[made->count++];
        *to = *from;
        to->mask = (mrcnn_mask){0};
        to->y1 = scale_down(from->y1, height, l->height);
        to->x1 = scale_down(from->x1, width, l->width);
        to->y2 = scale_up(from->y2, height, l->height);
        to->x2 = scale_up(from->x2, width, l->width);
        status = resize_mask(&to->mask, &from->mask, l, large, small, err);
    }
    free(large);
    free(small);
    if (status == MRCNN_OK)
        *out = made;
    else
        mrcnn_result_free(&made);
    return status;
}

/* ------------------------------------------------------------------------------------- drawing */

static mrcnn_status draw(mrcnn_image *out, const mrcnn_image *image, const mrcnn_result *result,
                         mrcnn_error *err) {
    mrcnn_draw_options options = mrcnn_draw_options_default();
    mrcnn_error why = MRCNN_ERROR_INIT;
    options.color_by_instance = 0;
    mrcnn_status status = mrcnn_draw_instances(out, image, result, &options, &why);
    if (status == MRCNN_E_UNSUPPORTED) { /* there is no cairo */
        options.contours = options.boxes = options.captions = 0;
        status = mrcnn_draw_instances(out, image, result, &options, &why);
    }
    return status == MRCNN_OK ? status : mr_fail(err, status, "%s", why.message);
}

static void put(mrcnn_image *sheet, const mrcnn_image *image, int32_t top, int32_t left) {
    enum { RGB = 3 };
    size_t row = RGB * (size_t)image->width;
    for (int32_t y = 0; y < image->height; y++)
        memcpy(sheet->pixels + RGB * ((size_t)(top + y) * (size_t)sheet->width + (size_t)left),
               image->pixels + (size_t)y * row, row);
}

static mrcnn_status join(mrcnn_image *out, const mrcnn_image both[2], const layout *l,
                         mrcnn_error *err) {
    int32_t down = l->stacked ? l->height + GAP : 0, right = l->stacked ? 0 : l->width + GAP;
    mrcnn_image sheet = {l->width + right, l->height + down, 3, NULL};
    size_t bytes = 3 * (size_t)sheet.width * (size_t)sheet.height;
    sheet.pixels = malloc(bytes);
    if (!sheet.pixels) return mr_fail_memory(err, bytes, "a picture");
    memset(sheet.pixels, PAPER, bytes);
    put(&sheet, &both[0], 0, 0);
    put(&sheet, &both[1], down, right);
    *out = sheet;
    return MRCNN_OK;
}

mrcnn_status mr_side_by_side_png(uint8_t **png, size_t *length, int32_t *height, int32_t *width,
                                 const mr_side_by_side *what, mrcnn_error *err) {
    layout l = choose_layout(what->image);
    mrcnn_result *truth = NULL, *results[2] = {NULL, NULL};
    mrcnn_image image = {0}, both[2] = {{0}, {0}}, sheet = {0};
    mrcnn_status status = read_truth(&truth, what, err);
    if (status == MRCNN_OK) status = resize_result(&results[0], truth, what, &l, err);
    if (status == MRCNN_OK) status = resize_result(&results[1], what->found, what, &l, err);
    if (status == MRCNN_OK) status = mrcnn_shrink(&image, what->image, l.height, l.width, err);
    for (int i = 0; i < 2 && status == MRCNN_OK; i++)
        status = draw(&both[i], &image, results[i], err);
    if (status == MRCNN_OK) status = join(&sheet, both, &l, err);
    if (status == MRCNN_OK)
        status = mr_png_encode_small(png, length, &sheet, "a picture for TensorBoard", err);
    if (status == MRCNN_OK) {
        *height = sheet.height;
        *width = sheet.width;
    }
    mrcnn_result_free(&truth);
    for (int i = 0; i < 2; i++) {
        mrcnn_result_free(&results[i]);
        mrcnn_image_free(&both[i]);
    }
    mrcnn_image_free(&image);
    free(sheet.pixels);
    return status;
}
