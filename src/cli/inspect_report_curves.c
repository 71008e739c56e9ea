/* inspect_report_curves.c - precision over recall, and which classes are taken for which, on a training's
 * page. */
#include "inspect_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_CURVES = 10, MOST_CELLS_A_SIDE = 40 };

/* -------------------------------------------------------------------------------------- curves */

typedef struct plot {
    double recalls[MRCNN_RECALLS];
    mrcnn_series series[MOST_CURVES];
    size_t count;
} plot;

static void add_curve(plot *p, const char *name, const mrcnn_curve *curve) {
    p->series[p->count++] = (mrcnn_series){.name = name,
                                           .kind = MRCNN_SERIES_LINE,
                                           .count = MRCNN_RECALLS,
                                           .x = p->recalls,
                                           .y = curve->precision,
                                           .color = -1};
}

static void show_plot(show *s, const plot *p, const char *name, const char *caption) {
    mrcnn_chart chart = mrcnn_chart_default();
    chart.x_label = "recall";
    chart.y_label = "precision";
    chart.x_high = chart.y_high = 1;
    chart.width = SHOW_CHART_WIDTH;
    chart.height = SHOW_CHART_HEIGHT;
    chart.series = p->series;
    chart.count = p->count;
    show_chart(s, name, caption, &chart);
}

static plot new_plot(void) {
    plot p = {.count = 0};
    for (int i = 0; i < MRCNN_RECALLS; i++) p.recalls[i] = i / 100.0;
    return p;
}

static const mrcnn_curves *curves_of(const mrcnn_report *r, int class_id, int masks) {
    return masks ? r->curves[class_id].segm : r->curves[class_id].bbox;
}

static void show_mean(show *s, const mrcnn_report *r, int masks) {
    const mrcnn_curves *all = curves_of(r, 0, masks);
    plot p = new_plot();
    if (!all) return;
    add_curve(&p, "IoU 0.50", &all->at50);
    add_curve(&p, "IoU 0.75", &all->at75);
    add_curve(&p, "mean, 0.50 to 0.95", &all->mean);
    show_plot(s, &p, masks ? "precision-segm" : "precision-bbox",
              masks ? "Masks: precision over recall, mean over classes"
                    : "Boxes: precision over recall, mean over classes");
}

/* Of some classes; of one it would be the mean again, and of many nobody could tell them apart. */
static void show_each(show *s, const evaluated *e, const mrcnn_report *r, int masks) {
    plot p = new_plot();
    size_t classes = 0;
    for (int id = 1; id < r->class_count; id++) classes += curves_of(r, id, masks) != NULL;
    if (classes < 2 || classes > MOST_CURVES) return;
    for (int id = 1; id < r->class_count; id++)
        if (curves_of(r, id, masks))
            add_curve(&p, mrcnn_model_class_name(e->model, id), &curves_of(r, id, masks)->at50);
    show_plot(s, &p, masks ? "precision-segm-classes" : "precision-bbox-classes",
              masks ? "Masks: each class, IoU 0.50" : "Boxes: each class, IoU 0.50");
}

void report_show_curves(show *s, const evaluated *e, const mrcnn_report *r) {
    for (int masks = 0; masks < 2; masks++) show_mean(s, r, masks);
    for (int masks = 0; masks < 2; masks++) show_each(s, e, r, masks);
}

/* ----------------------------------------------------------------------------------- confusion */

static size_t cell_of(const mrcnn_report *r, int row, int column) {
    return r->confusion[(size_t)row * (size_t)r->class_count + (size_t)column];
}

static int is_used(const mrcnn_report *r, int class_id) {
    for (int i = 0; i < r->class_count; i++)
        if (cell_of(r, class_id, i) || cell_of(r, i, class_id)) return 1;
    return 0;
}

/* Rows are the objects' classes, columns those of detections; 0 is nothing. */
void report_show_confusion(show *s, const evaluated *e, const mrcnn_report *r) {
    int classes[MOST_CELLS_A_SIDE], count = 0;
    const char *names[MOST_CELLS_A_SIDE];
    double values[MOST_CELLS_A_SIDE * MOST_CELLS_A_SIDE];
    char numbers[MOST_CELLS_A_SIDE * MOST_CELLS_A_SIDE][24];
    const char *texts[MOST_CELLS_A_SIDE * MOST_CELLS_A_SIDE];
    for (int id = 0; r->confusion && id < r->class_count; id++) {
        if (id > 0 && !is_used(r, id)) continue;
        if (count == MOST_CELLS_A_SIDE) return; /* nobody could read it */
        names[count] = id ? mrcnn_model_class_name(e->model, id) : "(nothing)";
        classes[count++] = id;
    }
    for (int i = 0; i < count * count; i++) {
        size_t number = cell_of(r, classes[i / count], classes[i % count]);
        values[i] = i ? (double)number : NAN; /* what isn't there isn't found any number of times */
        snprintf(numbers[i], sizeof numbers[i], "%zu", number);
        texts[i] = number ? numbers[i] : NULL;
    }
    mrcnn_grid grid = mrcnn_grid_default();
    grid.rows = grid.columns = count;
    grid.row_label = "object";
    grid.column_label = "found";
    grid.values = values;
    grid.row_names = grid.column_names = names;
    grid.texts = texts;
    char *caption =
        text_format("Confusion: how many objects of a class (row) were found as which class "
                    "(column), with a score of %.3g or more",
                    r->confusion_score);
    if (count > 1) show_grid(s, "confusion", caption, &grid);
    free(caption);
}
