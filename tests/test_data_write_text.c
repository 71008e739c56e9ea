/* test_data_write_text.c - writers of VIA, LabelMe and YOLO: what was written opens again with the
 * same masks, pixel by pixel, and what can't be said is counted. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_set.h"

#include "base/file.h"
#include "base/memory.h"
#include "data/place.h"
#include "data/writer.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const mr_dataset_writer *const writers[] = {&mr_writer_via, &mr_writer_labelme,
                                                   &mr_writer_yolo};
enum { WRITERS = sizeof writers / sizeof *writers };

/* --------------------------------------------------------------------------------- the driver */

static char lost[500]; /* what the last set lost, a kind a line */

static void lose(void *user, const char *what, size_t count) {
    size_t used = strlen(lost);
    (void)user;
    snprintf(lost + used, sizeof lost - used, "%zu %s\n", count, what);
}

static mrcnn_status write_set(const mrcnn_dataset *set, const mr_dataset_writer *writer,
                              const char *folder, const char *subset, mrcnn_error *err) {
    mrcnn_dataset_write_options o = mrcnn_dataset_write_options_default();
    o.format = writer->name;
    o.subset = subset;
    o.lost = lose;
    lost[0] = 0;
    return mrcnn_dataset_write(set, folder, &o, NULL, err);
}

static const char *const plain_names[] = {"BG", "x"};

/* One picture of 40 x 30 with one pixel, straight into the writer. */
typedef struct direct {
    mr_writing w;
    mr_written_object object;
} direct;

static void lose_directly(void *user, const char *what) {
    lose(user, what, 1);
}

static void start_direct(direct *d, const char *const *names, const char *folder) {
    static uint8_t bytes[30 * 40] = {[45] = 1};
    *d = (direct){.object = {.class_id = 1}};
    d->w = (mr_writing){.folder = folder,
                        .subset = "train",
                        .source = "x",
                        .class_names = names,
                        .class_count = 2,
                        .lose = lose_directly};
    lost[0] = 0;
    assert_int_equal(mrcnn_mask_from_bytes(&d->object.mask, bytes, 30, 40, NULL), MRCNN_OK);
}

static mrcnn_status add_direct(direct *d, const mr_dataset_writer *writer, const char *name,
                               mrcnn_error *err) {
    mr_written_picture picture = {name, name, 30, 40, 1, &d->object};
    return writer->add(&d->w, &picture, err);
}

static void find_size(const mrcnn_dataset *set, size_t index, int32_t *height, int32_t *width) {
    assert_int_equal(mr_dataset_picture_size(set, index, height, width, NULL), MRCNN_OK);
}

static void copy_file(const char *from, const char *to) {
    void *bytes = NULL;
    size_t length = 0;
    char folder[500];
    snprintf(folder, sizeof folder, "%s", to);
    *strrchr(folder, '/') = 0;
    assert_int_equal(mr_make_directories(folder, NULL), MRCNN_OK);
    assert_int_equal(mr_file_read(from, 0, &bytes, &length, NULL), MRCNN_OK);
    assert_int_equal(mr_file_write(to, bytes, length, NULL), MRCNN_OK);
    free(bytes);
}

/* ------------------------------------------------------------------------------- comparing */

static size_t find_picture(const mrcnn_dataset *set, const char *id) {
    for (size_t i = 0; i < mrcnn_dataset_count(set); i++)
        if (strcmp(mrcnn_dataset_picture(set, i)->id, id) == 0) return i;
    fail_msg("%s isn't there", id);
    return 0;
}

/* Where one object is, and the size of its picture. */
typedef struct whereabouts {
    const mrcnn_dataset *set;
    size_t index, object;
    int32_t height, width;
} whereabouts;

static void take_mask(const whereabouts *o, mrcnn_mask *mask, const char **class_name,
                      int *is_crowd) {
    int32_t id;
    assert_int_equal(
        mrcnn_dataset_mask(o->set, o->index, o->object, o->height, o->width, mask, &id, NULL),
        MRCNN_OK);
    *class_name = mrcnn_dataset_class_name(o->set, abs(id));
    *is_crowd = id < 0;
}

static void compare_object(const whereabouts *a, const whereabouts *b) {
    mrcnn_mask x, y;
    const char *class_x, *class_y;
    int crowd_x, crowd_y;
    take_mask(a, &x, &class_x, &crowd_x);
    take_mask(b, &y, &class_y, &crowd_y);
    assert_string_equal(class_x, class_y);
    assert_int_equal(crowd_x, crowd_y);
    assert_int_equal(x.count, y.count);
    assert_memory_equal(x.counts, y.counts, x.count * sizeof *x.counts);
    mrcnn_mask_free(&x);
    mrcnn_mask_free(&y);
}

