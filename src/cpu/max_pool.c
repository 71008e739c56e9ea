/* max_pool.c - max pooling by oneDNN; a 1x1 window (the pyramid's P6) is plain subsampling. The way
 * back finds each window's maximum again: to keep its place would cost memory for the whole step. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/cpu.h"
#include "cpu/onednn.h"
#include "cpu/training.h"

#include <stdlib.h>
#include <string.h>

typedef struct pool_kernel {
    mr_kernel base;
    mr_dnnl *primitive; /* NULL: subsampling */
    mrcnn_shape in, out;
    size_t number; /* bytes of one */
    int stride, kernel_h, kernel_w, pad_top, pad_left;
} pool_kernel;

static void subsample(mr_kernel *kernel, const mr_run *run) {
    const pool_kernel *k = (const pool_kernel *)kernel;
    size_t pixel = (size_t)k->in.channels * k->number;
    char *y = run->output;
    for (int n = 0; n < run->rows[MR_ROWS_IMAGES]; n++)
        for (int oy = 0; oy < k->out.height; oy++)
            for (int ox = 0; ox < k->out.width; ox++, y += pixel) {
                size_t row = (size_t)n * (size_t)k->in.height + (size_t)(oy * k->stride);
                size_t at = row * (size_t)k->in.width + (size_t)(ox * k->stride);
                memcpy(y, (const char *)run->inputs[0] + at * pixel, pixel);
            }
}

static void run_pool(mr_kernel *kernel, const mr_run *run) {
    pool_kernel *k = (pool_kernel *)kernel;
    mr_dnnl_run(k->primitive, run->inputs[0], NULL, NULL, run->output, run->scratch);
}

/* ---------------------------------------------------------------------------------- backward */

typedef struct pool_job {
    const pool_kernel *k;
    const mr_backward *b;
} pool_job;

/* The part of an output pixel's window that lies in the picture: [top, bottom) x [left, right). */
typedef struct window {
    int top, bottom, left, right;
} window;

static window window_at(const pool_kernel *k, int oy, int ox) {
    int top = oy * k->stride - k->pad_top, left = ox * k->stride - k->pad_left;
    int bottom = top + k->kernel_h, right = left + k->kernel_w;
    window w = {top > 0 ? top : 0, bottom < k->in.height ? bottom : k->in.height,
                left > 0 ? left : 0, right < k->in.width ? right : k->in.width};
    return w;
}

enum { BLOCK = 64 }; /* channels at a time */

/* For each channel of a block the place of the window's first maximum in row-major order, as torch
 * and TensorFlow choose on CPUs, counted from the window's first pixel, which x points at. */
static void find_maxima(const pool_kernel *k, const window *w, const float *x, size_t count,
                        uint32_t *where) {
    size_t channels = (size_t)k->in.channels, row = (size_t)k->in.width * channels;
    float best[BLOCK];
    memcpy(best, x, count * sizeof *best);
    memset(where, 0, count * sizeof *where);
    for (int y = 0; y < w->bottom - w->top; y++)
        for (int i = 0; i < w->right - w->left; i++) {
            uint32_t at = (uint32_t)((size_t)y * row + (size_t)i * channels);
            for (size_t c = 0; c < count; c++) {
                uint32_t larger = x[at + c] > best[c] ? UINT32_MAX : 0; /* a lane's mask */
                best[c] = x[at + c] > best[c] ? x[at + c] : best[c];
                where[c] = (at & larger) | (where[c] & ~larger);
            }
        }
}

/* One output pixel's gradient to those of its maxima that lie in rows [y0, y1). x and dx point at
 * the picture. */
static void scatter_pixel(const pool_kernel *k, const window *w, int y0, int y1, const float *x,
                          const float *g, float *dx) {
    size_t channels = (size_t)k->in.channels, row = (size_t)k->in.width * channels;
    size_t at = (size_t)w->top * row + (size_t)w->left * channels;
    size_t first = w->top < y0 ? (size_t)(y0 - w->top) * row : 0;
    size_t last = (size_t)(y1 - w->top) * row;
    for (size_t c0 = 0; c0 < channels; c0 += BLOCK) {
        size_t count = channels - c0 < BLOCK ? channels - c0 : BLOCK;
        uint32_t where[BLOCK] = {0};
        if (k->primitive) find_maxima(k, w, x + at + c0, count, where);
        for (size_t c = 0; c < count; c++)
            if (where[c] >= first && where[c] < last) dx[at + c0 + where[c] + c] += g[c0 + c];
    }
}

