/* test_schedule.c - learning rates, written out. */
#include "helper_assert.h"

#include "train/schedule.h"

#include <math.h>

static mr_settings base(mr_schedule schedule) {
    mr_settings s = {.learning_rate = 0.02,
                     .learning_rate_schedule = schedule,
                     .learning_rate_gamma = 0.1,
                     .learning_rate_steps = {2, {2, 5}}};
    return s;
}

/* Epochs of 10 steps; a stage of epochs 3 to 6. */
static double rate_at(const mr_settings *s, int64_t step, double factor) {
    mr_schedule_place place = {step, 0, 10, 3, 6, factor};
    return mr_learning_rate(s, &place);
}

static void assert_rate(double rate, double expected) {
    if (fabs(rate - expected) > 1e-14) fail_msg("%.17g, expected %.17g", rate, expected);
}

static void test_constant(void **state) {
    (void)state;
    mr_settings s = base(MR_LR_CONSTANT);
    assert_true(rate_at(&s, 0, 1) == 0.02);
    assert_true(rate_at(&s, 123456789012, 1) == 0.02);
    assert_rate(rate_at(&s, 7, 0.1), 0.002);
}

/* After epochs 2 and 5: from steps 20 and 50 on. */
static void test_step(void **state) {
    (void)state;
    mr_settings s = base(MR_LR_STEP);
    assert_rate(rate_at(&s, 0, 1), 0.02);
    assert_rate(rate_at(&s, 19, 1), 0.02);
    assert_rate(rate_at(&s, 20, 1), 0.002);
    assert_rate(rate_at(&s, 49, 1), 0.002);
    assert_rate(rate_at(&s, 50, 1), 0.0002);
    assert_rate(rate_at(&s, 1000, 2), 0.0004);
    s.learning_rate_steps.count = 0;
    assert_rate(rate_at(&s, 1000, 1), 0.02);
}

/* The stage begins at step 20 and has 40 steps. */
static void test_cosine(void **state) {
    (void)state;
    mr_settings s = base(MR_LR_COSINE);
    assert_rate(rate_at(&s, 20, 1), 0.02);
    assert_rate(rate_at(&s, 30, 1), 0.01 * (1 + sqrt(0.5)));
    assert_rate(rate_at(&s, 40, 1), 0.01);
    assert_rate(rate_at(&s, 40, 0.1), 0.001);
    assert_rate(rate_at(&s, 50, 1), 0.01 * (1 - sqrt(0.5)));
    assert_true(rate_at(&s, 59, 1) > 0);
    assert_rate(rate_at(&s, 60, 1), 0);
    assert_rate(rate_at(&s, 70, 1), 0); /* never up again, never below 0 */
    assert_rate(rate_at(&s, 10, 1), 0.02);
}

static void test_warm_up(void **state) {
    (void)state;
    for (int schedule = MR_LR_CONSTANT; schedule <= MR_LR_COSINE; schedule++) {
        mr_settings plain = base(schedule), warm = plain;
        warm.warmup_steps = 4;
        for (int first = 0; first <= 20; first += 20)
            for (int i = 0; i < 6; i++) {
                mr_schedule_place place = {first + i, first, 10, 3, 6, 1};
                double part = i < 4 ? (i + 1) / 4.0 : 1;
                assert_rate(mr_learning_rate(&warm, &place),
                            mr_learning_rate(&plain, &place) * part);
            }
    }
    mr_settings s = base(MR_LR_CONSTANT);
    s.warmup_steps = 1;
    assert_rate(rate_at(&s, 0, 1), 0.02);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_warm_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
