/* test_gradients.c - every operation's backward, on both executors. A trial is a small graph with
 * the loss L = sum of r y over its outputs y, with fixed random r. The reference executor's
 * gradients are compared with central differences of L, which is summed in double, and the CPU
 * executor's with the reference executor's. One line a group of trials says the worst of both. */
#include "helper_assert.h"
#include "helper_golden_graph.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "base/prng.h"

#include <math.h>
#include <stdlib.h>

enum {
    CPU_HAS_PRODUCTS = 1,  /* backward of CONV, DENSE and DECONV on the CPU executor */
    MAX_COORDINATES = 100, /* of one tensor, of which differences are taken */
    MAX_ENDS = 8,
    GROUPS = 2
};

static const double CPU_BOUND = 1e-5; /* of the gradient's norm */

/* How the operation gets its input, which decides where its input's gradient goes. */
typedef enum via {
    NOWHERE, /* the input wants none */
    INPUT,   /* added to the caller's */
    VALUE,   /* written over what is there */
    TWICE,   /* two of the operation read one value: one writes, one adds */
    VIA_COUNT
} via;

typedef enum values { NOISE, AWAY_FROM_0, DISTINCT, ZEROS } values;

typedef struct trial trial;
struct trial {
    const char *name;
    void (*build)(mrcnn_graph *g, const trial *t);
    mrcnn_value (*op)(mrcnn_graph *g, mrcnn_value x, const trial *t); /* build_op builds it */
    mrcnn_shape in;
    int filters, kernel, stride;
    mrcnn_padding padding;
    int relu, residual, batch_norm, batch_statistics;
    const char *train; /* the params that are trained, "kernel bias" */
    via via;
    mr_rows kind;
    int rows[MR_ROWS_KINDS], max_rows[MR_ROWS_KINDS];
    values x;
    double step, bound;
    int sparse; /* outputs are given with their pixels */
    int on_reference_only;
    const float *rois;
};

/* An input or an output. */
typedef struct end {
    char name[MR_NAME];
    mr_rows kind;
    mrcnn_shape shape;
    size_t count;
    float *values;   /* of an input; of an output: r */
    float *gradient; /* of an input */
    int wanted, group;
} end;

/* A compiled trial. */
typedef struct world {
    const trial *t;
    const mr_executor *executor;
    int threads;
    mr_tensors *weights, *gradients;
    mr_packs *packs;
    mr_plan *plan;
    void *workspace;
    size_t bytes;
    end inputs[MAX_ENDS], outputs[MAX_ENDS];
    int input_count, output_count;
    mr_pixels pixels[GROUPS];
    int32_t *index[GROUPS];
} world;

/* --------------------------------------------------------------------------------- the harness */

static float value_of(values kind, uint64_t stream, size_t i, size_t count) {
    double u = mr_prng_uniform(stream, i);
    switch (kind) {
    case AWAY_FROM_0: return (float)(u < 0.5 ? -0.5 - u : u);
    case DISTINCT: /* 7919 is prime: a permutation of multiples of 1/16 when count is no multiple */
        return (float)((double)(i * 7919 % count) / 16 - (double)count / 32);
    case ZEROS: return 0;
    case NOISE: break;
    }
    return (float)(2 * u - 1);
}

static void fill_input(const trial *t, end *e) {
    uint64_t stream = mr_prng_stream(11, e->name);
    values kind = t->x;
    if (strncmp(e->name, "zeros", 5) == 0) kind = ZEROS;
    if (strcmp(e->name, "residual") == 0) kind = AWAY_FROM_0;
    for (size_t i = 0; i < e->count; i++) {
        e->values[i] = value_of(kind, stream, i, e->count);
        if (strcmp(e->name, "residual") == 0) e->values[i] *= 16; /* decides the ReLU */
        if (strcmp(e->name, "class") == 0) e->values[i] = (float)(i * 5 % 3 % (size_t)t->filters);
        if (strcmp(e->name, "rois") == 0) e->values[i] = t->rois[i];
    }
}

