/* coco_find.c - where a COCO data set keeps its annotations and its pictures. */
#include "data/coco.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/place.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const annotations = "annotations", *const prefix = "instances_";

/* ------------------------------------------------------------------ PATH/annotations/instances_... */

/* "val2014" of "instances_val2014.json"; malloc'ed. */
static char *part_of(const char *file_name) {
    char *name = mr_stem(file_name);
    size_t skip = strlen(prefix);
    if (name && strncmp(name, prefix, skip) == 0)
        memmove(name, name + skip, strlen(name + skip) + 1);
    return name;
}

/* Whether `part` is the subset ("train" or "train2017"), with the year or not; *year becomes what
 * follows the subset: "2017" or "". */
static int is_subset(const char *part, const char *subset, const char **year) {
    size_t length = strlen(subset);
    if (strncmp(part, subset, length) != 0) return 0;
    *year = part + length;
    size_t digits = strspn(*year, "0123456789");
    return (*year)[digits] == 0 && (digits == 0 || digits == 4);
}

typedef struct layout_search {
    const char *subset, *year; /* year NULL: any */
    char *found;               /* file name */
    char years[160];           /* that there are */
    int count;
} layout_search;

static mrcnn_status consider(layout_search *s, const char *file_name, mrcnn_error *err) {
    const char *year;
    char *part = part_of(file_name);
    if (!part) return mr_fail_memory(err, strlen(file_name), "a path");
    if (is_subset(part, s->subset, &year)) {
        size_t used = strlen(s->years);
        snprintf(s->years + used, sizeof s->years - used, "%s%s", used ? ", " : "",
                 *year ? year : "none");
        s->count++;
        if (!s->year || strcmp(year, s->year) == 0) {
            free(s->found);
            s->found = mr_strdup(file_name);
        }
    }
    free(part);
    return MRCNN_OK;
}

static mrcnn_status search_layout(layout_search *s, const char *folder, mrcnn_error *err) {
    mr_listing listing = {NULL, 0, 0};
    mrcnn_status status = mr_list_folder(&listing, folder, ".json", err);
    for (size_t i = 0; i < listing.count && status == MRCNN_OK; i++)
        status = consider(s, listing.names[i], err);
    mr_listing_free(&listing);
    return status;
}

static mrcnn_status find_layout(mr_place *place, const char *path, const char *subset,
                                mrcnn_error *err) {
    layout_search s = {.subset = subset};
    char *folder = mr_format("%s/%s", path, annotations);
    mrcnn_status status = folder ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a path");
    if (folder && mr_is_folder(folder)) status = search_layout(&s, folder, err);
    free(folder);
    free(s.found);
    if (status != MRCNN_OK) return status;
    if (s.count == 0) return mr_nothing_here(path, err);
    place->folder = mr_strdup(path);
    return place->folder ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a path");
}

mrcnn_status mr_coco_choose_file(mr_place *place, const char *subset, const char *year,
                                 mrcnn_error *err) {
    layout_search s = {.subset = subset ? subset : "train", .year = year};
    char *folder = mr_format("%s/%s", place->folder, annotations);
    if (!folder) return mr_fail_memory(err, strlen(place->folder), "a path");
    mrcnn_status status = search_layout(&s, folder, err);
    if (status == MRCNN_OK && !s.found)
        status = mr_fail(err, MRCNN_E_ARGUMENT,
                         "%s: there are no annotations of the year %s for the subset \"%s\": there "
                         "are %s",
                         folder, year, s.subset, s.years);
    if (status == MRCNN_OK && !year && s.count > 1)
        status = mr_fail(err, MRCNN_E_ARGUMENT,
                         "%s: there are annotations of several years for the subset \"%s\": give "
                         "one of %s",
                         folder, s.subset, s.years);
    if (status == MRCNN_OK) {
        place->file = mr_format("%s/%s", folder, s.found);
        if (!place->file) status = mr_fail_memory(err, strlen(folder), "a path");
    }
    free(folder);
    free(s.found);
    return status;
}

/* --------------------------------------------------------------------------------------- any file */

static mrcnn_status look(const char *folder, char **file, mrcnn_error *err) {
    return mr_look_for_json(folder, MR_FILE_COCO, "COCO", file, err);
}

/* A single file of any name in PATH/annotations. */
static mrcnn_status find_below(mr_place *place, const char *path, mrcnn_error *err) {
    char *folder = mr_format("%s/%s", path, annotations), *file = NULL;
    mrcnn_status status = folder ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a path");
    if (folder && mr_is_folder(folder)) status = look(folder, &file, err);
    free(folder);
    if (status == MRCNN_OK && !file) return mr_nothing_here(path, err);
    if (status != MRCNN_OK) return status;
    *place = (mr_place){.file = file, .folder = mr_strdup(path)};
    return place->folder ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a path");
}

