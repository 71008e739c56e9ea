/* batch_norm.c - batch norm that no product absorbed, with the moving statistics or with those of
 * the batch at hand (N50), both ways. Sums are made in double, a partial one for each thread, added
 * in the threads' order: the same bytes for the same number of threads. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/cpu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double EPSILON = 1e-3, MOMENTUM = 0.99; /* N50 */

enum { GAMMA, BETA, MEAN, VARIANCE, PARAMS };

typedef struct norm_kernel {
    mr_kernel base;
    mr_node node;
    size_t channels;
    int threads;
    float *params[PARAMS];                 /* the weights' own memory */
    float *gamma_gradient, *beta_gradient; /* NULL: frozen */
    int fixed;                             /* nothing changes from run to run */
    int update;                            /* the moving statistics move */
    /* Of the last run: y = (x - center) scale + beta. Owned, one block. */
    float *center, *scale;
    float *offset, *slope; /* of the last backward: dx = g scale - offset - (x - center) slope */
    double *inverse_std;   /* owned */
} norm_kernel;

typedef struct norm_job {
    const norm_kernel *k;
    const float *x, *g; /* g: dL/dy */
    float *y;           /* the output, or dL/dx */
    int accumulate;
    double *sums; /* 2 channels a thread */
} norm_job;

/* ----------------------------------------------------------------------------------- forward */

/* Sums of x and its square, about the first pixel's values, so that a large mean costs nothing. */
static void sum_pixels(void *context, size_t begin, size_t end, int thread) {
    const norm_job *j = context;
    size_t channels = j->k->channels;
    double *sum = j->sums + (size_t)thread * 2 * channels, *squares = sum + channels;
    for (size_t i = begin; i < end; i++) {
        const float *x = j->x + i * channels;
        for (size_t c = 0; c < channels; c++) {
            double d = (double)x[c] - j->x[c];
            sum[c] += d;
            squares[c] += d * d;
        }
    }
}

/* Runs a body that sums over all pixels; the whole sums are then those of thread 0. */
static void sum_all(const norm_job *job, size_t pixels, int threads, mr_parallel_body body) {
    size_t count = 2 * job->k->channels;
    memset(job->sums, 0, (size_t)job->k->threads * count * sizeof *job->sums);
    mr_parallel(threads, pixels, body, (void *)job);
    for (int t = 1; t < job->k->threads; t++)
        for (size_t i = 0; i < count; i++) job->sums[i] += job->sums[(size_t)t * count + i];
}

/* Keras 2.1.6 moves the variance towards var n / (n - (1 + epsilon)). */
static void move(const norm_kernel *k, size_t c, double mean, double variance, double n) {
    if (n > 1 + EPSILON) variance *= n / (n - (1 + EPSILON));
    k->params[MEAN][c] = (float)(MOMENTUM * k->params[MEAN][c] + (1 - MOMENTUM) * mean);
    k->params[VARIANCE][c] = (float)(MOMENTUM * k->params[VARIANCE][c] + (1 - MOMENTUM) * variance);
}

static void set_channel(const norm_kernel *k, size_t c, double mean, double variance) {
    k->inverse_std[c] = 1.0 / sqrt(variance + EPSILON);
    k->center[c] = (float)mean;
    k->scale[c] = (float)(k->params[GAMMA][c] * k->inverse_std[c]);
}

static void moving_statistics(const norm_kernel *k) {
    for (size_t c = 0; c < k->channels; c++)
        set_channel(k, c, k->params[MEAN][c], k->params[VARIANCE][c]);
}

static void batch_statistics(const norm_kernel *k, const norm_job *job, size_t pixels,
                             int threads) {
    double n = (double)pixels;
    sum_all(job, pixels, threads, sum_pixels);
    for (size_t c = 0; c < k->channels; c++) {
        double d = job->sums[c] / n;
        double variance = job->sums[k->channels + c] / n - d * d;
        if (variance < 0) variance = 0; /* by rounding; NaN stays */
        set_channel(k, c, job->x[c] + d, variance);
        if (k->update) move(k, c, job->x[c] + d, variance, n);
    }
}

static void normalise(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const norm_job *j = context;
    size_t channels = j->k->channels;
    const float *center = j->k->center, *scale = j->k->scale, *beta = j->k->params[BETA];
    for (size_t i = begin; i < end; i++) {
        const float *x = j->x + i * channels;
        float *y = j->y + i * channels;
        for (size_t c = 0; c < channels; c++) y[c] = (x[c] - center[c]) * scale[c] + beta[c];
    }
}

static size_t pixels_of(const norm_kernel *k, const int *rows) {
    mrcnn_shape shape = k->node.shape;
    return (size_t)rows[k->node.rows] * (size_t)shape.height * (size_t)shape.width;
}

static void run_norm(mr_kernel *kernel, const mr_run *run) {
    norm_kernel *k = (norm_kernel *)kernel;
    norm_job job = {.k = k, .x = run->inputs[0], .y = run->output, .sums = run->scratch};
    size_t pixels = pixels_of(k, run->rows);
    if (pixels == 0) return;
    if (k->node.batch_statistics)
        batch_statistics(k, &job, pixels, run->threads);
    else if (!k->fixed)
        moving_statistics(k);
    mr_parallel(run->threads, pixels, normalise, &job);
}

/* ---------------------------------------------------------------------------------- backward */

