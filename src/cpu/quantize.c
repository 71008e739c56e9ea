/* quantize.c - see quantize.h. A layer has one pack of plain integers in HWIO with its filters' scales behind them (and
 * the bias, which mr_cpu_pack adds), and of these one for each layout that some size of picture asks for. */
#include "cpu/quantize.h"

#include "base/error.h"
#include "base/int8.h"
#include "base/memory.h"
#include "cpu/direct_pack.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct packing {
    const mr_quantized *quantized;
    mr_arrange arrange;
    const void *user;
    const mr_pack *plain; /* for a layout */
} packing;

static size_t rows_of(const mr_dnnl_window *w) {
    return (size_t)w->kernel_h * (size_t)w->kernel_w * (size_t)w->in_c;
}

/* Bytes of the integers, up to the scales. */
static size_t plain_bytes(const mr_dnnl_window *w) {
    return (rows_of(w) * (size_t)w->out_c + 63) & ~(size_t)63;
}

static mrcnn_status pack_arranged(const mr_dnnl_window *w, const float *kernel, size_t extra_bytes,
                                  mr_pack *pack, mrcnn_error *err) {
    mr_filters filters = {rows_of(w), (size_t)w->out_c, 1};
    pack->bytes = plain_bytes(w) + filters.count * sizeof(float);
    pack->data = mr_alloc_aligned(pack->bytes + extra_bytes);
    if (!pack->data) return mr_fail_memory(err, pack->bytes, "packed weights");
    float *scales = (float *)(void *)((char *)pack->data + plain_bytes(w));
    if (!mr_int8_scales(scales, kernel, &filters))
        return mr_fail(
            err, MRCNN_E_UNSUPPORTED,
            "it has weights that 8-bit integers can't stand for; detect with --precision "
            "f32");
    mr_int8_from_floats(pack->data, kernel, scales, &filters);
    return MRCNN_OK;
}

static mrcnn_status pack_plain(const mr_prepare *p, const float *kernel, void *user,
                               size_t extra_bytes, mr_pack *pack, mrcnn_error *err) {
    const packing *make = user;
    const mr_dnnl_window *w = &make->quantized->window;
    if (!make->arrange) return pack_arranged(w, kernel, extra_bytes, pack, err);
    size_t count = rows_of(w) * (size_t)w->out_c;
    float *arranged = mr_calloc(count, sizeof *arranged);
    if (!arranged) return mr_fail_memory(err, count * sizeof *arranged, p->node->layer);
    make->arrange(make->user, kernel, arranged);
    mrcnn_status status = pack_arranged(w, arranged, extra_bytes, pack, err);
    free(arranged);
    return status;
}

static mrcnn_status pack_layout(mr_pack *pack, void *user, mrcnn_error *err) {
    const packing *make = user;
    const mr_quantized *q = make->quantized;
    mrcnn_status status = mr_direct_pack_start(pack, q->primitive, 0, err);
    if (status != MRCNN_OK) return status;
    return mr_dnnl_pack(q->primitive, &q->window, NULL, make->plain->data, pack->data, err);
}

/* The pack in the primitive's layout. Layouts are numbered as they come up. */
static mrcnn_status find_layout(const mr_quantized *q, const mr_prepare *p, const char *how,
                                packing *make, const mr_pack **pack, mrcnn_error *err) {
    for (int i = 0;; i++) {
        char key[3 * MR_NAME];
        snprintf(key, sizeof key, "%s %d:%s:%s", how, i, p->node->layer, p->node->batch_norm);
        mrcnn_status status = mr_packs_get(p->packs, key, pack_layout, make, pack, err);
        if (status != MRCNN_OK || mr_dnnl_has_layout(q->primitive, (*pack)->detail)) return status;
    }
}

mrcnn_status mr_quantize_layer(mr_quantized *q, const mr_prepare *p, const char *how,
                               mr_arrange arrange, const void *user, mrcnn_error *err) {
    size_t filters = (size_t)q->window.out_c, own = (size_t)p->node->shape.channels;
    packing make = {q, arrange, user, NULL};
    mr_dnnl_scales scales = mr_cpu_scales(p);
    const mr_pack *pack = NULL;
    const float *bias = NULL;
    mrcnn_status status = mr_cpu_pack(p, how, pack_plain, &make, &make.plain, &bias, err);
    if (status != MRCNN_OK) return status;
    q->bias = mr_calloc(filters, sizeof *q->bias);
    if (!q->bias) return mr_fail_memory(err, filters * sizeof *q->bias, p->node->layer);
    scales.weights =
        (const float *)(const void *)((const char *)make.plain->data + plain_bytes(&q->window));
    q->window.scales = &scales;
    status = mr_dnnl_convolution(&q->primitive, &q->window, q->add, q->relu, NULL, err);
    if (status == MRCNN_OK) status = find_layout(q, p, how, &make, &pack, err);
    if (status == MRCNN_OK) {
        q->weights = pack->data;
        for (size_t f = 0; f < filters; f++) q->bias[f] = bias[f % own];
        mr_dnnl_scale_bias(&scales, q->bias, q->bias, filters);
    }
    q->window.scales = NULL;
    return status;
}
