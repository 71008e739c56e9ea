/* test_anchor_fit.c - anchors against boxes: the same best IoU as by trying all anchors, recalls by
 * hand, and suggestions that are never worse. */
#include "helper_assert.h"
#include "helper_cli.h"

#include "base/prng.h"
#include "model/anchor_fit.h"
#include "model/boxes.h"

#include <math.h>
#include <stdlib.h>

static mr_settings settings_with(const char *scales, const char *ratios, const char *stride) {
    mrcnn_config *config = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_config_create(&config, NULL, &err), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "RPN_ANCHOR_SCALES", scales, &err), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "RPN_ANCHOR_RATIOS", ratios, &err), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "RPN_ANCHOR_STRIDE", stride, &err), MRCNN_OK);
    mr_settings settings = *mr_config_settings(config);
    mrcnn_config_free(&config);
    return settings;
}

static double iou_of(const mr_fit_box *b, const double a[4]) {
    double y1 = b->y - b->height / 2, x1 = b->x - b->width / 2;
    double h = fmin(a[2], y1 + b->height) - fmax(a[0], y1);
    double w = fmin(a[3], x1 + b->width) - fmax(a[1], x1);
    double both = fmax(h, 0) * fmax(w, 0);
    return both / (b->height * b->width + (a[2] - a[0]) * (a[3] - a[1]) - both);
}

static void test_like_all_anchors(void **state) {
    (void)state;
    for (int k = 0; k < 2; k++) {
        mr_settings s = settings_with("[16, 30, 64, 100, 256]", "[0.5, 1, 2.5]", k ? "2" : "1");
        const int height = 192, width = 320;
        size_t count = mr_anchor_count(&s, height, width);
        double *anchors = malloc(count * 4 * sizeof *anchors);
        assert_non_null(anchors);
        mr_anchors_pixels(&s, height, width, anchors);
        for (uint64_t i = 0; i < 300; i++) {
            const double u[4] = {mr_prng_uniform(1, i), mr_prng_uniform(2, i),
                                 mr_prng_uniform(3, i), mr_prng_uniform(4, i)};
            mr_fit_box box = {u[0] * height,           u[1] * width, 1 + u[2] * u[2] * height,
                              1 + u[3] * u[3] * width, height,       width};
            double best = 0;
            for (size_t a = 0; a < count; a++) best = fmax(best, iou_of(&box, anchors + 4 * a));
            assert_true(fabs(best - mr_best_anchor(&s, &box)) < 1e-12);
        }
        free(anchors);
    }
}

static void test_recall_by_hand(void **state) {
    (void)state;
    mr_settings s = settings_with("[32, 64, 128, 256, 512]", "[1]", "1");
    mrcnn_anchor_recall recall[MRCNN_ANCHOR_SIZES];
    /* On places of the grid: itself; half of an anchor; 3 / 4; nothing like any. */
    const mr_fit_box boxes[] = {{128, 128, 128, 128, 512, 512},
                                {64, 64, 16, 64, 512, 512},
                                {64, 64, 24, 32, 512, 512},
                                {256, 256, 8, 400, 512, 512}};
    mr_anchor_recall(&s, boxes, 4, recall);
    assert_int_equal(recall[MRCNN_ANCHOR_SMALL].objects, 1);
    assert_int_equal(recall[MRCNN_ANCHOR_MEDIUM].objects, 2);
    assert_int_equal(recall[MRCNN_ANCHOR_LARGE].objects, 1);
    assert_true(recall[MRCNN_ANCHOR_SMALL].at70 == 1); /* 0.75 */
    assert_true(recall[MRCNN_ANCHOR_MEDIUM].at50 == 0);
    assert_true(recall[MRCNN_ANCHOR_LARGE].at70 == 1);
    assert_true(recall[MRCNN_ANCHOR_ALL].at50 == 0.5 && recall[MRCNN_ANCHOR_ALL].at70 == 0.5);
    mr_anchor_recall(&s, boxes, 0, recall);
    assert_true(recall[MRCNN_ANCHOR_ALL].at50 == 0);
}

static size_t make_boxes(mr_fit_box *boxes, size_t count, double side, double ratio,
                         double spread) {
    for (uint64_t i = 0; i < count; i++) {
        double s = side * exp(spread * (mr_prng_uniform(7, i) - 0.5));
        double root = sqrt(ratio * exp(spread * (mr_prng_uniform(8, i) - 0.5)));
        boxes[i] = (mr_fit_box){mr_prng_uniform(9, i) * 512,
                                mr_prng_uniform(10, i) * 512,
                                s / root,
                                s * root,
                                512,
                                512};
    }
    return count;
}

enum { BOXES = 500 };

