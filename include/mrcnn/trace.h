/* trace.h - what happens to each candidate on the way from anchors to instances. A trace runs one
 * picture exactly as mrcnn_detect does and keeps what every stage decided, and why: the answer to
 * "why was nothing found?", and what `mrcnn detect --explain` and `mrcnn inspect model` print.
 *
 *     mrcnn_trace *trace = NULL;
 *     if (mrcnn_trace_create(&trace, session, &image, NULL, &err) == MRCNN_OK)
 *         printf("%zu of %zu proposals look like background\n",
 *                trace->proposal_fates[MRCNN_FATE_BACKGROUND], trace->proposal_count);
 *     mrcnn_trace_free(&trace);
 *
 * The stages are those of Faster and Mask R-CNN (He et al. 2017, sections 3 and 3.1):
 *
 *     anchors     boxes of fixed sizes all over the picture; the RPN gives each a score and deltas
 *     candidates  the PRE_NMS_LIMIT anchors of the best scores, moved by their deltas, clipped
 *     proposals   what NMS keeps of them, at most POST_NMS_ROIS_INFERENCE
 *     detections  proposals whose best class is an object's and sure enough, after NMS in each class
 *     instances   detections that have pixels in the picture, each with a mask
 *
 * Boxes are y1, x1, y2, x2. Those of the stages are the network's own numbers: normalised to its
 * input, as floats that weren't rounded; mrcnn_trace_box turns them into pixels of the picture. */
#ifndef MRCNN_TRACE_H
#define MRCNN_TRACE_H

#include <mrcnn/mrcnn.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a candidate or a proposal ended. Values are only added at the end. */
typedef enum mrcnn_fate {
    MRCNN_FATE_KEPT = 0, /* a candidate became a proposal, a proposal an instance */
    MRCNN_FATE_SUPPRESSED =
        1,                /* NMS: it overlaps a better one; Soft-NMS: it overlaps better ones so
                                  much that its score isn't enough any more */
    MRCNN_FATE_LIMIT = 2, /* there were enough better ones: POST_NMS_ROIS_INFERENCE of the
                                  candidates, DETECTION_MAX_INSTANCES of the proposals */
    MRCNN_FATE_BACKGROUND = 3, /* its best class is the background */
    MRCNN_FATE_CONFIDENCE = 4, /* its best class is below DETECTION_MIN_CONFIDENCE, or below
                                  its own CLASS_MIN_CONFIDENCE */
    MRCNN_FATE_NO_AREA = 5     /* its box has no area in the picture's pixels */
} mrcnn_fate;
enum { MRCNN_FATES = 6 };

/* "suppressed", "background"; never NULL. */
MRCNN_API const char *mrcnn_fate_name(mrcnn_fate fate);

/* A level of the pyramid, with anchors of one scale. */
typedef struct mrcnn_trace_level {
    int level;             /* 2 .. 6, for P2 .. P6 */
    int32_t stride;        /* pixels of the network's input from one cell to the next */
    int32_t height, width; /* of the RPN's map, in cells */
    double scale;          /* of the anchors, in pixels of the network's input */
    size_t first_anchor;   /* anchors are numbered level by level */
    size_t anchors;
    size_t candidates, proposals; /* how many of them got so far */
    float best_score;             /* the highest objectness; 0 when no score is a number */
} mrcnn_trace_level;

/* An anchor that was among the best. */
typedef struct mrcnn_candidate {
    int32_t anchor;
    int32_t level;       /* 2 .. 6 */
    float score;         /* objectness, 0 .. 1 */
    float anchor_box[4]; /* where the anchor is, */
    float refined[4];    /* where its deltas move it, */
    float clipped[4];    /* and what of that is inside the network's input */
    mrcnn_fate fate;     /* KEPT, SUPPRESSED or LIMIT */
    int32_t proposal;    /* its row in `proposals`, or -1 */
    /* Of a suppressed one: the best candidate that overlaps it by more than RPN_NMS_THRESHOLD, and
     * the intersection over union of both clipped boxes; else -1 and 0. */
    int32_t suppressed_by;
    float iou;
} mrcnn_candidate;

