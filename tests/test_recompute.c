/* test_recompute.c - activations that are computed again instead of kept: the same gradients, outputs and
 * statistics, bit for bit, in less memory; and whole runs of training that leave the same bytes. */
#include "helper_assert.h"
#include "helper_cli.h"
#include "helper_gradients.h"
#include "helper_train.h"

#include <stdlib.h>

/* ---------------------------------------------------------------------------------------- graphs */

/* The residual is the block's input, or a projection of it where the number of channels changes. */
static mrcnn_value block(mrcnn_graph *g, mrcnn_value x, const char *name, int filters, int stride) {
    char layer[3][32];
    for (int i = 0; i < 3; i++) snprintf(layer[i], sizeof layer[i], "%s_%d", name, i);
    int project = mrcnn_value_shape(g, x).channels != filters;
    mrcnn_value y = mrcnn_relu(g, trial_conv_bn(g, x, layer[0], 4, 3, stride));
    y = trial_conv_bn(g, y, layer[1], filters, 3, 1);
    return mrcnn_relu(
        g, mrcnn_add(g, y, project ? trial_conv_bn(g, x, layer[2], filters, 1, stride) : x));
}

/* A small ResNet with a pyramid of two levels, and on one of them a head that is learnt at a few pixels.
 * Nothing reads one of its convolutions. */
static void build_network(mrcnn_graph *g, const trial *t) {
    mrcnn_value x = trial_input(g, "image", t->kind, t->in);
    if (t->via == INPUT) mr_graph_want_gradient(g, x);
    mr_graph_stage(g, "backbone");
    mr_graph_batch_statistics(g, t->batch_statistics);
    x = mrcnn_conv2d(g, mrcnn_zero_pad(g, x, 3), "stem", 8, 7, 2, MRCNN_VALID);
    x = mrcnn_relu(g, mrcnn_batch_norm(g, x, "bn_stem"));
    x = mrcnn_max_pool(g, x, 3, 2, MRCNN_SAME);
    for (int i = 0; i < 4; i++) x = block(g, x, (const char *[]){"a", "b", "c", "d"}[i], 16, 1);
    mrcnn_value c2 = x;
    mrcnn_conv2d(g, x, "unread", 4, 1, 1, MRCNN_VALID);
    for (int i = 0; i < 4; i++)
        x = block(g, x, (const char *[]){"e", "f", "g", "h"}[i], 24, i == 0 ? 2 : 1);
    mr_graph_stage(g, "pyramid");
    mrcnn_value p3 = mrcnn_conv2d(g, x, "c3p3", 8, 1, 1, MRCNN_VALID);
    mrcnn_value p2 =
        mrcnn_add(g, mrcnn_upsample2x(g, p3), mrcnn_conv2d(g, c2, "c2p2", 8, 1, 1, MRCNN_VALID));
    mr_graph_output(g, mrcnn_conv2d(g, p3, "p3", 8, 3, 1, MRCNN_SAME), "q3");
    mrcnn_value shared = mrcnn_relu(g, mrcnn_conv2d(g, p2, "shared", 8, 3, 1, MRCNN_SAME));
    mrcnn_value head = mrcnn_conv2d(g, shared, "head", 6, 1, 1, MRCNN_VALID);
    mr_graph_output(g, head, "p head");
    mr_graph_sparse_gradient(g, head, 0, t->in.height * t->in.width);
}

static trial network(void) {
    trial t = {.name = "network", .build = build_network, .in = {32, 32, 3}};
    t.train = "kernel bias gamma beta";
    t.via = INPUT;
    t.sparse = 1;
    t.rows[MR_ROWS_IMAGES] = 2;
    t.between = 1000000; /* more than all that is dead meanwhile */
    return t;
}

static void same_tensors(const mr_tensors *a, const mr_tensors *b, const char *what) {
    assert_int_equal(mr_tensors_count(a), mr_tensors_count(b));
    for (size_t i = 0; i < mr_tensors_count(a); i++) {
        const mr_tensor *x = mr_tensors_at(a, i), *y = mr_tensors_find(b, x->layer, x->param);
        if (memcmp(x->values, y->values, x->count * sizeof(float)) != 0)
            fail_msg("%s of %s/%s differ", what, x->layer, x->param);
    }
}

