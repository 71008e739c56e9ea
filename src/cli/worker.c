/* worker.c - see worker.h. */
#include "worker.h"

#include "message.h"

#include <signal.h>
#include <string.h>

int worker_start(pthread_t *thread, void *(*work)(void *), void *argument, const char *name) {
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int problem = pthread_create(thread, NULL, work, argument);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!problem) return 0;
    message("%s: can't start a thread: %s", name, strerror(problem));
    return -1;
}
