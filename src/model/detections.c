/* detections.c - see detections.h. */
#include "model/detections.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* N34: the best class of a row, its refined box and score. Without a background that wins, it is the
 * best class of objects. */
static mr_detection classify(const mr_box_output *o, size_t row, const float window[4],
                             const mr_settings *s, const mr_detection_record *record) {
    size_t from = row < o->rois_count ? row : o->rois_count - 1;
    size_t classes = (size_t)s->num_classes;
    const float *probs = o->probs + from * classes;
    size_t best = s->detection_background == MR_BACKGROUND_YIELDS && classes > 1;
    for (size_t c = best + 1; c < classes; c++)
        if (probs[c] > probs[best]) best = c;
    mr_detection d = {.score = probs[best], .class_id = (int32_t)best, .roi = (int32_t)row};
    const float *raw = o->deltas + (from * classes + best) * 4;
    float deltas[4];
    for (int k = 0; k < 4; k++) deltas[k] = raw[k] * (float)s->bbox_std_dev.values[k];
    mr_apply_deltas(o->rois + from * (size_t)o->roi_stride + o->roi_offset, deltas, d.box);
    if (record) memcpy(record->rows[row].refined, d.box, sizeof d.box);
    mr_clip_box(d.box, window);
    return d;
}

/* N35: a minimum of 0 switches the test off. */
static int is_wanted(const mr_detection *d, const mr_settings *s) {
    float minimum = (float)s->detection_min_confidence;
    return d->class_id > 0 && (minimum == 0 || d->score >= minimum);
}

static void record_row(const mr_detection_record *record, const mr_detection *d, int wanted) {
    mrcnn_proposal *row = &record->rows[d->roi];
    row->class_id = d->class_id;
    row->score = d->score;
    memcpy(row->clipped, d->box, sizeof row->clipped);
    row->instance = row->suppressed_by = -1;
    row->iou = 0;
    row->fate = wanted             ? MRCNN_FATE_KEPT
                : d->class_id == 0 ? MRCNN_FATE_BACKGROUND
                                   : MRCNN_FATE_CONFIDENCE;
}

/* What NMS said of the candidates of one class. */
static void record_suppressed(const mr_detection_record *record, const mr_detection *candidates,
                              size_t count) {
    for (size_t i = 0; i < count; i++) {
        mrcnn_proposal *row = &record->rows[candidates[i].roi];
        int32_t by = record->nms.by[i];
        if (by == MR_NMS_KEPT) continue;
        row->fate = by == MR_NMS_BEYOND ? MRCNN_FATE_LIMIT : MRCNN_FATE_SUPPRESSED;
        if (by != MR_NMS_BEYOND) row->suppressed_by = candidates[by].roi;
        row->iou = record->nms.iou[i];
    }
}

static void record_ranks(const mr_detection_record *record, const mr_detection *survivors,
                         size_t count, size_t max) {
    for (size_t i = 0; i < count; i++) {
        mrcnn_proposal *row = &record->rows[survivors[i].roi];
        if (i < max)
            row->instance = (int32_t)i;
        else
            row->fate = MRCNN_FATE_LIMIT;
    }
}

static int by_class_then_score(const void *a, const void *b) {
    const mr_detection *x = a, *y = b;
    if (x->class_id != y->class_id) return x->class_id < y->class_id ? -1 : 1;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->roi > y->roi) - (x->roi < y->roi);
}

static int by_score(const void *a, const void *b) {
    const mr_detection *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->roi > y->roi) - (x->roi < y->roi);
}

typedef struct nms_buffers {
    mr_detection *candidates; /* total */
    float *boxes;             /* total x 4 */
    int32_t *keep;            /* max */
    float *work;              /* max x 5 */
} nms_buffers;

/* N36: NMS within each class; survivors move to the front. Candidates are sorted by class and
 * score. */
static size_t suppress_by_class(nms_buffers *b, size_t count, const mr_settings *s,
                                const mr_detection_record *record) {
    size_t max = (size_t)s->detection_max_instances, survivors = 0;
    for (size_t start = 0, end; start < count; start = end) {
        for (end = start; end < count; end++) {
            if (b->candidates[end].class_id != b->candidates[start].class_id) break;
            memcpy(b->boxes + 4 * (end - start), b->candidates[end].box, 4 * sizeof(float));
        }
        size_t kept = mr_nms_sorted(b->boxes, end - start, (float)s->detection_nms_threshold, max,
                                    b->keep, b->work, record ? &record->nms : NULL);
        if (record) record_suppressed(record, b->candidates + start, end - start);
        for (size_t i = 0; i < kept; i++)
            b->candidates[survivors++] = b->candidates[start + (size_t)b->keep[i]];
    }
    return survivors;
}

mrcnn_status mr_refine_detections(const mr_box_output *o, const float window[4],
                                  const mr_settings *s, mr_detection *detections, size_t *count,
                                  const mr_detection_record *record, mrcnn_error *err) {
    size_t max = (size_t)s->detection_max_instances;
    nms_buffers b = {mr_calloc(o->total, sizeof *b.candidates),
                     mr_calloc(o->total, 4 * sizeof *b.boxes), mr_calloc(max, sizeof *b.keep),
                     mr_calloc(max, 5 * sizeof *b.work)};
    mrcnn_status status = MRCNN_OK;
    *count = 0;
    if (!b.candidates || !b.boxes || !b.keep || !b.work) {
        status = mr_fail_memory(err, o->total * sizeof *b.candidates, "detections");
    } else {
        size_t wanted = 0;
        for (size_t row = 0; row < o->total; row++) {
            mr_detection d = classify(o, row, window, s, record);
            int is = is_wanted(&d, s);
            if (record) record_row(record, &d, is);
            if (is) b.candidates[wanted++] = d;
        }
        qsort(b.candidates, wanted, sizeof *b.candidates, by_class_then_score);
        size_t survivors = suppress_by_class(&b, wanted, s, record);
        qsort(b.candidates, survivors, sizeof *b.candidates, by_score);
        if (record) record_ranks(record, b.candidates, survivors, max);
        *count = survivors < max ? survivors : max;
        memcpy(detections, b.candidates, *count * sizeof *detections);
    }
    free(b.candidates);
    free(b.boxes);
    free(b.keep);
    free(b.work);
    return status;
}

int mr_unmold_box(const float box[4], const mr_fit *fit, int32_t out[4]) {
    double pixels[4];
    float window[4], relative[4];
    for (int i = 0; i < 4; i++) pixels[i] = fit->window[i];
    mr_norm_box(pixels, fit->height, fit->width, window);
    for (int i = 0; i < 4; i++)
        relative[i] = (box[i] - window[i % 2]) / (window[2 + i % 2] - window[i % 2]);
    mr_denorm_box(relative, fit->original_height, fit->original_width, out);
    for (int i = 0; i < 4;
         i++) { /* a window one pixel high divides by zero: stay inside the picture */
        int32_t limit = i % 2 ? fit->original_width : fit->original_height;
        out[i] = out[i] < 0 ? 0 : out[i] > limit ? limit : out[i];
    }
    return out[2] > out[0] && out[3] > out[1];
}
