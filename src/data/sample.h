/* sample.h - load_image_gt (N51-N55): one picture with its objects, as a training step takes it:
 * resized or cropped, perhaps mirrored, objects without pixels dropped, boxes taken from masks,
 * masks small. Values are those of matterport; storage is the smallest that holds them. */
#ifndef MR_DATA_SAMPLE_H
#define MR_DATA_SAMPLE_H

#include "config/config.h"
#include "data/data.h"
#include "image/resize.h"

typedef struct mr_sample {
    size_t picture;  /* index in the data set */
    uint64_t number; /* which draw of the run this is; its random numbers follow from it */
    int height, width, channels;
    uint8_t *pixels; /* height x width x channels, before the mean is subtracted */
    mr_fit fit;
    int mirrored;
    int count;           /* objects, crowds included */
    int32_t *class_ids;  /* negative: crowd */
    int32_t (*boxes)[4]; /* y1 x1 y2 x2 in pixels of the network's input */
    int mask_height, mask_width;
    uint8_t *masks;  /* count x mask_height x mask_width of 0 or 1: mini masks (N54), or of the
                        whole input without USE_MINI_MASK */
    uint8_t *active; /* class_count bytes */
    int class_count;

    /* RPN targets (N56-N60) of the anchors that are learnt from, by rising anchor index. */
    int anchor_count, positive_count;
    int32_t *anchors;   /* indices */
    int8_t *matches;    /* 1 or -1 */
    float (*deltas)[4]; /* of the positive ones, in their order, divided by RPN_BBOX_STD_DEV */
    size_t bytes;       /* of all of it */
} mr_sample;

typedef struct mr_sample_options {
    const mr_settings *settings;
    uint64_t seed;
    int training; /* draws: mirroring and the crop; validation is the same picture every time */
} mr_sample_options;

/* *sample is NULL and the status OK when the picture has nothing to learn from: no object with
 * pixels that is no crowd (N61). `number` seeds every draw. */
mrcnn_status mr_sample_load(mr_sample **sample, const mr_dataset *set, size_t picture,
                            uint64_t number, const mr_sample_options *options, mrcnn_error *err);
void mr_sample_free(mr_sample **sample);

#endif
