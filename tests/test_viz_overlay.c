/* test_viz_overlay.c - blending pixel by pixel against NumPy, options, what lines and captions do
 * and don't touch, hostile results, and that everything that needs cairo says so without it. */
#include "test_viz.h"

#include "viz/color.h"

#include <limits.h>
#include <math.h>

static mrcnn_draw_options only_masks(void) {
    mrcnn_draw_options options = mrcnn_draw_options_default();
    options.contours = options.boxes = options.captions = 0;
    return options;
}

static void test_defaults(void **state) {
    (void)state;
    mrcnn_draw_options options = mrcnn_draw_options_default();
    assert_int_equal(options.size, sizeof options);
    assert_true(options.masks && options.contours && options.boxes && options.captions);
    assert_true(options.alpha == 0.5);
    assert_true(options.color_by_instance);
}

static int blended(int value, double color, double alpha) {
    return (int)(value * (1.0 - alpha) + alpha * color * 255.0);
}

/* The formula by which the other tests judge pictures, and the colours, are Python's. */
static void test_blending_is_that_of_numpy(void **state) {
    (void)state;
    FILE *file = open_golden("blend.txt");
    char line[200];
    double alpha, hue;
    int value, r, g, b, lines = 0;
    while (next_line(file, line, sizeof line)) {
        assert_int_equal(sscanf(line, "%lf %lf %d %d %d %d", &alpha, &hue, &value, &r, &g, &b), 6);
        mr_color color = mr_color_of_hue(hue);
        assert_int_equal(blended(value, color.r, alpha), r);
        assert_int_equal(blended(value, color.g, alpha), g);
        assert_int_equal(blended(value, color.b, alpha), b);
        lines++;
    }
    fclose(file);
    assert_true(lines > 100);
}

static void test_masks_alone(void **state) {
    (void)state;
    enum { HEIGHT = 9, WIDTH = 140, COUNT = 3 };
    mrcnn_instance instances[COUNT] = {make_rectangle(HEIGHT, WIDTH, 0, 0, 9, 140),
                                       make_rectangle(HEIGHT, WIDTH, 2, 5, 7, 133),
                                       make_rectangle(HEIGHT, WIDTH, 8, 139, 9, 140)};
    instances[1].class_id = 2;
    instances[2].class_id = 17;
    mrcnn_image image = make_image(HEIGHT, WIDTH);
    mrcnn_result result = {HEIGHT, WIDTH, COUNT, instances};
    const double alphas[] = {0.0, 0.3, 0.5, 1.0};
    for (int round = 0; round < 8; round++) {
        mr_color colors[COUNT];
        mrcnn_image out = {0};
        mrcnn_draw_options options = only_masks();
        options.alpha = alphas[round / 2];
        options.color_by_instance = round % 2;
        assert_int_equal(mr_colors_of_instances(colors, COUNT, NULL), MRCNN_OK);
        for (int i = 0; i < COUNT && !options.color_by_instance; i++)
            colors[i] = mr_color_of_class(instances[i].class_id);
        assert_int_equal(mrcnn_draw_instances(&out, &image, &result, &options, NULL), MRCNN_OK);
        for (int y = 0; y < HEIGHT; y++)
            for (int x = 0; x < WIDTH; x++) {
                const uint8_t *p = image.pixels + 3 * (y * WIDTH + x);
                int expected[] = {p[0], p[1], p[2]};
                for (int i = 0; i < COUNT; i++) {
                    const mrcnn_instance *it = &instances[i];
                    if (y < it->y1 || y >= it->y2 || x < it->x1 || x >= it->x2) continue;
                    expected[0] = blended(expected[0], colors[i].r, options.alpha);
                    expected[1] = blended(expected[1], colors[i].g, options.alpha);
                    expected[2] = blended(expected[2], colors[i].b, options.alpha);
                }
                for (int c = 0; c < 3; c++)
                    assert_int_equal(out.pixels[3 * (y * WIDTH + x) + c], expected[c]);
            }
        free(out.pixels);
    }
    free(image.pixels);
    free_instances(instances, COUNT);
}

