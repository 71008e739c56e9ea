/* test_winograd.c - every instruction set that this CPU has against a direct convolution in double:
 * odd maps, odd channel counts, batches, every epilogue, both gradients, and the same bytes on any
 * thread count. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bf16.h"
#include "base/memory.h"
#include "base/prng.h"
#include "cpu/winograd_kernels.h"

enum { TABLES = 3 };

static const double CLOSE = 2e-6, CLOSE_BF16 = 2e-2,
                    CLOSE_8BIT = 3e-2; /* rms of the error over that of the result */

static const mr_winograd_kernels *table(int i) {
    return i == 0 ? mr_winograd_scalar() : i == 1 ? mr_winograd_avx2() : mr_winograd_avx512();
}

/* Sums of twelve uniforms less six: close to a standard normal. Exactly `count` floats, so that
 * ASan sees a read past the end. */
static float *random_floats(const char *name, size_t count) {
    float *values = malloc((count ? count : 1) * sizeof *values);
    assert_non_null(values);
    uint64_t stream = mr_prng_stream(7, name);
    for (size_t i = 0; i < count; i++) {
        double sum = -6;
        for (size_t j = 0; j < 12; j++) sum += mr_prng_uniform(stream, i * 12 + j);
        values[i] = (float)sum;
    }
    return values;
}

static size_t in_size(const mr_winograd_shape *s) {
    return (size_t)s->n * (size_t)s->h * (size_t)s->w * (size_t)s->c_in;
}

static size_t out_size(const mr_winograd_shape *s) {
    return (size_t)s->n * (size_t)s->h * (size_t)s->w * (size_t)s->c_out;
}

/* The definition, in double. */
static double *direct(const mr_winograd_shape *s, const float *x, const float *kernel) {
    double *y = calloc(out_size(s), sizeof *y);
    assert_non_null(y);
    size_t c_in = (size_t)s->c_in, c_out = (size_t)s->c_out;
    double *sum = y;
    for (int n = 0; n < s->n; n++)
        for (int i = 0; i < s->h; i++)
            for (int j = 0; j < s->w; j++, sum += c_out)
                for (int tap = 0; tap < 9; tap++) {
                    int row = i + tap / 3 - 1, col = j + tap % 3 - 1;
                    if (row < 0 || row >= s->h || col < 0 || col >= s->w) continue;
                    const float *from =
                        x +
                        (((size_t)n * (size_t)s->h + (size_t)row) * (size_t)s->w + (size_t)col) *
                            c_in;
                    for (size_t a = 0; a < c_in; a++)
                        for (size_t b = 0; b < c_out; b++)
                            sum[b] +=
                                (double)from[a] * kernel[((size_t)tap * c_in + a) * c_out + b];
                }
    return y;
}

static float *pack(const mr_winograd_kernels *k, const mr_winograd_shape *s, const float *kernel) {
    float *packed =
        mr_alloc_aligned(mr_winograd_packed_size_with(k, s->c_in, s->c_out) * sizeof *packed);
    assert_non_null(packed);
    mr_winograd_pack_with(k, kernel, s->c_in, s->c_out, packed, 2);
    return packed;
}

static void run(const mr_winograd_kernels *k, const mr_winograd_shape *s, const float *x,
                const float *packed, const mr_winograd_epilogue *epilogue, float *y, int threads) {
    void *scratch = mr_alloc_aligned(mr_winograd_scratch_size_with(k, s, threads));
    assert_non_null(scratch);
    mr_winograd_forward_with(k, s, NULL, x, packed, epilogue, y, scratch, threads);
    free(scratch);
}

/* Root mean square of y - want, over that of want. */
static double error_of(const float *y, const double *want, size_t count) {
    double error = 0, size = 1e-30;
    for (size_t i = 0; i < count; i++) {
        error += (y[i] - want[i]) * (y[i] - want[i]);
        size += want[i] * want[i];
    }
    return sqrt(error / size);
}

enum { BIAS = 1, RESIDUAL = 2, RELU = 4, EPILOGUES = 8 };

