/* order.c - see order.h. */
#include "train/order.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/prng.h"

#include <stdlib.h>

struct mr_order {
    size_t count;
    uint64_t stream; /* value `pass` of it is that pass's own stream */
    int shuffle;
    int has_pass;
    uint64_t pass;
    uint32_t *pictures; /* of that pass, in their order */
};

/* Fisher-Yates from the identity, so that a pass needs no other pass before it. */
static void shuffle_pass(mr_order *o, uint64_t pass) {
    uint64_t stream = mr_prng_value(o->stream, pass);
    for (size_t i = 0; i < o->count; i++) o->pictures[i] = (uint32_t)i;
    for (size_t i = o->count - 1; i > 0; i--) {
        size_t j = (size_t)(mr_prng_uniform(stream, i) * (double)(i + 1));
        uint32_t kept = o->pictures[i];
        o->pictures[i] = o->pictures[j];
        o->pictures[j] = kept;
    }
    o->pass = pass;
    o->has_pass = 1;
}

mrcnn_status mr_order_create(mr_order **order, size_t picture_count, uint64_t seed, int shuffle,
                             mrcnn_error *err) {
    if (picture_count == 0) return mr_fail(err, MRCNN_E_ARGUMENT, "the data set has no pictures");
    if (picture_count > UINT32_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "a data set of %zu pictures is too large",
                       picture_count);
    mr_order *o = mr_calloc(1, sizeof *o);
    uint32_t *pictures = mr_calloc(shuffle ? picture_count : 0, sizeof *pictures);
    if (!o || !pictures) {
        free(o);
        free(pictures);
        return mr_fail_memory(err, picture_count * sizeof *pictures, "the order of pictures");
    }
    *o = (mr_order){.count = picture_count,
                    .stream = mr_prng_stream(seed, "order"),
                    .shuffle = shuffle,
                    .pictures = pictures};
    *order = o;
    return MRCNN_OK;
}

size_t mr_order_at(mr_order *order, uint64_t number) {
    uint64_t pass = number / order->count;
    size_t place = (size_t)(number % order->count);
    if (!order->shuffle) return place;
    if (!order->has_pass || order->pass != pass) shuffle_pass(order, pass);
    return order->pictures[place];
}

void mr_order_free(mr_order **order) {
    if (!order || !*order) return;
    free((*order)->pictures);
    free(*order);
    *order = NULL;
}

/* As many skips in a row as there are pictures say nothing when they lie in two passes: the end of
 * one and the beginning of the next may be the same pictures. */
mrcnn_status mr_skips_note(mr_skips *skips, uint64_t number, int skipped, const char *name,
                           mrcnn_error *err) {
    skips->in_a_row = skipped ? skips->in_a_row + 1 : 0;
    int pass_ends = number % skips->picture_count == skips->picture_count - 1;
    if (!pass_ends || skips->in_a_row < skips->picture_count) return MRCNN_OK;
    return mr_fail(
        err, MRCNN_E_FORMAT,
        "no picture of %s has an object to learn from: look at it with mrcnn inspect data --check",
        name);
}
