/* pack_file.h - packed weights in a file, which is mapped: processes share its pages, and the first picture needn't wait
 * for packing. What is in it fits one machine and one build of this library, and is checked as it is used. */
#ifndef MR_GRAPH_PACK_FILE_H
#define MR_GRAPH_PACK_FILE_H

#include "graph/executor.h"

typedef struct mr_pack_file mr_pack_file;

enum { MR_PACK_KEY = 320, MR_PACK_IDENTITY = 640 };

/* NULL: it isn't there, is damaged, or has another identity (a text shorter than MR_PACK_IDENTITY). */
mr_pack_file *mr_pack_file_open(const char *path, const char *identity);
void mr_pack_file_close(mr_pack_file **file);

size_t mr_pack_file_count(const mr_pack_file *file);
const char *mr_pack_file_key(const mr_pack_file *file, size_t index);

/* Sets all of the pack but its key; data stays the file's. 0: there is none of that key, its checksum is wrong, or there
 * is no memory. */
int mr_pack_file_find(const mr_pack_file *file, const char *key, const mr_detail_type *details,
                      mr_pack *pack);

/* Whole or not at all. Packs whose details can't be frozen are left out. */
mrcnn_status mr_pack_file_write(const char *path, const char *identity, const mr_pack *const *packs,
                                size_t count, mrcnn_error *err);

#endif
