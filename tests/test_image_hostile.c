/* test_image_hostile.c - broken pictures: cut anywhere, any byte changed, headers that promise the
 * moon. Each gives a picture or a message that names the file; the sanitizer build sees the rest.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA TEST_DATA "/image/"

typedef struct buffer {
    uint8_t *bytes;
    size_t length;
} buffer;

static buffer load(const char *name) {
    char path[512];
    void *bytes;
    buffer b;
    mrcnn_error err = MRCNN_ERROR_INIT;
    snprintf(path, sizeof path, DATA "%s", name);
    if (mr_file_read(path, 0, &bytes, &b.length, &err) != MRCNN_OK) fail_msg("%s", err.message);
    b.bytes = bytes;
    return b;
}

/* A copy with exact bounds, which the address sanitizer guards. */
static buffer copy(const uint8_t *bytes, size_t length) {
    buffer b = {malloc(length ? length : 1), length};
    assert_non_null(b.bytes);
    memcpy(b.bytes, bytes, length);
    return b;
}

static mrcnn_status decode(buffer b, mrcnn_error *err) {
    mrcnn_image image = {0};
    *err = (mrcnn_error)MRCNN_ERROR_INIT;
    mrcnn_status status = mrcnn_image_decode(&image, b.bytes, b.length, "broken", NULL, err);
    assert_int_equal(status, err->status);
    if (status == MRCNN_OK) {
        assert_non_null(image.pixels);
        assert_true(image.width > 0 && image.height > 0);
    } else {
        assert_null(image.pixels);
        assert_non_null(strstr(err->message, "broken: "));
    }
    mrcnn_image_free(&image);
    return status;
}

static const char *const samples[] = {"jpeg_444.jpg", "jpeg_progressive.jpg", "jpeg_cmyk.jpg",
                                      "rgb.png",      "rgb_interlaced.png",   "palette4_trns.png",
                                      "rgb16.png",    "rgb_exif6.png"};
enum { SAMPLES = sizeof samples / sizeof *samples };

static void a_picture_cut_short_is_an_error(void **state) {
    (void)state;
    for (int s = 0; s < SAMPLES; s++) {
        buffer whole = load(samples[s]);
        for (size_t length = 0; length < whole.length; length++) {
            mrcnn_error err;
            buffer cut = copy(whole.bytes, length);
            if (decode(cut, &err) == MRCNN_OK)
                fail_msg("%s: %zu of %zu bytes were enough", samples[s], length, whole.length);
            if (length > 200) assert_non_null(strstr(err.message, "cut short"));
            free(cut.bytes);
        }
        free(whole.bytes);
    }
}

static uint32_t crc32_of(const uint8_t *bytes, size_t length) {
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++) crc = crc & 1 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

