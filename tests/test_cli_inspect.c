/* test_cli_inspect.c - mrcnn inspect data, anchors, targets, weights and report on tiny data: what they print,
 * that their pages say what the JSON beside says and need nothing else, and exit codes. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_report.h"
#include "helper_via.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#define HOSTILE "<b onload='x'>&\\\"cat"
#define SHAPES "--dataset", "shapes", CLI_TINY, "--set", "IMAGE_MIN_DIM=128"

static char run_folder[600];

/* A run of two steps, with a checkpoint, and the folder's path. */
static void train(void) {
    const cli_result *r =
        RUN("train", SHAPES, "--weights", "none", "--epochs", "1", "--logs", "logs", "--threads",
            "1", "--set", "STEPS_PER_EPOCH=2", "--set", "VALIDATION_STEPS=1", "--set",
            "IMAGES_PER_GPU=1", "--set", "LOADER_THREADS=1");
    if (r->code != 0) fail_msg("%s", r->err);
    DIR *logs = opendir("logs");
    for (struct dirent *entry; (entry = readdir(logs));)
        if (entry->d_name[0] != '.')
            snprintf(run_folder, sizeof run_folder, "logs/%s", entry->d_name);
    closedir(logs);
}

static int enter(void **state) {
    cli_enter(state);
    mkdir("set", 0777);
    cli_picture("set/a.png", 40, 30);
    cli_picture("set/b'<i>.png", 20, 20);
    cli_write("set/via.json",
              "{" VIA_ENTRY("a.png", VIA_RECT("4", HOSTILE) "," VIA_RECT("15", "dog") "," VIA_RECT(
                                         "400", "dog")) "," VIA_ENTRY("b'<i>.png",
                                                                      VIA_RECT("1", "dog")) "}");
    train();
    return 0;
}

/* ---------------------------------------------------------------------------------------- data */

static void test_data(void **state) {
    (void)state;
    const cli_result *r =
        RUN("inspect", "data", "--dataset", "set", CLI_TINY, "--out", "data-page", "--draws", "2");
    assert_string_equal(r->err, "");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "2 pictures with 3 objects can be used");
    assert_contains(r->out, "data-page/report.html\n");
    report_counts counts = assert_report("data-page");
    assert_true(counts.figures > 10 && counts.cells > 20 && counts.pictures >= 6);
    assert_true(report_figure("data-page", "data", "objects") == 3);
    assert_true(report_figure("data-page", "data", "errors") == 1);
    assert_true(report_figure("data-page", "loading", "loaded") == 2);
    assert_true(report_figure("data-page", "loading", "least_mini_iou") > 0.8);
    char *name = report_cell("data-page", "data", "classes", 0, 0);
    assert_string_equal(name, "<b onload='x'>&\"cat");
    free(name);
    char *problem = report_cell("data-page", "problems", "problems", 0, 3);
    assert_contains(problem, "it lies outside the picture of 40 x 30");
    free(problem);
    assert_true(cli_exists("data-page/augmentation.png"));
    assert_true(cli_exists("data-page/sample-1-input.png"));
}

static void test_data_chosen_picture(void **state) {
    (void)state;
    const cli_result *r = RUN("inspect", "data", "--dataset", "set", CLI_TINY, "--out", "one",
                              "--picture", "b'<i>.png", "--draws", "1");
    assert_int_equal(r->code, 0);
    assert_report("one");
    assert_false(cli_exists("one/sample-1-input.png"));
    r = RUN("inspect", "data", "--dataset", "set", CLI_TINY, "--out", "none", "--picture", "c.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "the data set has no \"c.png\"; did you mean a.png?");
    r = RUN("inspect", "data", "--dataset", "set", CLI_TINY, "--out", "none", "--picture", "2");
    assert_int_equal(r->code, 1);
    assert_false(cli_exists("none"));
}

/* A picture that goes missing after it was measured is told on the page. */
static void test_data_broken_sample(void **state) {
    (void)state;
    mkdir("broken", 0777);
    cli_picture("broken/a.png", 40, 30);
    cli_write("broken/b.png", "no picture");
    cli_write("broken/via.json", "{" VIA_ENTRY("a.png", VIA_RECT("4", "cat")) "," VIA_ENTRY(
                                     "b.png", VIA_RECT("4", "cat")) "}");
    const cli_result *r =
        RUN("inspect", "data", "--dataset", "broken", CLI_TINY, "--out", "b", "--draws", "1");
    assert_int_equal(r->code, 0);
    assert_report("b");
    char *html = cli_read("b/report.html");
    assert_contains(html, "<div class=\"note bad\" role=\"note\">\n<p>broken/b.png: ");
    free(html);
}

