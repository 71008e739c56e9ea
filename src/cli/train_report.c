/* train_report.c - see train_report.h. */
#include "train_report.h"

#include "message.h"
#include "progress.h"
#include "signals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* One training runs at a time, so what is shown is the program's. */
static struct {
    double drawn;
    int visible, told_interrupt;
} line = {-1e9, 0, 0};

enum { SECONDS_BETWEEN_LINES = 30 };

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

/* Columns of the terminal; 80 if it doesn't tell. */
static int terminal_columns(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const char *columns = getenv("COLUMNS");
    long told = columns ? strtol(columns, NULL, 10) : 0;
    return told > 0 && told < 10000 ? (int)told : 80;
}

/* The parts of the line, the first one the most wanted. */
enum { PLACE, LOSS, LEFT, PARTS, SPEED, MEMORY, FIELDS };

typedef struct fields {
    char text[FIELDS][96];
} fields;

static fields describe(const mrcnn_train_step *s) {
    fields f;
    char left[32];
    const mrcnn_losses *l = &s->mean;
    format_seconds(left, sizeof left, s->seconds_left);
    snprintf(f.text[PLACE], sizeof f.text[PLACE], "epoch %d/%d  step %d/%d", s->epoch,
             s->last_epoch, s->step, s->steps);
    snprintf(f.text[LOSS], sizeof f.text[LOSS], "  loss %.4f", l->total);
    snprintf(f.text[PARTS], sizeof f.text[PARTS],
             " (rpn %.3f %.3f  class %.3f  box %.3f  mask %.3f)", l->rpn_class, l->rpn_bbox,
             l->mrcnn_class, l->mrcnn_bbox, l->mrcnn_mask);
    snprintf(f.text[SPEED], sizeof f.text[SPEED], "  %.2f images/s", s->images_per_second);
    snprintf(f.text[LEFT], sizeof f.text[LEFT], "  %s left", left);
    snprintf(f.text[MEMORY], sizeof f.text[MEMORY], "  %.1f GB", peak_gigabytes());
    return f;
}

/* As many fields as fit, in the order in which they are read. A line that wraps can't be taken back
 * with a carriage return. */
static void compose(char *line_text, size_t size, const fields *f, int columns) {
    static const int order[FIELDS] = {PLACE, LOSS, PARTS, SPEED, LEFT, MEMORY};
    size_t room = columns < (int)size ? (size_t)columns : size, used = 0, sum = 0;
    int shown[FIELDS] = {0};
    for (int i = 0; i < FIELDS; i++) {
        size_t length = strlen(f->text[i]);
        shown[i] = sum + length < room;
        if (shown[i]) sum += length;
    }
    line_text[0] = 0;
    for (int i = 0; i < FIELDS; i++)
        if (shown[order[i]])
            used += (size_t)snprintf(line_text + used, size - used, "%s", f->text[order[i]]);
}

static void on_step(void *user, const mrcnn_train_step *s) {
    (void)user;
    double now = progress_clock();
    int terminal = progress_is_possible();
    if (now - line.drawn < (terminal ? 0.1 : SECONDS_BETWEEN_LINES)) return;
    char text[FIELDS * 96];
    fields f = describe(s);
    compose(text, sizeof text, &f, terminal ? terminal_columns() : (int)sizeof text);
    fprintf(stderr, terminal ? "\r%s\033[K" : "%s\n", text);
    fflush(stderr);
    line.drawn = now;
    line.visible = terminal;
}

/* "-" is about no object, as in `mrcnn eval`. */
static void print_figure(const char *name, double value) {
    if (value < 0)
        printf("%s -", name);
    else
        printf("%s %.3f", name, value);
}

static void print_figures(const mrcnn_train_epoch *e) {
    print_figure("  bbox AP", e->bbox_ap);
    print_figure(" AP50", e->bbox_ap50);
    print_figure(" AP75", e->bbox_ap75);
    print_figure("  segm AP", e->segm_ap);
    print_figure(" AP50", e->segm_ap50);
    print_figure(" AP75", e->segm_ap75);
    if (e->is_best) fputs(" (best)", stdout);
    print_figure("  mAP", e->picture_map);
}

static void on_evaluate(void *user, size_t done, size_t total) {
    (void)user;
    double now = progress_clock();
    int terminal = progress_is_possible();
    if (now - line.drawn < (terminal ? 0.1 : SECONDS_BETWEEN_LINES)) return;
    fprintf(stderr,
            terminal ? "\revaluation  %zu of %zu pictures\033[K"
                     : "evaluation  %zu of %zu pictures\n",
            done, total);
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
    if (e->validated)
        printf("  val_loss %.4f%s", e->validation.total,
               e->is_best && !e->evaluated ? " (best)" : "");
    if (e->evaluated) print_figures(e);
    printf("  %s  %s\n", time, e->checkpoint);
    fflush(stdout);
}

static void print_megabytes(const char *what, size_t bytes) {
    fprintf(stderr, "  %-12s %8.1f MB\n", what, (double)bytes / 1e6);
}

static void on_start(void *user, const mrcnn_train_start *s) {
    (void)user;
    hide();
    char evaluated[64] = "";
    if (s->evaluation_pictures)
        snprintf(evaluated, sizeof evaluated, ", %zu to evaluate", s->evaluation_pictures);
    message("%s: layers %s, epochs %d to %d, %zu pictures (%zu to validate%s)", s->folder,
            s->layers, s->epoch, s->last_epoch, s->pictures, s->validation_pictures, evaluated);
    if (s->resumed)
        message("the run goes on%s",
                s->resumed == 1 ? "" : " with its weights alone; the optimizer starts anew");
    size_t sum = s->weight_bytes + s->gradient_bytes + s->optimizer_bytes + s->activation_bytes +
                 s->evaluation_bytes;
    message("%zu of the weights' tensors are trained (%.1f million numbers); memory %.2f GB:",
            s->trained_tensors, (double)s->trained_weights / 1e6, (double)sum / 1e9);
    print_megabytes("weights", s->weight_bytes);
    print_megabytes("gradients", s->gradient_bytes);
    print_megabytes("optimizer", s->optimizer_bytes);
    print_megabytes("activations", s->activation_bytes);
    if (s->evaluation_bytes) print_megabytes("evaluation", s->evaluation_bytes);
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
    options->on_evaluate = on_evaluate;
    options->on_message = on_message;
    options->should_stop = should_stop;
}

void train_report_end(void) {
    hide();
    fflush(stderr);
}
