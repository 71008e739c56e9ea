/* sample.h - load_image_gt (N51-N55): one picture with its objects, as a training step takes it:
 * resized or cropped, perhaps mirrored and augmented (or four of them as a mosaic), objects without
 * pixels dropped, boxes taken from masks, masks small. Values are those of matterport; storage is the smallest that holds them. Knows
 * nothing of anchors: train/example.h adds what the network is to answer. */
#ifndef MR_DATA_SAMPLE_H
#define MR_DATA_SAMPLE_H

#include "config/config.h"
#include "data/data.h"
#include "data/decoded.h"
#include "image/resize.h"

typedef struct mr_sample {
    size_t picture;  /* index in the data set */
    uint64_t number; /* which draw of the run this is; its random numbers follow from it */
    int height, width, channels;
    uint8_t *pixels; /* height x width x channels, before the mean is subtracted */
    mr_fit fit;      /* with the crop that was drawn; as it was before mirroring and augmentation
                        (N52); in a mosaic, into its quarter */
    int mirrored;
    int augmented; /* one of AUGMENTATION's operations was drawn */
    int mosaic;
    int count;           /* objects, crowds included */
    int32_t *class_ids;  /* negative: crowd */
    int32_t (*boxes)[4]; /* y1 x1 y2 x2 in pixels of the network's input; never empty */
    int mask_height, mask_width;
    uint8_t *masks;  /* count masks of bits (image/bits.h): mini masks (N54), or of the whole input
                        without USE_MINI_MASK */
    uint8_t *active; /* class_count bytes */
    int class_count;
    size_t bytes; /* of all of it */
} mr_sample;

typedef struct mr_sample_options {
    const mr_settings *settings;
    uint64_t seed;
    int training; /* draws: the crop, mirroring, augmentation; validation is the same picture every
                     time */
    mr_decoded_store *store; /* of the same set and settings; NULL: decode each time */
} mr_sample_options;

/* *sample is NULL and the status OK when the picture has nothing to learn from: no object with
 * pixels that is no crowd (N61). If that is augmentation's doing, the picture comes without it.
 * `number` seeds every draw. Any number of threads may load samples
 * of one data set. One mask at a time is drawn in full size, so that a picture with hundreds of
 * objects takes little more memory than one with a few (with mini masks). Messages about the
 * picture name its file. */
mrcnn_status mr_sample_load(mr_sample **sample, const mr_dataset *set, size_t picture,
                            uint64_t number, const mr_sample_options *options, mrcnn_error *err);

/* N60: keeps at most `most` objects (MAX_GT_INSTANCES), in their order: the first ones, or any of
 * them with equal probability, drawn from a random stream (prng.h). Gives the others' memory back.
 */
void mr_sample_limit(mr_sample *sample, int most, mr_sampling sampling, uint64_t stream);

void mr_sample_free(mr_sample **sample);

#endif
