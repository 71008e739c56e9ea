/* test_losses.c - the five losses and the regulariser: against the oracle's values, by central
 * differences, and at their edges. */
#include "helper_assert.h"
#include "helper_unit.h"

#include "base/prng.h"
#include "model/boxes.h"
#include "model/losses.h"

#include <math.h>
#include <stdlib.h>

static double draw(const char *name, size_t i, double low, double high) {
    return low + (high - low) * mr_prng_uniform(mr_prng_stream(7, name), i);
}

static void assert_near(double have, double want, double bound) {
    if (!(fabs(have - want) <= bound)) fail_msg("%.12g is not %.12g", have, want);
}

static void assert_all(const float *values, size_t count, float want) {
    for (size_t i = 0; i < count; i++) assert_true(values[i] == want);
}

/* ----------------------------------------------------------------------- the oracle's values */

/* Compares the loss, and the gradients at `count` places of the golden one; clears them there, so
 * that what is left of the golden gradient must be 0. */
typedef struct golden_loss {
    npy_array loss, gradient;
} golden_loss;

static golden_loss open_loss(const unit_case *u, double loss) {
    golden_loss g = {unit_array(u, "loss"), unit_array(u, "grad")};
    assert_near(loss, g.loss.data[0], 1e-12 + 1e-6 * fabs(g.loss.data[0]));
    return g;
}

static void check_part(golden_loss *g, size_t at, const float *have, size_t count) {
    for (size_t i = 0; i < count; i++) {
        assert_near(have[i], g->gradient.data[at + i],
                    1e-9 + 1e-6 * fabs(g->gradient.data[at + i]));
        g->gradient.data[at + i] = 0;
    }
}

static void close_loss(golden_loss *g) {
    for (size_t i = 0; i < g->gradient.count; i++) assert_true(g->gradient.data[i] == 0);
    npy_free(&g->loss);
    npy_free(&g->gradient);
}

static void golden_smooth_l1(const unit_case *u) {
    enum { ROWS = 20 };
    float gradient[ROWS][4];
    float *target = unit_floats(u, "target"), *pred = unit_floats(u, "pred");
    golden_loss g = open_loss(
        u, mr_rpn_bbox_loss((const float(*)[4])pred, (const float(*)[4])target, ROWS, 1, gradient));
    check_part(&g, 0, gradient[0], 4 * ROWS);
    close_loss(&g);
    free(target);
    free(pred);
}

static void golden_rpn_class(const unit_case *u) {
    enum { MOST = 80 };
    float logits[MOST][2], gradient[MOST][2];
    int8_t matches[MOST];
    size_t from[MOST], count = 0;
    npy_array match = unit_array(u, "match"), pred = unit_array(u, "pred");
    for (size_t i = 0; i < match.count; i++) {
        if (match.data[i] == 0) continue;
        for (size_t k = 0; k < 2; k++) logits[count][k] = (float)pred.data[2 * i + k];
        matches[count] = (int8_t)match.data[i];
        from[count++] = i;
    }
    golden_loss g =
        open_loss(u, mr_rpn_class_loss((const float(*)[2])logits, matches, count, 1, gradient));
    for (size_t i = 0; i < count; i++) check_part(&g, 2 * from[i], gradient[i], 2);
    close_loss(&g);
    npy_free(&match);
    npy_free(&pred);
}

static void golden_rpn_bbox(const unit_case *u) {
    enum { MOST = 80 };
    float deltas[MOST][4], targets[MOST][4], gradient[MOST][4];
    size_t from[MOST], count = 0, row = 0;
    npy_array match = unit_array(u, "match"), pred = unit_array(u, "pred");
    npy_array target = unit_array(u, "target");
    size_t anchors = (size_t)match.shape[1], room = (size_t)target.shape[1];
    for (size_t i = 0; i < match.count; i++) {
        if (i % anchors == 0) row = i / anchors * room; /* N58: packed for each picture */
        if (match.data[i] != 1) continue;
        for (size_t k = 0; k < 4; k++) {
            deltas[count][k] = (float)pred.data[4 * i + k];
            targets[count][k] = (float)target.data[4 * row + k];
        }
        row++;
        from[count++] = i;
    }
    golden_loss g = open_loss(u, mr_rpn_bbox_loss((const float(*)[4])deltas,
                                                  (const float(*)[4])targets, count, 1, gradient));
    for (size_t i = 0; i < count; i++) check_part(&g, 4 * from[i], gradient[i], 4);
    close_loss(&g);
    npy_free(&match);
    npy_free(&pred);
    npy_free(&target);
}

