/* test_sample.c - training samples (N51-N55) and examples (N59, N60) of a data set that is drawn
 * here: every resize mode, mirrored pictures, what is dropped, skipped and refused; mini masks
 * against the oracle's. */
#include "fake_dataset.h"

#include "helper_assert.h"
#include "helper_cases.h"
#include "helper_resize_mask.h"

#include <math.h>

static mrcnn_config *config;
static mr_sample unset; /* what a pointer that must be set points at */

static int make_config(void **state) {
    (void)state;
    return mrcnn_config_create(&config, NULL, NULL) != MRCNN_OK;
}

static int free_config(void **state) {
    (void)state;
    mrcnn_config_free(&config);
    return 0;
}

static void set(const char *key, const char *value) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_config_set(config, key, value, &err) != MRCNN_OK) fail_msg("%s", err.message);
}

static mr_sample_options options(int training) {
    return (mr_sample_options){mr_config_settings(config), 5, training, NULL};
}

static mr_sample *load(const mr_dataset *data, size_t picture, uint64_t number, int training) {
    mr_sample *sample = &unset;
    mr_sample_options o = options(training);
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_sample_load(&sample, data, picture, number, &o, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    return sample;
}

/* ------------------------------------------------------------------------------------- goldens */

static uint8_t *plane(const npy_array *masks, size_t m) {
    size_t planes = (size_t)masks->shape[2], size = masks->count / planes;
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++) bytes[i] = masks->data[i * planes + m] != 0;
    return bytes;
}

static void box_at(int32_t box[4], const npy_array *boxes, size_t m) {
    for (size_t k = 0; k < 4; k++) box[k] = (int32_t)boxes->data[4 * m + k];
}

static void check_minimize(const oracle_case *c) {
    npy_array masks = case_array(c, c->in, "masks"), boxes = case_array(c, c->in, "boxes");
    npy_array want = case_array(c, c->out, "mini");
    int rows = case_int_at(c, "mini_shape", 0), columns = case_int_at(c, "mini_shape", 1);
    for (size_t m = 0; m < (size_t)masks.shape[2]; m++) {
        uint8_t *mask = plane(&masks, m), *wanted = plane(&want, m);
        size_t size = (size_t)rows * (size_t)columns;
        uint8_t *mini = malloc(size);
        int32_t box[4], tight[4];
        box_at(box, &boxes, m);
        assert_true(mr_bytes_box(mask, (int)masks.shape[0], (int)masks.shape[1], tight));
        assert_memory_equal(tight, box, sizeof box);
        assert_int_equal(
            mr_minimize_mask(mask, (int)masks.shape[1], box, mini, rows, columns, NULL), MRCNN_OK);
        assert_memory_equal(mini, wanted, size);
        free(mask), free(wanted), free(mini);
    }
    npy_free(&masks), npy_free(&boxes), npy_free(&want);
}

static void check_expand(const oracle_case *c) {
    npy_array mini = case_array(c, c->in, "mini"), boxes = case_array(c, c->in, "boxes");
    npy_array want = case_array(c, c->out, "masks");
    int height = case_int_at(c, "shape", 0), width = case_int_at(c, "shape", 1);
    for (size_t m = 0; m < (size_t)mini.shape[2]; m++) {
        uint8_t *small = plane(&mini, m), *wanted = plane(&want, m);
        uint8_t *mask = calloc((size_t)height, (size_t)width);
        int32_t box[4];
        box_at(box, &boxes, m);
        assert_int_equal(
            mr_expand_mask(small, (int)mini.shape[0], (int)mini.shape[1], mask, width, box, NULL),
            MRCNN_OK);
        assert_memory_equal(mask, wanted, (size_t)height * (size_t)width);
        free(small), free(wanted), free(mask);
    }
    npy_free(&mini), npy_free(&boxes), npy_free(&want);
}

static void goldens(void **state) {
    (void)state;
    assert_int_equal(cases_run(TEST_DATA "/targets", "minimize_mask", check_minimize), 2);
    assert_int_equal(cases_run(TEST_DATA "/targets", "expand_mask", check_expand), 1);
}

