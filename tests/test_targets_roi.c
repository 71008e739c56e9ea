/* test_targets_roi.c - detection targets (N25-N33): against the oracle's values, and at their
 * edges. */
#include "helper_assert.h"
#include "helper_golden.h"
#include "helper_unit.h"

#include "base/prng.h"
#include "image/bits.h"
#include "model/targets.h"

#include <math.h>
#include <stdlib.h>

/* Settings that most tests want: 20 RoIs, a third positive, small masks, the first candidates. */
typedef struct bench {
    mrcnn_config *config;
    mr_roi_matcher *matcher;
} bench;

static bench open_bench(const char *const *keys) {
    static const char *const common[] = {
        "NUM_CLASSES", "5",     "TRAIN_ROIS_PER_IMAGE", "20",     "MASK_SHAPE", "[6, 4]",
        "SAMPLING",    "first", "MINI_MASK_SHAPE",      "[8, 8]", NULL};
    bench b = {NULL, NULL};
    assert_int_equal(mrcnn_config_create(&b.config, NULL, NULL), MRCNN_OK);
    const char *const *lists[2] = {common, keys};
    for (int i = 0; i < 2; i++)
        for (const char *const *key = lists[i]; *key; key += 2)
            if (mrcnn_config_set(b.config, key[0], key[1], NULL) != MRCNN_OK)
                fail_msg("%s: %s", key[0], key[1]);
    b.matcher = mr_roi_matcher_create(mr_config_settings(b.config));
    assert_non_null(b.matcher);
    return b;
}

static void close_bench(bench *b) {
    mr_roi_matcher_free(&b->matcher);
    assert_null(b->matcher);
    mr_roi_matcher_free(&b->matcher);
    mrcnn_config_free(&b->config);
}

static const char *const no_keys[] = {NULL};
static const char *const paper[] = {"COMPAT", "paper", NULL};

static mr_roi_targets match(const bench *b, const float *proposals, size_t count,
                            const mr_ground_truth *truth, uint64_t stream) {
    mr_roi_targets targets = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_match_rois(b->matcher, proposals, count, truth, 101, 101, stream, &targets, &err) !=
        MRCNN_OK)
        fail_msg("%s", err.message);
    return targets;
}

/* ------------------------------------------------------------------------- the oracle's values */

/* Arrays as the oracle names them; masks are height x width x count there. */
typedef struct golden_targets {
    const double *proposals, *ids, *boxes, *masks; /* boxes: pixels */
    size_t proposal_count, object_count, mask_height, mask_width;
    const double *rois, *class_ids, *deltas, *mask_targets, *positives, *negatives;
    size_t roi_count, positive_count, negative_count;
} golden_targets;

static void compare(const golden_targets *g, const mr_roi_targets *t) {
    size_t mask = 28 * 28;
    assert_int_equal(t->positive_count, g->positive_count);
    assert_int_equal(t->negative_count, g->negative_count);
    assert_int_equal(t->padding, g->roi_count - g->positive_count - g->negative_count);
    for (size_t i = 0; i < g->positive_count + g->negative_count; i++) {
        int positive = i < g->positive_count;
        double from = positive ? g->positives[i] : g->negatives[i - g->positive_count];
        assert_true(t->proposals[i] == from);
        assert_true(t->class_ids[i] == g->class_ids[i]);
        for (size_t k = 0; k < 4; k++) assert_true((double)t->rois[i][k] == g->rois[4 * i + k]);
        if (!positive) {
            assert_int_equal(t->objects[i], -1);
            continue;
        }
        assert_true(g->ids[t->objects[i]] == g->class_ids[i]);
        for (size_t k = 0; k < 4; k++)
            assert_true(fabs((double)t->deltas[i][k] - g->deltas[4 * i + k]) < 2e-6);
        for (size_t p = 0; p < mask; p++)
            assert_true((double)t->masks[i * mask + p] == g->mask_targets[i * mask + p]);
    }
}

