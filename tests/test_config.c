/* test_config.c - keys, values, presets, sources and validation. YAML is tested in
 * test_config_yaml.c. */
#include "helper_assert.h"

#include "config/config.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>

typedef struct pair {
    const char *key, *value;
} pair;

static mrcnn_config *make(const char *preset) {
    mrcnn_config *config = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_config_create(&config, preset, &err), MRCNN_OK);
    assert_non_null(config);
    return config;
}

static void set(mrcnn_config *config, const char *key, const char *value) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config_set(config, key, value, &err);
    assert_string_equal(err.message, "");
}

static void assert_get(const mrcnn_config *config, const char *key, const char *value) {
    assert_string_equal(mrcnn_config_get(config, key), value);
}

/* Setting must fail with a message that holds `part`, and change nothing. */
static void assert_refused(const char *key, const char *value, const char *part) {
    mrcnn_config *config = make(NULL);
    char before[2048];
    snprintf(before, sizeof before, "%s", mrcnn_config_get(config, key));
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_config_set(config, key, value, &err), MRCNN_E_CONFIG);
    assert_int_equal(err.status, MRCNN_E_CONFIG);
    assert_contains(err.message, part);
    assert_get(config, key, before);
    assert_int_equal(mrcnn_config_set(config, key, value, NULL), MRCNN_E_CONFIG);
    mrcnn_config_free(&config);
}

/* ------------------------------------------------------------------------------------ defaults */

/* matterport's defaults (NUMERICS 1), then ours: written out again, not read from the table. */
static const pair defaults[] = {
    {"BACKBONE", "resnet101"},
    {"BACKBONE_STRIDES", "[4, 8, 16, 32, 64]"},
    {"BBOX_STD_DEV", "[0.1, 0.1, 0.2, 0.2]"},
    {"DETECTION_MAX_INSTANCES", "100"},
    {"DETECTION_BACKGROUND", "wins"},
    {"DETECTION_MIN_CONFIDENCE", "0.7"},
    {"DETECTION_NMS", "hard"},
    {"DETECTION_NMS_SIGMA", "0.5"},
    {"DETECTION_NMS_THRESHOLD", "0.3"},
    {"FPN_CLASSIF_FC_LAYERS_SIZE", "1024"},
    {"GPU_COUNT", "1"},
    {"GRADIENT_CLIP_NORM", "5"},
    {"IMAGES_PER_GPU", "2"},
    {"IMAGE_CHANNEL_COUNT", "3"},
    {"IMAGE_MAX_DIM", "1024"},
    {"IMAGE_MIN_DIM", "800"},
    {"IMAGE_MIN_SCALE", "0"},
    {"IMAGE_STRETCH", "[]"},
    {"IMAGE_RESIZE_MODE", "square"},
    {"LEARNING_MOMENTUM", "0.9"},
    {"LEARNING_RATE", "0.001"},
    {"LOSS_WEIGHTS", "{rpn_class_loss: 1, rpn_bbox_loss: 1, mrcnn_class_loss: 1, "
                     "mrcnn_bbox_loss: 1, mrcnn_mask_loss: 1}"},
    {"MASK_POOL_SIZE", "14"},
    {"MASK_SHAPE", "[28, 28]"},
    {"MAX_GT_INSTANCES", "100"},
    {"MEAN_PIXEL", "[123.7, 116.8, 103.9]"},
    {"MINI_MASK_SHAPE", "[56, 56]"},
    {"NAME", "none"},
    {"NUM_CLASSES", "1"},
    {"POOL_SIZE", "7"},
    {"POST_NMS_ROIS_INFERENCE", "1000"},
    {"POST_NMS_ROIS_TRAINING", "2000"},
    {"PRE_NMS_LIMIT", "6000"},
    {"ROI_POSITIVE_RATIO", "0.33"},
    {"RPN_ANCHOR_RATIOS", "[0.5, 1, 2]"},
    {"RPN_ANCHOR_SCALES", "[32, 64, 128, 256, 512]"},
    {"RPN_ANCHOR_STRIDE", "1"},
    {"RPN_BBOX_STD_DEV", "[0.1, 0.1, 0.2, 0.2]"},
    {"RPN_NMS_THRESHOLD", "0.7"},
    {"RPN_TRAIN_ANCHORS_PER_IMAGE", "256"},
    {"STEPS_PER_EPOCH", "1000"},
    {"TEST_FLIPS", "none"},
    {"TEST_SCALES", "[1]"},
    {"TILE_OVERLAP", "0.25"},
    {"TILE_SIZE", "0"},
    {"TOP_DOWN_PYRAMID_SIZE", "256"},
    {"TRAIN_BN", "false"},
    {"TRAIN_ROIS_PER_IMAGE", "200"},
    {"USE_MINI_MASK", "true"},
    {"USE_RPN_ROIS", "true"},
    {"VALIDATION_STEPS", "50"},
    {"WEIGHT_DECAY", "0.0001"},
    {"NO_AUGMENTATION_SOURCES", "[]"},
    {"ADAM_BETAS", "[0.9, 0.999]"},
    {"ADAM_EPSILON", "1e-08"},
    {"AUGMENTATION", "none"},
    {"BACKBONE_STEM_WIDTH", "64"},
    {"BACKBONE_WIDTHS", "[64, 128, 256, 512]"},
    {"CLASS_MIN_CONFIDENCE", "{}"},
    {"COMPAT", "matterport"},
    {"EARLY_STOP", "0"},
    {"EMA_DECAY", "0"},
    {"EVAL_EVERY", "0"},
    {"EVAL_IMAGES", "4"},
    {"EVAL_LIMIT", "0"},
    {"GRADIENT_ACCUMULATION", "1"},
    {"HORIZONTAL_FLIP", "0"},
    {"KEEP_BEST", "false"},
    {"KEEP_CHECKPOINTS", "0"},
    {"LEARNING_RATE_GAMMA", "0.1"},
    {"LEARNING_RATE_SCHEDULE", "constant"},
    {"LEARNING_RATE_STEPS", "[]"},
    {"IMAGE_VALUE_RANGE", "[]"},
    {"DETECTION_SCORE", "class"},
    {"LOADER_CACHE", "128"},
    {"LOADER_MEMORY", "64"},
    {"LOADER_THREADS", "2"},
    {"MASK_RESIZE", "matterport"},
    {"MASK_WIDTH", "256"},
    {"MOSAIC", "0"},
    {"NON_FINITE", "stop"},
    {"OPTIMIZER", "sgd"},
    {"TRAIN_PRECISION", "f32"},
    {"RPN_WIDTH", "512"},
    {"SAMPLING", "random"},
    {"SEED", "0"},
    {"STAGES", "none"},
    {"WARMUP_STEPS", "0"},
};
enum { DEFAULT_COUNT = sizeof defaults / sizeof *defaults };

