/* rpn_targets.c - which anchors are objects, which are background, and how far the former are off
 * (N56-N60), in double precision as the reference does it.
 *
 * Nearly all pairs of an anchor and an object lie apart. Anchors come in rows: a block of
 * neighbours has a small box around it, and an object that doesn't meet that box has IoU 0 with all
 * of the block. What is computed is computed as in the reference, so the result is the same. */
#include "model/targets.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/prng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 }; /* anchors: 21 places of 3 ratios */

/* N56. */
static const double positive_iou = 0.7, negative_iou = 0.3, crowd_iou = 0.001;

typedef double box4[4];

/* Objects and crowds as doubles. */
typedef struct boxes {
    int count;
    box4 *at;
    double *best;  /* IoU with any anchor */
    int32_t *near; /* those that may meet the block at hand */
    int near_count;
} boxes;

typedef struct matching {
    const box4 *anchors;
    size_t anchor_count, block_count;
    box4 *bounds; /* around each block */
    boxes objects, crowds;
    int8_t *match; /* 1, -1 or 0 (not learnt from) for each anchor */
} matching;

static double iou(const box4 a, const box4 b) {
    double y1 = a[0] > b[0] ? a[0] : b[0], x1 = a[1] > b[1] ? a[1] : b[1];
    double y2 = a[2] < b[2] ? a[2] : b[2], x2 = a[3] < b[3] ? a[3] : b[3];
    if (y2 <= y1 || x2 <= x1) return 0;
    double inter = (x2 - x1) * (y2 - y1);
    double area_a = (a[2] - a[0]) * (a[3] - a[1]), area_b = (b[2] - b[0]) * (b[3] - b[1]);
    return inter / (area_a + area_b - inter);
}

static int meet(const box4 a, const box4 b) {
    return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}

/* ------------------------------------------------------------------------------------- memory */

static int allocate_boxes(boxes *b, int count) {
    b->at = mr_calloc((size_t)count, sizeof *b->at);
    b->best = mr_calloc((size_t)count, sizeof *b->best);
    b->near = mr_calloc((size_t)count, sizeof *b->near);
    return b->at && b->best && b->near;
}

static void free_boxes(boxes *b) {
    free(b->at);
    free(b->best);
    free(b->near);
}

static mrcnn_status take_truth(matching *m, const mr_ground_truth *truth, mrcnn_error *err) {
    if (!allocate_boxes(&m->objects, truth->count) || !allocate_boxes(&m->crowds, truth->count))
        return mr_fail_memory(err, (size_t)truth->count * sizeof(box4), "boxes of objects");
    for (int i = 0; i < truth->count; i++) {
        const int32_t *box = truth->boxes[i];
        boxes *b = truth->class_ids[i] < 0 ? &m->crowds : &m->objects; /* N59 */
        if (box[2] <= box[0] || box[3] <= box[1])
            return mr_fail(err, MRCNN_E_ARGUMENT, "object %d has an empty box (%d, %d, %d, %d)", i,
                           box[0], box[1], box[2], box[3]);
        for (int k = 0; k < 4; k++) b->at[b->count][k] = box[k];
        b->count++;
    }
    return MRCNN_OK;
}

static mrcnn_status prepare(matching *m, const mr_ground_truth *truth, mrcnn_error *err) {
    if (m->anchor_count > INT32_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "%zu anchors are too many", m->anchor_count);
    m->block_count = (m->anchor_count + BLOCK - 1) / BLOCK;
    m->bounds = mr_calloc(m->block_count, sizeof *m->bounds);
    m->match = mr_calloc(m->anchor_count, sizeof *m->match);
    if (!m->bounds || !m->match)
        return mr_fail_memory(err, m->block_count * sizeof *m->bounds + m->anchor_count,
                              "matching anchors");
    return take_truth(m, truth, err);
}

static void release(matching *m) {
    free(m->bounds);
    free(m->match);
    free_boxes(&m->objects);
    free_boxes(&m->crowds);
}