static void mini_mask_rules(void **state) {
    (void)state;
    uint8_t mask[6 * 7] = {0}, mini[56 * 56];
    int32_t box[4] = {9, 9, 9, 9}, none[4] = {0}, empty[4] = {2, 3, 2, 5};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_false(mr_bytes_box(mask, 6, 7, box));
    assert_memory_equal(box, none, sizeof box);
    mask[2 * 7 + 6] = mask[5 * 7 + 0] = 1; /* both edges */
    assert_true(mr_bytes_box(mask, 6, 7, box));
    assert_true(box[0] == 2 && box[1] == 0 && box[2] == 6 && box[3] == 7);
    /* One pixel, and a solid box: ones throughout, though the border blends with zeros (N3). */
    int32_t pixel[4] = {2, 6, 3, 7};
    assert_int_equal(mr_minimize_mask(mask, 7, pixel, mini, 56, 56, NULL), MRCNN_OK);
    for (int i = 0; i < 56 * 56; i++) assert_int_equal(mini[i], 1);
    /* 0.5 rounds to 0: two columns, one of them set, become one. */
    uint8_t two[2] = {1, 0};
    int32_t both[4] = {0, 0, 1, 2};
    assert_int_equal(mr_minimize_mask(two, 2, both, mini, 1, 1, NULL), MRCNN_OK);
    assert_int_equal(mini[0], 0);
    assert_int_equal(mr_minimize_mask(mask, 7, empty, mini, 56, 56, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "its box is empty");
}

/* ------------------------------------------------------------------------------------- geometry */

static const fake_object two_objects[] = {{1, {10, 20, 40, 60}, 1}, {-2, {30, 5, 50, 90}, 0}};

/* What the sample must hold, made in the plainest way: all of each mask in full size. */
static void check_objects(const mr_dataset *data, const mr_sample *s) {
    const fake_scene *scene = &data->scenes[s->picture];
    size_t drawn = (size_t)scene->height * (size_t)scene->width;
    size_t size = (size_t)s->height * (size_t)s->width;
    size_t mask_size = mr_bits_size(s->mask_height, s->mask_width);
    uint8_t *mask = malloc(drawn), *full = malloc(size), *turned = malloc(size);
    uint8_t *have = malloc(size > 56 * 56 ? size : 56 * 56);
    assert_true(mask && full && turned && have);
    int at = 0;
    for (size_t o = 0; o < scene->count; o++) {
        int class_id, y1 = s->height, x1 = s->width, y2 = 0, x2 = 0;
        fake_masks_draw(&(mr_masks){data, s->picture, scene->height, scene->width, NULL}, o, mask,
                        &class_id, NULL);
        assert_int_equal(resize_bytes(mask, &s->fit, full), MRCNN_OK);
        for (int y = 0; y < s->height; y++)
            for (int x = 0; x < s->width; x++) {
                int from = s->mirrored ? s->width - 1 - x : x;
                uint8_t v = full[y * s->width + from];
                turned[y * s->width + x] = v;
                if (!v) continue;
                y1 = y < y1 ? y : y1, x1 = x < x1 ? x : x1;
                y2 = y + 1 > y2 ? y + 1 : y2, x2 = x + 1 > x2 ? x + 1 : x2;
            }
        if (y2 == 0) continue;
        const int32_t box[4] = {y1, x1, y2, x2};
        assert_true(at < s->count);
        assert_int_equal(s->class_ids[at], class_id);
        assert_memory_equal(s->boxes[at], box, sizeof box);
        mr_bits_unpack(s->masks + (size_t)at * mask_size, s->mask_height, s->mask_width, have);
        if (mr_config_settings(config)->use_mini_mask) {
            uint8_t mini[56 * 56];
            mr_minimize_mask(turned, s->width, box, mini, 56, 56, NULL);
            assert_memory_equal(have, mini, sizeof mini);
        } else {
            assert_memory_equal(have, turned, size);
        }
        at++;
    }
    assert_int_equal(at, s->count);
    free(mask), free(full), free(turned), free(have);
}

static void check_pixels(const mr_dataset *data, const mr_sample *s) {
    mrcnn_image image = {0};
    size_t count = (size_t)s->height * (size_t)s->width * 3;
    uint8_t *want = malloc(count);
    fake_read(data, s->picture, &image, NULL);
    assert_int_equal(mr_resize_image(&image, &s->fit, want, 1, NULL), MRCNN_OK);
    for (int y = 0; y < s->height; y++)
        for (int x = 0; x < s->width; x++) {
            int from = s->mirrored ? s->width - 1 - x : x;
            assert_memory_equal(s->pixels + 3 * ((size_t)y * (size_t)s->width + (size_t)x),
                                want + 3 * ((size_t)y * (size_t)s->width + (size_t)from), 3);
        }
    mrcnn_image_free(&image);
    free(want);
}

static void check_sample(const mr_dataset *data, const mr_sample *s, int height, int width) {
    assert_non_null(s);
    assert_int_equal(s->height, height);
    assert_int_equal(s->width, width);
    assert_int_equal(s->channels, 3);
    assert_int_equal(s->class_count, FAKE_CLASSES);
    assert_memory_equal(s->active, fake_active, FAKE_CLASSES);
    check_pixels(data, s);
    check_objects(data, s);
    size_t masks = mr_bits_size(s->mask_height, s->mask_width);
    assert_int_equal(s->bytes, sizeof *s + (size_t)height * (size_t)width * 3 +
                                   (size_t)s->count * (masks + 5 * sizeof(int32_t)) + FAKE_CLASSES);
}

static mr_dataset one_scene(int height, int width, const fake_object *objects, size_t count) {
    mr_dataset data = {0};
    for (size_t i = 0; i < FAKE_PICTURES; i++)
        fake_set(&data, i, (fake_scene){height, width, objects, count, 0});
    return data;
}

static void all_modes(void **state) {
    (void)state;
    static const struct {
        const char *mode, *min_dim, *max_dim;
        int height, width, in_height, in_width;
    } modes[] = {
        {"square", "96", "128", 60, 100, 128, 128}, {"square", "0", "64", 60, 100, 64, 64},
        {"pad64", "64", "128", 60, 100, 64, 128},   {"pad64", "0", "128", 65, 64, 128, 64},
        {"crop", "64", "128", 60, 100, 64, 64},     {"none", "0", "128", 64, 128, 64, 128},
    };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        for (int flags = 0; flags < 8; flags++) {
            mr_dataset data = one_scene(modes[i].height, modes[i].width, two_objects, 2);
            set("IMAGE_RESIZE_MODE", modes[i].mode);
            set("IMAGE_MIN_DIM", modes[i].min_dim);
            set("IMAGE_MAX_DIM", modes[i].max_dim);
            set("USE_MINI_MASK", flags & 1 ? "true" : "false");
            set("HORIZONTAL_FLIP", flags & 2 ? "1" : "0");
            mr_sample *s = load(&data, 1, 17, flags >> 2);
            check_sample(&data, s, modes[i].in_height, modes[i].in_width);
            assert_int_equal(s->mirrored, flags >= 6);
            assert_int_equal(s->picture, 1);
            assert_int_equal(s->number, 17);
            mr_sample_free(&s);
            assert_null(s);
        }
}

/* The crop is drawn over its whole range, by the number alone; validation takes the middle. */
static void crops(void **state) {
    (void)state;
    mr_dataset data = one_scene(64, 67, two_objects, 2);
    set("IMAGE_RESIZE_MODE", "crop");
    set("IMAGE_MIN_DIM", "64");
    int seen[4] = {0};
    for (uint64_t number = 0; number < 60; number++) {
        mr_sample *s = load(&data, 0, number, 1), *again = load(&data, 0, number, 1);
        assert_int_equal(s->fit.crop_y, 0);
        assert_in_range(s->fit.crop_x, 0, 3);
        assert_int_equal(s->fit.crop_x, again->fit.crop_x);
        seen[s->fit.crop_x]++;
        mr_sample_free(&s), mr_sample_free(&again);
        s = load(&data, 0, number, 0);
        assert_int_equal(s->fit.crop_x, 1);
        mr_sample_free(&s);
    }
    for (int i = 0; i < 4; i++) assert_true(seen[i] > 4);
}

static void flips(void **state) {
    (void)state;
    enum { DRAWS = 400 };
    mr_dataset data = one_scene(64, 64, two_objects, 2);
    set("IMAGE_RESIZE_MODE", "none");
    set("HORIZONTAL_FLIP", "0.25");
    int mirrored = 0;
    for (uint64_t number = 0; number < DRAWS; number++) {
        mr_sample *s = load(&data, 0, number, 1);
        mirrored += s->mirrored;
        mr_sample_free(&s);
        s = load(&data, 0, number, 0);
        assert_int_equal(s->mirrored, 0);
        mr_sample_free(&s);
    }
    assert_in_range(mirrored, 70, 130);
    /* Mirrored twice, a picture is as it was, whatever its width. */
    for (int width = 1; width < 6; width++) {
        uint8_t pixels[2 * 5 * 3], kept[sizeof pixels];
        for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = kept[i] = (uint8_t)(i * 7);
        mirror(pixels, 2, width, 3);
        if (width > 1) assert_memory_not_equal(pixels, kept, 3);
        mirror(pixels, 2, width, 3);
        assert_memory_equal(pixels, kept, sizeof pixels);
    }
}

/* --------------------------------------------------------------------------------- odd objects */

static void dropped_and_skipped(void **state) {
    (void)state;
    static const fake_object objects[] = {
        {1, {200, 0, 210, 10}, 0}, /* outside */
        {2, {5, 5, 6, 6}, 0},      /* one pixel */
        {1, {9, 9, 9, 30}, 0},     /* no area */
        {-1, {0, 0, 64, 64}, 0},   /* a crowd over everything */
    };
    mr_dataset data = one_scene(64, 64, objects, 4);
    fake_set(&data, 1, (fake_scene){64, 64, objects + 2, 2, 0}); /* the crowd alone */
    fake_set(&data, 2, (fake_scene){64, 64, objects, 1, 0});     /* nothing in the picture */
    fake_set(&data, 3, (fake_scene){64, 64, objects, 0, 1});     /* no objects: isn't even read */
    set("IMAGE_RESIZE_MODE", "none");
    mr_sample *s = load(&data, 0, 0, 1);
    check_sample(&data, s, 64, 64);
    assert_int_equal(s->count, 2);
    assert_int_equal(s->class_ids[0], 2);
    assert_int_equal(s->class_ids[1], -1);
    mr_sample_free(&s);
    for (size_t i = 1; i < 4; i++) assert_null(load(&data, i, 0, 1));
    mr_sample_free(&s);
    mr_sample_free(NULL);
    /* Shrunk, one pixel disappears. */
    set("IMAGE_RESIZE_MODE", "square");
    set("IMAGE_MIN_DIM", "0");
    set("IMAGE_MAX_DIM", "64");
    fake_set(&data, 0, (fake_scene){999, 999, objects + 1, 1, 0});
    assert_null(load(&data, 0, 0, 1));
}

static void many_objects(void **state) {
    (void)state;
    enum { MANY = 500 };
    static fake_object objects[MANY];
    for (int i = 0; i < MANY; i++)
        objects[i] = (fake_object){1 + i % 2, {i % 50, i / 10, i % 50 + 9, i / 10 + 5}, i % 3 == 0};
    mr_dataset data = one_scene(64, 64, objects, MANY);
    set("IMAGE_RESIZE_MODE", "none");
    mr_sample *s = load(&data, 0, 0, 1);
    check_sample(&data, s, 64, 64);
    assert_int_equal(s->count, MANY);
    mr_sample_free(&s);
}

static void expect_failure(const mr_dataset *data, size_t picture, mrcnn_status status,
                           const char *text) {
    mr_sample *sample = &unset;
    mr_sample_options o = options(1);
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_sample_load(&sample, data, picture, 0, &o, &err), status);
    assert_contains(err.message, text);
    assert_ptr_equal(sample, &unset);
    assert_int_equal(mr_sample_load(&sample, data, picture, 0, &o, NULL), status);
}

