/* info.c - see info.h. */
#include "weights/info.h"

#include "base/error.h"
#include "base/memory.h"
#include "weights/h5_util.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_RANGES = 1 << 20 }; /* bytes of text */

void mr_weights_info_free(mr_weights_info *info) {
    if (!info) return;
    free(info->keras_version);
    free(info->backend);
    free(info->config);
    free(info->ranges);
    for (size_t i = 0; i < info->class_count; i++) free(info->class_names[i]);
    free(info->class_names);
    *info = (mr_weights_info){0};
}

/* The number of bytes of the UTF-8 character at `s`, 0 if it is none. */
static size_t utf8_character(const unsigned char *s) {
    size_t n = s[0] < 0x80                   ? 1
               : s[0] >= 0xC2 && s[0] < 0xE0 ? 2
               : (s[0] & 0xF0) == 0xE0       ? 3
               : s[0] >= 0xF0 && s[0] < 0xF5 ? 4
                                             : 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if (n == 3 && ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] >= 0xA0))) return 0;
    if (n == 4 && ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] >= 0x90))) return 0;
    return n;
}

/* These texts end up in messages, on terminals and in JSON: UTF-8 without control characters. */
static int is_clean_text(const char *text, int lines) {
    const unsigned char *s = (const unsigned char *)text;
    while (*s) {
        size_t n = utf8_character(s);
        if (n == 0) return 0;
        if (*s == 0x7F || (*s < ' ' && !(lines && strchr("\n\r\t", *s)))) return 0;
        s += n;
    }
    return 1;
}

static mrcnn_status read_list(mr_h5_strings *list, hid_t layers, const char *name, int lines,
                              const char *file, mrcnn_error *err) {
    *list = (mr_h5_strings){0};
    if (!mr_h5_has_strings(layers, name)) return MRCNN_OK;
    mrcnn_status status = mr_h5_read_strings(list, layers, name, file, err);
    for (size_t i = 0; i < list->count && status == MRCNN_OK; i++)
        if (!is_clean_text(list->strings[i], lines))
            status = mr_fail(err, MRCNN_E_FORMAT,
                             "%s: attribute %s is not clean UTF-8 text: the file is damaged", file,
                             name);
    if (status != MRCNN_OK) mr_h5_strings_free(list);
    return status;
}

static mrcnn_status read_text(char **text, hid_t layers, const char *name, int lines,
                              const char *file, mrcnn_error *err) {
    mr_h5_strings list;
    mrcnn_status status = read_list(&list, layers, name, lines, file, err);
    if (status != MRCNN_OK || list.count == 0) return status;
    *text = list.strings[0];
    list.strings[0] = NULL;
    mr_h5_strings_free(&list);
    return MRCNN_OK;
}

static mrcnn_status read_ranges(char **text, hid_t layers, const char *file, mrcnn_error *err) {
    mrcnn_status status = read_text(text, layers, "mrcnn_ranges", 1, file, err);
    if (status == MRCNN_OK && *text && strlen(*text) > MOST_RANGES)
        status =
            mr_fail(err, MRCNN_E_FORMAT,
                    "%s: attribute mrcnn_ranges is longer than 1 MB: the file is damaged", file);
    return status;
}

mrcnn_status mr_weights_info_read(mr_weights_info *info, hid_t layers, const char *file,
                                  mrcnn_error *err) {
    mr_weights_info found = {0};
    mr_h5_strings names = {0};
    mrcnn_status status = read_text(&found.keras_version, layers, "keras_version", 0, file, err);
    if (status == MRCNN_OK) status = read_text(&found.backend, layers, "backend", 0, file, err);
    if (status == MRCNN_OK) status = read_text(&found.config, layers, "mrcnn_config", 1, file, err);
    if (status == MRCNN_OK) status = read_ranges(&found.ranges, layers, file, err);
    if (status == MRCNN_OK) status = read_list(&names, layers, "mrcnn_class_names", 0, file, err);
    if (status == MRCNN_OK) {
        found.class_count = names.count;
        found.class_names = names.strings;
        *info = found;
    } else {
        mr_weights_info_free(&found);
    }
    return status;
}

mrcnn_status mr_weights_info_check(const mr_weights_info *info, const char *path,
                                   mrcnn_error *err) {
    if (!info || !info->ranges || strlen(info->ranges) <= MOST_RANGES) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_ARGUMENT,
                   "%s: can't save ranges of more than 1 MB of text; there are too many layers",
                   path);
}

int mr_weights_info_write(const mr_weights_info *info, hid_t root) {
    const char *backend = info && info->backend ? info->backend : "tensorflow";
    /* The last Keras with which matterport's code is known to run. */
    const char *version = info && info->keras_version ? info->keras_version : "2.1.6";
    if (mr_h5_write_text(root, "backend", backend, H5T_CSET_ASCII) < 0 ||
        mr_h5_write_text(root, "keras_version", version, H5T_CSET_ASCII) < 0)
        return -1;
    if (info && info->config &&
        mr_h5_write_text(root, "mrcnn_config", info->config, H5T_CSET_UTF8) < 0)
        return -1;
    if (info && info->ranges &&
        mr_h5_write_text(root, "mrcnn_ranges", info->ranges, H5T_CSET_UTF8) < 0)
        return -1;
    if (info && info->class_count > 0 &&
        mr_h5_write_variable(root, "mrcnn_class_names", (const char *const *)info->class_names,
                             info->class_count) < 0)
        return -1;
    return 0;
}
