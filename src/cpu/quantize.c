/* quantize.c - see quantize.h. A pack has the weights in the primitive's layout and behind them the filters' scales;
 * mr_cpu_pack adds the layer's bias. */
#include "cpu/quantize.h"

#include "base/error.h"
#include "base/int8.h"
#include "base/memory.h"
#include "cpu/direct_pack.h"

#include <stdlib.h>

typedef struct packing {
    const mr_quantized *quantized;
    mr_arrange arrange;
    const void *user;
} packing;

static size_t rows_of(const mr_dnnl_window *w) {
    return (size_t)w->kernel_h * (size_t)w->kernel_w * (size_t)w->in_c;
}

static mrcnn_status pack_arranged(const mr_quantized *q, const float *kernel, size_t extra_bytes,
                                  mr_pack *pack, mrcnn_error *err) {
    mr_dnnl_window window = q->window;
    size_t filters = (size_t)window.out_c, bytes = filters * sizeof(float);
    mrcnn_status status = mr_direct_pack_start(pack, q->primitive, bytes + extra_bytes, err);
    if (status != MRCNN_OK) return status;
    float *scales = (float *)(void *)((char *)pack->data + pack->bytes);
    mr_filters columns = {rows_of(&window), filters, 1};
    if (!mr_int8_scales(scales, kernel, &columns))
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "it has weights that 8-bit integers can't stand for; detect with "
                       "--precision f32");
    mr_dnnl_scales all = {1, 1, 1, MR_S8, scales};
    window.scales = &all;
    pack->bytes += bytes;
    return mr_dnnl_pack(q->primitive, &window, NULL, kernel, pack->data, err);
}

static mrcnn_status pack_layer(const mr_prepare *p, const float *kernel, void *user,
                               size_t extra_bytes, mr_pack *pack, mrcnn_error *err) {
    const packing *make = user;
    const mr_dnnl_window *w = &make->quantized->window;
    if (!make->arrange) return pack_arranged(make->quantized, kernel, extra_bytes, pack, err);
    float *arranged = mr_calloc(rows_of(w) * (size_t)w->out_c, sizeof *arranged);
    if (!arranged) return mr_fail_memory(err, rows_of(w) * sizeof *arranged, p->node->layer);
    make->arrange(make->user, kernel, arranged);
    mrcnn_status status = pack_arranged(make->quantized, arranged, extra_bytes, pack, err);
    free(arranged);
    return status;
}

/* The primitive anew, with scales that are known now. The weights may be in a layout that another size of picture
 * asked for. */
static mrcnn_status use_scales(mr_quantized *q, const mr_pack *pack, mrcnn_error *err) {
    mr_dnnl *scaled = NULL;
    mrcnn_status status =
        mr_dnnl_convolution(&scaled, &q->window, q->add, q->relu, pack->detail, err);
    if (status != MRCNN_OK) return status;
    if (!scaled)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "its 8-bit weights are packed for pictures of another size; load the model "
                       "once more for this one");
    mr_dnnl_free(&q->primitive);
    q->primitive = scaled;
    return MRCNN_OK;
}

static mrcnn_status make_ready(mr_quantized *q, const mr_prepare *p, const char *how, packing *make,
                               mr_dnnl_scales *scales, mrcnn_error *err) {
    size_t filters = (size_t)q->window.out_c, own = (size_t)p->node->shape.channels;
    const mr_pack *pack = NULL;
    const float *bias = NULL;
    mrcnn_status status =
        mr_dnnl_convolution(&q->primitive, &q->window, q->add, q->relu, NULL, err);
    if (status == MRCNN_OK) status = mr_cpu_pack(p, how, pack_layer, make, &pack, &bias, err);
    if (status != MRCNN_OK) return status;
    size_t at = mr_direct_pack_size(pack->detail);
    scales->weights = (const float *)(const void *)((const char *)pack->data + at);
    q->weights = pack->data;
    for (size_t f = 0; f < filters; f++) q->bias[f] = bias[f % own];
    mr_dnnl_scale_bias(scales, q->bias, q->bias, filters);
    return use_scales(q, pack, err);
}

mrcnn_status mr_quantize_layer(mr_quantized *q, const mr_prepare *p, const char *how,
                               mr_arrange arrange, const void *user, mrcnn_error *err) {
    size_t filters = (size_t)q->window.out_c;
    packing make = {q, arrange, user};
    /* Which layout it wants doesn't depend on the scales. */
    float *ones = mr_calloc(filters, sizeof *ones);
    q->bias = mr_calloc(filters, sizeof *q->bias);
    if (!ones || !q->bias) {
        free(ones);
        return mr_fail_memory(err, filters * sizeof *ones, "scales");
    }
    for (size_t f = 0; f < filters; f++) ones[f] = 1;
    mr_dnnl_scales scales = mr_cpu_scales(p);
    scales.weights = ones;
    q->window.scales = &scales;
    mrcnn_status status = make_ready(q, p, how, &make, &scales, err);
    q->window.scales = NULL;
    free(ones);
    return status;
}