static void add_end(world *w, const mr_node *node, int is_input) {
    end *e = is_input ? &w->inputs[w->input_count++] : &w->outputs[w->output_count++];
    assert_true(w->input_count <= MAX_ENDS && w->output_count <= MAX_ENDS);
    memcpy(e->name, node->name, sizeof e->name);
    e->kind = node->rows;
    e->shape = node->shape;
    e->count = (size_t)w->t->rows[node->rows] * mr_shape_size(node->shape);
    e->values = mr_calloc(e->count, sizeof(float));
    e->gradient = mr_calloc(e->count, sizeof(float));
    assert_true(e->values && e->gradient);
    e->wanted = node->gradient;
    e->group = node->pixel_group;
    if (is_input) fill_input(w->t, e);
}

static void add_gradient(void *user, const char *layer, const char *param, int rank,
                         const int64_t *shape) {
    world *w = user;
    mr_tensor *g;
    if (!strstr(w->t->train, param) || mr_tensors_find(w->gradients, layer, param)) return;
    assert_int_equal(mr_tensors_add(w->gradients, layer, param, rank, shape, &g, NULL), MRCNN_OK);
    memset(g->values, 0, g->count * sizeof(float));
}

/* Where a ReLU follows, kernels are so small that the shift decides its side, by channel; or the
 * residual does, by pixel. */
static void keep_from_kinks(const trial *trial, mr_tensors *weights) {
    for (size_t i = 0; i < mr_tensors_count(weights); i++) {
        mr_tensor *t = mr_tensors_at(weights, i);
        size_t columns = (size_t)t->shape[t->rank - 1];
        /* The moving mean takes the bias away again, beta brings it back. */
        int shifts = !trial->residual && strcmp(t->param, "gamma") != 0 &&
                     strcmp(t->param, "moving_variance") != 0;
        for (size_t e = 0; e < t->count; e++) {
            if (strcmp(t->param, "kernel") == 0)
                t->values[e] *= 0.5f * sqrtf((float)columns / (float)t->count);
            else if (shifts)
                t->values[e] += e % 3 == 1 ? -8.0f : 8.0f;
        }
    }
}

/* r, and for sparse trials the pixels outside of which it is zero. */
static void fill_output(world *w, int k) {
    end *e = &w->outputs[k];
    size_t channels = (size_t)e->shape.channels;
    uint64_t stream = mr_prng_stream(3, e->name), choice = mr_prng_stream(5, "pixels");
    int group = e->name[0] == 'q' ? 1 : 0; /* the second map's outputs are called q... */
    size_t pixels = e->count / channels;
    if (w->t->sparse && !w->index[group]) w->index[group] = mr_calloc(pixels, sizeof(int32_t));
    w->pixels[group].index = w->index[group];
    w->pixels[group].count = 0;
    for (size_t p = 0; p < pixels; p++) {
        int chosen = mr_prng_uniform(choice, p) < 0.3;
        if (w->t->sparse && !chosen) continue;
        if (w->t->sparse) w->index[group][w->pixels[group].count++] = (int32_t)p;
        for (size_t i = p * channels; i < (p + 1) * channels; i++)
            e->values[i] = value_of(NOISE, stream, i, e->count);
    }
}

static mrcnn_graph *build(const trial *t) {
    mrcnn_graph *g = mr_graph_create();
    assert_non_null(g);
    t->build(g, t);
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_graph_status(g, &err) != MRCNN_OK) fail_msg("%s: %s", t->name, err.message);
    return g;
}

