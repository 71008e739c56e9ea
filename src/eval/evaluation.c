/* evaluation.c - comparing pictures one by one and reporting: mrcnn_evaluation_ of mrcnn.h. */
#include "eval/picture_ap.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/mask.h"

#include <math.h>
#include <stdlib.h>

struct mrcnn_evaluation {
    mr_coco coco;
    double ap[MR_COCO_THRESHOLDS]; /* sums over pictures with objects */
    size_t pictures, pictures_with_objects, objects, crowds, detections;
};

mrcnn_status mrcnn_evaluation_create(mrcnn_evaluation **evaluation, int class_count,
                                     mrcnn_error *err) {
    enum { MOST_CLASSES = 1000000 };
    if (class_count < 1 || class_count > MOST_CLASSES)
        return mr_fail(err, MRCNN_E_ARGUMENT, "an evaluation of %d classes; use 1 to %d",
                       class_count, MOST_CLASSES);
    mrcnn_evaluation *e = mr_calloc(1, sizeof *e);
    if (e) e->coco.classes = mr_calloc((size_t)class_count, sizeof *e->coco.classes);
    if (!e || !e->coco.classes) {
        free(e);
        return mr_fail_memory(err, (size_t)class_count * sizeof(mr_coco_class), "an evaluation");
    }
    e->coco.class_count = class_count;
    *evaluation = e;
    return MRCNN_OK;
}

void mrcnn_evaluation_free(mrcnn_evaluation **evaluation) {
    if (!evaluation || !*evaluation) return;
    mr_coco_free(&(*evaluation)->coco);
    free(*evaluation);
    *evaluation = NULL;
}

/* ------------------------------------------------------------------------------------ checking */

/* Where the thing is that a message is about. */
typedef struct place {
    const char *what; /* "object", "detection" */
    size_t index;
    const mrcnn_result *picture;
    int class_count;
} place;

static mrcnn_status check_mask(const mrcnn_mask *mask, const place *at, mrcnn_error *err) {
    uint64_t pixels = (uint64_t)mask->height * (uint64_t)mask->width, sum = 0;
    if (mask->height != at->picture->height || mask->width != at->picture->width)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s %zu: a mask of %d x %d pixels in a picture of "
                       "%d x %d",
                       at->what, at->index, mask->width, mask->height, at->picture->width,
                       at->picture->height);
    for (size_t i = 0; i < mask->count && sum <= pixels; i++) sum += mask->counts[i];
    if (sum != pixels)
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
    if (status == MRCNN_OK) status = check_mask(item->mask, at, err);
    if (status == MRCNN_OK) mr_mask_box(item->mask, item->mask_box);
    return status;
}

/* -------------------------------------------------------------------------------------- adding */

/* A picture's things side by side, crowds behind the other objects. */
typedef struct items {
    mr_coco_item *objects, *detections;
    size_t object_count, crowd_count, detection_count;
} items;

static mr_coco_item item_of_truth(const mrcnn_truth *truth) {
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
                          .score = it->score,
                          .x = it->x1,
                          .y = it->y1,
                          .width = width,
                          .height = height,
                          .area = {width * height, (double)mrcnn_mask_area(&it->mask)},
                          .mask = &it->mask};
}

static void free_items(items *all) {
    free(all->objects);
    free(all->detections);
}

static mrcnn_status make_items(items *all, const mrcnn_truth *truths, size_t count,
                               const mrcnn_result *found, int class_count, mrcnn_error *err) {
    *all = (items){mr_calloc(count, sizeof(mr_coco_item)),
                   mr_calloc(found->count, sizeof(mr_coco_item)), 0, 0, found->count};
    mrcnn_status status = all->objects && all->detections
                              ? MRCNN_OK
                              : mr_fail_memory(err, count * sizeof(mr_coco_item), "a picture");
    for (int crowds = 0; crowds < 2; crowds++)
        for (size_t i = 0; status == MRCNN_OK && i < count; i++) {
            if ((truths[i].is_crowd != 0) != crowds) continue;
            place at = {"object", i, found, class_count};
            mr_coco_item *item = &all->objects[all->object_count + all->crowd_count];
            *item = item_of_truth(&truths[i]);
            status = finish_item(item, &at, err);
            if (crowds)
                all->crowd_count++;
            else
                all->object_count++;
        }
    for (size_t i = 0; status == MRCNN_OK && i < found->count; i++) {
        place at = {"detection", i, found, class_count};
        all->detections[i] = item_of_instance(&found->instances[i]);
        status = finish_item(&all->detections[i], &at, err);
    }
    if (status != MRCNN_OK) free_items(all);
    return status;
}

mrcnn_status mrcnn_evaluation_add(mrcnn_evaluation *e, const mrcnn_truth *truths, size_t count,
                                  const mrcnn_result *found, mrcnn_error *err) {
    items all;
    double ap[MR_COCO_THRESHOLDS] = {0};
    mrcnn_status status = make_items(&all, truths, count, found, e->coco.class_count, err);
    if (status != MRCNN_OK) return status;
    if (all.object_count)
        status = mr_picture_ap(all.objects, all.object_count, all.detections, all.detection_count,
                               ap, err);
    if (status == MRCNN_OK)
        status = mr_coco_add(&e->coco, all.objects, all.object_count + all.crowd_count,
                             all.detections, all.detection_count, err);
    if (status == MRCNN_OK) {
        for (int t = 0; t < MR_COCO_THRESHOLDS; t++) e->ap[t] += ap[t];
        e->pictures++;
        e->pictures_with_objects += all.object_count > 0;
        e->objects += all.object_count;
        e->crowds += all.crowd_count;
        e->detections += all.detection_count;
    }
    free_items(&all);
    return status;
}

/* ----------------------------------------------------------------------------------- reporting */

void mrcnn_report_free(mrcnn_report **report) {
    if (!report || !*report) return;
    free((void *)(*report)->classes);
    free(*report);
    *report = NULL;
}

mrcnn_status mrcnn_evaluation_report(const mrcnn_evaluation *e, mrcnn_report **report,
                                     mrcnn_error *err) {
    size_t rows = (size_t)e->coco.class_count;
    mrcnn_report *r = mr_calloc(1, sizeof *r);
    mrcnn_class_figures *classes = mr_calloc(rows, sizeof *classes);
    mrcnn_figures figures[MR_COCO_KINDS];
    mrcnn_status status = r && classes ? mr_coco_figures(&e->coco, figures, classes, err)
                                       : mr_fail_memory(err, rows * sizeof *classes, "a report");
    if (status != MRCNN_OK) {
        free(r);
        free(classes);
        return status;
    }
    double pictures = (double)e->pictures_with_objects, sum = 0;
    for (int t = 0; t < MR_COCO_THRESHOLDS; t++) sum += e->ap[t];
    *r = (mrcnn_report){.bbox = figures[MR_COCO_BBOX],
                        .segm = figures[MR_COCO_SEGM],
                        .picture_map50 = pictures > 0 ? e->ap[0] / pictures : -1,
                        .picture_map = pictures > 0 ? sum / MR_COCO_THRESHOLDS / pictures : -1,
                        .pictures = e->pictures,
                        .objects = e->objects,
                        .crowds = e->crowds,
                        .detections = e->detections,
                        .class_count = e->coco.class_count,
                        .classes = classes};
    *report = r;
    return MRCNN_OK;
}
