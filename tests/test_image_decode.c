/* test_image_decode.c - reading pictures: every kind of PNG and JPEG, the eight orientations,
 * limits, and files that are something else. Broken files are in test_image_hostile.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"
#include "image/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA TEST_DATA "/image/"

static void assert_read(mrcnn_image *image, const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_image_read(image, path, NULL, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_int_equal(image->channels, 3);
}

static void assert_message(const mrcnn_error *err, const char *name, const char *part) {
    if (!strstr(err->message, name) || !strstr(err->message, part))
        fail_msg("\"%s\" lacks \"%s\" or \"%s\"", err->message, name, part);
}

/* ---------------------------------------------------------------------------------------- PNG */

static uint8_t ramp(int x, int y, int c) {
    static const int step_x[] = {23, 7, 13}, step_y[] = {5, 31, 17}, base[] = {0, 0, 128};
    return (uint8_t)(x * step_x[c] + y * step_y[c] + base[c]);
}

typedef enum kind { COLOUR, GREY, GREY_LEVELS, PALETTE } kind;

typedef struct png_case {
    const char *file;
    kind kind;
    int depth; /* of GREY_LEVELS and PALETTE */
} png_case;

static uint8_t expected(const png_case *p, int x, int y, int c) {
    int index = (x + y * 3) % (1 << p->depth);
    switch (p->kind) {
    case COLOUR: return ramp(x, y, c);
    case GREY: return ramp(x, y, 0);
    case GREY_LEVELS: return (uint8_t)(index * (255 / ((1 << p->depth) - 1)));
    case PALETTE: break;
    }
    return (uint8_t)(c == 0 ? index * 23 : c == 1 ? index * 7 + 90 : 255 - index * 13);
}

static void reads_every_kind_of_png(void **state) {
    (void)state;
    static const png_case cases[] = {
        {"rgb.png", COLOUR, 8},        {"rgb_interlaced.png", COLOUR, 8},
        {"rgba.png", COLOUR, 8},       {"rgb_trns.png", COLOUR, 8},
        {"rgb16.png", COLOUR, 8},      {"rgb_bad_text.png", COLOUR, 8},
        {"grey8.png", GREY, 8},        {"grey16.png", GREY, 8},
        {"grey_alpha.png", GREY, 8},   {"grey_trns.png", GREY, 8},
        {"grey1.png", GREY_LEVELS, 1}, {"grey2.png", GREY_LEVELS, 2},
        {"grey4.png", GREY_LEVELS, 4}, {"palette1.png", PALETTE, 1},
        {"palette2.png", PALETTE, 2},  {"palette4.png", PALETTE, 4},
        {"palette8.png", PALETTE, 8},  {"palette4_trns.png", PALETTE, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512];
        mrcnn_image image = {0};
        snprintf(path, sizeof path, DATA "%s", cases[i].file);
        assert_read(&image, path);
        assert_int_equal(image.width, 11);
        assert_int_equal(image.height, 7);
        for (int y = 0; y < 7; y++)
            for (int x = 0; x < 11; x++)
                for (int c = 0; c < 3; c++)
                    if (image.pixels[(y * 11 + x) * 3 + c] != expected(&cases[i], x, y, c))
                        fail_msg("%s: (%d, %d, %d) is %d, not %d", cases[i].file, y, x, c,
                                 image.pixels[(y * 11 + x) * 3 + c], expected(&cases[i], x, y, c));
        mrcnn_image_free(&image);
        assert_null(image.pixels);
    }
}

/* --------------------------------------------------------------------------------------- JPEG */

static void reads_every_kind_of_jpeg(void **state) {
    (void)state;
    static const char *const names[] = {"444", "420", "progressive", "grey", "cmyk", "ycck"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        mrcnn_image image = {0}, wanted = {0};
        snprintf(path, sizeof path, DATA "jpeg_%s.jpg", names[i]);
        assert_read(&image, path);
        snprintf(path, sizeof path, DATA "jpeg_%s_expected.png", names[i]);
        assert_read(&wanted, path);
        assert_int_equal(image.width, wanted.width);
        assert_int_equal(image.height, wanted.height);
        /* Versions of libjpeg may round their transforms differently by a level or two. */
        for (int k = 0; k < image.width * image.height * 3; k++)
            if (abs(image.pixels[k] - wanted.pixels[k]) > 3)
                fail_msg("jpeg_%s: byte %d is %d, not %d", names[i], k, image.pixels[k],
                         wanted.pixels[k]);
        mrcnn_image_free(&image);
        mrcnn_image_free(&wanted);
    }
}

