/* tiles.c - see tiles.h. */
#include "model/tiles.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/mask.h"
#include "model/boxes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double same_object = 0.5;

mrcnn_status mr_tile_finds_add(mr_tile_finds *f, const mr_tile_find *find, mrcnn_error *err) {
    if (f->count == f->room) {
        size_t room = f->room ? 2 * f->room : 256;
        mr_tile_find *items = mr_realloc(f->items, room, sizeof *items);
        if (!items) return mr_fail_memory(err, room * sizeof *items, "instances");
        f->items = items;
        f->room = room;
    }
    f->items[f->count++] = *find;
    return MRCNN_OK;
}

void mr_tile_finds_free(mr_tile_finds *f) {
    for (size_t i = 0; i < f->count; i++) mrcnn_mask_free(&f->items[i].instance.mask);
    free(f->items);
    f->items = NULL;
    f->count = f->room = 0;
}

/* ------------------------------------------------------------------------------- same objects */

static int meet(int32_t common[4], const int32_t a[4], const int32_t b[4]) {
    for (int k = 0; k < 2; k++) {
        common[k] = a[k] > b[k] ? a[k] : b[k];
        common[2 + k] = a[2 + k] < b[2 + k] ? a[2 + k] : b[2 + k];
    }
    return common[2] > common[0] && common[3] > common[1];
}

static void box_of(const mrcnn_instance *it, int32_t box[4]) {
    const int32_t found[4] = {it->y1, it->x1, it->y2, it->x2};
    memcpy(box, found, sizeof found);
}

static int is_same_object(const mr_tile_find *a, const mr_tile_find *b, const int32_t window[4]) {
    int32_t box_a[4], box_b[4], common[4];
    box_of(&a->instance, box_a);
    box_of(&b->instance, box_b);
    if (a->instance.class_id != b->instance.class_id || !meet(common, box_a, box_b)) return 0;
    double both = (double)mr_mask_intersection(&a->instance.mask, &b->instance.mask);
    if (both == 0) return 0;
    double area_a = (double)mr_mask_area_in(&a->instance.mask, window);
    double area_b = (double)mr_mask_area_in(&b->instance.mask, window);
    if (both >= same_object * (area_a + area_b - both)) return 1;
    return (a->is_cut && both >= same_object * (double)mrcnn_mask_area(&a->instance.mask)) ||
           (b->is_cut && both >= same_object * (double)mrcnn_mask_area(&b->instance.mask));
}

static double instance_iou(const mrcnn_instance *a, const mrcnn_instance *b) {
    int32_t box_a[4], box_b[4];
    box_of(a, box_a);
    box_of(b, box_b);
    return mr_box_iou(box_a, box_b);
}

/* ------------------------------------------------------------------------------------ merging */

enum { FREE = 0, TAKEN = 1, KEPT = 2 };

typedef struct merging {
    mr_tile_finds *finds;
    const mr_settings *settings;
    size_t *first;        /* of each tile: its first find; one entry more than tiles */
    unsigned char *state; /* of each find */
    size_t *order;        /* the best first */
    size_t *pieces;       /* of the object under way */
    mrcnn_error *err;
} merging;

typedef struct ranked {
    float score;
    int is_cut;
    size_t index;
} ranked;

static int best_first(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->is_cut != y->is_cut) return x->is_cut - y->is_cut;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* Calls `body` for each find of another tile that meets this one's. Stops when it says so. */
typedef int (*neighbour_body)(merging *m, size_t index, size_t other, const int32_t window[4]);

static int each_neighbour(merging *m, size_t index, neighbour_body body) {
    const mr_tile_finds *f = m->finds;
    size_t own = f->items[index].tile;
    int32_t box[4], window[4], common[4];
    box_of(&f->items[index].instance, box);
    for (size_t tile = 0; tile < f->tile_count; tile++) {
        if (tile == own || !meet(common, box, f->tiles[tile]) ||
            !meet(window, f->tiles[own], f->tiles[tile]))
            continue;
        for (size_t i = m->first[tile]; i < m->first[tile + 1]; i++)
            if (body(m, index, i, window)) return 1;
    }
    return 0;
}

/* Of the object whose best sighting is `index`: what else is free becomes part of it. */
static int take(merging *m, size_t index, size_t other, const int32_t window[4]) {
    mr_tile_find *items = m->finds->items;
    if (m->state[other] == FREE && is_same_object(&items[index], &items[other], window))
        m->state[other] = TAKEN;
    return 0;
}

static int collect(merging *m, size_t index, size_t other, const int32_t window[4]) {
    mr_tile_find *items = m->finds->items;
    if (m->state[other] != FREE || !is_same_object(&items[index], &items[other], window)) return 0;
    m->state[other] = TAKEN;
    size_t end = 0;
    while (m->pieces[end] != SIZE_MAX) end++;
    m->pieces[end] = other;
    m->pieces[end + 1] = SIZE_MAX;
    return 0;
}

