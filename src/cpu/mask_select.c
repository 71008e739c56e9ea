/* mask_select.c - the mask head's last 1x1 convolution and sigmoid, for the chosen class's channel
 * alone. */
#include "base/bf16.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/cpu.h"
#include "cpu/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct select_kernel {
    mr_kernel base;
    mrcnn_shape in;
    mr_type type;         /* of the features */
    const float *weights; /* (filters, channels): a row a class */
    const float *bias;
    /* Training: what changes from run to run, and where its gradients go. */
    mr_fold fold;
    float *transposed; /* room for the weights; owned */
} select_kernel;

typedef struct select_job {
    const select_kernel *k;
    const mr_run *run;
} select_job;

/* Eight partial sums let the compiler use vectors; their order is fixed. */
static float dot(const float *a, const float *b, size_t count) {
    float sum[8] = {0};
    size_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (size_t k = 0; k < 8; k++) sum[k] += a[i + k] * b[i + k];
    float total = ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
    for (; i < count; i++) total += a[i] * b[i];
    return total;
}

/* What a pixel of the RoI has, as f32: `room` where it is converted. */
static const float *pixel_of(const select_job *job, size_t pixel, float *room) {
    size_t channels = (size_t)job->k->in.channels;
    if (job->k->type == MR_F32) return mr_input_f32(job->run, 0) + pixel * channels;
    mr_bf16_to_floats((const mr_bf16 *)job->run->inputs[0] + pixel * channels, room, channels);
    return room;
}

static void select_many(void *context, size_t begin, size_t end, int thread) {
    const select_job *job = context;
    const select_kernel *k = job->k;
    size_t channels = (size_t)k->in.channels;
    size_t pixels = (size_t)k->in.height * (size_t)k->in.width;
    float *room = (float *)job->run->scratch + (size_t)thread * channels;
    for (size_t i = begin; i < end; i++) {
        size_t channel = (size_t)mr_input_f32(job->run, 1)[i];
        const float *w = k->weights + channel * channels;
        float *y = mr_output_f32(job->run) + i * pixels;
        for (size_t p = 0; p < pixels; p++) {
            float sum = dot(pixel_of(job, i * pixels + p, room), w, channels) + k->bias[channel];
            y[p] = 1.0f / (1.0f + expf(-sum));
        }
    }
}

/* (channels, filters) to (filters, channels). */
static void transpose(const float *kernel, size_t channels, size_t filters, float *to) {
    for (size_t c = 0; c < channels; c++)
        for (size_t f = 0; f < filters; f++) to[f * channels + c] = kernel[c * filters + f];
}

static void read_weights(select_kernel *k) {
    if (k->transposed)
        transpose(k->fold.kernel, (size_t)k->in.channels, k->fold.filters, k->transposed);
}

static void run_select(mr_kernel *kernel, const mr_run *run) {
    select_job job = {(select_kernel *)kernel, run};
    read_weights((select_kernel *)kernel);
    mr_parallel(run->threads, (size_t)run->rows[MR_ROWS_ROIS], select_many, &job);
}

/* ---------------------------------------------------------------------------------- backward */

typedef struct back_job {
    const select_kernel *k;
    const mr_backward *b;
    float *sums; /* a row of row_sums for each RoI: dL/d its channel's kernel, then bias */
} back_job;

static size_t row_sums(const select_kernel *k) {
    return (size_t)k->in.channels + 1;
}

