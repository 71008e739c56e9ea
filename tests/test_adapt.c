/* test_adapt.c - conv1 for pictures of other channels: the numbers by hand, what models say of it,
 * that a grey picture gives the features that its copy to RGB gave, and models that are loaded. */
#include "helper_assert.h"
#include "helper_oracle.h"

#include "image/resize.h"
#include "model/adapt.h"
#include "model/session.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* -------------------------------------------------------------------------------------- by hand */

enum { TAPS = 2, FILTERS = 2 };

static mr_tensor *kernel(mr_tensors *set, const char *layer, int64_t channels) {
    mr_tensor *t = NULL;
    const int64_t shape[4] = {1, TAPS, channels, FILTERS};
    assert_int_equal(mr_tensors_add(set, layer, "kernel", 4, shape, &t, NULL), MRCNN_OK);
    for (size_t i = 0; i < t->count; i++) t->values[i] = -99;
    return t;
}

/* The old channel k has values k + 1 times 8, 16, 32 and 64 for the two taps and filters. */
static float old_value(int tap, int channel, int filter) {
    return (float)((channel + 1) * (8 << (2 * tap + filter)));
}

typedef struct adapt_case {
    int have, want;
    double share[5][5]; /* new channel, old channel */
    const char *note;
} adapt_case;

static void numbers_by_hand(void **state) {
    (void)state;
    const double third = 1.0 / 3;
    const adapt_case cases[] = {
        {3, 1, {{1, 1, 1}}, "grey starts as the sum of R, G and B"},
        {1, 3, {{0.299}, {0.587}, {0.114}}, "R, G and B start as 0.299, 0.587 and 0.114 of grey"},
        {3,
         4,
         {{1}, {0, 1}, {0, 0, 1}, {third, third, third}},
         "channel 4 starts as the mean of R, G and B"},
        {3,
         5,
         {{1}, {0, 1}, {0, 0, 1}, {third, third, third}, {third, third, third}},
         "channels 4 to 5 start as the mean of R, G and B"},
        {4, 3, {{1}, {0, 1}, {0, 0, 1}}, "channel 4 of the file is dropped"},
        {5, 3, {{1}, {0, 1}, {0, 0, 1}}, "channels 4 to 5 of the file are dropped"},
        {4,
         5,
         {{1}, {0, 1}, {0, 0, 1}, {0, 0, 0, 1}, {third, third, third}},
         "channel 5 starts as the mean of R, G and B"},
        {4,
         1,
         {{1, 1, 1}},
         "grey starts as the sum of R, G and B; channel 4 of the file is dropped"},
        {3,
         2,
         {{1, 1, 1}, {third, third, third}},
         "grey starts as the sum of R, G and B; channel 2 starts as the mean of R, G and B"},
        {4, 2, {{1, 1, 1}, {0, 0, 0, 1}}, "grey starts as the sum of R, G and B"},
        {1, 2, {{1}, {third}}, "channel 2 starts as a third of grey"},
        {2, 1, {{1}}, "channel 2 of the file is dropped"},
        {2,
         4,
         {{0.299}, {0.587}, {0.114}, {0, 1}},
         "R, G and B start as 0.299, 0.587 and 0.114 of grey"},
        {1,
         4,
         {{0.299}, {0.587}, {0.114}, {third}},
         "R, G and B start as 0.299, 0.587 and 0.114 of grey; channel 4 starts as a third of grey"},
    };
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        const adapt_case *c = &cases[n];
        mr_tensors *file = mr_tensors_create(), *model = mr_tensors_create();
        mr_tensor *have = kernel(file, "conv1", c->have), *want = kernel(model, "conv1", c->want);
        for (size_t i = 0; i < have->count; i++)
            have->values[i] =
                old_value((int)i / FILTERS / c->have, (int)i / FILTERS % c->have, (int)i % FILTERS);
        assert_true(mr_can_adapt(have, want, c->want));
        mr_adapt(want, have);
        for (int tap = 0; tap < TAPS; tap++)
            for (int i = 0; i < c->want; i++)
                for (int f = 0; f < FILTERS; f++) {
                    double sum = 0;
                    for (int k = 0; k < c->have; k++)
                        sum += c->share[i][k] * (double)old_value(tap, k, f);
                    float got = want->values[(tap * c->want + i) * FILTERS + f];
                    if (fabs(got - sum) > 1e-6 * sum)
                        fail_msg("%d to %d: channel %d is %g, not %g", c->have, c->want, i, got,
                                 sum);
                }
        char *note = mr_adapt_note(want, have);
        assert_string_equal(note, c->note);
        free(note);
        mr_tensors_free(&file);
        mr_tensors_free(&model);
    }
}

