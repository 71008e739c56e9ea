/* test_results.c - files of detections against data sets: the reference implementation's figures, what
 * an entry means, which picture and class it is about, and files that are wrong or mean harm. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_coco.h"
#include "helper_via.h"

#include <mrcnn/eval.h>

#include <stdlib.h>
#include <sys/stat.h>

/* -------------------------------------------------------------------------------------- running */

static mrcnn_dataset *open_set(const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.keep_empty = options.keep_missing = 1;
    if (mrcnn_dataset_open(&set, path, &options, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return set;
}

/* Evaluates a file; "" or the message. The set stays the caller's. */
static mrcnn_error last_error;
static mrcnn_report *try_file(const mrcnn_dataset *set, const char *path,
                              const mrcnn_evaluate_options *options) {
    mrcnn_report *report = NULL;
    last_error = (mrcnn_error)MRCNN_ERROR_INIT;
    mrcnn_status status = mrcnn_evaluate_results(set, path, options, &report, &last_error);
    assert_true((status == MRCNN_OK) == (report != NULL));
    assert_int_equal(last_error.status, status);
    return report;
}

static mrcnn_report *evaluate(const char *set_path, const char *path) {
    mrcnn_dataset *set = open_set(set_path);
    mrcnn_evaluate_options options = mrcnn_evaluate_options_default();
    options.threads = 2;
    mrcnn_report *report = try_file(set, path, &options);
    if (!report) fail_msg("%s", last_error.message);
    mrcnn_dataset_free(&set);
    return report;
}

/* Entries in which ' stands for ", of the data set "set". */
static mrcnn_report *evaluate_text(const char *text) {
    coco_write("found.json", text);
    return evaluate("set", "found.json");
}

static void refused(const char *text, const char *message) {
    mrcnn_dataset *set = open_set("set");
    coco_write("found.json", text);
    mrcnn_report *report = try_file(set, "found.json", NULL);
    if (report) fail_msg("%s: taken", text);
    assert_contains(last_error.message, message);
    mrcnn_dataset_free(&set);
}

#define BOX(image, category, score, box) \
    "{'image_id':" image ",'category_id':" category ",'score':" score ",'bbox':[" box "]}"

/* A cat and a dog in image 1, of 200 x 100 pixels that nobody has; a cat in image 2; nothing in 3. */
#define CAT \
    "'segmentation':[[10,10,50,10,50,50,10,50]],'bbox':[10,10,40,40],'area':1600,'iscrowd':0"
static void write_set(void) {
    coco_set("{'id':9,'file_name':'a.png','width':200,'height':100},"
             "{'id':2,'file_name':'below/b.png','width':200,'height':100},"
             "{'id':3,'file_name':'c.png','width':200,'height':100}",
             "{'id':1,'image_id':9,'category_id':1," CAT "},"
             "{'id':2,'image_id':9,'category_id':3,'segmentation':[[100,10,140,10,140,50,100,50]],"
             "'bbox':[100,10,40,40],'area':1600,'iscrowd':0},"
             "{'id':3,'image_id':2,'category_id':1," CAT "}",
             NULL);
}

static int enter(void **state) {
    coco_enter(state);
    write_set();
    return 0;
}

/* ------------------------------------------------------------------------------ reference cases */

enum { FIGURES = 12 };
static const double reference[3][2][FIGURES] = {
    {{0.1943776520509194, 0.34323432343234317, 0.19224422442244224, 0.15896589658965896,
      0.19675467546754674, -1.0, 0.20370370370370372, 0.2518518518518519, 0.2518518518518519,
      0.22222222222222218, 0.21238095238095236, -1.0},
     {0.1949002043061449, 0.34323432343234317, 0.19224422442244224, 0.16072607260726074,
      0.19840484048404838, -1.0, 0.20185185185185184, 0.2611111111111111, 0.2611111111111111,
      0.23333333333333328, 0.21714285714285714, -1.0}},
    {{0.2536199628366198, 0.4438158101524438, 0.17821782178217824, 0.013465346534653465,
      0.3362166692859762, -1.0, 0.2348148148148148, 0.36629629629629623, 0.36629629629629623,
      0.06666666666666667, 0.43333333333333324, -1.0},
     {0.24195671668007135, 0.4438158101524438, 0.17821782178217824, 0.013465346534653465,
      0.3229283880769029, -1.0, 0.22962962962962966, 0.3577777777777777, 0.3577777777777777,
      0.06666666666666667, 0.425, -1.0}},
    {{0.23730073007300728, 0.4433443344334433, 0.2930993099309931, 0.20913091309130913,
      0.33174367436743674, -1.0, 0.25785714285714284, 0.3726190476190476, 0.3726190476190476, 0.3,
      0.39777777777777773, -1.0},
     {0.21974297429742973, 0.36875687568756876, 0.2930993099309931, 0.17579757975797575,
      0.32745324532453246, -1.0, 0.24952380952380954, 0.35238095238095235, 0.35238095238095235,
      0.2333333333333333, 0.3933333333333333, -1.0}}};

static void compare(const mrcnn_figures *f, const double want[FIGURES]) {
    const double have[FIGURES] = {f->ap,        f->ap50,     f->ap75,      f->ap_small,
                                  f->ap_medium, f->ap_large, f->ar1,       f->ar10,
                                  f->ar100,     f->ar_small, f->ar_medium, f->ar_large};
    for (int i = 0; i < FIGURES; i++) assert_float_equal(have[i], want[i], 1e-15);
}

static void test_reference(void **state) {
    char truth[300], boxes[300], masks[300];
    (void)state;
    for (int i = 0; i < 3; i++) {
        snprintf(truth, sizeof truth, "%s/eval/coco%d_truth.json", TEST_DATA, i);
        snprintf(boxes, sizeof boxes, "%s/eval/coco%d_boxes.json", TEST_DATA, i);
        snprintf(masks, sizeof masks, "%s/eval/coco%d_masks.json", TEST_DATA, i);
        mrcnn_report *r = evaluate(truth, boxes);
        compare(&r->bbox, reference[i][0]);
        assert_int_equal(r->boxes_only, 1);
        assert_float_equal(r->segm.ap, -1, 0);
        assert_float_equal(r->picture_map, -1, 0);
        mrcnn_report_free(&r);
        r = evaluate(truth, masks);
        compare(&r->segm, reference[i][1]);
        assert_int_equal(r->boxes_only, 0);
        mrcnn_report_free(&r);
    }
}

static void compare_reports(const mrcnn_report *a, const mrcnn_report *b) {
    size_t cells = (size_t)a->class_count * (size_t)a->class_count;
    assert_memory_equal(&a->bbox, &b->bbox, sizeof a->bbox);
    assert_memory_equal(&a->segm, &b->segm, sizeof a->segm);
    assert_true(a->picture_map == b->picture_map && a->picture_map50 == b->picture_map50);
    assert_memory_equal(a->confusion, b->confusion, cells * sizeof *a->confusion);
    for (int i = 0; i < a->class_count; i++) {
        if (i) assert_memory_equal(&a->classes[i], &b->classes[i], sizeof a->classes[i]);
        assert_true(!a->curves[i].segm == !b->curves[i].segm);
        if (a->curves[i].segm)
            assert_memory_equal(a->curves[i].segm, b->curves[i].segm, sizeof *a->curves[i].segm);
    }
}

static void test_threads(void **state) {
    mrcnn_dataset *set = open_set(TEST_DATA "/eval/coco1_truth.json");
    mrcnn_evaluate_options options = mrcnn_evaluate_options_default();
    mrcnn_report *first = NULL;
    (void)state;
    for (options.threads = 1; options.threads < 5; options.threads++) {
        mrcnn_report *report = try_file(set, TEST_DATA "/eval/coco1_masks.json", &options);
        assert_non_null(report);
        if (first) {
            compare_reports(report, first);
            mrcnn_report_free(&report);
        } else {
            first = report;
        }
    }
    mrcnn_report_free(&first);
    mrcnn_dataset_free(&set);
}

/* --------------------------------------------------------------------------------- what they mean */

/* Of equal scores the one in the image with the lower id comes first, wherever it stands. */
static void test_order_of_images(void **state) {
    (void)state;
    mrcnn_report *r = evaluate_text(
        "[" BOX("9", "1", "0.5", "90,60,20,20") "," BOX("2", "1", "0.5", "10,10,40,40") "]");
    /* Right at recall 0 to 0.5, then nothing. */
    assert_float_equal(r->classes[1].bbox_ap50, 51.0 / 101, 1e-12);
    mrcnn_report_free(&r);
    r = evaluate_text(
        "[" BOX("2", "1", "0.5", "90,60,20,20") "," BOX("9", "1", "0.5", "10,10,40,40") "]");
    assert_float_equal(r->classes[1].bbox_ap50, 0.5 * 51.0 / 101, 1e-12);
    mrcnn_report_free(&r);
}

/* Scores that single precision can't tell apart. */
static void test_precise_scores(void **state) {
    (void)state;
    mrcnn_report *r = evaluate_text("[" BOX("2", "1", "0.50000000000001", "90,60,20,20") "," BOX(
        "9", "1", "0.50000000000002", "10,10,40,40") "]");
    assert_float_equal(r->classes[1].bbox_ap50, 51.0 / 101, 1e-12);
    assert_float_equal(r->classes[1].bbox_best.score, 0.50000000000002, 0);
    mrcnn_report_free(&r);
}

static void test_boxes_only(void **state) {
    (void)state;
    mrcnn_report *r = evaluate_text("[" BOX("9", "1", "0.9", "10,10,40,40.0") "," BOX(
        "9", "3", "0.8", "100,10,40,40") "," BOX("2", "1", "0.7", "10,10,40,40") "]");
    assert_float_equal(r->bbox.ap, 1, 1e-12);
    assert_int_equal(r->boxes_only, 1);
    assert_int_equal(r->pictures, 3);
    assert_int_equal(r->objects, 3);
    assert_int_equal(r->detections, 3);
    assert_float_equal(r->classes[1].segm_ap, -1, 0);
    assert_float_equal(r->classes[1].segm_best.f1, -1, 0);
    assert_float_equal(r->classes[1].bbox_best.f1, 1, 1e-12);
    assert_float_equal(r->classes[1].bbox_best.score, 0.7, 0);
    assert_non_null(r->curves[1].bbox);
    assert_null(r->curves[1].segm);
    assert_float_equal(r->curves[1].bbox->at75.precision[100], 1, 1e-12);
    assert_float_equal(r->curves[1].bbox->at75.score[50], 0.9, 0);
    assert_float_equal(r->curves[1].bbox->at75.score[51], 0.7, 0);
    mrcnn_report_free(&r);
}

/* The cat's 40 columns of 40 pixels. */
static void cat_as_string(char *text, size_t size) {
    uint8_t bytes[100 * 200] = {0};
    char string[1000];
    mrcnn_mask mask = {0};
    for (int y = 10; y < 50; y++) memset(bytes + 200 * y + 10, 1, 40);
    assert_int_equal(mrcnn_mask_from_bytes(&mask, bytes, 100, 200, NULL), MRCNN_OK);
    assert_true(mrcnn_mask_to_string(&mask, string, sizeof string) < sizeof string);
    assert_null(strpbrk(string, "'\\"));
    snprintf(text, size, "{'size':[100,200],'counts':'%s'}", string);
    mrcnn_mask_free(&mask);
}

static void cat_as_numbers(char *text, size_t size) {
    int used = snprintf(text, size, "{'size':[100,200],'counts':[1010,40");
    for (int column = 11; column < 50; column++)
        used += snprintf(text + used, size - (size_t)used, ",60,40");
    snprintf(text + used, size - (size_t)used, ",15050]}");
}

/* Run lengths as a string and as numbers, and polygons; boxes follow from masks. */
static void test_masks(void **state) {
    char forms[3][1500] = {"[[10,10,50,10,50,50,10,50]]"}, text[4000];
    (void)state;
    cat_as_string(forms[1], sizeof forms[1]);
    cat_as_numbers(forms[2], sizeof forms[2]);
    for (size_t i = 0; i < 3; i++) {
        snprintf(text, sizeof text,
                 "[{'image_id':9,'category_id':1,'score':1,'bbox':[],'segmentation':%.1499s},"
                 "{'image_id':2,'category_id':1,'score':1,'segmentation':%.1499s}]",
                 forms[i], forms[i]);
        mrcnn_report *r = evaluate_text(text);
        assert_int_equal(r->boxes_only, 0);
        assert_float_equal(r->classes[1].segm_ap, 1, 1e-12);
        assert_float_equal(r->classes[1].bbox_ap, 1, 1e-12);
        assert_float_equal(r->picture_map50, 0.75, 1e-12); /* the dog is missing */
        mrcnn_report_free(&r);
    }
}

/* With a box, it says how large a detection is, for masks too (loadRes): what is found of nothing then
 * counts among the large ones, or doesn't. */
static void test_size_of_detections(void **state) {
    static const char *const small_mask =
        "'segmentation':[[10,60,20,60,20,70,10,70]],'image_id':2,'category_id':1,'score':0.9";
    static const char *const right = "{'image_id':9,'category_id':1,'score':0.5,"
                                     "'segmentation':[[10,10,50,10,50,50,10,50]]%s}";
    char text[900], found[300];
    (void)state;
    snprintf(found, sizeof found, right, "");
    snprintf(text, sizeof text, "[{%s},%s]", small_mask, found);
    mrcnn_report *r = evaluate_text(text); /* the wrong one is small: it is none of the medium */
    assert_float_equal(r->segm.ap_medium, 51.0 / 101 / 2, 1e-12);
    assert_float_equal(r->classes[1].segm_ap, 0.5 * 51 / 101, 1e-12);
    mrcnn_report_free(&r);
    snprintf(found, sizeof found, right, ",'bbox':[10,10,40,40]");
    snprintf(text, sizeof text, "[{%s,'bbox':[0,0,50,50]},%s]", small_mask, found);
    r = evaluate_text(text); /* it is medium, says its box */
    assert_float_equal(r->segm.ap_medium, 0.5 * 51.0 / 101 / 2, 1e-12);
    mrcnn_report_free(&r);
    /* An entry without a mask is its box, if there are boxes. */
    snprintf(text, sizeof text, "[%s,%s]", found, BOX("2", "1", "0.4", "10,10,40,40"));
    r = evaluate_text(text);
    assert_float_equal(r->classes[1].segm_ap, 1, 1e-12);
    mrcnn_report_free(&r);
}

/* A crowd's detections count neither way, in any figure. */
static void test_crowds(void **state) {
    (void)state;
    coco_set("{'id':1,'file_name':'a.png','width':200,'height':100}",
             "{'id':1,'image_id':1,'category_id':1," CAT "},"
             "{'id':2,'image_id':1,'category_id':1,'iscrowd':1,'bbox':[100,0,100,100],'area':10000,"
             "'segmentation':{'size':[100,200],'counts':[10000,10000]}}",
             NULL);
    mrcnn_report *r = evaluate_text(
        "[" BOX("1", "1", "0.9", "110,10,20,20") "," BOX("1", "1", "0.8", "150,10,20,20") "," BOX(
            "1", "1", "0.75", "10,10,40,40") "," BOX("1", "3", "0.9", "150,10,20,20") "]");
    assert_float_equal(r->bbox.ap, 1, 1e-12);
    assert_int_equal(r->crowds, 1);
    assert_float_equal(r->classes[1].bbox_best.f1, 1, 1e-12);
    const size_t confusion[9] = {0, 0, 1, 0, 1, 0, 0, 0, 0};
    assert_memory_equal(r->confusion, confusion, sizeof confusion);
    mrcnn_report_free(&r);
    write_set();
}

static void test_confusion(void **state) {
    mrcnn_dataset *set = open_set("set");
    mrcnn_evaluate_options options = mrcnn_evaluate_options_default();
    (void)state;
    coco_write("found.json", "[" BOX("9", "3", "0.9", "10,10,40,42") /* the cat, as a dog */
               "," BOX("9", "1", "0.8", "10,10,40,40")               /* too late */
               "," BOX("9", "3", "0.7", "100,10,40,40")              /* the dog */
               "," BOX("3", "1", "0.95", "0,0,5,5")                  /* nothing */
               "," BOX("2", "1", "0.69", "10,10,40,40") "]");        /* unsure */
    mrcnn_report *r = try_file(set, "found.json", &options);
    assert_non_null(r);
    const size_t sure[9] = {0, 2, 0, 1, 0, 1, 0, 0, 1};
    assert_memory_equal(r->confusion, sure, sizeof sure);
    assert_float_equal(r->confusion_score, 0.7, 0);
    mrcnn_report_free(&r);
    options.confusion_score = 0.1;
    r = try_file(set, "found.json", &options);
    assert_non_null(r);
    const size_t all[9] = {0, 2, 0, 0, 1, 1, 0, 0, 1};
    assert_memory_equal(r->confusion, all, sizeof all);
    mrcnn_report_free(&r);
    mrcnn_dataset_free(&set);
}

/* Eleven detections before the right one. */
static void test_max_detections(void **state) {
    mrcnn_dataset *set = open_set("set");
    mrcnn_evaluate_options options = mrcnn_evaluate_options_default();
    char text[2000] = "[" BOX("9", "1", "0.1", "10,10,40,40");
    (void)state;
    for (int i = 0; i < 11; i++) strcat(text, "," BOX("9", "1", "0.5", "100,60,20,20"));
    strcat(text, "]");
    coco_write("found.json", text);
    for (options.max_detections = 11; options.max_detections < 13; options.max_detections++) {
        mrcnn_report *r = try_file(set, "found.json", &options);
        assert_non_null(r);
        assert_int_equal(r->max_detections, options.max_detections);
        assert_float_equal(r->bbox.ar10, 0, 0);
        assert_float_equal(r->bbox.ar100, options.max_detections == 11 ? 0 : 0.25, 1e-12);
        mrcnn_report_free(&r);
    }
    options.max_detections = 10;
    assert_null(try_file(set, "found.json", &options));
    assert_contains(last_error.message, "max_detections is 10; it must be 11 or more");
    mrcnn_dataset_free(&set);
}

/* An empty list is a result: nothing was found. */
static void test_nothing(void **state) {
    (void)state;
    mrcnn_report *r = evaluate_text(" [ ] ");
    assert_float_equal(r->bbox.ap, 0, 0);
    assert_float_equal(r->segm.ar100, 0, 0);
    assert_int_equal(r->detections, 0);
    assert_int_equal(r->confusion[3], 2);
    assert_float_equal(r->classes[1].segm_best.f1, 0, 0);
    mrcnn_report_free(&r);
}

/* ------------------------------------------------------------------------------ which it is about */

#define NAMED(picture, class, score) \
    "{" picture "," class ",'score':" score ",'bbox':[10,10,40,40]}"

/* Names win over ids; folders of names may be missing or other ones. */
static void test_names(void **state) {
    static const char *const pictures[] = {"'image_id':3,'file_name':'below/b.png'",
                                           "'file_name':'b.png'", "'file_name':'/x/y/b.png'",
                                           "'image_id':2", "'image_id':'2'"};
    static const char *const classes[] = {"'category_id':3,'category_name':'cat'",
                                          "'category_name':'cat'", "'category_id':1",
                                          "'category_id':'1'"};
    char text[300];
    (void)state;
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 4; k++) {
            snprintf(text, sizeof text, "[" NAMED("%s", "%s", "1") "]", pictures[i], classes[k]);
            mrcnn_report *r = evaluate_text(text);
            assert_float_equal(r->classes[1].bbox_ap50, 51.0 / 101, 1e-12);
            mrcnn_report_free(&r);
        }
}

/* Ids may be texts, and several pictures may have been given the same name by their folders. */
static void test_texts(void **state) {
    (void)state;
    coco_set("{'id':'one','file_name':'x/a.png','width':200,'height':100},"
             "{'id':'two','file_name':'y/a.png','width':200,'height':100}",
             "{'id':1,'image_id':'two','category_id':'c'," CAT "}", "{'id':'c','name':'cat'}");
    mrcnn_report *r = evaluate_text("[" NAMED("'image_id':'two'", "'category_id':'c'", "1") "]");
    assert_float_equal(r->bbox.ap, 1, 1e-12);
    mrcnn_report_free(&r);
    r = evaluate_text("[" NAMED("'file_name':'y/a.png'", "'category_id':'c'", "1") "]");
    assert_float_equal(r->bbox.ap, 1, 1e-12);
    mrcnn_report_free(&r);
    refused("[" NAMED("'file_name':'a.png'", "'category_id':'c'", "1") "]",
            "found.json: entry 0: several pictures of the data set have the file_name \"a.png\"");
    refused("[" NAMED("'image_id':'three'", "'category_id':'c'", "1") "]", "image_id \"three\"");
    write_set();
}

static void test_unknown(void **state) {
    char text[2000] = "[" BOX("9", "1", "0.1", "10,10,40,40");
    (void)state;
    for (int i = 0; i < 7; i++) {
        char entry[200];
        snprintf(entry, sizeof entry, "," BOX("%d", "1", "0.5", "100,60,20,20"), 100 + i / 2 * 2);
        strcat(text, entry);
    }
    strcat(text, "," BOX("9", "2", "0.1", "10,10,40,40") "]");
    refused(text,
            "found.json: 7 of 9 entries are about pictures that the data set doesn't have: "
            "image_id 100, image_id 102, image_id 104, image_id 106; 1 of 9 entries are about "
            "classes that the data set doesn't have: category_id 2");
    refused("[" NAMED("'file_name':'no.png'", "'category_id':1", "1") "]",
            "file_name \"no.png\": give the data set that these results are of");
    refused("[" NAMED("'image_id':9", "'category_name':'cow'", "1") "]", "category_name \"cow\"");
}

/* Elsewhere than in COCO's files a picture's id is the number of its file name, and a class's its
 * number in the set. */
static void test_other_formats(void **state) {
    (void)state;
    mkdir("via", 0777);
    cli_picture("via/000012.png", 40, 30);
    cli_picture("via/x.png", 40, 30);
    cli_write(
        "via/via_region_data.json",
        "{" VIA_ENTRY("000012.png", VIA_RECT("4", "cat") "," VIA_RECT("20", "dog")) "," VIA_ENTRY(
            "x.png", VIA_RECT("4", "dog")) "}");
    coco_write("found.json", "[{'image_id':12,'category_id':1,'score':1,'bbox':[4,5,6,7]},"
                             "{'image_id':12,'category_id':2,'score':1,'bbox':[20,5,6,7]},"
                             "{'file_name':'x.png','category_name':'dog','score':1,"
                             "'bbox':[4,5,6,7]}]");
    mrcnn_report *r = evaluate("via", "found.json");
    assert_float_equal(r->bbox.ap50, 1, 1e-12);
    assert_int_equal(r->objects, 3);
    mrcnn_report_free(&r);
    mrcnn_dataset *set = open_set("via");
    coco_write("found.json", "[{'image_id':13,'category_id':1,'score':1,'bbox':[4,5,6,7]}]");
    assert_null(try_file(set, "found.json", NULL));
    assert_contains(last_error.message, "image_id 13");
    mrcnn_dataset_free(&set);
}

/* Two sets with the same ids: a number is not enough. */
static void test_joined(void **state) {
    mrcnn_dataset *sets[2] = {open_set("set"), NULL}, *joined = NULL;
    (void)state;
    mkdir("other", 0777);
    coco_write("other/coco.json",
               "{'images':[{'id':9,'file_name':'z.png','width':200,'height':100}],"
               "'annotations':[{'id':1,'image_id':9,'category_id':1," CAT "}],"
               "'categories':[{'id':1,'name':'dog'}]}");
    sets[1] = open_set("other");
    assert_int_equal(mrcnn_dataset_join(&joined, sets, 2, NULL), MRCNN_OK);
    coco_write("found.json", "[" BOX("9", "1", "0.9", "10,10,40,40") "]");
    assert_null(try_file(joined, "found.json", NULL));
    assert_contains(last_error.message, "several pictures of the data set have the image_id 9");
    /* Category 1 is the dog of z.png. */
    coco_write("found.json", "[" NAMED("'file_name':'z.png'", "'category_id':1", "1") "]");
    mrcnn_report *r = try_file(joined, "found.json", NULL);
    assert_non_null(r);
    assert_float_equal(r->classes[1].bbox_ap50, 0, 0);
    assert_float_equal(r->classes[2].bbox_ap50, 51.0 / 101, 1e-12);
    assert_float_equal(r->bbox.ap, 51.0 / 101 / 2, 1e-12);
    mrcnn_report_free(&r);
    mrcnn_dataset_free(&joined);
}

/* Without keep_missing only pictures that are there count. */
static void test_missing_pictures(void **state) {
    mrcnn_dataset *set = NULL;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    mrcnn_image image = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    (void)state;
    assert_int_equal(mrcnn_dataset_open(&set, "set", &options, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_count(set), 1);
    mrcnn_dataset_free(&set);
    set = open_set("set");
    assert_int_equal(mrcnn_dataset_count(set), 3);
    assert_non_null(mrcnn_dataset_picture(set, 0)->path);
    assert_null(mrcnn_dataset_picture(set, 1)->path);
    assert_string_equal(mrcnn_dataset_picture(set, 1)->id, "below/b.png");
    assert_int_equal(mrcnn_dataset_read(set, 1, &image, &err), MRCNN_E_IO);
    assert_contains(err.message, "below/b.png: there is no such picture");
    mrcnn_dataset_free(&set);
}

/* ----------------------------------------------------------------------------------- wrong files */

static void test_wrong_entries(void **state) {
    (void)state;
    refused("{'annotations':[]}", "this is no file of results: it isn't a list of detections");
    refused("3", "this is no file of results");
    refused("[3]", "found.json: entry 0: it is a number instead of an object");
    refused("[[]]", "entry 0: it is an array instead of an object");
    refused("[{}]", "entry 0: there is neither a bbox nor a segmentation (key points");
    refused("[{'image_id':9,'caption':'a cat'}]", "neither a bbox nor a segmentation");
    refused("[{'category_id':1,'score':1,'bbox':[1,1,1,1]}]",
            "image_id is nothing instead of a whole number or a text");
    refused("[{'image_id':9.5,'category_id':1,'score':1,'bbox':[1,1,1,1]}]",
            "image_id is a number instead of a whole number");
    refused("[{'image_id':9,'category_id':null,'score':1,'bbox':[1,1,1,1]}]",
            "category_id is null instead of a whole number");
    refused("[{'image_id':9,'category_id':1,'bbox':[1,1,1,1]}]",
            "score is nothing instead of a number");
    refused("[{'image_id':9,'category_id':1,'score':'1','bbox':[1,1,1,1]}]", "score is a string");
    refused("[" BOX("9", "1", "1e999", "1,1,1,1") "]", "score is too large a number");
    refused("[" BOX("9", "1", "1", "1,1,1") "]", "bbox is not [x, y, width, height]");
    refused("[" BOX("9", "1", "1", "1,1,-1,1") "]", "bbox is not");
    refused("[" BOX("9", "1", "1", "1,1,1e200,1e200") "]", "bbox is not");
    refused("[" BOX("9", "1", "1", "1,1,1e300,1") "," BOX("9", "1", "1", "1,'x',1,1") "]",
            "entry 1: bbox is not");
    refused("[" BOX("9", "1", "1", "1,1,1,1") ",{'image_id':9,'category_id':1,'score':1}]",
            "entry 1: there is no bbox, as the first entry has");
    refused("[{'image_id':9,'category_id':1,'score':1,'segmentation':[[1,1,5,1,5,5]]}," BOX(
                "9", "1", "1", "1,1,1,1") "]",
            "entry 1: there is no segmentation, as the first entry has");
    refused("[{'image_id':9,'category_id':1,'score':1,'bbox':[1,1,1,1],'segmentation':'x'}]",
            "segmentation is a string instead of run lengths");
}

#define SEGMENTATION(text) "[{'image_id':9,'category_id':1,'score':1,'segmentation':" text "}]"

static void test_wrong_masks(void **state) {
    (void)state;
    refused(SEGMENTATION("{'size':[10,10],'counts':[50,50]}"),
            "found.json: entry 0: its mask has 10 x 10 pixels, the picture has 200 x 100");
    refused(SEGMENTATION("{'size':[100,200],'counts':[50,50]}"),
            "its run lengths end 19900 pixels");
    refused(SEGMENTATION("{'size':[100,200],'counts':[50,-50]}"), "entry 0");
    refused(SEGMENTATION("{'size':[100,200],'counts':'~~'}"), "RLE string is broken");
    refused(SEGMENTATION("{'size':[100,200],'counts':'oooooooooooo'}"), "RLE string is broken");
    refused(SEGMENTATION("{'size':[1000000,1000000],'counts':'1'}"), "entry 0");
    refused(SEGMENTATION("{'size':[100,200]}"), "counts of its run lengths is nothing");
    refused(SEGMENTATION("{}"), "size of its run lengths");
    refused(SEGMENTATION("[]"), "entry 0: there is neither a bbox nor a segmentation");
    refused(SEGMENTATION("[[1,2,3,4]]"), "no polygon of three points");
    refused(SEGMENTATION("[1,2,3,4,5,6]"), "put it into a list of polygons");
    refused(SEGMENTATION("[[1,2,3,'a',5,6]]"), "entry 0");
}

static void test_hostile(void **state) {
    enum { DEEP = 3000 };
    char deep[DEEP + 200] = "[{'image_id':9,'category_id':1,'score':1,'bbox':";
    mrcnn_dataset *set = open_set("set");
    (void)state;
    memset(deep + strlen(deep), '[', DEEP);
    refused(deep, "found.json");
    refused("", "found.json: the file is empty");
    refused("[{'image_id':9,", "cut short");
    refused("[" BOX("9", "1", "1", "1,1,1,1") "] x", "found.json");
    refused("[" BOX("9", "1", "1", "1,1,1,1"), "cut short");
    refused("[{'image_id':9,'category_id':1,'score':1,'segmentation':[[1,2", "found.json");
    assert_null(try_file(set, "nowhere.json", NULL));
    assert_contains(last_error.message, "nowhere.json");
    assert_null(try_file(set, "set", NULL));
    assert_null(try_file(set, NULL, NULL));
    assert_contains(last_error.message, "path is NULL");
    mrcnn_dataset_free(&set);
    /* Far away and huge, but numbers. */
    mrcnn_report *r = evaluate_text(
        "[{'image_id':9,'category_id':1,'score':-1e300,'bbox':[-1e300,1e300,1e100,1e100],"
        "'segmentation':[[-1e300,1e300,1e300,1e300,1e300,-1e300]]}," BOX("9", "1", "1e300",
                                                                         "1e150,-1e150,0,0") "]");
    assert_float_equal(r->bbox.ap, 0, 0);
    mrcnn_report_free(&r);
}

/* Boxes and areas are those of the file, whatever the masks say; without them, the mask's. */
static void test_truth_of_the_file(void **state) {
    (void)state;
    coco_set("{'id':1,'file_name':'a.png','width':200,'height':100}",
             "{'id':1,'image_id':1,'category_id':1,'segmentation':[[10,10,50,10,50,50,10,50]],"
             "'bbox':[100.5,50,20,20.25],'area':100}",
             NULL);
    mrcnn_report *r = evaluate_text("[" BOX("1", "1", "1", "100.5,50,20,20.25") "]");
    assert_float_equal(r->bbox.ap_small, 1, 1e-12);
    mrcnn_report_free(&r);
    coco_set("{'id':1,'file_name':'a.png','width':200,'height':100}",
             "{'id':1,'image_id':1,'category_id':1,'segmentation':[[10,10,50,10,50,50,10,50]],"
             "'bbox':[1,2,3],'area':-5}",
             NULL);
    r = evaluate_text("[" BOX("1", "1", "1", "10,10,40,40") "]");
    assert_float_equal(r->bbox.ap_medium, 1, 1e-12);
    mrcnn_report_free(&r);
    write_set();
}

/* The other pictures go on when somebody is told about one that can't be read. */
static void count_left_out(void *user, const char *message) {
    assert_contains(message, "a.png");
    ++*(int *)user;
}

static void test_left_out(void **state) {
    mrcnn_evaluate_options options = mrcnn_evaluate_options_default();
    int count = 0;
    (void)state;
    coco_set("{'id':1,'file_name':'q/a.png'},{'id':2,'file_name':'c.png','width':200,'height':100}",
             "{'id':1,'image_id':1,'category_id':1," CAT
             "},{'id':2,'image_id':2,'category_id':1," CAT "}",
             NULL);
    mrcnn_dataset *set = open_set("set");
    coco_write("found.json", "[" BOX("2", "1", "1", "10,10,40,40") "]");
    assert_null(try_file(set, "found.json", NULL)); /* its size is nowhere */
    assert_contains(last_error.message, "a.png: there is no such picture");
    options.left_out = count_left_out;
    options.user = &count;
    mrcnn_report *r = try_file(set, "found.json", &options);
    assert_non_null(r);
    assert_int_equal(count, 1);
    assert_int_equal(r->pictures_left_out, 1);
    assert_int_equal(r->pictures, 1);
    assert_float_equal(r->bbox.ap, 1, 1e-12);
    mrcnn_report_free(&r);
    mrcnn_dataset_free(&set);
    write_set();
}

/* ------------------------------------------------------------------------------- a piece of COCO */

static void write_found(FILE *file, const char *picture, const char *class_name,
                        const mrcnn_mask *mask) {
    size_t length = mrcnn_mask_to_string(mask, NULL, 0);
    char *string = malloc(length + 1);
    assert_non_null(string);
    mrcnn_mask_to_string(mask, string, length + 1);
    fprintf(file,
            "%s{\"file_name\":\"%s\",\"category_name\":\"%s\",\"score\":1,\"segmentation\":{"
            "\"size\":[%d,%d],\"counts\":\"",
            ftell(file) > 1 ? "," : "", picture, class_name, mask->height, mask->width);
    for (const char *c = string; *c; c++) fprintf(file, *c == '\\' ? "\\\\" : "%c", *c);
    fputs("\"}}", file);
    free(string);
}

/* Whoever finds just what is there has full marks, at every size. Crowds needn't be found. */
static void test_perfect_coco(void **state) {
    static const char path[] = SHARED_DIR "/data/coco-mini/annotations/instances_train2017.json";
    (void)state;
    if (!cli_exists(path)) {
        printf("skipped: %s isn't there\n", path);
        return;
    }
    mrcnn_dataset *set = open_set(path);
    FILE *file = fopen("perfect.json", "w");
    assert_non_null(file);
    fputc('[', file);
    for (size_t i = 0; i < mrcnn_dataset_count(set); i++) {
        const mrcnn_picture *picture = mrcnn_dataset_picture(set, i);
        mrcnn_objects objects = {0};
        assert_int_equal(mrcnn_dataset_objects(set, i, &objects, NULL), MRCNN_OK);
        for (size_t k = 0; k < picture->object_count; k++) {
            mrcnn_mask mask = {0};
            int32_t id;
            assert_int_equal(
                mrcnn_dataset_mask(set, i, k, objects.height, objects.width, &mask, &id, NULL),
                MRCNN_OK);
            if (id > 0) write_found(file, picture->id, mrcnn_dataset_class_name(set, id), &mask);
            mrcnn_mask_free(&mask);
        }
        mrcnn_objects_free(&objects);
    }
    fputs("]", file);
    fclose(file);
    mrcnn_report *r = try_file(set, "perfect.json", NULL);
    if (!r) fail_msg("%s", last_error.message);
    assert_float_equal(r->segm.ap, 1, 1e-9);
    assert_float_equal(r->segm.ap_small, 1, 1e-9);
    assert_float_equal(r->segm.ap_large, 1, 1e-9);
    assert_float_equal(r->segm.ar100, 1, 1e-9);
    assert_float_equal(r->picture_map, 1, 1e-6);
    assert_int_equal(r->crowds, 18);
    for (size_t i = 0; i < 81; i++)
        for (size_t k = 0; k < 81; k++) assert_true(i == k || r->confusion[i * 81 + k] == 0);
    mrcnn_report_free(&r);
    mrcnn_dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reference),
                                       cmocka_unit_test(test_threads),
                                       cmocka_unit_test(test_order_of_images),
                                       cmocka_unit_test(test_precise_scores),
                                       cmocka_unit_test(test_boxes_only),
                                       cmocka_unit_test(test_masks),
                                       cmocka_unit_test(test_size_of_detections),
                                       cmocka_unit_test(test_crowds),
                                       cmocka_unit_test(test_confusion),
                                       cmocka_unit_test(test_max_detections),
                                       cmocka_unit_test(test_nothing),
                                       cmocka_unit_test(test_names),
                                       cmocka_unit_test(test_texts),
                                       cmocka_unit_test(test_unknown),
                                       cmocka_unit_test(test_other_formats),
                                       cmocka_unit_test(test_joined),
                                       cmocka_unit_test(test_missing_pictures),
                                       cmocka_unit_test(test_wrong_entries),
                                       cmocka_unit_test(test_wrong_masks),
                                       cmocka_unit_test(test_hostile),
                                       cmocka_unit_test(test_perfect_coco),
                                       cmocka_unit_test(test_truth_of_the_file),
                                       cmocka_unit_test(test_left_out)};
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
