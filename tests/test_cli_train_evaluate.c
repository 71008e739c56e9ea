/* test_cli_train_evaluate.c - mrcnn train with EVAL_EVERY as a program: its line, its log and its
 * pictures beside what mrcnn eval says of the checkpoint, and a stop in the middle. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_tfevents.h"
#include "helper_train.h"
#include "helper_via.h"

#include <mrcnn/mrcnn.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Anchors as large as the object, and few enough proposals that some of them meet it. */
#define MODEL                                                                                \
    CLI_TINY, "--threads", "1", "--set", "NAME=tiny", "--set", "IMAGES_PER_GPU=1", "--set",  \
        "TRAIN_ROIS_PER_IMAGE=16", "--set", "STEPS_PER_EPOCH=3", "--set",                    \
        "RPN_ANCHOR_SCALES=[32, 32, 32, 32, 64]", "--set", "RPN_ANCHOR_RATIOS=[1]", "--set", \
        "POST_NMS_ROIS_INFERENCE=200", "--set", "MASK_RESIZE=exact", "--set",                \
        "DETECTION_NMS_THRESHOLD=0.5", "--set", "VALIDATION_STEPS=0", "--set",               \
        "LEARNING_RATE=1e-5"
#define PETS "train", "--dataset", "pets", MODEL
#define SEEING PETS, "--weights", "seeing.h5", "--layers", "heads"
#define EVALUATED "--set", "EVAL_EVERY=1", "--set", "KEEP_BEST=true", "--set", "EVAL_IMAGES=1"

#define RECT                                                                                \
    "{\"shape_attributes\":{\"name\":\"rect\",\"x\":4,\"y\":5,\"width\":16,\"height\":17}," \
    "\"region_attributes\":{\"class\":\"cat\"}}"

static void make_part(const char *folder, const char *annotations) {
    char path[100];
    mkdir(folder, 0777);
    for (const char *name = "abc"; *name; name++) {
        snprintf(path, sizeof path, "%s/%c.png", folder, *name);
        cli_picture(path, 60, 50);
    }
    snprintf(path, sizeof path, "%s/via_region_data.json", folder);
    cli_write(path, annotations);
}

/* Two data sets with the same object to validate with; one has a picture without any, too. And
 * weights that find something. */
static int enter(void **state) {
    static const char one[] = "{" VIA_ENTRY("b.png", RECT) "}",
                      more[] = "{" VIA_ENTRY("a.png", "") "," VIA_ENTRY("b.png", RECT) "}";
    mrcnn_model *model = NULL;
    cli_enter(state);
    mkdir("pets", 0777);
    mkdir("only", 0777);
    make_part("pets/train", one);
    make_part("only/train", one);
    make_part("pets/val", more);
    make_part("only/val", one);
    if (RUN(PETS, "--weights", "none", "--logs", "first", "--epochs", "1")->code != 0) return 1;
    if (mrcnn_model_load(&model, train_file("first", "mask_rcnn_tiny_0001.h5"), NULL, NULL) !=
        MRCNN_OK)
        return 1;
    train_see_squares(model);
    mrcnn_status status = mrcnn_model_save(model, "seeing.h5", NULL);
    mrcnn_model_free(&model);
    return status != MRCNN_OK;
}

/* The number behind a key, or behind several of them, one in the other. */
static double number_in(const char *text, const char *outer, const char *key) {
    char quoted[40];
    snprintf(quoted, sizeof quoted, "\"%s\":", outer);
    const char *at = strstr(text, quoted);
    snprintf(quoted, sizeof quoted, "\"%s\":", key ? key : outer);
    if (at) at = strstr(at, quoted);
    if (!at) fail_msg("no %s %s in %s", outer, key ? key : "", text);
    return strtod(at + strlen(quoted), NULL);
}

/* The line of an epoch, which the caller frees. */
static char *epoch_line(const char *logs, int epoch) {
    char start[40];
    char *log = cli_read(train_file(logs, "log.jsonl"));
    assert_non_null(log);
    snprintf(start, sizeof start, "\"epoch\":%d,\"kind\":\"epoch\"", epoch);
    char *at = strstr(log, start);
    if (!at) fail_msg("%s: no epoch %d", logs, epoch);
    memmove(log, at, strcspn(at, "\n"));
    log[strcspn(at, "\n")] = 0;
    return log;
}

static void check_same(const char *line, const char *json) {
    static const char *const names[][3] = {{"bbox_ap", "bbox", "AP"},
                                           {"bbox_ap50", "bbox", "AP50"},
                                           {"bbox_ap75", "bbox", "AP75"},
                                           {"segm_ap", "segm", "AP"},
                                           {"segm_ap50", "segm", "AP50"},
                                           {"segm_ap75", "segm", "AP75"},
                                           {"picture_map", "matterport", "mAP"},
                                           {"picture_map50", "matterport", "mAP50"},
                                           {"eval_pictures", "pictures", NULL}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        double logged = number_in(line, names[i][0], NULL);
        double measured = number_in(json, names[i][1], names[i][2]);
        if (logged != measured) fail_msg("%s: %.17g, %.17g", names[i][0], logged, measured);
    }
}

