/* products.c - forward of what multiplies by weights: convolution (a dense layer is one whose
 * window is the whole input), deconvolution, and the mask head's chosen channel. */
#include "reference/reference.h"

#include <math.h>

static void finish(const mr_reference_kernel *k, const mr_run *run, const double *sum, size_t at) {
    for (int f = 0; f < k->node.shape.channels; f++) {
        double v = sum[f];
        if (run->residual) v += ((const float *)run->residual)[at + (size_t)f];
        mr_output_f32(run)[at + (size_t)f] = k->node.relu && v < 0 ? 0.0f : (float)v;
    }
}

static void accumulate(double *sum, const float *kernel, double x, int filters) {
    for (int f = 0; f < filters; f++) sum[f] += x * (double)kernel[f];
}

static void conv_pixel(const mr_reference_kernel *k, const mr_run *run, size_t row, int oy, int ox,
                       double *sum) {
    const mr_node *n = &k->node;
    mrcnn_shape in = k->levels[0];
    size_t filters = (size_t)n->shape.channels, channels = (size_t)in.channels;
    for (size_t f = 0; f < filters; f++) sum[f] = k->bias[f];
    for (int ky = 0; ky < n->kernel_h; ky++) {
        int y = oy * n->stride + ky - n->pad_top;
        if (y < 0 || y >= in.height) continue;
        for (int kx = 0; kx < n->kernel_w; kx++) {
            int x = ox * n->stride + kx - n->pad_left;
            if (x < 0 || x >= in.width) continue;
            const float *from = mr_input_f32(run, 0) + mr_reference_at(in, row, y, x);
            const float *w = k->kernel + (size_t)(ky * n->kernel_w + kx) * channels * filters;
            for (size_t c = 0; c < channels; c++)
                accumulate(sum, w + c * filters, from[c], n->shape.channels);
        }
    }
}

void mr_reference_conv(void *context, size_t begin, size_t end, int thread) {
    const mr_reference_job *j = context;
    mrcnn_shape out = j->k->node.shape;
    double *sum = mr_reference_sums(j->k, j->run->scratch, thread);
    for (size_t i = begin; i < end; i++)
        for (int x = 0; x < out.width; x++) {
            size_t row = i / (size_t)out.height;
            int y = (int)(i % (size_t)out.height);
            conv_pixel(j->k, j->run, row, y, x, sum);
            finish(j->k, j->run, sum, mr_reference_at(out, row, y, x));
        }
}

/* out[2i+a, 2j+b, o] = bias[o] + sum over c of in[i, j, c] K[a, b, o, c]: no flip (NUMERICS 8). */
void mr_reference_deconv(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const mr_reference_job *j = context;
    mrcnn_shape out = j->k->node.shape, in = j->k->levels[0];
    for (size_t i = begin; i < end; i++)
        for (int x = 0; x < out.width; x++) {
            size_t row = i / (size_t)out.height;
            int y = (int)(i % (size_t)out.height);
            const float *src = mr_input_f32(j->run, 0) + mr_reference_at(in, row, y / 2, x / 2);
            float *dst = mr_output_f32(j->run) + mr_reference_at(out, row, y, x);
            for (int o = 0; o < out.channels; o++) {
                const float *w = j->k->kernel + (size_t)(((y % 2) * 2 + x % 2) * out.channels + o) *
                                                    (size_t)in.channels;
                double sum = j->k->bias[o];
                for (int c = 0; c < in.channels; c++) sum += (double)src[c] * w[c];
                dst[o] = j->k->node.relu && sum < 0 ? 0.0f : (float)sum;
            }
        }
}

void mr_reference_mask_select(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const mr_reference_job *j = context;
    mrcnn_shape in = j->k->levels[0];
    size_t pixels = (size_t)in.height * (size_t)in.width;
    int filters = j->k->node.filters;
    for (size_t i = begin; i < end; i++) {
        int channel = (int)mr_input_f32(j->run, 1)[i];
        for (size_t p = 0; p < pixels; p++) {
            const float *x = mr_input_f32(j->run, 0) + (i * pixels + p) * (size_t)in.channels;
            double sum = j->k->bias[channel];
            for (int c = 0; c < in.channels; c++)
                sum += (double)x[c] * j->k->kernel[(size_t)c * (size_t)filters + (size_t)channel];
            mr_output_f32(j->run)[i * pixels + p] = (float)(1.0 / (1.0 + exp(-sum)));
        }
    }
}
