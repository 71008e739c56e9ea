/* chart_axes.c - the axes of a chart: which numbers they run over, where the plot lies between the
 * labels, ticks and names. */
#include "viz/chart.h"

#ifdef MRCNN_WITH_CAIRO

#include <math.h>
#include <stddef.h>
#include <stdio.h>

/* The most room that names of categories may have below the plot, and the angle at which they are
 * written there if they don't fit beside each other. */
static const double NAMES_ROOM = 92.0, SLANT = 0.7853981633974483;

/* How long a name at a slant may be. */
static double name_room(const mrcnn_chart *chart) {
    return (fmin(NAMES_ROOM, 0.3 * chart->height) - MR_TICK_SIZE) / sin(SLANT);
}

static double clamp(double value, double low, double high) {
    return value < low ? low : value > high ? high : value;
}

/* cairo's coordinates are limited; what lies so far outside isn't seen anyway. */
static double on_paper(double share) {
    return clamp(share, -50.0, 50.0);
}

double mr_plot_x(const mr_plot *plot, double value) {
    return plot->left + on_paper(mr_scale_at(&plot->x, value)) * (plot->right - plot->left);
}

double mr_plot_y(const mr_plot *plot, double value) {
    return plot->bottom - on_paper(mr_scale_at(&plot->y, value)) * (plot->bottom - plot->top);
}

size_t mr_category_count(const mrcnn_chart *chart) {
    size_t count = chart->category_count;
    if (!chart->categories) return 0;
    for (size_t i = 0; i < chart->count && chart->category_count == 0; i++)
        if (chart->series[i].count > count) count = chart->series[i].count;
    return count;
}

/* ---------------------------------------------------------------------------------- the numbers */

typedef struct extents {
    mr_extent x, y;
    double below_peak; /* the highest value when the highest one of each series doesn't count */
    int has_bars, has_points;
    double gap; /* the smallest between bars next to each other, or 1 */
} extents;

static void add_series(extents *all, const mrcnn_series *series, int is_log) {
    double before = NAN, highest = -INFINITY;
    for (size_t i = 0; i < series->count; i++) {
        double x = series->x ? series->x[i] : (double)i;
        if (!mr_can_draw(x, 0) || !mr_can_draw(series->y[i], is_log)) continue;
        mr_extent_add(&all->x, x, 0);
        mr_extent_add(&all->y, series->y[i], is_log);
        all->below_peak = fmax(all->below_peak, fmin(highest, series->y[i]));
        highest = fmax(highest, series->y[i]);
        double gap = fabs(x - before);
        if (series->kind == MRCNN_SERIES_BARS && gap > 0.0 && gap < all->gap) all->gap = gap;
        before = x;
    }
    all->has_bars |= series->kind == MRCNN_SERIES_BARS;
    all->has_points |= series->kind == MRCNN_SERIES_POINTS;
}

static extents measure(const mrcnn_chart *chart) {
    extents all = {mr_extent_start(), mr_extent_start(), -INFINITY, 0, 0, INFINITY};
    for (size_t i = 0; i < chart->count; i++) add_series(&all, &chart->series[i], chart->log_y);
    if (!isfinite(all.gap)) all.gap = 1.0;
    return all;
}

static void choose_x(mr_plot *plot, const extents *all, int ticks) {
    const mrcnn_chart *chart = plot->chart;
    mr_extent extent = all->x;
    mr_scale_options options = {.ticks = ticks, .pad = all->has_points ? 0.03 : 0.0};
    size_t names = mr_category_count(chart);
    if (names > 0) {
        extent = (mr_extent){-0.5, (double)names - 0.5, 1};
        options.keep = 1;
    } else if (all->has_bars && extent.low <= extent.high) {
        extent.low -= all->gap / 2.0;
        extent.high += all->gap / 2.0;
        options.keep = 1;
    }
    if (chart->x_low < chart->x_high) {
        extent = (mr_extent){chart->x_low, chart->x_high, extent.is_whole};
        options.keep = 1;
    }
    mr_scale_choose(&plot->x, &extent, &options);
}

/* The highest value, when it would flatten all others; else 0. */
static double find_peak(const mrcnn_chart *chart, const extents *all) {
    int is_free = chart->cut_peak && !chart->log_y && !(chart->y_low < chart->y_high);
    int is_far = all->y.low >= 0.0 && all->below_peak > 0.0 && all->y.high > 4.0 * all->below_peak;
    return is_free && is_far ? all->y.high : 0.0;
}

