/* write_yolo.c - YOLO's labels for segmentation: images/SUBSET, labels/SUBSET with a text file for
 * each picture, and data.yaml with the classes and all subsets. */
#include "data/writer.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"
#include "data/raster.h"
#include "data/text_file.h"
#include "data/write.h"
#include "data/write_files.h"
#include "data/write_outline.h"
#include "data/yolo_classes.h"

#include <stdlib.h>
#include <string.h>

typedef struct yolo_writer {
    char **classes; /* names by number: those of data.yaml, if there is one, come first */
    size_t class_count;
    int *numbers;     /* of our classes */
    mr_names written; /* label files, below the data set's folder */
    mr_numbers xy;    /* a polygon as it will be read */
    uint8_t *mask;
    size_t mask_room;
    int is_done;
} yolo_writer;

static char *picture_folder(const mr_writing *w, const mr_written_picture *picture) {
    (void)picture;
    return mr_format("images/%s", w->subset);
}

/* ------------------------------------------------------------------------------------- classes */

static mrcnn_status add_class(yolo_writer *yw, const char *name, mrcnn_error *err) {
    char **larger = mr_realloc(yw->classes, yw->class_count + 1, sizeof *larger);
    if (larger) yw->classes = larger;
    char *copy = larger ? mr_strdup(name) : NULL;
    if (!copy) return mr_fail_memory(err, strlen(name), "class names");
    yw->classes[yw->class_count++] = copy;
    return MRCNN_OK;
}

/* Another subset's classes keep their numbers. */
static mrcnn_status read_classes(const mr_writing *w, mrcnn_error *err) {
    yolo_writer *yw = w->own;
    mr_yolo_yaml yaml = {0};
    char *path = mr_format("%s/data.yaml", w->folder), number[40];
    if (!path) return mr_fail_memory(err, strlen(w->folder), "a path");
    int is_there = mr_is_file(path);
    mrcnn_status status = is_there ? mr_yolo_read_yaml(&yaml, path, NULL, err) : MRCNN_OK;
    if (status == MRCNN_OK && is_there && !yaml.is_yolo)
        status = mr_fail(err, MRCNN_E_ARGUMENT,
                         "%s: is there already, and is not about YOLO's classes and subsets: give "
                         "another folder",
                         path);
    for (size_t i = 0; i < yaml.name_count && status == MRCNN_OK; i++) {
        snprintf(number, sizeof number, "class %zu", i);
        status = add_class(yw, yaml.names[i] ? yaml.names[i] : number, err);
    }
    mr_yolo_yaml_free(&yaml);
    free(path);
    return status;
}

/* As data.yaml can say it. */
static void fit_name(const mr_writing *w, int class_id, char name[MR_CLASS_TEXT]) {
    const char *given = w->class_names[class_id];
    if (!mr_tidy_name(given, name) || !*name)
        snprintf(name, MR_CLASS_TEXT, "class %d", class_id - 1);
    if (strcmp(name, given) != 0)
        w->lose(w->user, "class names with blanks at their ends, or of more than 200 bytes");
}

static mrcnn_status number_classes(const mr_writing *w, mrcnn_error *err) {
    yolo_writer *yw = w->own;
    mrcnn_status status = MRCNN_OK;
    yw->numbers = mr_calloc((size_t)w->class_count, sizeof *yw->numbers);
    if (!yw->numbers) return mr_fail_memory(err, (size_t)w->class_count, "class names");
    for (int i = 1; i < w->class_count && status == MRCNN_OK; i++) {
        char name[MR_CLASS_TEXT];
        size_t k = 0;
        if (!mr_yolo_is_utf8(w->class_names[i]))
            return mr_fail(err, MRCNN_E_FORMAT, "class %d: its name is not UTF-8: change it first",
                           i);
        fit_name(w, i, name);
        while (k < yw->class_count && strcmp(yw->classes[k], name) != 0) k++;
        if (k == yw->class_count) status = add_class(yw, name, err);
        yw->numbers[i] = (int)k;
    }
    return status;
}

static mrcnn_status begin(mr_writing *w, mrcnn_error *err) {
    w->own = mr_calloc(1, sizeof(yolo_writer));
    if (!w->own) return mr_fail_memory(err, sizeof(yolo_writer), "a data set");
    mrcnn_status status = read_classes(w, err);
    return status == MRCNN_OK ? number_classes(w, err) : status;
}

