/* test_inspect.c - include/mrcnn/inspect.h apart from pages: frames, anchors, targets that are those of
 * training, and what weights are like. */
#include "helper_assert.h"
#include "helper_cli.h"

#include "image/bits.h"
#include "model/boxes.h"
#include "model/model.h"
#include "model/session.h"
#include "train/batches.h"
#include "train/target_maker.h"
#include "weights/weights.h"

#include <mrcnn/inspect.h>

#include <math.h>
#include <stdlib.h>

static const char *const tiny[] = {"NAME",
                                   "tiny",
                                   "NUM_CLASSES",
                                   "4",
                                   "BACKBONE",
                                   "resnet18",
                                   "BACKBONE_STEM_WIDTH",
                                   "8",
                                   "BACKBONE_WIDTHS",
                                   "[8, 8, 16, 16]",
                                   "TOP_DOWN_PYRAMID_SIZE",
                                   "16",
                                   "RPN_WIDTH",
                                   "16",
                                   "MASK_WIDTH",
                                   "8",
                                   "FPN_CLASSIF_FC_LAYERS_SIZE",
                                   "16",
                                   "IMAGE_MIN_DIM",
                                   "128",
                                   "IMAGE_MAX_DIM",
                                   "128",
                                   "RPN_ANCHOR_SCALES",
                                   "[8, 16, 32, 64, 128]",
                                   "POST_NMS_ROIS_TRAINING",
                                   "300",
                                   "TRAIN_ROIS_PER_IMAGE",
                                   "40",
                                   "HORIZONTAL_FLIP",
                                   "0.5",
                                   "IMAGES_PER_GPU",
                                   "2",
                                   "LOADER_THREADS",
                                   "1",
                                   "MAX_GT_INSTANCES",
                                   "5",
                                   NULL};

static mrcnn_config *make_config(const char *const *more) {
    mrcnn_config *config = NULL;
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    const char *const *lists[] = {tiny, more};
    for (int i = 0; i < 2; i++)
        for (const char *const *key = lists[i]; key && *key; key += 2)
            if (mrcnn_config_set(config, key[0], key[1], NULL) != MRCNN_OK)
                fail_msg("%s: %s", key[0], key[1]);
    return config;
}

static mrcnn_dataset *open_shapes(void) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mrcnn_dataset *set = NULL;
    o.format = "shapes";
    o.subset = "train";
    o.shapes_count = 5;
    assert_int_equal(mrcnn_dataset_open(&set, "shapes", &o, NULL), MRCNN_OK);
    return set;
}

/* ----------------------------------------------------------------------------- frames, anchors */

static void test_frame(void **state) {
    (void)state;
    mrcnn_config *config = make_config(NULL);
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_placement f;
    assert_int_equal(mrcnn_placement_of(&f, config, 100, 200, &err), MRCNN_OK);
    assert_int_equal(f.height, 128);
    assert_int_equal(f.width, 128);
    assert_true(f.scale == 0.64); /* 128 / 200 */
    assert_int_equal(f.y1, 32);
    assert_int_equal(f.y2, 96);
    assert_int_equal(f.x1, 0);
    assert_int_equal(f.x2, 128);
    assert_int_equal(mrcnn_placement_of(&f, config, 0, 200, &err), MRCNN_E_ARGUMENT);
    mrcnn_config_free(&config);
}

/* matterport's notebook prints these numbers. */
static void test_anchors(void **state) {
    (void)state;
    static const size_t counts[] = {196608, 49152, 12288, 3072, 768};
    mrcnn_config *config = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_anchors a = {0};
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_anchors_make(&a, config, 0, 0, &err), MRCNN_OK);
    assert_int_equal(a.height, 1024);
    assert_int_equal(a.count, 261888);
    assert_int_equal(a.level_count, 5);
    assert_int_equal(a.ratio_count, 3);
    size_t first = 0;
    for (int l = 0; l < 5; l++) {
        assert_int_equal(a.levels[l].count, counts[l]);
        assert_int_equal(a.levels[l].first, first);
        assert_int_equal(a.levels[l].stride, 4 << l);
        assert_int_equal(a.levels[l].rows, 256 >> l);
        assert_true(a.levels[l].scale == 32 << l);
        first += counts[l];
    }
    /* The first cell's square anchor of P3, and the last anchor of all: centres at index * stride. */
    const double *b = a.boxes[196608 + 1], root = sqrt(2);
    assert_true(b[0] == -32 && b[1] == -32 && b[2] == 32 && b[3] == 32);
    b = a.boxes[261887];
    assert_true(fabs(b[0] - (15 * 64 - 256 / root)) < 1e-9 &&
                fabs(b[3] - (15 * 64 + 256 * root)) < 1e-9);
    mrcnn_anchors_free(&a);
    assert_null(a.boxes);

    assert_int_equal(mrcnn_config_set(config, "RPN_ANCHOR_STRIDE", "2", &err), MRCNN_OK);
    assert_int_equal(mrcnn_anchors_make(&a, config, 128, 192, &err), MRCNN_OK);
    assert_int_equal(a.levels[0].rows, 16);
    assert_int_equal(a.levels[0].columns, 24);
    assert_int_equal(a.levels[0].stride, 8);
    mrcnn_anchors_free(&a);
    assert_int_equal(mrcnn_anchors_make(&a, config, -1, 64, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_anchors_make(&a, config, 1 << 30, 1 << 30, &err), MRCNN_E_ARGUMENT);
    mrcnn_config_free(&config);
}

