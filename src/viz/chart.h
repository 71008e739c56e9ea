/* chart.h - what the parts of a chart share: where the plot lies, and the axes. Private to charts. */
#ifndef MR_VIZ_CHART_H
#define MR_VIZ_CHART_H

#ifdef MRCNN_WITH_CAIRO

#include "viz/ink.h"
#include "viz/scale.h"

#include <mrcnn/draw.h>

typedef struct mr_plot {
    const mrcnn_chart *chart;
    const mr_ink *ink;
    double left, top, right, bottom; /* of the plot, points of the paper */
    mr_scale x, y;
    int is_empty;                  /* nothing can be drawn */
    double peak;                   /* a value that lies far beyond the plot; 0: none */
    int names_turned, names_every; /* of categories: written at a slant; each so-manieth */
} mr_plot;

/* Sizes of text, and the room between things. */
#define MR_TITLE_SIZE 15.0
#define MR_LABEL_SIZE 12.0
#define MR_TICK_SIZE 11.0
#define MR_MARGIN 14.0

double mr_plot_x(const mr_plot *plot, double value);
double mr_plot_y(const mr_plot *plot, double value);

mr_color mr_series_color(const mr_plot *plot, size_t index);

/* How many names an axis of categories has; 0 for an axis of numbers. */
size_t mr_category_count(const mrcnn_chart *chart);

/* Chooses the axes and the place of the plot; `top` is where title and legend end. */
void mr_plot_lay_out(mr_plot *plot, double top);
void mr_plot_draw_axes(const mr_plot *plot);
/* Ticks' labels and the axes' names. */
void mr_plot_draw_labels(const mr_plot *plot);

mrcnn_status mr_plot_draw_series(const mr_plot *plot, mrcnn_error *err);

/* Title and legend; returns where they end. */
double mr_chart_draw_head(const mr_ink *ink, const mrcnn_chart *chart);
/* Sets colour, width and dashes of a series' line. */
void mr_set_series_line(const mr_ink *ink, const mrcnn_chart *chart, size_t index, double width);
mr_color mr_color_of_series(const mr_ink *ink, const mrcnn_chart *chart, size_t index);

#endif
#endif
