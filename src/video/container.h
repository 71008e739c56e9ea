/* container.h - a media file opened for reading: what readers and copied sound share. */
#ifndef MR_VIDEO_CONTAINER_H
#define MR_VIDEO_CONTAINER_H

#ifdef MRCNN_WITH_VIDEO

#include "video/av.h"

typedef struct mr_container {
    AVFormatContext *format; /* NULL: not open */
    AVIOContext *file;
    int64_t zero; /* when the file begins, in microseconds */
} mr_container;

/* Opens a plain file and looks at its streams, for which no frame larger than `max_pixels` is decoded.
 * Files that it refers to (play lists) are not opened. */
mrcnn_status mr_container_open(mr_container *container, const char *path, int64_t max_pixels,
                               mrcnn_error *err);
void mr_container_close(mr_container *container);

/* The file's zero in a stream's time base. */
int64_t mr_container_zero(const mr_container *container, const AVStream *stream);

#endif
#endif