enum { GOLDEN_ROWS = 30, GOLDEN_CLASSES = 5 };

static void load_rows(const unit_case *u, mr_roi_row rows[GOLDEN_ROWS]) {
    npy_array ids = unit_array(u, "ids");
    assert_int_equal(ids.count, GOLDEN_ROWS);
    for (size_t i = 0; i < GOLDEN_ROWS; i++)
        rows[i] = (mr_roi_row){.class_id = (int32_t)ids.data[i], .copies = 1};
    npy_free(&ids);
}

static void golden_mrcnn_class(const unit_case *u) {
    mr_roi_row rows[GOLDEN_ROWS];
    uint8_t active[GOLDEN_CLASSES];
    float gradient[GOLDEN_ROWS * GOLDEN_CLASSES], *logits = unit_floats(u, "pred");
    npy_array list = unit_array(u, "active");
    for (size_t c = 0; c < GOLDEN_CLASSES; c++) active[c] = (uint8_t)list.data[c];
    load_rows(u, rows);
    for (size_t i = 0; i < GOLDEN_ROWS; i++) rows[i].active = active;
    golden_loss g = open_loss(u, mr_mrcnn_class_loss(rows, GOLDEN_ROWS, logits, GOLDEN_CLASSES,
                                                     MR_COMPAT_MATTERPORT, 1, gradient));
    check_part(&g, 0, gradient, GOLDEN_ROWS * GOLDEN_CLASSES);
    close_loss(&g);
    npy_free(&list);
    free(logits);
}

static void golden_mrcnn_bbox(const unit_case *u) {
    mr_roi_row rows[GOLDEN_ROWS];
    float gradient[GOLDEN_ROWS * GOLDEN_CLASSES * 4];
    float *deltas = unit_floats(u, "pred"), *targets = unit_floats(u, "target");
    load_rows(u, rows);
    for (size_t i = 0; i < GOLDEN_ROWS; i++) rows[i].target = targets + 4 * i;
    golden_loss g = open_loss(
        u, mr_mrcnn_bbox_loss(rows, GOLDEN_ROWS, deltas, GOLDEN_CLASSES, 1, gradient, NULL));
    check_part(&g, 0, gradient, GOLDEN_ROWS * GOLDEN_CLASSES * 4);
    close_loss(&g);
    free(deltas);
    free(targets);
}

static void golden_mrcnn_mask(const unit_case *u) {
    enum { PIXELS = 16 };
    mr_roi_row rows[GOLDEN_ROWS];
    float probs[GOLDEN_ROWS * PIXELS], targets[GOLDEN_ROWS * PIXELS];
    float gradient[GOLDEN_ROWS * PIXELS];
    size_t from[GOLDEN_ROWS * PIXELS], count = 0;
    npy_array pred = unit_array(u, "pred"), target = unit_array(u, "target");
    load_rows(u, rows);
    for (size_t i = 0; i < GOLDEN_ROWS; i++)
        for (size_t p = 0; rows[i].class_id > 0 && p < PIXELS; p++, count++) {
            from[count] = (i * PIXELS + p) * GOLDEN_CLASSES + (size_t)rows[i].class_id;
            probs[count] = (float)pred.data[from[count]];
            targets[count] = (float)target.data[i * PIXELS + p];
        }
    golden_loss g = open_loss(u, mr_mrcnn_mask_loss(probs, targets, count, 1, gradient));
    for (size_t i = 0; i < count; i++) check_part(&g, from[i], gradient + i, 1);
    close_loss(&g);
    npy_free(&pred);
    npy_free(&target);
}