/* ------------------------------------------------------------------------------------- targets */

/* The anchors of a lesson of training. */
static void check_anchors(const mrcnn_targets *t, const mr_lesson *lesson,
                          const mrcnn_anchors *anchors) {
    const mr_rpn_targets *rpn = &lesson->rpn;
    size_t positive = 0;
    assert_int_equal(t->anchor_count, rpn->count);
    assert_int_equal(t->positive_anchors, rpn->positive_count);
    assert_int_equal(t->all_anchors, anchors->count);
    for (size_t i = 0; i < t->anchor_count; i++) {
        const mrcnn_target_anchor *a = &t->anchors[i];
        assert_int_equal(a->index, rpn->anchors[i]);
        assert_int_equal(a->match, rpn->matches[i]);
        assert_memory_equal(a->box, anchors->boxes[a->index], sizeof a->box);
        if (a->match < 0) continue;
        assert_memory_equal(a->deltas, rpn->deltas[positive++], sizeof a->deltas);
        double nearest = INFINITY; /* moved onto an object */
        for (size_t k = 0; k < t->object_count; k++) {
            const mrcnn_target_object *o = &t->objects[k];
            nearest = fmin(nearest, fabs(a->refined[0] - o->y1) + fabs(a->refined[1] - o->x1) +
                                        fabs(a->refined[2] - o->y2) + fabs(a->refined[3] - o->x2));
        }
        assert_true(nearest < 1e-3);
    }
}

static void check_rois(const mrcnn_targets *t, const mr_roi_targets *rois) {
    size_t values = (size_t)t->target_height * (size_t)t->target_width, matched = 0;
    assert_int_equal(t->positive_rois, rois->positive_count);
    assert_int_equal(t->roi_count, rois->positive_count + rois->negative_count);
    assert_int_equal(t->padding, rois->padding);
    for (size_t i = 0; i < t->roi_count; i++) {
        const mrcnn_target_roi *roi = &t->rois[i];
        float box[4];
        mr_norm_box(roi->box, t->image.height, t->image.width, box);
        for (int k = 0; k < 4; k++) assert_true(fabsf(box[k] - rois->rois[i][k]) < 1e-6f);
        assert_int_equal(roi->class_id, rois->class_ids[i]);
        assert_int_equal(roi->object, rois->objects[i]);
        if (i >= t->positive_rois) continue;
        const mrcnn_target_object *o = &t->objects[roi->object];
        assert_memory_equal(roi->deltas, rois->deltas[i], sizeof roi->deltas);
        assert_memory_equal(roi->mask, rois->masks + i * values, values * sizeof(float));
        assert_true(fabs(roi->refined[0] - o->y1) < 1e-2 && fabs(roi->refined[3] - o->x2) < 1e-2);
        assert_int_equal(roi->class_id, o->class_id);
    }
    for (size_t i = 0; i < t->object_count; i++) matched += t->objects[i].rois;
    assert_int_equal(matched, t->positive_rois);
}

static void check_objects(const mrcnn_targets *t, const mr_lesson *lesson) {
    const mr_ground_truth *truth = &lesson->truth;
    assert_int_equal(t->object_count, truth->count);
    assert_int_equal(t->mask_height, truth->mask_height);
    uint8_t *bytes = malloc((size_t)truth->mask_height * (size_t)truth->mask_width);
    for (size_t i = 0; i < t->object_count; i++) {
        const mrcnn_target_object *o = &t->objects[i];
        const int32_t box[4] = {o->y1, o->x1, o->y2, o->x2};
        assert_memory_equal(box, truth->boxes[i], sizeof box);
        assert_int_equal(o->class_id, truth->class_ids[i]);
        mr_bits_unpack(truth->masks + i * mr_bits_size(truth->mask_height, truth->mask_width),
                       truth->mask_height, truth->mask_width, bytes);
        assert_memory_equal(o->mask, bytes, (size_t)truth->mask_height * (size_t)truth->mask_width);
    }
    free(bytes);
}

