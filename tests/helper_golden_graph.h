/* helper_golden_graph.h - small graphs, compiled and run in one call, for tests of single
 * operations. What goes wrong fails the running test. */
#ifndef HELPER_GOLDEN_GRAPH_H
#define HELPER_GOLDEN_GRAPH_H

#include "graph/plan.h"

enum { EVAL_MAX_INPUTS = 6 };

typedef struct eval {
    const mr_executor *executor;
    mr_type precision;
    const mr_ranges *ranges;
    mr_plan_observer observer;
    void *observer_user;
    mr_tensors *weights;
    mr_packs *packs; /* NULL: fresh ones */
    int threads;
    int rows[MR_ROWS_KINDS], max_rows[MR_ROWS_KINDS]; /* max 0: the same as rows */
    const char *names[EVAL_MAX_INPUTS];
    const void *inputs[EVAL_MAX_INPUTS];
} eval;

/* Compiles and frees *graph, runs it in a workspace full of NaN, and returns a copy of the named
 * output (malloc'ed). count may be NULL. */
float *eval_graph(const eval *e, mrcnn_graph **graph, const char *output, size_t *count);

/* Makes an output of every value, so that nothing can be fused or folded. */
void eval_forbid_fusion(mrcnn_graph *graph);

/* Adds the tensors that the graph's nodes read and the set doesn't have yet, with seeded values
 * that keep sums near 1. */
void eval_weights(mr_tensors *set, const mrcnn_graph *graph, uint64_t seed);

/* count numbers in [low, high) from a stream; malloc'ed. */
float *eval_noise(uint64_t seed, size_t count, double low, double high);

/* Largest |a - b| over the largest |a|; infinite when one is NaN and the other isn't. */
double eval_difference(const float *a, const float *b, size_t count);

#endif
