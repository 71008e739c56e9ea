/* test_cli.c - the program's manners: help, usage errors, exit codes, configuration. */
#include "helper_assert.h"
#include "helper_cli.h"

#include <stdlib.h>

/* ------------------------------------------------------------------------------------- help */

static void test_help_of_the_program(void **state) {
    (void)state;
    const cli_result *r = RUN("--help");
    assert_int_equal(r->code, 0);
    assert_string_equal(r->err, "");
    static const char *const commands[] = {"detect",  "splash", "weights", "config",
                                           "inspect", "bench",  "demo"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        assert_contains(r->out, commands[i]);
}

static void check_help(const char *command, const char *sub) {
    const cli_result *r = sub ? RUN(command, sub, "--help") : RUN(command, "--help");
    if (r->code != 0) fail_msg("%s %s --help: exit code %d", command, sub ? sub : "", r->code);
    assert_string_equal(r->err, "");
    assert_contains(r->out, "Usage: mrcnn ");
    assert_contains(r->out, "Options:");
    assert_contains(r->out, "Examples:");
    /* Two examples, with a line on each. */
    assert_true(cli_occurrences(strstr(r->out, "Examples:"), "\n  mrcnn ") >= 2);
    for (const char *line = r->out; line; line = strchr(line + 1, '\n'))
        if (strcspn(line + 1, "\n") > 88)
            fail_msg("a long line in the help of %s:%s", command, line);
}

static void test_help_of_every_command(void **state) {
    (void)state;
    static const char *const commands[][2] = {
        {"detect", NULL},       {"splash", NULL},       {"bench", NULL},       {"demo", NULL},
        {"weights", NULL},      {"weights", "get"},     {"weights", "list"},   {"weights", "info"},
        {"weights", "init"},    {"weights", "convert"}, {"config", NULL},      {"config", "show"},
        {"config", "diff"},     {"config", "keys"},     {"config", "presets"}, {"inspect", NULL},
        {"inspect", "tensors"}, {"inspect", "data"}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        check_help(commands[i][0], commands[i][1]);
    const cli_result *r = RUN("help", "weights", "init");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "Usage: mrcnn weights init");
}

static void test_version(void **state) {
    (void)state;
    const cli_result *r = RUN("--version");
    assert_int_equal(r->code, 0);
    assert_int_equal(strncmp(r->out, "mrcnn ", 6), 0);
    assert_contains(r->out, "HDF5");
}

/* ------------------------------------------------------------------------------------- usage */

static void check_usage(const cli_result *r, const char *part) {
    assert_int_equal(r->code, 2);
    assert_string_equal(r->out, "");
    assert_contains(r->err, part);
    assert_contains(r->err, "Try `mrcnn ");
}

static void test_unknown_names_are_guessed(void **state) {
    (void)state;
    check_usage(RUN("detekt"), "did you mean detect?");
    check_usage(RUN("weights", "inof"), "did you mean info?");
    check_usage(RUN("detect", "--wieghts", "x.h5"),
                "unknown option --wieghts; did you mean --weights?");
    check_usage(RUN("detect", "--save", "jsno", "a.png"), "did you mean json?");
    check_usage(RUN("weights", "get", "cocoo"), "did you mean coco?");
    check_usage(RUN("d\xFF\x1Bt\xC3\xA9"), "no command \"d??t\xC3\xA9\"");
    check_usage(RUN("zzzzzzzz"), "there is no command \"zzzzzzzz\"");
    check_usage(RUN("--frobnicate"), "unknown option --frobnicate");
    check_usage(RUN("detect", "-x"), "unknown option -x");
}

static void test_wrong_usage(void **state) {
    (void)state;
    const cli_result *r = cli_run(MRCNN_PROGRAM, (const char *const[]){NULL}, NULL);
    check_usage(r, "which command?");
    check_usage(RUN("weights"), "which command?");
    check_usage(RUN("detect"), "is missing");
    check_usage(RUN("detect", "a.png", "--weights"), "--weights needs a value");
    check_usage(RUN("detect", "a.png", "--recursive=yes"), "--recursive takes no value");
    check_usage(RUN("detect", "a.png", "--threads", "two"), "not a whole number");
    check_usage(RUN("detect", "a.png", "--threads=-1"), "not between 0 and");
    check_usage(RUN("detect", "a.png", "--executor", "tensorflow"), "there are cpu|reference");
    check_usage(RUN("detect", "a.png", "--save", ","), "name at least one");
    check_usage(RUN("weights", "info"), "is missing");
    check_usage(RUN("weights", "info", "a.h5", "b.h5"), "\"b.h5\" is one argument too many");
    check_usage(RUN("weights", "convert", "a.h5"), "an argument is missing");
    check_usage(RUN("weights", "init"), "--out is missing");
    check_usage(RUN("inspect", "tensors", "a.png", "--weights", "none"), "--out is missing");
}

static void test_after_two_dashes_nothing_is_an_option(void **state) {
    (void)state;
    const cli_result *r = RUN("weights", "info", "--", "--stats");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "--stats");
}

