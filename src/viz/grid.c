/* grid.c - tables of shaded cells. The paper's size follows from rows, columns and names. */
#include "viz/paper.h"

#include "base/options.h"
#include "viz/ink.h"
#include "viz/shade.h"

#include <mrcnn/draw.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MOST = 1000 };

mrcnn_grid mrcnn_grid_default(void) {
    return (mrcnn_grid){.size = sizeof(mrcnn_grid), .scale = 2.0};
}

static mrcnn_status take_grid(mrcnn_grid *grid, const mrcnn_grid *given, mrcnn_error *err) {
    *grid = mrcnn_grid_default();
    if (!given) return mr_fail(err, MRCNN_E_ARGUMENT, "there is no grid to draw");
    mrcnn_status status = mr_take_options(grid, sizeof *grid, given, "mrcnn_grid", err);
    if (status != MRCNN_OK) return status;
    if (grid->rows < 1 || grid->columns < 1 || grid->rows > SIDE_MOST || grid->columns > SIDE_MOST)
        return mr_fail(err, MRCNN_E_ARGUMENT, "grid: %d x %d cells; a side may have 1 to %d",
                       grid->columns, grid->rows, SIDE_MOST);
    if (!grid->values) return mr_fail(err, MRCNN_E_ARGUMENT, "grid: values is NULL");
    if (!(grid->scale >= 0.5 && grid->scale <= 8.0))
        return mr_fail(err, MRCNN_E_ARGUMENT, "grid: scale is %g; it must be 0.5 .. 8",
                       grid->scale);
    if (!(grid->low <= grid->high) || !isfinite(grid->low) || !isfinite(grid->high))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "grid: colours from %g to %g; low can't be above high", grid->low,
                       grid->high);
    return MRCNN_OK;
}

#ifdef MRCNN_WITH_CAIRO

static const double MARGIN = 14.0, TITLE = 15.0, LABEL = 12.0, NAME = 11.0, NAME_ROOM = 150.0,
                    TITLE_ROOM = 420.0;

typedef struct layout {
    mrcnn_grid grid; /* with colours chosen */
    double left, top, cell_width, cell_height, width, height;
    double text;  /* size of the cells' texts; 0: none */
    int turned;   /* names of columns are written upwards */
    int is_whole; /* all values are whole numbers */
} layout;

static void look_at_values(layout *l) {
    mrcnn_grid *grid = &l->grid;
    double low = INFINITY, high = -INFINITY;
    l->is_whole = 1;
    for (size_t i = 0; i < (size_t)grid->rows * (size_t)grid->columns; i++) {
        double value = grid->values[i];
        if (!isfinite(value)) continue;
        low = fmin(low, value);
        high = fmax(high, value);
        if (value != floor(value)) l->is_whole = 0;
    }
    if (grid->low < grid->high) return;
    grid->low = low <= high ? low : 0.0;
    grid->high = low <= high ? high : 0.0;
}

/* What a cell says; "" for nothing. */
static void cell_text(const layout *l, size_t i, char text[MR_TEXT_BYTES], const mr_ink *ink) {
    const mrcnn_grid *grid = &l->grid;
    double value = grid->values[i];
    char number[64] = "";
    /* Hundredths by hand: printf would use the locale's decimal comma. */
    if (isfinite(value) && fabs(value) < 1e9) {
        long long hundredths = llround(fabs(value) * 100.0);
        const char *sign = value < 0.0 && hundredths > 0 ? "-" : "";
        if (l->is_whole)
            snprintf(number, sizeof number, "%s%lld", sign, hundredths / 100);
        else
            snprintf(number, sizeof number, "%s%lld.%02lld", sign, hundredths / 100,
                     hundredths % 100);
    } else if (isfinite(value)) {
        snprintf(number, sizeof number, "%.0e", value);
    }
    mr_fit_text(ink, grid->texts ? grid->texts[i] : number, 1e6, text);
}

static double widest_name(const mr_ink *ink, const char *const *names, int count) {
    char text[MR_TEXT_BYTES];
    double widest = 0.0;
    mr_set_font(ink, NAME, 0);
    for (int i = 0; names && i < count; i++)
        widest = fmax(widest, mr_fit_text(ink, names[i], NAME_ROOM, text));
    return widest;
}

static double widest_cell(const layout *l, const mr_ink *ink) {
    const mrcnn_grid *grid = &l->grid;
    char text[MR_TEXT_BYTES];
    double widest = 0.0;
    mr_set_font(ink, NAME, 0);
    for (size_t i = 0; i < (size_t)grid->rows * (size_t)grid->columns; i++) {
        cell_text(l, i, text, ink);
        widest = fmax(widest, mr_text_width(ink, text));
    }
    return widest;
}

