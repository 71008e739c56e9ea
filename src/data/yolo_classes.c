/* yolo_classes.c - see yolo_classes.h. */
#include "data/yolo_classes.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/text.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_FILE = 1 << 22 };

int mr_yolo_is_utf8(const char *text) {
    while (*text)
        if (mr_text_next(&text) < 0) return 0;
    return 1;
}

/* `name` NULL: a class that is only a number. */
static int add_class(mr_yolo_classes *c, const char *name) {
    char **larger = mr_realloc(c->names, c->count + 1, sizeof *larger);
    if (!larger) return 0;
    c->names = larger;
    char *copy = name ? mr_strdup(name) : mr_format("class %zu", c->count);
    if (!copy) return 0;
    c->names[c->count++] = copy;
    return mr_names_add(&c->ids, copy) >= 0;
}

void mr_yolo_classes_free(mr_yolo_classes *c) {
    for (size_t i = 0; i < c->count; i++) free(c->names[i]);
    free(c->names);
    mr_names_free(&c->ids);
    *c = (mr_yolo_classes){0};
}

mrcnn_status mr_yolo_take_names(mr_yolo_classes *c, mr_yolo_yaml *yaml, mrcnn_error *err) {
    for (size_t i = 0; i < yaml->name_count; i++)
        if (!add_class(c, yaml->names[i]))
            return mr_fail_memory(err, yaml->name_count, "class names");
    c->are_known = c->count > 0;
    return MRCNN_OK;
}

static mrcnn_status read_lines(mr_yolo_classes *c, char *text, const char *path, mrcnn_error *err) {
    if (!mr_yolo_is_utf8(text))
        return mr_fail(err, MRCNN_E_FORMAT, "%s: this is no UTF-8 text", path);
    for (char *line = text; *line;) {
        char name[MR_CLASS_TEXT], *end = line + strcspn(line, "\n");
        char *next = *end ? end + 1 : end;
        *end = 0;
        if (!mr_tidy_name(line, name) || c->count >= MR_YOLO_MAX_CLASSES)
            return mr_fail(err, MRCNN_E_FORMAT,
                           "%s: line %zu: a class name longer than %d bytes, or more than %d of "
                           "them",
                           path, c->count + 1, MR_CLASS_TEXT - 1, (int)MR_YOLO_MAX_CLASSES);
        line = next;
        if (!*name && !line[strspn(line, " \t\r\n")]) break; /* empty lines at the end */
        if (!add_class(c, *name ? name : NULL)) return mr_fail_memory(err, 0, "class names");
    }
    c->are_known = c->count > 0;
    return MRCNN_OK;
}

mrcnn_status mr_yolo_read_names(mr_yolo_classes *c, const char *folder, mrcnn_error *err) {
    static const char *const files[] = {"classes.txt", "obj.names", "_darknet.labels"};
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < 3 && !c->are_known && status == MRCNN_OK; i++) {
        void *text = NULL;
        size_t length = 0;
        char *path = mr_format("%s/%s", folder, files[i]);
        if (!path) return mr_fail_memory(err, strlen(folder), "a path");
        if (mr_is_file(path)) status = mr_file_read(path, LARGEST_FILE, &text, &length, err);
        if (status == MRCNN_OK && text) status = read_lines(c, text, path, err);
        free(text);
        free(path);
    }
    return status;
}

int mr_yolo_class(mr_yolo_classes *c, int number) {
    if ((size_t)number >= c->count && c->are_known) return -1;
    while ((size_t)number >= c->count)
        if (!add_class(c, NULL)) return -2;
    return mr_names_find(&c->ids, c->names[number]);
}

/* ----------------------------------------------------------------------------------- finishing */

/* Of each name in `ids` the number of the first class that has it; NULL: no memory. */
static int *find_numbers(const mr_yolo_classes *c) {
    int *numbers = mr_calloc(c->ids.count, sizeof *numbers);
    for (size_t i = c->count; numbers && i-- > 0;)
        numbers[mr_names_find(&c->ids, c->names[i])] = (int)i;
    return numbers;
}

/* The background has none: 0 is a class. */
static mrcnn_status set_ids(mr_dataset *set, const mr_yolo_classes *c, mrcnn_error *err) {
    int *numbers = find_numbers(c), failed = 0;
    set->class_ids = mr_calloc((size_t)set->class_count, sizeof *set->class_ids);
    for (int i = 1; numbers && set->class_ids && i < set->class_count; i++) {
        int id = mr_names_find(&c->ids, set->class_names[i]);
        if (id < 0) continue; /* it has no such class */
        set->class_ids[i] = mr_format("%d", numbers[id]);
        failed |= !set->class_ids[i];
    }
    failed |= !numbers || !set->class_ids;
    free(numbers);
    return failed ? mr_fail_memory(err, (size_t)set->class_count, "class ids") : MRCNN_OK;
}

/* Names in the order of their numbers; of two that are the same the first. NULL: no memory. */
static const char **order_names(const mr_yolo_classes *c) {
    const char **ordered = mr_calloc(c->ids.count + 2, sizeof *ordered);
    if (!ordered) return NULL;
    ordered[0] = "BG";
    /* Ids were given in that order. */
    for (size_t i = 0; i < c->ids.count; i++)
        ordered[c->ids.items[i].id + 1] = c->ids.items[i].text;
    return ordered;
}

mrcnn_status mr_yolo_finish(mr_dataset *set, mr_yolo_classes *c,
                            const mrcnn_dataset_options *options, mrcnn_error *err) {
    mrcnn_dataset_options ordered = *options;
    const char **names = order_names(c);
    if (!names) return mr_fail_memory(err, c->count, "class names");
    if (c->count && !ordered.class_names) ordered.class_names = names;
    mrcnn_status status = mr_dataset_finish(set, &c->ids, &ordered, err);
    free(names);
    return status == MRCNN_OK ? set_ids(set, c, err) : status;
}
