/* test_cli_train.c - mrcnn train as a program: what it prints and leaves, how it ends, and that a run
 * that was killed or stopped goes on to the same bytes. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_via.h"
#include "helper_train.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A step takes some milliseconds. Validation would only take time. */
#define TRAIN                                                                               \
    "train", CLI_TINY, "--threads", "1", "--set", "NAME=tiny", "--set", "IMAGES_PER_GPU=1", \
        "--set", "TRAIN_ROIS_PER_IMAGE=16", "--set", "STEPS_PER_EPOCH=3", "--validation", "none"
#define SHAPES TRAIN, "--dataset", "shapes"
#define FRESH SHAPES, "--weights", "none"

#define RECT(x, class)                                                                          \
    "{\"shape_attributes\":{\"name\":\"rect\",\"x\":" x ",\"y\":5,\"width\":16,\"height\":17}," \
    "\"region_attributes\":{\"class\":\"" class "\"}}"

/* A folder in VIA's format with the pictures a.png and b.png. */
static void make_set(const char *folder, const char *annotations) {
    char path[300];
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/a.png", folder);
    cli_picture(path, 60, 50);
    snprintf(path, sizeof path, "%s/b.png", folder);
    cli_picture(path, 50, 60);
    snprintf(path, sizeof path, "%s/via_region_data.json", folder);
    cli_write(path, annotations);
}

static void cut(const char *path, long bytes) {
    assert_int_equal(truncate(path, bytes), 0);
}

/* --------------------------------------------------------------------------------- a whole run */

static void check_log(const char *path) {
    char *log = cli_read(path);
    assert_non_null(log);
    assert_int_equal(cli_occurrences(log, "\n"), 8); /* 2 epochs of 3 steps, and their ends */
    assert_int_equal(cli_occurrences(log, "\"kind\":\"epoch\""), 2);
    for (char *line = log; *line;) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        *end = 0;
        if (!cli_is_json(line)) fail_msg("no JSON: %s", line);
        line = end + 1;
    }
    free(log);
}

static void test_run(void **state) {
    (void)state;
    const cli_result *r = RUN(FRESH, "--logs", "whole", "--epochs", "2");
    assert_int_equal(r->code, 0);
    assert_int_equal(cli_occurrences(r->out, "\n"), 2);
    assert_int_equal(strncmp(r->out, "epoch 1/2  loss ", 16), 0);
    assert_contains(r->out, "\nepoch 2/2  loss ");
    assert_contains(r->out, train_file("whole", "mask_rcnn_tiny_0002.h5\n"));
    assert_null(strstr(r->out, "val_loss"));
    /* Memory comes before the first step; a file gets no escape sequences. */
    const char *memory = strstr(r->err, "\n  activations "), *step = strstr(r->err, "step 1/3");
    assert_contains(r->err, "layers all, epochs 1 to 2, 500 pictures (0 to validate)\n");
    assert_contains(r->err, "\n  weights ");
    assert_contains(r->err, "\n  gradients ");
    assert_contains(r->err, "\n  optimizer ");
    assert_true(memory && step && memory < step);
    assert_null(strpbrk(r->err, "\r\033"));
    assert_int_equal(cli_count(train_folder("whole"), "events.out.tfevents."), 1);
    assert_true(cli_exists(train_file("whole", "mask_rcnn_tiny_0001.h5")));
    assert_true(cli_exists(train_file("whole", "mask_rcnn_tiny_0002.state")));
    assert_int_equal(cli_count(train_folder("whole"), ".tmp"), 0);
    check_log(train_file("whole", "log.jsonl"));
    /* There is nothing left to do. */
    r = RUN(SHAPES, "--weights", "last", "--logs", "whole");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "nothing is left to do: 2 epochs are done");
    assert_string_equal(r->out, "");
}

