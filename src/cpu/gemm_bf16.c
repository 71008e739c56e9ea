/* gemm_bf16.c - the walk of gemm_bf16.h. C is cut into areas, one for each thread, which then works by
 * itself: it packs what it needs of A and B, so that nobody waits for anybody. What two areas both
 * pack is little beside their products. An area walks over blocks of B that stay packed in L2, and
 * for each of them over panels of A, which are packed just before they are used.
 *
 * A number of C is the sum of blocks of k, each summed in order, whatever area and panel it is in. */
#include "cpu/gemm_bf16_kernels.h"

#include "base/parallel.h"

enum {
    LONG_K = 512,  /* most of a block of k; a multiple of 2 * MR_GEMM_LINE */
    SHORT_K = 256, /* and where A is transposed: short pieces of many rows are slow to read */
    GROUP = 20,    /* panels of it that are packed together, for the same reason */
    STRIPE = 16,   /* rows that are read at a time then */
    UNITS_A = GROUP * SHORT_K / 2 * MR_GEMM_LINE, /* packed panels of A: 160 KB */
    UNITS_B = 1 << 17,                            /* a packed block of B: 512 KB */
    ASKED_B = 64 * 1024, /* floats: most that are asked for while the block before is in use */
    STREAM_C = 8 << 20   /* floats: a larger C would leave L3 before it is read */
};

typedef struct range {
    size_t first, count;
} range;

typedef struct product {
    const mr_gemm_kernels *kernels;
    size_t m, n, k;
    mr_matrix a, b;
    float beta;
    float *c;
    size_t c_stride;
    int stream;
    size_t areas_down, areas_across;
    uint32_t *scratch;
} product;

/* Where an area is: sizes of its panels and blocks, and the ones at hand. */
typedef struct place {
    const product *p;
    range rows, columns; /* of the area */
    size_t panel, block_n, block_k;
    range k, n, group; /* blocks of the sum and of columns, and the panels' rows */
    uint32_t *packed_a, *packed_b;
} place;

static size_t divide_up(size_t a, size_t b) {
    return (a + b - 1) / b;
}

