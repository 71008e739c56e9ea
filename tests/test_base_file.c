/* test_base_file.c - whole files in, whole files out, or nothing. */
#include "helper_assert.h"

#include "base/file.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of its own for each test, removed with what is in it. */
static int setup(void **state) {
    char *folder = malloc(64);
    if (!folder) return -1;
    snprintf(folder, 64, "/tmp/mrcnn-base-XXXXXX");
    *state = folder;
    return mkdtemp(folder) ? 0 : -1;
}

static int is_dots(const char *name) {
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void remove_folder(const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) return;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) {
        char path[600];
        struct stat info;
        if (is_dots(e->d_name)) continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode))
            remove_folder(path);
        else
            unlink(path);
    }
    closedir(dir);
    rmdir(folder);
}

static int teardown(void **state) {
    chmod(*state, 0700);
    remove_folder(*state);
    free(*state);
    return 0;
}

static int files_in(const char *folder) {
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int count = 0;
    for (struct dirent *e; (e = readdir(dir)) != NULL;) count += !is_dots(e->d_name);
    closedir(dir);
    return count;
}

static char *path_in(const char *folder, const char *name) {
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void assert_holds(const char *path, const char *text) {
    void *bytes = NULL;
    size_t length = 0;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_file_read(path, 0, &bytes, &length, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(length, strlen(text));
    assert_string_equal(bytes, text); /* there is a 0 behind the bytes */
    free(bytes);
}

static void test_write_and_read(void **state) {
    const char *path = path_in(*state, "a");
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_file_write(path, "first", 5, &err), MRCNN_OK);
    assert_holds(path, "first");
    assert_int_equal(mr_file_write(path, "2nd", 3, &err), MRCNN_OK);
    assert_holds(path, "2nd");
    assert_int_equal(mr_file_write(path, "", 0, &err), MRCNN_OK);
    assert_holds(path, "");
    assert_int_equal(files_in(*state), 1);
    assert_string_equal(err.message, "");
}

static void test_read_limits(void **state) {
    enum { LENGTH = 200000 }; /* more than the reader's first buffer */
    const char *path = path_in(*state, "a");
    char *text = malloc(LENGTH);
    assert_non_null(text);
    for (int i = 0; i < LENGTH; i++) text[i] = (char)(i % 251);
    assert_int_equal(mr_file_write(path, text, LENGTH, NULL), MRCNN_OK);
    static const size_t limits[] = {0, LENGTH, LENGTH + 1};
    void *bytes = NULL;
    size_t length = 0;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(mr_file_read(path, limits[i], &bytes, &length, NULL), MRCNN_OK);
        assert_int_equal(length, LENGTH);
        assert_memory_equal(bytes, text, LENGTH);
        free(bytes);
    }
    bytes = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_file_read(path, LENGTH - 1, &bytes, &length, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, path);
    assert_int_equal(mr_file_read("/dev/zero", 1000, &bytes, &length, &err), MRCNN_E_FORMAT);
    assert_null(bytes);
    free(text);
}

static void test_read_what_is_not_there(void **state) {
    void *bytes = NULL;
    size_t length = 0;
    mrcnn_error err = MRCNN_ERROR_INIT;
    const char *path = path_in(*state, "missing");
    assert_int_equal(mr_file_read(path, 0, &bytes, &length, &err), MRCNN_E_IO);
    assert_contains(err.message, path);
    assert_int_equal(mr_file_read(*state, 0, &bytes, &length, &err), MRCNN_E_IO);
    assert_contains(err.message, "folder");
    assert_null(bytes);
}

static void test_write_into_nowhere(void **state) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    const char *path = path_in(*state, "no/such/folder/a");
    assert_int_equal(mr_file_write(path, "x", 1, &err), MRCNN_E_IO);
    assert_contains(err.message, path);
    assert_int_equal(files_in(*state), 0);
}

static void test_write_into_a_locked_folder(void **state) {
    if (geteuid() == 0) {
        print_message("root may write anywhere\n");
        skip();
    }
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(chmod(*state, 0500), 0);
    assert_int_equal(mr_file_write(path_in(*state, "a"), "x", 1, &err), MRCNN_E_IO);
    assert_int_equal(chmod(*state, 0700), 0);
    assert_int_equal(files_in(*state), 0);
}

/* Renaming onto a folder fails after the bytes were written: nothing may be left beside it. */
static void test_write_over_a_folder(void **state) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    const char *path = path_in(*state, "folder");
    assert_int_equal(mkdir(path, 0777), 0);
    assert_int_equal(mr_file_write(path, "x", 1, &err), MRCNN_E_IO);
    assert_contains(err.message, path);
    assert_int_equal(files_in(*state), 1);
}

