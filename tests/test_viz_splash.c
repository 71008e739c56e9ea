/* test_viz_splash.c - colour splash against scikit-image's grey and pixel by pixel. */
#include "test_viz.h"

static void test_grey_is_that_of_skimage(void **state) {
    (void)state;
    FILE *file = open_golden("grey.txt");
    char line[200];
    int r, g, b, grey, lines = 0;
    while (next_line(file, line, sizeof line)) {
        assert_int_equal(sscanf(line, "%d %d %d %d", &r, &g, &b, &grey), 4);
        uint8_t pixel[] = {(uint8_t)r, (uint8_t)g, (uint8_t)b};
        mrcnn_image image = {1, 1, 3, pixel}, out = {0};
        mrcnn_result result = {1, 1, 0, NULL};
        assert_int_equal(mrcnn_color_splash(&out, &image, &result, NULL), MRCNN_OK);
        for (int c = 0; c < 3; c++) assert_int_equal(out.pixels[c], grey);
        free(out.pixels);
        lines++;
    }
    fclose(file);
    assert_true(lines > 100);
}

/* Everything inside the union of overlapping masks is kept, everything outside is grey; sizes on
 * both sides of the 64 columns in which masks are walked. */
static void test_union_keeps_its_colours(void **state) {
    (void)state;
    const int sizes[][2] = {{1, 1}, {3, 63}, {5, 64}, {4, 65}, {70, 200}, {1, 130}, {130, 1}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int height = sizes[s][0], width = sizes[s][1];
        size_t pixels = (size_t)height * (size_t)width;
        uint8_t *bytes[3];
        mrcnn_instance instances[3] = {0};
        uint64_t stream = mr_prng_stream(s, "splash");
        for (int i = 0; i < 3; i++) {
            bytes[i] = malloc(pixels);
            for (size_t k = 0; k < pixels; k++) /* noise, large blocks, everything but one pixel */
                bytes[i][k] = i == 0   ? mr_prng_value(stream, k) % 4 == 0
                              : i == 1 ? k % (size_t)width / 20 % 2
                                       : s % 2 == 0 && k != pixels / 2;
            instances[i].mask = make_mask(bytes[i], height, width);
        }
        mrcnn_image image = make_image(height, width), out = {0}, grey = {0};
        mrcnn_result result = {height, width, 3, instances}, none = {height, width, 0, NULL};
        assert_int_equal(mrcnn_color_splash(&grey, &image, &none, NULL), MRCNN_OK);
        assert_int_equal(mrcnn_color_splash(&out, &image, &result, NULL), MRCNN_OK);
        assert_int_equal(out.width, width);
        assert_int_equal(out.height, height);
        assert_int_equal(out.channels, 3);
        for (size_t k = 0; k < pixels; k++) {
            int inside = bytes[0][k] | bytes[1][k] | bytes[2][k];
            assert_memory_equal(out.pixels + 3 * k, (inside ? image.pixels : grey.pixels) + 3 * k,
                                3);
        }
        for (int i = 0; i < 3; i++) free(bytes[i]);
        free_instances(instances, 3);
        free(image.pixels);
        free(grey.pixels);
        free(out.pixels);
    }
}

static void test_hostile_results(void **state) {
    (void)state;
    mrcnn_image image = make_image(4, 6), out = {7, 7, 7, NULL};
    uint32_t short_runs[] = {1, 5}, long_runs[] = {0, UINT32_MAX};
    mrcnn_instance instance = {.mask = {4, 6, 2, short_runs}};
    mrcnn_result result = {4, 6, 1, &instance};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_color_splash(&out, &image, &result, &err), MRCNN_E_ARGUMENT);
    assert_non_null(strstr(err.message, "instance 0"));
    instance.mask.counts = long_runs;
    assert_int_equal(mrcnn_color_splash(&out, &image, &result, &err), MRCNN_E_ARGUMENT);
    instance.mask = (mrcnn_mask){6, 4, 2, (uint32_t[]){1, 23}};
    assert_int_equal(mrcnn_color_splash(&out, &image, &result, &err), MRCNN_E_ARGUMENT);
    result = (mrcnn_result){6, 4, 0, NULL};
    assert_int_equal(mrcnn_color_splash(&out, &image, &result, &err), MRCNN_E_ARGUMENT);
    assert_non_null(strstr(err.message, "6 x 4"));
    assert_int_equal(out.width, 7); /* untouched */
    assert_null(out.pixels);
    free(image.pixels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grey_is_that_of_skimage),
        cmocka_unit_test(test_union_keeps_its_colours),
        cmocka_unit_test(test_hostile_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
