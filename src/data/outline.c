/* outline.c - see outline.h. */
#include "data/outline.h"

#include "data/dataset.h"

#include <math.h>
#include <stdio.h>

int mr_numbers_add(mr_numbers *numbers, double value) {
    if (!mr_dataset_grow((void **)&numbers->values, &numbers->room, numbers->count, 1,
                         sizeof value))
        return 0;
    numbers->values[numbers->count++] = value;
    return 1;
}

static int lie_on_a_line(const double *xy, size_t count) {
    size_t other = 1;
    while (other < count && xy[2 * other] == xy[0] && xy[2 * other + 1] == xy[1]) other++;
    if (other == count) return 1;
    double dx = xy[2 * other] - xy[0], dy = xy[2 * other + 1] - xy[1];
    /* Scaled, so that absurd coordinates don't overflow. */
    double scale = fmax(fabs(dx), fabs(dy));
    for (size_t i = other + 1; i < count; i++)
        if ((xy[2 * i] - xy[0]) * (dy / scale) != (xy[2 * i + 1] - xy[1]) * (dx / scale)) return 0;
    return 1;
}

int mr_polygon_has_fault(const double *xy, size_t count, char *why, size_t room) {
    if (count < 3)
        snprintf(why, room, "the polygon has %zu point%s, which makes no area", count,
                 count == 1 ? "" : "s");
    else if (lie_on_a_line(xy, count))
        snprintf(why, room, "the polygon has no area: all of its points lie on a line");
    else
        return 0;
    return 1;
}
