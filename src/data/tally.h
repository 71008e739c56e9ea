/* tally.h - counts pixels by number: which numbers there are in a picture of labels, how often each
 * one is there, and where. Rows are counted in runs, so that a pixel costs next to nothing. */
#ifndef MR_DATA_TALLY_H
#define MR_DATA_TALLY_H

#include <stddef.h>
#include <stdint.h>

typedef struct mr_count {
    uint64_t number;
    uint64_t pixels;
    int32_t box[4]; /* y1 x1 y2 x2, the last two just outside */
} mr_count;

/* Start with {0}. */
typedef struct mr_tally {
    mr_count *counts;
    size_t count, room;
    uint32_t *slots; /* a hash table of places in `counts`, plus 1 */
    size_t slot_count;
} mr_tally;

/* The entry of a number, new ones with 0 pixels; NULL: no memory. Valid until the next call. */
mr_count *mr_tally_find(mr_tally *tally, uint64_t number);

/* `length` pixels of that number from x on; 0: no memory. */
int mr_tally_add(mr_tally *tally, uint64_t number, int32_t y, int32_t x, int32_t length);

/* Sorts the counts by number and gives back memory that they don't need; nothing can be added any
 * more. */
void mr_tally_sort(mr_tally *tally);

void mr_tally_free(mr_tally *tally);

#endif
