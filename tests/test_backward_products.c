/* test_backward_products.c - convolutions, dense layers and deconvolutions while they train: the CPU
 * executor's forward with weights as they are now, and its gradients, against plain loops in double
 * that know nothing of folding. The loops themselves are held against finite differences. */
#include "base/memory.h"
#include "helper_assert.h"
#include "helper_golden_graph.h"

#include <math.h>
#include <stdlib.h>

static const double CLOSE = 1e-5, CLOSE_BF16 = 2e-2; /* of the norm */

enum { KERNEL = 1, BIAS = 2, GAMMA = 4, BETA = 8, ALL = 15, PARAMS = 4 };
static const char *const param_names[PARAMS] = {"kernel", "bias", "gamma", "beta"};

typedef struct trial {
    mr_op op;
    int height, width, channels, filters, kernel, stride;
    mrcnn_padding padding;
    mr_rows rows;
    int count, max_count; /* rows of the batch */
    int batch_norm, relu, residual;
    int train; /* bits of the tensors that do */
    int accumulate, no_input_gradient;
    int residual_accumulate, residual_shared, no_residual_gradient;
    int pixel_count; /* 0: dense; otherwise of the whole batch, at most so many (negative: none) */
    int sparse_input;
    mr_type products; /* what factors are rounded to */
    int zero_blocks;  /* dense, but zero outside of some blocks of pixels; 2: zero everywhere */
} trial;

/* The one live node of the trial, its weights, and everything that its runs read and write. */
typedef struct bench {
    const trial *t;
    mrcnn_graph *graph;
    const mr_node *node;
    mr_tensors *weights, *gradients;
    mr_packs *packs;
    mr_kernel *kernel;
    mrcnn_shape in, out;
    size_t in_count, out_count, pixels;
    float *x, *residual, *y, *dy, *dx, *dresidual, *scratch;
    int32_t *index;
    mr_pixels list;
} bench;

static mrcnn_graph *build(const trial *t) {
    mrcnn_graph *g = mr_graph_create();
    mrcnn_shape in = {t->height, t->width, t->channels};
    mrcnn_value x = mr_graph_input(g, "x", t->rows, in), y = -1;
    if (t->op == MR_OP_CONV)
        y = mrcnn_conv2d(g, x, "layer", t->filters, t->kernel, t->stride, t->padding);
    if (t->op == MR_OP_DENSE) y = mr_dense(g, x, "layer", t->filters);
    if (t->op == MR_OP_DECONV) y = mr_deconv2x2(g, x, "layer", t->filters);
    if (t->batch_norm) y = mrcnn_batch_norm(g, y, "bn");
    if (t->residual) {
        mrcnn_value r = mr_graph_input(g, "r", t->rows, mrcnn_value_shape(g, y));
        mr_graph_want_gradient(g, r);
        y = mrcnn_add(g, y, r);
    }
    if (t->relu) y = mrcnn_relu(g, y);
    mr_graph_output(g, y, "y");
    if (!t->no_input_gradient) mr_graph_want_gradient(g, x);
    if (t->pixel_count) mr_graph_sparse_gradient(g, y, 0, abs(t->pixel_count));
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_graph_status(g, &err) != MRCNN_OK) fail_msg("%s", err.message);
    return g;
}

static mr_tensor *tensor(mr_tensors *set, int param) {
    return mr_tensors_find(set, param < 2 ? "layer" : "bn", param_names[param]);
}

static mr_tensors *make_gradients(const trial *t, mr_tensors *weights) {
    mr_tensors *set = mr_tensors_create();
    for (int i = 0; i < PARAMS; i++) {
        const mr_tensor *w = tensor(weights, i);
        if (!w || !(t->train >> i & 1)) continue;
        mr_tensor *g;
        assert_int_equal(mr_tensors_add(set, w->layer, w->param, w->rank, w->shape, &g, NULL),
                         MRCNN_OK);
        for (size_t k = 0; k < g->count; k++) g->values[k] = 0.25f;
    }
    return set;
}

