/* test_compute.c - matterport's compute_ functions: the reference implementation's cases, and rules one
 * by one. */
#include "helper_assert.h"

#include <mrcnn/eval.h>

#include <math.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------ reference cases */

enum { MOST = 16, MOST_LINE = 4000 };

typedef struct reader {
    FILE *file;
    char line[MOST_LINE];
    int height, width;
    mrcnn_instance items[2][MOST]; /* a and b; objects and detections */
    mrcnn_result sides[2];
    double iou, ap;
    int cases;
} reader;

static mrcnn_mask read_mask(const reader *r, const char *text) {
    mrcnn_mask mask = {0};
    assert_int_equal(mrcnn_mask_from_string(&mask, text, r->height, r->width, NULL), MRCNN_OK);
    return mask;
}

static void begin(reader *r, size_t count0, size_t count1) {
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < r->sides[side].count; i++) mrcnn_mask_free(&r->items[side][i].mask);
        r->sides[side] = (mrcnn_result){r->height, r->width, 0, r->items[side]};
    }
    assert_true(count0 <= MOST && count1 <= MOST);
}

static mrcnn_instance *add(reader *r, int side) {
    assert_true(r->sides[side].count < MOST);
    mrcnn_instance *it = &r->items[side][r->sides[side].count++];
    *it = (mrcnn_instance){0};
    return it;
}

/* `count` numbers behind the line's first word. */
static void read_numbers(const reader *r, double *numbers, size_t count) {
    char *text = strchr(r->line, ' '), *end;
    for (size_t i = 0; i < count; i++, text = end) {
        numbers[i] = strtod(text, &end);
        assert_ptr_not_equal(text, end);
    }
}

static void compare_overlaps(const reader *r, const float *have, size_t count) {
    double want[MOST * MOST];
    read_numbers(r, want, count);
    for (size_t i = 0; i < count; i++) assert_true((double)have[i] == want[i]);
}

static void check_iou(const reader *r) {
    mrcnn_mask masks[2][MOST] = {{{0}}};
    float overlaps[MOST * MOST];
    size_t a = r->sides[0].count, b = r->sides[1].count;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < r->sides[side].count; i++) masks[side][i] = r->items[side][i].mask;
    assert_int_equal(mrcnn_compute_overlaps_masks(masks[0], a, masks[1], b, overlaps, NULL),
                     MRCNN_OK);
    compare_overlaps(r, overlaps, a * b);
}

static void check_matches(const reader *r) {
    mrcnn_matches *m = NULL;
    const mrcnn_result *truth = &r->sides[0], *found = &r->sides[1];
    assert_int_equal(mrcnn_compute_matches(truth, found, r->iou, 0, &m, NULL), MRCNN_OK);
    assert_int_equal(m->truth_count, truth->count);
    assert_int_equal(m->found_count, found->count);
    compare_overlaps(r, m->overlaps, truth->count * found->count);
    for (size_t i = 0; i < found->count; i++) {
        int32_t k = m->found_match[i];
        if (i)
            assert_true(found->instances[m->order[i - 1]].score >=
                        found->instances[m->order[i]].score);
        if (k < 0) continue;
        assert_int_equal(m->truth_match[k], i);
        assert_int_equal(truth->instances[k].class_id, found->instances[m->order[i]].class_id);
        assert_true((double)m->overlaps[i * truth->count + (size_t)k] >= r->iou);
    }
    mrcnn_matches_free(&m);
    assert_null(m);
    mrcnn_matches_free(&m);
}

/* The curve that the line has; the average precision is checked with precisions. */
static void check_curve(const reader *r, int precisions) {
    double want[MOST + 2], have[MOST + 2], ap;
    size_t count = r->sides[1].count + 2;
    read_numbers(r, want, count);
    assert_int_equal(mrcnn_compute_ap(&r->sides[0], &r->sides[1], r->iou, &ap,
                                      precisions ? have : NULL, precisions ? NULL : have, NULL),
                     MRCNN_OK);
    assert_memory_equal(have, want, count * sizeof *have);
    assert_true(ap == r->ap);
}