static void test_messages_are_one_harmless_line(void **state) {
    (void)state;
    const cli_result *r = RUN("weights", "info", "no\x1b[31m\nfile");
    assert_int_equal(r->code, 1);
    assert_null(strchr(r->err, '\x1b'));
    assert_int_equal(cli_occurrences(r->err, "\n"), 1);
}

static void test_full_stdout_is_a_failure(void **state) {
    (void)state;
    if (!cli_exists("/dev/full")) skip();
    cli_world world = {.stdout_path = "/dev/full"};
    const cli_result *r = RUN_IN(&world, "config", "keys");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "standard output");
    assert_int_equal(RUN_IN(&world, "--help")->code, 1);
}

/* ----------------------------------------------------------------------------- configuration */

/* The value of a key in the table of `config show`, checked against its whole line. */
static void check_value(const char *table, const char *key, const char *value, const char *source) {
    char line[256];
    snprintf(line, sizeof line, "%-30s %-30s %s\n", key, value, source);
    assert_contains(table, line);
}

static void test_config_show(void **state) {
    (void)state;
    const cli_result *r = RUN("config", "show");
    assert_int_equal(r->code, 0);
    check_value(r->out, "DETECTION_MIN_CONFIDENCE", "0.7", "default");
    check_value(r->out, "IMAGE_META_SIZE", "13", "derived");
    /* Keys are sorted. */
    char previous[64] = "";
    for (const char *line = r->out; *line; line = strchr(line, '\n') + 1) {
        char key[64];
        assert_int_equal(sscanf(line, "%63s", key), 1);
        assert_true(strcmp(previous, key) < 0);
        strcpy(previous, key);
    }
}

static void test_config_sources_rise(void **state) {
    (void)state;
    cli_write("mine.yaml", "DETECTION_MAX_INSTANCES: 7\nNUM_CLASSES: 5\n");
    const cli_result *r = RUN("config", "show", "--preset=balloon", "--config", "mine.yaml",
                              "--set", "NUM_CLASSES=9");
    assert_int_equal(r->code, 0);
    check_value(r->out, "DETECTION_MIN_CONFIDENCE", "0.9", "preset balloon");
    assert_contains(r->out, "DETECTION_MAX_INSTANCES        7 ");
    check_value(r->out, "NUM_CLASSES", "9", "set");
    check_value(r->out, "IMAGE_META_SIZE", "21", "derived");
}

static void test_config_diff(void **state) {
    (void)state;
    const cli_result *r = RUN("config", "diff");
    assert_int_equal(r->code, 0);
    assert_string_equal(r->out, "");
    r = RUN("config", "diff", "--set", "POOL_SIZE=5", "--set", "MASK_POOL_SIZE=14");
    assert_int_equal(r->code, 0);
    check_value(r->out, "POOL_SIZE", "5", "set");
    assert_int_equal(cli_occurrences(r->out, "\n"), 1);
}

static void test_config_keys_and_presets(void **state) {
    (void)state;
    const cli_result *r = RUN("config", "keys");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "DETECTION_MIN_CONFIDENCE (float, default 0.7)\n    ");
    r = RUN("config", "presets");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "balloon ");
    assert_contains(r->out, "small ");
}

static void test_config_errors(void **state) {
    (void)state;
    check_usage(RUN("config", "show", "--set", "DETECTION_MIN_CONFIDENC=1"),
                "did you mean DETECTION_MIN_CONFIDENCE?");
    check_usage(RUN("config", "show", "--set", "POOL_SIZE"), "write it as KEY=VALUE");
    check_usage(RUN("config", "show", "--set", "POOL_SIZE=seven"), "POOL_SIZE");
    check_usage(RUN("config", "show", "--preset", "baloon"), "balloon");
    cli_write("bad.yaml", "POOL_SIZ: 7\n");
    const cli_result *r = RUN("config", "show", "--config", "bad.yaml");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "bad.yaml");
    assert_contains(r->err, "POOL_SIZE");
    r = RUN("config", "show", "--config", "missing.yaml");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "missing.yaml");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_of_the_program),
        cmocka_unit_test(test_help_of_every_command),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_unknown_names_are_guessed),
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_after_two_dashes_nothing_is_an_option),
        cmocka_unit_test(test_messages_are_one_harmless_line),
        cmocka_unit_test(test_full_stdout_is_a_failure),
        cmocka_unit_test(test_config_show),
        cmocka_unit_test(test_config_sources_rise),
        cmocka_unit_test(test_config_diff),
        cmocka_unit_test(test_config_keys_and_presets),
        cmocka_unit_test(test_config_errors),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
