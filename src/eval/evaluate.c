/* evaluate.c - mrcnn_evaluate: a model on a data set. A thread reads and resizes the next pictures while the
 * calling one detects and compares. In memory are those two's pictures, and others up to MOST_BYTES. */
#include "eval/evaluation.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "data/loader.h"
#include "eval/truth.h"
#include "model/session.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 128 << 20 };

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
    size_t count, left_out;
} run;

/* ------------------------------------------------------------------------------- pictures ahead */

typedef struct picture {
    mrcnn_image image;
    mrcnn_prepared *prepared; /* NULL: detection says why it can't be */
} picture;

static void release(void *user, void *item) {
    (void)user;
    picture *it = item;
    mrcnn_prepared_free(&it->prepared);
    mrcnn_image_free(&it->image);
    free(it);
}

static mrcnn_status read_picture(void *user, int worker, uint64_t number, void **item,
                                 size_t *bytes, mrcnn_error *err) {
    const run *r = user;
    (void)worker;
    if (number >= r->count) return MRCNN_OK;
    picture *it = mr_calloc(1, sizeof *it);
    if (!it) return mr_fail_memory(err, sizeof *it, "a picture");
    mrcnn_status status = mrcnn_dataset_read(r->reader.set, (size_t)number, &it->image, err);
    if (status != MRCNN_OK) {
        release(NULL, it);
        return status;
    }
    mrcnn_prepare(&it->prepared, r->session->model, &it->image, NULL);
    *bytes = (size_t)it->image.height * (size_t)it->image.width * (size_t)it->image.channels;
    *item = it;
    return MRCNN_OK;
}

/* ---------------------------------------------------------------------------------- comparing */

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

static mrcnn_status detect(const run *r, const picture *it, mrcnn_result **found,
                           mrcnn_error *err) {
    const mrcnn_prepared *prepared = it->prepared;
    return prepared ? mrcnn_detect_prepared(r->session, &prepared, 1, found, err)
                    : mrcnn_detect(r->session, &it->image, 1, found, err);
}

static mrcnn_status evaluate_picture(run *r, size_t index, const picture *it, mrcnn_error *err) {
    mrcnn_result *found = NULL;
    mrcnn_status status = detect(r, it, &found, err);
    if (status == MRCNN_OK) status = compare(r, index, found, err);
    mrcnn_result_free(&found);
    return status == MRCNN_OK
               ? status
               : mr_prefix(err, status, mrcnn_dataset_picture(r->reader.set, index)->id);
}

static mrcnn_status evaluate_next(run *r, mr_loader *loader, mrcnn_error *err) {
    const mrcnn_evaluate_options *o = r->o;
    mrcnn_error unreadable = MRCNN_ERROR_INIT;
    uint64_t index;
    void *item = NULL;
    mrcnn_status status = mr_loader_next(loader, &index, &item, &unreadable);
    if (status == MRCNN_OK) {
        status = evaluate_picture(r, (size_t)index, item, err);
        release(NULL, item);
        return status;
    }
    if (!mr_may_be_left_out(status, o)) return mr_fail(err, status, "%s", unreadable.message);
    o->left_out(o->user, unreadable.message);
    r->left_out++;
    return MRCNN_OK;
}

static mrcnn_status evaluate_all(run *r, mrcnn_error *err) {
    const mrcnn_evaluate_options *o = r->o;
    const mr_loader_options ahead = {
        .make = read_picture, .release = release, .user = r, .threads = 1, .bytes = MOST_BYTES};
    mr_loader *loader = NULL;
    r->count = mrcnn_dataset_count(r->reader.set);
    if (o->limit && o->limit < r->count) r->count = o->limit;
    mrcnn_status status = mr_loader_create(&loader, &ahead, err);
    for (size_t i = 0; status == MRCNN_OK && i < r->count; i++)
        status =
            o->progress && o->progress(o->user, i, r->count)
                ? mr_fail(err, MRCNN_E_CANCELLED, "stopped after %zu of %zu pictures", i, r->count)
                : evaluate_next(r, loader, err);
    mr_loader_free(&loader);
    return status;
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
