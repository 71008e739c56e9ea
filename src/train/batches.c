/* batches.c - see batches.h. */
#include "train/batches.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/prng.h"

#include <stdlib.h>

struct mr_batches {
    mr_feed *feed;
    uint64_t stream; /* for sampling RoIs */
    int size;
    mr_example **examples; /* the batch at hand */
    mr_lesson *lessons;
    uint64_t next;
};

int mr_batch_size(const mr_settings *settings) {
    return settings->images_per_gpu * settings->gpu_count;
}

mrcnn_status mr_batches_open(mr_batches **out, const mr_feed_options *feed, mrcnn_error *err) {
    mr_batches *b = mr_calloc(1, sizeof *b);
    if (!b) return mr_fail_memory(err, sizeof *b, "a loader");
    b->size = mr_batch_size(feed->settings);
    b->stream = mr_prng_stream(feed->seed, feed->training ? "rois" : "validation rois");
    b->next = feed->start;
    b->examples = mr_calloc((size_t)b->size, sizeof(mr_example *));
    b->lessons = mr_calloc((size_t)b->size, sizeof *b->lessons);
    mrcnn_status status =
        b->examples && b->lessons
            ? mr_feed_open(&b->feed, feed, err)
            : mr_fail_memory(err, (size_t)b->size * sizeof *b->lessons, "a batch");
    if (status != MRCNN_OK)
        mr_batches_free(&b);
    else
        *out = b;
    return status;
}

static void drop(mr_batches *b) {
    for (int i = 0; b->examples && i < b->size; i++) mr_example_free(&b->examples[i]);
}

void mr_batches_free(mr_batches **batches) {
    mr_batches *b = *batches;
    if (!b) return;
    mr_feed_free(&b->feed);
    drop(b);
    free(b->examples);
    free(b->lessons);
    free(b);
    *batches = NULL;
}

static mrcnn_status check_size(const mr_batches *b, int i, mrcnn_error *err) {
    const mr_sample *first = b->examples[0]->sample, *s = b->examples[i]->sample;
    if (s->height == first->height && s->width == first->width) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_CONFIG,
                   "IMAGE_RESIZE_MODE gives the pictures of one batch different sizes (%d x %d and "
                   "%d x %d); take square or crop, or set IMAGES_PER_GPU to 1",
                   first->height, first->width, s->height, s->width);
}

static mr_lesson make_lesson(const mr_batches *b, const mr_example *e) {
    mr_lesson lesson = {.pixels = e->sample->pixels,
                        .truth = mr_example_truth(e),
                        .rpn = e->rpn,
                        .active = e->sample->active,
                        .stream = mr_prng_value(b->stream, e->sample->number)};
    return lesson;
}

mrcnn_status mr_batches_next(mr_batches *b, const mr_lesson **lessons, mrcnn_error *err) {
    drop(b);
    for (int i = 0; i < b->size; i++) {
        mrcnn_status status = mr_feed_next(b->feed, &b->examples[i], err);
        if (status == MRCNN_OK) status = check_size(b, i, err);
        if (status != MRCNN_OK) return status;
        b->next = b->examples[i]->sample->number + 1;
        b->lessons[i] = make_lesson(b, b->examples[i]);
    }
    *lessons = b->lessons;
    return MRCNN_OK;
}

int mr_batches_height(const mr_batches *b) {
    return b->examples[0]->sample->height;
}

int mr_batches_width(const mr_batches *b) {
    return b->examples[0]->sample->width;
}

const mr_sample *mr_batches_sample(const mr_batches *b, int image) {
    return b->examples[image]->sample;
}

uint64_t mr_batches_next_draw(const mr_batches *b) {
    return b->next;
}

void mr_batches_pause(mr_batches *b, int on) {
    mr_feed_pause(b->feed, on);
}

mr_loader_stats mr_batches_stats(mr_batches *b) {
    return mr_feed_get_stats(b->feed);
}
