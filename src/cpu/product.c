/* product.c - see product.h. A product is a 1x1 convolution of a picture whose pixels are the rows. */
#include "cpu/product.h"

#include "base/error.h"
#include "base/memory.h"
#include "cpu/direct_pack.h"

#include <stdlib.h>

typedef struct packing {
    const mr_product *product;
    mr_arrange arrange;
    const void *user;
} packing;

static mrcnn_status pack_bf16(const mr_prepare *p, const float *kernel, void *user,
                              size_t extra_bytes, mr_pack *pack, mrcnn_error *err) {
    const packing *make = user;
    const mr_product *product = make->product;
    size_t count = (size_t)product->window.in_c * (size_t)product->window.out_c;
    float *arranged = make->arrange ? mr_calloc(count, sizeof *arranged) : NULL;
    if (make->arrange && !arranged)
        return mr_fail_memory(err, count * sizeof *arranged, p->node->layer);
    if (arranged) make->arrange(make->user, kernel, arranged);
    mrcnn_status status = mr_direct_pack(product->primitive, &product->window,
                                         arranged ? arranged : kernel, extra_bytes, pack, err);
    free(arranged);
    return status;
}

static mrcnn_status prepare_bf16(mr_product *product, const mr_prepare *p, packing *make,
                                 mrcnn_error *err) {
    static const char *const how = "product bf16";
    size_t out = (size_t)product->window.out_c, own = (size_t)p->node->shape.channels;
    const mr_pack *pack = NULL;
    const float *bias = NULL;
    mrcnn_status status =
        mr_dnnl_convolution(&product->primitive, &product->window, 0, p->node->relu, NULL, err);
    if (status == MRCNN_OK) status = mr_cpu_pack(p, how, pack_bf16, make, &pack, &bias, err);
    if (status == MRCNN_OK)
        status = mr_direct_pack_suit(&product->primitive, &product->window, p, how, &pack, err);
    if (status != MRCNN_OK) return status;
    product->weights = pack->data;
    bias = (const float *)(const void *)((const char *)pack->data + pack->bytes) - own;
    product->bias = mr_calloc(out, sizeof *product->bias);
    if (!product->bias) return mr_fail_memory(err, out * sizeof(float), p->node->layer);
    for (size_t f = 0; f < out; f++) product->bias[f] = bias[f % own];
    return MRCNN_OK;
}

static mrcnn_status prepare_8bit(mr_product *product, const mr_prepare *p, const packing *make,
                                 mrcnn_error *err) {
    mr_quantized q = {.window = product->window, .relu = p->node->relu};
    mrcnn_status status =
        mr_quantize_layer(&q, p, "product 8 bits", make->arrange, make->user, err);
    product->primitive = q.primitive;
    product->weights = q.weights;
    product->bias = q.bias;
    return status;
}

mrcnn_status mr_product_prepare(mr_product *product, const mr_prepare *p, size_t max_rows,
                                size_t chunk, size_t in, size_t out, mr_arrange arrange,
                                const void *user, mrcnn_error *err) {
    if (max_rows < 1) max_rows = 1;
    if (chunk < 1 || chunk > max_rows) chunk = max_rows;
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
                        .in_type = mr_input_type(p, 0),
                        .out_type = p->node->type};
    packing make = {product, arrange, user};
    product->window = w;
    mrcnn_status status = mr_type_is_8bit(w.in_type) ? prepare_8bit(product, p, &make, err)
                                                     : prepare_bf16(product, p, &make, err);
    return status == MRCNN_OK ? status : mr_prefix(err, status, p->node->layer);
}

void mr_product_free(mr_product *product) {
    mr_dnnl_free(&product->primitive);
    free(product->bias);
}

size_t mr_product_chunk(const mr_product *product) {
    return (size_t)product->window.in_w;
}

size_t mr_product_next(size_t chunk, size_t rows, size_t done) {
    if (rows - done >= chunk) return done;
    return rows > chunk ? rows - chunk : 0;
}

void mr_product_run(const mr_product *product, const void *x, void *y, void *scratch) {
    mr_dnnl_run(product->primitive, x, product->weights, product->bias, y, scratch);
}
