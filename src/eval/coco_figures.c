/* coco_figures.c - from matches to the twelve figures. Sums are taken in numpy's order, so that the
 * figures are pycocotools' to the last bit. */
#include "eval/coco.h"

#include "base/error.h"
#include "base/memory.h"

#include <float.h>
#include <stdlib.h>

enum { LIMITS = 3 };
static const int limits[LIMITS] = {1, 10, MR_COCO_MOST}; /* detections of a class in a picture */

/* A table of [threshold][recall][class] for precision and [threshold][class] for recall, of the
 * classes that have objects in the range at hand. */
typedef struct tables {
    const mr_coco_detection **sorted; /* by class, by falling score */
    double *recalls, *precisions;     /* of a class, after each detection */
    double *precision, *recall;
    size_t classes; /* that have objects */
} tables;

/* numpy.linspace(0, 1, 101). */
static double recall_at(int index) {
    return index == MR_COCO_RECALLS - 1 ? 1 : index * 0.01;
}

/* --------------------------------------------------------------------------------------- means */

/* numpy's sum: eight partial sums in blocks of up to 128 numbers, and halves of longer arrays added
 * up. */
static double sum(const double *values, size_t count) {
    enum { LANES = 8, BLOCK = 128 };
    double total = 0, lanes[LANES];
    size_t i;
    if (count > BLOCK) {
        size_t half = count / 2 - count / 2 % LANES;
        return sum(values, half) + sum(values + half, count - half);
    }
    if (count >= LANES) {
        for (i = 0; i < LANES; i++) lanes[i] = values[i];
        for (; i < count - count % LANES; i++) lanes[i % LANES] += values[i];
        total = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
                ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
    }
    for (i = count - count % LANES; i < count; i++) total += values[i];
    return total;
}

static double mean(const double *values, size_t count) {
    return count ? sum(values, count) / (double)count : -1;
}

/* ----------------------------------------------------------------------------------- one class */

/* The detections of a class. */
typedef struct span {
    const mr_coco_detection **detections;
    size_t count;
} span;

typedef struct question {
    mr_coco_kind kind;
    int range, threshold, limit;
    size_t objects;
} question;

/* Fills recalls and precisions; returns how many detections count. */
static size_t trace(tables *t, span found, const question *q) {
    double right = 0, wrong = 0;
    size_t count = 0;
    for (size_t i = 0; i < found.count; i++) {
        const mr_coco_detection *d = found.detections[i];
        const mr_coco_outcome *outcome = &d->outcomes[q->kind][q->range];
        int matched = outcome->matched >> q->threshold & 1;
        int ignored = outcome->ignored >> q->threshold & 1;
        if (d->rank >= q->limit) continue;
        right += matched && !ignored;
        wrong += !matched && !ignored;
        t->recalls[count] = right / (double)q->objects;
        t->precisions[count++] = right / (wrong + right + DBL_EPSILON);
    }
    for (size_t i = count; i-- > 1;)
        if (t->precisions[i] > t->precisions[i - 1]) t->precisions[i - 1] = t->precisions[i];
    return count;
}

/* One column of the tables. */
static void fill_column(tables *t, span found, question q, size_t column) {
    for (q.threshold = 0; q.threshold < MR_COCO_THRESHOLDS; q.threshold++) {
        size_t count = trace(t, found, &q), at = 0;
        size_t row = (size_t)q.threshold;
        t->recall[row * t->classes + column] = count ? t->recalls[count - 1] : 0;
        for (int r = 0; r < MR_COCO_RECALLS; r++) {
            while (at < count && t->recalls[at] < recall_at(r)) at++;
            t->precision[(row * MR_COCO_RECALLS + (size_t)r) * t->classes + column] =
                at < count ? t->precisions[at] : 0;
        }
    }
}

static void fill(const mr_coco *coco, tables *t, question q) {
    size_t at = 0, column = 0;
    t->classes = 0;
    for (int id = 1; id < coco->class_count; id++)
        t->classes += coco->classes[id].objects[q.range] > 0;
    for (int id = 1; id < coco->class_count; id++) {
        span found = {t->sorted + at, 0};
        while (at < coco->count && t->sorted[at]->class_id == id) at++;
        found.count = (size_t)(t->sorted + at - found.detections);
        q.objects = coco->classes[id].objects[q.range];
        if (q.objects) fill_column(t, found, q, column++);
    }
}

/* ------------------------------------------------------------------------------------- figures */

