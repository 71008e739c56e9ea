/* published.h - the weight files that others publish and that the papers' and matterport's examples
 * start from.
 */
#ifndef MR_WEIGHTS_PUBLISHED_H
#define MR_WEIGHTS_PUBLISHED_H

#include <stddef.h>

typedef struct mr_published {
    const char *name, *file, *url, *help;
    const char *md5; /* NULL: its publisher gives none */
} mr_published;

/* NULL past the end. */
const mr_published *mr_published_at(size_t index);
const mr_published *mr_published_find(const char *name);

#endif
