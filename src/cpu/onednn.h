/* onednn.h - the little of oneDNN that the executor uses (direct convolution, max pooling, matrix
 * product), behind functions that hide what changed between its versions 2 and 3. Everything is
 * NHWC; the scratchpad is the caller's. */
#ifndef MR_CPU_ONEDNN_H
#define MR_CPU_ONEDNN_H

#include "base/type.h"

#include <mrcnn/mrcnn.h>

typedef struct mr_dnnl mr_dnnl; /* one primitive with its memory objects */

/* How a primitive wants its weights in memory. */
typedef struct mr_dnnl_layout mr_dnnl_layout;

/* What 1 stands for where numbers have 8 bits; 1 where they don't. */
typedef struct mr_dnnl_scales {
    float in, out, residual;
    mr_type residual_type;
    const float *weights; /* of each filter */
} mr_dnnl_scales;

typedef struct mr_dnnl_window {
    int n, in_h, in_w, in_c;
    int out_h, out_w, out_c;
    int kernel_h, kernel_w, stride;
    int pad_top, pad_left, pad_bottom, pad_right;
    mr_type in_type, out_type;    /* weights have in_type, or MR_S8 with 8 bits; biases are f32 */
    const mr_dnnl_scales *scales; /* of 8-bit inputs; NULL with others */
} mr_dnnl_window;

/* A convolution y = relu?(conv + bias (+ y)). layout: NULL, or one that a former primitive asked
 * for, which the new one is then to use. *primitive is NULL and the status OK when that layout does
 * not suit. */
mrcnn_status mr_dnnl_convolution(mr_dnnl **primitive, const mr_dnnl_window *window, int add,
                                 int relu, const mr_dnnl_layout *layout, mrcnn_error *err);
mrcnn_status mr_dnnl_max_pool(mr_dnnl **primitive, const mr_dnnl_window *window, mrcnn_error *err);
void mr_dnnl_free(mr_dnnl **primitive);

size_t mr_dnnl_scratch_bytes(const mr_dnnl *primitive);
const char *mr_dnnl_implementation(const mr_dnnl *primitive);

/* The primitive's layout of weights: a copy that outlives it; NULL: no memory. */
mr_dnnl_layout *mr_dnnl_copy_layout(const mr_dnnl *primitive);
void mr_dnnl_free_layout(void *layout);
int mr_dnnl_has_layout(const mr_dnnl *primitive, const mr_dnnl_layout *layout);
size_t mr_dnnl_layout_size(const mr_dnnl_layout *layout); /* bytes of weights packed so */

/* A layout as bytes, for the same version of oneDNN. Returns how many, at most `room`; 0: it can't be done. */
size_t mr_dnnl_freeze_layout(const mr_dnnl_layout *layout, void *bytes, size_t room);
/* NULL: no memory, or they are no layout. */
mr_dnnl_layout *mr_dnnl_thaw_layout(const void *bytes, size_t length);

/* The bias that mr_dnnl_run wants where there are scales. */
void mr_dnnl_scale_bias(const mr_dnnl_scales *scales, const float *bias, float *scaled,
                        size_t count);

/* Weights into the primitive's layout, from HWIO (from_layout NULL) or from another layout: from f32 into the primitive's
 * type, or where the window has scales from 8 bits. */
mrcnn_status mr_dnnl_pack(const mr_dnnl *primitive, const mr_dnnl_window *window,
                          const mr_dnnl_layout *from_layout, const void *from, void *to,
                          mrcnn_error *err);

/* For weights that change between runs: makes ready to pack from HWIO, and does it, without
 * allocating, into mr_dnnl_packed_size bytes. */
mrcnn_status mr_dnnl_prepare_packing(mr_dnnl *primitive, const mr_dnnl_window *window,
                                     mrcnn_error *err);
size_t mr_dnnl_packed_size(const mr_dnnl *primitive);
void mr_dnnl_pack_prepared(mr_dnnl *primitive, const float *hwio, float *packed);

void mr_dnnl_run(mr_dnnl *primitive, const void *x, const void *weights, const float *bias, void *y,
                 void *scratch);

/* A row-major matrix: `stride` floats from row to row; transposed: what the product sees is its
 * transpose. */
typedef struct mr_matrix {
    const float *data;
    size_t stride;
    int transposed;
} mr_matrix;

/* C (m x n) = A (m x k) B (k x n) + beta C, with whatever threads this thread's library calls use. */
void mr_dnnl_matmul(size_t m, size_t n, size_t k, mr_matrix a, mr_matrix b, float beta, float *c,
                    size_t c_stride);

#endif