static double mean_precision(const tables *t, int first, int last) {
    size_t row = MR_COCO_RECALLS * t->classes;
    return mean(t->precision + (size_t)first * row, (size_t)(last - first + 1) * row);
}

static double mean_recall(const tables *t) {
    return mean(t->recall, MR_COCO_THRESHOLDS * t->classes);
}

/* Of the column `class_id` has; recalls and precisions of the whole table are no longer needed. */
static void class_figures(const mr_coco *coco, const tables *t, mr_coco_kind kind,
                          mrcnn_class_figures *rows) {
    double column[MR_COCO_THRESHOLDS * MR_COCO_RECALLS];
    size_t cells = sizeof column / sizeof *column, next = 0;
    for (int id = 1; id < coco->class_count; id++) {
        double ap = -1, ap50 = -1;
        rows[id].objects = coco->classes[id].objects[0];
        if (rows[id].objects) {
            for (size_t i = 0; i < cells; i++) column[i] = t->precision[i * t->classes + next];
            next++;
            ap = mean(column, cells);
            ap50 = mean(column, MR_COCO_RECALLS);
        }
        *(kind == MR_COCO_BBOX ? &rows[id].bbox_ap : &rows[id].segm_ap) = ap;
        *(kind == MR_COCO_BBOX ? &rows[id].bbox_ap50 : &rows[id].segm_ap50) = ap50;
    }
}

static void all_figures(const mr_coco *coco, tables *t, mr_coco_kind kind, mrcnn_figures *f,
                        mrcnn_class_figures *rows) {
    double *by_limit[LIMITS] = {&f->ar1, &f->ar10, &f->ar100};
    double *precision_by_range[MR_COCO_AREAS] = {&f->ap, &f->ap_small, &f->ap_medium, &f->ap_large};
    double *recall_by_range[MR_COCO_AREAS] = {&f->ar100, &f->ar_small, &f->ar_medium, &f->ar_large};
    question q = {.kind = kind};
    for (int i = 0; i < LIMITS - 1; i++) {
        q.limit = limits[i];
        fill(coco, t, q);
        *by_limit[i] = mean_recall(t);
    }
    q.limit = MR_COCO_MOST;
    for (q.range = 0; q.range < MR_COCO_AREAS; q.range++) {
        fill(coco, t, q);
        *precision_by_range[q.range] = mean_precision(t, 0, MR_COCO_THRESHOLDS - 1);
        *recall_by_range[q.range] = mean_recall(t);
        if (q.range > 0) continue;
        f->ap50 = mean_precision(t, 0, 0);
        f->ap75 = mean_precision(t, 5, 5);
        class_figures(coco, t, kind, rows);
    }
}

/* Detections lie in one array in the order in which equal scores are to stay. */
static int compare_detections(const void *a, const void *b) {
    const mr_coco_detection *x = *(const mr_coco_detection *const *)a;
    const mr_coco_detection *y = *(const mr_coco_detection *const *)b;
    if (x->class_id != y->class_id) return x->class_id < y->class_id ? -1 : 1;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x < y ? -1 : x > y;
}

mrcnn_status mr_coco_figures(const mr_coco *coco, mrcnn_figures figures[MR_COCO_KINDS],
                             mrcnn_class_figures *classes, mrcnn_error *err) {
    size_t columns = (size_t)coco->class_count;
    tables t = {.sorted = mr_calloc(coco->count, sizeof *t.sorted),
                .recalls = mr_calloc(coco->count, sizeof(double)),
                .precisions = mr_calloc(coco->count, sizeof(double)),
                .precision =
                    mr_calloc(columns, sizeof(double) * MR_COCO_THRESHOLDS * MR_COCO_RECALLS),
                .recall = mr_calloc(columns, sizeof(double) * MR_COCO_THRESHOLDS)};
    int ready = t.sorted && t.recalls && t.precisions && t.precision && t.recall;
    if (ready) {
        for (size_t i = 0; i < coco->count; i++) t.sorted[i] = &coco->detections[i];
        if (coco->count) qsort(t.sorted, coco->count, sizeof *t.sorted, compare_detections);
        for (int kind = 0; kind < MR_COCO_KINDS; kind++)
            all_figures(coco, &t, (mr_coco_kind)kind, &figures[kind], classes);
    }
    free(t.sorted);
    free(t.recalls);
    free(t.precisions);
    free(t.precision);
    free(t.recall);
    return ready ? MRCNN_OK : mr_fail_memory(err, coco->count * sizeof(double), "figures");
}