/* ------------------------------------------------------------------------------------- objects */

/* Whether the polygon is filled to the mask after its coordinates were divided and multiplied. */
static mrcnn_status comes_back(yolo_writer *yw, const mr_written_picture *picture,
                               const mr_written_object *object, const mr_polygon_list *polygon,
                               int *same, mrcnn_error *err) {
    int32_t size[2] = {picture->width, picture->height};
    mrcnn_mask drawn = {0};
    yw->xy.count = 0;
    for (size_t i = 0; i < 2 * polygon->points[0]; i++)
        if (!mr_numbers_add(&yw->xy, mr_yolo_to_pixels(polygon->xy[i] / size[i % 2], size[i % 2])))
            return mr_fail_memory(err, i, "a polygon");
    mr_fill_polygon(yw->xy.values, polygon->points[0], size[1], size[0], yw->mask);
    mrcnn_status status = mrcnn_mask_from_bytes(&drawn, yw->mask, size[1], size[0], err);
    if (status != MRCNN_OK) return status;
    *same = drawn.count == object->mask.count &&
            memcmp(drawn.counts, object->mask.counts, drawn.count * sizeof *drawn.counts) == 0;
    mrcnn_mask_free(&drawn);
    return MRCNN_OK;
}

/* Too far out for the reader, which takes such numbers for pixels. */
static int lies_far_out(const mr_written_picture *picture, const mr_polygon_list *polygon) {
    for (size_t i = 0; i < 2 * polygon->points[0]; i++) {
        double part = polygon->xy[i] / (i % 2 ? picture->height : picture->width);
        if (part < -1 || part > 2) return 1;
    }
    return 0;
}

static mrcnn_status put_object(const mr_writing *w, FILE *file, const mr_written_picture *picture,
                               const mr_written_object *object, mrcnn_error *err) {
    yolo_writer *yw = w->own;
    mr_written_outline outline;
    int same = 1;
    mrcnn_status status = mr_written_outline_open(&outline, object, 1, err);
    if (status == MRCNN_OK && outline.polygons == &object->polygons) {
        same = !lies_far_out(picture, outline.polygons);
        if (same) status = comes_back(yw, picture, object, outline.polygons, &same, err);
    }
    if (status == MRCNN_OK && !same) status = mr_written_outline_trace(&outline, object, err);
    if (status == MRCNN_OK) {
        const mr_polygon_list *polygon = outline.polygons;
        fprintf(file, "%d", yw->numbers[object->class_id]);
        for (size_t i = 0; i < 2 * polygon->points[0]; i++) {
            char number[MR_NUMBER_TEXT];
            mr_number_print(polygon->xy[i] / (i % 2 ? picture->height : picture->width), number);
            fprintf(file, " %s", number);
        }
        fputc('\n', file);
    }
    mr_written_outline_close(&outline);
    return status;
}

/* ------------------------------------------------------------------------------------ pictures */

/* The label file's name, which must not be another picture's. */
static mrcnn_status name_labels(const mr_writing *w, const mr_written_picture *picture, char **path,
                                mrcnn_error *err) {
    yolo_writer *yw = w->own;
    char *below = mr_format("images/%s/%s", w->subset, picture->file);
    char *name = below ? mr_yolo_label_name(below) : NULL;
    mrcnn_status status = MRCNN_OK;
    *path = name ? mr_format("%s/%s", w->folder, name) : NULL;
    if (!*path)
        status = mr_fail_memory(err, strlen(picture->file), "a path");
    else if (mr_names_find(&yw->written, name) >= 0)
        status = mr_fail(err, MRCNN_E_ARGUMENT,
                         "%s: its labels would be in %s, which belongs to another picture: rename "
                         "one of them",
                         picture->file, name);
    else
        status = mr_check_new(*path, err);
    if (status == MRCNN_OK && mr_names_add(&yw->written, name) < 0)
        status = mr_fail_memory(err, strlen(name), "names of files");
    free(below);
    free(name);
    return status;
}

