/* plot_draw.c - the pictures of mrcnn plot: a panel for each quantity, with a curve or two of each run. */
#include "plot.h"

#include "message.h"
#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A curve that a panel may have: a column of steps or of epochs. */
typedef struct source {
    const char *kind, *column;
    const char *label; /* in the legend */
    int dashed;        /* when there are several runs, whose colours then are those of the runs */
} source;

enum { SOURCES = 4 };

typedef struct panel_kind {
    unsigned bit; /* of --what */
    const char *title, *y_label;
    int is_loss;
    source sources[SOURCES];
} panel_kind;

#define LOSS_PANEL(bit, title, column)                                                  \
    {                                                                                   \
        bit, title, "loss", 1, {                                                        \
            {"step", column, "training", 0}, {"epoch", "val_" column, "validation", 1}, \
                {NULL, NULL, NULL, 0}, {                                                \
                NULL, NULL, NULL, 0                                                     \
            }                                                                           \
        }                                                                               \
    }

static const panel_kind kinds[] = {
    LOSS_PANEL(PLOT_LOSS, "Loss", "loss"),
    {PLOT_AP,
     "Average precision",
     "AP",
     0,
     {{"epoch", "segm_ap", "segm AP", 0},
      {"epoch", "bbox_ap", "bbox AP", 1},
      {"epoch", "segm_ap50", "segm AP50", 0},
      {"epoch", "bbox_ap50", "bbox AP50", 1}}},
    LOSS_PANEL(PLOT_PARTS, "RPN: object or not", "rpn_class_loss"),
    LOSS_PANEL(PLOT_PARTS, "RPN: boxes", "rpn_bbox_loss"),
    LOSS_PANEL(PLOT_PARTS, "Heads: classes", "mrcnn_class_loss"),
    LOSS_PANEL(PLOT_PARTS, "Heads: boxes", "mrcnn_bbox_loss"),
    LOSS_PANEL(PLOT_PARTS, "Heads: masks", "mrcnn_mask_loss"),
    {PLOT_LR, "Learning rate", NULL, 0, {{"step", "lr", "learning rate", 0}, {0}, {0}, {0}}},
    {PLOT_SPEED,
     "Speed",
     "pictures a second",
     0,
     {{"step", "images_per_second", "pictures a second", 0}, {0}, {0}, {0}}},
    {PLOT_GRADIENT,
     "Gradient before clipping",
     "norm",
     0,
     {{"step", "grad_norm", "norm", 0}, {0}, {0}, {0}}}};
enum { KINDS = sizeof kinds / sizeof *kinds };

typedef struct panel {
    mrcnn_chart chart;
    size_t count;
    mrcnn_series *series;
    double **owned; /* arrays, two for each series */
    char **names, *title;
} panel;

/* --------------------------------------------------------------------------------------- numbers */

/* A moving average whose weights fall exponentially, over about `length` values (as much weight as a mean
 * of so many has), without a bias towards the first value. */
static void smooth(double *values, size_t count, double length) {
    double keep = 1.0 - 2.0 / (length + 1.0), sum = 0.0, weight = 0.0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        sum = keep * sum + values[i];
        weight = keep * weight + 1.0;
        values[i] = sum / weight;
    }
}

static double smoothing(const plot_run *run, const plot_style *style) {
    double length = style->smooth > 0 ? (double)style->smooth : (double)run->rows / 100.0;
    return length < 1.0 ? 1.0 : length;
}

