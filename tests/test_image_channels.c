/* test_image_channels.c - reading pictures with other channels than RGB: every kind of PNG and JPEG as
 * grey, with alpha, as 16 bits of a chosen range, and what can't be read so. The files' formulas are
 * those of test_image_decode.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "image/picture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA TEST_DATA "/image/"

enum { WIDTH = 11, HEIGHT = 7 };

static mrcnn_status read_as(mrcnn_image *image, const char *name, int channels, double low,
                            double high, mrcnn_error *err) {
    char path[512];
    mrcnn_image_options options = mrcnn_image_options_default();
    options.channels = channels;
    options.low = low;
    options.high = high;
    *err = (mrcnn_error)MRCNN_ERROR_INIT;
    snprintf(path, sizeof path, DATA "%s", name);
    return mrcnn_image_read(image, path, &options, err);
}

static mrcnn_image read_well(const char *name, int channels, double low, double high) {
    mrcnn_image image = {0};
    mrcnn_error err;
    if (read_as(&image, name, channels, low, high, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_int_equal(image.channels, channels);
    return image;
}

/* ---------------------------------------------------------------------------------------- grey */

/* PIL's convert("L"). */
static int luma(const uint8_t *rgb) {
    return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16;
}

static const char *const all_pngs[] = {
    "rgb.png",      "rgb_interlaced.png", "rgba.png",      "rgb_trns.png", "rgb16.png",
    "grey8.png",    "grey16.png",         "grey_trns.png", "grey1.png",    "grey_alpha.png",
    "grey2.png",    "grey4.png",          "palette1.png",  "palette2.png", "palette4.png",
    "palette8.png", "palette4_trns.png"};

static void every_png_becomes_grey(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof all_pngs / sizeof *all_pngs; i++) {
        mrcnn_image grey = read_well(all_pngs[i], 1, 0, 0), rgb = read_well(all_pngs[i], 3, 0, 0);
        assert_int_equal(grey.width, WIDTH);
        assert_int_equal(grey.height, HEIGHT);
        for (int k = 0; k < WIDTH * HEIGHT; k++)
            if (grey.pixels[k] != luma(rgb.pixels + 3 * k))
                fail_msg("%s: pixel %d is %d, not %d", all_pngs[i], k, grey.pixels[k],
                         luma(rgb.pixels + 3 * k));
        mrcnn_image_free(&grey);
        mrcnn_image_free(&rgb);
    }
}

/* What Pillow 9.4 makes of it. */
static void luma_is_that_of_pillow(void **state) {
    (void)state;
    static const uint8_t rows[2][6] = {{15, 27, 40, 52, 64, 77}, {36, 49, 61, 74, 86, 99}};
    mrcnn_image grey = read_well("rgb.png", 1, 0, 0);
    for (int y = 0; y < 2; y++) assert_memory_equal(grey.pixels + y * WIDTH, rows[y], 6);
    mrcnn_image_free(&grey);
    for (int v = 0; v < 256; v++) { /* a grey that was copied comes back */
        mrcnn_image image = {1, 1, 3, malloc(3)};
        assert_non_null(image.pixels);
        memset(image.pixels, v, 3);
        assert_int_equal(mr_image_convert(&image, 1, "grey", NULL), MRCNN_OK);
        assert_int_equal(image.pixels[0], v);
        mrcnn_image_free(&image);
    }
}

static void every_jpeg_becomes_grey(void **state) {
    (void)state;
    static const char *const names[] = {"jpeg_444.jpg",  "jpeg_420.jpg",  "jpeg_progressive.jpg",
                                        "jpeg_grey.jpg", "jpeg_cmyk.jpg", "jpeg_ycck.jpg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        mrcnn_image grey = read_well(names[i], 1, 0, 0), rgb = read_well(names[i], 3, 0, 0);
        for (int k = 0; k < rgb.width * rgb.height; k++)
            assert_int_equal(grey.pixels[k], luma(rgb.pixels + 3 * k));
        mrcnn_image_free(&grey);
        mrcnn_image_free(&rgb);
    }
}

