/* direct_pack.c - see direct_pack.h. */
#include "cpu/direct_pack.h"

#include "base/error.h"
#include "base/memory.h"

size_t mr_direct_pack_size(const mr_dnnl_layout *layout) {
    return (mr_dnnl_layout_size(layout) + 63) & ~(size_t)63;
}

mrcnn_status mr_direct_pack_start(mr_pack *pack, const mr_dnnl *primitive, size_t extra_bytes,
                                  mrcnn_error *err) {
    mr_dnnl_layout *layout = mr_dnnl_copy_layout(primitive);
    if (!layout) return mr_fail_memory(err, 64, "packed weights");
    pack->detail = layout;
    pack->free_detail = mr_dnnl_free_layout;
    pack->bytes = mr_direct_pack_size(layout);
    pack->data = mr_alloc_aligned(pack->bytes + extra_bytes);
    return pack->data ? MRCNN_OK : mr_fail_memory(err, pack->bytes, "packed weights");
}

mrcnn_status mr_direct_pack(const mr_dnnl *primitive, const mr_dnnl_window *window,
                            const float *kernel, size_t extra_bytes, mr_pack *pack,
                            mrcnn_error *err) {
    mrcnn_status status = mr_direct_pack_start(pack, primitive, extra_bytes, err);
    if (status != MRCNN_OK) return status;
    return mr_dnnl_pack(primitive, window, NULL, kernel, pack->data, err);
}
