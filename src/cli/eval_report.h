/* eval_report.h - the figures of mrcnn eval as tables and as JSON. */
#ifndef CLI_EVAL_REPORT_H
#define CLI_EVAL_REPORT_H

#include <mrcnn/mrcnn.h>

#include <stdio.h>

typedef struct eval_outcome {
    const mrcnn_report *report;
    const mrcnn_dataset *set;                         /* has the names of the report's classes */
    const char *dataset, *subset, *weights, *results; /* as given; all but the first may be NULL */
} eval_outcome;

void eval_print_tables(const eval_outcome *outcome);
void eval_write_json(FILE *stream, const eval_outcome *outcome);

#endif
