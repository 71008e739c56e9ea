/* test_label_png.c - PNG files read as numbers: every kind of them, as labels and as masks, written
 * and read again, and broken. */
#include "helper_assert.h"
#include "helper_cli.h"

#include "base/file.h"
#include "image/label_png.h"

#include <stdlib.h>

#include <zlib.h> /* crc32 */

#define DATA TEST_DATA "/image/"

enum { LIMIT = 1000000, WIDTH = 11, HEIGHT = 7, PIXELS = WIDTH * HEIGHT };

static mr_labels read_labels(const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_labels labels = {0};
    if (mr_labels_read(&labels, path, LIMIT, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return labels;
}

/* The formulas that the pictures of tests/data/image were made by. */
static uint32_t ramp(int x, int y, int c) {
    static const int step_x[] = {23, 7, 13}, step_y[] = {5, 31, 17}, base[] = {0, 0, 128};
    return (uint32_t)(x * step_x[c] + y * step_y[c] + base[c]) & 255;
}

typedef enum kind { COLOR, GREY, GREY_16, INDEX } kind;

typedef struct sample {
    const char *file;
    kind kind;
    int bytes, bits; /* bits of an index */
} sample;

static const sample samples[] = {
    {"rgb.png", COLOR, 3, 8},          {"rgb_interlaced.png", COLOR, 3, 8},
    {"rgba.png", COLOR, 3, 8},         {"rgb_trns.png", COLOR, 3, 8},
    {"rgb16.png", COLOR, 6, 8},        {"grey8.png", GREY, 1, 8},
    {"grey_alpha.png", GREY, 1, 8},    {"grey_trns.png", GREY, 1, 8},
    {"grey16.png", GREY_16, 2, 16},    {"grey1.png", INDEX, 1, 1},
    {"grey2.png", INDEX, 1, 2},        {"grey4.png", INDEX, 1, 4},
    {"palette1.png", INDEX, 1, 1},     {"palette2.png", INDEX, 1, 2},
    {"palette4.png", INDEX, 1, 4},     {"palette8.png", INDEX, 1, 8},
    {"palette4_trns.png", INDEX, 1, 4}};
enum { SAMPLES = sizeof samples / sizeof *samples };

static uint32_t expected(const sample *s, int x, int y) {
    switch (s->kind) {
    case COLOR: return ramp(x, y, 0) << 16 | ramp(x, y, 1) << 8 | ramp(x, y, 2);
    case GREY: return ramp(x, y, 0);
    case GREY_16: return ramp(x, y, 0) << 8 | (255 - ramp(x, y, 0));
    case INDEX: break;
    }
    return (uint32_t)(x + 3 * y) & ((1u << s->bits) - 1);
}

static void reads_numbers_as_they_are_stored(void **state) {
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        char path[512];
        snprintf(path, sizeof path, DATA "%s", samples[i].file);
        mr_labels labels = read_labels(path);
        assert_int_equal(labels.width, WIDTH);
        assert_int_equal(labels.height, HEIGHT);
        assert_int_equal(labels.bytes, samples[i].bytes);
        assert_int_equal(labels.colors > 0, strncmp(samples[i].file, "palette", 7) == 0);
        for (int p = 0; p < PIXELS; p++)
            if (mr_label_at(&labels, (size_t)p) != expected(&samples[i], p % WIDTH, p / WIDTH))
                fail_msg("%s: pixel %d is %u, not %u", samples[i].file, p,
                         mr_label_at(&labels, (size_t)p),
                         expected(&samples[i], p % WIDTH, p / WIDTH));
        mr_labels_free(&labels);
        assert_null(labels.pixels);
    }
}

/* Against the decoder of pictures, whose colours are those that are meant. 16 bits may be not 0 though
 * their high byte is. */
static void a_mask_is_what_is_not_black(void **state) {
    (void)state;
    for (int i = 0; i < SAMPLES; i++) {
        char path[512];
        mrcnn_image image = {0};
        uint8_t mask[PIXELS];
        snprintf(path, sizeof path, DATA "%s", samples[i].file);
        mr_labels labels = read_labels(path);
        assert_int_equal(mrcnn_image_read(&image, path, NULL, NULL), MRCNN_OK);
        mr_labels_to_mask(&labels, mask);
        for (int p = 0; p < PIXELS; p++) {
            const uint8_t *color = image.pixels + 3 * p;
            int is_16_bit = labels.bytes == 2 || labels.bytes == 6;
            int inside = is_16_bit || color[0] || color[1] || color[2];
            if (mask[p] != inside) fail_msg("%s: pixel %d is %d", samples[i].file, p, mask[p]);
        }
        mrcnn_image_free(&image);
        mr_labels_free(&labels);
    }
}

static void black_in_a_palette_is_outside(void **state) {
    (void)state;
    uint8_t pixels[] = {0, 1, 2, 3}, mask[4];
    mr_labels labels = {.height = 2,
                        .width = 2,
                        .bytes = 1,
                        .colors = 3,
                        .palette = {{255, 255, 255}, {0, 0, 0}, {0, 0, 1}},
                        .pixels = pixels};
    mr_labels_to_mask(&labels, mask);
    assert_memory_equal(mask, "\1\0\1\0", 4);
    labels.colors = 0;
    mr_labels_to_mask(&labels, mask);
    assert_memory_equal(mask, "\0\1\1\1", 4);
}

/* ------------------------------------------------------------------------------------- writing */

static void writes_what_it_reads(void **state) {
    (void)state;
    static const char *const files[] = {"grey8.png", "grey16.png", "palette8.png"};
    for (int i = 0; i < 3; i++) {
        char path[512];
        snprintf(path, sizeof path, DATA "%s", files[i]);
        mr_labels labels = read_labels(path);
        assert_int_equal(mr_labels_write(&labels, "written.png", NULL), MRCNN_OK);
        mr_labels again = read_labels("written.png");
        assert_int_equal(again.bytes, labels.bytes);
        assert_int_equal(again.colors, labels.colors);
        assert_memory_equal(again.palette, labels.palette, sizeof labels.palette);
        assert_memory_equal(again.pixels, labels.pixels, (size_t)(PIXELS * labels.bytes));
        mrcnn_image before = {0}, after = {0};
        assert_int_equal(mrcnn_image_read(&before, path, NULL, NULL), MRCNN_OK);
        assert_int_equal(mrcnn_image_read(&after, "written.png", NULL, NULL), MRCNN_OK);
        assert_memory_equal(before.pixels, after.pixels, PIXELS * 3);
        mrcnn_image_free(&before);
        mrcnn_image_free(&after);
        mr_labels_free(&labels);
        mr_labels_free(&again);
    }
    assert_int_equal(cli_count(".", "written"), 1); /* nothing else is left */
}

static void says_where_it_cannot_write(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_labels labels = read_labels(DATA "grey8.png");
    assert_int_equal(mr_labels_write(&labels, "nowhere/a.png", &err), MRCNN_E_IO);
    assert_contains(err.message, "nowhere/a.png: can't write it");
    mr_labels_free(&labels);
}

/* -------------------------------------------------------------------------------- broken files */

typedef struct buffer {
    uint8_t *bytes;
    size_t length;
} buffer;

static buffer load(const char *path) {
    void *bytes;
    buffer b;
    assert_int_equal(mr_file_read(path, 0, &bytes, &b.length, NULL), MRCNN_OK);
    b.bytes = bytes;
    return b;
}

/* From a copy with exact bounds, which the address sanitizer guards. */
static mrcnn_status decode(const uint8_t *bytes, size_t length, mrcnn_error *err) {
    mr_labels labels = {0};
    uint8_t *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    mrcnn_status status = mr_labels_decode(&labels, copy, length, "broken.png", LIMIT, err);
    if (status == MRCNN_OK)
        assert_non_null(labels.pixels);
    else
        assert_contains(err->message, "broken.png: ");
    mr_labels_free(&labels);
    free(copy);
    return status;
}

static void broken_files_are_errors(void **state) {
    (void)state;
    static const char *const files[] = {DATA "palette4_trns.png", DATA "rgb_interlaced.png",
                                        DATA "grey16.png"};
    for (int f = 0; f < 3; f++) {
        buffer b = load(files[f]);
        for (size_t length = 0; length < b.length; length++) {
            mrcnn_error err = MRCNN_ERROR_INIT;
            if (decode(b.bytes, length, &err) == MRCNN_OK)
                fail_msg("%s: %zu of %zu bytes were enough", files[f], length, b.length);
        }
        for (size_t i = 0; i < b.length; i++) {
            mrcnn_error err = MRCNN_ERROR_INIT;
            b.bytes[i] ^= 0xFF;
            decode(b.bytes, b.length, &err);
            b.bytes[i] ^= 0xFF;
        }
        free(b.bytes);
    }
}

/* Every bit depth and colour type, sizes that no memory holds: with a checksum that is right. */
static void headers_that_promise_the_moon(void **state) {
    (void)state;
    static const uint8_t sizes[][4] = {
        {0, 0, 0, 0}, {0, 0, 0, 1}, {0, 0, 3, 0xE8}, {0, 1, 0, 0}, {0x7F, 0xFF, 0xFF, 0xFF}};
    buffer b = load(DATA "palette8.png");
    for (int s = 0; s < 5; s++)
        for (int depth = 0; depth <= 16; depth++)
            for (int type = 0; type <= 6; type++) {
                mrcnn_error err = MRCNN_ERROR_INIT;
                memcpy(b.bytes + 16, sizes[s], 4);
                memcpy(b.bytes + 20, sizes[s], 4);
                b.bytes[24] = (uint8_t)depth;
                b.bytes[25] = (uint8_t)type;
                uint32_t crc = (uint32_t)crc32(0, b.bytes + 12, 17);
                for (int i = 0; i < 4; i++) b.bytes[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
                mrcnn_status status = decode(b.bytes, b.length, &err);
                if (s != 1) assert_int_not_equal(status, MRCNN_OK);
                assert_int_not_equal(status, MRCNN_E_MEMORY);
            }
    free(b.bytes);
}

static void other_files_are_errors(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_labels labels = {0};
    assert_int_equal(mr_labels_read(&labels, DATA "jpeg_444.jpg", LIMIT, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "jpeg_444.jpg: this is a JPEG picture; it must be a PNG");
    assert_int_equal(mr_labels_read(&labels, "nowhere.png", LIMIT, &err), MRCNN_E_IO);
    assert_int_equal(mr_labels_read(&labels, ".", LIMIT, &err), MRCNN_E_IO);
    assert_int_equal(mr_labels_read(&labels, DATA "grey8.png", PIXELS - 1, &err),
                     MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "11 x 7 pixels are more than the limit of 76");
    assert_null(labels.pixels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numbers_as_they_are_stored),
        cmocka_unit_test(a_mask_is_what_is_not_black),
        cmocka_unit_test(black_in_a_palette_is_outside),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(says_where_it_cannot_write),
        cmocka_unit_test(broken_files_are_errors),
        cmocka_unit_test(headers_that_promise_the_moon),
        cmocka_unit_test(other_files_are_errors),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
