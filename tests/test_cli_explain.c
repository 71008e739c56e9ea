/* test_cli_explain.c - mrcnn detect --explain: a sum that adds up, the same counts as a trace has, and
 * advice for each kind of trouble. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_trace.h"

#include <mrcnn/trace.h>

#include <stdlib.h>

#define THREE "--set", "NUM_CLASSES=3"
#define DETECT "detect", "--weights", "net.h5", "--explain"

/* A network that tells places apart, as trained ones do. Of an overflowing one the RPN computes with
 * numbers too large for floats. */
static int enter(void **state) {
    cli_enter(state);
    cli_picture("a.png", 100, 60);
    cli_picture("b.jpg", 70, 90);
    save_network("net.h5", NULL, 0);
    return 0;
}

static char *read_json(const char *path) {
    char *text = cli_read(path);
    if (!text) fail_msg("%s is not there", path);
    if (!cli_is_json(text)) fail_msg("%s is not JSON:\n%s", path, text);
    return text;
}

/* The number of a line such as "   -123    overlap ..." whose text contains `what`; 0 without one. */
static long number_of(const char *out, const char *what) {
    const char *at = strstr(out, what);
    if (!at) return 0;
    while (at > out && at[-1] != '\n') at--;
    return strtol(at, NULL, 10);
}

/* Adds what is printed: "261888  anchors", then lines with a sign, then the next stage. */
static void check_sum(const char *out) {
    long sum = 0;
    int stages = 0;
    const char *line = strstr(out, "  anchors\n");
    assert_non_null(line);
    while (line > out && line[-1] != '\n') line--;
    for (; *line == ' '; line = strchr(line, '\n') + 1) {
        char *end;
        long number = strtol(line, &end, 10);
        if (end == line) break; /* "(2 of them ...)", or the next part */
        int is_stage = end[0] == ' ' && end[1] == ' ' && end[2] != ' ';
        if (!is_stage)
            sum += number;
        else if (stages++ == 0)
            sum = number;
        else
            assert_int_equal(sum, number);
    }
    assert_int_equal(stages, 4);
}

static void contains_count(const char *json, const char *key, size_t count) {
    char text[64];
    snprintf(text, sizeof text, "\"%s\": %zu", key, count);
    assert_contains(json, text);
}

/* --------------------------------------------------------------------------------------- the table */

static void test_counts(void **state) {
    (void)state;
    mrcnn_model *model = NULL;
    mrcnn_session *session = NULL;
    mrcnn_trace *t = trace_of_file(&model, &session, "a.png");
    const cli_result *r = RUN(DETECT, "--out", "o1", "a.png");
    assert_int_equal(r->code, 0);
    check_sum(r->out);
    assert_int_equal(number_of(r->out, "  anchors\n"), t->anchor_count);
    assert_int_equal(number_of(r->out, "  candidates\n"), t->candidate_count);
    assert_int_equal(number_of(r->out, "  proposals\n"), t->proposals_found);
    assert_int_equal(number_of(r->out, "  instances\n"), t->result->count);
    assert_int_equal(-number_of(r->out, "RPN_NMS_THRESHOLD"),
                     t->candidate_fates[MRCNN_FATE_SUPPRESSED]);
    assert_int_equal(-number_of(r->out, "look most like background"),
                     t->proposal_fates[MRCNN_FATE_BACKGROUND]);
    assert_int_equal(-number_of(r->out, "DETECTION_NMS_THRESHOLD"),
                     t->proposal_fates[MRCNN_FATE_SUPPRESSED]);
    char *json = read_json("o1/a_explain.json");
    assert_contains(json, "\"file_name\": \"a.png\"");
    contains_count(json, "count", t->anchor_count);
    contains_count(json, "background", t->proposal_fates[MRCNN_FATE_BACKGROUND]);
    contains_count(json, "limit", t->candidate_fates[MRCNN_FATE_LIMIT]);
    contains_count(json, "filling", t->proposal_count - t->proposals_found);
    assert_int_equal(cli_occurrences(json, "\"mask_area\""), t->result->count);
    assert_int_equal(cli_occurrences(json, "\"best_score\""), 5);
    contains_count(json, "POST_NMS_ROIS_INFERENCE", 100);
    contains_count(json, "DETECTION_MIN_CONFIDENCE", 0);
    free(json);
    mrcnn_trace_free(&t);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
}

static void test_inputs(void **state) {
    (void)state;
    cli_world world = {.stdin_path = "b.jpg"};
    const cli_result *r = RUN_IN(&world, DETECT, "--out", "o2", "a.png", "-", "a.png");
    assert_int_equal(r->code, 0);
    assert_int_equal(cli_occurrences(r->out, "  anchors\n"), 3);
    assert_int_equal(cli_count("o2", "_explain.json"), 3);
    free(read_json("o2/stdin_explain.json"));
    free(read_json("o2/a_2_explain.json"));
    for (const char *at = r->out; (at = strstr(at, " ms\n")); at++) check_sum(at + 4);
    r = RUN(DETECT, "--out", "o3", "--save", "masks", "a.png");
    assert_int_equal(r->code, 0);
    check_sum(r->out);
    assert_int_equal(cli_count("o3", "json"), 0);
    r = RUN("detect", "--weights", "net.h5", "--out", "o4", "a.png");
    assert_int_equal(cli_occurrences(r->out, "\n"), 1);
    assert_int_equal(cli_count("o4", "_explain"), 0);
    assert_int_equal(
        RUN("splash", "--weights", "net.h5", "--explain", "--out", "o4", "a.png")->code, 2);
}

