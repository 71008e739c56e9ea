/* conv_gradients.c - see conv_gradients.h. With X the matrix of windows (a row for each output
 * pixel), W the kernel and Z the output before the ReLU: Z = X W, so dW = X' dZ and dX = dZ W'. X is
 * made in chunks that stay in cache, or is the input itself when windows are single pixels. */
#include "cpu/conv_gradients.h"

#include "cpu/cpu.h"
#include "cpu/nonzero.h"

#include <string.h>

/* Floats of a chunk of windows, and of a block of a dense layer's kernel: 4 MB each. */
enum { CHUNK_FLOATS = 1 << 20, SHORTEST_CHUNK = 16, LONGEST_CHUNK = 4096 };

static size_t clamp(size_t value, size_t least, size_t most) {
    return value < least ? least : value > most ? most : value;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* One backward run: what it works on, and its scratch. */
typedef struct pass {
    const mr_conv_gradients *g;
    const mr_backward *b;
    size_t channels, filters;
    size_t map_pixels;    /* of the output */
    mr_pixel_range range; /* those of them whose gradient isn't known to be zero */
    int gathered;         /* the gradient has one row a pixel of the range, it is no map */
    size_t first, count;  /* rows of the kernel that are worked on */
    mr_fold part;         /* these */

    float *dbias, *no_dbias; /* sums of the gradient's rows; zeros */
    float *bias_room, *room; /* for folded weights, and for their gradient */
    mr_gemm_room product;
    float *transposed; /* the former once more */
    uint8_t *marks;    /* pixels whose gradient isn't zero */
    int32_t *pixels;   /* their list */
    int32_t *dz_list, *dx_list;
    mr_winograd_tiles dz_tiles, dx_tiles; /* Winograd's tiles with such pixels in or around them */
    int few_dz_tiles, few_dx_tiles;
    float *windows, *dz; /* a chunk of windows, and of the gradient's rows */
    void *work;          /* the rest; overlaps with the chunks */
} pass;

static size_t work_bytes(const mr_conv_gradients *g, size_t winograd_bytes) {
    size_t sums = mr_sum_size(g->fold.filters);
    size_t chunk = g->chunk * (g->kernel_rows + g->fold.filters) * sizeof(float) + 128;
    return larger(sums, larger(chunk, winograd_bytes));
}

/* Two lists of tiles of 4x4 pixels take less than one of pixels. */
static void cut_scratch(pass *p, mr_scratch *scratch) {
    const mr_conv_gradients *g = p->g;
    size_t row = g->fold.filters * sizeof(float), marks = g->find_zeros ? g->most_pixels : 0;
    p->dbias = mr_take(scratch, row);
    p->no_dbias = mr_take(scratch, row);
    p->bias_room = mr_take(scratch, row);
    p->room = mr_take(scratch, g->block_rows * row);
    p->transposed = mr_take(scratch, g->winograd ? 0 : g->block_rows * row);
    p->marks = mr_take(scratch, marks);
    p->pixels = mr_take(scratch, marks * sizeof *p->pixels);
    p->dz_list = mr_take(scratch, g->winograd ? marks * sizeof *p->dz_list : 0);
    p->dx_list = mr_take(scratch, g->winograd ? marks * sizeof *p->dx_list : 0);
    p->product.scratch = mr_take(scratch, g->room_bytes);
    mr_scratch chunks = {scratch->memory, scratch->used};
    p->windows = mr_take(&chunks, g->chunk * g->kernel_rows * sizeof(float));
    p->dz = mr_take(&chunks, g->chunk * row);
    p->work = mr_take(scratch, g->work_bytes);
}

static int is_sparse(const mr_prepare *p, mrcnn_value x) {
    return p->node->pixel_group >= 0 && x >= 0 && p->graph->nodes[x].pixel_group >= 0;
}

mrcnn_status mr_conv_gradients_prepare(mr_conv_gradients *out, const mr_prepare *p,
                                       mrcnn_error *err) {
    mr_conv_gradients g = {.window = mr_cpu_window(p),
                           .rows = p->node->rows,
                           .products = p->products,
                           .room_bytes = mr_gemm_room_size(p->products, p->threads),
                           .relu = p->node->relu,
                           .sparse_input = is_sparse(p, p->node->inputs[0]),
                           .sparse_residual = is_sparse(p, p->node->residual)};
    mrcnn_status status = mr_fold_prepare(&g.fold, p, err);
    if (status != MRCNN_OK) return status;
    int dense = p->node->pixel_group < 0;
    g.winograd = dense && mr_cpu_suits_winograd(p);
    /* RoIs are there for their gradients. */
    g.find_zeros = dense && g.rows == MR_ROWS_IMAGES && g.window.out_h * g.window.out_w > 1;
    g.kernel_rows = g.block_rows = g.fold.kernel_count / g.fold.filters;
    if (mr_windows_are_pixels(&g.window) && dense && !g.find_zeros)
        g.block_rows = clamp(CHUNK_FLOATS / g.fold.filters, 1, g.kernel_rows);
    g.chunk =
        clamp(CHUNK_FLOATS / larger(g.kernel_rows, g.fold.filters), SHORTEST_CHUNK, LONGEST_CHUNK);
    int max_rows = p->max_rows[g.rows];
    g.most_pixels = (size_t)max_rows * (size_t)g.window.out_h * (size_t)g.window.out_w;
    g.work_bytes =
        work_bytes(&g, g.winograd ? mr_winograd_gradients_size(&g, max_rows, p->threads) : 0);
    mr_scratch scratch = {NULL, 0};
    pass sizes = {.g = &g};
    cut_scratch(&sizes, &scratch);
    g.scratch_bytes = scratch.used;
    *out = g;
    return MRCNN_OK;
}

/* ------------------------------------------------------------------------------- what isn't zero */

/* A list of more than half of the pixels costs more than it saves: rows must be copied. Tiles are
 * copied anyway. */
static int are_few_pixels(size_t found, size_t of) {
    return 2 * found < of;
}

static int are_few_tiles(const mr_winograd_tiles *found, const mr_dnnl_window *w, int n) {
    size_t all = (size_t)n * (size_t)((w->out_h + 3) / 4) * (size_t)((w->out_w + 3) / 4);
    return 8 * found->count < 7 * all;
}

static void leave_out_zeros(pass *p) {
    const mr_conv_gradients *g = p->g;
    const mr_dnnl_window *w = &g->window;
    int n = p->b->rows[g->rows];
    mr_mark_nonzero(p->b->output_gradient, p->map_pixels, p->filters, p->marks, p->b->threads);
    if (g->winograd) {
        p->dz_tiles.index = p->dz_list;
        p->dz_tiles.count = mr_list_tiles(p->marks, n, w->out_h, w->out_w, 0, p->dz_list);
        p->dx_tiles.index = p->dx_list;
        p->dx_tiles.count = mr_list_tiles(p->marks, n, w->out_h, w->out_w, 1, p->dx_list);
        p->few_dz_tiles = are_few_tiles(&p->dz_tiles, w, n);
        p->few_dx_tiles = are_few_tiles(&p->dx_tiles, w, n);
    }
    size_t found = mr_list_marked(p->marks, p->map_pixels, p->pixels);
    if (!are_few_pixels(found, p->map_pixels)) return;
    p->range.index = p->pixels;
    p->range.count = found;
}

/* n rows of dz from the i-th of the range on. */
static const float *gradient_rows(const pass *p, size_t i, size_t n) {
    const float *dz = p->b->output_gradient;
    if (p->gathered || !p->range.index) return dz + i * p->filters;
    mr_dnnl_window pixel = p->g->window;
    pixel.in_h = pixel.out_h, pixel.in_w = pixel.out_w, pixel.in_c = pixel.out_c;
    pixel.kernel_h = pixel.kernel_w = pixel.stride = 1;
    pixel.pad_top = pixel.pad_left = pixel.pad_bottom = pixel.pad_right = 0;
    mr_gather_windows(&pixel, dz, mr_pixel_part(p->range, i, n), p->dz, p->b->threads);
    return p->dz;
}

/* ---------------------------------------------------------------------------- the input's gradient */

/* dX of single pixels, all or the same ones as dZ's: straight into place. */
static void pixel_gradient(const pass *p, mr_matrix w) {
    mr_matrix dz = {p->b->output_gradient, p->filters, 0};
    mr_multiply(&p->product, p->range.count, p->count, p->filters, dz, w,
                p->b->accumulate[0] ? 1.0f : 0.0f, p->b->input_gradients[0] + p->first,
                p->channels);
}

static void window_gradient(const pass *p, mr_matrix w) {
    const mr_conv_gradients *g = p->g;
    for (size_t i = 0; i < p->range.count; i += g->chunk) {
        size_t n = clamp(p->range.count - i, 0, g->chunk);
        mr_matrix dz = {gradient_rows(p, i, n), p->filters, 0};
        mr_multiply(&p->product, n, p->count, p->filters, dz, w, 0, p->windows, p->count);
        mr_scatter_windows(&g->window, p->windows, mr_pixel_part(p->range, i, n),
                           p->b->input_gradients[0], p->b->threads);
    }
}

static void input_gradient(const pass *p) {
    const mr_conv_gradients *g = p->g;
    const mr_backward *b = p->b;
    const mr_dnnl_window *w = &g->window;
    if (!b->input_gradients[0]) return;
    int n = b->rows[g->rows];
    const float *kernel = mr_fold_weights(&p->part, p->room, p->bias_room, b->threads);
    if (g->winograd) {
        mr_winograd_input_gradient(g, n, p->few_dx_tiles ? &p->dx_tiles : NULL, kernel,
                                   b->output_gradient, b->input_gradients[0], b->accumulate[0],
                                   p->work, b->threads);
        return;
    }
    /* The product takes it transposed as well, but a quarter slower with many filters. */
    mr_transpose(kernel, p->count, p->filters, p->transposed, b->threads);
    mr_matrix transposed = {p->transposed, p->count, 0};
    if (mr_windows_are_pixels(w) && (!p->range.index || g->sparse_input)) {
        if (p->range.count) pixel_gradient(p, transposed);
    } else {
        size_t map = (size_t)n * (size_t)w->in_h * (size_t)w->in_w * p->channels;
        mr_clear_gradient(b->input_gradients[0], map, b->accumulate[0], b->threads);
        window_gradient(p, transposed);
    }
}

/* --------------------------------------------------------------------------- the kernel's gradient */

static void add_windows(const pass *p) {
    const mr_conv_gradients *g = p->g;
    for (size_t i = 0; i < p->range.count; i += g->chunk) {
        size_t n = clamp(p->range.count - i, 0, g->chunk);
        mr_gather_windows(&g->window, p->b->inputs[0], mr_pixel_part(p->range, i, n), p->windows,
                          p->b->threads);
        mr_matrix x = {p->windows, p->count, 1}, dz = {gradient_rows(p, i, n), p->filters, 0};
        mr_multiply(&p->product, p->count, p->filters, n, x, dz, i ? 1.0f : 0.0f, p->room,
                    p->filters);
    }
}

/* Into p->room: of the rows at hand, over all pixels. */
static void kernel_gradient(const pass *p) {
    const mr_conv_gradients *g = p->g;
    const mr_backward *b = p->b;
    int n = b->rows[g->rows];
    if (p->range.count == 0) {
        memset(p->room, 0, p->part.kernel_count * sizeof *p->room);
    } else if (g->winograd && mr_winograd_gradient_is_fast(g, n)) {
        mr_winograd_kernel_gradient(g, n, p->few_dz_tiles ? &p->dz_tiles : NULL, b->inputs[0],
                                    b->output_gradient, p->room, p->work, b->threads);
    } else if (mr_windows_are_pixels(&g->window) && !p->range.index) {
        mr_matrix x = {b->inputs[0] + p->first, p->channels, 1};
        mr_matrix dz = {b->output_gradient, p->filters, 0};
        mr_multiply(&p->product, p->count, p->filters, p->range.count, x, dz, 0, p->room,
                    p->filters);
    } else {
        add_windows(p);
    }
}

/* ------------------------------------------------------------------------------------------- all */

static pass start(const mr_conv_gradients *g, const mr_backward *b) {
    const mr_dnnl_window *w = &g->window;
    pass p = {.g = g,
              .b = b,
              .channels = (size_t)w->in_c,
              .filters = g->fold.filters,
              .map_pixels = (size_t)b->rows[g->rows] * (size_t)w->out_h * (size_t)w->out_w,
              .gathered = b->pixels != NULL,
              .product = {g->products, NULL, b->threads}};
    p.range.count = p.map_pixels;
    if (b->pixels) {
        p.range.index = b->pixels->index;
        p.range.count = (size_t)b->pixels->count;
    }
    mr_scratch scratch = {b->scratch, 0};
    cut_scratch(&p, &scratch);
    return p;
}

void mr_conv_gradients_run(const mr_conv_gradients *g, const mr_backward *b) {
    pass p = start(g, b);
    mr_relu_gradient(b->output_gradient, g->relu ? b->output : NULL, p.range, p.filters,
                     mr_fold_wants_bias(&g->fold) ? p.dbias : NULL, p.work, b->threads);
    mr_residual_gradient(b, p.range, g->sparse_residual, p.map_pixels, p.filters);
    if (g->find_zeros) leave_out_zeros(&p);
    memset(p.no_dbias, 0, p.filters * sizeof *p.no_dbias);
    for (p.first = 0; p.first < g->kernel_rows; p.first += g->block_rows) {
        p.count = clamp(g->kernel_rows - p.first, 0, g->block_rows);
        p.part = mr_fold_part(&g->fold, p.first, p.count);
        input_gradient(&p);
        if (mr_fold_wants_kernel(&g->fold)) kernel_gradient(&p);
        mr_unfold_gradients(&p.part, p.room, p.first ? p.no_dbias : p.dbias, b->threads);
    }
}
