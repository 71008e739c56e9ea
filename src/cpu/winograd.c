/* winograd.c - the walk over tiles and threads around the kernels of one instruction set, and the
 * packing of weights. See winograd.h. */
#include "cpu/winograd.h"

#include <stdatomic.h>
#include <string.h>

#include "base/parallel.h"
#include "cpu/winograd_kernels.h"

enum { POSITIONS = MR_WINO_POSITIONS, LINE = 16 /* floats of a cache line */ };

/* Sizes of blocks, measured on a Xeon with 2 MB of L2 a core. A run reads all weights once, so it
 * should be long; its v should stay in L2 while they stream by, so it should be short. */
enum {
    RUN = 36,               /* tiles */
    ONLY_RUN = 72,          /* so few tiles are one run */
    GROUP = 2,              /* panels that are multiplied between two transforms back */
    STREAM_BYTES = 32 << 20 /* larger outputs would leave L3 before they are read */
};

/* How one convolution is cut: pure in the shape, the table and the thread count. A piece of work is
 * a run of tiles and a range of panels. */
typedef struct {
    size_t blocks;                        /* of input channels, padded to whole ones */
    size_t panels;                        /* of output channels, padded to whole ones */
    size_t tiles_high, tiles_wide, tiles; /* tiles: of the whole batch */
    size_t runs, longest_run, panel_pieces;
    size_t v_position, m_position, m_panel; /* floats between two positions, and two panels */
    size_t v_floats, m_floats;              /* scratch of one thread */
    size_t zero_floats;                     /* a line of zeros: what is above and below the map */
} layout;

static size_t ceil_div(size_t a, size_t b) {
    return (a + b - 1) / b;
}

static size_t round_up(size_t a, size_t to) {
    return ceil_div(a, to) * to;
}

static size_t at_most(size_t a, size_t limit) {
    return a < limit ? a : limit;
}

/* Cuts into at least one piece a thread: by tiles, or by output channels where tiles are few, which
 * transforms the tiles more than once but reads no weights twice. */
static void cut_pieces(layout *l, size_t threads) {
    l->panel_pieces = 1;
    l->runs = l->tiles <= ONLY_RUN ? 1 : ceil_div(l->tiles, RUN);
    if (l->runs == 0) l->runs = 1;
    if (l->runs >= threads) {
        l->runs = round_up(l->runs, threads);
    } else {
        size_t most = ceil_div((size_t)l->panels, GROUP);
        l->panel_pieces = at_most(ceil_div(threads, l->runs), most);
        l->runs = ceil_div(threads, l->panel_pieces);
    }
    l->runs = at_most(l->runs, l->tiles);
    l->longest_run = ceil_div(l->tiles, l->runs);
}

static layout cut(const mr_winograd_kernels *k, const mr_winograd_shape *s, int threads) {
    layout l;
    size_t lanes = (size_t)k->lanes, panel = (size_t)k->panel;
    l.blocks = ceil_div((size_t)s->c_in, lanes);
    l.panels = ceil_div((size_t)s->c_out, panel);
    l.tiles_high = ceil_div((size_t)s->h, MR_WINO_OUT);
    l.tiles_wide = ceil_div((size_t)s->w, MR_WINO_OUT);
    l.tiles = (size_t)s->n * l.tiles_high * l.tiles_wide;
    cut_pieces(&l, (size_t)threads);
    /* An odd number of cache lines, or the 36 lines of a tile fall into few sets of L1. */
    l.v_position = (ceil_div(l.longest_run * l.blocks * lanes, LINE) | 1) * LINE;
    l.m_position = l.longest_run * panel;
    l.m_panel = POSITIONS * l.m_position;
    l.v_floats = POSITIONS * l.v_position;
    l.m_floats = round_up(GROUP * l.m_panel, LINE);
    l.zero_floats = round_up(MR_WINO_IN * (size_t)s->c_in, LINE);
    return l;
}

size_t mr_winograd_packed_size_with(const mr_winograd_kernels *k, int c_in, int c_out) {
    return POSITIONS * round_up((size_t)c_in, (size_t)k->lanes) *
           round_up((size_t)c_out, (size_t)k->panel);
}

