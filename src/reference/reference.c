/* reference.c - the executor of plain loops with sums in double. It is slow and stays so: every
 * other executor's results are checked against it. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "graph/executor.h"
#include "graph/sampling.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reference_kernel {
    mr_kernel base;
    mr_node node;
    mrcnn_shape in; /* of the first input */
    mrcnn_shape levels[MR_MAX_INPUTS];
    const float *kernel, *bias; /* belong to packs */
    const float *batch_norm[4]; /* of a BN that stands alone: belong to the weights */
} reference_kernel;

/* One call computes output rows of pictures [begin, end) of rows * height. */
typedef struct job {
    const reference_kernel *k;
    const mr_run *run;
} job;

static const float *pixel(const float *x, mrcnn_shape shape, size_t row, int y, int x0) {
    return x + ((row * (size_t)shape.height + (size_t)y) * (size_t)shape.width + (size_t)x0) *
                   (size_t)shape.channels;
}

static void finish(const reference_kernel *k, const mr_run *run, const double *sum, float *out) {
    size_t at = (size_t)(out - run->output);
    for (int f = 0; f < k->node.shape.channels; f++) {
        double v = sum[f];
        if (run->residual) v += run->residual[at + (size_t)f];
        out[f] = k->node.relu && v < 0 ? 0.0f : (float)v;
    }
}

static void accumulate(double *sum, const float *kernel, double x, int filters) {
    for (int f = 0; f < filters; f++) sum[f] += x * (double)kernel[f];
}

static void conv_pixel(const reference_kernel *k, const mr_run *run, size_t row, int oy, int ox,
                       double *sum) {
    const mr_node *n = &k->node;
    int filters = n->shape.channels;
    for (int f = 0; f < filters; f++) sum[f] = k->bias[f];
    for (int ky = 0; ky < n->kernel_h; ky++) {
        int y = oy * n->stride + ky - n->pad_top;
        if (y < 0 || y >= k->in.height) continue;
        for (int kx = 0; kx < n->kernel_w; kx++) {
            int x = ox * n->stride + kx - n->pad_left;
            if (x < 0 || x >= k->in.width) continue;
            const float *in = pixel(run->inputs[0], k->in, row, y, x);
            const float *w = k->kernel + (size_t)(ky * n->kernel_w + kx) * (size_t)k->in.channels *
                                             (size_t)filters;
            for (int c = 0; c < k->in.channels; c++)
                accumulate(sum, w + (size_t)c * (size_t)filters, in[c], filters);
        }
    }
}

static void conv_rows(void *context, size_t begin, size_t end, int thread) {
    const job *j = context;
    mrcnn_shape out = j->k->node.shape;
    double *sum = (double *)j->run->scratch + (size_t)thread * (size_t)out.channels;
    for (size_t i = begin; i < end; i++)
        for (int x = 0; x < out.width; x++) {
            size_t row = i / (size_t)out.height;
            int y = (int)(i % (size_t)out.height);
            conv_pixel(j->k, j->run, row, y, x, sum);
            finish(j->k, j->run, sum,
                   j->run->output + (i * (size_t)out.width + (size_t)x) * (size_t)out.channels);
        }
}

static void dense_rows(void *context, size_t begin, size_t end, int thread) {
    const job *j = context;
    size_t inputs = mr_shape_size(j->k->in);
    int filters = j->k->node.shape.channels;
    double *sum = (double *)j->run->scratch + (size_t)thread * (size_t)filters;
    for (size_t i = begin; i < end; i++) {
        const float *x = j->run->inputs[0] + i * inputs;
        for (int f = 0; f < filters; f++) sum[f] = j->k->bias[f];
        for (size_t c = 0; c < inputs; c++)
            accumulate(sum, j->k->kernel + c * (size_t)filters, x[c], filters);
        finish(j->k, j->run, sum, j->run->output + i * (size_t)filters);
    }
}

