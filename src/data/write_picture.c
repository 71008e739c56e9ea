/* write_picture.c - puts a picture into a written data set: the same bytes, the same file under a
 * second name, or a drawn picture as PNG. */
#include "data/write.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_stream(FILE *from, FILE *to) {
    char bytes[1 << 15];
    size_t length;
    while ((length = fread(bytes, 1, sizeof bytes, from)) > 0)
        if (fwrite(bytes, 1, length, to) != length) return 0;
    return !ferror(from);
}

/* Not synced, as thousands of them would take minutes: the annotations, which come last, are. */
static mrcnn_status copy_to_part(const char *part, const char *from, const char *path,
                                 mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    FILE *in = fopen(from, "rb"), *out = in ? fopen(part, "wb") : NULL;
    if (!in)
        status = mr_fail(err, MRCNN_E_IO, "%s: can't open it: %s", from, strerror(errno));
    else if (!out)
        status = mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", path, strerror(errno));
    else if (!copy_stream(in, out) || fflush(out) != 0)
        status =
            mr_fail(err, MRCNN_E_IO, "%s: can't copy it to %s: %s", from, path, strerror(errno));
    if (in) fclose(in);
    if (out && fclose(out) != 0 && status == MRCNN_OK)
        status = mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", path, strerror(errno));
    return status;
}

static mrcnn_status copy_file(const char *from, const char *path, mrcnn_error *err) {
    char *part = mr_file_part_name(path);
    if (!part) return mr_fail_memory(err, strlen(path), "a file name");
    mrcnn_status status = copy_to_part(part, from, path, err);
    if (status == MRCNN_OK && rename(part, path) != 0)
        status = mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", path, strerror(errno));
    if (status != MRCNN_OK) unlink(part);
    free(part);
    return status;
}

static mrcnn_status draw_file(const mr_dataset *set, size_t index, const char *path,
                              mrcnn_error *err) {
    mrcnn_image image = {0};
    mrcnn_status status = mr_dataset_read(set, index, &image, err);
    if (status == MRCNN_OK) status = mrcnn_image_write(&image, path, err);
    mrcnn_image_free(&image);
    return status;
}

mrcnn_status mr_put_picture(const mr_dataset *set, size_t index, const char *path, int link,
                            mrcnn_error *err) {
    const char *from = set->pictures[index].path;
    struct stat info;
    mrcnn_status status = mr_make_folder_of(path, err);
    if (status != MRCNN_OK) return status;
    if (lstat(path, &info) == 0)
        return mr_fail(err, MRCNN_E_ARGUMENT, "%s: is there already: choose a folder without it",
                       path);
    if (!mr_dataset_is_file(set, index)) return draw_file(set, index, path, err);
    /* Other file systems, and some that know no links: then it is a copy. */
    if (link && linkat(AT_FDCWD, from, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) return MRCNN_OK;
    return copy_file(from, path, err);
}

void mr_take_away(const char *path, const char *root) {
    char *folder = mr_strdup(path);
    size_t end = strlen(root);
    unlink(path);
    while (folder) {
        char *slash = strrchr(folder, '/');
        if (!slash || (size_t)(slash - folder) <= end) break;
        *slash = 0;
        if (rmdir(folder) != 0) break; /* something else is in it */
    }
    free(folder);
}