/* -------------------------------------------------------------------------------- orientation */

/* A JPEG with an EXIF segment behind its first marker. malloc'ed. */
static uint8_t *with_exif(const uint8_t *exif, size_t exif_length, size_t *length) {
    void *bytes;
    assert_int_equal(mr_file_read(DATA "jpeg_444.jpg", 0, &bytes, length, NULL), MRCNN_OK);
    size_t segment = 2 + 6 + exif_length;
    uint8_t *out = malloc(*length + segment + 2);
    assert_non_null(out);
    const uint8_t start[] = {
        0xFF, 0xD8, 0xFF, 0xE1, (uint8_t)(segment >> 8), (uint8_t)segment, 'E', 'x',
        'i',  'f',  0,    0};
    memcpy(out, start, sizeof start);
    if (exif_length) memcpy(out + sizeof start, exif, exif_length);
    memcpy(out + sizeof start + exif_length, (uint8_t *)bytes + 2, *length - 2);
    *length += segment + 2;
    free(bytes);
    return out;
}

enum { EXIF_BYTES = 38 };

/* Two entries, the second of which is the orientation. */
static void make_exif(uint8_t exif[EXIF_BYTES], int orientation, int big_endian) {
    static const uint8_t little[EXIF_BYTES] = {'I', 'I', 42, 0, 8, 0,   0, 0, 2, 0,    0x0F, 1, 2,
                                               0,   2,   0,  0, 0, 'm', 0, 0, 0, 0x12, 1,    3, 0,
                                               1,   0,   0,  0, 0, 0,   0, 0, 0, 0,    0,    0};
    static const uint8_t big[EXIF_BYTES] = {'M', 'M', 0, 42, 0, 0,   0, 8, 0, 2, 1,    0x0F, 0,
                                            2,   0,   0, 0,  2, 'm', 0, 0, 0, 1, 0x12, 0,    3,
                                            0,   0,   0, 1,  0, 0,   0, 0, 0, 0, 0,    0};
    memcpy(exif, big_endian ? big : little, EXIF_BYTES);
    exif[big_endian ? 31 : 30] = (uint8_t)orientation;
}

