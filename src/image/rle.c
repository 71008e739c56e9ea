/* rle.c - masks as run lengths: building them, bytes, area, box. Their text form is in
 * rle_string.c. */
#include "image/rle.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/mask.h"

#include <stdlib.h>
#include <string.h>

mrcnn_status mr_rle_check_size(int32_t height, int32_t width, mrcnn_error *err) {
    if (height < 0 || width < 0 || (int64_t)height * width > UINT32_MAX)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a mask can't have %d x %d pixels", width, height);
    return MRCNN_OK;
}

static int push(mr_rle *rle, uint32_t run) {
    if (rle->count == rle->room) {
        size_t room = rle->room ? rle->room * 2 : 64;
        uint32_t *larger = mr_realloc(rle->counts, room, sizeof *larger);
        if (!larger) return 0;
        rle->counts = larger;
        rle->room = room;
    }
    rle->counts[rle->count++] = run;
    return 1;
}

void mr_rle_append(mr_rle *rle, int value, uint64_t length) {
    if (length == 0 || rle->failed) return;
    if (rle->count == 0 && value && !push(rle, 0)) rle->failed = 1;
    /* Runs of ones have odd indices, so the last run's value follows from the count. */
    int joins = rle->count > 0 && (rle->count - 1) % 2 == (size_t)value;
    if (joins)
        rle->counts[rle->count - 1] += (uint32_t)length;
    else if (!push(rle, (uint32_t)length))
        rle->failed = 1;
}

mrcnn_status mr_rle_finish(mr_rle *rle, mrcnn_mask *mask, int32_t height, int32_t width,
                           mrcnn_error *err) {
    uint32_t *counts = rle->failed ? NULL : mr_realloc(rle->counts, rle->count, sizeof *counts);
    if (!counts) {
        size_t bytes = rle->count * sizeof *counts;
        free(rle->counts);
        memset(rle, 0, sizeof *rle);
        return mr_fail_memory(err, bytes, "a mask");
    }
    *mask = (mrcnn_mask){height, width, rle->count, counts};
    memset(rle, 0, sizeof *rle);
    return MRCNN_OK;
}

mrcnn_status mrcnn_mask_from_bytes(mrcnn_mask *mask, const uint8_t *bytes, int32_t height,
                                   int32_t width, mrcnn_error *err) {
    mrcnn_status status = mr_rle_check_size(height, width, err);
    if (status != MRCNN_OK) return status;
    mr_rle rle = {0};
    for (int32_t x = 0; x < width; x++) {
        const uint8_t *column = bytes + x;
        for (int32_t y = 0; y < height;) {
            int value = column[(size_t)y * (size_t)width] != 0;
            int32_t begin = y++;
            while (y < height && (column[(size_t)y * (size_t)width] != 0) == value) y++;
            mr_rle_append(&rle, value, (uint64_t)(y - begin));
        }
    }
    return mr_rle_finish(&rle, mask, height, width, err);
}

/* Where a run of ones lies, cut to the picture: `counts` may come from anywhere. 0: none is left.
 */
typedef struct run_walk {
    const mrcnn_mask *mask;
    size_t next;
    uint64_t begin, end; /* pixels, counted down the columns */
} run_walk;

static int next_run(run_walk *w) {
    uint64_t size = (uint64_t)w->mask->height * (uint64_t)w->mask->width;
    while (w->next + 1 < w->mask->count) {
        w->begin = w->end + w->mask->counts[w->next];
        w->end = w->begin + w->mask->counts[w->next + 1];
        w->next += 2;
        if (w->begin >= size) return 0;
        if (w->end > size) w->end = size;
        if (w->end > w->begin) return 1;
    }
    return 0;
}

void mrcnn_mask_to_bytes(const mrcnn_mask *mask, uint8_t *bytes) {
    size_t height = (size_t)mask->height, width = (size_t)mask->width;
    memset(bytes, 0, height * width);
    for (run_walk w = {.mask = mask}; next_run(&w);)
        for (uint64_t at = w.begin; at < w.end;) {
            size_t x = at / height, y = at % height;
            size_t bottom = w.end - at < height - y ? y + (size_t)(w.end - at) : height;
            at += bottom - y;
            for (; y < bottom; y++) bytes[y * width + x] = 1;
        }
}

int64_t mrcnn_mask_area(const mrcnn_mask *mask) {
    uint64_t area = 0;
    for (run_walk w = {.mask = mask}; next_run(&w);) area += w.end - w.begin;
    return (int64_t)area;
}

void mr_mask_box(const mrcnn_mask *mask, int32_t box[4]) {
    int32_t height = mask->height, y1 = height, y2 = 0, x1 = mask->width, x2 = 0;
    for (run_walk w = {.mask = mask}; next_run(&w);) {
        int32_t left = (int32_t)(w.begin / (uint64_t)height);
        int32_t right = (int32_t)((w.end - 1) / (uint64_t)height);
        /* A run that goes on in the next column touches the bottom and the top. */
        int32_t top = left < right ? 0 : (int32_t)(w.begin % (uint64_t)height);
        int32_t bottom = left < right ? height : (int32_t)((w.end - 1) % (uint64_t)height) + 1;
        if (top < y1) y1 = top;
        if (bottom > y2) y2 = bottom;
        if (left < x1) x1 = left;
        if (right + 1 > x2) x2 = right + 1;
    }
    const int32_t found[4] = {y1, x1, y2, x2}, empty[4] = {0, 0, 0, 0};
    memcpy(box, y2 ? found : empty, sizeof found);
}

void mrcnn_mask_free(mrcnn_mask *mask) {
    if (!mask) return;
    free(mask->counts);
    memset(mask, 0, sizeof *mask);
}
