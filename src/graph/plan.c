/* plan.c - see plan.h. */
#include "graph/plan_internal.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

size_t mr_round_up(size_t bytes) {
    return (bytes + 63) & ~(size_t)63;
}

static mrcnn_status allocate_outputs(mr_plan *plan, mrcnn_error *err) {
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        if (node->dead || !mr_plan_is_outside(plan, node) || node->op == MR_OP_INPUT) continue;
        size_t bytes = mr_plan_value_bytes(plan, i);
        plan->steps[i].output = plan->executor->alloc(bytes);
        if (!plan->steps[i].output) return mr_fail_memory(err, bytes, node->name);
        plan->output_bytes += bytes;
    }
    return MRCNN_OK;
}

static mrcnn_status prepare_kernels(mr_plan *plan, const mr_plan_options *options,
                                    mrcnn_error *err) {
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        if (node->dead || node->op == MR_OP_INPUT) continue;
        mr_prepare p = {.graph = plan->graph,
                        .node = node,
                        .threads = options->threads,
                        .weights = options->weights,
                        .release_weights = options->release_weights,
                        .packs = options->packs,
                        .tuning = options->tuning,
                        .gradients = options->gradients,
                        .update_statistics = options->update_statistics,
                        .products = options->products};
        memcpy(p.max_rows, options->max_rows, sizeof p.max_rows);
        mrcnn_status status = plan->executor->prepare(&p, &plan->steps[i].kernel, err);
        if (status != MRCNN_OK) return status;
        plan->steps[i].gflop = mr_node_gflop(plan->graph, node);
    }
    return MRCNN_OK;
}

static int find_input(const mrcnn_graph *graph, const char *name) {
    for (int i = 0; name && i < graph->count; i++)
        if (graph->nodes[i].op == MR_OP_INPUT && strcmp(graph->nodes[i].name, name) == 0) return i;
    return -1;
}

static mrcnn_status rewrite(mrcnn_graph *graph, const mr_plan_options *options, mrcnn_error *err) {
    mrcnn_status status = mr_graph_status(graph, err);
    if (status != MRCNN_OK) return status;
    mr_graph_optimize(graph);
    if (options->precision != MR_F32 || options->ranges)
        mr_graph_lower(graph, options->precision, options->ranges, options->executor->lowers);
    if (options->gradients) mr_graph_mark_gradients(graph, options->gradients);
    return mr_graph_status(graph, err);
}

mrcnn_status mr_plan_lay_out(mr_plan *plan, mrcnn_error *err) {
    plan->block_count = 0;
    mr_plan_schedule(plan);
    mr_plan_assign_values(plan);
    mr_plan_assign_gradients(plan);
    mr_plan_assign_scratch(plan);
    return mr_place_blocks(plan->blocks, plan->block_count, &plan->workspace_bytes, err);
}

static mrcnn_status lay_out(mr_plan *plan, const mr_plan_options *options, mrcnn_error *err) {
    for (int i = 0; i < plan->graph->count; i++) {
        plan->steps[i].segment = -1;
        plan->steps[i].backward_reads =
            mr_backward_reads(plan->graph, &plan->graph->nodes[i], plan->gradients);
    }
    mrcnn_status status = mr_plan_lay_out(plan, err);
    if (status != MRCNN_OK || !options->gradients || !options->recompute) return status;
    return mr_plan_choose_segments(plan, options->recompute, err);
}

mrcnn_status mr_plan_compile(mr_plan **out, mrcnn_graph **graph, const mr_plan_options *options,
                             mrcnn_error *err) {
    mrcnn_status status = rewrite(*graph, options, err);
    mr_plan *plan = status == MRCNN_OK ? mr_calloc(1, sizeof *plan) : NULL;
    if (!plan) {
        mr_graph_free(graph);
        return status != MRCNN_OK ? status : mr_fail_memory(err, sizeof *plan, "a plan");
    }
    plan->graph = *graph;
    *graph = NULL;
    plan->executor = options->executor;
    plan->gradients = options->gradients;
    plan->between_bytes = options->between_bytes;
    plan->features_inside = options->features_inside;
    plan->input_inside = find_input(plan->graph, options->input_inside);
    plan->threads = options->threads;
    memcpy(plan->max_rows, options->max_rows, sizeof plan->max_rows);
    size_t nodes = (size_t)plan->graph->count;
    plan->steps = mr_calloc(nodes, sizeof *plan->steps);
    /* a node's two runs and its backward, and what is between */
    plan->events = mr_calloc(3 * nodes + 1, sizeof *plan->events);
    /* a value's two and its gradient's, one between, and an event's scratch */
    plan->blocks = mr_calloc(6 * nodes + 2, sizeof *plan->blocks);
    if (!plan->steps || !plan->events || !plan->blocks) {
        status = mr_fail_memory(err, nodes * sizeof *plan->steps, "a plan");
    } else {
        status = prepare_kernels(plan, options, err);
        if (status == MRCNN_OK) status = lay_out(plan, options, err);
        if (status == MRCNN_OK) status = allocate_outputs(plan, err);
    }
    if (status != MRCNN_OK)
        mr_plan_free(&plan);
    else
        *out = plan;
    return status;
}

void mr_plan_free(mr_plan **plan) {
    mr_plan *p = *plan;
    if (!p) return;
    for (int i = 0; p->steps && i < p->graph->count; i++) {
        if (p->steps[i].kernel) p->steps[i].kernel->free(p->steps[i].kernel);
        if (p->steps[i].output) p->executor->release(p->steps[i].output);
    }
    free(p->steps);
    free(p->events);
    free(p->blocks);
    mr_graph_free(&p->graph);
    free(p);
    *plan = NULL;
}

