/* av.h - FFmpeg's libraries for this room's files: where they differ between versions 4.4 and 7, their
 * errors as ours, and their silence. */
#ifndef MR_VIDEO_AV_H
#define MR_VIDEO_AV_H

#ifdef MRCNN_WITH_VIDEO

#include "base/error.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

/* "clip.mp4: <what>: <FFmpeg's text for the code>". Memory and input/output errors keep their kind,
 * all others are `status`. */
mrcnn_status mr_av_fail(mrcnn_error *err, mrcnn_status status, const char *path, const char *what,
                        int code);

/* FFmpeg prints on stderr what it minds, by a level that is the whole process'. These two go around
 * the life of each reader and writer: the first one turns FFmpeg's default level off, and the last one
 * puts it back. A level that the program has chosen itself is left alone. */
int mr_av_hush(void);
void mr_av_unhush(int took_part); /* what mr_av_hush returned */

/* Hands a packet (NULL: all that are waiting for others) to a container. One that it refuses is dropped
 * and no error: that is sound that was broken in its own file. FFmpeg's code. */
int mr_av_put_packet(AVFormatContext *format, AVPacket *packet);

/* "file:<path>", which FFmpeg can't take for an address or a pattern. malloc'ed; NULL without memory. */
char *mr_av_url(const char *path);

/* A time stamp with which one can count: not AV_NOPTS_VALUE, and not next to overflow. */
int mr_av_is_time(int64_t stamp);

/* How long a frame is shown, in its stream's time base; 0 when unknown. */
int64_t mr_av_duration(const AVFrame *frame);

/* The stream's 3 x 3 display matrix; NULL when it has none. */
const int32_t *mr_av_display_matrix(const AVStream *stream);

#endif
#endif
