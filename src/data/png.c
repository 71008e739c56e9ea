/* png.c - data sets with a PNG for each object, as the Data Science Bowl of 2018 and matterport's
 * nucleus.py have them: a folder for each picture, with images/ and masks/ in it. */
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/arena.h"
#include "data/lines.h"
#include "data/place.h"
#include "data/tree.h"
#include "image/label_png.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 10000, ENTRIES_TO_TRY = 200 };

/* ------------------------------------------------------------------------------------- finding */

/* images/ID.png (or .jpg) in a picture's folder, else the only picture in images/; NULL when there is
 * none, or no memory. */
static char *find_picture(const char *folder, const char *id) {
    mr_listing some = {NULL, 0, 0};
    char *images = mr_format("%s/images", folder), *found = NULL;
    if (images && mr_is_folder(images)) {
        found = mr_find_picture(images, id);
        if (!found && mr_list_pictures(&some, images, 2, NULL) == MRCNN_OK && some.count == 1)
            found = mr_format("%s/%s", images, some.names[0]);
    }
    mr_listing_free(&some);
    free(images);
    return found;
}

/* A mask of the picture's own name is no mask of one object: then the format is labels. */
static int has_own_labels(const char *masks, const char *picture) {
    char *stem = mr_stem(picture);
    char *path = stem ? mr_format("%s/%s.png", masks, stem) : NULL;
    int is_there = path && mr_is_file(path);
    free(stem);
    free(path);
    return is_there;
}

static int is_picture_folder(const char *root, const char *id) {
    char *folder = mr_format("%s/%s", root, id), *masks = mr_format("%s/%s/masks", root, id);
    char *picture = folder && masks && mr_is_folder(masks) ? find_picture(folder, id) : NULL;
    int is_one = picture && !has_own_labels(masks, picture);
    free(picture);
    free(masks);
    free(folder);
    return is_one;
}

/* Quick, also in a folder of a hundred thousand other files. */
static int is_root(const char *path) {
    DIR *open = opendir(path);
    int found = 0;
    const struct dirent *entry;
    for (int i = 0; open && !found && i < ENTRIES_TO_TRY && (entry = readdir(open)) != NULL; i++)
        found = entry->d_name[0] != '.' && is_picture_folder(path, entry->d_name);
    if (open) closedir(open);
    return found;
}

/* Takes over `folder` and `list`. */
static mrcnn_status try_root(mr_place *place, char *folder, char *list, int has_list, int *found,
                             mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    *found = 0;
    if (!folder || (has_list && !list))
        status = mr_fail_memory(err, 0, "a path");
    else
        *found = (!has_list || mr_is_file(list)) && is_root(folder);
    if (*found) {
        *place = (mr_place){list, folder};
        return status;
    }
    free(folder);
    free(list);
    return status;
}

static mrcnn_status find_subset(mr_place *place, const char *path, const char *subset, int *found,
                                mrcnn_error *err) {
    static const char *const below[] = {"/stage1_train", ""};
    mrcnn_status status = try_root(place, mr_format("%s/%s", path, subset), NULL, 0, found, err);
    for (int i = 0; i < 2 && status == MRCNN_OK && !*found; i++)
        status = try_root(place, mr_format("%s%s", path, below[i]),
                          mr_format("%s/%s_ids.txt", path, subset), 1, found, err);
    return status;
}

static mrcnn_status find_png(mr_place *place, const char *path, const char *subset,
                             mrcnn_error *err) {
    int found = 0;
    mrcnn_status status = MRCNN_OK;
    if (!mr_is_folder(path)) return mr_nothing_here(path, err);
    if (!subset) status = try_root(place, mr_strdup(path), NULL, 0, &found, err);
    if (status == MRCNN_OK && !found)
        status = find_subset(place, path, subset ? subset : "train", &found, err);
    if (status == MRCNN_OK && !found && !subset)
        status = find_subset(place, path, "stage1_train", &found, err);
    if (status != MRCNN_OK) return status;
    return found ? MRCNN_OK : mr_nothing_here(path, err);
}

/* ------------------------------------------------------------------------------------- opening */

