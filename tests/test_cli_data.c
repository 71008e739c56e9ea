/* test_cli_data.c - mrcnn data: check, stats, convert, split: outputs, messages, exit codes. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_via.h"

#include <mrcnn/mrcnn.h>

#include <stdlib.h>
#include <sys/stat.h>

static int enter(void **state) {
    cli_enter(state);
    mkdir("set", 0777);
    mkdir("set/train", 0777);
    mkdir("set/val", 0777);
    cli_picture("set/train/a.png", 64, 64);
    cli_picture("set/train/b.jpg", 64, 32);
    cli_picture("set/train/empty.png", 32, 32);
    cli_picture("set/val/c.png", 32, 32);
    cli_write("set/train/via_region_data.json",
              "{" VIA_ENTRY(
                  "a.png",
                  VIA_RECT("4", "cat") "," VIA_RECT("5", "dog") "," VIA_RECT(
                      "15", "dog")) "," VIA_ENTRY("b.jpg",
                                                  VIA_RECT("1", "dog")) "," VIA_ENTRY("empty.png",
                                                                                      "") "}");
    cli_write("set/val/via_region_data.json",
              "{" VIA_ENTRY("c.png", VIA_RECT("4", "dog") "," VIA_RECT("5", "cow")) "," VIA_ENTRY(
                  "gone.png", VIA_RECT("4", "dog")) "}");
    return 0;
}

/* A format that can be written, NULL in a build without any. */
static const char *some_format(void) {
    return mrcnn_dataset_writer(0);
}

static size_t count_pictures(const char *path, const char *subset, const char *const *classes,
                             size_t *objects) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.format = some_format();
    options.subset = subset;
    options.class_names = classes;
    options.keep_empty = 1;
    if (mrcnn_dataset_open(&set, path, &options, &err) != MRCNN_OK) fail_msg("%s", err.message);
    size_t count = mrcnn_dataset_count(set);
    for (size_t i = 0; i < count && objects; i++)
        *objects += mrcnn_dataset_picture(set, i)->object_count;
    mrcnn_dataset_free(&set);
    return count;
}

/* ----------------------------------------------------------------------------------------- check */

static void test_check(void **state) {
    (void)state;
    const cli_result *r = RUN("inspect", "data", "--dataset", "set", "--subset", "val", "--check");
    char *same = strdup(r->out);
    assert_int_equal(r->code, 1);
    r = RUN("data", "check", "--dataset", "set", "--subset", "val");
    assert_int_equal(r->code, 1);
    assert_string_equal(r->out, same);
    assert_contains(r->out, "error: gone.png: there is no such picture");
    free(same);
    r = RUN("data", "check", "--dataset", "set", "--json", "-");
    assert_int_equal(r->code, 0);
    assert_true(cli_is_json(r->out));
    r = RUN("data", "check");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--dataset is missing");
}

/* ----------------------------------------------------------------------------------------- stats */

static void test_stats(void **state) {
    (void)state;
    const cli_result *r = RUN("data", "stats", "--dataset", "set", "--classes-out", "classes.txt",
                              "--set", "MAX_GT_INSTANCES=2");
    assert_string_equal(r->err, "");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "via: set/train/via_region_data.json");
    assert_contains(r->out, "cat                               1          1          0\n");
    assert_contains(r->out, "dog                               3          2          0\n");
    assert_contains(r->out, "all                               4          3          0\n");
    assert_contains(r->out, "       64 x 32               1\n");
    assert_contains(r->out,
                    "  < 1                     1  ########################################");
    assert_contains(r->out,
                    "  2 - 4                   1  ########################################");
    assert_contains(r->out, "mean pixel of 3 pictures\n  --set MEAN_PIXEL='[");
    assert_contains(r->out, "up to 3 objects in a picture; MAX_GT_INSTANCES is 2: 1 objects in 1 "
                            "pictures would be left out\n  --set MAX_GT_INSTANCES=3\n");
    assert_contains(r->out, "anchors: objects that one meets");
    char *classes = cli_read("classes.txt");
    assert_string_equal(classes, "cat\ndog\n");
    free(classes);
}

