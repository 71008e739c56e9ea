/* winograd.c - the walk over tiles and threads around the kernels of one instruction set. See
 * winograd.h. */
#include "cpu/winograd.h"

#include <stdatomic.h>
#include <string.h>

#include "base/parallel.h"
#include "cpu/winograd_kernels.h"
#include "cpu/winograd_tiles.h"

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
    size_t blocks; /* of input channels, padded to whole ones */
    size_t panels; /* of output channels, padded to whole ones */
    grid tiles;
    size_t runs, longest_run, panel_pieces;
    size_t v_position, m_position, m_panel; /* floats between two positions, and two panels */
    size_t v_floats, m_floats;              /* scratch of one thread */
    size_t zero_floats;                     /* a line of zeros: what is above and below the map */
} layout;

/* Cuts into at least one piece a thread: by tiles, or by output channels where tiles are few, which
 * transforms the tiles more than once but reads no weights twice. */
static void cut_pieces(layout *l, size_t threads) {
    l->panel_pieces = 1;
    l->runs = l->tiles.count <= ONLY_RUN ? 1 : ceil_div(l->tiles.count, RUN);
    if (l->runs >= threads) {
        l->runs = round_up(l->runs, threads);
    } else {
        size_t most = ceil_div((size_t)l->panels, GROUP);
        l->panel_pieces = at_most(ceil_div(threads, l->runs), most);
        l->runs = ceil_div(threads, l->panel_pieces);
    }
    l->runs = at_most(l->runs, l->tiles.count);
    if (l->runs == 0) l->runs = 1;
    l->longest_run = ceil_div(l->tiles.count, l->runs);
}

