/* coco_figures.c - from matches to the twelve figures, curves and F1. Sums are taken in numpy's order,
 * so that the figures are pycocotools' to the last bit. */
#include "eval/coco.h"

#include "base/error.h"
#include "base/memory.h"
#include "eval/numpy_sum.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { LIMITS = 3, AT_50 = 0, AT_75 = 5 };

/* A table of [threshold][recall][class] for precision and [threshold][class] for recall, of the
 * classes that have objects in the range at hand. */
typedef struct tables {
    mr_coco_detection *sorted;    /* by class, by falling score */
    double *recalls, *precisions; /* of a class, after each detection */
    double *scores;               /* of each of them */
    double *precision, *recall;
    size_t classes; /* that have objects */
} tables;

/* numpy.linspace(0, 1, 101). */
static double recall_at(int index) {
    return index == MRCNN_RECALLS - 1 ? 1 : index * 0.01;
}

/* ----------------------------------------------------------------------------------- one class */

/* The detections of a class. */
typedef struct span {
    const mr_coco_detection *detections;
    size_t count;
} span;

typedef struct question {
    mr_coco_kind kind;
    int range, threshold, limit;
    size_t objects;
} question;

/* Does the detection count, and is it right? */
static void judge(const mr_coco_detection *d, const question *q, int *right, int *wrong) {
    const mr_coco_outcome *outcome = &d->outcomes[q->kind][q->range];
    int matched = outcome->matched >> q->threshold & 1;
    int ignored = outcome->ignored >> q->threshold & 1;
    *right = matched && !ignored;
    *wrong = !matched && !ignored;
}

/* Fills recalls, precisions and scores; returns how many detections count. */
static size_t trace(tables *t, span found, const question *q) {
    double right = 0, wrong = 0;
    size_t count = 0;
    for (size_t i = 0; i < found.count; i++) {
        const mr_coco_detection *d = &found.detections[i];
        int is_right, is_wrong;
        if (d->rank >= q->limit) continue;
        judge(d, q, &is_right, &is_wrong);
        right += is_right;
        wrong += is_wrong;
        t->recalls[count] = right / (double)q->objects;
        t->scores[count] = d->score;
        t->precisions[count++] = right / (wrong + right + DBL_EPSILON);
    }
    for (size_t i = count; i-- > 1;)
        if (t->precisions[i] > t->precisions[i - 1]) t->precisions[i - 1] = t->precisions[i];
    return count;
}

/* Adds what one threshold says to the class's curves. */
static void add_to_curves(mrcnn_curves *curves, int threshold, int r, double precision,
                          double score) {
    mrcnn_curve *one = threshold == AT_50 ? &curves->at50 : &curves->at75;
    curves->mean.precision[r] += precision;
    curves->mean.score[r] += score;
    if (threshold != AT_50 && threshold != AT_75) return;
    one->precision[r] = precision;
    one->score[r] = score;
}

/* One column of the tables; `curves` may be NULL. */
static void fill_column(tables *t, span found, question q, size_t column, mrcnn_curves *curves) {
    for (q.threshold = 0; q.threshold < MR_COCO_THRESHOLDS; q.threshold++) {
        size_t count = trace(t, found, &q), at = 0;
        size_t row = (size_t)q.threshold;
        t->recall[row * t->classes + column] = count ? t->recalls[count - 1] : 0;
        for (int r = 0; r < MRCNN_RECALLS; r++) {
            while (at < count && t->recalls[at] < recall_at(r)) at++;
            double precision = at < count ? t->precisions[at] : 0;
            t->precision[(row * MRCNN_RECALLS + (size_t)r) * t->classes + column] = precision;
            if (curves)
                add_to_curves(curves, q.threshold, r, precision, at < count ? t->scores[at] : 0);
        }
    }
    for (int r = 0; curves && r < MRCNN_RECALLS; r++) {
        curves->mean.precision[r] /= MR_COCO_THRESHOLDS;
        curves->mean.score[r] /= MR_COCO_THRESHOLDS;
    }
}

/* ----------------------------------------------------------------------------------------- F1 */

static void consider(mrcnn_best_f1 *best, double right, double wrong, double objects,
                     double score) {
    double f1 = 2 * right / (right + wrong + objects);
    if (f1 <= best->f1) return;
    *best = (mrcnn_best_f1){f1, score, right / (right + wrong), right / objects};
}

/* At IoU 0.50, all sizes; the threshold lies on a score, with all of its detections. */
static mrcnn_best_f1 find_best_f1(span found, const question *q) {
    mrcnn_best_f1 best = {0, 0, 0, 0};
    double right = 0, wrong = 0, score = 0;
    for (size_t i = 0; i < found.count; i++) {
        const mr_coco_detection *d = &found.detections[i];
        int is_right, is_wrong;
        if (d->rank >= q->limit) continue;
        if (d->score != score && right > 0)
            consider(&best, right, wrong, (double)q->objects, score);
        judge(d, q, &is_right, &is_wrong);
        right += is_right;
        wrong += is_wrong;
        score = d->score;
    }
    if (right > 0) consider(&best, right, wrong, (double)q->objects, score);
    return best;
}

