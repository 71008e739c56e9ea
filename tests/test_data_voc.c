/* test_data_voc.c - Pascal VOC's folders: lists, classes from PNGs with a palette and in colours,
 * what tools put beside, what is wrong, and writing. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_labels.h"

#include "data/voc.h"
#include "image/label_png.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint16_t with_void[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 255}; /* 9 */

static void add_picture(const char *root, const char *name, const char *objects,
                        const char *classes, int bytes) {
    char path[300];
    snprintf(path, sizeof path, "%s/JPEGImages/%s.jpg", root, name);
    labels_picture(path, 4, 3);
    snprintf(path, sizeof path, "%s/SegmentationObject/%s.png", root, name);
    if (objects) labels_write(path, objects, with_void, bytes);
    snprintf(path, sizeof path, "%s/SegmentationClass/%s.png", root, name);
    if (classes) labels_write(path, classes, with_void, bytes);
}

static void add_list(const char *root, const char *subset, const char *text) {
    char path[300];
    snprintf(path, sizeof path, "%s/ImageSets/Segmentation/%s.txt", root, subset);
    labels_text(path, text);
}

static void make_set(const char *root, int bytes) {
    add_picture(root, "2007_01", "1199|1.92|3332", "8899|8.91|2221", bytes);
    add_picture(root, "2007_02", ".1..|....|....", ".7..|....|....", bytes);
    add_list(root, "train", "2007_01\n");
    add_list(root, "val", "2007_02\r\n");
    add_list(root, "trainval", "2007_01\n2007_02\n");
}

/* ------------------------------------------------------------------------------------- reading */

static void check_train(mrcnn_dataset *set) {
    assert_int_equal(mrcnn_dataset_count(set), 1);
    assert_int_equal(mrcnn_dataset_class_count(set), 21);
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "aeroplane");
    assert_string_equal(mrcnn_dataset_class_name(set, 20), "tvmonitor");
    assert_string_equal(mrcnn_dataset_picture(set, 0)->id, "2007_01.jpg");
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 3);
    labels_expect_mask(set, 0, 0, "11..|1...|....", 8);
    labels_expect_mask(set, 0, 1, "....|...2|...2", 1);
    labels_expect_mask(set, 0, 2, "....|....|333.", 2);
    mrcnn_dataset_free(&set);
}

static void test_places(void **state) {
    (void)state;
    static const struct {
        const char *root, *path;
    } cases[] = {{"v1", "v1"}, {"v2/VOC2012", "v2"}, {"v3/VOCdevkit/VOC2007", "v3"}};
    for (int i = 0; i < 3; i++) {
        make_set(cases[i].root, 1);
        check_train(labels_open(cases[i].path, NULL, "voc"));
        check_train(labels_open(cases[i].root, "train", "voc"));
        mrcnn_dataset *set = labels_open(cases[i].path, "val", "voc");
        assert_int_equal(mrcnn_dataset_count(set), 1);
        labels_expect_mask(set, 0, 0, ".1..|....|....", 7);
        assert_contains(mrcnn_dataset_annotations(set), "/ImageSets/Segmentation/val.txt");
        mrcnn_dataset_free(&set);
        set = labels_open(cases[i].path, "trainval", "voc");
        assert_int_equal(mrcnn_dataset_count(set), 2);
        mrcnn_dataset_free(&set);
    }
    make_set("v2/VOC2007", 1);
    add_picture("v2/VOC2007", "2007_01", "1...|....|....", "1...|....|....", 1);
    check_train(labels_open("v2", NULL, "voc")); /* 2012's */
    labels_expect_error("v1", "test", NULL,
                        "v1/test: there is no such folder, nor other annotations for");
}

