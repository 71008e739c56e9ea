/* test_soft_nms.c - Soft-NMS against a plain loop in doubles written from the paper, at its edges, and in
 * the detection layer, with thresholds for single classes. */
#include "helper_assert.h"

#include "base/prng.h"
#include "model/boxes.h"
#include "model/detections.h"

#include <math.h>
#include <stdlib.h>

enum { MOST = 60 };

/* ------------------------------------------------------------------------------- the plain loop */

static double plain_iou(const float *a, const float *b) {
    double h = fmin(a[2], b[2]) - fmax(a[0], b[0]), w = fmin(a[3], b[3]) - fmax(a[1], b[1]);
    double inter = h > 0 && w > 0 ? h * w : 0;
    double area_a = ((double)a[2] - a[0]) * ((double)a[3] - a[1]);
    double area_b = ((double)b[2] - b[0]) * ((double)b[3] - b[1]);
    return area_a > 0 && area_b > 0 ? inter / (area_a + area_b - inter) : 0;
}

/* Figure 2 of the paper, literally: B is what is left, D what was taken. */
static size_t plain_soft_nms(const float *boxes, double *scores, size_t count,
                             const mr_soft_nms *how, size_t most, int *taken) {
    int gone[MOST] = {0};
    size_t kept = 0;
    while (kept < most) {
        int m = -1;
        for (size_t i = 0; i < count; i++)
            if (!gone[i] && (m < 0 || scores[i] > scores[m])) m = (int)i;
        if (m < 0) break;
        gone[m] = 1;
        taken[kept++] = m;
        for (size_t i = 0; i < count; i++) {
            if (gone[i]) continue;
            double iou = plain_iou(boxes + 4 * m, boxes + 4 * i), by = 1;
            if (how->is_gaussian)
                by = exp(-iou * iou / (double)how->sigma);
            else if (iou > (double)how->threshold)
                by = 1 - iou;
            scores[i] *= by;
            if (by < 1 && scores[i] < (double)how->minimum) gone[i] = 1;
        }
    }
    return kept;
}

/* ---------------------------------------------------------------------------------- comparison */

typedef struct crowd {
    size_t count;
    float boxes[4 * MOST], scores[MOST];
} crowd;

/* Boxes in a few heaps, so that many overlap; now and then one without area. */
static crowd make_crowd(uint64_t seed, size_t count) {
    uint64_t stream = mr_prng_stream(seed, "crowd"), n = 0;
    crowd c = {.count = count};
    for (size_t i = 0; i < count; i++) {
        float *b = c.boxes + 4 * i, heap = (float)(mr_prng_value(stream, n++) % 3);
        for (int k = 0; k < 2; k++) {
            b[k] = heap * 0.25f + 0.1f * (float)mr_prng_uniform(stream, n++);
            b[2 + k] = b[k] + 0.1f + 0.2f * (float)mr_prng_uniform(stream, n++);
        }
        if (i % 13 == 5) b[2] = b[0];
        c.scores[i] = (float)mr_prng_uniform(stream, n++);
    }
    return c;
}

static int is_near(double a, double b) {
    return fabs(a - b) <= 1e-6 + 1e-5 * fabs(b);
}

static void check_record(const crowd *before, const float *after, const mr_soft_nms *how,
                         const int32_t *keep, size_t kept, const mr_nms_record *record) {
    for (size_t i = 0; i < before->count; i++) {
        int32_t by = record->by[i];
        size_t place = 0;
        while (place < kept && keep[place] != (int32_t)i) place++;
        assert_int_equal(place < kept, by == MR_NMS_KEPT);
        if (by < 0) {
            assert_true(record->iou[i] == 0);
            continue;
        }
        assert_int_equal(record->by[by], MR_NMS_KEPT);
        assert_true(after[i] < how->minimum && after[i] < before->scores[i]);
        assert_true(is_near((double)record->iou[i],
                            plain_iou(before->boxes + 4 * i, before->boxes + 4 * (size_t)by)));
    }
}

