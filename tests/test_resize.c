/* test_resize.c - N1 to N6: geometry, pixels and masks against the reference's values, and what is
 * refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper_resize_mask.h"
#include "helper_npy.h"
#include "image/resize.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA TEST_DATA "/image/"

static const mr_floats mean = {3, {123.7, 116.8, 103.9}};

static mr_settings make_settings(mr_resize_mode mode, int min_dim, int max_dim, double min_scale) {
    mr_settings s;
    memset(&s, 0, sizeof s);
    s.image_resize_mode = mode;
    s.image_min_dim = min_dim;
    s.image_max_dim = max_dim;
    s.image_min_scale = min_scale;
    return s;
}

static mr_fit fit_of(int height, int width, const mr_settings *s) {
    mr_fit fit;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_fit_image(&fit, height, width, s, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return fit;
}

/* ------------------------------------------------------------------------------------- goldens */

typedef struct resize_case {
    const char *name;
    mr_resize_mode mode;
    int min_dim, max_dim;
    double min_scale;
    int window[4];
    double scale;
    int crop[2];
} resize_case;

static const resize_case cases[] = {
    {"square_up", MR_RESIZE_SQUARE, 40, 48, 0, {5, 0, 42, 48}, 2.823529411764706, {0, 0}},
    {"square_down", MR_RESIZE_SQUARE, 16, 24, 0, {0, 3, 24, 21}, 0.5853658536585366, {0, 0}},
    {"square_twice", MR_RESIZE_SQUARE, 32, 32, 0, {0, 0, 32, 32}, 2.0, {0, 0}},
    {"square_as_is", MR_RESIZE_SQUARE, 16, 40, 0, {10, 4, 30, 35}, 1.0, {0, 0}},
    {"square_min_scale", MR_RESIZE_SQUARE, 9, 40, 2.3, {9, 4, 30, 36}, 2.3, {0, 0}},
    {"square_line", MR_RESIZE_SQUARE, 3, 64, 0, {31, 0, 33, 64}, 1.7297297297297298, {0, 0}},
    {"pad64_up", MR_RESIZE_PAD64, 64, 0, 0, {0, 21, 64, 107}, 3.2, {0, 0}},
    {"pad64_as_is", MR_RESIZE_PAD64, 0, 0, 0, {17, 29, 47, 99}, 1.0, {0, 0}},
    {"pad64_min_scale", MR_RESIZE_PAD64, 0, 0, 2.5, {11, 3, 53, 61}, 2.5, {0, 0}},
    {"crop_up", MR_RESIZE_CROP, 32, 0, 0, {0, 0, 32, 32}, 2.4615384615384617, {0, 7}},
    {"crop_as_is", MR_RESIZE_CROP, 32, 0, 0, {0, 0, 32, 32}, 1.0, {8, 3}},
};
enum { CASES = sizeof cases / sizeof *cases };

