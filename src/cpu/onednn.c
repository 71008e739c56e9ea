/* onednn.c - see onednn.h. The only file that includes oneDNN; its first part is all that its two
 * versions differ in. */
#include "cpu/onednn.h"

#include "base/error.h"
#include "base/memory.h"

#include <oneapi/dnnl/dnnl.h>

#include <stdlib.h>
#include <string.h>

/* ----------------------------------------------------------------- versions 2 and 3 of oneDNN */

/* A memory description is a struct in version 2 and a handle in version 3; here it is always
 * something to be freed. */
#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t md_t;
typedef const_dnnl_memory_desc_t const_md_t;
#else
typedef dnnl_memory_desc_t *md_t;
typedef const dnnl_memory_desc_t *const_md_t;
#endif

static void md_free(md_t md) {
#if DNNL_VERSION_MAJOR >= 3
    if (md) dnnl_memory_desc_destroy(md);
#else
    free(md);
#endif
}

static dnnl_data_type_t type_of(mr_type type) {
    static const dnnl_data_type_t types[] = {dnnl_f32, dnnl_bf16, dnnl_u8, dnnl_s8};
    return types[type];
}

static dnnl_status_t md_by_tag(md_t *md, int rank, const dnnl_dims_t dims, mr_type type,
                               dnnl_format_tag_t tag) {
    dnnl_data_type_t numbers = type_of(type);
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_memory_desc_create_with_tag(md, rank, dims, numbers, tag);
#else
    *md = malloc(sizeof **md);
    return *md ? dnnl_memory_desc_init_by_tag(*md, rank, dims, numbers, tag) : dnnl_out_of_memory;
#endif
}

static dnnl_status_t md_clone(md_t *md, const_md_t from) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_memory_desc_clone(md, from);
#else
    *md = malloc(sizeof **md);
    if (!*md) return dnnl_out_of_memory;
    **md = *from;
    return dnnl_success;
#endif
}

/* Version 2 scales results on their way out, by numbers that a primitive is made with: result = (sum + bias) * in *
 * weights / out. Version 3 scales what comes in, adds the bias, and divides at the end, by numbers that come with each
 * run. What is added to is scaled in between by both. */
static dnnl_status_t append_sum(dnnl_post_ops_t ops, const mr_dnnl_scales *scales) {
    dnnl_data_type_t type = scales ? type_of(scales->residual_type) : dnnl_data_type_undef;
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_sum(ops, scales ? scales->residual : 1.0f, 0, type);
#else
    return dnnl_post_ops_append_sum_v2(ops, scales ? scales->residual / scales->out : 1.0f, type);
#endif
}

static dnnl_status_t set_scales(dnnl_primitive_attr_t attr, const mr_dnnl_scales *scales,
                                int filters) {
#if DNNL_VERSION_MAJOR >= 3
    (void)scales, (void)filters;
    dnnl_status_t s = dnnl_primitive_attr_set_scales_mask(attr, DNNL_ARG_SRC, 0);
    if (s == dnnl_success) s = dnnl_primitive_attr_set_scales_mask(attr, DNNL_ARG_WEIGHTS, 1 << 0);
    return s == dnnl_success ? dnnl_primitive_attr_set_scales_mask(attr, DNNL_ARG_DST, 0) : s;
#else
    float *all = mr_calloc((size_t)filters, sizeof *all);
    if (!all) return dnnl_out_of_memory;
    for (int f = 0; f < filters; f++) all[f] = scales->in * scales->weights[f] / scales->out;
    dnnl_status_t s = dnnl_primitive_attr_set_output_scales(attr, filters, 1 << 1, all);
    free(all);
    return s;
#endif
}

void mr_dnnl_scale_bias(const mr_dnnl_scales *scales, const float *bias, float *scaled,
                        size_t count) {
    int divides = DNNL_VERSION_MAJOR < 3;
    for (size_t i = 0; i < count; i++)
        scaled[i] = divides ? bias[i] / (scales->in * scales->weights[i]) : bias[i];
}

static dnnl_status_t append_relu(dnnl_post_ops_t ops) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_post_ops_append_eltwise(ops, dnnl_eltwise_relu, 0.0f, 0.0f);
#else
    return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