static void choose_y(mr_plot *plot, const extents *all, int ticks) {
    const mrcnn_chart *chart = plot->chart;
    mr_extent extent = all->y;
    plot->peak = find_peak(chart, all);
    if (plot->peak > 0.0) extent.high = all->below_peak;
    mr_scale_options options = {.is_log = chart->log_y, .ticks = ticks, .pad = 0.05};
    /* Bars have to stand on 0; others show it when it is not far away. */
    options.zero =
        !chart->log_y && (all->has_bars || (extent.low >= 0.0 && extent.low < 0.5 * extent.high));
    if (chart->y_low < chart->y_high) {
        extent = (mr_extent){chart->y_low, chart->y_high, extent.is_whole};
        options.keep = 1;
        options.zero = 0;
    }
    extent.is_whole &= all->has_bars;
    mr_scale_choose(&plot->y, &extent, &options);
}

/* ------------------------------------------------------------------------------------ the place */

static double widest_label(const mr_plot *plot, const mr_scale *scale) {
    double widest = 0.0;
    mr_set_font(plot->ink, MR_TICK_SIZE, 0);
    for (int i = 0; i < scale->count; i++)
        widest = fmax(widest, mr_text_width(plot->ink, scale->labels[i]));
    return widest;
}

/* Names beside each other, else at a slant, else each so-manieth; returns the height they take. */
static double arrange_names(mr_plot *plot, size_t count) {
    char text[MR_TEXT_BYTES];
    double widest = 0.0, room = (plot->right - plot->left) / (double)count;
    mr_set_font(plot->ink, MR_TICK_SIZE, 0);
    for (size_t i = 0; i < count; i++)
        widest = fmax(widest, mr_fit_text(plot->ink, plot->chart->categories[i],
                                          name_room(plot->chart), text));
    plot->names_turned = widest + 6.0 > room;
    plot->names_every = plot->names_turned ? (int)ceil(1.35 * MR_TICK_SIZE / room) : 1;
    return plot->names_turned ? widest * sin(SLANT) + MR_TICK_SIZE : MR_TICK_SIZE + 2.0;
}

/* Fewer ticks until their labels stand apart. */
static void thin_out_x(mr_plot *plot, const extents *all) {
    for (int ticks = 10; ticks >= 2; ticks--) {
        choose_x(plot, all, ticks);
        double room = (plot->right - plot->left) / fmax(1.0, plot->x.count);
        if (widest_label(plot, &plot->x) + 14.0 <= room) return;
    }
}

void mr_plot_lay_out(mr_plot *plot, double top) {
    const mrcnn_chart *chart = plot->chart;
    extents all = measure(chart);
    size_t names = mr_category_count(chart);
    plot->top = top + 12.0;
    plot->bottom = chart->height - MR_MARGIN - (chart->x_label ? MR_LABEL_SIZE + 6.0 : 0.0) -
                   MR_TICK_SIZE - 8.0;
    plot->right = chart->width - MR_MARGIN - 4.0;
    plot->is_empty = all.x.low > all.x.high;
    choose_y(plot, &all, (int)clamp((plot->bottom - plot->top) / 30.0, 2.0, 10.0));
    plot->left = MR_MARGIN + (chart->y_label ? MR_LABEL_SIZE + 8.0 : 0.0) +
                 widest_label(plot, &plot->y) + 8.0;
    plot->left = fmin(plot->left, plot->right - 20.0);
    if (names > 0) {
        choose_x(plot, &all, 2);
        plot->bottom += MR_TICK_SIZE - arrange_names(plot, names);
    } else {
        thin_out_x(plot, &all);
    }
    plot->bottom = fmax(plot->bottom, plot->top + 20.0);
}

/* ---------------------------------------------------------------------------------- what's drawn */

static void line(const mr_plot *plot, double x1, double y1, double x2, double y2) {
    cairo_move_to(plot->ink->cairo, x1, y1);
    cairo_line_to(plot->ink->cairo, x2, y2);
}

