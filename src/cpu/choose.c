/* choose.c - which algorithm a 3x3 convolution in bf16 or 8 bits gets: whichever is faster here, by a short measurement on
 * a piece of its map, remembered. Processors with matrix units may do the plain one faster than Winograd's.
 * (In f32 it is Winograd's always, so that results don't depend on measurements.) */
#include "base/clock.h"
#include "base/memory.h"
#include "cpu/cpu.h"
#include "graph/tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct way {
    const char *name;
    const char *packing; /* of its weights; NULL: the type's own */
    mr_cpu_prepare prepare;
} way;

static const way ways[] = {{"winograd", "winograd bf16", mr_cpu_conv_winograd},
                           {"direct", NULL, mr_cpu_conv_direct}};
enum { WAYS = sizeof ways / sizeof *ways };

/* What is measured: at most this many rows and columns of a picture, or RoIs. */
enum { MOST_SIDE = 64, MOST_ROIS = 16, MOST_RUNS = 5 };
static const double ENOUGH_MS = 30;

static const char *plain_packing(const mr_prepare *p) {
    return mr_type_is_8bit(mr_input_type(p, 0)) ? "8 bits" : "direct bf16";
}

/* A layer's raw weights are gone once it is packed, so what the first plan chose is what all get. */
static const way *packed_way(const mr_prepare *p) {
    for (int i = 0; i < WAYS; i++) {
        char key[3 * MR_NAME];
        const char *packing = ways[i].packing ? ways[i].packing : plain_packing(p);
        snprintf(key, sizeof key, "%s:%s:%s", packing, p->node->layer, p->node->batch_norm);
        if (mr_packs_have(p->packs, key)) return &ways[i];
    }
    return NULL;
}

static const way *named_way(const char *name) {
    for (int i = 0; name && i < WAYS; i++)
        if (strcmp(ways[i].name, name) == 0) return &ways[i];
    return NULL;
}

static int at_most(int a, int limit) {
    return a < limit ? a : limit;
}

/* A graph of one convolution, on a piece of the map. */
typedef struct piece {
    mrcnn_graph graph;
    mr_node nodes[3]; /* input, residual, convolution */
    mr_prepare prepare;
} piece;

static mrcnn_shape cut(mrcnn_shape shape) {
    shape.height = at_most(shape.height, MOST_SIDE);
    shape.width = at_most(shape.width, MOST_SIDE);
    return shape;
}

static void cut_piece(piece *c, const mr_prepare *p) {
    const mr_node *node = p->node;
    memset(c, 0, sizeof *c);
    c->nodes[0] = p->graph->nodes[node->inputs[0]];
    c->nodes[0].shape = cut(c->nodes[0].shape);
    c->nodes[2] = *node;
    c->nodes[2].inputs[0] = 0;
    c->nodes[2].shape = cut(node->shape);
    c->nodes[1] = c->nodes[2];
    if (node->residual >= 0) {
        c->nodes[1] = p->graph->nodes[node->residual];
        c->nodes[1].shape = c->nodes[2].shape;
        c->nodes[2].residual = 1;
    }
    c->graph.nodes = c->nodes;
    c->graph.count = 3;
    c->prepare = *p;
    c->prepare.graph = &c->graph;
    c->prepare.node = &c->nodes[2];
    c->prepare.release_weights = 0;
    c->prepare.max_rows[MR_ROWS_ROIS] = at_most(p->max_rows[MR_ROWS_ROIS], MOST_ROIS);
}

static void describe(const piece *c, char key[MR_TUNING_TEXT]) {
    const mr_node *n = &c->nodes[2];
    static const char *const types[] = {"f32", "bf16", "u8", "s8"};
    snprintf(key, MR_TUNING_TEXT, "%s to %s conv 3x3 %d to %d channels, %d x %d x %d, %d threads%s",
             types[c->nodes[0].type], types[n->type], c->nodes[0].shape.channels, n->shape.channels,
             c->prepare.max_rows[n->rows], n->shape.height, n->shape.width, c->prepare.threads,
             n->residual >= 0 ? ", residual" : "");
}

