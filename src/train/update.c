/* update.c - see update.h. */
#include "train/update.h"

#include <float.h>
#include <math.h>

enum { LANES = 16 };

double mr_sum_of_squares(const float *values, size_t count) {
    double sums[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t j = 0; j < LANES; j++) sums[j] += (double)values[i + j] * (double)values[i + j];
    for (; i < count; i++) sums[i % LANES] += (double)values[i] * (double)values[i];
    for (size_t j = 0; j < LANES; j++) sum += sums[j];
    return sum;
}

/* A velocity without gradients would shrink into the denormals and stay there. */
static inline float flush(float value) {
    return fabsf(value) < FLT_MIN ? 0.0f : value;
}

void mr_update_sgd(const mr_sgd *sgd, float *restrict weights, float *restrict velocity,
                   float *restrict gradients, size_t count) {
    const float momentum = sgd->momentum, rate = sgd->rate, scale = sgd->scale;
    for (size_t i = 0; i < count; i++) {
        float v = flush(momentum * velocity[i] - rate * (gradients[i] * scale));
        velocity[i] = v;
        weights[i] += v;
        gradients[i] = 0;
    }
}

void mr_update_adamw(const mr_adamw *adamw, float *restrict weights, float *restrict moment1,
                     float *restrict moment2, float *restrict gradients, size_t count) {
    const mr_adamw a = *adamw;
    for (size_t i = 0; i < count; i++) {
        float g = gradients[i] * a.scale;
        float m = flush(a.beta1 * moment1[i] + a.rest1 * g);
        float s = flush(a.beta2 * moment2[i] + a.rest2 * (g * g));
        moment1[i] = m;
        moment2[i] = s;
        weights[i] = weights[i] * a.keep - a.rate * m / (sqrtf(s) * a.correct + a.epsilon);
        gradients[i] = 0;
    }
}

void mr_update_average(float part, const float *restrict weights, float *restrict average,
                       size_t count) {
    for (size_t i = 0; i < count; i++) average[i] += part * (weights[i] - average[i]);
}