/* The sides of cells: as large as their texts want, less where there are many. */
static void choose_cells(layout *l, const mr_ink *ink) {
    double text = widest_cell(l, ink);
    double room = 1100.0 / l->grid.columns;
    l->cell_width = fmin(fmax(fmax(40.0, text + 10.0), 0.0), fmax(room, 3.0));
    l->cell_height =
        fmin(fmin(fmax(l->cell_width * 0.6, 24.0), 32.0), fmax(900.0 / l->grid.rows, 3.0));
    if (l->cell_width < 24.0 || l->cell_height < 14.0)
        l->cell_width = l->cell_height = fmin(l->cell_width, l->cell_height);
    double fits = text > 0.0 ? NAME * (l->cell_width - 4.0) / text : NAME;
    fits = fmin(fmin(fits, NAME), l->cell_height * 0.7);
    l->text = fits >= 6.5 ? fits : 0.0;
}

/* Of a title, as much of it as is worth wide paper. */
static double width_of(const mr_ink *ink, const char *title, double size) {
    char text[MR_TEXT_BYTES];
    mr_set_font(ink, size, 1);
    return mr_fit_text(ink, title, TITLE_ROOM, text) + 1.0;
}

static void lay_out(layout *l, const mr_ink *ink) {
    const mrcnn_grid *grid = &l->grid;
    choose_cells(l, ink);
    double rows = widest_name(ink, grid->row_names, grid->rows);
    double columns = widest_name(ink, grid->column_names, grid->columns);
    l->turned = columns + 6.0 > l->cell_width;
    l->left = MARGIN + (grid->row_label ? LABEL + 8.0 : 0.0) + (rows > 0.0 ? rows + 8.0 : 0.0);
    l->top = MARGIN + (grid->title ? TITLE + 8.0 : 0.0) + (grid->column_label ? LABEL + 8.0 : 0.0) +
             (columns > 0.0 ? (l->turned ? columns : NAME) + 8.0 : 0.0);
    l->width = fmax(l->left + grid->columns * l->cell_width + MARGIN, 160.0);
    l->width = fmax(l->width, 2.0 * MARGIN + width_of(ink, grid->title, TITLE));
    l->width = fmax(l->width, l->left + MARGIN + width_of(ink, grid->column_label, LABEL));
    l->height = l->top + grid->rows * l->cell_height + MARGIN + (l->text > 0.0 ? 0.0 : 40.0);
}

static void draw_cell(const layout *l, const mr_ink *ink, int row, int column) {
    const mrcnn_grid *grid = &l->grid;
    char text[MR_TEXT_BYTES];
    size_t i = (size_t)row * (size_t)grid->columns + (size_t)column;
    double x = l->left + column * l->cell_width, y = l->top + row * l->cell_height;
    double line = l->cell_width >= 8.0 ? 1.0 : 0.0;
    mr_color color = ink->theme->paper;
    if (!isnan(grid->values[i])) {
        color = mr_shade(grid->values[i], grid->low, grid->high, grid->dark);
        mr_set_color(ink, color);
        cairo_rectangle(ink->cairo, x, y, l->cell_width - line, l->cell_height - line);
        cairo_fill(ink->cairo);
    }
    if (l->text <= 0.0) return;
    mr_set_font(ink, l->text, 0);
    cell_text(l, i, text, ink);
    mr_set_color(ink, mr_readable_on(color));
    mr_show_text(ink, text, x + (l->cell_width - line) / 2.0,
                 y + (l->cell_height - line) / 2.0 + 0.36 * l->text, 0.5, 0.0);
}

/* Each so-manieth name, where there is no room for all. */
static int names_every(double room) {
    return (int)ceil((NAME + 1.0) / room);
}

static void draw_names(const layout *l, const mr_ink *ink) {
    const mrcnn_grid *grid = &l->grid;
    char text[MR_TEXT_BYTES];
    mr_set_font(ink, NAME, 0);
    mr_set_color(ink, ink->theme->text);
    for (int i = 0; grid->row_names && i < grid->rows; i += names_every(l->cell_height)) {
        mr_fit_text(ink, grid->row_names[i], NAME_ROOM, text);
        mr_show_text(ink, text, l->left - 7.0, l->top + (i + 0.5) * l->cell_height + 0.33 * NAME,
                     1.0, 0.0);
    }
    int every = l->turned ? names_every(l->cell_width) : 1;
    for (int i = 0; grid->column_names && i < grid->columns; i += every) {
        double x = l->left + (i + 0.5) * l->cell_width;
        mr_fit_text(ink, grid->column_names[i], NAME_ROOM, text);
        if (l->turned)
            mr_show_text(ink, text, x + 0.33 * NAME, l->top - 7.0, 0.0, -1.5707963267948966);
        else
            mr_show_text(ink, text, x, l->top - 7.0, 0.5, 0.0);
    }
}

