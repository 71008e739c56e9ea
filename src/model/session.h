/* session.h - inside a session: pipelines by picture size, and one workspace that they share. */
#ifndef MR_MODEL_SESSION_H
#define MR_MODEL_SESSION_H

#include "model/pipeline.h"

/* Sizes kept; the one used longest ago makes room. More than usual only if the views of one picture
 * need them. */
enum { MR_USUAL_PIPELINES = 4, MR_MAX_PIPELINES = 2 * MR_MAX_SCALES };

struct mrcnn_session {
    mrcnn_model *model;
    const mr_executor *executor;
    mr_type precision;
    mr_ranges *ranges; /* a copy of the model's, where it computes in 8 bits; else NULL */
    mr_tuning *tuning;
    mr_plan_observer observer; /* NULL: nobody looks */
    void *observer_user;
    int threads;
    mr_pipeline *pipelines[MR_MAX_PIPELINES];
    unsigned long clock;
    void *workspace;
    size_t workspace_bytes;
    mrcnn_stage_time stages[MR_MAX_STAGES_TIMED];
    size_t stage_count;
};

/* "cpu" (also for NULL) or "reference"; NULL with a message for anything else. */
const mr_executor *mr_find_executor(const char *name, mrcnn_error *err);

/* The pipeline for a size and batch, compiled if it isn't there. Library threads must be set. */
mrcnn_status mr_session_pipeline(mrcnn_session *session, int height, int width, int batch,
                                 mr_pipeline **pipeline, mrcnn_error *err);

/* Pictures that go through the network together, at most. */
enum { MR_MAX_BATCH = 64 };

/* A picture on its way into the network. */
struct mrcnn_prepared {
    const mrcnn_model *model;
    mrcnn_image image; /* its pixels are somebody else's */
    int wants_views;   /* views.h: it has no fit then */
    mr_fit fit;
    uint8_t *resized; /* as the fit says; NULL: still to be done */
};

/* All of it but the resizing. Messages call it picture `index`. */
mrcnn_status mr_place_picture(mrcnn_prepared *picture, const mrcnn_model *model,
                              const mrcnn_image *image, size_t index, mrcnn_error *err);

/* Takes as many pictures as the pipeline is for, all with a fit, through it. Library threads must be set.
 * results[i] may be set on failure, too. */
mrcnn_status mr_session_run(mrcnn_session *session, mr_pipeline *p,
                            const mrcnn_prepared *const *pictures, mrcnn_result **results,
                            mrcnn_error *err);

/* The stages from the molded pictures in p->image to detections; and what they took goes to the session's
 * times. */
mrcnn_status mr_session_infer(mrcnn_session *session, mr_pipeline *p, const mr_fit *fits,
                              mrcnn_error *err);
void mr_session_add_times(mrcnn_session *session, const mr_pipeline *p);

/* How sure the mask head is of what it says is the object: the mean of those of `count` probabilities that
 * are 0.5 or more. */
float mr_mask_certainty(const float *mask, size_t count);

/* A picture in all its views (views.h). Library threads must be set. */
mrcnn_status mr_session_detect_views(mrcnn_session *session, const mrcnn_image *image,
                                     mrcnn_result **result, mrcnn_error *err);

/* Refuses what is no picture for this model; messages call it picture `index`. */
mrcnn_status mr_check_image(const mrcnn_image *image, const mr_settings *settings, size_t index,
                            mrcnn_error *err);

/* Makes the workspace large enough. */
mrcnn_status mr_session_reserve(mrcnn_session *session, size_t bytes, mrcnn_error *err);

#endif
