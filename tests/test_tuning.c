/* test_tuning.c - what measurements chose: kept from process to process, and never taken from a file that is
 * damaged, hostile or of another machine; and a convolution that follows what is kept. */
#include "graph/tuning.h"
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_golden_graph.h"

#include "base/machine.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "kept/tuning.txt"

static mr_tuning *open_kept(void) {
    mr_tuning *t = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_tuning_open(&t, "kept", &err) != MRCNN_OK) fail_msg("%s", err.message);
    return t;
}

static void expect(const char *key, const char *choice) {
    mr_tuning *t = open_kept();
    const char *found = mr_tuning_find(t, key);
    if (choice)
        assert_string_equal(found, choice);
    else
        assert_null(found);
    mr_tuning_free(&t);
}

static void keep(const char *key, const char *choice) {
    mr_tuning *t = open_kept();
    mr_tuning_set(t, key, choice);
    mr_tuning_save(t);
    mr_tuning_free(&t);
}

static void test_kept(void **state) {
    (void)state;
    expect("a", NULL);
    keep("a", "one");
    keep("b", "two");
    expect("a", "one");
    expect("b", "two");
    expect("c", NULL);
    /* Two processes that began with the same file: what the first one wrote is still there. */
    mr_tuning *first = open_kept(), *second = open_kept();
    mr_tuning_set(first, "c", "three");
    mr_tuning_set(second, "d", "four");
    mr_tuning_save(first);
    mr_tuning_save(second);
    mr_tuning_free(&first);
    mr_tuning_free(&second);
    expect("c", "three");
    expect("d", "four");
    expect("a", "one");
}

static void test_nothing_new_writes_nothing(void **state) {
    (void)state;
    keep("a", "one");
    assert_int_equal(unlink(FILE_NAME), 0);
    mr_tuning *t = open_kept();
    mr_tuning_save(t);
    mr_tuning_free(&t);
    assert_false(cli_exists(FILE_NAME));
}

/* A text of which a choice for "a" must not come. */
static void refuse(const char *text) {
    mkdir("kept", 0777);
    cli_write(FILE_NAME, text);
    expect("a", NULL);
    keep("b", "two"); /* and it is mended */
    expect("b", "two");
}

static void test_damaged(void **state) {
    (void)state;
    char machine[256], text[1024];
    mr_machine_describe(machine, sizeof machine);
    refuse("");
    refuse("\n\n\n");
    refuse("mrcnn tuning 1");
    refuse("\t\t\t\n\t");
    snprintf(text, sizeof text, "mrcnn tuning 2\n%s\na\tone\n", machine);
    refuse(text);
    snprintf(text, sizeof text, "mrcnn tuning 1\n%s, but another\na\tone\n", machine);
    refuse(text);
    snprintf(text, sizeof text, "mrcnn tuning 1\n%s\na\tone", machine); /* cut off */
    refuse(text);
    snprintf(text, sizeof text, "mrcnn tuning 1\n%s\na\nb\tone\n", machine);
    refuse(text);
    snprintf(text, sizeof text, "mrcnn tuning 1\n%s\na\t%0200d\n", machine, 1); /* too long */
    refuse(text);
    char *large = malloc(3 << 20);
    memset(large, 'x', 3 << 20);
    large[(3 << 20) - 1] = 0;
    refuse(large);
    free(large);
}

static void test_lines_before_damage_count(void **state) {
    (void)state;
    char machine[256], text[512];
    mr_machine_describe(machine, sizeof machine);
    snprintf(text, sizeof text, "mrcnn tuning 1\n%s\na\tone\na\tagain\nbroken\nc\tthree\n",
             machine);
    cli_write(FILE_NAME, text);
    expect("a", "one");
    expect("c", NULL);
}

/* A folder that can't be made is no error. */
static void test_nowhere(void **state) {
    (void)state;
    mr_tuning *t = NULL;
    cli_write("file", "no folder");
    assert_int_equal(mr_tuning_open(&t, "file", NULL), MRCNN_OK);
    mr_tuning_set(t, "a", "one");
    mr_tuning_save(t);
    assert_string_equal(mr_tuning_find(t, "a"), "one");
    mr_tuning_free(&t);
}

/* ------------------------------------------------------------------------------- convolutions */

static const char *const key = "bf16 to bf16 conv 3x3 32 to 32 channels, 1 x 9 x 8, 1 threads";

/* The algorithm of the second convolution; the first one's result is in bf16. */
static const char *algorithm_of(mr_tuning *tuning, mr_packs *packs, mr_tensors *weights) {
    mrcnn_graph *g = mr_graph_create();
    mrcnn_shape shape = {9, 8, 32};
    mrcnn_value x = mr_graph_input(g, "x", MR_ROWS_IMAGES, shape);
    x = mrcnn_relu(g, mrcnn_conv2d(g, x, "a", 32, 3, 1, MRCNN_SAME));
    x = mrcnn_conv2d(g, x, "b", 8, 1, 1, MRCNN_SAME);
    mr_graph_output(g, x, "y");
    eval_weights(weights, g, 7);
    mr_plan_options o = {.executor = &mr_executor_cpu,
                         .precision = MR_BF16,
                         .weights = weights,
                         .packs = packs,
                         .tuning = tuning,
                         .release_weights = 1,
                         .threads = 1,
                         .max_rows = {1, 0}};
    mr_plan *plan = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_plan_compile(&plan, &g, &o, &err) != MRCNN_OK) fail_msg("%s", err.message);
    const char *found = NULL;
    mr_plan_step step;
    for (size_t i = 0; mr_plan_step_at(plan, i, &step); i++)
        if (strcmp(step.layer, "a") == 0) found = step.algorithm[0] ? step.algorithm : found;
    assert_non_null(found);
    int winograd = strstr(found, "winograd") != NULL;
    mr_plan_free(&plan);
    return winograd ? "winograd" : "direct";
}

static void test_convolutions_follow(void **state) {
    (void)state;
    if (!mr_executor_cpu.computes_in(MR_BF16)) skip();
    static const char *const choices[] = {"winograd", "direct", "magic"};
    for (int i = 0; i < 3; i++) {
        unlink(FILE_NAME);
        keep(key, choices[i]);
        mr_tuning *t = open_kept();
        mr_tensors *weights = mr_tensors_create();
        mr_packs *packs = mr_packs_create();
        const char *got = algorithm_of(t, packs, weights);
        if (i < 2) assert_string_equal(got, choices[i]);
        /* Its weights are packed for that now: what is kept no longer matters. */
        mr_tuning_free(&t);
        unlink(FILE_NAME);
        keep(key, i ? "winograd" : "direct");
        t = open_kept();
        assert_string_equal(algorithm_of(t, packs, weights), got);
        assert_string_equal(algorithm_of(NULL, packs, weights), got);
        mr_tuning_free(&t);
        mr_packs_free(&packs);
        mr_tensors_free(&weights);
    }
}

static void test_convolutions_measure(void **state) {
    (void)state;
    if (!mr_executor_cpu.computes_in(MR_BF16)) skip();
    unlink(FILE_NAME);
    mr_tuning *t = open_kept();
    mr_tensors *weights = mr_tensors_create();
    mr_packs *packs = mr_packs_create();
    const char *got = algorithm_of(t, packs, weights);
    assert_string_equal(mr_tuning_find(t, key), got);
    mr_tuning_free(&t);
    mr_packs_free(&packs);
    mr_tensors_free(&weights);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_nothing_new_writes_nothing),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_lines_before_damage_count),
        cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_convolutions_follow),
        cmocka_unit_test(test_convolutions_measure),
    };
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
