/* voc_classes.c - see voc.h. Tools that write VOC's folders for other classes put a list of them
 * beside: CVAT a labelmap.txt with colours, labelme a class_names.txt. */
#include "data/voc.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MOST_CLASSES = 254 };

const char *const mr_voc_names[MR_VOC_CLASSES] = {
    "aeroplane", "bicycle",     "bird",  "boat",        "bottle", "bus",      "car",
    "cat",       "chair",       "cow",   "diningtable", "dog",    "horse",    "motorbike",
    "person",    "pottedplant", "sheep", "sofa",        "train",  "tvmonitor"};

/* The number's bits 0, 3 and 6 become red's highest ones, 1, 4 and 7 green's, 2 and 5 blue's. */
uint32_t mr_voc_color(int number) {
    uint32_t red = 0, green = 0, blue = 0;
    for (int bit = 7; number; bit--, number >>= 3) {
        red |= (uint32_t)(number & 1) << bit;
        green |= (uint32_t)(number >> 1 & 1) << bit;
        blue |= (uint32_t)(number >> 2 & 1) << bit;
    }
    return red << 16 | green << 8 | blue;
}

static mrcnn_status add_class(mr_voc_classes *c, const char *name, uint32_t color,
                              mrcnn_error *err) {
    if (!mr_dataset_grow((void **)&c->colors, &c->color_room, c->names.count, 1, sizeof *c->colors))
        return mr_fail_memory(err, sizeof *c->colors, "class names");
    c->colors[c->names.count] = color;
    return mr_listing_add(&c->names, name, err);
}

/* "name:r,g,b:parts:actions", where the last two may be missing. The name ends where the colour
 * begins: it may have colons in it. Without a colour it has VOC's. */
static mrcnn_status add_mapped(mr_voc_classes *c, char *line, mrcnn_error *err) {
    uint32_t color = mr_voc_color((int)c->names.count);
    for (char *colon = strchr(line, ':'); colon; colon = strchr(colon + 1, ':')) {
        unsigned r, g, b;
        if (sscanf(colon, ":%3u,%3u,%3u", &r, &g, &b) != 3 || r > 255 || g > 255 || b > 255)
            continue;
        *colon = 0;
        color = r << 16 | g << 8 | b;
        break;
    }
    return add_class(c, line, color, err);
}

static int is_background(const char *name) {
    static const char *const names[] = {"background", "_background_", "__background__", "BG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i], name) == 0) return 1;
    return 0;
}

/* In a plain list the background may be missing; "__ignore__" is what labelme calls the void. */
static mrcnn_status add_lines(mr_voc_classes *c, const mr_listing *lines, int is_map,
                              mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    size_t i = 0;
    if (!is_map) {
        if (i < lines->count && strcmp(lines->names[i], "__ignore__") == 0) i++;
        if (i >= lines->count || !is_background(lines->names[i]))
            status = add_class(c, "background", 0, err);
    }
    for (; i < lines->count && status == MRCNN_OK; i++)
        status =
            is_map ? add_mapped(c, lines->names[i], err)
                   : add_class(c, lines->names[i], mr_voc_color((int)(c->names.count & 255)), err);
    return status;
}

static mrcnn_status read_list(mr_voc_classes *c, const char *path, int is_map, mrcnn_error *err) {
    mr_listing lines = {NULL, 0, 0};
    mrcnn_status status = mr_read_lines(&lines, path, is_map ? '#' : 0, err);
    if (status == MRCNN_OK && lines.count > MOST_CLASSES + 2)
        status = mr_fail(err, MRCNN_E_FORMAT, "%s: more than %d classes", path, MOST_CLASSES);
    if (status == MRCNN_OK) status = add_lines(c, &lines, is_map, err);
    if (status == MRCNN_OK && c->names.count < 2)
        status =
            mr_fail(err, MRCNN_E_FORMAT, "%s: there is no class in it but the background", path);
    mr_listing_free(&lines);
    return status;
}

static mrcnn_status use_vocs(mr_voc_classes *c, mrcnn_error *err) {
    mrcnn_status status = add_class(c, "background", 0, err);
    for (int i = 0; i < MR_VOC_CLASSES && status == MRCNN_OK; i++)
        status = add_class(c, mr_voc_names[i], mr_voc_color(i + 1), err);
    return status;
}

mrcnn_status mr_voc_read_classes(mr_voc_classes *classes, const char *folder, mrcnn_error *err) {
    static const char *const files[] = {"labelmap.txt", "class_names.txt", "classes.txt"};
    for (int i = 0; i < 3; i++) {
        char *path = mr_format("%s/%s", folder, files[i]);
        if (!path) return mr_fail_memory(err, strlen(folder), "a path");
        int is_there = mr_is_file(path);
        mrcnn_status status = is_there ? read_list(classes, path, i == 0, err) : MRCNN_OK;
        free(path);
        if (is_there) return status;
    }
    return use_vocs(classes, err);
}

void mr_voc_classes_free(mr_voc_classes *classes) {
    mr_listing_free(&classes->names);
    free(classes->colors);
    classes->colors = NULL;
}
