/* color.c - see color.h. Steps of the golden ratio around the circle of hues are the ones that
 * stay furthest apart for any number of steps (three-distance theorem). */
#include "viz/color.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

static const double GOLDEN = 0.61803398874989485;

static double golden_hue(int64_t step) {
    double turn = (double)step * GOLDEN;
    return turn - floor(turn);
}

/* Python's colorsys.hsv_to_rgb to the last bit, as matterport uses it: blending truncates. */
mr_color mr_color_of_hue(double hue) {
    double sixths = (hue - floor(hue)) * 6.0;
    double rest = sixths - floor(sixths);
    double falling = 1.0 - rest, rising = 1.0 - (1.0 - rest);
    switch ((int)sixths % 6) {
    case 0: return (mr_color){1.0, rising, 0.0};
    case 1: return (mr_color){falling, 1.0, 0.0};
    case 2: return (mr_color){0.0, 1.0, rising};
    case 3: return (mr_color){0.0, falling, 1.0};
    case 4: return (mr_color){rising, 0.0, 1.0};
    default: return (mr_color){1.0, 0.0, falling};
    }
}

mr_color mr_color_of_class(int32_t class_id) {
    return mr_color_of_hue(golden_hue((int64_t)class_id - 1));
}

typedef struct step {
    double hue;
    size_t index;
} step;

static int by_hue(const void *a, const void *b) {
    const step *left = a, *right = b;
    if (left->hue != right->hue) return left->hue < right->hue ? -1 : 1;
    return left->index < right->index ? -1 : left->index > right->index;
}

mrcnn_status mr_colors_of_instances(mr_color *colors, size_t count, mrcnn_error *err) {
    step *steps = mr_calloc(count, sizeof *steps);
    if (!steps) return mr_fail_memory(err, count * sizeof *steps, "the palette");
    for (size_t i = 0; i < count; i++) steps[i] = (step){golden_hue((int64_t)i), i};
    qsort(steps, count, sizeof *steps, by_hue);
    /* The rank replaces the hue: golden steps are nearly, ranks are exactly evenly spaced. */
    for (size_t rank = 0; rank < count; rank++)
        colors[steps[rank].index] = mr_color_of_hue((double)rank / (double)count);
    free(steps);
    return MRCNN_OK;
}
