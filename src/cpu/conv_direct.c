/* conv_direct.c - convolution by oneDNN's direct kernels, with bias, residual and ReLU in the
 * store. In training with bf16 factors x is converted first, unless
 * its number of channels is odd: oneDNN multiplies pairs. */
#include "base/bf16.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/conv_gradients.h"
#include "cpu/cpu.h"
#include "cpu/direct_pack.h"
#include "cpu/quantize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct conv_kernel {
    mr_kernel base;
    mr_dnnl *primitive;
    mr_rows rows;
    const void *weights; /* these belong to the pack; NULL in training */
    const float *bias;
    size_t in_bytes, out_bytes; /* of one row */
    size_t in_size;             /* numbers of one row */
    float *own_bias;            /* of 8-bit numbers: as the primitive wants it; else NULL */
    int narrows;                /* training: x is converted to bf16 first */
    size_t most_rows;
    mr_conv_gradients gradients;
} conv_kernel;

/* The primitive of image nodes does the whole batch; the number of RoIs is known at run time only,
 * so theirs does one. */
static void convolve(conv_kernel *k, const mr_run *run, const void *x, const void *weights,
                     const float *bias, void *scratch) {
    size_t rows = (size_t)run->rows[k->rows];
    if (run->residual && run->residual != run->output)
        memcpy(run->output, run->residual, rows * k->out_bytes);
    size_t calls = k->rows == MR_ROWS_IMAGES ? 1 : rows;
    for (size_t i = 0; i < calls; i++)
        mr_dnnl_run(k->primitive, (const char *)x + i * k->in_bytes, weights, bias,
                    (char *)run->output + i * k->out_bytes, scratch);
}

static void run_conv(mr_kernel *kernel, const mr_run *run) {
    conv_kernel *k = (conv_kernel *)kernel;
    convolve(k, run, run->inputs[0], k->weights, k->bias, run->scratch);
}

/* Scratch of a forward run that packs. */
typedef struct training_scratch {
    float *packed, *bias;
    mr_bf16 *x;
    void *work; /* the folded kernel, then the primitive's */
} training_scratch;

static training_scratch cut_scratch(const conv_kernel *k, mr_scratch *scratch) {
    training_scratch s;
    const mr_fold *fold = &k->gradients.fold;
    size_t room = mr_fold_room(fold), primitive = mr_dnnl_scratch_bytes(k->primitive);
    s.packed = mr_take(scratch, mr_dnnl_packed_size(k->primitive));
    s.bias = mr_take(scratch, fold->filters * sizeof(float));
    s.x = mr_take(scratch, k->narrows ? k->most_rows * k->in_bytes : 0);
    s.work = mr_take(scratch, room > primitive ? room : primitive);
    return s;
}

typedef struct narrow_job {
    const float *from;
    mr_bf16 *to;
} narrow_job;

static void narrow(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const narrow_job *job = context;
    mr_bf16_from_floats(job->from + begin, job->to + begin, end - begin);
}

static void run_training(mr_kernel *kernel, const mr_run *run) {
    conv_kernel *k = (conv_kernel *)kernel;
    mr_scratch scratch = {run->scratch, 0};
    training_scratch s = cut_scratch(k, &scratch);
    const float *hwio = mr_fold_weights(&k->gradients.fold, s.work, s.bias, run->threads);
    mr_dnnl_pack_prepared(k->primitive, hwio, s.packed);
    if (k->narrows) {
        narrow_job job = {mr_input_f32(run, 0), s.x};
        mr_parallel(run->threads, (size_t)run->rows[k->rows] * k->in_size, narrow, &job);
    }
    convolve(k, run, k->narrows ? s.x : run->inputs[0], s.packed, s.bias, s.work);
}

static void backward_conv(mr_kernel *kernel, const mr_backward *b) {
    mr_conv_gradients_run(&((conv_kernel *)kernel)->gradients, b);
}

static void free_conv(mr_kernel *kernel) {
    conv_kernel *k = (conv_kernel *)kernel;
    mr_dnnl_free(&k->primitive);
    free(k->own_bias);
    free(k);
}

static mr_dnnl_window window_of(const mr_prepare *p) {
    mr_dnnl_window w = mr_cpu_window(p);
    if (p->node->rows == MR_ROWS_IMAGES) w.n = p->max_rows[MR_ROWS_IMAGES];
    return w;
}

/* What a new pack is made for. */
typedef struct source {
    const mr_dnnl *primitive;
    const mr_dnnl_window *window;
} source;

