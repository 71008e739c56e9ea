/* via_find.c - where a VIA data set keeps its annotations. */
#include "data/via.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/place.h"

#include <stdlib.h>
#include <string.h>

static const char *const usual_name = "via_region_data.json";

int mr_via_is_project_key(const char *key) {
    return key && strncmp(key, "_via_", 5) == 0;
}

typedef struct search {
    char *found;
    mrcnn_error broken; /* the first file that is no JSON */
} search;

static mrcnn_status consider(search *s, char *path, mrcnn_error *err) {
    mrcnn_error broken = MRCNN_ERROR_INIT;
    mr_json_file kind = MR_FILE_OTHER;
    if (!mr_is_file(path)) return MRCNN_OK;
    if (mr_json_kind_of_file(path, &kind, &broken) != MRCNN_OK && s->broken.status == MRCNN_OK)
        s->broken = broken;
    if (kind != MR_FILE_VIA) return MRCNN_OK;
    if (s->found)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: %s is a VIA file too: give the one that is meant as the data set",
                       s->found, path);
    s->found = mr_strdup(path);
    return s->found ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a path");
}

static mrcnn_status search_folder(search *s, const char *folder, mrcnn_error *err) {
    mr_listing listing = {NULL, 0};
    mrcnn_status status = mr_list_folder(&listing, folder, ".json", err);
    for (size_t i = 0; i < listing.count && status == MRCNN_OK; i++) {
        char *path = mr_format("%s/%s", folder, listing.names[i]);
        status = path ? consider(s, path, err) : mr_fail_memory(err, strlen(folder), "a path");
        free(path);
    }
    mr_listing_free(&listing);
    return status;
}

/* The usual file, or the only one of VIA's. */
static mrcnn_status look(const char *folder, char **file, mrcnn_error *err) {
    search s = {.found = mr_format("%s/%s", folder, usual_name)};
    if (!s.found) return mr_fail_memory(err, strlen(folder), "a path");
    if (mr_is_file(s.found)) {
        *file = s.found;
        return MRCNN_OK;
    }
    free(s.found);
    s.found = NULL;
    mrcnn_status status = search_folder(&s, folder, err);
    if (status == MRCNN_OK && !s.found && s.broken.status != MRCNN_OK)
        status = mr_fail(err, s.broken.status, "%s", s.broken.message);
    if (status == MRCNN_OK)
        *file = s.found;
    else
        free(s.found);
    return status;
}

mrcnn_status mr_via_find(mr_place *place, const char *path, const char *subset, mrcnn_error *err) {
    mr_json_file kind;
    if (!mr_is_file(path)) return mr_find_in_folders(place, path, subset, look, err);
    if (!mr_has_ending(path, ".json")) return mr_nothing_here(path, err);
    mrcnn_status status = mr_json_kind_of_file(path, &kind, err);
    if (status != MRCNN_OK) return status;
    if (kind != MR_FILE_VIA) return mr_nothing_here(path, err);
    return mr_place_of_file(place, path, subset, err);
}
