/* winograd.c - our Winograd convolution beside oneDNN's direct one (NHWC) and, where the installed
 * oneDNN still has it, oneDNN's Winograd (in its own nChw16c, reorders not counted), on the 3x3
 * shapes of Mask R-CNN. All contenders run in turn in every round and medians are shown, because a
 * shared machine's speed changes from second to second.
 *   bench_winograd [threads [rounds]] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <oneapi/dnnl/dnnl.h>

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

/* A oneDNN convolution ready to run; primitive is NULL when oneDNN has no such one. */
typedef struct {
    dnnl_primitive_t primitive;
    dnnl_memory_t src, weights, bias, dst;
    const char *implementation;
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

static peer make_peer(dnnl_engine_t engine, dnnl_stream_t stream, const mr_winograd_shape *s,
                      dnnl_alg_kind_t algorithm, dnnl_format_tag_t tag, float *x, float *kernel,
                      float *bias) {
    peer p = {0};
    dnnl_dims_t in = {s->n, s->c_in, s->h, s->w}, out = {s->n, s->c_out, s->h, s->w};
    dnnl_dims_t taps = {s->c_out, s->c_in, 3, 3}, channels = {s->c_out};
    dnnl_dims_t stride = {1, 1}, pad = {1, 1};
    dnnl_memory_desc_t src, weights, b, dst, x_desc, kernel_desc;
    dnnl_memory_desc_init_by_tag(&src, 4, in, dnnl_f32, tag);
    dnnl_memory_desc_init_by_tag(&dst, 4, out, dnnl_f32, tag);
    dnnl_memory_desc_init_by_tag(&weights, 4, taps, dnnl_f32, dnnl_format_tag_any);
    dnnl_memory_desc_init_by_tag(&b, 1, channels, dnnl_f32, dnnl_a);
    dnnl_memory_desc_init_by_tag(&x_desc, 4, in, dnnl_f32, dnnl_nhwc);
    dnnl_memory_desc_init_by_tag(&kernel_desc, 4, taps, dnnl_f32, dnnl_hwio);
    dnnl_convolution_desc_t desc;
    check(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_inference, algorithm, &src,
                                             &weights, &b, &dst, stride, pad, pad),
          "convolution");
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t relu;
    dnnl_primitive_attr_create(&attributes);
    dnnl_post_ops_create(&relu);
    dnnl_post_ops_append_eltwise(relu, 1, dnnl_eltwise_relu, 0, 0);
    dnnl_primitive_attr_set_post_ops(attributes, relu);
    dnnl_primitive_desc_t pd;
    if (dnnl_primitive_desc_create(&pd, &desc, attributes, engine, NULL) == dnnl_success) {
        check(dnnl_primitive_create(&p.primitive, pd), "convolution");
        dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, (void *)&p.implementation);
        p.src = filled(engine, stream, &src, &x_desc, x);
        p.weights =
            filled(engine, stream, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0),
                   &kernel_desc, kernel);
        p.bias = filled(engine, stream, &b, &b, bias);
        check(dnnl_memory_create(&p.dst, &dst, engine, DNNL_MEMORY_ALLOCATE), "memory");
        dnnl_primitive_desc_destroy(pd);
    }
    dnnl_post_ops_destroy(relu);
    dnnl_primitive_attr_destroy(attributes);
    return p;
}

static void run_peer(const peer *p, dnnl_stream_t stream) {
    dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, p->src},
                              {DNNL_ARG_WEIGHTS, p->weights},
                              {DNNL_ARG_BIAS, p->bias},
                              {DNNL_ARG_DST, p->dst}};
    check(dnnl_primitive_execute(p->primitive, stream, 4, args), "convolution");
    check(dnnl_stream_wait(stream), "wait");
}

static void free_peer(peer *p) {
    if (!p->primitive) return;
    dnnl_primitive_destroy(p->primitive);
    dnnl_memory_destroy(p->src);
    dnnl_memory_destroy(p->weights);
    dnnl_memory_destroy(p->bias);
    dnnl_memory_destroy(p->dst);
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

enum { DIRECT, WINOGRAD, OURS, CONTENDERS, MOST_ROUNDS = 1000 };

static void bench(const job *j, dnnl_engine_t engine, dnnl_stream_t stream, int threads,
                  int rounds) {
    static double times[CONTENDERS][MOST_ROUNDS];
    const mr_winograd_shape *s = &j->s;
    size_t pixels = (size_t)s->n * (size_t)s->h * (size_t)s->w;
    size_t out = pixels * (size_t)s->c_out, taps = 9 * (size_t)s->c_in * (size_t)s->c_out;
    float *x = random_floats(pixels * (size_t)s->c_in, 2, "x");
    float *kernel = random_floats(taps, 0.1, "kernel");
    float *bias = random_floats((size_t)s->c_out, 0.1, "bias");
    float *y = random_floats(out, 1, "y");
    float *packed = mr_alloc_aligned(mr_winograd_packed_size(s->c_in, s->c_out) * sizeof *packed);
    size_t scratch_size = mr_winograd_scratch_size(s, threads);
    void *scratch = mr_alloc_aligned(scratch_size);
    if (!packed || !scratch) exit(1);
    mr_winograd_pack(kernel, s->c_in, s->c_out, packed, threads);
    mr_winograd_epilogue epilogue = {bias, NULL, 1};
    peer peers[2] = {
        make_peer(engine, stream, s, dnnl_convolution_direct, dnnl_nhwc, x, kernel, bias),
        make_peer(engine, stream, s, dnnl_convolution_winograd, dnnl_nChw16c, x, kernel, bias)};
    for (int round = -1; round < rounds; round++)
        for (int c = 0; c < CONTENDERS; c++) {
            double begin = now();
            if (c == OURS)
                mr_winograd_forward(s, x, packed, &epilogue, y, scratch, threads);
            else if (peers[c].primitive)
                run_peer(&peers[c], stream);
            if (round >= 0) times[c][round] = (now() - begin) * 1e3;
        }
    double ms[CONTENDERS];
    for (int c = 0; c < CONTENDERS; c++) ms[c] = median(times[c], rounds);
    double gflop = 2e-9 * (double)pixels * (double)taps;
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
    printf("%9.1f\n", (double)scratch_size / 1e6);
    fflush(stdout);
    free_peer(&peers[0]), free_peer(&peers[1]);
    free(x), free(kernel), free(bias), free(y), free(packed), free(scratch);
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : mr_cores();
    int rounds = argc > 2 ? atoi(argv[2]) : 15;
    if (threads < 1) threads = 1;
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = 15;
    mr_set_library_threads(threads);
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
    printf("%d threads, %s, median of %d rounds\n", threads, mr_winograd_isa(), rounds);
    printf("%-24s %8s %8s %8s %9s %9s %9s %9s\n", "shape, ms", "direct", "winograd", "ours",
           "GFLOP/s", "x direct", "x wino", "MB used");
    for (size_t i = 0; i < sizeof jobs / sizeof jobs[0]; i++)
        bench(&jobs[i], engine, stream, threads, rounds);
    dnnl_stream_destroy(stream);
    dnnl_engine_destroy(engine);
    return 0;
}
