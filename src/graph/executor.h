/* executor.h - what a device must be able to do: prepare nodes, run them, and hold memory. The plan
 * asks for these through one small table, so that an executor for another device can stand beside
 * src/cpu and src/reference. */
#ifndef MR_GRAPH_EXECUTOR_H
#define MR_GRAPH_EXECUTOR_H

#include "graph/graph.h"
#include "weights/weights.h"

/* Packed weights, shared by all plans and sessions of a model. Entries are made once and never
 * change. */
typedef struct mr_pack {
    char *key;
    float *data; /* 64-byte aligned */
    size_t bytes;
    void *detail; /* the executor's description of the layout, or NULL */
    void (*free_detail)(void *detail);
} mr_pack;
typedef struct mr_packs mr_packs;

/* Makes the data of a pack: allocates pack->data and sets bytes and detail. */
typedef mrcnn_status (*mr_pack_maker)(mr_pack *pack, void *user, mrcnn_error *err);

mr_packs *mr_packs_create(void);
void mr_packs_free(mr_packs **packs);
/* Bytes of packed and of raw weights together: one lock guards both. */
size_t mr_weight_bytes(mr_packs *packs, const mr_tensors *raw);
/* The pack of that key, made by `make` if it isn't there yet. Thread-safe. */
mrcnn_status mr_packs_get(mr_packs *packs, const char *key, mr_pack_maker make, void *user,
                          const mr_pack **pack, mrcnn_error *err);

/* What a node is prepared from. */
typedef struct mr_prepare {
    const mrcnn_graph *graph;
    const mr_node *node;
    int max_rows[MR_ROWS_KINDS]; /* for image rows also the exact number */
    int threads;
    mr_tensors *weights;
    int release_weights; /* a kernel's raw values may be freed once they are packed */
    mr_packs *packs;
    int in_place; /* the output buffer already holds the residual */
} mr_prepare;

typedef struct mr_kernel mr_kernel;

/* Everything a run of one node needs. inputs[i] belongs to node->inputs[i]. */
typedef struct mr_run {
    const float *inputs[MR_MAX_INPUTS];
    const float *residual; /* NULL if none; equal to output when in place */
    float *output;
    int rows[MR_ROWS_KINDS];
    void *scratch;
    int threads;
} mr_run;

/* A prepared node; executors extend it by putting it first in a struct of theirs. */
struct mr_kernel {
    void (*run)(mr_kernel *kernel, const mr_run *run);
    void (*free)(mr_kernel *kernel);
    size_t scratch_bytes;
    const char *algorithm; /* "winograd avx512", "jit:avx512_core" for reports */
};

typedef struct mr_executor {
    const char *name;
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

/* Frees the raw kernel of the node's layer if the model allows it and no later node of the graph
 * reads it: call it once the node has its pack, outside of a maker. */
void mr_release_kernel(const mr_prepare *prepare);

#endif
