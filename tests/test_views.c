/* test_views.c - views of a picture: tiles cover it, what a view shows is what its window holds, and boxes
 * and masks found in it come back to the pixels that they were found on. */
#include "helper_config.h"

#include "base/prng.h"
#include "image/mask.h"
#include "model/views.h"

#include <math.h>
#include <stdlib.h>

#define CONFIG(...) config_with(NULL, (const char *const[]){__VA_ARGS__, NULL})

/* -------------------------------------------------------------------------------------- tiles */

/* From the first pixel to the last, with enough in common, and no more of them than that takes. */
static void check_tiles(const mr_settings *s, int32_t side) {
    int32_t count = mr_tile_count(s, side), length = side < s->tile_size ? side : s->tile_size;
    int32_t last[2] = {0, 0};
    int common = (int)ceil(s->tile_size * s->tile_overlap);
    assert_true(count >= 1);
    for (int32_t i = 0; i < count; i++) {
        int32_t span[2];
        mr_tile_span(s, side, i, span);
        assert_int_equal(span[1] - span[0], length);
        if (i == 0)
            assert_int_equal(span[0], 0);
        else
            assert_true(span[0] > last[0] && last[1] - span[0] >= common);
        memcpy(last, span, sizeof last);
    }
    assert_int_equal(last[1], side);
    if (count > 1) assert_true((count - 2) * (length - common) + length < side);
}

static void tiles_cover_the_picture(void **state) {
    (void)state;
    static const char *const overlaps[] = {"0", "0.25", "0.5", "0.9", "0.333"};
    for (size_t k = 0; k < sizeof overlaps / sizeof *overlaps; k++) {
        mrcnn_config *config = CONFIG("TILE_SIZE", "64", "TILE_OVERLAP", overlaps[k]);
        for (int32_t side = 1; side < 400; side++) check_tiles(mr_config_settings(config), side);
        check_tiles(mr_config_settings(config), 100003);
        mrcnn_config_free(&config);
    }
    mrcnn_config *config = CONFIG("TILE_SIZE", "16384", "TILE_OVERLAP", "0.1");
    check_tiles(mr_config_settings(config), INT32_MAX);
    mrcnn_config_free(&config);
    config = config_with(NULL, NULL); /* never */
    assert_int_equal(mr_tile_count(mr_config_settings(config), 1000000), 1);
    mrcnn_config_free(&config);
}

static void one_pixel_more_than_a_tile(void **state) {
    (void)state;
    mrcnn_config *config = CONFIG("TILE_SIZE", "100", "TILE_OVERLAP", "0");
    const mr_settings *s = mr_config_settings(config);
    int32_t span[2];
    assert_false(mr_wants_views(s, 100, 100));
    assert_true(mr_wants_views(s, 100, 101));
    assert_true(mr_wants_views(s, 101, 100));
    assert_int_equal(mr_tile_count(s, 101), 2);
    mr_tile_span(s, 101, 1, span);
    assert_int_equal(span[0], 1);
    assert_int_equal(span[1], 101);
    mrcnn_config_free(&config);
}

/* -------------------------------------------------------------------------------------- turns */

enum { HEIGHT = 37, WIDTH = 53, CHANNELS = 3 };
static const int32_t windows[][4] = {
    {0, 0, HEIGHT, WIDTH}, {5, 11, 30, 50}, {36, 0, 37, 53}, {0, 52, 37, 53}, {20, 20, 21, 21}};
enum { WINDOWS = sizeof windows / sizeof *windows };

/* Each pixel says where it is. */
static mrcnn_image numbered_picture(void) {
    mrcnn_image image = {WIDTH, HEIGHT, CHANNELS, malloc((size_t)HEIGHT * WIDTH * CHANNELS)};
    assert_non_null(image.pixels);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            const uint8_t pixel[CHANNELS] = {(uint8_t)y, (uint8_t)x, (uint8_t)(y ^ x)};
            memcpy(image.pixels + ((size_t)y * WIDTH + (size_t)x) * CHANNELS, pixel, CHANNELS);
        }
    return image;
}

