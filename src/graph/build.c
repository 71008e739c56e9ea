/* build.c - the builder: adds nodes and infers their shapes. */
#include "graph/graph.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

mrcnn_graph *mr_graph_create(void) {
    mrcnn_graph *graph = mr_calloc(1, sizeof *graph);
    if (graph) graph->stage = "";
    return graph;
}

void mr_graph_free(mrcnn_graph **graph) {
    if (!*graph) return;
    free((*graph)->nodes);
    free(*graph);
    *graph = NULL;
}

mrcnn_status mr_graph_status(const mrcnn_graph *graph, mrcnn_error *err) {
    if (graph->error.status == MRCNN_OK) return MRCNN_OK;
    if (err) *err = graph->error;
    return graph->error.status;
}

void mr_graph_stage(mrcnn_graph *graph, const char *stage) {
    graph->stage = stage;
}

size_t mr_shape_size(mrcnn_shape shape) {
    return (size_t)shape.height * (size_t)shape.width * (size_t)shape.channels;
}

static int is_value(const mrcnn_graph *graph, mrcnn_value x) {
    return x >= 0 && x < graph->count;
}

mrcnn_shape mrcnn_value_shape(const mrcnn_graph *graph, mrcnn_value x) {
    mrcnn_shape none = {0, 0, 0};
    return is_value(graph, x) ? graph->nodes[x].shape : none;
}

/* Keeps the first error only: what follows from it would mislead. */
static mrcnn_value wrong(mrcnn_graph *graph, const char *layer, const char *what) {
    if (graph->error.status == MRCNN_OK)
        mr_fail(&graph->error, MRCNN_E_ARGUMENT, "network layer '%s': %s", layer, what);
    return -1;
}

/* What a size may be: far more than any memory holds, and small enough that int and size_t never
 * overflow in what is computed from it. */
enum { MOST_SIDE = 1 << 24 };
static const double MOST_VALUES = 1e12, MOST_WEIGHTS = 2147483648.0;

static int is_side(int n) {
    return n > 0 && n <= MOST_SIDE;
}

static int copy_name(char *to, const char *from) {
    size_t length = from ? strlen(from) : 0;
    if (length >= MR_NAME) return 0;
    memcpy(to, from ? from : "", length + 1);
    return 1;
}

/* A node of one input, with everything else at its neutral value. */
static mr_node unary(const mrcnn_graph *graph, mr_op op, mrcnn_value x) {
    mr_node node = {
        .op = op, .residual = -1, .pixel_group = -1, .stage = graph->stage, .stride = 1};
    node.kernel_h = node.kernel_w = 1;
    node.input_count = 1;
    node.inputs[0] = x;
    if (is_value(graph, x)) {
        node.rows = graph->nodes[x].rows;
        node.shape = graph->nodes[x].shape;
    }
    return node;
}

mrcnn_value mr_graph_append(mrcnn_graph *graph, const mr_node *node) {
    if (graph->error.status != MRCNN_OK) return -1;
    if (graph->count == graph->capacity) {
        int capacity = graph->capacity ? graph->capacity * 2 : 256;
        mr_node *nodes = mr_realloc(graph->nodes, (size_t)capacity, sizeof *nodes);
        if (!nodes) {
            mr_fail_memory(&graph->error, (size_t)capacity * sizeof *nodes, "the network's nodes");
            return -1;
        }
        graph->nodes = nodes;
        graph->capacity = capacity;
    }
    graph->nodes[graph->count] = *node;
    return graph->count++;
}

static mrcnn_value append(mrcnn_graph *graph, const mr_node *node, const char *layer) {
    mr_node named = *node;
    if (graph->error.status != MRCNN_OK) return -1;
    for (int i = 0; i < node->input_count; i++)
        if (!is_value(graph, node->inputs[i])) return wrong(graph, layer, "an input is no value");
    if (node->shape.height <= 0 || node->shape.width <= 0 || node->shape.channels <= 0)
        return wrong(graph, layer, "its output would be empty; the picture is too small for it");
    if (!is_side(node->shape.height) || !is_side(node->shape.width) ||
        !is_side(node->shape.channels) ||
        (double)node->shape.height * node->shape.width * node->shape.channels > MOST_VALUES)
        return wrong(graph, layer, "its output would be too large");
    if (!copy_name(named.layer, layer)) return wrong(graph, "?", "its name is too long");
    return mr_graph_append(graph, &named);
}

