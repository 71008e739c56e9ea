/* parallel.c - see parallel.h. */
#include "base/parallel.h"

#include <omp.h>

void mr_parallel(int threads, size_t count, mr_parallel_body body, void *context) {
    if (count == 0) return;
    if (threads > 0 && (size_t)threads > count) threads = (int)count;
    if (threads <= 1) {
        body(context, 0, count, 0);
        return;
    }
#pragma omp parallel num_threads(threads)
    {
        /* OpenMP may give fewer threads than asked for: each one takes every n-th part, so no part
         * is lost. */
        int team = omp_get_num_threads();
        for (int part = omp_get_thread_num(); part < threads; part += team) {
            size_t begin = count * (size_t)part / (size_t)threads;
            size_t end = count * ((size_t)part + 1) / (size_t)threads;
            if (begin < end) body(context, begin, end, part);
        }
    }
}

void mr_parallel_dynamic(int threads, size_t count, size_t grain, mr_parallel_body body,
                         void *context) {
    if (count == 0) return;
    if (grain == 0) grain = 1;
    size_t parts = (count + grain - 1) / grain;
    if (threads <= 1 || parts == 1) {
        body(context, 0, count, 0);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (size_t part = 0; part < parts; part++) {
        size_t begin = part * grain;
        size_t end = begin + grain < count ? begin + grain : count;
        body(context, begin, end, omp_get_thread_num());
    }
}

int mr_cores(void) {
    return omp_get_num_procs();
}

int mr_set_library_threads(int threads) {
    int old = omp_get_max_threads();
    omp_set_num_threads(threads > 0 ? threads : 1);
    return old;
}