/* out[2i+a, 2j+b, o] = bias[o] + sum over c of in[i, j, c] K[a, b, o, c]: no flip (NUMERICS 8). */
static void deconv_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const job *j = context;
    mrcnn_shape out = j->k->node.shape, in = j->k->in;
    for (size_t i = begin; i < end; i++)
        for (int x = 0; x < out.width; x++) {
            size_t row = i / (size_t)out.height;
            int y = (int)(i % (size_t)out.height);
            const float *src = pixel(j->run->inputs[0], in, row, y / 2, x / 2);
            float *dst =
                j->run->output + (i * (size_t)out.width + (size_t)x) * (size_t)out.channels;
            for (int o = 0; o < out.channels; o++) {
                const float *w = j->k->kernel + (size_t)(((y % 2) * 2 + x % 2) * out.channels + o) *
                                                    (size_t)in.channels;
                double sum = j->k->bias[o];
                for (int c = 0; c < in.channels; c++) sum += (double)src[c] * w[c];
                dst[o] = j->k->node.relu && sum < 0 ? 0.0f : (float)sum;
            }
        }
}

static void mask_select_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const job *j = context;
    mrcnn_shape in = j->k->in;
    size_t pixels = (size_t)in.height * (size_t)in.width;
    int filters = j->k->node.filters;
    for (size_t i = begin; i < end; i++) {
        int channel = (int)j->run->inputs[1][i];
        for (size_t p = 0; p < pixels; p++) {
            const float *x = j->run->inputs[0] + (i * pixels + p) * (size_t)in.channels;
            double sum = j->k->bias[channel];
            for (int c = 0; c < in.channels; c++)
                sum += (double)x[c] * j->k->kernel[(size_t)c * (size_t)filters + (size_t)channel];
            j->run->output[i * pixels + p] = (float)(1.0 / (1.0 + exp(-sum)));
        }
    }
}

static void batch_norm_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const job *j = context;
    size_t width = (size_t)j->k->in.width * (size_t)j->k->in.channels;
    size_t channels = (size_t)j->k->in.channels;
    const float *const *p = j->k->batch_norm;
    for (size_t i = begin * width; i < end * width; i++) {
        size_t c = i % channels;
        double scale = p[0][c] / sqrt((double)p[3][c] + 1e-3); /* N50 */
        j->run->output[i] = (float)((j->run->inputs[0][i] - (double)p[2][c]) * scale + p[1][c]);
    }
}

static void relu_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const job *j = context;
    size_t width = (size_t)j->k->in.width * (size_t)j->k->in.channels;
    for (size_t i = begin * width; i < end * width; i++)
        j->run->output[i] = j->run->inputs[0][i] > 0 ? j->run->inputs[0][i] : 0.0f;
}

static void add_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const job *j = context;
    size_t width = (size_t)j->k->in.width * (size_t)j->k->in.channels;
    for (size_t i = begin * width; i < end * width; i++)
        j->run->output[i] = j->run->inputs[0][i] + j->run->inputs[1][i];
}

static void pad_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const job *j = context;
    mrcnn_shape out = j->k->node.shape, in = j->k->in;
    size_t width = (size_t)out.width * (size_t)out.channels;
    for (size_t i = begin; i < end; i++) {
        int y = (int)(i % (size_t)out.height) - j->k->node.pad_top;
        float *dst = j->run->output + i * width;
        memset(dst, 0, width * sizeof *dst);
        if (y < 0 || y >= in.height) continue;
        memcpy(dst + (size_t)j->k->node.pad_left * (size_t)in.channels,
               pixel(j->run->inputs[0], in, i / (size_t)out.height, y, 0),
               (size_t)in.width * (size_t)in.channels * sizeof *dst);
    }
}

static float window_max(const reference_kernel *k, const float *x, size_t row, int oy, int ox,
                        int c) {
    const mr_node *n = &k->node;
    float best = -INFINITY;
    for (int ky = 0; ky < n->kernel_h; ky++)
        for (int kx = 0; kx < n->kernel_w; kx++) {
            int y = oy * n->stride + ky - n->pad_top, x0 = ox * n->stride + kx - n->pad_left;
            if (y < 0 || y >= k->in.height || x0 < 0 || x0 >= k->in.width) continue;
            float v = pixel(x, k->in, row, y, x0)[c];
            if (v > best) best = v;
        }
    return best;
}

