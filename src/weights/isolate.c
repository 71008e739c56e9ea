/* isolate.c - see isolate.h. Between fork and _exit the child only computes and writes to the pipe:
 * it must not run what the program registered for its own end or for its own crashes.
 */
#include "weights/isolate.h"

#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* The program's own handlers are not for the child, and nothing may keep it from being ended. */
static void default_signals(void) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE, SIGALRM};
    sigset_t none;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) signal(signals[i], SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Address space that is in use already, which the child shares with its parent; 0 if this system
 * does not tell. */
static uint64_t address_space(void) {
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return 0;
    if (fscanf(file, "%llu", &pages) != 1) pages = 0;
    fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void limit_child(const mr_isolated_limits *limits) {
    struct rlimit cpu = {limits->cpu_seconds, limits->cpu_seconds}, core = {0, 0};
    uint64_t used = address_space();
    setrlimit(RLIMIT_CPU, &cpu);
    setrlimit(RLIMIT_CORE, &core);
    if (used > 0) {
        struct rlimit memory = {used + limits->memory, used + limits->memory};
        setrlimit(RLIMIT_AS, &memory);
    }
    alarm(10 * limits->cpu_seconds); /* if it should sleep for ever */
}

/* The C library reports a damaged heap on stderr: not in our caller's name. */
static void silence(void) {
    int null = open("/dev/null", O_WRONLY);
    if (null < 0) return;
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
}

static void run_child(int fd, mr_isolated_body body, const void *context,
                      const mr_isolated_limits *limits) {
    default_signals();
    limit_child(limits);
    silence();
    FILE *out = fdopen(fd, "wb");
    if (!out) _exit(1);
    body(out, context);
    _exit(fflush(out) == 0 ? 0 : 1);
}

mrcnn_status mr_isolate(mr_isolated *child, mr_isolated_body body, const void *context,
                        const mr_isolated_limits *limits, const char *what, mrcnn_error *err) {
    int ends[2];
    if (pipe(ends) != 0)
        return mr_fail(err, MRCNN_E_IO, "%s: can't make a pipe: %s", what, strerror(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    child->in = fdopen(ends[0], "rb");
    child->pid = child->in ? fork() : -1;
    if (child->pid == 0) {
        /* Clear of 1 and 2 if the program has closed those. */
        int out = fcntl(ends[1], F_DUPFD, 3);
        run_child(out, body, context, limits);
    }
    int error = errno;
    close(ends[1]);
    if (child->pid > 0) return MRCNN_OK;
    if (child->in)
        fclose(child->in);
    else
        close(ends[0]);
    return mr_fail(err, MRCNN_E_IO, "%s: can't start a process for HDF5: %s", what,
                   strerror(error));
}

/* LLVM's OpenMP, where a program uses it, registers each forked process in shared memory and only
 * takes that back in a process that ends by exit. */
static void forget_openmp(pid_t pid) {
    char name[80];
    snprintf(name, sizeof name, "/dev/shm/__KMP_REGISTERED_LIB_%ld_%ld", (long)pid, (long)getuid());
    unlink(name);
}

mr_isolated_end mr_isolate_end(mr_isolated *child) {
    int status = 0;
    pid_t ended;
    fclose(child->in);
    kill(child->pid, SIGKILL); /* of no effect on one that has died already */
    do ended = waitpid(child->pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    forget_openmp(child->pid);
    if (ended < 0 || !WIFSIGNALED(status)) return MR_CRASHED; /* a program may reap all children */
    int signal = WTERMSIG(status);
    return signal == SIGKILL || signal == SIGXCPU || signal == SIGALRM ? MR_TOOK_TOO_LONG
                                                                       : MR_CRASHED;
}