/* ------------------------------------------------------------------------------------- figures */

static span span_of(const mr_coco *coco, const tables *t, int id, size_t *at) {
    span found = {t->sorted + *at, 0};
    while (*at < coco->count && t->sorted[*at].class_id == id) ++*at;
    found.count = (size_t)(t->sorted + *at - found.detections);
    return found;
}

static mrcnn_curves **curves_of(mrcnn_class_curves *row, mr_coco_kind kind) {
    return kind == MR_COCO_BBOX ? (mrcnn_curves **)&row->bbox : (mrcnn_curves **)&row->segm;
}

static void fill(const mr_coco *coco, tables *t, question q, mrcnn_class_curves *curves) {
    size_t at = 0, column = 0;
    t->classes = 0;
    for (int id = 1; id < coco->class_count; id++)
        t->classes += coco->classes[id].objects[q.range] > 0;
    for (int id = 1; id < coco->class_count; id++) {
        span found = span_of(coco, t, id, &at);
        q.objects = coco->classes[id].objects[q.range];
        if (q.objects)
            fill_column(t, found, q, column++, curves ? *curves_of(&curves[id], q.kind) : NULL);
    }
}

static double mean_precision(const tables *t, int first, int last) {
    size_t row = MRCNN_RECALLS * t->classes;
    return mr_numpy_mean(t->precision + (size_t)first * row, (size_t)(last - first + 1) * row);
}

static double mean_recall(const tables *t) {
    return mr_numpy_mean(t->recall, MR_COCO_THRESHOLDS * t->classes);
}

/* Of the column `class_id` has; recalls and precisions of the whole table are no longer needed. */
static void class_figures(const mr_coco *coco, const tables *t, question q,
                          mrcnn_class_figures *rows) {
    double column[MR_COCO_THRESHOLDS * MRCNN_RECALLS];
    size_t cells = sizeof column / sizeof *column, next = 0, at = 0;
    for (int id = 1; id < coco->class_count; id++) {
        double ap = -1, ap50 = -1, ap75 = -1;
        mrcnn_best_f1 best = {-1, -1, -1, -1};
        span found = span_of(coco, t, id, &at);
        rows[id].objects = coco->classes[id].objects[0];
        if (rows[id].objects) {
            for (size_t i = 0; i < cells; i++) column[i] = t->precision[i * t->classes + next];
            next++;
            ap = mr_numpy_mean(column, cells);
            ap50 = mr_numpy_mean(column, MRCNN_RECALLS);
            ap75 = mr_numpy_mean(column + AT_75 * MRCNN_RECALLS, MRCNN_RECALLS);
            q.objects = rows[id].objects;
            best = find_best_f1(found, &q);
        }
        *(q.kind == MR_COCO_BBOX ? &rows[id].bbox_ap : &rows[id].segm_ap) = ap;
        *(q.kind == MR_COCO_BBOX ? &rows[id].bbox_ap50 : &rows[id].segm_ap50) = ap50;
        *(q.kind == MR_COCO_BBOX ? &rows[id].bbox_ap75 : &rows[id].segm_ap75) = ap75;
        *(q.kind == MR_COCO_BBOX ? &rows[id].bbox_best : &rows[id].segm_best) = best;
    }
}

/* The mean over the classes that have a curve. */
static void mean_curve(const mr_coco *coco, mrcnn_class_curves *rows, mr_coco_kind kind) {
    enum { NUMBERS = sizeof(mrcnn_curves) / sizeof(double) };
    mrcnn_curves *all = *curves_of(&rows[0], kind);
    double *sums = (double *)(void *)all;
    size_t count = 0;
    for (int id = 1; id < coco->class_count; id++) {
        const double *one = (const double *)(const void *)*curves_of(&rows[id], kind);
        count += one != NULL;
        for (size_t i = 0; one && i < NUMBERS; i++) sums[i] += one[i];
    }
    for (size_t i = 0; all && i < NUMBERS; i++) sums[i] /= (double)count;
}

static mrcnn_status make_curves(const mr_coco *coco, mrcnn_class_curves *rows, mr_coco_kind kind,
                                mrcnn_error *err) {
    int any = 0;
    for (int id = coco->class_count - 1; id >= 0; id--) {
        if (id > 0 ? coco->classes[id].objects[0] == 0 : !any) continue;
        mrcnn_curves *made = mr_calloc(1, sizeof *made);
        if (!made) return mr_fail_memory(err, sizeof *made, "curves");
        *curves_of(&rows[id], kind) = made;
        any = 1;
    }
    return MRCNN_OK;
}