static size_t round_up(size_t a, size_t b) {
    return divide_up(a, b) * b;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

/* At most `most` each, a multiple of `unit`, and as equal as can be. */
static size_t equal_parts(size_t count, size_t most, size_t unit) {
    return round_up(divide_up(count, divide_up(count, most)), unit);
}

static range part_of(size_t count, size_t unit, size_t i, size_t parts) {
    size_t units = divide_up(count, unit);
    size_t first = units * i / parts * unit, end = units * (i + 1) / parts * unit;
    return (range){first, smaller(end, count) - first};
}

static range block_of(range whole, size_t offset, size_t block) {
    return (range){whole.first + offset, smaller(block, whole.count - offset)};
}

/* Number (row, column) of what the product sees. */
static const float *number(const mr_matrix *x, size_t row, size_t column) {
    return x->data + (x->transposed ? column * x->stride + row : row * x->stride + column);
}

/* ------------------------------------------------------------------------------------ packing */

/* Panels of `panel` lines, `size` units apart, out of rows of the block of k that hold one number of
 * each line. */
static void pack_stripes(const place *at, const float *from, size_t stride, size_t lines,
                         size_t panel, size_t width, size_t size, uint32_t *to) {
    for (size_t k = 0; k < at->k.count; k += STRIPE) {
        size_t rows = smaller(STRIPE, at->k.count - k);
        uint32_t *stripe = to + k / 2 * width;
        for (size_t i = 0; i < lines; i += panel, stripe += size)
            at->p->kernels->pack_pairs(from + k * stride + i, stride, rows,
                                       smaller(panel, lines - i), width, stripe);
    }
}

/* Units of a panel of A, whole squares, and of B. */
static size_t panel_a(const place *at) {
    return at->block_k / 2 * MR_GEMM_LINE;
}

static size_t panel_b(const place *at) {
    return divide_up(at->k.count, 2) * MR_GEMM_COLUMNS;
}

static void pack_b(const place *at) {
    const mr_matrix *b = &at->p->b;
    const float *from = number(b, at->k.first, at->n.first);
    size_t size = panel_b(at);
    if (!b->transposed) {
        pack_stripes(at, from, b->stride, at->n.count, MR_GEMM_COLUMNS, MR_GEMM_COLUMNS, size,
                     at->packed_b);
        return;
    }
    uint32_t *to = at->packed_b;
    for (size_t i = 0; i < at->n.count; i += MR_GEMM_COLUMNS, to += size)
        at->p->kernels->pack_turned(from + i * b->stride, b->stride, at->k.count,
                                    smaller(MR_GEMM_COLUMNS, at->n.count - i), MR_GEMM_COLUMNS, to);
}

static void pack_a(const place *at) {
    const mr_matrix *a = &at->p->a;
    const float *from = number(a, at->group.first, at->k.first);
    if (a->transposed)
        pack_stripes(at, from, a->stride, at->group.count, at->panel, MR_GEMM_LINE, panel_a(at),
                     at->packed_a);
    else /* a group of one panel */
        at->p->kernels->pack_rows(from, a->stride, at->group.count, at->k.count, at->packed_a);
}

/* --------------------------------------------------------------------------- what comes later */

static mr_gemm_ahead nothing(const place *at) {
    return (mr_gemm_ahead){(uintptr_t)at->packed_a, 0, 0};
}

static mr_gemm_ahead ahead_from(const float *from, size_t step, size_t jump) {
    return (mr_gemm_ahead){(uintptr_t)from, step * sizeof(float), jump * sizeof(float)};
}

/* Of lines of numbers along k: a line of memory of each of 16, then the lines after the next. */
static mr_gemm_ahead ahead_along(const float *from, size_t stride) {
    return ahead_from(from, stride, 2 * MR_GEMM_LINE - MR_GEMM_LINE * stride);
}

/* Panel i of the group after this one, in the same block of k or the next one. Two of B's panels ask
 * for all of it. */
static mr_gemm_ahead ahead_of_a(const place *at, size_t i, size_t panel_of_b) {
    const mr_matrix *a = &at->p->a;
    size_t row = at->group.first + at->group.count, k = at->k.first;
    if (row == at->rows.first + at->rows.count) row = at->rows.first, k += at->block_k;
    if (panel_of_b >= 2 || k >= at->p->k) return nothing(at);
    row += i * at->panel;
    if (a->transposed)
        return ahead_from(number(a, row, k + panel_of_b * at->block_k / 2), a->stride, 0);
    return ahead_along(number(a, row, k + panel_of_b * MR_GEMM_LINE), a->stride);
}

/* The same panel of B in the next block of k. Four of A's panels ask for all of it. */
static mr_gemm_ahead ahead_of_b(const place *at, size_t panel_of_a, size_t column) {
    const mr_matrix *b = &at->p->b;
    size_t k = at->k.first + at->block_k, half = panel_of_a / 2 * at->block_k / 2;
    column += at->n.first + panel_of_a % 2 * MR_GEMM_LINE;
    if (panel_of_a >= 4 || k >= at->p->k || at->block_n * at->block_k > ASKED_B) return nothing(at);
    if (b->transposed) return ahead_along(number(b, k + half, column), b->stride);
    return ahead_from(number(b, k + half, column), b->stride, 0);
}

/* ------------------------------------------------------------------------------------ product */

/* Kernels know whole panels of B alone. */
static void multiply_edge(const mr_gemm_kernels *kernels, mr_gemm_tile tile, size_t columns) {
    float whole[MR_GEMM_ROWS * MR_GEMM_COLUMNS], beta = tile.beta, *c = tile.c;
    size_t c_stride = tile.c_stride;
    tile.beta = 0, tile.stream = 0;
    tile.c = whole, tile.c_stride = MR_GEMM_COLUMNS;
    kernels->multiply(&tile);
    for (size_t i = 0; i < tile.rows; i++, c += c_stride)
        for (size_t j = 0; j < columns; j++) {
            float sum = whole[i * MR_GEMM_COLUMNS + j];
            c[j] = beta == 0 ? sum : sum + beta * c[j];
        }
}

/* Panel i of the group, times all panels of the block of B. */
static void multiply_panel(const place *at, size_t i) {
    const product *p = at->p;
    size_t row = i * at->panel, below = at->group.first + row;
    mr_gemm_tile t = {.order = p->a.transposed ? MR_GEMM_BY_PAIRS : MR_GEMM_BY_ROWS,
                      .rows = smaller(at->panel, at->group.count - row),
                      .pairs = divide_up(at->k.count, 2),
                      .a = at->packed_a + i * panel_a(at),
                      .b = at->packed_b,
                      .beta = at->k.first ? 1 : p->beta,
                      .c = p->c + below * p->c_stride + at->n.first,
                      .c_stride = p->c_stride,
                      .stream = p->stream && at->k.count == p->k};
    size_t panel_of_a = (below - at->rows.first) / at->panel;
    for (size_t j = 0; j < at->n.count; j += MR_GEMM_COLUMNS) {
        t.ahead[0] = ahead_of_a(at, i, j / MR_GEMM_COLUMNS);
        t.ahead[1] = ahead_of_b(at, panel_of_a, j);
        if (at->n.count - j >= MR_GEMM_COLUMNS)
            p->kernels->multiply(&t);
        else
            multiply_edge(p->kernels, t, at->n.count - j);
        t.b += panel_b(at), t.c += MR_GEMM_COLUMNS;
    }
}

static void multiply_block(place *at) {
    size_t group = at->p->a.transposed ? UNITS_A / panel_a(at) * at->panel : at->panel;
    pack_b(at);
    for (size_t i = 0; i < at->rows.count; i += group) {
        at->group = block_of(at->rows, i, group);
        pack_a(at);
        for (size_t j = 0; j * at->panel < at->group.count; j++) multiply_panel(at, j);
    }
}

static void multiply_area(place *at) {
    const range sum = {0, at->p->k};
    if (at->rows.count == 0 || at->columns.count == 0) return;
    at->panel = equal_parts(at->rows.count, MR_GEMM_ROWS, 1);
    size_t most_k = at->p->a.transposed ? SHORT_K : LONG_K;
    at->block_k = equal_parts(sum.count, most_k, 2 * MR_GEMM_LINE);
    size_t most = 2 * UNITS_B / at->block_k / MR_GEMM_COLUMNS * MR_GEMM_COLUMNS;
    at->block_n = equal_parts(at->columns.count, most, MR_GEMM_COLUMNS);
    for (size_t j = 0; j < at->columns.count; j += at->block_n) {
        at->n = block_of(at->columns, j, at->block_n);
        for (size_t k = 0; k < sum.count; k += at->block_k) {
            at->k = block_of(sum, k, at->block_k);
            multiply_block(at);
        }
    }
}

static void multiply_areas(void *context, size_t begin, size_t end, int thread) {
    const product *p = context;
    uint32_t *scratch = p->scratch + (size_t)thread * (UNITS_B + UNITS_A);
    for (size_t i = begin; i < end; i++) {
        place at = {.p = p,
                    .rows = part_of(p->m, 1, i / p->areas_across, p->areas_down),
                    .columns = part_of(p->n, MR_GEMM_COLUMNS, i % p->areas_across, p->areas_across),
                    .packed_a = scratch + UNITS_B,
                    .packed_b = scratch};
        multiply_area(&at);
    }
}

/* Time for each number of k, in products of two numbers, if C is cut so: to pack a number takes as long
 * as 16 of them, or so. */
static size_t cost(const product *p, size_t down, size_t across) {
    size_t rows = divide_up(p->m, down);
    size_t columns = round_up(divide_up(p->n, across), MR_GEMM_COLUMNS);
    return rows * columns + 16 * (rows + columns);
}

static void cut(product *p, size_t threads) {
    p->areas_down = p->areas_across = 1;
    for (size_t down = 1; down <= threads; down++)
        if (cost(p, down, threads / down) < cost(p, p->areas_down, p->areas_across))
            p->areas_down = down, p->areas_across = threads / down;
}

/* ---------------------------------------------------------------------------------- interface */

/* Without anything to add up. */
static void scale(const product *p) {
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->n; j++) {
            float *c = p->c + i * p->c_stride + j;
            *c = p->beta == 0 ? 0 : p->beta * *c;
        }
}

