/* test_log_read.c - a training's log read back: columns, gaps, steps that came again, lines that are none. */
#include "helper_assert.h"
#include "helper_cli.h"

#include "train/log.h"

#include <mrcnn/log.h>

#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

static mrcnn_log *read_text(const char *text) {
    mrcnn_log *log = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    cli_write("log.jsonl", text);
    if (mrcnn_log_read(&log, "log.jsonl", &err) != MRCNN_OK) fail_msg("%s", err.message);
    return log;
}

static void expect_column(const mrcnn_log *log, const char *kind, const char *name, size_t count,
                          const double *expected) {
    const double *values = mrcnn_log_column(log, kind, name);
    assert_int_equal(mrcnn_log_rows(log, kind), count);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        assert_true(isnan(expected[i]) ? isnan(values[i]) : values[i] == expected[i]);
}

#define COLUMN(log, kind, name, ...)                                                 \
    expect_column(log, kind, name, sizeof((double[]){__VA_ARGS__}) / sizeof(double), \
                  (const double[]){__VA_ARGS__})

static void test_columns(void **state) {
    (void)state;
    mrcnn_log *log = read_text("{\"step\":1,\"epoch\":1,\"loss\":2.5}\n"
                               "{\"step\":2,\"epoch\":1,\"loss\":null,\"lr\":0.5}\r\n"
                               "\n"
                               "{\"step\":2,\"epoch\":1,\"kind\":\"epoch\",\"val_loss\":1e-3,"
                               "\"bbox\":{\"ap\":0.25,\"deep\":{\"x\":1}},\"note\":\"text\"}\n"
                               "{\"step\":3,\"epoch\":2,\"loss\":1.5,\"lr\":0.25}");
    const char *first;
    COLUMN(log, "step", "step", 1, 2, 3);
    COLUMN(log, "step", "loss", 2.5, NAN, 1.5);
    COLUMN(log, "step", "lr", NAN, 0.5, 0.25);
    COLUMN(log, "epoch", "val_loss", 1e-3);
    COLUMN(log, "epoch", "bbox.ap", 0.25);
    assert_null(mrcnn_log_column(log, "epoch", "note"));
    assert_null(mrcnn_log_column(log, "step", "val_loss"));
    assert_null(mrcnn_log_column(log, "other", "loss"));
    assert_null(mrcnn_log_column(log, NULL, "loss"));
    assert_null(mrcnn_log_column(log, "step", NULL));
    assert_int_equal(mrcnn_log_rows(log, "other"), 0);
    assert_string_equal(mrcnn_log_kind(log, 0), "step");
    assert_string_equal(mrcnn_log_kind(log, 1), "epoch");
    assert_null(mrcnn_log_kind(log, 2));
    assert_string_equal(mrcnn_log_column_name(log, "step", 3), "lr");
    assert_null(mrcnn_log_column_name(log, "step", 4));
    assert_null(mrcnn_log_column_name(log, "other", 0));
    assert_int_equal(mrcnn_log_left_out(log, &first), 0);
    assert_string_equal(first, "");
    assert_string_equal(mrcnn_log_name(log), "log.jsonl");
    mrcnn_log_free(&log);
    assert_null(log);
    mrcnn_log_free(&log);
}

/* What training writes is what is read, to the last bit. */
static void test_there_and_back(void **state) {
    (void)state;
    mr_jsonl *out = NULL;
    mrcnn_log *log = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mkdir("run7", 0777);
    assert_int_equal(mr_jsonl_open(&out, "run7/log.jsonl", 0, &err), MRCNN_OK);
    for (int i = 1; i <= 300; i++) {
        mr_log_step step = {.step = i,
                            .epoch = (i + 99) / 100,
                            .losses = {.loss = 1.0 / i},
                            .learning_rate = 0.1 * i,
                            .seconds = i == 7 ? NAN : 0.5};
        assert_int_equal(mr_jsonl_step(out, &step, &err), MRCNN_OK);
        mr_log_epoch epoch = {.step = i,
                              .epoch = i / 100,
                              .losses = {.loss = 1.0 / 3},
                              .validated = i != 100,
                              .validation = {.loss = i / 7.0}};
        if (i % 100 == 0) assert_int_equal(mr_jsonl_epoch(out, &epoch, &err), MRCNN_OK);
    }
    mr_jsonl_close(&out);
    assert_int_equal(mrcnn_log_read(&log, "run7", &err), MRCNN_OK);
    assert_string_equal(mrcnn_log_name(log), "run7");
    assert_int_equal(mrcnn_log_rows(log, "step"), 300);
    for (int i = 1; i <= 300; i++) {
        assert_true(mrcnn_log_column(log, "step", "loss")[i - 1] == 1.0 / i);
        assert_true(mrcnn_log_column(log, "step", "lr")[i - 1] == 0.1 * i);
        assert_int_equal(isnan(mrcnn_log_column(log, "step", "seconds")[i - 1]) != 0, i == 7);
    }
    COLUMN(log, "epoch", "val_loss", NAN, 200 / 7.0, 300 / 7.0);
    mrcnn_log_free(&log);
    assert_int_equal(mrcnn_log_read(&log, "run7/", &err), MRCNN_OK);
    assert_string_equal(mrcnn_log_name(log), "run7");
    mrcnn_log_free(&log);
}

