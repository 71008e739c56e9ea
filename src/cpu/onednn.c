/* onednn.c - see onednn.h. The only file that includes oneDNN. */
#include "cpu/onednn.h"

#include "base/error.h"
#include "base/memory.h"

#include <oneapi/dnnl/dnnl.h>

#include <stdlib.h>
#include <string.h>

#if DNNL_VERSION_MAJOR != 2
#error "this file speaks to oneDNN 2.x; see its functions for what version 3 needs"
#endif

struct mr_dnnl {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    dnnl_memory_t src, weights, bias, dst, scratchpad; /* NULL where there is none */
    dnnl_memory_desc_t weights_layout;
    size_t scratch_bytes;
    char implementation[64];
};

static mrcnn_status failed(mrcnn_error *err, const char *what, dnnl_status_t status) {
    if (status == dnnl_out_of_memory) return mr_fail_memory(err, 0, what);
    return mr_fail(err, MRCNN_E_UNSUPPORTED, "oneDNN can't do this %s (status %d)", what,
                   (int)status);
}

void mr_dnnl_free(mr_dnnl **primitive) {
    mr_dnnl *p = *primitive;
    if (!p) return;
    dnnl_memory_t memories[] = {p->src, p->weights, p->bias, p->dst, p->scratchpad};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (memories[i]) dnnl_memory_destroy(memories[i]);
    if (p->primitive) dnnl_primitive_destroy(p->primitive);
    if (p->stream) dnnl_stream_destroy(p->stream);
    if (p->engine) dnnl_engine_destroy(p->engine);
    free(p);
    *primitive = NULL;
}

static dnnl_status_t nhwc(dnnl_memory_desc_t *md, int n, int c, int h, int w) {
    dnnl_dims_t dims = {n, c, h, w};
    return dnnl_memory_desc_init_by_tag(md, 4, dims, dnnl_f32, dnnl_nhwc);
}

static dnnl_status_t weights_md(dnnl_memory_desc_t *md, const mr_dnnl_window *w,
                                dnnl_format_tag_t tag) {
    dnnl_dims_t dims = {w->out_c, w->in_c, w->kernel_h, w->kernel_w};
    return dnnl_memory_desc_init_by_tag(md, 4, dims, dnnl_f32, tag);
}

static dnnl_status_t make_attributes(dnnl_primitive_attr_t *attr, int add, int relu) {
    dnnl_status_t s = dnnl_primitive_attr_create(attr);
    if (s == dnnl_success)
        s = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
    dnnl_post_ops_t ops = NULL;
    if (s == dnnl_success) s = dnnl_post_ops_create(&ops);
    if (s == dnnl_success && add) s = dnnl_post_ops_append_sum(ops, 1.0f);
    if (s == dnnl_success && relu)
        s = dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
    if (s == dnnl_success) s = dnnl_primitive_attr_set_post_ops(*attr, ops);
    if (ops) dnnl_post_ops_destroy(ops);
    return s;
}

static dnnl_status_t make_memory(dnnl_memory_t *memory, const_dnnl_primitive_desc_t desc,
                                 dnnl_query_t what, dnnl_engine_t engine) {
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(desc, what, 0);
    if (!md || md->ndims == 0) return dnnl_success; /* this primitive has none */
    return dnnl_memory_create(memory, md, engine, DNNL_MEMORY_NONE);
}

/* Primitive and memory objects from a description. */
static dnnl_status_t finish(mr_dnnl *p, const_dnnl_primitive_desc_t desc) {
    const dnnl_memory_desc_t *layout = dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
    if (layout) p->weights_layout = *layout;
    const char *name = NULL;
    dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &name);
    strncpy(p->implementation, name ? name : "?", sizeof p->implementation - 1);
    p->scratch_bytes =
        dnnl_memory_desc_get_size(dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0));
    dnnl_status_t s = dnnl_primitive_create(&p->primitive, desc);
    if (s == dnnl_success) s = make_memory(&p->src, desc, dnnl_query_src_md, p->engine);
    if (s == dnnl_success) s = make_memory(&p->dst, desc, dnnl_query_dst_md, p->engine);
    if (s == dnnl_success && layout) {
        s = make_memory(&p->weights, desc, dnnl_query_weights_md, p->engine);
        if (s == dnnl_success) {
            const dnnl_memory_desc_t *bias =
                dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 1);
            if (bias && bias->ndims)
                s = dnnl_memory_create(&p->bias, bias, p->engine, DNNL_MEMORY_NONE);
        }
    }
    if (s == dnnl_success)
        s = make_memory(&p->scratchpad, desc, dnnl_query_scratchpad_md, p->engine);
    return s;
}

