/* test_base.c - errors, memory, numbers, random streams and parallel loops. */
#include "helper_assert.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/options.h"
#include "base/parallel.h"
#include "base/peak.h"
#include "base/prng.h"

#include <math.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdlib.h>

/* -------------------------------------------------------------------------------------- errors */

static void test_fail(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_fail(&err, MRCNN_E_IO, "%s: %d", "a.txt", 7), MRCNN_E_IO);
    assert_int_equal(err.status, MRCNN_E_IO);
    assert_string_equal(err.message, "a.txt: 7");
    assert_int_equal(mr_prefix(&err, MRCNN_E_IO, "reading"), MRCNN_E_IO);
    assert_string_equal(err.message, "reading: a.txt: 7");
    assert_int_equal(mr_fail_memory(&err, 12, "a test"), MRCNN_E_MEMORY);
    assert_contains(err.message, "12 bytes for a test");
    assert_int_equal(mr_fail(NULL, MRCNN_E_FORMAT, "nobody listens"), MRCNN_E_FORMAT);
    assert_int_equal(mr_prefix(NULL, MRCNN_E_FORMAT, "nobody"), MRCNN_E_FORMAT);
}

/* Names in messages come from files: a message is one line of UTF-8 whatever they are. */
static void test_messages_are_clean(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_fail(&err, MRCNN_E_IO, "%s", "a\nb\tc\x1B[31m\x7F \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x8E\x88");
    assert_string_equal(err.message, "a?b?c?[31m? \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x8E\x88");
    mr_fail(&err, MRCNN_E_IO, "%s",
            "\xFF\x80 \xC3 \xE2\x82 \xC0\xAF \xED\xA0\x80 \xF4\x90\x80\x80 \xE2");
    assert_string_equal(err.message, "?? ? ?? ?? ??? ???? ?");
}

/* A message that is too long ends behind a whole character, for characters of one to four bytes at
 * each place where the cut may fall. */
static void test_messages_are_cut_between_characters(void **state) {
    (void)state;
    static const char *const characters[] = {"a", "\xC3\xA9", "\xE6\xB0\x94", "\xF0\x9F\x8E\x88"};
    for (size_t c = 0; c < 4; c++) {
        size_t bytes = c + 1;
        for (size_t shift = 0; shift < 4; shift++) {
            mrcnn_error err = MRCNN_ERROR_INIT;
            char text[1200] = "xxx";
            text[shift] = 0;
            while (strlen(text) < 1100) strcat(text, characters[c]);
            mr_fail(&err, MRCNN_E_IO, "%s", text);
            size_t room = sizeof err.message - 1, expected = (room - shift) / bytes * bytes + shift;
            assert_int_equal(strlen(err.message), expected);
            assert_memory_equal(err.message, text, expected);
        }
    }
}

static void test_status_names(void **state) {
    (void)state;
    assert_string_equal(mrcnn_status_name(MRCNN_OK), "no error");
    for (int s = MRCNN_OK; s <= MRCNN_E_CANCELLED; s++) {
        assert_string_not_equal(mrcnn_status_name((mrcnn_status)s), "unknown status");
        for (int t = MRCNN_OK; t < s; t++)
            assert_string_not_equal(mrcnn_status_name((mrcnn_status)s),
                                    mrcnn_status_name((mrcnn_status)t));
    }
    assert_string_equal(mrcnn_status_name((mrcnn_status)99), "unknown status");
}

/* -------------------------------------------------------------------------------------- memory */

static void test_sizes(void **state) {
    (void)state;
    size_t out = 7;
    assert_true(mr_mul_size(6, 7, &out) && out == 42);
    assert_true(mr_mul_size(SIZE_MAX, 1, &out) && out == SIZE_MAX);
    assert_true(mr_mul_size(SIZE_MAX, 0, &out) && out == 0);
    assert_true(mr_mul_size(0, SIZE_MAX, &out) && out == 0);
    assert_false(mr_mul_size(SIZE_MAX, 2, &out));
    assert_false(mr_mul_size(SIZE_MAX / 2 + 1, 2, &out));
    assert_true(mr_add_size(SIZE_MAX - 1, 1, &out) && out == SIZE_MAX);
    assert_false(mr_add_size(SIZE_MAX, 1, &out));
}

