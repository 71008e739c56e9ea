/* quantize.h - a product of 8-bit numbers made ready: the primitive, and the layer's weights packed with their
 * scales. */
#ifndef MR_CPU_QUANTIZE_H
#define MR_CPU_QUANTIZE_H

#include "cpu/cpu.h"

typedef struct mr_quantized {
    mr_dnnl_window window; /* given, with types and without scales */
    int add, relu;         /* given */
    mr_dnnl *primitive;    /* the caller's to free, also after a failure */
    const void *weights;   /* belong to the pack */
    float *bias;           /* as the primitive wants it; malloc'ed, the caller's to free */
} mr_quantized;

/* A layer's folded kernel in the window's order: HWIO. */
typedef void (*mr_arrange)(const void *user, const float *kernel, float *arranged);

/* how: names the packing. arrange: NULL: the kernel is in that order. Where the window has more filters than the
 * layer, the layer's biases repeat. */
mrcnn_status mr_quantize_layer(mr_quantized *quantized, const mr_prepare *prepare, const char *how,
                               mr_arrange arrange, const void *user, mrcnn_error *err);

#endif
