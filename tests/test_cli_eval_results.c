/* test_cli_eval_results.c - mrcnn eval --results: figures as tables, JSON and CSV of detections that are
 * there already, and what is said when they can't be used. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_coco.h"

#include <stdlib.h>
#include <sys/stat.h>

#define RESULTS "eval", "--dataset", "set", "--results", "found.json"
#define CAT \
    "'segmentation':[[10,10,50,10,50,50,10,50]],'bbox':[10,10,40,40],'area':1600,'iscrowd':0"

/* A cat with a comma in image 1, two in image 2; the pictures themselves are nowhere. */
static int enter(void **state) {
    cli_enter(state);
    mkdir("set", 0777);
    coco_write(
        "set/coco.json",
        "{'images':[{'id':1,'file_name':'p/a.png','width':200,'height':100},"
        "{'id':2,'file_name':'p/b.png','width':200,'height':100}],"
        "'annotations':[{'id':1,'image_id':1,'category_id':7," CAT "},"
        "{'id':2,'image_id':2,'category_id':7," CAT "},"
        "{'id':3,'image_id':2,'category_id':7,'segmentation':[[100,10,140,10,140,50,100,50]],"
        "'bbox':[100,10,40,40],'area':1600,'iscrowd':0}],"
        "'categories':[{'id':7,'name':'cat, \\'big\\''},{'id':9,'name':'dog'}]}");
    coco_write(
        "found.json",
        "[{'image_id':1,'category_id':7,'score':0.75,'segmentation':[[10,10,50,10,50,50,10,50]]},"
        "{'image_id':2,'category_id':7,'score':0.5,'segmentation':[[10,10,50,10,50,50,10,50]]},"
        "{'image_id':2,'category_id':9,'score':0.875,'segmentation':[[100,10,140,10,140,50,100,"
        "50]]}]");
    coco_write("boxes.json", "[{'image_id':1,'category_id':7,'score':0.75,'bbox':[10,10,40,40]}]");
    return 0;
}

static void test_tables(void **state) {
    (void)state;
    const cli_result *r = RUN(RESULTS);
    assert_int_equal(r->code, 0);
    assert_string_equal(r->err, "");
    assert_contains(r->out, "2 pictures, 3 objects, 3 detections\n");
    assert_contains(r->out, "\nAR100  100 detections       0.667    0.667\n");
    assert_contains(r->out,
                    "\ncat, \"big\"          3    0.663    0.663    0.663    0.663    0.800 "
                    "   0.500\n");
    assert_contains(r->out, "\ndog                 0        -        -        -        -        - "
                            "       -\n");
    assert_contains(r->out, "\nIoU 0.50, score 0.7 or more: 1 objects found, 1 found as another "
                            "class, 1 missed; 0 detections of nothing\n");
    r = RUN("eval", "--dataset", "set", "--results", "boxes.json", "--max-detections", "400");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "The results have no masks: boxes are compared, nothing else.\n");
    assert_contains(r->out, "\nAR400  400 detections       0.333\n");
    assert_null(strstr(r->out, "segm"));
    assert_null(strstr(r->out, "mAP"));
}

static void test_json(void **state) {
    (void)state;
    const cli_result *r = RUN(RESULTS, "--json", "-", "--min-score", "0.5");
    assert_int_equal(r->code, 0);
    assert_true(cli_is_json(r->out));
    assert_contains(r->out, "\"best_F1\": {\"F1\": 0.8");
    assert_contains(r->out, "\"matrix\": [[0, 0, 0], [0, 2, 1], [0, 0, 0]]");
    assert_contains(r->out, "\"score\": 0.5,\n    \"matrix\"");
    assert_contains(r->out, "\"max_detections\": 100,");
    assert_contains(r->out, "\"weights\": null,");
    assert_contains(r->out, "\"results\": \"found.json\"");
    r = RUN("eval", "--dataset", "set", "--results", "boxes.json", "--json", "-");
    assert_int_equal(r->code, 0);
    assert_true(cli_is_json(r->out));
    assert_null(strstr(r->out, "segm"));
    assert_null(strstr(r->out, "matterport"));
}

static void expect_file(const char *path, const char *part) {
    char *text = cli_read(path);
    assert_non_null(text);
    assert_contains(text, part);
    free(text);
}