/* Input rows [y0, y1) of one picture. Windows reach across the parts' borders: what lies there is
 * sought by both sides and written by one. */
static void pool_back_rows(const pool_job *j, size_t picture, int y0, int y1) {
    const pool_kernel *k = j->k;
    size_t size = mr_shape_size(k->in), row = (size_t)k->in.width * (size_t)k->in.channels;
    const float *x = k->primitive ? j->b->inputs[0] + picture * size : NULL;
    float *dx = j->b->input_gradients[0] + picture * size;
    int clear = j->b->accumulate[0] ? y1 : y0; /* rows before this one are ready to be added to */
    for (int oy = 0; oy < k->out.height; oy++) {
        window w = window_at(k, oy, 0);
        if (w.bottom <= y0 || w.top >= y1) continue;
        for (; clear < w.bottom && clear < y1; clear++)
            memset(dx + (size_t)clear * row, 0, row * sizeof *dx);
        const float *g = j->b->output_gradient + picture * mr_shape_size(k->out) +
                         (size_t)oy * (size_t)k->out.width * (size_t)k->out.channels;
        for (int ox = 0; ox < k->out.width; ox++, g += k->out.channels) {
            w = window_at(k, oy, ox);
            scatter_pixel(k, &w, y0, y1, x, g, dx);
        }
    }
    for (; clear < y1; clear++) memset(dx + (size_t)clear * row, 0, row * sizeof *dx);
}

static void pool_back(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const pool_job *j = context;
    size_t height = (size_t)j->k->in.height;
    for (size_t i = begin; i < end;) {
        size_t picture = i / height, first = i % height;
        size_t last = end - picture * height < height ? end - picture * height : height;
        pool_back_rows(j, picture, (int)first, (int)last);
        i = picture * height + last;
    }
}

static void backward_pool(mr_kernel *kernel, const mr_backward *b) {
    pool_job job = {(pool_kernel *)kernel, b};
    size_t rows = (size_t)b->rows[MR_ROWS_IMAGES] * (size_t)job.k->in.height;
    if (b->input_gradients[0]) mr_parallel(b->threads, rows, pool_back, &job);
}

static void free_pool(mr_kernel *kernel) {
    pool_kernel *k = (pool_kernel *)kernel;
    mr_dnnl_free(&k->primitive);
    free(k);
}

mrcnn_status mr_cpu_max_pool(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    const mr_node *n = p->node;
    if (n->rows != MR_ROWS_IMAGES)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "max pooling of RoIs isn't supported");
    if (mr_shape_size(mr_input_shape(p, 0)) > UINT32_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "max pooling of a picture of over 4e9 numbers");
    pool_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a pooling layer");
    k->base.free = free_pool;
    k->base.run = subsample;
    k->base.algorithm = "copy";
    k->in = mr_input_shape(p, 0);
    k->out = n->shape;
    k->number = mr_type_size(n->type);
    k->stride = n->stride;
    k->kernel_h = n->kernel_h;
    k->kernel_w = n->kernel_w;
    k->pad_top = n->pad_top;
    k->pad_left = n->pad_left;
    if (mr_cpu_trains(p)) k->base.backward = backward_pool;
    *kernel = &k->base;
    if (n->kernel_h == 1 && n->kernel_w == 1) return MRCNN_OK;
    mr_dnnl_window w = mr_cpu_window(p);
    w.n = p->max_rows[MR_ROWS_IMAGES];
    mrcnn_status status = mr_dnnl_max_pool(&k->primitive, &w, err);
    if (status != MRCNN_OK) {
        free_pool(&k->base);
        *kernel = NULL;
        return status;
    }
    k->base.run = run_pool;
    k->base.scratch_bytes = mr_dnnl_scratch_bytes(k->primitive);
    k->base.algorithm = mr_dnnl_implementation(k->primitive);
    return MRCNN_OK;
}
