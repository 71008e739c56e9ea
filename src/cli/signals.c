/* signals.c - see signals.h. */
#include "signals.h"

#include <signal.h>
#include <string.h>

static volatile sig_atomic_t interrupted;

static void note_interrupt(int number) {
    (void)number;
    interrupted = 1;
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
}

/* A handler that runs on the normal stack while oneDNN's sgemm (2.6, x86-64) is at work writes over
 * the heap: seen with a timer's signals, and never on a stack of its own. */
static void use_own_stack(void) {
    static char memory[65536]; /* AVX-512 and AMX registers take a good part of it */
    stack_t stack;
    if (sigaltstack(NULL, &stack) == 0 && !(stack.ss_flags & SS_DISABLE)) return; /* ASan's */
    memset(&stack, 0, sizeof stack);
    stack.ss_sp = memory;
    stack.ss_size = sizeof memory;
    sigaltstack(&stack, NULL);
}

/* The second signal finds the default again, whichever of the two it is. */
void signals_catch(void) {
    struct sigaction action;
    use_own_stack();
    memset(&action, 0, sizeof action);
    sigemptyset(&action.sa_mask);
    action.sa_handler = note_interrupt;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = SIG_IGN;
    action.sa_flags = 0;
    sigaction(SIGPIPE, &action, NULL);
}

int signals_came(void) {
    return interrupted;
}
