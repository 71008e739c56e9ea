/* arrays.h - named arrays of several types in an HDF5 file: what this program keeps for itself, as
 * a training's state. Every bit comes back. Other programs can look into such a file with HDF5's
 * own tools (h5dump, h5py); only files written here are read.
 */
#ifndef MR_WEIGHTS_ARRAYS_H
#define MR_WEIGHTS_ARRAYS_H

#include <mrcnn/mrcnn.h>

typedef enum mr_element { MR_FLOAT32, MR_FLOAT64, MR_INT64, MR_TEXT } mr_element;

enum { MR_ARRAY_NAME = 256 }; /* the longest name, with its final 0 */

typedef struct mr_named_array {
    const char *name; /* "velocity/conv1/kernel": printable ASCII; each / is a group in the file */
    mr_element element;
    int rank; /* 0: one number; a text has rank 0 */
    int64_t shape[5];
    size_t bytes; /* of the values; of a text without its final 0 */
    const void *values;
} mr_named_array;

/* What a file holds, in the order in which it was written. Names and values are owned; values are
 * 64-byte aligned, of a text with a final 0. */
typedef struct mr_array_list {
    size_t count;
    mr_named_array *arrays;
} mr_array_list;

void mr_array_list_free(mr_array_list *list);

/* NULL if there is none of that name and type. */
mr_named_array *mr_array_list_find(const mr_array_list *list, const char *name, mr_element element);

/* Writes them, whole or not at all: at most 65,536 arrays, none empty except texts. */
mrcnn_status mr_named_arrays_write(const mr_named_array *arrays, size_t count, const char *path,
                                   mrcnn_error *err);

/* Reads such a file. Each size is checked against the file's before memory is taken for it, and
 * HDF5 walks the file in a child process (isolate.h): any bytes give arrays or a message. Values
 * are what they are; a damaged number is not noticed here. */
mrcnn_status mr_named_arrays_read(mr_array_list *list, const char *path, mrcnn_error *err);

#endif