/* Pixels that rise, with the first and the last among them if there are two. */
static void make_pixels(bench *b) {
    int wanted = b->t->pixel_count < 0 ? 0 : b->t->pixel_count;
    b->index = malloc(((size_t)wanted + 1) * sizeof *b->index);
    size_t count = (size_t)wanted < b->pixels ? (size_t)wanted : b->pixels;
    for (size_t i = 0; i < count; i++)
        b->index[i] = (int32_t)(count > 1 ? i * (b->pixels - 1) / (count - 1) : b->pixels / 2);
    b->list.count = (int)count;
    b->list.index = b->index;
}

/* Blocks of 3 x 5 pixels of which one in six isn't zero; half of its pixels are but for their last
 * channel. */
static int is_zero(const bench *b, size_t number) {
    size_t channels = (size_t)b->out.channels, width = (size_t)b->out.width;
    size_t pixel = number / channels, block = pixel % width / 5 + pixel / width / 3 * 7;
    if (b->t->zero_blocks == 0) return 0;
    int is_last = number % channels == channels - 1;
    return b->t->zero_blocks == 2 || block % 6 != 0 || (pixel % 2 && !is_last);
}

static float *filled(size_t count, float value) {
    float *p = mr_alloc_aligned((count ? count : 1) * sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < count; i++) p[i] = value;
    return p;
}

static void prepare(bench *b, int threads) {
    const trial *t = b->t;
    mr_prepare p = {.graph = b->graph,
                    .node = b->node,
                    .threads = threads,
                    .weights = b->weights,
                    .packs = b->packs,
                    .products = t->products,
                    .gradients = b->gradients};
    p.max_rows[t->rows] = t->max_count > t->count ? t->max_count : t->count;
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mr_executor_cpu.prepare(&p, &b->kernel, &err) != MRCNN_OK) fail_msg("%s", err.message);
    int trains = mr_has_backward(b->graph, b->node, b->gradients);
    assert_int_equal(b->kernel->backward != NULL, trains);
    b->scratch = filled(b->kernel->scratch_bytes / sizeof(float) + 1, NAN);
}

static void set_up(bench *b, const trial *t, int threads) {
    memset(b, 0, sizeof *b);
    b->t = t;
    b->graph = build(t);
    b->weights = mr_tensors_create();
    eval_weights(b->weights, b->graph, 3);
    b->gradients = make_gradients(t, b->weights);
    b->packs = mr_packs_create();
    mr_graph_optimize(b->graph);
    mr_graph_mark_gradients(b->graph, b->gradients);
    b->node = &b->graph->nodes[b->graph->count - 1];
    assert_int_equal(b->node->op, t->op); /* all is fused */
    if (t->sparse_input) b->graph->nodes[b->node->inputs[0]].pixel_group = 0;
    b->in = b->graph->nodes[b->node->inputs[0]].shape;
    b->out = b->node->shape;
    b->pixels = (size_t)t->count * (size_t)b->out.height * (size_t)b->out.width;
    b->in_count = (size_t)t->count * mr_shape_size(b->in);
    b->out_count = (size_t)t->count * mr_shape_size(b->out);
    make_pixels(b);
    b->x = eval_noise(5, b->in_count, -1, 1);
    b->residual = eval_noise(6, b->out_count, -1, 1);
    b->y = filled(b->out_count, NAN);
    size_t dy_count =
        t->pixel_count ? (size_t)b->list.count * (size_t)b->out.channels : b->out_count;
    float *dy = eval_noise(7, dy_count, -1, 1);
    b->dy = filled(dy_count, 0);
    for (size_t i = 0; i < dy_count; i++)
        if (!is_zero(b, i)) b->dy[i] = dy[i];
    free(dy);
    size_t dx_count = t->sparse_input ? (size_t)b->list.count * (size_t)t->channels : b->in_count;
    b->dx = filled(dx_count, t->accumulate ? 0.5f : NAN);
    b->dresidual = filled(b->out_count, t->residual_accumulate ? 0.5f : NAN);
    prepare(b, threads);
}

