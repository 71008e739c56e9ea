/* sound.h - sound tracks carried over from one file to another, packet by packet, not decoded. */
#ifndef MR_VIDEO_SOUND_H
#define MR_VIDEO_SOUND_H

#ifdef MRCNN_WITH_VIDEO

#include "video/container.h"

typedef struct mr_sound mr_sound;

/* Is the stream sound that FFmpeg knows enough of to copy it? */
int mr_is_sound(const AVStream *stream);

/* Adds a stream to `to` for each sound track of the file. *sound stays NULL for a silent file. What the
 * container can't hold is MRCNN_E_UNSUPPORTED. Sound before `start` (seconds) is left out, and the
 * rest is that much earlier. */
mrcnn_status mr_sound_open(mr_sound **sound, const char *path, AVFormatContext *to,
                           const char *to_path, double start, mrcnn_error *err);

/* Copies what begins before `seconds` in the new file (INFINITY: all of it). A file that can't be read
 * to its end has no more sound; an error is one of writing. FFmpeg's code. */
int mr_sound_copy(mr_sound *sound, double seconds);
void mr_sound_free(mr_sound **sound);

#endif
#endif
