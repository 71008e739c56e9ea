/* tree.h - pictures in a folder and in the folders below it. */
#ifndef MR_DATA_TREE_H
#define MR_DATA_TREE_H

#include "data/place.h"

/* Pictures as paths from the folder on, folder by folder, by name (bytewise). At most `most` of them
 * (0: all). Folders whose names begin with a dot are passed over. */
mrcnn_status mr_list_pictures(mr_listing *listing, const char *folder, size_t most,
                              mrcnn_error *err);

#endif
