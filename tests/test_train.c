/* test_train.c - whole training runs: that they learn, that they are the same each time, and that
 * each key does what it says. Going on after an interruption is in test_train_resume.c, what goes
 * wrong in test_train_errors.c. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_train.h"

#include <math.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------------ learning */

static void check_learns(const char *logs, const char *const *keys, double share) {
    train_case c = {.logs = logs, .layers = "all", .epochs = 6, .pictures = 4, .keys = keys};
    const train_made *m = train_well(&c);
    assert_int_equal(m->steps, 60);
    assert_true(m->mask_steps > 10);
    assert_int_equal(m->result.steps, 60);
    assert_int_equal(m->result.epochs, 6);
    assert_int_equal(m->result.stopped, 0);
    if (!(m->losses[6] < share * m->losses[1]))
        fail_msg("%s: the loss went from %g to %g", logs, m->losses[1], m->losses[6]);
    double sum = 0;
    for (int i = 50; i < 60; i++) sum += m->step_losses[i] / 10;
    assert_true(fabs(sum - m->losses[6]) < 1e-9 * sum);
}

static void test_learns(void **state) {
    (void)state;
    check_learns("learns", TRAIN_KEYS("STEPS_PER_EPOCH", "10", "LEARNING_RATE", "0.002"), 0.3);
    check_learns("learns-adamw",
                 TRAIN_KEYS("STEPS_PER_EPOCH", "10", "OPTIMIZER", "adamw", "LEARNING_RATE", "0.02"),
                 0.3);
    check_learns("learns-norms",
                 TRAIN_KEYS("STEPS_PER_EPOCH", "10", "TRAIN_BN", "none", "LEARNING_RATE", "0.01",
                            "IMAGES_PER_GPU", "2"),
                 0.7);
}

/* ----------------------------------------------------------------------------------- same bytes */

static void test_same_bytes(void **state) {
    (void)state;
    train_case c = {.logs = "once", .layers = "all", .epochs = 2, .validation = 2};
    train_well(&c);
    unsigned long long once = train_weights();
    c.logs = "twice";
    train_well(&c);
    assert_true(train_weights() == once);
    train_same_epoch("once", "twice", 2);
    c.logs = "other-seed";
    c.keys = TRAIN_KEYS("SEED", "1");
    train_well(&c);
    assert_false(train_weights() == once);
}

/* Not in the log: the configuration in the checkpoint tells the number of threads. */
static void test_loader_threads(void **state) {
    (void)state;
    train_case c = {.logs = "loader1",
                    .layers = "all",
                    .epochs = 3,
                    .keys = TRAIN_KEYS("LOADER_THREADS", "1", "HORIZONTAL_FLIP", "0.5")};
    train_well(&c);
    unsigned long long one = train_weights();
    c.logs = "loader3";
    c.keys = TRAIN_KEYS("LOADER_THREADS", "3", "HORIZONTAL_FLIP", "0.5");
    train_well(&c);
    assert_true(train_weights() == one);
    train_same_logs("loader1", "loader3");
    c.logs = "loader7";
    c.keys = TRAIN_KEYS("LOADER_THREADS", "7", "LOADER_MEMORY", "1", "HORIZONTAL_FLIP", "0.5");
    train_well(&c);
    assert_true(train_weights() == one);
}

static void test_computing_threads(void **state) {
    (void)state;
    train_case c = {.logs = "two-a", .layers = "all", .epochs = 1, .threads = 2};
    train_well(&c);
    unsigned long long two = train_weights();
    c.logs = "two-b";
    train_well(&c);
    assert_true(train_weights() == two);
}

/* -------------------------------------------------------------------------------- what is trained */

static void test_heads_only(void **state) {
    (void)state;
    train_case c = {.logs = "fresh", .layers = "heads", .epochs = 1, .stop_after_epoch = 1};
    c.keys = TRAIN_KEYS("LEARNING_RATE", "0");
    train_well(&c);
    unsigned long long backbone = train_weights_of("heads", 0, 0);
    unsigned long long statistics = train_weights_of("all", 1, 1);
    static const char *const heads[] = {"fpn_.*", "rpn_.*", "mrcnn_class.*", "mrcnn_bbox.*",
                                        "mrcnn_mask.*"};
    unsigned long long before[5];
    for (int i = 0; i < 5; i++) before[i] = train_weights_of(heads[i], 1, 0);
    c.logs = "heads";
    c.keys = NULL;
    train_well(&c);
    assert_true(train_weights_of("heads", 0, 0) == backbone);
    assert_true(train_weights_of("all", 1, 1) == statistics); /* TRAIN_BN false */
    for (int i = 0; i < 5; i++)
        if (train_weights_of(heads[i], 1, 0) == before[i]) fail_msg("%s is as before", heads[i]);
}

