/* test_viz_scale.c - axes: round ticks, labels that can be told apart, ranges of any size. */
#include "helper_assert.h"

#include "base/prng.h"
#include "viz/scale.h"

#include <locale.h>
#include <math.h>

static mr_scale choose(double low, double high, mr_scale_options options) {
    mr_scale scale = {0};
    mr_extent extent = mr_extent_start();
    mr_extent_add(&extent, low, options.is_log);
    mr_extent_add(&extent, high, options.is_log);
    if (low != 1.0 || high != 3.0) extent.is_whole = 0; /* as if there were fractions in between */
    mr_scale_choose(&scale, &extent, &options);
    return scale;
}

/* "0 2 4" */
static void expect_labels(const mr_scale *scale, const char *expected) {
    char all[1000] = "";
    for (int i = 0; i < scale->count; i++) {
        if (i > 0) strcat(all, " ");
        strcat(all, scale->labels[i]);
    }
    assert_string_equal(all, expected);
}

static void test_labels(void **state) {
    (void)state;
    static const struct {
        double low, high;
        int ticks;
        const char *labels;
    } cases[] = {
        {0, 1, 5, "0.0 0.2 0.4 0.6 0.8 1.0"},
        {0, 9.2, 6, "0 2 4 6 8"},
        {0, 0.05, 5, "0.00 0.01 0.02 0.03 0.04 0.05"},
        {-1, 1, 4, "-1.0 -0.5 0.0 0.5 1.0"},
        {0, 100000, 5, "0 20,000 40,000 60,000 80,000 100,000"},
        {0, 4000, 4, "0 1000 2000 3000 4000"},
        {0, 4e6, 4, "0 1e6 2e6 3e6 4e6"},
        {0, 5e-4, 5, "0 1e-4 2e-4 3e-4 4e-4 5e-4"},
        {1000000, 1000008, 4, "1,000,000 1,000,002 1,000,004 1,000,006 1,000,008"},
        {0, 3e-12, 3, "0 1e-12 2e-12 3e-12"},
        {0, 2e299, 2, "0 1e299 2e299"},
        {1, 3, 10, "1 2 3"}, /* whole values: no half steps between them */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mr_scale_options options = {.ticks = cases[i].ticks, .keep = 1};
        mr_scale scale = choose(cases[i].low, cases[i].high, options);
        expect_labels(&scale, cases[i].labels);
        assert_true(scale.low == cases[i].low && scale.high == cases[i].high);
    }
}

static void test_logarithms(void **state) {
    (void)state;
    mr_scale_options options = {.ticks = 5, .keep = 1, .is_log = 1};
    mr_scale scale = choose(0.01, 100, options);
    expect_labels(&scale, "0.01 0.1 1 10 100");
    assert_int_equal(scale.minor_count, 4 * 8);
    assert_true(fabs(mr_scale_at(&scale, 1.0) - 0.5) < 1e-12);
    assert_true(fabs(mr_scale_at(&scale, 0.1) - 0.25) < 1e-12);
    scale = choose(1, 20, options); /* a decade and a bit */
    expect_labels(&scale, "1 2 5 10 20");
    scale = choose(1e-12, 1e12, options); /* too many decades to name each */
    expect_labels(&scale, "1e-12 1e-7 1e-2 1e3 1e8");
    scale = choose(3, 3.2, options); /* next to nothing: as on a linear axis */
    assert_true(scale.count >= 2);
    scale = choose(-5, 0, options); /* nothing that can be drawn */
    assert_true(scale.low > 0.0 && scale.low < scale.high);
}

static void test_ranges(void **state) {
    (void)state;
    mr_scale_options options = {.ticks = 5, .pad = 0.05};
    mr_scale scale = choose(NAN, INFINITY, options); /* nothing */
    assert_true(scale.low < 0.0 && scale.high > 1.0);
    scale = choose(0.25, 0.25, options);
    assert_true(scale.low < 0.25 && scale.high > 0.25 && scale.high < 0.3);
    mr_extent seven = {7, 7, 1};
    mr_scale_choose(&scale, &seven, &options); /* one whole value */
    assert_true(scale.low == 6.0 && scale.high == 8.0);
    scale = choose(0, 0, options);
    assert_true(scale.low == -1.0 && scale.high == 1.0);
    scale = choose(1.0, 1.0 + 1e-15, options); /* less than can be told apart */
    assert_true(scale.high - scale.low > 0.1);
    options.zero = 1;
    scale = choose(3, 10, options);
    assert_true(scale.low == 0.0 && scale.high > 10.0);
    scale = choose(-3, -1, options);
    assert_true(scale.high == 0.0 && scale.low < -3.0);
}

static void check(const mr_scale *scale) {
    assert_true(isfinite(scale->low) && isfinite(scale->high) && scale->low < scale->high);
    assert_true(scale->count >= 1 && scale->count <= MR_TICKS);
    double slack = 1e-9 * (scale->high - scale->low);
    for (int i = 0; i < scale->count; i++) {
        assert_true(scale->ticks[i] >= scale->low - slack);
        assert_true(scale->ticks[i] <= scale->high + slack);
        assert_true(strlen(scale->labels[i]) >= 1 && strlen(scale->labels[i]) < MR_TICK_BYTES);
        if (i == 0) continue;
        assert_true(scale->ticks[i] > scale->ticks[i - 1]);
        assert_string_not_equal(scale->labels[i], scale->labels[i - 1]);
    }
}

/* Whatever the values: ticks rise, lie on the axis and have labels of their own. */
static void test_any_range(void **state) {
    (void)state;
    uint64_t stream = mr_prng_stream(1, "ranges");
    for (uint64_t i = 0; i < 20000; i += 5) {
        double size = pow(10.0, 600.0 * mr_prng_uniform(stream, i) - 300.0);
        double a = size * (2.0 * mr_prng_uniform(stream, i + 1) - 1.0);
        double b = i % 2 ? a + size * mr_prng_uniform(stream, i + 2) * 1e-9
                         : size * (2.0 * mr_prng_uniform(stream, i + 2) - 1.0);
        mr_scale_options options = {
            .ticks = 2 + (int)(mr_prng_value(stream, i + 3) % 10), .pad = 0.05, .zero = i % 3 == 0};
        mr_scale scale = choose(a, b, options);
        check(&scale);
        options.is_log = 1;
        options.zero = 0;
        scale = choose(fabs(a), fabs(b), options);
        check(&scale);
    }
}

/* A German program's charts have the same labels. */
static void test_locale(void **state) {
    (void)state;
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8")) {
        print_message("skipped: there is no German locale\n");
        return;
    }
    mr_scale_options options = {.ticks = 5, .keep = 1};
    mr_scale scale = choose(0, 1, options);
    setlocale(LC_NUMERIC, "C");
    expect_labels(&scale, "0.0 0.2 0.4 0.6 0.8 1.0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels), cmocka_unit_test(test_logarithms),
        cmocka_unit_test(test_ranges), cmocka_unit_test(test_any_range),
        cmocka_unit_test(test_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
