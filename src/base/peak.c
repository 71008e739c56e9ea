/* peak.c - what this machine can do at best, measured: the yardstick of bench. Rounds are short and
 * the fastest one counts; each thread reads its own processor time, so that what else runs on the
 * machine hardly matters. */
#include "base/parallel.h"
#include "base/peak.h"

#include <mrcnn/mrcnn.h>
#include <stdatomic.h>
#include <time.h>

enum { ROUND_NANOSECONDS = 2000000, ROUNDS = 16 }; /* 2 to 4 ms each */

typedef struct peak_kernel {
    mr_peak_loop loop;
    double flops; /* of one step */
} peak_kernel;

static peak_kernel choose_kernel(void) {
    peak_kernel generic = {mr_peak_generic, MR_PEAK_GENERIC};
#if defined(__x86_64__)
    peak_kernel avx2 = {mr_peak_avx2, MR_PEAK_AVX2}, avx512 = {mr_peak_avx512, MR_PEAK_AVX512};
    if (__builtin_cpu_supports("avx512f")) return avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2;
#endif
    return generic;
}

/* This thread's own processor time stands still while another process has the core. */
static int64_t cpu_nanoseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

typedef struct round_job {
    mr_peak_loop loop;
    size_t steps;
    atomic_llong spent; /* nanoseconds, of all threads together */
} round_job;

static void run_part(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    round_job *job = context;
    for (size_t i = begin; i < end; i++) {
        int64_t start = cpu_nanoseconds();
        volatile float kept = job->loop(job->steps);
        (void)kept;
        atomic_fetch_add(&job->spent, cpu_nanoseconds() - start);
    }
}

/* Nanoseconds in which a thread runs the loop once while the others do the same. */
static double run_round(round_job *job, int threads) {
    atomic_store(&job->spent, 0);
    mr_parallel(threads, (size_t)threads, run_part, job);
    return (double)atomic_load(&job->spent) / threads;
}

double mrcnn_peak_gflops(int threads) {
    int cores = mr_cores();
    if (threads <= 0 || threads > cores) threads = cores; /* more threads only take turns */
    peak_kernel kernel = choose_kernel();
    round_job job = {.loop = kernel.loop, .steps = 1000};
    while (run_round(&job, threads) < ROUND_NANOSECONDS) job.steps *= 2;
    double fastest = run_round(&job, threads);
    for (int round = 1; round < ROUNDS; round++) {
        double time = run_round(&job, threads);
        if (time < fastest) fastest = time;
    }
    return kernel.flops * (double)job.steps * threads / fastest;
}
