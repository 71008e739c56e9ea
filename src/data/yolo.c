/* yolo.c - opening YOLO's data sets for segmentation: a text file for each picture, an object a line.
 * What can't be used is noted. */
#include "data/yolo.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/yolo_classes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST_LABELS = 64 << 20, LARGEST_LIST = 256 << 20, DEEPEST = 16 };

typedef struct yolo_reader {
    mr_dataset *set;
    char *root; /* everything is below it */
    mr_yolo_yaml yaml;
    mr_yolo_classes classes;
    mr_numbers numbers;
    const char *id_from; /* ids begin behind this folder's name ("images/train"), or are whole */
    size_t boxes, pictures, labels;
} yolo_reader;

/* -------------------------------------------------------------------------------------- labels */

static mrcnn_status leave_out(yolo_reader *r, const char *picture, uint32_t region, const char *why,
                              mrcnn_error *err) {
    r->set->objects_left_out++;
    return mr_dataset_note(r->set, 1, picture, region, why, err);
}

static mrcnn_status note_overhang(yolo_reader *r, const char *picture, uint32_t region,
                                  mrcnn_error *err) {
    char text[120];
    for (size_t i = 0; i < r->numbers.count; i++) {
        double v = r->numbers.values[i];
        if (v >= -0.01 && v <= 1.01) continue;
        snprintf(text, sizeof text, "a coordinate, %.6g, lies outside of 0 to 1: cut off", v);
        return mr_dataset_note(r->set, 0, picture, region, text, err);
    }
    return MRCNN_OK;
}

static mrcnn_status add_line(yolo_reader *r, const char *picture, uint32_t region, char *text,
                             mrcnn_error *err) {
    char why[MR_YOLO_WHY] = "";
    mr_yolo_line line;
    mr_object object = {.region = region, .outline = MR_OUTLINE_OWN};
    int result = mr_yolo_read_line(text, &line, &r->numbers, why);
    if (result == 0) return MRCNN_OK;
    if (result < 0) return leave_out(r, picture, region, why, err);
    object.count = (uint32_t)r->numbers.count;
    object.class_id = mr_yolo_class(&r->classes, line.number);
    if (object.class_id == -2) return mr_fail_memory(err, 0, "class names");
    if (object.class_id < 0) {
        snprintf(why, sizeof why, "class %d is none of the %zu that have names (0 to %zu)",
                 line.number, r->classes.count, r->classes.count - 1);
        return leave_out(r, picture, region, why, err);
    }
    r->boxes += (size_t)line.is_box;
    mrcnn_status status = note_overhang(r, picture, region, err);
    return status == MRCNN_OK ? mr_dataset_add_object(r->set, &object, r->numbers.values, err)
                              : status;
}

static mrcnn_status add_lines(yolo_reader *r, const char *picture, char *text, size_t length,
                              mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    if (strlen(text) != length)
        return mr_dataset_note(r->set, 1, picture, -1, "its label file is no text: it has 0 bytes",
                               err);
    uint32_t region = 0;
    for (char *line = text; *line && status == MRCNN_OK; region++) {
        char *end = line + strcspn(line, "\n"), *next = *end ? end + 1 : end;
        *end = 0;
        status = add_line(r, picture, region, line, err);
        line = next;
    }
    return status;
}

/* The last picture's; one without a file has no objects. */
static mrcnn_status read_labels(yolo_reader *r, const char *picture, const char *path,
                                mrcnn_error *err) {
    mrcnn_error broken = MRCNN_ERROR_INIT;
    void *text = NULL;
    size_t length = 0;
    if (!mr_is_file(path)) return MRCNN_OK;
    r->labels++;
    mrcnn_status status = mr_file_read(path, LARGEST_LABELS, &text, &length, &broken);
    if (status == MRCNN_E_MEMORY) return mr_fail(err, status, "%s", broken.message);
    if (status != MRCNN_OK) return mr_dataset_note(r->set, 1, picture, -1, broken.message, err);
    status = add_lines(r, picture, text, length, err);
    free(text);
    return status;
}

/* ------------------------------------------------------------------------------------ pictures */