static void failures(void **state) {
    (void)state;
    static const fake_object none = {0, {0, 0, 9, 9}, 0}, above = {3, {0, 0, 9, 9}, 0};
    mr_dataset data = one_scene(64, 64, two_objects, 2);
    fake_set(&data, 0, (fake_scene){64, 64, two_objects, 2, 1});
    fake_set(&data, 1, (fake_scene){64, 64, two_objects, 2, 2});
    fake_set(&data, 2, (fake_scene){64, 65, two_objects, 2, 0});
    set("IMAGE_RESIZE_MODE", "none");
    expect_failure(&data, 0, MRCNN_E_FORMAT, "0.png: broken picture");
    expect_failure(&data, 1, MRCNN_E_FORMAT, "1.png: broken mask");
    expect_failure(&data, 2, MRCNN_E_ARGUMENT, "2.png: a picture of 65 x 64");
    expect_failure(&data, 4, MRCNN_E_ARGUMENT, "no picture 4: the data set has 4");
    fake_set(&data, 3, (fake_scene){64, 64, &none, 1, 0});
    expect_failure(&data, 3, MRCNN_E_FORMAT, "3.png: object 0 is of class 0; classes are 1 to 2");
    fake_set(&data, 3, (fake_scene){64, 64, &above, 1, 0});
    expect_failure(&data, 3, MRCNN_E_FORMAT, "object 0 is of class 3");
    set("IMAGE_RESIZE_MODE", "square");
    set("IMAGE_MAX_DIM", "64");
    fake_set(&data, 3, (fake_scene){1, 1000, two_objects, 1, 0});
    expect_failure(&data, 3, MRCNN_E_UNSUPPORTED, "3.png: a picture of 1000 x 1 pixels is too");
}

