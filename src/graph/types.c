/* types.c - a pass: which values a plan of lower precision keeps in which type, and where numbers are
 * converted.
 *
 * Products, and what only moves or pools features, read and write the lower precision: a float type (bf16, or
 * f32 itself), and beneath it 8 bits for what a product reads whose range is known. Sums within a product are
 * wider in any case. What decides rather than describes stays f32: RoIs and class numbers, batch norms that could
 * not be folded, softmax, and every output that isn't marked as a feature. */
#include "graph/graph.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* How a value is kept. */
typedef struct form {
    mr_type type;
    float scale;
} form;

/* What is known about a value of the old graph. */
typedef struct value {
    form small;  /* in 8 bits; MR_F32: its range isn't known */
    int native;  /* whether its node can write that itself */
    int wanted;  /* whether somebody reads the lower float type */
    int wanted8; /* whether somebody reads 8 bits */
    /* The new ones: in its own type; converted to a float type and to 8 bits, -1: not yet. */
    mrcnn_value kept, converted[2];
} value;

typedef struct lowering {
    const mrcnn_graph *from;
    mrcnn_graph *to;
    mr_type type; /* the float type */
    const mr_ranges *ranges;
    mr_lowers lowers;
    value *values;
} lowering;

/* ------------------------------------------------------------------------------ what nodes can */

static int is_product(const mr_node *node) {
    return node->op == MR_OP_CONV || node->op == MR_OP_DENSE || node->op == MR_OP_DECONV;
}

/* Its output has the numbers of its inputs, or what lies between them. */
static int passes_on(const mr_node *node) {
    return node->op == MR_OP_MAX_POOL || node->op == MR_OP_UPSAMPLE || node->op == MR_OP_ZERO_PAD ||
           node->op == MR_OP_ROI_ALIGN;
}

/* Inputs that are features; the others are RoIs and class numbers. */
static int feature_count(const mr_node *node) {
    if (node->op == MR_OP_ROI_ALIGN) return node->input_count - 1;
    return node->op == MR_OP_MASK_SELECT ? 1 : node->input_count;
}

/* Whether the node computes in the lower float type. */
static int is_lowered(const lowering *l, const mr_node *node) {
    if (l->type == MR_F32) return 0;
    if (is_product(node)) return !l->lowers || l->lowers(l->from, node, l->type);
    return node->op != MR_OP_INPUT && node->op != MR_OP_SOFTMAX && node->op != MR_OP_BATCH_NORM;
}

/* Whether it is a product of 8-bit numbers. */
static int reads_small(const lowering *l, const mr_node *node) {
    return l->ranges && is_product(node) && l->values[node->inputs[0]].small.type != MR_F32 &&
           (!l->lowers || l->lowers(l->from, node, MR_S8));
}

/* Whether the value is kept in 8 bits. */
static int is_small(const lowering *l, int i) {
    const value *v = &l->values[i];
    return v->native && v->wanted8;
}

/* ----------------------------------------------------------------------------------- ranges */

/* What a layer's values are in 8 bits. */
static form small_form(const lowering *l, const mr_node *node) {
    form f = {MR_F32, 1};
    float most = l->ranges && node->layer[0] ? mr_ranges_find(l->ranges, node->layer) : 0;
    if (!(most > 0)) return f;
    f.type = node->relu ? MR_U8 : MR_S8;
    f.scale = most / mr_type_most(f.type);
    return f;
}

/* Of several inputs the widest range: signed if one of them is. */
static form joint_form(const lowering *l, const mr_node *node) {
    form all = l->values[node->inputs[0]].small;
    float most = all.scale * mr_type_most(all.type);
    for (int k = 0; k < feature_count(node); k++) {
        form f = l->values[node->inputs[k]].small;
        if (f.type == MR_F32) return f;
        if (f.type == MR_S8) all.type = MR_S8;
        if (f.scale * mr_type_most(f.type) > most) most = f.scale * mr_type_most(f.type);
    }
    all.scale = most / mr_type_most(all.type);
    return all;
}

static void find_small(lowering *l) {
    for (int i = 0; i < l->from->count; i++) {
        const mr_node *node = &l->from->nodes[i];
        value *v = &l->values[i];
        v->small.type = MR_F32;
        if (node->dead) continue;
        if (node->op == MR_OP_INPUT) {
            v->small.type = mr_type_is_8bit(node->type) ? node->type : MR_F32;
            v->small.scale = node->scale;
            v->native = v->small.type != MR_F32;
        } else if (is_product(node)) {
            v->small = small_form(l, node);
            v->native = v->small.type != MR_F32 && reads_small(l, node) &&
                        (node->residual < 0 || l->values[node->residual].small.type != MR_F32);
        } else if (passes_on(node)) {
            v->small = joint_form(l, node);
            v->native = v->small.type != MR_F32;
            for (int k = 0; k < feature_count(node); k++)
                v->native &= l->values[node->inputs[k]].native;
        }
    }
}

