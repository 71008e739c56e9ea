/* executor.h - what a device must be able to do: prepare nodes, run them, and hold memory. The plan
 * asks for these through one small table, so that an executor for another device can stand beside
 * src/cpu and src/reference. */
#ifndef MR_GRAPH_EXECUTOR_H
#define MR_GRAPH_EXECUTOR_H

#include "graph/graph.h"
#include "graph/tuning.h"
#include "weights/weights.h"

/* Packed weights, shared by all plans and sessions of a model. Entries are made once and never
 * change. */
typedef struct mr_pack {
    char *key;
    void *data; /* 64-byte aligned */
    size_t bytes;
    void *detail; /* the executor's description of the layout, or NULL */
    const struct mr_detail_type *details;
    const struct mr_pack_file *file; /* where data lies; NULL: it is the pack's own */
} mr_pack;
typedef struct mr_packs mr_packs;

/* What can be done with an executor's descriptions of layouts. */
typedef struct mr_detail_type {
    void (*release)(void *detail);
    /* To bytes, and back in another process with the same library. Returns how many there are, at most `room`; 0: it
     * can't be done. */
    size_t (*freeze)(const void *detail, void *bytes, size_t room);
    void *(*thaw)(const void *bytes, size_t length); /* NULL: no memory, or they make no sense */
} mr_detail_type;

/* Makes the data of a pack: allocates pack->data and sets bytes, detail and details. */
typedef mrcnn_status (*mr_pack_maker)(mr_pack *pack, void *user, mrcnn_error *err);

mr_packs *mr_packs_create(void);
void mr_packs_free(mr_packs **packs);
/* Bytes of packed and of raw weights together: one lock guards both. */
size_t mr_weight_bytes(mr_packs *packs, const mr_tensors *raw);
/* Held while a pack is made; it guards the raw weights, too. */
void mr_packs_lock(mr_packs *packs);
void mr_packs_unlock(mr_packs *packs);
int mr_packs_have(mr_packs *packs, const char *key);
/* The pack of that key, made by `make` if it isn't there yet. Thread-safe. */
mrcnn_status mr_packs_get(mr_packs *packs, const char *key, mr_pack_maker make, void *user,
                          const mr_pack **pack, mrcnn_error *err);

/* Packs are taken from a file if it has them. The file is then the packs' to close. details: of the packs in it. One
 * file a slot, the first one: packs of one precision. */
enum { MR_PACK_SLOTS = 3 };
void mr_packs_attach(mr_packs *packs, int slot, struct mr_pack_file *file,
                     const mr_detail_type *details);
int mr_packs_has_file(mr_packs *packs, int slot);
/* Whether there are packs, or a file that packs would come from: they would not follow a change of the weights. */
int mr_packs_are_there(mr_packs *packs);
/* Writes new packs to a file, and those of the slot's file; nothing if there are no new ones. */
mrcnn_status mr_packs_save(mr_packs *packs, int slot, const char *path, const char *identity,
                           mrcnn_error *err);

/* Reads the values of tensors that were released, or never read. Called under the packs' lock. */
typedef mrcnn_status (*mr_weights_reader)(void *user, mrcnn_error *err);
void mr_packs_set_reader(mr_packs *packs, mr_weights_reader read, void *user);
/* Calls it; MRCNN_E_UNSUPPORTED without a message when there is none. */
mrcnn_status mr_packs_read_weights(mr_packs *packs, mrcnn_error *err);

/* What a node is prepared from. */
typedef struct mr_prepare {
    const mrcnn_graph *graph;
    const mr_node *node;
    int max_rows[MR_ROWS_KINDS]; /* for image rows also the exact number */
    int threads;
    mr_tensors *weights;
    int release_weights; /* a kernel's raw values may be freed once they are packed */
    mr_packs *packs;
    mr_tuning *tuning; /* NULL: nothing is measured */

    /* Training: the trainable tensors' gradients (same keys and shapes as the weights); NULL:
     * inference. A node with mr_has_backward then reads its raw weights anew on every run, because
     * they change, and gets a backward. All others may do so to save the memory of packs. */
    mr_tensors *gradients;
    int update_statistics; /* BATCH_NORM with batch_statistics: move the moving ones (N50) */
    /* Training: MR_BF16: factors of products are rounded to it. Values, gradients and sums are f32. */
    mr_type products;
} mr_prepare;

/* Where a sparse gradient lives: row i of such a gradient (channels numbers) belongs to pixel
 * index[i] = (picture * height + y) * width + x; indices rise. */
typedef struct mr_pixels {
    int count;
    const int32_t *index;
} mr_pixels;

typedef struct mr_kernel mr_kernel;

/* Everything a run of one node needs. inputs[i] belongs to node->inputs[i]; numbers are of the nodes' types. */
typedef struct mr_run {
    const void *inputs[MR_MAX_INPUTS];
    const void *residual; /* NULL if none; equal to output when in place */
    void *output;
    int rows[MR_ROWS_KINDS];
    void *scratch;
    int threads;
    /* A second run on the inputs of the first, whose value wasn't kept for the backward: statistics don't
     * move, and those of the first run hold. */
    int again;
} mr_run;

