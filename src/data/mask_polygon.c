/* mask_polygon.c - a mask as one polygon, for formats that know nothing else.
 *
 * The outline of each part and of each hole is a ring through the points halfway between a pixel of
 * the mask and its neighbour outside. No edge of a ring comes near a pixel's centre, so that a format
 * may round coordinates without moving a pixel. (Only along the picture's left and upper edge do
 * rings lie on centres, as no coordinate is negative: there they are 0, which nobody rounds.)
 *
 * Rings are joined by seams that are walked both ways. The rule of mr_fill_polygon counts edges by
 * twos, so that seams don't exist for it, wherever they lie. From the top of each ring a seam goes
 * straight up to the next one: through the part around a hole, or through what lies between two parts.
 * What has nothing above it is joined with a part found before. A ring that is above another one
 * begins above it, so that all of this makes a tree, which is walked once. */
#include "data/writer.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/mask.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Sides of a pixel; the next one is that to which an outline goes on along this one. */
enum { UP, RIGHT, DOWN, LEFT };

/* What is known of a pixel, and of its upper and lower side. */
enum { INSIDE = 1, SEEN_UP = 2, SEEN_DOWN = 4, JOINED_UP = 8, JOINED_DOWN = 16 };

/* The pixels of the mask's box with a frame of outside around them. */
typedef struct field {
    uint8_t *cells;
    size_t rows, columns; /* with the frame */
    ptrdiff_t step[4];    /* to the neighbour on that side */
    int32_t top, left;    /* where cell 0 lies in the picture */
} field;

/* One side of a pixel of the mask, with outside behind it: a point of an outline. */
typedef struct side {
    size_t cell;
    int where;
} side;

typedef struct ring {
    side start; /* its first point, row by row */
    side joint; /* the point of another ring that it hangs on */
} ring;

enum { ROOTS = 64 }; /* parts with nothing above them that a new one looks at */

typedef struct rings {
    ring *all;
    size_t count, room;
    size_t roots[ROOTS]; /* the last ones, in turn */
    size_t root_count;
} rings;

/* ---------------------------------------------------------------------------------- the field */

static void fill_run(const field *f, int32_t height, uint64_t begin, uint64_t end) {
    while (begin < end) {
        uint64_t x = begin / (uint64_t)height, y = begin % (uint64_t)height;
        uint64_t next = (x + 1) * (uint64_t)height;
        size_t cell = (size_t)(y - (uint64_t)f->top) * f->columns + (size_t)(x - (uint64_t)f->left);
        for (; begin < end && begin < next; begin++, cell += f->columns) f->cells[cell] = INSIDE;
    }
}

static mrcnn_status open_field(field *f, const mrcnn_mask *mask, const int32_t box[4],
                               mrcnn_error *err) {
    size_t size;
    uint64_t at = 0, pixels = (uint64_t)mask->height * (uint64_t)mask->width;
    f->rows = (size_t)(box[2] - box[0]) + 2;
    f->columns = (size_t)(box[3] - box[1]) + 2;
    f->cells = mr_mul_size(f->rows, f->columns, &size) ? mr_calloc(size, 1) : NULL;
    if (!f->cells) return mr_fail_memory(err, f->rows * f->columns, "the outline of a mask");
    f->top = box[0] - 1;
    f->left = box[1] - 1;
    f->step[UP] = -(ptrdiff_t)f->columns;
    f->step[RIGHT] = 1;
    f->step[DOWN] = (ptrdiff_t)f->columns;
    f->step[LEFT] = -1;
    for (size_t i = 0; i < mask->count && at < pixels; i++) {
        uint64_t end = at + mask->counts[i] < pixels ? at + mask->counts[i] : pixels;
        if (i % 2) fill_run(f, mask->height, at, end);
        at = end;
    }
    return MRCNN_OK;
}

static size_t neighbour(const field *f, size_t cell, int where) {
    return (size_t)((ptrdiff_t)cell + f->step[where]);
}