/* Masks as paths below masks/: object i has masks[objects[i].first]. */
typedef struct png_set {
    char *root; /* of the pictures' folders */
    mr_arena texts;
    const char **masks;
    size_t count, room;
} png_set;

typedef struct png_reader {
    mr_dataset *set;
    png_set *own;
    const char *root;
    mr_names names;
    int without_class; /* some masks are in no folder of a class */
} png_reader;

/* A mask of the picture at hand, on the way from the listing into the set. */
typedef struct mask_file {
    const char *folder, *name; /* of its class, NULL: none; of the file */
} mask_file;

typedef struct mask_files {
    mask_file *items;
    size_t count, room;
} mask_files;

static mrcnn_status add_files(mask_files *files, const mr_listing *names, const char *folder,
                              mrcnn_error *err) {
    if (!mr_dataset_grow((void **)&files->items, &files->room, files->count, names->count,
                         sizeof *files->items))
        return mr_fail_memory(err, names->count * sizeof *files->items, "masks of a picture");
    for (size_t i = 0; i < names->count; i++)
        if (mr_has_ending(names->names[i], ".png"))
            files->items[files->count++] = (mask_file){folder, names->names[i]};
    return MRCNN_OK;
}

/* By name; of equal names by class. So masks that are numbered keep their order, whatever their
 * classes. */
static int compare_files(const void *a, const void *b) {
    const mask_file *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : strcmp(x->folder ? x->folder : "", y->folder ? y->folder : "");
}

static int is_crowd(const char *name) {
    return mr_has_ending(name, "-crowd.png");
}

static mrcnn_status add_mask(png_reader *r, const mask_file *file, uint32_t index,
                             mrcnn_error *err) {
    png_set *own = r->own;
    mr_dataset *set = r->set;
    mr_object object = {.class_id = -1,
                        .region = index,
                        .outline = MR_OUTLINE_OWN,
                        .is_crowd = is_crowd(file->name)};
    size_t length = strlen(file->name) + (file->folder ? strlen(file->folder) + 1 : 0);
    if (file->folder) {
        object.class_id = mr_names_add(&r->names, file->folder);
        if (object.class_id < 0) return mr_fail_memory(err, strlen(file->folder), "class names");
        if (r->names.count > MOST_CLASSES)
            return mr_fail(err, MRCNN_E_FORMAT,
                           "%s: more than %d folders of classes; is \"%.60s\" a class?",
                           set->annotations, MOST_CLASSES, file->folder);
    } else {
        r->without_class = 1;
    }
    char *text = mr_arena_take(&own->texts, length + 1);
    if (!text || !mr_dataset_grow((void **)&own->masks, &own->room, own->count, 1, sizeof(char *)))
        return mr_fail_memory(err, length, "names of masks");
    snprintf(text, length + 1, "%s%s%s", file->folder ? file->folder : "", file->folder ? "/" : "",
             file->name);
    mrcnn_status status = mr_dataset_add_object(set, &object, NULL, err);
    if (status != MRCNN_OK) return status;
    set->objects[set->object_count - 1].first = own->count;
    own->masks[own->count++] = text;
    return MRCNN_OK;
}

/* masks/NAME.png and masks/CLASS/NAME.png. `listings` has room for those of the folder and of each
 * entry in it. */
static mrcnn_status list_masks(const char *masks, mr_listing *listings, mask_files *files,
                               mrcnn_error *err) {
    mrcnn_status status = add_files(files, &listings[0], NULL, err);
    for (size_t i = 0; i < listings[0].count && status == MRCNN_OK; i++) {
        const char *name = listings[0].names[i];
        char *folder = mr_has_ending(name, ".png") ? NULL : mr_format("%s/%s", masks, name);
        if (folder && mr_is_folder(folder)) {
            status = mr_list_folder(&listings[i + 1], folder, ".png", err);
            if (status == MRCNN_OK) status = add_files(files, &listings[i + 1], name, err);
        }
        free(folder);
    }
    return status;
}

