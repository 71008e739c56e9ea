/* test_cli_channels.c - pictures of other channels than RGB through the program: trained, detected,
 * measured, looked into; weights that go from RGB to grey and on. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_train.h"

#include <mrcnn/mrcnn.h>

#include <stdlib.h>
#include <sys/stat.h>

#define GREY "--set", "IMAGE_CHANNEL_COUNT=1"
#define FIVE "--set", "IMAGE_CHANNEL_COUNT=5", "--set", "IMAGE_VALUE_RANGE=[0, 1000]"
#define TRAIN                                                                               \
    "train", CLI_TINY, "--threads", "1", "--set", "NAME=tiny", "--set", "IMAGES_PER_GPU=1", \
        "--set", "TRAIN_ROIS_PER_IMAGE=16", "--set", "STEPS_PER_EPOCH=2", "--validation", "none"

#define REGION(name)                                                                         \
    "\"" name "\":{\"filename\":\"" name "\",\"regions\":[{\"shape_attributes\":{\"name\":"  \
    "\"rect\",\"x\":4,\"y\":5,\"width\":16,\"height\":17},\"region_attributes\":{\"class\":" \
    "\"cell\"}}]}"

/* height x width x 5 floats from 0 to 1000, as a camera of five bands gives them. */
static void write_bands(const char *path, int width, int height) {
    char header[128];
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    snprintf(header, sizeof header,
             "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d, 5), }\n", height, width);
    fwrite("\x93NUMPY\1\0", 1, 8, file);
    fputc((int)strlen(header), file);
    fputc(0, file);
    fputs(header, file);
    for (int i = 0; i < width * height * 5; i++) {
        float value = (float)(i * 37 % 1001);
        fwrite(&value, sizeof value, 1, file);
    }
    assert_int_equal(fclose(file), 0);
}

static const char *weights_of(const char *logs) {
    return train_file(logs, "mask_rcnn_tiny_0001.h5");
}

static mrcnn_image read_well(const char *path) {
    mrcnn_image image = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_image_read(&image, path, NULL, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return image;
}

/* ---------------------------------------------------------------------------------------- grey */

static void trains_and_detects_grey(void **state) {
    (void)state;
    const cli_result *r =
        RUN(TRAIN, GREY, "--dataset", "shapes", "--weights", "none", "--logs", "grey");
    if (r->code != 0) fail_msg("%s", r->err);
    r = RUN("weights", "info", weights_of("grey"));
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "(7, 7, 1, 8)");
    /* The checkpoint says how to read pictures. */
    cli_picture("photo.png", 70, 50);
    r = RUN("detect", "--weights", weights_of("grey"), "--out", "found", "--save",
            "overlay,splash,json", "--set", "DETECTION_MIN_CONFIDENCE=0", "photo.png");
    if (r->code != 0) fail_msg("%s", r->err);
    char *json = cli_read("found/detections.json");
    assert_true(cli_is_json(json));
    free(json);
    mrcnn_image overlay = read_well("found/photo_overlay.png");
    mrcnn_image splash = read_well("found/photo_splash.png");
    assert_int_equal(overlay.width, 70);
    for (int i = 0; i < 70 * 50; i++) { /* there was no colour to keep */
        assert_int_equal(splash.pixels[3 * i], splash.pixels[3 * i + 1]);
        assert_int_equal(splash.pixels[3 * i], splash.pixels[3 * i + 2]);
    }
    mrcnn_image_free(&overlay);
    mrcnn_image_free(&splash);
    r = RUN("eval", "--dataset", "shapes", "--weights", weights_of("grey"), "--limit", "2");
    if (r->code != 0) fail_msg("%s", r->err);
    r = RUN("inspect", "tensors", "--weights", weights_of("grey"), "--out", "t.h5", "photo.png");
    if (r->code != 0) fail_msg("%s", r->err);
    r = RUN("bench", "--weights", weights_of("grey"), "--runs", "1");
    if (r->code != 0) fail_msg("%s", r->err);
    r = RUN("detect", "--weights", weights_of("grey"), "--out", "no", "--set",
            "IMAGE_CHANNEL_COUNT=3", "photo.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "a channel count of 1, and IMAGE_CHANNEL_COUNT is 3");
}

static void a_run_goes_on_with_its_channels(void **state) {
    (void)state;
    const cli_result *r = RUN(TRAIN, "--dataset", "shapes", "--weights", "last", "--logs", "grey");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "was trained with IMAGE_CHANNEL_COUNT 1, and now it is 3: go on with "
                            "--set 'IMAGE_CHANNEL_COUNT=1'");
    r = RUN(TRAIN, GREY, "--dataset", "shapes", "--weights", "last", "--logs", "grey", "--epochs",
            "2");
    if (r->code != 0) fail_msg("%s", r->err);
    assert_contains(r->out, "epoch 2/2");
}

