/* test_weights_int8.c - kernels as 8-bit integers with scales: the rule, weight files of them, wrong and damaged
 * ones, and what the program makes of such a file.
 */
#include "base/file.h"
#include "base/half.h"
#include "base/int8.h"
#include "base/prng.h"
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_weights.h"
#include "weights/weights.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static const mr_weights_storage small = {.precision = MR_WEIGHTS_INT8};

#define SHAPE(...)      \
    (const int64_t[]) { \
        __VA_ARGS__, 0  \
    }

/* ----------------------------------------------------------------------------------- the numbers */

static int8_t round_one(float value, float largest, float *scale) {
    const float values[] = {value, largest};
    const mr_filters one = {1, 1, 2};
    int8_t numbers[2];
    assert_true(mr_int8_scales(scale, values, &one));
    mr_int8_from_floats(numbers, values, scale, &one);
    assert_int_equal(numbers[1], largest == 0 ? 0 : largest < 0 ? -127 : 127);
    return numbers[0];
}

static void test_nearest(void **state) {
    (void)state;
    float scale;
    for (int i = 0; i < 127; i++) {
        float middle = (float)i + 0.5F;
        assert_int_equal(round_one(middle, 127, &scale), i + (i & 1));
        assert_int_equal(round_one(-middle, -127, &scale), -(i + (i & 1)));
        assert_int_equal(round_one(nextafterf(middle, 0), 127, &scale), i);
        assert_int_equal(round_one(nextafterf(middle, 200), 127, &scale), i + 1);
        assert_true(scale == 1);
    }
    assert_int_equal(round_one(0, 0, &scale), 0);
    assert_true(scale == 1);
    assert_int_equal(round_one(-0.3F, 25.4F, &scale), -2); /* -1.5 and a little more */
    assert_true(scale == 25.4F / 127);
}

static void test_what_has_no_integers(void **state) {
    (void)state;
    const mr_filters one = {1, 1, 1};
    const float bad[] = {NAN, INFINITY, -INFINITY, FLT_MIN, -1e-44F, FLT_MAX};
    const float good[] = {FLT_MIN * 128, -FLT_MIN * 128, FLT_MAX / 2, -0.0F};
    float scale;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(mr_int8_scales(&scale, &bad[i], &one));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(mr_int8_scales(&scale, &good[i], &one));
    assert_false(mr_int8_scale_is_sane(NAN));
    assert_false(mr_int8_scale_is_sane(INFINITY));
    assert_false(mr_int8_scale_is_sane(0));
    assert_false(mr_int8_scale_is_sane(-1));
    assert_false(mr_int8_scale_is_sane(FLT_MAX / 126));
}

/* Filters of all sizes; what came back is multiplied by anything, as folding a batch norm does. */
static void test_rounding_again(void **state) {
    (void)state;
    enum { OUTER = 5, FILTERS = 400, INNER = 3, COUNT = OUTER * FILTERS * INNER };
    static float values[COUNT], scales[FILTERS], factors[FILTERS];
    static int8_t numbers[COUNT], again[COUNT];
    const mr_filters filters = {OUTER, FILTERS, INNER};
    for (uint64_t seed = 0; seed < 20; seed++) {
        uint64_t stream = mr_prng_stream(seed, "values"), sizes = mr_prng_stream(seed, "sizes");
        for (size_t k = 0; k < FILTERS; k++)
            factors[k] = (float)((mr_prng_uniform(sizes, k) - 0.5) *
                                 ldexp(1, (int)(mr_prng_value(sizes, FILTERS + k) % 60) - 30));
        for (size_t i = 0; i < COUNT; i++) {
            float size = factors[(i / INNER + 7) % FILTERS];
            values[i] = size * (float)(mr_prng_uniform(stream, i) - 0.5);
        }
        assert_true(mr_int8_scales(scales, values, &filters));
        mr_int8_from_floats(numbers, values, scales, &filters);
        for (int folded = 0; folded < 2; folded++) {
            mr_int8_to_floats(values, numbers, scales, &filters);
            for (size_t i = 0; i < COUNT && folded; i++) values[i] *= factors[i / INNER % FILTERS];
            assert_true(mr_int8_scales(scales, values, &filters));
            mr_int8_from_floats(again, values, scales, &filters);
            for (size_t i = 0; i < COUNT; i++) {
                int sign = folded && factors[i / INNER % FILTERS] < 0 ? -1 : 1;
                if (again[i] != sign * numbers[i])
                    fail_msg("seed %d, %zu: %d became %d", (int)seed, i, numbers[i], again[i]);
            }
        }
    }
}

