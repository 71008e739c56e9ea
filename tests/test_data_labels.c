/* test_data_labels.c - data sets with a label picture for each picture: where they are, what values
 * mean, what is wrong with them, and writing. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_labels.h"

#include "data/tally.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const drawing = "11..|1.22|3333";

static void check_objects(mrcnn_dataset *set, const char *name) {
    assert_int_equal(mrcnn_dataset_count(set), 1);
    assert_int_equal(mrcnn_dataset_class_count(set), 2);
    assert_string_equal(mrcnn_dataset_class_name(set, 1), name);
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 3);
    labels_expect_mask(set, 0, 0, "11..|1...|....", 1);
    labels_expect_mask(set, 0, 1, "....|..22|....", 1);
    labels_expect_mask(set, 0, 2, "....|....|3333", 1);
    labels_expect_notes(set, "");
    mrcnn_dataset_free(&set);
}

/* ------------------------------------------------------------------------------------- finding */

static void test_places(void **state) {
    (void)state;
    static const struct {
        const char *picture, *labels, *path, *subset;
    } cases[] = {
        {"p1/images/a.jpg", "p1/labels/a.png", "p1", NULL},
        {"p2/images/a.b.png", "p2/masks/a.b.png", "p2", NULL},
        {"p3/images/deep/er/a.JPEG", "p3/annotations/deep/er/a.png", "p3", NULL},
        {"p4/train/images/a.jpg", "p4/train/labels/a.png", "p4", NULL},
        {"p5/val/images/a.jpg", "p5/val/labels/a.png", "p5", "val"},
        {"p6/images/train/a.jpg", "p6/labels/train/a.png", "p6", "train"},
        {"p7/images/val/a.jpg", "p7/labels/val/a.png", "p7", "val"},
        {"p8/images/train/a.jpg", "p8/labels/train/a_instanceIds.png", "p8", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        labels_picture(cases[i].picture, 4, 3);
        labels_write(cases[i].labels, drawing, NULL, i % 2 ? 2 : 1);
        mrcnn_dataset *set = labels_open(cases[i].path, cases[i].subset, "labels");
        const mrcnn_picture *p = mrcnn_dataset_picture(set, 0);
        assert_string_equal(p->path, cases[i].picture);
        assert_string_equal(p->path + strlen(p->path) - strlen(p->id), p->id);
        assert_contains(cases[i].labels, mrcnn_dataset_annotations(set));
        check_objects(set, cases[i].path);
    }
    labels_expect_error("p7", "test", NULL, "p7/test: there is no such folder");
    check_objects(labels_open("p7", NULL, "labels"), "p7"); /* there is no train to be meant */
}

/* All subsets lie below images/: without one, train's are meant. */
static void test_subsets_are_told_apart(void **state) {
    (void)state;
    labels_picture("both/images/train/a.jpg", 4, 3);
    labels_write("both/labels/train/a.png", drawing, NULL, 1);
    labels_picture("both/images/val/b.jpg", 4, 3);
    labels_write("both/labels/val/b.png", "1111|2222|3333", NULL, 1);
    check_objects(labels_open("both", NULL, "labels"), "both");
    mrcnn_dataset *set = labels_open("both", "val", "labels");
    assert_string_equal(mrcnn_dataset_picture(set, 0)->id, "b.jpg");
    mrcnn_dataset_free(&set);
}

static void test_cityscapes(void **state) {
    (void)state;
    static const uint16_t values[] = {0, 1001, 2000, 2999, 2};
    labels_picture("city/leftImg8bit/val/ulm/ulm_000_leftImg8bit.png", 4, 3);
    labels_write("city/gtFine/val/ulm/ulm_000_gtFine_instanceIds.png", "11..|1.22|3344", values, 2);
    labels_text("city/classes.txt", "car\nbus\n");
    mrcnn_dataset *set = labels_open("city", "val", "labels");
    assert_string_equal(mrcnn_dataset_picture(set, 0)->id, "ulm/ulm_000_leftImg8bit.png");
    labels_expect_mask(set, 0, 0, "....|....|..44", -2);
    labels_expect_mask(set, 0, 1, "11..|1...|....", 1);
    labels_expect_mask(set, 0, 2, "....|..22|....", 2);
    labels_expect_mask(set, 0, 3, "....|....|33..", 2);
    mrcnn_dataset_free(&set);
}

static void test_other_formats_are_not_taken(void **state) {
    (void)state;
    labels_picture("yolo/images/train/a.jpg", 4, 3);
    labels_text("yolo/labels/train/a.txt", "0 0.1 0.1 0.5 0.1 0.5 0.5");
    labels_picture("yolo/labels/train/b.png", 4, 3); /* of no picture */
    labels_expect_error("yolo", NULL, "labels", "no annotations that can be read");
    labels_picture("coco/images/a.jpg", 4, 3);
    labels_text("coco/annotations/instances.json", "{\"images\":[]}");
    labels_expect_error("coco", NULL, "labels", "no annotations that can be read");
    labels_picture("nuclei/a/images/a.png", 4, 3);
    labels_write("nuclei/a/masks/1.png", drawing, NULL, 1);
    labels_expect_error("nuclei", NULL, "labels", "no annotations that can be read");
    labels_expect_error("p1/images/a.jpg", NULL, "labels", "no annotations that can be read");
}

/* ------------------------------------------------------------------------------------- classes */

static void make_zoo(const char *list) {
    static const uint16_t values[] = {0, 1001, 3005, 3004, 2, 4001};
    labels_picture("zoo/images/train/a.jpg", 4, 3);
    labels_write("zoo/labels/train/a.png", "11.5|1.22|3344", values, 2);
    labels_text("zoo/classes.txt", list);
}

static void test_classes(void **state) {
    (void)state;
    static const char *const names[] = {"BG", "zebra", "ant", "pig"};
    make_zoo("\xEF\xBB\xBFzebra \r\nant\r\n\r\npig");
    mrcnn_dataset *set = labels_open("zoo", NULL, "labels");
    assert_int_equal(mrcnn_dataset_class_count(set), 4);
    for (int i = 0; i < 4; i++) assert_string_equal(mrcnn_dataset_class_name(set, i), names[i]);
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 4);
    labels_expect_mask(set, 0, 0, "....|....|..44", -2);
    labels_expect_mask(set, 0, 1, "11..|1...|....", 1);
    labels_expect_mask(set, 0, 2, "....|....|33..", 3);
    labels_expect_mask(set, 0, 3, "....|..22|....", 3);
    labels_expect_notes(set,
                        "E a.jpg -1 1 values in its label file are of no class in classes.txt, "
                        "which has 3: left out; the first is 4001\n");
    mrcnn_dataset_free(&set);
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    o.class_names = (const char *const[]){"BG", "pig", "zebra", NULL};
    assert_int_equal(mrcnn_dataset_open(&set, "zoo", &o, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 3);
    labels_expect_mask(set, 0, 0, "11..|1...|....", 2);
    labels_expect_mask(set, 0, 1, "....|....|33..", 1);
    mrcnn_dataset_free(&set);
}

static void test_lists_of_classes(void **state) {
    (void)state;
    make_zoo(" \n\n");
    labels_expect_error("zoo", NULL, NULL, "zoo/classes.txt: there is no class in it");
    make_zoo("a\nb\na\n");
    labels_expect_error("zoo", NULL, NULL, "the list of classes has \"a\" twice");
    unlink("zoo/classes.txt");
    labels_picture("deep/val/images/a.jpg", 4, 3);
    labels_write("deep/val/labels/a.png", "....|....|..44", (const uint16_t[]){0, 0, 0, 0, 2}, 1);
    labels_text("classes.txt", "not\nmeant\n"); /* outside of the data set */
    mrcnn_dataset *set = labels_open("deep", "val", "labels");
    assert_int_equal(mrcnn_dataset_class_count(set), 2);
    mrcnn_dataset_free(&set);
    labels_text("deep/classes.txt", "x\ny\n");
    set = labels_open("deep", "val", "labels");
    labels_expect_notes(set,
                        "W  -1 every object is a crowd, from which nothing is learnt: beside a "
                        "classes.txt, an object's value is its class * 1000 + its number\n"
                        "W  -1 class \"x\" has no object\n");
    assert_string_equal(mrcnn_dataset_class_name(set, 2), "y");
    mrcnn_dataset_free(&set);
    labels_text("deep/val/classes.txt", "nearer\nbetter\n");
    set = labels_open("deep", "val", "labels");
    assert_string_equal(mrcnn_dataset_class_name(set, 2), "better");
    mrcnn_dataset_free(&set);
    unlink("classes.txt");
}

/* Each colour is an object. */
static void test_colours(void **state) {
    (void)state;
    labels_picture("rgb/images/a.jpg", 4, 3);
    labels_write("rgb/labels/a.png", "11..|1.22|3333", (const uint16_t[]){0, 2, 1, 3}, 3);
    mrcnn_dataset *set = labels_open("rgb", NULL, "labels");
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 3);
    labels_expect_mask(set, 0, 0, "11..|1...|....", 1); /* 0x008000, 0x800000, 0x808000 */
    labels_expect_mask(set, 0, 1, "....|..22|....", 1);
    mrcnn_dataset_free(&set);
}