/* Colours instead of a palette, as CVAT and Datumaro write them: an object is known by its colour. */
static void test_colours(void **state) {
    (void)state;
    make_set("rgb", 3);
    mrcnn_dataset *set = labels_open("rgb", NULL, "voc");
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 3);
    labels_expect_mask(set, 0, 0, "....|...2|...2", 1); /* 0x008000 */
    labels_expect_mask(set, 0, 1, "11..|1...|....", 8); /* 0x800000 */
    labels_expect_mask(set, 0, 2, "....|....|333.", 2); /* 0x808000 */
    mrcnn_dataset_free(&set);
}

static void test_lists(void **state) {
    (void)state;
    make_set("list", 1);
    unlink("list/ImageSets/Segmentation/train.txt");
    mrcnn_dataset *set = labels_open("list", NULL, "voc"); /* no list: all */
    assert_int_equal(mrcnn_dataset_count(set), 2);
    assert_string_equal(mrcnn_dataset_annotations(set), "list/SegmentationObject");
    mrcnn_dataset_free(&set);
    add_picture("list", "sub/a b", "1...|....|....", "1...|....|....", 1);
    add_list("list", "default", "\"sub/a b\"\n");
    set = labels_open("list", NULL, "voc"); /* CVAT's only one */
    assert_int_equal(mrcnn_dataset_count(set), 1);
    assert_string_equal(mrcnn_dataset_picture(set, 0)->id, "sub/a b.jpg");
    labels_expect_mask(set, 0, 0, "1...|....|....", 1);
    mrcnn_dataset_free(&set);
}

static void test_classes(void **state) {
    (void)state;
    static const struct {
        const char *file, *text;
    } cases[] = {
        {"classes.txt", "sky\nsea:1\n"},
        {"classes.txt", "background\nsky\nsea:1\n"},
        {"class_names.txt", "__ignore__\n_background_\nsky\nsea:1\n"},
        {"labelmap.txt", "# label:color_rgb:parts:actions\nbackground:0,0,0::\nsky:1,2,3::\n"
                         "sea:1:128,0,128:hand,foot:run\n"},
    };
    for (int i = 0; i < 4; i++) {
        char path[100];
        add_picture("named", "a", "11..|2...|....", "11..|2...|....", 1);
        snprintf(path, sizeof path, "named/%s", cases[i].file);
        labels_text(path, cases[i].text);
        mrcnn_dataset *set = labels_open("named", NULL, "voc");
        assert_int_equal(mrcnn_dataset_class_count(set), 3);
        assert_string_equal(mrcnn_dataset_class_name(set, 0), "BG");
        assert_string_equal(mrcnn_dataset_class_name(set, 1), "sky"); /* not by name */
        assert_string_equal(mrcnn_dataset_class_name(set, 2), "sea:1");
        labels_expect_mask(set, 0, 1, "....|2...|....", 2);
        labels_expect_notes(set, "");
        mrcnn_dataset_free(&set);
    }
    /* Colours of the label map: 5 is 128,0,128, 1 is none of them. */
    add_picture("named", "a", "11..|2...|....", "55..|1...|....", 3);
    mrcnn_dataset *set = labels_open("named", NULL, "voc");
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 1);
    labels_expect_mask(set, 0, 0, "11..|....|....", 2);
    labels_expect_notes(set, "E a.jpg 32768 its class has the colour 128,0,0, which is none of the "
                             "2 classes': left out\n"
                             "W  -1 class \"sky\" has no object\n");
    mrcnn_dataset_free(&set);
    labels_text("empty/labelmap.txt", "background:0,0,0::\n");
    add_picture("empty", "a", "1...|....|....", "1...|....|....", 1);
    labels_expect_error("empty", NULL, NULL, "labelmap.txt: there is no class in it but");
}

/* Of an object's pixels most decide; void and background have no say. */
static void test_votes(void **state) {
    (void)state;
    add_picture("votes", "a", "1111|1122|2222", "3.79|7379|..96", 1);
    mrcnn_dataset *set = labels_open("votes", NULL, "voc");
    labels_expect_mask(set, 0, 0, "1111|11..|....", 3); /* 3 and 7 twice: the lower one */
    labels_expect_mask(set, 0, 1, "....|..22|2222", 6); /* 7 and 6 once */
    mrcnn_dataset_free(&set);
}

