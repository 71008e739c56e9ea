/* test_header_cpp.cpp - the public header as a C++17 program meets it: included first and alone,
 * linked against the library itself as a user would. */
#include <mrcnn/mrcnn.h>

#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

extern "C" { /* cmocka 1.1 leaves that to its users */
#include <cmocka.h>
}

static_assert(std::is_standard_layout<mrcnn_error>::value, "errors cross the C border by value");
static_assert(std::is_trivially_copyable<mrcnn_instance>::value, "so do instances");

static void error_starts_out_ok(void **) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(err.status, MRCNN_OK);
    assert_string_equal(err.message, "");
}

static void functions_link_by_their_c_names(void **) {
    assert_string_equal(std::string(mrcnn_status_name(MRCNN_OK)).c_str(), "no error");
}

int main() {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_starts_out_ok),
        cmocka_unit_test(functions_link_by_their_c_names),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
