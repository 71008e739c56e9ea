/* products_backward.c - gradients of what multiplies by weights. Each is written as a sum for one
 * number of the input, the kernel or the bias, so that no two parts write to the same place. */
#include "base/memory.h"
#include "reference/reference.h"

#include <string.h>

typedef struct part_job {
    const mr_reference_kernel *k;
    const mr_backward *b;
    float *dkernel;
} part_job;

/* The output pixel of which input pixel `at` is under the window's tap; negative: there is none. */
static int output_under(int at, int tap, int pad, int stride, int outputs) {
    int shifted = at + pad - tap;
    if (shifted < 0 || shifted % stride || shifted / stride >= outputs) return -1;
    return shifted / stride;
}

/* sum[c] += over all outputs that see input pixel (y, x) and their filters: g K[tap, c, f]. */
static void conv_input_pixel(const part_job *j, size_t row, int y, int x, double *sum) {
    const mr_node *n = &j->k->node;
    size_t channels = (size_t)j->k->levels[0].channels, filters = (size_t)n->shape.channels;
    for (int ky = 0; ky < n->kernel_h; ky++) {
        int oy = output_under(y, ky, n->pad_top, n->stride, n->shape.height);
        for (int kx = 0; oy >= 0 && kx < n->kernel_w; kx++) {
            int ox = output_under(x, kx, n->pad_left, n->stride, n->shape.width);
            if (ox < 0) continue;
            const float *g = j->b->output_gradient + mr_reference_at(n->shape, row, oy, ox);
            const float *w = j->k->kernel + (size_t)(ky * n->kernel_w + kx) * channels * filters;
            for (size_t c = 0; c < channels; c++, w += filters)
                for (size_t f = 0; f < filters; f++) sum[c] += (double)g[f] * w[f];
        }
    }
}

/* Rows of input pixels. */
static void conv_input_rows(void *context, size_t begin, size_t end, int thread) {
    const part_job *j = context;
    mrcnn_shape in = j->k->levels[0];
    double *sum = mr_reference_sums(j->k, j->b->scratch, thread);
    for (size_t i = begin; i < end; i++)
        for (int x = 0; x < in.width; x++) {
            size_t row = i / (size_t)in.height;
            int y = (int)(i % (size_t)in.height);
            float *to = j->b->input_gradients[0] + mr_reference_at(in, row, y, x);
            memset(sum, 0, (size_t)in.channels * sizeof *sum);
            conv_input_pixel(j, row, y, x, sum);
            for (int c = 0; c < in.channels; c++)
                mr_reference_put(to + c, sum[c], j->b->accumulate[0]);
        }
}

/* sum[f] = over all output pixels: x[under the tap, c] g[f]. */
static void conv_kernel_row(const part_job *j, int ky, int kx, int c, double *sum) {
    const mr_node *n = &j->k->node;
    mrcnn_shape in = j->k->levels[0];
    size_t rows = (size_t)j->b->rows[n->rows] * (size_t)n->shape.height;
    memset(sum, 0, (size_t)n->shape.channels * sizeof *sum);
    for (size_t i = 0; i < rows; i++) {
        size_t row = i / (size_t)n->shape.height;
        int oy = (int)(i % (size_t)n->shape.height), y = oy * n->stride + ky - n->pad_top;
        if (y < 0 || y >= in.height) continue;
        for (int ox = 0; ox < n->shape.width; ox++) {
            int x = ox * n->stride + kx - n->pad_left;
            if (x < 0 || x >= in.width) continue;
            double value = j->b->inputs[0][mr_reference_at(in, row, y, x) + (size_t)c];
            const float *g = j->b->output_gradient + mr_reference_at(n->shape, row, oy, ox);
            for (int f = 0; f < n->shape.channels; f++) sum[f] += value * g[f];
        }
    }
}

/* Rows of the kernel as a matrix of filters columns. */
static void conv_kernel_rows(void *context, size_t begin, size_t end, int thread) {
    const part_job *j = context;
    const mr_node *n = &j->k->node;
    size_t filters = (size_t)n->shape.channels, channels = (size_t)j->k->levels[0].channels;
    double *sum = mr_reference_sums(j->k, j->b->scratch, thread);
    for (size_t i = begin; i < end; i++) {
        int tap = (int)(i / channels);
        conv_kernel_row(j, tap / n->kernel_w, tap % n->kernel_w, (int)(i % channels), sum);
        for (size_t f = 0; f < filters; f++) j->dkernel[i * filters + f] = (float)sum[f];
    }
}

static void bias_gradient(const mr_reference_kernel *k, const mr_backward *b, float *dbias) {
    size_t filters = (size_t)k->node.shape.channels;
    size_t count = (size_t)b->rows[k->node.rows] * mr_shape_size(k->node.shape);
    for (size_t f = 0; f < filters; f++) {
        double sum = 0;
        for (size_t i = f; i < count; i += filters) sum += b->output_gradient[i];
        dbias[f] = (float)sum;
    }
}

static float *room(const mr_backward *b, size_t at) {
    return (float *)(void *)((char *)b->scratch + at);
}