static mrcnn_image load(const resize_case *c, const char *part) {
    char path[512];
    mrcnn_image image = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    snprintf(path, sizeof path, DATA "resize_%s_%s.png", c->name, part);
    if (mrcnn_image_read(&image, path, NULL, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return image;
}

static size_t area(const mrcnn_image *image) {
    return (size_t)image->width * (size_t)image->height;
}

/* Grey pictures hold masks: their first channel, 0 or 1. */
static uint8_t *take_mask(mrcnn_image *image) {
    for (size_t i = 0; i < area(image); i++) image->pixels[i] = image->pixels[3 * i] != 0;
    return image->pixels;
}

static mr_fit fit_case(const resize_case *c, const mrcnn_image *in, const mrcnn_image *wanted) {
    mr_settings s = make_settings(c->mode, c->min_dim, c->max_dim, c->min_scale);
    mr_fit fit = fit_of(in->height, in->width, &s);
    assert_int_equal(fit.height, wanted->height);
    assert_int_equal(fit.width, wanted->width);
    assert_memory_equal(fit.window, c->window, sizeof fit.window);
    assert_true(fit.scale == c->scale);
    fit.crop_y = c->crop[0];
    fit.crop_x = c->crop[1];
    return fit;
}

static void pictures_equal_the_reference(void **state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        mrcnn_image in = load(&cases[i], "in"), wanted = load(&cases[i], "out");
        mr_fit fit = fit_case(&cases[i], &in, &wanted);
        uint8_t *out = malloc(area(&wanted) * 3);
        assert_non_null(out);
        for (int threads = 1; threads <= 3; threads++) {
            memset(out, 0xAA, area(&wanted) * 3);
            assert_int_equal(mr_resize_image(&in, &fit, out, threads, NULL), MRCNN_OK);
            for (size_t k = 0; k < area(&wanted) * 3; k++)
                if (out[k] != wanted.pixels[k])
                    fail_msg("%s: byte %zu is %d, not %d", cases[i].name, k, out[k],
                             wanted.pixels[k]);
        }
        free(out);
        mrcnn_image_free(&in);
        mrcnn_image_free(&wanted);
    }
}

static void masks_equal_the_reference(void **state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        mrcnn_image in = load(&cases[i], "mask_in"), wanted = load(&cases[i], "mask_out");
        mr_fit fit = fit_case(&cases[i], &in, &wanted);
        uint8_t *out = malloc(area(&wanted));
        assert_non_null(out);
        memset(out, 0xAA, area(&wanted));
        assert_int_equal(resize_bytes(take_mask(&in), &fit, out), MRCNN_OK);
        take_mask(&wanted);
        for (size_t k = 0; k < area(&wanted); k++)
            if (out[k] != wanted.pixels[k]) fail_msg("%s: pixel %zu differs", cases[i].name, k);
        free(out);
        mrcnn_image_free(&in);
        mrcnn_image_free(&wanted);
    }
}

/* N4 and mold_image: one rounding, from the double difference to float. */
static void molding_is_the_same_in_one_pass_or_two(void **state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        mrcnn_image in = load(&cases[i], "in"), wanted = load(&cases[i], "out");
        mr_fit fit = fit_case(&cases[i], &in, &wanted);
        size_t count = area(&wanted) * 3;
        float *two = malloc(count * sizeof *two), *one = malloc(count * sizeof *one);
        assert_non_null(two);
        assert_non_null(one);
        mr_mold_image(wanted.pixels, area(&wanted), &mean, two);
        for (size_t k = 0; k < count; k++)
            assert_true(two[k] == (float)((double)wanted.pixels[k] - mean.values[k % 3]));
        for (int threads = 1; threads <= 3; threads++) {
            memset(one, 0xAA, count * sizeof *one);
            assert_int_equal(mr_fit_and_mold(&in, &fit, &mean, one, threads, NULL), MRCNN_OK);
            assert_memory_equal(one, two, count * sizeof *one);
        }
        free(one);
        free(two);
        mrcnn_image_free(&in);
        mrcnn_image_free(&wanted);
    }
}

/* Every channel of a picture comes out as it does in a picture of three; ways and sizes differ: as it
 * is, larger, smaller, cut. */
