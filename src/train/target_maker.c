/* target_maker.c - targets of single pictures, made by what makes them in training: the same samples,
 * anchors, proposals, RoIs and streams of random numbers. */
#include "train/target_maker.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/parallel.h"
#include "base/prng.h"
#include "model/session.h"
#include "model/source.h"
#include "train/learner.h"
#include "train/order.h"
#include "train/trainer.h"

#include <stdlib.h>
#include <string.h>

struct mrcnn_target_maker {
    const mrcnn_dataset *set;
    mrcnn_model *model; /* NULL: random RoIs */
    const mr_executor *executor;
    mr_settings settings;
    int threads, validation;
    mr_order *order;
    mr_anchor_cache anchors;
    mr_packs *packs;
    mr_learner *learner; /* for the size that was seen last */
    int height, width;
    mr_roi_matcher *matcher; /* without a model */
    float *random_rois;
};

mrcnn_target_options mrcnn_target_options_default(void) {
    mrcnn_target_options options = {.size = sizeof options, .executor = "cpu"};
    return options;
}

/* ------------------------------------------------------------------------------------- creating */

static mrcnn_status check_classes(const mrcnn_target_maker *m, mrcnn_error *err) {
    int have = mrcnn_dataset_class_count(m->set);
    if (!m->model || have == m->settings.num_classes) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_ARGUMENT,
                   "the data set has %d classes with the background, the model %d; open the set "
                   "with the names of the model's classes",
                   have, m->settings.num_classes);
}

static mrcnn_status prepare(mrcnn_target_maker *m, mrcnn_error *err) {
    size_t rois = (size_t)m->settings.post_nms_rois_training;
    mrcnn_status status = check_classes(m, err);
    if (status == MRCNN_OK)
        status = mr_order_create(&m->order, mrcnn_dataset_count(m->set), (uint64_t)m->settings.seed,
                                 !m->validation, err);
    if (status != MRCNN_OK) return status;
    if (m->model) {
        m->packs = mr_packs_create();
        return m->packs ? MRCNN_OK : mr_fail_memory(err, 1, "packed weights");
    }
    m->matcher = mr_roi_matcher_create(&m->settings);
    m->random_rois = mr_calloc(rois, 4 * sizeof *m->random_rois);
    return m->matcher && m->random_rois ? MRCNN_OK
                                        : mr_fail_memory(err, rois * 4 * sizeof(float), "RoIs");
}

static mrcnn_status create(mrcnn_target_maker **maker, const mrcnn_dataset *set,
                           const mrcnn_config *config, mrcnn_model *model,
                           const mrcnn_target_options *options, mrcnn_error *err) {
    const mr_executor *executor = mr_find_executor(options->executor, err);
    mrcnn_status status = mr_config_validate_training(config, err);
    if (!executor || status != MRCNN_OK) return executor ? status : MRCNN_E_ARGUMENT;
    mrcnn_target_maker *m = mr_calloc(1, sizeof *m);
    if (!m) return mr_fail_memory(err, sizeof *m, "targets");
    m->set = set;
    m->model = model;
    m->executor = executor;
    m->settings = *mr_config_settings(config);
    if (m->settings.train_bn == MR_BN_NORMAL) m->settings.train_bn = MR_BN_FROZEN;
    if (!model) m->settings.num_classes = mrcnn_dataset_class_count(set);
    m->threads = options->threads > 0 ? options->threads : mr_cores();
    m->validation = options->validation != 0;
    status = prepare(m, err);
    if (status == MRCNN_OK)
        *maker = m;
    else
        mrcnn_target_maker_free(&m);
    return status;
}

mrcnn_status mrcnn_target_maker_create(mrcnn_target_maker **maker, const mrcnn_dataset *set,
                                       const mrcnn_config *config, mrcnn_model *model,
                                       const mrcnn_target_options *options, mrcnn_error *err) {
    mrcnn_target_options o = mrcnn_target_options_default();
    if (!maker || !set || (!config && !model))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "targets need a data set, and a model or a "
                       "configuration");
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_target_options", err);
    if (status != MRCNN_OK) return status;
    return create(maker, set, model ? mrcnn_model_config(model) : config, model, &o, err);
}

void mrcnn_target_maker_free(mrcnn_target_maker **maker) {
    mrcnn_target_maker *m = maker ? *maker : NULL;
    if (!m) return;
    mr_learner_free(&m->learner);
    mr_packs_free(&m->packs);
    mr_roi_matcher_free(&m->matcher);
    mr_anchor_cache_free(&m->anchors);
    mr_order_free(&m->order);
    free(m->random_rois);
    free(m);
    *maker = NULL;
}