/* How long after the beginning `step` steps were done. */
static double seconds_of(const plot_run *run, double step) {
    const double *steps = plot_column(run, "step", "step");
    size_t low = 0, high = run->rows;
    while (low < high) { /* the first row beyond */
        size_t middle = low + (high - low) / 2;
        if (steps && steps[middle] <= step)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? run->seconds[low - 1] : 0.0;
}

typedef struct time_unit {
    const char *name;
    double seconds;
} time_unit;

static time_unit unit_of(const plot_runs *runs) {
    double longest = 0.0;
    for (size_t i = 0; i < runs->count; i++)
        if (runs->items[i].rows > 0)
            longest = fmax(longest, runs->items[i].seconds[runs->items[i].rows - 1]);
    if (longest >= 2.0 * 3600.0) return (time_unit){"hours", 3600.0};
    return longest >= 120.0 ? (time_unit){"minutes", 60.0} : (time_unit){"seconds", 1.0};
}

static void fill_x(double *x, const plot_run *run, const char *kind, size_t rows, plot_x what,
                   double unit) {
    int of_steps = strcmp(kind, "step") == 0;
    const double *step = plot_column(run, kind, "step"), *epoch = plot_column(run, kind, "epoch");
    for (size_t i = 0; i < rows; i++) {
        if (what == PLOT_STEP)
            x[i] = step ? step[i] : NAN;
        else if (what == PLOT_EPOCH)
            x[i] = of_steps ? run->epochs[i] : epoch ? epoch[i] : NAN;
        else
            x[i] = (of_steps ? run->seconds[i] : seconds_of(run, step ? step[i] : 0.0)) / unit;
    }
}

/* ---------------------------------------------------------------------------------------- panels */

static void add_curve(panel *p, const plot_runs *runs, size_t index, const source *from,
                      const plot_style *style, size_t place) {
    const plot_run *run = &runs->items[index];
    size_t rows = mrcnn_log_rows(run->log, from->kind), n = p->count;
    const double *values = plot_column(run, from->kind, from->column);
    double *x = text_grow(NULL, rows, sizeof *x), *y = text_grow(NULL, rows, sizeof *y);
    fill_x(x, run, from->kind, rows, style->x, unit_of(runs).seconds);
    memcpy(y, values, rows * sizeof *y);
    if (strcmp(from->kind, "step") == 0 && strcmp(from->column, "lr") != 0)
        smooth(y, rows, smoothing(run, style));
    p->owned = text_grow(p->owned, 2 * (n + 1), sizeof *p->owned);
    p->owned[2 * n] = x;
    p->owned[2 * n + 1] = y;
    p->names = text_grow(p->names, n + 1, sizeof *p->names);
    p->names[n] = text_copy(runs->count == 1 ? from->label : run->name);
    p->series = text_grow(p->series, n + 1, sizeof *p->series);
    /* Of several runs the title says what is dashed, and the legend names each once. */
    int is_told = n > 0 && strcmp(p->names[n - 1], p->names[n]) == 0;
    p->series[n] = (mrcnn_series){.name = is_told ? NULL : p->names[n],
                                  .kind = MRCNN_SERIES_LINE,
                                  .count = rows,
                                  .x = x,
                                  .y = y,
                                  .dashed = runs->count > 1 && from->dashed,
                                  .color = (int)(runs->count > 1 ? index : place)};
    p->count++;
}

static int has_dashed(const panel *p) {
    for (size_t i = 0; i < p->count; i++)
        if (p->series[i].dashed) return 1;
    return 0;
}

/* With several runs, two curves of each are enough. */
static void make_panel(panel *p, const panel_kind *kind, const plot_runs *runs,
                       const plot_style *style) {
    size_t most = runs->count > 1 ? 2 : SOURCES;
    *p = (panel){.chart = mrcnn_chart_default()};
    for (size_t i = 0; i < runs->count; i++)
        for (size_t s = 0; s < most && kind->sources[s].kind; s++)
            if (plot_has(&runs->items[i], kind->sources[s].kind, kind->sources[s].column))
                add_curve(p, runs, i, &kind->sources[s], style, s);
    p->title = has_dashed(p) ? text_format("%s (dashed: %s)", kind->title, kind->sources[1].label)
                             : text_copy(kind->title);
    p->chart.title = p->title;
    p->chart.y_label = kind->y_label;
    p->chart.x_label = style->x == PLOT_EPOCH  ? "epoch"
                       : style->x == PLOT_STEP ? "step"
                                               : unit_of(runs).name;
    p->chart.log_y = style->log && kind->is_loss;
    p->chart.cut_peak = kind->is_loss; /* as of a first validation of fresh batch norms */
    p->chart.dark = style->dark;
    p->chart.series = p->series;
    p->chart.count = p->count;
    /* One curve of one run says what it is in its title. */
    if (p->count == 1 && runs->count == 1) p->series[0].name = NULL;
}

static void free_panel(panel *p) {
    for (size_t i = 0; i < p->count; i++) {
        free(p->owned[2 * i]);
        free(p->owned[2 * i + 1]);
        free(p->names[i]);
    }
    free(p->title);
    free(p->owned);
    free(p->names);
    free(p->series);
}

int plot_draw(const plot_runs *runs, const plot_style *style, const char *path) {
    panel panels[KINDS];
    const mrcnn_chart *charts[KINDS];
    size_t count = 0;
    mrcnn_error err = MRCNN_ERROR_INIT;
    unsigned what = style->what ? style->what : PLOT_ALL;
    int code = EXIT_DONE;
    for (int i = 0; i < KINDS; i++) {
        if (!(kinds[i].bit & what)) continue;
        make_panel(&panels[count], &kinds[i], runs, style);
        /* What was asked for is there, and says that there is nothing. */
        if (panels[count].count == 0 && !style->what)
            free_panel(&panels[count]);
        else
            count++;
    }
    for (size_t i = 0; i < count; i++) charts[i] = &panels[i].chart;
    if (count == 0) {
        message("the logs have nothing that can be drawn: no losses, no learning rate, no AP");
        code = EXIT_FAILED;
    } else if (mrcnn_charts_write(charts, count,
                                  count < 2   ? 1
                                  : count < 7 ? 2
                                              : 3,
                                  path, &err) != MRCNN_OK) {
        code = fail_with(&err);
    }
    for (size_t i = 0; i < count; i++) free_panel(&panels[i]);
    return code;
}
