/* split.c - divides a data set into parts that are alike: iterative stratification (Sechidis,
 * Tsoumakas and Vlahavas, 2011), by objects. The class with the fewest objects left is dealt out
 * first, picture by picture, each to the part that lacks most of it. Then pictures are moved and
 * exchanged as long as that brings the numbers of objects and pictures nearer to the shares. */
#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/prng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PARTS = 16, NOBODY = 255, ROUNDS = 20, EXCHANGES = 50 /* a picture */ };
static const double TINY = 1e-12; /* gains that rounding may have made */

/* So many objects of a class in a picture. */
typedef struct entry {
    size_t picture;
    int class_id;
    size_t count;
} entry;

typedef struct dealer {
    const mr_dataset *set;
    const double *shares;
    size_t parts;
    uint8_t *part_of;
    size_t *order; /* pictures as they come up */
    size_t *dealt; /* those that were dealt, in that order */
    size_t dealt_count;
    entry *entries; /* of all pictures, one behind the other */
    size_t entry_count, entry_room;
    size_t *first;   /* entry of each picture, and the end */
    double *lacking; /* parts x classes: objects of each; class 0: pictures */
    size_t *all;     /* objects of each class */
    size_t *left;    /* those that are not dealt out */
    size_t *seen;    /* scratch, a number a class */
    uint64_t ties;
    uint64_t tie;
} dealer;

/* ------------------------------------------------------------------------------------ counting */

/* Sorted by class within the picture. Without boxes: whether they are inside does not matter here. */
static mrcnn_status count_picture(dealer *d, size_t picture, mrcnn_error *err) {
    mrcnn_objects objects = {0};
    mrcnn_error broken = MRCNN_ERROR_INIT;
    int classes = d->set->class_count;
    mrcnn_status status = mrcnn_dataset_objects(d->set, picture, &objects, &broken);
    if (status == MRCNN_E_MEMORY) return mr_fail(err, status, "%s", broken.message);
    memset(d->seen, 0, (size_t)classes * sizeof *d->seen);
    for (size_t i = 0; i < objects.count; i++) d->seen[objects.items[i].class_id]++;
    mrcnn_objects_free(&objects);
    d->first[picture] = d->entry_count;
    for (int c = 1; c < classes; c++) {
        if (!d->seen[c]) continue;
        if (!mr_dataset_grow((void **)&d->entries, &d->entry_room, d->entry_count, 1,
                             sizeof *d->entries))
            return mr_fail_memory(err, sizeof *d->entries, "counts of objects");
        d->entries[d->entry_count++] = (entry){picture, c, d->seen[c]};
        d->left[c] += d->seen[c];
    }
    d->first[picture + 1] = d->entry_count;
    return MRCNN_OK;
}

static mrcnn_status count_objects(dealer *d, mrcnn_error *err) {
    size_t pictures = d->set->picture_count;
    int classes = d->set->class_count;
    for (size_t i = 0; i < pictures; i++) {
        mrcnn_status status = count_picture(d, i, err);
        if (status != MRCNN_OK) return status;
    }
    memcpy(d->all, d->left, (size_t)classes * sizeof *d->all);
    for (size_t p = 0; p < d->parts; p++) {
        double *lacking = d->lacking + p * (size_t)classes;
        lacking[0] = d->shares[p] * (double)pictures;
        for (int c = 1; c < classes; c++) lacking[c] = d->shares[p] * (double)d->all[c];
    }
    return MRCNN_OK;
}

/* ------------------------------------------------------------------------------------- dealing */

/* The part that lacks most of the class; then most pictures; then any. */
static size_t find_part(dealer *d, int class_id) {
    size_t best = 0, classes = (size_t)d->set->class_count, equals = 0;
    for (size_t p = 0; p < d->parts; p++) {
        const double *mine = d->lacking + p * classes, *other = d->lacking + best * classes;
        if (d->shares[p] <= 0) continue;
        double more = d->shares[best] <= 0 ? 1 : mine[class_id] - other[class_id];
        if (more == 0) more = mine[0] - other[0];
        if (more > 0) {
            best = p;
            equals = 1;
        } else if (more == 0) { /* each of so many equals with the same chance */
            equals++;
            if (mr_prng_uniform(d->ties, d->tie++) * (double)equals < 1) best = p;
        }
    }
    return best;
}

