/* test_gradients_networks.c - the backward of small networks: values with several readers, layers used
 * twice, gradients at a few pixels. */
#include "helper_assert.h"
#include "helper_golden_graph.h"
#include "helper_gradients.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

/* The residual is the block's own input, then a projection of it. */
static void build_residual_blocks(mrcnn_graph *g, const trial *t) {
    mrcnn_value x = trial_wanted_input(g, "x", t->kind, t->in);
    x = mrcnn_relu(g, trial_conv_bn(g, x, "stem", 6, 1, 1));
    mrcnn_value y = mrcnn_relu(g, trial_conv_bn(g, x, "a1", 3, 1, 1));
    y = mrcnn_relu(g, trial_conv_bn(g, y, "a2", 3, 3, 1));
    x = mrcnn_relu(g, mrcnn_add(g, trial_conv_bn(g, y, "a3", 6, 1, 1), x));
    y = mrcnn_relu(g, trial_conv_bn(g, x, "b1", 3, 1, 2));
    y = trial_conv_bn(g, y, "b2", 9, 1, 1);
    x = mrcnn_relu(g, mrcnn_add(g, y, trial_conv_bn(g, x, "projection", 9, 1, 2)));
    mr_graph_output(g, x, "y");
}

/* A feature pyramid: each level goes up and out. */
static void build_pyramid(mrcnn_graph *g, const trial *t) {
    mrcnn_shape half = {(t->in.height + 1) / 2, (t->in.width + 1) / 2, 4};
    mrcnn_value c2 = trial_wanted_input(g, "x", t->kind, t->in);
    mrcnn_value c3 = mrcnn_max_pool(g, c2, 1, 2, MRCNN_SAME);
    mrcnn_value p3 = mrcnn_conv2d(g, c3, "c3p3", half.channels, 1, 1, MRCNN_VALID);
    mrcnn_value p2 = mrcnn_conv2d(g, c2, "c2p2", half.channels, 1, 1, MRCNN_VALID);
    p2 = mrcnn_add(g, mrcnn_upsample2x(g, p3), p2);
    p3 = mrcnn_conv2d(g, p3, "p3", 4, 3, 1, MRCNN_SAME);
    mr_graph_output(g, mrcnn_conv2d(g, p2, "p2", 4, 3, 1, MRCNN_SAME), "p2");
    mr_graph_output(g, mrcnn_max_pool(g, p3, 1, 2, MRCNN_SAME), "p4");
    mr_graph_output(g, p3, "p3"); /* an output that is read, too */
}

/* One head on two maps; its outputs are reached at a few pixels, or so they say. */
static void build_shared_head(mrcnn_graph *g, const trial *t) {
    mrcnn_shape small = {2, 3, t->in.channels};
    mrcnn_value maps[2] = {trial_wanted_input(g, "x", t->kind, t->in),
                           trial_wanted_input(g, "small", t->kind, small)};
    for (int k = 0; k < 2; k++) {
        mrcnn_value x = mrcnn_conv2d(g, maps[k], "shared", 5, 3, 1, MRCNN_SAME);
        x = t->relu ? mrcnn_relu(g, x) : x;
        mrcnn_value class = mrcnn_conv2d(g, x, "class", 4, 1, 1, MRCNN_VALID);
        mrcnn_value box = mrcnn_conv2d(g, x, "box", 8, 1, 1, MRCNN_VALID);
        mr_graph_output(g, class, k ? "q class" : "p class");
        mr_graph_output(g, box, k ? "q box" : "p box");
        if (!t->sparse || t->stride == 2) continue; /* the loss is sparse, but nobody says so */
        int most = t->in.height * t->in.width;
        mr_graph_sparse_gradient(g, class, k, most);
        mr_graph_sparse_gradient(g, box, k, most);
    }
}

/* One layer twice, on its own output, which is an output as well. */
static void build_twice(mrcnn_graph *g, const trial *t) {
    mrcnn_value x = trial_wanted_input(g, "x", t->kind, t->in);
    x = mrcnn_relu(g, trial_conv_bn(g, x, "layer", t->in.channels, 3, 1));
    mr_graph_output(g, x, "y");
    mr_graph_output(g, mrcnn_relu(g, trial_conv_bn(g, x, "layer", t->in.channels, 3, 1)), "y2");
}

/* Padding, strides, batch statistics, pooling: the beginning of a ResNet. */
static void build_stem(mrcnn_graph *g, const trial *t) {
    mrcnn_value x = trial_wanted_input(g, "x", t->kind, t->in);
    mr_graph_batch_statistics(g, t->batch_statistics);
    x = mrcnn_conv2d(g, mrcnn_zero_pad(g, x, 3), "conv1", 4, 7, 2, MRCNN_VALID);
    x = mrcnn_relu(g, mrcnn_batch_norm(g, x, "bn_conv1"));
    mr_graph_output(g, mrcnn_max_pool(g, x, 3, 2, MRCNN_SAME), "y");
}

