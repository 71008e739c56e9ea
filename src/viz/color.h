/* color.h - the palette: hues of full saturation and brightness, as matterport's random_colors,
 * but the same on every run. */
#ifndef MR_VIZ_COLOR_H
#define MR_VIZ_COLOR_H

#include "base/error.h"

typedef struct mr_color {
    double r, g, b; /* 0 .. 1 */
} mr_color;

/* HSV (hue, 1, 1); hue 0 and 1 are red. */
mr_color mr_color_of_hue(double hue);

/* A class keeps its colour however many classes there are: hues a golden angle apart never
 * repeat. */
mr_color mr_color_of_class(int32_t class_id);

/* The `count` hues 0, 1/count, 2/count, ... in a fixed order in which those next to each other
 * are far apart. */
mrcnn_status mr_colors_of_instances(mr_color *colors, size_t count, mrcnn_error *err);

#endif
