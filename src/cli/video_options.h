/* video_options.h - which frames of a video are looked at, and how the new one is written. */
#ifndef CLI_VIDEO_OPTIONS_H
#define CLI_VIDEO_OPTIONS_H

#include "options.h"

typedef struct video_options {
    const char *start_text, *end_text;
    double start, end; /* seconds, read from the texts; end 0: to the end */
    int64_t stride, quality;
    int no_tracks; /* index in "iou|none" */
} video_options;

#define VIDEO_ROWS(T, field)                                                                   \
    {"start",                                                                                  \
     "TIME",                                                                                   \
     OPTION_TEXT,                                                                              \
     offsetof(T, field.start_text),                                                            \
     "of a video: where to begin, in seconds (12.5) or as 1:02:03.5",                          \
     0,                                                                                        \
     0},                                                                                       \
        {"end", "TIME", OPTION_TEXT, offsetof(T, field.end_text), "of a video: where to stop", \
         0,     0},                                                                            \
        {"stride",                                                                             \
         "N",                                                                                  \
         OPTION_INTEGER,                                                                       \
         offsetof(T, field.stride),                                                            \
         "of a video: take each Nth frame; the others are left out of what is written, which " \
         "plays as long as before",                                                            \
         1,                                                                                    \
         1000000},                                                                             \
    {                                                                                          \
        "crf", "N", OPTION_INTEGER, offsetof(T, field.quality),                                \
            "of a new video: how much is lost, 0 (least) to 51 (default 20)", 0, 51            \
    }

#define TRACK_ROW(T, field)                                                                       \
    {                                                                                             \
        "track", "iou|none", OPTION_CHOICE, offsetof(T, field.no_tracks),                         \
            "how objects of a video keep number and colour from frame to frame (default iou: by " \
            "the overlap of boxes)",                                                              \
            0, 0                                                                                  \
    }

video_options video_options_default(void);
/* Reads the times. EXIT_DONE, or the exit code after a message. */
int video_options_read(const command *self, video_options *options);

#endif
