/* reference.h - inside the reference executor: what its files share. A forward body computes rows
 * [begin, end) of its node's output; a backward gets a dense dL/doutput that has been through the
 * fused ReLU already. */
#ifndef MR_REFERENCE_REFERENCE_H
#define MR_REFERENCE_REFERENCE_H

#include "base/parallel.h"
#include "graph/executor.h"

/* A batch norm that stands alone: y = gamma (x - center) inverse_std + beta. */
typedef struct mr_reference_norm {
    float *params[4];    /* gamma, beta, moving mean and variance: the weights' own memory */
    float *gradients[2]; /* of gamma and beta; NULL: frozen */
    int update;          /* the moving statistics move (N50) */
    double *center, *inverse_std; /* of the last run; owned, one block */
} mr_reference_norm;

typedef struct mr_reference_kernel {
    mr_kernel base;
    mr_node node; /* DENSE as the convolution that it is, with a window of the whole input */
    mrcnn_shape levels[MR_MAX_INPUTS]; /* shapes of the inputs */
    const float *kernel, *bias;        /* belong to packs, or to the scratch of this run */
    mr_fold fold;                      /* of a product that gradients go through */
    mr_reference_norm norm;
    int trains;       /* weights are read anew on every run */
    int input_sparse; /* input 0's gradient has the pixels that this node's has */
    struct {
        size_t sums, kernel, bias, dkernel, dbias;
        size_t output, input; /* dense stand-ins for sparse gradients */
    } at;                     /* where in the scratch, in bytes */
} mr_reference_kernel;

typedef struct mr_reference_job {
    const mr_reference_kernel *k;
    const mr_run *run;
} mr_reference_job;

/* A thread's room for as many doubles as the node's input or output has channels. */
double *mr_reference_sums(const mr_reference_kernel *k, void *scratch, int thread);

/* Index of a pixel's first channel. */
static inline size_t mr_reference_at(mrcnn_shape shape, size_t row, int y, int x) {
    return ((row * (size_t)shape.height + (size_t)y) * (size_t)shape.width + (size_t)x) *
           (size_t)shape.channels;
}

/* A gradient's number: added to what is there, or instead of it. */
static inline void mr_reference_put(float *to, double value, int accumulate) {
    *to = (float)(accumulate ? *to + value : value);
}

void mr_reference_conv(void *context, size_t begin, size_t end, int thread);
void mr_reference_deconv(void *context, size_t begin, size_t end, int thread);
void mr_reference_mask_select(void *context, size_t begin, size_t end, int thread);
void mr_reference_norm_rows(void *context, size_t begin, size_t end, int thread);
void mr_reference_relu(void *context, size_t begin, size_t end, int thread);
void mr_reference_add(void *context, size_t begin, size_t end, int thread);
void mr_reference_pad(void *context, size_t begin, size_t end, int thread);
void mr_reference_max_pool(void *context, size_t begin, size_t end, int thread);
void mr_reference_upsample(void *context, size_t begin, size_t end, int thread);
void mr_reference_softmax(void *context, size_t begin, size_t end, int thread);
void mr_reference_roi_align(void *context, size_t begin, size_t end, int thread);

mrcnn_status mr_reference_norm_prepare(mr_reference_kernel *k, const mr_prepare *p,
                                       mrcnn_error *err);
/* Before a run's rows: the statistics that it is to use. */
void mr_reference_norm_statistics(mr_reference_kernel *k, const mr_run *run);

typedef void (*mr_reference_backward)(const mr_reference_kernel *k, const mr_backward *b);

void mr_reference_conv_backward(const mr_reference_kernel *k, const mr_backward *b);
void mr_reference_deconv_backward(const mr_reference_kernel *k, const mr_backward *b);
void mr_reference_mask_select_backward(const mr_reference_kernel *k, const mr_backward *b);
void mr_reference_norm_backward(const mr_reference_kernel *k, const mr_backward *b);
void mr_reference_relu_backward(const mr_reference_kernel *k, const mr_backward *b);
void mr_reference_add_backward(const mr_reference_kernel *k, const mr_backward *b);
void mr_reference_pad_backward(const mr_reference_kernel *k, const mr_backward *b);
void mr_reference_max_pool_backward(const mr_reference_kernel *k, const mr_backward *b);
void mr_reference_upsample_backward(const mr_reference_kernel *k, const mr_backward *b);
void mr_reference_softmax_backward(const mr_reference_kernel *k, const mr_backward *b);
void mr_reference_roi_align_backward(const mr_reference_kernel *k, const mr_backward *b);

#endif
