/* conv_gradients.h - the backward of convolutions and dense layers, whatever computed their forward:
 * as matrix products over the windows of windows.h, or by Winograd where it is faster. */
#ifndef MR_CPU_CONV_GRADIENTS_H
#define MR_CPU_CONV_GRADIENTS_H

#include "cpu/training.h"
#include "cpu/winograd.h"

/* All of it is set by mr_conv_gradients_prepare. */
typedef struct mr_conv_gradients {
    mr_fold fold;
    mr_dnnl_window window; /* of one picture or RoI; a window as large as the map is one tap */
    mr_rows rows;
    mr_type products;  /* what their factors are rounded to */
    size_t room_bytes; /* for them */
    int relu, winograd;
    int sparse_input, sparse_residual; /* their gradients have the output's pixels */
    int find_zeros;                    /* in the output's gradient, and leave them out */
    size_t kernel_rows;                /* of the kernel, as a matrix of `filters` columns */
    size_t block_rows;                 /* of them that are worked on at a time */
    size_t chunk;                      /* windows that are gathered at a time */
    size_t most_pixels;                /* of the output, in the whole batch */
    size_t work_bytes, scratch_bytes;
} mr_conv_gradients;

mrcnn_status mr_conv_gradients_prepare(mr_conv_gradients *gradients, const mr_prepare *prepare,
                                       mrcnn_error *err);
void mr_conv_gradients_run(const mr_conv_gradients *gradients, const mr_backward *backward);

/* conv_winograd.c: 3x3 convolutions of n maps of the window's size. kernel and dkernel are HWIO; only:
 * tiles of dx, or of dz, outside of which there is nothing but zeros, or NULL; scratch has
 * mr_winograd_gradients_size bytes. */
size_t mr_winograd_gradients_size(const mr_conv_gradients *gradients, int max_rows, int threads);
void mr_winograd_input_gradient(const mr_conv_gradients *gradients, int n,
                                const mr_winograd_tiles *only, const float *kernel, const float *dz,
                                float *dx, int accumulate, void *scratch, int threads);
/* 1 where this is the way to do it. */
int mr_winograd_gradient_is_fast(const mr_conv_gradients *gradients, int n);
void mr_winograd_kernel_gradient(const mr_conv_gradients *gradients, int n,
                                 const mr_winograd_tiles *only, const float *x, const float *dz,
                                 float *dkernel, void *scratch, int threads);

#endif