static double least_time(const piece *c, mr_kernel *kernel, mr_run *run) {
    double least = 1e30, total = 0;
    run->threads = c->prepare.threads;
    memcpy(run->rows, c->prepare.max_rows, sizeof run->rows);
    kernel->run(kernel, run);
    for (int i = 0; i < MOST_RUNS && total < ENOUGH_MS; i++) {
        double before = mr_milliseconds();
        kernel->run(kernel, run);
        double ms = mr_milliseconds() - before;
        total += ms;
        if (ms < least) least = ms;
    }
    return least;
}

/* What could not be measured takes longer than anything. */
static const double FOREVER = 1e30;

/* Milliseconds of a run. */
static double measure(piece *c, const way *w) {
    double ms = FOREVER;
    mr_kernel *kernel = NULL;
    int rows = c->prepare.max_rows[c->nodes[2].rows];
    size_t in = mr_shape_size(c->nodes[0].shape) * (size_t)rows * mr_type_size(c->nodes[0].type);
    size_t out = mr_shape_size(c->nodes[2].shape) * (size_t)rows * mr_type_size(c->nodes[2].type);
    c->prepare.packs = mr_packs_create();
    if (c->prepare.packs && w->prepare(&c->prepare, &kernel, NULL) == MRCNN_OK) {
        void *x = mr_alloc_aligned(in), *y = mr_alloc_aligned(out),
             *scratch = mr_alloc_aligned(kernel->scratch_bytes + 1);
        mr_run run = {.inputs = {x}, .output = y, .scratch = scratch};
        if (c->nodes[2].residual >= 0) run.residual = y;
        if (x && y && scratch) {
            memset(x, 0x3c, in); /* small numbers */
            memset(y, 0x3c, out);
            ms = least_time(c, kernel, &run);
        }
        free(x);
        free(y);
        free(scratch);
        kernel->free(kernel);
    }
    if (c->prepare.packs) mr_packs_free(&c->prepare.packs);
    return ms;
}

/* NULL: none could be measured. */
static const way *fastest(piece *c) {
    const way *best = NULL;
    double least = FOREVER;
    for (int i = 0; i < WAYS; i++) {
        double ms = measure(c, &ways[i]);
        if (ms < least) least = ms, best = &ways[i];
    }
    return best;
}

/* Weights of the layer's shapes: another session may be freeing the model's own. */
static void add_weights(void *user, const char *layer, const char *param, int rank,
                        const int64_t *shape) {
    mr_tensor *t = NULL;
    if (mr_tensors_add(user, layer, param, rank, shape, &t, NULL) != MRCNN_OK) return;
    for (size_t i = 0; i < t->count; i++) t->values[i] = i % 2 ? 0.02f : 0.01f;
}

static const way *measured_way(const mr_prepare *p, piece *c, const char *key) {
    mr_tensors *weights = mr_tensors_create();
    const way *w = NULL;
    if (weights) {
        mr_node_weights(p->graph, p->node, add_weights, weights);
        c->prepare.weights = weights;
        w = fastest(c);
        mr_tensors_free(&weights);
    }
    if (w) mr_tuning_set(p->tuning, key, w->name);
    return w;
}

mrcnn_status mr_cpu_conv_chosen(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    const way *w = packed_way(p);
    if (!w && p->tuning) {
        piece c;
        char key[MR_TUNING_TEXT];
        cut_piece(&c, p);
        describe(&c, key);
        w = named_way(mr_tuning_find(p->tuning, key));
        if (!w) w = measured_way(p, &c, key);
    }
    if (!w) w = &ways[0];
    mrcnn_status status = w->prepare(p, kernel, err);
    const way *other = status == MRCNN_OK ? NULL : packed_way(p);
    if (!other || other == w) return status;
    /* Another session packed the layer meanwhile, the other way, and its raw weights are gone. */
    return other->prepare(p, kernel, err);
}