mrcnn_value mr_graph_input(mrcnn_graph *graph, const char *name, mr_rows rows, mrcnn_shape shape) {
    mr_node node = {
        .op = MR_OP_INPUT, .rows = rows, .shape = shape, .residual = -1, .pixel_group = -1};
    node.stage = graph->stage;
    mrcnn_value x = append(graph, &node, "");
    if (x >= 0 && !copy_name(graph->nodes[x].name, name)) return wrong(graph, name, "long name");
    return x;
}

void mr_graph_output(mrcnn_graph *graph, mrcnn_value x, const char *name) {
    if (!is_value(graph, x)) {
        wrong(graph, name, "this output is no value");
        return;
    }
    graph->nodes[x].is_output = 1;
    if (!copy_name(graph->nodes[x].name, name)) wrong(graph, name, "this name is too long");
}

void mr_graph_feature(mrcnn_graph *graph, mrcnn_value x) {
    if (is_value(graph, x)) graph->nodes[x].is_feature = 1;
}

void mr_graph_input_type(mrcnn_graph *graph, const char *input, mr_type type, float scale) {
    for (int i = 0; i < graph->count; i++) {
        mr_node *node = &graph->nodes[i];
        if (node->op != MR_OP_INPUT || strcmp(node->name, input) != 0) continue;
        node->type = type;
        node->scale = scale;
    }
}

void mr_graph_batch_statistics(mrcnn_graph *graph, int on) {
    graph->batch_statistics = on;
}

void mr_graph_want_gradient(mrcnn_graph *graph, mrcnn_value input) {
    if (is_value(graph, input)) graph->nodes[input].gradient = 1;
}

void mr_graph_sparse_gradient(mrcnn_graph *graph, mrcnn_value output, int group, int max_pixels) {
    if (!is_value(graph, output)) return;
    if (group < 0 || group >= MR_MAX_GROUPS) {
        wrong(graph, "sparse_gradient", "there is no such group of pixels");
        return;
    }
    graph->nodes[output].pixel_group = group;
    graph->nodes[output].max_pixels = max_pixels;
}

/* TensorFlow's "same": total = max((ceil(n/s) - 1) s + k - n, 0), the odd one at the end. */
static int same_padding(int n, int kernel, int stride, int *before, int *after) {
    int out = (n + stride - 1) / stride;
    int total = (out - 1) * stride + kernel - n;
    if (total < 0) total = 0;
    *before = total / 2;
    *after = total - total / 2;
    return out;
}

/* Output size and padding of a sliding window. */
static void slide(mr_node *node, int kernel, int stride, mrcnn_padding padding) {
    mrcnn_shape in = node->shape;
    node->kernel_h = node->kernel_w = kernel;
    node->stride = stride;
    if (padding == MRCNN_SAME) {
        node->shape.height =
            same_padding(in.height, kernel, stride, &node->pad_top, &node->pad_bottom);
        node->shape.width =
            same_padding(in.width, kernel, stride, &node->pad_left, &node->pad_right);
    } else {
        node->shape.height = in.height < kernel ? 0 : (in.height - kernel) / stride + 1;
        node->shape.width = in.width < kernel ? 0 : (in.width - kernel) / stride + 1;
    }
}

mrcnn_value mrcnn_conv2d(mrcnn_graph *graph, mrcnn_value x, const char *layer, int filters,
                         int kernel, int stride, mrcnn_padding padding) {
    if (!is_side(filters) || !is_side(kernel) || !is_side(stride))
        return wrong(graph, layer, "filters, kernel and stride must be at least 1, and not huge");
    mr_node node = unary(graph, MR_OP_CONV, x);
    if ((double)kernel * kernel * node.shape.channels * filters > MOST_WEIGHTS)
        return wrong(graph, layer, "its kernel would be too large");
    slide(&node, kernel, stride, padding);
    node.shape.channels = filters;
    return append(graph, &node, layer);
}