void mr_plot_draw_axes(const mr_plot *plot) {
    cairo_t *cairo = plot->ink->cairo;
    mr_set_color(plot->ink, plot->ink->theme->rule);
    cairo_set_dash(cairo, NULL, 0, 0.0);
    cairo_set_line_width(cairo, 0.4);
    for (int i = 0; i < plot->y.minor_count; i++) {
        double y = mr_plot_y(plot, plot->y.minor[i]);
        line(plot, plot->left, y, plot->right, y);
    }
    cairo_stroke(cairo);
    cairo_set_line_width(cairo, 1.0);
    for (int i = 0; i < plot->y.count; i++) {
        double y = mr_plot_y(plot, plot->y.ticks[i]);
        line(plot, plot->left, y, plot->right, y);
    }
    for (int i = 0; i < plot->x.count && mr_category_count(plot->chart) == 0; i++) {
        double x = mr_plot_x(plot, plot->x.ticks[i]);
        line(plot, x, plot->top, x, plot->bottom);
    }
    cairo_stroke(cairo);
}

static void draw_names(const mr_plot *plot, size_t count) {
    char text[MR_TEXT_BYTES];
    double room = plot->names_turned ? name_room(plot->chart) : 1e4;
    for (size_t i = 0; i < count; i += (size_t)plot->names_every) {
        double x = mr_plot_x(plot, (double)i);
        /* A name at a slant must not run out of the paper's left. */
        double most = plot->names_turned ? fmin(room, (x - 4.0) / cos(SLANT)) : room;
        mr_fit_text(plot->ink, plot->chart->categories[i], most, text);
        if (plot->names_turned)
            mr_show_text(plot->ink, text, x + MR_TICK_SIZE * 0.3, plot->bottom + MR_TICK_SIZE + 1.0,
                         1.0, -SLANT);
        else
            mr_show_text(plot->ink, text, x, plot->bottom + MR_TICK_SIZE + 5.0, 0.5, 0.0);
    }
}

static void draw_tick_labels(const mr_plot *plot) {
    size_t names = mr_category_count(plot->chart);
    mr_set_color(plot->ink, plot->ink->theme->soft);
    mr_set_font(plot->ink, MR_TICK_SIZE, 0);
    for (int i = 0; i < plot->y.count; i++)
        mr_show_text(plot->ink, plot->y.labels[i], plot->left - 7.0,
                     mr_plot_y(plot, plot->y.ticks[i]) + MR_TICK_SIZE * 0.35, 1.0, 0.0);
    if (names > 0) {
        draw_names(plot, names);
        return;
    }
    for (int i = 0; i < plot->x.count; i++) {
        double half = mr_text_width(plot->ink, plot->x.labels[i]) / 2.0;
        double x =
            clamp(mr_plot_x(plot, plot->x.ticks[i]), half + 2.0, plot->chart->width - half - 2.0);
        mr_show_text(plot->ink, plot->x.labels[i], x, plot->bottom + MR_TICK_SIZE + 6.0, 0.5, 0.0);
    }
}

void mr_plot_draw_labels(const mr_plot *plot) {
    const mrcnn_chart *chart = plot->chart;
    char text[MR_TEXT_BYTES];
    cairo_t *cairo = plot->ink->cairo;
    mr_set_color(plot->ink, plot->ink->theme->soft);
    cairo_set_dash(cairo, NULL, 0, 0.0);
    cairo_set_line_width(cairo, 1.0);
    double floor_y = plot->bottom;
    if (!plot->y.is_log && plot->y.low < 0.0 && plot->y.high > 0.0) floor_y = mr_plot_y(plot, 0.0);
    line(plot, plot->left, floor_y, plot->right, floor_y);
    cairo_stroke(cairo);
    draw_tick_labels(plot);
    mr_set_font(plot->ink, MR_LABEL_SIZE, 0);
    if (plot->is_empty)
        mr_show_text(plot->ink, "nothing to show", (plot->left + plot->right) / 2.0,
                     (plot->top + plot->bottom) / 2.0, 0.5, 0.0);
    mr_set_color(plot->ink, plot->ink->theme->text);
    if (chart->x_label) {
        mr_fit_text(plot->ink, chart->x_label, plot->right - plot->left, text);
        mr_show_text(plot->ink, text, (plot->left + plot->right) / 2.0, chart->height - MR_MARGIN,
                     0.5, 0.0);
    }
    if (chart->y_label) {
        char label[MR_TEXT_BYTES];
        snprintf(label, sizeof label, "%s", chart->y_label);
        if (plot->peak > 0.0)
            snprintf(label, sizeof label, "%s (highest: %.3g)", chart->y_label, plot->peak);
        mr_fit_text(plot->ink, label, plot->bottom - plot->top, text);
        mr_show_text(plot->ink, text, MR_MARGIN + MR_LABEL_SIZE * 0.8,
                     (plot->top + plot->bottom) / 2.0, 0.5, -1.5707963267948966);
    }
}

#endif
