/* test_video_parts.c - parts of the video room by themselves: numbers of frames, display matrices. */
#include "helper_assert.h"

#include "video/convert.h"
#include "video/numbers.h"

static void test_frames_in_another_order_than_packets(void **state) {
    (void)state;
    static const int64_t pts[] = {0, 4, 2, 1, 3, 8, 6, 5, 7}; /* as with B-frames */
    mr_frame_numbers numbers;
    memset(&numbers, 0, sizeof numbers);
    for (int i = 0; i < 9; i++) mr_frame_numbers_add(&numbers, 100 + pts[i], 96 + i);
    for (int i = 0; i < 9; i++) assert_int_equal(mr_frame_numbers_take(&numbers, 100 + i), i);
}

static void test_frames_that_are_missing_count(void **state) {
    (void)state;
    mr_frame_numbers numbers;
    memset(&numbers, 0, sizeof numbers);
    for (int i = 0; i < 5; i++) mr_frame_numbers_add(&numbers, i, i);
    assert_int_equal(mr_frame_numbers_take(&numbers, 0), 0);
    assert_int_equal(mr_frame_numbers_take(&numbers, 3), 3);
    assert_int_equal(mr_frame_numbers_take_next(&numbers), 4);
    assert_int_equal(mr_frame_numbers_take_next(&numbers), 5);
}

static void test_more_packets_than_are_remembered(void **state) {
    (void)state;
    mr_frame_numbers numbers;
    memset(&numbers, 0, sizeof numbers);
    const int64_t many = 10 * MR_FRAME_NUMBERS_PENDING;
    for (int64_t i = 0; i < many; i++) mr_frame_numbers_add(&numbers, 3 * i, 3 * i);
    assert_int_equal(mr_frame_numbers_take(&numbers, 3 * (many - 7)), many - 7);
}

/* All packets are read before the first frame comes out. */
static void test_a_clock_that_begins_anew(void **state) {
    (void)state;
    mr_frame_numbers numbers;
    memset(&numbers, 0, sizeof numbers);
    for (int i = 0; i < 9; i++) mr_frame_numbers_add(&numbers, i % 3, i % 3);
    for (int i = 0; i < 9; i++) assert_int_equal(mr_frame_numbers_take(&numbers, i % 3), i);
}

#ifdef MRCNN_WITH_VIDEO

static void test_display_matrices(void **state) {
    (void)state;
    const int one = 65536;
    const int32_t matrices[8][9] = {
        {one, 0, 0, 0, one, 0, 0, 0, 1 << 30},   {-one, 0, 0, 0, one, 0, 0, 0, 1 << 30},
        {-one, 0, 0, 0, -one, 0, 0, 0, 1 << 30}, {one, 0, 0, 0, -one, 0, 0, 0, 1 << 30},
        {0, one, 0, one, 0, 0, 0, 0, 1 << 30},   {0, one, 0, -one, 0, 0, 0, 0, 1 << 30},
        {0, -one, 0, -one, 0, 0, 0, 0, 1 << 30}, {0, -one, 0, one, 0, 0, 0, 0, 1 << 30}};
    for (int i = 0; i < 8; i++) assert_int_equal(mr_orientation_of_matrix(matrices[i]), i + 1);
    const int32_t slanted[9] = {46341, 46341, 0, -46341, 46341, 0, 0, 0, 1 << 30};
    assert_int_equal(mr_orientation_of_matrix(slanted), 1);
    const int32_t nothing[9] = {0};
    assert_int_equal(mr_orientation_of_matrix(nothing), 1);
    const int32_t extreme[9] = {INT32_MIN, INT32_MAX, 0, INT32_MIN, INT32_MIN, 0, 0, 0, 0};
    assert_int_equal(mr_orientation_of_matrix(extreme), 1);
}

static void test_colors_by_size(void **state) {
    (void)state;
    assert_int_equal(mr_color_by_size(1279, 576).matrix, AVCOL_SPC_SMPTE170M);
    assert_int_equal(mr_color_by_size(1280, 16).matrix, AVCOL_SPC_BT709);
    assert_int_equal(mr_color_by_size(720, 577).matrix, AVCOL_SPC_BT709);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_in_another_order_than_packets),
        cmocka_unit_test(test_frames_that_are_missing_count),
        cmocka_unit_test(test_more_packets_than_are_remembered),
        cmocka_unit_test(test_a_clock_that_begins_anew),
#ifdef MRCNN_WITH_VIDEO
        cmocka_unit_test(test_display_matrices),
        cmocka_unit_test(test_colors_by_size),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