static void max_pool_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const job *j = context;
    mrcnn_shape out = j->k->node.shape;
    for (size_t i = begin; i < end; i++)
        for (int x = 0; x < out.width; x++)
            for (int c = 0; c < out.channels; c++)
                j->run->output[(i * (size_t)out.width + (size_t)x) * (size_t)out.channels +
                               (size_t)c] =
                    window_max(j->k, j->run->inputs[0], i / (size_t)out.height,
                               (int)(i % (size_t)out.height), x, c);
}

static void upsample_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const job *j = context;
    mrcnn_shape out = j->k->node.shape;
    size_t bytes = (size_t)out.channels * sizeof(float);
    for (size_t i = begin; i < end; i++)
        for (int x = 0; x < out.width; x++)
            memcpy(j->run->output + (i * (size_t)out.width + (size_t)x) * (size_t)out.channels,
                   pixel(j->run->inputs[0], j->k->in, i / (size_t)out.height,
                         (int)(i % (size_t)out.height) / 2, x / 2),
                   bytes);
}

static void softmax_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const job *j = context;
    int channels = j->k->in.channels;
    size_t pixels = (size_t)j->k->in.width;
    for (size_t i = begin * pixels; i < end * pixels; i++) {
        const float *x = j->run->inputs[0] + i * (size_t)channels;
        float *y = j->run->output + i * (size_t)channels;
        double largest = -INFINITY, sum = 0;
        for (int c = 0; c < channels; c++) largest = x[c] > largest ? x[c] : largest;
        for (int c = 0; c < channels; c++) sum += exp(x[c] - largest);
        for (int c = 0; c < channels; c++) y[c] = (float)(exp(x[c] - largest) / sum);
    }
}

static double bilinear(const float *map, mrcnn_shape shape, size_t row, mr_sample y, mr_sample x,
                       int c) {
    double top_left = pixel(map, shape, row, y.low, x.low)[c];
    double top_right = pixel(map, shape, row, y.low, x.high)[c];
    double bottom_left = pixel(map, shape, row, y.high, x.low)[c];
    double bottom_right = pixel(map, shape, row, y.high, x.high)[c];
    double top = top_left + (top_right - top_left) * x.weight;
    double bottom = bottom_left + (bottom_right - bottom_left) * x.weight;
    return top + (bottom - top) * y.weight;
}

static void roi_align_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const job *j = context;
    const mr_node *n = &j->k->node;
    mrcnn_shape out = n->shape;
    for (size_t i = begin; i < end; i++) {
        const float *roi = j->run->inputs[n->input_count - 1] + i * MR_ROI_COLUMNS;
        size_t picture = (size_t)roi[0];
        int level = (int)roi[1];
        mrcnn_shape in = j->k->levels[level];
        float *y = j->run->output + i * mr_shape_size(out);
        for (int by = 0; by < out.height; by++)
            for (int bx = 0; bx < out.width; bx++) {
                mr_sample sy = mr_sample_at(roi[2], roi[4], in.height, out.height, by);
                mr_sample sx = mr_sample_at(roi[3], roi[5], in.width, out.width, bx);
                for (int c = 0; c < out.channels; c++)
                    *y++ = sy.inside && sx.inside
                               ? (float)bilinear(j->run->inputs[level], in, picture, sy, sx, c)
                               : 0.0f;
            }
    }
}

typedef struct op_entry {
    mr_op op;
    mr_parallel_body body;
    int by_picture_row; /* parts are rows of pictures rather than whole pictures or RoIs */
} op_entry;