/* TRAIN_BN none moves the statistics of the layers that are trained, and of no others; validation
 * moves nothing, and changes no weight, in any mode. */
static void test_statistics(void **state) {
    (void)state;
    static const char *const modes[] = {"none", "true", "false"};
    train_case c = {.logs = "still", .layers = "heads", .epochs = 1};
    c.keys = TRAIN_KEYS("LEARNING_RATE", "0");
    train_well(&c);
    unsigned long long backbone = train_weights_of("heads", 0, 1);
    unsigned long long heads = train_weights_of("heads", 1, 1);
    for (int i = 0; i < 3; i++) {
        char logs[2][32];
        unsigned long long weights[2];
        for (int validates = 0; validates < 2; validates++) {
            snprintf(logs[validates], sizeof logs[0], "bn-%s-%d", modes[i], validates);
            c.logs = logs[validates];
            c.keys = TRAIN_KEYS("TRAIN_BN", modes[i]);
            c.epochs = 2;
            c.validation = validates ? 2 : 0;
            train_well(&c);
            weights[validates] = train_weights();
            assert_true(train_weights_of("heads", 0, 1) == backbone);
            assert_true((train_weights_of("heads", 1, 1) == heads) == (i == 2));
        }
        assert_true(weights[0] == weights[1]);
    }
}

/* Two batches of one picture against one of two. Losses over a number of elements that is the same in
 * each picture have the same mean; the others (boxes and masks, over positives) have not, and are
 * left out. */
static void test_accumulation(void **state) {
    (void)state;
#define CLASS_LOSSES                                                  \
    "LOSS_WEIGHTS",                                                   \
        "{rpn_class_loss: 1, rpn_bbox_loss: 0, mrcnn_class_loss: 1, " \
        "mrcnn_bbox_loss: 0, mrcnn_mask_loss: 0}",                    \
        "STEPS_PER_EPOCH", "1", "GRADIENT_CLIP_NORM", "0", "LEARNING_RATE", "0.0001"
    train_case c = {.logs = "batch2", .layers = "all", .epochs = 1};
    c.keys = TRAIN_KEYS(CLASS_LOSSES, "IMAGES_PER_GPU", "2");
    const train_made *m = train_well(&c);
    double norm = m->gradient_norm, loss = m->losses[1];
    assert_true(norm > 0);
    c.logs = "accumulated";
    c.keys = TRAIN_KEYS(CLASS_LOSSES, "GRADIENT_ACCUMULATION", "2");
    m = train_well(&c);
    if (!(fabs(m->gradient_norm - norm) < 1e-4 * norm)) fail_msg("%g, %g", m->gradient_norm, norm);
    assert_true(fabs(m->losses[1] - loss) < 1e-5 * loss);
    c.logs = "not-accumulated";
    c.keys = TRAIN_KEYS(CLASS_LOSSES);
    m = train_well(&c);
    assert_false(fabs(m->gradient_norm - norm) < 1e-3 * norm);
}

/* ---------------------------------------------------------------------------------- validation */

static void test_validation(void **state) {
    (void)state;
    train_case c = {.logs = "all4",
                    .layers = "heads",
                    .epochs = 3,
                    .validation = 4,
                    .keys = TRAIN_KEYS("LEARNING_RATE", "0", "VALIDATION_STEPS", "0")};
    const train_made *m = train_well(&c);
    double all = m->validation[1];
    assert_true(all > 0);
    assert_true(m->validation[2] == all && m->validation[3] == all);
    assert_int_equal(m->best[1], 1);
    assert_int_equal(m->best[2] + m->best[3], 0);
    c.logs = "steps4";
    c.keys = TRAIN_KEYS("LEARNING_RATE", "0", "VALIDATION_STEPS", "4");
    m = train_well(&c);
    assert_true(m->validation[1] == all);
    c.logs = "steps2";
    c.keys = TRAIN_KEYS("LEARNING_RATE", "0", "VALIDATION_STEPS", "2");
    m = train_well(&c);
    assert_false(m->validation[1] == all);
    /* The regulariser alone tells what is trained; the rest is the same whoever trained it. */
    c.logs = "seed";
    c.keys = TRAIN_KEYS("LEARNING_RATE", "0", "VALIDATION_STEPS", "4", "LOADER_THREADS", "5");
    m = train_well(&c);
    assert_true(m->validation[1] == all);
}