/* -------------------------------------------------------------------------------- augmentation */

static void assert_same(const mr_sample *a, const mr_sample *b) {
    assert_true(a && b);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->bytes, b->bytes);
    assert_memory_equal(a->pixels, b->pixels, (size_t)a->height * (size_t)a->width * 3);
    assert_memory_equal(a->boxes, b->boxes, (size_t)a->count * sizeof *a->boxes);
    assert_memory_equal(a->class_ids, b->class_ids, (size_t)a->count * sizeof *a->class_ids);
    assert_memory_equal(a->masks, b->masks,
                        (size_t)a->count * mr_bits_size(a->mask_height, a->mask_width));
}

/* What a sample is with some settings, and with others. */
static mr_sample *load_with(const mr_dataset *data, const char *key, const char *value,
                            const char *after) {
    set(key, value);
    mr_sample *s = load(data, 0, 3, 1);
    set(key, after);
    return s;
}

static void augmented(void **state) {
    (void)state;
    mr_dataset data = one_scene(64, 128, two_objects, 2);
    set("IMAGE_RESIZE_MODE", "none");
    for (int mini = 0; mini < 2; mini++) {
        set("USE_MINI_MASK", mini ? "true" : "false");
        mr_sample *plain = load(&data, 0, 3, 1);
        mr_sample *mirrored = load_with(&data, "HORIZONTAL_FLIP", "1", "0");
        mr_sample *flipped = load_with(&data, "AUGMENTATION", "[Fliplr]", "none");
        assert_same(mirrored, flipped);
        assert_true(flipped->augmented && !flipped->mirrored && !mirrored->augmented);
        mr_sample *twice =
            load_with(&data, "AUGMENTATION", "[Flipud, {Multiply: 1}, Flipud]", "none");
        assert_same(plain, twice);
        /* Moved to the right by 90 of 128, both are cut (one had a hole where it is left).*/
        mr_sample *moved =
            load_with(&data, "AUGMENTATION", "[{Affine: {translate_px: {x: 90}}}]", "none");
        const int32_t boxes[2][4] = {{25, 110, 40, 128}, {30, 95, 50, 128}};
        assert_int_equal(moved->count, 2);
        assert_memory_equal(moved->boxes, boxes, sizeof boxes);
        mr_sample_free(&moved);
        moved =
            load_with(&data, "AUGMENTATION", "[{Affine: {translate_px: {x: -64, y: 0}}}]", "none");
        /* To the left, the crowd alone would remain: the picture comes as it is. */
        assert_int_equal(moved->augmented, 0);
        assert_same(moved, plain);
        mr_sample_free(&moved);
        mr_sample *unseen = NULL; /* validation never changes anything */
        set("AUGMENTATION", "[Fliplr, {Multiply: 0.5}]");
        set("MOSAIC", "1");
        unseen = load(&data, 0, 3, 0);
        assert_same(unseen, plain);
        set("NO_AUGMENTATION_SOURCES", "[other, fake]"); /* nor does training, in such a source */
        mr_sample *left_alone = load(&data, 0, 3, 1);
        assert_same(left_alone, plain);
        assert_int_equal(left_alone->augmented, 0);
        set("NO_AUGMENTATION_SOURCES", "[other, fak, fakes]");
        mr_sample *changed = load(&data, 0, 3, 1);
        assert_int_equal(changed->augmented, 1);
        assert_int_equal(changed->mosaic, 0); /* mode none has no frame for four */
        set("NO_AUGMENTATION_SOURCES", "[]");
        set("AUGMENTATION", "none");
        set("MOSAIC", "0");
        mr_sample *all[] = {plain, mirrored, flipped, twice, unseen, left_alone, changed};
        for (size_t i = 0; i < sizeof all / sizeof *all; i++) mr_sample_free(&all[i]);
    }
}

