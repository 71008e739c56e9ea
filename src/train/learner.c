/* learner.c - see learner.h: the plans, the buffers between them, and the order of the work. */
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "image/resize.h"
#include "train/learner_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const level_names[MR_LEVELS] = {"P2", "P3", "P4", "P5", "P6"};

/* ------------------------------------------------------------------------------------- plans */

static mrcnn_status compile(mr_plan **plan, mrcnn_graph *graph, const mr_learner_options *o,
                            int max_rois, size_t between, mrcnn_error *err) {
    mr_plan_options options = {
        .executor = o->executor,
        .weights = o->weights,
        .packs = o->packs,
        .threads = o->threads,
        .max_rows = {o->batch, max_rois},
        .gradients = o->gradients,
        .update_statistics = o->gradients != NULL,
        .products =
            o->gradients && o->settings->train_precision == MR_TRAIN_BF16 ? MR_BF16 : MR_F32,
        .between_bytes = between};
    if (o->recompute) options.recompute = "backbone";
    if (!graph) return mr_fail_memory(err, sizeof(mrcnn_graph *), "the network");
    if (!o->executor->computes_in(options.products)) {
        mr_graph_free(&graph);
        return mr_fail(
            err, MRCNN_E_UNSUPPORTED,
            "TRAIN_PRECISION bf16: the executor %s has no bf16 on this machine (it takes "
            "a processor with AVX-512 BF16); use f32",
            o->executor->name);
    }
    return mr_plan_compile(plan, &graph, &options, err);
}

