/* via_find.c - where a VIA data set keeps its annotations. */
#include "data/via.h"

#include "base/error.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const usual_name = "via_region_data.json";

int mr_via_is_project_key(const char *key) {
    return key && strncmp(key, "_via_", 5) == 0;
}

static int is_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static int is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* ------------------------------------------------------------------------- is it VIA's structure? */

/* The first entry decides. */
static mr_json_choice choose_first(void *user, const mr_json_place *place) {
    (void)user;
    if (place->kind != MR_JSON_OBJECT) return MR_JSON_SKIP;
    if (place->depth == 0) return MR_JSON_WALK;
    if (place->depth == 1 && mr_via_is_project_key(place->key))
        return strcmp(place->key, "_via_img_metadata") == 0 ? MR_JSON_WALK : MR_JSON_SKIP;
    return MR_JSON_TAKE;
}

static mrcnn_status look_at_first(void *user, const mr_json_place *place, const mr_json *value,
                                  mrcnn_error *err) {
    (void)place;
    (void)err;
    *(int *)user = mr_json_get(value, "filename") && mr_json_get(value, "regions");
    return MRCNN_E_CANCELLED; /* seen enough */
}

/* 1 when it is a VIA file, 0 when it is another; an error only when it can't be read. */
static mrcnn_status is_via(const char *path, int *answer, mrcnn_error *err) {
    mr_json_reader reader = {choose_first, look_at_first, answer};
    *answer = 0;
    mrcnn_status status = mr_json_read(path, &reader, err);
    return status == MRCNN_E_CANCELLED ? MRCNN_OK : status;
}

/* ------------------------------------------------------------------------------- in a folder */

static int is_json_name(const struct dirent *entry) {
    size_t length = strlen(entry->d_name);
    return entry->d_name[0] != '.' && length > 5 &&
           strcmp(entry->d_name + length - 5, ".json") == 0;
}

typedef struct search {
    char *found;
    mrcnn_error broken; /* the first file that is no JSON */
    size_t looked_at;
} search;

static mrcnn_status consider(search *s, char *path, mrcnn_error *err) {
    mrcnn_error broken = MRCNN_ERROR_INIT;
    int via = 0;
    mrcnn_status status = MRCNN_OK;
    if (!is_file(path)) return MRCNN_OK;
    s->looked_at++;
    if (is_via(path, &via, &broken) != MRCNN_OK && s->broken.status == MRCNN_OK) s->broken = broken;
    if (via && s->found)
        status = mr_fail(err, MRCNN_E_ARGUMENT,
                         "%s: %s is a VIA file too: give the one that is meant as the data set",
                         s->found, path);
    if (via && !s->found) s->found = mr_strdup(path);
    return status;
}

static mrcnn_status search_folder(search *s, const char *folder, mrcnn_error *err) {
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_json_name, alphasort);
    if (count < 0)
        return mr_fail(err, MRCNN_E_IO, "%s: can't look into it: %s", folder, strerror(errno));
    mrcnn_status status = MRCNN_OK;
    for (int i = 0; i < count; i++) {
        char *path = mr_format("%s/%s", folder, entries[i]->d_name);
        if (status == MRCNN_OK)
            status = path ? consider(s, path, err) : mr_fail_memory(err, 0, folder);
        free(path);
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* *file is NULL when the folder has none. */
static mrcnn_status find_in(const char *folder, char **file, mrcnn_error *err) {
    search s = {.found = mr_format("%s/%s", folder, usual_name)};
    *file = NULL;
    if (!s.found) return mr_fail_memory(err, strlen(folder), "a path");
    if (is_file(s.found)) {
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

/* ------------------------------------------------------------------------------- from a path */

static mrcnn_status fail_none(const char *folder, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_FORMAT,
                   "%s: there are no annotations: neither %s nor another JSON file of VIA's (an "
                   "object of entries with filename and regions)",
                   folder, usual_name);
}

static mrcnn_status find_below(mr_via_place *place, const char *path, const char *subset,
                               mrcnn_error *err) {
    char *folder = mr_format("%s/%s", path, subset), *file = NULL;
    if (!folder) return mr_fail_memory(err, strlen(path), "a path");
    mrcnn_status status = MRCNN_OK;
    if (!is_folder(folder))
        status =
            mr_fail(err, MRCNN_E_IO, "%s: there is no such folder, which subset \"%s\" asks for",
                    folder, subset);
    if (status == MRCNN_OK) status = find_in(folder, &file, err);
    if (status == MRCNN_OK && !file) status = fail_none(folder, err);
    if (status == MRCNN_OK)
        *place = (mr_via_place){file, folder};
    else
        free(folder);
    return status;
}

static mrcnn_status find_beside(mr_via_place *place, const char *path, mrcnn_error *err) {
    const char *slash = strrchr(path, '/');
    char *file = mr_strdup(path), *folder = mr_strdup(slash ? path : ".");
    if (!file || !folder) {
        free(file);
        free(folder);
        return mr_fail_memory(err, strlen(path), "a path");
    }
    if (slash) folder[slash == path ? 1 : slash - path] = 0;
    *place = (mr_via_place){file, folder};
    return MRCNN_OK;
}

static mrcnn_status find_here_or_train(mr_via_place *place, const char *path, mrcnn_error *err) {
    char *file, *train;
    mrcnn_status status = find_in(path, &file, err);
    if (status != MRCNN_OK) return status;
    if (file) {
        char *folder = mr_strdup(path);
        if (!folder) {
            free(file);
            return mr_fail_memory(err, strlen(path), "a path");
        }
        *place = (mr_via_place){file, folder};
        return MRCNN_OK;
    }
    train = mr_format("%s/train", path);
    if (!train) return mr_fail_memory(err, strlen(path), "a path");
    status = is_folder(train) ? find_below(place, path, "train", err) : fail_none(path, err);
    free(train);
    return status;
}

mrcnn_status mr_via_find(mr_via_place *place, const char *path, const char *subset,
                         mrcnn_error *err) {
    if (is_file(path)) {
        if (subset)
            return mr_fail(err, MRCNN_E_ARGUMENT,
                           "%s: a file has no subset \"%s\": give the folder, or no subset", path,
                           subset);
        return find_beside(place, path, err);
    }
    if (!is_folder(path))
        return mr_fail(err, MRCNN_E_IO, "%s: there is no such folder or file", path);
    if (subset) return find_below(place, path, subset, err);
    return find_here_or_train(place, path, err);
}
