/* backward.c - the products of a training step of ResNet-50 at 1024 x 1024, batch 1, node by node: our
 * forward with weights as they are now (packing included), the input's gradient, the kernel's, and
 * beside them what oneDNN's own primitives take (weights already in their layout). All run in turn in
 * every round; medians. The last line is the sum over the network, each row as often as it occurs.
 *   bench_backward [threads [rounds [part of a name]]] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <oneapi/dnnl/dnnl.h>

#include "median.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/prng.h"
#include "graph/executor.h"

typedef struct job {
    const char *name;
    int times; /* in the network */
    mr_op op;
    int size, channels, filters, kernel, stride;
    int rois;   /* 0: one picture */
    int pixels; /* 0: dense gradient */
    int image;  /* the input has no gradient */
} job;

static const job jobs[] = {
    {"stem 7x7/2 3->64 @1024", 1, MR_OP_CONV, 1024, 3, 64, 7, 2, 0, 0, 1},
    {"1x1 64->64 @256", 1, MR_OP_CONV, 256, 64, 64, 1, 1, 0, 0, 0},
    {"1x1 256->64 @256", 2, MR_OP_CONV, 256, 256, 64, 1, 1, 0, 0, 0},
    {"1x1 64->256 @256", 4, MR_OP_CONV, 256, 64, 256, 1, 1, 0, 0, 0},
    {"3x3 64->64 @256", 3, MR_OP_CONV, 256, 64, 64, 3, 1, 0, 0, 0},
    {"1x1/2 256->128 @256", 1, MR_OP_CONV, 256, 256, 128, 1, 2, 0, 0, 0},
    {"1x1/2 256->512 @256", 1, MR_OP_CONV, 256, 256, 512, 1, 2, 0, 0, 0},
    {"1x1 512->128 @128", 3, MR_OP_CONV, 128, 512, 128, 1, 1, 0, 0, 0},
    {"1x1 128->512 @128", 4, MR_OP_CONV, 128, 128, 512, 1, 1, 0, 0, 0},
    {"3x3 128->128 @128", 4, MR_OP_CONV, 128, 128, 128, 3, 1, 0, 0, 0},
    {"1x1/2 512->256 @128", 1, MR_OP_CONV, 128, 512, 256, 1, 2, 0, 0, 0},
    {"1x1/2 512->1024 @128", 1, MR_OP_CONV, 128, 512, 1024, 1, 2, 0, 0, 0},
    {"1x1 1024->256 @64", 5, MR_OP_CONV, 64, 1024, 256, 1, 1, 0, 0, 0},
    {"1x1 256->1024 @64", 6, MR_OP_CONV, 64, 256, 1024, 1, 1, 0, 0, 0},
    {"3x3 256->256 @64", 6, MR_OP_CONV, 64, 256, 256, 3, 1, 0, 0, 0},
    {"1x1/2 1024->512 @64", 1, MR_OP_CONV, 64, 1024, 512, 1, 2, 0, 0, 0},
    {"1x1/2 1024->2048 @64", 1, MR_OP_CONV, 64, 1024, 2048, 1, 2, 0, 0, 0},
    {"1x1 2048->512 @32", 2, MR_OP_CONV, 32, 2048, 512, 1, 1, 0, 0, 0},
    {"1x1 512->2048 @32", 3, MR_OP_CONV, 32, 512, 2048, 1, 1, 0, 0, 0},
    {"3x3 512->512 @32", 3, MR_OP_CONV, 32, 512, 512, 3, 1, 0, 0, 0},
    {"lateral 2048->256 @32", 1, MR_OP_CONV, 32, 2048, 256, 1, 1, 0, 0, 0},
    {"lateral 1024->256 @64", 1, MR_OP_CONV, 64, 1024, 256, 1, 1, 0, 0, 0},
    {"lateral 512->256 @128", 1, MR_OP_CONV, 128, 512, 256, 1, 1, 0, 0, 0},
    {"lateral 256->256 @256", 1, MR_OP_CONV, 256, 256, 256, 1, 1, 0, 0, 0},
    {"FPN 3x3 256->256 @256", 1, MR_OP_CONV, 256, 256, 256, 3, 1, 0, 0, 0},
    {"FPN 3x3 256->256 @128", 1, MR_OP_CONV, 128, 256, 256, 3, 1, 0, 0, 0},
    {"FPN 3x3 256->256 @64", 1, MR_OP_CONV, 64, 256, 256, 3, 1, 0, 0, 0},
    {"FPN 3x3 256->256 @32", 1, MR_OP_CONV, 32, 256, 256, 3, 1, 0, 0, 0},
    {"RPN 3x3 256->512 @256", 1, MR_OP_CONV, 256, 256, 512, 3, 1, 0, 150, 0},
    {"RPN 3x3 256->512 @128", 1, MR_OP_CONV, 128, 256, 512, 3, 1, 0, 60, 0},
    {"RPN 3x3 256->512 @64", 1, MR_OP_CONV, 64, 256, 512, 3, 1, 0, 30, 0},
    {"RPN 3x3 256->512 @32", 1, MR_OP_CONV, 32, 256, 512, 3, 1, 0, 15, 0},
    {"RPN 3x3 256->512 @16", 1, MR_OP_CONV, 16, 256, 512, 3, 1, 0, 5, 0},
    {"box 7x7 256->1024 x200", 1, MR_OP_CONV, 7, 256, 1024, 7, 1, 200, 0, 0},
    {"box 1x1 1024->1024 x200", 1, MR_OP_CONV, 1, 1024, 1024, 1, 1, 200, 0, 0},
    {"box dense 1024->324 x200", 1, MR_OP_DENSE, 1, 1024, 324, 1, 1, 200, 0, 0},
    {"masks 3x3 256->256 x66", 4, MR_OP_CONV, 14, 256, 256, 3, 1, 66, 0, 0},
    {"masks deconv 256 x66", 1, MR_OP_DECONV, 14, 256, 256, 2, 2, 66, 0, 0},
    {"masks 1x1 256->81 x66", 1, MR_OP_CONV, 28, 256, 81, 1, 1, 66, 0, 0},
};