static mr_view make_view(const int32_t window[4], int index, const mr_settings *s) {
    mr_view view;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_view_make(&view, window, index, s, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return view;
}

typedef void (*view_body)(const mr_view *view);

/* All symmetries of all windows. Each is another one. */
static void each_view(view_body body) {
    mrcnn_config *config = CONFIG("TEST_FLIPS", "all", "IMAGE_MIN_DIM", "0");
    const mr_settings *s = mr_config_settings(config);
    assert_int_equal(mr_view_count(s), 8);
    unsigned seen = 0;
    for (int i = 0; i < 8; i++)
        for (int w = 0; w < WINDOWS; w++) {
            mr_view view = make_view(windows[w], i, s);
            seen |= 1u << view.orientation;
            body(&view);
        }
    assert_int_equal(seen, 0x1FE);
    mrcnn_config_free(&config);
}

/* A box around one pixel of the view is restored to the pixel of the picture that it shows. */
static void check_pixels(const mr_view *view) {
    mrcnn_image image = numbered_picture(), cut;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_view_cut(&cut, view, &image, &err), MRCNN_OK);
    assert_int_equal(cut.height, view->fit.original_height);
    assert_int_equal(cut.width, view->fit.original_width);
    for (int32_t y = 0; y < cut.height; y++)
        for (int32_t x = 0; x < cut.width; x++) {
            const int32_t box[4] = {y, x, y + 1, x + 1};
            int32_t out[4];
            mr_view_restore_box(view, box, out);
            assert_int_equal(out[2] - out[0], 1);
            assert_int_equal(out[3] - out[1], 1);
            const uint8_t *pixel =
                cut.pixels + ((size_t)y * (size_t)cut.width + (size_t)x) * CHANNELS;
            assert_int_equal(pixel[0], out[0]);
            assert_int_equal(pixel[1], out[1]);
            assert_int_equal(pixel[2], out[0] ^ out[1]);
        }
    mrcnn_image_free(&cut);
    mrcnn_image_free(&image);
}

static void views_show_their_windows(void **state) {
    (void)state;
    each_view(check_pixels);
}

/* A box of many pixels is restored to the box around what its corners are restored to. */
static void check_boxes(const mr_view *view) {
    uint64_t stream = mr_prng_stream(7, "boxes");
    int32_t height = view->fit.original_height, width = view->fit.original_width;
    for (uint64_t i = 0; i < 50; i++) {
        int32_t y = (int32_t)(mr_prng_uniform(stream, 4 * i) * height);
        int32_t x = (int32_t)(mr_prng_uniform(stream, 4 * i + 1) * width);
        int32_t y2 = y + 1 + (int32_t)(mr_prng_uniform(stream, 4 * i + 2) * (height - y));
        int32_t x2 = x + 1 + (int32_t)(mr_prng_uniform(stream, 4 * i + 3) * (width - x));
        const int32_t box[4] = {y, x, y2, x2}, first[4] = {y, x, y + 1, x + 1},
                      last[4] = {y2 - 1, x2 - 1, y2, x2};
        int32_t out[4], a[4], b[4];
        mr_view_restore_box(view, box, out);
        mr_view_restore_box(view, first, a);
        mr_view_restore_box(view, last, b);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(out[k], a[k] < b[k] ? a[k] : b[k]);
            assert_int_equal(out[2 + k], a[2 + k] > b[2 + k] ? a[2 + k] : b[2 + k]);
        }
    }
}

static void boxes_come_back(void **state) {
    (void)state;
    each_view(check_boxes);
}

/* Smooth noise of the mask head's kind. */
static void make_small(float *small, int side, uint64_t seed) {
    uint64_t stream = mr_prng_stream(seed, "mask");
    for (int i = 0; i < side * side; i++) small[i] = (float)mr_prng_uniform(stream, (uint64_t)i);
}

/* The mask that is pasted into the view, pixel by pixel where the pixels come from, is the mask that is
 * pasted into the picture; between pixels, too. */
