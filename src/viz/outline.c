/* outline.c - boundary tracing without a bitmap (see outline.h).
 *
 * Where a column's run begins or ends lies a horizontal edge, one pixel long. Walking with the mask
 * on the right, upper edges are crossed rightwards and lower ones leftwards. What remains is to
 * know for each edge which one comes next: on the grid line between two columns their edges' rows
 * are merged from the top; where just one side has an edge, a vertical segment begins or ends
 * there. Memory is proportional to the number of edges. */
#include "viz/outline.h"

#include "base/memory.h"

#include <stdlib.h>

enum { SIDE_MAX = 1 << 24 }; /* larger coordinates are not exact in float */
#define NONE UINT32_MAX

typedef struct edge {
    int32_t x, y;  /* from (x, y) to (x + 1, y), or back */
    uint32_t next; /* NONE once it was traced */
} edge;

/* Edges in column order, from the top: even ones are upper, odd ones lower edges. */
typedef struct edges {
    edge *items;
    uint32_t count;
} edges;

static int is_upper(uint32_t index) {
    return index % 2 == 0;
}

static uint64_t count_edges(const mrcnn_mask *mask) {
    uint64_t position = 0, count = 0;
    for (size_t i = 0; i < mask->count; position += mask->counts[i++])
        if (i % 2 == 1 && mask->counts[i] > 0) {
            uint64_t last = position + mask->counts[i] - 1, height = (uint64_t)mask->height;
            count += 2 * (last / height - position / height + 1);
        }
    return count;
}

/* Runs that follow each other in one column without a gap (zero-length runs of background) are
 * one run: an edge between them would lie inside the mask. */
static void add_run(edges *edges, int64_t x, int64_t y1, int64_t y2) {
    edge *last = edges->count ? &edges->items[edges->count - 1] : NULL;
    if (last && last->x == x && last->y == y1) {
        last->y = (int32_t)y2;
        return;
    }
    edges->items[edges->count++] = (edge){(int32_t)x, (int32_t)y1, NONE};
    edges->items[edges->count++] = (edge){(int32_t)x, (int32_t)y2, NONE};
}

static void collect_edges(edges *edges, const mrcnn_mask *mask) {
    const int64_t height = mask->height;
    int64_t position = 0;
    for (size_t i = 0; i < mask->count; i++) {
        int64_t end = position + mask->counts[i];
        while (i % 2 == 1 && position < end) {
            int64_t y1 = position % height;
            int64_t y2 = end - position < height - y1 ? y1 + (end - position) : height;
            add_run(edges, position / height, y1, y2);
            position += y2 - y1;
        }
        position = end;
    }
}

/* Connects two edges that meet at grid line x, directly or by a vertical segment. The one that
 * arrives there is an upper edge from the left or a lower one from the right. */
static void link_at(edges *edges, int32_t x, uint32_t a, uint32_t b) {
    int a_arrives = (edges->items[a].x < x) == is_upper(a);
    if (a_arrives)
        edges->items[a].next = b;
    else
        edges->items[b].next = a;
}

/* Merges the edges left (l .. l_end) and right (r .. r_end) of grid line x from the top. `open` is
 * the edge from which a vertical segment leads down. */
static void link_grid_line(edges *edges, int32_t x, uint32_t l, uint32_t l_end, uint32_t r,
                           uint32_t r_end) {
    const edge *items = edges->items;
    uint32_t open = NONE;
    while (l < l_end || r < r_end) {
        int64_t left_y = l < l_end ? items[l].y : INT64_MAX;
        int64_t right_y = r < r_end ? items[r].y : INT64_MAX;
        if (left_y == right_y && is_upper(l) == is_upper(r)) {
            link_at(edges, x, l++, r++); /* straight on */
        } else if (left_y == right_y) {
            /* Two pixels touch at this corner. 4-connectivity: the lower edge of the upper one
             * goes with the segment above, the upper edge of the lower one with that below. */
            link_at(edges, x, open, is_upper(l) ? r : l);
            open = is_upper(l) ? l : r;
            l++;
            r++;
        } else {
            uint32_t single = left_y < right_y ? l++ : r++;
            if (open == NONE) {
                open = single;
            } else {
                link_at(edges, x, open, single);
                open = NONE;
            }
        }
    }
}

static void link_edges(edges *edges) {
    uint32_t left = 0, left_end = 0, at = 0;
    while (at < edges->count || left < left_end) {
        /* The next grid line: behind the last column with edges, or before the next one. */
        int32_t x = left < left_end ? edges->items[left].x + 1 : edges->items[at].x;
        uint32_t right = at;
        while (at < edges->count && edges->items[at].x == x) at++;
        link_grid_line(edges, x, left, left_end, right, at);
        left = right;
        left_end = at;
    }
}

typedef struct ring {
    mr_point *points;
    size_t count, room;
} ring;

static int add_point(ring *ring, int32_t x, int32_t y) {
    if (ring->count == ring->room) {
        size_t room = ring->room ? 2 * ring->room : 64;
        mr_point *larger = mr_realloc(ring->points, room, sizeof *larger);
        if (!larger) return 0;
        ring->points = larger;
        ring->room = room;
    }
    ring->points[ring->count++] = (mr_point){(float)x, (float)y};
    return 1;
}

/* Follows one ring and marks its edges. Corners are where the row changes. *area becomes twice the
 * enclosed area, negative for a hole. */
static int follow(edges *edges, uint32_t start, ring *ring, int64_t *area) {
    uint32_t at = start;
    ring->count = 0;
    *area = 0;
    do {
        edge *here = &edges->items[at];
        const edge *then = &edges->items[here->next];
        int32_t arrive_x = is_upper(at) ? here->x + 1 : here->x;
        if (here->y != then->y &&
            !(add_point(ring, arrive_x, here->y) && add_point(ring, arrive_x, then->y)))
            return 0;
        *area += is_upper(at) ? -2 * (int64_t)here->y : 2 * (int64_t)here->y;
        at = here->next;
        here->next = NONE;
    } while (at != start);
    return 1;
}

static mrcnn_status trace(edges *edges, mr_ring_visitor visit, void *context, mrcnn_error *err) {
    ring ring = {NULL, 0, 0};
    mrcnn_status status = MRCNN_OK;
    for (uint32_t i = 0; i < edges->count && status == MRCNN_OK; i++) {
        int64_t area;
        if (edges->items[i].next == NONE) continue;
        if (follow(edges, i, &ring, &area))
            status = visit(context, ring.points, ring.count, area < 0, err);
        else
            status = mr_fail_memory(err, 2 * ring.room * sizeof *ring.points, "an outline");
    }
    free(ring.points);
    return status;
}

mrcnn_status mr_trace_mask(const mrcnn_mask *mask, mr_ring_visitor visit, void *context,
                           mrcnn_error *err) {
    if (mask->height > SIDE_MAX || mask->width > SIDE_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "the mask is %d x %d; outlines are made up to %d pixels a side", mask->width,
                       mask->height, SIDE_MAX);
    uint64_t count = count_edges(mask);
    edges edges = {NULL, 0};
    if (count < NONE && count <= SIZE_MAX / sizeof(edge))
        edges.items = mr_calloc((size_t)count, sizeof(edge));
    if (!edges.items) return mr_fail_memory(err, (size_t)count * sizeof(edge), "a mask's edges");
    collect_edges(&edges, mask);
    link_edges(&edges);
    mrcnn_status status = trace(&edges, visit, context, err);
    free(edges.items);
    return status;
}
