/* conv_winograd.c - 3x3 stride 1 convolution nodes by our own Winograd kernels, forward and backward.
 */
#include "base/error.h"
#include "base/memory.h"
#include "cpu/conv_gradients.h"
#include "cpu/cpu.h"
#include "cpu/winograd_kernels.h"

#include <stdlib.h>
#include <string.h>

typedef struct winograd_kernel {
    mr_kernel base;
    const mr_winograd_kernels *table;
    mr_winograd_shape shape;
    size_t convolution_bytes; /* of scratch */
    mr_rows rows;
    int relu;
    mr_winograd_numbers own_numbers;
    const mr_winograd_numbers *numbers;
    const void *weights; /* these belong to the pack; NULL in training */
    const float *bias;
    mr_conv_gradients gradients;
} winograd_kernel;

static void convolve(const winograd_kernel *k, const mr_run *run, const void *weights,
                     const float *bias, void *scratch) {
    mr_winograd_shape shape = k->shape;
    shape.n = run->rows[k->rows];
    if (shape.n == 0) return;
    mr_winograd_epilogue epilogue = {bias, run->residual, k->relu, k->numbers};
    mr_winograd_forward_with(k->table, &shape, NULL, run->inputs[0], weights, &epilogue,
                             run->output, scratch, run->threads);
}

static void run_winograd(mr_kernel *kernel, const mr_run *run) {
    winograd_kernel *k = (winograd_kernel *)kernel;
    convolve(k, run, k->weights, k->bias, run->scratch);
}

/* In training x and y are f32, whatever the factors are rounded to. */
static const mr_winograd_kernels *table_of(mr_type products) {
    return products == MR_BF16 ? mr_winograd_bf16() : mr_winograd_best();
}

static const mr_winograd_numbers all_f32 = {MR_F32, MR_F32, MR_F32, 1, 1, 1};

static size_t packed_bytes(const mr_winograd_kernels *table, int c_in, int c_out) {
    return mr_winograd_packed_size_with(table, c_in, c_out) * sizeof(float);
}

/* Scratch of a forward run that packs. */
typedef struct training_scratch {
    float *packed, *bias;
    void *work; /* the folded kernel, then the convolution's */
} training_scratch;

static training_scratch cut_scratch(const winograd_kernel *k, mr_scratch *scratch) {
    training_scratch s;
    const mr_fold *fold = &k->gradients.fold;
    size_t room = mr_fold_room(fold), convolution = k->convolution_bytes;
    s.packed = mr_take(scratch, packed_bytes(k->table, k->shape.c_in, k->shape.c_out));
    s.bias = mr_take(scratch, fold->filters * sizeof(float));
    s.work = mr_take(scratch, room > convolution ? room : convolution);
    return s;
}

static void run_training(mr_kernel *kernel, const mr_run *run) {
    winograd_kernel *k = (winograd_kernel *)kernel;
    mr_scratch scratch = {run->scratch, 0};
    training_scratch s = cut_scratch(k, &scratch);
    const float *hwio = mr_fold_weights(&k->gradients.fold, s.work, s.bias, run->threads);
    mr_winograd_pack_with(k->table, hwio, k->shape.c_in, k->shape.c_out, s.packed, run->threads);
    convolve(k, run, s.packed, s.bias, s.work);
}

static void backward_winograd(mr_kernel *kernel, const mr_backward *b) {
    mr_conv_gradients_run(&((winograd_kernel *)kernel)->gradients, b);
}

static void free_winograd(mr_kernel *kernel) {
    free(kernel);
}

static mrcnn_status pack_winograd(const mr_prepare *p, const float *kernel, void *user,
                                  size_t extra_bytes, mr_pack *pack, mrcnn_error *err) {
    const winograd_kernel *k = user;
    const mr_winograd_shape *s = &k->shape;
    size_t floats = mr_winograd_packed_size_with(k->table, s->c_in, s->c_out);
    pack->bytes = (floats * sizeof(float) + 63) & ~(size_t)63;
    pack->data = mr_alloc_aligned(pack->bytes + extra_bytes);
    if (!pack->data) return mr_fail_memory(err, pack->bytes, p->node->layer);
    mr_winograd_pack_with(k->table, kernel, s->c_in, s->c_out, pack->data, p->threads);
    return MRCNN_OK;
}

/* The number of RoIs is known at run time only, and fewer tiles can be cut into larger runs: the
 * most that any number needs. */
static size_t largest_scratch(const mr_winograd_kernels *table, mr_winograd_shape shape,
                              mr_rows rows, int threads,
                              size_t (*size)(const mr_winograd_kernels *, const mr_winograd_shape *,
                                             int)) {
    size_t largest = size(table, &shape, threads);
    while (rows == MR_ROWS_ROIS && --shape.n > 0) {
        size_t bytes = size(table, &shape, threads);
        if (bytes > largest) largest = bytes;
    }
    return largest;
}

/* ------------------------------------------------------------------------------------ gradients */

static mr_winograd_shape shape_of(const mr_conv_gradients *g, int n) {
    const mr_dnnl_window *w = &g->window;
    mr_winograd_shape shape = {n, w->in_h, w->in_w, w->in_c, w->out_c};
    return shape;
}

/* The gradient by the input is a convolution from the output's channels to the input's. */
static mr_winograd_shape shape_of_gradient(const mr_conv_gradients *g, int n) {
    const mr_dnnl_window *w = &g->window;
    mr_winograd_shape shape = {n, w->in_h, w->in_w, w->out_c, w->in_c};
    return shape;
}

