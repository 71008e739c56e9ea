/* file.c - see file.h. */
#include "base/file.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static mrcnn_status read_stream(FILE *file, const char *path, size_t limit, void **bytes,
                                size_t *length, mrcnn_error *err) {
    size_t used = 0, room = 1 << 16;
    char *buffer = malloc(room + 1);
    if (!buffer) return mr_fail_memory(err, room, path);
    for (;;) {
        used += fread(buffer + used, 1, room - used, file);
        if (used < room) break;
        if (limit && used > limit) break;
        char *larger = mr_realloc(buffer, room * 2 + 1, 1);
        if (!larger) {
            free(buffer);
            return mr_fail_memory(err, room * 2, path);
        }
        buffer = larger;
        room *= 2;
    }
    if (ferror(file)) {
        free(buffer);
        return mr_fail(err, MRCNN_E_IO, "%s: can't read it: %s", path, strerror(errno));
    }
    if (limit && used > limit) {
        free(buffer);
        return mr_fail(err, MRCNN_E_FORMAT, "%s: larger than %zu bytes, the most that is read",
                       path, limit);
    }
    buffer[used] = 0;
    *bytes = buffer;
    *length = used;
    return MRCNN_OK;
}

mrcnn_status mr_file_read(const char *path, size_t limit, void **bytes, size_t *length,
                          mrcnn_error *err) {
    FILE *file = fopen(path, "rb");
    if (!file) return mr_fail(err, MRCNN_E_IO, "%s: can't open it: %s", path, strerror(errno));
    struct stat info;
    mrcnn_status status = MRCNN_OK;
    if (fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode))
        status = mr_fail(err, MRCNN_E_IO, "%s: is a folder, not a file", path);
    if (status == MRCNN_OK) status = read_stream(file, path, limit, bytes, length, err);
    fclose(file);
    return status;
}

mrcnn_status mr_file_check_plain(const char *path, mrcnn_error *err) {
    struct stat info;
    if (stat(path, &info) != 0 || S_ISREG(info.st_mode)) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_IO, "%s: is %s", path,
                   S_ISDIR(info.st_mode) ? "a folder, not a file" : "no plain file");
}

char *mr_file_part_name(const char *path) {
    static atomic_uint counter; /* only makes names differ between threads */
    return mr_format("%s.part-%ld-%u", path, (long)getpid(), atomic_fetch_add(&counter, 1u));
}

static int sync_file(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    int failed = fsync(fd);
    /* Some file systems can't sync and say so; that is not a failure to write. */
    if (failed && (errno == EINVAL || errno == EROFS || errno == ENOTSUP)) failed = 0;
    int saved = errno;
    close(fd);
    errno = saved;
    return failed;
}

/* Something exists there that renaming must not replace: root may put a file in /dev/null's place.
 */
static int is_special(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

mrcnn_status mr_file_commit(const char *part, const char *path, mrcnn_error *err) {
    mrcnn_status status;
    if (is_special(path))
        status = mr_fail(err, MRCNN_E_IO, "%s: is no plain file, so it can't be replaced", path);
    else if (sync_file(part) == 0 && rename(part, path) == 0)
        return MRCNN_OK;
    else
        status = mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", path, strerror(errno));
    unlink(part);
    return status;
}

/* Writes to what `opened` names; messages speak of `path`. */
static mrcnn_status write_bytes(const char *opened, const char *path, const void *bytes,
                                size_t length, mrcnn_error *err) {
    FILE *file = fopen(opened, "wb");
    if (!file) return mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", path, strerror(errno));
    int failed = fwrite(bytes, 1, length, file) != length || fflush(file) != 0;
    int saved = errno;
    if (fclose(file) != 0 && !failed) {
        failed = 1;
        saved = errno;
    }
    if (!failed) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", path, strerror(saved));
}

mrcnn_status mr_file_write(const char *path, const void *bytes, size_t length, mrcnn_error *err) {
    if (is_special(path)) return write_bytes(path, path, bytes, length, err);
    char *part = mr_file_part_name(path);
    if (!part) return mr_fail_memory(err, strlen(path), "a file name");
    mrcnn_status status = write_bytes(part, path, bytes, length, err);
    if (status == MRCNN_OK)
        status = mr_file_commit(part, path, err);
    else
        unlink(part);
    free(part);
    return status;
}

mrcnn_status mr_file_put(const char *path, const void *bytes, size_t length, mrcnn_error *err) {
    char *part = mr_file_part_name(path);
    if (!part) return mr_fail_memory(err, strlen(path), "a file name");
    mrcnn_status status = write_bytes(part, path, bytes, length, err);
    if (status == MRCNN_OK && rename(part, path) != 0)
        status = mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", path, strerror(errno));
    if (status != MRCNN_OK) unlink(part);
    free(part);
    return status;
}

mrcnn_status mr_make_directories(const char *path, mrcnn_error *err) {
    char *copy = mr_strdup(path);
    if (!copy) return mr_fail_memory(err, strlen(path), "a folder name");
    mrcnn_status status = MRCNN_OK;
    for (char *p = copy; status == MRCNN_OK; p++) {
        if ((*p != '/' || p == copy) && *p != 0) continue;
        char end = *p;
        *p = 0;
        struct stat info;
        if (mkdir(copy, 0777) != 0 &&
            !(errno == EEXIST && stat(copy, &info) == 0 && S_ISDIR(info.st_mode)))
            status = mr_fail(err, MRCNN_E_IO, "%s: can't make this folder: %s", copy,
                             errno == EEXIST ? "there is a file of that name" : strerror(errno));
        *p = end;
        if (!end) break;
    }
    free(copy);
    return status;
}

mrcnn_status mr_make_folder_of(const char *path, mrcnn_error *err) {
    char *folder = mr_strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    mrcnn_status status = folder ? MRCNN_OK : mr_fail_memory(err, strlen(path), "a path");
    if (slash && slash != folder) {
        *slash = 0;
        status = mr_make_directories(folder, err);
    }
    free(folder);
    return status;
}