/* Only the first convolution, and only its channels. */
static void others_are_not_adapted(void **state) {
    (void)state;
    mr_tensors *file = mr_tensors_create(), *model = mr_tensors_create();
    mr_tensor *have = kernel(file, "conv1", 3), *want = kernel(model, "conv1", 4);
    assert_true(mr_can_adapt(have, want, 4));
    assert_false(mr_can_adapt(have, want, 3)); /* it reads something else than the picture */
    assert_false(mr_can_adapt(kernel(file, "conv2", 3), kernel(model, "conv2", 4), 4));
    for (int axis = 0; axis < 4; axis++) {
        int64_t shape[4] = {1, TAPS, 4, FILTERS};
        mr_tensor odd = *want;
        shape[axis] = axis == 2 ? 17 : 9;
        memcpy(odd.shape, shape, sizeof shape);
        assert_false(mr_can_adapt(have, &odd, (int)shape[2]));
    }
    mr_tensors_free(&file);
    mr_tensors_free(&model);
}

/* ----------------------------------------------------------------------------------- as a model */

static char *temporary(char *text) {
    strcpy(text, "/tmp/mrcnn-test-XXXXXX");
    int fd = mkstemp(text);
    assert_true(fd >= 0);
    close(fd);
    remove(text);
    strcat(text, ".h5");
    return text;
}

static mrcnn_config *config_for(int channels, const char *mean) {
    char count[16];
    mrcnn_config *config = NULL;
    snprintf(count, sizeof count, "%d", channels);
    const char *const keys[] = {"IMAGE_CHANNEL_COUNT", count, "MEAN_PIXEL", mean, NULL};
    assert_int_equal(oracle_tiny_config(&config, 4, keys, NULL), MRCNN_OK);
    return config;
}

