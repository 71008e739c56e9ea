/* inspect_model.h - the parts of the report of mrcnn inspect model. Each adds a section to the page; once
 * something failed, the rest does nothing. */
#ifndef CLI_INSPECT_MODEL_H
#define CLI_INSPECT_MODEL_H

#include "explain.h"
#include "inspect_view.h"

#include <mrcnn/inspect.h>

typedef struct model_page {
    mrcnn_page *page;
    mrcnn_error err; /* the first failure */
    mrcnn_model *model;
    const mrcnn_config *config;
    mrcnn_trace *trace;
    mrcnn_image image;
    explanation why;
    view bare, wide;    /* the picture as it is, and with a margin */
    size_t boxes;       /* that a picture shows at most */
    int lines;          /* 0 in a build without cairo: no boxes and no charts */
    text_list layers;   /* whose activations are shown */
    mrcnn_result *truth; /* what is annotated; NULL: not known */
} model_page;

/* inspect_model_page.c: what the sections are made of. */
void put_section(model_page *m, const char *id, const char *title, const char *about);
void put_text(model_page *m, const char *text);
void put_note(model_page *m, mrcnn_tone tone, const char *text);
void put_figure(model_page *m, const char *key, const char *label, double value,
                const char *unit);
void put_table(model_page *m, const char *key, const char *title, const char *const *columns,
               size_t column_count, const mrcnn_cell *cells, size_t rows);
void put_image(model_page *m, const char *name, const char *caption, const mrcnn_image *image);
void put_chart(model_page *m, const char *name, const char *caption, const mrcnn_chart *chart);
/* Draws the marks, if there are lines, and frees the list. */
void put_marks(model_page *m, const view *v, mark_list *marks, const char *name,
               const char *caption);
/* Frees the sheet. */
void put_sheet(model_page *m, mrcnn_sheet **sheet, const char *name, const char *caption);
/* A cell of false colours; `caption` is left out where there are no lines. */
void add_map(model_page *m, mrcnn_sheet *sheet, const float *values, int32_t height, int32_t width,
             int32_t channels, const char *caption);

/* The sections. */
void put_overview(model_page *m);    /* inspect_model.c */
void put_rpn(model_page *m);         /* inspect_model_rpn.c: anchors to proposals */
void put_head(model_page *m);        /* inspect_model_head.c: proposals to instances */
void put_masks(model_page *m);       /* inspect_model_maps.c */
void put_activations(model_page *m);
void put_truth(model_page *m); /* inspect_model_truth.c; only with m->truth */

#endif
