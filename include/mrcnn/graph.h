/* graph.h - describing a network, for who writes a backbone of their own. Include it after reading
 * mrcnn.h.
 *
 * A network is written once, as in the paper, and compiled by the library into a plan for an
 * executor:
 *
 *     static mrcnn_value block(mrcnn_graph *g, mrcnn_value x, const char *conv, const char *bn,
 *                              int filters, int stride) {
 *         x = mrcnn_conv2d(g, x, conv, filters, 3, stride, MRCNN_SAME);
 *         return mrcnn_relu(g, mrcnn_batch_norm(g, x, bn));
 *     }
 *
 * Values are pictures of floats, height x width x channels (NHWC), one per picture of a batch.
 * Shapes are known at once, so that a builder can ask for them. The layer names given here are the
 * names under which weights are loaded and saved, so they must be unique within a model (one name
 * used twice shares its weights).
 *
 * Errors are sticky: the first one is kept in the graph, later calls return an invalid value, and
 * whoever compiles the graph gets the message. Builders need no error handling.
 */
#ifndef MRCNN_GRAPH_H
#define MRCNN_GRAPH_H

#include <mrcnn/mrcnn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mrcnn_graph mrcnn_graph;

/* A value of the graph it was made in; negative: invalid, an error happened before. */
typedef int32_t mrcnn_value;

typedef struct mrcnn_shape {
    int32_t height, width, channels;
} mrcnn_shape;

/* VALID: no padding. SAME: TensorFlow's rule, ceil(n / stride) outputs, the odd row and column of
 * padding at the bottom and right. */
typedef enum mrcnn_padding { MRCNN_VALID = 0, MRCNN_SAME = 1 } mrcnn_padding;

/* All zero for an invalid value. */
MRCNN_API mrcnn_shape mrcnn_value_shape(const mrcnn_graph *graph, mrcnn_value x);

/* Convolution with bias: weights layer/kernel (kernel, kernel, channels, filters) and layer/bias
 * (filters). */
MRCNN_API mrcnn_value mrcnn_conv2d(mrcnn_graph *graph, mrcnn_value x, const char *layer,
                                   int filters, int kernel, int stride, mrcnn_padding padding);

/* Batch normalisation, epsilon 1e-3 (N50): layer/gamma, beta, moving_mean, moving_variance. */
MRCNN_API mrcnn_value mrcnn_batch_norm(mrcnn_graph *graph, mrcnn_value x, const char *layer);

MRCNN_API mrcnn_value mrcnn_relu(mrcnn_graph *graph, mrcnn_value x);

/* Sum of two values of one shape. */
MRCNN_API mrcnn_value mrcnn_add(mrcnn_graph *graph, mrcnn_value a, mrcnn_value b);

/* Zeros around the picture: `amount` rows and columns on each side. */
MRCNN_API mrcnn_value mrcnn_zero_pad(mrcnn_graph *graph, mrcnn_value x, int amount);

/* Padding counts as minus infinity. */
MRCNN_API mrcnn_value mrcnn_max_pool(mrcnn_graph *graph, mrcnn_value x, int kernel, int stride,
                                     mrcnn_padding padding);

/* Every pixel twice in both directions. */
MRCNN_API mrcnn_value mrcnn_upsample2x(mrcnn_graph *graph, mrcnn_value x);

/* The feature maps of a backbone: c[0] = C1 at stride 4 .. c[4] = C5 at stride 32. C2..C5
 * (c[1]..c[4]) feed the pyramid and must have strides 4, 8, 16, 32; C1 is only for looking at.
 * `image` is the molded picture. */
typedef void (*mrcnn_backbone)(mrcnn_graph *graph, mrcnn_value image, mrcnn_value c[5], void *user);

/* Makes BACKBONE=`name` mean `build` in this configuration and all models made from it
 * (matterport's callable BACKBONE). `user` is handed through and must outlive them. */
MRCNN_API mrcnn_status mrcnn_config_set_backbone(mrcnn_config *config, const char *name,
                                                 mrcnn_backbone build, void *user,
                                                 mrcnn_error *err);

#ifdef __cplusplus
}
#endif
#endif
