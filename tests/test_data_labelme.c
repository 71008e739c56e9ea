/* test_data_labelme.c - LabelMe data sets: shapes, groups, masks, where pictures are found, what is
 * left out and said so, and files that are broken in every way. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_set.h"

#include "base/base64.h"
#include "data/dataset.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file whose text has ' for ". */
static void put(const char *path, const char *text) {
    char *copy = malloc(strlen(text) + 1);
    assert_non_null(copy);
    strcpy(copy, text);
    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    cli_write(path, copy);
    free(copy);
}

#define SHAPE(label, type, points) \
    "{'label':'" label "','shape_type':'" type "','points':[" points "],'group_id':null}"
#define SQUARE SHAPE("cat", "polygon", "[2,3],[10,3],[10,9],[2,9]")
#define LABELME(shapes, path) \
    "{'version':'5.4.1','flags':{},'shapes':[" shapes "],'imagePath':'" path "','imageData':null}"

static int enter(void **state) {
    cli_enter(state);
    mkdir("pets", 0777);
    mkdir("pets/train", 0777);
    mkdir("pets/images", 0777);
    cli_picture("pets/train/a.png", 40, 30);
    cli_picture("pets/train/b.jpg", 20, 20);
    cli_picture("pets/images/c.png", 24, 16);
    cli_picture("outside.png", 24, 16);
    return 0;
}

/* Opens pets/train with these shapes of a.png and nothing else. */
static mrcnn_dataset *open_shapes(const char *shapes) {
    char text[8000];
    snprintf(text, sizeof text,
             "{'version':'5.4.1','flags':{},'shapes':[%s],'imagePath':'a.png','imageData':null,"
             "'imageHeight':30,'imageWidth':40}",
             shapes);
    put("pets/train/a.json", text);
    return set_open("pets/train", NULL);
}

/* -------------------------------------------------------------------------------------- shapes */

static void test_a_data_set(void **state) {
    (void)state;
    put("pets/train/b.json", LABELME(SHAPE("dog", "rectangle", "[10,12],[4,5]"), "b.jpg"));
    int32_t id;
    mrcnn_dataset *set = open_shapes(SQUARE "," SHAPE("dog", "circle", "[10,12],[14,12]"));
    assert_string_equal(mrcnn_dataset_format(set), "labelme");
    assert_string_equal(mrcnn_dataset_annotations(set), "pets/train");
    assert_int_equal(mrcnn_dataset_count(set), 2);
    assert_int_equal(mrcnn_dataset_class_count(set), 3);
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "cat");
    assert_string_equal(mrcnn_dataset_class_name(set, 2), "dog");
    const mrcnn_picture *p = mrcnn_dataset_picture(set, 0);
    assert_string_equal(p->id, "a.png");
    assert_string_equal(p->path, "pets/train/a.png");
    assert_string_equal(p->source, "pets");
    assert_int_equal(p->object_count, 2);
    assert_int_equal(set_area(set, 0, 0, 30, 40, &id), 9 * 7); /* edges belong to it */
    assert_int_equal(id, 1);
    assert_int_equal(set_area(set, 0, 1, 30, 40, &id), 45);
    assert_int_equal(id, 2);
    assert_int_equal(set_area(set, 1, 0, 20, 20, &id), 6 * 7); /* far edges do not */
    set_expect_notes(set, "");
    unlink("pets/train/b.json");
}

static void test_found(void **state) {
    (void)state;
    mrcnn_dataset *set = open_shapes(SQUARE);
    mrcnn_dataset_free(&set);
    set = set_open("pets", NULL); /* train */
    assert_string_equal(mrcnn_dataset_picture(set, 0)->path, "pets/train/a.png");
    mrcnn_dataset_free(&set);
    set = set_open("pets", "train");
    assert_string_equal(mrcnn_dataset_picture(set, 0)->id, "a.png");
    mrcnn_dataset_free(&set);
    set = set_open("pets/train/a.json", NULL);
    assert_string_equal(mrcnn_dataset_annotations(set), "pets/train/a.json");
    assert_int_equal(mrcnn_dataset_count(set), 1);
    mrcnn_dataset_free(&set);
    set_expect_error("pets", "val", "there is no such folder");
    set_expect_error("pets/train/a.json", "train", "a file has no subset");
}