static void channels_are_resized_alike(void **state) {
    (void)state;
    enum { H = 37, W = 53, MOST = 16 };
    static const struct {
        mr_resize_mode mode;
        int min_dim, max_dim;
    } ways[] = {{MR_RESIZE_SQUARE, 0, 64},
                {MR_RESIZE_SQUARE, 64, 128},
                {MR_RESIZE_PAD64, 0, 0},
                {MR_RESIZE_CROP, 64, 0}};
    static uint8_t planes[MOST][H * W], rgb[H * W * 3], mixed[H * W * MOST];
    static uint8_t wanted[128 * 128 * 3], out[128 * 128 * MOST];
    static float floats[128 * 128 * MOST], two[128 * 128 * MOST];
    for (int c = 0; c < MOST; c++)
        for (int i = 0; i < H * W; i++)
            planes[c][i] = (uint8_t)(i % 5 ? (i * (7 + c)) ^ (i >> (c % 4)) : 0); /* darkest: 0 */
    for (int channels = 1; channels <= MOST; channels++) {
        mrcnn_image image = {W, H, channels, mixed}, three = {W, H, 3, rgb};
        mr_floats means = {.count = channels};
        for (int c = 0; c < channels; c++) means.values[c] = 10.25 * c;
        for (int i = 0; i < H * W * channels; i++) mixed[i] = planes[i % channels][i / channels];
        for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
            mr_settings s = make_settings(ways[k].mode, ways[k].min_dim, ways[k].max_dim, 0);
            mr_fit fit = fit_of(H, W, &s);
            size_t pixels = (size_t)fit.height * (size_t)fit.width, count = (size_t)channels;
            assert_true(pixels <= 128 * 128);
            memset(out, 0xAA, sizeof out);
            assert_int_equal(mr_resize_image(&image, &fit, out, 2, NULL), MRCNN_OK);
            for (size_t c = 0; c < count; c++) {
                for (int i = 0; i < H * W * 3; i++) rgb[i] = planes[c][i / 3];
                assert_int_equal(mr_resize_image(&three, &fit, wanted, 1, NULL), MRCNN_OK);
                for (size_t p = 0; p < pixels; p++)
                    assert_int_equal(out[p * count + c], wanted[3 * p + 1]);
            }
            mr_mold_image(out, pixels, &means, two);
            for (size_t i = 0; i < pixels * count; i++)
                assert_true(two[i] == (float)((double)out[i] - means.values[i % count]));
            assert_int_equal(mr_fit_and_mold(&image, &fit, &means, floats, 2, NULL), MRCNN_OK);
            assert_memory_equal(floats, two, pixels * count * sizeof *two);
        }
    }
}

static void floats_equal_the_reference(void **state) {
    (void)state;
    static const char *const outputs[] = {DATA "bilinear_up.npy", DATA "bilinear_down.npy"};
    npy_array in, wanted;
    assert_true(npy_read(DATA "bilinear_in.npy", &in));
    for (int i = 0; i < 2; i++) {
        assert_true(npy_read(outputs[i], &wanted));
        double *out = calloc(wanted.count, sizeof *out);
        assert_non_null(out);
        assert_int_equal(mr_resize_bilinear(in.raw, (int)in.shape[0], (int)in.shape[1],
                                            (int)in.shape[2], out, (int)wanted.shape[0],
                                            (int)wanted.shape[1], NULL),
                         MRCNN_OK);
        for (size_t k = 0; k < wanted.count; k++) assert_true(out[k] == wanted.data[k]);
        free(out);
        npy_free(&wanted);
    }
    npy_free(&in);
}

/* ------------------------------------------------------------------------------------ geometry */

/* N2: Python 3 rounds half to even: 2.5 -> 2, 3.5 -> 4. */
static void rounds_half_to_even(void **state) {
    (void)state;
    mr_settings s = make_settings(MR_RESIZE_SQUARE, 0, 64, 2.5);
    mr_fit fit = fit_of(1, 3, &s);
    assert_int_equal(fit.scaled_height, 2);
    assert_int_equal(fit.scaled_width, 8); /* 7.5 */
}

/* N6: scipy's pattern at twice and half the size. */
static void masks_are_taken_with_aligned_ends(void **state) {
    (void)state;
    static const uint8_t half[] = {0, 2, 5, 7, 9};
    static const uint8_t twice[] = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9};
    uint8_t in[10 * 10], out[20 * 20];
    for (int value = 0; value < 10; value++) { /* one column of the mask at a time */
        for (int i = 0; i < 100; i++) in[i] = i % 10 == value;
        mr_settings s = make_settings(MR_RESIZE_SQUARE, 0, 5, 0);
        mr_fit fit = fit_of(10, 10, &s);
        assert_int_equal(resize_bytes(in, &fit, out), MRCNN_OK);
        for (int i = 0; i < 5; i++) assert_int_equal(out[i], half[i] == value);
        s = make_settings(MR_RESIZE_SQUARE, 20, 20, 0);
        fit = fit_of(10, 10, &s);
        assert_int_equal(resize_bytes(in, &fit, out), MRCNN_OK);
        for (int i = 0; i < 20; i++) assert_int_equal(out[i], twice[i] == value);
    }
}

