/* train_report.c - see train_report.h. */
#include "train_report.h"

#include "message.h"
#include "progress.h"
#include "signals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* One training runs at a time, so what is shown is the program's. */
static struct {
    double drawn;
    int visible, told_interrupt;
} line = {-1e9, 0, 0};

enum { SECONDS_BETWEEN_LINES = 30 };

static int is_terminal(void) {
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

static void hide(void) {
    if (line.visible) fputs("\r\033[K", stderr);
    line.visible = 0;
}

static double peak_gigabytes(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss * 1024 / 1e9;
}

static void format_seconds(char *text, size_t size, double seconds) {
    long s = (long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(text, size, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, size, "%ld:%02ld", s / 60, s % 60);
}

static void on_step(void *user, const mrcnn_train_step *s) {
    (void)user;
    double now = progress_clock();
    int terminal = is_terminal();
    if (now - line.drawn < (terminal ? 0.1 : SECONDS_BETWEEN_LINES)) return;
    char left[32];
    const mrcnn_losses *l = &s->mean;
    format_seconds(left, sizeof left, s->seconds_left);
    fprintf(
        stderr,
        "%sepoch %d/%d  step %d/%d  loss %.4f (rpn %.3f %.3f  class %.3f  box %.3f  mask %.3f)  "
        "%.2f images/s  %s left  %.1f GB%s",
        terminal ? "\r" : "", s->epoch, s->last_epoch, s->step, s->steps, l->total, l->rpn_class,
        l->rpn_bbox, l->mrcnn_class, l->mrcnn_bbox, l->mrcnn_mask, s->images_per_second, left,
        peak_gigabytes(), terminal ? "\033[K" : "\n");
    fflush(stderr);
    line.drawn = now;
    line.visible = terminal;
}

static void on_epoch(void *user, const mrcnn_train_epoch *e) {
    (void)user;
    char time[32];
    hide();
    format_seconds(time, sizeof time, e->seconds);
    printf("epoch %d/%d  loss %.4f", e->epoch, e->last_epoch, e->losses.total);
    if (e->validated) printf("  val_loss %.4f%s", e->validation.total, e->is_best ? " (best)" : "");
    printf("  %s  %s\n", time, e->checkpoint);
    fflush(stdout);
}

static void print_megabytes(const char *what, size_t bytes) {
    fprintf(stderr, "  %-12s %8.1f MB\n", what, (double)bytes / 1e6);
}

static void on_start(void *user, const mrcnn_train_start *s) {
    (void)user;
    hide();
    message("%s: layers %s, epochs %d to %d, %zu pictures (%zu to validate)", s->folder, s->layers,
            s->epoch, s->last_epoch, s->pictures, s->validation_pictures);
    if (s->resumed)
        message("the run goes on%s",
                s->resumed == 1 ? "" : " with its weights alone; the optimizer starts anew");
    size_t sum = s->weight_bytes + s->gradient_bytes + s->optimizer_bytes + s->activation_bytes;
    message("%zu of the weights' tensors are trained (%.1f million numbers); memory %.2f GB:",
            s->trained_tensors, (double)s->trained_weights / 1e6, (double)sum / 1e9);
    print_megabytes("weights", s->weight_bytes);
    print_megabytes("gradients", s->gradient_bytes);
    print_megabytes("optimizer", s->optimizer_bytes);
    print_megabytes("activations", s->activation_bytes);
}

static void on_message(void *user, const char *text) {
    (void)user;
    hide();
    message("%s", text);
}

static int should_stop(void *user) {
    (void)user;
    if (!signals_came()) return 0;
    hide();
    if (!line.told_interrupt) message("stopping: the state is being saved");
    line.told_interrupt = 1;
    return 1;
}

void train_report_connect(mrcnn_train_options *options) {
    options->on_start = on_start;
    options->on_step = on_step;
    options->on_epoch = on_epoch;
    options->on_message = on_message;
    options->should_stop = should_stop;
}

void train_report_end(void) {
    hide();
    fflush(stderr);
}
