/* test_header_c.c - the public header as a C program meets it: included first and alone, and its
 * initialisers and version macros as documented. That each header compiles by itself, as C17 and as
 * C++17, is checked while building (tests/CMakeLists.txt); that the library has each function, by
 * check_symbols. */
#include <mrcnn/mrcnn.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void error_starts_out_ok(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(err.status, MRCNN_OK);
    assert_string_equal(err.message, "");
}

static void statuses_have_distinct_names(void **state) {
    (void)state;
    for (int a = MRCNN_OK; a <= MRCNN_E_CANCELLED; a++) {
        assert_true(strlen(mrcnn_status_name((mrcnn_status)a)) > 0);
        for (int b = MRCNN_OK; b < a; b++) {
            assert_string_not_equal(mrcnn_status_name((mrcnn_status)a),
                                    mrcnn_status_name((mrcnn_status)b));
        }
    }
}

static void unknown_status_has_a_name(void **state) {
    (void)state;
    assert_non_null(mrcnn_status_name((mrcnn_status)1000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_starts_out_ok),
        cmocka_unit_test(statuses_have_distinct_names),
        cmocka_unit_test(unknown_status_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
