/* eval_report.h - the figures of mrcnn eval, one by one, as tables and as JSON. */
#ifndef CLI_EVAL_REPORT_H
#define CLI_EVAL_REPORT_H

#include <mrcnn/eval.h>

#include <stdio.h>

typedef struct eval_outcome {
    const mrcnn_report *report;
    const mrcnn_dataset *set;                         /* has the names of the report's classes */
    const char *dataset, *subset, *weights, *results; /* as given; all but the first may be NULL */
} eval_outcome;

/* One of COCO's twelve figures, in COCO's order; -1: there is no object to measure by. */
enum { EVAL_FIGURES = 12, EVAL_TEXT = 40 };
typedef struct eval_figure {
    char name[EVAL_TEXT], help[EVAL_TEXT]; /* "AP50", "IoU 0.50" */
    double bbox, segm;
} eval_figure;

eval_figure eval_figure_at(const mrcnn_report *report, int index);

void eval_print_tables(const eval_outcome *outcome);
void eval_write_json(FILE *stream, const eval_outcome *outcome);

#endif