static mrcnn_status unite(mr_tile_find *to, const mr_tile_find *piece, mrcnn_error *err) {
    mrcnn_instance *a = &to->instance;
    const mrcnn_instance *b = &piece->instance;
    mrcnn_mask both;
    mrcnn_status status = mr_mask_unite(&both, &a->mask, &b->mask, err);
    if (status != MRCNN_OK) return status;
    mrcnn_mask_free(&a->mask);
    a->mask = both;
    if (b->y1 < a->y1) a->y1 = b->y1;
    if (b->x1 < a->x1) a->x1 = b->x1;
    if (b->y2 > a->y2) a->y2 = b->y2;
    if (b->x2 > a->x2) a->x2 = b->x2;
    return MRCNN_OK;
}

/* Piece by piece, each from the next tile: an object may lie in many. All are found before the first
 * one grows. */
static mrcnn_status join_pieces(merging *m, size_t index) {
    mrcnn_status status = MRCNN_OK;
    m->pieces[0] = index;
    m->pieces[1] = SIZE_MAX;
    for (size_t i = 0; m->pieces[i] != SIZE_MAX; i++) each_neighbour(m, m->pieces[i], collect);
    for (size_t i = 1; status == MRCNN_OK && m->pieces[i] != SIZE_MAX; i++)
        status = unite(&m->finds->items[index], &m->finds->items[m->pieces[i]], m->err);
    return status;
}

static int suppresses(merging *m, size_t index, size_t other, const int32_t window[4]) {
    const mr_tile_find *items = m->finds->items;
    (void)window;
    return m->settings->detection_nms == MR_SUPPRESS_HARD && m->state[other] == KEPT &&
           items[other].instance.class_id == items[index].instance.class_id &&
           instance_iou(&items[index].instance, &items[other].instance) >
               m->settings->detection_nms_threshold;
}

static mrcnn_status merge_all(merging *m) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; status == MRCNN_OK && i < m->finds->count; i++) {
        size_t index = m->order[i];
        if (m->state[index] != FREE) continue;
        m->state[index] = TAKEN;
        if (m->finds->items[index].is_cut)
            status = join_pieces(m, index);
        else
            each_neighbour(m, index, take);
        if (!each_neighbour(m, index, suppresses)) m->state[index] = KEPT;
    }
    return status;
}

/* ------------------------------------------------------------------------------------- result */

static int by_score(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static mrcnn_status make_result(mrcnn_result **result, merging *m) {
    mr_tile_finds *f = m->finds;
    size_t kept = 0, most = (size_t)m->settings->detection_max_instances;
    ranked *ranks = mr_calloc(f->count, sizeof *ranks);
    mrcnn_result *r = mr_calloc(1, sizeof *r);
    if (ranks && r) {
        for (size_t i = 0; i < f->count; i++)
            if (m->state[i] == KEPT) ranks[kept++] = (ranked){f->items[i].instance.score, 0, i};
        qsort(ranks, kept, sizeof *ranks, by_score);
        if (kept > most) kept = most;
        r->instances = mr_calloc(kept, sizeof *r->instances);
    }
    if (!ranks || !r || !r->instances) {
        free(ranks);
        free(r);
        return mr_fail_memory(m->err, f->count * sizeof *r->instances, "a result");
    }
    r->height = f->height;
    r->width = f->width;
    r->count = kept;
    for (size_t i = 0; i < kept; i++) {
        mrcnn_instance *it = &f->items[ranks[i].index].instance;
        r->instances[i] = *it;
        it->mask = (mrcnn_mask){0, 0, 0, NULL};
    }
    free(ranks);
    *result = r;
    return MRCNN_OK;
}

static int prepare(merging *m) {
    const mr_tile_finds *f = m->finds;
    ranked *ranks = mr_calloc(f->count, sizeof *ranks);
    m->first = mr_calloc(f->tile_count + 1, sizeof *m->first);
    m->state = mr_calloc(f->count, sizeof *m->state);
    m->order = mr_calloc(f->count, sizeof *m->order);
    m->pieces = mr_calloc(f->count + 1, sizeof *m->pieces);
    int done = ranks && m->first && m->state && m->order && m->pieces;
    if (done) {
        for (size_t i = 0; i < f->count; i++) {
            m->first[f->items[i].tile + 1] = i + 1;
            ranks[i] = (ranked){f->items[i].instance.score, f->items[i].is_cut, i};
        }
        for (size_t i = 1; i <= f->tile_count; i++)
            if (m->first[i] < m->first[i - 1]) m->first[i] = m->first[i - 1];
        qsort(ranks, f->count, sizeof *ranks, best_first);
        for (size_t i = 0; i < f->count; i++) m->order[i] = ranks[i].index;
    }
    free(ranks);
    return done;
}

mrcnn_status mr_tile_finds_merge(mrcnn_result **result, mr_tile_finds *finds,
                                 const mr_settings *settings, mrcnn_error *err) {
    merging m = {.finds = finds, .settings = settings, .err = err};
    mrcnn_status status = MRCNN_OK;
    if (!prepare(&m)) status = mr_fail_memory(err, finds->count * sizeof *m.order, "instances");
    if (status == MRCNN_OK) status = merge_all(&m);
    if (status == MRCNN_OK) status = make_result(result, &m);
    free(m.first);
    free(m.state);
    free(m.order);
    free(m.pieces);
    return status;
}
