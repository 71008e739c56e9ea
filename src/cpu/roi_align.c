/* roi_align.c - crop_and_resize of RoIs from pyramid levels (N22), parallel over RoIs, vectorised
 * over channels. On the way back RoIs meet on the same pixels: there the work is split into bands of
 * the maps' rows, and each adds in the RoIs' order, whatever the threads. */
#include "base/bf16.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/round.h"
#include "cpu/cpu.h"
#include "cpu/training.h"
#include "graph/sampling.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct roi_kernel {
    mr_kernel base;
    int level_count;
    mrcnn_shape levels[MR_MAX_INPUTS];
    mrcnn_shape out;
    mr_type type; /* of the output, and of levels unless they are of 8 bits */
    mr_type level_types[MR_MAX_INPUTS];
    float factors[MR_MAX_INPUTS]; /* a level's scale over the output's */
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

static void blend_bf16(mr_bf16 *restrict y, const mr_bf16 *restrict tl, const mr_bf16 *restrict tr,
                       const mr_bf16 *restrict bl, const mr_bf16 *restrict br, float wx, float wy,
                       size_t channels) {
    for (size_t c = 0; c < channels; c++) {
        float left = mr_bf16_to_float(tl[c]), right = mr_bf16_to_float(tr[c]);
        float top = left + (right - left) * wx;
        left = mr_bf16_to_float(bl[c]), right = mr_bf16_to_float(br[c]);
        float bottom = left + (right - left) * wx;
        y[c] = mr_bf16_from_float(top + (bottom - top) * wy);
    }
}

/* The same of 8-bit numbers, whose result is within their range: `factor` is the scale of what is read over that of
 * what is written. */
#define BLEND_8BIT(name, from, to)                                                         \
    static void name(to *restrict y, const from *restrict tl, const from *restrict tr,     \
                     const from *restrict bl, const from *restrict br, float wx, float wy, \
                     float factor, size_t channels) {                                      \
        for (size_t c = 0; c < channels; c++) {                                            \
            float left = (float)tl[c], low = (float)bl[c];                                 \
            float top = left + ((float)tr[c] - left) * wx,                                 \
                  bottom = low + ((float)br[c] - low) * wx;                                \
            y[c] = (to)mr_round((top + (bottom - top) * wy) * factor);                     \
        }                                                                                  \
    }
BLEND_8BIT(blend_u8, uint8_t, uint8_t)
BLEND_8BIT(blend_s8, int8_t, int8_t)
BLEND_8BIT(blend_u8_to_s8, uint8_t, int8_t)

static void blend_8bit(mr_type from, mr_type to, void *y, const void *const at[4], float wx,
                       float wy, float factor, size_t channels) {
    if (to == MR_U8)
        blend_u8(y, at[0], at[1], at[2], at[3], wx, wy, factor, channels);
    else if (from == MR_U8)
        blend_u8_to_s8(y, at[0], at[1], at[2], at[3], wx, wy, factor, channels);
    else
        blend_s8(y, at[0], at[1], at[2], at[3], wx, wy, factor, channels);
}

/* Bytes from here on, of numbers of the kernel's type. */
static void pool_one(const roi_kernel *k, const mr_run *run, const float *roi, char *y) {
    int level = (int)roi[1];
    mrcnn_shape in = k->levels[level];
    size_t channels = (size_t)in.channels, pixel = channels * mr_type_size(k->type); /* of both */
    size_t stride = (size_t)in.width * pixel;
    const char *map =
        (const char *)run->inputs[level] + (size_t)roi[0] * (size_t)in.height * stride;
    for (int by = 0; by < k->out.height; by++) {
        mr_sample sy = mr_sample_at(roi[2], roi[4], in.height, k->out.height, by);
        const char *top = map + (size_t)sy.low * stride, *bottom = map + (size_t)sy.high * stride;
        for (int bx = 0; bx < k->out.width; bx++, y += pixel) {
            mr_sample sx = mr_sample_at(roi[3], roi[5], in.width, k->out.width, bx);
            size_t left = (size_t)sx.low * pixel, right = (size_t)sx.high * pixel;
            const void *corners[4] = {top + left, top + right, bottom + left, bottom + right};
            if (!sy.inside || !sx.inside)
                memset(y, 0, pixel);
            else if (mr_type_is_8bit(k->type))
                blend_8bit(k->level_types[level], k->type, y, corners, sx.weight, sy.weight,
                           k->factors[level], channels);
            else if (k->type == MR_BF16)
                blend_bf16((mr_bf16 *)(void *)y, corners[0], corners[1], corners[2], corners[3],
                           sx.weight, sy.weight, channels);
            else
                blend((float *)(void *)y, corners[0], corners[1], corners[2], corners[3], sx.weight,
                      sy.weight, channels);
        }
    }
}