/* ------------------------------------------------------------------------------------------ advice */

static void test_threshold(void **state) {
    (void)state;
    const cli_result *r =
        RUN(DETECT, "--set", "DETECTION_MIN_CONFIDENCE=1", "--out", "o5", "a.png");
    assert_int_equal(r->code, 0);
    check_sum(r->out);
    assert_contains(r->out, "a.png: 0 instances");
    char *json = read_json("o5/a_explain.json"), command[400], class_name[32];
    double score, advised;
    const char *best = strstr(json, "\"best_dropped\": [\n    {\"class\": \"");
    assert_non_null(best);
    assert_int_equal(
        sscanf(strchr(best, '{'), "{\"class\": \"%31[^\"]\", \"score\": %lf", class_name, &score),
        2);
    assert_contains(best, "\"why\": \"below the confidence\"");
    snprintf(command, sizeof command, "the best candidate is '%s' with %.3f", class_name, score);
    assert_contains(json, command);
    const char *set = strstr(json, "try --set DETECTION_MIN_CONFIDENCE=");
    assert_non_null(set);
    assert_int_equal(sscanf(set, "try --set DETECTION_MIN_CONFIDENCE=%lf", &advised), 1);
    assert_true(advised <= score && advised > score - 0.1);
    /* Good advice helps. */
    snprintf(command, sizeof command, "DETECTION_MIN_CONFIDENCE=%g", advised);
    free(json);
    r = RUN(DETECT, "--set", command, "--out", "o5", "a.png");
    assert_null(strstr(r->out, "a.png: 0 instances"));
}

static void test_limit(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--set", "DETECTION_MAX_INSTANCES=1", "--out", "o6", "a.png");
    check_sum(r->out);
    assert_contains(r->out, "come after the best 1 (DETECTION_MAX_INSTANCES)");
    char *json = read_json("o6/a_explain.json");
    assert_contains(json, "DETECTION_MAX_INSTANCES was reached: to see more, --set "
                          "DETECTION_MAX_INSTANCES=2");
    free(json);
}

static void test_untrained(void **state) {
    (void)state;
    const cli_result *r =
        RUN("detect", "--weights", "none", CLI_TINY, THREE, "--explain", "--out", "o7", "a.png");
    assert_int_equal(r->code, 0);
    check_sum(r->out);
    assert_contains(r->out, "the weights are fresh random numbers");
    /* The same from a file can only be told by what it says. */
    assert_int_equal(RUN("weights", "init", "--out", "init.h5", CLI_TINY, THREE)->code, 0);
    r = RUN("detect", "--weights", "init.h5", "--explain", "--out", "o7", "a.png");
    assert_int_equal(r->code, 0);
    assert_null(strstr(r->out, "fresh random numbers"));
    assert_contains(r->out, "untrained");
}

/* NUM_CLASSES has 1 as its default: the background alone. */
static void test_no_classes(void **state) {
    (void)state;
    const cli_result *r =
        RUN("detect", "--weights", "none", CLI_TINY, "--explain", "--out", "o7", "a.png");
    assert_int_equal(r->code, 0);
    check_sum(r->out);
    assert_contains(r->out, "a.png: 0 instances");
    assert_contains(r->out, "no class but the background");
}

static void test_broken_weights(void **state) {
    (void)state;
    save_network("nan.h5", NULL, 1);
    const cli_result *r = RUN("detect", "--weights", "nan.h5", "--explain", "--out", "o8", "a.png");
    assert_int_equal(r->code, 0);
    check_sum(r->out);
    assert_contains(r->out, "scores are no numbers: the weights are broken");
    free(read_json("o8/a_explain.json"));
}

/* Nothing in the picture: no object, and the sum is as it was. */
static void test_blank(void **state) {
    (void)state;
    uint8_t pixels[40 * 40 * 3];
    mrcnn_image blank = {40, 40, 3, pixels};
    memset(pixels, 128, sizeof pixels);
    assert_int_equal(mrcnn_image_write(&blank, "blank.png", NULL), MRCNN_OK);
    const cli_result *r =
        RUN(DETECT, "--set", "DETECTION_MIN_CONFIDENCE=1", "--out", "o9", "blank.png");
    assert_int_equal(r->code, 0);
    check_sum(r->out);
    assert_contains(r->out, "blank.png: 0 instances");
    assert_contains(r->out, "advice: no instance: ");
}

/* Whatever its name says, a video is one by its content or its ending; nothing is run. */
static void test_videos(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--out", "o11", "a.png", TEST_DATA "/video/vfr.mp4");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "vfr.mp4 is a video: --explain is for pictures");
    assert_false(cli_exists("o11"));
}

static void test_bad_outputs(void **state) {
    (void)state;
    cli_world world = {.file_limit = 1100}; /* OpenMP of clang wants 1024 for itself */
    const cli_result *r = RUN_IN(&world, DETECT, "--out", "o10", "--save", "json", "a.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "o10/a_explain.json");
    assert_int_equal(cli_count("o10", "_explain"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),         cmocka_unit_test(test_inputs),
        cmocka_unit_test(test_threshold),      cmocka_unit_test(test_limit),
        cmocka_unit_test(test_untrained),      cmocka_unit_test(test_no_classes),
        cmocka_unit_test(test_broken_weights), cmocka_unit_test(test_blank),
        cmocka_unit_test(test_bad_outputs),    cmocka_unit_test(test_videos),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
