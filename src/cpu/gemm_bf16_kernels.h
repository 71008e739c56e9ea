/* gemm_bf16_kernels.h - what an instruction set brings to gemm_bf16.c. Packed factors are made of
 * units of 32 bits: the numbers k and k + 1 of a row of A or of a column of B, for even k; past an odd
 * end there is a zero. */
#ifndef MR_CPU_GEMM_BF16_KERNELS_H
#define MR_CPU_GEMM_BF16_KERNELS_H

#include "cpu/gemm_bf16.h"

#include <stdint.h>

enum {
    MR_GEMM_ROWS = 14,    /* most rows of a panel of A */
    MR_GEMM_COLUMNS = 32, /* columns of a panel of B, which is [pair][column] */
    MR_GEMM_LINE = 16, /* units of a cache line; a panel of A is cut into squares of that size: */
    MR_GEMM_SQUARE = MR_GEMM_LINE * MR_GEMM_LINE
};

/* A square of a panel of A is [row][pair] where a row of A is contiguous, which then needs no
 * transposition, or [pair][row] where a column is. */
typedef enum mr_gemm_order { MR_GEMM_BY_ROWS, MR_GEMM_BY_PAIRS } mr_gemm_order;

/* One line of memory is asked for at each pair: at `at`, which moves by `step` bytes from pair to
 * pair and by `jump` more after each MR_GEMM_LINE of them. */
typedef struct mr_gemm_ahead {
    uintptr_t at, step, jump;
} mr_gemm_ahead;

/* C = A B + beta C for a panel of A with `rows` rows and a panel of B. */
typedef struct mr_gemm_tile {
    mr_gemm_order order;
    size_t rows, pairs;
    const uint32_t *a, *b;
    float beta; /* 0: C is not read */
    float *c;
    size_t c_stride;
    int stream; /* C goes past the caches; its rows are aligned to 64 bytes and beta is 0 */
    mr_gemm_ahead ahead[2]; /* what later packing reads of A and of B */
} mr_gemm_tile;

typedef struct mr_gemm_kernels {
    const char *isa;

    /* to[square][line][pair] of at most MR_GEMM_ROWS lines of k numbers; what a square has past the
     * last pair and the last line is not used. */
    void (*pack_rows)(const float *from, size_t stride, size_t lines, size_t k, uint32_t *to);

    /* to[pair][width] of k rows of at most `width` numbers, a multiple of MR_GEMM_LINE; filled up with
     * zeros. */
    void (*pack_pairs)(const float *from, size_t stride, size_t k, size_t count, size_t width,
                       uint32_t *to);

    /* The same of the transpose: of `count` lines of k numbers. */
    void (*pack_turned)(const float *from, size_t stride, size_t k, size_t count, size_t width,
                        uint32_t *to);

    /* The sum runs over k in order, whatever `rows` is. */
    void (*multiply)(const mr_gemm_tile *tile);
} mr_gemm_kernels;

/* NULL when the compiler's target or this CPU lacks the instructions. */
const mr_gemm_kernels *mr_gemm_bf16_avx512(void);
const mr_gemm_kernels *mr_gemm_bf16_scalar(void);

/* The product with the table given: tests. */
void mr_gemm_bf16_with(const mr_gemm_kernels *kernels, size_t m, size_t n, size_t k, mr_matrix a,
                       mr_matrix b, float beta, float *c, size_t c_stride, void *scratch,
                       int threads);

#endif
