/* inspect_report_log.c - a training's log as curves and a table, and its configuration. */
#include "inspect_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_POINTS = 150 }; /* of a curve of steps: each is the mean of as many as need be */

static const char step[] = "step", epoch[] = "epoch";

/* --------------------------------------------------------------------------------------- curves */

/* A column, thinned out: means over equally many rows, at the middle of their epochs. */
typedef struct curve {
    size_t count;
    double *x, *y;
} curve;

static void free_curve(curve *c) {
    free(c->x);
    free(c->y);
}

/* Rows without a number don't count. */
static double mean_of(const double *values, size_t from, size_t to) {
    double sum = 0, count = 0;
    for (size_t i = from; i < to; i++) {
        if (!isfinite(values[i])) continue;
        sum += values[i];
        count++;
    }
    return count > 0 ? sum / count : NAN;
}

static curve thin_out(const double *x, const double *y, size_t rows) {
    size_t each = (rows + MOST_POINTS - 1) / MOST_POINTS;
    curve c = {0, text_grow(NULL, rows + 1, sizeof(double)),
               text_grow(NULL, rows + 1, sizeof(double))};
    for (size_t from = 0; from < rows; from += each, c.count++) {
        size_t to = from + each < rows ? from + each : rows;
        c.x[c.count] = mean_of(x, from, to);
        c.y[c.count] = mean_of(y, from, to);
    }
    return c;
}

/* Has the column a number at all? */
static const double *column(const mrcnn_log *log, const char *kind, const char *name) {
    const double *values = mrcnn_log_column(log, kind, name);
    for (size_t i = 0; values && i < mrcnn_log_rows(log, kind); i++)
        if (isfinite(values[i])) return values;
    return NULL;
}

/* Where a step lies in the run, in epochs: 2.5 is in the middle of the third one. malloc'ed; NULL when
 * the log doesn't say. */
static double *places_of(const mrcnn_log *log) {
    const double *epochs = column(log, step, epoch), *steps = column(log, step, "step");
    size_t rows = mrcnn_log_rows(log, step);
    if (!epochs || !steps || !rows) return NULL;
    double *places = text_grow(NULL, rows, sizeof *places), longest = 1;
    size_t first = 0;
    for (size_t i = 1; i <= rows; i++) {
        if (i < rows && epochs[i] == epochs[first]) continue;
        longest =
            fmax(longest, steps[i - 1] - steps[first] + 1); /* the last one may be under way */
        for (size_t k = first; k < i; k++)
            places[k] = epochs[first] - 1 + (steps[k] - steps[first] + 1) / longest;
        first = i;
    }
    return places;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Do a few large values press all others onto the axis? Tiny ones would do so on a logarithmic one. */
static int wants_logarithm(const mrcnn_series *series, size_t count) {
    const double too_large = 8; /* times the median */
    size_t all = 0, used = 0;
    for (size_t i = 0; i < count; i++) all += series[i].count;
    double *values = text_grow(NULL, all + 1, sizeof *values);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < series[i].count; k++)
            if (isfinite(series[i].y[k])) values[used++] = series[i].y[k];
    qsort(values, used, sizeof *values, by_size);
    double middle = used ? values[used / 2] : 0;
    int wants = middle > 0 && values[used - 1] > too_large * middle && values[0] > middle / 1000;
    free(values);
    return wants;
}

typedef struct line {
    const char *kind, *column, *label;
} line;

