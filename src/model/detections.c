/* detections.c - see detections.h. */
#include "model/detections.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
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

/* N35: a minimum of 0 switches the test off. Soft-NMS only lowers scores, so what isn't sure enough now
 * will not be, and would take score from nothing that is. */
static int is_wanted(const mr_detection *d, const float *confidence) {
    float minimum = confidence[d->class_id];
    return d->class_id > 0 && (minimum == 0 || d->score >= minimum);
}

static void record_row(const mr_detection_record *record, const mr_detection *d, int wanted) {
    mrcnn_proposal *row = &record->rows[d->roi];
    row->class_id = d->class_id;
    row->score = row->final_score = d->score;
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
    float *scores;            /* total, like left: for Soft-NMS */
    int32_t *left;
    int32_t *keep; /* max */
    float *work;   /* max x 5 */
} nms_buffers;

static int allocate(nms_buffers *b, size_t total, size_t max) {
    b->candidates = mr_calloc(total, sizeof *b->candidates);
    b->boxes = mr_calloc(total, 4 * sizeof *b->boxes);
    b->scores = mr_calloc(total, sizeof *b->scores);
    b->left = mr_calloc(total, sizeof *b->left);
    b->keep = mr_calloc(max, sizeof *b->keep);
    b->work = mr_calloc(max, 5 * sizeof *b->work);
    return b->candidates && b->boxes && b->scores && b->left && b->keep && b->work;
}

static void release(nms_buffers *b) {
    free(b->candidates);
    free(b->boxes);
    free(b->scores);
    free(b->left);
    free(b->keep);
    free(b->work);
}

/* Where any score is good enough, what Soft-NMS left less of than the paper's own program keeps is gone
 * all the same: all proposals round an object would be detections. */
static const float least_score = 0.001f;

static size_t soften(nms_buffers *b, mr_detection *candidates, size_t count, float minimum,
                     const mr_settings *s, const mr_detection_record *record) {
    mr_soft_nms how = {.is_gaussian = s->detection_nms == MR_SUPPRESS_GAUSSIAN,
                       .threshold = (float)s->detection_nms_threshold,
                       .sigma = (float)s->detection_nms_sigma,
                       .minimum = minimum > least_score ? minimum : least_score};
    for (size_t i = 0; i < count; i++) b->scores[i] = candidates[i].score;
    size_t kept = mr_nms_soft(b->boxes, b->scores, count, &how, (size_t)s->detection_max_instances,
                              b->keep, b->left, record ? &record->nms : NULL);
    for (size_t i = 0; i < count; i++) {
        candidates[i].score = b->scores[i];
        if (record) record->rows[candidates[i].roi].final_score = b->scores[i];
    }
    return kept;
}

/* The order of b->keep is that of falling scores, and not that of the candidates: survivors are told
 * apart first, so that none is written over before it is read. */
static size_t gather(nms_buffers *b, size_t start, size_t count, size_t kept, size_t survivors) {
    for (size_t i = 0; i < count; i++) b->left[i] = 0;
    for (size_t i = 0; i < kept; i++) b->left[b->keep[i]] = 1;
    for (size_t i = 0; i < count; i++)
        if (b->left[i]) b->candidates[survivors++] = b->candidates[start + i];
    return survivors;
}

/* N36: NMS within each class; survivors move to the front. Candidates are sorted by class and
 * score. */
static size_t suppress_by_class(nms_buffers *b, size_t count, const mr_settings *s,
                                const float *confidence, const mr_detection_record *record) {
    size_t max = (size_t)s->detection_max_instances, survivors = 0;
    for (size_t start = 0, end; start < count; start = end) {
        for (end = start; end < count; end++) {
            if (b->candidates[end].class_id != b->candidates[start].class_id) break;
            memcpy(b->boxes + 4 * (end - start), b->candidates[end].box, 4 * sizeof(float));
        }
        mr_detection *candidates = b->candidates + start;
        size_t kept =
            s->detection_nms == MR_SUPPRESS_HARD
                ? mr_nms_sorted(b->boxes, end - start, (float)s->detection_nms_threshold, max,
                                b->keep, b->work, record ? &record->nms : NULL)
                : soften(b, candidates, end - start, confidence[candidates->class_id], s, record);
        if (record) record_suppressed(record, candidates, end - start);
        survivors = gather(b, start, end - start, kept, survivors);
    }
    return survivors;
}

