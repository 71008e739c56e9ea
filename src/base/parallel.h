/* parallel.h - one parallel loop for all hand-written kernels. The only place that knows OpenMP,
 * which is also what oneDNN's threads come from: the two never compete. */
#ifndef MR_BASE_PARALLEL_H
#define MR_BASE_PARALLEL_H

#include <stddef.h>

/* Calls body(context, begin, end, thread) for `threads` contiguous, nearly equal parts of [0,
 * count). The parts depend on count and threads alone, so results that depend on the split are
 * still reproducible. */
typedef void (*mr_parallel_body)(void *context, size_t begin, size_t end, int thread);
void mr_parallel(int threads, size_t count, mr_parallel_body body, void *context);

/* The same with parts of `grain` elements handed out as threads become free: for items of uneven
 * cost whose results do not depend on the order. */
void mr_parallel_dynamic(int threads, size_t count, size_t grain, mr_parallel_body body,
                         void *context);

/* Cores that this process may use. */
int mr_cores(void);

/* Sets how many threads libraries under us use when called from this thread; returns the old
 * number. */
int mr_set_library_threads(int threads);

#endif
