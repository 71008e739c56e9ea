/* winograd.c - our Winograd convolution and its two gradients beside oneDNN's direct ones (NHWC) and,
 * where the installed oneDNN still has it, oneDNN's Winograd (in its own nChw16c, reorders not
 * counted), on the 3x3 shapes of Mask R-CNN; and the time that packing weights takes. All contenders
 * run in turn in every round and medians are shown, because a shared machine's speed changes from
 * second to second.
 *   bench_winograd [threads [rounds [forward|data|weights|pack [part of a shape's name]]]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <oneapi/dnnl/dnnl.h>

#include "median.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "base/prng.h"
#include "cpu/winograd.h"

typedef struct {
    const char *name;
    mr_winograd_shape s;
} job;

static const job jobs[] = {
    {"FPN P2   256->256 @256", {1, 256, 256, 256, 256}},
    {"RPN P2   256->512 @256", {1, 256, 256, 256, 512}},
    {"stage 2    64->64 @256", {1, 256, 256, 64, 64}},
    {"stage 3  128->128 @128", {1, 128, 128, 128, 128}},
    {"stage 4   256->256 @64", {1, 64, 64, 256, 256}},
    {"stage 5   512->512 @32", {1, 32, 32, 512, 512}},
    {"masks 256->256 100x14", {100, 14, 14, 256, 256}},
    {"masks  256->256 66x14", {66, 14, 14, 256, 256}},
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void check(dnnl_status_t status, const char *what) {
    if (status == dnnl_success) return;
    fprintf(stderr, "%s: oneDNN status %d\n", what, (int)status);
    exit(1);
}

static float *random_floats(size_t count, double scale, const char *name) {
    float *p = mr_alloc_aligned(count * sizeof *p);
    if (!p) exit(1);
    uint64_t stream = mr_prng_stream(1, name);
    for (size_t i = 0; i < count; i++) p[i] = (float)((mr_prng_uniform(stream, i) - 0.5) * scale);
    return p;
}

typedef enum { FORWARD, DATA, WEIGHTS, PASSES } pass;

/* What a convolution reads and writes, ours and oneDNN's. */
typedef struct {
    mr_winograd_shape s;
    float *x, *kernel, *bias, *y; /* y is the gradient of y in the backward passes */
} problem;

enum { MOST_ARGS = 4 };

/* A oneDNN convolution ready to run; primitive is NULL when oneDNN has no such one. */
typedef struct {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[MOST_ARGS];
} peer;

static dnnl_memory_t filled(dnnl_engine_t engine, dnnl_stream_t stream,
                            const dnnl_memory_desc_t *want, const dnnl_memory_desc_t *have,
                            float *data) {
    dnnl_memory_t to, from;
    dnnl_primitive_desc_t pd;
    dnnl_primitive_t reorder;
    check(dnnl_memory_create(&to, want, engine, DNNL_MEMORY_ALLOCATE), "memory");
    check(dnnl_memory_create(&from, have, engine, data), "memory");
    check(dnnl_reorder_primitive_desc_create(&pd, have, engine, want, engine, NULL), "reorder");
    check(dnnl_primitive_create(&reorder, pd), "reorder");
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
    check(dnnl_primitive_execute(reorder, stream, 2, args), "reorder");
    check(dnnl_stream_wait(stream), "wait");
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(pd);
    dnnl_memory_destroy(from);
    return to;
}

/* Descriptors of a convolution's tensors as oneDNN should have them. */
typedef struct {
    dnnl_memory_desc_t x, kernel, bias, y;
} tensors;

