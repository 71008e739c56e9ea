/* write.h - what write.c shares with write_picture.c. */
#ifndef MR_DATA_WRITE_H
#define MR_DATA_WRITE_H

#include "data/dataset.h"

/* Makes the picture's file at `path`, and the folders above it; nothing may be there yet. link: as a
 * second name of the source's file, if that is possible. */
mrcnn_status mr_put_picture(const mr_dataset *set, size_t index, const char *path, int link,
                            mrcnn_error *err);

/* Removes a file, and the folders above it below `root` that become empty. */
void mr_take_away(const char *path, const char *root);

#endif