#endif
}

#if DNNL_VERSION_MAJOR >= 3
#define SCALES_OF(argument) (DNNL_ARG_ATTR_SCALES | (argument))
#else
#define SCALES_OF(argument) (argument) /* there are none */
#endif

/* What a sliding window reads and writes. */
typedef struct window_md {
    md_t src, weights, bias, dst;
    dnnl_dims_t kernel, strides, dilation, before, after;
} window_md;

static dnnl_status_t describe_convolution(dnnl_primitive_desc_t *desc, const window_md *w,
                                          const_dnnl_primitive_attr_t attr, dnnl_engine_t engine) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_convolution_forward_primitive_desc_create(
        desc, engine, dnnl_forward_inference, dnnl_convolution_direct, w->src, w->weights, w->bias,
        w->dst, w->strides, w->dilation, w->before, w->after, attr);
#else
    dnnl_convolution_desc_t convolution;
    dnnl_status_t s = dnnl_convolution_forward_desc_init(
        &convolution, dnnl_forward_inference, dnnl_convolution_direct, w->src, w->weights, w->bias,
        w->dst, w->strides, w->before, w->after);
    if (s != dnnl_success) return s;
    return dnnl_primitive_desc_create(desc, &convolution, attr, engine, NULL);
#endif
}

static dnnl_status_t describe_max_pool(dnnl_primitive_desc_t *desc, const window_md *w,
                                       const_dnnl_primitive_attr_t attr, dnnl_engine_t engine) {
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_pooling_forward_primitive_desc_create(
        desc, engine, dnnl_forward_inference, dnnl_pooling_max, w->src, w->dst, w->strides,
        w->kernel, w->dilation, w->before, w->after, attr);
#else
    dnnl_pooling_desc_t pooling;
    dnnl_status_t s =
        dnnl_pooling_forward_desc_init(&pooling, dnnl_forward_inference, dnnl_pooling_max, w->src,
                                       w->dst, w->strides, w->kernel, w->before, w->after);
    if (s != dnnl_success) return s;
    return dnnl_primitive_desc_create(desc, &pooling, attr, engine, NULL);
#endif
}

/* --------------------------------------------------------------------------------- primitives */

struct mr_dnnl_layout {
    md_t md;
};

/* Scales that come with each run (version 3): of what is read, of the weights, of what is written. */
typedef struct run_scales {
    float *values;
    dnnl_memory_t src, weights, dst; /* NULL where there is none */
} run_scales;

/* A reorder of weights. */
typedef struct packing {
    dnnl_primitive_t primitive;
    dnnl_memory_t from, to;
} packing;

struct mr_dnnl {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_primitive_t primitive;
    dnnl_memory_t src, weights, bias, dst, scratchpad; /* NULL where there is none */
    run_scales scales;
    md_t weights_md;
    packing packing; /* of weights that change between runs */
    size_t scratch_bytes;
    char implementation[64];
};

static mrcnn_status failed(mrcnn_error *err, const char *what, dnnl_status_t status) {
    if (status == dnnl_out_of_memory) return mr_fail_memory(err, 0, what);
    return mr_fail(err, MRCNN_E_UNSUPPORTED, "oneDNN can't do this %s (status %d)", what,
                   (int)status);
}

static void free_scales(run_scales *s) {
    if (s->src) dnnl_memory_destroy(s->src);
    if (s->weights) dnnl_memory_destroy(s->weights);
    if (s->dst) dnnl_memory_destroy(s->dst);
    free(s->values);
}

static dnnl_status_t make_vector(dnnl_memory_t *memory, float *values, int count,
                                 dnnl_engine_t engine) {
    md_t md = NULL;
    dnnl_dims_t dims = {count};
    dnnl_status_t s = md_by_tag(&md, 1, dims, MR_F32, dnnl_a);
    if (s == dnnl_success) s = dnnl_memory_create(memory, md, engine, values);
    md_free(md);
    return s;
}

