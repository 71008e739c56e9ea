/* proposals.h - the proposal layer: from RPN outputs to a few boxes worth looking at (N11-N18). */
#ifndef MR_MODEL_PROPOSALS_H
#define MR_MODEL_PROPOSALS_H

#include "model/boxes.h"

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

/* anchors: normalised, of all levels. proposals: max_proposals x 4 floats; anchor_index (or NULL):
 * which anchor each came from. Returns the number of proposals; what the reference pads with zeros
 * isn't written. */
size_t mr_propose(mr_proposer *proposer, const mr_rpn_level *levels, int level_count,
                  const float *anchors, int threads, float *proposals, int32_t *anchor_index);

#endif
