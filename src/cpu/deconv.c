/* deconv.c - 2x2 stride 2 transposed convolution as one matrix product: each input pixel gives a
 * 2x2 block of outputs, and blocks do not overlap. oneDNN's own deconvolution reaches 8 % of peak
 * here. With B the blocks, X the input's pixels and W the kernel (rows (a, b, out)): B = X W', so
 * dX = dB W and dW = dB' X. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/cpu.h"
#include "cpu/training.h"

#include <stdlib.h>
#include <string.h>

/* RoIs a product: enough rows for the matrix product to be efficient, few enough that its result
 * stays in cache. */
enum { CHUNK = 8 };

typedef struct deconv_kernel {
    mr_kernel base;
    mr_rows rows;
    int relu;
    mrcnn_shape in, out;
    /* (2, 2, out, in): 4 out rows of in numbers. They belong to the pack; NULL in training. */
    const float *weights, *bias;
    mr_type products; /* what their factors are rounded to */
    size_t room_bytes;
    mr_fold fold;
} deconv_kernel;

typedef struct block_job {
    const deconv_kernel *k;
    float *blocks; /* of the chunk: in pixel, (a, b, out) */
    float *y;
    const float *bias;
} block_job;

/* Where output pixel (i, x) of the chunk is in the blocks. */
static float *block_pixel(const block_job *job, size_t i, size_t x) {
    size_t channels = (size_t)job->k->out.channels;
    size_t pixel = (i / 2) * (size_t)job->k->in.width + x / 2;
    return job->blocks + (pixel * 4 + (i % 2) * 2 + x % 2) * channels;
}

/* Output rows [begin, end) of the chunk. */
static void scatter(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const block_job *job = context;
    size_t channels = (size_t)job->k->out.channels, width = (size_t)job->k->out.width;
    for (size_t i = begin; i < end; i++) {
        float *y = job->y + i * width * channels;
        for (size_t x = 0; x < width; x++, y += channels) {
            const float *b = block_pixel(job, i, x), *bias = job->bias;
            if (job->k->relu)
                for (size_t c = 0; c < channels; c++) {
                    float v = b[c] + bias[c];
                    y[c] = v > 0 ? v : 0.0f;
                }
            else
                for (size_t c = 0; c < channels; c++) y[c] = b[c] + bias[c];
        }
    }
}

static void gather(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const block_job *job = context;
    size_t channels = (size_t)job->k->out.channels, width = (size_t)job->k->out.width;
    for (size_t i = begin; i < end; i++)
        for (size_t x = 0; x < width; x++)
            memcpy(block_pixel(job, i, x), job->y + (i * width + x) * channels,
                   channels * sizeof(float));
}

/* RoIs of the chunk that begins at the first-th. */
static size_t chunk_rows(size_t rows, size_t first) {
    return rows - first < CHUNK ? rows - first : CHUNK;
}

static size_t pixels_of(const deconv_kernel *k, size_t rows) {
    return rows * (size_t)k->in.height * (size_t)k->in.width;
}

static void deconvolve(const deconv_kernel *k, const mr_run *run, const mr_gemm_room *room,
                       const float *weights, const float *bias, float *blocks) {
    size_t rows = (size_t)run->rows[k->rows];
    size_t in = (size_t)k->in.channels, block = 4 * (size_t)k->out.channels;
    for (size_t i = 0; i < rows; i += CHUNK) {
        size_t n = chunk_rows(rows, i);
        mr_matrix x = {mr_input_f32(run, 0) + i * mr_shape_size(k->in), in, 0},
                  w = {weights, in, 1};
        mr_multiply(room, pixels_of(k, n), block, in, x, w, 0, blocks, block);
        block_job job = {k, blocks, mr_output_f32(run) + i * mr_shape_size(k->out), bias};
        mr_parallel(run->threads, n * (size_t)k->out.height, scatter, &job);
    }
}

static void run_deconv(mr_kernel *kernel, const mr_run *run) {
    deconv_kernel *k = (deconv_kernel *)kernel;
    mr_gemm_room room = {MR_F32, NULL, run->threads};
    deconvolve(k, run, &room, k->weights, k->bias, run->scratch);
}

/* Scratch of both directions. */
typedef struct training_scratch {
    float *kernel, *bias, *dbias, *dkernel;
    void *product;
    void *work; /* blocks, or sums */
} training_scratch;

static training_scratch cut_scratch(const deconv_kernel *k, mr_scratch *scratch) {
    training_scratch s;
    size_t blocks = CHUNK * mr_shape_size(k->out) * sizeof(float);
    size_t sums = mr_sum_size(k->fold.filters);
    int wanted = mr_fold_wants_kernel(&k->fold);
    s.kernel = mr_take(scratch, mr_fold_room(&k->fold));
    s.bias = mr_take(scratch, k->fold.filters * sizeof(float));
    s.dbias = mr_take(scratch, k->fold.filters * sizeof(float));
    s.dkernel = mr_take(scratch, wanted ? k->fold.kernel_count * sizeof(float) : 0);
    s.product = mr_take(scratch, k->room_bytes);
    s.work = mr_take(scratch, blocks > sums ? blocks : sums);
    return s;
}

