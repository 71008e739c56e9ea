/* winograd_tiles.h - which tile of a batch covers which pixels, and the few sums that cutting work
 * into blocks needs. Private to winograd*.c. */
#ifndef MR_CPU_WINOGRAD_TILES_H
#define MR_CPU_WINOGRAD_TILES_H

#include "cpu/winograd_kernels.h"

enum { POSITIONS = MR_WINO_POSITIONS, LINE = 16 /* floats of a cache line */ };

/* 0 for nothing cut into nothing. */
static inline size_t ceil_div(size_t a, size_t b) {
    return b ? (a + b - 1) / b : 0;
}

static inline size_t round_up(size_t a, size_t to) {
    return ceil_div(a, to) * to;
}

static inline size_t at_most(size_t a, size_t limit) {
    return a < limit ? a : limit;
}

/* The tiles of a batch: 4x4 output pixels each, less at the right and lower borders. */
typedef struct {
    size_t high, wide, count; /* of one picture, and in the whole batch or the list */
    const int32_t *list;      /* of the tiles that are looked at; NULL: all */
} grid;

static inline grid grid_of(const mr_winograd_shape *s, const mr_winograd_tiles *only) {
    grid g;
    g.high = ceil_div((size_t)s->h, MR_WINO_OUT);
    g.wide = ceil_div((size_t)s->w, MR_WINO_OUT);
    g.count = only ? only->count : (size_t)s->n * g.high * g.wide;
    g.list = only ? only->index : NULL;
    return g;
}

/* A tile's place in the batch: image, and its upper left output pixel. */
typedef struct {
    size_t image;
    int top, left;
} place;

static inline place place_of(const grid *g, size_t tile) {
    if (g->list) tile = (size_t)g->list[at_most(tile, g->count - 1)];
    place at = {tile / g->wide / g->high, (int)(tile / g->wide % g->high) * MR_WINO_OUT,
                (int)(tile % g->wide) * MR_WINO_OUT};
    return at;
}

static inline size_t pixel_of(const mr_winograd_shape *s, size_t image, int row, int col) {
    return (image * (size_t)s->h + (size_t)row) * (size_t)s->w + (size_t)col;
}

static inline int lesser(int a, int b) {
    return a < b ? a : b;
}

/* The input tile behind one output tile, transformed: see mr_winograd_kernels. zeros is a line of
 * MR_WINO_IN pixels. */
static inline void input_tile(const mr_winograd_kernels *k, const mr_winograd_shape *s,
                              mr_type type, place at, const void *x, const void *zeros, float *v,
                              size_t position_stride, size_t block_stride) {
    int col_begin = at.left == 0 ? 1 : 0;
    int col_end = lesser(s->w - at.left + 1, MR_WINO_IN);
    const void *row[MR_WINO_IN];
    for (int i = 0; i < MR_WINO_IN; i++) {
        int line = at.top - 1 + i;
        row[i] = zeros;
        if (line >= 0 && line < s->h)
            row[i] = (const char *)x + pixel_of(s, at.image, line, at.left - 1 + col_begin) *
                                           (size_t)s->c_in * mr_type_size(type);
    }
    k->input(type, row, col_begin, col_end, s->c_in, v, position_stride, block_stride);
}

#endif
