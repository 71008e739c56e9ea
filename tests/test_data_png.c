/* test_data_png.c - data sets with a PNG for each object: where they are, classes and crowds, what is
 * wrong with them, real nuclei pixel by pixel, and writing. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_labels.h"

#include "image/label_png.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A picture of 4 x 3 pixels with the masks that are given: pairs of a name and a drawing. */
static void add_picture(const char *folder, const char *id, const char *const *masks) {
    char path[300];
    snprintf(path, sizeof path, "%s/%s/images/%s.png", folder, id, id);
    labels_picture(path, 4, 3);
    for (; *masks; masks += 2) {
        snprintf(path, sizeof path, "%s/%s/masks/%s", folder, id, masks[0]);
        labels_write(path, masks[1], (const uint16_t[]){0, 255, 1}, 1);
    }
}

#define MASKS(...) ((const char *const[]){__VA_ARGS__, NULL})

static int enter(void **state) {
    cli_enter(state);
    add_picture("cells/train", "b", MASKS("2.png", "...1|...2|....", "1.png", "11..|....|...."));
    add_picture("cells/train", "a", MASKS("x.png", "....|.11.|...."));
    add_picture("cells/val", "c", MASKS("x.png", "....|....|1111"));
    return 0;
}

/* ------------------------------------------------------------------------------------- reading */

static void check_cells(mrcnn_dataset *set) {
    const mrcnn_picture *p = mrcnn_dataset_picture(set, 1);
    assert_int_equal(mrcnn_dataset_count(set), 2);
    assert_int_equal(mrcnn_dataset_class_count(set), 2);
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "cells");
    assert_string_equal(mrcnn_dataset_picture(set, 0)->id, "a.png");
    assert_string_equal(p->id, "b.png");
    assert_string_equal(p->path, "cells/train/b/images/b.png");
    assert_string_equal(p->source, "cells");
    assert_int_equal(p->object_count, 2);
    labels_expect_mask(set, 0, 0, "....|.11.|....", 1);
    labels_expect_mask(set, 1, 0, "11..|....|....", 1);
    labels_expect_mask(set, 1, 1, "...1|...1|....", 1); /* 1 is inside as 255 is */
    labels_expect_notes(set, "");
    mrcnn_dataset_free(&set);
}

static void test_subsets(void **state) {
    (void)state;
    check_cells(labels_open("cells", NULL, "png"));
    check_cells(labels_open("cells", "train", "png"));
    check_cells(labels_open("cells/train", NULL, "png"));
    mrcnn_dataset *set = labels_open("cells", "val", "png");
    assert_string_equal(mrcnn_dataset_annotations(set), "cells/val");
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "cells");
    mrcnn_dataset_free(&set);
    labels_expect_error("cells", "test", NULL, "cells/test: there is no such folder");
}

