/* bf16.c - see bf16.h. */
#include "base/bf16.h"

void mr_bf16_from_floats(const float *restrict from, mr_bf16 *restrict to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = mr_bf16_from_float(from[i]);
}

void mr_bf16_to_floats(const mr_bf16 *restrict from, float *restrict to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = mr_bf16_to_float(from[i]);
}

int mr_bf16_is_native(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw");
#else
    return 0;
#endif
}
