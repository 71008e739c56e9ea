/* pipeline.c - see pipeline.h. */
#include "model/pipeline.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Features stay outside of the workspace for those who look at them later. */
static mrcnn_status compile(mr_plan **plan, mrcnn_graph *graph, const mr_pipeline_options *o,
                            int max_rois, mrcnn_error *err) {
    mr_plan_options options = {.executor = o->executor,
                               .weights = o->model->weights,
                               .packs = o->model->packs,
                               .release_weights =
                                   o->executor == &mr_executor_cpu && !o->model->keep_weights,
                               .threads = o->threads,
                               .precision = o->precision,
                               .ranges = o->ranges,
                               .tuning = o->tuning,
                               .features_inside = !o->with_c,
                               .input_inside = o->with_c ? NULL : "image",
                               .max_rows = {o->batch, max_rois}};
    if (!graph) return mr_fail_memory(err, sizeof(mrcnn_graph *), "the network");
    return mr_plan_compile(plan, &graph, &options, err);
}

/* Graphs 2 and 3 read the pyramid as graph 1 makes it. */
static mrcnn_graph *reading(const mr_pipeline *p, mrcnn_graph *graph) {
    for (int i = 0; graph && i < MR_POOLED_LEVELS; i++) {
        char name[16];
        snprintf(name, sizeof name, "P%d", i + 2);
        mr_plan_map level = mr_plan_feature(p->pyramid, name);
        mr_graph_input_type(graph, name, level.type, level.scale);
    }
    return graph;
}

/* And where it has left it. */
static void connect_levels(mr_pipeline *p) {
    for (int i = 0; i < MR_POOLED_LEVELS; i++) {
        char name[16];
        snprintf(name, sizeof name, "P%d", i + 2);
        const void *level = mr_plan_feature(p->pyramid, name).data;
        mr_plan_bind(p->box, name, level);
        mr_plan_bind(p->mask, name, level);
    }
}

static void connect(mr_pipeline *p) {
    if (p->own_image) mr_plan_bind(p->pyramid, "image", p->own_image);
    mr_plan_bind(p->box, "rois", p->rois);
    mr_plan_bind(p->mask, "rois", p->mask_rois);
    mr_plan_bind(p->mask, "class", p->mask_classes);
}

static size_t image_bytes(const mr_pipeline *p) {
    return (size_t)p->batch * (size_t)p->height * (size_t)p->width *
           (size_t)p->settings->image_channel_count * sizeof(float);
}

static mrcnn_status allocate_image(mr_pipeline *p, mrcnn_error *err) {
    p->image = p->own_image = mr_alloc_aligned(image_bytes(p));
    return p->image ? MRCNN_OK : mr_fail_memory(err, image_bytes(p), "a picture of this size");
}

static mrcnn_status allocate(mr_pipeline *p, mrcnn_error *err) {
    size_t batch = (size_t)p->batch;
    p->anchors = mr_calloc(p->anchor_count, 4 * sizeof(float));
    p->proposer = mr_proposer_create(p->settings, p->anchor_count, p->max_rois);
    p->rois = mr_calloc(batch * p->max_rois, MR_ROI_COLUMNS * sizeof(float));
    p->proposals = mr_calloc(p->max_rois, 4 * sizeof(float));
    p->proposal_anchors = mr_calloc(p->max_rois, sizeof(int32_t));
    p->roi_counts = mr_calloc(batch, sizeof(size_t));
    p->detections = mr_calloc(batch * p->max_detections, sizeof(mr_detection));
    p->detection_counts = mr_calloc(batch, sizeof(size_t));
    p->mask_rois = mr_calloc(batch * p->max_detections, MR_ROI_COLUMNS * sizeof(float));
    p->mask_classes = mr_calloc(batch * p->max_detections, sizeof(float));
    p->mask_rows = mr_calloc(batch * p->max_detections, sizeof(int32_t));
    p->confidence = mr_calloc((size_t)p->settings->num_classes, sizeof(float));
    if (p->anchors && p->proposer && p->rois && p->proposals && p->proposal_anchors &&
        p->roi_counts && p->detections && p->detection_counts && p->mask_rois && p->mask_classes &&
        p->mask_rows && p->confidence)
        return MRCNN_OK;
    return mr_fail_memory(err, p->anchor_count * 6 * sizeof(float), "a picture of this size");
}