static void conv_shaped(const mr_reference_kernel *k, const mr_backward *b,
                        mr_parallel_body input_rows, mr_parallel_body kernel_rows) {
    part_job job = {k, b, room(b, k->at.dkernel)};
    mrcnn_shape in = k->levels[0];
    float *dbias = room(b, k->at.dbias);
    size_t rows = (size_t)b->rows[k->node.rows] * (size_t)in.height;
    if (b->input_gradients[0]) mr_parallel(b->threads, rows, input_rows, &job);
    if (mr_fold_wants_kernel(&k->fold)) {
        size_t taps = (size_t)k->node.kernel_h * (size_t)k->node.kernel_w;
        mr_parallel(b->threads, taps * (size_t)in.channels, kernel_rows, &job);
    }
    bias_gradient(k, b, dbias);
    mr_unfold_gradients(&k->fold, job.dkernel, dbias, b->threads);
}

void mr_reference_conv_backward(const mr_reference_kernel *k, const mr_backward *b) {
    conv_shaped(k, b, conv_input_rows, conv_kernel_rows);
}

static void deconv_input_rows(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const part_job *j = context;
    mrcnn_shape in = j->k->levels[0], out = j->k->node.shape;
    size_t per_row = (size_t)in.width * (size_t)in.channels;
    for (size_t i = begin * per_row; i < end * per_row; i++) {
        size_t row = i / mr_shape_size(in);
        int y = (int)(i / per_row % (size_t)in.height);
        int x = (int)(i % per_row / (size_t)in.channels);
        const float *w = j->k->kernel + i % (size_t)in.channels;
        double sum = 0;
        for (int tap = 0; tap < 4; tap++) {
            const float *g =
                j->b->output_gradient + mr_reference_at(out, row, 2 * y + tap / 2, 2 * x + tap % 2);
            for (int o = 0; o < out.channels; o++, w += in.channels) sum += (double)g[o] * *w;
        }
        mr_reference_put(j->b->input_gradients[0] + i, sum, j->b->accumulate[0]);
    }
}

/* Parts are pairs of a tap and an input channel c: dK[tap, o, c] for all o. */
static void deconv_kernel_rows(void *context, size_t begin, size_t end, int thread) {
    const part_job *j = context;
    mrcnn_shape in = j->k->levels[0], out = j->k->node.shape;
    double *sum = mr_reference_sums(j->k, j->b->scratch, thread);
    size_t channels = (size_t)in.channels;
    size_t pixels = (size_t)j->b->rows[j->k->node.rows] * (size_t)in.height * (size_t)in.width;
    for (size_t i = begin; i < end; i++) {
        size_t tap = i / channels, c = i % channels;
        memset(sum, 0, (size_t)out.channels * sizeof *sum);
        for (size_t p = 0; p < pixels; p++) {
            size_t row = p / (size_t)in.width / (size_t)in.height;
            int y = (int)(p / (size_t)in.width % (size_t)in.height);
            int x = (int)(p % (size_t)in.width);
            const float *g = j->b->output_gradient +
                             mr_reference_at(out, row, 2 * y + (int)tap / 2, 2 * x + (int)tap % 2);
            for (int o = 0; o < out.channels; o++)
                sum[o] += (double)j->b->inputs[0][p * channels + c] * g[o];
        }
        for (size_t o = 0; o < (size_t)out.channels; o++)
            j->dkernel[(tap * (size_t)out.channels + o) * channels + c] = (float)sum[o];
    }
}

void mr_reference_deconv_backward(const mr_reference_kernel *k, const mr_backward *b) {
    conv_shaped(k, b, deconv_input_rows, deconv_kernel_rows);
}

/* p = sigmoid(z): dL/dz = dL/dp p (1 - p); then as a 1x1 convolution with one filter. */
static void select_row(const mr_reference_kernel *k, const mr_backward *b, size_t row,
                       float *dkernel, float *dbias) {
    mrcnn_shape in = k->levels[0];
    size_t channels = (size_t)in.channels, filters = (size_t)k->node.filters;
    size_t channel = (size_t)b->inputs[1][row], pixels = (size_t)in.height * (size_t)in.width;
    const double *dz = (const double *)b->scratch;
    double total = 0;
    for (size_t i = 0; i < pixels; i++) total += dz[i];
    dbias[channel] += (float)total;
    for (size_t c = 0; c < channels; c++) {
        double w = k->kernel[c * filters + channel], sum = 0;
        for (size_t i = 0; i < pixels; i++) {
            size_t at = (row * pixels + i) * channels + c;
            sum += dz[i] * b->inputs[0][at];
            if (b->input_gradients[0])
                mr_reference_put(b->input_gradients[0] + at, dz[i] * w, b->accumulate[0]);
        }
        dkernel[c * filters + channel] += (float)sum;
    }
}

void mr_reference_mask_select_backward(const mr_reference_kernel *k, const mr_backward *b) {
    float *dkernel = room(b, k->at.dkernel), *dbias = room(b, k->at.dbias);
    double *dz = b->scratch;
    size_t pixels = mr_shape_size(k->node.shape);
    memset(dkernel, 0, k->fold.kernel_count * sizeof *dkernel);
    memset(dbias, 0, k->fold.filters * sizeof *dbias);
    for (size_t row = 0; row < (size_t)b->rows[k->node.rows]; row++) {
        for (size_t i = 0; i < pixels; i++) {
            double p = b->output[row * pixels + i];
            dz[i] = b->output_gradient[row * pixels + i] * p * (1 - p);
        }
        select_row(k, b, row, dkernel, dbias);
    }
    mr_unfold_gradients(&k->fold, dkernel, dbias, b->threads);
}
