/* test_cli_precision.c - --precision: the model that comes along finds in bf16 what it finds in f32, training in bf16
 * has nearly the losses of f32, and what can't be had is said. Where the processor has no bf16, that is what is
 * tested. */
#include "helper_assert.h"
#include "helper_cli.h"

#include "base/bf16.h"

#include <math.h>
#include <stdlib.h>

#define SOURCE TEST_DATA "/../.."
#define EVAL \
    "eval", "--dataset", SOURCE "/examples/nucleus/val", "--weights", SOURCE "/models/nuclei.h5"

#define TINY "--size", "64", CLI_TINY

static void test_same_objects(void **state) {
    (void)state;
    assert_int_equal(RUN(EVAL, "--json", "f32.json")->code, 0);
    const cli_result *r = RUN(EVAL, "--json", "bf16.json", "--precision", "bf16");
    if (!mr_bf16_is_native()) {
        assert_int_equal(r->code, 1);
        assert_contains(r->err, "no bf16 on this machine");
        assert_contains(r->err, "AVX-512");
        return;
    }
    assert_int_equal(r->code, 0);
    static const char *const sections[] = {"bbox", "segm"};
    for (int i = 0; i < 2; i++) {
        double f32 = cli_ap("f32.json", sections[i]), bf16 = cli_ap("bf16.json", sections[i]);
        assert_true(f32 > 0.4);
        if (!(fabs(f32 - bf16) < 0.01))
            fail_msg("%s: AP %g in f32, %g in bf16", sections[i], f32, bf16);
    }
}

/* auto is what the processor has; the report says what was run. */
static void test_auto(void **state) {
    (void)state;
    const char *want = mr_bf16_is_native() ? "\"precision\": \"bf16\"" : "\"precision\": \"f32\"";
    const cli_result *r = RUN("bench", TINY, "--runs", "1", "--json", "-", "--precision", "auto");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, want);
    r = RUN("bench", TINY, "--runs", "1");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, ", f32, picture 64 x 64");
    r = RUN("bench", TINY, "--runs", "1", "--json", "-", "--precision", "auto", "--executor",
            "reference");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "\"precision\": \"f32\"");
}

static void test_wrong(void **state) {
    (void)state;
    const cli_result *r = RUN("bench", "--precision", "f64");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "there are default|f32|bf16|int8|auto");
    r = RUN("bench", TINY, "--precision", "bf16", "--executor", "reference");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "the executor reference has no bf16");
}

/* Three steps with bf16 factors: nearly the losses of f32, and the checkpoint says how it was trained. */
static void test_training(void **state) {
    (void)state;
    double losses[2];
    static const char *const settings[] = {"TRAIN_PRECISION=f32", "TRAIN_PRECISION=bf16"};
    for (int i = 0; i < 2; i++) {
        const cli_result *r =
            RUN("train", CLI_TINY, "--dataset", "shapes", "--weights", "none", "--threads", "1",
                "--validation", "none", "--logs", settings[i], "--epochs", "1", "--set",
                "STEPS_PER_EPOCH=3", "--set", "IMAGES_PER_GPU=1", "--set", settings[i]);
        if (i && !mr_bf16_is_native()) {
            assert_int_equal(r->code, 1);
            assert_contains(r->err, "TRAIN_PRECISION bf16: the executor cpu has no bf16");
            return;
        }
        assert_int_equal(r->code, 0);
        const char *loss = strstr(r->err, "epoch 1/1  loss ");
        if (!loss) loss = strstr(r->out, "epoch 1/1  loss ");
        assert_non_null(loss);
        losses[i] = strtod(loss + strlen("epoch 1/1  loss "), NULL);
    }
    if (!(fabs(losses[0] - losses[1]) < 0.02 * losses[0]))
        fail_msg("loss %g in f32, %g in bf16", losses[0], losses[1]);
    assert_true(losses[0] != losses[1]); /* it isn't f32 under another name */
    /* Validation has a network of its own where batch norms learn: its loss is one. */
    const cli_result *r = RUN(
        "train", CLI_TINY, "--dataset", "shapes", "--weights", "none", "--threads", "1", "--logs",
        "validated", "--epochs", "1", "--set", "STEPS_PER_EPOCH=3", "--set", "IMAGES_PER_GPU=2",
        "--set", "TRAIN_BN=none", "--set", "VALIDATION_STEPS=1", "--set", "TRAIN_PRECISION=bf16");
    assert_int_equal(r->code, 0);
    const char *loss = strstr(r->err, "val_loss ");
    if (!loss) loss = strstr(r->out, "val_loss ");
    assert_non_null(loss);
    double value = strtod(loss + strlen("val_loss "), NULL);
    assert_true(value > 0.5 && value < 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_objects),
        cmocka_unit_test(test_auto),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_training),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
