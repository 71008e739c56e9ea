/* h5_arrays_scan.h - walks a file of named arrays through HDF5, in a process of its own, and
 * reports where each array lies. Values never pass through HDF5.
 */
#ifndef MR_WEIGHTS_H5_ARRAYS_SCAN_H
#define MR_WEIGHTS_H5_ARRAYS_SCAN_H

#include "weights/arrays.h"

#include <stdio.h>

#define MR_ARRAYS_ATTRIBUTE "mrcnn_arrays" /* the names, in order, on the root group */

enum { MR_MOST_ARRAYS = 1 << 16 };

typedef enum mr_place_kind {
    MR_PLACE_END = 0x4d520101, /* unlike what happens to be in memory */
    MR_PLACE_FAILURE,          /* `text` is the message */
    MR_PLACE_ARRAY             /* `text` is the name */
} mr_place_kind;

/* One array's place in the file, or the end of the list. */
typedef struct mr_place {
    mr_place_kind kind;
    mrcnn_status status; /* of a failure */
    mr_element element;
    int rank;
    int64_t shape[5];
    uint64_t offset, bytes;
    char text[sizeof((mrcnn_error *)0)->message];
} mr_place;

typedef struct mr_arrays_scan {
    const char *path;
    int fd; /* the same file, open */
    uint64_t file_size;
} mr_arrays_scan;

/* An mr_isolated_body that writes mr_place records; `context` is a const mr_arrays_scan. */
void mr_scan_arrays(FILE *out, const void *context);

/* Bytes of one number; 1 for text. */
size_t mr_element_size(mr_element element);

#endif