enum { FORWARD, DATA, WEIGHTS, PASSES, MOST_ROUNDS = 200 };

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static float *floats(size_t count) {
    float *p = mr_alloc_aligned((count + 16) * sizeof *p);
    if (!p) fail("no memory");
    uint64_t stream = mr_prng_stream(1, "bench");
    for (size_t i = 0; i < count; i++) p[i] = (float)(mr_prng_uniform(stream, i) - 0.5);
    return p;
}

/* -------------------------------------------------------------------------------------- ours */

/* One node prepared with all of its gradients, with its input's alone, and with its kernel's. */
typedef struct node_bench {
    mrcnn_graph *graph[PASSES];
    const mr_node *node;
    mr_tensors *weights, *gradients, *none;
    mr_packs *packs;
    mr_kernel *kernel[PASSES];
    mrcnn_shape in;
    size_t in_count, out_count;
    float *x, *y, *dy, *dx, *peer_x, *peer_y;
    void *scratch;
    int32_t *index;
    mr_pixels pixels;
    int rows;
    mr_rows kind;
} node_bench;

typedef struct tensor_sets {
    mr_tensors *weights, *gradients;
} tensor_sets;

static void add_tensor(void *user, const char *layer, const char *param, int rank,
                       const int64_t *shape) {
    tensor_sets *sets = user;
    mr_tensor *t;
    if (mr_tensors_find(sets->weights, layer, param)) return;
    if (mr_tensors_add(sets->weights, layer, param, rank, shape, &t, NULL) != MRCNN_OK ||
        mr_tensors_add(sets->gradients, layer, param, rank, shape, &t, NULL) != MRCNN_OK)
        fail("no memory");
    memset(t->values, 0, t->count * sizeof *t->values);
    t = mr_tensors_find(sets->weights, layer, param);
    mr_tensor_initialise(t, 1);
}

