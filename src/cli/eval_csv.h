/* eval_csv.h - the tables of mrcnn eval as comma-separated values. */
#ifndef CLI_EVAL_CSV_H
#define CLI_EVAL_CSV_H

#include "eval_report.h"

/* A row for each class. A figure without an object to measure by is empty. */
void eval_write_classes(FILE *stream, const eval_outcome *outcome);

/* A row for each recall of each curve; that of the mean over classes has no class. */
void eval_write_curves(FILE *stream, const eval_outcome *outcome);

/* Rows: the objects' classes, columns: the detections'. Asks for report->confusion. */
void eval_write_confusion(FILE *stream, const eval_outcome *outcome);

#endif