static void compare(const crowd *c, const mr_soft_nms *how, size_t most) {
    float scores[MOST], iou[MOST];
    double wanted[MOST];
    int taken[MOST];
    int32_t keep[MOST], left[MOST], by[MOST];
    mr_nms_record record = {by, iou};
    for (size_t i = 0; i < c->count; i++) wanted[i] = (double)(scores[i] = c->scores[i]);
    size_t want = plain_soft_nms(c->boxes, wanted, c->count, how, most, taken);
    size_t kept = mr_nms_soft(c->boxes, scores, c->count, how, most, keep, left, &record);
    assert_int_equal(kept, want);
    for (size_t i = 0; i < kept; i++) {
        assert_int_equal(keep[i], taken[i]);
        assert_true(is_near((double)scores[keep[i]], wanted[keep[i]]));
        if (i) assert_true(scores[keep[i]] <= scores[keep[i - 1]]);
    }
    check_record(c, scores, how, keep, kept, &record);
    /* A record changes nothing. */
    float again[MOST];
    int32_t keep_again[MOST];
    memcpy(again, c->scores, sizeof again);
    assert_int_equal(mr_nms_soft(c->boxes, again, c->count, how, most, keep_again, left, NULL),
                     kept);
    assert_memory_equal(keep_again, keep, kept * sizeof *keep);
    assert_memory_equal(again, scores, c->count * sizeof *again);
}

static void equals_the_plain_loop(void **state) {
    (void)state;
    static const float minima[] = {0, 0.05f, 0.4f}, sigmas[] = {0.1f, 0.5f, 3};
    static const float thresholds[] = {0, 0.3f, 0.9f};
    for (uint64_t seed = 0; seed < 12; seed++)
        for (int i = 0; i < 9; i++) {
            crowd c = make_crowd(seed, seed * 5 + 4);
            mr_soft_nms how = {
                .sigma = sigmas[i % 3], .threshold = thresholds[i % 3], .minimum = minima[i / 3]};
            for (how.is_gaussian = 0; how.is_gaussian < 2; how.is_gaussian++) {
                compare(&c, &how, MOST);
                compare(&c, &how, 3);
            }
        }
}

/* -------------------------------------------------------------------------------------- edges */

static const mr_soft_nms linear = {.threshold = 0.3f, .sigma = 0.5f, .minimum = 0.001f};
static const mr_soft_nms gaussian = {1, 0.3f, 0.5f, 0.001f};

static void of_equal_scores_the_first_is_better(void **state) {
    (void)state;
    const float boxes[] = {0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3};
    float scores[] = {0.5f, 0.5f, 0.5f};
    int32_t keep[3], left[3];
    assert_int_equal(mr_nms_soft(boxes, scores, 3, &gaussian, 3, keep, left, NULL), 3);
    assert_int_equal(keep[0], 0);
    assert_int_equal(keep[1], 2);
    assert_int_equal(keep[2], 1);
    assert_true(is_near((double)scores[1], 0.5 * exp(-1 / 0.5)));
    assert_true(scores[0] == 0.5f && scores[2] == 0.5f);
}

/* The same box again has no score left by the linear rule: it is gone, whatever the minimum. */
static void copies_vanish(void **state) {
    (void)state;
    const float boxes[] = {0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0};
    float scores[] = {0.9f, 0.8f, 0.7f}, iou[3];
    int32_t keep[3], left[3], by[3];
    mr_nms_record record = {by, iou};
    assert_int_equal(mr_nms_soft(boxes, scores, 3, &linear, 3, keep, left, &record), 1);
    assert_true(scores[1] == 0 && scores[2] == 0); /* a flipped box is the same box */
    assert_true(by[1] == 0 && by[2] == 0 && iou[1] == 1 && iou[2] == 1);
}

static void nothing_and_no_room(void **state) {
    (void)state;
    const float box[] = {0, 0, 1, 1};
    float score = 0.5f, iou;
    int32_t keep[1], left[1], by;
    mr_nms_record record = {&by, &iou};
    assert_int_equal(mr_nms_soft(box, &score, 0, &linear, 1, keep, left, NULL), 0);
    assert_int_equal(mr_nms_soft(box, &score, 1, &linear, 0, keep, left, &record), 0);
    assert_int_equal(by, MR_NMS_BEYOND);
}

