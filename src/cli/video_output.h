/* video_output.h - what one video's detections become: videos drawn over and splashed, and a line of
 * JSON for each frame. Opening and ending are the main thread's and give messages; adding frames is
 * another thread's and gives an error. */
#ifndef CLI_VIDEO_OUTPUT_H
#define CLI_VIDEO_OUTPUT_H

#include "pipeline.h"

#include <mrcnn/video.h>

typedef struct video_output {
    unsigned save; /* SAVE_ bits */
    int coco_ids;
    mrcnn_draw_options draw;
    mrcnn_video_writer *overlay, *splash; /* NULL: not wanted */
    new_file lines;
    int silent; /* the sound can't be copied, and that was said */
} video_output;

/* A frame with what was found in it; `ids` may be NULL. */
typedef struct seen_frame {
    mrcnn_frame frame;
    mrcnn_result *result;
    int32_t *ids;
} seen_frame;

/* 0, or -1 after a message. */
int video_output_open(video_output *output, const pipeline_options *options, const input *in,
                      const mrcnn_video *video);
mrcnn_status video_output_add(video_output *output, const seen_frame *seen, mrcnn_error *err);
/* `cut`: not all of the video was written, so its sound ends with the last frame. */
int video_output_finish(video_output *output, int cut);
/* Leaves nothing behind; does nothing after a finish. */
void video_output_abandon(video_output *output);

#endif
