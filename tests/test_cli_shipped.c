/* test_cli_shipped.c - the model and the pictures that come along: where they are found, what uses them,
 * and mrcnn demo; with tiny ones. */
#include "helper_assert.h"
#include "helper_cli.h"

#include <mrcnn/mrcnn.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LABELS "share/examples/nucleus/"

/* Two squares on a picture of 64 x 64. */
static void make_picture(const char *half, const char *name) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    uint8_t pixels[64 * 64] = {0};
    mrcnn_image labels = {64, 64, 1, pixels};
    char path[256];
    for (int i = 0; i < 20 * 20; i++) {
        pixels[(8 + i / 20) * 64 + 8 + i % 20] = 1;
        pixels[(36 + i / 20) * 64 + 36 + i % 20] = 2;
    }
    snprintf(path, sizeof path, LABELS "%s", half);
    mkdir(path, 0777);
    snprintf(path, sizeof path, LABELS "%s/labels", half);
    mkdir(path, 0777);
    snprintf(path, sizeof path, LABELS "%s/labels/%s.png", half, name);
    assert_int_equal(mrcnn_image_write(&labels, path, &err), MRCNN_OK);
    snprintf(path, sizeof path, LABELS "%s/images", half);
    mkdir(path, 0777);
    snprintf(path, sizeof path, LABELS "%s/images/%s.png", half, name);
    cli_picture(path, 64, 64);
}

/* The first seed whose network finds several things in the picture, as fresh ones may not. */
static int make_weights(void) {
    char seed[16];
    for (int i = 0; i < 20; i++) {
        snprintf(seed, sizeof seed, "%d", i);
        if (RUN("weights", "init", "--out", "tiny.h5", "--seed", seed, CLI_TINY, "--set",
                "NUM_CLASSES=2", "--set", "DETECTION_MIN_CONFIDENCE=0", "--set",
                "DETECTION_MAX_INSTANCES=20")
                ->code != 0)
            return 0;
        RUN("detect", "--weights", "tiny.h5", "--out", "probe", "--save", "json", "a.png");
        char *json = cli_read("probe/detections.json");
        size_t found = json ? cli_occurrences(json, "image_id") : 0;
        free(json);
        if (found < 4) continue;
        return RUN("weights", "convert", "tiny.h5", "share/models/nuclei.h5", "--precision", "f16",
                   "--classes", "nucleus")
                   ->code == 0;
    }
    return 0;
}

static int enter(void **state) {
    char folder[512], share[600];
    cli_enter(state);
    mkdir("share", 0777);
    mkdir("share/models", 0777);
    mkdir("share/examples", 0777);
    mkdir("share/examples/nucleus", 0777);
    make_picture("train", "one");
    make_picture("val", "two");
    cli_picture("a.png", 80, 60);
    if (!make_weights() || !getcwd(folder, sizeof folder)) return 1;
    snprintf(share, sizeof share, "%s/share", folder);
    return setenv("MRCNN_SHARE", share, 1);
}

/* ------------------------------------------------------------------------------------- the model */

static void test_detect_alone(void **state) {
    (void)state;
    const cli_result *r = RUN("detect", "a.png");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "no --weights given: using /");
    assert_contains(r->err, "/share/models/nuclei.h5, which finds cell nuclei (--weights coco ");
    assert_contains(r->err, "no --out given: the results go to found/");
    assert_true(cli_exists("found/a_overlay.png"));
    char *json = cli_read("found/detections.json");
    assert_true(cli_is_json(json));
    free(json);
    r = RUN("splash", "a.png");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "nuclei.h5");
    assert_true(cli_exists("found/a_splash.png"));
}

/* Whoever names it is told nothing, and gets the same. */
static void test_detect_by_name(void **state) {
    (void)state;
    const cli_result *r = RUN("detect", "a.png", "--weights", "nuclei", "--out", "named");
    assert_int_equal(r->code, 0);
    assert_null(strstr(r->err, "given"));
    char *a = cli_read("found/detections.json"), *b = cli_read("named/detections.json");
    assert_string_equal(a, b);
    free(a);
    free(b);
}

static void test_other_commands(void **state) {
    (void)state;
    const cli_result *r = RUN("eval", "--dataset", LABELS);
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "nuclei.h5");
    assert_contains(r->out, "nucleus");
    r = RUN("inspect", "tensors", "--out", "t.h5", "a.png");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "nuclei.h5");
    r = RUN("inspect", "model", "--out", "look", "a.png");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "nuclei.h5");
    r = RUN("weights", "get", "nuclei");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "/share/models/nuclei.h5\n");
    assert_contains(RUN("weights", "list")->out, "/share/models/nuclei.h5\n");
    assert_contains(RUN("config", "show", "--weights", "nuclei")->out, "DETECTION_MAX_INSTANCES");
}

/* ------------------------------------------------------------------------------------- overlays */

#ifdef MRCNN_WITH_CAIRO
static int same_files(const char *a, const char *b) {
    return cli_run("/usr/bin/cmp", (const char *const[]){"-s", a, b, NULL}, NULL)->code == 0;
}

