/* elementwise.c - what costs memory traffic rather than arithmetic: sums and ReLU that no
 * convolution absorbed, padding, upsampling, softmax. One loop body each way, parallel over
 * rows of pixels; padding and upsampling move numbers of any type. */
#include "base/bf16.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/cpu.h"
#include "cpu/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct element_kernel {
    mr_kernel base;
    mr_node node;
    mrcnn_shape in;
    mr_parallel_body body, backward;
} element_kernel;

typedef struct element_job {
    const element_kernel *k;
    const mr_run *run;           /* forward */
    const mr_backward *backward; /* or backward */
} element_job;

/* Numbers in one row of output pixels. */
static size_t row_size(const element_kernel *k) {
    return (size_t)k->node.shape.width * (size_t)k->node.shape.channels;
}

/* Where byte `at` of an input is. */
static const char *input_byte(const element_job *j, size_t at) {
    return (const char *)j->run->inputs[0] + at;
}

static void relu_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    const float *x = j->run->inputs[0];
    float *y = j->run->output;
    size_t size = row_size(j->k);
    for (size_t i = begin * size; i < end * size; i++) y[i] = x[i] > 0 ? x[i] : 0.0f;
}

static void relu_rows_bf16(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    const mr_bf16 *x = j->run->inputs[0];
    mr_bf16 *y = j->run->output;
    size_t size = row_size(j->k);
    for (size_t i = begin * size; i < end * size; i++) y[i] = mr_bf16_to_float(x[i]) > 0 ? x[i] : 0;
}

static void add_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    const float *a = j->run->inputs[0], *b = j->run->inputs[1];
    float *y = j->run->output;
    size_t size = row_size(j->k);
    for (size_t i = begin * size; i < end * size; i++) y[i] = a[i] + b[i];
}

static void add_rows_bf16(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    const mr_bf16 *a = j->run->inputs[0], *b = j->run->inputs[1];
    mr_bf16 *y = j->run->output;
    size_t size = row_size(j->k);
    for (size_t i = begin * size; i < end * size; i++)
        y[i] = mr_bf16_from_float(mr_bf16_to_float(a[i]) + mr_bf16_to_float(b[i]));
}

static void pad_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    mrcnn_shape in = j->k->in;
    size_t pixel = (size_t)in.channels * mr_type_size(j->k->node.type);
    size_t size = (size_t)j->k->node.shape.width * pixel, in_size = (size_t)in.width * pixel;
    for (size_t i = begin; i < end; i++) {
        size_t picture = i / (size_t)j->k->node.shape.height;
        int y = (int)(i % (size_t)j->k->node.shape.height) - j->k->node.pad_top;
        char *out = (char *)j->run->output + i * size;
        memset(out, 0, size * sizeof *out);
        if (y < 0 || y >= in.height) continue;
        memcpy(out + (size_t)j->k->node.pad_left * pixel,
               input_byte(j, (picture * (size_t)in.height + (size_t)y) * in_size), in_size);
    }
}

static void upsample_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    size_t pixel = (size_t)j->k->in.channels * mr_type_size(j->k->node.type);
    size_t size = (size_t)j->k->node.shape.width * pixel;
    for (size_t i = begin; i < end; i++) {
        /* Output row i of a picture of 2h rows comes from input row i / 2, also across pictures. */
        const char *x = input_byte(j, i / 2 * (size / 2));
        char *y = (char *)j->run->output + i * size;
        for (size_t at = 0; at < size / 2; at += pixel) {
            memcpy(y + 2 * at, x + at, pixel);
            memcpy(y + 2 * at + pixel, x + at, pixel);
        }
    }
}

static void softmax_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    size_t channels = (size_t)j->k->in.channels;
    size_t first = begin * row_size(j->k), last = end * row_size(j->k);
    for (size_t i = first; i < last; i += channels) {
        const float *x = mr_input_f32(j->run, 0) + i;
        float *y = mr_output_f32(j->run) + i, largest = x[0], sum = 0;
        for (size_t c = 1; c < channels; c++) largest = x[c] > largest ? x[c] : largest;
        for (size_t c = 0; c < channels; c++) sum += y[c] = expf(x[c] - largest);
        for (size_t c = 0; c < channels; c++) y[c] /= sum;
    }
}

/* ---------------------------------------------------------------------------------- backward */

/* Adds to an input's gradient, or overwrites it. */
static void put(float *to, const float *from, size_t count, int accumulate) {
    if (!accumulate)
        memcpy(to, from, count * sizeof *to);
    else
        for (size_t i = 0; i < count; i++) to[i] += from[i];
}

enum { BLOCK = 256 };

/* What a ReLU lets pass. `g` is copied first: compilers make branches of a load that depends on a
 * comparison, and half of those would be mispredicted. */
static void pass(float *restrict to, const float *restrict y, const float *restrict g,
                 size_t count) {
    memcpy(to, g, count * sizeof *to);
    for (size_t i = 0; i < count; i++) to[i] = y[i] > 0 ? to[i] : 0.0f;
}

