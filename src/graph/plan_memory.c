/* plan_memory.c - see plan_memory.h. Greedy by size, which is within a few percent of optimal for
 * such graphs. */
#include "graph/plan_memory.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>

static int larger_first(const void *a, const void *b) {
    const mr_block *x = *(const mr_block *const *)a, *y = *(const mr_block *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return (x->first > y->first) - (x->first < y->first);
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

mrcnn_status mr_place_blocks(mr_block *blocks, int count, size_t *bytes, mrcnn_error *err) {
    mr_block **order = mr_calloc((size_t)count, sizeof *order);
    if (!order) return mr_fail_memory(err, (size_t)count, "a plan");
    for (int i = 0; i < count; i++) order[i] = &blocks[i];
    qsort(order, (size_t)count, sizeof *order, larger_first);
    *bytes = 0;
    for (int i = 0; i < count; i++) {
        order[i]->offset = lowest_offset(order, i, order[i]);
        size_t end = order[i]->offset + order[i]->bytes;
        if (end > *bytes) *bytes = end;
    }
    free(order);
    return MRCNN_OK;
}
