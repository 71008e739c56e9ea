/* data_stats.h - what `mrcnn data stats` found out, and the two ways of saying it. */
#ifndef CLI_DATA_STATS_H
#define CLI_DATA_STATS_H

#include <mrcnn/mrcnn.h>

#include <stdio.h>

enum { STATS_BINS = 12, STATS_CHANNELS = 16 };

/* How often a measure lay below edges[0], from there to below edges[1], ..., above the last edge. */
typedef struct histogram {
    const char *title, *key; /* for people, for JSON */
    const double *edges;
    int edge_count;
    size_t counts[STATS_BINS];
} histogram;

typedef struct class_stats {
    size_t objects, pictures, crowds; /* crowds are objects, too */
} class_stats;

typedef struct picture_size {
    int32_t width, height;
    size_t count;
} picture_size;

typedef struct data_stats {
    const mrcnn_dataset *set;
    size_t pictures, objects, crowds, unreadable;
    class_stats *classes;
    picture_size *sizes; /* the most frequent one first */
    size_t size_count;
    histogram side, ratio, per_picture;
    size_t most_objects; /* in a picture */
    int max_instances;   /* the key MAX_GT_INSTANCES */
    size_t cut_objects, cut_pictures;
    int channels; /* 0: no pixels were looked at */
    double mean[STATS_CHANNELS];
    size_t sampled; /* pictures */
    int has_anchors;
    mrcnn_anchor_report anchors;
} data_stats;

/* Classes and sizes, histograms, the mean pixel, anchors with a line to copy. */
void stats_print(const data_stats *stats);
void stats_write_json(FILE *stream, const data_stats *stats);

/* A list as --set has it: "[8, 16.5]"; malloc'ed. */
char *stats_list(const double *numbers, int count);

#endif