mrcnn_value mrcnn_batch_norm(mrcnn_graph *graph, mrcnn_value x, const char *layer) {
    mr_node node = unary(graph, MR_OP_BATCH_NORM, x);
    node.batch_statistics = graph->batch_statistics;
    return append(graph, &node, layer);
}

mrcnn_value mrcnn_relu(mrcnn_graph *graph, mrcnn_value x) {
    mr_node node = unary(graph, MR_OP_RELU, x);
    return append(graph, &node, "");
}

mrcnn_value mrcnn_add(mrcnn_graph *graph, mrcnn_value a, mrcnn_value b) {
    mrcnn_shape sa = mrcnn_value_shape(graph, a), sb = mrcnn_value_shape(graph, b);
    if (sa.height != sb.height || sa.width != sb.width || sa.channels != sb.channels)
        return wrong(graph, "add", "the two inputs differ in shape");
    mr_node node = unary(graph, MR_OP_ADD, a);
    node.input_count = 2;
    node.inputs[1] = b;
    return append(graph, &node, "");
}

mrcnn_value mrcnn_zero_pad(mrcnn_graph *graph, mrcnn_value x, int amount) {
    if (amount < 0 || amount > MOST_SIDE) return wrong(graph, "zero_pad", "bad amount");
    mr_node node = unary(graph, MR_OP_ZERO_PAD, x);
    node.pad_top = node.pad_left = node.pad_bottom = node.pad_right = amount;
    node.shape.height += 2 * amount;
    node.shape.width += 2 * amount;
    return append(graph, &node, "");
}

mrcnn_value mrcnn_max_pool(mrcnn_graph *graph, mrcnn_value x, int kernel, int stride,
                           mrcnn_padding padding) {
    if (!is_side(kernel) || !is_side(stride))
        return wrong(graph, "max_pool", "kernel and stride must be at least 1, and not huge");
    mr_node node = unary(graph, MR_OP_MAX_POOL, x);
    slide(&node, kernel, stride, padding);
    return append(graph, &node, "");
}

mrcnn_value mrcnn_upsample2x(mrcnn_graph *graph, mrcnn_value x) {
    mr_node node = unary(graph, MR_OP_UPSAMPLE, x);
    node.shape.height *= 2;
    node.shape.width *= 2;
    return append(graph, &node, "");
}

mrcnn_value mr_graph_convert(mrcnn_graph *graph, mrcnn_value x, mr_type type, float scale,
                             const char *stage) {
    mr_node node = unary(graph, MR_OP_CONVERT, x);
    node.type = type;
    node.scale = scale;
    node.stage = stage;
    return append(graph, &node, "");
}

mrcnn_value mr_dense(mrcnn_graph *graph, mrcnn_value x, const char *layer, int units) {
    mr_node node = unary(graph, MR_OP_DENSE, x);
    if ((double)mr_shape_size(node.shape) * units > MOST_WEIGHTS)
        return wrong(graph, layer, "its kernel would be too large");
    mrcnn_shape flat = {1, 1, units};
    node.shape = flat;
    return append(graph, &node, layer);
}

mrcnn_value mr_deconv2x2(mrcnn_graph *graph, mrcnn_value x, const char *layer, int filters) {
    mr_node node = unary(graph, MR_OP_DECONV, x);
    node.kernel_h = node.kernel_w = node.stride = 2;
    node.shape.height *= 2;
    node.shape.width *= 2;
    node.shape.channels = filters;
    return append(graph, &node, layer);
}

mrcnn_value mr_softmax(mrcnn_graph *graph, mrcnn_value x) {
    mr_node node = unary(graph, MR_OP_SOFTMAX, x);
    return append(graph, &node, "");
}

