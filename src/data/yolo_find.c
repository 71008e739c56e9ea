/* yolo_find.c - where a YOLO data set's pictures and labels are: as data.yaml says, or in one of the
 * layouts that tools write without it. */
#include "data/yolo.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 16 };

/* ------------------------------------------------------------------------------------- layouts */

static int has_picture(const char *folder, const char *label_file) {
    char *stem = mr_stem(label_file);
    char *picture = stem ? mr_find_picture(folder, stem) : NULL;
    int has = picture != NULL;
    free(stem);
    free(picture);
    return has;
}

/* Any of the first text files will do; beside pictures, one that belongs to a picture. */
static int has_labels(const char *folder, const char *pictures) {
    mr_listing listing = {NULL, 0, 0};
    char *below = mr_yolo_label_folder(pictures);
    char *labels = below ? mr_format("%s/%s", folder, below) : NULL;
    int has = 0, beside = below && strcmp(below, pictures) == 0;
    if (labels && mr_is_folder(labels)) mr_list_folder(&listing, labels, ".txt", NULL);
    for (size_t i = 0; i < listing.count && i < LOOKED_AT && !has; i++) {
        char *path = mr_format("%s/%s", labels, listing.names[i]);
        has = path && mr_is_file(path) && mr_yolo_is_label_file(path) &&
              (!beside || has_picture(labels, listing.names[i]));
        free(path);
    }
    mr_listing_free(&listing);
    free(below);
    free(labels);
    return has;
}

/* folder/pictures, when it is there and has labels. */
static char *try_pictures(const char *folder, char *pictures) {
    char *path = pictures ? mr_format("%s/%s", folder, pictures) : NULL;
    int good = path && mr_is_folder(path) && has_labels(folder, pictures);
    free(path);
    if (good) return pictures;
    free(pictures);
    return NULL;
}

static char *try_subset(const char *folder, const char *subset) {
    char *found = try_pictures(folder, mr_format("images/%s", subset));
    if (!found) found = try_pictures(folder, mr_format("%s/images", subset));
    if (!found) found = try_pictures(folder, mr_strdup(subset));
    return found;
}

char *mr_yolo_find_pictures(const char *folder, const char *subset) {
    static const char *const other_words[] = {"val", "valid", "validation"};
    char *found = try_subset(folder, subset ? subset : "train");
    if (!subset) {
        if (!found) found = try_pictures(folder, mr_strdup("images"));
        if (!found) found = try_pictures(folder, mr_strdup("."));
        return found;
    }
    for (int i = 0; i < 3 && !found; i++)
        if (strcmp(mr_yolo_subset_key(subset), "val") == 0)
            found = try_subset(folder, other_words[i]);
    return found;
}

/* ----------------------------------------------------------------------------------- data.yaml */

static int is_yaml_name(const char *name) {
    return mr_has_ending(name, ".yaml") || mr_has_ending(name, ".yml");
}

/* 1: it is YOLO's, and it has the subset if one is asked for. An error only when it can't be read.
 */
static mrcnn_status look_at_yaml(const char *path, const char *subset, int *is_yolo,
                                 mrcnn_error *err) {
    mr_yolo_yaml yaml = {0};
    mrcnn_status status = mr_yolo_read_yaml(&yaml, path, subset, err);
    *is_yolo = status == MRCNN_OK && yaml.is_yolo && (!subset || yaml.subsets.count);
    mr_yolo_yaml_free(&yaml);
    return status;
}

/* data.yaml, or another file of that kind. One that is broken counts when it has the usual name. */
static mrcnn_status look_for_yaml(char **file, const char *folder, const char *subset,
                                  mrcnn_error *err) {
    mr_listing listing = {NULL, 0, 0};
    mrcnn_status status = mr_list_folder(&listing, folder, NULL, err);
    size_t looked_at = 0;
    for (size_t i = 0; i < listing.count && status == MRCNN_OK && looked_at < LOOKED_AT; i++) {
        mrcnn_error broken = MRCNN_ERROR_INIT;
        int is_yolo = 0, is_usual = strcmp(listing.names[i], "data.yaml") == 0;
        if (!is_yaml_name(listing.names[i])) continue;
        looked_at++;
        char *path = mr_format("%s/%s", folder, listing.names[i]);
        if (!path) status = mr_fail_memory(err, strlen(folder), "a path");
        if (path && mr_is_file(path) && look_at_yaml(path, subset, &is_yolo, &broken) != MRCNN_OK &&
            is_usual)
            status = mr_fail(err, broken.status, "%s", broken.message);
        if (is_yolo && (is_usual || !*file)) {
            free(*file);
            *file = path;
        } else {
            free(path);
        }
    }
    mr_listing_free(&listing);
    return status;
}

static mrcnn_status find_in_folder(mr_place *place, const char *path, const char *subset,
                                   mrcnn_error *err) {
    char *file = NULL;
    mrcnn_status status = look_for_yaml(&file, path, subset, err);
    if (status == MRCNN_OK && !file) {
        char *pictures = mr_yolo_find_pictures(path, subset);
        if (!pictures) status = mr_nothing_here(path, err);
        free(pictures);
    }
    char *folder = status == MRCNN_OK ? mr_strdup(path) : NULL;
    if (status == MRCNN_OK && !folder) status = mr_fail_memory(err, strlen(path), "a path");
    if (status == MRCNN_OK)
        *place = (mr_place){.file = file, .folder = folder};
    else
        free(file);
    return status;
}

mrcnn_status mr_yolo_find(mr_place *place, const char *path, const char *subset, mrcnn_error *err) {
    int is_yolo = 0;
    if (mr_is_folder(path)) return find_in_folder(place, path, subset, err);
    if (!is_yaml_name(path)) return mr_nothing_here(path, err);
    mrcnn_status status = look_at_yaml(path, subset, &is_yolo, err);
    if (status != MRCNN_OK) return status;
    return is_yolo ? mr_place_of_file(place, path, NULL, err) : mr_nothing_here(path, err);
}
