/* test_weights_hostile.c - wrong, damaged and malicious weight files: each gives a message that
 * names the file and what is wrong.
 */
#include "base/file.h"
#include "base/prng.h"
#include "helper_weights.h"
#include "weights/weights.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Reading must fail with this status, naming the file and saying this. */
static void check_refused(const char *path, mrcnn_status wanted, const char *says) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = NULL;
    mr_weights_info info = {0};
    mrcnn_status status = mr_weights_read(&set, &info, path, &err);
    if (status == MRCNN_OK) fail_msg("%s was read", path);
    if (!strstr(err.message, path) || !strstr(err.message, says) || status != wanted)
        fail_msg("%s: %s", mrcnn_status_name(status), err.message);
    assert_int_equal(err.status, status);
    assert_null(set);
    assert_null(info.keras_version);
    /* Nothing to report to must not be a problem either. */
    assert_int_equal(mr_weights_read(&set, NULL, path, NULL), wanted);
}

static void write_bytes(const char *path, const void *bytes, size_t length) {
    assert_int_equal(mr_file_write(path, bytes, length, NULL), MRCNN_OK);
}

/* ------------------------------------------------------------------------- files of other kinds */

static const struct {
    const char *bytes;
    size_t length;
    const char *says;
} kinds[] = {
    {"", 0, "it is empty"},
    {"PK\3\4xxxxarchive/data.pkl", 24, "PyTorch"},
    {"PK\3\4xxxxconv1.npy", 17, ".npz"},
    {"PK\3\4xxxxmodel.weights.h5", 24, "Keras 3"},
    {"PK\3\4xxxx", 8, "zip"},
    {"\x80\2}q\0.", 6, "pickle"},
    {"\x93NUMPY\1\0", 8, "NumPy"},
    {"\x1f\x8b\x08\0", 4, "gzip"},
    {"\xff\xd8\xff\xe0", 4, "JPEG"},
    {"\n <!DOCTYPE html><html>", 22, "HTML"},
    {"<HTML>", 6, "HTML"},
    {"version https://git-lfs.github.com/spec/v1\n", 43, "Git LFS"},
    {"404: Not Found", 14, "text"},
    {"\1\2\3\0\0\0\0\0\0", 9, "first bytes"},
    {"\x89HDF\r\n\x1a\n", 8, "ends within"},
    {"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0", 16, "ends within"},
    {"\x89HDF\r\n", 6, "first bytes"},
};

static void test_other_kinds(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *path = scratch("kind.h5");
        write_bytes(path, kinds[i].bytes, kinds[i].length);
        check_refused(path, MRCNN_E_FORMAT, kinds[i].says);
    }
    check_refused(scratch("none.h5"), MRCNN_E_IO, "No such file");
    mkdir(scratch("folder"), 0777);
    check_refused(scratch("folder"), MRCNN_E_IO, "is a folder");
    write_bytes(scratch("folder/saved_model.pb"), "x", 1);
    check_refused(scratch("folder"), MRCNN_E_IO, "SavedModel");
    assert_int_equal(mkfifo(scratch("pipe"), 0600), 0);
    check_refused(scratch("pipe"), MRCNN_E_IO, "not a plain file"); /* and does not wait */
}

/* ------------------------------------------------------------------ HDF5 files without a model */

static hid_t start_file(const char *name, hid_t *fc) {
    hid_t file = new_file(scratch(name));
    put_names(file, "layer_names", NAMES_FIXED, NAMES("fc"));
    *fc = put_layer(file, "fc", NAMES_FIXED, NAMES("fc/kernel:0"));
    return file;
}

static void end_file(hid_t file, hid_t fc) {
    H5Gclose(fc);
    H5Fclose(file);
}

