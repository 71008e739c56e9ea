/* paint.c - see paint.h. */
#include "data/paint.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/voc.h"

#include <stdlib.h>
#include <string.h>

/* Runs go down the columns. */
static void paint_object(mr_painting *p, const mrcnn_mask *mask, size_t object) {
    size_t y = 0, x = 0, height = (size_t)p->height, width = (size_t)p->width;
    for (size_t i = 0; i < mask->count; i++)
        for (uint32_t n = mask->counts[i]; n > 0 && x < width; n--) {
            if (i % 2) {
                uint16_t *top = &p->top[y * width + x];
                if (*top) p->visible[*top - 1]--;
                *top = (uint16_t)(object + 1);
                p->visible[object]++;
            }
            if (++y == height) {
                y = 0;
                x++;
            }
        }
}

static void tell_losses(const mr_painting *p, const mr_writing *w,
                        const mr_written_picture *picture) {
    for (size_t i = 0; i < picture->count; i++) {
        uint64_t area = (uint64_t)mrcnn_mask_area(&picture->objects[i].mask);
        if (p->visible[i] == 0 && area)
            w->lose(w->user, "objects that lie wholly behind others");
        else if (p->visible[i] < area)
            w->lose(w->user, "parts of objects that lie behind others");
    }
}

mrcnn_status mr_paint(mr_painting *painting, const mr_writing *w, const mr_written_picture *picture,
                      mrcnn_error *err) {
    size_t pixels;
    if (picture->count >= UINT16_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: %zu objects are more than a label file holds",
                       picture->id, picture->count);
    if (!mr_mul_size((size_t)picture->height, (size_t)picture->width, &pixels))
        return mr_fail_memory(err, SIZE_MAX, "a label file");
    *painting = (mr_painting){picture->height, picture->width, picture->count,
                              mr_calloc(pixels, sizeof(uint16_t)),
                              mr_calloc(picture->count, sizeof(uint64_t))};
    if (!painting->top || !painting->visible) {
        mr_painting_free(painting);
        return mr_fail_memory(err, pixels * 2, "a label file");
    }
    for (int crowds = 1; crowds >= 0; crowds--)
        for (size_t i = 0; i < picture->count; i++)
            if ((picture->objects[i].is_crowd != 0) == crowds)
                paint_object(painting, &picture->objects[i].mask, i);
    tell_losses(painting, w, picture);
    return MRCNN_OK;
}

void mr_painting_free(mr_painting *painting) {
    free(painting->top);
    free(painting->visible);
    *painting = (mr_painting){0};
}

static void fill(mr_labels *labels, const mr_painting *p, const uint16_t *values) {
    size_t count = (size_t)p->height * (size_t)p->width;
    for (size_t i = 0; i < count; i++) {
        uint16_t value = p->top[i] ? values[p->top[i] - 1] : 0;
        if (labels->bytes == 1) {
            labels->pixels[i] = (uint8_t)value;
        } else {
            labels->pixels[2 * i] = (uint8_t)(value >> 8);
            labels->pixels[2 * i + 1] = (uint8_t)value;
        }
    }
}

mrcnn_status mr_painting_write(const mr_painting *painting, const uint16_t *values, int bytes,
                               const char *path, mrcnn_error *err) {
    mr_labels labels = {.height = painting->height,
                        .width = painting->width,
                        .bytes = bytes,
                        .colors = bytes == 1 ? 256 : 0};
    size_t count = (size_t)painting->height * (size_t)painting->width;
    for (int i = 0; i < labels.colors; i++)
        for (int c = 0; c < 3; c++)
            labels.palette[i][c] = (uint8_t)(mr_voc_color(i) >> (16 - 8 * c));
    labels.pixels = mr_calloc(count, (size_t)bytes);
    if (!labels.pixels) return mr_fail_memory(err, count * (size_t)bytes, "a label file");
    fill(&labels, painting, values);
    mrcnn_status status = mr_make_folder_of(path, err);
    if (status == MRCNN_OK) status = mr_labels_write(&labels, path, err);
    mr_labels_free(&labels);
    return status;
}