/* Whether the heads' gradients must go on into the pyramid. */
static int trains(const mrcnn_graph *graph, const mr_tensors *gradients) {
    for (int i = 0; graph && i < graph->count; i++)
        if (mr_node_trains(graph, &graph->nodes[i], gradients)) return 1;
    return 0;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* The heads run between the pyramid's forward and backward, in memory that both leave free. */
static mrcnn_status compile_plans(mr_learner *l, mrcnn_error *err) {
    const mr_learner_options *o = &l->options;
    mr_purpose purpose = {.training = 1, .max_pixels = l->max_pixels};
    mrcnn_graph *pyramid = mr_pyramid_graph(o->settings, o->height, o->width, &purpose);
    l->pyramid_trains = purpose.pyramid_trains = trains(pyramid, o->gradients);
    mrcnn_graph *box = mr_box_graph(o->settings, o->height, o->width, &purpose);
    mrcnn_graph *mask = mr_mask_graph(o->settings, o->height, o->width, &purpose);
    mrcnn_status status = compile(&l->box, box, o, l->max_rows, 0, err);
    if (status == MRCNN_OK)
        status = compile(&l->mask, mask, o, l->max_positives, 0, err);
    else
        mr_graph_free(&mask);
    if (status != MRCNN_OK) {
        mr_graph_free(&pyramid);
        return status;
    }
    size_t between = larger(mr_plan_workspace_bytes(l->box), mr_plan_workspace_bytes(l->mask));
    return compile(&l->pyramid, pyramid, o, 0, between, err);
}

static mrcnn_status allocate_workspace(mr_learner *l, mrcnn_error *err) {
    l->workspace_bytes = mr_plan_workspace_bytes(l->pyramid);
    l->workspace = l->options.executor->alloc(l->workspace_bytes);
    if (!l->workspace)
        return mr_fail_memory(err, l->workspace_bytes,
                              "a training step; smaller pictures, a smaller batch, fewer layers or "
                              "recompute need less");
    l->roi_workspace = mr_plan_between(l->pyramid, l->workspace);
    return MRCNN_OK;
}

/* Graphs 2 and 3 read the pyramid where graph 1 leaves it, and add to its gradients there. */
static void connect(mr_learner *l) {
    mr_plan_bind(l->pyramid, "image", l->image);
    for (int i = 0; i < MR_POOLED_LEVELS; i++) {
        const char *name = level_names[i];
        const float *level = mr_plan_output(l->pyramid, name, NULL);
        float *gradient = mr_plan_output_gradient(l->pyramid, l->workspace, name);
        mr_plan_bind(l->box, name, level);
        mr_plan_bind(l->mask, name, level);
        mr_plan_bind_gradient(l->box, name, gradient);
        mr_plan_bind_gradient(l->mask, name, gradient);
    }
    mr_plan_bind(l->box, "rois", l->box_rois);
    mr_plan_bind(l->mask, "rois", l->mask_rois);
    mr_plan_bind(l->mask, "class", l->mask_classes);
}

static void find_levels(mr_learner *l) {
    size_t first = 0;
    for (int i = 0; i < MR_LEVELS; i++) {
        char name[32];
        mrcnn_shape shape;
        mr_learner_level *level = &l->levels[i];
        snprintf(name, sizeof name, "rpn_class_raw%d", i + 2);
        level->logits = mr_plan_output(l->pyramid, name, &shape);
        level->anchors = mr_shape_size(shape) / 2;
        snprintf(name, sizeof name, "rpn_bbox%d", i + 2);
        level->deltas = mr_plan_output(l->pyramid, name, NULL);
        level->first = first;
        first += level->anchors;
    }
}

/* ----------------------------------------------------------------------------------- buffers */

/* Zeroed memory that is counted; *failed is set when there is none. */
static void *room(mr_learner *l, size_t count, size_t size, int *failed) {
    void *memory = mr_calloc(count, size);
    if (!memory) *failed = 1;
    l->buffer_bytes += count * size;
    return memory;
}

static void allocate_of_pictures(mr_learner *l, int *failed) {
    size_t batch = (size_t)l->options.batch;
    size_t proposals = (size_t)l->options.settings->post_nms_rois_training;
    l->proposals = room(l, batch, sizeof *l->proposals, failed);
    l->proposal_anchors = room(l, batch, sizeof *l->proposal_anchors, failed);
    l->proposal_counts = room(l, batch, sizeof *l->proposal_counts, failed);
    l->matchers = room(l, batch, sizeof *l->matchers, failed);
    l->targets = room(l, batch, sizeof *l->targets, failed);
    for (size_t b = 0; !*failed && b < batch; b++) {
        l->proposals[b] = room(l, proposals, 4 * sizeof(float), failed);
        l->proposal_anchors[b] = room(l, proposals, sizeof(int32_t), failed);
        l->matchers[b] = mr_roi_matcher_create(l->options.settings);
        if (!l->matchers[b]) *failed = 1;
        if (l->matchers[b]) l->buffer_bytes += mr_roi_matcher_bytes(l->matchers[b]);
    }
}

static void allocate_of_rpn(mr_learner *l, int *failed) {
    size_t batch = (size_t)l->options.batch, entries = batch * (size_t)l->max_pixels;
    size_t sampled = batch * (size_t)l->options.settings->rpn_train_anchors_per_image;
    l->rpn_logits = room(l, sampled, sizeof *l->rpn_logits, failed);
    l->rpn_logits_gradient = room(l, sampled, sizeof *l->rpn_logits_gradient, failed);
    l->rpn_deltas = room(l, sampled, sizeof *l->rpn_deltas, failed);
    l->rpn_deltas_gradient = room(l, sampled, sizeof *l->rpn_deltas_gradient, failed);
    l->rpn_targets = room(l, sampled, sizeof *l->rpn_targets, failed);
    l->rpn_matches = room(l, sampled, sizeof *l->rpn_matches, failed);
    for (int i = 0; i < MR_LEVELS; i++) {
        l->levels[i].entries = room(l, entries, sizeof *l->levels[i].entries, failed);
        l->levels[i].pixel_list = room(l, entries, sizeof *l->levels[i].pixel_list, failed);
    }
}

static void allocate_of_heads(mr_learner *l, int *failed) {
    const mr_settings *s = l->options.settings;
    size_t rows = (size_t)l->max_rows, positives = (size_t)l->max_positives;
    size_t classes = (size_t)s->num_classes;
    size_t mask = (size_t)s->mask_shape.values[0] * (size_t)s->mask_shape.values[1];
    l->box_rois = room(l, rows, MR_ROI_COLUMNS * sizeof(float), failed);
    l->rows = room(l, rows, sizeof *l->rows, failed);
    l->class_gradient = room(l, rows * classes, sizeof(float), failed);
    l->bbox_gradient = room(l, rows * classes * 4, sizeof(float), failed);
    l->target_gradients = room(l, positives, sizeof *l->target_gradients, failed);
    l->mask_rois = room(l, positives, MR_ROI_COLUMNS * sizeof(float), failed);
    l->mask_classes = room(l, positives, sizeof(float), failed);
    l->mask_targets = room(l, positives * mask, sizeof(float), failed);
    l->mask_gradient = room(l, positives * mask, sizeof(float), failed);
}

static mrcnn_status allocate(mr_learner *l, mrcnn_error *err) {
    const mr_settings *s = l->options.settings;
    int failed = 0;
    size_t pixels = (size_t)l->options.batch * (size_t)l->options.height * (size_t)l->options.width;
    l->image = room(l, pixels * (size_t)s->image_channel_count, sizeof(float), &failed);
    l->anchors = room(l, l->anchor_count, 4 * sizeof(float), &failed);
    l->proposer = mr_proposer_create(s, l->anchor_count, (size_t)s->post_nms_rois_training);
    if (l->proposer)
        l->buffer_bytes += mr_proposer_bytes(l->proposer);
    else
        failed = 1;
    allocate_of_pictures(l, &failed);
    allocate_of_rpn(l, &failed);
    allocate_of_heads(l, &failed);
    return failed ? mr_fail_memory(err, l->buffer_bytes, "a training step's buffers") : MRCNN_OK;
}

mrcnn_status mr_learner_create(mr_learner **out, const mr_learner_options *options,
                               mrcnn_error *err) {
    const mr_settings *s = options->settings;
    mr_learner *l = mr_calloc(1, sizeof *l);
    if (!l) return mr_fail_memory(err, sizeof *l, "a learner");
    l->options = *options;
    int positives = (int)(s->train_rois_per_image * s->roi_positive_ratio); /* N28 */
    l->max_rows = options->batch * s->train_rois_per_image;
    l->max_positives = options->batch * (positives > 0 ? positives : 1);
    l->max_pixels = s->rpn_train_anchors_per_image + (positives > 0 ? positives : 1);
    l->anchor_count = mr_anchor_count(s, options->height, options->width);
    mrcnn_status status = allocate(l, err);
    if (status == MRCNN_OK) status = compile_plans(l, err);
    if (status == MRCNN_OK) status = allocate_workspace(l, err);
    if (status != MRCNN_OK) {
        mr_learner_free(&l);
        return status;
    }
    mr_anchors_normalized(s, options->height, options->width, l->anchors);
    connect(l);
    find_levels(l);
    *out = l;
    return MRCNN_OK;
}

void mr_learner_free(mr_learner **learner) {
    mr_learner *l = *learner;
    if (!l) return;
    mr_plan_free(&l->pyramid);
    mr_plan_free(&l->box);
    mr_plan_free(&l->mask);
    if (l->workspace) l->options.executor->release(l->workspace);
    mr_proposer_free(&l->proposer);
    for (int b = 0; b < l->options.batch; b++) {
        if (l->matchers) mr_roi_matcher_free(&l->matchers[b]);
        if (l->proposals) free(l->proposals[b]);
        if (l->proposal_anchors) free(l->proposal_anchors[b]);
    }
    for (int i = 0; i < MR_LEVELS; i++) {
        free(l->levels[i].entries);
        free(l->levels[i].pixel_list);
    }
    void *buffers[] = {l->image,
                       l->anchors,
                       l->proposals,
                       l->proposal_anchors,
                       l->proposal_counts,
                       l->matchers,
                       l->targets,
                       l->rpn_logits,
                       l->rpn_logits_gradient,
                       l->rpn_deltas,
                       l->rpn_deltas_gradient,
                       l->rpn_targets,
                       l->rpn_matches,
                       l->box_rois,
                       l->rows,
                       l->class_gradient,
                       l->bbox_gradient,
                       l->target_gradients,
                       l->mask_rois,
                       l->mask_classes,
                       l->mask_targets,
                       l->mask_gradient};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) free(buffers[i]);
    free(l);
    *learner = NULL;
}

