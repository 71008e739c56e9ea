/* h5_dataset.h - one dataset of a weight file: is it what weights look like, and where are its
 * numbers. Everything is checked against the size of the file before memory is taken for it.
 */
#ifndef MR_WEIGHTS_H5_DATASET_H
#define MR_WEIGHTS_H5_DATASET_H

#include <hdf5.h>
#include <mrcnn/mrcnn.h>

#define MR_DATASET_MOST_ELEMENTS (UINT64_C(1) << 31)

typedef struct mr_dataset {
    int rank;
    int64_t shape[5];
    size_t count;
    uint64_t stored; /* bytes that it takes up in the file */
    int plain;       /* float32 of this machine's byte order, in one piece at `offset`: it can be
                        read without HDF5 */
    int bits; /* of a number: 64, 32, 16 for IEEE floats, 8 for integers; of either byte order */
    uint64_t offset;
} mr_dataset;

/* `file_size` limits what the dataset may claim to hold. `file` and `path` are for messages. */
mrcnn_status mr_dataset_check(mr_dataset *about, hid_t dataset, uint64_t file_size,
                              const char *file, const char *path, mrcnn_error *err);

#endif