/* A run of training and the maker, side by side: the same pictures, anchors, proposals, RoIs. */
static void compare_with_training(const char *const *keys, int with_model) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = make_config(keys);
    const mr_settings *settings = mr_config_settings(config);
    mrcnn_dataset *set = open_shapes();
    mrcnn_model *model = NULL;
    mrcnn_target_maker *maker = NULL;
    mrcnn_anchors anchors = {0};
    mr_batches *batches = NULL;
    mr_learner *learner = NULL;
    mr_packs *packs = mr_packs_create();
    assert_int_equal(mrcnn_model_create(&model, config, 3, &err), MRCNN_OK);
    assert_int_equal(mrcnn_anchors_make(&anchors, config, 128, 128, &err), MRCNN_OK);
    mrcnn_target_options options = mrcnn_target_options_default();
    options.threads = 1;
    assert_int_equal(
        mrcnn_target_maker_create(&maker, set, config, with_model ? model : NULL, &options, &err),
        MRCNN_OK);
    mr_feed_options feed = {.set = set,
                            .name = "shapes",
                            .settings = settings,
                            .seed = (uint64_t)settings->seed,
                            .training = 1};
    mr_learner_options how = {.settings = settings,
                              .executor = mr_find_executor("cpu", &err),
                              .weights = model->weights,
                              .packs = packs,
                              .height = 128,
                              .width = 128,
                              .batch = 2,
                              .threads = 1};
    assert_int_equal(mr_batches_open(&batches, &feed, &err), MRCNN_OK);
    assert_int_equal(mr_learner_create(&learner, &how, &err), MRCNN_OK);
    for (int64_t step = 0; step < 3; step++) {
        const mr_lesson *lessons;
        mr_lesson_result result;
        assert_int_equal(mr_batches_next(batches, &lessons, &err), MRCNN_OK);
        assert_int_equal(mr_learner_run(learner, lessons, 0, &result, &err), MRCNN_OK);
        for (int b = 0; b < 2; b++) {
            const mr_sample *s = mr_batches_sample(batches, b);
            mrcnn_targets *t = NULL;
            int64_t draw = 2 * step + b;
            assert_int_equal(s->number, draw);
            assert_int_equal(mrcnn_target_maker_picture(maker, draw), s->picture);
            if (mrcnn_target_maker_make(maker, s->picture, draw, &t, &err) != MRCNN_OK)
                fail_msg("%s", err.message);
            assert_memory_equal(t->image.pixels, s->pixels, 128 * 128 * 3);
            check_objects(t, &lessons[b]);
            check_anchors(t, &lessons[b], &anchors);
            if (with_model) check_rois(t, mr_learner_targets(learner, b));
            assert_int_equal(t->are_proposals, with_model);
            assert_true(with_model ? t->losses.total > 0 : t->losses.total == 0);
            mrcnn_targets_free(&t);
            assert_null(t);
        }
    }
    mr_learner_free(&learner);
    mr_batches_free(&batches);
    mr_packs_free(&packs);
    mrcnn_anchors_free(&anchors);
    mrcnn_target_maker_free(&maker);
    mrcnn_model_free(&model);
    mrcnn_dataset_free(&set);
    mrcnn_config_free(&config);
}

static void test_as_in_training(void **state) {
    (void)state;
    static const char *const other[] = {"SEED",  "7", "USE_MINI_MASK", "false", "COMPAT",
                                        "paper", NULL};
    compare_with_training(NULL, 1);
    compare_with_training(other, 1);
    compare_with_training(NULL, 0);
}

/* Without a network: RoIs that are reproducible, in the picture, and mostly meet objects. */
static void test_random_rois(void **state) {
    (void)state;
    enum { COUNT = 200 };
    static const int32_t boxes[][4] = {{0, 0, 1, 1}, {40, 50, 80, 90}, {127, 127, 128, 128}};
    float rois[COUNT][4], again[COUNT][4];
    mr_ground_truth truth = {.count = 3, .boxes = boxes};
    mr_random_rois(rois[0], COUNT, &truth, 128, 128, 5);
    mr_random_rois(again[0], COUNT, &truth, 128, 128, 5);
    assert_memory_equal(rois, again, sizeof rois);
    mr_random_rois(again[0], COUNT, &truth, 128, 128, 6);
    assert_memory_not_equal(rois, again, sizeof rois);
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < 2; k++) /* one pixel at least: y2 is beside the last one */
            assert_true(rois[i][k] >= 0 && rois[i][k] <= rois[i][k + 2] && rois[i][k + 2] <= 1);
        int32_t box[4];
        mr_denorm_box(rois[i], 128, 128, box);
        if (i < 60) assert_true(box[2] <= 2 && box[3] <= 2); /* within a box's size around it */
        if (i >= 60 && i < 120)
            assert_true(box[0] >= 0 && box[2] <= 120 && box[1] >= 10 && box[3] <= 128);
    }
    truth.count = 0;
    mr_random_rois(rois[0], COUNT, &truth, 128, 128, 5); /* all of them anywhere */
}

