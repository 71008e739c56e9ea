/* evaluation.c - comparing pictures one by one and reporting: mrcnn_evaluation_ of mrcnn.h. */
#include "eval/evaluation.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "eval/numpy_sum.h"
#include "eval/picture_ap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

mrcnn_evaluate_options mrcnn_evaluate_options_default(void) {
    mrcnn_evaluate_options options = {
        .size = sizeof options, .max_detections = MR_COCO_MOST, .confusion_score = 0.7};
    return options;
}

mrcnn_status mrcnn_evaluation_create(mrcnn_evaluation **evaluation, int class_count,
                                     mrcnn_error *err) {
    enum { MOST_CLASSES = 1000000 };
    if (class_count < 1 || class_count > MOST_CLASSES)
        return mr_fail(err, MRCNN_E_ARGUMENT, "an evaluation of %d classes; use 1 to %d",
                       class_count, MOST_CLASSES);
    mrcnn_evaluation *e = mr_calloc(1, sizeof *e);
    if (!e) return mr_fail_memory(err, sizeof *e, "an evaluation");
    e->coco.class_count = class_count;
    e->coco.most = MR_COCO_MOST;
    e->coco.classes = mr_calloc((size_t)class_count, sizeof *e->coco.classes);
    mrcnn_status status =
        e->coco.classes
            ? mr_confusion_create(&e->confusion, class_count, err)
            : mr_fail_memory(err, (size_t)class_count * sizeof(mr_coco_class), "an evaluation");
    if (status == MRCNN_OK)
        *evaluation = e;
    else
        mrcnn_evaluation_free(&e);
    return status;
}

mrcnn_status mrcnn_evaluation_configure(mrcnn_evaluation *e, const mrcnn_evaluate_options *options,
                                        mrcnn_error *err) {
    enum { FEWEST = 11 };
    mrcnn_evaluate_options o = mrcnn_evaluate_options_default();
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_evaluate_options", err);
    if (status != MRCNN_OK) return status;
    if (e->pictures)
        return mr_fail(err, MRCNN_E_ARGUMENT, "an evaluation is configured before its pictures");
    if (o.max_detections < FEWEST)
        return mr_fail(err, MRCNN_E_ARGUMENT, "max_detections is %d; it must be %d or more",
                       o.max_detections, FEWEST);
    if (!isfinite(o.confusion_score))
        return mr_fail(err, MRCNN_E_ARGUMENT, "confusion_score is no number");
    e->coco.most = o.max_detections;
    e->confusion.score = o.confusion_score;
    return MRCNN_OK;
}

int mr_may_be_left_out(mrcnn_status status, const mrcnn_evaluate_options *o) {
    return o->left_out && (status == MRCNN_E_IO || status == MRCNN_E_FORMAT ||
                           status == MRCNN_E_UNSUPPORTED || status == MRCNN_E_ARGUMENT);
}

void mrcnn_evaluation_free(mrcnn_evaluation **evaluation) {
    if (!evaluation || !*evaluation) return;
    mr_coco_free(&(*evaluation)->coco);
    free((*evaluation)->confusion.cells);
    free((*evaluation)->figures);
    free(*evaluation);
    *evaluation = NULL;
}

/* ------------------------------------------------------------------------------------ checking */

/* Where the thing is that a message is about. */
typedef struct place {
    const char *what; /* "object", "detection" */
    size_t index;
    const mr_picture_items *picture;
    int class_count;
} place;

static mrcnn_status check_mask(const mrcnn_mask *mask, const place *at, mrcnn_error *err) {
    if (mask->height != at->picture->height || mask->width != at->picture->width)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s %zu: a mask of %d x %d pixels in a picture of "
                       "%d x %d",
                       at->what, at->index, mask->width, mask->height, at->picture->width,
                       at->picture->height);
    if (!mr_mask_is_whole(mask))
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s %zu: the runs of its mask don't add up to %d x %d "
                       "pixels",
                       at->what, at->index, mask->width, mask->height);
    return MRCNN_OK;
}

static mrcnn_status check_class(int32_t class_id, const place *at, mrcnn_error *err) {
    if (class_id >= 1 && class_id < at->class_count) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_ARGUMENT, "%s %zu: class %d is none of 1 to %d", at->what,
                   at->index, class_id, at->class_count - 1);
}

