/* test_goldens.c - whole networks against golden values of the reference: two small files that are
 * part of the tests, and larger ones where they can be found. */
#include "helper_golden_network.h"
#include "helper_golden_train.h"
#include "helper_golden_json.h"
#include "helper_oracle.h"

#include "base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int (*judge)(const char *path, const char *weights, const char *executor,
                     golden_table *table);

typedef struct subject {
    const char *path, *executor;
    judge judge;
} subject;

static void compare(void **state) {
    const subject *s = *state;
    golden_table table = {.out = stderr};
    FILE *file = fopen(s->path, "rb");
    if (!file) {
        printf("skipped: %s is not here\n", s->path);
        skip();
    }
    fclose(file);
    assert_true(s->judge(s->path, NULL, s->executor, &table));
    assert_true(table.checks > 60);
    assert_int_equal(table.failures, 0);
}

/* A judge that never says no judges nothing: other weights must fail, in the first maps already. */
static void other_weights_fail(void **state) {
    (void)state;
    char path[] = "/tmp/mrcnn-golden-XXXXXX";
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    golden_table table = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(oracle_tiny_config(&config, 4, NULL, NULL), MRCNN_OK);
    assert_int_equal(oracle_model(&model, config, 9, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_model_save(model, path, NULL), MRCNN_OK);
    assert_true(golden_network(TEST_DATA "/goldens/tiny64.h5", path, "cpu", &table));
    assert_true(table.failures > 20);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    remove(path);
}

/* The right weights from a file are as good as those made here. */
static void weights_from_a_file(void **state) {
    (void)state;
    char path[] = "/tmp/mrcnn-golden-XXXXXX";
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    golden_table table = {.out = stderr};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(oracle_tiny_config(&config, 4, NULL, NULL), MRCNN_OK);
    assert_int_equal(oracle_model(&model, config, 8, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_model_save(model, path, NULL), MRCNN_OK);
    assert_true(golden_network(TEST_DATA "/goldens/tiny64.h5", path, "cpu", &table));
    assert_int_equal(table.failures, 0);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    remove(path);
}

static void other_weights_fail_in_training(void **state) {
    (void)state;
    char path[] = "/tmp/mrcnn-golden-XXXXXX";
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    golden_table table = {0};
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(oracle_tiny_config(&config, 4, NULL, NULL), MRCNN_OK);
    assert_int_equal(oracle_model(&model, config, 99, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_model_save(model, path, NULL), MRCNN_OK);
    assert_true(golden_train(TEST_DATA "/goldens/tiny64_train.h5", path, "cpu", &table));
    assert_true(table.failures > 50);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    remove(path);
}

/* Values that the oracle's notes list. */
static void oracle_values(void **state) {
    (void)state;
    mrcnn_model *model = NULL;
    mrcnn_config *config = NULL;
    assert_true(mr_prng_value(0, 0) == 0xe220a8397b1dcdafu);
    assert_true(mr_prng_value(0, 1) == 0x6e789e6aa1b965f4u);
    assert_true(mr_prng_value(0, 2) == 0x06c45d188009454fu);
    assert_true(mr_prng_stream(1, "conv1/kernel") == 0xde37679fc081b0dbu);
    assert_int_equal(oracle_tiny_config(&config, 5, NULL, NULL), MRCNN_OK);
    assert_int_equal(oracle_model(&model, config, 1, NULL), MRCNN_OK);
    const float *kernel = mr_tensors_find(model->weights, "conv1", "kernel")->values;
    assert_true(kernel[0] == -0x1.fdc714p-5f);
    assert_true(kernel[1] == -0x1.704e5p-4f);
    assert_true(kernel[2] == -0x1.43a68p-4f);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
}

static void json_scanner(void **state) {
    (void)state;
    const char *text = "{\"a\": [1, {\"b\": \"x,]\\\"\"}, 2.5], \"c\" : null, \"d\":{\"e\":-3}}";
    char value[16];
    assert_true(json_number(json_item(json_get(text, "a"), 2), 0) == 2.5);
    assert_null(json_item(json_get(text, "a"), 3));
    json_text(json_get(json_item(json_get(text, "a"), 1), "b"), value, sizeof value);
    assert_string_equal(value, "x,]\\\"");
    assert_true(json_number(json_get(text, "c"), 7) == 7);
    assert_true(json_number(json_get(json_get(text, "d"), "e"), 0) == -3);
    assert_null(json_get(text, "e"));
    assert_null(json_get("", "a"));
    assert_null(json_get("{\"a\"", "a"));
}

int main(void) {
    static subject subjects[] = {
        {TEST_DATA "/goldens/tiny64.h5", "cpu", golden_network},
        {TEST_DATA "/goldens/tiny64.h5", "reference", golden_network},
        {TEST_DATA "/goldens/tiny101_pad64.h5", "cpu", golden_network},
        {TEST_DATA "/goldens/tiny101_pad64.h5", "reference", golden_network},
        {SHARED_DIR "/goldens/tiny128.h5", "cpu", golden_network},
        {SHARED_DIR "/goldens/tiny128.h5", "reference", golden_network},
        {SHARED_DIR "/goldens/tiny101_512.h5", "cpu", golden_network},
        {SHARED_DIR "/goldens/tiny101_512.h5", "reference", golden_network},
        {SHARED_DIR "/goldens/r101_128.h5", "cpu",
         golden_network}, /* full width: too slow for plain loops */
        {TEST_DATA "/goldens/tiny64_train.h5", "cpu", golden_train},
        {TEST_DATA "/goldens/tiny64_train.h5", "reference", golden_train},
        {SHARED_DIR "/goldens/tiny128.h5", "cpu", golden_train},
        {SHARED_DIR "/goldens/tiny128.h5", "reference", golden_train},
    };
    enum { COMPARISONS = sizeof subjects / sizeof *subjects };
    struct CMUnitTest tests[COMPARISONS + 5] = {
        cmocka_unit_test(oracle_values), cmocka_unit_test(json_scanner),
        cmocka_unit_test(other_weights_fail), cmocka_unit_test(weights_from_a_file),
        cmocka_unit_test(other_weights_fail_in_training)};
    char names[COMPARISONS][128];
    for (int i = 0; i < COMPARISONS; i++) {
        struct CMUnitTest test = {names[i], compare, NULL, NULL, &subjects[i]};
        const char *slash = strrchr(subjects[i].path, '/');
        snprintf(names[i], sizeof names[i], "%s%s, %s executor",
                 subjects[i].judge == golden_train ? "training, " : "", slash + 1,
                 subjects[i].executor);
        tests[5 + i] = test;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
