/* batch_norm.c - batch norm that no product absorbed, with the moving statistics or with those of
 * the batch at hand (N50), both ways. Sums are made in double, in a fixed number of parts: they do
 * not depend on the number of threads. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/cpu.h"
#include "cpu/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double EPSILON = 1e-3, MOMENTUM = 0.99; /* N50 */

enum { GAMMA, BETA, MEAN, VARIANCE, PARAMS };
enum { PARTS = 64 }; /* of the pixels, each with sums of its own */

typedef struct norm_kernel {
    mr_kernel base;
    mr_node node;
    size_t channels;
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
    size_t pixels;
    double *sums; /* PARTS x 2 channels */
} norm_job;

/* ----------------------------------------------------------------------------------- forward */

/* Adds up pixels [begin, end). */
typedef void (*summer)(const norm_job *job, size_t begin, size_t end, double *sums);

/* Sums of x and its square, about the first pixel's values, so that a large mean costs nothing. */
static void sum_values(const norm_job *j, size_t begin, size_t end, double *sums) {
    size_t channels = j->k->channels;
    for (size_t i = begin; i < end; i++)
        for (size_t c = 0; c < channels; c++) {
            double d = (double)j->x[i * channels + c] - j->x[c];
            sums[c] += d;
            sums[channels + c] += d * d;
        }
}

static void sum_parts(const norm_job *j, size_t begin, size_t end, summer sum) {
    size_t count = 2 * j->k->channels;
    memset(j->sums + begin * count, 0, (end - begin) * count * sizeof *j->sums);
    for (size_t part = begin; part < end; part++)
        sum(j, j->pixels * part / PARTS, j->pixels * (part + 1) / PARTS, j->sums + part * count);
}

static void sum_value_parts(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    sum_parts(context, begin, end, sum_values);
}

/* The whole sums are then those of the first part. */
static void sum_all(const norm_job *job, int threads, mr_parallel_body body) {
    size_t count = 2 * job->k->channels;
    mr_parallel(threads, PARTS, body, (void *)job);
    for (size_t part = 1; part < PARTS; part++)
        for (size_t i = 0; i < count; i++) job->sums[i] += job->sums[part * count + i];
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

static void batch_statistics(const norm_kernel *k, const norm_job *job, int threads) {
    double n = (double)job->pixels;
    sum_all(job, threads, sum_value_parts);
    for (size_t c = 0; c < k->channels; c++) {
        double d = job->sums[c] / n;
        double variance = job->sums[k->channels + c] / n - d * d;
        if (variance < 0) variance = 0; /* by rounding; NaN stays */
        set_channel(k, c, job->x[c] + d, variance);
        if (k->update) move(k, c, job->x[c] + d, variance, n);
    }
}

static void use_statistics(const norm_kernel *k, const norm_job *job, int threads) {
    if (k->node.batch_statistics)
        batch_statistics(k, job, threads);
    else if (!k->fixed)
        moving_statistics(k);
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
    size_t pixels = pixels_of(k, run->rows);
    norm_job job = {
        .k = k, .x = run->inputs[0], .y = run->output, .pixels = pixels, .sums = run->scratch};
    if (pixels == 0) return;
    if (!run->again) use_statistics(k, &job, run->threads);
    mr_parallel(run->threads, pixels, normalise, &job);
}

/* ---------------------------------------------------------------------------------- backward */

/* Sums of g and of g (x - center). */
static void sum_gradients(const norm_job *j, size_t begin, size_t end, double *sums) {
    size_t channels = j->k->channels;
    for (size_t i = begin; i < end; i++)
        for (size_t c = 0; c < channels; c++) {
            float g = j->g[i * channels + c];
            sums[c] += g;
            sums[channels + c] += (double)g * (j->x[i * channels + c] - j->k->center[c]);
        }
}

static void sum_gradient_parts(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    sum_parts(context, begin, end, sum_gradients);
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
    size_t pixels = pixels_of(k, b->rows);
    norm_job job = {.k = k,
                    .x = b->inputs[0],
                    .g = b->output_gradient,
                    .y = b->input_gradients[0],
                    .accumulate = b->accumulate[0],
                    .pixels = pixels,
                    .sums = b->scratch};
    if (pixels == 0) return;
    if (k->gamma_gradient || k->beta_gradient || k->node.batch_statistics) {
        sum_all(&job, b->threads, sum_gradient_parts);
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
        const mr_tensor *t = NULL;
        mrcnn_status status = mr_raw_weights(p, p->node->layer, params[i], k->channels, &t, err);
        if (status != MRCNN_OK) return status;
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
    int trains = mr_cpu_trains(p);
    k->base.run = run_norm;
    k->base.free = free_norm;
    if (trains) k->base.backward = backward_norm;
    k->base.algorithm = "loops";
    k->node = *p->node;
    k->channels = (size_t)p->node->shape.channels;
    k->fixed = !trains && !p->node->batch_statistics;
    if (!k->fixed) k->base.scratch_bytes = PARTS * 2 * k->channels * sizeof(double);
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