static void open_world(world *w, const trial *t, const mr_executor *executor, int threads,
                       int update_statistics) {
    world fresh = {.t = t, .executor = executor, .threads = threads};
    *w = fresh;
    w->weights = mr_tensors_create();
    w->gradients = mr_tensors_create();
    w->packs = mr_packs_create();
    mrcnn_graph *g = build(t);
    eval_weights(w->weights, g, 7);
    if (t->relu) keep_from_kinks(t, w->weights);
    for (int i = 0; i < g->count; i++) {
        mr_node_weights(g, &g->nodes[i], add_gradient, w);
        if (g->nodes[i].op == MR_OP_INPUT) add_end(w, &g->nodes[i], 1);
        if (g->nodes[i].is_output) add_end(w, &g->nodes[i], 0);
    }
    for (int i = 0; i < w->output_count; i++) fill_output(w, i);
    mr_plan_options o = {.executor = executor,
                         .weights = w->weights,
                         .packs = w->packs,
                         .threads = threads,
                         .gradients = w->gradients,
                         .update_statistics = update_statistics};
    for (int k = 0; k < MR_ROWS_KINDS; k++)
        o.max_rows[k] = t->max_rows[k] > t->rows[k] ? t->max_rows[k] : t->rows[k];
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_plan_compile(&w->plan, &g, &o, &err) != MRCNN_OK)
        fail_msg("%s: %s", t->name, err.message);
    w->bytes = mr_plan_workspace_bytes(w->plan);
    w->workspace = executor->alloc(w->bytes + 64);
    assert_non_null(w->workspace);
    for (int i = 0; i < w->input_count; i++) {
        mr_plan_bind(w->plan, w->inputs[i].name, w->inputs[i].values);
        if (w->inputs[i].wanted)
            mr_plan_bind_gradient(w->plan, w->inputs[i].name, w->inputs[i].gradient);
    }
    for (int k = 0; k < GROUPS; k++) mr_plan_set_pixels(w->plan, k, &w->pixels[k]);
}

static void close_world(world *w) {
    for (int i = 0; i < MAX_ENDS; i++) {
        free(w->inputs[i].values);
        free(w->inputs[i].gradient);
        free(w->outputs[i].values);
        free(w->outputs[i].gradient);
    }
    for (int k = 0; k < GROUPS; k++) free(w->index[k]);
    w->executor->release(w->workspace);
    mr_plan_free(&w->plan);
    mr_packs_free(&w->packs);
    mr_tensors_free(&w->weights);
    mr_tensors_free(&w->gradients);
}

static double loss(world *w) {
    memset(w->workspace, 0xFF, w->bytes); /* NaN: nobody may read what nobody wrote */
    mr_plan_run(w->plan, w->workspace, w->t->rows);
    double sum = 0;
    for (int k = 0; k < w->output_count; k++) {
        const float *y = mr_plan_output(w->plan, w->outputs[k].name, NULL);
        for (size_t i = 0; i < w->outputs[k].count; i++)
            sum += (double)y[i] * w->outputs[k].values[i];
    }
    return sum;
}

/* dL/dy = r, all of it or the rows of the listed pixels. */
static void backward(world *w) {
    for (int k = 0; k < w->output_count; k++) {
        const end *e = &w->outputs[k];
        float *g = mr_plan_output_gradient(w->plan, w->workspace, e->name);
        size_t channels = (size_t)e->shape.channels;
        assert_non_null(g);
        if (e->group < 0) memcpy(g, e->values, e->count * sizeof *g);
        for (int i = 0; e->group >= 0 && i < w->pixels[e->group].count; i++)
            memcpy(g + (size_t)i * channels,
                   e->values + (size_t)w->pixels[e->group].index[i] * channels,
                   channels * sizeof *g);
    }
    mr_plan_backward(w->plan, w->workspace, w->t->rows);
}

/* The numbers that L depends on, one array after the other, with their gradients. */
typedef struct variable {
    char name[2 * MR_NAME];
    float *values, *gradient;
    size_t count;
} variable;

static int variable_at(const world *w, size_t k, variable *v) {
    for (int i = 0; i < w->input_count; i++) {
        const end *e = &w->inputs[i];
        if (!e->wanted || k-- > 0) continue;
        *v = (variable){"", e->values, e->gradient, e->count};
        snprintf(v->name, sizeof v->name, "input %s", e->name);
        return 1;
    }
    if (k >= mr_tensors_count(w->gradients)) return 0;
    mr_tensor *g = mr_tensors_at(w->gradients, k);
    mr_tensor *t = mr_tensors_find(w->weights, g->layer, g->param);
    *v = (variable){"", t->values, g->values, g->count};
    snprintf(v->name, sizeof v->name, "%s/%s", g->layer, g->param);
    return 1;
}

