/* windows.c - see windows.h. */
#include "cpu/windows.h"

#include "base/parallel.h"

#include <string.h>

enum { LINE = 16 /* floats of a cache line */ };

mr_pixel_range mr_pixel_part(mr_pixel_range range, size_t first, size_t count) {
    mr_pixel_range part = {range.index ? range.index + first : NULL,
                           range.index ? 0 : range.first + first, count};
    return part;
}

size_t mr_pixel_at(const mr_pixel_range *range, size_t i) {
    return range->index ? (size_t)range->index[i] : range->first + i;
}

int mr_windows_are_pixels(const mr_dnnl_window *w) {
    return w->kernel_h == 1 && w->kernel_w == 1 && w->stride == 1 && w->pad_top == 0 &&
           w->pad_left == 0 && w->pad_bottom == 0 && w->pad_right == 0;
}

size_t mr_window_size(const mr_dnnl_window *w) {
    return (size_t)w->kernel_h * (size_t)w->kernel_w * (size_t)w->in_c;
}

typedef struct windows_job {
    const mr_dnnl_window *w;
    const float *x;
    float *gradient;
    const float *rows;
    float *gathered;
    mr_pixel_range range;
} windows_job;

/* One line of taps of a window: the input pixels [x, x + count) of line y are taps [tap, tap +
 * count) of the line; none where the line is outside. */
typedef struct tap_line {
    size_t pixel; /* of the batch's input */
    int tap, count;
} tap_line;

static int greater(int a, int b) {
    return a > b ? a : b;
}

static int lesser(int a, int b) {
    return a < b ? a : b;
}

static tap_line line_of(const mr_dnnl_window *w, size_t out_pixel, int line) {
    size_t row = out_pixel / (size_t)w->out_w, picture = row / (size_t)w->out_h;
    int y = (int)(row % (size_t)w->out_h) * w->stride - w->pad_top + line;
    int x = (int)(out_pixel % (size_t)w->out_w) * w->stride - w->pad_left;
    int begin = greater(x, 0), end = lesser(x + w->kernel_w, w->in_w);
    tap_line found = {0, begin - x, 0};
    if (y < 0 || y >= w->in_h || end <= begin) return found;
    found.pixel = (picture * (size_t)w->in_h + (size_t)y) * (size_t)w->in_w + (size_t)begin;
    found.count = end - begin;
    return found;
}

static void gather(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const windows_job *job = context;
    const mr_dnnl_window *w = job->w;
    size_t channels = (size_t)w->in_c, line_size = (size_t)w->kernel_w * channels;
    float *to = job->gathered + begin * mr_window_size(w);
    for (size_t i = begin; i < end; i++) {
        size_t pixel = mr_pixel_at(&job->range, i);
        for (int line = 0; line < w->kernel_h; line++, to += line_size) {
            tap_line l = line_of(w, pixel, line);
            size_t inside = (size_t)l.count * channels;
            if (inside < line_size) memset(to, 0, line_size * sizeof *to);
            if (inside)
                memcpy(to + (size_t)l.tap * channels, job->x + l.pixel * channels,
                       inside * sizeof *to);
        }
    }
}

void mr_gather_windows(const mr_dnnl_window *w, const float *x, mr_pixel_range range, float *rows,
                       int threads) {
    windows_job job = {.w = w, .x = x, .gathered = rows, .range = range};
    mr_parallel(threads, range.count, gather, &job);
}

/* Channels [first, last) of one line of taps. */
static void add_line(const float *from, float *to, size_t taps, size_t channels, size_t first,
                     size_t last) {
    for (size_t t = 0; t < taps; t++, from += channels, to += channels)
        for (size_t c = first; c < last; c++) to[c] += from[c];
}

/* Threads share out the channels, in cache lines. */
static void scatter(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const windows_job *job = context;
    const mr_dnnl_window *w = job->w;
    size_t channels = (size_t)w->in_c, line_size = (size_t)w->kernel_w * channels;
    size_t last = end * LINE < channels ? end * LINE : channels;
    const float *from = job->rows;
    for (size_t i = 0; i < job->range.count; i++) {
        size_t pixel = mr_pixel_at(&job->range, i);
        for (int line = 0; line < w->kernel_h; line++, from += line_size) {
            tap_line l = line_of(w, pixel, line);
            if (l.count)
                add_line(from + (size_t)l.tap * channels, job->gradient + l.pixel * channels,
                         (size_t)l.count, channels, begin * LINE, last);
        }
    }
}

void mr_scatter_windows(const mr_dnnl_window *w, const float *rows, mr_pixel_range range, float *x,
                        int threads) {
    windows_job job = {.w = w, .gradient = x, .rows = rows, .range = range};
    mr_parallel(threads, ((size_t)w->in_c + LINE - 1) / LINE, scatter, &job);
}
