/* test_config_yaml.c - configurations as YAML: good, bad and hostile files, and the way back. */
#include "helper_assert.h"

#include "config/config.h"

#include <stdlib.h>
#include <unistd.h>

static mrcnn_config *make(const char *preset) {
    mrcnn_config *config = NULL;
    assert_int_equal(mrcnn_config_create(&config, preset, NULL), MRCNN_OK);
    return config;
}

static void assert_get(const mrcnn_config *config, const char *key, const char *value) {
    assert_string_equal(mrcnn_config_get(config, key), value);
}

static void assert_source(const mrcnn_config *config, const char *key, const char *source) {
    assert_string_equal(mrcnn_config_source(config, key), source);
}

static void assert_same_values(const mrcnn_config *a, const mrcnn_config *b) {
    const mrcnn_config_key *key;
    for (size_t i = 0; (key = mrcnn_config_key_at(i)) != NULL; i++)
        assert_get(a, key->name, mrcnn_config_get(b, key->name));
    assert_memory_equal(mr_config_settings(a), mr_config_settings(b), sizeof(mr_settings));
}

static mrcnn_status parse(mrcnn_config *config, const char *text, size_t length, mrcnn_error *err) {
    return mr_config_from_yaml(config, text, length, "file.yaml", 0, err);
}

static mrcnn_config *parsed(const char *text) {
    mrcnn_config *config = make(NULL);
    mrcnn_error err = MRCNN_ERROR_INIT;
    parse(config, text, strlen(text), &err);
    assert_string_equal(err.message, "");
    return config;
}

/* The text must be refused with this message, and nothing of it may stay behind. */
static void assert_bytes_refused(const char *text, size_t length, mrcnn_status expected,
                                 const char *message) {
    mrcnn_config *config = make("balloon"), *untouched = make("balloon");
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_status status = parse(config, text, length, &err);
    assert_contains(err.message, message);
    assert_int_equal(status, expected);
    assert_int_equal(parse(config, text, length, NULL), expected);
    assert_same_values(config, untouched);
    assert_source(config, "NUM_CLASSES", "preset balloon");
    mrcnn_config_free(&config);
    mrcnn_config_free(&untouched);
}

static void assert_refused(const char *text, mrcnn_status expected, const char *message) {
    assert_bytes_refused(text, strlen(text), expected, message);
}

/* ---------------------------------------------------------------------------------------- good */

static void test_a_file(void **state) {
    (void)state;
    const char *path = TEST_DATA "/config/good.yaml";
    mrcnn_config *config = make(NULL);
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config_load(config, path, &err);
    assert_string_equal(err.message, "");
    assert_get(config, "NAME", "my cells");
    assert_get(config, "BACKBONE", "resnet18");
    assert_get(config, "RPN_ANCHOR_SCALES", "[4, 8.5, 16, 32, 64]");
    assert_get(config, "MEAN_PIXEL", "[1, 2.5, 3]");
    assert_get(config, "LOSS_WEIGHTS",
               "{rpn_class_loss: 2, rpn_bbox_loss: 1, mrcnn_class_loss: 1, mrcnn_bbox_loss: 1, "
               "mrcnn_mask_loss: 0.5}");
    assert_get(config, "TRAIN_BN", "none");
    assert_get(config, "USE_MINI_MASK", "false");
    assert_get(config, "DETECTION_MIN_CONFIDENCE", "0.6");
    assert_get(config, "MINI_MASK_SHAPE", "[28, 30]");
    assert_get(config, "RPN_NMS_THRESHOLD", "0.9");
    assert_source(config, "RPN_NMS_THRESHOLD", "preset nucleus");
    assert_source(config, "BACKBONE", path);
    assert_source(config, "POOL_SIZE", "default");
    mrcnn_config_free(&config);
}

static void test_empty_texts(void **state) {
    (void)state;
    static const char *const texts[] = {
        "", "\n\n", "# only a comment\n", "---\n", "---\n...\n", "null\n", "{}\n", "\xEF\xBB\xBF"};
    mrcnn_config *defaults = make(NULL);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        mrcnn_config *config = parsed(texts[i]);
        assert_same_values(config, defaults);
        mrcnn_config_free(&config);
    }
    mrcnn_config_free(&defaults);
}

