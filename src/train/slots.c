/* slots.c - see slots.h. */
#include "train/slots.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 4096 };

/* -------------------------------------------------------------------------------------- state */

const char *mr_optimizer_part_name(mr_optimizer_part part) {
    static const char *const names[MR_OPTIMIZER_PARTS] = {"velocity", "moment1", "moment2", "ema"};
    return names[part];
}

static int has_part(const mr_settings *settings, mr_optimizer_part part) {
    switch (part) {
    case MR_PART_VELOCITY: return settings->optimizer == MR_SGD;
    case MR_PART_MOMENT1:
    case MR_PART_MOMENT2: return settings->optimizer == MR_ADAMW;
    case MR_PART_EMA: return settings->ema_decay > 0;
    case MR_OPTIMIZER_PARTS: break;
    }
    return 0;
}

static int same_shape(const mr_tensor *a, const mr_tensor *b) {
    return a->rank == b->rank &&
           memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) == 0;
}

/* The tensor of `from` that belongs to `like`, or a message that begins with `what`. */
static mrcnn_status find_like(mr_tensor **found, const mr_tensors *from, const mr_tensor *like,
                              const char *what, mrcnn_error *err) {
    mr_tensor *tensor = mr_tensors_find(from, like->layer, like->param);
    if (!tensor || !tensor->values)
        return mr_fail(err, MRCNN_E_WEIGHTS, "%s: %s/%s is missing", what, like->layer,
                       like->param);
    if (!same_shape(tensor, like))
        return mr_fail(err, MRCNN_E_WEIGHTS, "%s: %s/%s has another shape", what, like->layer,
                       like->param);
    *found = tensor;
    return MRCNN_OK;
}

/* Adds a tensor of the same key and shape, with values of `from` or zeros. */
static mrcnn_status add_like(mr_tensors *set, const mr_tensor *like, const float *from,
                             mrcnn_error *err) {
    mr_tensor *made = NULL;
    mrcnn_status status =
        mr_tensors_add(set, like->layer, like->param, like->rank, like->shape, &made, err);
    if (status != MRCNN_OK) return status;
    if (from)
        memcpy(made->values, from, made->count * sizeof *from);
    else
        memset(made->values, 0, made->count * sizeof *made->values);
    return MRCNN_OK;
}

/* The averages that there were, and the weights of what is trained for the first time. */
static mrcnn_status make_average(mr_tensors *average, const mr_tensors *old,
                                 const mr_tensors *weights, const mr_tensors *gradients,
                                 mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < mr_tensors_count(weights) && status == MRCNN_OK; i++) {
        const mr_tensor *w = mr_tensors_at(weights, i);
        const mr_tensor *kept = old ? mr_tensors_find(old, w->layer, w->param) : NULL;
        if (kept || mr_tensors_find(gradients, w->layer, w->param))
            status = add_like(average, w, kept ? kept->values : w->values, err);
    }
    return status;
}

static mrcnn_status make_zeros(mr_tensors *set, const mr_tensors *gradients, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < mr_tensors_count(gradients) && status == MRCNN_OK; i++)
        status = add_like(set, mr_tensors_at(gradients, i), NULL, err);
    return status;
}

static mrcnn_status make_state(mr_slots *s, const mr_settings *settings, const mr_tensors *weights,
                               const mr_tensors *average, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (int part = 0; part < MR_OPTIMIZER_PARTS && status == MRCNN_OK; part++) {
        if (!has_part(settings, part)) continue;
        s->state[part] = mr_tensors_create();
        if (!s->state[part]) return mr_fail_memory(err, sizeof *s, "the optimizer");
        status = part == MR_PART_EMA
                     ? make_average(s->state[part], average, weights, s->gradients, err)
                     : make_zeros(s->state[part], s->gradients, err);
    }
    return status;
}

/* ------------------------------------------------------------------------------ slots, blocks */

static mr_slot make_slot(const mr_slots *s, mr_tensor *weight) {
    mr_slot it = {.weight = weight,
                  .gradient = mr_tensors_find(s->gradients, weight->layer, weight->param)};
    for (int part = 0; part < MR_OPTIMIZER_PARTS; part++)
        if (s->state[part])
            it.state[part] = mr_tensors_find(s->state[part], weight->layer, weight->param);
    return it;
}