static void test_defaults(void **state) {
    (void)state;
    mrcnn_config *config = make(NULL);
    for (size_t i = 0; i < DEFAULT_COUNT; i++) {
        assert_get(config, defaults[i].key, defaults[i].value);
        assert_string_equal(mrcnn_config_source(config, defaults[i].key), "default");
    }
    assert_null(mrcnn_config_key_at(DEFAULT_COUNT)); /* no key is missing from the list above */
    assert_non_null(mrcnn_config_key_at(DEFAULT_COUNT - 1));
    mrcnn_config_free(&config);
    mrcnn_config_free(&config);
    mrcnn_config_free(NULL);
}

static void test_settings_hold_the_defaults(void **state) {
    (void)state;
    mrcnn_config *config = make(NULL);
    const mr_settings *s = mr_config_settings(config);
    assert_string_equal(s->backbone, "resnet101");
    assert_string_equal(s->name, "");
    assert_int_equal(s->image_min_dim, 800);
    assert_int_equal(s->image_max_dim, 1024);
    assert_int_equal(s->image_resize_mode, MR_RESIZE_SQUARE);
    assert_int_equal(s->mask_resize, MR_MASK_MATTERPORT);
    assert_int_equal(s->train_bn, MR_BN_FROZEN);
    assert_int_equal(s->use_mini_mask, 1);
    assert_int_equal(s->rpn_anchor_scales.count, 5);
    assert_true(s->rpn_anchor_scales.values[4] == 512.0);
    assert_true(s->mean_pixel.values[1] == 116.8);
    assert_true(s->detection_min_confidence == 0.7);
    assert_int_equal(s->backbone_widths.values[3], 512);
    assert_int_equal(s->loss_weights.count, 5);
    assert_true(s->loss_weights.values[4] == 1.0);
    assert_int_equal(mr_config_validate(config, NULL), MRCNN_OK);
    mrcnn_config_free(&config);
}

static void test_the_table_is_sorted_and_complete(void **state) {
    (void)state;
    mrcnn_config *config = make(NULL);
    const mrcnn_config_key *before = NULL, *key;
    for (size_t i = 0; (key = mrcnn_config_key_at(i)) != NULL; i++) {
        if (before) assert_true(strcmp(before->name, key->name) < 0);
        assert_get(config, key->name, key->default_value);
        assert_true(strlen(key->help) > 10);
        assert_null(strchr(key->help, '\n'));
        before = key;
    }
    mrcnn_config_free(&config);
}

/* ------------------------------------------------------------------------------- setting values */

/* Another value for a key, made from its type and default alone. */
static void other_value(const mrcnn_config_key *key, char text[512]) {
    const char *old = key->default_value;
    const char *bar = strchr(key->type, '|');
    if (bar) /* the second word: the default is the first one of each choice */
        snprintf(text, 512, "%.*s", (int)strcspn(bar + 1, "|"), bar + 1);
    else if (strcmp(key->type, "int") == 0)
        snprintf(text, 512, "%d", strcmp(key->name, "IMAGE_CHANNEL_COUNT") == 0 ? 4 : 77);
    else if (strcmp(key->type, "float") == 0)
        snprintf(text, 512, "0.123456789");
    else if (strcmp(key->type, "bool") == 0)
        snprintf(text, 512, "%s", strcmp(old, "true") == 0 ? "false" : "true");
    else if (strcmp(key->name, "STAGES") == 0)
        snprintf(text, 512, "heads 20; (res5.*)|(mrcnn\\_.*) 40 0.1");
    else if (strcmp(key->type, "operations") == 0)
        snprintf(text, 512,
                 "[{Sometimes: {p: 0.25, of: [Flipud]}}, {Affine: {scale: {x: [0.9, "
                 "1.1], y: 1}, rotate: 15}}]");
    else if (strcmp(key->type, "names") == 0)
        snprintf(text, 512, "[\"my photos\", \"- #1\"]");
    else if (strcmp(key->name, "ADAM_BETAS") == 0)
        snprintf(text, 512, "[0.5, 0.25]");
    else if (strcmp(key->name, "LEARNING_RATE_STEPS") == 0)
        snprintf(text, 512, "[30, 40]");
    else if (strcmp(key->name, "IMAGE_VALUE_RANGE") == 0)
        snprintf(text, 512, "[-100, 4095.5]");
    else if (strcmp(key->name, "IMAGE_STRETCH") == 0)
        snprintf(text, 512, "[0.5, 99.5]");
    else if (strcmp(key->name, "TEST_SCALES") == 0)
        snprintf(text, 512, "[0.5, 1.25]");
    else if (strcmp(key->type, "string") == 0)
        snprintf(text, 512, "my-net_2");
    else if (strcmp(key->name, "CLASS_MIN_CONFIDENCE") == 0)
        snprintf(text, 512, "{\"person\": 0.8, \"traffic light, (red): 'x'\": 5e-06}");
    else if (strcmp(key->type, "mapping") == 0)
        snprintf(text, 512,
                 "{rpn_class_loss: 0.1, rpn_bbox_loss: 2, mrcnn_class_loss: 3, "
                 "mrcnn_bbox_loss: 4, mrcnn_mask_loss: 5e-06}");
    else /* the same list with its first number replaced */
        snprintf(text, 512, "[%s%s", "7", old + strcspn(old, ","));
    if (strcmp(key->name, "RPN_ANCHOR_STRIDE") == 0) snprintf(text, 512, "2");
}

static void test_set_and_get_every_key(void **state) {
    (void)state;
    const mrcnn_config_key *key;
    for (size_t i = 0; (key = mrcnn_config_key_at(i)) != NULL; i++) {
        mrcnn_config *config = make(NULL);
        char text[512];
        other_value(key, text);
        assert_string_not_equal(text, key->default_value);
        set(config, key->name, text);
        assert_get(config, key->name, text);
        assert_string_equal(mrcnn_config_source(config, key->name), "set");
        for (size_t j = 0; mrcnn_config_key_at(j); j++) { /* no other field was touched */
            const mrcnn_config_key *other = mrcnn_config_key_at(j);
            int follows = strcmp(key->name, "IMAGE_CHANNEL_COUNT") == 0 &&
                          strcmp(other->name, "MEAN_PIXEL") == 0; /* test_means_for_channels */
            if (j != i && !follows) assert_get(config, other->name, other->default_value);
        }
        set(config, key->name, key->default_value);
        assert_get(config, key->name, key->default_value);
        mrcnn_config_free(&config);
    }
}

