/* types.c - a pass: which values a plan of lower precision keeps in it, and where numbers are converted.
 *
 * Products, and what only moves or pools features, read and write the lower precision. Sums within a product
 * are f32 in any case. What decides rather than describes stays f32: RoIs and class numbers, batch norms that
 * could not be folded, softmax, and every output that isn't marked as a feature. */
#include "graph/graph.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

typedef struct lowering {
    const mrcnn_graph *from;
    mrcnn_graph *to;
    mr_type type;
    mr_lowers lowers;
    char *wanted; /* of each old node: whether somebody reads it in the lower precision */
    mrcnn_value *value,
        *converted; /* of each old node: the new ones, in its own type and in the other */
} lowering;

static int is_product(const mr_node *node) {
    return node->op == MR_OP_CONV || node->op == MR_OP_DENSE || node->op == MR_OP_DECONV;
}

/* Whether the node computes in the lower precision. */
static int is_lowered(const lowering *l, const mr_node *node) {
    if (is_product(node)) return !l->lowers || l->lowers(l->from, node, l->type);
    return node->op != MR_OP_INPUT && node->op != MR_OP_SOFTMAX && node->op != MR_OP_BATCH_NORM;
}

/* Whether it reads its input k in the lower precision. */
static int reads_lower(const lowering *l, const mr_node *node, int k) {
    if (!is_lowered(l, node)) return 0;
    if (node->op == MR_OP_ROI_ALIGN) return k < node->input_count - 1;
    return node->op != MR_OP_MASK_SELECT || k == 0;
}

/* Products turn sums that are f32 into either. */
static mr_type type_of(const lowering *l, int i) {
    const mr_node *node = &l->from->nodes[i];
    if (node->op == MR_OP_INPUT) return node->is_feature ? l->type : MR_F32;
    if (!is_lowered(l, node) || node->op == MR_OP_MASK_SELECT) return MR_F32;
    int chooses = node->op == MR_OP_CONV || node->op == MR_OP_DENSE;
    return chooses && !l->wanted[i] ? MR_F32 : l->type;
}

/* Backwards, because whether a sum is kept in the lower precision says how its residual is read. */
static void find_wanted(const lowering *l) {
    for (int i = l->from->count - 1; i >= 0; i--) {
        const mr_node *node = &l->from->nodes[i];
        if (node->dead) continue;
        if (node->is_output && node->is_feature) l->wanted[i] = 1;
        for (int k = 0; k < node->input_count; k++)
            if (reads_lower(l, node, k)) l->wanted[node->inputs[k]] = 1;
        if (node->residual >= 0 && type_of(l, i) != MR_F32) l->wanted[node->residual] = 1;
    }
}

/* The old value x, converted if need be, for a reader of the given stage. */
static mrcnn_value read_as(lowering *l, mrcnn_value x, mr_type type, const char *stage) {
    if (l->to->nodes[l->value[x]].type == type) return l->value[x];
    if (l->converted[x] < 0) l->converted[x] = mr_graph_convert(l->to, l->value[x], type, stage);
    return l->converted[x];
}

static void copy_node(lowering *l, int i) {
    mr_node node = l->from->nodes[i];
    mr_type type = type_of(l, i);
    for (int k = 0; k < node.input_count; k++)
        node.inputs[k] =
            read_as(l, node.inputs[k], reads_lower(l, &l->from->nodes[i], k) ? l->type : MR_F32,
                    node.stage);
    if (node.residual >= 0) node.residual = read_as(l, node.residual, type, node.stage);
    node.type = type;
    int moves_output = node.is_output && !node.is_feature && type != MR_F32;
    if (moves_output) node.is_output = 0;
    l->value[i] = mr_graph_append(l->to, &node);
    if (!moves_output || l->value[i] < 0) return;
    mrcnn_value out = read_as(l, i, MR_F32, node.stage);
    if (out >= 0) mr_graph_output(l->to, out, node.name);
}

void mr_graph_lower(mrcnn_graph *graph, mr_type type, mr_lowers lowers) {
    size_t count = (size_t)graph->count;
    mrcnn_graph *to = mr_graph_create();
    lowering l = {graph,
                  to,
                  type,
                  lowers,
                  mr_calloc(count, 1),
                  mr_calloc(count, sizeof(mrcnn_value)),
                  mr_calloc(count, sizeof(mrcnn_value))};
    int ready = l.to && l.wanted && l.value && l.converted;
    if (!ready) mr_fail_memory(&graph->error, count * sizeof(mr_node), "the network's nodes");
    if (ready) find_wanted(&l);
    for (int i = 0; ready && i < graph->count; i++) {
        l.converted[i] = -1;
        if (!graph->nodes[i].dead && to->error.status == MRCNN_OK) copy_node(&l, i);
    }
    if (ready) {
        mrcnn_graph old = *graph;
        graph->nodes = to->nodes;
        graph->count = to->count;
        graph->capacity = to->capacity;
        graph->error = to->error;
        to->nodes = old.nodes;
    }
    free(l.wanted);
    free(l.value);
    free(l.converted);
    if (to) mr_graph_free(&l.to);
}
