/* inspect_model.h - the parts of the report of mrcnn inspect model; each adds a section to the page. */
#ifndef CLI_INSPECT_MODEL_H
#define CLI_INSPECT_MODEL_H

#include "explain.h"
#include "inspect_view.h"
#include "show.h"

typedef struct model_page {
    show show;
    mrcnn_model *model;
    const mrcnn_config *config;
    mrcnn_trace *trace;
    mrcnn_image image;
    explanation why;
    view bare, wide;     /* the picture as it is, and with a margin */
    size_t boxes;        /* that a picture shows at most */
    int lines;           /* 0 in a build without cairo: no boxes, no captions */
    text_list layers;    /* whose activations are shown */
    mrcnn_result *truth; /* what is annotated; NULL: not known */
} model_page;

/* inspect_model_rpn.c: anchors to proposals. */
void put_rpn(model_page *m);
/* inspect_model_head.c: proposals to instances. */
void put_head(model_page *m);
/* inspect_model_maps.c */
void put_masks(model_page *m);
void put_activations(model_page *m);
/* inspect_model_truth.c: only with m->truth, which read_truth makes of a picture of a data set. */
int read_truth(model_page *m, const mrcnn_dataset *set, size_t index);
void put_truth(model_page *m);

/* inspect_model_draw.c: draws the marks, where there are lines, and frees the list. */
void put_marks(model_page *m, const view *v, mark_list *marks, const char *name,
               const char *caption);
int cell_of(int32_t height, int32_t width); /* side of cells for maps of that size */
mrcnn_sheet *new_sheet(model_page *m, int columns, int cell);
/* A cell with a picture, or with a map in false colours; captions need lines. */
void add_picture(model_page *m, mrcnn_sheet *sheet, const mrcnn_image *image, const char *caption);
void add_map(model_page *m, mrcnn_sheet *sheet, const float *values, int32_t height, int32_t width,
             int32_t channels, const char *caption);
/* Frees the sheet. */
void put_sheet(model_page *m, mrcnn_sheet *sheet, const char *name, const char *caption);

/* How often which probability comes; NaN isn't counted. `what` is what is counted. */
enum { PROBABILITY_BINS = 50 };
typedef struct probabilities {
    double counts[PROBABILITY_BINS];
} probabilities;
void count_probability(probabilities *p, double probability);
void put_probabilities(model_page *m, const char *name, const char *caption, const probabilities *p,
                       const char *x_label, const char *what);

#endif
