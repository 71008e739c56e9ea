/* test_targets_rpn.c - RPN targets (N56-N60): against the oracle's values, against the rules written
 * down without any shortcut, and how anchors are drawn when there are too many. */
#include "helper_assert.h"
#include "helper_cases.h"

#include "base/prng.h"
#include "model/targets.h"

#include <math.h>
#include <stdlib.h>

static mrcnn_config *config;

static int make_config(void **state) {
    (void)state;
    return mrcnn_config_create(&config, NULL, NULL) != MRCNN_OK;
}

static int free_config(void **state) {
    (void)state;
    mrcnn_config_free(&config);
    return 0;
}

static void set(const char *key, const char *value) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_config_set(config, key, value, &err) != MRCNN_OK) fail_msg("%s", err.message);
}

static double *make_anchors(int height, int width, size_t *count) {
    const mr_settings *s = mr_config_settings(config);
    *count = mr_anchor_count(s, height, width);
    double *anchors = malloc((*count + 1) * 4 * sizeof *anchors);
    assert_non_null(anchors);
    mr_anchors_pixels(s, height, width, anchors);
    return anchors;
}

static mr_rpn_targets build(const double *anchors, size_t count, const mr_ground_truth *truth,
                            uint64_t stream) {
    mr_rpn_targets t = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_build_rpn_targets(&t, anchors, count, truth, mr_config_settings(config), stream, &err) !=
        MRCNN_OK)
        fail_msg("%s", err.message);
    return t;
}

/* ------------------------------------------------------------------------------------- goldens */

static void check_case(const oracle_case *c) {
    npy_array ids = case_array(c, c->in, "gt_ids"), gt = case_array(c, c->in, "gt_boxes");
    npy_array match = case_array(c, c->out, "match"), bbox = case_array(c, c->out, "bbox");
    int32_t class_ids[64], boxes[64][4];
    assert_true(ids.count <= 64);
    for (size_t i = 0; i < ids.count; i++) class_ids[i] = (int32_t)ids.data[i];
    for (size_t i = 0; i < gt.count; i++) boxes[i / 4][i % 4] = (int32_t)gt.data[i];
    case_set(c, config, "RPN_ANCHOR_SCALES", "scales");
    case_set(c, config, "RPN_TRAIN_ANCHORS_PER_IMAGE", "train_anchors");
    set("SAMPLING", "first");
    size_t count;
    double *anchors = make_anchors(case_int_at(c, "shape", 0), case_int_at(c, "shape", 1), &count);
    assert_int_equal(count, match.count);
    mr_ground_truth truth = {
        .count = (int)ids.count, .class_ids = class_ids, .boxes = (const int32_t(*)[4])boxes};
    mr_rpn_targets t = build(anchors, count, &truth, 0);
    int at = 0;
    for (size_t i = 0; i < count; i++) {
        int here = at < t.count && (size_t)t.anchors[at] == i;
        if ((here ? t.matches[at] : 0) != (int)match.data[i])
            fail_msg("%s: anchor %zu is %d", c->name, i, here ? t.matches[at] : 0);
        at += here;
    }
    assert_int_equal(at, t.count);
    assert_true(t.positive_count > 0);
    for (size_t i = 0; i < (size_t)t.positive_count * 4; i++) {
        float want = (float)bbox.data[i], have = t.deltas[i / 4][i % 4];
        if (fabsf(have - want) > 1e-6f * (1 + fabsf(want)))
            fail_msg("%s: delta %zu is %g, not %g", c->name, i, (double)have, (double)want);
    }
    mr_rpn_targets_free(&t);
    free(anchors);
    npy_free(&ids), npy_free(&gt), npy_free(&match), npy_free(&bbox);
}

static void kept_goldens(void **state) {
    (void)state;
    assert_int_equal(cases_run(TEST_DATA "/targets", "build_rpn_targets", check_case), 4);
}

static void shared_goldens(void **state) {
    (void)state;
    int count = cases_run(SHARED_DIR "/goldens/unit", "build_rpn_targets", check_case);
    if (count < 0) {
        printf("skipped: no goldens in " SHARED_DIR "\n");
        skip();
    }
    assert_true(count > 0);
}

/* -------------------------------------------------------------------- the rules, word for word */

enum { MOST_OBJECTS = 30 };

typedef struct scene {
    int count;
    int32_t class_ids[MOST_OBJECTS], boxes[MOST_OBJECTS][4];
} scene;

