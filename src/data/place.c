/* place.c - see place.h. */
#include "data/place.h"

#include "base/error.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char *const endings[] = {".jpg", ".jpeg", ".png", ".npy"};
enum { ENDINGS = sizeof endings / sizeof *endings };

void mr_place_free(mr_place *place) {
    free(place->file);
    free(place->folder);
    *place = (mr_place){NULL, NULL};
}

int mr_is_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

int mr_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* ------------------------------------------------------------------------------------- folders */

int mr_has_ending(const char *name, const char *ending) {
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcasecmp(name + length - tail, ending) == 0;
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

mrcnn_status mr_listing_add(mr_listing *listing, const char *name, mrcnn_error *err) {
    char *copy = mr_strdup(name);
    if (copy && mr_dataset_grow((void **)&listing->names, &listing->room, listing->count, 1,
                                sizeof(char *))) {
        listing->names[listing->count++] = copy;
        return MRCNN_OK;
    }
    free(copy);
    return mr_fail_memory(err, strlen(name), "a list of names");
}

mrcnn_status mr_list_folder(mr_listing *listing, const char *folder, const char *ending,
                            mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    mr_listing made = {NULL, 0, 0};
    DIR *open = opendir(folder);
    if (!open)
        return mr_fail(err, MRCNN_E_IO, "%s: can't look into it: %s", folder, strerror(errno));
    const struct dirent *entry;
    while (status == MRCNN_OK && (entry = readdir(open)) != NULL)
        if (entry->d_name[0] != '.' && (!ending || mr_has_ending(entry->d_name, ending)))
            status = mr_listing_add(&made, entry->d_name, err);
    closedir(open);
    if (status != MRCNN_OK) {
        mr_listing_free(&made);
        return status;
    }
    if (made.count) qsort(made.names, made.count, sizeof *made.names, compare_texts);
    *listing = made;
    return MRCNN_OK;
}

void mr_listing_free(mr_listing *listing) {
    for (size_t i = 0; i < listing->count; i++) free(listing->names[i]);
    free(listing->names);
    *listing = (mr_listing){NULL, 0, 0};
}

/* ------------------------------------------------------------------------------- from a path */

mrcnn_status mr_nothing_here(const char *path, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: there are no such annotations", path);
}

static mrcnn_status look_into(mr_place *place, const char *folder, mr_look look, mrcnn_error *err) {
    char *file = NULL;
    mrcnn_status status = look(folder, &file, err);
    if (status != MRCNN_OK) return status;
    if (!file) return mr_nothing_here(folder, err);
    char *copy = mr_strdup(folder);
    if (!copy) {
        free(file);
        return mr_fail_memory(err, strlen(folder), "a path");
    }
    *place = (mr_place){file, copy};
    return MRCNN_OK;
}

static mrcnn_status look_below(mr_place *place, const char *path, const char *name, mr_look look,
                               mrcnn_error *err) {
    char *folder = mr_format("%s/%s", path, name);
    if (!folder) return mr_fail_memory(err, strlen(path), "a path");
    mrcnn_status status =
        mr_is_folder(folder) ? look_into(place, folder, look, err) : mr_nothing_here(folder, err);
    free(folder);
    return status;
}

mrcnn_status mr_find_in_folders(mr_place *place, const char *path, const char *subset, mr_look look,
                                mrcnn_error *err) {
    if (!mr_is_folder(path)) return mr_nothing_here(path, err);
    if (subset) return look_below(place, path, subset, look, err);
    mrcnn_status status = look_into(place, path, look, err);
    if (status != MRCNN_E_UNSUPPORTED) return status;
    return look_below(place, path, "train", look, err);
}

mrcnn_status mr_place_of_file(mr_place *place, const char *path, const char *subset,
                              mrcnn_error *err) {
    if (subset)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "%s: a file has no subset \"%s\": give the folder, or no subset", path,
                       subset);
    const char *slash = strrchr(path, '/');
    char *file = mr_strdup(path), *folder = mr_strdup(slash ? path : ".");
    if (!file || !folder) {
        free(file);
        free(folder);
        return mr_fail_memory(err, strlen(path), "a path");
    }
    if (slash) folder[slash == path ? 1 : slash - path] = 0;
    *place = (mr_place){file, folder};
    return MRCNN_OK;
}

/* ------------------------------------------------------------------------------------ pictures */

/* A part ".." of a path. */
static int has_way_up(const char *name) {
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == 0)) return 1;
    }
    return 0;
}

const char *mr_judge_picture(const char *name, const char *path, double *bytes) {
    struct stat info;
    if (!*name) return "its file name is empty";
    if (strstr(name, "://")) return "it is an address on the web: download the picture";
    if (name[0] == '/' || has_way_up(name))
        return "its file name leads out of the folder of the annotations";
    if (stat(path, &info) != 0) return "there is no such picture beside the annotations";
    *bytes = (double)info.st_size;
    return S_ISREG(info.st_mode) ? NULL : "this is no file";
}

int mr_is_picture_name(const char *name) {
    for (int i = 0; i < ENDINGS; i++)
        if (mr_has_ending(name, endings[i])) return 1;
    return 0;
}

char *mr_find_picture(const char *folder, const char *stem) {
    static const char *const upper[ENDINGS] = {".JPG", ".JPEG", ".PNG", ".NPY"};
    for (int i = 0; i < 2 * ENDINGS; i++) {
        char *path =
            mr_format("%s/%s%s", folder, stem, i < ENDINGS ? endings[i] : upper[i - ENDINGS]);
        if (!path || mr_is_file(path)) return path;
        free(path);
    }
    return NULL;
}

size_t mr_stem_length(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return dot && dot != name ? (size_t)(dot - path) : strlen(path);
}

char *mr_without_ending(const char *path) {
    char *copy = mr_strdup(path);
    if (copy) copy[mr_stem_length(path)] = 0;
    return copy;
}

char *mr_stem(const char *name) {
    const char *slash = strrchr(name, '/');
    return mr_without_ending(slash ? slash + 1 : name);
}
