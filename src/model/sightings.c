/* sightings.c - see sightings.h. */
#include "model/sightings.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/mask.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double same_object = 0.5; /* IoU of boxes */

_Static_assert(8 * MR_MAX_SCALES <= MR_MAX_VIEWS, "each view has a bit");

static size_t mask_size(const mr_sightings *s) {
    return (size_t)s->side * (size_t)s->side;
}

static const float *mask_of(const mr_sightings *s, size_t index) {
    return s->masks + index * mask_size(s);
}

float *mr_sightings_add(mr_sightings *s, const mr_sighting *item) {
    if (s->count == s->room) {
        size_t room = s->room ? 2 * s->room : 64;
        mr_sighting *items = mr_realloc(s->items, room, sizeof *items);
        if (!items) return NULL;
        s->items = items;
        float *masks = mr_realloc(s->masks, room, mask_size(s) * sizeof *masks);
        if (!masks) return NULL;
        s->masks = masks;
        s->room = room;
    }
    s->items[s->count] = *item;
    return s->masks + s->count++ * mask_size(s);
}

void mr_sightings_free(mr_sightings *s) {
    free(s->items);
    free(s->masks);
    *s = (mr_sightings){.side = s->side};
}

/* ------------------------------------------------------------------------------------ groups */

/* Members of a group are a list, the best first; `last` and `next` are indices of sightings. */
typedef struct grouping {
    const mr_sightings *found;
    size_t *order;   /* by falling score */
    size_t *leaders; /* of groups */
    size_t *last, *next;
    uint64_t *views; /* of all members, at the leader's index */
    size_t groups;
} grouping;

typedef struct ranked {
    float score;
    size_t index;
} ranked;

