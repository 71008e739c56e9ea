/* manual.h - the manual's pages: one a command, from the tables that --help prints, and one about the
 * configuration's keys. */
#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H

#include "options.h"
#include "roff.h"

#include <stdio.h>

/* "mrcnn-weights-get"; malloc'ed. */
char *manual_name(const command *self);

/* mrcnn(1), mrcnn-weights-get(1), ... */
void manual_write_command(FILE *out, const command *root, const command *self);

/* mrcnn-config(5) */
void manual_write_config(FILE *out);

/* What both kinds of pages share: how they begin, and keys in bold (a roff's `font`). */
void manual_begin(FILE *out, const char *name, int section);
roff_font manual_font_of_keys(void *user, const char *word, size_t length);

#endif
