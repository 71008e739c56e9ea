/* test_ops.c - every operation of the graph: the CPU executor against plain loops on odd shapes,
 * the passes against the same graph without them, and what a builder that goes wrong says.
 *
 * A case is a graph, seeded weights and inputs; the judge is always the reference executor on the
 * graph as it was written. */
#include "helper_assert.h"
#include "helper_golden_graph.h"

#include <math.h>
#include <stdlib.h>

static const double CLOSE = 1e-5, CLOSE_BF16 = 0.03, CLOSE_8BIT = 0.06; /* of the largest value */

/* A graph with input "x" (pictures) or "r" (RoIs) and output "y". */
typedef void (*builder)(mrcnn_graph *g, const void *user);

typedef struct trial {
    builder build;
    const void *user;
    mrcnn_shape input;
    mr_rows kind;
    int rows, max_rows;
    double bound;
} trial;

static mrcnn_graph *make_graph(const trial *t) {
    mrcnn_graph *g = mr_graph_create();
    mr_graph_input(g, "x", t->kind, t->input); /* value 0 */
    t->build(g, t->user);
    return g;
}

static float *run_trial_in(const trial *t, const mr_executor *executor, mr_type precision,
                           int fused, int threads, mr_tensors *weights, const float *x,
                           size_t *count) {
    mrcnn_graph *g = make_graph(t);
    if (!fused) eval_forbid_fusion(g);
    eval e = {.executor = executor,
              .precision = precision,
              .weights = weights,
              .threads = threads,
              .names = {"x"},
              .inputs = {x}};
    e.rows[t->kind] = t->rows;
    e.max_rows[t->kind] = t->max_rows;
    return eval_graph(&e, &g, "y", count);
}

static float *run_trial(const trial *t, const mr_executor *executor, int fused, int threads,
                        mr_tensors *weights, const float *x, size_t *count) {
    return run_trial_in(t, executor, MR_F32, fused, threads, weights, x, count);
}

/* In bf16 an input, a weight and a value have 8 bits. Returns whether two threads gave the same bytes as one. */
static int compare_bf16(const char *name, const trial *t, mr_tensors *weights, const float *x,
                        const float *judge, size_t count) {
    if (!mr_executor_cpu.computes_in(MR_BF16)) return 1;
    float *have[2];
    for (int i = 0; i < 2; i++) {
        size_t have_count;
        have[i] = run_trial_in(t, &mr_executor_cpu, MR_BF16, 1, 1 + i, weights, x, &have_count);
        assert_int_equal(have_count, count);
        double error = eval_difference(judge, have[i], count);
        if (!(error <= CLOSE_BF16))
            fail_msg("%s: bf16, %d threads: %g of %g", name, 1 + i, error, CLOSE_BF16);
    }
    int same_bytes = memcmp(have[0], have[1], count * sizeof(float)) == 0;
    free(have[0]);
    free(have[1]);
    return same_bytes;
}

/* The largest size of each layer's values. */
static void note_range(void *user, const mr_node *node, const void *values, int rows) {
    float most = 1e-6f;
    if (!node->layer[0]) return;
    for (size_t i = 0; i < (size_t)rows * mr_shape_size(node->shape); i++)
        most = fmaxf(most, fabsf(((const float *)values)[i]));
    most = fmaxf(most, mr_ranges_find(user, node->layer));
    assert_int_equal(mr_ranges_set(user, node->layer, most, NULL), MRCNN_OK);
}

/* In 8 bits, from an input of 8 bits: every operation reads it, and in networks all that lies between layers is of 8
 * bits, too. Above them f32 and bf16. */
static void compare_8bit(const char *name, const trial *t, mr_tensors *weights, const float *x) {
    if (!mr_executor_cpu.computes_in(MR_S8)) return;
    size_t size = (size_t)t->rows * mr_shape_size(t->input), count;
    size_t room = (size_t)(t->max_rows > t->rows ? t->max_rows : t->rows) * mr_shape_size(t->input);
    int8_t *small = calloc(room + 64, 1);
    float *exact = malloc(size * sizeof *exact);
    for (size_t i = 0; i < size; i++) {
        small[i] = (int8_t)lrintf(x[i] * 127);
        exact[i] = (float)small[i] * (1.0f / 127);
    }
    float *judge = run_trial(t, &mr_executor_reference, 0, 1, weights, exact, &count);
    mr_ranges *ranges = mr_ranges_create();
    eval e = {.executor = &mr_executor_cpu,
              .weights = weights,
              .threads = 2,
              .names = {"x"},
              .inputs = {exact},
              .observer = note_range,
              .observer_user = ranges};
    e.rows[t->kind] = t->rows;
    e.max_rows[t->kind] = t->max_rows;
    mrcnn_graph *g = make_graph(t);
    free(eval_graph(&e, &g, "y", NULL));
    e.observer = NULL;
    e.ranges = ranges;
    e.inputs[0] = small;
    for (int bf16 = 0; bf16 <= mr_executor_cpu.computes_in(MR_BF16); bf16++) {
        size_t have_count;
        g = make_graph(t);
        mr_graph_feature(g, 0);
        mr_graph_input_type(g, "x", MR_S8, 1.0f / 127);
        e.precision = bf16 ? MR_BF16 : MR_F32;
        float *have = eval_graph(&e, &g, "y", &have_count);
        assert_int_equal(have_count, count);
        double error = eval_difference(judge, have, count);
        if (!(error <= CLOSE_8BIT))
            fail_msg("%s: 8 bits above %s: %g of %g", name, bf16 ? "bf16" : "f32", error,
                     CLOSE_8BIT);
        free(have);
    }
    mr_ranges_free(&ranges);
    free(judge);
    free(small);
    free(exact);
}

