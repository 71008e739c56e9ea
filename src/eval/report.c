/* report.c - the figures of an evaluation as mrcnn_report. */
#include "eval/evaluation.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/numpy_sum.h"

#include <stdlib.h>
#include <string.h>

void mrcnn_report_free(mrcnn_report **report) {
    if (!report || !*report) return;
    mrcnn_report *r = *report;
    for (int id = 0; r->curves && id < r->class_count; id++) {
        free((void *)r->curves[id].bbox);
        free((void *)r->curves[id].segm);
    }
    free((void *)r->curves);
    free((void *)r->classes);
    free((void *)r->confusion);
    free(r);
    *report = NULL;
}

static int compare_pictures(const void *a, const void *b) {
    const mr_picture_figures *x = a, *y = b;
    return (x->picture > y->picture) - (x->picture < y->picture);
}

/* Means in the order of pictures, whoever looked at which. */
static mrcnn_status take_means(const mrcnn_evaluation *e, mrcnn_report *r, mrcnn_error *err) {
    size_t count = e->figure_count;
    mr_picture_figures *sorted = mr_calloc(count, sizeof *sorted);
    double *values = mr_calloc(count, sizeof *values);
    int ready = sorted && values;
    if (ready) {
        if (count) memcpy(sorted, e->figures, count * sizeof *sorted);
        if (count) qsort(sorted, count, sizeof *sorted, compare_pictures);
        for (size_t i = 0; i < count; i++) values[i] = sorted[i].ap50;
        r->picture_map50 = mr_numpy_mean(values, count);
        for (size_t i = 0; i < count; i++) values[i] = sorted[i].ap_range;
        r->picture_map = mr_numpy_mean(values, count);
    }
    free(sorted);
    free(values);
    return ready ? MRCNN_OK : mr_fail_memory(err, count * sizeof *sorted, "a report");
}

static mrcnn_status copy_confusion(const mr_confusion *c, mrcnn_report *r, mrcnn_error *err) {
    size_t cells = c->class_count * c->class_count;
    r->confusion_score = c->score;
    if (!c->cells) return MRCNN_OK;
    size_t *copy = mr_calloc(cells, sizeof *copy);
    if (!copy) return mr_fail_memory(err, cells * sizeof *copy, "a report");
    memcpy(copy, c->cells, cells * sizeof *copy);
    r->confusion = copy;
    return MRCNN_OK;
}

mrcnn_status mrcnn_evaluation_report(const mrcnn_evaluation *e, mrcnn_report **report,
                                     mrcnn_error *err) {
    size_t rows = (size_t)e->coco.class_count;
    mrcnn_report *r = mr_calloc(1, sizeof *r);
    mrcnn_class_figures *classes = mr_calloc(rows, sizeof *classes);
    mrcnn_class_curves *curves = mr_calloc(rows, sizeof *curves);
    mrcnn_figures figures[MR_COCO_KINDS];
    if (!r || !classes || !curves) {
        free(r);
        free(classes);
        free(curves);
        return mr_fail_memory(err, rows * sizeof *classes, "a report");
    }
    *r = (mrcnn_report){.pictures = e->pictures,
                        .objects = e->objects,
                        .crowds = e->crowds,
                        .detections = e->detections,
                        .class_count = e->coco.class_count,
                        .classes = classes,
                        .curves = curves,
                        .max_detections = e->coco.most,
                        .boxes_only = e->coco.boxes_only};
    mrcnn_status status = mr_coco_figures(&e->coco, figures, classes, curves, err);
    if (status == MRCNN_OK) status = take_means(e, r, err);
    if (status == MRCNN_OK) status = copy_confusion(&e->confusion, r, err);
    if (status == MRCNN_OK) {
        r->bbox = figures[MR_COCO_BBOX];
        r->segm = figures[MR_COCO_SEGM];
        *report = r;
    } else {
        mrcnn_report_free(&r);
    }
    return status;
}