static void tear_down(bench *b) {
    b->kernel->free(b->kernel);
    mr_graph_free(&b->graph);
    mr_tensors_free(&b->weights);
    mr_tensors_free(&b->gradients);
    mr_packs_free(&b->packs);
    float *all[] = {b->x, b->residual, b->y, b->dy, b->dx, b->dresidual, b->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
    free(b->index);
}

static void run_forward(bench *b, int threads) {
    mr_run run = {.inputs = {b->x},
                  .residual = b->t->residual ? b->residual : NULL,
                  .output = b->y,
                  .scratch = b->scratch,
                  .threads = threads};
    run.rows[b->t->rows] = b->t->count;
    b->kernel->run(b->kernel, &run);
}

static void run_backward(bench *b, int threads) {
    const trial *t = b->t;
    unsigned reads = mr_backward_reads(b->graph, b->node, b->gradients);
    mr_backward back = {.inputs = {reads & 1 ? b->x : NULL},
                        .output = reads >> MR_MAX_INPUTS & 1 ? b->y : NULL,
                        .output_gradient = b->dy,
                        .input_gradients = {t->no_input_gradient ? NULL : b->dx},
                        .accumulate = {t->accumulate},
                        .residual_accumulate = t->residual_accumulate,
                        .pixels = t->pixel_count ? &b->list : NULL,
                        .scratch = b->scratch,
                        .threads = threads};
    if (t->residual && !t->no_residual_gradient)
        back.residual_gradient = t->residual_shared ? b->dy : b->dresidual;
    back.rows[t->rows] = t->count;
    b->kernel->backward(b->kernel, &back);
}

/* --------------------------------------------------------------------------------- plain loops */

typedef struct judge {
    double *z, *y;                       /* before batch norm; after everything */
    double *dx, *dresidual, *dw[PARAMS]; /* of the whole maps */
} judge;

static double *zeros(size_t count) {
    double *p = calloc(count ? count : 1, sizeof *p);
    assert_non_null(p);
    return p;
}

static double weight(const bench *b, const char *param, size_t f, double otherwise) {
    const mr_tensor *t = mr_tensors_find(b->weights, "bn", param);
    return t ? (double)t->values[f] : otherwise;
}

/* Calls visit for all (input number, kernel number, output number) that the product multiplies. */
typedef void (*visitor)(void *user, size_t in, size_t kernel, size_t out);

static void visit_conv(const bench *b, visitor visit, void *user) {
    const mr_node *n = b->node;
    size_t in_c = (size_t)b->in.channels, out_c = (size_t)b->out.channels;
    for (size_t pixel = 0; pixel < b->pixels; pixel++) {
        int ox = (int)(pixel % (size_t)b->out.width);
        int oy = (int)(pixel / (size_t)b->out.width % (size_t)b->out.height);
        size_t picture = pixel / (size_t)b->out.width / (size_t)b->out.height;
        for (int tap = 0; tap < n->kernel_h * n->kernel_w; tap++) {
            int y = oy * n->stride - n->pad_top + tap / n->kernel_w;
            int x = ox * n->stride - n->pad_left + tap % n->kernel_w;
            if (y < 0 || x < 0 || y >= b->in.height || x >= b->in.width) continue;
            size_t from =
                (picture * (size_t)b->in.height + (size_t)y) * (size_t)b->in.width + (size_t)x;
            for (size_t c = 0; c < in_c; c++)
                for (size_t f = 0; f < out_c; f++)
                    visit(user, from * in_c + c, ((size_t)tap * in_c + c) * out_c + f,
                          pixel * out_c + f);
        }
    }
}

static void visit_dense(const bench *b, visitor visit, void *user) {
    size_t inputs = mr_shape_size(b->in), units = (size_t)b->out.channels;
    for (size_t row = 0; row < (size_t)b->t->count; row++)
        for (size_t i = 0; i < inputs; i++)
            for (size_t u = 0; u < units; u++)
                visit(user, row * inputs + i, i * units + u, row * units + u);
}

static void visit_deconv(const bench *b, visitor visit, void *user) {
    size_t in_c = (size_t)b->in.channels, out_c = (size_t)b->out.channels;
    for (size_t pixel = 0; pixel < b->pixels; pixel++) {
        size_t ox = pixel % (size_t)b->out.width, row = pixel / (size_t)b->out.width;
        size_t from = row / 2 * (size_t)b->in.width + ox / 2; /* the height is even */
        size_t tap = row % 2 * 2 + ox % 2;
        for (size_t f = 0; f < out_c; f++)
            for (size_t c = 0; c < in_c; c++)
                visit(user, from * in_c + c, (tap * out_c + f) * in_c + c, pixel * out_c + f);
    }
}

static void visit_products(const bench *b, visitor visit, void *user) {
    if (b->t->op == MR_OP_CONV) visit_conv(b, visit, user);
    if (b->t->op == MR_OP_DENSE) visit_dense(b, visit, user);
    if (b->t->op == MR_OP_DECONV) visit_deconv(b, visit, user);
}

typedef struct products {
    const float *x, *kernel;
    double *z;
    const double *dz;
    double *dx, *dkernel;
} products;

static void multiply(void *user, size_t in, size_t kernel, size_t out) {
    products *p = user;
    p->z[out] += (double)p->x[in] * (double)p->kernel[kernel];
}

static void multiply_back(void *user, size_t in, size_t kernel, size_t out) {
    products *p = user;
    p->dx[in] += p->dz[out] * (double)p->kernel[kernel];
    p->dkernel[kernel] += p->dz[out] * (double)p->x[in];
}

static void judge_forward(judge *j, const bench *b) {
    size_t filters = (size_t)b->out.channels;
    products p = {.x = b->x, .kernel = tensor(b->weights, 0)->values, .z = j->z};
    memset(j->z, 0, b->out_count * sizeof *j->z);
    visit_products(b, multiply, &p);
    for (size_t i = 0; i < b->out_count; i++) {
        size_t f = i % filters;
        j->z[i] += (double)tensor(b->weights, 1)->values[f];
        double deviation = b->t->batch_norm ? sqrt(weight(b, "moving_variance", f, 1) + 1e-3) : 1;
        double y =
            (j->z[i] - weight(b, "moving_mean", f, 0)) / deviation * weight(b, "gamma", f, 1) +
            weight(b, "beta", f, 0);
        if (b->t->residual) y += (double)b->residual[i];
        j->y[i] = b->t->relu && y < 0 ? 0 : y;
    }
}

/* dy: of the whole map; y: whose sign the ReLU's gradient goes by. */
static void judge_backward(judge *j, const bench *b, const double *dy, const float *y) {
    size_t filters = (size_t)b->out.channels;
    double *dz = zeros(b->out_count);
    for (size_t i = 0; i < b->out_count; i++) {
        size_t f = i % filters;
        double g = b->t->relu && !(y[i] > 0) ? 0 : dy[i];
        double deviation = b->t->batch_norm ? sqrt(weight(b, "moving_variance", f, 1) + 1e-3) : 1;
        j->dresidual[i] = g;
        j->dw[3][f] += g;
        j->dw[2][f] += g * (j->z[i] - weight(b, "moving_mean", f, 0)) / deviation;
        dz[i] = g * weight(b, "gamma", f, 1) / deviation;
        j->dw[1][f] += dz[i];
    }
    products p = {.x = b->x,
                  .kernel = tensor(b->weights, 0)->values,
                  .dz = dz,
                  .dx = j->dx,
                  .dkernel = j->dw[0]};
    visit_products(b, multiply_back, &p);
    free(dz);
}

static judge make_judge(const bench *b) {
    judge j = {.z = zeros(b->out_count), .y = zeros(b->out_count)};
    j.dx = zeros(b->in_count);
    j.dresidual = zeros(b->out_count);
    for (int i = 0; i < PARAMS; i++)
        j.dw[i] = zeros(i ? (size_t)b->out.channels : tensor(b->weights, 0)->count);
    return j;
}

static void free_judge(judge *j) {
    free(j->z), free(j->y), free(j->dx), free(j->dresidual);
    for (int i = 0; i < PARAMS; i++) free(j->dw[i]);
}

/* ---------------------------------------------------------------------------------- comparison */

static void describe(char *text, size_t size, const trial *t) {
    static const char *const ops[] = {
        [MR_OP_CONV] = "conv", [MR_OP_DENSE] = "dense", [MR_OP_DECONV] = "deconv"};
    snprintf(text, size,
             "%s %dx%dx%d to %d, kernel %d stride %d %s, %d %s%s%s%s, train %d, pixels %d%s%s",
             ops[t->op], t->height, t->width, t->channels, t->filters, t->kernel, t->stride,
             t->padding == MRCNN_SAME ? "same" : "valid", t->count,
             t->rows == MR_ROWS_ROIS ? "RoIs" : "pictures", t->batch_norm ? ", batch norm" : "",
             t->residual ? ", residual" : "", t->relu ? ", relu" : "", t->train, t->pixel_count,
             t->sparse_input ? ", sparse input" : "", t->accumulate ? ", accumulate" : "");
}

/* Near in the norm, to which each number adds a little: some sums cancel out.
 * Element i of `have` belongs to number at(i) of `want`, plus `before`. */
static void assert_near(const trial *t, const char *what, const double *want, const float *have,
                        size_t count, double before, const bench *sparse, size_t channels) {
    double error = 0, norm = 0.1 * (double)count;
    for (size_t i = 0; i < count; i++) {
        size_t k = sparse ? (size_t)sparse->index[i / channels] * channels + i % channels : i;
        double w = want[k] + before, d = w - (double)have[i];
        error += d * d;
        norm += w * w;
    }
    if (sqrt(error) <= (t->products == MR_BF16 ? CLOSE_BF16 : CLOSE) * sqrt(norm)) return;
    char text[256];
    describe(text, sizeof text, t);
    fail_msg("%s%s: %s is off by %g of its norm", text, t->products == MR_BF16 ? ", bf16" : "",
             what, sqrt(error / norm));
}

static double *whole_map(const bench *b) {
    double *dy = zeros(b->out_count);
    size_t channels = (size_t)b->out.channels;
    size_t count = b->t->pixel_count ? (size_t)b->list.count : b->pixels;
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < channels; c++) {
            size_t pixel = b->t->pixel_count ? (size_t)b->index[i] : i;
            dy[pixel * channels + c] = (double)b->dy[i * channels + c];
        }
    return dy;
}

