/* test_data_coco.c - COCO data sets: where they lie, what a file says in whatever order, classes,
 * masks of all kinds, and what is left out and said so. */
#include "helper_cli.h"
#include "helper_coco.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A square of 8 x 6 pixels, and a cat that has it. */
#define SQUARE "'segmentation':[[2,3,10,3,10,9,2,9]]"
#define CAT "{'id':7,'image_id':1,'category_id':1," SQUARE "}"
#define DOG "{'id':8,'image_id':1,'category_id':3," SQUARE "}"
#define FILE_OF(image)                                                 \
    "{'images':[{'id':1,'file_name':'" image "'}],'annotations':[" CAT \
    "],'categories':[{'id':1,'name':'cat'}]}"

static void expect_picture(const char *path, const char *subset, const char *year,
                           const char *picture) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    o.subset = subset;
    o.year = year;
    mrcnn_dataset *set = coco_open(path, &o);
    assert_int_equal(mrcnn_dataset_count(set), 1);
    assert_string_equal(mrcnn_dataset_picture(set, 0)->path, picture);
    mrcnn_dataset_free(&set);
}

/* ------------------------------------------------------------------------------------- layouts */

static void make_layout(void) {
    static const char *const folders[] = {
        "mini",        "mini/annotations",    "mini/train2017", "mini/val2014",
        "mini/images", "mini/images/val2017", "mini/test2015",  NULL};
    for (int i = 0; folders[i]; i++) mkdir(folders[i], 0777);
    cli_picture("mini/train2017/a.png", 12, 12);
    cli_picture("mini/val2014/a.png", 12, 12);
    cli_picture("mini/images/val2017/a.png", 12, 12);
    coco_write("mini/annotations/instances_train2017.json", FILE_OF("a.png"));
    coco_write("mini/annotations/instances_val2014.json", FILE_OF("a.png"));
    coco_write("mini/annotations/instances_val2017.json", FILE_OF("a.png"));
    coco_write("mini/annotations/instances_minival2014.json", FILE_OF("a.png"));
    coco_write("mini/annotations/instances_valminusminival2014.json", FILE_OF("a.png"));
    coco_write("mini/annotations/captions_train2017.json", "{'images':[],'annotations':[]}");
}

static void test_layout_of_coco(void **state) {
    (void)state;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    make_layout();
    expect_picture("mini", NULL, NULL, "mini/train2017/a.png");
    expect_picture("mini", "train", NULL, "mini/train2017/a.png");
    expect_picture("mini", "train2017", NULL, "mini/train2017/a.png");
    expect_picture("mini", "val", "2014", "mini/val2014/a.png");
    expect_picture("mini", "val", "2017", "mini/images/val2017/a.png");
    expect_picture("mini", "val2017", NULL, "mini/images/val2017/a.png");
    expect_picture("mini", "minival", NULL, "mini/val2014/a.png");
    expect_picture("mini", "minival2014", NULL, "mini/val2014/a.png");
    expect_picture("mini", "valminusminival", "2014", "mini/val2014/a.png");
    expect_picture("mini/annotations/instances_val2017.json", NULL, NULL,
                   "mini/images/val2017/a.png");
    o.subset = "val";
    coco_refused("mini", &o, "several years for the subset \"val\": give one of 2014, 2017");
    o.year = "2015";
    coco_refused("mini", &o,
                 "no annotations of the year 2015 for the subset \"val\": there are 2014");
    o.subset = "test";
    coco_refused("mini", &o, "mini/test: there is no such folder");
    mrcnn_dataset *set = coco_open("mini", NULL);
    assert_string_equal(mrcnn_dataset_picture(set, 0)->source, "mini");
    mrcnn_dataset_free(&set);
}

