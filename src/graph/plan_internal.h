/* plan_internal.h - a plan's insides: plan.c (compiling, running), plan_schedule.c (what happens when,
 * and how long values live), plan_recompute.c (what is computed again), plan_backward.c (gradients). */
#ifndef MR_GRAPH_PLAN_INTERNAL_H
#define MR_GRAPH_PLAN_INTERNAL_H

#include "graph/plan.h"
#include "graph/plan_memory.h"

enum { MR_MAX_PLAN_STAGES = 16 };

/* What happens at a time: times are indices of mr_plan.events. */
typedef enum mr_event_kind { MR_RUN, MR_BETWEEN, MR_RUN_AGAIN, MR_BACKWARD } mr_event_kind;
typedef struct mr_event {
    mr_event_kind kind;
    int node;
    int scratch; /* index of the block that its kernel may use; -1: none */
} mr_event;

/* A value lives from the run that makes it to its last reader; one that is computed again lives twice. */
enum { MR_FIRST_LIFE, MR_SECOND_LIFE, MR_LIVES };
typedef struct mr_life {
    int block; /* index; -1: it needs none (input, output), or there is no such life */
    int last;  /* time of its last use */
} mr_life;

typedef struct mr_step {
    mr_kernel *kernel;
    mr_life lives[MR_LIVES];
    void *output;      /* of outputs, owned */
    const void *bound; /* of inputs */
    double milliseconds, backward_milliseconds;
    double gflop; /* of one row */

    /* training */
    unsigned backward_reads; /* mr_backward_reads */
    int segment;             /* of nodes that may be computed again; negative: none */
    int again;               /* it is computed again */
    int backward_time;
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
    mr_event *events;
    int event_count;
    int between_time; /* events before it are the forward's, those behind it the backward's */
    mr_block *blocks;
    int block_count;
    size_t between_bytes;
    int features_inside;
    int input_inside; /* a node; -1: none */
    char *workspace;  /* of the last run */
    int between;      /* index of a block; -1: none */
    const mr_pixels *pixels[MR_MAX_GROUPS];
    size_t workspace_bytes, output_bytes;
    mr_plan_observer observer; /* NULL: nobody looks */
    void *observer_user;
    mr_stage_times forward, backward;
};

/* plan.c: the whole layout, from what the steps say is computed again: events, blocks, their places. */
mrcnn_status mr_plan_lay_out(mr_plan *plan, mrcnn_error *err);

/* plan_schedule.c: the events, and blocks for values and for kernels' scratch. */
void mr_plan_schedule(mr_plan *plan);
void mr_plan_assign_values(mr_plan *plan);
void mr_plan_assign_scratch(mr_plan *plan);
/* The life of value x that an event of this kind makes or reads. */
mr_life *mr_plan_life(const mr_plan *plan, int x, mr_event_kind kind);
/* An output in memory of its own. */
int mr_plan_is_outside(const mr_plan *plan, const mr_node *node);
size_t mr_plan_value_bytes(const mr_plan *plan, int x);

/* plan_recompute.c: after a layout without it, chooses what of a stage is computed again, and lays out
 * anew. */
mrcnn_status mr_plan_choose_segments(mr_plan *plan, const char *stage, mrcnn_error *err);

/* plan_backward.c: blocks for gradients, and how often each is written; and one of between_bytes for
 * somebody else. */
void mr_plan_assign_gradients(mr_plan *plan);

/* plan.c: runs the node of an event, forward. */
void mr_plan_run_node(const mr_plan *plan, char *workspace, mr_event event,
                      const int rows[MR_ROWS_KINDS]);
/* NULL: the event needs none. */
void *mr_plan_scratch(const mr_plan *plan, char *workspace, mr_event event);
void *mr_plan_value(const mr_plan *plan, char *workspace, int x, mr_event_kind kind);
void mr_add_stage_time(mr_stage_times *times, const char *name, double ms, double gflop);
size_t mr_round_up(size_t bytes); /* to a cache line */

#endif
