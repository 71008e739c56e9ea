/* ops_backward.c - gradients of what has no weights. */
#include "reference/reference.h"

#include "graph/sampling.h"

#include <string.h>

static size_t output_count(const mr_reference_kernel *k, const mr_backward *b) {
    return (size_t)b->rows[k->node.rows] * mr_shape_size(k->node.shape);
}

void mr_reference_relu_backward(const mr_reference_kernel *k, const mr_backward *b) {
    for (size_t i = 0; b->input_gradients[0] && i < output_count(k, b); i++)
        mr_reference_put(b->input_gradients[0] + i, b->output[i] > 0 ? b->output_gradient[i] : 0.0,
                         b->accumulate[0]);
}

void mr_reference_add_backward(const mr_reference_kernel *k, const mr_backward *b) {
    for (int input = 0; input < 2; input++)
        for (size_t i = 0; b->input_gradients[input] && i < output_count(k, b); i++)
            mr_reference_put(b->input_gradients[input] + i, b->output_gradient[i],
                             b->accumulate[input]);
}

/* All of an input's gradient, before something is added here and there. */
static void start(const mr_reference_kernel *k, const mr_backward *b, int input, mr_rows rows) {
    size_t count = (size_t)b->rows[rows] * mr_shape_size(k->levels[input]);
    if (b->input_gradients[input] && !b->accumulate[input])
        memset(b->input_gradients[input], 0, count * sizeof(float));
}

void mr_reference_pad_backward(const mr_reference_kernel *k, const mr_backward *b) {
    mrcnn_shape in = k->levels[0], out = k->node.shape;
    size_t rows = (size_t)b->rows[k->node.rows] * (size_t)in.height;
    size_t size = (size_t)in.width * (size_t)in.channels;
    for (size_t i = 0; b->input_gradients[0] && i < rows; i++) {
        int y = (int)(i % (size_t)in.height) + k->node.pad_top;
        const float *g =
            b->output_gradient + mr_reference_at(out, i / (size_t)in.height, y, k->node.pad_left);
        for (size_t e = 0; e < size; e++)
            mr_reference_put(b->input_gradients[0] + i * size + e, g[e], b->accumulate[0]);
    }
}

/* Where the window's first maximum is, row by row: what torch and TensorFlow choose on CPUs. */
static size_t first_max(const mr_reference_kernel *k, const float *x, size_t row, int oy, int ox,
                        int c) {
    const mr_node *n = &k->node;
    mrcnn_shape in = k->levels[0];
    size_t best = SIZE_MAX;
    for (int ky = 0; ky < n->kernel_h; ky++)
        for (int kx = 0; kx < n->kernel_w; kx++) {
            int y = oy * n->stride + ky - n->pad_top, x0 = ox * n->stride + kx - n->pad_left;
            if (y < 0 || y >= in.height || x0 < 0 || x0 >= in.width) continue;
            size_t at = mr_reference_at(in, row, y, x0) + (size_t)c;
            if (best == SIZE_MAX || x[at] > x[best]) best = at;
        }
    return best;
}

void mr_reference_max_pool_backward(const mr_reference_kernel *k, const mr_backward *b) {
    mrcnn_shape out = k->node.shape;
    start(k, b, 0, k->node.rows);
    for (size_t i = 0; b->input_gradients[0] && i < output_count(k, b); i++) {
        size_t pixel = i / (size_t)out.channels;
        size_t at = first_max(k, b->inputs[0], i / mr_shape_size(out),
                              (int)(pixel / (size_t)out.width % (size_t)out.height),
                              (int)(pixel % (size_t)out.width), (int)(i % (size_t)out.channels));
        if (at != SIZE_MAX) b->input_gradients[0][at] += b->output_gradient[i];
    }
}

void mr_reference_upsample_backward(const mr_reference_kernel *k, const mr_backward *b) {
    mrcnn_shape in = k->levels[0], out = k->node.shape;
    size_t channels = (size_t)in.channels;
    size_t count = (size_t)b->rows[k->node.rows] * mr_shape_size(in);
    for (size_t i = 0; b->input_gradients[0] && i < count; i++) {
        size_t pixel = i / channels, row = i / mr_shape_size(in);
        int y = (int)(pixel / (size_t)in.width % (size_t)in.height);
        int x = (int)(pixel % (size_t)in.width);
        double sum = 0;
        for (int tap = 0; tap < 4; tap++)
            sum += b->output_gradient[mr_reference_at(out, row, 2 * y + tap / 2, 2 * x + tap % 2) +
                                      i % channels];
        mr_reference_put(b->input_gradients[0] + i, sum, b->accumulate[0]);
    }
}

/* dL/dx = y (g - sum of y g). */
void mr_reference_softmax_backward(const mr_reference_kernel *k, const mr_backward *b) {
    size_t channels = (size_t)k->node.shape.channels;
    for (size_t i = 0; b->input_gradients[0] && i < output_count(k, b); i += channels) {
        const float *y = b->output + i, *g = b->output_gradient + i;
        double sum = 0;
        for (size_t c = 0; c < channels; c++) sum += (double)y[c] * g[c];
        for (size_t c = 0; c < channels; c++)
            mr_reference_put(b->input_gradients[0] + i + c, y[c] * (g[c] - sum), b->accumulate[0]);
    }
}

/* One sample's gradient to its four neighbours. */
static void scatter(float *map, mrcnn_shape shape, size_t row, mr_sample y, mr_sample x,
                    const float *g) {
    const struct {
        int y, x;
        double weight;
    } corners[4] = {{y.low, x.low, (1.0 - y.weight) * (1.0 - x.weight)},
                    {y.low, x.high, (1.0 - y.weight) * x.weight},
                    {y.high, x.low, y.weight * (1.0 - x.weight)},
                    {y.high, x.high, (double)y.weight * x.weight}};
    if (!y.inside || !x.inside) return;
    for (int k = 0; k < 4; k++) {
        float *to = map + mr_reference_at(shape, row, corners[k].y, corners[k].x);
        for (int c = 0; c < shape.channels; c++)
            mr_reference_put(to + c, corners[k].weight * g[c], 1);
    }
}

/* To the pyramid only: none goes to the boxes (N24). */
void mr_reference_roi_align_backward(const mr_reference_kernel *k, const mr_backward *b) {
    mrcnn_shape out = k->node.shape;
    int levels = k->node.input_count - 1;
    for (int level = 0; level < levels; level++) start(k, b, level, MR_ROWS_IMAGES);
    for (size_t i = 0; i < (size_t)b->rows[MR_ROWS_ROIS]; i++) {
        const float *roi = b->inputs[levels] + i * MR_ROI_COLUMNS;
        int level = (int)roi[1];
        mrcnn_shape in = k->levels[level];
        for (int bin = 0; b->input_gradients[level] && bin < out.height * out.width; bin++) {
            int by = bin / out.width, bx = bin % out.width;
            scatter(b->input_gradients[level], in, (size_t)roi[0],
                    mr_sample_at(roi[2], roi[4], in.height, out.height, by),
                    mr_sample_at(roi[3], roi[5], in.width, out.width, bx),
                    b->output_gradient + mr_reference_at(out, i, by, bx));
        }
    }
}