/* Sums of g and of g (x - center). */
static void sum_gradients(void *context, size_t begin, size_t end, int thread) {
    const norm_job *j = context;
    size_t channels = j->k->channels;
    double *sum = j->sums + (size_t)thread * 2 * channels, *dot = sum + channels;
    for (size_t i = begin; i < end; i++) {
        const float *x = j->x + i * channels, *g = j->g + i * channels;
        for (size_t c = 0; c < channels; c++) {
            sum[c] += g[c];
            dot[c] += (double)g[c] * (x[c] - j->k->center[c]);
        }
    }
}

static void scale_back(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const norm_job *j = context;
    size_t channels = j->k->channels;
    for (size_t i = begin; i < end; i++) {
        const float *g = j->g + i * channels;
        float *dx = j->y + i * channels;
        for (size_t c = 0; c < channels; c++)
            dx[c] = (j->accumulate ? dx[c] : 0.0f) + g[c] * j->k->scale[c];
    }
}

/* The batch's mean and variance depend on x too. */
static void normalise_back(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const norm_job *j = context;
    const norm_kernel *k = j->k;
    for (size_t i = begin; i < end; i++) {
        const float *x = j->x + i * k->channels, *g = j->g + i * k->channels;
        float *dx = j->y + i * k->channels;
        for (size_t c = 0; c < k->channels; c++) {
            float d = g[c] * k->scale[c] - k->offset[c] - (x[c] - k->center[c]) * k->slope[c];
            dx[c] = (j->accumulate ? dx[c] : 0.0f) + d;
        }
    }
}

static void use_sums(norm_kernel *k, const double *sums, size_t pixels) {
    for (size_t c = 0; c < k->channels; c++) {
        double sum = sums[c], dot = sums[k->channels + c], inverse = k->inverse_std[c];
        double scale = k->params[GAMMA][c] * inverse;
        if (k->gamma_gradient) k->gamma_gradient[c] += (float)(dot * inverse);
        if (k->beta_gradient) k->beta_gradient[c] += (float)sum;
        k->offset[c] = (float)(scale * sum / (double)pixels);
        k->slope[c] = (float)(scale * inverse * inverse * dot / (double)pixels);
    }
}

static void backward_norm(mr_kernel *kernel, const mr_backward *b) {
    norm_kernel *k = (norm_kernel *)kernel;
    norm_job job = {
        k, b->inputs[0], b->output_gradient, b->input_gradients[0], b->accumulate[0], b->scratch};
    size_t pixels = pixels_of(k, b->rows);
    if (pixels == 0) return;
    if (k->gamma_gradient || k->beta_gradient || k->node.batch_statistics) {
        sum_all(&job, pixels, b->threads, sum_gradients);
        use_sums(k, job.sums, pixels);
    }
    if (b->input_gradients[0])
        mr_parallel(b->threads, pixels, k->node.batch_statistics ? normalise_back : scale_back,
                    &job);
}

/* ----------------------------------------------------------------------------------- prepare */

static void free_norm(mr_kernel *kernel) {
    norm_kernel *k = (norm_kernel *)kernel;
    free(k->center);
    free(k->inverse_std);
    free(k);
}

static float *gradient_of(const mr_prepare *p, const char *param) {
    const mr_tensor *t = p->gradients ? mr_tensors_find(p->gradients, p->node->layer, param) : NULL;
    return t ? t->values : NULL;
}

static mrcnn_status find_params(norm_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    static const char *const params[PARAMS] = {"gamma", "beta", "moving_mean", "moving_variance"};
    for (int i = 0; i < PARAMS; i++) {
        const mr_tensor *t = mr_tensors_find(p->weights, p->node->layer, params[i]);
        if (!t || t->count != k->channels)
            return mr_fail(err, MRCNN_E_WEIGHTS, "tensor '%s/%s' is missing or has the wrong size",
                           p->node->layer, params[i]);
        k->params[i] = t->values;
    }
    k->gamma_gradient = gradient_of(p, "gamma");
    k->beta_gradient = gradient_of(p, "beta");
    return MRCNN_OK;
}

static mrcnn_status allocate(norm_kernel *k, mrcnn_error *err) {
    k->center = mr_calloc(4 * k->channels, sizeof(float));
    k->inverse_std = mr_calloc(k->channels, sizeof(double));
    if (!k->center || !k->inverse_std)
        return mr_fail_memory(err, k->channels * sizeof(double), k->node.layer);
    k->scale = k->center + k->channels;
    k->offset = k->scale + k->channels;
    k->slope = k->offset + k->channels;
    return MRCNN_OK;
}

mrcnn_status mr_cpu_batch_norm(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    norm_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "batch norm");
    int trains = mr_has_backward(p->graph, p->node, p->gradients);
    k->base.run = run_norm;
    k->base.free = free_norm;
    if (trains) k->base.backward = backward_norm;
    k->base.algorithm = "loops";
    k->node = *p->node;
    k->channels = (size_t)p->node->shape.channels;
    k->threads = p->threads > 1 ? p->threads : 1;
    k->fixed = !trains && !p->node->batch_statistics;
    if (!k->fixed) k->base.scratch_bytes = (size_t)k->threads * 2 * k->channels * sizeof(double);
    mrcnn_status status = find_params(k, p, err);
    if (status == MRCNN_OK) status = allocate(k, err);
    if (status != MRCNN_OK) {
        free_norm(&k->base);
        return status;
    }
    /* Keras moves the statistics of layers that train, and of no others. */
    k->update = p->update_statistics && (k->gamma_gradient || k->beta_gradient);
    if (k->fixed) moving_statistics(k);
    *kernel = &k->base;
    return MRCNN_OK;
}
