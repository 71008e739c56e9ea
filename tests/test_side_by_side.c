/* test_side_by_side.c - what an evaluation shows in TensorBoard: pictures of another size, objects at
 * their place in them, and the two halves. */
#include "helper_assert.h"

#include "train/side_by_side.h"

#include <mrcnn/draw.h>

#include <stdlib.h>

/* -------------------------------------------------------------------------------------- shrinking */

static void check_shrunk(const uint8_t *pixels, int height, int width, int channels,
                         const uint8_t *wanted, int new_height, int new_width) {
    mrcnn_image image = {width, height, channels, (uint8_t *)pixels}, out = {0};
    assert_int_equal(mrcnn_shrink(&out, &image, new_height, new_width, NULL), MRCNN_OK);
    assert_true(out.width == new_width && out.height == new_height && out.channels == channels);
    assert_memory_equal(out.pixels, wanted, (size_t)(new_height * new_width * channels));
    mrcnn_image_free(&out);
}

#define BYTES(...) ((const uint8_t[]){__VA_ARGS__})

static void test_shrink(void **state) {
    (void)state;
    check_shrunk(BYTES(1, 2, 3, 4, 5, 6), 2, 3, 1, BYTES(1, 2, 3, 4, 5, 6), 2, 3);
    check_shrunk(BYTES(0, 10, 20, 30, 100, 255, 7, 9), 2, 4, 1, BYTES(91, 17), 1, 2);
    /* Halves of the pixel in the middle: (2 x 10 + 40) / 3 and (40 + 2 x 100) / 3. */
    check_shrunk(BYTES(10, 40, 100), 1, 3, 1, BYTES(20, 80), 1, 2);
    check_shrunk(BYTES(10, 40, 100), 3, 1, 1, BYTES(20, 80), 2, 1);
    check_shrunk(BYTES(10, 40), 1, 2, 1, BYTES(10, 25, 40), 1, 3);
    check_shrunk(BYTES(0, 255, 8, 10, 0, 9), 1, 2, 3, BYTES(5, 128, 9), 1, 1);
    check_shrunk(BYTES(7), 1, 1, 1, BYTES(7, 7, 7, 7), 2, 2);
}

/* ------------------------------------------------------------------------------------- the halves */

enum { SIDE = 80 };

static mrcnn_dataset *open_shapes(void) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mrcnn_dataset *set = NULL;
    o.format = "shapes";
    o.subset = "val";
    o.shapes_count = 4;
    o.shapes_height = o.shapes_width = SIDE;
    assert_int_equal(mrcnn_dataset_open(&set, "shapes", &o, NULL), MRCNN_OK);
    return set;
}

static mrcnn_status no_mask(void *user, const char *picture, size_t object, int32_t height,
                            int32_t width, uint8_t *mask, int32_t *class_id, mrcnn_error *err) {
    (void)user, (void)picture, (void)object, (void)height, (void)width, (void)mask;
    (void)class_id, (void)err;
    return MRCNN_E_ARGUMENT;
}