/* Boxes that can't be compared, and those without area, take no score and lose none. */
static void odd_boxes_stay_as_they_are(void **state) {
    (void)state;
    const float odd[][4] = {
        {NAN, 0, 1, 1},        {0, 0, INFINITY, 1},  {-INFINITY, 0, INFINITY, 1},
        {0.5f, 0.5f, 0.5f, 1}, {NAN, NAN, NAN, NAN}, {2, 2, 2, 2}};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        for (int mode = 0; mode < 2; mode++) {
            float boxes[12] = {0, 0, 1, 1}, scores[] = {0.6f, 0.8f, 0.7f};
            int32_t keep[3], left[3];
            memcpy(boxes + 4, odd[i], sizeof odd[i]);
            memcpy(boxes + 8, odd[i], sizeof odd[i]);
            assert_int_equal(
                mr_nms_soft(boxes, scores, 3, mode ? &gaussian : &linear, 3, keep, left, NULL), 3);
            assert_true(scores[0] == 0.6f && scores[1] == 0.8f && scores[2] == 0.7f);
        }
}

/* --------------------------------------------------------------------------- the detection layer */

enum { CLASSES = 3, ROWS = 6 };

/* Six proposals without deltas. Those of class 1: two copies, one that overlaps them by a half, one far
 * away; of class 2: one where the copies are, and a weak one. */
static const float rois[ROWS * 4] = {0,    0,   0.4f, 0.4f, 0,    0,    0.4f, 0.4f,
                                     0.1f, 0.f, 0.5f, 0.4f, 0.6f, 0.6f, 0.9f, 0.9f,
                                     0,    0,   0.4f, 0.4f, 0.6f, 0,    0.9f, 0.3f};
static const float probs[ROWS * CLASSES] = {0.05f, 0.9f,  0.05f, 0.1f, 0.8f,  0.1f,
                                            0.2f,  0.7f,  0.1f,  0.3f, 0.6f,  0.1f,
                                            0.1f,  0.05f, 0.85f, 0.3f, 0.25f, 0.45f};

typedef struct layer {
    mr_detection found[ROWS];
    size_t count;
    mrcnn_proposal rows[ROWS];
} layer;

