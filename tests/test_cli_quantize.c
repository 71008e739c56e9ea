/* test_cli_quantize.c - mrcnn quantize: a quarter of the bytes, the same objects, computed in int8 where the processor
 * can; and what is said when it can't be done. */
#include "helper_assert.h"
#include "helper_cli.h"

#include "graph/executor.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#define SOURCE TEST_DATA "/../.."
#define MODEL SOURCE "/models/nuclei.h5"
#define PICTURE "cells-big.png"
#define PICTURES SOURCE "/examples/nucleus/train/images"

static long long size_of(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (long long)info.st_size : -1;
}

static void test_same_objects(void **state) {
    (void)state;
    const cli_result *r = RUN("quantize", "--weights", MODEL, "--calibrate", PICTURES, "--pictures",
                              "3", "--out", "q.h5");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "q.h5: ");
    assert_contains(r->err, "looked at 3 pictures");
    assert_true(size_of("q.h5") > 0 && size_of("q.h5") < size_of(MODEL) * 6 / 10); /* that is f16 */
    assert_int_equal(RUN("eval", "--dataset", SOURCE "/examples/nucleus/val", "--weights", MODEL,
                         "--json", "a.json")
                         ->code,
                     0);
    assert_int_equal(RUN("eval", "--dataset", SOURCE "/examples/nucleus/val", "--weights", "q.h5",
                         "--json", "b.json")
                         ->code,
                     0);
    static const char *const sections[] = {"bbox", "segm"};
    for (int i = 0; i < 2; i++) {
        double a = cli_ap("a.json", sections[i]), b = cli_ap("b.json", sections[i]);
        assert_true(a > 0.4);
        if (!(fabs(a - b) < 0.015)) fail_msg("%s: AP %g, quantized %g", sections[i], a, b);
    }
    r = RUN("weights", "info", "q.h5");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "of 8 bits");
}

/* By default the file is computed in int8, where that can be done. */
static void test_default_precision(void **state) {
    (void)state;
    int can = mr_executor_cpu.computes_in(MR_S8);
    const cli_result *r = RUN("bench", "--weights", "q.h5", "--size", "128", "--runs", "1");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, can ? ", int8, picture" : ", f32, picture");
    r = RUN("bench", "--weights", "q.h5", "--size", "128", "--runs", "1", "--precision", "f32");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, ", f32, picture");
    r = RUN("bench", "--weights", "q.h5", "--size", "128", "--runs", "1", "--precision", "int8");
    assert_int_equal(r->code, can ? 0 : 1);
    r = RUN("bench", "--weights", MODEL, "--size", "128", "--runs", "1", "--precision", "int8");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "quantize them first (mrcnn quantize)");
}

/* What is looked at is what detection computes. */
static void test_looking_inside(void **state) {
    (void)state;
    const cli_result *r = RUN("inspect", "tensors", "--weights", "q.h5", "--out", "t.h5",
                              SOURCE "/examples/nucleus/val/images/" PICTURE);
    assert_int_equal(r->code, 0);
    r = RUN("detect", "--weights", "q.h5", "--out", "found", "--save", "json", "--explain",
            SOURCE "/examples/nucleus/val/images/" PICTURE);
    assert_int_equal(r->code, 0);
}

/* One picture that can't be read costs that picture. */
static void test_one_bad_picture(void **state) {
    (void)state;
    mkdir("mixed", 0777);
    cli_picture("mixed/a.png", 64, 64);
    cli_write("mixed/b.png", "no picture");
    const cli_result *r =
        RUN("quantize", "--weights", MODEL, "--calibrate", "mixed", "--out", "mixed.h5");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "mixed/b.png");
    assert_contains(r->err, "looked at 1 pictures");
    assert_true(cli_exists("mixed.h5"));
}

static void test_wrong(void **state) {
    (void)state;
    const cli_result *r = RUN("quantize", "--out", "x.h5");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--calibrate is missing");
    r = RUN("quantize", "--calibrate", PICTURES);
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--out is missing");
    r = RUN("quantize", "--calibrate", PICTURES, "--out", "x.h5", "--percentile", "30");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "from 50 to 100");
    r = RUN("quantize", "--weights", MODEL, "--calibrate", "nowhere", "--out", "x.h5");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nowhere");
    mkdir("bad", 0777);
    cli_write("bad/a.png", "no picture");
    r = RUN("quantize", "--weights", MODEL, "--calibrate", "bad", "--out", "x.h5");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "bad/a.png");
    assert_false(cli_exists("x.h5"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_objects),   cmocka_unit_test(test_default_precision),
        cmocka_unit_test(test_looking_inside), cmocka_unit_test(test_one_bad_picture),
        cmocka_unit_test(test_wrong),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
