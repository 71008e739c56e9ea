/* winograd_avx512.c - the Winograd kernels on 16 lanes. 14 rows x 2 vectors of sums, two weights
 * and a factor fill 31 of the 32 registers; 14 broadcasts and 2 loads feed 28 multiply-adds, so the
 * two FMA ports are the limit. */
#include "cpu/winograd_kernels.h"

#if defined(__AVX512F__)
#include "cpu/winograd_512.h"

#define STORE_PART(p, v, n) _mm512_mask_storeu_ps(p, FIRST(n), v)
#define STREAM(p, v) _mm512_stream_ps(p, v)
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
