/* roi_targets.c - which proposals the heads learn from, and what they are to answer (N25-N33).
 * Overlaps are float32 in the reference's order of operations: they decide against 0.5. */
#include "base/error.h"
#include "base/memory.h"
#include "base/prng.h"
#include "graph/sampling.h"
#include "image/bits.h"
#include "model/targets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float positive_overlap = 0.5f, crowd_overlap = 0.001f; /* N27, N26 */

/* Normalised boxes as columns, so that a proposal is compared with many at once. */
typedef struct box_set {
    size_t count;
    float *y1, *x1, *y2, *x2, *area;
    int32_t *objects; /* index in the ground truth */
} box_set;

typedef struct candidate {
    int32_t proposal; /* -1: the object's own box */
    int32_t target;   /* positives: index in the set of targets */
} candidate;

struct mr_roi_matcher {
    int paper, random, mini_masks, num_classes;
    size_t rois, max_positives;
    float inverse_ratio, std_dev[4];
    int mask_height, mask_width;
    size_t box_room, candidate_room;
    box_set targets, crowds;          /* box_room each */
    float *boxes;                     /* the columns of both: 10 x box_room */
    int32_t *objects;                 /* 2 x box_room */
    float *overlaps;                  /* box_room */
    candidate *positives, *negatives; /* candidate_room each, one block */
    mr_roi_targets out;
};

/* --------------------------------------------------------------------------------- the buffers */

static void lay_columns(box_set *set, float *boxes, int32_t *objects, size_t room) {
    set->y1 = boxes;
    set->x1 = boxes + room;
    set->y2 = boxes + 2 * room;
    set->x2 = boxes + 3 * room;
    set->area = boxes + 4 * room;
    set->objects = objects;
}

static int reserve_boxes(mr_roi_matcher *m, size_t room) {
    if (room <= m->box_room) return 1;
    float *boxes = mr_calloc(room, 10 * sizeof *boxes);
    float *overlaps = mr_calloc(room, sizeof *overlaps);
    int32_t *objects = mr_calloc(room, 2 * sizeof *objects);
    if (!boxes || !overlaps || !objects) {
        free(boxes);
        free(overlaps);
        free(objects);
        return 0;
    }
    free(m->boxes);
    free(m->overlaps);
    free(m->objects);
    m->boxes = boxes;
    m->overlaps = overlaps;
    m->objects = objects;
    m->box_room = room;
    lay_columns(&m->targets, boxes, objects, room);
    lay_columns(&m->crowds, boxes + 5 * room, objects + room, room);
    return 1;
}

static int reserve_candidates(mr_roi_matcher *m, size_t room) {
    if (room <= m->candidate_room) return 1;
    candidate *both = mr_calloc(room, 2 * sizeof *both);
    if (!both) return 0;
    free(m->positives);
    m->positives = both;
    m->negatives = both + room;
    m->candidate_room = room;
    return 1;
}

mr_roi_matcher *mr_roi_matcher_create(const mr_settings *s) {
    mr_roi_matcher *m = mr_calloc(1, sizeof *m);
    if (!m) return NULL;
    m->paper = s->compat == MR_COMPAT_PAPER;
    m->random = s->sampling == MR_SAMPLE_RANDOM;
    m->mini_masks = s->use_mini_mask;
    m->num_classes = s->num_classes;
    m->rois = (size_t)s->train_rois_per_image;
    m->max_positives = (size_t)((double)s->train_rois_per_image * s->roi_positive_ratio); /* N28 */
    m->inverse_ratio = (float)(1.0 / s->roi_positive_ratio);
    for (int i = 0; i < 4; i++) m->std_dev[i] = (float)s->bbox_std_dev.values[i];
    m->mask_height = s->mask_shape.values[0];
    m->mask_width = s->mask_shape.values[1];

    size_t objects = (size_t)s->max_gt_instances, proposals = (size_t)s->post_nms_rois_training;
    size_t mask = (size_t)m->mask_height * (size_t)m->mask_width;
    mr_roi_targets *out = &m->out;
    out->proposals = mr_calloc(m->rois, sizeof *out->proposals);
    out->objects = mr_calloc(m->rois, sizeof *out->objects);
    out->rois = mr_calloc(m->rois, sizeof *out->rois);
    out->class_ids = mr_calloc(m->rois, sizeof *out->class_ids);
    out->deltas = mr_calloc(m->max_positives, sizeof *out->deltas);
    out->masks = mr_calloc(m->max_positives, mask * sizeof *out->masks);
    if (!out->proposals || !out->objects || !out->rois || !out->class_ids || !out->deltas ||
        !out->masks || !reserve_boxes(m, objects) || !reserve_candidates(m, proposals + objects))
        mr_roi_matcher_free(&m);
    return m;
}

