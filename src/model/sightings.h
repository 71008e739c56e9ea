/* sightings.h - what views of one window of a picture have found, in the picture's pixels, and the
 * merging of it: instances of several views that are the same object become one. */
#ifndef MR_MODEL_SIGHTINGS_H
#define MR_MODEL_SIGHTINGS_H

#include "model/detections.h"

enum { MR_MAX_VIEWS = 64 };

typedef struct mr_sighting {
    mr_spot spot; /* with edges and samples, whatever MASK_RESIZE is */
    int32_t class_id;
    float score;
    uint64_t views; /* a bit for each that has seen it */
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

/* Sets edges and samples of a spot that has a box alone: the mask head's samples are the middles of cells
 * that share the box out among them. */
void mr_spot_complete(mr_spot *spot, int side);

typedef struct mr_merging {
    const mr_settings *settings;
    const float *confidence; /* the least score of each class */
    int height, width;       /* of the picture */
    int views;
} mr_merging;

/* Merges what the views of a window have found: by falling score, each joins the group of its class,
 * without one of its view, whose first box it meets best (IoU of 0.5 or more), or begins a group. A group
 * becomes one sighting: its box and mask are the means of its members', weighted with their scores; its
 * score is the sum of theirs over the number of views, so that what few views see counts little. What is
 * then not sure enough falls, and, unless DETECTION_NMS is soft, the weaker of two that overlap by more than
 * DETECTION_NMS_THRESHOLD, if no view has told them apart. `merged` is made, by falling score; of one view
 * it is a copy. */
mrcnn_status mr_sightings_merge(mr_sightings *merged, const mr_sightings *found,
                                const mr_merging *how, mrcnn_error *err);

#endif