static void run_goldens(const char *index) {
    static const struct {
        const char *op;
        void (*run)(const unit_case *u);
    } losses[] = {{"smooth_l1_mean", golden_smooth_l1},   {"rpn_class_loss", golden_rpn_class},
                  {"rpn_bbox_loss", golden_rpn_bbox},     {"mrcnn_class_loss", golden_mrcnn_class},
                  {"mrcnn_bbox_loss", golden_mrcnn_bbox}, {"mrcnn_mask_loss", golden_mrcnn_mask}};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        int cases = unit_each(index, losses[i].op, losses[i].run);
        if (cases < 0) {
            printf("skipped: there is no %s\n", index);
            skip();
        }
        assert_true(cases > 0);
    }
}

static void goldens_kept_here(void **state) {
    (void)state;
    run_goldens(TEST_DATA "/goldens/unit/index.json");
}

static void goldens_shared(void **state) {
    (void)state;
    run_goldens(SHARED_DIR "/goldens/unit/index.json");
}

/* ------------------------------------------------------------------------ central differences */

/* A loss as a function of some floats; writes its gradient. */
typedef double (*loss_function)(const float *x, float *gradient);

static void check_gradient(loss_function loss, const float *at, size_t count) {
    enum { MOST = 128 };
    const float step = 1.0f / 1024;
    float x[MOST], gradient[MOST], unused[MOST], largest = 0;
    assert_true(count <= MOST);
    memcpy(x, at, count * sizeof *x);
    loss(x, gradient);
    for (size_t i = 0; i < count; i++) {
        float high = at[i] + step, low = at[i] - step;
        x[i] = high;
        double above = loss(x, unused);
        x[i] = low;
        double below = loss(x, unused);
        x[i] = at[i];
        assert_near(gradient[i], (above - below) / ((double)high - (double)low), 2e-6);
        largest = fmaxf(largest, fabsf(gradient[i]));
    }
    assert_true(largest > 1e-3f);
}

static void fill(float *values, size_t count, const char *name, double low, double high) {
    for (size_t i = 0; i < count; i++) values[i] = (float)draw(name, i, low, high);
}

static double rpn_class_loss(const float *x, float *gradient) {
    static const int8_t matches[6] = {1, -1, -1, 1, 1, -1};
    return mr_rpn_class_loss((const float(*)[2])x, matches, 6, 1, (float(*)[2])gradient);
}

static double rpn_bbox_loss(const float *x, float *gradient) {
    static const float targets[3][4] = {{0.1f, -0.2f, 0.3f, 0.4f}, {2, -2, 1, 0}, {0, 0, 0, 5}};
    return mr_rpn_bbox_loss((const float(*)[4])x, targets, 3, 1, (float(*)[4])gradient);
}

static const uint8_t first_source[4] = {1, 1, 0, 1}, second_source[4] = {1, 0, 1, 1};
static const float box_targets[4] = {0.5f, -1.5f, 0.25f, 0.75f};
static const mr_roi_row some_rows[5] = {{1, 1, first_source, box_targets},
                                        {0, 1, first_source, NULL},
                                        {0, 7, first_source, NULL},
                                        {3, 1, second_source, box_targets},
                                        {0, 3, second_source, NULL}};

static double class_loss(const float *x, float *gradient) {
    return mr_mrcnn_class_loss(some_rows, 5, x, 4, MR_COMPAT_MATTERPORT, 1, gradient);
}

static double class_loss_paper(const float *x, float *gradient) {
    return mr_mrcnn_class_loss(some_rows, 5, x, 4, MR_COMPAT_PAPER, 1, gradient);
}

static double bbox_loss(const float *x, float *gradient) {
    return mr_mrcnn_bbox_loss(some_rows, 5, x, 4, 1, gradient, NULL);
}

/* As a function of the two targets. */
static double bbox_loss_targets(const float *x, float *gradient) {
    float deltas[5 * 16], unused[5 * 16];
    mr_roi_row rows[5];
    fill(deltas, 5 * 16, "deltas", -2, 2);
    memcpy(rows, some_rows, sizeof rows);
    rows[0].target = x;
    rows[3].target = x + 4;
    return mr_mrcnn_bbox_loss(rows, 5, deltas, 4, 1, unused, (float(*)[4])gradient);
}

