/* conv_8bit.c - convolution of 8-bit numbers by oneDNN, with scales, bias, residual and ReLU in the store. Each
 * filter has a scale of its own: its largest weight is 127. */
#include "base/error.h"
#include "base/memory.h"
#include "cpu/cpu.h"
#include "cpu/direct_pack.h"
#include "cpu/quantize.h"

#include <stdlib.h>
#include <string.h>

typedef struct conv_kernel {
    mr_kernel base;
    mr_dnnl *primitive;
    mr_rows rows;
    size_t in_bytes, out_bytes; /* of one row */
    const void *weights;        /* belong to the pack */
    float *bias;                /* as the primitive wants it */
} conv_kernel;

static void run_conv(mr_kernel *kernel, const mr_run *run) {
    conv_kernel *k = (conv_kernel *)kernel;
    size_t rows = (size_t)run->rows[k->rows], calls = k->rows == MR_ROWS_IMAGES ? 1 : rows;
    if (run->residual && run->residual != run->output)
        memcpy(run->output, run->residual, rows * k->out_bytes);
    for (size_t i = 0; i < calls; i++)
        mr_dnnl_run(k->primitive, (const char *)run->inputs[0] + i * k->in_bytes, k->weights,
                    k->bias, (char *)run->output + i * k->out_bytes, run->scratch);
}

static void free_conv(mr_kernel *kernel) {
    conv_kernel *k = (conv_kernel *)kernel;
    mr_dnnl_free(&k->primitive);
    free(k->bias);
    free(k);
}

mrcnn_status mr_cpu_conv_8bit(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    conv_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a convolution");
    k->base.run = run_conv;
    k->base.free = free_conv;
    k->rows = p->node->rows;
    k->in_bytes = mr_shape_size(mr_input_shape(p, 0)) * mr_type_size(mr_input_type(p, 0));
    k->out_bytes = mr_shape_size(p->node->shape) * mr_type_size(p->node->type);
    mr_dnnl_window window = mr_cpu_window(p);
    if (k->rows == MR_ROWS_IMAGES) window.n = p->max_rows[MR_ROWS_IMAGES];
    mr_quantized q = {.window = window, .add = p->node->residual >= 0, .relu = p->node->relu};
    mrcnn_status status = mr_quantize_layer(&q, p, "8 bits", NULL, NULL, err);
    k->primitive = q.primitive;
    k->weights = q.weights;
    k->bias = q.bias;
    if (status != MRCNN_OK) {
        free_conv(&k->base);
        return mr_prefix(err, status, p->node->layer);
    }
    k->base.scratch_bytes = mr_dnnl_scratch_bytes(k->primitive);
    k->base.algorithm = mr_dnnl_implementation(k->primitive);
    *kernel = &k->base;
    return MRCNN_OK;
}
