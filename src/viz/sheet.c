/* sheet.c - contact sheets: pictures in rows and columns with captions below. */
#include "viz/canvas.h"
#include "viz/check.h"
#include "viz/sheet_text.h"

#include "base/memory.h"
#include "image/picture.h"

#include <mrcnn/draw.h>

#include <stdlib.h>
#include <string.h>

enum { CELL_LEAST = 8, CELL_MOST = 4096, COLUMNS_MOST = 1000, GAP = 6, PAPER = 255 };

typedef struct cell {
    mrcnn_image image; /* RGB, fits into the cell; no pixels: empty */
    char *caption;     /* or NULL */
} cell;

struct mrcnn_sheet {
    int columns, side;
    size_t count, room;
    cell *cells;
};

mrcnn_status mrcnn_sheet_create(mrcnn_sheet **sheet, int columns, int side, mrcnn_error *err) {
    if (!sheet) return mr_fail(err, MRCNN_E_ARGUMENT, "there is nowhere to put the sheet");
    if (columns < 1 || columns > COLUMNS_MOST || side < CELL_LEAST || side > CELL_MOST)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "sheet: %d columns of %d pixels; it may have 1 to %d of %d to %d", columns,
                       side, COLUMNS_MOST, CELL_LEAST, CELL_MOST);
    mrcnn_sheet *fresh = mr_calloc(1, sizeof *fresh);
    if (!fresh) return mr_fail_memory(err, sizeof *fresh, "a sheet");
    fresh->columns = columns;
    fresh->side = side;
    *sheet = fresh;
    return MRCNN_OK;
}

void mrcnn_sheet_free(mrcnn_sheet **sheet) {
    if (!sheet || !*sheet) return;
    for (size_t i = 0; i < (*sheet)->count; i++) {
        free((*sheet)->cells[i].image.pixels);
        free((*sheet)->cells[i].caption);
    }
    free((*sheet)->cells);
    free(*sheet);
    *sheet = NULL;
}

/* --------------------------------------------------------------------------------- into a cell */

static const uint8_t *pixel(const mrcnn_image *image, int64_t y, int64_t x) {
    return image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
}

static int32_t scaled(int32_t side, int32_t longest, int32_t cell_side) {
    if (longest <= cell_side) return side * (cell_side / longest);
    int64_t result = ((int64_t)side * cell_side + longest / 2) / longest;
    return result < 1 ? 1 : (int32_t)result;
}

static mrcnn_status fit_picture(mrcnn_image *fitted, const mrcnn_image *image, int side,
                                mrcnn_error *err) {
    mrcnn_image rgb = {0};
    mrcnn_status status = mr_check_picture(image, err);
    if (status == MRCNN_OK) status = mr_canvas_like(&rgb, image, err);
    if (status != MRCNN_OK) return status;
    mr_copy_as_rgb(rgb.pixels, image);
    int32_t longest = image->height > image->width ? image->height : image->width;
    status = mrcnn_shrink(fitted, &rgb, scaled(image->height, longest, side),
                          scaled(image->width, longest, side), err);
    free(rgb.pixels);
    return status;
}

mrcnn_status mrcnn_sheet_add(mrcnn_sheet *sheet, const mrcnn_image *image, const char *caption,
                             mrcnn_error *err) {
    cell fresh = {{0}, NULL};
    mrcnn_status status = MRCNN_OK;
    if (!sheet) return mr_fail(err, MRCNN_E_ARGUMENT, "there is no sheet to add to");
    if (sheet->count == sheet->room) {
        size_t room = sheet->room ? 2 * sheet->room : 16;
        cell *larger = mr_realloc(sheet->cells, room, sizeof *larger);
        if (!larger) return mr_fail_memory(err, room * sizeof *larger, "a sheet's cells");
        sheet->cells = larger;
        sheet->room = room;
    }
    if (caption && *caption) {
        fresh.caption = mr_strdup(caption);
        if (!fresh.caption) return mr_fail_memory(err, strlen(caption), "a caption");
    }
    if (image) status = fit_picture(&fresh.image, image, sheet->side, err);
    if (status == MRCNN_OK)
        sheet->cells[sheet->count++] = fresh;
    else
        free(fresh.caption);
    return status;
}