static void test_line_ends_and_marks(void **state) {
    (void)state;
    static const char *const texts[] = {
        "NUM_CLASSES: 5\r\nPOOL_SIZE: 9\r\n",
        "\xEF\xBB\xBFNUM_CLASSES: 5\nPOOL_SIZE: 9",
        "%YAML 1.1\n---\nNUM_CLASSES: 5\nPOOL_SIZE: 9\n...\n",
        "{NUM_CLASSES: 5, POOL_SIZE: 9}",
        "NUM_CLASSES: &anchor 5\nPOOL_SIZE: !!int 9\n",
        "? NUM_CLASSES\n: 5\n? POOL_SIZE\n: 9\n",
        "NUM_CLASSES: >-\n  5\nPOOL_SIZE: |\n  9\n",
        "NUM_CLASSES:\t5\nPOOL_SIZE: 9\t# tab before a comment\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        mrcnn_config *config = parsed(texts[i]);
        assert_get(config, "NUM_CLASSES", "5");
        assert_get(config, "POOL_SIZE", "9");
        assert_source(config, "POOL_SIZE", "file.yaml");
        mrcnn_config_free(&config);
    }
}

static void test_one_loss_as_a_key(void **state) {
    (void)state;
    mrcnn_config *config = parsed("LOSS_WEIGHTS: {rpn_bbox_loss: 3}\n"
                                  "LOSS_WEIGHTS.rpn_class_loss: 2\n");
    assert_get(config, "LOSS_WEIGHTS.rpn_class_loss", "2");
    assert_get(config, "LOSS_WEIGHTS.rpn_bbox_loss", "3");
    mrcnn_config_free(&config);
}

/* A preset is where values start from: it loses against everything else, wherever it stands, and
 * replaces an earlier preset. */
static void test_preset_in_a_file(void **state) {
    (void)state;
    mrcnn_config *config = make("nucleus");
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_config_set(config, "STEPS_PER_EPOCH", "7", &err), MRCNN_OK);
    assert_int_equal(mr_config_set_from(config, "NUM_CLASSES", "9", "weights", &err), MRCNN_OK);
    const char text[] = "DETECTION_MIN_CONFIDENCE: 0.25\npreset: balloon\n";
    assert_int_equal(parse(config, text, sizeof text - 1, &err), MRCNN_OK);
    assert_get(config, "NAME", "balloon");
    assert_source(config, "NAME", "preset balloon");
    assert_get(config, "BACKBONE", "resnet101"); /* nucleus' value is gone */
    assert_source(config, "BACKBONE", "default");
    assert_get(config, "STEPS_PER_EPOCH", "7");
    assert_get(config, "NUM_CLASSES", "9");
    assert_get(config, "DETECTION_MIN_CONFIDENCE", "0.25");
    assert_source(config, "DETECTION_MIN_CONFIDENCE", "file.yaml");
    mrcnn_config_free(&config);
}

static void test_keep_explicit(void **state) {
    (void)state;
    mrcnn_config *config = make("balloon");
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_config_set(config, "IMAGE_MIN_DIM", "640", &err), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "LOSS_WEIGHTS.rpn_bbox_loss", "4", &err), MRCNN_OK);
    const char text[] = "IMAGE_MIN_DIM: 512\nIMAGE_MAX_DIM: 512\nNUM_CLASSES: 81\n"
                        "LOSS_WEIGHTS: {rpn_bbox_loss: 3}\n";
    assert_int_equal(mr_config_from_yaml(config, text, sizeof text - 1, "weights", 1, &err),
                     MRCNN_OK);
    assert_get(config, "IMAGE_MIN_DIM", "640");
    assert_get(config, "IMAGE_MAX_DIM", "512");
    assert_get(config, "NUM_CLASSES", "2");
    assert_get(config, "LOSS_WEIGHTS.rpn_bbox_loss", "4");
    assert_source(config, "IMAGE_MAX_DIM", "weights");
    assert_int_equal(mr_config_from_yaml(config, "preset: coco", 12, "weights", 1, &err),
                     MRCNN_E_CONFIG);
    mrcnn_config_free(&config);
}