/* A backbone of a program's own can get this wrong: the pyramid must have the sizes that its
 * strides promise. */
static mrcnn_status check_levels(const mr_pipeline *p, mrcnn_error *err) {
    for (int i = 0; i < MR_LEVELS; i++) {
        char name[16];
        mrcnn_shape want = mr_level_shape(p->settings, p->height, p->width, i);
        snprintf(name, sizeof name, "P%d", i + 2);
        mrcnn_shape is = mr_plan_feature(p->pyramid, name).shape;
        if (is.height != want.height || is.width != want.width)
            return mr_fail(
                err, MRCNN_E_CONFIG,
                "%s is %d x %d, BACKBONE_STRIDES ask for %d x %d in a picture of %d x %d", name,
                is.height, is.width, want.height, want.width, p->height, p->width);
    }
    return MRCNN_OK;
}

/* Graphs 2 and 3 run in what the pyramid leaves free of its workspace. */
static mrcnn_status reserve_for_rois(mr_pipeline *p, mrcnn_error *err) {
    size_t box = mr_plan_workspace_bytes(p->box), mask = mr_plan_workspace_bytes(p->mask);
    return mr_plan_reserve_between(p->pyramid, box > mask ? box : mask, err);
}

void mr_pipeline_settle(mr_pipeline *p, void *workspace) {
    if (!p->own_image) p->image = mr_plan_input(p->pyramid, workspace);
}

void *mr_pipeline_roi_workspace(const mr_pipeline *p, void *workspace) {
    void *between = mr_plan_between(p->pyramid, workspace);
    return between ? between : workspace;
}

mrcnn_status mr_pipeline_create(mr_pipeline **out, const mr_pipeline_options *o, mrcnn_error *err) {
    const mr_settings *s = mr_config_settings(o->model->config);
    mr_pipeline *p = mr_calloc(1, sizeof *p);
    if (!p) return mr_fail_memory(err, sizeof *p, "a picture size");
    p->settings = s;
    p->executor = o->executor;
    p->height = o->height;
    p->width = o->width;
    p->batch = o->batch;
    p->threads = o->threads;
    p->max_rois = (size_t)s->post_nms_rois_inference;
    p->max_detections = (size_t)s->detection_max_instances;
    if (p->max_detections > p->max_rois) p->max_detections = p->max_rois; /* of a tile, say */
    p->anchor_count = mr_anchor_count(s, o->height, o->width);
    mr_purpose purpose = {.with_c = o->with_c};
    mrcnn_status status = allocate(p, err);
    if (status == MRCNN_OK && o->with_c) status = allocate_image(p, err);
    if (status == MRCNN_OK)
        status =
            compile(&p->pyramid, mr_pyramid_graph(s, o->height, o->width, &purpose), o, 0, err);
    if (status == MRCNN_OK) status = check_levels(p, err);
    if (status == MRCNN_OK)
        status = compile(&p->box, reading(p, mr_box_graph(s, o->height, o->width, &purpose)), o,
                         o->batch * (int)p->max_rois, err);
    if (status == MRCNN_OK)
        status = compile(&p->mask, reading(p, mr_mask_graph(s, o->height, o->width, &purpose)), o,
                         o->batch * (int)p->max_detections, err);
    if (status == MRCNN_OK && !o->with_c) status = reserve_for_rois(p, err);
    if (status != MRCNN_OK) {
        mr_pipeline_free(&p);
        return status;
    }
    mr_anchors_normalized(s, o->height, o->width, p->anchors);
    for (int i = 0; i < s->num_classes; i++)
        p->confidence[i] = (float)mrcnn_model_class_confidence(o->model, i);
    connect(p);
    mr_plan *plans[] = {p->pyramid, p->box, p->mask};
    for (int i = 0; i < 3; i++) mr_plan_observe(plans[i], o->observer, o->observer_user);
    mr_give_memory_back(); /* of raw weights, which are packed now */
    *out = p;
    return MRCNN_OK;
}

