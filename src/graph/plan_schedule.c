/* plan_schedule.c - what a plan does, as one list of events, and how long values live in it:
 *
 *     run 0, run 1, ... run n - 1,          the forward
 *     between,                              the caller makes the outputs' gradients
 *     backward n - 1, ... backward i + 1,
 *     run again a, b, c, ...                what was not kept of i's segment (plan_recompute.c)
 *     backward i, ... backward 0
 *
 * An event's index is its time. Everything that needs memory gets a block for the times between its
 * first and its last event; nothing else decides about memory. A value that is computed again has two
 * blocks: one that its readers in the forward see, and one for those behind "between". */
#include "graph/plan_internal.h"

/* -------------------------------------------------------------------------------------- events */

static void add_event(mr_plan *plan, mr_event_kind kind, int node) {
    mr_event event = {kind, node, -1};
    plan->events[plan->event_count++] = event;
}

/* Before the first backward of a segment. */
static void add_segment(mr_plan *plan, int segment) {
    for (int i = 0; i < plan->graph->count; i++)
        if (plan->steps[i].again && plan->steps[i].segment == segment)
            add_event(plan, MR_RUN_AGAIN, i);
}

static void add_backward(mr_plan *plan) {
    int ready = -1; /* the segment that has been run again last */
    for (int i = plan->graph->count - 1; i >= 0; i--) {
        mr_step *step = &plan->steps[i];
        if (!mr_has_backward(plan->graph, &plan->graph->nodes[i], plan->gradients)) continue;
        if (step->segment >= 0 && step->segment != ready) add_segment(plan, ready = step->segment);
        step->backward_time = plan->event_count;
        add_event(plan, MR_BACKWARD, i);
    }
}

void mr_plan_schedule(mr_plan *plan) {
    plan->event_count = 0;
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        if (!node->dead && node->op != MR_OP_INPUT) add_event(plan, MR_RUN, i);
    }
    plan->between_time = plan->event_count;
    add_event(plan, MR_BETWEEN, -1);
    add_backward(plan);
}

/* --------------------------------------------------------------------------------------- lives */

mr_life *mr_plan_life(const mr_plan *plan, int x, mr_event_kind kind) {
    int second = kind > MR_BETWEEN && plan->steps[x].again;
    return &plan->steps[x].lives[second ? MR_SECOND_LIFE : MR_FIRST_LIFE];
}

/* Times rise, so the last one to call is the last use. */
static void use(mr_plan *plan, int x, int time) {
    mr_plan_life(plan, x, plan->events[time].kind)->last = time;
}

static void use_in_run(mr_plan *plan, int i, int time) {
    const mr_node *node = &plan->graph->nodes[i];
    use(plan, i, time);
    for (int k = 0; k < node->input_count; k++) use(plan, node->inputs[k], time);
    if (node->residual >= 0) use(plan, node->residual, time);
}

static void use_in_backward(mr_plan *plan, int i, int time) {
    const mr_node *node = &plan->graph->nodes[i];
    unsigned reads = plan->steps[i].backward_reads;
    if (reads >> MR_MAX_INPUTS & 1) use(plan, i, time);
    for (int k = 0; k < node->input_count; k++)
        if (reads >> k & 1) use(plan, node->inputs[k], time);
}

int mr_plan_is_outside(const mr_plan *plan, const mr_node *node) {
    return node->is_output && !(plan->features_inside && node->is_feature);
}

/* Outputs in the workspace are for whoever comes then. */
static void use_outputs(mr_plan *plan, int time) {
    for (int i = 0; i < plan->graph->count; i++) {
        const mr_node *node = &plan->graph->nodes[i];
        if (node->is_output && !mr_plan_is_outside(plan, node)) use(plan, i, time);
    }
}

static void find_last_uses(mr_plan *plan) {
    for (int time = 0; time < plan->event_count; time++) {
        mr_event event = plan->events[time];
        if (event.kind == MR_BACKWARD)
            use_in_backward(plan, event.node, time);
        else if (event.kind == MR_BETWEEN)
            use_outputs(plan, time);
        else
            use_in_run(plan, event.node, time);
    }
}

/* -------------------------------------------------------------------------------------- blocks */

size_t mr_plan_value_bytes(const mr_plan *plan, int x) {
    const mr_node *node = &plan->graph->nodes[x];
    return mr_round_up(mr_shape_size(node->shape) * (size_t)plan->max_rows[node->rows] *
                       mr_type_size(node->type));
}

static int reads_as_input(const mr_node *node, int x) {
    for (int k = 0; k < node->input_count; k++)
        if (node->inputs[k] == x) return 1;
    return 0;
}

/* The residual's buffer becomes the sum's when nobody needs the residual afterwards. */
static int overwrites_residual(const mr_plan *plan, int time) {
    mr_event event = plan->events[time];
    const mr_node *node = &plan->graph->nodes[event.node];
    if (node->residual < 0 || reads_as_input(node, node->residual)) return 0;
    const mr_life *residual = mr_plan_life(plan, node->residual, event.kind);
    return residual->block >= 0 && residual->last == time;
}

static void give_block(mr_plan *plan, int x, int first, mr_event_kind kind) {
    mr_life *life = mr_plan_life(plan, x, kind);
    mr_block fresh = {mr_plan_value_bytes(plan, x), 0, first, life->last};
    life->block = plan->block_count;
    plan->blocks[plan->block_count++] = fresh;
}

static void assign_value(mr_plan *plan, int time) {
    mr_event event = plan->events[time];
    const mr_node *node = &plan->graph->nodes[event.node];
    mr_life *life = mr_plan_life(plan, event.node, event.kind);
    if (mr_plan_is_outside(plan, node)) return;
    if (overwrites_residual(plan, time)) {
        life->block = mr_plan_life(plan, node->residual, event.kind)->block;
        plan->blocks[life->block].last = life->last;
    } else {
        give_block(plan, event.node, time, event.kind);
    }
}

void mr_plan_assign_values(mr_plan *plan) {
    for (int i = 0; i < plan->graph->count; i++)
        for (int k = 0; k < MR_LIVES; k++) plan->steps[i].lives[k].block = -1;
    find_last_uses(plan);
    if (plan->input_inside >= 0) give_block(plan, plan->input_inside, 0, MR_RUN);
    for (int time = 0; time < plan->event_count; time++) {
        mr_event_kind kind = plan->events[time].kind;
        if (kind == MR_RUN || kind == MR_RUN_AGAIN) assign_value(plan, time);
    }
}

void mr_plan_assign_scratch(mr_plan *plan) {
    for (int time = 0; time < plan->event_count; time++) {
        mr_event *event = &plan->events[time];
        if (event->kind == MR_BETWEEN) continue;
        size_t bytes = mr_round_up(plan->steps[event->node].kernel->scratch_bytes);
        if (!bytes) continue;
        mr_block fresh = {bytes, 0, time, time};
        event->scratch = plan->block_count;
        plan->blocks[plan->block_count++] = fresh;
    }
}
