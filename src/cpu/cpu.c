/* cpu.c - the CPU executor's table: which file prepares which node, and how its packed weights are
 * kept. */
#include "cpu/cpu.h"
#include "cpu/direct_pack.h"
#include "cpu/training.h"

#include "base/bf16.h"
#include "base/error.h"
#include "base/memory.h"
#include "cpu/winograd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

mrcnn_shape mr_input_shape(const mr_prepare *prepare, int k) {
    return prepare->graph->nodes[prepare->node->inputs[k]].shape;
}

mr_type mr_input_type(const mr_prepare *prepare, int k) {
    return prepare->graph->nodes[prepare->node->inputs[k]].type;
}

float mr_input_scale(const mr_prepare *prepare, int k) {
    const mr_node *input = &prepare->graph->nodes[prepare->node->inputs[k]];
    return mr_type_is_8bit(input->type) ? input->scale : 1;
}

mr_dnnl_scales mr_cpu_scales(const mr_prepare *p) {
    const mr_node *n = p->node;
    mr_dnnl_scales s = {mr_input_scale(p, 0), mr_type_is_8bit(n->type) ? n->scale : 1, 1, n->type,
                        NULL};
    if (n->residual < 0) return s;
    const mr_node *residual = &p->graph->nodes[n->residual];
    s.residual_type = residual->type;
    if (mr_type_is_8bit(residual->type)) s.residual = residual->scale;
    return s;
}

static int filters_of(const mr_node *node) {
    return node->op == MR_OP_MASK_SELECT ? node->filters : node->shape.channels;
}

typedef struct packing {
    const mr_prepare *prepare;
    mr_kernel_packer pack_kernel;
    void *user;
} packing;

static mrcnn_status make(mr_pack *pack, void *user, mrcnn_error *err) {
    const packing *p = user;
    size_t bias_bytes = (size_t)filters_of(p->prepare->node) * sizeof(float);
    float *kernel, *bias;
    mrcnn_status status = mr_folded_weights(p->prepare, &kernel, &bias, err);
    if (status != MRCNN_OK) return status;
    status = p->pack_kernel(p->prepare, kernel, p->user, bias_bytes, pack, err);
    if (status == MRCNN_OK) {
        memcpy((char *)pack->data + pack->bytes, bias, bias_bytes);
        pack->bytes += bias_bytes;
    }
    free(kernel);
    free(bias);
    return status;
}

mrcnn_status mr_cpu_pack(const mr_prepare *prepare, const char *how, mr_kernel_packer pack_kernel,
                         void *user, const mr_pack **pack, const float **bias, mrcnn_error *err) {
    packing p = {prepare, pack_kernel, user};
    char key[3 * MR_NAME];
    snprintf(key, sizeof key, "%s:%s:%s", how, prepare->node->layer, prepare->node->batch_norm);
    mrcnn_status status = mr_packs_get(prepare->packs, key, make, &p, pack, err);
    if (status != MRCNN_OK) return status;
    mr_release_kernel(prepare);
    size_t bias_bytes = (size_t)filters_of(prepare->node) * sizeof(float);
    *bias =
        (const float *)(const void *)((const char *)(*pack)->data + (*pack)->bytes - bias_bytes);
    return MRCNN_OK;
}

mrcnn_status mr_pack_plain(const mr_prepare *prepare, const float *kernel, void *user,
                           size_t extra_bytes, mr_pack *pack, mrcnn_error *err) {
    (void)user;
    const mr_tensor *t = mr_tensors_find(prepare->weights, prepare->node->layer, "kernel");
    pack->bytes = t->count * sizeof(float);
    pack->data = mr_alloc_aligned(pack->bytes + extra_bytes);
    if (!pack->data) return mr_fail_memory(err, pack->bytes, prepare->node->layer);
    memcpy(pack->data, kernel, pack->bytes);
    return MRCNN_OK;
}

/* The choice of algorithm looks at what is the same in pictures of all sizes, never at the map's: a
 * layer's raw weights are released once its graph is compiled. */

/* Winograd's kernels are written for f32, and for bf16 and 8 bits in any mixture. */
static int winograd_takes(mr_type in, mr_type out) {
    if (in == MR_F32 || out == MR_F32) return in == out && mr_winograd_is_fast();
    return mr_bf16_is_native();
}

/* 3x3 stride 1 with one pixel of padding all around: what Winograd's F(4x4, 3x3) does. With few
 * channels its transforms cost more than they save. */
int mr_cpu_suits_winograd(const mr_prepare *p) {
    const mr_node *n = p->node;
    return n->kernel_h == 3 && n->kernel_w == 3 && n->stride == 1 && n->pad_top == 1 &&
           n->pad_left == 1 && n->pad_bottom == 1 && n->pad_right == 1 &&
           mr_input_shape(p, 0).channels >= 16 && n->shape.channels >= 16 &&
           winograd_takes(mr_input_type(p, 0), n->type);
}