static void check_epilogue(const mr_winograd_kernels *k, const mr_winograd_shape *s, const float *x,
                           const float *packed, const double *conv, int flags) {
    size_t count = out_size(s);
    float *bias = random_floats("bias", (size_t)s->c_out);
    float *residual = random_floats("residual", count);
    float *y = malloc(count * sizeof *y), *again = malloc(count * sizeof *again);
    double *want = malloc(count * sizeof *want);
    assert_true(y && again && want);
    for (size_t i = 0; i < count; i++) {
        want[i] = conv[i];
        if (flags & BIAS) want[i] += bias[i % (size_t)s->c_out];
        if (flags & RESIDUAL) want[i] += residual[i];
        if (flags & RELU && want[i] < 0) want[i] = 0;
    }
    mr_winograd_epilogue e = {flags & BIAS ? bias : NULL, flags & RESIDUAL ? residual : NULL,
                              (flags & RELU) != 0, NULL};
    run(k, s, x, packed, &e, y, 1);
    double error = error_of(y, want, count);
    if (error > CLOSE)
        fail_msg("%s: %dx%dx%d, %d -> %d channels, epilogue %d: error %g of rms", k->isa, s->n,
                 s->h, s->w, s->c_in, s->c_out, flags, error);
    for (int threads = 2; threads <= 3; threads++) {
        memcpy(again, residual, count * sizeof *again);
        if (flags & RESIDUAL) e.residual = again; /* in place */
        run(k, s, x, packed, &e, again, threads);
        assert_memory_equal(y, again, count * sizeof *y);
    }
    free(bias), free(residual), free(y), free(again), free(want);
}

/* Exactly `count` of them, so that ASan sees a read past the end; `values` become what they are in bf16. */
static mr_bf16 *narrowed(float *values, size_t count) {
    mr_bf16 *narrow = malloc((count ? count : 1) * sizeof *narrow);
    assert_non_null(narrow);
    mr_bf16_from_floats(values, narrow, count);
    mr_bf16_to_floats(narrow, values, count);
    return narrow;
}

static void check_bf16_epilogue(const mr_winograd_shape *s, const mr_bf16 *x, const void *packed,
                                const double *conv, int flags) {
    const mr_winograd_kernels *k = mr_winograd_bf16();
    size_t count = out_size(s);
    float *bias = random_floats("bias", (size_t)s->c_out), *y = malloc(count * sizeof *y);
    float *added = random_floats("residual", count);
    mr_bf16 *residual = narrowed(added, count), *narrow = malloc(count * sizeof *narrow);
    double *want = malloc(count * sizeof *want);
    assert_true(y && narrow && want);
    for (size_t i = 0; i < count; i++) {
        want[i] = conv[i];
        if (flags & BIAS) want[i] += bias[i % (size_t)s->c_out];
        if (flags & RESIDUAL) want[i] += added[i];
        if (flags & RELU && want[i] < 0) want[i] = 0;
    }
    mr_winograd_epilogue e = {flags & BIAS ? bias : NULL, flags & RESIDUAL ? residual : NULL,
                              (flags & RELU) != 0, NULL};
    for (int threads = 1; threads <= 3; threads++) {
        mr_bf16 *to = threads > 1 && flags & RESIDUAL ? residual : narrow; /* in place */
        if (to == residual) mr_bf16_from_floats(added, residual, count);
        void *scratch = mr_alloc_aligned(mr_winograd_scratch_size_with(k, s, threads));
        assert_non_null(scratch);
        mr_winograd_forward_with(k, s, NULL, x, packed, &e, to, scratch, threads);
        free(scratch);
        if (threads > 1) {
            assert_memory_equal(narrow, to, count * sizeof *to);
            continue;
        }
        mr_bf16_to_floats(narrow, y, count);
        double error = error_of(y, want, count);
        if (error > CLOSE_BF16)
            fail_msg("bf16: %dx%dx%d, %d -> %d channels, epilogue %d: error %g of rms", s->n, s->h,
                     s->w, s->c_in, s->c_out, flags, error);
    }
    free(bias), free(y), free(added), free(residual), free(narrow), free(want);
}

/* Values as 8-bit numbers of a type and scale, and what they are then. */
static void *narrowed_8bit(float *values, size_t count, mr_type type, float scale) {
    char *narrow = malloc(count ? count : 1);
    assert_non_null(narrow);
    for (size_t i = 0; i < count; i++) {
        float least = type == MR_U8 ? 0 : -128, most = type == MR_U8 ? 255 : 127;
        float number = fminf(fmaxf(rintf(values[i] / scale), least), most);
        if (type == MR_U8)
            ((uint8_t *)(void *)narrow)[i] = (uint8_t)number;
        else
            ((int8_t *)(void *)narrow)[i] = (int8_t)number;
        values[i] = number * scale;
    }
    return narrow;
}

