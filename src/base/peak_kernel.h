/* peak_kernel.h - multiply-adds on registers alone, for the files that define
 *     VECTOR, SET(x), MULADD(a, b, c), ADD(a, b)
 * and include this once. A chain of multiply-adds waits for its own result (4 to 5 cycles), and two
 * start each cycle: ten or more chains keep the units busy. Twelve fit the 16 registers of AVX2
 * beside the two constants; AVX-512 has 32, but clang 14 spills when it gets more than 14 chains.
 * They are named one by one because compilers keep an array of them in memory. */
#define FOR_12(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

#define BEGIN_CHAIN(i) VECTOR a##i = SET(2.0f + 0.01f * i);
#define STEP_CHAIN(i) a##i = MULADD(a##i, factor, term);
#define SUM_CHAIN(i) sum = ADD(sum, a##i);

/* The chains tend to term / (1 - factor) = 1: no overflow, no denormals. None starts at 1, where it
 * would be a constant. */
#define RUN_CHAINS(FOR_ALL, steps, sum)                    \
    const VECTOR factor = SET(0.875f), term = SET(0.125f); \
    VECTOR sum = SET(0.0f);                                \
    FOR_ALL(BEGIN_CHAIN)                                   \
    for (size_t step = 0; step < (steps); step++) {        \
        FOR_ALL(STEP_CHAIN)                                \
    }                                                      \
    FOR_ALL(SUM_CHAIN)
