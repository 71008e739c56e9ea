/* max_pool.c - max pooling by oneDNN; a 1x1 window (the pyramid's P6) is plain subsampling. */
#include "base/error.h"
#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/onednn.h"

#include <stdlib.h>
#include <string.h>

typedef struct pool_kernel {
    mr_kernel base;
    mr_dnnl *primitive; /* NULL: subsampling */
    mrcnn_shape in, out;
    int stride;
} pool_kernel;

static void subsample(mr_kernel *kernel, const mr_run *run) {
    const pool_kernel *k = (const pool_kernel *)kernel;
    size_t channels = (size_t)k->in.channels;
    float *y = run->output;
    for (int n = 0; n < run->rows[MR_ROWS_IMAGES]; n++)
        for (int oy = 0; oy < k->out.height; oy++)
            for (int ox = 0; ox < k->out.width; ox++, y += channels) {
                size_t row = (size_t)n * (size_t)k->in.height + (size_t)(oy * k->stride);
                size_t at = row * (size_t)k->in.width + (size_t)(ox * k->stride);
                memcpy(y, run->inputs[0] + at * channels, channels * sizeof *y);
            }
}

static void run_pool(mr_kernel *kernel, const mr_run *run) {
    pool_kernel *k = (pool_kernel *)kernel;
    mr_dnnl_run(k->primitive, run->inputs[0], NULL, NULL, run->output, run->scratch);
}

static void free_pool(mr_kernel *kernel) {
    pool_kernel *k = (pool_kernel *)kernel;
    mr_dnnl_free(&k->primitive);
    free(k);
}

mrcnn_status mr_cpu_max_pool(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    const mr_node *n = p->node;
    if (n->rows != MR_ROWS_IMAGES)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "max pooling of RoIs isn't supported");
    pool_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a pooling layer");
    k->base.free = free_pool;
    k->base.run = subsample;
    k->base.algorithm = "copy";
    k->in = mr_input_shape(p, 0);
    k->out = n->shape;
    k->stride = n->stride;
    *kernel = &k->base;
    if (n->kernel_h == 1 && n->kernel_w == 1) return MRCNN_OK;
    mr_dnnl_window w = {p->max_rows[MR_ROWS_IMAGES],
                        k->in.height,
                        k->in.width,
                        k->in.channels,
                        k->out.height,
                        k->out.width,
                        k->out.channels,
                        n->kernel_h,
                        n->kernel_w,
                        n->stride,
                        n->pad_top,
                        n->pad_left,
                        n->pad_bottom,
                        n->pad_right};
    mrcnn_status status = mr_dnnl_max_pool(&k->primitive, &w, err);
    if (status != MRCNN_OK) {
        free_pool(&k->base);
        *kernel = NULL;
        return status;
    }
    k->base.run = run_pool;
    k->base.scratch_bytes = mr_dnnl_scratch_bytes(k->primitive);
    k->base.algorithm = mr_dnnl_implementation(k->primitive);
    return MRCNN_OK;
}