/* Mini masks come back as large as the object; full ones are what they are. */
static void test_masks_restored(void **state) {
    (void)state;
    static const char *const full[] = {"USE_MINI_MASK", "false", NULL};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = open_shapes();
    mrcnn_target_options options = mrcnn_target_options_default();
    options.validation = 1;
    mrcnn_mask masks[2] = {{0}};
    for (int i = 0; i < 2; i++) {
        mrcnn_config *config = make_config(i ? full : NULL);
        mrcnn_target_maker *maker = NULL;
        mrcnn_targets *t = NULL;
        assert_int_equal(mrcnn_target_maker_create(&maker, set, config, NULL, &options, &err),
                         MRCNN_OK);
        assert_int_equal(mrcnn_target_maker_make(maker, 1, 0, &t, &err), MRCNN_OK);
        assert_int_equal(t->has_mini_masks, !i);
        assert_int_equal(t->mask_height, i ? 128 : 56);
        assert_int_equal(mrcnn_targets_mask(t, 0, &masks[i], &err), MRCNN_OK);
        assert_int_equal(mrcnn_targets_mask(t, t->object_count, &masks[i], &err), MRCNN_E_ARGUMENT);
        assert_true(t->objects[0].anchor_iou > 0.2 && t->objects[0].anchor_iou <= 1);
        assert_true(t->objects[0].roi_iou > 0.2 && t->objects[0].roi_iou <= 1);
        mrcnn_targets_free(&t);
        assert_int_equal(mrcnn_target_maker_make(maker, 5, 0, &t, &err), MRCNN_E_ARGUMENT);
        assert_int_equal(mrcnn_target_maker_make(maker, 0, -1, &t, &err), MRCNN_E_ARGUMENT);
        mrcnn_target_maker_free(&maker);
        mrcnn_config_free(&config);
    }
    double small = (double)mrcnn_mask_area(&masks[0]), large = (double)mrcnn_mask_area(&masks[1]);
    assert_true(large > 100 && small > 0.9 * large && small < 1.1 * large);
    mrcnn_mask_free(&masks[0]);
    mrcnn_mask_free(&masks[1]);
    mrcnn_dataset_free(&set);
}

static void test_maker_refuses(void **state) {
    (void)state;
    static const char *const classes[] = {"NUM_CLASSES", "3", NULL};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = open_shapes();
    mrcnn_config *config = make_config(classes);
    mrcnn_model *model = NULL;
    mrcnn_target_maker *maker = NULL;
    assert_int_equal(mrcnn_model_create(&model, config, 0, &err), MRCNN_OK);
    assert_int_equal(mrcnn_target_maker_create(&maker, set, NULL, model, NULL, &err),
                     MRCNN_E_ARGUMENT);
    assert_contains(err.message, "4 classes with the background, the model 3");
    assert_int_equal(mrcnn_target_maker_create(&maker, set, NULL, NULL, NULL, &err),
                     MRCNN_E_ARGUMENT);
    mrcnn_target_options options = mrcnn_target_options_default();
    options.executor = "gpu";
    assert_int_equal(mrcnn_target_maker_create(&maker, set, config, NULL, &options, &err),
                     MRCNN_E_ARGUMENT);
    assert_null(maker);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    mrcnn_dataset_free(&set);
}

/* ------------------------------------------------------------------------------------- weights */

static void add(mr_tensors *set, const char *layer, const char *param, int rank,
                const int64_t *shape, const float *values) {
    mr_tensor *t = NULL;
    assert_int_equal(mr_tensors_add(set, layer, param, rank, shape, &t, NULL), MRCNN_OK);
    memcpy(t->values, values, t->count * sizeof *values);
}