static mrcnn_status add_masks(png_reader *r, const char *masks, mrcnn_error *err) {
    mr_listing top = {NULL, 0, 0}, *listings = NULL;
    mask_files files = {NULL, 0, 0};
    mrcnn_status status = mr_list_folder(&top, masks, NULL, err);
    size_t count = top.count;
    if (status == MRCNN_OK) {
        listings = mr_calloc(count + 1, sizeof *listings);
        if (!listings) status = mr_fail_memory(err, count * sizeof *listings, "masks of a picture");
    }
    if (status == MRCNN_OK) {
        listings[0] = top;
        status = list_masks(masks, listings, &files, err);
    }
    if (files.count) qsort(files.items, files.count, sizeof *files.items, compare_files);
    for (size_t i = 0; i < files.count && status == MRCNN_OK; i++)
        status = add_mask(r, &files.items[i], (uint32_t)i, err);
    for (size_t i = 1; listings && i <= count; i++) mr_listing_free(&listings[i]);
    mr_listing_free(&top);
    free(listings);
    free(files.items);
    return status;
}

/* ------------------------------------------------------------------------------------ pictures */

static mrcnn_status leave_out(png_reader *r, const char *id, const char *why, mrcnn_error *err) {
    r->set->pictures_left_out++;
    return mr_dataset_note(r->set, 1, id, -1, why, err);
}

/* A picture's id is its file name where that is the folder's, too; others need the folder's to be told
 * apart. */
static mrcnn_status add_found(png_reader *r, char *path, const char *folder, const char *masks,
                              mrcnn_error *err) {
    const char *below = path + strlen(r->root) + 1, *name = strrchr(path, '/') + 1;
    size_t length = strlen(folder);
    int is_named = strncmp(name, folder, length) == 0 && name[length] == '.';
    const char *id = is_named && mr_is_picture_name(name + length - 1) ? name : below;
    mrcnn_status status = mr_dataset_add_picture(r->set, path, id, err);
    if (status != MRCNN_OK) {
        free(path);
        return status;
    }
    return mr_is_folder(masks) ? add_masks(r, masks, err) : MRCNN_OK;
}

static mrcnn_status add_picture(png_reader *r, const char *id, mrcnn_error *err) {
    if (strchr(id, '/') || strcmp(id, "..") == 0 || strcmp(id, ".") == 0)
        return leave_out(r, id, "this is no name of a picture's folder", err);
    char *folder = mr_format("%s/%s", r->root, id), *masks = mr_format("%s/%s/masks", r->root, id);
    char *path = folder && masks ? find_picture(folder, id) : NULL;
    mrcnn_status status;
    if (!folder || !masks)
        status = mr_fail_memory(err, strlen(id), "a path");
    else if (path)
        status = add_found(r, path, id, masks, err);
    else
        status = leave_out(r, id,
                           mr_is_folder(folder)
                               ? "there is no picture of the folder's name in its images/"
                               : "there is no folder of this name",
                           err);
    free(masks);
    free(folder);
    return status;
}

/* Every folder, or those of a list. */
static mrcnn_status add_pictures(png_reader *r, const char *list, mrcnn_error *err) {
    mr_listing ids = {NULL, 0, 0};
    mrcnn_status status =
        list ? mr_read_lines(&ids, list, 0, err) : mr_list_folder(&ids, r->root, NULL, err);
    for (size_t i = 0; i < ids.count && status == MRCNN_OK; i++) {
        char *folder = mr_format("%s/%s", r->root, ids.names[i]);
        if (!folder) status = mr_fail_memory(err, strlen(r->root), "a path");
        if (folder && (list || mr_is_folder(folder))) status = add_picture(r, ids.names[i], err);
        free(folder);
    }
    mr_listing_free(&ids);
    return status;
}

/* ------------------------------------------------------------------------------------ the whole */

/* The sets of the Data Science Bowl are called after their stage. */
static char *name_source(const char *root) {
    char *name = mr_dataset_name_source(root);
    if (!name || strncmp(name, "stage1_", 7) != 0) return name;
    free(name);
    return mr_strdup("nucleus");
}

