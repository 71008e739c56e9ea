/* trainer_evaluate.c - EVAL_EVERY: what `mrcnn eval` would say of the checkpoint that is about to be
 * saved, by a session that borrows the weights that are trained. Everything it needs is made for
 * each evaluation and freed behind it. */
#include "base/clock.h"
#include "base/memory.h"
#include "model/session.h"
#include "train/side_by_side.h"
#include "train/trainer.h"

#include <stdlib.h>

int mr_trainer_evaluates(const mr_trainer *t) {
    int64_t epoch = t->state.epoch + 1, every = t->settings->eval_every;
    int last = t->stages.items[t->stages.count - 1].last_epoch;
    return every > 0 && (epoch % every == 0 || epoch == last);
}

size_t mr_trainer_evaluated_pictures(const mr_trainer *t) {
    size_t limit = (size_t)t->settings->eval_limit;
    if (t->settings->eval_every == 0) return 0;
    size_t count = mr_dataset_picture_count(t->validation);
    return limit > 0 && limit < count ? limit : count;
}

/* ------------------------------------------------------------------------------------- session */

/* A model on the trainer's weights, and a session of it. */
typedef struct detector {
    mrcnn_model model;
    mrcnn_session *session;
} detector;

/* All detections count, as in `mrcnn eval`; crops are for training: detection sees the whole picture,
 * as with matterport's configurations for inference. */
static mrcnn_status make_config(mrcnn_config **config, const mr_trainer *t, mrcnn_error *err) {
    mrcnn_status status = mrcnn_config_copy(config, t->model->config, err);
    if (status == MRCNN_OK)
        status = mrcnn_config_set(*config, "DETECTION_MIN_CONFIDENCE", "0", err);
    if (status == MRCNN_OK) status = mrcnn_config_set(*config, "CLASS_MIN_CONFIDENCE", "{}", err);
    if (status == MRCNN_OK && t->settings->image_resize_mode == MR_RESIZE_CROP)
        status = mrcnn_config_set(*config, "IMAGE_RESIZE_MODE", "pad64", err);
    return status;
}

static mrcnn_status name_classes(mrcnn_model *model, const mr_dataset *set, mrcnn_error *err) {
    size_t count = (size_t)mr_dataset_class_count(set);
    const char **names = mr_calloc(count, sizeof *names);
    if (!names) return mr_fail_memory(err, count * sizeof *names, "class names");
    for (size_t i = 0; i < count; i++) names[i] = mr_dataset_class_name(set, (int)i);
    mrcnn_status status = mrcnn_model_set_class_names(model, names, count, err);
    free(names);
    return status;
}

static void close_detector(detector *d) {
    mrcnn_session_free(&d->session);
    mr_packs_free(&d->model.packs);
    mr_weights_info_free(&d->model.info);
    mrcnn_config_free(&d->model.config);
}

static mrcnn_status open_detector(detector *d, const mr_trainer *t, mrcnn_error *err) {
    mrcnn_session_options options = mrcnn_session_options_default();
    options.threads = t->threads;
    options.executor = t->executor->name;
    *d = (detector){
        .model = {.weights = t->model->weights, .packs = mr_packs_create(), .keep_weights = 1}};
    mrcnn_status status = d->model.packs ? MRCNN_OK : mr_fail_memory(err, 1, "packed weights");
    if (status == MRCNN_OK) status = make_config(&d->model.config, t, err);
    if (status == MRCNN_OK) status = name_classes(&d->model, t->validation, err);
    if (status == MRCNN_OK) status = mrcnn_session_create(&d->session, &d->model, &options, err);
    if (status != MRCNN_OK) close_detector(d);
    return status;
}

/* Of IMAGE_RESIZE_MODE square, in which the sizes of the input are known: one for each of TEST_SCALES. */
mrcnn_status mr_trainer_rehearse(mr_trainer *t, mrcnn_error *err) {
    detector d;
    mr_pipeline *pipeline;
    mr_fit fit;
    int side = t->settings->image_max_dim;
    if (t->settings->image_resize_mode != MR_RESIZE_SQUARE) return MRCNN_OK;
    mrcnn_status status = open_detector(&d, t, err);
    if (status != MRCNN_OK) return status;
    for (int i = 0; status == MRCNN_OK && i < t->settings->test_scales.count; i++) {
        status =
            mr_fit_image_at(&fit, side, side, t->settings->test_scales.values[i], t->settings, err);
        if (status == MRCNN_OK)
            status = mr_session_pipeline(d.session, fit.height, fit.width, 1, &pipeline, err);
    }
    if (status == MRCNN_OK) {
        size_t weights = 0;
        for (size_t i = 0; i < mr_tensors_count(d.model.weights); i++)
            weights += mr_tensors_at(d.model.weights, i)->count * sizeof(float);
        t->evaluation_bytes = mrcnn_session_bytes(d.session) - weights;
    }
    close_detector(&d);
    return status;
}