/* One picture without objects, which may have any size. */
static mrcnn_dataset *open_empty(void) {
    mrcnn_dataset *set = NULL;
    mrcnn_source source = mrcnn_source_default();
    source.name = "empty";
    source.mask = no_mask;
    assert_int_equal(mrcnn_dataset_create(&set, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_source(set, &source, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_class(set, "empty", "1", "square", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_add_image(set, "empty", "1", "1.png", 0, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_dataset_prepare(set, NULL), MRCNN_OK);
    return set;
}

/* A picture of one colour, in which `found` has a square of 20 pixels at (50, 10). */
typedef struct scene {
    mrcnn_dataset *set;
    mrcnn_image image;
    mrcnn_instance instance;
    mrcnn_result found;
} scene;

static void make_scene(scene *s, mrcnn_dataset *set, int height, int width, int channels) {
    size_t pixels = (size_t)height * (size_t)width;
    uint8_t *mask = calloc(pixels, 1);
    *s = (scene){.set = set, .image = {width, height, channels, NULL}};
    s->image.pixels = malloc(pixels * (size_t)channels);
    memset(s->image.pixels, 40, pixels * (size_t)channels);
    for (int y = 50; y < 70; y++) memset(mask + y * width + 10, 1, 20);
    s->instance = (mrcnn_instance){50, 10, 70, 30, 1, 0.5F, "square", {0}};
    assert_int_equal(mrcnn_mask_from_bytes(&s->instance.mask, mask, height, width, NULL), MRCNN_OK);
    s->found = (mrcnn_result){height, width, 1, &s->instance};
    free(mask);
}

static void free_scene(scene *s) {
    mrcnn_mask_free(&s->instance.mask);
    free(s->image.pixels);
    mrcnn_dataset_free(&s->set);
}

static mrcnn_image make(const scene *s, double confidence) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    uint8_t *png = NULL;
    size_t length = 0;
    int32_t height = 0, width = 0;
    mr_side_by_side what = {s->set, 0, &s->image, &s->found, confidence};
    if (mr_side_by_side_png(&png, &length, &height, &width, &what, &err) != MRCNN_OK ||
        mrcnn_image_decode(&image, png, length, "png", NULL, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    assert_true(image.height == height && image.width == width && image.channels == 3);
    free(png);
    return image;
}

/* Whether the pixel is as it was, before anything was drawn over it. */
static int is_plain(const mrcnn_image *image, int y, int x) {
    const uint8_t *p = image->pixels + 3 * (y * image->width + x);
    return p[0] == 40 && p[1] == 40 && p[2] == 40;
}

/* The pixel in the middle of the first object of the data set's picture. */
static void find_object(const scene *s, int *y, int *x) {
    mrcnn_objects objects;
    assert_int_equal(mrcnn_dataset_objects(s->set, 0, &objects, NULL), MRCNN_OK);
    assert_true(objects.count > 0);
    *y = (int)(objects.items[0].y1 + objects.items[0].y2) / 2;
    *x = (int)(objects.items[0].x1 + objects.items[0].x2) / 2;
    mrcnn_objects_free(&objects);
}

static void test_halves(void **state) {
    (void)state;
    enum { HALF = 318, RIGHT = HALF + 4 }; /* enlarged 3.975 times */
    scene s;
    int y, x;
    make_scene(&s, open_shapes(), SIDE, SIDE, 3);
    find_object(&s, &y, &x);
    mrcnn_image all = make(&s, 0.5), none = make(&s, 0.51);
    assert_true(all.width == 640 && all.height == HALF);
    const int object_y = y * HALF / SIDE, object_x = x * HALF / SIDE;
    const int found_y = 60 * HALF / SIDE, found_x = 20 * HALF / SIDE;
    assert_false(is_plain(&all, object_y, object_x));
    assert_false(is_plain(&none, object_y, object_x));
    assert_false(is_plain(&all, found_y, RIGHT + found_x));
    assert_true(is_plain(&none, found_y, RIGHT + found_x)); /* not sure enough */
    assert_true(is_plain(&all, HALF - 2, RIGHT + HALF - 2));
    /* The mask ends where it should, give or take the outline. */
    assert_true(is_plain(&all, found_y, RIGHT + 30 * HALF / SIDE + 4));
    assert_true(is_plain(&all, 70 * HALF / SIDE + 4, RIGHT + found_x));
    assert_int_equal(all.pixels[3 * (10 * 640 + HALF + 1)], 255); /* paper between the two */
    mrcnn_image_free(&all);
    mrcnn_image_free(&none);
    free_scene(&s);
}

/* Tall ones side by side, wide ones below each other; large ones shrink; of grey and of four channels
 * become RGB. */
static void test_layouts(void **state) {
    (void)state;
    static const struct {
        int height, width, channels, wanted_height, wanted_width;
    } cases[] = {{100, 90, 1, 353, 640},
                 {90, 100, 4, 640, 353},
                 {2000, 400, 3, 640, 260},
                 {81, 3000, 3, 38, 640},
                 {3000, 31, 3, 640, 16}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene s;
        make_scene(&s, open_empty(), cases[i].height, cases[i].width, cases[i].channels);
        mrcnn_image image = make(&s, 0);
        assert_int_equal(image.height, cases[i].wanted_height);
        assert_int_equal(image.width, cases[i].wanted_width);
        mrcnn_image_free(&image);
        free_scene(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shrink), cmocka_unit_test(test_halves),
                                       cmocka_unit_test(test_layouts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
