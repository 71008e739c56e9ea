/* test_data_yolo.c - YOLO data sets: layouts, data.yaml, classes, lines, and files that are broken in
 * every way. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_set.h"

#include "base/file.h"
#include "data/yolo.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Pictures are 40 x 20, so that pixels are easy to read off: 0.25 is column 10 and row 5. */
static void picture(const char *path) {
    char folder[200];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = 0;
    assert_int_equal(mr_make_directories(folder, NULL), MRCNN_OK);
    cli_picture(path, 40, 20);
}

static void put(const char *path, const char *text) {
    char folder[200];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    if (slash) assert_int_equal(mr_make_directories(folder, NULL), MRCNN_OK);
    cli_write(path, text);
}

/* Columns 4 .. 12, rows 3 .. 9. */
#define SQUARE "0.1 0.15 0.3 0.15 0.3 0.45 0.1 0.45\n"

static int enter(void **state) {
    cli_enter(state);
    picture("farm/images/train/a.png");
    picture("farm/images/train/b.jpg");
    picture("farm/images/train/below/c.png");
    picture("farm/images/val/d.png");
    put("farm/labels/train/a.txt", "0 " SQUARE "2 " SQUARE);
    put("farm/labels/train/below/c.txt", "1 " SQUARE);
    put("farm/labels/val/d.txt", "1 " SQUARE);
    return 0;
}

#define FARM "# animals\ntrain: images/train\nval: images/val\ntest:\nnames:\n  0: pig\n  1: cow\n"

static mrcnn_dataset *open_yaml(const char *yaml, const char *subset) {
    put("farm/data.yaml", yaml);
    mrcnn_dataset *set = set_open("farm", subset);
    unlink("farm/data.yaml");
    return set;
}

static void expect_yaml_error(const char *yaml, const char *subset, const char *message) {
    put("farm/data.yaml", yaml);
    set_expect_error("farm", subset, message);
    unlink("farm/data.yaml");
}

/* Opens one picture with these lines, two class names. */
static mrcnn_dataset *open_lines(const char *lines) {
    picture("one/images/a.png");
    put("one/labels/a.txt", lines);
    put("one/classes.txt", "pig\ncow\n");
    return set_open("one", NULL);
}

/* ------------------------------------------------------------------------------------ the sets */

