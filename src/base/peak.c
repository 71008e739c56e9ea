/* peak.c - what this machine can do at best, measured: the yardstick of bench. Rounds are short and
 * the fastest one counts, because whatever else runs on the machine only makes them slower. */
#include "base/parallel.h"
#include "base/peak.h"

#include <mrcnn/mrcnn.h>
#include <time.h>

#define ROUND_SECONDS 0.002
#define TOTAL_SECONDS 0.05

enum { FEWEST_ROUNDS = 8 };

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

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct round_job {
    mr_peak_loop loop;
    size_t steps;
} round_job;

static void run_part(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const round_job *job = context;
    for (size_t i = begin; i < end; i++) {
        volatile float kept = job->loop(job->steps);
        (void)kept;
    }
}

/* Seconds that every thread needs to run the loop once. */
static double run_round(round_job *job, int threads) {
    double start = now();
    mr_parallel(threads, (size_t)threads, run_part, job);
    return now() - start;
}

double mrcnn_peak_gflops(int threads) {
    if (threads <= 0) threads = mr_cores();
    peak_kernel kernel = choose_kernel();
    round_job job = {kernel.loop, 1000};
    double best = 0, end = now() + TOTAL_SECONDS;
    for (int full_rounds = 0; full_rounds < FEWEST_ROUNDS || now() < end;) {
        double seconds = run_round(&job, threads);
        double rate = seconds > 0 ? (double)job.steps / seconds : 0;
        if (rate > best) best = rate;
        if (seconds < ROUND_SECONDS)
            job.steps *= 2; /* too short to trust: starting the threads counts */
        else
            full_rounds++;
    }
    return kernel.flops * best * threads * 1e-9;
}
