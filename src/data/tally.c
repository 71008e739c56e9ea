/* tally.c - see tally.h. */
#include "data/tally.h"

#include "base/memory.h"
#include "data/dataset.h"

#include <stdlib.h>
#include <string.h>

static size_t first_slot(const mr_tally *t, uint64_t number) {
    return (size_t)(number * 0x9E3779B97F4A7C15u >> 32) & (t->slot_count - 1);
}

/* The slot that has the number, or is free for it. There are always free ones. */
static size_t find_slot(const mr_tally *t, uint64_t number) {
    size_t slot = first_slot(t, number);
    while (t->slots[slot] && t->counts[t->slots[slot] - 1].number != number)
        slot = (slot + 1) & (t->slot_count - 1);
    return slot;
}

/* Half of the slots are kept free. */
static int make_room(mr_tally *t) {
    if (!mr_dataset_grow((void **)&t->counts, &t->room, t->count, 1, sizeof *t->counts)) return 0;
    if (t->count >= UINT32_MAX - 1) return 0;
    if (2 * (t->count + 1) <= t->slot_count) return 1;
    size_t larger = t->slot_count ? 2 * t->slot_count : 64;
    uint32_t *slots = mr_calloc(larger, sizeof *slots);
    if (!slots) return 0;
    free(t->slots);
    t->slots = slots;
    t->slot_count = larger;
    for (size_t i = 0; i < t->count; i++)
        t->slots[find_slot(t, t->counts[i].number)] = (uint32_t)i + 1;
    return 1;
}

mr_count *mr_tally_find(mr_tally *tally, uint64_t number) {
    if (!make_room(tally)) return NULL;
    size_t slot = find_slot(tally, number);
    if (!tally->slots[slot]) {
        tally->counts[tally->count++] = (mr_count){number, 0, {INT32_MAX, INT32_MAX, 0, 0}};
        tally->slots[slot] = (uint32_t)tally->count;
    }
    return &tally->counts[tally->slots[slot] - 1];
}

int mr_tally_add(mr_tally *tally, uint64_t number, int32_t y, int32_t x, int32_t length) {
    mr_count *c = mr_tally_find(tally, number);
    if (!c) return 0;
    c->pixels += (uint64_t)length;
    if (y < c->box[0]) c->box[0] = y;
    if (x < c->box[1]) c->box[1] = x;
    if (y + 1 > c->box[2]) c->box[2] = y + 1;
    if (x + length > c->box[3]) c->box[3] = x + length;
    return 1;
}

static int compare_numbers(const void *a, const void *b) {
    uint64_t x = ((const mr_count *)a)->number, y = ((const mr_count *)b)->number;
    return (x > y) - (x < y);
}

void mr_tally_sort(mr_tally *tally) {
    if (tally->count) qsort(tally->counts, tally->count, sizeof *tally->counts, compare_numbers);
    mr_count *fitting = mr_realloc(tally->counts, tally->count + 1, sizeof *fitting);
    if (fitting) tally->counts = fitting;
    free(tally->slots);
    tally->slots = NULL;
    tally->slot_count = 0;
}

void mr_tally_free(mr_tally *tally) {
    free(tally->counts);
    free(tally->slots);
    memset(tally, 0, sizeof *tally);
}
