/* example.c - see example.h. */
#include "train/example.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/prng.h"
#include "model/boxes.h"

#include <stdlib.h>

void mr_anchor_cache_free(mr_anchor_cache *cache) {
    if (!cache) return;
    free(cache->anchors);
    *cache = (mr_anchor_cache){0};
}

static mrcnn_status find_anchors(mr_anchor_cache *cache, const mr_settings *settings, int height,
                                 int width, mrcnn_error *err) {
    if (cache->anchors && cache->height == height && cache->width == width) return MRCNN_OK;
    size_t count = mr_anchor_count(settings, height, width);
    double *anchors = mr_calloc(count, 4 * sizeof *anchors);
    if (!anchors) return mr_fail_memory(err, count * 4 * sizeof *anchors, "anchors");
    mr_anchors_pixels(settings, height, width, anchors);
    free(cache->anchors);
    cache->height = height;
    cache->width = width;
    cache->count = count;
    cache->anchors = anchors;
    return MRCNN_OK;
}

/* The stream of one draw. */
static uint64_t stream_of(const mr_example_options *options, const char *name, uint64_t number) {
    return mr_prng_value(mr_prng_stream(options->sample.seed, name), number);
}

mr_ground_truth mr_example_truth(const mr_example *example) {
    const mr_sample *s = example->sample;
    return (mr_ground_truth){.count = s->count,
                             .class_ids = s->class_ids,
                             .boxes = (const int32_t(*)[4])s->boxes,
                             .mask_height = s->mask_height,
                             .mask_width = s->mask_width,
                             .masks = s->masks};
}

/* N60: the RPN learns from all objects, the heads from MAX_GT_INSTANCES of them. */
static mrcnn_status add_targets(mr_example *example, const mr_example_options *options,
                                mrcnn_error *err) {
    mr_sample *s = example->sample;
    const mr_settings *settings = options->sample.settings;
    mrcnn_status status = find_anchors(options->cache, settings, s->height, s->width, err);
    if (status != MRCNN_OK) return status;
    mr_ground_truth truth = mr_example_truth(example);
    status =
        mr_build_rpn_targets(&example->rpn, options->cache->anchors, options->cache->count, &truth,
                             settings, stream_of(options, "rpn targets", s->number), err);
    if (status != MRCNN_OK) return status;
    mr_sample_limit(s, settings->max_gt_instances, settings->sampling,
                    stream_of(options, "objects", s->number));
    example->bytes = sizeof *example + s->bytes + mr_rpn_targets_bytes(&example->rpn);
    return MRCNN_OK;
}

mrcnn_status mr_example_load(mr_example **example, const mr_dataset *set, size_t picture,
                             uint64_t number, const mr_example_options *options, mrcnn_error *err) {
    mr_example *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "an example");
    mrcnn_status status =
        mr_sample_load(&made->sample, set, picture, number, &options->sample, err);
    if (status == MRCNN_OK && made->sample) status = add_targets(made, options, err);
    if (status != MRCNN_OK || !made->sample) mr_example_free(&made);
    if (status == MRCNN_OK) *example = made;
    return status;
}

void mr_example_free(mr_example **example) {
    if (!example || !*example) return;
    mr_sample_free(&(*example)->sample);
    mr_rpn_targets_free(&(*example)->rpn);
    free(*example);
    *example = NULL;
}
