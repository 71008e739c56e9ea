/* plot_runs.c - the runs of mrcnn plot: finding and reading their logs, and where their steps lie in
 * epochs and in time. */
#include "plot.h"

#include "message.h"
#include "model.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_MOST = 200 };

/* -------------------------------------------------------------------------------------- finding */

static int has_log(const char *folder) {
    char *log = path_join(folder, "log.jsonl");
    int there = path_exists(log);
    free(log);
    return there;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Folders with a log inside of `folder`, sorted. */
static void find_runs(text_list *found, const char *folder) {
    DIR *open_folder = opendir(folder);
    size_t first = found->count;
    if (!open_folder) return;
    for (struct dirent *entry; (entry = readdir(open_folder));) {
        if (entry->d_name[0] == '.') continue;
        char *inside = path_join(folder, entry->d_name);
        if (path_is_folder(inside) && has_log(inside))
            text_list_add(found, inside);
        else
            free(inside);
    }
    closedir(open_folder);
    if (found->count > first)
        qsort(found->items + first, found->count - first, sizeof *found->items, by_name);
}

static void expand(text_list *found, const char *path) {
    size_t before = found->count;
    if (path_is_folder(path) && !has_log(path)) find_runs(found, path);
    if (found->count == before) text_list_add(found, text_copy(path)); /* reading it will tell */
}

/* -------------------------------------------------------------------------------------- reading */

const double *plot_column(const plot_run *run, const char *kind, const char *name) {
    return mrcnn_log_column(run->log, kind, name);
}

int plot_has(const plot_run *run, const char *kind, const char *name) {
    const double *values = plot_column(run, kind, name);
    for (size_t i = 0; values && i < mrcnn_log_rows(run->log, kind); i++)
        if (isfinite(values[i])) return 1;
    return 0;
}

static double at(const double *column, size_t i) {
    return column ? column[i] : NAN;
}

/* Where each step ends, in epochs. The length of an epoch that is not whole yet is that of the one
 * before. */
static void count_epochs(plot_run *run) {
    const double *epoch = plot_column(run, "step", "epoch"),
                 *step = plot_column(run, "step", "step");
    double length = 0.0;
    for (size_t i = 0, end; i < run->rows; i = end) {
        for (end = i; end < run->rows && at(epoch, end) == at(epoch, i);) end++;
        if (end == i) end++; /* no number: by itself */
        double before = i > 0 && isfinite(at(step, i - 1)) ? at(step, i - 1) : at(step, i) - 1.0;
        double steps = at(step, end - 1) - before;
        if (end == run->rows && steps < length) steps = length;
        for (size_t k = i; k < end; k++)
            run->epochs[k] = at(epoch, i) - 1.0 + (at(step, k) - before) / steps;
        length = steps;
    }
}

static void count_seconds(plot_run *run) {
    const double *seconds = plot_column(run, "step", "seconds");
    double sum = 0.0;
    for (size_t i = 0; i < run->rows; i++) {
        if (isfinite(at(seconds, i)) && seconds[i] > 0.0) sum += seconds[i];
        run->seconds[i] = sum;
    }
}

/* "run" and, if that is taken, "run (2)". */
static char *unique_name(const plot_runs *runs, const char *wanted) {
    char *name = text_printable(wanted);
    for (size_t number = 2, i = 0; i < runs->count; i++) {
        if (strcmp(runs->items[i].name, name) != 0) continue;
        free(name);
        char *printable = text_printable(wanted);
        name = text_format("%s (%zu)", printable, number++);
        free(printable);
        i = (size_t)-1; /* from the beginning */
    }
    return name;
}

static int read_run(plot_runs *runs, const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    plot_run run = {0};
    const char *first;
    if (mrcnn_log_read(&run.log, path, &err) != MRCNN_OK) return fail_with(&err);
    size_t left_out = mrcnn_log_left_out(run.log, &first);
    if (left_out == 1) message("one line is left out: %s", first);
    if (left_out > 1) message("%zu lines are left out, the first: %s", left_out, first);
    run.name = unique_name(runs, mrcnn_log_name(run.log));
    run.rows = mrcnn_log_rows(run.log, "step");
    if (run.rows > 0) {
        run.epochs = text_grow(NULL, run.rows, sizeof *run.epochs);
        run.seconds = text_grow(NULL, run.rows, sizeof *run.seconds);
        count_epochs(&run);
        count_seconds(&run);
    }
    runs->items = text_grow(runs->items, runs->count + 1, sizeof *runs->items);
    runs->items[runs->count++] = run;
    return EXIT_DONE;
}

int plot_read(plot_runs *runs, char *const *paths, int count) {
    text_list found = {0, NULL};
    int code = EXIT_DONE;
    for (int i = 0; i < count; i++) expand(&found, paths[i]);
    if (found.count > RUNS_MOST) {
        message("%zu runs are more than can be told apart; name at most %d", found.count,
                RUNS_MOST);
        code = EXIT_FAILED;
    }
    for (size_t i = 0; i < found.count && code == EXIT_DONE; i++)
        code = read_run(runs, found.items[i]);
    text_list_free(&found);
    return code;
}

void plot_runs_free(plot_runs *runs) {
    for (size_t i = 0; i < runs->count; i++) {
        mrcnn_log_free(&runs->items[i].log);
        free(runs->items[i].name);
        free(runs->items[i].epochs);
        free(runs->items[i].seconds);
    }
    free(runs->items);
}
