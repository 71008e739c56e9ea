/* helper_tfevents.h - TensorBoard's event files, read by a program that shares nothing with the one
 * that writes them: frames, checksums (bit by bit) and protobuf's wire format by hand. */
#ifndef HELPER_TFEVENTS_H
#define HELPER_TFEVENTS_H

#include <stddef.h>
#include <stdint.h>

enum { TF_VALUES = 130 };

typedef struct tf_value {
    char tag[64];
    int is_image;
    float scalar;                    /* if it is none */
    int64_t height, width, channels; /* if it is one */
    const unsigned char *bytes;      /* the encoded picture, in the file's bytes */
    size_t length;
} tf_value;

typedef struct tf_event {
    double wall_time;
    int64_t step;
    char version[32];  /* "" in all but the first */
    int session_start; /* what was seen from this step on is to be forgotten */
    size_t count;
    tf_value values[TF_VALUES];
} tf_event;

typedef struct tf_file {
    unsigned char *bytes;
    size_t size, at;
} tf_file;

/* What can't be read, and whatever is damaged, ends the test. */
void tf_open(tf_file *file, const char *path);
void tf_close(tf_file *file);
/* 0 at the end. The event is valid until the file is closed. */
int tf_next(tf_file *file, tf_event *event);

/* NULL if the event has none of that name. */
const tf_value *tf_find(const tf_event *event, const char *tag);

/* The event file of a folder that has only one; valid until the next call. */
const char *tf_only_file(const char *folder);

#endif
