/* inspect.h - looking inside: what training makes of a data set, what weights are like, and pages that
 * show it.
 *
 * The rules of <mrcnn/mrcnn.h> hold: errors are values, options structs begin with `size`, whoever gets
 * an object through a `T **` frees it.
 *
 * Sections: weights, pages.
 */
#ifndef MRCNN_INSPECT_H
#define MRCNN_INSPECT_H

#include <mrcnn/draw.h>
#include <mrcnn/mrcnn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------ weights */

enum { MRCNN_WEIGHT_BARS = 48 };

/* What the values of a tensor are like. */
typedef struct mrcnn_weight_summary {
    size_t count;
    size_t nan, infinite; /* of them */
    /* Of the finite ones; all 0 when there is none. The standard deviation is numpy's, over count. */
    double least, greatest, mean, deviation;
    /* matterport's signs that something is wrong (visualize.display_weight_stats): all values are the
     * same, except for the bias of a convolution; a value beyond 1000 in size. */
    int is_dead, is_overflow;
    /* How many finite values lie in each of MRCNN_WEIGHT_BARS equal parts from least to greatest. */
    size_t bars[MRCNN_WEIGHT_BARS];
} mrcnn_weight_summary;

/* Of tensor `index` of a weight file, or MRCNN_E_ARGUMENT past the end. */
MRCNN_API mrcnn_status mrcnn_weights_summarize(const mrcnn_weights *weights, size_t index,
                                               mrcnn_weight_summary *summary, mrcnn_error *err);

/* -------------------------------------------------------------------------------------- pages */

/* A report: one self-contained HTML file, and beside it a JSON file with every figure, table and
 * chart of the page, and the pictures as PNG files in full size. Page and JSON are written by the same
 * calls, so they can't disagree. The page needs no network and no scripts, is light or dark as the
 * reader's screen is, and can be read on a phone; pictures and charts are inside.
 *
 * Used by one thread at a time. All texts are UTF-8 and may hold anything: they are escaped, and what
 * is no UTF-8 becomes '?'. Texts are copied. Ids, keys and names of files are letters, digits, '-', '_'
 * and '.', begin with a letter or a digit, have at most 100 characters, and differ: ids in the page,
 * keys in their section, names of pictures, charts and grids in the page.
 *
 * A call that fails leaves the page as it was, apart from memory that ran out: then mrcnn_page_finish
 * fails, too. */
typedef struct mrcnn_page mrcnn_page;

/* Makes `folder` if need be. Nothing is written into it before mrcnn_page_finish. */
MRCNN_API mrcnn_status mrcnn_page_create(mrcnn_page **page, const char *folder, const char *title,
                                         mrcnn_error *err);

/* What follows belongs to this section. `id` is its key in the JSON, and what a link to it ends in:
 * "anchors". `about` says in a sentence or two what one sees; may be NULL. */
MRCNN_API mrcnn_status mrcnn_page_section(mrcnn_page *page, const char *id, const char *title,
                                          const char *about, mrcnn_error *err);

/* A smaller title inside of a section. */
MRCNN_API mrcnn_status mrcnn_page_heading(mrcnn_page *page, const char *title, mrcnn_error *err);

/* Each line of the text is a paragraph. */
MRCNN_API mrcnn_status mrcnn_page_text(mrcnn_page *page, const char *text, mrcnn_error *err);

/* How something is meant: it changes a colour, and never says anything by itself. */
typedef enum mrcnn_tone {
    MRCNN_TONE_PLAIN = 0,
    MRCNN_TONE_GOOD = 1,
    MRCNN_TONE_WARNING = 2,
    MRCNN_TONE_BAD = 3
} mrcnn_tone;

/* A text that stands out: what was found to be wrong, or what to do. */
MRCNN_API mrcnn_status mrcnn_page_note(mrcnn_page *page, mrcnn_tone tone, const char *text,
                                       mrcnn_error *err);

/* One number. The page shows whole numbers in full ("261,888") and others to four significant digits;
 * the JSON has all of them. NaN and infinity are shown as a dash, and are null in the JSON. `unit` may
 * be NULL. Figures that follow each other stand side by side. */
MRCNN_API mrcnn_status mrcnn_page_figure(mrcnn_page *page, const char *key, const char *label,
                                         double value, const char *unit, mrcnn_error *err);

/* A cell of a table: small bars, or a text, or a number; the first of these that is there. */
typedef struct mrcnn_cell {
    const char *text; /* NULL: the number */
    double number;    /* NaN: an empty cell */
    int digits;       /* of the number behind the point; -1: four significant ones */
    mrcnn_tone tone;
    const double
        *bars; /* a histogram in a few pixels: heights, none of them negative; NULL: none */
    size_t bar_count;
} mrcnn_cell;

MRCNN_API mrcnn_cell mrcnn_cell_text(const char *text);
MRCNN_API mrcnn_cell mrcnn_cell_number(double number, int digits);
MRCNN_API mrcnn_cell mrcnn_cell_bars(const double *bars, size_t count);

/* rows x column_count cells, row by row. */
MRCNN_API mrcnn_status mrcnn_page_table(mrcnn_page *page, const char *key, const char *title,
                                        const char *const *columns, size_t column_count,
                                        const mrcnn_cell *cells, size_t rows, mrcnn_error *err);

/* A picture, grey or RGB (of more channels the first three): NAME.png, and inside of the page at
 * most 960 pixels wide. `caption` is also what those are told who don't see it. */
MRCNN_API mrcnn_status mrcnn_page_image(mrcnn_page *page, const char *name, const char *caption,
                                        const mrcnn_image *image, mrcnn_error *err);

/* Charts and grids: NAME.png, inside of the page as SVG for light and for dark screens, and all their
 * numbers in the JSON. Without cairo they are tables of their numbers. `dark` is not looked at. */
MRCNN_API mrcnn_status mrcnn_page_chart(mrcnn_page *page, const char *name, const char *caption,
                                        const mrcnn_chart *chart, mrcnn_error *err);
MRCNN_API mrcnn_status mrcnn_page_grid(mrcnn_page *page, const char *name, const char *caption,
                                       const mrcnn_grid *grid, mrcnn_error *err);

/* Writes NAME.png, ..., report.json and report.html, over those of an earlier report. All of them, or
 * an error: then those that were not there before are gone again. Once. */
MRCNN_API mrcnn_status mrcnn_page_finish(mrcnn_page *page, mrcnn_error *err);
MRCNN_API void mrcnn_page_free(mrcnn_page **page);

#ifdef __cplusplus
}
#endif
#endif
