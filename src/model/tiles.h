/* tiles.h - what the tiles of a picture have found, and the merging of it: an object that several tiles
 * see becomes one, and whoever sees it whole is believed. */
#ifndef MR_MODEL_TILES_H
#define MR_MODEL_TILES_H

#include "config/config.h"

typedef struct mr_tile_find {
    mrcnn_instance instance; /* in the picture's pixels */
    size_t tile;
    int is_cut; /* it reaches a border of the tile that is none of the picture */
} mr_tile_find;

typedef struct mr_tile_finds {
    const int32_t (*tiles)[4]; /* y1 x1 y2 x2 */
    size_t tile_count;
    int32_t height, width; /* of the picture */
    mr_tile_find *items;   /* by tile */
    size_t count, room;
} mr_tile_finds;

mrcnn_status mr_tile_finds_add(mr_tile_finds *finds, const mr_tile_find *find, mrcnn_error *err);
void mr_tile_finds_free(mr_tile_finds *finds);

/* Two instances of a class from different tiles are the same object when their masks agree in the window
 * that both tiles see (IoU of 0.5 or more), or when at least half of one that is cut lies in the other.
 * By falling score, those that are not cut first: each takes the ones that are the same object as it.
 * One that is not cut stays as it is. Of an object that no tile sees whole, the pieces become one: the
 * masks together, and the score of the best. Then, unless DETECTION_NMS is soft, of two from different
 * tiles whose boxes overlap by more than DETECTION_NMS_THRESHOLD the weaker falls, and
 * DETECTION_MAX_INSTANCES remain. The result takes the masks over. */
mrcnn_status mr_tile_finds_merge(mrcnn_result **result, mr_tile_finds *finds,
                                 const mr_settings *settings, mrcnn_error *err);

#endif