static mr_ground_truth truth_of(const scene *s) {
    mr_ground_truth truth = {.count = s->count, .class_ids = s->class_ids, .boxes = s->boxes};
    return truth;
}

static double plain_iou(const double *a, const int32_t *b) {
    double h = fmin(a[2], b[2]) - fmax(a[0], b[0]), w = fmin(a[3], b[3]) - fmax(a[1], b[1]);
    double inter = fmax(w, 0) * fmax(h, 0);
    double area_a = (a[2] - a[0]) * (a[3] - a[1]);
    double area_b = (double)(b[2] - b[0]) * (b[3] - b[1]);
    return inter / (area_a + area_b - inter);
}

/* Matches before sampling; arg: each anchor's own object, -1 without one. */
static void plain_match(const double *anchors, size_t count, const scene *s, int8_t *match,
                        int *arg) {
    double best[MOST_OBJECTS];
    for (int g = 0; g < s->count; g++) {
        best[g] = -1;
        for (size_t i = 0; i < count; i++)
            best[g] = fmax(best[g], plain_iou(anchors + 4 * i, s->boxes[g]));
    }
    for (size_t i = 0; i < count; i++) {
        double most = -1, crowd = 0;
        int tied = 0;
        arg[i] = -1;
        for (int g = 0; g < s->count; g++) {
            double iou = plain_iou(anchors + 4 * i, s->boxes[g]);
            if (s->class_ids[g] < 0) {
                crowd = fmax(crowd, iou);
                continue;
            }
            tied |= iou == best[g];
            if (iou > most) {
                most = iou;
                arg[i] = g;
            }
        }
        match[i] = (int8_t)(most < 0.3 && crowd < 0.001 ? -1 : 0);
        if (tied || most >= 0.7) match[i] = 1;
    }
}

static void check_deltas(const double *anchors, const mr_rpn_targets *t, const scene *s,
                         const int *arg) {
    const mr_floats *deviation = &mr_config_settings(config)->rpn_bbox_std_dev;
    int positive = 0;
    for (int k = 0; k < t->count; k++) {
        if (t->matches[k] != 1) continue;
        const double *a = anchors + 4 * (size_t)t->anchors[k];
        const int32_t *g = s->boxes[arg[t->anchors[k]]];
        const float *d = t->deltas[positive++];
        double h = a[2] - a[0], w = a[3] - a[1];
        double y = (a[0] + a[2]) / 2 + d[0] * deviation->values[0] * h;
        double x = (a[1] + a[3]) / 2 + d[1] * deviation->values[1] * w;
        h *= exp(d[2] * deviation->values[2]);
        w *= exp(d[3] * deviation->values[3]);
        assert_true(fabs(y - h / 2 - g[0]) < 1e-3 && fabs(x - w / 2 - g[1]) < 1e-3);
        assert_true(fabs(y + h / 2 - g[2]) < 1e-3 && fabs(x + w / 2 - g[3]) < 1e-3);
    }
    assert_int_equal(positive, t->positive_count);
}

/* Everything but which anchors were drawn. */
static void check_scene(const scene *s, const double *anchors, size_t count, uint64_t stream) {
    int8_t *match = calloc(count + 1, 1);
    int *arg = calloc(count + 1, sizeof *arg);
    assert_true(match && arg);
    plain_match(anchors, count, s, match, arg);
    const mr_settings *settings = mr_config_settings(config);
    int positives = 0, negatives = 0, all = settings->rpn_train_anchors_per_image;
    for (size_t i = 0; i < count; i++) {
        positives += match[i] == 1;
        negatives += match[i] == -1;
    }
    if (positives > all / 2) positives = all / 2;
    if (negatives > all - positives) negatives = all - positives;
    mr_ground_truth truth = truth_of(s);
    mr_rpn_targets t = build(anchors, count, &truth, stream);
    assert_int_equal(t.positive_count, positives);
    assert_int_equal(t.count, positives + negatives);
    int seen[2] = {0};
    for (int k = 0; k < t.count; k++) {
        if (k > 0) assert_true(t.anchors[k] > t.anchors[k - 1]);
        assert_int_equal(t.matches[k], match[t.anchors[k]]);
        seen[t.matches[k] == 1]++;
    }
    assert_int_equal(seen[1], positives);
    /* SAMPLING first: none before the last one taken was left out. */
    if (settings->sampling == MR_SAMPLE_FIRST) {
        int left[2] = {negatives, positives}, k = 0;
        for (size_t i = 0; i < count; i++) {
            int here = k < t.count && (size_t)t.anchors[k] == i;
            if (match[i] && left[match[i] == 1] > 0) {
                assert_true(here);
                left[match[i] == 1]--;
            }
            k += here;
        }
    }
    check_deltas(anchors, &t, s, arg);
    mr_rpn_targets_free(&t);
    free(match);
    free(arg);
}