/* The numbers stay where they are from now on: weights' first, then what is read and written. */
static dnnl_status_t make_run_scales(run_scales *s, const mr_dnnl_scales *scales, int filters,
                                     dnnl_engine_t engine) {
    if (DNNL_VERSION_MAJOR < 3) return dnnl_success;
    s->values = mr_calloc((size_t)filters + 2, sizeof *s->values);
    if (!s->values) return dnnl_out_of_memory;
    memcpy(s->values, scales->weights, (size_t)filters * sizeof *s->values);
    s->values[filters] = scales->in;
    s->values[filters + 1] = scales->out;
    dnnl_status_t status = make_vector(&s->weights, s->values, filters, engine);
    if (status == dnnl_success) status = make_vector(&s->src, s->values + filters, 1, engine);
    return status == dnnl_success ? make_vector(&s->dst, s->values + filters + 1, 1, engine)
                                  : status;
}

/* Appends them to the arguments of a run; returns how many there are then. */
static int add_scales(const run_scales *s, dnnl_exec_arg_t *args, int count) {
    const struct {
        int index;
        dnnl_memory_t memory;
    } all[] = {{DNNL_ARG_SRC, s->src}, {DNNL_ARG_WEIGHTS, s->weights}, {DNNL_ARG_DST, s->dst}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i].memory) continue;
        args[count].arg = SCALES_OF(all[i].index);
        args[count++].memory = all[i].memory;
    }
    return count;
}

static void free_packing(packing *r) {
    if (r->primitive) dnnl_primitive_destroy(r->primitive);
    if (r->from) dnnl_memory_destroy(r->from);
    if (r->to) dnnl_memory_destroy(r->to);
}

void mr_dnnl_free(mr_dnnl **primitive) {
    mr_dnnl *p = *primitive;
    if (!p) return;
    dnnl_memory_t memories[] = {p->src, p->weights, p->bias, p->dst, p->scratchpad};
    for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
        if (memories[i]) dnnl_memory_destroy(memories[i]);
    free_packing(&p->packing);
    free_scales(&p->scales);
    if (p->primitive) dnnl_primitive_destroy(p->primitive);
    if (p->stream) dnnl_stream_destroy(p->stream);
    if (p->engine) dnnl_engine_destroy(p->engine);
    md_free(p->weights_md);
    free(p);
    *primitive = NULL;
}

static dnnl_status_t make_window(window_md *md, const mr_dnnl_window *w) {
    window_md fresh = {.kernel = {w->kernel_h, w->kernel_w},
                       .strides = {w->stride, w->stride},
                       .before = {w->pad_top, w->pad_left},
                       .after = {w->pad_bottom, w->pad_right}};
    dnnl_dims_t src = {w->n, w->in_c, w->in_h, w->in_w};
    dnnl_dims_t dst = {w->n, w->out_c, w->out_h, w->out_w};
    *md = fresh;
    dnnl_status_t s = md_by_tag(&md->src, 4, src, w->in_type, dnnl_nhwc);
    return s == dnnl_success ? md_by_tag(&md->dst, 4, dst, w->out_type, dnnl_nhwc) : s;
}

static mr_type weights_type(const mr_dnnl_window *w) {
    return mr_type_is_8bit(w->in_type) ? MR_S8 : w->in_type;
}

static dnnl_status_t make_weights(window_md *md, const mr_dnnl_window *w,
                                  const mr_dnnl_layout *layout) {
    dnnl_dims_t weights = {w->out_c, w->in_c, w->kernel_h, w->kernel_w};
    dnnl_dims_t bias = {w->out_c};
    dnnl_status_t s =
        layout ? md_clone(&md->weights, layout->md)
               : md_by_tag(&md->weights, 4, weights, weights_type(w), dnnl_format_tag_any);
    return s == dnnl_success ? md_by_tag(&md->bias, 1, bias, MR_F32, dnnl_a) : s;
}

static void free_window(window_md *md) {
    md_free(md->src);
    md_free(md->weights);
    md_free(md->bias);
    md_free(md->dst);
}

static dnnl_status_t make_attributes(dnnl_primitive_attr_t *attr, const mr_dnnl_window *window,
                                     int add, int relu) {
    dnnl_post_ops_t ops = NULL;
    dnnl_status_t s = dnnl_primitive_attr_create(attr);
    if (s == dnnl_success)
        s = dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
    if (s == dnnl_success) s = dnnl_post_ops_create(&ops);
    if (s == dnnl_success && window->scales) s = set_scales(*attr, window->scales, window->out_c);
    if (s == dnnl_success && add) s = append_sum(ops, window->scales);
    if (s == dnnl_success && relu) s = append_relu(ops);
    if (s == dnnl_success) s = dnnl_primitive_attr_set_post_ops(*attr, ops);
    if (ops) dnnl_post_ops_destroy(ops);
    return s;
}

