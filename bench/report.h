/* report.h - what the parts of bench_report share: what was asked for, and the questions. Each question measures, writes
 * one table or a sentence in its place into the page, and one plot beside it. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdint.h>
#include <stdio.h>

enum { REPORT_MAX_ROUNDS = 25, REPORT_MAX_SETTINGS = 32, REPORT_REASON = 1000 };

typedef struct report {
    const char *out; /* folder of the page, plots and what is made on the way */
    const char *data, *subset;
    const char *backbone;                          /* NULL: that of the weights */
    const char *plots;                             /* "svg" or "png" */
    const char *settings[REPORT_MAX_SETTINGS + 1]; /* KEY=VALUE for each network; ends with NULL */
    int rounds, quick, threads;
    int size; /* of pictures */
    double peak_gflops;
    FILE *page;
} report;

void report_stages(report *r);
void report_peers(report *r);
void report_batch(report *r);
void report_size(report *r);
void report_proposals(report *r);
void report_threads(report *r);
void report_precision(report *r);

#endif