mrcnn_status mr_coco_find(mr_place *place, const char *path, const char *subset, mrcnn_error *err) {
    mr_json_file kind;
    if (mr_is_file(path)) {
        if (!mr_has_ending(path, ".json")) return mr_nothing_here(path, err);
        mrcnn_status status = mr_json_kind_of_file(path, &kind, err);
        if (status != MRCNN_OK) return status;
        if (kind != MR_FILE_COCO) return mr_nothing_here(path, err);
        return mr_place_of_file(place, path, subset, err);
    }
    mrcnn_status status = find_layout(place, path, subset ? subset : "train", err);
    if (status == MRCNN_E_UNSUPPORTED) status = mr_find_in_folders(place, path, subset, look, err);
    if (status == MRCNN_E_UNSUPPORTED && !subset) status = find_below(place, path, err);
    return status;
}

/* --------------------------------------------------------------------------------------- pictures */

static mrcnn_status add_folder(mr_coco_folders *folders, char *path, mrcnn_error *err) {
    if (!path) return mr_fail_memory(err, 0, "a path");
    int known = !mr_is_folder(path) || folders->count == MR_COCO_FOLDERS;
    for (int i = 0; i < folders->count && !known; i++) known = strcmp(folders->paths[i], path) == 0;
    if (known)
        free(path);
    else
        folders->paths[folders->count++] = path;
    return MRCNN_OK;
}

/* Below `root`: pictures of a part of the set that is called `part` ("val2014"), or of all. */
static mrcnn_status add_folders(mr_coco_folders *folders, const char *root, const char *part,
                                mrcnn_error *err) {
    mrcnn_status status = add_folder(folders, mr_format("%s/%s", root, part), err);
    if (status == MRCNN_OK)
        status = add_folder(folders, mr_format("%s/images/%s", root, part), err);
    return status;
}

/* COCO's minival2014 and valminusminival2014 are parts of val2014. */
static const char *pictures_of(const char *part) {
    static const char *const parts[] = {"minival", "valminusminival"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strncmp(part, parts[i], strlen(parts[i])) == 0) return part + strlen(parts[i]) - 3;
    return part;
}

static mrcnn_status add_all(mr_coco_folders *folders, const char *beside, char *part,
                            mrcnn_error *err) {
    const char *slash = strrchr(beside, '/'), *name = slash ? slash + 1 : beside;
    int is_layout = strcmp(name, annotations) == 0;
    char *root = !is_layout        ? mr_strdup(beside)
                 : !slash          ? mr_strdup(".")
                 : slash == beside ? mr_strdup("/")
                                   : mr_format("%.*s", (int)(slash - beside), beside);
    if (!root) return mr_fail_memory(err, strlen(beside), "a path");
    mrcnn_status status = MRCNN_OK;
    if (is_layout) status = add_folders(folders, root, pictures_of(part), err);
    for (size_t end = strlen(part); end > 0 && isdigit((unsigned char)part[end - 1]); end--)
        part[end - 1] = 0;
    if (status == MRCNN_OK && is_layout)
        status = add_folders(folders, root, pictures_of(part), err);
    if (status == MRCNN_OK && !is_layout) status = add_folder(folders, mr_strdup(beside), err);
    if (status == MRCNN_OK) status = add_folder(folders, mr_format("%s/images", root), err);
    if (status == MRCNN_OK) status = add_folder(folders, mr_strdup(root), err);
    if (status == MRCNN_OK) status = add_folder(folders, mr_strdup(beside), err);
    free(root);
    return status;
}

mrcnn_status mr_coco_find_folders(mr_coco_folders *folders, const char *file, mrcnn_error *err) {
    *folders = (mr_coco_folders){{NULL}, 0};
    const char *slash = strrchr(file, '/');
    char *beside =
        slash ? mr_format("%.*s", slash == file ? 1 : (int)(slash - file), file) : mr_strdup(".");
    char *part = part_of(file);
    mrcnn_status status = beside && part ? add_all(folders, beside, part, err)
                                         : mr_fail_memory(err, strlen(file), "a path");
    free(beside);
    free(part);
    if (status != MRCNN_OK) mr_coco_folders_free(folders);
    return status;
}

void mr_coco_folders_free(mr_coco_folders *folders) {
    for (int i = 0; i < folders->count; i++) free(folders->paths[i]);
    folders->count = 0;
}
