/* test_cli_folder.c - mrcnn detect on many pictures, which are read, computed and written at the same time:
 * what comes out is what one after the other gives, in the same order. */
#include "helper_assert.h"
#include "helper_cli.h"

#include <stdlib.h>
#include <sys/stat.h>

#define DETECT "detect", "--weights", "tiny.h5", CLI_EAGER

enum { PICTURES = 14 };

/* Those that can't be read, among the others. */
static int is_broken(int i) {
    return i == 0 || i == 5 || i == 6 || i == PICTURES - 1;
}

/* Names that are numbers keep their image_id whatever else is there. */
static const char *name_of(int i) {
    static char name[32];
    snprintf(name, sizeof name, "pics/%02d.png", 10 + i);
    return name;
}

static int enter(void **state) {
    cli_enter(state);
    cli_picture("a.png", 100, 60);
    cli_picture("b.jpg", 70, 90);
    mkdir("pics", 0777);
    for (int i = 0; i < PICTURES; i++) {
        if (is_broken(i))
            cli_write(name_of(i), "no picture");
        else
            cli_picture(name_of(i), 60 + 7 * i, 100 - 3 * i);
    }
    if (cli_weights(MRCNN_PROGRAM)) return 0;
    print_error("no weights to work with\n");
    return 1;
}

/* Where `part` begins, which must be; and what comes behind it. */
static const char *skip_past(const char *text, const char *part) {
    const char *at = strstr(text, part);
    if (!at) fail_msg("'%s' is not there, or too early:\n%s", part, text);
    return at + strlen(part);
}

/* Stdout and stderr as a terminal would show them. */
static const cli_result *run_on_terminal(const char *arguments, const cli_world *world) {
    static char command[4096];
    snprintf(command, sizeof command,
             "%s detect --weights tiny.h5 --set DETECTION_MIN_CONFIDENCE=0 %s 2>&1", MRCNN_PROGRAM,
             arguments);
    return cli_run("/bin/sh", (const char *const[]){"-c", command, NULL}, world);
}

/* --------------------------------------------------------------------------------------- order */

static void test_what_is_said_comes_in_order(void **state) {
    (void)state;
    cli_world world = {.stdin_path = "b.jpg"};
    const cli_result *r = run_on_terminal("--out t1 pics a.png missing.png - a.png", &world);
    assert_int_equal(r->code, 1);
    const char *at = r->out;
    for (int i = 0; i < PICTURES; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "%s%s: ", is_broken(i) ? "mrcnn: " : "", name_of(i));
        at = skip_past(at, wanted);
    }
    static const char *const others[] = {
        "a.png: ", "mrcnn: missing.png: ", "stdin: ", "a.png: ", "mrcnn: 13 pictures in "};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) at = skip_past(at, others[i]);
    size_t notes = cli_occurrences(r->out, "this build is without cairo");
    assert_int_equal(cli_occurrences(r->out, "\n"), PICTURES + 5 + notes);
    assert_true(cli_exists("t1/a_overlay.png") && cli_exists("t1/a_2_overlay.png"));
    assert_true(cli_exists("t1/stdin_overlay.jpg"));
    assert_int_equal(cli_count("t1", "_overlay"), 13);
}

static void test_standard_input_that_is_no_picture(void **state) {
    (void)state;
    cli_world world = {.stdin_path = "tiny.h5"};
    const cli_result *r = run_on_terminal("--out t2 --save json a.png - b.jpg", &world);
    assert_int_equal(r->code, 1);
    const char *at = skip_past(r->out, "a.png: ");
    at = skip_past(at, "mrcnn: standard input: ");
    at = skip_past(at, "b.jpg: ");
}

/* Explaining asks the session again, after each picture's line. */
static void test_explanations_come_below_their_picture(void **state) {
    (void)state;
    const cli_result *r = run_on_terminal("--out t3 --explain a.png missing.png b.jpg", NULL);
    assert_int_equal(r->code, 1);
    const char *at = skip_past(r->out, "a.png: ");
    at = skip_past(at, "anchors");
    at = skip_past(at, "mrcnn: missing.png: ");
    at = skip_past(at, "b.jpg: ");
    at = skip_past(at, "anchors");
    assert_true(cli_exists("t3/a_explain.json") && cli_exists("t3/b_explain.json"));
}

/* ------------------------------------------------------------------------------------- results */

