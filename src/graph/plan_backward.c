/* plan_backward.c - the backward half of a training plan. Gradients of values live in the same
 * workspace as the values, from the first backward that writes them to the one that reads them. */
#include "base/clock.h"
#include "graph/plan_internal.h"

#include <string.h>

static size_t gradient_bytes(const mr_plan *plan, const mr_node *node) {
    size_t rows = (size_t)plan->max_rows[node->rows];
    size_t numbers = node->pixel_group >= 0
                         ? (size_t)node->max_pixels * (size_t)node->shape.channels
                         : mr_shape_size(node->shape);
    return mr_round_up(rows * numbers * sizeof(float));
}

static int reads(const mr_node *node, int x) {
    for (int k = 0; k < node->input_count; k++)
        if (node->inputs[k] == x) return 1;
    return 0;
}

/* A residual's gradient is the sum's own, as long as nothing has been written to it before. */
static int can_share(const mr_plan *plan, int i, int written) {
    const mr_node *node = &plan->graph->nodes[i];
    const mr_node *residual = &plan->graph->nodes[node->residual];
    return !written && residual->op != MR_OP_INPUT && residual->gradient &&
           !reads(node, node->residual) && residual->pixel_group < 0 && node->pixel_group < 0;
}

/* Gives value x a block that is first written at `time`. */
static void open_gradient(mr_plan *plan, int x, int time) {
    mr_step *step = &plan->steps[x];
    const mr_node *node = &plan->graph->nodes[x];
    if (!node->gradient || node->op == MR_OP_INPUT || step->gradient_block >= 0) return;
    mr_block fresh = {gradient_bytes(plan, node), 0, time, step->backward_time};
    step->gradient_block = plan->block_count;
    plan->blocks[plan->block_count++] = fresh;
}

static void share_gradient(mr_plan *plan, int i) {
    int r = plan->graph->nodes[i].residual, block = plan->steps[i].gradient_block;
    plan->steps[r].gradient_block = block;
    plan->blocks[block].last = plan->steps[r].backward_time;
}

/* A value whose gradient has memory was written before: by another consumer, by the caller (an
 * output's), or it is an input's, which is always added to. */
static int is_written(const mr_plan *plan, int x) {
    return plan->graph->nodes[x].op == MR_OP_INPUT || plan->steps[x].gradient_block >= 0;
}

/* Who is written by the backward at `time`, and how. */
static void assign_written(mr_plan *plan, int time) {
    int i = plan->events[time].node;
    const mr_node *node = &plan->graph->nodes[i];
    mr_step *step = &plan->steps[i];
    if (node->residual >= 0) {
        step->residual_accumulate = is_written(plan, node->residual);
        if (can_share(plan, i, step->residual_accumulate))
            share_gradient(plan, i);
        else
            open_gradient(plan, node->residual, time);
    }
    for (int k = 0; k < node->input_count; k++) {
        step->accumulate[k] = is_written(plan, node->inputs[k]);
        open_gradient(plan, node->inputs[k], time);
    }
}

void mr_plan_assign_gradients(mr_plan *plan) {
    int count = plan->graph->count;
    plan->between = -1;
    for (int i = 0; i < count; i++) plan->steps[i].gradient_block = -1;
    if (plan->between_bytes) {
        mr_block block = {mr_round_up(plan->between_bytes), 0, plan->between_time,
                          plan->between_time};
        plan->between = plan->block_count;
        plan->blocks[plan->block_count++] = block;
    }
    if (!plan->gradients) return;
    for (int i = 0; i < count; i++)
        if (plan->graph->nodes[i].is_output && !plan->graph->nodes[i].dead)
            open_gradient(plan, i, plan->between_time);
    for (int time = plan->between_time; time < plan->event_count; time++)
        if (plan->events[time].kind == MR_BACKWARD) assign_written(plan, time);
}

