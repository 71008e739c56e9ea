/* simplify.c - Douglas-Peucker on closed rings (Douglas, Peucker 1973). Distances are to the
 * segment, not to its line, so that the tolerance holds at turning points too. */
#include "viz/outline.h"

/* Splitting at the furthest point can take quadratic time on comb-like outlines. Ranges this deep
 * are halved instead: that keeps a few points too many but never moves the outline further. */
enum { FURTHEST_DEPTH = 32 };

static double squared_distance(mr_point p, mr_point a, mr_point b) {
    double dx = (double)b.x - a.x, dy = (double)b.y - a.y;
    double px = (double)p.x - a.x, py = (double)p.y - a.y;
    double length = dx * dx + dy * dy;
    double t = length > 0.0 ? (px * dx + py * dy) / length : 0.0;
    t = t < 0.0 ? 0.0 : t > 1.0 ? 1.0 : t;
    px -= t * dx;
    py -= t * dy;
    return px * px + py * py;
}

typedef struct ring {
    mr_point *points;
    size_t count;
    size_t kept; /* points[0 .. kept - 1] are the result so far */
    double limit;
} ring;

/* The point between first and last that is furthest from the segment between them; last may be
 * count, which is the first point again. */
static size_t furthest(const ring *ring, size_t first, size_t last, double *squared) {
    mr_point a = ring->points[first], b = ring->points[last == ring->count ? 0 : last];
    size_t best = first + 1;
    *squared = -1.0;
    for (size_t i = first + 1; i < last; i++) {
        double distance = squared_distance(ring->points[i], a, b);
        if (distance <= *squared) continue;
        *squared = distance;
        best = i;
    }
    return best;
}

/* Keeping in place is safe: a point is written at or before its own position, and at its own only
 * when all before it were kept too. */
static void keep(ring *ring, size_t index) {
    ring->points[ring->kept++] = ring->points[index];
}

/* Keeps what is needed between first and last. */
static void keep_between(ring *ring, size_t first, size_t last, int depth) {
    double squared;
    if (last - first < 2) return;
    size_t split = furthest(ring, first, last, &squared);
    if (squared <= ring->limit) return;
    if (depth >= FURTHEST_DEPTH) split = first + (last - first) / 2;
    keep_between(ring, first, split, depth + 1);
    keep(ring, split);
    keep_between(ring, split, last, depth + 1);
}

/* A ring has no ends. Three points always stay: the first, the one furthest from it, and the one
 * furthest from the line between these two, so that no part vanishes. */
size_t mr_simplify_ring(mr_point *points, size_t count, double tolerance) {
    ring ring = {points, count, 0, tolerance * tolerance};
    if (count <= 3 || !(tolerance > 0.0)) return count;

    size_t far = 1, third = 1;
    double far_squared = -1.0, third_squared = -1.0;
    for (size_t i = 1; i < count; i++) {
        double squared = squared_distance(points[i], points[0], points[0]);
        if (squared <= far_squared) continue;
        far_squared = squared;
        far = i;
    }
    for (size_t i = 1; i < count; i++) {
        double squared = squared_distance(points[i], points[0], points[far]);
        if (squared <= third_squared) continue;
        third_squared = squared;
        third = i;
    }
    size_t second = far < third ? far : third, last = far < third ? third : far;
    keep(&ring, 0);
    keep_between(&ring, 0, second, 0);
    keep(&ring, second);
    keep_between(&ring, second, last, 0);
    keep(&ring, last);
    keep_between(&ring, last, count, 0);
    return ring.kept;
}