static void relu_back(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    const mr_backward *b = j->backward;
    float *dx = b->input_gradients[0], passed[BLOCK];
    size_t last = end * row_size(j->k);
    for (size_t i = begin * row_size(j->k); dx && i < last; i += BLOCK) {
        size_t count = last - i < BLOCK ? last - i : BLOCK;
        pass(passed, b->output + i, b->output_gradient + i, count);
        put(dx + i, passed, count, b->accumulate[0]);
    }
}

/* A value that is added to itself gets its gradient twice: the second time it is added. */
static void add_back(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    const mr_backward *b = j->backward;
    size_t size = row_size(j->k);
    for (int k = 0; k < 2; k++)
        if (b->input_gradients[k])
            put(b->input_gradients[k] + begin * size, b->output_gradient + begin * size,
                (end - begin) * size, b->accumulate[k]);
}

/* Rows of the input. */
static void pad_back(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    const mr_node *n = &j->k->node;
    mrcnn_shape in = j->k->in;
    size_t in_size = (size_t)in.width * (size_t)in.channels;
    for (size_t i = begin; j->backward->input_gradients[0] && i < end; i++) {
        size_t picture = i / (size_t)in.height, y = i % (size_t)in.height + (size_t)n->pad_top;
        const float *g = j->backward->output_gradient +
                         (picture * (size_t)n->shape.height + y) * row_size(j->k) +
                         (size_t)n->pad_left * (size_t)in.channels;
        put(j->backward->input_gradients[0] + i * in_size, g, in_size, j->backward->accumulate[0]);
    }
}

/* Rows of the input: each number went to two pixels of two rows. */
static void upsample_back(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    size_t size = row_size(j->k), channels = (size_t)j->k->in.channels;
    int accumulate = j->backward->accumulate[0];
    for (size_t i = begin; j->backward->input_gradients[0] && i < end; i++) {
        const float *top = j->backward->output_gradient + 2 * i * size, *bottom = top + size;
        float *dx = j->backward->input_gradients[0] + i * (size / 2);
        for (size_t at = 0; at < size / 2; at += channels)
            for (size_t c = 0; c < channels; c++) {
                size_t left = 2 * at + c, right = left + channels;
                float sum = (top[left] + top[right]) + (bottom[left] + bottom[right]);
                dx[at + c] = accumulate ? dx[at + c] + sum : sum;
            }
    }
}

/* dL/dx = y (g - sum of y g). */
static void softmax_back(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const element_job *j = context;
    const mr_backward *b = j->backward;
    size_t channels = (size_t)j->k->in.channels;
    size_t first = begin * row_size(j->k), last = end * row_size(j->k);
    for (size_t i = first; b->input_gradients[0] && i < last; i += channels) {
        const float *y = b->output + i, *g = b->output_gradient + i;
        float *dx = b->input_gradients[0] + i, sum = 0;
        for (size_t c = 0; c < channels; c++) sum += y[c] * g[c];
        for (size_t c = 0; c < channels; c++)
            dx[c] = (b->accumulate[0] ? dx[c] : 0.0f) + y[c] * (g[c] - sum);
    }
}

/* By the type of the output: f32, or bf16 and for what only moves numbers also 8 bits. Training is f32. */
static const struct {
    mr_op op;
    mr_parallel_body f32, low, backward;
} bodies[] = {{MR_OP_RELU, relu_rows, relu_rows_bf16, relu_back},
              {MR_OP_ADD, add_rows, add_rows_bf16, add_back},
              {MR_OP_ZERO_PAD, pad_rows, pad_rows, pad_back},
              {MR_OP_UPSAMPLE, upsample_rows, upsample_rows, upsample_back},
              {MR_OP_SOFTMAX, softmax_rows, NULL, softmax_back}};

static void run_elementwise(mr_kernel *kernel, const mr_run *run) {
    element_kernel *k = (element_kernel *)kernel;
    element_job job = {k, run, NULL};
    size_t rows = (size_t)run->rows[k->node.rows] * (size_t)k->node.shape.height;
    mr_parallel(run->threads, rows, k->body, &job);
}

static void backward_elementwise(mr_kernel *kernel, const mr_backward *b) {
    element_kernel *k = (element_kernel *)kernel;
    element_job job = {k, NULL, b};
    size_t rows = (size_t)b->rows[k->node.rows] * (size_t)k->in.height;
    mr_parallel(b->threads, rows, k->backward, &job);
}

static void free_elementwise(mr_kernel *kernel) {
    free(kernel);
}

mrcnn_status mr_cpu_elementwise(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    element_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a node");
    k->base.run = run_elementwise;
    if (mr_cpu_trains(p)) k->base.backward = backward_elementwise;
    k->base.free = free_elementwise;
    k->base.algorithm = "loops";
    k->node = *p->node;
    k->in = mr_input_shape(p, 0);
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (bodies[i].op == p->node->op) {
            k->body = k->node.type == MR_F32 ? bodies[i].f32 : bodies[i].low;
            k->backward = bodies[i].backward;
        }
    *kernel = &k->base;
    return MRCNN_OK;
}