/* A chart of columns of the log; those that it lacks are left out, and so is a chart without any. */
static void show_lines(show *s, const mrcnn_log *log, const char *name, const char *caption,
                       const char *y_label, const line *lines, size_t count) {
    enum { MOST_LINES = 4 };
    mrcnn_series series[MOST_LINES];
    curve curves[MOST_LINES];
    double *places = places_of(log);
    size_t drawn = 0;
    for (size_t i = 0; i < count && i < MOST_LINES; i++) {
        const double *y = column(log, lines[i].kind, lines[i].column);
        const double *x = lines[i].kind == step ? places : column(log, epoch, epoch);
        if (!x || !y) continue;
        curves[drawn] = thin_out(x, y, mrcnn_log_rows(log, lines[i].kind));
        series[drawn] = (mrcnn_series){.name = lines[i].label,
                                       .kind = MRCNN_SERIES_LINE,
                                       .count = curves[drawn].count,
                                       .x = curves[drawn].x,
                                       .y = curves[drawn].y,
                                       .color = (int)i};
        drawn++;
    }
    mrcnn_chart chart = mrcnn_chart_default();
    chart.x_label = "epoch";
    chart.y_label = y_label;
    chart.series = series;
    chart.count = drawn;
    chart.width = SHOW_CHART_WIDTH;
    chart.height = SHOW_CHART_HEIGHT;
    chart.log_y = wants_logarithm(series, drawn);
    if (drawn) show_chart(s, name, caption, &chart);
    for (size_t i = 0; i < drawn; i++) free_curve(&curves[i]);
    free(places);
}

static void show_losses(show *s, const mrcnn_log *log) {
    static const struct {
        const char *column, *validation, *caption;
    } losses[] = {
        {"loss", "val_loss", "Loss, with its regulariser"},
        {"rpn_class_loss", "val_rpn_class_loss", "RPN: object or background"},
        {"rpn_bbox_loss", "val_rpn_bbox_loss", "RPN: boxes"},
        {"mrcnn_class_loss", "val_mrcnn_class_loss", "Heads: classes"},
        {"mrcnn_bbox_loss", "val_mrcnn_bbox_loss", "Heads: boxes"},
        {"mrcnn_mask_loss", "val_mrcnn_mask_loss", "Heads: masks"},
    };
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        const line lines[] = {{step, losses[i].column, "training"},
                              {epoch, losses[i].validation, "validation"}};
        show_lines(s, log, losses[i].column, losses[i].caption, "loss", lines, 2);
    }
}

static void show_others(show *s, const mrcnn_log *log) {
    static const line ap[] = {{epoch, "segm_ap", "segm AP"},
                              {epoch, "bbox_ap", "bbox AP"},
                              {epoch, "segm_ap50", "segm AP50"},
                              {epoch, "bbox_ap50", "bbox AP50"}};
    static const line rate[] = {{step, "lr", "learning rate"}};
    static const line speed[] = {{step, "images_per_second", "pictures a second"}};
    static const line norm[] = {{step, "grad_norm", "norm"}};
    show_lines(s, log, "ap", "Average precision on the validation set", "AP", ap, 4);
    show_lines(s, log, "learning-rate", "Learning rate", "rate", rate, 1);
    show_lines(s, log, "speed", "Pictures a second", "pictures", speed, 1);
    show_lines(s, log, "gradient-norm", "Norm of the gradient, before clipping", "norm", norm, 1);
}

/* --------------------------------------------------------------------------------------- epochs */

/* The row with the least (sign 1) or greatest (-1) value; the number of rows when there is none. */
static size_t best_row(const double *values, size_t rows, int sign) {
    size_t best = rows;
    for (size_t i = 0; values && i < rows; i++)
        if (isfinite(values[i]) && (best == rows || sign * values[i] < sign * values[best]))
            best = i;
    return best;
}

static void show_best(show *s, const mrcnn_log *log, const char *name, const char *label,
                      int sign) {
    const double *values = column(log, epoch, name), *epochs = column(log, epoch, epoch);
    size_t rows = mrcnn_log_rows(log, epoch), best = best_row(values, rows, sign);
    char key[64], text[96];
    if (best == rows || !epochs) return;
    snprintf(key, sizeof key, "best_%s", name);
    snprintf(text, sizeof text, "%s, epoch %.0f", label, epochs[best]);
    show_figure(s, key, text, values[best], NULL);
}

static double sum_of(const double *values, size_t rows) {
    double sum = 0;
    for (size_t i = 0; values && i < rows; i++)
        if (isfinite(values[i])) sum += values[i];
    return values ? sum : NAN;
}

