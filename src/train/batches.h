/* feed.h - batches of a data set, one after the other: draws in order, examples loaded ahead by
 * threads, lessons for the learner. */
#ifndef MR_TRAIN_FEED_H
#define MR_TRAIN_FEED_H

#include "data/loader.h"
#include "train/example.h"
#include "train/learner.h"

typedef struct mr_feed mr_feed;

typedef struct mr_feed_options {
    const mr_dataset *set;
    const mr_settings *settings; /* batch size, LOADER_*, SEED, ... */
    const char *name;            /* of the data set, for messages */
    int training;                /* shuffled, mirrored; otherwise the same pictures every time */
    uint64_t start;              /* the first draw */
} mr_feed_options;

mrcnn_status mr_feed_create(mr_feed **feed, const mr_feed_options *options, mrcnn_error *err);
void mr_feed_free(mr_feed **feed);

/* BATCH_SIZE of the settings. */
int mr_batch_size(const mr_settings *settings);

/* The next batch, which is valid until the next call: all of one size. Pictures without anything to
 * learn from are passed over; a data set of nothing else is an error, and so is a picture that can't
 * be read. */
mrcnn_status mr_feed_next(mr_feed *feed, const mr_lesson **lessons, mrcnn_error *err);

/* Of the batch at hand. */
int mr_feed_height(const mr_feed *feed);
int mr_feed_width(const mr_feed *feed);
const mr_sample *mr_feed_sample(const mr_feed *feed, int image);
/* The draw that follows the batch: what a resumed run starts with. */
uint64_t mr_feed_next_draw(const mr_feed *feed);

mr_loader_stats mr_feed_stats(mr_feed *feed);

#endif
