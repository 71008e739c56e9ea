/* chart.c - charts from the outside: options, checks, and the order in which things are drawn. */
#include "viz/chart.h"

#include "base/memory.h"
#include "base/options.h"
#include "viz/paper.h"

#include <mrcnn/draw.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_LEAST = 160, SIDE_MOST = 8192, SERIES_MOST = 1000, CHARTS_MOST = 64, COLUMNS_MOST = 8 };

mrcnn_chart mrcnn_chart_default(void) {
    return (mrcnn_chart){.size = sizeof(mrcnn_chart), .width = 640, .height = 400, .scale = 2.0};
}

static mrcnn_status check_series(const mrcnn_series *series, size_t index, mrcnn_error *err) {
    if (series->count > 0 && !series->y)
        return mr_fail(err, MRCNN_E_ARGUMENT, "chart: series %zu has %zu values but y is NULL",
                       index, series->count);
    if ((int)series->kind < MRCNN_SERIES_LINE || (int)series->kind > MRCNN_SERIES_BARS)
        return mr_fail(err, MRCNN_E_ARGUMENT, "chart: series %zu is of kind %d; there is 0 to %d",
                       index, (int)series->kind, (int)MRCNN_SERIES_BARS);
    return MRCNN_OK;
}

static int is_range(double low, double high) {
    return low == high || (low < high && fabs(low) <= 1e300 && fabs(high) <= 1e300);
}

static mrcnn_status check_axes(const mrcnn_chart *chart, mrcnn_error *err) {
    if (!is_range(chart->x_low, chart->x_high) || !is_range(chart->y_low, chart->y_high))
        return mr_fail(
            err, MRCNN_E_ARGUMENT,
            "chart: axes from %g to %g and from %g to %g; each must rise, or both ends be "
            "equal",
            chart->x_low, chart->x_high, chart->y_low, chart->y_high);
    if (chart->log_y && chart->y_low < chart->y_high && !(chart->y_low > 0.0))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "chart: a logarithmic axis can't begin at %g; it must be above 0",
                       chart->y_low);
    return MRCNN_OK;
}

static mrcnn_status take_chart(mrcnn_chart *chart, const mrcnn_chart *given, mrcnn_error *err) {
    *chart = mrcnn_chart_default();
    if (!given) return mr_fail(err, MRCNN_E_ARGUMENT, "there is no chart to draw");
    mrcnn_status status = mr_take_options(chart, sizeof *chart, given, "mrcnn_chart", err);
    if (status != MRCNN_OK) return status;
    if (chart->width < SIDE_LEAST || chart->width > SIDE_MOST || chart->height < SIDE_LEAST ||
        chart->height > SIDE_MOST)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "chart: its size is %d x %d; a side may have %d to %d", chart->width,
                       chart->height, SIDE_LEAST, SIDE_MOST);
    if (!(chart->scale >= 0.5 && chart->scale <= 8.0))
        return mr_fail(err, MRCNN_E_ARGUMENT, "chart: scale is %g; it must be 0.5 .. 8",
                       chart->scale);
    if (chart->count > SERIES_MOST || (chart->count > 0 && !chart->series))
        return mr_fail(err, MRCNN_E_ARGUMENT, "chart: %zu series; it must be 0 .. %d, with series",
                       chart->count, SERIES_MOST);
    status = check_axes(chart, err);
    for (size_t i = 0; i < chart->count && status == MRCNN_OK; i++)
        status = check_series(&chart->series[i], i, err);
    return status;
}

/* Charts in rows and columns, each of its own size. */
typedef struct chart_sheet {
    size_t count, columns;
    mrcnn_chart *charts; /* checked */
} chart_sheet;

/* Where chart `index` begins, and where the last one ends. */
static void find_place(const chart_sheet *sheet, size_t index, double *left, double *top) {
    size_t column = index % sheet->columns, row = index / sheet->columns;
    double widest[COLUMNS_MOST] = {0.0}, highest = 0.0;
    *left = *top = 0.0;
    for (size_t i = 0; i < sheet->count; i++) {
        const mrcnn_chart *chart = &sheet->charts[i];
        widest[i % sheet->columns] = fmax(widest[i % sheet->columns], chart->width);
        if (i / sheet->columns >= row) continue;
        highest = fmax(i % sheet->columns == 0 ? 0.0 : highest, chart->height);
        if (i % sheet->columns + 1 == sheet->columns) *top += highest;
    }
    for (size_t i = 0; i < column; i++) *left += widest[i];
}

