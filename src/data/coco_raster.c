/* coco_raster.c - see coco_raster.h. pycocotools lists all points of the fine grid that an outline
 * visits, keeps the few that matter and sorts them. Here each edge tells directly where it passes a
 * column's middle, which turns over one bit: all pixels from there on change sides. */
#include "data/coco_raster.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/rle.h"

#include <math.h>
#include <stdlib.h>

enum {
    FINE = 5,   /* steps of the grid for each pixel */
    MIDDLE = 2, /* the step of a column behind which its middle lies */
    WORD = 64
};

/* Columns first .. end - 1 of the picture, as bits down the columns. */
typedef struct raster {
    int32_t height, width;
    int32_t first, end;
    size_t words;
    uint64_t *turns;  /* of the polygon that is drawn: where pixels change sides */
    uint64_t *inside; /* of all that were drawn: their union */
} raster;

typedef struct point {
    int x, y; /* of the fine grid */
} point;

static int to_grid(double v) {
    const double most = 1 << 26;
    v = v < -most ? -most : v > most ? most : v;
    return (int)(FINE * v + .5);
}

static point grid_point(const double *xy) {
    return (point){to_grid(xy[0]), to_grid(xy[1])};
}

/* -------------------------------------------------------------------------------------- columns */

static int clip_column(int column, int width) {
    return column < 0 ? 0 : column > width ? width : column;
}

/* The columns whose middle lies between two places of the grid: *first .. *end - 1. */
static void find_columns(int from, int to, int width, int *first, int *end) {
    int low = from < to ? from : to, high = from < to ? to : from;
    *first = low <= MIDDLE ? 0 : clip_column((low - MIDDLE + FINE - 1) / FINE, width);
    *end = high <= MIDDLE ? 0 : clip_column((high - MIDDLE - 1) / FINE + 1, width);
}

/* The outline passes the middle of a column between two points, the upper one of which is at y. */
static void turn(raster *r, int column, int y) {
    int row = y <= MIDDLE ? 0 : (y + FINE - 1 - MIDDLE) / FINE;
    if (row > r->height) row = r->height;
    size_t bit = (size_t)(column - r->first) * (size_t)r->height + (size_t)row;
    r->turns[bit / WORD] ^= (uint64_t)1 << bit % WORD;
}

/* ---------------------------------------------------------------------------------------- edges */

/* An edge as the grid has it: step t is at start + slope * t, rounded. */
static int place_at(int start, double slope, int t) {
    return (int)(start + slope * t + .5);
}

/* An edge that is at least as wide as it is high has one point for each place across. */
static void follow_flat(raster *r, point from, point to) {
    if (from.x > to.x) {
        point swapped = from;
        from = to;
        to = swapped;
    }
    int first, end;
    double slope = (double)(to.y - from.y) / (to.x - from.x);
    find_columns(from.x, to.x, r->width, &first, &end);
    for (int column = first; column < end; column++) {
        int t = FINE * column + MIDDLE - from.x;
        int y = place_at(from.y, slope, t), next = place_at(from.y, slope, t + 1);
        turn(r, column, y < next ? y : next);
    }
}

/* Whether an edge has passed the middle of a column at its step t. */
static int has_passed(point from, double slope, int column, int t) {
    int x = place_at(from.x, slope, t), left = FINE * column + MIDDLE;
    return slope > 0 ? x > left : x <= left;
}

/* A steep edge has one point for each place down. Where it passes the middle of a column is guessed
 * and then made exact, so that rounding is the same as if each point were looked at. */
static void follow_steep(raster *r, point from, point to) {
    if (from.y > to.y) {
        point swapped = from;
        from = to;
        to = swapped;
    }
    int first, end, height = to.y - from.y;
    double slope = (double)(to.x - from.x) / height;
    find_columns(from.x, to.x, r->width, &first, &end);
    for (int column = first; column < end; column++) {
        double guess = ceil((FINE * column + MIDDLE + .5 - from.x) / slope);
        int t = guess < 1 ? 1 : guess > height ? height : (int)guess;
        while (t > 1 && has_passed(from, slope, column, t - 1)) t--;
        while (t < height && !has_passed(from, slope, column, t)) t++;
        turn(r, column, from.y + t - 1);
    }
}

