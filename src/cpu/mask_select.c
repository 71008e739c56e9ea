/* mask_select.c - the mask head's last 1x1 convolution and sigmoid, for the predicted class's
 * channel alone. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/cpu.h"

#include <math.h>
#include <stdlib.h>

typedef struct select_kernel {
    mr_kernel base;
    mrcnn_shape in;
    const float *weights; /* (filters, channels): a row a class */
    const float *bias;
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

static void select_many(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const select_job *job = context;
    const select_kernel *k = job->k;
    size_t channels = (size_t)k->in.channels;
    size_t pixels = (size_t)k->in.height * (size_t)k->in.width;
    for (size_t i = begin; i < end; i++) {
        size_t channel = (size_t)job->run->inputs[1][i];
        const float *w = k->weights + channel * channels;
        const float *x = job->run->inputs[0] + i * pixels * channels;
        for (size_t p = 0; p < pixels; p++)
            job->run->output[i * pixels + p] =
                1.0f / (1.0f + expf(-(dot(x + p * channels, w, channels) + k->bias[channel])));
    }
}

static void run_select(mr_kernel *kernel, const mr_run *run) {
    select_job job = {(select_kernel *)kernel, run};
    mr_parallel(run->threads, (size_t)run->rows[MR_ROWS_ROIS], select_many, &job);
}

static void free_select(mr_kernel *kernel) {
    free(kernel);
}

/* (channels, filters) to (filters, channels). */
static mrcnn_status pack_transposed(const mr_prepare *p, const float *kernel, void *user,
                                    size_t extra_bytes, mr_pack *pack, mrcnn_error *err) {
    (void)user;
    size_t channels = (size_t)mr_input_shape(p, 0).channels, filters = (size_t)p->node->filters;
    pack->bytes = channels * filters * sizeof(float);
    pack->data = mr_alloc_aligned(pack->bytes + extra_bytes);
    if (!pack->data) return mr_fail_memory(err, pack->bytes, p->node->layer);
    for (size_t c = 0; c < channels; c++)
        for (size_t f = 0; f < filters; f++) pack->data[f * channels + c] = kernel[c * filters + f];
    return MRCNN_OK;
}

mrcnn_status mr_cpu_mask_select(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    select_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "the mask layer");
    k->base.run = run_select;
    k->base.free = free_select;
    k->base.algorithm = "loops";
    k->in = mr_input_shape(p, 0);
    const mr_pack *pack;
    mrcnn_status status = mr_cpu_pack(p, "transposed", pack_transposed, NULL, &pack, &k->bias, err);
    if (status != MRCNN_OK) {
        free(k);
        return status;
    }
    k->weights = pack->data;
    *kernel = &k->base;
    return MRCNN_OK;
}