static mrcnn_status pack_layout(const mr_prepare *p, const float *kernel, void *user,
                                size_t extra_bytes, mr_pack *pack, mrcnn_error *err) {
    (void)p;
    const source *s = user;
    return mr_direct_pack(s->primitive, s->window, kernel, extra_bytes, pack, err);
}

/* Names the packing. */
static const char *how(const mr_prepare *p) {
    return mr_input_type(p, 0) == MR_BF16 ? "direct bf16" : "direct";
}

static mrcnn_status use_pack(conv_kernel *k, const mr_prepare *p, const mr_dnnl_window *window,
                             mrcnn_error *err) {
    const mr_pack *pack = NULL;
    source from = {k->primitive, window};
    mrcnn_status status = mr_cpu_pack(p, how(p), pack_layout, &from, &pack, &k->bias, err);
    if (status == MRCNN_OK)
        status = mr_direct_pack_suit(&k->primitive, window, p, how(p), &pack, err);
    if (status != MRCNN_OK) return status;
    k->weights = pack->data;
    k->bias = (const float *)(const void *)((const char *)pack->data + pack->bytes) -
              p->node->shape.channels;
    k->base.scratch_bytes = mr_dnnl_scratch_bytes(k->primitive);
    return MRCNN_OK;
}

static mrcnn_status prepare_training(conv_kernel *k, const mr_prepare *p,
                                     const mr_dnnl_window *window, mrcnn_error *err) {
    k->base.run = run_training;
    if (mr_cpu_trains(p)) k->base.backward = backward_conv;
    mrcnn_status status = mr_dnnl_prepare_packing(k->primitive, window, err);
    if (status == MRCNN_OK) status = mr_conv_gradients_prepare(&k->gradients, p, err);
    if (status != MRCNN_OK) return status;
    mr_scratch forward = {NULL, 0};
    cut_scratch(k, &forward);
    size_t backward = k->base.backward ? k->gradients.scratch_bytes : 0;
    k->base.scratch_bytes = forward.used > backward ? forward.used : backward;
    return MRCNN_OK;
}

static mrcnn_status prepare_8bit(conv_kernel *k, const mr_prepare *p, const mr_dnnl_window *window,
                                 mrcnn_error *err) {
    mr_quantized q = {.window = *window, .add = p->node->residual >= 0, .relu = p->node->relu};
    mrcnn_status status = mr_quantize_layer(&q, p, "8 bits", NULL, NULL, err);
    k->primitive = q.primitive;
    k->weights = q.weights;
    k->bias = k->own_bias = q.bias;
    if (status == MRCNN_OK) k->base.scratch_bytes = mr_dnnl_scratch_bytes(k->primitive);
    return status;
}

static mrcnn_status prepare_float(conv_kernel *k, const mr_prepare *p, const mr_dnnl_window *window,
                                  mrcnn_error *err) {
    mrcnn_status status = mr_dnnl_convolution(&k->primitive, window, p->node->residual >= 0,
                                              p->node->relu, NULL, err);
    if (status != MRCNN_OK) return status;
    return mr_cpu_packs_anew(p) ? prepare_training(k, p, window, err) : use_pack(k, p, window, err);
}

mrcnn_status mr_cpu_conv_direct(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    conv_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a convolution");
    k->base.run = run_conv;
    k->base.free = free_conv;
    k->rows = p->node->rows;
    k->in_bytes = mr_shape_size(mr_input_shape(p, 0)) * mr_type_size(mr_input_type(p, 0));
    k->out_bytes = mr_shape_size(p->node->shape) * mr_type_size(p->node->type);
    k->in_size = mr_shape_size(mr_input_shape(p, 0));
    k->most_rows = (size_t)p->max_rows[k->rows];
    k->narrows =
        mr_cpu_packs_anew(p) && p->products == MR_BF16 && mr_input_shape(p, 0).channels % 2 == 0;
    if (k->narrows) k->in_bytes = k->in_size * sizeof(mr_bf16);
    mr_dnnl_window window = window_of(p);
    if (k->narrows) window.in_type = MR_BF16;
    mrcnn_status status = mr_type_is_8bit(window.in_type) ? prepare_8bit(k, p, &window, err)
                                                          : prepare_float(k, p, &window, err);
    if (status != MRCNN_OK) {
        free_conv(&k->base);
        return mr_prefix(err, status, p->node->layer);
    }
    k->base.algorithm = mr_dnnl_implementation(k->primitive);
    *kernel = &k->base;
    return MRCNN_OK;
}
