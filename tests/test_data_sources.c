/* test_data_sources.c - sets that a program fills itself, and sets joined to one: classes by source,
 * active classes, pictures and masks by delegation, and what is refused. */
#include "helper_assert.h"

#include "data/data.h"

#include "base/error.h"

#include <mrcnn/mrcnn.h>

#include <stdlib.h>
#include <string.h>

enum { SIDE = 12 };

/* ------------------------------------------------------------------------- a source of one's own */

/* Object k of a picture is a square of side k + 1 in its upper left corner. */
typedef struct squares {
    mrcnn_dataset *set;
    const char *classes[2]; /* of objects 0 and 1: "squares.7" */
    int released;
} squares;

static mrcnn_status read_squares(void *user, const char *picture, mrcnn_image *image,
                                 mrcnn_error *err) {
    (void)user;
    if (strcmp(picture, "gone") == 0) return mr_fail(err, MRCNN_E_IO, "the plate is broken");
    if (strcmp(picture, "silent") == 0) return MRCNN_E_FORMAT;
    if (strcmp(picture, "empty") == 0) return MRCNN_OK;
    *image = (mrcnn_image){SIDE, SIDE, 3, calloc(SIDE * SIDE, 3)};
    image->pixels[0] = (uint8_t)picture[0];
    return MRCNN_OK;
}

static mrcnn_status mask_squares(void *user, const char *picture, size_t object, int32_t height,
                                 int32_t width, uint8_t *mask, int32_t *class_id,
                                 mrcnn_error *err) {
    squares *s = user;
    (void)err;
    for (int y = 0; y <= (int)object && y < height; y++)
        for (int x = 0; x <= (int)object && x < width; x++) mask[y * width + x] = 255;
    *class_id = mrcnn_dataset_map_source_class(s->set, s->classes[object]);
    if (strcmp(picture, "crowd") == 0) *class_id = -*class_id;
    if (strcmp(picture, "odd") == 0) *class_id = 99;
    return MRCNN_OK;
}

static void release_squares(void *user) {
    ((squares *)user)->released++;
}

static mrcnn_source source_of(squares *user, const char *name) {
    mrcnn_source s = mrcnn_source_default();
    s.name = name;
    s.read = read_squares;
    s.mask = mask_squares;
    s.release = release_squares;
    s.user = user;
    return s;
}

