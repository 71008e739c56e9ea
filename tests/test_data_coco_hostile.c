/* test_data_coco_hostile.c - COCO files that are broken or mean harm: a message, never a crash, and
 * memory that the number of mistakes does not decide. */
#include "helper_cli.h"
#include "helper_coco.h"

#include <stdlib.h>

#define SQUARE "'segmentation':[[2,3,10,3,10,9,2,9]]"
#define CAT "{'image_id':1,'category_id':1," SQUARE "}"

static const char *const file = "set/coco.json";

static void expect(const char *text, const char *message) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    o.format = "coco";
    coco_write(file, text);
    coco_refused(file, &o, message);
}

/* --------------------------------------------------------------------------------- whole files */

static void test_no_coco_file(void **state) {
    (void)state;
    expect("{'images':[],'annotations':[]}", "it has no list \"categories\"");
    expect("{'images':[],'categories':[]}", "it has no list \"annotations\"");
    expect("{'annotations':[],'categories':[]}", "it has no list \"images\"");
    expect("{'annotations':[],'images':{},'categories':[]}", "it has no list \"images\"");
    expect("{'images':[],'images':[],'annotations':[],'categories':[]}",
           "the list \"images\" is there twice");
    expect("{'images':[],'annotations':[],'categories':[]}",
           "nothing in it can be used: of 0 images");
    expect("[{'image_id':1,'category_id':1}]", "there are no annotations that can be read there");
    expect("", "the file is empty");
    expect("{'images':[{'id':1,}],'annotations':[],'categories':[]}", "line 1, byte ");
}

/* Wherever a file is cut, in what is passed over too: an error that names the file. */
static void test_cut_short(void **state) {
    (void)state;
    char whole[1000], text[1000];
    snprintf(
        whole, sizeof whole,
        "{'annotations':[{'segmentation' : [ [2,3,10,3,10,9,2,9] ],'image_id':1,'category_id':1"
        "},{'image_id':1,'segmentation':{'size':[30,40],'counts':'a\\]}[{'},'category_id':1}],"
        "'images':[{'id':1,'file_name':'a.png'}],'categories':[{'id':1,'name':'segmentation'}]}");
    for (size_t i = 0; i < strlen(whole); i++) {
        snprintf(text, sizeof text, "%.*s", (int)i, whole);
        expect(text, i < 15 ? "" : "set/coco.json");
    }
}

/* The key may come where it means nothing, and its value may be anything. */
static void test_odd_places_of_the_key(void **state) {
    (void)state;
    int id;
    coco_write(file,
               "{'segmentation':[1,{'segmentation':[2]}],'annotations':[{'x':'segmentation',"
               "'segmentation':[[2,3,10,3,10,9,2,9]],'y':{'segmentation':[[1,2]]},'image_id':1,"
               "'z':['segmentation',['segmentation',[1]]],'category_id':1,'\\\"segmentation'"
               ":[3]}],'images':[{'id':1,'segmentation':[[]],'file_name':'a.png'}],"
               "'categories':[{'id':1,'name':'segmentation','segmentation':5}]}");
    mrcnn_dataset *set = coco_open(file, NULL);
    assert_int_equal(coco_area(set, 0, 0, 30, 40, &id), 48);
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "segmentation");
    mrcnn_dataset_free(&set);
    /* twice: the last one counts, as everywhere */
    coco_set(NULL, "{'segmentation':[[1,2]],'image_id':1,'category_id':1," SQUARE "}", NULL);
    set = coco_open("set", NULL);
    assert_int_equal(coco_area(set, 0, 0, 30, 40, &id), 48);
    mrcnn_dataset_free(&set);
}

/* Pieces of the file end at any byte of a record. */
static void test_ends_of_pieces(void **state) {
    (void)state;
    enum { PIECE = 1 << 20 };
    char *text = malloc(PIECE + 1000);
    int id;
    assert_non_null(text);
    for (int shift = 0; shift < 80; shift++) {
        const char *begin =
            "{'categories':[{'id':1,'name':'cat'}],'images':[{'id':1,'file_name':'a.png'"
            "}],'annotations':[";
        size_t used = strlen(begin), fill = (size_t)(PIECE - 78 + shift) - used;
        memcpy(text, begin, used);
        memset(text + used, ' ', fill);
        strcpy(text + used + fill,
               "{'segmentation': [[2, 3,10,3,10,9,2,9]],'image_id':1,'category_id':"
               "1},{'segmentation':[],'image_id':1,'category_id':1}]}");
        coco_write(file, text);
        mrcnn_dataset *set = coco_open(file, NULL);
        assert_int_equal(coco_area(set, 0, 0, 30, 40, &id), 48);
        assert_int_equal(set->objects_left_out, 1);
        mrcnn_dataset_free(&set);
    }
    free(text);
}

/* ------------------------------------------------------------------------------------- values */

static char *repeat(const char *begin, const char *part, size_t count, const char *end) {
    size_t length = strlen(part), used = strlen(begin);
    char *text = malloc(used + count * length + strlen(end) + 1);
    assert_non_null(text);
    memcpy(text, begin, used);
    for (size_t i = 0; i < count; i++, used += length) memcpy(text + used, part, length);
    strcpy(text + used, end);
    return text;
}

static void expect_note(const char *annotation, const char *expected) {
    static coco_notes notes;
    char *annotations = repeat(CAT ",", annotation, 1, "");
    coco_set(NULL, annotations, NULL);
    mrcnn_dataset *set = coco_open("set", NULL);
    mrcnn_dataset_summary *s = coco_check(set, 1, &notes);
    assert_contains(notes.text, expected);
    assert_int_equal(s->objects, 1);
    mrcnn_dataset_summary_free(&s);
    mrcnn_dataset_free(&set);
    free(annotations);
}

