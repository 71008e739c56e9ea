/* place.h - where data sets lie: folders and subsets, the pictures in them, and what kind of JSON a
 * file is. For the readers of annotation formats; knows no format. */
#ifndef MR_DATA_PLACE_H
#define MR_DATA_PLACE_H

#include "data/dataset.h"

int mr_is_file(const char *path);
int mr_is_folder(const char *path);

/* Names: entries of a folder, lines of a file. Start with {0}. */
typedef struct mr_listing {
    char **names;
    size_t count, room;
} mr_listing;

/* Appends a copy. */
mrcnn_status mr_listing_add(mr_listing *listing, const char *name, mrcnn_error *err);
void mr_listing_free(mr_listing *listing);

/* Entries of a folder by name (bytewise), without those that begin with a dot. `ending` is NULL or
 * what a name must end in (".json"), whatever its case. */
mrcnn_status mr_list_folder(mr_listing *listing, const char *folder, const char *ending,
                            mrcnn_error *err);

/* 1 when `name` ends in `ending`, whatever its case. */
int mr_has_ending(const char *name, const char *ending);

/* Looks for annotations in one folder: *file becomes their file (malloc'ed), NULL when the folder has
 * none. An error when there is something that can't be used. */
typedef mrcnn_status (*mr_look)(const char *folder, char **file, mrcnn_error *err);

/* A data set that is a folder with an annotation file: in path/subset; without a subset in `path`,
 * else in path/train. MRCNN_E_UNSUPPORTED when `look` finds nothing. */
mrcnn_status mr_find_in_folders(mr_place *place, const char *path, const char *subset, mr_look look,
                                mrcnn_error *err);

/* A data set that is an annotation file: its folder is the pictures'. A subset is an error. */
mrcnn_status mr_place_of_file(mr_place *place, const char *path, const char *subset,
                              mrcnn_error *err);

/* "Nothing of this format is here", with no words: the caller knows what was looked for. */
mrcnn_status mr_nothing_here(const char *path, mrcnn_error *err);

/* Why a picture that annotations name can't be used: NULL when it can. `name` is as the annotations
 * have it, `path` where that is; *bytes becomes the file's length. No name leads out of the folder. */
const char *mr_judge_picture(const char *name, const char *path, double *bytes);

/* The picture of that name without its ending: folder/stem.jpg, .jpeg, .png (or .npy), in either case.
 * malloc'ed; NULL when there is none, or no memory. */
char *mr_find_picture(const char *folder, const char *stem);

/* 1 when the name has the ending of a picture that can be read. */
int mr_is_picture_name(const char *name);

/* Length of a path without its ending; a name that is all ending (".png") has none. */
size_t mr_stem_length(const char *path);

/* A name without its folders and its ending; malloc'ed. */
char *mr_stem(const char *name);

/* A path without its ending, folders and all; malloc'ed. */
char *mr_without_ending(const char *path);

typedef enum mr_json_file {
    MR_FILE_OTHER,
    MR_FILE_VIA,
    MR_FILE_COCO,
    MR_FILE_LABELME
} mr_json_file;

/* What annotations a JSON file holds, judged by its first keys: quick for large files. An error only
 * when it can't be read or is no JSON as far as that. */
mrcnn_status mr_json_kind_of_file(const char *path, mr_json_file *kind, mrcnn_error *err);

/* The only file of that kind in a folder, as mr_look. `name` is what the kind is called in messages:
 * there must not be two. A file that is broken JSON is an error when there is no other. A file of
 * LabelMe's ends the search: there are as many as pictures. */
mrcnn_status mr_look_for_json(const char *folder, mr_json_file kind, const char *name, char **file,
                              mrcnn_error *err);

#endif