static void test_allocation(void **state) {
    (void)state;
    int *zeros = mr_calloc(100, sizeof *zeros);
    assert_non_null(zeros);
    for (int i = 0; i < 100; i++) assert_int_equal(zeros[i], 0);
    zeros[99] = 5;
    zeros = mr_realloc(zeros, 1000, sizeof *zeros);
    assert_non_null(zeros);
    assert_int_equal(zeros[99], 5);
    assert_null(mr_realloc(zeros, SIZE_MAX, sizeof *zeros));
    assert_int_equal(zeros[99], 5);
    free(zeros);
    void *none = mr_calloc(0, 0);
    assert_non_null(none);
    free(none);
    for (size_t bytes = 0; bytes < 200; bytes += 7) {
        char *aligned = mr_alloc_aligned(bytes);
        assert_non_null(aligned);
        assert_int_equal((uintptr_t)aligned % 64, 0);
        memset(aligned, 1, bytes);
        free(aligned);
    }
    assert_null(mr_alloc_aligned(SIZE_MAX));
    char *text = mr_format("%s %d", "number", 12);
    assert_string_equal(text, "number 12");
    free(text);
}

/* ------------------------------------------------------------------------------------- numbers */

static void test_numbers_read_back(void **state) {
    (void)state;
    uint64_t stream = mr_prng_stream(3, "test/numbers");
    char text[MR_NUMBER_TEXT];
    double back;
    for (uint64_t i = 0; i < 5000; i++) {
        double value = ldexp(mr_prng_uniform(stream, 2 * i) - 0.5,
                             (int)(mr_prng_value(stream, 2 * i + 1) % 2000) - 1000);
        mr_number_print(value, text);
        assert_true(mr_number_parse(text, &back));
        assert_true(back == value);
    }
}