static void test_csv(void **state) {
    (void)state;
    const cli_result *r =
        RUN(RESULTS, "--csv", "c.csv", "--curves", "r.csv", "--confusion", "m.csv");
    assert_int_equal(r->code, 0);
    expect_file("c.csv", "class,objects,bbox_AP,bbox_AP50,bbox_AP75,bbox_F1,bbox_F1_score,");
    expect_file("c.csv", "\n\"cat, \"\"big\"\"\",3,0.663366337,");
    expect_file("c.csv", ",0.8,0.5,1,0.666666667\ndog,0,,,,,,,,,,,,,,\n");
    expect_file("r.csv", "kind,iou,class,recall,precision,score\nbbox,0.50,,0.00,1,0.75\n");
    expect_file("r.csv", "\nsegm,0.50:0.95,\"cat, \"\"big\"\"\",0.34,1,0.5\n");
    expect_file("r.csv", "\nsegm,0.75,\"cat, \"\"big\"\"\",0.67,0,0\n");
    expect_file("m.csv", "object \\ found,(nothing),\"cat, \"\"big\"\"\",dog\n(nothing),0,0,0\n"
                         "\"cat, \"\"big\"\"\",1,1,1\ndog,0,0,0\n");
    char *curves = cli_read("r.csv");
    assert_non_null(curves);
    assert_int_equal(cli_occurrences(curves, "\n"), 1 + 2 * 2 * 3 * 101); /* all, and the cats */
    free(curves);
    /* What can be written is; the exit code tells about the rest. */
    r = RUN(RESULTS, "--csv", "no/where.csv", "--curves", "again.csv");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "no/where.csv");
    assert_true(cli_exists("again.csv"));
    assert_int_equal(cli_count(".", "part"), 0);
}

#ifdef MRCNN_WITH_CAIRO
/* A file starts with what its ending promises. */
static void expect_start(const char *path, const char *start) {
    char *text = cli_read(path);
    assert_non_null(text);
    assert_memory_equal(text, start, strlen(start));
    free(text);
}
#endif

static void test_pictures(void **state) {
    (void)state;
    const cli_result *r = RUN(RESULTS, "--curves", "p.png", "--curves", "p.SVG", "--curves",
                              "p.csv", "--confusion", "q.pdf", "--confusion", "q.svg");
    expect_file("p.csv", "kind,iou,class,recall");
#ifdef MRCNN_WITH_CAIRO
    assert_int_equal(r->code, 0);
    expect_start("p.png", "\x89PNG");
    expect_start("q.pdf", "%PDF");
    expect_file("p.SVG", "<svg");
    expect_file("q.svg", "<svg");
    r = RUN("eval", "--dataset", "set", "--results", "boxes.json", "--curves", "boxes.svg");
    assert_int_equal(r->code, 0);
    assert_true(cli_exists("boxes.svg"));
#else
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "cairo");
    assert_false(cli_exists("p.png"));
#endif
    r = RUN(RESULTS, "--curves", "p.txt");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--curves p.txt: the name must end in .csv, .png, .svg or .pdf");
    assert_int_equal(RUN(RESULTS, "--confusion", "nothing")->code, 2);
    r = RUN(RESULTS, "--confusion", "no/where.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->out, "2 pictures, 3 objects");
}

static void test_limit(void **state) {
    (void)state;
    const cli_result *r = RUN(RESULTS, "--limit", "1", "--threads", "3");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "1 pictures, 1 objects, 1 detections\n");
}

static void test_wrong_usage(void **state) {
    (void)state;
    const cli_result *r = RUN(RESULTS, "--weights", "none");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--weights is about a model; --results needs none");
    assert_int_equal(RUN(RESULTS, "--classes", "cat")->code, 2);
    assert_int_equal(RUN(RESULTS, "--executor", "reference")->code, 2);
    assert_int_equal(RUN(RESULTS, "--max-detections", "10")->code, 2);
    assert_int_equal(RUN(RESULTS, "--min-score", "nan")->code, 2);
    assert_int_equal(RUN(RESULTS, "--min-score", "75.5")->code, 0); /* some files have percents */
    r = RUN(RESULTS, "--min-score", "x");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--min-score: \"x\" is no number");
}

