/* feed.h - the examples of a run, one after the other: the order of pictures, the threads that
 * prepare them, and the end of patience with a data set that has nothing to learn from. */
#ifndef MR_TRAIN_FEED_H
#define MR_TRAIN_FEED_H

#include "data/loader.h"
#include "train/example.h"

typedef struct mr_feed_options {
    const mr_dataset *set;
    const size_t *pictures; /* of the set, picture_count of them; NULL: all */
    size_t picture_count;
    const char *name;            /* of the data set, for messages */
    const mr_settings *settings; /* LOADER_THREADS, LOADER_MEMORY and all that examples need */
    uint64_t seed;
    int training; /* shuffled, with random crops and mirroring; else the same pictures each time */
    uint64_t start; /* the first draw: a resumed run goes on behind its last example's number */
    uint64_t end;   /* no draw from this one on; 0: draws never end */
    /* Pictures that can't be read are passed over, too, and told once each, by mr_feed_next. NULL: they
     * are errors. */
    void (*left_out)(void *user, const char *message);
    void *user;
} mr_feed_options;

typedef struct mr_feed mr_feed;

/* Set, pictures, name and settings must outlive the feed. */
mrcnn_status mr_feed_open(mr_feed **feed, const mr_feed_options *options, mrcnn_error *err);

/* The next example, which the caller owns; NULL when all draws are done. Pictures with nothing to
 * learn from are passed over; an error when that was every picture of a pass. After an error of one
 * picture (without left_out) the next call goes on with the next one. */
mrcnn_status mr_feed_next(mr_feed *feed, mr_example **example, mrcnn_error *err);

/* From any thread: mr_feed_next returns MRCNN_E_CANCELLED. */
void mr_feed_stop(mr_feed *feed);
/* While on, no thread prepares anything: for forking. */
void mr_feed_pause(mr_feed *feed, int on);
mr_loader_stats mr_feed_get_stats(mr_feed *feed);
void mr_feed_free(mr_feed **feed);

#endif
