/* test_cli_bench.c - mrcnn bench: pictures that are computed together and sessions side by side, on a network that takes
 * milliseconds. What it says of stages and sizes is in test_cli_weights.c. */
#include "helper_assert.h"
#include "helper_cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TINY "bench", "--size", "64", "--runs", "3", CLI_TINY

/* The number behind a key, the first one in the text. */
static double number(const char *json, const char *key) {
    const char *at = strstr(json, key);
    if (!at) fail_msg("%s is missing in %s", key, json);
    return strtod(at + strlen(key), NULL);
}

static double stage_gflop(const char *json, const char *name) {
    const char *at = strstr(json, name);
    assert_non_null(at);
    return number(at, "\"gflop\": ");
}

/* One picture after another: as many a second as fit. */
static void test_one(void **state) {
    (void)state;
    const cli_result *r = RUN(TINY, "--json", "-");
    assert_int_equal(r->code, 0);
    assert_true(cli_is_json(r->out));
    assert_contains(r->out, "\"batch\": 1,");
    assert_contains(r->out, "\"sessions\": 1,");
    double total = number(r->out, "\"total_ms\": "), median = number(r->out, "\"median\": ");
    double least = number(r->out, "\"min\": "), most = number(r->out, "\"max\": ");
    assert_true(least > 0 && least <= median && median <= most);
    assert_true(total == median);
    assert_true(fabs(number(r->out, "\"pictures_per_second\": ") * median / 1e3 - 1) < 1e-3);
}

static void test_batch(void **state) {
    (void)state;
    double one = stage_gflop(RUN(TINY, "--json", "-")->out, "\"name\": \"backbone\"");
    const cli_result *r = RUN(TINY, "--json", "-", "--batch", "3");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "\"batch\": 3,");
    /* All three are in the pass, not one after another. */
    assert_true(fabs(stage_gflop(r->out, "\"name\": \"backbone\"") / one - 3) < 1e-3);
    double median = number(r->out, "\"median\": ");
    assert_true(fabs(number(r->out, "\"pictures_per_second\": ") * median / 3e3 - 1) < 1e-3);
    r = RUN(TINY, "--batch", "2");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "2 pictures a pass, median of 3 runs");
    assert_contains(r->out, "latency  ");
    assert_contains(r->out, " pictures a second, ");
}

static void test_sessions(void **state) {
    (void)state;
    const cli_result *r = RUN(TINY, "--json", "-", "--sessions", "3", "--threads", "2");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "\"sessions\": 3,");
    /* Each of them does one picture at a time: the fastest and the slowest pass bound the sum. */
    double rate = number(r->out, "\"pictures_per_second\": ");
    assert_true(rate >= 3e3 / number(r->out, "\"max\": ") * 0.999);
    assert_true(rate <= 3e3 / number(r->out, "\"min\": ") * 1.001);
    r = RUN(TINY, "--sessions", "2", "--threads", "5");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "2 sessions (threads: 2 each), ");
}

/* What fails in a session's thread is said once, and the others don't wait for it. */
static void test_failure(void **state) {
    (void)state;
    const cli_result *r =
        RUN(TINY, "--sessions", "3", "--set", "BACKBONE_STRIDES=[4, 8, 16, 32, 63]");
    assert_int_equal(r->code, 1);
    assert_int_equal(cli_occurrences(r->err, "BACKBONE_STRIDES ask for 2 x 2"), 1);
    assert_string_equal(r->out, "");
}

static void test_wrong(void **state) {
    (void)state;
    const cli_result *r = RUN("bench", "--batch", "0");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--batch");
    r = RUN("bench", "--sessions", "65");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--sessions");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),      cmocka_unit_test(test_batch),
        cmocka_unit_test(test_sessions), cmocka_unit_test(test_failure),
        cmocka_unit_test(test_wrong),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