static mrcnn_status check_numbers(const mr_coco_item *item, const place *at, mrcnn_error *err) {
    double box = item->x + item->y + item->width + item->height;
    if (isfinite(box) && item->width >= 0 && item->height >= 0 && isfinite(item->score) &&
        item->area[MR_COCO_SEGM] >= 0 && isfinite(item->area[MR_COCO_SEGM]))
        return MRCNN_OK;
    return mr_fail(err, MRCNN_E_ARGUMENT, "%s %zu: its box, area or score is no sensible number",
                   at->what, at->index);
}

static mrcnn_status finish_item(mr_coco_item *item, const place *at, mrcnn_error *err) {
    mrcnn_status status = check_class(item->class_id, at, err);
    if (status == MRCNN_OK) status = check_numbers(item, at, err);
    if (status != MRCNN_OK || !item->mask) return status;
    status = check_mask(item->mask, at, err);
    if (status == MRCNN_OK) mr_coco_look_at_mask(item);
    return status;
}

static mrcnn_status finish_items(mr_picture_items *items, int class_count, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; status == MRCNN_OK && i < items->object_count; i++) {
        place at = {"object", i, items, class_count};
        status = finish_item(&items->objects[i], &at, err);
    }
    for (size_t i = 0; status == MRCNN_OK && i < items->detection_count; i++) {
        place at = {"detection", i, items, class_count};
        status = finish_item(&items->detections[i], &at, err);
    }
    return status;
}

/* -------------------------------------------------------------------------------------- adding */

mr_coco_item mr_item_of_truth(const mrcnn_truth *truth) {
    return (mr_coco_item){.class_id = truth->class_id,
                          .is_crowd = truth->is_crowd != 0,
                          .x = truth->x,
                          .y = truth->y,
                          .width = truth->width,
                          .height = truth->height,
                          .area = {truth->area, truth->area},
                          .mask = &truth->mask};
}

static mr_coco_item item_of_instance(const mrcnn_instance *it) {
    double width = (double)it->x2 - it->x1, height = (double)it->y2 - it->y1;
    return (mr_coco_item){.class_id = it->class_id,
                          .score = (double)it->score,
                          .x = it->x1,
                          .y = it->y1,
                          .width = width,
                          .height = height,
                          .area = {width * height, (double)mrcnn_mask_area(&it->mask)},
                          .mask = &it->mask};
}

/* matterport's figures; is_none when there is no object. */
static mrcnn_status find_picture_ap(const mr_picture_items *items, mr_picture_figures *figures,
                                    int *is_none, mrcnn_error *err) {
    size_t room = items->object_count + items->detection_count, count = 0;
    const mr_coco_item **lists = mr_calloc(room, sizeof *lists);
    double ap[MR_COCO_THRESHOLDS];
    mr_picture_match match = {0};
    if (!lists) return mr_fail_memory(err, room * sizeof *lists, "a picture");
    for (size_t i = 0; i < items->object_count; i++)
        if (!items->objects[i].is_crowd && items->objects[i].pixels)
            lists[count++] = &items->objects[i];
    const mr_coco_item **found = lists + count;
    for (size_t i = 0; i < items->detection_count; i++) found[i] = &items->detections[i];
    *is_none = count == 0;
    mrcnn_status status = MRCNN_OK;
    if (count) {
        status = mr_picture_match_make(&match, lists, count, found, items->detection_count, err);
        for (int t = 0; t < MR_COCO_THRESHOLDS && status == MRCNN_OK; t++) {
            mr_picture_match_at(&match, mr_picture_threshold(t), 0);
            ap[t] = mr_picture_ap(&match);
        }
    }
    if (count && status == MRCNN_OK) {
        figures->ap50 = ap[0];
        figures->ap_range = mr_numpy_mean(ap, MR_COCO_THRESHOLDS);
    }
    mr_picture_match_free(&match);
    free(lists);
    return status;
}