static mrcnn_dataset *make(squares *user, const char *name, const char *const *pictures,
                           const char *const classes[2][2]) {
    mrcnn_source s = source_of(user, name);
    assert_int_equal(mrcnn_dataset_create(&user->set, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_source(user->set, &s, NULL), MRCNN_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            mrcnn_dataset_add_class(user->set, name, classes[i][0], classes[i][1], NULL), MRCNN_OK);
    for (; *pictures; pictures++)
        assert_int_equal(mrcnn_dataset_add_image(user->set, name, *pictures, NULL, 2, NULL),
                         MRCNN_OK);
    assert_int_equal(mrcnn_dataset_prepare(user->set, NULL), MRCNN_OK);
    return user->set;
}

static const char *const some[] = {"a", "crowd", NULL};
static const char *const cats[2][2] = {{"7", "cat"}, {"9", "dog, hound"}};

static int64_t area(const mrcnn_dataset *set, size_t index, size_t object, int *class_id) {
    mrcnn_mask mask = {0};
    int32_t id = 0;
    assert_int_equal(mrcnn_dataset_mask(set, index, object, SIDE, SIDE, &mask, &id, NULL),
                     MRCNN_OK);
    int64_t pixels = mrcnn_mask_area(&mask);
    mrcnn_mask_free(&mask);
    *class_id = id;
    return pixels;
}

static void test_own_source(void **state) {
    (void)state;
    squares user = {.classes = {"plates.7", "plates.9"}};
    mrcnn_image image = {0};
    int id;
    mrcnn_dataset *set = make(&user, "plates", some, cats);
    assert_int_equal(mrcnn_dataset_count(set), 2);
    assert_int_equal(mrcnn_dataset_class_count(set), 3);
    assert_string_equal(mrcnn_dataset_class_name(set, 0), "BG");
    assert_string_equal(mrcnn_dataset_class_name(set, 2), "dog"); /* cut at the comma */
    assert_string_equal(mrcnn_dataset_picture(set, 1)->source, "plates");
    assert_string_equal(mrcnn_dataset_picture(set, 1)->id, "crowd");
    assert_null(mrcnn_dataset_picture(set, 1)->path);
    assert_string_equal(mrcnn_dataset_format(set), "custom");
    assert_int_equal(area(set, 0, 1, &id), 4);
    assert_int_equal(id, 2);
    assert_int_equal(area(set, 1, 0, &id), 1);
    assert_int_equal(id, -1);
    assert_int_equal(mrcnn_dataset_read(set, 0, &image, NULL), MRCNN_OK);
    assert_int_equal(image.pixels[0], 'a');
    mrcnn_image_free(&image);
    assert_string_equal(mrcnn_dataset_source_class(set, 2, "plates"), "9");
    assert_null(mrcnn_dataset_source_class(set, 2, "coco"));
    assert_null(mrcnn_dataset_source_class(set, 3, "plates"));
    assert_int_equal(mrcnn_dataset_map_source_class(set, "plates.9"), 2);
    assert_int_equal(mrcnn_dataset_map_source_class(set, "plates.8"), -1);
    assert_int_equal(mrcnn_dataset_map_source_class(set, "plates"), -1);
    mrcnn_dataset_free(&set);
    assert_int_equal(user.released, 1);
}

static void test_checked(void **state) {
    (void)state;
    static const char *const pictures[] = {"a", "crowd", "gone", "silent", "empty", "odd", NULL};
    squares user = {.classes = {"plates.7", "plates.9"}};
    mrcnn_dataset_summary *s = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    mrcnn_dataset *set = make(&user, "plates", pictures, cats);
    assert_int_equal(mrcnn_dataset_check(set, NULL, &s, NULL), MRCNN_OK);
    assert_int_equal(s->pictures, 2);
    assert_int_equal(s->pictures_left_out, 4);
    assert_int_equal(s->objects, 4);
    assert_int_equal(s->crowds, 2);
    assert_true(s->object_width.most == 2);
    mrcnn_dataset_summary_free(&s);
    assert_int_equal(mrcnn_dataset_read(set, 2, &image, &err), MRCNN_E_IO);
    assert_string_equal(err.message, "gone: the plate is broken");
    assert_int_equal(mrcnn_dataset_read(set, 3, &image, &err), MRCNN_E_FORMAT);
    assert_string_equal(err.message, "silent: its source can't read it");
    assert_int_equal(mrcnn_dataset_read(set, 4, &image, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "made no picture");
    mrcnn_dataset_free(&set);
}

static void test_refused(void **state) {
    (void)state;
    squares user = {.classes = {"plates.7", "plates.9"}};
    mrcnn_dataset *set = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_source s = source_of(&user, "a.b");
    assert_int_equal(mrcnn_dataset_create(&set, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_source(set, &s, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "a.b");
    s.name = "plates";
    s.mask = NULL;
    assert_int_equal(mrcnn_dataset_add_source(set, &s, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "mask is NULL");
    s = source_of(&user, "plates");
    assert_int_equal(mrcnn_dataset_prepare(set, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_add_class(set, "plates", "1", "x", &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "there is no source \"plates\"");
    assert_int_equal(mrcnn_dataset_add_source(set, &s, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_source(set, &s, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_add_class(set, "plates", "1", "BG", &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_add_class(set, "plates", "1", "", &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_add_class(set, "plates", "1", "x", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_class(set, "plates", "1", "y", NULL),
                     MRCNN_OK); /* ignored */
    assert_int_equal(mrcnn_dataset_prepare(set, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "no picture");
    assert_int_equal(mrcnn_dataset_count(set), 0);
    assert_int_equal(mrcnn_dataset_add_image(set, "plates", "p", NULL, 1, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_count(set), 0); /* not before it is prepared */
    assert_int_equal(mrcnn_dataset_prepare(set, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_class_count(set), 2);
    assert_int_equal(mrcnn_dataset_prepare(set, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_add_image(set, "plates", "q", NULL, 1, &err), MRCNN_E_ARGUMENT);
    mrcnn_dataset_free(&set);
    assert_int_equal(user.released, 1);
    assert_int_equal(mrcnn_dataset_create(&set, NULL), MRCNN_OK); /* freed half made */
    assert_int_equal(mrcnn_dataset_add_source(set, &s, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_image(set, "plates", "p", NULL, 1, NULL), MRCNN_OK);
    mrcnn_dataset_free(&set);
    assert_int_equal(user.released, 2);
}

/* --------------------------------------------------------------------------------------- joined */

static mrcnn_dataset *open_shapes(const char *subset, const char *source) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mrcnn_dataset *set = NULL;
    o.format = "shapes";
    o.subset = subset;
    o.source = source;
    o.shapes_count = 3;
    assert_int_equal(mrcnn_dataset_open(&set, NULL, &o, NULL), MRCNN_OK);
    return set;
}

static int same_mask(const mrcnn_dataset *a, size_t i, const mrcnn_dataset *b, size_t k) {
    mrcnn_mask x = {0}, y = {0};
    assert_int_equal(mrcnn_dataset_mask(a, i, 0, 128, 128, &x, NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_mask(b, k, 0, 128, 128, &y, NULL, NULL), MRCNN_OK);
    int same = x.count == y.count && memcmp(x.counts, y.counts, x.count * sizeof *x.counts) == 0;
    mrcnn_mask_free(&x);
    mrcnn_mask_free(&y);
    return same;
}

static void test_joined(void **state) {
    (void)state;
    static const char *const classes[2][2] = {{"1", "triangle"}, {"2", "cat"}};
    squares user = {.classes = {"plates.1", "plates.2"}};
    mrcnn_dataset *alone = open_shapes("b", NULL);
    mrcnn_dataset *sets[] = {open_shapes("a", NULL), make(&user, "plates", some, classes),
                             open_shapes("b", NULL)};
    mrcnn_dataset *all = NULL;
    int id;
    assert_int_equal(mrcnn_dataset_join(&all, sets, 3, NULL), MRCNN_OK);
    for (int i = 0; i < 3; i++) assert_null(sets[i]);
    assert_int_equal(mrcnn_dataset_count(all), 3 + 2 + 3);
    assert_int_equal(mrcnn_dataset_class_count(all), 5);
    assert_string_equal(mrcnn_dataset_class_name(all, 3), "triangle");
    assert_string_equal(mrcnn_dataset_class_name(all, 4), "cat");
    assert_int_equal(mrcnn_dataset_map_source_class(all, "plates.2"), 4);
    assert_int_equal(mrcnn_dataset_map_source_class(all, "shapes.3"), 3);
    assert_string_equal(mrcnn_dataset_source_class(all, 3, "plates"), "1");
    /* Shapes annotate three classes, plates two. */
    static const uint8_t of_shapes[] = {1, 1, 1, 1, 0}, of_plates[] = {1, 0, 0, 1, 1};
    assert_memory_equal(mr_dataset_active_classes(all, 2), of_shapes, 5);
    assert_memory_equal(mr_dataset_active_classes(all, 3), of_plates, 5);
    assert_memory_equal(mr_dataset_active_classes(all, 7), of_shapes, 5);
    assert_int_equal(area(all, 3, 1, &id), 4);
    assert_int_equal(id, 4);
    assert_int_equal(area(all, 4, 0, &id), 1);
    assert_int_equal(id, -3); /* the crowd of triangles */
    assert_true(same_mask(all, 6, alone, 1));
    assert_false(same_mask(all, 1, alone, 1));
    mrcnn_dataset_summary *s = NULL;
    assert_int_equal(mrcnn_dataset_check(all, NULL, &s, NULL), MRCNN_OK);
    assert_int_equal(s->pictures, 8);
    assert_int_equal(s->class_objects[4], 2);
    mrcnn_dataset_summary_free(&s);
    mrcnn_dataset_free(&all);
    mrcnn_dataset_free(&alone);
    assert_int_equal(user.released, 1);
}

/* Halves of one source lack nothing that the other half has; other sources do. */
static void test_active_by_source(void **state) {
    (void)state;
    static const char *const first[2][2] = {{"1", "a"}, {"2", "b"}};
    static const char *const second[2][2] = {{"2", "b"}, {"3", "c"}};
    for (int same = 0; same < 2; same++) {
        squares x = {.classes = {"p.1", "p.2"}}, y = {.classes = {"p.2", "p.3"}};
        const char *other = same ? "p" : "q";
        mrcnn_dataset *sets[] = {make(&x, "p", some, first), make(&y, other, some, second)};
        mrcnn_dataset *all = NULL;
        const uint8_t expected[] = {1, 1, 1, (uint8_t)same};
        assert_int_equal(mrcnn_dataset_join(&all, sets, 2, NULL), MRCNN_OK);
        assert_memory_equal(mr_dataset_active_classes(all, 0), expected, 4);
        mrcnn_dataset *nested[] = {all}, *outer = NULL; /* a joined set as a part */
        assert_int_equal(mrcnn_dataset_join(&outer, nested, 1, NULL), MRCNN_OK);
        assert_memory_equal(mr_dataset_active_classes(outer, 0), expected, 4);
        assert_int_equal(mrcnn_dataset_count(outer), 4);
        mrcnn_dataset_free(&outer);
    }
}

static void test_join_refused(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *sets[] = {open_shapes("a", NULL), NULL}, *all = NULL;
    assert_int_equal(mrcnn_dataset_join(&all, sets, 0, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_join(&all, sets, 2, &err), MRCNN_E_ARGUMENT);
    sets[1] = sets[0];
    assert_int_equal(mrcnn_dataset_join(&all, sets, 2, &err), MRCNN_E_ARGUMENT);
    assert_non_null(strstr(err.message, "twice"));
    assert_non_null(sets[0]);
    assert_null(all);
    mrcnn_dataset_free(&sets[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_source),       cmocka_unit_test(test_checked),
        cmocka_unit_test(test_refused),          cmocka_unit_test(test_joined),
        cmocka_unit_test(test_active_by_source), cmocka_unit_test(test_join_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
