/* test_cli_detect.c - mrcnn detect and splash on a tiny model: files, names, bad inputs,
 * interruption, a full disk. */
#include "helper_assert.h"
#include "helper_cli.h"

#include <mrcnn/mrcnn.h>

#include <stdlib.h>
#include <sys/stat.h>

#define EAGER CLI_EAGER
#define DETECT "detect", "--weights", "tiny.h5", EAGER

static int enter(void **state) {
    cli_enter(state);
    cli_picture("a.png", 100, 60);
    cli_picture("b.jpg", 70, 90);
    if (cli_weights(MRCNN_PROGRAM)) return 0;
    print_error("no weights to work with; the last run was %s",
                RUN(DETECT, "a.png", "--out", "p")->err);
    return 1;
}

/* ----------------------------------------------------------------------------------- outputs */

/* Nothing is said but how long it took and, in a build without cairo, that overlays lack their lines. */
static void test_default_outputs(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--out", "o1/deep/er", "a.png", "b.jpg");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "mrcnn: 2 pictures in ");
#ifdef MRCNN_WITH_CAIRO
    assert_int_equal(cli_occurrences(r->err, "\n"), 1);
#else
    assert_int_equal(cli_occurrences(r->err, "\n"), 2);
    assert_contains(r->err, "without cairo");
#endif
    assert_int_equal(cli_occurrences(r->out, "\n"), 2);
    assert_contains(r->out, "a.png: ");
    assert_contains(r->out, " instance");
    assert_contains(r->out, " ms\n");
    assert_int_equal(cli_count("o1/deep/er", ""), 3);
    assert_true(cli_exists("o1/deep/er/a_overlay.png"));
    assert_true(cli_exists("o1/deep/er/b_overlay.jpg"));
    char *json = cli_read_json("o1/deep/er/detections.json");
    assert_contains(json, "{\"image_id\": 1, \"file_name\": \"a.png\", \"category_id\": ");
    assert_contains(json, "\"category_name\": \"class ");
    assert_contains(json, "\"bbox\": [");
    assert_contains(json, "\"segmentation\": {\"size\": [60, 100], \"counts\": \"");
    free(json);
}

/* The counts of the first detection make a mask of the picture's size, inside the box. */
static void test_masks_can_be_read_back(void **state) {
    (void)state;
    assert_int_equal(RUN(DETECT, "--out", "o2", "--save", "json", "a.png")->code, 0);
    char *json = cli_read_json("o2/detections.json"), counts[4096] = "", *to = counts;
    const char *s = strstr(json, "\"counts\": \"") + strlen("\"counts\": \"");
    for (; *s != '"' && to < counts + sizeof counts - 1; s++) *to++ = *s == '\\' ? *++s : *s;
    *to = 0;
    int x, y, w, h;
    assert_int_equal(
        sscanf(strstr(json, "\"bbox\": "), "\"bbox\": [%d, %d, %d, %d]", &x, &y, &w, &h), 4);
    mrcnn_mask mask = {0};
    assert_int_equal(mrcnn_mask_from_string(&mask, counts, 60, 100, NULL), MRCNN_OK);
    uint8_t *bytes = malloc(6000);
    mrcnn_mask_to_bytes(&mask, bytes);
    for (int i = 0; i < 60 * 100; i++)
        if (bytes[i])
            assert_true(i % 100 >= x && i % 100 < x + w && i / 100 >= y && i / 100 < y + h);
    free(bytes);
    mrcnn_mask_free(&mask);
    free(json);
}

