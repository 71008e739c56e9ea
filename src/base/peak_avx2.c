/* peak_avx2.c - see peak_kernel.h. Compiled for AVX2 and FMA, called where the processor has them.
 */
#include "base/peak.h"

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>

#define VECTOR __m256
#define SET(x) _mm256_set1_ps(x)
#define MULADD(a, b, c) _mm256_fmadd_ps(a, b, c)
#define ADD(a, b) _mm256_add_ps(a, b)
#include "base/peak_kernel.h"

float mr_peak_avx2(size_t steps) {
    RUN_CHAINS(FOR_12, steps, sum)
    return _mm256_cvtss_f32(sum);
}
#endif
