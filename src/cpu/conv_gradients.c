/* conv_gradients.c - see conv_gradients.h. With X the matrix of windows (a row for each output
 * pixel), W the kernel and Z the output before the ReLU: Z = X W, so dW = X' dZ and dX = dZ W'. X is
 * made in chunks that stay in cache, or is the input itself when windows are single pixels. */
#include "cpu/conv_gradients.h"

#include "cpu/cpu.h"

#include <string.h>

/* Floats of a chunk of windows, and of a block of a dense layer's kernel: 4 MB each. */
enum { CHUNK_FLOATS = 1 << 20, SHORTEST_CHUNK = 16, LONGEST_CHUNK = 4096 };

static size_t clamp(size_t value, size_t least, size_t most) {
    return value < least ? least : value > most ? most : value;
}

static int is_sparse(const mr_prepare *p, mrcnn_value x) {
    return p->node->pixel_group >= 0 && x >= 0 && p->graph->nodes[x].pixel_group >= 0;
}

mrcnn_status mr_conv_gradients_prepare(mr_conv_gradients *g, const mr_prepare *p,
                                       mrcnn_error *err) {
    mr_conv_gradients fresh = {.window = mr_cpu_window(p),
                               .rows = p->node->rows,
                               .relu = p->node->relu,
                               .sparse_input = is_sparse(p, p->node->inputs[0]),
                               .sparse_residual = is_sparse(p, p->node->residual)};
    mrcnn_status status = mr_fold_prepare(&fresh.fold, p, err);
    if (status != MRCNN_OK) return status;
    size_t filters = fresh.fold.filters;
    fresh.winograd = p->node->pixel_group < 0 && mr_cpu_suits_winograd(p);
    fresh.kernel_rows = fresh.fold.kernel_count / filters;
    fresh.block_rows = fresh.kernel_rows;
    if (mr_windows_are_pixels(&fresh.window))
        fresh.block_rows = clamp(CHUNK_FLOATS / filters, 1, fresh.kernel_rows);
    fresh.chunk = clamp(CHUNK_FLOATS / fresh.kernel_rows, SHORTEST_CHUNK, LONGEST_CHUNK);
    size_t work = mr_piece(fresh.chunk * fresh.kernel_rows * sizeof(float));
    if (fresh.winograd) {
        size_t other = mr_winograd_gradients_size(&fresh, p->max_rows[fresh.rows], p->threads);
        if (other > work) work = other;
    }
    if (mr_sum_size(filters) > work) work = mr_sum_size(filters);
    fresh.scratch_bytes = 3 * mr_piece(filters * sizeof(float)) +
                          mr_piece(fresh.block_rows * filters * sizeof(float)) + mr_piece(work);
    *g = fresh;
    return MRCNN_OK;
}

/* One backward run. */
typedef struct pass {
    const mr_conv_gradients *g;
    const mr_backward *b;
    mr_pixel_range range;
    size_t channels, filters;
    size_t first, count; /* rows of the kernel that are worked on */
    mr_fold part;        /* these */
    float *room;         /* for these */
    float *bias_room;
    void *work;
} pass;

/* dX of single pixels, dense or of the same pixels as dZ: straight into place. */
static void pixel_gradient(const pass *p, const float *kernel) {
    mr_matrix dz = {p->b->output_gradient, p->filters, 0}, w = {kernel, p->filters, 1};
    mr_dnnl_matmul(p->range.count, p->count, p->filters, dz, w, p->b->accumulate[0] ? 1.0f : 0.0f,
                   p->b->input_gradients[0] + p->first, p->channels);
}

static void window_gradient(const pass *p, const float *kernel) {
    const mr_conv_gradients *g = p->g;
    for (size_t i = 0; i < p->range.count; i += g->chunk) {
        size_t n = clamp(p->range.count - i, 0, g->chunk);
        mr_matrix dz = {p->b->output_gradient + i * p->filters, p->filters, 0};
        mr_matrix w = {kernel, p->filters, 1};
        mr_dnnl_matmul(n, p->count, p->filters, dz, w, 0, p->work, p->count);
        mr_scatter_windows(&g->window, p->work, mr_pixel_part(p->range, i, n),
                           p->b->input_gradients[0], p->b->threads);
    }
}

