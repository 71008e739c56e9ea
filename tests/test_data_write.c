/* test_data_write.c - writing data sets: the driver behind all formats' writers, with a writer of its
 * own that says in plain lines what it was given. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_via.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/write.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ----------------------------------------------------------------------------- the plain writer */

typedef struct plain {
    char text[4000];
    size_t length;
} plain;

static int fail_at_end, closed;

static void say(plain *p, const char *format, ...) {
    va_list list;
    va_start(list, format);
    p->length += (size_t)vsnprintf(p->text + p->length, sizeof p->text - p->length, format, list);
    va_end(list);
    assert_true(p->length < sizeof p->text);
}

static char *plain_folder(const mr_writing *w, const mr_written_picture *picture) {
    (void)picture;
    return mr_format("%s/pictures", w->subset);
}

static mrcnn_status plain_begin(mr_writing *w, mrcnn_error *err) {
    (void)err;
    w->own = mr_calloc(1, sizeof(plain));
    assert_non_null(w->own);
    for (int i = 0; i < w->class_count; i++) say(w->own, "class %s\n", w->class_names[i]);
    return MRCNN_OK;
}

static mrcnn_status plain_add(mr_writing *w, const mr_written_picture *p, mrcnn_error *err) {
    (void)err;
    char path[200];
    snprintf(path, sizeof path, "%s/%s/pictures/%s", w->folder, w->subset, p->file);
    if (!w->prefer_polygons) assert_true(cli_exists(path)); /* the picture comes first */
    say(w->own, "%s %d x %d\n", p->file, p->width, p->height);
    assert_string_equal(p->id, p->file);
    for (size_t i = 0; i < p->count; i++) {
        const mr_written_object *o = &p->objects[i];
        assert_int_equal(o->mask.height, p->height);
        assert_int_equal(o->mask.width, p->width);
        say(w->own, "- %s%s %d", w->class_names[o->class_id], o->is_crowd ? " crowd" : "",
            (int)mrcnn_mask_area(&o->mask));
        for (size_t k = 0; o->polygons.rule == MR_RULE_SKIMAGE && k < 2 * o->polygons.points[0];
             k++)
            say(w->own, " %g", o->polygons.xy[k]);
        say(w->own, "\n");
        if (o->polygons.rule == MR_RULE_NONE) w->lose(w->user, "rectangles");
    }
    return MRCNN_OK;
}

static mrcnn_status plain_end(mr_writing *w, mrcnn_error *err) {
    plain *p = w->own;
    char path[200];
    if (fail_at_end) return mr_fail(err, MRCNN_E_IO, "the disk is full");
    snprintf(path, sizeof path, "%s/%s/plain.txt", w->folder, w->subset);
    assert_int_equal(mr_make_directories(w->folder, err), MRCNN_OK);
    return mr_file_write(path, p->text, p->length, err);
}

static void plain_close(mr_writing *w) {
    free(w->own);
    closed++;
}

static const mr_dataset_writer writer = {"plain",   plain_folder, plain_begin,
                                         plain_add, plain_end,    plain_close};

/* ------------------------------------------------------------------------------------- the world */

#define TRIANGLE(class)                                                     \
    "{\"shape_attributes\":{\"name\":\"polygon\",\"all_points_x\":[1,5,1]," \
    "\"all_points_y\":[2,2,6]},\"region_attributes\":{\"class\":\"" class "\"}}"

static int enter(void **state) {
    cli_enter(state);
    mkdir("set", 0777);
    mkdir("set/sub", 0777);
    cli_picture("set/a.png", 40, 30);
    cli_picture("set/sub/b.jpg", 20, 20);
    cli_picture("set/a.jpg", 24, 16);
    cli_write("set/via_region_data.json",
              "{" VIA_ENTRY("a.png", VIA_RECT("4", "cat") "," TRIANGLE("dog")) "," VIA_ENTRY(
                  "sub/b.jpg",
                  VIA_RECT("1", "dog") "," VIA_RECT("300", "dog")) "," VIA_ENTRY("a.jpg", "") "}");
    return 0;
}