static void compare(const bench *b, const judge *j) {
    const trial *t = b->t;
    for (int i = 0; i < PARAMS; i++) {
        const mr_tensor *g = tensor(b->gradients, i);
        if (g) assert_near(t, param_names[i], j->dw[i], g->values, g->count, 0.25, NULL, 1);
    }
    if (!t->no_input_gradient) {
        size_t channels = (size_t)t->channels;
        size_t count = t->sparse_input ? (size_t)b->list.count * channels : b->in_count;
        assert_near(t, "the input's gradient", j->dx, b->dx, count, t->accumulate ? 0.5 : 0,
                    t->sparse_input ? b : NULL, channels);
    }
    if (!t->residual || t->no_residual_gradient) return;
    size_t channels = (size_t)t->filters;
    if (t->residual_shared)
        assert_near(t, "the residual's gradient", j->dresidual, b->dy,
                    t->pixel_count ? (size_t)b->list.count * channels : b->out_count, 0,
                    t->pixel_count ? b : NULL, channels);
    else
        assert_near(t, "the residual's gradient", j->dresidual, b->dresidual, b->out_count,
                    t->residual_accumulate ? 0.5 : 0, NULL, 1);
}

/* The weights move after the kernel was prepared: a pack made then would show. */
static void move_weights(bench *b) {
    for (int i = 0; i < PARAMS; i++) {
        mr_tensor *w = tensor(b->weights, i);
        for (size_t k = 0; w && k < w->count; k++) w->values[k] = 0.9f * w->values[k] + 0.01f;
    }
}