static void input_gradient(const pass *p) {
    const mr_conv_gradients *g = p->g;
    const mr_backward *b = p->b;
    const mr_dnnl_window *w = &g->window;
    if (!b->input_gradients[0]) return;
    const float *kernel = mr_fold_weights(&p->part, p->room, p->bias_room, b->threads);
    int n = b->rows[g->rows];
    if (g->winograd) {
        mr_winograd_input_gradient(g, n, kernel, b->output_gradient, b->input_gradients[0],
                                   b->accumulate[0], p->work, b->threads);
    } else if (mr_windows_are_pixels(w) && (!p->range.index || g->sparse_input)) {
        if (p->range.count) pixel_gradient(p, kernel);
    } else {
        size_t map = (size_t)n * (size_t)w->in_h * (size_t)w->in_w * p->channels;
        mr_clear_gradient(b->input_gradients[0], map, b->accumulate[0], b->threads);
        window_gradient(p, kernel);
    }
}

/* dW of the rows at hand, over all pixels. */
static void sum_kernel_gradient(const pass *p) {
    const mr_conv_gradients *g = p->g;
    const float *dz = p->b->output_gradient;
    mr_matrix z = {dz, p->filters, 0};
    if (g->winograd && mr_winograd_kernel_gradient(g, p->b->rows[g->rows], p->b->inputs[0], dz,
                                                   p->room, p->work, p->b->threads))
        return;
    if (p->range.count == 0) {
        memset(p->room, 0, p->part.kernel_count * sizeof *p->room);
    } else if (mr_windows_are_pixels(&g->window) && !p->range.index) {
        mr_matrix x = {p->b->inputs[0] + p->first, p->channels, 1};
        mr_dnnl_matmul(p->count, p->filters, p->range.count, x, z, 0, p->room, p->filters);
    } else {
        for (size_t i = 0; i < p->range.count; i += g->chunk) {
            size_t n = clamp(p->range.count - i, 0, g->chunk);
            mr_gather_windows(&g->window, p->b->inputs[0], mr_pixel_part(p->range, i, n), p->work,
                              p->b->threads);
            mr_matrix x = {(const float *)p->work + p->first, g->kernel_rows, 1};
            z.data = dz + i * p->filters;
            mr_dnnl_matmul(p->count, p->filters, n, x, z, i ? 1.0f : 0.0f, p->room, p->filters);
        }
    }
}

void mr_conv_gradients_run(const mr_conv_gradients *g, const mr_backward *b) {
    void *scratch = b->scratch;
    size_t filters = g->fold.filters,
           map = (size_t)b->rows[g->rows] * (size_t)g->window.out_h * (size_t)g->window.out_w;
    pass p = {.g = g, .b = b, .channels = (size_t)g->window.in_c, .filters = filters};
    if (b->pixels) {
        p.range.index = b->pixels->index;
        p.range.count = (size_t)b->pixels->count;
    } else {
        p.range.count = map;
    }
    float *dbias = mr_take(&scratch, filters * sizeof(float));
    float *zeros = mr_take(&scratch, filters * sizeof(float));
    p.bias_room = mr_take(&scratch, filters * sizeof(float));
    p.room = mr_take(&scratch, g->block_rows * filters * sizeof(float));
    p.work = scratch;
    memset(zeros, 0, filters * sizeof *zeros);
    mr_relu_gradient(b->output_gradient, g->relu ? b->output : NULL, p.range, filters,
                     mr_fold_wants_bias(&g->fold) ? dbias : NULL, p.work, b->threads);
    mr_residual_gradient(b, p.range, g->sparse_residual, map, filters);
    for (p.first = 0; p.first < g->kernel_rows; p.first += g->block_rows) {
        p.count = clamp(g->kernel_rows - p.first, 0, g->block_rows);
        p.part = mr_fold_part(&g->fold, p.first, p.count);
        input_gradient(&p);
        if (mr_fold_wants_kernel(&g->fold)) sum_kernel_gradient(&p);
        mr_unfold_gradients(&p.part, p.room, p.first ? zeros : dbias, b->threads);
    }
}