static void follow(raster *r, const double *xy, size_t points) {
    for (size_t i = 0; i < points; i++) {
        point from = grid_point(xy + 2 * i);
        point to = grid_point(xy + 2 * (i + 1 < points ? i + 1 : 0));
        if (from.x == to.x) continue; /* passes no middle of a column */
        if (abs(to.x - from.x) >= abs(to.y - from.y))
            follow_flat(r, from, to);
        else
            follow_steep(r, from, to);
    }
}

/* ------------------------------------------------------------------------------------- the mask */

/* From turns to sides: each bit becomes the parity of those up to it, and joins what the polygons
 * before it have made. The turns are clear again. */
static void fill(raster *r) {
    uint64_t side = 0;
    for (size_t i = 0; i < r->words; i++) {
        uint64_t word = r->turns[i];
        for (int shift = 1; shift < WORD; shift *= 2) word ^= word << shift;
        word ^= side;
        side = word >> (WORD - 1) ? UINT64_MAX : 0;
        r->turns[i] = 0;
        r->inside[i] |= word;
    }
}

/* How many of the lowest bits are equal. */
static int count_equal(uint64_t word) {
    uint64_t rest = word & 1 ? ~word : word; /* zeros as long as they are */
    int count = 0;
    if (rest == 0) return WORD;
    for (int step = WORD / 2; step > 0; step /= 2) {
        if (rest << (WORD - step)) continue;
        rest >>= step;
        count += step;
    }
    return count;
}

/* Appends the runs of a word's first `bits` bits. */
static void append_word(mr_rle *rle, uint64_t word, int bits) {
    while (bits > 0) {
        int run = count_equal(word), value = (int)(word & 1);
        if (run > bits) run = bits;
        mr_rle_append(rle, value, (uint64_t)run);
        word = run < WORD ? word >> run : 0;
        bits -= run;
    }
}

static mrcnn_status to_runs(const raster *r, mrcnn_mask *mask, mrcnn_error *err) {
    mr_rle rle = {0};
    uint64_t height = (uint64_t)r->height, rest = (uint64_t)(r->end - r->first) * height;
    mr_rle_append(&rle, 0, (uint64_t)r->first * height);
    for (size_t i = 0; rest > 0; i++) {
        int bits = rest < WORD ? (int)rest : WORD;
        append_word(&rle, r->inside[i], bits);
        rest -= (uint64_t)bits;
    }
    mr_rle_append(&rle, 0, (uint64_t)(r->width - r->end) * height);
    return mr_rle_finish(&rle, mask, r->height, r->width, err);
}

/* The columns that the polygons touch. */
static void find_range(raster *r, const double *xy, const size_t *points, size_t count) {
    r->first = r->width;
    r->end = 0;
    size_t total = 0;
    for (size_t i = 0; i < count; i++) total += points[i];
    if (total == 0) return;
    int left = to_grid(xy[0]), right = left;
    for (size_t i = 1; i < total; i++) {
        int x = to_grid(xy[2 * i]);
        if (x < left) left = x;
        if (x > right) right = x;
    }
    find_columns(left, right, r->width, &r->first, &r->end);
}

mrcnn_status mr_coco_fill(mrcnn_mask *mask, const double *xy, const size_t *points, size_t count,
                          int32_t height, int32_t width, mrcnn_error *err) {
    raster r = {.height = height, .width = width};
    mrcnn_status status = mr_rle_check_size(height, width, err);
    if (status != MRCNN_OK) return status;
    find_range(&r, xy, points, count);
    if (r.first >= r.end) r.first = r.end = 0;
    /* One bit more than there are pixels: the outline may turn below the last one. */
    r.words = (size_t)(r.end - r.first) * (size_t)height / WORD + 1;
    r.turns = mr_calloc(2 * r.words, sizeof *r.turns);
    if (!r.turns) return mr_fail_memory(err, 2 * r.words * sizeof *r.turns, "a mask");
    r.inside = r.turns + r.words;
    for (size_t i = 0; i < count && r.end > r.first; xy += 2 * points[i++]) {
        if (points[i] < 3) continue;
        follow(&r, xy, points[i]);
        fill(&r);
    }
    status = to_runs(&r, mask, err);
    free(r.turns);
    return status;
}
