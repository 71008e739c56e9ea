/* weights.h - named tensors, in memory and in Keras HDF5 files. Knows layers and shapes, not what
 * the network does with them. A tensor's key is "layer/param": "conv1/kernel",
 * "bn_conv1/moving_variance", "rpn_conv_shared/bias" (the nested rpn_model's layers are listed
 * under their own names). Layouts are Keras': conv HWIO, dense (in, out), deconv (h, w, out, in).
 */
#ifndef MR_WEIGHTS_WEIGHTS_H
#define MR_WEIGHTS_WEIGHTS_H

#include <mrcnn/mrcnn.h>

typedef struct mr_tensor {
    char layer[96];
    char param[32]; /* kernel, bias, gamma, beta, moving_mean, moving_variance */
    int rank;
    int64_t shape[5];
    size_t count;  /* elements */
    float *values; /* 64-byte aligned, owned; NULL once released */
    char *path; /* where the file keeps it, "/conv1/conv1/kernel:0"; NULL if it is from no file */
    int bits;   /* of a number there: 64, 32, 16 for floats, 8 for integers with scales; else 0 */
} mr_tensor;

typedef struct mr_tensors
    mr_tensors; /* an ordered set with lookup by key; order is creation order */

mr_tensors *mr_tensors_create(void);
void mr_tensors_free(mr_tensors **set);
size_t mr_tensors_count(const mr_tensors *set);
mr_tensor *mr_tensors_at(const mr_tensors *set, size_t index);
mr_tensor *mr_tensors_find(const mr_tensors *set, const char *layer, const char *param);
/* Adds a tensor with uninitialised values. It is an error if the key exists. The pointer stays
 * valid for the set's life. */
mrcnn_status mr_tensors_add(mr_tensors *set, const char *layer, const char *param, int rank,
                            const int64_t *shape, mr_tensor **tensor, mrcnn_error *err);
/* Frees the values of one tensor (its shape stays known). */
void mr_tensor_release(mr_tensor *tensor);

/* Root attributes that travel with the weights. NULL or malloc'ed. */
typedef struct mr_weights_info {
    char *keras_version; /* NULL in Keras 1 files */
    char *backend;
    char *config;       /* ours: YAML text, attribute "mrcnn_config" */
    char *ranges;       /* ours: lines "layer<TAB>number", at most 1 MB, attribute "mrcnn_ranges" */
    size_t class_count; /* ours: attribute "mrcnn_class_names" */
    char **class_names;
} mr_weights_info;

void mr_weights_info_free(mr_weights_info *info);

/* Reads a Keras 1 or Keras 2 weight file whole (NUMERICS section 8): root or model_weights, split
 * and variable-length attributes, a third path level, nested rpn_model by name, running_std as
 * variance, _W/_b names, unique suffixes (conv1_1/kernel:0 inside group conv1 belongs to layer
 * conv1). Datasets must be float32 or float64 or float16, or for kernels int8 with scales
 * (h5_int8.h), of at most 2^31 elements. Every count and size is checked against the file's real
 * size before anything is allocated. HDF5 walks the file in a child process (isolate.h), because
 * damaged metadata can crash it. Values must be finite. */
mrcnn_status mr_weights_read(mr_tensors **set, mr_weights_info *info, const char *path,
                             mrcnn_error *err);

/* The same to look at: values may be anything, NaN too. */
mrcnn_status mr_weights_look(mr_tensors **set, mr_weights_info *info, const char *path,
                             mrcnn_error *err);

/* The same without values: they are NULL, as if released. */
mrcnn_status mr_weights_outline(mr_tensors **set, mr_weights_info *info, const char *path,
                                mrcnn_error *err);

/* Writes Keras 2's layout (fixed-length names, contiguous float32, layers starting with "rpn_"
 * nested in rpn_model) with our attributes when they are set. Whole or not at all. */
mrcnn_status mr_weights_write(const mr_tensors *set, const mr_weights_info *info, const char *path,
                              mrcnn_error *err);

/* How kernels are stored; vectors (biases, batch norms) stay float32, and so do kernels that would suffer.
 * f16: 16-bit floats, shuffled and deflated, less than half the bytes, if no value is beyond their
 * range. int8: integers from -127 to 127 with a scale for each output filter, deflated, about a
 * quarter of the bytes, if values are finite and no scale is subnormal (base/int8.h, h5_int8.h). */
typedef enum mr_weights_precision {
    MR_WEIGHTS_F32,
    MR_WEIGHTS_F16,
    MR_WEIGHTS_INT8
} mr_weights_precision;

typedef struct mr_weights_storage {
    mr_weights_precision precision;
    const char *const *wide; /* with int8: layers whose kernels are stored as with f16; ends with a
                                NULL; may be NULL */
} mr_weights_storage;

/* The same with kernels that take less room. */
mrcnn_status mr_weights_write_as(const mr_tensors *set, const mr_weights_info *info,
                                 const char *path, const mr_weights_storage *storage,
                                 mrcnn_error *err);

/* Keras' initialisers for one tensor by its param and shape: Glorot uniform kernels (fan_in,
 * fan_out as Keras computes them), zeros, ones. Values come from the stream (seed, "layer/param").
 */
void mr_tensor_initialise(mr_tensor *tensor, uint64_t seed);

/* Named float32/int32 arrays into an HDF5 file (mrcnn inspect tensors). Whole or not at all. */
typedef struct mr_array {
    const char *name;
    int rank;
    int64_t shape[5];
    const float *values;
} mr_array;
mrcnn_status mr_arrays_write(const mr_array *arrays, size_t count, const char *path,
                             mrcnn_error *err);

#endif
