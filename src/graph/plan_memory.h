/* plan_memory.h - inside a plan: blocks of memory with a lifetime each, placed in one workspace. */
#ifndef MR_GRAPH_PLAN_MEMORY_H
#define MR_GRAPH_PLAN_MEMORY_H

#include <mrcnn/mrcnn.h>

/* Values that share a buffer (a sum written over its residual) share a block. */
typedef struct mr_block {
    size_t bytes, offset;
    int first, last; /* times between which it is alive */
} mr_block;

/* Chooses offsets so that blocks that are alive together don't meet. *bytes: the whole workspace. */
mrcnn_status mr_place_blocks(mr_block *blocks, int count, size_t *bytes, mrcnn_error *err);

#endif
