/* test_bench_report.c - bench_report answers a question with a table and a plot, or with a sentence; on a network that takes
 * milliseconds. No time is looked at. */
#include "helper_assert.h"
#include "helper_cli.h"

#include <stdlib.h>
#include <string.h>

#define REPORT(...)                                                                             \
    cli_run(BENCH_REPORT, (const char *const[]){"--quick", "--rounds", "1", __VA_ARGS__, NULL}, \
            NULL)
#define TINY CLI_TINY, "--size", "64"

static void test_table_and_plot(void **state) {
    (void)state;
    const cli_result *r = REPORT("--out", "page", "--threads", "1", TINY, "threads");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "wrote page/report.md");
    char *page = cli_read("page/report.md");
    assert_non_null(page);
    assert_string_equal(page, r->out); /* what is read in a terminal is the page */
    assert_contains(page, "## Threads");
    assert_contains(page,
                    "\n| | threads | latency, ms | pictures a second | speed | memory, MB |\n");
    assert_contains(page, "\n| f32 | 1 | ");
    assert_contains(page, "With BACKBONE=resnet18, ");
    assert_int_equal(cli_occurrences(page, "\n## "), 1); /* nothing else was asked */
#ifdef MRCNN_WITH_CAIRO
    assert_contains(page, "![Threads](threads.svg)");
    assert_true(cli_exists("page/threads.svg"));
#else
    assert_contains(page, "There is no plot: ");
#endif
    free(page);
}

/* Of the stages, those that multiply have limits, and f32 has times in all of them. */
static void test_stages(void **state) {
    (void)state;
    const cli_result *r = REPORT("--out", "page", "--threads", "1", TINY, "stages");
    assert_int_equal(r->code, 0);
    assert_null(strstr(r->out, "The limits are not known"));
    assert_null(strstr(r->out, "\n| backbone | |"));
    assert_contains(r->out, "\n| backbone | ");
    assert_contains(r->out, "\n| unmold | | | | ");
    assert_contains(r->out, " of them (unmold) | ");
    assert_contains(r->out, "\n| NMS alone: 6,000 boxes, 1000 kept when ");
    /* What was made on the way is gone. */
    assert_int_equal(cli_count("page", "int8") + cli_count("page", "noise"), 0);
}

/* A sentence stands in the table's place. */
static void test_nothing_to_see(void **state) {
    (void)state;
    const cli_result *r = REPORT("--out", "page", TINY, "--set", "BACKBONE=resnet19", "threads");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "Not measured: f32, 1, ");
    assert_contains(r->out, "resnet19");
    assert_null(strstr(r->out, "|---|"));
}

static void test_wrong(void **state) {
    (void)state;
    const cli_result *r = REPORT("taste");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "taste: there is no such question");
    assert_int_equal(REPORT("--size", "65")->code, 2);
    assert_int_equal(REPORT("--rounds")->code, 2);
    assert_int_equal(REPORT("--plots", "gif")->code, 2);
    r = REPORT("--out", "no/such/folder", TINY, "threads");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "no/such/folder/report.md");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_and_plot),
        cmocka_unit_test(test_stages),
        cmocka_unit_test(test_nothing_to_see),
        cmocka_unit_test(test_wrong),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