/* ------------------------------------------------------------------------------------ the whole */

static size_t row_count(const mrcnn_sheet *sheet) {
    size_t columns = (size_t)sheet->columns;
    return (sheet->count + columns - 1) / columns;
}

typedef struct row {
    int64_t picture; /* height of the highest one; of an empty row, a cell's */
    int64_t whole;   /* with captions, and the gap to the next row */
} row;

static row measure_row(const mrcnn_sheet *sheet, size_t index) {
    size_t first = index * (size_t)sheet->columns, end = first + (size_t)sheet->columns;
    row r = {0, 0};
    int captions = 0;
    for (size_t i = first; i < end && i < sheet->count; i++) {
        const cell *c = &sheet->cells[i];
        if (c->image.pixels && c->image.height > r.picture) r.picture = c->image.height;
        captions |= c->caption != NULL;
    }
    if (r.picture == 0) r.picture = sheet->side;
    r.whole = r.picture + GAP + (captions ? MR_SHEET_CAPTION : 0);
    return r;
}

static void put(mrcnn_image *canvas, const mrcnn_image *image, int64_t top, int64_t left) {
    for (int64_t y = 0; y < image->height; y++)
        memcpy(canvas->pixels + 3 * ((size_t)(top + y) * (size_t)canvas->width + (size_t)left),
               pixel(image, y, 0), 3 * (size_t)image->width);
}

/* Pictures into the canvas, captions into the list. */
static size_t put_cells(const mrcnn_sheet *sheet, mrcnn_image *canvas, mr_sheet_caption *captions) {
    size_t used = 0, columns = (size_t)sheet->columns;
    int64_t top = GAP;
    row r = {0, 0};
    for (size_t i = 0; i < sheet->count; i++) {
        const cell *c = &sheet->cells[i];
        int64_t left = GAP + (int64_t)(i % columns) * (sheet->side + GAP);
        if (i % columns == 0) {
            top += r.whole;
            r = measure_row(sheet, i / columns);
        }
        if (c->image.pixels)
            put(canvas, &c->image, top + (r.picture - c->image.height) / 2,
                left + (sheet->side - c->image.width) / 2);
        if (c->caption)
            captions[used++] = (mr_sheet_caption){(double)left, (double)(top + r.picture),
                                                  sheet->side, c->caption};
    }
    return used;
}

static mrcnn_status make_canvas(const mrcnn_sheet *sheet, mrcnn_image *canvas, mrcnn_error *err) {
    size_t shown = sheet->count < (size_t)sheet->columns ? sheet->count : (size_t)sheet->columns;
    int64_t height = GAP, width = GAP + (int64_t)shown * (sheet->side + GAP);
    for (size_t i = 0; i < row_count(sheet); i++) height += measure_row(sheet, i).whole;
    if (height > INT32_MAX || width > INT32_MAX)
        return mr_fail(err, MRCNN_E_ARGUMENT, "sheet: it would have %lld x %lld pixels",
                       (long long)width, (long long)height);
    mrcnn_image like = {(int32_t)width, (int32_t)height, 3, NULL};
    mrcnn_status status = mr_canvas_like(canvas, &like, err);
    if (status == MRCNN_OK) memset(canvas->pixels, PAPER, mr_canvas_bytes(canvas));
    return status;
}

mrcnn_status mrcnn_sheet_image(const mrcnn_sheet *sheet, mrcnn_image *out, mrcnn_error *err) {
    mrcnn_image canvas = {0};
    if (!sheet || !out || sheet->count == 0)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "there is nothing on the sheet, or no picture for it");
    mr_sheet_caption *captions = mr_calloc(sheet->count, sizeof *captions);
    if (!captions) return mr_fail_memory(err, sheet->count * sizeof *captions, "captions");
    mrcnn_status status = make_canvas(sheet, &canvas, err);
    if (status == MRCNN_OK) {
        size_t count = put_cells(sheet, &canvas, captions);
        status = mr_write_sheet_captions(&canvas, captions, count, err);
    }
    if (status == MRCNN_OK)
        *out = canvas;
    else
        free(canvas.pixels);
    free(captions);
    return status;
}