/* A window that is the whole RoI sees all of it at once: a matrix product (the box head's 7x7
 * convolution). */
static int is_dense(const mr_prepare *p) {
    const mr_node *n = p->node;
    int padding = n->pad_top + n->pad_left + n->pad_bottom + n->pad_right;
    return n->rows == MR_ROWS_ROIS && n->shape.height == 1 && n->shape.width == 1 &&
           n->residual < 0 && padding == 0 && n->kernel_h == mr_input_shape(p, 0).height &&
           n->kernel_w == mr_input_shape(p, 0).width;
}

mr_dnnl_window mr_cpu_window(const mr_prepare *p) {
    const mr_node *n = p->node;
    mrcnn_shape in = mr_input_shape(p, 0);
    mr_dnnl_window w = {.n = 1,
                        .in_h = in.height,
                        .in_w = in.width,
                        .in_c = in.channels,
                        .out_h = n->shape.height,
                        .out_w = n->shape.width,
                        .out_c = n->shape.channels,
                        .kernel_h = n->kernel_h,
                        .kernel_w = n->kernel_w,
                        .stride = n->stride,
                        .pad_top = n->pad_top,
                        .pad_left = n->pad_left,
                        .pad_bottom = n->pad_bottom,
                        .pad_right = n->pad_right,
                        .in_type = mr_input_type(p, 0),
                        .out_type = n->type};
    if (n->op == MR_OP_DENSE || is_dense(p)) {
        w.in_c = (int)mr_shape_size(in);
        w.in_h = w.in_w = w.kernel_h = w.kernel_w = w.stride = 1;
    }
    return w;
}

mrcnn_status mr_cpu_conv(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err) {
    if (is_dense(prepare)) return mr_cpu_dense(prepare, kernel, err);
    if (!mr_cpu_suits_winograd(prepare)) return mr_cpu_conv_direct(prepare, kernel, err);
    if (prepare->node->type != MR_F32) return mr_cpu_conv_chosen(prepare, kernel, err);
    return mr_cpu_conv_winograd(prepare, kernel, err);
}

static const struct {
    mr_op op;
    mr_cpu_prepare prepare;
} table[] = {
    {MR_OP_CONV, mr_cpu_conv},
    {MR_OP_DENSE, mr_cpu_dense},
    {MR_OP_DECONV, mr_cpu_deconv},
    {MR_OP_BATCH_NORM, mr_cpu_batch_norm},
    {MR_OP_RELU, mr_cpu_elementwise},
    {MR_OP_ADD, mr_cpu_elementwise},
    {MR_OP_ZERO_PAD, mr_cpu_elementwise},
    {MR_OP_UPSAMPLE, mr_cpu_elementwise},
    {MR_OP_SOFTMAX, mr_cpu_elementwise},
    {MR_OP_MAX_POOL, mr_cpu_max_pool},
    {MR_OP_ROI_ALIGN, mr_cpu_roi_align},
    {MR_OP_MASK_SELECT, mr_cpu_mask_select},
    {MR_OP_CONVERT, mr_cpu_convert},
};

static mrcnn_status prepare_cpu(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err) {
    const mr_node *node = prepare->node;
    if (node->pixel_group >= 0 && node->op != MR_OP_CONV && mr_cpu_trains(prepare))
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "only a convolution's output can have its gradient at a few pixels");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].op == prepare->node->op) return table[i].prepare(prepare, kernel, err);
    return mr_fail(err, MRCNN_E_UNSUPPORTED, "the CPU executor has no operation %d",
                   (int)prepare->node->op);
}

/* Products of four pairs of 8-bit numbers at a time: without them sums would have to be kept from overflowing. */
static int has_vnni(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl");
#else
    return 0;
#endif
}

static int computes_in(mr_type type) {
    if (type == MR_BF16) return mr_bf16_is_native();
    return type == MR_F32 || has_vnni();
}

/* oneDNN's bf16 products of rows take pairs of numbers: the last of an odd count is multiplied with what lies
 * behind it and a weight of zero, which is NaN if that is. */
static int lowers(const mrcnn_graph *graph, const mr_node *node, mr_type type) {
    if (type == MR_S8) return 1;
    mrcnn_shape in = graph->nodes[node->inputs[0]].shape;
    if (node->op == MR_OP_DENSE) return mr_shape_size(in) % 2 == 0;
    int pairs = in.channels % 2 == 0;
    if (node->op == MR_OP_DECONV) return pairs;
    return node->op != MR_OP_CONV || pairs || (node->kernel_h > 1 && node->kernel_h != in.height);
}

static void *allocate(size_t bytes) {
    return mr_alloc_workspace(bytes);
}

static void release(void *memory) {
    free(memory);
}

const mr_executor mr_executor_cpu = {"cpu",       &mr_direct_details, computes_in, lowers,
                                     prepare_cpu, allocate,           release};