/* Both executors, fused and not, one thread and two, against plain loops without any pass. Returns
 * whether two threads gave the same bytes as one. */
static int compare(const char *name, const trial *t) {
    size_t count;
    mr_tensors *weights = mr_tensors_create();
    mrcnn_graph *g = make_graph(t);
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_graph_status(g, &err) != MRCNN_OK) fail_msg("%s: %s", name, err.message);
    eval_weights(weights, g, 7);
    mr_graph_free(&g);
    float *x = eval_noise(5, (size_t)t->rows * mr_shape_size(t->input), -1, 1);
    float *judge = run_trial(t, &mr_executor_reference, 0, 1, weights, x, &count);
    float *cpu = NULL;
    int same_bytes = 1;
    const struct {
        const mr_executor *executor;
        int fused, threads;
    } ways[] = {{&mr_executor_reference, 1, 2},
                {&mr_executor_cpu, 0, 1},
                {&mr_executor_cpu, 1, 1},
                {&mr_executor_cpu, 1, 2}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        size_t have_count;
        float *have =
            run_trial(t, ways[i].executor, ways[i].fused, ways[i].threads, weights, x, &have_count);
        assert_int_equal(have_count, count);
        double error = eval_difference(judge, have, count);
        if (!(error <= t->bound))
            fail_msg("%s: %s executor, %s, %d threads: %g of %g", name, ways[i].executor->name,
                     ways[i].fused ? "fused" : "not fused", ways[i].threads, error, t->bound);
        if (i == 2) {
            cpu = have;
        } else {
            if (i == 3) same_bytes = memcmp(cpu, have, count * sizeof *have) == 0;
            free(have);
        }
    }
    same_bytes &= compare_bf16(name, t, weights, x, judge, count);
    compare_8bit(name, t, weights, x);
    free(cpu);
    free(judge);
    free(x);
    mr_tensors_free(&weights);
    return same_bytes;
}

/* -------------------------------------------------------------------------------- convolutions */

typedef struct conv {
    int height, width, channels, filters, kernel, stride, batch;
    mrcnn_padding padding;
} conv;

static void build_conv(mrcnn_graph *g, const void *user) {
    const conv *c = user;
    mr_graph_output(g, mrcnn_conv2d(g, 0, "conv", c->filters, c->kernel, c->stride, c->padding),
                    "y");
}

static void build_conv_bn_relu(mrcnn_graph *g, const void *user) {
    const conv *c = user;
    mrcnn_value x = mrcnn_conv2d(g, 0, "conv", c->filters, c->kernel, c->stride, c->padding);
    mr_graph_output(g, mrcnn_relu(g, mrcnn_batch_norm(g, x, "bn")), "y");
}

static int fits(const conv *c) {
    return c->padding == MRCNN_SAME || (c->height >= c->kernel && c->width >= c->kernel);
}

static void convolutions(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {2, 3}, {5, 4}, {7, 7}, {13, 9}};
    static const int kernels[] = {1, 2, 3, 5, 7};
    static const int channels[][2] = {{1, 1},   {2, 3},   {3, 16},  {16, 16}, {17, 16},
                                      {16, 17}, {32, 80}, {80, 32}, {64, 64}, {12, 6}};
    int differ = 0, compared = 0, index = 0;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++)
            for (int stride = 1; stride <= 3; stride++)
                for (int padding = 0; padding < 2; padding++, index++) {
                    size_t c = (size_t)index % (sizeof channels / sizeof *channels);
                    conv shape = {sizes[s][0],    sizes[s][1],
                                  channels[c][0], channels[c][1],
                                  kernels[k],     stride,
                                  1 + index % 3,  padding ? MRCNN_SAME : MRCNN_VALID};
                    char name[128];
                    if (!fits(&shape)) continue;
                    snprintf(name, sizeof name, "conv %dx%dx%d to %d, kernel %d stride %d %s x%d",
                             shape.height, shape.width, shape.channels, shape.filters, shape.kernel,
                             stride, padding ? "same" : "valid", shape.batch);
                    trial t = {index % 2 ? build_conv_bn_relu : build_conv,
                               &shape,
                               {shape.height, shape.width, shape.channels},
                               MR_ROWS_IMAGES,
                               shape.batch,
                               0,
                               CLOSE};
                    for (int kind = 0; kind < 2; kind++, compared++) {
                        t.kind = kind ? MR_ROWS_ROIS : MR_ROWS_IMAGES;
                        t.max_rows = kind ? t.rows + index % 4 : 0;
                        if (compare(name, &t)) continue;
                        print_message("%s of %s: other bytes with two threads\n", name,
                                      kind ? "RoIs" : "pictures");
                        differ++;
                    }
                }
    print_message("other bytes with two threads: %d of %d convolutions\n", differ, compared);
}

/* All the shapes that Winograd takes, at every remainder of its 4 x 4 tiles. */
static void convolutions_3x3(void **state) {
    (void)state;
    static const int channels[][2] = {{16, 16}, {17, 33}, {64, 80}};
    int differ = 0;
    for (int h = 1; h <= 9; h += 2)
        for (int w = 1; w <= 10; w += 3)
            for (size_t c = 0; c < 3; c++) {
                conv shape = {h, w, channels[c][0], channels[c][1], 3, 1, 2, MRCNN_SAME};
                trial t = {
                    build_conv_bn_relu, &shape, {h, w, shape.channels}, MR_ROWS_ROIS, 2, 29, CLOSE};
                differ += !compare("conv 3x3", &t);
            }
    assert_int_equal(differ, 0); /* promised by winograd.h */
}