/* What a run on all of them wrote holds what each alone gives, in order. */
static void check_against_single_runs(const char *json) {
    size_t found = 0;
    for (int i = 0; i < PICTURES; i++) {
        if (is_broken(i)) continue;
        assert_int_equal(RUN(DETECT, "--out", "single", "--save", "json", name_of(i))->code, 0);
        char *single = cli_read_json("single/detections.json");
        char *begin = strchr(single, '{'), *end = strrchr(single, '}');
        found += cli_occurrences(single, "image_id");
        if (begin) {
            end[1] = 0;
            json = skip_past(json, begin);
        }
        free(single);
    }
    assert_true(found > 0);
    assert_null(strstr(json, "image_id"));
}

static void test_results_are_those_of_single_runs(void **state) {
    (void)state;
    assert_int_equal(RUN(DETECT, "--out", "f1", "--save", "json", "pics")->code, 1);
    char *json = cli_read_json("f1/detections.json");
    check_against_single_runs(json);
    free(json);
}

/* A batch of three, with pictures among them that can't be read. */
static void test_batches_give_the_same(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--out", "f2", "--save", "json", "--batch", "3", "pics");
    assert_int_equal(r->code, 1);
    assert_int_equal(cli_occurrences(r->out, "\n"), PICTURES - 4);
    assert_contains(r->err, "mrcnn: 10 pictures in ");
    char *json = cli_read_json("f2/detections.json");
    check_against_single_runs(json);
    free(json);
}

/* ----------------------------------------------------------------------------------- the speed */

static void test_speed_is_told_of_several(void **state) {
    (void)state;
    int count = 0;
    double seconds = 0, rate = 0, each = 0;
    const cli_result *r = RUN(DETECT, "--out", "s1", "--save", "json", "a.png", "b.jpg", "a.png");
    assert_int_equal(r->code, 0);
    assert_int_equal(
        sscanf(r->err,
               "mrcnn: %d pictures in %lf s: %lf a second; %lf s from reading one to its last file",
               &count, &seconds, &rate, &each),
        4);
    assert_int_equal(count, 3);
    assert_true(rate > 0 && each <= seconds + 0.1);
    r = RUN(DETECT, "--out", "s2", "--save", "json", "a.png", "missing.png");
    assert_null(strstr(r->err, "a second"));
}

/* ------------------------------------------------------------------------------------ problems */

static void test_a_full_disk_is_told_of_each(void **state) {
    (void)state;
    cli_world full = {.file_limit = 400}; /* of bytes; what is said has room in that */
    const cli_result *r =
        RUN_IN(&full, DETECT, "--out", "d1", "--save", "overlay", "a.png", "no.png", "b.jpg");
    assert_int_equal(r->code, 1);
    const char *at = skip_past(r->err, "d1/a_overlay.png");
    at = skip_past(at, "no.png");
    at = skip_past(at, "d1/b_overlay.jpg");
    assert_int_equal(cli_count("d1", ""), 0);
    assert_int_equal(cli_occurrences(r->out, "\n"), 2);
}

static void test_an_interrupt_keeps_whole_pictures(void **state) {
    (void)state;
    enum { COPIES = 300 };
    const char *arguments[COPIES + 8] = {DETECT, "--save=json,overlay", "--out=i1"};
    size_t first = 0;
    while (arguments[first]) first++;
    for (size_t i = 0; i < COPIES; i++) arguments[first + i] = "a.png";
    cli_world world = {.interrupt = 1};
    const cli_result *r = cli_run(MRCNN_PROGRAM, arguments, &world);
    size_t lines = cli_occurrences(r->out, "\n");
    char wanted[64];
    snprintf(wanted, sizeof wanted, "interrupted after %zu of 300 pictures", lines);
    assert_int_equal(r->code, 130);
    assert_contains(r->err, wanted);
    assert_true(lines < COPIES);
    assert_int_equal(cli_count("i1", "_overlay.png"), lines);
    free(cli_read_json("i1/detections.json"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_said_comes_in_order),
        cmocka_unit_test(test_standard_input_that_is_no_picture),
        cmocka_unit_test(test_explanations_come_below_their_picture),
        cmocka_unit_test(test_results_are_those_of_single_runs),
        cmocka_unit_test(test_batches_give_the_same),
        cmocka_unit_test(test_speed_is_told_of_several),
        cmocka_unit_test(test_a_full_disk_is_told_of_each),
        cmocka_unit_test(test_an_interrupt_keeps_whole_pictures),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