/* Gradients are near 1; where they are all zero, noise is compared with this instead. */
static double norm_of(double squares, size_t count) {
    return fmax(sqrt(squares), 0.1 * sqrt((double)count));
}

static double difference(const float *a, const float *b, size_t count) {
    double squares = 0, sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        squares += (double)b[i] * b[i];
    }
    return count ? sqrt(sum) / norm_of(squares, count) : 0;
}

static double check_differences(world *w, const variable *v) {
    uint64_t choice = mr_prng_stream(2, v->name);
    int all = v->count <= MAX_COORDINATES;
    size_t checks = all ? v->count : MAX_COORDINATES;
    double error = 0, squares = 0;
    for (size_t n = 0; n < checks; n++) {
        size_t i = all ? n : (size_t)(mr_prng_value(choice, n) % v->count);
        float old = v->values[i], high = old + (float)w->t->step, low = old - (float)w->t->step;
        v->values[i] = high;
        double rise = loss(w);
        v->values[i] = low;
        rise -= loss(w);
        v->values[i] = old;
        double slope = rise / ((double)high - low);
        error += (slope - v->gradient[i]) * (slope - v->gradient[i]);
        squares += slope * slope;
    }
    return checks ? sqrt(error) / norm_of(squares, checks) : 0;
}

/* The worst difference of a backward's gradients from those that `other` holds, and whose it is. */
static double compare(const world *w, const world *other, variable *whose) {
    variable a, b;
    double worst = 0;
    for (size_t k = 0; variable_at(w, k, &a); k++) {
        assert_true(variable_at(other, k, &b));
        double one = difference(a.gradient, b.gradient, a.count);
        if (one <= worst) continue;
        worst = one;
        *whose = a;
    }
    return worst;
}

/* Gradients are added to what is there: a second step doubles them. */
static void check_adding(world *w) {
    variable v;
    float *once[64];
    size_t count = 0;
    for (; variable_at(w, count, &v); count++) {
        assert_true(count < 64);
        once[count] = mr_calloc(v.count, sizeof(float));
        assert_non_null(once[count]);
        memcpy(once[count], v.gradient, v.count * sizeof(float));
    }
    loss(w);
    backward(w);
    for (size_t k = 0; k < count; k++) {
        variable_at(w, k, &v);
        for (size_t i = 0; i < v.count; i++) v.gradient[i] -= once[k][i];
        if (!(difference(v.gradient, once[k], v.count) < 1e-6))
            fail_msg("%s: a second backward doesn't add its %s", w->t->name, v.name);
        free(once[k]);
    }
}

/* The worst of a group of trials. */
typedef struct worst {
    int trials, on_cpu;
    double differences, cpu;
} worst;

static void report(const char *group, const worst *w) {
    print_message("| %-34s | %4d | %8.1e |", group, w->trials, w->differences);
    if (w->on_cpu)
        print_message(" %4d | %8.1e |\n", w->on_cpu, w->cpu);
    else
        print_message("    - |        - |\n");
}

static int has_products(const trial *t) {
    mrcnn_graph *g = build(t);
    int found = 0;
    for (int i = 0; i < g->count; i++)
        found |= g->nodes[i].op == MR_OP_CONV || g->nodes[i].op == MR_OP_DENSE ||
                 g->nodes[i].op == MR_OP_DECONV;
    mr_graph_free(&g);
    return found;
}

/* The same bytes when it is done again. */
static void check_repeating(world *w) {
    world twin;
    variable a, b;
    open_world(&twin, w->t, w->executor, w->threads, 0);
    loss(&twin);
    backward(&twin);
    for (size_t k = 0; variable_at(w, k, &a); k++) {
        assert_true(variable_at(&twin, k, &b));
        assert_memory_equal(a.gradient, b.gradient, a.count * sizeof(float));
    }
    close_world(&twin);
}

