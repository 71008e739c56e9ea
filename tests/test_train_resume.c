/* test_train_resume.c - runs that end too early and go on: killed in an epoch, right behind a
 * checkpoint, or asked to stop. Whatever it was, the last checkpoint, its state and the log are those
 * of a run that nobody stopped, byte for byte. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_train.h"

#include <stdlib.h>
#include <unistd.h>

enum { STEPS = 3, EPOCHS = 3 };

typedef struct variant {
    const char *name, *layers;
    size_t validation;
    const char *const *keys;
} variant;

static const variant variants[] = {
    {"sgd", "all", 0, NULL},
    {"heads", "heads", 2, NULL},
    {"adamw", "all", 0,
     (const char *const[]){"OPTIMIZER", "adamw", "WARMUP_STEPS", "4", "LOADER_THREADS", "3", NULL}},
    {"average", "all", 2, (const char *const[]){"EMA_DECAY", "0.6", NULL}},
    {"accumulation", "all", 0,
     (const char *const[]){"GRADIENT_ACCUMULATION", "2", "HORIZONTAL_FLIP", "0.5", NULL}},
    {"stages", NULL, 2,
     (const char *const[]){"STAGES", "heads 1; all 3 0.1", "EMA_DECAY", "0.5", "KEEP_BEST", "true",
                           "EARLY_STOP", "3", NULL}},
    {"fewer", NULL, 2,
     (const char *const[]){"STAGES", "all 1; heads 2; 5+ 3", "EMA_DECAY", "0.5",
                           "LEARNING_RATE_SCHEDULE", "cosine", NULL}},
    {"norms", "all", 2, (const char *const[]){"TRAIN_BN", "none", "IMAGES_PER_GPU", "2", NULL}},
    {"always", "all", 2, (const char *const[]){"TRAIN_BN", "true", "EMA_DECAY", "0.6", NULL}},
    {"evaluation", "all", 3,
     (const char *const[]){"EVAL_EVERY", "2", "EVAL_LIMIT", "2", "EMA_DECAY", "0.6", "KEEP_BEST",
                           "true", "EARLY_STOP", "3", NULL}},
    {"crops", "all", 0, (const char *const[]){"IMAGE_RESIZE_MODE", "crop", NULL}},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static train_case case_of(const variant *v, const char *logs) {
    train_case c = {.logs = logs,
                    .keys = v->keys,
                    .layers = v->layers,
                    .epochs = v->layers ? EPOCHS : 0,
                    .validation = v->validation};
    return c;
}

/* Takes up what is in `logs` and compares. */
static void go_on(const variant *v, const char *logs, int resumed) {
    train_case c = case_of(v, logs);
    c.resume = "last";
    const train_made *m = train_well(&c);
    assert_int_equal(m->result.epochs, EPOCHS);
    assert_string_equal(m->messages, "");
    if (resumed) assert_int_equal(m->resumed, 1);
    train_same_epoch(v->name, logs, EPOCHS);
}

/* With the checkpoints of a run that is killed at these places. */
static void check_killed(const variant *v) {
    char logs[100];
    train_case c = case_of(v, v->name);
    c.copy_at_step = STEPS + 2;
    c.copy_epochs = 1;
    const train_made *m = train_well(&c);
    if (m->mask_steps < 3) fail_msg("%d steps with positive RoIs", m->mask_steps);
    snprintf(logs, sizeof logs, "%s-%d", v->name, c.copy_at_step);
    go_on(v, logs, 1);
    for (int epoch = 1; epoch < EPOCHS; epoch++) {
        snprintf(logs, sizeof logs, "%s-epoch%d", v->name, epoch);
        go_on(v, logs, 1);
    }
}

/* Asked to stop in an epoch, behind its last step (when there is validation: within that), and
 * twice. */
static void check_stopped(const variant *v) {
    static const int places[] = {1, STEPS, STEPS + 2};
    char logs[100];
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(logs, sizeof logs, "%s-stop%d", v->name, places[i]);
        train_case c = case_of(v, logs);
        c.stop_at_step = places[i];
        const train_made *m = train_well(&c);
        assert_int_equal(m->result.stopped, 1);
        assert_int_equal(m->result.steps, places[i]);
        assert_int_equal(m->result.epochs,
                         places[i] / STEPS - (places[i] == STEPS && v->validation));
        if (i == 0) {
            c.resume = "last";
            c.stop_at_step = STEPS + 1;
            train_well(&c);
            assert_int_equal(m->result.steps, STEPS + 2);
        }
        go_on(v, logs, 1);
    }
}

static void test_variant(void **state) {
    const variant *v = *state;
    check_killed(v);
    check_stopped(v);
}

