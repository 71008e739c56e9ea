/* report_contender.h - what is timed beside others: runs of `mrcnn bench`, a fresh process each, or a peer's worker that stays
 * in memory. Contenders take turns, round after round. */
#ifndef BENCH_REPORT_CONTENDER_H
#define BENCH_REPORT_CONTENDER_H

#include "report.h"
#include "report_process.h"

enum { CONTENDER_MAX_STAGES = 24, CONTENDER_MAX_ARGUMENTS = 128, CONTENDER_TEXT = 64 };

typedef struct spread {
    double median, low, high;
} spread;

typedef struct contender_stage {
    char name[CONTENDER_TEXT];
    double gflop; /* 0: nothing is multiplied, or the peer doesn't say */
    double ms[REPORT_MAX_ROUNDS];
} contender_stage;

typedef struct contender {
    char name[CONTENDER_TEXT];
    char *arguments[CONTENDER_MAX_ARGUMENTS + 1]; /* its own copies; ends with NULL */
    int is_worker, is_running;
    process worker;
    char version[2 * CONTENDER_TEXT]; /* of a worker */
    char failure[REPORT_REASON];      /* why there is nothing to see; "": there is */
    int rounds;                       /* that were timed */
    double ms[REPORT_MAX_ROUNDS];     /* of a pass */
    double pictures_per_second[REPORT_MAX_ROUNDS];
    double peak_bytes; /* the most of all rounds */
    double instances;
    size_t stage_count;
    contender_stage stages[CONTENDER_MAX_STAGES];
} contender;

/* `more` (ends with NULL, may be NULL) comes after the report's own backbone, size, threads and settings, and so
 * wins over them. */
void contender_bench(contender *c, const report *r, const char *name, const char *const *more);
void contender_worker(contender *c, const char *name, const char *const *arguments);
void contender_free(contender *c);

/* Starts workers, warms them up, lets all take turns, and ends the workers. `question` is for what is said on
 * stderr meanwhile. */
void contenders_run(const report *r, const char *question, contender *c, size_t count);

spread contender_time(const contender *c);
spread contender_rate(const contender *c);
/* The sum of these stages in each round; names end with NULL, and NULL takes all of them. */
spread contender_stages(const contender *c, const char *const *names);

/* "1490 (1480 to 1502)"; of one round "1490" */
typedef struct spread_text {
    char text[64];
} spread_text;
spread_text spread_write(spread s);
/* Milliseconds or the like with three digits at least. */
spread_text number_write(double number);

#endif
