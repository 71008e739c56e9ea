/* folded.c - raw weights for those who pack them: found, checked, with the batch norm behind them folded in. */
#include "base/error.h"
#include "base/memory.h"
#include "graph/executor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static mrcnn_status was_released(const mr_tensor *t, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_UNSUPPORTED,
                   "tensor '%s/%s' was released after it was packed for another executor or "
                   "precision, and is in no file; save the model and load it for this one",
                   t->layer, t->param);
}

/* The tensor with its values, or a message that says what is wrong with it. The packs' lock must be held. */
static mrcnn_status tensor_of(const mr_prepare *p, const char *layer, const char *param,
                              size_t count, const mr_tensor **tensor, mrcnn_error *err) {
    const mr_tensor *t = *tensor = mr_tensors_find(p->weights, layer, param);
    if (!t)
        return mr_fail(err, MRCNN_E_WEIGHTS, "the weights have no tensor '%s/%s'", layer, param);
    if (t->count != count)
        return mr_fail(err, MRCNN_E_WEIGHTS,
                       "tensor '%s/%s' has %zu numbers, the network needs %zu", layer, param,
                       t->count, count);
    if (t->values) return MRCNN_OK;
    mrcnn_status status = mr_packs_read_weights(p->packs, err);
    if (status == MRCNN_E_UNSUPPORTED || (status == MRCNN_OK && !t->values))
        return was_released(t, err);
    return status;
}

mrcnn_status mr_raw_weights(const mr_prepare *p, const char *layer, const char *param, size_t count,
                            const mr_tensor **tensor, mrcnn_error *err) {
    mr_packs_lock(p->packs);
    mrcnn_status status = tensor_of(p, layer, param, count, tensor, err);
    mr_packs_unlock(p->packs);
    return status;
}

/* y = gamma (x - mean) / sqrt(variance + eps) + beta with x = conv + bias; eps 1e-3 (N50). */
static mrcnn_status fold_batch_norm(const mr_prepare *p, size_t kernel_size, size_t filters,
                                    float *kernel, float *bias, mrcnn_error *err) {
    static const char *const params[4] = {"gamma", "beta", "moving_mean", "moving_variance"};
    const mr_tensor *t[4];
    for (int i = 0; i < 4; i++) {
        mrcnn_status status = tensor_of(p, p->node->batch_norm, params[i], filters, &t[i], err);
        if (status != MRCNN_OK) return status;
    }
    double *scale = malloc(filters * sizeof *scale);
    if (!scale) return mr_fail_memory(err, filters * sizeof *scale, "batch norm");
    for (size_t f = 0; f < filters; f++) {
        scale[f] = t[0]->values[f] / sqrt((double)t[3]->values[f] + 1e-3);
        bias[f] = (float)(((double)bias[f] - t[2]->values[f]) * scale[f] + t[1]->values[f]);
    }
    for (size_t i = 0; i < kernel_size; i += filters)
        for (size_t f = 0; f < filters; f++) kernel[i + f] = (float)(kernel[i + f] * scale[f]);
    free(scale);
    return MRCNN_OK;
}

mrcnn_status mr_folded_weights(const mr_prepare *p, float **kernel, float **bias,
                               mrcnn_error *err) {
    mr_weight_counts size = mr_count_weights(p->graph, p->node);
    const mr_tensor *k, *b;
    mrcnn_status status = tensor_of(p, p->node->layer, "kernel", size.kernel, &k, err);
    if (status == MRCNN_OK) status = tensor_of(p, p->node->layer, "bias", size.bias, &b, err);
    if (status != MRCNN_OK) return status;
    float *kernel_copy = mr_alloc_aligned(size.kernel * sizeof(float));
    float *bias_copy = mr_alloc_aligned(size.bias * sizeof(float));
    if (!kernel_copy || !bias_copy) {
        status = mr_fail_memory(err, size.kernel * sizeof(float), p->node->layer);
    } else {
        memcpy(kernel_copy, k->values, size.kernel * sizeof(float));
        memcpy(bias_copy, b->values, size.bias * sizeof(float));
        if (p->node->batch_norm[0])
            status = fold_batch_norm(p, size.kernel, size.bias, kernel_copy, bias_copy, err);
    }
    if (status != MRCNN_OK) {
        free(kernel_copy);
        free(bias_copy);
        return status;
    }
    *kernel = kernel_copy;
    *bias = bias_copy;
    return MRCNN_OK;
}

/* A layer used twice may be packed twice: with and without a batch norm behind it. */
static int is_used_later(const mr_prepare *p) {
    const mr_node *end = p->graph->nodes + p->graph->count;
    for (const mr_node *node = p->node + 1; node < end; node++)
        if (!node->dead && strcmp(node->layer, p->node->layer) == 0) return 1;
    return 0;
}

void mr_release_kernel(const mr_prepare *p) {
    if (!p->release_weights || is_used_later(p)) return;
    mr_packs_lock(p->packs); /* another session may be packing it another way */
    mr_tensor *kernel = mr_tensors_find(p->weights, p->node->layer, "kernel");
    if (kernel) mr_tensor_release(kernel);
    mr_packs_unlock(p->packs);
}