static void all_figures(const mr_coco *coco, tables *t, mr_coco_kind kind, mrcnn_figures *f,
                        mrcnn_class_figures *rows, mrcnn_class_curves *curves) {
    const int limits[LIMITS] = {1, 10, coco->most}; /* detections of a class in a picture */
    double *by_limit[LIMITS] = {&f->ar1, &f->ar10, &f->ar100};
    double *precision_by_range[MR_COCO_AREAS] = {&f->ap, &f->ap_small, &f->ap_medium, &f->ap_large};
    double *recall_by_range[MR_COCO_AREAS] = {&f->ar100, &f->ar_small, &f->ar_medium, &f->ar_large};
    question q = {.kind = kind};
    for (int i = 0; i < LIMITS - 1; i++) {
        q.limit = limits[i];
        fill(coco, t, q, NULL);
        *by_limit[i] = mean_recall(t);
    }
    q.limit = coco->most;
    for (q.range = 0; q.range < MR_COCO_AREAS; q.range++) {
        fill(coco, t, q, q.range == 0 ? curves : NULL);
        *precision_by_range[q.range] = mean_precision(t, 0, MR_COCO_THRESHOLDS - 1);
        *recall_by_range[q.range] = mean_recall(t);
        if (q.range > 0) continue;
        f->ap50 = mean_precision(t, AT_50, AT_50);
        f->ap75 = mean_precision(t, AT_75, AT_75);
        class_figures(coco, t, q, rows);
    }
    mean_curve(coco, curves, kind);
}

/* A kind that was not compared. */
static void no_figures(const mr_coco *coco, mrcnn_figures *f, mrcnn_class_figures *rows) {
    const mrcnn_best_f1 none = {-1, -1, -1, -1};
    *f = (mrcnn_figures){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
    for (int id = 1; id < coco->class_count; id++) {
        rows[id].segm_ap = rows[id].segm_ap50 = rows[id].segm_ap75 = -1;
        rows[id].segm_best = none;
    }
}

/* ------------------------------------------------------------------------------------- sorting */

/* Detections of one picture lie in one piece and in order, so that their places tell which of equal
 * scores comes first. */
typedef struct sort_key {
    double score;
    uint32_t picture;
    int32_t class_id;
    size_t index;
} sort_key;

static int compare_keys(const void *a, const void *b) {
    const sort_key *x = a, *y = b;
    if (x->class_id != y->class_id) return x->class_id < y->class_id ? -1 : 1;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    if (x->picture != y->picture) return x->picture < y->picture ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static int sort_detections(const mr_coco *coco, mr_coco_detection *sorted) {
    sort_key *keys = mr_calloc(coco->count, sizeof *keys);
    if (!keys) return 0;
    for (size_t i = 0; i < coco->count; i++) {
        const mr_coco_detection *d = &coco->detections[i];
        keys[i] = (sort_key){d->score, d->picture, d->class_id, i};
    }
    if (coco->count) qsort(keys, coco->count, sizeof *keys, compare_keys);
    for (size_t i = 0; i < coco->count; i++) sorted[i] = coco->detections[keys[i].index];
    free(keys);
    return 1;
}

mrcnn_status mr_coco_figures(const mr_coco *coco, mrcnn_figures figures[MR_COCO_KINDS],
                             mrcnn_class_figures *classes, mrcnn_class_curves *curves,
                             mrcnn_error *err) {
    size_t columns = (size_t)coco->class_count;
    tables t = {.sorted = mr_calloc(coco->count, sizeof *t.sorted),
                .recalls = mr_calloc(coco->count, sizeof(double)),
                .precisions = mr_calloc(coco->count, sizeof(double)),
                .scores = mr_calloc(coco->count, sizeof(double)),
                .precision =
                    mr_calloc(columns, sizeof(double) * MR_COCO_THRESHOLDS * MRCNN_RECALLS),
                .recall = mr_calloc(columns, sizeof(double) * MR_COCO_THRESHOLDS)};
    int ready = t.sorted && t.recalls && t.precisions && t.scores && t.precision && t.recall &&
                sort_detections(coco, t.sorted);
    mrcnn_status status =
        ready ? MRCNN_OK : mr_fail_memory(err, coco->count * sizeof *t.sorted, "figures");
    for (int kind = 0; kind < MR_COCO_KINDS && status == MRCNN_OK; kind++) {
        if (kind == MR_COCO_SEGM && coco->boxes_only) {
            no_figures(coco, &figures[kind], classes);
            continue;
        }
        status = make_curves(coco, curves, (mr_coco_kind)kind, err);
        if (status == MRCNN_OK)
            all_figures(coco, &t, (mr_coco_kind)kind, &figures[kind], classes, curves);
    }
    free(t.sorted);
    free(t.recalls);
    free(t.precisions);
    free(t.scores);
    free(t.precision);
    free(t.recall);
    return status;
}