/* Both heads. */
static void build_heads(mrcnn_graph *g, const trial *t) {
    mrcnn_shape roi = {1, 1, MR_ROI_COLUMNS}, one = {1, 1, 1};
    mrcnn_value x = trial_wanted_input(g, "x", MR_ROWS_IMAGES, t->in);
    mrcnn_value rois = trial_input(g, "rois", MR_ROWS_ROIS, roi);
    mrcnn_shape small = {3, 2, t->in.channels};
    const mrcnn_value levels[3] = {x, trial_wanted_input(g, "small", MR_ROWS_IMAGES, small), x};
    mrcnn_value y = mr_roi_align(g, levels, 3, rois, 3, 3);
    y = mrcnn_conv2d(g, y, "class_conv1", 6, 3, 1, MRCNN_VALID);
    y = mrcnn_relu(g, mrcnn_batch_norm(g, y, "class_bn1"));
    mr_graph_output(g, mr_dense(g, y, "logits", 3), "logits");
    mr_graph_output(g, mr_softmax(g, mr_dense(g, y, "boxes", 5)), "boxes");
    mrcnn_value m = mr_roi_align(g, levels, 3, rois, 4, 4);
    m = mrcnn_relu(g, trial_conv_bn(g, m, "mask_conv1", 4, 3, 1));
    m = mrcnn_relu(g, mr_deconv2x2(g, m, "mask_deconv", 4));
    mrcnn_value class = trial_input(g, "class", MR_ROWS_ROIS, one);
    mr_graph_output(g, mr_mask_select(g, m, class, "mask", 3), "masks");
}

/* What picks maxima of sums can't be kept from kinks: there the steps are small. */
static const struct {
    const char *name;
    void (*build)(mrcnn_graph *g, const trial *t);
    int relu, batch_statistics;
    double step, bound;
} networks[] = {{"residual blocks", build_residual_blocks, 1, 0, 0.05, 1e-3},
                {"pyramid", build_pyramid, 0, 0, 0.25, 1e-4},
                {"a layer twice", build_twice, 1, 0, 0.05, 1e-3},
                {"stem, frozen statistics", build_stem, 0, 0, 0.002, 1e-2},
                {"stem, batch statistics", build_stem, 0, 1, 0.002, 1e-2},
                {"heads", build_heads, 1, 0, 0.01, 2e-3}};

static void small_networks(void **state) {
    (void)state;
    static const char *const trained[] = {"kernel bias gamma beta", "gamma beta", "kernel", ""};
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        worst w = {0};
        for (int k = 0; k < 4; k++)
            for (int rows = 1; rows <= 2; rows++) {
                trial t = {.name = networks[i].name, .build = networks[i].build};
                mrcnn_shape in = {6, 4, 3};
                t.in = in;
                t.filters = 3;
                t.relu = networks[i].relu;
                t.batch_statistics = networks[i].batch_statistics;
                t.step = networks[i].step;
                t.bound = networks[i].bound;
                t.train = trained[k];
                t.rois = trial_rois[0];
                t.rows[MR_ROWS_IMAGES] = rows;
                t.rows[MR_ROWS_ROIS] = rows == 1 ? 4 : 8;
                trial_check(&t, &w);
            }
        trial_report(networks[i].name, &w);
    }
}

/* Gradients at a few pixels are those of the same loss when nobody says that it is sparse. */
static void sparse_gradients(void **state) {
    (void)state;
    worst w = {0};
    for (int relu = 0; relu < 2; relu++)
        for (int rows = 1; rows <= 3; rows++) {
            trial t = {.name = "shared head, sparse", .build = build_shared_head, .relu = relu};
            mrcnn_shape in = {4, 5, 3};
            world sparse, dense;
            t.in = in;
            t.sparse = 1;
            t.step = relu ? 0.05 : 0.1;
            t.bound = 1e-3;
            t.train = "kernel bias";
            t.rows[MR_ROWS_IMAGES] = rows;
            trial_check(&t, &w);
            world_open(&sparse, &t, &mr_executor_reference, 1, 0);
            assert_true(sparse.pixels[0].count > 0 && sparse.outputs[0].group == 0);
            t.stride = 2;
            world_open(&dense, &t, &mr_executor_reference, 1, 0);
            assert_true(dense.outputs[0].group < 0);
            world_loss(&sparse);
            world_backward(&sparse);
            world_loss(&dense);
            world_backward(&dense);
            variable whose;
            assert_true(world_compare(&sparse, &dense, &whose) < 1e-6);
            world_close(&sparse);
            world_close(&dense);
        }
    trial_report("shared head, sparse", &w);
}

static void build_sparse_pool(mrcnn_graph *g, const trial *t) {
    mrcnn_value x = mrcnn_max_pool(g, trial_wanted_input(g, "x", t->kind, t->in), 3, 1, MRCNN_SAME);
    mr_graph_output(g, x, "p");
    mr_graph_sparse_gradient(g, x, 0, 4);
}

/* The reference executor does all sparse gradients, the CPU executor those of convolutions. */
static void sparse_gradients_of_others(void **state) {
    (void)state;
    worst w = {0};
    trial t = {.name = "pool, sparse", .build = build_sparse_pool, .train = "", .sparse = 1};
    mrcnn_shape in = {4, 5, 3};
    mrcnn_error err = MRCNN_ERROR_INIT;
    t.in = in;
    t.x = DISTINCT;
    t.step = 1.0 / 64;
    t.bound = 1e-4;
    t.rows[MR_ROWS_IMAGES] = 1;
    t.on_reference_only = 1;
    trial_check(&t, &w);
    mrcnn_graph *g = trial_build(&t);
    mr_tensors *none = mr_tensors_create();
    mr_plan *plan = NULL;
    mr_plan_options o = {.executor = &mr_executor_cpu, .threads = 1, .max_rows = {1, 1}};
    o.gradients = o.weights = none;
    assert_int_equal(mr_plan_compile(&plan, &g, &o, &err), MRCNN_E_UNSUPPORTED);
    assert_contains(err.message, "convolution");
    assert_null(plan);
    mr_tensors_free(&none);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_networks),
        cmocka_unit_test(sparse_gradients),
        cmocka_unit_test(sparse_gradients_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