/* A row that the box head classifies. */
typedef struct mrcnn_proposal {
    int32_t candidate; /* -1: one of the zero boxes with which the rows are filled up, as matterport
                              does: the head classifies them too */
    int32_t level;     /* 2 .. 5: where its features are sampled */
    float box[4];      /* the candidate's clipped box */
    int32_t class_id;  /* the best class; 0 is the background */
    float score;       /* its probability */
    float background;  /* the background's */
    int32_t object_class;  /* the best class but for the background (0: the model has no other), */
    float object_score;    /* and its probability */
    float refined[4];      /* where the best class's deltas move the box, */
    float clipped[4];      /* and what of that is inside the picture's window */
    mrcnn_fate fate;       /* any */
    int32_t instance;      /* its index in the result, or -1 */
    int32_t suppressed_by; /* another proposal (DETECTION_NMS_THRESHOLD), with Soft-NMS the last one
                              that took score from it; else -1 */
    float iou;             /* of the clipped boxes */
    float final_score;     /* what Soft-NMS left of the score and DETECTION_SCORE made of it:
                              that of the instance */
} mrcnn_proposal;

/* Activations: `channels` floats for each place, row by row. */
typedef struct mrcnn_map {
    const char *name;
    int32_t height, width, channels;
    const float *values;
} mrcnn_map;

/* The library makes and frees it; fields are only added at the end. */
typedef struct mrcnn_trace {
    int32_t height, width;                 /* of the picture */
    int32_t network_height, network_width; /* of the network's input */
    int32_t window[4];                     /* where the picture lies in it, in pixels */
    size_t level_count;
    const mrcnn_trace_level *levels;
    size_t anchor_count;
    const float *scores; /* objectness of every anchor */
    size_t candidate_count;
    const mrcnn_candidate *candidates; /* by falling score */
    size_t proposal_count;             /* POST_NMS_ROIS_INFERENCE; the last ones may be filling */
    size_t proposals_found;            /* those that are no filling */
    const mrcnn_proposal *proposals;
    size_t candidate_fates[MRCNN_FATES]; /* how many ended so: the sum is candidate_count */
    size_t proposal_fates[MRCNN_FATES];  /* and proposal_count */
    const mrcnn_result *result;          /* what mrcnn_detect gives (of one view) */
    int32_t mask_height, mask_width;     /* of the mask head's output (28 x 28) */
    const float *masks;                  /* result->count of them: probabilities */
    const int64_t *mask_areas;           /* pixels of the finished masks in the picture */
    size_t empty_masks;                  /* instances whose mask has no pixel */
    size_t map_count;
    const mrcnn_map *maps; /* with the option `maps` */
} mrcnn_trace;

typedef struct mrcnn_trace_options {
    size_t size;
    /* 1: keep activations (default 0; at 1024 x 1024 some 300 MB): molded (the network's input),
     * C1 .. C5, P2 .. P6, and of each level rpn_class2 .. rpn_class6 (the probability of an object for
     * each anchor of a cell) and rpn_bbox2 .. rpn_bbox6 (four deltas for each). */
    int maps;
} mrcnn_trace_options;

MRCNN_API mrcnn_trace_options mrcnn_trace_options_default(void);

/* Runs a picture and keeps what happened. The instances are mrcnn_detect's, bit for bit, unless that merges
 * several views: a trace is of one pass over the picture as it is, without TEST_FLIPS and TEST_SCALES, and
 * a picture that TILE_SIZE cuts into tiles is MRCNN_E_UNSUPPORTED. `options` may be NULL. The session is
 * free for other pictures afterwards; the model must outlive the trace. */
MRCNN_API mrcnn_status mrcnn_trace_create(mrcnn_trace **trace, mrcnn_session *session,
                                          const mrcnn_image *image,
                                          const mrcnn_trace_options *options, mrcnn_error *err);
MRCNN_API void mrcnn_trace_free(mrcnn_trace **trace);

/* A normalised box in pixels of the picture, not rounded; it may lie outside. Rounded half to even it is
 * where an instance's box comes from (N38); with MASK_RESIZE subpixel the pixels whose centres are inside. */
MRCNN_API void mrcnn_trace_box(const mrcnn_trace *trace, const float box[4], double pixels[4]);

/* What the mask head should have said of an instance if it is the object with the mask `truth` (of the
 * picture's size): mask_height x mask_width values of 0 or 1, the mask sampled in the detection's box as
 * training samples it without mini masks (N31). */
MRCNN_API mrcnn_status mrcnn_trace_mask_target(const mrcnn_trace *trace, size_t instance,
                                               const mrcnn_mask *truth, float *target,
                                               mrcnn_error *err);

/* The activations of that name; NULL when there are none. */
MRCNN_API const mrcnn_map *mrcnn_trace_map(const mrcnn_trace *trace, const char *name);

#ifdef __cplusplus
}
#endif
#endif