static void run_golden(const golden_targets *g, const char *rois, int mini, int size) {
    const char *keys[] = {"TRAIN_ROIS_PER_IMAGE",  rois, "MASK_SHAPE", "[28, 28]", "USE_MINI_MASK",
                          mini ? "true" : "false", NULL};
    bench b = open_bench(keys);
    size_t pixels = g->mask_height * g->mask_width;
    size_t mask_size = mr_bits_size((int)g->mask_height, (int)g->mask_width);
    float *proposals = calloc(g->proposal_count, 4 * sizeof *proposals);
    int32_t *ids = calloc(g->object_count, sizeof *ids);
    int32_t(*boxes)[4] = calloc(g->object_count, sizeof *boxes);
    uint8_t *masks = calloc(g->object_count, mask_size), *mask = malloc(pixels);
    assert_true(proposals && ids && boxes && masks && mask);
    for (size_t i = 0; i < 4 * g->proposal_count; i++) proposals[i] = (float)g->proposals[i];
    for (size_t i = 0; i < g->object_count; i++) {
        ids[i] = (int32_t)g->ids[i];
        for (size_t k = 0; k < 4; k++) boxes[i][k] = (int32_t)g->boxes[4 * i + k];
        for (size_t p = 0; p < pixels; p++) mask[p] = (uint8_t)g->masks[p * g->object_count + i];
        mr_bits_pack(mask, (int)g->mask_height, (int)g->mask_width, masks + i * mask_size);
    }
    mr_ground_truth truth = {(int)g->object_count,       ids,
                             (const int32_t(*)[4])boxes, (int)g->mask_height,
                             (int)g->mask_width,         masks};
    mr_roi_targets t;
    for (int again = 0; again < 2; again++) { /* the second call finds buffers in use */
        assert_int_equal(
            mr_match_rois(b.matcher, proposals, g->proposal_count, &truth, size, size, 1, &t, NULL),
            MRCNN_OK);
        compare(g, &t);
    }
    free(proposals);
    free(ids);
    free(boxes);
    free(masks);
    free(mask);
    close_bench(&b);
}

static void golden_case(const unit_case *u) {
    static const char *const names[] = {"proposals", "gt_ids", "gt_boxes", "gt_masks", "rois",
                                        "class_ids", "deltas", "masks",    "pos",      "neg"};
    npy_array a[10];
    char rois[16];
    for (size_t i = 0; i < 10; i++) a[i] = unit_array(u, names[i]);
    for (size_t i = 0; i < a[2].count; i++) /* normalised to 128 x 128: back to pixels */
        a[2].data[i] = rint(a[2].data[i] * 127 + (i % 4 < 2 ? 0 : 1));
    golden_targets g = {.proposals = a[0].data,
                        .ids = a[1].data,
                        .boxes = a[2].data,
                        .masks = a[3].data,
                        .proposal_count = (size_t)a[0].shape[0],
                        .object_count = a[1].count,
                        .mask_height = (size_t)a[3].shape[0],
                        .mask_width = (size_t)a[3].shape[1],
                        .rois = a[4].data,
                        .class_ids = a[5].data,
                        .deltas = a[6].data,
                        .mask_targets = a[7].data,
                        .positives = a[8].data,
                        .negatives = a[9].data,
                        .roi_count = a[5].count,
                        .positive_count = a[8].count,
                        .negative_count = a[9].count};
    snprintf(rois, sizeof rois, "%d", (int)unit_number(u, "rois"));
    assert_true(g.positive_count > 0 && g.negative_count > 0);
    run_golden(&g, rois, a[3].shape[0] == 56, 128);
    for (size_t i = 0; i < 10; i++) npy_free(&a[i]);
}

static void golden_kept_here(void **state) {
    (void)state;
    assert_int_equal(
        unit_each(TEST_DATA "/goldens/unit/index.json", "detection_targets", golden_case), 1);
}

static void goldens_shared(void **state) {
    (void)state;
    int cases = unit_each(SHARED_DIR "/goldens/unit/index.json", "detection_targets", golden_case);
    if (cases < 0) {
        printf("skipped: there are no shared goldens\n");
        skip();
    }
    assert_int_equal(cases, 2); /* with mini masks and without */
}

