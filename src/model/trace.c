/* trace.c - one picture through the session's own code, with a record of what it decided. */
#include "model/trace.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/parallel.h"
#include "model/session.h"
#include "model/views.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *mrcnn_fate_name(mrcnn_fate fate) {
    static const char *const names[MRCNN_FATES] = {
        "kept", "suppressed", "beyond the limit", "background", "below the confidence", "no area"};
    return (unsigned)fate < MRCNN_FATES ? names[fate] : "?";
}

mrcnn_trace_options mrcnn_trace_options_default(void) {
    mrcnn_trace_options options = {sizeof options, 0};
    return options;
}

/* ------------------------------------------------------------------------------------- memory */

static int allocate_nms(mr_nms_record *nms, size_t count) {
    nms->by = mr_calloc(count, sizeof *nms->by);
    nms->iou = mr_calloc(count, sizeof *nms->iou);
    return nms->by && nms->iou;
}

static void free_nms(mr_nms_record *nms) {
    free(nms->by);
    free(nms->iou);
    nms->by = NULL;
    nms->iou = NULL;
}

static mrcnn_status allocate(mr_trace *t, const mr_pipeline *p, mrcnn_error *err) {
    mr_proposal_record *proposals = &t->record.proposals;
    mr_detection_record *detections = &t->record.detections;
    size_t most = (size_t)p->settings->pre_nms_limit;
    if (most > p->anchor_count) most = p->anchor_count;
    proposals->scores = mr_calloc(p->anchor_count, sizeof *proposals->scores);
    proposals->candidates = mr_calloc(most, sizeof *proposals->candidates);
    detections->rows = mr_calloc(p->max_rois, sizeof *detections->rows);
    if (allocate_nms(&proposals->nms, most) && allocate_nms(&detections->nms, p->max_rois) &&
        proposals->scores && proposals->candidates && detections->rows)
        return MRCNN_OK;
    return mr_fail_memory(err, most * sizeof *proposals->candidates, "a trace");
}

void mrcnn_trace_free(mrcnn_trace **trace) {
    if (!trace || !*trace) return;
    mr_trace *t = (mr_trace *)*trace;
    free(t->record.proposals.scores);
    free(t->record.proposals.candidates);
    free(t->record.detections.rows);
    free_nms(&t->record.proposals.nms);
    free_nms(&t->record.detections.nms);
    free(t->masks);
    free(t->mask_areas);
    for (int i = 0; i < MR_TRACE_MAPS; i++) free(t->map_values[i]);
    mrcnn_result_free(&t->result);
    mr_pipeline_free(&t->pipeline);
    free(t);
    *trace = NULL;
}

/* --------------------------------------------------------------------------------- the stages */

static void describe_levels(mr_trace *t, const mr_pipeline *p) {
    size_t first = 0;
    for (int l = 0; l < MR_LEVELS; l++) {
        mrcnn_trace_level *level = &t->levels[l];
        char name[32];
        mrcnn_shape shape;
        snprintf(name, sizeof name, "rpn_class_raw%d", l + 2);
        mr_plan_output(p->pyramid, name, &shape);
        level->level = l + 2;
        level->stride = p->settings->backbone_strides.values[l];
        level->height = shape.height;
        level->width = shape.width;
        level->scale = p->settings->rpn_anchor_scales.values[l];
        level->first_anchor = first;
        level->anchors = mr_shape_size(shape) / 2;
        first += level->anchors;
        for (size_t i = level->first_anchor; i < first; i++) {
            float score = t->record.proposals.scores[i];
            if (score > level->best_score) level->best_score = score;
        }
    }
    t->shown.levels = t->levels;
    t->shown.level_count = MR_LEVELS;
}

/* What proposals.c leaves to be set. */
static void describe_candidates(mr_trace *t, const mr_pipeline *p) {
    mr_proposal_record *record = &t->record.proposals;
    for (size_t i = 0; i < record->count; i++) {
        mrcnn_candidate *c = &record->candidates[i];
        mrcnn_trace_level *level = t->levels;
        while (level < t->levels + MR_LEVELS - 1 &&
               (size_t)c->anchor >= level->first_anchor + level->anchors)
            level++;
        c->level = level->level;
        memcpy(c->anchor_box, p->anchors + 4 * (size_t)c->anchor, sizeof c->anchor_box);
        level->candidates++;
        if (c->fate == MRCNN_FATE_KEPT) level->proposals++;
        t->shown.candidate_fates[c->fate]++;
    }
    t->shown.anchor_count = p->anchor_count;
    t->shown.scores = record->scores;
    t->shown.candidates = record->candidates;
    t->shown.candidate_count = record->count;
    t->shown.proposals_found = t->shown.candidate_fates[MRCNN_FATE_KEPT];
}

