/* tally.h - how often each class was found, for the line on stdout. */
#ifndef CLI_TALLY_H
#define CLI_TALLY_H

#include <stddef.h>

typedef struct tally_row {
    const char *name; /* somebody else's */
    size_t count;
} tally_row;

/* Start with {0}. */
typedef struct tally {
    size_t count;
    tally_row *rows;
} tally;

void tally_add(tally *counts, const char *name);
/* " (person 4, dog 2)" on stdout: the most frequent ones; nothing for none. */
void tally_print(tally *counts);
void tally_free(tally *counts);

#endif