/* The first step of a training: 2000 proposals of a network. */
static void golden_training(void **state) {
    (void)state;
    static const char *const names[] = {
        "train.proposals", "train.gt.class_ids", "train.gt.boxes", "train.gt.mini_masks",
        "train.rois",      "train.class_ids",    "train.deltas",   "train.masks",
        "train.pos",       "train.neg"};
    golden_array a[10] = {{0}};
    golden_file *file = golden_open(SHARED_DIR "/goldens/tiny128.h5");
    if (!file) {
        printf("skipped: there are no shared goldens\n");
        skip();
    }
    for (size_t i = 0; i < 10; i++) assert_true(golden_read(file, names[i], &a[i]));
    golden_targets g = {.proposals = a[0].values,
                        .ids = a[1].values,
                        .boxes = a[2].values,
                        .masks = a[3].values,
                        .proposal_count = (size_t)a[0].shape[0],
                        .object_count = a[1].count,
                        .mask_height = (size_t)a[3].shape[0],
                        .mask_width = (size_t)a[3].shape[1],
                        .rois = a[4].values,
                        .class_ids = a[5].values,
                        .deltas = a[6].values,
                        .mask_targets = a[7].values,
                        .positives = a[8].values,
                        .negatives = a[9].values,
                        .roi_count = a[5].count,
                        .positive_count = a[8].count,
                        .negative_count = a[9].count};
    run_golden(&g, "200", 1, 128);
    for (size_t i = 0; i < 10; i++) golden_array_free(&a[i]);
    golden_close(&file);
}

/* ------------------------------------------------------------------------------------- edges */

/* Pictures of 101 x 101: a pixel is 0.01, and [10, 10, 31, 31] is [0.1, 0.1, 0.3, 0.3]. */
enum { MASK = 8, OBJECTS = 3 }; /* 8 x 8 bits */
static const int32_t ids[OBJECTS] = {2, 4, -1};
static const int32_t boxes[OBJECTS][4] = {
    {10, 10, 31, 31}, {50, 50, 91, 91}, {0, 60, 41, 101}}; /* the last is a crowd */

static mr_ground_truth some_objects(uint8_t masks[OBJECTS * MASK]) {
    for (int i = 0; i < OBJECTS * MASK; i++) /* left part */
        masks[i] = (uint8_t)((1 << (4 + i / MASK)) - 1);
    mr_ground_truth truth = {OBJECTS, ids, boxes, 8, 8, masks};
    return truth;
}

/* Three positives, then what must be skipped, then negatives, one of them in the crowd. */
static const float proposals[9][4] = {
    {.1f, .1f, .3f, .3f},     {.5f, .5f, .9f, .9f}, {0, 0, 0, 0},
    {.1f, .1f, .3f, .2f},     {NAN, 0, 1, 1},       {.1f, .1f, INFINITY, .3f},
    {.05f, .05f, .95f, .95f}, {.6f, .1f, .8f, .3f}, {.0f, .0f, .09f, .09f}};