static dnnl_status_t make_memory(dnnl_memory_t *memory, const_dnnl_primitive_desc_t desc,
                                 dnnl_query_t what, int index, dnnl_engine_t engine) {
    const_md_t md = dnnl_primitive_desc_query_md(desc, what, index);
    if (!md || dnnl_memory_desc_get_size(md) == 0) return dnnl_success; /* there is none */
    return dnnl_memory_create(memory, md, engine, DNNL_MEMORY_NONE);
}

/* Primitive and memory objects from a description. */
static dnnl_status_t finish(mr_dnnl *p, const_dnnl_primitive_desc_t desc) {
    const char *name = NULL;
    dnnl_primitive_desc_query(desc, dnnl_query_impl_info_str, 0, &name);
    strncpy(p->implementation, name ? name : "?", sizeof p->implementation - 1);
    const_md_t scratchpad = dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
    p->scratch_bytes = scratchpad ? dnnl_memory_desc_get_size(scratchpad) : 0;
    const_md_t weights = dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
    dnnl_status_t s = weights ? md_clone(&p->weights_md, weights) : dnnl_success;
    if (s == dnnl_success) s = dnnl_primitive_create(&p->primitive, desc);
    if (s == dnnl_success) s = make_memory(&p->src, desc, dnnl_query_src_md, 0, p->engine);
    if (s == dnnl_success) s = make_memory(&p->weights, desc, dnnl_query_weights_md, 0, p->engine);
    if (s == dnnl_success) s = make_memory(&p->bias, desc, dnnl_query_weights_md, 1, p->engine);
    if (s == dnnl_success) s = make_memory(&p->dst, desc, dnnl_query_dst_md, 0, p->engine);
    if (s == dnnl_success)
        s = make_memory(&p->scratchpad, desc, dnnl_query_scratchpad_md, 0, p->engine);
    return s;
}

static dnnl_status_t start(mr_dnnl **out) {
    mr_dnnl *p = *out = mr_calloc(1, sizeof *p);
    if (!p) return dnnl_out_of_memory;
    dnnl_status_t s = dnnl_engine_create(&p->engine, dnnl_cpu, 0);
    return s == dnnl_success ? dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags)
                             : s;
}

static dnnl_status_t make_convolution(mr_dnnl **p, const mr_dnnl_window *window, int add, int relu,
                                      const mr_dnnl_layout *layout) {
    window_md md;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_status_t s = make_window(&md, window);
    if (s == dnnl_success) s = make_weights(&md, window, layout);
    if (s == dnnl_success) s = start(p);
    if (s == dnnl_success) s = make_attributes(&attr, window, add, relu);
    if (s == dnnl_success) s = describe_convolution(&desc, &md, attr, (*p)->engine);
    if (s == dnnl_success) s = finish(*p, desc);
    if (s == dnnl_success && window->scales)
        s = make_run_scales(&(*p)->scales, window->scales, window->out_c, (*p)->engine);
    if (desc) dnnl_primitive_desc_destroy(desc);
    if (attr) dnnl_primitive_attr_destroy(attr);
    free_window(&md);
    return s;
}

mrcnn_status mr_dnnl_convolution(mr_dnnl **primitive, const mr_dnnl_window *window, int add,
                                 int relu, const mr_dnnl_layout *layout, mrcnn_error *err) {
    mr_dnnl *p = NULL;
    dnnl_status_t s = make_convolution(&p, window, add, relu, layout);
    /* A given layout may lead to a slow way of computing; the caller packs anew then. */
    int unsuitable = layout && (s == dnnl_unimplemented ||
                                (s == dnnl_success && strstr(p->implementation, "ref")));
    if (s != dnnl_success || unsuitable) mr_dnnl_free(&p);
    *primitive = p;
    return s == dnnl_success || unsuitable ? MRCNN_OK : failed(err, "convolution", s);
}