static void test_a_data_set(void **state) {
    (void)state;
    int32_t id;
    mrcnn_dataset *set = open_yaml(FARM "  2: ant\n", NULL);
    assert_string_equal(mrcnn_dataset_format(set), "yolo");
    assert_string_equal(mrcnn_dataset_annotations(set), "farm/data.yaml");
    assert_int_equal(mrcnn_dataset_count(set), 2);                  /* b.jpg has no objects */
    static const char *const names[] = {"BG", "pig", "cow", "ant"}; /* as they are numbered */
    assert_int_equal(mrcnn_dataset_class_count(set), 4);
    for (int i = 0; i < 4; i++) assert_string_equal(mrcnn_dataset_class_name(set, i), names[i]);
    assert_string_equal(set->class_ids[1], "0");
    assert_string_equal(set->class_ids[3], "2");
    const mrcnn_picture *p = mrcnn_dataset_picture(set, 0);
    assert_string_equal(p->id, "a.png");
    assert_string_equal(p->path, "farm/images/train/a.png");
    assert_string_equal(p->source, "farm");
    assert_string_equal(mrcnn_dataset_picture(set, 1)->id, "below/c.png");
    assert_int_equal(set_area(set, 0, 0, 20, 40, &id), 9 * 7);
    assert_int_equal(id, 1);
    assert_int_equal(set_area(set, 0, 1, 20, 40, &id), 9 * 7);
    assert_int_equal(id, 3);
    assert_int_equal(set_area(set, 0, 0, 40, 80, &id), 17 * 13); /* parts of its size */
    set_expect_notes(set, "");
    set = open_yaml(FARM, "val");
    assert_int_equal(mrcnn_dataset_count(set), 1);
    set_expect_notes(set, "W  -1 class \"pig\" has no object\n");
    put("farm/data.yaml", FARM "  2: ant\n");
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    o.keep_empty = 1;
    assert_int_equal(mrcnn_dataset_open(&set, "farm", &o, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_count(set), 3);
    mrcnn_dataset_free(&set);
    set = set_open("farm/data.yaml", "valid"); /* the file itself, by another word */
    assert_string_equal(mrcnn_dataset_picture(set, 0)->id, "d.png");
    mrcnn_dataset_free(&set);
    unlink("farm/data.yaml");
}

static void expect_first(const char *path, const char *subset, const char *picture,
                         const char *class_name) {
    mrcnn_dataset *set = set_open(path, subset);
    assert_string_equal(mrcnn_dataset_format(set), "yolo");
    assert_string_equal(mrcnn_dataset_picture(set, 0)->path, picture);
    assert_string_equal(mrcnn_dataset_class_name(set, 1), class_name);
    mrcnn_dataset_free(&set);
}

static void test_layouts(void **state) {
    (void)state;
    expect_first("farm", NULL, "farm/images/train/a.png", "class 0");
    expect_first("farm", "val", "farm/images/val/d.png", "class 0");
    put("farm/classes.txt", "pig\r\n cow \nant\n\n");
    expect_first("farm", "validation", "farm/images/val/d.png", "pig");
    unlink("farm/classes.txt");

    picture("robo/train/images/a.jpg");
    put("robo/train/labels/a.txt", "0 " SQUARE);
    picture("robo/valid/images/b.jpg");
    put("robo/valid/labels/b.txt", "0 " SQUARE);
    expect_first("robo", NULL, "robo/train/images/a.jpg", "class 0");
    expect_first("robo", "val", "robo/valid/images/b.jpg", "class 0");
    put("robo/data.yaml", "train: ../train/images\nval: ../valid/images\nnc: 1\nnames: ['pig']\n");
    expect_first("robo", "train", "robo/train/images/a.jpg", "pig");
    expect_first("robo", "val", "robo/valid/images/b.jpg", "pig");
    expect_first("robo/data.yaml", NULL, "robo/train/images/a.jpg", "pig");

    picture("flat/images/a.jpg");
    put("flat/labels/a.txt", "0 " SQUARE);
    put("flat/labels/classes.txt", "pig\n");
    expect_first("flat", NULL, "flat/images/a.jpg", "pig");

    picture("beside/a.jpg"); /* labelImg's */
    put("beside/a.txt", "0 " SQUARE);
    put("beside/classes.txt", "pig\n");
    expect_first("beside", NULL, "beside/a.jpg", "pig");
}

static void expect_nothing(const char *path) {
    mr_place place = {0};
    assert_int_equal(mr_format_yolo.find(&place, path, NULL, NULL), MRCNN_E_UNSUPPORTED);
}

static void test_not_fooled(void **state) {
    (void)state;
    picture("labelled/images/train/a.png");
    picture("labelled/labels/train/a.png");
    put("labelled/labels/train/README.txt", "labels of 2019\n");
    expect_nothing("labelled");
    picture("texts/a.png");
    put("texts/notes.txt", "1 2 3 4 5\n"); /* no picture of that name */
    put("texts/a.txt", "a sheep\n");
    put("texts/config.yaml", "NAME: balloon\nBACKBONE: resnet50\n");
    put("texts/x.yml", "{broken");
    expect_nothing("texts");
    expect_nothing("texts/a.png");
    expect_nothing("texts/config.yaml");
    set_expect_error("texts/x.yml", NULL, "texts/x.yml: line 2: not YAML");
}

/* ----------------------------------------------------------------------------------- data.yaml */

static void test_yaml(void **state) {
    (void)state;
    mrcnn_dataset *set = open_yaml("path: .\ntrain: [./images/train/, images/val]\n"
                                   "names: [pig, 'cow', \"an t\"]\nextra: {a: [1, {b: 2}]}\n",
                                   NULL);
    assert_int_equal(mrcnn_dataset_count(set), 3);
    assert_string_equal(mrcnn_dataset_picture(set, 0)->id, "images/train/a.png");
    assert_string_equal(mrcnn_dataset_picture(set, 2)->id, "images/val/d.png");
    assert_string_equal(mrcnn_dataset_class_name(set, 3), "an t");
    mrcnn_dataset_free(&set);
    set = open_yaml("train: &t images/train\nval: *t\nnc: 5\n", "val"); /* no names */
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "class 0");
    mrcnn_dataset_free(&set);
    set = open_yaml("train: images/train\nnames: {2: ant, 0: pig}\n", NULL);
    assert_string_equal(mrcnn_dataset_class_name(set, 2), "class 1");
    mrcnn_dataset_free(&set);
    put("farm/train.txt", "./images/train/a.png\r\nimages/val/d.png\n\n../x.png\n/etc/passwd\n"
                          "images/none.png\n");
    set = open_yaml("train: train.txt\nnames: [a, b, c]\n", NULL);
    assert_int_equal(mrcnn_dataset_count(set), 2);
    assert_string_equal(mrcnn_dataset_picture(set, 1)->id, "images/val/d.png");
    set_expect_notes(set, "E ../x.png -1 its file name leads out of the folder of the annotations\n"
                          "E /etc/passwd -1 its file name leads out of the folder of the "
                          "annotations\n"
                          "E images/none.png -1 there is no such picture beside the annotations\n");
    set = open_yaml("path: /data/farm\ntrain: [images/train, images/none, /etc, images/../../x]\n"
                    "names: [a, b, c]\n",
                    NULL);
    set_expect_notes(set, "W  -1 path: \"/data/farm\" is no folder beside it: pictures are looked "
                          "for in its own folder\n"
                          "E  -1 there is no folder or list of pictures \"images/none\" in the "
                          "data set's folder\n"
                          "E  -1 there is no folder or list of pictures \"/etc\" in the data set's "
                          "folder\n"
                          "E  -1 there is no folder or list of pictures \"images/../../x\" in the "
                          "data set's folder\n");
}

