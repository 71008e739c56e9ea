/* initialise.c - Keras' default initialisers: Glorot uniform kernels (Glorot and Bengio 2010), zero
 * biases, identity batch normalisation. Each value is a function of seed, name and index alone.
 */
#include "weights/weights.h"

#include "base/prng.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Keras' _compute_fans: a dense kernel is (in, out); of anything larger the last two axes count as
 * in and out and the others as receptive field. For a deconvolution (h, w, out, in) that swaps the
 * two, and the limit only depends on their sum. */
static double glorot_limit(const mr_tensor *t) {
    double receptive = 1.0, in, out;
    for (int i = 0; i < t->rank - 2; i++) receptive *= (double)t->shape[i];
    if (t->rank >= 2) {
        in = (double)t->shape[t->rank - 2];
        out = (double)t->shape[t->rank - 1];
    } else {
        in = out = sqrt((double)t->count);
    }
    return sqrt(6.0 / (receptive * in + receptive * out));
}

static void fill(mr_tensor *t, float value) {
    for (size_t i = 0; i < t->count; i++) t->values[i] = value;
}

void mr_tensor_initialise(mr_tensor *tensor, uint64_t seed) {
    const char *param = tensor->param;
    if (strcmp(param, "gamma") == 0 || strcmp(param, "moving_variance") == 0) {
        fill(tensor, 1.0f);
    } else if (strcmp(param, "kernel") == 0) {
        char name[sizeof tensor->layer + sizeof tensor->param];
        snprintf(name, sizeof name, "%s/%s", tensor->layer, param);
        uint64_t stream = mr_prng_stream(seed, name);
        double limit = glorot_limit(tensor);
        for (size_t i = 0; i < tensor->count; i++)
            tensor->values[i] = (float)(-limit + 2.0 * limit * mr_prng_uniform(stream, i));
    } else { /* bias, beta, moving_mean */
        fill(tensor, 0.0f);
    }
}
