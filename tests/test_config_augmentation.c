/* test_config_augmentation.c - AUGMENTATION, MOSAIC and NO_AUGMENTATION_SOURCES as text: every form,
 * the canonical one, and texts that are wrong or meant to hurt. */
#include "helper_assert.h"

#include "config/config.h"

#include <stdlib.h>

static mrcnn_config *make(void) {
    mrcnn_config *config = NULL;
    assert_int_equal(mrcnn_config_create(&config, NULL, NULL), MRCNN_OK);
    return config;
}

static void set(mrcnn_config *config, const char *key, const char *value) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_config_set(config, key, value, &err) != MRCNN_OK)
        fail_msg("%s=%s: %s", key, value, err.message);
}

/* Setting the text gives the canonical one, and that one itself again. */
static void assert_canonical(const char *text, const char *canonical) {
    mrcnn_config *config = make(), *again = make();
    set(config, "AUGMENTATION", text);
    assert_string_equal(mrcnn_config_get(config, "AUGMENTATION"), canonical);
    set(again, "AUGMENTATION", canonical);
    assert_string_equal(mrcnn_config_get(again, "AUGMENTATION"), canonical);
    assert_memory_equal(mr_config_settings(config), mr_config_settings(again), sizeof(mr_settings));
    mrcnn_config_free(&config);
    mrcnn_config_free(&again);
}

static void forms(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"none", "none"},
        {" null ", "none"},
        {"~", "none"},
        {"", "none"},
        {"[]", "none"},
        {" [ ] ", "none"},
        {"Fliplr", "[Fliplr]"},
        {"{Fliplr: 0.50}", "[{Fliplr: 0.5}]"},
        {"[{Fliplr: {p: 0.5}},]", "[{Fliplr: 0.5}]"},
        {"[Fliplr,{Flipud:1}]", "[Fliplr, Flipud]"},
        {"[\n  {Rot90 : [ 1 , 3 ]},\t{Multiply:}\r\n]", "[{Rot90: [1, 3]}, Multiply]"},
        {"[{Multiply: [0.8, 1.5]}]", "[{Multiply: [0.8, 1.5]}]"},
        {"[{Multiply: [2, 2]}]", "[{Multiply: 2}]"},
        {"[{Multiply: {per_channel: true}}]", "[{Multiply: {per_channel: true}}]"},
        {"[{Multiply: {per_channel: 0.25, mul: 2}}]", "[{Multiply: {mul: 2, per_channel: 0.25}}]"},
        {"[{Multiply: {per_channel: false}}]", "[Multiply]"},
        {"[{Add: -0}]", "[{Add: 0}]"},
        {"[{Affine: {scale: 0.5}}]", "[{Affine: {scale: 0.5}}]"},
        {"[{Affine: {scale: {y: [0.5, 2]}}}]", "[{Affine: {scale: {x: 1, y: [0.5, 2]}}}]"},
        {"[{Affine: {shear: {x: [-5, 5]}}}]", "[{Affine: {shear: [-5, 5]}}]"},
        {"[{Affine: {shear: {y: 3}, translate_px: [-2, 2]}}]",
         "[{Affine: {translate_px: [-2, 2], shear: {x: 0, y: 3}}}]"},
        {"[{Sequential: [Fliplr]}]", "[{Sequential: [Fliplr]}]"},
        {"[{Sequential: {of: [Fliplr], random_order: True}}]",
         "[{Sequential: {random_order: true, of: [Fliplr]}}]"},
        {"[{SomeOf: {of: [Fliplr, Flipud]}}]", "[{SomeOf: [Fliplr, Flipud]}]"},
        {"[{SomeOf: {count: 1, of: [Fliplr, Flipud]}}]",
         "[{SomeOf: {count: 1, of: [Fliplr, Flipud]}}]"},
        {"[{Sometimes: [Flipud]}]", "[{Sometimes: [Flipud]}]"},
        {"[{Sometimes: {p: 0.1, of: [{OneOf: [Flipud, Rot90]}]}}]",
         "[{Sometimes: {p: 0.1, of: [{OneOf: [Flipud, Rot90]}]}}]"},
        {"[LargeScaleJitter, PiecewiseAffine, Add, LinearContrast, GammaContrast, AddToHue, "
         "MultiplyHue, AddToSaturation, MultiplySaturation, GaussianBlur, AdditiveGaussianNoise]",
         "[LargeScaleJitter, PiecewiseAffine, Add, LinearContrast, GammaContrast, AddToHue, "
         "MultiplyHue, AddToSaturation, MultiplySaturation, GaussianBlur, AdditiveGaussianNoise]"},
        {"[{CropAndPad: {px: [-3, 4], percent: 0.1}}]",
         "[{CropAndPad: {percent: 0.1, px: [-3, 4]}}]"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_canonical(texts[i][0], texts[i][1]);
}

