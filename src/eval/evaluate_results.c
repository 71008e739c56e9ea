/* evaluate_results.c - mrcnn_evaluate_results: a file of detections against a data set. Threads take
 * pictures as they become free, each into an evaluation of its own; these are added up at the end, in
 * an order that doesn't depend on them. */
#include "eval/evaluation.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/parallel.h"
#include "eval/results.h"

#include <stdlib.h>

/* What one thread has. Its first error is that of the earliest of its pictures. */
typedef struct worker {
    mrcnn_evaluation *e;
    mrcnn_error err;
    size_t failed_at;
} worker;

typedef struct run {
    const mrcnn_dataset *set;
    const mrcnn_evaluate_options *o;
    mr_truth_reader reader;
    mr_results results;
    worker *workers;
    int threads;
    size_t begin;        /* of the pictures at hand */
    mrcnn_error *broken; /* of each of them, if it can't be read */
    size_t left_out;
} run;

enum { PICTURES_AT_ONCE = 64 }; /* for each thread, between two looks at progress */

/* -------------------------------------------------------------------------------------- a picture */

typedef struct picture {
    mr_picture_items items;
    mr_truths truths;
    mrcnn_mask *masks;
} picture;

static void free_picture(picture *p) {
    for (size_t i = 0; p->masks && i < p->items.detection_count; i++) mrcnn_mask_free(&p->masks[i]);
    free(p->masks);
    mr_truths_free(&p->truths);
    free(p->items.objects);
    free(p->items.detections);
}

/* What is wrong here lies in the data set, not in the results. */
static mrcnn_status read_truths(picture *p, const run *r, size_t index, mrcnn_error *err) {
    mr_picture_items *items = &p->items;
    int with_masks = r->results.has_masks;
    if (mrcnn_dataset_picture(r->set, index)->object_count == 0 && items->detection_count == 0)
        return MRCNN_OK; /* its size doesn't matter, nor whether it is there */
    mrcnn_status status = mr_truth_size(&r->reader, index, &items->height, &items->width, err);
    if (status == MRCNN_OK)
        status = mr_truths_read(&p->truths, &r->reader, index, items->height, items->width,
                                with_masks, err);
    return status;
}

static mrcnn_status take_truths(picture *p, int with_masks, mrcnn_error *err) {
    mr_picture_items *items = &p->items;
    items->object_count = p->truths.count;
    items->objects = mr_calloc(p->truths.count, sizeof *items->objects);
    if (!items->objects)
        return mr_fail_memory(err, p->truths.count * sizeof *items->objects, "objects");
    for (size_t i = 0; i < p->truths.count; i++) {
        items->objects[i] = mr_item_of_truth(&p->truths.items[i]);
        if (!with_masks) items->objects[i].mask = NULL;
    }
    return MRCNN_OK;
}

static mrcnn_status take_found(picture *p, const run *r, size_t index, mrcnn_error *err) {
    mr_picture_items *items = &p->items;
    size_t count = items->detection_count;
    const mr_found *found = r->results.items + r->results.first[index];
    items->detections = mr_calloc(count, sizeof *items->detections);
    p->masks = mr_calloc(count, sizeof *p->masks);
    if (!items->detections || !p->masks)
        return mr_fail_memory(err, count * sizeof *items->detections, "detections");
    for (size_t i = 0; i < count; i++) {
        mrcnn_status status = mr_results_item(&r->results, &found[i], items->height, items->width,
                                              &items->detections[i], &p->masks[i], err);
        if (status != MRCNN_OK) return status;
    }
    return MRCNN_OK;
}

static mrcnn_status evaluate_picture(run *r, mrcnn_evaluation *e, size_t index, mrcnn_error *err) {
    picture p = {0};
    mrcnn_error *broken = &r->broken[index - r->begin];
    p.items.detection_count = r->results.first[index + 1] - r->results.first[index];
    mrcnn_status status = read_truths(&p, r, index, broken);
    if (status != MRCNN_OK && mr_may_be_left_out(status, r->o)) {
        free_picture(&p);
        return MRCNN_OK; /* said later, in the order of pictures */
    }
    if (status != MRCNN_OK) mr_fail(err, status, "%s", broken->message);
    if (status == MRCNN_OK) status = take_truths(&p, r->results.has_masks, err);
    if (status == MRCNN_OK) status = take_found(&p, r, index, err);
    if (status == MRCNN_OK) {
        status = mr_evaluation_add(e, mr_truth_place(&r->reader, index), &p.items, err);
        if (status != MRCNN_OK) mr_prefix(err, status, mrcnn_dataset_picture(r->set, index)->id);
    }
    free_picture(&p);
    return status;
}

/* ------------------------------------------------------------------------------------ all of them */