static mrcnn_status make_room(mrcnn_evaluation *e, size_t more, mrcnn_error *err) {
    size_t needed = e->figure_count + more;
    if (needed <= e->figure_room) return MRCNN_OK;
    size_t room = needed < e->figure_room * 2 ? e->figure_room * 2 : needed;
    mr_picture_figures *larger = mr_realloc(e->figures, room, sizeof *larger);
    if (!larger) return mr_fail_memory(err, room * sizeof *larger, "pictures");
    e->figures = larger;
    e->figure_room = room;
    return MRCNN_OK;
}

mrcnn_status mr_evaluation_add(mrcnn_evaluation *e, uint32_t picture, mr_picture_items *items,
                               mrcnn_error *err) {
    mr_picture_figures figures = {.picture = picture};
    int is_none = 1;
    size_t crowds = 0;
    mrcnn_status status = finish_items(items, e->coco.class_count, err);
    if (status == MRCNN_OK) status = make_room(e, 1, err);
    if (status == MRCNN_OK && !e->coco.boxes_only)
        status = find_picture_ap(items, &figures, &is_none, err);
    if (status == MRCNN_OK)
        status = mr_coco_add(&e->coco, picture, items->objects, items->object_count,
                             items->detections, items->detection_count, err);
    if (status == MRCNN_OK)
        status = mr_confusion_add(&e->confusion, e->coco.boxes_only ? MR_COCO_BBOX : MR_COCO_SEGM,
                                  items->objects, items->object_count, items->detections,
                                  items->detection_count, err);
    if (status != MRCNN_OK) return status;
    if (!is_none) e->figures[e->figure_count++] = figures;
    for (size_t i = 0; i < items->object_count; i++) crowds += items->objects[i].is_crowd != 0;
    e->pictures++;
    e->objects += items->object_count - crowds;
    e->crowds += crowds;
    e->detections += items->detection_count;
    return MRCNN_OK;
}

mrcnn_status mr_evaluation_add_result(mrcnn_evaluation *e, uint32_t picture,
                                      const mrcnn_truth *truths, size_t count,
                                      const mrcnn_result *found, mrcnn_error *err) {
    mr_picture_items items = {.height = found->height,
                              .width = found->width,
                              .objects = mr_calloc(count, sizeof *items.objects),
                              .detections = mr_calloc(found->count, sizeof *items.detections),
                              .object_count = count,
                              .detection_count = found->count};
    mrcnn_status status = items.objects && items.detections
                              ? MRCNN_OK
                              : mr_fail_memory(err, count * sizeof(mr_coco_item), "a picture");
    if (status == MRCNN_OK) {
        for (size_t i = 0; i < count; i++) items.objects[i] = mr_item_of_truth(&truths[i]);
        for (size_t i = 0; i < found->count; i++)
            items.detections[i] = item_of_instance(&found->instances[i]);
        status = mr_evaluation_add(e, picture, &items, err);
    }
    free(items.objects);
    free(items.detections);
    return status;
}

mrcnn_status mrcnn_evaluation_add(mrcnn_evaluation *e, const mrcnn_truth *truths, size_t count,
                                  const mrcnn_result *found, mrcnn_error *err) {
    if (e->pictures >= UINT32_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "an evaluation of too many pictures");
    return mr_evaluation_add_result(e, (uint32_t)e->pictures, truths, count, found, err);
}

mrcnn_status mr_evaluation_merge(mrcnn_evaluation *e, const mrcnn_evaluation *other,
                                 mrcnn_error *err) {
    mrcnn_status status = make_room(e, other->figure_count, err);
    if (status == MRCNN_OK) status = mr_coco_merge(&e->coco, &other->coco, err);
    if (status != MRCNN_OK) return status;
    if (other->figure_count)
        memcpy(e->figures + e->figure_count, other->figures,
               other->figure_count * sizeof *e->figures);
    e->figure_count += other->figure_count;
    size_t classes = e->confusion.class_count, cells = e->confusion.cells ? classes * classes : 0;
    for (size_t i = 0; i < cells; i++) e->confusion.cells[i] += other->confusion.cells[i];
    e->pictures += other->pictures;
    e->objects += other->objects;
    e->crowds += other->crowds;
    e->detections += other->detections;
    return MRCNN_OK;
}
