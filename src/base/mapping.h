/* mapping.h - a file's bytes, read-only, shared with all processes that map it. */
#ifndef MR_BASE_MAPPING_H
#define MR_BASE_MAPPING_H

#include <stddef.h>

typedef struct mr_mapping {
    const void *bytes; /* page-aligned */
    size_t length;
} mr_mapping;

/* 0 when it isn't there, is empty, is no plain file, or can't be mapped. Renaming another file over it leaves the
 * mapping as it is; cutting it off kills its readers, so only files that are never written in place are mapped. */
int mr_map_file(mr_mapping *mapping, const char *path);
void mr_unmap_file(mr_mapping *mapping);

#endif
