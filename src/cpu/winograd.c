/* winograd.c - the walk over tiles and threads around the kernels of one instruction set, and the
 * packing of weights. See winograd.h. */
#include "cpu/winograd.h"

#include <stdatomic.h>
#include <string.h>

#include "base/parallel.h"
#include "cpu/winograd_kernels.h"

enum { POSITIONS = MR_WINO_POSITIONS, LINE = 16 /* floats of a cache line */ };

/* Bounds of the blocking, measured on Xeons with 2 MB of L2. Weights are read once a run, so runs
 * are long: v and the m of a group together take about as much as L2 has. */
enum {
    RUN_BYTES = 5 << 19,
    RUN_PARTS = 5,          /* most calls of multiply for one panel */
    GROUP = 4,              /* panels that are multiplied between two transforms back */
    STREAM_BYTES = 32 << 20 /* outputs larger than this are gone from L3 before they are read */
};

/* How one convolution is cut: pure in the shape, the table and the thread count. A piece of work is
 * a run of tiles and a range of panels. */
typedef struct {
    int blocks; /* of input channels, padded to whole ones */
    int panels; /* of output channels, padded to whole ones */
    int tiles_high, tiles_wide;
    size_t tiles; /* of the whole batch */
    size_t runs, longest_run;
    int panel_pieces;
    size_t v_position, m_position; /* floats between two positions */
    size_t v_floats, m_floats;     /* scratch of one thread */
    size_t zero_floats;            /* a line of zeros: what lies above and below the map */
} layout;

static int ceil_div(int a, int b) {
    return (a + b - 1) / b;
}

static size_t ceil_div_size(size_t a, size_t b) {
    return (a + b - 1) / b;
}

static size_t round_up(size_t a, size_t to) {
    return (a + to - 1) / to * to;
}

static int at_most(int a, int limit) {
    return a < limit ? a : limit;
}

static layout cut(const mr_winograd_kernels *k, const mr_winograd_shape *s, int threads) {
    layout l;
    size_t team = (size_t)threads, rows = (size_t)k->rows;
    l.blocks = ceil_div(s->c_in, k->lanes);
    l.panels = ceil_div(s->c_out, k->panel);
    l.tiles_high = ceil_div(s->h, MR_WINO_OUT);
    l.tiles_wide = ceil_div(s->w, MR_WINO_OUT);
    l.tiles = (size_t)s->n * (size_t)l.tiles_high * (size_t)l.tiles_wide;
    size_t in = (size_t)l.blocks * (size_t)k->lanes;
    size_t out = (size_t)at_most(GROUP, l.panels) * (size_t)k->panel;
    size_t parts = RUN_BYTES / (sizeof(float) * POSITIONS * (in + out) * rows);
    size_t most = rows * (parts < 2 ? 2 : parts > RUN_PARTS ? RUN_PARTS : parts);
    l.runs = ceil_div_size(l.tiles, most);
    l.panel_pieces = 1;
    l.runs = round_up(l.runs, team);
    if (l.runs > l.tiles) l.runs = l.tiles;
    l.longest_run = ceil_div_size(l.tiles, l.runs);
    l.v_position = l.longest_run * in;
    l.m_position = l.longest_run * (size_t)k->panel;
    l.v_floats = round_up(POSITIONS * l.v_position, 16);
    l.m_floats = round_up(POSITIONS * l.m_position, 16) * (size_t)at_most(GROUP, l.panels);
    l.zero_floats = round_up((size_t)MR_WINO_IN * (size_t)s->c_in, 16);
    return l;
}

size_t mr_winograd_packed_size_with(const mr_winograd_kernels *k, int c_in, int c_out) {
    return (size_t)POSITIONS * (size_t)ceil_div(c_in, k->lanes) * (size_t)k->lanes *
           (size_t)ceil_div(c_out, k->panel) * (size_t)k->panel;
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
    size_t c_in, c_out, c_in_padded;
    float *packed;
} packing;

/* g -> G g G^T in double, where row p of G is (1, p, p^2) / m'(p). */
static void transform_kernel(const double g[3][3], double u[6][6]) {
    const double a = MR_WINO_A, b = MR_WINO_B, a2 = a * a, b2 = b * b;
    const double na = 1 / (2 * a2 * (a2 - b2)), nb = 1 / (2 * b2 * (b2 - a2));
    const double G[6][3] = {{1 / (a2 * b2), 0, 0}, {na, a * na, a2 * na},  {na, -a * na, a2 * na},
                            {nb, b * nb, b2 * nb}, {nb, -b * nb, b2 * nb}, {0, 0, 1}};
    double half[6][3];
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 3; j++)
            half[i][j] = G[i][0] * g[0][j] + G[i][1] * g[1][j] + G[i][2] * g[2][j];
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            u[i][j] = half[i][0] * G[j][0] + half[i][1] * G[j][1] + half[i][2] * G[j][2];
}

/* Items are (panel, input channel) pairs. */
static void pack_items(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const packing *p = context;
    size_t panel = (size_t)p->k->panel;
    for (size_t item = begin; item < end; item++) {
        size_t first = item / p->c_in_padded * panel, in = item % p->c_in_padded;
        float *to = p->packed + first * POSITIONS * p->c_in_padded + in * panel;
        for (size_t lane = 0; lane < panel; lane++) {
            double g[3][3] = {{0}}, u[6][6];
            if (in < p->c_in && first + lane < p->c_out)
                for (size_t tap = 0; tap < 9; tap++)
                    g[tap / 3][tap % 3] = p->kernel[(tap * p->c_in + in) * p->c_out + first + lane];
            transform_kernel((const double(*)[3])g, u);
            for (size_t at = 0; at < POSITIONS; at++)
                to[at * p->c_in_padded * panel + lane] = (float)u[at / 6][at % 6];
        }
    }
}