/* Small flat boxes, of which the usual anchors meet few. */
static void test_better(void **state) {
    (void)state;
    mr_settings s = settings_with("[32, 64, 128, 256, 512]", "[0.5, 1, 2]", "1"), found, again;
    mrcnn_anchor_recall before[MRCNN_ANCHOR_SIZES], after[MRCNN_ANCHOR_SIZES];
    mr_fit_box boxes[BOXES];
    make_boxes(boxes, BOXES, 18, 4, 0.6);
    assert_int_equal(mr_fit_anchors(&s, boxes, BOXES, &found), 1);
    mr_anchor_recall(&s, boxes, BOXES, before);
    mr_anchor_recall(&found, boxes, BOXES, after);
    assert_true(before[MRCNN_ANCHOR_ALL].at50 < 0.2);
    assert_true(after[MRCNN_ANCHOR_ALL].at50 > 0.95);
    assert_true(after[MRCNN_ANCHOR_ALL].at70 > 0.4); /* the grid is half a box high */
    for (int i = 1; i < 5; i++)
        assert_true(found.rpn_anchor_scales.values[i] > found.rpn_anchor_scales.values[i - 1]);
    mr_fit_anchors(&s, boxes, BOXES, &again);
    assert_memory_equal(&found, &again, sizeof found);
    assert_int_equal(mr_fit_anchors(&s, boxes, 0, &again), 0); /* nothing to go by */
}

static void test_never_worse(void **state) {
    (void)state;
    mr_fit_box boxes[BOXES];
    for (int kind = 0; kind < 12; kind++) {
        mr_settings found,
            s = settings_with(kind % 2 ? "[8, 16, 32, 64, 128]" : "[512, 256, 128, 64, 32]",
                              kind % 3 ? "[2, 1, 0.5]" : "[1]", "1");
        mrcnn_anchor_recall before[MRCNN_ANCHOR_SIZES], after[MRCNN_ANCHOR_SIZES];
        make_boxes(boxes, BOXES, 10 * (kind + 1), 0.2 * (kind + 1), 0.2 * kind);
        int better = mr_fit_anchors(&s, boxes, BOXES, &found);
        mr_anchor_recall(&s, boxes, BOXES, before);
        mr_anchor_recall(&found, boxes, BOXES, after);
        const mrcnn_anchor_recall *a = &after[MRCNN_ANCHOR_ALL], *b = &before[MRCNN_ANCHOR_ALL];
        assert_true(a->at50 >= b->at50 && a->at70 >= b->at70);
        assert_true(better == (a->at50 + a->at70 > b->at50 + b->at70));
        if (!better) assert_memory_equal(&s, &found, sizeof s);
    }
}

/* Anchors that are what the boxes are stay. */
static void test_keep(void **state) {
    (void)state;
    mr_settings found, s = settings_with("[32, 64, 128, 256, 512]", "[0.5, 1, 2]", "1");
    const mr_fit_box boxes[] = {{128, 128, 64, 64, 512, 512}, {256, 256, 256, 256, 512, 512}};
    assert_int_equal(mr_fit_anchors(&s, boxes, 2, &found), 0);
    assert_memory_equal(&s, &found, sizeof s);
}

static void test_public(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    mrcnn_config *config = NULL;
    mrcnn_anchor_report report;
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.shapes_count = 20;
    assert_int_equal(mrcnn_dataset_open(&set, "shapes", &options, &err), MRCNN_OK);
    assert_int_equal(mrcnn_config_create(&config, "shapes", &err), MRCNN_OK);
    if (mrcnn_anchors_suggest(set, config, NULL, &report, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    assert_int_equal(report.scale_count, 5);
    assert_true(report.scales[0] == 8 && report.scales[4] == 128);
    assert_int_equal(report.pictures_left_out, 0);
    assert_true(report.recall[MRCNN_ANCHOR_ALL].objects >= 20);
    assert_true(report.better_recall[MRCNN_ANCHOR_ALL].at50 >=
                report.recall[MRCNN_ANCHOR_ALL].at50);
    assert_int_equal(mrcnn_anchors_suggest(set, NULL, NULL, &report, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_config_set(config, "RPN_ANCHOR_SCALES", "[8, 16]", &err), MRCNN_OK);
    assert_int_equal(mrcnn_anchors_suggest(set, config, NULL, &report, &err), MRCNN_E_CONFIG);
    assert_contains(err.message, "one scale per pyramid level");
    mrcnn_config_free(&config);
    mrcnn_dataset_free(&set);
}

static void test_balloon(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    mrcnn_config *config = NULL;
    mrcnn_anchor_report report;
    if (!cli_exists(SHARED_DIR "/data/balloon/train")) {
        print_message("balloon: skipped\n");
        return;
    }
    assert_int_equal(mrcnn_dataset_open(&set, SHARED_DIR "/data/balloon", NULL, &err), MRCNN_OK);
    assert_int_equal(mrcnn_config_create(&config, "balloon", &err), MRCNN_OK);
    assert_int_equal(mrcnn_anchors_suggest(set, config, NULL, &report, &err), MRCNN_OK);
    assert_int_equal(report.recall[MRCNN_ANCHOR_ALL].objects, 255);
    assert_int_equal(report.is_better, 1);
    assert_true(report.better_recall[MRCNN_ANCHOR_ALL].at70 >
                report.recall[MRCNN_ANCHOR_ALL].at70 + 0.1);
    mrcnn_config_free(&config);
    mrcnn_dataset_free(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like_all_anchors),
        cmocka_unit_test(test_recall_by_hand),
        cmocka_unit_test(test_better),
        cmocka_unit_test(test_never_worse),
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_public),
        cmocka_unit_test(test_balloon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
