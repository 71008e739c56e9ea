/* proposals.c - see proposals.h. */
#include "model/proposals.h"

#include "base/memory.h"
#include "base/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct mr_proposer {
    size_t anchors, limit, max_proposals;
    float std_dev[4], threshold;
    float *scores;  /* anchors */
    uint64_t *keys; /* anchors */
    int32_t *top;   /* limit */
    float *boxes;   /* limit x 4 */
    int32_t *keep;  /* max_proposals */
    float *work;    /* 5 x max_proposals */
};

mr_proposer *mr_proposer_create(const mr_settings *settings, size_t anchors, size_t max_proposals) {
    mr_proposer *p = mr_calloc(1, sizeof *p);
    if (!p) return NULL;
    p->anchors = anchors;
    p->limit =
        (size_t)settings->pre_nms_limit < anchors ? (size_t)settings->pre_nms_limit : anchors;
    p->max_proposals = max_proposals;
    p->threshold = (float)settings->rpn_nms_threshold;
    for (int i = 0; i < 4; i++) p->std_dev[i] = (float)settings->rpn_bbox_std_dev.values[i];
    p->scores = mr_calloc(anchors, sizeof *p->scores);
    p->keys = mr_calloc(anchors, sizeof *p->keys);
    p->top = mr_calloc(p->limit, sizeof *p->top);
    p->boxes = mr_calloc(p->limit, 4 * sizeof *p->boxes);
    p->keep = mr_calloc(max_proposals, sizeof *p->keep);
    p->work = mr_calloc(max_proposals, 5 * sizeof *p->work);
    if (!p->scores || !p->keys || !p->top || !p->boxes || !p->keep || !p->work)
        mr_proposer_free(&p);
    return p;
}

void mr_proposer_free(mr_proposer **proposer) {
    mr_proposer *p = *proposer;
    if (!p) return;
    free(p->scores);
    free(p->keys);
    free(p->top);
    free(p->boxes);
    free(p->keep);
    free(p->work);
    free(p);
    *proposer = NULL;
}

size_t mr_proposer_bytes(const mr_proposer *p) {
    return p->anchors * (sizeof *p->scores + sizeof *p->keys) +
           p->limit * (sizeof *p->top + 4 * sizeof *p->boxes) +
           p->max_proposals * (sizeof *p->keep + 5 * sizeof *p->work);
}

typedef struct score_job {
    const float *logits;
    float *scores;
} score_job;

/* N11: softmax of two, in double and rounded once, so that ties are those of the exact values. */
static void score_anchors(void *context, size_t begin, size_t end, int thread) {
    (void)thread;
    const score_job *job = context;
    for (size_t i = begin; i < end; i++) {
        double difference = (double)job->logits[2 * i] - (double)job->logits[2 * i + 1];
        job->scores[i] = (float)(1.0 / (1.0 + exp(difference)));
    }
}

static const float *deltas_of(const mr_rpn_level *levels, int level_count, size_t anchor) {
    int l = 0;
    while (l + 1 < level_count && anchor >= levels[l].count) anchor -= levels[l++].count;
    return levels[l].deltas + 4 * anchor;
}

static void decode(const mr_proposer *p, const mr_rpn_level *levels, int level_count,
                   const float *anchors, size_t count, mr_proposal_record *record) {
    static const float whole[4] = {0, 0, 1, 1};
    for (size_t i = 0; i < count; i++) {
        size_t anchor = (size_t)p->top[i];
        const float *raw = deltas_of(levels, level_count, anchor);
        float deltas[4];
        for (int k = 0; k < 4; k++) deltas[k] = raw[k] * p->std_dev[k];
        mr_apply_deltas(anchors + 4 * anchor, deltas, p->boxes + 4 * i);
        if (record) memcpy(record->candidates[i].refined, p->boxes + 4 * i, 4 * sizeof(float));
        mr_clip_box(p->boxes + 4 * i, whole); /* N16 */
    }
}

/* What NMS said of each candidate. */
static void record_candidates(const mr_proposer *p, size_t anchors, size_t count,
                              mr_proposal_record *record) {
    int32_t kept = 0;
    memcpy(record->scores, p->scores, anchors * sizeof *p->scores);
    record->count = count;
    for (size_t i = 0; i < count; i++) {
        mrcnn_candidate *c = &record->candidates[i];
        int32_t by = record->nms.by[i];
        c->anchor = p->top[i];
        c->score = p->scores[c->anchor];
        memcpy(c->clipped, p->boxes + 4 * i, sizeof c->clipped);
        c->fate = by == MR_NMS_KEPT     ? MRCNN_FATE_KEPT
                  : by == MR_NMS_BEYOND ? MRCNN_FATE_LIMIT
                                        : MRCNN_FATE_SUPPRESSED;
        c->proposal = by == MR_NMS_KEPT ? kept++ : -1;
        c->suppressed_by = by < 0 ? -1 : by;
        c->iou = record->nms.iou[i];
    }
}

size_t mr_propose(mr_proposer *p, const mr_rpn_level *levels, int level_count, const float *anchors,
                  int threads, float *proposals, int32_t *anchor_index,
                  mr_proposal_record *record) {
    size_t done = 0;
    for (int l = 0; l < level_count; l++) {
        score_job job = {levels[l].logits, p->scores + done};
        mr_parallel(threads, levels[l].count, score_anchors, &job);
        done += levels[l].count;
    }
    size_t count = mr_top_k(p->scores, done, p->limit, p->top, p->keys); /* N12 */
    decode(p, levels, level_count, anchors, count, record);
    size_t kept = mr_nms_sorted(p->boxes, count, p->threshold, p->max_proposals, p->keep, p->work,
                                record ? &record->nms : NULL); /* N14 */
    if (record) record_candidates(p, done, count, record);
    for (size_t i = 0; i < kept; i++) {
        for (size_t k = 0; k < 4; k++) proposals[4 * i + k] = p->boxes[4 * (size_t)p->keep[i] + k];
        if (anchor_index) anchor_index[i] = p->top[p->keep[i]];
    }
    return kept;
}