/* Every type of 8 bits in, out and added, and bf16 out. */
static void check_8bit(const mr_winograd_shape *s, const float *kernel, mr_type in, mr_type out,
                       mr_type added) {
    const mr_winograd_kernels *k = mr_winograd_bf16();
    size_t count = out_size(s);
    float *x = random_floats("x", in_size(s)), *residual = random_floats("residual", count);
    float *bias = random_floats("bias", (size_t)s->c_out), *packed = pack(k, s, kernel);
    float spread = sqrtf(9.0f * (float)s->c_in) * 4;
    mr_winograd_numbers numbers = {in,   out,       added, in == MR_U8 ? 4.0f / 255 : 4.0f / 127,
                                   1.0f, 5.0f / 127};
    if (out != MR_BF16) numbers.y_scale = spread / (out == MR_U8 ? 255 : 127);
    if (added == MR_BF16) numbers.residual_scale = 1;
    void *narrow = narrowed_8bit(x, in_size(s), in, numbers.x_scale);
    void *plus = added == MR_BF16 ? (void *)narrowed(residual, count)
                                  : narrowed_8bit(residual, count, added, numbers.residual_scale);
    double *want = direct(s, x, kernel), error = 0, size = 1e-30;
    char *y = malloc(count * mr_type_size(out));
    void *scratch = mr_alloc_aligned(mr_winograd_scratch_size_with(k, s, 2));
    mr_winograd_epilogue e = {bias, plus, out == MR_U8, &numbers};
    mr_winograd_forward_with(k, s, NULL, narrow, packed, &e, y, scratch, 2);
    for (size_t i = 0; i < count; i++) {
        double sum = want[i] + bias[i % (size_t)s->c_out] + residual[i], have;
        if (e.relu && sum < 0) sum = 0;
        if (out == MR_BF16)
            have = mr_bf16_to_float(((mr_bf16 *)(void *)y)[i]);
        else
            have = numbers.y_scale * (out == MR_U8 ? (double)((uint8_t *)(void *)y)[i]
                                                   : (double)((int8_t *)(void *)y)[i]);
        double most = numbers.y_scale * (out == MR_U8 ? 255 : 127);
        if (out != MR_BF16 && fabs(sum) > most) sum = sum < 0 ? -most : most;
        error += (sum - have) * (sum - have);
        size += sum * sum;
    }
    if (sqrt(error / size) > CLOSE_8BIT)
        fail_msg("types %d, %d, %d: %dx%dx%d, %d -> %d channels: error %g of rms", in, out, added,
                 s->n, s->h, s->w, s->c_in, s->c_out, sqrt(error / size));
    free(x), free(residual), free(bias), free(packed), free(narrow), free(plus), free(want);
    free(y), free(scratch);
}

static void check_bf16(const mr_winograd_shape *s, float *x, const float *kernel) {
    if (!mr_winograd_bf16()) return;
    mr_bf16 *narrow = narrowed(x, in_size(s));
    double *conv = direct(s, x, kernel);
    float *packed = pack(mr_winograd_bf16(), s, kernel);
    for (int flags = 0; flags < EPILOGUES; flags++)
        check_bf16_epilogue(s, narrow, packed, conv, flags);
    check_8bit(s, kernel, MR_U8, MR_U8, MR_S8);
    check_8bit(s, kernel, MR_S8, MR_U8, MR_U8);
    check_8bit(s, kernel, MR_S8, MR_S8, MR_S8);
    check_8bit(s, kernel, MR_U8, MR_BF16, MR_BF16);
    free(narrow), free(conv), free(packed);
}

static void check_shape(const mr_winograd_shape *s) {
    float *x = random_floats("x", in_size(s));
    float *kernel = random_floats("kernel", 9 * (size_t)s->c_in * (size_t)s->c_out);
    double *conv = direct(s, x, kernel);
    for (int i = 0; i < TABLES; i++) {
        if (!table(i)) continue;
        float *packed = pack(table(i), s, kernel);
        for (int flags = 0; flags < EPILOGUES; flags++)
            check_epilogue(table(i), s, x, packed, conv, flags);
        free(packed);
    }
    check_bf16(s, x, kernel);
    free(x), free(kernel), free(conv);
}