static void check_with(const trial *t, int threads) {
    bench b;
    set_up(&b, t, threads);
    judge j = make_judge(&b);
    move_weights(&b);
    run_forward(&b, threads);
    judge_forward(&j, &b);
    assert_near(t, "the output", j.y, b.y, b.out_count, 0, NULL, 1);
    double *dy = whole_map(&b);
    judge_backward(&j, &b, dy, b.y);
    for (size_t i = 0; i < b.kernel->scratch_bytes / sizeof(float); i++) b.scratch[i] = NAN;
    run_backward(&b, threads);
    compare(&b, &j);
    free(dy);
    free_judge(&j);
    tear_down(&b);
}

static void check(const trial *t) {
    check_with(t, 1);
    check_with(t, 2);
    if (!mr_executor_cpu.computes_in(MR_BF16)) return;
    trial bf16 = *t;
    bf16.products = MR_BF16;
    check_with(&bf16, 2);
}

/* --------------------------------------------------------------------------------------- cases */

static trial conv_of(int height, int width, int channels, int filters, int kernel, int stride) {
    trial t = {.op = MR_OP_CONV,
               .height = height,
               .width = width,
               .channels = channels,
               .filters = filters,
               .kernel = kernel,
               .stride = stride,
               .padding = MRCNN_SAME,
               .count = 1};
    return t;
}