/* Fewer rows than the plan was made for, down to none. */
static void fewer_rows(void **state) {
    (void)state;
    static const conv shape = {6, 6, 32, 24, 3, 1, 1, MRCNN_SAME};
    for (int rows = 0; rows <= 40; rows += rows < 3 ? 1 : 9) {
        trial t = {build_conv_bn_relu, &shape, {6, 6, 32}, MR_ROWS_ROIS, rows, 100, CLOSE};
        compare("conv, fewer rows", &t);
    }
}

/* --------------------------------------------------------------------------- other single nodes */

static void build_pool(mrcnn_graph *g, const void *user) {
    const conv *c = user;
    mr_graph_output(g, mrcnn_max_pool(g, 0, c->kernel, c->stride, c->padding), "y");
}

static void build_upsample(mrcnn_graph *g, const void *user) {
    (void)user;
    mr_graph_output(g, mrcnn_upsample2x(g, 0), "y");
}

static void build_pad(mrcnn_graph *g, const void *user) {
    mr_graph_output(g, mrcnn_zero_pad(g, 0, *(const int *)user), "y");
}

static void build_softmax(mrcnn_graph *g, const void *user) {
    (void)user;
    mr_graph_output(g, mr_softmax(g, 0), "y");
}

static void build_relu(mrcnn_graph *g, const void *user) {
    (void)user;
    mr_graph_output(g, mrcnn_relu(g, 0), "y");
}

static void build_add(mrcnn_graph *g, const void *user) {
    (void)user;
    mr_graph_output(g, mrcnn_add(g, 0, mrcnn_relu(g, 0)), "y");
}

static void build_batch_norm(mrcnn_graph *g, const void *user) {
    (void)user;
    mr_graph_output(g, mrcnn_batch_norm(g, 0, "bn"), "y");
}

static void build_dense(mrcnn_graph *g, const void *user) {
    mr_graph_output(
        g, mrcnn_relu(g, mrcnn_batch_norm(g, mr_dense(g, 0, "fc", *(const int *)user), "bn")), "y");
}

static void build_deconv(mrcnn_graph *g, const void *user) {
    mr_graph_output(g, mrcnn_relu(g, mr_deconv2x2(g, 0, "deconv", *(const int *)user)), "y");
}

static void small_nodes(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 5}, {4, 3}, {9, 9}};
    static const int channels[] = {1, 2, 3, 16, 17, 32, 80};
    static const int pads[] = {0, 1, 3};
    for (size_t s = 0; s < 4; s++)
        for (size_t c = 0; c < 7; c++) {
            mrcnn_shape in = {sizes[s][0], sizes[s][1], channels[c]};
            int units = channels[(c + s) % 7], batch = 1 + (int)(s + c) % 3;
            trial t = {NULL, &units, in, MR_ROWS_IMAGES, batch, 0, CLOSE};
            for (int kind = 0; kind < 2; kind++) {
                t.kind = kind ? MR_ROWS_ROIS : MR_ROWS_IMAGES;
                t.max_rows = kind ? batch + 5 : 0;
                t.build = build_upsample;
                assert_true(compare("upsample", &t));
                t.build = build_softmax;
                assert_true(compare("softmax", &t));
                t.build = build_relu;
                assert_true(compare("relu", &t));
                t.build = build_add;
                assert_true(compare("add", &t));
                t.build = build_batch_norm;
                assert_true(compare("batch norm", &t));
                t.build = build_deconv;
                compare("deconv", &t);
                t.build = build_dense;
                compare("dense", &t);
            }
            t.kind = MR_ROWS_IMAGES;
            t.max_rows = 0;
            t.build = build_pad;
            t.user = &pads[(s + c) % 3];
            assert_true(compare("zero pad", &t));
            for (int kernel = 1; kernel <= 3; kernel++)
                for (int stride = 1; stride <= 3; stride++)
                    for (int padding = 0; padding < 2; padding++) {
                        conv pool = {
                            in.height, in.width, in.channels, 0,
                            kernel,    stride,   batch,       padding ? MRCNN_SAME : MRCNN_VALID};
                        trial p = t;
                        p.build = build_pool;
                        p.user = &pool;
                        p.bound = 0;
                        if (fits(&pool)) assert_true(compare("max pool", &p));
                    }
        }
}

/* Only padding in a window: minus infinity never wins over a number below zero. */
static void pooling_of_negative_numbers(void **state) {
    (void)state;
    const float x[4] = {-5, -6, -7, -8};
    const mr_executor *executors[] = {&mr_executor_cpu, &mr_executor_reference};
    for (int e = 0; e < 2; e++) {
        static const conv pool = {2, 2, 1, 0, 3, 2, 1, MRCNN_SAME};
        trial t = {build_pool, &pool, {2, 2, 1}, MR_ROWS_IMAGES, 1, 0, 0};
        float *y = run_trial(&t, executors[e], 1, 1, NULL, x, NULL);
        assert_true(y[0] == -5);
        free(y);
    }
}

/* ---------------------------------------------------------------------------- RoIs and selection
 */

