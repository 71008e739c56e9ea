/* dense.c - fully connected layers, and convolutions whose window is the whole map: one matrix
 * product for all RoIs. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/cpu.h"
#include "cpu/onednn.h"

#include <stdlib.h>

typedef struct dense_kernel {
    mr_kernel base;
    mr_rows rows;
    int relu;
    size_t inputs, units;
    const float *weights, *bias;
} dense_kernel;

typedef struct finish_job {
    const dense_kernel *k;
    float *y;
} finish_job;

static void add_bias(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const finish_job *job = context;
    const float *bias = job->k->bias;
    size_t units = job->k->units;
    for (size_t i = begin; i < end; i++) {
        float *y = job->y + i * units;
        for (size_t u = 0; u < units; u++) y[u] += bias[u];
        if (job->k->relu)
            for (size_t u = 0; u < units; u++) y[u] = y[u] > 0 ? y[u] : 0.0f;
    }
}

static void run_dense(mr_kernel *kernel, const mr_run *run) {
    dense_kernel *k = (dense_kernel *)kernel;
    size_t rows = (size_t)run->rows[k->rows];
    mr_dnnl_matmul(0, rows, k->units, k->inputs, run->inputs[0], k->weights, run->output);
    finish_job job = {k, run->output};
    mr_parallel(run->threads, rows, add_bias, &job);
}

static void free_dense(mr_kernel *kernel) {
    free(kernel);
}

mrcnn_status mr_cpu_dense(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    dense_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a dense layer");
    k->base.run = run_dense;
    k->base.free = free_dense;
    k->base.algorithm = "sgemm";
    k->rows = p->node->rows;
    k->relu = p->node->relu;
    k->inputs = mr_shape_size(mr_input_shape(p, 0));
    k->units = (size_t)p->node->shape.channels;
    const mr_pack *pack;
    mrcnn_status status = mr_cpu_pack(p, "plain", mr_pack_plain, NULL, &pack, &k->bias, err);
    if (status != MRCNN_OK) {
        free(k);
        return status;
    }
    k->weights = pack->data;
    *kernel = &k->base;
    return MRCNN_OK;
}