static void read_line(reader *r) {
    size_t a, b;
    int at = 0, id;
    float score;
    if (sscanf(r->line, "mask_iou %d %d %zu %zu", &r->height, &r->width, &a, &b) == 4 ||
        sscanf(r->line, "compute_ap %d %d %zu %zu %lf %lf", &r->height, &r->width, &a, &b, &r->iou,
               &r->ap) == 6) {
        begin(r, a, b);
        r->cases++;
    }
    if (strncmp(r->line, "a ", 2) == 0) add(r, 0)->mask = read_mask(r, r->line + 2);
    if (strncmp(r->line, "b ", 2) == 0) add(r, 1)->mask = read_mask(r, r->line + 2);
    if (sscanf(r->line, "object %d %n", &id, &at) == 1) {
        mrcnn_instance *it = add(r, 0);
        it->class_id = id;
        it->mask = read_mask(r, r->line + at);
    }
    if (sscanf(r->line, "found %d %f %n", &id, &score, &at) == 2) {
        mrcnn_instance *it = add(r, 1);
        it->class_id = id;
        it->score = score;
        it->mask = read_mask(r, r->line + at);
    }
    if (strncmp(r->line, "iou ", 4) == 0) check_iou(r);
    if (strncmp(r->line, "precisions ", 11) == 0) check_curve(r, 1);
    if (strncmp(r->line, "recalls ", 8) == 0) check_curve(r, 0);
    if (strncmp(r->line, "overlaps ", 9) == 0) check_matches(r);
}

static void test_reference(void **state) {
    reader *r = calloc(1, sizeof *r);
    (void)state;
    r->file = fopen(TEST_DATA "/eval/goldens.txt", "r");
    assert_non_null(r->file);
    while (fgets(r->line, sizeof r->line, r->file)) {
        r->line[strcspn(r->line, "\n")] = 0;
        read_line(r);
    }
    begin(r, 0, 0);
    fclose(r->file);
    assert_int_equal(r->cases, 3);
    free(r);
}

/* --------------------------------------------------------------------------------------- by hand */

/* Pictures of 1 x 10 pixels: a mask is a run. */
typedef struct line {
    uint32_t counts[8][3];
    mrcnn_instance items[8];
    mrcnn_result result;
} line;

static void put(line *l, int class_id, float score, uint32_t begin, uint32_t length) {
    size_t i = l->result.count++;
    l->counts[i][0] = begin;
    l->counts[i][1] = length;
    l->counts[i][2] = 10 - begin - length;
    l->items[i] =
        (mrcnn_instance){.class_id = class_id, .score = score, .mask = {1, 10, 3, l->counts[i]}};
    l->result.height = 1;
    l->result.width = 10;
    l->result.instances = l->items;
}

static double ap_of(const line *truth, const line *found, double iou) {
    double ap = -5;
    assert_int_equal(mrcnn_compute_ap(&truth->result, &found->result, iou, &ap, NULL, NULL, NULL),
                     MRCNN_OK);
    return ap;
}