static double mask_loss(const float *x, float *gradient) {
    static const float targets[6] = {1, 0, 0, 1, 1, 0};
    return mr_mrcnn_mask_loss(x, targets, 6, 1, gradient);
}

static double l2(const float *x, float *gradient) {
    memset(gradient, 0, 19 * sizeof *gradient);
    return mr_l2_loss(x, 19, 0.5, MR_COMPAT_MATTERPORT, 1, gradient);
}

static double l2_paper(const float *x, float *gradient) {
    memset(gradient, 0, 19 * sizeof *gradient);
    return mr_l2_loss(x, 19, 0.5, MR_COMPAT_PAPER, 1, gradient);
}

static void gradients_are_slopes(void **state) {
    (void)state;
    float x[80];
    fill(x, 80, "x", -3, 3);
    check_gradient(rpn_class_loss, x, 12);
    check_gradient(rpn_bbox_loss, x, 12);
    check_gradient(class_loss, x, 20);
    check_gradient(class_loss_paper, x, 20);
    check_gradient(bbox_loss, x, 80);
    check_gradient(bbox_loss_targets, x, 8);
    check_gradient(l2, x, 19);
    check_gradient(l2_paper, x, 19);
    fill(x, 6, "probabilities", 0.3, 0.7);
    check_gradient(mask_loss, x, 6);
}

/* ------------------------------------------------------------------------------------ edges */

/* The loss is what it is; its weight is in the gradient. */
static void scale_is_for_the_gradient(void **state) {
    (void)state;
    float x[80], one[80], three[80];
    fill(x, 80, "x", -3, 3);
    double loss = mr_mrcnn_class_loss(some_rows, 5, x, 4, MR_COMPAT_MATTERPORT, 1, one);
    assert_true(loss == mr_mrcnn_class_loss(some_rows, 5, x, 4, MR_COMPAT_MATTERPORT, 3, three));
    for (int i = 0; i < 20; i++) assert_near(three[i], 3 * one[i], 1e-6);
    loss = mr_mrcnn_bbox_loss(some_rows, 5, x, 4, 1, one, NULL);
    assert_true(loss == mr_mrcnn_bbox_loss(some_rows, 5, x, 4, 3, three, NULL));
    for (int i = 0; i < 80; i++) assert_near(three[i], 3 * one[i], 1e-6);
    fill(x, 4, "probabilities", 0.1, 0.9);
    loss = mr_mrcnn_mask_loss(x, box_targets, 4, 1, one);
    assert_true(loss == mr_mrcnn_mask_loss(x, box_targets, 4, 3, three));
    for (int i = 0; i < 4; i++) assert_near(three[i], 3 * one[i], 1e-5);
    int8_t matches[2] = {1, -1};
    loss = mr_rpn_class_loss((const float(*)[2])x, matches, 2, 1, (float(*)[2])one);
    assert_true(loss == mr_rpn_class_loss((const float(*)[2])x, matches, 2, 3, (float(*)[2])three));
    for (int i = 0; i < 4; i++) assert_near(three[i], 3 * one[i], 1e-6);
    for (int i = 0; i < 4; i++) one[i] = three[i] = 1; /* and this one adds */
    loss = mr_l2_loss(x, 4, 0.1, MR_COMPAT_PAPER, 1, one);
    assert_true(loss == mr_l2_loss(x, 4, 0.1, MR_COMPAT_PAPER, 3, three));
    for (int i = 0; i < 4; i++) assert_near(three[i] - 1, 3 * (one[i] - 1), 1e-6);
}