size_t mr_plan_workspace_bytes(const mr_plan *plan) {
    return plan->workspace_bytes;
}

mrcnn_status mr_plan_reserve_between(mr_plan *plan, size_t bytes, mrcnn_error *err) {
    plan->between_bytes = bytes;
    return mr_plan_lay_out(plan, err);
}

size_t mr_plan_output_bytes(const mr_plan *plan) {
    return plan->output_bytes;
}

int mr_plan_recomputed(const mr_plan *plan) {
    int count = 0;
    for (int i = 0; i < plan->graph->count; i++) count += plan->steps[i].again;
    return count;
}

void mr_plan_bind(mr_plan *plan, const char *input, const void *data) {
    int i = find_input(plan->graph, input);
    if (i >= 0) plan->steps[i].bound = data;
}

float *mr_plan_input(const mr_plan *plan, void *workspace) {
    return mr_plan_value(plan, workspace, plan->input_inside, MR_RUN);
}

mr_plan_map mr_plan_feature(const mr_plan *plan, const char *name) {
    mr_plan_map map = {NULL, {0, 0, 0}, MR_F32, 1};
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        if (!node->is_output || strcmp(node->name, name) != 0) continue;
        if (plan->steps[i].output || plan->workspace)
            map.data = mr_plan_value(plan, plan->workspace, i, MR_RUN);
        map.shape = node->shape;
        map.type = node->type;
        map.scale = node->scale;
        break;
    }
    return map;
}

const float *mr_plan_output(const mr_plan *plan, const char *name, mrcnn_shape *shape) {
    mr_plan_map map = mr_plan_feature(plan, name);
    if (shape && map.data) *shape = map.shape;
    return map.type == MR_F32 ? map.data : NULL;
}

void *mr_plan_value(const mr_plan *plan, char *workspace, int x, mr_event_kind kind) {
    const mr_step *s = &plan->steps[x];
    if (s->bound) return (void *)s->bound; /* inputs are only read */
    if (s->output) return s->output;
    return workspace + plan->blocks[mr_plan_life(plan, x, kind)->block].offset;
}

void *mr_plan_scratch(const mr_plan *plan, char *workspace, mr_event event) {
    return event.scratch < 0 ? NULL : workspace + plan->blocks[event.scratch].offset;
}

void mr_plan_run_node(const mr_plan *plan, char *workspace, mr_event event,
                      const int rows[MR_ROWS_KINDS]) {
    int i = event.node;
    const mr_node *node = &plan->graph->nodes[i];
    mr_run run = {.output = mr_plan_value(plan, workspace, i, event.kind),
                  .scratch = mr_plan_scratch(plan, workspace, event),
                  .threads = plan->threads,
                  .again = event.kind == MR_RUN_AGAIN};
    memcpy(run.rows, rows, sizeof run.rows);
    for (int k = 0; k < node->input_count; k++)
        run.inputs[k] = mr_plan_value(plan, workspace, node->inputs[k], event.kind);
    if (node->residual >= 0)
        run.residual = mr_plan_value(plan, workspace, node->residual, event.kind);
    plan->steps[i].kernel->run(plan->steps[i].kernel, &run);
}

void mr_add_stage_time(mr_stage_times *times, const char *name, double ms, double gflop) {
    size_t k = 0;
    while (k < times->count && strcmp(times->stages[k].name, name) != 0) k++;
    if (k == MR_MAX_PLAN_STAGES) return;
    if (k == times->count) {
        mrcnn_stage_time fresh = {name, 0, 0};
        times->stages[times->count++] = fresh;
    }
    times->stages[k].milliseconds += ms;
    times->stages[k].gflop += gflop;
}

void mr_plan_observe(mr_plan *plan, mr_plan_observer observer, void *user) {
    plan->observer = observer;
    plan->observer_user = user;
}

void mr_plan_run(mr_plan *plan, void *workspace, const int rows[MR_ROWS_KINDS]) {
    plan->forward.count = 0;
    plan->workspace = workspace;
    double before = mr_milliseconds();
    for (int time = 0; time < plan->between_time; time++) {
        mr_event event = plan->events[time];
        int i = event.node;
        const mr_node *node = &plan->graph->nodes[i];
        if (rows[node->rows] == 0) continue;
        mr_plan_run_node(plan, workspace, event, rows);
        if (plan->observer)
            plan->observer(plan->observer_user, node, mr_plan_value(plan, workspace, i, event.kind),
                           rows[node->rows]);
        double now = mr_milliseconds();
        plan->steps[i].milliseconds = now - before;
        mr_add_stage_time(&plan->forward, node->stage, now - before,
                          plan->steps[i].gflop * rows[node->rows]);
        before = now;
    }
}

const mrcnn_stage_time *mr_plan_stage(const mr_plan *plan, size_t index) {
    return index < plan->forward.count ? &plan->forward.stages[index] : NULL;
}

int mr_plan_step_at(const mr_plan *plan, size_t index, mr_plan_step *out) {
    if (index >= (size_t)plan->graph->count) return 0;
    const mr_node *node = &plan->graph->nodes[index];
    const mr_step *s = &plan->steps[index];
    mr_plan_step found = {node->layer,
                          node->stage,
                          s->kernel ? s->kernel->algorithm : "",
                          s->milliseconds,
                          s->backward_milliseconds,
                          s->gflop};
    *out = found;
    return 1;
}
