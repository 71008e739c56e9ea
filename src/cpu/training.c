/* training.c - see training.h. */
#include "cpu/training.h"

#include "cpu/gemm_bf16.h"

#include "base/parallel.h"

#include <string.h>

int mr_cpu_packs_anew(const mr_prepare *p) {
    return p->gradients != NULL;
}

int mr_cpu_trains(const mr_prepare *p) {
    return p->gradients && mr_has_backward(p->graph, p->node, p->gradients);
}

size_t mr_gemm_room_size(mr_type products, int threads) {
    return products == MR_BF16 ? mr_gemm_bf16_scratch_size(threads) : 0;
}

void mr_multiply(const mr_gemm_room *room, size_t m, size_t n, size_t k, mr_matrix a, mr_matrix b,
                 float beta, float *c, size_t c_stride) {
    if (room->products == MR_BF16)
        mr_gemm_bf16(m, n, k, a, b, beta, c, c_stride, room->scratch, room->threads);
    else
        mr_dnnl_matmul(m, n, k, a, b, beta, c, c_stride);
}

void *mr_take(mr_scratch *scratch, size_t bytes) {
    char *piece = scratch->memory ? scratch->memory + scratch->used : NULL;
    scratch->used += (bytes + 63) & ~(size_t)63;
    return piece;
}

size_t mr_fold_room(const mr_fold *fold) {
    return fold->gamma ? fold->kernel_count * sizeof(float) : 0;
}

mr_fold mr_fold_part(const mr_fold *fold, size_t first, size_t count) {
    mr_fold part = *fold;
    part.kernel += first * fold->filters;
    part.kernel_count = count * fold->filters;
    if (part.kernel_gradient) part.kernel_gradient += first * fold->filters;
    return part;
}

int mr_fold_wants_bias(const mr_fold *fold) {
    return fold->bias_gradient || fold->beta_gradient || fold->gamma_gradient;
}

typedef struct transpose_job {
    const float *from;
    size_t rows, columns;
    float *to;
} transpose_job;

enum { SQUARE = 16 }; /* whole cache lines in both directions */

static void transpose_square(const transpose_job *job, size_t r0, size_t c0) {
    size_t r1 = r0 + SQUARE < job->rows ? r0 + SQUARE : job->rows;
    size_t c1 = c0 + SQUARE < job->columns ? c0 + SQUARE : job->columns;
    for (size_t c = c0; c < c1; c++)
        for (size_t r = r0; r < r1; r++)
            job->to[c * job->rows + r] = job->from[r * job->columns + c];
}

static void transpose_bands(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const transpose_job *job = context;
    for (size_t band = begin; band < end; band++)
        for (size_t r = 0; r < job->rows; r += SQUARE) transpose_square(job, r, band * SQUARE);
}

void mr_transpose(const float *from, size_t rows, size_t columns, float *to, int threads) {
    transpose_job job = {from, rows, columns, to};
    mr_parallel(threads, (columns + SQUARE - 1) / SQUARE, transpose_bands, &job);
}

/* ------------------------------------------------------------------------- ReLU, bias, residual */

/* Sums are made in so many parts, and then over the parts: neither depends on the threads. */
enum { PARTS = 64 };

typedef struct relu_job {
    float *gradient;
    const float *output;
    mr_pixel_range range;
    size_t channels;
    double *sums; /* PARTS x channels, or NULL */
} relu_job;

static void mask_row(float *dy, const float *y, size_t channels) {
    for (size_t c = 0; c < channels; c++) dy[c] = y[c] > 0 ? dy[c] : 0.0f;
}

static void relu_parts(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const relu_job *job = context;
    size_t channels = job->channels, count = job->range.count;
    for (size_t part = begin; part < end; part++) {
        double *sums = job->sums ? job->sums + part * channels : NULL;
        if (sums) memset(sums, 0, channels * sizeof *sums);
        for (size_t i = count * part / PARTS; i < count * (part + 1) / PARTS; i++) {
            float *dy = job->gradient + i * channels;
            if (job->output)
                mask_row(dy, job->output + mr_pixel_at(&job->range, i) * channels, channels);
            for (size_t c = 0; sums && c < channels; c++) sums[c] += dy[c];
        }
    }
}

size_t mr_sum_size(size_t channels) {
    return PARTS * channels * sizeof(double);
}

void mr_relu_gradient(float *gradient, const float *output, mr_pixel_range range, size_t channels,
                      float *sums, void *scratch, int threads) {
    if (!output && !sums) return;
    relu_job job = {gradient, output, range, channels, sums ? scratch : NULL};
    mr_parallel(threads, PARTS, relu_parts, &job);
    for (size_t c = 0; sums && c < channels; c++) {
        double sum = 0;
        for (size_t part = 0; part < PARTS; part++) sum += job.sums[part * channels + c];
        sums[c] = (float)sum;
    }
}

typedef struct write_job {
    const float *from; /* NULL: zeros */
    float *to;
    int accumulate;
} write_job;

static void write_numbers(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const write_job *job = context;
    if (!job->from)
        memset(job->to + begin, 0, (end - begin) * sizeof *job->to);
    else if (!job->accumulate)
        memcpy(job->to + begin, job->from + begin, (end - begin) * sizeof *job->to);
    else
        for (size_t i = begin; i < end; i++) job->to[i] += job->from[i];
}

void mr_write_gradient(const float *from, float *to, size_t count, int accumulate, int threads) {
    write_job job = {from, to, accumulate};
    mr_parallel(threads, count, write_numbers, &job);
}

void mr_clear_gradient(float *to, size_t count, int accumulate, int threads) {
    if (!accumulate) mr_write_gradient(NULL, to, count, 0, threads);
}

void mr_residual_gradient(const mr_backward *b, mr_pixel_range range, int sparse, size_t map_pixels,
                          size_t channels) {
    const float *dz = b->output_gradient;
    float *to = b->residual_gradient;
    if (!to || to == dz) return;
    if (!range.index || sparse) {
        mr_write_gradient(dz, to, range.count * channels, b->residual_accumulate, b->threads);
        return;
    }
    mr_clear_gradient(to, map_pixels * channels, b->residual_accumulate, b->threads);
    for (size_t i = 0; i < range.count; i++)
        for (size_t c = 0; c < channels; c++)
            to[mr_pixel_at(&range, i) * channels + c] += dz[i * channels + c];
}