static void test_other_layouts(void **state) {
    (void)state;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mkdir("robo", 0777);
    mkdir("robo/train", 0777);
    mkdir("robo/valid", 0777);
    cli_picture("robo/train/a.png", 12, 12);
    cli_picture("robo/valid/a.png", 12, 12);
    coco_write("robo/train/_annotations.coco.json", FILE_OF("a.png"));
    coco_write("robo/valid/_annotations.coco.json", FILE_OF("a.png"));
    expect_picture("robo", NULL, NULL, "robo/train/a.png");
    expect_picture("robo", "valid", NULL, "robo/valid/a.png");
    expect_picture("robo/valid", NULL, NULL, "robo/valid/a.png");
    coco_write("robo/valid/other.json", FILE_OF("a.png"));
    o.subset = "valid";
    coco_refused("robo", &o, "is a COCO file too: give the one that is meant");
    expect_picture("robo/valid/other.json", NULL, NULL, "robo/valid/a.png");
    /* pictures in images/, with folders in their names */
    mkdir("images", 0777);
    mkdir("images/images", 0777);
    mkdir("images/images/deep", 0777);
    cli_picture("images/images/deep/a.png", 12, 12);
    coco_write("images/all.json", FILE_OF("deep/a.png"));
    expect_picture("images", NULL, NULL, "images/images/deep/a.png");
    coco_write("images/all.json", FILE_OF("images/deep/a.png"));
    expect_picture("images", NULL, NULL, "images/images/deep/a.png");
    unlink("images/all.json");
    mkdir("images/annotations", 0777);
    coco_write("images/annotations/any.json", FILE_OF("deep/a.png"));
    expect_picture("images", NULL, NULL, "images/images/deep/a.png");
}

static void test_nothing_outside_of_the_folder(void **state) {
    (void)state;
    mkdir("jail", 0777);
    cli_picture("out.png", 12, 12);
    coco_write("jail/coco.json", FILE_OF("../out.png"));
    coco_refused("jail", NULL, "first: ../out.png: its file name leads out of the folder");
    coco_write("jail/coco.json", FILE_OF("/etc/passwd"));
    coco_refused("jail", NULL, "leads out of the folder");
    coco_write("jail/coco.json", FILE_OF("http://x/a.png"));
    coco_refused("jail", NULL, "it is an address on the web");
    coco_write("jail/coco.json", FILE_OF(""));
    coco_refused("jail", NULL, "its file name is empty");
}

/* Other formats' files are not COCO's. */
static void test_not_mistaken(void **state) {
    (void)state;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mkdir("via", 0777);
    cli_picture("via/a.png", 12, 12);
    coco_write("via/v.json", "{'a':{'filename':'a.png','regions':[]}}");
    o.format = "coco";
    coco_refused("via", &o, "there are no annotations that can be read there: a COCO file");
    o.format = "via";
    coco_set(NULL, CAT, NULL);
    coco_refused("set", &o, "there are no annotations that can be read there: regions drawn");
}

/* --------------------------------------------------------------------------- what a file says */

static void test_any_order(void **state) {
    (void)state;
    int id;
    coco_write(
        "set/coco.json",
        "{'annotations':[{'image_id':2,'category_id':3,'segmentation':[[0,0,4,0,4,4,0,4]]}," DOG
        ",{'segmentation':[[0,0,5,0,5,5,0,5]],'category_id':1,'image_id':2}," CAT
        "],'categories':[{'id':3,'name':'dog'},{'id':1,'name':'cat'}],'info':{'segmentation':"
        "[1]},'images':[{'id':2,'file_name':'b.png'},{'id':1,'file_name':'a.png'}]}");
    mrcnn_dataset *set = coco_open("set", NULL);
    assert_int_equal(mrcnn_dataset_count(set), 2);
    assert_string_equal(mrcnn_dataset_picture(set, 0)->id, "b.png");
    assert_int_equal(mrcnn_dataset_class_count(set), 3);
    assert_string_equal(mrcnn_dataset_class_name(set, 0), "BG");
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "cat"); /* by id, not as they come */
    assert_string_equal(mrcnn_dataset_class_name(set, 2), "dog");
    assert_null(set->class_ids[0]);
    assert_string_equal(set->class_ids[2], "3");
    assert_int_equal(coco_area(set, 0, 0, 20, 20, &id), 16);
    assert_int_equal(id, 2);
    assert_int_equal(coco_area(set, 0, 1, 20, 20, &id), 25);
    assert_int_equal(id, 1);
    assert_int_equal(coco_area(set, 1, 0, 30, 40, &id), 48);
    assert_int_equal(id, 2);
    assert_int_equal(coco_area(set, 1, 1, 30, 40, &id), 48);
    assert_int_equal(id, 1);
    mrcnn_dataset_free(&set);
}

