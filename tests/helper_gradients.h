/* helper_gradients.h - checks gradients of small graphs on both executors. A trial is a graph with the
 * loss L = sum of r y over its outputs y, with fixed random r. The reference executor's gradients are
 * compared with central differences of L, which is summed in double, and the CPU executor's with the
 * reference executor's. What goes wrong fails the running test. */
#ifndef HELPER_GRADIENTS_H
#define HELPER_GRADIENTS_H

#include "graph/plan.h"

enum {
    MAX_COORDINATES = 100, /* of one tensor, of which differences are taken */
    MAX_ENDS = 8,
    GROUPS = 2
};

/* How the operation gets its input, which decides where its input's gradient goes. */
typedef enum via {
    NOWHERE, /* the input wants none */
    INPUT,   /* added to the caller's */
    VALUE,   /* written over what is there */
    TWICE,   /* two of the operation read one value: one writes, one adds */
    VIA_COUNT
} via;

typedef enum values { NOISE, AWAY_FROM_0, DISTINCT, ZEROS } values;

typedef struct trial trial;
struct trial {
    const char *name;
    void (*build)(mrcnn_graph *g, const trial *t);
    mrcnn_value (*op)(mrcnn_graph *g, mrcnn_value x, const trial *t); /* build_op builds it */
    mrcnn_shape in;
    int filters, kernel, stride;
    mrcnn_padding padding;
    int relu, residual, batch_norm, batch_statistics;
    const char *train; /* the params that are trained, "kernel bias" */
    via via;
    mr_rows kind;
    int rows[MR_ROWS_KINDS], max_rows[MR_ROWS_KINDS];
    values x;
    double step, bound;
    int sparse; /* outputs are given with their pixels */
    int on_reference_only;
    const float *rois;
    const char *layers; /* those that are trained have this in their names; NULL: all */
    mr_type products;
    const char *recompute; /* a stage whose values are computed again; NULL: all are kept */
    size_t between;        /* bytes of the workspace that are NaN between run and backward */
};

/* An input or an output. */
typedef struct end {
    char name[MR_NAME];
    mr_rows kind;
    mrcnn_shape shape;
    size_t count;
    float *values;   /* of an input; of an output: r */
    float *gradient; /* of an input */
    int wanted, group;
} end;

/* A compiled trial. */
typedef struct world {
    const trial *t;
    const mr_executor *executor;
    int threads;
    mr_tensors *weights, *gradients;
    mr_packs *packs;
    mr_plan *plan;
    void *workspace;
    size_t bytes;
    end inputs[MAX_ENDS], outputs[MAX_ENDS];
    int input_count, output_count;
    mr_pixels pixels[GROUPS];
    int32_t *index[GROUPS];
} world;

/* The numbers that L depends on, one array after the other, with their gradients. */
typedef struct variable {
    char name[2 * MR_NAME];
    float *values, *gradient;
    size_t count;
} variable;

/* The worst of a group of trials. */
typedef struct worst {
    int trials, on_cpu;
    double differences, cpu;
} worst;

enum { TRIAL_ROIS = 9 };
extern const float trial_rois[TRIAL_ROIS][MR_ROI_COLUMNS];

/* The trial's graph, with its inputs and outputs. */
mrcnn_graph *trial_build(const trial *t);
/* Differences, the CPU executor, repeating and adding: everything about one trial. */
void trial_check(const trial *t, worst *group);
/* The line of a group. */
void trial_report(const char *group, const worst *w);
/* Compiles a trial with its weights and inputs; loss runs forward, backward fills the gradients. */
void world_open(world *w, const trial *t, const mr_executor *executor, int threads,
                int update_statistics);
void world_close(world *w);
double world_loss(world *w);
void world_backward(world *w);
/* The worst difference of a backward's gradients from those that `other` holds, and whose it is. */
double world_compare(const world *w, const world *other, variable *whose);
/* The input of that name, which two operations may share. */
mrcnn_value trial_input(mrcnn_graph *g, const char *name, mr_rows kind, mrcnn_shape shape);
mrcnn_value trial_wanted_input(mrcnn_graph *g, const char *name, mr_rows kind, mrcnn_shape shape);
/* A convolution of that name and "bn_<layer>" behind it. */
mrcnn_value trial_conv_bn(mrcnn_graph *g, mrcnn_value x, const char *layer, int filters, int kernel,
                          int stride);

#endif
