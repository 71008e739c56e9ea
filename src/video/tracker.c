/* tracker.c - mrcnn_tracker: pairs of boxes in consecutive frames. Needs no FFmpeg. */
#include <mrcnn/video.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct track {
    int32_t id, class_id;
    double box[4];   /* y1, x1, y2, x2 when it was last seen */
    double speed[2]; /* of its middle, in pixels a frame, down and right */
    int unseen;      /* frames since */
    int moved;       /* has been seen twice: there is a speed */
    int taken;       /* has a partner in this frame */
} track;

/* Instance and track that overlap enough. */
typedef struct pair {
    double iou;
    size_t instance, track;
} pair;

struct mrcnn_tracker {
    mrcnn_tracker_options options;
    int32_t last_id;
    size_t count, room;
    track *tracks; /* by rising id */
    size_t pair_room;
    pair *pairs;
};

mrcnn_tracker_options mrcnn_tracker_options_default(void) {
    return (mrcnn_tracker_options){
        .size = sizeof(mrcnn_tracker_options), .iou = 0.3, .patience = 10};
}

mrcnn_status mrcnn_tracker_create(mrcnn_tracker **tracker, const mrcnn_tracker_options *given,
                                  mrcnn_error *err) {
    mrcnn_tracker_options options = mrcnn_tracker_options_default();
    mrcnn_status status =
        mr_take_options(&options, sizeof options, given, "mrcnn_tracker_options", err);
    if (status != MRCNN_OK) return status;
    if (!(options.iou > 0 && options.iou <= 1) || options.patience < 0)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "tracker: iou is %g and patience %d; they must be above 0 to 1, and at "
                       "least 0",
                       options.iou, options.patience);
    mrcnn_tracker *made = mr_calloc(1, sizeof *made);
    if (!made) return mr_fail_memory(err, sizeof *made, "a tracker");
    made->options = options;
    *tracker = made;
    return MRCNN_OK;
}

void mrcnn_tracker_free(mrcnn_tracker **tracker) {
    if (!tracker || !*tracker) return;
    free((*tracker)->tracks);
    free((*tracker)->pairs);
    free(*tracker);
    *tracker = NULL;
}

int32_t mrcnn_tracker_count(const mrcnn_tracker *tracker) {
    return tracker->last_id;
}

/* --------------------------------------------------------------------------------------- pairs */

static void box_of(const mrcnn_instance *instance, double box[4]) {
    box[0] = instance->y1;
    box[1] = instance->x1;
    box[2] = instance->y2;
    box[3] = instance->x2;
}

/* Where the track's box is now, if it has kept its speed. */
static void expected_box(const track *t, double box[4]) {
    for (int i = 0; i < 4; i++) box[i] = t->box[i] + t->speed[i % 2] * (t->unseen + 1);
}

static double overlap(const double a[4], const double b[4]) {
    double height = fmin(a[2], b[2]) - fmax(a[0], b[0]);
    double width = fmin(a[3], b[3]) - fmax(a[1], b[1]);
    if (!(height > 0) || !(width > 0)) return 0;
    double both = height * width;
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both);
}

/* The best first; among equals the surer instance, then the older track. */
static int by_overlap(const void *a, const void *b) {
    const pair *left = a, *right = b;
    if (left->iou != right->iou) return left->iou > right->iou ? -1 : 1;
    if (left->instance != right->instance) return left->instance < right->instance ? -1 : 1;
    return left->track < right->track ? -1 : left->track > right->track;
}

static int add_pair(mrcnn_tracker *tracker, size_t *count, pair added) {
    if (*count == tracker->pair_room) {
        size_t room = tracker->pair_room ? 2 * tracker->pair_room : 64;
        pair *more = mr_realloc(tracker->pairs, room, sizeof *more);
        if (!more) return 0;
        tracker->pairs = more;
        tracker->pair_room = room;
    }
    tracker->pairs[(*count)++] = added;
    return 1;
}

static mrcnn_status find_pairs(mrcnn_tracker *tracker, const mrcnn_result *result, size_t *count,
                               mrcnn_error *err) {
    *count = 0;
    for (size_t t = 0; t < tracker->count; t++) {
        double expected[4], box[4];
        expected_box(&tracker->tracks[t], expected);
        for (size_t i = 0; i < result->count; i++) {
            if (result->instances[i].class_id != tracker->tracks[t].class_id) continue;
            box_of(&result->instances[i], box);
            double iou = overlap(expected, box);
            if (iou >= tracker->options.iou && !add_pair(tracker, count, (pair){iou, i, t}))
                return mr_fail_memory(err, *count * sizeof(pair), "a tracker's pairs");
        }
    }
    if (*count) qsort(tracker->pairs, *count, sizeof *tracker->pairs, by_overlap);
    return MRCNN_OK;
}

/* -------------------------------------------------------------------------------------- tracks */

/* Half of the new speed and half of the old one, if there is one: boxes jitter. */
static void move(track *t, const mrcnn_instance *instance) {
    double box[4];
    box_of(instance, box);
    for (int axis = 0; axis < 2; axis++) {
        double way = (box[axis] + box[axis + 2] - t->box[axis] - t->box[axis + 2]) / 2;
        way /= t->unseen + 1;
        t->speed[axis] = t->moved ? (t->speed[axis] + way) / 2 : way;
    }
    t->moved = 1;
    memcpy(t->box, box, sizeof box);
    t->unseen = -1; /* counted up below */
    t->taken = 1;
}

static void age(mrcnn_tracker *tracker) {
    size_t kept = 0;
    for (size_t i = 0; i < tracker->count; i++) {
        track t = tracker->tracks[i];
        t.unseen++;
        t.taken = 0;
        if (t.unseen <= tracker->options.patience) tracker->tracks[kept++] = t;
    }
    tracker->count = kept;
}

static mrcnn_status make_room(mrcnn_tracker *tracker, size_t added, mrcnn_error *err) {
    size_t room = tracker->count + added;
    if (room <= tracker->room) return MRCNN_OK;
    track *more = mr_realloc(tracker->tracks, 2 * room, sizeof *more);
    if (!more) return mr_fail_memory(err, room * sizeof *more, "a tracker's tracks");
    tracker->tracks = more;
    tracker->room = 2 * room;
    return MRCNN_OK;
}

static void begin_track(mrcnn_tracker *tracker, const mrcnn_instance *instance, int32_t *id) {
    track *t = &tracker->tracks[tracker->count++];
    *t = (track){.id = ++tracker->last_id, .class_id = instance->class_id, .unseen = -1};
    box_of(instance, t->box);
    *id = t->id;
}

mrcnn_status mrcnn_tracker_update(mrcnn_tracker *tracker, const mrcnn_result *result, int32_t *ids,
                                  mrcnn_error *err) {
    size_t pairs = 0;
    mrcnn_status status = make_room(tracker, result->count, err);
    if (status == MRCNN_OK) status = find_pairs(tracker, result, &pairs, err);
    if (status != MRCNN_OK) return status;
    for (size_t i = 0; i < result->count; i++) ids[i] = 0;
    for (size_t p = 0; p < pairs; p++) {
        const pair *found = &tracker->pairs[p];
        track *t = &tracker->tracks[found->track];
        if (t->taken || ids[found->instance]) continue;
        move(t, &result->instances[found->instance]);
        ids[found->instance] = t->id;
    }
    for (size_t i = 0; i < result->count; i++)
        if (!ids[i]) begin_track(tracker, &result->instances[i], &ids[i]);
    age(tracker);
    return MRCNN_OK;
}