static tensors tensors_of(const mr_winograd_shape *s, dnnl_format_tag_t tag,
                          dnnl_format_tag_t kernel_tag) {
    tensors t;
    dnnl_dims_t in = {s->n, s->c_in, s->h, s->w}, out = {s->n, s->c_out, s->h, s->w};
    dnnl_dims_t taps = {s->c_out, s->c_in, 3, 3}, channels = {s->c_out};
    dnnl_memory_desc_init_by_tag(&t.x, 4, in, dnnl_f32, tag);
    dnnl_memory_desc_init_by_tag(&t.y, 4, out, dnnl_f32, tag);
    dnnl_memory_desc_init_by_tag(&t.kernel, 4, taps, dnnl_f32, kernel_tag);
    dnnl_memory_desc_init_by_tag(&t.bias, 1, channels, dnnl_f32, dnnl_a);
    return t;
}

/* The forward pass has bias and ReLU, as ours. The gradients need a forward one as a hint. */
static dnnl_primitive_desc_t describe(dnnl_engine_t engine, const tensors *t, pass which,
                                      dnnl_alg_kind_t algorithm) {
    dnnl_dims_t one = {1, 1};
    dnnl_convolution_desc_t desc;
    dnnl_primitive_desc_t forward = NULL, pd = NULL;
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t relu;
    check(dnnl_convolution_forward_desc_init(
              &desc, which == FORWARD ? dnnl_forward_inference : dnnl_forward_training, algorithm,
              &t->x, &t->kernel, which == FORWARD ? &t->bias : NULL, &t->y, one, one, one),
          "convolution");
    dnnl_primitive_attr_create(&attributes);
    dnnl_post_ops_create(&relu);
    dnnl_post_ops_append_eltwise(relu, 1, dnnl_eltwise_relu, 0, 0);
    if (which == FORWARD) dnnl_primitive_attr_set_post_ops(attributes, relu);
    dnnl_primitive_desc_create(&forward, &desc, attributes, engine, NULL);
    dnnl_post_ops_destroy(relu);
    dnnl_primitive_attr_destroy(attributes);
    if (which == FORWARD || !forward) return forward;
    if (which == DATA)
        check(dnnl_convolution_backward_data_desc_init(&desc, algorithm, &t->x, &t->kernel, &t->y,
                                                       one, one, one),
              "gradient by data");
    else
        check(dnnl_convolution_backward_weights_desc_init(&desc, algorithm, &t->x, &t->kernel, NULL,
                                                          &t->y, one, one, one),
              "gradient by weights");
    dnnl_primitive_desc_create(&pd, &desc, NULL, engine, forward);
    dnnl_primitive_desc_destroy(forward);
    return pd;
}

