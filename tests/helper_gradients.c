/* helper_gradients.c - see helper_gradients.h. */
#include "helper_gradients.h"

#include "helper_assert.h"
#include "helper_golden_graph.h"

#include "base/memory.h"
#include "base/parallel.h"
#include "base/prng.h"

#include <math.h>
#include <stdlib.h>

static const double CPU_BOUND = 1e-5; /* of the gradient's norm */

/* Inside, on the border, across it, upside down, empty, no number at all; several on one pixel. */
const float trial_rois[TRIAL_ROIS][MR_ROI_COLUMNS] = {{0, 0, 0.1f, 0.2f, 0.7f, 0.9f},
                                                      {0, 1, 0, 0, 1, 1},
                                                      {0, 2, 0.5f, 0.5f, 0.5f, 0.5f},
                                                      {0, 0, -0.5f, 0.2f, 0.5f, 1.7f},
                                                      {1, 1, 0.8f, 0.9f, 0.1f, 0.3f},
                                                      {1, 0, NAN, 0, 1, 1},
                                                      {1, 2, 0, 0, 1, 1},
                                                      {1, 0, 0.3f, 0.3f, 1, 1},
                                                      {0, 1, 2, 2, 3, 3}};

/* The input of that name, which two operations may share. */
mrcnn_value trial_input(mrcnn_graph *g, const char *name, mr_rows kind, mrcnn_shape shape) {
    for (int i = 0; i < g->count; i++)
        if (g->nodes[i].op == MR_OP_INPUT && strcmp(g->nodes[i].name, name) == 0) return i;
    return mr_graph_input(g, name, kind, shape);
}

mrcnn_value trial_wanted_input(mrcnn_graph *g, const char *name, mr_rows kind, mrcnn_shape shape) {
    mrcnn_value x = trial_input(g, name, kind, shape);
    mr_graph_want_gradient(g, x);
    return x;
}

mrcnn_value trial_conv_bn(mrcnn_graph *g, mrcnn_value x, const char *layer, int filters, int kernel,
                          int stride) {
    char bn[MR_NAME];
    snprintf(bn, sizeof bn, "bn_%s", layer);
    return mrcnn_batch_norm(g, mrcnn_conv2d(g, x, layer, filters, kernel, stride, MRCNN_SAME), bn);
}

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
    if (w->t->layers && !strstr(layer, w->t->layers)) return;
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

mrcnn_graph *trial_build(const trial *t) {
    mrcnn_graph *g = mr_graph_create();
    assert_non_null(g);
    t->build(g, t);
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_graph_status(g, &err) != MRCNN_OK) fail_msg("%s: %s", t->name, err.message);
    return g;
}

void world_open(world *w, const trial *t, const mr_executor *executor, int threads,
                int update_statistics) {
    world fresh = {.t = t, .executor = executor, .threads = threads};
    *w = fresh;
    w->weights = mr_tensors_create();
    w->gradients = mr_tensors_create();
    w->packs = mr_packs_create();
    mrcnn_graph *g = trial_build(t);
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
                         .update_statistics = update_statistics,
                         .products = t->products,
                         .recompute = t->recompute,
                         .between_bytes = t->between};
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

void world_close(world *w) {
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

double world_loss(world *w) {
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
void world_backward(world *w) {
    if (w->t->between) memset(mr_plan_between(w->plan, w->workspace), 0xFF, w->t->between);
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
        double rise = world_loss(w);
        v->values[i] = low;
        rise -= world_loss(w);
        v->values[i] = old;
        double slope = rise / ((double)high - low);
        error += (slope - v->gradient[i]) * (slope - v->gradient[i]);
        squares += slope * slope;
    }
    return checks ? sqrt(error) / norm_of(squares, checks) : 0;
}

/* The worst difference of a backward's gradients from those that `other` holds, and whose it is. */
double world_compare(const world *w, const world *other, variable *whose) {
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
    world_loss(w);
    world_backward(w);
    for (size_t k = 0; k < count; k++) {
        variable_at(w, k, &v);
        for (size_t i = 0; i < v.count; i++) v.gradient[i] -= once[k][i];
        if (!(difference(v.gradient, once[k], v.count) < 1e-6))
            fail_msg("%s: a second backward doesn't add its %s", w->t->name, v.name);
        free(once[k]);
    }
}

void trial_report(const char *group, const worst *w) {
    print_message("| %-34s | %4d | %8.1e |", group, w->trials, w->differences);
    if (w->on_cpu)
        print_message(" %4d | %8.1e |\n", w->on_cpu, w->cpu);
    else
        print_message("    - |        - |\n");
}

static int has_products(const trial *t) {
    mrcnn_graph *g = trial_build(t);
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
    world_open(&twin, w->t, w->executor, w->threads, 0);
    world_loss(&twin);
    world_backward(&twin);
    for (size_t k = 0; variable_at(w, k, &a); k++) {
        assert_true(variable_at(&twin, k, &b));
        assert_memory_equal(a.gradient, b.gradient, a.count * sizeof(float));
    }
    world_close(&twin);
}

static void check_cpu(const trial *t, const world *judge, int threads, worst *group) {
    world w;
    variable whose;
    int old = mr_set_library_threads(threads);
    world_open(&w, t, &mr_executor_cpu, threads, 0);
    world_loss(&w);
    world_backward(&w);
    double difference = world_compare(&w, judge, &whose);
    group->cpu = fmax(group->cpu, difference);
    if (!(difference < CPU_BOUND))
        fail_msg("%s, %d threads: gradient of %s is wrong by %g of its norm", t->name, threads,
                 whose.name, difference);
    if (!has_products(t)) w.threads = 3 - threads; /* what calls no library doesn't depend on it */
    check_repeating(&w);
    check_adding(&w);
    world_close(&w);
    mr_set_library_threads(old);
}

void trial_check(const trial *t, worst *group) {
    world w;
    variable v;
    world_open(&w, t, &mr_executor_reference, 1, 0);
    world_loss(&w);
    world_backward(&w);
    assert_true(variable_at(&w, 0, &v)); /* a trial without gradients would check nothing */
    for (size_t k = 0; variable_at(&w, k, &v); k++) {
        double error = check_differences(&w, &v);
        group->differences = fmax(group->differences, error);
        if (!(error < t->bound))
            fail_msg("%s: gradient of %s is wrong by %g of its norm", t->name, v.name, error);
    }
    int threads = 1 + group->trials % 2;
    if (!t->on_reference_only) {
        check_cpu(t, &w, threads, group);
        group->on_cpu++;
    }
    w.threads = 2; /* the judge doesn't depend on their number at all */
    check_repeating(&w);
    check_adding(&w);
    world_close(&w);
    group->trials++;
}