/* A checkpoint has all that the other commands need. */
static void test_checkpoint_is_enough(void **state) {
    (void)state;
    const char *weights = train_file("whole", "mask_rcnn_tiny_0002.h5");
    cli_picture("photo.png", 90, 70);
    const cli_result *r =
        RUN("detect", "--weights", weights, "--save", "json", "--out", "found", "photo.png");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "photo.png");
    assert_string_equal(r->err, "");
    r = RUN("eval", "--weights", weights, "--dataset", "shapes", "--limit", "1");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "\nsquare    ");
    assert_string_equal(r->err, ""); /* names and settings are the checkpoint's */
}

static void test_stages(void **state) {
    (void)state;
    const cli_result *r = RUN(FRESH, "--logs", "stages", "--set", "STAGES=heads 1; all 2 0.1");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, ": layers heads, epochs 1 to 1,");
    assert_contains(r->err, ": layers all, epochs 2 to 2,");
    assert_int_equal(cli_occurrences(r->out, "\n"), 2);
    char *log = cli_read(train_file("stages", "log.jsonl"));
    assert_contains(log, "\"lr\":0.001,");
    assert_contains(log, "\"lr\":0.0001,");
    free(log);
}

/* --------------------------------------------------------------------------------- interruption */

/* Long enough epochs to be stopped in the middle of the second one. */
#define LONG SHAPES, "--set", "STEPS_PER_EPOCH=40", "--epochs", "2"

#if defined(__SANITIZE_ADDRESS__) /* ten times slower anyway */
#define BATCHES "60"
#else
#define BATCHES "300"
#endif
#define SLOW \
    SHAPES, "--set", "STEPS_PER_EPOCH=1", "--epochs", "2", "--set", "GRADIENT_ACCUMULATION=" BATCHES

static size_t logged_lines(const char *logs) {
    char *log = cli_count(logs, "tiny") ? cli_read(train_file(logs, "log.jsonl")) : NULL;
    size_t lines = log ? cli_occurrences(log, "\n") : 0;
    free(log);
    return lines;
}

/* Starts a run and returns when its log has so many lines. */
static pid_t start(const char *logs, size_t lines, const char *const *arguments) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        char *argv[100] = {(char *)MRCNN_PROGRAM};
        for (int i = 0; arguments[i] && i < 98; i++) argv[i + 1] = (char *)arguments[i];
        if (!freopen("long.out", "w", stdout) || !freopen("long.err", "w", stderr)) _exit(125);
        execv(MRCNN_PROGRAM, argv);
        _exit(126);
    }
    assert_true(child > 0);
    struct timespec pause = {0, 1000000};
    for (int i = 0; i < 30000 && logged_lines(logs) < lines; i++) nanosleep(&pause, NULL);
    return child;
}

/* In the middle of the second epoch. */
static pid_t start_long(const char *logs) {
    return start(logs, 45, (const char *const[]){LONG, "--weights", "none", "--logs", logs, NULL});
}

