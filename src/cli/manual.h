/* manual.h - the manual's pages: one a command, from the tables that --help prints, and one about the
 * configuration's keys. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "options.h"

#include <stdio.h>

/* "mrcnn-weights-get"; malloc'ed. */
char *manual_name(const command *self);

/* mrcnn(1), mrcnn-weights-get(1), ... */
void manual_write_command(FILE *out, const command *root, const command *self);

/* mrcnn-config(5) */
void manual_write_config(FILE *out);

/* Parts that both kinds of pages have: the first line, and the first sections. */
void manual_begin(FILE *out, const char *name, int section);

#endif