static int is_inside(const field *f, size_t cell) {
    return f->cells[cell] & INSIDE;
}

/* The next point of the outline. Pixels that share only a corner belong together. */
static side next_side(const field *f, side s) {
    int ahead = (s.where + 1) % 4;
    size_t beside = neighbour(f, s.cell, ahead), corner = neighbour(f, beside, s.where);
    if (is_inside(f, corner)) return (side){corner, (ahead + 2) % 4};
    if (is_inside(f, beside)) return (side){beside, s.where};
    return (side){s.cell, ahead};
}

/* Of the picture. */
static double row_of(const field *f, side s) {
    size_t row = s.cell / f->columns;
    return (double)f->top + (double)row;
}

static double column_of(const field *f, side s) {
    return (double)f->left + (double)(s.cell % f->columns);
}

static int is_same(side a, side b) {
    return a.cell == b.cell && a.where == b.where;
}

/* ----------------------------------------------------------------------------------- the rings */

static void mark_ring(const field *f, side start) {
    side at = start;
    do {
        if (at.where == UP) f->cells[at.cell] |= SEEN_UP;
        if (at.where == DOWN) f->cells[at.cell] |= SEEN_DOWN;
        at = next_side(f, at);
    } while (!is_same(at, start));
}

/* The side of a ring above the start of this one; 0: there is none. */
static int find_above(const field *f, side start, side *above) {
    size_t cell = start.cell;
    if (start.where == DOWN) { /* a hole: up to where the part around it begins */
        while (is_inside(f, neighbour(f, cell, UP))) cell = neighbour(f, cell, UP);
        *above = (side){cell, UP};
        return 1;
    }
    while (cell >= f->columns) {
        cell = neighbour(f, cell, UP);
        if (!is_inside(f, cell)) continue;
        *above = (side){cell, DOWN};
        return 1;
    }
    return 0;
}

static double distance(const field *f, side a, side b) {
    double dx = column_of(f, a) - column_of(f, b), dy = row_of(f, a) - row_of(f, b);
    return dx * dx + dy * dy;
}

static side find_root(const field *f, const rings *r, side start) {
    size_t count = r->root_count < ROOTS ? r->root_count : ROOTS;
    side best = r->all[r->roots[0]].start;
    for (size_t i = 1; i < count; i++) {
        side other = r->all[r->roots[i]].start;
        if (distance(f, other, start) < distance(f, best, start)) best = other;
    }
    return best;
}

static mrcnn_status add_ring(const field *f, rings *r, side start, mrcnn_error *err) {
    ring made = {start, start};
    if (!mr_dataset_grow((void **)&r->all, &r->room, r->count, 1, sizeof made))
        return mr_fail_memory(err, sizeof made, "the outlines of a mask");
    if (!find_above(f, start, &made.joint)) {
        if (r->root_count) made.joint = find_root(f, r, start);
        r->roots[r->root_count++ % ROOTS] = r->count;
    }
    /* The first ring hangs on nothing. */
    if (r->count) f->cells[made.joint.cell] |= made.joint.where == UP ? JOINED_UP : JOINED_DOWN;
    r->all[r->count++] = made;
    mark_ring(f, start);
    return MRCNN_OK;
}

/* Finds rings by their topmost points: those of parts are upper sides, those of holes lower ones. */
static mrcnn_status find_rings(const field *f, rings *r, mrcnn_error *err) {
    static const int sides[] = {UP, DOWN}, seen[] = {SEEN_UP, SEEN_DOWN};
    for (size_t row = 1; row + 1 < f->rows; row++)
        for (int k = 0; k < 2; k++)
            for (size_t column = 1; column + 1 < f->columns; column++) {
                size_t cell = row * f->columns + column;
                if ((f->cells[cell] & (INSIDE | seen[k])) != INSIDE) continue;
                if (is_inside(f, neighbour(f, cell, sides[k]))) continue;
                mrcnn_status status = add_ring(f, r, (side){cell, sides[k]}, err);
                if (status != MRCNN_OK) return status;
            }
    return MRCNN_OK;
}

