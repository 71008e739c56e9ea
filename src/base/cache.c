/* cache.c - see cache.h. */
#include "base/cache.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>

/* The XDG Base Directory Specification ignores relative paths. */
mrcnn_status mr_cache_directory(char **directory, mrcnn_error *err) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && cache[0] == '/')
        *directory = mr_format("%s/mrcnn", cache);
    else if (home && home[0] == '/')
        *directory = mr_format("%s/.cache/mrcnn", home);
    else
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "there is no cache folder: neither XDG_CACHE_HOME nor HOME is set; name a "
                       "directory");
    return *directory ? MRCNN_OK : mr_fail_memory(err, 64, "a folder name");
}