static void test_numbers_are_short(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1, "1"},
        {100, "100"},
        {-512, "-512"},
        {0.1, "0.1"},
        {123.7, "123.7"},
        {1e-5, "1e-05"},
        {1e15, "1e+15"},
        {1 / 3.0, "0.3333333333333333"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
    };
    char text[MR_NUMBER_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mr_number_print(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_what_is_no_number(void **state) {
    (void)state;
    static const char *const texts[] = {"",   " ",   ".",    "-",   "+-1", "1 ",   " 1",  "1,5",
                                        "1e", "1e+", "0x10", "inf", "nan", "1.5.", "1_0", "--1"};
    double value;
    int64_t whole;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_false(mr_number_parse(texts[i], &value));
        assert_false(mr_integer_parse(texts[i], &whole));
    }
    assert_false(mr_integer_parse("1.0", &whole));
    assert_true(mr_number_parse("1e999", &value) && isinf(value));
    assert_true(mr_integer_parse("9223372036854775807", &whole) && whole == INT64_MAX);
    assert_true(mr_integer_parse("9223372036854775808", &whole) && whole == INT64_MAX);
    assert_true(mr_integer_parse("-9223372036854775808", &whole) && whole == INT64_MIN);
    assert_true(mr_integer_parse("-042", &whole) && whole == -42);
}

/* ------------------------------------------------------------------------------- random streams */

/* Published values of splitmix64 from state 0, and one named stream: weights made from a seed must
 * be the same for ever. */
static void test_random_values(void **state) {
    (void)state;
    assert_true(mr_prng_value(0, 0) == 0xe220a8397b1dcdafu);
    assert_true(mr_prng_value(0, 1) == 0x6e789e6aa1b965f4u);
    assert_true(mr_prng_value(0, 2) == 0x06c45d188009454fu);
    assert_true(mr_prng_stream(1, "conv1/kernel") == 0xde37679fc081b0dbu);
    assert_true(mr_prng_stream(2, "conv1/kernel") != 0xde37679fc081b0dbu);
    assert_true(mr_prng_stream(1, "conv1/bias") != 0xde37679fc081b0dbu);
}

static void test_uniform_values(void **state) {
    (void)state;
    enum { COUNT = 20000, BINS = 10 };
    int bins[BINS] = {0};
    uint64_t stream = mr_prng_stream(1, "test/uniform");
    for (uint64_t i = 0; i < COUNT; i++) {
        double u = mr_prng_uniform(stream, i);
        assert_true(u >= 0 && u < 1);
        assert_true(u == (double)(mr_prng_value(stream, i) >> 11) / 9007199254740992.0);
        bins[(int)(u * BINS)]++;
    }
    for (int b = 0; b < BINS; b++) assert_in_range(bins[b], 1800, 2200); /* 5 sigma: 212 */
}

/* ---------------------------------------------------------------------------------- parallel */

enum { MOST = 300, MOST_THREADS = 9 };

typedef struct visits {
    atomic_int count[MOST];
    atomic_int calls, bad_thread;
    int threads;
    size_t begin[MOST_THREADS], end[MOST_THREADS];
} visits;

static void visit(void *context, size_t begin, size_t end, int thread) {
    visits *v = context;
    for (size_t i = begin; i < end; i++) atomic_fetch_add(&v->count[i], 1);
    atomic_fetch_add(&v->calls, 1);
    if (thread < 0 || thread >= (v->threads > 1 ? v->threads : 1)) {
        atomic_fetch_add(&v->bad_thread, 1);
    } else {
        v->begin[thread] = begin;
        v->end[thread] = end;
    }
}

static void assert_each_once(visits *v, size_t count) {
    for (size_t i = 0; i < MOST; i++)
        assert_int_equal(atomic_load(&v->count[i]), i < count ? 1 : 0);
    assert_int_equal(atomic_load(&v->bad_thread), 0);
}

static void test_parallel_covers_every_index_once(void **state) {
    (void)state;
    static const size_t counts[] = {0, 1, 2, 3, 7, 8, 9, 13, 64, 101, 299, 300};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int threads = -1; threads <= MOST_THREADS; threads++) {
            visits v = {.threads = threads};
            mr_parallel(threads, counts[c], visit, &v);
            assert_each_once(&v, counts[c]);
            size_t parts = threads > 1 ? (size_t)threads : 1;
            if (parts > counts[c]) parts = counts[c];
            assert_int_equal(atomic_load(&v.calls), parts);
            for (size_t p = 0; p < parts; p++) { /* contiguous, nearly equal, in order */
                assert_int_equal(v.begin[p], p ? v.end[p - 1] : 0);
                assert_in_range(v.end[p] - v.begin[p], counts[c] / parts, counts[c] / parts + 1);
            }
        }
}

static void test_parallel_dynamic_covers_every_index_once(void **state) {
    (void)state;
    static const size_t counts[] = {0, 1, 2, 13, 101, 300}, grains[] = {0, 1, 3, 100, 1000};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t g = 0; g < sizeof grains / sizeof *grains; g++)
            for (int threads = 0; threads <= MOST_THREADS; threads += 3) {
                visits v = {.threads = threads};
                mr_parallel_dynamic(threads, counts[c], grains[g], visit, &v);
                assert_each_once(&v, counts[c]);
            }
}

static void test_library_threads(void **state) {
    (void)state;
    assert_true(mr_cores() >= 1);
    int before = mr_set_library_threads(3);
    assert_int_equal(mr_set_library_threads(before), 3);
}

/* --------------------------------------------------------------------------------- the build */

static const char *build_value(const char *name) {
    for (size_t i = 0;; i++) {
        mrcnn_build_item item = mrcnn_build_info(i);
        if (!item.name) return NULL;
        if (strcmp(item.name, name) == 0) return item.value;
    }
}