static void test_deep_nesting(void **state) {
    (void)state;
    char *deep = repeat("{'image_id':1,'category_id':1,'segmentation':", "[", 100000, "");
    char *closed = repeat(deep, "]", 100000, "}");
    expect_note(closed,
                "its segmentation: line 1, byte 65: arrays and objects are nested more than 64");
    free(closed);
    free(deep);
    deep = repeat("{'images':[],'annotations':[{'image_id':", "[", 100, "");
    expect(deep, "nested more than 64 deep");
    free(deep);
}

static void test_odd_numbers(void **state) {
    (void)state;
    expect_note("{'image_id':1,'category_id':1,'segmentation':[[NaN,1,2,3,4,5]]}",
                "its segmentation: line 1, byte ");
    expect_note("{'image_id':1,'category_id':1,'segmentation':[[1,2,3,4,5,-1e400]]}", "too large");
    expect_note(
        "{'image_id':1,'category_id':1,'segmentation':[[1e308,1e308,2e307,0,-1e308,1e308]]}",
        "it covers no pixel");
    expect_note("{'image_id':1,'category_id':1,'segmentation':[[1..2,3,4,5,6,7]]}",
                "line 1, byte ");
    expect_note("{'image_id':1,'category_id':1,'segmentation':[[1,,,,,7]]}", "line 1, byte ");
    expect_note("{'image_id':1e400,'category_id':1," SQUARE "}", "there is no image_id");
    expect_note("{'image_id':1e18,'category_id':1," SQUARE "}", "there is no image_id");
    expect_note("{'image_id':-1,'category_id':1," SQUARE "}",
                "there is no image with its image_id -1");
    expect_note("{'image_id':'','category_id':1," SQUARE "}", "there is no image_id");
    expect_note("{'image_id':1,'category_id':null," SQUARE "}", "there is no category_id");
    expect_note("{'image_id':1,'category_id':1,'segmentation':{'size':[4294967296,1],'counts':[]}}",
                "the size of its run lengths");
    expect_note(
        "{'image_id':1,'category_id':1,'segmentation':{'size':[30,40],'counts':[4294967296]}}",
        "a run length is too large");
    expect_note(
        "{'image_id':1,'category_id':1,'segmentation':{'size':[30,40],'counts':'ooooooooooo'}}",
        "RLE string is broken");
    /* NaN where it is read at once is no JSON at all */
    expect("{'images':[{'id':NaN}],'annotations':[],'categories':[]}", "line 1, byte ");
}

static void test_odd_images(void **state) {
    (void)state;
    coco_set("{'id':1,'file_name':'a.png','width':-4,'height':1e308},{'id':2,'file_name':'b.png',"
             "'width':'x','height':null}",
             CAT
             ",{'image_id':2,'category_id':1,'segmentation':{'size':[20,20],'counts':[0,7,393]}}",
             NULL);
    mrcnn_dataset *set = coco_open("set", NULL);
    assert_int_equal(mrcnn_dataset_count(set), 2);
    assert_int_equal(set->problem_count, 0);
    mrcnn_dataset_free(&set);
}

static void test_invalid_utf8(void **state) {
    (void)state;
    expect("{'images':[{'id':1,'file_name':'\xFF.png'}],'annotations':[],'categories':[]}", "UTF8");
    expect("{'images':[],'annotations':[{'image_id':'\xC3('}],'categories':[]}", "UTF8");
    expect_note("{'image_id':1,'category_id':1,'segmentation':{'size':[30,40],'counts':'\xFF'}}",
                "UTF8");
    expect("{'images':[{'id':1,'file_name':'a\\u0000.png'}],'annotations':[],'categories':[]}",
           "a string with a 0 byte");
}

/* ----------------------------------------------------------------------------------------- many */

/* A million mistakes are counted; the first ones are told. */
static void test_many_mistakes(void **state) {
    (void)state;
    enum { MANY = 200000 };
    static coco_notes notes;
    char *annotations = repeat(
        CAT, ",{'image_id':2,'category_id':1},{'image_id':9,'category_id':1}", MANY / 2, ",{}");
    coco_set(NULL, annotations, NULL);
    free(annotations);
    mrcnn_dataset *set = coco_open("set", NULL);
    assert_int_equal(set->objects_left_out, MANY + 1);
    assert_int_equal(set->problem_count, 2 * MR_PROBLEMS_KEPT + 1);
    mrcnn_dataset_summary *s = coco_check(set, 0, &notes);
    assert_int_equal(s->errors, MANY + 1);
    assert_int_equal(notes.count,
                     2 * MR_PROBLEMS_KEPT + 1 + 2 + 1); /* and a class without objects */
    mrcnn_dataset_summary_free(&s);
    mrcnn_dataset_free(&set);
}

/* One polygon with a great many points, each edge of which crosses the whole picture. */
static void test_zigzag(void **state) {
    (void)state;
    int id;
    char *annotation =
        repeat("{'image_id':1,'category_id':1,'segmentation':[[0,0", ",40,30,0,1", 100000, "]]}");
    coco_set(NULL, annotation, NULL);
    free(annotation);
    mrcnn_dataset *set = coco_open("set", NULL);
    coco_area(set, 0, 0, 30, 40, &id);
    mrcnn_dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_coco_file),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_odd_places_of_the_key),
        cmocka_unit_test(test_ends_of_pieces),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_odd_numbers),
        cmocka_unit_test(test_odd_images),
        cmocka_unit_test(test_invalid_utf8),
        cmocka_unit_test(test_many_mistakes),
        cmocka_unit_test(test_zigzag),
    };
    return cmocka_run_group_tests(tests, coco_enter, cli_leave);
}