/* `name` is below the root. */
static mrcnn_status add_picture(yolo_reader *r, const char *name, mrcnn_error *err) {
    char *label_name = mr_yolo_label_name(name);
    char *path = mr_format("%s/%s", r->root, name);
    char *labels = label_name ? mr_format("%s/%s", r->root, label_name) : NULL;
    size_t skipped = r->id_from ? strlen(r->id_from) + 1 : 0;
    mrcnn_status status = MRCNN_OK;
    r->pictures++;
    if (!path || !labels)
        status = mr_fail_memory(err, strlen(name), "a path");
    else
        status = mr_dataset_add_picture(r->set, path, path + strlen(r->root) + 1 + skipped, err);
    if (status == MRCNN_OK) {
        const char *id = r->set->pictures[r->set->picture_count - 1].id;
        path = NULL; /* the set's now */
        status = read_labels(r, id, labels, err);
    }
    free(path);
    free(label_name);
    free(labels);
    return status;
}

static int is_real_folder(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode); /* a link might lead in a circle */
}

static mrcnn_status read_folder(yolo_reader *r, const char *name, int depth, mrcnn_error *err);

static mrcnn_status read_entry(yolo_reader *r, const char *name, int depth, mrcnn_error *err) {
    if (mr_is_picture_name(name)) return add_picture(r, name, err);
    if (mr_has_ending(name, ".txt") || depth >= DEEPEST) return MRCNN_OK;
    char *path = mr_format("%s/%s", r->root, name);
    int is_folder = path && is_real_folder(path);
    free(path);
    return is_folder ? read_folder(r, name, depth + 1, err) : MRCNN_OK;
}

/* The label files without a picture in the folder. */
static void find_lonely(const mr_listing *labels, const char *pictures, size_t *count,
                        size_t *first) {
    for (size_t i = 0; i < labels->count; i++) {
        char *stem = mr_stem(labels->names[i]);
        char *picture = stem ? mr_find_picture(pictures, stem) : NULL;
        if (!picture && strcmp(labels->names[i], "classes.txt") != 0 && (*count)++ == 0) *first = i;
        free(stem);
        free(picture);
    }
}

/* `read` of them were read: only when there are more, it is worth a look which. */
static mrcnn_status note_lonely(yolo_reader *r, const char *folder, size_t read, mrcnn_error *err) {
    mr_listing listing = {NULL, 0, 0};
    size_t lonely = 0, first = 0;
    char text[300];
    char *below = mr_yolo_label_folder(folder), *pictures = mr_format("%s/%s", r->root, folder);
    char *labels = below ? mr_format("%s/%s", r->root, below) : NULL;
    mrcnn_status status = MRCNN_OK;
    if (!labels || !pictures)
        status = mr_fail_memory(err, strlen(folder), "a path");
    else if (mr_is_folder(labels))
        status = mr_list_folder(&listing, labels, ".txt", err);
    if (listing.count > read) find_lonely(&listing, pictures, &lonely, &first);
    if (lonely) {
        snprintf(text, sizeof text, "%zu label files have no picture; the first is %.200s", lonely,
                 listing.names[first]);
        status = mr_dataset_note(r->set, 1, "", -1, text, err);
        r->set->pictures_left_out += lonely;
    }
    mr_listing_free(&listing);
    free(below);
    free(labels);
    free(pictures);
    return status;
}

static mrcnn_status read_folder(yolo_reader *r, const char *folder, int depth, mrcnn_error *err) {
    mr_listing listing = {NULL, 0, 0};
    size_t before = r->labels;
    char *path = mr_format("%s/%s", r->root, folder);
    if (!path) return mr_fail_memory(err, strlen(folder), "a path");
    mrcnn_status status = mr_list_folder(&listing, path, NULL, err);
    free(path);
    for (size_t i = 0; i < listing.count && status == MRCNN_OK; i++) {
        char *name = strcmp(folder, ".") == 0 ? mr_strdup(listing.names[i])
                                              : mr_format("%s/%s", folder, listing.names[i]);
        status = name ? read_entry(r, name, depth, err) : mr_fail_memory(err, 0, "a path");
        free(name);
    }
    mr_listing_free(&listing);
    return status == MRCNN_OK ? note_lonely(r, folder, r->labels - before, err) : status;
}

/* ----------------------------------------------------------------------------------- data.yaml */

