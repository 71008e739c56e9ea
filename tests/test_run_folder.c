/* test_run_folder.c - names of run folders and checkpoints, and finding folders again. */
#include "helper_assert.h"
#include "helper_weights.h"

#include "base/file.h"
#include "train/run_folder.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct tm evening = {
    .tm_year = 126, .tm_mon = 11, .tm_mday = 31, .tm_hour = 23, .tm_min = 58, .tm_isdst = -1};

static int setup(void **state) {
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    make_scratch();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    remove_scratch();
    return 0;
}

static void test_names(void **state) {
    (void)state;
    static const struct {
        const char *name, *folder;
    } names[] = {{"Balloon", "balloon"},
                 {"COCO-2017_x", "coco-2017_x"},
                 {"my model v1.2", "my_model_v1_2"},
                 {"Größe", "größe"},
                 {"", ""}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[MR_RUN_NAME];
        mr_run_name(name, names[i].name);
        assert_string_equal(name, names[i].folder);
    }
    char wide[200], name[MR_RUN_NAME];
    memset(wide, 'a', sizeof wide - 1);
    wide[sizeof wide - 1] = 0;
    mr_run_name(name, wide);
    assert_int_equal(strlen(name), MR_RUN_NAME - 1);
}

static void test_create(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_run_folder run = {0};
    const char *logs = scratch("deep/logs");
    /* Four runs in one minute: the later ones go on into the next year. */
    static const char *const names[] = {"shapes20261231T2358", "shapes20261231T2359",
                                        "shapes20270101T0000", "shapes20270101T0001"};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(mr_run_folder_create(&run, logs, "Shapes", &evening, &err), MRCNN_OK);
        assert_string_equal(strrchr(run.path, '/') + 1, names[i]);
        assert_string_equal(run.name, "shapes");
        assert_int_equal(rmdir(run.path), 0); /* empty: the probe is gone */
        mkdir(run.path, 0777);
        if (i < 3) mr_run_folder_free(&run);
    }
    static const struct {
        mr_checkpoint_kind kind;
        int64_t epoch;
        const char *file;
    } files[] = {{MR_CHECKPOINT_EPOCH, 7, "mask_rcnn_shapes_0007.h5"},
                 {MR_CHECKPOINT_EPOCH, 12345, "mask_rcnn_shapes_12345.h5"},
                 {MR_CHECKPOINT_INTERRUPTED, 7, "mask_rcnn_shapes_interrupted.h5"},
                 {MR_CHECKPOINT_BEST, 7, "mask_rcnn_shapes_best.h5"}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *path = mr_checkpoint_path(&run, files[i].kind, files[i].epoch);
        mr_checkpoint_kind kind;
        int64_t epoch;
        assert_string_equal(strrchr(path, '/') + 1, files[i].file);
        assert_true(mr_checkpoint_name_parse(files[i].file, "shapes", ".h5", &kind, &epoch));
        assert_int_equal(kind, files[i].kind);
        assert_int_equal(epoch, kind == MR_CHECKPOINT_EPOCH ? files[i].epoch : -1);
        free(path);
    }
    mr_run_folder_free(&run);
}

static void test_create_refused(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_run_folder run = {0};
    assert_int_equal(mr_run_folder_create(&run, scratch("x"), "", &evening, &err), MRCNN_E_CONFIG);
    assert_contains(err.message, "NAME");
    mr_file_write(scratch("file"), "x", 1, NULL);
    assert_int_equal(mr_run_folder_create(&run, scratch("file"), "a", &evening, &err), MRCNN_E_IO);
    assert_contains(err.message, "file");
    assert_int_equal(mr_run_folder_open(&run, scratch("none"), "a", &err), MRCNN_E_IO);
    assert_contains(err.message, "none");
    assert_int_equal(mr_run_folder_open(&run, "/proc", "a", &err), MRCNN_E_IO);
    assert_null(run.path);
    assert_int_equal(mr_run_folder_open(&run, "/tmp///", "a", &err), MRCNN_OK);
    assert_string_equal(run.path, "/tmp");
    mr_run_folder_free(&run);
}

static void test_other_files(void **state) {
    (void)state;
    static const char *const others[] = {
        "mask_rcnn_shapes2_0001.h5",      "mask_rcnn_shapes_001.h5",
        "mask_rcnn_shapes_0001.h5.new",   "mask_rcnn_shapes_000a.h5",
        "mask_rcnn_shapes_.h5",           "mask_rcnn_shapes.h5",
        "mask_rcnn_shapes_0001",          "xmask_rcnn_shapes_0001.h5",
        "mask_rcnn_shapes_bests.h5",      "mask_rcnn_shapes_x_0001.h5",
        "mask_rcnn_shapes_0000000001.h5", ""};
    mr_checkpoint_kind kind;
    int64_t epoch;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (mr_checkpoint_name_parse(others[i], "shapes", ".h5", &kind, &epoch))
            fail_msg("%s was taken", others[i]);
}

