/* product.h - rows times weights in bf16, prepared once: what dense layers and deconvolutions are. Rows come in
 * chunks of one size, because oneDNN's fast kernels want to know it; what is left over is computed together with
 * some rows that have been computed before. */
#ifndef MR_CPU_PRODUCT_H
#define MR_CPU_PRODUCT_H

#include "cpu/cpu.h"

typedef struct mr_product {
    mr_dnnl *primitive;
    mr_dnnl_window window; /* a picture of chunk x 1 pixels */
    const void *weights;   /* set by who has them packed */
    const float *bias;
} mr_product;

/* For up to max_rows rows of `in` numbers to as many of `out`, chunk of them at a time or fewer; also
 * sets nothing but primitive and window. */
mrcnn_status mr_product_prepare(mr_product *product, size_t max_rows, size_t chunk, size_t in,
                                size_t out, mr_type out_type, int relu, mrcnn_error *err);
void mr_product_free(mr_product *product);

size_t mr_product_chunk(const mr_product *product);
/* Rows [return value, return value + chunk) are the next to be computed, `done` of `rows` are. */
size_t mr_product_next(const mr_product *product, size_t rows, size_t done);
/* x and y: `chunk` rows. What of them is behind the last row is memory, and means nothing. */
void mr_product_run(const mr_product *product, const void *x, void *y, void *scratch);

/* Weights of a product as a pack's data, with room for `extra_bytes` behind: kernel has a row of `out`
 * numbers for each of the `in`. */
mrcnn_status mr_product_pack(const mr_product *product, const float *kernel, size_t extra_bytes,
                             mr_pack *pack, mrcnn_error *err);

#endif