/* -------------------------------------------------------------------------------------- datasets */

static mr_tensor *add(mr_tensors *set, const char *layer, const char *param, const int64_t *shape) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensor *t = NULL;
    uint64_t stream = mr_prng_stream(3, layer);
    int rank = 0;
    while (shape[rank]) rank++;
    assert_int_equal(mr_tensors_add(set, layer, param, rank, shape, &t, &err), MRCNN_OK);
    for (size_t i = 0; i < t->count; i++) t->values[i] = (float)(mr_prng_uniform(stream, i) - 0.5);
    return t;
}

static void write_set(const mr_tensors *set, const char *path, const mr_weights_storage *storage) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_weights_write_as(set, NULL, path, storage, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
}

static mr_tensors *read_set(const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = NULL;
    if (mr_weights_read(&set, NULL, path, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return set;
}

/* The numbers of a dataset that must be stored as `stored`, converted to `memory`; NULL if there is none. */
static void *numbers_of(const char *path, const char *name, hid_t stored, hid_t memory,
                        size_t *count) {
    void *numbers = NULL;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    char group[128];
    snprintf(group, sizeof group, "%.*s", (int)(strrchr(name, '/') - name), name);
    assert_true(file >= 0 && H5Lexists(file, group, H5P_DEFAULT) > 0);
    if (H5Lexists(file, name, H5P_DEFAULT) > 0) {
        hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT), type = H5Dget_type(dataset);
        hid_t space = H5Dget_space(dataset);
        *count = (size_t)H5Sget_simple_extent_npoints(space);
        numbers = calloc(*count, H5Tget_size(memory));
        if (H5Tequal(type, stored) <= 0) fail_msg("%s: %s is of another type", path, name);
        assert_true(H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers) >= 0);
        H5Sclose(space);
        H5Tclose(type);
        H5Dclose(dataset);
    }
    H5Fclose(file);
    return numbers;
}

static int8_t *integers_of(const char *path, const char *name, size_t *count) {
    return numbers_of(path, name, H5T_STD_I8LE, H5T_NATIVE_INT8, count);
}

static float *scales_of(const char *path, const char *name, size_t *count) {
    return numbers_of(path, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, count);
}

static void check_stored(const char *path, const char *name, hid_t type, int has_scales) {
    char beside[128];
    size_t count;
    void *numbers = numbers_of(path, name, type, H5T_NATIVE_FLOAT, &count);
    assert_non_null(numbers);
    free(numbers);
    snprintf(beside, sizeof beside, "%.*s_scale:0", (int)(strlen(name) - 2), name);
    float *scales = scales_of(path, beside, &count);
    if ((scales != NULL) != has_scales) fail_msg("%s: %s", path, beside);
    free(scales);
}

static void test_by_hand(void **state) {
    (void)state;
    static const float values[] = {127, -254, 0.5F, 3, -1.5F, 1}; /* (in, out) */
    static const int8_t integers[] = {127, -127, 0, 2, -2, 0};
    static const float back[] = {127, -254, 0, 4, -2, 0}, scales[] = {1, 2};
    const char *path = scratch("hand.h5");
    mr_tensors *set = mr_tensors_create();
    memcpy(add(set, "fc", "kernel", SHAPE(3, 2))->values, values, sizeof values);
    write_set(set, path, &small);
    size_t count;
    int8_t *stored = integers_of(path, "fc/fc/kernel:0", &count);
    assert_int_equal(count, 6);
    assert_memory_equal(stored, integers, sizeof integers);
    float *stored_scales = scales_of(path, "fc/fc/kernel_scale:0", &count);
    assert_int_equal(count, 2);
    assert_memory_equal(stored_scales, scales, sizeof scales);
    mr_tensors *read = read_set(path);
    assert_int_equal(mr_tensors_count(read), 1); /* scales are no weights */
    const mr_tensor *t = mr_tensors_find(read, "fc", "kernel");
    for (size_t i = 0; i < 6; i++) assert_true(t->values[i] == back[i]);
    assert_int_equal(t->rank, 2);
    assert_int_equal(t->bits, 8);
    mr_tensors_free(&read);
    free(stored_scales);
    free(stored);
    mr_tensors_free(&set);
}

