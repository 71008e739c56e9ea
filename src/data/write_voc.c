/* write_voc.c - writes Pascal VOC's folders. The pictures of each subset lie in a folder of their
 * own, which their names in the list begin with: so subsets can't get in each other's way, and what
 * joins folder and name, as VOC's readers do, finds them. */
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/paint.h"
#include "data/voc.h"
#include "data/write_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *picture_folder(const mr_writing *w, const mr_written_picture *picture) {
    (void)picture;
    return mr_format("JPEGImages/%s", w->subset);
}

typedef struct voc_writer {
    char *label_map;
    mr_text classes, list; /* of pictures */
    mr_listing made;
    int is_done;
} voc_writer;

/* CVAT's list of classes with their colours. */
static void describe_classes(const mr_writing *w, mr_text *text) {
    mr_text_add(text, "# label:color_rgb:parts:actions\nbackground:0,0,0::\n");
    for (int i = 1; i < w->class_count; i++) {
        char color[40];
        uint32_t rgb = mr_voc_color(i);
        snprintf(color, sizeof color, ":%u,%u,%u::\n", rgb >> 16, rgb >> 8 & 255, rgb & 255);
        mr_text_add_class(text, w, i, '#');
        mr_text_add(text, color);
    }
}

/* Before anything is written: labels of other classes may be there. */
static mrcnn_status begin(mr_writing *w, mrcnn_error *err) {
    if (w->class_count - 1 >= MR_VOC_VOID)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "%s: VOC's folders hold 254 classes, not %d: choose another format",
                       w->folder, w->class_count - 1);
    voc_writer *own = mr_calloc(1, sizeof *own);
    w->own = own;
    if (own) own->label_map = mr_format("%s/labelmap.txt", w->folder);
    if (!own || !own->label_map) return mr_fail_memory(err, sizeof *own, "a writer");
    describe_classes(w, &own->classes);
    return mr_text_check_shared(&own->classes, own->label_map, err);
}

/* Objects are numbered from 1. What can't have a number is void: nobody knows what is there. */
static void choose_values(const mr_writing *w, const mr_written_picture *picture,
                          const mr_painting *painting, uint16_t *objects, uint16_t *classes) {
    uint16_t number = 0;
    for (size_t i = 0; i < picture->count; i++) {
        const mr_written_object *object = &picture->objects[i];
        if (painting->visible[i] == 0) continue;
        objects[i] = classes[i] = MR_VOC_VOID;
        if (object->is_crowd) {
            w->lose(w->user, "crowds, whose pixels become void");
        } else if (number + 1 >= MR_VOC_VOID) {
            w->lose(w->user, "objects in one picture beyond the 254th, whose pixels become void");
        } else {
            objects[i] = ++number;
            classes[i] = (uint16_t)object->class_id;
        }
    }
}

/* Blanks at the ends of a line would be lost. */
static void list_picture(mr_text *list, const char *subset, const char *name) {
    size_t length = strlen(name);
    const char *quote = length && (name[length - 1] == ' ' || name[length - 1] == '"') ? "\"" : "";
    const char *const parts[] = {quote, subset, "/", name, quote, "\n"};
    for (int i = 0; i < 6; i++) mr_text_add(list, parts[i]);
}

static mrcnn_status write_both(mr_writing *w, const mr_painting *painting, const char *name,
                               uint16_t *const values[2], mrcnn_error *err) {
    static const char *const kinds[] = {"Object", "Class"};
    voc_writer *own = w->own;
    mrcnn_status status = MRCNN_OK;
    for (int i = 0; i < 2 && status == MRCNN_OK; i++) {
        char *path = mr_format("%s/Segmentation%s/%s/%s.png", w->folder, kinds[i], w->subset, name);
        status =
            path ? mr_made_add(&own->made, path, err) : mr_fail_memory(err, strlen(name), "a path");
        if (status == MRCNN_OK) status = mr_painting_write(painting, values[i], 1, path, err);
        free(path);
    }
    return status;
}

static mrcnn_status add(mr_writing *w, const mr_written_picture *picture, mrcnn_error *err) {
    voc_writer *own = w->own;
    mr_painting painting = {0};
    char *name = mr_without_ending(picture->file);
    uint16_t *const values[2] = {mr_calloc(picture->count, sizeof(uint16_t)),
                                 mr_calloc(picture->count, sizeof(uint16_t))};
    mrcnn_status status = name && values[0] && values[1]
                              ? mr_paint(&painting, w, picture, err)
                              : mr_fail_memory(err, picture->count * 4, "labels");
    if (status == MRCNN_OK) {
        choose_values(w, picture, &painting, values[0], values[1]);
        status = write_both(w, &painting, name, values, err);
    }
    if (status == MRCNN_OK) list_picture(&own->list, w->subset, name);
    mr_painting_free(&painting);
    free(values[0]);
    free(values[1]);
    free(name);
    return status;
}

/* The list comes last: it makes the subset. */
static mrcnn_status end(mr_writing *w, mrcnn_error *err) {
    voc_writer *own = w->own;
    const mr_text *list = &own->list;
    char *path = mr_format("%s/ImageSets/Segmentation/%s.txt", w->folder, w->subset);
    mrcnn_status status = path && !list->failed
                              ? mr_made_shared(&own->made, &own->classes, own->label_map, err)
                              : mr_fail_memory(err, list->length, "a list of pictures");
    if (status == MRCNN_OK) status = mr_made_add(&own->made, path, err);
    if (status == MRCNN_OK) status = mr_make_folder_of(path, err);
    if (status == MRCNN_OK)
        status = mr_file_write(path, list->length ? list->bytes : "", list->length, err);
    own->is_done = status == MRCNN_OK;
    free(path);
    return status;
}

static void close_voc(mr_writing *w) {
    voc_writer *own = w->own;
    if (!own) return;
    mr_made_free(&own->made, own->is_done ? NULL : w->folder);
    free(own->list.bytes);
    free(own->classes.bytes);
    free(own->label_map);
    free(own);
}

const mr_dataset_writer mr_writer_voc = {
    .name = "voc",
    .picture_folder = picture_folder,
    .begin = begin,
    .add = add,
    .end = end,
    .close = close_voc,
};
