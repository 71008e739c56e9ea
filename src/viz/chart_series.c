/* chart_series.c - the lines, points and bars of a chart. However many values there are, what is drawn
 * is bounded by the paper: values that fall into the same point are put together. */
#include "viz/chart.h"

#ifdef MRCNN_WITH_CAIRO

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

static int value_at(const mr_plot *plot, const mrcnn_series *series, size_t i, double *x,
                    double *y) {
    double value = series->x ? series->x[i] : (double)i;
    if (!mr_can_draw(value, 0) || !mr_can_draw(series->y[i], plot->y.is_log)) return 0;
    *x = mr_plot_x(plot, value);
    *y = mr_plot_y(plot, series->y[i]);
    return 1;
}

/* A line without length and with round ends: far shorter in a file than a circle. */
static void dot(cairo_t *cairo, double x, double y) {
    cairo_move_to(cairo, x, y);
    cairo_line_to(cairo, x, y);
}

static void stroke_dots(cairo_t *cairo, double radius) {
    cairo_save(cairo);
    cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_width(cairo, 2.0 * radius);
    cairo_set_dash(cairo, NULL, 0, 0.0);
    cairo_stroke(cairo);
    cairo_restore(cairo);
}

/* ---------------------------------------------------------------------------------------- lines */

typedef struct spot {
    double x, y;
    size_t order;
} spot;

/* A line as it is drawn. Of a column of a point it keeps where the line enters, its lowest and its
 * highest spot, and where it leaves. */
typedef struct trace {
    cairo_t *cairo;
    double column;
    size_t in_column, in_part; /* spots */
    spot first, low, high, last;
} trace;

static void leave_column(trace *t) {
    if (t->in_column == 0) return;
    const spot *a = t->low.order < t->high.order ? &t->low : &t->high;
    const spot *b = a == &t->low ? &t->high : &t->low;
    cairo_line_to(t->cairo, t->first.x, t->first.y);
    if (a->order > t->first.order && a->order < t->last.order) cairo_line_to(t->cairo, a->x, a->y);
    if (b->order > t->first.order && b->order < t->last.order && b->order != a->order)
        cairo_line_to(t->cairo, b->x, b->y);
    if (t->last.order > t->first.order) cairo_line_to(t->cairo, t->last.x, t->last.y);
    t->in_column = 0;
}

static void add_spot(trace *t, double x, double y) {
    double column = floor(x);
    if (column != t->column) leave_column(t);
    spot here = {x, y, t->in_part++};
    if (t->in_column++ == 0) {
        t->column = column;
        t->first = t->low = t->high = here;
    }
    if (y > t->low.y) t->low = here;
    if (y < t->high.y) t->high = here;
    t->last = here;
}

/* A part of one spot would not be seen as a line. */
static void end_part(trace *t) {
    size_t spots = t->in_part;
    spot only = t->first;
    leave_column(t);
    t->in_part = 0;
    cairo_stroke(t->cairo);
    if (spots != 1) return;
    dot(t->cairo, only.x, only.y);
    stroke_dots(t->cairo, 2.0);
}

static void draw_line(const mr_plot *plot, const mrcnn_series *series) {
    trace t = {.cairo = plot->ink->cairo};
    double x, y, level = 0.0;
    for (size_t i = 0; i < series->count; i++) {
        if (!value_at(plot, series, i, &x, &y)) {
            end_part(&t);
            continue;
        }
        if (series->kind == MRCNN_SERIES_STEPS && t.in_part > 0) add_spot(&t, x, level);
        add_spot(&t, x, y);
        level = y;
    }
    end_part(&t);
}

/* Few values are shown one by one. */
static int has_dots(const mr_plot *plot, const mrcnn_series *series) {
    return series->kind == MRCNN_SERIES_LINE &&
           12.0 * (double)series->count <= plot->right - plot->left;
}

/* --------------------------------------------------------------------------------------- points */

/* One dot in each square as wide as its radius: more would hide each other. */
static mrcnn_status draw_points(const mr_plot *plot, const mrcnn_series *series, double radius,
                                mrcnn_error *err) {
    size_t width = (size_t)((plot->right - plot->left) / radius) + 2;
    size_t height = (size_t)((plot->bottom - plot->top) / radius) + 2, bytes;
    uint8_t *taken = mr_mul_size(width, height, &bytes) ? mr_calloc(bytes, 1) : NULL;
    if (!taken) return mr_fail_memory(err, width * height, "a chart's points");
    for (size_t i = 0; i < series->count; i++) {
        double x, y;
        if (!value_at(plot, series, i, &x, &y)) continue;
        double column = floor((x - plot->left) / radius), row = floor((y - plot->top) / radius);
        if (column < 0.0 || row < 0.0 || column >= (double)width || row >= (double)height) continue;
        uint8_t *square = &taken[(size_t)row * width + (size_t)column];
        if (*square) continue;
        *square = 1;
        dot(plot->ink->cairo, x, y);
    }
    stroke_dots(plot->ink->cairo, radius);
    free(taken);
    return MRCNN_OK;
}

