/* options.c - see options.h. */
#include "base/options.h"

#include "base/error.h"

#include <string.h>

mrcnn_status mr_take_options(void *options, size_t size, const void *given, const char *name,
                             mrcnn_error *err) {
    size_t given_size;
    if (!given) return MRCNN_OK;
    memcpy(&given_size, given, sizeof given_size);
    if (given_size < sizeof given_size)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s has no size; start from %s_default()", name,
                       name);
    memcpy(options, given, given_size < size ? given_size : size);
    return MRCNN_OK;
}