/* A number has its colour, whatever else there is in the picture. */
static void test_colors_by_number(void **state) {
    (void)state;
    enum { HEIGHT = 4, WIDTH = 20 };
    mrcnn_instance instances[2] = {make_rectangle(HEIGHT, WIDTH, 0, 0, 4, 10),
                                   make_rectangle(HEIGHT, WIDTH, 0, 10, 4, 20)};
    mrcnn_image image = make_image(HEIGHT, WIDTH);
    mrcnn_result result = {HEIGHT, WIDTH, 2, instances};
    const int32_t ids[] = {41, 7};
    for (int by_instance = 0; by_instance < 2; by_instance++) {
        mrcnn_image out = {0};
        mrcnn_draw_options options = only_masks();
        options.alpha = 1.0;
        options.ids = ids;
        options.color_by_instance = by_instance;
        assert_int_equal(mrcnn_draw_instances(&out, &image, &result, &options, NULL), MRCNN_OK);
        for (int i = 0; i < 2; i++) {
            mr_color color = mr_color_of_class(by_instance ? ids[i] : instances[i].class_id);
            const uint8_t *pixel = out.pixels + 3 * (size_t)(10 * i + 5);
            assert_int_equal(pixel[0], (int)(color.r * 255.0));
            assert_int_equal(pixel[1], (int)(color.g * 255.0));
            assert_int_equal(pixel[2], (int)(color.b * 255.0));
        }
        mrcnn_image_free(&out);
    }
    for (int i = 0; i < 2; i++) free(instances[i].mask.counts);
    free(image.pixels);
}

static void test_options(void **state) {
    (void)state;
    mrcnn_instance instance = make_rectangle(4, 4, 0, 0, 4, 4);
    mrcnn_image image = make_image(4, 4), out = {0};
    mrcnn_result result = {4, 4, 1, &instance};
    mrcnn_error err = MRCNN_ERROR_INIT;

    mrcnn_draw_options options = only_masks();
    options.masks = 0; /* nothing at all: a copy */
    assert_int_equal(mrcnn_draw_instances(&out, &image, &result, &options, NULL), MRCNN_OK);
    assert_memory_equal(out.pixels, image.pixels, 48);
    free(out.pixels);
    out.pixels = NULL;

    const double wrong[] = {-0.1, 1.1, (double)NAN, (double)INFINITY};
    for (int i = 0; i < 4; i++) {
        options.alpha = wrong[i];
        assert_int_equal(mrcnn_draw_instances(&out, &image, &result, &options, &err),
                         MRCNN_E_ARGUMENT);
        assert_non_null(strstr(err.message, "alpha"));
    }
    /* A caller from before alpha existed: what follows its size is not read. */
    options = only_masks();
    options.size = offsetof(mrcnn_draw_options, alpha);
    options.alpha = 99.0;
    assert_int_equal(mrcnn_draw_instances(&out, &image, &result, &options, NULL), MRCNN_OK);
    assert_int_equal(out.pixels[0], blended(image.pixels[0], 1.0, 0.5));
    free(out.pixels);
    out.pixels = NULL;
    options.size = 0;
    assert_int_equal(mrcnn_draw_instances(&out, &image, &result, &options, &err), MRCNN_E_ARGUMENT);
    assert_non_null(strstr(err.message, "mrcnn_draw_options_default"));
    assert_null(out.pixels);
    free(image.pixels);
    free_instances(&instance, 1);
}

/* Of other channels than RGB the picture is drawn that they make to look at. */
static void test_other_channels(void **state) {
    (void)state;
    enum { HEIGHT = 9, WIDTH = 11, PIXELS = HEIGHT * WIDTH };
    mrcnn_instance instance = make_rectangle(HEIGHT, WIDTH, 2, 3, 7, 9);
    mrcnn_result result = {HEIGHT, WIDTH, 1, &instance};
    mrcnn_draw_options options = only_masks();
    for (int channels = 1; channels <= 16; channels++) {
        uint8_t pixels[PIXELS * 16], shown[PIXELS * 3];
        mrcnn_image image = {WIDTH, HEIGHT, channels, pixels}, out = {0}, wanted = {0};
        mrcnn_image rgb = {WIDTH, HEIGHT, 3, shown};
        for (int i = 0; i < PIXELS * channels; i++) pixels[i] = (uint8_t)(i * 37 + i / 7);
        for (int i = 0; i < PIXELS * 3; i++)
            shown[i] = pixels[i / 3 * channels + (channels < 3 ? 0 : i % 3)];
        assert_int_equal(mrcnn_draw_instances(&out, &image, &result, &options, NULL), MRCNN_OK);
        assert_int_equal(mrcnn_draw_instances(&wanted, &rgb, &result, &options, NULL), MRCNN_OK);
        assert_int_equal(out.channels, 3);
        assert_memory_equal(out.pixels, wanted.pixels, PIXELS * 3);
        free(out.pixels);
        free(wanted.pixels);
        assert_int_equal(mrcnn_color_splash(&out, &image, &result, NULL), MRCNN_OK);
        assert_int_equal(mrcnn_color_splash(&wanted, &rgb, &result, NULL), MRCNN_OK);
        assert_int_equal(out.channels, 3);
        assert_memory_equal(out.pixels, wanted.pixels, PIXELS * 3);
        free(out.pixels);
        free(wanted.pixels);
    }
    free_instances(&instance, 1);
}

