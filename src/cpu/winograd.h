/* winograd.h - 3x3 stride 1 "same" convolution by Winograd's minimal filtering F(4x4, 3x3) (Lavin
 * and Gray 2015), NHWC in and out. A block of tiles is transformed, multiplied with the transformed
 * weights and transformed back while it stays in L2, so that scratch is a few MB a thread whatever
 * the map's size. One table of functions per instruction set, chosen at run time. */
#ifndef MR_CPU_WINOGRAD_H
#define MR_CPU_WINOGRAD_H

#include "base/type.h"

#include <stddef.h>
#include <stdint.h>

typedef struct mr_winograd_shape {
    int n, h, w;     /* batch and map size; any size >= 1 */
    int c_in, c_out; /* any channel counts >= 1 */
} mr_winograd_shape;

/* Some of the 4x4 tiles of a map, (picture * rows of tiles + row) * tiles in a row + column, rising. */
typedef struct mr_winograd_tiles {
    size_t count;
    const int32_t *index;
} mr_winograd_tiles;

/* What arrays are made of, and what 1 stands for in them. */
typedef struct mr_winograd_numbers {
    mr_type x, y, residual;
    float x_scale, y_scale, residual_scale;
} mr_winograd_numbers;

/* What happens in the store: y = relu?(conv + bias + residual). */
typedef struct mr_winograd_epilogue {
    const float *bias;    /* c_out, or NULL */
    const void *residual; /* shape of y, NULL if none; may be y itself */
    int relu;
    const mr_winograd_numbers *numbers; /* NULL: those of the table, 1 stands for 1 */
} mr_winograd_epilogue;

/* 1 when this CPU has a vector version (AVX-512 or AVX2 with FMA); otherwise the scalar one runs.
 */
int mr_winograd_is_fast(void);
const char *mr_winograd_isa(void); /* "avx512", "avx2", "scalar" */

/* Floats of packed weights, and the packing: kernel is HWIO (3, 3, c_in, c_out). Packed weights are
 * 64-byte aligned, depend on the channel counts alone (any map size can use them), and on the
 * instruction set in use. */
size_t mr_winograd_packed_size(int c_in, int c_out);
void mr_winograd_pack(const float *kernel, int c_in, int c_out, float *packed, int threads);

/* The gradient of such a convolution by its input is a convolution too, of the gradient of y, from
 * c_out to c_in channels, with the taps rotated and the channels exchanged. This packs the same
 * kernel for it: run mr_winograd_forward with a shape whose c_in is the kernel's c_out and whose
 * c_out is the kernel's c_in. packed has mr_winograd_packed_size(c_out, c_in) floats. */
void mr_winograd_pack_backward_data(const float *kernel, int c_in, int c_out, float *packed,
                                    int threads);

/* Bytes of scratch that a call with `threads` threads needs: one to six MB a thread. */
size_t mr_winograd_scratch_size(const mr_winograd_shape *shape, int threads);

/* x: n*h*w*c_in, y: n*h*w*c_out, both NHWC and not overlapping. scratch is 64-byte aligned. Results
 * do not depend on `threads`, bit for bit. They differ from a direct f32 convolution by about 2e-6
 * of the output's rms, which is twice the direct one's own error. */
void mr_winograd_forward(const mr_winograd_shape *shape, const float *x, const float *packed,
                         const mr_winograd_epilogue *epilogue, float *y, void *scratch,
                         int threads);

/* The same for the listed tiles of y only: the others keep what they have. */
void mr_winograd_forward_tiles(const mr_winograd_shape *shape, const mr_winograd_tiles *only,
                               const float *x, const float *packed,
                               const mr_winograd_epilogue *epilogue, float *y, void *scratch,
                               int threads);

/* 1 where mr_winograd_backward_weights is expected to be faster than a good direct one: with many
 * channels, on more than a few tiles. Depends on the shape and the instruction set alone. */
int mr_winograd_weights_is_fast(const mr_winograd_shape *shape);

/* The gradient by the weights: dkernel (HWIO, 3*3*c_in*c_out) = or, with accumulate, += the sum over
 * all pixels of x (n*h*w*c_in, shifted by the tap) times dy (n*h*w*c_out), the gradient of y. scratch
 * is 64-byte aligned and has the given number of bytes: 20 MB for 256 to 256 channels, 57 MB for 512
 * to 512, whatever the map's size. Results do not depend on `threads`, bit for bit, and differ from
 * the exact ones by about 1e-6 of their rms. */
size_t mr_winograd_weights_scratch_size(const mr_winograd_shape *shape, int threads);
void mr_winograd_backward_weights(const mr_winograd_shape *shape, const float *x, const float *dy,
                                  float *dkernel, int accumulate, void *scratch, int threads);

/* The same over the listed tiles of dy only, as if it were zero in the others. */
void mr_winograd_backward_weights_tiles(const mr_winograd_shape *shape,
                                        const mr_winograd_tiles *only, const float *x,
                                        const float *dy, float *dkernel, int accumulate,
                                        void *scratch, int threads);

/* Bytes of scratch that are enough for any list of tiles, and for none. */
size_t mr_winograd_tiles_scratch_size(const mr_winograd_shape *shape, int threads);
size_t mr_winograd_weights_tiles_scratch_size(const mr_winograd_shape *shape, int threads);

#endif
