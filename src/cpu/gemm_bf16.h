/* gemm_bf16.h - a matrix product of floats whose factors are rounded to bfloat16 on the way: products
 * of bf16, sums of f32. For training, where memory holds f32 and only the multiplications are to be
 * cheaper. */
#ifndef MR_CPU_GEMM_BF16_H
#define MR_CPU_GEMM_BF16_H

#include "cpu/onednn.h"

/* Bytes of scratch for any product. */
size_t mr_gemm_bf16_scratch_size(int threads);

/* C (m x n) = A (m x k) B (k x n) + beta C; with beta 0 what C holds is not read. scratch is aligned
 * to 64 bytes. The result does not depend on `threads`. */
void mr_gemm_bf16(size_t m, size_t n, size_t k, mr_matrix a, mr_matrix b, float beta, float *c,
                  size_t c_stride, void *scratch, int threads);

#endif
