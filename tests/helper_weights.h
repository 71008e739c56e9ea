/* helper_weights.h - makes small weight files by the HDF5 C API, in all the ways in which Keras and
 * h5py wrote them, and wrong ones.
 */
#ifndef HELPER_WEIGHTS_H
#define HELPER_WEIGHTS_H

#include <hdf5.h>
#include <stddef.h>

/* A folder of this test's own, removed by remove_scratch. */
const char *make_scratch(void);
void remove_scratch(void);
/* A path in it. Valid for the next eight calls. */
const char *scratch(const char *name);
/* 0 if no file of the folder has a name that contains `part`. */
int scratch_holds(const char *part);

typedef enum names_style { NAMES_FIXED, NAMES_VARIABLE, NAMES_SPLIT } names_style;

hid_t new_file(const char *path);
/* A NULL-terminated list of strings as attribute; an empty one is float64, as numpy has it. */
void put_names(hid_t object, const char *attribute, names_style style, const char *const *names);
void put_text(hid_t object, const char *attribute, const char *text);
/* A group with its weight_names. */
hid_t put_layer(hid_t root, const char *layer, names_style style, const char *const *weights);

/* How a dataset is laid out. */
typedef enum layout { CONTIGUOUS, COMPACT, CHUNKED, GZIPPED } layout;
/* Values are first, first + 0.25, ...: exact in half precision while they are small. Dimensions end
 * with 0. */
void put_values(hid_t group, const char *name, hid_t type, layout how, double first,
                const hsize_t *dims);
hid_t half_type(hid_t order);

#define DIMS(...)       \
    (const hsize_t[]) { \
        __VA_ARGS__, 0  \
    }
#define NAMES(...)          \
    (const char *const[]) { \
        __VA_ARGS__, NULL   \
    }
#define NO_NAMES            \
    (const char *const[]) { \
        NULL                \
    }

#endif