static void refuse(mrcnn_image *out, const mrcnn_image *image, const mrcnn_result *result,
                   const char *words) {
    mrcnn_draw_options options = only_masks();
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_draw_instances(out, image, result, &options, &err), MRCNN_E_ARGUMENT);
    assert_non_null(strstr(err.message, words));
}

static void test_hostile_results(void **state) {
    (void)state;
    uint8_t pixels[3 * 4 * 6] = {0};
    uint32_t whole[] = {0, 24}, short_runs[] = {3, 20}, long_runs[] = {24, 1};
    mrcnn_image image = {6, 4, 3, pixels}, out = {7, 7, 7, NULL};
    mrcnn_instance instances[2] = {{.mask = {4, 6, 2, whole}}, {.mask = {4, 6, 2, whole}}};
    mrcnn_result result = {4, 6, 2, instances};

    instances[1].mask.counts = short_runs;
    refuse(&out, &image, &result, "instance 1: the mask's runs cover fewer");
    instances[1].mask.counts = long_runs;
    refuse(&out, &image, &result, "instance 1: the mask's runs cover more");
    instances[1].mask.counts = NULL;
    refuse(&out, &image, &result, "NULL");
    instances[1].mask = (mrcnn_mask){6, 4, 2, whole};
    refuse(&out, &image, &result, "instance 1: its mask is 4 x 6");
    refuse(&out, &image, &(mrcnn_result){5, 6, 0, NULL}, "6 x 5");
    refuse(&out, &image, &(mrcnn_result){4, 6, 1, NULL}, "no result");
    refuse(&out, &image, NULL, "no result");
    refuse(&out, NULL, &result, "no pixels");
    refuse(&out, &(mrcnn_image){6, 4, 3, NULL}, &result, "no pixels");
    refuse(&out, &(mrcnn_image){6, 4, 0, pixels}, &result, "0 channels");
    refuse(&out, &(mrcnn_image){6, 4, 17, pixels}, &result, "17 channels");
    refuse(&out, &(mrcnn_image){-6, 4, 3, pixels}, &result, "no size");
    refuse(&out, &(mrcnn_image){0, 0, 3, pixels}, &result, "no size");
    refuse(NULL, &image, &result, "of its own");
    refuse(&image, &image, &result, "of its own");
    assert_int_equal(out.width, 7);
}

#ifdef MRCNN_WITH_CAIRO

static void test_no_instances_is_a_copy(void **state) {
    (void)state;
    mrcnn_image image = make_image(5, 7), out = {0};
    assert_int_equal(mrcnn_draw_instances(&out, &image, &(mrcnn_result){5, 7, 0, NULL}, NULL, NULL),
                     MRCNN_OK);
    assert_memory_equal(out.pixels, image.pixels, 3 * 5 * 7);
    assert_ptr_not_equal(out.pixels, image.pixels);
    free(out.pixels);
    free(image.pixels);
}

static int differs(const mrcnn_image *a, const mrcnn_image *b, int y, int x) {
    size_t at = 3 * ((size_t)y * (size_t)a->width + (size_t)x);
    return memcmp(a->pixels + at, b->pixels + at, 3) != 0;
}

static mrcnn_image draw(const mrcnn_image *image, const mrcnn_result *result, int contours,
                        int boxes, int captions) {
    mrcnn_draw_options options = only_masks();
    mrcnn_image out = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    options.masks = 0;
    options.contours = contours;
    options.boxes = boxes;
    options.captions = captions;
    assert_int_equal(mrcnn_draw_instances(&out, image, result, &options, &err), MRCNN_OK);
    return out;
}