mrcnn_status mr_refine_detections(const mr_box_output *o, const float window[4],
                                  const mr_settings *s, const float *confidence,
                                  mr_detection *detections, size_t *count,
                                  const mr_detection_record *record, mrcnn_error *err) {
    size_t max = (size_t)s->detection_max_instances;
    nms_buffers b = {0};
    mrcnn_status status = MRCNN_OK;
    *count = 0;
    if (!allocate(&b, o->total, max)) {
        status = mr_fail_memory(err, o->total * sizeof *b.candidates, "detections");
    } else {
        size_t wanted = 0;
        for (size_t row = 0; row < o->total; row++) {
            mr_detection d = classify(o, row, window, s, record);
            int is = is_wanted(&d, confidence);
            if (record) record_row(record, &d, is);
            if (is) b.candidates[wanted++] = d;
        }
        qsort(b.candidates, wanted, sizeof *b.candidates, by_class_then_score);
        size_t survivors = suppress_by_class(&b, wanted, s, confidence, record);
        qsort(b.candidates, survivors, sizeof *b.candidates, by_score);
        if (record) record_ranks(record, b.candidates, survivors, max);
        *count = survivors < max ? survivors : max;
        memcpy(detections, b.candidates, *count * sizeof *detections);
    }
    release(&b);
    return status;
}

/* The way back that undoes what resizing, padding and cropping did to the picture: a pixel is a square,
 * and its edges stay edges. N38 maps centres of the outermost pixels onto each other instead, by which
 * boxes grow or shrink when the picture's size changes. */
static double picture_edge(double network_edge, const mr_fit *fit, int axis) {
    double pad = axis ? fit->pad_left : fit->pad_top, crop = axis ? fit->crop_x : fit->crop_y;
    double original = axis ? fit->original_width : fit->original_height;
    double scaled = axis ? fit->scaled_width : fit->scaled_height;
    return (network_edge - pad + crop) * original / scaled;
}

/* Of a pixel whose centre lies on an edge the upper and the left one count as inside. */
static int32_t first_inside(double edge, int32_t limit) {
    double pixel = ceil(edge - 0.5);
    return pixel > 0 ? pixel < limit ? (int32_t)pixel : limit : 0; /* NaN: 0 */
}

void mr_spot_box(const double edges[4], int height, int width, int32_t box[4]) {
    for (int k = 0; k < 4; k++) box[k] = first_inside(edges[k], k % 2 ? width : height);
}

/* How far inside the box's edges, in pixels of the network, the mask head's outermost samples were taken
 * when it was taught: in the middle of the outermost pixels (N22); or, with mini masks (N31, N54), in the
 * middle of the mini mask's outermost cells. */
static double inset_of_samples(double size, const mr_settings *s, int axis) {
    return s->use_mini_mask ? size / (2.0 * s->mini_mask_shape.values[axis]) : 0.5;
}

int mr_unmold_spot(const float box[4], const mr_fit *fit, const mr_settings *s, mr_spot *spot) {
    if (s->mask_resize != MR_MASK_SUBPIXEL) return mr_unmold_box(box, fit, spot->box);
    for (int axis = 0; axis < 2; axis++) {
        double last = (axis ? fit->width : fit->height) - 1;
        /* N10: what is normalised is the middle of the first and of the last pixel. */
        double begin = (double)box[axis] * last, end = (double)box[2 + axis] * last + 1;
        double inset = inset_of_samples(end - begin, s, axis);
        spot->edges[axis] = picture_edge(begin, fit, axis);
        spot->edges[2 + axis] = picture_edge(end, fit, axis);
        spot->samples[axis] = picture_edge(begin + inset, fit, axis) - 0.5;
        spot->samples[2 + axis] = picture_edge(end - inset, fit, axis) - 0.5;
    }
    mr_spot_box(spot->edges, fit->original_height, fit->original_width, spot->box);
    return spot->box[2] > spot->box[0] && spot->box[3] > spot->box[1];
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
