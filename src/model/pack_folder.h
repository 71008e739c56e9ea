/* pack_folder.h - the folder of files with packed weights: names, and how many may stay. */
#ifndef MR_MODEL_PACK_FOLDER_H
#define MR_MODEL_PACK_FOLDER_H

/* "cache/packs/coco-0123456789abcdef-bf16.packs" of a weight file: the same for one path, so that a newer file's packs
 * take the place of the older's. malloc'ed; NULL: no memory. */
char *mr_pack_path(const char *cache, const char *weights, const char *precision);

/* It is used now. */
void mr_pack_touch(const char *path);

/* Removes files of packs that were used longest ago until all are at most 2 GB, but never this one; and what processes
 * that were killed have left half written. */
void mr_pack_folder_trim(const char *path);

#endif
