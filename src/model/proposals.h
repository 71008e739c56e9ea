/* proposals.h - the proposal layer: from RPN outputs to a few boxes worth looking at (N11-N18). */
#ifndef MR_MODEL_PROPOSALS_H
#define MR_MODEL_PROPOSALS_H

#include "model/boxes.h"

#include <mrcnn/trace.h>

typedef struct mr_rpn_level {
    const float *logits; /* count x 2: background, object */
    const float *deltas; /* count x 4 */
    size_t count;        /* anchors */
} mr_rpn_level;

typedef struct mr_proposer
    mr_proposer; /* buffers for one picture size, so that a run allocates nothing */

mr_proposer *mr_proposer_create(const mr_settings *settings, size_t anchors, size_t max_proposals);
void mr_proposer_free(mr_proposer **proposer);
size_t mr_proposer_bytes(const mr_proposer *proposer);

/* What a trace keeps of a run. Of candidates, level and anchor_box are left to be set. */
typedef struct mr_proposal_record {
    float *scores;               /* anchors */
    mrcnn_candidate *candidates; /* PRE_NMS_LIMIT, but not more than anchors */
    size_t count;                /* of them that are set */
    mr_nms_record nms;           /* as many: room to work in */
} mr_proposal_record;

/* anchors: normalised, of all levels. proposals: max_proposals x 4 floats; anchor_index (or NULL):
 * which anchor each came from. Returns the number of proposals; what the reference pads with zeros
 * isn't written. `record` may be NULL. */
size_t mr_propose(mr_proposer *proposer, const mr_rpn_level *levels, int level_count,
                  const float *anchors, int threads, float *proposals, int32_t *anchor_index,
                  mr_proposal_record *record);

#endif
