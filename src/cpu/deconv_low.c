/* deconv_low.c - 2x2 stride 2 transposed convolution in lower precision: a product that gives each input pixel's
 * block of outputs, as in deconv.c, with bias and ReLU in its store, and copies. */
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
    size_t chunk;               /* RoIs */
    size_t in_bytes, out_bytes; /* of a RoI */
    size_t blocks_bytes;
    mr_product product;
} deconv_kernel;

typedef struct scatter_job {
    const char *blocks; /* in pixel, (a, b, out) */
    char *y;
    size_t width, pixel; /* of output: pixels in a row, bytes of one */
} scatter_job;

/* Output rows [begin, end) of the chunk. The two pixels of a block's row lie side by side in both. */
static void scatter(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const scatter_job *job = context;
    for (size_t i = begin; i < end; i++) {
        char *y = job->y + i * job->width * job->pixel;
        const char *line =
            job->blocks + (i / 2 * (job->width / 2) * BLOCK + i % 2 * 2) * job->pixel;
        for (size_t x = 0; x < job->width / 2; x++)
            memcpy(y + 2 * x * job->pixel, line + x * BLOCK * job->pixel, 2 * job->pixel);
    }
}

static void run_deconv(mr_kernel *kernel, const mr_run *run) {
    deconv_kernel *k = (deconv_kernel *)kernel;
    size_t rows = (size_t)run->rows[k->rows], count = rows < k->chunk ? rows : k->chunk;
    size_t width = (size_t)k->out.width, height = (size_t)k->out.height;
    for (size_t done = 0; done < rows; done += k->chunk) {
        size_t first = mr_product_next(k->chunk, rows, done);
        mr_product_run(&k->product, (const char *)run->inputs[0] + first * k->in_bytes,
                       run->scratch, (char *)run->scratch + k->blocks_bytes);
        scatter_job job = {run->scratch, (char *)run->output + first * k->out_bytes, width,
                           k->out_bytes / width / height};
        mr_parallel(run->threads, count * height, scatter, &job);
    }
}

static void free_deconv(mr_kernel *kernel) {
    mr_product_free(&((deconv_kernel *)kernel)->product);
    free(kernel);
}

/* (2, 2, out, in) to a row of 4 out numbers for each input channel. */
static void arrange_blocks(const void *user, const float *kernel, float *rows) {
    const deconv_kernel *k = user;
    size_t in = (size_t)k->in.channels, columns = BLOCK * (size_t)k->out.channels;
    for (size_t c = 0; c < columns; c++)
        for (size_t i = 0; i < in; i++) rows[i * columns + c] = kernel[c * in + i];
}

static mrcnn_status prepare(deconv_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    size_t pixels = (size_t)k->in.height * (size_t)k->in.width, max = (size_t)p->max_rows[k->rows];
    size_t columns = BLOCK * (size_t)k->out.channels;
    k->chunk = max < 1 ? 1 : max < CHUNK ? max : CHUNK;
    size_t rows = k->chunk * pixels;
    mrcnn_status status = mr_product_prepare(&k->product, p, rows, rows, (size_t)k->in.channels,
                                             columns, arrange_blocks, k, err);
    if (status != MRCNN_OK) return status;
    k->blocks_bytes = (rows * columns * mr_type_size(p->node->type) + 63) & ~(size_t)63;
    k->base.scratch_bytes = k->blocks_bytes + mr_dnnl_scratch_bytes(k->product.primitive);
    k->base.algorithm = mr_dnnl_implementation(k->product.primitive);
    return MRCNN_OK;
}

mrcnn_status mr_cpu_deconv_low(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    deconv_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a deconvolution");
    k->base.run = run_deconv;
    k->base.free = free_deconv;
    k->rows = p->node->rows;
    k->in = mr_input_shape(p, 0);
    k->out = p->node->shape;
    k->in_bytes = mr_shape_size(k->in) * mr_type_size(mr_input_type(p, 0));
    k->out_bytes = mr_shape_size(k->out) * mr_type_size(p->node->type);
    mrcnn_status status = prepare(k, p, err);
    if (status != MRCNN_OK) {
        free_deconv(&k->base);
        return status;
    }
    *kernel = &k->base;
    return MRCNN_OK;
}