/* Only the first files are looked at: the others are not even JSON. */
static void test_found_by_the_first_files(void **state) {
    (void)state;
    mkdir("many", 0777);
    cli_picture("many/000.png", 20, 20);
    put("many/000.json", LABELME(SQUARE, "000.png"));
    mr_place place = {0}; /* nobody else looks at all of them */
    char path[64];
    for (int i = 1; i < 30; i++) {
        snprintf(path, sizeof path, "many/%03d.json", i);
        put(path, "broken");
    }
    assert_int_equal(mr_format_via.find(&place, "many", NULL, NULL), MRCNN_E_UNSUPPORTED);
    assert_int_equal(mr_format_coco.find(&place, "many", NULL, NULL), MRCNN_E_UNSUPPORTED);
    mrcnn_dataset *set = set_open("many", NULL);
    assert_int_equal(mrcnn_dataset_count(set), 1);
    mrcnn_dataset_free(&set);
}

static void test_not_fooled(void **state) {
    (void)state;
    mkdir("others", 0777);
    cli_picture("others/a.png", 20, 20);
    put("others/coco.json", "{'images':[{'id':1}],'annotations':[],'categories':[]}");
    put("others/x.json", LABELME("", "a.png"));
    mr_place place = {0};
    assert_int_equal(mr_format_labelme.find(&place, "others", NULL, NULL), MRCNN_E_UNSUPPORTED);
    assert_int_equal(mr_format_labelme.find(&place, "others/coco.json", NULL, NULL),
                     MRCNN_E_UNSUPPORTED);
    assert_int_equal(mr_format_labelme.find(&place, "others/a.png", NULL, NULL),
                     MRCNN_E_UNSUPPORTED);
    unlink("others/coco.json");
    put("others/c.json", "{'a.png':{'filename':'a.png','regions':[{'shape_attributes':{'name':"
                         "'rect','x':1,'y':1,'width':5,'height':5},'region_attributes':{}}]}}");
    mrcnn_dataset *set = set_open("others", NULL);
    assert_string_equal(mrcnn_dataset_format(set), "via");
    mrcnn_dataset_free(&set);
}

static void test_lines_have_no_area(void **state) {
    (void)state;
    mrcnn_dataset_summary *summary = NULL;
    mrcnn_dataset *set =
        open_shapes(SHAPE("x", "point", "[1,1]") "," SHAPE("x", "line", "[1,1],[5,5]") "," SHAPE(
            "x", "linestrip", "[1,1],[5,5],[9,1]") "," SHAPE("x", "points",
                                                             "[1,1],[2,2]") "," SQUARE);
    assert_int_equal(mrcnn_dataset_check(set, NULL, &summary, NULL), MRCNN_OK);
    assert_int_equal(summary->points, 4);
    assert_int_equal(summary->errors, 0);
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 1);
    assert_int_equal(mrcnn_dataset_class_count(set), 2); /* "x" is no class */
    mrcnn_dataset_summary_free(&summary);
    mrcnn_dataset_free(&set);
}

/* Files of the first versions have no shape_type, newer rectangles may have four corners. */
static void test_other_versions(void **state) {
    (void)state;
    mrcnn_dataset *set = open_shapes(
        "{'label':'cat','line_color':null,'points':[[2,3],[10,3],[10,9],[2,9]]},"
        "{'label':'cat','shape_type':'rectangle','points':[[4,5],[10,5],[10,12],[4,12]]},"
        "{'label':' cat\\n','shape_type':'rotation','points':[[2,3],[10,3],[10,9],[2,9]]}");
    assert_int_equal(mrcnn_dataset_class_count(set), 2);
    assert_int_equal(set_area(set, 0, 0, 30, 40, NULL), 63);
    assert_int_equal(set_area(set, 0, 1, 30, 40, NULL), 42);
    assert_int_equal(set_area(set, 0, 2, 30, 40, NULL), 63);
    mrcnn_dataset_free(&set);
}

static void test_crowds(void **state) {
    (void)state;
    int32_t id;
    mrcnn_dataset *set =
        open_shapes("{'label':'cat','points':[[2,3],[10,3],[10,9]],'flags':{'iscrowd':true}},"
                    "{'label':'cat','points':[[2,3],[10,3],[10,9]],'flags':{'iscrowd':false}}");
    set_area(set, 0, 0, 30, 40, &id);
    assert_int_equal(id, -1);
    set_area(set, 0, 1, 30, 40, &id);
    assert_int_equal(id, 1);
    mrcnn_dataset_free(&set);
}

/* -------------------------------------------------------------------------------------- groups */

#define PART(label, group, x)                                                                    \
    "{'label':'" label "','group_id':" group ",'shape_type':'rectangle','points':[[" x ",5],[" x \
    ".5,7]]}"