/* What is printed for copying is what the program takes, and is as good as it says. */
static void test_suggestion(void **state) {
    (void)state;
    const cli_result *r =
        RUN("data", "stats", "--dataset", "set", "--set", "IMAGE_RESIZE_MODE=square", "--set",
            "IMAGE_MIN_DIM=64", "--set", "IMAGE_MAX_DIM=64", "--sample", "0");
    char scales[100], ratios[100];
    assert_int_equal(r->code, 0);
    assert_null(strstr(r->out, "mean pixel"));
    assert_contains(r->out, "all                   4       0.0%       0.0%     100.0% ");
    const char *line = strstr(r->out, "  --set RPN_ANCHOR_SCALES='");
    assert_non_null(line);
    assert_int_equal(sscanf(line,
                            "  --set RPN_ANCHOR_SCALES='%90[^']' --set "
                            "RPN_ANCHOR_RATIOS='%90[^']'",
                            scales, ratios),
                     2);
    char set_scales[200], set_ratios[200];
    snprintf(set_scales, sizeof set_scales, "RPN_ANCHOR_SCALES=%s", scales);
    snprintf(set_ratios, sizeof set_ratios, "RPN_ANCHOR_RATIOS=%s", ratios);
    r = RUN("data", "stats", "--dataset", "set", "--set", "IMAGE_MIN_DIM=64", "--set",
            "IMAGE_MAX_DIM=64", "--set", set_scales, "--set", set_ratios, "--json", "-");
    assert_int_equal(r->code, 0);
    assert_true(cli_is_json(r->out));
    assert_contains(r->out, "\"all\": {\"objects\": 4, \"at50\": 1, ");
}

static void test_stats_of_little(void **state) {
    (void)state;
    mkdir("bare", 0777);
    cli_picture("bare/a.png", 32, 32);
    cli_write("bare/via_region_data.json", "{" VIA_ENTRY("a.png", VIA_RECT("400", "cat")) "}");
    const cli_result *r = RUN("data", "stats", "--dataset", "bare");
    assert_int_equal(r->code, 0); /* a picture, if without an object that lies in it */
    assert_null(strstr(r->out, "anchors:"));
    cli_write("bare/a.png", "no picture");
    r = RUN("data", "stats", "--dataset", "bare");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "bare/a.png: ");
    r = RUN("data", "stats", "--dataset", "nowhere");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nowhere: there is no such folder");
    r = RUN("data", "stats", "--dataset", "set", "--set", "RPN_ANCHOR_SCALES=[1]");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "RPN_ANCHOR_SCALES has 1 numbers");
    r = RUN("data", "stats", "--dataset", "set", "--set", "NO_SUCH=1");
    assert_int_equal(r->code, 2);
}

/* --------------------------------------------------------------------------------------- convert */

static void test_convert(void **state) {
    (void)state;
    static const char *const classes[] = {"BG", "cat", "dog", "cow", NULL};
    if (!some_format()) return;
    const cli_result *r =
        RUN("data", "convert", "--dataset", "set", "--to", some_format(), "--out", "converted");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "train: 3 pictures with 4 objects, as ");
    assert_contains(r->out, "val: 1 pictures with 2 objects, as ");
    assert_contains(r->err, "gone.png: there is no such picture");
    assert_int_equal(count_pictures("converted", "train", classes, NULL), 3);
    assert_int_equal(count_pictures("converted", "val", classes, NULL), 1);

    r = RUN("data", "convert", "--dataset", "set", "--to", some_format(), "--out", "converted");
    assert_int_equal(r->code, 1); /* nothing is overwritten */
    assert_contains(r->err, "converted");
    assert_int_equal(count_pictures("converted", "train", classes, NULL), 3);

    r = RUN("data", "convert", "--dataset", "set", "--subset", "val", "--as", "extra", "--to",
            some_format(), "--out", "one", "--pictures", "link", "--polygons");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "extra: 1 pictures");
    assert_false(cli_exists("one/train"));
}