/* Every key refuses what is of another type, without damage. */
static void test_every_key_refuses_nonsense(void **state) {
    (void)state;
    static const char *const nonsense[] = {"[1, [2]]", "{",     "(1, 2", "1 2 3 a/b", "\x01",
                                           "\xff\xfe", "1e5x/", "--1/",  "\"",        "{a: b}/"};
    const mrcnn_config_key *key;
    for (size_t i = 0; (key = mrcnn_config_key_at(i)) != NULL; i++)
        for (size_t j = 0; j < sizeof nonsense / sizeof *nonsense; j++) {
            if (strcmp(key->name, "NAME") == 0 && strpbrk(nonsense[j], "/\"\x01\xff") == NULL)
                continue; /* odd, but a name */
            assert_refused(key->name, nonsense[j], key->name);
        }
}

static void test_spellings(void **state) {
    (void)state;
    static const struct {
        const char *key, *written, *read;
    } cases[] = {
        {"USE_MINI_MASK", "True", "true"},
        {"USE_MINI_MASK", " no ", "false"},
        {"USE_MINI_MASK", "yes", "true"},
        {"USE_MINI_MASK", "False", "false"},
        {"TRAIN_BN", "None", "none"},
        {"TRAIN_BN", "null", "none"},
        {"TRAIN_BN", "yes", "true"},
        {"TRAIN_BN", "False", "false"},
        {"NAME", "null", "none"},
        {"NAME", "Experiment 3", "Experiment 3"},
        {"NAME", "\xE6\xB0\x94\xE7\x90\x83", "\xE6\xB0\x94\xE7\x90\x83"},
        {"NUM_CLASSES", "+81", "81"},
        {"NUM_CLASSES", "\t81\n", "81"},
        {"LEARNING_RATE", "1e-3", "0.001"},
        {"LEARNING_RATE", ".02", "0.02"},
        {"LEARNING_RATE", "1.", "1"},
        {"LEARNING_RATE", "0.00001", "1e-05"},
        {"LEARNING_RATE", "0.1000000000000000055511151231257827", "0.1"},
        {"RPN_ANCHOR_SCALES", "8,16,32", "[8, 16, 32]"},
        {"RPN_ANCHOR_SCALES", "(8, 16.5, 32)", "[8, 16.5, 32]"},
        {"RPN_ANCHOR_SCALES", "(8,)", "[8]"},
        {"RPN_ANCHOR_SCALES", " [ 8 , 100 ] ", "[8, 100]"},
        {"LOSS_WEIGHTS", "{mrcnn_mask_loss: 2}",
         "{rpn_class_loss: 1, rpn_bbox_loss: 1, mrcnn_class_loss: 1, mrcnn_bbox_loss: 1, "
         "mrcnn_mask_loss: 2}"},
        {"BACKBONE", "my-net_2", "my-net_2"},
        {"STAGES", " heads  20 ;all 40 1e-1\n", "heads  20 ;all 40 1e-1"},
        {"STAGES", "null", "none"},
        {"STAGES", "", "none"},
        {"LEARNING_RATE_STEPS", "", "[]"},
        {"LEARNING_RATE_STEPS", "None", "[]"},
        {"IMAGE_VALUE_RANGE", " none ", "[]"},
        {"IMAGE_VALUE_RANGE", "[-0.5, 4095]", "[-0.5, 4095]"},
        {"LEARNING_RATE_STEPS", "(80, 120,)", "[80, 120]"},
        {"ADAM_EPSILON", "0.0000001", "1e-07"},
        {"IMAGE_RESIZE_MODE", "none", "none"},
    };
    mrcnn_config *config = make(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set(config, cases[i].key, cases[i].written);
        assert_get(config, cases[i].key, cases[i].read);
    }
    mrcnn_config_free(&config);
}

/* ------------------------------------------------------------------------- numbers of classes */

static void test_class_scores_are_read(void **state) {
    (void)state;
    static const struct {
        const char *written, *read;
    } cases[] = {
        {"{person: 0.8, traffic light: 0.5}", "{\"person\": 0.8, \"traffic light\": 0.5}"},
        {" { 'a b' : 1 ,\"c\":0,}\n", "{\"a b\": 1, \"c\": 0}"},
        {"{\"a, b: {c} [d] (e) it's\": 5e-1}", "{\"a, b: {c} [d] (e) it's\": 0.5}"},
        {"{'say': 0.25}", "{\"say\": 0.25}"},
        {"{\xC3\xA4pfel: 0.5, \xE6\xB0\x94\xE7\x90\x83: 1}",
         "{\"\xC3\xA4pfel\": 0.5, \"\xE6\xB0\x94\xE7\x90\x83\": 1}"},
        {"{a: 0.5, b: none, c: 1}", "{\"a\": 0.5, \"c\": 1}"},
        {"{}", "{}"},
        {"{ }", "{}"},
        {"none", "{}"},
        {"", "{}"},
        {"~", "{}"},
        {"{none: 0.5, true: 1, 7: 0}", "{\"none\": 0.5, \"true\": 1, \"7\": 0}"},
    };
    mrcnn_config *config = make(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set(config, "CLASS_MIN_CONFIDENCE", cases[i].written);
        assert_get(config, "CLASS_MIN_CONFIDENCE", cases[i].read);
        set(config, "CLASS_MIN_CONFIDENCE", cases[i].read);
        assert_get(config, "CLASS_MIN_CONFIDENCE", cases[i].read);
    }
    mrcnn_config_free(&config);
}