static void test_groups(void **state) {
    (void)state;
    static const int32_t box[4] = {5, 0, 6, 10};
    char rows[1000];
    mrcnn_dataset *set = open_shapes(
        PART("cat", "1", "7") "," PART("dog", "1", "1") "," PART("cat", "null", "2") "," PART(
            "cat", "1", "3") "," PART("cat", "2", "4") "," PART("cat", "1", "5"));
    static const char *const expected[] = {"...#.#.#..|", ".#........|", "..#.......|",
                                           "....#.....|"};
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 4);
    for (size_t i = 0; i < 4; i++) {
        set_rows(set, 0, i, box, rows);
        assert_string_equal(rows, expected[i]);
    }
    mr_about_object about;
    mr_dataset_about(set, 0, 0, &about);
    assert_int_equal(about.region, 0);
    assert_true(about.box[1] == 3 && about.box[3] == 7.5);
    set_expect_notes(set, "");
}

/* -------------------------------------------------------------------------------------- masks */

/* Values of 0 and 1: rows ####. #..#. ####. ....#, then one row of zeros. */
#define RING                                                                                      \
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAECAAAAABjWKqcAAAAE0lEQVR4nGNgBAIGBigCs0GAEQAAtAAMfQSONQAAAAB" \
    "JRU5ErkJggg=="
#define BLANK \
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAABCAAAAAAzlTsvAAAAC0lEQVR4nGNgAAEAAAYAAf6MZ8gAAAAASUVORK5CYII="
#define MASK(points, png) "{'label':'cat','shape_type':'mask','points':[" points "],'mask':" png "}"

static void test_masks(void **state) {
    (void)state;
    static const int32_t box[4] = {6, 9, 12, 16};
    char rows[1000];
    mrcnn_dataset *set = open_shapes(MASK("[10.0,7.0],[14.0,10.0]", "'" RING "'") "," MASK(
        "[14,10],[10,7]", "'" RING "'") "," MASK("[-2,-1],[2,2]", "'" RING "'"));
    for (size_t i = 0; i < 2; i++) {
        set_rows(set, 0, i, box, rows);
        assert_string_equal(rows, ".......|.####..|.#..#..|.####..|.....#.|.......|");
    }
    assert_int_equal(set_area(set, 0, 2, 30, 40, NULL), 1 + 2 + 1); /* cut off */
    set_expect_notes(set, "W a.png 2 it reaches 2 pixels out of the picture of 40 x 30: cut off\n");
    set_expect_notes(
        open_shapes(SQUARE "," MASK("[1,1],[5,4]", "null") "," MASK("[1,1]", "'" RING "'") "," MASK(
            "[1,1],[5,4]", "'%%'") "," MASK("[1,1],[5,4]",
                                            "'AAAA'") "," MASK("[1,1],[5,4]",
                                                               "'" BLANK
                                                               "'") "," MASK("[1e300,1],[1e301,4]",
                                                                             "'" RING "'")),
        "E a.json 1 the mask has not two points and a picture in base64\n"
        "E a.json 2 the mask has not two points and a picture in base64\n"
        "E a.json 3 the mask is no base64\n"
        "E a.json 4 the mask: this is no picture; JPEG and PNG pictures and .npy arrays can be "
        "read: "
        "convert it first\n"
        "E a.json 5 the mask has no pixel\n"
        "E a.json 6 the mask lies too far out\n");
}

static void expect_base64(const char *text, const char *bytes) {
    size_t length = 99;
    uint8_t *decoded = mr_base64_decode(text, &length);
    if (!bytes) {
        assert_null(decoded);
        return;
    }
    assert_non_null(decoded);
    assert_int_equal(length, strlen(bytes));
    assert_memory_equal(decoded, bytes, length);
    free(decoded);
}

static void test_base64(void **state) {
    (void)state;
    expect_base64("", ""); /* the examples of RFC 4648 */
    expect_base64("Zg==", "f");
    expect_base64("Zm8=", "fo");
    expect_base64("Zm9v", "foo");
    expect_base64("Zm9vYmFy", "foobar");
    expect_base64("Zm9v\n YmE", "fooba");
    expect_base64("Zm9v+/8=", "foo\xfb\xff");
    expect_base64("Z", NULL);
    expect_base64("Zm9v!", NULL);
    expect_base64("Zg==Zg==", NULL);
}

/* ------------------------------------------------------------------------------------ pictures */