static void test_convert_usage(void **state) {
    (void)state;
    const cli_result *r = RUN("data", "convert", "--to", "x", "--out", "o");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--dataset is missing");
    r = RUN("data", "convert", "--dataset", "set", "--out", "o");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--to is missing");
    r = RUN("data", "convert", "--dataset", "set", "--to", "x");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--out is missing");
    r = RUN("data", "convert", "--dataset", "set", "--to", "a pigeon", "--out", "o");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--to: there is no \"a pigeon\"; there are");
    assert_false(cli_exists("o"));
    if (!some_format()) return;
    char typo[32];
    snprintf(typo, sizeof typo, "%ss", some_format());
    r = RUN("data", "convert", "--dataset", "set", "--to", typo, "--out", "o");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "did you mean ");
    r = RUN("data", "convert", "--dataset", "set", "--to", some_format(), "--out", "o", "--as",
            "x");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--as names one subset, but there are 2");
    r = RUN("data", "convert", "--dataset", "nowhere", "--to", some_format(), "--out", "o");
    assert_int_equal(r->code, 1);
    r = RUN("data", "convert", "--dataset", "set", "--to", some_format(), "--out",
            "set/train/a.png");
    assert_int_equal(r->code, 1);
}

/* ----------------------------------------------------------------------------------------- split */

static void test_split(void **state) {
    (void)state;
    if (!some_format()) return;
    const cli_result *r = RUN("data", "split", "--dataset", "set", "--out", "split", "--val", "0.4",
                              "--seed", "3", "--to", some_format());
    assert_string_equal(r->err, "");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "objects                     train      val     test\n");
    assert_contains(r->out, "cat                             1        0        0\n");
    assert_contains(r->out, "pictures                        2        1        0\n");
    assert_true(cli_exists("split"));
    r = RUN("data", "split", "--dataset", "set", "--out", "three", "--val", "0.3", "--test", "0.3",
            "--to", some_format());
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "pictures                        1        1        1\n");
}

static void test_split_usage(void **state) {
    (void)state;
    static const char *const bad[] = {"1", "-0.1", "x", "nan", "0.2x", "1e308"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const cli_result *r =
            RUN("data", "split", "--dataset", "set", "--out", "s", "--val", bad[i]);
        assert_int_equal(r->code, 2);
        assert_contains(r->err, "is no share");
    }
    const cli_result *r =
        RUN("data", "split", "--dataset", "set", "--out", "s", "--val", "0.5", "--test", "0.5");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "leave nothing to train on");
    r = RUN("data", "split", "--dataset", "set");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--out is missing");
    r = RUN("data", "split", "--dataset", "set", "--out", "s", "--seed", "-1");
    assert_int_equal(r->code, 2);
    assert_false(cli_exists("s"));
}

static void test_help(void **state) {
    (void)state;
    static const char *const commands[] = {"check", "stats", "convert", "split"};
    const cli_result *r = RUN("data", "--help");
    assert_int_equal(r->code, 0);
    for (size_t i = 0; i < 4; i++) assert_contains(r->out, commands[i]);
    for (size_t i = 0; i < 4; i++) {
        r = RUN("data", commands[i], "--help");
        assert_int_equal(r->code, 0);
        assert_contains(r->out, "Usage: mrcnn data ");
    }
    r = RUN("data", "spilt");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "split");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),      cmocka_unit_test(test_stats),
        cmocka_unit_test(test_suggestion), cmocka_unit_test(test_stats_of_little),
        cmocka_unit_test(test_convert),    cmocka_unit_test(test_convert_usage),
        cmocka_unit_test(test_split),      cmocka_unit_test(test_split_usage),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