/* N44: a row of seven copies is seven rows, and its gradient theirs together. */
static void copies_are_rows(void **state) {
    (void)state;
    enum { ROWS = 3, COPIES = 7, CLASSES = 4 };
    float few[ROWS * CLASSES], few_gradient[ROWS * CLASSES];
    float many[(ROWS + COPIES) * CLASSES], many_gradient[(ROWS + COPIES) * CLASSES];
    mr_roi_row rows[ROWS + COPIES] = {{2, 1, first_source, NULL}, {0, 1, first_source, NULL}};
    fill(few, ROWS * CLASSES, "few", -2, 2);
    few[8] = 4; /* the padding's prediction is active: background */
    memcpy(many, few, 2 * CLASSES * sizeof *few);
    rows[2] = (mr_roi_row){0, COPIES, first_source, NULL};
    double loss =
        mr_mrcnn_class_loss(rows, ROWS, few, CLASSES, MR_COMPAT_MATTERPORT, 1, few_gradient);
    for (int i = 2; i < 2 + COPIES; i++) {
        rows[i] = (mr_roi_row){0, 1, first_source, NULL};
        memcpy(many + i * CLASSES, few + 2 * CLASSES, CLASSES * sizeof *few);
    }
    assert_near(loss,
                mr_mrcnn_class_loss(rows, 2 + COPIES, many, CLASSES, MR_COMPAT_MATTERPORT, 1,
                                    many_gradient),
                1e-12);
    for (int c = 0; c < CLASSES; c++) {
        double sum = 0;
        for (int i = 2; i < 2 + COPIES; i++) sum += (double)many_gradient[i * CLASSES + c];
        assert_near(few_gradient[2 * CLASSES + c], sum, 1e-7);
        assert_true(few_gradient[c] == many_gradient[c]);
    }
}

/* N43: what counts is the predicted class, and with none that is active 0/0 is 0. */
static void prediction_of_an_inactive_class(void **state) {
    (void)state;
    static const float logits[8] = {0, 1, 3, 1, 1, 0, 2, 0}; /* both rows: class 2 */
    static const uint8_t only_background[4] = {1, 0, 0, 0};
    mr_roi_row rows[2] = {{1, 1, first_source, NULL}, {2, 5, second_source, NULL}};
    float gradient[8];
    double loss = mr_mrcnn_class_loss(rows, 2, logits, 4, MR_COMPAT_MATTERPORT, 1, gradient);
    double want = log(exp(1.0) + 1 + exp(2.0) + 1) - 2; /* the second row alone */
    assert_near(loss, want, 1e-12);
    assert_all(gradient, 4, 0);
    assert_true(gradient[6] < 0);
    rows[1].active = only_background;
    for (int i = 0; i < 8; i++) gradient[i] = 9;
    assert_true(mr_mrcnn_class_loss(rows, 2, logits, 4, MR_COMPAT_MATTERPORT, 1, gradient) == 0);
    assert_all(gradient, 8, 0);
    /* Equal logits: the first class is predicted. */
    static const float equal[4] = {1, 1, 1, 1};
    assert_near(mr_mrcnn_class_loss(rows + 1, 1, equal, 4, MR_COMPAT_MATTERPORT, 1, gradient),
                log(4), 1e-12);
}

/* The paper: inactive classes get no probability and no gradient, but a target always takes part. */
static void softmax_over_active_classes(void **state) {
    (void)state;
    static const float logits[8] = {0, 1, 30, 1, 1, 0, 2, 0};
    mr_roi_row rows[2] = {{1, 1, first_source, NULL}, {1, 1, second_source, NULL}};
    float gradient[8];
    double loss = mr_mrcnn_class_loss(rows, 2, logits, 4, MR_COMPAT_PAPER, 1, gradient);
    double first = log(1 + 2 * exp(1.0)) - 1, second = log(exp(1.0) + 1 + exp(2.0) + 1) - 0;
    assert_near(loss, (first + second) / 2, 1e-12);
    assert_true(gradient[2] == 0 && gradient[1] < 0 && gradient[5] < 0 && gradient[6] > 0);
    rows[0].active = rows[1].active = NULL;
    loss = mr_mrcnn_class_loss(rows, 2, logits, 4, MR_COMPAT_PAPER, 1, gradient);
    assert_near(loss, mr_mrcnn_class_loss(rows, 2, logits, 4, MR_COMPAT_MATTERPORT, 1, gradient),
                0);
}

