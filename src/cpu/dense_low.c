/* dense_low.c - fully connected layers, and convolutions whose window is the whole map, in lower precision. */
#include "base/error.h"
#include "base/memory.h"
#include "cpu/product.h"

#include <stdlib.h>

enum { CHUNK = 256 }; /* rows: enough to hide the reading of the weights behind arithmetic */

typedef struct dense_kernel {
    mr_kernel base;
    mr_rows rows;
    size_t in_bytes, out_bytes; /* of a row */
    mr_product product;
} dense_kernel;

static void run_dense(mr_kernel *kernel, const mr_run *run) {
    dense_kernel *k = (dense_kernel *)kernel;
    size_t rows = (size_t)run->rows[k->rows], chunk = mr_product_chunk(&k->product);
    for (size_t done = 0; done < rows; done += chunk) {
        size_t first = mr_product_next(chunk, rows, done);
        mr_product_run(&k->product, (const char *)run->inputs[0] + first * k->in_bytes,
                       (char *)run->output + first * k->out_bytes, run->scratch);
    }
}

static void free_dense(mr_kernel *kernel) {
    mr_product_free(&((dense_kernel *)kernel)->product);
    free(kernel);
}

mrcnn_status mr_cpu_dense_low(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    dense_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a dense layer");
    size_t in = mr_shape_size(mr_input_shape(p, 0)), out = (size_t)p->node->shape.channels;
    k->base.run = run_dense;
    k->base.free = free_dense;
    k->rows = p->node->rows;
    k->in_bytes = in * mr_type_size(mr_input_type(p, 0));
    k->out_bytes = out * mr_type_size(p->node->type);
    mrcnn_status status = mr_product_prepare(&k->product, p, (size_t)p->max_rows[k->rows], CHUNK,
                                             in, out, NULL, NULL, err);
    if (status != MRCNN_OK) {
        free_dense(&k->base);
        return status;
    }
    k->base.algorithm = mr_dnnl_implementation(k->product.primitive);
    k->base.scratch_bytes = mr_dnnl_scratch_bytes(k->product.primitive);
    *kernel = &k->base;
    return MRCNN_OK;
}