/* Each filter has a size of its own, from which one sees which axis counts them. */
static void check_axis(const char *layer, const int64_t *shape, int axis) {
    const char *path = scratch("axis.h5");
    char name[128];
    size_t inner = 1, count;
    mr_tensors *set = mr_tensors_create();
    mr_tensor *t = add(set, layer, "kernel", shape);
    for (int i = axis + 1; i < t->rank; i++) inner *= (size_t)shape[i];
    for (size_t i = 0; i < t->count; i++)
        t->values[i] = (float)(127 * (1 + i / inner % (size_t)shape[axis]));
    write_set(set, path, &small);
    snprintf(name, sizeof name, "%s/%s/kernel_scale:0", layer, layer);
    float *scales = scales_of(path, name, &count);
    assert_non_null(scales);
    assert_int_equal(count, shape[axis]);
    for (size_t k = 0; k < count; k++) assert_true(scales[k] == (float)(k + 1));
    mr_tensors *read = read_set(path);
    assert_memory_equal(mr_tensors_at(read, 0)->values, t->values, t->count * sizeof(float));
    mr_tensors_free(&read);
    mr_tensors_free(&set);
    free(scales);
}

static void test_axis_of_filters(void **state) {
    (void)state;
    check_axis("conv1", SHAPE(3, 3, 5, 7), 3);
    check_axis("mrcnn_mask_deconv", SHAPE(2, 2, 5, 7), 2);
    check_axis("mrcnn_mask_deconv", SHAPE(2, 2, 1, 7), 2);
    check_axis("deconv", SHAPE(1, 3, 4, 1), 2);
    check_axis("deconv", SHAPE(3, 4), 1); /* no transposed convolution */
    check_axis("mrcnn_mask_deconv_last", SHAPE(2, 2, 5, 7), 3);
    check_axis("fc", SHAPE(1, 1), 1);
    check_axis("fc", SHAPE(13, 1), 1);
    check_axis("odd", SHAPE(1, 2, 3, 4, 5), 4);
    check_axis("odd", SHAPE(2, 3, 4), 2);
}

static mr_tensors *make_set(void) {
    mr_tensors *set = mr_tensors_create();
    add(set, "conv1", "kernel", SHAPE(3, 3, 4, 9));
    add(set, "conv1", "bias", SHAPE(9));
    add(set, "bn_conv1", "moving_variance", SHAPE(9));
    add(set, "rpn_conv_shared", "kernel", SHAPE(3, 3, 9, 6));
    add(set, "mrcnn_mask_deconv", "kernel", SHAPE(2, 2, 5, 3));
    add(set, "fc", "kernel", SHAPE(11, 5));
    add(set, "own", "matrix", SHAPE(4, 4));
    return set;
}

static void test_what_is_stored_how(void **state) {
    (void)state;
    static const char *const layers[] = {"nowhere", "conv1", "large", NULL};
    const mr_weights_storage mixed = {MR_WEIGHTS_INT8, layers};
    const char *path = scratch("mixed.h5");
    mr_tensors *set = make_set();
    hid_t half = half_type(H5T_IEEE_F32LE);
    add(set, "large", "kernel", SHAPE(8, 3))->values[5] = 1e5F; /* beyond halves */
    add(set, "nan", "kernel", SHAPE(8, 3))->values[5] = NAN;
    add(set, "tiny", "kernel", SHAPE(8, 3));
    add(set, "flat", "kernel", SHAPE(8));
    memset(add(set, "zero", "kernel", SHAPE(8, 3))->values, 0, 24 * sizeof(float));
    mr_tensor *tiny = mr_tensors_find(set, "tiny", "kernel");
    for (size_t i = 1; i < tiny->count; i += 3) tiny->values[i] *= 1e-37F; /* one filter of three */
    write_set(set, path, &mixed);
    check_stored(path, "conv1/conv1/kernel:0", half, 0);
    check_stored(path, "conv1/conv1/bias:0", H5T_IEEE_F32LE, 0);
    check_stored(path, "bn_conv1/bn_conv1/moving_variance:0", H5T_IEEE_F32LE, 0);
    check_stored(path, "rpn_model/rpn_conv_shared/kernel:0", H5T_STD_I8LE, 1);
    check_stored(path, "mrcnn_mask_deconv/mrcnn_mask_deconv/kernel:0", H5T_STD_I8LE, 1);
    check_stored(path, "fc/fc/kernel:0", H5T_STD_I8LE, 1);
    check_stored(path, "own/own/matrix:0", H5T_IEEE_F32LE, 0);
    check_stored(path, "large/large/kernel:0", H5T_IEEE_F32LE, 0);
    check_stored(path, "nan/nan/kernel:0", H5T_IEEE_F32LE, 0);
    check_stored(path, "tiny/tiny/kernel:0", H5T_IEEE_F32LE, 0);
    check_stored(path, "flat/flat/kernel:0", H5T_IEEE_F32LE, 0);
    check_stored(path, "zero/zero/kernel:0", H5T_STD_I8LE, 1);
    size_t count;
    float *scales = scales_of(path, "zero/zero/kernel_scale:0", &count);
    for (size_t k = 0; k < count; k++) assert_true(scales[k] == 1);
    free(scales);
    H5Tclose(half);
    mr_tensors_free(&set);
}

