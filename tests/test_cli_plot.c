/* test_cli_plot.c - mrcnn plot: summaries, tables, pictures, several runs, logs that are cut off or none. */
#include "helper_assert.h"
#include "helper_cli.h"

#include <mrcnn/mrcnn.h>

#include <stdlib.h>
#include <sys/stat.h>

/* Three epochs of four steps; the loss falls from 12, and once it is no number. */
static void write_log(const char *path, double factor) {
    char text[8000] = "";
    for (int i = 1; i <= 12; i++) {
        char line[400], loss[32];
        snprintf(loss, sizeof loss, "%g", factor * (13 - i));
        snprintf(line, sizeof line,
                 "{\"step\":%d,\"epoch\":%d,\"loss\":%s,\"rpn_class_loss\":0.5,\"lr\":0.001,"
                 "\"grad_norm\":2,\"seconds\":0.5,\"images_per_second\":4,\"waited_ms\":50}\n",
                 i, (i + 3) / 4, i == 6 ? "null" : loss);
        strcat(text, line);
        if (i % 4 != 0) continue;
        snprintf(line, sizeof line,
                 "{\"step\":%d,\"epoch\":%d,\"kind\":\"epoch\",\"loss\":%g,\"val_loss\":%g,"
                 "\"segm_ap\":%g,\"lr\":0.001,\"seconds\":3}\n",
                 i, i / 4, factor * 3 / (i / 4), i == 8 ? 0.25 * factor : factor * 2,
                 i / 4 == 1 ? 0.1 : 0.1 * (5 - i / 4));
        strcat(text, line);
    }
    cli_write(path, text);
}

static int enter(void **state) {
    cli_enter(state);
    mkdir("logs", 0777);
    mkdir("logs/first", 0777);
    mkdir("logs/second", 0777);
    mkdir("logs/no run", 0777);
    write_log("logs/first/log.jsonl", 1.0);
    write_log("logs/second/log.jsonl", 2.0);
    return 0;
}

static void test_summary(void **state) {
    (void)state;
    const cli_result *r = RUN("plot", "logs/first");
    assert_string_equal(r->err, "");
    assert_int_equal(r->code, 0);
    assert_string_equal(
        r->out,
        "first\n"
        "  3 epochs, 12 steps\n"
        "  loss              1.0000  in epoch 3, the best\n"
        "  val_loss          2.0000  in epoch 3; the best, 0.2500, in epoch 2\n"
        "  segm AP           0.2000  in epoch 3; the best, 0.3000, in epoch 2\n"
        "  speed               4.00  pictures a second; 6 s in steps, 10.0% of it waiting for "
        "pictures\n"
        "  1 step had no finite loss\n");
    char *whole = strdup(r->out);
    r = RUN("plot", "logs/first/log.jsonl");
    assert_string_equal(r->out, whole);
    free(whole);
}

static void test_several_runs(void **state) {
    (void)state;
    const cli_result *r = RUN("plot", "logs", "logs/first");
    assert_int_equal(r->code, 0);
    assert_memory_equal(r->out, "first\n", 6); /* a folder of runs: in the order of their names */
    assert_contains(r->out, "\nsecond\n");
    assert_contains(r->out, "\nfirst (2)\n");
    assert_int_equal(cli_occurrences(r->out, "3 epochs, 12 steps"), 3);
}

static void test_csv(void **state) {
    (void)state;
    const cli_result *r = RUN("plot", "logs/second", "--csv", "-");
    assert_int_equal(r->code, 0);
    assert_memory_equal(r->out,
                        "run,kind,step,epoch,loss,rpn_class_loss,lr,grad_norm,seconds,"
                        "images_per_second,waited_ms,val_loss,segm_ap\r\n"
                        "second,step,1,1,24,0.5,0.001,2,0.5,4,50,,\r\n",
                        150);
    assert_contains(r->out, "\r\nsecond,step,6,2,,0.5,0.001,2,0.5,4,50,,\r\n"); /* null */
    assert_contains(r->out, "\r\nsecond,epoch,8,2,3,,0.001,,3,,,0.5,0.3");
    assert_int_equal(cli_occurrences(r->out, "\r\n"), 1 + 12 + 3);
    r = RUN("plot", "logs", "--csv", "all.csv");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "3 epochs"); /* the summary too */
    char *csv = cli_read("all.csv");
    assert_int_equal(cli_occurrences(csv, "\r\n"), 1 + 2 * 15);
    free(csv);
    mkdir("logs/a,\"b\"", 0777);
    write_log("logs/a,\"b\"/log.jsonl", 1.0);
    r = RUN("plot", "logs/a,\"b\"", "--csv", "-");
    assert_contains(r->out, "\r\n\"a,\"\"b\"\"\",step,1,1,");
    remove("logs/a,\"b\"/log.jsonl");
    remove("logs/a,\"b\"");
}