/* Contours and boxes lie where the mask and the box end, in the instance's colour, and leave the
 * rest of the picture as it was, to the bit. */
static void test_lines(void **state) {
    (void)state;
    mrcnn_instance instance = make_rectangle(100, 120, 20, 30, 80, 90);
    mrcnn_image image = make_image(100, 120);
    mrcnn_result result = {100, 120, 1, &instance};
    for (int box = 0; box < 2; box++) {
        mrcnn_image out = draw(&image, &result, !box, box, 0);
        int changed = 0;
        for (int y = 0; y < 100; y++)
            for (int x = 0; x < 120; x++) {
                int near = (abs(y - 20) <= 3 || abs(y - 80) <= 3 || abs(x - 30) <= 3 ||
                            abs(x - 90) <= 3) &&
                           y >= 17 && y <= 83 && x >= 27 && x <= 93;
                if (!near) assert_false(differs(&out, &image, y, x));
                changed += differs(&out, &image, y, x);
            }
        assert_true(changed > 120); /* of a circumference of 240; half of it for dashes */
        free(out.pixels);
    }
    free(image.pixels);
    free_instances(&instance, 1);
}

/* A mask of noise has more outlines than are stroked at once: none is forgotten. */
static void test_many_contours(void **state) {
    (void)state;
    enum { SIDE = 120 };
    static uint8_t bytes[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) bytes[i] = (i / SIDE + i % SIDE) % 2;
    mrcnn_instance instance = {0, 0, SIDE, SIDE, 1, 1.0F, "noise", make_mask(bytes, SIDE, SIDE)};
    mrcnn_image image = {SIDE, SIDE, 3, calloc(SIDE * SIDE, 3)};
    mrcnn_result result = {SIDE, SIDE, 1, &instance};
    mrcnn_image out = draw(&image, &result, 1, 0, 0);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) assert_true(differs(&out, &image, y, x));
    free(out.pixels);
    free(image.pixels);
    free_instances(&instance, 1);
}

static int pure_pixels(const mrcnn_image *image, mr_color color) {
    int count = 0;
    for (int i = 0; i < image->height * image->width; i++) {
        const uint8_t *p = image->pixels + 3 * i;
        count += abs(p[0] - (int)lrint(color.r * 255.0)) <= 1 &&
                 abs(p[1] - (int)lrint(color.g * 255.0)) <= 1 &&
                 abs(p[2] - (int)lrint(color.b * 255.0)) <= 1;
    }
    return count;
}

/* Four instances with one and the same box: no caption's bar is covered by another caption. Once
 * in the middle, once in each corner. */
static void test_captions_do_not_overlap(void **state) {
    (void)state;
    enum { SIDE = 400, COUNT = 4 };
    const int corners[][2] = {{150, 150}, {0, 0}, {0, 360}, {360, 0}, {360, 360}};
    mr_color colors[COUNT];
    assert_int_equal(mr_colors_of_instances(colors, COUNT, NULL), MRCNN_OK);
    mrcnn_image image = {SIDE, SIDE, 3, calloc(SIDE * SIDE, 3)};
    for (int c = 0; c < 5; c++) {
        mrcnn_instance instances[COUNT];
        int y = corners[c][0], x = corners[c][1];
        for (int i = 0; i < COUNT; i++)
            instances[i] = make_rectangle(SIDE, SIDE, y, x, y + 40, x + 40);
        mrcnn_result result = {SIDE, SIDE, COUNT, instances};
        mrcnn_image out = draw(&image, &result, 0, 0, 1);
        int bar = pure_pixels(&out, colors[0]);
        assert_true(bar >= 20);
        /* In a corner not all four find a free place: the best two always do. */
        for (int i = 1; i < (c == 0 ? COUNT : 2); i++)
            assert_int_equal(pure_pixels(&out, colors[i]), bar);
        free(out.pixels);
        free_instances(instances, COUNT);
    }
    free(image.pixels);
}

