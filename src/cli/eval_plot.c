/* eval_plot.c - see eval_plot.h. */
#include "eval_plot.h"

#include "message.h"

#include <mrcnn/draw.h>

#include <math.h>
#include <stdlib.h>

static int say(mrcnn_status status, const mrcnn_error *err) {
    if (status == MRCNN_OK) return EXIT_DONE;
    message("%s", err->message);
    return EXIT_FAILED;
}

/* -------------------------------------------------------------------------------------- curves */

enum { MOST_CLASSES = 10, MOST_SERIES = MOST_CLASSES > 3 ? MOST_CLASSES : 3, MOST_CHARTS = 4 };

typedef struct plot {
    mrcnn_chart charts[MOST_CHARTS];
    mrcnn_series series[MOST_CHARTS][MOST_SERIES];
    const mrcnn_chart *pointers[MOST_CHARTS];
    double recalls[MRCNN_RECALLS];
    size_t count;
} plot;

static mrcnn_chart *add_chart(plot *p, const char *title) {
    mrcnn_chart *chart = &p->charts[p->count];
    *chart = mrcnn_chart_default();
    chart->title = title;
    chart->x_label = "recall";
    chart->y_label = "precision";
    chart->series = p->series[p->count];
    chart->x_low = chart->y_low = 0;
    chart->x_high = chart->y_high = 1;
    chart->width = 480;
    p->pointers[p->count++] = chart;
    return chart;
}

static void add_series(plot *p, mrcnn_chart *chart, const char *name, const mrcnn_curve *curve) {
    mrcnn_series *series = &p->series[chart - p->charts][chart->count++];
    *series = (mrcnn_series){.name = name,
                             .kind = MRCNN_SERIES_LINE,
                             .count = MRCNN_RECALLS,
                             .x = p->recalls,
                             .y = curve->precision,
                             .color = -1};
}

static const mrcnn_curves *curves_of(const eval_outcome *o, int class_id, int masks) {
    const mrcnn_class_curves *row = &o->report->curves[class_id];
    return masks ? row->segm : row->bbox;
}

/* The mean over classes, and if there are some but not many, each of them. */
static void add_kind(plot *p, const eval_outcome *o, int masks) {
    const mrcnn_curves *all = curves_of(o, 0, masks);
    int classes = 0;
    if (!all) return;
    mrcnn_chart *chart =
        add_chart(p, masks ? "Masks, mean over classes" : "Boxes, mean over classes");
    add_series(p, chart, "IoU 0.50", &all->at50);
    add_series(p, chart, "IoU 0.75", &all->at75);
    add_series(p, chart, "mean, 0.50 to 0.95", &all->mean);
    for (int id = 1; id < o->report->class_count; id++) classes += curves_of(o, id, masks) != NULL;
    if (classes < 2 || classes > MOST_CLASSES) return;
    chart = add_chart(p, masks ? "Masks of each class, IoU 0.50" : "Boxes of each class, IoU 0.50");
    for (int id = 1; id < o->report->class_count; id++)
        if (curves_of(o, id, masks))
            add_series(p, chart, mrcnn_dataset_class_name(o->set, id),
                       &curves_of(o, id, masks)->at50);
}

int eval_draw_curves(const char *path, const eval_outcome *o) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    plot p = {.count = 0};
    for (int i = 0; i < MRCNN_RECALLS; i++) p.recalls[i] = i / 100.0;
    for (int masks = 0; masks < 2; masks++) add_kind(&p, o, masks);
    if (p.count == 0) {
        message("%s is not drawn: there are no objects to measure by", path);
        return EXIT_FAILED;
    }
    int columns = p.count > 1 ? 2 : 1;
    return say(mrcnn_charts_write(p.pointers, p.count, columns, path, &err), &err);
}

/* ----------------------------------------------------------------------------------- confusion */

/* The part of the matrix that is shown, classes[0] = 0 being nothing. */
typedef struct table {
    const eval_outcome *o;
    int *classes;
    size_t count;
    const char **names;
    double *values; /* shares of the row: colours */
    char **texts;   /* numbers of detections */
} table;

static size_t cell(const eval_outcome *o, int row, int column) {
    return o->report->confusion[(size_t)row * (size_t)o->report->class_count + (size_t)column];
}

static int is_used(const eval_outcome *o, int class_id) {
    for (int i = 0; i < o->report->class_count; i++)
        if (cell(o, class_id, i) || cell(o, i, class_id)) return 1;
    return 0;
}

static void choose_classes(table *t, const eval_outcome *o) {
    t->o = o;
    t->classes = text_grow(NULL, (size_t)o->report->class_count, sizeof *t->classes);
    t->names = text_grow(NULL, (size_t)o->report->class_count, sizeof *t->names);
    for (int id = 0; id < o->report->class_count; id++) {
        if (id > 0 && !is_used(o, id)) continue;
        t->names[t->count] = id ? mrcnn_dataset_class_name(o->set, id) : "(nothing)";
        t->classes[t->count++] = id;
    }
}

static void fill_row(table *t, size_t row) {
    size_t sum = 0;
    for (size_t k = 0; k < t->count; k++) sum += cell(t->o, t->classes[row], t->classes[k]);
    for (size_t k = 0; k < t->count; k++) {
        size_t count = cell(t->o, t->classes[row], t->classes[k]), at = row * t->count + k;
        t->values[at] = sum ? (double)count / (double)sum : 0;
        t->texts[at] = count ? text_format("%zu", count) : NULL;
    }
    if (row == 0) t->values[0] = NAN; /* nothing found where nothing is can't be counted */
}

static mrcnn_status draw(const table *t, const char *path, mrcnn_error *err) {
    char *title = text_format("Score >= %.3g", t->o->report->confusion_score);
    mrcnn_grid grid = mrcnn_grid_default();
    grid.title = title;
    grid.row_label = "object";
    grid.column_label = "found";
    grid.rows = grid.columns = (int)t->count;
    grid.values = t->values;
    grid.texts = (const char *const *)t->texts;
    grid.row_names = grid.column_names = t->names;
    grid.low = 0;
    grid.high = 1;
    mrcnn_status status = mrcnn_grid_write(&grid, path, err);
    free(title);
    return status;
}

int eval_draw_confusion(const char *path, const eval_outcome *o) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    table t = {.count = 0};
    choose_classes(&t, o);
    t.values = text_grow(NULL, t.count * t.count, sizeof *t.values);
    t.texts = text_grow(NULL, t.count * t.count, sizeof *t.texts);
    for (size_t i = 0; i < t.count; i++) fill_row(&t, i);
    int code = say(draw(&t, path, &err), &err);
    for (size_t i = 0; i < t.count * t.count; i++) free(t.texts[i]);
    free(t.texts);
    free(t.values);
    free((void *)t.names);
    free(t.classes);
    return code;
}
