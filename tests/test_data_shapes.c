/* test_data_shapes.c - generated pictures: pure functions of seed, subset and number; masks that
 * agree with the pixels; counts, sizes and classes as asked for. */
#include "helper_assert.h"

#include "data/data.h"

#include <stdlib.h>

static mrcnn_dataset *open_shapes(const char *subset, uint64_t seed, size_t count) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mrcnn_dataset *set = NULL;
    o.format = "shapes";
    o.subset = subset;
    o.seed = seed;
    o.shapes_count = count;
    if (mrcnn_dataset_open(&set, NULL, &o, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return set;
}

static mrcnn_image read_picture(const mrcnn_dataset *set, size_t index) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    if (mrcnn_dataset_read(set, index, &image, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return image;
}

static int same_picture(const mrcnn_dataset *a, size_t i, const mrcnn_dataset *b, size_t k) {
    mrcnn_image x = read_picture(a, i), y = read_picture(b, k);
    size_t bytes = (size_t)x.height * (size_t)x.width * 3;
    int same = x.height == y.height && x.width == y.width && memcmp(x.pixels, y.pixels, bytes) == 0;
    mrcnn_image_free(&x);
    mrcnn_image_free(&y);
    return same;
}

static void test_counts_and_classes(void **state) {
    (void)state;
    mrcnn_dataset *train = open_shapes(NULL, 0, 0), *val = open_shapes("val", 0, 0);
    assert_int_equal(mrcnn_dataset_count(train), 500);
    assert_int_equal(mrcnn_dataset_count(val), 50);
    assert_int_equal(mrcnn_dataset_class_count(train), 4);
    assert_string_equal(mrcnn_dataset_class_name(train, 0), "BG");
    assert_string_equal(mrcnn_dataset_class_name(train, 1), "square");
    assert_string_equal(mrcnn_dataset_class_name(train, 2), "circle");
    assert_string_equal(mrcnn_dataset_class_name(train, 3), "triangle");
    assert_string_equal(mrcnn_dataset_class_name(train, 4), "");
    assert_string_equal(mrcnn_dataset_class_name(train, -1), "");
    assert_null(mrcnn_dataset_picture(train, 500));
    assert_null(mrcnn_dataset_picture(train, 7)->path);
    assert_string_equal(mrcnn_dataset_picture(train, 7)->id, "7");
    for (int i = 0; i < 4; i++) assert_int_equal(mr_dataset_active_classes(train, 3)[i], 1);
    mrcnn_dataset_free(&train);
    mrcnn_dataset_free(&val);
    assert_null(train);
}

static void test_pure_function(void **state) {
    (void)state;
    mrcnn_dataset *a = open_shapes("train", 3, 20), *b = open_shapes("train", 3, 10);
    mrcnn_dataset *other_seed = open_shapes("train", 4, 10), *other = open_shapes("val", 3, 10);
    assert_true(same_picture(a, 9, b, 9));
    assert_true(same_picture(a, 0, a, 0));
    assert_false(same_picture(a, 0, a, 1));
    assert_false(same_picture(a, 2, other_seed, 2));
    assert_false(same_picture(a, 2, other, 2));
    mrcnn_dataset_free(&a);
    mrcnn_dataset_free(&b);
    mrcnn_dataset_free(&other_seed);
    mrcnn_dataset_free(&other);
}

enum { SIDE = 128, PIXELS = SIDE * SIDE };

/* Every pixel belongs to one object at most, and has its colour; what is left has the ground's. */
static void check_pixels(const mrcnn_dataset *set, size_t index, size_t seen[4]) {
    const mrcnn_picture *picture = mrcnn_dataset_picture(set, index);
    mrcnn_image image = read_picture(set, index);
    uint8_t *mask = malloc(PIXELS), *covered = calloc(PIXELS, 1);
    assert_true(mask && covered && image.height == SIDE && image.width == SIDE);
    assert_in_range(picture->object_count, 1, 4);
    for (size_t k = 0; k < picture->object_count; k++) {
        const uint8_t *color = NULL;
        int id = 0, most = 0;
        assert_int_equal(mr_dataset_mask(set, index, k, SIDE, SIDE, mask, &id, NULL), MRCNN_OK);
        assert_in_range(id, 1, 3);
        seen[id]++;
        for (int i = 0; i < PIXELS; i++) {
            if (!mask[i]) continue;
            if (!color) color = image.pixels + (ptrdiff_t)3 * i;
            assert_memory_equal(color, image.pixels + (ptrdiff_t)3 * i, 3);
            assert_int_equal(covered[i]++, 0);
            most++;
        }
        assert_true(most > 0 && most <= 65 * 65); /* sizes go up to 32 */
    }
    const uint8_t *ground = NULL;
    for (int i = 0; i < PIXELS; i++) {
        if (covered[i]) continue;
        if (!ground) ground = image.pixels + (ptrdiff_t)3 * i;
        assert_memory_equal(ground, image.pixels + (ptrdiff_t)3 * i, 3);
    }
    free(mask);
    free(covered);
    mrcnn_image_free(&image);
}

static void test_masks_agree_with_pixels(void **state) {
    (void)state;
    size_t seen[4] = {0};
    mrcnn_dataset *set = open_shapes("train", 1, 60);
    for (size_t i = 0; i < 60; i++) check_pixels(set, i, seen);
    for (int id = 1; id <= 3; id++) assert_true(seen[id] > 10);
    mrcnn_dataset_free(&set);
}

/* A shape that nothing covers has the size of a whole one: squares of odd sides, discs, and
 * triangles that reach as far as their boxes. */
static void test_forms(void **state) {
    (void)state;
    mrcnn_dataset *set = open_shapes("forms", 2, 100);
    uint8_t *mask = malloc(PIXELS);
    size_t checked[4] = {0};
    assert_non_null(mask);
    for (size_t i = 0; i < 100; i++) {
        const mrcnn_picture *picture = mrcnn_dataset_picture(set, i);
        int id, area = 0, top = SIDE, bottom = -1, left = SIDE, right = -1;
        size_t last = picture->object_count - 1; /* in front of all others */
        assert_int_equal(mr_dataset_mask(set, i, last, SIDE, SIDE, mask, &id, NULL), MRCNN_OK);
        for (int p = 0; p < PIXELS; p++) {
            if (!mask[p]) continue;
            area++;
            if (p / SIDE < top) top = p / SIDE;
            if (p / SIDE > bottom) bottom = p / SIDE;
            if (p % SIDE < left) left = p % SIDE;
            if (p % SIDE > right) right = p % SIDE;
        }
        if (top == 0 || left == 0 || bottom == SIDE - 1 || right == SIDE - 1) continue;
        int height = bottom - top + 1, width = right - left + 1;
        assert_in_range(height, 41, 65);
        double filled = (double)area / (height * width);
        if (id == 1) assert_true(height == width && filled == 1);
        if (id == 2) assert_true(height == width && filled > 0.73 && filled < 0.78);
        if (id == 3) assert_true(width > height && filled > 0.48 && filled < 0.53);
        checked[id]++;
    }
    assert_true(checked[1] > 5 && checked[2] > 5 && checked[3] > 5);
    free(mask);
    mrcnn_dataset_free(&set);
}

static mrcnn_status try_options(const mrcnn_dataset_options *o, const char *message) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    mrcnn_status status = mrcnn_dataset_open(&set, "shapes", o, &err);
    if (message) {
        assert_contains(err.message, message);
        assert_null(set);
    }
    mrcnn_dataset_free(&set);
    return status;
}

static void test_options(void **state) {
    (void)state;
    static const char *const turned[] = {"none", "triangle", "other", "circle", "square", NULL};
    static const char *const lacking[] = {"BG", "square", "circle", NULL};
    static const char *const twice[] = {"BG", "square", "square", NULL};
    static const char *const alone[] = {"BG", NULL};
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    o.class_names = turned;
    o.shapes_height = 200;
    o.shapes_width = 90;
    o.shapes_count = 3;
    assert_int_equal(mrcnn_dataset_open(&set, "shapes", &o, &err), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_class_count(set), 5);
    assert_string_equal(mrcnn_dataset_class_name(set, 0), "none");
    mrcnn_image image = read_picture(set, 0);
    assert_true(image.height == 200 && image.width == 90);
    mrcnn_image_free(&image);
    mrcnn_mask mask = {0};
    int32_t id = 0;
    assert_int_equal(mrcnn_dataset_mask(set, 0, 0, 200, 90, &mask, &id, &err), MRCNN_OK);
    assert_true(id == 1 || id == 3 || id == 4);
    assert_true(mask.height == 200 && mrcnn_mask_area(&mask) > 100);
    mrcnn_mask_free(&mask);
    assert_int_equal(mrcnn_dataset_mask(set, 0, 0, 90, 200, &mask, &id, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_mask(set, 0, 9, 200, 90, &mask, &id, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_mask(set, 3, 0, 200, 90, &mask, &id, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_mask(set, 0, 0, 0, 90, &mask, &id, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_read(set, 3, &image, &err), MRCNN_E_ARGUMENT);
    mrcnn_dataset_free(&set);
    o.class_names = lacking;
    assert_int_equal(try_options(&o, "\"triangle\""), MRCNN_E_ARGUMENT);
    o.class_names = twice;
    assert_int_equal(try_options(&o, "\"square\" is there twice"), MRCNN_E_ARGUMENT);
    o.class_names = alone;
    assert_int_equal(try_options(&o, "at least one more"), MRCNN_E_ARGUMENT);
    o.class_names = NULL;
    o.shapes_height = 79;
    assert_int_equal(try_options(&o, "from 80"), MRCNN_E_ARGUMENT);
    o.shapes_height = 80;
    assert_int_equal(try_options(&o, NULL), MRCNN_OK);
    o.shapes_count = SIZE_MAX;
    assert_int_equal(try_options(&o, "are more than"), MRCNN_E_ARGUMENT);
    o.format = "shape";
    assert_int_equal(try_options(&o, "is no format"), MRCNN_E_ARGUMENT);
    o.size = 0;
    assert_int_equal(try_options(&o, "no size"), MRCNN_E_ARGUMENT);
}

/* A program that was compiled with fewer options gets the defaults of the others. */
static void test_smaller_options(void **state) {
    (void)state;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mrcnn_dataset *set = NULL;
    o.shapes_height = 1;
    o.size = offsetof(mrcnn_dataset_options, shapes_height);
    assert_int_equal(mrcnn_dataset_open(&set, "shapes", &o, NULL), MRCNN_OK);
    mrcnn_dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_and_classes),
        cmocka_unit_test(test_pure_function),
        cmocka_unit_test(test_masks_agree_with_pixels),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_smaller_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
