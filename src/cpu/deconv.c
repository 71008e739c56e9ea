/* deconv.c - 2x2 stride 2 transposed convolution as one matrix product: each input pixel gives a
 * 2x2 block of outputs, and blocks do not overlap. oneDNN's own deconvolution reaches 8 % of peak
 * here. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "cpu/cpu.h"
#include "cpu/onednn.h"

#include <stdlib.h>

/* RoIs a product: enough rows for the matrix product to be efficient, few enough that its result
 * stays in cache. */
enum { CHUNK = 8 };

typedef struct deconv_kernel {
    mr_kernel base;
    mr_rows rows;
    int relu;
    mrcnn_shape in, out;
    const float *weights, *bias; /* (2, 2, out, in): B transposed, 4 out rows of in numbers */
} deconv_kernel;

typedef struct scatter_job {
    const deconv_kernel *k;
    const float *blocks; /* in pixel, (a, b, out) */
    float *y;
} scatter_job;

/* Row i of all output rows of the chunk. */
static void scatter(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const scatter_job *job = context;
    const deconv_kernel *k = job->k;
    size_t channels = (size_t)k->out.channels, width = (size_t)k->out.width;
    for (size_t i = begin; i < end; i++) {
        const float *row = job->blocks + (i / 2) * (size_t)k->in.width * 4 * channels;
        float *y = job->y + i * width * channels;
        for (size_t x = 0; x < width; x++, y += channels) {
            const float *b = row + (x / 2 * 4 + (i % 2) * 2 + x % 2) * channels;
            if (k->relu)
                for (size_t c = 0; c < channels; c++) {
                    float v = b[c] + k->bias[c];
                    y[c] = v > 0 ? v : 0.0f;
                }
            else
                for (size_t c = 0; c < channels; c++) y[c] = b[c] + k->bias[c];
        }
    }
}

static void run_deconv(mr_kernel *kernel, const mr_run *run) {
    deconv_kernel *k = (deconv_kernel *)kernel;
    size_t rows = (size_t)run->rows[k->rows];
    size_t in_size = mr_shape_size(k->in), out_size = mr_shape_size(k->out);
    for (size_t i = 0; i < rows; i += CHUNK) {
        size_t n = rows - i < CHUNK ? rows - i : CHUNK;
        mr_dnnl_matmul(1, n * (size_t)k->in.height * (size_t)k->in.width,
                       4 * (size_t)k->out.channels, (size_t)k->in.channels,
                       run->inputs[0] + i * in_size, k->weights, run->scratch);
        scatter_job job = {k, run->scratch, run->output + i * out_size};
        mr_parallel(run->threads, n * (size_t)k->out.height, scatter, &job);
    }
}

static void free_deconv(mr_kernel *kernel) {
    free(kernel);
}

mrcnn_status mr_cpu_deconv(const mr_prepare *p, mr_kernel **kernel, mrcnn_error *err) {
    deconv_kernel *k = mr_calloc(1, sizeof *k);
    if (!k) return mr_fail_memory(err, sizeof *k, "a deconvolution");
    k->base.run = run_deconv;
    k->base.free = free_deconv;
    k->base.algorithm = "sgemm";
    k->rows = p->node->rows;
    k->relu = p->node->relu;
    k->in = mr_input_shape(p, 0);
    k->out = p->node->shape;
    k->base.scratch_bytes = CHUNK * mr_shape_size(k->out) * sizeof(float);
    const mr_pack *pack;
    mrcnn_status status = mr_cpu_pack(p, "plain", mr_pack_plain, NULL, &pack, &k->bias, err);
    if (status != MRCNN_OK) {
        free(k);
        return status;
    }
    k->weights = pack->data;
    *kernel = &k->base;
    return MRCNN_OK;
}