static void assert_refused(const char *text, const char *part) {
    mrcnn_config *config = make();
    mrcnn_error err = MRCNN_ERROR_INIT;
    set(config, "AUGMENTATION", "[{Fliplr: 0.25}]");
    assert_int_equal(mrcnn_config_set(config, "AUGMENTATION", text, &err), MRCNN_E_CONFIG);
    assert_contains(err.message, "AUGMENTATION: ");
    assert_contains(err.message, part);
    assert_string_equal(mrcnn_config_get(config, "AUGMENTATION"), "[{Fliplr: 0.25}]");
    assert_int_equal(mrcnn_config_set(config, "AUGMENTATION", text, NULL), MRCNN_E_CONFIG);
    mrcnn_config_free(&config);
}

static void mistakes(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"[Flipr]", "there is no operation \"Flipr\"; did you mean Fliplr?"},
        {"[{fliplr: 1}]", "did you mean Fliplr?"},
        {"[{Cutout: 1}]", "there is no operation \"Cutout\"; Fliplr, Affine"},
        {"flip", "there is no operation \"flip\""},
        {"0.5", "there is no operation \"0.5\""},
        {"true", "there is no operation \"true\""},
        {"none none", "there is no operation \"none\""},
        {"[{Fliplr: 0.5}", "the text ends where a comma or ] belongs"},
        {"[{Fliplr: 0.5]", "a closing brace belongs where \"]\" is"},
        {"[{Fliplr 0.5}]", "a colon belongs where \"0.5}]\" is"},
        {"[Fliplr Flipud]", "a comma or ] belongs where \"Flipud]\" is"},
        {"[Fliplr]]", "the end belongs where \"]\" is"},
        {"[Fliplr], Flipud", "the end belongs where \", Flipud\" is"},
        {"[,]", "an operation belongs where \",]\" is"},
        {"[{Fliplr: 1.5}]", "Fliplr: p: \"1.5\" is out of range; it must be between 0 and 1"},
        {"[{Fliplr: [0, 1]}]", "Fliplr: p is one number, not a range"},
        {"[{Fliplr: often}]", "Fliplr: p: \"often\" is no number"},
        {"[{Fliplr: {q: 1}}]", "Fliplr: there is no parameter \"q\"; there are p"},
        {"[{Fliplr: {p: 1, p: 1}}]", "Fliplr: p is there twice"},
        {"[{Fliplr: {of: [Flipud]}}]", "there is no parameter \"of\""},
        {"[{Fliplr: [Flipud]}]", "p is one number"},
        {"[{Rot90: 0.5}]", "Rot90: k: \"0.5\" is not a whole number"},
        {"[{Rot90: 4}]", "between -3 and 3"},
        {"[{Multiply: [1]}]", "the comma of a range [low, high] belongs where \"]}]\" is"},
        {"[{Multiply: [1, 2, 3]}]", "the bracket behind a range"},
        {"[{Multiply: [2, 1]}]", "Multiply: mul: a range begins with its lower end"},
        {"[{Multiply: nan}]", "\"nan\" is no number"},
        {"[{Multiply: [-inf, inf]}]", "\"-inf\" is no number"},
        {"[{Multiply: 1e308}]", "\"1e308\" is out of range"},
        {"[{Multiply: 1e999}]", "\"1e999\" is out of range"},
        {"[{Multiply: 0x10}]", "\"0x10\" is no number"},
        {"[{Multiply: {mul: }}]", "a number belongs where \"}}]\" is"},
        {"[{Multiply: {mul 1}}]", "a colon belongs"},
        {"[{GaussianBlur: 1000}]", "between 0 and 20"},
        {"[Affine]", "Affine: it would do nothing; give it scale, for one"},
        {"[{Affine: 3}]", "Affine: say which parameter: {Affine: {scale: ...}}"},
        {"[{Affine: {scale: 1}}]", "it would do nothing"},
        {"[{Affine: {rotat: 3}}]", "Affine: there is no parameter \"rotat\"; did you mean rotate?"},
        {"[{Affine: {rotation: 3}}]",
         "there are scale, translate_percent, translate_px, rotate, shear"},
        {"[{Affine: {scale: {z: 1}}}]", "scale: write a range, or {x: range, y: range}"},
        {"[{Affine: {scale: {x: 1, x: 1}}}]", "scale: x is there twice"},
        {"[{Affine: {scale: {x: 1 y: 1}}}]", "a comma or } belongs"},
        {"[{Affine: {scale: 0}}]", "between 0.05 and 20"},
        {"[{CropAndPad: {percent: -0.5}}]", "out of range"},
        {"[OneOf]", "OneOf: it needs operations: {OneOf: {of: [...]}}"},
        {"[{OneOf: []}]", "OneOf: its list of operations is empty"},
        {"[{OneOf: }]", "OneOf: it needs operations"},
        {"[{OneOf: Fliplr}]", "a list of operations [...] belongs where \"Fliplr}]\" is"},
        {"[{SomeOf: {count: [0, 2]}}]", "SomeOf: it needs operations"},
        {"[{SomeOf: {count: -1, of: [Fliplr]}}]", "count: \"-1\" is out of range"},
        {"[{SomeOf: {n: 2, of: [Fliplr]}}]", "there are count, random_order, of"},
        {"[{Sometimes: {p: 2, of: [Fliplr]}}]", "between 0 and 1"},
        {"[{SomeOf: {of: [Fliplr], of: [Fliplr]}}]", "of is there twice"},
        {"[\xff\xfe]", "there is no operation \"??\""},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_refused(texts[i][0], texts[i][1]);
}

