/* optimizer.c - see optimizer.h. A step walks the blocks of all tensors twice, once for the norm and
 * once for everything else. What is added up is added up within blocks and then block by block, so
 * threads change nothing. */
#include "train/optimizer.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "train/slots.h"
#include "train/update.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct mr_optimizer {
    mr_settings settings;
    mr_tensors *weights; /* not owned */
    int threads;
    int64_t updates;
    mr_slots slots;
};

/* ------------------------------------------------------------------------- making and freeing */

mrcnn_status mr_optimizer_create(mr_optimizer **optimizer, const mr_settings *settings,
                                 mr_tensors *weights, mr_tensors *gradients, int threads,
                                 mrcnn_error *err) {
    mr_optimizer *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "the optimizer");
    made->settings = *settings;
    made->weights = weights;
    made->threads = threads;
    mrcnn_status status = mr_slots_create(&made->slots, settings, weights, gradients, NULL, err);
    if (status == MRCNN_OK)
        *optimizer = made;
    else
        mr_optimizer_free(&made);
    return status;
}

void mr_optimizer_free(mr_optimizer **optimizer) {
    if (!optimizer || !*optimizer) return;
    mr_slots_free(&(*optimizer)->slots);
    free(*optimizer);
    *optimizer = NULL;
}

/* New slots in the old ones' place, or everything as it was. */
static mrcnn_status replace_slots(mr_optimizer *o, mr_tensors *gradients, const mr_tensors *average,
                                  mrcnn_error *err) {
    mr_slots slots;
    mrcnn_status status =
        mr_slots_create(&slots, &o->settings, o->weights, gradients, average, err);
    if (status != MRCNN_OK) return status;
    mr_slots_free(&o->slots);
    o->slots = slots;
    o->updates = 0;
    return MRCNN_OK;
}

mrcnn_status mr_optimizer_retarget(mr_optimizer *optimizer, mr_tensors *gradients,
                                   mrcnn_error *err) {
    return replace_slots(optimizer, gradients, optimizer->slots.state[MR_PART_EMA], err);
}

/* ------------------------------------------------------------------------------------ updates */

static void sum_blocks(void *context, size_t begin, size_t end, int thread) {
    mr_slots *t = context;
    (void)thread;
    for (size_t i = begin; i < end; i++) {
        const mr_block *b = &t->blocks[i];
        t->sums[i] = mr_sum_of_squares(t->slots[b->slot].gradient->values + b->begin, b->count);
    }
}

static const mr_tensor *find_non_finite(const mr_slots *t) {
    for (size_t i = 0; i < t->trained_blocks; i++)
        if (!isfinite(t->sums[i])) return t->slots[t->blocks[i].slot].gradient;
    return NULL;
}

typedef struct pass {
    const mr_slots *slots;
    mr_optimizer_kind kind;
    mr_sgd sgd;
    mr_adamw adamw;
    float decayed;      /* adamw.keep of kernels */
    float average_part; /* 1 - EMA_DECAY */
} pass;

static float *part_at(const mr_slot *it, mr_optimizer_part part, const mr_block *b) {
    return it->state[part]->values + b->begin;
}

static void update_weights(const pass *p, const mr_slot *it, const mr_block *b) {
    float *weights = it->weight->values + b->begin, *gradients = it->gradient->values + b->begin;
    if (p->kind == MR_SGD) {
        mr_update_sgd(&p->sgd, weights, part_at(it, MR_PART_VELOCITY, b), gradients, b->count);
        return;
    }
    mr_adamw adamw = p->adamw;
    if (strcmp(it->weight->param, "kernel") == 0) adamw.keep = p->decayed;
    mr_update_adamw(&adamw, weights, part_at(it, MR_PART_MOMENT1, b),
                    part_at(it, MR_PART_MOMENT2, b), gradients, b->count);
}

static void update_blocks(void *context, size_t begin, size_t end, int thread) {
    const pass *p = context;
    (void)thread;
    for (size_t i = begin; i < end; i++) {
        const mr_block *b = &p->slots->blocks[i];
        const mr_slot *it = &p->slots->slots[b->slot];
        if (it->gradient) update_weights(p, it, b);
        if (it->state[MR_PART_EMA])
            mr_update_average(p->average_part, it->weight->values + b->begin,
                              part_at(it, MR_PART_EMA, b), b->count);
    }
}