static float *gradient_memory(const mr_plan *plan, char *workspace, int x) {
    const mr_step *step = &plan->steps[x];
    if (plan->graph->nodes[x].op == MR_OP_INPUT) return step->bound_gradient;
    if (step->gradient_block < 0) return NULL;
    return (float *)(void *)(workspace + plan->blocks[step->gradient_block].offset);
}

static void backward_step(const mr_plan *plan, char *workspace, mr_event event,
                          const int rows[MR_ROWS_KINDS]) {
    int i = event.node;
    const mr_node *node = &plan->graph->nodes[i];
    const mr_step *step = &plan->steps[i];
    unsigned read = step->backward_reads;
    mr_backward b = {.output_gradient = gradient_memory(plan, workspace, i),
                     .scratch = mr_plan_scratch(plan, workspace, event),
                     .threads = plan->threads};
    memcpy(b.rows, rows, sizeof b.rows);
    memcpy(b.accumulate, step->accumulate, sizeof b.accumulate);
    if (read >> MR_MAX_INPUTS & 1) b.output = mr_plan_value(plan, workspace, i, MR_BACKWARD);
    for (int k = 0; k < node->input_count; k++) {
        if (read >> k & 1)
            b.inputs[k] = mr_plan_value(plan, workspace, node->inputs[k], MR_BACKWARD);
        b.input_gradients[k] = gradient_memory(plan, workspace, node->inputs[k]);
    }
    if (node->residual >= 0) {
        b.residual_gradient = gradient_memory(plan, workspace, node->residual);
        b.residual_accumulate = step->residual_accumulate;
    }
    if (node->pixel_group >= 0) b.pixels = plan->pixels[node->pixel_group];
    step->kernel->backward(step->kernel, &b);
}

/* The node of an event behind "between", and its time. */
static void run_event(mr_plan *plan, char *workspace, mr_event event,
                      const int rows[MR_ROWS_KINDS]) {
    const mr_node *node = &plan->graph->nodes[event.node];
    mr_step *step = &plan->steps[event.node];
    double before = mr_milliseconds(), gflop = step->gflop * rows[node->rows];
    if (event.kind == MR_RUN_AGAIN) {
        mr_plan_run_node(plan, workspace, event, rows);
        mr_add_stage_time(&plan->backward, MR_RECOMPUTATION, mr_milliseconds() - before, gflop);
        return;
    }
    backward_step(plan, workspace, event, rows);
    step->backward_milliseconds = mr_milliseconds() - before;
    mr_add_stage_time(&plan->backward, node->stage, step->backward_milliseconds, 2 * gflop);
}

void mr_plan_backward(mr_plan *plan, void *workspace, const int rows[MR_ROWS_KINDS]) {
    plan->backward.count = 0;
    for (int time = plan->between_time + 1; time < plan->event_count; time++)
        if (rows[plan->graph->nodes[plan->events[time].node].rows] > 0)
            run_event(plan, workspace, plan->events[time], rows);
}

static int find_named(const mr_plan *plan, const char *name, int output) {
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        int fits = output ? node->is_output && !node->dead : node->op == MR_OP_INPUT;
        if (fits && strcmp(node->name, name) == 0) return i;
    }
    return -1;
}

void *mr_plan_between(const mr_plan *plan, void *workspace) {
    return plan->between < 0 ? NULL : (char *)workspace + plan->blocks[plan->between].offset;
}

float *mr_plan_output_gradient(mr_plan *plan, void *workspace, const char *output) {
    int x = find_named(plan, output, 1);
    return x < 0 ? NULL : gradient_memory(plan, workspace, x);
}

void mr_plan_bind_gradient(mr_plan *plan, const char *input, float *gradient) {
    int x = find_named(plan, input, 0);
    if (x >= 0) plan->steps[x].bound_gradient = gradient;
}

void mr_plan_set_pixels(mr_plan *plan, int group, const mr_pixels *pixels) {
    plan->pixels[group] = pixels;
}

const mrcnn_stage_time *mr_plan_backward_stage(const mr_plan *plan, size_t index) {
    return index < plan->backward.count ? &plan->backward.stages[index] : NULL;
}
