/* test_cli_inspect_model.c - mrcnn inspect model: a page whose figures are those of a trace, pictures of
 * each stage, annotated pictures, wrong usage. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_report.h"
#include "helper_trace.h"

#include <mrcnn/trace.h>

#include <stdlib.h>

#define MODEL "inspect", "model", "--weights", "net.h5"

static const char *const names[] = {"BG", "square", "circle", "triangle"};

static int enter(void **state) {
    cli_enter(state);
    cli_picture("a.png", 100, 60);
    save_network("net.h5", names, 0);
    return 0;
}

/* Rows of a table that say what the trace says. */
static void check_stages(const char *folder, const mrcnn_trace *t) {
    static const char *const stages[] = {"= anchors", "= candidates", "= proposals", "= instances"};
    const size_t counts[] = {t->anchor_count, t->candidate_count, t->proposals_found,
                             t->result->count};
    char *stage, text[32];
    int met = 0;
    for (size_t row = 0; (stage = report_cell(folder, "overview", "stages", row, 1)); row++) {
        for (int i = 0; i < 4; i++) {
            if (strcmp(stage, stages[i]) != 0) continue;
            char *count = report_cell(folder, "overview", "stages", row, 0);
            snprintf(text, sizeof text, "%zu", counts[i]);
            assert_string_equal(count, text);
            free(count);
            met++;
        }
        free(stage);
    }
    assert_int_equal(met, 4);
}

static void test_picture(void **state) {
    (void)state;
    mrcnn_model *model = NULL;
    mrcnn_session *session = NULL;
    mrcnn_trace *t = trace_of_file(&model, &session, "a.png");
    const cli_result *r = RUN(MODEL, "--out", "r1", "a.png");
    assert_int_equal(r->code, 0);
    assert_string_equal(r->out, "r1/report.html\n");
    report_counts counts = assert_report("r1");
    assert_int_equal(counts.figures, 5);
    assert_true(counts.cells > 200);
    assert_true(report_figure("r1", "overview", "instances") == (double)t->result->count);
    assert_true(report_figure("r1", "overview", "width") == 100);
    assert_true(report_figure("r1", "overview", "network_width") == 128);
    check_stages("r1", t);
    char *cell = report_cell("r1", "rpn", "candidates", 0, 1), anchor[16];
    snprintf(anchor, sizeof anchor, "%d", t->candidates[0].anchor);
    assert_string_equal(cell, anchor);
    free(cell);
    assert_true(cli_exists("r1/masks.png"));
    assert_true(cli_exists("r1/objectness.png"));
    assert_int_equal(cli_count("r1", "activations-"), 9);
#ifdef MRCNN_WITH_CAIRO
    static const char *const pictures[] = {"instances",
                                           "anchors",
                                           "anchors-refined",
                                           "candidates-clipped",
                                           "candidates-suppressed",
                                           "proposals",
                                           "proposals-classified",
                                           "detections-refined",
                                           "detections-confident",
                                           "detections-suppressed",
                                           "objectness-histogram",
                                           "roi-sizes",
                                           "roi-centres"};
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        char path[64];
        snprintf(path, sizeof path, "r1/%s.png", pictures[i]);
        if (!cli_exists(path)) fail_msg("%s is not there", path);
    }
#endif
    mrcnn_trace_free(&t);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
}

/* Generated pictures are annotated. */
static void test_annotated(void **state) {
    (void)state;
    const cli_result *r = RUN(MODEL, "--out", "r2", "--dataset", "shapes", "--picture", "3",
                              "--layers", "C4,C4,rpn_class3");
    assert_int_equal(r->code, 0);
    assert_report("r2");
    assert_true(report_figure("r2", "truth", "annotated") >= 1);
    assert_true(report_figure("r2", "truth", "found") ==
                report_figure("r2", "overview", "instances"));
    assert_int_equal(cli_count("r2", "activations-"), 2);
    assert_true(cli_exists("r2/activations-rpn_class3.png"));
#ifdef MRCNN_WITH_CAIRO
    assert_true(cli_exists("r2/differences.png"));
    assert_true(cli_exists("r2/overlaps.png"));
    assert_true(cli_exists("r2/mask-targets.png"));
#endif
}

/* Nothing found: the page says so, and what to do. */
static void test_nothing(void **state) {
    (void)state;
    const cli_result *r = RUN(MODEL, "--set", "DETECTION_MIN_CONFIDENCE=1", "--layers", "none",
                              "--boxes", "3", "--out", "r3", "a.png");
    assert_int_equal(r->code, 0);
    assert_report("r3");
    assert_true(report_figure("r3", "overview", "instances") == 0);
    char *json = cli_read("r3/report.json");
    assert_contains(json, "try --set DETECTION_MIN_CONFIDENCE=");
    assert_contains(json, "There are no instances, and so no masks.");
    assert_null(strstr(json, "\"activations\""));
    free(json);
    assert_int_equal(cli_count("r3", "masks"), 0);
}

/* Numbers that are none, and infinite boxes. */
static void test_broken_weights(void **state) {
    (void)state;
    save_network("nan.h5", names, 1);
    const cli_result *r = RUN("inspect", "model", "--weights", "nan.h5", "--layers", "rpn_class2",
                              "--out", "r6", "a.png");
    assert_int_equal(r->code, 0);
    assert_report("r6");
    char *json = cli_read("r6/report.json");
    assert_contains(json, "the weights are broken");
    free(json);
}

static void test_grey(void **state) {
    (void)state;
    const cli_result *r =
        RUN("inspect", "model", "--weights", "none", CLI_TINY, "--set", "IMAGE_CHANNEL_COUNT=1",
            "--set", "MEAN_PIXEL=[100]", "--layers", "none", "--out", "r4", "a.png");
    assert_int_equal(r->code, 0);
    assert_report("r4");
}

static void test_usage(void **state) {
    (void)state;
    const cli_result *r = RUN(MODEL, "a.png");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--out is missing");
    r = RUN(MODEL, "--out", "r5");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "the picture is missing");
    r = RUN(MODEL, "--out", "r5", "--dataset", "shapes", "a.png");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "not both");
    r = RUN(MODEL, "--out", "r5", "--picture", "1", "a.png");
    assert_int_equal(r->code, 2);
    r = RUN(MODEL, "--out", "r5", "--layers", "C2,C9", "a.png");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "there is no C9");
    r = RUN(MODEL, "--out", "r5", "--dataset", "shapes", "--picture", "nobody");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "--picture nobody: the data set has no such picture");
    r = RUN(MODEL, "--out", "r5", "--dataset", "shapes", "--picture", "99999999999999999999");
    assert_int_equal(r->code, 1);
    r = RUN(MODEL, "--out", "r5", "missing.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "missing.png");
    assert_false(cli_exists("r5"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_picture), cmocka_unit_test(test_annotated),
        cmocka_unit_test(test_nothing), cmocka_unit_test(test_grey),
        cmocka_unit_test(test_usage),   cmocka_unit_test(test_broken_weights),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
