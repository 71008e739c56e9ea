/* trace_target.c - what the mask head should have said of a traced instance. */
#include "model/trace.h"

#include "base/error.h"
#include "base/memory.h"
#include "graph/sampling.h"

#include <math.h>
#include <stdlib.h>

/* The box whose first and last pixels are where the first and the last samples are. */
static void find_samples(const mr_trace *t, const float box[4], double pixels[4]) {
    mr_spot spot;
    mrcnn_trace_box(&t->shown, box, pixels);
    if (t->settings->mask_resize != MR_MASK_SUBPIXEL) return;
    mr_unmold_spot(box, &t->fit, t->settings, &spot);
    for (int i = 0; i < 4; i++) pixels[i] = spot.samples[i] + (i < 2 ? 0 : 1);
}

/* The detection's box, normalised to the picture instead of the network's input. */
static int find_box(const mrcnn_trace *t, size_t instance, float box[4]) {
    double pixels[4];
    size_t i = 0;
    while (i < t->proposal_count && t->proposals[i].instance != (int32_t)instance) i++;
    if (i == t->proposal_count) return 0;
    find_samples((const mr_trace *)t, t->proposals[i].clipped, pixels);
    mr_norm_box(pixels, t->height, t->width, box);
    return 1;
}

/* N31 without mini masks: sampled as by N22, then rounded; a half is 0. */
static void sample(const uint8_t *bytes, const mrcnn_trace *t, const float box[4], float *out) {
    for (int y = 0; y < t->mask_height; y++) {
        mr_sample sy = mr_sample_at(box[0], box[2], t->height, t->mask_height, y);
        const uint8_t *upper = bytes + (size_t)sy.low * (size_t)t->width;
        const uint8_t *lower = bytes + (size_t)sy.high * (size_t)t->width;
        for (int x = 0; x < t->mask_width; x++, out++) {
            mr_sample sx = mr_sample_at(box[1], box[3], t->width, t->mask_width, x);
            float tl = upper[sx.low], tr = upper[sx.high];
            float bl = lower[sx.low], br = lower[sx.high];
            float top = tl + (tr - tl) * sx.weight, bottom = bl + (br - bl) * sx.weight;
            *out = sy.inside && sx.inside ? rintf(top + (bottom - top) * sy.weight) : 0;
        }
    }
}

mrcnn_status mrcnn_trace_mask_target(const mrcnn_trace *trace, size_t instance,
                                     const mrcnn_mask *truth, float *target, mrcnn_error *err) {
    float box[4];
    if (truth->height != trace->height || truth->width != trace->width)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a mask of %d x %d for a picture of %d x %d",
                       truth->width, truth->height, trace->width, trace->height);
    if (!find_box(trace, instance, box))
        return mr_fail(err, MRCNN_E_ARGUMENT, "there is no instance %zu, only %zu of them",
                       instance, trace->result->count);
    size_t count = (size_t)trace->height * (size_t)trace->width;
    uint8_t *bytes = mr_calloc(count, 1);
    if (!bytes) return mr_fail_memory(err, count, "a mask");
    mrcnn_mask_to_bytes(truth, bytes);
    sample(bytes, trace, box, target);
    free(bytes);
    return MRCNN_OK;
}
