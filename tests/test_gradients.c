/* test_gradients.c - every operation's backward, alone: odd shapes, all ways in which gradients come
 * and go. One line a group of trials says the worst of both executors. */
#include "helper_assert.h"
#include "helper_golden_graph.h"
#include "helper_gradients.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* The same numbers as a value of the graph's own. */
static mrcnn_value plus_zeros(mrcnn_graph *g, mrcnn_value x) {
    char name[MR_NAME];
    snprintf(name, sizeof name, "zeros %d", (int)x);
    return mrcnn_add(g, x, mr_graph_input(g, name, g->nodes[x].rows, mrcnn_value_shape(g, x)));
}

static void build_op(mrcnn_graph *g, const trial *t) {
    mrcnn_value x = mr_graph_input(g, "x", t->kind, t->in);
    if (t->via != NOWHERE) mr_graph_want_gradient(g, x);
    if (t->via >= VALUE) x = plus_zeros(g, x);
    mr_graph_output(g, t->op(g, x, t), "y");
    if (t->via == TWICE) mr_graph_output(g, t->op(g, x, t), "y2");
}

/* What may follow a product: batch norm, residual, ReLU. */
static mrcnn_value finish(mrcnn_graph *g, mrcnn_value y, mrcnn_value residual, const trial *t) {
    if (t->batch_norm) y = mrcnn_batch_norm(g, y, "bn");
    if (t->residual) y = mrcnn_add(g, y, residual);
    return t->relu ? mrcnn_relu(g, y) : y;
}

static mrcnn_value op_conv(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    mrcnn_value residual = -1;
    if (t->residual) { /* its shape is the output's */
        mrcnn_graph *other = mr_graph_create();
        mrcnn_value in = mr_graph_input(other, "x", t->kind, t->in);
        in = mrcnn_conv2d(other, in, "conv", t->filters, t->kernel, t->stride, t->padding);
        mrcnn_shape shape = mrcnn_value_shape(other, in);
        mr_graph_free(&other);
        residual = trial_wanted_input(g, "residual", t->kind, shape);
        if (t->via == VALUE) residual = plus_zeros(g, residual);
    }
    mrcnn_value y = mrcnn_conv2d(g, x, "conv", t->filters, t->kernel, t->stride, t->padding);
    return finish(g, y, residual, t);
}

static mrcnn_value op_dense(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    return finish(g, mr_dense(g, x, "dense", t->filters), -1, t);
}

static mrcnn_value op_deconv(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    return finish(g, mr_deconv2x2(g, x, "deconv", t->filters), -1, t);
}

static mrcnn_value op_batch_norm(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    mr_graph_batch_statistics(g, t->batch_statistics);
    return mrcnn_batch_norm(g, x, "bn");
}

static mrcnn_value op_relu(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    (void)t;
    return mrcnn_relu(g, x);
}

static mrcnn_value op_add(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    return mrcnn_add(g, trial_wanted_input(g, "other", t->kind, t->in), x);
}

static mrcnn_value op_double(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    (void)t;
    return mrcnn_add(g, x, x);
}

static mrcnn_value op_pad(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    return mrcnn_zero_pad(g, x, t->kernel);
}

static mrcnn_value op_upsample(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    (void)t;
    return mrcnn_upsample2x(g, x);
}

static mrcnn_value op_softmax(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    (void)t;
    return mr_softmax(g, x);
}

static mrcnn_value op_max_pool(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    return mrcnn_max_pool(g, x, t->kernel, t->stride, t->padding);
}

static mrcnn_value op_roi_align(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    mrcnn_shape small = {3, 2, t->in.channels}, roi = {1, 1, MR_ROI_COLUMNS};
    mrcnn_value levels[3] = {x, trial_wanted_input(g, "small", MR_ROWS_IMAGES, small), x};
    return mr_roi_align(g, levels, 3, trial_input(g, "rois", MR_ROWS_ROIS, roi), t->kernel,
                        t->kernel + 1);
}

static mrcnn_value op_mask_select(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    mrcnn_shape one = {1, 1, 1};
    return mr_mask_select(g, x, trial_input(g, "class", MR_ROWS_ROIS, one), "mask", t->filters);
}

