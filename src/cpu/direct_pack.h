/* direct_pack.h - packs of weights in the layouts that oneDNN's kernels ask for. */
#ifndef MR_CPU_DIRECT_PACK_H
#define MR_CPU_DIRECT_PACK_H

#include "cpu/onednn.h"
#include "graph/executor.h"

/* Their details are oneDNN's layouts. */
extern const mr_detail_type mr_direct_details;

/* Bytes of weights in that layout, rounded up to whole cache lines. */
size_t mr_direct_pack_size(const mr_dnnl_layout *layout);

/* An empty pack in the primitive's layout, with room for more behind the weights. */
mrcnn_status mr_direct_pack_start(mr_pack *pack, const mr_dnnl *primitive, size_t extra_bytes,
                                  mrcnn_error *err);

/* The same with the kernel (f32 HWIO) in it. */
mrcnn_status mr_direct_pack(const mr_dnnl *primitive, const mr_dnnl_window *window,
                            const float *kernel, size_t extra_bytes, mr_pack *pack,
                            mrcnn_error *err);

/* Another picture size, batch or number of threads may prefer another layout than the one that the node's weights are
 * packed in. That one serves if a primitive can be had for it, which then replaces *primitive; otherwise *pack becomes
 * one that is packed over, bias and all. how: names the packing. */
mrcnn_status mr_direct_pack_suit(mr_dnnl **primitive, const mr_dnnl_window *window,
                                 const mr_prepare *prepare, const char *how, const mr_pack **pack,
                                 mrcnn_error *err);

#endif
