/* ops.c - forward of what has no weights. */
#include "reference/reference.h"

#include "graph/sampling.h"

#include <math.h>
#include <string.h>

/* Numbers in one row of the output's pixels. */
static size_t row_size(const mr_reference_job *j) {
    return (size_t)j->k->node.shape.width * (size_t)j->k->node.shape.channels;
}

void mr_reference_relu(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const mr_reference_job *j = context;
    for (size_t i = begin * row_size(j); i < end * row_size(j); i++)
        mr_output_f32(j->run)[i] =
            mr_input_f32(j->run, 0)[i] > 0 ? mr_input_f32(j->run, 0)[i] : 0.0f;
}

void mr_reference_add(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const mr_reference_job *j = context;
    for (size_t i = begin * row_size(j); i < end * row_size(j); i++)
        mr_output_f32(j->run)[i] = mr_input_f32(j->run, 0)[i] + mr_input_f32(j->run, 1)[i];
}

void mr_reference_pad(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const mr_reference_job *j = context;
    mrcnn_shape out = j->k->node.shape, in = j->k->levels[0];
    for (size_t i = begin; i < end; i++) {
        int y = (int)(i % (size_t)out.height) - j->k->node.pad_top;
        float *dst = mr_output_f32(j->run) + i * row_size(j);
        memset(dst, 0, row_size(j) * sizeof *dst);
        if (y < 0 || y >= in.height) continue;
        memcpy(dst + (size_t)j->k->node.pad_left * (size_t)in.channels,
               mr_input_f32(j->run, 0) + mr_reference_at(in, i / (size_t)out.height, y, 0),
               (size_t)in.width * (size_t)in.channels * sizeof *dst);
    }
}

static float window_max(const mr_reference_kernel *k, const float *x, size_t row, int oy, int ox,
                        int c) {
    const mr_node *n = &k->node;
    mrcnn_shape in = k->levels[0];
    float best = -INFINITY;
    for (int ky = 0; ky < n->kernel_h; ky++)
        for (int kx = 0; kx < n->kernel_w; kx++) {
            int y = oy * n->stride + ky - n->pad_top, x0 = ox * n->stride + kx - n->pad_left;
            if (y < 0 || y >= in.height || x0 < 0 || x0 >= in.width) continue;
            float v = x[mr_reference_at(in, row, y, x0) + (size_t)c];
            if (v > best) best = v;
        }
    return best;
}

void mr_reference_max_pool(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const mr_reference_job *j = context;
    mrcnn_shape out = j->k->node.shape;
    for (size_t i = begin; i < end; i++)
        for (int x = 0; x < out.width; x++)
            for (int c = 0; c < out.channels; c++) {
                size_t row = i / (size_t)out.height;
                int y = (int)(i % (size_t)out.height);
                mr_output_f32(j->run)[mr_reference_at(out, row, y, x) + (size_t)c] =
                    window_max(j->k, mr_input_f32(j->run, 0), row, y, x, c);
            }
}

void mr_reference_upsample(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const mr_reference_job *j = context;
    mrcnn_shape out = j->k->node.shape;
    for (size_t i = begin; i < end; i++)
        for (int x = 0; x < out.width; x++) {
            size_t row = i / (size_t)out.height;
            int y = (int)(i % (size_t)out.height);
            memcpy(mr_output_f32(j->run) + mr_reference_at(out, row, y, x),
                   mr_input_f32(j->run, 0) + mr_reference_at(j->k->levels[0], row, y / 2, x / 2),
                   (size_t)out.channels * sizeof(float));
        }
}

void mr_reference_softmax(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const mr_reference_job *j = context;
    size_t channels = (size_t)j->k->node.shape.channels;
    for (size_t i = begin * row_size(j); i < end * row_size(j); i += channels) {
        const float *x = mr_input_f32(j->run, 0) + i;
        float *y = mr_output_f32(j->run) + i;
        double largest = -INFINITY, sum = 0;
        for (size_t c = 0; c < channels; c++) largest = x[c] > largest ? x[c] : largest;
        for (size_t c = 0; c < channels; c++) sum += exp(x[c] - largest);
        for (size_t c = 0; c < channels; c++) y[c] = (float)(exp(x[c] - largest) / sum);
    }
}

static double bilinear(const float *map, mrcnn_shape shape, size_t row, mr_sample y, mr_sample x,
                       size_t c) {
    double top_left = map[mr_reference_at(shape, row, y.low, x.low) + c];
    double top_right = map[mr_reference_at(shape, row, y.low, x.high) + c];
    double bottom_left = map[mr_reference_at(shape, row, y.high, x.low) + c];
    double bottom_right = map[mr_reference_at(shape, row, y.high, x.high) + c];
    double top = top_left + (top_right - top_left) * x.weight;
    double bottom = bottom_left + (bottom_right - bottom_left) * x.weight;
    return top + (bottom - top) * y.weight;
}

void mr_reference_roi_align(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const mr_reference_job *j = context;
    const mr_node *n = &j->k->node;
    mrcnn_shape out = n->shape;
    for (size_t i = begin; i < end; i++) {
        const float *roi = mr_input_f32(j->run, n->input_count - 1) + i * MR_ROI_COLUMNS;
        size_t picture = (size_t)roi[0];
        int level = (int)roi[1];
        mrcnn_shape in = j->k->levels[level];
        float *y = mr_output_f32(j->run) + i * mr_shape_size(out);
        for (int by = 0; by < out.height; by++)
            for (int bx = 0; bx < out.width; bx++) {
                mr_sample sy = mr_sample_at(roi[2], roi[4], in.height, out.height, by);
                mr_sample sx = mr_sample_at(roi[3], roi[5], in.width, out.width, bx);
                for (size_t c = 0; c < (size_t)out.channels; c++)
                    *y++ = sy.inside && sx.inside ? (float)bilinear(mr_input_f32(j->run, level), in,
                                                                    picture, sy, sx, c)
                                                  : 0.0f;
            }
    }
}
