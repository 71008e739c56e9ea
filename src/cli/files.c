/* files.c - see files.h. */
#include "files.h"

#include "message.h"
#include "text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ------------------------------------------------------------------------------------- paths */

char *path_join(const char *folder, const char *name) {
    size_t length = strlen(folder);
    return text_format("%s%s%s", folder, length && folder[length - 1] != '/' ? "/" : "", name);
}

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

char *path_name(const char *path) {
    return text_copy(name_of(path));
}

const char *path_extension(const char *path) {
    const char *name = name_of(path), *dot = strrchr(name, '.');
    return dot && dot != name ? dot : name + strlen(name);
}

char *path_stem(const char *path) {
    const char *name = name_of(path);
    return text_copy_part(name, (size_t)(path_extension(path) - name));
}

int path_is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

int path_exists(const char *path) {
    struct stat info;
    return lstat(path, &info) == 0;
}

int path_is_plain(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* From absolute paths without links and dots: up to the last common folder, then down. */
static char *relative(const char *folder, const char *path) {
    size_t common = 0, i = 0;
    for (; folder[i] && folder[i] == path[i]; i++)
        if (folder[i] == '/') common = i + 1;
    if (folder[i] == 0 && path[i] == '/') common = i + 1;
    size_t length = strlen(folder);
    char *result = text_copy("");
    for (size_t at = common; at < length; at++) {
        if (at > common && folder[at - 1] != '/') continue;
        char *up = text_format("../%s", result);
        free(result);
        result = up;
    }
    char *whole = text_format("%s%s", result, path + common);
    free(result);
    return whole;
}

char *path_from(const char *folder, const char *path) {
    char *from = realpath(folder, NULL), *to = realpath(path, NULL);
    char *result = from && to ? relative(strcmp(from, "/") == 0 ? "" : from, to) : text_copy(path);
    free(from);
    free(to);
    return result;
}

int make_folders(const char *path) {
    char *copy = text_copy(path);
    int failed = 0;
    for (char *end = copy + 1; !failed; end++) {
        if (*end != '/' && *end) continue;
        char kept = *end;
        *end = 0;
        failed = mkdir(copy, 0777) != 0 && !path_is_folder(copy);
        *end = kept;
        if (!kept) break;
    }
    if (failed)
        message("%s: can't make this folder: %s", path,
                errno == EEXIST ? "a file of that name is in the way" : strerror(errno));
    free(copy);
    return failed ? -1 : 0;
}

/* ------------------------------------------------------------------------------------- files */

static int fail_write(new_file *file, int number) {
    message("%s: can't write it: %s", file->path, strerror(number));
    new_file_abandon(file);
    return -1;
}

int new_file_open(new_file *file, const char *path) {
    file->path = text_copy(path);
    file->part = text_format("%s.part-%ld", path, (long)getpid());
    file->stream = fopen(file->part, "wb");
    return file->stream ? 0 : fail_write(file, errno);
}

int new_file_commit(new_file *file) {
    /* ferror first: an earlier write may have failed although the last one would pass. */
    int failed = ferror(file->stream) || fflush(file->stream) != 0, number = errno;
    if (!failed && fsync(fileno(file->stream)) != 0 && errno != EINVAL && errno != EROFS) {
        failed = 1;
        number = errno;
    }
    if (fclose(file->stream) != 0 && !failed) {
        failed = 1;
        number = errno;
    }
    file->stream = NULL;
    if (!failed && rename(file->part, file->path) != 0) {
        failed = 1;
        number = errno;
    }
    if (failed) return fail_write(file, number ? number : EIO);
    free(file->part);
    file->part = NULL;
    new_file_abandon(file);
    return 0;
}

void new_file_abandon(new_file *file) {
    if (file->stream) fclose(file->stream);
    if (file->part) unlink(file->part);
    free(file->part);
    free(file->path);
    memset(file, 0, sizeof *file);
}

int read_stream(FILE *stream, const char *name, size_t limit, void **bytes, size_t *length,
                char **problem) {
    char *buffer = NULL;
    size_t used = 0, room = 0;
    for (;;) {
        if (used == room) {
            room = room ? 2 * room : 1 << 16;
            buffer = text_grow(buffer, room, 1);
        }
        size_t got = fread(buffer + used, 1, room - used, stream);
        used += got;
        if (got == 0 || used > limit) break;
    }
    if (ferror(stream))
        *problem = text_format("%s: can't read it: %s", name, strerror(errno));
    else if (used > limit)
        *problem = text_format("%s: larger than %zu bytes, the most that is read", name, limit);
    if (ferror(stream) || used > limit) {
        free(buffer);
        return -1;
    }
    *bytes = buffer;
    *length = used;
    return 0;
}

char *read_text_file(const char *path) {
    enum { LARGEST_TEXT = 16 << 20 };
    FILE *stream = path_is_folder(path) ? NULL : fopen(path, "rb");
    if (!stream) {
        message("%s: can't open it: %s", path,
                path_is_folder(path) ? "it is a folder" : strerror(errno));
        return NULL;
    }
    void *bytes = NULL;
    size_t length = 0;
    char *problem = NULL;
    int failed = read_stream(stream, path, LARGEST_TEXT, &bytes, &length, &problem);
    fclose(stream);
    if (failed) {
        message("%s", problem);
        free(problem);
        return NULL;
    }
    char *text = text_grow(bytes, length + 1, 1);
    text[length] = 0;
    return text;
}