/* N46. */
static void nothing_to_learn_from(void **state) {
    (void)state;
    float x[32] = {0}, gradient[32], target_gradient[1][4];
    mr_roi_row negatives[2] = {{0, 1, NULL, NULL}, {0, 198, NULL, NULL}}; /* and all padding */
    assert_true(mr_rpn_class_loss((const float(*)[2])x, NULL, 0, 1, (float(*)[2])gradient) == 0);
    assert_true(mr_rpn_bbox_loss((const float(*)[4])x, (const float(*)[4])x, 0, 1,
                                 (float(*)[4])gradient) == 0);
    assert_true(mr_mrcnn_mask_loss(x, x, 0, 1, gradient) == 0);
    assert_true(mr_mrcnn_class_loss(negatives, 0, x, 4, MR_COMPAT_PAPER, 1, gradient) == 0);
    assert_true(mr_mrcnn_class_loss(negatives, 0, x, 4, MR_COMPAT_MATTERPORT, 1, gradient) == 0);
    assert_true(mr_l2_loss(x, 0, 1, MR_COMPAT_MATTERPORT, 1, gradient) == 0);
    for (int i = 0; i < 32; i++) gradient[i] = 9;
    assert_true(mr_mrcnn_bbox_loss(negatives, 2, x, 4, 1, gradient, target_gradient) == 0);
    assert_all(gradient, 32, 0);
    assert_near(mr_mrcnn_class_loss(negatives + 1, 1, x, 4, MR_COMPAT_MATTERPORT, 1, gradient),
                log(4), 1e-12);
}

/* Logits as large as float has don't overflow. */
static void extreme_logits(void **state) {
    (void)state;
    static const float logits[2][2] = {{-3e38f, 3e38f}, {3e38f, -3e38f}};
    static const int8_t matches[2] = {1, -1}, wrong[2] = {-1, 1};
    float gradient[2][2];
    assert_true(mr_rpn_class_loss(logits, matches, 2, 1, gradient) == 0);
    assert_all(gradient[0], 4, 0);
    assert_near(mr_rpn_class_loss(logits, wrong, 2, 1, gradient) / 6e38, 1, 1e-6);
    assert_true(gradient[0][0] == -0.5f && gradient[0][1] == 0.5f);
}

/* N45: the clip in float32; its ends pass gradients, what is beyond doesn't. */
static void clipped_probabilities(void **state) {
    (void)state;
    const float high = 1.0f - 1e-7f;
    const float probs[6] = {0, 1, 1e-7f, high, nextafterf(1e-7f, 0), 1};
    const float targets[6] = {1, 0, 1, 0, 1, 1};
    float gradient[6];
    double loss = mr_mrcnn_mask_loss(probs, targets, 6, 6, gradient);
    double low_loss = -log((double)1e-7f), high_loss = -log(1 - (double)high);
    assert_near(loss, (3 * low_loss + 2 * high_loss - log((double)high)) / 6, 1e-12);
    assert_true(gradient[0] == 0 && gradient[1] == 0 && gradient[4] == 0 && gradient[5] == 0);
    assert_near(gradient[2], -1e7, 2);
    assert_near(gradient[3], 8388608, 1);
}

/* The very border of smooth L1, and NaN, which must not get lost. */
static void smooth_l1_edges(void **state) {
    (void)state;
    static const float deltas[1][4] = {{1, -1, 0, 100}}, targets[1][4] = {{0, 0, 0, 0}};
    const float bad[1][4] = {{NAN, 0, 0, 0}};
    float gradient[1][4];
    assert_near(mr_rpn_bbox_loss(deltas, targets, 1, 4, gradient), (0.5 + 0.5 + 99.5) / 4, 1e-12);
    assert_true(gradient[0][0] == 1 && gradient[0][1] == -1);
    assert_true(gradient[0][2] == 0 && gradient[0][3] == 1);
    assert_true(isnan(mr_rpn_bbox_loss(bad, targets, 1, 1, gradient)));
    assert_true(isnan(gradient[0][0]));
}

