/* feed.c - see feed.h. */
#include "train/feed.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/prng.h"
#include "train/order.h"

#include <stdlib.h>

typedef struct worker {
    mr_order *order;
    mr_anchor_cache anchors;
} worker;

struct mr_feed {
    mr_feed_options options;
    uint64_t seed, stream;
    int batch, worker_count;
    worker *workers;
    mr_loader *loader;
    mr_skips skips;
    mr_example **examples; /* the batch at hand */
    mr_lesson *lessons;
    uint64_t next;
};

int mr_batch_size(const mr_settings *settings) {
    return settings->images_per_gpu * settings->gpu_count;
}

static mrcnn_status make(void *user, int index, uint64_t number, void **item, size_t *bytes,
                         mrcnn_error *err) {
    mr_feed *feed = user;
    worker *w = &feed->workers[index];
    mr_example_options options = {
        .sample = {feed->options.settings, feed->seed, feed->options.training},
        .cache = &w->anchors};
    mr_example *example = NULL;
    size_t picture = mr_order_at(w->order, number);
    mrcnn_status status =
        mr_example_load(&example, feed->options.set, picture, number, &options, err);
    *item = example;
    *bytes = example ? example->bytes : 0;
    return status;
}

static void release(void *user, void *item) {
    (void)user;
    mr_example *example = item;
    mr_example_free(&example);
}

static mrcnn_status start_loader(mr_feed *feed, mrcnn_error *err) {
    const mr_settings *s = feed->options.settings;
    mr_loader_options options = {.make = make,
                                 .release = release,
                                 .user = feed,
                                 .threads = feed->worker_count,
                                 .bytes = (size_t)s->loader_memory * 1000000,
                                 .start = feed->options.start};
    return mr_loader_create(&feed->loader, &options, err);
}

mrcnn_status mr_feed_create(mr_feed **out, const mr_feed_options *options, mrcnn_error *err) {
    const mr_settings *s = options->settings;
    mr_feed *feed = mr_calloc(1, sizeof *feed);
    if (!feed) return mr_fail_memory(err, sizeof *feed, "a loader");
    feed->options = *options;
    feed->seed = (uint64_t)s->seed;
    feed->stream = mr_prng_stream(feed->seed, options->training ? "rois" : "validation rois");
    feed->batch = mr_batch_size(s);
    feed->worker_count = s->loader_threads;
    feed->skips.picture_count = mr_dataset_picture_count(options->set);
    feed->next = options->start;
    feed->workers = mr_calloc((size_t)feed->worker_count, sizeof *feed->workers);
    feed->examples = mr_calloc((size_t)feed->batch, sizeof(mr_example *));
    feed->lessons = mr_calloc((size_t)feed->batch, sizeof *feed->lessons);
    mrcnn_status status = feed->workers && feed->examples && feed->lessons
                              ? MRCNN_OK
                              : mr_fail_memory(err, sizeof *feed, "a loader");
    for (int i = 0; status == MRCNN_OK && i < feed->worker_count; i++)
        status = mr_order_create(&feed->workers[i].order, (size_t)feed->skips.picture_count,
                                 feed->seed, options->training, err);
    if (status == MRCNN_OK) status = start_loader(feed, err);
    if (status != MRCNN_OK)
        mr_feed_free(&feed);
    else
        *out = feed;
    return status;
}

static void drop_batch(mr_feed *feed) {
    for (int i = 0; feed->examples && i < feed->batch; i++) mr_example_free(&feed->examples[i]);
}

void mr_feed_free(mr_feed **feed) {
    mr_feed *f = *feed;
    if (!f) return;
    mr_loader_free(&f->loader);
    drop_batch(f);
    for (int i = 0; f->workers && i < f->worker_count; i++) {
        mr_order_free(&f->workers[i].order);
        mr_anchor_cache_free(&f->workers[i].anchors);
    }
    free(f->workers);
    free(f->examples);
    free(f->lessons);
    free(f);
    *feed = NULL;
}

static mrcnn_status next_example(mr_feed *feed, mr_example **example, mrcnn_error *err) {
    for (;;) {
        void *item = NULL;
        uint64_t number;
        mrcnn_status status = mr_loader_next(feed->loader, &number, &item, err);
        feed->next = number + 1;
        if (status == MRCNN_OK)
            status = mr_skips_note(&feed->skips, number, item == NULL, feed->options.name, err);
        if (status != MRCNN_OK || item) {
            *example = item;
            return status;
        }
    }
}

static mrcnn_status check_size(const mr_feed *feed, int i, mrcnn_error *err) {
    const mr_sample *first = feed->examples[0]->sample, *s = feed->examples[i]->sample;
    if (s->height == first->height && s->width == first->width) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_CONFIG,
                   "IMAGE_RESIZE_MODE gives pictures of one batch different sizes (%d x %d and "
                   "%d x %d); take square or crop, or set IMAGES_PER_GPU to 1",
                   first->height, first->width, s->height, s->width);
}

static void make_lesson(mr_feed *feed, int i) {
    const mr_example *e = feed->examples[i];
    mr_lesson lesson = {.pixels = e->sample->pixels,
                        .truth = mr_example_truth(e),
                        .rpn = e->rpn,
                        .active = e->sample->active,
                        .stream = mr_prng_value(feed->stream, e->sample->number)};
    feed->lessons[i] = lesson;
}

mrcnn_status mr_feed_next(mr_feed *feed, const mr_lesson **lessons, mrcnn_error *err) {
    drop_batch(feed);
    for (int i = 0; i < feed->batch; i++) {
        mrcnn_status status = next_example(feed, &feed->examples[i], err);
        if (status == MRCNN_OK) status = check_size(feed, i, err);
        if (status != MRCNN_OK) return status;
        make_lesson(feed, i);
    }
    *lessons = feed->lessons;
    return MRCNN_OK;
}

int mr_feed_height(const mr_feed *feed) {
    return feed->examples[0]->sample->height;
}

int mr_feed_width(const mr_feed *feed) {
    return feed->examples[0]->sample->width;
}

const mr_sample *mr_feed_sample(const mr_feed *feed, int image) {
    return feed->examples[image]->sample;
}

uint64_t mr_feed_next_draw(const mr_feed *feed) {
    return feed->next;
}

mr_loader_stats mr_feed_stats(mr_feed *feed) {
    return mr_loader_get_stats(feed->loader);
}
