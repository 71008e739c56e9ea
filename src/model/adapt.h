/* adapt.h - a first convolution that learned from pictures of other channels, made to fit. */
#ifndef MR_MODEL_ADAPT_H
#define MR_MODEL_ADAPT_H

#include "weights/weights.h"

/* 1 when `have`, of a file, becomes `want` of a model whose pictures have `channels` by exchanging
 * channels alone: conv1's kernel, equal in all but its third axis. */
int mr_can_adapt(const mr_tensor *have, const mr_tensor *want, int channels);

/* Fills `want`. The colours of a file (three channels, or grey when it has one or two) become those of
 * the model, such that a picture gives what its conversion to the file's channels gave:
 *   RGB to grey   the sum over R, G and B: a grey picture gives what its copy to RGB gave
 *   grey to RGB   0.299, 0.587 and 0.114 of grey: RGB gives what its luma gave
 * Channels behind the colours are taken over in order; what the file lacks starts as a third of all
 * its colours together (of RGB: their mean); what the model lacks is dropped. */
void mr_adapt(mr_tensor *want, const mr_tensor *have);

/* The same in words: "channel 4 starts as the mean of R, G and B"; malloc'ed, NULL: no memory. */
char *mr_adapt_note(const mr_tensor *want, const mr_tensor *have);

#endif
