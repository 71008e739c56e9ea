/* download.h - bytes of a URL into an open file, by libcurl. Knows nothing of weights. */
#ifndef MR_WEIGHTS_DOWNLOAD_H
#define MR_WEIGHTS_DOWNLOAD_H

#include <mrcnn/mrcnn.h>

/* Writes the bytes from `have` on to the same place in `fd`. *unresumable becomes 1 when the server
 * can't go on from there: the caller may start again from 0. Of `options` the progress callback and
 * stall_seconds are used. */
mrcnn_status mr_download(int fd, const char *url, uint64_t have, int *unresumable,
                         const mrcnn_fetch_options *options, mrcnn_error *err);

#endif
