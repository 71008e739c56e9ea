/* weights.h - weight files: what is in them, and published ones. mrcnn.h includes this, and its rules hold. */
#ifndef MRCNN_WEIGHTS_H
#define MRCNN_WEIGHTS_H

#include <mrcnn/mrcnn.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mrcnn_weights mrcnn_weights;

typedef struct mrcnn_weights_tensor {
    const char *layer; /* "res2a_branch2a" */
    const char *name;  /* "kernel" */
    const char *path;  /* where the file keeps it: "/res2a_branch2a/res2a_branch2a/kernel:0" */
    int rank;
    int64_t shape[5];
    const float *values;
} mrcnn_weights_tensor;

/* Opens any weight file that mrcnn_model_load reads, without asking whether it makes a model; values
 * that are no finite numbers, which no model may have, can be looked at, too. Both fork for a moment: HDF5 looks at the file in a child process, where a damaged one can't harm. */
MRCNN_API mrcnn_status mrcnn_weights_open(mrcnn_weights **weights, const char *path,
                                          mrcnn_error *err);
MRCNN_API const mrcnn_weights_tensor *mrcnn_weights_at(const mrcnn_weights *weights, size_t index);
/* A root attribute as text: "keras_version", "backend", "mrcnn_config", "class_names" (one a line).
 * And "kernels", how they are stored: "31 of 8 bits, 2 of 16 bits". NULL if absent. */
MRCNN_API const char *mrcnn_weights_attribute(const mrcnn_weights *weights, const char *name);
MRCNN_API void mrcnn_weights_free(mrcnn_weights **weights);

typedef struct mrcnn_fetch_options {
    size_t size;
    const char *url;       /* instead of the published one; its checksum is not known then, and the
                              file must open as weights */
    const char *directory; /* instead of $XDG_CACHE_HOME/mrcnn or ~/.cache/mrcnn */
    /* Called now and then; total is 0 while it is unknown. Return non-zero to stop. */
    int (*progress)(void *user, uint64_t done, uint64_t total);
    void *user;
    int stall_seconds; /* give up when nothing arrives for so long (default 30) */
} mrcnn_fetch_options;

MRCNN_API mrcnn_fetch_options mrcnn_fetch_options_default(void);

/* Downloads published weights ("coco", "imagenet", "balloon") unless the cache already holds them
 * with the right checksum; a broken download is resumed. *path is malloc'ed; free it with
 * mrcnn_string_free. */
MRCNN_API mrcnn_status mrcnn_weights_fetch(char **path, const char *name,
                                           const mrcnn_fetch_options *options, mrcnn_error *err);

/* The published files: name, URL and what it is; NULL past the end. */
MRCNN_API const char *mrcnn_weights_published(size_t index, const char **url, const char **help);

MRCNN_API void mrcnn_string_free(char **string);

#ifdef __cplusplus
}
#endif
#endif