static void test_every_kind_of_output(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--out=o3", "--save=masks,labelme,splash,overlay,json",
                              "--color", "class", "--classes", "cat,traffic/light", "a.png");
    assert_int_equal(r->code, 0);
    assert_true(cli_exists("o3/a_overlay.png"));
    assert_true(cli_exists("o3/a_splash.png"));
    char *json = cli_read_json("o3/detections.json");
    assert_int_equal(cli_count("o3/a_masks", ".png"), cli_occurrences(json, "image_id"));
    assert_int_equal(cli_count("o3/a_masks", "_cat.png") +
                         cli_count("o3/a_masks", "_traffic_light.png"),
                     cli_occurrences(json, "image_id"));
    free(json);
    json = cli_read_json("o3/a.json");
    assert_contains(json, "\"imagePath\": \"../a.png\"");
    assert_contains(json, "\"imageData\": null");
    assert_contains(json, "\"imageHeight\": 60,\n  \"imageWidth\": 100\n");
    assert_contains(json, "\"shapes\": [");
    free(json);
}

static void test_mask_pictures_hold_the_masks(void **state) {
    (void)state;
    assert_int_equal(RUN(DETECT, "--out", "o4", "--save", "masks,json", "--set",
                         "DETECTION_MAX_INSTANCES=1", "--classes", "x,x", "a.png")
                         ->code,
                     0);
    mrcnn_image mask = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(cli_count("o4/a_masks", ""), 1);
    assert_int_equal(mrcnn_image_read(&mask, "o4/a_masks/01_x.png", NULL, &err), MRCNN_OK);
    assert_int_equal(mask.width, 100);
    assert_int_equal(mask.height, 60);
    for (int i = 0; i < 100 * 60 * 3; i++)
        assert_true(mask.pixels[i] == 0 || mask.pixels[i] == 255);
    mrcnn_image_free(&mask);
}

static void test_splash(void **state) {
    (void)state;
    const cli_result *r =
        RUN("splash", "--weights", "tiny.h5", EAGER, "--out", "o5", "a.png", "b.jpg");
    assert_int_equal(r->code, 0);
    assert_int_equal(cli_count("o5", ""), 2);
    assert_true(cli_exists("o5/a_splash.png"));
    assert_true(cli_exists("o5/b_splash.jpg"));
}

static void test_both_executors_and_threads(void **state) {
    (void)state;
    assert_int_equal(RUN(DETECT, "--out", "o6", "--save", "json", "--threads=1", "a.png")->code, 0);
    assert_int_equal(
        RUN(DETECT, "--out", "o7", "--save", "json", "--executor=reference", "a.png")->code, 0);
    char *fast = cli_read_json("o6/detections.json"), *plain = cli_read_json("o7/detections.json");
    assert_int_equal(cli_occurrences(fast, "image_id"), cli_occurrences(plain, "image_id"));
    free(fast);
    free(plain);
}

/* ------------------------------------------------------------------------------------ inputs */

static void test_folders_patterns_and_stdin(void **state) {
    (void)state;
    mkdir("pics", 0777);
    mkdir("pics/sub", 0777);
    cli_picture("pics/10.png", 30, 30);
    cli_picture("pics/9.jpg", 30, 30);
    cli_picture("pics/sub/7.png", 30, 30);
    cli_write("pics/notes.txt", "not a picture");
    cli_write("pics/.hidden.png", "not a picture");
    const cli_result *r = RUN(DETECT, "--out", "o8", "--save", "json", "pics");
    assert_int_equal(r->code, 0);
    assert_int_equal(cli_occurrences(r->out, "\n"), 2);
    assert_true(strstr(r->out, "pics/10.png") < strstr(r->out, "pics/9.jpg"));
    r = RUN(DETECT, "--out", "o9", "--save", "json", "--recursive", "pics");
    assert_int_equal(cli_occurrences(r->out, "\n"), 3);
    char *json = cli_read_json("o9/detections.json");
    if (strstr(json, "7.png"))
        assert_contains(json, "{\"image_id\": 7, \"file_name\": \"sub/7.png\"");
    free(json);
    r = RUN(DETECT, "--out", "o10", "--save", "json", "pics/*.??g");
    assert_int_equal(r->code, 0);
    assert_int_equal(cli_occurrences(r->out, "\n"), 2);
    cli_world world = {.stdin_path = "b.jpg"};
    r = RUN_IN(&world, DETECT, "--out", "o11", "-");
    assert_int_equal(r->code, 0);
    assert_true(cli_exists("o11/stdin_overlay.jpg"));
}