typedef struct rois {
    const float *values;
    int count, max, crop_h, crop_w, batch;
} rois;

static float *align(const mr_executor *executor, const rois *r, const float *const maps[2],
                    const mrcnn_shape shapes[2], int threads, size_t *count) {
    mrcnn_graph *g = mr_graph_create();
    mrcnn_shape roi = {1, 1, MR_ROI_COLUMNS};
    mrcnn_value levels[2] = {mr_graph_input(g, "a", MR_ROWS_IMAGES, shapes[0]),
                             mr_graph_input(g, "b", MR_ROWS_IMAGES, shapes[1])};
    mrcnn_value boxes = mr_graph_input(g, "rois", MR_ROWS_ROIS, roi);
    mr_graph_output(g, mr_roi_align(g, levels, 2, boxes, r->crop_h, r->crop_w), "y");
    eval e = {.executor = executor,
              .threads = threads,
              .rows = {r->batch, r->count},
              .max_rows = {r->batch, r->max},
              .names = {"a", "b", "rois"},
              .inputs = {maps[0], maps[1], r->values}};
    return eval_graph(&e, &g, "y", count);
}

static void roi_align(void **state) {
    (void)state;
    static const float values[][MR_ROI_COLUMNS] = {{0, 0, 0.1f, 0.2f, 0.7f, 0.9f},
                                                   {1, 1, 0, 0, 1, 1},
                                                   {2, 0, 0.5f, 0.5f, 0.5f, 0.5f},
                                                   {1, 0, -0.5f, 0.2f, 0.5f, 1.7f},
                                                   {0, 1, 0, 0, 0, 0},
                                                   {0, 0, 0.8f, 0.9f, 0.1f, 0.3f},
                                                   {2, 1, NAN, 0, 1, 1},
                                                   {2, 1, 0, 0, 1, NAN},
                                                   {1, 0, -INFINITY, 0, INFINITY, 1},
                                                   {0, 0, 1e30f, 0, 2e30f, 1},
                                                   {0, 1, 0.3f, 0.3f, 1, 1}};
    enum { ROIS = sizeof values / sizeof *values };
    static const int crops[][2] = {{7, 7}, {14, 14}, {1, 1}, {2, 3}};
    static const int channels[] = {1, 3, 16, 33};
    for (size_t k = 0; k < 4; k++) {
        int c = channels[k];
        const mrcnn_shape shapes[2] = {{13, 9, c}, {1, 1, c}};
        float *a = eval_noise(1, 3 * mr_shape_size(shapes[0]), -1, 1);
        float *b = eval_noise(2, 3 * mr_shape_size(shapes[1]), -1, 1);
        const float *const maps[2] = {a, b};
        for (int count = 0; count <= ROIS; count += ROIS / 2 + 1 - count / (ROIS / 2 + 1)) {
            rois r = {values[0], count, ROIS + 4, crops[k][0], crops[k][1], 3};
            size_t n, m;
            float *judge = align(&mr_executor_reference, &r, maps, shapes, 1, &n);
            float *one = align(&mr_executor_cpu, &r, maps, shapes, 1, &m);
            float *two = align(&mr_executor_cpu, &r, maps, shapes, 2, &m);
            assert_int_equal(n, m);
            assert_true(eval_difference(judge, one, n) < 1e-6);
            assert_memory_equal(one, two, n * sizeof *one);
            if (count >= 7) { /* a NaN is outside */
                size_t size = n / (size_t)count;
                for (size_t i = 0; i < size; i++) assert_true(one[6 * size + i] == 0);
            }
            free(judge);
            free(one);
            free(two);
        }
        free(a);
        free(b);
    }
}

static void mask_select(void **state) {
    (void)state;
    static const int channels[] = {1, 7, 16, 32, 80};
    enum { FILTERS = 5, ROWS = 9, MOST = 12 };
    float classes[ROWS];
    for (int i = 0; i < ROWS; i++) classes[i] = (float)(i % FILTERS);
    for (size_t k = 0; k < 5; k++) {
        mrcnn_shape shape = {6, 5, channels[k]}, one = {1, 1, 1};
        float *x = eval_noise(3, ROWS * mr_shape_size(shape), -4, 4), *y[2];
        mr_tensors *weights = mr_tensors_create();
        size_t count = 0;
        for (int e = 0; e < 2; e++) {
            mrcnn_graph *g = mr_graph_create();
            mrcnn_value in = mr_graph_input(g, "x", MR_ROWS_ROIS, shape);
            mrcnn_value channel = mr_graph_input(g, "class", MR_ROWS_ROIS, one);
            mr_graph_output(g, mr_mask_select(g, in, channel, "mask", FILTERS), "y");
            eval_weights(weights, g, 4);
            eval run = {.executor = e ? &mr_executor_cpu : &mr_executor_reference,
                        .weights = weights,
                        .threads = 2,
                        .rows = {1, ROWS},
                        .max_rows = {1, MOST},
                        .names = {"x", "class"},
                        .inputs = {x, classes}};
            y[e] = eval_graph(&run, &g, "y", &count);
        }
        assert_int_equal(count, ROWS * 30);
        assert_true(eval_difference(y[0], y[1], count) < CLOSE);
        free(y[0]);
        free(y[1]);
        free(x);
        mr_tensors_free(&weights);
    }
}

/* ------------------------------------------------------------------------------------- passes */