/* N3: zeros outside darken the border, but not below the picture's own darkest value. */
static void plain_pictures_stay_plain(void **state) {
    (void)state;
    uint8_t pixels[5 * 7 * 3], out[64 * 64 * 3];
    mrcnn_image image = {7, 5, 3, pixels};
    memset(pixels, 100, sizeof pixels);
    mr_settings s = make_settings(MR_RESIZE_SQUARE, 64, 64, 0);
    mr_fit fit = fit_of(5, 7, &s);
    assert_int_equal(mr_resize_image(&image, &fit, out, 1, NULL), MRCNN_OK);
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 64 * 3; x++)
            assert_int_equal(out[y * 64 * 3 + x],
                             y >= fit.window[0] && y < fit.window[2] ? 100 : 0);
}

static void none_leaves_the_picture_alone(void **state) {
    (void)state;
    enum { BYTES = 64 * 128 * 3 };
    uint8_t *pixels = malloc(BYTES), *out = malloc(BYTES);
    assert_non_null(pixels);
    assert_non_null(out);
    for (int i = 0; i < BYTES; i++) pixels[i] = (uint8_t)(i * 7);
    mrcnn_image image = {128, 64, 3, pixels};
    mr_settings s = make_settings(MR_RESIZE_NONE, 800, 1024, 2);
    mr_fit fit = fit_of(64, 128, &s);
    assert_true(fit.scale == 1);
    assert_int_equal(mr_resize_image(&image, &fit, out, 2, NULL), MRCNN_OK);
    assert_memory_equal(out, pixels, BYTES);
    free(pixels);
    free(out);
}

static void odd_shapes_fit(void **state) {
    (void)state;
    mr_settings s = make_settings(MR_RESIZE_SQUARE, 800, 1024, 0);
    mr_fit fit = fit_of(1, 1, &s);
    assert_int_equal(fit.scaled_height, 800);
    assert_int_equal(fit.window[0], 112);
    fit = fit_of(1, 2000, &s);
    assert_int_equal(fit.scaled_height, 1); /* 0.512 */
    assert_int_equal(fit.scaled_width, 1024);
    /* 1 x 20000 where nothing asks for more height. */
    uint8_t *pixels = calloc(20000, 3), *out = malloc(64 * 20032 * 3);
    assert_non_null(pixels);
    assert_non_null(out);
    memset(pixels, 9, 20000 * 3);
    mrcnn_image line = {20000, 1, 3, pixels};
    s = make_settings(MR_RESIZE_PAD64, 0, 0, 0);
    fit = fit_of(1, 20000, &s);
    assert_int_equal(fit.height, 64);
    assert_int_equal(fit.width, 20032);
    assert_int_equal(mr_resize_image(&line, &fit, out, 2, NULL), MRCNN_OK);
    assert_int_equal(out[(31 * 20032 + 16) * 3], 9);
    assert_int_equal(out[(31 * 20032 + 15) * 3], 0);
    assert_int_equal(out[(32 * 20032 + 16) * 3], 0);
    free(pixels);
    free(out);
}

/* ------------------------------------------------------------------------------------- refusals */

typedef struct refusal {
    int height, width;
    mr_resize_mode mode;
    int min_dim, max_dim;
    double min_scale;
    mrcnn_status status;
    const char *says;
} refusal;

