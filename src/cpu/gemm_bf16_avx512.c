/* gemm_bf16_avx512.c - the kernels with AVX-512 BF16: an instruction multiplies pairs of numbers in 16
 * lanes and adds both products to a sum. */
#include "cpu/gemm_bf16_kernels.h"

#if defined(__AVX512BF16__)
#include <immintrin.h>

#include "base/bf16.h"
#include "cpu/rows.h"

enum { LANES = MR_GEMM_LINE };

/* ------------------------------------------------------------------------------------ packing */

/* The first n lanes, none where n is negative. */
static inline __mmask16 first(ptrdiff_t n) {
    return n >= LANES ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1);
}

/* low in lanes 0 to 15 of the result, high in the rest. */
static inline __m512i narrow(__m512 low, __m512 high) {
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

/* The n <= 32 numbers at p, then zeros: 16 units. */
static inline __m512i narrow_line(const float *p, ptrdiff_t n) {
    return narrow(_mm512_maskz_loadu_ps(first(n), p),
                  _mm512_maskz_loadu_ps(first(n - LANES), p + LANES));
}

static void pack_rows(const float *from, size_t stride, size_t lines, size_t k, uint32_t *to) {
    for (size_t i = 0; i < lines; i++, from += stride, to += LANES) {
        uint32_t *square = to;
        size_t p = 0;
        for (; p + 2 * LANES <= k; p += 2 * LANES, square += MR_GEMM_SQUARE)
            _mm512_storeu_si512(square, narrow_line(from + p, 2 * LANES));
        if (p < k) _mm512_storeu_si512(square, narrow_line(from + p, (ptrdiff_t)(k - p)));
    }
}

/* Lane i of the result is numbers i of two rows. */
static inline __m512i interleave(__m512 even, __m512 odd) {
    const __m512i order =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, narrow(even, odd));
}

static void pack_pairs(const float *from, size_t stride, size_t k, size_t count, size_t width,
                       uint32_t *to) {
    for (size_t p = 0; p < k; p += 2, from += 2 * stride)
        for (size_t j = 0; j < width; j += LANES, to += LANES) {
            __mmask16 some = first((ptrdiff_t)count - (ptrdiff_t)j);
            __m512 even = _mm512_maskz_loadu_ps(some, from + j);
            __m512 odd = _mm512_maskz_loadu_ps(p + 1 < k ? some : 0, from + stride + j);
            _mm512_storeu_si512(to, interleave(even, odd));
        }
}

/* Lines to columns: first within four lanes of four lines, then these squares. */
static inline void transpose(__m512i v[LANES]) {
    __m512i t[LANES];
    for (int i = 0; i < LANES; i += 4) {
        __m512i a = _mm512_unpacklo_epi32(v[i], v[i + 1]);
        __m512i b = _mm512_unpackhi_epi32(v[i], v[i + 1]);
        __m512i c = _mm512_unpacklo_epi32(v[i + 2], v[i + 3]);
        __m512i d = _mm512_unpackhi_epi32(v[i + 2], v[i + 3]);
        t[i] = _mm512_unpacklo_epi64(a, c), t[i + 1] = _mm512_unpackhi_epi64(a, c);
        t[i + 2] = _mm512_unpacklo_epi64(b, d), t[i + 3] = _mm512_unpackhi_epi64(b, d);
    }
    for (int i = 0; i < 4; i++) {
        __m512i a = _mm512_shuffle_i32x4(t[i], t[i + 4], 0x88);
        __m512i b = _mm512_shuffle_i32x4(t[i], t[i + 4], 0xdd);
        __m512i c = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0x88);
        __m512i d = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0xdd);
        v[i] = _mm512_shuffle_i32x4(a, c, 0x88), v[i + 8] = _mm512_shuffle_i32x4(a, c, 0xdd);
        v[i + 4] = _mm512_shuffle_i32x4(b, d, 0x88), v[i + 12] = _mm512_shuffle_i32x4(b, d, 0xdd);
    }
}

/* n <= 32 numbers of count <= 16 lines. */
static void pack_square(const float *from, size_t stride, size_t n, size_t count, size_t width,
                        uint32_t *to) {
    __m512i v[LANES];
    for (size_t i = 0; i < LANES; i++)
        v[i] = i < count ? narrow_line(from + i * stride, (ptrdiff_t)n) : _mm512_setzero_si512();
    transpose(v);
    for (size_t i = 0; i < (n + 1) / 2; i++) _mm512_storeu_si512(to + i * width, v[i]);
}

static void pack_turned(const float *from, size_t stride, size_t k, size_t count, size_t width,
                        uint32_t *to) {
    for (size_t j = 0; j < width; j += LANES) {
        size_t lines = count > j ? count - j : 0;
        for (size_t p = 0; p < k; p += 2 * LANES)
            pack_square(from + j * stride + p, stride, k - p < 2 * LANES ? k - p : 2 * LANES,
                        lines < LANES ? lines : LANES, width, to + p / 2 * width + j);
    }
}

/* ----------------------------------------------------------------------------------- multiply */

