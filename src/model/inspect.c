/* inspect.c - named activations of one picture as HDF5 datasets. */
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "image/stretch.h"
#include "model/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ARRAYS = 24, NAME = 16 };

/* Arrays to write; those made here are owned, the others belong to plans. */
typedef struct collection {
    mr_array arrays[MAX_ARRAYS];
    char names[MAX_ARRAYS][NAME];
    float *owned[MAX_ARRAYS];
    size_t count;
} collection;

static void add(collection *c, const char *name, const float *values, int rank, int64_t a,
                int64_t b, int64_t d) {
    mr_array array = {c->names[c->count], rank, {a, b, d}, values};
    snprintf(c->names[c->count], NAME, "%s", name);
    c->arrays[c->count++] = array;
}

/* The same with memory to be filled; NULL: no memory. */
static float *add_owned(collection *c, const char *name, int rank, int64_t a, int64_t b,
                        int64_t d) {
    size_t count = (size_t)a * (size_t)b * (size_t)(rank > 2 ? d : 1);
    float *values = mr_calloc(count, sizeof *values);
    c->owned[c->count] = values;
    add(c, name, values, rank, a, b, d);
    return values;
}

static void add_maps(collection *c, const mr_pipeline *p) {
    static const char *const names[] = {"C1", "C2", "C3", "C4", "C5", "P2", "P3", "P4", "P5", "P6"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        mrcnn_shape s;
        float **owned = &c->owned[c->count];
        const float *values = mr_pipeline_map(p, names[i], &s, owned);
        if (values) /* a backbone of a program's own need not give C1 */
            add(c, names[i], values, 3, s.height, s.width, s.channels);
    }
}

/* All levels one after the other, as matterport concatenates them; class scores as probabilities.
 */
static int add_rpn(collection *c, const mr_pipeline *p) {
    int64_t anchors = (int64_t)p->anchor_count;
    float *probs = add_owned(c, "rpn_class", 2, anchors, 2, 1);
    float *deltas = add_owned(c, "rpn_bbox", 2, anchors, 4, 1);
    if (!probs || !deltas) return 0;
    for (int l = 0; l < MR_LEVELS; l++) {
        char name[32];
        mrcnn_shape s;
        snprintf(name, sizeof name, "rpn_class_raw%d", l + 2);
        const float *logits = mr_plan_output(p->pyramid, name, &s);
        for (size_t i = 0; i < mr_shape_size(s); i += 2) {
            double object = 1.0 / (1.0 + exp((double)logits[i] - (double)logits[i + 1]));
            *probs++ = (float)(1.0 - object);
            *probs++ = (float)object;
        }
        snprintf(name, sizeof name, "rpn_bbox%d", l + 2);
        const float *raw = mr_plan_output(p->pyramid, name, &s);
        memcpy(deltas, raw, mr_shape_size(s) * sizeof *raw);
        deltas += mr_shape_size(s);
    }
    return 1;
}

/* Proposals padded with zeros to POST_NMS_ROIS_INFERENCE rows. */
static int add_proposals(collection *c, const mr_pipeline *p) {
    float *rows = add_owned(c, "proposals", 2, (int64_t)p->max_rois, 4, 1);
    if (!rows) return 0;
    for (size_t i = 0; i < p->roi_counts[0]; i++)
        memcpy(rows + 4 * i, p->rois + i * MR_ROI_COLUMNS + 2, 4 * sizeof *rows);
    return 1;
}

static int add_detections(collection *c, mr_pipeline *p, void *workspace) {
    size_t count = p->detection_counts[0];
    float *rows = add_owned(c, "detections", 2, (int64_t)count, 6, 1);
    if (!rows) return 0;
    for (size_t i = 0; i < count; i++) {
        const mr_detection *d = &p->detections[i];
        memcpy(rows + 6 * i, d->box, sizeof d->box);
        rows[6 * i + 4] = (float)d->class_id;
        rows[6 * i + 5] = d->score;
        mr_pipeline_add_mask(p, i, 0, d);
    }
    const float *masks = mr_pipeline_masks(p, count, workspace);
    add(c, "masks", masks, 3, (int64_t)count, p->settings->mask_shape.values[0],
        p->settings->mask_shape.values[1]);
    return 1;
}

static mrcnn_status collect(collection *c, mrcnn_session *s, mr_pipeline *p,
                            const mrcnn_image *image, const mr_fit *fit, mrcnn_error *err) {
    mrcnn_status status = mr_stretch_and_mold(image, fit, p->settings, p->image, s->threads, err);
    if (status != MRCNN_OK) return status;
    mr_pipeline_features(p, s->workspace);
    mr_pipeline_propose(p);
    status = mr_pipeline_detect(p, fit, s->workspace, err);
    if (status != MRCNN_OK) return status;
    add(c, "molded", p->image, 3, p->height, p->width, p->settings->image_channel_count);
    add_maps(c, p);
    if (add_rpn(c, p) && add_proposals(c, p) && add_detections(c, p, s->workspace)) return MRCNN_OK;
    return mr_fail_memory(err, p->anchor_count * 6 * sizeof(float), "activations");
}

mrcnn_status mrcnn_inspect_tensors(mrcnn_session *s, const mrcnn_image *image, const char *path,
                                   mrcnn_error *err) {
    const mr_settings *settings = mr_config_settings(s->model->config);
    mr_fit fit;
    mr_pipeline *p = NULL;
    collection c = {.count = 0};
    mrcnn_status status = mr_check_image(image, settings, 0, err);
    if (status == MRCNN_OK) status = mr_fit_image(&fit, image->height, image->width, settings, err);
    if (status != MRCNN_OK) return status;
    int old = mr_set_library_threads(s->threads);
    mr_pipeline_options options = {.model = s->model,
                                   .executor = s->executor,
                                   .height = fit.height,
                                   .width = fit.width,
                                   .batch = 1,
                                   .precision = s->precision,
                                   .ranges = s->ranges,
                                   .tuning = s->tuning,
                                   .threads = s->threads,
                                   .with_c = 1};
    status = mr_pipeline_create(&p, &options, err);
    if (status == MRCNN_OK) status = mr_session_reserve(s, mr_pipeline_workspace_bytes(p), err);
    if (status == MRCNN_OK) status = collect(&c, s, p, image, &fit, err);
    mr_set_library_threads(old);
    if (status == MRCNN_OK) status = mr_arrays_write(c.arrays, c.count, path, err);
    for (size_t i = 0; i < c.count; i++) free(c.owned[i]);
    mr_pipeline_free(&p);
    return status;
}
