/* test_viz_grid.c - grids, maps of floats, sheets, enlarging: colours and places, pixel by pixel where that is
 * possible, and what is refused. */
#include "test_viz.h"
#include "helper_assert.h"
#include "helper_cli.h"

#include "viz/shade.h"

#include <mrcnn/draw.h>

#include <math.h>

/* ------------------------------------------------------------------------------------ colours */

static double luminance(mr_color c) {
    return 0.2126 * pow(c.r, 2.2) + 0.7152 * pow(c.g, 2.2) + 0.0722 * pow(c.b, 2.2);
}

/* The map gets brighter all the way, and so do shades on dark paper; on light paper darker. Whatever is written
 * on a shade has a contrast of 4.5 and more (WCAG 2, AA). */
static void test_shades(void **state) {
    (void)state;
    double map = -1.0, dark = -1.0, light = 2.0;
    for (int i = 0; i <= 100; i++) {
        double share = i / 100.0;
        double m = luminance(mr_false_color(share)), d = luminance(mr_shade(share, 0, 1, 1)),
               l = luminance(mr_shade(share, 0, 1, 0));
        assert_true(m > map && d > dark && l < light);
        map = m, dark = d, light = l;
        for (int k = 0; k < 2; k++) {
            mr_color paper = mr_shade(share, 0, 1, k), ink = mr_readable_on(paper);
            double a = luminance(paper) + 0.05, b = luminance(ink) + 0.05;
            assert_true((a > b ? a / b : b / a) >= 4.4);
        }
    }
    assert_true(luminance(mr_false_color(0)) < 0.01 && luminance(mr_false_color(1)) > 0.8);
    mr_color low = mr_shade(-5, 0, 1, 0), zero = mr_shade(0, 0, 1, 0);
    assert_memory_equal(&low, &zero, sizeof low);
    mr_color wide = mr_shade(1e308, -1.7e308, 1.7e308, 0);
    assert_true(wide.r >= 0.0 && wide.r <= 1.0);
}