/* Draws follow from the number and the seed alone. */
static void draws(void **state) {
    (void)state;
    mr_dataset data = one_scene(64, 64, two_objects, 2);
    set("IMAGE_RESIZE_MODE", "none");
    set("AUGMENTATION", "[{SomeOf: {count: [0, 2], of: [{Affine: {rotate: [-40, 40]}}, {Multiply: "
                        "[0.5, 1.5]}, {GaussianBlur: [0, 3]}]}}]");
    int changes = 0, untouched = 0;
    for (uint64_t number = 0; number < 60; number++) {
        mr_sample *a = load(&data, 0, number, 1), *b = load(&data, 0, number, 1);
        mr_sample *next = load(&data, 0, number + 1, 1);
        assert_same(a, b);
        changes += memcmp(a->pixels, next->pixels, 64 * 64 * 3) != 0;
        untouched += !a->augmented;
        mr_sample_free(&a), mr_sample_free(&b), mr_sample_free(&next);
    }
    assert_true(changes > 40);
    assert_in_range(untouched, 8, 35);
}

/* ------------------------------------------------------------------------------------- mosaics */

/* Where in the sample the picture lies, fitted into a quarter: 0 to 3, or -1. */
static int find_quarter(const mr_dataset *data, size_t picture, const mr_fit *fit,
                        const mr_sample *s) {
    mrcnn_image image = {0};
    size_t row = (size_t)fit->width * 3;
    uint8_t *want = malloc(row * (size_t)fit->height);
    int found = -1;
    fake_read(data, picture, &image, NULL);
    assert_int_equal(mr_resize_image(&image, fit, want, 1, NULL), MRCNN_OK);
    for (int q = 0; q < 4; q++) {
        int same = 1;
        for (int y = 0; y < fit->height && same; y++) {
            size_t at =
                (size_t)(y + q / 2 * fit->height) * (size_t)s->width + (size_t)(q % 2 * fit->width);
            same = memcmp(s->pixels + 3 * at, want + (size_t)y * row, row) == 0;
        }
        if (same) found = q;
    }
    mrcnn_image_free(&image);
    free(want);
    return found;
}