/* A run that ended by EARLY_STOP stays ended, also when it was killed behind its last checkpoint. */
static void test_early_stop(void **state) {
    (void)state;
    train_case c = {.logs = "early",
                    .keys = TRAIN_KEYS("LEARNING_RATE", "0", "EARLY_STOP", "2"),
                    .layers = "all",
                    .epochs = 9,
                    .validation = 2,
                    .copy_epochs = 1};
    const train_made *m = train_well(&c);
    assert_int_equal(m->result.epochs, 3);
    assert_int_equal(m->result.stopped, 1);
    assert_contains(m->messages, "2 epochs without a better validation loss than that of epoch 1");
    c.resume = "last";
    c.logs = "early-epoch3";
    c.copy_epochs = 0;
    m = train_well(&c);
    assert_int_equal(m->result.epochs, 3);
    assert_int_equal(m->steps, 0);
    c.logs = "early-epoch2";
    m = train_well(&c);
    assert_int_equal(m->result.epochs, 3);
    train_same_epoch("early", "early-epoch2", 3);
}

/* What is trained, and how long, needn't be told again. */
static void test_remembers(void **state) {
    (void)state;
    train_case c = {.logs = "remembers", .layers = "5+", .epochs = 2, .stop_at_step = 2};
    train_well(&c);
    unsigned long long below = train_weights_of("5+", 0, 0), above = train_weights_of("5+", 1, 0);
    train_case bare = {.logs = "remembers", .resume = "last"};
    const train_made *m = train_well(&bare);
    assert_int_equal(m->result.epochs, 2);
    assert_int_equal(m->resumed, 1);
    assert_true(train_weights_of("5+", 0, 0) == below);
    assert_true(train_weights_of("5+", 1, 0) != above);
    m = train_well(&bare);
    assert_int_equal(m->steps, 0);
    assert_contains(m->messages, "nothing is left to do: 2 epochs are done");
    bare.epochs = 3;
    m = train_well(&bare);
    assert_int_equal(m->steps, STEPS);
    /* STAGES that somebody sets goes before it. */
    unsigned long long fifth = train_weights_of("(res5|bn5).*", 1, 0);
    bare.epochs = 0;
    bare.keys = TRAIN_KEYS("STAGES", "heads 4");
    m = train_well(&bare);
    assert_int_equal(m->result.epochs, 4);
    assert_true(train_weights_of("(res5|bn5).*", 1, 0) == fifth);
}

/* Another optimizer, or more layers, than the checkpoint's: said, and the weights are kept. */
static void test_other_optimizer(void **state) {
    (void)state;
    train_case c = {.logs = "other", .layers = "heads", .epochs = 1};
    train_well(&c);
    c.resume = "last";
    c.epochs = 2;
    c.keys = TRAIN_KEYS("OPTIMIZER", "adamw");
    const train_made *m = train_well(&c);
    assert_contains(m->messages, "the optimizer starts anew: it is another one");
    assert_int_equal(m->resumed, 2);
    c.layers = "all";
    c.epochs = 3;
    m = train_well(&c);
    assert_contains(m->messages, "the optimizer starts anew");
    assert_int_equal(m->resumed, 2);
    assert_int_equal(m->result.steps, 9);
}

static void remove_state(const char *logs, const char *name) {
    assert_int_equal(unlink(train_file(logs, name)), 0);
}

/* Weights alone are gone on from as far as their name tells. */
static void test_lost_state(void **state) {
    (void)state;
    train_case c = {.logs = "lost", .layers = "heads", .epochs = 2};
    train_well(&c);
    remove_state("lost", "mask_rcnn_tiny_0002.state");
    c.resume = "last";
    c.epochs = 3;
    const train_made *m = train_well(&c);
    assert_int_equal(m->resumed, 2);
    assert_contains(m->messages, "has no training state");
    assert_int_equal(m->steps, STEPS);
    assert_int_equal(m->result.epochs, 3);
    assert_int_equal(m->result.steps, 9);
}

/* The newest checkpoint is damaged: the one before is taken, with its weights alone. */
static void test_damaged(void **state) {
    (void)state;
    train_case c = {.logs = "damaged", .layers = "heads", .epochs = 2};
    train_well(&c);
    const char *path = train_file("damaged", "mask_rcnn_tiny_0002.h5");
    assert_int_equal(truncate(path, 5000), 0);
    char *last = NULL, *passed_over = NULL;
    assert_int_equal(mrcnn_train_find_last(&last, &passed_over, "damaged", "tiny", NULL), MRCNN_OK);
    assert_contains(last, "_0001.h5");
    assert_contains(passed_over, "_0002.h5");
    mrcnn_string_free(&last);
    mrcnn_string_free(&passed_over);
    c.resume = "last";
    const train_made *m = train_well(&c);
    assert_int_equal(m->result.epochs, 2);
    assert_int_equal(m->resumed, 2);
}

int main(void) {
    struct CMUnitTest tests[VARIANTS + 5] = {
        cmocka_unit_test(test_early_stop),      cmocka_unit_test(test_remembers),
        cmocka_unit_test(test_other_optimizer), cmocka_unit_test(test_lost_state),
        cmocka_unit_test(test_damaged),
    };
    for (int i = 0; i < VARIANTS; i++)
        tests[5 + i] =
            (struct CMUnitTest){variants[i].name, test_variant, NULL, NULL, (void *)&variants[i]};
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