/* COCO's order is by number, not by text, and not by name. */
static void test_order_of_classes(void **state) {
    (void)state;
    static const char *const given[] = {"BG", "zebra", "cat", NULL};
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    coco_set(NULL, CAT,
             "{'id':10,'name':'ant'},{'id':'x','name':'bee'},{'id':9,'name':'zebra'},"
             "{'id':1,'name':'cat'}");
    mrcnn_dataset *set = coco_open("set", NULL);
    assert_int_equal(mrcnn_dataset_class_count(set), 5);
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "cat");
    assert_string_equal(mrcnn_dataset_class_name(set, 2), "zebra");
    assert_string_equal(mrcnn_dataset_class_name(set, 3), "ant");
    assert_string_equal(mrcnn_dataset_class_name(set, 4), "bee");
    assert_string_equal(set->class_ids[4], "x");
    mrcnn_dataset_free(&set);
    o.class_names = given;
    set = coco_open("set", &o);
    assert_int_equal(mrcnn_dataset_class_count(set), 3);
    assert_string_equal(set->class_ids[1], "9");
    assert_string_equal(set->class_ids[2], "1");
    mrcnn_dataset_free(&set);
}

static void test_ids_of_all_kinds(void **state) {
    (void)state;
    coco_set("{'id':'first','file_name':'a.png'},{'id':-5.0,'file_name':'b.png'}",
             "{'image_id':'first','category_id':'12'," SQUARE
             "},{'image_id':-5,'category_id':12," SQUARE
             "},{'image_id':'first','category_id':12," SQUARE "}",
             "{'id':12,'name':'cat'}");
    mrcnn_dataset *set = coco_open("set", NULL);
    assert_int_equal(mrcnn_dataset_count(set), 2);
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 2);
    assert_int_equal(mrcnn_dataset_picture(set, 1)->object_count, 1);
    mrcnn_dataset_free(&set);
}

static void test_some_classes(void **state) {
    (void)state;
    static const char *const only[] = {"BG", "dog", NULL};
    static coco_notes notes;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    o.class_names = only;
    coco_set(NULL, CAT "," DOG "," CAT ",{'image_id':2,'category_id':1," SQUARE "}", NULL);
    mrcnn_dataset *set = coco_open("set", &o);
    assert_int_equal(mrcnn_dataset_count(set), 1);
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 1);
    mrcnn_dataset_summary *s = coco_check(set, 1, &notes);
    assert_string_equal(
        notes.text, "W  -1 class \"cat\" is none of the 1 classes asked for: 3 objects left out\n");
    assert_int_equal(s->objects_left_out, 3);
    mrcnn_dataset_summary_free(&s);
    mrcnn_dataset_free(&set);
}

static void test_pictures_without_objects(void **state) {
    (void)state;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    coco_set(NULL, CAT, NULL);
    mrcnn_dataset *set = coco_open("set", &o);
    assert_int_equal(mrcnn_dataset_count(set), 1);
    assert_int_equal(set->without_objects, 1);
    mrcnn_dataset_free(&set);
    o.keep_empty = 1;
    set = coco_open("set", &o);
    assert_int_equal(mrcnn_dataset_count(set), 2);
    assert_int_equal(mrcnn_dataset_picture(set, 1)->object_count, 0);
    mrcnn_dataset_free(&set);
}

/* ---------------------------------------------------------------------------------------- masks */

/* The 20 x 20 picture: run lengths go down the columns. */
#define RUNS(counts) \
    "{'image_id':2,'category_id':1,'segmentation':{'size':[20,20],'counts':" counts "}}"

static void test_run_lengths(void **state) {
    (void)state;
    uint8_t mask[400];
    int id;
    coco_set(NULL, RUNS("[19,3,0,2,376]") "," RUNS("'d0d0X;'") "," RUNS("'0`<'"), NULL);
    mrcnn_dataset *set = coco_open("set", NULL);
    assert_int_equal(mr_dataset_mask(set, 0, 0, 20, 20, mask, &id, NULL), MRCNN_OK);
    for (int i = 0; i < 400; i++) {
        int down = i / 20 + i % 20 * 20;
        assert_int_equal(mask[i], down >= 19 && down < 24);
    }
    assert_int_equal(coco_area(set, 0, 1, 20, 20, &id), 20);
    assert_int_equal(coco_area(set, 0, 2, 20, 20, &id), 400);
    mrcnn_dataset_free(&set);
}

