/* eval_thresholds.h - what mrcnn eval found to be each class's best score, as a configuration to detect
 * with. */
#ifndef CLI_EVAL_THRESHOLDS_H
#define CLI_EVAL_THRESHOLDS_H

#include "eval_report.h"

/* CLASS_MIN_CONFIDENCE with the score of each class's best F1, in YAML, into a file or ("-") to stdout.
 * A class without a right detection gets none. EXIT_DONE, or EXIT_FAILED after a message. */
int eval_save_thresholds(const char *path, const eval_outcome *outcome);

#endif
