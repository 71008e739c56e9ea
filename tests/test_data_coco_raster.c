/* test_data_coco_raster.c - COCO's polygons and run lengths against pycocotools: odd polygons of our
 * own, the oracle's cases, and every annotation of coco-mini. */
#include "helper_assert.h"
#include "helper_unit.h"

#include "base/crc32c.h"
#include "data/coco_raster.h"
#include "data/dataset.h"
#include "data/picture_size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *string_of(const mrcnn_mask *mask) {
    size_t length = mrcnn_mask_to_string(mask, NULL, 0);
    char *string = malloc(length + 1);
    assert_non_null(string);
    mrcnn_mask_to_string(mask, string, length + 1);
    return string;
}

static mrcnn_mask fill(const double *xy, const size_t *points, size_t count, int height,
                       int width) {
    mrcnn_mask mask = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_coco_fill(&mask, xy, points, count, height, width, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    return mask;
}

/* ------------------------------------------------------------------------------ odd polygons */

enum { MOST_POLYGONS = 4, MOST_NUMBERS = 64, LINE = 4000 };

/* One line of polygons.txt; 0 at the end. */
static int run_line(FILE *file, int *line) {
    static char expected[LINE];
    size_t points[MOST_POLYGONS], total = 0;
    double xy[MOST_NUMBERS];
    int height, width, count;
    if (fscanf(file, "%d %d %d", &height, &width, &count) != 3) return 0;
    assert_true(count <= MOST_POLYGONS);
    for (int i = 0; i < count; total += points[i++])
        assert_int_equal(fscanf(file, "%zu", &points[i]), 1);
    assert_true(2 * total <= MOST_NUMBERS);
    for (size_t i = 0; i < 2 * total; i++) assert_int_equal(fscanf(file, "%lf", &xy[i]), 1);
    assert_int_equal(fscanf(file, "%3999s", expected), 1);
    mrcnn_mask mask = fill(xy, points, (size_t)count, height, width);
    char *string = string_of(&mask);
    if (strcmp(string, expected) != 0)
        fail_msg("polygons.txt, case %d: %s instead of %s", *line, string, expected);
    free(string);
    mrcnn_mask_free(&mask);
    ++*line;
    return 1;
}

static void test_odd_polygons(void **state) {
    (void)state;
    int line = 0;
    FILE *file = fopen(TEST_DATA "/coco/polygons.txt", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "#%*[^\n]"), 0);
    while (run_line(file, &line)) {
    }
    assert_int_equal(line, 194);
    fclose(file);
}

/* Whatever the numbers are, there is a mask. */
static void test_absurd_coordinates(void **state) {
    (void)state;
    static const double values[] = {0, -1, 1e308, -1e308, 5e8, -5e8, 1e-300, 3.5, 7};
    enum { VALUES = sizeof values / sizeof *values };
    const size_t points[] = {4};
    for (size_t i = 0; i < VALUES * VALUES * VALUES; i++) {
        double a = values[i % VALUES], b = values[i / VALUES % VALUES];
        double c = values[i / VALUES / VALUES];
        const double xy[] = {a, b, c, a, b, c, 2, 5};
        mrcnn_mask mask = fill(xy, points, 1, 11, 13);
        uint64_t sum = 0;
        for (size_t k = 0; k < mask.count; k++) sum += mask.counts[k];
        assert_int_equal(sum, 11 * 13);
        mrcnn_mask_free(&mask);
    }
}

static void test_nothing_to_fill(void **state) {
    (void)state;
    const double xy[] = {1, 1, 5, 5};
    const size_t points[] = {2};
    mrcnn_mask mask = fill(xy, points, 1, 8, 8);
    assert_int_equal(mrcnn_mask_area(&mask), 0);
    mrcnn_mask_free(&mask);
    mask = fill(NULL, NULL, 0, 8, 8);
    assert_int_equal(mrcnn_mask_area(&mask), 0);
    assert_int_equal(mask.count, 1);
    mrcnn_mask_free(&mask);
    assert_int_equal(mr_coco_fill(&mask, xy, points, 1, 1 << 17, 1 << 17, NULL), MRCNN_E_ARGUMENT);
}

/* ------------------------------------------------------------------------------------ goldens */

