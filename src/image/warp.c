/* warp.c - see warp.h. A row of positions goes through all steps, last one first, before anything is
 * looked up; a position outside is NaN, which stays NaN through the rest. */
#include "image/warp.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/blur.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

mr_warp mr_warp_start(int height, int width) {
    mr_warp warp = {.height = height, .width = width};
    return warp;
}

void mr_warp_add_affine(mr_warp *warp, const double matrix[6]) {
    mr_warp_step *step = &warp->steps[warp->count++];
    *step = (mr_warp_step){.rows = 0};
    for (int i = 0; i < 6; i++) step->matrix[i] = (float)matrix[i];
}

void mr_warp_add_grid(mr_warp *warp, int rows, int columns, float *points) {
    warp->steps[warp->count++] = (mr_warp_step){.rows = rows, .columns = columns, .points = points};
}

void mr_warp_free(mr_warp *warp) {
    for (int i = 0; i < warp->count; i++) free(warp->steps[i].points);
    warp->count = 0;
}

/* ----------------------------------------------------------------------------------- positions */

/* A row of positions, and the frame's size in floats. */
typedef struct positions {
    int count;
    float *x, *y;
    float right, bottom; /* the frame's far edges */
} positions;

static mrcnn_status open_positions(positions *p, const mr_warp *warp, mrcnn_error *err) {
    size_t width = (size_t)warp->width;
    *p = (positions){.count = warp->width,
                     .right = (float)warp->width - 0.5f,
                     .bottom = (float)warp->height - 0.5f};
    p->x = mr_calloc(2 * width, sizeof *p->x);
    if (!p->x) return mr_fail_memory(err, 2 * width * sizeof *p->x, "moving a picture");
    p->y = p->x + width;
    return MRCNN_OK;
}

/* Comparisons with NaN are false. Without branches, for vectors' sake. */
static void lose_outside(const positions *p) {
    float *restrict x = p->x, *restrict y = p->y;
    float right = p->right, bottom = p->bottom;
    for (int i = 0, count = p->count; i < count; i++) {
        float u = x[i], v = y[i];
        float loss = u >= -0.5f ? 0.0f : NAN; /* added up: a single NaN makes the sum one */
        loss += u < right ? 0.0f : NAN;
        loss += v >= -0.5f ? 0.0f : NAN;
        loss += v < bottom ? 0.0f : NAN;
        x[i] = u + loss;
        y[i] = v + loss;
    }
}

static void through_matrix(const positions *p, const float m[6]) {
    for (int i = 0; i < p->count; i++) {
        float x = p->x[i], y = p->y[i];
        p->x[i] = m[0] * x + m[1] * y + m[2];
        p->y[i] = m[3] * x + m[4] * y + m[5];
    }
}

/* Each cell of the grid is two triangles, with the diagonal from its upper right to its lower left:
 * a corner, and how far to go along either side. */
static void through_cell(const mr_warp_step *s, float u, float v, float *x, float *y) {
    int column = (int)u, row = (int)v;
    if (column > s->columns - 2) column = s->columns - 2;
    if (row > s->rows - 2) row = s->rows - 2;
    u -= (float)column;
    v -= (float)row;
    const float *upper = s->points + 2 * ((size_t)row * (size_t)s->columns + (size_t)column);
    const float *lower = upper + 2 * (size_t)s->columns;
    int first = u + v < 1;
    const float *corner = first ? upper : lower + 2;
    const float *along_x = first ? upper + 2 : lower, *along_y = first ? lower : upper + 2;
    float a = first ? u : 1 - u, b = first ? v : 1 - v;
    *x = corner[0] + a * (along_x[0] - corner[0]) + b * (along_y[0] - corner[0]);
    *y = corner[1] + a * (along_x[1] - corner[1]) + b * (along_y[1] - corner[1]);
}

/* Points on the frame's far edges still count as inside. */
static void through_grid(const positions *p, const mr_warp_step *s) {
    const float hair = 1.0f / 64;
    float per_x = (float)(s->columns - 1) / (p->right + 0.5f);
    float per_y = (float)(s->rows - 1) / (p->bottom + 0.5f);
    for (int i = 0; i < p->count; i++)
        if (p->x[i] >= -0.5f) /* not lost */
            through_cell(s, (p->x[i] + 0.5f) * per_x, (p->y[i] + 0.5f) * per_y, &p->x[i], &p->y[i]);
    for (int i = 0; i < p->count; i++) {
        if (p->x[i] > p->right - hair) p->x[i] = p->right - hair;
        if (p->y[i] > p->bottom - hair) p->y[i] = p->bottom - hair;
    }
}

