/* test_cli_weights.c - mrcnn weights init, info and convert, config show --weights, inspect tensors
 * and bench on a tiny model. */
#include "helper_assert.h"
#include "helper_cli.h"

#include <stdlib.h>

static int enter(void **state) {
    cli_enter(state);
    const cli_result *r = RUN("weights", "init", "--out", "tiny.h5", "--seed", "5", CLI_TINY,
                              "--set", "NUM_CLASSES=3");
    if (r->code != 0) print_error("weights init: %s", r->err);
    return r->code;
}

static void test_init_depends_on_the_seed_alone(void **state) {
    (void)state;
    assert_int_equal(
        RUN("weights", "init", "--out", "same.h5", "--seed=5", CLI_TINY, "--set", "NUM_CLASSES=3")
            ->code,
        0);
    assert_int_equal(
        RUN("weights", "init", "--out", "other.h5", "--seed=6", CLI_TINY, "--set", "NUM_CLASSES=3")
            ->code,
        0);
    char *first = NULL, *out = strdup(RUN("weights", "info", "--stats", "tiny.h5")->out);
    assert_string_equal(RUN("weights", "info", "--stats", "same.h5")->out, out);
    first = strdup(RUN("weights", "info", "--stats", "other.h5")->out);
    assert_string_not_equal(first, out);
    free(first);
    free(out);
}

static void test_info(void **state) {
    (void)state;
    const cli_result *r = RUN("weights", "info", "tiny.h5");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "(7, 7, 3, 8)");
    assert_contains(r->out, "mrcnn_class_logits");
    assert_contains(r->out, " parameters (");
    assert_contains(r->out, "keras_version: 2.");
    assert_contains(r->out, "BACKBONE: \"resnet18\"");
    assert_null(strstr(r->out, "std"));
    r = RUN("weights", "info", "tiny.h5", "--stats");
    assert_contains(r->out, " std");
    assert_null(strstr(r->out, "dead?")); /* zero biases are not dead kernels */
    assert_null(strstr(r->out, "overflow?"));
}

static void test_info_of_bad_files(void **state) {
    (void)state;
    static const char *const names[] = {"missing.h5", "empty.h5", "text.h5", "."};
    cli_write("empty.h5", "");
    cli_write("text.h5", "this is no HDF5 file\n");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const cli_result *r = RUN("weights", "info", names[i]);
        assert_int_equal(r->code, 1);
        assert_string_equal(r->out, "");
        assert_contains(r->err, names[i]);
    }
}

static void test_get_that_cannot(void **state) {
    (void)state;
    const cli_result *r =
        RUN("weights", "get", "coco", "--url", "http://127.0.0.1:9/coco.h5", "--dir", "kept");
    assert_int_equal(r->code, 1);
    assert_string_equal(r->out, "");
    assert_int_equal(cli_count("kept", ".h5"), 0);
    r = RUN("weights", "list");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "https://");
}

static void test_init_that_cannot_be_written(void **state) {
    (void)state;
    const cli_result *r = RUN("weights", "init", "--out", "no/such/folder.h5", CLI_TINY);
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "no/such/folder.h5");
}

/* HDF5 1.10 crashes after a write that failed; that must stay its own affair. */
static void test_init_on_a_full_disk(void **state) {
    (void)state;
    cli_world full = {.file_limit = 20000};
    const cli_result *r = RUN_IN(&full, "weights", "init", "--out", "cut.h5", CLI_TINY);
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "cut.h5: can't write it");
    assert_int_equal(cli_count(".", "cut.h5"), 0);
}

static void test_convert_to_other_classes(void **state) {
    (void)state;
    const cli_result *r = RUN("weights", "convert", "tiny.h5", "five.h5", "--classes", "a,b b,c,d");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "re-initialised  kernel: file (16, 3), model (16, 5)");
    assert_contains(r->out, " 3 re-initialised, 0 missing");
    r = RUN("weights", "info", "five.h5");
    assert_contains(r->out, "(16, 5)");
    assert_contains(r->out, "b b\n");
    r = RUN("config", "show", "--weights", "five.h5");
    assert_int_equal(r->code, 0);
    assert_contains(r->out,
                    "NUM_CLASSES                    5                              weights\n");
    assert_contains(r->out,
                    "BACKBONE                       resnet18                       weights\n");
    r = RUN("weights", "convert", "five.h5", "two.h5", "--set", "NUM_CLASSES=2");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "model (16, 2)");
}

static void test_convert_keeps_what_it_can(void **state) {
    (void)state;
    assert_int_equal(RUN("weights", "convert", "tiny.h5", "named.h5", "--classes", "cat,dog")->code,
                     0);
    const cli_result *r =
        RUN("weights", "convert", "named.h5", "again.h5", "--exclude", "mrcnn_class_logits, conv1");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, " 2 skipped");
    char *before = strdup(RUN("weights", "info", "named.h5", "--stats")->out);
    r = RUN("weights", "info", "again.h5", "--stats");
    assert_contains(r->out, "dog\n");
    assert_string_not_equal(r->out, before);
    free(before);
    r = RUN("weights", "convert", "named.h5", "x.h5", "--exclude", "mrcnn_clas_logits");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "did you mean mrcnn_class_logits?");
    assert_false(cli_exists("x.h5"));
}

static void test_inspect_tensors(void **state) {
    (void)state;
    cli_picture("a.png", 60, 40);
    const cli_result *r =
        RUN("inspect", "tensors", "--weights", "tiny.h5", "--out", "t.h5", "a.png");
    assert_string_equal(r->err, "");
    assert_int_equal(r->code, 0);
    assert_true(cli_exists("t.h5"));
    r = RUN("inspect", "tensors", "--weights", "tiny.h5", "--out", "u.h5", "missing.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "missing.png");
    assert_false(cli_exists("u.h5"));
}

static void test_bench(void **state) {
    (void)state;
    const cli_result *r = RUN("bench", CLI_TINY, "--runs", "2", "--json", "-");
    assert_int_equal(r->code, 0);
    assert_true(cli_is_json(r->out));
    static const char *const keys[] = {
        "\"total_ms\": ",          "\"stages\": ", "\"peak_bytes\": ", "\"name\": \"backbone\"",
        "\"name\": \"mask head\"", "\"size\": 128"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) assert_contains(r->out, keys[i]);
    assert_null(strstr(r->out, "\"total_ms\": 0,"));
    r = RUN("bench", "--weights", "tiny.h5", "--size", "64", "--runs=1", "--json", "bench.json");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "GFLOP/s");
    assert_contains(r->out, "picture 64 x 64");
    char *json = cli_read("bench.json");
    assert_true(cli_is_json(json));
    free(json);
    /* Whatever size these weights' own pictures get, the one that is asked for is 64. */
    r = RUN("bench", "--weights", "tiny.h5", "--set", "IMAGE_RESIZE_MODE=pad64", "--set",
            "IMAGE_MIN_SCALE=2", "--size", "64", "--runs=1");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "picture 64 x 64");
    r = RUN("bench", CLI_TINY, "--backbone", "resnet19");
    assert_true(r->code != 0);
    assert_contains(r->err, "resnet19");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init_depends_on_the_seed_alone),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_info_of_bad_files),
        cmocka_unit_test(test_get_that_cannot),
        cmocka_unit_test(test_init_that_cannot_be_written),
        cmocka_unit_test(test_init_on_a_full_disk),
        cmocka_unit_test(test_convert_to_other_classes),
        cmocka_unit_test(test_convert_keeps_what_it_can),
        cmocka_unit_test(test_inspect_tensors),
        cmocka_unit_test(test_bench),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
