/* write_files.c - see write_files.h. */
#include "data/write_files.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "data/write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void mr_text_add(mr_text *text, const char *added) {
    size_t length = strlen(added);
    if (!mr_dataset_grow((void **)&text->bytes, &text->room, text->length, length + 1, 1)) {
        text->failed = 1;
        return;
    }
    memcpy(text->bytes + text->length, added, length + 1);
    text->length += length;
}

void mr_text_add_class(mr_text *text, const mr_writing *w, int class_id, char comment) {
    const char *name = w->class_names[class_id];
    size_t length = strlen(name);
    char *line = mr_strdup(name), number[32];
    if (!line) {
        text->failed = 1;
        return;
    }
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = ' ';
    while (length && line[length - 1] == ' ') line[--length] = 0;
    const char *first = line + strspn(line, " ");
    snprintf(number, sizeof number, "class %d", class_id);
    if (comment && *first == comment) line[first - line] = '_';
    if (!*first) first = number;
    if (strcmp(first, name) != 0) w->lose(w->user, "class names that make no line of a list");
    mr_text_add(text, first);
    free(line);
}

mrcnn_status mr_text_check_shared(const mr_text *text, const char *path, mrcnn_error *err) {
    void *old = NULL;
    size_t length = 0;
    if (text->failed) return mr_fail_memory(err, text->length, path);
    mrcnn_status status = mr_file_check_plain(path, err);
    if (status != MRCNN_OK || !mr_is_file(path)) return status;
    status = mr_file_read(path, 0, &old, &length, err);
    if (status == MRCNN_OK &&
        (length != text->length || (length && memcmp(old, text->bytes, length) != 0)))
        status =
            mr_fail(err, MRCNN_E_ARGUMENT,
                    "%s: the data set that is there has other classes: give another folder", path);
    free(old);
    return status;
}

/* -------------------------------------------------------------------------------- taking away */

mrcnn_status mr_check_new(const char *path, mrcnn_error *err) {
    struct stat info;
    if (lstat(path, &info) != 0) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_ARGUMENT,
                   "%s: is there already: give another folder, or other names to pictures", path);
}

mrcnn_status mr_made_add(mr_listing *made, const char *path, mrcnn_error *err) {
    mrcnn_status status = mr_check_new(path, err);
    return status == MRCNN_OK ? mr_listing_add(made, path, err) : status;
}

mrcnn_status mr_made_shared(mr_listing *made, const mr_text *text, const char *path,
                            mrcnn_error *err) {
    if (text->failed) return mr_fail_memory(err, text->length, path);
    if (mr_is_file(path)) return MRCNN_OK;
    mrcnn_status status = mr_made_add(made, path, err);
    if (status != MRCNN_OK) return status;
    return mr_file_write(path, text->length ? text->bytes : "", text->length, err);
}

/* PNGs in a folder, and in the folders below it when `levels` allows. */
static void empty_folder(const char *folder, int levels, const char *root) {
    mr_listing entries = {NULL, 0, 0};
    if (mr_list_folder(&entries, folder, NULL, NULL) != MRCNN_OK) return;
    for (size_t i = 0; i < entries.count; i++) {
        char *path = mr_format("%s/%s", folder, entries.names[i]);
        if (!path) continue;
        if (mr_is_folder(path) && levels > 0)
            empty_folder(path, levels - 1, root);
        else if (mr_has_ending(path, ".png"))
            mr_take_away(path, root);
        free(path);
    }
    mr_listing_free(&entries);
}

void mr_made_free(mr_listing *made, const char *root) {
    for (size_t i = 0; root && i < made->count; i++) {
        const char *path = made->names[i];
        if (mr_is_folder(path)) {
            empty_folder(path, 1, root);
            rmdir(path); /* no mask was written into it */
        } else {
            mr_take_away(path, root);
        }
    }
    mr_listing_free(made);
}