/* Where row y comes from. */
static void find_positions(const positions *p, const mr_warp *warp, int first, int end, int y) {
    for (int x = 0; x < p->count; x++) {
        p->x[x] = (float)x;
        p->y[x] = (float)y;
    }
    for (int i = end - 1; i >= first; i--) {
        const mr_warp_step *step = &warp->steps[i];
        if (step->rows)
            through_grid(p, step);
        else
            through_matrix(p, step->matrix);
        lose_outside(p);
    }
}

/* ------------------------------------------------------------------------------------- picture */

/* Positions in 1/2048 of a pixel: four products of weights and bytes fit 32 bits. */
enum { FRACTION_BITS = 11, ONE = 1 << FRACTION_BITS };

typedef struct picture {
    const uint8_t *pixels;
    int height, width;
} picture;

/* Neighbours beyond the edge are the edge itself. The number of channels is given once more, so that
 * compilers see when it is a constant. */
static inline void blend_pixel(const picture *in, float x, float y, uint8_t *out, size_t channels) {
    /* Not negative, so that truncation is floor. */
    uint32_t at_x = (uint32_t)((x + 1) * ONE + 0.5f), at_y = (uint32_t)((y + 1) * ONE + 0.5f);
    uint32_t fx = at_x & (ONE - 1), fy = at_y & (ONE - 1);
    int x0 = (int)(at_x >> FRACTION_BITS) - 1, y0 = (int)(at_y >> FRACTION_BITS) - 1;
    int x1 = x0 + 1 < in->width ? x0 + 1 : in->width - 1;
    int y1 = y0 + 1 < in->height ? y0 + 1 : in->height - 1;
    x0 = x0 < 0 ? 0 : x0;
    y0 = y0 < 0 ? 0 : y0;
    size_t stride = (size_t)in->width * channels;
    const uint8_t *upper = in->pixels + (size_t)y0 * stride;
    const uint8_t *lower = in->pixels + (size_t)y1 * stride;
    size_t l = (size_t)x0 * channels, r = (size_t)x1 * channels;
    uint32_t tl = (ONE - fx) * (ONE - fy), tr = fx * (ONE - fy), bl = (ONE - fx) * fy, br = fx * fy;
    const uint32_t half = 1u << (2 * FRACTION_BITS - 1);
    for (size_t c = 0; c < channels; c++)
        out[c] = (uint8_t)((tl * upper[l + c] + tr * upper[r + c] + bl * lower[l + c] +
                            br * lower[r + c] + half) >>
                           (2 * FRACTION_BITS));
}

static inline void blend_row(const picture *in, const positions *p, uint8_t *out, size_t channels) {
    for (int x = 0; x < p->count; x++, out += channels) {
        if (p->x[x] >= -0.5f)
            blend_pixel(in, p->x[x], p->y[x], out, channels);
        else
            memset(out, 0, channels);
    }
}

/* How many input pixels an output pixel steps over, along x and y: the product of all matrices. A
 * grid hardly stretches anything. */
static void find_shrinking(const mr_warp *warp, int first, int end, double shrink[2]) {
    double m[4] = {1, 0, 0, 1};
    for (int i = first; i < end; i++) {
        const mr_warp_step *s = &warp->steps[i];
        if (s->rows) continue;
        const double k[4] = {s->matrix[0], s->matrix[1], s->matrix[3], s->matrix[4]};
        const double product[4] = {m[0] * k[0] + m[1] * k[2], m[0] * k[1] + m[1] * k[3],
                                   m[2] * k[0] + m[3] * k[2], m[2] * k[1] + m[3] * k[3]};
        memcpy(m, product, sizeof m);
    }
    shrink[0] = hypot(m[0], m[1]);
    shrink[1] = hypot(m[2], m[3]);
}

/* skimage's rule for anti-aliasing. */
static double sigma_of(double shrink) {
    return shrink > 1 ? (shrink - 1) / 2 : 0;
}

mrcnn_status mr_warp_image(const mr_warp *warp, int first, int end, uint8_t *in, int channels,
                           uint8_t *out, mrcnn_error *err) {
    double shrink[2];
    positions p;
    picture source = {in, warp->height, warp->width};
    mrcnn_status status = open_positions(&p, warp, err);
    if (status != MRCNN_OK) return status;
    find_shrinking(warp, first, end, shrink);
    status = mr_blur(in, out, warp->height, warp->width, channels, sigma_of(shrink[0]),
                     sigma_of(shrink[1]), err);
    for (int y = 0; y < warp->height && status == MRCNN_OK; y++) {
        find_positions(&p, warp, first, end, y);
        uint8_t *to = out + (size_t)y * (size_t)warp->width * (size_t)channels;
        if (channels == 3)
            blend_row(&source, &p, to, 3);
        else
            blend_row(&source, &p, to, (size_t)channels);
    }
    free(p.x);
    return status;
}