static layer detect(const char *nms, const float confidence[CLASSES], const float *scores) {
    static const float deltas[ROWS * CLASSES * 4] = {0}, window[4] = {0, 0, 1, 1};
    layer l = {.count = 0};
    mrcnn_config *config = NULL;
    int32_t by[ROWS];
    float iou[ROWS];
    mr_detection_record record = {l.rows, {by, iou}};
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    const char *keys[][2] = {{"DETECTION_NMS", nms},
                             {"NUM_CLASSES", "3"},
                             {"DETECTION_MAX_INSTANCES", "6"},
                             {"DETECTION_NMS_THRESHOLD", "0.3"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(mrcnn_config_set(config, keys[i][0], keys[i][1], NULL), MRCNN_OK);
    mr_box_output out = {rois, 4, 0, scores, deltas, ROWS, ROWS};
    assert_int_equal(mr_refine_detections(&out, window, mr_config_settings(config), confidence,
                                          l.found, &l.count, &record, NULL),
                     MRCNN_OK);
    mrcnn_config_free(&config);
    return l;
}

static void assert_found(const layer *l, const int *rows, size_t count) {
    assert_int_equal(l->count, count);
    for (size_t i = 0; i < count; i++) {
        const mrcnn_proposal *row = &l->rows[rows[i]];
        assert_int_equal(l->found[i].roi, rows[i]);
        assert_int_equal(row->fate, MRCNN_FATE_KEPT);
        assert_int_equal(row->instance, i);
        assert_true(row->final_score == l->found[i].score);
        if (i) assert_true(l->found[i].score <= l->found[i - 1].score);
    }
}

/* Worked out by hand: IoU of row 2 with the copies is 0.12 / 0.2 = 0.6. */
static void scores_fall_within_a_class(void **state) {
    (void)state;
    static const float any[CLASSES] = {0, 0, 0};
    layer l = detect("hard", any, probs);
    assert_found(&l, (const int[]){0, 4, 3, 5}, 4);
    assert_true(l.rows[1].suppressed_by == 0 && l.rows[2].suppressed_by == 0);
    assert_true(l.rows[2].final_score == 0.7f);

    l = detect("linear", any, probs);
    assert_found(&l, (const int[]){0, 4, 3, 5, 2}, 5);
    assert_true(is_near((double)l.found[4].score, 0.7 * 0.4));
    assert_int_equal(l.rows[1].fate, MRCNN_FATE_SUPPRESSED);
    assert_true(l.rows[1].suppressed_by == 0 && l.rows[1].iou == 1);
    assert_true(l.rows[1].score == 0.8f && l.rows[1].final_score == 0);
    assert_true(l.rows[2].score == 0.7f);

    l = detect("gaussian", any, probs);
    assert_int_equal(l.count, 6);
    /* Row 1 has 0.8 exp(-2) left of row 0, and after row 2, which keeps more, less again. */
    double two = 0.7 * exp(-0.36 / 0.5), one = 0.8 * exp(-1 / 0.5) * exp(-0.36 / 0.5);
    assert_found(&l, (const int[]){0, 4, 3, 5, 2, 1}, 6);
    assert_true(is_near((double)l.found[4].score, two));
    assert_true(is_near((double)l.found[5].score, one));
}

/* Before and after: what Soft-NMS leaves is compared with the class's own minimum. */
static void each_class_has_its_minimum(void **state) {
    (void)state;
    static const float strict[CLASSES] = {0, 0.65f, 0.4f}, other[CLASSES] = {0, 0.3f, 0.9f};
    layer l = detect("hard", strict, probs);
    assert_found(&l, (const int[]){0, 4, 5}, 3);
    assert_int_equal(l.rows[3].fate, MRCNN_FATE_CONFIDENCE);
    assert_int_equal(l.rows[2].fate, MRCNN_FATE_SUPPRESSED);

    l = detect("gaussian", strict, probs);
    assert_found(&l, (const int[]){0, 4, 5}, 3);
    assert_int_equal(l.rows[3].fate, MRCNN_FATE_CONFIDENCE);
    assert_int_equal(l.rows[2].fate, MRCNN_FATE_SUPPRESSED);
    assert_true(l.rows[2].final_score < 0.65f && l.rows[2].suppressed_by == 0);

    l = detect("gaussian", other, probs);
    assert_found(&l, (const int[]){0, 3, 2}, 3);
    assert_int_equal(l.rows[4].fate, MRCNN_FATE_CONFIDENCE);
}

/* A minimum of exactly the score keeps it. Scores that are no numbers are nobody's best class. */
static void minima_and_nan(void **state) {
    (void)state;
    static const float exact[CLASSES] = {0, 0.9f, 0.85f}, any[CLASSES] = {0, 0, 0};
    static const char *const modes[] = {"hard", "linear", "gaussian"};
    float broken[ROWS * CLASSES];
    for (int i = 0; i < ROWS * CLASSES; i++) broken[i] = i % 2 ? NAN : probs[i];
    for (int mode = 0; mode < 3; mode++) {
        layer l = detect(modes[mode], exact, probs);
        assert_found(&l, (const int[]){0, 4}, 2);
        l = detect(modes[mode], any, broken);
        for (size_t i = 0; i < l.count; i++) assert_false(isnan(l.found[i].score));
        for (int i = 0; i < ROWS * CLASSES; i++) broken[i] = NAN;
        assert_int_equal(detect(modes[mode], any, broken).count, 0);
        for (int i = 0; i < ROWS * CLASSES; i++) broken[i] = i % 2 ? NAN : probs[i];
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_the_plain_loop),
        cmocka_unit_test(of_equal_scores_the_first_is_better),
        cmocka_unit_test(copies_vanish),
        cmocka_unit_test(nothing_and_no_room),
        cmocka_unit_test(odd_boxes_stay_as_they_are),
        cmocka_unit_test(scores_fall_within_a_class),
        cmocka_unit_test(each_class_has_its_minimum),
        cmocka_unit_test(minima_and_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
