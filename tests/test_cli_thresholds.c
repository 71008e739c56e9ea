/* test_cli_thresholds.c - thresholds of single classes with the real program: eval writes them, detect
 * takes them, --explain tells of them, and names that no class has are refused. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_coco.h"
#include "helper_trace.h"

#include <stdlib.h>
#include <sys/stat.h>

#define DETECT "detect", "--weights", "net.h5", "--threads", "1", "--out", "o", "--save", "json"
#define SURE "--set", "DETECTION_MIN_CONFIDENCE=1"

/* Classes of net.h5 are called class 1 to class 3. */
static int enter(void **state) {
    cli_enter(state);
    cli_picture("a.png", 100, 60);
    save_network("net.h5", NULL, 0);
    return 0;
}

/* ------------------------------------------------------------------------------------------ detect */

static size_t found(const char *class_name) {
    char text[64];
    char *json = cli_read("o/detections.json");
    assert_non_null(json);
    snprintf(text, sizeof text, "\"%s\"", class_name);
    size_t count = cli_occurrences(json, text);
    free(json);
    return count;
}

/* A class that may be unsure is found where the others may not, and the other way round. */
static void test_classes(void **state) {
    (void)state;
    size_t all = 0, counts[4] = {0};
    char names[4][16];
    assert_int_equal(RUN(DETECT, "a.png")->code, 0);
    for (int c = 1; c <= 3; c++) {
        snprintf(names[c], sizeof *names, "class %d", c);
        all += counts[c] = found(names[c]);
    }
    assert_true(all > 0);
    for (int c = 1; c <= 3; c++) {
        char one[64];
        snprintf(one, sizeof one, "CLASS_MIN_CONFIDENCE.class %d=0", c);
        assert_int_equal(RUN(DETECT, SURE, "--set", one, "a.png")->code, 0);
        for (int k = 1; k <= 3; k++) assert_int_equal(found(names[k]) > 0, k == c && counts[c] > 0);
        snprintf(one, sizeof one, "CLASS_MIN_CONFIDENCE={class %d: 1}", c);
        assert_int_equal(RUN(DETECT, "--set", one, "a.png")->code, 0);
        assert_int_equal(found(names[c]), 0);
    }
}

static void test_unknown_class(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--set", "CLASS_MIN_CONFIDENCE.clas 2=0.5", "a.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "CLASS_MIN_CONFIDENCE: the model has no class \"clas 2\"; did you mean "
                            "\"class 2\"?");
    r = RUN(DETECT, "--set", "CLASS_MIN_CONFIDENCE={BG: 0.5}", "a.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "no class \"BG\"; its 3 classes are \"class 1\", ...");
    r = RUN(DETECT, "--set", "CLASS_MIN_CONFIDENCE.class 1=2", "a.png");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "CLASS_MIN_CONFIDENCE.class 1: \"2\" is no score");
    /* What a class is called is --classes' business. */
    cli_write("names.txt", "cat\ndog\ncow\n");
    r = RUN(DETECT, "--classes", "names.txt", "--set", "CLASS_MIN_CONFIDENCE.dog=0", "a.png");
    assert_int_equal(r->code, 0);
    r = RUN(DETECT, "--classes", "names.txt", "--set", "CLASS_MIN_CONFIDENCE.class 1=0", "a.png");
    assert_int_equal(r->code, 1);
}

/* ----------------------------------------------------------------------------------------- explain */

static char *explained(const char *setting) {
    const cli_result *r = RUN(DETECT, SURE, "--explain", "--set", setting, "a.png");
    if (r->code != 0) fail_msg("%s", r->err);
    char *json = cli_read("o/a_explain.json");
    assert_non_null(json);
    assert_true(cli_is_json(json));
    return json;
}