/* Where a row came from and what its probabilities are. Rows from the pipeline's last one on are copies
 * of it: zeros that fill up. */
static void describe_rows(mr_trace *t, const mr_pipeline *p) {
    size_t classes = (size_t)p->settings->num_classes, found = t->shown.proposals_found;
    const float *all = mr_plan_output(p->box, "mrcnn_class", NULL);
    for (size_t i = 0; i < p->max_rois; i++) {
        size_t from = i < p->roi_counts[0] ? i : p->roi_counts[0] - 1;
        const float *roi = p->rois + from * MR_ROI_COLUMNS, *probs = all + from * classes;
        mrcnn_proposal *row = &t->record.detections.rows[i];
        row->candidate = -1;
        row->level = (int32_t)roi[1] + 2;
        memcpy(row->box, roi + 2, sizeof row->box);
        row->background = probs[0];
        for (size_t c = 1; c < classes; c++)
            if (c == 1 || probs[c] > row->object_score) {
                row->object_class = (int32_t)c;
                row->object_score = probs[c];
            }
    }
    for (size_t i = 0, row = 0; row < found; i++)
        if (t->record.proposals.candidates[i].fate == MRCNN_FATE_KEPT)
            t->record.detections.rows[row++].candidate = (int32_t)i;
}

/* Of the mask head's row: its instance. */
static int32_t instance_of(const mr_trace *t, const mr_pipeline *p, int32_t mask_row) {
    size_t i = 0;
    while (i + 1 < t->result->count && p->mask_rows[i] != mask_row) i++;
    return (int32_t)i;
}

/* N38: a detection without pixels is no instance; the others are numbered as results number them. */
static void describe_instances(mr_trace *t, const mr_pipeline *p) {
    int32_t mask_row = 0;
    for (size_t i = 0; i < p->detection_counts[0]; i++) {
        mrcnn_proposal *row = &t->record.detections.rows[p->detections[i].roi];
        mr_spot spot;
        int has_area = mr_unmold_spot(p->detections[i].box, &t->fit, p->settings, &spot);
        row->instance = has_area ? instance_of(t, p, mask_row++) : -1;
        if (!has_area)
            row->fate = MRCNN_FATE_NO_AREA;
        else
            row->final_score = t->result->instances[row->instance].score;
    }
    for (size_t i = 0; i < p->max_rois; i++)
        t->shown.proposal_fates[t->record.detections.rows[i].fate]++;
    t->shown.proposals = t->record.detections.rows;
    t->shown.proposal_count = p->max_rois;
}

static mrcnn_status describe_masks(mr_trace *t, const mr_pipeline *p, mrcnn_error *err) {
    size_t count = t->result->count;
    const mr_ints *shape = &p->settings->mask_shape;
    size_t pixels = (size_t)shape->values[0] * (size_t)shape->values[1];
    t->masks = mr_calloc(count * pixels, sizeof *t->masks);
    t->mask_areas = mr_calloc(count, sizeof *t->mask_areas);
    if (!t->masks || !t->mask_areas)
        return mr_fail_memory(err, count * pixels * sizeof *t->masks, "masks");
    const float *masks = count ? mr_plan_output(p->mask, "mrcnn_mask", NULL) : NULL;
    for (size_t i = 0; i < count; i++) {
        memcpy(t->masks + i * pixels, masks + (size_t)p->mask_rows[i] * pixels,
               pixels * sizeof *t->masks);
        t->mask_areas[i] = mrcnn_mask_area(&t->result->instances[i].mask);
        if (t->mask_areas[i] == 0) t->shown.empty_masks++;
    }
    t->shown.mask_height = shape->values[0];
    t->shown.mask_width = shape->values[1];
    t->shown.masks = t->masks;
    t->shown.mask_areas = t->mask_areas;
    t->shown.result = t->result;
    return MRCNN_OK;
}

static mrcnn_status describe(mr_trace *t, const mr_pipeline *p, mrcnn_error *err) {
    t->shown.height = t->fit.original_height;
    t->shown.width = t->fit.original_width;
    t->shown.network_height = t->fit.height;
    t->shown.network_width = t->fit.width;
    for (int i = 0; i < 4; i++) t->shown.window[i] = t->fit.window[i];
    describe_levels(t, p);
    describe_candidates(t, p);
    describe_rows(t, p);
    describe_instances(t, p);
    t->settings = p->settings;
    if (t->pipeline) mr_trace_collect_maps(t);
    return describe_masks(t, p, err);
}

/* ------------------------------------------------------------------------------------ the run */

