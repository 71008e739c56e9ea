/* progress.h - one line on a terminal's stderr that says how far a long job is. Elsewhere (a pipe,
 * a file, TERM=dumb) it draws nothing. There is one such line, so its state is the program's. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

typedef enum progress_unit { PROGRESS_ITEMS, PROGRESS_BYTES, PROGRESS_FRAMES } progress_unit;

/* Is stderr a terminal on which a line can be drawn over? */
int progress_is_possible(void);

void progress_start(const char *label, progress_unit unit);
/* `total` 0: unknown. Draws at most ten times a second. */
void progress_show(uint64_t done, uint64_t total);
/* Takes the line away, for a message or a result; the next progress_show draws it again. */
void progress_hide(void);
void progress_end(void);

/* The library's callback: shows how far it is, and stops it when a signal came. */
int progress_or_stop(void *user, size_t done, size_t total);

/* Seconds of a clock that only runs forward. */
double progress_clock(void);

#endif
