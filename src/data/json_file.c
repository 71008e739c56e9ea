/* json_file.c - tells the annotation formats that are JSON apart, by their first keys. */
#include "data/json.h"
#include "data/place.h"

#include <string.h>

/* Keys of the outermost object that only one format has, with what they hold. */
static const struct {
    const char *key;
    mr_json_kind kind;
    mr_json_file file;
} signs[] = {
    {"images", MR_JSON_ARRAY, MR_FILE_COCO},        {"annotations", MR_JSON_ARRAY, MR_FILE_COCO},
    {"categories", MR_JSON_ARRAY, MR_FILE_COCO},    {"shapes", MR_JSON_ARRAY, MR_FILE_LABELME},
    {"imagePath", MR_JSON_STRING, MR_FILE_LABELME},
};

/* Those of COCO and LabelMe that say nothing, before those that do. */
static int says_nothing(const char *key) {
    static const char *const keys[] = {"info", "licenses", "flags", "version"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0) return 1;
    return 0;
}

static mr_json_choice choose(void *user, const mr_json_place *place) {
    mr_json_file *file = user;
    if (place->depth == 0) return place->kind == MR_JSON_OBJECT ? MR_JSON_WALK : MR_JSON_STOP;
    if (!place->key) return MR_JSON_SKIP;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (place->kind != signs[i].kind || strcmp(place->key, signs[i].key) != 0) continue;
        *file = signs[i].file;
        return MR_JSON_STOP;
    }
    if (strncmp(place->key, "_via_", 5) == 0) {
        *file = MR_FILE_VIA;
        return MR_JSON_STOP;
    }
    return place->kind == MR_JSON_OBJECT && !says_nothing(place->key) ? MR_JSON_TAKE : MR_JSON_SKIP;
}

/* The first entry decides whether it is VIA's. */
static mrcnn_status look_at_entry(void *user, const mr_json_place *place, const mr_json *value,
                                  mrcnn_error *err) {
    (void)place;
    (void)err;
    if (mr_json_get(value, "filename") && mr_json_get(value, "regions"))
        *(mr_json_file *)user = MR_FILE_VIA;
    return MRCNN_E_CANCELLED; /* seen enough */
}

mrcnn_status mr_json_kind_of_file(const char *path, mr_json_file *kind, mrcnn_error *err) {
    mr_json_file found = MR_FILE_OTHER;
    mr_json_reader reader = {choose, look_at_entry, &found};
    mrcnn_status status = mr_json_read(path, &reader, err);
    if (status != MRCNN_OK && status != MRCNN_E_CANCELLED) return status;
    *kind = found;
    return MRCNN_OK;
}