/* Captions of several objects would hide a picture of 80 x 60. */
static void test_what_is_drawn(void **state) {
    (void)state;
    assert_int_equal(RUN("detect", "a.png", "--out", "d1", "--draw", "masks,contours,boxes")->code,
                     0);
    assert_true(same_files("d1/a_overlay.png", "found/a_overlay.png"));
    assert_int_equal(
        RUN("detect", "a.png", "--out", "d2", "--draw", "masks,contours,boxes,captions")->code, 0);
    assert_false(same_files("d2/a_overlay.png", "found/a_overlay.png"));
    assert_int_equal(RUN("detect", "a.png", "--out", "d3", "--draw", "masks")->code, 0);
    assert_false(same_files("d3/a_overlay.png", "d1/a_overlay.png"));
    assert_int_equal(RUN("detect", "a.png", "--out", "d4", "--draw", "lines")->code, 2);
}
#endif

/* ---------------------------------------------------------------------------------------- places */

static void test_missing(void **state) {
    (void)state;
    char *share = strdup(getenv("MRCNN_SHARE"));
    setenv("MRCNN_SHARE", "/nowhere", 1);
    const cli_result *r = RUN("detect", "a.png", "--out", "none");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--weights is missing");
    assert_contains(r->err, "models/nuclei.h5, is not there");
    assert_false(cli_exists("none"));
    r = RUN("detect", "a.png", "--out", "made", "--weights", "nuclei");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "models/nuclei.h5");
    assert_contains(r->err, "MRCNN_SHARE");
    r = RUN("demo", "--out", "none");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "models/nuclei.h5");
    assert_false(cli_exists("none"));
    r = RUN("weights", "list");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "not where it was installed");
    setenv("MRCNN_SHARE", share, 1);
    free(share);
}

/* An installed tree, and the same somewhere else: what lies beside the program wins over the place where
 * it was built. */
static void test_installed_and_moved(void **state) {
    (void)state;
    char *share = strdup(getenv("MRCNN_SHARE"));
    mkdir("tree", 0777);
    mkdir("tree/bin", 0777);
    mkdir("tree/share", 0777);
    const char *const copy[] = {MRCNN_PROGRAM, "tree/bin/mrcnn", NULL};
    assert_int_equal(cli_run("/bin/cp", copy, NULL)->code, 0);
    assert_int_equal(symlink(share, "tree/share/mrcnn"), 0);
    unsetenv("MRCNN_SHARE");
    const char *const get[] = {"weights", "get", "nuclei", NULL};
    const cli_result *r = cli_run("tree/bin/mrcnn", get, NULL);
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "/share/models/nuclei.h5\n");
    assert_int_equal(rename("tree", "another tree"), 0);
    assert_int_equal(cli_run("another tree/bin/mrcnn", get, NULL)->code, 0);
    setenv("MRCNN_SHARE", share, 1);
    free(share);
}

/* From where it was built, the model in the source tree, if it is there. */
static void test_built(void **state) {
    (void)state;
    char *share = strdup(getenv("MRCNN_SHARE"));
    unsetenv("MRCNN_SHARE");
    int is_there = cli_exists(TEST_DATA "/../../models/nuclei.h5");
    const cli_result *r = RUN("weights", "get", "nuclei");
    assert_int_equal(r->code, is_there ? 0 : 1);
    if (is_there) assert_contains(r->out, "/models/nuclei.h5\n");
    setenv("MRCNN_SHARE", share, 1);
    free(share);
}

/* ------------------------------------------------------------------------------------------ demo */

static void test_demo(void **state) {
    (void)state;
    const cli_result *r = RUN("demo", "--steps", "2", "--out", "shown");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "Pictures that it was trained on (/");
    assert_contains(r->out, "Pictures that it has never seen (/");
    assert_int_equal(cli_occurrences(r->out, "   2 annotated"), 4); /* two pictures, two halves */
    assert_contains(r->out, "  2 steps in ");
    assert_contains(r->out, "mrcnn detect YOUR_PICTURE.png");
    assert_contains(r->out, "In short: ");
    assert_contains(r->out, "of training took the loss from ");
    assert_true(cli_exists("shown/one_overlay.png"));
    assert_true(cli_exists("shown/two_overlay.png"));
    assert_int_equal(cli_count("shown/training", "nucleus"), 1);
    char *page = cli_read("shown/report.html"), *json = cli_read("shown/report.json");
    assert_contains(page, "A minute of training");
    assert_contains(page, "it has never seen");
    assert_true(cli_is_json(json));
    free(page);
    free(json);
}

static void test_demo_without_training(void **state) {
    (void)state;
    const cli_result *r = RUN("demo", "--steps", "0", "--out", "quick");
    assert_int_equal(r->code, 0);
    assert_null(strstr(r->out, "raining"));
    assert_contains(r->out, "In short: ");
    assert_false(cli_exists("quick/training"));
    assert_int_equal(RUN("demo", "--steps", "-1")->code, 2);
    cli_write("file", "");
    r = RUN("demo", "--steps", "0", "--out", "file/below");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "file/below");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_detect_alone),
        cmocka_unit_test(test_detect_by_name),
        cmocka_unit_test(test_other_commands),
#ifdef MRCNN_WITH_CAIRO
        cmocka_unit_test(test_what_is_drawn),
#endif
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_installed_and_moved),
        cmocka_unit_test(test_built),
        cmocka_unit_test(test_demo),
        cmocka_unit_test(test_demo_without_training),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
