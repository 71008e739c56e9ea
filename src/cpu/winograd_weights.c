/* winograd_weights.c - the gradient of a 3x3 convolution by its weights, in the Winograd domain:
 * y = A^T [(G g G^T) . (B^T d B)] A for each tile d of x, so
 * dg = G^T [sum over tiles of (B^T d B) . (A dy A^T)] G.
 * The sum is 36 matrix products, c_in x tiles by tiles x c_out, one for each position of a
 * transformed tile. Tiles go by in chunks: all threads transform a chunk, then all threads share
 * out its products. The last chunk's sums are transformed back while they are in cache. */
#include <string.h>

#include "base/parallel.h"
#include "cpu/winograd_kernels.h"
#include "cpu/winograd_tiles.h"

/* A chunk should be long, because all sums are read and written once a chunk, and short, because
 * its transformed tiles should stay in L3 and what one product reads of them in L1. */
enum {
    CHUNK = 128,   /* tiles */
    GRAIN = 8,     /* tiles that a thread transforms at a time */
    GROUP_IN = 64, /* channels of a group of sums: see layout */
    GROUP_OUT = 96,
    PARTS_A_THREAD = 3 /* of a chunk's products */
};

/* Sums are in groups of some blocks of input by some blocks of output channels:
 * [group][position][input block][output block][input channel][output channel]. */
typedef struct {
    grid tiles;
    size_t lanes, in_blocks, out_blocks; /* floats and number of blocks */
    size_t group_in, group_out;          /* blocks of a group */
    size_t groups_in, groups_out, groups;
    size_t chunks, longest_chunk;
    size_t block, v_position, u_position; /* floats between blocks and positions of the tiles */
    size_t sum_block, sum_position, sum_group;
    size_t zero_floats, v_floats, u_floats, sum_floats; /* scratch */
} layout;

static layout cut(const mr_winograd_kernels *k, const mr_winograd_shape *s,
                  const mr_winograd_tiles *only, int threads) {
    layout l;
    size_t c_in = (size_t)s->c_in, c_out = (size_t)s->c_out;
    l.tiles = grid_of(s, only);
    l.lanes = (size_t)k->lanes;
    l.in_blocks = ceil_div(c_in, l.lanes);
    l.out_blocks = ceil_div(c_out, l.lanes);
    l.groups_in = ceil_div(c_in, GROUP_IN);
    l.groups_out = ceil_div(c_out, GROUP_OUT);
    l.group_in = ceil_div(l.in_blocks, l.groups_in);
    l.group_out = ceil_div(l.out_blocks, l.groups_out);
    l.groups_in = ceil_div(l.in_blocks, l.group_in);
    l.groups_out = ceil_div(l.out_blocks, l.group_out);
    l.chunks = ceil_div(l.tiles.count, CHUNK);
    l.longest_chunk = ceil_div(l.tiles.count, l.chunks);
    l.block = l.longest_chunk * l.lanes;
    /* An odd number of cache lines, or the 36 lines of a tile fall into few sets of L1. */
    l.v_position = (ceil_div(l.in_blocks * l.block, LINE) | 1) * LINE;
    l.u_position = (ceil_div(l.out_blocks * l.block, LINE) | 1) * LINE;
    l.sum_block = l.lanes * l.lanes;
    l.sum_position = l.group_in * l.group_out * l.sum_block;
    l.sum_group = POSITIONS * l.sum_position;
    l.zero_floats = round_up(MR_WINO_IN * (c_in > c_out ? c_in : c_out), LINE);
    l.v_floats = POSITIONS * l.v_position;
    l.u_floats = POSITIONS * l.u_position;
    /* The only chunk's sums are gone as soon as their group is finished. */
    l.groups = l.groups_in * l.groups_out;
    l.sum_floats = l.sum_group * (l.chunks > 1 ? l.groups : at_most(l.groups, (size_t)threads));
    return l;
}

