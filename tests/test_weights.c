/* test_weights.c - the set of tensors, names, initialisers, reading every kind of Keras file, and
 * writing one that reads back bit by bit.
 */
#include "base/file.h"
#include "base/memory.h"
#include "base/prng.h"
#include "helper_weights.h"
#include "weights/names.h"
#include "weights/weights.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ------------------------------------------------------------------------------------ the set */

static void test_set(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = mr_tensors_create();
    mr_tensor *first = NULL, *t = NULL;
    int64_t shape[5] = {2, 3, 1, 1, 1};
    assert_int_equal(mr_tensors_add(set, "conv1", "kernel", 2, shape, &first, &err), MRCNN_OK);
    assert_int_equal(first->count, 6);
    assert_int_equal((uintptr_t)first->values % 64, 0);
    for (int i = 0; i < 1500; i++) { /* grows, and keeps pointers and order */
        char layer[32];
        snprintf(layer, sizeof layer, "layer%d", i);
        assert_int_equal(mr_tensors_add(set, layer, "bias", 1, shape, &t, &err), MRCNN_OK);
    }
    assert_int_equal(mr_tensors_count(set), 1501);
    assert_ptr_equal(mr_tensors_at(set, 0), first);
    assert_string_equal(mr_tensors_at(set, 1500)->layer, "layer1499");
    assert_null(mr_tensors_at(set, 1501));
    assert_string_equal(mr_tensors_find(set, "layer777", "bias")->layer, "layer777");
    assert_null(mr_tensors_find(set, "layer777", "kernel"));
    assert_null(mr_tensors_find(set, "layer1500", "bias"));

    assert_int_equal(mr_tensors_add(set, "conv1", "kernel", 2, shape, &t, &err), MRCNN_E_ARGUMENT);
    assert_non_null(strstr(err.message, "conv1/kernel"));
    shape[1] = 0;
    assert_int_equal(mr_tensors_add(set, "a", "b", 2, shape, &t, &err), MRCNN_E_ARGUMENT);
    shape[0] = shape[1] = INT64_MAX;
    assert_int_not_equal(mr_tensors_add(set, "a", "b", 2, shape, &t, &err), MRCNN_OK);
    assert_int_equal(mr_tensors_add(set, "a", "b", 6, shape, &t, &err), MRCNN_E_ARGUMENT);
    char longest[200];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = 0;
    assert_int_equal(mr_tensors_add(set, longest, "b", 0, shape, &t, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mr_tensors_count(set), 1501);

    mr_tensor_release(first);
    assert_null(first->values);
    assert_int_equal(first->shape[1], 3);
    mr_tensors_free(&set);
    assert_null(set);
    mr_tensors_free(&set);
}

/* -------------------------------------------------------------------------------------- names */

static const struct {
    const char *group, *name, *layer, *param;
} name_cases[] = {
    {"conv1", "conv1/kernel:0", "conv1", "kernel"},
    {"conv1", "conv1_1/kernel:0", "conv1", "kernel"},
    {"conv1", "conv1/kernel_1:0", "conv1", "kernel"},
    {"conv1", "conv1/conv1/kernel:0", "conv1", "kernel"},
    {"conv1", "kernel", "conv1", "kernel"},
    {"conv1", "conv1_W_1:0", "conv1", "kernel"},
    {"conv1", "conv1_b:0", "conv1", "bias"},
    {"bn2a_branch1", "bn2a_branch1_running_std_1:0", "bn2a_branch1", "moving_variance"},
    {"bn2a_branch1", "bn2a_branch1_running_mean_12:0", "bn2a_branch1", "moving_mean"},
    {"bn2a_branch1", "bn2a_branch1/moving_variance:0", "bn2a_branch1", "moving_variance"},
    {"rpn_model", "rpn_conv_shared/kernel:0", "rpn_conv_shared", "kernel"},
    {"rpn_model", "rpn_conv_shared_2/bias:0", "rpn_conv_shared", "bias"},
    {"rpn_model_1", "rpn_model_1/rpn_class_raw_1/bias_1:0", "rpn_class_raw", "bias"},
    {"dw", "dw/depthwise_kernel:0", "dw", "depthwise_kernel"},
    {"dw", "dw/alpha_3:0", "dw", "alpha_3"},
};

static void test_names(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof name_cases / sizeof name_cases[0]; i++) {
        mr_weight_key key;
        char *name = (char *)name_cases[i].name;
        int nested = mr_group_is_nested(name_cases[i].group, &name, 1);
        assert_true(mr_weight_key_make(&key, name_cases[i].group, name, nested, 0));
        assert_string_equal(key.layer, name_cases[i].layer);
        assert_string_equal(key.param, name_cases[i].param);
    }
    mr_weight_key key;
    char *other[] = {"a/kernel:0", "b/kernel:0"};
    assert_true(mr_group_is_nested("model_1", other, 2));
    assert_true(mr_weight_key_make(&key, "model_1", other[1], 1, 0));
    assert_string_equal(key.layer, "b");
    assert_true(mr_weight_key_make(&key, "x", "x/kernel_1:0", 0, 1));
    assert_string_equal(key.param, "kernel_1");
    char longest[600];
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = 0;
    assert_false(mr_weight_key_make(&key, longest, "kernel:0", 0, 0));
    assert_false(mr_weight_key_make(&key, "conv1", longest, 0, 0));
    assert_false(mr_weight_key_make(&key, "conv1", "conv1/", 0, 0));
}

