/* file_kind.h - what a file is, from its first bytes: before HDF5 sees it, and for messages that
 * help someone who took the wrong file.
 */
#ifndef MR_WEIGHTS_FILE_KIND_H
#define MR_WEIGHTS_FILE_KIND_H

#include <mrcnn/mrcnn.h>

/* Opens `path` if it is a plain file that begins as a whole HDF5 file does: signature, a superblock
 * of a known version, no more bytes promised than there are. Gives the file's size. */
mrcnn_status mr_open_hdf5_file(int *fd, uint64_t *size, const char *path, mrcnn_error *err);

#endif
