/* inspect_report.h - the parts of a training's report: what was logged, how it was configured, what the
 * network finds. */
#ifndef CLI_INSPECT_REPORT_H
#define CLI_INSPECT_REPORT_H

#include "inspect_set.h"
#include "show.h"

#include <mrcnn/eval.h>
#include <mrcnn/log.h>

/* Losses, average precision, learning rate and speed over the run, and a table of its epochs. */
void report_show_log(show *s, const mrcnn_log *log);

/* Keys that differ from the defaults. */
void report_show_config(show *s, const mrcnn_config *config);

typedef struct evaluated {
    const mrcnn_model *model;
    const mrcnn_dataset *set;
    mrcnn_session *session;
    const size_t *indices; /* pictures to show */
    size_t count;
    double confidence; /* of detections that are drawn */
} evaluated;

/* COCO's figures, by class. */
void report_show_figures(show *s, const evaluated *e, const mrcnn_report *report);
/* Precision over recall, and which classes are taken for which. */
void report_show_curves(show *s, const evaluated *e, const mrcnn_report *report);
void report_show_confusion(show *s, const evaluated *e, const mrcnn_report *report);
/* Pictures with what is there, what was found, and both. */
void report_show_pictures(show *s, const evaluated *e);

#endif