/* N47. */
static void regulariser(void **state) {
    (void)state;
    float weights[11], gradient[11] = {0};
    for (int i = 0; i < 11; i++) weights[i] = (float)(i - 4);
    assert_near(mr_l2_loss(weights, 11, 1e-4, MR_COMPAT_MATTERPORT, 1, gradient),
                1e-4 * (16 + 9 + 4 + 1 + 0 + 1 + 4 + 9 + 16 + 25 + 36) / 11, 1e-15);
    assert_near(gradient[10], 2e-4 * 6 / 11, 1e-10);
    assert_near(mr_l2_loss(weights, 11, 1e-4, MR_COMPAT_PAPER, 1, gradient), 0.5e-4 * 121, 1e-15);
    assert_near(gradient[10], 2e-4 * 6 / 11 + 1e-4 * 6, 1e-10);
    assert_true(mr_is_regularised("kernel", MR_COMPAT_MATTERPORT));
    assert_true(mr_is_regularised("bias", MR_COMPAT_MATTERPORT));
    assert_false(mr_is_regularised("gamma", MR_COMPAT_MATTERPORT));
    assert_false(mr_is_regularised("beta", MR_COMPAT_MATTERPORT));
    assert_true(mr_is_regularised("kernel", MR_COMPAT_PAPER));
    assert_false(mr_is_regularised("bias", MR_COMPAT_PAPER));
    assert_false(mr_is_regularised("gamma", MR_COMPAT_PAPER));
}

/* ------------------------------------------------------- the way through the targets' boxes */

static const mr_settings *default_settings(mrcnn_config **config) {
    assert_int_equal(mrcnn_config_create(config, NULL, NULL), MRCNN_OK);
    return mr_config_settings(*config);
}

/* Values of the oracle (target_deltas with PyTorch's autograd, double). */
static void oracle_target_gradients(void **state) {
    (void)state;
    static const struct {
        float anchor[4], deltas[4], object[4], target_gradient[4];
        double want[4];
    } cases[] = {
        {{.2f, .3f, .6f, .5f},
         {.5f, -.7f, .9f, -.4f},
         {.25f, .28f, .7f, .52f},
         {.3f, -.2f, .5f, .1f},
         {-0.250581046529, 0.216657401562, -0.568909656333, -0.0696679615085}},
        {{-.1f, .3f, .4f, .9f}, /* y1 and x2 are clipped */
         {.5f, 1.5f, .9f, 1.4f},
         {.0f, .35f, .4f, .97f},
         {.3f, -.2f, -.5f, .7f},
         {0.130189551825, 0.378694091941, 0.155865191617, -0.501061442505}},
        {{-.1f, -.2f, 1.2f, 1.3f}, /* all are */
         {.5f, .5f, .2f, .1f},
         {.02f, .05f, .9f, .97f},
         {1, 1, 1, 1},
         {0, 0, 0, 0}},
        {{0, .25f, 1, .75f}, /* ends exactly at 0 and 1, which passes */
         {0, 0, 0, 0},
         {.05f, .3f, .9f, .8f},
         {.7f, -.3f, .2f, .9f},
         {-0.699999988079, 0.300000011921, -0.164999987409, -0.839999959469}},
        {{0, 0, .5f, 1},
         {0, 0, 0, 0},
         {.02f, .03f, .55f, .95f},
         {-.7f, .3f, .2f, .9f},
         {0.699999988079, -0.300000011921, -0.101999988586, -0.893999972142}},
    };
    mrcnn_config *config;
    const mr_settings *settings = default_settings(&config);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mr_target_delta t = {cases[i].anchor, cases[i].deltas, cases[i].object};
        float gradient[4];
        mr_target_delta_gradient(&t, settings, cases[i].target_gradient, gradient);
        for (int k = 0; k < 4; k++) assert_near(gradient[k], cases[i].want[k], 1e-6);
    }
    mrcnn_config_free(&config);
}

