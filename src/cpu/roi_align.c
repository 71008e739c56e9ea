/* roi_align.c - crop_and_resize of RoIs from pyramid levels (N22), parallel over RoIs, vectorised
 * over channels. On the way back RoIs meet on the same pixels: there each thread owns a band of
 * channels, and adds in the RoIs' order. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/cpu.h"
#include "cpu/training.h"
#include "graph/sampling.h"

#include <stdlib.h>
#include <string.h>

typedef struct roi_kernel {
    mr_kernel base;
    int level_count;
    mrcnn_shape levels[MR_MAX_INPUTS];
    mrcnn_shape out;
} roi_kernel;

typedef struct roi_job {
    const roi_kernel *k;
    const mr_run *run;
} roi_job;

/* The order of operations of TensorFlow's kernel: along x on both rows, then along y. */
static void blend(float *restrict y, const float *restrict tl, const float *restrict tr,
                  const float *restrict bl, const float *restrict br, float wx, float wy,
                  size_t channels) {
    for (size_t c = 0; c < channels; c++) {
        float top = tl[c] + (tr[c] - tl[c]) * wx;
        float bottom = bl[c] + (br[c] - bl[c]) * wx;
        y[c] = top + (bottom - top) * wy;
    }
}

static void pool_one(const roi_kernel *k, const mr_run *run, const float *roi, float *y) {
    int level = (int)roi[1];
    mrcnn_shape in = k->levels[level];
    size_t channels = (size_t)in.channels, stride = (size_t)in.width * channels;
    const float *map = run->inputs[level] + (size_t)roi[0] * mr_shape_size(in);
    for (int by = 0; by < k->out.height; by++) {
        mr_sample sy = mr_sample_at(roi[2], roi[4], in.height, k->out.height, by);
        const float *top = map + (size_t)sy.low * stride, *bottom = map + (size_t)sy.high * stride;
        for (int bx = 0; bx < k->out.width; bx++, y += channels) {
            mr_sample sx = mr_sample_at(roi[3], roi[5], in.width, k->out.width, bx);
            size_t left = (size_t)sx.low * channels, right = (size_t)sx.high * channels;
            if (sy.inside && sx.inside)
                blend(y, top + left, top + right, bottom + left, bottom + right, sx.weight,
                      sy.weight, channels);
            else
                memset(y, 0, channels * sizeof *y);
        }
    }
}

static void pool_many(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const roi_job *job = context;
    const float *rois = job->run->inputs[job->k->level_count];
    size_t size = mr_shape_size(job->k->out);
    for (size_t i = begin; i < end; i++)
        pool_one(job->k, job->run, rois + i * MR_ROI_COLUMNS, job->run->output + i * size);
}

static void run_roi_align(mr_kernel *kernel, const mr_run *run) {
    roi_job job = {(roi_kernel *)kernel, run};
    mr_parallel_dynamic(run->threads, (size_t)run->rows[MR_ROWS_ROIS], 16, pool_many, &job);
}

/* ---------------------------------------------------------------------------------- backward */

typedef struct back_job {
    const roi_kernel *k;
    const mr_backward *b;
} back_job;

static void add_scaled(float *to, const float *g, float weight, size_t count) {
    for (size_t c = 0; c < count; c++) to[c] += weight * g[c];
}

/* Channels [c0, c1) of one RoI. */
static void scatter_one(const back_job *j, const float *roi, const float *g, size_t c0, size_t c1) {
    int level = (int)roi[1];
    mrcnn_shape in = j->k->levels[level], out = j->k->out;
    size_t channels = (size_t)in.channels, stride = (size_t)in.width * channels;
    if (!j->b->input_gradients[level]) return;
    float *map = j->b->input_gradients[level] + (size_t)roi[0] * mr_shape_size(in) + c0;
    for (int bin = 0; bin < out.height * out.width; bin++) {
        mr_sample sy = mr_sample_at(roi[2], roi[4], in.height, out.height, bin / out.width);
        mr_sample sx = mr_sample_at(roi[3], roi[5], in.width, out.width, bin % out.width);
        const float *from = g + (size_t)bin * channels + c0;
        float *top = map + (size_t)sy.low * stride, *bottom = map + (size_t)sy.high * stride;
        size_t left = (size_t)sx.low * channels, right = (size_t)sx.high * channels;
        if (!sy.inside || !sx.inside) continue;
        add_scaled(top + left, from, (1 - sy.weight) * (1 - sx.weight), c1 - c0);
        if (sx.weight > 0) add_scaled(top + right, from, (1 - sy.weight) * sx.weight, c1 - c0);
        if (sy.weight > 0) add_scaled(bottom + left, from, sy.weight * (1 - sx.weight), c1 - c0);
        if (sy.weight > 0 && sx.weight > 0)
            add_scaled(bottom + right, from, sy.weight * sx.weight, c1 - c0);
    }
}

enum { BAND = 16 }; /* channels in a cache line */

static void scatter_bands(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const back_job *j = context;
    size_t channels = (size_t)j->k->out.channels, size = mr_shape_size(j->k->out);
    size_t last = end * BAND < channels ? end * BAND : channels;
    const float *rois = j->b->inputs[j->k->level_count];
    for (size_t i = 0; i < (size_t)j->b->rows[MR_ROWS_ROIS]; i++)
        scatter_one(j, rois + i * MR_ROI_COLUMNS, j->b->output_gradient + i * size, begin * BAND,
                    last);
}

/* No gradient goes to the boxes (N24). */
static void backward_roi_align(mr_kernel *kernel, const mr_backward *b) {
    back_job job = {(roi_kernel *)kernel, b};
    size_t pictures = (size_t)b->rows[MR_ROWS_IMAGES];
    for (int i = 0; i < job.k->level_count; i++)
        if (b->input_gradients[i])
            mr_clear_gradient(b->input_gradients[i], pictures * mr_shape_size(job.k->levels[i]),
                              b->accumulate[i], b->threads);
    size_t bands = ((size_t)job.k->out.channels + BAND - 1) / BAND;
    mr_parallel(b->threads, bands, scatter_bands, &job);
}

static void free_roi_align(mr_kernel *kernel) {
    free(kernel);
}

mrcnn_status mr_cpu_roi_align(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    roi_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "RoIAlign");
    k->base.run = run_roi_align;
    if (mr_cpu_trains(p)) k->base.backward = backward_roi_align;
    k->base.free = free_roi_align;
    k->base.algorithm = "loops";
    k->level_count = p->node->input_count - 1;
    for (int i = 0; i < k->level_count; i++) k->levels[i] = mr_input_shape(p, i);
    k->out = p->node->shape;
    *kernel = &k->base;
    return MRCNN_OK;
}