static void pool_many(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const roi_job *job = context;
    const float *rois = mr_input_f32(job->run, job->k->level_count);
    size_t bytes = mr_shape_size(job->k->out) * mr_type_size(job->k->type);
    for (size_t i = begin; i < end; i++)
        pool_one(job->k, job->run, rois + i * MR_ROI_COLUMNS, (char *)job->run->output + i * bytes);
}

static void run_roi_align(mr_kernel *kernel, const mr_run *run) {
    roi_job job = {(roi_kernel *)kernel, run};
    mr_parallel_dynamic(run->threads, (size_t)run->rows[MR_ROWS_ROIS], 16, pool_many, &job);
}

/* ---------------------------------------------------------------------------------- backward */

enum { BAND = 16 }; /* rows of a map that are one part of the work */

typedef struct back_job {
    const roi_kernel *k;
    const mr_backward *b;
    int level;
} back_job;

/* Rows [top, bottom) of one picture's map. */
typedef struct band {
    int top, bottom;
    size_t picture;
    float *map; /* row 0 */
} band;

static size_t bands_of(mrcnn_shape map) {
    return ((size_t)map.height + BAND - 1) / BAND;
}

static band band_at(const back_job *j, size_t index) {
    mrcnn_shape in = j->k->levels[j->level];
    size_t picture = index / bands_of(in);
    int top = (int)(index % bands_of(in)) * BAND;
    band b = {top, top + BAND < in.height ? top + BAND : in.height, picture,
              j->b->input_gradients[j->level] + picture * mr_shape_size(in)};
    return b;
}

static void add_scaled(float *to, const float *g, float weight, size_t count) {
    for (size_t c = 0; c < count; c++) to[c] += weight * g[c];
}

/* A row of bins to a row of the map. */
static void scatter_row(const roi_kernel *k, const float *roi, float weight, mrcnn_shape in,
                        const float *g, float *row) {
    size_t channels = (size_t)in.channels;
    for (int bx = 0; bx < k->out.width; bx++, g += channels) {
        mr_sample x = mr_sample_at(roi[3], roi[5], in.width, k->out.width, bx);
        if (!x.inside) continue;
        add_scaled(row + (size_t)x.low * channels, g, weight * (1 - x.weight), channels);
        if (x.weight > 0)
            add_scaled(row + (size_t)x.high * channels, g, weight * x.weight, channels);
    }
}

static void scatter_roi(const roi_kernel *k, const float *roi, mrcnn_shape in, const float *g,
                        const band *b) {
    size_t stride = (size_t)in.width * (size_t)in.channels;
    size_t bins = (size_t)k->out.width * (size_t)k->out.channels;
    for (int by = 0; by < k->out.height; by++, g += bins) {
        mr_sample y = mr_sample_at(roi[2], roi[4], in.height, k->out.height, by);
        if (!y.inside) continue;
        if (y.low >= b->top && y.low < b->bottom)
            scatter_row(k, roi, 1 - y.weight, in, g, b->map + (size_t)y.low * stride);
        if (y.weight > 0 && y.high >= b->top && y.high < b->bottom)
            scatter_row(k, roi, y.weight, in, g, b->map + (size_t)y.high * stride);
    }
}

static void scatter_bands(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const back_job *j = context;
    mrcnn_shape in = j->k->levels[j->level];
    size_t size = mr_shape_size(j->k->out), stride = (size_t)in.width * (size_t)in.channels;
    for (size_t i = begin; i < end; i++) {
        band b = band_at(j, i);
        if (!j->b->accumulate[j->level])
            memset(b.map + (size_t)b.top * stride, 0,
                   (size_t)(b.bottom - b.top) * stride * sizeof *b.map);
        const float *roi = j->b->inputs[j->k->level_count];
        for (size_t r = 0; r < (size_t)j->b->rows[MR_ROWS_ROIS]; r++, roi += MR_ROI_COLUMNS)
            if ((size_t)roi[0] == b.picture && (int)roi[1] == j->level)
                scatter_roi(j->k, roi, in, j->b->output_gradient + r * size, &b);
    }
}

/* No gradient goes to the boxes (N24). One level after the other: two may be the same value. */
static void backward_roi_align(mr_kernel *kernel, const mr_backward *b) {
    back_job job = {(roi_kernel *)kernel, b, 0};
    size_t pictures = (size_t)b->rows[MR_ROWS_IMAGES];
    for (; job.level < job.k->level_count; job.level++)
        if (b->input_gradients[job.level])
            mr_parallel_dynamic(b->threads, pictures * bands_of(job.k->levels[job.level]), 1,
                                scatter_bands, &job);
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
    k->out = p->node->shape;
    k->type = p->node->type;
    for (int i = 0; i < k->level_count; i++) {
        k->levels[i] = mr_input_shape(p, i);
        k->level_types[i] = mr_input_type(p, i);
        k->factors[i] = mr_type_is_8bit(k->type) ? mr_input_scale(p, i) / p->node->scale : 1;
    }
    *kernel = &k->base;
    return MRCNN_OK;
}
