/* test_ranges.c - what layers' values reach: kept as text, read again, and refused when it is damaged; and what a
 * plan makes of them. */
#include "graph/ranges.h"
#include "helper_assert.h"
#include "helper_golden_graph.h"

#include <stdlib.h>

static void test_text(void **state) {
    (void)state;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_ranges *ranges = mr_ranges_create(), *again = NULL;
    assert_int_equal(mr_ranges_set(ranges, "conv1", 0.1f, &err), MRCNN_OK);
    assert_int_equal(mr_ranges_set(ranges, "res2a", 3e-5f, &err), MRCNN_OK);
    assert_int_equal(mr_ranges_set(ranges, "conv1", 12.75f, &err), MRCNN_OK);
    char *text = mr_ranges_text(ranges);
    assert_int_equal(mr_ranges_parse(&again, text, "w.h5", &err), MRCNN_OK);
    assert_true(mr_ranges_find(again, "conv1") == 12.75f);
    assert_true(mr_ranges_find(again, "res2a") == 3e-5f);
    assert_true(mr_ranges_find(again, "res2b") == 0);
    free(text);
    mr_ranges_free(&ranges);
    mr_ranges_free(&again);
    assert_int_equal(mr_ranges_parse(&again, "", "w.h5", &err), MRCNN_OK);
    mr_ranges_free(&again);
}

static void test_damaged(void **state) {
    (void)state;
    static const char *const texts[] = {
        "conv1",         "conv1 2\n",    "\t2\n",         "\n",           "conv1\t\n",
        "conv1\tx\n",    "conv1\tnan\n", "conv1\tinf\n",  "conv1\t-1\n",  "conv1\t0\n",
        "conv1\t1e99\n", "a\t1\nb\n",    "conv1\t2\t3\n", "conv1\t0x2\n", "a\t1\n\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        mr_ranges *ranges = NULL;
        if (mr_ranges_parse(&ranges, texts[i], "w.h5", &err) == MRCNN_OK)
            fail_msg("'%s' was taken", texts[i]);
        assert_null(ranges);
        assert_contains(err.message, "w.h5: the ranges of its layers are damaged");
        assert_contains(err.message, "quantize the weights anew");
    }
    char *large = malloc(200001); /* a name of 100,000 letters; too many lines */
    memset(large, 'x', 200000);
    large[200000] = 0;
    mr_ranges *ranges = NULL;
    assert_int_not_equal(mr_ranges_parse(&ranges, large, "w.h5", NULL), MRCNN_OK);
    for (size_t i = 0; i < 200000; i += 10) {
        char line[16];
        snprintf(line, sizeof line, "l%06zu\t1\n", i / 10);
        memcpy(large + i, line, 10);
    }
    assert_int_not_equal(mr_ranges_parse(&ranges, large, "w.h5", NULL), MRCNN_OK);
    assert_null(ranges);
    free(large);
}

/* ------------------------------------------------------------------------------------ types */

typedef struct seen {
    char types[16][MR_NAME + 8]; /* "layer:type" of each node, in order */
    int count;
} seen;

static void see(void *user, const mr_node *node, const void *values, int rows) {
    static const char *const names[] = {"f32", "bf16", "u8", "s8"};
    static const char *const ops[] = {"input",   "conv",  "dense",  "deconv", "norm",
                                      "relu",    "add",   "pad",    "pool",   "upsample",
                                      "softmax", "align", "select", "convert"};
    (void)values, (void)rows;
    seen *s = user;
    snprintf(s->types[s->count++], MR_NAME + 8, "%s:%s",
             node->layer[0] ? node->layer : ops[node->op], names[node->type]);
}

static void expect(const mr_ranges *ranges, mr_type precision, const char *const *types) {
    mr_tensors *weights = mr_tensors_create();
    mrcnn_graph *g = mr_graph_create();
    mrcnn_shape shape = {8, 8, 16};
    mrcnn_value x = mr_graph_input(g, "x", MR_ROWS_IMAGES, shape);
    x = mrcnn_relu(g, mrcnn_conv2d(g, x, "first", 16, 3, 2, MRCNN_SAME));
    x = mrcnn_max_pool(g, x, 3, 1, MRCNN_SAME);
    mrcnn_value y = mrcnn_relu(g, mrcnn_conv2d(g, x, "a", 16, 1, 1, MRCNN_SAME));
    y = mrcnn_conv2d(g, y, "b", 16, 1, 1, MRCNN_SAME);
    x = mrcnn_relu(g, mrcnn_add(g, y, mrcnn_conv2d(g, x, "side", 16, 1, 1, MRCNN_SAME)));
    y = mrcnn_upsample2x(g, x);
    y = mrcnn_conv2d(g, y, "last", 6, 1, 1, MRCNN_SAME);
    mr_graph_output(g, y, "y");
    eval_weights(weights, g, 7);
    float *noise = eval_noise(1, mr_shape_size(shape), -1, 1);
    seen s = {.count = 0};
    eval e = {.executor = &mr_executor_cpu,
              .precision = precision,
              .ranges = ranges,
              .weights = weights,
              .rows = {1, 0},
              .names = {"x"},
              .inputs = {noise},
              .observer = see,
              .observer_user = &s};
    free(eval_graph(&e, &g, "y", NULL));
    for (int i = 0; i < s.count || types[i]; i++) {
        if (i >= s.count || !types[i] || strcmp(s.types[i], types[i]) != 0)
            fail_msg("node %d is %s, not %s", i, i < s.count ? s.types[i] : "none",
                     types[i] ? types[i] : "none");
    }
    free(noise);
    mr_tensors_free(&weights);
}

static void test_types(void **state) {
    (void)state;
    mr_ranges *all = mr_ranges_create(), *some = mr_ranges_create(), *none = mr_ranges_create();
    static const char *const layers[] = {"first", "a", "b", "side", "last"};
    for (int i = 0; i < 5; i++) mr_ranges_set(all, layers[i], 2, NULL);
    mr_ranges_set(some, "a", 2, NULL);
    /* The operand of a sum that is computed last takes it over. */
    static const char *const f32[] = {"first:f32", "pool:f32",     "a:f32",    "b:f32",
                                      "side:f32",  "upsample:f32", "last:f32", NULL};
    expect(NULL, MR_F32, f32);
    expect(none, MR_F32, f32);
    if (mr_executor_cpu.computes_in(MR_BF16)) {
        static const char *const bf16[] = {"convert:bf16",  "first:bf16", "pool:bf16",
                                           "a:bf16",        "b:bf16",     "side:bf16",
                                           "upsample:bf16", "last:f32",   NULL};
        expect(NULL, MR_BF16, bf16);
    }
    if (mr_executor_cpu.computes_in(MR_S8)) {
        /* The first layer's input has no range; its output is converted once for two readers. */
        static const char *const s8[] = {"first:f32", "pool:f32",    "convert:u8", "a:u8", "b:s8",
                                         "side:u8",   "upsample:u8", "last:f32",   NULL};
        expect(all, MR_F32, s8);
        /* A product of what has no range is none of 8 bits, and nobody else reads 8 bits. */
        static const char *const mixed[] = {"first:f32",    "pool:f32", "a:f32",
                                            "convert:u8",   "b:f32",    "side:f32",
                                            "upsample:f32", "last:f32", NULL};
        expect(some, MR_F32, mixed);
    }
    mr_ranges_free(&all);
    mr_ranges_free(&some);
    mr_ranges_free(&none);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