static mrcnn_dataset *open_set(const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.keep_empty = 1;
    options.shapes_count = 3;
    if (mrcnn_dataset_open(&set, path, &options, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return set;
}

static char heard[2000];

static void hear_lost(void *user, const char *what, size_t count) {
    (void)user;
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "lost %s %zu\n", what, count);
}

static void hear_left_out(void *user, const char *message) {
    (void)user;
    snprintf(heard + strlen(heard), sizeof heard - strlen(heard), "left out %s\n", message);
}

static mrcnn_dataset_write_options defaults(void) {
    mrcnn_dataset_write_options options = mrcnn_dataset_write_options_default();
    options.lost = hear_lost;
    options.left_out = hear_left_out;
    heard[0] = 0;
    closed = 0;
    return options;
}

static void assert_same_file(const char *a, const char *b) {
    void *x = NULL, *y = NULL;
    size_t m = 0, n = 0;
    assert_int_equal(mr_file_read(a, 0, &x, &m, NULL), MRCNN_OK);
    assert_int_equal(mr_file_read(b, 0, &y, &n, NULL), MRCNN_OK);
    assert_int_equal(m, n);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

/* ----------------------------------------------------------------------------------------- tests */

static void test_what_the_writer_gets(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_write_options options = defaults();
    mrcnn_dataset_written written;
    mrcnn_dataset *set = open_set("set");
    if (mr_dataset_write_as(set, "out", &writer, &options, &written, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    char *text = cli_read("out/train/plain.txt");
    assert_string_equal(text, "class BG\nclass cat\nclass dog\n"
                              "a.png 40 x 30\n- cat 42\n- dog 15 1 2 5 2 1 6\n"
                              "sub/b.jpg 20 x 20\n- dog 42\n"
                              "a-2.jpg 24 x 16\n");
    free(text);
    assert_same_file("set/a.png", "out/train/pictures/a.png");
    assert_same_file("set/sub/b.jpg", "out/train/pictures/sub/b.jpg");
    assert_same_file("set/a.jpg", "out/train/pictures/a-2.jpg");
    assert_string_equal(heard, "lost rectangles 2\n");
    assert_int_equal(written.pictures, 3);
    assert_int_equal(written.objects, 3);
    assert_int_equal(written.objects_left_out, 1); /* outside of its picture */
    assert_int_equal(closed, 1);
    mrcnn_dataset_free(&set);
}

static void test_chosen_and_linked(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_write_options options = defaults();
    struct stat from, to;
    const uint8_t chosen[] = {0, 1, 0};
    mrcnn_dataset *set = open_set("set");
    options.chosen = chosen;
    options.pictures = MRCNN_PICTURES_LINK;
    options.subset = "some";
    assert_int_equal(mr_dataset_write_as(set, "out", &writer, &options, NULL, &err), MRCNN_OK);
    assert_int_equal(cli_count("out/some/pictures", ""), 1);
    assert_int_equal(stat("set/sub/b.jpg", &from), 0);
    assert_int_equal(stat("out/some/pictures/sub/b.jpg", &to), 0);
    assert_int_equal(from.st_ino, to.st_ino);
    options.subset = "none";
    options.pictures = MRCNN_PICTURES_NONE;
    options.polygons = 1;
    mkdir("out/none", 0777);
    assert_int_equal(mr_dataset_write_as(set, "out", &writer, &options, NULL, &err), MRCNN_OK);
    assert_false(cli_exists("out/none/pictures"));
    const uint8_t nothing[] = {0, 0, 0};
    options.subset = "nobody";
    options.chosen = nothing;
    assert_int_equal(mr_dataset_write_as(set, "out", &writer, &options, NULL, &err),
                     MRCNN_E_ARGUMENT);
    assert_contains(err.message, "there is no picture to write");
    mrcnn_dataset_free(&set);
}

static void test_generated(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_write_options options = defaults();
    mrcnn_image drawn = {0}, read = {0};
    char path[200];
    mrcnn_dataset *set = open_set("shapes");
    options.subset = "shapes";
    assert_int_equal(mr_dataset_write_as(set, "out", &writer, &options, NULL, &err), MRCNN_OK);
    assert_int_equal(cli_count("out/shapes/pictures", ".png"), 3);
    snprintf(path, sizeof path, "out/shapes/pictures/%s.png", mrcnn_dataset_picture(set, 1)->id);
    assert_int_equal(mrcnn_dataset_read(set, 1, &drawn, &err), MRCNN_OK);
    if (mrcnn_image_read(&read, path, NULL, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_memory_equal(drawn.pixels, read.pixels, (size_t)(drawn.height * drawn.width * 3));
    mrcnn_image_free(&drawn);
    mrcnn_image_free(&read);
    mrcnn_dataset_free(&set);
}

static void test_destinations(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_write_options options = defaults();
    mrcnn_dataset *set = open_set("set");
    static const char *const bad[] = {"", "..", "a/b", ".hidden"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        options.subset = bad[i];
        assert_int_equal(mr_dataset_write_as(set, "bad", &writer, &options, NULL, &err),
                         MRCNN_E_ARGUMENT);
        assert_contains(err.message, "is no name for a subset");
        assert_false(cli_exists("bad"));
    }
    options.subset = "full";
    mkdir("there", 0777);
    mkdir("there/full", 0777);
    cli_write("there/full/mine.txt", "mine");
    assert_int_equal(mr_dataset_write_as(set, "there", &writer, &options, NULL, &err),
                     MRCNN_E_ARGUMENT);
    assert_contains(err.message, "there/full: is not empty");
    assert_int_equal(cli_count("there/full", ""), 1);
    cli_write("file", "a file");
    assert_int_equal(mr_dataset_write_as(set, "file", &writer, &options, NULL, &err), MRCNN_E_IO);
    mrcnn_dataset_free(&set);
}

static int stop_at_second(void *user, size_t done, size_t total) {
    (void)user;
    assert_int_equal(total, 3);
    return done == 1;
}

/* What was put is taken away; what others put stays. */
static void test_failures(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_write_options options = defaults();
    mrcnn_dataset *set = open_set("set");
    mkdir("half", 0777);
    cli_write("half/mine.txt", "mine");
    fail_at_end = 1;
    assert_int_equal(mr_dataset_write_as(set, "half", &writer, &options, NULL, &err), MRCNN_E_IO);
    fail_at_end = 0;
    assert_int_equal(closed, 1);
    options.progress = stop_at_second;
    assert_int_equal(mr_dataset_write_as(set, "half", &writer, &options, NULL, &err),
                     MRCNN_E_CANCELLED);
    assert_int_equal(closed, 2);
    assert_int_equal(cli_count("half", ""), 1);
    assert_true(cli_exists("half/mine.txt"));
    assert_false(cli_exists("half/train"));
    mrcnn_dataset_free(&set);
}

static void test_broken_picture(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_write_options options = defaults();
    mrcnn_dataset_written written;
    mrcnn_dataset *set = open_set("set");
    cli_write("set/a.png", "no picture");
    if (mr_dataset_write_as(set, "broken", &writer, &options, &written, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    assert_contains(heard, "left out set/a.png: ");
    assert_int_equal(written.pictures, 2);
    assert_int_equal(written.pictures_left_out, 1);
    assert_int_equal(written.objects_left_out, 3);
    options.left_out = NULL; /* nobody who is told: an error */
    options.subset = "val";
    assert_int_equal(mr_dataset_write_as(set, "broken", &writer, &options, &written, &err),
                     MRCNN_E_FORMAT);
    assert_contains(err.message, "set/a.png");
    mrcnn_dataset_free(&set);
    cli_picture("set/a.png", 40, 30);
}

static void test_arguments(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_write_options options = defaults();
    mrcnn_dataset *set = open_set("set");
    assert_int_equal(mrcnn_dataset_write(NULL, "x", NULL, NULL, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_write(set, NULL, NULL, NULL, &err), MRCNN_E_ARGUMENT);
    options.format = "cocoa butter";
    assert_int_equal(mrcnn_dataset_write(set, "x", &options, NULL, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "\"cocoa butter\" is no format that can be written");
    options.size = 1 << 20;
    assert_int_equal(mrcnn_dataset_write(set, "x", &options, NULL, &err), MRCNN_E_ARGUMENT);
    assert_false(cli_exists("x"));
    mrcnn_dataset_free(&set);
}

/* Whatever the format, half a data set leaves nothing behind. */
static void test_stopped(void **state) {
    (void)state;
    mrcnn_dataset *set = open_set("set");
    for (size_t i = 0; mrcnn_dataset_writer(i); i++) {
        mrcnn_dataset_write_options options = defaults();
        mrcnn_error err = MRCNN_ERROR_INIT;
        options.format = mrcnn_dataset_writer(i);
        options.progress = stop_at_second;
        assert_int_equal(mrcnn_dataset_write(set, "stopped", &options, NULL, &err),
                         MRCNN_E_CANCELLED);
        if (rmdir("stopped") != 0) fail_msg("%s leaves something behind", options.format);
    }
    mrcnn_dataset_free(&set);
}

/* ------------------------------------------------------------------------------ several sources */

/* A program's own pictures, which have paths of files that only it can read. */
static mrcnn_status read_plate(void *user, const char *picture, mrcnn_image *image,
                               mrcnn_error *err) {
    (void)user;
    (void)picture;
    (void)err;
    *image = (mrcnn_image){9, 7, 3, calloc(9 * 7, 3)};
    return MRCNN_OK;
}

static mrcnn_status mask_plate(void *user, const char *picture, size_t object, int32_t height,
                               int32_t width, uint8_t *mask, int32_t *class_id, mrcnn_error *err) {
    (void)user;
    (void)picture;
    (void)err;
    mask[(size_t)height * (size_t)width - 1 - object] = 1;
    *class_id = 1;
    return MRCNN_OK;
}

static mrcnn_dataset *make_plates(void) {
    mrcnn_dataset *set = NULL;
    mrcnn_source source = mrcnn_source_default();
    source.name = "plates";
    source.read = read_plate;
    source.mask = mask_plate;
    cli_write("plate.jpg", "not what it is called");
    assert_int_equal(mrcnn_dataset_create(&set, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_source(set, &source, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_class(set, "plates", "1", "cell", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_image(set, "plates", "plate.jpg", "plate.jpg", 1, NULL),
                     MRCNN_OK);
    assert_int_equal(mrcnn_dataset_prepare(set, NULL), MRCNN_OK);
    return set;
}

/* What a program makes is measured and written, not the file at its path; also as part of a joined
 * set, which calls itself after all of its sources. */
static void test_own_and_joined(void **state) {
    (void)state;
    mrcnn_dataset_write_options options = defaults();
    mrcnn_dataset *set = make_plates(), *parts[] = {make_plates(), open_set("set")}, *all = NULL;
    mrcnn_dataset_summary *summary = NULL;
    mrcnn_objects objects = {0};
    mrcnn_image image = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_dataset_objects(set, 0, &objects, NULL), MRCNN_OK);
    assert_int_equal(objects.height, 7);
    assert_int_equal(objects.width, 9);
    assert_int_equal(objects.count, 1);
    mrcnn_objects_free(&objects);
    assert_int_equal(mrcnn_dataset_check(set, NULL, &summary, NULL), MRCNN_OK);
    assert_int_equal(summary->pictures, 1);
    mrcnn_dataset_summary_free(&summary);
    if (mrcnn_dataset_write(set, "own", &options, NULL, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    assert_int_equal(mrcnn_image_read(&image, "own/train/plate.png", NULL, NULL), MRCNN_OK);
    assert_int_equal(image.width, 9);
    mrcnn_image_free(&image);
    assert_int_equal(mrcnn_dataset_join(&all, parts, 2, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_objects(all, 0, &objects, NULL), MRCNN_OK);
    assert_int_equal(objects.width, 9);
    mrcnn_objects_free(&objects);
    if (mrcnn_dataset_write(all, "all", &options, NULL, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    char *text = cli_read("all/annotations/instances_train.json");
    assert_non_null(strstr(text, "\"description\":\"plates, set\""));
    free(text);
    mrcnn_dataset_free(&all);
    mrcnn_dataset_free(&set);
}

/* ------------------------------------------------------------------------------------------ names */

static void expect_names(const char *const *ids, const char *const *expected, size_t count) {
    mr_picture pictures[16] = {{0}};
    mr_dataset set = {.format = &mr_format_via, .pictures = pictures, .picture_count = count};
    mrcnn_error err = MRCNN_ERROR_INIT;
    char **names = NULL;
    for (size_t i = 0; i < count; i++) pictures[i] = (mr_picture){.id = ids[i], .path = "x"};
    assert_int_equal(mr_name_pictures(&names, &set, NULL, &err), MRCNN_OK);
    for (size_t i = 0; i < count; i++) assert_string_equal(names[i], expected[i]);
    mr_free_picture_names(names, count);
}

static void test_names(void **state) {
    (void)state;
    static const char *const ids[] = {"a.jpg",        "b/a.jpg",   "../../etc/a.png",
                                      "/abs/x.JPG",   "./c/../.h", "n\nl\x7F\xFF.png",
                                      "\xC3\xA4.png", "...",       ""};
    static const char *const names[] = {"a.jpg",        "b/a.jpg",  "etc/a.png",
                                        "abs/x.JPG",    "c/_h.png", "n_l__.png",
                                        "\xC3\xA4.png", "_...png",  "_.png"};
    expect_names(ids, names, 9);
    static const char *const same[] = {"a.jpg", "a.png", "a.jpg", "a-2.jpg", "d/a.jpg", "a", "a-2"};
    static const char *const apart[] = {"a.jpg",   "a-3.png", "a-4.jpg",  "a-2.jpg",
                                        "d/a.jpg", "a-5.png", "a-2-2.png"};
    expect_names(same, apart, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_the_writer_gets),
        cmocka_unit_test(test_chosen_and_linked),
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_destinations),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_broken_picture),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_own_and_joined),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