/* Writing what was read gives the same integers, and the same weights are the same bytes. */
static void test_there_and_back(void **state) {
    (void)state;
    mr_tensors *set = make_set();
    write_set(set, scratch("one.h5"), &small);
    mr_tensors *read = read_set(scratch("one.h5"));
    assert_int_equal(mr_tensors_count(read), mr_tensors_count(set));
    for (size_t i = 0; i < mr_tensors_count(set); i++) {
        const mr_tensor *t = mr_tensors_at(set, i);
        const mr_tensor *back = mr_tensors_find(read, t->layer, t->param);
        assert_non_null(back);
        assert_int_equal(back->count, t->count);
        double most = strcmp(t->param, "kernel") == 0 ? 0.5 / 254 * (1 + 1e-6) : 0;
        for (size_t k = 0; k < t->count; k++)
            assert_true(fabs((double)t->values[k] - (double)back->values[k]) <= most);
    }
    write_set(read, scratch("two.h5"), &small);
    write_set(set, scratch("same.h5"), &small);
    static const char *const names[] = {"rpn_model/rpn_conv_shared/kernel:0",
                                        "conv1/conv1/kernel:0", "fc/fc/kernel:0"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t count;
        int8_t *one = integers_of(scratch("one.h5"), names[i], &count);
        int8_t *two = integers_of(scratch("two.h5"), names[i], &count);
        assert_memory_equal(one, two, count);
        free(two);
        free(one);
    }
    void *one = NULL, *same = NULL;
    size_t one_length, same_length;
    assert_int_equal(mr_file_read(scratch("one.h5"), 0, &one, &one_length, NULL), MRCNN_OK);
    assert_int_equal(mr_file_read(scratch("same.h5"), 0, &same, &same_length, NULL), MRCNN_OK);
    assert_int_equal(one_length, same_length);
    assert_memory_equal(one, same, one_length);
    free(same);
    free(one);
    mr_tensors_free(&read);
    mr_tensors_free(&set);
}

/* --------------------------------------------------------------------------------- hostile files */

typedef enum scales_kind { NONE, LIST, TABLE, GROUP, ITSELF } scales_kind;

typedef struct wrong {
    const char *param;
    double first; /* of the integers */
    int flat;     /* of one axis */
    scales_kind kind;
    hid_t type; /* of the scales */
    double scale;
    hsize_t count;
    mrcnn_status status;
    const char *says;
} wrong;

