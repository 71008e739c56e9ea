/* gemm_bf16.c - our matrix product in bf16 beside oneDNN's in f32, on the shapes of Mask R-CNN's 1x1
 * convolutions and dense layers, forward and both gradients. Both run in turn in every round and
 * medians are shown, because a shared machine's speed changes from second to second.
 *   bench_gemm_bf16 [threads [rounds [job]]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "median.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/prng.h"
#include "cpu/gemm_bf16.h"

enum { MOST_ROUNDS = 1000, FEW = 65537 };

typedef struct job {
    size_t m, n, k;
    int a_transposed, b_transposed;
} job;

static const job jobs[] = {
    {65536, 64, 256, 0, 0},    {65536, 256, 64, 0, 0},  {16384, 512, 128, 0, 0},
    {16384, 128, 512, 0, 0},   {4096, 1024, 256, 0, 0}, {4096, 256, 1024, 0, 0},
    {1024, 2048, 512, 0, 0},   {1024, 512, 2048, 0, 0}, {1000, 1024, 12544, 0, 0},
    {1000, 12544, 1024, 0, 0}, {4096, 1024, 256, 0, 1}, {1024, 512, 2048, 0, 1},
    {1000, 12544, 1024, 0, 1}, {256, 64, 65536, 1, 0},  {64, 256, 65536, 1, 0},
    {512, 128, 16384, 1, 0},   {256, 1024, 4096, 1, 0}, {2048, 512, 1024, 1, 0},
    {12544, 1024, 200, 1, 0},
};

/* The same few over and over. */
static float *random_floats(size_t count, const char *name) {
    float *p = mr_alloc_aligned(count * sizeof *p);
    if (!p) exit(1);
    uint64_t stream = mr_prng_stream(1, name);
    for (size_t i = 0; i < count; i++)
        p[i] = i < FEW ? (float)(mr_prng_uniform(stream, i) - 0.5) : p[i - FEW];
    return p;
}

static mr_matrix matrix(const float *data, size_t rows, size_t columns, int transposed) {
    return (mr_matrix){data, transposed ? rows : columns, transposed};
}

static void bench(const job *j, void *scratch, int threads, int rounds) {
    static double ours[MOST_ROUNDS], theirs[MOST_ROUNDS];
    float *x = random_floats(j->m * j->k, "a"), *y = random_floats(j->k * j->n, "b");
    float *c = random_floats(j->m * j->n, "c");
    mr_matrix a = matrix(x, j->m, j->k, j->a_transposed),
              b = matrix(y, j->k, j->n, j->b_transposed);
    for (int round = -1; round < rounds; round++) {
        double begin = mr_milliseconds();
        mr_gemm_bf16(j->m, j->n, j->k, a, b, 0, c, j->n, scratch, threads);
        double between = mr_milliseconds();
        mr_dnnl_matmul(j->m, j->n, j->k, a, b, 0, c, j->n);
        if (round < 0) continue; /* caches and pages */
        ours[round] = between - begin, theirs[round] = mr_milliseconds() - between;
    }
    double flop = 2e-6 * (double)j->m * (double)j->n * (double)j->k;
    double bf16 = median(ours, rounds), f32 = median(theirs, rounds);
    printf("%c%c %6zu %6zu %6zu %9.2f ms %7.0f %9.2f ms %7.0f %6.2f\n", j->a_transposed ? 'T' : 'N',
           j->b_transposed ? 'T' : 'N', j->m, j->n, j->k, bf16, flop / bf16, f32, flop / f32,
           f32 / bf16);
    free(x), free(y), free(c);
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : mr_cores();
    int rounds = argc > 2 ? atoi(argv[2]) : 15;
    int only = argc > 3 ? atoi(argv[3]) : -1;
    if (threads < 1) threads = 1;
    if (rounds < 1 || rounds > MOST_ROUNDS) rounds = 15;
    mr_set_library_threads(threads);
    void *scratch = mr_alloc_aligned(mr_gemm_bf16_scratch_size(threads));
    if (!scratch) return 1;
    printf("%d threads, median of %d rounds\n", threads, rounds);
    printf("        m      n      k         bf16  GFLOP/s         f32  GFLOP/s  ratio\n");
    for (int i = 0; i < (int)(sizeof jobs / sizeof *jobs); i++)
        if (only < 0 || i == only) bench(&jobs[i], scratch, threads, rounds);
    free(scratch);
    return 0;
}
