/* report_process.h - other programs: one that runs to its end, or one that is asked line by line. */
#ifndef BENCH_REPORT_PROCESS_H
#define BENCH_REPORT_PROCESS_H

#include <stdio.h>
#include <sys/types.h>

typedef struct process {
    pid_t id;
    FILE *to, *from; /* its stdin and stdout */
    FILE *errors;    /* a file without a name that its stderr goes to */
} process;

/* The program is found as a shell would. 0, or an errno. */
int process_start(process *p, const char *const *arguments);
/* All that it still writes, with a 0 behind it; free it. NULL without memory. */
char *process_read(process *p);
/* Ends its input and waits. Its exit code, or -1. The last line that it wrote to stderr goes to `complaint`. */
int process_end(process *p, char *complaint, size_t room);

/* Runs to its end: what it wrote to stdout (free it), or NULL after its last line on stderr went to `complaint`, which
 * is left alone otherwise. */
char *process_run(const char *const *arguments, char *complaint, size_t room);

#endif