/* Exit status, or -signal. */
static int end_of(pid_t child) {
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void go_on(const char *logs) {
    const cli_result *r = RUN(LONG, "--weights", "last", "--logs", logs);
    if (r->code != 0) fail_msg("%s", r->err);
    assert_contains(r->err, "the run goes on\n");
    assert_contains(r->out, "epoch 2/2  loss ");
    train_same_epoch("uninterrupted", logs, 2);
}

static void test_killed(void **state) {
    (void)state;
    assert_int_equal(RUN(LONG, "--weights", "none", "--logs", "uninterrupted")->code, 0);
    pid_t child = start_long("killed");
    kill(child, SIGKILL);
    assert_int_equal(end_of(child), -SIGKILL);
    assert_false(cli_exists(train_file("killed", "mask_rcnn_tiny_0002.h5")));
    go_on("killed");
}

static void test_terminated(void **state) {
    (void)state;
    pid_t child = start_long("terminated");
    kill(child, SIGTERM);
    assert_int_equal(end_of(child), 130);
    char *err = cli_read("long.err");
    assert_contains(err, "stopping: the state is being saved\n");
    assert_contains(err, "`mrcnn train --weights last` with the same options goes on\n");
    free(err);
    assert_true(cli_exists(train_file("terminated", "mask_rcnn_tiny_interrupted.h5")));
    assert_true(cli_exists(train_file("terminated", "mask_rcnn_tiny_interrupted.state")));
    go_on("terminated");
}

/* Waits until the process has seen its first signal: it catches that one no more. */
static void wait_for_default(pid_t child, int number) {
    char path[64];
    const struct timespec pause = {0, 200000};
    snprintf(path, sizeof path, "/proc/%d/status", (int)child);
    for (int i = 0; i < 50000; i++) {
        char *text = cli_read(path);
        const char *caught = strstr(text, "SigCgt:");
        unsigned long long mask = caught ? strtoull(caught + strlen("SigCgt:"), NULL, 16) : 0;
        free(text);
        if (!(mask >> (number - 1) & 1)) return;
        nanosleep(&pause, NULL);
    }
}

/* Long steps: the second signal comes while the first one's step is under way. */
static void test_two_signals(void **state) {
    (void)state;
    static const int second[] = {SIGINT, SIGTERM};
    static const char *const logs[] = {"impatient", "mixed"};
    const struct timespec moment = {0, 100000000};
    for (int i = 0; i < 2; i++) {
        pid_t child = start(
            logs[i], 2, (const char *const[]){SLOW, "--weights", "none", "--logs", logs[i], NULL});
        /* The epoch is logged, but perhaps not yet saved. */
        for (int k = 0; k < 300 && !cli_exists(train_file(logs[i], "mask_rcnn_tiny_0001.state"));
             k++)
            nanosleep(&moment, NULL);
        kill(child, SIGINT);
        wait_for_default(child, second[i]);
        kill(child, second[i]);
        assert_int_equal(end_of(child), -second[i]);
        assert_false(cli_exists(train_file(logs[i], "mask_rcnn_tiny_interrupted.h5")));
        const cli_result *r = RUN(SHAPES, "--weights", "last", "--logs", logs[i], "--epochs", "2");
        if (r->code != 0) fail_msg("%s", r->err);
        assert_contains(r->err, "the run goes on\n");
        assert_null(strstr(r->err, "passed over"));
    }
}

/* ------------------------------------------------------------------------------- going on, or not */

static void copy_of(const char *logs, const char *to) {
    char command[400];
    snprintf(command, sizeof command, "cp -r %s %s", logs, to);
    assert_int_equal(system(command), 0);
}

static void test_truncated(void **state) {
    (void)state;
    copy_of("uninterrupted", "cut");
    cut(train_file("cut", "mask_rcnn_tiny_0002.h5"), 3000);
    const cli_result *r = RUN(LONG, "--weights", "last", "--logs", "cut");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "mrcnn: passed over: cut/tiny");
    assert_contains(r->err, "mask_rcnn_tiny_0002.h5: is cut off");
    assert_contains(r->err, "goes on with its weights alone");
    assert_null(strchr(r->err, '?')); /* a line each, nothing that can't be printed */
    assert_contains(r->out, "epoch 2/2");
    /* None is left. */
    cut(train_file("cut", "mask_rcnn_tiny_0001.h5"), 3000);
    cut(train_file("cut", "mask_rcnn_tiny_0002.h5"), 3000);
    r = RUN(LONG, "--weights", "last", "--logs", "cut");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "no checkpoint of tiny is usable");
}

static void test_new_run(void **state) {
    (void)state;
    copy_of("whole", "again");
    char weights[800];
    snprintf(weights, sizeof weights, "%s", train_file("again", "mask_rcnn_tiny_0002.h5"));
    const cli_result *r = RUN(SHAPES, "--weights", "last", "--logs", "again", "--new-run");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, " 0 start from fresh ones, 0 of the file are not used\n");
    assert_contains(r->err, "layers heads, epochs 1 to 1,");
    assert_int_equal(cli_count("again", "tiny"), 2);
    r = RUN(SHAPES, "--weights", weights, "--logs", "again", "--epochs", "3");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "epochs 3 to 3,");
    assert_int_equal(cli_count("again", "tiny"), 2);
}

