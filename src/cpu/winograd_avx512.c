/* winograd_avx512.c - the Winograd kernels on 16 lanes. 14 rows x 2 vectors of sums, two weights
 * and a factor fill 31 of the 32 registers; 14 broadcasts and 2 loads feed 28 multiply-adds, so the
 * two FMA ports are the limit. */
#include "cpu/winograd_kernels.h"

#if defined(__AVX512F__)
#include <immintrin.h>

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
#define STORE_PART(p, v, n) _mm512_mask_storeu_ps(p, FIRST(n), v)
#define STREAM(p, v) _mm512_stream_ps(p, v)
#define PREFETCH_NEAR(p) _mm_prefetch(p, _MM_HINT_T0)
#define PREFETCH(p) _mm_prefetch(p, _MM_HINT_T1)
#define TWICE(r) ((r) % 2)
#define ROWS 14
#define EACH_SIZE(DO) \
    DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14)
#define SUM_ROWS ROWS_8
#include "cpu/winograd_f32.h"
#include "cpu/winograd_vector.h"
#include "cpu/winograd_vector_weights.h"

#define PACK_LANES (2 * LANES)
#include "cpu/winograd_pack_kernel.h"

const mr_winograd_kernels *mr_winograd_avx512(void) {
    static const mr_winograd_kernels kernels = {.isa = "avx512",
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
    /* All that the compiler may use in this file. */
    int supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("fma");
    return supported ? &kernels : NULL;
}

#else
const mr_winograd_kernels *mr_winograd_avx512(void) {
    return NULL;
}
#endif
