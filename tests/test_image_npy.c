/* test_image_npy.c - NumPy arrays as pictures: every type, every number of channels, headers as NumPy
 * writes them and as nobody should, cut and changed files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <mrcnn/mrcnn.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 70000 };

/* A file in memory of its own, whose ends the address sanitizer guards. */
typedef struct npy {
    uint8_t *bytes;
    size_t length;
} npy;

static npy make(const char *header, int version, const void *values, size_t bytes) {
    size_t text = strlen(header), start = version == 1 ? 10 : 12;
    npy file = {malloc(start + text + bytes), start + text + bytes};
    assert_non_null(file.bytes);
    memcpy(file.bytes, "\x93NUMPY", 6);
    file.bytes[6] = (uint8_t)version;
    file.bytes[7] = 0;
    for (size_t i = 8; i < start; i++) file.bytes[i] = (uint8_t)(text >> 8 * (i - 8));
    memcpy(file.bytes + start, header, text);
    if (bytes) memcpy(file.bytes + start + text, values, bytes);
    return file;
}

static mrcnn_status decode(mrcnn_image *image, npy file, int channels, double low, double high,
                           mrcnn_error *err) {
    mrcnn_image_options options = mrcnn_image_options_default();
    options.channels = channels;
    options.low = low;
    options.high = high;
    *image = (mrcnn_image){0};
    *err = (mrcnn_error)MRCNN_ERROR_INIT;
    mrcnn_status status =
        mrcnn_image_decode(image, file.bytes, file.length, "a.npy", &options, err);
    assert_int_equal(status, err->status);
    if (status != MRCNN_OK) {
        assert_null(image->pixels);
        assert_non_null(strstr(err->message, "a.npy: "));
    }
    return status;
}