static void expect_picture(const char *path, const char *subset, const char *said,
                           const char *expected, const char *id) {
    char text[1000];
    snprintf(text, sizeof text, "{'shapes':[%s],'imagePath':'%s'}", SQUARE, said);
    put("pets/train/a.json", text);
    mrcnn_dataset *set = set_open(path, subset);
    assert_string_equal(mrcnn_dataset_picture(set, 0)->path, expected);
    assert_string_equal(mrcnn_dataset_picture(set, 0)->id, id);
    mrcnn_dataset_free(&set);
}

static void test_where_pictures_are(void **state) {
    (void)state;
    const char *a = "pets/train/a.png", *c = "pets/images/c.png";
    expect_picture("pets", "train", "../images/c.png", c, "images/c.png");
    expect_picture("pets", NULL, "..\\\\images\\\\c.png", c, "images/c.png");
    expect_picture("pets", "train", "../train/./a.png", a, "a.png");
    expect_picture("pets", "train", "b.jpg", "pets/train/b.jpg", "b.jpg");
    expect_picture("pets", "train", "/home/x/b.jpg", "pets/train/b.jpg", "b.jpg");
    expect_picture("pets", "train", "C:\\\\x\\\\b.jpg", "pets/train/b.jpg", "b.jpg");
    /* Not there, or not inside: the one with the annotation file's name. */
    expect_picture("pets", "train", "../../outside.png", a, "a.png");
    expect_picture("pets", "train", "../train/../../outside.png", a, "a.png");
    expect_picture("pets/train", NULL, "../images/c.png", a, "a.png");
    expect_picture("pets", "train", "renamed.jpg", a, "a.png");
    expect_picture("pets", "train", "..", a, "a.png");
    expect_picture("pets", "train", "", a, "a.png");
    expect_picture("pets", "train", "http://x/y.png", a, "a.png");
    expect_picture("pets/", "train", "../images/c.png", "pets//images/c.png", "images/c.png");
}

static void test_missing_pictures(void **state) {
    (void)state;
    put("pets/train/a.json", LABELME(SQUARE, "a.png"));
    put("pets/train/d.json", LABELME(SQUARE "," SQUARE, "../../outside.png"));
    put("pets/train/e.json", "{'shapes':[" SQUARE "],'imagePath':'e.jpg','imageData':'/9j/4AAQ'}");
    put("pets/train/f.json", LABELME(SQUARE, "a.png"));
    put("pets/train/g.json", "[1,2]");
    put("pets/train/h.json", "{'shapes':[{'label':");
    mrcnn_dataset *set = set_open("pets/train", NULL);
    assert_int_equal(mrcnn_dataset_count(set), 1);
    set_expect_notes(
        set,
        "E d.json -1 there is no picture \"../../outside.png\" in the data set's folder, nor one "
        "of this file's name beside it\n"
        "E e.json -1 there is no picture \"e.jpg\" in the data set's folder, nor one of this "
        "file's name beside it: save the one that is embedded (imageData) there\n"
        "E g.json -1 this is no annotation file of LabelMe's\n"
        "E h.json -1 pets/train/h.json: line 1: the file ends in the middle: it is cut short, "
        "copy or export it again\n"
        "E a.png -1 there is more than one entry for this picture: one with 1 objects was left "
        "out\n");
    for (char name[] = "pets/train/d.json"; name[11] <= 'h'; name[11]++) unlink(name);
}

/* ------------------------------------------------------------------------------ what is broken */

static void test_bad_shapes(void **state) {
    (void)state;
    set_expect_notes(
        open_shapes(
            SQUARE
            "," SHAPE("x", "polygon", "[1,1],[2,2]") "," SHAPE("x", "polygon", "[1,1],[2,2],[3,3]") "," SHAPE("x", "polygon", "[1,1],[2],[3,3]") "," SHAPE(
                "x", "polygon",
                "[1,1],[2,1e999],[3,3]") "," SHAPE("x", "rectangle",
                                                   "[1,1]") "," SHAPE("x", "rectangle",
                                                                      "[1,1],[1,9]") "," SHAPE("x",
                                                                                               "cir"
                                                                                               "cl"
                                                                                               "e",
                                                                                               "[1,"
                                                                                               "1],"
                                                                                               "[1,"
                                                                                               "1]") "," SHAPE("x",
                                                                                                               "star",
                                                                                                               "[1,1]") ",7,{},"
                                                                                                                        "{'label':'x','points':5},{'label':'x','shape_type':4,'points':[]}"),
        "E a.json 1 the polygon has 2 points, which makes no area\n"
        "E a.json 2 the polygon has no area: all of its points lie on a line\n"
        "E a.json 3 point 1 of the shape is not two usable numbers\n"
        "E a.json 4 point 1 of the shape is not two usable numbers\n"
        "E a.json 5 the rectangle has neither two points nor four\n"
        "E a.json 6 the rectangle has no area: its corners lie on a line\n"
        "E a.json 7 the circle has no area: its points are the same\n"
        "E a.json 8 the shape_type \"star\" is not one of LabelMe's\n"
        "E a.json 9 the shape is a number instead of an object\n"
        "E a.json 10 the shape has no array of points\n"
        "E a.json 11 the shape has no array of points\n"
        "E a.json 12 the shape_type \"a number\" is not one of LabelMe's\n");
}

