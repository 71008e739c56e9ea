/* isolate.h - runs a function in a child process that writes what it finds into a pipe. A crash or
 * an endless loop there is a message here.
 */
#ifndef MR_WEIGHTS_ISOLATE_H
#define MR_WEIGHTS_ISOLATE_H

#include <mrcnn/mrcnn.h>
#include <stdio.h>
#include <sys/types.h>

typedef void (*mr_isolated_body)(FILE *out, const void *context);

typedef struct mr_isolated {
    FILE *in; /* what the child writes */
    pid_t pid;
} mr_isolated;

typedef struct mr_isolated_limits {
    unsigned cpu_seconds;
    uint64_t memory; /* bytes beyond what this process has */
} mr_isolated_limits;

/* Starts the child. It has this thread alone, prints nothing, and ends at these limits. `what` is
 * for messages. */
mrcnn_status mr_isolate(mr_isolated *child, mr_isolated_body body, const void *context,
                        const mr_isolated_limits *limits, const char *what, mrcnn_error *err);

typedef enum mr_isolated_end { MR_CRASHED, MR_TOOK_TOO_LONG } mr_isolated_end;

/* Ends the child. If `in` ended before the child had said all, this is why. */
mr_isolated_end mr_isolate_end(mr_isolated *child);

#endif