static void test_one_class(void **state) {
    (void)state;
    mrcnn_config *config = make(NULL), *copy = NULL;
    set(config, "CLASS_MIN_CONFIDENCE.person", "0.8");
    set(config, "CLASS_MIN_CONFIDENCE.traffic light", " 0.5 ");
    set(config, "CLASS_MIN_CONFIDENCE.a.b", "0.25");
    set(config, "CLASS_MIN_CONFIDENCE.person", "0.75");
    assert_get(config, "CLASS_MIN_CONFIDENCE",
               "{\"person\": 0.75, \"traffic light\": 0.5, \"a.b\": 0.25}");
    assert_get(config, "CLASS_MIN_CONFIDENCE.traffic light", "0.5");
    assert_get(config, "CLASS_MIN_CONFIDENCE.a.b", "0.25");
    assert_get(config, "CLASS_MIN_CONFIDENCE.cat", "");
    assert_string_equal(mrcnn_config_source(config, "CLASS_MIN_CONFIDENCE.person"), "set");
    assert_int_equal(mrcnn_config_copy(&copy, config, NULL), MRCNN_OK);
    set(config, "CLASS_MIN_CONFIDENCE.person", "none");
    set(config, "CLASS_MIN_CONFIDENCE.nobody", "none");
    assert_get(config, "CLASS_MIN_CONFIDENCE", "{\"traffic light\": 0.5, \"a.b\": 0.25}");
    assert_get(config, "CLASS_MIN_CONFIDENCE.a.b", "0.25");
    assert_get(config, "CLASS_MIN_CONFIDENCE.person", "");
    assert_get(copy, "CLASS_MIN_CONFIDENCE.person", "0.75");
    mrcnn_config_free(&copy);
    mrcnn_config_free(&config);
}

static void test_bad_class_scores(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"0.5", "write {person: 0.8"},
        {"{", "write {person: 0.8"},
        {"person: 0.5", "write {person: 0.8"},
        {"{person}", "write {person: 0.8"},
        {"{person 0.5}", "write {person: 0.8"},
        {"{,}", "write {person: 0.8"},
        {"{a: 0.5,, b: 1}", "write {person: 0.8"},
        {"{\"a: 0.5}", "write {person: 0.8"},
        {"{\"a\" b: 0.5}", "write {person: 0.8"},
        {"{a\"b: 0.5}", "can't be a class's name"},
        {"{(a): 0.5}", "write {person: 0.8"},
        {"{a: 0.5} {b: 1}", "\"0.5} {b: 1\" is no score"},
        {"{a: {b: 0.5}}", "\"{b: 0.5}\" is no score"},
        {"{: 0.5}", "\"\" can't be a class's name"},
        {"{'a\"b': 0.5}", "can't be a class's name"},
        {"{a\\b: 0.5}", "can't be a class's name"},
        {"{a\nb: 0.5}", "can't be a class's name"},
        {"{\xff: 0.5}", "can't be a class's name"},
        {"{0123456789012345678901234567890123456789012345678901234567890123: 0.5}",
         "1 to 63 bytes"},
        {"{a: 1.5}", "CLASS_MIN_CONFIDENCE.a: \"1.5\" is no score; it must be between 0 and 1"},
        {"{a: -0.1}", "\"-0.1\" is no score"},
        {"{a: nan}", "\"nan\" is no score"},
        {"{a: 1e999}", "is no score"},
        {"{a: 0.50000000000000000000000000000000000000001}", "...\" is no score"},
        {"{a: 0.5, b: 1, a: 0.6}", "\"a\" is there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused("CLASS_MIN_CONFIDENCE", cases[i][0], cases[i][1]);
    assert_refused("CLASS_MIN_CONFIDENCE.a", "2", "\"2\" is no score");
    assert_refused("CLASS_MIN_CONFIDENCE.a", "{a: 0.5}", "is no score");
    assert_refused("CLASS_MIN_CONFIDENCE.", "0.5", "can't be a class's name");
    assert_refused("CLASS_MIN_CONFIDENCE.a\"b", "0.5", "can't be a class's name");
    assert_refused("CLASS_MIN_CONFIDENCEx.a", "0.5", "there is no key");
    assert_refused("DETECTION_NMS.a", "0.5", "there is no key");
}

/* As many as fit: 100 of them, and a text that can be printed. */
static void test_many_class_scores(void **state) {
    (void)state;
    mrcnn_config *config = make(NULL);
    mrcnn_error err = MRCNN_ERROR_INIT;
    char name[120];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "CLASS_MIN_CONFIDENCE.%d", i);
        set(config, name, "0.5");
    }
    assert_int_equal(mrcnn_config_set(config, "CLASS_MIN_CONFIDENCE.100", "0.5", &err),
                     MRCNN_E_CONFIG);
    assert_non_null(strstr(err.message, "more than 100 classes"));
    assert_get(config, "CLASS_MIN_CONFIDENCE.99", "0.5");
    set(config, "CLASS_MIN_CONFIDENCE", "none");
    int fitted = 0;
    for (; fitted < 100; fitted++) {
        snprintf(name, sizeof name, "CLASS_MIN_CONFIDENCE.%060d", fitted);
        if (mrcnn_config_set(config, name, "0.5", &err) != MRCNN_OK) break;
    }
    assert_in_range(fitted, 20, 60);
    assert_non_null(strstr(err.message, "text is longer than 2047 bytes"));
    char *before = strdup(mrcnn_config_get(config, "CLASS_MIN_CONFIDENCE"));
    set(config, "CLASS_MIN_CONFIDENCE", before);
    assert_get(config, "CLASS_MIN_CONFIDENCE", before);
    free(before);
    mrcnn_config_free(&config);
}

static void test_one_loss(void **state) {
    (void)state;
    mrcnn_config *config = make(NULL);
    set(config, "LOSS_WEIGHTS.rpn_class_loss", "2");
    set(config, "LOSS_WEIGHTS.mrcnn_bbox_loss", "0.25");
    assert_get(config, "LOSS_WEIGHTS",
               "{rpn_class_loss: 2, rpn_bbox_loss: 1, mrcnn_class_loss: 1, mrcnn_bbox_loss: 0.25, "
               "mrcnn_mask_loss: 1}");
    assert_get(config, "LOSS_WEIGHTS.mrcnn_bbox_loss", "0.25");
    assert_get(config, "LOSS_WEIGHTS.nothing", "");
    assert_string_equal(mrcnn_config_source(config, "LOSS_WEIGHTS.rpn_class_loss"), "set");
    assert_true(mr_config_settings(config)->loss_weights.values[3] == 0.25);
    mrcnn_config_free(&config);
    assert_refused("LOSS_WEIGHTS.rpn_clas_loss", "2", "did you mean rpn_class_loss?");
    assert_refused("LOSS_WEIGHTS.rpn_class_loss", "-1", "between 0 and 1000000");
    assert_refused("LOSS_WEIGHTS", "{rpn_class_loss: 1, rpn_class_loss: 2}", "twice");
    assert_refused("LOSS_WEIGHTS", "1", "rpn_class_loss: 1");
    assert_refused("LOSS_WEIGHTS", "", "rpn_class_loss: 1");
}

/* ------------------------------------------------------------------------------ refused values */

