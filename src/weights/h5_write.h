/* h5_write.h - an HDF5 file written beside its destination, in a process of its own, and renamed
 * when it is whole. Knows nothing of what is in it.
 */
#ifndef MR_WEIGHTS_H5_WRITE_H
#define MR_WEIGHTS_H5_WRITE_H

#include <hdf5.h>
#include <mrcnn/mrcnn.h>

/* Fills the open file with `what`. Returns a negative number on failure. Runs in a child process:
 * it may read all of this process's memory, and changes none of it. */
typedef int (*mr_h5_content)(hid_t file, const void *what);

/* Whole or not at all. A message names `path`. */
mrcnn_status mr_h5_write_file(const char *path, mr_h5_content content, const void *what,
                              mrcnn_error *err);

#endif