/* Lists of pictures have their names from the data set's folder. */
static mrcnn_status read_listed(yolo_reader *r, const char *line, mrcnn_error *err) {
    char name[1024];
    double bytes;
    while (strncmp(line, "./", 2) == 0) line += 2;
    size_t length = strlen(line);
    while (length && (unsigned char)line[length - 1] <= ' ') length--;
    if (length == 0) return MRCNN_OK;
    snprintf(name, sizeof name, "%.*s", length < sizeof name ? (int)length : 0, line);
    char *path = mr_format("%s/%s", r->root, name);
    if (!path) return mr_fail_memory(err, length, "a path");
    const char *why = mr_judge_picture(name, path, &bytes);
    free(path);
    if (!why) return add_picture(r, name, err);
    r->set->pictures_left_out++;
    return mr_dataset_note(r->set, 1, name, -1, why, err);
}

static mrcnn_status read_list(yolo_reader *r, const char *path, mrcnn_error *err) {
    void *text = NULL;
    size_t length = 0;
    mrcnn_status status = mr_file_read(path, LARGEST_LIST, &text, &length, err);
    for (char *line = text; status == MRCNN_OK && *line;) {
        char *end = line + strcspn(line, "\n"), *next = *end ? end + 1 : end;
        *end = 0;
        status = read_listed(r, line, err);
        line = next;
    }
    free(text);
    return status;
}

/* Without what leads out of the folder, as "../train/images" in files that Roboflow writes. */
static char *keep_inside(const char *name) {
    while (strncmp(name, "./", 2) == 0 || strncmp(name, "../", 3) == 0 || *name == '/') {
        if (*name == '/') return mr_strdup("");
        name += strspn(name, ".") + 1;
    }
    if (strstr(name, "/../") || mr_has_ending(name, "/..") || strcmp(name, "..") == 0)
        return mr_strdup("");
    char *kept = mr_strdup(name);
    size_t length = kept ? strlen(kept) : 0;
    while (length && kept[length - 1] == '/') kept[--length] = 0;
    return kept;
}

static mrcnn_status note_missing(yolo_reader *r, const char *name, mrcnn_error *err) {
    char text[300];
    snprintf(text, sizeof text,
             "there is no folder or list of pictures \"%.200s\" in the data set's folder", name);
    return mr_dataset_note(r->set, 1, "", -1, text, err);
}

static mrcnn_status read_source(yolo_reader *r, const char *said, int is_only, mrcnn_error *err) {
    char *name = keep_inside(said);
    char *path = name ? mr_format("%s/%s", r->root, name) : NULL;
    mrcnn_status status = MRCNN_OK;
    r->id_from = is_only && name && strcmp(name, ".") != 0 ? name : NULL;
    if (!path) {
        status = mr_fail_memory(err, strlen(said), "a path");
    } else if (*name && mr_is_folder(path)) {
        status = read_folder(r, name, 0, err);
    } else if (*name && mr_is_file(path)) {
        r->id_from = NULL;
        status = read_list(r, path, err);
    } else {
        status = note_missing(r, said, err);
    }
    r->id_from = NULL;
    free(name);
    free(path);
    return status;
}

/* The data set's folder: data.yaml's, or what its path says, if that is in there. */
static mrcnn_status find_root(yolo_reader *r, const char *folder, mrcnn_error *err) {
    const char *said = r->yaml.root;
    char *inside = said ? keep_inside(said) : mr_strdup("");
    char *path = inside && *inside ? mr_format("%s/%s", folder, inside) : NULL;
    mrcnn_status status = MRCNN_OK;
    int is_inside = path && mr_is_folder(path);
    r->root = is_inside ? path : mr_strdup(folder);
    if (!is_inside) free(path);
    free(inside);
    if (!r->root) return mr_fail_memory(err, strlen(folder), "a path");
    if (said && *said && !is_inside && strcmp(said, ".") != 0) {
        char text[300];
        snprintf(text, sizeof text,
                 "path: \"%.150s\" is no folder beside it: pictures are looked for in its own "
                 "folder",
                 said);
        status = mr_dataset_note(r->set, 0, "", -1, text, err);
    }
    return status;
}

