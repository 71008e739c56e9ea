/* helper_oracle.h - the seeded weights of the test oracle, made here instead of read from a file:
 * golden files name a seed, and these functions turn it into the same bytes that made the golden
 * values. */
#ifndef HELPER_ORACLE_H
#define HELPER_ORACLE_H

#include "model/model.h"

/* Overwrites every tensor of the set: uniform numbers in a range that depends on layer, param and
 * shape, drawn from the stream (seed, "layer/param"). `resnet50`: the ranges of that depth, which
 * differ for the last gamma of each block. */
void oracle_fill(mr_tensors *weights, uint64_t seed, int resnet50);

/* Sets the widths of a model whose layers are 1/div as wide as published. */
mrcnn_status oracle_set_widths(mrcnn_config *config, int div, mrcnn_error *err);

/* A model with the oracle's weights for a configuration that names a ResNet-50 or 101. */
mrcnn_status oracle_model(mrcnn_model **model, const mrcnn_config *config, uint64_t seed,
                          mrcnn_error *err);

/* A ResNet-50 with all widths / 8 and `classes` classes, for tests that want any small model:
 * pictures become 128 x 128, anchors fit them. `keys` is NULL or "KEY", "value", ..., NULL. */
mrcnn_status oracle_tiny_config(mrcnn_config **config, int classes, const char *const *keys,
                                mrcnn_error *err);
/* Keys for small answers to any picture: everything with any score is an instance. */
extern const char *const oracle_talkative[];
mrcnn_status oracle_tiny_model(mrcnn_model **model, int classes, const char *const *keys,
                               mrcnn_error *err);

#endif