/* ----------------------------------------------------------------------------------------- bad */

static void test_bad_texts(void **state) {
    (void)state;
    static const struct {
        const char *text;
        mrcnn_status status;
        const char *message;
    } cases[] = {
        {"NUM_CLASSES: 5\nPOOL_SIZE: 9.5\n", MRCNN_E_CONFIG,
         "file.yaml: line 2, column 12: POOL_SIZE: 9.5 is not a whole number"},
        {"NUM_CLASSES: 5\n  POOL: 9\n", MRCNN_E_FORMAT, "file.yaml: line 2, column 7: not YAML"},
        {"num_classes: 5\n", MRCNN_E_CONFIG,
         "file.yaml: line 1, column 1: there is no key \"num_classes\"; did you mean NUM_CLASSES?"},
        {"NUM_CLASSES: 5\nPOOL_SIZE: 9\nNUM_CLASSES: 5\n", MRCNN_E_CONFIG,
         "line 3, column 1: this key is there twice"},
        {"preset: coco\npreset: coco\n", MRCNN_E_CONFIG,
         "line 2, column 1: this key is there twice"},
        {"preset: cocoa\n", MRCNN_E_CONFIG, "line 1, column 9: there is no preset \"cocoa\""},
        {"preset: [coco]\n", MRCNN_E_CONFIG, "line 1, column 9: a list or mapping"},
        {"NUM_CLASSES: [5]\n", MRCNN_E_CONFIG, "line 1, column 14: a list or mapping"},
        {"NAME: {a: b}\n", MRCNN_E_CONFIG, "line 1, column 7: a list or mapping"},
        {"NUM_CLASSES:\n", MRCNN_E_CONFIG, "NUM_CLASSES: \"\" is not a whole number"},
        {"BATCH_SIZE: 3\n", MRCNN_E_CONFIG, "BATCH_SIZE can't be set"},
        {"COMPUTE_BACKBONE_SHAPE: null\n", MRCNN_E_CONFIG, "Python function"},
        {"- NUM_CLASSES: 5\n", MRCNN_E_CONFIG, "line 1, column 1: expected a mapping"},
        {"NUM_CLASSES\n", MRCNN_E_CONFIG, "line 1, column 1: expected a mapping"},
        {"NUM_CLASSES: 5\n---\nPOOL_SIZE: 9\n", MRCNN_E_CONFIG,
         "line 2, column 1: a second document"},
        {"NUM_CLASSES: 5\nPOOL_SIZE:\n\t9\n", MRCNN_E_FORMAT, "line 3, column 1: not YAML"},
        {"\tNUM_CLASSES: 5\n", MRCNN_E_FORMAT, "line 1, column 1: not YAML"},
        {"NAME: \"a\n", MRCNN_E_FORMAT, "not YAML"},
        {"NAME: \"a\\0b\"\n", MRCNN_E_FORMAT, "line 1, column 7: a 0 byte inside a value"},
        {"\"NAME\\0\": a\n", MRCNN_E_FORMAT, "line 1, column 1: a 0 byte"},
        {"[NUM_CLASSES]: 5\n", MRCNN_E_CONFIG, "line 1, column 1: a key must be a plain word"},
        {"MEAN_PIXEL: [1, 2, [3]]\n", MRCNN_E_CONFIG, "line 1, column 20: nested too deeply"},
        {"MEAN_PIXEL: [1, 2, {a: 3}]\n", MRCNN_E_CONFIG, "line 1, column 20: nested too deeply"},
        {"MEAN_PIXEL: [\"1, 2\", 3]\n", MRCNN_E_CONFIG, "line 1, column 14: punctuation"},
        {"MEAN_PIXEL: {a: 3}\n", MRCNN_E_CONFIG, "MEAN_PIXEL: \"{a: 3}\" is not a number"},
        {"LOSS_WEIGHTS: {rpn_class_loss: [1]}\n", MRCNN_E_CONFIG, "nested too deeply"},
        {"CLASS_MIN_CONFIDENCE: {a: [1]}\n", MRCNN_E_CONFIG, "nested too deeply"},
        {"CLASS_MIN_CONFIDENCE: {[a]: 1}\n", MRCNN_E_CONFIG, "a class's name must be a plain word"},
        {"CLASS_MIN_CONFIDENCE: {'a\"b': 1}\n", MRCNN_E_CONFIG, "a double quote inside"},
        {"CLASS_MIN_CONFIDENCE: {a: 1, \"a\": 1}\n", MRCNN_E_CONFIG, "\"a\" is there twice"},
        {"CLASS_MIN_CONFIDENCE: {\"a\\\\b\": 1}\n", MRCNN_E_CONFIG, "can't be a class's name"},
        {"CLASS_MIN_CONFIDENCE: [a, 1]\n", MRCNN_E_CONFIG, "write {person: 0.8"},
        {"CLASS_MIN_CONFIDENCE: 0.5\n", MRCNN_E_CONFIG, "write {person: 0.8"},
        {"LOSS_WEIGHTS: [1, 1, 1, 1, 1]\n", MRCNN_E_CONFIG, "write {rpn_class_loss: 1, ...}"},
        {"a: &a [1]\n", MRCNN_E_CONFIG, "there is no key \"a\""},
        {"MEAN_PIXEL: &a [1, 2, 3]\nRPN_BBOX_STD_DEV: *a\n", MRCNN_E_FORMAT,
         "line 2, column 19: aliases (*name) are not read"},
        {"*a : 3\n", MRCNN_E_FORMAT, "aliases"},
        {"<<: {NUM_CLASSES: 3}\n", MRCNN_E_CONFIG, "there is no key \"<<\""},
        {"NUM_CLASSES: !!python/object/apply:os.system [\"true\"]\n", MRCNN_E_CONFIG, "a list"},
        {"%YAML 9.9\n---\nNUM_CLASSES: 3\n", MRCNN_E_FORMAT, "not YAML"},
        {"NUM_CLASSES: 5\nNAME: \"\x07\"\n", MRCNN_E_FORMAT, "line 2, column 8: not YAML"},
        {"NUM_CLASSES: 5\nNAME: \xff\xfe\n", MRCNN_E_FORMAT, "line 2, column 7: not YAML"},
        {"NAME: \xC3(\n", MRCNN_E_FORMAT, "line 1, column 8: not YAML"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].text, cases[i].status, cases[i].message);
    assert_bytes_refused("NAME: a\0b\n", 10, MRCNN_E_FORMAT, "line 1, column 8: not YAML");
    assert_bytes_refused("\0\0\0\0", 4, MRCNN_E_FORMAT, "line 1, column 1: not YAML");
}