static void test_map_sizes(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 2}, {2, 1},  {3, 5},   {4, 4},  {5, 4},  {6, 7},
                                   {7, 6}, {8, 8}, {9, 13}, {13, 17}, {1, 40}, {40, 1}, {14, 14}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        mr_winograd_shape s = {1, sizes[i][0], sizes[i][1], 20, 37};
        check_shape(&s);
    }
}

static void test_channels(void **state) {
    (void)state;
    static const int channels[][2] = {{1, 1},   {2, 4},   {3, 2},   {4, 8},   {7, 9},   {8, 24},
                                      {15, 15}, {16, 16}, {17, 33}, {24, 31}, {32, 64}, {65, 40}};
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        mr_winograd_shape s = {1, 9, 10, channels[i][0], channels[i][1]};
        check_shape(&s);
    }
}

static void test_batches(void **state) {
    (void)state;
    static const mr_winograd_shape shapes[] = {
        {2, 5, 6, 8, 8}, {3, 1, 1, 16, 32}, {7, 14, 14, 24, 16}, {2, 17, 30, 4, 40}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) check_shape(&shapes[i]);
}

/* Few tiles, many channels: threads share out the output channels. */
static void test_few_tiles(void **state) {
    (void)state;
    static const mr_winograd_shape shapes[] = {
        {1, 4, 4, 8, 200}, {1, 7, 9, 16, 257}, {1, 32, 40, 5, 130}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) check_shape(&shapes[i]);
}

/* Outputs so large that they are stored past the caches; all threads' parts must have arrived. The
 * scalar version has no such stores. */
static void test_large_output(void **state) {
    (void)state;
    mr_winograd_shape s = {1, 262, 266, 2, 128};
    float *x = random_floats("x", in_size(&s));
    float *kernel = random_floats("kernel", 9 * 2 * 128);
    double *conv = direct(&s, x, kernel);
    for (int i = 1; i < TABLES; i++) {
        if (!table(i)) continue;
        float *packed = pack(table(i), &s, kernel);
        float *y = mr_alloc_aligned(out_size(&s) * sizeof *y);
        assert_non_null(y);
        mr_winograd_epilogue none = {NULL, NULL, 0, NULL};
        run(table(i), &s, x, packed, &none, y, 3);
        assert_true(error_of(y, conv, out_size(&s)) < 2e-6);
        free(packed), free(y);
    }
    free(x), free(kernel), free(conv);
}

/* The definition of the gradient by x: each product of the forward sum, sent back. */
static double *direct_backward(const mr_winograd_shape *s, const float *dy, const float *kernel) {
    double *dx = calloc(in_size(s), sizeof *dx);
    assert_non_null(dx);
    size_t c_in = (size_t)s->c_in, c_out = (size_t)s->c_out;
    for (int i = 0; i < s->h; i++)
        for (int j = 0; j < s->w; j++, dy += c_out)
            for (int tap = 0; tap < 9; tap++) {
                int row = i + tap / 3 - 1, col = j + tap % 3 - 1;
                if (row < 0 || row >= s->h || col < 0 || col >= s->w) continue;
                double *to = dx + ((size_t)row * (size_t)s->w + (size_t)col) * c_in;
                for (size_t a = 0; a < c_in; a++)
                    for (size_t b = 0; b < c_out; b++)
                        to[a] += (double)dy[b] * kernel[((size_t)tap * c_in + a) * c_out + b];
            }
    return dx;
}

static void test_backward_data(void **state) {
    (void)state;
    mr_winograd_shape s = {1, 11, 6, 21, 38}, back = {1, 11, 6, 38, 21};
    float *dy = random_floats("dy", out_size(&s)), *kernel = random_floats("kernel", 9 * 21 * 38);
    double *want = direct_backward(&s, dy, kernel);
    for (int i = 0; i < TABLES; i++) {
        if (!table(i)) continue;
        float *packed =
            mr_alloc_aligned(mr_winograd_packed_size_with(table(i), 38, 21) * sizeof *packed);
        float *dx = malloc(in_size(&s) * sizeof *dx);
        assert_true(packed && dx);
        mr_winograd_pack_backward_data_with(table(i), kernel, 21, 38, packed, 2);
        mr_winograd_epilogue none = {NULL, NULL, 0, NULL};
        run(table(i), &back, dy, packed, &none, dx, 2);
        assert_true(error_of(dx, want, in_size(&s)) < 2e-6);
        free(packed), free(dx);
    }
    free(dy), free(kernel), free(want);
}

