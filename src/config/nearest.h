/* nearest.h - "did you mean ...?": the word of a list that is closest to a mistyped one. */
#ifndef MR_CONFIG_NEAREST_H
#define MR_CONFIG_NEAREST_H

#include <stddef.h>

typedef struct mr_nearest {
    const char *word; /* who asked for it */
    const char *best; /* NULL while nothing is close enough */
    size_t distance;
} mr_nearest;

mr_nearest mr_nearest_start(const char *word);

/* Case does not count: image_max_dim is at distance 0 from IMAGE_MAX_DIM. A candidate further off
 * than a third of the word's length is not what anybody meant. */
void mr_nearest_try(mr_nearest *nearest, const char *candidate);

#endif