static void test_crowds(void **state) {
    (void)state;
    static coco_notes notes;
    int id;
    coco_set(
        NULL,
        "{'image_id':2,'category_id':1,'iscrowd':1,'segmentation':{'size':[20,20],'counts':[0,7,"
        "393]}},{'image_id':2,'category_id':3,'iscrowd':1,'segmentation':{'size':[2,2],'counts':"
        "[0,1,3]}},{'image_id':2,'category_id':1,'iscrowd':true," SQUARE "},"
        "{'image_id':2,'category_id':1,'iscrowd':0,'segmentation':{'size':[2,2],'counts':[0,1,"
        "3]}}",
        NULL);
    mrcnn_dataset *set = coco_open("set", NULL);
    assert_int_equal(coco_area(set, 0, 0, 20, 20, &id), 7);
    assert_int_equal(id, -1);
    assert_int_equal(coco_area(set, 0, 1, 20, 20, &id), 400); /* as matterport: all of it */
    assert_int_equal(id, -2);
    assert_int_equal(coco_area(set, 0, 2, 20, 20, &id), 48);
    assert_int_equal(id, -1);
    mrcnn_dataset_summary *s = coco_check(set, 0, &notes);
    assert_string_equal(notes.text,
                        "E b.png 3 its run lengths are of 2 x 2 pixels, the image is of "
                        "20 x 20\n");
    assert_int_equal(s->crowds, 3);
    mrcnn_dataset_summary_free(&s);
    mrcnn_dataset_free(&set);
}

/* The file does not say how large the picture is, or says it wrongly: it shows when a mask is drawn. */
static void test_run_lengths_of_another_picture(void **state) {
    (void)state;
    uint8_t mask[400];
    int id;
    mrcnn_error err = MRCNN_ERROR_INIT;
    coco_set("{'id':2,'file_name':'b.png'}",
             "{'image_id':2,'category_id':1,'segmentation':{'size':[2,2],'counts':[0,1,3]}}", NULL);
    mrcnn_dataset *set = coco_open("set", NULL);
    assert_int_equal(mr_dataset_mask(set, 0, 0, 20, 20, mask, &id, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "b.png: annotation 0 has run lengths of 2 x 2 pixels, the picture "
                                 "has 20 x 20");
    mrcnn_dataset_free(&set);
}

static void test_polygons(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_polygon_list list;
    int id;
    coco_set(
        NULL,
        "{'image_id':1,'category_id':1,'segmentation':[[2,3,10,3,10,9,2,9],[20,3,25,3,25,9,20,9],"
        "[1,1,2,2]]}," RUNS("[0,7,393]") ",{'image_id':1,'category_id':1,'segmentation':[ [ 2e0,"
                                         "3,1E1 ,3,10,9,2,9 ]\n]}",
        NULL);
    mrcnn_dataset *set = coco_open("set", NULL);
    assert_int_equal(coco_area(set, 0, 0, 30, 40, &id), 48 + 30);
    assert_int_equal(coco_area(set, 0, 1, 30, 40, &id), 48);
    assert_int_equal(mr_dataset_polygons(set, 0, 0, &list, &err), MRCNN_OK);
    assert_int_equal(list.rule, MR_RULE_COCO);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.points[1], 4);
    assert_true(list.xy[8] == 20 && list.xy[13] == 9);
    mr_polygon_list_free(&list);
    assert_int_equal(mr_dataset_polygons(set, 1, 0, &list, &err), MRCNN_OK);
    assert_int_equal(list.rule, MR_RULE_NONE);
    mrcnn_dataset_free(&set);
}

/* Boxes of polygons are used for a look without drawing. */
static void test_about(void **state) {
    (void)state;
    mr_about_object about;
    static coco_notes notes;
    coco_set(NULL,
             "{'image_id':1,'category_id':3,'bbox':[2,3,8,6]," SQUARE
             "},{'image_id':1,'category_id':1,"
             "'bbox':[2,3,0,0]," SQUARE "},{'image_id':1,'category_id':1,'bbox':[50,3,8,6]," SQUARE
             "},{'image_id':1,'category_id':1,'bbox':['a',3,8,6]," SQUARE "}",
             NULL);
    mrcnn_dataset *set = coco_open("set", NULL);
    mr_dataset_about(set, 0, 0, &about);
    assert_int_equal(about.class_id, 2);
    assert_int_equal(about.has_box, 1);
    assert_true(about.box[0] == 3 && about.box[1] == 2 && about.box[2] == 9 && about.box[3] == 10);
    mr_dataset_about(set, 0, 1, &about);
    assert_int_equal(about.has_box, 0);
    mr_dataset_about(set, 0, 3, &about);
    assert_int_equal(about.has_box, 0);
    mrcnn_dataset_summary *s = coco_check(set, 0, &notes);
    assert_contains(notes.text, "E a.png 2 it lies outside the picture of 40 x 30 pixels");
    assert_int_equal(notes.count, 1);
    mrcnn_dataset_summary_free(&s);
    mrcnn_dataset_free(&set);
}

