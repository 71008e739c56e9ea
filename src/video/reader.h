/* reader.h - what the writer takes over from a video that is open for reading. */
#ifndef MR_VIDEO_READER_H
#define MR_VIDEO_READER_H

#ifdef MRCNN_WITH_VIDEO

#include "video/color.h"

#include <mrcnn/video.h>

mr_video_color mr_video_color_of(const mrcnn_video *video);

#endif
#endif