static mrcnn_status make_slots(mr_slots *s, const mr_tensors *weights, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    size_t trained = mr_tensors_count(s->gradients), count = mr_tensors_count(weights);
    s->slots = mr_calloc(count + 1, sizeof *s->slots);
    if (!s->slots) return mr_fail_memory(err, count * sizeof *s->slots, "the optimizer");
    for (size_t i = 0; i < trained && status == MRCNN_OK; i++) {
        mr_tensor *weight = NULL;
        status = find_like(&weight, weights, mr_tensors_at(s->gradients, i), "weights", err);
        if (status == MRCNN_OK) s->slots[s->slot_count++] = make_slot(s, weight);
    }
    for (size_t i = 0; i < count && status == MRCNN_OK; i++) {
        mr_slot it = make_slot(s, mr_tensors_at(weights, i));
        if (!it.gradient && it.state[MR_PART_EMA]) s->slots[s->slot_count++] = it;
    }
    return status;
}

static size_t blocks_of(const mr_slot *it) {
    return (it->weight->count + BLOCK - 1) / BLOCK;
}

static mrcnn_status make_blocks(mr_slots *s, mrcnn_error *err) {
    size_t count = 0;
    for (size_t i = 0; i < s->slot_count; i++) count += blocks_of(&s->slots[i]);
    s->blocks = mr_calloc(count, sizeof *s->blocks);
    s->sums = mr_calloc(count, sizeof *s->sums);
    if (!s->blocks || !s->sums)
        return mr_fail_memory(err, count * sizeof *s->blocks, "the optimizer");
    for (size_t i = 0; i < s->slot_count; i++) {
        size_t all = s->slots[i].weight->count;
        for (size_t begin = 0; begin < all; begin += BLOCK) {
            mr_block b = {i, begin, all - begin < BLOCK ? all - begin : BLOCK};
            s->blocks[s->block_count++] = b;
        }
        if (s->slots[i].gradient) s->trained_blocks = s->block_count;
    }
    return MRCNN_OK;
}

void mr_slots_free(mr_slots *s) {
    for (int part = 0; part < MR_OPTIMIZER_PARTS; part++) mr_tensors_free(&s->state[part]);
    free(s->slots);
    free(s->blocks);
    free(s->sums);
}

mrcnn_status mr_slots_create(mr_slots *slots, const mr_settings *settings,
                             const mr_tensors *weights, mr_tensors *gradients,
                             const mr_tensors *average, mrcnn_error *err) {
    if (mr_tensors_count(gradients) == 0)
        return mr_fail(err, MRCNN_E_ARGUMENT, "the optimizer: no tensor is trained");
    mr_slots made = {.gradients = gradients};
    mrcnn_status status = make_state(&made, settings, weights, average, err);
    if (status == MRCNN_OK) status = make_slots(&made, weights, err);
    if (status == MRCNN_OK) status = make_blocks(&made, err);
    if (status == MRCNN_OK)
        *slots = made;
    else
        mr_slots_free(&made);
    return status;
}

/* ---------------------------------------------------------------------------------- restoring */

/* Every tensor of the state must be there; of the average, what the weights have and more. */
static mrcnn_status check_saved(const mr_slots *s, const mr_tensors *weights,
                                mr_optimizer_part part, const mr_tensors *saved, mrcnn_error *err) {
    const char *name = mr_optimizer_part_name(part);
    const mr_tensors *state = s->state[part];
    mr_tensor *found = NULL;
    mrcnn_status status = MRCNN_OK;
    if (!saved != !state)
        return mr_fail(err, MRCNN_E_WEIGHTS,
                       "the optimizer's %s is %s; was the run begun with another OPTIMIZER or "
                       "EMA_DECAY?",
                       name, saved ? "there, but not asked for" : "missing");
    const mr_tensors *needed = part == MR_PART_EMA ? s->gradients : state;
    for (size_t i = 0; state && i < mr_tensors_count(needed) && status == MRCNN_OK; i++)
        status = find_like(&found, saved, mr_tensors_at(needed, i), name, err);
    if (part != MR_PART_EMA) return status;
    for (size_t i = 0; state && i < mr_tensors_count(saved) && status == MRCNN_OK; i++)
        status = find_like(&found, weights, mr_tensors_at(saved, i), "weights", err);
    return status;
}

mrcnn_status mr_slots_check(const mr_slots *slots, const mr_tensors *weights,
                            const mr_tensors *const saved[MR_OPTIMIZER_PARTS], mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (int part = 0; part < MR_OPTIMIZER_PARTS && status == MRCNN_OK; part++)
        status = check_saved(slots, weights, part, saved[part], err);
    return status;
}