static void positives_and_negatives(void **state) {
    (void)state;
    uint8_t masks[OBJECTS * MASK];
    mr_ground_truth truth = some_objects(masks);
    bench b = open_bench(no_keys);
    mr_roi_targets t = match(&b, proposals[0], 9, &truth, 0);
    /* 0 and 1 are objects; 3 is exactly half of object 0 in exact numbers, and mr_iou decides; 6
     * overlaps the crowd, so only 7 and 8 are negatives. */
    float half_box[4], half_object[4] = {0};
    double pixels[4] = {10, 10, 31, 31};
    memcpy(half_box, proposals[3], sizeof half_box);
    mr_norm_box(pixels, 101, 101, half_object);
    int half = mr_iou(half_box, half_object) >= 0.5f;
    assert_int_equal(t.positive_count, 2 + half);
    assert_int_equal(t.negative_count, 2 + !half);
    assert_int_equal(t.padding, 20 - t.positive_count - t.negative_count);
    int last = t.positive_count + t.negative_count - 1;
    assert_int_equal(t.proposals[0], 0);
    assert_int_equal(t.proposals[1], 1);
    assert_int_equal(t.proposals[last - 1], 7);
    assert_int_equal(t.proposals[last], 8);
    assert_int_equal(t.class_ids[0], 2);
    assert_int_equal(t.class_ids[1], 4);
    assert_int_equal(t.objects[1], 1);
    assert_int_equal(t.objects[last], -1);
    assert_int_equal(t.class_ids[last], 0);
    for (int k = 0; k < 4; k++) assert_true(fabsf(t.deltas[1][k]) < 1e-5f);
    /* The object's own box: its mini mask at 6 x 4; columns 0, 7/3, 14/3 and 7 of 8, 4 + 1 set. */
    for (int y = 0; y < 6; y++) {
        static const float object_0[4] = {1, 1, 0, 0}, object_1[4] = {1, 1, 0, 0};
        for (int x = 0; x < 4; x++) {
            assert_true(t.masks[4 * y + x] == object_0[x]);
            assert_true(t.masks[24 + 4 * y + x] == object_1[x]);
        }
    }
    close_bench(&b);
}

/* N28: no positives, no negatives; the paper fills up, and learns from the objects themselves. */
static void without_positives(void **state) {
    (void)state;
    uint8_t masks[OBJECTS * MASK];
    mr_ground_truth truth = some_objects(masks);
    bench b = open_bench(no_keys);
    mr_roi_targets t = match(&b, proposals[7], 2, &truth, 0);
    assert_true(t.positive_count == 0 && t.negative_count == 0 && t.padding == 20);
    t = match(&b, NULL, 0, &truth, 0);
    assert_true(t.positive_count == 0 && t.negative_count == 0 && t.padding == 20);
    close_bench(&b);
    b = open_bench(paper);
    t = match(&b, proposals[7], 2, &truth, 0);
    assert_true(t.positive_count == 2 && t.negative_count == 2 && t.padding == 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(t.proposals[i], -1);
        assert_int_equal(t.objects[i], i);
        assert_int_equal(t.class_ids[i], ids[i]);
        assert_int_equal(t.proposals[2 + i], i);
        for (int k = 0; k < 4; k++) {
            assert_true(t.deltas[i][k] == 0);
            double pixel = boxes[i][k] - (k < 2 ? 0 : 1);
            assert_true(t.rois[i][k] == (float)(pixel / 100));
        }
        assert_memory_equal(t.rois[2 + i], proposals[7 + i], sizeof *t.rois);
    }
    truth.count = 0; /* a picture without objects still has background */
    t = match(&b, proposals[7], 2, &truth, 0);
    assert_true(t.positive_count == 0 && t.negative_count == 2 && t.padding == 0);
    close_bench(&b);
}

static void no_objects_or_only_crowds(void **state) {
    (void)state;
    uint8_t masks[OBJECTS * MASK];
    mr_ground_truth truth = some_objects(masks), none = {0}, crowd = truth;
    bench b = open_bench(no_keys);
    mr_roi_targets t = match(&b, proposals[0], 9, &none, 0);
    assert_true(t.positive_count == 0 && t.negative_count == 0 && t.padding == 20);
    crowd.count = 1;
    crowd.class_ids = ids + 2;
    crowd.boxes = boxes + 2;
    t = match(&b, proposals[0], 9, &crowd, 0);
    assert_true(t.positive_count == 0 && t.negative_count == 0 && t.padding == 20);
    close_bench(&b);
    b = open_bench(paper);
    t = match(&b, proposals[0], 9, &crowd, 0); /* 2, 4 and 5 are no boxes */
    assert_int_equal(t.positive_count, 0);
    for (int i = 0; i < t.negative_count; i++) assert_int_not_equal(t.proposals[i], 6);
    assert_int_equal(t.negative_count, 5);
    close_bench(&b);
}

