/* norm.c - batch norm that no product absorbed, both ways, with the moving statistics or with those
 * of the batch at hand (N50). */
#include "reference/reference.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

static const double EPSILON = 1e-3, MOMENTUM = 0.99; /* N50 */

mrcnn_status mr_reference_norm_prepare(mr_reference_kernel *k, const mr_prepare *p,
                                       mrcnn_error *err) {
    static const char *const params[4] = {"gamma", "beta", "moving_mean", "moving_variance"};
    size_t channels = (size_t)p->node->shape.channels;
    for (int i = 0; i < 4; i++) {
        const mr_tensor *t = NULL;
        mrcnn_status status = mr_raw_weights(p, p->node->layer, params[i], channels, &t, err);
        if (status != MRCNN_OK) return status;
        k->norm.params[i] = t->values;
        const mr_tensor *g = NULL;
        if (p->gradients) g = mr_tensors_find(p->gradients, p->node->layer, params[i]);
        if (g && i < 2) k->norm.gradients[i] = g->values;
    }
    /* Keras moves the statistics of layers that train, and of no others. */
    k->norm.update = p->update_statistics && p->node->batch_statistics &&
                     (k->norm.gradients[0] || k->norm.gradients[1]);
    k->norm.center = mr_calloc(2 * channels, sizeof(double));
    if (!k->norm.center) return mr_fail_memory(err, 2 * channels * sizeof(double), "batch norm");
    k->norm.inverse_std = k->norm.center + channels;
    return MRCNN_OK;
}

/* Numbers of one channel in the batch at hand. */
static size_t samples_of(const mr_reference_kernel *k, const int *rows) {
    mrcnn_shape shape = k->node.shape;
    return (size_t)rows[k->node.rows] * (size_t)shape.height * (size_t)shape.width;
}

/* Keras 2.1.6 moves the variance towards var n / (n - (1 + epsilon)). */
static void move(const mr_reference_norm *norm, size_t c, double mean, double variance, double n) {
    if (n > 1 + EPSILON) variance *= n / (n - (1 + EPSILON));
    norm->params[2][c] = (float)(MOMENTUM * norm->params[2][c] + (1 - MOMENTUM) * mean);
    norm->params[3][c] = (float)(MOMENTUM * norm->params[3][c] + (1 - MOMENTUM) * variance);
}

void mr_reference_norm_statistics(mr_reference_kernel *k, const mr_run *run) {
    mr_reference_norm *norm = &k->norm;
    size_t channels = (size_t)k->node.shape.channels, n = samples_of(k, run->rows);
    for (size_t c = 0; c < channels; c++) {
        double mean = norm->params[2][c], variance = norm->params[3][c];
        if (k->node.batch_statistics && n > 0) {
            double sum = 0, squares = 0;
            for (size_t i = 0; i < n; i++) sum += mr_input_f32(run, 0)[i * channels + c];
            mean = sum / (double)n;
            for (size_t i = 0; i < n; i++) {
                double d = mr_input_f32(run, 0)[i * channels + c] - mean;
                squares += d * d;
            }
            variance = squares / (double)n;
            if (norm->update) move(norm, c, mean, variance, (double)n);
        }
        norm->center[c] = mean;
        norm->inverse_std[c] = 1.0 / sqrt(variance + EPSILON);
    }
}

void mr_reference_norm_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const mr_reference_job *j = context;
    const mr_reference_norm *norm = &j->k->norm;
    size_t channels = (size_t)j->k->node.shape.channels;
    size_t size = (size_t)j->k->node.shape.width * channels;
    for (size_t i = begin * size; i < end * size; i++) {
        size_t c = i % channels;
        double normal = (mr_input_f32(j->run, 0)[i] - norm->center[c]) * norm->inverse_std[c];
        mr_output_f32(j->run)[i] = (float)(normal * norm->params[0][c] + norm->params[1][c]);
    }
}

/* The batch's mean and variance depend on x too: their terms are -mean(g) and -normal mean(g
 * normal). */
void mr_reference_norm_backward(const mr_reference_kernel *k, const mr_backward *b) {
    const mr_reference_norm *norm = &k->norm;
    size_t channels = (size_t)k->node.shape.channels, n = samples_of(k, b->rows);
    for (size_t c = 0; n > 0 && c < channels; c++) {
        double center = norm->center[c], inverse = norm->inverse_std[c], sum = 0, dot = 0;
        for (size_t i = c; i < n * channels; i += channels) {
            sum += b->output_gradient[i];
            dot += b->output_gradient[i] * (b->inputs[0][i] - center) * inverse;
        }
        if (norm->gradients[0]) norm->gradients[0][c] += (float)dot;
        if (norm->gradients[1]) norm->gradients[1][c] += (float)sum;
        double mean = k->node.batch_statistics ? sum / (double)n : 0;
        double slope = k->node.batch_statistics ? dot / (double)n : 0;
        for (size_t i = c; b->input_gradients[0] && i < n * channels; i += channels) {
            double normal = (b->inputs[0][i] - center) * inverse;
            double d = b->output_gradient[i] - mean - normal * slope;
            mr_reference_put(b->input_gradients[0] + i, d * inverse * norm->params[0][c],
                             b->accumulate[0]);
        }
    }
}