static void test_numbers_in_names_are_ids(void **state) {
    (void)state;
    cli_picture("000000000139.png", 100, 60);
    assert_int_equal(RUN(DETECT, "--out", "o12", "--save", "json", "000000000139.png")->code, 0);
    char *json = cli_read_json("o12/detections.json");
    assert_contains(json, "{\"image_id\": 139, ");
    free(json);
    assert_int_equal(
        RUN(DETECT, "--out", "o12", "--save", "json", "000000000139.png", "a.png")->code, 0);
    json = cli_read_json("o12/detections.json");
    assert_null(strstr(json, "{\"image_id\": 139, "));
    free(json);
}

static void test_same_names_do_not_overwrite(void **state) {
    (void)state;
    mkdir("x", 0777);
    mkdir("y", 0777);
    cli_picture("x/p.png", 30, 30);
    cli_picture("y/p.png", 30, 30);
    cli_picture("x/p_2.png", 30, 30);
    cli_picture("detections.png", 30, 30);
    const cli_result *r = RUN(DETECT, "--out", "o13", "--save", "json,labelme", "x/p.png",
                              "y/p.png", "x/p_2.png", "detections.png");
    assert_int_equal(r->code, 0);
    static const char *const files[] = {"o13/p.json", "o13/p_2.json", "o13/p_2_2.json",
                                        "o13/detections_2.json", "o13/detections.json"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) free(cli_read_json(files[i]));
    assert_int_equal(cli_count("o13", ""), 5);
    char *json = cli_read("o13/detections.json");
    assert_int_equal(*json, '[');
    free(json);
}

static void test_names_of_any_bytes(void **state) {
    (void)state;
    const char *name = "b\xff\"\\\n\xc3\xa9.png";
    cli_picture("plain.png", 100, 60);
    assert_int_equal(rename("plain.png", name), 0);
    const cli_result *r = RUN(DETECT, "--out", "o14", "--save", "json,labelme", name);
    assert_int_equal(r->code, 0);
    assert_int_equal(cli_occurrences(r->out, "\n"), 1);
    char *json = cli_read_json("o14/detections.json");
    assert_contains(json, "\"b\xef\xbf\xbd\\\"\\\\\\u000a\xc3\xa9.png\"");
    free(json);
    free(cli_read_json("o14/b\xff\"\\\n\xc3\xa9.json"));
}

/* -------------------------------------------------------------------------------- bad inputs */

static void test_a_bad_input_does_not_stop_the_others(void **state) {
    (void)state;
    cli_write("empty.png", "");
    cli_write("text.jpg", "This is text.\n");
    mkdir("nothing", 0777);
    const cli_result *r = RUN(DETECT, "--out", "o15", "--save", "json", "missing.png", "empty.png",
                              "text.jpg", "nothing", "clip.mp4", "no*match", "", "a.png");
    assert_int_equal(r->code, 1);
    static const char *const named[] = {"missing.png",          "empty.png", "text.jpg",
                                        "nothing: no pictures", "clip.mp4",  "no*match",
                                        "name is empty"};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) assert_contains(r->err, named[i]);
    assert_int_equal(cli_occurrences(r->err, "mrcnn: "), 7);
    assert_int_equal(cli_occurrences(r->out, "\n"), 1);
    assert_contains(r->out, "a.png: ");
    assert_int_equal(cli_count("o15", ""), 1);
    free(cli_read_json("o15/detections.json"));
}

static void test_nothing_to_work_on(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--out", "o16", "no*match");
    assert_int_equal(r->code, 1);
    assert_false(cli_exists("o16"));
}

static void test_a_limit_on_pixels(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--out", "o17", "--max-pixels", "100", "a.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "a.png");
}