/* Sizes from one pixel up, boxes at and beyond all borders, names and scores that nobody meant. */
static void test_nothing_is_too_odd(void **state) {
    (void)state;
    char endless[5000];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = 0;
    const char *names[] = {NULL,
                           "",
                           "\xFF\xC0\x80",
                           "a\nb\tc",
                           "\xEF\xBF\xBF",
                           "W",
                           endless,
                           "\xE4\xBA\xBA\xE7\x89\xA9",
                           "\xF0\x9F\x90\x88",
                           "cut \xE2\x82"};
    const float scores[] = {0.5F, -1.0F, 2.0F, NAN, INFINITY, 1.0F};
    const int boxes[][4] = {{0, 0, 1, 1},
                            {-5, -5, 3, 3},
                            {INT_MIN, INT_MIN, INT_MAX, INT_MAX},
                            {INT_MAX, INT_MAX, INT_MIN, INT_MIN},
                            {7, 7, 7, 7},
                            {100, 100, 200, 200},
                            {0, INT_MIN, 1, INT_MAX}};
    const int sizes[][2] = {{1, 1}, {1, 300}, {300, 1}, {2, 2}, {17, 40}, {120, 160}};
    enum { COUNT = 70 };
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        int height = sizes[s][0], width = sizes[s][1];
        mrcnn_instance instances[COUNT];
        for (int i = 0; i < COUNT; i++) {
            const int *b = boxes[i % 7];
            instances[i] = make_rectangle(height, width, 0, 0, i % 2 ? height : 1, width);
            instances[i].y1 = b[0], instances[i].x1 = b[1];
            instances[i].y2 = b[2], instances[i].x2 = b[3];
            instances[i].class_id = i % 3 ? i : -i;
            instances[i].class_name = names[i % 10];
            instances[i].score = scores[i % 6];
        }
        mrcnn_image image = make_image(height, width), out = {0};
        mrcnn_result result = {height, width, COUNT, instances};
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_equal(mrcnn_draw_instances(&out, &image, &result, NULL, &err), MRCNN_OK);
        assert_int_equal(out.width, width);
        assert_int_equal(out.height, height);
        free(out.pixels);
        free(image.pixels);
        free_instances(instances, COUNT);
    }
}

static void test_too_wide_for_cairo(void **state) {
    (void)state;
    mrcnn_instance instance = make_rectangle(1, 40000, 0, 0, 1, 40000);
    mrcnn_image image = make_image(1, 40000), out = {0};
    mrcnn_result result = {1, 40000, 1, &instance};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_draw_instances(&out, &image, &result, NULL, &err), MRCNN_E_UNSUPPORTED);
    assert_non_null(strstr(err.message, "32767"));
    assert_null(out.pixels);
    mrcnn_draw_options options = only_masks();
    assert_int_equal(mrcnn_draw_instances(&out, &image, &result, &options, NULL), MRCNN_OK);
    free(out.pixels);
    free(image.pixels);
    free_instances(&instance, 1);
}

#else

static void test_without_cairo(void **state) {
    (void)state;
    mrcnn_image image = make_image(5, 7), out = {0};
    mrcnn_result none = {5, 7, 0, NULL};
    for (int i = 0; i < 3; i++) {
        mrcnn_draw_options options = only_masks();
        mrcnn_error err = MRCNN_ERROR_INIT;
        *(i == 0 ? &options.contours : i == 1 ? &options.boxes : &options.captions) = 1;
        assert_int_equal(mrcnn_draw_instances(&out, &image, &none, &options, &err),
                         MRCNN_E_UNSUPPORTED);
        assert_non_null(strstr(err.message, "MRCNN_WITH_CAIRO"));
        assert_null(out.pixels);
    }
    mrcnn_draw_options options = only_masks();
    assert_int_equal(mrcnn_draw_instances(&out, &image, &none, &options, NULL), MRCNN_OK);
    assert_memory_equal(out.pixels, image.pixels, 3 * 5 * 7);
    free(out.pixels);
    free(image.pixels);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_blending_is_that_of_numpy),
        cmocka_unit_test(test_masks_alone),
        cmocka_unit_test(test_colors_by_number),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_other_channels),
        cmocka_unit_test(test_hostile_results),
#ifdef MRCNN_WITH_CAIRO
        cmocka_unit_test(test_no_instances_is_a_copy),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_many_contours),
        cmocka_unit_test(test_captions_do_not_overlap),
        cmocka_unit_test(test_nothing_is_too_odd),
        cmocka_unit_test(test_too_wide_for_cairo),
#else
        cmocka_unit_test(test_without_cairo),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