/* The definition of the gradient by the weights. */
static double *direct_weights(const mr_winograd_shape *s, const float *x, const float *dy) {
    size_t c_in = (size_t)s->c_in, c_out = (size_t)s->c_out;
    double *sums = calloc(9 * c_in * c_out, sizeof *sums);
    assert_non_null(sums);
    for (int n = 0; n < s->n; n++)
        for (int i = 0; i < s->h; i++)
            for (int j = 0; j < s->w; j++, dy += c_out)
                for (int tap = 0; tap < 9; tap++) {
                    int row = i + tap / 3 - 1, col = j + tap % 3 - 1;
                    if (row < 0 || row >= s->h || col < 0 || col >= s->w) continue;
                    const float *from =
                        x +
                        (((size_t)n * (size_t)s->h + (size_t)row) * (size_t)s->w + (size_t)col) *
                            c_in;
                    double *to = sums + (size_t)tap * c_in * c_out;
                    for (size_t a = 0; a < c_in; a++)
                        for (size_t b = 0; b < c_out; b++, to++) *to += (double)from[a] * dy[b];
                }
    return sums;
}

static void run_weights(const mr_winograd_kernels *k, const mr_winograd_shape *s, const float *x,
                        const float *dy, float *dkernel, int accumulate, int threads) {
    void *scratch = mr_alloc_aligned(mr_winograd_weights_scratch_size_with(k, s, threads));
    assert_non_null(scratch);
    /* Whatever was in scratch must not matter. */
    memset(scratch, 0xff, mr_winograd_weights_scratch_size_with(k, s, threads));
    mr_winograd_backward_weights_with(k, s, NULL, x, dy, dkernel, accumulate, scratch, threads);
    free(scratch);
}

/* Overwriting what was there, then adding to something, on one to three threads. */
static void check_weights_with(const mr_winograd_kernels *k, const mr_winograd_shape *s,
                               const float *x, const float *dy, const double *want, double limit) {
    size_t count = 9 * (size_t)s->c_in * (size_t)s->c_out;
    float *start = random_floats("start", count);
    float *got = malloc(count * sizeof *got), *again = malloc(count * sizeof *again);
    double *sum = malloc(count * sizeof *sum);
    assert_true(got && again && sum);
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        for (size_t i = 0; i < count; i++) {
            got[i] = accumulate ? start[i] : NAN;
            sum[i] = want[i] + (accumulate ? start[i] : 0);
        }
        run_weights(k, s, x, dy, got, accumulate, 1);
        double error = error_of(got, sum, count);
        if (!(error <= limit))
            fail_msg("%s: %dx%dx%d, %d -> %d channels, accumulate %d: error %g of rms", k->isa,
                     s->n, s->h, s->w, s->c_in, s->c_out, accumulate, error);
        for (int threads = 2; threads <= 3; threads++) {
            memcpy(again, start, count * sizeof *again);
            run_weights(k, s, x, dy, again, accumulate, threads);
            assert_memory_equal(got, again, count * sizeof *got);
        }
    }
    free(start), free(got), free(again), free(sum);
}

static void check_weights(const mr_winograd_shape *s) {
    float *x = random_floats("x", in_size(s)), *dy = random_floats("dy", out_size(s));
    double *want = direct_weights(s, x, dy);
    for (int i = 0; i < TABLES; i++)
        if (table(i)) check_weights_with(table(i), s, x, dy, want, 4e-6);
    free(x), free(dy), free(want);
}

static void test_weights_map_sizes(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 2}, {2, 3},   {4, 4},  {5, 7},  {7, 5},
                                   {8, 8}, {9, 4}, {17, 13}, {1, 40}, {40, 1}, {14, 14}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (int n = 1; n <= 3; n++) {
            mr_winograd_shape s = {n, sizes[i][0], sizes[i][1], 17, 20};
            check_weights(&s);
        }
}

static void test_weights_channels(void **state) {
    (void)state;
    static const int channels[] = {1, 3, 8, 16, 17, 48, 100};
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++)
        for (size_t j = 0; j < sizeof channels / sizeof channels[0]; j++) {
            mr_winograd_shape s = {2, 5, 6, channels[i], channels[j]};
            check_weights(&s);
        }
}