/* N26: 0.001 of a crowd is enough to be no negative; a positive may lie in a crowd. */
static void crowds(void **state) {
    (void)state;
    static const int32_t crowd_ids[2] = {1, -1};
    static const int32_t crowd_boxes[2][4] = {{0, 0, 51, 51}, {0, 0, 101, 101}};
    static const float inside[3][4] = {
        {0, 0, .5f, .5f}, {.9f, .9f, .95f, .95f}, {.9f, .9f, .92f, .92f}};
    uint8_t masks[2 * MASK] = {0};
    mr_ground_truth truth = {2, crowd_ids, crowd_boxes, 8, 8, masks};
    bench b = open_bench(no_keys);
    mr_roi_targets t = match(&b, inside[0], 3, &truth, 0);
    assert_int_equal(t.positive_count, 1);
    assert_int_equal(t.class_ids[0], 1);
    assert_int_equal(t.negative_count, 1); /* 0.0025 of it is too much, 0.0004 is not */
    assert_int_equal(t.proposals[1], 2);
    close_bench(&b);
}

/* Equal overlaps: the first object. Objects of class 0 are neither target nor crowd, and the box
 * that is all zeros is none. */
static void ties_and_padding(void **state) {
    (void)state;
    static const int32_t tie_ids[4] = {0, 3, 2, 1};
    static const int32_t tie_boxes[4][4] = {
        {50, 50, 91, 91}, {10, 10, 31, 31}, {10, 10, 31, 31}, {0, 0, 1, 1}};
    uint8_t masks[4 * MASK] = {0};
    mr_ground_truth truth = {4, tie_ids, tie_boxes, 8, 8, masks};
    bench b = open_bench(no_keys);
    mr_roi_targets t = match(&b, proposals[0], 2, &truth, 0);
    assert_int_equal(t.positive_count, 1);
    assert_int_equal(t.class_ids[0], 3);
    assert_int_equal(t.objects[0], 1);
    assert_int_equal(t.negative_count, 1);
    assert_int_equal(t.proposals[1], 1);
    close_bench(&b);
    b = open_bench(paper);
    t = match(&b, NULL, 0, &truth, 0);
    assert_int_equal(t.positive_count, 2);
    assert_int_equal(t.class_ids[0], 3);
    assert_int_equal(t.class_ids[1], 2);
    close_bench(&b);
}

/* N27: 0.5 itself is positive. In a picture of 129 x 129 it can be had exactly. */
static void half_an_object(void **state) {
    (void)state;
    static const int32_t id[1] = {1}, box[1][4] = {{32, 32, 97, 97}};
    static const float rois[2][4] = {{.25f, .25f, .75f, .4999999f}, {.25f, .25f, .75f, .5f}};
    uint8_t masks[MASK] = {0};
    mr_ground_truth truth = {1, id, box, 8, 8, masks};
    bench b = open_bench(no_keys);
    mr_roi_targets t;
    assert_int_equal(mr_match_rois(b.matcher, rois[0], 2, &truth, 129, 129, 0, &t, NULL), MRCNN_OK);
    assert_int_equal(t.positive_count, 1);
    assert_int_equal(t.proposals[0], 1);
    assert_int_equal(t.negative_count, 1);
    close_bench(&b);
}

/* N27: an object one pixel high has no normalised area. A proposal without area gives NaN with it
 * and is neither; one with area is a negative. */
static void boxes_without_area(void **state) {
    (void)state;
    static const int32_t thin_ids[2] = {1, 2};
    static const int32_t thin_boxes[2][4] = {{20, 20, 21, 41}, {50, 50, 91, 91}};
    static const float rois[4][4] = {
        {.5f, .5f, .9f, .9f}, {.3f, .3f, .3f, .4f}, {.2f, .2f, .2f, .4f}, {.1f, .1f, .4f, .4f}};
    uint8_t masks[2 * MASK] = {0};
    mr_ground_truth truth = {2, thin_ids, thin_boxes, 8, 8, masks};
    bench b = open_bench(no_keys);
    mr_roi_targets t = match(&b, rois[0], 4, &truth, 0);
    assert_int_equal(t.positive_count, 1);
    assert_int_equal(t.negative_count, 1);
    assert_int_equal(t.proposals[1], 3);
    close_bench(&b);
    b = open_bench(paper);
    t = match(&b, NULL, 0, &truth, 0);
    assert_int_equal(t.positive_count, 1);
    assert_int_equal(t.objects[0], 1);
    close_bench(&b);
}