/* All of a's pictures and objects, crowds unless they are lost, are in b. */
static void compare(const mrcnn_dataset *a, const mrcnn_dataset *b, int with_crowds) {
    assert_int_equal(mrcnn_dataset_count(a), mrcnn_dataset_count(b));
    for (size_t i = 0; i < mrcnn_dataset_count(a); i++) {
        const mrcnn_picture *picture = mrcnn_dataset_picture(a, i);
        whereabouts x = {.set = a, .index = i}, y = {b, find_picture(b, picture->id), 0, 0, 0};
        find_size(b, y.index, &y.height, &y.width);
        x.height = y.height;
        x.width = y.width;
        for (; x.object < picture->object_count; x.object++) {
            int32_t id;
            set_area(a, i, x.object, 1, 1, &id);
            if (id < 0 && !with_crowds) continue;
            compare_object(&x, &y);
            y.object++;
        }
        assert_int_equal(mrcnn_dataset_picture(b, y.index)->object_count, y.object);
    }
}

static void go_round(const mrcnn_dataset *set, const char *name) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    for (int i = 0; i < WRITERS; i++) {
        char folder[100];
        snprintf(folder, sizeof folder, "%s-%s", name, writers[i]->name);
        if (write_set(set, writers[i], folder, "train", &err) != MRCNN_OK)
            fail_msg("%s", err.message);
        mrcnn_dataset *again = set_open(folder, "train");
        assert_string_equal(mrcnn_dataset_format(again), writers[i]->name);
        compare(set, again, i != 2);
        mrcnn_dataset_free(&again);
        assert_int_equal(cli_count(folder, ".part"), 0);
    }
}

/* --------------------------------------------------------------------------------- data sets */

static void put(const char *path, const char *text) {
    char *copy = mr_strdup(text);
    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    cli_write(path, copy);
    free(copy);
}

static int enter(void **state) {
    cli_enter(state);
    mkdir("from", 0777);
    mkdir("from/train", 0777);
    mkdir("from/train/below", 0777);
    cli_picture("from/train/a.png", 40, 30);
    cli_picture("from/train/b.jpg", 37, 23);
    cli_picture("from/train/below/c.png", 24, 16);
    return 0;
}

/* Polygons on pixels, between them, outside; a circle; two parts, which overlap; a crowd. */
static mrcnn_dataset *open_mixed(void) {
    put("from/train/a.json",
        "{'imagePath':'a.png','shapes':["
        "{'label':'cat','points':[[2,3],[10,3],[10,9],[2,9]]},"
        "{'label':'a \\'dog\\' \\\\ x','points':[[2.1234567890123,3.3],[30.7,3.1],[10.5,9.5]]},"
        "{'label':'cat','points':[[-5,-7.5],[100,-3],[20,500]]},"
        "{'label':'cat','shape_type':'circle','points':[[20,15],[24,15]]},"
        "{'label':'cat','group_id':4,'points':[[2,3],[10,3],[10,9]]},"
        "{'label':'cat','points':[[1,1],[30,2],[7,29]],'flags':{'iscrowd':true}},"
        "{'label':'cat','group_id':4,'points':[[8,2],[20,12],[5,20]]}]}");
    put("from/train/b.json", "{'imagePath':'b.jpg','shapes':["
                             "{'label':'cat','points':[[1,2],[36,2],[36,22],[1,22]]},"
                             "{'label':'emu','points':[[0.001,0],[35.9995,0.5],[12.0004,19]]},"
                             "{'label':'emu','shape_type':'rectangle','points':[[0,0],[37,23]]}]}");
    put("from/train/c.json",
        "{'imagePath':'below/c.png','shapes':[{'label':'emu','points':[[2,3],[10,3],[10,9]]}]}");
    return set_open("from/train", NULL);
}

static void test_round_trips(void **state) {
    (void)state;
    mrcnn_dataset *set = open_mixed();
    go_round(set, "mixed");
    assert_string_equal(lost, "1 crowds, which are left out\n"); /* YOLO's, the last one */
    mrcnn_dataset_free(&set);
}