static int below(uint64_t stream, uint64_t *draw, int limit) {
    return (int)(mr_prng_uniform(stream, (*draw)++) * limit);
}

static void random_scene(scene *s, uint64_t seed, int height, int width) {
    uint64_t stream = mr_prng_stream(seed, "scene"), draw = 0;
    s->count = 1 + below(stream, &draw, MOST_OBJECTS);
    for (int i = 0; i < s->count; i++) {
        int y = below(stream, &draw, height), x = below(stream, &draw, width);
        int h = 1 + below(stream, &draw, height - y), w = 1 + below(stream, &draw, width - x);
        int32_t box[4] = {y, x, y + h, x + w};
        s->class_ids[i] = below(stream, &draw, 4) == 0 ? -1 : 2;
        memcpy(s->boxes[i], i > 0 && below(stream, &draw, 8) == 0 ? s->boxes[i - 1] : box,
               sizeof box);
    }
}

static void like_the_rules(void **state) {
    (void)state;
    static const int sizes[][2] = {{64, 64}, {128, 192}, {100, 37}};
    static const char *const scales[] = {"[8, 16, 32, 64, 128]", "[32, 64, 128, 256, 512]",
                                         "[3, 3, 3, 3, 3]"};
    for (size_t i = 0; i < 36; i++) {
        size_t count;
        scene s;
        set("RPN_TRAIN_ANCHORS_PER_IMAGE", i % 7 < 3 ? "61" : "30000"); /* some, or all */
        set("RPN_ANCHOR_SCALES", scales[i % 3]);
        set("RPN_ANCHOR_STRIDE", i % 5 == 4 ? "2" : "1");
        set("SAMPLING", i % 2 ? "random" : "first");
        const int *size = sizes[i / 3 % 3];
        double *anchors = make_anchors(size[0], size[1], &count);
        random_scene(&s, i, size[0], size[1]);
        check_scene(&s, anchors, count, i);
        free(anchors);
    }
}

/* Boxes on the anchors themselves: IoU 1, exact thresholds and many ties. */
static void ties(void **state) {
    (void)state;
    size_t count;
    set("RPN_ANCHOR_SCALES", "[8, 16, 32, 64, 128]");
    double *anchors = make_anchors(64, 64, &count);
    scene s = {
        4, {1, 2, 1, -1}, {{12, 12, 20, 20}, {12, 12, 20, 20}, {30, 30, 32, 32}, {0, 0, 9, 9}}};
    check_scene(&s, anchors, count, 1);
    free(anchors);
}

/* IoU of exactly 0.7 is positive, of exactly 0.3 nothing, and 0.001 of a crowd isn't background. */
static void thresholds(void **state) {
    (void)state;
    static const double anchors[][4] = {{0, 0, 10, 10},     {0, 0, 7, 10},    {0, 0, 6.99, 10},
                                        {0, 0, 3, 10},      {0, 0, 2.99, 10}, {20, 0, 30, 100},
                                        {40, 0, 50, 100.1}, {60, 0, 70, 10}};
    static const int8_t want[] = {1, 1, 0, 0, -1, 0, -1, -1};
    scene s = {3, {1, -1, -2}, {{0, 0, 10, 10}, {20, 0, 21, 1}, {40, 0, 41, 1}}};
    mr_ground_truth truth = truth_of(&s);
    mr_rpn_targets t = build(anchors[0], 8, &truth, 0);
    int8_t have[8] = {0};
    for (int k = 0; k < t.count; k++) have[t.anchors[k]] = t.matches[k];
    assert_memory_equal(have, want, sizeof want);
    mr_rpn_targets_free(&t);
}

