/* passes.c - rewrites before a plan is made. A chain conv -> BN -> (+ residual) -> ReLU becomes one node,
 * which takes the place of the chain's last node, so that the values of outputs keep their numbers.
 */
#include "graph/graph.h"

#include <string.h>

static int uses_of(const mrcnn_graph *graph, mrcnn_value x) {
    int uses = 0;
    for (int i = 0; i < graph->count; i++) {
        const mr_node *node = &graph->nodes[i];
        if (node->dead) continue;
        for (int k = 0; k < node->input_count; k++) uses += node->inputs[k] == x;
        uses += node->residual == x;
    }
    return uses;
}

/* A product whose result nobody else sees can absorb what follows it. */
static mr_node *absorbable(mrcnn_graph *graph, mrcnn_value x) {
    mr_node *node = &graph->nodes[x];
    int product = node->op == MR_OP_CONV || node->op == MR_OP_DENSE || node->op == MR_OP_DECONV;
    if (!product || node->dead || node->is_output || node->relu) return NULL;
    return uses_of(graph, x) == 1 ? node : NULL;
}

/* `node` becomes `producer`, keeping who it is to others. */
static void take_over(mr_node *node, mr_node *producer) {
    mr_node old = *node;
    *node = *producer;
    node->is_output = old.is_output;
    node->is_feature = old.is_feature;
    memcpy(node->name, old.name, sizeof node->name);
    node->pixel_group = old.pixel_group;
    node->max_pixels = old.max_pixels;
    producer->dead = 1;
}

static void drop_unreachable(mrcnn_graph *graph) {
    for (int i = 0; i < graph->count; i++) graph->nodes[i].dead = !graph->nodes[i].is_output;
    for (int i = graph->count - 1; i >= 0; i--) {
        const mr_node *node = &graph->nodes[i];
        if (node->dead) continue;
        for (int k = 0; k < node->input_count; k++) graph->nodes[node->inputs[k]].dead = 0;
        if (node->residual >= 0) graph->nodes[node->residual].dead = 0;
    }
}

static void fold_padding(mrcnn_graph *graph, mr_node *node) {
    if (node->op != MR_OP_CONV) return;
    mr_node *pad = &graph->nodes[node->inputs[0]];
    if (pad->op != MR_OP_ZERO_PAD || pad->is_output || uses_of(graph, node->inputs[0]) != 1) return;
    node->pad_top += pad->pad_top;
    node->pad_left += pad->pad_left;
    node->pad_bottom += pad->pad_bottom;
    node->pad_right += pad->pad_right;
    node->inputs[0] = pad->inputs[0];
    pad->dead = 1;
}

static void fold_batch_norm(mrcnn_graph *graph, mr_node *node) {
    if (node->op != MR_OP_BATCH_NORM || node->batch_statistics) return;
    mr_node *product = absorbable(graph, node->inputs[0]);
    if (!product || product->op == MR_OP_DECONV || product->batch_norm[0] || product->residual >= 0)
        return;
    char layer[MR_NAME];
    memcpy(layer, node->layer, sizeof layer);
    take_over(node, product);
    memcpy(node->batch_norm, layer, sizeof layer);
}

static void fuse_add(mrcnn_graph *graph, mr_node *node) {
    if (node->op != MR_OP_ADD) return;
    /* The operand computed last is fused: the other one exists by then. */
    int later = node->inputs[1] > node->inputs[0];
    for (int k = 0; k < 2; k++) {
        mrcnn_value x = node->inputs[k ? !later : later], other = node->inputs[k ? later : !later];
        mr_node *product = x == other ? NULL : absorbable(graph, x);
        if (!product || product->op != MR_OP_CONV || product->residual >= 0) continue;
        take_over(node, product);
        node->residual = other;
        return;
    }
}

static void fuse_relu(mrcnn_graph *graph, mr_node *node) {
    if (node->op != MR_OP_RELU) return;
    mr_node *product = absorbable(graph, node->inputs[0]);
    if (!product) return;
    take_over(node, product);
    node->relu = 1;
}

void mr_graph_optimize(mrcnn_graph *graph) {
    drop_unreachable(graph);
    for (int i = 0; i < graph->count; i++) {
        mr_node *node = &graph->nodes[i];
        if (node->dead) continue;
        fold_padding(graph, node);
        fold_batch_norm(graph, node);
        fuse_add(graph, node);
        fuse_relu(graph, node);
    }
    drop_unreachable(graph);
}
