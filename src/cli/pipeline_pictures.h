/* pipeline_pictures.h - pictures, one after the other, through a session: reading and resizing the next ones
 * and writing the last ones go on while it computes. */
#ifndef CLI_PIPELINE_PICTURES_H
#define CLI_PIPELINE_PICTURES_H

#include "pipeline.h"

/* What the pictures of a command came to. */
typedef struct picture_counts {
    size_t failed;   /* were named, and gave no result or not all files */
    size_t detected; /* have a result */
    double seconds;  /* that they took together */
    double
        seconds_of_all; /* the sum of what each took, from the beginning of its reading to its last file */
} picture_counts;

/* Neighbours in the list of inputs, none of them a video. */
typedef struct picture_run {
    const pipeline_options *options;
    mrcnn_model *model;
    mrcnn_session *session;
    coco_file *coco; /* detections.json, if it is wanted */
    const input *inputs;
    size_t count;
    size_t before,
        total; /* how many inputs come before these, and how many there are, for the bar */
} picture_run;

/* Adds to the counts. Returns how many pictures were worked on: fewer than there are when a signal came.
 * Their lines and messages are those of one after the other. */
size_t pictures_run(const picture_run *run, picture_counts *counts);

#endif