/* Several chunks of tiles, of uneven lengths, on few channels and on several groups of them. */
static void test_weights_many_tiles(void **state) {
    (void)state;
    static const mr_winograd_shape shapes[] = {
        {1, 90, 97, 3, 5}, {2, 61, 83, 16, 17}, {3, 45, 66, 70, 110}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) check_weights(&shapes[i]);
}

/* The gradient of sum(y * dy) as the forward pass itself has it: y is linear in the weights, so a
 * central difference is exact but for rounding. */
static void test_weights_differences(void **state) {
    (void)state;
    mr_winograd_shape s = {2, 6, 9, 5, 7};
    size_t count = 9 * 5 * 7;
    float *x = random_floats("x", in_size(&s)), *dy = random_floats("dy", out_size(&s));
    float *kernel = random_floats("kernel", count), *dkernel = malloc(count * sizeof *dkernel);
    assert_non_null(dkernel);
    for (int i = 0; i < TABLES; i++) {
        if (!table(i)) continue;
        run_weights(table(i), &s, x, dy, dkernel, 0, 2);
        for (size_t w = 0; w < count; w += 11) {
            double loss[2] = {0, 0};
            float old = kernel[w];
            for (int side = 0; side < 2; side++) {
                kernel[w] = old + (side ? 0.5f : -0.5f);
                double *y = direct(&s, x, kernel);
                for (size_t at = 0; at < out_size(&s); at++) loss[side] += y[at] * dy[at];
                free(y);
            }
            kernel[w] = old;
            assert_true(fabs(loss[1] - loss[0] - dkernel[w]) < 1e-4);
        }
    }
    free(x), free(dy), free(kernel), free(dkernel);
}

/* Every step-th tile from the first-th on. */
static mr_winograd_tiles some_tiles(const mr_winograd_shape *s, int first, int step,
                                    int32_t *index) {
    int all = s->n * ((s->h + 3) / 4) * ((s->w + 3) / 4);
    mr_winograd_tiles only = {0, index};
    for (int i = first; i < all; i += step) index[only.count++] = i;
    return only;
}

static int is_listed(const mr_winograd_shape *s, size_t pixel, int first, int step) {
    int col = (int)(pixel % (size_t)s->w), row = (int)(pixel / (size_t)s->w);
    int tile = ((row / s->h) * ((s->h + 3) / 4) + row % s->h / 4) * ((s->w + 3) / 4) + col / 4;
    return tile >= first && (tile - first) % step == 0;
}

/* Listed tiles get what they get without a list, byte for byte; the others are left alone. */
static void check_tiles(const mr_winograd_kernels *k, const mr_winograd_shape *s, const float *x,
                        int first, int step, int threads) {
    float *kernel = random_floats("kernel", 9 * (size_t)s->c_in * (size_t)s->c_out);
    float *packed = pack(k, s, kernel), *start = random_floats("start", out_size(s));
    float *all = malloc(out_size(s) * sizeof *all), *some = malloc(out_size(s) * sizeof *some);
    int32_t *index = malloc(out_size(s) * sizeof *index);
    void *scratch = mr_alloc_aligned(mr_winograd_tiles_scratch_size_with(k, s, threads));
    assert_true(all && some && index && scratch);
    mr_winograd_tiles only = some_tiles(s, first, step, index);
    mr_winograd_epilogue none = {NULL, NULL, 0, NULL}, add = {NULL, some, 0, NULL};
    run(k, s, x, packed, &none, all, 1);
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        memcpy(some, start, out_size(s) * sizeof *some);
        mr_winograd_forward_with(k, s, &only, x, packed, accumulate ? &add : &none, some, scratch,
                                 threads);
        for (size_t i = 0; i < out_size(s); i++) {
            float want = start[i];
            if (is_listed(s, i / (size_t)s->c_out, first, step))
                want = accumulate ? start[i] + all[i] : all[i];
            assert_float_equal(some[i], want, accumulate ? 1e-5 : 0);
        }
    }
    free(kernel), free(packed), free(start), free(all), free(some), free(index), free(scratch);
}

