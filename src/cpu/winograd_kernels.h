/* winograd_kernels.h - what an instruction set brings to the Winograd convolution: its kernels
 * and their block sizes. winograd.c walks over tiles and threads and knows none of the
 * instructions; winograd_avx512.c and winograd_avx2.c fill the table from winograd_vector.h,
 * winograd_scalar.c is plain C, kept as the reference that the others are tested against. */
#ifndef MR_CPU_WINOGRAD_KERNELS_H
#define MR_CPU_WINOGRAD_KERNELS_H

#include "cpu/winograd.h"

/* F(4x4, 3x3) maps a 6x6 input tile to a 4x4 output tile through 36 independent products. */
enum { MR_WINO_IN = 6, MR_WINO_OUT = 4, MR_WINO_POSITIONS = MR_WINO_IN * MR_WINO_IN };

/* Where a tile's outputs go: the upper left rows x cols pixels of `channels` output channels. bias and residual may be
 * NULL; residual has the strides of y, which count numbers. The next call writes `next` numbers further on. With `stream` y goes past the caches: it
 * is too large to be found there later. */
typedef struct mr_winograd_output {
    const float *bias;
    const void *residual;
    void *y;
    size_t y_row, y_col;
    int rows, cols, channels, relu, stream;
    ptrdiff_t next;
    /* bf16 and 8 bits: y's and the residual's type, and what the three are multiplied by. */
    mr_type type, residual_type;
    float factor, bias_factor, residual_factor;
} mr_winograd_output;

/* The polynomials are evaluated at 0, +-A, +-B and infinity. With these two the error is less than
 * half of that with Lavin's +-1, +-2, and all constants below are exact in f32. */
#define MR_WINO_A 0.625
#define MR_WINO_B 1.5

typedef struct mr_winograd_kernels {
    const char *isa;
    mr_type
        number; /* of x and y, and of the factors of products: f32 or bf16. With bf16 x and y may be anything. */
    int lanes; /* floats that a block of input channels takes in v and in a row of u */
    int block; /* input channels of it: as many, or with bf16 twice as many */
    int panel; /* output channels of one call of multiply: at most 32 */
    int rows;  /* most tiles of one call of multiply */

    /* v[p][block] = (B^T d B)[p] for all channels of one tile d, in blocks of `block` channels.
     * row[i] is line i of the tile at its first column inside the map, col_begin; columns outside
     * of [col_begin, col_end) are zero, and so are channels past the last. */
    void (*input)(mr_type type, const void *const row[MR_WINO_IN], int col_begin, int col_end,
                  int channels, float *v, size_t position_stride, size_t block_stride);

    /* m[r][0..panel) = sum over channels of v[r][channel] * u[channel][0..panel), r < rows. Rows of
     * a block lie side by side. The sum runs over the channels in order, whatever `rows` is.
     * `ahead` is memory that a later call needs: one cache line a channel is asked for. */
    void (*multiply)(const float *v, size_t block_stride, int blocks, const float *u, float *m,
                     size_t row_stride, int rows, const float *ahead);

    /* y = epilogue(A^T m A) for one tile and at most panel output channels. */
    void (*output)(const float *m, size_t position_stride, const mr_winograd_output *out);

    /* u[p][0..panel) = (G g G^T)[p] for one input channel and panel output channels. tap[i] is the
     * i-th of the nine taps, panel floats. Of bf16, lane c of u holds channels 2c and 2c + 1 of a block side
     * by side: `channel` says which half this one is. */
    void (*pack)(const float *const tap[9], float *u, size_t position_stride, size_t channel);

    /* The gradient of the weights. u[p][block] = (A dY A^T)[p] for all channels of one tile dY of
     * the gradient of y. row[i] is line i of the tile; columns from `cols` on are zero. */
    void (*gradient)(const float *const row[MR_WINO_OUT], int cols, int channels, float *u,
                     size_t position_stride, size_t block_stride);

    /* sum[b][i][j] = or += sum over tiles of v[tile][i] * u[b][tile][j]: a block of input channels
     * with `blocks` <= span blocks of output channels. `ahead` is memory that a later call needs:
     * `ahead_tile` cache lines a tile are asked for. */
    int span, ahead_tile;
    void (*accumulate)(const float *v, const float *u, size_t u_block, int blocks, int tiles,
                       float *sum, size_t sum_block, int add, const float *ahead);

    /* taps = or += G^T sum G, for one input channel and at most `lanes` output channels. */
    void (*weights)(const float *sum, size_t position_stride, int channels, float *taps,
                    size_t tap_stride, int add);
} mr_winograd_kernels;

/* NULL when the compiler's target or this CPU lacks the instructions. */
const mr_winograd_kernels *mr_winograd_avx512(void);
const mr_winograd_kernels *mr_winograd_avx2(void);
const mr_winograd_kernels *mr_winograd_scalar(void);
const mr_winograd_kernels *mr_winograd_bf16(void); /* forward alone */

const mr_winograd_kernels *mr_winograd_best(void);

/* The public functions with the table given: tests and benchmarks. */
size_t mr_winograd_packed_size_with(const mr_winograd_kernels *k, int c_in, int c_out);
void mr_winograd_pack_with(const mr_winograd_kernels *k, const float *kernel, int c_in, int c_out,
                           float *packed, int threads);
void mr_winograd_pack_backward_data_with(const mr_winograd_kernels *k, const float *kernel,
                                         int c_in, int c_out, float *packed, int threads);
size_t mr_winograd_scratch_size_with(const mr_winograd_kernels *k, const mr_winograd_shape *shape,
                                     int threads);
size_t mr_winograd_tiles_scratch_size_with(const mr_winograd_kernels *k,
                                           const mr_winograd_shape *shape, int threads);
/* only: NULL: all tiles */
void mr_winograd_forward_with(const mr_winograd_kernels *k, const mr_winograd_shape *shape,
                              const mr_winograd_tiles *only, const void *x, const void *packed,
                              const mr_winograd_epilogue *epilogue, void *y, void *scratch,
                              int threads);

int mr_winograd_weights_is_fast_with(const mr_winograd_kernels *k, const mr_winograd_shape *shape);
size_t mr_winograd_weights_scratch_size_with(const mr_winograd_kernels *k,
                                             const mr_winograd_shape *shape, int threads);
size_t mr_winograd_weights_tiles_scratch_size_with(const mr_winograd_kernels *k,
                                                   const mr_winograd_shape *shape, int threads);
void mr_winograd_backward_weights_with(const mr_winograd_kernels *k, const mr_winograd_shape *shape,
                                       const mr_winograd_tiles *only, const float *x,
                                       const float *dy, float *dkernel, int accumulate,
                                       void *scratch, int threads);

#endif
