/* plan_recompute.c - gradient checkpointing: values that the backward reads are not kept from the
 * forward, but computed once more before it (Chen et al. 2016, "Training Deep Nets with Sublinear
 * Memory Cost"). Same kernels, same inputs, same order of sums: the same bits.
 *
 * The nodes of one stage (the backbone) are cut into segments, at values through which everything
 * goes: between a ResNet's blocks. What another segment or another stage reads (borders, the maps that
 * the pyramid is made of) is kept. Of the rest, what a backward of the segment reads is computed again,
 * and what is needed for that; each node once at most. Long segments keep few borders, short ones need
 * little memory at a time: several lengths are tried, and the one that needs the least is taken. */
#include "graph/plan_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_SEGMENTS = 16 };

/* What is known of a node and its value. */
typedef struct fact {
    int in_stage;
    int reach;     /* the last node of the stage that reads it */
    int is_border; /* nothing before it is read behind it, in the stage */
    int read_back; /* by a backward */
    int crosses;   /* it is read outside of its segment */
    int needed;    /* by something that is computed again */
} fact;

static int is_in(const mr_node *node, const char *stage) {
    return !node->dead && node->op != MR_OP_INPUT && strcmp(node->stage, stage) == 0;
}

/* What the node reads, for k from 0 to input_count, the residual being the last; -1: nothing. */
static int read_at(const mr_node *node, int k) {
    return k < node->input_count ? node->inputs[k] : node->residual;
}

static void note_reads(const mr_plan *plan, fact *facts, int i) {
    const mr_node *node = &plan->graph->nodes[i];
    unsigned back = plan->steps[i].backward_reads;
    facts[i].read_back |= back >> MR_MAX_INPUTS & 1;
    for (int k = 0; k <= node->input_count; k++) {
        int x = read_at(node, k);
        if (x < 0) continue;
        if (facts[i].in_stage) facts[x].reach = i;
        if (k < node->input_count) facts[x].read_back |= back >> k & 1;
    }
}

/* All that doesn't depend on how the stage is cut. */
static void note_facts(const mr_plan *plan, fact *facts, const char *stage) {
    int reach = 0; /* of all values so far */
    for (int i = 0; i < plan->graph->count; i++) {
        facts[i].in_stage = is_in(&plan->graph->nodes[i], stage);
        if (!plan->graph->nodes[i].dead) note_reads(plan, facts, i);
    }
    for (int i = 0; i < plan->graph->count; i++) {
        if (!facts[i].in_stage) continue;
        facts[i].is_border = reach <= i;
        if (reach < facts[i].reach) reach = facts[i].reach;
    }
}

static size_t kept_bytes(const mr_plan *plan, const fact *facts, int i) {
    return facts[i].in_stage && facts[i].read_back ? mr_plan_value_bytes(plan, i) : 0;
}

/* Each segment ends at the first border with which it has `bytes` of values that a backward reads. */
static void cut(mr_plan *plan, const fact *facts, size_t bytes) {
    int segment = 0;
    size_t sum = 0;
    for (int i = 0; i < plan->graph->count; i++) {
        plan->steps[i].segment = facts[i].in_stage ? segment : -1;
        sum += kept_bytes(plan, facts, i);
        if (!facts[i].is_border || sum < bytes) continue;
        segment++;
        sum = 0;
    }
}

static void note_crossings(const mr_plan *plan, fact *facts) {
    for (int i = 0; i < plan->graph->count; i++) facts[i].crosses = plan->graph->nodes[i].is_output;
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        for (int k = 0; !node->dead && k <= node->input_count; k++) {
            int x = read_at(node, k);
            if (x >= 0 && plan->steps[x].segment != plan->steps[i].segment) facts[x].crosses = 1;
        }
    }
}

/* From the end, so that who needs a value has been decided about before it. */
static void mark(mr_plan *plan, fact *facts) {
    note_crossings(plan, facts);
    for (int i = 0; i < plan->graph->count; i++) facts[i].needed = facts[i].read_back;
    for (int i = plan->graph->count - 1; i >= 0; i--) {
        const mr_node *node = &plan->graph->nodes[i];
        plan->steps[i].again = facts[i].in_stage && facts[i].needed && !facts[i].crosses;
        for (int k = 0; plan->steps[i].again && k <= node->input_count; k++)
            if (read_at(node, k) >= 0) facts[read_at(node, k)].needed = 1;
    }
}

static mrcnn_status lay_out(mr_plan *plan, fact *facts, size_t bytes, mrcnn_error *err) {
    cut(plan, facts, bytes);
    mark(plan, facts);
    return mr_plan_lay_out(plan, err);
}

static mrcnn_status keep_all(mr_plan *plan, mrcnn_error *err) {
    for (int i = 0; i < plan->graph->count; i++) plan->steps[i].again = 0;
    return mr_plan_lay_out(plan, err);
}

static mrcnn_status choose(mr_plan *plan, fact *facts, mrcnn_error *err) {
    size_t all = 0, least = plan->workspace_bytes, best = 0;
    for (int i = 0; i < plan->graph->count; i++) all += kept_bytes(plan, facts, i);
    if (all == 0) return MRCNN_OK;
    for (size_t segments = 1; segments <= MOST_SEGMENTS; segments++) {
        mrcnn_status status = lay_out(plan, facts, all / segments, err);
        if (status != MRCNN_OK) return status;
        if (plan->workspace_bytes > least || (plan->workspace_bytes == least && !best)) continue;
        least = plan->workspace_bytes;
        best = segments; /* the more borders are kept, the less is computed again */
    }
    return best ? lay_out(plan, facts, all / best, err) : keep_all(plan, err);
}

mrcnn_status mr_plan_choose_segments(mr_plan *plan, const char *stage, mrcnn_error *err) {
    fact *facts = mr_calloc((size_t)plan->graph->count, sizeof *facts);
    if (!facts) return mr_fail_memory(err, (size_t)plan->graph->count * sizeof *facts, "a plan");
    note_facts(plan, facts, stage);
    mrcnn_status status = choose(plan, facts, err);
    free(facts);
    return status;
}