/* What other programs see. */
static void test_files(void **state) {
    (void)state;
    put("from/train/a.json", "{'imagePath':'a.png','shapes':["
                             "{'label':'cat','points':[[2,3],[10,3.25],[10,9]]},"
                             "{'label':'cat','points':[[1,1],[30,2],[7,29]],'flags':"
                             "{'iscrowd':true}}]}");
    mrcnn_dataset *set = set_open("from/train/a.json", NULL);
    assert_int_equal(write_set(set, &mr_writer_via, "files-via", "train", NULL), MRCNN_OK);
    assert_int_equal(write_set(set, &mr_writer_labelme, "files-labelme", "train", NULL), MRCNN_OK);
    assert_int_equal(write_set(set, &mr_writer_yolo, "files-yolo", "train", NULL), MRCNN_OK);
    struct stat info;
    char expected[1000];
    assert_int_equal(stat("files-via/train/a.png", &info), 0);
    snprintf(expected, sizeof expected,
             "{\"a.png%d\":{\"filename\":\"a.png\",\"size\":%d,\"regions\":["
             "{\"shape_attributes\":{\"name\":\"polygon\",\"all_points_x\":[2,10,10],"
             "\"all_points_y\":[3,3.25,9]},\"region_attributes\":{\"class\":\"cat\"}},"
             "{\"shape_attributes\":{\"name\":\"polygon\",\"all_points_x\":[1,30,7],"
             "\"all_points_y\":[1,2,29]},\"region_attributes\":{\"class\":\"cat\","
             "\"iscrowd\":\"1\"}}],\"file_attributes\":{}}}",
             (int)info.st_size, (int)info.st_size);
    char *text = cli_read("files-via/train/via_region_data.json");
    assert_string_equal(text, expected);
    free(text);
    text = cli_read("files-yolo/labels/train/a.txt");
    assert_string_equal(text, "0 0.05 0.1 0.25 0.10833333333333334 0.25 0.3\n");
    free(text);
    text = cli_read("files-yolo/data.yaml");
    assert_contains(text, "\n\"train\": \"images/train\"\n");
    assert_contains(text, "\nnames:\n  0: \"cat\"\n");
    free(text);
    text = cli_read("files-labelme/train/a.json");
    assert_true(cli_is_json(text));
    assert_contains(text, "\"imagePath\": \"a.png\"");
    assert_contains(text, "\"imageHeight\": 30");
    assert_contains(text, "\"shape_type\": \"polygon\"");
    free(text);
    mrcnn_dataset_free(&set);
}

/* Several parts and holes in one polygon; pixels at the edges of the picture. */
static void test_odd_masks(void **state) {
    (void)state;
    static const char *const rows[] = {"#.#..###", ".....#.#", "##...###",
                                       "##.#....", "........", "#......#"};
    mrcnn_error err = MRCNN_ERROR_INIT;
    cli_picture("from/train/odd.png", 8, 6);
    uint8_t bytes[48];
    for (int i = 0; i < 48; i++) bytes[i] = rows[i / 8][i % 8] == '#';
    static const char *const names[] = {"BG", "thing"};
    for (int i = 0; i < WRITERS; i++) {
        mr_written_object object = {.class_id = 1};
        mr_written_picture picture = {"odd.png", "odd.png", 6, 8, 1, &object};
        mr_writing w = {.folder = "odd",
                        .subset = writers[i]->name,
                        .source = "odd",
                        .class_names = names,
                        .class_count = 2,
                        .lose = lose_directly};
        assert_int_equal(mrcnn_mask_from_bytes(&object.mask, bytes, 6, 8, NULL), MRCNN_OK);
        char *below = writers[i]->picture_folder(&w, &picture);
        char *path = mr_format("odd/%s/odd.png", below);
        copy_file("from/train/odd.png", path);
        if (writers[i]->begin(&w, &err) != MRCNN_OK || writers[i]->add(&w, &picture, &err) ||
            writers[i]->end(&w, &err))
            fail_msg("%s", err.message);
        writers[i]->close(&w);
        mrcnn_dataset *set = set_open("odd", writers[i]->name);
        uint8_t again[48];
        int id;
        assert_int_equal(mr_dataset_mask(set, 0, 0, 6, 8, again, &id, NULL), MRCNN_OK);
        assert_memory_equal(bytes, again, 48);
        mrcnn_dataset_free(&set);
        mrcnn_mask_free(&object.mask);
        free(below);
        free(path);
    }
}