/* ----------------------------------------------------------------------------------- matching */

static size_t block_end(const matching *m, size_t block) {
    size_t end = (block + 1) * BLOCK;
    return end < m->anchor_count ? end : m->anchor_count;
}

static void bound_block(matching *m, size_t block) {
    box4 b = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (size_t i = block * BLOCK; i < block_end(m, block); i++)
        for (size_t k = 0; k < 2; k++) {
            double low = m->anchors[i][k], high = m->anchors[i][k + 2];
            b[k] = low < b[k] ? low : b[k];
            b[k + 2] = high > b[k + 2] ? high : b[k + 2];
        }
    memcpy(m->bounds[block], b, sizeof b);
}

static void find_near(boxes *b, const box4 bounds) {
    b->near_count = 0;
    for (int i = 0; i < b->count; i++)
        if (meet(b->at[i], bounds)) b->near[b->near_count++] = i;
}

/* The anchor's best IoU with an object. Each object's best is kept up to date. */
static double match_objects(boxes *b, const box4 anchor) {
    double best = 0;
    for (int i = 0; i < b->near_count; i++) {
        int32_t object = b->near[i];
        double overlap = iou(anchor, b->at[object]);
        best = overlap > best ? overlap : best;
        b->best[object] = overlap > b->best[object] ? overlap : b->best[object];
    }
    return best;
}

static int meets_crowd(const boxes *b, const box4 anchor) {
    for (int i = 0; i < b->near_count; i++)
        if (iou(anchor, b->at[b->near[i]]) >= crowd_iou) return 1;
    return 0;
}

static void match_block(matching *m, size_t block) {
    bound_block(m, block);
    find_near(&m->objects, m->bounds[block]);
    find_near(&m->crowds, m->bounds[block]);
    for (size_t i = block * BLOCK; i < block_end(m, block); i++) {
        double best = match_objects(&m->objects, m->anchors[i]);
        if (best >= positive_iou)
            m->match[i] = 1;
        else if (best < negative_iou && !meets_crowd(&m->crowds, m->anchors[i]))
            m->match[i] = -1;
    }
}

/* N56: every anchor that is as good as an object's best is positive. The best of an object that no
 * anchor meets is 0, and then that is every anchor apart from it: all of them, in the reference
 * too. */
static void match_best(matching *m, int object) {
    double best = m->objects.best[object];
    const double *box = m->objects.at[object];
    if (best == 0) {
        memset(m->match, 1, m->anchor_count);
        return;
    }
    for (size_t block = 0; block < m->block_count; block++) {
        if (!meet(box, m->bounds[block])) continue;
        for (size_t i = block * BLOCK; i < block_end(m, block); i++)
            if (iou(m->anchors[i], box) == best) m->match[i] = 1;
    }
}

static void match_anchors(matching *m) {
    for (size_t block = 0; block < m->block_count; block++) match_block(m, block);
    for (int i = 0; i < m->objects.count; i++) match_best(m, i);
}

/* ----------------------------------------------------------------------------------- sampling */

static size_t count_matches(const matching *m, int8_t value) {
    size_t count = 0;
    for (size_t i = 0; i < m->anchor_count; i++) count += m->match[i] == value;
    return count;
}

/* N57: leaves `most` anchors of one kind, each with equal probability or the first ones; returns how
 * many there are. Selection sampling (Knuth 2, 3.4.2, algorithm S) takes the n-th of `left` with
 * probability wanted / left. */
static size_t keep(matching *m, int8_t value, size_t most, mr_sampling sampling, uint64_t stream) {
    size_t left = count_matches(m, value), wanted = most;
    if (left <= most) return left;
    for (size_t i = 0; i < m->anchor_count; i++) {
        if (m->match[i] != value) continue;
        int taken = sampling == MR_SAMPLE_FIRST
                        ? wanted > 0
                        : mr_prng_uniform(stream, left) * (double)left < (double)wanted;
        if (taken)
            wanted--;
        else
            m->match[i] = 0;
        left--;
    }
    return most;
}

