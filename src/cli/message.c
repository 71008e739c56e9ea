/* message.c - see message.h. */
#include "message.h"

#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_BYTES = 2048 };

static void print_message(const char *text) {
    char *printable = text_printable(text);
    fflush(stdout);
    progress_hide();
    fprintf(stderr, "mrcnn: %s\n", printable);
    free(printable);
}

void message(const char *format, ...) {
    char text[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_message(text);
}

int message_usage(const char *command, const char *format, ...) {
    char text[MESSAGE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_message(text);
    fprintf(stderr, "Try `mrcnn %s%s--help`.\n", command, *command ? " " : "");
    return EXIT_USAGE;
}