static void test_not_a_model(void **state) {
    (void)state;
    hid_t file = new_file(scratch("bare.h5"));
    H5Fclose(file);
    check_refused(scratch("bare.h5"), MRCNN_E_FORMAT, "layer_names");

    file = new_file(scratch("keras3.h5"));
    H5Gclose(H5Gcreate2(file, "layers", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    check_refused(scratch("keras3.h5"), MRCNN_E_UNSUPPORTED, "Keras 3");

    file = new_file(scratch("nogroup.h5"));
    put_names(file, "layer_names", NAMES_FIXED, NAMES("conv1"));
    H5Fclose(file);
    check_refused(scratch("nogroup.h5"), MRCNN_E_FORMAT, "conv1");

    file = new_file(scratch("noattr.h5"));
    put_names(file, "layer_names", NAMES_FIXED, NAMES("conv1"));
    H5Gclose(H5Gcreate2(file, "conv1", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Fclose(file);
    check_refused(scratch("noattr.h5"), MRCNN_E_FORMAT, "weight_names");

    file = new_file(scratch("nothing.h5"));
    put_names(file, "layer_names", NAMES_FIXED, NAMES("input"));
    H5Gclose(put_layer(file, "input", NAMES_FIXED, NO_NAMES));
    H5Fclose(file);
    check_refused(scratch("nothing.h5"), MRCNN_E_FORMAT, "none of them has weights");

    hid_t fc;
    file = start_file("lost.h5", &fc);
    end_file(file, fc);
    check_refused(scratch("lost.h5"), MRCNN_E_FORMAT, "fc/kernel:0");

    file = start_file("group.h5", &fc);
    H5Gclose(H5Gcreate2(fc, "fc", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    hid_t inner = H5Gopen2(fc, "fc", H5P_DEFAULT);
    H5Gclose(H5Gcreate2(inner, "kernel:0", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Gclose(inner);
    end_file(file, fc);
    check_refused(scratch("group.h5"), MRCNN_E_FORMAT, "should be a dataset");
}

/* -------------------------------------------------------------------------------- odd datasets */

typedef struct odd {
    hid_t type;
    int rank;
    hsize_t dims[6];
    hsize_t chunk; /* of each axis; 0: contiguous */
    int early;     /* takes its room in the file at once */
    int filter;
    mrcnn_status status;
    const char *says;
} odd;

static void check_odd(const odd *o) {
    hid_t fc, file = start_file("odd.h5", &fc);
    hid_t inner = H5Gcreate2(fc, "fc", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = o->rank ? H5Screate_simple(o->rank, o->dims, NULL) : H5Screate(H5S_NULL);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t chunk[6];
    for (int i = 0; i < 6; i++) chunk[i] = o->chunk;
    if (o->chunk) H5Pset_chunk(create, o->rank, chunk);
    if (o->filter == H5Z_FILTER_NBIT) H5Pset_nbit(create);
    if (o->filter == H5Z_FILTER_DEFLATE) H5Pset_deflate(create, 9);
    if (o->early) H5Pset_alloc_time(create, H5D_ALLOC_TIME_EARLY);
    hid_t dataset = H5Dcreate2(inner, "kernel:0", o->type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    assert_true(dataset >= 0);
    H5Dclose(dataset);
    H5Pclose(create);
    H5Sclose(space);
    H5Gclose(inner);
    end_file(file, fc);
    check_refused(scratch("odd.h5"), o->status, o->says);
}

static void test_odd_datasets(void **state) {
    (void)state;
    hid_t brain = H5Tcopy(H5T_IEEE_F32LE), text = H5Tcopy(H5T_C_S1);
    H5Tset_fields(brain, 15, 7, 8, 0, 7); /* bfloat16 */
    H5Tset_size(brain, 2);
    H5Tset_size(text, 4);
    const hsize_t huge = (hsize_t)1 << 31;
    const odd cases[] = {
        {H5T_STD_I32LE, 2, {4, 4}, 0, 1, 0, MRCNN_E_UNSUPPORTED, "float32"},
        {brain, 2, {4, 4}, 0, 1, 0, MRCNN_E_UNSUPPORTED, "float32"},
        {text, 2, {4, 4}, 0, 1, 0, MRCNN_E_UNSUPPORTED, "float32"},
        {H5T_IEEE_F32LE, 6, {1, 1, 1, 1, 1, 1}, 0, 1, 0, MRCNN_E_FORMAT, "more than 5 axes"},
        {H5T_IEEE_F32LE, 2, {4, 0}, 0, 0, 0, MRCNN_E_FORMAT, "is empty"},
        {H5T_IEEE_F32LE, 0, {0}, 0, 0, 0, MRCNN_E_FORMAT, "no shape"},
        {H5T_IEEE_F32LE, 1, {huge + 1}, 0, 0, 0, MRCNN_E_FORMAT, "2^31"},
        {H5T_IEEE_F32LE, 3, {huge, huge, huge}, 16, 0, 0, MRCNN_E_FORMAT, "2^31"},
        {H5T_IEEE_F32LE, 1, {huge}, 0, 0, 0, MRCNN_E_FORMAT, "never written"},
        {H5T_IEEE_F32LE, 2, {4, 4}, 0, 0, 0, MRCNN_E_FORMAT, "never written"},
        {H5T_IEEE_F32LE, 2, {64, 64}, 8, 0, 0, MRCNN_E_FORMAT, "never written"},
        {H5T_IEEE_F32LE, 2, {64, 64}, 8, 1, H5Z_FILTER_NBIT, MRCNN_E_UNSUPPORTED, "filter"},
        /* A bomb: 4 MB of zeros in a few KB, and eight thousand times that by its shape. */
        {H5T_IEEE_F32LE, 1, {huge}, 1 << 20, 0, H5Z_FILTER_DEFLATE, MRCNN_E_FORMAT, "never"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) check_odd(&cases[i]);
    H5Tclose(text);
    H5Tclose(brain);
}

/* A small file whose one written chunk promises far more. */
static void test_compression_bomb(void **state) {
    (void)state;
    hid_t fc, file = start_file("bomb.h5", &fc);
    hsize_t all = 1 << 28, chunk = 1 << 16, first = 0;
    hid_t inner = H5Gcreate2(fc, "fc", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, &all, NULL), create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(create, 1, &chunk);
    H5Pset_deflate(create, 9);
    hid_t dataset =
        H5Dcreate2(inner, "kernel:0", H5T_IEEE_F32LE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    hid_t memory = H5Screate_simple(1, &chunk, NULL);
    float *zeros = calloc(chunk, sizeof *zeros);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, NULL, &chunk, NULL);
    H5Dwrite(dataset, H5T_NATIVE_FLOAT, memory, space, H5P_DEFAULT, zeros);
    free(zeros);
    H5Sclose(memory);
    H5Dclose(dataset);
    H5Pclose(create);
    H5Sclose(space);
    H5Gclose(inner);
    end_file(file, fc);
    check_refused(scratch("bomb.h5"), MRCNN_E_FORMAT, "claims more numbers");
}

/* Values in other files, or in no file. */
static void test_elsewhere(void **state) {
    (void)state;
    hsize_t four = 4;
    for (int virtual = 0; virtual < 2; virtual ++) {
        hid_t fc, file = start_file("elsewhere.h5", &fc);
        hid_t inner = H5Gcreate2(fc, "fc", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        hid_t space = H5Screate_simple(1, &four, NULL), create = H5Pcreate(H5P_DATASET_CREATE);
        if (virtual)
            H5Pset_virtual(create, space, "other.h5", "/x", space);
        else
            H5Pset_external(create, "/etc/passwd", 0, 16);
        H5Dclose(
            H5Dcreate2(inner, "kernel:0", H5T_IEEE_F32LE, space, H5P_DEFAULT, create, H5P_DEFAULT));
        H5Pclose(create);
        H5Sclose(space);
        H5Gclose(inner);
        end_file(file, fc);
        check_refused(scratch("elsewhere.h5"), MRCNN_E_UNSUPPORTED,
                      virtual ? "virtual" : "another file");
    }
}

static void test_links(void **state) {
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        hid_t fc, file = start_file("links.h5", &fc);
        hid_t inner = H5Gcreate2(fc, "fc", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        if (kind == 0)
            H5Lcreate_soft("/fc/fc/kernel:0", inner, "kernel:0", H5P_DEFAULT, H5P_DEFAULT);
        if (kind == 1) H5Lcreate_soft("/nowhere", inner, "kernel:0", H5P_DEFAULT, H5P_DEFAULT);
        if (kind == 2)
            H5Lcreate_external("odd.h5", "/fc", inner, "kernel:0", H5P_DEFAULT, H5P_DEFAULT);
        H5Gclose(inner);
        end_file(file, fc);
        check_refused(scratch("links.h5"), MRCNN_E_FORMAT, "link");
    }
}

/* Many layers that are all the same bytes would fill memory from a small file. */
static void test_aliases(void **state) {
    (void)state;
    hid_t file = new_file(scratch("alias.h5"));
    put_names(file, "layer_names", NAMES_FIXED, NAMES("a", "b", "c"));
    hid_t a = put_layer(file, "a", NAMES_FIXED, NAMES("kernel:0"));
    put_values(a, "kernel:0", H5T_IEEE_F32LE, CONTIGUOUS, 0, DIMS(100, 100));
    H5Gclose(a);
    H5Lcreate_hard(file, "a", file, "b", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(file, "a", file, "c", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    check_refused(scratch("alias.h5"), MRCNN_E_FORMAT, "claim more bytes");
}

static void test_names(void **state) {
    (void)state;
    hid_t file = new_file(scratch("twice.h5"));
    put_names(file, "layer_names", NAMES_FIXED, NAMES("fc", "fc"));
    hid_t fc = put_layer(file, "fc", NAMES_FIXED, NAMES("fc/kernel:0"));
    put_values(fc, "fc/kernel:0", H5T_IEEE_F32LE, CONTIGUOUS, 0, DIMS(2));
    end_file(file, fc);
    check_refused(scratch("twice.h5"), MRCNN_E_FORMAT, "fc/kernel");

    file = new_file(scratch("control.h5"));
    put_names(file, "layer_names", NAMES_FIXED, NAMES("con\nv1"));
    H5Fclose(file);
    check_refused(scratch("control.h5"), MRCNN_E_FORMAT, "is not a name");

    char *absurd = malloc(40001);
    memset(absurd, 'x', 40000);
    absurd[40000] = 0;
    file = new_file(scratch("absurd.h5"));
    put_names(file, "layer_names", NAMES_FIXED, (const char *const[]){absurd, NULL});
    H5Fclose(file);
    check_refused(scratch("absurd.h5"), MRCNN_E_FORMAT, "is not a name");
    absurd[300] = 0; /* longer than any tensor's key, but a name */
    file = new_file(scratch("longer.h5"));
    put_names(file, "layer_names", NAMES_FIXED, (const char *const[]){absurd, NULL});
    H5Fclose(file);
    check_refused(scratch("longer.h5"), MRCNN_E_FORMAT, "xxx");
    free(absurd);

    file = new_file(scratch("numbers.h5"));
    hsize_t three = 3;
    hid_t space = H5Screate_simple(1, &three, NULL);
    H5Aclose(H5Acreate2(file, "layer_names", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
    H5Fclose(file);
    check_refused(scratch("numbers.h5"), MRCNN_E_FORMAT, "list of strings");

    file = start_file("latin.h5", &fc);
    put_values(fc, "fc/kernel:0", H5T_IEEE_F32LE, CONTIGUOUS, 0, DIMS(2));
    put_names(file, "mrcnn_class_names", NAMES_VARIABLE, NAMES("BG", "b\xe4r"));
    end_file(file, fc);
    check_refused(scratch("latin.h5"), MRCNN_E_FORMAT, "UTF-8");
}

static void test_not_finite(void **state) {
    (void)state;
    const double values[] = {NAN, INFINITY, -INFINITY, 1e300}; /* the last as float64 */
    for (int i = 0; i < 4; i++)
        for (int type = 0; type < 2; type++) {
            if (values[i] == 1e300 && type == 0) continue;
            hid_t fc, file = start_file("nan.h5", &fc);
            hid_t stored = type ? H5T_IEEE_F64LE : H5T_IEEE_F32LE;
            put_values(fc, "fc/kernel:0", stored, CONTIGUOUS, 0, DIMS(5, 5));
            hid_t dataset = H5Dopen2(fc, "fc/kernel:0", H5P_DEFAULT);
            double all[25] = {0};
            all[17] = values[i];
            H5Dwrite(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, all);
            H5Dclose(dataset);
            end_file(file, fc);
            check_refused(scratch("nan.h5"), MRCNN_E_WEIGHTS, "/fc/fc/kernel:0");
            check_refused(scratch("nan.h5"), MRCNN_E_WEIGHTS, "index 17");
        }
}

/* ------------------------------------------------------------------------------- damaged files */

typedef struct sample {
    unsigned char *bytes;
    size_t length;
} sample;

static void put_model(hid_t root, names_style style, layout how) {
    put_names(root, "layer_names", style, NAMES("conv1", "rpn_model", "fc"));
    put_text(root, "keras_version", "2.1.6");
    hid_t conv = put_layer(root, "conv1", style, NAMES("conv1/kernel:0", "conv1/bias:0"));
    put_values(conv, "conv1/kernel:0", H5T_IEEE_F32LE, how, 1, DIMS(3, 3, 2, 4));
    put_values(conv, "conv1/bias:0", H5T_IEEE_F32LE, how, 2, DIMS(4));
    H5Gclose(conv);
    hid_t rpn = put_layer(root, "rpn_model", style, NAMES("rpn_conv_shared/kernel:0"));
    put_values(rpn, "rpn_conv_shared/kernel:0", H5T_IEEE_F32LE, how, 3, DIMS(3, 3, 4, 8));
    H5Gclose(rpn);
    hid_t fc = put_layer(root, "fc", style, NAMES("fc/kernel:0"));
    put_values(fc, "fc/kernel:0", H5T_IEEE_F64BE, how, 4, DIMS(8, 5));
    H5Gclose(fc);
}

static sample make_sample(names_style style, layout how, int latest) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (latest) H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
    hid_t file = H5Fcreate(scratch("sample.h5"), H5F_ACC_TRUNC, H5P_DEFAULT, access);
    put_model(file, style, how);
    H5Fclose(file);
    H5Pclose(access);
    sample s;
    void *bytes = NULL;
    assert_int_equal(mr_file_read(scratch("sample.h5"), 0, &bytes, &s.length, NULL), MRCNN_OK);
    s.bytes = bytes;
    return s;
}

/* Reads it whatever it is; 1 if it was read. What comes out must be usable, or explained. */
static int read_anyhow(const char *path) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = NULL;
    mr_weights_info info = {0};
    mrcnn_status status = mr_weights_read(&set, &info, path, &err);
    if (status == MRCNN_OK) {
        for (size_t i = 0; i < mr_tensors_count(set); i++) {
            const mr_tensor *t = mr_tensors_at(set, i);
            for (size_t k = 0; k < t->count; k++) assert_true(isfinite(t->values[k]));
        }
        mr_tensors_free(&set);
        mr_weights_info_free(&info);
        return 1;
    }
    assert_null(set);
    assert_int_equal(err.status, status);
    assert_non_null(strstr(err.message, path));
    assert_null(strchr(err.message, '\n'));
    return 0;
}

static void test_truncated(void **state) {
    (void)state;
    sample s = make_sample(NAMES_FIXED, CONTIGUOUS, 0);
    const char *path = scratch("cut.h5");
    for (int i = 0; i < 60; i++) {
        size_t length = s.length * (size_t)i / 60;
        write_bytes(path, s.bytes, length);
        check_refused(path, MRCNN_E_FORMAT,
                      length == 0    ? "empty"
                      : length < 8   ? "first bytes"
                      : length <= 96 ? ""
                                     : "cut off");
    }
    write_bytes(path, s.bytes, s.length);
    assert_true(read_anyhow(path));
    free(s.bytes);
}

static void damage(unsigned char *bytes, size_t length, uint64_t stream) {
    static const int flips[] = {1, 1, 4, 16};
    int count = flips[mr_prng_value(stream, 0) % 4];
    for (uint64_t i = 0; i < (uint64_t)count; i++) {
        size_t at = (size_t)(mr_prng_value(stream, 3 * i + 1) % length);
        uint64_t value = mr_prng_value(stream, 3 * i + 2);
        switch (mr_prng_value(stream, 3 * i + 3) % 4) {
        case 0: bytes[at] = (unsigned char)value; break;
        case 1: bytes[at] ^= (unsigned char)(1u << (value % 8)); break;
        case 2: bytes[at] = 0xFF; break;
        case 3: bytes[at] = (unsigned char)(bytes[at] + (value % 2 ? 1 : 255)); break;
        }
    }
}

/* Flipped bytes at random places of files of several kinds. Many hit values and are harmless; a
 * good part of the others would crash libhdf5 1.10 in this process. */
static void test_damaged(void **state) {
    (void)state;
    const sample samples[] = {
        make_sample(NAMES_FIXED, CONTIGUOUS, 0), make_sample(NAMES_VARIABLE, CONTIGUOUS, 0),
        make_sample(NAMES_VARIABLE, GZIPPED, 0), make_sample(NAMES_FIXED, COMPACT, 1)};
    enum { SAMPLES = sizeof samples / sizeof samples[0], VARIANTS = 100 };
    int good = 0;
    const char *path = scratch("damaged.h5");
    for (int k = 0; k < SAMPLES; k++) {
        unsigned char *bytes = malloc(samples[k].length);
        for (int i = 0; i < VARIANTS; i++) {
            memcpy(bytes, samples[k].bytes, samples[k].length);
            damage(bytes, samples[k].length, mr_prng_stream((uint64_t)(1000 * k + i), "damage"));
            write_bytes(path, bytes, samples[k].length);
            good += read_anyhow(path);
        }
        free(bytes);
        free(samples[k].bytes);
    }
    /* Neither is everything refused, nor anything accepted. */
    assert_true(good > 20 && good < SAMPLES * VARIANTS - 20);
}

static int start(void **state) {
    (void)state;
    make_scratch();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    alarm(300); /* a hang is a failure */
    return 0;
}

static int stop(void **state) {
    (void)state;
    remove_scratch();
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_kinds),  cmocka_unit_test(test_not_a_model),
        cmocka_unit_test(test_odd_datasets), cmocka_unit_test(test_compression_bomb),
        cmocka_unit_test(test_elsewhere),    cmocka_unit_test(test_links),
        cmocka_unit_test(test_aliases),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_not_finite),   cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