static size_t scratch_of(const layout *l) {
    return sizeof(float) * (l->zero_floats + l->v_floats + l->u_floats + l->sum_floats);
}

size_t mr_winograd_weights_scratch_size_with(const mr_winograd_kernels *k,
                                             const mr_winograd_shape *shape, int threads) {
    layout l = cut(k, shape, NULL, threads < 1 ? 1 : threads);
    return scratch_of(&l);
}

/* Chunks are longest where there is a whole number of them, and few. */
size_t mr_winograd_weights_tiles_scratch_size_with(const mr_winograd_kernels *k,
                                                   const mr_winograd_shape *shape, int threads) {
    size_t largest = mr_winograd_weights_scratch_size_with(k, shape, threads);
    size_t most = at_most(grid_of(shape, NULL).count, 2 * CHUNK);
    mr_winograd_tiles only = {0, NULL};
    for (only.count = 1; only.count <= most; only.count++) {
        layout l = cut(k, shape, &only, threads < 1 ? 1 : threads);
        if (scratch_of(&l) > largest) largest = scratch_of(&l);
    }
    return largest;
}

typedef struct {
    const mr_winograd_kernels *k;
    const mr_winograd_shape *shape;
    layout cut;
    const float *x, *dy;
    float *dkernel;
    int accumulate;
    float *zeros, *v, *u, *sums;
    size_t chunk, first, count; /* the chunk at hand, its first tile, its tiles */
} gradient;

static void gradient_tile(const gradient *g, place at, float *u) {
    const mr_winograd_shape *s = g->shape;
    const float *row[MR_WINO_OUT];
    for (int i = 0; i < MR_WINO_OUT; i++) {
        row[i] = g->zeros;
        if (at.top + i < s->h)
            row[i] = g->dy + pixel_of(s, at.image, at.top + i, at.left) * (size_t)s->c_out;
    }
    g->k->gradient(row, lesser(s->w - at.left, MR_WINO_OUT), s->c_out, u, g->cut.u_position,
                   g->cut.block);
}

static void transform_tiles(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const gradient *g = context;
    const layout *l = &g->cut;
    for (size_t t = begin; t < end; t++)
        input_tile(g->k, g->shape, MR_F32, place_of(&l->tiles, g->first + t), g->x, g->zeros,
                   g->v + t * l->lanes, l->v_position, l->block);
    for (size_t t = begin; t < end; t++)
        gradient_tile(g, place_of(&l->tiles, g->first + t), g->u + t * l->lanes);
}

/* A group's blocks of input and output channels. */
typedef struct {
    size_t in_begin, in_end, out_begin, out_end;
} blocks;

static blocks blocks_of(const layout *l, size_t group) {
    size_t i = group / l->groups_out * l->group_in, o = group % l->groups_out * l->group_out;
    blocks b = {i, at_most(i + l->group_in, l->in_blocks), o,
                at_most(o + l->group_out, l->out_blocks)};
    return b;
}

/* Memory that the next product will need, to be asked for a few lines a call. */
typedef struct {
    const float *at[3];
    size_t floats[3];
    int part;
} wanted;

static const float *take(wanted *w, size_t floats) {
    while (w->part < 2 && w->floats[w->part] == 0) w->part++;
    const float *at = w->at[w->part];
    if (w->floats[w->part] == 0) return at;
    size_t taken = at_most(floats, w->floats[w->part]);
    w->at[w->part] += taken, w->floats[w->part] -= taken;
    return at;
}

/* The sums of one position in a slot: a group, or with only one chunk a thread. */
static float *sums_of(const gradient *g, size_t position, size_t slot) {
    return g->sums + slot * g->cut.sum_group + position * g->cut.sum_position;
}

