/* winograd_avx2.c - the Winograd kernels on 8 lanes. 6 rows x 2 vectors of sums, two weights and a
 * factor fill 15 of the 16 registers. */
#include "cpu/winograd_kernels.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

#define VEC __m256
#define LANES 8
#define ZERO _mm256_setzero_ps()
#define SET(f) _mm256_set1_ps(f)
#define ADD(a, b) _mm256_add_ps(a, b)
#define SUB(a, b) _mm256_sub_ps(a, b)
#define MUL(a, b) _mm256_mul_ps(a, b)
#define MAX(a, b) _mm256_max_ps(a, b)
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define FNMA(a, b, c) _mm256_fnmadd_ps(a, b, c)
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define FIRST(n) _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define LOAD_PART(p, n) _mm256_maskload_ps(p, FIRST(n))
#define STORE_PART(p, v, n) _mm256_maskstore_ps(p, FIRST(n), v)
#define STREAM(p, v) _mm256_stream_ps(p, v)
#define PREFETCH_NEAR(p) _mm_prefetch(p, _MM_HINT_T0)
#define PREFETCH(p) _mm_prefetch(p, _MM_HINT_T1)
#define TWICE(r) 0
#define ROWS 6
#define EACH_SIZE(DO) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6)
#define SUM_ROWS ROWS_4
#include "cpu/winograd_f32.h"
#include "cpu/winograd_vector.h"
#include "cpu/winograd_vector_weights.h"

#define PACK_LANES (2 * LANES)
#include "cpu/winograd_pack_kernel.h"

const mr_winograd_kernels *mr_winograd_avx2(void) {
    static const mr_winograd_kernels kernels = {.isa = "avx2",
                                                .number = MR_F32,
                                                .lanes = LANES,
                                                .block = LANES,
                                                .panel = 2 * LANES,
                                                .rows = ROWS,
                                                .span = SPAN,
                                                .ahead_tile = LANES / SUM_ROW_COUNT,
                                                .input = input,
                                                .multiply = multiply,
                                                .output = output,
                                                .pack = pack,
                                                .gradient = gradient,
                                                .accumulate = accumulate,
                                                .weights = weights};
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kernels : NULL;
}

#else
const mr_winograd_kernels *mr_winograd_avx2(void) {
    return NULL;
}
#endif