/* Input k and the output of a node that reads and writes f32. */
static inline const float *mr_input_f32(const mr_run *run, int k) {
    return run->inputs[k];
}
static inline float *mr_output_f32(const mr_run *run) {
    return run->output;
}

/* Everything a backward run of one node needs. Gradients of weights are added to the tensors of
 * prepare->gradients. */
typedef struct mr_backward {
    const float *inputs[MR_MAX_INPUTS]; /* values of the forward; NULL where mr_backward_reads has
                                           no bit */
    const float *output;                /* likewise */
    float *output_gradient;             /* dL/doutput; the kernel may overwrite it */
    float *input_gradients[MR_MAX_INPUTS]; /* NULL: not wanted */
    int accumulate[MR_MAX_INPUTS];         /* add to what is there; otherwise overwrite all of it */
    /* dL/dresidual, which is output_gradient where the ReLU let it pass. NULL: not wanted. Equal to
     * output_gradient: leave it there. */
    float *residual_gradient;
    int residual_accumulate;
    /* Of output_gradient when the node's pixel_group isn't negative; input 0's gradient has the same
     * pixels when its node has a pixel_group too. NULL: dense. */
    const mr_pixels *pixels;
    int rows[MR_ROWS_KINDS];
    void *scratch;
    int threads;
} mr_backward;

/* A prepared node; executors extend it by putting it first in a struct of theirs. */
struct mr_kernel {
    void (*run)(mr_kernel *kernel, const mr_run *run);
    void (*backward)(mr_kernel *kernel, const mr_backward *backward); /* NULL: none needed */
    void (*free)(mr_kernel *kernel);
    size_t scratch_bytes;  /* of run and of backward, the larger */
    const char *algorithm; /* "winograd avx512", "jit:avx512_core" for reports */
};

typedef struct mr_executor {
    const char *name;
    const mr_detail_type *details;    /* of its packs; NULL: they have none */
    int (*computes_in)(mr_type type); /* whether this machine does, natively */
    mr_lowers lowers;                 /* of a type that it computes in; NULL: all products */
    mrcnn_status (*prepare)(const mr_prepare *prepare, mr_kernel **kernel, mrcnn_error *err);
    void *(*alloc)(size_t bytes);
    void (*release)(void *memory);
} mr_executor;

extern const mr_executor
    mr_executor_reference; /* plain C loops, kept for ever: the judge of all others */
extern const mr_executor mr_executor_cpu; /* oneDNN, and the kernels that it lacks */

/* Kernel and bias of a node with its batch norm folded in (in double, rounded once): *kernel and
 * *bias are malloc'ed and have the layer's layout. Fails when a tensor is missing, released or of
 * another shape. To be called from a pack's maker, whose lock also guards the raw tensors. */
mrcnn_status mr_folded_weights(const mr_prepare *prepare, float **kernel, float **bias,
                               mrcnn_error *err);

/* A raw tensor of so many numbers, with its values; or a message that says what is wrong with it. Not from a pack's
 * maker. */
mrcnn_status mr_raw_weights(const mr_prepare *prepare, const char *layer, const char *param,
                            size_t count, const mr_tensor **tensor, mrcnn_error *err);

/* Folding for training, where weights change between runs (fold.c): the tensors of a product node and
 * of the batch norm behind it, found once. */
typedef struct mr_fold {
    size_t kernel_count, filters; /* numbers in the kernel, in the bias */
    const float *kernel, *bias;
    const float *gamma, *beta, *mean, *variance; /* NULL without batch norm */
    float *kernel_gradient, *bias_gradient, *gamma_gradient, *beta_gradient; /* NULL: frozen */
} mr_fold;
mrcnn_status mr_fold_prepare(mr_fold *fold, const mr_prepare *prepare, mrcnn_error *err);
/* The kernel as it is to be used: the tensor's own memory without a batch norm, otherwise scaled
 * into `room` (kernel_count floats). bias_room: filters floats, always written. */
const float *mr_fold_weights(const mr_fold *fold, float *room, float *bias_room, int threads);
/* 1 when mr_unfold_gradients wants dL/d(folded kernel). */
int mr_fold_wants_kernel(const mr_fold *fold);
/* From dL/d(folded kernel) and dL/d(folded bias) adds to the gradients of kernel, bias, gamma and
 * beta. dkernel may be NULL if !mr_fold_wants_kernel. Exact for frozen statistics: dgamma = (sum of
 * kernel * dkernel + (bias - mean) * dbias) / sqrt(variance + 1e-3). */
void mr_unfold_gradients(const mr_fold *fold, const float *dkernel, const float *dbias,
                         int threads);

/* Frees the raw kernel of the node's layer if the model allows it and no later node of the graph
 * reads it: call it once the node has its pack, outside of a maker. */
void mr_release_kernel(const mr_prepare *prepare);

#endif
