/* test_bf16.c - bfloat16: all 65,536 there and back, and rounding between neighbours. */
#include "base/bf16.h"
#include "helper_assert.h"

#include <math.h>
#include <stdlib.h>

/* Sign, 8 bits of exponent, 7 of fraction. */
static double value_of(unsigned number) {
    int exponent = (int)(number >> 7 & 255);
    double fraction = number & 127;
    double size = exponent ? ldexp(128 + fraction, exponent - 134) : ldexp(fraction, -133);
    return number & 0x8000 ? -size : size;
}

static void there_and_back(void **state) {
    (void)state;
    for (unsigned number = 0; number < 0x10000; number++) {
        float value = mr_bf16_to_float((mr_bf16)number);
        if ((number & 0x7fff) > 0x7f80) {
            assert_true(isnan(value) && isnan(mr_bf16_to_float(mr_bf16_from_float(value))));
        } else if ((number & 0x7fff) == 0x7f80) {
            assert_true(isinf(value) && (value < 0) == (number > 0x8000));
            assert_int_equal(mr_bf16_from_float(value), number);
        } else if ((double)value != value_of(number) || mr_bf16_from_float(value) != number) {
            fail_msg("0x%04x is %g, which is 0x%04x", number, (double)value,
                     mr_bf16_from_float(value));
        }
    }
}

/* In the middle between neighbours the even one is taken; a little more or less decides. */
static void rounding(void **state) {
    (void)state;
    for (unsigned number = 0; number < 0x7f7f; number++) {
        float middle = (float)((value_of(number) + value_of(number + 1)) / 2); /* exact */
        unsigned even = number + (number & 1);
        unsigned below = mr_bf16_from_float(nextafterf(middle, 0));
        unsigned above = mr_bf16_from_float(nextafterf(middle, INFINITY));
        unsigned at = mr_bf16_from_float(middle), minus = mr_bf16_from_float(-middle);
        if (at != even || below != number || above != number + 1 || minus != (0x8000 | even))
            fail_msg("around 0x%04x: 0x%04x, 0x%04x, 0x%04x", number, below, at, above);
    }
    assert_int_equal(mr_bf16_from_float(3.4e38f), 0x7f80); /* infinity is nearer */
}

/* Lines of every length are what their numbers are. */
static void lines(void **state) {
    (void)state;
    enum { MOST = 37 };
    for (size_t count = 0; count <= MOST; count++) {
        float *from = malloc((count + 1) * sizeof *from),
              *back = malloc((count + 1) * sizeof *back);
        mr_bf16 *to = malloc((count + 1) * sizeof *to);
        for (size_t i = 0; i < count; i++)
            from[i] = (float)(1.0 / (double)(i + 3)) * (i % 2 ? -1 : 1);
        back[count] = 7, to[count] = 7;
        mr_bf16_from_floats(from, to, count);
        mr_bf16_to_floats(to, back, count);
        assert_true(back[count] == 7 && to[count] == 7);
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(to[i], mr_bf16_from_float(from[i]));
            assert_true(fabsf(back[i] - from[i]) <= fabsf(from[i]) / 256);
        }
        free(from), free(back), free(to);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(rounding),
        cmocka_unit_test(lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
