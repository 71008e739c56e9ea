/* reference.c - the executor of plain loops with sums in double. It is slow and stays so: every
 * other executor's results and gradients are checked against it. */
#include "reference/reference.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct op_entry {
    mr_op op;
    mr_parallel_body body;
    int by_picture_row; /* parts are rows of pictures rather than whole pictures or RoIs */
    mr_reference_backward backward;
} ops[] = {
    {MR_OP_CONV, mr_reference_conv, 1, mr_reference_conv_backward},
    {MR_OP_DENSE, mr_reference_conv, 1, mr_reference_conv_backward},
    {MR_OP_DECONV, mr_reference_deconv, 1, mr_reference_deconv_backward},
    {MR_OP_BATCH_NORM, mr_reference_norm_rows, 1, mr_reference_norm_backward},
    {MR_OP_RELU, mr_reference_relu, 1, mr_reference_relu_backward},
    {MR_OP_ADD, mr_reference_add, 1, mr_reference_add_backward},
    {MR_OP_ZERO_PAD, mr_reference_pad, 1, mr_reference_pad_backward},
    {MR_OP_MAX_POOL, mr_reference_max_pool, 1, mr_reference_max_pool_backward},
    {MR_OP_UPSAMPLE, mr_reference_upsample, 1, mr_reference_upsample_backward},
    {MR_OP_SOFTMAX, mr_reference_softmax, 1, mr_reference_softmax_backward},
    {MR_OP_ROI_ALIGN, mr_reference_roi_align, 0, mr_reference_roi_align_backward},
    {MR_OP_MASK_SELECT, mr_reference_mask_select, 0, mr_reference_mask_select_backward},
};

static const struct op_entry *entry_of(mr_op op) {
    size_t i = 0;
    while (ops[i].op != op) i++; /* every op but INPUT is there, and those are never prepared */
    return &ops[i];
}

static size_t widest(const mr_reference_kernel *k) {
    int in = k->levels[0].channels, out = k->node.shape.channels;
    return (size_t)(in > out ? in : out);
}

double *mr_reference_sums(const mr_reference_kernel *k, void *scratch, int thread) {
    double *sums = (double *)(void *)((char *)scratch + k->at.sums);
    return sums + (size_t)thread * widest(k);
}

static float *room(void *scratch, size_t at) {
    return (float *)(void *)((char *)scratch + at);
}

/* What is trained changes from run to run. */
static void read_weights(mr_reference_kernel *k, void *scratch, int threads) {
    if (!k->trains || !k->fold.kernel) return;
    float *bias = room(scratch, k->at.bias);
    k->kernel = mr_fold_weights(&k->fold, room(scratch, k->at.kernel), bias, threads);
    k->bias = bias;
}

static void run_reference(mr_kernel *kernel, const mr_run *run) {
    mr_reference_kernel *k = (mr_reference_kernel *)kernel;
    const struct op_entry *op = entry_of(k->node.op);
    read_weights(k, run->scratch, run->threads);
    if (k->node.op == MR_OP_BATCH_NORM && !run->again) mr_reference_norm_statistics(k, run);
    size_t parts = (size_t)run->rows[k->node.rows];
    if (op->by_picture_row) parts *= (size_t)k->node.shape.height;
    mr_reference_job job = {k, run};
    mr_parallel(run->threads, parts, op->body, &job);
}

static void scatter(const mr_pixels *pixels, const float *rows, float *dense, size_t count,
                    size_t channels) {
    memset(dense, 0, count * sizeof *dense);
    for (size_t i = 0; i < (size_t)pixels->count; i++)
        memcpy(dense + (size_t)pixels->index[i] * channels, rows + i * channels,
               channels * sizeof *dense);
}

static void gather(const mr_pixels *pixels, const float *dense, float *rows, int accumulate,
                   size_t channels) {
    for (size_t i = 0; i < (size_t)pixels->count * channels; i++)
        mr_reference_put(rows + i,
                         dense[(size_t)pixels->index[i / channels] * channels + i % channels],
                         accumulate);
}

/* The fused ReLU, and the residual's share, which it leaves in place where that is wanted. */
static void through_relu_and_sum(const mr_reference_kernel *k, const mr_backward *b) {
    size_t count = (size_t)b->rows[k->node.rows] * mr_shape_size(k->node.shape);
    for (size_t i = 0; k->node.relu && i < count; i++)
        if (!(b->output[i] > 0)) b->output_gradient[i] = 0;
    if (!b->residual_gradient || b->residual_gradient == b->output_gradient) return;
    for (size_t i = 0; i < count; i++)
        mr_reference_put(b->residual_gradient + i, b->output_gradient[i], b->residual_accumulate);
}

