/* detections.h - the detection layer (N34-N36) and what turns its boxes into the picture's pixels
 * (N38). */
#ifndef MR_MODEL_DETECTIONS_H
#define MR_MODEL_DETECTIONS_H

#include "image/resize.h"
#include "model/boxes.h"

#include <mrcnn/trace.h>

typedef struct mr_detection {
    float box[4]; /* normalised to the network's input, clipped to the window */
    float score;
    int32_t class_id;
    int32_t roi; /* row of the box head's input */
} mr_detection;

/* What the box head said about one picture's proposals. Rows from `rois_count` up to `total` count
 * as copies of the last row: the reference sends its zero padding through the head, where it can
 * become detections without area. */
typedef struct mr_box_output {
    const float *rois; /* rows x roi_stride floats; the box starts at roi_offset */
    int roi_stride, roi_offset;
    const float *probs;  /* rows x classes */
    const float *deltas; /* rows x classes x 4 */
    size_t rois_count, total;
} mr_box_output;

/* What a trace keeps of a run: `total` rows, in which the head's view (class_id, score, refined,
 * clipped) and the fate are set; a row that is a detection has its place among them as `instance`. */
typedef struct mr_detection_record {
    mrcnn_proposal *rows;
    mr_nms_record nms; /* as many: room to work in */
} mr_detection_record;

/* window: normalised (N10). confidence: the least score of each class; 0: any. detections:
 * DETECTION_MAX_INSTANCES entries; *count of them are set, by falling score. */
mrcnn_status mr_refine_detections(const mr_box_output *output, const float window[4],
                                  const mr_settings *settings, const float *confidence,
                                  mr_detection *detections, size_t *count,
                                  const mr_detection_record *record, mrcnn_error *err);

/* Where a detection is in the picture. */
typedef struct mr_spot {
    int32_t box[4]; /* its pixels */
    /* With MR_MASK_SUBPIXEL alone: its edges, not rounded (0 is the picture's own edge); and where the
     * first and the last row and column of the mask head's samples are (0 is the centre of the first
     * pixel). */
    double edges[4], samples[4];
} mr_spot;

/* By N38, or, with MR_MASK_SUBPIXEL, exactly; 0 when the box covers no pixel. */
int mr_unmold_spot(const float box[4], const mr_fit *fit, const mr_settings *settings,
                   mr_spot *spot);

/* The pixels whose centres lie between edges, in a picture of that size. */
void mr_spot_box(const double edges[4], int height, int width, int32_t box[4]);

/* N38: the box in pixels of the original picture; 0 when it has no area there. */
int mr_unmold_box(const float box[4], const mr_fit *fit, int32_t out[4]);

#endif