/* Without decoding anything again. */
static void test_what_is_known(void **state) {
    (void)state;
    mrcnn_dataset *set = labels_open("p1", NULL, "labels");
    mr_about_object about;
    unlink("p1/labels/a.png");
    mr_dataset_about(set, 0, 1, &about);
    assert_true(about.class_id == 1 && !about.is_crowd && about.region == 2 && about.has_box);
    assert_true(about.box[0] == 1 && about.box[1] == 2 && about.box[2] == 2 && about.box[3] == 4);
    labels_expect_notes(set, "E a.jpg -1 a.jpg: its label file was there, but isn't any more\n"
                             "W  -1 class \"p1\" has no object\n");
    mrcnn_dataset_free(&set);
    labels_write("p1/labels/a.png", drawing, NULL, 1);
}

/* ------------------------------------------------------------------------------------- problems */

static void test_problems(void **state) {
    (void)state;
    labels_picture("bad/images/a.jpg", 4, 3);
    labels_write("bad/labels/a.png", drawing, NULL, 1);
    labels_picture("bad/images/b.jpg", 4, 3);
    labels_picture("bad/images/c.jpg", 4, 3);
    labels_text("bad/labels/c.png", "\x89PNG\r\n\x1A\n");
    labels_picture("bad/images/d.jpg", 4, 3);
    labels_write("bad/labels/d.png", "11|11", NULL, 1);
    labels_picture("bad/images/e.jpg", 4, 3);
    labels_write("bad/labels/e.png", "....|....|....", NULL, 1);
    labels_picture("bad/images/f.jpg/x.png", 4, 3); /* a folder */
    labels_picture("bad/images/g.jpg", 4, 3);
    labels_picture("bad/labels/g.jpg", 4, 3);
    rename("bad/labels/g.jpg", "bad/labels/g.png"); /* a JPEG */
    mrcnn_dataset *set = labels_open("bad", NULL, "labels");
    assert_int_equal(mrcnn_dataset_count(set), 2);
    labels_expect_notes(
        set, "E b.jpg -1 there is no label file for it\n"
             "E c.jpg -1 bad/labels/c.png: the PNG is cut short: copy or download it again\n"
             "E f.jpg -1 this is no file\n"
             "E g.jpg -1 bad/labels/g.png: this is a JPEG picture; it must be a PNG\n"
             "E d.jpg -1 bad/labels/d.png: it has 2 x 2 pixels, but the picture d.jpg 4 x 3: was "
             "one of them resized or turned?\n");
    mrcnn_dataset_free(&set);
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    o.keep_empty = 1;
    assert_int_equal(mrcnn_dataset_open(&set, "bad", &o, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_count(set), 3);
    assert_string_equal(mrcnn_dataset_picture(set, 2)->id, "e.jpg");
    mrcnn_dataset_free(&set);
    unlink("bad/labels/a.png");
    unlink("bad/labels/d.png");
    labels_expect_error("bad", NULL, NULL,
                        "nothing in it can be used: 6 pictures were left out, 1");
}

/* A photograph is no picture of labels, though it could be read as one. */
static void test_too_many_values(void **state) {
    (void)state;
    enum { SIDE = 300 };
    mrcnn_image image = {SIDE, SIDE, 3, calloc((size_t)SIDE * SIDE, 3)};
    assert_non_null(image.pixels);
    for (int i = 0; i < SIDE * SIDE; i++)
        for (int c = 0; c < 3; c++) image.pixels[3 * i + c] = (uint8_t)((i + 1) >> (8 * c));
    labels_picture("many/images/a.jpg", SIDE, SIDE);
    labels_picture("many/labels/a.png", SIDE, SIDE);
    assert_int_equal(mrcnn_image_write(&image, "many/labels/a.png", NULL), MRCNN_OK);
    mrcnn_image_free(&image);
    labels_expect_error("many", NULL, NULL,
                        "many/labels/a.png: it has more than 65535 different values");
}

static void test_tally(void **state) {
    (void)state;
    mr_tally tally = {0};
    for (int round = 0; round < 2; round++)
        for (uint64_t i = 0; i < 5000; i++)
            assert_true(mr_tally_add(&tally, i * 0x100000001u * 77 % 5001, (int32_t)i, round, 3));
    mr_tally_sort(&tally);
    assert_int_equal(tally.count, 5000);
    uint64_t last = 0, pixels = 0;
    for (size_t i = 0; i < tally.count; i++) {
        assert_true(i == 0 || tally.counts[i].number > last);
        last = tally.counts[i].number;
        pixels += tally.counts[i].pixels;
        assert_true(tally.counts[i].box[1] == 0 && tally.counts[i].box[3] == 4);
        assert_int_equal(tally.counts[i].box[2] - tally.counts[i].box[0], 1);
    }
    assert_int_equal(pixels, 30000);
    mr_tally_free(&tally);
}

/* ------------------------------------------------------------------------------------- writing */

static void convert(const mrcnn_dataset *set, const char *folder, const char *subset,
                    const char *losses) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    char lost[1000];
    if (labels_convert(set, folder, subset, "labels", lost, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    assert_string_equal(lost, losses);
}

static void test_writing(void **state) {
    (void)state;
    make_zoo("zebra\nant\npig\nfox\n");
    mrcnn_error err = MRCNN_ERROR_INIT;
    char lost[1000];
    mrcnn_dataset *set = labels_open("zoo", NULL, "labels"), *again;
    convert(set, "out", "val", "");
    convert(set, "out", "train", "");
    for (int i = 0; i < 2; i++) {
        again = labels_open("out", i ? "train" : "val", "labels");
        labels_expect_equal(set, again);
        mrcnn_dataset_free(&again);
    }
    assert_true(cli_exists("out/images/val/a.jpg"));
    mrcnn_dataset_free(&set);
    set = labels_open("p1", NULL, "labels");
    convert(set, "named", "train", ""); /* the class keeps its name in a folder of another one */
    again = labels_open("named", NULL, "labels");
    labels_expect_equal(set, again);
    mrcnn_dataset_free(&again);
    assert_int_equal(labels_convert(set, "out", "more", "labels", lost, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "out/classes.txt: the data set that is there has other classes");
    mrcnn_dataset_free(&set);
    set = labels_open("p3", NULL, "labels");
    convert(set, "nested", "train", "");
    again = labels_open("nested", NULL, "labels");
    labels_expect_equal(set, again);
    assert_string_equal(mrcnn_dataset_picture(again, 0)->id, "deep/er/a.JPEG");
    mrcnn_dataset_free(&again);
    mrcnn_dataset_free(&set);
}

/* Masks in a picture of 4 x 1. */
static uint32_t runs[][3] = {{0, 2, 2}, {1, 2, 1}, {2, 2, 0}, {0, 4, 0}};

static mr_written_object object(int class_id, int is_crowd, int run) {
    mr_written_object o = {.class_id = class_id, .is_crowd = is_crowd};
    o.mask = (mrcnn_mask){1, 4, 3, runs[run]};
    return o;
}

static void write_objects(const mr_written_object *objects, size_t count, const char *folder,
                          char lost[1000]) {
    const char *names[1200];
    static char text[1200][20];
    for (int i = 0; i < 1200; i++) {
        snprintf(text[i], sizeof text[i], "class%d", i);
        names[i] = text[i];
    }
    mr_written_picture picture = {"a.jpg", "a.jpg", 1, 4, count, objects};
    mr_writing w = labels_writing(folder, names, 1200, lost);
    char path[100];
    snprintf(path, sizeof path, "%s/images/train/a.jpg", folder);
    labels_picture(path, 4, 1);
    snprintf(path, sizeof path, "%s/labels/train/a.png", folder);
    unlink(path); /* of the test before */
    lost[0] = 0;
    labels_write_picture(&mr_writer_labels, &w, &picture);
}

static void test_what_is_lost(void **state) {
    (void)state;
    char lost[1000];
    mr_written_object two[] = {object(1, 0, 0), object(1, 0, 1)};
    write_objects(two, 2, "lost", lost);
    assert_string_equal(lost, "parts of objects that lie behind others\n");
    mrcnn_dataset *set = labels_open("lost", NULL, "labels");
    labels_expect_mask(set, 0, 0, "1...", 1);
    labels_expect_mask(set, 0, 1, ".22.", 1);
    mrcnn_dataset_free(&set);
    mr_written_object covered[] = {object(1, 0, 0), object(2, 0, 3), object(65, 1, 3)};
    write_objects(covered, 3, "lost", lost);
    assert_string_equal(lost, "objects that lie wholly behind others\n"
                              "objects that lie wholly behind others\n");
    set = labels_open("lost", NULL, "labels");
    labels_expect_mask(set, 0, 0, "2222", 2);
    mrcnn_dataset_free(&set);
    mr_written_object crowds[] = {object(999, 1, 0), object(999, 1, 2), object(1000, 1, 2)};
    write_objects(crowds, 2, "lost", lost);
    assert_string_equal(lost, "borders between crowds of one class in one picture\n");
    set = labels_open("lost", NULL, "labels");
    labels_expect_mask(set, 0, 0, "1111", -999);
    mrcnn_dataset_free(&set);
    write_objects(crowds + 1, 2, "lost", lost);
    assert_contains(lost, "objects of a class that is beyond the 65th\n");
    mr_written_object classes[] = {object(65, 0, 0), object(66, 0, 2)};
    write_objects(classes, 2, "lost", lost);
    assert_string_equal(lost, "objects of a class that is beyond the 65th\n");
    set = labels_open("lost", NULL, "labels");
    labels_expect_mask(set, 0, 0, "11..", 65);
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 1);
    mrcnn_dataset_free(&set);
}

/* 1000 objects of a pixel each. */
static void test_most_objects(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    const char *const names[] = {"BG", "dot"};
    char lost[1000] = "";
    mr_written_object *objects = labels_dots(COUNT);
    mr_written_picture picture = {"a.png", "a.png", 1, COUNT, COUNT, objects};
    mr_writing w = labels_writing("dots", names, 2, lost);
    labels_picture("dots/images/train/a.png", COUNT, 1);
    labels_write_picture(&mr_writer_labels, &w, &picture);
    free(objects);
    assert_string_equal(lost, "objects of one class in one picture that are beyond the 999th\n");
    mrcnn_dataset *set = labels_open("dots", NULL, "labels");
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 999);
    mrcnn_dataset_free(&set);
}

static void test_names_of_classes(void **state) {
    (void)state;
    const char *const names[] = {"BG", " tab\there", "", "fine"};
    char lost[1000] = "";
    mr_writing w = labels_writing("names", names, 4, lost);
    mkdir("names", 0777);
    assert_int_equal(mr_writer_labels.begin(&w, NULL), MRCNN_OK);
    assert_int_equal(mr_writer_labels.end(&w, NULL), MRCNN_OK);
    mr_writer_labels.close(&w);
    char *text = cli_read("names/classes.txt");
    assert_string_equal(text, "tab here\nclass 2\nfine\n");
    free(text);
    assert_string_equal(lost, "class names that make no line of a list\n"
                              "class names that make no line of a list\n");
}

static int stop_at_second(void *user, size_t done, size_t total) {
    (void)user;
    return done == 1 && total == 2;
}

/* In each format, whatever was written before. */
static void test_nothing_is_left_of_half_a_set(void **state) {
    (void)state;
    static const char *const formats[] = {"labels", "voc", "png"};
    labels_picture("two/images/a.png", 4, 3);
    labels_write("two/labels/a.png", drawing, NULL, 1);
    labels_picture("two/images/b.png", 4, 3);
    labels_write("two/labels/b.png", drawing, NULL, 1);
    mrcnn_dataset *set = labels_open("two", NULL, "labels");
    for (int i = 0; i < 3; i++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_dataset_write_options o = mrcnn_dataset_write_options_default();
        o.format = formats[i];
        o.progress = stop_at_second;
        assert_int_equal(mrcnn_dataset_write(set, "half", &o, NULL, &err), MRCNN_E_CANCELLED);
        assert_int_equal(cli_count("half", ""), 0);
        o.progress = NULL;
        if (mrcnn_dataset_write(set, "half", &o, NULL, &err) != MRCNN_OK)
            fail_msg("%s", err.message);
        mrcnn_dataset *again = labels_open("half", NULL, formats[i]);
        labels_expect_equal(set, again);
        mrcnn_dataset_free(&again);
        rename("half", formats[i]);
    }
    mrcnn_dataset_free(&set);
}

/* ----------------------------------------------------------------------------------- real ones */

/* Nuclei hardly touch each other: of most pictures all of them come back. */
static void test_real_nuclei(void **state) {
    (void)state;
    struct stat info;
    if (stat(SHARED_DIR "/data/nuclei", &info) != 0) {
        print_message("skipped: no " SHARED_DIR "/data/nuclei\n");
        skip();
    }
    mkdir("nuclei", 0777);
    assert_int_equal(symlink(SHARED_DIR "/data/nuclei/stage1_train", "nuclei/stage1_train"), 0);
    char *list = cli_read(SHARED_DIR "/data/nuclei/val_ids.txt");
    list[8 * 65] = 0; /* eight of 44 */
    labels_text("nuclei/some_ids.txt", list);
    free(list);
    mrcnn_dataset *set = labels_open("nuclei", "some", "png"), *again;
    convert(set, "real", "val", "");
    again = labels_open("real", "val", "labels");
    assert_int_equal(mrcnn_dataset_count(again), 8);
    assert_string_equal(mrcnn_dataset_class_name(again, 1), "nucleus");
    labels_expect_equal(set, again);
    mrcnn_dataset_free(&again);
    mrcnn_dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_subsets_are_told_apart),
        cmocka_unit_test(test_cityscapes),
        cmocka_unit_test(test_other_formats_are_not_taken),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_lists_of_classes),
        cmocka_unit_test(test_colours),
        cmocka_unit_test(test_what_is_known),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_too_many_values),
        cmocka_unit_test(test_tally),
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_what_is_lost),
        cmocka_unit_test(test_most_objects),
        cmocka_unit_test(test_names_of_classes),
        cmocka_unit_test(test_nothing_is_left_of_half_a_set),
        cmocka_unit_test(test_real_nuclei),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