static void check_masks(const mr_view *view) {
    enum { SIDE = 14 };
    float small[SIDE * SIDE], restored[SIDE * SIDE];
    int32_t height = view->fit.original_height, width = view->fit.original_width;
    mr_spot spot = {.box = {height / 5, width / 7, height - height / 9, width - width / 3}}, out;
    mrcnn_mask in_view, in_picture;
    uint8_t seen[HEIGHT * WIDTH], there[HEIGHT * WIDTH], moved[HEIGHT * WIDTH];
    for (int k = 0; k < 4; k++) {
        spot.edges[k] = spot.box[k] + 0.37 - 0.11 * k;
        spot.samples[k] = spot.edges[k] - (k < 2 ? 0.4 : 0.6);
    }
    make_small(small, SIDE, (uint64_t)view->orientation);
    mr_view_restore_spot(view, &spot, &out);
    mr_view_restore_mask(view, small, SIDE, restored);
    for (mr_mask_resize mode = MR_MASK_MATTERPORT; mode <= MR_MASK_SUBPIXEL; mode++) {
        assert_int_equal(mr_unmold_mask(&in_view, small, SIDE, SIDE, spot.box, spot.samples, height,
                                        width, mode, NULL),
                         MRCNN_OK);
        assert_int_equal(mr_unmold_mask(&in_picture, restored, SIDE, SIDE, out.box, out.samples,
                                        HEIGHT, WIDTH, mode, NULL),
                         MRCNN_OK);
        mrcnn_mask_to_bytes(&in_view, seen);
        mrcnn_mask_to_bytes(&in_picture, there);
        memset(moved, 0, sizeof moved);
        for (int32_t y = 0; y < height; y++)
            for (int32_t x = 0; x < width; x++) {
                const int32_t pixel[4] = {y, x, y + 1, x + 1};
                int32_t at[4];
                mr_view_restore_box(view, pixel, at);
                moved[at[0] * WIDTH + at[1]] = seen[y * width + x];
            }
        assert_memory_equal(moved, there, sizeof moved);
        mrcnn_mask_free(&in_view);
        mrcnn_mask_free(&in_picture);
    }
    const int32_t whole[4] = {0, 0, height, width}; /* a box is its edges; samples are centres */
    for (int k = 0; k < 4; k++) {
        spot.box[k] = whole[k];
        spot.edges[k] = whole[k];
        spot.samples[k] = k < 2 ? 0 : whole[k] - 1;
    }
    mr_view_restore_spot(view, &spot, &out);
    assert_memory_equal(out.box, view->window, sizeof out.box);
    for (int k = 0; k < 4; k++) {
        assert_true(out.edges[k] == view->window[k]);
        assert_true(out.samples[k] == view->window[k] - (k < 2 ? 0 : 1));
    }
}

static void masks_come_back(void **state) {
    (void)state;
    each_view(check_masks);
}

static void flips_are_what_they_are_called(void **state) {
    (void)state;
    static const struct {
        const char *flips;
        int count, orientations[8];
    } cases[] = {{"none", 1, {1}},
                 {"horizontal", 2, {1, 2}},
                 {"vertical", 2, {1, 4}},
                 {"both", 4, {1, 2, 3, 4}},
                 {"all", 8, {1, 2, 3, 4, 5, 6, 7, 8}}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        mrcnn_config *config = CONFIG("TEST_FLIPS", cases[c].flips, "TEST_SCALES", "[1, 1.5]");
        const mr_settings *s = mr_config_settings(config);
        assert_int_equal(mr_view_count(s), 2 * cases[c].count);
        for (int i = 0; i < 2 * cases[c].count; i++) {
            mr_view view = make_view(windows[0], i, s);
            assert_int_equal(view.orientation, cases[c].orientations[i % cases[c].count]);
        }
        mrcnn_config_free(&config);
    }
}

/* ------------------------------------------------------------------------------------- scales */

