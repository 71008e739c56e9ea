/* plan_internal.h - a plan's insides, which plan.c and plan_backward.c share. */
#ifndef MR_GRAPH_PLAN_INTERNAL_H
#define MR_GRAPH_PLAN_INTERNAL_H

#include "graph/plan.h"
#include "graph/plan_memory.h"

enum { MR_MAX_PLAN_STAGES = 16 };

typedef struct mr_step {
    mr_kernel *kernel;
    int block;         /* index of a block; -1: input or output */
    void *output;      /* of outputs, owned */
    const void *bound; /* of inputs */
    double milliseconds, backward_milliseconds;
    double gflop; /* of one row */

    /* training */
    int gradient_block;    /* -1: none */
    float *bound_gradient; /* of inputs; NULL: not wanted */
    int accumulate[MR_MAX_INPUTS];
    int residual_accumulate;
} mr_step;

typedef struct mr_stage_times {
    mrcnn_stage_time stages[MR_MAX_PLAN_STAGES];
    size_t count;
} mr_stage_times;

struct mr_plan {
    mrcnn_graph *graph;
    const mr_executor *executor;
    const mr_tensors *gradients; /* NULL: inference */
    int threads;
    int max_rows[MR_ROWS_KINDS];
    mr_step *steps; /* one a node */
    mr_block *blocks;
    int block_count;
    int between; /* index of a block; -1: none */
    const mr_pixels *pixels[MR_MAX_GROUPS];
    size_t activation_bytes, scratch_bytes, output_bytes;
    mr_plan_observer observer; /* NULL: nobody looks */
    void *observer_user;
    mr_stage_times forward, backward;
};

/* Times: node i of n runs at i, n is the time between, and i's backward comes at 2 n - i. */
int mr_backward_time(const mr_plan *plan, int node);

void *mr_plan_value(const mr_plan *plan, char *workspace, int x);
void mr_add_stage_time(mr_stage_times *times, const char *name, double ms, double gflop);
size_t mr_round_up(size_t bytes); /* to a cache line */

/* plan_backward.c: blocks for gradients, and how often each is written; and one of `between` bytes
 * for somebody else. */
void mr_plan_assign_gradients(mr_plan *plan, size_t between);

#endif
