/* winograd_bf16.c - the Winograd kernels on bfloat16: x, y and the factors of the products are bf16,
 * transforms and sums are f32. An instruction multiplies pairs of channels, so that a lane of v and u holds two
 * of them and there are half as many steps; otherwise as on 16 lanes of f32. */
#include "cpu/winograd_kernels.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>

#include "base/bf16.h"

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

#define NUMBER mr_bf16
#define WIDEN(x) _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16))
#define NARROW(v) ((__m256i)_mm512_cvtneps_pbh(v))
#define LOAD_X(p) WIDEN(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define LOAD_X_PART(p, n) WIDEN(_mm256_maskz_loadu_epi16(FIRST(n), p))
#define STORE_Y(p, v) _mm256_storeu_si256((__m256i *)(void *)(p), NARROW(v))
#define STORE_Y_PART(p, v, n) _mm256_mask_storeu_epi16(p, FIRST(n), NARROW(v))
#define STREAM_Y(p, v) _mm256_stream_si256((__m256i *)(void *)(p), NARROW(v))
#define PER_LANE 2
#define STORE_V(v, half, t) \
    _mm256_storeu_si256((__m256i *)(void *)((v) + (half) * (LANES / 2)), NARROW(t))
#define MULTIPLY_ADD(v, u, sum) _mm512_dpbf16_ps(sum, (__m512bh)(u), (__m512bh)SET(v))

#define PREFETCH_NEAR(p) _mm_prefetch(p, _MM_HINT_T0)
#define PREFETCH(p) _mm_prefetch(p, _MM_HINT_T1)
#define TWICE(r) ((r) % 2)
#define ROWS 14
#define EACH_SIZE(DO) \
    DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14)
#include "cpu/winograd_vector.h"

/* Channel 0 or 1 of the lanes. */
static void pack_line(float *u, const float *line, size_t channel) {
    mr_bf16 *to = (mr_bf16 *)(void *)u;
    for (size_t lane = 0; lane < 2 * LANES; lane++)
        to[2 * lane + channel] = mr_bf16_from_float(line[lane]);
}

#define PACK_LANES (2 * LANES)
#define PACK_LINE(u, line, channel) pack_line(u, line, channel)
#include "cpu/winograd_pack_kernel.h"

const mr_winograd_kernels *mr_winograd_bf16(void) {
    static const mr_winograd_kernels kernels = {.isa = "avx512 bf16",
                                                .number = sizeof(NUMBER),
                                                .lanes = LANES,
                                                .block = PER_LANE * LANES,
                                                .panel = 2 * LANES,
                                                .rows = ROWS,
                                                .input = input,
                                                .multiply = multiply,
                                                .output = output,
                                                .pack = pack};
    return mr_bf16_is_native() ? &kernels : NULL;
}

#else
const mr_winograd_kernels *mr_winograd_bf16(void) {
    return NULL;
}
#endif