static void test_failures(void **state) {
    (void)state;
    const cli_result *r = RUN("eval", "--dataset", "set", "--results", "nowhere.json");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nowhere.json");
    assert_string_equal(r->out, "");
    coco_write("strange.json",
               "[{'image_id':5,'category_id':7,'score':0.75,'bbox':[10,10,40,40]}]");
    r = RUN("eval", "--dataset", "set", "--results", "strange.json", "--json", "j.json");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "strange.json: 1 of 1 entries are about pictures that the data set "
                            "doesn't have: image_id 5");
    assert_false(cli_exists("j.json"));
    r = RUN("eval", "--dataset", "set", "--results", "set/coco.json");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "this is no file of results");
}

/* What is wrong with annotations is said; the pictures don't matter. */
static void test_broken_annotations(void **state) {
    (void)state;
    mkdir("broken", 0777);
    coco_write("broken/coco.json",
               "{'images':[{'id':1,'file_name':'a.png','width':200,'height':100}],"
               "'annotations':[{'id':1,'image_id':1,'category_id':7," CAT "},"
               "{'id':2,'image_id':77,'category_id':7," CAT "}],"
               "'categories':[{'id':7,'name':'cat'}]}");
    const cli_result *r = RUN("eval", "--dataset", "broken", "--results", "boxes.json");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "the annotations have 1 errors; what can't be used is left out");
    assert_contains(r->out, "1 pictures, 1 objects, 1 detections\n");
}

/* What detect found is as good as the model that found it: the same figures, but for areas of masks,
 * which pycocotools takes from boxes. */
static void test_of_detect(void **state) {
    (void)state;
    mkdir("own", 0777);
    cli_picture("own/a.png", 64, 48);
    cli_picture("own/b.png", 40, 60);
    coco_write("own/coco.json",
               "{'images':[{'id':1,'file_name':'b.png','width':40,'height':60},"
               "{'id':2,'file_name':'a.png','width':64,'height':48}],"
               "'annotations':[{'id':1,'image_id':1,'category_id':2,"
               "'segmentation':[[4,4,30,4,30,50,4,50]],'bbox':[4,4,26,46],'area':1196},"
               "{'id':2,'image_id':2,'category_id':5,"
               "'segmentation':[[1,1,60,1,60,40,1,40]],'bbox':[1,1,59,39],'area':2301}],"
               "'categories':[{'id':2,'name':'hen'},{'id':5,'name':'cow'}]}");
    const cli_result *r =
        RUN("weights", "init", "--out", "tiny.h5", CLI_TINY, "--set", "NUM_CLASSES=3");
    assert_int_equal(r->code, 0);
    r = RUN("detect", "own", "--weights", "tiny.h5", "--classes", "hen,cow", "--set",
            "DETECTION_MIN_CONFIDENCE=0", "--out", "seen", "--save", "json");
    assert_int_equal(r->code, 0);
    assert_true(cli_exists("seen/detections.json"));
    r = RUN("eval", "--dataset", "own", "--results", "seen/detections.json");
    assert_int_equal(r->code, 0);
    char *first = strdup(r->out);
    r = RUN("eval", "--dataset", "own", "--weights", "tiny.h5", "--classes", "hen,cow");
    assert_int_equal(r->code, 0);
    const char *const same[] = {"\nAP  ", "\nAP50 ", "\nAR1 ", "\nAR100 ",
                                "\nmAP ", "\nhen ",  "\ncow "};
    assert_null(strstr(first, " 0 detections\n"));
    assert_memory_equal(first, r->out, strcspn(first, "\n")); /* counts */
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const char *a = strstr(first, same[i]), *b = strstr(r->out, same[i]);
        assert_true(a && b);
        assert_memory_equal(a, b, 1 + strcspn(a + 1, "\n"));
    }
    free(first);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tables),
                                       cmocka_unit_test(test_json),
                                       cmocka_unit_test(test_csv),
                                       cmocka_unit_test(test_limit),
                                       cmocka_unit_test(test_pictures),
                                       cmocka_unit_test(test_wrong_usage),
                                       cmocka_unit_test(test_failures),
                                       cmocka_unit_test(test_of_detect),
                                       cmocka_unit_test(test_broken_annotations)};
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
