/* report_process.c - see report_process.h. */
#include "report_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Our ends stay ours: in another worker they would keep the pipe open after we close it. */
static int make_pipe(int ends[2], int ours) {
    if (pipe(ends) != 0) return errno;
    fcntl(ends[ours], F_SETFD, FD_CLOEXEC);
    return 0;
}

static int spawn(process *p, const char *const *arguments, int in, int out) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t usual;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fileno(p->errors), STDERR_FILENO);
    posix_spawn_file_actions_addclose(&actions, in);
    posix_spawn_file_actions_addclose(&actions, out);
    int problem = posix_spawnp(&p->id, arguments[0], &actions, &attributes,
                               (char *const *)arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return problem;
}

int process_start(process *p, const char *const *arguments) {
    int in[2], out[2];
    *p = (process){0};
    int problem = make_pipe(in, 1);
    if (problem) return problem;
    problem = make_pipe(out, 0);
    if (problem) {
        close(in[0]);
        close(in[1]);
        return problem;
    }
    p->errors = tmpfile();
    if (p->errors) fcntl(fileno(p->errors), F_SETFD, FD_CLOEXEC);
    problem = p->errors ? spawn(p, arguments, in[0], out[1]) : errno;
    close(in[0]);
    close(out[1]);
    p->to = fdopen(in[1], "w");
    p->from = fdopen(out[0], "r");
    if (!problem && p->to && p->from) return 0;
    if (p->to) fclose(p->to);
    if (p->from) fclose(p->from);
    if (p->errors) fclose(p->errors);
    return problem ? problem : ENOMEM;
}

char *process_read(process *p) {
    size_t length = 0, room = 1 << 16;
    char *text = malloc(room);
    while (text) {
        length += fread(text + length, 1, room - length - 1, p->from);
        if (length < room - 1) break;
        char *more = realloc(text, room *= 2);
        if (!more) free(text);
        text = more;
    }
    if (text) text[length] = '\0';
    return text;
}

static void last_line(FILE *file, char *line, size_t room) {
    char read[1000];
    rewind(file);
    while (fgets(read, sizeof read, file)) {
        read[strcspn(read, "\n")] = '\0';
        if (read[0]) snprintf(line, room, "%s", read);
    }
}

int process_end(process *p, char *complaint, size_t room) {
    int status = 0;
    fclose(p->to);
    fclose(p->from);
    pid_t ended = waitpid(p->id, &status, 0);
    snprintf(complaint, room, "it ended without a word");
    last_line(p->errors, complaint, room);
    fclose(p->errors);
    return ended == p->id && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

char *process_run(const char *const *arguments, char *complaint, size_t room) {
    process p;
    int problem = process_start(&p, arguments);
    if (problem) {
        snprintf(complaint, room, "%s: %s", arguments[0], strerror(problem));
        return NULL;
    }
    char *text = process_read(&p), last[1000];
    if (process_end(&p, last, sizeof last) == 0 && text) return text;
    snprintf(complaint, room, "%s", last);
    free(text);
    return NULL;
}
