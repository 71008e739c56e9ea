/* peak.h - the loops behind mrcnn_peak_gflops, one for each instruction set. Private to peak*.c. */
#ifndef MR_BASE_PEAK_H
#define MR_BASE_PEAK_H

#include <stddef.h>

/* Runs `steps` rounds of independent multiply-adds; returns a number that depends on all of them.
 */
typedef float (*mr_peak_loop)(size_t steps);

float mr_peak_generic(size_t steps);
float mr_peak_avx2(size_t steps);
float mr_peak_avx512(size_t steps);

/* Multiplications and additions in one round. */
enum { MR_PEAK_GENERIC = 2 * 32, MR_PEAK_AVX2 = 2 * 12 * 8, MR_PEAK_AVX512 = 2 * 12 * 16 };

#endif
