/* cpu.h - inside the CPU executor: one prepare function for each kind of node. Activations are NHWC, f32,
 * bf16 or 8 bits as their nodes say. */
#ifndef MR_CPU_CPU_H
#define MR_CPU_CPU_H

#include "cpu/onednn.h"
#include "graph/executor.h"

typedef mrcnn_status (*mr_cpu_prepare)(const mr_prepare *prepare, mr_kernel **kernel,
                                       mrcnn_error *err);

mrcnn_status mr_cpu_conv(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
mrcnn_status mr_cpu_conv_direct(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
mrcnn_status mr_cpu_conv_winograd(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
/* The faster one of the two, in bf16 or 8 bits. */
mrcnn_status mr_cpu_conv_chosen(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
mrcnn_status mr_cpu_dense(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
mrcnn_status mr_cpu_deconv(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
mrcnn_status mr_cpu_dense_low(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
mrcnn_status mr_cpu_deconv_low(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
mrcnn_status mr_cpu_max_pool(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
mrcnn_status mr_cpu_roi_align(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
mrcnn_status mr_cpu_mask_select(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
mrcnn_status mr_cpu_batch_norm(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
mrcnn_status mr_cpu_convert(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
mrcnn_status mr_cpu_elementwise(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);

/* Input shape k of the node. */
mrcnn_shape mr_input_shape(const mr_prepare *prepare, int k);
mr_type mr_input_type(const mr_prepare *prepare, int k);
float mr_input_scale(const mr_prepare *prepare, int k);
/* What the numbers of a product node stand for; the weights' scales are still to be set. */
mr_dnnl_scales mr_cpu_scales(const mr_prepare *prepare);
/* 1 when the node is a 3x3 convolution that Winograd's algorithm is for. */
int mr_cpu_suits_winograd(const mr_prepare *prepare);
/* One row of a convolution or dense node. What sees all of its input at once is a convolution of one
 * pixel. */
mr_dnnl_window mr_cpu_window(const mr_prepare *prepare);

/* The node's packed weights with its folded bias behind them: *bias points into the pack. `how`
 * names the packing. `pack_kernel` turns a folded kernel into pack->data with room for `filters`
 * floats more at the end, and sets pack->bytes (without them). */
typedef mrcnn_status (*mr_kernel_packer)(const mr_prepare *prepare, const float *kernel, void *user,
                                         size_t extra_bytes, mr_pack *pack, mrcnn_error *err);
mrcnn_status mr_cpu_pack(const mr_prepare *prepare, const char *how, mr_kernel_packer pack_kernel,
                         void *user, const mr_pack **pack, const float **bias, mrcnn_error *err);

/* A packer that keeps the layer's own layout. */
mrcnn_status mr_pack_plain(const mr_prepare *prepare, const float *kernel, void *user,
                           size_t extra_bytes, mr_pack *pack, mrcnn_error *err);

#endif
