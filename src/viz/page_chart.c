/* page_chart.c - charts and grids of a page: as SVG inside of it, light and dark, as a PNG beside it,
 * and their numbers in the JSON. In a build without cairo they are tables of their numbers. */
#include "viz/page_picture.h"

#include "base/memory.h"
#include "base/options.h"

#include <mrcnn/draw.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- drawings */

/* One drawing, light and dark. */
typedef struct drawing {
    char *svg[2];
    size_t length[2];
} drawing;

static void free_drawing(drawing *d) {
    mrcnn_string_free(&d->svg[0]);
    mrcnn_string_free(&d->svg[1]);
}

/* As SVG, and as PNG at `path`. */
static mrcnn_status draw_chart(drawing *d, mrcnn_chart *chart, const char *path, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (int dark = 0; dark < 2 && status == MRCNN_OK; dark++) {
        chart->dark = dark;
        status = mrcnn_chart_svg(chart, &d->svg[dark], &d->length[dark], err);
    }
    chart->dark = 0;
    return status == MRCNN_OK ? mrcnn_chart_write(chart, path, err) : status;
}

static mrcnn_status draw_grid(drawing *d, mrcnn_grid *grid, const char *path, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (int dark = 0; dark < 2 && status == MRCNN_OK; dark++) {
        grid->dark = dark;
        status = mrcnn_grid_svg(grid, &d->svg[dark], &d->length[dark], err);
    }
    grid->dark = 0;
    return status == MRCNN_OK ? mrcnn_grid_write(grid, path, err) : status;
}

/* What the head of an SVG file says of its size, in pixels. */
static int svg_side(const char *svg, const char *which) {
    const char *at = strstr(svg, which);
    double side = 0;
    return at && sscanf(at + strlen(which), "%lf", &side) == 1 ? (int)ceil(side) : 0;
}

static void put_svg(mr_buffer *html, const drawing *d, int dark) {
    mr_buffer_put(html, "data:image/svg+xml;base64,");
    mr_buffer_base64(html, (const uint8_t *)d->svg[dark], d->length[dark]);
}

static void put_drawing(mrcnn_page *page, const char *name, const char *caption, const drawing *d) {
    int width = svg_side(d->svg[0], " width=\""), height = svg_side(d->svg[0], " height=\"");
    mr_page_begin_picture(page, "chart", name, width, height);
    mr_buffer_put(&page->body, "<picture><source media=\"(prefers-color-scheme: dark)\" srcset=\"");
    put_svg(&page->body, d, 1);
    mr_buffer_put(&page->body, "\"><img src=\"");
    put_svg(&page->body, d, 0);
    mr_page_end_picture(page, caption, width, height);
    mr_buffer_put(&page->body, "</picture>");
    mr_page_put_caption(page, caption);
}

/* ------------------------------------------------------------------------------- charts as numbers */

static void put_numbers(mr_buffer *json, const char *key, const double *numbers, size_t count) {
    mr_buffer_format(json, ", \"%s\": ", key);
    if (!numbers) {
        mr_buffer_put(json, "null");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        mr_buffer_put(json, i ? ", " : "[");
        mr_buffer_json_number(json, numbers[i]);
    }
    mr_buffer_put(json, count ? "]" : "[]");
}

static void put_names(mr_buffer *json, const char *key, const char *const *names, size_t count) {
    mr_buffer_format(json, ", \"%s\": ", key);
    if (!names) {
        mr_buffer_put(json, "null");
        return;
    }
    mr_buffer_put(json, "[");
    for (size_t i = 0; i < count; i++) {
        if (i) mr_buffer_put(json, ", ");
        mr_buffer_json(json, names[i]);
    }
    mr_buffer_put(json, "]");
}

static void put_label(mr_buffer *json, const char *key, const char *text) {
    mr_buffer_format(json, ", \"%s\": ", key);
    mr_buffer_json(json, text);
}

static mr_buffer *begin_entry(mrcnn_page *page, mr_page_member member, const char *name,
                              const char *caption, int has_file) {
    if (has_file) return mr_page_picture_entry(page, member, name, caption);
    mr_buffer *json = mr_page_entry(page, member, name);
    mr_buffer_put(json, "{\"file\": null, \"caption\": ");
    mr_buffer_json(json, caption);
    return json;
}