/* ----------------------------------------------------------------------------------------- bars */

typedef struct bars {
    size_t series, place; /* of so many series of bars, the one that is drawn */
    double gap;           /* between x that are next to each other */
} bars;

static bars arrange_bars(const mr_plot *plot, size_t index) {
    bars all = {0, 0, INFINITY};
    for (size_t s = 0; s < plot->chart->count; s++) {
        const mrcnn_series *series = &plot->chart->series[s];
        double before = NAN;
        if (series->kind != MRCNN_SERIES_BARS) continue;
        if (s < index) all.place++;
        all.series++;
        for (size_t i = 0; i < series->count; i++) {
            double x = series->x ? series->x[i] : (double)i, gap = fabs(x - before);
            if (gap > 0.0 && gap < all.gap) all.gap = gap;
            before = x;
        }
    }
    if (!isfinite(all.gap)) all.gap = 1.0;
    return all;
}

/* Bars that are thinner than half a point are as one, as high as the highest of them. */
typedef struct thin_bar {
    double column, top; /* column NAN: none yet */
} thin_bar;

static void end_thin_bar(cairo_t *cairo, thin_bar *bar, double base) {
    if (!isnan(bar->column))
        cairo_rectangle(cairo, bar->column / 2.0, bar->top, 0.5, base - bar->top);
    bar->column = NAN;
}

static void add_thin_bar(cairo_t *cairo, thin_bar *bar, double x, double y, double base) {
    double column = floor(2.0 * x);
    if (column != bar->column) {
        end_thin_bar(cairo, bar, base);
        *bar = (thin_bar){column, y};
    } else if (fabs(y - base) > fabs(bar->top - base)) {
        bar->top = y;
    }
}

static void draw_bars(const mr_plot *plot, const mrcnn_series *series, const bars *all) {
    cairo_t *cairo = plot->ink->cairo;
    double slot = mr_plot_x(plot, plot->x.low + all->gap) - plot->left;
    /* Names have room between them; bins of a histogram touch. */
    double used = mr_category_count(plot->chart) > 0 ? 0.72 * slot : slot;
    double width = used / (double)all->series, inset = width > 4.0 ? 0.5 : 0.0;
    double base = plot->y.is_log ? plot->bottom : mr_plot_y(plot, 0.0);
    thin_bar thin = {NAN, base};
    for (size_t i = 0; i < series->count; i++) {
        double x, y;
        if (!value_at(plot, series, i, &x, &y)) continue;
        x += (double)all->place * width - used / 2.0;
        if (width < 0.5)
            add_thin_bar(cairo, &thin, x, y, base);
        else
            cairo_rectangle(cairo, x + inset, y, width - 2.0 * inset, base - y);
    }
    end_thin_bar(cairo, &thin, base);
    cairo_fill(cairo);
}

/* ------------------------------------------------------------------------------------------ all */

static mrcnn_status draw_one(const mr_plot *plot, size_t index, mrcnn_error *err) {
    const mrcnn_series *series = &plot->chart->series[index];
    mr_set_series_line(plot->ink, plot->chart, index, series->count > 2000 ? 1.1 : 1.8);
    switch (series->kind) {
    case MRCNN_SERIES_BARS: {
        bars all = arrange_bars(plot, index);
        draw_bars(plot, series, &all);
        return MRCNN_OK;
    }
    case MRCNN_SERIES_POINTS:
        return draw_points(plot, series, series->count > 500 ? 1.6 : 3.0, err);
    default: draw_line(plot, series);
    }
    return has_dots(plot, series) ? draw_points(plot, series, 2.6, err) : MRCNN_OK;
}

mrcnn_status mr_plot_draw_series(const mr_plot *plot, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    cairo_save(plot->ink->cairo);
    /* Lines and dots are seen whole at the edges. */
    cairo_rectangle(plot->ink->cairo, plot->left - 3.0, plot->top - 3.0,
                    plot->right - plot->left + 6.0, plot->bottom - plot->top + 6.0);
    cairo_clip(plot->ink->cairo);
    for (size_t i = 0; i < plot->chart->count && status == MRCNN_OK; i++)
        status = draw_one(plot, i, err);
    cairo_restore(plot->ink->cairo);
    return status;
}

#endif
