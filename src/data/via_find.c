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

/* The usual file, or the only one of VIA's. */
static mrcnn_status look(const char *folder, char **file, mrcnn_error *err) {
    char *usual = mr_format("%s/%s", folder, usual_name);
    if (!usual) return mr_fail_memory(err, strlen(folder), "a path");
    if (mr_is_file(usual)) {
        *file = usual;
        return MRCNN_OK;
    }
    free(usual);
    return mr_look_for_json(folder, MR_FILE_VIA, "VIA", file, err);
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