static mrcnn_value conv_bn(mrcnn_graph *g, mrcnn_value x, const char *layer, int filters) {
    char bn[32];
    snprintf(bn, sizeof bn, "bn_%s", layer);
    return mrcnn_batch_norm(g, mrcnn_conv2d(g, x, layer, filters, 3, 1, MRCNN_SAME), bn);
}

/* The residual is used by nobody else: the sum is written over it. */
static void build_residual_in_place(mrcnn_graph *g, const void *user) {
    (void)user;
    mrcnn_value x = mrcnn_relu(g, conv_bn(g, 0, "a", 20));
    mrcnn_value y = mrcnn_add(g, conv_bn(g, x, "b", 20), mrcnn_relu(g, x));
    y = mrcnn_relu(g, y);
    mr_graph_output(g, mrcnn_relu(g, conv_bn(g, y, "c", 5)), "y");
}

/* The residual is also the convolution's input, and is needed afterwards. */
static void build_residual_kept(mrcnn_graph *g, const void *user) {
    (void)user;
    mrcnn_value x = mrcnn_relu(g, conv_bn(g, 0, "a", 20));
    mrcnn_value y = mrcnn_relu(g, mrcnn_add(g, x, conv_bn(g, x, "b", 20)));
    mr_graph_output(g, mrcnn_add(g, mrcnn_add(g, y, x), y), "y");
}

/* A sum of two convolutions, and of a value with itself. */
static void build_sums(mrcnn_graph *g, const void *user) {
    (void)user;
    mrcnn_value a = conv_bn(g, 0, "a", 8), b = mrcnn_conv2d(g, 0, "b", 8, 1, 1, MRCNN_VALID);
    mrcnn_value s = mrcnn_add(g, a, b), c = mrcnn_conv2d(g, s, "c", 8, 1, 1, MRCNN_VALID);
    mr_graph_output(g, mrcnn_relu(g, mrcnn_add(g, c, c)), "y");
}

/* Outputs in the middle of what could be one node. */
static void build_outputs_inside(mrcnn_graph *g, const void *user) {
    (void)user;
    mrcnn_value a = mrcnn_conv2d(g, 0, "a", 16, 3, 1, MRCNN_SAME);
    mr_graph_output(g, a, "conv");
    mrcnn_value b = mrcnn_batch_norm(g, a, "bn");
    mrcnn_value c = mrcnn_conv2d(g, b, "c", 16, 1, 1, MRCNN_VALID);
    mrcnn_value sum = mrcnn_add(g, c, a);
    mr_graph_output(g, sum, "sum");
    mr_graph_output(g, mrcnn_relu(g, sum), "y");
}

/* A padded value that two convolutions read, one of them with padding of its own. */
static void build_padding(mrcnn_graph *g, const void *user) {
    (void)user;
    mrcnn_value once = mrcnn_zero_pad(g, mrcnn_relu(g, 0), 2), twice = mrcnn_zero_pad(g, 0, 1);
    mrcnn_value a = mrcnn_conv2d(g, once, "a", 16, 5, 1, MRCNN_VALID);
    mrcnn_value b = mrcnn_conv2d(g, twice, "b", 16, 3, 1, MRCNN_VALID);
    mrcnn_value c = mrcnn_conv2d(g, twice, "c", 16, 5, 1, MRCNN_SAME);
    c = mrcnn_conv2d(g, c, "d", 16, 3, 1, MRCNN_VALID);
    mr_graph_output(g, mrcnn_add(g, mrcnn_add(g, a, b), c), "y");
}

/* Batch norm and ReLU where nothing absorbs them: first, twice, behind a pool and a deconvolution.
 */
static void build_unabsorbed(mrcnn_graph *g, const void *user) {
    (void)user;
    mrcnn_value x = mrcnn_batch_norm(g, 0, "first");
    x = mrcnn_conv2d(g, x, "a", 16, 3, 1, MRCNN_SAME);
    x = mrcnn_batch_norm(g, mrcnn_batch_norm(g, x, "one"), "two");
    x = mrcnn_relu(g, mrcnn_relu(g, mrcnn_max_pool(g, x, 3, 2, MRCNN_SAME)));
    x = mrcnn_batch_norm(g, mr_deconv2x2(g, x, "d", 12), "three");
    mr_graph_output(g, mrcnn_batch_norm(g, mrcnn_relu(g, x), "four"), "y");
}

/* One layer in two places, with a batch norm and without: its weights are packed twice. */
static void build_shared_layer(mrcnn_graph *g, const void *user) {
    (void)user;
    mrcnn_value a = mrcnn_conv2d(g, 0, "shared", 16, 3, 1, MRCNN_SAME);
    mrcnn_value b = mrcnn_batch_norm(
        g, mrcnn_conv2d(g, mrcnn_relu(g, 0), "shared", 16, 3, 1, MRCNN_SAME), "bn");
    mrcnn_value c = mrcnn_conv2d(g, 0, "shared", 16, 3, 2, MRCNN_SAME);
    c = mrcnn_upsample2x(g, c);
    mr_graph_output(g, mrcnn_add(g, mrcnn_add(g, a, b), c), "y");
}

/* Nodes that no output needs, between nodes that one does. */
static void build_dead_ends(mrcnn_graph *g, const void *user) {
    (void)user;
    mrcnn_value a = mrcnn_conv2d(g, 0, "a", 16, 3, 1, MRCNN_SAME);
    mrcnn_conv2d(g, a, "nowhere", 64, 7, 1, MRCNN_SAME);
    mrcnn_relu(g, a);
    mrcnn_value b = mrcnn_relu(g, mrcnn_batch_norm(g, a, "bn"));
    mrcnn_add(g, a, b);
    mr_graph_output(g, b, "y");
}

