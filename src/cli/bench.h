/* bench.h - what the parts of mrcnn bench share: sessions that detect side by side, and the figures that come of it. */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "model.h"

enum { BENCH_MAX_BATCH = 64, BENCH_MAX_SESSIONS = 64 };

typedef struct bench_plan {
    int64_t size, runs, batch, sessions;
    int64_t threads; /* of all sessions together; 0: one per core */
} bench_plan;

typedef struct bench_stage {
    const char *name;
    double ms, gflop; /* of a pass */
} bench_stage;

/* A pass is one call of mrcnn_detect, with a batch of pictures. Times are in milliseconds. */
typedef struct bench_figures {
    size_t instances; /* in a picture */
    size_t stage_count;
    bench_stage *stages;                 /* medians over all passes of all sessions */
    double latency, fastest, slowest;    /* of a pass: the median, and both ends */
    double pictures_per_second;          /* of all sessions together */
    size_t session_bytes, process_bytes; /* the first session with its model; the most in use */
    double peak_gflops;
    const char *precision;
} bench_figures;

/* How many threads each session gets; 0: one per core. */
int64_t bench_threads_of_each(const bench_plan *plan);

/* Lets them all detect at once, each in a thread of its own, after a pass that isn't timed. EXIT_DONE, or
 * the exit code after a message. */
int bench_measure(bench_figures *figures, const bench_plan *plan, const mrcnn_config *config,
                  mrcnn_session *const *sessions);
void bench_figures_free(bench_figures *figures);

/* The table on stdout, and JSON into `json` (NULL: nowhere; "-": on stdout, in the table's place).
 * EXIT_DONE, or the exit code after a message. */
int bench_report(const char *json, const bench_figures *figures, const bench_plan *plan,
                 const mrcnn_config *config);

#endif