static dnnl_status_t start(mr_dnnl **out) {
    mr_dnnl *p = mr_calloc(1, sizeof *p);
    if (!p) return dnnl_out_of_memory;
    dnnl_status_t s = dnnl_engine_create(&p->engine, dnnl_cpu, 0);
    if (s == dnnl_success) s = dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags);
    *out = p;
    return s;
}

static dnnl_status_t describe_convolution(dnnl_primitive_desc_t *desc, mr_dnnl *p,
                                          const mr_dnnl_window *w, dnnl_primitive_attr_t attr,
                                          const dnnl_memory_desc_t *weights) {
    dnnl_memory_desc_t src, dst, bias, any;
    dnnl_dims_t bias_dims = {w->out_c}, strides = {w->stride, w->stride};
    dnnl_dims_t before = {w->pad_top, w->pad_left}, after = {w->pad_bottom, w->pad_right};
    dnnl_status_t s = nhwc(&src, w->n, w->in_c, w->in_h, w->in_w);
    if (s == dnnl_success) s = nhwc(&dst, w->n, w->out_c, w->out_h, w->out_w);
    if (s == dnnl_success) s = weights_md(&any, w, dnnl_format_tag_any);
    if (s == dnnl_success) s = dnnl_memory_desc_init_by_tag(&bias, 1, bias_dims, dnnl_f32, dnnl_a);
    dnnl_convolution_desc_t convolution;
    if (s == dnnl_success)
        s = dnnl_convolution_forward_desc_init(
            &convolution, dnnl_forward_inference, dnnl_convolution_direct, &src,
            weights ? weights : &any, &bias, &dst, strides, before, after);
    if (s == dnnl_success)
        s = dnnl_primitive_desc_create(desc, &convolution, attr, p->engine, NULL);
    return s;
}

mrcnn_status mr_dnnl_convolution(mr_dnnl **primitive, const mr_dnnl_window *window, int add,
                                 int relu, const void *packed_layout, mrcnn_error *err) {
    mr_dnnl *p = NULL;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_status_t s = start(&p);
    if (s == dnnl_success) s = make_attributes(&attr, add, relu);
    if (s == dnnl_success) s = describe_convolution(&desc, p, window, attr, packed_layout);
    if (s == dnnl_success) s = finish(p, desc);
    if (desc) dnnl_primitive_desc_destroy(desc);
    if (attr) dnnl_primitive_attr_destroy(attr);
    /* A given layout may lead to a slow way of computing; the caller packs anew then. */
    int unsuitable = packed_layout && (s == dnnl_unimplemented ||
                                       (s == dnnl_success && strstr(p->implementation, "ref")));
    if (s != dnnl_success || unsuitable) mr_dnnl_free(&p);
    *primitive = p;
    return s == dnnl_success || unsuitable ? MRCNN_OK : failed(err, "convolution", s);
}

mrcnn_status mr_dnnl_max_pool(mr_dnnl **primitive, const mr_dnnl_window *w, mrcnn_error *err) {
    mr_dnnl *p = NULL;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_memory_desc_t src, dst;
    dnnl_pooling_desc_t pooling;
    dnnl_dims_t strides = {w->stride, w->stride}, kernel = {w->kernel_h, w->kernel_w};
    dnnl_dims_t before = {w->pad_top, w->pad_left}, after = {w->pad_bottom, w->pad_right};
    dnnl_status_t s = start(&p);
    if (s == dnnl_success) s = make_attributes(&attr, 0, 0);
    if (s == dnnl_success) s = nhwc(&src, w->n, w->in_c, w->in_h, w->in_w);
    if (s == dnnl_success) s = nhwc(&dst, w->n, w->out_c, w->out_h, w->out_w);
    if (s == dnnl_success)
        s = dnnl_pooling_forward_desc_init(&pooling, dnnl_forward_inference, dnnl_pooling_max, &src,
                                           &dst, strides, kernel, before, after);
    if (s == dnnl_success) s = dnnl_primitive_desc_create(&desc, &pooling, attr, p->engine, NULL);
    if (s == dnnl_success) s = finish(p, desc);
    if (desc) dnnl_primitive_desc_destroy(desc);
    if (attr) dnnl_primitive_attr_destroy(attr);
    if (s != dnnl_success) mr_dnnl_free(&p);
    *primitive = p;
    return s == dnnl_success ? MRCNN_OK : failed(err, "max pooling", s);
}

