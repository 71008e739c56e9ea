/* example.h - a sample with what the RPN is to answer: all that a training step needs to know of one
 * picture. */
#ifndef MR_TRAIN_EXAMPLE_H
#define MR_TRAIN_EXAMPLE_H

#include "data/sample.h"
#include "model/targets.h"

typedef struct mr_example {
    mr_sample *sample; /* at most MAX_GT_INSTANCES objects (N60) */
    mr_rpn_targets rpn;
    size_t bytes; /* of all of it */
} mr_example;

/* The anchors of the input size that was seen last, in pixels: in square and crop mode that is the
 * only size. Each thread has its own, for one configuration. */
typedef struct mr_anchor_cache {
    int height, width;
    size_t count;
    double *anchors; /* count x 4 */
} mr_anchor_cache;

void mr_anchor_cache_free(mr_anchor_cache *cache);

typedef struct mr_example_options {
    mr_sample_options sample;
    mr_anchor_cache *cache; /* starts as {0} */
} mr_example_options;

/* *example is NULL and the status OK when the picture has nothing to learn from (N61). Depends on
 * the picture, the number, the seed and the settings, and on nothing else. */
mrcnn_status mr_example_load(mr_example **example, const mr_dataset *set, size_t picture,
                             uint64_t number, const mr_example_options *options, mrcnn_error *err);
void mr_example_free(mr_example **example);

/* The example's objects as the functions of model/targets.h take them. They belong to the example.
 */
mr_ground_truth mr_example_truth(const mr_example *example);

#endif