/* Two steps, in both ways: what a second one finds is what the first one left. */
static void check_same(const trial *kept, const mr_executor *executor, int threads) {
    trial again = *kept;
    world a, b;
    again.recompute = "backbone";
    world_open(&a, kept, executor, threads, 1);
    world_open(&b, &again, executor, threads, 1);
    assert_int_equal(mr_plan_recomputed(a.plan), 0);
    assert_true(mr_plan_recomputed(b.plan) > 0);
    assert_true(b.bytes < a.bytes);
    /* With a sum and a batch norm behind each convolution most can be spared. (Of this executor's
     * workspace little is scratch.) */
    if (kept->batch_statistics && executor == &mr_executor_reference)
        assert_true(2 * (b.bytes - kept->between) < a.bytes - kept->between);
    for (int step = 0; step < 2; step++) {
        double loss = world_loss(&a);
        assert_true(loss == loss && loss == world_loss(&b));
        world_backward(&a);
        world_backward(&b);
        same_tensors(a.gradients, b.gradients, "gradients");
        same_tensors(a.weights, b.weights, "weights");
        assert_memory_equal(a.inputs[0].gradient, b.inputs[0].gradient,
                            a.inputs[0].count * sizeof(float));
    }
    world_close(&a);
    world_close(&b);
}

static void same_gradients(void **state) {
    (void)state;
    static const char *const trained[] = {"kernel bias gamma beta", "gamma beta", "kernel"};
    for (int i = 0; i < 12; i++) {
        trial t = network();
        t.batch_statistics = i % 2;
        t.train = trained[i % 3];
        t.rows[MR_ROWS_IMAGES] = 1 + i / 6;
        check_same(&t, &mr_executor_cpu, 1 + i % 4 / 2);
        if (i % 4 == 1) check_same(&t, &mr_executor_reference, 2);
    }
}

static void same_gradients_in_bf16(void **state) {
    (void)state;
    if (!mr_executor_cpu.computes_in(MR_BF16)) {
        puts("skipped: this machine has no bf16");
        skip();
    }
    for (int i = 0; i < 2; i++) {
        trial t = network();
        t.batch_statistics = i;
        t.products = MR_BF16;
        check_same(&t, &mr_executor_cpu, 2);
    }
}

/* Statistics that move at all, for the comparison above. */
static void statistics_move(void **state) {
    (void)state;
    trial t = network();
    world w;
    t.batch_statistics = 1;
    t.recompute = "backbone";
    world_open(&w, &t, &mr_executor_cpu, 1, 1);
    const mr_tensor *mean = mr_tensors_find(w.weights, "bn_a_0", "moving_mean");
    float before = mean->values[0];
    world_loss(&w);
    float moved = mean->values[0];
    assert_true(moved != before);
    world_backward(&w);
    assert_true(mean->values[0] == moved);
    world_close(&w);
}

/* Below the lowest layer that is trained nothing was kept, and nothing is computed again. */
static void only_what_was_kept(void **state) {
    (void)state;
    static const char *const layers[] = {NULL, "h_", "head"};
    int counts[3];
    for (int i = 0; i < 3; i++) {
        trial t = network();
        world w;
        t.via = NOWHERE;
        t.layers = layers[i];
        t.recompute = "backbone";
        world_open(&w, &t, &mr_executor_reference, 1, 1); /* of its workspace little is scratch */
        counts[i] = mr_plan_recomputed(w.plan);
        world_close(&w);
    }
    assert_true(counts[0] > counts[1] && counts[1] > 0);
    assert_int_equal(counts[2], 0);
}

static void build_funnel(mrcnn_graph *g, const trial *t) {
    mrcnn_value x = trial_input(g, "image", t->kind, t->in);
    mr_graph_stage(g, "backbone");
    x = mrcnn_relu(g, mrcnn_conv2d(g, x, "wide", 64, 3, 1, MRCNN_SAME));
    for (int i = 0; i < 3; i++)
        x = mrcnn_relu(g, mrcnn_conv2d(g, x, (const char *[]){"a_", "b_", "c_"}[i], 4, 3,
                                       i == 0 ? 2 : 1, MRCNN_SAME));
    mr_graph_stage(g, "pyramid");
    mr_graph_output(g, mrcnn_conv2d(g, x, "head_", 4, 1, 1, MRCNN_VALID), "y");
}

/* The most memory is needed before anything that is trained: all may be kept then. */
static void not_where_it_saves_nothing(void **state) {
    (void)state;
    trial t = network(), again;
    world a, b;
    t.build = build_funnel;
    t.via = NOWHERE;
    t.layers = "_";
    t.between = t.sparse = 0;
    again = t;
    again.recompute = "backbone";
    world_open(&a, &t, &mr_executor_cpu, 1, 1);
    world_open(&b, &again, &mr_executor_cpu, 1, 1);
    assert_int_equal(mr_plan_recomputed(b.plan), 0);
    assert_true(a.bytes == b.bytes);
    world_close(&a);
    world_close(&b);
}

