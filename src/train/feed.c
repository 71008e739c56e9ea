/* feed.c - see feed.h. */
#include "train/feed.h"

#include "base/error.h"
#include "base/memory.h"
#include "train/order.h"

#include <stdlib.h>

/* What a thread keeps for itself. */
typedef struct desk {
    mr_order *order;
    mr_anchor_cache anchors;
} desk;

struct mr_feed {
    mr_feed_options options;
    mr_skips skips;
    desk *desks;             /* one a thread */
    mr_order *order;         /* for the one who takes examples; made when a picture was left out */
    uint8_t *told;           /* of each picture: that it was left out */
    mrcnn_error worst;       /* why the last one was */
    int in_a_row;            /* left out, without another picture between */
    mr_decoded_store *store; /* what all threads have decoded so far */
    mr_loader *loader;
};

static int is_over(const mr_feed *f, uint64_t number) {
    return f->options.end && number >= f->options.end;
}

static size_t picture_of(const mr_feed *f, mr_order *order, uint64_t number) {
    size_t place = mr_order_at(order, number);
    return f->options.pictures ? f->options.pictures[place] : place;
}

static mrcnn_status make_example(void *user, int worker, uint64_t number, void **item,
                                 size_t *bytes, mrcnn_error *err) {
    mr_feed *f = user;
    if (is_over(f, number)) return MRCNN_OK;
    desk *d = &f->desks[worker];
    mr_example_options options = {
        .sample = {f->options.settings, f->options.seed, f->options.training, f->store},
        .cache = &d->anchors};
    mr_example *example = NULL;
    mrcnn_status status = mr_example_load(&example, f->options.set, picture_of(f, d->order, number),
                                          number, &options, err);
    if (status == MRCNN_OK && example) {
        *item = example;
        *bytes = example->bytes;
    }
    return status;
}

static void release_example(void *user, void *item) {
    (void)user;
    mr_example *example = item;
    mr_example_free(&example);
}

static mrcnn_status start(mr_feed *f, mrcnn_error *err) {
    const mr_settings *s = f->options.settings;
    f->desks = mr_calloc((size_t)s->loader_threads, sizeof *f->desks);
    if (!f->desks) return mr_fail_memory(err, sizeof *f->desks, "loader threads");
    if (s->loader_cache > 0) {
        mrcnn_status status = mr_decoded_store_create(&f->store, f->options.set, s,
                                                      (size_t)s->loader_cache * 1000000, err);
        if (status != MRCNN_OK) return status;
    }
    for (int i = 0; i < s->loader_threads; i++) {
        mrcnn_status status = mr_order_create(&f->desks[i].order, (size_t)f->skips.picture_count,
                                              f->options.seed, f->options.training, err);
        if (status != MRCNN_OK) return mr_prefix(err, status, f->options.name);
    }
    mr_loader_options options = {.make = make_example,
                                 .release = release_example,
                                 .user = f,
                                 .threads = s->loader_threads,
                                 .bytes = (size_t)s->loader_memory * 1000000,
                                 .start = f->options.start};
    return mr_loader_create(&f->loader, &options, err);
}

mrcnn_status mr_feed_open(mr_feed **feed, const mr_feed_options *options, mrcnn_error *err) {
    mr_feed *f = mr_calloc(1, sizeof *f);
    if (!f) return mr_fail_memory(err, sizeof *f, "a feed");
    f->options = *options;
    f->skips.picture_count =
        options->pictures ? options->picture_count : mr_dataset_picture_count(options->set);
    mrcnn_status status = start(f, err);
    if (status != MRCNN_OK)
        mr_feed_free(&f);
    else
        *feed = f;
    return status;
}

/* What is wrong with one file leaves that file out (N62); short memory and wrong settings don't. */
static int may_be_left_out(const mr_feed *f, mrcnn_status status) {
    return f->options.left_out &&
           (status == MRCNN_E_IO || status == MRCNN_E_FORMAT || status == MRCNN_E_UNSUPPORTED);
}

/* Not a bad picture, but a disk that went away. matterport gives up at the sixth, in a row or not. */
enum { MOST_IN_A_ROW = 5 };

static mrcnn_status leave_out(mr_feed *f, uint64_t number, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    size_t count = (size_t)f->skips.picture_count;
    if (++f->in_a_row > MOST_IN_A_ROW)
        return mr_fail(err, f->worst.status, "%d pictures in a row can't be read; the last one: %s",
                       f->in_a_row, f->worst.message);
    if (!f->told) f->told = mr_calloc(count, 1);
    if (!f->told) return mr_fail_memory(err, count, "pictures");
    if (!f->order)
        status = mr_order_create(&f->order, count, f->options.seed, f->options.training, err);
    if (status != MRCNN_OK) return status;
    uint8_t *told = &f->told[mr_order_at(f->order, number)];
    if (!*told) f->options.left_out(f->options.user, f->worst.message);
    *told = 1;
    return MRCNN_OK;
}

/* When all of a pass was skipped, the last picture's trouble is the better message. */
static mrcnn_status note_skip(mr_feed *f, uint64_t number, int skipped, mrcnn_error *err) {
    mrcnn_status status = mr_skips_note(&f->skips, number, skipped, f->options.name, err);
    if (status == MRCNN_OK || f->worst.status == MRCNN_OK) return status;
    return mr_fail(err, f->worst.status, "no picture of %s can be learnt from; the last one: %s",
                   f->options.name, f->worst.message);
}

mrcnn_status mr_feed_next(mr_feed *feed, mr_example **example, mrcnn_error *err) {
    for (;;) {
        void *item = NULL;
        uint64_t number;
        mrcnn_error why = MRCNN_ERROR_INIT;
        mrcnn_status status = mr_loader_next(feed->loader, &number, &item, &why);
        if (may_be_left_out(feed, status)) {
            feed->worst = why;
            status = leave_out(feed, number, err);
        } else if (status != MRCNN_OK) {
            mr_fail(err, status, "%s", why.message);
        }
        if (status != MRCNN_OK) return status;
        if (is_over(feed, number)) {
            *example = NULL;
            return MRCNN_OK;
        }
        if (item) feed->in_a_row = 0;
        status = note_skip(feed, number, !item, err);
        if (status == MRCNN_OK && item) *example = item;
        if (status != MRCNN_OK || item) return status;
    }
}

void mr_feed_stop(mr_feed *feed) {
    mr_loader_stop(feed->loader);
}

void mr_feed_pause(mr_feed *feed, int on) {
    if (on)
        mr_loader_pause(feed->loader);
    else
        mr_loader_resume(feed->loader);
}

mr_loader_stats mr_feed_get_stats(mr_feed *feed) {
    return mr_loader_get_stats(feed->loader);
}

void mr_feed_free(mr_feed **feed) {
    if (!feed || !*feed) return;
    mr_feed *f = *feed;
    mr_loader_free(&f->loader);
    for (int i = 0; f->desks && i < f->options.settings->loader_threads; i++) {
        mr_order_free(&f->desks[i].order);
        mr_anchor_cache_free(&f->desks[i].anchors);
    }
    mr_decoded_store_free(&f->store);
    mr_order_free(&f->order);
    free(f->told);
    free(f->desks);
    free(f);
    *feed = NULL;
}
