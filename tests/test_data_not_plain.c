/* test_data_not_plain.c - data sets in every format, one of whose files is no file: a pipe, which nobody
 * writes to, a folder, a link to itself. Something is said about it, and nothing waits. */
#define _XOPEN_SOURCE 700 /* nftw, symlink */

#include "helper_assert.h"
#include "helper_cli.h"

#include <mrcnn/mrcnn.h>

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

static void test_every_file(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *shapes = NULL;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.format = "shapes";
    options.shapes_count = 2;
    options.shapes_height = options.shapes_width = 80;
    assert_int_equal(mrcnn_dataset_open(&shapes, "shapes", &options, &err), MRCNN_OK);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_file),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