size_t mr_learner_bytes(const mr_learner *l) {
    return l->workspace_bytes + l->buffer_bytes + mr_plan_output_bytes(l->pyramid) +
           mr_plan_output_bytes(l->box) + mr_plan_output_bytes(l->mask);
}

int mr_learner_recomputed(const mr_learner *l) {
    return mr_plan_recomputed(l->pyramid);
}

/* ------------------------------------------------------------------------------------- times */

void mr_learner_time(mr_learner *l, const char *name, double milliseconds, double gflop) {
    size_t i = 0;
    while (i < l->stage_count && strcmp(l->stages[i].name, name) != 0) i++;
    if (i == MR_MAX_LEARNER_STAGES) return;
    if (i == l->stage_count) {
        mrcnn_stage_time fresh = {name, 0, 0};
        l->stages[l->stage_count++] = fresh;
    }
    l->stages[i].milliseconds += milliseconds;
    l->stages[i].gflop += gflop;
}

void mr_learner_plan_times(mr_learner *l, const mr_plan *plan) {
    const mrcnn_stage_time *t;
    for (size_t i = 0; (t = mr_plan_stage(plan, i)); i++)
        mr_learner_time(l, t->name, t->milliseconds, t->gflop);
}

/* The names under which the stages' backward is shown. */
static const char *backward_name(const char *stage) {
    static const char *const names[][2] = {
        {"backbone", "backbone backward"},
        {"fpn", "fpn backward"},
        {"rpn", "rpn backward"},
        {"box roi align", "box roi align backward"},
        {"box head", "box head backward"},
        {"mask roi align", "mask roi align backward"},
        {"mask head", "mask head backward"},
        {MR_RECOMPUTATION, MR_RECOMPUTATION},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], stage) == 0) return names[i][1];
    return "backward";
}