/* --------------------------------------------------------------------------------------- alpha */

/* As Pillow tells of the files: 20 a column; the first ten indices of a palette, in sixteens: its
 * tRNS chunk ends there; a colour that is transparent. */
static int columns_alpha(int x, int y) {
    (void)y;
    return 20 * x;
}

static int palettes_alpha(int x, int y) {
    int index = (x + 3 * y) % 16;
    return index < 10 ? 16 * index : 255;
}

static int first_is_transparent(int x, int y) {
    return x == 0 && y == 0 ? 0 : 255;
}

static int one_grey_is_transparent(int x, int y) {
    return x == 0 && y == 1 ? 0 : 255;
}

static void alpha_is_kept_where_it_is_wanted(void **state) {
    (void)state;
    static const struct {
        const char *file;
        int channels;
        int (*alpha)(int x, int y);
    } cases[] = {{"rgba.png", 4, columns_alpha},
                 {"palette4_trns.png", 4, palettes_alpha},
                 {"rgb_trns.png", 4, first_is_transparent},
                 {"grey_alpha.png", 2, columns_alpha},
                 {"grey_alpha.png", 4, columns_alpha},
                 {"grey_trns.png", 2, one_grey_is_transparent},
                 {"grey_trns.png", 4, one_grey_is_transparent}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int n = cases[i].channels;
        mrcnn_image image = read_well(cases[i].file, n, 0, 0);
        mrcnn_image opaque = read_well(cases[i].file, n - 1, 0, 0);
        for (int k = 0; k < WIDTH * HEIGHT; k++) {
            assert_memory_equal(image.pixels + k * n, opaque.pixels + k * (n - 1), (size_t)n - 1);
            assert_int_equal(image.pixels[k * n + n - 1], cases[i].alpha(k % WIDTH, k / WIDTH));
        }
        mrcnn_image_free(&image);
        mrcnn_image_free(&opaque);
    }
}

static void channels_are_not_made_up(void **state) {
    (void)state;
    static const struct {
        const char *file;
        int channels;
        const char *says;
    } cases[] = {{"rgb.png", 4, "3 channels, RGB, and 4 are wanted: RGBA PNGs and .npy arrays"},
                 {"palette8.png", 4, "3 channels"},
                 {"grey8.png", 4, "3 channels"},
                 {"jpeg_444.jpg", 4, "3 channels"},
                 {"jpeg_grey.jpg", 4, "3 channels"},
                 {"rgb.png", 2, "2 are wanted: grey PNGs with alpha and .npy"},
                 {"rgba.png", 2, "4 channels, RGBA, and 2 are wanted"},
                 {"grey8.png", 2, "1 channel, grey, and 2 are wanted"},
                 {"rgba.png", 5, "5 are wanted: .npy arrays of height x width x 5 have them"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mrcnn_image image = {0};
        mrcnn_error err;
        assert_int_equal(read_as(&image, cases[i].file, cases[i].channels, 0, 0, &err),
                         MRCNN_E_UNSUPPORTED);
        assert_null(image.pixels);
        if (!strstr(err.message, cases[i].says) || !strstr(err.message, cases[i].file))
            fail_msg("\"%s\" lacks \"%s\"", err.message, cases[i].says);
    }
}

/* Whatever the channels: turned by EXIF. */
static void orientation_holds_for_grey(void **state) {
    (void)state;
    mrcnn_image rgb = read_well("rgb_exif6.png", 3, 0, 0);
    mrcnn_image grey = read_well("rgb_exif6.png", 1, 0, 0);
    assert_int_equal(grey.width, HEIGHT);
    for (int k = 0; k < WIDTH * HEIGHT; k++)
        assert_int_equal(grey.pixels[k], luma(rgb.pixels + 3 * k));
    mrcnn_image_free(&rgb);
    mrcnn_image_free(&grey);
}

/* --------------------------------------------------------------------------------------- range */

static int level(double value, double low, double high) {
    double l = floor((value - low) * 256 / (high - low + 1));
    return l < 0 ? 0 : l > 255 ? 255 : (int)l;
}

/* The files' 16 bits are the ramps of those of 8 bits above their complement. */
static void sixteen_bits_of_a_range(void **state) {
    (void)state;
    static const double ranges[][2] = {{0, 65535}, {0, 4095},      {1000, 9000}, {-500, 70000},
                                       {300, 301}, {60000, 65535}, {0.5, 100.25}};
    static const struct {
        const char *file, *eight;
        int channels;
    } files[] = {{"grey16.png", "grey8.png", 1},
                 {"grey16.png", "grey8.png", 3},
                 {"rgb16.png", "rgb.png", 3}};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        mrcnn_image eight = read_well(files[f].eight, files[f].channels, 0, 0);
        for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
            double low = ranges[i][0], high = ranges[i][1];
            mrcnn_image image = read_well(files[f].file, files[f].channels, low, high);
            for (int k = 0; k < WIDTH * HEIGHT * files[f].channels; k++) {
                int value = eight.pixels[k] * 256 + 255 - eight.pixels[k];
                assert_int_equal(image.pixels[k], level(value, low, high));
                if (i == 0) assert_int_equal(image.pixels[k], eight.pixels[k]);
                if (i == 1) assert_int_equal(image.pixels[k], value > 4095 ? 255 : value >> 4);
            }
            mrcnn_image_free(&image);
        }
        mrcnn_image_free(&eight);
    }
}