static void deal(dealer *d, size_t picture, size_t part) {
    double *lacking = d->lacking + part * (size_t)d->set->class_count;
    d->part_of[picture] = (uint8_t)part;
    d->dealt[d->dealt_count++] = picture;
    lacking[0]--;
    for (size_t i = d->first[picture]; i < d->first[picture + 1]; i++) {
        const entry *e = &d->entries[i];
        lacking[e->class_id] -= (double)e->count;
        d->left[e->class_id] -= e->count;
    }
}

static int has_class(const dealer *d, size_t picture, int class_id) {
    for (size_t i = d->first[picture]; i < d->first[picture + 1]; i++)
        if (d->entries[i].class_id == class_id) return 1;
    return 0;
}

/* The class with the fewest objects left; 0: none has any. */
static int find_rarest(const dealer *d) {
    int rarest = 0;
    for (int c = 1; c < d->set->class_count; c++)
        if (d->left[c] && (!rarest || d->left[c] < d->left[rarest])) rarest = c;
    return rarest;
}

static void deal_class(dealer *d, int class_id) {
    for (size_t i = 0; i < d->set->picture_count; i++) {
        size_t picture = d->order[i];
        if (d->part_of[picture] == NOBODY && (class_id == 0 || has_class(d, picture, class_id)))
            deal(d, picture, find_part(d, class_id));
    }
}

/* ------------------------------------------------------------------------------------- mending */

/* How much further from the shares the parts are when a picture goes from its part to another: the sum
 * over parts of squares of what they lack, as shares of all there is, of each class and of pictures. */
static double cost_of(const dealer *d, size_t picture, size_t to) {
    size_t classes = (size_t)d->set->class_count;
    const double *from_lacks = d->lacking + d->part_of[picture] * classes;
    const double *to_lacks = d->lacking + to * classes;
    double pictures = (double)d->set->picture_count;
    double cost = (from_lacks[0] - to_lacks[0] + 1) / (pictures * pictures);
    for (size_t i = d->first[picture]; i < d->first[picture + 1]; i++) {
        double n = (double)d->entries[i].count, all = (double)d->all[d->entries[i].class_id];
        int c = d->entries[i].class_id;
        cost += n * (from_lacks[c] - to_lacks[c] + n) / (all * all);
    }
    return cost;
}

static void move(dealer *d, size_t picture, size_t to) {
    size_t classes = (size_t)d->set->class_count;
    double *from_lacks = d->lacking + d->part_of[picture] * classes;
    double *to_lacks = d->lacking + to * classes;
    from_lacks[0]++;
    to_lacks[0]--;
    for (size_t i = d->first[picture]; i < d->first[picture + 1]; i++) {
        from_lacks[d->entries[i].class_id] += (double)d->entries[i].count;
        to_lacks[d->entries[i].class_id] -= (double)d->entries[i].count;
    }
    d->part_of[picture] = (uint8_t)to;
}

static int move_pictures(dealer *d) {
    int moved = 0;
    for (size_t i = 0; i < d->set->picture_count; i++)
        for (size_t p = 0; p < d->parts; p++)
            if (p != d->part_of[d->order[i]] && d->shares[p] > 0 &&
                cost_of(d, d->order[i], p) < -TINY) {
                move(d, d->order[i], p);
                moved = 1;
            }
    return moved;
}

static void try_exchange(dealer *d, size_t a, size_t b) {
    size_t part_a = d->part_of[a], part_b = d->part_of[b];
    if (part_a == part_b) return;
    double cost = cost_of(d, a, part_b);
    move(d, a, part_b);
    if (cost + cost_of(d, b, part_a) < -TINY)
        move(d, b, part_a);
    else
        move(d, a, part_a);
}

/* So many pairs, by chance: all of them would be too many. */
static void exchange_pictures(dealer *d, uint64_t seed) {
    uint64_t stream = mr_prng_stream(seed, "split/exchange");
    size_t count = d->set->picture_count;
    for (uint64_t i = 0; i < (uint64_t)count * EXCHANGES; i++) {
        double a = mr_prng_uniform(stream, 2 * i), b = mr_prng_uniform(stream, 2 * i + 1);
        try_exchange(d, (size_t)(a * (double)count), (size_t)(b * (double)count));
    }
}

static void mend(dealer *d, uint64_t seed) {
    for (int round = 0; round < ROUNDS && move_pictures(d); round++) {
    }
    exchange_pictures(d, seed);
}

/* --------------------------------------------------------------------------------- empty parts */