static void test_other_classes(void **state) {
    (void)state;
    make_set("pets",
             "{" VIA_ENTRY("a.png", RECT("4", "cat")) "," VIA_ENTRY("b.png", RECT("4", "dog")) "}");
    make_set("three", "{" VIA_ENTRY("a.png", RECT("4", "cat")) "," VIA_ENTRY(
                          "b.png", RECT("4", "dog") "," RECT("20", "cow")) "}");
    char weights[800];
    snprintf(weights, sizeof weights, "%s", train_file("whole", "mask_rcnn_tiny_0002.h5"));
    const cli_result *r =
        RUN(TRAIN, "--dataset", "pets", "--weights", weights, "--logs", "pets-logs", "--new-run");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "fresh weights for mrcnn_class_logits (");
    assert_contains(r->err, "fresh weights for mrcnn_bbox_fc (");
    assert_contains(r->err, "fresh weights for mrcnn_mask (");
    assert_contains(r->err, " 3 start from fresh ones,");
    /* The run of that name has other classes, in number or by name. */
    r = RUN(TRAIN, "--dataset", "pets", "--weights", weights, "--logs", "no-logs");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "has 4 classes with the background, the data set 3; --new-run ");
    r = RUN(TRAIN, "--dataset", "three", "--weights", weights, "--logs", "no-logs");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "is \"square\", that of the data set \"");
    assert_false(cli_exists("no-logs"));
}

static void test_exclude(void **state) {
    (void)state;
    char weights[800];
    snprintf(weights, sizeof weights, "%s", train_file("whole", "mask_rcnn_tiny_0002.h5"));
    const cli_result *r = RUN(SHAPES, "--weights", weights, "--logs", "excluded", "--new-run",
                              "--exclude", "mrcnn_mask", "--exclude", "conv1");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "fresh weights for mrcnn_mask (excluded)\n");
    assert_contains(r->err, "fresh weights for conv1 (excluded)\n");
    assert_contains(r->err, " 2 start from fresh ones, 0 of the file are not used\n");
    r = RUN(SHAPES, "--weights", weights, "--new-run", "--exclude", "mrcnn_masc");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "there is no layer mrcnn_masc; did you mean mrcnn_mask?");
    /* Where there is nothing to leave layers out of. */
    assert_int_equal(RUN(FRESH, "--exclude", "conv1")->code, 2);
    r = RUN(SHAPES, "--weights", weights, "--exclude", "conv1");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--new-run");
    assert_false(cli_exists("logs"));
}

/* ------------------------------------------------------------------------------------- mistakes */

static void test_wrong_usage(void **state) {
    (void)state;
    const cli_result *r = RUN("train", "--weights", "none");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--dataset is missing");
    r = RUN("train", "--dataset", "shapes");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--weights is missing");
    assert_int_equal(RUN(FRESH, "extra")->code, 2);
    assert_int_equal(RUN(FRESH, "--frobnicate")->code, 2);
    assert_int_equal(RUN(FRESH, "--epochs", "0")->code, 2);
    assert_int_equal(RUN(FRESH, "--format", "xml")->code, 2);
    assert_int_equal(RUN(FRESH, "--set", "LEARNING_RATE=fast")->code, 2);
    assert_int_equal(RUN("train", "--help")->code, 0);
    assert_false(cli_exists("logs"));
}