/* --------------------------------------------------------------------------------------- masks */

static int blocks_along(int length) {
    return (length + MR_WARP_BLOCK - 1) / MR_WARP_BLOCK;
}

static void widen(int32_t reach[4], int y1, int x1, int y2, int x2) {
    if (y1 < reach[0]) reach[0] = y1;
    if (x1 < reach[1]) reach[1] = x1;
    if (y2 + 1 > reach[2]) reach[2] = y2 + 1;
    if (x2 + 1 > reach[3]) reach[3] = x2 + 1;
}

/* Pixels begin .. end - 1 of a row, which lie in one block. */
static void map_part(const mr_warp_map *map, const positions *p, int begin, int end, int32_t *index,
                     int32_t reach[4]) {
    int y1 = map->height, x1 = map->width, y2 = -1, x2 = -1;
    for (int i = begin; i < end; i++) {
        index[i] = -1;
        if (!(p->x[i] >= -0.5f)) continue;
        int x = (int)(p->x[i] + 0.5f), y = (int)(p->y[i] + 0.5f);
        x = x < map->width ? x : map->width - 1; /* just below .5, the sum may be rounded up */
        y = y < map->height ? y : map->height - 1;
        index[i] = y * map->width + x;
        y1 = y < y1 ? y : y1;
        x1 = x < x1 ? x : x1;
        y2 = y > y2 ? y : y2;
        x2 = x > x2 ? x : x2;
    }
    if (y2 >= 0) widen(reach, y1, x1, y2, x2);
}

static void map_row(mr_warp_map *map, const positions *p, int row) {
    int32_t *index = map->index + (size_t)row * (size_t)map->width;
    int32_t(*reach)[4] =
        map->reach + (size_t)(row / MR_WARP_BLOCK) * (size_t)blocks_along(map->width);
    for (int begin = 0; begin < map->width; begin += MR_WARP_BLOCK) {
        int end = begin + MR_WARP_BLOCK < map->width ? begin + MR_WARP_BLOCK : map->width;
        map_part(map, p, begin, end, index, *reach++);
    }
}

mrcnn_status mr_warp_map_make(mr_warp_map *map, const mr_warp *warp, mrcnn_error *err) {
    size_t pixels = (size_t)warp->height * (size_t)warp->width;
    positions p;
    if (pixels > INT32_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "a frame of %d x %d pixels can't be moved",
                       warp->width, warp->height);
    mrcnn_status status = open_positions(&p, warp, err);
    if (status != MRCNN_OK) return status;
    mr_warp_map m = {.height = warp->height, .width = warp->width};
    m.block_count = blocks_along(m.height) * blocks_along(m.width);
    m.index = mr_calloc(pixels, sizeof *m.index);
    m.reach = mr_calloc((size_t)m.block_count, sizeof *m.reach);
    if (!m.index || !m.reach) {
        status = mr_fail_memory(err, pixels * sizeof *m.index, "moving masks");
        mr_warp_map_free(&m);
        goto cleanup;
    }
    for (int i = 0; i < m.block_count; i++) m.reach[i][0] = m.reach[i][1] = INT32_MAX;
    for (int y = 0; y < m.height; y++) {
        find_positions(&p, warp, 0, warp->count, y);
        map_row(&m, &p, y);
    }
    *map = m;
cleanup:
    free(p.x);
    return status;
}

void mr_warp_map_free(mr_warp_map *map) {
    free(map->index);
    free(map->reach);
    map->index = NULL;
    map->reach = NULL;
}

static void move_block(const mr_warp_map *map, const uint8_t *in, int top, int left, uint8_t *out) {
    int bottom = top + MR_WARP_BLOCK, right = left + MR_WARP_BLOCK;
    if (bottom > map->height) bottom = map->height;
    if (right > map->width) right = map->width;
    for (int y = top; y < bottom; y++)
        for (size_t i = (size_t)y * (size_t)map->width + (size_t)left,
                    end = (size_t)y * (size_t)map->width + (size_t)right;
             i < end; i++)
            out[i] = map->index[i] >= 0 && in[map->index[i]];
}

void mr_warp_mask(const mr_warp_map *map, const uint8_t *in, const int32_t box[4], uint8_t *out) {
    int across = blocks_along(map->width);
    memset(out, 0, (size_t)map->height * (size_t)map->width);
    for (int i = 0; i < map->block_count; i++) {
        const int32_t *reach = map->reach[i];
        int apart =
            reach[0] >= box[2] || reach[1] >= box[3] || reach[2] <= box[0] || reach[3] <= box[1];
        if (!apart)
            move_block(map, in, i / across * MR_WARP_BLOCK, i % across * MR_WARP_BLOCK, out);
    }
}
