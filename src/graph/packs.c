/* packs.c - the store of packed weights, and folding batch norm into them. */
#include "base/error.h"
#include "base/memory.h"
#include "graph/executor.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct mr_packs {
    pthread_mutex_t lock;
    mr_pack **entries; /* pointers, so that entries stay where they are when the list grows */
    size_t count, capacity, bytes;
};

mr_packs *mr_packs_create(void) {
    mr_packs *packs = mr_calloc(1, sizeof *packs);
    if (packs && pthread_mutex_init(&packs->lock, NULL) != 0) {
        free(packs);
        packs = NULL;
    }
    return packs;
}

static void free_pack(mr_pack *pack) {
    if (!pack) return;
    free(pack->key);
    free(pack->data);
    if (pack->detail) pack->free_detail(pack->detail);
    free(pack);
}

void mr_packs_free(mr_packs **packs) {
    if (!*packs) return;
    for (size_t i = 0; i < (*packs)->count; i++) free_pack((*packs)->entries[i]);
    free((*packs)->entries);
    pthread_mutex_destroy(&(*packs)->lock);
    free(*packs);
    *packs = NULL;
}

size_t mr_weight_bytes(mr_packs *packs, const mr_tensors *raw) {
    pthread_mutex_lock(&packs->lock);
    size_t bytes = packs->bytes;
    for (size_t i = 0; i < mr_tensors_count(raw); i++) {
        const mr_tensor *tensor = mr_tensors_at(raw, i);
        if (tensor->values) bytes += tensor->count * sizeof(float);
    }
    pthread_mutex_unlock(&packs->lock);
    return bytes;
}

static mrcnn_status add_pack(mr_packs *packs, const char *key, mr_pack_maker make, void *user,
                             const mr_pack **out, mrcnn_error *err) {
    if (packs->count == packs->capacity) {
        size_t capacity = packs->capacity ? packs->capacity * 2 : 128;
        mr_pack **entries = mr_realloc(packs->entries, capacity, sizeof *entries);
        if (!entries) return mr_fail_memory(err, capacity * sizeof *entries, "packed weights");
        packs->entries = entries;
        packs->capacity = capacity;
    }
    mr_pack *pack = mr_calloc(1, sizeof *pack);
    if (!pack || !(pack->key = mr_strdup(key))) {
        free_pack(pack);
        return mr_fail_memory(err, sizeof *pack, "packed weights");
    }
    mrcnn_status status = make(pack, user, err);
    if (status != MRCNN_OK) {
        free_pack(pack);
        return status;
    }
    packs->entries[packs->count++] = pack;
    packs->bytes += pack->bytes;
    *out = pack;
    return MRCNN_OK;
}

/* NULL: there is none. The lock must be held. */
static const mr_pack *find_pack(const mr_packs *packs, const char *key) {
    for (size_t i = 0; i < packs->count; i++)
        if (strcmp(packs->entries[i]->key, key) == 0) return packs->entries[i];
    return NULL;
}

int mr_packs_have(mr_packs *packs, const char *key) {
    pthread_mutex_lock(&packs->lock);
    int have = find_pack(packs, key) != NULL;
    pthread_mutex_unlock(&packs->lock);
    return have;
}

mrcnn_status mr_packs_get(mr_packs *packs, const char *key, mr_pack_maker make, void *user,
                          const mr_pack **pack, mrcnn_error *err) {
    pthread_mutex_lock(&packs->lock);
    mrcnn_status status = MRCNN_OK;
    *pack = find_pack(packs, key);
    if (!*pack) status = add_pack(packs, key, make, user, pack, err);
    pthread_mutex_unlock(&packs->lock);
    return status;
}

/* The tensor with its values, or a message that says what is wrong with it. */
static mrcnn_status tensor_of(const mr_prepare *p, const char *layer, const char *param,
                              size_t count, const mr_tensor **tensor, mrcnn_error *err) {
    *tensor = mr_tensors_find(p->weights, layer, param);
    if (!*tensor)
        return mr_fail(err, MRCNN_E_WEIGHTS, "the weights have no tensor '%s/%s'", layer, param);
    if ((*tensor)->count != count)
        return mr_fail(err, MRCNN_E_WEIGHTS,
                       "tensor '%s/%s' has %zu numbers, the network needs %zu", layer, param,
                       (*tensor)->count, count);
    if (!(*tensor)->values)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "tensor '%s/%s' was released after it was packed for another executor or "
                       "precision; load the model once more for this one",
                       layer, param);
    return MRCNN_OK;
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
    pthread_mutex_lock(&p->packs->lock); /* another session may be packing it another way */
    mr_tensor *kernel = mr_tensors_find(p->weights, p->node->layer, "kernel");
    if (kernel) mr_tensor_release(kernel);
    pthread_mutex_unlock(&p->packs->lock);
}
