/* h5_util.h - HDF5 for careful callers: one caller at a time (the serial library is not
 * thread-safe), no error stack on stderr but its reason as text, paths that follow hard links only,
 * lists of strings as attributes. Knows nothing of tensors.
 */
#ifndef MR_WEIGHTS_H5_UTIL_H
#define MR_WEIGHTS_H5_UTIL_H

#include <hdf5.h>
#include <mrcnn/mrcnn.h>

/* HDF5's own words for a failure: "unable to read superblock". */
typedef struct mr_h5_reason {
    char text[200];
} mr_h5_reason;

/* Between lock and unlock this thread alone uses HDF5. A program that uses HDF5 itself must not do
 * so from another thread meanwhile. */
void mr_h5_lock(void);
void mr_h5_unlock(void);

/* Failures are kept in `reason` from here on, instead of being printed. */
void mr_h5_remember(mr_h5_reason *reason);

/* The reason of the last failure. */
mr_h5_reason mr_h5_why(void);

/* Opens the group or dataset at `path` below `from`. Links are followed only if they are hard ones:
 * soft and external links can lead in circles or to other files. MRCNN_E_FORMAT with a message that
 * says which step failed; H5I_INVALID_HID in *object then. `file` is what messages call the file.
 */
mrcnn_status mr_h5_open(hid_t *object, hid_t from, const char *path, H5I_type_t type,
                        const char *file, mrcnn_error *err);

/* 1 if the path leads somewhere by hard links, 0 if not. */
int mr_h5_exists(hid_t from, const char *path);

/* IEEE half precision, which HDF5 1.10 has no name for, in the byte order of `order`, a type of 32 bits.
 * The caller closes it. */
hid_t mr_h5_half_type(hid_t order);

/* A list of strings. `strings` and each string are malloc'ed. */
typedef struct mr_h5_strings {
    char **strings;
    size_t count;
} mr_h5_strings;
void mr_h5_strings_free(mr_h5_strings *list);

/* Whether the attribute `name`, or the first part `name`0 of a split one, is there. */
int mr_h5_has_strings(hid_t object, const char *name);

/* Reads attribute `name`, of fixed or variable-length strings, one or many, whole or split into
 * name0, name1, ... as Keras does beyond HDF5's 64 KB. */
mrcnn_status mr_h5_read_strings(mr_h5_strings *list, hid_t object, const char *name,
                                const char *file, mrcnn_error *err);

/* Writes them, split when necessary: as fixed-length, NUL-padded strings or as variable-length
 * UTF-8 ones. Returns a negative number on failure. */
int mr_h5_write_fixed(hid_t object, const char *name, const char *const *strings, size_t count);
int mr_h5_write_variable(hid_t object, const char *name, const char *const *strings, size_t count);

/* One variable-length string (scalar). */
int mr_h5_write_text(hid_t object, const char *name, const char *text, H5T_cset_t cset);

#endif
