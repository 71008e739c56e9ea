/* progress.c - see progress.h. */
#include "progress.h"

#include "signals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BAR_WIDTH = 24, LINE_WIDTH = 79 };

static struct {
    const char *label;
    progress_unit unit;
    int active, visible;
    double started, drawn;
} bar;

double progress_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int progress_is_possible(void) {
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

void progress_start(const char *label, progress_unit unit) {
    memset(&bar, 0, sizeof bar);
    bar.label = label;
    bar.unit = unit;
    bar.active = progress_is_possible();
    bar.started = progress_clock();
    bar.drawn = -1;
}

static void print_amount(char *text, size_t room, uint64_t amount) {
    if (bar.unit == PROGRESS_BYTES)
        snprintf(text, room, "%.1f MB", (double)amount / 1e6);
    else
        snprintf(text, room, "%llu", (unsigned long long)amount);
}

static void print_rest(char *text, size_t room, uint64_t done, uint64_t total, double seconds) {
    double rate = seconds > 0 ? (double)done / seconds : 0;
    double left = rate > 0 && total > done ? (double)(total - done) / rate : 0;
    int used = bar.unit == PROGRESS_BYTES            ? snprintf(text, room, "%.1f MB/s", rate / 1e6)
               : bar.unit == PROGRESS_FRAMES && done ? snprintf(text, room, "%.1f fps", rate)
               : rate >= 1                           ? snprintf(text, room, "%.1f/s", rate)
               : done                                ? snprintf(text, room, "%.1f s each", 1 / rate)
                                                     : snprintf(text, room, "...");
    if (left > 0 && used > 0 && (size_t)used < room)
        snprintf(text + used, room - (size_t)used, ", %.0f s left", left);
}

static void draw(uint64_t done, uint64_t total, double now) {
    char so_far[32], whole[32] = "?", rest[64], line[256], marks[BAR_WIDTH + 1];
    print_amount(so_far, sizeof so_far, done);
    if (total) print_amount(whole, sizeof whole, total);
    print_rest(rest, sizeof rest, done, total, now - bar.started);
    double share = total ? (double)done / (double)total : 0;
    size_t filled = share >= 1 ? BAR_WIDTH : (size_t)(share * BAR_WIDTH);
    memset(marks, '.', BAR_WIDTH);
    memset(marks, '#', filled);
    marks[BAR_WIDTH] = 0;
    snprintf(line, sizeof line, "%s [%s] %s/%s %s", bar.label, marks, so_far, whole, rest);
    fprintf(stderr, "\r%.*s\033[K", LINE_WIDTH, line);
    fflush(stderr);
    bar.visible = 1;
}

void progress_show(uint64_t done, uint64_t total) {
    if (!bar.active) return;
    double now = progress_clock();
    if (bar.visible && bar.drawn >= 0 && now - bar.drawn < 0.1 && done != total) return;
    bar.drawn = now;
    draw(done, total, now);
}

void progress_hide(void) {
    if (!bar.visible) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    bar.visible = 0;
}

void progress_end(void) {
    progress_hide();
    bar.active = 0;
}

int progress_or_stop(void *user, size_t done, size_t total) {
    (void)user;
    progress_show(done, total);
    return signals_came();
}
