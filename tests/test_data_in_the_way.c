/* test_data_in_the_way.c - data sets in every format that meet what they don't expect: one of their files
 * is a pipe, which nobody writes to, a folder or a link to itself, and something is said about it, and
 * nothing waits; or where they are to be written there is something already, and it stays as it is. */
#define _XOPEN_SOURCE 700 /* nftw, symlink */

#include "helper_assert.h"
#include "helper_cli.h"

#include "base/file.h"

#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECONDS = 60, MOST_FILES = 40 };

typedef enum stand_in { PIPE, FOLDER, LINK, STAND_INS } stand_in;

static char *files[MOST_FILES];
static size_t file_count;

static int keep_file(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)info;
    (void)where;
    if (type != FTW_F) return 0;
    assert_true(file_count < MOST_FILES);
    files[file_count++] = strdup(path);
    return 0;
}

static void put(stand_in what, const char *path) {
    const char *slash = strrchr(path, '/');
    int failed = what == PIPE     ? mkfifo(path, 0600)
                 : what == FOLDER ? mkdir(path, 0700)
                                  : symlink(slash ? slash + 1 : path, path);
    assert_int_equal(failed, 0);
}

/* Reads all there is; the number of things that were complained of. */
static size_t use(const mrcnn_dataset *set) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_check_options options = mrcnn_dataset_check_options_default();
    mrcnn_dataset_summary *summary = NULL;
    size_t failures = 0;
    options.full = 1;
    assert_int_equal(mrcnn_dataset_check(set, &options, &summary, &err), MRCNN_OK);
    failures += summary->errors + summary->warnings + summary->without_objects;
    mrcnn_dataset_summary_free(&summary);
    for (size_t i = 0; i < mrcnn_dataset_count(set); i++) {
        mrcnn_image image = {0};
        mrcnn_objects objects = {0};
        failures += mrcnn_dataset_read(set, i, &image, &err) != MRCNN_OK;
        failures += mrcnn_dataset_objects(set, i, &objects, &err) != MRCNN_OK;
        mrcnn_image_free(&image);
        mrcnn_objects_free(&objects);
    }
    return failures;
}

/* How many complaints there are with that in the file's place. */
static size_t replace(const char *format, const char *path, stand_in what) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.format = format;
    options.keep_empty = 1;
    assert_int_equal(rename(path, "aside"), 0);
    put(what, path);
    size_t complaints = 1;
    if (mrcnn_dataset_open(&set, "set", &options, &err) == MRCNN_OK)
        complaints = use(set) + (mrcnn_dataset_count(set) < 2);
    else
        assert_true(err.message[0] != 0);
    mrcnn_dataset_free(&set);
    remove(path);
    assert_int_equal(rename("aside", path), 0);
    return complaints;
}

/* Files that a data set can do without. */
static int is_optional(const char *path) {
    return strstr(path, "classes.txt") || strstr(path, "labelmap.txt") ||
           strstr(path, "ImageSets") || strstr(path, "data.yaml");
}

static mrcnn_dataset *open_shapes(void) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *shapes = NULL;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.format = "shapes";
    options.shapes_count = 2;
    options.shapes_height = options.shapes_width = 80;
    assert_int_equal(mrcnn_dataset_open(&shapes, "shapes", &options, &err), MRCNN_OK);
    return shapes;
}

static void test_every_file(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *shapes = open_shapes();
    alarm(SECONDS); /* ends a test that waits for a pipe */
    for (size_t i = 0; mrcnn_dataset_writer(i); i++) {
        mrcnn_dataset_write_options as = mrcnn_dataset_write_options_default();
        as.format = mrcnn_dataset_writer(i);
        assert_int_equal(mrcnn_dataset_write(shapes, "set", &as, NULL, &err), MRCNN_OK);
        file_count = 0;
        assert_int_equal(nftw("set", keep_file, 10, FTW_PHYS), 0);
        assert_true(file_count >= 3);
        for (size_t f = 0; f < file_count; f++) {
            for (stand_in what = PIPE; what < STAND_INS; what++)
                if (replace(as.format, files[f], what) == 0 && !is_optional(files[f]))
                    fail_msg("%s: nothing was said about %s (%d)", as.format, files[f], (int)what);
            free(files[f]);
        }
        assert_int_equal(rename("set", as.format), 0);
    }
    alarm(0);
    mrcnn_dataset_free(&shapes);
}