/* TRAIN_BN none validates as detection normalises: what a run that freezes the statistics finds. */
static void test_validates_as_detection(void **state) {
    (void)state;
    train_case c = {.logs = "moved",
                    .layers = "all",
                    .epochs = 2,
                    .validation = 2,
                    .keys = TRAIN_KEYS("LEARNING_RATE", "0", "TRAIN_BN", "none")};
    const train_made *m = train_well(&c);
    double moved = m->validation[2];
    assert_false(m->validation[1] == moved);
    c.resume = "last";
    c.epochs = 3;
    c.keys = TRAIN_KEYS("LEARNING_RATE", "0", "TRAIN_BN", "false");
    m = train_well(&c);
    if (!(fabs(m->validation[3] - moved) < 1e-5 * moved))
        fail_msg("%.9g, %.9g", moved, m->validation[3]);
}

/* A stage that trains fewer layers: the average, which is validated, has more of them than that. */
static void test_validates_average(void **state) {
    (void)state;
    train_case c = {.logs = "average",
                    .epochs = 2,
                    .validation = 2,
                    .keys = TRAIN_KEYS("STAGES", "all 1; heads 2", "EMA_DECAY", "0.9",
                                       "LEARNING_RATE", "0.01")};
    const train_made *m = train_well(&c);
    double average = m->validation[2];
    /* The checkpoint holds the average; without its state that is what training starts from. */
    remove(train_file("average", "mask_rcnn_tiny_0002.state"));
    c.resume = "last";
    c.keys = TRAIN_KEYS("STAGES", "heads 3", "LEARNING_RATE", "0");
    c.epochs = 3;
    m = train_well(&c);
    if (!(fabs(m->validation[3] - average) < 1e-5 * average))
        fail_msg("%.9g, %.9g", average, m->validation[3]);
}

static void test_early_stop(void **state) {
    (void)state;
    train_case c = {.logs = "early",
                    .layers = "heads",
                    .epochs = 9,
                    .validation = 2,
                    .keys = TRAIN_KEYS("LEARNING_RATE", "0", "EARLY_STOP", "3")};
    const train_made *m = train_well(&c);
    assert_int_equal(m->result.epochs, 4);
    assert_int_equal(m->result.stopped, 1);
    assert_contains(m->messages, "stopped: 3 epochs without");
}

/* --------------------------------------------------------------------------------- checkpoints */

static size_t count(const char *logs, const char *part) {
    return cli_count(train_folder(logs), part);
}

static void test_keep(void **state) {
    (void)state;
    train_case c = {.logs = "keep-all", .layers = "heads", .epochs = 4, .validation = 2};
    c.keys = TRAIN_KEYS("LEARNING_RATE", "0", "KEEP_BEST", "true");
    train_well(&c);
    assert_int_equal(count("keep-all", ".h5"), 5);
    assert_int_equal(count("keep-all", ".state"), 1);
    assert_int_equal(count("keep-all", "events.out.tfevents."), 1);
    assert_int_equal(count("keep-all", ""), 8);
    c.logs = "keep-1";
    c.keys = TRAIN_KEYS("LEARNING_RATE", "0", "KEEP_BEST", "true", "KEEP_CHECKPOINTS", "1");
    train_well(&c);
    /* The newest, and epoch 1, which is the best. */
    assert_int_equal(count("keep-1", "_0001.h5"), 1);
    assert_int_equal(count("keep-1", "_0004.h5"), 1);
    assert_int_equal(count("keep-1", "_best.h5"), 1);
    assert_int_equal(count("keep-1", ".h5"), 3);
    char *best = cli_read(train_file("keep-1", "mask_rcnn_tiny_best.h5"));
    char *first = cli_read(train_file("keep-1", "mask_rcnn_tiny_0001.h5"));
    assert_memory_equal(best, first, 20000);
    free(best);
    free(first);
}

