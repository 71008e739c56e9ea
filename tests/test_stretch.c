/* test_stretch.c - IMAGE_STRETCH: the table against a sorted list of values, and detection with it
 * against detection of a picture that was stretched before. */
#include "helper_assert.h"

#include "base/prng.h"
#include "config/config.h"
#include "image/stretch.h"

#include <math.h>
#include <stdlib.h>

static int compare_bytes(const void *a, const void *b) {
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

static mr_floats percentiles(double low, double high) {
    return (mr_floats){.count = 2, .values = {low, high}};
}

/* Nearest rank: the smallest value with at least that share of all values at or below it. */
static int rank_of(const uint8_t *sorted, size_t count, double percent) {
    double rank = ceil(percent / 100 * (double)count - 1e-9);
    return sorted[rank < 1 ? 0 : (size_t)rank - 1];
}

static void check_table(size_t t, const int size[3], const double percent[2]) {
    size_t count = (size_t)size[0] * (size_t)size[1] * (size_t)size[2];
    uint8_t *pixels = malloc(count), *sorted = malloc(count), table[256];
    assert_true(pixels && sorted);
    uint64_t base = t % 7 * 30, range = 1 + t * 5 % 70;
    for (size_t i = 0; i < count; i++) pixels[i] = (uint8_t)(base + mr_prng_value(t, i) % range);
    memcpy(sorted, pixels, count);
    qsort(sorted, count, 1, compare_bytes);
    int low = rank_of(sorted, count, percent[0]), high = rank_of(sorted, count, percent[1]);
    double span = high - low < 8 ? 8 : high - low;
    mrcnn_image image = {size[1], size[0], size[2], pixels};
    mr_floats wanted = percentiles(percent[0], percent[1]);
    mr_stretch_table(&image, &wanted, table);
    for (int v = 0; v < 256; v++) {
        double level = (v - low) * 255 / span;
        level = level < 0 ? 0 : level > 255 ? 255 : level;
        assert_true(fabs(table[v] - level) <= 0.5 + 1e-9);
    }
    uint8_t first = table[pixels[0]], last = table[pixels[count - 1]];
    mr_stretch(&image, &wanted);
    assert_int_equal(pixels[0], first);
    assert_int_equal(pixels[count - 1], last);
    free(pixels);
    free(sorted);
}

static void table_by_sorting(void **state) {
    (void)state;
    static const int sizes[][3] = {{1, 1, 3}, {7, 5, 1}, {31, 18, 3}, {64, 64, 4}};
    static const double percents[][2] = {{0, 100}, {0.5, 99.5}, {1, 50}, {25, 75}};
    for (size_t t = 0; t < 64; t++) check_table(t, sizes[t % 4], percents[t / 4 % 4]);
}

static void one_value_is_dark(void **state) {
    (void)state;
    uint8_t pixels[12];
    memset(pixels, 200, sizeof pixels);
    mrcnn_image image = {2, 2, 3, pixels};
    mr_floats none = {.count = 0}, all = percentiles(0, 100);
    mr_stretch(&image, &none);
    assert_int_equal(pixels[11], 200);
    mr_stretch(&image, &all);
    assert_int_equal(pixels[11], 0);
}

/* ------------------------------------------------------------------------------------ detection */

enum { HEIGHT = 48, WIDTH = 61, BYTES = HEIGHT * WIDTH * 3 };

static mrcnn_result *detect(const char *stretch, const mrcnn_image *image) {
    const char *const keys[][2] = {{"NUM_CLASSES", "3"},
                                   {"IMAGE_MIN_DIM", "64"},
                                   {"IMAGE_MAX_DIM", "64"},
                                   {"DETECTION_MIN_CONFIDENCE", "0"},
                                   {"IMAGE_STRETCH", stretch}};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    mrcnn_session *session = NULL;
    mrcnn_result *result = NULL;
    assert_int_equal(mrcnn_config_create(&config, "small", &err), MRCNN_OK);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(mrcnn_config_set(config, keys[i][0], keys[i][1], &err), MRCNN_OK);
    if (mrcnn_model_create(&model, config, 1, &err) ||
        mrcnn_session_create(&session, model, NULL, &err) ||
        mrcnn_detect(session, image, 1, &result, &err))
        fail_msg("%s", err.message);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    return result;
}

static int equal(const mrcnn_result *a, const mrcnn_result *b) {
    int same = a->count == b->count;
    for (size_t i = 0; i < a->count && same; i++)
        same = a->instances[i].score == b->instances[i].score &&
               a->instances[i].y1 == b->instances[i].y1 && a->instances[i].x2 == b->instances[i].x2;
    return same;
}

static void detection_stretches(void **state) {
    (void)state;
    static uint8_t pixels[BYTES], kept[BYTES];
    for (size_t i = 0; i < BYTES; i++) kept[i] = (uint8_t)(20 + mr_prng_value(3, i) % 31);
    memcpy(pixels, kept, BYTES);
    mrcnn_image image = {WIDTH, HEIGHT, 3, pixels};
    mrcnn_result *have = detect("[5, 95]", &image), *other = detect("[]", &image);
    assert_memory_equal(pixels, kept, BYTES); /* the caller's picture is only looked at */
    mr_floats range = percentiles(5, 95);
    mr_stretch(&image, &range);
    mrcnn_result *want = detect("[]", &image);
    assert_true(want->count > 0);
    assert_true(equal(have, want));
    assert_false(equal(other, want));
    mrcnn_result_free(&have);
    mrcnn_result_free(&other);
    mrcnn_result_free(&want);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_by_sorting),
        cmocka_unit_test(one_value_is_dark),
        cmocka_unit_test(detection_stretches),
    };
    return cmocka_run_group_tests_name("stretch", tests, NULL, NULL);
}
