/* product.h - rows times weights in bf16 or 8 bits, prepared once: what dense layers and deconvolutions are. Rows
 * come in chunks of one size, because oneDNN's fast kernels want to know it; what is left over is computed together
 * with some rows that have been computed before. */
#ifndef MR_CPU_PRODUCT_H
#define MR_CPU_PRODUCT_H

#include "cpu/quantize.h"

typedef struct mr_product {
    mr_dnnl *primitive;
    mr_dnnl_window window; /* a picture of chunk x 1 pixels */
    const void *weights;   /* belong to the pack */
    float *bias;
} mr_product;

/* For up to max_rows rows of `in` numbers of the node's input to as many of `out` of its output, `chunk` of them at a
 * time or fewer. arrange, user: as in quantize.h. */
mrcnn_status mr_product_prepare(mr_product *product, const mr_prepare *prepare, size_t max_rows,
                                size_t chunk, size_t in, size_t out, mr_arrange arrange,
                                const void *user, mrcnn_error *err);
void mr_product_free(mr_product *product);

size_t mr_product_chunk(const mr_product *product);
/* Rows [return value, return value + chunk) are the next to be computed, `done` of `rows` are. */
size_t mr_product_next(size_t chunk, size_t rows, size_t done);
/* x and y: `chunk` rows. What of them is behind the last row is memory, and means nothing. */
void mr_product_run(const mr_product *product, const void *x, void *y, void *scratch);

#endif
