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

static size_t value_bytes(const mr_plan *plan, const mr_node *node) {
    return mr_round_up(mr_shape_size(node->shape) * (size_t)plan->max_rows[node->rows] *
                       mr_type_size(node->type));
}

int mr_backward_time(const mr_plan *plan, int node) {
    return 2 * plan->graph->count - node;
}

/* When the value is read for the last time, by forward or backward. */
static int last_use(const mr_plan *plan, int x) {
    const mrcnn_graph *graph = plan->graph;
    int last = x;
    for (int i = x; i < graph->count; i++) {
        const mr_node *node = &graph->nodes[i];
        if (node->dead) continue;
        unsigned reads = mr_backward_reads(graph, node, plan->gradients);
        int again = i == x && (reads >> MR_MAX_INPUTS & 1);
        for (int k = 0; k < node->input_count; k++) {
            if (node->inputs[k] != x) continue;
            if (last < i) last = i;
            again |= reads >> k & 1;
        }
        if (node->residual == x && last < i) last = i;
        if (again && last < mr_backward_time(plan, i)) last = mr_backward_time(plan, i);
    }
    return last;
}

static int reads_as_input(const mr_node *node, int x) {
    for (int k = 0; k < node->input_count; k++)
        if (node->inputs[k] == x) return 1;
    return 0;
}

/* The residual's buffer becomes the sum's when nobody needs the residual afterwards. */
static int can_overwrite_residual(const mr_plan *plan, int i) {
    const mr_node *node = &plan->graph->nodes[i];
    int r = node->residual;
    return r >= 0 && !node->is_output && plan->steps[r].block >= 0 && !reads_as_input(node, r) &&
           last_use(plan, r) == i;
}

static void assign_blocks(mr_plan *plan) {
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        plan->steps[i].block = -1;
        if (node->dead || node->is_output || node->op == MR_OP_INPUT) continue;
        int last = last_use(plan, i);
        if (can_overwrite_residual(plan, i)) {
            int shared = plan->steps[node->residual].block;
            plan->steps[i].block = shared;
            plan->blocks[shared].last = last;
        } else {
            mr_block fresh = {value_bytes(plan, node), 0, i, last};
            plan->steps[i].block = plan->block_count;
            plan->blocks[plan->block_count++] = fresh;
        }
    }
}

static mrcnn_status allocate_outputs(mr_plan *plan, mrcnn_error *err) {
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        if (node->dead || !node->is_output || node->op == MR_OP_INPUT) continue;
        size_t bytes = value_bytes(plan, node);
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
                        .products = options->products,
                        .in_place = node->residual >= 0 && plan->steps[i].block >= 0 &&
                                    plan->steps[i].block == plan->steps[node->residual].block};
        memcpy(p.max_rows, options->max_rows, sizeof p.max_rows);
        mrcnn_status status = plan->executor->prepare(&p, &plan->steps[i].kernel, err);
        if (status != MRCNN_OK) return status;
        plan->steps[i].gflop = mr_node_gflop(plan->graph, node);
        size_t scratch = mr_round_up(plan->steps[i].kernel->scratch_bytes);
        if (scratch > plan->scratch_bytes) plan->scratch_bytes = scratch;
    }
    return MRCNN_OK;
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
    plan->threads = options->threads;
    memcpy(plan->max_rows, options->max_rows, sizeof plan->max_rows);
    size_t nodes = (size_t)plan->graph->count;
    plan->steps = mr_calloc(nodes, sizeof *plan->steps);
    /* a value's and its gradient's, and one between */
    plan->blocks = mr_calloc(2 * nodes + 1, sizeof *plan->blocks);
    if (!plan->steps || !plan->blocks) {
        status = mr_fail_memory(err, nodes * sizeof *plan->steps, "a plan");
    } else {
        assign_blocks(plan);
        mr_plan_assign_gradients(plan, options->between_bytes);
        status = mr_place_blocks(plan->blocks, plan->block_count, &plan->activation_bytes, err);
        if (status == MRCNN_OK) status = allocate_outputs(plan, err);
        if (status == MRCNN_OK) status = prepare_kernels(plan, options, err);
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
    free(p->blocks);
    mr_graph_free(&p->graph);
    free(p);
    *plan = NULL;
}

size_t mr_plan_workspace_bytes(const mr_plan *plan) {
    return plan->activation_bytes + plan->scratch_bytes;
}

size_t mr_plan_output_bytes(const mr_plan *plan) {
    return plan->output_bytes;
}

void mr_plan_bind(mr_plan *plan, const char *input, const void *data) {
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        if (node->op == MR_OP_INPUT && strcmp(node->name, input) == 0) plan->steps[i].bound = data;
    }
}

mr_plan_map mr_plan_feature(const mr_plan *plan, const char *name) {
    mr_plan_map map = {NULL, {0, 0, 0}, MR_F32, 1};
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        if (!node->is_output || strcmp(node->name, name) != 0) continue;
        map.data = plan->steps[i].output;
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

void *mr_plan_value(const mr_plan *plan, char *workspace, int x) {
    const mr_step *s = &plan->steps[x];
    if (s->bound) return (void *)s->bound; /* inputs are only read */
    if (s->output) return s->output;
    return workspace + plan->blocks[s->block].offset;
}

static void run_step(const mr_plan *plan, char *workspace, int i, const int rows[MR_ROWS_KINDS]) {
    const mr_node *node = &plan->graph->nodes[i];
    mr_run run = {.output = mr_plan_value(plan, workspace, i),
                  .scratch = workspace + plan->activation_bytes,
                  .threads = plan->threads};
    memcpy(run.rows, rows, sizeof run.rows);
    for (int k = 0; k < node->input_count; k++)
        run.inputs[k] = mr_plan_value(plan, workspace, node->inputs[k]);
    if (node->residual >= 0) run.residual = mr_plan_value(plan, workspace, node->residual);
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
    double before = mr_milliseconds();
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        if (!plan->steps[i].kernel || rows[node->rows] == 0) continue;
        run_step(plan, workspace, i, rows);
        if (plan->observer)
            plan->observer(plan->observer_user, node, mr_plan_value(plan, workspace, i),
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
