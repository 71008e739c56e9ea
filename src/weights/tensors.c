/* tensors.c - the ordered set of named tensors: an array in creation order and a hash table of
 * indices beside it (open addressing, never more than half full). A file may list tens of thousands
 * of names, so looking one up must not walk them all.
 */
#include "weights/weights.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mr_tensors {
    mr_tensor **items; /* each allocated by itself: pointers stay valid while the set grows */
    size_t count, room;
    size_t *slots; /* index + 1 of an item, or 0 */
    size_t slot_count;
};

/* FNV-1a over "layer/param". */
static size_t hash_key(const char *layer, const char *param) {
    uint64_t h = 0xCBF29CE484222325u;
    for (const char *p = layer; *p; p++) h = (h ^ (unsigned char)*p) * 0x100000001B3u;
    h = (h ^ '/') * 0x100000001B3u;
    for (const char *p = param; *p; p++) h = (h ^ (unsigned char)*p) * 0x100000001B3u;
    return (size_t)(h ^ (h >> 32));
}

/* The slot that holds the key, or the free slot where it belongs. */
static size_t *slot_of(const mr_tensors *set, const char *layer, const char *param) {
    size_t mask = set->slot_count - 1;
    for (size_t i = hash_key(layer, param) & mask;; i = (i + 1) & mask) {
        size_t index = set->slots[i];
        if (index == 0) return &set->slots[i];
        const mr_tensor *t = set->items[index - 1];
        if (strcmp(t->layer, layer) == 0 && strcmp(t->param, param) == 0) return &set->slots[i];
    }
}

static int grow(mr_tensors *set) {
    size_t room = set->room ? set->room * 2 : 256, slot_count = room * 2;
    mr_tensor **items = mr_realloc(set->items, room, sizeof *items);
    if (!items) return 0;
    set->items = items;
    size_t *slots = mr_calloc(slot_count, sizeof *slots);
    if (!slots) return 0;
    free(set->slots);
    set->slots = slots;
    set->slot_count = slot_count;
    set->room = room;
    for (size_t i = 0; i < set->count; i++) *slot_of(set, items[i]->layer, items[i]->param) = i + 1;
    return 1;
}

mr_tensors *mr_tensors_create(void) {
    mr_tensors *set = mr_calloc(1, sizeof *set);
    if (set && !grow(set)) mr_tensors_free(&set);
    return set;
}

static void free_tensor(mr_tensor *tensor) {
    if (!tensor) return;
    free(tensor->values);
    free(tensor->path);
    free(tensor);
}

void mr_tensors_free(mr_tensors **set) {
    if (!set || !*set) return;
    for (size_t i = 0; i < (*set)->count; i++) free_tensor((*set)->items[i]);
    free((*set)->items);
    free((*set)->slots);
    free(*set);
    *set = NULL;
}

size_t mr_tensors_count(const mr_tensors *set) {
    return set->count;
}

mr_tensor *mr_tensors_at(const mr_tensors *set, size_t index) {
    return index < set->count ? set->items[index] : NULL;
}

mr_tensor *mr_tensors_find(const mr_tensors *set, const char *layer, const char *param) {
    size_t index = *slot_of(set, layer, param);
    return index ? set->items[index - 1] : NULL;
}

/* The number of elements and of bytes, or a message. */
static mrcnn_status check_shape(const char *layer, const char *param, int rank,
                                const int64_t *shape, size_t *count, size_t *bytes,
                                mrcnn_error *err) {
    if (rank < 0 || rank > 5)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s/%s: has %d axes; at most 5 are possible", layer,
                       param, rank);
    *count = 1;
    for (int i = 0; i < rank; i++)
        if (shape[i] < 1 || (uint64_t)shape[i] > SIZE_MAX ||
            !mr_mul_size(*count, (size_t)shape[i], count))
            return mr_fail(err, MRCNN_E_ARGUMENT, "%s/%s: axis %d has a length of %lld", layer,
                           param, i, (long long)shape[i]);
    if (!mr_mul_size(*count, sizeof(float), bytes))
        return mr_fail(err, MRCNN_E_MEMORY, "%s/%s: too large for this machine", layer, param);
    return MRCNN_OK;
}

mrcnn_status mr_tensors_add(mr_tensors *set, const char *layer, const char *param, int rank,
                            const int64_t *shape, mr_tensor **tensor, mrcnn_error *err) {
    mr_tensor *t = NULL;
    size_t count = 0, bytes = 0;
    mrcnn_status status = check_shape(layer, param, rank, shape, &count, &bytes, err);
    if (status != MRCNN_OK) return status;
    if (strlen(layer) >= sizeof t->layer || strlen(param) >= sizeof t->param || !*layer || !*param)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%.200s/%.200s: the name is empty or too long for a tensor (at most %zu and "
                       "%zu letters)",
                       layer, param, sizeof t->layer - 1, sizeof t->param - 1);
    if (set->count == set->room && !grow(set))
        return mr_fail_memory(err, set->room * sizeof(void *), "a list of tensors");
    size_t *slot = slot_of(set, layer, param);
    if (*slot)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s/%s: there is a tensor of that name already",
                       layer, param);

    t = mr_calloc(1, sizeof *t);
    if (t) t->values = mr_alloc_aligned(bytes);
    if (!t || !t->values) {
        free_tensor(t);
        char key[160];
        snprintf(key, sizeof key, "%s/%s", layer, param);
        return mr_fail_memory(err, bytes, key);
    }
    strcpy(t->layer, layer);
    strcpy(t->param, param);
    t->rank = rank;
    for (int i = 0; i < rank; i++) t->shape[i] = shape[i];
    t->count = count;
    set->items[set->count++] = t;
    *slot = set->count;
    *tensor = t;
    return MRCNN_OK;
}

void mr_tensor_release(mr_tensor *tensor) {
    free(tensor->values);
    tensor->values = NULL;
}