static size_t count_part(const dealer *d, size_t part) {
    size_t count = 0;
    for (size_t i = 0; i < d->set->picture_count; i++) count += d->part_of[i] == part;
    return count;
}

/* A part that is to have pictures but got none takes one of the part with the most. */
static void fill_part(dealer *d, size_t part) {
    size_t richest = 0;
    if (d->shares[part] <= 0 || count_part(d, part)) return;
    for (size_t p = 1; p < d->parts; p++)
        if (count_part(d, p) > count_part(d, richest)) richest = p;
    if (count_part(d, richest) < 2) return;
    for (size_t i = d->dealt_count; i-- > 0;) /* those dealt last have common classes, or none */
        if (d->part_of[d->dealt[i]] == richest) {
            d->part_of[d->dealt[i]] = (uint8_t)part;
            return;
        }
}

static void shuffle(dealer *d, uint64_t seed) {
    uint64_t stream = mr_prng_stream(seed, "split/order");
    for (size_t i = 0; i < d->set->picture_count; i++) d->order[i] = i;
    for (size_t i = d->set->picture_count; i > 1; i--) {
        size_t k = (size_t)(mr_prng_uniform(stream, i) * (double)i), other = d->order[k];
        d->order[k] = d->order[i - 1];
        d->order[i - 1] = other;
    }
}

static void deal_all(dealer *d, uint64_t seed) {
    d->ties = mr_prng_stream(seed, "split/ties");
    memset(d->part_of, NOBODY, d->set->picture_count);
    shuffle(d, seed);
    for (int c = find_rarest(d); c; c = find_rarest(d)) deal_class(d, c);
    deal_class(d, 0); /* pictures without objects */
    mend(d, seed);
    for (size_t p = 0; p < d->parts; p++) fill_part(d, p);
}

/* ------------------------------------------------------------------------------------------ all */

static mrcnn_status check_shares(const double *shares, size_t count, mrcnn_error *err) {
    double sum = 0;
    if (count < 1 || count > MOST_PARTS)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a data set can't be split into %zu parts: 1 to %d",
                       count, MOST_PARTS);
    for (size_t i = 0; i < count; i++) {
        if (!(shares[i] >= 0 && shares[i] <= 1))
            return mr_fail(err, MRCNN_E_ARGUMENT, "a part's share is %g: it must be from 0 to 1",
                           shares[i]);
        sum += shares[i];
    }
    if (fabs(sum - 1) > 1e-6)
        return mr_fail(err, MRCNN_E_ARGUMENT, "the shares of the parts sum up to %g instead of 1",
                       sum);
    return MRCNN_OK;
}

static mrcnn_status make_tables(dealer *d, mrcnn_error *err) {
    size_t pictures = d->set->picture_count, classes = (size_t)d->set->class_count;
    d->order = mr_calloc(pictures, sizeof *d->order);
    d->dealt = mr_calloc(pictures, sizeof *d->dealt);
    d->first = mr_calloc(pictures + 1, sizeof *d->first);
    d->lacking = mr_calloc(d->parts * classes, sizeof *d->lacking);
    d->all = mr_calloc(classes, sizeof *d->all);
    d->left = mr_calloc(classes, sizeof *d->left);
    d->seen = mr_calloc(classes, sizeof *d->seen);
    if (d->order && d->dealt && d->first && d->lacking && d->all && d->left && d->seen)
        return MRCNN_OK;
    return mr_fail_memory(err, pictures * 3 * sizeof *d->order, "splitting a data set");
}

mrcnn_status mrcnn_dataset_split(const mrcnn_dataset *set, const double *shares, size_t count,
                                 uint64_t seed, uint8_t *parts, mrcnn_error *err) {
    if (!set || !shares || !parts)
        return mr_fail(err, MRCNN_E_ARGUMENT, "splitting a data set: %s is NULL",
                       !set      ? "set"
                       : !shares ? "shares"
                                 : "parts");
    dealer d = {.set = set, .shares = shares, .parts = count, .part_of = parts};
    mrcnn_status status = check_shares(shares, count, err);
    if (status == MRCNN_OK) status = make_tables(&d, err);
    if (status == MRCNN_OK) status = count_objects(&d, err);
    if (status == MRCNN_OK) deal_all(&d, seed);
    free(d.order);
    free(d.dealt);
    free(d.entries);
    free(d.first);
    free(d.lacking);
    free(d.all);
    free(d.left);
    free(d.seen);
    return status;
}