/* A file with a model for `channels`. */
static void save_model(const char *path, int channels, const char *mean) {
    mrcnn_config *config = config_for(channels, mean);
    mrcnn_model *model = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (oracle_model(&model, config, 2, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_int_equal(mrcnn_model_save(model, path, NULL), MRCNN_OK);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
}

static mrcnn_model *start_from(const char *path, int channels, const char *mean) {
    mrcnn_config *config = config_for(channels, mean);
    mrcnn_model *model = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_model_start_from(&model, path, config, NULL, 1, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    mrcnn_config_free(&config);
    return model;
}

static const mrcnn_layer_report *report_of(const mrcnn_model *model, const char *layer) {
    const mrcnn_layer_report *report;
    for (size_t i = 0; (report = mrcnn_model_layer(model, i)); i++)
        if (strcmp(report->layer, layer) == 0) return report;
    fail_msg("no report about layer %s", layer);
    return NULL;
}

enum { SIDE = 128, FEATURES = 1 << 17 };

/* P2 to P6 of a grey picture that is copied to the model's channels. */
static size_t features_of(mrcnn_model *model, float *features) {
    static const char *const names[] = {"P2", "P3", "P4", "P5", "P6"};
    const mr_settings *s = mr_config_settings(mrcnn_model_config(model));
    mrcnn_session_options options = mrcnn_session_options_default();
    mrcnn_session *session = NULL;
    mrcnn_image image = {SIDE, SIDE, s->image_channel_count, NULL};
    mr_pipeline *p = NULL;
    mr_fit fit;
    size_t count = 0, channels = (size_t)image.channels;
    options.executor = "reference";
    options.threads = 1;
    image.pixels = malloc(SIDE * SIDE * channels);
    assert_non_null(image.pixels);
    for (size_t i = 0; i < SIDE * SIDE * channels; i++) {
        size_t at = i / channels;
        image.pixels[i] = (uint8_t)(at * 2654435761u >> 11 ^ (at / SIDE) * 5);
    }
    assert_int_equal(mrcnn_session_create(&session, model, &options, NULL), MRCNN_OK);
    assert_int_equal(mr_fit_image(&fit, SIDE, SIDE, s, NULL), MRCNN_OK);
    assert_int_equal(mr_session_pipeline(session, SIDE, SIDE, 1, &p, NULL), MRCNN_OK);
    assert_int_equal(mr_fit_and_mold(&image, &fit, &s->mean_pixel, p->image, 1, NULL), MRCNN_OK);
    mr_pipeline_features(p, session->workspace);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        mrcnn_shape shape;
        const float *values = mr_plan_output(p->pyramid, names[i], &shape);
        assert_non_null(values);
        for (size_t k = 0; k < mr_shape_size(shape); k++) {
            assert_true(count < FEATURES);
            features[count++] = values[k];
        }
    }
    free(image.pixels);
    mrcnn_session_free(&session);
    return count;
}

static float difference(const float *a, const float *b, size_t count) {
    float largest = 0, most = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmaxf(largest, fabsf(a[i] - b[i]));
        most = fmaxf(most, fabsf(a[i]));
    }
    assert_true(most > 0);
    return largest / most;
}

/* From RGB to grey and back: as the copy to RGB, or the grey of it, did. The means must agree. */
static void grey_gives_what_its_copy_gave(void **state) {
    (void)state;
    static const struct {
        int from, to;
        const char *from_mean, *to_mean;
    } ways[] = {{3, 1, "[110, 110, 110]", "[110]"}, {1, 3, "[110]", "[110, 110, 110]"}};
    float *before = calloc(FEATURES, sizeof *before), *after = calloc(FEATURES, sizeof *after);
    assert_true(before && after);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        char path[64];
        mrcnn_model *old = NULL;
        save_model(temporary(path), ways[i].from, ways[i].from_mean);
        mrcnn_model *adapted = start_from(path, ways[i].to, ways[i].to_mean);
        assert_int_equal(mrcnn_model_load(&old, path, NULL, NULL), MRCNN_OK);
        size_t count = features_of(old, before);
        assert_int_equal(features_of(adapted, after), count);
        if (difference(before, after, count) > 1e-5F)
            fail_msg("%d to %d: %g", ways[i].from, ways[i].to,
                     (double)difference(before, after, count));
        mrcnn_model_free(&old);
        mrcnn_model_free(&adapted);
        /* It would be no wonder if all pictures gave the same. */
        adapted = start_from(path, ways[i].to, ways[i].to == 1 ? "[60]" : "[60, 60, 60]");
        features_of(adapted, after);
        assert_true(difference(before, after, count) > 1e-3F);
        mrcnn_model_free(&adapted);
        remove(path);
    }
    free(before);
    free(after);
}

