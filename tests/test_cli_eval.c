/* test_cli_eval.c - mrcnn eval on a tiny fresh model: figures as tables and JSON, classes, pictures
 * that can't be read, exit codes. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_via.h"

#include <stdlib.h>
#include <sys/stat.h>

#define EVAL "eval", CLI_TINY, "--threads", "1"
#define SHAPES EVAL, "--dataset", "shapes", "--weights", "none", "--limit", "2"
static int enter(void **state) {
    cli_enter(state);
    mkdir("set", 0777);
    mkdir("set/train", 0777);
    mkdir("set/val", 0777);
    cli_picture("set/train/a.png", 40, 30);
    cli_picture("set/val/b.png", 40, 30);
    cli_write("set/val/bad.png", "no picture");
    cli_write("set/train/via_region_data.json",
              "{" VIA_ENTRY("a.png", VIA_RECT("4", "cat") "," VIA_RECT("5", "dog")) "}");
    cli_write("set/val/via_region_data.json",
              "{" VIA_ENTRY("b.png", VIA_RECT("4", "cat") "," VIA_RECT("20", "dog")) "," VIA_ENTRY(
                  "bad.png", VIA_RECT("4", "dog")) "}");
    return 0;
}

static void test_table(void **state) {
    (void)state;
    const cli_result *r = RUN(SHAPES);
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "2 pictures, ");
    assert_contains(r->out, "\n                             bbox     segm\n");
    assert_contains(r->out, "\nAP     IoU 0.50 to 0.95     ");
    assert_contains(r->out, "\nmAP50  as matterport's    ");
    assert_contains(r->out, "\nclass         objects  bbox AP     AP50  segm AP");
    assert_contains(r->out, "\nsquare    ");
    assert_contains(r->out, "\ntriangle  ");
    assert_int_equal(cli_occurrences(r->err, "\n"), 1); /* that the weights are fresh */
}

static void test_json(void **state) {
    (void)state;
    const cli_result *r = RUN(SHAPES, "--subset", "test", "--json", "-");
    assert_int_equal(r->code, 0);
    assert_true(cli_is_json(r->out));
    static const char *const keys[] = {"AP\"",  "AP50\"", "AP75\"",  "APs\"", "APm\"", "APl\"",
                                       "AR1\"", "AR10\"", "AR100\"", "ARs\"", "ARm\"", "ARl\""};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_true(cli_occurrences(r->out, keys[i]) >= 2);
    assert_contains(r->out, "{\n  \"bbox\": {\n    \"AP\": ");
    assert_contains(r->out, "\"segm\": {");
    assert_contains(r->out, "\"matterport\": {");
    assert_contains(r->out, "{\"id\": 1, \"name\": \"square\", \"objects\": ");
    assert_contains(r->out, "\"pictures\": 2,");
    assert_null(strstr(r->out, "\"detections\": 0,"));
    assert_contains(r->out, "\"subset\": \"test\"");
    char *first = strdup(r->out);
    r = RUN(SHAPES, "--subset", "test", "--json", "out.json");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "2 pictures, ");
    char *file = cli_read("out.json");
    assert_non_null(file);
    assert_string_equal(file, first); /* the same pictures, the same figures */
    free(first);
    free(file);
}

/* Only --set leaves unsure detections out. A file says what the confusion matrix counts. */
static void test_confidence(void **state) {
    (void)state;
    cli_write("c.yaml", "DETECTION_MIN_CONFIDENCE: 0.99\n");
    char *all = strdup(RUN(SHAPES)->out);
    const char *matrix = strstr(all, "\nIoU 0.50, score 0.7 or more: ");
    assert_non_null(matrix);
    const cli_result *r = RUN(SHAPES, "--config", "c.yaml");
    assert_memory_equal(r->out, all, (size_t)(matrix - all));
    assert_contains(r->out, "\nIoU 0.50, score 0.99 or more: ");
    assert_string_equal(RUN(SHAPES, "--config", "c.yaml", "--min-score", "0.7")->out, all);
    assert_string_not_equal(RUN(SHAPES, "--set", "DETECTION_MIN_CONFIDENCE=0.99")->out, all);
    free(all);
}

