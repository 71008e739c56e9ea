/* test_cli_views.c - TEST_FLIPS, TEST_SCALES and TILE_SIZE through the real program: given, or carried by
 * a checkpoint; in detection, splash, evaluation and explanation. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_oracle.h"
#include "helper_trace.h"

#include <mrcnn/mrcnn.h>

#include <stdlib.h>

#define FEW "POST_NMS_ROIS_INFERENCE", "50", "DETECTION_MIN_CONFIDENCE", "0"

static void save_net(const char *path, const char *const *keys) {
    mrcnn_model *model = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (oracle_tiny_model(&model, 2, keys, &err) != MRCNN_OK ||
        mrcnn_model_save(model, path, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    mrcnn_model_free(&model);
}

static int enter(void **state) {
    cli_enter(state);
    mrcnn_image image = noisy_picture(100, 230, 4);
    assert_int_equal(mrcnn_image_write(&image, "wide.png", NULL), MRCNN_OK);
    mrcnn_image_free(&image);
    image = noisy_picture(60, 60, 4);
    assert_int_equal(mrcnn_image_write(&image, "small.png", NULL), MRCNN_OK);
    mrcnn_image_free(&image);
    save_net("net.h5", (const char *const[]){FEW, NULL});
    save_net("carries.h5",
             (const char *const[]){FEW, "TEST_FLIPS", "both", "TEST_SCALES", "[1, 0.5]",
                                   "TILE_SIZE", "128", "TILE_OVERLAP", "0.3", NULL});
    return 0;
}

#define SETTINGS                                                                           \
    "--set", "TEST_FLIPS=both", "--set", "TEST_SCALES=[1, 0.5]", "--set", "TILE_SIZE=128", \
        "--set", "TILE_OVERLAP=0.3"

/* What is found depends on the keys, and not on who brings them. */
static void keys_and_checkpoints(void **state) {
    (void)state;
    assert_int_equal(RUN("detect", "--weights", "net.h5", "--out", "plain", "wide.png")->code, 0);
    const cli_result *r =
        RUN("detect", "--weights", "net.h5", SETTINGS, "--out", "given", "wide.png", "small.png");
    if (r->code != 0) fail_msg("%s", r->err);
    r = RUN("detect", "--weights", "carries.h5", "--out", "carried", "wide.png", "small.png");
    if (r->code != 0) fail_msg("%s", r->err);
    char *plain = cli_read("plain/detections.json"), *given = cli_read("given/detections.json");
    char *carried = cli_read("carried/detections.json");
    assert_true(plain && given && carried && cli_is_json(given));
    assert_string_equal(given, carried);
    assert_true(cli_occurrences(given, "\"score\"") > 2);
    assert_string_not_equal(plain, given);
    free(plain);
    free(given);
    free(carried);
    assert_true(cli_exists("given/wide_overlay.png"));
}

static void splash(void **state) {
    (void)state;
    const cli_result *r =
        RUN("splash", "--weights", "net.h5", SETTINGS, "--out", "splash", "wide.png");
    if (r->code != 0) fail_msg("%s", r->err);
    assert_int_equal(cli_count("splash", "wide_splash"), 1);
}

/* A trace is of one view. */
static void explanations(void **state) {
    (void)state;
    const cli_result *r =
        RUN("detect", "--weights", "net.h5", "--explain", "--out", "e1", "small.png");
    assert_int_equal(r->code, 0);
    assert_null(strstr(r->out, "other views"));
    char *json = cli_read("e1/small_explain.json");
    assert_contains(json, "\"has_more_views\": false");
    free(json);
    r = RUN("detect", "--weights", "net.h5", "--explain", "--set", "TEST_FLIPS=vertical", "--out",
            "e2", "small.png");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "without its other views (TEST_FLIPS, TEST_SCALES)");
    json = cli_read("e2/small_explain.json");
    assert_true(cli_is_json(json));
    assert_contains(json, "\"has_more_views\": true");
    free(json);
    r = RUN("detect", "--weights", "net.h5", "--explain", "--set", "TILE_SIZE=128", "--out", "e3",
            "wide.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "wide.png");
    assert_contains(r->err, "TILE_SIZE 128");
    assert_false(cli_exists("e3/wide_explain.json"));
    assert_true(cli_exists("e3/wide_overlay.png")); /* it was found all the same */
}

static void bad_values(void **state) {
    (void)state;
    static const char *const bad[][2] = {{"TEST_FLIPS=up", "TEST_FLIPS"},
                                         {"TEST_SCALES=[]", "TEST_SCALES"},
                                         {"TILE_SIZE=10", "take 64 or more"},
                                         {"TILE_OVERLAP=1.5", "TILE_OVERLAP"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const cli_result *r =
            RUN("detect", "--weights", "net.h5", "--set", bad[i][0], "--out", "bad", "small.png");
        assert_true(r->code == 1 || r->code == 2);
        assert_contains(r->err, bad[i][1]);
        assert_false(cli_exists("bad/small_overlay.png"));
    }
    const cli_result *r = RUN("detect", "--weights", "net.h5", "--set", "IMAGE_RESIZE_MODE=crop",
                              "--set", "TEST_FLIPS=both", "--out", "bad", "small.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "IMAGE_RESIZE_MODE crop");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_checkpoints),
        cmocka_unit_test(splash),
        cmocka_unit_test(explanations),
        cmocka_unit_test(bad_values),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