static void test_weights_that_do_not_load(void **state) {
    (void)state;
    cli_write("bad.h5", "no weights");
    const cli_result *r = RUN("detect", "--weights", "bad.h5", "--out", "o18", "a.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "bad.h5");
    r = RUN("detect", "--weights", "missing.h5", "--out", "o18", "a.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "missing.h5");
}

static void test_class_names_that_do_not_fit(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--out", "o19", "--classes", "a,b,c,d", "a.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "4 names, but the model has 2 classes");
    cli_write("names.txt", "BG\r\ncat\r\nblue dog\r\n");
    assert_int_equal(RUN(DETECT, "--out", "o19", "--classes", "names.txt", "a.png")->code, 0);
    char *json = cli_read_json("o19/detections.json");
    assert_true(strstr(json, "\"cat\"") || strstr(json, "\"blue dog\""));
    free(json);
    assert_int_equal(RUN(DETECT, "--out", "o19", "--classes", "no.txt", "a.png")->code, 1);
    assert_int_equal(RUN(DETECT, "--out", "o19", "--category-ids", "coco", "a.png")->code, 1);
}

static void test_fresh_weights_say_so(void **state) {
    (void)state;
    const cli_result *r = RUN("detect", "--weights", "none", CLI_TINY, "--set", "NUM_CLASSES=3",
                              EAGER, "--out", "o20", "a.png");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "fresh random numbers");
}

/* ------------------------------------------------------------------------- what can't be written
 */

static void test_out_that_cannot_be_made(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--out", "a.png/o", "a.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "a.png/o");
    r = RUN(DETECT, "--out", "a.png", "a.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "in the way");
}

static void test_a_full_disk(void **state) {
    (void)state;
    cli_world full = {.file_limit = 300};
    const cli_result *r = RUN_IN(&full, DETECT, "--out", "o21", "a.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "detections.json");
    assert_contains(r->err, "a_overlay.png");
    assert_int_equal(cli_count("o21", ""), 0);
    if (!cli_exists("/dev/full")) skip();
    cli_world no_stdout = {.stdout_path = "/dev/full"};
    r = RUN_IN(&no_stdout, DETECT, "--out", "o22", "--save", "json", "a.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "standard output");
    free(cli_read_json("o22/detections.json"));
}

static void test_an_interrupt_keeps_what_was_found(void **state) {
    (void)state;
    enum { COPIES = 300 };
    const char *arguments[COPIES + 8] = {"detect", "--weights",   "tiny.h5",
                                         EAGER,    "--save=json", "--out=o23"};
    for (size_t i = 0; i < COPIES; i++) arguments[7 + i] = "a.png";
    cli_world world = {.interrupt = 1};
    const cli_result *r = cli_run(MRCNN_PROGRAM, arguments, &world);
    assert_int_equal(r->code, 130);
    assert_contains(r->err, "interrupted after ");
    assert_true(cli_occurrences(r->out, "\n") < COPIES);
    free(cli_read_json("o23/detections.json"));
    assert_int_equal(cli_count("o23", ""), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_outputs),
        cmocka_unit_test(test_masks_can_be_read_back),
        cmocka_unit_test(test_every_kind_of_output),
        cmocka_unit_test(test_mask_pictures_hold_the_masks),
        cmocka_unit_test(test_splash),
        cmocka_unit_test(test_both_executors_and_threads),
        cmocka_unit_test(test_folders_patterns_and_stdin),
        cmocka_unit_test(test_numbers_in_names_are_ids),
        cmocka_unit_test(test_same_names_do_not_overwrite),
        cmocka_unit_test(test_names_of_any_bytes),
        cmocka_unit_test(test_a_bad_input_does_not_stop_the_others),
        cmocka_unit_test(test_nothing_to_work_on),
        cmocka_unit_test(test_a_limit_on_pixels),
        cmocka_unit_test(test_weights_that_do_not_load),
        cmocka_unit_test(test_class_names_that_do_not_fit),
        cmocka_unit_test(test_fresh_weights_say_so),
        cmocka_unit_test(test_out_that_cannot_be_made),
        cmocka_unit_test(test_a_full_disk),
        cmocka_unit_test(test_an_interrupt_keeps_what_was_found),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