/* -------------------------------------------------------------------------------------- writing */

static int count_file(const char *path, const struct stat *info, int type, struct FTW *where) {
    (void)path;
    (void)info;
    (void)where;
    file_count += type != FTW_D;
    return 0;
}

/* Writes to a folder in which that is: a file, which says so, or else. */
static void write_around(const mrcnn_dataset *set, const char *format, const char *path,
                         stand_in what, const char *message) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_write_options as = mrcnn_dataset_write_options_default();
    char whole[200], folder[200];
    as.format = format;
    snprintf(whole, sizeof whole, "taken/%s", path);
    snprintf(folder, sizeof folder, "%s", whole);
    *strrchr(folder, '/') = 0;
    assert_int_equal(mr_make_directories(folder, &err), MRCNN_OK);
    if (what == STAND_INS)
        cli_write(whole, "mine");
    else
        put(what, whole);
    assert_int_not_equal(mrcnn_dataset_write(set, "taken", &as, NULL, &err), MRCNN_OK);
    assert_contains(err.message, message);
    file_count = 0;
    assert_int_equal(nftw("taken", count_file, 10, FTW_PHYS), 0);
    assert_int_equal(file_count, what == FOLDER ? 0 : 1); /* nothing else is left */
    if (what == STAND_INS) {
        char *text = cli_read(whole);
        assert_string_equal(text, "mine");
        free(text);
    }
    assert_int_equal(remove(whole), 0);
    while (strchr(folder, '/')) {
        rmdir(folder);
        *strrchr(folder, '/') = 0;
    }
    assert_int_equal(rmdir("taken"), 0);
}

static void test_what_is_there_stays(void **state) {
    (void)state;
    static const struct {
        const char *format, *path;
        stand_in what; /* STAND_INS: a file */
        const char *message;
    } cases[] = {
        {"labels", "labels/train/1.png", STAND_INS, "labels/train/1.png: is there already"},
        {"voc", "SegmentationObject/train/1.png", STAND_INS, "train/1.png: is there already"},
        {"voc", "SegmentationClass/train/1.png", STAND_INS, "train/1.png: is there already"},
        {"yolo", "labels/train/1.txt", STAND_INS, "labels/train/1.txt: is there already"},
        {"labels", "labels/train/1.png", LINK, "labels/train/1.png: is there already"},
        {"voc", "ImageSets/Segmentation/train.txt", FOLDER, "train.txt: is there already"},
        {"voc", "ImageSets/Segmentation/train.txt", PIPE, "train.txt: is there already"},
        {"voc", "labelmap.txt", PIPE, "labelmap.txt: is no plain file"},
        {"labels", "classes.txt", PIPE, "classes.txt: is no plain file"},
        {"labels", "classes.txt", FOLDER, "classes.txt: is a folder, not a file"},
        {"yolo", "data.yaml", STAND_INS, "data.yaml: is there already"},
        {"yolo", "data.yaml", PIPE, "data.yaml: is no plain file"},
        {"coco", "annotations/instances_train.json", PIPE, "there is a subset"},
    };
    mrcnn_dataset *shapes = open_shapes();
    alarm(SECONDS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        write_around(shapes, cases[i].format, cases[i].path, cases[i].what, cases[i].message);
    alarm(0);
    mrcnn_dataset_free(&shapes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_file),
        cmocka_unit_test(test_what_is_there_stays),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