/* All that the product of one position and one group reads. */
static wanted want(const gradient *g, size_t position, blocks b, size_t slot) {
    const layout *l = &g->cut;
    wanted w = {
        {sums_of(g, position, slot), g->v + position * l->v_position + b.in_begin * l->block,
         g->u + position * l->u_position + b.out_begin * l->block},
        {l->sum_position, (b.in_end - b.in_begin) * l->block, (b.out_end - b.out_begin) * l->block},
        0};
    return w;
}

/* The chunk's products of one position and one group. */
static void multiply_group(const gradient *g, size_t position, blocks b, float *sums,
                           wanted *next) {
    const layout *l = &g->cut;
    const float *v = g->v + position * l->v_position, *u = g->u + position * l->u_position;
    size_t ahead = g->count * (size_t)g->k->ahead_tile * LINE;
    size_t columns = b.out_end - b.out_begin, panels = ceil_div(columns, (size_t)g->k->span);
    for (size_t panel = 0; panel < panels; panel++) {
        size_t begin = columns * panel / panels, end = columns * (panel + 1) / panels;
        const float *u_panel = u + (b.out_begin + begin) * l->block;
        for (size_t i = b.in_begin; i < b.in_end; i++) {
            float *sum = sums + ((i - b.in_begin) * l->group_out + begin) * l->sum_block;
            g->k->accumulate(v + i * l->block, u_panel, l->block, (int)(end - begin), (int)g->count,
                             sum, l->sum_block, g->chunk > 0, take(next, ahead));
        }
    }
}

/* Items are (position, group) pairs: a thread's next ones share the position's tiles. */
static void multiply_items(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const gradient *g = context;
    const layout *l = &g->cut;
    for (size_t item = begin; item < end; item++) {
        size_t position = item / l->groups, group = item % l->groups;
        size_t then = item + 1 < end ? item + 1 : item, group_then = then % l->groups;
        wanted next = want(g, then / l->groups, blocks_of(l, group_then), group_then);
        multiply_group(g, position, blocks_of(l, group), sums_of(g, position, group), &next);
    }
}

/* From a group's sums to the gradient of its weights. */
static void transform_group(const gradient *g, blocks b, const float *sums) {
    const layout *l = &g->cut;
    size_t c_in = (size_t)g->shape->c_in, c_out = (size_t)g->shape->c_out;
    size_t in_end = at_most(b.in_end * l->lanes, c_in), in_begin = b.in_begin * l->lanes;
    for (size_t in = in_begin; in < in_end; in++) {
        size_t i = in / l->lanes - b.in_begin;
        for (size_t block = b.out_begin; block < b.out_end; block++) {
            size_t o = block - b.out_begin, out = block * l->lanes;
            const float *from = sums + (i * l->group_out + o) * l->sum_block;
            g->k->weights(from + in % l->lanes * l->lanes, l->sum_position,
                          (int)at_most(c_out - out, l->lanes), g->dkernel + in * c_out + out,
                          c_in * c_out, g->accumulate);
        }
    }
}

/* The last chunk: items are groups. When it is the only one, sums are each thread's own. */
static void finish_groups(void *context, size_t begin, size_t end, int thread) {
    const gradient *g = context;
    const layout *l = &g->cut;
    for (size_t group = begin; group < end; group++) {
        blocks b = blocks_of(l, group);
        size_t slot = l->chunks > 1 ? group : (size_t)thread;
        for (size_t position = 0; position < POSITIONS; position++) {
            size_t then = position + 1 < POSITIONS ? position + 1 : position;
            wanted next = want(g, then, b, slot);
            multiply_group(g, position, b, sums_of(g, position, slot), &next);
        }
        transform_group(g, b, sums_of(g, 0, slot));
    }
}

/* Without a tile the gradient is zero. */
static void add_nothing(const mr_winograd_shape *s, float *dkernel, int accumulate) {
    if (!accumulate) memset(dkernel, 0, 9 * (size_t)s->c_in * (size_t)s->c_out * sizeof *dkernel);
}

