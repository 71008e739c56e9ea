/* summary.c - what the values of a tensor are like, and whether they look healthy: the signs that
 * matterport's notebook on weights looks for. */
#include "base/error.h"

#include <mrcnn/inspect.h>

#include <math.h>
#include <string.h>

static const double too_large = 1000;

static size_t count_values(const mrcnn_weights_tensor *tensor) {
    size_t count = 1;
    for (int i = 0; i < tensor->rank; i++) count *= (size_t)tensor->shape[i];
    return count;
}

static int is_kernel_of(const mrcnn_weights_tensor *tensor, const char *layer) {
    return strcmp(tensor->layer, layer) == 0 && strcmp(tensor->name, "kernel") == 0;
}

/* Biases of plain convolutions begin as zeros and may well stay so; those of other layers are looked at
 * (Conv2DTranspose is another class than Conv2D). */
static int is_convolution_bias(const mrcnn_weights *weights, const mrcnn_weights_tensor *tensor) {
    const mrcnn_weights_tensor *other;
    if (strcmp(tensor->name, "bias") != 0 || strcmp(tensor->layer, "mrcnn_mask_deconv") == 0)
        return 0;
    for (size_t i = 0; (other = mrcnn_weights_at(weights, i)); i++)
        if (is_kernel_of(other, tensor->layer)) return other->rank == 4;
    return 0;
}

static void find_limits(const float *values, mrcnn_weight_summary *s) {
    double least = INFINITY, greatest = -INFINITY, sum = 0;
    for (size_t i = 0; i < s->count; i++) {
        double v = values[i];
        s->nan += isnan(v) != 0;
        s->infinite += isinf(v) != 0;
        if (!isfinite(v)) continue;
        least = v < least ? v : least;
        greatest = v > greatest ? v : greatest;
        sum += v;
    }
    size_t finite = s->count - s->nan - s->infinite;
    if (!finite) return;
    s->least = least;
    s->greatest = greatest;
    s->mean = sum / (double)finite;
}

/* Standard deviation and histogram, once limits and mean are known. */
static void find_spread(const float *values, mrcnn_weight_summary *s) {
    double squares = 0, width = (s->greatest - s->least) / MRCNN_WEIGHT_BARS;
    size_t finite = s->count - s->nan - s->infinite;
    for (size_t i = 0; i < s->count; i++) {
        double v = values[i];
        if (!isfinite(v)) continue;
        squares += (v - s->mean) * (v - s->mean);
        double bar = width > 0 ? (v - s->least) / width : 0;
        s->bars[bar < MRCNN_WEIGHT_BARS ? (size_t)bar : MRCNN_WEIGHT_BARS - 1]++;
    }
    if (finite) s->deviation = sqrt(squares / (double)finite);
}

mrcnn_status mrcnn_weights_summarize(const mrcnn_weights *weights, size_t index,
                                     mrcnn_weight_summary *summary, mrcnn_error *err) {
    const mrcnn_weights_tensor *tensor = mrcnn_weights_at(weights, index);
    if (!tensor || !summary)
        return mr_fail(err, MRCNN_E_ARGUMENT, "there is no tensor %zu of these weights", index);
    mrcnn_weight_summary s = {.count = count_values(tensor)};
    find_limits(tensor->values, &s);
    find_spread(tensor->values, &s);
    /* numpy's least value of some that have NaN is NaN, which is neither equal nor large. */
    s.is_dead = s.nan == 0 && s.infinite == 0 && s.least == s.greatest &&
                !is_convolution_bias(weights, tensor);
    s.is_overflow = s.infinite > 0 || s.least < -too_large || s.greatest > too_large;
    *summary = s;
    return MRCNN_OK;
}