void mr_learner_backward_times(mr_learner *l, const mr_plan *plan) {
    const mrcnn_stage_time *t;
    for (size_t i = 0; (t = mr_plan_backward_stage(plan, i)); i++)
        mr_learner_time(l, backward_name(t->name), t->milliseconds, t->gflop);
}

const mrcnn_stage_time *mr_learner_stage(const mr_learner *l, size_t index) {
    return index < l->stage_count ? &l->stages[index] : NULL;
}

/* --------------------------------------------------------------------------------------- run */

static void mold(mr_learner *l, const mr_lesson *lessons) {
    const mr_settings *s = l->options.settings;
    size_t pixels = (size_t)l->options.height * (size_t)l->options.width;
    for (int b = 0; b < l->options.batch; b++)
        mr_mold_image(lessons[b].pixels, pixels, &s->mean_pixel,
                      l->image + (size_t)b * pixels * (size_t)s->image_channel_count);
}

static void propose(mr_learner *l, int image, const mr_lesson *lesson) {
    if (lesson->proposals) return;
    mr_rpn_level levels[MR_LEVELS];
    for (int i = 0; i < MR_LEVELS; i++) {
        const mr_learner_level *level = &l->levels[i];
        size_t at = (size_t)image * level->anchors;
        mr_rpn_level of_picture = {level->logits + 2 * at, level->deltas + 4 * at, level->anchors};
        levels[i] = of_picture;
    }
    l->proposal_counts[image] =
        mr_propose(l->proposer, levels, MR_LEVELS, l->anchors, l->options.threads,
                   l->proposals[image], l->proposal_anchors[image], NULL);
}