static void refuses_what_can_not_fit(void **state) {
    (void)state;
    static const refusal refusals[] = {
        {1, 20000, MR_RESIZE_SQUARE, 800, 1024, 0, MRCNN_E_UNSUPPORTED, "20000 x 1"},
        {20000, 1, MR_RESIZE_SQUARE, 800, 1024, 0, MRCNN_E_UNSUPPORTED, "1 x 20000"},
        {1, 20000, MR_RESIZE_PAD64, 832, 0, 0, MRCNN_E_UNSUPPORTED, "too large"},
        {1, INT_MAX, MR_RESIZE_PAD64, INT_MAX - 63, 0, 0, MRCNN_E_UNSUPPORTED, "too large"},
        {1, 1, MR_RESIZE_PAD64, 0, 0, 1e300, MRCNN_E_UNSUPPORTED, "too large"},
        {INT_MAX, INT_MAX, MR_RESIZE_SQUARE, 0, INT_MAX, 0, MRCNN_E_UNSUPPORTED, "too large"},
        {9, 9, MR_RESIZE_SQUARE, 0, 1 << 20, 0, MRCNN_E_CONFIG, "IMAGE_MAX_DIM"},
        {9, 9, MR_RESIZE_SQUARE, 800, 0, 0, MRCNN_E_CONFIG, "IMAGE_MAX_DIM"},
        {9, 9, MR_RESIZE_PAD64, 800, 0, 0, MRCNN_E_CONFIG, "multiple of 64"},
        {9, 9, MR_RESIZE_CROP, 0, 0, 0, MRCNN_E_CONFIG, "IMAGE_MIN_DIM"},
        {64, 65, MR_RESIZE_NONE, 0, 0, 0, MRCNN_E_ARGUMENT, "65 x 64"},
        {63, 64, MR_RESIZE_NONE, 0, 0, 0, MRCNN_E_ARGUMENT, "multiples of 64"},
        {0, 9, MR_RESIZE_SQUARE, 800, 1024, 0, MRCNN_E_ARGUMENT, "empty"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const refusal *r = &refusals[i];
        mr_settings s = make_settings(r->mode, r->min_dim, r->max_dim, r->min_scale);
        mr_fit fit;
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_equal(mr_fit_image(&fit, r->height, r->width, &s, &err), r->status);
        if (!strstr(err.message, r->says)) fail_msg("\"%s\" lacks \"%s\"", err.message, r->says);
    }
}

static void refuses_pictures_that_were_not_planned(void **state) {
    (void)state;
    uint8_t pixels[8 * 8 * 4] = {0}, out[16 * 16 * 3];
    double values[3];
    float in[1] = {0};
    mr_settings s = make_settings(MR_RESIZE_CROP, 4, 0, 0);
    mr_fit fit = fit_of(8, 8, &s);
    float molded[1] = {0};
    mrcnn_image image = {8, 7, 3, pixels};
    assert_int_equal(mr_resize_image(&image, &fit, out, 1, NULL), MRCNN_E_ARGUMENT);
    image.height = 8;
    for (image.channels = 0; image.channels < 18; image.channels += 17)
        assert_int_equal(mr_resize_image(&image, &fit, out, 1, NULL), MRCNN_E_ARGUMENT);
    image.channels = 4; /* and three means */
    assert_int_equal(mr_fit_and_mold(&image, &fit, &mean, molded, 1, NULL), MRCNN_E_ARGUMENT);
    image.channels = 3;
    assert_int_equal(mr_resize_image(&image, &fit, out, 1, NULL), MRCNN_OK);
    fit.crop_y = 5;
    assert_int_equal(mr_resize_image(&image, &fit, out, 1, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(resize_bytes(pixels, &fit, out), MRCNN_E_ARGUMENT);
    fit.crop_y = -1;
    assert_int_equal(resize_bytes(pixels, &fit, out), MRCNN_E_ARGUMENT);
    assert_int_equal(mr_resize_bilinear(in, 1, 1, 1, values, 0, 1, NULL), MRCNN_E_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_equal_the_reference),
        cmocka_unit_test(masks_equal_the_reference),
        cmocka_unit_test(molding_is_the_same_in_one_pass_or_two),
        cmocka_unit_test(channels_are_resized_alike),
        cmocka_unit_test(floats_equal_the_reference),
        cmocka_unit_test(rounds_half_to_even),
        cmocka_unit_test(masks_are_taken_with_aligned_ends),
        cmocka_unit_test(plain_pictures_stay_plain),
        cmocka_unit_test(none_leaves_the_picture_alone),
        cmocka_unit_test(odd_shapes_fit),
        cmocka_unit_test(refuses_what_can_not_fit),
        cmocka_unit_test(refuses_pictures_that_were_not_planned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
