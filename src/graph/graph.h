/* graph.h - the network as data: a list of nodes in an order in which they can be computed, one
 * output value each, so that a value is its node's index. Passes rewrite nodes in place; a plan
 * (plan.h) lays them out in memory and runs them. */
#ifndef MR_GRAPH_GRAPH_H
#define MR_GRAPH_GRAPH_H

#include "base/type.h"
#include "graph/ranges.h"

#include <mrcnn/graph.h>

enum { MR_MAX_INPUTS = 6, MR_NAME = 96 };

struct mr_tensors;

typedef enum mr_op {
    MR_OP_INPUT,
    MR_OP_CONV,   /* + bias, folded BN, residual, ReLU after the passes */
    MR_OP_DENSE,  /* the same on flattened rows: kernel (h*w*c, filters) */
    MR_OP_DECONV, /* kernel 2, stride 2, (h, w, out, in) */
    MR_OP_BATCH_NORM,
    MR_OP_RELU,
    MR_OP_ADD,
    MR_OP_ZERO_PAD,
    MR_OP_MAX_POOL,
    MR_OP_UPSAMPLE,
    MR_OP_SOFTMAX,     /* over channels */
    MR_OP_ROI_ALIGN,   /* inputs: pyramid levels..., rois */
    MR_OP_MASK_SELECT, /* 1x1 convolution to one channel per row, chosen by an input, and sigmoid */
    MR_OP_CONVERT      /* the same numbers in another type */
} mr_op;

/* A batch of pictures and the RoIs of a batch are two independent numbers of rows. */
typedef enum mr_rows { MR_ROWS_IMAGES = 0, MR_ROWS_ROIS = 1, MR_ROWS_KINDS = 2 } mr_rows;

typedef struct mr_node {
    mr_op op;
    mr_rows rows;
    mrcnn_shape shape; /* of one row of the output */
    int input_count;
    mrcnn_value inputs[MR_MAX_INPUTS];
    char layer[MR_NAME]; /* whose weights; "" if none */
    char name[MR_NAME];  /* of an input or output; "" if none */
    const char *stage;   /* where its time is counted */
    int is_output;
    int is_feature; /* an input or output that is kept in the plan's precision; others are f32 */
    int dead;       /* replaced by a fused node, or not needed for any output */

    int kernel_h, kernel_w, stride;
    int filters; /* of the layer; MASK_SELECT computes one of them */
    int pad_top, pad_left, pad_bottom, pad_right;

    int batch_statistics; /* BATCH_NORM: of the batch at hand, not the moving ones (N50) */

    /* Training: whether dL/dvalue is wanted. INPUTs are marked by who makes the graph, the rest by
     * mr_graph_mark_gradients. */
    int gradient;
    /* Training: dL/dvalue is zero but at the pixels of this list (mr_pixels), of which there are at
     * most max_pixels a picture; negative: dense. */
    int pixel_group, max_pixels;

    /* set by the passes */
    char batch_norm[MR_NAME]; /* folded into the weights */
    mrcnn_value residual;     /* added before the ReLU; negative: none */
    int relu;
    mr_type type; /* of the value */
    float scale;  /* what 1 stands for in a value of 8 bits */
} mr_node;

struct mrcnn_graph {
    mr_node *nodes;
    int count, capacity;
    const char *stage;    /* of the nodes that are added now */
    int batch_statistics; /* of the batch norms that are added now */
    mrcnn_error error;    /* the first one */
};

mrcnn_graph *mr_graph_create(void);
void mr_graph_free(mrcnn_graph **graph);
mrcnn_status mr_graph_status(const mrcnn_graph *graph, mrcnn_error *err);

/* Nodes added from now on count their time under this name (a string constant). */
void mr_graph_stage(mrcnn_graph *graph, const char *stage);

mrcnn_value mr_graph_input(mrcnn_graph *graph, const char *name, mr_rows rows, mrcnn_shape shape);
/* Marks a value as wanted under a name. */
void mr_graph_output(mrcnn_graph *graph, mrcnn_value x, const char *name);
/* Marks an input or output as features: graphs of one precision hand them on in it. */
void mr_graph_feature(mrcnn_graph *graph, mrcnn_value x);

/* Batch norms added from now on use the batch's statistics. */
void mr_graph_batch_statistics(mrcnn_graph *graph, int on);
/* Training: dL/d(this input) is wanted; the plan adds it to what mr_plan_bind_gradient names. */
void mr_graph_want_gradient(mrcnn_graph *graph, mrcnn_value input);
/* Training: the loss reaches this output at a few pixels only, at most max_pixels a picture, listed
 * under `group` (0 .. MR_MAX_GROUPS - 1). Outputs of one map share a group. */