/* A taken object is passed over; a detection of another class takes none. */
static void test_matches(void **state) {
    line truth = {0}, found = {0};
    mrcnn_matches *m = NULL;
    (void)state;
    put(&truth, 1, 1, 0, 4);
    put(&truth, 1, 1, 4, 4);
    put(&found, 2, 0.5f, 0, 4);
    put(&found, 1, 0.9f, 0, 5); /* 4/5 and 1/8 */
    put(&found, 1, 0.7f, 2, 4); /* 2/6 each */
    assert_int_equal(mrcnn_compute_matches(&truth.result, &found.result, 0.3, 0, &m, NULL), 0);
    const size_t order[] = {1, 2, 0};
    const int32_t found_match[] = {0, 1, -1}, truth_match[] = {0, 1};
    assert_memory_equal(m->order, order, sizeof order);
    assert_memory_equal(m->found_match, found_match, sizeof found_match);
    assert_memory_equal(m->truth_match, truth_match, sizeof truth_match);
    assert_true(m->overlaps[0] == 4.0f / 5 && m->overlaps[1] == 1.0f / 8);
    mrcnn_matches_free(&m);
    /* score_threshold, too, is compared with overlaps. */
    assert_int_equal(mrcnn_compute_matches(&truth.result, &found.result, 0.3, 0.5, &m, NULL), 0);
    assert_int_equal(m->found_match[0], 0);
    assert_int_equal(m->found_match[1], -1);
    mrcnn_matches_free(&m);
}

/* numpy's argsort turned round: of equal scores, and of equal overlaps, the last one comes first. */
static void test_ties(void **state) {
    line truth = {0}, found = {0};
    mrcnn_matches *m = NULL;
    (void)state;
    put(&truth, 1, 1, 0, 4);
    put(&truth, 1, 1, 4, 4);
    put(&found, 1, 0.5f, 2, 4);
    put(&found, 1, 0.5f, 2, 4);
    assert_int_equal(mrcnn_compute_matches(&truth.result, &found.result, 0.3, 0, &m, NULL), 0);
    const size_t order[] = {1, 0};
    const int32_t found_match[] = {1, 0};
    assert_memory_equal(m->order, order, sizeof order);
    assert_memory_equal(m->found_match, found_match, sizeof found_match);
    mrcnn_matches_free(&m);
}

static void test_ap(void **state) {
    line truth = {0}, found = {0}, none = {0};
    double range, ious[] = {0.5, 0.9};
    (void)state;
    put(&truth, 1, 1, 0, 5);
    put(&truth, 2, 1, 5, 5);
    put(&found, 1, 0.9f, 0, 4); /* 0.8 */
    put(&found, 1, 0.8f, 0, 5); /* taken at 0.5, right at 0.9 */
    put(&found, 2, 0.7f, 5, 5); /* 1 */
    /* At 0.5 right, wrong, right: 1/2 * 1 + 1/2 * 2/3. At 0.9 wrong, right, right: 2/3. */
    assert_float_equal(ap_of(&truth, &found, 0.5), 5.0 / 6, 1e-7);
    assert_float_equal(ap_of(&truth, &found, 0.9), 2.0 / 3, 1e-7);
    assert_int_equal(mrcnn_compute_ap_range(&truth.result, &found.result, ious, 2, &range, NULL),
                     MRCNN_OK);
    assert_float_equal(range, (5.0 / 6 + 2.0 / 3) / 2, 1e-7);
    /* 0.80000000000000027 is more than 0.8 in single precision: six thresholds. */
    assert_int_equal(mrcnn_compute_ap_range(&truth.result, &found.result, NULL, 0, &range, NULL),
                     MRCNN_OK);
    int met = 0;
    for (int i = 0; i < 10; i++) met += (double)(4.0f / 5.0f) >= 0.5 + i * (0.55 - 0.5);
    assert_float_equal(range, (met * 5.0 / 6 + (10 - met) * 2.0 / 3) / 10, 1e-7);
    assert_float_equal(ap_of(&truth, &none, 0.5), 0, 0);
    assert_float_equal(ap_of(&none, &none, 0.5), 0, 0);
    assert_true(isnan(ap_of(&none, &found, 0.5)));
}