static void reports_say_what_was_done(void **state) {
    (void)state;
    static const char *const exclude[] = {"conv1", NULL};
    char path[64];
    save_model(temporary(path), 3, "[1, 2, 3]");
    mrcnn_model *model = start_from(path, 4, "[1, 2, 3, 4]"), *excluded = NULL;
    const mrcnn_layer_report *report = report_of(model, "conv1");
    assert_int_equal(report->state, MRCNN_LAYER_ADAPTED);
    assert_string_equal(report->note, "kernel: file (7, 7, 3, 8), model (7, 7, 4, 8): channel 4 "
                                      "starts as the mean of R, G and B");
    size_t others = 0;
    for (size_t i = 0; mrcnn_model_layer(model, i); i++)
        others += mrcnn_model_layer(model, i)->state != MRCNN_LAYER_LOADED;
    assert_int_equal(others, 1);
    mrcnn_model_free(&model);
    model = start_from(path, 3, "[1, 2, 3]");
    assert_int_equal(report_of(model, "conv1")->state, MRCNN_LAYER_LOADED);
    mrcnn_model_free(&model);
    mrcnn_config *config = config_for(1, "[4]");
    assert_int_equal(mrcnn_model_start_from(&excluded, path, config, exclude, 1, NULL), MRCNN_OK);
    assert_int_equal(report_of(excluded, "conv1")->state, MRCNN_LAYER_SKIPPED);
    mrcnn_model_free(&excluded);
    mrcnn_config_free(&config);
    remove(path);
}

/* A file tells its channels and means itself. */
static void loading_takes_channels_from_the_file(void **state) {
    (void)state;
    char path[64];
    mrcnn_model *model = NULL;
    mrcnn_config *config = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    save_model(temporary(path), 5, "[1, 2, 3, 4, 5]");
    if (mrcnn_model_load(&model, path, NULL, &err) != MRCNN_OK) fail_msg("%s", err.message);
    const mr_settings *s = mr_config_settings(mrcnn_model_config(model));
    assert_int_equal(s->image_channel_count, 5);
    assert_int_equal(s->mean_pixel.count, 5);
    assert_true(s->mean_pixel.values[4] == 5);
    assert_int_equal(mrcnn_config_image_options(mrcnn_model_config(model)).channels, 5);
    mrcnn_model_free(&model);
    /* Nothing is replaced without a word. */
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "IMAGE_CHANNEL_COUNT", "3", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_model_load(&model, path, config, &err), MRCNN_E_WEIGHTS);
    assert_contains(err.message, "a channel count of 5, and IMAGE_CHANNEL_COUNT is 3");
    mrcnn_config_free(&config);
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "MEAN_PIXEL", "[7, 8]", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_model_load(&model, path, config, &err), MRCNN_E_WEIGHTS);
    assert_contains(err.message, "MEAN_PIXEL is [7, 8]: set the means");
    mrcnn_config_free(&config);
    assert_null(model);
    remove(path);
}

/* Weights of somebody else's, without a configuration: their means are not known. */
static void foreign_files_need_their_means(void **state) {
    (void)state;
    char path[64];
    mrcnn_config *config = config_for(1, "[50]");
    mrcnn_model *model = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_weights_info nothing = {0};
    assert_int_equal(oracle_model(&model, config, 2, NULL), MRCNN_OK);
    assert_int_equal(mr_weights_write(model->weights, &nothing, temporary(path), NULL), MRCNN_OK);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    assert_int_equal(mrcnn_model_load(&model, path, NULL, &err), MRCNN_E_WEIGHTS);
    assert_contains(err.message, path);
    assert_contains(err.message, "MEAN_PIXEL is not known: set the means");
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "MEAN_PIXEL", "[50]", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "RPN_ANCHOR_SCALES", "[16, 32, 64, 128, 256]", NULL),
                     MRCNN_OK);
    if (mrcnn_model_load(&model, path, config, &err) != MRCNN_OK) fail_msg("%s", err.message);
    assert_int_equal(mr_config_settings(mrcnn_model_config(model))->image_channel_count, 1);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    remove(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_by_hand),
        cmocka_unit_test(others_are_not_adapted),
        cmocka_unit_test(grey_gives_what_its_copy_gave),
        cmocka_unit_test(reports_say_what_was_done),
        cmocka_unit_test(loading_takes_channels_from_the_file),
        cmocka_unit_test(foreign_files_need_their_means),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