/* As if the gradient were zero in tiles that aren't listed. */
static void check_weights_tiles(const mr_winograd_kernels *k, const mr_winograd_shape *s,
                                const float *x, int first, int step, int threads) {
    size_t count = 9 * (size_t)s->c_in * (size_t)s->c_out;
    float *dy = random_floats("dy", out_size(s)), *listed = random_floats("dy", out_size(s));
    float *dkernel = malloc(count * sizeof *dkernel);
    int32_t *index = malloc(out_size(s) * sizeof *index);
    void *scratch = mr_alloc_aligned(mr_winograd_weights_tiles_scratch_size_with(k, s, threads));
    assert_true(dkernel && index && scratch);
    mr_winograd_tiles only = some_tiles(s, first, step, index);
    for (size_t i = 0; i < out_size(s); i++)
        if (!is_listed(s, i / (size_t)s->c_out, first, step)) listed[i] = 0;
    double *want = direct_weights(s, x, listed);
    mr_winograd_backward_weights_with(k, s, &only, x, dy, dkernel, 0, scratch, threads);
    if (only.count)
        assert_true(error_of(dkernel, want, count) < 4e-6);
    else
        for (size_t i = 0; i < count; i++) assert_true(dkernel[i] == 0);
    mr_winograd_backward_weights_with(k, s, &only, x, dy, dkernel, 1, scratch, threads);
    for (size_t i = 0; i < count; i++) want[i] *= 2;
    if (only.count) assert_true(error_of(dkernel, want, count) < 4e-6);
    free(dy), free(listed), free(dkernel), free(index), free(scratch), free(want);
}