static peer make_peer(dnnl_engine_t engine, dnnl_stream_t stream, const problem *p, pass which,
                      dnnl_alg_kind_t algorithm, dnnl_format_tag_t tag) {
    static const int names[PASSES][3] = {{DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                                         {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
                                         {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST}};
    peer made = {0};
    tensors want = tensors_of(&p->s, tag, dnnl_format_tag_any);
    tensors have = tensors_of(&p->s, dnnl_nhwc, dnnl_hwio);
    dnnl_primitive_desc_t pd = describe(engine, &want, which, algorithm);
    if (!pd) return made;
    check(dnnl_primitive_create(&made.primitive, pd), "convolution");
    dnnl_query_t query = which == WEIGHTS ? dnnl_query_diff_weights_md : dnnl_query_weights_md;
    const dnnl_memory_desc_t *kernel = dnnl_primitive_desc_query_md(pd, query, 0);
    dnnl_exec_arg_t args[MOST_ARGS] = {
        {names[which][0], filled(engine, stream, &want.x, &have.x, p->x)},
        {names[which][1], filled(engine, stream, kernel, &have.kernel, p->kernel)},
        {names[which][2], filled(engine, stream, &want.y, &have.y, p->y)},
        {DNNL_ARG_BIAS, filled(engine, stream, &want.bias, &have.bias, p->bias)}};
    memcpy(made.args, args, sizeof args);
    dnnl_primitive_desc_destroy(pd);
    return made;
}

static void run_peer(const peer *p, pass which, dnnl_stream_t stream) {
    int count = which == FORWARD ? MOST_ARGS : MOST_ARGS - 1;
    check(dnnl_primitive_execute(p->primitive, stream, count, p->args), "convolution");
    check(dnnl_stream_wait(stream), "wait");
}

static void free_peer(peer *p) {
    if (!p->primitive) return;
    dnnl_primitive_destroy(p->primitive);
    for (int i = 0; i < MOST_ARGS; i++) dnnl_memory_destroy(p->args[i].memory);
}

/* Ours: what the pass needs beside the problem. */
typedef struct {
    const problem *p;
    pass which;
    int threads;
    mr_winograd_shape back; /* of the convolution that is the gradient by data */
    float *packed;
    void *scratch;
    size_t scratch_size;
} own;

static own make_own(const problem *p, pass which, int threads) {
    const mr_winograd_shape *s = &p->s;
    own o = {.p = p, .which = which, .threads = threads};
    o.back = *s;
    o.back.c_in = s->c_out, o.back.c_out = s->c_in;
    o.scratch_size = which == WEIGHTS ? mr_winograd_weights_scratch_size(s, threads)
                     : which == DATA  ? mr_winograd_scratch_size(&o.back, threads)
                                      : mr_winograd_scratch_size(s, threads);
    size_t there = mr_winograd_packed_size(s->c_in, s->c_out);
    size_t back = mr_winograd_packed_size(s->c_out, s->c_in);
    o.packed = mr_alloc_aligned((there > back ? there : back) * sizeof(float));
    o.scratch = mr_alloc_aligned(o.scratch_size);
    if (!o.packed || !o.scratch) exit(1);
    if (which == FORWARD) mr_winograd_pack(p->kernel, s->c_in, s->c_out, o.packed, threads);
    if (which == DATA)
        mr_winograd_pack_backward_data(p->kernel, s->c_in, s->c_out, o.packed, threads);
    return o;
}

static void run_own(const own *o) {
    const problem *p = o->p;
    mr_winograd_epilogue relu = {p->bias, NULL, 1, NULL}, none = {NULL, NULL, 0, NULL};
    if (o->which == FORWARD)
        mr_winograd_forward(&p->s, p->x, o->packed, &relu, p->y, o->scratch, o->threads);
    else if (o->which == DATA)
        mr_winograd_forward(&o->back, p->y, o->packed, &none, p->x, o->scratch, o->threads);
    else
        mr_winograd_backward_weights(&p->s, p->x, p->y, p->kernel, 0, o->scratch, o->threads);
}

static problem make_problem(const mr_winograd_shape *s) {
    size_t pixels = (size_t)s->n * (size_t)s->h * (size_t)s->w;
    problem p = {*s, random_floats(pixels * (size_t)s->c_in, 2, "x"),
                 random_floats(9 * (size_t)s->c_in * (size_t)s->c_out, 0.1, "kernel"),
                 random_floats((size_t)s->c_out, 0.1, "bias"),
                 random_floats(pixels * (size_t)s->c_out, 1, "y")};
    return p;
}

static void free_problem(problem *p) {
    free(p->x), free(p->kernel), free(p->bias), free(p->y);
}

enum { DIRECT, WINOGRAD, OURS, CONTENDERS, MOST_ROUNDS = 1000 };

static void bench(const job *j, pass which, dnnl_engine_t engine, dnnl_stream_t stream, int threads,
                  int rounds) {
    static double times[CONTENDERS][MOST_ROUNDS];
    const mr_winograd_shape *s = &j->s;
    problem p = make_problem(s);
    peer peers[2] = {make_peer(engine, stream, &p, which, dnnl_convolution_direct, dnnl_nhwc),
                     make_peer(engine, stream, &p, which, dnnl_convolution_winograd, dnnl_nChw16c)};
    own ours = make_own(&p, which, threads);
    for (int round = -1; round < rounds; round++)
        for (int c = 0; c < CONTENDERS; c++) {
            double begin = now();
            if (c == OURS)
                run_own(&ours);
            else if (peers[c].primitive)
                run_peer(&peers[c], which, stream);
            if (round >= 0) times[c][round] = (now() - begin) * 1e3;
        }
    double ms[CONTENDERS];
    for (int c = 0; c < CONTENDERS; c++) ms[c] = median(times[c], rounds);
    double gflop = 18e-9 * s->n * s->h * s->w * s->c_in * s->c_out;
    printf("%-24s %8.2f ", j->name, ms[DIRECT]);
    if (peers[WINOGRAD].primitive)
        printf("%8.2f ", ms[WINOGRAD]);
    else
        printf("%8s ", "-");
    printf("%8.2f %9.0f %9.2f ", ms[OURS], gflop / ms[OURS] * 1e3, ms[DIRECT] / ms[OURS]);
    if (peers[WINOGRAD].primitive)
        printf("%9.2f ", ms[WINOGRAD] / ms[OURS]);
    else
        printf("%9s ", "-");
    printf("%9.1f\n", (double)ours.scratch_size / 1e6);
    fflush(stdout);
    free_peer(&peers[0]), free_peer(&peers[1]);
    free(ours.packed), free(ours.scratch);
    free_problem(&p);
}

static void bench_pass(pass which, dnnl_engine_t engine, dnnl_stream_t stream, int threads,
                       int rounds, const char *part) {
    static const char *const titles[PASSES] = {"forward, ms", "gradient by data, ms",
                                               "gradient by weights, ms"};
    printf("%-24s %8s %8s %8s %9s %9s %9s %9s\n", titles[which], "direct", "winograd", "ours",
           "GFLOP/s", "x direct", "x wino", "MB used");
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++)
        if (strstr(jobs[i].name, part)) bench(&jobs[i], which, engine, stream, threads, rounds);
}

/* Training packs the kernels of each layer twice a step. */
static void bench_pack(int threads, int rounds) {
    static const int channels[][2] = {{64, 64}, {128, 128}, {256, 256}, {256, 512}, {512, 512}};
    static double times[2][MOST_ROUNDS];
    printf("%-24s %8s %8s\n", "packing, ms", "forward", "data");
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        int in = channels[i][0], out = channels[i][1];
        float *kernel = random_floats(9 * (size_t)in * (size_t)out, 0.1, "kernel");
        size_t there = mr_winograd_packed_size(in, out), back = mr_winograd_packed_size(out, in);
        float *packed = mr_alloc_aligned((there > back ? there : back) * sizeof *packed);
        if (!packed) exit(1);
        for (int round = -1; round < rounds; round++)
            for (int c = 0; c < 2; c++) {
                double begin = now();
                if (c == 0)
                    mr_winograd_pack(kernel, in, out, packed, threads);
                else
                    mr_winograd_pack_backward_data(kernel, in, out, packed, threads);
                if (round >= 0) times[c][round] = (now() - begin) * 1e3;
            }
        printf("%4d -> %-16d %8.2f %8.2f\n", in, out, median(times[0], rounds),
               median(times[1], rounds));
        free(kernel), free(packed);
    }
}

int main(int argc, char **argv) {
    static const char *const names[PASSES] = {"forward", "data", "weights"};
    int threads = argc > 1 ? atoi(argv[1]) : mr_cores();
    int rounds = argc > 2 ? atoi(argv[2]) : 15;
    const char *only = argc > 3 ? argv[3] : NULL;
    if (threads < 1) threads = 1;
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = 15;
    mr_set_library_threads(threads);
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
    printf("%d threads, %s, median of %d rounds\n", threads, mr_winograd_isa(), rounds);
    for (int which = 0; which < PASSES; which++)
        if (!only || strcmp(only, names[which]) == 0)
            bench_pass((pass)which, engine, stream, threads, rounds, argc > 4 ? argv[4] : "");
    if (!only || strcmp(only, "pack") == 0) bench_pack(threads, rounds);
    dnnl_stream_destroy(stream);
    dnnl_engine_destroy(engine);
    return 0;
}