/* Dense or deconvolution, of RoIs. */
static trial product_of(mr_op op, int height, int width, int channels, int filters) {
    trial t = conv_of(height, width, channels, filters, 0, 0);
    t.op = op;
    t.padding = MRCNN_VALID;
    t.rows = MR_ROWS_ROIS;
    return t;
}

static int fits(const trial *t) {
    return t->padding == MRCNN_SAME || (t->height >= t->kernel && t->width >= t->kernel);
}

/* The options cycle with odd periods, so that all pairs meet in the course of the sizes. */
static void set_options(trial *t, int index) {
    t->batch_norm = t->op != MR_OP_DECONV && index % 3 != 0;
    t->relu = index % 2;
    t->residual = t->op == MR_OP_CONV && index % 5 < 2;
    t->train = index % 7 == 0 ? ALL : (index * 5 + 1) % 16;
    t->accumulate = index / 2 % 2;
    t->no_input_gradient = index % 11 == 3;
    t->residual_accumulate = index / 3 % 2;
    t->residual_shared = index % 4 == 1;
    t->no_residual_gradient = index % 13 == 2;
    if (t->no_input_gradient && !t->residual) t->train |= BIAS; /* or there is no backward */
}

static void convolutions(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {2, 3}, {7, 5}, {9, 14}};
    static const int kernels[] = {1, 2, 3, 5, 7};
    static const int channels[][2] = {{1, 1},   {3, 16}, {16, 16}, {17, 33},
                                      {33, 17}, {16, 3}, {1, 17}};
    int index = 0;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++)
            for (int stride = 1; stride <= 2; stride++)
                for (int padding = 0; padding < 2; padding++)
                    for (size_t c = 0; c < sizeof channels / sizeof *channels; c++, index++) {
                        trial t = conv_of(sizes[s][0], sizes[s][1], channels[c][0], channels[c][1],
                                          kernels[k], stride);
                        t.padding = padding ? MRCNN_SAME : MRCNN_VALID;
                        t.rows = index % 3 == 0 ? MR_ROWS_ROIS : MR_ROWS_IMAGES;
                        t.count = 1 + index % 2;
                        if (t.rows == MR_ROWS_ROIS) t.max_count = t.count + index % 5;
                        set_options(&t, index);
                        if (fits(&t)) check(&t);
                    }
}

/* Enough of them for all three of Winograd's products; the gradient has zeros to leave out, or not. */
static void wide_convolutions(void **state) {
    (void)state;
    for (int index = 0; index < 12; index++) {
        trial t = conv_of(29, 34, 64, index % 2 ? 64 : 49, 3, 1);
        t.rows = index % 4 == 3 ? MR_ROWS_ROIS : MR_ROWS_IMAGES;
        t.count = 1 + index / 2 % 2;
        set_options(&t, index);
        t.train = ALL;
        t.zero_blocks = index % 3;
        check(&t);
    }
}

static void zeros_left_out(void **state) {
    (void)state;
    int index = 0;
    for (int kernel = 1; kernel <= 5; kernel += 2)
        for (int stride = 1; stride <= 2; stride++)
            for (int blocks = 1; blocks <= 2; blocks++)
                for (int batch = 1; batch <= 2; batch++)
                    for (int filters = 3; filters <= 18; filters += 15, index++) {
                        trial t = conv_of(13, 21, 17, filters, kernel, stride);
                        t.count = batch;
                        t.zero_blocks = blocks;
                        set_options(&t, index);
                        check(&t);
                    }
    /* More of them than are copied at a time. */
    trial many = conv_of(190, 190, 2, 3, 1, 1);
    many.padding = MRCNN_VALID;
    many.zero_blocks = 1;
    set_options(&many, 7);
    check(&many);
}

