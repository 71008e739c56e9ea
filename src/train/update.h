/* update.h - the optimizer's arithmetic on one stretch of numbers, in float32. Each loop is plain C
 * that compilers vectorise. Private to this room. */
#ifndef MR_TRAIN_UPDATE_H
#define MR_TRAIN_UPDATE_H

#include <stddef.h>

/* Sum of squares in double, added up in an order that depends on count alone. Finite exactly when
 * all numbers are: squares of floats can't overflow a double. */
double mr_sum_of_squares(const float *values, size_t count);

typedef struct mr_sgd {
    float momentum, rate;
    float scale; /* of the gradients */
} mr_sgd;

/* Sets the gradients to 0. */
void mr_update_sgd(const mr_sgd *sgd, float *weights, float *velocity, float *gradients,
                   size_t count);

typedef struct mr_adamw {
    float beta1, beta2;
    float rest1, rest2; /* 1 - beta, which float32 would lose digits of */
    float epsilon;
    float rate;    /* divided by the first moment's bias correction */
    float correct; /* 1 / square root of the second moment's */
    float keep;    /* 1 - rate x weight decay; 1 for all but kernels */
    float scale;   /* of the gradients */
} mr_adamw;

/* Sets the gradients to 0. */
void mr_update_adamw(const mr_adamw *adamw, float *weights, float *moment1, float *moment2,
                     float *gradients, size_t count);

/* average += part (weights - average) */
void mr_update_average(float part, const float *weights, float *average, size_t count);

#endif