/* VOC's colour map, from its development kit. */
static void test_colour_map(void **state) {
    (void)state;
    static const uint32_t colors[] = {0,        0x800000, 0x008000, 0x808000, 0x000080, 0x800080,
                                      0x008080, 0x808080, 0x400000, 0xC00000, 0x408000};
    for (int i = 0; i < 11; i++) assert_int_equal(mr_voc_color(i), colors[i]);
    assert_int_equal(mr_voc_color(20), 0x004080); /* tvmonitor: 0 64 128 */
    assert_int_equal(mr_voc_color(255), 0xE0E0C0);
}

/* ------------------------------------------------------------------------------------- problems */

static void test_problems(void **state) {
    (void)state;
    add_picture("bad", "a", "1122|3333|....", "11..|9.99|....", 1);
    add_picture("bad", "b", NULL, "1...|....|....", 1);
    add_picture("bad", "c", "1...|....|....", NULL, 1);
    add_picture("bad", "d", "1...|....|....", "11|11", 1);
    add_picture("bad", "e", "11|11", "11|11", 1);
    add_picture("bad", "f", "1...|....|....", "1...|....|....", 1);
    labels_text("bad/SegmentationClass/f.png", "no PNG");
    labels_write("bad/SegmentationObject/g.png", "1...|....|....", NULL, 1);
    add_picture("bad", "h", "1...|....|....", NULL, 1);
    labels_write("bad/SegmentationClass/h.png", "1...|....|....", (const uint16_t[]){0, 21}, 1);
    add_list("bad", "train", "a\nb\nc\nd\ne\nf\ng\nh\na\n../bad/JPEGImages/a\n/etc/passwd\n");
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mrcnn_dataset *set;
    o.class_names = (const char *const[]){"BG", "aeroplane", NULL};
    assert_int_equal(mrcnn_dataset_open(&set, "bad", &o, NULL), MRCNN_OK);
    labels_expect_notes(
        set, "E a.jpg 2 none of its pixels has a class: left out\n"
             "E a.jpg 3 none of its pixels has a class: left out\n"
             "E b.jpg -1 there is no bad/SegmentationObject/b.png\n"
             "E c.jpg -1 there is no bad/SegmentationClass/c.png\n"
             "E d.jpg -1 bad/SegmentationClass/d.png: it has 2 x 2 pixels, but "
             "bad/SegmentationObject/d.png 4 x 3\n"
             "E f.jpg -1 bad/SegmentationClass/f.png: this is a text file; it must be a PNG\n"
             "E g -1 there is no such picture beside the annotations\n"
             "E h.jpg 1 it is of class 21, but there are 20: left out\n"
             "E a.jpg 2 none of its pixels has a class: left out\n"
             "E a.jpg 3 none of its pixels has a class: left out\n"
             "E ../bad/JPEGImages/a -1 its file name leads out of the folder of the "
             "annotations\n"
             "E /etc/passwd -1 its file name leads out of the folder of the annotations\n"
             "E a.jpg -1 there is more than one entry for this picture: one with 1 objects was "
             "left out\n"
             "E e.jpg -1 bad/SegmentationObject/e.png: it has 2 x 2 pixels, but the picture e.jpg "
             "4 x 3: was one of them resized or turned?\n");
    mrcnn_dataset_free(&set);
    add_list("bad", "val", "\n");
    labels_expect_error("bad", "val", NULL, "val.txt: nothing in it can be used");
    labels_text("bad/ImageSets/Segmentation/zero.txt", "a");
    FILE *file = fopen("bad/ImageSets/Segmentation/zero.txt", "wb");
    assert_non_null(file);
    assert_int_equal(fwrite("a\0b", 1, 3, file), 3);
    fclose(file);
    labels_expect_error("bad", "zero", NULL, "zero.txt: this is no text: it has zero bytes");
}

