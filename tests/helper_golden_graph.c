/* helper_golden_graph.c - see helper_golden_graph.h. */
#include "helper_golden_graph.h"

#include "base/parallel.h"
#include "base/prng.h"
#include "helper_assert.h"

#include <math.h>
#include <stdlib.h>

/* Which kind of rows an output has: asked of the graph, before the plan takes it. */
static mr_rows rows_of(const mrcnn_graph *graph, const char *output) {
    for (int i = 0; i < graph->count; i++)
        if (graph->nodes[i].is_output && strcmp(graph->nodes[i].name, output) == 0)
            return graph->nodes[i].rows;
    return MR_ROWS_IMAGES;
}

float *eval_graph(const eval *e, mrcnn_graph **graph, const char *output, size_t *count) {
    mr_packs *own = e->packs ? NULL : mr_packs_create();
    mr_plan *plan = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    mr_plan_options o = {.executor = e->executor,
                         .precision = e->precision,
                         .ranges = e->ranges,
                         .weights = e->weights,
                         .packs = e->packs ? e->packs : own,
                         .threads = e->threads ? e->threads : 1};
    for (int k = 0; k < MR_ROWS_KINDS; k++)
        o.max_rows[k] = e->max_rows[k] ? e->max_rows[k] : e->rows[k];
    mr_rows kind = rows_of(*graph, output);
    int old = mr_set_library_threads(o.threads);
    if (mr_plan_compile(&plan, graph, &o, &err) != MRCNN_OK) fail_msg("%s", err.message);
    size_t bytes = mr_plan_workspace_bytes(plan);
    void *workspace = e->executor->alloc(bytes + 64);
    memset(workspace, 0xFF, bytes); /* NaN: nobody may read what nobody wrote */
    for (int i = 0; i < EVAL_MAX_INPUTS && e->names[i]; i++)
        mr_plan_bind(plan, e->names[i], e->inputs[i]);
    mr_plan_observe(plan, e->observer, e->observer_user);
    mr_plan_run(plan, workspace, e->rows);
    mrcnn_shape shape;
    const float *values = mr_plan_output(plan, output, &shape);
    assert_non_null(values);
    size_t rows = (size_t)e->rows[kind];
    size_t size = rows * mr_shape_size(shape);
    float *copy = malloc((size + 1) * sizeof *copy);
    assert_non_null(copy);
    memcpy(copy, values, size * sizeof *copy);
    if (count) *count = size;
    e->executor->release(workspace);
    mr_plan_free(&plan);
    mr_packs_free(&own);
    mr_set_library_threads(old);
    return copy;
}

void eval_forbid_fusion(mrcnn_graph *graph) {
    for (int i = 0; i < graph->count; i++) {
        mr_node *node = &graph->nodes[i];
        if (node->op == MR_OP_INPUT || node->is_output) continue;
        node->is_output = 1;
        snprintf(node->name, sizeof node->name, "value %d", i);
    }
}

typedef struct maker {
    mr_tensors *set;
    uint64_t seed;
} maker;

static void make_tensor(void *user, const char *layer, const char *param, int rank,
                        const int64_t *shape) {
    static const struct {
        const char *param;
        double low, high;
    } ranges[] = {{"bias", -0.5, 0.5},
                  {"gamma", 0.5, 1.5},
                  {"beta", -0.5, 0.5},
                  {"moving_mean", -0.5, 0.5},
                  {"moving_variance", 0.2, 2}};
    const maker *m = user;
    mr_tensor *t = NULL;
    char key[256];
    if (mr_tensors_find(m->set, layer, param)) return;
    assert_int_equal(mr_tensors_add(m->set, layer, param, rank, shape, &t, NULL), MRCNN_OK);
    snprintf(key, sizeof key, "%s/%s", layer, param);
    double low = -1, high = 1;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (strcmp(param, ranges[i].param) == 0) {
            low = ranges[i].low;
            high = ranges[i].high;
        }
    if (strcmp(param, "kernel") == 0) {
        high = sqrt(3.0 * (double)shape[rank - 1] / (double)t->count);
        low = -high;
    }
    uint64_t stream = mr_prng_stream(m->seed, key);
    for (size_t i = 0; i < t->count; i++)
        t->values[i] = (float)(low + (high - low) * mr_prng_uniform(stream, i));
}

void eval_weights(mr_tensors *set, const mrcnn_graph *graph, uint64_t seed) {
    maker m = {set, seed};
    for (int i = 0; i < graph->count; i++)
        mr_node_weights(graph, &graph->nodes[i], make_tensor, &m);
}

float *eval_noise(uint64_t seed, size_t count, double low, double high) {
    uint64_t stream = mr_prng_stream(seed, "noise");
    float *values = malloc((count + 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(low + (high - low) * mr_prng_uniform(stream, i));
    return values;
}

double eval_difference(const float *a, const float *b, size_t count) {
    double difference = 0, largest = 1e-30;
    for (size_t i = 0; i < count; i++) {
        if (isnan(a[i]) && isnan(b[i])) continue;
        double d = fabs((double)a[i] - (double)b[i]);
        if (isnan(d)) return INFINITY;
        difference = fmax(difference, d);
        largest = fmax(largest, fabs((double)a[i]));
    }
    return difference / largest;
}