/* The end of the parallel loop orders these stores before whatever comes next. */
static int can_stream(const product *p) {
    return p->beta == 0 && p->m * p->n > STREAM_C && (uintptr_t)p->c % 64 == 0 &&
           p->c_stride % MR_GEMM_LINE == 0;
}

void mr_gemm_bf16_with(const mr_gemm_kernels *kernels, size_t m, size_t n, size_t k, mr_matrix a,
                       mr_matrix b, float beta, float *c, size_t c_stride, void *scratch,
                       int threads) {
    product p = {.kernels = kernels,
                 .m = m,
                 .n = n,
                 .k = k,
                 .a = a,
                 .b = b,
                 .beta = beta,
                 .c = c,
                 .c_stride = c_stride,
                 .scratch = scratch};
    if (k == 0) {
        scale(&p);
        return;
    }
    p.stream = can_stream(&p);
    cut(&p, threads > 1 ? (size_t)threads : 1);
    mr_parallel(threads, p.areas_down * p.areas_across, multiply_areas, &p);
}

void mr_gemm_bf16(size_t m, size_t n, size_t k, mr_matrix a, mr_matrix b, float beta, float *c,
                  size_t c_stride, void *scratch, int threads) {
    const mr_gemm_kernels *kernels = mr_gemm_bf16_avx512();
    mr_gemm_bf16_with(kernels ? kernels : mr_gemm_bf16_scalar(), m, n, k, a, b, beta, c, c_stride,
                      scratch, threads);
}

size_t mr_gemm_bf16_scratch_size(int threads) {
    size_t each = (UNITS_B + UNITS_A) * sizeof(uint32_t);
    return each * (threads > 1 ? (size_t)threads : 1);
}