/* ------------------------------------------------------------------------------------- hostile */

/* `unit` repeated to `bytes` bytes behind `start`. */
static char *repeated(const char *start, const char *unit, size_t bytes) {
    char *text = malloc(bytes + 1);
    assert_non_null(text);
    size_t used = strlen(start), step = strlen(unit);
    memcpy(text, start, used);
    for (; used + step <= bytes; used += step) memcpy(text + used, unit, step);
    text[used] = 0;
    return text;
}

/* Keys that nobody repeats, more than there is room for. */
static void test_too_many_classes(void **state) {
    (void)state;
    enum { KEYS = 400, LINE = 40 };
    char *text = calloc(KEYS, LINE);
    assert_non_null(text);
    size_t used = 0;
    for (int i = 0; i < KEYS; i++)
        used += (size_t)snprintf(text + used, LINE, "CLASS_MIN_CONFIDENCE.class %d: 0.5\n", i);
    assert_refused(text, MRCNN_E_CONFIG, "more keys than a configuration can have");
    free(text);
}

static void test_hostile_megabytes(void **state) {
    (void)state;
    static const char *const units[][2] = {
        {"MEAN_PIXEL: ", "["},
        {"LOSS_WEIGHTS: ", "{a: "},
        {"CLASS_MIN_CONFIDENCE: ", "{a: "},
        {"CLASS_MIN_CONFIDENCE: {", "a: 1, "},
        {"", "CLASS_MIN_CONFIDENCE.a: 1\n"},
        {"", "["},
        {"", "{"},
        {"", "- "},
        {"", "? "},
        {"", ": "},
        {"NUM_CLASSES: ", "!"},
        {"MEAN_PIXEL: [", "1,"},
        {"MEAN_PIXEL: [", ","},
        {"NAME: ", "a"},
        {"NAME: \"", "\\u0041"},
        {"NAME: \"", "\n"},
        {"", "&a "},
        {"", "a: "},
        {"NAME: ", "a\n "},
        {"", "--- a\n"},
        {"NAME: |\n", " a\n"},
        {"%TAG ! ", "!"},
        {"MEAN_PIXEL:\n", "- 1\n"},
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        char *text = repeated(units[i][0], units[i][1], (1 << 20) - 8);
        mrcnn_config *config = make(NULL);
        mrcnn_error err = MRCNN_ERROR_INIT;
        if (parse(config, text, strlen(text), &err) == MRCNN_OK)
            fail_msg("accepted: %s%s...", units[i][0], units[i][1]);
        assert_contains(err.message, "file.yaml: line ");
        assert_true(strlen(err.message) < 300);
        mrcnn_config_free(&config);
        free(text);
    }
}

