/* test_train_evaluate.c - EVAL_EVERY: figures in the logs are those that the checkpoint is measured
 * with afterwards, the best checkpoint is the one with the best of them, and training doesn't notice
 * that it is watched. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_tfevents.h"
#include "helper_train.h"

#include "model/model.h"

#include <mrcnn/eval.h>

#include <stdlib.h>
#include <sys/stat.h>

enum { STEPS = 3, PICTURES = 7 };

/* Anchors as large as the shapes, so that boxes meet some of them (train_case.sees_squares). */
#define FINDS                                                                                     \
    "RPN_ANCHOR_SCALES", "[32, 32, 32, 32, 64]", "RPN_ANCHOR_RATIOS", "[1]", "RPN_NMS_THRESHOLD", \
        "0.8", "POST_NMS_ROIS_INFERENCE", "60", "DETECTION_NMS_THRESHOLD", "0.7", "MASK_RESIZE",  \
        "exact", "LEARNING_RATE", "0.00002"

/* ------------------------------------------------------------------------------------- figures */

static mrcnn_dataset *open_shapes(const char *subset, size_t count, const char *const *names) {
    mrcnn_dataset_options o = mrcnn_dataset_options_default();
    mrcnn_dataset *set = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    o.format = "shapes";
    o.subset = subset;
    o.shapes_count = count;
    o.shapes_height = o.shapes_width = 80;
    o.class_names = names;
    if (mrcnn_dataset_open(&set, "shapes", &o, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return set;
}

static const char *const shape_names[] = {"BG", "square", "circle", "triangle", NULL};

/* What mrcnn eval does with a checkpoint. */
static mrcnn_report *measure(const char *checkpoint, size_t limit, const char *mode) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    mrcnn_session *session = NULL;
    mrcnn_report *report = NULL;
    mrcnn_session_options one = mrcnn_session_options_default();
    mrcnn_evaluate_options options = mrcnn_evaluate_options_default();
    mrcnn_dataset *set = open_shapes("val", PICTURES, NULL);
    one.threads = 1;
    options.limit = limit;
    if (mrcnn_config_create(&config, NULL, &err) != MRCNN_OK ||
        mrcnn_config_set(config, "DETECTION_MIN_CONFIDENCE", "0", &err) != MRCNN_OK ||
        (mode && mrcnn_config_set(config, "IMAGE_RESIZE_MODE", mode, &err) != MRCNN_OK) ||
        mrcnn_model_load(&model, checkpoint, config, &err) != MRCNN_OK ||
        mrcnn_model_set_class_names(model, shape_names, 4, &err) != MRCNN_OK ||
        mrcnn_session_create(&session, model, &one, &err) != MRCNN_OK ||
        mrcnn_evaluate(session, set, &options, &report, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    mrcnn_session_free(&session);
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    mrcnn_dataset_free(&set);
    return report;
}

static void check_epoch(const mrcnn_train_epoch *e, const char *logs, size_t limit,
                        const char *mode) {
    char name[64];
    snprintf(name, sizeof name, "mask_rcnn_tiny_%04d.h5", e->epoch);
    mrcnn_report *r = measure(train_file(logs, name), limit, mode);
    assert_int_equal(e->evaluated, 1);
    assert_true(e->bbox_ap == r->bbox.ap && e->bbox_ap50 == r->bbox.ap50);
    assert_true(e->bbox_ap75 == r->bbox.ap75 && e->segm_ap == r->segm.ap);
    assert_true(e->segm_ap50 == r->segm.ap50 && e->segm_ap75 == r->segm.ap75);
    assert_true(e->picture_map50 == r->picture_map50 && e->picture_map == r->picture_map);
    assert_int_equal(e->evaluation_pictures, r->pictures);
    assert_true(e->evaluation_seconds > 0);
    mrcnn_report_free(&r);
}

static const struct {
    const char *name, *mode; /* of detection, where it isn't the training's */
    size_t limit;
    const char *const *keys;
} variants[] = {
    {"plain", NULL, 0, (const char *const[]){"EVAL_EVERY", "2", FINDS, NULL}},
    {"average", NULL, 4,
     (const char *const[]){"EVAL_EVERY", "2", FINDS, "EVAL_LIMIT", "4", "EMA_DECAY", "0.6",
                           "TRAIN_BN", "none", "EVAL_IMAGES", "0", NULL}},
    {"crops", "pad64", 0,
     (const char *const[]){"EVAL_EVERY", "2", FINDS, "IMAGE_RESIZE_MODE", "crop", "EVAL_IMAGES",
                           "0", "RPN_ANCHOR_SCALES", "[40, 40, 40, 40, 64]",
                           "POST_NMS_ROIS_INFERENCE", "200", "OPTIMIZER", "adamw",
                           "DETECTION_MIN_CONFIDENCE", "0.9", NULL}},
};

/* The same training with and without evaluation, which then has the checkpoints' own figures. */
static void test_figures(void **state) {
    (void)state;
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++) {
        char logs[40];
        double losses[9], validation[4];
        train_case c = {.logs = logs,
                        .layers = "all",
                        .epochs = 3,
                        .validation = PICTURES,
                        .sees_squares = 1,
                        .keys = variants[v].keys + 2}; /* without EVAL_EVERY */
        snprintf(logs, sizeof logs, "%s-alone", variants[v].name);
        const train_made *m = train_well(&c);
        unsigned long long weights = train_weights();
        memcpy(losses, m->step_losses, sizeof losses);
        memcpy(validation, m->validation, sizeof validation);
        assert_int_equal(m->told[3].evaluated, 0);
        assert_int_equal(m->pictures, 0);
        assert_int_equal(m->start.evaluation_pictures, 0);

        snprintf(logs, sizeof logs, "%s", variants[v].name);
        c.keys = variants[v].keys;
        m = train_well(&c);
        assert_true(train_weights() == weights);
        assert_memory_equal(losses, m->step_losses, sizeof losses);
        assert_memory_equal(validation, m->validation, sizeof validation);
        assert_int_equal(m->told[1].evaluated, 0);
        check_epoch(&m->told[2], logs, variants[v].limit, variants[v].mode);
        check_epoch(&m->told[3], logs, variants[v].limit, variants[v].mode); /* the last one */
        size_t pictures = variants[v].limit ? variants[v].limit : PICTURES;
        assert_int_equal(m->start.evaluation_pictures, pictures);
        assert_int_equal(m->pictures, 2 * pictures);
        assert_int_equal(m->start.validation_pictures, PICTURES);
        assert_int_equal(m->start.evaluation_bytes > 0, variants[v].mode == NULL);
        if (!(m->told[3].segm_ap > 0)) fail_msg("%s: found nothing", logs);
    }
}

/* ---------------------------------------------------------------------------------------- logs */

static double number_in(const char *line, const char *key) {
    char quoted[40];
    snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = strstr(line, quoted);
    if (!at) fail_msg("no %s in %s", key, line);
    return strtod(at + strlen(quoted), NULL);
}

static void check_scalars(const tf_event *event, const char *line) {
    static const char *const names[] = {"loss",      "val_loss",      "val_mrcnn_mask_loss",
                                        "lr",        "bbox_ap",       "bbox_ap50",
                                        "bbox_ap75", "segm_ap",       "segm_ap50",
                                        "segm_ap75", "picture_map50", "picture_map"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const tf_value *v = tf_find(event, names[i]);
        if (!v) fail_msg("no scalar %s", names[i]);
        assert_true(v->scalar == (float)number_in(line, names[i]));
    }
}

/* The sides are those that the event and the PNG's header say. */
static void check_picture(const tf_value *v) {
    mrcnn_image image = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_true(v && v->is_image);
    assert_memory_equal(v->bytes, "\x89PNG\r\n\x1a\n", 8);
    if (mrcnn_image_decode(&image, v->bytes, v->length, "event", NULL, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    assert_int_equal(v->channels, 3);
    assert_int_equal(image.width, v->width);
    assert_int_equal(image.height, v->height);
    assert_int_equal(image.width, 640); /* 80 x 80 pixels, enlarged to fit, and the gap */
    assert_int_equal(image.height, 318);
    mrcnn_image_free(&image);
}

static void test_logs(void **state) {
    (void)state;
    train_case c = {.logs = "logs",
                    .layers = "heads",
                    .epochs = 2,
                    .validation = PICTURES,
                    .sees_squares = 1,
                    .keys = TRAIN_KEYS(FINDS, "EVAL_EVERY", "2", "EVAL_IMAGES", "3",
                                       "DETECTION_MIN_CONFIDENCE", "0.3")};
    const train_made *m = train_well(&c);
    char *log = cli_read(train_file("logs", "log.jsonl")),
         *line = strstr(log, "\"epoch\":2,\"kind");
    assert_int_equal(cli_occurrences(log, "\"segm_ap\""), 1);
    assert_int_equal(cli_occurrences(log, "\"eval_seconds\""), 1);
    assert_non_null(line);
    assert_true(number_in(line, "segm_ap") == m->told[2].segm_ap);
    assert_true(number_in(line, "bbox_ap75") == m->told[2].bbox_ap75);
    assert_true(number_in(line, "picture_map") == m->told[2].picture_map);
    assert_true(number_in(line, "eval_pictures") == PICTURES);
    tf_file file;
    tf_event event;
    tf_open(&file, tf_only_file(train_folder("logs")));
    assert_true(tf_next(&file, &event) && event.version[0]);
    assert_true(tf_next(&file, &event) && event.step == 0);
    assert_int_equal(event.count, 13); /* no figures, no pictures */
    assert_true(tf_next(&file, &event) && event.step == 1);
    assert_int_equal(event.count, 13 + 8 + 3);
    check_scalars(&event, line);
    check_picture(tf_find(&event, "validation/0"));
    check_picture(tf_find(&event, "validation/2"));
    assert_false(tf_next(&file, &event));
    tf_close(&file);
    free(log);
}

/* ---------------------------------------------------------------------------------- best, going on */

static void same_file(const char *a, const char *b) {
    char *x = cli_read(a), *y = cli_read(b);
    struct stat info, other;
    assert_true(x && y && stat(a, &info) == 0 && stat(b, &other) == 0);
    assert_int_equal(info.st_size, other.st_size);
    assert_memory_equal(x, y, (size_t)info.st_size);
    free(x);
    free(y);
}

/* The rule, from what was told: the first one of the highest. */
static int best_of(const train_made *m, int epochs) {
    int best = 0;
    for (int i = 1; i <= epochs; i++)
        if (m->told[i].evaluated && (!best || m->told[i].segm_ap > m->told[best].segm_ap)) best = i;
    return best;
}

static void check_best(const train_made *m, const char *logs, int epochs) {
    char name[64];
    int best = best_of(m, epochs);
    double highest = -1;
    assert_true(best > 0);
    for (int i = 1; i <= epochs; i++) {
        int better = m->told[i].evaluated && m->told[i].segm_ap > highest;
        assert_int_equal(m->best[i], better);
        if (better) highest = m->told[i].segm_ap;
    }
    snprintf(name, sizeof name, "mask_rcnn_tiny_%04d.h5", best);
    same_file(train_file(logs, name), train_file(logs, "mask_rcnn_tiny_best.h5"));
}

static void test_best(void **state) {
    (void)state;
    /* Something is found, more or less of it as weights move. */
    train_case c = {.logs = "best",
                    .layers = "all",
                    .epochs = 4,
                    .validation = PICTURES,
                    .sees_squares = 1,
                    .keys =
                        TRAIN_KEYS(FINDS, "LEARNING_RATE", "0.001", "EVAL_EVERY", "1", "KEEP_BEST",
                                   "true", "EVAL_IMAGES", "0", "KEEP_CHECKPOINTS", "1")};
    const train_made *m = train_well(&c);
    check_best(m, "best", 4);
    assert_true(m->told[1].segm_ap != m->told[4].segm_ap);
    /* Nothing is: the first evaluation stays the best one, whatever becomes of the loss. */
    c.logs = "nothing";
    c.sees_squares = 0;
    c.keys = TRAIN_KEYS("EVAL_EVERY", "2", "KEEP_BEST", "true", "EVAL_IMAGES", "0",
                        "DETECTION_MAX_INSTANCES", "1");
    m = train_well(&c);
    assert_true(m->told[2].segm_ap == m->told[4].segm_ap);
    assert_true(m->validation[4] < m->validation[2]);
    check_best(m, "nothing", 4);
    assert_int_equal(best_of(m, 4), 2);
}

/* Counts evaluations, not epochs. */
static void test_early_stop(void **state) {
    (void)state;
    train_case c = {.logs = "early",
                    .layers = "heads",
                    .epochs = 9,
                    .validation = PICTURES,
                    .sees_squares = 1,
                    .keys = TRAIN_KEYS(FINDS, "LEARNING_RATE", "0", "EVAL_EVERY", "2", "EARLY_STOP",
                                       "2", "EVAL_IMAGES", "0"),
                    .copy_epochs = 1};
    const train_made *m = train_well(&c);
    assert_int_equal(m->result.epochs, 6); /* best at 2, then 4 and 6 */
    assert_int_equal(m->result.stopped, 1);
    assert_true(m->told[2].segm_ap > 0 && m->told[6].segm_ap == m->told[2].segm_ap);
    assert_contains(m->messages, "2 evaluations without a better mask AP than that of epoch 2");
    c.resume = "last";
    c.logs = "early-epoch5";
    c.copy_epochs = 0;
    m = train_well(&c);
    assert_int_equal(m->result.epochs, 6);
    train_same_epoch("early", "early-epoch5", 6);
    /* With another measure all is open again, either way. */
    c.logs = "early-epoch6";
    c.keys = TRAIN_KEYS(FINDS, "LEARNING_RATE", "0", "EVAL_EVERY", "0", "EARLY_STOP", "2");
    m = train_well(&c);
    assert_int_equal(m->result.epochs, 9);
    assert_int_equal(m->best[7], 1);
    assert_contains(m->messages, "2 epochs without a better validation loss than that of epoch 7");
}

/* Stopped in the evaluation of epoch 2, which is then not over. */
static void test_stop_in_evaluation(void **state) {
    (void)state;
    train_case c = {.logs = "whole",
                    .layers = "all",
                    .epochs = 4,
                    .validation = PICTURES,
                    .sees_squares = 1,
                    .keys = TRAIN_KEYS(FINDS, "EVAL_EVERY", "2", "KEEP_BEST", "true", "EMA_DECAY",
                                       "0.5", "EVAL_IMAGES", "1")};
    train_well(&c);
    char *best = cli_read(train_file("whole", "mask_rcnn_tiny_best.h5"));
    for (int at = 2; at <= PICTURES; at += PICTURES - 2) { /* the second time: at the images */
        char logs[32];
        snprintf(logs, sizeof logs, "stopped%d", at);
        c.logs = logs;
        c.resume = NULL;
        c.stop_at_picture = at;
        const train_made *m = train_well(&c);
        assert_int_equal(m->result.stopped, 1);
        assert_int_equal(m->result.epochs, 1);
        assert_int_equal(m->result.steps, 2 * STEPS);
        assert_int_equal(m->pictures, at);
        assert_contains(m->result.checkpoint, "_interrupted.h5");
        c.resume = "last";
        c.stop_at_picture = 0;
        m = train_well(&c);
        assert_int_equal(m->resumed, 1);
        assert_int_equal(m->steps, 2 * STEPS); /* those of epochs 3 and 4 */
        train_same_epoch("whole", logs, 4);
        char *again = cli_read(train_file(logs, "mask_rcnn_tiny_best.h5"));
        assert_memory_equal(best, again, 20000);
        free(again);
    }
    free(best);
}

/* -------------------------------------------------------------------------------------- trouble */

/* Classes in another order: figures would be about something else. */
static void test_other_classes(void **state) {
    (void)state;
    static const char *const turned[] = {"BG", "circle", "square", "triangle", NULL};
    mrcnn_dataset *set = open_shapes("train", 4, NULL), *other = open_shapes("val", 4, turned);
    mrcnn_config *config = NULL;
    mrcnn_model *model = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_train_options o = mrcnn_train_options_default();
    o.logs = "classes";
    assert_int_equal(mrcnn_config_create(&config, "shapes-scratch", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_config_set(config, "EVAL_EVERY", "1", NULL), MRCNN_OK);
    assert_int_equal(mrcnn_model_create(&model, config, 1, NULL), MRCNN_OK);
    assert_int_equal(mrcnn_train(model, set, other, &o, NULL, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "class 1 is \"square\" in the data set and \"circle\"");
    assert_false(cli_exists("classes"));
    mrcnn_model_free(&model);
    mrcnn_config_free(&config);
    mrcnn_dataset_free(&set);
    mrcnn_dataset_free(&other);
}

static const int fits[][2] = {{64, 64}, {64, 64}}, fits_not[][2] = {{64, 64}, {70, 64}};

/* A picture that detection can't take ends the run, of which nothing is lost. */
static void test_failure(void **state) {
    (void)state;
    mkdir("fit", 0777);
    mkdir("not", 0777);
    train_via("fit/blobs", 2, fits, 0); /* blobs: the class, too */
    train_via("not/blobs", 2, fits_not, 0);
    train_case c = {.logs = "failure",
                    .dataset = "fit/blobs",
                    .validation_dataset = "not/blobs",
                    .validation = 2,
                    .layers = "heads",
                    .epochs = 1,
                    .keys = TRAIN_KEYS("IMAGE_RESIZE_MODE", "none", "EVAL_EVERY", "1",
                                       "VALIDATION_STEPS", "1")};
    const train_made *m = train_run(&c);
    assert_int_equal(m->status, MRCNN_E_ARGUMENT);
    assert_contains(m->err.message, "1.png");
    assert_contains(m->err.message, "doesn't fit the network");
    assert_contains(m->messages, "the run is saved as it was after step 3");
    c.resume = "last";
    c.keys = TRAIN_KEYS("IMAGE_RESIZE_MODE", "none", "EVAL_EVERY", "1", "VALIDATION_STEPS", "1",
                        "EVAL_LIMIT", "1", "EVAL_IMAGES", "1");
    m = train_well(&c);
    assert_int_equal(m->resumed, 1);
    assert_int_equal(m->steps, 0);
    assert_int_equal(m->told[1].evaluation_pictures, 1);
}

/* One that can't be read is left out, and its evaluation says so once. */
static void test_unreadable(void **state) {
    (void)state;
    mkdir("broken", 0777);
    train_via("broken/blobs", 2, fits, 0);
    cli_write("broken/blobs/0.png", "no picture");
    train_case c = {.logs = "unreadable",
                    .dataset = "fit/blobs",
                    .validation_dataset = "broken/blobs",
                    .validation = 2,
                    .layers = "heads",
                    .epochs = 3,
                    .keys = TRAIN_KEYS("EVAL_EVERY", "1")};
    const train_made *m = train_well(&c);
    assert_int_equal(m->told[3].evaluation_pictures, 1);
    assert_int_equal(m->start.evaluation_pictures, 2);
    assert_int_equal(cli_occurrences(m->messages, "0.png"), 3 + 1); /* validations', and this */
    tf_file file;
    tf_event event;
    tf_open(&file, tf_only_file(train_folder("unreadable")));
    for (int i = 0; i < 4; i++) assert_true(tf_next(&file, &event));
    assert_null(tf_find(&event, "validation/0"));
    assert_non_null(tf_find(&event, "validation/1"));
    tf_close(&file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_figures),
        cmocka_unit_test(test_logs),
        cmocka_unit_test(test_best),
        cmocka_unit_test(test_early_stop),
        cmocka_unit_test(test_stop_in_evaluation),
        cmocka_unit_test(test_other_classes),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_unreadable),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