/* ------------------------------------------------------------------------------- initialisers */

static mr_tensor *add(mr_tensors *set, const char *layer, const char *param, int rank, int64_t a,
                      int64_t b, int64_t c, int64_t d) {
    mr_tensor *t = NULL;
    int64_t shape[5] = {a, b, c, d, 0};
    assert_int_equal(mr_tensors_add(set, layer, param, rank, shape, &t, NULL), MRCNN_OK);
    return t;
}

static void check_kernel(const mr_tensor *t, double limit) {
    char name[160];
    double sum = 0, most = 0;
    snprintf(name, sizeof name, "%s/%s", t->layer, t->param);
    for (size_t i = 0; i < t->count; i++) {
        float wanted = (float)(-limit + 2 * limit * mr_prng_uniform(mr_prng_stream(7, name), i));
        assert_true(t->values[i] == wanted);
        sum += t->values[i];
        most = fmax(most, fabs(t->values[i]));
    }
    assert_true(fabs(sum / (double)t->count) < 0.05 * limit);
    assert_true(most > 0.98 * limit && most <= limit);
}

static void test_initialise(void **state) {
    (void)state;
    mr_tensors *set = mr_tensors_create();
    mr_tensor *conv = add(set, "conv1", "kernel", 4, 7, 7, 3, 64);
    mr_tensor *dense = add(set, "mrcnn_class_logits", "kernel", 2, 1024, 4, 0, 0);
    mr_tensor *deconv = add(set, "mrcnn_mask_deconv", "kernel", 4, 2, 2, 16, 48);
    for (size_t i = 0; i < mr_tensors_count(set); i++)
        mr_tensor_initialise(mr_tensors_at(set, i), 7);
    check_kernel(conv, sqrt(6.0 / (49 * 3 + 49 * 64)));
    check_kernel(dense, sqrt(6.0 / (1024 + 4)));
    check_kernel(deconv, sqrt(6.0 / (4 * 16 + 4 * 48)));
    static const struct {
        const char *param;
        float value;
    } constants[] = {
        {"bias", 0}, {"gamma", 1}, {"beta", 0}, {"moving_mean", 0}, {"moving_variance", 1}};
    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        mr_tensor *t = add(set, "bn_conv1", constants[i].param, 1, 5, 0, 0, 0);
        for (int k = 0; k < 5; k++) t->values[k] = 99;
        mr_tensor_initialise(t, 7);
        for (int k = 0; k < 5; k++) assert_true(t->values[k] == constants[i].value);
    }
    mr_tensors_free(&set);
}

/* ------------------------------------------------------------------------------------ reading */

