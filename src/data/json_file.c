/* json_file.c - tells the annotation formats that are JSON apart, by their first keys. */
#include "base/error.h"
#include "base/memory.h"
#include "data/json.h"
#include "data/place.h"

#include <stdlib.h>
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

/* ------------------------------------------------------------------------------- in a folder */

typedef struct search {
    mr_json_file kind;
    const char *name;
    char *found;
    int is_over;        /* LabelMe has a file for each picture: the others need no look */
    mrcnn_error broken; /* the first file that is no JSON */
} search;

static mrcnn_status consider(search *s, const char *path, mrcnn_error *err) {
    mrcnn_error broken = MRCNN_ERROR_INIT;
    mr_json_file kind = MR_FILE_OTHER;
    if (!mr_is_file(path)) return MRCNN_OK;
    if (mr_json_kind_of_file(path, &kind, &broken) != MRCNN_OK && s->broken.status == MRCNN_OK)
        s->broken = broken;
    s->is_over = kind == MR_FILE_LABELME;
    if (kind != s->kind) return MRCNN_OK;
    if (s->found)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: %s is a %s file too: give the one that is meant as the data set",
                       s->found, path, s->name);
    s->found = mr_strdup(path);
    return s->found ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a path");
}

mrcnn_status mr_look_for_json(const char *folder, mr_json_file kind, const char *name, char **file,
                              mrcnn_error *err) {
    search s = {.kind = kind, .name = name};
    mr_listing listing = {NULL, 0, 0};
    mrcnn_status status = mr_list_folder(&listing, folder, ".json", err);
    for (size_t i = 0; i < listing.count && status == MRCNN_OK && !s.is_over; i++) {
        char *path = mr_format("%s/%s", folder, listing.names[i]);
        status = path ? consider(&s, path, err) : mr_fail_memory(err, strlen(folder), "a path");
        free(path);
    }
    mr_listing_free(&listing);
    if (status == MRCNN_OK && !s.found && s.broken.status != MRCNN_OK)
        status = mr_fail(err, s.broken.status, "%s", s.broken.message);
    if (status == MRCNN_OK)
        *file = s.found;
    else
        free(s.found);
    return status;
}
