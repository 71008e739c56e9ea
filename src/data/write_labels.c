/* write_labels.c - writes a 16-bit label picture for each picture: class * 1000 + number, or the class
 * alone for a crowd. Classes are counted as in classes.txt. */
#include "base/error.h"
#include "base/memory.h"
#include "data/paint.h"
#include "data/write_files.h"

#include <stdlib.h>

enum { CLASS_STEP = 1000, MOST_VALUE = 65535 };

static char *picture_folder(const mr_writing *w, const mr_written_picture *picture) {
    (void)picture;
    return mr_format("images/%s", w->subset);
}

typedef struct labels_writer {
    char *list; /* classes.txt */
    mr_text classes;
    mr_listing made;
    int is_done;
} labels_writer;

/* Before anything is written: labels of other classes may be there. */
static mrcnn_status begin(mr_writing *w, mrcnn_error *err) {
    labels_writer *own = mr_calloc(1, sizeof *own);
    w->own = own;
    if (own) own->list = mr_format("%s/classes.txt", w->folder);
    if (!own || !own->list) return mr_fail_memory(err, sizeof *own, "a writer");
    for (int i = 1; i < w->class_count; i++) {
        mr_text_add_class(&own->classes, w, i, 0);
        mr_text_add(&own->classes, "\n");
    }
    return mr_text_check_shared(&own->classes, own->list, err);
}

static mrcnn_status end(mr_writing *w, mrcnn_error *err) {
    labels_writer *own = w->own;
    mrcnn_status status = mr_made_shared(&own->made, &own->classes, own->list, err);
    own->is_done = status == MRCNN_OK;
    return status;
}

static void close_labels(mr_writing *w) {
    labels_writer *own = w->own;
    if (!own) return;
    mr_made_free(&own->made, own->is_done ? NULL : w->folder);
    free(own->classes.bytes);
    free(own->list);
    free(own);
}

/* The value of an object; 0 when it can't be told. `used`: how many of its class have one. */
static uint16_t choose_value(const mr_writing *w, const mr_written_object *object, uint32_t *used) {
    uint32_t class_id = (uint32_t)object->class_id, value = class_id;
    if (object->is_crowd) {
        if (value < CLASS_STEP) return (uint16_t)value;
        w->lose(w->user, "objects of a class that is beyond the 65th");
        return 0;
    }
    if (class_id * CLASS_STEP >= MOST_VALUE) {
        w->lose(w->user, "objects of a class that is beyond the 65th");
        return 0;
    }
    value = class_id * CLASS_STEP + *used + 1;
    if (*used + 1 < CLASS_STEP && value <= MOST_VALUE) {
        ++*used;
        return (uint16_t)value;
    }
    w->lose(w->user, "objects of one class in one picture that are beyond the 999th");
    return 0;
}

static void choose_values(const mr_writing *w, const mr_written_picture *picture,
                          const mr_painting *painting, uint16_t *values, uint32_t *used,
                          uint8_t *crowds) {
    for (size_t i = 0; i < picture->count; i++) {
        const mr_written_object *object = &picture->objects[i];
        if (painting->visible[i] == 0) continue;
        values[i] = choose_value(w, object, &used[object->class_id]);
        if (!object->is_crowd) continue;
        if (crowds[object->class_id])
            w->lose(w->user, "borders between crowds of one class in one picture");
        crowds[object->class_id] = 1;
    }
}

static mrcnn_status add(mr_writing *w, const mr_written_picture *picture, mrcnn_error *err) {
    labels_writer *own = w->own;
    mr_painting painting = {0};
    char *name = mr_without_ending(picture->file);
    char *path = name ? mr_format("%s/labels/%s/%s.png", w->folder, w->subset, name) : NULL;
    uint16_t *values = mr_calloc(picture->count, sizeof *values);
    uint32_t *used = mr_calloc((size_t)w->class_count, sizeof *used);
    uint8_t *crowds = mr_calloc((size_t)w->class_count, 1);
    mrcnn_status status = path && values && used && crowds
                              ? mr_paint(&painting, w, picture, err)
                              : mr_fail_memory(err, picture->count * sizeof *values, "labels");
    if (status == MRCNN_OK) {
        choose_values(w, picture, &painting, values, used, crowds);
        status = mr_made_add(&own->made, path, err);
    }
    if (status == MRCNN_OK) status = mr_painting_write(&painting, values, 2, path, err);
    mr_painting_free(&painting);
    free(crowds);
    free(used);
    free(values);
    free(path);
    free(name);
    return status;
}

const mr_dataset_writer mr_writer_labels = {
    .name = "labels",
    .picture_folder = picture_folder,
    .begin = begin,
    .add = add,
    .end = end,
    .close = close_labels,
};
