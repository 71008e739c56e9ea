/* test_mask_polygon.c - masks as one polygon: filled again they are the same masks, bit for bit,
 * also after the polygon's coordinates were rounded; and a few outlines as a hand would draw them. */
#include "helper_assert.h"

#include "base/clock.h"
#include "base/prng.h"
#include "data/raster.h"
#include "data/writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static mr_polygon_list trace(const uint8_t *bytes, int height, int width) {
    mrcnn_mask mask = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_polygon_list list = {MR_RULE_NONE, 0, NULL, NULL};
    assert_int_equal(mrcnn_mask_from_bytes(&mask, bytes, height, width, &err), MRCNN_OK);
    if (mr_mask_to_polygon(&mask, &list, &err) != MRCNN_OK) fail_msg("%s", err.message);
    mrcnn_mask_free(&mask);
    assert_int_equal(list.rule, MR_RULE_SKIMAGE);
    assert_int_equal(list.count, 1);
    return list;
}

/* ------------------------------------------------------------------------------------ by hand */

static void expect(const char *picture, int height, int width, const char *points) {
    uint8_t bytes[64];
    char text[400];
    size_t length = 0;
    for (int i = 0; i < height * width; i++) bytes[i] = picture[i] == '#';
    mr_polygon_list list = trace(bytes, height, width);
    for (size_t i = 0; i < list.points[0]; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%g,%g", i ? " " : "",
                                   list.xy[2 * i], list.xy[2 * i + 1]);
    assert_string_equal(text, points);
    mr_polygon_list_free(&list);
}

static void test_by_hand(void **state) {
    (void)state;
    /* A rectangle has four corners; a pixel is a diamond. */
    expect("....."
           ".###."
           ".###."
           ".....",
           4, 5, "0.5,0.5 3.5,0.5 3.5,2.5 0.5,2.5");
    expect("..."
           ".#."
           "...",
           3, 3, "1,0.5 1.5,1 1,1.5 0.5,1");
    /* Nothing is negative. */
    expect("##."
           "##."
           "...",
           3, 3, "0,0 1.5,0 1.5,1.5 0,1.5");
    expect("#", 1, 1, "0,0 0.5,0 0,0.5");
    expect(".#.", 1, 3, "0.5,0 1.5,0 1,0.5");
    /* The way along a slope is straight, and pixels that meet at a corner are one part. */
    expect("......"
           ".#...."
           "..#..."
           "...#.."
           "......",
           5, 6, "1,0.5 3.5,3 3,3.5 0.5,1");
    /* A part and its hole, by a seam through the part: up from the hole, and back. */
    expect("......."
           "......."
           "..###.."
           "..#.#.."
           "..###.."
           ".......",
           6, 7, "1.5,1.5 3,1.5 3,2.5 2.5,3 3,3.5 3.5,3 3,2.5 3,1.5 4.5,1.5 4.5,4.5 1.5,4.5");
}

static void test_empty(void **state) {
    (void)state;
    uint32_t counts[] = {6};
    mrcnn_mask mask = {2, 3, 1, counts};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_polygon_list list = {MR_RULE_NONE, 0, NULL, NULL};
    assert_int_equal(mr_mask_to_polygon(&mask, &list, &err), MRCNN_E_ARGUMENT);
    assert_non_null(strstr(err.message, "empty"));
    assert_null(list.xy);
}

/* ------------------------------------------------------------------------------------ by chance */

static double area(const double *xy, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const double *a = xy + 2 * i, *b = xy + 2 * ((i + 1) % count);
        sum += a[0] * b[1] - a[1] * b[0];
    }
    return fabs(sum) / 2;
}

/* No point may be there for nothing, or leave the picture. */
static void check_points(const mr_polygon_list *list, int height, int width) {
    size_t n = list->points[0];
    assert_true(n >= 3);
    assert_true(area(list->xy, n) > 0);
    for (size_t i = 0; i < n; i++) {
        const double *a = list->xy + 2 * i, *b = list->xy + 2 * ((i + 1) % n);
        const double *c = list->xy + 2 * ((i + 2) % n);
        assert_true(a[0] >= 0 && a[1] >= 0 && a[0] <= width - 0.5 && a[1] <= height - 0.5);
        assert_true(a[0] != b[0] || a[1] != b[1]);
        assert_false(a[0] == b[0] && b[0] == c[0] && (b[1] - a[1]) * (c[1] - b[1]) > 0);
        assert_false(a[1] == b[1] && b[1] == c[1] && (b[0] - a[0]) * (c[0] - b[0]) > 0);
    }
}

/* A coordinate as a format with few digits might keep it: off by up to 0.2, zero as it is. */
static double disturb(double v, uint64_t axis) {
    if (v == 0) return 0;
    return v + 0.4 * (mr_prng_uniform(98 + axis, (uint64_t)(v * 2)) - 0.5);
}