static void mosaics(void **state) {
    (void)state;
    static const fake_object one[] = {{1, {0, 0, 64, 64}, 0}};
    mr_dataset data = one_scene(64, 64, one, 1);
    mr_settings quarter;
    mr_fit fit;
    int places[4] = {0}, partners = 0;
    set("IMAGE_RESIZE_MODE", "square");
    set("IMAGE_MIN_DIM", "64");
    set("IMAGE_MAX_DIM", "128");
    set("USE_MINI_MASK", "false");
    set("MOSAIC", "1");
    quarter = *mr_config_settings(config);
    quarter.image_max_dim = 64, quarter.image_min_dim = 32;
    assert_int_equal(mr_fit_image(&fit, 64, 64, &quarter, NULL), MRCNN_OK);
    for (uint64_t number = 0; number < 40; number++) {
        mr_sample *s = load(&data, 1, number, 1);
        int full = 0;
        assert_int_equal(s->mosaic, 1);
        assert_true(s->height == 128 && s->width == 128);
        assert_int_equal(s->count, 4); /* one a quarter, and it is all of it */
        for (int i = 0; i < 4; i++) {
            const int32_t *b = s->boxes[i];
            assert_true(b[2] - b[0] == 64 && b[3] - b[1] == 64 && b[0] % 64 == 0 && b[1] % 64 == 0);
            full |= 1 << (b[0] / 64 * 2 + b[1] / 64);
            const uint8_t *mask = s->masks + (size_t)i * mr_bits_size(128, 128);
            for (int y = 0; y < 128; y++)
                for (int x = 0; x < 128; x++)
                    assert_int_equal(mr_bit(mask + (size_t)y * mr_bits_row(128), x),
                                     y >= b[0] && y < b[2] && x >= b[1] && x < b[3]);
        }
        assert_int_equal(full, 15);
        int own = find_quarter(&data, 1, &fit, s);
        assert_in_range(own, 0, 3);
        places[own]++;
        for (size_t p = 0; p < 4; p++) partners += p != 1 && find_quarter(&data, p, &fit, s) >= 0;
        mr_sample_free(&s);
    }
    for (int i = 0; i < 4; i++) assert_true(places[i] > 2);
    assert_in_range(partners, 40, 120);
    /* Crops keep the objects' size. */
    set("IMAGE_RESIZE_MODE", "crop");
    mr_dataset large = one_scene(200, 200, two_objects, 2);
    mr_sample *s = load(&large, 1, 0, 1);
    if (s) assert_true(s->height == 64 && s->fit.scaled_height == 200 && s->fit.height == 32);
    mr_sample_free(&s);
    /* Half of them. */
    set("MOSAIC", "0.5");
    int count = 0;
    for (uint64_t number = 0; number < 200; number++) {
        s = load(&data, 1, number, 1);
        count += s->mosaic;
        mr_sample_free(&s);
    }
    assert_in_range(count, 65, 135);
    /* Pictures that mustn't change stay away: the own one is there four times. */
    set("IMAGE_RESIZE_MODE", "square");
    set("MOSAIC", "1");
    set("NO_AUGMENTATION_SOURCES", "[kept]");
    for (size_t i = 0; i < 4; i++) data.pictures[i].source = i == 1 ? "fake" : "kept";
    s = load(&data, 1, 4, 1);
    assert_int_equal(s->mosaic, 1);
    for (size_t p = 0; p < 4; p++) assert_true((find_quarter(&data, p, &fit, s) >= 0) == (p == 1));
    mr_sample_free(&s);
    s = load(&data, 2, 4, 1);
    assert_int_equal(s->mosaic, 0);
    mr_sample_free(&s);
    /* A broken partner is an error that has its name. */
    set("NO_AUGMENTATION_SOURCES", "[]");
    for (size_t i = 0; i < 4; i++) data.scenes[i].broken = i != 1;
    mr_sample_options o = options(1);
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_sample_load(&s, &data, 1, 4, &o, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, ".png: broken picture");
}

/* --------------------------------------------------------------------------------------- store */