void mr_winograd_backward_weights_with(const mr_winograd_kernels *k, const mr_winograd_shape *shape,
                                       const mr_winograd_tiles *only, const float *x,
                                       const float *dy, float *dkernel, int accumulate,
                                       void *scratch, int threads) {
    if (threads < 1) threads = 1;
    if (grid_of(shape, only).count == 0) {
        add_nothing(shape, dkernel, accumulate);
        return;
    }
    gradient g = {.k = k,
                  .shape = shape,
                  .cut = cut(k, shape, only, threads),
                  .x = x,
                  .dy = dy,
                  .dkernel = dkernel,
                  .accumulate = accumulate};
    const layout *l = &g.cut;
    g.zeros = scratch;
    g.v = g.zeros + l->zero_floats;
    g.u = g.v + l->v_floats;
    g.sums = g.u + l->u_floats;
    memset(g.zeros, 0, l->zero_floats * sizeof(float));
    size_t items = POSITIONS * l->groups;
    int finishers = (int)at_most((size_t)threads, l->groups);
    for (g.chunk = 0; g.chunk < l->chunks; g.chunk++) {
        g.first = l->tiles.count * g.chunk / l->chunks;
        g.count = l->tiles.count * (g.chunk + 1) / l->chunks - g.first;
        mr_parallel_dynamic(threads, g.count, GRAIN, transform_tiles, &g);
        if (g.chunk + 1 < l->chunks)
            mr_parallel_dynamic(threads, items, ceil_div(items, (size_t)threads * PARTS_A_THREAD),
                                multiply_items, &g);
        else
            mr_parallel_dynamic(finishers, l->groups, 1, finish_groups, &g);
    }
}

/* Times in multiply-adds of our own products, fitted to measurements against oneDNN 2.6's direct
 * gradient on AVX-512 (bench_winograd; see is_fast in winograd.h). */
int mr_winograd_weights_is_fast_with(const mr_winograd_kernels *k, const mr_winograd_shape *s) {
    const double call = 5e6, tile_channel = 2000, weight = 700, direct_slowness = 1.05;
    if (k == mr_winograd_scalar()) return 0;
    double tiles = (double)grid_of(s, NULL).count, pixels = (double)s->n * s->h * s->w;
    double in = (double)round_up((size_t)s->c_in, (size_t)k->lanes);
    double out = (double)round_up((size_t)s->c_out, (size_t)k->lanes);
    double ours =
        POSITIONS * tiles * in * out + tile_channel * tiles * (in + out) + weight * in * out + call;
    return ours < direct_slowness * 9 * pixels * s->c_in * s->c_out;
}

int mr_winograd_weights_is_fast(const mr_winograd_shape *shape) {
    return mr_winograd_weights_is_fast_with(mr_winograd_best(), shape);
}

size_t mr_winograd_weights_scratch_size(const mr_winograd_shape *shape, int threads) {
    return mr_winograd_weights_scratch_size_with(mr_winograd_best(), shape, threads);
}

void mr_winograd_backward_weights(const mr_winograd_shape *shape, const float *x, const float *dy,
                                  float *dkernel, int accumulate, void *scratch, int threads) {
    mr_winograd_backward_weights_with(mr_winograd_best(), shape, NULL, x, dy, dkernel, accumulate,
                                      scratch, threads);
}

void mr_winograd_backward_weights_tiles(const mr_winograd_shape *shape,
                                        const mr_winograd_tiles *only, const float *x,
                                        const float *dy, float *dkernel, int accumulate,
                                        void *scratch, int threads) {
    mr_winograd_backward_weights_with(mr_winograd_best(), shape, only, x, dy, dkernel, accumulate,
                                      scratch, threads);
}

size_t mr_winograd_weights_tiles_scratch_size(const mr_winograd_shape *shape, int threads) {
    return mr_winograd_weights_tiles_scratch_size_with(mr_winograd_best(), shape, threads);
}