/* `updates` counts this one. */
static mr_adamw adamw_of(const mr_settings *s, double rate, double scale, int64_t updates) {
    double beta1 = s->adam_betas.values[0], beta2 = s->adam_betas.values[1];
    double correction1 = 1 - pow(beta1, (double)updates);
    double correction2 = 1 - pow(beta2, (double)updates);
    mr_adamw adamw = {.beta1 = (float)beta1,
                      .beta2 = (float)beta2,
                      .rest1 = (float)(1 - beta1),
                      .rest2 = (float)(1 - beta2),
                      .epsilon = (float)s->adam_epsilon,
                      .rate = (float)(rate / correction1),
                      .correct = (float)(1 / sqrt(correction2)),
                      .keep = 1,
                      .scale = (float)scale};
    return adamw;
}

/* The factor of all gradients, exactly 1 below the limit (N48). */
static double clip(double norm, double limit) {
    return limit > 0 && norm >= limit ? limit / norm : 1;
}

void mr_optimizer_step(mr_optimizer *optimizer, double rate, int batches, mr_update *update) {
    const mr_settings *s = &optimizer->settings;
    mr_slots *t = &optimizer->slots;
    double sum = 0;
    mr_parallel(optimizer->threads, t->trained_blocks, sum_blocks, t);
    for (size_t i = 0; i < t->trained_blocks; i++) sum += t->sums[i];
    update->gradient_norm = sqrt(sum) / batches;
    update->scale = 1;
    update->non_finite = isfinite(sum) ? NULL : find_non_finite(t);
    if (update->non_finite) return;

    update->scale = clip(update->gradient_norm, s->gradient_clip_norm);
    double scale = update->scale / batches;
    optimizer->updates++;
    pass p = {.slots = t,
              .kind = s->optimizer,
              .sgd = {(float)s->learning_momentum, (float)rate, (float)scale},
              .decayed = (float)(1 - rate * s->weight_decay),
              .average_part = (float)(1 - s->ema_decay)};
    if (p.kind == MR_ADAMW) p.adamw = adamw_of(s, rate, scale, optimizer->updates);
    mr_parallel(optimizer->threads, t->block_count, update_blocks, &p);
}

void mr_optimizer_discard(mr_optimizer *optimizer) {
    const mr_slots *t = &optimizer->slots;
    for (size_t i = 0; i < mr_tensors_count(t->gradients); i++) {
        mr_tensor *g = mr_tensors_at(t->gradients, i);
        memset(g->values, 0, g->count * sizeof *g->values);
    }
}

/* -------------------------------------------------------------------------------------- state */

const mr_tensors *mr_optimizer_state(const mr_optimizer *optimizer, mr_optimizer_part part) {
    return optimizer->slots.state[part];
}

int64_t mr_optimizer_updates(const mr_optimizer *optimizer) {
    return optimizer->updates;
}

static void copy_values(const mr_tensors *to, const mr_tensors *from) {
    for (size_t i = 0; to && i < mr_tensors_count(to); i++) {
        mr_tensor *t = mr_tensors_at(to, i);
        const mr_tensor *f = mr_tensors_find(from, t->layer, t->param);
        memcpy(t->values, f->values, t->count * sizeof *t->values);
    }
}

mrcnn_status mr_optimizer_restore(mr_optimizer *optimizer,
                                  const mr_tensors *const saved[MR_OPTIMIZER_PARTS],
                                  int64_t updates, mrcnn_error *err) {
    if (updates < 0)
        return mr_fail(err, MRCNN_E_WEIGHTS, "the optimizer's count of updates is %lld",
                       (long long)updates);
    mrcnn_status status = mr_slots_check(&optimizer->slots, optimizer->weights, saved, err);
    if (status == MRCNN_OK)
        status = replace_slots(optimizer, optimizer->slots.gradients, saved[MR_PART_EMA], err);
    if (status != MRCNN_OK) return status;
    for (int part = 0; part < MR_PART_EMA; part++)
        copy_values(optimizer->slots.state[part], saved[part]);
    optimizer->updates = updates;
    return MRCNN_OK;
}
