/* info.h - the attributes of a weight file that are not about one layer: who wrote it, and the
 * configuration and class names that this program adds.
 */
#ifndef MR_WEIGHTS_INFO_H
#define MR_WEIGHTS_INFO_H

#include "weights/weights.h"

#include <hdf5.h>

/* Reads them from the group that lists the layers. What is absent stays NULL. */
mrcnn_status mr_weights_info_read(mr_weights_info *info, hid_t layers, const char *file,
                                  mrcnn_error *err);

/* Whether it can be written: else a message that begins with `path`. */
mrcnn_status mr_weights_info_check(const mr_weights_info *info, const char *path, mrcnn_error *err);

/* `info` may be NULL: then only what Keras itself would write. Returns a negative number on
 * failure. */
int mr_weights_info_write(const mr_weights_info *info, hid_t root);

#endif