/* The limit on a file's size stands in for a full disk: the old file stays, no part of the new one.
 */
static void test_a_full_disk(void **state) {
    enum { LENGTH = 100000 };
    const char *path = path_in(*state, "a");
    assert_int_equal(mr_file_write(path, "old", 3, NULL), MRCNN_OK);
    char *bytes = calloc(1, LENGTH);
    assert_non_null(bytes);
    struct rlimit before, low;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = before;
    low.rlim_cur = 8192;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_status status = mr_file_write(path, bytes, LENGTH, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    free(bytes);
    assert_int_equal(status, MRCNN_E_IO);
    assert_contains(err.message, path);
    assert_holds(path, "old");
    assert_int_equal(files_in(*state), 1);
}

/* Devices are written to and stay devices, even when root could replace them. */
static void test_devices(void **state) {
    (void)state;
    struct stat info;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_file_write("/dev/null", "x", 1, &err), MRCNN_OK);
    assert_true(stat("/dev/null", &info) == 0 && S_ISCHR(info.st_mode));
    if (stat("/dev/full", &info) != 0) {
        print_message("there is no /dev/full\n");
        skip();
    }
    assert_int_equal(mr_file_write("/dev/full", "x", 1, &err), MRCNN_E_IO);
    assert_contains(err.message, "/dev/full: can't write it");
    assert_true(stat("/dev/full", &info) == 0 && S_ISCHR(info.st_mode));
    assert_int_equal(mr_file_write("/dev/full/a", "x", 1, &err), MRCNN_E_IO);
}

static void test_commit_onto_a_device(void **state) {
    struct stat info;
    mrcnn_error err = MRCNN_ERROR_INIT;
    const char *part = path_in(*state, "part");
    assert_int_equal(mr_file_write(part, "x", 1, &err), MRCNN_OK);
    assert_int_equal(mr_file_commit(part, "/dev/null", &err), MRCNN_E_IO);
    assert_contains(err.message, "no plain file");
    assert_true(stat("/dev/null", &info) == 0 && S_ISCHR(info.st_mode));
    assert_int_equal(files_in(*state), 0);
}

static void test_part_names_differ(void **state) {
    const char *path = path_in(*state, "a");
    char *one = mr_file_part_name(path), *two = mr_file_part_name(path);
    assert_string_not_equal(one, two);
    assert_memory_equal(one, path, strlen(path)); /* in the same folder: rename stays on one disk */
    free(one);
    free(two);
}

static void test_commit_of_nothing(void **state) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    char part[200];
    snprintf(part, sizeof part, "%s/a.part", (const char *)*state);
    assert_int_equal(mr_file_commit(part, path_in(*state, "a"), &err), MRCNN_E_IO);
    assert_int_equal(files_in(*state), 0);
}

static void test_make_directories(void **state) {
    struct stat info;
    mrcnn_error err = MRCNN_ERROR_INIT;
    static const char *const paths[] = {"a/b/c", "a/b/c", "a/b/c/", "a//d", "."};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *path = path_in(*state, paths[i]);
        mr_make_directories(path, &err);
        assert_string_equal(err.message, "");
        assert_true(stat(path, &info) == 0 && S_ISDIR(info.st_mode));
    }
    assert_int_equal(mr_make_directories("/", &err), MRCNN_OK);
    const char *file = path_in(*state, "file");
    assert_int_equal(mr_file_write(file, "x", 1, NULL), MRCNN_OK);
    assert_int_equal(mr_make_directories(file, &err), MRCNN_E_IO);
    assert_contains(err.message, "file of that name");
    assert_int_equal(mr_make_directories(path_in(*state, "file/below"), &err), MRCNN_E_IO);
    assert_int_equal(mr_make_directories("", &err), MRCNN_E_IO);
}

int main(void) {
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_write_and_read),
        IN_FOLDER(test_read_limits),
        IN_FOLDER(test_read_what_is_not_there),
        IN_FOLDER(test_write_into_nowhere),
        IN_FOLDER(test_write_into_a_locked_folder),
        IN_FOLDER(test_write_over_a_folder),
        IN_FOLDER(test_a_full_disk),
        IN_FOLDER(test_devices),
        IN_FOLDER(test_commit_onto_a_device),
        IN_FOLDER(test_part_names_differ),
        IN_FOLDER(test_commit_of_nothing),
        IN_FOLDER(test_make_directories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