static mrcnn_status read_by_yaml(yolo_reader *r, const mr_place *place, const char *subset,
                                 mrcnn_error *err) {
    mrcnn_status status = mr_yolo_read_yaml(&r->yaml, place->file, subset, err);
    if (status == MRCNN_OK) status = find_root(r, place->folder, err);
    if (status == MRCNN_OK) status = mr_yolo_take_names(&r->classes, &r->yaml, err);
    if (status != MRCNN_OK) return status;
    const mr_listing *sources = &r->yaml.subsets;
    if (sources->count == 0)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: it has no pictures for the subset \"%s\"",
                       place->file, mr_yolo_subset_key(subset));
    for (size_t i = 0; i < sources->count && status == MRCNN_OK; i++)
        status = read_source(r, sources->names[i], sources->count == 1, err);
    return status;
}

/* ---------------------------------------------------------------------------- without data.yaml */

/* Names may lie in the folder, or in those around it. */
static mrcnn_status find_names_above(yolo_reader *r, char *folder, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    for (char *slash = folder; slash && status == MRCNN_OK;) {
        char *path = mr_format("%s/%s", r->root, folder);
        status = path ? mr_yolo_read_names(&r->classes, path, err)
                      : mr_fail_memory(err, strlen(folder), "a path");
        free(path);
        slash = strrchr(folder, '/');
        if (slash) *slash = 0;
    }
    return status;
}

static mrcnn_status find_names(yolo_reader *r, const char *pictures, mrcnn_error *err) {
    char *folders[2] = {mr_strdup(pictures), mr_yolo_label_folder(pictures)};
    mrcnn_status status = mr_yolo_read_names(&r->classes, r->root, err);
    for (int i = 0; i < 2 && status == MRCNN_OK; i++)
        status = folders[i] ? find_names_above(r, folders[i], err)
                            : mr_fail_memory(err, strlen(pictures), "a path");
    free(folders[0]);
    free(folders[1]);
    return status;
}

static mrcnn_status read_by_layout(yolo_reader *r, const mr_place *place, const char *subset,
                                   mrcnn_error *err) {
    r->root = mr_strdup(place->folder);
    char *pictures = r->root ? mr_yolo_find_pictures(r->root, subset) : NULL;
    mrcnn_status status = pictures ? find_names(r, pictures, err)
                                   : mr_fail_memory(err, strlen(place->folder), "a path");
    if (status == MRCNN_OK) status = read_source(r, pictures, 1, err);
    free(pictures);
    return status;
}

/* ------------------------------------------------------------------------------------- opening */

static mrcnn_status note_boxes(yolo_reader *r, mrcnn_error *err) {
    char text[160];
    if (r->boxes == 0) return MRCNN_OK;
    snprintf(text, sizeof text,
             "%zu objects are boxes (lines with 5 numbers), not outlines: their masks are "
             "rectangles",
             r->boxes);
    return mr_dataset_note(r->set, 0, "", -1, text, err);
}

static mrcnn_status fail_nothing(const yolo_reader *r, mrcnn_error *err) {
    return mr_dataset_fail_unusable(
        r->set, err, "of %zu pictures %zu have a label file; %zu objects were left out",
        r->pictures, r->labels, r->set->objects_left_out);
}

static mrcnn_status read_annotations(yolo_reader *r, const mr_place *place,
                                     const mrcnn_dataset_options *options, mrcnn_error *err) {
    mr_dataset *set = r->set;
    set->source =
        options->source ? mr_strdup(options->source) : mr_dataset_name_source(place->folder);
    set->annotations = mr_strdup(place->file ? place->file : place->folder);
    if (!set->source || !set->annotations)
        return mr_fail_memory(err, strlen(place->folder), "the data set's name");
    mrcnn_status status = place->file ? read_by_yaml(r, place, options->subset, err)
                                      : read_by_layout(r, place, options->subset, err);
    if (status == MRCNN_OK) status = note_boxes(r, err);
    if (status == MRCNN_OK) status = mr_yolo_finish(set, &r->classes, options, err);
    if (status == MRCNN_OK && set->picture_count == 0) status = fail_nothing(r, err);
    return status;
}

mrcnn_status mr_yolo_open(mr_dataset *set, mr_place *place, const mrcnn_dataset_options *options,
                          mrcnn_error *err) {
    yolo_reader r = {.set = set};
    mrcnn_status status = read_annotations(&r, place, options, err);
    mr_yolo_yaml_free(&r.yaml);
    mr_yolo_classes_free(&r.classes);
    free(r.root);
    free(r.numbers.values);
    return status;
}