/* ------------------------------------------------------------------------------------- anchors */

static void test_anchors(void **state) {
    (void)state;
    const cli_result *r = RUN("inspect", "anchors");
    assert_string_equal(r->err, "");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "P2            4  256 x 256       32     196608\n");
    assert_contains(r->out, "P6           64    16 x 16      512        768\n");
    assert_contains(r->out, " 261888\n");
    assert_null(strstr(r->out, "IoU"));
    r = RUN("inspect", "anchors", "--out", "all-anchors");
    assert_int_equal(r->code, 0);
    assert_report("all-anchors");
    assert_true(report_figure("all-anchors", "anchors", "total") == 261888);
    r = RUN("inspect", "anchors", "--dataset", "set", CLI_TINY, "--out", "anchors");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "IoU >= 0.7");
    assert_report("anchors");
    assert_true(report_figure("anchors", "anchors", "total") == 4092);
    assert_true(report_figure("anchors", "coverage", "objects") == 3);
    char *count = report_cell("anchors", "anchors", "by_level", 1, 5);
    assert_string_equal(count, "768");
    free(count);
    r = RUN("inspect", "anchors", "--set", "RPN_ANCHOR_SCALES=[8]");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "RPN_ANCHOR_SCALES");
}

/* ------------------------------------------------------------------------------------- targets */

static void test_targets(void **state) {
    (void)state;
    const cli_result *r =
        RUN("inspect", "targets", SHAPES, "--count", "3", "--out", "targets", "--threads", "1");
    assert_string_equal(r->err, "");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "RoIs are random, nine out of ten around objects\n");
    report_counts counts = assert_report("targets");
    assert_true(counts.pictures >= 12);
    assert_true(report_figure("targets", "targets", "pictures") == 3);
    double positive = report_figure("targets", "targets", "positive_anchors");
    double negative = report_figure("targets", "targets", "negative_anchors");
    double neutral = report_figure("targets", "targets", "neutral_anchors");
    assert_true(positive + negative + neutral == 3 * 4092);
    assert_true(positive + negative == 3 * 256);
    assert_true(report_figure("targets", "targets", "positive_rois") > 10);
    assert_true(report_figure("targets", "targets", "empty_masks") == 0);
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        char section[20];
        snprintf(section, sizeof section, "draw-%d", i);
        sum += report_figure("targets", section, "positive_anchors");
    }
    assert_true(sum == positive);
    char *first = strdup(r->out);
    r = RUN("inspect", "targets", SHAPES, "--count", "3", "--threads", "1");
    assert_int_equal(strncmp(r->out, first, strlen(r->out)), 0); /* the same draws */
    r = RUN("inspect", "targets", SHAPES, "--count", "3", "--threads", "1", "--seed", "5");
    assert_int_not_equal(strncmp(r->out, first, strlen(r->out)), 0);
    free(first);
}

static void test_targets_of_network(void **state) {
    (void)state;
    const cli_result *r =
        RUN("inspect", "targets", "--dataset", "shapes", "--weights", "none", CLI_TINY, "--count",
            "1", "--validation", "--picture", "1", "--out", "proposed", "--threads", "1");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "RoIs are the network's proposals\n");
    assert_contains(r->out, "loss\n");
    assert_report("proposed");
    assert_true(report_figure("proposed", "targets", "loss") > 0);
    r = RUN("inspect", "targets");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--dataset is missing");
}

/* Objects without area in their frame: nothing to learn from, which is said and no failure. */
static void test_targets_of_nothing(void **state) {
    (void)state;
    mkdir("outside", 0777);
    cli_picture("outside/a.png", 40, 30);
    cli_write("outside/via.json", "{" VIA_ENTRY("a.png", VIA_RECT("400", "cat")) "}");
    const cli_result *r =
        RUN("inspect", "targets", "--dataset", "outside", CLI_TINY, "--out", "no", "--count", "1");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "1 pictures have nothing to learn from\n");
    assert_report("no");
    assert_true(isnan(report_figure("no", "targets", "ratio")));
}

/* ------------------------------------------------------------------------------------- weights */