static void put_chart_json(mrcnn_page *page, const char *name, const char *caption,
                           const mrcnn_chart *chart, int has_file) {
    mr_buffer *json = begin_entry(page, MR_PAGE_CHARTS, name, caption, has_file);
    put_label(json, "title", chart->title);
    put_label(json, "x_label", chart->x_label);
    put_label(json, "y_label", chart->y_label);
    put_names(json, "categories", chart->categories, chart->category_count);
    mr_buffer_put(json, ", \"series\": [");
    for (size_t i = 0; i < chart->count; i++) {
        const mrcnn_series *s = &chart->series[i];
        mr_buffer_put(json, i ? ",\n          {\"name\": " : "\n          {\"name\": ");
        mr_buffer_json(json, s->name);
        put_numbers(json, "x", s->x, s->count);
        put_numbers(json, "y", s->y, s->count);
        mr_buffer_put(json, "}");
    }
    mr_buffer_put(json, "]}");
}

static void put_grid_json(mrcnn_page *page, const char *name, const char *caption,
                          const mrcnn_grid *grid, int has_file) {
    mr_buffer *json = begin_entry(page, MR_PAGE_GRIDS, name, caption, has_file);
    size_t rows = (size_t)grid->rows, columns = (size_t)grid->columns;
    put_label(json, "title", grid->title);
    put_label(json, "row_label", grid->row_label);
    put_label(json, "column_label", grid->column_label);
    put_names(json, "row_names", grid->row_names, rows);
    put_names(json, "column_names", grid->column_names, columns);
    mr_buffer_format(json, ", \"rows\": %zu, \"columns\": %zu", rows, columns);
    put_numbers(json, "values", grid->values, rows * columns);
    mr_buffer_put(json, "}");
}

/* -------------------------------------------------------------------------- without cairo: tables */

/* A key in the section for a table that stands for a chart. */
static void table_key(char key[128], const char *name) {
    snprintf(key, 101, "numbers-%s", name);
}

static mrcnn_cell chart_x(const mrcnn_chart *chart, const mrcnn_series *s, size_t i) {
    double x = s->x ? s->x[i] : (double)i;
    int is_category = chart->categories && x >= 0 && x < (double)chart->category_count;
    return is_category ? mrcnn_cell_text(chart->categories[(size_t)x]) : mrcnn_cell_number(x, -1);
}

static mrcnn_status put_chart_table(mrcnn_page *page, const char *name, const char *caption,
                                    const mrcnn_chart *chart, mrcnn_error *err) {
    const char *columns[] = {"series", chart->x_label && *chart->x_label ? chart->x_label : "x",
                             chart->y_label && *chart->y_label ? chart->y_label : "y"};
    char key[128];
    size_t rows = 0, row = 0;
    for (size_t i = 0; i < chart->count; i++) rows += chart->series[i].count;
    mrcnn_cell *cells = mr_calloc(rows, 3 * sizeof *cells);
    if (!cells) return mr_fail_memory(err, rows * 3 * sizeof *cells, "a chart's numbers");
    for (size_t i = 0; i < chart->count; i++)
        for (size_t k = 0; k < chart->series[i].count; k++, row++) {
            cells[3 * row] = mrcnn_cell_text(chart->series[i].name);
            cells[3 * row + 1] = chart_x(chart, &chart->series[i], k);
            cells[3 * row + 2] = mrcnn_cell_number(chart->series[i].y[k], -1);
        }
    table_key(key, name);
    mrcnn_status status = mrcnn_page_table(page, key, caption, columns, 3, cells, rows, err);
    free(cells);
    return status;
}

static mrcnn_status put_grid_table(mrcnn_page *page, const char *name, const char *caption,
                                   const mrcnn_grid *grid, mrcnn_error *err) {
    size_t rows = (size_t)grid->rows, columns = (size_t)grid->columns, width = columns + 1;
    mrcnn_cell *cells = mr_calloc(rows, width * sizeof *cells);
    const char **names = mr_calloc(width, sizeof *names);
    char key[128];
    mrcnn_status status = MRCNN_OK;
    if (cells && names) {
        names[0] = grid->row_label ? grid->row_label : "";
        for (size_t i = 0; i < columns; i++)
            names[i + 1] = grid->column_names ? grid->column_names[i] : "";
        for (size_t r = 0; r < rows; r++) {
            cells[r * width] = mrcnn_cell_text(grid->row_names ? grid->row_names[r] : "");
            for (size_t c = 0; c < columns; c++)
                cells[r * width + c + 1] = mrcnn_cell_number(grid->values[r * columns + c], -1);
        }
        table_key(key, name);
        status = mrcnn_page_table(page, key, caption, names, width, cells, rows, err);
    } else {
        status = mr_fail_memory(err, rows * width * sizeof *cells, "a grid's numbers");
    }
    free(cells);
    free(names);
    return status;
}