enum { MR_MAX_GROUPS = 8 };
void mr_graph_sparse_gradient(mrcnn_graph *graph, mrcnn_value output, int group, int max_pixels);

/* Row i of the output is dense(row i, flattened): layer/kernel (h*w*c, units), layer/bias. */
mrcnn_value mr_dense(mrcnn_graph *graph, mrcnn_value x, const char *layer, int units);
/* Conv2DTranspose 2x2 stride 2: layer/kernel (2, 2, filters, channels), layer/bias. */
mrcnn_value mr_deconv2x2(mrcnn_graph *graph, mrcnn_value x, const char *layer, int filters);
mrcnn_value mr_softmax(mrcnn_graph *graph, mrcnn_value x);

/* Crops crop_height x crop_width samples a RoI (N22: one bilinear sample a bin, end points
 * inclusive) from the level that the RoI names. rois: rows of MR_ROI_COLUMNS numbers: picture of
 * the batch, level index, y1, x1, y2, x2 (normalised). */
enum { MR_ROI_COLUMNS = 6 };
mrcnn_value mr_roi_align(mrcnn_graph *graph, const mrcnn_value *levels, int level_count,
                         mrcnn_value rois, int crop_height, int crop_width);

/* sigmoid(1x1 convolution) of the one channel that `channel` (1 x 1 x 1) names for each row. */
mrcnn_value mr_mask_select(mrcnn_graph *graph, mrcnn_value x, mrcnn_value channel,
                           const char *layer, int filters);

/* The passes for inference: drop what no output needs, fold padding and BN, fuse residual sums and
 * ReLU. */
void mr_graph_optimize(mrcnn_graph *graph);

/* After mr_graph_optimize, for inference: features are kept and multiplied in `type` (types.c), except by the
 * products that the executor can't do in it. */
typedef int (*mr_lowers)(const mrcnn_graph *graph, const mr_node *node, mr_type type);
/* ranges: what the values of layers reach in size, where 8 bits are wanted; NULL: they aren't. */
void mr_graph_lower(mrcnn_graph *graph, mr_type type, const mr_ranges *ranges, mr_lowers lowers);

/* The type of an input that is a feature: as another graph's output has it. */
void mr_graph_input_type(mrcnn_graph *graph, const char *input, mr_type type, float scale);

/* For passes that write a graph anew: a node as it is, and a conversion. */
mrcnn_value mr_graph_append(mrcnn_graph *graph, const mr_node *node);
mrcnn_value mr_graph_convert(mrcnn_graph *graph, mrcnn_value x, mr_type type, float scale,
                             const char *stage);

/* After mr_graph_optimize: marks the values whose gradient is wanted: those above a wanted input or
 * a trainable tensor (one that `gradients` has), and below an output. Spreads pixel groups
 * downwards through 1x1 convolutions. */
void mr_graph_mark_gradients(mrcnn_graph *graph, const struct mr_tensors *gradients);

/* What the backward of a node reads of the forward: bit k of the result for input k, bit
 * MR_MAX_INPUTS for the output. */
unsigned mr_backward_reads(const mrcnn_graph *graph, const mr_node *node,
                           const struct mr_tensors *gradients);
/* 1 when one of the node's weight tensors is among `gradients` (NULL: none is). */
int mr_node_trains(const mrcnn_graph *graph, const mr_node *node,
                   const struct mr_tensors *gradients);
/* 1 when the node has work to do in the backward pass. */
int mr_has_backward(const mrcnn_graph *graph, const mr_node *node,
                    const struct mr_tensors *gradients);

/* Elements of one row. */
size_t mr_shape_size(mrcnn_shape shape);
/* Multiplications and additions of one row, in 1e9, by the plain algorithm. */
double mr_node_gflop(const mrcnn_graph *graph, const mr_node *node);

/* The weight tensors that a node reads: calls visit(user, layer, param, rank, shape) for each, in
 * Keras' order. */
typedef void (*mr_weight_visitor)(void *user, const char *layer, const char *param, int rank,
                                  const int64_t *shape);
void mr_node_weights(const mrcnn_graph *graph, const mr_node *node, mr_weight_visitor visit,
                     void *user);

/* Numbers in the node's kernel and in its bias; 0 where it has none. */
typedef struct mr_weight_counts {
    size_t kernel, bias;
} mr_weight_counts;
mr_weight_counts mr_count_weights(const mrcnn_graph *graph, const mr_node *node);

#endif