static mrcnn_graph *build(const job *j, mr_rows kind, int pass) {
    mrcnn_graph *g = mr_graph_create();
    mrcnn_shape in = {j->size, j->size, j->channels};
    mrcnn_value y, x = mr_graph_input(g, "x", kind, in);
    mrcnn_padding padding = j->rois && j->kernel == j->size ? MRCNN_VALID : MRCNN_SAME;
    if (j->op == MR_OP_CONV)
        y = mrcnn_conv2d(g, x, "layer", j->filters, j->kernel, j->stride, padding);
    else
        y = j->op == MR_OP_DENSE ? mr_dense(g, x, "layer", j->filters)
                                 : mr_deconv2x2(g, x, "layer", j->filters);
    if (j->op == MR_OP_CONV && !j->pixels) y = mrcnn_batch_norm(g, y, "bn");
    y = mrcnn_relu(g, y);
    mr_graph_output(g, y, "y");
    if (pass == DATA) mr_graph_want_gradient(g, x);
    if (j->pixels) mr_graph_sparse_gradient(g, y, 0, j->pixels);
    return g;
}

static void prepare(node_bench *b, const job *j, int threads) {
    memset(b, 0, sizeof *b);
    b->kind = j->rois ? MR_ROWS_ROIS : MR_ROWS_IMAGES;
    b->rows = j->rois ? j->rois : 1;
    b->weights = mr_tensors_create();
    b->gradients = mr_tensors_create();
    b->none = mr_tensors_create();
    b->packs = mr_packs_create();
    size_t scratch = 0;
    for (int pass = DATA; pass < PASSES; pass++) {
        mrcnn_graph *g = b->graph[pass] = build(j, b->kind, pass);
        tensor_sets sets = {b->weights, b->gradients};
        for (int i = 0; i < g->count; i++) mr_node_weights(g, &g->nodes[i], add_tensor, &sets);
        mr_tensors *gradients = pass == DATA ? b->none : b->gradients;
        mr_graph_optimize(g);
        mr_graph_mark_gradients(g, gradients);
        b->node = &g->nodes[g->count - 1];
        mr_prepare p = {.graph = g,
                        .node = b->node,
                        .threads = threads,
                        .weights = b->weights,
                        .packs = b->packs,
                        .gradients = gradients};
        p.max_rows[b->kind] = b->rows;
        mrcnn_error err = MRCNN_ERROR_INIT;
        if (pass == DATA && j->image) continue;
        if (mr_executor_cpu.prepare(&p, &b->kernel[pass], &err) != MRCNN_OK) fail(err.message);
        if (b->kernel[pass]->scratch_bytes > scratch) scratch = b->kernel[pass]->scratch_bytes;
    }
    b->in = b->graph[WEIGHTS]->nodes[0].shape;
    b->in_count = (size_t)b->rows * mr_shape_size(b->in);
    b->out_count = (size_t)b->rows * mr_shape_size(b->node->shape);
    b->x = floats(b->in_count), b->dx = floats(b->in_count), b->peer_x = floats(b->in_count);
    b->y = floats(b->out_count), b->dy = floats(b->out_count), b->peer_y = floats(b->out_count);
    b->scratch = mr_alloc_aligned(scratch + 64);
    b->index = calloc((size_t)j->pixels + 1, sizeof *b->index);
    if (!b->scratch || !b->index) fail("no memory");
    int map = b->node->shape.height * b->node->shape.width;
    for (int i = 0; i < j->pixels; i++) b->index[i] = i * (map / j->pixels);
    b->pixels.count = j->pixels;
    b->pixels.index = b->index;
}