size_t mr_winograd_scratch_size_with(const mr_winograd_kernels *k, const mr_winograd_shape *shape,
                                     int threads) {
    if (threads < 1) threads = 1;
    layout l = cut(k, shape, threads);
    return sizeof(float) * (l.zero_floats + (l.v_floats + l.m_floats) * (size_t)threads);
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

typedef struct {
    const mr_winograd_kernels *k;
    const mr_winograd_shape *shape;
    layout cut;
    const float *x, *packed;
    const mr_winograd_epilogue *epilogue;
    float *y;
    float *zeros, *scratch;
    int stream;
} convolution;

/* The tile's place in the batch: image, and its upper left output pixel. */
typedef struct {
    size_t image;
    int top, left;
} place;

static place place_of(const layout *l, size_t tile) {
    place at = {tile / l->tiles_wide / l->tiles_high,
                (int)(tile / l->tiles_wide % l->tiles_high) * MR_WINO_OUT,
                (int)(tile % l->tiles_wide) * MR_WINO_OUT};
    return at;
}

static size_t pixel_of(const mr_winograd_shape *s, size_t image, int row, int col) {
    return (image * (size_t)s->h + (size_t)row) * (size_t)s->w + (size_t)col;
}

static int lesser(int a, int b) {
    return a < b ? a : b;
}

static void input_tile(const convolution *c, size_t tile, float *v, size_t block_stride) {
    const mr_winograd_shape *s = c->shape;
    place at = place_of(&c->cut, tile);
    int col_begin = at.left == 0 ? 1 : 0;
    int col_end = lesser(s->w - at.left + 1, MR_WINO_IN);
    const float *row[MR_WINO_IN];
    for (int i = 0; i < MR_WINO_IN; i++) {
        int line = at.top - 1 + i;
        row[i] = c->zeros;
        if (line >= 0 && line < s->h)
            row[i] = c->x + pixel_of(s, at.image, line, at.left - 1 + col_begin) * (size_t)s->c_in;
    }
    c->k->input(row, col_begin, col_end, s->c_in, v, c->cut.v_position, block_stride);
}

/* Panels [from, to) of one tile; m is the first one's. */
static void output_tile(const convolution *c, size_t tile, size_t from, size_t to, const float *m) {
    const mr_winograd_shape *s = c->shape;
    const mr_winograd_epilogue *e = c->epilogue;
    place at = place_of(&c->cut, tile), after = place_of(&c->cut, tile + 1);
    size_t panel = (size_t)c->k->panel, c_out = (size_t)s->c_out;
    size_t here = pixel_of(s, at.image, at.top, at.left) * c_out;
    size_t there = pixel_of(s, after.image, after.top, after.left) * c_out;
    for (size_t j = from; j < to; j++, m += c->cut.m_panel) {
        size_t first = j * panel, offset = here + first;
        size_t next = j + 1 < to ? offset + panel : there + from * panel;
        mr_winograd_output out = {.bias = e->bias ? e->bias + first : NULL,
                                  .residual = e->residual ? e->residual + offset : NULL,
                                  .y = c->y + offset,
                                  .y_row = (size_t)s->w * c_out,
                                  .y_col = c_out,
                                  .rows = lesser(s->h - at.top, MR_WINO_OUT),
                                  .cols = lesser(s->w - at.left, MR_WINO_OUT),
                                  .channels = (int)at_most(c_out - first, panel),
                                  .relu = e->relu,
                                  .stream = c->stream,
                                  .next = (ptrdiff_t)next - (ptrdiff_t)offset};
        c->k->output(m, c->cut.m_position, &out);
    }
}

static const float *weights_of(const convolution *c, size_t panel, size_t position) {
    size_t u_floats = c->cut.blocks * (size_t)c->k->lanes * (size_t)c->k->panel;
    return c->packed + (panel * POSITIONS + position) * u_floats;
}

/* The products of one position for panels [from, to). Tiles are cut into nearly equal parts of at
 * most k->rows; the parts share in asking for the same panels' weights, and then for the
 * transformed tiles, of the next position. */
static void multiply_position(const convolution *c, size_t position, size_t count, size_t from,
                              size_t to, const float *v, float *m) {
    const mr_winograd_kernels *k = c->k;
    const layout *l = &c->cut;
    size_t lanes = (size_t)k->lanes, panel = (size_t)k->panel;
    size_t parts = ceil_div(count, (size_t)k->rows);
    size_t a_call = l->blocks * lanes * LINE, u_calls = panel / LINE;
    const float *v_ahead = v + l->v_position, *v_end = v_ahead + count * l->blocks * lanes;
    for (size_t j = from; j < to; j++, m += l->m_panel) {
        const float *u = weights_of(c, j, position), *u_ahead = weights_of(c, j, position + 1);
        for (size_t part = 0; part < parts; part++) {
            size_t begin = count * part / parts, end = count * (part + 1) / parts;
            const float *ahead = u;
            if (part < u_calls) {
                ahead = u_ahead + part * a_call;
            } else if (v_ahead < v_end) {
                ahead = v_ahead;
                v_ahead += a_call;
            }
            k->multiply(v + begin * lanes, count * lanes, (int)l->blocks, u, m + begin * panel,
                        panel, (int)(end - begin), ahead);
        }
    }
}

static void convolve_piece(const convolution *c, size_t piece, float *v, float *m) {
    const layout *l = &c->cut;
    size_t lanes = (size_t)c->k->lanes, panel = (size_t)c->k->panel;
    size_t run = piece / l->panel_pieces, column = piece % l->panel_pieces;
    size_t first = l->tiles * run / l->runs, count = l->tiles * (run + 1) / l->runs - first;
    size_t end = l->panels * (column + 1) / l->panel_pieces;
    for (size_t t = 0; t < count; t++) input_tile(c, first + t, v + t * lanes, count * lanes);
    for (size_t from = l->panels * column / l->panel_pieces; from < end; from += GROUP) {
        size_t to = at_most(from + GROUP, end);
        for (size_t p = 0; p < POSITIONS; p++)
            multiply_position(c, p, count, from, to, v + p * l->v_position, m + p * l->m_position);
        for (size_t t = 0; t < count; t++) output_tile(c, first + t, from, to, m + t * panel);
    }
}

static void convolve_pieces(void *context, size_t begin, size_t end, int thread) {
    const convolution *c = context;
    float *v = c->scratch + (size_t)thread * (c->cut.v_floats + c->cut.m_floats);
    for (size_t piece = begin; piece < end; piece++)
        convolve_piece(c, piece, v, v + c->cut.v_floats);
    /* Stores past the caches are outside of the usual order until a fence. */
    atomic_thread_fence(memory_order_seq_cst);
}

void mr_winograd_forward_with(const mr_winograd_kernels *k, const mr_winograd_shape *shape,
                              const float *x, const float *packed,
                              const mr_winograd_epilogue *epilogue, float *y, void *scratch,
                              int threads) {
    if (threads < 1) threads = 1;
    layout l = cut(k, shape, threads);
    size_t pixels = (size_t)shape->n * (size_t)shape->h * (size_t)shape->w;
    convolution c = {.k = k,
                     .shape = shape,
                     .cut = l,
                     .x = x,
                     .packed = packed,
                     .epilogue = epilogue,
                     .y = y,
                     .zeros = scratch,
                     .scratch = (float *)scratch + l.zero_floats,
                     .stream = pixels * (size_t)shape->c_out * sizeof *y > STREAM_BYTES};
    memset(c.zeros, 0, l.zero_floats * sizeof(float));
    mr_parallel_dynamic(threads, l.runs * l.panel_pieces, 1, convolve_pieces, &c);
}

static const mr_winograd_kernels *best(void) {
    const mr_winograd_kernels *k = mr_winograd_avx512();
    if (!k) k = mr_winograd_avx2();
    return k ? k : mr_winograd_scalar();
}

int mr_winograd_is_fast(void) {
    return best() != mr_winograd_scalar();
}

const char *mr_winograd_isa(void) {
    return best()->isa;
}

size_t mr_winograd_packed_size(int c_in, int c_out) {
    return mr_winograd_packed_size_with(best(), c_in, c_out);
}

void mr_winograd_pack(const float *kernel, int c_in, int c_out, float *packed, int threads) {
    mr_winograd_pack_with(best(), kernel, c_in, c_out, packed, threads);
}

void mr_winograd_pack_backward_data(const float *kernel, int c_in, int c_out, float *packed,
                                    int threads) {
    mr_winograd_pack_backward_data_with(best(), kernel, c_in, c_out, packed, threads);
}

size_t mr_winograd_scratch_size(const mr_winograd_shape *shape, int threads) {
    return mr_winograd_scratch_size_with(best(), shape, threads);
}

void mr_winograd_forward(const mr_winograd_shape *shape, const float *x, const float *packed,
                         const mr_winograd_epilogue *epilogue, float *y, void *scratch,
                         int threads) {
    mr_winograd_forward_with(best(), shape, x, packed, epilogue, y, scratch, threads);
}