/* Files of 8 bits are levels already. */
static void eight_bits_have_no_range(void **state) {
    (void)state;
    static const char *const names[] = {"grey8.png", "grey4.png", "palette4.png", "jpeg_grey.jpg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        mrcnn_image plain = read_well(names[i], 1, 0, 0), ranged = read_well(names[i], 1, 10, 20);
        assert_memory_equal(plain.pixels, ranged.pixels, (size_t)(plain.width * plain.height));
        mrcnn_image_free(&plain);
        mrcnn_image_free(&ranged);
    }
}

static void options_that_make_no_sense(void **state) {
    (void)state;
    static const struct {
        int channels;
        double low, high;
        const char *says;
    } cases[] = {{-1, 0, 0, "-1 channels"},     {17, 0, 0, "17 channels"},
                 {3, 5, 5, "no range"},         {3, 9, 1, "no range"},
                 {3, NAN, 1, "no range"},       {3, 0, INFINITY, "no range"},
                 {3, -1e308, 1e308, "no range"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mrcnn_image image = {0};
        mrcnn_error err;
        assert_int_equal(
            read_as(&image, "rgb.png", cases[i].channels, cases[i].low, cases[i].high, &err),
            MRCNN_E_ARGUMENT);
        if (!strstr(err.message, cases[i].says)) fail_msg("\"%s\"", err.message);
    }
    mrcnn_image image = {0}; /* 0 is 3 */
    mrcnn_error err;
    assert_int_equal(read_as(&image, "grey8.png", 0, 0, 0, &err), MRCNN_OK);
    assert_int_equal(image.channels, 3);
    mrcnn_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_png_becomes_grey),
        cmocka_unit_test(luma_is_that_of_pillow),
        cmocka_unit_test(every_jpeg_becomes_grey),
        cmocka_unit_test(alpha_is_kept_where_it_is_wanted),
        cmocka_unit_test(channels_are_not_made_up),
        cmocka_unit_test(orientation_holds_for_grey),
        cmocka_unit_test(sixteen_bits_of_a_range),
        cmocka_unit_test(eight_bits_have_no_range),
        cmocka_unit_test(options_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