void mr_winograd_pack_with(const mr_winograd_kernels *k, const float *kernel, int c_in, int c_out,
                           float *packed, int threads) {
    packing p = {k,
                 kernel,
                 (size_t)c_in,
                 (size_t)c_out,
                 (size_t)ceil_div(c_in, k->lanes) * (size_t)k->lanes,
                 packed};
    mr_parallel(threads, p.c_in_padded * (size_t)ceil_div(c_out, k->panel), pack_items, &p);
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
    size_t wide = (size_t)l->tiles_wide, high = (size_t)l->tiles_high;
    place at = {tile / wide / high, (int)(tile / wide % high) * MR_WINO_OUT,
                (int)(tile % wide) * MR_WINO_OUT};
    return at;
}

static void input_tile(const convolution *c, size_t tile, float *v, size_t block_stride) {
    const mr_winograd_shape *s = c->shape;
    place at = place_of(&c->cut, tile);
    int col_begin = at.left == 0 ? 1 : 0;
    int col_end = at_most(s->w - at.left + 1, MR_WINO_IN);
    const float *row[MR_WINO_IN];
    for (int i = 0; i < MR_WINO_IN; i++) {
        int line = at.top - 1 + i;
        row[i] = line < 0 || line >= s->h
                     ? c->zeros
                     : c->x + ((at.image * (size_t)s->h + (size_t)line) * (size_t)s->w +
                               (size_t)(at.left - 1 + col_begin)) *
                                  (size_t)s->c_in;
    }
    c->k->input(row, col_begin, col_end, s->c_in, v, c->cut.v_position, block_stride);
}

static size_t offset_of(const mr_winograd_shape *s, place at) {
    return ((at.image * (size_t)s->h + (size_t)at.top) * (size_t)s->w + (size_t)at.left) *
           (size_t)s->c_out;
}

/* Panels [from, to) of one tile; m is the first one's. */
static void output_tile(const convolution *c, size_t tile, int from, int to, const float *m) {
    const mr_winograd_shape *s = c->shape;
    const mr_winograd_epilogue *e = c->epilogue;
    const layout *l = &c->cut;
    place at = place_of(l, tile);
    size_t here = offset_of(s, at), there = offset_of(s, place_of(l, tile + 1));
    size_t panel = (size_t)c->k->panel, c_out = (size_t)s->c_out;
    int rows = at_most(s->h - at.top, MR_WINO_OUT), cols = at_most(s->w - at.left, MR_WINO_OUT);
    for (int j = from; j < to; j++, m += POSITIONS * l->m_position) {
        size_t first = (size_t)j * panel, offset = here + first;
        size_t next = j + 1 < to ? offset + panel : there + (size_t)from * panel;
        c->k->output(m, l->m_position, e->bias ? e->bias + first : NULL,
                     e->residual ? e->residual + offset : NULL, c->y + offset, (size_t)s->w * c_out,
                     c_out, rows, cols, at_most(s->c_out - (int)first, c->k->panel), e->relu,
                     (ptrdiff_t)next - (ptrdiff_t)offset, c->stream);
    }
}

static const float *weights_of(const convolution *c, int panel, size_t position) {
    size_t u_floats = (size_t)c->cut.blocks * (size_t)c->k->lanes * (size_t)c->k->panel;
    return c->packed + ((size_t)panel * POSITIONS + position) * u_floats;
}

/* The products of one position for panels [from, to). Tiles are cut into nearly equal parts of at
 * most k->rows; the parts share in asking for the same panels' weights, and then for the
 * transformed tiles, of the next position. */
static void multiply_position(const convolution *c, size_t position, size_t count, int from, int to,
                              const float *v, float *m) {
    const mr_winograd_kernels *k = c->k;
    const layout *l = &c->cut;
    size_t lanes = (size_t)k->lanes, panel = (size_t)k->panel;
    size_t parts = ceil_div_size(count, (size_t)k->rows);
    size_t a_call = (size_t)l->blocks * lanes * LINE, u_calls = panel / LINE;
    const float *v_ahead = v + l->v_position, *v_end = v_ahead + count * (size_t)l->blocks * lanes;
    for (int j = from; j < to; j++, m += POSITIONS * l->m_position) {
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
            k->multiply(v + begin * lanes, count * lanes, l->blocks, u, m + begin * panel, panel,
                        (int)(end - begin), ahead);
        }
    }
}

static void convolve_piece(const convolution *c, size_t piece, float *v, float *m) {
    const layout *l = &c->cut;
    size_t lanes = (size_t)c->k->lanes, panel = (size_t)c->k->panel;
    size_t run = piece / (size_t)l->panel_pieces;
    int column = (int)(piece % (size_t)l->panel_pieces);
    size_t first = l->tiles * run / l->runs, count = l->tiles * (run + 1) / l->runs - first;
    int end = l->panels * (column + 1) / l->panel_pieces;
    for (size_t t = 0; t < count; t++) input_tile(c, first + t, v + t * lanes, count * lanes);
    for (int from = l->panels * column / l->panel_pieces; from < end; from += GROUP) {
        int to = at_most(from + GROUP, end);
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
    mr_parallel_dynamic(threads, l.runs * (size_t)l.panel_pieces, 1, convolve_pieces, &c);
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

size_t mr_winograd_scratch_size(const mr_winograd_shape *shape, int threads) {
    return mr_winograd_scratch_size_with(best(), shape, threads);
}

void mr_winograd_forward(const mr_winograd_shape *shape, const float *x, const float *packed,
                         const mr_winograd_epilogue *epilogue, float *y, void *scratch,
                         int threads) {
    mr_winograd_forward_with(best(), shape, x, packed, epilogue, y, scratch, threads);
}
