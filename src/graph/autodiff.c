/* autodiff.c - reverse-mode differentiation, decided before anything runs: which values need a
 * gradient, which of them are sparse, and what a backward reads of the forward. The plan
 * (plan_backward.c) runs it; each executor has each op's backward beside its forward. */
#include "graph/graph.h"
#include "weights/weights.h"

typedef struct search {
    const mr_tensors *gradients;
    int found;
} search;

static void look_up(void *user, const char *layer, const char *param, int rank,
                    const int64_t *shape) {
    (void)rank;
    (void)shape;
    search *s = user;
    if (mr_tensors_find(s->gradients, layer, param)) s->found = 1;
}

int mr_node_trains(const mrcnn_graph *graph, const mr_node *node, const mr_tensors *gradients) {
    search s = {gradients, 0};
    if (gradients) mr_node_weights(graph, node, look_up, &s);
    return s.found;
}

/* Something trainable or wanted lies at or below the value. */
static void spread_upwards(mrcnn_graph *graph, const mr_tensors *gradients) {
    for (int i = 0; i < graph->count; i++) {
        mr_node *node = &graph->nodes[i];
        if (node->dead || node->op == MR_OP_INPUT) continue;
        node->gradient = mr_node_trains(graph, node, gradients);
        for (int k = 0; k < node->input_count; k++)
            if (graph->nodes[node->inputs[k]].gradient) node->gradient = 1;
        if (node->residual >= 0 && graph->nodes[node->residual].gradient) node->gradient = 1;
    }
}

static int is_pointwise(const mr_node *node) {
    return node->op == MR_OP_CONV && node->kernel_h == 1 && node->kernel_w == 1 &&
           node->stride == 1 && node->pad_top + node->pad_left == 0 &&
           node->pad_bottom + node->pad_right == 0;
}

/* The node that all gradients of x come through at the same pixels, if there is one. */
static const mr_node *sparse_consumer(const mrcnn_graph *graph, int x) {
    const mr_node *found = NULL;
    for (int i = x + 1; i < graph->count; i++) {
        const mr_node *node = &graph->nodes[i];
        if (node->dead) continue;
        int reads = node->residual == x;
        for (int k = 0; k < node->input_count; k++) reads |= node->inputs[k] == x;
        if (!reads) continue;
        if (!is_pointwise(node) || node->residual == x || node->pixel_group < 0) return NULL;
        if (found && found->pixel_group != node->pixel_group) return NULL;
        found = node;
    }
    return found;
}

static void spread_pixels(mrcnn_graph *graph) {
    for (int x = graph->count - 1; x >= 0; x--) {
        mr_node *node = &graph->nodes[x];
        if (node->dead || node->is_output || !node->gradient || node->op == MR_OP_INPUT) continue;
        const mr_node *consumer = sparse_consumer(graph, x);
        node->pixel_group = consumer ? consumer->pixel_group : -1;
        node->max_pixels = consumer ? consumer->max_pixels : 0;
    }
}

void mr_graph_mark_gradients(mrcnn_graph *graph, const mr_tensors *gradients) {
    spread_upwards(graph, gradients);
    spread_pixels(graph);
}

int mr_has_backward(const mrcnn_graph *graph, const mr_node *node, const mr_tensors *gradients) {
    (void)graph;
    return gradients && node->gradient && !node->dead && node->op != MR_OP_INPUT;
}

unsigned mr_backward_reads(const mrcnn_graph *graph, const mr_node *node,
                           const mr_tensors *gradients) {
    enum { INPUT = 1, CHANNEL = 2, OUTPUT = 1 << MR_MAX_INPUTS };
    if (!mr_has_backward(graph, node, gradients)) return 0;
    switch (node->op) {
    case MR_OP_CONV:
    case MR_OP_DENSE:
    case MR_OP_DECONV:
        return (mr_node_trains(graph, node, gradients) ? INPUT : 0) | (node->relu ? OUTPUT : 0);
    case MR_OP_BATCH_NORM:
    case MR_OP_MAX_POOL: return INPUT;
    case MR_OP_RELU:
    case MR_OP_SOFTMAX: return OUTPUT;
    case MR_OP_ROI_ALIGN: return 1u << (node->input_count - 1); /* the RoIs */
    case MR_OP_MASK_SELECT: return INPUT | CHANNEL | OUTPUT;
    case MR_OP_INPUT:
    case MR_OP_ADD:
    case MR_OP_ZERO_PAD:
    case MR_OP_UPSAMPLE:
    case MR_OP_CONVERT: break;
    }
    return 0;
}
