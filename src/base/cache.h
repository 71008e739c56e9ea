/* cache.h - where the user's cache is. */
#ifndef MR_BASE_CACHE_H
#define MR_BASE_CACHE_H

#include <mrcnn/mrcnn.h>

/* The folder "mrcnn" in it, which need not exist. *directory is malloc'ed; MRCNN_E_ARGUMENT where the user has
 * none. */
mrcnn_status mr_cache_directory(char **directory, mrcnn_error *err);

#endif