static void run_ours(const node_bench *b, int pass, int threads) {
    if (pass == FORWARD) {
        mr_run run = {.inputs = {b->x}, .output = b->y, .scratch = b->scratch, .threads = threads};
        run.rows[b->kind] = b->rows;
        b->kernel[WEIGHTS]->run(b->kernel[WEIGHTS], &run);
        return;
    }
    if (!b->kernel[pass]) return;
    mr_backward back = {.inputs = {b->x},
                        .output = b->y,
                        .output_gradient = b->dy,
                        .input_gradients = {pass == DATA ? b->dx : NULL},
                        .pixels = b->pixels.count ? &b->pixels : NULL,
                        .scratch = b->scratch,
                        .threads = threads};
    back.rows[b->kind] = b->rows;
    b->kernel[pass]->backward(b->kernel[pass], &back);
}

static void release(node_bench *b) {
    for (int pass = DATA; pass < PASSES; pass++) {
        if (b->kernel[pass]) b->kernel[pass]->free(b->kernel[pass]);
        mr_graph_free(&b->graph[pass]);
    }
    mr_tensors_free(&b->weights);
    mr_tensors_free(&b->gradients);
    mr_tensors_free(&b->none);
    mr_packs_free(&b->packs);
    free(b->x), free(b->y), free(b->dx), free(b->dy), free(b->scratch), free(b->index);
    free(b->peer_x), free(b->peer_y);
}

/* ------------------------------------------------------------------------------------ oneDNN's */

typedef struct peer {
    dnnl_primitive_t primitive; /* NULL: none */
    dnnl_exec_arg_t args[4];
    int count;
} peer;

#if DNNL_VERSION_MAJOR < 3
static peer make_peer(const node_bench *b, int pass, dnnl_engine_t engine) {
    static const int names[PASSES][3] = {{DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                                         {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
                                         {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}};
    peer made = {NULL, {{0, NULL}}, 3};
    const mr_node *n = b->node;
    if (n->op != MR_OP_CONV) return made;
    mrcnn_shape in = b->in, out = n->shape;
    dnnl_dims_t x = {b->rows, in.channels, in.height, in.width};
    dnnl_dims_t y = {b->rows, out.channels, out.height, out.width};
    dnnl_dims_t w = {out.channels, in.channels, n->kernel_h, n->kernel_w};
    dnnl_dims_t stride = {n->stride, n->stride}, before = {n->pad_top, n->pad_left};
    dnnl_dims_t after = {n->pad_bottom, n->pad_right};
    dnnl_memory_desc_t md[3];
    dnnl_memory_desc_init_by_tag(&md[0], 4, x, dnnl_f32, dnnl_nhwc);
    dnnl_memory_desc_init_by_tag(&md[1], 4, w, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&md[2], 4, y, dnnl_f32, dnnl_nhwc);
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t forward = NULL, pd = NULL;
    dnnl_convolution_forward_desc_init(&desc, dnnl_forward_training, dnnl_convolution_direct,
                                       &md[0], &md[1], NULL, &md[2], stride, before, after);
    if (dnnl_primitive_desc_create(&forward, &desc, NULL, engine, NULL) != dnnl_success)
        return made;
    if (pass == DATA)
        dnnl_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, &md[0], &md[1],
                                                 &md[2], stride, before, after);
    if (pass == WEIGHTS)
        dnnl_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct, &md[0], &md[1],
                                                    NULL, &md[2], stride, before, after);
    dnnl_primitive_desc_create(&pd, &desc, NULL, engine, pass == FORWARD ? NULL : forward);
    dnnl_primitive_desc_destroy(forward);
    if (!pd) return made;
    dnnl_primitive_create(&made.primitive, pd);
    dnnl_query_t query = pass == WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    md[1] = *dnnl_primitive_desc_query_md(pd, query, 0);
    dnnl_primitive_desc_destroy(pd);
    void *data[3] = {b->peer_x, DNNL_MEMORY_ALLOCATE, b->peer_y};
    for (int i = 0; i < 3; i++) {
        made.args[i].arg = names[pass][i];
        dnnl_memory_create(&made.args[i].memory, &md[i], engine, data[i]);
    }
    return made;
}
#else
static peer make_peer(const node_bench *b, int pass, dnnl_engine_t engine) {
    (void)b, (void)pass, (void)engine;
    peer none = {NULL, {{0, NULL}}, 0};
    return none;
}
#endif

