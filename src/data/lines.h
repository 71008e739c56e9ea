/* lines.h - text files with an entry a line: names of classes, lists of pictures. Knows nothing of
 * what they stand for. */
#ifndef MR_DATA_LINES_H
#define MR_DATA_LINES_H

#include "data/place.h"

/* The lines that aren't empty, in order, without blanks at their ends. Control bytes become blanks:
 * names end up in files line by line. `comment` is what a line begins with that is none, or 0. */
mrcnn_status mr_read_lines(mr_listing *lines, const char *path, char comment, mrcnn_error *err);

#endif
