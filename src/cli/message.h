/* message.h - what the commands say on stderr, and the exit codes. */
#ifndef CLI_MESSAGE_H
#define CLI_MESSAGE_H

#include "text.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

/* "mrcnn: <message>\n" on stderr, control bytes made harmless; a progress bar gives way to it. */
void message(const char *format, ...) CLI_PRINTF(1, 2);

/* A message about the arguments; always returns EXIT_USAGE. `command` is "weights get" or "". */
int message_usage(const char *command, const char *format, ...) CLI_PRINTF(2, 3);

#endif
