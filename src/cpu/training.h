/* training.h - what all nodes with weights need while these change between runs: the weights as they
 * are now, and the first steps of the way back. */
#ifndef MR_CPU_TRAINING_H
#define MR_CPU_TRAINING_H

#include "cpu/windows.h"
#include "graph/executor.h"

/* 1 in a training plan. Kernels are packed on each run then: most change between runs, and packs of
 * the others would take more memory than time (Winograd's are four times the kernel). */
int mr_cpu_packs_anew(const mr_prepare *prepare);
/* 1 when the node has a backward. */
int mr_cpu_trains(const mr_prepare *prepare);

/* Scratch is cut from the front into pieces that begin on cache lines. Without memory they are only
 * counted, so that one function says how much is needed and where each piece lies. */
typedef struct mr_scratch {
    char *memory; /* 64-byte aligned, or NULL */
    size_t used;
} mr_scratch;
void *mr_take(mr_scratch *scratch, size_t bytes);

/* Bytes of the folded kernel of a run: none where the kernel is used as it is. */
size_t mr_fold_room(const mr_fold *fold);

/* The fold of rows [first, first + count) of the kernel as a matrix of `filters` columns. Gradients
 * of bias and beta, and the bias' share in gamma's, belong to one part only: to the one whose
 * mr_unfold_gradients gets the true dbias; the others get zeros. */
mr_fold mr_fold_part(const mr_fold *fold, size_t first, size_t count);

/* 1 when mr_unfold_gradients needs dbias. */
int mr_fold_wants_bias(const mr_fold *fold);

/* A gradient that comes to a node: dL/dz = dL/dy where the ReLU let it pass (y > 0; output NULL: no
 * ReLU), in place, and the sum of its rows. gradient has range.count rows of `channels` numbers;
 * output is the whole map, of which row i belongs to pixel i of the range. sums: NULL: not wanted.
 * scratch: mr_sum_size bytes. The sums do not depend on `threads`. */
size_t mr_sum_size(size_t channels);
void mr_relu_gradient(float *gradient, const float *output, mr_pixel_range range, size_t channels,
                      float *sums, void *scratch, int threads);

/* Hands dL/dz on to the residual, as mr_backward says. sparse: the residual's gradient has the rows
 * of the range too; otherwise it is a map. map_pixels: in that map. */
void mr_residual_gradient(const mr_backward *b, mr_pixel_range range, int sparse, size_t map_pixels,
                          size_t channels);

/* C (m x n) = A (m x k) B (k x n) + beta C in a training run: with factors of the given type, f32 or bf16. scratch:
 * mr_gemm_room_size bytes. */
size_t mr_gemm_room_size(mr_type products, int threads);
typedef struct mr_gemm_room {
    mr_type products;
    void *scratch;
    int threads;
} mr_gemm_room;
void mr_multiply(const mr_gemm_room *room, size_t m, size_t n, size_t k, mr_matrix a, mr_matrix b,
                 float beta, float *c, size_t c_stride);

/* to (columns x rows) = the transpose of from (rows x columns). */
void mr_transpose(const float *from, size_t rows, size_t columns, float *to, int threads);

/* to = or += from. */
void mr_write_gradient(const float *from, float *to, size_t count, int accumulate, int threads);
/* Zeros, unless the gradient is to be added to. */
void mr_clear_gradient(float *to, size_t count, int accumulate, int threads);

#endif
