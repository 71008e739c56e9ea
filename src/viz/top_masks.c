/* top_masks.c - a picture, and beside it the masks of its classes that cover most (matterport's
 * display_top_masks). */
#include "viz/canvas.h"
#include "viz/check.h"
#include "viz/shade.h"
#include "viz/spans.h"

#include "base/memory.h"
#include "image/picture.h"

#include <mrcnn/draw.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PANELS_MOST = 16, CELL_MOST = 512, CELL_LEAST = 64 };

typedef struct top_class {
    int32_t id;
    const char *name;
    uint64_t pixels;
    size_t instances;
} top_class;

/* Most pixels first; of equals the lower id. */
static int by_pixels(const void *a, const void *b) {
    const top_class *left = a, *right = b;
    if (left->pixels != right->pixels) return left->pixels > right->pixels ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

static int by_id(const void *a, const void *b) {
    const top_class *left = a, *right = b;
    return left->id < right->id ? -1 : left->id > right->id;
}

/* One entry a class, the one that covers most first; returns how many. Classes without pixels are none. */
static size_t rank_classes(top_class *all, const mrcnn_result *result) {
    size_t count = 0, used = 0;
    for (size_t i = 0; i < result->count; i++) {
        const mrcnn_instance *instance = &result->instances[i];
        int64_t area = mrcnn_mask_area(&instance->mask);
        if (instance->class_id <= 0 || area <= 0) continue;
        all[count++] = (top_class){instance->class_id, instance->class_name, (uint64_t)area, 1};
    }
    qsort(all, count, sizeof *all, by_id);
    for (size_t i = 0; i < count; i++) {
        if (used > 0 && all[used - 1].id == all[i].id) {
            all[used - 1].pixels += all[i].pixels;
            all[used - 1].instances++;
        } else {
            all[used++] = all[i];
        }
    }
    qsort(all, used, sizeof *all, by_pixels);
    return used;
}

typedef struct panel {
    mrcnn_image *image;
    uint8_t color[3];
} panel;

static void fill_span(void *context, int32_t x, int32_t y, int32_t length) {
    const panel *p = context;
    uint8_t *to = p->image->pixels + 3 * ((size_t)y * (size_t)p->image->width + (size_t)x);
    for (int32_t i = 0; i < length; i++, to += 3) memcpy(to, p->color, 3);
}

/* The class' instances on dark ground, each in a shade of its own: the k-th of n lies at (k + 1) / n of
 * the map; the first ones, which are surer, lie above. */
static void paint_panel(mrcnn_image *image, const mrcnn_result *result, const top_class *class,
                        uint64_t *rows) {
    panel p = {image, {0, 0, 0}};
    mr_color ground = mr_false_color(0.0);
    uint8_t base[3] = {(uint8_t)(255.0 * ground.r), (uint8_t)(255.0 * ground.g),
                       (uint8_t)(255.0 * ground.b)};
    for (size_t i = 0; i < (size_t)image->width * (size_t)image->height; i++)
        memcpy(image->pixels + 3 * i, base, 3);
    size_t left = class->instances;
    for (size_t i = result->count; i-- > 0;) {
        const mrcnn_instance *instance = &result->instances[i];
        if (instance->class_id != class->id || mrcnn_mask_area(&instance->mask) == 0) continue;
        double share = 0.4 + 0.6 * (double)(class->instances - --left) / (double)class->instances;
        mr_color color = mr_false_color(share);
        p.color[0] = (uint8_t)(255.0 * color.r);
        p.color[1] = (uint8_t)(255.0 * color.g);
        p.color[2] = (uint8_t)(255.0 * color.b);
        mr_mask_spans(&instance->mask, rows, fill_span, &p);
    }
}

static mrcnn_status add_panels(mrcnn_sheet *sheet, const mrcnn_result *result,
                               const top_class *classes, size_t count, mrcnn_image *scratch,
                               mrcnn_error *err) {
    char caption[300];
    mrcnn_status status = MRCNN_OK;
    uint64_t *rows = mr_calloc((size_t)scratch->height, sizeof *rows);
    if (!rows) return mr_fail_memory(err, (size_t)scratch->height * sizeof *rows, "mask rows");
    for (size_t i = 0; i < count && status == MRCNN_OK; i++) {
        paint_panel(scratch, result, &classes[i], rows);
        if (classes[i].name && classes[i].name[0])
            snprintf(caption, sizeof caption, "%.200s: %zu", classes[i].name, classes[i].instances);
        else
            snprintf(caption, sizeof caption, "class %d: %zu", (int)classes[i].id,
                     classes[i].instances);
        status = mrcnn_sheet_add(sheet, scratch, caption, err);
    }
    free(rows);
    return status;
}

static int clamp(int value, int low, int high) {
    return value < low ? low : value > high ? high : value;
}

mrcnn_status mrcnn_draw_top_masks(mrcnn_image *out, const mrcnn_image *image,
                                  const mrcnn_result *result, int most, mrcnn_error *err) {
    mrcnn_status status = mr_check_drawing(out, image, result, err);
    if (status != MRCNN_OK) return status;
    if (most < 1 || most > PANELS_MOST)
        return mr_fail(err, MRCNN_E_ARGUMENT, "top masks: %d panels; there may be 1 to %d", most,
                       PANELS_MOST);
    char caption[64];
    mrcnn_sheet *sheet = NULL;
    mrcnn_image scratch = {0};
    int longest = image->width > image->height ? image->width : image->height;
    top_class *classes = mr_calloc(result->count, sizeof *classes);
    if (!classes) return mr_fail_memory(err, result->count * sizeof *classes, "classes");
    size_t count = rank_classes(classes, result);
    if (count > (size_t)most) count = (size_t)most;
    int columns = count < 6 ? (int)count + 1 : ((int)count + 2) / 2;
    status = mr_canvas_like(&scratch, image, err);
    if (status == MRCNN_OK)
        status = mrcnn_sheet_create(&sheet, columns, clamp(longest, CELL_LEAST, CELL_MOST), err);
    snprintf(caption, sizeof caption, "%d x %d", image->width, image->height);
    if (status == MRCNN_OK) status = mrcnn_sheet_add(sheet, image, caption, err);
    if (status == MRCNN_OK) status = add_panels(sheet, result, classes, count, &scratch, err);
    if (status == MRCNN_OK) status = mrcnn_sheet_image(sheet, out, err);
    mrcnn_sheet_free(&sheet);
    free(scratch.pixels);
    free(classes);
    return status;
}