static void test_lists(void **state) {
    (void)state;
    static const char *const folders[] = {"bowl/stage1_train", "flat"};
    static const char *const names[] = {"bowl", "flat"};
    for (int i = 0; i < 2; i++) {
        char path[100];
        add_picture(folders[i], "x", MASKS("1.png", "1...|....|...."));
        add_picture(folders[i], "y", MASKS("1.png", ".1..|....|...."));
        add_picture(folders[i], "z", MASKS("1.png", "..1.|....|...."));
        snprintf(path, sizeof path, "%s/train_ids.txt", names[i]);
        labels_text(path, "\xEF\xBB\xBFz\r\n\n  x \r\n");
        snprintf(path, sizeof path, "%s/val_ids.txt", names[i]);
        labels_text(path, "y");
        mrcnn_dataset *set = labels_open(names[i], "train", "png");
        assert_int_equal(mrcnn_dataset_count(set), 2);
        assert_string_equal(mrcnn_dataset_picture(set, 0)->id, "z.png"); /* as in the list */
        labels_expect_mask(set, 1, 0, "1...|....|....", 1);
        assert_string_equal(mrcnn_dataset_class_name(set, 1), i == 0 ? "nucleus" : "flat");
        mrcnn_dataset_free(&set);
        set = labels_open(names[i], "val", "png");
        assert_string_equal(mrcnn_dataset_annotations(set), path);
        assert_int_equal(mrcnn_dataset_count(set), 1);
        assert_string_equal(mrcnn_dataset_class_name(set, 1), i == 0 ? "nucleus" : "flat");
        mrcnn_dataset_free(&set);
    }
    mrcnn_dataset *set = labels_open("bowl", NULL, "png"); /* train's */
    assert_int_equal(mrcnn_dataset_count(set), 2);
    mrcnn_dataset_free(&set);
    set = labels_open("bowl/stage1_train", NULL, "png");
    assert_int_equal(mrcnn_dataset_count(set), 3);
    mrcnn_dataset_free(&set);
    unlink("bowl/train_ids.txt");
    set = labels_open("bowl", NULL, "png");
    assert_int_equal(mrcnn_dataset_count(set), 3);
    mrcnn_dataset_free(&set);
    set = labels_open("flat", NULL, "png"); /* itself, though there are lists */
    assert_int_equal(mrcnn_dataset_count(set), 3);
    mrcnn_dataset_free(&set);
}