/* The targets of the moved anchor, in double: what is differentiated. */
static double weighted_targets(const float anchor[4], const double raw[4], const float object[4],
                               const float weights[4], const mr_settings *s) {
    double sum = 0;
    for (int k = 0; k < 2; k++) {
        const double *rpn = s->rpn_bbox_std_dev.values, *box = s->bbox_std_dev.values;
        double size = (double)anchor[2 + k] - (double)anchor[k], center = anchor[k] + size / 2;
        center += raw[k] * rpn[k] * size;
        size *= exp(raw[2 + k] * rpn[2 + k]);
        double low = fmin(fmax(center - size / 2, 0), 1),
               high = fmin(fmax(center + size / 2, 0), 1);
        double object_size = (double)object[2 + k] - (double)object[k];
        double object_center = (double)object[k] + object_size / 2;
        sum += (double)weights[k] * (object_center - (low + high) / 2) / (high - low) / box[k];
        sum += (double)weights[2 + k] * log(object_size / (high - low)) / box[2 + k];
    }
    return sum;
}

static void target_gradients_are_slopes(void **state) {
    (void)state;
    mrcnn_config *config;
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "RPN_BBOX_STD_DEV", "[0.1, 0.15, 0.2, 0.3]", NULL),
                     0);
    assert_int_equal(mrcnn_config_set(config, "BBOX_STD_DEV", "[0.12, 0.1, 0.25, 0.2]", NULL), 0);
    const mr_settings *s = mr_config_settings(config);
    for (size_t i = 0; i < 40; i++) {
        float anchor[4], object[4], raw[4], weights[4], gradient[4];
        for (size_t k = 0; k < 4; k++) { /* a quarter of the coordinates ends up clipped */
            anchor[k] = (float)draw("anchor", 4 * i + k, k < 2 ? -0.1 : 0.4, k < 2 ? 0.3 : 1.1);
            object[k] = (float)draw("object", 4 * i + k, k < 2 ? 0 : 0.6, k < 2 ? 0.4 : 1);
            raw[k] = (float)draw("raw", 4 * i + k, -1, 1);
            weights[k] = (float)draw("weights", 4 * i + k, -1, 1);
        }
        mr_target_delta t = {anchor, raw, object};
        mr_target_delta_gradient(&t, s, weights, gradient);
        for (int k = 0; k < 4; k++) {
            double at[4] = {raw[0], raw[1], raw[2], raw[3]}, step = 1e-5;
            at[k] += step;
            double above = weighted_targets(anchor, at, object, weights, s);
            at[k] -= 2 * step;
            double below = weighted_targets(anchor, at, object, weights, s);
            assert_near(gradient[k], (above - below) / (2 * step), 1e-5);
        }
    }
    mrcnn_config_free(&config);
}

static void overflowing_deltas_move_nothing(void **state) {
    (void)state;
    static const float anchor[4] = {.2f, .3f, .6f, .5f}, object[4] = {.2f, .3f, .6f, .5f};
    static const float wild[4] = {0, 0, 1e4f, 1e4f}, target_gradient[4] = {1, 1, 1, 1};
    mrcnn_config *config;
    mr_target_delta t = {anchor, wild, object};
    float gradient[4] = {9, 9, 9, 9};
    mr_target_delta_gradient(&t, default_settings(&config), target_gradient, gradient);
    assert_all(gradient, 4, 0);
    mrcnn_config_free(&config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goldens_kept_here),
        cmocka_unit_test(goldens_shared),
        cmocka_unit_test(gradients_are_slopes),
        cmocka_unit_test(scale_is_for_the_gradient),
        cmocka_unit_test(copies_are_rows),
        cmocka_unit_test(prediction_of_an_inactive_class),
        cmocka_unit_test(softmax_over_active_classes),
        cmocka_unit_test(nothing_to_learn_from),
        cmocka_unit_test(extreme_logits),
        cmocka_unit_test(clipped_probabilities),
        cmocka_unit_test(smooth_l1_edges),
        cmocka_unit_test(regulariser),
        cmocka_unit_test(oracle_target_gradients),
        cmocka_unit_test(target_gradients_are_slopes),
        cmocka_unit_test(overflowing_deltas_move_nothing),
    };
    return cmocka_run_group_tests_name("losses", tests, NULL, NULL);
}