size_t mrcnn_target_maker_picture(mrcnn_target_maker *maker, int64_t number) {
    return mr_order_at(maker->order, number < 0 ? 0 : (uint64_t)number);
}

/* --------------------------------------------------------------------------------------- making */

static uint64_t stream_of(const mrcnn_target_maker *m, const char *name, uint64_t number) {
    return mr_prng_value(mr_prng_stream((uint64_t)m->settings.seed, name), number);
}

static mrcnn_status find_learner(mrcnn_target_maker *m, const mr_sample *s, mrcnn_error *err) {
    if (m->learner && m->height == s->height && m->width == s->width) return MRCNN_OK;
    mr_learner_free(&m->learner);
    mr_learner_options options = {.settings = &m->settings,
                                  .executor = m->executor,
                                  .weights = m->model->weights,
                                  .packs = m->packs,
                                  .height = s->height,
                                  .width = s->width,
                                  .batch = 1,
                                  .threads = m->threads};
    m->height = s->height;
    m->width = s->width;
    mrcnn_status status = mr_model_need_weights(m->model, err);
    if (status != MRCNN_OK) return status;
    return mr_learner_create(&m->learner, &options, err);
}

/* The network's proposals and what it loses. */
static mrcnn_status ask_network(mrcnn_target_maker *m, const mr_example *example, uint64_t stream,
                                mr_target_source *source, mr_log_losses *losses, mrcnn_error *err) {
    const int32_t *anchors;
    mr_lesson_result result;
    mr_lesson lesson = {.pixels = example->sample->pixels,
                        .truth = mr_example_truth(example),
                        .rpn = example->rpn,
                        .active = example->sample->active,
                        .stream = stream};
    mrcnn_status status = find_learner(m, example->sample, err);
    if (status == MRCNN_OK) status = mr_learner_run(m->learner, &lesson, 0, &result, err);
    if (status != MRCNN_OK) return status;
    source->rois = mr_learner_proposals(m->learner, 0, &source->roi_count, &anchors);
    source->targets = mr_learner_targets(m->learner, 0);
    mr_weigh_losses(&m->settings, &result, 0, losses);
    return MRCNN_OK;
}

static mrcnn_status draw_rois(mrcnn_target_maker *m, const mr_example *example, uint64_t stream,
                              mr_target_source *source, mr_roi_targets *targets, mrcnn_error *err) {
    const mr_sample *s = example->sample;
    mr_ground_truth truth = mr_example_truth(example);
    source->roi_count = (size_t)m->settings.post_nms_rois_training;
    source->rois = m->random_rois;
    source->targets = targets;
    mr_random_rois(m->random_rois, source->roi_count, &truth, s->height, s->width,
                   stream_of(m, "random rois", s->number));
    return mr_match_rois(m->matcher, m->random_rois, source->roi_count, &truth, s->height, s->width,
                         stream, targets, err);
}

static mrcnn_status make(mrcnn_target_maker *m, mr_example *example, mrcnn_targets **targets,
                         mrcnn_error *err) {
    mr_target_source source = {
        .settings = &m->settings, .anchors = m->anchors.anchors, .anchor_count = m->anchors.count};
    mr_log_losses losses = {.loss = 0};
    mr_roi_targets own;
    uint64_t stream =
        stream_of(m, m->validation ? "validation rois" : "rois", example->sample->number);
    mrcnn_status status = m->model ? ask_network(m, example, stream, &source, &losses, err)
                                   : draw_rois(m, example, stream, &source, &own, err);
    if (status == MRCNN_OK) status = mr_targets_show(targets, example, &source, err);
    if (status != MRCNN_OK) return status;
    (*targets)->are_proposals = m->model != NULL;
    (*targets)->losses = mr_public_losses(&losses);
    return MRCNN_OK;
}

mrcnn_status mrcnn_target_maker_make(mrcnn_target_maker *m, size_t picture, int64_t number,
                                     mrcnn_targets **targets, mrcnn_error *err) {
    if (!m || !targets || number < 0 || picture >= mrcnn_dataset_count(m->set))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "there is no picture %zu, draw %lld, to make targets of", picture,
                       (long long)number);
    mr_example *example = NULL;
    mrcnn_targets *made = NULL;
    mr_example_options options = {.sample = {.settings = &m->settings,
                                             .seed = (uint64_t)m->settings.seed,
                                             .training = !m->validation},
                                  .cache = &m->anchors};
    int before = mr_set_library_threads(m->threads);
    mrcnn_status status =
        mr_example_load(&example, m->set, picture, (uint64_t)number, &options, err);
    if (status == MRCNN_OK && example) status = make(m, example, &made, err);
    mr_set_library_threads(before);
    mr_example_free(&example);
    if (status == MRCNN_OK) *targets = made;
    return status;
}
