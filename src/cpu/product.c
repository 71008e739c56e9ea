/* product.c - see product.h. A product is a 1x1 convolution of a picture whose pixels are the rows. */
#include "cpu/product.h"

#include "cpu/direct_pack.h"

mrcnn_status mr_product_prepare(mr_product *product, size_t max_rows, size_t chunk, size_t in,
                                size_t out, mr_type out_type, int relu, mrcnn_error *err) {
    if (max_rows < 1) max_rows = 1;
    if (chunk > max_rows) chunk = max_rows;
    size_t chunks = (max_rows + chunk - 1) / chunk;
    int rows = (int)((max_rows + chunks - 1) / chunks);
    mr_dnnl_window w = {.n = 1,
                        .in_h = 1,
                        .in_w = rows,
                        .in_c = (int)in,
                        .out_h = 1,
                        .out_w = rows,
                        .out_c = (int)out,
                        .kernel_h = 1,
                        .kernel_w = 1,
                        .stride = 1,
                        .in_type = MR_BF16,
                        .out_type = out_type};
    product->window = w;
    return mr_dnnl_convolution(&product->primitive, &w, 0, relu, NULL, err);
}

void mr_product_free(mr_product *product) {
    mr_dnnl_free(&product->primitive);
}

size_t mr_product_chunk(const mr_product *product) {
    return (size_t)product->window.in_w;
}

size_t mr_product_next(const mr_product *product, size_t rows, size_t done) {
    size_t chunk = mr_product_chunk(product);
    if (rows - done >= chunk) return done;
    return rows > chunk ? rows - chunk : 0;
}

void mr_product_run(const mr_product *product, const void *x, void *y, void *scratch) {
    mr_dnnl_run(product->primitive, x, product->weights, product->bias, y, scratch);
}

mrcnn_status mr_product_pack(const mr_product *product, const float *kernel, size_t extra_bytes,
                             mr_pack *pack, mrcnn_error *err) {
    return mr_direct_pack(product->primitive, &product->window, kernel, extra_bytes, pack, err);
}