static void draw_title(const layout *l, const mr_ink *ink) {
    const mrcnn_grid *grid = &l->grid;
    char text[MR_TEXT_BYTES];
    double y = MARGIN;
    mr_set_color(ink, ink->theme->text);
    if (grid->title) {
        mr_set_font(ink, TITLE, 1);
        mr_fit_text(ink, grid->title, l->width - 2.0 * MARGIN, text);
        mr_show_text(ink, text, MARGIN, y + 0.8 * TITLE, 0.0, 0.0);
        y += TITLE + 8.0;
    }
    mr_set_font(ink, LABEL, 1);
    mr_set_color(ink, ink->theme->soft);
    if (grid->column_label) {
        mr_fit_text(ink, grid->column_label, l->width - l->left - MARGIN, text);
        mr_show_text(ink, text, l->left, y + 0.8 * LABEL, 0.0, 0.0);
    }
    if (grid->row_label) {
        double bottom = l->top + grid->rows * l->cell_height; /* it may go on above the cells */
        mr_fit_text(ink, grid->row_label, bottom - y, text);
        mr_show_text(ink, text, MARGIN + 0.8 * LABEL, bottom, 0.0, -1.5707963267948966);
    }
}

/* What the colours mean, where the cells don't say it. */
static void draw_key(const layout *l, const mr_ink *ink) {
    enum { PARTS = 64 };
    const mrcnn_grid *grid = &l->grid;
    double x = MARGIN, y = l->height - MARGIN - 24.0, width = fmin(160.0, l->width - 2.0 * MARGIN);
    char text[32];
    for (int i = 0; i < PARTS; i++) {
        double value = grid->low + (grid->high - grid->low) * i / (PARTS - 1.0);
        mr_set_color(ink, mr_shade(value, grid->low, grid->high, grid->dark));
        cairo_rectangle(ink->cairo, x + width * i / PARTS, y, width / PARTS + 0.5, 8.0);
        cairo_fill(ink->cairo);
    }
    mr_set_font(ink, NAME, 0);
    mr_set_color(ink, ink->theme->soft);
    mr_short_number(grid->low, text);
    mr_show_text(ink, text, x, y + 8.0 + NAME + 3.0, 0.0, 0.0);
    mr_short_number(grid->high, text);
    mr_show_text(ink, text, x + width, y + 8.0 + NAME + 3.0, 1.0, 0.0);
}

static mrcnn_status draw_grid(void *context, const mr_ink *ink, mrcnn_error *err) {
    const layout *l = context;
    (void)err;
    for (int row = 0; row < l->grid.rows; row++)
        for (int column = 0; column < l->grid.columns; column++) draw_cell(l, ink, row, column);
    draw_names(l, ink);
    draw_title(l, ink);
    if (l->text <= 0.0) draw_key(l, ink);
    return MRCNN_OK;
}

/* Text has to be measured before there is paper. */
static mr_paper make_paper(layout *l) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, 1, 1);
    cairo_t *cairo = cairo_create(surface);
    mr_ink ink = mr_ink_on(cairo, l->grid.dark);
    look_at_values(l);
    lay_out(l, &ink);
    cairo_destroy(cairo);
    cairo_surface_destroy(surface);
    return (mr_paper){l->width, l->height, l->grid.scale, l->grid.dark, draw_grid, l};
}

#else

typedef struct layout {
    mrcnn_grid grid;
} layout;

static mr_paper make_paper(layout *l) {
    return (mr_paper){1.0, 1.0, l->grid.scale, l->grid.dark, NULL, NULL};
}

#endif

mrcnn_status mrcnn_grid_write(const mrcnn_grid *given, const char *path, mrcnn_error *err) {
    layout l;
    memset(&l, 0, sizeof l);
    mrcnn_status status = take_grid(&l.grid, given, err);
    if (status != MRCNN_OK) return status;
    if (!path || !*path)
        return mr_fail(err, MRCNN_E_ARGUMENT, "there is no name for the grid's file");
    mr_paper paper = make_paper(&l);
    return mr_paper_write(&paper, path, "a grid", err);
}

mrcnn_status mrcnn_grid_svg(const mrcnn_grid *given, char **svg, size_t *length, mrcnn_error *err) {
    layout l;
    size_t bytes;
    memset(&l, 0, sizeof l);
    mrcnn_status status = take_grid(&l.grid, given, err);
    if (status != MRCNN_OK) return status;
    if (!svg) return mr_fail(err, MRCNN_E_ARGUMENT, "there is nowhere to put the grid's SVG");
    mr_paper paper = make_paper(&l);
    return mr_paper_svg(&paper, svg, length ? length : &bytes, "a grid", err);
}