mrcnn_value mr_roi_align(mrcnn_graph *graph, const mrcnn_value *levels, int level_count,
                         mrcnn_value rois, int crop_height, int crop_width) {
    if (level_count < 1 || level_count >= MR_MAX_INPUTS)
        return wrong(graph, "roi_align", "too many pyramid levels");
    if (mrcnn_value_shape(graph, rois).channels != MR_ROI_COLUMNS)
        return wrong(graph, "roi_align", "the RoIs have the wrong number of columns");
    mr_node node = unary(graph, MR_OP_ROI_ALIGN, levels[0]);
    mrcnn_shape out = {crop_height, crop_width, node.shape.channels};
    for (int i = 0; i < level_count; i++) {
        if (mrcnn_value_shape(graph, levels[i]).channels != out.channels)
            return wrong(graph, "roi_align", "the pyramid's levels differ in channels");
        node.inputs[i] = levels[i];
    }
    node.inputs[level_count] = rois;
    node.input_count = level_count + 1;
    node.rows = MR_ROWS_ROIS;
    node.shape = out;
    return append(graph, &node, "");
}

mrcnn_value mr_mask_select(mrcnn_graph *graph, mrcnn_value x, mrcnn_value channel,
                           const char *layer, int filters) {
    mr_node node = unary(graph, MR_OP_MASK_SELECT, x);
    node.input_count = 2;
    node.inputs[1] = channel;
    node.filters = filters;
    node.shape.channels = 1;
    return append(graph, &node, layer);
}

static void visit_batch_norm(const char *layer, int64_t channels, mr_weight_visitor visit,
                             void *user) {
    static const char *const params[] = {"gamma", "beta", "moving_mean", "moving_variance"};
    for (int i = 0; i < 4; i++) visit(user, layer, params[i], 1, &channels);
}

void mr_node_weights(const mrcnn_graph *graph, const mr_node *node, mr_weight_visitor visit,
                     void *user) {
    if (node->op == MR_OP_BATCH_NORM) {
        visit_batch_norm(node->layer, node->shape.channels, visit, user);
        return;
    }
    if (node->input_count == 0 || !node->layer[0]) return;
    mrcnn_shape in = graph->nodes[node->inputs[0]].shape;
    int64_t filters = node->shape.channels;
    int64_t conv[4] = {node->kernel_h, node->kernel_w, in.channels, filters};
    int64_t deconv[4] = {2, 2, filters, in.channels};
    int64_t dense[2] = {(int64_t)mr_shape_size(in), filters};
    int64_t select[4] = {1, 1, in.channels, node->filters};
    switch (node->op) {
    case MR_OP_CONV: visit(user, node->layer, "kernel", 4, conv); break;
    case MR_OP_DECONV: visit(user, node->layer, "kernel", 4, deconv); break;
    case MR_OP_DENSE: visit(user, node->layer, "kernel", 2, dense); break;
    case MR_OP_MASK_SELECT:
        visit(user, node->layer, "kernel", 4, select);
        filters = node->filters;
        break;
    default: return;
    }
    visit(user, node->layer, "bias", 1, &filters);
    if (node->batch_norm[0]) visit_batch_norm(node->batch_norm, filters, visit, user);
}

static void add_count(void *user, const char *layer, const char *param, int rank,
                      const int64_t *shape) {
    (void)layer;
    mr_weight_counts *counts = user;
    size_t count = 1;
    for (int i = 0; i < rank; i++) count *= (size_t)shape[i];
    if (strcmp(param, "kernel") == 0) counts->kernel = count;
    if (strcmp(param, "bias") == 0) counts->bias = count;
}

mr_weight_counts mr_count_weights(const mrcnn_graph *graph, const mr_node *node) {
    mr_weight_counts counts = {0, 0};
    mr_node_weights(graph, node, add_count, &counts);
    return counts;
}

double mr_node_gflop(const mrcnn_graph *graph, const mr_node *node) {
    if (node->input_count == 0) return 0;
    mrcnn_shape in = graph->nodes[node->inputs[0]].shape;
    double outputs = (double)mr_shape_size(node->shape);
    switch (node->op) {
    case MR_OP_CONV: return 2e-9 * outputs * node->kernel_h * node->kernel_w * in.channels;
    case MR_OP_DENSE: return 2e-9 * outputs * (double)mr_shape_size(in);
    case MR_OP_DECONV:
    case MR_OP_MASK_SELECT: return 2e-9 * outputs * in.channels;
    default: return 0;
    }
}
