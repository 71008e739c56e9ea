/* winograd_pack_kernel.h - the transform of weights in plain C that compilers turn into vectors, for
 * a file that defines PACK_LANES, its panel, and includes this. In double and without contraction,
 * so that only the result is rounded and every instruction set has the same one. PACK_LINE(u, line, channel)
 * stores a line of results; by default as they are. */
#include <string.h>

#include "cpu/winograd_kernels.h"

#ifndef PACK_LINE
#define PACK_LINE(u, line, channel) ((void)(channel), memcpy(u, line, sizeof(line)))
#endif

/* u = G g for each lane: row p of G is (1, p, p^2) / m'(p), with m(x) = x (x^2 - A^2) (x^2 - B^2). */
static inline void transform_kernel(double g0, double g1, double g2, double u[6]) {
    const double a = MR_WINO_A, b = MR_WINO_B, a2 = a * a, b2 = b * b;
    const double na = 1 / (2 * a2 * (a2 - b2)), nb = 1 / (2 * b2 * (b2 - a2));
    double even_a = na * (g0 + a2 * g2), odd_a = na * a * g1;
    double even_b = nb * (g0 + b2 * g2), odd_b = nb * b * g1;
    u[0] = g0 * (1 / (a2 * b2));
    u[1] = even_a + odd_a;
    u[2] = even_a - odd_a;
    u[3] = even_b + odd_b;
    u[4] = even_b - odd_b;
    u[5] = g2;
}

static void pack(const float *const tap[9], float *u, size_t position_stride, size_t channel) {
    double half[6][3][PACK_LANES];
    for (int j = 0; j < 3; j++)
        for (int lane = 0; lane < PACK_LANES; lane++) {
            double t[6];
            transform_kernel((double)tap[j][lane], (double)tap[3 + j][lane],
                             (double)tap[6 + j][lane], t);
            for (int i = 0; i < 6; i++) half[i][j][lane] = t[i];
        }
    for (int i = 0; i < 6; i++) {
        float line[6][PACK_LANES];
        for (int lane = 0; lane < PACK_LANES; lane++) {
            double t[6];
            transform_kernel(half[i][0][lane], half[i][1][lane], half[i][2][lane], t);
            for (int j = 0; j < 6; j++) line[j][lane] = (float)t[j];
        }
        for (int j = 0; j < 6; j++, u += position_stride) PACK_LINE(u, line[j], channel);
    }
}