static void expect_equal(const mr_sample *a, const mr_sample *b) {
    size_t mask = mr_bits_size(a->mask_height, a->mask_width);
    assert_true(a->count == b->count && a->height == b->height && a->width == b->width);
    assert_memory_equal(a->pixels, b->pixels, (size_t)a->height * (size_t)a->width * 3);
    assert_memory_equal(a->boxes, b->boxes, (size_t)a->count * sizeof *a->boxes);
    assert_memory_equal(a->class_ids, b->class_ids, (size_t)a->count * sizeof *a->class_ids);
    assert_memory_equal(a->masks, b->masks, (size_t)a->count * mask);
}

static size_t count_kept(mr_decoded_store *store) {
    const mr_decoded *decoded;
    mr_decoded *own;
    size_t kept = 0;
    for (size_t i = 0; i < FAKE_PICTURES; i++)
        if (mr_decoded_store_get(store, i, &decoded, &own, NULL) == MRCNN_OK) {
            assert_null(own);
            kept++;
        }
    return kept;
}

/* With room for all, for some and for none: the same samples; and what is kept is not read again. */
static void kept_pictures_give_the_same(void **state) {
    (void)state;
    static const size_t rooms[] = {1000000, 30000, 0}, wanted[] = {FAKE_PICTURES, 1, 0};
    set("IMAGE_RESIZE_MODE", "crop");
    set("IMAGE_MIN_DIM", "64");
    set("HORIZONTAL_FLIP", "0.5");
    set("MOSAIC", "0.3");
    set("AUGMENTATION", "[{Affine: {rotate: [0, 90]}}, Invert]");
    for (size_t r = 0; r < 3; r++) {
        mr_dataset data;
        for (size_t i = 0; i < FAKE_PICTURES; i++)
            fake_set(&data, i, (fake_scene){80, 100, two_objects, 2, 0});
        mr_sample_options o = options(1);
        assert_int_equal(mr_decoded_store_create(&o.store, &data, o.settings, rooms[r], NULL), 0);
        for (uint64_t number = 0; number < 24; number++) {
            mr_sample *plain = load(&data, number % 4, number, 1), *stored = &unset;
            assert_int_equal(mr_sample_load(&stored, &data, number % 4, number, &o, NULL), 0);
            assert_true(plain && stored);
            expect_equal(plain, stored);
            mr_sample_free(&plain);
            mr_sample_free(&stored);
        }
        for (size_t i = 0; i < FAKE_PICTURES; i++) data.scenes[i].broken = 1;
        assert_int_equal(count_kept(o.store), wanted[r]);
        mr_decoded_store_free(&o.store);
    }
}

/* An object outside the picture has an empty mask, which is kept as such. */
static void decoded_masks_are_patches(void **state) {
    (void)state;
    static const fake_object objects[] = {{1, {10, 20, 40, 61}, 1}, {2, {70, 90, 99, 99}, 0}};
    mr_dataset data = one_scene(64, 80, objects, 2);
    mr_decoded *decoded;
    uint8_t mask[64 * 80];
    int class_id;
    assert_int_equal(mr_decode(&decoded, &data, 0, options(1).settings, NULL), MRCNN_OK);
    assert_int_equal(decoded->count, 2);
    fake_masks_draw(&(mr_masks){&data, 0, 64, 80, NULL}, 0, mask, &class_id, NULL);
    const mr_patch *p = &decoded->objects[0].mask;
    const int32_t box[4] = {10, 20, 40, 61};
    assert_memory_equal(p->box, box, sizeof box);
    for (int y = 10; y < 40; y++)
        for (int x = 20; x < 61; x++)
            assert_int_equal(mr_bit(p->bits + (size_t)(y - 10) * mr_bits_row(41), x - 20),
                             mask[y * 80 + x]);
    p = &decoded->objects[1].mask;
    assert_true(p->box[0] == p->box[2] && p->box[1] == p->box[3]);
    mr_decoded_free(&decoded);
}

/* ------------------------------------------------------------------------------------ examples */

