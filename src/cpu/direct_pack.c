/* direct_pack.c - see direct_pack.h. */
#include "cpu/direct_pack.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

static size_t freeze(const void *layout, void *bytes, size_t room) {
    return mr_dnnl_freeze_layout(layout, bytes, room);
}

static void *thaw(const void *bytes, size_t length) {
    return mr_dnnl_thaw_layout(bytes, length);
}

const mr_detail_type mr_direct_details = {mr_dnnl_free_layout, freeze, thaw};

size_t mr_direct_pack_size(const mr_dnnl_layout *layout) {
    return (mr_dnnl_layout_size(layout) + 63) & ~(size_t)63;
}

mrcnn_status mr_direct_pack_start(mr_pack *pack, const mr_dnnl *primitive, size_t extra_bytes,
                                  mrcnn_error *err) {
    mr_dnnl_layout *layout = mr_dnnl_copy_layout(primitive);
    if (!layout) return mr_fail_memory(err, 64, "packed weights");
    pack->detail = layout;
    pack->details = &mr_direct_details;
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

typedef struct repacking {
    const mr_dnnl *primitive;
    const mr_dnnl_window *window;
    const mr_pack *from;
} repacking;

static mrcnn_status repack(mr_pack *pack, void *user, mrcnn_error *err) {
    const repacking *r = user;
    size_t old = mr_direct_pack_size(r->from->detail);
    size_t extra = r->from->bytes - old; /* the bias */
    mrcnn_status status = mr_direct_pack_start(pack, r->primitive, extra, err);
    if (status != MRCNN_OK) return status;
    memcpy((char *)pack->data + pack->bytes, (const char *)r->from->data + old, extra);
    pack->bytes += extra;
    return mr_dnnl_pack(r->primitive, r->window, r->from->detail, r->from->data, pack->data, err);
}

mrcnn_status mr_direct_pack_suit(mr_dnnl **primitive, const mr_dnnl_window *window,
                                 const mr_prepare *p, const char *how, const mr_pack **pack,
                                 mrcnn_error *err) {
    mr_dnnl *same = NULL;
    if (mr_dnnl_has_layout(*primitive, (*pack)->detail)) return MRCNN_OK;
    mrcnn_status status = mr_dnnl_convolution(&same, window, p->node->residual >= 0, p->node->relu,
                                              (*pack)->detail, err);
    if (status != MRCNN_OK) return status;
    if (same) {
        mr_dnnl_free(primitive);
        *primitive = same;
        return MRCNN_OK;
    }
    repacking from = {*primitive, window, *pack};
    for (int i = 1; status == MRCNN_OK && !mr_dnnl_has_layout(*primitive, (*pack)->detail); i++) {
        char key[3 * MR_NAME];
        snprintf(key, sizeof key, "%s %d:%s:%s", how, i, p->node->layer, p->node->batch_norm);
        status = mr_packs_get(p->packs, key, repack, &from, pack, err);
    }
    return status;
}