/* An epoch's checkpoint supersedes the one that a stop left. */
static void test_stop(void **state) {
    (void)state;
    train_case c = {.logs = "stop", .layers = "heads", .epochs = 2, .stop_at_step = 2};
    c.keys = TRAIN_KEYS("KEEP_CHECKPOINTS", "3");
    const train_made *m = train_well(&c);
    assert_contains(m->result.checkpoint, "/mask_rcnn_tiny_interrupted.h5");
    assert_true(cli_exists(m->result.checkpoint));
    assert_int_equal(m->result.stopped, 1);
    c.resume = "last";
    c.stop_at_step = 0;
    m = train_well(&c);
    assert_contains(m->result.checkpoint, "/mask_rcnn_tiny_0002.h5");
    assert_int_equal(count("stop", "interrupted"), 0);
    /* At once: nothing is left but an empty run. */
    c.logs = "stop-at-once";
    c.resume = NULL;
    c.stop_at_step = -1;
    m = train_well(&c);
    assert_string_equal(m->result.checkpoint, "");
    assert_int_equal(m->result.steps, 0);
    assert_int_equal(count("stop-at-once", ".h5"), 0);
}

static void test_stages(void **state) {
    (void)state;
    train_case c = {.logs = "stages", .keys = TRAIN_KEYS("STAGES", "heads 1; 5+ 2 0.5; all 4 0.1")};
    const train_made *m = train_well(&c);
    assert_int_equal(m->starts, 3);
    assert_int_equal(m->result.epochs, 4);
    char *log = cli_read(train_file("stages", "log.jsonl"));
    assert_int_equal(cli_occurrences(log, "\"lr\":0.001,"), 4); /* 3 steps and the epoch */
    assert_int_equal(cli_occurrences(log, "\"lr\":0.0005,"), 4);
    assert_int_equal(cli_occurrences(log, "\"lr\":0.0001,"), 8);
    for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
        assert_true(cli_is_json(line));
    free(log);
    /* `epochs` ends it earlier, or makes the last stage longer. */
    c.logs = "stages-2";
    c.epochs = 2;
    m = train_well(&c);
    assert_int_equal(m->starts, 2);
    assert_int_equal(m->result.epochs, 2);
    c.logs = "stages-5";
    c.epochs = 5;
    m = train_well(&c);
    assert_int_equal(m->starts, 3);
    assert_int_equal(m->result.epochs, 5);
}

/* -------------------------------------------------------------------------------------- sizes */

static void test_sizes(void **state) {
    (void)state;
    static const int sizes[][2] = {{60, 60}, {100, 60}, {64, 128}, {200, 90}};
    train_via("mixed", 4, sizes, 0);
    train_case c = {
        .logs = "pad64", .layers = "all", .epochs = 2, .dataset = "mixed", .validation = 4};
    c.keys = TRAIN_KEYS("IMAGE_RESIZE_MODE", "pad64", "TRAIN_BN", "none", "VALIDATION_STEPS", "0");
    train_well(&c);
    unsigned long long weights = train_weights();
    c.logs = "pad64-again";
    c.stop_at_step = 4;
    train_well(&c);
    c.stop_at_step = 0;
    c.resume = "last";
    train_well(&c);
    assert_true(train_weights() == weights);
    c.resume = NULL;
    c.logs = "crop";
    c.keys = TRAIN_KEYS("IMAGE_RESIZE_MODE", "crop", "IMAGES_PER_GPU", "2");
    train_well(&c);
    c.logs = "square";
    c.keys = TRAIN_KEYS("IMAGES_PER_GPU", "2", "USE_MINI_MASK", "false");
    train_well(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_loader_threads),
        cmocka_unit_test(test_computing_threads),
        cmocka_unit_test(test_heads_only),
        cmocka_unit_test(test_statistics),
        cmocka_unit_test(test_accumulation),
        cmocka_unit_test(test_validation),
        cmocka_unit_test(test_validates_as_detection),
        cmocka_unit_test(test_validates_average),
        cmocka_unit_test(test_early_stop),
        cmocka_unit_test(test_keep),
        cmocka_unit_test(test_stop),
        cmocka_unit_test(test_stages),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