/* `count` times one text, between two others. */
static char *repeat(const char *before, const char *text, size_t count, const char *after) {
    char *all = malloc(strlen(before) + count * strlen(text) + strlen(after) + 1), *at = all;
    assert_non_null(all);
    at += sprintf(at, "%s", before);
    for (size_t i = 0; i < count; i++) at += sprintf(at, "%s", text);
    sprintf(at, "%s", after);
    return all;
}

static void hostile(void **state) {
    (void)state;
    static const struct {
        const char *before, *text;
        size_t count;
        const char *after, *part;
    } texts[] = {
        {"", "[", 1000000, "", "an operation belongs where"},
        {"", "{", 1000000, "", "an operation belongs where"},
        {"[", "{Sequential: [", 100000, "", "nested more than 8 deep"},
        {"[", "{OneOf: {of: [", 9, "", "nested more than 8 deep"},
        {"[", "Fliplr, ", 64, "]", "too many operations"},
        {"[", "Fliplr, ", 1000000, "]", "too many operations"},
        {"[", "{Affine: {rotate: 1}},", 22, "]", "too many operations"},
        {"[", "x", 1000000, "]", "there is no operation \"xxxx"},
        {"[{Multiply: ", "1", 1000000, "}]", "is out of range"},
        {"[{Multiply: 0.", "1", 100000, "}]", ""},
        {"[",
         "{Affine: {scale: {x: [0.1234567890123, 1.1234567890123], y: [0.123456789012, "
         "1.1234567890123]}, translate_percent: {x: [-0.1234567890123, 0.123456789012], y: "
         "[-0.1234567890123, 0.1234567890123]}, rotate: [0.1234567, 0.12345678]}}, ",
         20, "]", "the text is too long: it may have 2047 characters"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *text = repeat(texts[i].before, texts[i].text, texts[i].count, texts[i].after);
        if (*texts[i].part) assert_refused(text, texts[i].part);
        free(text);
    }
    /* As much as there may be is read, and comes back out of YAML. */
    char *most = repeat("[", "{Fliplr: 0.1234567890123456}, ", 63, "]");
    mrcnn_config *config = make(), *again = make();
    mrcnn_error err = MRCNN_ERROR_INIT;
    set(config, "AUGMENTATION", most);
    char *yaml = mr_config_to_yaml(config);
    mr_config_from_yaml(again, yaml, strlen(yaml), "weights", 0, &err);
    assert_string_equal(err.message, "");
    assert_memory_equal(mr_config_settings(config), mr_config_settings(again), sizeof(mr_settings));
    free(yaml);
    free(most);
    mrcnn_config_free(&config);
    mrcnn_config_free(&again);
}

/* ----------------------------------------------------------------------------------------- YAML */

static void blocks(void **state) {
    (void)state;
    const char text[] = "AUGMENTATION:\n"
                        "  - SomeOf:\n"
                        "      count: [0, 2]\n"
                        "      of:\n"
                        "        - Fliplr: 0.5\n"
                        "        - OneOf:\n"
                        "          - Rot90: 1\n"
                        "          - {Rot90: 2}\n"
                        "          - \"Flipud\"\n"
                        "        - Affine:\n"
                        "            scale: {x: [0.8, 1.2], y: 1.0}\n"
                        "            rotate: [-5, 5]   # degrees\n"
                        "  - GaussianBlur: [0.0, 5.0]\n"
                        "  - Multiply:\n"
                        "NO_AUGMENTATION_SOURCES:\n"
                        "  - stage1\n"
                        "  - \"my photos\"\n"
                        "MOSAIC: 0.25\n";
    mrcnn_config *config = make(), *again = make();
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_config_from_yaml(config, text, sizeof text - 1, "a.yaml", 0, &err);
    assert_string_equal(err.message, "");
    assert_string_equal(
        mrcnn_config_get(config, "AUGMENTATION"),
        "[{SomeOf: {count: [0, 2], of: [{Fliplr: 0.5}, {OneOf: [Rot90, {Rot90: 2}, Flipud]}, "
        "{Affine: {scale: {x: [0.8, 1.2], y: 1}, rotate: [-5, 5]}}]}}, {GaussianBlur: [0, 5]}, "
        "Multiply]");
    assert_string_equal(mrcnn_config_get(config, "NO_AUGMENTATION_SOURCES"),
                        "[\"stage1\", \"my photos\"]");
    char *yaml = mr_config_to_yaml(config);
    mr_config_from_yaml(again, yaml, strlen(yaml), "weights", 0, &err);
    assert_string_equal(err.message, "");
    assert_memory_equal(mr_config_settings(config), mr_config_settings(again), sizeof(mr_settings));
    free(yaml);
    mrcnn_config_free(&config);
    mrcnn_config_free(&again);
}

static void bad_yaml(void **state) {
    (void)state;
    char *deep = repeat("AUGMENTATION: ", "[", 5000, "");
    char *nested = repeat("AUGMENTATION: [", "{Sequential: [", 30, "");
    const struct {
        const char *text, *part;
    } texts[] = {
        {"AUGMENTATION:\n  - Fliplr: 0.5\n  - Flup: 1\n",
         "line 2, column 3: AUGMENTATION: there is no "
         "operation \"Flup\""},
        {"AUGMENTATION:\n  - &a {Fliplr: 0.5}\n  - *a\n", "aliases"},
        {"AUGMENTATION: [{Fliplr: \"0.5}, {Flipud: 1\"}]\n", "punctuation inside a list's item"},
        {"AUGMENTATION: [{[a]: 1}]\n", "an operation belongs where"},
        {"MOSAIC: [1]\n", "this key takes a single value"},
        {deep, "nested too deeply"},
        {nested, "nested too deeply"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        mrcnn_config *config = make();
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_not_equal(
            mr_config_from_yaml(config, texts[i].text, strlen(texts[i].text), "a.yaml", 0, &err),
            MRCNN_OK);
        assert_contains(err.message, texts[i].part);
        assert_string_equal(mrcnn_config_get(config, "AUGMENTATION"), "none");
        mrcnn_config_free(&config);
    }
    free(deep);
    free(nested);
}

/* ------------------------------------------------------------------------------- other keys */

static void sources(void **state) {
    (void)state;
    static const char *const good[][2] = {{"[a, b-2]", "[\"a\", \"b-2\"]"},
                                          {"(a,)", "[\"a\"]"},
                                          {"a, b", "[\"a\", \"b\"]"},
                                          {"['my photos']", "[\"my photos\"]"},
                                          {"[\"caf\xC3\xA9\"]", "[\"caf\xC3\xA9\"]"},
                                          {"none", "[]"},
                                          {"", "[]"},
                                          {"[]", "[]"}};
    static const char *const bad[] = {
        "[a",    "[a, ]b]", "[a:b]", "[\"a\"b\"]", "[a/b]", "['']", "[a, b, c, d, e, f, g, h, i]",
        "[[a]]", "[\xff]",  "[a\nb]"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        mrcnn_config *config = make();
        set(config, "NO_AUGMENTATION_SOURCES", good[i][0]);
        assert_string_equal(mrcnn_config_get(config, "NO_AUGMENTATION_SOURCES"), good[i][1]);
        set(config, "NO_AUGMENTATION_SOURCES", good[i][1]);
        assert_string_equal(mrcnn_config_get(config, "NO_AUGMENTATION_SOURCES"), good[i][1]);
        mrcnn_config_free(&config);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        mrcnn_config *config = make();
        mrcnn_error err = MRCNN_ERROR_INIT;
        assert_int_equal(mrcnn_config_set(config, "NO_AUGMENTATION_SOURCES", bad[i], &err),
                         MRCNN_E_CONFIG);
        assert_contains(err.message, "NO_AUGMENTATION_SOURCES: ");
        assert_string_equal(mrcnn_config_get(config, "NO_AUGMENTATION_SOURCES"), "[]");
        mrcnn_config_free(&config);
    }
}

/* What training needs, detection doesn't ask for. */
static void what_fits(void **state) {
    (void)state;
    mrcnn_config *config = make();
    mrcnn_error err = MRCNN_ERROR_INIT;
    set(config, "AUGMENTATION", "[{Sometimes: [{OneOf: [Fliplr, MultiplyHue]}]}]");
    assert_int_equal(mr_config_validate_training(config, &err), MRCNN_OK);
    set(config, "IMAGE_CHANNEL_COUNT", "2");
    set(config, "MEAN_PIXEL", "[1, 2]");
    assert_int_equal(mr_config_validate_training(config, &err), MRCNN_E_CONFIG);
    assert_contains(err.message, "AUGMENTATION: MultiplyHue changes colours, but "
                                 "IMAGE_CHANNEL_COUNT is 2");
    assert_int_equal(mr_config_validate(config, NULL), MRCNN_OK);
    set(config, "AUGMENTATION", "none");
    set(config, "MOSAIC", "0.5");
    static const char *const modes[] = {"square", "crop", "pad64", "none"};
    for (int i = 0; i < 4; i++) {
        set(config, "IMAGE_RESIZE_MODE", modes[i]);
        set(config, "IMAGE_MIN_DIM", "512");
        assert_int_equal(mr_config_validate_training(config, &err),
                         i < 2 ? MRCNN_OK : MRCNN_E_CONFIG);
        if (i >= 2) assert_contains(err.message, "MOSAIC: ");
        assert_int_equal(mr_config_validate(config, NULL), MRCNN_OK);
    }
    mrcnn_config_free(&config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),     cmocka_unit_test(mistakes), cmocka_unit_test(hostile),
        cmocka_unit_test(blocks),    cmocka_unit_test(bad_yaml), cmocka_unit_test(sources),
        cmocka_unit_test(what_fits),
    };
    return cmocka_run_group_tests_name("augmentation's text", tests, NULL, NULL);
}