static void run_training(mr_kernel *kernel, const mr_run *run) {
    deconv_kernel *k = (deconv_kernel *)kernel;
    mr_scratch scratch = {run->scratch, 0};
    training_scratch s = cut_scratch(k, &scratch);
    const float *weights = mr_fold_weights(&k->fold, s.kernel, s.bias, run->threads);
    mr_gemm_room room = {k->products, s.product, run->threads};
    deconvolve(k, run, &room, weights, s.bias, s.work);
}

/* Both gradients of one chunk. dkernel: NULL: not wanted. */
static void backward_chunk(const deconv_kernel *k, const mr_backward *b, const mr_gemm_room *room,
                           size_t first, size_t rows, const float *weights, float *dkernel,
                           float *blocks) {
    size_t in = (size_t)k->in.channels, block = 4 * (size_t)k->out.channels;
    block_job job = {k, blocks, b->output_gradient + first * mr_shape_size(k->out), NULL};
    mr_parallel(b->threads, rows * (size_t)k->out.height, gather, &job);
    size_t pixels = pixels_of(k, rows), offset = first * mr_shape_size(k->in);
    mr_matrix db = {blocks, block, 0}, db_transposed = {blocks, block, 1}, w = {weights, in, 0};
    if (b->input_gradients[0])
        mr_multiply(room, pixels, in, block, db, w, b->accumulate[0] ? 1.0f : 0.0f,
                    b->input_gradients[0] + offset, in);
    if (dkernel) {
        mr_matrix x = {b->inputs[0] + offset, in, 0};
        mr_multiply(room, block, in, pixels, db_transposed, x, first ? 1.0f : 0.0f, dkernel, in);
    }
}

static void backward_deconv(mr_kernel *kernel, const mr_backward *b) {
    deconv_kernel *k = (deconv_kernel *)kernel;
    size_t rows = (size_t)b->rows[k->rows], filters = (size_t)k->out.channels;
    mr_scratch scratch = {b->scratch, 0};
    training_scratch s = cut_scratch(k, &scratch);
    if (rows == 0) return;
    const float *weights = mr_fold_weights(&k->fold, s.kernel, s.bias, b->threads);
    float *dkernel = mr_fold_wants_kernel(&k->fold) ? s.dkernel : NULL;
    mr_gemm_room room = {k->products, s.product, b->threads};
    mr_pixel_range all = {NULL, 0, rows * (size_t)k->out.height * (size_t)k->out.width};
    mr_relu_gradient(b->output_gradient, k->relu ? b->output : NULL, all, filters,
                     mr_fold_wants_bias(&k->fold) ? s.dbias : NULL, s.work, b->threads);
    for (size_t i = 0; i < rows; i += CHUNK)
        backward_chunk(k, b, &room, i, chunk_rows(rows, i), weights, dkernel, s.work);
    mr_unfold_gradients(&k->fold, dkernel, s.dbias, b->threads);
}

static void free_deconv(mr_kernel *kernel) {
    free(kernel);
}

static mrcnn_status use_pack(deconv_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    const mr_pack *pack = NULL;
    mrcnn_status status = mr_cpu_pack(p, "plain", mr_pack_plain, NULL, &pack, &k->bias, err);
    if (status == MRCNN_OK) k->weights = pack->data;
    return status;
}

static mrcnn_status prepare_training(deconv_kernel *k, const mr_prepare *p, mrcnn_error *err) {
    k->base.run = run_training;
    if (mr_cpu_trains(p)) k->base.backward = backward_deconv;
    mrcnn_status status = mr_fold_prepare(&k->fold, p, err);
    if (status != MRCNN_OK) return status;
    mr_scratch scratch = {NULL, 0};
    cut_scratch(k, &scratch);
    k->base.scratch_bytes = scratch.used;
    return MRCNN_OK;
}

mrcnn_status mr_cpu_deconv(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    if (mr_input_type(p, 0) != MR_F32) return mr_cpu_deconv_low(p, kernel, err);
    deconv_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a deconvolution");
    k->base.run = run_deconv;
    k->base.free = free_deconv;
    k->base.algorithm = "sgemm";
    k->rows = p->node->rows;
    k->products = p->products;
    k->room_bytes = mr_gemm_room_size(p->products, p->threads);
    k->relu = p->node->relu;
    k->in = mr_input_shape(p, 0);
    k->out = p->node->shape;
    k->base.scratch_bytes = CHUNK * mr_shape_size(k->out) * sizeof(float);
    mrcnn_status status = mr_cpu_packs_anew(p) ? prepare_training(k, p, err) : use_pack(k, p, err);
    if (status != MRCNN_OK) {
        free(k);
        return status;
    }
    *kernel = &k->base;
    return MRCNN_OK;
}