/* Paths that matterport's pattern matches, with what it finds; and others. */
static void test_origin(void **state) {
    (void)state;
    static const struct {
        const char *path, *folder;
        int64_t epoch;
        int same_name;
    } paths[] = {
        {"/logs/shapes20171029T2315/mask_rcnn_shapes_0001.h5", "/logs/shapes20171029T2315", 1, 1},
        {"/logs/coco20171029T2315/mask_rcnn_coco_0160.h5", "/logs/coco20171029T2315", 160, 0},
        {"a\\shapes20171029T2315\\mask_rcnn_shapes_0042.h5", "a\\shapes20171029T2315", 42, 1},
        {"shapes20171029T2315/mask_rcnn_shapes_12345.h5", "shapes20171029T2315", 12345, 1},
        {"/l/a-b_c20171029T2315/mask_rcnn_x0007.h5", "/l/a-b_c20171029T2315", 7, 0},
        {"/l/shapes20171029T2315/mask_rcnn_x20250007.h5", "/l/shapes20171029T2315", 7, 0},
        {"/l/shapes20171029T2315/mask_rcnn_shapes_interrupted.h5", "/l/shapes20171029T2315", -1, 1},
        {"/l/shapes20171029T2315/mask_rcnn_shapes_best.h5", NULL, 0, 0},
        {"/l/shapes20171329T2315/mask_rcnn_shapes_0001.h5", NULL, 0, 0}, /* month 13 */
        {"/l/20171029T2315/mask_rcnn_shapes_0001.h5", NULL, 0, 0},       /* no name */
        {"/l/sha.pes20171029T2315/mask_rcnn_shapes_0001.h5", NULL, 0, 0},
        {"/l/shapes20171029T2315/mask_rcnn_0001.h5", NULL, 0, 0},
        {"/l/shapes20171029T2315/mask_rcnn_shapes_001.h5", NULL, 0, 0},
        {"/l/shapes20171029T2315/mask_rcnn_shapes_0001.hdf5", NULL, 0, 0},
        {"/l/shapes20171029T2315/x/mask_rcnn_shapes_0001.h5", NULL, 0, 0},
        {"/l/shapes20171029T231/mask_rcnn_shapes_0001.h5", NULL, 0, 0},
        {"mask_rcnn_shapes_0001.h5", NULL, 0, 0},
        {"mask_rcnn_coco.h5", NULL, 0, 0},
        {"/", NULL, 0, 0},
        {"", NULL, 0, 0},
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        mr_checkpoint_origin origin = {0};
        int found = mr_checkpoint_origin_parse(&origin, paths[i].path, "Shapes");
        if (found != (paths[i].folder != NULL)) fail_msg("%s: %d", paths[i].path, found);
        if (!found) continue;
        assert_string_equal(origin.folder, paths[i].folder);
        if (origin.epoch != paths[i].epoch || origin.same_name != paths[i].same_name)
            fail_msg("%s: epoch %d, same name %d", paths[i].path, (int)origin.epoch,
                     origin.same_name);
        free(origin.folder);
    }
}

static void test_list(void **state) {
    (void)state;
    static const char *const folders[] = {"l/shapes20251231T2359",  "l/shapes20260101T0000",
                                          "l/shapes20260101T0001",  "l/shapes220260101T0002",
                                          "l/shapes20260101",       "l/coco20270101T0000",
                                          "l/shapes-x20270101T0000"};
    char **found = NULL;
    size_t count = 7;
    assert_int_equal(mr_run_folders_list(&found, &count, scratch("l"), "shapes", NULL), MRCNN_OK);
    assert_int_equal(count, 0);
    free(found);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        mr_make_directories(scratch(folders[i]), NULL);
    assert_int_equal(mr_run_folders_list(&found, &count, scratch("l"), "SHAPES", NULL), MRCNN_OK);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(found[i], scratch(folders[2 - i]));
        free(found[i]);
    }
    free(found);
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_file_write(scratch("f"), "x", 1, NULL);
    assert_int_equal(mr_run_folders_list(&found, &count, scratch("f"), "a", &err), MRCNN_E_IO);
    assert_contains(err.message, "/f");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),          cmocka_unit_test(test_create),
        cmocka_unit_test(test_create_refused), cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_origin),         cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
