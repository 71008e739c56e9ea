/* helper_npy.h - reads NumPy's .npy files, in which the tests keep their expected values. Version 1
 * and 2, little endian, C order; types f4, f8, i4, i8, u1, i1 and b1 (as u1). */
#ifndef HELPER_NPY_H
#define HELPER_NPY_H

#include <stddef.h>
#include <stdint.h>

enum { NPY_MAX_RANK = 8 };

typedef struct npy_array {
    char dtype[4]; /* "f4" */
    int rank;
    int64_t shape[NPY_MAX_RANK];
    size_t count; /* product of shape */
    double *data; /* every value as a double */
    void *raw;    /* the values as the file has them */
} npy_array;

/* 1: read; 0: no such file, or not what is said above (a line on stderr says which). */
int npy_read(const char *path, npy_array *out);
void npy_free(npy_array *array);

#endif
