/* evaluate.c - mrcnn_evaluate: a model on a data set. One picture at a time is in memory. */
#include "eval/coco.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "data/data.h"
#include "image/mask.h"
#include "model/session.h"

#include <stdlib.h>
#include <string.h>

mrcnn_evaluate_options mrcnn_evaluate_options_default(void) {
    mrcnn_evaluate_options options = {.size = sizeof options};
    return options;
}

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

/* ------------------------------------------------------------------------------------- objects */

typedef struct truths {
    mrcnn_truth *items;
    size_t count;
} truths;

static void free_truths(truths *all) {
    for (size_t i = 0; i < all->count; i++) mrcnn_mask_free(&all->items[i].mask);
    free(all->items);
}

mrcnn_truth mr_truth_of_mask(const mrcnn_mask *mask, int32_t class_id) {
    int32_t box[4];
    mr_mask_box(mask, box);
    return (mrcnn_truth){.class_id = class_id < 0 ? -class_id : class_id,
                         .is_crowd = class_id < 0,
                         .x = box[1],
                         .y = box[0],
                         .width = (double)box[3] - box[1],
                         .height = (double)box[2] - box[0],
                         .area = (double)mrcnn_mask_area(mask),
                         .mask = *mask};
}

/* Objects without a pixel are left out, as in training (N51). */
static mrcnn_status draw_truths(truths *all, mr_masks *masks, size_t count, uint8_t *scratch,
                                mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < count && status == MRCNN_OK; i++) {
        mrcnn_mask mask = {0};
        int class_id = 0;
        status = mr_masks_encode(masks, i, scratch, &mask, &class_id, err);
        if (status == MRCNN_OK && mrcnn_mask_area(&mask) > 0)
            all->items[all->count++] = mr_truth_of_mask(&mask, class_id);
        else
            mrcnn_mask_free(&mask);
    }
    return status;
}

static mrcnn_status read_truths(truths *all, const mrcnn_dataset *set, size_t index, int32_t height,
                                int32_t width, mrcnn_error *err) {
    size_t count = mrcnn_dataset_picture(set, index)->object_count;
    size_t pixels = (size_t)height * (size_t)width;
    mr_masks masks;
    uint8_t *scratch = malloc(pixels);
    *all = (truths){mr_calloc(count, sizeof *all->items), 0};
    mrcnn_status status = mr_masks_open(&masks, set, index, height, width, err);
    if (status == MRCNN_OK && (!all->items || !scratch))
        status = mr_fail_memory(err, pixels + count * sizeof *all->items, "objects");
    if (status == MRCNN_OK) status = draw_truths(all, &masks, count, scratch, err);
    mr_masks_close(&masks);
    free(scratch);
    if (status != MRCNN_OK) free_truths(all);
    return status;
}

/* ------------------------------------------------------------------------------------ pictures */

static mrcnn_status compare(mrcnn_evaluation *e, const mrcnn_dataset *set, size_t index,
                            const mrcnn_result *found, mrcnn_error *err) {
    truths there;
    mrcnn_status status = read_truths(&there, set, index, found->height, found->width, err);
    if (status != MRCNN_OK) return status;
    status = mrcnn_evaluation_add(e, there.items, there.count, found, err);
    free_truths(&there);
    return status;
}

static mrcnn_status evaluate_picture(mrcnn_session *session, mrcnn_evaluation *e,
                                     const mrcnn_dataset *set, size_t index,
                                     const mrcnn_image *image, mrcnn_error *err) {
    mrcnn_result *found = NULL;
    mrcnn_status status = mrcnn_detect(session, image, 1, &found, err);
    if (status == MRCNN_OK) status = compare(e, set, index, found, err);
    mrcnn_result_free(&found);
    return status == MRCNN_OK ? status
                              : mr_prefix(err, status, mrcnn_dataset_picture(set, index)->id);
}

/* What is wrong with a file is the caller's to judge; short memory is not. */
static int may_be_left_out(mrcnn_status status, const mrcnn_evaluate_options *o) {
    return o->left_out && (status == MRCNN_E_IO || status == MRCNN_E_FORMAT ||
                           status == MRCNN_E_UNSUPPORTED || status == MRCNN_E_ARGUMENT);
}

static mrcnn_status evaluate_all(mrcnn_session *session, mrcnn_evaluation *e,
                                 const mrcnn_dataset *set, const mrcnn_evaluate_options *o,
                                 size_t *left_out, mrcnn_error *err) {
    size_t count = mrcnn_dataset_count(set);
    if (o->limit && o->limit < count) count = o->limit;
    for (size_t i = 0; i < count; i++) {
        mrcnn_image image = {0};
        mrcnn_error unreadable = MRCNN_ERROR_INIT;
        if (o->progress && o->progress(o->user, i, count))
            return mr_fail(err, MRCNN_E_CANCELLED, "stopped after %zu of %zu pictures", i, count);
        mrcnn_status status = mrcnn_dataset_read(set, i, &image, &unreadable);
        if (status == MRCNN_OK) {
            status = evaluate_picture(session, e, set, i, &image, err);
        } else if (may_be_left_out(status, o)) {
            o->left_out(o->user, unreadable.message);
            status = MRCNN_OK;
            ++*left_out;
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
    mrcnn_evaluation *e = NULL;
    size_t left_out = 0;
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_evaluate_options", err);
    if (status == MRCNN_OK) status = check_classes(session->model, set, err);
    if (status == MRCNN_OK)
        status = mrcnn_evaluation_create(&e, mrcnn_model_class_count(session->model), err);
    if (status == MRCNN_OK) status = evaluate_all(session, e, set, &o, &left_out, err);
    if (status == MRCNN_OK) status = mrcnn_evaluation_report(e, report, err);
    if (status == MRCNN_OK) (*report)->pictures_left_out = left_out;
    mrcnn_evaluation_free(&e);
    return status;
}
