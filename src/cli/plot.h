/* plot.h - what the parts of mrcnn plot share: the runs that were read, their numbers as curves, and the
 * tables they end up in. */
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include "files.h"
#include "text.h"

#include <mrcnn/draw.h>
#include <mrcnn/log.h>

typedef struct plot_run {
    mrcnn_log *log;
    char *name;  /* unlike those of other runs */
    size_t rows; /* of steps */
    /* Of each step; NULL without steps. */
    double *epochs;  /* 2.5: in the middle of epoch 3 */
    double *seconds; /* so far */
} plot_run;

typedef struct plot_runs {
    size_t count;
    plot_run *items;
} plot_runs;

/* A run for each path: a run's folder, its log.jsonl, or a folder of such folders. Lines that were left out
 * are told. EXIT_DONE, or the exit code after a message. */
int plot_read(plot_runs *runs, char *const *paths, int count);
void plot_runs_free(plot_runs *runs);

/* A column of a run's steps or epochs; NULL when it has none. */
const double *plot_column(const plot_run *run, const char *kind, const char *name);
/* 1 if a column has a finite number. */
int plot_has(const plot_run *run, const char *kind, const char *name);

/* ------------------------------------------------------------------------------------- pictures */

/* Bits of --what, in the order of its words. */
enum {
    PLOT_LOSS = 1,
    PLOT_PARTS = 2,
    PLOT_AP = 4,
    PLOT_LR = 8,
    PLOT_SPEED = 16,
    PLOT_GRADIENT = 32,
    PLOT_ALL = 63
};
#define PLOT_WORDS "loss,parts,ap,lr,speed,gradient"

typedef enum plot_x { PLOT_EPOCH, PLOT_STEP, PLOT_TIME } plot_x;

typedef struct plot_style {
    unsigned what; /* 0: all that the runs have */
    plot_x x;
    int64_t smooth; /* steps to average over; 0: a hundredth of the run's */
    int log, dark;
} plot_style;

/* Draws into a .png, .svg or .pdf file. EXIT_DONE, or the exit code after a message. */
int plot_draw(const plot_runs *runs, const plot_style *style, const char *path);

/* ---------------------------------------------------------------------------------------- tables */

/* What became of each run, on stdout. */
void plot_print(const plot_runs *runs);

/* All rows of all runs; "-" is stdout. EXIT_DONE, or the exit code after a message. */
int plot_write_csv(const plot_runs *runs, const char *path);

#endif
