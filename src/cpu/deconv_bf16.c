/* deconv_bf16.c - 2x2 stride 2 transposed convolution in bf16: a product that gives each input pixel's block
 * of outputs, as in deconv.c, with bias and ReLU in its store, and copies. */
#include "base/bf16.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/product.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK = 8, BLOCK = 4 }; /* RoIs a product; output pixels of an input pixel */

typedef struct deconv_kernel {
    mr_kernel base;
    mr_rows rows;
    mrcnn_shape in, out;
    size_t chunk; /* RoIs */
    size_t blocks_bytes;
    mr_product product;
} deconv_kernel;

typedef struct scatter_job {
    const deconv_kernel *k;
    const mr_bf16 *blocks; /* in pixel, (a, b, out) */
    mr_bf16 *y;
} scatter_job;

/* Output rows [begin, end) of the chunk. */
static void scatter(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const scatter_job *job = context;
    size_t channels = (size_t)job->k->out.channels, width = (size_t)job->k->out.width;
    for (size_t i = begin; i < end; i++) {
        mr_bf16 *y = job->y + i * width * channels;
        const mr_bf16 *line = job->blocks + (i / 2 * (width / 2) * BLOCK + i % 2 * 2) * channels;
        /* The two pixels of a block's row lie side by side in both. */
        for (size_t x = 0; x < width / 2; x++)
            memcpy(y + 2 * x * channels, line + x * BLOCK * channels, 2 * channels * sizeof *y);
    }
}

static void run_deconv(mr_kernel *kernel, const mr_run *run) {
    deconv_kernel *k = (deconv_kernel *)kernel;
    size_t rows = (size_t)run->rows[k->rows];
    mr_bf16 *blocks = run->scratch;
    for (size_t done = 0; done < rows; done += k->chunk) {
        size_t first = rows - done >= k->chunk ? done : rows > k->chunk ? rows - k->chunk : 0;
        size_t count = rows < k->chunk ? rows : k->chunk;
        const mr_bf16 *x = run->inputs[0];
        mr_product_run(&k->product, x + first * mr_shape_size(k->in), blocks,
                       (char *)run->scratch + k->blocks_bytes);
        scatter_job job = {k, blocks, (mr_bf16 *)run->output + first * mr_shape_size(k->out)};
        mr_parallel(run->threads, count * (size_t)k->out.height, scatter, &job);
    }
}

static void free_deconv(mr_kernel *kernel) {
    mr_product_free(&((deconv_kernel *)kernel)->product);
    free(kernel);
}

/* (2, 2, out, in) to a row of 4 out numbers for each input channel, and the bias once for each pixel of the
 * block. */
static mrcnn_status pack_blocks(const mr_prepare *p, const float *kernel, void *user,
                                size_t extra_bytes, mr_pack *pack, mrcnn_error *err) {
    deconv_kernel *k = user;
    size_t in = (size_t)k->in.channels, out = (size_t)k->out.channels, columns = BLOCK * out;
    const mr_tensor *bias = mr_tensors_find(p->weights, p->node->layer, "bias");
    float *rows = mr_calloc(in * columns, sizeof *rows);
    if (!rows) return mr_fail_memory(err, in * columns * sizeof *rows, p->node->layer);
    for (size_t c = 0; c < columns; c++)
        for (size_t i = 0; i < in; i++) rows[i * columns + c] = kernel[c * in + i];
    size_t bias_bytes = columns * sizeof(float);
    mrcnn_status status = mr_product_pack(&k->product, rows, bias_bytes + extra_bytes, pack, err);
    free(rows);
    if (status != MRCNN_OK) return status;
    char *to = (char *)pack->data + pack->bytes;
    for (int i = 0; i < BLOCK; i++)
        memcpy(to + (size_t)i * out * sizeof(float), bias->values, out * sizeof(float));
    pack->bytes += bias_bytes;
    return MRCNN_OK;
}

static mrcnn_status prepare(deconv_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    size_t pixels = (size_t)k->in.height * (size_t)k->in.width, max = (size_t)p->max_rows[k->rows];
    size_t columns = BLOCK * (size_t)k->out.channels;
    const float *bias;
    const mr_pack *pack = NULL;
    k->chunk = max < CHUNK ? max : CHUNK;
    mrcnn_status status =
        mr_product_prepare(&k->product, k->chunk * pixels, k->chunk * pixels,
                           (size_t)k->in.channels, columns, MR_BF16, p->node->relu, err);
    if (status == MRCNN_OK)
        status = mr_cpu_pack(p, "blocks bf16", pack_blocks, k, &pack, &bias, err);
    if (status != MRCNN_OK) return status;
    k->product.weights = pack->data;
    k->product.bias = bias - columns; /* the repeated one lies before the layer's */
    k->blocks_bytes = (k->chunk * pixels * columns * sizeof(mr_bf16) + 63) & ~(size_t)63;
    k->base.scratch_bytes = k->blocks_bytes + mr_dnnl_scratch_bytes(k->product.primitive);
    k->base.algorithm = mr_dnnl_implementation(k->product.primitive);
    return MRCNN_OK;
}

mrcnn_status mr_cpu_deconv_bf16(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    deconv_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a deconvolution");
    k->base.run = run_deconv;
    k->base.free = free_deconv;
    k->rows = p->node->rows;
    k->in = mr_input_shape(p, 0);
    k->out = p->node->shape;
    mrcnn_status status = prepare(k, p, err);
    if (status != MRCNN_OK) {
        free_deconv(&k->base);
        return mr_prefix(err, status, p->node->layer);
    }
    *kernel = &k->base;
    return MRCNN_OK;
}