static int compare_sides(side a, side b) {
    if (a.cell != b.cell) return a.cell < b.cell ? -1 : 1;
    return (a.where > b.where) - (a.where < b.where);
}

static int compare_rings(const void *a, const void *b) {
    const ring *x = a, *y = b;
    int order = compare_sides(x->joint, y->joint);
    return order ? order : compare_sides(x->start, y->start);
}

/* The first of the sorted rings that hangs on this point, or on one behind it. */
static size_t find_hanging(const ring *sorted, size_t count, side joint) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_sides(sorted[middle].joint, joint) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---------------------------------------------------------------------------------- the points */

typedef struct path {
    double *xy;
    size_t count, room; /* points; numbers */
} path;

/* From a to c straight through b. Seams between two parts may lie at any angle, near other pixels'
 * centres: their points stay, so that both ways are the same even when they are rounded. */
static int goes_on(const double *a, const double *b, const double *c) {
    double ux = b[0] - a[0], uy = b[1] - a[1], vx = c[0] - b[0], vy = c[1] - b[1];
    if (ux != 0 && uy != 0 && fabs(ux) != fabs(uy)) return 0;
    return ux * vy == uy * vx && ux * vx + uy * vy > 0;
}

/* Room was made. Points that are there twice in a row, or halfway on a straight line, are left out. */
static void put_point(path *p, const double *point) {
    double *end = p->xy + 2 * p->count;
    const double at[2] = {point[0], point[1]};
    if (p->count && end[-2] == at[0] && end[-1] == at[1]) return;
    if (p->count > 1 && goes_on(end - 4, end - 2, at)) {
        end -= 2;
        p->count--;
    }
    end[0] = at[0];
    end[1] = at[1];
    p->count++;
}

/* What lies above or left of the picture's first pixels is cut off. */
static mrcnn_status add_point(path *p, const field *f, side s, mrcnn_error *err) {
    if (!mr_dataset_grow((void **)&p->xy, &p->room, 2 * p->count, 2, sizeof *p->xy))
        return mr_fail_memory(err, 2 * sizeof *p->xy, "the outline of a mask");
    double x = column_of(f, s) + 0.5 * ((s.where == RIGHT) - (s.where == LEFT));
    double y = row_of(f, s) + 0.5 * ((s.where == DOWN) - (s.where == UP));
    const double inside[2] = {fmax(x, 0), fmax(y, 0)};
    put_point(p, inside);
    return MRCNN_OK;
}

/* A ring that is being walked, and the ring to leave it for at the point that was reached. */
typedef struct visit {
    side start, at;
    size_t hanging;
} visit;

typedef struct walk {
    const field *f;
    const ring *sorted;
    size_t count;
    path *points;
    visit *visits; /* the innermost one at the end */
    size_t depth, room;
} walk;

static mrcnn_status reach(walk *w, visit *v, side at, mrcnn_error *err) {
    int joined = at.where == UP ? JOINED_UP : at.where == DOWN ? JOINED_DOWN : 0;
    v->at = at;
    v->hanging = w->f->cells[at.cell] & joined ? find_hanging(w->sorted, w->count, at) : w->count;
    return add_point(w->points, w->f, at, err);
}

static mrcnn_status enter(walk *w, side start, mrcnn_error *err) {
    if (!mr_dataset_grow((void **)&w->visits, &w->room, w->depth, 1, sizeof *w->visits))
        return mr_fail_memory(err, sizeof *w->visits, "the outlines of a mask");
    w->visits[w->depth] = (visit){start, start, 0};
    return reach(w, &w->visits[w->depth++], start, err);
}