static void check_scale(const char *mode, double factor, int height, int width) {
    char text[32];
    snprintf(text, sizeof text, "[%g]", factor);
    mrcnn_config *config = CONFIG("IMAGE_RESIZE_MODE", mode, "TEST_SCALES", text, "IMAGE_MIN_DIM",
                                  "128", "IMAGE_MAX_DIM", "256");
    const mr_settings *s = mr_config_settings(config);
    mr_fit usual;
    assert_int_equal(mr_fit_image(&usual, height, width, s, NULL), MRCNN_OK);
    mr_view view = make_view((int32_t[]){0, 0, height, width}, 0, s);
    const mr_fit *fit = &view.fit;
    if (factor == 1) assert_memory_equal(fit, &usual, sizeof usual);
    assert_float_equal(fit->scale, usual.scale * factor, 1e-12);
    assert_int_equal(fit->scaled_height, (int)rint(height * fit->scale));
    assert_int_equal(fit->scaled_width, (int)rint(width * fit->scale));
    assert_int_equal(fit->height % 64 + fit->width % 64, 0);
    assert_true(fit->height >= fit->scaled_height && fit->width >= fit->scaled_width);
    assert_true(fit->height < 64 + (int)ceil(fmax(usual.height * factor, fit->scaled_height)));
    mrcnn_config_free(&config);
}

static void scales_are_of_the_network(void **state) {
    (void)state;
    static const double factors[] = {1, 0.5, 0.75, 1.3, 2};
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
        check_scale("square", factors[i], 100, 61);
        check_scale("square", factors[i], 700, 501);
        check_scale("pad64", factors[i], 100, 61);
        check_scale("none", factors[i], 128, 192);
    }
}

static void refused_in_crop_mode(void **state) {
    (void)state;
    mrcnn_config *config = CONFIG("IMAGE_RESIZE_MODE", "crop", "TEST_FLIPS", "both");
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_view view;
    assert_int_equal(mr_view_make(&view, windows[0], 0, mr_config_settings(config), &err),
                     MRCNN_E_CONFIG);
    assert_contains(err.message, "IMAGE_RESIZE_MODE crop");
    mrcnn_config_free(&config);
}

/* --------------------------------------------------------------------------------------- keys */

static void hostile_values(void **state) {
    (void)state;
    static const char *const bad[][2] = {
        {"TEST_FLIPS", "diagonal"}, {"TEST_FLIPS", "1"},
        {"TEST_SCALES", "[]"},      {"TEST_SCALES", "[0]"},
        {"TEST_SCALES", "[nan]"},   {"TEST_SCALES", "[1, -1]"},
        {"TEST_SCALES", "[1e9]"},   {"TILE_SIZE", "-1"},
        {"TILE_SIZE", "100000000"}, {"TILE_SIZE", "512.5"},
        {"TILE_OVERLAP", "1"},      {"TILE_OVERLAP", "-0.1"},
        {"TILE_OVERLAP", "inf"},    {"TEST_SCALES", "[1, 1, 1, 1, 1, 1, 1, 1, 1]"}};
    mrcnn_config *config = config_with(NULL, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_equal(mrcnn_config_set(config, bad[i][0], bad[i][1], &err), MRCNN_E_CONFIG);
        assert_contains(err.message, bad[i][0]);
    }
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_config_set(config, "TILE_SIZE", "63", &err), MRCNN_OK);
    assert_int_equal(mr_config_validate(config, &err), MRCNN_E_CONFIG);
    assert_contains(err.message, "TILE_SIZE");
    mrcnn_config_free(&config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_cover_the_picture),
        cmocka_unit_test(one_pixel_more_than_a_tile),
        cmocka_unit_test(views_show_their_windows),
        cmocka_unit_test(boxes_come_back),
        cmocka_unit_test(masks_come_back),
        cmocka_unit_test(flips_are_what_they_are_called),
        cmocka_unit_test(scales_are_of_the_network),
        cmocka_unit_test(refused_in_crop_mode),
        cmocka_unit_test(hostile_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