static void test_changed_file(void **state) {
    (void)state;
    uint8_t mask[1200];
    int id;
    mrcnn_error err = MRCNN_ERROR_INIT;
    coco_set(NULL, CAT, NULL);
    mrcnn_dataset *set = coco_open("set", NULL);
    coco_set(NULL, CAT "," DOG, NULL);
    assert_int_equal(mr_dataset_mask(set, 0, 0, 30, 40, mask, &id, &err), MRCNN_E_IO);
    assert_contains(err.message,
                    "set/coco.json: the file was changed after the data set was opened");
    mrcnn_dataset_free(&set);
    /* a new file of that name does no harm: the old one stays open */
    set = coco_open("set", NULL);
    unlink("set/coco.json");
    coco_write("set/coco.json", "{}");
    assert_int_equal(coco_area(set, 0, 0, 30, 40, &id), 48);
    mrcnn_dataset_free(&set);
}

/* ------------------------------------------------------------------------------------- left out */

static void test_notes_about_annotations(void **state) {
    (void)state;
    coco_expect(
        CAT "," DOG ",7,{},{'image_id':1},{'image_id':9,'category_id':1," SQUARE "},{'image_id':1,"
            "'category_id':9," SQUARE "},{'image_id':1,'category_id':1},{'image_id':1,"
            "'category_id':1,'segmentation':[]},{'image_id':1,'category_id':1,'segmentation':"
            "null},{'image_id':1.5,'category_id':1," SQUARE "},{'image_id':[],'category_id':1}",
        "E  2 there is no image_id (a whole number or a text)\n"
        "E  3 there is no image_id (a whole number or a text)\n"
        "E  4 there is no category_id (a whole number or a text)\n"
        "E  10 there is no image_id (a whole number or a text)\n"
        "E  11 there is no image_id (a whole number or a text)\n"
        "E  5 there is no image with its image_id 9\n"
        "E a.png 6 there is no category with its category_id 9\n"
        "E a.png 7 it has no segmentation\n"
        "E a.png 8 its segmentation is empty: it has only a box\n"
        "E a.png 9 it has no segmentation\n");
}

#define BAD(segmentation) ",{'image_id':1,'category_id':1,'segmentation':" segmentation "}"

static void test_notes_about_polygons(void **state) {
    (void)state;
    coco_expect(
        CAT "," DOG BAD("[[1,2,3,4]]") BAD("[[1,2,3,4,5,6,7]]") BAD("[1,2,3,4,5,6]")
            BAD("[[1,2,3,4,5,'x']]") BAD("[[1,2,3,4,5,1e999]]") BAD("[[1,2,3,4,5,[6]]]")
                BAD("['a']") BAD("[[]]") BAD("[[1,2,3,4,5,true]]"),
        "E a.png 2 its segmentation has no polygon of three points or more\n"
        "E a.png 3 its segmentation: polygon 0 is an odd number of values instead of a list of x, "
        "y, "
        "...\n"
        "E a.png 4 its segmentation is one list of numbers: put it into a list of polygons\n"
        "E a.png 5 its segmentation: a coordinate of polygon 0 is a string\n"
        "E a.png 6 its segmentation: a coordinate of polygon 0 is too large\n"
        "E a.png 7 its segmentation: a coordinate of polygon 0 is an array\n"
        "E a.png 8 its segmentation: polygon 0 is a string instead of a list of x, y, ...\n"
        "E a.png 9 its segmentation has no polygon of three points or more\n"
        "E a.png 10 its segmentation: a coordinate of polygon 0 is true or false\n");
}

