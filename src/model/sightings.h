/* sightings.h - what views of one window of a picture have found, in the picture's pixels, and the
 * merging of it: instances of several views that are the same object become one. */
#ifndef MR_MODEL_SIGHTINGS_H
#define MR_MODEL_SIGHTINGS_H

#include "config/config.h"

typedef struct mr_sighting {
    int32_t box[4]; /* not empty */
    int32_t class_id;
    float score;
    int32_t view;
} mr_sighting;

typedef struct mr_sightings {
    mr_sighting *items;
    float *masks; /* count x side x side: what the mask head says of each item's box */
    size_t count, room;
    int side;
} mr_sightings;

/* Makes room for one more and returns where its mask goes; NULL: no memory. */
float *mr_sightings_add(mr_sightings *s, const mr_sighting *item);
void mr_sightings_free(mr_sightings *s);

/* Merges what `views` views of a window have found: by falling score, each joins the group of its class,
 * without one of its view, whose first box it meets best (IoU of 0.5 or more), or begins a group. A group
 * becomes one sighting: its box and mask are the means of its members', weighted with their scores; its
 * score is the sum of theirs over the number of views, so that what few views see counts little. What is
 * then below DETECTION_MIN_CONFIDENCE falls, and so does the weaker of two that overlap by more than
 * DETECTION_NMS_THRESHOLD. `merged` is made, by falling score; of one view it is a copy. */
mrcnn_status mr_sightings_merge(mr_sightings *merged, const mr_sightings *found, int views,
                                const mr_settings *settings, mrcnn_error *err);

#endif
