/* plan_memory.c - see plan_memory.h. Greedy, in the better one of two orders, which is within a few percent of optimal
 * for such graphs. */
#include "graph/plan_memory.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>

typedef const mr_block *const *place;

static int earlier_first(const void *a, const void *b) {
    const mr_block *x = *(place)a, *y = *(place)b;
    return (x->first > y->first) - (x->first < y->first);
}

static int larger_first(const void *a, const void *b) {
    const mr_block *x = *(place)a, *y = *(place)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return earlier_first(a, b);
}

/* What lives long is in everybody's way. */
static int longer_first(const void *a, const void *b) {
    const mr_block *x = *(place)a, *y = *(place)b;
    double area_x = (double)x->bytes * (x->last - x->first + 1);
    double area_y = (double)y->bytes * (y->last - y->first + 1);
    if (area_x != area_y) return area_x < area_y ? 1 : -1;
    return larger_first(a, b);
}

/* The lowest offset at which `b` meets no placed block that is alive at the same time. */
static size_t lowest_offset(mr_block *const *placed, int count, const mr_block *b) {
    size_t offset = 0;
    for (int moved = 1; moved;) {
        moved = 0;
        for (int i = 0; i < count; i++) {
            const mr_block *p = placed[i];
            int alive_together = p->first <= b->last && b->first <= p->last;
            int meet = offset < p->offset + p->bytes && p->offset < offset + b->bytes;
            if (alive_together && meet) {
                offset = p->offset + p->bytes;
                moved = 1;
            }
        }
    }
    return offset;
}

/* Returns the bytes of all together. */
static size_t place_in_order(mr_block **order, int count,
                             int (*compare)(const void *, const void *)) {
    size_t bytes = 0;
    qsort(order, (size_t)count, sizeof *order, compare);
    for (int i = 0; i < count; i++) {
        order[i]->offset = lowest_offset(order, i, order[i]);
        size_t end = order[i]->offset + order[i]->bytes;
        if (end > bytes) bytes = end;
    }
    return bytes;
}

mrcnn_status mr_place_blocks(mr_block *blocks, int count, size_t *bytes, mrcnn_error *err) {
    mr_block **order = mr_calloc((size_t)count, sizeof *order);
    if (!order) return mr_fail_memory(err, (size_t)count, "a plan");
    for (int i = 0; i < count; i++) order[i] = &blocks[i];
    size_t by_area = place_in_order(order, count, longer_first);
    *bytes = place_in_order(order, count, larger_first);
    if (by_area < *bytes) *bytes = place_in_order(order, count, longer_first);
    free(order);
    return MRCNN_OK;
}