static void check_cpu(const trial *t, const world *judge, int threads, worst *group) {
    world w;
    variable whose;
    int old = mr_set_library_threads(threads);
    open_world(&w, t, &mr_executor_cpu, threads, 0);
    loss(&w);
    backward(&w);
    double difference = compare(&w, judge, &whose);
    group->cpu = fmax(group->cpu, difference);
    if (!(difference < CPU_BOUND))
        fail_msg("%s, %d threads: gradient of %s is wrong by %g of its norm", t->name, threads,
                 whose.name, difference);
    if (!has_products(t)) w.threads = 3 - threads; /* what calls no library doesn't depend on it */
    check_repeating(&w);
    check_adding(&w);
    close_world(&w);
    mr_set_library_threads(old);
}

static void check(const trial *t, worst *group) {
    world w;
    variable v;
    open_world(&w, t, &mr_executor_reference, 1, 0);
    loss(&w);
    backward(&w);
    assert_true(variable_at(&w, 0, &v)); /* a trial without gradients would check nothing */
    for (size_t k = 0; variable_at(&w, k, &v); k++) {
        double error = check_differences(&w, &v);
        group->differences = fmax(group->differences, error);
        if (!(error < t->bound))
            fail_msg("%s: gradient of %s is wrong by %g of its norm", t->name, v.name, error);
    }
    int threads = 1 + group->trials % 2;
    if (!t->on_reference_only && (CPU_HAS_PRODUCTS || !has_products(t))) {
        check_cpu(t, &w, threads, group);
        group->on_cpu++;
    }
    w.threads = 2; /* the judge doesn't depend on their number at all */
    check_repeating(&w);
    check_adding(&w);
    close_world(&w);
    group->trials++;
}

/* ------------------------------------------------------------------------- single operations */

/* The input of that name, which two operations may share. */
static mrcnn_value input_of(mrcnn_graph *g, const char *name, mr_rows kind, mrcnn_shape shape) {
    for (int i = 0; i < g->count; i++)
        if (g->nodes[i].op == MR_OP_INPUT && strcmp(g->nodes[i].name, name) == 0) return i;
    return mr_graph_input(g, name, kind, shape);
}

static mrcnn_value wanted_input(mrcnn_graph *g, const char *name, mr_rows kind, mrcnn_shape shape) {
    mrcnn_value x = input_of(g, name, kind, shape);
    mr_graph_want_gradient(g, x);
    return x;
}

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
        residual = wanted_input(g, "residual", t->kind, shape);
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
    return mrcnn_add(g, wanted_input(g, "other", t->kind, t->in), x);
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
    mrcnn_value levels[3] = {x, wanted_input(g, "small", MR_ROWS_IMAGES, small), x};
    return mr_roi_align(g, levels, 3, input_of(g, "rois", MR_ROWS_ROIS, roi), t->kernel,
                        t->kernel + 1);
}

static mrcnn_value op_mask_select(mrcnn_graph *g, mrcnn_value x, const trial *t) {
    mrcnn_shape one = {1, 1, 1};
    return mr_mask_select(g, x, input_of(g, "class", MR_ROWS_ROIS, one), "mask", t->filters);
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
                check(&t, &w);
            }
    report(group, &w);
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
                    check(&t, &w);
                }
    report(group, &w);
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
        open_world(&w, &t, executors[i / SHAPES / 8 % 2], threads, moves);
        const char *const statistics[2] = {"moving_mean", "moving_variance"};
        for (int k = 0; k < 2; k++)
            memcpy(before[k], mr_tensors_find(w.weights, "bn", statistics[k])->values,
                   (size_t)t.in.channels * sizeof(float));
        loss(&w);
        loss(&w);
        for (size_t c = 0; c < (size_t)t.in.channels; c++) {
            const float was[2] = {before[0][c], before[1][c]};
            expect_channel(&w, c, was, trains && moves ? 2 : 0);
        }
        close_world(&w);
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
        open_world(&w, &t, executors[e], 2, 0);
        for (int i = 0; i < 16; i++) w.inputs[0].values[i] = i % 2 ? 4097 : 4095;
        mr_tensors_find(w.weights, "bn", "gamma")->values[0] = 2;
        mr_tensors_find(w.weights, "bn", "beta")->values[0] = 0;
        loss(&w);
        const float *y = mr_plan_output(w.plan, "y", NULL);
        for (int i = 0; i < 16; i++) assert_true(fabs(fabs(y[i]) - 2 / sqrt(1.001)) < 1e-5);
        w.inputs[0].values[3] = INFINITY;
        assert_false(isfinite(loss(&w)));
        close_world(&w);
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
        open_world(&w, &t, executors[e], 2, 0);
        loss(&w);
        backward(&w);
        /* Four windows of equal numbers: each gives to its first pixel. */
        for (int i = 0; i < 16; i++) {
            int window = i == 0 ? 0 : i == 2 ? 1 : i == 8 ? 2 : i == 10 ? 3 : -1;
            float want = window < 0 ? 0.0f : w.outputs[0].values[window];
            assert_true(w.inputs[0].gradient[i] == want);
        }
        close_world(&w);
    }
}

