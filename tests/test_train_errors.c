/* test_train_errors.c - training runs that can't begin or can't go on: what is said, and what is
 * left. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_train.h"

#include "data/data.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const train_made *expect(const train_case *c, mrcnn_status status, const char *message) {
    const train_made *m = train_run(c);
    if (m->status == MRCNN_OK) fail_msg("%s: trained", c->logs);
    assert_contains(m->err.message, message);
    assert_int_equal(m->status, status);
    assert_int_equal(m->err.status, status);
    return m;
}

/* Nothing is made on disk for a run that can't begin. */
static void test_configuration(void **state) {
    (void)state;
    static const struct {
        const char *key, *value, *message;
        mrcnn_status status;
    } cases[] = {
        {"NAME", "none", "NAME is not set", MRCNN_E_CONFIG},
        {"NUM_CLASSES", "3", "NUM_CLASSES is 3, but the data set has 4 classes", MRCNN_E_CONFIG},
        {"USE_RPN_ROIS", "false", "USE_RPN_ROIS", MRCNN_E_UNSUPPORTED},
        {"IMAGE_CHANNEL_COUNT", "1", "IMAGE_CHANNEL_COUNT is 1, but the data set is read with 3",
         MRCNN_E_CONFIG},
        {"EARLY_STOP", "2", "EARLY_STOP needs a validation set", MRCNN_E_CONFIG},
        {"EVAL_EVERY", "2", "EVAL_EVERY needs a validation set", MRCNN_E_CONFIG},
        {"KEEP_BEST", "true", "KEEP_BEST needs a validation set", MRCNN_E_CONFIG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const keys[] = {cases[i].key, cases[i].value, NULL};
        train_case c = {.logs = "configuration", .keys = keys, .layers = "heads"};
        expect(&c, cases[i].status, cases[i].message);
        assert_false(cli_exists("configuration"));
    }
}

static void test_layers(void **state) {
    (void)state;
    char longest[2000];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    train_case c = {.logs = "layers", .layers = "haeds"};
    expect(&c, MRCNN_E_CONFIG, "layers \"haeds\": no layer with weights has such a name");
    c.layers = "(res5.*";
    expect(&c, MRCNN_E_CONFIG, "(res5.*");
    c.layers = longest;
    expect(&c, MRCNN_E_ARGUMENT, "too long");
    c.layers = "";
    expect(&c, MRCNN_E_CONFIG, "");
}

static void test_folders(void **state) {
    (void)state;
    cli_write("file", "");
    train_case c = {.logs = "file/logs", .layers = "heads"};
    expect(&c, MRCNN_E_IO, "file");
    c.logs = "/proc/logs";
    expect(&c, MRCNN_E_IO, "/proc/logs");
}

/* A session has packed the weights: training would change what it doesn't see. */
static void test_packed(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    train_case c = {.logs = "packed", .layers = "heads", .epochs = 1};
    const train_made *m = train_well(&c);
    mrcnn_session *session = NULL;
    mrcnn_result *result = NULL;
    mrcnn_image image = {80, 80, 3, calloc(80 * 80, 3)};
    assert_int_equal(mrcnn_model_save(m->model, "saved.h5", &err), MRCNN_OK);
    assert_int_equal(mrcnn_session_create(&session, m->model, NULL, &err), MRCNN_OK);
    assert_int_equal(mrcnn_detect(session, &image, 1, &result, &err), MRCNN_OK);
    mrcnn_dataset *set = NULL;
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    o.format = "shapes";
    assert_int_equal(mrcnn_dataset_open(&set, "", &o, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_train(m->model, set, NULL, NULL, NULL, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "a session has packed");
    /* Of a file, too, though its weights could be read again. */
    mrcnn_model *loaded = NULL;
    mrcnn_session *other = NULL;
    assert_int_equal(mrcnn_model_load(&loaded, "saved.h5", NULL, &err), MRCNN_OK);
    assert_int_equal(mrcnn_session_create(&other, loaded, NULL, &err), MRCNN_OK);
    mrcnn_result_free(&result);
    assert_int_equal(mrcnn_detect(other, &image, 1, &result, &err), MRCNN_OK);
    mrcnn_session_free(&other);
    assert_int_equal(mrcnn_train(loaded, set, NULL, NULL, NULL, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "a session has packed");
    mrcnn_model_free(&loaded);
    mrcnn_train_options wrong = mrcnn_train_options_default();
    wrong.executor = "abacus";
    assert_int_equal(mrcnn_train(m->model, set, NULL, &wrong, NULL, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "abacus");
    mrcnn_dataset_free(&set);
    mrcnn_result_free(&result);
    mrcnn_session_free(&session);
    free(image.pixels);
}

/* ------------------------------------------------------------------------------------ pictures */

static void test_nothing_to_learn(void **state) {
    (void)state;
    static const int sizes[][2] = {{70, 70}, {70, 70}, {70, 70}};
    train_via("outside", 3, sizes, 1);
    train_case c = {.logs = "outside-logs", .layers = "heads", .dataset = "outside"};
    expect(&c, MRCNN_E_FORMAT, "no picture of the data set has an object to learn from");
}

static void test_sizes(void **state) {
    (void)state;
    static const int sizes[][2] = {{64, 64}, {128, 64}};
    train_via("sizes", 2, sizes, 0);
    train_case c = {.logs = "sizes-logs", .layers = "heads", .dataset = "sizes"};
    c.keys = TRAIN_KEYS("IMAGE_RESIZE_MODE", "pad64", "IMAGES_PER_GPU", "2");
    expect(&c, MRCNN_E_CONFIG, "set IMAGES_PER_GPU to 1");
}

/* A picture that can't be read is told once and passed over; without any other, nothing is trained. */
static void test_broken_picture(void **state) {
    (void)state;
    static const int sizes[][2] = {{64, 64}, {64, 64}, {64, 64}};
    train_via("broken", 3, sizes, 0);
    cli_write("broken/1.png", "\x89PNG\r\n\x1a\n and no more");
    train_case c = {.logs = "broken-logs", .layers = "heads", .epochs = 2, .dataset = "broken"};
    c.keys = TRAIN_KEYS("STEPS_PER_EPOCH", "4", "TRAIN_BN", "none");
    const train_made *m = train_well(&c);
    assert_int_equal(m->steps, 8);
    const char *told = strstr(m->messages, "left out: broken/1.png: ");
    assert_non_null(told);
    assert_null(strstr(told + 1, "left out: "));
    cli_write("broken/0.png", "");
    cli_write("broken/2.png", "");
    c.logs = "broken-all";
    m = expect(&c, MRCNN_E_FORMAT, "no picture of the data set can be learnt from; the last one: ");
    assert_int_equal(m->steps, 0);
}

/* A disk that went away isn't a series of bad pictures: the run stops, and is saved. */
static void test_disk_gone(void **state) {
    (void)state;
    enum { PICTURES = 12 };
    int sizes[PICTURES][2];
    for (int i = 0; i < PICTURES; i++) sizes[i][0] = sizes[i][1] = 64;
    train_via("disk", PICTURES, (const int(*)[2])sizes, 0);
    for (int i = 1; i < PICTURES; i++) { /* of one in twelve, six others follow each other */
        char path[64];
        snprintf(path, sizeof path, "disk/%d.png", i);
        cli_write(path, "");
    }
    train_case c = {.logs = "disk-logs", .layers = "heads", .epochs = 2, .dataset = "disk"};
    c.keys = TRAIN_KEYS("STEPS_PER_EPOCH", "7", "IMAGES_PER_GPU", "1");
    const train_made *m =
        expect(&c, MRCNN_E_FORMAT, "6 pictures in a row can't be read; the last one: disk/");
    assert_true(m->steps < 14);
}

/* --------------------------------------------------------------------------------- not finite */

static void test_non_finite_loss(void **state) {
    (void)state;
    train_case c = {.logs = "nan", .layers = "all", .epochs = 2, .poison = "bn_conv1/beta"};
    const train_made *m = expect(&c, MRCNN_E_UNSUPPORTED, "step 1: the ");
    assert_contains(m->err.message, "is not finite (pictures: ");
    assert_contains(m->err.message, "NON_FINITE=skip");
    assert_int_equal(m->steps, 0);
    assert_int_equal(m->result.skipped, 1);
    char *text = cli_read(train_file("nan", "nonfinite_1.txt"));
    assert_non_null(text);
    assert_contains(text, "first draw: 0\n");
    assert_contains(text, "mask_rcnn_tiny_interrupted.h5");
    free(text);
    /* What is kept repeats it. */
    c.poison = NULL;
    c.resume = "last";
    m = expect(&c, MRCNN_E_UNSUPPORTED, "step 1: the ");
    assert_int_equal(m->resumed, 1);
}

/* Gradients that overflow leave weights and statistics alone; a smaller rate goes on. */
static void test_skip(void **state) {
    (void)state;
    static const char *const modes[] = {"false", "none"};
    for (int i = 0; i < 2; i++) {
        char logs[16];
        snprintf(logs, sizeof logs, "skip-%s", modes[i]);
        train_case c = {.logs = logs,
                        .layers = "all",
                        .epochs = 2,
                        .poison = "bn_conv1/beta",
                        .keys = TRAIN_KEYS("NON_FINITE", "skip", "TRAIN_BN", modes[i])};
        const train_made *m = train_well(&c);
        assert_int_equal(m->result.skipped, 6);
        assert_int_equal(m->result.steps, 6);
        assert_int_equal(cli_occurrences(m->messages, " skipped: the "), 6);
        unsigned long long weights = train_weights(), statistics = train_weights_of("all", 1, 1);
        assert_int_equal(cli_count(train_folder(logs), "nonfinite_"), 1); /* the first one */
        assert_true(cli_exists(train_file(logs, "mask_rcnn_tiny_nonfinite.h5")));
        assert_true(cli_exists(train_file(logs, "mask_rcnn_tiny_nonfinite.state")));
        char *log = cli_read(train_file(logs, "log.jsonl"));
        assert_int_equal(cli_occurrences(log, "\"grad_norm\":null"), 6);
        free(log);
        /* The last one is that of epoch 2. */
        char *last = NULL;
        assert_int_equal(mrcnn_train_find_last(&last, NULL, logs, "tiny", NULL), MRCNN_OK);
        assert_contains(last, "_0002.h5");
        mrcnn_string_free(&last);
        /* And the step can be repeated. */
        char kept[800];
        snprintf(kept, sizeof kept, "%s", train_file(logs, "mask_rcnn_tiny_nonfinite.h5"));
        assert_int_equal(mrcnn_train_can_resume(kept, "tiny"), 1);
        c.resume = kept;
        c.poison = NULL;
        c.stop_at_step = 1;
        m = train_well(&c);
        assert_int_equal(m->result.skipped, 1);
        assert_true(train_weights() == weights);
        assert_true(train_weights_of("all", 1, 1) == statistics);
    }
}

/* Weights that nobody could read are not saved over those of the epoch before, whether a loss tells
 * of them or not: mask channel 0 is that of the background, which no loss reaches. */
static void test_broken_weights(void **state) {
    (void)state;
    static const char *const tensors[] = {"mrcnn_mask/bias", "fpn_p2/bias"};
    static const char *const messages[] = {"step 6 has made weights of mrcnn_mask/bias",
                                           "step 4: the "};
    for (int i = 0; i < 2; i++) {
        char logs[16];
        snprintf(logs, sizeof logs, "broken%d", i);
        train_case c = {
            .logs = logs, .layers = "heads", .epochs = 1, .keys = TRAIN_KEYS("OPTIMIZER", "adamw")};
        train_well(&c);
        c.resume = "last";
        c.epochs = 2;
        c.poison = tensors[i];
        c.poison_first = 1;
        expect(&c, MRCNN_E_UNSUPPORTED, messages[i]);
        assert_int_equal(cli_count(train_folder(logs), ".h5"), 1);
        assert_int_equal(cli_count(train_folder(logs), "_0001.state"), 1);
        if (i == 0) continue;
        char *text = cli_read(train_file(logs, "nonfinite_4.txt"));
        assert_non_null(text);
        assert_contains(text, "not finite before the step either: weights of fpn_p2/bias");
        free(text);
    }
}

/* ---------------------------------------------------------------------------------- full disk */

/* In effect: no file may grow beyond the limit. */
static void limit_files(rlim_t bytes) {
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_full_disk(void **state) {
    (void)state;
    train_case c = {.logs = "well", .layers = "all", .epochs = 2};
    train_well(&c);
    struct stat info;
    assert_int_equal(stat(train_file("well", "mask_rcnn_tiny_0001.h5"), &info), 0);
    c.logs = "full";
    c.epochs = 1;
    train_well(&c);
    c.resume = "last";
    c.epochs = 2;
    limit_files((rlim_t)info.st_size / 2);
    const train_made *m = train_run(&c);
    limit_files(0);
    assert_int_equal(m->status, MRCNN_E_IO);
    assert_contains(m->err.message, "mask_rcnn_tiny_0002.h5");
    assert_int_equal(cli_count(train_folder("full"), "_0002"), 0);
    assert_int_equal(cli_count(train_folder("full"), ".new"), 0);
    assert_int_equal(cli_count(train_folder("full"), ".part"), 0);
    /* Room is made, and the epoch comes again. */
    train_well(&c);
    train_same_epoch("well", "full", 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configuration),    cmocka_unit_test(test_layers),
        cmocka_unit_test(test_folders),          cmocka_unit_test(test_packed),
        cmocka_unit_test(test_nothing_to_learn), cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_broken_picture),   cmocka_unit_test(test_disk_gone),
        cmocka_unit_test(test_non_finite_loss),  cmocka_unit_test(test_skip),
        cmocka_unit_test(test_broken_weights),   cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
