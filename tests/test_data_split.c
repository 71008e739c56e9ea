/* test_data_split.c - dividing data sets: shares of each class, rare classes, the same parts for the
 * same seed, and shares that make no sense. */
#include "helper_assert.h"
#include "helper_cli.h"

#include "base/prng.h"

#include <mrcnn/mrcnn.h>

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { PICTURES = 200, COMMON = 0, RARE, TWICE, ALONE, CLASSES, MOST = 8 };
static const char *const class_names[] = {"common", "rare", "twice", "alone"};

/* Picture i has 1 to 7 common objects; every tenth one has 1 to 3 rare ones too; two pictures have the
 * class "twice", one the class "alone"; every 20th one is empty. */
static size_t objects_of(size_t picture, size_t class_id) {
    if (picture % 20 == 7) return 0;
    if (class_id == COMMON) return 1 + (size_t)(mr_prng_uniform(1, picture) * 7);
    if (class_id == RARE) return picture % 10 == 3 ? 1 + picture % 3 : 0;
    if (class_id == TWICE) return picture == 40 || picture == 150;
    return picture == 99;
}

static int enter(void **state) {
    cli_enter(state);
    mkdir("set", 0777);
    FILE *file = fopen("set/via_region_data.json", "w");
    assert_non_null(file);
    fputc('{', file);
    for (size_t i = 0; i < PICTURES; i++) {
        char path[64];
        const char *comma = "";
        snprintf(path, sizeof path, "set/%03zu.png", i);
        cli_picture(path, 16, 16);
        fprintf(file, "%s\"%zu\":{\"filename\":\"%03zu.png\",\"regions\":[", i ? "," : "", i, i);
        for (size_t c = 0; c < CLASSES; c++)
            for (size_t k = 0; k < objects_of(i, c); k++, comma = ",")
                fprintf(file,
                        "%s{\"shape_attributes\":{\"name\":\"rect\",\"x\":%zu,\"y\":2,\"width\":5,"
                        "\"height\":5},\"region_attributes\":{\"class\":\"%s\"}}",
                        comma, k, class_names[c]);
        fprintf(file, "]}");
    }
    fputc('}', file);
    fclose(file);
    return 0;
}

static mrcnn_dataset *open_set(int keep_empty) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.keep_empty = keep_empty;
    if (mrcnn_dataset_open(&set, "set", &options, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return set;
}

static void split(const mrcnn_dataset *set, const double *shares, size_t count, uint64_t seed,
                  uint8_t *parts) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    memset(parts, 77, PICTURES);
    if (mrcnn_dataset_split(set, shares, count, seed, parts, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < mrcnn_dataset_count(set); i++) assert_true(parts[i] < count);
}

typedef struct tally {
    size_t pictures, objects[CLASSES];
} tally;

static tally count_part(const uint8_t *parts, uint8_t part) {
    tally t = {0};
    for (size_t i = 0; i < PICTURES; i++) {
        if (parts[i] != part) continue;
        t.pictures++;
        for (size_t c = 0; c < CLASSES; c++) t.objects[c] += objects_of(i, c);
    }
    return t;
}

static void test_shares(void **state) {
    (void)state;
    static const double shares[] = {0.7, 0.2, 0.1};
    uint8_t parts[PICTURES];
    mrcnn_dataset *set = open_set(1);
    assert_int_equal(mrcnn_dataset_count(set), PICTURES);
    tally all = {0};
    memset(parts, 0, sizeof parts);
    all = count_part(parts, 0);
    for (uint64_t seed = 0; seed < 20; seed++) {
        split(set, shares, 3, seed, parts);
        for (uint8_t p = 0; p < 3; p++) {
            tally t = count_part(parts, p);
            /* Within a picture's worth of objects. */
            assert_true(fabs((double)t.objects[COMMON] - shares[p] * (double)all.objects[COMMON]) <=
                        7);
            assert_true(fabs((double)t.objects[RARE] - shares[p] * (double)all.objects[RARE]) <= 3);
            assert_true(fabs((double)t.pictures - shares[p] * PICTURES) <= 14);
        }
        /* One object goes where most of it belongs; of two, not both elsewhere. */
        assert_int_equal(count_part(parts, 0).objects[ALONE], 1);
        assert_true(count_part(parts, 0).objects[TWICE] >= 1);
    }
    mrcnn_dataset_free(&set);
}

static void test_seeds(void **state) {
    (void)state;
    static const double shares[] = {0.8, 0.2};
    uint8_t first[PICTURES], again[PICTURES], other[PICTURES];
    mrcnn_dataset *set = open_set(1);
    split(set, shares, 2, 5, first);
    split(set, shares, 2, 5, again);
    split(set, shares, 2, 6, other);
    assert_memory_equal(first, again, PICTURES);
    assert_memory_not_equal(first, other, PICTURES);
    mrcnn_dataset_free(&set);
}

static void test_every_part_gets_a_picture(void **state) {
    (void)state;
    static const double tiny[] = {0.9999, 0.0001, 0}, all[] = {1}, last[] = {0, 0, 1};
    uint8_t parts[PICTURES];
    mrcnn_dataset *set = open_set(1);
    split(set, tiny, 3, 1, parts);
    assert_int_equal(count_part(parts, 1).pictures, 1);
    assert_int_equal(count_part(parts, 2).pictures, 0);
    split(set, all, 1, 1, parts);
    split(set, last, 3, 1, parts);
    assert_int_equal(count_part(parts, 2).pictures, PICTURES);
    mrcnn_dataset_free(&set);
}

static void test_bad_shares(void **state) {
    (void)state;
    static const double bad[][2] = {{0.5, 0.4}, {1.5, -0.5}, {0.9, 0.2}, {NAN, 1}, {INFINITY, 0}};
    uint8_t parts[PICTURES];
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = open_set(0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(mrcnn_dataset_split(set, bad[i], 2, 1, parts, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_split(set, bad[0], 0, 1, parts, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_split(set, bad[0], 1000, 1, parts, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_split(NULL, bad[0], 2, 1, parts, &err), MRCNN_E_ARGUMENT);
    mrcnn_dataset_free(&set);
}

/* A picture that can't be read has no objects, and a place all the same. */
static void test_broken_picture(void **state) {
    (void)state;
    static const double shares[] = {0.5, 0.5};
    uint8_t parts[PICTURES];
    mrcnn_objects objects = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = open_set(1);
    cli_write("set/000.png", "broken");
    split(set, shares, 2, 1, parts);
    assert_int_equal(mrcnn_dataset_objects(set, 0, &objects, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "000.png");
    assert_int_equal(mrcnn_dataset_objects(set, PICTURES, &objects, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_dataset_objects(set, 3, &objects, &err), MRCNN_OK);
    assert_int_equal(objects.count, objects_of(3, COMMON) + objects_of(3, RARE));
    assert_int_equal(objects.height, 16);
    assert_true(objects.items[0].x1 == 0 && objects.items[0].y1 == 2 && objects.items[0].y2 == 7);
    mrcnn_objects_free(&objects);
    mrcnn_dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),         cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_bad_shares),     cmocka_unit_test(test_every_part_gets_a_picture),
        cmocka_unit_test(test_broken_picture),
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
