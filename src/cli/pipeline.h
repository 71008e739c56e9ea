/* pipeline.h - from inputs to files: what detect and splash share. */
#ifndef CLI_PIPELINE_H
#define CLI_PIPELINE_H

#include "inputs.h"
#include "model.h"
#include "save.h"
#include "video_options.h"

enum { MOST_BATCH = 16 };

typedef struct pipeline_options {
    model_options model;
    session_options session;
    const char *out;
    unsigned save; /* SAVE_ bits */
    overlay_options overlay;
    int coco_ids;
    int explain; /* how many candidates each stage kept, and why the rest fell */
    int recursive;
    int64_t max_pixels;
    int64_t batch; /* pictures, or frames, that the network gets at a time */
    video_options video;
} pipeline_options;

pipeline_options pipeline_default(void);

/* The rows that detect and splash have in common; T is a struct with a pipeline_options at `field`.
 */
#define PIPELINE_ROWS(T, field)                                                     \
    WEIGHTS_ROW(T, field.model), CONFIG_ROWS(T, field.model.config),                \
        {"out",                                                                     \
         "DIR",                                                                     \
         OPTION_TEXT,                                                               \
         offsetof(T, field.out),                                                    \
         "where the results go; the folder is made if need be (default "            \
         "found)",                                                                  \
         0,                                                                         \
         0},                                                                        \
        CLASSES_ROW(T, field.model.classes),                                        \
        {"recursive",                                                               \
         NULL,                                                                      \
         OPTION_FLAG,                                                               \
         offsetof(T, field.recursive),                                              \
         "look into the folders below a folder, too",                               \
         0,                                                                         \
         0},                                                                        \
        {"max-pixels",                                                              \
         "N",                                                                       \
         OPTION_INTEGER,                                                            \
         offsetof(T, field.max_pixels),                                             \
         "refuse larger pictures (default 268435456)",                              \
         1,                                                                         \
         INT64_MAX},                                                                \
        {"batch",                                                                   \
         "N",                                                                       \
         OPTION_INTEGER,                                                            \
         offsetof(T, field.batch),                                                  \
         "give the network so many pictures of one size, or frames of a video, at " \
         "a time (default 1)",                                                      \
         1,                                                                         \
         MOST_BATCH},                                                               \
        VIDEO_ROWS(T, field.video), SESSION_ROWS(T, field.session), SEED_ROW(T, field.model.seed)

/* Everything after parsing: expands the inputs, opens the model, works through the pictures and videos.
 * Without --weights and --out it says what it takes instead. An input that fails is named and the others
 * go on. Returns the exit code. */
int pipeline_run(const command *self, pipeline_options *options, const arguments *given);

#endif