/* N28's counts, in float32, for the numbers that NUMERICS.md gives. */
static void negatives_for_positives(void **state) {
    (void)state;
    static const int counts[][2] = {{0, 0}, {1, 2}, {10, 20}, {33, 67}, {66, 134}, {80, 134}};
    static const char *const keys[] = {"TRAIN_ROIS_PER_IMAGE", "200", NULL};
    enum { MOST = 80, NEGATIVES = 300 };
    static float rois[MOST + NEGATIVES][4];
    uint8_t masks[OBJECTS * MASK];
    mr_ground_truth truth = some_objects(masks);
    bench b = open_bench(keys);
    truth.count = 2;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (int r = 0; r < MOST + NEGATIVES; r++)
            memcpy(rois[r], proposals[r < counts[i][0] ? 0 : 8], sizeof *rois);
        mr_roi_targets t = match(&b, rois[0], MOST + NEGATIVES, &truth, 0);
        assert_int_equal(t.positive_count, counts[i][0] < 66 ? counts[i][0] : 66);
        assert_int_equal(t.negative_count, counts[i][1]);
        assert_int_equal(t.padding, 200 - t.positive_count - t.negative_count);
    }
    close_bench(&b);
}

/* N31 without mini masks: the RoI itself, from the mask of the whole picture. A half is 0. */
static void masks_of_the_picture(void **state) {
    (void)state;
    static const char *const keys[] = {"USE_MINI_MASK", "false", "MASK_SHAPE", "[2, 2]", NULL};
    enum { SIDE = 129 }; /* so that positions are exact */
    static const int32_t id[1] = {1}, box[1][4] = {{10, 10, 31, 31}};
    static const float roi[4] = {14 / 128.f, 16 / 128.f, 38 / 128.f, 38.5f / 128};
    uint8_t *mask = calloc(SIDE, SIDE), *bits = calloc(SIDE, mr_bits_row(SIDE));
    assert_true(mask && bits);
    mask[14 * SIDE + 16] = mask[38 * SIDE + 38] = 1;
    mr_bits_pack(mask, SIDE, SIDE, bits);
    mr_ground_truth truth = {1, id, box, SIDE, SIDE, bits};
    bench b = open_bench(keys);
    mr_roi_targets t = match(&b, roi, 1, &truth, 0);
    assert_int_equal(t.positive_count, 1);
    /* The last sample lies at 38.5 along x: half of a pixel that is set. */
    assert_true(t.masks[0] == 1 && t.masks[1] == 0 && t.masks[2] == 0 && t.masks[3] == 0);
    mask[38 * SIDE + 39] = 1;
    mr_bits_pack(mask, SIDE, SIDE, bits);
    t = match(&b, roi, 1, &truth, 0);
    assert_true(t.masks[3] == 1);
    free(mask);
    free(bits);
    close_bench(&b);
}

/* A RoI that sticks out of its object sees nothing there. */
static void roi_larger_than_its_object(void **state) {
    (void)state;
    static const int32_t id[1] = {1}, box[1][4] = {{20, 20, 61, 61}};
    static const float roi[4] = {.15f, .15f, .65f, .65f};
    uint8_t mask[MASK];
    memset(mask, 0xFF, sizeof mask);
    mr_ground_truth truth = {1, id, box, 8, 8, mask};
    bench b = open_bench(no_keys);
    mr_roi_targets t = match(&b, roi, 1, &truth, 0);
    assert_int_equal(t.positive_count, 1);
    for (int y = 0; y < 6; y++)
        for (int x = 0; x < 4; x++)
            assert_true(t.masks[4 * y + x] == (y > 0 && y < 5 && x > 0 && x < 3));
    close_bench(&b);
}

