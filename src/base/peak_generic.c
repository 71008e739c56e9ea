/* peak_generic.c - multiply-adds in plain C, for processors without a loop of their own. Thirty-two
 * chains side by side become whatever vectors the compiler may use. */
#include "base/peak.h"

enum { CHAINS = MR_PEAK_GENERIC / 2 };

float mr_peak_generic(size_t steps) {
    float chain[CHAINS], sum = 0;
    for (int i = 0; i < CHAINS; i++) chain[i] = 2.0f + 0.01f * (float)i;
    for (size_t step = 0; step < steps; step++)
        for (int i = 0; i < CHAINS; i++) chain[i] = chain[i] * 0.875f + 0.125f;
    for (int i = 0; i < CHAINS; i++) sum += chain[i];
    return sum;
}
