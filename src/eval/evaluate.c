/* evaluate.c - mrcnn_evaluate: a model on a data set. One picture at a time is in memory. */
#include "eval/evaluation.h"

#include "base/error.h"
#include "base/options.h"
#include "eval/truth.h"
#include "model/session.h"

#include <string.h>

static mrcnn_status check_classes(const mrcnn_model *model, const mrcnn_dataset *set,
                                  mrcnn_error *err) {
    int count = mrcnn_model_class_count(model);
    if (mrcnn_dataset_class_count(set) != count)
        return mr_fail(
            err, MRCNN_E_ARGUMENT,
            "the data set has %d classes with the background, the model %d; open the set "
            "with the names of the model's classes",
            mrcnn_dataset_class_count(set), count);
    for (int i = 1; i < count; i++)
        if (strcmp(mrcnn_dataset_class_name(set, i), mrcnn_model_class_name(model, i)) != 0)
            return mr_fail(
                err, MRCNN_E_ARGUMENT,
                "class %d is \"%s\" in the data set and \"%s\" in the model; open the set "
                "with the names of the model's classes",
                i, mrcnn_dataset_class_name(set, i), mrcnn_model_class_name(model, i));
    return MRCNN_OK;
}

/* A run over the pictures. */
typedef struct run {
    mrcnn_session *session;
    const mrcnn_evaluate_options *o;
    mr_truth_reader reader;
    mrcnn_evaluation *e;
    size_t left_out;
} run;

static mrcnn_status compare(run *r, size_t index, const mrcnn_result *found, mrcnn_error *err) {
    mr_truths there;
    mrcnn_status status =
        mr_truths_read(&there, &r->reader, index, found->height, found->width, 1, err);
    if (status != MRCNN_OK) return status;
    status = mr_evaluation_add_result(r->e, mr_truth_place(&r->reader, index), there.items,
                                      there.count, found, err);
    mr_truths_free(&there);
    return status;
}

static mrcnn_status evaluate_picture(run *r, size_t index, const mrcnn_image *image,
                                     mrcnn_error *err) {
    mrcnn_result *found = NULL;
    mrcnn_status status = mrcnn_detect(r->session, image, 1, &found, err);
    if (status == MRCNN_OK) status = compare(r, index, found, err);
    mrcnn_result_free(&found);
    return status == MRCNN_OK
               ? status
               : mr_prefix(err, status, mrcnn_dataset_picture(r->reader.set, index)->id);
}

static mrcnn_status evaluate_all(run *r, mrcnn_error *err) {
    const mrcnn_evaluate_options *o = r->o;
    size_t count = mrcnn_dataset_count(r->reader.set);
    if (o->limit && o->limit < count) count = o->limit;
    for (size_t i = 0; i < count; i++) {
        mrcnn_image image = {0};
        mrcnn_error unreadable = MRCNN_ERROR_INIT;
        if (o->progress && o->progress(o->user, i, count))
            return mr_fail(err, MRCNN_E_CANCELLED, "stopped after %zu of %zu pictures", i, count);
        mrcnn_status status = mrcnn_dataset_read(r->reader.set, i, &image, &unreadable);
        if (status == MRCNN_OK) {
            status = evaluate_picture(r, i, &image, err);
        } else if (mr_may_be_left_out(status, o)) {
            o->left_out(o->user, unreadable.message);
            status = MRCNN_OK;
            r->left_out++;
        } else {
            mr_fail(err, status, "%s", unreadable.message);
        }
        mrcnn_image_free(&image);
        if (status != MRCNN_OK) return status;
    }
    return MRCNN_OK;
}

mrcnn_status mrcnn_evaluate(mrcnn_session *session, const mrcnn_dataset *set,
                            const mrcnn_evaluate_options *options, mrcnn_report **report,
                            mrcnn_error *err) {
    mrcnn_evaluate_options o = mrcnn_evaluate_options_default();
    run r = {.session = session, .o = &o};
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_evaluate_options", err);
    if (status == MRCNN_OK) status = check_classes(session->model, set, err);
    if (status == MRCNN_OK)
        status = mrcnn_evaluation_create(&r.e, mrcnn_model_class_count(session->model), err);
    if (status == MRCNN_OK) status = mrcnn_evaluation_configure(r.e, &o, err);
    if (status == MRCNN_OK) status = mr_truth_reader_open(&r.reader, set, err);
    if (status == MRCNN_OK) status = evaluate_all(&r, err);
    if (status == MRCNN_OK) status = mrcnn_evaluation_report(r.e, report, err);
    if (status == MRCNN_OK) (*report)->pictures_left_out = r.left_out;
    mr_truth_reader_close(&r.reader);
    mrcnn_evaluation_free(&r.e);
    return status;
}