/* Decodes and frees. */
static void assert_pixels(npy file, int channels, double low, double high, const int *wanted,
                          int count) {
    mrcnn_image image;
    mrcnn_error err;
    if (decode(&image, file, channels, low, high, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_int_equal(image.channels, channels);
    assert_int_equal(image.width * image.height * image.channels, count);
    for (int i = 0; i < count; i++)
        if (image.pixels[i] != wanted[i])
            fail_msg("byte %d is %d, not %d", i, image.pixels[i], wanted[i]);
    mrcnn_image_free(&image);
    free(file.bytes);
}

static void assert_refused(npy file, int channels, mrcnn_status status, const char *says) {
    mrcnn_image image;
    mrcnn_error err;
    if (decode(&image, file, channels, 0, 0, &err) != status || !strstr(err.message, says))
        fail_msg("\"%s\" lacks \"%s\"", err.message, says);
    free(file.bytes);
}

#define HEADER(type, shape) \
    "{'descr': '" type "', 'fortran_order': False, 'shape': " shape ", }    \n"
#define PIXELS(...) \
    (const int[]) { \
        __VA_ARGS__ \
    }

/* --------------------------------------------------------------------------------------- types */

static void every_type_is_read(void **state) {
    (void)state;
    static const uint8_t u1[] = {0, 7, 255};
    static const uint8_t u2[] = {0, 0, 0xFF, 0x0F, 0x00, 0x80, 0xFF, 0xFF}; /* 0 4095 32768 65535 */
    static const uint8_t i2[] = {0x00, 0x80, 0xFF, 0xFF, 0, 0, 0xFF, 0x7F}; /* -32768 -1 0 32767 */
    static const uint8_t f4[] = {0, 0, 0, 0, 0, 0, 0, 0x3F, 0, 0, 0x80, 0x3F}; /* 0 0.5 1 */
    static const uint8_t f8[] = {0, 0, 0, 0, 0, 0, 0xD0, 0x3F,
                                 0, 0, 0, 0, 0, 0, 0xF0, 0x3F}; /* .25 1 */
    assert_pixels(make(HEADER("|u1", "(1, 3)"), 1, u1, 3), 1, 0, 0, PIXELS(0, 7, 255), 3);
    assert_pixels(make(HEADER("<u2", "(4, 1)"), 1, u2, 8), 1, 0, 0, PIXELS(0, 15, 128, 255), 4);
    assert_pixels(make(HEADER("<u2", "(4, 1)"), 1, u2, 8), 1, 0, 4095, PIXELS(0, 255, 255, 255), 4);
    assert_pixels(make(HEADER("<i2", "(2, 2)"), 1, i2, 8), 1, 0, 0, PIXELS(0, 127, 128, 255), 4);
    assert_pixels(make(HEADER("<i2", "(2, 2)"), 1, i2, 8), 1, -1, 254, PIXELS(0, 0, 1, 255), 4);
    assert_pixels(make(HEADER("<f4", "(1, 3)"), 1, f4, 12), 1, 0, 0, PIXELS(0, 128, 255), 3);
    assert_pixels(make(HEADER("<f4", "(1, 3)"), 1, f4, 12), 1, -1, 1, PIXELS(128, 192, 255), 3);
    assert_pixels(make(HEADER("<f8", "(1, 2)"), 1, f8, 16), 1, 0, 0, PIXELS(64, 255), 2);
    /* A range is for numbers that aren't levels yet. */
    assert_pixels(make(HEADER("|u1", "(1, 3)"), 1, u1, 3), 1, 5, 6, PIXELS(0, 7, 255), 3);
}

static npy floats(const char *shape, const float *values, size_t count) {
    char header[200];
    snprintf(header, sizeof header, HEADER("<f4", "%s"), shape);
    return make(header, 1, values, count * sizeof *values);
}

/* Depth in metres, with holes: without a range it would be nothing but white. */
static void floats_beyond_one_need_a_range(void **state) {
    (void)state;
    const float depth[] = {0, 2.5F, 10, NAN, -1, INFINITY, -INFINITY, 1e30F};
    const float holes[] = {0.5F, NAN};
    assert_refused(floats("(2, 4)", depth, 8), 1, MRCNN_E_UNSUPPORTED, "IMAGE_VALUE_RANGE");
    assert_refused(floats("(1, 2)", depth, 2), 1, MRCNN_E_UNSUPPORTED, "from 0 to 2.5");
    assert_refused(floats("(1, 1)", depth + 4, 1), 1, MRCNN_E_UNSUPPORTED, "from -1 to 0");
    assert_pixels(floats("(2, 4)", depth, 8), 1, 0, 10, PIXELS(0, 64, 255, 0, 0, 255, 0, 255), 8);
    assert_pixels(floats("(1, 2)", holes, 2), 1, 0, 0, PIXELS(128, 0), 2);
}

/* ------------------------------------------------------------------------------------- channels */

static npy bytes(const char *shape, size_t count) {
    static uint8_t values[MOST];
    char header[200];
    snprintf(header, sizeof header, HEADER("|u1", "%s"), shape);
    for (size_t i = 0; i < count; i++) values[i] = (uint8_t)(i * 3 + 1);
    return make(header, 1, values, count);
}

static void channels_are_as_wanted(void **state) {
    (void)state;
    assert_pixels(bytes("(1, 2)", 2), 3, 0, 0, PIXELS(1, 1, 1, 4, 4, 4), 6);
    assert_pixels(bytes("(1, 2, 1)", 2), 3, 0, 0, PIXELS(1, 1, 1, 4, 4, 4), 6);
    assert_pixels(bytes("(1, 2, 2)", 4), 1, 0, 0, PIXELS(1, 7), 2);
    assert_pixels(bytes("(1, 2, 2)", 4), 3, 0, 0, PIXELS(1, 1, 1, 7, 7, 7), 6);
    assert_pixels(bytes("(2, 1, 3)", 6), 3, 0, 0, PIXELS(1, 4, 7, 10, 13, 16), 6);
    /* (1 * 19595 + 4 * 38470 + 7 * 7471 + 32768) >> 16 = 3; (10, 13, 16) gives 12 */
    assert_pixels(bytes("(2, 1, 3)", 6), 1, 0, 0, PIXELS(3, 12), 2);
    assert_pixels(bytes("(1, 2, 4)", 8), 4, 0, 0, PIXELS(1, 4, 7, 10, 13, 16, 19, 22), 8);
    assert_pixels(bytes("(1, 2, 4)", 8), 3, 0, 0, PIXELS(1, 4, 7, 13, 16, 19), 6);
    for (int n = 1; n <= 16; n++) {
        char shape[40];
        int wanted[3 * 16];
        for (int i = 0; i < 3 * n; i++) wanted[i] = i * 3 + 1;
        snprintf(shape, sizeof shape, "(3, 1, %d)", n);
        assert_pixels(bytes(shape, 3 * (size_t)n), n, 0, 0, wanted, 3 * n);
    }
    assert_refused(bytes("(1, 2, 5)", 10), 3, MRCNN_E_UNSUPPORTED, "5 channels, and 3 are wanted");
    assert_refused(bytes("(1, 2, 5)", 10), 1, MRCNN_E_UNSUPPORTED,
                   "5 channels, and 1 is wanted: .npy arrays of height x width x 1 have it");
    assert_refused(bytes("(1, 2, 5)", 10), 6, MRCNN_E_UNSUPPORTED, "x 6 have them");
    assert_refused(bytes("(1, 2, 3)", 6), 4, MRCNN_E_UNSUPPORTED, "3 channels, RGB, and 4");
    assert_refused(bytes("(1, 2, 17)", 34), 3, MRCNN_E_UNSUPPORTED, "1 to 16 channels");
}

/* -------------------------------------------------------------------------------------- headers */

static void headers_are_read_as_numpy_writes_them(void **state) {
    (void)state;
    static const char *const good[] = {
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }                   \n",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2)}",
        "{\"shape\":(1,2,),\"descr\":\"<u1\",\"fortran_order\":False}\n",
        " { 'shape' : ( 1 , 2 ) , 'fortran_order' : False,'descr':'|u1' , } \n\n",
    };
    static const uint8_t values[] = {3, 4};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        for (int version = 1; version <= 3; version++)
            assert_pixels(make(good[i], version, values, 2), 1, 0, 0, PIXELS(3, 4), 2);
}

static void odd_headers_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *header;
        mrcnn_status status;
        const char *says;
    } cases[] = {
        {"", MRCNN_E_FORMAT, "makes no sense"},
        {"{", MRCNN_E_FORMAT, "makes no sense"},
        {"{}", MRCNN_E_FORMAT, "makes no sense"},
        {"{'descr': '|u1', 'fortran_order': False}", MRCNN_E_FORMAT, "makes no sense"},
        {"{'descr': '|u1', 'descr': '|u1', 'shape': (1, 2)}", MRCNN_E_FORMAT, "makes no sense"},
        {HEADER("|u1", "(1, 2)") "{", MRCNN_E_FORMAT, "makes no sense"},
        {HEADER("|u1", "(1, 2"), MRCNN_E_FORMAT, "makes no sense"},
        {HEADER("|u1", "(1 2)"), MRCNN_E_FORMAT, "makes no sense"},
        {HEADER("|u1", "(-1, 2)"), MRCNN_E_FORMAT, "makes no sense"},
        {HEADER("|u1", "(1.0, 2)"), MRCNN_E_FORMAT, "makes no sense"},
        {HEADER("|u1", "(1, 99999999999999999999999)"), MRCNN_E_FORMAT, "makes no sense"},
        {HEADER("|u1", "[1, 2]"), MRCNN_E_FORMAT, "makes no sense"},
        {HEADER("|u1\\", "(1, 2)"), MRCNN_E_UNSUPPORTED, "the array's type is |u1\\"},
        {HEADER("|u1 and very much more than a type", "(1, 2)"), MRCNN_E_FORMAT, "makes no sense"},
        {HEADER("", "(1, 2)"), MRCNN_E_UNSUPPORTED, "type"},
        {HEADER("<i8", "(1, 2)"), MRCNN_E_UNSUPPORTED, "type is <i8; uint8, uint16"},
        {HEADER(">u2", "(1, 2)"), MRCNN_E_UNSUPPORTED, "little-endian"},
        {HEADER("|O", "(1, 2)"), MRCNN_E_UNSUPPORTED, "type is |O"},
        {"{'descr': [('r', '|u1'), ('g', '|u1')], 'fortran_order': False, 'shape': (1, 2)}",
         MRCNN_E_UNSUPPORTED, "a compound one"},
        {"{'descr': '|u1', 'fortran_order': True, 'shape': (1, 2), }", MRCNN_E_UNSUPPORTED,
         "ascontiguousarray"},
        {"{'descr': '|u1', 'fortran_order': None, 'shape': (1, 2), }", MRCNN_E_FORMAT,
         "makes no sense"},
        {HEADER("|u1", "()"), MRCNN_E_FORMAT, "0 axes"},
        {HEADER("|u1", "(2,)"), MRCNN_E_FORMAT, "1 axes"},
        {HEADER("|u1", "(1, 1, 1, 2)"), MRCNN_E_FORMAT, "more than 3 axes"},
        {HEADER("|u1", "(1, 1, 1, 1, 1, 1, 1, 1, 2)"), MRCNN_E_FORMAT, "makes no sense"},
        {HEADER("|u1", "(0, 2)"), MRCNN_E_FORMAT, "impossible size"},
        {HEADER("|u1", "(1, 0)"), MRCNN_E_FORMAT, "impossible size"},
        {HEADER("|u1", "(1, 2, 0)"), MRCNN_E_UNSUPPORTED, "1 to 16 channels"},
        {HEADER("|u1", "(4294967296, 4294967296)"), MRCNN_E_FORMAT, "impossible size"},
        {HEADER("|u1", "(2147483647, 2147483647)"), MRCNN_E_FORMAT, "cut short"},
        {HEADER("<f8", "(2147483647, 2147483647, 16)"), MRCNN_E_FORMAT, "impossible size"},
        {HEADER("|u1", "(1, 3)"), MRCNN_E_FORMAT, "cut short"},
        {HEADER("|u1", "(1, 1)"), MRCNN_E_FORMAT, "there is more (bytes: 1)"},
        {HEADER("<u2", "(1, 2)"), MRCNN_E_FORMAT, "cut short"},
    };
    static const uint8_t values[] = {3, 4};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(make(cases[i].header, 1, values, 2), 1, cases[i].status, cases[i].says);
    npy file = make(HEADER("|u1", "(1, 2)"), 1, values, 2);
    file.bytes[6] = 4;
    assert_refused(file, 1, MRCNN_E_UNSUPPORTED, "version 4");
    file = make(HEADER("|u1", "(1, 2)"), 2, values, 2);
    file.bytes[11] = 0x7F; /* a header of two gigabytes */
    assert_refused(file, 1, MRCNN_E_FORMAT, "longer than that of any picture");
    char *spaces = malloc(MOST + 1);
    assert_non_null(spaces);
    memset(spaces, ' ', MOST);
    spaces[MOST] = 0;
    assert_refused(make(spaces, 2, values, 2), 1, MRCNN_E_FORMAT, "longer than that");
    free(spaces);
}