/* Every candidate is taken equally often, in rising order, and a stream gives the same again. */
static void random_sampling(void **state) {
    (void)state;
    static const char *const keys[] = {"SAMPLING", "random", NULL};
    enum { POSITIVES = 12, NEGATIVES = 40, DRAWS = 2000 };
    static float rois[POSITIVES + NEGATIVES][4];
    int32_t first[20];
    int times[POSITIVES + NEGATIVES] = {0};
    uint8_t masks[OBJECTS * MASK];
    mr_ground_truth truth = some_objects(masks);
    bench b = open_bench(keys);
    for (int r = 0; r < POSITIVES + NEGATIVES; r++)
        memcpy(rois[r], proposals[r < POSITIVES ? 0 : 8], sizeof *rois);
    for (int draw = 0; draw < DRAWS; draw++) {
        mr_roi_targets t = match(&b, rois[0], POSITIVES + NEGATIVES, &truth, (uint64_t)draw);
        assert_int_equal(t.positive_count, 6); /* int(20 * 0.33) */
        assert_int_equal(t.negative_count, 12);
        for (int i = 0; i < 18; i++) {
            if (i != 0 && i != 6) assert_true(t.proposals[i] > t.proposals[i - 1]);
            assert_int_equal(t.proposals[i] < POSITIVES, i < 6);
            times[t.proposals[i]]++;
        }
        if (draw == 0) memcpy(first, t.proposals, sizeof first);
    }
    for (int r = 0; r < POSITIVES + NEGATIVES; r++) { /* within five standard deviations */
        double p = r < POSITIVES ? 6.0 / POSITIVES : 12.0 / NEGATIVES;
        assert_true(fabs(times[r] - DRAWS * p) < 5 * sqrt(DRAWS * p * (1 - p)));
    }
    mr_roi_targets again = match(&b, rois[0], POSITIVES + NEGATIVES, &truth, 0);
    assert_memory_equal(first, again.proposals, 18 * sizeof *first);
    again = match(&b, rois[0], POSITIVES + NEGATIVES, &truth, 1);
    assert_memory_not_equal(first, again.proposals, 18 * sizeof *first);
    close_bench(&b);
}

/* Which positives are taken says nothing about the negatives. */
static void draws_are_independent(void **state) {
    (void)state;
    static const char *const keys[] = {"SAMPLING", "random", "ROI_POSITIVE_RATIO", "0.5", NULL};
    enum { EACH = 30 };
    static float rois[2 * EACH][4];
    int different = 0;
    uint8_t masks[OBJECTS * MASK];
    mr_ground_truth truth = some_objects(masks);
    bench b = open_bench(keys);
    for (int r = 0; r < 2 * EACH; r++) memcpy(rois[r], proposals[r < EACH ? 0 : 8], sizeof *rois);
    mr_roi_targets t = match(&b, rois[0], 2 * EACH, &truth, 5);
    assert_true(t.positive_count == 10 && t.negative_count == 10);
    for (int i = 0; i < 10; i++) different += t.proposals[i] + EACH != t.proposals[10 + i];
    assert_true(different > 0);
    close_bench(&b);
}

/* Overlaps are those of mr_iou to the last bit: decisions at 0.5 depend on it. More boxes than
 * settings promise, too: buffers grow. */