/* p = sigmoid(z): dL/dz = dL/dp p (1 - p); then as a 1x1 convolution of one filter. */
static void back_many(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const back_job *j = context;
    const mr_backward *b = j->b;
    size_t channels = (size_t)j->k->in.channels;
    size_t pixels = (size_t)j->k->in.height * (size_t)j->k->in.width;
    for (size_t i = begin; i < end; i++) {
        const float *w = j->k->weights + (size_t)b->inputs[1][i] * channels;
        float *sum = j->sums + i * row_sums(j->k);
        memset(sum, 0, row_sums(j->k) * sizeof *sum);
        for (size_t at = i * pixels; at < (i + 1) * pixels; at++) {
            const float *x = b->inputs[0] + at * channels;
            float dz = b->output_gradient[at] * b->output[at] * (1 - b->output[at]);
            for (size_t c = 0; c < channels; c++) sum[c] += dz * x[c];
            sum[channels] += dz;
            if (!b->input_gradients[0]) continue;
            float *dx = b->input_gradients[0] + at * channels;
            if (b->accumulate[0])
                for (size_t c = 0; c < channels; c++) dx[c] += dz * w[c];
            else
                for (size_t c = 0; c < channels; c++) dx[c] = dz * w[c];
        }
    }
}

/* RoIs of one class meet on its channel: added in their order. */
static void backward_select(mr_kernel *kernel, const mr_backward *b) {
    select_kernel *k = (select_kernel *)kernel;
    back_job job = {k, b, b->scratch};
    size_t rows = (size_t)b->rows[MR_ROWS_ROIS], channels = (size_t)k->in.channels;
    read_weights(k);
    mr_parallel(b->threads, rows, back_many, &job);
    for (size_t i = 0; i < rows; i++) {
        const float *sum = job.sums + i * row_sums(k);
        size_t channel = (size_t)b->inputs[1][i];
        for (size_t c = 0; k->fold.kernel_gradient && c < channels; c++)
            k->fold.kernel_gradient[c * k->fold.filters + channel] += sum[c];
        if (k->fold.bias_gradient) k->fold.bias_gradient[channel] += sum[channels];
    }
}

/* ----------------------------------------------------------------------------------- prepare */

static void free_select(mr_kernel *kernel) {
    free(((select_kernel *)kernel)->transposed);
    free(kernel);
}

static mrcnn_status pack_transposed(const mr_prepare *p, const float *kernel, void *user,
                                    size_t extra_bytes, mr_pack *pack, mrcnn_error *err) {
    (void)user;
    size_t channels = (size_t)mr_input_shape(p, 0).channels, filters = (size_t)p->node->filters;
    pack->bytes = channels * filters * sizeof(float);
    pack->data = mr_alloc_aligned(pack->bytes + extra_bytes);
    if (!pack->data) return mr_fail_memory(err, pack->bytes, p->node->layer);
    transpose(kernel, channels, filters, pack->data);
    return MRCNN_OK;
}

/* What a training run reads, in the tensors' own memory. */
static mrcnn_status prepare_training(select_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    mrcnn_status status = mr_fold_prepare(&k->fold, p, err);
    if (status != MRCNN_OK) return status;
    size_t rows = (size_t)p->max_rows[p->node->rows];
    k->transposed = mr_alloc_aligned(k->fold.kernel_count * sizeof(float));
    if (!k->transposed)
        return mr_fail_memory(err, k->fold.kernel_count * sizeof(float), p->node->layer);
    k->weights = k->transposed;
    k->bias = k->fold.bias;
    k->base.backward = backward_select;
    k->base.scratch_bytes = rows * row_sums(k) * sizeof(float);
    return MRCNN_OK;
}

mrcnn_status mr_cpu_mask_select(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    select_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "the mask layer");
    k->base.run = run_select;
    k->base.free = free_select;
    k->base.algorithm = "loops";
    k->in = mr_input_shape(p, 0);
    k->type = mr_input_type(p, 0);
    if (k->type != MR_F32)
        k->base.scratch_bytes = (size_t)p->threads * (size_t)k->in.channels * sizeof(float);
    const mr_pack *pack = NULL;
    int trains = mr_cpu_trains(p);
    mrcnn_status status =
        trains ? prepare_training(k, p, err)
               : mr_cpu_pack(p, "transposed", pack_transposed, NULL, &pack, &k->bias, err);
    if (status != MRCNN_OK) {
        free_select(&k->base);
        return status;
    }
    if (pack) k->weights = pack->data;
    *kernel = &k->base;
    return MRCNN_OK;
}
