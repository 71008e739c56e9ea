/* labelme_picture.c - which picture an annotation file of LabelMe's speaks of. Its imagePath was
 * written on another machine, often another system, and pictures are moved and renamed: what it says
 * is followed as far as it stays inside of the data set, then names are compared. */
#include "data/labelme.h"

#include "base/memory.h"
#include "data/place.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static void turn_slashes(char *path) {
    for (; *path; path++)
        if (*path == '\\') *path = '/';
}

static int is_absolute(const char *path) {
    return path[0] == '/' || (isalpha((unsigned char)path[0]) && path[1] == ':');
}

/* "labels/../images/./a.jpg" becomes "images/a.jpg". 0 when it leads out. */
static int resolve(char *path) {
    size_t used = 0;
    for (const char *part = path; *part;) {
        size_t length = strcspn(part, "/");
        const char *next = part + length + (part[length] == '/');
        if (length == 2 && memcmp(part, "..", 2) == 0) {
            if (used == 0) return 0;
            do used--;
            while (used && path[used - 1] != '/');
        } else if (length > 0 && !(length == 1 && *part == '.')) {
            /* What is written is never longer than what was read. */
            memmove(path + used, part, length);
            used += length;
            if (*next) path[used++] = '/';
        }
        part = next;
    }
    path[used] = 0;
    return used > 0;
}

/* root/rest, when there is such a file. */
static char *take_file(const char *root, const char *rest) {
    char *path = mr_format("%s/%s", root, rest);
    if (path && mr_is_file(path)) return path;
    free(path);
    return NULL;
}

/* The folder's way from the root: "" or "labels/". */
static const char *way_from(const char *root, const char *folder) {
    size_t length = strlen(root);
    if (strncmp(root, folder, length) != 0 || folder[length] != '/') return "";
    return folder + length + 1;
}

/* As imagePath says. */
static char *follow(const char *root, const char *folder, char *image_path, const char **id) {
    const char *way = way_from(root, folder);
    char *rest = mr_format("%s/%s", way, image_path);
    char *path = rest && !is_absolute(image_path) && resolve(rest) ? take_file(root, rest) : NULL;
    free(rest);
    if (!path) return NULL;
    size_t length = strlen(way);
    *id = path + strlen(root) + 1;
    if (strncmp(*id, way, length) == 0 && (*id)[length] == '/') *id += length + 1;
    return path;
}

static char *find_beside(const char *folder, const char *annotations, const char *image_path,
                         const char **id) {
    const char *slash = strrchr(image_path, '/');
    const char *name = slash ? slash + 1 : image_path;
    char *path = *name && *name != '.' ? take_file(folder, name) : NULL;
    if (!path) {
        char *stem = mr_stem(annotations);
        if (stem) path = mr_find_picture(folder, stem);
        free(stem);
    }
    if (path) *id = path + strlen(folder) + 1;
    return path;
}

char *mr_labelme_picture(const char *root, const char *folder, const char *annotations,
                         const char *image_path, const char **id) {
    char *said = mr_strdup(image_path);
    if (!said) return NULL;
    turn_slashes(said);
    char *path = *said && !strstr(said, "://") ? follow(root, folder, said, id) : NULL;
    if (!path) path = find_beside(folder, annotations, said, id);
    free(said);
    return path;
}