static void test_billion_laughs(void **state) {
    (void)state;
    assert_refused("a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n",
                   MRCNN_E_CONFIG, "there is no key \"a\"");
    assert_refused("MEAN_PIXEL: &a [1, 2, 3]\nRPN_ANCHOR_SCALES: &b [*a, *a, *a, *a]\n"
                   "RPN_BBOX_STD_DEV: [*b, *b, *b, *b]\n",
                   MRCNN_E_FORMAT, "line 2, column 24: aliases");
}

static void test_too_large_files(void **state) {
    (void)state;
    char *text = repeated("NUM_CLASSES: 3\n", "# padding\n", 2 << 20);
    mrcnn_config *config = make(NULL);
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(parse(config, text, strlen(text), &err), MRCNN_E_FORMAT);
    assert_contains(err.message, "1048576");

    char path[] = "/tmp/mrcnn-config-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    mrcnn_status status = mrcnn_config_load(config, path, &err);
    unlink(path);
    assert_int_equal(status, MRCNN_E_FORMAT);
    assert_contains(err.message, path);
    assert_get(config, "NUM_CLASSES", "1");

    text[1 << 20] = 0; /* the largest that is read */
    assert_int_equal(parse(config, text, 1 << 20, &err), MRCNN_OK);
    assert_get(config, "NUM_CLASSES", "3");
    mrcnn_config_free(&config);
    free(text);
}

static void test_files_that_can_not_be_read(void **state) {
    (void)state;
    mrcnn_config *config = make(NULL);
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_config_load(config, TEST_DATA "/config/none.yaml", &err), MRCNN_E_IO);
    assert_contains(err.message, "none.yaml");
    assert_int_equal(mrcnn_config_load(config, TEST_DATA, &err), MRCNN_E_IO);
    mrcnn_config_free(&config);
}

/* Every prefix of a good file, and the file with every byte changed in turn: a result or a message,
 * never a crash. */
static void test_damaged_files(void **state) {
    (void)state;
    static const char good[] = "preset: nucleus\nNAME: \"n\"\nMEAN_PIXEL: [1, 2, 3]\n"
                               "LOSS_WEIGHTS: {rpn_class_loss: 2}\nTRAIN_BN: ~\n";
    enum { LENGTH = sizeof good - 1 };
    static const unsigned char bytes[] = {0,   '\n', '"', '[', ']', '{',
                                          ':', '-',  '&', '*', '%', 0xff};
    int accepted = 0, refused = 0;
    for (size_t i = 0; i <= LENGTH; i++) {
        for (size_t b = 0; b < sizeof bytes + 1; b++) {
            char text[LENGTH + 1];
            memcpy(text, good, sizeof good);
            size_t length = b == sizeof bytes ? i : LENGTH;
            if (b < sizeof bytes) text[i] = (char)bytes[b];
            mrcnn_config *config = make(NULL);
            mrcnn_error err = MRCNN_ERROR_INIT;
            if (parse(config, text, length, &err) == MRCNN_OK)
                accepted++;
            else
                refused += err.message[0] != 0;
            mrcnn_config_free(&config);
        }
    }
    assert_int_equal(accepted + refused, (LENGTH + 1) * (sizeof bytes + 1));
    assert_true(accepted > 50 && refused > 50);
}