static int by_score(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static int sort_by_score(size_t *order, const mr_sightings *found) {
    ranked *ranks = mr_calloc(found->count, sizeof *ranks);
    if (!ranks) return 0;
    for (size_t i = 0; i < found->count; i++) ranks[i] = (ranked){found->items[i].score, i};
    qsort(ranks, found->count, sizeof *ranks, by_score);
    for (size_t i = 0; i < found->count; i++) order[i] = ranks[i].index;
    free(ranks);
    return 1;
}

static void join_or_lead(grouping *g, size_t index) {
    const mr_sighting *items = g->found->items, *it = &items[index];
    size_t best = index;
    double best_iou = 0;
    for (size_t i = 0; i < g->groups; i++) {
        const mr_sighting *leader = &items[g->leaders[i]];
        if (leader->class_id != it->class_id) continue;
        double iou = mr_box_iou(leader->spot.box, it->spot.box);
        if (iou < same_object || iou <= best_iou || (g->views[g->leaders[i]] & it->views)) continue;
        best = g->leaders[i];
        best_iou = iou;
    }
    if (best == index)
        g->leaders[g->groups++] = index;
    else
        g->next[g->last[best]] = index;
    g->last[best] = index;
    g->views[best] |= it->views;
}

/* ------------------------------------------------------------------------------------- means */

static size_t next_member(const grouping *g, size_t leader, size_t member) {
    return member == g->last[leader] ? SIZE_MAX : g->next[member];
}

void mr_spot_complete(mr_spot *spot, int side) {
    for (int axis = 0; axis < 2; axis++) {
        double begin = spot->box[axis], end = spot->box[2 + axis];
        double inset = (end - begin) / side / 2 - 0.5;
        spot->edges[axis] = begin;
        spot->edges[2 + axis] = end;
        spot->samples[axis] = begin + inset;
        spot->samples[2 + axis] = end - 1 - inset;
    }
}

/* Of a group whose members' scores sum to `scores`; the leader's if it covers no pixel. */
static void mean_spot(const grouping *g, size_t leader, double scores, const mr_merging *how,
                      mr_spot *mean) {
    mr_spot m = {.box = {0, 0, 0, 0}};
    const mr_sighting *items = g->found->items;
    for (size_t i = leader; i != SIZE_MAX; i = next_member(g, leader, i))
        for (int k = 0; k < 4; k++) {
            m.edges[k] += items[i].score / scores * items[i].spot.edges[k];
            m.samples[k] += items[i].score / scores * items[i].spot.samples[k];
        }
    if (how->settings->mask_resize == MR_MASK_SUBPIXEL) {
        mr_spot_box(m.edges, how->height, how->width, m.box);
    } else {
        for (int k = 0; k < 4; k++) m.box[k] = (int32_t)rint(m.edges[k]);
        mr_spot_complete(&m, g->found->side);
    }
    if (m.box[2] > m.box[0] && m.box[3] > m.box[1]) *mean = m;
}

/* One sighting of a group; `mask` is its place. */
static void merge_group(const grouping *g, size_t leader, const mr_merging *how, mr_sighting *it,
                        float *mask) {
    const mr_sightings *found = g->found;
    double scores = 0;
    *it = found->items[leader];
    it->views = g->views[leader];
    for (size_t i = leader; i != SIZE_MAX; i = next_member(g, leader, i))
        scores += found->items[i].score;
    it->score = (float)(scores / how->views);
    if (g->last[leader] == leader || scores <= 0) { /* one member, or none that counts */
        memcpy(mask, mask_of(found, leader), mask_size(found) * sizeof *mask);
        return;
    }
    mean_spot(g, leader, scores, how, &it->spot);
    memset(mask, 0, mask_size(found) * sizeof *mask);
    for (size_t i = leader; i != SIZE_MAX; i = next_member(g, leader, i))
        mr_add_mask(mask, it->spot.samples, mask_of(found, i), found->items[i].spot.samples,
                    found->side, found->items[i].score / scores);
}

/* -------------------------------------------------------------------------------------- the whole */

static int is_suppressed(const mr_sightings *kept, const mr_sighting *it, const mr_settings *s) {
    if (s->detection_nms != MR_SUPPRESS_HARD) return 0; /* each view has lowered scores already */
    for (size_t i = 0; i < kept->count; i++)
        if (kept->items[i].class_id == it->class_id && !(kept->items[i].views & it->views) &&
            mr_box_iou(kept->items[i].spot.box, it->spot.box) > s->detection_nms_threshold)
            return 1;
    return 0;
}

/* A sighting of each group, unordered. */
static mrcnn_status merge_groups(mr_sightings *merged, const grouping *g, const mr_merging *how,
                                 mrcnn_error *err) {
    for (size_t i = 0; i < g->groups; i++) {
        const mr_sighting *leader = &g->found->items[g->leaders[i]];
        float *mask = mr_sightings_add(merged, leader);
        if (!mask) return mr_fail_memory(err, mask_size(merged) * sizeof *mask, "instances");
        mr_sighting *it = &merged->items[merged->count - 1];
        merge_group(g, g->leaders[i], how, it, mask);
        if (it->score < how->confidence[it->class_id]) merged->count--;
    }
    return MRCNN_OK;
}

/* What NMS keeps, by falling score. */
static mrcnn_status suppress(mr_sightings *kept, const mr_sightings *merged, const size_t *order,
                             const mr_settings *s, mrcnn_error *err) {
    for (size_t i = 0; i < merged->count; i++) {
        const mr_sighting *it = &merged->items[order[i]];
        if (is_suppressed(kept, it, s)) continue;
        float *mask = mr_sightings_add(kept, it);
        if (!mask) return mr_fail_memory(err, mask_size(kept) * sizeof *mask, "instances");
        memcpy(mask, mask_of(merged, order[i]), mask_size(kept) * sizeof *mask);
    }
    return MRCNN_OK;
}

/* What one view has found is merged: the network's own NMS was there. */
static mrcnn_status copy(mr_sightings *out, const mr_sightings *found, mrcnn_error *err) {
    size_t bytes = found->count * mask_size(found) * sizeof *found->masks;
    mr_sightings made = {mr_calloc(found->count, sizeof *made.items), mr_calloc(1, bytes),
                         found->count, found->count, found->side};
    if (!made.items || !made.masks) {
        mr_sightings_free(&made);
        return mr_fail_memory(err, bytes, "instances");
    }
    if (found->count) {
        memcpy(made.items, found->items, found->count * sizeof *made.items);
        memcpy(made.masks, found->masks, bytes);
    }
    *out = made;
    return MRCNN_OK;
}

mrcnn_status mr_sightings_merge(mr_sightings *out, const mr_sightings *found, const mr_merging *how,
                                mrcnn_error *err) {
    size_t count = found->count;
    mr_sightings merged = {.side = found->side}, kept = {.side = found->side};
    grouping g = {.found = found,
                  .order = mr_calloc(count, sizeof *g.order),
                  .leaders = mr_calloc(count, sizeof *g.leaders),
                  .last = mr_calloc(count, sizeof *g.last),
                  .next = mr_calloc(count, sizeof *g.next),
                  .views = mr_calloc(count, sizeof *g.views)};
    mrcnn_status status = MRCNN_OK;
    if (how->views == 1) {
        status = copy(out, found, err);
        goto cleanup;
    }
    if (!g.order || !g.leaders || !g.last || !g.next || !g.views ||
        !sort_by_score(g.order, found)) {
        status = mr_fail_memory(err, count * sizeof *g.order, "instances");
        goto cleanup;
    }
    for (size_t i = 0; i < count; i++) join_or_lead(&g, g.order[i]);
    status = merge_groups(&merged, &g, how, err);
    if (status == MRCNN_OK && !sort_by_score(g.order, &merged))
        status = mr_fail_memory(err, count * sizeof *g.order, "instances");
    if (status == MRCNN_OK) status = suppress(&kept, &merged, g.order, how->settings, err);
    if (status == MRCNN_OK) {
        *out = kept;
        kept = (mr_sightings){.side = found->side};
    }
cleanup:
    free(g.order);
    free(g.leaders);
    free(g.last);
    free(g.next);
    free(g.views);
    mr_sightings_free(&merged);
    mr_sightings_free(&kept);
    return status;
}