/* Good advice helps. */
static void test_advice(void **state) {
    (void)state;
    char *json = explained("CLASS_MIN_CONFIDENCE={class 1: 1, class 2: 1, class 3: 1}");
    assert_contains(json, "\"CLASS_MIN_CONFIDENCE\": \"{\\\"class 1\\\": 1, ");
    assert_contains(json, "\"DETECTION_NMS\": \"hard\"");
    const char *advice = strstr(json, ", below CLASS_MIN_CONFIDENCE.class ");
    assert_non_null(advice);
    const char *try = strstr(advice, "try --set 'CLASS_MIN_CONFIDENCE.class ");
    assert_non_null(try);
    char setting[64];
    assert_int_equal(sscanf(try, "try --set '%63[^']'", setting), 1);
    assert_int_equal(RUN(DETECT, SURE, "--set", setting, "a.png")->code, 0);
    assert_true(found("class 1") + found("class 2") + found("class 3") > 0);
    free(json);
    const cli_result *r =
        RUN(DETECT, SURE, "--explain", "--set", "CLASS_MIN_CONFIDENCE.class 3=1", "a.png");
    assert_contains(r->out, "below 1 (DETECTION_MIN_CONFIDENCE) or what their class needs "
                            "(CLASS_MIN_CONFIDENCE)\n");
    assert_contains(r->out, " class 1: below DETECTION_MIN_CONFIDENCE 1\n");
    assert_contains(r->out, " class 3: below CLASS_MIN_CONFIDENCE.class 3 1\n");
}

static void test_soft(void **state) {
    (void)state;
    const cli_result *r = RUN(DETECT, "--explain", "--set", "DETECTION_NMS=gaussian", "--set",
                              "DETECTION_NMS_SIGMA=0.01", "a.png");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "overlap better ones of their class, which leave them too little score "
                            "(DETECTION_NMS gaussian)\n");
    assert_null(strstr(r->out, "DETECTION_NMS_THRESHOLD"));
    char *json = cli_read("o/a_explain.json");
    assert_contains(json, "\"DETECTION_NMS\": \"gaussian\"");
    assert_contains(json, "\"DETECTION_NMS_SIGMA\": 0.01");
    free(json);
    r = RUN(DETECT, "--set", "DETECTION_NMS=soft", "a.png");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "DETECTION_NMS: \"soft\" is not one of hard|linear|gaussian");
    r = RUN(DETECT, "--set", "DETECTION_NMS_SIGMA=0", "a.png");
    assert_int_equal(r->code, 2);
}

/* -------------------------------------------------------------------------------------------- eval */

#define SQUARE(x) \
    "'segmentation':[[" x ",10,50,10,50,50," x ",50]],'bbox':[" x ",10,40,40],'area':1600"
#define RESULTS "eval", "--dataset", "set", "--results", "found.json"

/* Two cats and a dog; a mouse that nobody finds, and a cow that isn't there. The best F1 of cats takes
 * in the one at 0.62519. */
static void write_set(const char *dog) {
    char text[2000];
    mkdir("set", 0777);
    snprintf(
        text, sizeof text,
        "{'images':[{'id':1,'file_name':'a.png','width':200,'height':100},"
        "{'id':2,'file_name':'b.png','width':200,'height':100}],'annotations':["
        "{'id':1,'image_id':1,'category_id':1,'iscrowd':0," SQUARE(
            "10") "},"
                  "{'id':2,'image_id':2,'category_id':1,'iscrowd':0," SQUARE(
                      "10") "},"
                            "{'id':3,'image_id':2,'category_id':2,'iscrowd':0," SQUARE(
                                "20") "},"
                                      "{'id':4,'image_id':2,'category_id':3,'iscrowd':0," SQUARE(
                                          "30") "}],"
                                                "'categories':[{'id':1,'name':'it\\u0027s, a: "
                                                "cat'},{'id':2,'name':'%s'},"
                                                "{'id':3,'name':'mouse'},{'id':4,'name':'cow'}]}",
        dog);
    coco_write("set/coco.json", text);
    coco_write("found.json",
               "[{'image_id':1,'category_id':1,'score':0.875," SQUARE(
                   "10") "},"
                         "{'image_id':2,'category_id':1,'score':0.62519," SQUARE(
                             "10") "},"
                                   "{'image_id':2,'category_id':1,'score':0.625,"
                                   "'segmentation':[[100,10,140,10,140,50]],'bbox':[100,10,40,40]},"
                                   "{'image_id':2,'category_id':2,'score':0.0123456," SQUARE(
                                       "20") "},"
                                             "{'image_id':1,'category_id':4,'score':0.5," SQUARE(
                                                 "20") "}]");
}

