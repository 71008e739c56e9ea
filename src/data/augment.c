/* augment.c - drawing a plan, and changing pixels where they are. What moves them is in
 * augment_warp.c. */
#include "data/augment.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/prng.h"
#include "config/config.h"
#include "image/adjust.h"
#include "image/blur.h"

#include <math.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------------- drawing */

typedef struct drawing {
    const mr_augmentation *tree;
    uint64_t stream;
    mr_augment_plan *plan;
} drawing;

/* Draws of a node: one for each slot, and behind them a stream for others. */
static uint64_t node_stream(const drawing *d, int node) {
    return mr_prng_value(d->stream, (uint64_t)node);
}

static double draw_slot(const drawing *d, int node, int slot) {
    const mr_augment_node *n = &d->tree->nodes[node];
    const mr_range *range = &d->tree->ranges[n->first + slot];
    double u = mr_prng_uniform(node_stream(d, node), (uint64_t)slot);
    return range->low + u * (range->high - range->low);
}

/* A whole number in [low, high]. */
static int draw_whole(const drawing *d, int node, int slot) {
    const mr_range *range = &d->tree->ranges[d->tree->nodes[node].first + slot];
    double u = mr_prng_uniform(node_stream(d, node), (uint64_t)slot);
    return (int)(range->low + floor(u * (range->high - range->low + 1)));
}

/* Does what has this probability happen? */
static int draw_yes(const drawing *d, int node, int slot) {
    double p = d->tree->ranges[d->tree->nodes[node].first + slot].low;
    return mr_prng_uniform(node_stream(d, node), (uint64_t)slot) < p;
}

static void draw_node(const drawing *d, int node);

/* Children of a node: all of them, in the order of the text. */
static int list_children(const drawing *d, int node, int children[MR_AUGMENT_NODES]) {
    int count = 0;
    for (int i = node + 1; i < d->tree->nodes[node].end; i = d->tree->nodes[i].end)
        children[count++] = i;
    return count;
}

/* Puts `chosen` children, all with equal probability, into the front: in any order, or in their own.
 */
static void choose(const drawing *d, int node, int *children, int count, int chosen, int in_order) {
    uint64_t stream = mr_prng_value(node_stream(d, node), MR_AUGMENT_MOST_SLOTS);
    for (int i = 0, kept = 0; in_order && i < count && kept < chosen; i++)
        if (mr_prng_uniform(stream, (uint64_t)i) * (count - i) < chosen - kept)
            children[kept++] = children[i];
    for (int i = 0; !in_order && i < chosen; i++) {
        int from = i + (int)(mr_prng_uniform(stream, (uint64_t)i) * (count - i));
        int taken = children[from];
        children[from] = children[i];
        children[i] = taken;
    }
}

static void draw_some(const drawing *d, int node, int wanted, int in_order) {
    int children[MR_AUGMENT_NODES];
    int count = list_children(d, node, children), chosen = wanted < count ? wanted : count;
    choose(d, node, children, count, chosen, in_order);
    for (int i = 0; i < chosen; i++) draw_node(d, children[i]);
}

/* All numbers of one parameter, from `slot` on. */
static void draw_parameter(const drawing *d, int node, const mr_augment_parameter *parameter,
                           int slot, double *values) {
    int joint = d->tree->nodes[node].joint & 1u << slot;
    for (int s = slot; s < slot + mr_parameter_slots(parameter); s++)
        values[s] = parameter->kind == MR_PARAMETER_WHOLE ? draw_whole(d, node, s)
                    : parameter->kind == MR_PARAMETER_YES ? draw_yes(d, node, s)
                                                          : draw_slot(d, node, s);
    if (joint) values[slot + 1] = values[slot];
}

/* An operation that does something. */
static void draw_step(const drawing *d, int node) {
    const mr_augment_node *n = &d->tree->nodes[node];
    const mr_augment_kind *kind = &mr_augment_kinds[n->op];
    mr_augment_step *step = &d->plan->steps[d->plan->count++];
    *step = (mr_augment_step){.op = (mr_augment_op)n->op,
                              .stream = mr_prng_value(node_stream(d, node), MR_AUGMENT_MOST_SLOTS),
                              .ranges = &d->tree->ranges[n->first]};
    for (int i = 0, slot = 0; i < kind->parameter_count; i++) {
        draw_parameter(d, node, &kind->parameters[i], slot, step->values);
        slot += mr_parameter_slots(&kind->parameters[i]);
    }
}

static void draw_node(const drawing *d, int node) {
    switch (d->tree->nodes[node].op) {
    case MR_AUGMENT_SEQUENTIAL:
        draw_some(d, node, MR_AUGMENT_NODES, !draw_yes(d, node, MR_SLOT_ORDER));
        break;
    case MR_AUGMENT_SOME_OF:
        draw_some(d, node, draw_whole(d, node, MR_SLOT_COUNT),
                  !draw_yes(d, node, MR_SLOT_SOME_ORDER));
        break;
    case MR_AUGMENT_ONE_OF: draw_some(d, node, 1, 1); break;
    case MR_AUGMENT_SOMETIMES:
        if (draw_yes(d, node, MR_SLOT_P)) draw_some(d, node, MR_AUGMENT_NODES, 1);
        break;
    case MR_AUGMENT_FLIPLR:
    case MR_AUGMENT_FLIPUD:
    case MR_AUGMENT_INVERT:
        if (draw_yes(d, node, MR_SLOT_P)) draw_step(d, node);
        break;
    default: draw_step(d, node);
    }
}