#define BROADCAST(unit) ((__m512bh)_mm512_set1_epi32((int)(unit)))
#define PREFETCH(p, hint) _mm_prefetch((const char *)(p), hint)

#define ROW_MULTIPLY(r, at)                                    \
    left##r = _mm512_dpbf16_ps(left##r, b0, BROADCAST(a[at])); \
    right##r = _mm512_dpbf16_ps(right##r, b1, BROADCAST(a[at]));
#define MULTIPLY_BY_ROWS(r) ROW_MULTIPLY(r, (r)*LANES + i)
#define MULTIPLY_BY_PAIRS(r) ROW_MULTIPLY(r, i *LANES + (r))

#define ROW_CLEAR(r) __m512 left##r = _mm512_setzero_ps(), right##r = left##r;

/* C is asked for at the beginning and used at the end. */
#define ROW_ASK(r)                         \
    PREFETCH(c + (r)*stride, _MM_HINT_T0); \
    PREFETCH(c + (r)*stride + LANES, _MM_HINT_T0);
#define ROW_ADD(r)                                                             \
    left##r = _mm512_fmadd_ps(beta, _mm512_loadu_ps(c + (r)*stride), left##r); \
    right##r = _mm512_fmadd_ps(beta, _mm512_loadu_ps(c + (r)*stride + LANES), right##r);
#define ROW_STORE(r)                           \
    _mm512_storeu_ps(c + (r)*stride, left##r); \
    _mm512_storeu_ps(c + (r)*stride + LANES, right##r);

#define ROW_STREAM(r)                          \
    _mm512_stream_ps(c + (r)*stride, left##r); \
    _mm512_stream_ps(c + (r)*stride + LANES, right##r);

#define STEP(order, n)                                         \
    {                                                          \
        __m512bh b0 = (__m512bh)_mm512_loadu_si512(b);         \
        __m512bh b1 = (__m512bh)_mm512_loadu_si512(b + LANES); \
        ROWS_##n(MULTIPLY_##order);                            \
        PREFETCH(ahead0.at, _MM_HINT_T0);                      \
        PREFETCH(ahead1.at, _MM_HINT_T0);                      \
        ahead0.at += ahead0.step, ahead1.at += ahead1.step;    \
        i++, b += MR_GEMM_COLUMNS;                             \
    }
#define TILE(order, n)                                              \
    static void tile_##order##_##n(const mr_gemm_tile *t) {         \
        const uint32_t *a = t->a, *b = t->b;                        \
        float *const c = t->c;                                      \
        const size_t stride = t->c_stride;                          \
        mr_gemm_ahead ahead0 = t->ahead[0], ahead1 = t->ahead[1];   \
        size_t left = t->pairs, i;                                  \
        ROWS_##n(ROW_CLEAR);                                        \
        if (!t->stream) {                                           \
            ROWS_##n(ROW_ASK)                                       \
        }                                                           \
        for (; left >= LANES; left -= LANES, a += MR_GEMM_SQUARE) { \
            for (i = 0; i < LANES;) {                               \
                STEP(order, n)                                      \
                STEP(order, n)                                      \
                STEP(order, n)                                      \
                STEP(order, n)                                      \
            }                                                       \
            ahead0.at += ahead0.jump, ahead1.at += ahead1.jump;     \
        }                                                           \
        for (i = 0; i < left;) STEP(order, n)                       \
        if (t->stream) {                                            \
            ROWS_##n(ROW_STREAM) return;                            \
        }                                                           \
        if (t->beta != 0) {                                         \
            const __m512 beta = _mm512_set1_ps(t->beta);            \
            ROWS_##n(ROW_ADD)                                       \
        }                                                           \
        ROWS_##n(ROW_STORE)                                         \
    }
#define TILE_BY_ROWS(n) TILE(BY_ROWS, n)
#define TILE_BY_PAIRS(n) TILE(BY_PAIRS, n)
EACH_OF_14(TILE_BY_ROWS)
EACH_OF_14(TILE_BY_PAIRS)

#define NAME_BY_ROWS(n) tile_BY_ROWS_##n,
#define NAME_BY_PAIRS(n) tile_BY_PAIRS_##n,
static void (*const tile_of[2][MR_GEMM_ROWS])(const mr_gemm_tile *) = {{EACH_OF_14(NAME_BY_ROWS)},
                                                                       {EACH_OF_14(NAME_BY_PAIRS)}};

static void multiply(const mr_gemm_tile *t) {
    tile_of[t->order][t->rows - 1](t);
}

const mr_gemm_kernels *mr_gemm_bf16_avx512(void) {
    static const mr_gemm_kernels kernels = {.isa = "avx512 bf16",
                                            .pack_rows = pack_rows,
                                            .pack_pairs = pack_pairs,
                                            .pack_turned = pack_turned,
                                            .multiply = multiply};
    return mr_bf16_is_native() ? &kernels : NULL;
}

#else
const mr_gemm_kernels *mr_gemm_bf16_avx512(void) {
    return NULL;
}
#endif