static void check_mask(const uint8_t *bytes, int height, int width, const char *what) {
    size_t pixels = (size_t)height * (size_t)width;
    if (!memchr(bytes, 1, pixels)) return;
    mr_polygon_list list = trace(bytes, height, width);
    uint8_t *again = malloc(pixels);
    size_t n = list.points[0];
    assert_non_null(again);
    check_points(&list, height, width);
    mr_fill_polygon(list.xy, n, height, width, again);
    if (memcmp(bytes, again, pixels) != 0)
        fail_msg("%s, %d x %d: not the same mask", what, width, height);
    for (size_t i = 0; i < 2 * n; i++) list.xy[i] = disturb(list.xy[i], i % 2);
    mr_fill_polygon(list.xy, n, height, width, again);
    if (memcmp(bytes, again, pixels) != 0)
        fail_msg("%s, %d x %d: not the same mask once rounded", what, width, height);
    free(again);
    mr_polygon_list_free(&list);
}

enum { SIDE = 23 };

static void fill_noise(uint8_t *bytes, size_t pixels, uint64_t seed, double density) {
    for (size_t i = 0; i < pixels; i++) bytes[i] = mr_prng_uniform(seed, i) < density;
}

static void test_noise(void **state) {
    (void)state;
    uint8_t bytes[SIDE * SIDE];
    for (uint64_t seed = 0; seed < 4000; seed++) {
        int height = 1 + (int)(mr_prng_uniform(1, seed) * SIDE);
        int width = 1 + (int)(mr_prng_uniform(2, seed) * SIDE);
        fill_noise(bytes, (size_t)(height * width), seed + 10, mr_prng_uniform(3, seed));
        check_mask(bytes, height, width, "noise");
    }
}

static void test_every_small_mask(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 5}, {5, 1}, {2, 3}, {3, 3}, {3, 4}, {4, 3}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        int height = sizes[k][0], width = sizes[k][1];
        for (unsigned bits = 1; bits < 1u << (height * width); bits++) {
            uint8_t bytes[12];
            for (int i = 0; i < height * width; i++) bytes[i] = bits >> i & 1;
            check_mask(bytes, height, width, "small");
        }
    }
}

/* Blobs, and rings around rings: pixels where a few waves add up to more than nothing. */
static void test_blobs(void **state) {
    (void)state;
    uint8_t bytes[61 * 47];
    for (uint64_t seed = 0; seed < 200; seed++) {
        double cx = mr_prng_uniform(seed, 0) * 61, cy = mr_prng_uniform(seed, 1) * 47;
        double wave = 0.2 + mr_prng_uniform(seed, 2), tilt = mr_prng_uniform(seed, 3);
        for (int y = 0; y < 47; y++)
            for (int x = 0; x < 61; x++)
                bytes[y * 61 + x] =
                    sin(wave * hypot(x - cx, y - cy)) + sin(tilt * x) * sin(0.3 * y) > 0;
        check_mask(bytes, 47, 61, "blobs");
    }
}

static void test_patterns(void **state) {
    (void)state;
    uint8_t bytes[37 * 41];
    for (int kind = 0; kind < 9; kind++) {
        for (int y = 0; y < 37; y++)
            for (int x = 0; x < 41; x++) {
                int ring = x < y ? x : y;
                if (40 - x < ring) ring = 40 - x;
                if (36 - y < ring) ring = 36 - y;
                const int is[] = {1,
                                  (x + y) % 2,
                                  x % 2,
                                  y % 2,
                                  x == y,
                                  x + y == 30,
                                  ring % 2 == 0,
                                  ring % 2,
                                  x % 3 == 0 && y % 5 == 0};
                bytes[y * 41 + x] = (uint8_t)(is[kind] != 0);
            }
        check_mask(bytes, 37, 41, "pattern");
    }
}

/* Some 150,000 outlines, and one with every second pixel of a diagonal at its foot: time that grows
 * with their square would be minutes. */
static void test_large(void **state) {
    (void)state;
    enum { LARGE = 1000 };
    uint8_t *bytes = malloc((size_t)LARGE * LARGE);
    assert_non_null(bytes);
    double begin = mr_milliseconds();
    for (int kind = 0; kind < 3; kind++) {
        for (size_t i = 0; i < (size_t)LARGE * LARGE; i++) {
            size_t x = i % LARGE, y = i / LARGE;
            bytes[i] = kind == 0   ? mr_prng_uniform(5, i) < 0.3
                       : kind == 1 ? x % 2 && y % 2
                                   : x % 4 == 0 && y == LARGE - 1 - x / 2;
        }
        check_mask(bytes, LARGE, LARGE, "large");
    }
    assert_true(mr_milliseconds() - begin < 30000);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand), cmocka_unit_test(test_empty),
        cmocka_unit_test(test_noise),   cmocka_unit_test(test_every_small_mask),
        cmocka_unit_test(test_blobs),   cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
