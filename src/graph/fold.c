/* fold.c - batch norm with frozen statistics folded into the product before it, and the way back
 * for gradients, while both are trained. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "graph/executor.h"

#include <math.h>
#include <string.h>

static const double EPSILON = 1e-3; /* N50 */

static mrcnn_status find(const mr_prepare *p, const char *layer, const char *param, size_t count,
                         const float **values, float **gradient, mrcnn_error *err) {
    const mr_tensor *t = NULL;
    mrcnn_status status = mr_raw_weights(p, layer, param, count, &t, err);
    if (status != MRCNN_OK) return status;
    *values = t->values;
    const mr_tensor *g = p->gradients ? mr_tensors_find(p->gradients, layer, param) : NULL;
    if (gradient) *gradient = g ? g->values : NULL;
    return MRCNN_OK;
}

mrcnn_status mr_fold_prepare(mr_fold *fold, const mr_prepare *p, mrcnn_error *err) {
    mr_weight_counts size = mr_count_weights(p->graph, p->node);
    mr_fold f = {.kernel_count = size.kernel, .filters = size.bias};
    const char *layer = p->node->layer, *bn = p->node->batch_norm;
    mrcnn_status status = find(p, layer, "kernel", size.kernel, &f.kernel, &f.kernel_gradient, err);
    if (status == MRCNN_OK)
        status = find(p, layer, "bias", size.bias, &f.bias, &f.bias_gradient, err);
    if (status == MRCNN_OK && bn[0])
        status = find(p, bn, "gamma", size.bias, &f.gamma, &f.gamma_gradient, err);
    if (status == MRCNN_OK && bn[0])
        status = find(p, bn, "beta", size.bias, &f.beta, &f.beta_gradient, err);
    if (status == MRCNN_OK && bn[0])
        status = find(p, bn, "moving_mean", size.bias, &f.mean, NULL, err);
    if (status == MRCNN_OK && bn[0])
        status = find(p, bn, "moving_variance", size.bias, &f.variance, NULL, err);
    if (status == MRCNN_OK) *fold = f;
    return status;
}

/* The kernel as a matrix of `filters` columns. */
static size_t rows_of(const mr_fold *fold) {
    return fold->filters ? fold->kernel_count / fold->filters : 0;
}

static float scale_of(const mr_fold *fold, size_t f) {
    return (float)(fold->gamma[f] / sqrt((double)fold->variance[f] + EPSILON));
}

typedef struct scale_job {
    const mr_fold *fold;
    float *room;
} scale_job;

enum { BLOCK = 256 }; /* filters whose scales are computed at a time */

/* Rows of the kernel, as a matrix of filters columns. */
static void scale_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const scale_job *job = context;
    size_t filters = job->fold->filters;
    for (size_t f0 = 0; f0 < filters; f0 += BLOCK) {
        size_t width = filters - f0 < BLOCK ? filters - f0 : BLOCK;
        float scale[BLOCK];
        for (size_t f = 0; f < width; f++) scale[f] = scale_of(job->fold, f0 + f);
        for (size_t r = begin; r < end; r++) {
            const float *from = job->fold->kernel + r * filters + f0;
            float *to = job->room + r * filters + f0;
            for (size_t f = 0; f < width; f++) to[f] = from[f] * scale[f];
        }
    }
}

const float *mr_fold_weights(const mr_fold *fold, float *room, float *bias_room, int threads) {
    if (!fold->gamma) {
        memcpy(bias_room, fold->bias, fold->filters * sizeof(float));
        return fold->kernel;
    }
    for (size_t f = 0; f < fold->filters; f++) {
        double scale = fold->gamma[f] / sqrt((double)fold->variance[f] + EPSILON);
        bias_room[f] = (float)(((double)fold->bias[f] - fold->mean[f]) * scale + fold->beta[f]);
    }
    scale_job job = {fold, room};
    mr_parallel(threads, rows_of(fold), scale_rows, &job);
    return room;
}

int mr_fold_wants_kernel(const mr_fold *fold) {
    return fold->kernel_gradient != NULL || fold->gamma_gradient != NULL;
}

typedef struct unfold_job {
    const mr_fold *fold;
    const float *dkernel, *dbias;
} unfold_job;

/* Columns [begin, end) in blocks: each filter's sum is made in one order, whatever the threads. */
static void unfold_block(const unfold_job *job, size_t f0, size_t width) {
    const mr_fold *fold = job->fold;
    size_t rows = rows_of(fold);
    float scale[BLOCK];
    double dot[BLOCK] = {0};
    for (size_t f = 0; f < width; f++) scale[f] = fold->gamma ? scale_of(fold, f0 + f) : 1.0f;
    for (size_t r = 0; r < rows; r++) {
        size_t at = r * fold->filters + f0;
        const float *d = job->dkernel + at, *w = fold->kernel + at;
        if (fold->kernel_gradient) {
            float *g = fold->kernel_gradient + at;
            for (size_t f = 0; f < width; f++) g[f] += d[f] * scale[f];
        }
        if (fold->gamma_gradient)
            for (size_t f = 0; f < width; f++) dot[f] += (double)d[f] * w[f];
    }
    for (size_t f = 0; fold->gamma_gradient && f < width; f++) {
        size_t c = f0 + f;
        dot[f] += ((double)fold->bias[c] - fold->mean[c]) * job->dbias[c];
        fold->gamma_gradient[c] += (float)(dot[f] / sqrt((double)fold->variance[c] + EPSILON));
    }
}

static void unfold_columns(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const unfold_job *job = context;
    size_t last = end * 16 < job->fold->filters ? end * 16 : job->fold->filters;
    for (size_t f = begin * 16; f < last; f += BLOCK)
        unfold_block(job, f, last - f < BLOCK ? last - f : BLOCK);
}

void mr_unfold_gradients(const mr_fold *fold, const float *dkernel, const float *dbias,
                         int threads) {
    for (size_t f = 0; fold->bias_gradient && f < fold->filters; f++)
        fold->bias_gradient[f] += dbias[f] * (fold->gamma ? scale_of(fold, f) : 1.0f);
    for (size_t f = 0; fold->beta_gradient && f < fold->filters; f++)
        fold->beta_gradient[f] += dbias[f];
    if (!mr_fold_wants_kernel(fold)) return;
    unfold_job job = {fold, dkernel, dbias};
    mr_parallel(threads, (fold->filters + 15) / 16, unfold_columns, &job); /* whole cache lines */
}