/* ------------------------------------------------------------------------------------ pictures */

/* What is wrong with a file was told by the evaluation, and is no reason to end a training. */
static int may_be_left_out(mrcnn_status status) {
    return status == MRCNN_E_IO || status == MRCNN_E_FORMAT || status == MRCNN_E_UNSUPPORTED ||
           status == MRCNN_E_ARGUMENT;
}

static mrcnn_status add_image(mr_trainer *t, detector *d, size_t index, int number,
                              mr_log_epoch *epoch, mrcnn_error *err) {
    mrcnn_image image = {0};
    mrcnn_error unreadable = MRCNN_ERROR_INIT;
    mrcnn_result *found = NULL;
    mrcnn_status status = mrcnn_dataset_read(t->validation, index, &image, &unreadable);
    if (status != MRCNN_OK)
        return may_be_left_out(status) ? MRCNN_OK : mr_fail(err, status, "%s", unreadable.message);
    status = mrcnn_detect(d->session, &image, 1, &found, err);
    if (status == MRCNN_OK) {
        mr_log_image *made = &epoch->images[epoch->image_count];
        mr_side_by_side what = {.set = t->validation,
                                .picture = index,
                                .image = &image,
                                .found = found,
                                .confidence = t->settings->detection_min_confidence};
        made->number = number;
        status =
            mr_side_by_side_png(&made->png, &made->length, &made->height, &made->width, &what, err);
        if (status == MRCNN_OK) epoch->image_count++;
    }
    mrcnn_result_free(&found);
    mrcnn_image_free(&image);
    return status;
}

/* The same ones every time, spread over the pictures with objects. */
static mrcnn_status add_images(mr_trainer *t, detector *d, mr_log_epoch *epoch, int *done,
                               mrcnn_error *err) {
    size_t *pictures = NULL, count, wanted = (size_t)t->settings->eval_images;
    mrcnn_status status = mr_trainer_pictures(t, &pictures, &count, err);
    if (status == MRCNN_OK && wanted > count) wanted = count;
    for (size_t i = 0; status == MRCNN_OK && *done && i < wanted; i++) {
        *done = !mr_trainer_should_stop(t);
        if (*done) status = add_image(t, d, pictures[i * count / wanted], (int)i, epoch, err);
    }
    free(pictures);
    return status;
}

/* ---------------------------------------------------------------------------------- evaluation */

static int on_picture(void *user, size_t done, size_t total) {
    mr_trainer *t = user;
    if (t->options.on_evaluate) t->options.on_evaluate(t->options.user, done, total);
    return mr_trainer_should_stop(t);
}

static void on_left_out(void *user, const char *message) {
    mr_trainer *t = user;
    if (!t->evaluated) mr_trainer_leave_out(t, message);
}

static mrcnn_status evaluate(mr_trainer *t, detector *d, mr_log_epoch *epoch, int *done,
                             mrcnn_error *err) {
    mrcnn_evaluate_options options = mrcnn_evaluate_options_default();
    mrcnn_report *report = NULL;
    mrcnn_error why = MRCNN_ERROR_INIT;
    double before = mr_milliseconds();
    options.limit = (size_t)t->settings->eval_limit;
    options.progress = on_picture;
    options.left_out = on_left_out;
    options.user = t;
    mrcnn_status status = mrcnn_evaluate(d->session, t->validation, &options, &report, &why);
    if (status == MRCNN_E_CANCELLED && t->result->stopped) return MRCNN_OK;
    if (status != MRCNN_OK) return mr_fail(err, status, "%s", why.message);
    t->evaluated = *done = 1;
    epoch->evaluation = (mr_log_evaluation){.bbox = report->bbox,
                                            .segm = report->segm,
                                            .picture_map50 = report->picture_map50,
                                            .picture_map = report->picture_map,
                                            .pictures = (int64_t)report->pictures};
    mrcnn_report_free(&report);
    status = add_images(t, d, epoch, done, err);
    epoch->evaluation.seconds = (mr_milliseconds() - before) / 1000;
    return status;
}

/* Of weights that are not finite nothing can be said, and nothing will be saved. */
mrcnn_status mr_trainer_evaluate(mr_trainer *t, mr_log_epoch *epoch, int *done, mrcnn_error *err) {
    detector d;
    *done = 0;
    mrcnn_status status = mr_trainer_check_weights(t, err);
    if (status != MRCNN_OK) return status;
    mr_trainer_swap_average(t);
    status = open_detector(&d, t, err);
    if (status == MRCNN_OK) {
        status = evaluate(t, &d, epoch, done, err);
        close_detector(&d);
    }
    mr_trainer_swap_average(t);
    return status;
}