static const op_entry ops[] = {
    {MR_OP_CONV, conv_rows, 1},           {MR_OP_DENSE, dense_rows, 0},
    {MR_OP_DECONV, deconv_rows, 1},       {MR_OP_BATCH_NORM, batch_norm_rows, 1},
    {MR_OP_RELU, relu_rows, 1},           {MR_OP_ADD, add_rows, 1},
    {MR_OP_ZERO_PAD, pad_rows, 1},        {MR_OP_MAX_POOL, max_pool_rows, 1},
    {MR_OP_UPSAMPLE, upsample_rows, 1},   {MR_OP_SOFTMAX, softmax_rows, 1},
    {MR_OP_ROI_ALIGN, roi_align_rows, 0}, {MR_OP_MASK_SELECT, mask_select_rows, 0},
};

static void run_reference(mr_kernel *kernel, const mr_run *run) {
    reference_kernel *k = (reference_kernel *)kernel;
    job j = {k, run};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (ops[i].op != k->node.op) continue;
        size_t parts = (size_t)run->rows[k->node.rows];
        if (ops[i].by_picture_row) parts *= (size_t)k->node.shape.height;
        mr_parallel(run->threads, parts, ops[i].body, &j);
    }
}

static void free_reference(mr_kernel *kernel) {
    free(kernel);
}

/* Kernel, then bias, in one pack. */
static mrcnn_status make_pack(mr_pack *pack, void *user, mrcnn_error *err) {
    const mr_prepare *p = user;
    float *kernel, *bias;
    mrcnn_status status = mr_folded_weights(p, &kernel, &bias, err);
    if (status != MRCNN_OK) return status;
    const mr_tensor *k = mr_tensors_find(p->weights, p->node->layer, "kernel");
    const mr_tensor *b = mr_tensors_find(p->weights, p->node->layer, "bias");
    pack->bytes = (k->count + b->count) * sizeof(float);
    pack->data = mr_alloc_aligned(pack->bytes);
    if (pack->data) {
        memcpy(pack->data, kernel, k->count * sizeof(float));
        memcpy(pack->data + k->count, bias, b->count * sizeof(float));
    } else {
        status = mr_fail_memory(err, pack->bytes, p->node->layer);
    }
    free(kernel);
    free(bias);
    return status;
}

static mrcnn_status get_weights(reference_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    static const char *const params[4] = {"gamma", "beta", "moving_mean", "moving_variance"};
    const char *layer = p->node->layer;
    if (p->node->op == MR_OP_BATCH_NORM) {
        for (int i = 0; i < 4; i++) {
            const mr_tensor *t = mr_tensors_find(p->weights, layer, params[i]);
            if (!t || t->count != (size_t)p->node->shape.channels)
                return mr_fail(err, MRCNN_E_WEIGHTS,
                               "tensor '%s/%s' is missing or has the wrong size", layer, params[i]);
            k->batch_norm[i] = t->values;
        }
        return MRCNN_OK;
    }
    if (!layer[0]) return MRCNN_OK;
    char key[2 * MR_NAME + 16];
    snprintf(key, sizeof key, "reference:%s:%s", layer, p->node->batch_norm);
    const mr_pack *pack;
    mrcnn_status status = mr_packs_get(p->packs, key, make_pack, (void *)p, &pack, err);
    if (status != MRCNN_OK) return status;
    k->kernel = pack->data;
    k->bias = pack->data + mr_tensors_find(p->weights, layer, "kernel")->count;
    return MRCNN_OK;
}

static mrcnn_status prepare_reference(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    reference_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a node");
    k->base.run = run_reference;
    k->base.free = free_reference;
    k->base.algorithm = "loops";
    k->node = *p->node;
    for (int i = 0; i < p->node->input_count; i++)
        k->levels[i] = p->graph->nodes[p->node->inputs[i]].shape;
    k->in = k->levels[0];
    k->base.scratch_bytes = (size_t)p->threads * (size_t)p->node->shape.channels * sizeof(double);
    mrcnn_status status = get_weights(k, p, err);
    if (status != MRCNN_OK)
        free(k);
    else
        *kernel = &k->base;
    return status;
}

static void *allocate(size_t bytes) {
    return mr_alloc_aligned(bytes);
}

static void release(void *memory) {
    free(memory);
}

const mr_executor mr_executor_reference = {"reference", prepare_reference, allocate, release};
