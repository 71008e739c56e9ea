/* mask_meet.c - how much two masks share. They are compared run by run: no bitmap is made. */
#include "image/mask.h"

/* A run of ones: pixels counted down the columns. */
typedef struct run {
    const uint32_t *next; /* counts, in pairs: zeros, ones */
    size_t pairs;         /* left */
    uint64_t begin, end;
} run;

/* Goes on to the next run; 0 at the end. */
static int next_run(run *r) {
    if (r->pairs == 0) return 0;
    r->pairs--;
    r->begin = r->end + r->next[0];
    r->end = r->begin + r->next[1];
    r->next += 2;
    return 1;
}

static run before_first(const mrcnn_mask *mask) {
    return (run){mask->counts, mask->count / 2, 0, 0};
}

uint64_t mr_mask_intersection(const mrcnn_mask *a, const mrcnn_mask *b) {
    uint64_t both = 0;
    run x = before_first(a), y = before_first(b);
    if (!next_run(&x) || !next_run(&y)) return 0;
    for (;;) {
        uint64_t begin = x.begin > y.begin ? x.begin : y.begin;
        uint64_t end = x.end < y.end ? x.end : y.end;
        if (end > begin) both += end - begin;
        if (!next_run(x.end < y.end ? &x : &y)) return both;
    }
}