static mr_example *load_example(const mr_dataset *data, size_t picture, uint64_t number,
                                mr_anchor_cache *cache) {
    mr_example *example = (mr_example *)&config;
    mr_example_options o = {options(1), cache};
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_example_load(&example, data, picture, number, &o, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    return example;
}

static void examples(void **state) {
    (void)state;
    static const fake_object crowd = {-1, {0, 0, 30, 30}, 0};
    mr_dataset data = one_scene(60, 100, two_objects, 2);
    fake_set(&data, 1, (fake_scene){64, 64, &crowd, 1, 0});
    fake_set(&data, 2, (fake_scene){60, 130, two_objects, 2, 0});
    fake_set(&data, 3, (fake_scene){60, 130, two_objects, 2, 2});
    set("IMAGE_RESIZE_MODE", "pad64");
    set("IMAGE_MIN_DIM", "0");
    mr_anchor_cache cache = {0};
    for (size_t i = 0; i < 3; i += 2) { /* two input sizes */
        const mr_settings *s = mr_config_settings(config);
        mr_example *e = load_example(&data, i, 3, &cache);
        mr_sample *plain = load(&data, i, 3, 1);
        assert_int_equal(cache.width, i ? 192 : 128);
        assert_int_equal(cache.count, mr_anchor_count(s, 64, i ? 192 : 128));
        mr_ground_truth truth = mr_example_truth(e);
        assert_int_equal(truth.count, 2);
        mr_rpn_targets want = {0};
        uint64_t stream = mr_prng_value(mr_prng_stream(5, "rpn targets"), 3);
        assert_int_equal(
            mr_build_rpn_targets(&want, cache.anchors, cache.count, &truth, s, stream, NULL),
            MRCNN_OK);
        assert_int_equal(e->rpn.count, want.count);
        assert_true(want.positive_count > 0);
        assert_memory_equal(e->rpn.anchors, want.anchors, (size_t)want.count * 4);
        assert_memory_equal(e->rpn.matches, want.matches, (size_t)want.count);
        assert_int_equal(e->bytes, sizeof *e + plain->bytes + mr_rpn_targets_bytes(&want));
        mr_rpn_targets_free(&want);
        mr_sample_free(&plain);
        mr_example_free(&e);
        assert_null(e);
    }
    assert_null(load_example(&data, 1, 0, &cache));
    mr_example *e = NULL;
    mr_example_options o = {options(1), &cache};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_example_load(&e, &data, 3, 0, &o, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "3.png: broken mask");
    assert_null(e);
    mr_anchor_cache_free(&cache);
    mr_anchor_cache_free(NULL);
    mr_example_free(NULL);
}

/* N60: the RPN learns from every object, the heads from some, which are drawn evenly. */
static void at_most_so_many_objects(void **state) {
    (void)state;
    enum { ALL = 12, MOST = 5, DRAWS = 300 };
    fake_object objects[ALL];
    int drawn[ALL] = {0}, changed = 0;
    for (int i = 0; i < ALL; i++)
        objects[i] = (fake_object){1 + i % 2, {5 * i, 5 * i, 5 * i + 4, 5 * i + 4}, i % 2};
    mr_dataset data = one_scene(64, 64, objects, ALL);
    set("IMAGE_RESIZE_MODE", "none");
    set("MAX_GT_INSTANCES", "5");
    mr_anchor_cache cache = {0};
    for (uint64_t number = 0; number < DRAWS; number++) {
        set("SAMPLING", number ? "random" : "first");
        mr_example *e = load_example(&data, 0, number, &cache);
        mr_sample *all = load(&data, 0, number, 1), *s = e->sample;
        assert_int_equal(all->count, ALL);
        assert_int_equal(s->count, MOST);
        size_t size = 56 * 56 / 8;
        assert_int_equal(all->bytes - s->bytes, (ALL - MOST) * (size + 5 * sizeof(int32_t)));
        for (int i = 0, last = -1; i < MOST; i++) {
            int o = s->boxes[i][0] / 5;
            assert_true(o > last);
            assert_int_equal(s->class_ids[i], all->class_ids[o]);
            assert_memory_equal(s->boxes[i], all->boxes[o], sizeof s->boxes[i]);
            assert_memory_equal(s->masks + (size_t)i * size, all->masks + (size_t)o * size, size);
            if (number == 0) assert_int_equal(o, i);
            drawn[o]++;
            changed += o != i;
            last = o;
        }
        assert_true(e->rpn.positive_count >= ALL / 2);
        mr_sample_free(&all);
        mr_example_free(&e);
    }
    assert_true(changed > DRAWS);
    for (int i = 0; i < ALL; i++) assert_in_range(drawn[i], 80, 170); /* 125 +- 5 deviations */
    mr_anchor_cache_free(&cache);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_config, free_config)
    const struct CMUnitTest tests[] = {
        TEST(goldens),
        TEST(mini_mask_rules),
        TEST(all_modes),
        TEST(crops),
        TEST(flips),
        TEST(dropped_and_skipped),
        TEST(many_objects),
        TEST(failures),
        TEST(examples),
        TEST(at_most_so_many_objects),
        TEST(augmented),
        TEST(draws),
        TEST(mosaics),
        TEST(kept_pictures_give_the_same),
        TEST(decoded_masks_are_patches),
    };
    return cmocka_run_group_tests_name("samples", tests, NULL, NULL);
}