/* Where both are empty matterport divides 0 by 0, and takes that for a match. */
static void test_empty_masks(void **state) {
    line truth = {0}, found = {0};
    float iou;
    (void)state;
    put(&truth, 1, 1, 0, 0);
    put(&found, 1, 1, 0, 0);
    assert_int_equal(
        mrcnn_compute_overlaps_masks(&truth.items[0].mask, 1, &found.items[0].mask, 1, &iou, NULL),
        MRCNN_OK);
    assert_true(isnan(iou));
    assert_float_equal(ap_of(&truth, &found, 0.5), 1, 0);
    assert_int_equal(mrcnn_compute_overlaps_masks(NULL, 0, NULL, 0, NULL, NULL), MRCNN_OK);
}

static void test_recall(void **state) {
    const double boxes[] = {0, 0, 10, 10, 0, 0, 10, 9, 0, 5, 10, 15, 50, 50, 60, 60};
    const double objects[] = {0, 0, 10, 10, 50, 50, 60, 70, 80, 80, 90, 90};
    double recall;
    size_t ids[4], count;
    (void)state;
    assert_int_equal(mrcnn_compute_recall(boxes, 4, objects, 3, 0.5, &recall, ids, &count, NULL),
                     MRCNN_OK);
    const size_t want[] = {0, 1, 3};
    assert_int_equal(count, 3);
    assert_memory_equal(ids, want, sizeof want);
    assert_float_equal(recall, 2.0 / 3, 1e-15);
    assert_int_equal(mrcnn_compute_recall(boxes, 4, objects, 3, 0.95, &recall, NULL, NULL, NULL),
                     MRCNN_OK);
    assert_float_equal(recall, 1.0 / 3, 1e-15);
    /* A box without an area that lies on an object without one is no match: its IoU is no number. */
    const double point[] = {5, 5, 5, 5};
    mrcnn_compute_recall(point, 1, point, 1, 0.5, &recall, NULL, &count, NULL);
    assert_int_equal(count, 0);
    assert_float_equal(recall, 0, 0);
    mrcnn_compute_recall(point, 1, NULL, 0, 0.5, &recall, NULL, &count, NULL);
    assert_true(isnan(recall));
}

static void test_refused(void **state) {
    line truth = {0}, found = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_matches *m = NULL;
    double ap = 7;
    float iou;
    (void)state;
    put(&truth, 1, 1, 0, 4);
    put(&found, 1, 1, 0, 4);
    found.items[0].mask.width = 5;
    assert_int_equal(mrcnn_compute_matches(&truth.result, &found.result, 0.5, 0, &m, &err),
                     MRCNN_E_ARGUMENT);
    assert_contains(err.message, "one has 5 x 1 pixels, another 10 x 1");
    assert_null(m);
    found.items[0].mask.width = 10;
    found.counts[0][1] = UINT32_MAX;
    assert_int_equal(mrcnn_compute_ap(&truth.result, &found.result, 0.5, &ap, NULL, NULL, &err),
                     MRCNN_E_ARGUMENT);
    assert_contains(err.message, "don't add up");
    assert_int_equal(
        mrcnn_compute_overlaps_masks(&truth.items[0].mask, 1, &found.items[0].mask, 1, &iou, &err),
        MRCNN_E_ARGUMENT);
    found.counts[0][1] = 4;
    found.items[0].score = NAN;
    assert_int_equal(mrcnn_compute_ap_range(&truth.result, &found.result, NULL, 0, &ap, &err),
                     MRCNN_E_ARGUMENT);
    assert_contains(err.message, "instance 0: its score is no number");
    assert_int_equal(mrcnn_compute_ap(NULL, &found.result, 0.5, &ap, NULL, NULL, &err),
                     MRCNN_E_ARGUMENT);
    found.items[0].score = 1;
    assert_int_equal(mrcnn_compute_ap_range(&truth.result, &found.result, &ap, 0, &ap, &err),
                     MRCNN_E_ARGUMENT);
    assert_float_equal(ap, 7, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference), cmocka_unit_test(test_matches),
        cmocka_unit_test(test_ties),      cmocka_unit_test(test_ap),
        cmocka_unit_test(test_recall),    cmocka_unit_test(test_empty_masks),
        cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