static void decode_exif(mrcnn_image *image, const uint8_t *exif, size_t exif_length, int apply) {
    size_t length;
    uint8_t *bytes = with_exif(exif, exif_length, &length);
    mrcnn_image_options options = mrcnn_image_options_default();
    mrcnn_error err = MRCNN_ERROR_INIT;
    options.apply_orientation = apply;
    if (mrcnn_image_decode(image, bytes, length, "exif", &options, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    free(bytes);
}

/* The standard's definition: where the stored picture's first row and first column are seen. */
typedef struct side {
    int row_down, row_first;       /* the stored first row runs down a column? the first one? */
    int column_down, column_first; /* the same of the stored first column */
} side;

static const side sides[9] = {
    {0, 0, 0, 0}, {0, 1, 1, 1}, /* 1: row top, column left */
    {0, 1, 1, 0},               /* 2: row top, column right */
    {0, 0, 1, 0},               /* 3: row bottom, column right */
    {0, 0, 1, 1},               /* 4: row bottom, column left */
    {1, 1, 0, 1},               /* 5: row left, column top */
    {1, 0, 0, 1},               /* 6: row right, column top */
    {1, 0, 0, 0},               /* 7: row right, column bottom */
    {1, 1, 0, 0},               /* 8: row left, column bottom */
};

/* Stored pixel (x, y) is seen `y` lines from the side where the first row is, and `x` lines from
 * the side where the first column is. */
static void assert_orientation(const mrcnn_image *seen, const mrcnn_image *stored, side s) {
    int swapped = s.row_down;
    assert_int_equal(seen->width, swapped ? stored->height : stored->width);
    assert_int_equal(seen->height, swapped ? stored->width : stored->height);
    for (int y = 0; y < stored->height; y++)
        for (int x = 0; x < stored->width; x++) {
            int from_row = s.row_first ? y : stored->height - 1 - y;
            int from_column = s.column_first ? x : stored->width - 1 - x;
            int seen_y = swapped ? from_column : from_row,
                seen_x = swapped ? from_row : from_column;
            assert_memory_equal(seen->pixels + (seen_y * seen->width + seen_x) * 3,
                                stored->pixels + (y * stored->width + x) * 3, 3);
        }
}

static void applies_the_eight_orientations(void **state) {
    (void)state;
    mrcnn_image stored = {0};
    assert_read(&stored, DATA "jpeg_444.jpg");
    for (int orientation = 1; orientation <= 8; orientation++)
        for (int big_endian = 0; big_endian < 2; big_endian++) {
            uint8_t exif[EXIF_BYTES];
            mrcnn_image seen = {0}, untouched = {0};
            make_exif(exif, orientation, big_endian);
            decode_exif(&seen, exif, sizeof exif, 1);
            assert_orientation(&seen, &stored, sides[orientation]);
            decode_exif(&untouched, exif, sizeof exif, 0);
            assert_orientation(&untouched, &stored, sides[1]);
            mrcnn_image_free(&seen);
            mrcnn_image_free(&untouched);
        }
    mrcnn_image_free(&stored);
}

static void applies_orientation_of_a_png(void **state) {
    (void)state;
    mrcnn_image stored = {0}, seen = {0};
    assert_read(&stored, DATA "rgb.png");
    assert_read(&seen, DATA "rgb_exif6.png");
    assert_orientation(&seen, &stored, sides[6]);
    mrcnn_image_free(&stored);
    mrcnn_image_free(&seen);
}

/* Pictures larger than a tile, with sides that don't divide by it. */
static void turns_large_pictures(void **state) {
    (void)state;
    enum { W = 101, H = 67 };
    for (int orientation = 1; orientation <= 8; orientation++) {
        mrcnn_image stored = {W, H, 3, malloc(W * H * 3)}, seen = {W, H, 3, malloc(W * H * 3)};
        assert_non_null(stored.pixels);
        assert_non_null(seen.pixels);
        for (int i = 0; i < W * H * 3; i++) stored.pixels[i] = (uint8_t)(i * 7 + i / 256 * 31);
        memcpy(seen.pixels, stored.pixels, W * H * 3);
        assert_int_equal(mr_image_orient(&seen, orientation, NULL), MRCNN_OK);
        assert_orientation(&seen, &stored, sides[orientation]);
        free(stored.pixels);
        free(seen.pixels);
    }
}

static void ignores_exif_that_makes_no_sense(void **state) {
    (void)state;
    uint8_t exif[EXIF_BYTES];
    make_exif(exif, 6, 0);
    assert_int_equal(mr_exif_orientation(exif, sizeof exif), 6);
    /* Cut at every byte: the orientation's entry ends 4 bytes before the end. */
    for (size_t length = 0; length < sizeof exif; length++) {
        uint8_t *cut = malloc(length ? length : 1); /* of its own, for the address sanitizer */
        assert_non_null(cut);
        memcpy(cut, exif, length);
        assert_int_equal(mr_exif_orientation(cut, length), length < sizeof exif - 4 ? 1 : 6);
        free(cut);
    }
    /* Any byte changed to anything: some orientation, no crash. */
    for (size_t i = 0; i < sizeof exif; i++)
        for (int value = 0; value < 256; value++) {
            make_exif(exif, 6, 0);
            exif[i] = (uint8_t)value;
            int orientation = mr_exif_orientation(exif, sizeof exif);
            assert_in_range(orientation, 1, 8);
        }
    make_exif(exif, 0, 0);
    assert_int_equal(mr_exif_orientation(exif, sizeof exif), 1);
    make_exif(exif, 9, 1);
    assert_int_equal(mr_exif_orientation(exif, sizeof exif), 1);
}

/* ------------------------------------------------------------------------------ limits, others */

static void refuses_more_pixels_than_allowed(void **state) {
    (void)state;
    static const char *const files[] = {DATA "rgb.png", DATA "jpeg_444.jpg"};
    static const int pixels[] = {7 * 11, 19 * 26};
    for (int i = 0; i < 2; i++) {
        mrcnn_image image = {0};
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_image_options options = mrcnn_image_options_default();
        assert_int_equal(options.max_pixels, 268435456);
        options.max_pixels = pixels[i] - 1;
        assert_int_equal(mrcnn_image_read(&image, files[i], &options, &err), MRCNN_E_UNSUPPORTED);
        assert_message(&err, files[i], "max_pixels");
        assert_null(image.pixels);
        options.max_pixels = pixels[i];
        assert_int_equal(mrcnn_image_read(&image, files[i], &options, &err), MRCNN_OK);
        mrcnn_image_free(&image);
    }
}

static void checks_options(void **state) {
    (void)state;
    mrcnn_image image = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image_options options = {0};
    assert_int_equal(mrcnn_image_read(&image, DATA "rgb.png", &options, &err), MRCNN_E_ARGUMENT);
    options = mrcnn_image_options_default();
    options.max_pixels = 0;
    assert_int_equal(mrcnn_image_read(&image, DATA "rgb.png", &options, &err), MRCNN_E_ARGUMENT);
    /* An older program's struct ends before max_pixels: the rest is default. */
    options.size = offsetof(mrcnn_image_options, max_pixels);
    assert_int_equal(mrcnn_image_read(&image, DATA "rgb.png", &options, &err), MRCNN_OK);
    mrcnn_image_free(&image);
    assert_int_equal(mrcnn_image_read(&image, NULL, NULL, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_image_decode(&image, NULL, 5, "n", NULL, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_image_decode(NULL, "x", 1, "n", NULL, &err), MRCNN_E_ARGUMENT);
    mrcnn_image_free(NULL);
}

typedef struct other {
    const char *bytes;
    size_t length;
    const char *says;
} other;

static void says_what_a_file_is_instead(void **state) {
    (void)state;
    static const other others[] = {
        {"", 0, "an empty file"},
        {"GIF89a\1\0\1\0", 10, "a GIF"},
        {"GIF87a\1\0\1\0", 10, "a GIF"},
        {"RIFF\0\0\0\0WEBPVP8 ", 16, "a WebP"},
        {"RIFF\0\0\0\0AVI LIST", 16, "an AVI"},
        {"BM\0\0\0\0", 6, "a BMP"},
        {"II*\0\10\0\0\0", 8, "a TIFF"},
        {"MM\0*\0\0\0\10", 8, "a TIFF"},
        {"\0\0\0\30ftypheic", 12, "a HEIC"},
        {"\0\0\0\30ftypavif", 12, "an AVIF"},
        {"\0\0\0\30ftypisom", 12, "an MP4"},
        {"%PDF-1.7", 8, "a PDF"},
        {"\x89HDF\r\n\x1A\n", 8, "an HDF5"},
        {"PK\3\4", 4, "a ZIP"},
        {"<!DOCTYPE html><html>", 21, "a web page"},
        {"{\"images\": []}\n", 15, "a text file"},
        {"\1\2\3\4", 4, "no picture"},
        {"\xFF", 1, "no picture"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        mrcnn_image image = {0};
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_equal(
            mrcnn_image_decode(&image, others[i].bytes, others[i].length, "x.jpg", NULL, &err),
            MRCNN_E_FORMAT);
        assert_message(&err, "x.jpg: ", others[i].says);
        assert_message(&err, "JPEG and PNG", "");
        assert_null(image.pixels);
    }
}

static void names_files_that_are_no_pictures(void **state) {
    (void)state;
    mrcnn_image image = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_image_read(&image, DATA "missing.jpg", NULL, &err), MRCNN_E_IO);
    assert_message(&err, DATA "missing.jpg", "");
    assert_int_equal(mrcnn_image_read(&image, TEST_DATA, NULL, &err), MRCNN_E_IO);
    assert_message(&err, TEST_DATA, "folder");
    assert_int_equal(mrcnn_image_read(&image, DATA "README.md", NULL, &err), MRCNN_E_FORMAT);
    assert_message(&err, DATA "README.md", "a text file");
    /* Endless, but its first bytes are enough to refuse it. */
    assert_int_equal(mrcnn_image_read(&image, "/dev/zero", NULL, &err), MRCNN_E_FORMAT);
    assert_message(&err, "/dev/zero", "no picture");
    assert_null(image.pixels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_of_png),
        cmocka_unit_test(reads_every_kind_of_jpeg),
        cmocka_unit_test(applies_the_eight_orientations),
        cmocka_unit_test(applies_orientation_of_a_png),
        cmocka_unit_test(turns_large_pictures),
        cmocka_unit_test(ignores_exif_that_makes_no_sense),
        cmocka_unit_test(refuses_more_pixels_than_allowed),
        cmocka_unit_test(checks_options),
        cmocka_unit_test(says_what_a_file_is_instead),
        cmocka_unit_test(names_files_that_are_no_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