/* Another subset, with other classes: one data.yaml for both, in which numbers stay. */
static void test_two_subsets(void **state) {
    (void)state;
    put("from/train/a.json",
        "{'imagePath':'a.png','shapes':[{'label':'hen','points':[[2,3],[10,3],[10,9]]},"
        "{'label':'sow','points':[[2,3],[10,3],[10,9]]}]}");
    mrcnn_dataset *first = set_open("from/train/a.json", NULL);
    put("from/train/b.json",
        "{'imagePath':'b.jpg','shapes':[{'label':'ant','points':[[2,3],[10,3],[10,9]]},"
        "{'label':'sow','points':[[2,3],[10,3],[10,9]]}]}");
    mrcnn_dataset *second = set_open("from/train/b.json", NULL);
    assert_int_equal(write_set(first, &mr_writer_yolo, "two", "train", NULL), MRCNN_OK);
    mr_place place = {0};
    assert_int_equal(mr_format_yolo.find(&place, "two", "valid", NULL), MRCNN_E_UNSUPPORTED);
    assert_int_equal(write_set(second, &mr_writer_yolo, "two", "valid", NULL), MRCNN_OK);
    char *text = cli_read("two/data.yaml");
    assert_contains(text, "\"val\": \"images/valid\"\n\"train\": \"images/train\"\n");
    assert_contains(text, "names:\n  0: \"hen\"\n  1: \"sow\"\n  2: \"ant\"\n");
    free(text);
    text = cli_read("two/labels/valid/b.txt");
    assert_int_equal(text[0], '2'); /* classes of a set are in the order of their names */
    free(text);
    mrcnn_dataset *train = set_open("two", "train"), *val = set_open("two", "val");
    compare(first, train, 1);
    compare(second, val, 1);
    mrcnn_dataset_free(&train);
    mrcnn_dataset_free(&val);
    mrcnn_dataset_free(&first);
    mrcnn_dataset_free(&second);
    cli_write("two/data.yaml", "names: {a");
    mrcnn_error err = MRCNN_ERROR_INIT;
    direct d;
    start_direct(&d, plain_names, "two");
    assert_int_equal(mr_writer_yolo.begin(&d.w, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "two/data.yaml: line 2: not YAML");
    mr_writer_yolo.close(&d.w);
    mrcnn_mask_free(&d.object.mask);
}

/* --------------------------------------------------------------------------------------- names */

/* Pictures whose files would share one of annotations. */
static void test_same_stems(void **state) {
    (void)state;
    static const char *const pictures[] = {"a.png", "a.jpg", "a.jpg.png", "b/a.jpg", "b_a.jpg"};
    static const char *const files[] = {"a", "a.jpg", "a.jpg.png", "b_a", "b_a.jpg"};
    direct d;
    start_direct(&d, plain_names, "same");
    assert_int_equal(mr_writer_labelme.begin(&d.w, NULL), MRCNN_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(add_direct(&d, &mr_writer_labelme, pictures[i], NULL), MRCNN_OK);
    assert_int_equal(mr_writer_labelme.end(&d.w, NULL), MRCNN_OK);
    mr_writer_labelme.close(&d.w);
    for (int i = 0; i < 5; i++) {
        char path[100], said[100];
        snprintf(path, sizeof path, "same/train/%s.json", files[i]);
        snprintf(said, sizeof said, "\"imagePath\": \"%s\"", pictures[i]);
        char *text = cli_read(path);
        assert_non_null(text);
        assert_contains(text, said);
        free(text);
    }
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_writer_yolo.begin(&d.w, NULL), MRCNN_OK);
    assert_int_equal(add_direct(&d, &mr_writer_yolo, "a.png", NULL), MRCNN_OK);
    assert_int_equal(add_direct(&d, &mr_writer_yolo, "a.jpg", &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "a.jpg: its labels would be in labels/train/a.txt, which belongs "
                                 "to another picture");
    mr_writer_yolo.close(&d.w);
    assert_int_equal(cli_count("same/labels/train", ""), 0); /* none is left */
    assert_false(cli_exists("same/data.yaml"));
    mrcnn_mask_free(&d.object.mask);
}

static void test_names_that_are_lost(void **state) {
    (void)state;
    static const char *const names[] = {"BG", " blank "}, *const bytes[] = {"BG", "\xff"};
    mrcnn_error err = MRCNN_ERROR_INIT;
    direct d;
    start_direct(&d, names, "names");
    assert_int_equal(mr_writer_via.begin(&d.w, NULL), MRCNN_OK);
    assert_int_equal(add_direct(&d, &mr_writer_via, "a.png", NULL), MRCNN_OK);
    assert_contains(lost, "class names with blanks at their ends");
    assert_int_equal(mr_writer_via.end(&d.w, NULL), MRCNN_OK);
    mr_writer_via.close(&d.w);
    char *text = cli_read("names/train/via_region_data.json");
    assert_contains(text, "\"a.png-1\":{\"filename\":\"a.png\",\"size\":-1"); /* not there */
    free(text);
    d.w.class_names = bytes; /* no format can say that */
    assert_int_equal(mr_writer_labelme.begin(&d.w, NULL), MRCNN_OK);
    assert_int_equal(add_direct(&d, &mr_writer_labelme, "a.png", &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "is not UTF-8");
    mr_writer_labelme.close(&d.w);
    assert_int_equal(mr_writer_yolo.begin(&d.w, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "is not UTF-8");
    mr_writer_yolo.close(&d.w);
    assert_int_equal(cli_count("names/train", ""), 1);
    mrcnn_mask_free(&d.object.mask);
}

/* data.yaml must be one that is read again. */
static void test_yolo_names_are_made_to_fit(void **state) {
    (void)state;
    char longest[MR_CLASS_TEXT + 1];
    memset(longest, 'x', MR_CLASS_TEXT);
    longest[MR_CLASS_TEXT] = 0;
    const char *const names[] = {"BG", longest, " ", " a\tb "};
    char picture[100];
    direct d;
    for (int i = 1; i < 4; i++) {
        const char *const two[] = {"BG", names[i]};
        static const char *const expected[] = {"class 0", "class 0", "a b"};
        static const char *const folders[] = {"fit1", "fit2", "fit3"};
        start_direct(&d, two, folders[i - 1]);
        lost[0] = 0;
        assert_int_equal(mr_writer_yolo.begin(&d.w, NULL), MRCNN_OK);
        assert_contains(lost, "class names with blanks at their ends, or of more than 200 bytes");
        snprintf(picture, sizeof picture, "%s/images/train/a.png", folders[i - 1]);
        copy_file("from/train/a.png", picture);
        assert_int_equal(add_direct(&d, &mr_writer_yolo, "a.png", NULL), MRCNN_OK);
        assert_int_equal(mr_writer_yolo.end(&d.w, NULL), MRCNN_OK);
        mr_writer_yolo.close(&d.w);
        mrcnn_dataset *set = set_open(folders[i - 1], NULL);
        assert_string_equal(mrcnn_dataset_class_name(set, 1), expected[i - 1]);
        mrcnn_dataset_free(&set);
        mrcnn_mask_free(&d.object.mask);
    }
}

/* ------------------------------------------------------------------------- crowds in VIA files */

static void expect_crowd(const char *value, int expected) {
    char text[500];
    int32_t id;
    mkdir("crowds", 0777);
    if (!cli_exists("crowds/a.png")) cli_picture("crowds/a.png", 20, 20);
    snprintf(text, sizeof text,
             "{'k':{'filename':'a.png','regions':[{'shape_attributes':{'name':'rect','x':1,'y':1,"
             "'width':5,'height':5},'region_attributes':{'animal':'cat','iscrowd':%s}}]}}",
             value);
    put("crowds/via_region_data.json", text);
    mrcnn_dataset *set = set_open("crowds", NULL);
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "cat");
    set_area(set, 0, 0, 20, 20, &id);
    assert_int_equal(id, expected ? -1 : 1);
    mrcnn_dataset_free(&set);
}

static void test_via_crowds(void **state) {
    (void)state;
    static const char *const yes[] = {"'1'", "'true'", "'Yes'", "1", "true", "{'yes':true}"};
    static const char *const no[] = {"'0'", "''", "0", "false", "null", "{'yes':false}", "'x'"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) expect_crowd(yes[i], 1);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) expect_crowd(no[i], 0);
}

/* ------------------------------------------------------------------------------------ balloons */

static void test_real_balloons(void **state) {
    (void)state;
    if (!mr_is_folder(SHARED_DIR "/data/balloon/val")) {
        print_message("skipped: there is no " SHARED_DIR "/data/balloon\n");
        return;
    }
    mrcnn_dataset *set = set_open(SHARED_DIR "/data/balloon", "val");
    go_round(set, "balloon");
    mrcnn_dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_odd_masks),
        cmocka_unit_test(test_two_subsets),
        cmocka_unit_test(test_same_stems),
        cmocka_unit_test(test_names_that_are_lost),
        cmocka_unit_test(test_yolo_names_are_made_to_fit),
        cmocka_unit_test(test_via_crowds),
        cmocka_unit_test(test_real_balloons),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
