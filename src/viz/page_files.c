/* page_files.c - the files of a page: each is written beside its place as soon as it is known, so that
 * pictures take no memory, and all get their names in the end. */
#include "viz/page.h"

#include "base/file.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *mr_page_part(const mrcnn_page *page, const char *file, mrcnn_error *err) {
    char *path = mr_format("%s/%s", page->folder, file);
    char *part = path ? mr_file_part_name(path) : NULL;
    char *named = part ? mr_format("%s.png", part) : NULL; /* charts go by the ending */
    if (!named) mr_fail_memory(err, strlen(file), "a file's name");
    free(path);
    free(part);
    return named;
}

mrcnn_status mr_page_keep(mrcnn_page *page, const char *file, char *part, mrcnn_error *err) {
    char *path = mr_format("%s/%s", page->folder, file);
    mr_page_file *files = mr_realloc(page->files, page->file_count + 1, sizeof *files);
    if (files) page->files = files;
    if (!path || !files) {
        unlink(part);
        free(part);
        free(path);
        return mr_fail_memory(err, strlen(file), "a file's name");
    }
    page->files[page->file_count++] = (mr_page_file){path, part};
    return MRCNN_OK;
}

mrcnn_status mr_page_keep_bytes(mrcnn_page *page, const char *file, const void *bytes,
                                size_t length, mrcnn_error *err) {
    char *part = mr_page_part(page, file, err);
    if (!part) return MRCNN_E_MEMORY;
    mrcnn_status status = mr_file_put(part, bytes, length, err);
    if (status == MRCNN_OK) return mr_page_keep(page, file, part, err);
    free(part);
    return status;
}

mrcnn_status mr_page_commit(mrcnn_page *page, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    size_t done = 0;
    char *is_new = mr_calloc(page->file_count, 1);
    if (!is_new) return mr_fail_memory(err, page->file_count, "a page's files");
    for (; done < page->file_count && status == MRCNN_OK; done++) {
        mr_page_file *file = &page->files[done];
        struct stat info;
        is_new[done] = lstat(file->path, &info) != 0;
        status = mr_file_commit(file->part, file->path, err);
        free(file->part); /* it is in its place, or gone */
        file->part = NULL;
    }
    for (size_t i = 0; status != MRCNN_OK && i < done; i++)
        if (is_new[i]) unlink(page->files[i].path);
    free(is_new);
    return status;
}

void mr_page_drop_files(mrcnn_page *page) {
    for (size_t i = 0; i < page->file_count; i++) {
        if (page->files[i].part) unlink(page->files[i].part);
        free(page->files[i].part);
        free(page->files[i].path);
    }
    free(page->files);
    page->files = NULL;
    page->file_count = 0;
}