/* The next point: that of a ring that hangs here, or of this ring; or back to the ring before. */
static mrcnn_status go_on(walk *w, mrcnn_error *err) {
    visit *v = &w->visits[w->depth - 1];
    if (v->hanging < w->count && is_same(w->sorted[v->hanging].joint, v->at))
        return enter(w, w->sorted[v->hanging++].start, err);
    side at = next_side(w->f, v->at);
    if (!is_same(at, v->start)) return reach(w, v, at, err);
    mrcnn_status status = add_point(w->points, w->f, at, err);
    if (--w->depth && status == MRCNN_OK)
        status = add_point(w->points, w->f, w->visits[w->depth - 1].at, err);
    return status;
}

static mrcnn_status walk_rings(const field *f, rings *r, path *points, mrcnn_error *err) {
    side first = r->all[0].start;
    if (r->count > 1) qsort(r->all + 1, r->count - 1, sizeof *r->all, compare_rings);
    walk w = {.f = f, .sorted = r->all + 1, .count = r->count - 1, .points = points};
    mrcnn_status status = enter(&w, first, err);
    while (status == MRCNN_OK && w.depth) status = go_on(&w, err);
    free(w.visits);
    return status;
}

/* ------------------------------------------------------------------------------ fewer of them */

static int is_half(double v) {
    return v != floor(v);
}

/* Where one level and one upright edge are joined by a step of half a pixel, they meet instead, as at
 * the corner of a rectangle. Nothing lies in between. */
static void sharpen_corners(path *p) {
    for (size_t i = 0; i < p->count && p->count > 3; i++) {
        const double *before = p->xy + 2 * ((i + p->count - 1) % p->count);
        double *a = p->xy + 2 * i, *b = p->xy + 2 * ((i + 1) % p->count);
        const double *after = p->xy + 2 * ((i + 2) % p->count);
        if (fabs(a[0] - b[0]) != 0.5 || fabs(a[1] - b[1]) != 0.5) continue;
        int level = before[1] == a[1] && b[0] == after[0];
        int upright = before[0] == a[0] && b[1] == after[1];
        double x = level ? b[0] : a[0], y = level ? a[1] : b[1];
        if (!(level || upright) || !is_half(x) || !is_half(y)) continue;
        a[0] = b[0] = x;
        a[1] = b[1] = y;
    }
}

static void join_points(path *p) {
    path joined = {p->xy, 0, p->room};
    for (size_t i = 0; i < p->count; i++) put_point(&joined, p->xy + 2 * i);
    double *first = joined.xy, *last = joined.xy + 2 * (joined.count - 1);
    while (joined.count > 3 &&
           ((last[0] == first[0] && last[1] == first[1]) || goes_on(last - 2, last, first))) {
        joined.count--;
        last -= 2;
    }
    if (joined.count > 3 && goes_on(last, first, first + 2)) {
        memcpy(first, last, 2 * sizeof *first);
        joined.count--;
    }
    *p = joined;
}

static mrcnn_status trace(const field *f, path *points, mrcnn_error *err) {
    rings r = {0};
    mrcnn_status status = find_rings(f, &r, err);
    if (status == MRCNN_OK && !r.all)
        status = mr_fail(err, MRCNN_E_ARGUMENT, "an empty mask has no outline");
    if (status == MRCNN_OK) status = walk_rings(f, &r, points, err);
    free(r.all);
    if (status != MRCNN_OK) return status;
    join_points(points);
    sharpen_corners(points);
    join_points(points);
    return MRCNN_OK;
}

mrcnn_status mr_mask_to_polygon(const mrcnn_mask *mask, mr_polygon_list *list, mrcnn_error *err) {
    int32_t box[4];
    field f = {0};
    path points = {0};
    mr_mask_box(mask, box);
    size_t *count = mr_calloc(1, sizeof *count);
    mrcnn_status status = count ? open_field(&f, mask, box, err)
                                : mr_fail_memory(err, sizeof *count, "the outline of a mask");
    if (status == MRCNN_OK) status = trace(&f, &points, err);
    free(f.cells);
    if (status != MRCNN_OK) {
        free(points.xy);
        free(count);
        return status;
    }
    *count = points.count;
    *list = (mr_polygon_list){MR_RULE_SKIMAGE, 1, count, points.xy};
    return MRCNN_OK;
}