static void test_notes_about_run_lengths(void **state) {
    (void)state;
    coco_expect(
        CAT "," DOG BAD("{}") BAD("{'size':[30,40]}") BAD("{'size':[30,40],'counts':[7]}")
            BAD("{'size':[30,40],'counts':[1,-1,1200]}") BAD("{'size':[30,40],'counts':[0,1e300]}")
                BAD("{'size':[1e9,1e9],'counts':[]}") BAD("{'size':[0,4],'counts':[]}")
                    BAD("{'size':[30,40],'counts':'~~'}")
                        BAD("{'size':[30,40],'counts':[1,1.5,1198]}"),
        "E a.png 2 its segmentation: the size of its run lengths is not [height, width]\n"
        "E a.png 3 its segmentation: counts of its run lengths is nothing\n"
        "E a.png 4 its segmentation: its run lengths end 1193 pixels before the 40 x 30 of its "
        "size\n"
        "E a.png 5 its segmentation: a run length is no whole number; 1199 of 40 x 30 pixels "
        "are left\n"
        "E a.png 6 its segmentation: a run length is too large; 1200 of 40 x 30 pixels are "
        "left\n"
        "E a.png 7 its segmentation: a mask can't have 1000000000 x 1000000000 pixels\n"
        "E a.png 8 its segmentation: the size of its run lengths is not [height, width]\n"
        "E a.png 9 its segmentation: a mask's RLE string is broken at character 1: it isn't "
        "COCO's compressed form\n"
        "E a.png 10 its segmentation: a run length is no whole number; 1199 of 40 x 30 pixels "
        "are left\n");
}

static void test_notes_about_images_and_categories(void **state) {
    (void)state;
    static coco_notes notes;
    coco_set("{'id':1,'file_name':'a.png'},{'id':1,'file_name':'b.png'},{'file_name':'b.png'},"
             "{'id':3},5,{'id':4,'file_name':'gone.png'},{'id':5,'file_name':'a.png'}",
             CAT ",{'image_id':4,'category_id':1," SQUARE "}",
             "{'id':1,'name':'cat'},{'id':1,'name':'cow'},{'id':2,'name':'cat'},{'id':6},{'name':"
             "'x'},{'id':7,'name':''},'y'");
    mrcnn_dataset *set = coco_open("set", NULL);
    mrcnn_dataset_summary *s = coco_check(set, 1, &notes);
    assert_string_equal(
        notes.text,
        "E  2 there is no id (a whole number or a text) in this entry of the file's list images\n"
        "E  3 there is no file_name in this entry of the file's list images\n"
        "E  4 there is no id (a whole number or a text) in this entry of the file's list images\n"
        "E  3 there is no name in this entry of the file's list categories\n"
        "E  4 there is no id (a whole number or a text) in this entry of the file's list "
        "categories\n"
        "E  5 there is no name in this entry of the file's list categories\n"
        "E  6 there is no id (a whole number or a text) in this entry of the file's list "
        "categories\n"
        "E  -1 two categories have the id 1: only the first one is used\n"
        "E  -1 two images have the id 1: only the first one is used\n"
        "W  -1 more than one category has the name \"cat\", such as the one with the id 2: they "
        "are "
        "one class\n"
        "E gone.png -1 there is no such picture beside the annotations\n"
        "E a.png -1 there is more than one entry for this picture: one with 0 objects was left "
        "out\n");
    assert_int_equal(s->pictures, 1);
    assert_int_equal(s->objects_left_out, 1);
    mrcnn_dataset_summary_free(&s);
    mrcnn_dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout_of_coco),
        cmocka_unit_test(test_other_layouts),
        cmocka_unit_test(test_nothing_outside_of_the_folder),
        cmocka_unit_test(test_not_mistaken),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_order_of_classes),
        cmocka_unit_test(test_ids_of_all_kinds),
        cmocka_unit_test(test_some_classes),
        cmocka_unit_test(test_pictures_without_objects),
        cmocka_unit_test(test_run_lengths),
        cmocka_unit_test(test_crowds),
        cmocka_unit_test(test_run_lengths_of_another_picture),
        cmocka_unit_test(test_polygons),
        cmocka_unit_test(test_about),
        cmocka_unit_test(test_changed_file),
        cmocka_unit_test(test_notes_about_annotations),
        cmocka_unit_test(test_notes_about_polygons),
        cmocka_unit_test(test_notes_about_run_lengths),
        cmocka_unit_test(test_notes_about_images_and_categories),
    };
    return cmocka_run_group_tests(tests, coco_enter, cli_leave);
}
