/* video.h - detection in one video. */
#ifndef CLI_VIDEO_H
#define CLI_VIDEO_H

#include "pipeline.h"

/* Reads the input's frames, finds objects in them and writes what the options want; one line on
 * stdout. While the network works on a frame, the next ones are decoded and the last ones drawn and
 * encoded. Ctrl-C ends the new files where they are. 0, or -1 after a message. */
int video_run(const pipeline_options *options, const mrcnn_model *model, mrcnn_session *session,
              const input *in);

#endif