/* ------------------------------------------------------------------------------------- deltas */

/* The object that an anchor is moved onto is its own best, the first of equals: not always the one
 * that made it positive (N58). */
static int best_object(const matching *m, const box4 anchor) {
    int object = 0;
    double best = -1;
    for (int i = 0; i < m->objects.count; i++) {
        double overlap = iou(anchor, m->objects.at[i]);
        if (overlap > best) {
            best = overlap;
            object = i;
        }
    }
    return object;
}

/* Box refinement in double. */
static void make_deltas(float out[4], const box4 a, const box4 g, const mr_floats *deviation) {
    double h = a[2] - a[0], w = a[3] - a[1], gh = g[2] - g[0], gw = g[3] - g[1];
    const box4 deltas = {((g[0] + 0.5 * gh) - (a[0] + 0.5 * h)) / h,
                         ((g[1] + 0.5 * gw) - (a[1] + 0.5 * w)) / w, log(gh / h), log(gw / w)};
    for (int k = 0; k < 4; k++) out[k] = (float)(deltas[k] / deviation->values[k]);
}

static void write_targets(mr_rpn_targets *t, const matching *m, const mr_settings *settings) {
    for (size_t i = 0; i < m->anchor_count; i++) {
        if (!m->match[i]) continue;
        t->anchors[t->count] = (int32_t)i;
        t->matches[t->count++] = m->match[i];
        if (m->match[i] < 0) continue;
        const double *object = m->objects.at[best_object(m, m->anchors[i])];
        make_deltas(t->deltas[t->positive_count++], m->anchors[i], object,
                    &settings->rpn_bbox_std_dev);
    }
}

static mrcnn_status sample_targets(mr_rpn_targets *targets, matching *m,
                                   const mr_settings *settings, uint64_t stream, mrcnn_error *err) {
    size_t all = (size_t)settings->rpn_train_anchors_per_image;
    size_t positives =
        keep(m, 1, all / 2, settings->sampling, mr_prng_stream(stream, "positive anchors"));
    size_t negatives = keep(m, -1, all - positives, settings->sampling,
                            mr_prng_stream(stream, "negative anchors"));
    mr_rpn_targets t = {.anchors = mr_calloc(positives + negatives, sizeof *t.anchors),
                        .matches = mr_calloc(positives + negatives, sizeof *t.matches),
                        .deltas = mr_calloc(positives, sizeof *t.deltas)};
    if (!t.anchors || !t.matches || !t.deltas) {
        mr_rpn_targets_free(&t);
        return mr_fail_memory(err, all * sizeof *t.deltas, "RPN targets");
    }
    write_targets(&t, m, settings);
    *targets = t;
    return MRCNN_OK;
}

mrcnn_status mr_build_rpn_targets(mr_rpn_targets *targets, const double *anchors,
                                  size_t anchor_count, const mr_ground_truth *truth,
                                  const mr_settings *settings, uint64_t stream, mrcnn_error *err) {
    matching m = {.anchors = (const box4 *)anchors, .anchor_count = anchor_count};
    mrcnn_status status = prepare(&m, truth, err);
    if (status == MRCNN_OK) {
        match_anchors(&m);
        status = sample_targets(targets, &m, settings, stream, err);
    }
    release(&m);
    return status;
}

void mr_rpn_targets_free(mr_rpn_targets *targets) {
    if (!targets) return;
    free(targets->anchors);
    free(targets->matches);
    free(targets->deltas);
    *targets = (mr_rpn_targets){0};
}

size_t mr_rpn_targets_bytes(const mr_rpn_targets *targets) {
    return (size_t)targets->count * (sizeof *targets->anchors + sizeof *targets->matches) +
           (size_t)targets->positive_count * sizeof *targets->deltas;
}