/* Inside, on the border, across it, upside down, empty, no number at all; several on one pixel. */
static const float some_rois[][MR_ROI_COLUMNS] = {{0, 0, 0.1f, 0.2f, 0.7f, 0.9f},
                                                  {0, 1, 0, 0, 1, 1},
                                                  {0, 2, 0.5f, 0.5f, 0.5f, 0.5f},
                                                  {0, 0, -0.5f, 0.2f, 0.5f, 1.7f},
                                                  {1, 1, 0.8f, 0.9f, 0.1f, 0.3f},
                                                  {1, 0, NAN, 0, 1, 1},
                                                  {1, 2, 0, 0, 1, 1},
                                                  {1, 0, 0.3f, 0.3f, 1, 1},
                                                  {0, 1, 2, 2, 3, 3}};

static void roi_align(void **state) {
    (void)state;
    worst w = {0};
    trial t = {.build = build_op, .op = op_roi_align, .train = "", .step = 0.25, .bound = 1e-4};
    t.rois = some_rois[0];
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
                    check(&t, &w);
                }
    report("RoIAlign", &w);
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
                check(&t, &w);
            }
    report("mask select", &w);
}

/* ------------------------------------------------------------------------------ small networks */

static mrcnn_value conv_bn(mrcnn_graph *g, mrcnn_value x, const char *layer, int filters,
                           int kernel, int stride) {
    char bn[32];
    snprintf(bn, sizeof bn, "bn_%s", layer);
    return mrcnn_batch_norm(g, mrcnn_conv2d(g, x, layer, filters, kernel, stride, MRCNN_SAME), bn);
}

/* The residual is the block's own input, then a projection of it. */
static void build_residual_blocks(mrcnn_graph *g, const trial *t) {
    mrcnn_value x = wanted_input(g, "x", t->kind, t->in);
    x = mrcnn_relu(g, conv_bn(g, x, "stem", 6, 1, 1));
    mrcnn_value y = mrcnn_relu(g, conv_bn(g, x, "a1", 3, 1, 1));
    y = mrcnn_relu(g, conv_bn(g, y, "a2", 3, 3, 1));
    x = mrcnn_relu(g, mrcnn_add(g, conv_bn(g, y, "a3", 6, 1, 1), x));
    y = mrcnn_relu(g, conv_bn(g, x, "b1", 3, 1, 2));
    y = conv_bn(g, y, "b2", 9, 1, 1);
    x = mrcnn_relu(g, mrcnn_add(g, y, conv_bn(g, x, "projection", 9, 1, 2)));
    mr_graph_output(g, x, "y");
}

/* A feature pyramid: each level goes up and out. */
static void build_pyramid(mrcnn_graph *g, const trial *t) {
    mrcnn_shape half = {(t->in.height + 1) / 2, (t->in.width + 1) / 2, 4};
    mrcnn_value c2 = wanted_input(g, "x", t->kind, t->in);
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
    mrcnn_value maps[2] = {wanted_input(g, "x", t->kind, t->in),
                           wanted_input(g, "small", t->kind, small)};
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
    mrcnn_value x = wanted_input(g, "x", t->kind, t->in);
    x = mrcnn_relu(g, conv_bn(g, x, "layer", t->in.channels, 3, 1));
    mr_graph_output(g, x, "y");
    mr_graph_output(g, mrcnn_relu(g, conv_bn(g, x, "layer", t->in.channels, 3, 1)), "y2");
}