mrcnn_status mr_dnnl_max_pool(mr_dnnl **primitive, const mr_dnnl_window *window, mrcnn_error *err) {
    mr_dnnl *p = NULL;
    window_md md;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t desc = NULL;
    dnnl_status_t s = make_window(&md, window);
    if (s == dnnl_success) s = start(&p);
    if (s == dnnl_success) s = make_attributes(&attr, window, 0, 0);
    if (s == dnnl_success) s = describe_max_pool(&desc, &md, attr, p->engine);
    if (s == dnnl_success) s = finish(p, desc);
    if (desc) dnnl_primitive_desc_destroy(desc);
    if (attr) dnnl_primitive_attr_destroy(attr);
    free_window(&md);
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

void mr_dnnl_run(mr_dnnl *p, const void *x, const void *weights, const float *bias, void *y,
                 void *scratch) {
    struct {
        int index;
        dnnl_memory_t memory;
        void *data;
    } all[] = {{DNNL_ARG_SRC, p->src, (void *)x},
               {DNNL_ARG_WEIGHTS, p->weights, (void *)weights},
               {DNNL_ARG_BIAS, p->bias, (void *)bias},
               {DNNL_ARG_DST, p->dst, y},
               {DNNL_ARG_SCRATCHPAD, p->scratchpad, scratch}};
    dnnl_exec_arg_t args[sizeof all / sizeof *all + 3];
    int count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (!all[i].memory) continue;
        dnnl_memory_set_data_handle(all[i].memory, all[i].data);
        args[count].arg = all[i].index;
        args[count++].memory = all[i].memory;
    }
    count = add_scales(&p->scales, args, count);
    dnnl_primitive_execute(p->primitive, p->stream, count, args);
    dnnl_stream_wait(p->stream);
}

/* ------------------------------------------------------------------------- layouts of weights */

mr_dnnl_layout *mr_dnnl_copy_layout(const mr_dnnl *primitive) {
    mr_dnnl_layout *layout = mr_calloc(1, sizeof *layout);
    if (layout && md_clone(&layout->md, primitive->weights_md) != dnnl_success) {
        free(layout);
        layout = NULL;
    }
    return layout;
}

void mr_dnnl_free_layout(void *layout) {
    mr_dnnl_layout *l = layout;
    if (l) md_free(l->md);
    free(l);
}

int mr_dnnl_has_layout(const mr_dnnl *primitive, const mr_dnnl_layout *layout) {
    return dnnl_memory_desc_equal(primitive->weights_md, layout->md);
}

size_t mr_dnnl_layout_size(const mr_dnnl_layout *layout) {
    return dnnl_memory_desc_get_size(layout->md);
}

/* Version 2's descriptions are plain structs; version 3 has functions for it from some release on (3.9 has them, 3.2
 * hasn't). */
#if DNNL_VERSION_MAJOR < 3
size_t mr_dnnl_freeze_layout(const mr_dnnl_layout *layout, void *bytes, size_t room) {
    size_t length = sizeof *layout->md;
    if (length > room) return 0;
    memcpy(bytes, layout->md, length);
    return length;
}

static dnnl_status_t thaw_md(md_t *md, const void *bytes, size_t length) {
    dnnl_memory_desc_t copy;
    if (length != sizeof copy) return dnnl_invalid_arguments;
    memcpy(&copy, bytes, length);
    return md_clone(md, &copy);
}
#elif DNNL_VERSION_MAJOR > 3 || DNNL_VERSION_MINOR >= 9
size_t mr_dnnl_freeze_layout(const mr_dnnl_layout *layout, void *bytes, size_t room) {
    size_t length = 0;
    if (dnnl_memory_desc_get_blob(NULL, &length, layout->md) != dnnl_success || length > room ||
        dnnl_memory_desc_get_blob(bytes, &length, layout->md) != dnnl_success)
        return 0;
    return length;
}

static dnnl_status_t thaw_md(md_t *md, const void *bytes, size_t length) {
    (void)length;
    return dnnl_memory_desc_create_with_blob(md, bytes);
}
#else
size_t mr_dnnl_freeze_layout(const mr_dnnl_layout *layout, void *bytes, size_t room) {
    (void)layout, (void)bytes, (void)room;
    return 0;
}

