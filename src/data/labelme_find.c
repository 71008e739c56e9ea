/* labelme_find.c - where LabelMe's files are: one for each picture, thousands in a folder, so that
 * only the first of them are looked at. */
#include "data/labelme.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/place.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 16 };

/* The first file that says what it is decides for the folder. */
static mrcnn_status look_at_files(const mr_listing *listing, const char *folder, char **file,
                                  mrcnn_error *err) {
    mr_json_file kind = MR_FILE_OTHER;
    for (size_t i = 0; i < listing->count && i < LOOKED_AT && kind == MR_FILE_OTHER; i++) {
        char *path = mr_format("%s/%s", folder, listing->names[i]);
        if (!path) return mr_fail_memory(err, strlen(folder), "a path");
        int known = mr_is_file(path) && mr_json_kind_of_file(path, &kind, NULL) == MRCNN_OK;
        if (known && kind == MR_FILE_LABELME)
            *file = path;
        else
            free(path);
    }
    return MRCNN_OK;
}

static mrcnn_status look(const char *folder, char **file, mrcnn_error *err) {
    mr_listing listing = {NULL, 0, 0};
    mrcnn_status status = mr_list_folder(&listing, folder, ".json", err);
    if (status == MRCNN_OK) status = look_at_files(&listing, folder, file, err);
    mr_listing_free(&listing);
    return status;
}

mrcnn_status mr_labelme_find(mr_place *place, const char *path, const char *subset,
                             mrcnn_error *err) {
    mr_json_file kind;
    if (mr_is_file(path)) {
        if (!mr_has_ending(path, ".json")) return mr_nothing_here(path, err);
        mrcnn_status status = mr_json_kind_of_file(path, &kind, err);
        if (status != MRCNN_OK) return status;
        if (kind != MR_FILE_LABELME) return mr_nothing_here(path, err);
        return mr_place_of_file(place, path, subset, err);
    }
    mrcnn_status status = mr_find_in_folders(place, path, subset, look, err);
    if (status != MRCNN_OK) return status;
    free(place->file);
    place->file = mr_strdup(path);
    return place->file ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a path");
}