static void test_refused_values(void **state) {
    (void)state;
    static const struct {
        const char *key, *value, *message;
    } cases[] = {
        {"DETECTION_MIN_CONFIDENCE", "1.7",
         "DETECTION_MIN_CONFIDENCE: 1.7 is out of range; it must be between 0 and 1"},
        {"DETECTION_MIN_CONFIDENCE", "-0.001", "-0.001 is out of range"},
        {"DETECTION_MIN_CONFIDENCE", "nan", "\"nan\" is not a number"},
        {"LEARNING_RATE", "inf", "\"inf\" is not a number"},
        {"LEARNING_RATE", "-Infinity", "is not a number"},
        {"LEARNING_RATE", "1e999", "1e999 is out of range"},
        {"LEARNING_RATE", "0,001", "\"0,001\" is not a number"},
        {"LEARNING_RATE", "0x1p-3", "is not a number"},
        {"LEARNING_RATE", "1e", "is not a number"},
        {"LEARNING_RATE", ".", "is not a number"},
        {"LEARNING_RATE", "", "\"\" is not a number"},
        {"LEARNING_RATE", "1 2", "is not a number"},
        {"NUM_CLASSES", "3.5", "3.5 is not a whole number"},
        {"NUM_CLASSES", "3.0", "3.0 is not a whole number"},
        {"NUM_CLASSES", "1e3", "1e3 is not a whole number"},
        {"NUM_CLASSES", "0", "0 is out of range; it must be a whole number between 1 and 65536"},
        {"NUM_CLASSES", "99999999999999999999", "out of range"},
        {"NUM_CLASSES", "-99999999999999999999", "out of range"},
        {"NUM_CLASSES", "4294967297", "out of range"},
        {"NUM_CLASSES", "true", "\"true\" is not a whole number"},
        {"USE_MINI_MASK", "1", "\"1\" is neither true nor false"},
        {"USE_MINI_MASK", "none", "neither true nor false"},
        {"TRAIN_BN", "maybe", "false|none|true"},
        {"TRAIN_BN", "", "false|none|true"},
        {"IMAGE_RESIZE_MODE", "squar", "square|pad64|crop|none"},
        {"IMAGE_RESIZE_MODE", "square|pad64", "square|pad64|crop|none"},
        {"MASK_RESIZE", "Exact", "matterport|exact"},
        {"BACKBONE", "../../etc/passwd", "letters, digits"},
        {"BACKBONE", "", "letters, digits"},
        {"NAME", "a/b", "slashes"},
        {"NAME", "a\nb", "\"a?b\""},
        {"NAME", "a\xC2\x85", "control characters"},
        {"RPN_BBOX_STD_DEV", "[0.1, 0.1, 0.2]", "a list of 3; it must have 4 numbers"},
        {"RPN_BBOX_STD_DEV", "[1, 1, 1, 1, 1]", "more than 4"},
        {"RPN_BBOX_STD_DEV", "[0, 1, 1, 1]", "0 is out of range; each number must be between"},
        {"RPN_ANCHOR_SCALES", "[]", "a list of 0; it must have 1 to 8 numbers"},
        {"RPN_ANCHOR_SCALES", "[8, 16", "write [1, 2]"},
        {"RPN_ANCHOR_SCALES", "[", "write [1, 2]"},
        {"RPN_ANCHOR_SCALES", "(8, 16]", "write [1, 2]"},
        {"RPN_ANCHOR_SCALES", "[8,,16]", "\"\" is not a number"},
        {"BACKBONE_STRIDES", "[4, 8.5]", "8.5 is not a whole number"},
        {"BACKBONE_WIDTHS", "[64, 128, 256]", "it must have 4 numbers"},
        {"ADAM_BETAS", "[0.9]", "it must have 2 numbers"},
        {"ADAM_BETAS", "[0.9, 1]", "1 is out of range"}, /* its average would never begin */
        {"ADAM_EPSILON", "0", "0 is out of range"},
        {"EMA_DECAY", "1", "1 is out of range"},
        {"GRADIENT_ACCUMULATION", "0", "0 is out of range"},
        {"LEARNING_RATE_STEPS", "[0]", "0 is out of range"},
        {"OPTIMIZER", "adam", "sgd|adamw"},
        {"TRAIN_PRECISION", "f16", "f32|bf16"},
        {"STAGES", "heads", "the last epoch is missing"},
        {"STAGES", "heads 20;\tall 40", "on one line"},
        {"STAGES", "'heads' 20", "without quotes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].key, cases[i].value, cases[i].message);
}

/* A value of a megabyte is refused, and the message stays one short sentence. */
static void test_long_values(void **state) {
    (void)state;
    enum { LENGTH = 1 << 20 };
    char *text = malloc(LENGTH + 1);
    assert_non_null(text);
    memset(text, '1', LENGTH);
    text[LENGTH] = 0;
    const mrcnn_config_key *key;
    for (size_t i = 0; (key = mrcnn_config_key_at(i)) != NULL; i++)
        assert_refused(key->name, text, key->name);
    assert_refused(text, "1", "there is no key \"1111");
    for (size_t i = 1; i < LENGTH; i += 2) text[i] = ',';
    assert_refused("MEAN_PIXEL", text, "more than 16");
    free(text);
}

/* ------------------------------------------------------------------------------- unknown keys */

static void test_unknown_keys(void **state) {
    (void)state;
    assert_refused("image_max_dim", "64", "did you mean IMAGE_MAX_DIM?");
    assert_refused("DETECTION_MIN_CONFIDENSE", "64", "did you mean DETECTION_MIN_CONFIDENCE?");
    assert_refused("IMAG_SHAPE", "64", "did you mean IMAGE_SHAPE?");
    assert_refused("FLUX", "64", "mrcnn config keys");
    assert_refused("", "64", "mrcnn config keys");
    assert_refused("a\nb\xff", "64", "\"a?b?\"");
    assert_refused("preset", "coco", "preset");
    assert_refused("COMPUTE_BACKBONE_SHAPE", "none", "strides follow from the backbone's graph");
    mrcnn_config *config = make(NULL);
    assert_get(config, "FLUX", "");
    assert_string_equal(mrcnn_config_source(config, "FLUX"), "");
    assert_false(mr_config_is_explicit(config, "FLUX"));
    mrcnn_config_free(&config);
}

static void test_null_arguments(void **state) {
    (void)state;
    mrcnn_config *config = make(NULL), *copy = NULL;
    assert_int_equal(mrcnn_config_create(NULL, NULL, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_config_copy(&copy, NULL, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_config_set(config, NULL, "1", NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_config_set(config, "NAME", NULL, NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_config_set(NULL, "NAME", "a", NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_config_load(config, NULL, NULL), MRCNN_E_ARGUMENT);
    assert_string_equal(mrcnn_config_get(NULL, "NAME"), "");
    mrcnn_config_free(&config);
}

/* -------------------------------------------------------------------------------- derived keys */

static void test_derived_keys(void **state) {
    (void)state;
    mrcnn_config *config = make("coco");
    assert_get(config, "BATCH_SIZE", "2");
    assert_get(config, "IMAGE_SHAPE", "[1024, 1024, 3]");
    assert_get(config, "IMAGE_META_SIZE", "93");
    assert_string_equal(mrcnn_config_source(config, "BATCH_SIZE"), "derived");
    set(config, "GPU_COUNT", "4");
    set(config, "IMAGES_PER_GPU", "3");
    set(config, "IMAGE_RESIZE_MODE", "crop");
    set(config, "IMAGE_MIN_DIM", "512");
    set(config, "IMAGE_CHANNEL_COUNT", "1");
    assert_get(config, "BATCH_SIZE", "12");
    assert_get(config, "IMAGE_SHAPE", "[512, 512, 1]");
    mrcnn_config_free(&config);
    assert_refused("BATCH_SIZE", "2", "IMAGES_PER_GPU x GPU_COUNT");
    assert_refused("IMAGE_SHAPE", "[1, 2, 3]", "IMAGE_MAX_DIM");
    assert_refused("IMAGE_META_SIZE", "2", "NUM_CLASSES");
}

/* Unless somebody says otherwise there is a mean for each channel. */
static void test_means_for_channels(void **state) {
    (void)state;
    mrcnn_config *config = make(NULL);
    set(config, "IMAGE_CHANNEL_COUNT", "1");
    assert_get(config, "MEAN_PIXEL", "[114.8]"); /* (123.7 + 116.8 + 103.9) / 3 */
    assert_string_equal(mrcnn_config_source(config, "MEAN_PIXEL"), "default");
    set(config, "IMAGE_CHANNEL_COUNT", "2");
    assert_get(config, "MEAN_PIXEL", "[114.8, 127.5]");
    set(config, "IMAGE_CHANNEL_COUNT", "5");
    assert_get(config, "MEAN_PIXEL", "[123.7, 116.8, 103.9, 127.5, 127.5]");
    set(config, "IMAGE_CHANNEL_COUNT", "3");
    assert_get(config, "MEAN_PIXEL", "[123.7, 116.8, 103.9]");
    set(config, "MEAN_PIXEL", "[1, 2]");
    set(config, "IMAGE_CHANNEL_COUNT", "2");
    assert_get(config, "MEAN_PIXEL", "[1, 2]");
    mrcnn_config_free(&config);
    config = make("nucleus"); /* has means of its own */
    set(config, "IMAGE_CHANNEL_COUNT", "1");
    assert_get(config, "MEAN_PIXEL", "[43.53, 39.56, 48.22]");
    mrcnn_config_free(&config);
}

static void test_image_options(void **state) {
    (void)state;
    mrcnn_config *config = make(NULL);
    mrcnn_image_options o = mrcnn_config_image_options(config);
    assert_int_equal(o.size, sizeof o);
    assert_int_equal(o.channels, 3);
    assert_true(o.low == 0 && o.high == 0);
    set(config, "IMAGE_CHANNEL_COUNT", "5");
    set(config, "IMAGE_VALUE_RANGE", "[-1, 4095]");
    o = mrcnn_config_image_options(config);
    assert_int_equal(o.channels, 5);
    assert_true(o.low == -1 && o.high == 4095);
    mrcnn_config_free(&config);
}

/* ------------------------------------------------------------------------------------- presets */

/* Every value of matterport's samples that differs from the defaults (NUMERICS 7). */
static const pair nucleus_values[] = {
    {"NAME", "nucleus"},
    {"NUM_CLASSES", "2"},
    {"BACKBONE", "resnet50"},
    {"IMAGES_PER_GPU", "6"},
    {"STEPS_PER_EPOCH", "105"},
    {"VALIDATION_STEPS", "4"},
    {"DETECTION_MIN_CONFIDENCE", "0"},
    {"DETECTION_MAX_INSTANCES", "400"},
    {"IMAGE_RESIZE_MODE", "crop"},
    {"IMAGE_MIN_DIM", "512"},
    {"IMAGE_MAX_DIM", "512"},
    {"IMAGE_MIN_SCALE", "2"},
    {"MEAN_PIXEL", "[43.53, 39.56, 48.22]"},
    {"RPN_ANCHOR_SCALES", "[8, 16, 32, 64, 128]"},
    {"RPN_NMS_THRESHOLD", "0.9"},
    {"RPN_TRAIN_ANCHORS_PER_IMAGE", "64"},
    {"POST_NMS_ROIS_TRAINING", "1000"},
    {"POST_NMS_ROIS_INFERENCE", "2000"},
    {"TRAIN_ROIS_PER_IMAGE", "128"},
    {"MAX_GT_INSTANCES", "200"},
    {"STAGES", "heads 20; all 40"},
    {"AUGMENTATION", "[{SomeOf: {count: [0, 2], of: [{Fliplr: 0.5}, {Flipud: 0.5}, "
                     "{OneOf: [Rot90, {Rot90: 2}, {Rot90: 3}]}, {Multiply: [0.8, 1.5]}, "
                     "{GaussianBlur: [0, 5]}]}}]"},
    {NULL, NULL},
};
static const pair balloon_values[] = {
    {"NAME", "balloon"},        {"NUM_CLASSES", "2"},
    {"STEPS_PER_EPOCH", "100"}, {"DETECTION_MIN_CONFIDENCE", "0.9"},
    {"STAGES", "heads 30"},     {NULL, NULL},
};
static const pair coco_values[] = {
    {"NAME", "coco"},           {"NUM_CLASSES", "81"}, {"STAGES", "heads 40; 4+ 120; all 160 0.1"},
    {"HORIZONTAL_FLIP", "0.5"}, {NULL, NULL},
};
static const pair shapes_values[] = {
    {"NAME", "shapes"},
    {"NUM_CLASSES", "4"},
    {"IMAGES_PER_GPU", "8"},
    {"IMAGE_MIN_DIM", "128"},
    {"IMAGE_MAX_DIM", "128"},
    {"RPN_ANCHOR_SCALES", "[8, 16, 32, 64, 128]"},
    {"TRAIN_ROIS_PER_IMAGE", "32"},
    {"STEPS_PER_EPOCH", "100"},
    {"VALIDATION_STEPS", "5"},
    {"STAGES", "heads 1; all 2 0.1"},
    {NULL, NULL},
};

static const char *value_in(const pair *values, const char *key, const char *otherwise) {
    for (; values->key; values++)
        if (strcmp(values->key, key) == 0) return values->value;
    return otherwise;
}

static void check_preset(const char *preset, const pair *values) {
    mrcnn_config *config = make(preset);
    char source[80];
    snprintf(source, sizeof source, "preset %s", preset);
    const mrcnn_config_key *key;
    for (size_t i = 0; (key = mrcnn_config_key_at(i)) != NULL; i++) {
        assert_get(config, key->name, value_in(values, key->name, key->default_value));
        int named = value_in(values, key->name, NULL) != NULL;
        assert_string_equal(mrcnn_config_source(config, key->name), named ? source : "default");
        assert_int_equal(mr_config_is_explicit(config, key->name), named);
    }
    mrcnn_config_free(&config);
}

static void test_presets(void **state) {
    (void)state;
    check_preset("balloon", balloon_values);
    check_preset("coco", coco_values);
    check_preset("nucleus", nucleus_values);
    check_preset("shapes", shapes_values);
}

static void test_nucleus_inference_refines_nucleus(void **state) {
    (void)state;
    mrcnn_config *config = make("nucleus-inference");
    for (const pair *p = nucleus_values; p->key; p++) {
        const char *value = strcmp(p->key, "IMAGES_PER_GPU") == 0      ? "1"
                            : strcmp(p->key, "IMAGE_RESIZE_MODE") == 0 ? "pad64"
                            : strcmp(p->key, "RPN_NMS_THRESHOLD") == 0 ? "0.7"
                                                                       : p->value;
        assert_get(config, p->key, value);
        assert_string_equal(mrcnn_config_source(config, p->key), "preset nucleus-inference");
    }
    mrcnn_config_free(&config);
}

/* The nearest of nuclei-scratch, small-scratch and small that has a value decides. */
static void test_a_base_has_a_base(void **state) {
    (void)state;
    mrcnn_config *config = make("nuclei-scratch");
    assert_get(config, "BACKBONE", "resnet18");
    assert_get(config, "OPTIMIZER", "adamw");
    assert_get(config, "MASK_WIDTH", "64");                /* small: 128 */
    assert_get(config, "POST_NMS_ROIS_INFERENCE", "2000"); /* small: 300 */
    assert_get(config, "NAME", "nuclei");                  /* small: small */
    assert_string_equal(mrcnn_config_source(config, "BACKBONE"), "preset nuclei-scratch");
    mrcnn_config_free(&config);
}

static void test_every_preset_is_valid(void **state) {
    (void)state;
    const char *name, *help = NULL;
    size_t count = 0;
    for (; (name = mrcnn_config_preset(count, &help)) != NULL; count++) {
        mrcnn_config *config = make(name);
        mrcnn_error err = MRCNN_ERROR_INIT;
        mr_config_validate(config, &err);
        assert_string_equal(err.message, "");
        assert_true(strlen(help) > 10);
        mrcnn_config_free(&config);
    }
    assert_int_equal(count, 10);
    assert_null(mrcnn_config_preset(count, NULL));
    mrcnn_config *config = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_config_create(&config, "balloons", &err), MRCNN_E_CONFIG);
    assert_null(config);
    assert_contains(err.message, "\"balloons\"");
    assert_contains(err.message, "balloon, coco, nuclei-scratch, nucleus, nucleus-inference, "
                                 "photos-scratch, shapes, shapes-scratch, small, small-scratch");
}

static void test_small_is_small(void **state) {
    (void)state;
    mrcnn_config *config = make("small");
    const mr_settings *s = mr_config_settings(config);
    assert_string_equal(s->backbone, "resnet18");
    assert_int_equal(s->backbone_stem_width, 32);
    assert_int_equal(s->backbone_widths.values[3], 256);
    assert_int_equal(s->image_max_dim, 512);
    assert_int_equal(s->mask_width, 128);
    mrcnn_config_free(&config);
}

/* ------------------------------------------------------------------------------ sources, copies */

static void test_sources(void **state) {
    (void)state;
    mrcnn_config *config = make("balloon");
    assert_int_equal(mr_config_set_from(config, "IMAGE_MIN_DIM", "640", "weights", NULL), MRCNN_OK);
    set(config, "IMAGE_MAX_DIM", "768");
    assert_string_equal(mrcnn_config_source(config, "IMAGE_MIN_DIM"), "weights");
    assert_string_equal(mrcnn_config_source(config, "IMAGE_MAX_DIM"), "set");
    assert_false(mr_config_is_explicit(config, "POOL_SIZE"));
    assert_false(mr_config_is_explicit(config, "IMAGE_MIN_DIM"));
    assert_true(mr_config_is_explicit(config, "IMAGE_MAX_DIM"));
    assert_true(mr_config_is_explicit(config, "NUM_CLASSES"));

    mrcnn_config *copy = NULL;
    assert_int_equal(mrcnn_config_copy(&copy, config, NULL), MRCNN_OK);
    set(config, "IMAGE_MIN_DIM", "64");
    mrcnn_config_free(&config);
    assert_get(copy, "IMAGE_MIN_DIM", "640");
    assert_get(copy, "BATCH_SIZE", "2");
    assert_string_equal(mrcnn_config_source(copy, "IMAGE_MIN_DIM"), "weights");
    assert_string_equal(mrcnn_config_source(copy, "NUM_CLASSES"), "preset balloon");
    assert_int_equal(mr_config_settings(copy)->image_max_dim, 768);
    mrcnn_config_free(&copy);
}

/* A value that was refused leaves both value and source as they were. */
static void test_refusal_keeps_the_source(void **state) {
    (void)state;
    mrcnn_config *config = make("coco");
    assert_int_equal(mrcnn_config_set(config, "NUM_CLASSES", "0", NULL), MRCNN_E_CONFIG);
    assert_get(config, "NUM_CLASSES", "81");
    assert_string_equal(mrcnn_config_source(config, "NUM_CLASSES"), "preset coco");
    mrcnn_config_free(&config);
}

/* ---------------------------------------------------------------------------------- validation */

static void test_validate(void **state) {
    (void)state;
    static const struct {
        pair set[3];
        const char *message; /* NULL: valid */
    } cases[] = {
        {{{"RPN_ANCHOR_SCALES", "[8, 16, 32]"}}, "RPN_ANCHOR_SCALES has 3 numbers"},
        {{{"RPN_ANCHOR_SCALES", "[8, 16, 32]"}, {"BACKBONE_STRIDES", "[8, 16, 32]"}}, NULL},
        {{{"BACKBONE_STRIDES", "[4, 8, 16, 16, 64]"}}, "16 follows 16"},
        {{{"IMAGE_MIN_DIM", "1100"}}, "IMAGE_MIN_DIM: 1100 is larger than IMAGE_MAX_DIM"},
        {{{"IMAGE_MIN_DIM", "1100"}, {"IMAGE_RESIZE_MODE", "none"}}, NULL},
        {{{"IMAGE_MAX_DIM", "1000"}}, "take 960 or 1024"},
        {{{"IMAGE_MAX_DIM", "1000"}, {"IMAGE_RESIZE_MODE", "none"}}, NULL},
        {{{"IMAGE_RESIZE_MODE", "pad64"}}, "take 768 or 832"},
        {{{"IMAGE_RESIZE_MODE", "pad64"}, {"IMAGE_MIN_DIM", "0"}}, NULL},
        {{{"IMAGE_RESIZE_MODE", "pad64"}, {"IMAGE_MIN_DIM", "2048"}}, NULL},
        {{{"IMAGE_RESIZE_MODE", "crop"}}, "IMAGE_MIN_DIM: 800 is not a multiple of 64"},
        {{{"IMAGE_RESIZE_MODE", "crop"}, {"IMAGE_MIN_DIM", "0"}}, "cuts squares"},
        {{{"IMAGE_RESIZE_MODE", "crop"}, {"IMAGE_MIN_DIM", "512"}}, NULL},
        {{{"IMAGE_CHANNEL_COUNT", "4"}}, NULL},
        {{{"MEAN_PIXEL", "[1, 2, 3]"}, {"IMAGE_CHANNEL_COUNT", "4"}}, "MEAN_PIXEL has 3 numbers"},
        {{{"MEAN_PIXEL", "[1]"}}, "MEAN_PIXEL has 1 number but IMAGE_CHANNEL_COUNT is 3"},
        {{{"IMAGE_CHANNEL_COUNT", "1"}, {"MEAN_PIXEL", "[128]"}}, NULL},
        {{{"IMAGE_STRETCH", "[5]"}}, "IMAGE_STRETCH has 1 number"},
        {{{"IMAGE_STRETCH", "[99, 1]"}}, "first percentile must be less"},
        {{{"IMAGE_STRETCH", "[1, 99]"}}, NULL},
        {{{"IMAGE_VALUE_RANGE", "[0, 4095]"}}, NULL},
        {{{"IMAGE_VALUE_RANGE", "[7]"}}, "IMAGE_VALUE_RANGE has 1 number"},
        {{{"IMAGE_VALUE_RANGE", "[5, 5]"}}, "less than its second"},
        {{{"IMAGE_VALUE_RANGE", "[0, 4095]"}, {"IMAGE_VALUE_RANGE", "none"}}, NULL},
        {{{"MASK_SHAPE", "[56, 56]"}}, "take [28, 28]"},
        {{{"MASK_SHAPE", "[28, 56]"}}, "take [28, 28]"},
        {{{"MASK_SHAPE", "[56, 56]"}, {"MASK_POOL_SIZE", "28"}}, NULL},
        {{{"LEARNING_RATE_SCHEDULE", "step"}}, "LEARNING_RATE_STEPS is empty"},
        {{{"LEARNING_RATE_SCHEDULE", "step"}, {"LEARNING_RATE_STEPS", "[8, 11]"}}, NULL},
        {{{"LEARNING_RATE_STEPS", "[8, 8]"}}, "8 follows 8"},
        {{{"LEARNING_RATE_SCHEDULE", "cosine"}}, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        mrcnn_config *config = make(NULL);
        mrcnn_error err = MRCNN_ERROR_INIT;
        for (const pair *p = cases[i].set; p->key; p++) set(config, p->key, p->value);
        mrcnn_status status = mr_config_validate(config, &err);
        assert_int_equal(status, cases[i].message ? MRCNN_E_CONFIG : MRCNN_OK);
        assert_contains(err.message, cases[i].message ? cases[i].message : "");
        mrcnn_config_free(&config);
    }
}

/* -------------------------------------------------------------------------------------- locale */

static void test_a_locale_with_decimal_commas(void **state) {
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8",
                                        "ru_RU.UTF-8"};
    const char *found = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !found; i++)
        found = setlocale(LC_NUMERIC, names[i]);
    if (!found) {
        print_message("no locale with decimal commas is installed\n");
        skip();
    }
    char comma[16];
    snprintf(comma, sizeof comma, "%.1f", 0.5);
    mrcnn_config *config = make(NULL);
    set(config, "LEARNING_RATE", "0.25");
    assert_get(config, "LEARNING_RATE", "0.25");
    assert_get(config, "MEAN_PIXEL", "[123.7, 116.8, 103.9]");
    assert_int_equal(mrcnn_config_set(config, "LEARNING_RATE", "0,5", NULL), MRCNN_E_CONFIG);
    char after[16];
    snprintf(after, sizeof after, "%.1f", 0.5);
    mrcnn_config_free(&config);
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(comma, "0,5"); /* the locale did what this test is about */
    assert_string_equal(after, "0,5"); /* and still does in the caller's thread */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_settings_hold_the_defaults),
        cmocka_unit_test(test_the_table_is_sorted_and_complete),
        cmocka_unit_test(test_set_and_get_every_key),
        cmocka_unit_test(test_every_key_refuses_nonsense),
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_class_scores_are_read),
        cmocka_unit_test(test_one_class),
        cmocka_unit_test(test_bad_class_scores),
        cmocka_unit_test(test_many_class_scores),
        cmocka_unit_test(test_one_loss),
        cmocka_unit_test(test_refused_values),
        cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_null_arguments),
        cmocka_unit_test(test_derived_keys),
        cmocka_unit_test(test_means_for_channels),
        cmocka_unit_test(test_image_options),
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_nucleus_inference_refines_nucleus),
        cmocka_unit_test(test_a_base_has_a_base),
        cmocka_unit_test(test_every_preset_is_valid),
        cmocka_unit_test(test_small_is_small),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_refusal_keeps_the_source),
        cmocka_unit_test(test_validate),
        cmocka_unit_test(test_a_locale_with_decimal_commas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
