/* test_half.c - half precision: all 65,536 halves there and back, rounding between neighbours, and weight
 * files of halves.
 */
#include "base/half.h"
#include "base/prng.h"
#include "helper_assert.h"
#include "helper_weights.h"
#include "weights/weights.h"

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

/* ------------------------------------------------------------------------------------- numbers */

/* By the definition of IEEE 754. */
static double value_of(unsigned half) {
    int exponent = (int)(half >> 10 & 31);
    double fraction = half & 1023;
    double size = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return half & 0x8000 ? -size : size;
}

static void test_there_and_back(void **state) {
    (void)state;
    for (unsigned half = 0; half < 0x10000; half++) {
        float value = mr_half_to_float((uint16_t)half);
        if ((half & 0x7fff) > 0x7c00) {
            assert_true(isnan(value));
        } else if ((half & 0x7fff) == 0x7c00) {
            assert_true(isinf(value) && (value < 0) == (half > 0x8000));
        } else if ((double)value != value_of(half) || mr_half_from_float(value) != half) {
            fail_msg("0x%04x is %g, which is 0x%04x", half, (double)value,
                     mr_half_from_float(value));
        }
    }
}

/* In the middle between neighbours the even one is taken; a little more or less decides. */
static void test_rounding(void **state) {
    (void)state;
    for (unsigned half = 0; half < 0x7bff; half++) {
        float middle = (float)((value_of(half) + value_of(half + 1)) / 2); /* exact */
        unsigned even = half + (half & 1);
        unsigned below = mr_half_from_float(nextafterf(middle, 0));
        unsigned above = mr_half_from_float(nextafterf(middle, 1e9f));
        unsigned at = mr_half_from_float(middle), minus = mr_half_from_float(-middle);
        if (at != even || below != half || above != half + 1 || minus != (0x8000 | even))
            fail_msg("around 0x%04x: 0x%04x, 0x%04x, 0x%04x", half, below, at, above);
    }
    assert_int_equal(mr_half_from_float(-0.0f), 0x8000);
    assert_int_equal(mr_half_from_float(1e-30f), 0);
    /* Here HDF5's own conversion forgets the carry. */
    assert_int_equal(mr_half_from_float(-0.0624903f), 0xac00);
}

/* --------------------------------------------------------------------------------------- files */

static const mr_weights_storage halves = {.precision = MR_WEIGHTS_F16};
static const mr_weights_storage floats = {.precision = MR_WEIGHTS_F32};

static mr_tensor *add(mr_tensors *set, const char *layer, const char *param, int rank,
                      const int64_t *shape, double scale) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensor *t = NULL;
    uint64_t stream = mr_prng_stream(1, layer);
    assert_int_equal(mr_tensors_add(set, layer, param, rank, shape, &t, &err), MRCNN_OK);
    for (size_t i = 0; i < t->count; i++)
        t->values[i] = (float)(scale * (mr_prng_uniform(stream, i) - 0.5));
    return t;
}

static mr_tensors *make_set(void) {
    static const int64_t kernel[] = {3, 3, 16, 32}, matrix[] = {64, 40}, vector[] = {32};
    mr_tensors *set = mr_tensors_create();
    add(set, "conv1", "kernel", 4, kernel, 0.3);
    add(set, "conv1", "bias", 1, vector, 1e-6);
    add(set, "bn_conv1", "moving_variance", 1, vector, 1e-9);
    add(set, "rpn_conv_shared", "kernel", 4, kernel, 0.01);
    add(set, "small", "kernel", 2, matrix, 1e-5); /* vanishes */
    add(set, "large", "kernel", 2, matrix, 1e3)->values[77] = 70000;
    add(set, "zero", "kernel", 2, matrix, 0);
    return set;
}

static int becomes_half(const mr_tensor *t) {
    return strcmp(t->layer, "conv1") == 0 ? strcmp(t->param, "kernel") == 0
                                          : strcmp(t->layer, "rpn_conv_shared") == 0;
}

static void test_files(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = make_set(), *read = NULL;
    mr_weights_info info = {.config = "NAME: x\n"}, found = {0};
    const char *path = scratch("half.h5");
    assert_int_equal(mr_weights_write_as(set, &info, path, &halves, &err), MRCNN_OK);
    assert_int_equal(mr_weights_read(&read, &found, path, &err), MRCNN_OK);
    assert_string_equal(found.config, "NAME: x\n");
    assert_int_equal(mr_tensors_count(read), mr_tensors_count(set));
    for (size_t i = 0; i < mr_tensors_count(set); i++) {
        const mr_tensor *t = mr_tensors_at(set, i);
        const mr_tensor *back = mr_tensors_find(read, t->layer, t->param);
        assert_non_null(back);
        assert_int_equal(back->count, t->count);
        for (size_t k = 0; k < t->count; k++) {
            float wanted =
                becomes_half(t) ? mr_half_to_float(mr_half_from_float(t->values[k])) : t->values[k];
            if (back->values[k] != wanted)
                fail_msg("%s/%s %zu: %g, not %g", t->layer, t->param, k, (double)back->values[k],
                         (double)wanted);
        }
    }
    mr_weights_info_free(&found);
    mr_tensors_free(&read);
    mr_tensors_free(&set);
}

