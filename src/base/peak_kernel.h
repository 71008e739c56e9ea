/* peak_kernel.h - multiply-adds on registers alone, for the files that define
 *     VECTOR, SET(x), MULADD(a, b, c), ADD(a, b)
 * and include this once. A chain of multiply-adds waits for its own result (4 to 5 cycles), and two
 * start each cycle: ten or more chains keep the units busy. Twelve fit AVX2's 16 registers beside
 * the two constants, twenty-four AVX-512's 32. Chains are named one by one because compilers keep
 * an array of them in memory. */
#define FOR_12(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define FOR_24(X) FOR_12(X) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23)

#define BEGIN_CHAIN(i) VECTOR a##i = SET(1.0f + 0.01f * i);
#define STEP_CHAIN(i) a##i = MULADD(a##i, factor, term);
#define SUM_CHAIN(i) sum = ADD(sum, a##i);

/* The chains tend to term / (1 - factor) = 1: no overflow, no denormals. */
#define RUN_CHAINS(FOR_ALL, steps, sum)                    \
    const VECTOR factor = SET(0.875f), term = SET(0.125f); \
    VECTOR sum = SET(0.0f);                                \
    FOR_ALL(BEGIN_CHAIN)                                   \
    for (size_t step = 0; step < (steps); step++) {        \
        FOR_ALL(STEP_CHAIN)                                \
    }                                                      \
    FOR_ALL(SUM_CHAIN)
