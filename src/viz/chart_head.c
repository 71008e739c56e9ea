/* chart_head.c - a chart's title and legend, above the plot, where they hide nothing. */
#include "viz/chart.h"

#ifdef MRCNN_WITH_CAIRO

#include <math.h>
#include <stdio.h>

static const double SAMPLE = 20.0, GAP = 6.0, BETWEEN = 18.0, ROW = 18.0,
                    MORE = 72.0; /* for "+12 more" */

mr_color mr_color_of_series(const mr_ink *ink, const mrcnn_chart *chart, size_t index) {
    int color = chart->series[index].color;
    size_t place = color < 0 ? index : (size_t)color;
    return ink->theme->series[place % MR_SERIES_COLORS];
}

/* When the palette begins again, dashes tell its second use from its first. */
void mr_set_series_line(const mr_ink *ink, const mrcnn_chart *chart, size_t index, double width) {
    static const double dashes[] = {5.0, 3.0}, dots[] = {1.5, 2.5};
    int color = chart->series[index].color;
    size_t round = (color < 0 ? index : (size_t)color) / MR_SERIES_COLORS;
    mr_set_color(ink, mr_color_of_series(ink, chart, index));
    cairo_set_line_width(ink->cairo, width);
    cairo_set_line_join(ink->cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_cap(ink->cairo, CAIRO_LINE_CAP_BUTT);
    if (chart->series[index].dashed)
        cairo_set_dash(ink->cairo, dashes, 2, 0.0);
    else if (round > 0)
        cairo_set_dash(ink->cairo, dots, 2, 0.0);
    else
        cairo_set_dash(ink->cairo, NULL, 0, 0.0);
}

static void draw_sample(const mr_ink *ink, const mrcnn_chart *chart, size_t index, double x,
                        double y) {
    double middle = y - 0.32 * MR_LABEL_SIZE;
    mr_set_series_line(ink, chart, index, 2.0);
    switch (chart->series[index].kind) {
    case MRCNN_SERIES_BARS: cairo_rectangle(ink->cairo, x + 6.0, middle - 5.0, 10.0, 10.0); break;
    case MRCNN_SERIES_POINTS:
        cairo_arc(ink->cairo, x + SAMPLE / 2.0, middle, 3.0, 0.0, 6.2831853071795865);
        break;
    default:
        cairo_move_to(ink->cairo, x, middle);
        cairo_line_to(ink->cairo, x + SAMPLE, middle);
        cairo_stroke(ink->cairo);
        return;
    }
    cairo_fill(ink->cairo);
}

static size_t count_named(const mrcnn_chart *chart) {
    size_t named = 0;
    for (size_t i = 0; i < chart->count; i++)
        if (chart->series[i].name && chart->series[i].name[0]) named++;
    return named;
}

/* Rows of "-- name"; a third of the chart's height at most, then "+12 more". Returns where it ends. */
static double draw_legend(const mr_ink *ink, const mrcnn_chart *chart, double y) {
    char text[MR_TEXT_BYTES];
    double x = MR_MARGIN, right = chart->width - MR_MARGIN,
           last_row = y + chart->height / 3.0 - ROW;
    size_t left = count_named(chart);
    mr_set_font(ink, MR_LABEL_SIZE, 0);
    y += ROW;
    for (size_t i = 0; i < chart->count && left > 0; i++) {
        if (!chart->series[i].name || !chart->series[i].name[0]) continue;
        double spare = y + ROW > last_row && left > 1 ? MORE : 0.0;
        double room = fmin((right - MR_MARGIN) / 2.0, right - MR_MARGIN - SAMPLE - GAP - spare);
        double width = SAMPLE + GAP + mr_fit_text(ink, chart->series[i].name, room, text);
        if (x + width > right - spare && x > MR_MARGIN) {
            if (spare > 0.0) break;
            x = MR_MARGIN;
            y += ROW;
        }
        draw_sample(ink, chart, i, x, y);
        mr_set_color(ink, ink->theme->text);
        mr_show_text(ink, text, x + SAMPLE + GAP, y, 0.0, 0.0);
        x += width + BETWEEN;
        left--;
    }
    if (left > 0) {
        char more[40];
        snprintf(more, sizeof more, "+%zu more", left);
        mr_fit_text(ink, more, right - x, text);
        mr_set_color(ink, ink->theme->soft);
        mr_show_text(ink, text, x, y, 0.0, 0.0);
    }
    return y + 4.0;
}

double mr_chart_draw_head(const mr_ink *ink, const mrcnn_chart *chart) {
    char text[MR_TEXT_BYTES];
    double y = MR_MARGIN;
    if (chart->title && chart->title[0]) {
        mr_set_font(ink, MR_TITLE_SIZE, 1);
        mr_set_color(ink, ink->theme->text);
        mr_fit_text(ink, chart->title, chart->width - 2.0 * MR_MARGIN, text);
        mr_show_text(ink, text, MR_MARGIN, y + MR_TITLE_SIZE * 0.8, 0.0, 0.0);
        y += MR_TITLE_SIZE + 3.0;
    }
    return count_named(chart) > 0 ? draw_legend(ink, chart, y) : y;
}

#endif
