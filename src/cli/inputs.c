/* inputs.c - see inputs.h. */
#include "inputs.h"

#include "files.h"
#include "text.h"

#include <mrcnn/video.h>

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char *const picture_extensions[] = {".jpg", ".jpeg", ".png", NULL};
static const char *const array_extensions[] = {".npy", NULL};
static const char *const video_extensions[] = {".mp4", ".m4v",  ".avi",  ".mov", ".mkv", ".webm",
                                               ".mpg", ".mpeg", ".wmv",  ".flv", ".ts",  ".mts",
                                               ".3gp", ".ogv",  ".m2ts", ".gif", ".y4m", NULL};

static int has_extension(const char *path, const char *const *extensions) {
    for (; *extensions; extensions++)
        if (strcasecmp(path_extension(path), *extensions) == 0) return 1;
    return 0;
}

static void add(input_list *list, const char *path, const char *name) {
    if ((list->count & (list->count - 1)) == 0)
        list->items =
            text_grow(list->items, list->count ? 2 * list->count : 1, sizeof *list->items);
    input added = {path ? text_copy(path) : NULL, text_copy(name), NULL, 0, 0};
    list->items[list->count++] = added;
}

static void add_file(input_list *list, const char *path, int is_video) {
    char *name = path_name(path);
    add(list, path, name);
    list->items[list->count - 1].is_video = is_video;
    list->videos += (size_t)is_video;
    free(name);
}

/* ------------------------------------------------------------------------ pictures and videos */

/* Does the file begin as the pictures do that can be read? */
static int has_picture_content(const char *path) {
    static const struct {
        const char *bytes;
        size_t length;
    } beginnings[] = {{"\xFF\xD8\xFF", 3}, {"\x89PNG\r\n", 6}, {"\x93NUMPY", 6}};
    char bytes[8] = {0};
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (length >= beginnings[i].length &&
            memcmp(bytes, beginnings[i].bytes, beginnings[i].length) == 0)
            return 1;
    return 0;
}

/* By content, and by the name where the content says nothing. */
static int is_video(const char *path) {
    if (!path_is_plain(path)) return has_extension(path, video_extensions);
    if (has_picture_content(path)) return 0;
    if (has_extension(path, video_extensions)) return 1;
    if (has_extension(path, picture_extensions) || has_extension(path, array_extensions)) return 0;
    return mrcnn_video_recognise(path);
}

/* ----------------------------------------------------------------------------------- folders */

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names in a folder, sorted, without hidden ones; -1 after a message. */
static int list_folder(text_list *names, const char *folder) {
    DIR *open_folder = opendir(folder);
    if (!open_folder) {
        message("%s: can't list this folder: %s", folder, strerror(errno));
        return -1;
    }
    for (struct dirent *entry; (entry = readdir(open_folder));)
        if (entry->d_name[0] != '.') text_list_add(names, text_copy(entry->d_name));
    closedir(open_folder);
    if (names->count) qsort(names->items, names->count, sizeof *names->items, compare_texts);
    return 0;
}

/* Links to folders are not followed: they may lead in circles. */
static int is_real_folder(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* `below` is the folder's own name relative to the one that the user named ("" or "sub/"). */
static void add_folder(input_list *list, const char *folder, const char *below, int recursive,
                       const char *const *extensions) {
    text_list names = {0};
    if (list_folder(&names, folder)) list->failed++;
    for (size_t i = 0; i < names.count; i++) {
        char *path = path_join(folder, names.items[i]);
        char *name = text_format("%s%s", below, names.items[i]);
        if (is_real_folder(path)) {
            char *deeper = text_format("%s/", name);
            if (recursive) add_folder(list, path, deeper, recursive, extensions);
            free(deeper);
        } else if (has_extension(path, extensions) && !path_is_folder(path)) {
            add(list, path, name);
        }
        free(name);
        free(path);
    }
    text_list_free(&names);
}

static int has_videos(const char *folder) {
    text_list names = {0};
    int found = 0;
    list_folder(&names, folder);
    for (size_t i = 0; i < names.count; i++)
        found |= has_extension(names.items[i], video_extensions);
    text_list_free(&names);
    return found;
}

/* Arrays count where there are no pictures: beside pictures they are something else, such as masks. */
static void add_named_folder(input_list *list, const char *folder, int recursive) {
    size_t before = list->count;
    int failed = list->failed;
    add_folder(list, folder, "", recursive, picture_extensions);
    if (list->count > before || list->failed > failed) return;
    add_folder(list, folder, "", recursive, array_extensions);
    if (list->count > before || list->failed > failed) return;
    message("%s: no pictures (.jpg, .jpeg, .png, .npy) in this folder%s", folder,
            has_videos(folder) ? "; its videos must be named, as with a pattern in quotes"
            : recursive        ? ""
                               : "; --recursive looks into the folders below it");
    list->failed++;
}

/* ---------------------------------------------------------------------------- other arguments */

static void add_path(input_list *list, const char *path, int recursive) {
    if (path_is_folder(path))
        add_named_folder(list, path, recursive);
    else
        add_file(list, path, is_video(path)); /* one that is missing fails when read */
}

static void add_pattern(input_list *list, const char *pattern, int recursive) {
    glob_t found;
    int result = glob(pattern, 0, NULL, &found);
    if (result == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) add_path(list, found.gl_pathv[i], recursive);
    } else {
        message("%s: %s", pattern,
                result == GLOB_NOMATCH ? "no file matches this pattern"
                                       : "can't look for files of this pattern");
        list->failed++;
    }
    globfree(&found);
}

