/* test_tracker.c - which box of a frame is which of the frames before. */
#include "helper_assert.h"

#include <mrcnn/video.h>

enum { MOST = 8 };

typedef struct scene {
    mrcnn_tracker *tracker;
    mrcnn_instance instances[MOST];
    mrcnn_result result;
    int32_t ids[MOST];
} scene;

static void begin(scene *s, const mrcnn_tracker_options *options) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    memset(s, 0, sizeof *s);
    s->result = (mrcnn_result){1000, 1000, 0, s->instances};
    assert_int_equal(mrcnn_tracker_create(&s->tracker, options, &err), MRCNN_OK);
}

static void see(scene *s, int class_id, int x, int y, int side) {
    mrcnn_instance *it = &s->instances[s->result.count++];
    *it = (mrcnn_instance){.y1 = y, .x1 = x, .y2 = y + side, .x2 = x + side, .class_id = class_id};
}

static void next(scene *s) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_tracker_update(s->tracker, &s->result, s->ids, &err), MRCNN_OK);
    s->result.count = 0;
}

static void test_ids_follow_boxes_whatever_their_order(void **state) {
    (void)state;
    scene s;
    begin(&s, NULL);
    see(&s, 1, 100, 100, 50);
    see(&s, 1, 300, 100, 50);
    next(&s);
    assert_int_equal(s.ids[0], 1);
    assert_int_equal(s.ids[1], 2);
    see(&s, 1, 305, 100, 50);
    see(&s, 1, 105, 100, 50);
    see(&s, 1, 600, 600, 50);
    next(&s);
    assert_int_equal(s.ids[0], 2);
    assert_int_equal(s.ids[1], 1);
    assert_int_equal(s.ids[2], 3);
    assert_int_equal(mrcnn_tracker_count(s.tracker), 3);
    mrcnn_tracker_free(&s.tracker);
    assert_null(s.tracker);
}

static void test_classes_do_not_mix(void **state) {
    (void)state;
    scene s;
    begin(&s, NULL);
    see(&s, 1, 100, 100, 50);
    next(&s);
    see(&s, 2, 100, 100, 50);
    next(&s);
    assert_int_equal(s.ids[0], 2);
    see(&s, 1, 100, 100, 50);
    see(&s, 2, 100, 100, 50);
    next(&s);
    assert_int_equal(s.ids[0], 1);
    assert_int_equal(s.ids[1], 2);
    mrcnn_tracker_free(&s.tracker);
}

/* 40 pixels a frame and a side of 50: without its speed, boxes would overlap by 10 / 90 only. */
static void test_fast_boxes_keep_their_id(void **state) {
    (void)state;
    scene s;
    begin(&s, &(mrcnn_tracker_options){sizeof(mrcnn_tracker_options), 0.3, 3});
    see(&s, 1, 0, 100, 50);
    next(&s);
    see(&s, 1, 25, 100, 50); /* 25 / 75 is just enough to learn the speed */
    next(&s);
    assert_int_equal(s.ids[0], 1);
    int x = 25;
    for (int step = 32; step <= 40; step += 4) {
        see(&s, 1, x += step, 100, 50);
        next(&s);
        assert_int_equal(s.ids[0], 1);
    }
    next(&s); /* unseen for two frames, during which it goes on */
    next(&s);
    see(&s, 1, x + 3 * 38, 100, 50);
    next(&s);
    assert_int_equal(s.ids[0], 1);
    mrcnn_tracker_free(&s.tracker);
}

static void test_patience_ends(void **state) {
    (void)state;
    for (int gap = 2; gap <= 3; gap++) {
        scene s;
        begin(&s, &(mrcnn_tracker_options){sizeof(mrcnn_tracker_options), 0.5, 2});
        see(&s, 1, 0, 0, 50);
        next(&s);
        for (int i = 0; i < gap; i++) next(&s);
        see(&s, 1, 0, 0, 50);
        next(&s);
        assert_int_equal(s.ids[0], gap == 2 ? 1 : 2);
        mrcnn_tracker_free(&s.tracker);
    }
}

/* Both overlap with the track; the better one gets it, though the other one comes first. */
static void test_the_better_overlap_wins(void **state) {
    (void)state;
    scene s;
    begin(&s, NULL);
    see(&s, 1, 100, 100, 100);
    next(&s);
    see(&s, 1, 130, 100, 100);
    see(&s, 1, 110, 100, 100);
    next(&s);
    assert_int_equal(s.ids[0], 2);
    assert_int_equal(s.ids[1], 1);
    mrcnn_tracker_free(&s.tracker);
}

/* 100 x 100 boxes moved by 50 overlap by 1/3. */
static void test_the_least_overlap_is_what_was_asked_for(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        scene s;
        double least = i ? 0.34 : 0.33;
        begin(&s, &(mrcnn_tracker_options){sizeof(mrcnn_tracker_options), least, 2});
        see(&s, 1, 100, 100, 100);
        next(&s);
        see(&s, 1, 150, 100, 100);
        next(&s);
        assert_int_equal(s.ids[0], i ? 2 : 1);
        mrcnn_tracker_free(&s.tracker);
    }
}

static void test_empty_boxes_and_empty_frames(void **state) {
    (void)state;
    scene s;
    begin(&s, NULL);
    next(&s);
    see(&s, 1, 10, 10, 0);
    next(&s);
    see(&s, 1, 10, 10, 0);
    next(&s);
    assert_int_equal(s.ids[0], 2); /* nothing overlaps with nothing */
    mrcnn_tracker_free(&s.tracker);
    mrcnn_tracker_free(NULL);
}

static void test_options_that_make_no_sense(void **state) {
    (void)state;
    static const mrcnn_tracker_options bad[] = {
        {sizeof *bad, 0, 3}, {sizeof *bad, 1.5, 3}, {sizeof *bad, 0.5, -1}, {0, 0.5, 3}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_tracker *tracker = NULL;
        assert_int_equal(mrcnn_tracker_create(&tracker, &bad[i], &err), MRCNN_E_ARGUMENT);
        assert_null(tracker);
        assert_true(*err.message);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_follow_boxes_whatever_their_order),
        cmocka_unit_test(test_classes_do_not_mix),
        cmocka_unit_test(test_fast_boxes_keep_their_id),
        cmocka_unit_test(test_patience_ends),
        cmocka_unit_test(test_the_better_overlap_wins),
        cmocka_unit_test(test_the_least_overlap_is_what_was_asked_for),
        cmocka_unit_test(test_empty_boxes_and_empty_frames),
        cmocka_unit_test(test_options_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