/* ----------------------------------------------------------------------------------------- runs */

typedef struct variant {
    const char *name, *layers;
    int epochs, bf16;
    const char *const *keys;
} variant;

static const variant variants[] = {
    {"all", "all", 2, 0, (const char *const[]){"IMAGES_PER_GPU", "2", NULL}},
    {"norms", "all", 2, 0,
     (const char *const[]){"TRAIN_BN", "none", "IMAGES_PER_GPU", "2", "OPTIMIZER", "adamw", NULL}},
    {"low", "all", 2, 1, (const char *const[]){"TRAIN_PRECISION", "bf16", NULL}},
    {"fourth", "4+", 2, 0, NULL},
    {"stages", NULL, 0, 0, (const char *const[]){"STAGES", "heads 1; all 2", NULL}},
};
enum { VARIANTS = sizeof variants / sizeof *variants, STEPS = 10 };

static train_case case_of(const variant *v, const char *logs, int recompute) {
    static const char *keys[16];
    int count = 0;
    keys[count++] = "STEPS_PER_EPOCH";
    keys[count++] = "10";
    for (int i = 0; v->keys && v->keys[i]; i++) keys[count++] = v->keys[i];
    keys[count] = NULL;
    train_case c = {.logs = logs,
                    .keys = keys,
                    .layers = v->layers,
                    .epochs = v->epochs,
                    .recompute = recompute};
    return c;
}

/* With it, without it, and with it in turns: going on from the other's checkpoint. */
static void same_run(void **state) {
    const variant *v = *state;
    char with[64], turns[64], turned[80];
    if (v->bf16 && !mr_executor_cpu.computes_in(MR_BF16)) {
        puts("skipped: this machine has no bf16");
        skip();
    }
    snprintf(with, sizeof with, "%s-with", v->name);
    snprintf(turns, sizeof turns, "%s-turns", v->name);
    snprintf(turned, sizeof turned, "%s-turns-%d", v->name, STEPS + 3);
    train_case c = case_of(v, v->name, 0);
    const train_made *m = train_well(&c);
    size_t kept = m->start.activation_bytes;
    assert_int_equal(m->steps, 2 * STEPS);
    c = case_of(v, with, 1);
    m = train_well(&c);
    assert_true(m->start.activation_bytes < kept);
    train_same_epoch(v->name, with, 2);
    for (int recompute = 0; recompute < 2; recompute++) {
        c = case_of(v, turns, recompute);
        if (recompute)
            c.resume = "last";
        else
            c.stop_at_step = STEPS + 3;
        m = train_well(&c);
    }
    assert_int_equal(m->resumed, 1);
    train_same_epoch(v->name, turns, 2);
}

/* Said once a stage, and nothing else changes. */
static void nothing_to_compute(void **state) {
    (void)state;
    static const char text[] = "recompute changes nothing: with layers \"heads\" no activations";
    const variant heads = {"heads", "heads", 2, 0, NULL}, *stages = &variants[VARIANTS - 1];
    train_case c = case_of(&heads, "heads", 0);
    const train_made *m = train_well(&c);
    size_t kept = m->start.activation_bytes;
    assert_string_equal(m->messages, "");
    c = case_of(&heads, "heads-with", 1);
    m = train_well(&c);
    assert_int_equal(cli_occurrences(m->messages, text), 1);
    assert_int_equal(cli_occurrences(m->messages, "\n"), 1);
    assert_true(m->start.activation_bytes == kept);
    train_same_epoch("heads", "heads-with", 2);
    c = case_of(stages, "two-stages", 1);
    m = train_well(&c);
    assert_int_equal(cli_occurrences(m->messages, text), 1);
    assert_int_equal(cli_occurrences(m->messages, "\n"), 1);
}

int main(void) {
    struct CMUnitTest tests[VARIANTS + 6] = {
        cmocka_unit_test(same_gradients),
        cmocka_unit_test(same_gradients_in_bf16),
        cmocka_unit_test(statistics_move),
        cmocka_unit_test(only_what_was_kept),
        cmocka_unit_test(not_where_it_saves_nothing),
        cmocka_unit_test(nothing_to_compute),
    };
    for (int i = 0; i < VARIANTS; i++)
        tests[6 + i] =
            (struct CMUnitTest){variants[i].name, same_run, NULL, NULL, (void *)&variants[i]};
    return cmocka_run_group_tests(tests, cli_enter, cli_leave);
}