/* An output that is an input's ReLU, and the input of others. */
static void build_output_is_read(mrcnn_graph *g, const void *user) {
    (void)user;
    mrcnn_value a = mrcnn_relu(g, conv_bn(g, 0, "a", 16));
    mrcnn_value b = mrcnn_relu(g, mrcnn_add(g, conv_bn(g, a, "b", 16), a));
    mr_graph_output(g, a, "middle");
    mr_graph_output(g, b, "y");
}

static const struct {
    const char *name;
    builder build;
} networks[] = {
    {"residual in place", build_residual_in_place},
    {"residual kept", build_residual_kept},
    {"sums", build_sums},
    {"outputs inside", build_outputs_inside},
    {"padding", build_padding},
    {"unabsorbed", build_unabsorbed},
    {"shared layer", build_shared_layer},
    {"dead ends", build_dead_ends},
    {"output is read", build_output_is_read},
};

static void passes(void **state) {
    (void)state;
    static const mrcnn_shape inputs[] = {{8, 6, 3}, {12, 14, 20}, {2, 2, 16}, {6, 10, 32}};
    for (size_t n = 0; n < sizeof networks / sizeof *networks; n++)
        for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
            for (int batch = 1; batch <= 3; batch += 2) {
                trial t = {networks[n].build, NULL, inputs[i], MR_ROWS_IMAGES, batch, 0, CLOSE};
                compare(networks[n].name, &t);
            }
}

/* The middle outputs have their own values whatever is fused around them. */
static void outputs_inside_have_their_values(void **state) {
    (void)state;
    static const char *const names[] = {"conv", "sum", "y"};
    trial t = {build_outputs_inside, NULL, {7, 5, 4}, MR_ROWS_IMAGES, 2, 0, CLOSE};
    mr_tensors *weights = mr_tensors_create();
    float *x = eval_noise(5, 2 * 7 * 5 * 4, -1, 1);
    for (int i = 0; i < 3; i++) {
        float *y[2];
        size_t count = 0;
        for (int e = 0; e < 2; e++) {
            mrcnn_graph *g = make_graph(&t);
            eval_weights(weights, g, 7);
            if (e == 0) eval_forbid_fusion(g);
            eval run = {.executor = e ? &mr_executor_cpu : &mr_executor_reference,
                        .weights = weights,
                        .rows = {2, 0},
                        .names = {"x"},
                        .inputs = {x}};
            y[e] = eval_graph(&run, &g, names[i], &count);
        }
        assert_true(eval_difference(y[0], y[1], count) < CLOSE);
        free(y[0]);
        free(y[1]);
    }
    free(x);
    mr_tensors_free(&weights);
}

/* With one set of packs, a layer is packed once for all sizes; raw weights may go after the first
 * plan, and every size still gives what fresh weights give. */
static void packs_serve_all_sizes(void **state) {
    (void)state;
    static const int sizes[] = {16, 2, 64, 4, 32, 1, 128, 8};
    for (size_t n = 0; n < sizeof networks / sizeof *networks; n++) {
        mr_tensors *weights = mr_tensors_create(), *raw = mr_tensors_create();
        mr_packs *packs = mr_packs_create();
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            int odd = networks[n].build == build_unabsorbed ? 0 : (int)i % 2;
            trial t = {networks[n].build,
                       NULL,
                       {sizes[i] * 2, sizes[i] * 2 + 2 * odd, 17},
                       MR_ROWS_IMAGES,
                       1,
                       0,
                       CLOSE};
            float *x = eval_noise(i, mr_shape_size(t.input), -1, 1), *y[2];
            size_t count = 0;
            mrcnn_graph *g = make_graph(&t);
            eval_weights(raw, g, 7);
            if (i == 0) eval_weights(weights, g, 7);
            mr_plan *plan = NULL;
            mrcnn_error err = MRCNN_ERROR_INIT;
            mr_plan_options o = {.executor = &mr_executor_cpu,
                                 .weights = weights,
                                 .packs = packs,
                                 .release_weights = 1,
                                 .threads = 1,
                                 .max_rows = {1, 0}};
            if (mr_plan_compile(&plan, &g, &o, &err) != MRCNN_OK)
                fail_msg("%s, size %d: %s", networks[n].name, sizes[i], err.message);
            void *workspace = o.executor->alloc(mr_plan_workspace_bytes(plan) + 64);
            const int rows[MR_ROWS_KINDS] = {1, 0};
            mrcnn_shape shape;
            mr_plan_bind(plan, "x", x);
            mr_plan_run(plan, workspace, rows);
            const float *have = mr_plan_output(plan, "y", &shape);
            y[0] = run_trial(&t, &mr_executor_cpu, 1, 1, raw, x, &count);
            assert_int_equal(count, mr_shape_size(shape));
            if (eval_difference(y[0], have, count) > 1e-6)
                fail_msg("%s, size %d: %g", networks[n].name, sizes[i],
                         eval_difference(y[0], have, count));
            o.executor->release(workspace);
            mr_plan_free(&plan);
            free(y[0]);
            free(x);
        }
        mr_packs_free(&packs);
        mr_tensors_free(&weights);
        mr_tensors_free(&raw);
    }
}

/* ------------------------------------------------------------------------------ plans, memory */

