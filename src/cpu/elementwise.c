/* elementwise.c - what costs memory traffic rather than arithmetic: sums, ReLU and batch norm that
 * no convolution absorbed, padding, upsampling, softmax. One loop body each, parallel over rows of
 * pixels. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/cpu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct element_kernel {
    mr_kernel base;
    mr_node node;
    mrcnn_shape in;
    mr_parallel_body body;
    float *scale, *shift; /* batch norm: y = x scale + shift; owned */
} element_kernel;

typedef struct element_job {
    const element_kernel *k;
    const mr_run *run;
} element_job;

/* Numbers in one row of output pixels. */
static size_t row_size(const element_kernel *k) {
    return (size_t)k->node.shape.width * (size_t)k->node.shape.channels;
}

static void relu_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    const float *x = j->run->inputs[0];
    float *y = j->run->output;
    size_t size = row_size(j->k);
    for (size_t i = begin * size; i < end * size; i++) y[i] = x[i] > 0 ? x[i] : 0.0f;
}

static void add_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    const float *a = j->run->inputs[0], *b = j->run->inputs[1];
    float *y = j->run->output;
    size_t size = row_size(j->k);
    for (size_t i = begin * size; i < end * size; i++) y[i] = a[i] + b[i];
}

static void batch_norm_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    size_t channels = (size_t)j->k->in.channels;
    size_t first = begin * row_size(j->k), last = end * row_size(j->k);
    for (size_t i = first; i < last; i += channels)
        for (size_t c = 0; c < channels; c++)
            j->run->output[i + c] = j->run->inputs[0][i + c] * j->k->scale[c] + j->k->shift[c];
}

static void pad_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    mrcnn_shape in = j->k->in;
    size_t size = row_size(j->k), in_size = (size_t)in.width * (size_t)in.channels;
    for (size_t i = begin; i < end; i++) {
        size_t picture = i / (size_t)j->k->node.shape.height;
        int y = (int)(i % (size_t)j->k->node.shape.height) - j->k->node.pad_top;
        float *out = j->run->output + i * size;
        memset(out, 0, size * sizeof *out);
        if (y < 0 || y >= in.height) continue;
        memcpy(out + (size_t)j->k->node.pad_left * (size_t)in.channels,
               j->run->inputs[0] + (picture * (size_t)in.height + (size_t)y) * in_size,
               in_size * sizeof *out);
    }
}

static void upsample_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    size_t size = row_size(j->k), channels = (size_t)j->k->in.channels;
    for (size_t i = begin; i < end; i++) {
        /* Output row i of a picture of 2h rows comes from input row i / 2, also across pictures. */
        const float *x = j->run->inputs[0] + i / 2 * (size / 2);
        float *y = j->run->output + i * size;
        for (size_t at = 0; at < size / 2; at += channels) {
            memcpy(y + 2 * at, x + at, channels * sizeof *y);
            memcpy(y + 2 * at + channels, x + at, channels * sizeof *y);
        }
    }
}

static void softmax_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    size_t channels = (size_t)j->k->in.channels;
    size_t first = begin * row_size(j->k), last = end * row_size(j->k);
    for (size_t i = first; i < last; i += channels) {
        const float *x = j->run->inputs[0] + i;
        float *y = j->run->output + i, largest = x[0], sum = 0;
        for (size_t c = 1; c < channels; c++) largest = x[c] > largest ? x[c] : largest;
        for (size_t c = 0; c < channels; c++) sum += y[c] = expf(x[c] - largest);
        for (size_t c = 0; c < channels; c++) y[c] /= sum;
    }
}

static const struct {
    mr_op op;
    mr_parallel_body body;
} bodies[] = {{MR_OP_RELU, relu_rows},
              {MR_OP_ADD, add_rows},
              {MR_OP_BATCH_NORM, batch_norm_rows},
              {MR_OP_ZERO_PAD, pad_rows},
              {MR_OP_UPSAMPLE, upsample_rows},
              {MR_OP_SOFTMAX, softmax_rows}};

static void run_elementwise(mr_kernel *kernel, const mr_run *run) {
    element_kernel *k = (element_kernel *)kernel;
    element_job job = {k, run};
    size_t rows = (size_t)run->rows[k->node.rows] * (size_t)k->node.shape.height;
    mr_parallel(run->threads, rows, k->body, &job);
}

static void free_elementwise(mr_kernel *kernel) {
    element_kernel *k = (element_kernel *)kernel;
    free(k->scale);
    free(k->shift);
    free(k);
}

static mrcnn_status batch_norm_weights(element_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    static const char *const params[4] = {"gamma", "beta", "moving_mean", "moving_variance"};
    size_t channels = (size_t)k->in.channels;
    const float *v[4];
    for (int i = 0; i < 4; i++) {
        const mr_tensor *t = mr_tensors_find(p->weights, p->node->layer, params[i]);
        if (!t || t->count != channels)
            return mr_fail(err, MRCNN_E_WEIGHTS, "tensor '%s/%s' is missing or has the wrong size",
                           p->node->layer, params[i]);
        v[i] = t->values;
    }
    k->scale = mr_alloc_aligned(channels * sizeof(float));
    k->shift = mr_alloc_aligned(channels * sizeof(float));
    if (!k->scale || !k->shift) return mr_fail_memory(err, channels, p->node->layer);
    for (size_t c = 0; c < channels; c++) {
        double scale = v[0][c] / sqrt((double)v[3][c] + 1e-3); /* N50 */
        k->scale[c] = (float)scale;
        k->shift[c] = (float)(v[1][c] - v[2][c] * scale);
    }
    return MRCNN_OK;
}

mrcnn_status mr_cpu_elementwise(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    element_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a node");
    k->base.run = run_elementwise;
    k->base.free = free_elementwise;
    k->base.algorithm = "loops";
    k->node = *p->node;
    k->in = mr_input_shape(p, 0);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (bodies[i].op == p->node->op) k->body = bodies[i].body;
    mrcnn_status status = MRCNN_OK;
    if (p->node->op == MR_OP_BATCH_NORM) status = batch_norm_weights(k, p, err);
    if (status != MRCNN_OK)
        free_elementwise(&k->base);
    else
        *kernel = &k->base;
    return status;
}