static void test_via(void **state) {
    (void)state;
    /* The folder val; the broken picture is named, the other one counts. */
    const cli_result *r = RUN(EVAL, "--dataset", "set", "--weights", "none", "--json", "-");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "bad.png");
    assert_true(cli_is_json(r->out));
    assert_contains(r->out, "\"pictures\": 1,");
    assert_contains(r->out, "\"pictures_left_out\": 1,");
    assert_contains(r->out, "\"subset\": \"val\"");
    assert_contains(r->out, "{\"id\": 2, \"name\": \"dog\", \"objects\": 1,");
    r = RUN(EVAL, "--dataset", "set/train", "--weights", "none");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "1 pictures, 2 objects");
}

/* What is found where there is nothing is wrong, as for pycocotools. */
static void test_empty_picture(void **state) {
    (void)state;
    mkdir("negatives", 0777);
    cli_picture("negatives/a.png", 40, 30);
    cli_picture("negatives/b.png", 40, 30);
    cli_write(
        "negatives/coco.json",
        "{\"images\":[{\"id\":1,\"file_name\":\"a.png\"},{\"id\":2,\"file_name\":\"b.png\"}],"
        "\"categories\":[{\"id\":1,\"name\":\"cat\"}],\"annotations\":[{\"id\":1,\"image_id\":1,"
        "\"category_id\":1,\"segmentation\":[[4,4,20,4,20,20]]}]}");
    const cli_result *r = RUN(EVAL, "--dataset", "negatives", "--weights", "none");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "2 pictures, 1 objects");
}

/* The model may know more classes than the pictures, in any order; not fewer. */
static void test_classes(void **state) {
    (void)state;
    const cli_result *r = RUN(EVAL, "--dataset", "set/train", "--weights", "none", "--set",
                              "NUM_CLASSES=4", "--classes", "dog,cow,cat", "--json", "-");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "{\"id\": 1, \"name\": \"dog\", \"objects\": 1,");
    assert_contains(r->out,
                    "{\"id\": 2, \"name\": \"cow\", \"objects\": 0, \"bbox\": {\"AP\": -1,");
    assert_contains(r->out, "{\"id\": 3, \"name\": \"cat\", \"objects\": 1,");
    r = RUN(EVAL, "--dataset", "set/train", "--weights", "none", "--set", "NUM_CLASSES=4",
            "--classes", "dog,cow,hen");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "class \"cat\" is none of the model's 3 classes (dog, ...)");
    assert_string_equal(r->out, "");
    r = RUN("weights", "init", "--out", "tiny.h5", CLI_TINY, "--set", "NUM_CLASSES=3");
    assert_int_equal(r->code, 0);
    r = RUN("eval", "--dataset", "set/train", "--weights", "tiny.h5");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "the weights have no class names");
    assert_contains(r->out, "\ncat       ");
}

static void test_wrong_usage(void **state) {
    (void)state;
    const cli_result *r = RUN("eval", "--weights", "none");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--dataset is missing");
    assert_int_equal(RUN(SHAPES, "extra")->code, 2);
    assert_int_equal(RUN(SHAPES, "--format", "xml")->code, 2);
    assert_int_equal(RUN(SHAPES, "--limit", "-1")->code, 2);
    assert_int_equal(RUN("eval", "--help")->code, 0);
}

static void test_failures(void **state) {
    (void)state;
    const cli_result *r = RUN(EVAL, "--dataset", "nowhere", "--weights", "none");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nowhere");
    r = RUN(EVAL, "--dataset", "set", "--subset", "test", "--weights", "none");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "test");
    r = RUN(EVAL, "--dataset", "shapes", "--weights", "nowhere.h5");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nowhere.h5");
    r = RUN(SHAPES, "--json", "no/such/folder.json");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "no/such/folder.json");
    assert_false(cli_exists("no"));
}

/* Pictures that the model learned from don't count as a test. */
static void test_no_val(void **state) {
    (void)state;
    mkdir("learned", 0777);
    mkdir("learned/train", 0777);
    cli_picture("learned/train/a.png", 40, 30);
    cli_write("learned/train/via_region_data.json",
              "{" VIA_ENTRY("a.png", VIA_RECT("4", "cat")) "}");
    const cli_result *r = RUN(EVAL, "--dataset", "learned", "--weights", "none");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "val");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),         cmocka_unit_test(test_json),
        cmocka_unit_test(test_confidence),    cmocka_unit_test(test_via),
        cmocka_unit_test(test_empty_picture), cmocka_unit_test(test_classes),
        cmocka_unit_test(test_wrong_usage),   cmocka_unit_test(test_failures),
        cmocka_unit_test(test_no_val)};
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