static void weights_are_adapted_with_a_word(void **state) {
    (void)state;
    const char *adapted = "mrcnn: conv1 is adapted to these pictures (kernel: file (7, 7, 1, 8), "
                          "model (7, 7, 3, 8): R, G and B start as 0.299, 0.587 and 0.114 of grey)";
    char weights[800];
    snprintf(weights, sizeof weights, "%s", weights_of("grey"));
    const cli_result *r =
        RUN(TRAIN, "--dataset", "shapes", "--weights", weights, "--new-run", "--logs", "colour");
    if (r->code != 0) fail_msg("%s", r->err);
    assert_int_equal(cli_occurrences(r->err, adapted), 1);
    assert_contains(r->err, " 0 start from fresh ones,");
    r = RUN("weights", "convert", weights_of("colour"), "one.h5", GREY, "--set", "MEAN_PIXEL=[90]");
    if (r->code != 0) fail_msg("%s", r->err);
    assert_contains(r->out, "adapted         kernel: file (7, 7, 3, 8), model (7, 7, 1, 8): grey "
                            "starts as the sum of R, G and B");
    assert_contains(r->out, "0 re-initialised, 0 missing from the file, 1 adapted\n");
    r = RUN("detect", "--weights", "one.h5", "--out", "one", "photo.png");
    if (r->code != 0) fail_msg("%s", r->err);
    /* Means that somebody chose are not guessed at. */
    r = RUN("weights", "convert", weights_of("colour"), "no.h5", GREY, "--set",
            "MEAN_PIXEL=[1, 2, 3]");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "MEAN_PIXEL has 3 numbers but IMAGE_CHANNEL_COUNT is 1");
    assert_false(cli_exists("no.h5"));
}

/* ------------------------------------------------------------------------------------ five bands */

static void trains_and_detects_five_bands(void **state) {
    (void)state;
    mkdir("bands", 0777);
    write_bands("bands/a.npy", 60, 50);
    write_bands("bands/b.npy", 50, 60);
    cli_write("bands/via_region_data.json", "{" REGION("a.npy") "," REGION("b.npy") "}");
    const cli_result *r =
        RUN(TRAIN, FIVE, "--dataset", "bands", "--weights", "none", "--logs", "five");
    if (r->code != 0) fail_msg("%s", r->err);
    assert_contains(r->err, "2 pictures");
    r = RUN("inspect", "data", "--dataset", "bands", "--check", FIVE);
    if (r->code != 0) fail_msg("%s%s", r->out, r->err);
    r = RUN("detect", "--weights", weights_of("five"), "--out", "seen", "--save", "overlay,json",
            "bands");
    if (r->code != 0) fail_msg("%s", r->err);
    assert_contains(r->out, "bands/a.npy: ");
    assert_contains(r->out, "bands/b.npy: ");
    mrcnn_image overlay = read_well("seen/b_overlay.png"); /* of the first three bands */
    assert_int_equal(overlay.width, 50);
    assert_int_equal(overlay.height, 60);
    assert_int_equal(overlay.pixels[0], 0);
    assert_int_equal(overlay.pixels[1], 9); /* 37 of 1000 */
    assert_int_equal(overlay.pixels[2], 18);
    mrcnn_image_free(&overlay);
    r = RUN("eval", "--dataset", "bands", "--weights", weights_of("five"));
    if (r->code != 0) fail_msg("%s", r->err);
}

/* What can't be read so is said before anything is trained, and by detect as it comes. */
static void pictures_of_other_channels_are_named(void **state) {
    (void)state;
    const cli_result *r = RUN(TRAIN, "--dataset", "bands", "--weights", "none", "--logs", "never");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "a.npy: it has 5 channels, and 3 are wanted");
    assert_false(cli_exists("never"));
    r = RUN(TRAIN, "--set", "IMAGE_CHANNEL_COUNT=5", "--dataset", "bands", "--weights", "none",
            "--logs", "never");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "its values go from 0 to 1000");
    assert_contains(r->err, "IMAGE_VALUE_RANGE");
    r = RUN(TRAIN, "--set", "IMAGE_CHANNEL_COUNT=4", "--dataset", "shapes", "--weights", "none",
            "--logs", "never");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "3 channels, RGB, and 4 are wanted");
    assert_false(cli_exists("never"));
    r = RUN("detect", "--weights", weights_of("five"), "--out", "seen", "photo.png", "bands/a.npy");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "photo.png: it has 3 channels, RGB, and 5 are wanted");
    assert_contains(r->out, "bands/a.npy: ");
    r = RUN(TRAIN, "--set", "MEAN_PIXEL=[1, 2, 3, 4]", "--dataset", "shapes", "--weights", "none",
            "--logs", "never");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "MEAN_PIXEL has 4 numbers but IMAGE_CHANNEL_COUNT is 3");
}

/* Beside pictures an array is something else: a mask, features. */
static void arrays_count_in_folders_without_pictures(void **state) {
    (void)state;
    mkdir("mixed", 0777);
    write_bands("mixed/a.npy", 20, 20);
    cli_picture("mixed/b.png", 30, 30);
    const cli_result *r = RUN("detect", "--weights", "one.h5", "--out", "mix", "mixed");
    if (r->code != 0) fail_msg("%s", r->err);
    assert_int_equal(cli_occurrences(r->out, "\n"), 1);
    assert_contains(r->out, "mixed/b.png: ");
    mkdir("nothing", 0777);
    r = RUN("detect", "--weights", "one.h5", "--out", "mix", "nothing");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "no pictures (.jpg, .jpeg, .png, .npy) in this folder");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trains_and_detects_grey),
        cmocka_unit_test(a_run_goes_on_with_its_channels),
        cmocka_unit_test(weights_are_adapted_with_a_word),
        cmocka_unit_test(trains_and_detects_five_bands),
        cmocka_unit_test(pictures_of_other_channels_are_named),
        cmocka_unit_test(arrays_count_in_folders_without_pictures),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