void mr_augment_draw(mr_augment_plan *plan, const mr_augmentation *tree, uint64_t stream) {
    drawing d = {tree, stream, plan};
    plan->count = 0;
    if (tree->count > 0) draw_node(&d, 0);
}

/* ------------------------------------------------------------------------------------- changing */

static uint8_t to_byte(double value) {
    value = rint(value);
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static uint8_t change_value(mr_augment_op op, int value, double by) {
    switch (op) {
    case MR_AUGMENT_MULTIPLY: return to_byte(value * by);
    case MR_AUGMENT_ADD: return to_byte(value + by);
    case MR_AUGMENT_LINEAR_CONTRAST: return to_byte(127 + by * (value - 127));
    case MR_AUGMENT_GAMMA_CONTRAST: return to_byte(255 * pow(value / 255.0, by));
    case MR_AUGMENT_INVERT: return (uint8_t)(255 - value);
    default: return (uint8_t)value;
    }
}

/* One number for all channels or, per channel, one for each: the first channel's is the step's. */
static void change_values(const mr_augment_step *step, uint8_t *pixels, size_t count,
                          int channels) {
    uint8_t tables[MR_MAX_CHANNELS][256];
    double by = step->values[MR_SLOT_VALUE], width = step->ranges[0].high - step->ranges[0].low;
    for (int c = 0; c < channels; c++) {
        if (c > 0 && step->values[MR_SLOT_PER_CHANNEL] > 0)
            by = step->ranges[0].low + mr_prng_uniform(step->stream, (uint64_t)c) * width;
        for (int v = 0; v < 256; v++) tables[c][v] = change_value(step->op, v, by);
    }
    mr_adjust_values(pixels, count, channels, (const uint8_t(*)[256])tables);
}

/* imgaug's scale: 255 is a whole turn of the hue, and full saturation. */
static void change_color(const mr_augment_step *step, uint8_t *pixels, size_t count, int channels) {
    mr_color_change change = {1, 0, 1, 0};
    float value = (float)step->values[MR_SLOT_VALUE];
    if (step->op == MR_AUGMENT_ADD_TO_HUE) change.hue_shift = value / 255;
    if (step->op == MR_AUGMENT_MULTIPLY_HUE) change.hue_factor = value;
    if (step->op == MR_AUGMENT_ADD_TO_SATURATION) change.saturation_shift = value / 255;
    if (step->op == MR_AUGMENT_MULTIPLY_SATURATION) change.saturation_factor = value;
    mr_adjust_color(pixels, count, channels, &change);
}

/* A frame under way, and another of its size for what can't be done in place. */
typedef struct canvas {
    const mr_warp *warp;
    int channels;
    size_t count; /* pixels */
    uint8_t *pixels, *scratch;
} canvas;

static mrcnn_status change(canvas *c, const mr_augment_step *step, mrcnn_error *err) {
    double value = step->values[MR_SLOT_VALUE];
    switch (step->op) {
    case MR_AUGMENT_ADD_TO_HUE:
    case MR_AUGMENT_MULTIPLY_HUE:
    case MR_AUGMENT_ADD_TO_SATURATION:
    case MR_AUGMENT_MULTIPLY_SATURATION:
        change_color(step, c->pixels, c->count, c->channels);
        return MRCNN_OK;
    case MR_AUGMENT_GAUSSIAN_BLUR:
        return mr_blur(c->pixels, c->scratch, c->warp->height, c->warp->width, c->channels, value,
                       value, err);
    case MR_AUGMENT_NOISE:
        mr_adjust_noise(c->pixels, c->count, c->channels, value,
                        step->values[MR_SLOT_PER_CHANNEL] > 0, step->stream);
        return MRCNN_OK;
    default: change_values(step, c->pixels, c->count, c->channels); return MRCNN_OK;
    }
}

static int moves(const mr_augment_step *step) {
    return step->op >= MR_AUGMENT_FLIPLR && step->op <= MR_AUGMENT_LARGE_SCALE_JITTER;
}

/* Movements that follow one another are one resampling. */
static mrcnn_status carry_out(canvas *c, const mr_augment_plan *plan, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    int moved = 0;
    for (int i = 0; i < plan->count && status == MRCNN_OK;) {
        int first = moved;
        for (; i < plan->count && moves(&plan->steps[i]); i++) moved++;
        if (moved == first) {
            status = change(c, &plan->steps[i++], err);
            continue;
        }
        status = mr_warp_image(c->warp, first, moved, c->pixels, c->channels, c->scratch, err);
        uint8_t *old = c->pixels;
        c->pixels = c->scratch;
        c->scratch = old;
    }
    return status;
}

mrcnn_status mr_augment_picture(const mr_augment_plan *plan, const mr_warp *warp, uint8_t **pixels,
                                int channels, mrcnn_error *err) {
    if (channels < 1 || channels > MR_MAX_CHANNELS)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "a picture of %d channels can't be augmented",
                       channels);
    canvas c = {.warp = warp,
                .channels = channels,
                .count = (size_t)warp->height * (size_t)warp->width,
                .pixels = *pixels};
    if (plan->count == 0) return MRCNN_OK;
    c.scratch = mr_calloc(c.count, (size_t)channels);
    if (!c.scratch) return mr_fail_memory(err, c.count * (size_t)channels, "augmenting a picture");
    mrcnn_status status = carry_out(&c, plan, err);
    free(c.scratch);
    *pixels = c.pixels;
    return status;
}