void mr_roi_matcher_free(mr_roi_matcher **matcher) {
    mr_roi_matcher *m = *matcher;
    if (!m) return;
    free(m->boxes);
    free(m->objects);
    free(m->overlaps);
    free(m->positives);
    free(m->out.proposals);
    free(m->out.objects);
    free(m->out.rois);
    free(m->out.class_ids);
    free(m->out.deltas);
    free(m->out.masks);
    free(m);
    *matcher = NULL;
}

size_t mr_roi_matcher_bytes(const mr_roi_matcher *m) {
    size_t mask = (size_t)m->mask_height * (size_t)m->mask_width;
    size_t roi = 3 * sizeof(int32_t) + 4 * sizeof(float), positive = (4 + mask) * sizeof(float);
    return sizeof *m + m->box_room * (11 * sizeof(float) + 2 * sizeof(int32_t)) +
           m->candidate_room * 2 * sizeof(candidate) + m->rois * roi + m->max_positives * positive;
}

/* ------------------------------------------------------------------------------------ matching */

/* N25: what is padded with zeros is no box. Neither is what isn't finite. */
static int is_box(const float b[4]) {
    float sum = fabsf(b[0]) + fabsf(b[1]) + fabsf(b[2]) + fabsf(b[3]);
    return sum > 0 && isfinite(sum);
}

static void add_box(box_set *set, const float b[4], int object) {
    size_t i = set->count++;
    set->y1[i] = b[0];
    set->x1[i] = b[1];
    set->y2[i] = b[2];
    set->x2[i] = b[3];
    set->area[i] = (b[2] - b[0]) * (b[3] - b[1]);
    set->objects[i] = object;
}

static void get_box(const box_set *set, size_t i, float b[4]) {
    b[0] = set->y1[i];
    b[1] = set->x1[i];
    b[2] = set->y2[i];
    b[3] = set->x2[i];
}

/* N26: crowds are nobody's target. Objects of class 0 are padding. */
static void load_objects(mr_roi_matcher *m, const mr_ground_truth *truth, int height, int width) {
    m->targets.count = m->crowds.count = 0;
    for (int i = 0; i < truth->count; i++) {
        double pixels[4];
        float box[4];
        for (int k = 0; k < 4; k++) pixels[k] = truth->boxes[i][k];
        mr_norm_box(pixels, height, width, box);
        if (truth->class_ids[i] == 0 || !is_box(box)) continue;
        add_box(truth->class_ids[i] > 0 ? &m->targets : &m->crowds, box, i);
    }
}

static float smaller(float a, float b) {
    return a < b ? a : b;
}

static float larger(float a, float b) {
    return a > b ? a : b;
}

/* mr_iou of one box with all of a set; without a branch or a call it becomes vector code. */
static void overlap_all(const box_set *set, const float b[4], float *restrict overlaps) {
    float area = (b[2] - b[0]) * (b[3] - b[1]);
    for (size_t i = 0; i < set->count; i++) {
        float h = smaller(b[2], set->y2[i]) - larger(b[0], set->y1[i]);
        float w = smaller(b[3], set->x2[i]) - larger(b[1], set->x1[i]);
        float inter = larger(w, 0.0f) * larger(h, 0.0f);
        overlaps[i] = inter / (area + set->area[i] - inter);
    }
}

/* The largest overlap and the first index that has it; -infinity for an empty set, NaN as soon as
 * one overlap is NaN (two boxes without area), which then passes no comparison. */