static void run_golden(const unit_case *u) {
    npy_array xy = unit_array(u, "xy"), expected = unit_array(u, "mask");
    int height = (int)unit_number(u, "h"), width = (int)unit_number(u, "w");
    size_t numbers = xy.count, points = numbers / 2;
    double *copy = calloc(numbers, sizeof *copy);
    uint8_t *bytes = malloc((size_t)height * (size_t)width);
    assert_true(copy && bytes);
    for (size_t i = 0; i < numbers; i++) copy[i] = xy.data[i];
    mrcnn_mask mask = fill(copy, &points, 1, height, width);
    mrcnn_mask_to_bytes(&mask, bytes);
    for (size_t i = 0; i < (size_t)height * (size_t)width; i++)
        if (bytes[i] != (expected.data[i] != 0)) fail_msg("%s: pixel %zu", u->name, i);
    mrcnn_mask_free(&mask);
    free(copy);
    free(bytes);
    npy_free(&xy);
    npy_free(&expected);
}

static void test_goldens(void **state) {
    (void)state;
    int count = unit_each(SHARED_DIR "/goldens/unit/index.json", "coco_polygon", run_golden);
    if (count < 0) {
        print_message("skipped: no goldens here\n");
        return;
    }
    assert_int_equal(count, 6);
}

/* ---------------------------------------------------------------------------------- coco-mini */

enum { MINI_OBJECTS = 1899, MINI_CROWDS = 18 };

static uint32_t *read_sums(void) {
    uint32_t *sums = calloc(MINI_OBJECTS, sizeof *sums);
    FILE *file = fopen(TEST_DATA "/coco/coco_mini.txt", "r");
    assert_true(sums && file);
    assert_int_equal(fscanf(file, "#%*[^\n]"), 0);
    for (size_t i = 0; i < MINI_OBJECTS; i++) assert_int_equal(fscanf(file, "%8x", &sums[i]), 1);
    fclose(file);
    return sums;
}

static void compare(const mrcnn_dataset *set, size_t index, size_t object, int height, int width,
                    const uint32_t *sums, int *crowds) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_mask mask;
    int32_t class_id;
    mr_about_object about;
    mr_dataset_about(set, index, object, &about);
    if (mrcnn_dataset_mask(set, index, object, height, width, &mask, &class_id, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    char *string = string_of(&mask);
    assert_true(about.region < MINI_OBJECTS);
    if (mr_crc32c(string, strlen(string)) != sums[about.region])
        fail_msg("annotation %u has another mask", about.region);
    assert_int_equal(class_id < 0, about.is_crowd);
    assert_int_equal(abs(class_id), about.class_id);
    *crowds += about.is_crowd;
    free(string);
    mrcnn_mask_free(&mask);
}

static void test_coco_mini(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    size_t objects = 0;
    int crowds = 0;
    FILE *there = fopen(SHARED_DIR "/data/coco-mini/SOURCE.md", "r");
    if (!there) {
        print_message("skipped: no coco-mini here\n");
        return;
    }
    fclose(there);
    if (mrcnn_dataset_open(&set, SHARED_DIR "/data/coco-mini", NULL, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    uint32_t *sums = read_sums();
    for (size_t i = 0; i < mrcnn_dataset_count(set); i++) {
        const mrcnn_picture *picture = mrcnn_dataset_picture(set, i);
        int32_t height, width;
        assert_int_equal(mr_picture_size(picture->path, &height, &width, &err), MRCNN_OK);
        objects += picture->object_count;
        for (size_t k = 0; k < picture->object_count; k++)
            compare(set, i, k, height, width, sums, &crowds);
    }
    assert_int_equal(objects, MINI_OBJECTS);
    assert_int_equal(crowds, MINI_CROWDS);
    assert_int_equal(mrcnn_dataset_class_count(set), 81);
    assert_string_equal(mrcnn_dataset_class_name(set, 1), "person");
    assert_string_equal(mrcnn_dataset_class_name(set, 80), "toothbrush");
    assert_string_equal(set->class_ids[80], "90");
    free(sums);
    mrcnn_dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_odd_polygons),    cmocka_unit_test(test_absurd_coordinates),
        cmocka_unit_test(test_nothing_to_fill), cmocka_unit_test(test_goldens),
        cmocka_unit_test(test_coco_mini),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
