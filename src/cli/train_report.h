/* train_report.h - what `mrcnn train` tells while it runs: a line that lives on a terminal, or a
 * line now and then elsewhere; one line an epoch on stdout. */
#ifndef CLI_TRAIN_REPORT_H
#define CLI_TRAIN_REPORT_H

#include <mrcnn/mrcnn.h>

/* Sets the callbacks. */
void train_report_connect(mrcnn_train_options *options);
/* Takes the living line away. */
void train_report_end(void);

#endif