static uint32_t read_be(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void write_be(uint8_t *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Makes every chunk's checksum right, so that changes get past it. */
static void repair_png(buffer b) {
    for (size_t at = 8; at + 12 <= b.length;) {
        size_t length = read_be(b.bytes + at);
        if (length > b.length - at - 12) return;
        write_be(b.bytes + at + 8 + length, crc32_of(b.bytes + at + 4, length + 4));
        at += 12 + length;
    }
}

static void changed_bytes_never_crash(void **state) {
    (void)state;
    static const uint8_t changes[] = {0xFF, 0x01, 0x80, 0x40};
    for (int s = 0; s < SAMPLES; s++) {
        buffer whole = load(samples[s]);
        for (size_t i = 0; i < whole.length; i++)
            for (size_t k = 0; k < sizeof changes; k++) {
                mrcnn_error err;
                buffer changed = copy(whole.bytes, whole.length);
                changed.bytes[i] ^= changes[k];
                decode(changed, &err);
                repair_png(changed);
                decode(changed, &err);
                free(changed.bytes);
            }
        free(whole.bytes);
    }
}

static void huge_headers_are_refused_before_allocating(void **state) {
    (void)state;
    mrcnn_error err;
    buffer png = load("rgb.png");
    write_be(png.bytes + 16, 0x7FFFFFFF);
    write_be(png.bytes + 20, 0x7FFFFFFF);
    repair_png(png);
    assert_int_equal(decode(png, &err), MRCNN_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "max_pixels"));
    /* Within the limit, but a file of a hundred bytes can't hold 200 million pixels. */
    write_be(png.bytes + 16, 20000);
    write_be(png.bytes + 20, 10000);
    repair_png(png);
    assert_int_equal(decode(png, &err), MRCNN_E_FORMAT);
    assert_non_null(strstr(err.message, "cut short"));
    write_be(png.bytes + 16, 0);
    repair_png(png);
    assert_int_equal(decode(png, &err), MRCNN_E_FORMAT);
    free(png.bytes);
}

/* Where marker FF `code` first is. */
static size_t find_marker(buffer b, uint8_t code) {
    for (size_t i = 0; i + 1 < b.length; i++)
        if (b.bytes[i] == 0xFF && b.bytes[i + 1] == code) return i;
    fail_msg("no marker %02X", code);
    return 0;
}

static void huge_jpeg_headers_are_refused(void **state) {
    (void)state;
    mrcnn_error err;
    buffer jpeg = load("jpeg_444.jpg");
    uint8_t *size = jpeg.bytes + find_marker(jpeg, 0xC0) + 5;
    memcpy(size, "\xFF\xDC\xFF\xDC", 4); /* 65500 x 65500 */
    assert_int_equal(decode(jpeg, &err), MRCNN_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "max_pixels"));
    memcpy(size, "\x27\x10\x4E\x20", 4); /* 20000 x 10000 */
    assert_int_equal(decode(jpeg, &err), MRCNN_E_FORMAT);
    assert_non_null(strstr(err.message, "cut short"));
    memcpy(size, "\0\0\0\20", 4); /* no rows */
    assert_int_equal(decode(jpeg, &err), MRCNN_E_FORMAT);
    jpeg.bytes[find_marker(jpeg, 0xC0) + 1] = 0xC3; /* lossless */
    memcpy(size, "\0\20\0\20", 4);
    assert_int_equal(decode(jpeg, &err), MRCNN_E_UNSUPPORTED);
    free(jpeg.bytes);
}

/* The first scan of a progressive JPEG over and over: small to send, long to decode. */
static void a_jpeg_of_many_scans_is_refused(void **state) {
    (void)state;
    enum { TIMES = 2000 };
    mrcnn_error err;
    buffer jpeg = load("jpeg_progressive.jpg");
    size_t scan = find_marker(jpeg, 0xDA), end = scan + 2;
    while (jpeg.bytes[end] != 0xFF || jpeg.bytes[end + 1] == 0) end++;
    buffer bomb = {malloc(jpeg.length + TIMES * (end - scan)), 0};
    assert_non_null(bomb.bytes);
    for (int times = 1; times <= TIMES; times *= TIMES) {
        memcpy(bomb.bytes, jpeg.bytes, scan);
        bomb.length = scan;
        for (int i = 0; i < times; i++, bomb.length += end - scan)
            memcpy(bomb.bytes + bomb.length, jpeg.bytes + scan, end - scan);
        memcpy(bomb.bytes + bomb.length, jpeg.bytes + end, jpeg.length - end);
        bomb.length += jpeg.length - end;
        assert_int_equal(decode(bomb, &err), times == 1 ? MRCNN_OK : MRCNN_E_FORMAT);
    }
    assert_non_null(strstr(err.message, "scans"));
    free(bomb.bytes);
    free(jpeg.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_cut_short_is_an_error),
        cmocka_unit_test(changed_bytes_never_crash),
        cmocka_unit_test(huge_headers_are_refused_before_allocating),
        cmocka_unit_test(huge_jpeg_headers_are_refused),
        cmocka_unit_test(a_jpeg_of_many_scans_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