/* All before anything is written. */
static void test_failures(void **state) {
    (void)state;
    const cli_result *r = RUN(FRESH, "--layers", "nosuch.*");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "\"nosuch.*\"");
    r = RUN(FRESH, "--layers", "((");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "\"((\"");
    r = RUN(SHAPES, "--weights", "last", "--logs", "nowhere");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nowhere: holds no run of tiny yet");
    assert_false(cli_exists("nowhere"));
    r = RUN(SHAPES, "--weights", "nowhere.h5");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nowhere.h5");
    r = RUN(FRESH, "--set", "NUM_CLASSES=7");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "NUM_CLASSES is 7, but the data set has 4 classes");
    cli_write("file", "no folder");
    r = RUN(FRESH, "--logs", "file/logs");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "file: can't make this folder");
    if (geteuid() != 0) { /* root may write anywhere */
        mkdir("locked", 0555);
        r = RUN(FRESH, "--logs", "locked/logs");
        assert_int_equal(r->code, 1);
        assert_contains(r->err, "locked/logs");
    }
    r = RUN(FRESH, "--set", "STAGES=heads 1; nosuch 2");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "\"nosuch\"");
    assert_string_equal(r->out, "");
    assert_false(cli_exists("logs"));
}

static void test_pictures(void **state) {
    (void)state;
    make_set("broken", "{\"a.png1\": [1,");
    const cli_result *r = RUN(TRAIN, "--dataset", "broken", "--weights", "none");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "broken/via_region_data.json: line 1: ");
    make_set("missing", "{" VIA_ENTRY("a.png", RECT("4", "cat")) "," VIA_ENTRY(
                            "gone.png", RECT("4", "cat")) "}");
    r = RUN(TRAIN, "--dataset", "missing", "--weights", "none", "--logs", "missing-logs");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "gone.png: there is no such picture");
    assert_contains(r->err, "1 pictures and 1 objects can be used; 1 pictures");
    make_set("outside", "{" VIA_ENTRY("a.png", RECT("900", "cat")) "}");
    r = RUN(TRAIN, "--dataset", "outside", "--weights", "none");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "a.png: it lies outside the picture");
    assert_contains(r->err, "the data set has nothing to learn from");
    make_set("empty", "{" VIA_ENTRY("a.png", "") "}");
    r = RUN(TRAIN, "--dataset", "empty", "--weights", "none");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nothing in it can be used");
    make_set("rotten",
             "{" VIA_ENTRY("a.png", RECT("4", "cat")) "," VIA_ENTRY("b.png", RECT("4", "cat")) "}");
    cli_write("rotten/b.png", "no picture");
    r = RUN(TRAIN, "--dataset", "rotten", "--weights", "none", "--logs", "rotten-logs");
    assert_int_equal(r->code, 0); /* the others go on */
    assert_contains(r->err, "b.png: rotten/b.png: ");
    assert_contains(r->err, "1 pictures and 1 objects can be used; 1 pictures and 1 objects are");
    assert_contains(r->err, "left out: rotten/b.png: ");
    cli_write("rotten/a.png", "neither");
    r = RUN(TRAIN, "--dataset", "rotten", "--weights", "none");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "the data set has nothing to learn from");
    assert_false(cli_exists("logs"));
}

/* Some of the classes, and several data sets as one. */
static void test_classes_and_sets(void **state) {
    (void)state;
    make_set("zoo", "{" VIA_ENTRY("a.png", RECT("4", "cat") "," RECT("9", "ape")) "," VIA_ENTRY(
                        "b.png", RECT("4", "dog") "," RECT("9", "bat")) "}");
    make_set("farm", "{" VIA_ENTRY("a.png", RECT("4", "cow")) "}");
    const cli_result *r = RUN(TRAIN, "--dataset", "zoo", "--classes", "dog,cat", "--weights",
                              "none", "--logs", "some-logs", "--epochs", "1");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "2 classes are none of the 2 asked for: 2 objects left out (\"ape\", "
                            "\"bat\")");
    r = RUN(TRAIN, "--dataset", "zoo", "--dataset", "farm", "--weights", "none", "--logs",
            "joint-logs", "--set", "NUM_CLASSES=6");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, " 3 pictures");
    r = RUN(TRAIN, "--dataset", "zoo", "--classes", "dog,dog", "--weights", "none");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "\"dog\" is there twice");
    r = RUN(TRAIN, "--dataset", "zoo", "--dataset", "nowhere", "--weights", "none");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nowhere: there is no such folder");
}

