/* npy.h - the header of NumPy's .npy files, as far as a picture can be in one. */
#ifndef MR_IMAGE_NPY_H
#define MR_IMAGE_NPY_H

#include <mrcnn/mrcnn.h>

typedef enum mr_npy_type { MR_NPY_U8, MR_NPY_U16, MR_NPY_I16, MR_NPY_F32, MR_NPY_F64 } mr_npy_type;

typedef struct mr_npy {
    mr_npy_type type;
    uint64_t height, width;
    int channels;
    size_t begin; /* of the values, in the file */
    size_t bytes; /* that they take */
} mr_npy;

enum { MR_NPY_MOST_HEADER = 65536 };

/* Reads a header from the first `length` bytes of a file; MR_NPY_MOST_HEADER of them are enough. It
 * must be about a picture: height x width, or height x width x channels, in C's order. `name` is
 * what messages call it. */
mrcnn_status mr_npy_header(mr_npy *about, const uint8_t *bytes, size_t length, const char *name,
                           mrcnn_error *err);

#endif
