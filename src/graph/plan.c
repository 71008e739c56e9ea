/* plan.c - see plan.h. */
#include "graph/plan.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_STAGES = 16 };

/* Where a node's output lies. Values that share a buffer (a sum written over its residual) share a
 * block. */
typedef struct block {
    size_t bytes, offset;
    int first, last; /* node indices between which it is alive */
} block;

typedef struct step {
    mr_kernel *kernel;
    int block;          /* index of a block; -1: input or output */
    float *output;      /* of outputs, owned */
    const float *bound; /* of inputs */
    double milliseconds;
    double gflop; /* of one row */
} step;

struct mr_plan {
    mrcnn_graph *graph;
    const mr_executor *executor;
    int threads;
    int max_rows[MR_ROWS_KINDS];
    step *steps; /* one a node */
    block *blocks;
    int block_count;
    size_t activation_bytes, scratch_bytes, output_bytes;
    mrcnn_stage_time stages[MAX_STAGES];
    size_t stage_count;
};

static size_t round_up(size_t bytes) {
    return (bytes + 63) & ~(size_t)63;
}

static size_t value_bytes(const mr_plan *plan, const mr_node *node) {
    return round_up(mr_shape_size(node->shape) * (size_t)plan->max_rows[node->rows] *
                    sizeof(float));
}

static int last_use(const mrcnn_graph *graph, int x) {
    int last = x;
    for (int i = x + 1; i < graph->count; i++) {
        const mr_node *node = &graph->nodes[i];
        if (node->dead) continue;
        for (int k = 0; k < node->input_count; k++)
            if (node->inputs[k] == x) last = i;
        if (node->residual == x) last = i;
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
           last_use(plan->graph, r) == i;
}

static void assign_blocks(mr_plan *plan) {
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        plan->steps[i].block = -1;
        if (node->dead || node->is_output || node->op == MR_OP_INPUT) continue;
        int last = last_use(plan->graph, i);
        if (can_overwrite_residual(plan, i)) {
            int shared = plan->steps[node->residual].block;
            plan->steps[i].block = shared;
            plan->blocks[shared].last = last;
        } else {
            block fresh = {value_bytes(plan, node), 0, i, last};
            plan->steps[i].block = plan->block_count;
            plan->blocks[plan->block_count++] = fresh;
        }
    }
}

static int larger_first(const void *a, const void *b) {
    const block *x = *(const block *const *)a, *y = *(const block *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return (x->first > y->first) - (x->first < y->first);
}

/* The lowest offset at which `b` meets no placed block that is alive at the same time. */
static size_t lowest_offset(block *const *placed, int count, const block *b) {
    size_t offset = 0;
    for (int moved = 1; moved;) {
        moved = 0;
        for (int i = 0; i < count; i++) {
            const block *p = placed[i];
            int alive_together = p->first <= b->last && b->first <= p->last;
            int meet = offset < p->offset + p->bytes && p->offset < offset + b->bytes;
            if (alive_together && meet) {
                offset = p->offset + p->bytes;
                moved = 1;
            }
        }
    }
    return offset;
}

/* Greedy by size, which is within a few percent of optimal for such graphs. */
static mrcnn_status place_blocks(mr_plan *plan, mrcnn_error *err) {
    block **order = mr_calloc((size_t)plan->block_count, sizeof *order);
    if (!order) return mr_fail_memory(err, (size_t)plan->block_count, "a plan");
    for (int i = 0; i < plan->block_count; i++) order[i] = &plan->blocks[i];
    qsort(order, (size_t)plan->block_count, sizeof *order, larger_first);
    for (int i = 0; i < plan->block_count; i++) {
        order[i]->offset = lowest_offset(order, i, order[i]);
        size_t end = order[i]->offset + order[i]->bytes;
        if (end > plan->activation_bytes) plan->activation_bytes = end;
    }
    free(order);
    return MRCNN_OK;
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
                        .in_place = node->residual >= 0 && plan->steps[i].block >= 0 &&
                                    plan->steps[i].block == plan->steps[node->residual].block};
        memcpy(p.max_rows, options->max_rows, sizeof p.max_rows);
        mrcnn_status status = plan->executor->prepare(&p, &plan->steps[i].kernel, err);
        if (status != MRCNN_OK) return status;
        plan->steps[i].gflop = mr_node_gflop(plan->graph, node);
        size_t scratch = round_up(plan->steps[i].kernel->scratch_bytes);
        if (scratch > plan->scratch_bytes) plan->scratch_bytes = scratch;
    }
    return MRCNN_OK;
}