static void show_counts(show *s, const mrcnn_log *log) {
    size_t steps = mrcnn_log_rows(log, step), epochs = mrcnn_log_rows(log, epoch);
    const double *loss = column(log, epoch, "loss");
    const double *speed = column(log, step, "images_per_second");
    show_count(s, "epochs", "Epochs", epochs);
    show_count(s, "steps", "Steps", steps);
    show_figure(s, "hours", "Time of all steps",
                sum_of(mrcnn_log_column(log, step, "seconds"), steps) / 3600, "h");
    if (speed) show_figure(s, "speed", "Pictures a second, mean", mean_of(speed, 0, steps), NULL);
    if (loss && epochs) show_figure(s, "last_loss", "Loss, last epoch", loss[epochs - 1], NULL);
    show_best(s, log, "val_loss", "Lowest validation loss", 1);
    show_best(s, log, "segm_ap", "Best segm AP", -1);
    show_best(s, log, "bbox_ap", "Best bbox AP", -1);
}

/* Columns that say something about an epoch, as far as the log has them. */
static void show_epochs(show *s, const mrcnn_log *log) {
    static const struct {
        const char *column;
        int digits;
    } wanted[] = {{"epoch", 0},     {"loss", 4},    {"val_loss", 4},  {"segm_ap", 3},
                  {"segm_ap50", 3}, {"bbox_ap", 3}, {"bbox_ap50", 3}, {"picture_map50", 3},
                  {"lr", -1},       {"seconds", 1}};
    enum { WANTED = sizeof wanted / sizeof *wanted };
    const char *names[WANTED];
    const double *values[WANTED];
    int digits[WANTED];
    size_t columns = 0, rows = mrcnn_log_rows(log, epoch);
    for (size_t i = 0; i < WANTED; i++) {
        values[columns] = column(log, epoch, wanted[i].column);
        if (!values[columns]) continue;
        names[columns] = wanted[i].column;
        digits[columns++] = wanted[i].digits;
    }
    if (!rows || !columns) return;
    mrcnn_cell *cells = text_grow(NULL, rows, columns * sizeof *cells);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            cells[r * columns + c] = mrcnn_cell_number(values[c][r], digits[c]);
    show_table(s, "epoch_table", "Epochs", names, columns, cells, rows);
    free(cells);
}

void report_show_log(show *s, const mrcnn_log *log) {
    const char *first;
    size_t left_out = mrcnn_log_left_out(log, &first);
    show_section(
        s, "training", "Training",
        "What the run wrote down. Curves of training are means over neighbouring steps, those of "
        "validation have a point an epoch.");
    show_counts(s, log);
    if (left_out)
        show_note(s, MRCNN_TONE_WARNING, "%zu lines of the log are left out; the first one: %s",
                  left_out, first);
    show_losses(s, log);
    show_others(s, log);
    show_epochs(s, log);
}

/* ------------------------------------------------------------------------------- configuration */

void report_show_config(show *s, const mrcnn_config *config) {
    static const char *const columns[] = {"key", "value", "default", "what it is"};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *usual = NULL;
    const mrcnn_config_key *key;
    mrcnn_cell *cells = NULL;
    size_t rows = 0;
    mrcnn_status status = mrcnn_config_create(&usual, NULL, &err);
    show_section(s, "configuration", "Configuration",
                 "Keys of the checkpoint whose values differ from the defaults.");
    for (size_t i = 0; status == MRCNN_OK && (key = mrcnn_config_key_at(i)); i++) {
        const char *value = mrcnn_config_get(config, key->name);
        if (strcmp(value, mrcnn_config_get(usual, key->name)) == 0) continue;
        cells = text_grow(cells, rows + 1, 4 * sizeof *cells);
        cells[4 * rows] = mrcnn_cell_text(key->name);
        cells[4 * rows + 1] = show_cell(s, "%s", value);
        cells[4 * rows + 2] = show_cell(s, "%s", mrcnn_config_get(usual, key->name));
        cells[4 * rows + 3] = mrcnn_cell_text(key->help);
        rows++;
    }
    if (!show_failed(s, status, &err)) show_table(s, "keys", "Keys", columns, 4, cells, rows);
    free(cells);
    mrcnn_config_free(&usual);
}