/* Lists of all, of some, of one and of no tiles. */
static void test_tiles(void **state) {
    (void)state;
    static const mr_winograd_shape shapes[] = {
        {1, 1, 1, 3, 5}, {2, 9, 14, 16, 70}, {1, 66, 79, 17, 16}, {3, 45, 50, 8, 9}};
    static const int lists[][2] = {{0, 1}, {1, 3}, {2, 11}, {0, 1 << 20}, {1 << 20, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        float *x = random_floats("x", in_size(&shapes[i]));
        for (size_t j = 0; j < sizeof lists / sizeof lists[0]; j++)
            for (int t = 0; t < TABLES; t++)
                for (int threads = 1; table(t) && threads <= 3; threads++) {
                    check_tiles(table(t), &shapes[i], x, lists[j][0], lists[j][1], threads);
                    check_weights_tiles(table(t), &shapes[i], x, lists[j][0], lists[j][1], threads);
                }
        free(x);
    }
}

/* The error at the size of the network's layers. */
static void test_weights_wide(void **state) {
    (void)state;
    mr_winograd_shape s = {1, 132, 137, 130, 33};
    float *x = random_floats("x", in_size(&s)), *dy = random_floats("dy", out_size(&s));
    double *want = direct_weights(&s, x, dy);
    size_t count = 9 * 130 * 33;
    float *dkernel = malloc(count * sizeof *dkernel);
    assert_non_null(dkernel);
    for (int i = 0; i < TABLES; i++) {
        if (!table(i)) continue;
        run_weights(table(i), &s, x, dy, dkernel, 0, 2);
        double error = error_of(dkernel, want, count);
        printf("%s: gradient of the weights, error %.2g of its rms\n", table(i)->isa, error);
        assert_true(error < 4e-6);
    }
    free(x), free(dy), free(want), free(dkernel);
}

/* The public functions are those of the best table. */
static void test_dispatch(void **state) {
    (void)state;
    const mr_winograd_kernels *best = table(2) ? table(2) : table(1) ? table(1) : table(0);
    assert_string_equal(mr_winograd_isa(), best->isa);
    assert_int_equal(mr_winograd_is_fast(), best != table(0));
    assert_int_equal(mr_winograd_packed_size(20, 70), mr_winograd_packed_size_with(best, 20, 70));
    mr_winograd_shape s = {1, 6, 9, 20, 70};
    float *x = random_floats("x", in_size(&s)), *kernel = random_floats("kernel", 9 * 20 * 70);
    float *packed = pack(best, &s, kernel);
    float *same = mr_alloc_aligned(mr_winograd_packed_size(20, 70) * sizeof *same);
    float *y = malloc(out_size(&s) * sizeof *y), *again = malloc(out_size(&s) * sizeof *again);
    void *scratch = mr_alloc_aligned(mr_winograd_scratch_size(&s, 2));
    assert_true(same && y && again && scratch);
    mr_winograd_pack(kernel, 20, 70, same, 1);
    mr_winograd_epilogue relu = {NULL, NULL, 1, NULL};
    run(best, &s, x, packed, &relu, y, 1);
    mr_winograd_forward(&s, x, same, &relu, again, scratch, 2);
    assert_memory_equal(y, again, out_size(&s) * sizeof *y);
    free(x), free(kernel), free(packed), free(same), free(y), free(again), free(scratch);
}

static void test_weights_dispatch(void **state) {
    (void)state;
    const mr_winograd_kernels *best = table(2) ? table(2) : table(1) ? table(1) : table(0);
    mr_winograd_shape s = {2, 6, 9, 20, 70};
    size_t count = 9 * 20 * 70, bytes = mr_winograd_weights_scratch_size(&s, 2);
    assert_int_equal(bytes, mr_winograd_weights_scratch_size_with(best, &s, 2));
    float *x = random_floats("x", in_size(&s)), *dy = random_floats("dy", out_size(&s));
    float *want = malloc(count * sizeof *want), *got = malloc(count * sizeof *got);
    void *scratch = mr_alloc_aligned(bytes);
    assert_true(want && got && scratch);
    run_weights(best, &s, x, dy, want, 0, 1);
    mr_winograd_backward_weights(&s, x, dy, got, 0, scratch, 2);
    assert_memory_equal(want, got, count * sizeof *got);
    free(x), free(dy), free(want), free(got), free(scratch);
}

/* Where the Winograd gradient pays, and how much memory it takes there. */
static void test_weights_choice(void **state) {
    (void)state;
    static const mr_winograd_shape fast[] = {{1, 256, 256, 256, 256},
                                             {1, 256, 256, 64, 64},
                                             {1, 32, 32, 512, 512},
                                             {66, 14, 14, 256, 256}};
    static const mr_winograd_shape slow[] = {{1, 1, 1, 1, 1},
                                             {1, 256, 256, 3, 64},
                                             {1, 8, 8, 256, 256},
                                             {1, 256, 256, 16, 16},
                                             {400, 1, 1, 256, 256}};
    for (int i = 0; i < TABLES; i++) {
        if (!table(i)) continue;
        for (size_t j = 0; j < sizeof fast / sizeof fast[0]; j++)
            assert_int_equal(mr_winograd_weights_is_fast_with(table(i), &fast[j]), i > 0);
        for (size_t j = 0; j < sizeof slow / sizeof slow[0]; j++)
            assert_false(mr_winograd_weights_is_fast_with(table(i), &slow[j]));
        assert_in_range(mr_winograd_weights_scratch_size_with(table(i), &fast[0], 2), 1, 45000000);
        mr_winograd_shape wide = {1, 256, 256, 512, 512};
        assert_in_range(mr_winograd_weights_scratch_size_with(table(i), &wide, 16), 1, 90000000);
    }
}

/* Many input channels: several runs of tiles, and the error at the size of the network's layers. */
static void test_wide(void **state) {
    (void)state;
    mr_winograd_shape s = {1, 33, 47, 256, 72};
    float *x = random_floats("x", in_size(&s));
    float *kernel = random_floats("kernel", 9 * 256 * 72);
    double *conv = direct(&s, x, kernel);
    for (int i = 0; i < TABLES; i++) {
        if (!table(i)) continue;
        float *packed = pack(table(i), &s, kernel);
        float *y = malloc(out_size(&s) * sizeof *y);
        mr_winograd_epilogue none = {NULL, NULL, 0, NULL};
        run(table(i), &s, x, packed, &none, y, 2);
        double error = error_of(y, conv, out_size(&s));
        printf("%s: error %.2g of the output's rms\n", table(i)->isa, error);
        assert_true(error < 2e-6);
        free(packed), free(y);
    }
    free(x), free(kernel), free(conv);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_sizes),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_few_tiles),
        cmocka_unit_test(test_large_output),
        cmocka_unit_test(test_backward_data),
        cmocka_unit_test(test_tiles),
        cmocka_unit_test(test_dispatch),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_weights_map_sizes),
        cmocka_unit_test(test_weights_channels),
        cmocka_unit_test(test_weights_many_tiles),
        cmocka_unit_test(test_weights_differences),
        cmocka_unit_test(test_weights_wide),
        cmocka_unit_test(test_weights_dispatch),
        cmocka_unit_test(test_weights_choice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