static const struct {
    int height, width, channels, filters;
} shapes[] = {{1, 1, 1, 1}, {5, 4, 3, 2}, {3, 7, 2, 5}, {6, 6, 17, 3}, {4, 5, 16, 18}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void set_shape(trial *t, int s) {
    mrcnn_shape in = {shapes[s].height, shapes[s].width, shapes[s].channels};
    t->in = in;
    t->filters = shapes[s].filters;
}

/* Rows of pictures or RoIs, of which there may be fewer than the plan was made for. */
static void set_rows(trial *t, mr_rows kind, int rows) {
    t->kind = kind;
    t->rows[MR_ROWS_IMAGES] = t->rows[MR_ROWS_ROIS] = 1;
    t->rows[kind] = rows;
    t->max_rows[MR_ROWS_ROIS] = kind == MR_ROWS_ROIS ? rows + 2 : 1;
}

static const char *const subsets[] = {
    "kernel bias gamma beta", "", "bias", "kernel", "gamma beta", "gamma", "beta"};

/* Every operation that multiplies by weights, with what may be fused to it, for each subset of
 * trained params and each way of its input's gradient. */
static void check_product(const char *group, trial t) {
    worst w = {0};
    t.build = build_op;
    t.step = 0.25;
    t.bound = 1e-4;
    int index = 0;
    for (int round = 0; round < 2; round++)
        for (int fused = 0; fused < 8; fused++)
            for (int v = 0; v < VIA_COUNT; v++, index++) {
                char name[160];
                set_shape(&t, (index * 3 + round) % SHAPES);
                t.relu = fused & 1;
                t.batch_norm = t.op == op_deconv ? 0 : fused >> 1 & 1;
                t.residual = t.op == op_conv ? fused >> 2 & 1 : 0;
                t.via = (via)v;
                t.train = subsets[index % 7];
                if (!t.batch_norm && index % 7 > 3) t.train = subsets[0];
                if (v == NOWHERE && !t.train[0]) t.train = subsets[0];
                set_rows(&t, index % 2 ? MR_ROWS_ROIS : MR_ROWS_IMAGES, 1 + index % 2 + index % 3);
                if (t.padding == MRCNN_VALID && (t.in.height < t.kernel || t.in.width < t.kernel))
                    continue;
                snprintf(name, sizeof name, "%s, %dx%dx%d to %d, fused %d, via %d, trains \"%s\"",
                         group, t.in.height, t.in.width, t.in.channels, t.filters, fused, v,
                         t.train);
                t.name = name;
                trial_check(&t, &w);
            }
    trial_report(group, &w);
}

static void convolutions(void **state) {
    (void)state;
    for (int kernel = 1; kernel <= 3; kernel++)
        for (int stride = 1; stride <= 2; stride++)
            for (int padding = 0; padding < 2; padding++) {
                char group[64];
                trial t = {.op = op_conv, .kernel = kernel, .stride = stride};
                t.padding = padding ? MRCNN_SAME : MRCNN_VALID;
                snprintf(group, sizeof group, "conv %dx%d/%d %s", kernel, kernel, stride,
                         padding ? "same" : "valid");
                check_product(group, t);
            }
    trial t = {.op = op_conv, .kernel = 5, .stride = 3, .padding = MRCNN_SAME};
    check_product("conv 5x5/3 same", t);
}

static void dense_and_deconv(void **state) {
    (void)state;
    trial dense = {.op = op_dense, .padding = MRCNN_SAME};
    trial deconv = {.op = op_deconv, .padding = MRCNN_SAME};
    check_product("dense", dense);
    check_product("deconv 2x2/2", deconv);
}

/* One operation without a kernel, with pictures and with RoIs. */
static void check_simple(const char *group, trial t, int kinds) {
    worst w = {0};
    t.name = group;
    t.build = build_op;
    for (int s = 0; s < SHAPES; s++)
        for (int kind = 0; kind < kinds; kind++)
            for (int v = t.train[0] ? NOWHERE : INPUT; v < VIA_COUNT; v++)
                for (int rows = kind ? 0 : 1; rows <= 3; rows += 1 + (rows > 0)) {
                    set_shape(&t, s);
                    set_rows(&t, kind ? MR_ROWS_ROIS : MR_ROWS_IMAGES, rows);
                    t.via = (via)v;
                    int fits = t.in.height >= t.kernel && t.in.width >= t.kernel;
                    if (t.op == op_max_pool && t.padding == MRCNN_VALID && !fits) continue;
                    trial_check(&t, &w);
                }
    trial_report(group, &w);
}

static void elementwise(void **state) {
    (void)state;
    trial t = {.train = "", .step = 0.25, .bound = 1e-4};
    t.op = op_add;
    check_simple("add", t, 2);
    t.op = op_double;
    check_simple("add of a value to itself", t, 2);
    t.op = op_upsample;
    check_simple("upsample", t, 2);
    t.op = op_pad;
    for (t.kernel = 0; t.kernel < 3; t.kernel += 2)
        check_simple(t.kernel ? "zero pad by 2" : "zero pad by 0", t, 2);
    t.op = op_relu;
    t.x = AWAY_FROM_0;
    check_simple("ReLU", t, 2);
    t.op = op_softmax;
    t.x = NOISE;
    t.step = 0.02;
    t.bound = 1e-3;
    check_simple("softmax", t, 2);
}

static void batch_norm(void **state) {
    (void)state;
    trial t = {.op = op_batch_norm, .bound = 1e-4, .step = 0.25};
    for (int i = 0; i < 4; i++) {
        static const char *const trained[] = {"gamma beta", "gamma", "beta", ""};
        char group[64];
        t.train = trained[i];
        snprintf(group, sizeof group, "batch norm, frozen, \"%s\"", t.train);
        check_simple(group, t, 2);
    }
    t.batch_statistics = 1;
    t.step = 0.01;
    t.bound = 5e-3;
    for (int i = 0; i < 2; i++) {
        t.train = i ? "" : "gamma beta";
        check_simple(i ? "batch norm, batch, \"\"" : "batch norm, batch, \"gamma beta\"", t, 2);
    }
}

/* y, mean and variance of a channel by the formulas of N50, from a world's input. */
static void expect_channel(const world *w, size_t c, const float before[2], size_t runs) {
    const end *e = &w->inputs[0];
    size_t channels = (size_t)e->shape.channels, n = e->count / channels;
    double mean = 0, variance = 0;
    for (size_t i = 0; i < n; i++) mean += e->values[i * channels + c] / (double)n;
    for (size_t i = 0; i < n; i++) variance += pow(e->values[i * channels + c] - mean, 2);
    variance /= (double)n;
    double gamma = mr_tensors_find(w->weights, "bn", "gamma")->values[c];
    double beta = mr_tensors_find(w->weights, "bn", "beta")->values[c];
    const float *y = mr_plan_output(w->plan, "y", NULL);
    for (size_t i = 0; i < n; i++) {
        double normal = (e->values[i * channels + c] - mean) / sqrt(variance + 1e-3);
        assert_true(fabs(y[i * channels + c] - (gamma * normal + beta)) < 1e-5);
    }
    double sample = n > 1 ? variance * (double)n / ((double)n - 1.001) : variance;
    double moved[2] = {before[0], before[1]};
    for (size_t i = 0; i < runs; i++) {
        moved[0] = 0.99 * moved[0] + 0.01 * mean;
        moved[1] = 0.99 * moved[1] + 0.01 * sample;
    }
    assert_true(fabs(mr_tensors_find(w->weights, "bn", "moving_mean")->values[c] - moved[0]) <
                1e-6);
    assert_true(fabs(mr_tensors_find(w->weights, "bn", "moving_variance")->values[c] - moved[1]) <
                1e-6);
}

static void batch_statistics(void **state) {
    (void)state;
    const mr_executor *executors[] = {&mr_executor_reference, &mr_executor_cpu};
    for (int i = 0; i < SHAPES * 24; i++) {
        trial t = {.name = "batch statistics", .build = build_op, .op = op_batch_norm};
        world w;
        float before[2][32];
        int trains = i / SHAPES % 2, moves = i / SHAPES / 2 % 2, threads = 1 + i / SHAPES / 4 % 2;
        set_shape(&t, i % SHAPES);
        set_rows(&t, i % 2 ? MR_ROWS_ROIS : MR_ROWS_IMAGES, 1 + i % 3);
        t.via = VALUE;
        t.batch_statistics = 1;
        t.train = trains ? "gamma beta" : "";
        world_open(&w, &t, executors[i / SHAPES / 8 % 2], threads, moves);
        const char *const statistics[2] = {"moving_mean", "moving_variance"};
        for (int k = 0; k < 2; k++)
            memcpy(before[k], mr_tensors_find(w.weights, "bn", statistics[k])->values,
                   (size_t)t.in.channels * sizeof(float));
        world_loss(&w);
        world_loss(&w);
        for (size_t c = 0; c < (size_t)t.in.channels; c++) {
            const float was[2] = {before[0][c], before[1][c]};
            expect_channel(&w, c, was, trains && moves ? 2 : 0);
        }
        world_close(&w);
    }
}

/* A mean that is large beside the deviation costs no digits; infinite numbers reach the loss. */
static void batch_statistics_of_odd_numbers(void **state) {
    (void)state;
    const mr_executor *executors[] = {&mr_executor_reference, &mr_executor_cpu};
    for (int e = 0; e < 2; e++) {
        trial t = {.name = "odd numbers", .build = build_op, .op = op_batch_norm, .train = ""};
        mrcnn_shape in = {4, 4, 1};
        world w;
        t.in = in;
        t.via = INPUT;
        t.batch_statistics = 1;
        set_rows(&t, MR_ROWS_IMAGES, 1);
        world_open(&w, &t, executors[e], 2, 0);
        for (int i = 0; i < 16; i++) w.inputs[0].values[i] = i % 2 ? 4097 : 4095;
        mr_tensors_find(w.weights, "bn", "gamma")->values[0] = 2;
        mr_tensors_find(w.weights, "bn", "beta")->values[0] = 0;
        world_loss(&w);
        const float *y = mr_plan_output(w.plan, "y", NULL);
        for (int i = 0; i < 16; i++) assert_true(fabs(fabs(y[i]) - 2 / sqrt(1.001)) < 1e-5);
        w.inputs[0].values[3] = INFINITY;
        assert_false(isfinite(world_loss(&w)));
        world_close(&w);
    }
}

static void max_pool(void **state) {
    (void)state;
    for (int kernel = 1; kernel <= 4; kernel++)
        for (int stride = 1; stride <= 3; stride++) {
            char group[64];
            trial t = {.op = op_max_pool, .kernel = kernel, .stride = stride, .train = ""};
            t.padding = (kernel + stride) % 2 ? MRCNN_SAME : MRCNN_VALID;
            t.x = DISTINCT;
            t.step = 1.0 / 64;
            t.bound = 1e-4;
            snprintf(group, sizeof group, "max pool %dx%d/%d %s", kernel, kernel, stride,
                     t.padding == MRCNN_SAME ? "same" : "valid");
            check_simple(group, t, 1);
        }
}

/* First maximum of a window, row by row: the gradient of ties goes to one of them. */
static void max_pool_ties(void **state) {
    (void)state;
    const mr_executor *executors[] = {&mr_executor_reference, &mr_executor_cpu};
    for (int e = 0; e < 2; e++) {
        world w;
        trial t = {.name = "ties", .build = build_op, .op = op_max_pool, .in = {4, 4, 1}};
        t.kernel = 3;
        t.stride = 2;
        t.padding = MRCNN_SAME;
        t.train = "";
        t.via = VALUE;
        t.x = ZEROS;
        set_rows(&t, MR_ROWS_IMAGES, 1);
        world_open(&w, &t, executors[e], 2, 0);
        world_loss(&w);
        world_backward(&w);
        /* Four windows of equal numbers: each gives to its first pixel. */
        for (int i = 0; i < 16; i++) {
            int window = i == 0 ? 0 : i == 2 ? 1 : i == 8 ? 2 : i == 10 ? 3 : -1;
            float want = window < 0 ? 0.0f : w.outputs[0].values[window];
            assert_true(w.inputs[0].gradient[i] == want);
        }
        world_close(&w);
    }
}

static void roi_align(void **state) {
    (void)state;
    worst w = {0};
    trial t = {.build = build_op, .op = op_roi_align, .train = "", .step = 0.25, .bound = 1e-4};
    t.rois = trial_rois[0];
    for (int s = 0; s <= SHAPES; s++)
        for (int v = NOWHERE; v < VIA_COUNT; v++)
            for (int count = v < VALUE ? 0 : 1; count <= 9; count += count ? 4 : 1)
                for (t.kernel = 1; t.kernel <= 7; t.kernel += 3) {
                    char name[100];
                    mrcnn_shape tall = {37, 5, 2}; /* three bands of the CPU's */
                    set_shape(&t, s % SHAPES);
                    if (s == SHAPES) t.in = tall;
                    set_rows(&t, MR_ROWS_IMAGES, 2);
                    t.rows[MR_ROWS_ROIS] = count;
                    t.max_rows[MR_ROWS_ROIS] = 12;
                    t.via = (via)v;
                    snprintf(name, sizeof name, "RoIAlign of %dx%dx%d, %d RoIs, crop %d, via %d",
                             t.in.height, t.in.width, t.in.channels, count, t.kernel, v);
                    t.name = name;
                    trial_check(&t, &w);
                }
    trial_report("RoIAlign", &w);
}

static void mask_select(void **state) {
    (void)state;
    worst w = {0};
    trial t = {.build = build_op, .op = op_mask_select, .step = 0.02, .bound = 1e-3};
    static const char *const trained[] = {"kernel bias", "kernel", "bias", ""};
    for (int s = 0; s < SHAPES; s++)
        for (int v = NOWHERE; v < VIA_COUNT; v++)
            for (int k = v == NOWHERE ? 2 : 3; k >= 0; k--) {
                char name[100];
                set_shape(&t, s);
                set_rows(&t, MR_ROWS_ROIS, 1 + 2 * (s % 3));
                t.via = (via)v;
                t.train = trained[k];
                snprintf(name, sizeof name, "mask select of %dx%dx%d, via %d, trains \"%s\"",
                         t.in.height, t.in.width, t.in.channels, v, t.train);
                t.name = name;
                trial_check(&t, &w);
            }
    trial_report("mask select", &w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),     cmocka_unit_test(dense_and_deconv),
        cmocka_unit_test(elementwise),      cmocka_unit_test(batch_norm),
        cmocka_unit_test(batch_statistics), cmocka_unit_test(batch_statistics_of_odd_numbers),
        cmocka_unit_test(max_pool),         cmocka_unit_test(max_pool_ties),
        cmocka_unit_test(roi_align),        cmocka_unit_test(mask_select),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