static mr_tensors *read_file(const char *path, mr_weights_info *info) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = NULL;
    if (mr_weights_read(&set, info, path, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return set;
}

/* Values as put_values made them. */
static void check_tensor(const mr_tensors *set, const char *layer, const char *param, double first,
                         const hsize_t *dims) {
    const mr_tensor *t = mr_tensors_find(set, layer, param);
    if (!t) fail_msg("no %s/%s", layer, param);
    int rank = 0;
    for (; dims[rank]; rank++) assert_int_equal(t->shape[rank], dims[rank]);
    assert_int_equal(t->rank, rank);
    for (size_t i = 0; i < t->count; i++)
        assert_true(t->values[i] == (float)(first + 0.25 * (double)i));
}

static void put_keras2(hid_t root, names_style style) {
    put_names(root, "layer_names", style, NAMES("input_image", "conv1", "bn_conv1", "rpn_model"));
    put_text(root, "backend", "tensorflow");
    put_text(root, "keras_version", "2.1.6");
    H5Gclose(put_layer(root, "input_image", style, NO_NAMES));
    hid_t conv = put_layer(root, "conv1", style, NAMES("conv1_1/kernel:0", "conv1_1/bias:0"));
    put_values(conv, "conv1_1/kernel:0", H5T_IEEE_F32LE, CONTIGUOUS, 1, DIMS(3, 3, 2, 4));
    put_values(conv, "conv1_1/bias:0", H5T_IEEE_F32LE, CONTIGUOUS, -7, DIMS(4));
    H5Gclose(conv);
    hid_t bn = put_layer(root, "bn_conv1", style,
                         NAMES("bn_conv1/gamma:0", "bn_conv1/beta:0", "bn_conv1/moving_mean:0",
                               "bn_conv1/moving_variance:0"));
    put_values(bn, "bn_conv1/gamma:0", H5T_IEEE_F32LE, CONTIGUOUS, 10, DIMS(4));
    put_values(bn, "bn_conv1/beta:0", H5T_IEEE_F32LE, CONTIGUOUS, 20, DIMS(4));
    put_values(bn, "bn_conv1/moving_mean:0", H5T_IEEE_F32LE, CONTIGUOUS, 30, DIMS(4));
    put_values(bn, "bn_conv1/moving_variance:0", H5T_IEEE_F32LE, CONTIGUOUS, 40, DIMS(4));
    H5Gclose(bn);
    /* Nested layers in an order that is not ours: names decide. */
    hid_t rpn = put_layer(
        root, "rpn_model", style,
        NAMES("rpn_bbox_pred/kernel:0", "rpn_class_raw/kernel:0", "rpn_conv_shared_1/kernel:0"));
    put_values(rpn, "rpn_bbox_pred/kernel:0", H5T_IEEE_F32LE, CONTIGUOUS, 50, DIMS(1, 1, 4, 12));
    put_values(rpn, "rpn_class_raw/kernel:0", H5T_IEEE_F32LE, CONTIGUOUS, 60, DIMS(1, 1, 4, 6));
    put_values(rpn, "rpn_conv_shared_1/kernel:0", H5T_IEEE_F32LE, CONTIGUOUS, 70, DIMS(3, 3, 4, 4));
    H5Gclose(rpn);
}

static void check_keras2(const mr_tensors *set) {
    assert_int_equal(mr_tensors_count(set), 9);
    check_tensor(set, "conv1", "kernel", 1, DIMS(3, 3, 2, 4));
    check_tensor(set, "conv1", "bias", -7, DIMS(4));
    check_tensor(set, "bn_conv1", "gamma", 10, DIMS(4));
    check_tensor(set, "bn_conv1", "beta", 20, DIMS(4));
    check_tensor(set, "bn_conv1", "moving_mean", 30, DIMS(4));
    check_tensor(set, "bn_conv1", "moving_variance", 40, DIMS(4));
    check_tensor(set, "rpn_bbox_pred", "kernel", 50, DIMS(1, 1, 4, 12));
    check_tensor(set, "rpn_class_raw", "kernel", 60, DIMS(1, 1, 4, 6));
    check_tensor(set, "rpn_conv_shared", "kernel", 70, DIMS(3, 3, 4, 4));
}

static void test_keras2(void **state) {
    (void)state;
    static const names_style styles[] = {NAMES_FIXED, NAMES_VARIABLE, NAMES_SPLIT};
    for (int full = 0; full < 2; full++)
        for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++) {
            hid_t file = new_file(scratch("keras2.h5")), root = file;
            if (full) {
                put_text(file, "keras_version", "2.1.6");
                root = H5Gcreate2(file, "model_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
            }
            put_keras2(root, styles[i]);
            if (full) H5Gclose(root);
            H5Fclose(file);
            mr_weights_info info = {0};
            mr_tensors *set = read_file(scratch("keras2.h5"), &info);
            check_keras2(set);
            assert_string_equal(info.keras_version, "2.1.6");
            assert_string_equal(info.backend, "tensorflow");
            assert_null(info.config);
            assert_int_equal(info.class_count, 0);
            assert_string_equal(mr_tensors_find(set, "conv1", "bias")->path,
                                full ? "/model_weights/conv1/conv1_1/bias:0"
                                     : "/conv1/conv1_1/bias:0");
            mr_weights_info_free(&info);
            mr_tensors_free(&set);
        }
}

static void test_keras1(void **state) {
    (void)state;
    hid_t file = new_file(scratch("keras1.h5"));
    put_names(file, "layer_names", NAMES_FIXED, NAMES("input_1", "conv1", "bn_conv1"));
    H5Gclose(put_layer(file, "input_1", NAMES_FIXED, NO_NAMES));
    hid_t conv = put_layer(file, "conv1", NAMES_FIXED, NAMES("conv1_W_1:0", "conv1_b_1:0"));
    put_values(conv, "conv1_W_1:0", H5T_IEEE_F32LE, CONTIGUOUS, 1, DIMS(7, 7, 3, 4));
    put_values(conv, "conv1_b_1:0", H5T_IEEE_F32LE, CONTIGUOUS, 2, DIMS(4));
    H5Gclose(conv);
    hid_t bn = put_layer(file, "bn_conv1", NAMES_FIXED,
                         NAMES("bn_conv1_gamma_1:0", "bn_conv1_beta_1:0",
                               "bn_conv1_running_mean_1:0", "bn_conv1_running_std_1:0"));
    put_values(bn, "bn_conv1_gamma_1:0", H5T_IEEE_F32LE, CONTIGUOUS, 3, DIMS(4));
    put_values(bn, "bn_conv1_beta_1:0", H5T_IEEE_F32LE, CONTIGUOUS, 4, DIMS(4));
    put_values(bn, "bn_conv1_running_mean_1:0", H5T_IEEE_F32LE, CONTIGUOUS, 5, DIMS(4));
    put_values(bn, "bn_conv1_running_std_1:0", H5T_IEEE_F32LE, CONTIGUOUS, 184.0, DIMS(4));
    H5Gclose(bn);
    H5Fclose(file);
    mr_weights_info info = {0};
    mr_tensors *set = read_file(scratch("keras1.h5"), &info);
    assert_int_equal(mr_tensors_count(set), 6);
    check_tensor(set, "conv1", "kernel", 1, DIMS(7, 7, 3, 4));
    check_tensor(set, "conv1", "bias", 2, DIMS(4));
    check_tensor(set, "bn_conv1", "moving_mean", 5, DIMS(4));
    check_tensor(set, "bn_conv1", "moving_variance", 184.0, DIMS(4)); /* not squared */
    assert_null(info.keras_version);
    assert_null(info.backend);
    mr_weights_info_free(&info);
    mr_tensors_free(&set);
}

/* A third level, and two weights that differ only in what TensorFlow added. */
static void test_odd_paths(void **state) {
    (void)state;
    hid_t file = new_file(scratch("odd.h5"));
    put_names(file, "layer_names", NAMES_FIXED, NAMES("a", "b", "c"));
    hid_t a = put_layer(file, "a", NAMES_FIXED, NAMES("a/a/kernel:0"));
    put_values(a, "a/a/kernel:0", H5T_IEEE_F32LE, CONTIGUOUS, 1, DIMS(2, 2));
    H5Gclose(a);
    hid_t b = put_layer(file, "b", NAMES_FIXED, NAMES("b/kernel:0")); /* at /b/b/b/kernel:0 */
    put_values(b, "b/b/kernel:0", H5T_IEEE_F32LE, CONTIGUOUS, 2, DIMS(2, 2));
    H5Gclose(b);
    hid_t c = put_layer(file, "c", NAMES_FIXED, NAMES("c/kernel:0", "c/kernel_1:0"));
    put_values(c, "c/kernel:0", H5T_IEEE_F32LE, CONTIGUOUS, 3, DIMS(2, 2));
    put_values(c, "c/kernel_1:0", H5T_IEEE_F32LE, CONTIGUOUS, 4, DIMS(2, 2));
    H5Gclose(c);
    H5Fclose(file);
    mr_tensors *set = read_file(scratch("odd.h5"), NULL);
    check_tensor(set, "a", "kernel", 1, DIMS(2, 2));
    check_tensor(set, "b", "kernel", 2, DIMS(2, 2));
    check_tensor(set, "c", "kernel", 3, DIMS(2, 2));
    check_tensor(set, "c", "kernel_1", 4, DIMS(2, 2));
    assert_string_equal(mr_tensors_find(set, "b", "kernel")->path, "/b/b/b/kernel:0");
    mr_tensors_free(&set);
}

static void test_types_and_layouts(void **state) {
    (void)state;
    hid_t half_little = half_type(H5T_IEEE_F32LE), half_big = half_type(H5T_IEEE_F32BE);
    const hid_t types[] = {H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE,
                           H5T_IEEE_F64BE, half_little,    half_big};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        for (int how = CONTIGUOUS; how <= GZIPPED; how++) {
            hid_t file = new_file(scratch("types.h5"));
            put_names(file, "layer_names", NAMES_FIXED, NAMES("fc"));
            hid_t fc = put_layer(file, "fc", NAMES_FIXED, NAMES("fc/kernel:0", "fc/bias:0"));
            put_values(fc, "fc/kernel:0", types[i], (layout)how, -3, DIMS(9, 7));
            put_values(fc, "fc/bias:0", types[i], (layout)how, 5, DIMS(7));
            H5Gclose(fc);
            H5Fclose(file);
            mr_tensors *set = read_file(scratch("types.h5"), NULL);
            check_tensor(set, "fc", "kernel", -3, DIMS(9, 7));
            check_tensor(set, "fc", "bias", 5, DIMS(7));
            mr_tensors_free(&set);
        }
    H5Tclose(half_little);
    H5Tclose(half_big);
}

/* HDF5 files may stand behind a header of the user's own, and in newer formats. */
static void test_user_block_and_new_format(void **state) {
    (void)state;
    hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_userblock(create, 1024);
    H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    const hid_t creates[] = {create, H5P_DEFAULT}, accesses[] = {H5P_DEFAULT, access};
    for (int i = 0; i < 2; i++) {
        hid_t file = H5Fcreate(scratch("other.h5"), H5F_ACC_TRUNC, creates[i], accesses[i]);
        put_keras2(file, NAMES_VARIABLE);
        H5Fclose(file);
        mr_tensors *set = read_file(scratch("other.h5"), NULL);
        check_keras2(set);
        mr_tensors_free(&set);
    }
    H5Pclose(access);
    H5Pclose(create);
}

/* Files by h5py: a Keras 2 one with fixed-length names, and a Keras 1 one as Keras published. */
static void test_files_by_h5py(void **state) {
    (void)state;
    mr_weights_info info = {0};
    mr_tensors *set = read_file(TEST_DATA "/weights/keras2.h5", &info);
    assert_string_equal(info.keras_version, "2.1.6");
    assert_int_equal(mr_tensors_count(set), 8);
    check_tensor(set, "conv1", "kernel", 0, DIMS(3, 3, 2, 4));
    check_tensor(set, "rpn_class_raw", "bias", 5, DIMS(6));
    mr_tensors_free(&set);
    mr_weights_info_free(&info);
    set = read_file(TEST_DATA "/weights/keras1.h5", &info);
    assert_null(info.keras_version);
    check_tensor(set, "conv1", "kernel", 0, DIMS(3, 3, 2, 4));
    check_tensor(set, "bn_conv1", "moving_variance", 4, DIMS(4));
    mr_tensors_free(&set);
    mr_weights_info_free(&info);
}

/* ------------------------------------------------------------------------------------ writing */

static mr_tensors *make_set(void) {
    mr_tensors *set = mr_tensors_create();
    add(set, "conv1", "bias", 1, 4, 0, 0, 0); /* written behind its kernel all the same */
    add(set, "conv1", "kernel", 4, 3, 3, 2, 4);
    add(set, "bn_conv1", "moving_variance", 1, 4, 0, 0, 0);
    add(set, "bn_conv1", "moving_mean", 1, 4, 0, 0, 0);
    add(set, "bn_conv1", "gamma", 1, 4, 0, 0, 0);
    add(set, "bn_conv1", "beta", 1, 4, 0, 0, 0);
    add(set, "rpn_conv_shared", "kernel", 4, 3, 3, 4, 8);
    add(set, "fc", "kernel", 2, 8, 5, 0, 0);
    add(set, "rpn_conv_shared", "bias", 1, 8, 0, 0, 0);
    for (size_t i = 0; i < mr_tensors_count(set); i++) {
        mr_tensor *t = mr_tensors_at(set, i);
        for (size_t k = 0; k < t->count; k++) t->values[k] = (float)(mr_prng_uniform(i, k) * 4 - 2);
    }
    mr_tensors_find(set, "fc", "kernel")->values[0] = -0.0f;
    mr_tensors_find(set, "fc", "kernel")->values[1] = 1e-42f; /* subnormal */
    mr_tensors_find(set, "fc", "kernel")->values[2] = 3.4028235e38f;
    return set;
}

static void check_same_sets(const mr_tensors *a, const mr_tensors *b) {
    assert_int_equal(mr_tensors_count(a), mr_tensors_count(b));
    for (size_t i = 0; i < mr_tensors_count(a); i++) {
        const mr_tensor *t = mr_tensors_at(a, i), *u = mr_tensors_find(b, t->layer, t->param);
        assert_non_null(u);
        assert_int_equal(t->rank, u->rank);
        assert_memory_equal(t->shape, u->shape, sizeof t->shape);
        assert_memory_equal(t->values, u->values, t->count * sizeof(float));
    }
}

static void check_order(const mr_tensors *set, const char *const *keys) {
    for (size_t i = 0; keys[i]; i++) {
        char key[160];
        const mr_tensor *t = mr_tensors_at(set, i);
        snprintf(key, sizeof key, "%s/%s", t->layer, t->param);
        assert_string_equal(key, keys[i]);
    }
}

static void test_round_trip(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = make_set();
    char *config = malloc(200001); /* far beyond 64 KB */
    memset(config, 'x', 200000);
    memcpy(config, "NAME: b\xc3\xa4r\n", 11);
    config[11] = '\n';
    config[200000] = 0;
    char *names[] = {"BG", "b\xc3\xa4r", ""};
    mr_weights_info info = {.config = config, .class_count = 3, .class_names = names}, found = {0};
    assert_int_equal(mr_weights_write(set, &info, scratch("out.h5"), &err), MRCNN_OK);
    mr_tensors *back = read_file(scratch("out.h5"), &found);
    check_same_sets(set, back);
    check_order(back, NAMES("conv1/kernel", "conv1/bias", "bn_conv1/gamma", "bn_conv1/beta",
                            "bn_conv1/moving_mean", "bn_conv1/moving_variance",
                            "rpn_conv_shared/kernel", "rpn_conv_shared/bias", "fc/kernel"));
    assert_string_equal(found.config, config);
    assert_int_equal(found.class_count, 3);
    for (int i = 0; i < 3; i++) assert_string_equal(found.class_names[i], names[i]);
    assert_string_equal(found.keras_version, "2.1.6");
    assert_string_equal(found.backend, "tensorflow");
    assert_false(scratch_holds(".part"));

    /* The same weights are the same bytes. */
    void *one = NULL, *two = NULL;
    size_t one_length = 0, two_length = 0;
    assert_int_equal(mr_weights_write(set, &info, scratch("again.h5"), &err), MRCNN_OK);
    assert_int_equal(mr_file_read(scratch("out.h5"), 0, &one, &one_length, &err), MRCNN_OK);
    assert_int_equal(mr_file_read(scratch("again.h5"), 0, &two, &two_length, &err), MRCNN_OK);
    assert_int_equal(one_length, two_length);
    assert_memory_equal(one, two, one_length);
    assert_int_equal(((unsigned char *)one)[8], 0); /* superblock 0, as h5py's */
    free(one);
    free(two);
    free(config);
    mr_weights_info_free(&found);
    mr_tensors_free(&back);
    mr_tensors_free(&set);
}

/* What Keras' own loader relies upon, seen without our reader. */
static void test_layout_of_written_file(void **state) {
    (void)state;
    mr_tensors *set = make_set();
    assert_int_equal(mr_weights_write(set, NULL, scratch("layout.h5"), NULL), MRCNN_OK);
    hid_t file = H5Fopen(scratch("layout.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t names = H5Aopen(file, "layer_names", H5P_DEFAULT), type = H5Aget_type(names);
    assert_int_equal(H5Tget_class(type), H5T_STRING);
    assert_int_equal(H5Tis_variable_str(type), 0);
    assert_int_equal(H5Tget_strpad(type), H5T_STR_NULLPAD);
    assert_int_equal(H5Tget_size(type), strlen("rpn_model"));
    char text[4 * 9];
    assert_true(H5Aread(names, type, text) >= 0);
    assert_memory_equal(text, "conv1\0\0\0\0bn_conv1\0rpn_modelfc\0\0\0\0\0\0\0", sizeof text);
    H5Tclose(type);
    H5Aclose(names);
    assert_true(H5Aexists(file, "mrcnn_config") == 0);
    hid_t dataset = H5Dopen2(file, "/rpn_model/rpn_conv_shared/kernel:0", H5P_DEFAULT);
    hid_t create = H5Dget_create_plist(dataset), stored = H5Dget_type(dataset);
    assert_int_equal(H5Pget_layout(create), H5D_CONTIGUOUS);
    assert_true(H5Tequal(stored, H5T_IEEE_F32LE) > 0);
    H5Tclose(stored);
    H5Pclose(create);
    H5Dclose(dataset);
    assert_true(H5Lexists(file, "/conv1/conv1/bias:0", H5P_DEFAULT) > 0);
    H5Fclose(file);
    mr_tensors_free(&set);
}

/* More names than one attribute can hold. */
static void test_split_names(void **state) {
    (void)state;
    mr_tensors *set = mr_tensors_create(), *back;
    char layer[96];
    for (int i = 0; i < 900; i++) {
        snprintf(layer, sizeof layer, "%080d_%04d", 0, i);
        add(set, layer, "bias", 1, 1, 0, 0, 0)->values[0] = (float)i;
    }
    char *names[5000];
    for (int i = 0; i < 5000; i++) names[i] = i % 2 ? "odd" : "even";
    mr_weights_info info = {.class_count = 5000, .class_names = names}, found = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_weights_write(set, &info, scratch("split.h5"), &err), MRCNN_OK);
    hid_t file = H5Fopen(scratch("split.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(H5Aexists(file, "layer_names1") > 0 && H5Aexists(file, "layer_names") == 0);
    H5Fclose(file);
    back = read_file(scratch("split.h5"), &found);
    check_same_sets(set, back);
    assert_string_equal(mr_tensors_at(back, 899)->layer, layer);
    assert_int_equal(found.class_count, 5000);
    assert_string_equal(found.class_names[4999], "odd");
    mr_weights_info_free(&found);
    mr_tensors_free(&back);
    mr_tensors_free(&set);
}

static void test_write_fails_whole(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = make_set();
    assert_int_equal(mr_weights_write(set, NULL, scratch("missing/out.h5"), &err), MRCNN_E_IO);
    assert_non_null(strstr(err.message, "missing/out.h5"));
    mr_tensor_release(mr_tensors_at(set, 3));
    assert_int_equal(mr_weights_write(set, NULL, scratch("never.h5"), &err), MRCNN_E_ARGUMENT);
    assert_non_null(strstr(err.message, "bn_conv1/moving_mean"));
    assert_false(scratch_holds("never"));
    mr_tensors_free(&set);
    set = mr_tensors_create();
    assert_int_equal(mr_weights_write(set, NULL, scratch("never.h5"), &err), MRCNN_E_ARGUMENT);
    mr_tensors_free(&set);
}

static void test_arrays(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    float molded[6] = {1, 2, 3, 4, 5, 6}, one = 9;
    mr_array arrays[] = {{"molded", 3, {1, 2, 3}, molded},
                         {"detections", 2, {0, 6}, &one}, /* none found */
                         {"deep/scalar", 0, {0}, &one}};
    assert_int_equal(mr_arrays_write(arrays, 3, scratch("arrays.h5"), &err), MRCNN_OK);
    hid_t file = H5Fopen(scratch("arrays.h5"), H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t dataset = H5Dopen2(file, "molded", H5P_DEFAULT), space = H5Dget_space(dataset);
    hsize_t dims[5];
    float back[6];
    assert_int_equal(H5Sget_simple_extent_dims(space, dims, NULL), 3);
    assert_true(dims[0] == 1 && dims[1] == 2 && dims[2] == 3);
    H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, back);
    assert_memory_equal(back, molded, sizeof back);
    H5Sclose(space);
    H5Dclose(dataset);
    dataset = H5Dopen2(file, "detections", H5P_DEFAULT);
    space = H5Dget_space(dataset);
    assert_int_equal(H5Sget_simple_extent_npoints(space), 0);
    H5Sclose(space);
    H5Dclose(dataset);
    assert_true(H5Lexists(file, "deep/scalar", H5P_DEFAULT) > 0);
    H5Fclose(file);
    arrays[0].rank = 6;
    assert_int_equal(mr_arrays_write(arrays, 3, scratch("arrays.h5"), &err), MRCNN_E_ARGUMENT);
    arrays[0].rank = 3;
    arrays[2].name = "molded"; /* twice: the file must not change */
    assert_int_equal(mr_arrays_write(arrays, 3, scratch("twice.h5"), &err), MRCNN_E_IO);
    assert_false(scratch_holds("twice"));
}

/* ------------------------------------------------------------------------------------ threads */

enum { THREADS = 4, ROUNDS = 8 };
static char scratch_file[256];

/* Reads and writes by turns; *failure stays empty if all is well. */
static void *read_and_write(void *failure) {
    mrcnn_error *err = failure;
    for (int i = 0; i < ROUNDS && err->status == MRCNN_OK; i++) {
        mr_tensors *set = NULL;
        if (mr_weights_read(&set, NULL, scratch_file, err) == MRCNN_OK)
            mr_weights_write(set, NULL, scratch_file, err);
        mr_tensors_free(&set);
    }
    return NULL;
}

/* AddressSanitizer's allocator keeps its locks over a fork, unlike the C library's: a child that starts while another thread
 * allocates can wait for ever. */
#if defined(__SANITIZE_ADDRESS__)
#define FORKS_BESIDE_THREADS 0
#else
#define FORKS_BESIDE_THREADS 1
#endif

static void test_threads(void **state) {
    (void)state;
    if (!FORKS_BESIDE_THREADS) {
        print_message("skipped: forking beside threads is not safe under AddressSanitizer\n");
        skip();
    }
    pthread_t threads[THREADS];
    mrcnn_error errors[THREADS] = {MRCNN_ERROR_INIT};
    mr_tensors *set = make_set();
    snprintf(scratch_file, sizeof scratch_file, "%s", scratch("threads.h5"));
    assert_int_equal(mr_weights_write(set, NULL, scratch_file, NULL), MRCNN_OK);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_and_write, &errors[i]), 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) assert_string_equal(errors[i].message, "");
    mr_tensors *back = read_file(scratch_file, NULL);
    check_same_sets(set, back);
    mr_tensors_free(&back);
    mr_tensors_free(&set);
}

/* ----------------------------------------------------------------------------- the public API */

static void test_public(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_weights *weights = NULL;
    mr_tensors *set = make_set();
    char *names[] = {"BG", "balloon"};
    mr_weights_info info = {.keras_version = "2.0.8",
                            .backend = "theano",
                            .config = "NAME: x\n",
                            .class_count = 2,
                            .class_names = names};
    assert_int_equal(mr_weights_write(set, &info, scratch("public.h5"), &err), MRCNN_OK);
    assert_int_equal(mrcnn_weights_open(&weights, scratch("public.h5"), &err), MRCNN_OK);
    const mrcnn_weights_tensor *t = mrcnn_weights_at(weights, 6);
    assert_string_equal(t->layer, "rpn_conv_shared");
    assert_string_equal(t->name, "kernel");
    assert_string_equal(t->path, "/rpn_model/rpn_conv_shared/kernel:0");
    assert_int_equal(t->rank, 4);
    assert_int_equal(t->shape[3], 8);
    assert_true(t->values[5] == mr_tensors_find(set, t->layer, t->name)->values[5]);
    assert_null(mrcnn_weights_at(weights, 9));
    assert_string_equal(mrcnn_weights_attribute(weights, "keras_version"), "2.0.8");
    assert_string_equal(mrcnn_weights_attribute(weights, "backend"), "theano");
    assert_string_equal(mrcnn_weights_attribute(weights, "mrcnn_config"), "NAME: x\n");
    assert_string_equal(mrcnn_weights_attribute(weights, "class_names"), "BG\nballoon");
    assert_string_equal(mrcnn_weights_attribute(weights, "kernels"), "3 of 32 bits");
    assert_null(mrcnn_weights_attribute(weights, "colour"));
    mrcnn_weights_free(&weights);
    assert_null(weights);
    mrcnn_weights_free(&weights);
    assert_int_equal(mrcnn_weights_open(&weights, scratch("no.h5"), &err), MRCNN_E_IO);
    assert_null(weights);
    mr_tensors_free(&set);
}

static int start(void **state) {
    (void)state;
    make_scratch();
    return 0;
}

static int stop(void **state) {
    (void)state;
    remove_scratch();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_initialise),
        cmocka_unit_test(test_keras2),
        cmocka_unit_test(test_keras1),
        cmocka_unit_test(test_odd_paths),
        cmocka_unit_test(test_types_and_layouts),
        cmocka_unit_test(test_user_block_and_new_format),
        cmocka_unit_test(test_files_by_h5py),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_layout_of_written_file),
        cmocka_unit_test(test_split_names),
        cmocka_unit_test(test_write_fails_whole),
        cmocka_unit_test(test_arrays),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_public),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