static void test_short_numbers(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},       {1, "1"},           {0.12345, "0.123"}, {1234567, "1230000"},
                 {-2.5, "-2.5"}, {1e-300, "1e-300"}, {NAN, "0"},         {INFINITY, "0"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        mr_short_number(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

/* --------------------------------------------------------------------------------------- maps */

static void test_map(void **state) {
    (void)state;
    /* Two channels interleaved; the second one is drawn. */
    const float values[] = {9, 0, 9, 1, 9, 2, 9, NAN, 9, INFINITY, 9, -INFINITY};
    mrcnn_image map = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_draw_map(&map, values + 1, 2, 3, 6, 2, &err), MRCNN_OK);
    assert_int_equal(map.height, 2);
    assert_int_equal(map.width, 3);
    assert_int_equal(map.channels, 3);
    double shares[] = {0, 0.5, 1, -1, 1, 0};
    for (int i = 0; i < 6; i++) {
        mr_color c = mr_false_color(i == 1 ? 128 / 255.0 : shares[i]);
        uint8_t expected[3] = {(uint8_t)lrint(255 * c.r), (uint8_t)lrint(255 * c.g),
                               (uint8_t)lrint(255 * c.b)};
        if (i == 3) expected[0] = 255, expected[1] = 0, expected[2] = 255;
        assert_memory_equal(map.pixels + 3 * i, expected, 3);
    }
    mrcnn_image_free(&map);
    const float same[4] = {7, 7, 7, 7};
    assert_int_equal(mrcnn_draw_map(&map, same, 2, 2, 2, 1, &err), MRCNN_OK);
    assert_memory_equal(map.pixels, map.pixels + 3, 9);
    mrcnn_image_free(&map);
    const float huge[2] = {-3e38F, 3e38F};
    assert_int_equal(mrcnn_draw_map(&map, huge, 1, 2, 2, 1, &err), MRCNN_OK);
    assert_true(map.pixels[0] < map.pixels[3]);
    mrcnn_image_free(&map);
    assert_int_equal(mrcnn_draw_map(&map, same, 0, 2, 2, 1, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_draw_map(&map, NULL, 2, 2, 2, 1, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_draw_map(NULL, same, 2, 2, 2, 1, &err), MRCNN_E_ARGUMENT);
    assert_null(map.pixels);
}

/* ------------------------------------------------------------------------------------- sheets */

static mrcnn_image plain(int32_t width, int32_t height, uint8_t value) {
    mrcnn_image image = {width, height, 1, malloc((size_t)width * (size_t)height)};
    memset(image.pixels, value, (size_t)width * (size_t)height);
    return image;
}

static void expect_pixel(const mrcnn_image *image, int y, int x, int value) {
    const uint8_t *p = image->pixels + 3 * ((size_t)y * (size_t)image->width + (size_t)x);
    assert_int_equal(p[0], value);
    assert_int_equal(p[1], value);
    assert_int_equal(p[2], value);
}

static void add(mrcnn_sheet *sheet, int32_t width, int32_t height, uint8_t value) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = plain(width, height, value);
    assert_int_equal(mrcnn_sheet_add(sheet, &image, NULL, &err), MRCNN_OK);
    free(image.pixels);
}

/* Two columns of 20 pixels, 6 between them: a large picture, a small one, a hole, a flat one. */
static void test_sheet(void **state) {
    (void)state;
    mrcnn_sheet *sheet = NULL;
    mrcnn_image out = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_sheet_create(&sheet, 2, 20, &err), MRCNN_OK);
    assert_int_equal(mrcnn_sheet_image(sheet, &out, &err), MRCNN_E_ARGUMENT);
    add(sheet, 200, 100, 10);
    add(sheet, 7, 7, 20);
    assert_int_equal(mrcnn_sheet_add(sheet, NULL, NULL, &err), MRCNN_OK);
    add(sheet, 20, 4, 40);
    assert_int_equal(mrcnn_sheet_image(sheet, &out, &err), MRCNN_OK);
    assert_int_equal(out.width, 6 + 2 * 26);
    assert_int_equal(out.height, 6 + 14 + 6 + 4 + 6); /* 7 x 7 becomes 14 x 14 */
    expect_pixel(&out, 0, 0, 255);
    expect_pixel(&out, 6 + 2, 6, 10); /* 20 x 10, in the middle of 14 */
    expect_pixel(&out, 6 + 11, 25, 10);
    expect_pixel(&out, 6 + 1, 6, 255);
    expect_pixel(&out, 6 + 12, 25, 255);
    expect_pixel(&out, 6, 32 + 3, 20);
    expect_pixel(&out, 19, 32 + 16, 20);
    expect_pixel(&out, 19, 32 + 17, 255);
    expect_pixel(&out, 27, 10, 255);
    expect_pixel(&out, 26, 32, 40);
    expect_pixel(&out, 29, 51, 40);
    mrcnn_image_free(&out);
    mrcnn_sheet_free(&sheet);
    assert_null(sheet);
    mrcnn_sheet_free(&sheet);
}

/* Shrinking takes means: black and white stripes become grey. */
static void test_sheet_means(void **state) {
    (void)state;
    mrcnn_sheet *sheet = NULL;
    mrcnn_image out = {0}, image = plain(64, 64, 0);
    for (int i = 0; i < 64 * 64; i++) image.pixels[i] = i % 2 ? 200 : 100;
    assert_int_equal(mrcnn_sheet_create(&sheet, 1, 16, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_sheet_add(sheet, &image, NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_sheet_image(sheet, &out, NULL), MRCNN_OK);
    for (int i = 0; i < 16; i++) expect_pixel(&out, 6 + i, 6 + i, 150);
    mrcnn_image_free(&out);
    mrcnn_sheet_free(&sheet);
    free(image.pixels);
}

static void test_sheet_errors(void **state) {
    (void)state;
    mrcnn_sheet *sheet = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image none = {10, 10, 3, NULL}, odd = plain(4, 4, 0);
    assert_int_equal(mrcnn_sheet_create(&sheet, 0, 20, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_sheet_create(&sheet, 1, 4097, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_sheet_create(NULL, 1, 20, &err), MRCNN_E_ARGUMENT);
    assert_null(sheet);
    assert_int_equal(mrcnn_sheet_create(&sheet, 1, 20, &err), MRCNN_OK);
    assert_int_equal(mrcnn_sheet_add(sheet, &none, "x", &err), MRCNN_E_ARGUMENT);
    odd.width = -4;
    assert_int_equal(mrcnn_sheet_add(sheet, &odd, NULL, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_sheet_add(NULL, &odd, NULL, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_sheet_image(sheet, &none, &err), MRCNN_E_ARGUMENT); /* still empty */
    mrcnn_sheet_free(&sheet);
    free(odd.pixels);
}

/* ------------------------------------------------------------------------------------ enlarging */

static void test_enlarge(void **state) {
    (void)state;
    mrcnn_instance instance = make_rectangle(5, 7, 1, 2, 4, 6);
    mrcnn_result result = {5, 7, 1, &instance}, *large = NULL;
    mrcnn_image image = make_image(5, 7), out = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_enlarge(&out, &large, &image, &result, 3, &err), MRCNN_OK);
    assert_int_equal(out.width, 21);
    assert_int_equal(out.height, 15);
    for (int y = 0; y < 15; y++)
        for (int x = 0; x < 21; x++)
            assert_memory_equal(out.pixels + 3 * (y * 21 + x),
                                image.pixels + 3 * (y / 3 * 7 + x / 3), 3);
    mrcnn_instance expected = make_rectangle(15, 21, 3, 6, 12, 18);
    assert_int_equal(large->count, 1);
    assert_int_equal(large->width, 21);
    assert_int_equal(large->instances[0].x2, 18);
    assert_int_equal(large->instances[0].mask.count, expected.mask.count);
    assert_memory_equal(large->instances[0].mask.counts, expected.mask.counts,
                        expected.mask.count * sizeof(uint32_t));
    mrcnn_image_free(&out);
    mrcnn_result_free(&large);
    assert_int_equal(mrcnn_enlarge(&out, NULL, &image, NULL, 1, &err), MRCNN_OK);
    assert_memory_equal(out.pixels, image.pixels, 3 * 5 * 7);
    mrcnn_image_free(&out);
    assert_int_equal(mrcnn_enlarge(&out, NULL, &image, NULL, 17, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_enlarge(&out, NULL, &image, &result, 2, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_enlarge(&image, NULL, &image, NULL, 2, &err), MRCNN_E_ARGUMENT);
    assert_null(out.pixels);
    free(image.pixels);
    free_instances(&instance, 1);
    free_instances(&expected, 1);
}

/* --------------------------------------------------------------------------------------- grids */

#ifdef MRCNN_WITH_CAIRO

static int has_color(const mrcnn_image *image, mr_color c) {
    int found = 0;
    for (int i = 0; i < image->width * image->height; i++) {
        const uint8_t *p = image->pixels + 3 * i;
        found += abs(p[0] - (int)lrint(255 * c.r)) <= 1 && abs(p[1] - (int)lrint(255 * c.g)) <= 1 &&
                 abs(p[2] - (int)lrint(255 * c.b)) <= 1;
    }
    return found;
}

static mrcnn_image draw_grid(const mrcnn_grid *grid) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    assert_int_equal(mrcnn_grid_write(grid, "grid.png", &err), MRCNN_OK);
    assert_int_equal(mrcnn_image_read(&image, "grid.png", NULL, &err), MRCNN_OK);
    return image;
}

static void test_cells(void **state) {
    (void)state;
    const double values[] = {0, 0.5, 1, NAN, 0.25, 0.5};
    for (int dark = 0; dark < 2; dark++) {
        mrcnn_grid grid = mrcnn_grid_default();
        grid.rows = 2;
        grid.columns = 3;
        grid.values = values;
        grid.dark = dark;
        mrcnn_image image = draw_grid(&grid);
        int one = has_color(&image, mr_shade(0.25, 0, 1, dark));
        assert_true(one > 1000); /* pixels of a cell, but for its text */
        assert_true(has_color(&image, mr_shade(0.5, 0, 1, dark)) > 1.8 * one);
        assert_true(has_color(&image, mr_shade(1, 0, 1, dark)) > 0.8 * one);
        mrcnn_image_free(&image);
    }
}

static void test_grid_texts(void **state) {
    (void)state;
    double values[] = {1, 20};
    const char *const texts[] = {"a", NULL};
    mrcnn_grid grid = mrcnn_grid_default();
    grid.rows = 1;
    grid.columns = 2;
    grid.values = values;
    char *whole = NULL, *fractions = NULL, *own = NULL, *again = NULL;
    size_t length;
    assert_int_equal(mrcnn_grid_svg(&grid, &whole, &length, NULL), MRCNN_OK);
    assert_int_equal(length, strlen(whole));
    assert_int_equal(cli_occurrences(whole, "<use "), 3); /* 1, 2, 0 */
    values[0] = 1.5;
    assert_int_equal(mrcnn_grid_svg(&grid, &fractions, NULL, NULL), MRCNN_OK);
    assert_int_equal(cli_occurrences(fractions, "<use "), 4 + 5); /* 1.50, 20.00 */
    grid.texts = texts;
    assert_int_equal(mrcnn_grid_svg(&grid, &own, NULL, NULL), MRCNN_OK);
    assert_int_equal(cli_occurrences(own, "<use "), 1);
    assert_int_equal(mrcnn_grid_svg(&grid, &again, NULL, NULL), MRCNN_OK);
    assert_string_equal(own, again);
    mrcnn_string_free(&whole);
    mrcnn_string_free(&fractions);
    mrcnn_string_free(&own);
    mrcnn_string_free(&again);
}

static void test_odd_grids(void **state) {
    (void)state;
    enum { MOST = 1000 };
    double *values = calloc(MOST * MOST, sizeof *values);
    const char **names = calloc(MOST, sizeof *names);
    for (int i = 0; i < MOST * MOST; i++)
        values[i] = i % 5 == 0 ? NAN : i % 7 == 0 ? INFINITY : i % 3 == 0 ? -1e308 : i * 1e303;
    for (int i = 0; i < MOST; i++)
        names[i] = i % 3 ? "\xFF a name that is too long to be written"
                           " anywhere beside a table"
                         : NULL;
    static const int sizes[][2] = {{1, 1}, {1, 300}, {300, 1}, {60, 60}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        mrcnn_grid grid = mrcnn_grid_default();
        grid.rows = sizes[i][0];
        grid.columns = sizes[i][1];
        grid.values = values;
        grid.row_names = grid.column_names = names;
        grid.title = grid.row_label = grid.column_label = names[1];
        mrcnn_image image = draw_grid(&grid);
        assert_true(image.width >= 160 && image.width < 4000 && image.height < 4000);
        mrcnn_image_free(&image);
    }
    free(values);
    free(names);
}

static void test_grid_errors(void **state) {
    (void)state;
    const double values[] = {1, 2};
    mrcnn_grid good = mrcnn_grid_default(), bad;
    good.rows = 1, good.columns = 2, good.values = values;
    char *svg = NULL;
    assert_int_equal(mrcnn_grid_write(NULL, "x.png", NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_grid_write(&good, "x.bmp", NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_grid_write(&good, "", NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_grid_svg(&good, NULL, NULL, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_grid_write(&good, "none/x.pdf", NULL), MRCNN_E_IO);
    bad = good, bad.rows = 0;
    assert_int_equal(mrcnn_grid_svg(&bad, &svg, NULL, NULL), MRCNN_E_ARGUMENT);
    bad = good, bad.columns = 1001;
    assert_int_equal(mrcnn_grid_svg(&bad, &svg, NULL, NULL), MRCNN_E_ARGUMENT);
    bad = good, bad.values = NULL;
    assert_int_equal(mrcnn_grid_svg(&bad, &svg, NULL, NULL), MRCNN_E_ARGUMENT);
    bad = good, bad.low = 3.0;
    assert_int_equal(mrcnn_grid_svg(&bad, &svg, NULL, NULL), MRCNN_E_ARGUMENT);
    bad = good, bad.scale = 9.0;
    assert_int_equal(mrcnn_grid_svg(&bad, &svg, NULL, NULL), MRCNN_E_ARGUMENT);
    assert_null(svg);
    assert_int_equal(cli_count(".", "x."), 0);
}

/* A row with a caption is higher, and has dark pixels there. */
static void test_sheet_captions(void **state) {
    (void)state;
    mrcnn_sheet *sheet = NULL;
    mrcnn_image out = {0}, image = plain(50, 50, 128);
    assert_int_equal(mrcnn_sheet_create(&sheet, 1, 50, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_sheet_add(sheet, &image, "a\nb \xFF and more words than fit here", NULL),
                     MRCNN_OK);
    assert_int_equal(mrcnn_sheet_image(sheet, &out, NULL), MRCNN_OK);
    assert_int_equal(out.height, 6 + 50 + 6 + 36);
    int dark[2] = {0, 0};
    for (int y = 56; y < out.height - 6; y++)
        for (int x = 0; x < out.width; x++)
            dark[y >= 56 + 18] += out.pixels[3 * (y * out.width + x)] < 100;
    assert_true(dark[0] > 10 && dark[1] > 10); /* two lines */
    for (int y = 6; y < 56; y++) expect_pixel(&out, y, 10, 128);
    mrcnn_image_free(&out);
    mrcnn_sheet_free(&sheet);
    free(image.pixels);
}

#else

static void test_without_cairo(void **state) {
    (void)state;
    const double value = 1.0;
    mrcnn_grid grid = mrcnn_grid_default();
    grid.rows = grid.columns = 1;
    grid.values = &value;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_grid_write(&grid, "x.png", &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "MRCNN_WITH_CAIRO");
    mrcnn_sheet *sheet = NULL;
    mrcnn_image out = {0};
    assert_int_equal(mrcnn_sheet_create(&sheet, 1, 50, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_sheet_add(sheet, NULL, "text", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_sheet_image(sheet, &out, &err), MRCNN_E_UNSUPPORTED);
    assert_null(out.pixels);
    mrcnn_sheet_free(&sheet);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shades),
        cmocka_unit_test(test_short_numbers),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_sheet),
        cmocka_unit_test(test_sheet_means),
        cmocka_unit_test(test_sheet_errors),
        cmocka_unit_test(test_enlarge),
#ifdef MRCNN_WITH_CAIRO
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_grid_texts),
        cmocka_unit_test(test_odd_grids),
        cmocka_unit_test(test_grid_errors),
        cmocka_unit_test(test_sheet_captions),
#else
        cmocka_unit_test(test_without_cairo),
#endif
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