static void test_labels(void **state) {
    (void)state;
    char text[1000], name[300];
    memset(name, 'x', 250);
    name[250] = 0;
    snprintf(text, sizeof text,
             "%s,{'label':null,'points':[[2,3],[10,3],[10,9]]},"
             "{'label':'%s','points':[[2,3],[10,3],[10,9]]}",
             SQUARE, name);
    set_expect_notes(open_shapes(text),
                     "E a.json 2 the label is longer than 200 bytes\n"
                     "E a.png 1 the region has no class: left out; set an attribute such as "
                     "\"class\"\n");
    mrcnn_dataset *set = open_shapes("{'points':[[2,3],[10,3],[10,9]]}");
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "pets"); /* as with VIA */
    mrcnn_dataset_free(&set);
}

static void test_nothing_usable(void **state) {
    (void)state;
    put("pets/train/a.json", LABELME("", "a.png"));
    set_expect_error("pets/train", NULL, "nothing in it can be used: of 1 files 0 have no picture");
    put("pets/train/a.json", LABELME(SHAPE("x", "star", "[1,1]"), "a.png"));
    set_expect_error("pets/train", NULL, "1 shapes were left out");
    set_expect_error("pets/train", NULL, "first: a.json: the shape_type \"star\"");
}

/* Coordinates of any size, many groups, deep nesting: an answer, whatever it is. */
static void test_hostile(void **state) {
    (void)state;
    mrcnn_dataset *set =
        open_shapes(SHAPE("x", "polygon", "[1e300,-1e300],[-1e300,5],[5,1e300]") "," SHAPE(
            "x", "circle", "[-1e308,0],[1e308,0]") "," SHAPE("x", "rectangle",
                                                             "[-1e308,-1e308],[1e308,1e308]"));
    for (size_t i = 0; i < mrcnn_dataset_picture(set, 0)->object_count; i++)
        set_area(set, 0, i, 30, 40, NULL);
    mrcnn_dataset_free(&set);

    size_t room = 4000000, used = 0;
    char *text = malloc(room);
    assert_non_null(text);
    used += (size_t)snprintf(text + used, room - used, "{'imagePath':'a.png','shapes':[");
    for (int i = 0; i < 20000; i++)
        used += (size_t)snprintf(text + used, room - used,
                                 "{'label':'x','group_id':%d,'points':[[1,1],[2,1],[2,2]]},",
                                 i * 7919 % 10000);
    snprintf(text + used, room - used, "%s]}", SQUARE);
    put("pets/train/a.json", text);
    set = set_open("pets/train", NULL);
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 10001);
    mrcnn_dataset_free(&set);

    memset(text, '[', 1000);
    snprintf(text + 1000, room - 1000, "1");
    put("pets/train/a.json", text);
    set_expect_error("pets/train/a.json", NULL, "");
    memset(text, '1', 1000);
    memcpy(text, "{'shapes':[", 11);
    snprintf(text + 1000, room - 1000, "],'imagePath':'a.png'}");
    put("pets/train/a.json", text);
    set_expect_error("pets/train", NULL, "a number of more than 400 digits");
    put("pets/train/a.json", "{'imagePath':'\xff\xfe','shapes':[" SQUARE "]}");
    set_expect_error("pets/train", NULL, "UTF8");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_data_set),
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_found_by_the_first_files),
        cmocka_unit_test(test_not_fooled),
        cmocka_unit_test(test_lines_have_no_area),
        cmocka_unit_test(test_other_versions),
        cmocka_unit_test(test_crowds),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_where_pictures_are),
        cmocka_unit_test(test_missing_pictures),
        cmocka_unit_test(test_bad_shapes),
        cmocka_unit_test(test_labels),
        cmocka_unit_test(test_nothing_usable),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
