/* h5_strings.c - lists of strings as HDF5 attributes, in all the ways in which h5py and Keras wrote
 * them over the years. See h5_util.h.
 */
#include "weights/h5_util.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_STRINGS = 1 << 16,   /* in one attribute; a ResNet-101 model lists some 500 layers */
    LONGEST_STRING = 1 << 24, /* of variable length: a configuration as text */
    MOST_BYTES = 1 << 24,     /* of all strings of a fixed-length attribute */
    MOST_PARTS = 1000,        /* of a split attribute */
    ATTRIBUTE_BYTES = 64512,  /* Keras' limit for one attribute, below HDF5's 64 KB */
    VARIABLE_BYTES = 16       /* what one variable-length string takes up in an attribute */
};

void mr_h5_strings_free(mr_h5_strings *list) {
    for (size_t i = 0; i < list->count; i++) free(list->strings[i]);
    free(list->strings);
    *list = (mr_h5_strings){0};
}

/* Makes room for `more` strings; they are NULL until set. */
static int extend(mr_h5_strings *list, size_t more) {
    char **strings = mr_realloc(list->strings, list->count + more, sizeof *strings);
    if (strings) list->strings = strings;
    return strings != NULL;
}

static int append(mr_h5_strings *list, const char *text, size_t length) {
    char *copy = malloc(length + 1);
    if (!copy) return 0;
    memcpy(copy, text, length);
    copy[length] = 0;
    list->strings[list->count++] = copy;
    return 1;
}

/* One attribute while it is read. */
typedef struct source {
    hid_t attribute, type, space;
    size_t count, width; /* width: bytes of a fixed-length string */
    const char *name, *file;
} source;

static mrcnn_status damaged(const source *s, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_FORMAT, "%s: can't read attribute %s (%s): the file is damaged",
                   s->file, s->name, mr_h5_why().text);
}

static mrcnn_status absurd(const source *s, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_FORMAT, "%s: attribute %s is far too large for a list of names",
                   s->file, s->name);
}

/* Counts the strings of the attribute before anything is allocated for them. */
static mrcnn_status measure(source *s, mrcnn_error *err) {
    H5S_class_t extent = H5Sget_simple_extent_type(s->space);
    hssize_t count = extent == H5S_NULL ? 0 : H5Sget_simple_extent_npoints(s->space);
    if (extent == H5S_NO_CLASS || count < 0) return damaged(s, err);
    if (count > MOST_STRINGS || H5Sget_simple_extent_ndims(s->space) > 1) return absurd(s, err);
    s->count = (size_t)count;
    s->width = H5Tget_size(s->type);
    if (s->count == 0) return MRCNN_OK; /* of any type: numpy's empty lists are float64 */
    if (H5Tget_class(s->type) != H5T_STRING)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: attribute %s should be a list of strings", s->file,
                       s->name);
    if (s->width == 0) return damaged(s, err);
    if (s->count > MOST_BYTES / s->width) return absurd(s, err);
    return MRCNN_OK;
}

static mrcnn_status read_fixed(mr_h5_strings *list, const source *s, mrcnn_error *err) {
    char *bytes = mr_calloc(s->count, s->width);
    if (!bytes) return mr_fail_memory(err, s->count * s->width, s->name);
    mrcnn_status status = MRCNN_OK;
    if (H5Aread(s->attribute, s->type, bytes) < 0) status = damaged(s, err);
    for (size_t i = 0; i < s->count && status == MRCNN_OK; i++) {
        const char *text = bytes + i * s->width;
        const char *end = memchr(text, 0, s->width);
        if (!append(list, text, end ? (size_t)(end - text) : s->width))
            status = mr_fail_memory(err, s->width, s->name);
    }
    free(bytes);
    return status;
}

static mrcnn_status read_variable(mr_h5_strings *list, const source *s, mrcnn_error *err) {
    char **texts = mr_calloc(s->count, sizeof *texts);
    if (!texts) return mr_fail_memory(err, s->count * sizeof *texts, s->name);
    mrcnn_status status = MRCNN_OK;
    if (H5Aread(s->attribute, s->type, texts) < 0) status = damaged(s, err);
    for (size_t i = 0; i < s->count && status == MRCNN_OK; i++) {
        const char *text = texts[i] ? texts[i] : "";
        size_t length = strlen(text);
        if (length > LONGEST_STRING)
            status = absurd(s, err);
        else if (!append(list, text, length))
            status = mr_fail_memory(err, length, s->name);
    }
    H5Dvlen_reclaim(s->type, s->space, H5P_DEFAULT, texts);
    free(texts);
    return status;
}