static void backward_reference(mr_kernel *kernel, const mr_backward *backward) {
    mr_reference_kernel *k = (mr_reference_kernel *)kernel;
    mr_backward b = *backward;
    size_t count = (size_t)b.rows[k->node.rows] * mr_shape_size(k->node.shape);
    int gathers = b.pixels && k->input_sparse && b.input_gradients[0];
    if (b.pixels) {
        b.output_gradient = room(b.scratch, k->at.output);
        scatter(b.pixels, backward->output_gradient, b.output_gradient, count,
                (size_t)k->node.shape.channels);
    }
    if (gathers) {
        b.input_gradients[0] = room(b.scratch, k->at.input);
        b.accumulate[0] = 0;
    }
    read_weights(k, b.scratch, b.threads);
    through_relu_and_sum(k, &b);
    entry_of(k->node.op)->backward(k, &b);
    if (gathers)
        gather(b.pixels, b.input_gradients[0], backward->input_gradients[0],
               backward->accumulate[0], (size_t)k->levels[0].channels);
}

static void free_reference(mr_kernel *kernel) {
    mr_reference_kernel *k = (mr_reference_kernel *)kernel;
    free(k->norm.center);
    free(k);
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
        memcpy((float *)pack->data + k->count, bias, b->count * sizeof(float));
    } else {
        status = mr_fail_memory(err, pack->bytes, p->node->layer);
    }
    free(kernel);
    free(bias);
    return status;
}

static mrcnn_status get_weights(mr_reference_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    const char *layer = p->node->layer;
    if (p->node->op == MR_OP_BATCH_NORM) return mr_reference_norm_prepare(k, p, err);
    if (!layer[0]) return MRCNN_OK;
    if (k->trains) return mr_fold_prepare(&k->fold, p, err);
    char key[2 * MR_NAME + 16];
    snprintf(key, sizeof key, "reference:%s:%s", layer, p->node->batch_norm);
    const mr_pack *pack;
    mrcnn_status status = mr_packs_get(p->packs, key, make_pack, (void *)p, &pack, err);
    if (status != MRCNN_OK) return status;
    k->kernel = pack->data;
    k->bias = k->kernel + mr_tensors_find(p->weights, layer, "kernel")->count;
    return MRCNN_OK;
}

/* A part of the scratch; returns where it begins. */
static size_t reserve(mr_reference_kernel *k, size_t bytes) {
    size_t at = k->base.scratch_bytes;
    k->base.scratch_bytes += (bytes + 63) & ~(size_t)63;
    return at;
}

static void lay_out_scratch(mr_reference_kernel *k, const mr_prepare *p) {
    size_t sums = (size_t)p->threads * widest(k), pixels = mr_shape_size(k->node.shape);
    if (k->node.op == MR_OP_MASK_SELECT && pixels > sums) sums = pixels;
    k->at.sums = reserve(k, sums * sizeof(double));
    if (!k->trains) return;
    k->at.kernel = reserve(k, k->fold.kernel_count * sizeof(float));
    k->at.bias = reserve(k, k->fold.filters * sizeof(float));
    k->at.dkernel = reserve(k, k->fold.kernel_count * sizeof(float));
    k->at.dbias = reserve(k, k->fold.filters * sizeof(float));
    if (k->node.pixel_group < 0) return;
    size_t rows = (size_t)p->max_rows[k->node.rows];
    k->at.output = reserve(k, rows * pixels * sizeof(float));
    k->at.input = reserve(k, rows * mr_shape_size(k->levels[0]) * sizeof(float));
}

static mrcnn_status prepare_reference(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    mr_reference_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a node");
    k->base.run = run_reference;
    k->base.free = free_reference;
    k->base.algorithm = "loops";
    k->node = *p->node;
    for (int i = 0; i < p->node->input_count; i++)
        k->levels[i] = p->graph->nodes[p->node->inputs[i]].shape;
    if (k->node.op == MR_OP_DENSE) {
        k->node.kernel_h = k->levels[0].height;
        k->node.kernel_w = k->levels[0].width;
    }
    k->trains = mr_has_backward(p->graph, p->node, p->gradients);
    if (k->trains) k->base.backward = backward_reference;
    k->input_sparse = p->graph->nodes[p->node->inputs[0]].pixel_group >= 0;
    mrcnn_status status = get_weights(k, p, err);
    lay_out_scratch(k, p);
    if (status != MRCNN_OK)
        free_reference(&k->base);
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

static int computes_in(mr_type type) {
    return type == MR_F32;
}

const mr_executor mr_executor_reference = {"reference",       NULL,     computes_in, NULL,
                                           prepare_reference, allocate, release};
