/* plan.h - a graph compiled for one executor, picture size and batch: kernels prepared, all
 * activations laid out in one workspace by lifetime. Running a plan allocates nothing. */
#ifndef MR_GRAPH_PLAN_H
#define MR_GRAPH_PLAN_H

#include "graph/executor.h"

typedef struct mr_plan mr_plan;

typedef struct mr_plan_options {
    const mr_executor *executor;
    mr_tensors *weights;
    mr_packs *packs;
    mr_tuning *tuning; /* NULL: nothing is measured */
    int release_weights;
    int threads;
    int max_rows[MR_ROWS_KINDS];
    mr_type precision;       /* of features; MR_F32 for training */
    mr_type products;        /* training: what the factors of products are rounded to */
    const mr_ranges *ranges; /* of layers, where 8 bits are wanted beneath it; NULL: they aren't */
    /* Training: the gradients of the trainable tensors, which a backward run adds to; NULL:
     * inference. Every output must then be reached by a loss. */
    mr_tensors *gradients;
    int update_statistics;
    /* Bytes of the workspace that somebody else may use between a run and its backward. */
    size_t between_bytes;
    /* Outputs that are features lie in the workspace, where they stay until something else uses it. */
    int features_inside;
    /* This input lies in the workspace: whoever runs the plan fills it before (mr_plan_input). NULL: all are bound. */
    const char *input_inside;
    /* Training: of this stage's nodes, what the backward reads is not kept from the run but computed
     * again (plan_recompute.c), as far as that needs less memory. NULL: all of it is kept. */
    const char *recompute;
} mr_plan_options;

/* Optimises and takes over `graph` (also on failure; *graph becomes NULL). */
mrcnn_status mr_plan_compile(mr_plan **plan, mrcnn_graph **graph, const mr_plan_options *options,
                             mrcnn_error *err);
void mr_plan_free(mr_plan **plan);

/* Bytes of workspace that a run needs (activations and the kernels' scratch); plans that run one
 * after the other can share it. Outputs are kept apart, in memory of the plan's own (but for features_inside). */
size_t mr_plan_workspace_bytes(const mr_plan *plan);
/* Sets between_bytes, when they aren't known before: places everything anew. */
mrcnn_status mr_plan_reserve_between(mr_plan *plan, size_t bytes, mrcnn_error *err);
size_t mr_plan_output_bytes(const mr_plan *plan);
/* How many nodes a backward run computes again. */
int mr_plan_recomputed(const mr_plan *plan);

/* Where the input of that name lies: rows x shape numbers, alive while the plan runs. They are floats, or of
 * the plan's precision if the input is a feature. */
void mr_plan_bind(mr_plan *plan, const char *input, const void *data);
/* Where the input_inside lies. */
float *mr_plan_input(const mr_plan *plan, void *workspace);
/* The memory of an output, valid from a run to the next one; NULL if there is none of that name, or if it is
 * no array of floats. */
const float *mr_plan_output(const mr_plan *plan, const char *name, mrcnn_shape *shape);
/* An output of any type; data NULL if there is none of that name, or before the first run if it is in the workspace. */
typedef struct mr_plan_map {
    const void *data;
    mrcnn_shape shape;
    mr_type type;
    float scale;
} mr_plan_map;
mr_plan_map mr_plan_feature(const mr_plan *plan, const char *name);

/* workspace: 64-byte aligned, from the executor's allocator. */
void mr_plan_run(mr_plan *plan, void *workspace, const int rows[MR_ROWS_KINDS]);

/* Shows every node's value right after it was computed: rows x the node's shape numbers of its type. NULL: nobody
 * looks. */
typedef void (*mr_plan_observer)(void *user, const mr_node *node, const void *values, int rows);
void mr_plan_observe(mr_plan *plan, mr_plan_observer observer, void *user);

/* Training. After mr_plan_run, with the same workspace untouched: the caller writes dL/doutput into
 * mr_plan_output_gradient (all of it, or, of a sparse one, one row of channels a listed pixel), and
 * mr_plan_backward adds to the tensors of options.gradients and to the bound inputs' gradients. */
float *mr_plan_output_gradient(mr_plan *plan, void *workspace, const char *output);
void mr_plan_bind_gradient(mr_plan *plan, const char *input, float *gradient);
/* The between_bytes: neither values nor gradients that are alive then, nor outputs. NULL: there are none. */
void *mr_plan_between(const mr_plan *plan, void *workspace);
void mr_plan_set_pixels(mr_plan *plan, int group, const mr_pixels *pixels);
void mr_plan_backward(mr_plan *plan, void *workspace, const int rows[MR_ROWS_KINDS]);

/* Time of the last run by stage, in order of first use; NULL past the end. */
const mrcnn_stage_time *mr_plan_stage(const mr_plan *plan, size_t index);

/* The same of the last backward run; MR_RECOMPUTATION is a stage of its own there. */
#define MR_RECOMPUTATION "recomputation"
const mrcnn_stage_time *mr_plan_backward_stage(const mr_plan *plan, size_t index);

/* The nodes that are run, for reports: NULL past the end. */
typedef struct mr_plan_step {
    const char *layer, *stage, *algorithm;
    double milliseconds, backward_milliseconds, gflop;
} mr_plan_step;
int mr_plan_step_at(const mr_plan *plan, size_t index, mr_plan_step *step);

#endif
