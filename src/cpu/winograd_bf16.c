/* winograd_bf16.c - the Winograd kernels on bfloat16: the factors of the products are bf16, x and y f32 (in
 * training), bf16 or 8 bits, transforms and sums f32. An instruction multiplies pairs of channels, so that a
 * lane of v and u holds two of them and there are half as many steps; otherwise as on 16 lanes of f32. */
#include "cpu/winograd_kernels.h"

#if defined(__AVX512BF16__)
#include "base/bf16.h"
#include "cpu/winograd_512.h"

#define BYTES(type) mr_type_size(type)
#define LOAD_X(type, p) load_x(type, p)
#define LOAD_X_PART(type, p, n) load_x_part(type, p, FIRST(n))
#define STORE_Y(type, p, v) store_y(type, p, v)
#define STORE_Y_PART(type, p, v, n) store_y_part(type, p, v, FIRST(n))
#define STREAM_Y(type, p, v) stream_y(type, p, v)
#define PER_LANE 2
#define NARROW(v) ((__m256i)_mm512_cvtneps_pbh(v))
#define STORE_V(v, half, t) \
    _mm256_storeu_si256((__m256i *)(void *)((v) + (half) * (LANES / 2)), NARROW(t))
#define MULTIPLY_ADD(v, u, sum) _mm512_dpbf16_ps(sum, (__m512bh)(u), (__m512bh)SET(v))
#define SCALE_BIAS(bias, factor) MUL(bias, SET(factor))
#define ADD_SCALED(x, factor, sum) FMA(x, SET(factor), sum)
#define WITH_TYPE(type, DO)             \
    do {                                \
        switch (type) {                 \
        case MR_F32: DO(MR_F32); break; \
        case MR_U8: DO(MR_U8); break;   \
        case MR_S8: DO(MR_S8); break;   \
        default: DO(MR_BF16); break;    \
        }                               \
    } while (0)

static inline VEC widen_bf16(__m256i x) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}

static inline VEC widen_8(mr_type type, __m128i x) {
    return _mm512_cvtepi32_ps(type == MR_U8 ? _mm512_cvtepu8_epi32(x) : _mm512_cvtepi8_epi32(x));
}

static inline VEC load_x(mr_type type, const char *p) {
    if (type == MR_F32) return _mm512_loadu_ps(p);
    if (type == MR_BF16) return widen_bf16(_mm256_loadu_si256((const __m256i *)(const void *)p));
    return widen_8(type, _mm_loadu_si128((const __m128i *)(const void *)p));
}

static inline VEC load_x_part(mr_type type, const char *p, __mmask16 first) {
    if (type == MR_F32) return _mm512_maskz_loadu_ps(first, p);
    if (type == MR_BF16) return widen_bf16(_mm256_maskz_loadu_epi16(first, p));
    return widen_8(type, _mm_maskz_loadu_epi8(first, p));
}

/* To the nearest, and to the ends of the range. */
static inline __m128i narrow_8(mr_type type, VEC v) {
    return type == MR_U8 ? _mm512_cvtusepi32_epi8(_mm512_cvtps_epi32(MAX(ZERO, v)))
                         : _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(v));
}

static inline void store_y(mr_type type, char *p, VEC v) {
    if (type == MR_F32)
        _mm512_storeu_ps(p, v);
    else if (type == MR_BF16)
        _mm256_storeu_si256((__m256i *)(void *)p, NARROW(v));
    else
        _mm_storeu_si128((__m128i *)(void *)p, narrow_8(type, v));
}

static inline void store_y_part(mr_type type, char *p, VEC v, __mmask16 first) {
    if (type == MR_F32)
        _mm512_mask_storeu_ps(p, first, v);
    else if (type == MR_BF16)
        _mm256_mask_storeu_epi16(p, first, NARROW(v));
    else
        _mm_mask_storeu_epi8(p, first, narrow_8(type, v));
}

static inline void stream_y(mr_type type, char *p, VEC v) {
    if (type == MR_F32)
        _mm512_stream_ps((float *)(void *)p, v);
    else if (type == MR_BF16)
        _mm256_stream_si256((__m256i *)(void *)p, NARROW(v));
    else
        _mm_stream_si128((__m128i *)(void *)p, narrow_8(type, v));
}

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
                                                .number = MR_BF16,
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
