/* show.c - see show.h. */
#include "show.h"

#include "files.h"
#include "model.h"
#include "save.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BINS = 100 };

static int is_well(const show *s) {
    return s->page && s->err.status == MRCNN_OK;
}

int show_open(show *s, const char *folder, const char *title) {
    *s = (show){.page = NULL};
    char *clean = text_printable(title);
    mrcnn_status status = mrcnn_page_create(&s->page, folder, clean, &s->err);
    free(clean);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&s->err);
}

int show_failed(show *s, mrcnn_status status, const mrcnn_error *err) {
    if (status != MRCNN_OK && s->err.status == MRCNN_OK) s->err = *err;
    return status != MRCNN_OK;
}

int show_close(show *s, int code, const char *folder) {
    if (code == EXIT_DONE && is_well(s)) (void)mrcnn_page_finish(s->page, &s->err);
    if (code == EXIT_DONE && s->err.status != MRCNN_OK) code = fail_with(&s->err);
    if (code == EXIT_DONE) {
        char *page = path_join(folder, "report.html");
        printf("%s\n", page);
        free(page);
    }
    mrcnn_page_free(&s->page);
    text_list_free(&s->kept);
    return code;
}

/* ------------------------------------------------------------------------------------- elements */

static char *format_text(const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = text_grow(NULL, (size_t)(length < 0 ? 0 : length) + 1, 1);
    *text = 0;
    if (length > 0) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void show_section(show *s, const char *id, const char *title, const char *about) {
    if (is_well(s)) (void)mrcnn_page_section(s->page, id, title, about, &s->err);
}

void show_heading(show *s, const char *title) {
    if (is_well(s)) (void)mrcnn_page_heading(s->page, title, &s->err);
}

void show_text(show *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = format_text(format, args);
    va_end(args);
    if (is_well(s)) (void)mrcnn_page_text(s->page, text, &s->err);
    free(text);
}

void show_note(show *s, mrcnn_tone tone, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = format_text(format, args);
    va_end(args);
    if (is_well(s)) (void)mrcnn_page_note(s->page, tone, text, &s->err);
    free(text);
}

void show_figure(show *s, const char *key, const char *label, double value, const char *unit) {
    if (is_well(s)) (void)mrcnn_page_figure(s->page, key, label, value, unit, &s->err);
}

void show_count(show *s, const char *key, const char *label, size_t count) {
    show_figure(s, key, label, (double)count, NULL);
}

void show_table(show *s, const char *key, const char *title, const char *const *columns,
                size_t column_count, const mrcnn_cell *cells, size_t rows) {
    if (is_well(s))
        (void)mrcnn_page_table(s->page, key, title, columns, column_count, cells, rows, &s->err);
}

void show_image(show *s, const char *name, const char *caption, const mrcnn_image *image) {
    if (is_well(s)) (void)mrcnn_page_image(s->page, name, caption, image, &s->err);
}

void show_chart(show *s, const char *name, const char *caption, const mrcnn_chart *chart) {
    if (is_well(s)) (void)mrcnn_page_chart(s->page, name, caption, chart, &s->err);
}

void show_grid(show *s, const char *name, const char *caption, const mrcnn_grid *grid) {
    if (is_well(s)) (void)mrcnn_page_grid(s->page, name, caption, grid, &s->err);
}

mrcnn_cell show_cell(show *s, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *text = format_text(format, args);
    va_end(args);
    text_list_add(&s->kept, text);
    return mrcnn_cell_text(text);
}

/* -------------------------------------------------------------------------------------- drawings */

void show_marks(show *s, const char *name, const char *caption, const mrcnn_image *image,
                const mrcnn_mark *marks, size_t count) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image drawn = {0};
    if (!is_well(s)) return;
    mrcnn_status status = mrcnn_draw_marks(&drawn, image, marks, count, &err);
    if (status == MRCNN_E_UNSUPPORTED)
        show_image(s, name, caption, image);
    else if (!show_failed(s, status, &err))
        show_image(s, name, caption, &drawn);
    mrcnn_image_free(&drawn);
}

void show_instances(show *s, const char *name, const char *caption, const mrcnn_image *image,
                    const mrcnn_result *result, int captions) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_draw_options options = mrcnn_draw_options_default();
    mrcnn_image drawn = {0};
    if (!is_well(s)) return;
    options.captions = captions && overlay_has_lines();
    if (!overlay_has_lines()) options.contours = options.boxes = 0;
    mrcnn_status status = mrcnn_draw_instances(&drawn, image, result, &options, &err);
    if (!show_failed(s, status, &err)) show_image(s, name, caption, &drawn);
    mrcnn_image_free(&drawn);
}

void show_sheet(show *s, const char *name, const char *caption, mrcnn_sheet **sheet) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    if (is_well(s) && !show_failed(s, mrcnn_sheet_image(*sheet, &image, &err), &err))
        show_image(s, name, caption, &image);
    mrcnn_image_free(&image);
    mrcnn_sheet_free(sheet);
}

/* ----------------------------------------------------------------------------------- histograms */

typedef struct range {
    double low, width; /* of the first bin; of each */
    size_t bins;
} range;

static range find_range(const double *values, size_t count, size_t bins) {
    double low = INFINITY, high = -INFINITY;
    int whole = 1;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
        whole &= values[i] == floor(values[i]);
    }
    if (low > high) return (range){0, 1, 0};
    if (whole && high - low < (double)bins) /* a bar a number */
        return (range){low - 0.5, 1, (size_t)(high - low) + 1};
    return (range){low, (high - low) / (double)bins, high > low ? bins : 1};
}

void show_histogram(show *s, const char *name, const char *caption, const char *x_label,
                    const double *values, size_t count, size_t bins) {
    double x[MOST_BINS], y[MOST_BINS] = {0};
    range r = find_range(values, count, bins < MOST_BINS ? bins : MOST_BINS);
    if (r.bins == 0) return;
    for (size_t i = 0; i < r.bins; i++) x[i] = r.low + r.width * ((double)i + 0.5);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i])) continue;
        double bin = r.width > 0 ? (values[i] - r.low) / r.width : 0;
        y[bin < (double)r.bins ? (size_t)bin : r.bins - 1]++;
    }
    mrcnn_series bars = {.kind = MRCNN_SERIES_BARS, .count = r.bins, .x = x, .y = y, .color = -1};
    mrcnn_chart chart = mrcnn_chart_default();
    chart.x_label = x_label;
    chart.y_label = "count";
    chart.count = 1;
    chart.series = &bars;
    chart.width = SHOW_CHART_WIDTH;
    chart.height = SHOW_CHART_HEIGHT;
    show_chart(s, name, caption, &chart);
}

void show_bars(show *s, const char *name, const char *caption, const char *y_label,
               const char *const *names, const double *values, size_t count) {
    if (count == 0) return;
    mrcnn_series bars = {.kind = MRCNN_SERIES_BARS, .count = count, .y = values, .color = -1};
    mrcnn_chart chart = mrcnn_chart_default();
    chart.y_label = y_label;
    chart.count = 1;
    chart.series = &bars;
    chart.categories = names;
    chart.category_count = count;
    chart.width = SHOW_CHART_WIDTH;
    chart.height = SHOW_CHART_HEIGHT;
    show_chart(s, name, caption, &chart);
}
