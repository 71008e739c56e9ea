/* show.h - pages of the commands: mrcnn_page without a check behind each call. After the first failure
 * nothing more happens, and show_finish tells. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "text.h"

#include <mrcnn/inspect.h>

/* Points of a chart, so that its texts can be read where two stand side by side. */
enum { SHOW_CHART_WIDTH = 520, SHOW_CHART_HEIGHT = 290 };

typedef struct show {
    mrcnn_page *page;
    mrcnn_error err;
    text_list kept; /* texts that cells point to */
} show;

/* EXIT_DONE, or the exit code after a message. */
int show_open(show *s, const char *folder, const char *title);

void show_section(show *s, const char *id, const char *title, const char *about);
void show_heading(show *s, const char *title);
void show_text(show *s, const char *format, ...) CLI_PRINTF(2, 3);
void show_note(show *s, mrcnn_tone tone, const char *format, ...) CLI_PRINTF(3, 4);
void show_figure(show *s, const char *key, const char *label, double value, const char *unit);
void show_count(show *s, const char *key, const char *label, size_t count);
void show_table(show *s, const char *key, const char *title, const char *const *columns,
                size_t column_count, const mrcnn_cell *cells, size_t rows);
void show_image(show *s, const char *name, const char *caption, const mrcnn_image *image);
void show_chart(show *s, const char *name, const char *caption, const mrcnn_chart *chart);
void show_grid(show *s, const char *name, const char *caption, const mrcnn_grid *grid);

/* A picture with marks over it; without cairo the plain one. */
void show_marks(show *s, const char *name, const char *caption, const mrcnn_image *image,
                const mrcnn_mark *marks, size_t count);
/* A picture with objects over it (mrcnn_draw_instances), with captions if wanted. */
void show_instances(show *s, const char *name, const char *caption, const mrcnn_image *image,
                    const mrcnn_result *result, int captions);
/* The sheet as it is; frees it. */
void show_sheet(show *s, const char *name, const char *caption, mrcnn_sheet **sheet);

/* How values are spread, in at most `bins` equal parts of the range; whole numbers of a small range get
 * a bar each. Nothing for no values. */
void show_histogram(show *s, const char *name, const char *caption, const char *x_label,
                    const double *values, size_t count, size_t bins);
/* A bar for each name. */
void show_bars(show *s, const char *name, const char *caption, const char *y_label,
               const char *const *names, const double *values, size_t count);

/* A cell with a text that is made here. */
mrcnn_cell show_cell(show *s, const char *format, ...) CLI_PRINTF(2, 3);

/* Notes an error of another call, as if a page's call had failed. 1 when there is one. */
int show_failed(show *s, mrcnn_status status, const mrcnn_error *err);

/* Writes the page, unless something failed or `code` is not EXIT_DONE; frees it. Says where it is. */
int show_close(show *s, int code, const char *folder);

#endif