/* matterport's flags: a bias of Conv2D may be constant, others may not; 1000 is not beyond 1000. */
static void test_weights(void **state) {
    (void)state;
    static const struct {
        const char *layer, *param;
        int rank;
        float values[4];
        int dead, overflow;
        size_t nan, infinite;
        double least, greatest, mean, deviation;
    } cases[] = {
        {"conv1", "kernel", 4, {1, 2, 3, 4}, 0, 0, 0, 0, 1, 4, 2.5, 1.118033988749895},
        {"conv1", "bias", 1, {0, 0, 0, 0}, 0, 0, 0, 0, 0, 0, 0, 0},
        {"bn_conv1", "gamma", 1, {1, 1, 1, 1}, 1, 0, 0, 0, 1, 1, 1, 0},
        {"res2a_branch2a", "kernel", 4, {0.5f, 0.5f, 0.5f, 0.5f}, 1, 0, 0, 0, 0.5, 0.5, 0.5, 0},
        {"mrcnn_bbox_fc", "kernel", 2, {-1001, 0, 1, 1000}, 0, 1, 0, 0, -1001, 1000, 0, 707.46},
        {"mrcnn_bbox_fc", "bias", 1, {0, 0, 0, 0}, 1, 0, 0, 0, 0, 0, 0, 0},
        {"mrcnn_class_logits",
         "kernel",
         2,
         {-1000, 1000, 0, 0},
         0,
         0,
         0,
         0,
         -1000,
         1000,
         0,
         707.107},
        {"mrcnn_mask_deconv", "kernel", 4, {1, 2, 1, 2}, 0, 0, 0, 0, 1, 2, 1.5, 0.5},
        {"mrcnn_mask_deconv", "bias", 1, {2, 2, 2, 2}, 1, 0, 0, 0, 2, 2, 2, 0},
        {"rpn_class_raw", "kernel", 4, {NAN, 1, 1, 1}, 0, 0, 1, 0, 1, 1, 1, 0},
        {"rpn_bbox_pred", "kernel", 4, {INFINITY, 1, 2, -INFINITY}, 0, 1, 0, 2, 1, 2, 1.5, 0.5},
        {"fpn_c5p5", "kernel", 4, {NAN, NAN, NAN, NAN}, 0, 0, 4, 0, 0, 0, 0, 0},
    };
    enum { CASES = sizeof cases / sizeof *cases };
    static const int64_t shapes[5][5] = {{0}, {4}, {2, 2}, {0}, {1, 1, 2, 2}};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_tensors *set = mr_tensors_create();
    mrcnn_weights *weights = NULL;
    mrcnn_model *model = NULL;
    for (int i = 0; i < CASES; i++)
        add(set, cases[i].layer, cases[i].param, cases[i].rank, shapes[cases[i].rank],
            cases[i].values);
    mr_weights_info info = {0};
    assert_int_equal(mr_weights_write(set, &info, "crafted.h5", &err), MRCNN_OK);
    mr_tensors_free(&set);
    assert_int_equal(mrcnn_model_load(&model, "crafted.h5", NULL, &err), MRCNN_E_WEIGHTS);
    assert_contains(err.message, "not a finite number"); /* no model, but to be looked at */
    if (mrcnn_weights_open(&weights, "crafted.h5", &err) != MRCNN_OK) fail_msg("%s", err.message);
    for (size_t i = 0; i < CASES; i++) {
        mrcnn_weight_summary s;
        const mrcnn_weights_tensor *t = mrcnn_weights_at(weights, i);
        size_t k = 0, sum = 0;
        while (strcmp(cases[k].layer, t->layer) != 0 || strcmp(cases[k].param, t->name) != 0) k++;
        assert_int_equal(mrcnn_weights_summarize(weights, i, &s, &err), MRCNN_OK);
        for (int n = 0; n < MRCNN_WEIGHT_BARS; n++) sum += s.bars[n];
        int as_expected = s.count == 4 && s.nan == cases[k].nan &&
                          s.infinite == cases[k].infinite && s.is_dead == cases[k].dead &&
                          s.is_overflow == cases[k].overflow && sum == 4 - s.nan - s.infinite &&
                          s.least == cases[k].least && s.greatest == cases[k].greatest &&
                          fabs(s.mean - cases[k].mean) < 1e-9 &&
                          fabs(s.deviation - cases[k].deviation) < 1e-2;
        if (!as_expected) fail_msg("%s/%s", t->layer, t->name);
    }
    assert_int_equal(mrcnn_weights_summarize(weights, CASES, NULL, &err), MRCNN_E_ARGUMENT);
    mrcnn_weights_free(&weights);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame),          cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_as_in_training), cmocka_unit_test(test_random_rois),
        cmocka_unit_test(test_masks_restored), cmocka_unit_test(test_maker_refuses),
        cmocka_unit_test(test_weights),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