/* RoIs are counted at run time. */
static void fewer_rows(void **state) {
    (void)state;
    for (int kernel = 1; kernel <= 7; kernel += 2)
        for (int rows = 0; rows <= 5; rows += rows ? 4 : 1) {
            trial t = conv_of(7, 7, 18, 20, kernel, 1);
            t.rows = MR_ROWS_ROIS;
            t.count = rows;
            t.max_count = 9;
            set_options(&t, 1 + kernel + rows);
            t.train = ALL;
            check(&t);
            t.padding = MRCNN_VALID; /* 7x7: one product */
            t.residual = 0;
            check(&t);
        }
}

/* More windows than are gathered at a time, and a dense kernel of more than one block. */
static void several_chunks(void **state) {
    (void)state;
    trial many = conv_of(66, 67, 2, 3, 3, 1);
    set_options(&many, 7);
    check(&many);
    trial blocks = product_of(MR_OP_DENSE, 2, 3, 111, 1700);
    blocks.count = 3;
    blocks.max_count = 4;
    set_options(&blocks, 7);
    check(&blocks);
    blocks.accumulate = 1;
    blocks.train = KERNEL;
    check(&blocks);
}

static void dense_layers(void **state) {
    (void)state;
    static const int units[] = {1, 3, 16, 33};
    int index = 0;
    for (int rows = 0; rows <= 5; rows += rows ? 4 : 1)
        for (size_t u = 0; u < 4; u++)
            for (int height = 1; height <= 3; height++, index++) {
                trial t = product_of(MR_OP_DENSE, height, 2, 17, units[u]);
                t.count = rows;
                t.max_count = 6;
                set_options(&t, index);
                check(&t);
            }
}

static void deconvolutions(void **state) {
    (void)state;
    static const int channels[][2] = {{1, 1}, {3, 16}, {17, 33}};
    int index = 0;
    for (int rows = 0; rows <= 17; rows += rows ? 8 : 1)
        for (size_t c = 0; c < 3; c++)
            for (int height = 1; height <= 3; height++, index++) {
                trial t = product_of(MR_OP_DECONV, height, 2, channels[c][0], channels[c][1]);
                t.count = rows;
                t.max_count = rows + index;
                set_options(&t, index);
                check(&t);
            }
}

/* Gradients at a few pixels: none, one, at the borders, all. */
static void sparse_gradients(void **state) {
    (void)state;
    static const int counts[] = {-1, 1, 2, 5, 70};
    int index = 0;
    for (int kernel = 1; kernel <= 5; kernel += 2)
        for (int stride = 1; stride <= 2; stride++)
            for (int batch = 1; batch <= 2; batch++)
                for (size_t c = 0; c < sizeof counts / sizeof *counts; c++, index++) {
                    trial t = conv_of(5, 7, 17, index % 2 ? 18 : 3, kernel, stride);
                    t.count = batch;
                    set_options(&t, index);
                    t.pixel_count = counts[c];
                    check(&t);
                    t.sparse_input = kernel == 1 && stride == 1;
                    if (t.sparse_input) check(&t);
                }
}

/* --------------------------------------------------------- the judge, against finite differences */

/* The loss is the sum of dy * y. */
static double loss(judge *j, const bench *b, const double *dy) {
    judge_forward(j, b);
    double sum = 0;
    for (size_t i = 0; i < b->out_count; i++) sum += dy[i] * j->y[i];
    return sum;
}

static void check_slope(judge *j, const bench *b, const double *dy, float *at, double slope) {
    const float old = *at, high = old + 0.015625f, low = old - 0.015625f;
    *at = high;
    double above = loss(j, b, dy);
    *at = low;
    double below = loss(j, b, dy);
    *at = old;
    double found = (above - below) / ((double)high - (double)low);
    if (fabs(found - slope) > 1e-7 * (1 + fabs(slope)))
        fail_msg("slope %.9g, found %.9g", slope, found);
}