/* Logs that are being written, and lines of others. */
static void test_bad_lines(void **state) {
    (void)state;
    cli_write("cut.jsonl", "{\"step\":1,\"epoch\":1,\"loss\":1}\nhello\n{\"step\":2,\"epo");
    const cli_result *r = RUN("plot", "cut.jsonl");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "cut.jsonl\n  0 epochs, 1 step\n");
    assert_contains(r->err, "mrcnn: 2 lines are left out, the first: cut.jsonl: line 2: ");
    cli_write("other.jsonl", "hello\n");
    r = RUN("plot", "logs/first", "other.jsonl", "--csv", "none.csv");
    assert_int_equal(r->code, 1);
    assert_string_equal(r->out, "");
    assert_contains(r->err, "other.jsonl: no line of it is a training's");
    assert_false(cli_exists("none.csv"));
    r = RUN("plot", "logs/no run");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "logs/no run: there is no log.jsonl in this folder");
    r = RUN("plot", "nowhere");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "nowhere");
}

static void test_usage(void **state) {
    (void)state;
    const cli_result *r = RUN("plot");
    assert_int_equal(r->code, 2);
    r = RUN("plot", "logs/first", "--out", "x.jpg");
    assert_int_equal(r->code, 2);
    assert_contains(r->err, "--out x.jpg: the name must end in .png, .svg or .pdf");
    r = RUN("plot", "logs/first", "--what", "losses");
    assert_int_equal(r->code, 2);
    r = RUN("plot", "logs/first", "--smooth", "0");
    assert_int_equal(r->code, 2);
    r = RUN("plot", "--help");
    assert_int_equal(r->code, 0);
    assert_contains(r->out, "--what loss,parts,ap,lr,speed,gradient");
}

#ifdef MRCNN_WITH_CAIRO

static void test_pictures(void **state) {
    (void)state;
    mrcnn_image image = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    const cli_result *r = RUN("plot", "logs/first", "--out", "all.png");
    assert_int_equal(r->code, 0);
    assert_string_equal(r->err, "");
    /* Loss, AP, one of the parts, learning rate, speed and gradient: six panels in two columns. */
    assert_int_equal(mrcnn_image_read(&image, "all.png", NULL, &err), MRCNN_OK);
    assert_int_equal(image.width, 2 * 2 * 640);
    assert_int_equal(image.height, 3 * 2 * 400);
    mrcnn_image_free(&image);
    r = RUN("plot", "logs", "--what", "loss", "--out", "loss.svg", "--x", "time", "--smooth", "1",
            "--log", "--dark");
    assert_int_equal(r->code, 0);
    char *first = cli_read("loss.svg");
    assert_contains(first, "</svg>");
    /* Of two runs four curves, two of them dashed. */
    assert_true(cli_occurrences(first, "stroke-dasharray") >= 2);
    r = RUN("plot", "logs", "--what", "loss", "--out", "loss.svg", "--x", "step", "--smooth", "1",
            "--log", "--dark");
    char *second = cli_read("loss.svg");
    assert_string_not_equal(first, second);
    free(first);
    free(second);
    r = RUN("plot", "logs/first", "--what", "lr,parts", "--out", "lr.pdf");
    assert_int_equal(r->code, 0);
    assert_true(cli_exists("lr.pdf"));
}

static void test_no_picture(void **state) {
    (void)state;
    const cli_result *r = RUN("plot", "logs/first", "--out", "no/folder/x.svg");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "no/folder/x.svg");
    assert_int_equal(cli_count(".", ".part"), 0);
    cli_write("bare.jsonl", "{\"step\":1}\n{\"step\":2,\"other\":3}\n");
    r = RUN("plot", "bare.jsonl", "--out", "bare.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "the logs have nothing that can be drawn");
    assert_false(cli_exists("bare.png"));
    /* What was asked for is drawn empty. */
    r = RUN("plot", "bare.jsonl", "--what", "ap", "--out", "bare.png");
    assert_int_equal(r->code, 0);
    assert_true(cli_exists("bare.png"));
}

#else

static void test_without_cairo(void **state) {
    (void)state;
    const cli_result *r = RUN("plot", "logs/first", "--out", "all.png");
    assert_int_equal(r->code, 1);
    assert_contains(r->err, "MRCNN_WITH_CAIRO");
    assert_false(cli_exists("all.png"));
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary),  cmocka_unit_test(test_several_runs),
        cmocka_unit_test(test_csv),      cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_usage),
#ifdef MRCNN_WITH_CAIRO
        cmocka_unit_test(test_pictures), cmocka_unit_test(test_no_picture),
#else
        cmocka_unit_test(test_without_cairo),
#endif
    };
    return cmocka_run_group_tests(tests, enter, cli_leave);
}