static float best_overlap(const box_set *set, const float box[4], float *overlaps, int32_t *best) {
    float most = -INFINITY;
    overlap_all(set, box, overlaps);
    for (size_t i = 0; i < set->count; i++) {
        if (overlaps[i] > most) {
            most = overlaps[i];
            *best = (int32_t)i;
        } else if (isnan(overlaps[i])) {
            return NAN;
        }
    }
    return most;
}

typedef struct candidate_counts {
    size_t positives, negatives;
} candidate_counts;

static void classify(mr_roi_matcher *m, const float box[4], int32_t proposal, candidate_counts *n) {
    int32_t target = 0, crowd = 0;
    if (!is_box(box)) return;
    float most = best_overlap(&m->targets, box, m->overlaps, &target);
    if (most >= positive_overlap)
        m->positives[n->positives++] = (candidate){proposal, target};
    else if (most < positive_overlap &&
             best_overlap(&m->crowds, box, m->overlaps, &crowd) < crowd_overlap)
        m->negatives[n->negatives++] = (candidate){proposal, -1};
}

/* N30: the paper's own program also learns from the objects' boxes themselves, and lists them
 * first. */
static candidate_counts classify_all(mr_roi_matcher *m, const float *proposals, size_t count) {
    candidate_counts n = {0, 0};
    for (size_t i = 0; m->paper && i < m->targets.count; i++) {
        float box[4];
        get_box(&m->targets, i, box);
        if (box[2] > box[0] && box[3] > box[1])
            m->positives[n.positives++] = (candidate){-1, (int32_t)i};
    }
    for (size_t i = 0; i < count; i++) classify(m, proposals + 4 * i, (int32_t)i, &n);
    return n;
}

/* Moves `wanted` of the candidates to the front, keeping their order, every choice equally likely
 * (selection sampling: Knuth, TAOCP 3.4.2 S), or the first ones. Returns how many there are. */
static size_t choose(candidate *list, size_t count, size_t wanted, int random, uint64_t stream) {
    size_t taken = 0;
    for (size_t i = 0; i < count && taken < wanted; i++) {
        double draw = random ? mr_prng_uniform(stream, i) * (double)(count - i) : 0;
        if (draw < (double)(wanted - taken)) list[taken++] = list[i];
    }
    return taken;
}

/* N28. */
static size_t negatives_wanted(const mr_roi_matcher *m, size_t positives) {
    size_t room = m->rois - positives;
    if (m->paper) return room;
    size_t all = (size_t)(m->inverse_ratio * (float)positives);
    size_t wanted = all > positives ? all - positives : 0;
    return wanted < room ? wanted : room;
}

/* ----------------------------------------------------------------------------------- answering */

/* N31, N22: the mask of an object inside a box that is normalised to the mask. */
static void crop_mask(const mr_roi_matcher *m, const mr_ground_truth *truth, int32_t object,
                      const float box[4], float *out) {
    size_t row = mr_bits_row(truth->mask_width);
    const uint8_t *mask =
        truth->masks + (size_t)object * mr_bits_size(truth->mask_height, truth->mask_width);
    for (int y = 0; y < m->mask_height; y++) {
        mr_sample sy = mr_sample_at(box[0], box[2], truth->mask_height, m->mask_height, y);
        const uint8_t *upper = mask + (size_t)sy.low * row;
        const uint8_t *lower = mask + (size_t)sy.high * row;
        for (int x = 0; x < m->mask_width; x++, out++) {
            mr_sample sx = mr_sample_at(box[1], box[3], truth->mask_width, m->mask_width, x);
            float tl = (float)mr_bit(upper, sx.low), tr = (float)mr_bit(upper, sx.high);
            float bl = (float)mr_bit(lower, sx.low), br = (float)mr_bit(lower, sx.high);
            float top = tl + (tr - tl) * sx.weight, bottom = bl + (br - bl) * sx.weight;
            float value = top + (bottom - top) * sy.weight;
            *out = sy.inside && sx.inside ? rintf(value) : 0.0f; /* a half is 0 */
        }
    }
}

