/* conv_winograd.c - 3x3 stride 1 convolution nodes by our own Winograd kernels. */
#include "base/error.h"
#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/winograd.h"

#include <stdlib.h>
#include <string.h>

typedef struct winograd_kernel {
    mr_kernel base;
    mr_winograd_shape shape;
    mr_rows rows;
    int relu;
    const float *weights, *bias;
} winograd_kernel;

static void run_winograd(mr_kernel *kernel, const mr_run *run) {
    winograd_kernel *k = (winograd_kernel *)kernel;
    mr_winograd_shape shape = k->shape;
    shape.n = run->rows[k->rows];
    mr_winograd_epilogue epilogue = {k->bias, run->residual, k->relu};
    mr_winograd_forward(&shape, run->inputs[0], k->weights, &epilogue, run->output, run->scratch,
                        run->threads);
}

static void free_winograd(mr_kernel *kernel) {
    free(kernel);
}

static mrcnn_status pack_winograd(const mr_prepare *p, const float *kernel, void *user,
                                  size_t extra_bytes, mr_pack *pack, mrcnn_error *err) {
    const mr_winograd_shape *s = user;
    pack->bytes = (mr_winograd_packed_size(s->c_in, s->c_out) * sizeof(float) + 63) & ~(size_t)63;
    pack->data = mr_alloc_aligned(pack->bytes + extra_bytes);
    if (!pack->data) return mr_fail_memory(err, pack->bytes, p->node->layer);
    mr_winograd_pack(kernel, s->c_in, s->c_out, pack->data, p->threads);
    return MRCNN_OK;
}

/* The number of RoIs is known at run time only, and fewer tiles can be cut into larger runs: the
 * most that any number needs. */
static size_t largest_scratch(mr_winograd_shape shape, mr_rows rows, int threads) {
    size_t largest = mr_winograd_scratch_size(&shape, threads);
    while (rows == MR_ROWS_ROIS && --shape.n > 0) {
        size_t bytes = mr_winograd_scratch_size(&shape, threads);
        if (bytes > largest) largest = bytes;
    }
    return largest;
}

mrcnn_status mr_cpu_conv_winograd(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    winograd_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a convolution");
    mrcnn_shape in = mr_input_shape(p, 0);
    k->base.run = run_winograd;
    k->base.free = free_winograd;
    k->base.algorithm = "winograd F(4,3)";
    k->rows = p->node->rows;
    k->relu = p->node->relu;
    mr_winograd_shape shape = {p->max_rows[k->rows], in.height, in.width, in.channels,
                               p->node->shape.channels};
    k->shape = shape;
    k->base.scratch_bytes = largest_scratch(shape, k->rows, p->threads);
    const mr_pack *pack;
    mrcnn_status status = mr_cpu_pack(p, "winograd", pack_winograd, &shape, &pack, &k->bias, err);
    if (status != MRCNN_OK) {
        free(k);
        return status;
    }
    k->weights = pack->data;
    *kernel = &k->base;
    return MRCNN_OK;
}