static void test_yaml_below(void **state) {
    (void)state;
    put("above.yaml", "path: ../farm\ntrain: images/train\nnames: [a, b, c]\n");
    mrcnn_dataset *set = set_open("above.yaml", NULL);
    assert_string_equal(mrcnn_dataset_picture(set, 0)->path, "./farm/images/train/a.png");
    mrcnn_dataset_free(&set);
}

static void test_broken_yaml(void **state) {
    (void)state;
    expect_yaml_error("train: [images\n", NULL, "farm/data.yaml: line 2: not YAML");
    expect_yaml_error("train: images/train\nnames: {a: b}\n", NULL, "a key is no class number");
    expect_yaml_error("train: images/train\nnames: {-1: b}\n", NULL, "not one of 0 to 9999");
    expect_yaml_error("train: images/train\nnames: {99999999999: b}\n", NULL,
                      "not one of 0 to 9999");
    expect_yaml_error("train: images/train\nnames: [[a]]\n", NULL, "is not a text of at most");
    expect_yaml_error("train: images/train\nnames: 5\n", NULL, "neither a list nor a mapping");
    expect_yaml_error("train: {a: b}\nnames: [a]\n", NULL, "line 1: the pictures' folder is not");
    expect_yaml_error("train: images/train\nnames: [a, b, c]\n", "test",
                      "farm/test: there is no such folder, nor other annotations for the subset");
    expect_yaml_error("val: images/val\nnames: [a, b, c]\n", NULL,
                      "it has no pictures for the subset \"train\"");
    expect_yaml_error("train: images/none\nnames: [a]\n", NULL,
                      "nothing in it can be used: of 0 pictures");
    char *deep = malloc(200001);
    assert_non_null(deep);
    memset(deep, '[', 200000);
    deep[200000] = 0;
    expect_yaml_error(deep, NULL, "brackets are nested more than 100 deep");
    free(deep);
}

/* --------------------------------------------------------------------------------------- lines */