static void test_classes(void **state) {
    (void)state;
    add_picture("zoo", "p",
                MASKS("dog/0001.png", "1...|....|....", "cat/0002.png", ".1..|....|....",
                      "dog/0003-crowd.png", "..1.|....|....", "cat/0003.png", "...1|....|....",
                      "0000.png", "....|1...|...."));
    mrcnn_dataset *set = labels_open("zoo", NULL, "png");
    static const char *const names[] = {"BG", "cat", "dog", "zoo"};
    assert_int_equal(mrcnn_dataset_class_count(set), 4);
    for (int i = 0; i < 4; i++) assert_string_equal(mrcnn_dataset_class_name(set, i), names[i]);
    labels_expect_mask(set, 0, 0, "....|1...|....", 3);
    labels_expect_mask(set, 0, 1, "1...|....|....", 2);
    labels_expect_mask(set, 0, 2, ".1..|....|....", 1);
    labels_expect_mask(set, 0, 3, "..1.|....|....", -2);
    labels_expect_mask(set, 0, 4, "...1|....|....", 1);
    labels_expect_notes(set, "");
    mrcnn_dataset_free(&set);
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    o.class_names = (const char *const[]){"BG", "dog", NULL};
    assert_int_equal(mrcnn_dataset_open(&set, "zoo", &o, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 2);
    labels_expect_mask(set, 0, 1, "..1.|....|....", -1);
    mrcnn_dataset_free(&set);
}

/* Photographs of any kind, and one that isn't called after its folder. */
static void test_other_pictures(void **state) {
    (void)state;
    labels_picture("odd/s1/images/photo.JPG.jpg", 4, 3);
    labels_write("odd/s1/masks/1.png", "1...|....|....", NULL, 1);
    labels_picture("odd/s2/images/photo.JPG.jpg", 4, 3);
    labels_write("odd/s2/masks/1.png", ".1..|....|....", NULL, 1);
    labels_picture("odd/s3/images/below/s3.jpg", 4, 3);
    labels_write("odd/s3/masks/1.png", "..1.|....|....", NULL, 1);
    mrcnn_dataset *set = labels_open("odd", NULL, "png");
    assert_int_equal(mrcnn_dataset_count(set), 3);
    assert_string_equal(mrcnn_dataset_picture(set, 0)->id, "s1/images/photo.JPG.jpg");
    assert_string_equal(mrcnn_dataset_picture(set, 2)->id, "s3.jpg");
    labels_expect_mask(set, 1, 0, ".1..|....|....", 1);
    labels_expect_mask(set, 2, 0, "..1.|....|....", 1);
    labels_expect_notes(set, "");
    mrcnn_dataset_free(&set);
}

static void test_palette_and_colours(void **state) {
    (void)state;
    add_picture("kinds", "p", MASKS("1.png", "1...|....|...."));
    mr_labels labels = {.height = 3, .width = 4, .bytes = 1, .colors = 2, .palette = {{9, 9, 9}}};
    labels.pixels = calloc(12, 1);
    labels.pixels[5] = 1; /* black */
    assert_int_equal(mr_labels_write(&labels, "kinds/p/masks/2.png", NULL), MRCNN_OK);
    mr_labels_free(&labels);
    labels_write("kinds/p/masks/3.png", "....|....|..12", NULL, 3);
    labels_write("kinds/p/masks/4.png", "....|....|12..", NULL, 2);
    mrcnn_dataset *set = labels_open("kinds", NULL, "png");
    labels_expect_mask(set, 0, 1, "1111|1.11|1111", 1);
    labels_expect_mask(set, 0, 2, "....|....|..11", 1);
    labels_expect_mask(set, 0, 3, "....|....|11..", 1);
    mrcnn_dataset_free(&set);
}

/* ------------------------------------------------------------------------------------- problems */

static void test_problems(void **state) {
    (void)state;
    add_picture("bad", "a",
                MASKS("1.png", "1...|....|....", "2.png", "....|....|....", "3.png", "11|11"));
    labels_text("bad/a/masks/4.png", "no PNG");
    labels_text("bad/a/masks/readme.txt", "no mask");
    labels_picture("bad/a/masks/5.png/x.jpg", 4, 3); /* a folder */
    mkdir("bad/b", 0777);
    labels_picture("bad/c/images/c.png", 4, 3); /* without masks/ */
    labels_text("bad/d/images/d.png", "\x89PNG\r\n\x1A\n");
    labels_write("bad/d/masks/1.png", "1...|....|....", NULL, 1);
    labels_text("bad/notes.txt", "no folder");
    mrcnn_dataset *set = labels_open("bad", NULL, "png");
    assert_int_equal(mrcnn_dataset_count(set), 2);
    labels_expect_notes(
        set,
        "E b -1 there is no picture of the folder's name in its images/\n"
        "E a.png 1 it covers no pixel of the picture\n"
        "E a.png 2 bad/a/masks/3.png: the mask has 2 x 2 pixels, but its picture a.png 4 x 3: was "
        "one of them resized or turned?\n"
        "E a.png 3 bad/a/masks/4.png: this is a text file; it must be a PNG\n"
        "E a.png 4 bad/a/masks/5.png: is a folder, not a file\n"
        "E d.png -1 bad/d/images/d.png: the PNG is cut short: copy or download it again\n");
    mrcnn_dataset_free(&set);
    labels_text("bad/train_ids.txt", "a\n../bad/a\n..\na/masks\nnone\na\n/etc\n");
    set = labels_open("bad", "train", "png");
    assert_int_equal(mrcnn_dataset_count(set), 1);
    unlink("bad/a/masks/2.png");
    unlink("bad/a/masks/3.png");
    unlink("bad/a/masks/4.png");
    labels_expect_notes(set,
                        "E ../bad/a -1 this is no name of a picture's folder\n"
                        "E .. -1 this is no name of a picture's folder\n"
                        "E a/masks -1 this is no name of a picture's folder\n"
                        "E none -1 there is no folder of this name\n"
                        "E /etc -1 this is no name of a picture's folder\n"
                        "E a.png -1 there is more than one entry for this picture: one with 5 "
                        "objects was left out\n"
                        "E a.png 1 bad/a/masks/2.png: can't open it: No such file or directory\n"
                        "E a.png 2 bad/a/masks/3.png: can't open it: No such file or directory\n"
                        "E a.png 3 bad/a/masks/4.png: can't open it: No such file or directory\n"
                        "E a.png 4 bad/a/masks/5.png: is a folder, not a file\n");
    mrcnn_dataset_free(&set);
    labels_text("bad/empty_ids.txt", " \n\n");
    labels_expect_error("bad", "empty", NULL, "empty_ids.txt: nothing in it can be used");
    labels_text("bad/gone_ids.txt", "x\n");
    labels_expect_error("bad", "gone", NULL, "first: x: there is no folder of this name");
    labels_expect_error("bad", "val", "png", "bad/val: there is no such folder");
}

/* ---------------------------------------------------------------------------------- detection */

static void test_other_formats_are_not_taken(void **state) {
    (void)state;
    labels_picture("yolo/images/train/a.jpg", 4, 3);
    labels_text("yolo/labels/train/a.txt", "0 0.1 0.1 0.5 0.1 0.5 0.5");
    labels_expect_error("yolo", NULL, "png", "no annotations that can be read");
    labels_picture("coco/train2017/a.jpg", 4, 3);
    labels_text("coco/annotations/instances_train2017.json", "{\"images\":[]}");
    labels_expect_error("coco", NULL, "png", "no annotations that can be read");
    labels_picture("map/train/images/only.png", 4, 3);
    labels_write("map/train/masks/only.png", "1...|....|....", NULL, 1);
    labels_expect_error("map", NULL, "png", "no annotations that can be read");
    labels_text("cells/train/a/via_region_data.json", "{}"); /* too deep to matter */
    check_cells(labels_open("cells", NULL, "png"));
}

/* ------------------------------------------------------------------------------------- writing */

static void convert(const mrcnn_dataset *set, const char *folder, const char *subset,
                    const char *losses) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    char lost[1000];
    if (labels_convert(set, folder, subset, "png", lost, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    assert_string_equal(lost, losses);
}

static void test_writing(void **state) {
    (void)state;
    mrcnn_dataset *set = labels_open("zoo", NULL, "png"), *again;
    convert(set, "out", "train", "");
    again = labels_open("out", NULL, "png");
    labels_expect_equal(set, again);
    assert_true(cli_exists("out/train/p/images/p.png"));
    assert_true(cli_exists("out/train/p/masks/dog/0003-crowd.png"));
    mrcnn_dataset_free(&again);
    mrcnn_error err = MRCNN_ERROR_INIT;
    char lost[1000];
    assert_int_equal(labels_convert(set, "out", "train", "png", lost, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "out/train: is not empty");
    mrcnn_dataset_free(&set);
    set = labels_open("cells", NULL, "png");
    convert(set, "same/cells", "val", ""); /* the class is the folder's name: no folder of it */
    assert_true(cli_exists("same/cells/val/b/masks/0001.png"));
    convert(set, "renamed", "val", "");
    assert_true(cli_exists("renamed/val/b/masks/cells/0001.png"));
    again = labels_open("renamed", "val", "png");
    labels_expect_equal(set, again);
    mrcnn_dataset_free(&again);
    mrcnn_dataset_free(&set);
}

static void test_names_of_classes(void **state) {
    (void)state;
    mrcnn_dataset *set;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    o.class_names = (const char *const[]){"BG", "../up", "a/b.png", "", "dog", "cat", "zoo", NULL};
    assert_int_equal(mrcnn_dataset_open(&set, "zoo", &o, NULL), MRCNN_OK);
    convert(set, "tame", "train", "3 class names that make no name of a folder\n");
    mrcnn_dataset_free(&set);
    set = labels_open("tame", NULL, "png");
    assert_int_equal(mrcnn_dataset_picture(set, 0)->object_count, 5);
    mrcnn_dataset_free(&set);
    /* A picture's masks are there already: nothing is mixed. */
    const mr_written_object object = {.class_id = 1, .mask = {1, 1, 2, (uint32_t[]){0, 1}}};
    const mr_written_picture picture = {"q.png", "q.png", 1, 1, 1, &object};
    mr_writing w = {.folder = "tame", .subset = "train", .class_count = 2};
    w.class_names = (const char *const[]){"BG", "dog"};
    assert_int_equal(mr_writer_png.begin(&w, NULL), MRCNN_OK);
    assert_int_equal(mr_writer_png.add(&w, &picture, NULL), MRCNN_OK);
    assert_true(cli_exists("tame/train/q/masks/dog/0000.png"));
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_writer_png.add(&w, &picture, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "tame/train/q/masks: is there already");
    mr_writer_png.close(&w); /* without an end: what was written goes */
    assert_false(cli_exists("tame/train/q"));
    assert_true(cli_exists("tame/train/p"));
}

/* ----------------------------------------------------------------------------------- real ones */

static size_t count_files(const char *folder) {
    size_t count = 0;
    DIR *open = opendir(folder);
    assert_non_null(open);
    while (readdir(open)) count++;
    closedir(open);
    return count - 2;
}

/* The n-th mask of a picture by name. */
static void find_mask(const char *folder, size_t n, char path[800]) {
    struct dirent **entries;
    int count = scandir(folder, &entries, NULL, alphasort);
    assert_true(count > (int)n + 2);
    snprintf(path, 800, "%s/%s", folder, entries[n + 2]->d_name);
    for (int i = 0; i < count; i++) free(entries[i]);
    free(entries);
}

/* Against the decoder of pictures. */
static void compare_picture(const mrcnn_dataset *set, size_t index) {
    const mrcnn_picture *p = mrcnn_dataset_picture(set, index);
    char folder[500], path[800];
    snprintf(folder, sizeof folder, "%.*s/masks", (int)(strstr(p->path, "/images/") - p->path),
             p->path);
    assert_int_equal(p->object_count, count_files(folder));
    for (size_t k = 0; k < p->object_count; k += 1 + p->object_count / 8) {
        mrcnn_image image = {0};
        int id = 0;
        find_mask(folder, k, path);
        assert_int_equal(mrcnn_image_read(&image, path, NULL, NULL), MRCNN_OK);
        size_t pixels = (size_t)image.height * (size_t)image.width;
        uint8_t *mask = malloc(pixels);
        assert_non_null(mask);
        assert_int_equal(mr_dataset_mask(set, index, k, image.height, image.width, mask, &id, NULL),
                         MRCNN_OK);
        assert_int_equal(id, 1);
        for (size_t i = 0; i < pixels; i++)
            if (mask[i] != (image.pixels[3 * i] != 0)) fail_msg("%s: pixel %zu", path, i);
        free(mask);
        mrcnn_image_free(&image);
    }
}

static void test_real_nuclei(void **state) {
    (void)state;
    static const struct {
        const char *subset;
        size_t pictures;
    } cases[] = {{"train", 89}, {"val", 44}};
    struct stat info;
    size_t objects = 0;
    if (stat(SHARED_DIR "/data/nuclei", &info) != 0) {
        print_message("skipped: no " SHARED_DIR "/data/nuclei\n");
        skip();
    }
    for (int i = 0; i < 2; i++) {
        mrcnn_dataset *set = labels_open(SHARED_DIR "/data/nuclei", cases[i].subset, "png");
        assert_int_equal(mrcnn_dataset_count(set), cases[i].pictures);
        assert_string_equal(mrcnn_dataset_class_name(set, 1), "nucleus");
        for (size_t k = 0; k < cases[i].pictures; k++) {
            objects += mrcnn_dataset_picture(set, k)->object_count;
            compare_picture(set, k);
        }
        mrcnn_dataset_free(&set);
    }
    assert_int_equal(objects, 5873);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subsets),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_other_pictures),
        cmocka_unit_test(test_palette_and_colours),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_other_formats_are_not_taken),
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_names_of_classes),
        cmocka_unit_test(test_real_nuclei),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
