/* test_model.c - models and sessions from outside: making, saving, loading and starting from files,
 * detection on odd pictures, in batches, from several threads, with a backbone of one's own. */
#include "helper_assert.h"
#include "helper_golden.h"
#include "helper_oracle.h"
#include "helper_trace.h"

#include "model/session.h"

#include <mrcnn/graph.h>

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* Pictures of any size, a few detections whatever the weights. */
static const char *const any_size[] = {"IMAGE_RESIZE_MODE",
                                       "pad64",
                                       "IMAGE_MIN_DIM",
                                       "64",
                                       "DETECTION_MIN_CONFIDENCE",
                                       "0",
                                       "DETECTION_MAX_INSTANCES",
                                       "10",
                                       "POST_NMS_ROIS_INFERENCE",
                                       "50",
                                       NULL};

static mrcnn_model *tiny_model(const char *const *keys) {
    mrcnn_model *model = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (oracle_tiny_model(&model, 4, keys, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return model;
}

static mrcnn_session *session_of(mrcnn_model *model, int threads) {
    mrcnn_session *session = NULL;
    mrcnn_session_options options = mrcnn_session_options_default();
    options.threads = threads;
    assert_int_equal(mrcnn_session_create(&session, model, &options, NULL), MRCNN_OK);
    return session;
}

static mrcnn_result *detect(mrcnn_session *session, const mrcnn_image *image) {
    mrcnn_result *result = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_detect(session, image, 1, &result, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return result;
}

static int same_instances(const mrcnn_result *a, const mrcnn_result *b) {
    if (a->height != b->height || a->width != b->width || a->count != b->count) return 0;
    for (size_t i = 0; i < a->count; i++) {
        const mrcnn_instance *x = &a->instances[i], *y = &b->instances[i];
        if (x->y1 != y->y1 || x->x1 != y->x1 || x->y2 != y->y2 || x->x2 != y->x2 ||
            x->class_id != y->class_id || x->score != y->score || x->mask.count != y->mask.count ||
            memcmp(x->mask.counts, y->mask.counts, x->mask.count * sizeof(uint32_t)) != 0)
            return 0;
    }
    return 1;
}

/* What every result must be. */
static void check_result(const mrcnn_result *r, const mrcnn_image *image, int classes) {
    assert_int_equal(r->height, image->height);
    assert_int_equal(r->width, image->width);
    for (size_t i = 0; i < r->count; i++) {
        const mrcnn_instance *it = &r->instances[i];
        assert_true(0 <= it->y1 && it->y1 < it->y2 && it->y2 <= image->height);
        assert_true(0 <= it->x1 && it->x1 < it->x2 && it->x2 <= image->width);
        assert_true(it->class_id > 0 && it->class_id < classes);
        assert_true(it->score >= 0 && it->score <= 1);
        assert_true(i == 0 || it->score <= r->instances[i - 1].score);
        assert_non_null(it->class_name);
        assert_int_equal(it->mask.height, image->height);
        assert_int_equal(it->mask.width, image->width);
        uint64_t pixels = 0;
        for (size_t k = 0; k < it->mask.count; k++) pixels += it->mask.counts[k];
        assert_int_equal(pixels, (uint64_t)image->height * (uint64_t)image->width);
    }
}

/* A name in the temporary folder that nothing has. */
static char *temporary(char *text) {
    strcpy(text, "/tmp/mrcnn-test-XXXXXX");
    int fd = mkstemp(text);
    assert_true(fd >= 0);
    close(fd);
    remove(text);
    strcat(text, ".h5");
    return text;
}

static int same_tensor(const mr_tensor *a, const mr_tensor *b) {
    return a && b && a->count == b->count &&
           memcmp(a->values, b->values, a->count * sizeof(float)) == 0;
}

/* ----------------------------------------------------------------------------- files of weights */

static void save_and_load(void **state) {
    (void)state;
    static const char *const names[] = {"BG", "cat", "d\303\266g", "bird"};
    char path[64];
    mrcnn_model *model = tiny_model(oracle_talkative), *back = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_model_set_class_names(model, names, 3, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_model_set_class_names(model, names, 4, &err), MRCNN_OK);
    assert_int_equal(mrcnn_model_save(model, temporary(path), NULL), MRCNN_OK);
    if (mrcnn_model_load(&back, path, NULL, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_int_equal(mr_tensors_count(model->weights), mr_tensors_count(back->weights));
    for (size_t i = 0; i < mr_tensors_count(model->weights); i++) {
        const mr_tensor *t = mr_tensors_at(model->weights, i);
        assert_true(same_tensor(t, mr_tensors_find(back->weights, t->layer, t->param)));
    }
    assert_int_equal(mrcnn_model_class_count(back), 4);
    for (int i = 0; i < 4; i++) assert_string_equal(mrcnn_model_class_name(back, i), names[i]);
    const mrcnn_config_key *key;
    for (size_t i = 0; (key = mrcnn_config_key_at(i)); i++)
        assert_string_equal(mrcnn_config_get(mrcnn_model_config(back), key->name),
                            mrcnn_config_get(mrcnn_model_config(model), key->name));
    for (size_t i = 0; mrcnn_model_layer(back, i); i++)
        assert_int_equal(mrcnn_model_layer(back, i)->state, MRCNN_LAYER_LOADED);
    assert_non_null(mrcnn_model_layer(back, 0));
    mrcnn_session *a = session_of(model, 1), *b = session_of(back, 1);
    mrcnn_image image = noisy_picture(50, 80, 1);
    mrcnn_result *x = detect(a, &image), *y = detect(b, &image);
    assert_true(x->count > 0 && same_instances(x, y));
    assert_string_equal(y->instances[0].class_name, names[y->instances[0].class_id]);
    mrcnn_result_free(&x);
    mrcnn_result_free(&y);
    mrcnn_session_free(&a);
    mrcnn_session_free(&b);
    mrcnn_model_free(&model);
    mrcnn_model_free(&back);
    free(image.pixels);
    remove(path);
}

/* Of a given configuration, what was set wins over what the file carries; the architecture is the
 * file's. */
static void explicit_keys_win(void **state) {
    (void)state;
    char path[64];
    mrcnn_model *model = tiny_model(oracle_talkative), *back = NULL;
    mrcnn_config *config = NULL;
    assert_int_equal(mrcnn_model_save(model, temporary(path), NULL), MRCNN_OK);
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "DETECTION_MAX_INSTANCES", "3", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_model_load(&back, path, config, NULL), MRCNN_OK);
    const mr_settings *s = mr_config_settings(back->config);
    assert_int_equal(s->detection_max_instances, 3);
    assert_int_equal(s->post_nms_rois_inference, 60);
    assert_int_equal(s->num_classes, 4);
    assert_int_equal(s->mask_width, 32);
    mrcnn_config_free(&config);
    mrcnn_model_free(&model);
    mrcnn_model_free(&back);
    remove(path);
}

static const mrcnn_layer_report *report_of(const mrcnn_model *model, const char *layer) {
    const mrcnn_layer_report *report;
    for (size_t i = 0; (report = mrcnn_model_layer(model, i)); i++)
        if (strcmp(report->layer, layer) == 0) return report;
    fail_msg("no report about layer %s", layer);
    return NULL;
}

static void start_with_other_classes(void **state) {
    (void)state;
    static const char *const exclude[] = {"mrcnn_mask_conv1", NULL};
    char path[64];
    mrcnn_model *model = tiny_model(NULL), *other = NULL, *again = NULL;
    mrcnn_config *config = NULL;
    assert_int_equal(mrcnn_model_save(model, temporary(path), NULL), MRCNN_OK);
    assert_int_equal(oracle_tiny_config(&config, 7, NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_model_start_from(&other, path, config, exclude, 5, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_model_start_from(&again, path, config, exclude, 5, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_model_class_count(other), 7);
    assert_string_equal(mrcnn_model_class_name(other, 0), "BG");
    assert_string_equal(mrcnn_model_class_name(other, 6), "class 6");
    static const char *const fresh[] = {"mrcnn_class_logits", "mrcnn_bbox_fc", "mrcnn_mask"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(report_of(other, fresh[i])->state, MRCNN_LAYER_REINITIALISED);
        assert_contains(report_of(other, fresh[i])->note, "kernel: file (");
    }
    assert_contains(report_of(other, "mrcnn_class_logits")->note, "file (128, 4), model (128, 7)");
    assert_int_equal(report_of(other, "mrcnn_mask_conv1")->state, MRCNN_LAYER_SKIPPED);
    assert_int_equal(report_of(other, "conv1")->state, MRCNN_LAYER_LOADED);
    for (size_t i = 0; i < mr_tensors_count(other->weights); i++) {
        const mr_tensor *t = mr_tensors_at(other->weights, i);
        const mr_tensor *old = mr_tensors_find(model->weights, t->layer, t->param);
        int loaded = report_of(other, t->layer)->state == MRCNN_LAYER_LOADED;
        if (loaded) assert_true(same_tensor(t, old));
        if (!loaded && strcmp(t->param, "kernel") == 0) assert_false(same_tensor(t, old));
        assert_true(same_tensor(t, mr_tensors_find(again->weights, t->layer, t->param)));
    }
    mrcnn_model_free(&model);
    mrcnn_model_free(&other);
    mrcnn_model_free(&again);
    mrcnn_config_free(&config);
    remove(path);
}

/* Writes the model's tensors but for one layer, or one tensor of it, and one that nobody knows. */
static void save_without(const mrcnn_model *model, const char *layer, const char *param,
                         const char *path) {
    mr_tensors *set = mr_tensors_create();
    mr_tensor *copy;
    const int64_t one[1] = {1};
    for (size_t i = 0; i < mr_tensors_count(model->weights); i++) {
        const mr_tensor *t = mr_tensors_at(model->weights, i);
        if (strcmp(t->layer, layer) == 0 && (!param || strcmp(t->param, param) == 0)) continue;
        assert_int_equal(mr_tensors_add(set, t->layer, t->param, t->rank, t->shape, &copy, NULL),
                         MRCNN_OK);
        memcpy(copy->values, t->values, t->count * sizeof(float));
    }
    assert_int_equal(mr_tensors_add(set, "stranger", "bias", 1, one, &copy, NULL), MRCNN_OK);
    copy->values[0] = 1;
    mr_weights_info info = {0};
    assert_int_equal(mr_weights_write(set, &info, path, NULL), MRCNN_OK);
    mr_tensors_free(&set);
}

static void missing_layers(void **state) {
    (void)state;
    static const struct {
        const char *layer, *param, *message;
    } missing[] = {{"fpn_p3", NULL, "fpn_p3"},
                   {"bn4c_branch2b", "moving_mean", "bn4c_branch2b/moving_mean"},
                   {"rpn_bbox_pred", "bias", "rpn_bbox_pred/bias"},
                   {"mrcnn_class_logits", NULL, "without Mask R-CNN's heads"},
                   {"mrcnn_mask_deconv", "kernel", "mrcnn_mask_deconv/kernel"},
                   {"conv1", NULL, "conv1"}};
    mrcnn_model *model = tiny_model(NULL);
    mrcnn_config *config = NULL;
    assert_int_equal(oracle_tiny_config(&config, 4, NULL, NULL), MRCNN_OK);
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        char path[64];
        mrcnn_model *back = NULL;
        mrcnn_error err = MRCNN_ERROR_INIT;
        save_without(model, missing[i].layer, missing[i].param, temporary(path));
        assert_int_equal(mrcnn_model_load(&back, path, NULL, &err), MRCNN_E_WEIGHTS);
        assert_null(back);
        assert_contains(err.message, path);
        assert_contains(err.message, missing[i].message);
        assert_int_equal(mrcnn_model_start_from(&back, path, config, NULL, 1, &err), MRCNN_OK);
        assert_int_equal(report_of(back, missing[i].layer)->state, MRCNN_LAYER_MISSING);
        assert_int_equal(report_of(back, "stranger")->state, MRCNN_LAYER_SKIPPED);
        assert_int_equal(report_of(back, "fpn_p4")->state, MRCNN_LAYER_LOADED);
        mrcnn_model_free(&back);
        remove(path);
    }
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
}

static void load_errors(void **state) {
    (void)state;
    mrcnn_model *model = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_not_equal(mrcnn_model_load(&model, "/nowhere/w.h5", NULL, &err), MRCNN_OK);
    assert_contains(err.message, "/nowhere/w.h5");
    assert_null(model);
    mrcnn_config *config = NULL;
    assert_int_equal(oracle_tiny_config(&config, 4, NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "BACKBONE", "vgg16", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_model_create(&model, config, 1, &err), MRCNN_E_CONFIG);
    assert_contains(err.message, "vgg16");
    mrcnn_config_free(&config);
}

/* A session on the CPU executor releases raw kernels once they are packed. */
static void save_after_packing(void **state) {
    (void)state;
    char path[64];
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_model *model = tiny_model(oracle_talkative);
    mrcnn_session *session = session_of(model, 1);
    mrcnn_image image = noisy_picture(64, 64, 3);
    mrcnn_result *result = detect(session, &image);
    mrcnn_result_free(&result);
    assert_int_equal(mrcnn_model_save(model, temporary(path), &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, path);
    assert_int_not_equal(access(path, F_OK), 0);
    /* The reference executor would need them as well: it says so. */
    mrcnn_session *reference = NULL;
    mrcnn_session_options options = mrcnn_session_options_default();
    options.executor = "reference";
    assert_int_equal(mrcnn_session_create(&reference, model, &options, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_detect(reference, &image, 1, &result, &err), MRCNN_E_UNSUPPORTED);
    assert_null(result);
    mrcnn_session_free(&reference);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    free(image.pixels);
}

static void fresh_weights_follow_the_seed(void **state) {
    (void)state;
    mrcnn_config *config = NULL;
    mrcnn_model *m[3] = {NULL, NULL, NULL};
    static const uint64_t seeds[3] = {1, 1, 2};
    assert_int_equal(oracle_tiny_config(&config, 81, NULL, NULL), MRCNN_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(mrcnn_model_create(&m[i], config, seeds[i], NULL), MRCNN_OK);
    const mr_tensor *t[3];
    for (int i = 0; i < 3; i++) t[i] = mr_tensors_find(m[i]->weights, "res4b_branch2b", "kernel");
    assert_true(same_tensor(t[0], t[1]));
    assert_false(same_tensor(t[0], t[2]));
    assert_string_equal(mrcnn_model_class_name(m[0], 1), "person"); /* 81 classes: COCO's names */
    assert_string_equal(mrcnn_model_class_name(m[0], 80), "toothbrush");
    assert_string_equal(mrcnn_model_class_name(m[0], 81), "?");
    assert_string_equal(mrcnn_model_class_name(m[0], -1), "?");
    for (int i = 0; i < 3; i++) mrcnn_model_free(&m[i]);
    mrcnn_config_free(&config);
}

/* ------------------------------------------------------------------------------------ detection */

static void odd_pictures(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {64, 64},  {1, 300}, {300, 1},
                                   {2, 2}, {700, 31}, {9, 64}};
    static const char *const modes[] = {"square", "pad64"};
    for (int mode = 0; mode < 2; mode++) {
        mrcnn_model *model = NULL;
        mrcnn_config *config = NULL;
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_equal(oracle_tiny_config(&config, 4, oracle_talkative, NULL), MRCNN_OK);
        assert_int_equal(mrcnn_config_set(config, "IMAGE_RESIZE_MODE", modes[mode], NULL),
                         MRCNN_OK);
        if (mode) /* or a strip of 700 x 31 would be 1472 high */
            assert_int_equal(mrcnn_config_set(config, "IMAGE_MIN_DIM", "0", NULL), MRCNN_OK);
        if (oracle_model(&model, config, 2, &err) != MRCNN_OK) fail_msg("%s", err.message);
        mrcnn_session *session = session_of(model, 2);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            mrcnn_image image = noisy_picture(sizes[i][0], sizes[i][1], i);
            mrcnn_result *result = NULL;
            /* A strip that shrinks to nothing may be refused, in words. */
            if (mrcnn_detect(session, &image, 1, &result, &err) == MRCNN_OK)
                check_result(result, &image, 4);
            else
                print_message("%s, %d x %d: %s\n", modes[mode], sizes[i][0], sizes[i][1],
                              err.message);
            assert_true(result || err.message[0]);
            if (i == 1) assert_true(result && result->count > 0);
            mrcnn_result_free(&result);
            free(image.pixels);
        }
        mrcnn_session_free(&session);
        mrcnn_model_free(&model);
        mrcnn_config_free(&config);
    }
}

enum { PICTURES = 7 };

/* Pictures together are what they are alone, whatever the batch. */
static void batches(void **state) {
    (void)state;
    static const char *const limits[] = {"1", "2", "3", "7"};
    mrcnn_image images[PICTURES];
    mrcnn_result *alone[PICTURES];
    for (int i = 0; i < PICTURES; i++)
        images[i] = noisy_picture(40 + 5 * i, 90 - 7 * i, (uint64_t)i);
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
        mrcnn_config *config = NULL;
        mrcnn_model *model = NULL;
        mrcnn_result *together[PICTURES] = {NULL};
        assert_int_equal(oracle_tiny_config(&config, 4, oracle_talkative, NULL), MRCNN_OK);
        assert_int_equal(mrcnn_config_set(config, "IMAGES_PER_GPU", limits[k], NULL), MRCNN_OK);
        assert_int_equal(oracle_model(&model, config, 2, NULL), MRCNN_OK);
        mrcnn_session *session = session_of(model, 2);
        assert_int_equal(mrcnn_detect(session, images, PICTURES, together, NULL), MRCNN_OK);
        for (int i = 0; i < PICTURES; i++) {
            check_result(together[i], &images[i], 4);
            if (k == 0) {
                assert_true(together[i]->count > 0);
                alone[i] = together[i];
                continue;
            }
            if (!same_instances(alone[i], together[i]))
                fail_msg("picture %d differs in batches of %s", i, limits[k]);
            mrcnn_result_free(&together[i]);
        }
        mrcnn_session_free(&session);
        mrcnn_model_free(&model);
        mrcnn_config_free(&config);
    }
    for (int i = 0; i < PICTURES; i++) {
        mrcnn_result_free(&alone[i]);
        free(images[i].pixels);
    }
}

/* Pictures that were prepared are found to be what they are otherwise: in all resize modes, stretched, in
 * views, and however often. */
static void prepared_pictures(void **state) {
    (void)state;
    static const char *const ways[][2] = {
        {"IMAGE_RESIZE_MODE", "square"}, {"IMAGE_RESIZE_MODE", "pad64"},
        {"IMAGE_RESIZE_MODE", "crop"},   {"IMAGE_STRETCH", "[5, 90]"},
        {"TEST_FLIPS", "horizontal"},    {"TILE_SIZE", "80"}};
    mrcnn_image images[PICTURES];
    for (int i = 0; i < PICTURES; i++)
        images[i] = noisy_picture(40 + 15 * i, 190 - 17 * i, (uint64_t)i);
    for (size_t k = 0; k < sizeof ways / sizeof *ways; k++) {
        mrcnn_config *config = NULL;
        mrcnn_model *model = NULL;
        mrcnn_prepared *prepared[PICTURES] = {NULL};
        mrcnn_result *plain[PICTURES] = {NULL}, *again[PICTURES] = {NULL};
        assert_int_equal(oracle_tiny_config(&config, 4, oracle_talkative, NULL), MRCNN_OK);
        assert_int_equal(mrcnn_config_set(config, ways[k][0], ways[k][1], NULL), MRCNN_OK);
        assert_int_equal(oracle_model(&model, config, 2, NULL), MRCNN_OK);
        mrcnn_session *session = session_of(model, 2);
        assert_int_equal(mrcnn_detect(session, images, PICTURES, plain, NULL), MRCNN_OK);
        for (int i = 0; i < PICTURES; i++)
            assert_int_equal(mrcnn_prepare(&prepared[i], model, &images[i], NULL), MRCNN_OK);
        for (int round = 0; round < 2; round++) {
            assert_int_equal(mrcnn_detect_prepared(session, (const mrcnn_prepared *const *)prepared,
                                                   PICTURES, again, NULL),
                             MRCNN_OK);
            for (int i = 0; i < PICTURES; i++) {
                if (!same_instances(plain[i], again[i]))
                    fail_msg("picture %d differs with %s", i, ways[k][0]);
                mrcnn_result_free(&again[i]);
            }
        }
        assert_true(plain[0]->count > 0);
        for (int i = 0; i < PICTURES; i++) {
            mrcnn_result_free(&plain[i]);
            mrcnn_prepared_free(&prepared[i]);
            assert_null(prepared[i]);
        }
        mrcnn_session_free(&session);
        mrcnn_model_free(&model);
        mrcnn_config_free(&config);
    }
    for (int i = 0; i < PICTURES; i++) free(images[i].pixels);
}

static void prepared_wrongly(void **state) {
    (void)state;
    mrcnn_model *model = tiny_model(oracle_talkative), *other = tiny_model(any_size);
    mrcnn_session *session = session_of(model, 1);
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = noisy_picture(64, 64, 1), empty = {64, 64, 3, NULL};
    mrcnn_prepared *pictures[2] = {NULL}, *none = NULL;
    mrcnn_result *untouched = (mrcnn_result *)&err, *results[2] = {untouched, untouched};
    assert_int_equal(mrcnn_prepare(&none, model, &empty, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "is empty");
    empty = (mrcnn_image){64, 64, 4, image.pixels};
    assert_int_equal(mrcnn_prepare(&none, model, &empty, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "4 channels");
    empty = (mrcnn_image){1, 64 * 64, 3, image.pixels};
    assert_int_equal(mrcnn_prepare(&none, model, &empty, &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "too narrow");
    assert_null(none);
    assert_int_equal(mrcnn_prepare(&pictures[0], model, &image, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_prepare(&pictures[1], other, &image, NULL), MRCNN_OK);
    assert_int_equal(
        mrcnn_detect_prepared(session, (const mrcnn_prepared *const *)pictures, 2, results, &err),
        MRCNN_E_ARGUMENT);
    assert_contains(err.message, "picture 1 was prepared for another model");
    assert_ptr_equal(results[0], untouched);
    assert_int_equal(mrcnn_detect_prepared(session, NULL, 0, NULL, &err), MRCNN_OK);
    mrcnn_prepared_free(&pictures[0]);
    mrcnn_prepared_free(&pictures[1]);
    mrcnn_prepared_free(&none);
    mrcnn_prepared_free(NULL);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    mrcnn_model_free(&other);
    free(image.pixels);
}

typedef struct worker {
    mrcnn_model *model;
    const mrcnn_image *images;
    mrcnn_result *results[PICTURES];
    mrcnn_status status;
} worker;

/* Three times over, so that one compiles while the other runs. */
static void *work(void *user) {
    worker *w = user;
    for (int round = 0; w->status == MRCNN_OK && round < 3; round++) {
        mrcnn_session *session = NULL;
        mrcnn_session_options options = mrcnn_session_options_default();
        options.threads = 1;
        w->status = mrcnn_session_create(&session, w->model, &options, NULL);
        for (int i = 0; w->status == MRCNN_OK && i < PICTURES; i++) {
            mrcnn_result_free(&w->results[i]);
            w->status = mrcnn_detect(session, &w->images[i], 1, &w->results[i], NULL);
        }
        mrcnn_session_free(&session);
    }
    return NULL;
}

static void two_threads(void **state) {
    (void)state;
    mrcnn_image images[PICTURES];
    for (int i = 0; i < PICTURES; i++)
        images[i] = noisy_picture(64 + 20 * i, 64 + 13 * i, (uint64_t)i);
    worker w[3] = {{.model = tiny_model(any_size), .images = images},
                   {.images = images},
                   {.model = tiny_model(any_size), .images = images}};
    w[1].model = w[0].model;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) assert_int_equal(pthread_create(&threads[i], NULL, work, &w[i]), 0);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    work(&w[2]);
    for (int i = 0; i < 3; i++) assert_int_equal(w[i].status, MRCNN_OK);
    /* One set of packed weights, whoever was there first. */
    assert_int_equal(mr_weight_bytes(w[0].model->packs, w[0].model->weights),
                     mr_weight_bytes(w[2].model->packs, w[2].model->weights));
    for (int i = 0; i < PICTURES; i++) {
        assert_true(w[2].results[i]->count > 0);
        assert_true(same_instances(w[0].results[i], w[1].results[i]));
        assert_true(same_instances(w[0].results[i], w[2].results[i]));
    }
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < PICTURES; i++) mrcnn_result_free(&w[k].results[i]);
    mrcnn_model_free(&w[0].model);
    mrcnn_model_free(&w[2].model);
    for (int i = 0; i < PICTURES; i++) free(images[i].pixels);
}

/* One thread or two: the same instances (byte for byte where the kernels promise it). */
static void thread_counts(void **state) {
    (void)state;
    mrcnn_model *model = tiny_model(oracle_talkative);
    mrcnn_session *one = session_of(model, 1), *two = session_of(model, 2);
    int same = 0;
    for (int i = 0; i < PICTURES; i++) {
        mrcnn_image image = noisy_picture(60, 70, (uint64_t)i);
        mrcnn_result *a = detect(one, &image), *b = detect(two, &image), *c = detect(two, &image);
        same += same_instances(a, b);
        assert_true(same_instances(b, c)); /* same thread count, same bytes */
        mrcnn_result_free(&a);
        mrcnn_result_free(&b);
        mrcnn_result_free(&c);
        free(image.pixels);
    }
    print_message("one thread and two give the same bytes for %d pictures of %d\n", same, PICTURES);
    mrcnn_session_free(&one);
    mrcnn_session_free(&two);
    mrcnn_model_free(&model);
}

/* More picture sizes than a session keeps, there and back. */
static void sizes_come_and_go(void **state) {
    (void)state;
    enum { SIZES = MR_MAX_PIPELINES + 3 };
    mrcnn_model *model = tiny_model(any_size);
    mrcnn_session *session = session_of(model, 2);
    mrcnn_image images[SIZES];
    mrcnn_result *first[SIZES];
    size_t most = 0;
    for (int i = 0; i < SIZES; i++) {
        images[i] = noisy_picture(64 * (i % 3 + 1), 64 * (i / 3 + 1), (uint64_t)i);
        first[i] = detect(session, &images[i]);
        check_result(first[i], &images[i], 4);
        if (mrcnn_session_bytes(session) > most) most = mrcnn_session_bytes(session);
    }
    for (int round = 0; round < 3; round++)
        for (int i = SIZES - 1; i >= 0; i--) {
            mrcnn_result *again = detect(session, &images[i]);
            assert_true(same_instances(first[i], again));
            mrcnn_result_free(&again);
        }
    assert_true(most > 0 && mrcnn_session_bytes(session) <= 2 * most);
    for (int i = 0; i < SIZES; i++) {
        mrcnn_result_free(&first[i]);
        free(images[i].pixels);
    }
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
}

static void wrong_arguments(void **state) {
    (void)state;
    mrcnn_model *model = tiny_model(oracle_talkative);
    mrcnn_session *session = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_session_options options = mrcnn_session_options_default();
    options.executor = "abacus";
    assert_int_equal(mrcnn_session_create(&session, model, &options, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "abacus");
    options = mrcnn_session_options_default();
    options.threads = -1;
    assert_int_equal(mrcnn_session_create(&session, model, &options, &err), MRCNN_E_ARGUMENT);
    assert_null(session);
    assert_int_equal(mrcnn_session_create(&session, model, NULL, &err), MRCNN_OK);
    mrcnn_image images[2] = {noisy_picture(64, 64, 1), {64, 64, 4, NULL}};
    mrcnn_result *untouched = (mrcnn_result *)&err, *results[2] = {untouched, untouched};
    char path[64];
    assert_int_equal(mrcnn_detect(session, images, 2, results, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "picture 1");
    assert_int_equal(mrcnn_inspect_tensors(session, &images[1], temporary(path), &err),
                     MRCNN_E_ARGUMENT);
    images[1].pixels = images[0].pixels;
    assert_int_equal(mrcnn_detect(session, images, 2, results, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "4 channels");
    assert_ptr_equal(results[0], untouched); /* outputs are untouched on failure */
    assert_int_equal(mrcnn_inspect_tensors(session, &images[1], path, &err), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_detect(session, images, 0, NULL, &err), MRCNN_OK);
    free(images[0].pixels);
    mrcnn_session_free(&session);
    mrcnn_session_free(NULL);
    mrcnn_model_free(&model);
    mrcnn_model_free(NULL);
    mrcnn_result_free(NULL);
}

static void stages_and_bytes(void **state) {
    (void)state;
    static const char *const stages[] = {
        "mold",          "backbone",       "fpn",        "rpn",
        "proposals",     "box head",       "detections", "mask head",
        "box roi align", "mask roi align", "unmold"};
    mrcnn_model *model = tiny_model(oracle_talkative);
    mrcnn_session *session = session_of(model, 2);
    mrcnn_image image = noisy_picture(64, 64, 1);
    mrcnn_result *result = detect(session, &image);
    assert_true(result->count > 0);
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        size_t k = 0;
        const mrcnn_stage_time *t;
        while ((t = mrcnn_session_stage(session, k)) && strcmp(t->name, stages[i]) != 0) k++;
        if (!t) fail_msg("no stage '%s'", stages[i]);
        assert_true(t->milliseconds >= 0);
        assert_true(strcmp(stages[i], "backbone") != 0 || t->gflop > 0);
    }
    assert_true(mrcnn_session_bytes(session) > 1000000);
    mrcnn_result_free(&result);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    free(image.pixels);
}

static void check_array(const golden_file *file, const char *name, int64_t a, int64_t b,
                        int64_t c) {
    golden_array array;
    if (!golden_read(file, name, &array)) fail_msg("no array %s", name);
    const int64_t want[3] = {a, b, c};
    for (int i = 0; i < array.rank; i++)
        if (want[i] >= 0 && array.shape[i] != want[i])
            fail_msg("%s: axis %d has %d numbers", name, i, (int)array.shape[i]);
    golden_array_free(&array);
}

static void inspect(void **state) {
    (void)state;
    char path[64];
    mrcnn_model *model = tiny_model(oracle_talkative);
    mrcnn_session *session = session_of(model, 2);
    mrcnn_image image = noisy_picture(50, 64, 1);
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_inspect_tensors(session, &image, temporary(path), &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    golden_file *file = golden_open(path);
    assert_non_null(file);
    const int64_t anchors = 3 * (256 + 64 + 16 + 4 + 1);
    check_array(file, "molded", 64, 64, 3);
    check_array(file, "C1", 16, 16, 8);
    check_array(file, "C5", 2, 2, 256);
    check_array(file, "P2", 16, 16, 32);
    check_array(file, "P6", 1, 1, 32);
    check_array(file, "rpn_class", anchors, 2, 0);
    check_array(file, "rpn_bbox", anchors, 4, 0);
    check_array(file, "proposals", 60, 4, 0);
    check_array(file, "detections", -1, 6, 0);
    check_array(file, "masks", -1, 28, 28);
    golden_close(&file);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    free(image.pixels);
    remove(path);
}

/* ----------------------------------------------------------------------- a backbone of one's own
 */

static mrcnn_value step(mrcnn_graph *g, mrcnn_value x, const char *name, int filters, int stride) {
    char bn[32];
    snprintf(bn, sizeof bn, "%s_bn", name);
    x = mrcnn_conv2d(g, x, name, filters, 3, stride, MRCNN_SAME);
    return mrcnn_relu(g, mrcnn_batch_norm(g, x, bn));
}

/* user: NULL, or what to do wrong. */
static void small_backbone(mrcnn_graph *g, mrcnn_value image, mrcnn_value c[5], void *user) {
    const char *mistake = user ? user : "";
    mrcnn_value x = step(g, step(g, image, "one", 8, 2), "two", 12, 2);
    if (strcmp(mistake, "no C1") != 0) c[0] = x;
    c[1] = x = mrcnn_add(g, x, step(g, x, "three", 12, 1));
    if (strcmp(mistake, "no C3") == 0) return;
    c[2] = x = step(g, x, "four", 16, 2);
    c[3] = x = step(g, x, "five", 20, strcmp(mistake, "stride") == 0 ? 1 : 2);
    c[4] = x = step(g, x, strcmp(mistake, "name") == 0 ? "four" : "six", 24, 2);
}

static mrcnn_status own_model(mrcnn_model **model, const char *mistake, mrcnn_error *err) {
    mrcnn_config *config = NULL;
    assert_int_equal(oracle_tiny_config(&config, 4, oracle_talkative, NULL), MRCNN_OK);
    assert_int_equal(
        mrcnn_config_set_backbone(config, "small", small_backbone, (void *)mistake, NULL),
        MRCNN_OK);
    mrcnn_status status = mrcnn_model_create(model, config, 3, err);
    mrcnn_config_free(&config);
    return status;
}

static void own_backbone(void **state) {
    (void)state;
    char path[64], tensors[64];
    mrcnn_model *model = NULL, *back = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (own_model(&model, NULL, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_non_null(mr_tensors_find(model->weights, "six_bn", "gamma"));
    assert_null(mr_tensors_find(model->weights, "conv1", "kernel"));
    assert_int_equal(mrcnn_model_save(model, temporary(path), NULL), MRCNN_OK);
    mrcnn_config *config = NULL;
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_config_set_backbone(config, "small", small_backbone, NULL, NULL),
                     MRCNN_OK);
    if (mrcnn_model_load(&back, path, config, &err) != MRCNN_OK) fail_msg("%s", err.message);
    mrcnn_session *a = session_of(model, 1), *b = session_of(back, 1);
    mrcnn_image image = noisy_picture(64, 64, 1);
    mrcnn_result *x = detect(a, &image), *y = detect(b, &image);
    assert_true(same_instances(x, y));
    if (mrcnn_inspect_tensors(b, &image, temporary(tensors), &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    golden_file *file = golden_open(tensors);
    check_array(file, "C4", 4, 4, 20);
    golden_close(&file);
    mrcnn_result_free(&x);
    mrcnn_result_free(&y);
    mrcnn_session_free(&a);
    mrcnn_session_free(&b);
    mrcnn_model_free(&back);
    /* Without the builder the file alone makes no model. */
    assert_int_not_equal(mrcnn_model_load(&back, path, NULL, &err), MRCNN_OK);
    assert_contains(err.message, path);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    free(image.pixels);
    remove(path);
    remove(tensors);
}

static void own_backbone_gone_wrong(void **state) {
    (void)state;
    static const struct {
        const char *mistake, *message;
    } mistakes[] = {{"stride", "differ in shape"}, {"no C3", "fpn"}, {"name", "'four'"}};
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        mrcnn_model *model = NULL;
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_not_equal(own_model(&model, mistakes[i].mistake, &err), MRCNN_OK);
        assert_null(model);
        assert_contains(err.message, mistakes[i].message);
    }
    /* C1 is only for looking at: detection does without, and so does looking. */
    char path[64];
    mrcnn_model *model = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    golden_array array;
    if (own_model(&model, "no C1", &err) != MRCNN_OK) fail_msg("%s", err.message);
    mrcnn_session *session = session_of(model, 1);
    mrcnn_image image = noisy_picture(64, 64, 1);
    mrcnn_result *result = detect(session, &image);
    if (mrcnn_inspect_tensors(session, &image, temporary(path), &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    golden_file *file = golden_open(path);
    assert_false(golden_read(file, "C1", &array));
    check_array(file, "C2", 16, 16, 12);
    golden_close(&file);
    mrcnn_result_free(&result);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    free(image.pixels);
    remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(save_and_load),
        cmocka_unit_test(explicit_keys_win),
        cmocka_unit_test(start_with_other_classes),
        cmocka_unit_test(missing_layers),
        cmocka_unit_test(load_errors),
        cmocka_unit_test(save_after_packing),
        cmocka_unit_test(fresh_weights_follow_the_seed),
        cmocka_unit_test(odd_pictures),
        cmocka_unit_test(batches),
        cmocka_unit_test(prepared_pictures),
        cmocka_unit_test(prepared_wrongly),
        cmocka_unit_test(two_threads),
        cmocka_unit_test(thread_counts),
        cmocka_unit_test(sizes_come_and_go),
        cmocka_unit_test(wrong_arguments),
        cmocka_unit_test(stages_and_bytes),
        cmocka_unit_test(inspect),
        cmocka_unit_test(own_backbone),
        cmocka_unit_test(own_backbone_gone_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