static void test_boxes(void **state) {
    (void)state;
    int32_t id;
    mrcnn_dataset *set =
        open_lines("1 0.2 0.3 0.2 0.2\n0 " SQUARE); /* columns 4 .. 11, rows 4 .. 7 */
    assert_int_equal(set_area(set, 0, 0, 20, 40, &id), 8 * 4);
    assert_int_equal(id, 2);
    assert_int_equal(set_area(set, 0, 1, 20, 40, &id), 63);
    mr_polygon_list list;
    assert_int_equal(mr_dataset_polygons(set, 0, 0, &list, NULL), MRCNN_OK);
    assert_int_equal(list.rule, MR_RULE_NONE);
    assert_int_equal(mr_dataset_polygons(set, 0, 1, &list, NULL), MRCNN_OK);
    assert_int_equal(list.rule, MR_RULE_SKIMAGE);
    assert_int_equal(list.points[0], 4);
    static const double corners[] = {4, 3, 12, 3, 12, 9, 4, 9};
    for (int i = 0; i < 8; i++) assert_true(list.xy[i] == corners[i]);
    mr_polygon_list_free(&list);
    set_expect_notes(set, "W  -1 1 objects are boxes (lines with 5 numbers), not outlines: their "
                          "masks are rectangles\n");
}

static void test_rounding(void **state) {
    (void)state;
    assert_true(mr_yolo_to_pixels(0.3, 40) == 12);
    assert_true(mr_yolo_to_pixels(0.333333, 3) == 1);
    assert_true(mr_yolo_to_pixels(0.3331, 3) == 1);
    assert_true(mr_yolo_to_pixels(0.3329, 3) == 0.3329 * 3);
    assert_true(mr_yolo_to_pixels(0.3125, 40) == 12.5);
}

static void test_bad_lines(void **state) {
    (void)state;
    set_expect_notes(
        open_lines("0 " SQUARE "\n\t \nx " SQUARE "-1 " SQUARE "0.5 " SQUARE "2 " SQUARE "0\n"
                   "0 0.1 0.2 0.3\n0 0.1 0.2 0.3 0.4 0.5\n0 0.1 0.2\n0 0.1 0.2 nan 0.4 0.5 0.6\n"
                   "0 10 20 30 20 30 40\n0 0.1 0.1 0.2 0.1 0.4 0.1\n0 0.5 0.5 0 0.1\n"
                   "0 0.1 0.1 1e999 0.3 0.4 0.9\n99999999999999999999 " SQUARE
                   "1 0.1 0.1 1.2 0.1 0.5 0.5\n0 0.2 0.2 0.3 0.3 0.9\n1 0.1,0.2 0.3 0.4 0.5 0.6\n"),
        "E a.png 3 \"x\" is no class number\n"
        "E a.png 4 \"-1\" is no class number\n"
        "E a.png 5 \"0.5\" is no class number\n"
        "E a.png 6 class 2 is none of the 2 that have names (0 to 1)\n"
        "E a.png 7 the polygon has 0 points, which makes no area\n"
        "E a.png 8 the line has an odd number of coordinates: 3\n"
        "E a.png 9 the line has an odd number of coordinates: 5\n"
        "E a.png 10 the polygon has 1 point, which makes no area\n"
        "E a.png 11 \"nan\" is no number\n"
        "E a.png 12 a coordinate is 10: they are parts of the picture's width and height, from 0 "
        "to 1\n"
        "E a.png 13 the polygon has no area: all of its points lie on a line\n"
        "E a.png 14 the box has no area: its width or height is not positive\n"
        "E a.png 15 a coordinate is 1e999: they are parts of the picture's width and height, from "
        "0 to 1\n"
        "E a.png 16 \"99999999999999999999\" is no class number\n"
        "W a.png 17 a coordinate, 1.2, lies outside of 0 to 1: cut off\n"
        "E a.png 18 the line has an odd number of coordinates: 5\n"
        "E a.png 19 \"0.1,0.2\" is no number\n");
}