static mrcnn_status read_one(mr_h5_strings *list, hid_t object, const char *name, const char *file,
                             mrcnn_error *err) {
    source s = {H5I_INVALID_HID, H5I_INVALID_HID, H5I_INVALID_HID, 0, 0, name, file};
    mrcnn_status status = MRCNN_OK;
    s.attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (s.attribute >= 0) {
        s.type = H5Aget_type(s.attribute);
        s.space = H5Aget_space(s.attribute);
    }
    status = s.type < 0 || s.space < 0 ? damaged(&s, err) : measure(&s, err);
    if (status == MRCNN_OK && list->count + s.count > MOST_STRINGS) status = absurd(&s, err);
    if (status == MRCNN_OK && !extend(list, s.count))
        status = mr_fail_memory(err, s.count * sizeof(char *), name);
    if (status == MRCNN_OK && s.count > 0)
        status = H5Tis_variable_str(s.type) > 0 ? read_variable(list, &s, err)
                                                : read_fixed(list, &s, err);
    if (s.space >= 0) H5Sclose(s.space);
    if (s.type >= 0) H5Tclose(s.type);
    if (s.attribute >= 0) H5Aclose(s.attribute);
    return status;
}

static void part_name(char *part, size_t room, const char *name, int index) {
    snprintf(part, room, "%s%d", name, index);
}

int mr_h5_has_strings(hid_t object, const char *name) {
    char part[80];
    part_name(part, sizeof part, name, 0);
    return H5Aexists(object, name) > 0 || H5Aexists(object, part) > 0;
}

mrcnn_status mr_h5_read_strings(mr_h5_strings *list, hid_t object, const char *name,
                                const char *file, mrcnn_error *err) {
    *list = (mr_h5_strings){0};
    mrcnn_status status = MRCNN_OK;
    if (H5Aexists(object, name) > 0) {
        status = read_one(list, object, name, file, err);
    } else {
        for (int i = 0; i < MOST_PARTS && status == MRCNN_OK; i++) {
            char part[80];
            part_name(part, sizeof part, name, i);
            if (H5Aexists(object, part) <= 0) break;
            status = read_one(list, object, part, file, err);
        }
    }
    if (status != MRCNN_OK) mr_h5_strings_free(list);
    return status;
}

static int write_attribute(hid_t object, const char *name, hid_t type, hid_t space,
                           const void *values) {
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    int result = attribute < 0 ? -1 : H5Awrite(attribute, type, values) < 0 ? -1 : 0;
    if (attribute >= 0 && H5Aclose(attribute) < 0) result = -1;
    return result;
}

/* Strings of `type` as one list: `stride` bytes each in memory, `bytes` in the file. */
static int write_list(hid_t object, const char *name, hid_t type, const void *values, size_t stride,
                      size_t bytes, size_t count) {
    size_t most = ATTRIBUTE_BYTES / bytes;
    int result = 0, split = count > most;
    for (size_t done = 0, i = 0; result == 0 && (done < count || i == 0); i++) {
        hsize_t n = count - done < most ? count - done : most;
        char part[80];
        part_name(part, sizeof part, name, (int)i);
        hid_t space = H5Screate_simple(1, &n, NULL);
        result = space < 0 ? -1
                           : write_attribute(object, split ? part : name, type, space,
                                             (const char *)values + done * stride);
        if (space >= 0) H5Sclose(space);
        done += n;
    }
    return result;
}

static hid_t string_type(size_t size, H5T_str_t padding, H5T_cset_t cset) {
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0) return type;
    if (H5Tset_size(type, size) < 0 || H5Tset_strpad(type, padding) < 0 ||
        H5Tset_cset(type, cset) < 0) {
        H5Tclose(type);
        return H5I_INVALID_HID;
    }
    return type;
}

int mr_h5_write_fixed(hid_t object, const char *name, const char *const *strings, size_t count) {
    size_t width = 1, bytes;
    for (size_t i = 0; i < count; i++)
        if (strlen(strings[i]) > width) width = strlen(strings[i]);
    if (width > ATTRIBUTE_BYTES || !mr_mul_size(count, width, &bytes)) return -1;
    char *values = mr_calloc(count, width);
    hid_t type = string_type(width, H5T_STR_NULLPAD, H5T_CSET_ASCII);
    int result = values && type >= 0 ? 0 : -1;
    for (size_t i = 0; i < count && result == 0; i++)
        memcpy(values + i * width, strings[i], strlen(strings[i]));
    if (result == 0) result = write_list(object, name, type, values, width, width, count);
    if (type >= 0) H5Tclose(type);
    free(values);
    return result;
}

int mr_h5_write_variable(hid_t object, const char *name, const char *const *strings, size_t count) {
    hid_t type = string_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8);
    if (type < 0) return -1;
    int result = write_list(object, name, type, strings, sizeof *strings, VARIABLE_BYTES, count);
    H5Tclose(type);
    return result;
}

int mr_h5_write_text(hid_t object, const char *name, const char *text, H5T_cset_t cset) {
    hid_t type = string_type(H5T_VARIABLE, H5T_STR_NULLTERM, cset);
    hid_t space = H5Screate(H5S_SCALAR);
    int result = type < 0 || space < 0 ? -1 : write_attribute(object, name, type, space, &text);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    return result;
}
