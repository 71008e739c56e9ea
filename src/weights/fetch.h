/* fetch.h - a file from the network into the cache, whole and checked, or not at all. */
#ifndef MR_WEIGHTS_FETCH_H
#define MR_WEIGHTS_FETCH_H

#include <mrcnn/mrcnn.h>

typedef struct mr_source {
    const char *url;
    const char *file; /* its name in the cache */
    const char *md5;  /* NULL: not known; then the file must open as weights */
} mr_source;

/* `*path` is malloc'ed: where the file is in `directory`, which is made if need be. */
mrcnn_status mr_fetch_file(char **path, const mr_source *source, const char *directory,
                           const mrcnn_fetch_options *options, mrcnn_error *err);

#endif