/* Padding, strides, batch statistics, pooling: the beginning of a ResNet. */
static void build_stem(mrcnn_graph *g, const trial *t) {
    mrcnn_value x = wanted_input(g, "x", t->kind, t->in);
    mr_graph_batch_statistics(g, t->batch_statistics);
    x = mrcnn_conv2d(g, mrcnn_zero_pad(g, x, 3), "conv1", 4, 7, 2, MRCNN_VALID);
    x = mrcnn_relu(g, mrcnn_batch_norm(g, x, "bn_conv1"));
    mr_graph_output(g, mrcnn_max_pool(g, x, 3, 2, MRCNN_SAME), "y");
}

/* Both heads. */
static void build_heads(mrcnn_graph *g, const trial *t) {
    mrcnn_shape roi = {1, 1, MR_ROI_COLUMNS}, one = {1, 1, 1};
    mrcnn_value x = wanted_input(g, "x", MR_ROWS_IMAGES, t->in);
    mrcnn_value rois = input_of(g, "rois", MR_ROWS_ROIS, roi);
    mrcnn_shape small = {3, 2, t->in.channels};
    const mrcnn_value levels[3] = {x, wanted_input(g, "small", MR_ROWS_IMAGES, small), x};
    mrcnn_value y = mr_roi_align(g, levels, 3, rois, 3, 3);
    y = mrcnn_conv2d(g, y, "class_conv1", 6, 3, 1, MRCNN_VALID);
    y = mrcnn_relu(g, mrcnn_batch_norm(g, y, "class_bn1"));
    mr_graph_output(g, mr_dense(g, y, "logits", 3), "logits");
    mr_graph_output(g, mr_softmax(g, mr_dense(g, y, "boxes", 5)), "boxes");
    mrcnn_value m = mr_roi_align(g, levels, 3, rois, 4, 4);
    m = mrcnn_relu(g, conv_bn(g, m, "mask_conv1", 4, 3, 1));
    m = mrcnn_relu(g, mr_deconv2x2(g, m, "mask_deconv", 4));
    mrcnn_value class = input_of(g, "class", MR_ROWS_ROIS, one);
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
                t.rois = some_rois[0];
                t.rows[MR_ROWS_IMAGES] = rows;
                t.rows[MR_ROWS_ROIS] = rows == 1 ? 4 : 8;
                check(&t, &w);
            }
        report(networks[i].name, &w);
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
            check(&t, &w);
            open_world(&sparse, &t, &mr_executor_reference, 1, 0);
            assert_true(sparse.pixels[0].count > 0 && sparse.outputs[0].group == 0);
            t.stride = 2;
            open_world(&dense, &t, &mr_executor_reference, 1, 0);
            assert_true(dense.outputs[0].group < 0);
            loss(&sparse);
            backward(&sparse);
            loss(&dense);
            backward(&dense);
            variable whose;
            assert_true(compare(&sparse, &dense, &whose) < 1e-6);
            close_world(&sparse);
            close_world(&dense);
        }
    report("shared head, sparse", &w);
}

static void build_sparse_pool(mrcnn_graph *g, const trial *t) {
    mrcnn_value x = mrcnn_max_pool(g, wanted_input(g, "x", t->kind, t->in), 3, 1, MRCNN_SAME);
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
    check(&t, &w);
    mrcnn_graph *g = build(&t);
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
        cmocka_unit_test(convolutions),
        cmocka_unit_test(dense_and_deconv),
        cmocka_unit_test(elementwise),
        cmocka_unit_test(batch_norm),
        cmocka_unit_test(batch_statistics),
        cmocka_unit_test(batch_statistics_of_odd_numbers),
        cmocka_unit_test(max_pool),
        cmocka_unit_test(max_pool_ties),
        cmocka_unit_test(roi_align),
        cmocka_unit_test(mask_select),
        cmocka_unit_test(small_networks),
        cmocka_unit_test(sparse_gradients),
        cmocka_unit_test(sparse_gradients_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