/* ------------------------------------------------------------------------------------- the calls */

static mrcnn_status check(const mrcnn_page *page, const char *name, const char *caption,
                          const void *what, mrcnn_error *err) {
    mrcnn_status status = mr_page_check(page, caption, "the caption", err);
    if (status == MRCNN_OK) status = mr_page_check_name(&page->names, name, "the picture", err);
    if (status == MRCNN_OK && !what)
        status = mr_fail(err, MRCNN_E_ARGUMENT, "a page: there is nothing to draw for %s", name);
    return status;
}

/* Where the PNG is drawn, and what it is called. */
typedef struct target {
    char file[128], *part;
} target;

static mrcnn_status choose_target(target *t, const mrcnn_page *page, const char *name,
                                  mrcnn_error *err) {
    snprintf(t->file, sizeof t->file, "%.100s.png", name);
    t->part = mr_page_part(page, t->file, err);
    return t->part ? MRCNN_OK : MRCNN_E_MEMORY;
}

/* What was drawn belongs to the page from now on; what was not is a table by then. */
static mrcnn_status take_drawing(mrcnn_page *page, const char *name, const char *caption,
                                 const drawing *d, target *t, int is_drawn, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    if (is_drawn) {
        status = mr_page_keep(page, t->file, t->part, err);
        t->part = NULL;
    }
    if (status == MRCNN_OK) status = mr_page_take(&page->names, name, "the picture", err);
    if (is_drawn && status == MRCNN_OK) put_drawing(page, name, caption, d);
    return status;
}

/* Functions of cairo's absence fail with a message that nobody shall see: `why` is kept apart. */
mrcnn_status mrcnn_page_chart(mrcnn_page *page, const char *name, const char *caption,
                              const mrcnn_chart *given, mrcnn_error *err) {
    mrcnn_chart chart = mrcnn_chart_default();
    mrcnn_error why = MRCNN_ERROR_INIT;
    drawing d = {.length = {0, 0}};
    target t = {.part = NULL};
    mrcnn_status status = check(page, name, caption, given, &why);
    if (status == MRCNN_OK)
        status = mr_take_options(&chart, sizeof chart, given, "mrcnn_chart", &why);
    chart.size = sizeof chart;
    if (status == MRCNN_OK) status = choose_target(&t, page, name, &why);
    if (status == MRCNN_OK) status = draw_chart(&d, &chart, t.part, &why);
    int is_drawn = status == MRCNN_OK;
    if (status == MRCNN_E_UNSUPPORTED) status = put_chart_table(page, name, caption, &chart, &why);
    if (status == MRCNN_OK) status = take_drawing(page, name, caption, &d, &t, is_drawn, &why);
    if (status == MRCNN_OK) put_chart_json(page, name, caption, &chart, is_drawn);
    free(t.part);
    free_drawing(&d);
    if (status != MRCNN_OK) return mr_fail(err, status, "%s", why.message);
    return mr_page_status(page, err);
}

mrcnn_status mrcnn_page_grid(mrcnn_page *page, const char *name, const char *caption,
                             const mrcnn_grid *given, mrcnn_error *err) {
    mrcnn_grid grid = mrcnn_grid_default();
    mrcnn_error why = MRCNN_ERROR_INIT;
    drawing d = {.length = {0, 0}};
    target t = {.part = NULL};
    mrcnn_status status = check(page, name, caption, given, &why);
    if (status == MRCNN_OK) status = mr_take_options(&grid, sizeof grid, given, "mrcnn_grid", &why);
    grid.size = sizeof grid;
    if (status == MRCNN_OK) status = choose_target(&t, page, name, &why);
    if (status == MRCNN_OK) status = draw_grid(&d, &grid, t.part, &why);
    int is_drawn = status == MRCNN_OK;
    if (status == MRCNN_E_UNSUPPORTED) status = put_grid_table(page, name, caption, &grid, &why);
    if (status == MRCNN_OK) status = take_drawing(page, name, caption, &d, &t, is_drawn, &why);
    if (status == MRCNN_OK) put_grid_json(page, name, caption, &grid, is_drawn);
    free(t.part);
    free_drawing(&d);
    if (status != MRCNN_OK) return mr_fail(err, status, "%s", why.message);
    return mr_page_status(page, err);
}