/* The session's pipeline, the one that mrcnn_detect would take; or, as that doesn't keep C1 .. C5, one
 * of the trace's own. */
static mrcnn_status find_pipeline(mr_trace *t, mrcnn_session *s, int maps, mr_pipeline **p,
                                  mrcnn_error *err) {
    if (!maps) return mr_session_pipeline(s, t->fit.height, t->fit.width, 1, p, err);
    mr_pipeline_options options = {.model = s->model,
                                   .executor = s->executor,
                                   .height = t->fit.height,
                                   .width = t->fit.width,
                                   .batch = 1,
                                   .threads = s->threads,
                                   .precision = s->precision,
                                   .ranges = s->ranges,
                                   .tuning = s->tuning,
                                   .with_c = 1};
    mrcnn_status status = mr_pipeline_create(&t->pipeline, &options, err);
    if (status == MRCNN_OK)
        status = mr_session_reserve(s, mr_pipeline_workspace_bytes(t->pipeline), err);
    *p = t->pipeline;
    return status;
}

static mrcnn_status run(mr_trace *t, mrcnn_session *s, const mrcnn_image *image, int maps,
                        mrcnn_error *err) {
    mr_pipeline *p = NULL;
    s->stage_count = 0;
    mrcnn_status status = find_pipeline(t, s, maps, &p, err);
    if (status == MRCNN_OK) status = allocate(t, p, err);
    if (status != MRCNN_OK) return status;
    const mrcnn_prepared picture = {.model = s->model, .image = *image, .fit = t->fit};
    const mrcnn_prepared *pictures[] = {&picture};
    p->record = &t->record;
    status = mr_session_run(s, p, pictures, &t->result, err);
    p->record = NULL;
    return status == MRCNN_OK ? describe(t, p, err) : status;
}

/* A tiled picture as a whole may be far too large for the network, or look quite different to it. */
static mrcnn_status check_tiles(const mrcnn_image *image, const mr_settings *s, mrcnn_error *err) {
    if (mr_tile_count(s, image->height) == 1 && mr_tile_count(s, image->width) == 1)
        return MRCNN_OK;
    return mr_fail(
        err, MRCNN_E_UNSUPPORTED,
        "a picture of %d x %d pixels is detected in tiles (TILE_SIZE %d), and a trace is "
        "of one pass through the network: cut out the part that matters, at most %d "
        "pixels a side",
        image->width, image->height, s->tile_size, s->tile_size);
}

mrcnn_status mrcnn_trace_create(mrcnn_trace **trace, mrcnn_session *session,
                                const mrcnn_image *image, const mrcnn_trace_options *options,
                                mrcnn_error *err) {
    const mr_settings *settings = mr_config_settings(session->model->config);
    mrcnn_trace_options o = mrcnn_trace_options_default();
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_trace_options", err);
    if (status == MRCNN_OK) status = mr_check_image(image, settings, 0, err);
    if (status == MRCNN_OK) status = check_tiles(image, settings, err);
    if (status != MRCNN_OK) return status;
    mr_trace *t = mr_calloc(1, sizeof *t);
    if (!t) return mr_fail_memory(err, sizeof *t, "a trace");
    status = mr_fit_image(&t->fit, image->height, image->width, settings, err);
    if (status == MRCNN_OK) {
        int old = mr_set_library_threads(session->threads);
        status = run(t, session, image, o.maps, err);
        mr_set_library_threads(old);
    }
    mrcnn_trace *made = &t->shown;
    if (status == MRCNN_OK)
        *trace = made;
    else
        mrcnn_trace_free(&made);
    return status;
}

/* As mr_unmold_spot, without rounding. */
void mrcnn_trace_box(const mrcnn_trace *trace, const float box[4], double pixels[4]) {
    const mr_trace *t = (const mr_trace *)trace;
    double in_network[4];
    mr_spot spot;
    if (t->settings->mask_resize == MR_MASK_SUBPIXEL) {
        mr_unmold_spot(box, &t->fit, t->settings, &spot);
        memcpy(pixels, spot.edges, sizeof spot.edges);
        return;
    }
    float window[4];
    for (int i = 0; i < 4; i++) in_network[i] = trace->window[i];
    mr_norm_box(in_network, trace->network_height, trace->network_width, window);
    for (int i = 0; i < 4; i++) {
        int side = i % 2 ? trace->width : trace->height;
        float relative = (box[i] - window[i % 2]) / (window[2 + i % 2] - window[i % 2]);
        pixels[i] = (double)relative * (side - 1) + (i < 2 ? 0 : 1);
        if (!isfinite(pixels[i])) pixels[i] = 0; /* a window one pixel high has no scale */
    }
}
