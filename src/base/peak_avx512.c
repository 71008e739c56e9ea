/* peak_avx512.c - see peak_kernel.h. Compiled for AVX-512, called where the processor has it. */
#include "base/peak.h"

#if defined(__AVX512F__)
#include <immintrin.h>

#define VECTOR __m512
#define SET(x) _mm512_set1_ps(x)
#define MULADD(a, b, c) _mm512_fmadd_ps(a, b, c)
#define ADD(a, b) _mm512_add_ps(a, b)
#include "base/peak_kernel.h"

float mr_peak_avx512(size_t steps) {
    RUN_CHAINS(FOR_12, steps, sum)
    return _mm512_cvtss_f32(sum);
}
#endif
