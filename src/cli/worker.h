/* worker.h - threads beside the main one. */
#ifndef CLI_WORKER_H
#define CLI_WORKER_H

#include <pthread.h>

/* Starts a thread that gets no signals: those are the main thread's. 0, or -1 after a message that begins
 * with `name`, whose input the work is about. */
int worker_start(pthread_t *thread, void *(*work)(void *), void *argument, const char *name);

#endif
