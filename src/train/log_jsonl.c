/* log_jsonl.c - see log.h. Every key and value is ours: numbers and fixed words need no library to
 * be written as JSON.
 */
#include "train/log.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct mr_jsonl {
    char *path;
    int fd;
};

static mrcnn_status fail_errno(const mr_jsonl *log, const char *what, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_IO, "%s: can't %s: %s", log->path, what, strerror(errno));
}

/* ------------------------------------------------------------------------------------- opening */

static const char line_start[] = "{\"step\":";

/* The step of a line; -1 if it is not one of ours. What is too large for a step becomes the largest
 * one. */
static int64_t line_step(const char *head) {
    size_t n = sizeof line_start - 1;
    if (strncmp(head, line_start, n) != 0 || head[n] < '0' || head[n] > '9') return -1;
    return strtoll(head + n, NULL, 10);
}

/* The length of the part to keep: up to the last whole line of a step that is not beyond `step`,
 * before the first that is. Lines of others between ours stay. */
static off_t kept_length(FILE *file, int64_t step) {
    char head[40] = ""; /* the first bytes of a line, in which the step is */
    off_t kept = 0, at = 0;
    size_t used = 0;
    for (int c; (c = getc(file)) != EOF;) {
        at++;
        if (c != '\n') {
            if (used + 1 < sizeof head) head[used++] = (char)c;
            continue;
        }
        head[used] = 0;
        used = 0;
        int64_t of_line = line_step(head);
        if (of_line > step) break;
        if (of_line >= 0) kept = at;
    }
    return kept;
}

static mrcnn_status cut_off(mr_jsonl *log, int64_t resumed_step, mrcnn_error *err) {
    struct stat info;
    if (fstat(log->fd, &info) != 0) return fail_errno(log, "look at it", err);
    if (!S_ISREG(info.st_mode))
        return mr_fail(err, MRCNN_E_IO, "%s: is no plain file; move it away", log->path);
    int copy = dup(log->fd);
    FILE *file = copy < 0 ? NULL : fdopen(copy, "rb");
    if (!file) {
        if (copy >= 0) close(copy);
        return fail_errno(log, "read it", err);
    }
    off_t kept = kept_length(file, resumed_step);
    int failed = ferror(file);
    fclose(file);
    if (failed) return fail_errno(log, "read it", err);
    if (kept < info.st_size && ftruncate(log->fd, kept) != 0)
        return fail_errno(log, "cut off the steps that come again", err);
    return MRCNN_OK;
}

mrcnn_status mr_jsonl_open(mr_jsonl **log, const char *path, int64_t resumed_step,
                           mrcnn_error *err) {
    mr_jsonl *fresh = mr_calloc(1, sizeof *fresh);
    if (!fresh) return mr_fail_memory(err, sizeof *fresh, "a log");
    fresh->fd = -1;
    fresh->path = mr_strdup(path);
    mrcnn_status status = fresh->path ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a file name");
    if (status == MRCNN_OK) {
        /* Without O_NONBLOCK a FIFO of that name would wait for ever. */
        fresh->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
        status = fresh->fd < 0 ? fail_errno(fresh, "write this log", err)
                               : cut_off(fresh, resumed_step, err);
    }
    if (status == MRCNN_OK)
        *log = fresh;
    else
        mr_jsonl_close(&fresh);
    return status;
}

void mr_jsonl_close(mr_jsonl **log) {
    if (!log || !*log) return;
    if ((*log)->fd >= 0) close((*log)->fd);
    free((*log)->path);
    free(*log);
    *log = NULL;
}

/* --------------------------------------------------------------------------------------- lines */

typedef struct line {
    char text[4096]; /* some 30 numbers */
    size_t used;
} line;

static void put(line *l, const char *format, ...) MR_PRINTF(2, 3);

static void put(line *l, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(l->text + l->used, sizeof l->text - l->used, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < sizeof l->text - l->used) l->used += (size_t)n;
}

static void put_number(line *l, const char *prefix, const char *key, double value) {
    char number[MR_NUMBER_TEXT] = "null";
    if (isfinite(value)) mr_number_print(value, number);
    put(l, ",\"%s%s\":%s", prefix, key, number);
}

static void put_figure(line *l, const char *prefix, const char *key, double value) {
    put_number(l, prefix, key, value < 0 ? NAN : value);
}

static void put_losses(line *l, const char *prefix, const mr_log_losses *losses) {
    put_number(l, prefix, "loss", losses->loss);
    for (int i = 0; i < MR_LOSS_COUNT; i++)
        put_number(l, prefix, mr_loss_names[i], losses->parts[i]);
    put_number(l, prefix, "regulariser", losses->regulariser);
}

static void put_figures(line *l, const char *prefix, const mrcnn_figures *figures) {
    put_figure(l, prefix, "ap", figures->ap);
    put_figure(l, prefix, "ap50", figures->ap50);
    put_figure(l, prefix, "ap75", figures->ap75);
}

static void put_evaluation(line *l, const mr_log_evaluation *evaluation) {
    put_figures(l, "bbox_", &evaluation->bbox);
    put_figures(l, "segm_", &evaluation->segm);
    put_figure(l, "", "picture_map50", evaluation->picture_map50);
    put_figure(l, "", "picture_map", evaluation->picture_map);
    put(l, ",\"eval_pictures\":%lld", (long long)evaluation->pictures);
}

/* A line that does not fit on the disk leaves nothing of itself. */
static mrcnn_status write_line(mr_jsonl *log, line *l, mrcnn_error *err) {
    put(l, "}\n");
    off_t before = lseek(log->fd, 0, SEEK_END);
    size_t done = 0;
    while (done < l->used) {
        ssize_t n = write(log->fd, l->text + done, l->used - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            int error = n < 0 ? errno : ENOSPC;
            int taken_back = before >= 0 && ftruncate(log->fd, before) == 0;
            errno = error;
            return fail_errno(log, taken_back ? "write to it" : "write more than half a line", err);
        }
        done += (size_t)n;
    }
    return MRCNN_OK;
}

mrcnn_status mr_jsonl_step(mr_jsonl *log, const mr_log_step *step, mrcnn_error *err) {
    line l = {.used = 0};
    put(&l, "%s%lld,\"epoch\":%lld", line_start, (long long)step->step, (long long)step->epoch);
    put_losses(&l, "", &step->losses);
    put_number(&l, "", "lr", step->learning_rate);
    put_number(&l, "", "grad_norm", step->grad_norm);
    put_number(&l, "", "seconds", step->seconds);
    put_number(&l, "", "images_per_second", step->images_per_second);
    put_number(&l, "", "waited_ms", step->waited_ms);
    put(&l, ",\"memory\":%lld", (long long)step->memory);
    return write_line(log, &l, err);
}

mrcnn_status mr_jsonl_epoch(mr_jsonl *log, const mr_log_epoch *epoch, mrcnn_error *err) {
    line l = {.used = 0};
    put(&l, "%s%lld,\"epoch\":%lld,\"kind\":\"epoch\"", line_start, (long long)epoch->step,
        (long long)epoch->epoch);
    put_losses(&l, "", &epoch->losses);
    if (epoch->validated) put_losses(&l, "val_", &epoch->validation);
    if (epoch->evaluated) put_evaluation(&l, &epoch->evaluation);
    put_number(&l, "", "lr", epoch->learning_rate);
    put_number(&l, "", "seconds", epoch->seconds);
    if (epoch->evaluated) put_number(&l, "", "eval_seconds", epoch->evaluation.seconds);
    return write_line(log, &l, err);
}
