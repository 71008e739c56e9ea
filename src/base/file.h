/* file.h - whole files in, whole files out. A file is written beside its destination and renamed,
 * so that a reader never sees half of one. */
#ifndef MR_BASE_FILE_H
#define MR_BASE_FILE_H

#include <mrcnn/mrcnn.h>
#include <stdio.h>

/* Reads at most `limit` bytes (0: no limit) into malloc'ed memory with a 0 byte behind it. */
mrcnn_status mr_file_read(const char *path, size_t limit, void **bytes, size_t *length,
                          mrcnn_error *err);

/* MRCNN_E_IO for a folder, and for a pipe or a device, which could keep the reader waiting for ever. What
 * isn't there passes: opening it says so. */
mrcnn_status mr_file_check_plain(const char *path, mrcnn_error *err);

/* The name to write first: "path.part-<pid>-<n>" in the same folder. malloc'ed. */
char *mr_file_part_name(const char *path);

/* fsync(part), rename(part, path). Removes `part` on failure. Fails when `path` is a folder, a
 * device or a pipe. */
mrcnn_status mr_file_commit(const char *part, const char *path, mrcnn_error *err);

/* Writes bytes as a whole file, or nothing. A device or a pipe is written to as it is. */
mrcnn_status mr_file_write(const char *path, const void *bytes, size_t length, mrcnn_error *err);

/* The same for one of thousands of files: it isn't forced onto the disk, which would take minutes. */
mrcnn_status mr_file_put(const char *path, const void *bytes, size_t length, mrcnn_error *err);

/* mkdir -p. */
mrcnn_status mr_make_directories(const char *path, mrcnn_error *err);

/* The same for the folders above a file. */
mrcnn_status mr_make_folder_of(const char *path, mrcnn_error *err);

#endif
