/* eval_plot.h - curves and confusion of mrcnn eval as pictures. */
#ifndef CLI_EVAL_PLOT_H
#define CLI_EVAL_PLOT_H

#include "eval_report.h"

/* EXIT_DONE, or EXIT_FAILED after a message. The path's ending says what the picture is. */
int eval_draw_curves(const char *path, const eval_outcome *outcome);

/* Classes that are neither there nor found are left out. Asks for report->confusion. */
int eval_draw_confusion(const char *path, const eval_outcome *outcome);

#endif