#ifdef MRCNN_WITH_CAIRO

static mrcnn_status draw_chart(const mrcnn_chart *chart, const mr_ink *ink, mrcnn_error *err) {
    mr_plot plot;
    memset(&plot, 0, sizeof plot);
    plot.chart = chart;
    plot.ink = ink;
    mr_plot_lay_out(&plot, mr_chart_draw_head(ink, chart));
    mr_plot_draw_axes(&plot);
    mrcnn_status status = mr_plot_draw_series(&plot, err);
    mr_plot_draw_labels(&plot);
    return status;
}

static mrcnn_status draw_sheet(void *context, const mr_ink *ink, mrcnn_error *err) {
    const chart_sheet *sheet = context;
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < sheet->count && status == MRCNN_OK; i++) {
        double left, top;
        find_place(sheet, i, &left, &top);
        cairo_save(ink->cairo);
        cairo_translate(ink->cairo, left, top);
        status = draw_chart(&sheet->charts[i], ink, err);
        cairo_restore(ink->cairo);
    }
    return status;
}

#else

static mrcnn_status draw_sheet(void *context, const mr_ink *ink, mrcnn_error *err) {
    (void)context, (void)ink;
    return mr_fail_no_cairo("a chart", err);
}

#endif

static mr_paper paper_of(chart_sheet *sheet) {
    mr_paper paper = {0.0, 0.0, sheet->charts[0].scale, sheet->charts[0].dark, draw_sheet, sheet};
    for (size_t i = 0; i < sheet->count; i++) {
        double left, top;
        find_place(sheet, i, &left, &top);
        paper.width = fmax(paper.width, left + sheet->charts[i].width);
        paper.height = fmax(paper.height, top + sheet->charts[i].height);
    }
    return paper;
}

mrcnn_status mrcnn_charts_write(const mrcnn_chart *const *given, size_t count, int columns,
                                const char *path, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    if (!given || count < 1 || count > CHARTS_MOST || columns < 1 || columns > COLUMNS_MOST)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "charts: %zu in %d columns; there may be 1 to %d in 1 to %d", count, columns,
                       CHARTS_MOST, COLUMNS_MOST);
    if (!path || !*path)
        return mr_fail(err, MRCNN_E_ARGUMENT, "there is no name for the chart's file");
    chart_sheet sheet = {count, (size_t)columns, mr_calloc(count, sizeof *sheet.charts)};
    if (!sheet.charts) return mr_fail_memory(err, count * sizeof *sheet.charts, "charts");
    for (size_t i = 0; i < count && status == MRCNN_OK; i++)
        status = take_chart(&sheet.charts[i], given[i], err);
    if (status == MRCNN_OK) {
        mr_paper paper = paper_of(&sheet);
        status = mr_paper_write(&paper, path, "a chart", err);
    }
    free(sheet.charts);
    return status;
}

mrcnn_status mrcnn_chart_write(const mrcnn_chart *given, const char *path, mrcnn_error *err) {
    return mrcnn_charts_write(&given, 1, 1, path, err);
}

mrcnn_status mrcnn_chart_svg(const mrcnn_chart *given, char **svg, size_t *length,
                             mrcnn_error *err) {
    mrcnn_chart chart;
    size_t bytes;
    mrcnn_status status = take_chart(&chart, given, err);
    if (status != MRCNN_OK) return status;
    if (!svg) return mr_fail(err, MRCNN_E_ARGUMENT, "there is nowhere to put the chart's SVG");
    chart_sheet sheet = {1, 1, &chart};
    mr_paper paper = paper_of(&sheet);
    return mr_paper_svg(&paper, svg, length ? length : &bytes, "a chart", err);
}