static void decides_as_mr_iou(void **state) {
    (void)state;
    static const char *const keys[] = {"TRAIN_ROIS_PER_IMAGE",
                                       "900",
                                       "ROI_POSITIVE_RATIO",
                                       "0.5",
                                       "POST_NMS_ROIS_TRAINING",
                                       "10",
                                       "MAX_GT_INSTANCES",
                                       "2",
                                       "COMPAT",
                                       "matterport",
                                       NULL};
    enum { ROIS = 900, MANY = 131 };
    static float rois[ROIS][4];
    static int32_t many_ids[MANY], many_boxes[MANY][4];
    uint8_t *masks = calloc(MANY, MASK);
    uint64_t stream = mr_prng_stream(3, "boxes");
    int positives = 0, next = 0;
    bench b = open_bench(keys);
    size_t bytes = mr_roi_matcher_bytes(b.matcher);
    for (int i = 0; i < MANY; i++) {
        many_ids[i] = 1 + i % 4;
        for (int k = 0; k < 4; k++) {
            double at = mr_prng_uniform(stream, (uint64_t)(4 * i + k)) * 40;
            many_boxes[i][k] = k < 2 ? (int32_t)at : many_boxes[i][k - 2] + 2 + (int32_t)at;
        }
    }
    for (int i = 0; i < ROIS; i++)
        for (int k = 0; k < 4; k++) {
            double at = mr_prng_uniform(stream, (uint64_t)(1000 + 4 * i + k));
            rois[i][k] = (float)(k < 2 ? at * .5 : (double)rois[i][k - 2] + .1 + at * .4);
        }
    mr_ground_truth truth = {MANY, many_ids, (const int32_t(*)[4])many_boxes, 8, 8, masks};
    mr_roi_targets t = match(&b, rois[0], ROIS, &truth, 0);
    assert_true(mr_roi_matcher_bytes(b.matcher) > bytes);
    for (int i = 0; i < ROIS && positives < 450; i++) {
        float most = -1;
        int best = 0;
        for (int o = 0; o < MANY; o++) {
            double pixels[4];
            float box[4];
            for (int k = 0; k < 4; k++) pixels[k] = many_boxes[o][k];
            mr_norm_box(pixels, 101, 101, box);
            float iou = mr_iou(rois[i], box);
            if (iou > most) most = iou, best = o;
        }
        if (most < 0.5f) continue;
        assert_int_equal(t.proposals[next], i);
        assert_int_equal(t.objects[next++], best);
        positives++;
    }
    assert_int_equal(t.positive_count, positives);
    assert_true(positives > 100);
    free(masks);
    close_bench(&b);
}

/* Refused with a reason, and the result is left alone. */
static void refused(void **state) {
    (void)state;
    uint8_t masks[OBJECTS * MASK];
    mr_ground_truth truth = some_objects(masks), bad = truth;
    bench b = open_bench(no_keys);
    mr_roi_targets t = {.positive_count = 77};
    mrcnn_error err = MRCNN_ERROR_INIT;
    static const int32_t too_high[OBJECTS] = {2, 5, -1};
    bad.class_ids = too_high;
    assert_int_equal(mr_match_rois(b.matcher, proposals[0], 9, &bad, 101, 101, 0, &t, &err),
                     MRCNN_E_ARGUMENT);
    assert_contains(err.message, "NUM_CLASSES is 5");
    bad = truth;
    bad.masks = NULL;
    assert_int_equal(mr_match_rois(b.matcher, proposals[0], 9, &bad, 101, 101, 0, &t, &err),
                     MRCNN_E_ARGUMENT);
    assert_contains(err.message, "masks");
    bad = truth;
    bad.count = -1;
    assert_int_equal(mr_match_rois(b.matcher, proposals[0], 9, &bad, 101, 101, 0, &t, &err),
                     MRCNN_E_ARGUMENT);
    assert_int_equal(mr_match_rois(b.matcher, proposals[0], 9, &truth, 1, 101, 0, &t, &err),
                     MRCNN_E_ARGUMENT);
    assert_contains(err.message, "1 x 101");
    assert_int_equal(t.positive_count, 77);
    close_bench(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_kept_here),
        cmocka_unit_test(goldens_shared),
        cmocka_unit_test(golden_training),
        cmocka_unit_test(positives_and_negatives),
        cmocka_unit_test(without_positives),
        cmocka_unit_test(no_objects_or_only_crowds),
        cmocka_unit_test(crowds),
        cmocka_unit_test(ties_and_padding),
        cmocka_unit_test(half_an_object),
        cmocka_unit_test(boxes_without_area),
        cmocka_unit_test(negatives_for_positives),
        cmocka_unit_test(masks_of_the_picture),
        cmocka_unit_test(roi_larger_than_its_object),
        cmocka_unit_test(random_sampling),
        cmocka_unit_test(draws_are_independent),
        cmocka_unit_test(decides_as_mr_iou),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests_name("detection targets", tests, NULL, NULL);
}