static void test_other_formats_are_not_taken(void **state) {
    (void)state;
    labels_picture("boxes/JPEGImages/a.jpg", 4, 3); /* VOC's other half: boxes alone */
    labels_text("boxes/Annotations/a.xml", "<annotation/>");
    labels_expect_error("boxes", NULL, NULL, "no annotations that can be read there");
    labels_expect_error("boxes", NULL, "voc", "Pascal VOC: JPEGImages");
}

/* ------------------------------------------------------------------------------------- writing */

static void convert(const mrcnn_dataset *set, const char *folder, const char *subset,
                    const char *losses) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    char lost[1000];
    if (labels_convert(set, folder, subset, "voc", lost, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    assert_string_equal(lost, losses);
}

static void test_writing(void **state) {
    (void)state;
    mrcnn_dataset *set = labels_open("v1", "trainval", "voc"), *again;
    convert(set, "out", "train", "");
    convert(set, "out", "val", "");
    for (int i = 0; i < 2; i++) {
        again = labels_open("out", i ? "val" : NULL, "voc");
        labels_expect_equal(set, again);
        assert_int_equal(mrcnn_dataset_class_count(again), 21);
        mrcnn_dataset_free(&again);
    }
    char *list = cli_read("out/ImageSets/Segmentation/val.txt");
    assert_string_equal(list, "val/2007_01\nval/2007_02\n");
    free(list);
    mr_labels labels = {0};
    assert_int_equal(mr_labels_read(&labels, "out/SegmentationClass/train/2007_01.png", 100, NULL),
                     MRCNN_OK);
    assert_int_equal(labels.colors, 256);
    assert_memory_equal(labels.palette[8], "\x40\0\0", 3);
    assert_memory_equal(labels.pixels, "\10\10\0\0\10\0\0\1\2\2\2\1", 12);
    mr_labels_free(&labels);
    mrcnn_dataset_free(&set);
    set = labels_open("named", NULL, "voc");
    mrcnn_error err = MRCNN_ERROR_INIT;
    char lost[1000];
    assert_int_equal(labels_convert(set, "out", "more", "voc", lost, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "out/labelmap.txt: the data set that is there has other classes");
    mrcnn_dataset_free(&set);
}

/* 256 objects of a pixel each, the first one a crowd. */
static void test_what_is_lost(void **state) {
    (void)state;
    enum { COUNT = 256 };
    static const char *names[300] = {"background", "#dot"};
    char lost[1000] = "";
    mr_written_object *objects = labels_dots(COUNT);
    objects[0].is_crowd = 1;
    mr_written_picture picture = {"a\".png", "a\".png", 1, COUNT, COUNT, objects};
    mr_writing w = labels_writing("dots", names, 2, lost);
    labels_picture("dots/JPEGImages/train/a\".png", COUNT, 1);
    labels_write_picture(&mr_writer_voc, &w, &picture);
    free(objects);
    assert_string_equal(lost,
                        "class names that make no line of a list\n"
                        "crowds, whose pixels become void\n"
                        "objects in one picture beyond the 254th, whose pixels become void\n");
    mrcnn_dataset *set = labels_open("dots", NULL, "voc");
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 254);
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "_dot");
    assert_string_equal(mrcnn_dataset_picture(set, 0)->id, "train/a\".png");
    mrcnn_dataset_free(&set);
    for (int i = 2; i < 300; i++) names[i] = "many";
    mrcnn_error err = MRCNN_ERROR_INIT;
    w.class_count = 256;
    w.own = NULL;
    assert_int_equal(mr_writer_voc.begin(&w, &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "hold 254 classes, not 255");
    mr_writer_voc.close(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),   cmocka_unit_test(test_colours),
        cmocka_unit_test(test_lists),    cmocka_unit_test(test_classes),
        cmocka_unit_test(test_votes),    cmocka_unit_test(test_colour_map),
        cmocka_unit_test(test_problems), cmocka_unit_test(test_other_formats_are_not_taken),
        cmocka_unit_test(test_writing),  cmocka_unit_test(test_what_is_lost),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
