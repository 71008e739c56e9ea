/* options.h - the public options structs across versions of the library: each begins with its size. */
#ifndef MR_BASE_OPTIONS_H
#define MR_BASE_OPTIONS_H

#include <mrcnn/mrcnn.h>

/* Copies what `given` has over `options`, which holds the defaults (`size` bytes, the first of them a size_t). A program
 * compiled against an older library has a smaller struct: what it lacks stays default. `name` is that of the struct; NULL for
 * `given` is no options at all. */
mrcnn_status mr_take_options(void *options, size_t size, const void *given, const char *name,
                             mrcnn_error *err);

#endif