static void check_events(const char *line) {
    static const char *const names[] = {"segm_ap", "bbox_ap50", "picture_map", "val_loss"};
    tf_file file;
    tf_event event;
    tf_open(&file, tf_only_file(train_folder("evaluated")));
    assert_true(tf_next(&file, &event) && tf_next(&file, &event));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const tf_value *v = tf_find(&event, names[i]);
        assert_true(v && v->scalar == (float)number_in(line, names[i], NULL));
    }
    const tf_value *v = tf_find(&event, "validation/0");
    assert_true(v && v->is_image);
    mrcnn_image image = {0};
    assert_int_equal(mrcnn_image_decode(&image, v->bytes, v->length, "png", NULL, NULL), MRCNN_OK);
    assert_true(image.width == v->width && image.height == v->height);
    mrcnn_image_free(&image);
    tf_close(&file);
}

static void test_evaluated(void **state) {
    (void)state;
    const cli_result *r = RUN(SEEING, EVALUATED, "--logs", "evaluated", "--epochs", "1");
    if (r->code != 0) fail_msg("%s", r->err);
    assert_contains(r->err, "1 pictures (1 to validate, 2 to evaluate)\n");
    assert_contains(r->err, "\n  evaluation ");
    assert_contains(r->out, "  bbox AP 0.");
    assert_contains(r->out, " (best)  mAP 0.");
    char *line = epoch_line("evaluated", 1);
    if (!(number_in(line, "segm_ap", NULL) > 0)) fail_msg("nothing was found: %s", line);
    check_events(line);
    r = RUN("eval", "--dataset", "pets", "--threads", "1", "--json", "-", "--weights",
            train_file("evaluated", "mask_rcnn_tiny_0001.h5"));
    assert_int_equal(r->code, 0);
    check_same(line, r->out);
    assert_true(number_in(line, "eval_pictures", NULL) == 2);
    assert_true(cli_exists(train_file("evaluated", "mask_rcnn_tiny_best.h5")));
    /* What the checkpoint says needn't be said again. */
    r = RUN(PETS, "--weights", "last", "--logs", "evaluated", "--epochs", "2");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "  segm AP 0.");
    free(line);
}

/* Pictures without objects are evaluated, but there is nothing to learn from them. */
static void test_same_loss(void **state) {
    (void)state;
    RUN(SEEING, "--logs", "two", "--epochs", "1");
    const cli_result *r = RUN("train", "--dataset", "only", MODEL, "--weights", "seeing.h5",
                              "--layers", "heads", "--logs", "one", "--epochs", "1");
    assert_int_equal(r->code, 0);
    char *two = epoch_line("two", 1), *one = epoch_line("one", 1);
    assert_true(number_in(one, "val_loss", NULL) > 0);
    assert_true(number_in(one, "val_loss", NULL) == number_in(two, "val_loss", NULL));
    assert_null(strstr(two, "segm_ap"));
    free(one);
    free(two);
}

static void test_no_validation(void **state) {
    (void)state;
    const cli_result *r = RUN(SEEING, EVALUATED, "--logs", "none", "--validation", "none");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "EVAL_EVERY needs a validation set, and there is none");
    assert_false(cli_exists("none"));
}

/* --------------------------------------------------------------------------------- interruption */

/* An epoch is three steps, its evaluation takes longer than these. */
#define LONG \
    "train", "--dataset", "shapes", MODEL, EVALUATED, "--set", "VALIDATION_STEPS=1", "--weights"

static size_t lines_of(const char *logs) {
    char *log = cli_count(logs, "tiny") ? cli_read(train_file(logs, "log.jsonl")) : NULL;
    size_t lines = log ? cli_occurrences(log, "\n") : 0;
    free(log);
    return lines;
}

/* Returns when the log has so many lines. */
static pid_t start(const char *logs, size_t lines) {
    const char *const arguments[] = {MRCNN_PROGRAM, LONG,     "none", "--epochs",
                                     "2",           "--logs", logs,   NULL};
    const struct timespec pause = {0, 1000000};
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("long.out", "w", stdout) || !freopen("long.err", "w", stderr)) _exit(125);
        execv(MRCNN_PROGRAM, (char *const *)arguments);
        _exit(126);
    }
    assert_true(child > 0);
    for (int i = 0; i < 30000 && (!cli_exists(logs) || lines_of(logs) < lines); i++)
        nanosleep(&pause, NULL);
    return child;
}

static void test_interrupted(void **state) {
    (void)state;
    static const struct {
        const char *logs;
        size_t lines; /* 3: behind the steps of the first epoch; 7: of the second one */
        int signal, status;
    } cases[] = {{"stopped", 3, SIGINT, 130}, {"killed", 7, SIGKILL, -SIGKILL}};
    assert_int_equal(RUN(LONG, "none", "--epochs", "2", "--logs", "whole")->code, 0);
    for (int i = 0; i < 2; i++) {
        int status = 0;
        pid_t child = start(cases[i].logs, cases[i].lines);
        kill(child, cases[i].signal);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
                         cases[i].status);
        const cli_result *r = RUN(LONG, "last", "--epochs", "2", "--logs", cases[i].logs);
        if (r->code != 0) fail_msg("%s", r->err);
        train_same_epoch("whole", cases[i].logs, 2);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_evaluated), cmocka_unit_test(test_same_loss),
        cmocka_unit_test(test_no_validation), cmocka_unit_test(test_interrupted)};
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