static void run_peer(const peer *p, dnnl_stream_t stream) {
    if (!p->primitive) return;
    dnnl_primitive_execute(p->primitive, stream, p->count, p->args);
    dnnl_stream_wait(stream);
}

static void free_peer(peer *p) {
    if (!p->primitive) return;
    dnnl_primitive_destroy(p->primitive);
    for (int i = 0; i < p->count; i++) dnnl_memory_destroy(p->args[i].memory);
}

/* --------------------------------------------------------------------------------- the rounds */

typedef struct totals {
    double ours[PASSES], theirs[PASSES];
} totals;

static void bench(const job *j, dnnl_engine_t engine, dnnl_stream_t stream, int threads, int rounds,
                  totals *sum) {
    static double times[2][PASSES][MOST_ROUNDS];
    node_bench b;
    prepare(&b, j, threads);
    peer peers[PASSES];
    for (int pass = 0; pass < PASSES; pass++) peers[pass] = make_peer(&b, pass, engine);
    for (int round = -1; round < rounds; round++)
        for (int pass = 0; pass < PASSES; pass++)
            for (int who = 0; who < 2; who++) {
                double begin = mr_milliseconds();
                if (who == 0)
                    run_ours(&b, pass, threads);
                else if (pass != DATA || !j->image)
                    run_peer(&peers[pass], stream);
                if (round >= 0) times[who][pass][round] = mr_milliseconds() - begin;
            }
    double gflop = 2e-9 * (double)b.out_count * j->kernel * j->kernel * j->channels;
    if (j->op == MR_OP_DECONV) gflop /= 4;
    printf("%-26s x%d %7.2f", j->name, j->times, gflop);
    for (int pass = 0; pass < PASSES; pass++) {
        double ours = median(times[0][pass], rounds), theirs = median(times[1][pass], rounds);
        sum->ours[pass] += j->times * ours;
        sum->theirs[pass] += j->times * theirs;
        printf(" | %8.2f %8.2f %6.0f", ours, theirs, gflop / ours * 1e3);
    }
    double scratch = (double)b.kernel[WEIGHTS]->scratch_bytes;
    if (b.kernel[DATA] && (double)b.kernel[DATA]->scratch_bytes > scratch)
        scratch = (double)b.kernel[DATA]->scratch_bytes;
    printf(" | %6.1f\n", scratch / 1e6);
    fflush(stdout);
    for (int pass = 0; pass < PASSES; pass++) free_peer(&peers[pass]);
    release(&b);
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : mr_cores();
    int rounds = argc > 2 ? atoi(argv[2]) : 9;
    const char *only = argc > 3 ? argv[3] : "";
    if (threads < 1) threads = 1;
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = 9;
    mr_set_library_threads(threads);
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success)
        fail("oneDNN does not start");
    printf(
        "%d threads, median of %d rounds; ms of ours, of oneDNN's, GFLOP/s of ours (of the plain "
        "algorithm)\n%-29s %7s | %-24s | %-24s | %-24s | %s\n",
        threads, rounds, "", "GFLOP", "forward", "input's gradient", "kernel's gradient",
        "MB scratch");
    totals sum = {{0}, {0}};
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++)
        if (strstr(jobs[i].name, only)) bench(&jobs[i], engine, stream, threads, rounds, &sum);
    printf("%-37s", "all, ms");
    for (int pass = 0; pass < PASSES; pass++)
        printf(" | %8.0f %8.0f %6s", sum.ours[pass], sum.theirs[pass], "");
    printf("\n");
    dnnl_stream_destroy(stream);
    dnnl_engine_destroy(engine);
    return 0;
}