static dnnl_status_t thaw_md(md_t *md, const void *bytes, size_t length) {
    (void)md, (void)bytes, (void)length;
    return dnnl_unimplemented;
}
#endif

mr_dnnl_layout *mr_dnnl_thaw_layout(const void *bytes, size_t length) {
    mr_dnnl_layout *layout = mr_calloc(1, sizeof *layout);
    if (layout && thaw_md(&layout->md, bytes, length) != dnnl_success) {
        free(layout);
        layout = NULL;
    }
    return layout;
}

static dnnl_status_t make_packing(packing *r, const mr_dnnl *p, const_md_t from) {
    dnnl_primitive_desc_t desc = NULL;
    dnnl_status_t s = dnnl_memory_create(&r->from, from, p->engine, DNNL_MEMORY_NONE);
    if (s == dnnl_success)
        s = dnnl_memory_create(&r->to, p->weights_md, p->engine, DNNL_MEMORY_NONE);
    if (s == dnnl_success)
        s = dnnl_reorder_primitive_desc_create(&desc, from, p->engine, p->weights_md, p->engine,
                                               NULL);
    if (s == dnnl_success) s = dnnl_primitive_create(&r->primitive, desc);
    if (desc) dnnl_primitive_desc_destroy(desc);
    return s;
}

/* From the layout, or from HWIO if it is NULL. */
static dnnl_status_t make_packing_from(packing *r, const mr_dnnl *p, const mr_dnnl_window *w,
                                       const mr_dnnl_layout *layout) {
    if (layout) return make_packing(r, p, layout->md);
    md_t hwio = NULL;
    dnnl_dims_t dims = {w->out_c, w->in_c, w->kernel_h, w->kernel_w};
    dnnl_status_t s = md_by_tag(&hwio, 4, dims, w->scales ? MR_S8 : MR_F32, dnnl_hwio);
    if (s == dnnl_success) s = make_packing(r, p, hwio);
    md_free(hwio);
    return s;
}

static dnnl_status_t run_packing(const packing *r, const mr_dnnl *p, const void *from, void *to) {
    dnnl_memory_set_data_handle(r->from, (void *)from);
    dnnl_memory_set_data_handle(r->to, to);
    dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, r->from}, {DNNL_ARG_TO, r->to}};
    dnnl_status_t s = dnnl_primitive_execute(r->primitive, p->stream, 2, args);
    return s == dnnl_success ? dnnl_stream_wait(p->stream) : s;
}

mrcnn_status mr_dnnl_pack(const mr_dnnl *p, const mr_dnnl_window *w,
                          const mr_dnnl_layout *from_layout, const void *from, void *to,
                          mrcnn_error *err) {
    packing r = {NULL, NULL, NULL};
    dnnl_status_t s = make_packing_from(&r, p, w, from_layout);
    if (s == dnnl_success) s = run_packing(&r, p, from, to);
    free_packing(&r);
    return s == dnnl_success ? MRCNN_OK : failed(err, "packing of weights", s);
}

mrcnn_status mr_dnnl_prepare_packing(mr_dnnl *p, const mr_dnnl_window *w, mrcnn_error *err) {
    dnnl_status_t s = make_packing_from(&p->packing, p, w, NULL);
    return s == dnnl_success ? MRCNN_OK : failed(err, "packing of weights", s);
}

size_t mr_dnnl_packed_size(const mr_dnnl *p) {
    return dnnl_memory_desc_get_size(p->weights_md);
}

void mr_dnnl_pack_prepared(mr_dnnl *p, const float *hwio, float *packed) {
    run_packing(&p->packing, p, hwio, packed);
}

/* ----------------------------------------------------------------------------- matrix product */

void mr_dnnl_matmul(size_t m, size_t n, size_t k, mr_matrix a, mr_matrix b, float beta, float *c,
                    size_t c_stride) {
    dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', (dnnl_dim_t)m, (dnnl_dim_t)n,
               (dnnl_dim_t)k, 1.0f, a.data, (dnnl_dim_t)a.stride, b.data, (dnnl_dim_t)b.stride,
               beta, c, (dnnl_dim_t)c_stride);
}