size_t mr_winograd_gradients_size(const mr_conv_gradients *g, int max_rows, int threads) {
    mr_winograd_shape x = shape_of_gradient(g, max_rows), w = shape_of(g, max_rows);
    mr_scratch input = {NULL, 0}, kernel = {NULL, 0};
    const mr_winograd_kernels *table = table_of(g->products);
    mr_take(&input, packed_bytes(table, x.c_in, x.c_out));
    const mr_winograd_kernels *best = mr_winograd_best();
    mr_take(&input, largest_scratch(table, x, g->rows, threads,
                                    g->find_zeros ? mr_winograd_tiles_scratch_size_with
                                                  : mr_winograd_scratch_size_with));
    if (mr_fold_wants_kernel(&g->fold))
        mr_take(&kernel, largest_scratch(best, w, g->rows, threads,
                                         g->find_zeros ? mr_winograd_weights_tiles_scratch_size_with
                                                       : mr_winograd_weights_scratch_size_with));
    return input.used > kernel.used ? input.used : kernel.used;
}

void mr_winograd_input_gradient(const mr_conv_gradients *g, int n, const mr_winograd_tiles *only,
                                const float *kernel, const float *dz, float *dx, int accumulate,
                                void *memory, int threads) {
    mr_winograd_shape shape = shape_of_gradient(g, n);
    if (n == 0) return;
    const mr_winograd_kernels *table = table_of(g->products);
    size_t bytes = packed_bytes(table, shape.c_in, shape.c_out);
    mr_scratch scratch = {memory, 0};
    float *packed = mr_take(&scratch, bytes);
    mr_winograd_pack_backward_data_with(table, kernel, shape.c_out, shape.c_in, packed, threads);
    mr_winograd_epilogue epilogue = {NULL, accumulate ? dx : NULL, 0, &all_f32};
    if (only)
        mr_clear_gradient(dx, (size_t)n * (size_t)shape.h * (size_t)shape.w * (size_t)shape.c_out,
                          accumulate, threads);
    mr_winograd_forward_with(table, &shape, only, dz, packed, &epilogue, dx, mr_take(&scratch, 0),
                             threads);
}

int mr_winograd_gradient_is_fast(const mr_conv_gradients *g, int n) {
    mr_winograd_shape shape = shape_of(g, n);
    return n > 0 && mr_winograd_weights_is_fast(&shape);
}

void mr_winograd_kernel_gradient(const mr_conv_gradients *g, int n, const mr_winograd_tiles *only,
                                 const float *x, const float *dz, float *dkernel, void *scratch,
                                 int threads) {
    mr_winograd_shape shape = shape_of(g, n);
    mr_winograd_backward_weights_tiles(&shape, only, x, dz, dkernel, 0, scratch, threads);
}

/* -------------------------------------------------------------------------------------- preparing */

static mrcnn_status use_pack(winograd_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    const mr_pack *pack = NULL;
    const char *how = k->table == mr_winograd_bf16() ? "winograd bf16" : "winograd";
    mrcnn_status status = mr_cpu_pack(p, how, pack_winograd, k, &pack, &k->bias, err);
    if (status == MRCNN_OK) k->weights = pack->data;
    return status;
}

static mrcnn_status prepare_training(winograd_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    k->base.run = run_training;
    if (mr_cpu_trains(p)) k->base.backward = backward_winograd;
    mrcnn_status status = mr_conv_gradients_prepare(&k->gradients, p, err);
    if (status != MRCNN_OK) return status;
    mr_scratch forward = {NULL, 0};
    cut_scratch(k, &forward);
    size_t backward = k->base.backward ? k->gradients.scratch_bytes : 0;
    k->base.scratch_bytes = forward.used > backward ? forward.used : backward;
    return MRCNN_OK;
}

mrcnn_status mr_cpu_conv_winograd(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    winograd_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a convolution");
    mrcnn_shape in = mr_input_shape(p, 0);
    k->base.run = run_winograd;
    k->base.free = free_winograd;
    int bf16 = p->node->type != MR_F32 || p->products == MR_BF16;
    k->table = bf16 ? mr_winograd_bf16() : mr_winograd_best();
    k->base.algorithm = bf16 ? "winograd F(4,3) bf16" : "winograd F(4,3)";
    k->numbers = &all_f32;
    if (p->node->type != MR_F32) {
        mr_dnnl_scales s = mr_cpu_scales(p);
        mr_winograd_numbers n = {mr_input_type(p, 0), p->node->type, s.residual_type, s.in, s.out,
                                 s.residual};
        k->own_numbers = n;
        k->numbers = &k->own_numbers;
    }
    k->rows = p->node->rows;
    k->relu = p->node->relu;
    mr_winograd_shape shape = {p->max_rows[k->rows], in.height, in.width, in.channels,
                               p->node->shape.channels};
    k->shape = shape;
    k->convolution_bytes =
        largest_scratch(k->table, shape, k->rows, p->threads, mr_winograd_scratch_size_with);
    k->base.scratch_bytes = k->convolution_bytes;
    mrcnn_status status = mr_cpu_packs_anew(p) ? prepare_training(k, p, err) : use_pack(k, p, err);
    if (status != MRCNN_OK) {
        free(k);
        return status;
    }
    *kernel = &k->base;
    return MRCNN_OK;
}