static void large_arrays_are_refused_as_large_pictures(void **state) {
    (void)state;
    mrcnn_image image = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image_options options = mrcnn_image_options_default();
    npy file = bytes("(10, 20)", 200);
    options.max_pixels = 199;
    assert_int_equal(mrcnn_image_decode(&image, file.bytes, file.length, "a.npy", &options, &err),
                     MRCNN_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "20 x 10 pixels are more than the limit of 199"));
    free(file.bytes);
}

/* --------------------------------------------------------------------------------- broken files */

static npy cut(npy whole, size_t length) {
    npy part = {malloc(length ? length : 1), length};
    assert_non_null(part.bytes);
    memcpy(part.bytes, whole.bytes, length);
    return part;
}

static void cut_files_are_errors(void **state) {
    (void)state;
    npy whole = bytes("(3, 5, 2)", 30);
    for (size_t length = 0; length < whole.length; length++)
        assert_refused(cut(whole, length), 2, MRCNN_E_FORMAT, "");
    free(whole.bytes);
}

static void changed_bytes_never_crash(void **state) {
    (void)state;
    const float values[] = {0, 0.25F, 1, 0.5F, 0.75F, 0.125F};
    npy whole = floats("(1, 2, 3)", values, 6);
    for (size_t i = 0; i < whole.length; i++)
        for (int value = 0; value < 256; value++) {
            npy changed = cut(whole, whole.length);
            mrcnn_image image;
            mrcnn_error err;
            changed.bytes[i] = (uint8_t)value;
            if (i < 6 && value != whole.bytes[i]) /* no array any more */
                assert_int_equal(decode(&image, changed, 3, 0, 0, &err), MRCNN_E_FORMAT);
            else
                decode(&image, changed, 3, 0, 0, &err);
            mrcnn_image_free(&image);
            free(changed.bytes);
        }
    free(whole.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(floats_beyond_one_need_a_range),
        cmocka_unit_test(channels_are_as_wanted),
        cmocka_unit_test(headers_are_read_as_numpy_writes_them),
        cmocka_unit_test(odd_headers_are_refused),
        cmocka_unit_test(large_arrays_are_refused_as_large_pictures),
        cmocka_unit_test(cut_files_are_errors),
        cmocka_unit_test(changed_bytes_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