static layout cut(const mr_winograd_kernels *k, const mr_winograd_shape *s,
                  const mr_winograd_tiles *only, int threads) {
    layout l;
    size_t lanes = (size_t)k->lanes, panel = (size_t)k->panel;
    l.blocks = ceil_div((size_t)s->c_in, (size_t)k->block);
    l.panels = ceil_div((size_t)s->c_out, panel);
    l.tiles = grid_of(s, only);
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

static size_t scratch_of(const layout *l, int threads) {
    return sizeof(float) * (l->zero_floats + (l->v_floats + l->m_floats) * (size_t)threads);
}

size_t mr_winograd_scratch_size_with(const mr_winograd_kernels *k, const mr_winograd_shape *shape,
                                     int threads) {
    if (threads < 1) threads = 1;
    layout l = cut(k, shape, NULL, threads);
    return scratch_of(&l, threads);
}

/* Runs are longest where tiles are few, or a whole number of runs a thread. */
size_t mr_winograd_tiles_scratch_size_with(const mr_winograd_kernels *k,
                                           const mr_winograd_shape *shape, int threads) {
    if (threads < 1) threads = 1;
    size_t largest = mr_winograd_scratch_size_with(k, shape, threads);
    size_t most = at_most(grid_of(shape, NULL).count, ONLY_RUN + RUN * (size_t)threads);
    mr_winograd_tiles only = {0, NULL};
    for (only.count = 1; only.count <= most; only.count++) {
        layout l = cut(k, shape, &only, threads);
        if (scratch_of(&l, threads) > largest) largest = scratch_of(&l, threads);
    }
    return largest;
}

typedef struct {
    const mr_winograd_kernels *k;
    const mr_winograd_shape *shape;
    layout cut;
    const void *x;
    const float *packed;
    const mr_winograd_epilogue *epilogue;
    mr_winograd_numbers numbers;
    char *y;
    float *zeros, *scratch;
    int stream;
} convolution;

/* Panels [from, to) of one tile; m is the first one's. */
static void output_tile(const convolution *c, size_t tile, size_t from, size_t to, const float *m) {
    const mr_winograd_shape *s = c->shape;
    const mr_winograd_epilogue *e = c->epilogue;
    const mr_winograd_numbers *n = &c->numbers;
    place at = place_of(&c->cut.tiles, tile), after = place_of(&c->cut.tiles, tile + 1);
    size_t panel = (size_t)c->k->panel, c_out = (size_t)s->c_out;
    size_t here = pixel_of(s, at.image, at.top, at.left) * c_out;
    size_t there = pixel_of(s, after.image, after.top, after.left) * c_out;
    for (size_t j = from; j < to; j++, m += c->cut.m_panel) {
        size_t first = j * panel, offset = here + first;
        size_t next = j + 1 < to ? offset + panel : there + from * panel;
        mr_winograd_output out = {.bias = e->bias ? e->bias + first : NULL,
                                  .residual = e->residual ? (const char *)e->residual +
                                                                offset * mr_type_size(n->residual)
                                                          : NULL,
                                  .y = c->y + offset * mr_type_size(n->y),
                                  .y_row = (size_t)s->w * c_out,
                                  .y_col = c_out,
                                  .rows = lesser(s->h - at.top, MR_WINO_OUT),
                                  .cols = lesser(s->w - at.left, MR_WINO_OUT),
                                  .channels = (int)at_most(c_out - first, panel),
                                  .relu = e->relu,
                                  .stream = c->stream,
                                  .type = n->y,
                                  .residual_type = n->residual,
                                  .factor = n->x_scale / n->y_scale,
                                  .bias_factor = 1 / n->y_scale,
                                  .residual_factor = n->residual_scale / n->y_scale,
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
    size_t first = l->tiles.count * run / l->runs,
           count = l->tiles.count * (run + 1) / l->runs - first;
    size_t end = l->panels * (column + 1) / l->panel_pieces;
    for (size_t t = 0; t < count; t++)
        input_tile(c->k, c->shape, c->numbers.x, place_of(&l->tiles, first + t), c->x, c->zeros,
                   v + t * lanes, l->v_position, count * lanes);
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
                              const mr_winograd_tiles *only, const void *x, const void *packed,
                              const mr_winograd_epilogue *epilogue, void *y, void *scratch,
                              int threads) {
    if (threads < 1) threads = 1;
    if (grid_of(shape, only).count == 0) return;
    layout l = cut(k, shape, only, threads);
    size_t pixels = (size_t)shape->n * (size_t)shape->h * (size_t)shape->w;
    mr_winograd_numbers plain = {k->number, k->number, k->number, 1, 1, 1};
    convolution c = {.k = k,
                     .shape = shape,
                     .cut = l,
                     .x = x,
                     .packed = packed,
                     .epilogue = epilogue,
                     .numbers = epilogue->numbers ? *epilogue->numbers : plain,
                     .y = y,
                     .zeros = scratch,
                     .scratch = (float *)scratch + l.zero_floats,
                     .stream =
                         pixels * (size_t)shape->c_out * mr_type_size(k->number) > STREAM_BYTES};
    memset(c.zeros, 0, l.zero_floats * sizeof(float));
    mr_parallel_dynamic(threads, l.runs * l.panel_pieces, 1, convolve_pieces, &c);
}

const mr_winograd_kernels *mr_winograd_best(void) {
    const mr_winograd_kernels *k = mr_winograd_avx512();
    if (!k) k = mr_winograd_avx2();
    return k ? k : mr_winograd_scalar();
}

int mr_winograd_is_fast(void) {
    return mr_winograd_best() != mr_winograd_scalar();
}

const char *mr_winograd_isa(void) {
    return mr_winograd_best()->isa;
}

size_t mr_winograd_packed_size(int c_in, int c_out) {
    return mr_winograd_packed_size_with(mr_winograd_best(), c_in, c_out);
}

void mr_winograd_pack(const float *kernel, int c_in, int c_out, float *packed, int threads) {
    mr_winograd_pack_with(mr_winograd_best(), kernel, c_in, c_out, packed, threads);
}

void mr_winograd_pack_backward_data(const float *kernel, int c_in, int c_out, float *packed,
                                    int threads) {
    mr_winograd_pack_backward_data_with(mr_winograd_best(), kernel, c_in, c_out, packed, threads);
}

size_t mr_winograd_scratch_size(const mr_winograd_shape *shape, int threads) {
    return mr_winograd_scratch_size_with(mr_winograd_best(), shape, threads);
}

void mr_winograd_forward(const mr_winograd_shape *shape, const float *x, const float *packed,
                         const mr_winograd_epilogue *epilogue, float *y, void *scratch,
                         int threads) {
    mr_winograd_forward_with(mr_winograd_best(), shape, NULL, x, packed, epilogue, y, scratch,
                             threads);
}

void mr_winograd_forward_tiles(const mr_winograd_shape *shape, const mr_winograd_tiles *only,
                               const float *x, const float *packed,
                               const mr_winograd_epilogue *epilogue, float *y, void *scratch,
                               int threads) {
    mr_winograd_forward_with(mr_winograd_best(), shape, only, x, packed, epilogue, y, scratch,
                             threads);
}

size_t mr_winograd_tiles_scratch_size(const mr_winograd_shape *shape, int threads) {
    return mr_winograd_tiles_scratch_size_with(mr_winograd_best(), shape, threads);
}