static void test_other_files(void **state) {
    (void)state;
    mrcnn_dataset *set = open_lines("0 " SQUARE);
    mrcnn_dataset_free(&set);
    picture("one/images/empty.png");
    put("one/labels/empty.txt", "");
    put("one/labels/gone.txt", "0 " SQUARE);
    put("one/labels/lost.txt", "0 " SQUARE);
    picture("one/images/bytes.png");
    assert_int_equal(mr_file_write("one/labels/bytes.txt", "0 0.1\0 0.2", 10, NULL), MRCNN_OK);
    set = set_open("one", NULL);
    assert_int_equal(mrcnn_dataset_count(set), 1);
    set_expect_notes(set, "E bytes.png -1 its label file is no text: it has 0 bytes\n"
                          "E  -1 2 label files have no picture; the first is gone.txt\n"
                          "W  -1 class \"cow\" has no object\n");
    for (int i = 0; i < 4; i++) {
        static const char *const files[] = {"one/labels/gone.txt", "one/labels/lost.txt",
                                            "one/images/bytes.png", "one/labels/bytes.txt"};
        unlink(files[i]);
    }
    assert_int_equal(symlink(".", "one/images/circle"), 0);
    set = set_open("one", NULL);
    assert_int_equal(mrcnn_dataset_count(set), 1);
    mrcnn_dataset_free(&set);
    unlink("one/images/circle");
    put("one/labels/a.txt", "5 " SQUARE);
    set_expect_error("one", NULL, "first: a.png: class 5 is none of the 2 that have names");
}

/* One line of a megabyte; a class number that makes many classes. */
static void test_large(void **state) {
    (void)state;
    size_t room = 1 << 21, used = 0;
    char *text = malloc(room);
    assert_non_null(text);
    used += (size_t)snprintf(text, room, "0");
    for (int i = 0; i < 50000; i++)
        used += (size_t)snprintf(text + used, room - used, " 0.%d 0.%d", 1 + i % 7, 1 + i % 9);
    mrcnn_dataset *set = open_lines(text);
    set_area(set, 0, 0, 20, 40, NULL);
    mrcnn_dataset_free(&set);
    free(text);
    picture("numbers/images/a.png");
    put("numbers/labels/a.txt", "9999 " SQUARE "10000 " SQUARE);
    set = set_open("numbers", NULL);
    assert_int_equal(mrcnn_dataset_class_count(set), 10001);
    assert_string_equal(mrcnn_dataset_class_name(set, 10000), "class 9999");
    mrcnn_dataset_free(&set);
}

static void expect_label(const char *picture, const char *label) {
    char *name = mr_yolo_label_name(picture);
    assert_string_equal(name, label);
    free(name);
}

static void test_label_names(void **state) {
    (void)state;
    expect_label("images/train/a.b.jpg", "labels/train/a.b.txt");
    expect_label("train/images/a.jpg", "train/labels/a.txt");
    expect_label("images/images/a.jpg", "images/labels/a.txt");
    expect_label("my images/a.jpg", "my images/a.txt");
    expect_label("a/b.c/d", "a/b.c/d.txt");
    expect_label("a.jpg", "a.txt");
}

static void test_given_classes(void **state) {
    (void)state;
    static const char *const given[] = {"BG", "cow", "hen", NULL};
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mrcnn_dataset *set = open_lines("0 " SQUARE "1 " SQUARE);
    mrcnn_dataset_free(&set);
    int32_t id;
    o.class_names = given;
    assert_int_equal(mrcnn_dataset_open(&set, "one", &o, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 1);
    set_area(set, 0, 0, 20, 40, &id);
    assert_int_equal(id, 1);
    assert_string_equal(set->class_ids[1], "1");
    assert_null(set->class_ids[2]);
    assert_null(set->class_ids[0]);
    set_expect_notes(set,
                     "W  -1 class \"pig\" is none of the 2 classes asked for: 1 object left out\n"
                     "W  -1 class \"hen\" has no object\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_data_set),    cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_not_fooled),    cmocka_unit_test(test_yaml),
        cmocka_unit_test(test_yaml_below),    cmocka_unit_test(test_broken_yaml),
        cmocka_unit_test(test_boxes),         cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_bad_lines),     cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_large),         cmocka_unit_test(test_label_names),
        cmocka_unit_test(test_given_classes),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
