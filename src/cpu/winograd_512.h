/* winograd_512.h - vectors of 16 floats, and how many rows of sums fit, for the Winograd kernels on AVX-512. */
#include <immintrin.h>

#include "cpu/rows.h"

#define VEC __m512
#define LANES 16
#define ZERO _mm512_setzero_ps()
#define SET(f) _mm512_set1_ps(f)
#define ADD(a, b) _mm512_add_ps(a, b)
#define SUB(a, b) _mm512_sub_ps(a, b)
#define MUL(a, b) _mm512_mul_ps(a, b)
#define MAX(a, b) _mm512_max_ps(a, b)
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define FNMA(a, b, c) _mm512_fnmadd_ps(a, b, c)
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define FIRST(n) ((__mmask16)((1u << (n)) - 1))
#define LOAD_PART(p, n) _mm512_maskz_loadu_ps(FIRST(n), p)
#define PREFETCH_NEAR(p) _mm_prefetch(p, _MM_HINT_T0)
#define PREFETCH(p) _mm_prefetch(p, _MM_HINT_T1)
#define TWICE(r) ((r) % 2)
#define ROWS 14
#define EACH_SIZE(DO) EACH_OF_14(DO)