/* Without ReLU the loss is linear in each single number, and the difference exact. */
static void check_slopes(const trial *t) {
    bench b;
    set_up(&b, t, 1);
    judge j = make_judge(&b);
    double *dy = whole_map(&b);
    judge_forward(&j, &b);
    judge_backward(&j, &b, dy, b.y);
    for (size_t k = 0; k < b.in_count; k++) check_slope(&j, &b, dy, &b.x[k], j.dx[k]);
    for (int p = 0; p < PARAMS; p++) {
        mr_tensor *w = tensor(b.weights, p);
        for (size_t k = 0; w && k < w->count; k++)
            check_slope(&j, &b, dy, &w->values[k], j.dw[p][k]);
    }
    free(dy);
    free_judge(&j);
    tear_down(&b);
}

static void finite_differences(void **state) {
    (void)state;
    trial trials[] = {conv_of(4, 5, 3, 4, 3, 2), conv_of(3, 4, 2, 3, 1, 1),
                      product_of(MR_OP_DENSE, 2, 2, 3, 5), product_of(MR_OP_DECONV, 2, 3, 4, 3)};
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        trials[i].count = 2;
        trials[i].batch_norm = i % 2 == 0;
        trials[i].residual = i == 0;
        trials[i].train = ALL;
        check_slopes(&trials[i]);
    }
}

/* Same threads, same bytes. */
static void deterministic(void **state) {
    (void)state;
    trial trials[] = {conv_of(30, 31, 17, 16, 3, 1), conv_of(30, 31, 17, 18, 1, 1),
                      conv_of(30, 31, 17, 18, 3, 2)};
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        bench b[2];
        trials[i].count = 2;
        trials[i].batch_norm = trials[i].relu = 1;
        trials[i].train = ALL;
        for (int k = 0; k < 2; k++) {
            set_up(&b[k], &trials[i], 2);
            run_forward(&b[k], 2);
            run_backward(&b[k], 2);
        }
        assert_memory_equal(b[0].dx, b[1].dx, b[0].in_count * sizeof(float));
        for (int p = 0; p < PARAMS; p++) {
            const mr_tensor *one = tensor(b[0].gradients, p), *two = tensor(b[1].gradients, p);
            assert_memory_equal(one->values, two->values, one->count * sizeof(float));
        }
        for (int k = 0; k < 2; k++) tear_down(&b[k]);
    }
}

/* What is frozen below all that trains has no backward, and keeps no pack. */
static void frozen(void **state) {
    (void)state;
    trial trials[] = {conv_of(9, 8, 17, 16, 3, 1), conv_of(9, 8, 3, 18, 7, 2),
                      product_of(MR_OP_DENSE, 2, 2, 33, 5), product_of(MR_OP_DECONV, 2, 3, 4, 3)};
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++) {
        bench b;
        trials[i].no_input_gradient = 1;
        trials[i].batch_norm = trials[i].op != MR_OP_DECONV;
        trials[i].relu = 1;
        set_up(&b, &trials[i], 2);
        assert_null(b.kernel->backward);
        judge j = make_judge(&b);
        move_weights(&b);
        run_forward(&b, 2);
        judge_forward(&j, &b);
        assert_near(&trials[i], "the output", j.y, b.y, b.out_count, 0, NULL, 1);
        size_t raw = 0;
        for (size_t k = 0; k < mr_tensors_count(b.weights); k++)
            raw += mr_tensors_at(b.weights, k)->count * sizeof(float);
        assert_int_equal(mr_weight_bytes(b.packs, b.weights), raw);
        free_judge(&j);
        tear_down(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finite_differences),
        cmocka_unit_test(convolutions),
        cmocka_unit_test(wide_convolutions),
        cmocka_unit_test(zeros_left_out),
        cmocka_unit_test(fewer_rows),
        cmocka_unit_test(several_chunks),
        cmocka_unit_test(dense_layers),
        cmocka_unit_test(deconvolutions),
        cmocka_unit_test(sparse_gradients),
        cmocka_unit_test(deterministic),
        cmocka_unit_test(frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
