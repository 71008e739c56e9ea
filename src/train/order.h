/* order.h - which picture is draw n of a run. A pass shows every picture once; passes are shuffled
 * each in its own way. The answer is a function of the seed and n alone, so that a resumed run and
 * any number of threads see the same pictures in the same order. */
#ifndef MR_TRAIN_ORDER_H
#define MR_TRAIN_ORDER_H

#include <mrcnn/mrcnn.h>

/* Remembers one pass: 4 bytes a picture. Each thread has its own. */
typedef struct mr_order mr_order;

/* Without `shuffle` pictures come in the data set's order, pass after pass (validation). A data set
 * without pictures is an error. */
mrcnn_status mr_order_create(mr_order **order, size_t picture_count, uint64_t seed, int shuffle,
                             mrcnn_error *err);
size_t mr_order_at(mr_order *order, uint64_t number);
void mr_order_free(mr_order **order);

/* matterport goes on for ever over a data set in which nothing can be learnt from (N61). Here that
 * is an error as soon as all of one pass was skipped. Start with the number of pictures; then tell
 * it each number in turn, and whether it was skipped. `name` is the data set's for the message. */
typedef struct mr_skips {
    uint64_t picture_count;
    uint64_t in_a_row;
} mr_skips;

mrcnn_status mr_skips_note(mr_skips *skips, uint64_t number, int skipped, const char *name,
                           mrcnn_error *err);

#endif