void mr_pipeline_free(mr_pipeline **pipeline) {
    mr_pipeline *p = *pipeline;
    if (!p) return;
    mr_plan_free(&p->pyramid);
    mr_plan_free(&p->box);
    mr_plan_free(&p->mask);
    mr_proposer_free(&p->proposer);
    void *buffers[] = {p->own_image,        p->anchors,      p->rois,       p->proposals,
                       p->proposal_anchors, p->roi_counts,   p->detections, p->detection_counts,
                       p->mask_rois,        p->mask_classes, p->mask_rows,  p->confidence};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) free(buffers[i]);
    free(p);
    *pipeline = NULL;
}

size_t mr_pipeline_workspace_bytes(const mr_pipeline *p) {
    const mr_plan *plans[] = {p->pyramid, p->box, p->mask};
    size_t largest = 0;
    for (int i = 0; i < 3; i++) {
        size_t bytes = mr_plan_workspace_bytes(plans[i]);
        if (bytes > largest) largest = bytes;
    }
    return largest;
}

size_t mr_pipeline_bytes(const mr_pipeline *p) {
    size_t batch = (size_t)p->batch;
    return mr_plan_output_bytes(p->pyramid) + mr_plan_output_bytes(p->box) +
           mr_plan_output_bytes(p->mask) + mr_proposer_bytes(p->proposer) +
           (p->own_image ? image_bytes(p) : 0) + p->anchor_count * 4 * sizeof(float) +
           batch * p->max_rois * MR_ROI_COLUMNS * sizeof(float) + p->max_rois * 5 * sizeof(float) +
           batch * p->max_detections *
               (sizeof(mr_detection) + (MR_ROI_COLUMNS + 1) * sizeof(float));
}

void mr_pipeline_time(mr_pipeline *p, const char *stage, double milliseconds, double gflop) {
    mrcnn_stage_time time = {stage, milliseconds, gflop};
    if (p->stage_count < MR_MAX_STAGES_TIMED) p->stages[p->stage_count++] = time;
}

static void add_plan_times(mr_pipeline *p, const mr_plan *plan) {
    const mrcnn_stage_time *t;
    for (size_t i = 0; (t = mr_plan_stage(plan, i)); i++)
        mr_pipeline_time(p, t->name, t->milliseconds, t->gflop);
}

void mr_pipeline_features(mr_pipeline *p, void *workspace) {
    int rows[MR_ROWS_KINDS] = {p->batch, 0};
    mr_plan_run(p->pyramid, workspace, rows);
    connect_levels(p);
    add_plan_times(p, p->pyramid);
}

/* The RPN's outputs for one picture of the batch. */
static void rpn_levels(const mr_pipeline *p, size_t image, mr_rpn_level levels[MR_LEVELS]) {
    for (int l = 0; l < MR_LEVELS; l++) {
        char name[32];
        mrcnn_shape shape;
        snprintf(name, sizeof name, "rpn_class_raw%d", l + 2);
        const float *logits = mr_plan_output(p->pyramid, name, &shape);
        levels[l].logits = logits + image * mr_shape_size(shape);
        levels[l].count = mr_shape_size(shape) / 2;
        snprintf(name, sizeof name, "rpn_bbox%d", l + 2);
        const float *deltas = mr_plan_output(p->pyramid, name, &shape);
        levels[l].deltas = deltas + image * mr_shape_size(shape);
    }
}

static void set_roi(const mr_pipeline *p, float *roi, int image, const float box[4]) {
    roi[0] = (float)image;
    roi[1] = (float)(mr_roi_level(box, (double)p->height * p->width) - 2);
    memcpy(roi + 2, box, 4 * sizeof *box);
}