/* ------------------------------------------------------------------------------ who wants what */

/* How input k of node i is read. */
static form read_form(const lowering *l, int i, int k) {
    const mr_node *node = &l->from->nodes[i];
    form f32 = {MR_F32, 1}, lower = {l->type, 1};
    if (k >= feature_count(node)) return f32;
    if (reads_small(l, node) || (passes_on(node) && is_small(l, i)))
        return l->values[node->inputs[k]].small;
    return is_lowered(l, node) ? lower : f32;
}

/* How node i's value is kept. Products turn their sums into any type. */
static form written_form(const lowering *l, int i) {
    const mr_node *node = &l->from->nodes[i];
    form f32 = {MR_F32, 1}, lower = {l->type, 1}, given = {node->type, node->scale};
    if (node->op == MR_OP_INPUT) return given;
    if (is_small(l, i)) return l->values[i].small;
    if (node->op == MR_OP_MASK_SELECT) return f32;
    int chooses = node->op == MR_OP_CONV || node->op == MR_OP_DENSE;
    if (chooses && !l->values[i].wanted) return f32;
    return is_lowered(l, node) || (is_product(node) && reads_small(l, node)) ? lower : f32;
}

static form residual_form(const lowering *l, int i) {
    form own = written_form(l, i);
    return mr_type_is_8bit(own.type) ? l->values[l->from->nodes[i].residual].small : own;
}

static void want(value *v, form f) {
    if (mr_type_is_8bit(f.type))
        v->wanted8 = 1;
    else if (f.type != MR_F32)
        v->wanted = 1;
}

/* Backwards, because how a value is kept says how its node reads others. */
static void find_wanted(const lowering *l) {
    for (int i = l->from->count - 1; i >= 0; i--) {
        const mr_node *node = &l->from->nodes[i];
        if (node->dead) continue;
        if (node->is_output && node->is_feature) l->values[i].wanted = l->values[i].wanted8 = 1;
        for (int k = 0; k < node->input_count; k++)
            want(&l->values[node->inputs[k]], read_form(l, i, k));
        if (node->residual >= 0) want(&l->values[node->residual], residual_form(l, i));
    }
}

/* ---------------------------------------------------------------------------------- rewriting */

/* The new value of old value x in the given form, for a reader of the given stage. */
static mrcnn_value read_as(lowering *l, mrcnn_value x, form f, const char *stage) {
    value *v = &l->values[x];
    const mr_node *have = &l->to->nodes[v->kept];
    if (have->type == f.type && (!mr_type_is_8bit(f.type) || have->scale == f.scale))
        return v->kept;
    /* Besides its own type a value is read in one float type at most, and in its 8 bits: f32 is asked for by
     * what can't read the lower one, which then has readers of its own. */
    int slot = mr_type_is_8bit(f.type);
    mrcnn_value *made = &v->converted[slot];
    if (*made >= 0 && l->to->nodes[*made].type == f.type) return *made;
    return *made = mr_graph_convert(l->to, v->kept, f.type, f.scale, stage);
}

static void copy_node(lowering *l, int i) {
    mr_node node = l->from->nodes[i];
    form own = written_form(l, i);
    for (int k = 0; k < node.input_count; k++)
        node.inputs[k] = read_as(l, node.inputs[k], read_form(l, i, k), node.stage);
    if (node.residual >= 0)
        node.residual = read_as(l, node.residual, residual_form(l, i), node.stage);
    node.type = own.type;
    node.scale = own.scale;
    int moves_output = node.is_output && !node.is_feature && own.type != MR_F32;
    if (moves_output) node.is_output = 0;
    l->values[i].kept = mr_graph_append(l->to, &node);
    if (!moves_output || l->values[i].kept < 0) return;
    form f32 = {MR_F32, 1};
    mrcnn_value out = read_as(l, i, f32, node.stage);
    if (out >= 0) mr_graph_output(l->to, out, node.name);
}

void mr_graph_lower(mrcnn_graph *graph, mr_type type, const mr_ranges *ranges, mr_lowers lowers) {
    size_t count = (size_t)graph->count;
    mrcnn_graph *to = mr_graph_create();
    lowering l = {graph, to, type, ranges, lowers, mr_calloc(count, sizeof(value))};
    int ready = l.to && l.values;
    if (!ready) mr_fail_memory(&graph->error, count * sizeof(mr_node), "the network's nodes");
    if (ready) {
        find_small(&l);
        find_wanted(&l);
    }
    for (int i = 0; ready && i < graph->count; i++) {
        l.values[i].converted[0] = l.values[i].converted[1] = -1;
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
    free(l.values);
    if (to) mr_graph_free(&l.to);
}