static int has_stdin(const input_list *list) {
    for (size_t i = 0; i < list->count; i++)
        if (!list->items[i].path) return 1;
    return 0;
}

static void add_argument(input_list *list, const char *given, int recursive) {
    if (strcmp(given, "-") == 0) {
        if (!has_stdin(list)) {
            add(list, NULL, "stdin");
        } else {
            message("-: standard input can be read only once");
            list->failed++;
        }
    } else if (*given == 0) {
        message("an input's name is empty");
        list->failed++;
    } else if (!path_exists(given) && strpbrk(given, "*?[")) {
        add_pattern(list, given, recursive);
    } else {
        add_path(list, given, recursive);
    }
}

/* ------------------------------------------------------------------------------ stems and ids */

/* A set of texts that belong to others: open addressing, at most half full. */
typedef struct text_set {
    size_t size;
    const char **slots;
} text_set;

static size_t hash_text(const char *text) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    while (*text) hash = (hash ^ (unsigned char)*text++) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32);
}

/* 1 when the text was not there before. */
static int set_add(text_set *set, const char *text) {
    size_t at = hash_text(text) & (set->size - 1);
    while (set->slots[at]) {
        if (strcmp(set->slots[at], text) == 0) return 0;
        at = (at + 1) & (set->size - 1);
    }
    set->slots[at] = text;
    return 1;
}

static text_set set_create(size_t count) {
    text_set set = {4, NULL};
    while (set.size < 2 * count) set.size *= 2;
    set.slots = text_grow(NULL, set.size, sizeof *set.slots);
    for (size_t i = 0; i < set.size; i++) set.slots[i] = NULL;
    return set;
}

/* Adds _2, _3, ... to stems that are taken already. */
static void name_outputs(input_list *list, const char *reserved) {
    text_set taken = set_create(list->count + 1);
    if (reserved) set_add(&taken, reserved);
    for (size_t i = 0; i < list->count; i++) {
        char *stem = path_stem(list->items[i].name);
        char *unique = text_copy(stem);
        for (int n = 2; !set_add(&taken, unique); n++) {
            free(unique);
            unique = text_format("%s_%d", stem, n);
        }
        free(stem);
        list->items[i].stem = unique;
    }
    free(taken.slots);
}

/* The number that a file's name is ("000000000139.jpg"), or -1. */
static int64_t number_of(const input *in) {
    char *stem = path_stem(in->name);
    size_t digits = strspn(stem, "0123456789");
    int64_t number = -1;
    if (digits && !stem[digits]) {
        errno = 0;
        number = strtoll(stem, NULL, 10);
        if (errno) number = -1;
    }
    free(stem);
    return number;
}

static int compare_numbers(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int are_different_numbers(const int64_t *numbers, size_t count) {
    int64_t *sorted = text_grow(NULL, count, sizeof *sorted);
    memcpy(sorted, numbers, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_numbers);
    int different = sorted[0] >= 0;
    for (size_t i = 1; i < count; i++) different &= sorted[i] != sorted[i - 1];
    free(sorted);
    return different;
}

static void number_images(input_list *list) {
    size_t count = 0, pictures = list->count - list->videos;
    if (!pictures) return;
    int64_t *numbers = text_grow(NULL, pictures, sizeof *numbers);
    for (size_t i = 0; i < list->count; i++)
        if (!list->items[i].is_video) numbers[count++] = number_of(&list->items[i]);
    int use_names = are_different_numbers(numbers, count);
    count = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].is_video) continue;
        list->items[i].id = use_names ? numbers[count] : (int64_t)count + 1;
        count++;
    }
    free(numbers);
}

/* -------------------------------------------------------------------------------------- all */

void inputs_expand(input_list *list, const arguments *given, int recursive, const char *reserved) {
    memset(list, 0, sizeof *list);
    for (int i = 0; i < given->count; i++) add_argument(list, given->items[i], recursive);
    name_outputs(list, reserved);
    number_images(list);
}

void inputs_free(input_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].path);
        free(list->items[i].name);
        free(list->items[i].stem);
    }
    free(list->items);
    memset(list, 0, sizeof *list);
}