mrcnn_status mr_plan_compile(mr_plan **out, mrcnn_graph **graph, const mr_plan_options *options,
                             mrcnn_error *err) {
    mrcnn_status status = mr_graph_status(*graph, err);
    mr_plan *plan = status == MRCNN_OK ? mr_calloc(1, sizeof *plan) : NULL;
    if (!plan) {
        mr_graph_free(graph);
        return status != MRCNN_OK ? status : mr_fail_memory(err, sizeof *plan, "a plan");
    }
    plan->graph = *graph;
    *graph = NULL;
    plan->executor = options->executor;
    plan->threads = options->threads;
    memcpy(plan->max_rows, options->max_rows, sizeof plan->max_rows);
    size_t nodes = (size_t)plan->graph->count;
    plan->steps = mr_calloc(nodes, sizeof *plan->steps);
    plan->blocks = mr_calloc(nodes, sizeof *plan->blocks);
    if (!plan->steps || !plan->blocks) {
        status = mr_fail_memory(err, nodes * sizeof *plan->steps, "a plan");
    } else {
        mr_graph_optimize(plan->graph);
        assign_blocks(plan);
        status = place_blocks(plan, err);
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

void mr_plan_bind(mr_plan *plan, const char *input, const float *data) {
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        if (node->op == MR_OP_INPUT && strcmp(node->name, input) == 0) plan->steps[i].bound = data;
    }
}

const float *mr_plan_output(const mr_plan *plan, const char *name, mrcnn_shape *shape) {
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        if (!node->is_output || strcmp(node->name, name) != 0) continue;
        if (shape) *shape = node->shape;
        return plan->steps[i].output;
    }
    return NULL;
}

static float *value_memory(const mr_plan *plan, char *workspace, int x) {
    const step *s = &plan->steps[x];
    if (s->bound) return (float *)s->bound; /* inputs are only read */
    if (s->output) return s->output;
    return (float *)(void *)(workspace + plan->blocks[s->block].offset);
}

static void run_step(const mr_plan *plan, char *workspace, int i, const int rows[MR_ROWS_KINDS]) {
    const mr_node *node = &plan->graph->nodes[i];
    mr_run run = {.output = value_memory(plan, workspace, i),
                  .scratch = workspace + plan->activation_bytes,
                  .threads = plan->threads};
    memcpy(run.rows, rows, sizeof run.rows);
    for (int k = 0; k < node->input_count; k++)
        run.inputs[k] = value_memory(plan, workspace, node->inputs[k]);
    if (node->residual >= 0) run.residual = value_memory(plan, workspace, node->residual);
    plan->steps[i].kernel->run(plan->steps[i].kernel, &run);
}

static void add_to_stage(mr_plan *plan, const char *name, double ms, double gflop) {
    size_t k = 0;
    while (k < plan->stage_count && strcmp(plan->stages[k].name, name) != 0) k++;
    if (k == MAX_STAGES) return;
    if (k == plan->stage_count) {
        mrcnn_stage_time fresh = {name, 0, 0};
        plan->stages[plan->stage_count++] = fresh;
    }
    plan->stages[k].milliseconds += ms;
    plan->stages[k].gflop += gflop;
}

void mr_plan_run(mr_plan *plan, void *workspace, const int rows[MR_ROWS_KINDS]) {
    plan->stage_count = 0;
    double before = mr_milliseconds();
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        if (!plan->steps[i].kernel || rows[node->rows] == 0) continue;
        run_step(plan, workspace, i, rows);
        double now = mr_milliseconds();
        plan->steps[i].milliseconds = now - before;
        add_to_stage(plan, node->stage, now - before, plan->steps[i].gflop * rows[node->rows]);
        before = now;
    }
}

const mrcnn_stage_time *mr_plan_stage(const mr_plan *plan, size_t index) {
    return index < plan->stage_count ? &plan->stages[index] : NULL;
}

int mr_plan_step_at(const mr_plan *plan, size_t index, mr_plan_step *out) {
    if (index >= (size_t)plan->graph->count) return 0;
    const mr_node *node = &plan->graph->nodes[index];
    const step *s = &plan->steps[index];
    mr_plan_step found = {node->layer, node->stage, s->kernel ? s->kernel->algorithm : "",
                          s->milliseconds, s->gflop};
    *out = found;
    return 1;
}