size_t mr_dnnl_scratch_bytes(const mr_dnnl *primitive) {
    return primitive->scratch_bytes;
}

const char *mr_dnnl_implementation(const mr_dnnl *primitive) {
    return primitive->implementation;
}

size_t mr_dnnl_layout_bytes(void) {
    return sizeof(dnnl_memory_desc_t);
}

const void *mr_dnnl_layout(const mr_dnnl *primitive) {
    return &primitive->weights_layout;
}

size_t mr_dnnl_packed_bytes(const void *layout) {
    return dnnl_memory_desc_get_size(layout);
}

mrcnn_status mr_dnnl_pack(const mr_dnnl *p, const mr_dnnl_window *window, const void *from_layout,
                          const float *from, float *to, mrcnn_error *err) {
    dnnl_memory_desc_t hwio;
    dnnl_memory_t src = NULL, dst = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_primitive_t reorder = NULL;
    dnnl_status_t s = weights_md(&hwio, window, dnnl_hwio);
    const dnnl_memory_desc_t *from_md = from_layout ? from_layout : &hwio;
    if (s == dnnl_success) s = dnnl_memory_create(&src, from_md, p->engine, (void *)from);
    if (s == dnnl_success) s = dnnl_memory_create(&dst, &p->weights_layout, p->engine, to);
    if (s == dnnl_success)
        s = dnnl_reorder_primitive_desc_create(&desc, from_md, p->engine, &p->weights_layout,
                                               p->engine, NULL);
    if (s == dnnl_success) s = dnnl_primitive_create(&reorder, desc);
    if (s == dnnl_success) {
        dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, src}, {DNNL_ARG_TO, dst}};
        s = dnnl_primitive_execute(reorder, p->stream, 2, args);
    }
    if (s == dnnl_success) s = dnnl_stream_wait(p->stream);
    if (reorder) dnnl_primitive_destroy(reorder);
    if (desc) dnnl_primitive_desc_destroy(desc);
    if (src) dnnl_memory_destroy(src);
    if (dst) dnnl_memory_destroy(dst);
    return s == dnnl_success ? MRCNN_OK : failed(err, "packing of weights", s);
}

void mr_dnnl_run(mr_dnnl *p, const float *x, const float *weights, const float *bias, float *y,
                 void *scratch) {
    dnnl_exec_arg_t args[5];
    int count = 0;
    struct {
        int index;
        dnnl_memory_t memory;
        void *data;
    } all[] = {{DNNL_ARG_SRC, p->src, (void *)x},
               {DNNL_ARG_WEIGHTS, p->weights, (void *)weights},
               {DNNL_ARG_BIAS, p->bias, (void *)bias},
               {DNNL_ARG_DST, p->dst, y},
               {DNNL_ARG_SCRATCHPAD, p->scratchpad, scratch}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i].memory) continue;
        dnnl_memory_set_data_handle(all[i].memory, all[i].data);
        args[count].arg = all[i].index;
        args[count++].memory = all[i].memory;
    }
    dnnl_primitive_execute(p->primitive, p->stream, count, args);
    dnnl_stream_wait(p->stream);
}

void mr_dnnl_matmul(int transpose_b, size_t m, size_t n, size_t k, const float *a, const float *b,
                    float *c) {
    dnnl_sgemm('N', transpose_b ? 'T' : 'N', (dnnl_dim_t)m, (dnnl_dim_t)n, (dnnl_dim_t)k, 1.0f, a,
               (dnnl_dim_t)k, b, (dnnl_dim_t)(transpose_b ? k : n), 0.0f, c, (dnnl_dim_t)n);
}