/* Kernels are halves, shuffled and deflated, as h5py would write them; the rest is float32. */
static void test_layout(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = make_set();
    const char *path = scratch("layout.h5");
    assert_int_equal(mr_weights_write_as(set, NULL, path, &halves, &err), MRCNN_OK);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), half = half_type(H5T_IEEE_F32LE);
    for (size_t i = 0; i < mr_tensors_count(set); i++) {
        const mr_tensor *t = mr_tensors_at(set, i);
        char name[256];
        snprintf(name, sizeof name, "%s/%s/%s:0",
                 strncmp(t->layer, "rpn_", 4) == 0 ? "rpn_model" : t->layer, t->layer, t->param);
        hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
        assert_true(dataset >= 0);
        hid_t type = H5Dget_type(dataset), how = H5Dget_create_plist(dataset);
        assert_int_equal(H5Tequal(type, becomes_half(t) ? half : H5T_IEEE_F32LE) > 0, 1);
        assert_int_equal(H5Pget_nfilters(how), becomes_half(t) ? 2 : 0);
        H5Pclose(how);
        H5Tclose(type);
        H5Dclose(dataset);
    }
    H5Tclose(half);
    H5Fclose(file);
    mr_tensors_free(&set);
}

static void *read_bytes(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    struct stat about;
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &about), 0);
    *length = (size_t)about.st_size;
    void *bytes = malloc(*length);
    assert_int_equal(fread(bytes, 1, *length, file), *length);
    fclose(file);
    return bytes;
}

static void test_same_bytes_and_fewer(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = mr_tensors_create();
    const int64_t kernel[] = {3, 3, 64, 64};
    size_t lengths[3];
    void *bytes[3];
    add(set, "conv1", "kernel", 4, kernel, 0.1);
    for (int i = 0; i < 3; i++) {
        const char *path = scratch("same.h5");
        assert_int_equal(mr_weights_write_as(set, NULL, path, i < 2 ? &halves : &floats, &err),
                         MRCNN_OK);
        bytes[i] = read_bytes(path, &lengths[i]);
    }
    assert_int_equal(lengths[0], lengths[1]);
    assert_memory_equal(bytes[0], bytes[1], lengths[0]);
    assert_true(2 * lengths[0] < lengths[2]);
    for (int i = 0; i < 3; i++) free(bytes[i]);
    mr_tensors_free(&set);
}

/* Bytes flipped at random places: a message, or weights of the right shapes. */
static void test_damaged(void **state) {
    (void)state;
    enum { VARIANTS = 50 };
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = make_set();
    size_t length;
    int good = 0;
    const char *path = scratch("damaged.h5");
    assert_int_equal(mr_weights_write_as(set, NULL, path, &halves, &err), MRCNN_OK);
    unsigned char *bytes = read_bytes(path, &length);
    for (uint64_t i = 0; i < VARIANTS; i++) {
        uint64_t stream = mr_prng_stream(i, "damage");
        size_t at = (size_t)(mr_prng_value(stream, 0) % length);
        unsigned char kept = bytes[at];
        mr_tensors *read = NULL;
        bytes[at] ^= (unsigned char)(1 + mr_prng_value(stream, 1) % 255);
        FILE *file = fopen(path, "wb");
        assert_int_equal(fwrite(bytes, 1, length, file), length);
        fclose(file);
        bytes[at] = kept;
        err = (mrcnn_error)MRCNN_ERROR_INIT;
        if (mr_weights_read(&read, NULL, path, &err) == MRCNN_OK)
            good++;
        else
            assert_contains(err.message, "damaged.h5");
        mr_tensors_free(&read);
    }
    assert_true(good > 5 && good < VARIANTS - 5);
    free(bytes);
    mr_tensors_free(&set);
}

/* ----------------------------------------------------------------------------------- in public */

static void test_public(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL, *back = NULL;
    mrcnn_save_options how = mrcnn_save_options_default();
    const char *path = scratch("model.h5");
    static const char *const keys[][2] = {{"NUM_CLASSES", "2"},
                                          {"BACKBONE_STEM_WIDTH", "8"},
                                          {"BACKBONE_WIDTHS", "[8, 8, 8, 8]"},
                                          {"RPN_WIDTH", "8"},
                                          {"MASK_WIDTH", "8"},
                                          {"TOP_DOWN_PYRAMID_SIZE", "8"},
                                          {"DETECTION_MAX_INSTANCES", "400"}};
    assert_int_equal(mrcnn_config_create(&config, "small", &err), MRCNN_OK);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(mrcnn_config_set(config, keys[i][0], keys[i][1], &err), MRCNN_OK);
    assert_int_equal(mrcnn_model_create(&model, config, 3, &err), MRCNN_OK);
    how.precision = "f8";
    assert_int_equal(mrcnn_model_save_as(model, path, &how, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "f8");
    assert_false(scratch_holds("model"));
    how.precision = "f16";
    assert_int_equal(mrcnn_model_save_as(model, path, &how, &err), MRCNN_OK);
    assert_int_equal(mrcnn_model_load(&back, path, NULL, &err), MRCNN_OK);
    assert_string_equal(mrcnn_config_get(mrcnn_model_config(back), "DETECTION_MAX_INSTANCES"),
                        "400");
    mrcnn_model_free(&back);
    how.size = 4;
    assert_int_equal(mrcnn_model_save_as(model, path, &how, &err), MRCNN_E_ARGUMENT);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
}

static int start(void **state) {
    (void)state;
    make_scratch();
    return 0;
}

static int end(void **state) {
    (void)state;
    remove_scratch();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_layout),
        cmocka_unit_test(test_same_bytes_and_fewer),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_public),
    };
    return cmocka_run_group_tests(tests, start, end);
}