/* A run that went back to step 2 of epoch 1: of what comes again the later lines count. */
static void test_steps_that_come_again(void **state) {
    (void)state;
    mrcnn_log *log = read_text("{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":2}\n"
                               "{\"step\":2,\"kind\":\"epoch\",\"epoch\":1,\"val_loss\":20}\n"
                               "{\"step\":3,\"loss\":3}\n{\"step\":4,\"loss\":4}\n"
                               "{\"step\":4,\"kind\":\"epoch\",\"epoch\":2,\"val_loss\":40}\n"
                               "{\"step\":3,\"loss\":33}\n"
                               "{\"step\":3,\"kind\":\"epoch\",\"epoch\":2,\"val_loss\":30}\n"
                               "{\"step\":3,\"kind\":\"epoch\",\"epoch\":2,\"val_loss\":31}\n");
    COLUMN(log, "step", "step", 1, 2, 3);
    COLUMN(log, "step", "loss", 1, 2, 33);
    COLUMN(log, "epoch", "val_loss", 20, 31);
    mrcnn_log_free(&log);
}

static void test_bad_lines(void **state) {
    (void)state;
    static const char *const bad[] = {"{\"step\":2,\"lo",
                                      "[1,2]",
                                      "7",
                                      "{\"loss\":1}",
                                      "{\"step\":\"2\"}",
                                      "nothing",
                                      "\xFF\xFE{}",
                                      "{\"step\":1e999}",
                                      "{} {}",
                                      "{\"step\":null}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[300];
        const char *first;
        snprintf(text, sizeof text, "{\"step\":1,\"loss\":1}\n%s\n{\"step\":3,\"loss\":3}\n%s",
                 bad[i], bad[i]);
        mrcnn_log *log = read_text(text);
        COLUMN(log, "step", "loss", 1, 3);
        assert_int_equal(mrcnn_log_left_out(log, &first), 2);
        assert_contains(first, "log.jsonl: line 2: ");
        assert_null(strpbrk(first, "\n\r\x1B"));
        mrcnn_log_free(&log);
    }
}

/* Keys, kinds and nesting without end: bounded, and no column is mixed up with another one. */
static void test_hostile(void **state) {
    (void)state;
    size_t room = 400000, used = 0;
    char *text = malloc(room);
    used += (size_t)snprintf(text, room, "{\"step\":1");
    for (int i = 0; i < 1000; i++)
        used += (size_t)snprintf(text + used, room - used, ",\"key%d\":%d", i, i);
    used += (size_t)snprintf(text + used, room - used, ",\"");
    memset(text + used, 'x', 5000);
    used += 5000;
    used += (size_t)snprintf(text + used, room - used, "\":1}\n");
    for (int i = 0; i < 100; i++)
        used += (size_t)snprintf(text + used, room - used,
                                 "{\"step\":2,\"kind\":\"k%d\",\"v\":%d}\n", i, i);
    used += (size_t)snprintf(text + used, room - used, "{\"step\":3,\"a\":");
    memset(text + used, '[', 100000);
    used += 100000;
    snprintf(text + used, room - used, "\n{\"step\":4,\"key0\":44}\n");
    mrcnn_log *log = read_text(text);
    COLUMN(log, "step", "step", 1, 4);
    COLUMN(log, "step", "key0", 0, 44);
    COLUMN(log, "step", "key200", 200, NAN);
    assert_null(mrcnn_log_column(log, "step", "key999"));
    assert_int_equal(mrcnn_log_rows(log, "k3"), 1);
    assert_int_equal(mrcnn_log_left_out(log, NULL), 85 + 1); /* kinds beyond 16, and the nesting */
    mrcnn_log_free(&log);
    free(text);
}

static void expect_error(const char *path, mrcnn_status status, const char *part) {
    mrcnn_log *log = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mrcnn_log_read(&log, path, &err), status);
    assert_contains(err.message, part);
    assert_null(log);
}

static void test_errors(void **state) {
    (void)state;
    mkdir("bare", 0777);
    mkfifo("pipe.jsonl", 0666);
    cli_write("empty.jsonl", "");
    cli_write("blank.jsonl", "\n\n  \n");
    cli_write("other.jsonl", "id,name\n1,x\n");
    expect_error("none", MRCNN_E_IO, "none");
    expect_error("bare", MRCNN_E_IO, "bare: there is no log.jsonl in this folder");
    expect_error("pipe.jsonl", MRCNN_E_IO, "pipe.jsonl");
    expect_error("empty.jsonl", MRCNN_E_FORMAT, "the log is empty");
    expect_error("blank.jsonl", MRCNN_E_FORMAT, "the log is empty");
    expect_error("other.jsonl", MRCNN_E_FORMAT,
                 "no line of it is a training's: other.jsonl: line 1");
    expect_error("", MRCNN_E_ARGUMENT, "no name");
    mrcnn_log *log = NULL;
    assert_int_equal(mrcnn_log_read(NULL, "x", NULL), MRCNN_E_ARGUMENT);
    assert_int_equal(mrcnn_log_read(&log, NULL, NULL), MRCNN_E_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_steps_that_come_again),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