/* ---------------------------------------------------------------------------------- round trip */

static void round_trip(const mrcnn_config *config) {
    char *yaml = mr_config_to_yaml(config);
    assert_non_null(yaml);
    mrcnn_config *again = make(NULL);
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_config_from_yaml(again, yaml, strlen(yaml), "weights", 0, &err);
    assert_string_equal(err.message, "");
    assert_same_values(config, again);
    char *yaml_again = mr_config_to_yaml(again);
    assert_string_equal(yaml, yaml_again);
    free(yaml_again);
    free(yaml);
    mrcnn_config_free(&again);
}

static void test_round_trip_of_presets(void **state) {
    (void)state;
    const char *name;
    for (size_t i = 0; (name = mrcnn_config_preset(i, NULL)) != NULL; i++) {
        mrcnn_config *config = make(name);
        round_trip(config);
        mrcnn_config_free(&config);
    }
}

static void test_only_differences_are_written(void **state) {
    (void)state;
    mrcnn_config *config = make(NULL);
    char *yaml = mr_config_to_yaml(config);
    assert_string_equal(yaml, "");
    free(yaml);
    mrcnn_config_free(&config);
    config = make("balloon");
    yaml = mr_config_to_yaml(config);
    assert_string_equal(yaml, "DETECTION_MIN_CONFIDENCE: 0.9\nNAME: \"balloon\"\nNUM_CLASSES: 2\n"
                              "STAGES: 'heads 30'\nSTEPS_PER_EPOCH: 100\n");
    free(yaml);
    mrcnn_config_free(&config);
}

static void test_round_trip_of_odd_values(void **state) {
    (void)state;
    static const char *const values[][2] = {
        {"NAME", "-"},
        {"NAME", "---"},
        {"NAME", "true"},
        {"NAME", "# [a]: {b} & *c % @ ` ' | >"},
        {"NAME", "\xE6\xB0\x94\xE7\x90\x83 \xF0\x9F\x8E\x88"},
        {"BACKBONE", "-"},
        {"BACKBONE", "none"},
        {"STAGES", "(res5.*)|(mrcnn\\_[a-z#]*\") 10 0.1; all 20"},
        {"STAGES", "none"},
        {"LEARNING_RATE_STEPS", "[]"},
        {"LEARNING_RATE_STEPS", "[1, 1000000]"},
        {"LEARNING_RATE", "5e-324"},
        {"LEARNING_RATE", "0.30000000000000004"},
        {"LEARNING_RATE", "2.2250738585072014e-308"},
        {"LEARNING_RATE", "-0"},
        {"MEAN_PIXEL", "[-0.1, 1e-17, 123.7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]"},
        {"TRAIN_BN", "none"},
        {"LOSS_WEIGHTS", "{rpn_class_loss: 0.1, mrcnn_mask_loss: 1e-05}"},
        {"CLASS_MIN_CONFIDENCE", "{'a, (b): [c] #{d}': 0.5, it's *that*: 0, - x: 5e-324}"},
        {"CLASS_MIN_CONFIDENCE", "{\xE6\xB0\x94\xE7\x90\x83: 1, 'null': 0.25}"},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        mrcnn_config *config = make("small");
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_config_set(config, values[i][0], values[i][1], &err);
        assert_string_equal(err.message, "");
        round_trip(config);
        mrcnn_config_free(&config);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file),
        cmocka_unit_test(test_empty_texts),
        cmocka_unit_test(test_line_ends_and_marks),
        cmocka_unit_test(test_one_loss_as_a_key),
        cmocka_unit_test(test_preset_in_a_file),
        cmocka_unit_test(test_keep_explicit),
        cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_too_many_classes),
        cmocka_unit_test(test_hostile_megabytes),
        cmocka_unit_test(test_billion_laughs),
        cmocka_unit_test(test_too_large_files),
        cmocka_unit_test(test_files_that_can_not_be_read),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test(test_round_trip_of_presets),
        cmocka_unit_test(test_only_differences_are_written),
        cmocka_unit_test(test_round_trip_of_odd_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