static void test_build_info(void **state) {
    (void)state;
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", MRCNN_VERSION_MAJOR, MRCNN_VERSION_MINOR,
             MRCNN_VERSION_PATCH);
    assert_string_equal(mrcnn_version(), version);
    static const char *const libraries[] = {"oneDNN", "HDF5", "libjpeg-turbo", "libpng", "libyaml"};
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        const char *value = build_value(libraries[i]);
        assert_non_null(value);
        assert_in_range(value[0], '0', '9');
        assert_non_null(strchr(value, '.'));
    }
#ifdef MRCNN_WITH_CAIRO
    assert_string_not_equal(build_value("cairo"), "not built in");
#else
    assert_string_equal(build_value("cairo"), "not built in");
#endif
#ifdef MRCNN_WITH_CURL
    assert_string_not_equal(build_value("libcurl"), "not built in");
#else
    assert_string_equal(build_value("libcurl"), "not built in");
#endif
    assert_true(strlen(build_value("compiler")) > 0);
    assert_true(strlen(build_value("cpu")) > 0);
    assert_ptr_equal(build_value("cpu"), build_value("cpu"));
    assert_null(mrcnn_build_info(1000).name);
}

/* Each chain tends to 1, so the sum counts them: no loop lost any of its work. */
static void test_peak_loops(void **state) {
    (void)state;
    assert_true(fabsf(mr_peak_generic(1000) - MR_PEAK_GENERIC / 2.0f) < 1e-4f);
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        assert_true(fabsf(mr_peak_avx2(1000) - MR_PEAK_AVX2 / 16.0f) < 1e-4f);
    if (__builtin_cpu_supports("avx512f"))
        assert_true(fabsf(mr_peak_avx512(1000) - MR_PEAK_AVX512 / 32.0f) < 1e-4f);
#endif
}

static void test_peak(void **state) {
    (void)state;
    double one = mrcnn_peak_gflops(1), all = mrcnn_peak_gflops(0);
    print_message("%.1f GFLOP/s on one thread, %.1f on all\n", one, all);
    assert_true(one > 0.5 && one < 2000); /* even a phone does more, no core does as much */
    assert_true(all > 0.5 && all < 2000.0 * mr_cores());
}

/* ------------------------------------------------------------------------------------- options */

typedef struct some_options {
    size_t size;
    int first, second;
} some_options;

static void test_options_of_older_programs(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    some_options taken = {sizeof taken, 1, 2}, given = {offsetof(some_options, second), 7, 8};
    assert_int_equal(mr_take_options(&taken, sizeof taken, &given, "some_options", &err), 0);
    assert_int_equal(taken.first, 7);
    assert_int_equal(taken.second, 2);
    given.size = 1000; /* a newer program's: what is known here is taken */
    assert_int_equal(mr_take_options(&taken, sizeof taken, &given, "some_options", &err), 0);
    assert_int_equal(taken.second, 8);
    assert_int_equal(mr_take_options(&taken, sizeof taken, NULL, "some_options", &err), 0);
    given.size = 0;
    assert_int_equal(mr_take_options(&taken, sizeof taken, &given, "some_options", &err),
                     MRCNN_E_ARGUMENT);
    assert_contains(err.message, "some_options_default()");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_of_older_programs),
        cmocka_unit_test(test_fail),
        cmocka_unit_test(test_messages_are_clean),
        cmocka_unit_test(test_messages_are_cut_between_characters),
        cmocka_unit_test(test_status_names),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_allocation),
        cmocka_unit_test(test_numbers_read_back),
        cmocka_unit_test(test_numbers_are_short),
        cmocka_unit_test(test_what_is_no_number),
        cmocka_unit_test(test_random_values),
        cmocka_unit_test(test_uniform_values),
        cmocka_unit_test(test_parallel_covers_every_index_once),
        cmocka_unit_test(test_parallel_dynamic_covers_every_index_once),
        cmocka_unit_test(test_library_threads),
        cmocka_unit_test(test_build_info),
        cmocka_unit_test(test_peak_loops),
        cmocka_unit_test(test_peak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