static mrcnn_status add(mr_writing *w, const mr_written_picture *picture, mrcnn_error *err) {
    yolo_writer *yw = w->own;
    mr_text_file file = {NULL, NULL, NULL};
    char *path = NULL;
    mrcnn_status status = name_labels(w, picture, &path, err);
    if (status != MRCNN_OK) {
        free(path);
        return status;
    }
    status = mr_text_file_open(&file, path, err);
    if (status == MRCNN_OK)
        status = mr_scratch_mask(&yw->mask, &yw->mask_room, picture->height, picture->width, err);
    for (size_t i = 0; i < picture->count && status == MRCNN_OK; i++) {
        if (picture->objects[i].is_crowd)
            w->lose(w->user, "crowds, which are left out");
        else
            status = put_object(w, file.stream, picture, &picture->objects[i], err);
    }
    if (status == MRCNN_OK) return mr_text_file_finish(&file, 0, err);
    mr_text_file_close(&file);
    return status;
}

/* ----------------------------------------------------------------------------------- data.yaml */

/* In double quotes, in which YAML takes anything. */
static void put_quoted(FILE *file, const char *text) {
    fputc('"', file);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7F)
            fprintf(file, "\\x%02X", c);
        else
            fprintf(file, c == '"' || c == '\\' ? "\\%c" : "%c", c);
    }
    fputc('"', file);
}

static void put_subset(FILE *file, const char *subset) {
    char *folder = mr_format("images/%s", subset);
    put_quoted(file, mr_yolo_subset_key(subset));
    fputs(": ", file);
    put_quoted(file, folder ? folder : "");
    fputc('\n', file);
    free(folder);
}

/* All subsets that are there, with the one that was written. */
static mrcnn_status put_subsets(const mr_writing *w, FILE *file, mrcnn_error *err) {
    mr_listing listing = {NULL, 0, 0};
    char *images = mr_format("%s/images", w->folder);
    mrcnn_status status = images ? MRCNN_OK : mr_fail_memory(err, 0, "a path");
    if (images && mr_is_folder(images)) status = mr_list_folder(&listing, images, NULL, err);
    put_subset(file, w->subset);
    for (size_t i = 0; i < listing.count && status == MRCNN_OK; i++) {
        char *path = mr_format("%s/%s", images, listing.names[i]);
        if (!path) status = mr_fail_memory(err, 0, "a path");
        if (path && mr_is_folder(path) && strcmp(listing.names[i], w->subset) != 0)
            put_subset(file, listing.names[i]);
        free(path);
    }
    mr_listing_free(&listing);
    free(images);
    return status;
}

static mrcnn_status end(mr_writing *w, mrcnn_error *err) {
    yolo_writer *yw = w->own;
    mr_text_file file;
    mrcnn_status status = mr_text_file_open(&file, mr_format("%s/data.yaml", w->folder), err);
    if (status != MRCNN_OK) return status;
    fputs("# Folders of pictures; their labels are in labels instead of images.\n", file.stream);
    status = put_subsets(w, file.stream, err);
    fputs("\n# Outlines run along the middles of pixels: 0 is the first one's.\nnames:\n",
          file.stream);
    for (size_t i = 0; i < yw->class_count; i++) {
        fprintf(file.stream, "  %zu: ", i);
        put_quoted(file.stream, yw->classes[i]);
        fputc('\n', file.stream);
    }
    if (status == MRCNN_OK) status = mr_text_file_finish(&file, 1, err);
    mr_text_file_close(&file);
    yw->is_done = status == MRCNN_OK;
    return status;
}

/* Half a data set is none: its files go, as its pictures do. */
static void close_writer(mr_writing *w) {
    yolo_writer *yw = w->own;
    if (!yw) return;
    for (size_t i = 0; !yw->is_done && i < yw->written.count; i++) {
        char *path = mr_format("%s/%s", w->folder, yw->written.items[i].text);
        if (path) mr_take_away(path, w->folder);
        free(path);
    }
    for (size_t i = 0; i < yw->class_count; i++) free(yw->classes[i]);
    free(yw->classes);
    free(yw->numbers);
    mr_names_free(&yw->written);
    free(yw->xy.values);
    free(yw->mask);
    free(yw);
    w->own = NULL;
}

const mr_dataset_writer mr_writer_yolo = {"yolo", picture_folder, begin, add, end, close_writer};