static void test_weights(void **state) {
    (void)state;
    assert_int_equal(
        RUN("weights", "init", "--out", "w.h5", CLI_TINY, "--set", "NUM_CLASSES=3")->code, 0);
    const cli_result *r = RUN("inspect", "weights", "--weights", "w.h5", "--out", "weights");
    assert_string_equal(r->err, "");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "conv1/kernel                         (7, 7, 3, 8) ");
    assert_contains(
        r->out,
        "bn_conv1/gamma                       (8,)                    +1.0000    +1.0000    "
        "+1.0000    0.0000  *** dead?\n");
    assert_null(strstr(r->out, "Overflow? 1"));
    assert_report("weights");
    assert_true(report_figure("weights", "weights", "overflow") == 0);
    assert_true(report_figure("weights", "weights", "dead") > 10);
    assert_true(report_figure("weights", "weights", "not_finite") == 0);
    r = RUN("inspect", "weights", "--weights", "nowhere.h5", "--out", "no-weights");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nowhere.h5");
    assert_false(cli_exists("no-weights"));
    r = RUN("inspect", "weights");
    assert_int_equal(r->code, 2);
}

/* -------------------------------------------------------------------------------------- report */

static void test_report(void **state) {
    (void)state;
    const cli_result *r = RUN("inspect", "report", "--logs", run_folder, "--dataset", "shapes",
                              "--limit", "2", "--count", "2", "--out", "report", "--threads", "1");
    assert_int_equal(r->code, 0);
    assert_string_equal(r->out, "report/report.html\n");
    report_counts counts = assert_report("report");
    assert_true(counts.figures > 20 && counts.cells > 60 && counts.pictures >= 4);
    assert_true(report_figure("report", "training", "steps") == 2);
    assert_true(report_figure("report", "training", "epochs") == 1);
    assert_true(report_figure("report", "evaluation", "pictures") == 2);
    assert_true(report_figure("report", "data", "pictures") == 50);
    char *figure = report_cell("report", "evaluation", "coco", 11, 0);
    assert_string_equal(figure, "ARl");
    free(figure);
    assert_null(report_cell("report", "evaluation", "coco", 12, 0));

    /* The evaluation takes the unsure detections too; the configuration is still the checkpoint's. */
    char *html = cli_read("report/report.html");
    assert_contains(html, "<td>STEPS_PER_EPOCH</td>");
    assert_null(strstr(html, "<td>DETECTION_MIN_CONFIDENCE</td>"));
    free(html);

    /* The same figures as mrcnn eval's. */
    char weights[800];
    snprintf(weights, sizeof weights, "%s/mask_rcnn_shapes_0001.h5", run_folder);
    r = RUN("eval", "--dataset", "shapes", "--weights", weights, "--limit", "2", "--threads", "1",
            "--json", "-");
    char expected[64];
    snprintf(expected, sizeof expected, "\"detections\": %.0f",
             report_figure("report", "evaluation", "detections"));
    assert_contains(r->out, expected);
}

static void test_report_without_data(void **state) {
    (void)state;
    const cli_result *r = RUN("inspect", "report", "--logs", run_folder, "--out", "short");
    assert_string_equal(r->err, "");
    assert_int_equal(r->code, 0);
    assert_report("short");
    char *html = cli_read("short/report.html");
    assert_contains(html, "nothing is evaluated");
    assert_contains(html, "<td>STEPS_PER_EPOCH</td><td>2</td><td>1000</td>");
    assert_null(strstr(html, "id=\"evaluation\""));
    free(html);
    mkdir("bare", 0777);
    char log[800], *text;
    snprintf(log, sizeof log, "%s/log.jsonl", run_folder);
    text = cli_read(log);
    cli_write("bare/log.jsonl", text);
    free(text);
    r = RUN("inspect", "report", "--logs", "bare", "--out", "bare-page");
    assert_int_equal(r->code, 0);
    assert_report("bare-page");
}

static void test_report_refused(void **state) {
    (void)state;
    const cli_result *r = RUN("inspect", "report", "--out", "x");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--logs is missing");
    r = RUN("inspect", "report", "--logs", run_folder);
    assert_int_equal(r->code, 2);
    r = RUN("inspect", "report", "--logs", "nowhere", "--out", "x");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nowhere");
    r = RUN("inspect", "report", "--logs", run_folder, "--weights", "best", "--out", "x");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "there is no such checkpoint in it (--weights best)");
    assert_false(cli_exists("x"));
    cli_write("in-the-way", "x");
    r = RUN("inspect", "report", "--logs", run_folder, "--out", "in-the-way");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "in-the-way");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_data_chosen_picture),
        cmocka_unit_test(test_data_broken_sample),
        cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_targets_of_network),
        cmocka_unit_test(test_targets_of_nothing),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_report),
        cmocka_unit_test(test_report_without_data),
        cmocka_unit_test(test_report_refused),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
