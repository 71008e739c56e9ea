/* plot_text.c - the tables of mrcnn plot: what became of each run, and all its numbers as CSV. */
#include "plot.h"

#include "message.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -------------------------------------------------------------------------------------- summary */

/* Row of the least (or largest) finite number; -1 without any. */
static long best_row(const double *values, size_t rows, int least) {
    long best = -1;
    for (size_t i = 0; values && i < rows; i++) {
        if (!isfinite(values[i])) continue;
        if (best < 0 || (least ? values[i] < values[best] : values[i] > values[best]))
            best = (long)i;
    }
    return best;
}

static long last_row(const double *values, size_t rows) {
    for (size_t i = rows; values && i-- > 0;)
        if (isfinite(values[i])) return (long)i;
    return -1;
}

/* "val_loss  1.234 in the last epoch (5); the best 1.2 in epoch 3" */
static void print_epochs(const plot_run *run, const char *label, const char *column, int least) {
    size_t rows = mrcnn_log_rows(run->log, "epoch");
    const double *values = plot_column(run, "epoch", column);
    const double *epoch = plot_column(run, "epoch", "epoch");
    long last = last_row(values, rows), best = best_row(values, rows, least);
    if (last < 0) return;
    printf("  %-13s %10.4f  in epoch %.0f", label, values[last], epoch ? epoch[last] : NAN);
    if (best == last)
        printf(", the best\n");
    else
        printf("; the best, %.4f, in epoch %.0f\n", values[best], epoch ? epoch[best] : NAN);
}

static void print_duration(double seconds) {
    long minutes = lround(seconds / 60.0);
    if (seconds < 600.0)
        printf("%.0f s", seconds);
    else if (minutes < 60)
        printf("%ld min", minutes);
    else
        printf("%ld h %02ld min", minutes / 60, minutes % 60);
}

static double sum(const double *values, size_t rows) {
    double total = 0.0;
    for (size_t i = 0; values && i < rows; i++)
        if (isfinite(values[i])) total += values[i];
    return total;
}

static void print_speed(const plot_run *run) {
    double seconds = sum(plot_column(run, "step", "seconds"), run->rows);
    const double *rate = plot_column(run, "step", "images_per_second");
    const double *each = plot_column(run, "step", "seconds");
    double pictures = 0.0;
    double waited = sum(plot_column(run, "step", "waited_ms"), run->rows) / 1000.0;
    if (!(seconds > 0.0)) return;
    for (size_t i = 0; rate && each && i < run->rows; i++)
        if (isfinite(rate[i]) && isfinite(each[i])) pictures += rate[i] * each[i];
    printf("  %-13s %10.2f  pictures a second; ", "speed", pictures / seconds);
    print_duration(seconds);
    printf(" in steps, %.1f%% of it waiting for pictures\n", 100.0 * waited / seconds);
}

/* Steps whose loss was no finite number are null in the log. */
static size_t count_gaps(const double *values, size_t rows) {
    size_t gaps = 0;
    for (size_t i = 0; values && i < rows; i++)
        if (!isfinite(values[i])) gaps++;
    return gaps;
}

static void print_run(const plot_run *run) {
    const double *steps = plot_column(run, "step", "step");
    size_t epochs = mrcnn_log_rows(run->log, "epoch");
    size_t gaps = count_gaps(plot_column(run, "step", "loss"), run->rows);
    printf("%s\n  %zu %s, %.0f %s\n", run->name, epochs, epochs == 1 ? "epoch" : "epochs",
           steps ? steps[run->rows - 1] : 0.0,
           steps && steps[run->rows - 1] == 1.0 ? "step" : "steps");
    print_epochs(run, "loss", "loss", 1);
    print_epochs(run, "val_loss", "val_loss", 1);
    print_epochs(run, "segm AP", "segm_ap", 0);
    print_epochs(run, "bbox AP", "bbox_ap", 0);
    print_epochs(run, "picture mAP50", "picture_map50", 0);
    print_speed(run);
    if (gaps > 0) printf("  %zu %s no finite loss\n", gaps, gaps == 1 ? "step had" : "steps had");
}

void plot_print(const plot_runs *runs) {
    for (size_t i = 0; i < runs->count; i++) print_run(&runs->items[i]);
}

/* ------------------------------------------------------------------------------------------ CSV */

static int is_in(const text_list *list, const char *name) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], name) == 0) return 1;
    return 0;
}

static void find_columns(text_list *columns, const plot_runs *runs) {
    for (size_t i = 0; i < runs->count; i++) {
        const mrcnn_log *log = runs->items[i].log;
        const char *kind, *name;
        for (size_t k = 0; (kind = mrcnn_log_kind(log, k)); k++)
            for (size_t c = 0; (name = mrcnn_log_column_name(log, kind, c)); c++)
                if (!is_in(columns, name)) text_list_add(columns, text_copy(name));
    }
}

/* RFC 4180. */
static void put_text(FILE *out, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++) {
        if (*text == '"') putc('"', out);
        putc(*text, out);
    }
    putc('"', out);
}

/* The fewest digits that read back as the same number. */
static void put_number(FILE *out, double value) {
    char text[40];
    if (!isfinite(value)) return;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    fputs(text, out);
}

static void put_rows(FILE *out, const plot_run *run, const char *kind, const text_list *columns) {
    const double **values = text_grow(NULL, columns->count + 1, sizeof *values);
    for (size_t c = 0; c < columns->count; c++)
        values[c] = plot_column(run, kind, columns->items[c]);
    for (size_t i = 0; i < mrcnn_log_rows(run->log, kind); i++) {
        put_text(out, run->name);
        putc(',', out);
        put_text(out, kind);
        for (size_t c = 0; c < columns->count; c++) {
            putc(',', out);
            if (values[c]) put_number(out, values[c][i]);
        }
        fputs("\r\n", out);
    }
    free(values);
}

static void put_all(FILE *out, const plot_runs *runs) {
    text_list columns = {0, NULL};
    find_columns(&columns, runs);
    fputs("run,kind", out);
    for (size_t c = 0; c < columns.count; c++) {
        putc(',', out);
        put_text(out, columns.items[c]);
    }
    fputs("\r\n", out);
    for (size_t i = 0; i < runs->count; i++) {
        const char *kind;
        for (size_t k = 0; (kind = mrcnn_log_kind(runs->items[i].log, k)); k++)
            put_rows(out, &runs->items[i], kind, &columns);
    }
    text_list_free(&columns);
}

int plot_write_csv(const plot_runs *runs, const char *path) {
    if (strcmp(path, "-") == 0) {
        put_all(stdout, runs);
        return EXIT_DONE;
    }
    new_file file;
    if (new_file_open(&file, path) != 0) return EXIT_FAILED;
    put_all(file.stream, runs);
    return new_file_commit(&file) == 0 ? EXIT_DONE : EXIT_FAILED;
}
