/* write_png.c - writes a PNG for each object, in the folders of matterport's nucleus.py. Masks lie in
 * folders of their classes, unless the only class is the one that reading gives to masks without. */
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/place.h"
#include "data/write_files.h"
#include "image/label_png.h"

#include <stdlib.h>
#include <string.h>

typedef struct png_writer {
    char **folders; /* of each class, with a slash behind; "" for none */
    int count;
    mr_listing made; /* folders of masks */
    int is_done;
} png_writer;

/* One folder a picture: no folders in its name. malloc'ed. */
static char *flat_name(const char *file) {
    char *name = mr_without_ending(file);
    for (char *c = name; c && *c; c++)
        if (*c == '/') *c = '_';
    return name;
}

static char *picture_folder(const mr_writing *w, const mr_written_picture *picture) {
    char *name = flat_name(picture->file);
    char *folder = name ? mr_format("%s/%s/images", w->subset, name) : NULL;
    free(name);
    return folder;
}

static char *class_folder(const mr_writing *w, int class_id) {
    const char *name = w->class_names[class_id];
    char *folder = *name ? mr_format("%s/", name) : mr_format("class %d/", class_id);
    if (!folder) return NULL;
    size_t length = strlen(folder) - 1;
    for (size_t i = 0; i < length; i++)
        if (folder[i] == '/' || (i == 0 && folder[i] == '.')) folder[i] = '_';
    /* A folder with a mask's ending would be taken for one. */
    if (length > 4 && mr_has_ending(name, ".png")) folder[length - 4] = '_';
    if (strncmp(folder, name, length) != 0 || !*name)
        w->lose(w->user, "class names that make no name of a folder");
    return folder;
}

static mrcnn_status begin(mr_writing *w, mrcnn_error *err) {
    png_writer *own = mr_calloc(1, sizeof *own);
    w->own = own;
    char *usual = mr_dataset_name_source(w->folder);
    if (own) own->folders = mr_calloc((size_t)w->class_count, sizeof *own->folders);
    int is_usual = usual && w->class_count == 2 && strcmp(w->class_names[1], usual) == 0;
    free(usual);
    if (!usual || !own || !own->folders) return mr_fail_memory(err, sizeof *own, "folders");
    for (own->count = 1; own->count < w->class_count; own->count++) {
        char *folder = is_usual ? mr_strdup("") : class_folder(w, own->count);
        if (!folder) return mr_fail_memory(err, sizeof *own, "folders");
        own->folders[own->count] = folder;
    }
    return MRCNN_OK;
}

static mrcnn_status write_mask(const mr_writing *w, const char *masks,
                               const mr_written_object *object, size_t index, mr_labels *labels,
                               mrcnn_error *err) {
    const png_writer *own = w->own;
    size_t count = (size_t)labels->height * (size_t)labels->width;
    char *path = mr_format("%s/%s%04zu%s.png", masks, own->folders[object->class_id], index,
                           object->is_crowd ? "-crowd" : "");
    if (!path) return mr_fail_memory(err, strlen(masks), "a path");
    mrcnn_mask_to_bytes(&object->mask, labels->pixels);
    for (size_t i = 0; i < count; i++) labels->pixels[i] = labels->pixels[i] ? 255 : 0;
    mrcnn_status status = mr_make_folder_of(path, err);
    if (status == MRCNN_OK) status = mr_labels_write(labels, path, err);
    free(path);
    return status;
}

static mrcnn_status write_masks(mr_writing *w, const mr_written_picture *picture, const char *masks,
                                mrcnn_error *err) {
    mr_labels labels = {.height = picture->height, .width = picture->width, .bytes = 1};
    size_t pixels;
    png_writer *own = w->own;
    mrcnn_status status = mr_made_add(&own->made, masks, err);
    if (status == MRCNN_OK) status = mr_make_directories(masks, err);
    if (status != MRCNN_OK) return status;
    if (!mr_mul_size((size_t)labels.height, (size_t)labels.width, &pixels)) pixels = SIZE_MAX;
    labels.pixels = pixels < PTRDIFF_MAX ? malloc(pixels) : NULL;
    if (!labels.pixels) return mr_fail_memory(err, pixels, "a mask");
    for (size_t i = 0; i < picture->count && status == MRCNN_OK; i++)
        status = write_mask(w, masks, &picture->objects[i], i, &labels, err);
    mr_labels_free(&labels);
    return status;
}

static mrcnn_status add(mr_writing *w, const mr_written_picture *picture, mrcnn_error *err) {
    char *name = flat_name(picture->file);
    char *masks = name ? mr_format("%s/%s/%s/masks", w->folder, w->subset, name) : NULL;
    mrcnn_status status = masks ? write_masks(w, picture, masks, err)
                                : mr_fail_memory(err, strlen(picture->file), "a path");
    free(masks);
    free(name);
    return status;
}

static mrcnn_status end(mr_writing *w, mrcnn_error *err) {
    png_writer *own = w->own;
    (void)err;
    own->is_done = 1;
    return MRCNN_OK;
}

static void close_png(mr_writing *w) {
    png_writer *own = w->own;
    if (!own) return;
    mr_made_free(&own->made, own->is_done ? NULL : w->folder);
    for (int i = 0; own->folders && i < own->count; i++) free(own->folders[i]);
    free(own->folders);
    free(own);
}

const mr_dataset_writer mr_writer_png = {
    .name = "png",
    .picture_folder = picture_folder,
    .begin = begin,
    .add = add,
    .end = end,
    .close = close_png,
};