static void test_written(void **state) {
    (void)state;
    write_set("dog");
    const cli_result *r = RUN(RESULTS, "--thresholds", "t.yaml");
    assert_int_equal(r->code, 0);
    assert_null(strstr(r->out, "CLASS_MIN_CONFIDENCE"));
    char *yaml = cli_read("t.yaml");
    assert_non_null(yaml);
    assert_contains(yaml, "of masks; measured by mrcnn eval on 2 pictures\n# of set. ");
    assert_contains(yaml,
                    "#   --set 'CLASS_MIN_CONFIDENCE={\"it'\\''s, a: cat\": 0.6251, \"dog\": "
                    "0.01234}'\nCLASS_MIN_CONFIDENCE:\n  \"it's, a: cat\": 0.6251  # F1 1.000: "
                    "precision 1.000, recall 1.000 of 2 objects\n  \"dog\": 0.01234  # ");
    assert_contains(yaml, "  # mouse: nothing right was found\n  # cow: no objects\n");
    /* What was written can be read. */
    r = RUN("config", "diff", "--config", "t.yaml");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "{\"it's, a: cat\": 0.6251, \"dog\": 0.01234} t.yaml\n");
    free(yaml);
    r = RUN(RESULTS, "--thresholds", "-");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "detections of nothing\n\n# The score with each class's best F1");
    assert_contains(r->out, "\nCLASS_MIN_CONFIDENCE:\n");
}

static void test_not_written(void **state) {
    (void)state;
    const cli_result *r = RUN(RESULTS, "--thresholds", "-", "--json", "-");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--thresholds -: --json has stdout already");
    write_set("the \\\"dog\\\"");
    r = RUN(RESULTS, "--thresholds", "t2.yaml");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "can't be a class's name here");
    char *yaml = cli_read("t2.yaml"); /* the others are there */
    assert_non_null(yaml);
    assert_contains(yaml, "  \"it's, a: cat\": 0.6251  #");
    assert_int_equal(RUN("config", "diff", "--config", "t2.yaml")->code, 0);
    free(yaml);
    r = RUN(RESULTS, "--thresholds", "nowhere/t.yaml");
    assert_int_equal(r->code, 1);
    assert_contains(r->out, "2 pictures");
}

/* COCO's figures need what is unsure, unless --set says otherwise. */
static void test_evaluation_takes_all(void **state) {
    (void)state;
    static const char none[] = "CLASS_MIN_CONFIDENCE={square: 1, circle: 1, triangle: 1}";
    cli_write("none.yaml", "CLASS_MIN_CONFIDENCE: {square: 1, circle: 1, triangle: 1}\n");
#define SHAPES \
    "eval", CLI_TINY, "--threads", "1", "--dataset", "shapes", "--weights", "none", "--limit", "1"
    char *all = strdup(RUN(SHAPES)->out);
    assert_string_equal(RUN(SHAPES, "--config", "none.yaml")->out, all);
    const cli_result *r = RUN(SHAPES, "--set", none);
    assert_int_equal(r->code, 0);
    assert_string_not_equal(r->out, all);
    free(all);
    all = strdup(r->out);
    r = RUN(SHAPES, "--set", "DETECTION_MIN_CONFIDENCE=1", "--min-score", "0.7");
    assert_string_equal(r->out, all);
    free(all);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_unknown_class),
        cmocka_unit_test(test_advice),
        cmocka_unit_test(test_soft),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_not_written),
        cmocka_unit_test(test_evaluation_takes_all),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