static void put_scales(hid_t group, const wrong *w, const char *of, const char *name) {
    if (w->kind == LIST) put_values(group, name, w->type, CONTIGUOUS, w->scale, DIMS(w->count));
    if (w->kind == TABLE) put_values(group, name, w->type, CONTIGUOUS, w->scale, DIMS(1, w->count));
    if (w->kind == GROUP) H5Gclose(H5Gcreate2(group, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    if (w->kind == ITSELF) H5Lcreate_hard(group, of, group, name, H5P_DEFAULT, H5P_DEFAULT);
}

static void put_wrong(const char *path, const wrong *w) {
    char name[64], scales[64];
    hid_t file = new_file(path);
    snprintf(name, sizeof name, "fc/%s:0", w->param);
    snprintf(scales, sizeof scales, "fc/%s_scale:0", w->param);
    put_names(file, "layer_names", NAMES_FIXED, NAMES("fc"));
    hid_t fc = put_layer(file, "fc", NAMES_FIXED, NAMES(name));
    if (w->flat)
        put_values(fc, name, H5T_STD_I8BE, CONTIGUOUS, w->first, DIMS(3));
    else
        put_values(fc, name, H5T_STD_I8BE, GZIPPED, w->first, DIMS(4, 3));
    put_scales(fc, w, name, scales);
    H5Gclose(fc);
    H5Fclose(file);
}

static void test_wrong_files(void **state) {
    (void)state;
    hid_t f32 = H5T_IEEE_F32BE;
    const wrong cases[] = {
        {"kernel", 1, 0, LIST, f32, 1, 3, MRCNN_OK, ""},
        {"kernel", 1, 0, NONE, f32, 1, 3, MRCNN_E_FORMAT, "without scales"},
        {"bias", 1, 1, NONE, f32, 1, 3, MRCNN_E_UNSUPPORTED, "only kernels"},
        {"kernel", 1, 1, LIST, f32, 1, 3, MRCNN_E_UNSUPPORTED, "only kernels"},
        {"kernel", 1, 0, LIST, H5T_IEEE_F64LE, 1, 3, MRCNN_E_FORMAT, "list of 3 float32"},
        {"kernel", 1, 0, LIST, H5T_STD_I8LE, 1, 3, MRCNN_E_FORMAT, "list of 3 float32"},
        {"kernel", 1, 0, LIST, H5T_STD_I32LE, 1, 3, MRCNN_E_UNSUPPORTED, "float32"},
        {"kernel", 1, 0, TABLE, f32, 1, 3, MRCNN_E_FORMAT, "list of 3 float32"},
        {"kernel", 1, 0, ITSELF, f32, 1, 3, MRCNN_E_FORMAT, "list of 3 float32"},
        {"kernel", 1, 0, GROUP, f32, 1, 3, MRCNN_E_FORMAT, "should be a dataset"},
        {"kernel", 1, 0, LIST, f32, 1, 4, MRCNN_E_FORMAT, "list of 3 float32"},
        {"kernel", 1, 0, LIST, f32, 1, 1, MRCNN_E_FORMAT, "list of 3 float32"},
        {"kernel", 1, 0, LIST, f32, NAN, 3, MRCNN_E_WEIGHTS, "nan at index 0"},
        {"kernel", 1, 0, LIST, f32, INFINITY, 3, MRCNN_E_WEIGHTS, "inf at index 0"},
        {"kernel", 1, 0, LIST, f32, 1e38, 3, MRCNN_E_WEIGHTS, "e+38 at index 0"},
        {"kernel", 1, 0, LIST, f32, 0, 3, MRCNN_E_WEIGHTS, "0 at index 0"},
        {"kernel", 1, 0, LIST, f32, -0.125, 3, MRCNN_E_WEIGHTS, "-0.125 at index 0"},
        {"kernel", -128, 0, LIST, f32, 1, 3, MRCNN_E_WEIGHTS, "-128 at index 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        mr_tensors *set = NULL;
        char tensor[32];
        const char *path = scratch("wrong.h5");
        put_wrong(path, &cases[i]);
        mrcnn_status status = mr_weights_read(&set, NULL, path, &err);
        if (status != cases[i].status) fail_msg("case %zu: %d, %s", i, (int)status, err.message);
        assert_contains(err.message, cases[i].says);
        if (status == MRCNN_OK) {
            assert_true(mr_tensors_at(set, 0)->values[11] == 3 * 1.5F);
        } else {
            assert_contains(err.message, path);
            snprintf(tensor, sizeof tensor, "fc/fc/%s", cases[i].param);
            assert_contains(err.message, tensor);
            assert_null(set);
        }
        mr_tensors_free(&set);
    }
}

/* 1 if it was read; else there is a message. */
static int read_anyhow(const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = NULL;
    mr_weights_info info = {0};
    int good = mr_weights_read(&set, &info, path, &err) == MRCNN_OK;
    for (size_t i = 0; good && i < mr_tensors_count(set); i++) {
        const mr_tensor *t = mr_tensors_at(set, i);
        for (size_t k = 0; k < t->count; k++) assert_true(isfinite(t->values[k]));
    }
    if (!good) assert_contains(err.message, path);
    mr_tensors_free(&set);
    mr_weights_info_free(&info);
    return good;
}

static void test_damaged(void **state) {
    (void)state;
    enum { FLIPS = 120, CUTS = 30 };
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = make_set();
    mr_weights_info info = {.ranges = "conv1\t3.5\n"};
    void *bytes = NULL;
    size_t length;
    int good = 0;
    const char *path = scratch("damaged.h5");
    assert_int_equal(mr_weights_write_as(set, &info, path, &small, &err), MRCNN_OK);
    assert_int_equal(mr_file_read(path, 0, &bytes, &length, &err), MRCNN_OK);
    for (uint64_t i = 0; i < FLIPS; i++) {
        uint64_t stream = mr_prng_stream(i, "damage");
        unsigned char *at = (unsigned char *)bytes + mr_prng_value(stream, 0) % length, kept = *at;
        *at ^= (unsigned char)(1 + mr_prng_value(stream, 1) % 255);
        assert_int_equal(mr_file_write(path, bytes, length, NULL), MRCNN_OK);
        *at = kept;
        good += read_anyhow(path);
    }
    assert_true(good > 5 && good < FLIPS - 5);
    for (size_t i = 0; i < CUTS; i++) {
        assert_int_equal(mr_file_write(path, bytes, length * i / CUTS, NULL), MRCNN_OK);
        assert_false(read_anyhow(path));
    }
    free(bytes);
    mr_tensors_free(&set);
}

/* ---------------------------------------------------------------------------------------- ranges */

static void check_ranges_refused(const char *text, const char *says) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = NULL;
    const char *path = scratch("refused.h5");
    hid_t file = new_file(path);
    put_names(file, "layer_names", NAMES_FIXED, NAMES("fc"));
    put_text(file, "mrcnn_ranges", text);
    hid_t fc = put_layer(file, "fc", NAMES_FIXED, NAMES("fc/kernel:0"));
    put_values(fc, "fc/kernel:0", H5T_IEEE_F32LE, CONTIGUOUS, 1, DIMS(2, 2));
    H5Gclose(fc);
    H5Fclose(file);
    assert_int_equal(mr_weights_read(&set, NULL, path, &err), MRCNN_E_FORMAT);
    assert_contains(err.message, path);
    assert_contains(err.message, says);
}

static void test_ranges(void **state) {
    (void)state;
    enum { MOST = 1 << 20 };
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = make_set(), *read = NULL;
    char *text = malloc(MOST + 2);
    memset(text, 'x', MOST + 1);
    text[5] = '\t';
    text[9] = '\n';
    text[MOST] = text[MOST + 1] = 0;
    mr_weights_info info = {.ranges = text}, found = {0};
    const char *path = scratch("ranges.h5");
    assert_int_equal(mr_weights_write_as(set, &info, path, &small, &err), MRCNN_OK);
    assert_int_equal(mr_weights_read(&read, &found, path, &err), MRCNN_OK);
    assert_string_equal(found.ranges, text);
    assert_null(found.config);
    mr_weights_info_free(&found);
    assert_null(found.ranges);
    mr_tensors_free(&read);

    text[MOST] = 'x';
    path = scratch("toolong.h5");
    assert_int_equal(mr_weights_write_as(set, &info, path, &small, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, path);
    assert_false(scratch_holds("toolong"));
    check_ranges_refused(text, "1 MB");
    check_ranges_refused("conv1\t\xff", "mrcnn_ranges");
    check_ranges_refused("conv1\t1\033[2J", "mrcnn_ranges");
    free(text);
    mr_tensors_free(&set);
}

/* ----------------------------------------------------------------------------------- the program */

/* A tiny model, and the same with integers, one of its kernels wide. */
static void make_models(void) {
    static const char *const wide[] = {"conv1", NULL};
    const mr_weights_storage storage = {MR_WEIGHTS_INT8, wide};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = NULL;
    mr_weights_info info = {0};
    const cli_result *r = RUN("weights", "init", "--out", "tiny.h5", CLI_TINY, "--set",
                              "NUM_CLASSES=3", "--set", "DETECTION_MIN_CONFIDENCE=0");
    if (r->code != 0) fail_msg("weights init: %s", r->err);
    assert_int_equal(mr_weights_read(&set, &info, "tiny.h5", &err), MRCNN_OK);
    info.ranges = strdup("conv1\t1.5\n");
    assert_int_equal(mr_weights_write_as(set, &info, "small.h5", &storage, &err), MRCNN_OK);
    mr_weights_info_free(&info);
    mr_tensors_free(&set);
}

/* Both files hold the same weights; kernels of the second one rounded to halves if asked. */
static void check_same_weights(const char *one, const char *two, int rounded) {
    mr_tensors *first = read_set(one), *second = read_set(two);
    assert_int_equal(mr_tensors_count(first), mr_tensors_count(second));
    for (size_t i = 0; i < mr_tensors_count(first); i++) {
        const mr_tensor *a = mr_tensors_at(first, i);
        const mr_tensor *b = mr_tensors_find(second, a->layer, a->param);
        assert_non_null(b);
        assert_int_equal(a->count, b->count);
        for (size_t k = 0; k < a->count; k++) {
            float value = a->values[k];
            if (rounded && a->rank > 1) value = mr_half_to_float(mr_half_from_float(value));
            if (b->values[k] != value) fail_msg("%s/%s of %s", a->layer, a->param, two);
        }
    }
    mr_tensors_free(&second);
    mr_tensors_free(&first);
}

static void check_ranges(const char *path, const char *wanted) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = NULL;
    mr_weights_info info = {0};
    assert_int_equal(mr_weights_read(&set, &info, path, &err), MRCNN_OK);
    assert_int_equal(info.ranges != NULL, wanted != NULL);
    if (wanted) assert_string_equal(info.ranges, wanted);
    mr_weights_info_free(&info);
    mr_tensors_free(&set);
}

static void test_program(void **state) {
    (void)state;
    make_models();
    const cli_result *r = RUN("weights", "info", "tiny.h5");
    assert_contains(r->out, " of 32 bits\n");
    assert_null(strstr(r->out, " of 8 bits"));
    r = RUN("weights", "info", "--stats", "small.h5");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, " of 8 bits, 1 of 16 bits\n");
    assert_null(strstr(r->out, "kernel_scale"));

    r = RUN("weights", "convert", "small.h5", "plain.h5");
    if (r->code != 0) fail_msg("%s", r->err);
    assert_contains(r->out, " 0 skipped, 0 re-initialised, 0 missing");
    check_same_weights("small.h5", "plain.h5", 0);
    check_ranges("small.h5", "conv1\t1.5\n");
    check_ranges("plain.h5", NULL);
    assert_contains(RUN("weights", "info", "plain.h5")->out, " of 32 bits\n");
    r = RUN("weights", "convert", "small.h5", "half.h5", "--precision", "f16");
    if (r->code != 0) fail_msg("%s", r->err);
    check_same_weights("small.h5", "half.h5", 1);
    assert_contains(RUN("weights", "info", "half.h5")->out, " of 16 bits\n");

    cli_picture("a.png", 80, 60);
    assert_int_equal(RUN("detect", "--precision", "f32", "--weights", "small.h5", "--out", "one",
                         "--save", "json", "a.png")
                         ->code,
                     0);
    assert_int_equal(RUN("detect", "--precision", "f32", "--weights", "plain.h5", "--out", "two",
                         "--save", "json", "a.png")
                         ->code,
                     0);
    char *one = cli_read("one/detections.json"), *two = cli_read("two/detections.json");
    assert_non_null(one);
    assert_string_equal(one, two);
    free(two);
    free(one);
}

static int start(void **state) {
    make_scratch();
    return cli_enter(state);
}

static int end(void **state) {
    remove_scratch();
    return cli_leave(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest),         cmocka_unit_test(test_what_has_no_integers),
        cmocka_unit_test(test_rounding_again),  cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_axis_of_filters), cmocka_unit_test(test_what_is_stored_how),
        cmocka_unit_test(test_there_and_back),  cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_damaged),         cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_program),
    };
    return cmocka_run_group_tests(tests, start, end);
}