static void answer_positive(mr_roi_matcher *m, size_t row, const mr_ground_truth *truth,
                            const float *proposals) {
    const candidate *c = &m->positives[row];
    mr_roi_targets *out = &m->out;
    float *roi = out->rois[row], object_box[4], crop[4];
    int32_t object = m->targets.objects[c->target];
    get_box(&m->targets, (size_t)c->target, object_box);
    memcpy(roi, c->proposal < 0 ? object_box : proposals + 4 * (size_t)c->proposal,
           4 * sizeof *roi);
    out->proposals[row] = c->proposal;
    out->objects[row] = object;
    out->class_ids[row] = truth->class_ids[object];
    mr_box_refinement(roi, object_box, out->deltas[row]); /* N29 */
    for (int k = 0; k < 4; k++) out->deltas[row][k] /= m->std_dev[k];

    for (int k = 0; k < 4; k++) {
        float start = object_box[k % 2], size = object_box[2 + k % 2] - start;
        crop[k] = m->mini_masks ? (roi[k] - start) / size : roi[k];
    }
    size_t mask = (size_t)m->mask_height * (size_t)m->mask_width;
    crop_mask(m, truth, object, crop, out->masks + row * mask);
}

static void answer_negative(mr_roi_matcher *m, size_t row, const candidate *c,
                            const float *proposals) {
    m->out.proposals[row] = c->proposal;
    m->out.objects[row] = -1;
    m->out.class_ids[row] = 0;
    memcpy(m->out.rois[row], proposals + 4 * (size_t)c->proposal, sizeof *m->out.rois);
}

static mrcnn_status check(const mr_roi_matcher *m, size_t count, const mr_ground_truth *truth,
                          int height, int width, mrcnn_error *err) {
    if (height < 2 || width < 2)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "a picture of %d x %d has no normalised coordinates; it needs 2 x 2 pixels",
                       height, width);
    if (count > INT32_MAX || truth->count < 0)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%zu proposals and %d objects can't be matched",
                       count, truth->count);
    if (truth->count && (!truth->masks || truth->mask_height < 1 || truth->mask_width < 1))
        return mr_fail(err, MRCNN_E_ARGUMENT, "%d objects come without masks", truth->count);
    for (int i = 0; i < truth->count; i++)
        if (truth->class_ids[i] >= m->num_classes)
            return mr_fail(err, MRCNN_E_ARGUMENT,
                           "object %d is of class %d, but NUM_CLASSES is %d (with background)", i,
                           (int)truth->class_ids[i], m->num_classes);
    return MRCNN_OK;
}

mrcnn_status mr_match_rois(mr_roi_matcher *m, const float *proposals, size_t count,
                           const mr_ground_truth *truth, int height, int width, uint64_t stream,
                           mr_roi_targets *targets, mrcnn_error *err) {
    mrcnn_status status = check(m, count, truth, height, width, err);
    if (status != MRCNN_OK) return status;
    size_t objects = (size_t)truth->count;
    if (!reserve_boxes(m, objects) || !reserve_candidates(m, count + objects))
        return mr_fail_memory(err, (count + objects) * 2 * sizeof *m->positives,
                              "matching proposals with objects");
    load_objects(m, truth, height, width);
    candidate_counts n = classify_all(m, proposals, count);
    size_t positives = choose(m->positives, n.positives, m->max_positives, m->random,
                              mr_prng_stream(stream, "positives"));
    size_t negatives = choose(m->negatives, n.negatives, negatives_wanted(m, positives), m->random,
                              mr_prng_stream(stream, "negatives"));
    for (size_t i = 0; i < positives; i++) answer_positive(m, i, truth, proposals);
    for (size_t i = 0; i < negatives; i++)
        answer_negative(m, positives + i, &m->negatives[i], proposals);
    m->out.positive_count = (int)positives;
    m->out.negative_count = (int)negatives;
    m->out.padding = m->paper ? 0 : (int)(m->rois - positives - negatives);
    *targets = m->out;
    return MRCNN_OK;
}