/* Where the reference pads with zeros, one row of zeros stands for all of them. */
void mr_pipeline_propose(mr_pipeline *p) {
    static const float padding[4] = {0, 0, 0, 0};
    double before = mr_milliseconds();
    float *roi = p->rois;
    for (int image = 0; image < p->batch; image++) {
        mr_rpn_level levels[MR_LEVELS];
        rpn_levels(p, (size_t)image, levels);
        size_t count =
            mr_propose(p->proposer, levels, MR_LEVELS, p->anchors, p->threads, p->proposals,
                       p->proposal_anchors, p->record ? &p->record->proposals : NULL);
        for (size_t i = 0; i < count; i++, roi += MR_ROI_COLUMNS)
            set_roi(p, roi, image, p->proposals + 4 * i);
        if (count < p->max_rois) {
            set_roi(p, roi, image, padding);
            roi += MR_ROI_COLUMNS;
            count++;
        }
        p->roi_counts[image] = count;
    }
    mr_pipeline_time(p, "proposals", mr_milliseconds() - before, 0);
}

mrcnn_status mr_pipeline_detect(mr_pipeline *p, const mr_fit *fits, void *workspace,
                                mrcnn_error *err) {
    size_t classes = (size_t)p->settings->num_classes, row = 0, total = 0;
    for (int i = 0; i < p->batch; i++) total += p->roi_counts[i];
    int rows[MR_ROWS_KINDS] = {p->batch, (int)total};
    mr_plan_run(p->box, mr_pipeline_roi_workspace(p, workspace), rows);
    add_plan_times(p, p->box);
    double before = mr_milliseconds();
    const float *probs = mr_plan_output(p->box, "mrcnn_class", NULL);
    const float *deltas = mr_plan_output(p->box, "mrcnn_bbox", NULL);
    mrcnn_status status = MRCNN_OK;
    for (int i = 0; status == MRCNN_OK && i < p->batch; i++) {
        mr_box_output out = {
            p->rois + row * MR_ROI_COLUMNS, MR_ROI_COLUMNS,   2,          probs + row * classes,
            deltas + row * classes * 4,     p->roi_counts[i], p->max_rois};
        double pixels[4];
        float window[4];
        for (int k = 0; k < 4; k++) pixels[k] = fits[i].window[k];
        mr_norm_box(pixels, p->height, p->width, window);
        status = mr_refine_detections(
            &out, window, p->settings, p->confidence, p->detections + (size_t)i * p->max_detections,
            &p->detection_counts[i], p->record ? &p->record->detections : NULL, err);
        row += p->roi_counts[i];
    }
    mr_pipeline_time(p, "detections", mr_milliseconds() - before, 0);
    return status;
}

void mr_pipeline_add_mask(mr_pipeline *p, size_t index, int image, const mr_detection *d) {
    set_roi(p, p->mask_rois + index * MR_ROI_COLUMNS, image, d->box);
    p->mask_classes[index] = (float)d->class_id;
}

const float *mr_pipeline_masks(mr_pipeline *p, size_t count, void *workspace) {
    int rows[MR_ROWS_KINDS] = {p->batch, (int)count};
    mr_plan_run(p->mask, mr_pipeline_roi_workspace(p, workspace), rows);
    add_plan_times(p, p->mask);
    return mr_plan_output(p->mask, "mrcnn_mask", NULL);
}

const float *mr_pipeline_map(const mr_pipeline *p, const char *name, mrcnn_shape *shape,
                             float **owned) {
    mr_plan_map map = mr_plan_feature(p->pyramid, name);
    *shape = map.shape;
    *owned = NULL;
    if (!map.data || map.type == MR_F32) return map.data;
    size_t count = (size_t)p->batch * mr_shape_size(map.shape);
    *owned = mr_calloc(count, sizeof **owned);
    if (*owned) mr_read_numbers(map.type, map.scale, map.data, 0, *owned, count);
    return *owned;
}
