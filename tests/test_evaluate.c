/* test_evaluate.c - mrcnn_evaluate: what it feeds to an evaluation, and what it refuses. Fresh weights
 * find little, so the comparison is with the same steps taken one by one. */
#include "helper_assert.h"

#include <mrcnn/eval.h>

#include <math.h>
#include <stdlib.h>

enum { PICTURES = 6, SIDE = 128 };

typedef struct world {
    mrcnn_model *model;
    mrcnn_session *session;
    mrcnn_dataset *set;
} world;

static const char *const names[] = {"BG", "circle", "square", "triangle", NULL};

static void set_keys(mrcnn_config *config) {
    static const char *const settings[][2] = {{"BACKBONE", "resnet18"},
                                              {"BACKBONE_STEM_WIDTH", "8"},
                                              {"BACKBONE_WIDTHS", "[8, 8, 16, 16]"},
                                              {"TOP_DOWN_PYRAMID_SIZE", "16"},
                                              {"RPN_WIDTH", "16"},
                                              {"MASK_WIDTH", "8"},
                                              {"FPN_CLASSIF_FC_LAYERS_SIZE", "16"},
                                              {"IMAGE_MIN_DIM", "128"},
                                              {"IMAGE_MAX_DIM", "128"},
                                              {"RPN_ANCHOR_SCALES", "[8, 16, 32, 64, 128]"},
                                              {"NUM_CLASSES", "4"},
                                              {"DETECTION_MIN_CONFIDENCE", "0"},
                                              {"DETECTION_MAX_INSTANCES", "300"},
                                              {"POST_NMS_ROIS_INFERENCE", "300"}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_int_equal(mrcnn_config_set(config, settings[i][0], settings[i][1], NULL), MRCNN_OK);
}

static mrcnn_dataset *open_shapes(const char *const *class_names) {
    mrcnn_dataset *set = NULL;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.format = "shapes";
    options.subset = "test";
    options.shapes_count = PICTURES;
    options.shapes_height = options.shapes_width = SIDE;
    options.class_names = class_names;
    assert_int_equal(mrcnn_dataset_open(&set, "shapes", &options, NULL), MRCNN_OK);
    return set;
}

static void forget_model(world *w) {
    mrcnn_session_free(&w->session);
    mrcnn_model_free(&w->model);
}

/* 1 if this seed's network finds a box or two, so that the figures say something. */
static int make_model(world *w, const mrcnn_config *config, uint64_t seed) {
    mrcnn_report *report = NULL;
    mrcnn_session_options options = mrcnn_session_options_default();
    options.threads = 1;
    forget_model(w);
    assert_int_equal(mrcnn_model_create(&w->model, config, seed, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_model_set_class_names(w->model, names, 4, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_session_create(&w->session, w->model, &options, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_evaluate(w->session, w->set, NULL, &report, NULL), MRCNN_OK);
    int finds = report->bbox.ap > 0;
    mrcnn_report_free(&report);
    return finds;
}

static int enter(void **state) {
    enum { MOST_SEEDS = 62 };
    world *w = calloc(1, sizeof *w);
    mrcnn_config *config = NULL;
    uint64_t seed = 12; /* found by trying; others follow where rounding differs */
    *state = w;
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    set_keys(config);
    w->set = open_shapes(names);
    while (seed < MOST_SEEDS && !make_model(w, config, seed)) seed++;
    mrcnn_config_free(&config);
    return seed == MOST_SEEDS;
}

static int leave(void **state) {
    world *w = *state;
    forget_model(w);
    mrcnn_dataset_free(&w->set);
    free(w);
    return 0;
}

/* --------------------------------------------------------------------------------- the same steps */

/* The object's box and area by looking at every pixel. */
static mrcnn_truth look_at(const mrcnn_mask *mask, int class_id) {
    uint8_t bytes[SIDE * SIDE];
    int y1 = SIDE, x1 = SIDE, y2 = 0, x2 = 0, area = 0;
    mrcnn_mask_to_bytes(mask, bytes);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            if (!bytes[y * SIDE + x]) continue;
            area++;
            y1 = y < y1 ? y : y1;
            x1 = x < x1 ? x : x1;
            y2 = y >= y2 ? y + 1 : y2;
            x2 = x >= x2 ? x + 1 : x2;
        }
    return (mrcnn_truth){class_id, 0, x1, y1, x2 - x1, y2 - y1, area, *mask};
}

static void add_picture(const world *w, mrcnn_evaluation *e, size_t index) {
    mrcnn_truth truths[8];
    mrcnn_image image = {0};
    mrcnn_result *found = NULL;
    size_t count = mrcnn_dataset_picture(w->set, index)->object_count;
    assert_in_range(count, 1, 8);
    assert_int_equal(mrcnn_dataset_read(w->set, index, &image, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_detect(w->session, &image, 1, &found, NULL), MRCNN_OK);
    for (size_t i = 0; i < count; i++) {
        mrcnn_mask mask = {0};
        int32_t class_id;
        mrcnn_status status =
            mrcnn_dataset_mask(w->set, index, i, SIDE, SIDE, &mask, &class_id, NULL);
        assert_int_equal(status, MRCNN_OK);
        truths[i] = look_at(&mask, class_id);
    }
    assert_int_equal(mrcnn_evaluation_add(e, truths, count, found, NULL), MRCNN_OK);
    for (size_t i = 0; i < count; i++) mrcnn_mask_free(&truths[i].mask);
    mrcnn_result_free(&found);
    mrcnn_image_free(&image);
}

static void compare(const mrcnn_report *a, const mrcnn_report *b) {
    assert_memory_equal(&a->bbox, &b->bbox, sizeof a->bbox);
    assert_memory_equal(&a->segm, &b->segm, sizeof a->segm);
    assert_float_equal(a->picture_map, b->picture_map, 0);
    assert_int_equal(a->pictures, b->pictures);
    assert_int_equal(a->objects, b->objects);
    assert_int_equal(a->detections, b->detections);
    assert_int_equal(a->class_count, b->class_count);
    for (int i = 1; i < a->class_count; i++)
        assert_memory_equal(&a->classes[i], &b->classes[i], sizeof a->classes[i]);
}

static void test_steps(void **state) {
    const world *w = *state;
    for (size_t limit = 0; limit < 3; limit++) {
        mrcnn_evaluation *e = NULL;
        mrcnn_report *report = NULL, *expected = NULL;
        mrcnn_evaluate_options options = mrcnn_evaluate_options_default();
        options.limit = limit;
        assert_int_equal(mrcnn_evaluation_create(&e, 4, NULL), MRCNN_OK);
        for (size_t i = 0; i < (limit ? limit : PICTURES); i++) add_picture(w, e, i);
        assert_int_equal(mrcnn_evaluation_report(e, &expected, NULL), MRCNN_OK);
        assert_int_equal(mrcnn_evaluate(w->session, w->set, &options, &report, NULL), MRCNN_OK);
        assert_true(report->detections > 0 && report->objects > 0);
        compare(report, expected);
        mrcnn_report_free(&report);
        mrcnn_report_free(&expected);
        mrcnn_evaluation_free(&e);
    }
}

/* ----------------------------------------------------------------------------------------- limits */

static int stop_at_second(void *user, size_t done, size_t total) {
    assert_int_equal(total, PICTURES);
    ++*(size_t *)user;
    return done == 1;
}

static void test_stopped(void **state) {
    const world *w = *state;
    size_t calls = 0;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_report *report = NULL;
    mrcnn_evaluate_options options = mrcnn_evaluate_options_default();
    options.progress = stop_at_second;
    options.user = &calls;
    assert_int_equal(mrcnn_evaluate(w->session, w->set, &options, &report, &err),
                     MRCNN_E_CANCELLED);
    assert_string_equal(err.message, "stopped after 1 of 6 pictures");
    assert_int_equal(calls, 2);
    assert_null(report);
}

static void test_classes(void **state) {
    const world *w = *state;
    static const char *const more[] = {"BG", "circle", "square", "triangle", "star", NULL};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_report *report = NULL;
    mrcnn_dataset *set = open_shapes(NULL);
    assert_int_equal(mrcnn_evaluate(w->session, set, NULL, &report, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message,
                    "class 1 is \"square\" in the data set and \"circle\" in the model");
    mrcnn_dataset_free(&set);
    set = open_shapes(more);
    assert_int_equal(mrcnn_evaluate(w->session, set, NULL, &report, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "the data set has 5 classes with the background, the model 4");
    mrcnn_dataset_free(&set);
    mrcnn_evaluate_options old = mrcnn_evaluate_options_default();
    old.size = 0;
    assert_int_equal(mrcnn_evaluate(w->session, w->set, &old, &report, &err), MRCNN_E_ARGUMENT);
    assert_null(report);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_steps), cmocka_unit_test(test_stopped),
                                       cmocka_unit_test(test_classes)};
    return cmocka_run_group_tests(tests, enter, leave);
}