/* Beside folders of classes, the other masks need a name for theirs. */
static mrcnn_status name_the_rest(png_reader *r, mrcnn_error *err) {
    mr_dataset *set = r->set;
    if (r->names.count == 0 || !r->without_class) return MRCNN_OK;
    int id = mr_names_add(&r->names, set->source);
    if (id < 0) return mr_fail_memory(err, strlen(set->source), "class names");
    for (size_t i = 0; i < set->object_count; i++)
        if (set->objects[i].class_id < 0) set->objects[i].class_id = id;
    return MRCNN_OK;
}

static mrcnn_status fail_nothing(const mr_dataset *set, mrcnn_error *err) {
    return mr_dataset_fail_unusable(set, err, "%zu pictures were left out, %zu have no masks",
                                    set->pictures_left_out, set->without_objects);
}

static mrcnn_status read_set(png_reader *r, const char *list, const mrcnn_dataset_options *options,
                             mrcnn_error *err) {
    mr_dataset *set = r->set;
    set->annotations = mr_strdup(list ? list : r->root);
    set->source = options->source ? mr_strdup(options->source) : name_source(r->root);
    if (!set->annotations || !set->source) return mr_fail_memory(err, 0, "a data set's name");
    mrcnn_status status = add_pictures(r, list, err);
    if (status == MRCNN_OK) status = name_the_rest(r, err);
    if (status == MRCNN_OK) status = mr_dataset_finish(set, &r->names, options, err);
    if (status == MRCNN_OK && set->picture_count == 0) status = fail_nothing(set, err);
    return status;
}

static mrcnn_status open_png(mr_dataset *set, mr_place *place, const mrcnn_dataset_options *options,
                             mrcnn_error *err) {
    png_set *own = mr_calloc(1, sizeof *own);
    if (!own) return mr_fail_memory(err, sizeof *own, "a data set");
    set->own = own;
    own->root = place->folder;
    place->folder = NULL;
    png_reader r = {.set = set, .own = own, .root = own->root};
    mrcnn_status status = read_set(&r, place->file, options, err);
    mr_names_free(&r.names);
    return status;
}

static void close_png(mr_dataset *set) {
    png_set *own = set->own;
    if (!own) return;
    free(own->root);
    mr_arena_free(&own->texts);
    free(own->masks);
    free(own);
}

/* --------------------------------------------------------------------------------------- masks */

/* malloc'ed; NULL: no memory. */
static char *find_mask(const png_set *own, const mr_picture *picture, const mr_object *object) {
    const char *folder = picture->path + strlen(own->root) + 1;
    return mr_format("%s/%.*s/masks/%s", own->root, (int)strcspn(folder, "/"), folder,
                     own->masks[object->first]);
}

static mrcnn_status draw_png(const mr_masks *masks, size_t object, uint8_t *mask, int *class_id,
                             mrcnn_error *err) {
    const mr_dataset *set = masks->set;
    const mr_picture *picture = &set->pictures[masks->index];
    const mr_object *o = mr_dataset_object(set, masks->index, object);
    mr_labels labels = {0};
    char *path = find_mask(set->own, picture, o);
    mrcnn_status status = path ? mr_file_check_plain(path, err)
                               : mr_fail_memory(err, strlen(picture->path), "a path");
    if (status == MRCNN_OK) status = mr_labels_read(&labels, path, set->image.max_pixels, err);
    if (status == MRCNN_OK && (labels.height != masks->height || labels.width != masks->width))
        status =
            mr_fail(err, MRCNN_E_FORMAT,
                    "%s: the mask has %d x %d pixels, but its picture %s %d x %d: was one of "
                    "them resized or turned?",
                    path, labels.width, labels.height, picture->id, masks->width, masks->height);
    if (status == MRCNN_OK) mr_labels_to_mask(&labels, mask);
    *class_id = o->is_crowd ? -o->class_id : o->class_id;
    mr_labels_free(&labels);
    free(path);
    return status;
}

const mr_dataset_format mr_format_png = {
    .name = "png",
    .files = "a folder for each picture with images/ and masks/, one PNG for each object",
    .find = find_png,
    .open = open_png,
    .close = close_png,
    .read = mr_dataset_read_file,
    .draw = draw_png,
};