static void nothing_to_match(void **state) {
    (void)state;
    size_t count;
    double *anchors = make_anchors(64, 64, &count);
    scene none = {0}, crowd = {1, {-1}, {{0, 0, 32, 32}}},
          apart = {2, {1, 1}, {{0, 0, 9, 9}, {500, 500, 510, 510}}};
    check_scene(&none, anchors, count, 1);
    check_scene(&crowd, anchors, count, 1);
    check_scene(&apart, anchors, count, 1); /* every anchor is the second one's best */
    mr_ground_truth truth = truth_of(&none);
    mr_rpn_targets t = build(anchors, 0, &truth, 1); /* no anchors either */
    assert_int_equal(t.count, 0);
    mr_rpn_targets_free(&t);
    free(anchors);
}

static void empty_box(void **state) {
    (void)state;
    size_t count;
    double *anchors = make_anchors(64, 64, &count);
    scene s = {2, {1, 1}, {{0, 0, 9, 9}, {5, 8, 9, 8}}};
    mr_ground_truth truth = truth_of(&s);
    mr_rpn_targets t = {.count = 77};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(
        mr_build_rpn_targets(&t, anchors, count, &truth, mr_config_settings(config), 1, &err),
        MRCNN_E_ARGUMENT);
    assert_contains(err.message, "object 1 has an empty box (5, 8, 9, 8)");
    assert_int_equal(t.count, 77);
    free(anchors);
}

/* ------------------------------------------------------------------------------------- drawing */

/* Each of the candidates is drawn about equally often, and the same stream draws the same. */
static void draws_are_uniform(void **state) {
    (void)state;
    enum { RUNS = 2000 };
    size_t count;
    set("RPN_ANCHOR_SCALES", "[8, 16, 32, 64, 128]");
    set("RPN_TRAIN_ANCHORS_PER_IMAGE", "64");
    set("SAMPLING", "random");
    double *anchors = make_anchors(64, 64, &count);
    int *drawn = calloc(count, sizeof *drawn);
    assert_non_null(drawn);
    scene s = {1, {1}, {{16, 16, 48, 48}}};
    mr_ground_truth truth = truth_of(&s);
    int8_t *match = calloc(count, 1);
    int *arg = calloc(count, sizeof *arg), negatives = 0;
    assert_true(match && arg);
    plain_match(anchors, count, &s, match, arg);
    for (size_t i = 0; i < count; i++) negatives += match[i] == -1;
    int taken = 0;
    for (uint64_t run = 0; run < RUNS; run++) {
        mr_rpn_targets t = build(anchors, count, &truth, mr_prng_stream(run, "draws"));
        for (int k = 0; k < t.count; k++) drawn[t.anchors[k]] += t.matches[k] == -1;
        taken = t.count - t.positive_count;
        mr_rpn_targets_free(&t);
    }
    double mean = (double)RUNS * taken / negatives, chi = 0;
    for (size_t i = 0; i < count; i++)
        if (match[i] == -1) chi += (drawn[i] - mean) * (drawn[i] - mean) / mean;
    /* Chi squared with `negatives` degrees of freedom, less for drawing without putting back. */
    chi /= (negatives - 1) * (1 - (double)taken / negatives);
    if (fabs(chi - 1) > 6 * sqrt(2.0 / negatives))
        fail_msg("chi squared is %g times too large", chi);
    mr_rpn_targets a = build(anchors, count, &truth, 5), b = build(anchors, count, &truth, 5);
    assert_int_equal(a.count, b.count);
    assert_memory_equal(a.anchors, b.anchors, (size_t)a.count * sizeof *a.anchors);
    mr_rpn_targets_free(&a);
    mr_rpn_targets_free(&b);
    free(anchors), free(drawn), free(match), free(arg);
}

/* A full picture: the same targets as without shortcuts. */
static void full_picture(void **state) {
    (void)state;
    size_t count;
    double *anchors = make_anchors(1024, 1024, &count);
    scene s;
    random_scene(&s, 99, 1024, 1024);
    if (s.count > 10) s.count = 10;
    check_scene(&s, anchors, count, 3);
    free(anchors);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_config, free_config)
    const struct CMUnitTest tests[] = {
        TEST(kept_goldens), TEST(shared_goldens),    TEST(like_the_rules),
        TEST(ties),         TEST(thresholds),        TEST(nothing_to_match),
        TEST(empty_box),    TEST(draws_are_uniform), TEST(full_picture),
    };
    return cmocka_run_group_tests_name("rpn targets", tests, NULL, NULL);
}