/* Values that are alive together don't overlap, and nothing outlives its run: the second run in a
 * workspace of other garbage gives the same bytes, and guards behind it are untouched. */
static void plans_keep_to_their_memory(void **state) {
    (void)state;
    enum { GUARD = 4096 };
    for (size_t n = 0; n < sizeof networks / sizeof *networks; n++)
        for (int e = 0; e < 2; e++) {
            trial t = {networks[n].build, NULL, {12, 14, 20}, MR_ROWS_IMAGES, 2, 0, CLOSE};
            mr_tensors *weights = mr_tensors_create();
            mr_packs *packs = mr_packs_create();
            mrcnn_graph *g = make_graph(&t);
            eval_weights(weights, g, 7);
            mr_plan *plan = NULL;
            mr_plan_options o = {.executor = e ? &mr_executor_cpu : &mr_executor_reference,
                                 .weights = weights,
                                 .packs = packs,
                                 .threads = 2,
                                 .max_rows = {2, 0}};
            assert_int_equal(mr_plan_compile(&plan, &g, &o, NULL), MRCNN_OK);
            size_t bytes = mr_plan_workspace_bytes(plan);
            unsigned char *workspace = o.executor->alloc((bytes + 63) / 64 * 64 + GUARD);
            float *x = eval_noise(5, 2 * mr_shape_size(t.input), -1, 1);
            mrcnn_shape shape;
            mr_plan_bind(plan, "x", x);
            float *first = NULL;
            for (int run = 0; run < 2; run++) {
                const int rows[MR_ROWS_KINDS] = {2, 0};
                memset(workspace, run ? 0x7E : 0xFF, bytes);
                memset(workspace + bytes, 0xA5, GUARD);
                mr_plan_run(plan, workspace, rows);
                for (size_t i = 0; i < GUARD; i++) assert_int_equal(workspace[bytes + i], 0xA5);
                const float *y = mr_plan_output(plan, "y", &shape);
                size_t size = 2 * mr_shape_size(shape) * sizeof *y;
                if (run == 0) {
                    first = malloc(size);
                    memcpy(first, y, size);
                } else {
                    assert_memory_equal(first, y, size);
                }
            }
            assert_true(bytes > 0 && mr_plan_output_bytes(plan) > 0);
            free(first);
            free(x);
            o.executor->release(workspace);
            mr_plan_free(&plan);
            mr_packs_free(&packs);
            mr_tensors_free(&weights);
        }
}

static void plans_report_times(void **state) {
    (void)state;
    trial t = {build_residual_kept, NULL, {8, 8, 16}, MR_ROWS_IMAGES, 1, 0, CLOSE};
    mr_tensors *weights = mr_tensors_create();
    mr_packs *packs = mr_packs_create();
    mrcnn_graph *g = make_graph(&t);
    eval_weights(weights, g, 7);
    mr_plan *plan = NULL;
    mr_plan_options o = {.executor = &mr_executor_cpu,
                         .weights = weights,
                         .packs = packs,
                         .threads = 1,
                         .max_rows = {1, 0}};
    assert_int_equal(mr_plan_compile(&plan, &g, &o, NULL), MRCNN_OK);
    float *x = eval_noise(5, mr_shape_size(t.input), -1, 1);
    void *workspace = o.executor->alloc(mr_plan_workspace_bytes(plan) + 64);
    const int rows[MR_ROWS_KINDS] = {1, 0};
    mr_plan_bind(plan, "x", x);
    mr_plan_run(plan, workspace, rows);
    /* Two 3x3 convolutions of 8 x 8 pixels: 16 to 20 and 20 to 20 channels. */
    double gflop = 0, expected = 2e-9 * 64 * 9 * (16 * 20 + 20 * 20);
    mr_plan_step step;
    for (size_t i = 0; mr_plan_step_at(plan, i, &step); i++) gflop += step.gflop;
    assert_true(fabs(gflop - expected) < 1e-12);
    assert_non_null(mr_plan_stage(plan, 0));
    assert_true(fabs(mr_plan_stage(plan, 0)->gflop - expected) < 1e-12);
    assert_null(mr_plan_stage(plan, 1));
    assert_null(mr_plan_output(plan, "no such output", NULL));
    o.executor->release(workspace);
    mr_plan_free(&plan);
    mr_packs_free(&packs);
    mr_tensors_free(&weights);
    free(x);
}

/* -------------------------------------------------------------------------------------- errors */

static void compile_fails(mrcnn_graph *g, mr_tensors *weights, const char *message) {
    const mr_executor *executors[] = {&mr_executor_cpu, &mr_executor_reference};
    mr_packs *packs = mr_packs_create();
    mrcnn_graph copy = *g;
    for (int e = 0; e < 2; e++) {
        mrcnn_graph *again = mr_graph_create();
        *again = copy;
        again->nodes = calloc((size_t)copy.capacity + 1, sizeof *again->nodes);
        assert_non_null(again->nodes);
        if (copy.count) memcpy(again->nodes, copy.nodes, (size_t)copy.count * sizeof *copy.nodes);
        mr_plan *plan = NULL;
        mrcnn_error err = MRCNN_ERROR_INIT;
        mr_plan_options o = {.executor = executors[e],
                             .weights = weights,
                             .packs = packs,
                             .threads = 1,
                             .max_rows = {1, 1}};
        assert_int_not_equal(mr_plan_compile(&plan, &again, &o, &err), MRCNN_OK);
        assert_null(plan);
        assert_null(again);
        assert_contains(err.message, message);
    }
    mr_packs_free(&packs);
    mr_graph_free(&g);
}