static mrcnn_status match(mr_learner *l, int image, const mr_lesson *lesson, mrcnn_error *err) {
    const float *proposals = lesson->proposals ? lesson->proposals : l->proposals[image];
    size_t count = lesson->proposals ? lesson->proposal_count : l->proposal_counts[image];
    return mr_match_rois(l->matchers[image], proposals, count, &lesson->truth, l->options.height,
                         l->options.width, lesson->stream, &l->targets[image], err);
}

static mrcnn_status find_rois(mr_learner *l, const mr_lesson *lessons, mrcnn_error *err) {
    double before = mr_milliseconds();
    mrcnn_status status = MRCNN_OK;
    for (int b = 0; status == MRCNN_OK && b < l->options.batch; b++) {
        propose(l, b, &lessons[b]);
        status = match(l, b, &lessons[b], err);
    }
    if (status == MRCNN_OK) mr_learner_set_rois(l, lessons);
    mr_learner_time(l, "targets", mr_milliseconds() - before, 0);
    return status;
}

static void clear_pyramid_gradients(mr_learner *l) {
    for (int i = 0; i < MR_POOLED_LEVELS; i++) {
        mrcnn_shape shape;
        mr_plan_output(l->pyramid, level_names[i], &shape);
        float *gradient = mr_plan_output_gradient(l->pyramid, l->workspace, level_names[i]);
        size_t bytes = (size_t)l->options.batch * mr_shape_size(shape) * sizeof(float);
        if (gradient) memset(gradient, 0, bytes);
    }
}

static int are_finite(const mr_lesson_result *result) {
    for (int i = 0; i < MR_LOSSES; i++)
        if (!isfinite(result->losses[i])) return 0;
    return 1;
}

mrcnn_status mr_learner_run(mr_learner *l, const mr_lesson *lessons, int backward,
                            mr_lesson_result *result, mrcnn_error *err) {
    int rows[MR_ROWS_KINDS] = {l->options.batch, 0};
    mr_lesson_result made = {{0}, 0, 0, 0, 0};
    l->stage_count = 0;
    l->backward = backward && l->options.gradients;
    double before = mr_milliseconds();
    mold(l, lessons);
    mr_learner_time(l, "mold", mr_milliseconds() - before, 0);
    mr_plan_run(l->pyramid, l->workspace, rows);
    mr_learner_plan_times(l, l->pyramid);
    mr_learner_rpn_losses(l, lessons, &made);
    if (are_finite(&made)) {
        mrcnn_status status = find_rois(l, lessons, err);
        if (status != MRCNN_OK) return status;
        if (l->backward) clear_pyramid_gradients(l);
        mr_learner_box(l, lessons, &made);
    }
    if (are_finite(&made)) mr_learner_mask(l, &made);
    if (l->backward && l->pyramid_trains && are_finite(&made)) {
        mr_learner_rpn_gradients(l);
        mr_plan_backward(l->pyramid, l->workspace, rows);
        mr_learner_backward_times(l, l->pyramid);
    }
    *result = made;
    return MRCNN_OK;
}

const mr_roi_targets *mr_learner_targets(const mr_learner *l, int image) {
    return &l->targets[image];
}

const float *mr_learner_proposals(const mr_learner *l, int image, size_t *count,
                                  const int32_t **anchors) {
    *count = l->proposal_counts[image];
    *anchors = l->proposal_anchors[image];
    return l->proposals[image];
}

double mr_regularise(const mr_tensors *weights, mr_tensors *gradients, const mr_settings *settings,
                     double scale) {
    double sum = 0;
    for (size_t i = 0; i < mr_tensors_count(gradients); i++) {
        mr_tensor *g = mr_tensors_at(gradients, i);
        const mr_tensor *w = mr_tensors_find(weights, g->layer, g->param);
        if (!mr_is_regularised(g->param, settings->compat)) continue;
        sum += mr_l2_loss(w->values, w->count, settings->weight_decay, settings->compat, scale,
                          g->values);
    }
    return sum;
}
