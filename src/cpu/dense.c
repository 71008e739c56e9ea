/* dense.c - fully connected layers, and convolutions whose window is the whole map: one matrix
 * product for all RoIs. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/conv_gradients.h"
#include "cpu/cpu.h"

#include <stdlib.h>

typedef struct dense_kernel {
    mr_kernel base;
    mr_rows rows;
    int relu;
    size_t inputs, units;
    const float *weights, *bias; /* belong to the pack; NULL in training */
    mr_conv_gradients gradients;
} dense_kernel;

typedef struct finish_job {
    const dense_kernel *k;
    const float *bias;
    float *y;
} finish_job;

static void add_bias(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const finish_job *job = context;
    size_t units = job->k->units;
    for (size_t i = begin; i < end; i++) {
        float *y = job->y + i * units;
        for (size_t u = 0; u < units; u++) y[u] += job->bias[u];
        if (job->k->relu)
            for (size_t u = 0; u < units; u++) y[u] = y[u] > 0 ? y[u] : 0.0f;
    }
}

/* y (+)= the inputs from `first` on times as many rows of weights. */
static void multiply(const dense_kernel *k, const mr_run *run, const mr_gemm_room *room,
                     const float *weights, size_t first, size_t count) {
    mr_matrix x = {mr_input_f32(run, 0) + first, k->inputs, 0}, w = {weights, k->units, 0};
    mr_multiply(room, (size_t)run->rows[k->rows], k->units, count, x, w, first ? 1.0f : 0.0f,
                run->output, k->units);
}

static void finish(const dense_kernel *k, const mr_run *run, const float *bias) {
    finish_job job = {k, bias, run->output};
    mr_parallel(run->threads, (size_t)run->rows[k->rows], add_bias, &job);
}

static void run_dense(mr_kernel *kernel, const mr_run *run) {
    dense_kernel *k = (dense_kernel *)kernel;
    mr_gemm_room room = {MR_F32, NULL, run->threads};
    multiply(k, run, &room, k->weights, 0, k->inputs);
    finish(k, run, k->bias);
}

typedef struct training_scratch {
    float *bias, *room;
    void *product;
} training_scratch;

static training_scratch cut_scratch(const dense_kernel *k, mr_scratch *scratch) {
    training_scratch s;
    s.bias = mr_take(scratch, k->units * sizeof(float));
    s.room = mr_take(scratch, k->gradients.block_rows * k->units * sizeof(float));
    s.product = mr_take(scratch, k->gradients.room_bytes);
    return s;
}

/* Batch norm is folded into a block of the kernel at a time: a copy of all would be the largest
 * scratch of the network (51 MB for the box head's first layer). */
static void run_training(mr_kernel *kernel, const mr_run *run) {
    dense_kernel *k = (dense_kernel *)kernel;
    const mr_conv_gradients *g = &k->gradients;
    mr_scratch scratch = {run->scratch, 0};
    training_scratch s = cut_scratch(k, &scratch);
    mr_gemm_room room = {g->products, s.product, run->threads};
    for (size_t first = 0; first < k->inputs; first += g->block_rows) {
        size_t left = k->inputs - first, count = left < g->block_rows ? left : g->block_rows;
        mr_fold part = mr_fold_part(&g->fold, first, count);
        multiply(k, run, &room, mr_fold_weights(&part, s.room, s.bias, run->threads), first, count);
    }
    finish(k, run, s.bias);
}

static void backward_dense(mr_kernel *kernel, const mr_backward *b) {
    mr_conv_gradients_run(&((dense_kernel *)kernel)->gradients, b);
}

static void free_dense(mr_kernel *kernel) {
    free(kernel);
}

static mrcnn_status use_pack(dense_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    const mr_pack *pack = NULL;
    mrcnn_status status = mr_cpu_pack(p, "plain", mr_pack_plain, NULL, &pack, &k->bias, err);
    if (status == MRCNN_OK) k->weights = pack->data;
    return status;
}

static mrcnn_status prepare_training(dense_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    k->base.run = run_training;
    if (mr_cpu_trains(p)) k->base.backward = backward_dense;
    mrcnn_status status = mr_conv_gradients_prepare(&k->gradients, p, err);
    mr_scratch forward = {NULL, 0};
    cut_scratch(k, &forward);
    size_t backward = k->base.backward ? k->gradients.scratch_bytes : 0;
    k->base.scratch_bytes = forward.used > backward ? forward.used : backward;
    return status;
}

mrcnn_status mr_cpu_dense(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    if (mr_input_type(p, 0) != MR_F32) return mr_cpu_dense_low(p, kernel, err);
    dense_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a dense layer");
    k->base.run = run_dense;
    k->base.free = free_dense;
    k->base.algorithm = "sgemm";
    k->rows = p->node->rows;
    k->relu = p->node->relu;
    k->inputs = mr_shape_size(mr_input_shape(p, 0));
    k->units = (size_t)p->node->shape.channels;
    mrcnn_status status = mr_cpu_packs_anew(p) ? prepare_training(k, p, err) : use_pack(k, p, err);
    if (status != MRCNN_OK) {
        free(k);
        return status;
    }
    *kernel = &k->base;
    return MRCNN_OK;
}
