/* warp.h - moving pixels: a chain of backward maps (where does this output pixel come from?) over
 * frames of one size, for a picture and for the masks that lie on it. What a map reaches outside of
 * the frame is lost, also for the maps behind it, and 0. Knows nothing of who wants what moved. */
#ifndef MR_IMAGE_WARP_H
#define MR_IMAGE_WARP_H

#include <mrcnn/mrcnn.h>

/* Positions count in pixels from the centre of the first one; the frame reaches from -0.5 to size -
 * 0.5. An affine map gives x = m[0] * x' + m[1] * y' + m[2], y = m[3] * x' + m[4] * y' + m[5]. */
typedef struct mr_warp_step {
    float matrix[6];
    int rows, columns; /* not 0: a grid of points over the frame instead */
    float *points;     /* rows x columns positions x, y; between three of them the map is linear */
} mr_warp_step;

enum { MR_WARP_STEPS = 64 };

typedef struct mr_warp {
    int height, width;
    int count;
    mr_warp_step steps[MR_WARP_STEPS]; /* in the order in which they happen to the picture */
} mr_warp;

mr_warp mr_warp_start(int height, int width);
/* The matrix of the backward map. There is room for MR_WARP_STEPS maps. */
void mr_warp_add_affine(mr_warp *warp, const double matrix[6]);
/* Takes over the points, which are malloc'ed. */
void mr_warp_add_grid(mr_warp *warp, int rows, int columns, float *points);
void mr_warp_free(mr_warp *warp);

/* The picture moved by steps first .. end - 1: bilinear, or exact where every pixel comes from one
 * pixel. What shrinks it, blurs it as much as is needed to keep it from aliasing, which overwrites
 * `in`. in and out: height x width x channels bytes. */
mrcnn_status mr_warp_image(const mr_warp *warp, int first, int end, uint8_t *in, int channels,
                           uint8_t *out, mrcnn_error *err);

/* All steps together for masks: the nearest pixel that each output pixel comes from. */
typedef struct mr_warp_map {
    int height, width;
    int32_t *index;      /* height x width, -1: from outside */
    int block_count;     /* of MR_WARP_BLOCK rows and columns */
    int32_t (*reach)[4]; /* of each block: y1 x1 y2 x2 of where it comes from */
} mr_warp_map;

enum { MR_WARP_BLOCK = 32 };

mrcnn_status mr_warp_map_make(mr_warp_map *map, const mr_warp *warp, mrcnn_error *err);
void mr_warp_map_free(mr_warp_map *map);

/* Moves a mask of bytes that is 0 outside of its box; costs what the box does. All of `out` is
 * written. */
void mr_warp_mask(const mr_warp_map *map, const uint8_t *in, const int32_t box[4], uint8_t *out);

#endif
