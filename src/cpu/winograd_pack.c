/* winograd_pack.c - the packing of weights for the Winograd convolution. See winograd.h. */
#include <string.h>

#include "base/parallel.h"
#include "cpu/winograd_kernels.h"
#include "cpu/winograd_tiles.h"

size_t mr_winograd_packed_size_with(const mr_winograd_kernels *k, int c_in, int c_out) {
    return POSITIONS * round_up((size_t)c_in, (size_t)k->lanes) *
           round_up((size_t)c_out, (size_t)k->panel);
}

/* Packed weights are [panel][position][input channel][output channel of the panel]: each panel is
 * read from end to end. */
typedef struct {
    const mr_winograd_kernels *k;
    const float *kernel;
    size_t in, out, in_padded;    /* channels of the convolution to be run */
    size_t in_stride, out_stride; /* in kernel */
    int flip;                     /* taps in reverse order: rotated by 180 degrees */
    float *packed;
} packing;

enum { MOST_LANES = 32 };

/* u = G g for one row or column g of the kernels of a panel: row p of G is (1, p, p^2) / m'(p),
 * with m(x) = x (x^2 - A^2) (x^2 - B^2). */
static void transform_kernel(double g[3][MOST_LANES], double u[6][MOST_LANES]) {
    const double a = MR_WINO_A, b = MR_WINO_B, a2 = a * a, b2 = b * b;
    const double na = 1 / (2 * a2 * (a2 - b2)), nb = 1 / (2 * b2 * (b2 - a2));
    for (size_t lane = 0; lane < MOST_LANES; lane++) {
        double even_a = na * (g[0][lane] + a2 * g[2][lane]), odd_a = na * a * g[1][lane];
        double even_b = nb * (g[0][lane] + b2 * g[2][lane]), odd_b = nb * b * g[1][lane];
        u[0][lane] = g[0][lane] / (a2 * b2);
        u[1][lane] = even_a + odd_a;
        u[2][lane] = even_a - odd_a;
        u[3][lane] = even_b + odd_b;
        u[4][lane] = even_b - odd_b;
        u[5][lane] = g[2][lane];
    }
}

/* Column `column` of the kernels from one input channel to the panel that begins at `first`; zeros
 * for channels that are padding. */
static void load_taps(const packing *p, size_t in, size_t first, size_t column,
                      double g[3][MOST_LANES]) {
    size_t lanes = in < p->in ? at_most(p->out - first, (size_t)p->k->panel) : 0;
    memset(g, 0, 3 * sizeof g[0]);
    for (size_t row = 0; row < 3; row++) {
        size_t tap = row * 3 + column;
        if (p->flip) tap = 8 - tap;
        const float *from =
            p->kernel + tap * p->in * p->out + in * p->in_stride + first * p->out_stride;
        for (size_t lane = 0; lane < lanes; lane++) g[row][lane] = from[lane * p->out_stride];
    }
}

/* Items are (panel, input channel) pairs. In double, so that only the result is rounded. */
static void pack_items(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const packing *p = context;
    size_t panel = (size_t)p->k->panel;
    for (size_t item = begin; item < end; item++) {
        size_t first = item / p->in_padded * panel, in = item % p->in_padded;
        double half[6][3][MOST_LANES], line[3][MOST_LANES], u[6][MOST_LANES];
        for (size_t column = 0; column < 3; column++) {
            load_taps(p, in, first, column, line);
            transform_kernel(line, u);
            for (size_t i = 0; i < 6; i++) memcpy(half[i][column], u[i], sizeof u[i]);
        }
        float *to = p->packed + first * POSITIONS * p->in_padded + in * panel;
        for (size_t i = 0; i < 6; i++) {
            transform_kernel(half[i], u);
            for (size_t j = 0; j < 6; j++, to += p->in_padded * panel)
                for (size_t lane = 0; lane < panel; lane++) to[lane] = (float)u[j][lane];
        }
    }
}

static void pack(packing *p, int threads) {
    p->in_padded = round_up(p->in, (size_t)p->k->lanes);
    mr_parallel(threads, p->in_padded * ceil_div(p->out, (size_t)p->k->panel), pack_items, p);
}

void mr_winograd_pack_with(const mr_winograd_kernels *k, const float *kernel, int c_in, int c_out,
                           float *packed, int threads) {
    packing p = {.k = k,
                 .kernel = kernel,
                 .in = (size_t)c_in,
                 .out = (size_t)c_out,
                 .in_stride = (size_t)c_out,
                 .out_stride = 1,
                 .packed = packed};
    pack(&p, threads);
}

void mr_winograd_pack_backward_data_with(const mr_winograd_kernels *k, const float *kernel,
                                         int c_in, int c_out, float *packed, int threads) {
    packing p = {.k = k,
                 .kernel = kernel,
                 .in = (size_t)c_out,
                 .out = (size_t)c_in,
                 .in_stride = 1,
                 .out_stride = (size_t)c_out,
                 .flip = 1,
                 .packed = packed};
    pack(&p, threads);
}
