/* pipeline.h - everything that is compiled for one picture size and batch: the three plans,
 * anchors, and the buffers between them. One pass over a batch, stage by stage; sessions
 * (session.c) and tensor inspection (inspect.c) are built on it. */
#ifndef MR_MODEL_PIPELINE_H
#define MR_MODEL_PIPELINE_H

#include "graph/plan.h"
#include "image/resize.h"
#include "model/detections.h"
#include "model/model.h"
#include "model/network.h"
#include "model/proposals.h"

enum { MR_MAX_STAGES_TIMED = 24 };

typedef struct mr_pipeline {
    const mr_settings *settings;
    const mr_executor *executor;
    int height, width, batch, threads;
    mr_plan *pyramid, *box, *mask;
    float *
        image; /* batch x height x width x channels, molded; in the workspace or, of a pipeline with_c, its own */
    float *own_image; /* NULL or that */
    float *anchors;   /* normalised */
    size_t anchor_count;
    mr_proposer *proposer;
    float *rois;      /* batch x max_rois x MR_ROI_COLUMNS */
    float *proposals; /* max_rois x 4 */
    int32_t *proposal_anchors;
    size_t max_rois;          /* of one picture */
    size_t *roi_counts;       /* of each picture: rows in rois */
    mr_detection *detections; /* batch x max_detections */
    size_t max_detections;
    size_t *detection_counts;
    float *confidence;   /* of each class, the least score of a detection */
    float *mask_rois;    /* batch x max_detections x MR_ROI_COLUMNS */
    float *mask_classes; /* batch x max_detections */
    int32_t
        *mask_rows; /* of each picture's instances, in the result's order: whose RoI, counted from
                            the picture's first one */
    mrcnn_stage_time stages[MR_MAX_STAGES_TIMED];
    size_t stage_count;
    unsigned long last_used;
    struct mr_record *record; /* NULL; or what to note about the only picture */
} mr_pipeline;

/* What happens to the candidates of a picture (trace.c). */
typedef struct mr_record {
    mr_proposal_record proposals;
    mr_detection_record detections;
} mr_record;

typedef struct mr_pipeline_options {
    mrcnn_model *model;
    const mr_executor *executor;
    mr_type precision;
    const mr_ranges *ranges; /* NULL: no 8-bit numbers */
    mr_tuning *tuning;       /* NULL: nothing is measured */
    int height, width, batch, threads;
    mr_plan_observer observer; /* of all three plans; NULL: nobody looks */
    void *observer_user;
    int with_c; /* keep C1..C5, and the pyramid in f32, until the next run */
} mr_pipeline_options;

mrcnn_status mr_pipeline_create(mr_pipeline **pipeline, const mr_pipeline_options *options,
                                mrcnn_error *err);
void mr_pipeline_free(mr_pipeline **pipeline);
size_t mr_pipeline_workspace_bytes(const mr_pipeline *pipeline);
size_t mr_pipeline_bytes(const mr_pipeline *pipeline); /* without the workspace */

/* Sets p->image, which lies in the workspace: before the first run, and when there is another workspace. */
void mr_pipeline_settle(mr_pipeline *p, void *workspace);

/* The stages, in order, on pipeline->image, with one workspace that nobody else touches from the first to the last. fits:
 * one a picture. */
void mr_pipeline_features(mr_pipeline *p, void *workspace);
void mr_pipeline_propose(mr_pipeline *p);
mrcnn_status mr_pipeline_detect(mr_pipeline *p, const mr_fit *fits, void *workspace,
                                mrcnn_error *err);
/* Adds a RoI of picture `image` for the mask head; mr_pipeline_masks runs the first `count` of
 * them. Returns count x MASK_SHAPE floats. */
void mr_pipeline_add_mask(mr_pipeline *p, size_t index, int image, const mr_detection *detection);
const float *mr_pipeline_masks(mr_pipeline *p, size_t count, void *workspace);

/* Where graphs 2 and 3 run in it. */
void *mr_pipeline_roi_workspace(const mr_pipeline *pipeline, void *workspace);

/* An output of graph 1 in f32, of a pipeline with_c. *owned: the caller's to free, where the plan keeps the map in another type; else NULL.
 * NULL: there is none of that name, or no memory. */
const float *mr_pipeline_map(const mr_pipeline *p, const char *name, mrcnn_shape *shape,
                             float **owned);

void mr_pipeline_time(mr_pipeline *p, const char *stage, double milliseconds, double gflop);

#endif
