/* h5_int8.h - kernels of 8-bit integers in weight files: dataset kernel:0, and beside it kernel_scale:0, which
 * no weight_names lists: float32, a scale for each output filter. base/int8.h says what they mean.
 */
#ifndef MR_WEIGHTS_H5_INT8_H
#define MR_WEIGHTS_H5_INT8_H

#include "base/int8.h"
#include "weights/h5_dataset.h"

#include <hdf5.h>
#include <mrcnn/mrcnn.h>

/* Where the filters of a kernel are, of two axes at least: the last axis counts them, and of transposed
 * convolutions, (height, width, out, in) of layers called ...deconv, the third. */
mr_filters mr_kernel_filters(const char *layer, int rank, const int64_t *shape);

/* "conv1/kernel_scale:0" for "conv1/kernel:0"; malloc'ed. */
char *mr_h5_scale_path(const char *path);

typedef struct mr_int8_source {
    hid_t file, dataset;
    const mr_dataset *about; /* of 8 bits, checked */
    uint64_t file_size;
    const char *layer;
    const char *name, *path; /* of the file; of the dataset from the root on */
} mr_int8_source;

/* Gives about->count numbers. Scales are checked as the dataset was. */
mrcnn_status mr_h5_read_int8(float *values, const mr_int8_source *source, mrcnn_error *err);

#endif