/* ----------------------------------------------------------------------------------- not finite */

#define EXPLODING FRESH, "--set", "LEARNING_RATE=1000", "--set", "GRADIENT_CLIP_NORM=0"

static void test_not_finite(void **state) {
    (void)state;
    const cli_result *r = RUN(EXPLODING, "--logs", "stops");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "mrcnn: step 2: the ");
    assert_contains(r->err, " is not finite (pictures: ");
    char *note = cli_read(train_file("stops", "nonfinite_2.txt"));
    assert_non_null(note);
    assert_contains(note, "step: 2\nepoch: 1\n");
    free(note);
    r = RUN(EXPLODING, "--logs", "skips", "--epochs", "2", "--set", "NON_FINITE=skip");
    assert_int_equal(r->code, 0);
    assert_contains(r->err, "step 2 skipped: the ");
    assert_contains(r->err, "mrcnn: 5 steps were skipped: ");
    /* No loss is not a loss of 0. */
    assert_contains(r->out, "\nepoch 2/2  loss nan");
    char *log = cli_read(train_file("skips", "log.jsonl"));
    assert_contains(log, "\"step\":6,\"epoch\":2,\"kind\":\"epoch\",\"loss\":null");
    free(log);
}

/* -------------------------------------------------------------------------------------- balloon */

static void test_balloon(void **state) {
    (void)state;
    const char *balloon = SHARED_DIR "/data/balloon";
    if (!cli_exists(balloon)) {
        puts("skipped: there is no balloon data set");
        skip();
    }
    const cli_result *r = RUN(TRAIN, "--dataset", balloon, "--weights", "none", "--logs", "balloon",
                              "--set", "STEPS_PER_EPOCH=2");
    if (r->code != 0) fail_msg("%s", r->err);
    assert_contains(r->err, "61 pictures");
    assert_contains(r->out, "epoch 1/1  loss ");
}

/* Less memory, the same checkpoint; and where it can't do anything, that is said. */
static void test_recompute(void **state) {
    (void)state;
    static const char *const logs[] = {"kept", "computed"};
    double megabytes[2];
    for (int i = 0; i < 2; i++) {
        const cli_result *r =
            i ? RUN(FRESH, "--logs", logs[i], "--recompute") : RUN(FRESH, "--logs", logs[i]);
        assert_int_equal(r->code, 0);
        assert_null(strstr(r->err, "recompute"));
        const char *memory = strstr(r->err, "\n  activations ");
        assert_non_null(memory);
        megabytes[i] = strtod(memory + strlen("\n  activations "), NULL);
    }
    assert_true(megabytes[0] > 0 && megabytes[1] < megabytes[0]);
    train_same_epoch(logs[0], logs[1], 1);
    const cli_result *r =
        RUN(FRESH, "--logs", "heads-computed", "--layers", "heads", "--recompute");
    assert_int_equal(r->code, 0);
    assert_int_equal(cli_occurrences(r->err, "recompute"), 1);
    assert_contains(r->err, "mrcnn: recompute changes nothing: with layers \"heads\" no "
                            "activations of the backbone are kept that could be computed again\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run),           cmocka_unit_test(test_checkpoint_is_enough),
        cmocka_unit_test(test_stages),        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_terminated),    cmocka_unit_test(test_two_signals),
        cmocka_unit_test(test_truncated),     cmocka_unit_test(test_new_run),
        cmocka_unit_test(test_other_classes), cmocka_unit_test(test_exclude),
        cmocka_unit_test(test_wrong_usage),   cmocka_unit_test(test_failures),
        cmocka_unit_test(test_pictures),      cmocka_unit_test(test_classes_and_sets),
        cmocka_unit_test(test_not_finite),    cmocka_unit_test(test_balloon),
        cmocka_unit_test(test_recompute)};
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