static mrcnn_graph *start(mrcnn_value *x) {
    mrcnn_graph *g = mr_graph_create();
    mrcnn_shape shape = {8, 8, 3};
    *x = mr_graph_input(g, "x", MR_ROWS_IMAGES, shape);
    return g;
}

/* The first error stays, later calls give no value, nothing has a shape. */
static void errors_stick(void **state) {
    (void)state;
    mrcnn_value x;
    mrcnn_graph *g = start(&x);
    mrcnn_value bad = mrcnn_conv2d(g, x, "first", 0, 3, 1, MRCNN_SAME);
    assert_true(bad < 0);
    assert_int_equal(mrcnn_value_shape(g, bad).height, 0);
    assert_true(mrcnn_relu(g, bad) < 0);
    assert_true(mrcnn_relu(g, x) < 0); /* even of a good value */
    assert_true(mrcnn_add(g, bad, x) < 0);
    assert_true(mrcnn_conv2d(g, x, "second", 4, -1, 1, MRCNN_SAME) < 0);
    mr_graph_output(g, bad, "y");
    mrcnn_error err = MRCNN_ERROR_INIT;
    assert_int_equal(mr_graph_status(g, &err), MRCNN_E_ARGUMENT);
    assert_contains(err.message, "first");
    compile_fails(g, NULL, "first");
}

static void builder_errors(void **state) {
    (void)state;
    static char long_name[400];
    memset(long_name, 'n', sizeof long_name - 1);
    mrcnn_value x;
    mrcnn_graph *g = start(&x);
    mrcnn_conv2d(g, 77, "conv", 4, 3, 1, MRCNN_SAME);
    compile_fails(g, NULL, "'conv'");
    g = start(&x);
    mrcnn_conv2d(g, x, "conv", 4, 9, 1, MRCNN_VALID);
    compile_fails(g, NULL, "too small");
    g = start(&x);
    mrcnn_max_pool(g, x, 0, 1, MRCNN_SAME);
    compile_fails(g, NULL, "at least 1");
    g = start(&x);
    mrcnn_add(g, x, mrcnn_upsample2x(g, x));
    compile_fails(g, NULL, "differ in shape");
    g = start(&x);
    mrcnn_zero_pad(g, x, -1);
    compile_fails(g, NULL, "zero_pad");
    g = start(&x);
    mrcnn_conv2d(g, x, long_name, 4, 3, 1, MRCNN_SAME);
    compile_fails(g, NULL, "too long");
    g = start(&x);
    mr_graph_output(g, -1, "y");
    compile_fails(g, NULL, "no value");
    g = start(&x);
    mr_roi_align(g, &x, 1, x, 7, 7);
    compile_fails(g, NULL, "columns");
    g = start(&x); /* numbers that don't fit */
    mrcnn_zero_pad(g, mrcnn_zero_pad(g, mrcnn_zero_pad(g, x, 500000000), 500000000), 500000000);
    assert_int_not_equal(mr_graph_status(g, NULL), MRCNN_OK);
    mr_graph_free(&g);
    g = start(&x);
    for (int i = 0; i < 40; i++) x = mrcnn_upsample2x(g, x);
    assert_int_not_equal(mr_graph_status(g, NULL), MRCNN_OK);
    mr_graph_free(&g);
    g = start(&x);
    x = mrcnn_conv2d(g, x, "conv", 2000000000, 2000000000, 2000000000, MRCNN_SAME);
    mrcnn_conv2d(g, x, "conv", 2, 2000000000, 3, MRCNN_SAME);
    compile_fails(g, NULL, "not huge");
}

static void weight_errors(void **state) {
    (void)state;
    mrcnn_value x;
    mr_tensors *weights = mr_tensors_create();
    mrcnn_graph *g = start(&x);
    mr_graph_output(g, mrcnn_conv2d(g, x, "conv", 4, 3, 1, MRCNN_SAME), "y");
    compile_fails(g, weights, "conv/kernel");
    const int64_t wrong[4] = {3, 3, 3, 5};
    mr_tensor *t;
    assert_int_equal(mr_tensors_add(weights, "conv", "kernel", 4, wrong, &t, NULL), MRCNN_OK);
    memset(t->values, 0, t->count * sizeof *t->values);
    g = start(&x);
    mr_graph_output(g, mrcnn_conv2d(g, x, "conv", 4, 3, 1, MRCNN_SAME), "y");
    compile_fails(g, weights, "conv/kernel");
    g = start(&x);
    mr_graph_output(g, mrcnn_batch_norm(g, x, "bn"), "y");
    compile_fails(g, weights, "bn/gamma");
    mr_tensors_free(&weights);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions),
        cmocka_unit_test(convolutions_3x3),
        cmocka_unit_test(fewer_rows),
        cmocka_unit_test(small_nodes),
        cmocka_unit_test(pooling_of_negative_numbers),
        cmocka_unit_test(roi_align),
        cmocka_unit_test(mask_select),
        cmocka_unit_test(passes),
        cmocka_unit_test(outputs_inside_have_their_values),
        cmocka_unit_test(packs_serve_all_sizes),
        cmocka_unit_test(plans_keep_to_their_memory),
        cmocka_unit_test(plans_report_times),
        cmocka_unit_test(errors_stick),
        cmocka_unit_test(builder_errors),
        cmocka_unit_test(weight_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