static void evaluate_some(void *context, size_t begin, size_t end, int thread) {
    run *r = context;
    worker *w = &r->workers[thread];
    for (size_t i = begin; i < end && w->err.status == MRCNN_OK; i++) {
        w->failed_at = r->begin + i;
        evaluate_picture(r, w->e, r->begin + i, &w->err);
    }
}

/* Of several errors the one of the first picture, which doesn't depend on the threads. */
static mrcnn_status first_error(const run *r, mrcnn_error *err) {
    const worker *first = NULL;
    for (int i = 0; i < r->threads; i++) {
        const worker *w = &r->workers[i];
        if (w->err.status != MRCNN_OK && (!first || w->failed_at < first->failed_at)) first = w;
    }
    return first ? mr_fail(err, first->err.status, "%s", first->err.message) : MRCNN_OK;
}

static void report_broken(run *r, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (r->broken[i].status == MRCNN_OK) continue;
        r->o->left_out(r->o->user, r->broken[i].message);
        r->left_out++;
        r->broken[i] = (mrcnn_error){0};
    }
}

static mrcnn_status evaluate_all(run *r, mrcnn_error *err) {
    const mrcnn_evaluate_options *o = r->o;
    size_t total = mrcnn_dataset_count(r->set);
    size_t step = (size_t)r->threads * PICTURES_AT_ONCE;
    mrcnn_status status = MRCNN_OK;
    if (o->limit && o->limit < total) total = o->limit;
    r->broken = mr_calloc(step, sizeof *r->broken);
    if (!r->broken) return mr_fail_memory(err, step * sizeof *r->broken, "pictures");
    for (; r->begin < total && status == MRCNN_OK; r->begin += step) {
        size_t count = total - r->begin < step ? total - r->begin : step;
        if (o->progress && o->progress(o->user, r->begin, total))
            return mr_fail(err, MRCNN_E_CANCELLED, "stopped after %zu of %zu pictures", r->begin,
                           total);
        mr_parallel_dynamic(r->threads, count, 1, evaluate_some, r);
        status = first_error(r, err);
        if (status == MRCNN_OK) report_broken(r, count);
    }
    return status;
}

static mrcnn_status open_workers(run *r, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    r->workers = mr_calloc((size_t)r->threads, sizeof *r->workers);
    if (!r->workers) return mr_fail_memory(err, sizeof *r->workers, "threads");
    for (int i = 0; i < r->threads && status == MRCNN_OK; i++) {
        mrcnn_evaluation **e = &r->workers[i].e;
        status = mrcnn_evaluation_create(e, mrcnn_dataset_class_count(r->set), err);
        if (status == MRCNN_OK) status = mrcnn_evaluation_configure(*e, r->o, err);
        if (status == MRCNN_OK) (*e)->coco.boxes_only = !r->results.has_masks;
    }
    return status;
}

static mrcnn_status report_on(run *r, mrcnn_report **report, mrcnn_error *err) {
    mrcnn_evaluation *all = r->workers[0].e;
    mrcnn_status status = MRCNN_OK;
    for (int i = 1; i < r->threads && status == MRCNN_OK; i++) {
        status = mr_evaluation_merge(all, r->workers[i].e, err);
        mrcnn_evaluation_free(&r->workers[i].e);
    }
    if (status == MRCNN_OK) status = mrcnn_evaluation_report(all, report, err);
    if (status == MRCNN_OK) (*report)->pictures_left_out = r->left_out;
    return status;
}

static void close_run(run *r) {
    for (int i = 0; r->workers && i < r->threads; i++) mrcnn_evaluation_free(&r->workers[i].e);
    free(r->workers);
    free(r->broken);
    mr_results_close(&r->results);
    mr_truth_reader_close(&r->reader);
}

mrcnn_status mrcnn_evaluate_results(const mrcnn_dataset *set, const char *path,
                                    const mrcnn_evaluate_options *options, mrcnn_report **report,
                                    mrcnn_error *err) {
    mrcnn_evaluate_options o = mrcnn_evaluate_options_default();
    run r = {.set = set, .o = &o, .results = {.file = {.descriptor = -1}}};
    if (!set || !path || !report)
        return mr_fail(err, MRCNN_E_ARGUMENT, "evaluating results: %s is NULL",
                       !set    ? "set"
                       : !path ? "path"
                               : "report");
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_evaluate_options", err);
    r.threads = o.threads > 0 ? o.threads : mr_cores();
    if (status == MRCNN_OK) status = mr_truth_reader_open(&r.reader, set, err);
    if (status == MRCNN_OK) status = mr_results_open(&r.results, path, &r.reader, err);
    if (status == MRCNN_OK) status = open_workers(&r, err);
    if (status == MRCNN_OK) status = evaluate_all(&r, err);
    if (status == MRCNN_OK) status = report_on(&r, report, err);
    close_run(&r);
    return status;
}
