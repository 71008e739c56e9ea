/* mask_meet.c - how much two masks share, and what they are together. They are compared run by run: no
 * bitmap is made. */
#include "image/mask.h"
#include "image/rle.h"

/* A run of ones: pixels counted down the columns. */
typedef struct run {
    const uint32_t *next; /* counts, in pairs: zeros, ones */
    size_t pairs;         /* left */
    uint64_t begin, end;
} run;

/* Goes on to the next run; 0 at the end. */
static int next_run(run *r) {
    if (r->pairs == 0) return 0;
    r->pairs--;
    r->begin = r->end + r->next[0];
    r->end = r->begin + r->next[1];
    r->next += 2;
    return 1;
}

static run before_first(const mrcnn_mask *mask) {
    return (run){mask->counts, mask->count / 2, 0, 0};
}

uint64_t mr_mask_intersection(const mrcnn_mask *a, const mrcnn_mask *b) {
    uint64_t both = 0;
    run x = before_first(a), y = before_first(b);
    if (!next_run(&x) || !next_run(&y)) return 0;
    for (;;) {
        uint64_t begin = x.begin > y.begin ? x.begin : y.begin;
        uint64_t end = x.end < y.end ? x.end : y.end;
        if (end > begin) both += end - begin;
        if (!next_run(x.end < y.end ? &x : &y)) return both;
    }
}

/* Pixels of [0, end) in rows [top, bottom) of columns from `left` on. */
static uint64_t pixels_before(uint64_t end, uint64_t height, const int32_t box[4]) {
    uint64_t column = end / height, row = end % height;
    uint64_t top = (uint64_t)box[0], bottom = (uint64_t)box[2];
    uint64_t left = (uint64_t)box[1], right = (uint64_t)box[3];
    if (column < left) return 0;
    if (column >= right) return (right - left) * (bottom - top);
    return (column - left) * (bottom - top) + (row < top      ? 0
                                               : row < bottom ? row - top
                                                              : bottom - top);
}

uint64_t mr_mask_area_in(const mrcnn_mask *mask, const int32_t box[4]) {
    uint64_t area = 0, height = (uint64_t)mask->height;
    for (run r = before_first(mask); next_run(&r);)
        area += pixels_before(r.end, height, box) - pixels_before(r.begin, height, box);
    return area;
}

mrcnn_status mr_mask_unite(mrcnn_mask *both, const mrcnn_mask *a, const mrcnn_mask *b,
                           mrcnn_error *err) {
    uint64_t size = (uint64_t)a->height * (uint64_t)a->width, done = 0;
    run x = before_first(a), y = before_first(b);
    int has_x = next_run(&x), has_y = next_run(&y);
    mr_rle rle = {0};
    while (has_x || has_y) {
        run *first = !has_y || (has_x && x.begin <= y.begin) ? &x : &y;
        if (first->end > done) {
            uint64_t begin = first->begin > done ? first->begin : done;
            mr_rle_append(&rle, 0, begin - done);
            mr_rle_append(&rle, 1, first->end - begin);
            done = first->end;
        }
        if (first == &x)
            has_x = next_run(&x);
        else
            has_y = next_run(&y);
    }
    mr_rle_append(&rle, 0, size - done);
    return mr_rle_finish(&rle, both, a->height, a->width, err);
}
