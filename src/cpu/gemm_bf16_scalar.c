/* gemm_bf16_scalar.c - the kernels in plain C: the definition of the others, and for machines without
 * them. */
#include "cpu/gemm_bf16_kernels.h"

#include "base/bf16.h"

static uint32_t unit_of(float first, float second) {
    return mr_bf16_from_float(first) | (uint32_t)mr_bf16_from_float(second) << 16;
}

static float first_of(uint32_t unit) {
    return mr_bf16_to_float((mr_bf16)unit);
}

static float second_of(uint32_t unit) {
    return mr_bf16_to_float((mr_bf16)(unit >> 16));
}

static void pack_rows(const float *from, size_t stride, size_t lines, size_t k, uint32_t *to) {
    for (size_t p = 0; p < k; p += 2) {
        uint32_t *square = to + p / 2 / MR_GEMM_LINE * MR_GEMM_SQUARE + p / 2 % MR_GEMM_LINE;
        for (size_t i = 0; i < lines; i++) {
            const float *x = from + i * stride + p;
            square[i * MR_GEMM_LINE] = unit_of(x[0], p + 1 < k ? x[1] : 0);
        }
    }
}

/* Number p of line i is at from[p * along + i * across]. */
static void pack_any(const float *from, size_t along, size_t across, size_t k, size_t count,
                     size_t width, uint32_t *to) {
    for (size_t p = 0; p < k; p += 2, to += width) {
        for (size_t i = 0; i < count; i++) {
            const float *x = from + p * along + i * across;
            to[i] = unit_of(x[0], p + 1 < k ? x[along] : 0);
        }
        for (size_t i = count; i < width; i++) to[i] = 0;
    }
}

static void pack_pairs(const float *from, size_t stride, size_t k, size_t count, size_t width,
                       uint32_t *to) {
    pack_any(from, stride, 1, k, count, width, to);
}

static void pack_turned(const float *from, size_t stride, size_t k, size_t count, size_t width,
                        uint32_t *to) {
    pack_any(from, 1, stride, k, count, width, to);
}

static void add_row(const mr_gemm_tile *t, size_t row, float sums[MR_GEMM_COLUMNS]) {
    int by_rows = t->order == MR_GEMM_BY_ROWS;
    for (size_t p = 0; p < t->pairs; p++) {
        const uint32_t *square = t->a + p / MR_GEMM_LINE * MR_GEMM_SQUARE;
        size_t in = p % MR_GEMM_LINE;
        uint32_t x = square[by_rows ? row * MR_GEMM_LINE + in : in * MR_GEMM_LINE + row];
        const uint32_t *y = t->b + p * MR_GEMM_COLUMNS;
        float first = first_of(x), second = second_of(x);
        for (size_t j = 0; j < MR_GEMM_COLUMNS; j++)
            sums[j] += first * first_of(y[j]) + second * second_of(y[j]);
    }
}

static void multiply(const mr_gemm_tile *t) {
    for (size_t i = 0; i < t->rows; i++) {
        float sums[MR_GEMM_COLUMNS] = {0}, *c = t->c + i * t->c_stride;
        add_row(t, i, sums);
        for (size_t j = 0; j < MR_GEMM_COLUMNS; j++)
            c[j] = t->beta == 0 ? sums[j] : sums[j] + t->beta * c[j];
    }
}

const mr_gemm_kernels *mr_gemm_bf16_scalar(void) {
    static const mr_gemm_kernels kernels = {.isa = "scalar",
                                            .pack_rows = pack_rows,
                                            .pack_pairs = pack_pairs,
                                            .pack_turned = pack_turned,
                                            .multiply = multiply};
    return &kernels;
}
