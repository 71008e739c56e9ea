/* batches.h - batches of lessons for the learner, made of a feed's examples. */
#ifndef MR_TRAIN_BATCHES_H
#define MR_TRAIN_BATCHES_H

#include "train/feed.h"
#include "train/learner.h"

typedef struct mr_batches mr_batches;

/* Pictures of a step on this machine: IMAGES_PER_GPU x GPU_COUNT. */
int mr_batch_size(const mr_settings *settings);

/* feed: as for mr_feed_open, without an end. */
mrcnn_status mr_batches_open(mr_batches **batches, const mr_feed_options *feed, mrcnn_error *err);
void mr_batches_free(mr_batches **batches);

/* The next batch, valid until the next call: pictures of one size. A picture that can't be read, and
 * sizes that differ, are errors. */
mrcnn_status mr_batches_next(mr_batches *batches, const mr_lesson **lessons, mrcnn_error *err);

/* Of the batch at hand. */
int mr_batches_height(const mr_batches *batches);
int mr_batches_width(const mr_batches *batches);
const mr_sample *mr_batches_sample(const mr_batches *batches, int image);

/* The draw that follows the batch: what a resumed run starts with. */
uint64_t mr_batches_next_draw(const mr_batches *batches);
mr_loader_stats mr_batches_stats(mr_batches *batches);

#endif
