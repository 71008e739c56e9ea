/* raster.c - see raster.h.
 *
 * The polygon rule asks for each pixel how many edges lie to its right (those that straddle its row
 * with y > 0) and to its left (y < 0); it belongs to the mask when either number is odd. The two
 * differ only on an edge. Along a row an edge lies right of the pixels up to some column and of none
 * behind it, so that column is searched for and both parities are kept as toggles in the mask itself:
 * the same answer for every pixel in a fraction of the time. */
#include "data/raster.h"

#include <math.h>
#include <string.h>

static const double FAR = 1073741824.0; /* 2^30: products of two still have room in a double */
static const double EPSILON = 1e-12;    /* skimage's, for corners */

enum { RIGHT = 1, LEFT = 2 };

/* Rows and columns that are looked at; last ones inside. */
typedef struct range {
    int row0, row1, column0, column1;
} range;

static double limit(double v) {
    return v > FAR ? FAR : v < -FAR ? -FAR : v;
}

static int to_first(double v) {
    return v > 0 ? (int)v : 0;
}

static int to_last(double v, int size) {
    v = ceil(v);
    return v < size - 1 ? (int)v : size - 1;
}

static range find_range(const double *xy, size_t count, int height, int width) {
    double low[2] = {FAR, FAR}, high[2] = {-FAR, -FAR};
    for (size_t i = 0; i < 2 * count; i++) {
        double v = limit(xy[i]);
        if (v < low[i % 2]) low[i % 2] = v;
        if (v > high[i % 2]) high[i % 2] = v;
    }
    range r = {to_first(low[1]), to_last(high[1], height), to_first(low[0]),
               to_last(high[0], width)};
    return r;
}

/* An edge from one corner to the corner before it. */
typedef struct edge {
    double x0, y0, x1, y1;
} edge;

/* Where the edge crosses the row, seen from the pixel: > 0 to its right. Its terms are skimage's, so
 * that it rounds alike. */
static double crossing(const edge *e, double y0, double y1, int column) {
    double x0 = e->x0 - column, x1 = e->x1 - column;
    return (x0 * y1 - x1 * y0) / (y1 - y0);
}

/* The first column without the edge on its right (side RIGHT), or with the edge on its left. */
static int find_column(const edge *e, int row, int side, const range *r) {
    double y0 = e->y0 - row, y1 = e->y1 - row;
    int low = r->column0, high = r->column1 + 1;
    while (low < high) {
        int middle = low + (high - low) / 2;
        double t = crossing(e, y0, y1, middle);
        int before = side == RIGHT ? t > 0 : !(t < 0);
        if (before)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void toggle_edge(const edge *e, const range *r, int width, uint8_t *mask) {
    double low = e->y0 < e->y1 ? e->y0 : e->y1, high = e->y0 < e->y1 ? e->y1 : e->y0;
    if (high < r->row0 || low > r->row1) return;
    int first = to_first(floor(low)), last = high < r->row1 ? (int)ceil(high) : r->row1;
    if (first < r->row0) first = r->row0;
    for (int row = first; row <= last; row++) {
        uint8_t *line = mask + (size_t)row * (size_t)width;
        double y0 = e->y0 - row, y1 = e->y1 - row;
        if ((y0 > 0) != (y1 > 0)) { /* to the right of columns up to .. */
            int end = find_column(e, row, RIGHT, r);
            line[r->column0] ^= RIGHT;
            if (end <= r->column1) line[end] ^= RIGHT;
        }
        if ((y0 < 0) != (y1 < 0)) { /* to the left of columns from .. */
            int begin = find_column(e, row, LEFT, r);
            if (begin <= r->column1) line[begin] ^= LEFT;
        }
    }
}

static void sum_toggles(const range *r, int width, uint8_t *mask) {
    for (int row = r->row0; row <= r->row1; row++) {
        uint8_t *line = mask + (size_t)row * (size_t)width, parity = 0;
        for (int column = r->column0; column <= r->column1; column++) {
            parity ^= line[column];
            line[column] = parity != 0;
        }
    }
}

static void set_corner(double x, double y, const range *r, int width, uint8_t *mask) {
    double column = rint(x), row = rint(y);
    if (fabs(x - column) >= EPSILON || fabs(y - row) >= EPSILON) return;
    if (column < r->column0 || column > r->column1 || row < r->row0 || row > r->row1) return;
    mask[(size_t)row * (size_t)width + (size_t)column] = 1;
}

void mr_fill_polygon(const double *xy, size_t count, int height, int width, uint8_t *mask) {
    memset(mask, 0, (size_t)height * (size_t)width);
    range r = find_range(xy, count, height, width);
    if (count == 0 || r.row0 > r.row1 || r.column0 > r.column1) return;
    for (size_t i = 0; i < count; i++) {
        const double *a = xy + 2 * i, *b = xy + 2 * (i ? i - 1 : count - 1);
        edge e = {limit(a[0]), limit(a[1]), limit(b[0]), limit(b[1])};
        toggle_edge(&e, &r, width, mask);
    }
    sum_toggles(&r, width, mask);
    for (size_t i = 0; i < count; i++) set_corner(xy[2 * i], xy[2 * i + 1], &r, width, mask);
}

static int clip(double v, int size) {
    return v <= 0 ? 0 : v >= size ? size : (int)v;
}

void mr_fill_rect(double x, double y, double w, double h, int height, int width, uint8_t *mask) {
    memset(mask, 0, (size_t)height * (size_t)width);
    double x0 = ceil(fmin(x, x + w)), x1 = ceil(fmax(x, x + w));
    double y0 = ceil(fmin(y, y + h)), y1 = ceil(fmax(y, y + h));
    int left = clip(x0, width), right = clip(x1, width);
    for (int row = clip(y0, height); row < clip(y1, height); row++)
        memset(mask + (size_t)row * (size_t)width + left, 1, (size_t)(right - left));
}

void mr_fill_ellipse(double cx, double cy, double rx, double ry, double theta, int height,
                     int width, uint8_t *mask) {
    memset(mask, 0, (size_t)height * (size_t)width);
    cx = limit(cx);
    cy = limit(cy);
    rx = limit(rx);
    ry = limit(ry);
    if (!(rx > 0 && ry > 0)) return;
    double s = sin(theta), c = cos(theta);
    /* A box around it; skimage counts from its corner, and so rounds as we do. */
    double reach_x = fabs(rx * c) + fabs(ry * s), reach_y = fabs(ry * c) + fabs(rx * s);
    double left = ceil(cx - reach_x), top = ceil(cy - reach_y);
    int row1 = clip(floor(cy + reach_y) + 1, height),
        column1 = clip(floor(cx + reach_x) + 1, width);
    for (int row = clip(top, height); row < row1; row++) {
        double dy = (row - top) - (cy - top);
        for (int column = clip(left, width); column < column1; column++) {
            double dx = (column - left) - (cx - left);
            double v = (dy * c - dx * s) / ry, u = (dy * s + dx * c) / rx;
            mask[(size_t)row * (size_t)width + (size_t)column] = v * v + u * u < 1;
        }
    }
}
