/* fetch.c - see fetch.h. A download grows in FILE.part, locked against other downloads of the same
 * file, and is renamed once it is checked. After a broken connection it goes on from there if a
 * checksum will tell whether both parts belong together; without one it starts anew.
 */
#define _DEFAULT_SOURCE /* flock: unlike fcntl's locks it also keeps threads apart */
#include "weights/fetch.h"

#include "base/cache.h"
#include "base/error.h"
#include "base/options.h"

#include <string.h>

mrcnn_fetch_options mrcnn_fetch_options_default(void) {
    return (mrcnn_fetch_options){.size = sizeof(mrcnn_fetch_options), .stall_seconds = 30};
}

#ifdef MRCNN_WITH_CURL
#include "base/file.h"
#include "base/memory.h"
#include "base/prng.h"
#include "weights/checksum.h"
#include "weights/download.h"
#include "weights/published.h"
#include "weights/weights.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static mrcnn_status check_weights(const char *path, mrcnn_error *err) {
    mr_tensors *set = NULL;
    mrcnn_status status = mr_weights_read(&set, NULL, path, err);
    mr_tensors_free(&set);
    return status;
}

static mrcnn_status check_sum(const char *path, const char *md5, mrcnn_error *err) {
    char digits[33] = "";
    mrcnn_status status = mr_file_md5(digits, path, err);
    if (status != MRCNN_OK || strcmp(digits, md5) == 0) return status;
    return mr_fail(err, MRCNN_E_NETWORK, "its checksum is %s and should be %s", digits, md5);
}

static mrcnn_status check_content(const char *path, const mr_source *source, mrcnn_error *err) {
    return source->md5 ? check_sum(path, source->md5, err) : check_weights(path, err);
}

static int is_cached(const char *path, const mr_source *source) {
    return access(path, F_OK) == 0 && check_content(path, source, NULL) == MRCNN_OK;
}

/* Whether the open file still is the one of that name. */
static int same_file(int fd, const char *path) {
    struct stat open_one, named;
    return fstat(fd, &open_one) == 0 && stat(path, &named) == 0 &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

/* Opens and locks the part. Another download may rename it between the two: then once more. */
static mrcnn_status open_part(int *fd, const char *part, mrcnn_error *err) {
    for (int tries = 0; tries < 10; tries++) {
        *fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (*fd < 0)
            return mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", part, strerror(errno));
        int locked = flock(*fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
        if (locked && same_file(*fd, part)) return MRCNN_OK;
        close(*fd);
        *fd = -1;
        if (!locked) break;
    }
    return mr_fail(err, MRCNN_E_IO,
                   "%s: another download is writing this file just now; wait until it is done",
                   part);
}

static mrcnn_status empty_part(int fd, const char *part, mrcnn_error *err) {
    if (ftruncate(fd, 0) == 0) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_IO, "%s: can't write it: %s", part, strerror(errno));
}

static uint64_t size_of(int fd) {
    struct stat info;
    return fstat(fd, &info) == 0 && info.st_size > 0 ? (uint64_t)info.st_size : 0;
}

/* Brings the part to its whole length. */
static mrcnn_status fill_part(int fd, const char *part, const mr_source *source,
                              const mrcnn_fetch_options *options, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    int unresumable = 0;
    if (!source->md5) status = empty_part(fd, part, err);
    uint64_t have = size_of(fd);
    /* Stopped after the last byte but before it was renamed. */
    if (have > 0 && check_content(part, source, NULL) == MRCNN_OK) return MRCNN_OK;
    if (status == MRCNN_OK) status = mr_download(fd, source->url, have, &unresumable, options, err);
    if (unresumable) {
        status = empty_part(fd, part, err);
        if (status == MRCNN_OK)
            status = mr_download(fd, source->url, 0, &unresumable, options, err);
    }
    return status;
}

/* What does not pass the check is of no use to resume either. */
static mrcnn_status accept_part(const char *part, const char *path, const mr_source *source,
                                mrcnn_error *err) {
    mrcnn_error why = MRCNN_ERROR_INIT;
    mrcnn_status status = check_content(part, source, &why);
    if (status == MRCNN_OK) return mr_file_commit(part, path, err);
    unlink(part);
    return mr_fail(err, status == MRCNN_E_FORMAT ? MRCNN_E_NETWORK : status,
                   "%s: what was downloaded is not the file wanted and was removed; try again (%s)",
                   source->url, why.message);
}

/* A broken download is kept if it can be resumed, and then the message says so. */
static void keep_or_remove(int fd, const char *part, const mr_source *source, mrcnn_error *err) {
    if (size_of(fd) == 0 || !source->md5) {
        unlink(part);
    } else if (err) {
        size_t used = strlen(err->message);
        snprintf(err->message + used, sizeof err->message - used,
                 "; the next try goes on from the %llu bytes that there are",
                 (unsigned long long)size_of(fd));
    }
}

static mrcnn_status fetch_into(const char *path, const char *part, const mr_source *source,
                               const mrcnn_fetch_options *options, mrcnn_error *err) {
    int fd = -1;
    mrcnn_status status = open_part(&fd, part, err);
    if (status != MRCNN_OK) return status;
    status = fill_part(fd, part, source, options, err);
    if (status == MRCNN_OK)
        status = accept_part(part, path, source, err);
    else
        keep_or_remove(fd, part, source, err);
    close(fd);
    return status;
}

mrcnn_status mr_fetch_file(char **path, const mr_source *source, const char *directory,
                           const mrcnn_fetch_options *options, mrcnn_error *err) {
    mrcnn_status status = mr_make_directories(directory, err);
    if (status != MRCNN_OK) return status;
    char *whole = mr_format("%s/%s", directory, source->file);
    char *part = whole ? mr_format("%s.part", whole) : NULL;
    if (!part)
        status = mr_fail_memory(err, strlen(directory), "a file name");
    else if (!is_cached(whole, source))
        status = fetch_into(whole, part, source, options, err);
    free(part);
    if (status == MRCNN_OK)
        *path = whole;
    else
        free(whole);
    return status;
}

/* Files from elsewhere get names of their own: they are never taken for the published ones. */
static char *file_name(const mr_published *published, const char *url) {
    if (!url) return mr_strdup(published->file);
    return mr_format("%s-%08lx.h5", published->name,
                     (unsigned long)(mr_prng_stream(0, url) & 0xFFFFFFFFu));
}

static mrcnn_status read_options(mrcnn_fetch_options *own, const mrcnn_fetch_options *given,
                                 mrcnn_error *err) {
    *own = mrcnn_fetch_options_default();
    mrcnn_status status = mr_take_options(own, sizeof *own, given, "mrcnn_fetch_options", err);
    if (status != MRCNN_OK) return status;
    if (own->stall_seconds < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "stall_seconds is %d; it must be at least 1",
                       own->stall_seconds);
    return MRCNN_OK;
}

static mrcnn_status unknown_name(const char *name, mrcnn_error *err) {
    return mr_fail(err, MRCNN_E_ARGUMENT,
                   "%.100s: no published weights have this name; there are coco, balloon and "
                   "imagenet",
                   name);
}

mrcnn_status mrcnn_weights_fetch(char **path, const char *name, const mrcnn_fetch_options *options,
                                 mrcnn_error *err) {
    if (!path || !name)
        return mr_fail(err, MRCNN_E_ARGUMENT, "fetching weights needs a name and a place");
    const mr_published *published = mr_published_find(name);
    if (!published) return unknown_name(name, err);
    mrcnn_fetch_options own;
    mrcnn_status status = read_options(&own, options, err);
    if (status != MRCNN_OK) return status;

    char *directory = NULL, *file = file_name(published, own.url);
    if (!file)
        status = mr_fail_memory(err, strlen(name), "a file name");
    else if (own.directory)
        directory = mr_strdup(own.directory);
    else
        status = mr_cache_directory(&directory, err);
    if (status == MRCNN_OK && !directory) status = mr_fail_memory(err, 64, "a folder name");
    mr_source source = {own.url ? own.url : published->url, file, own.url ? NULL : published->md5};
    if (status == MRCNN_OK) status = mr_fetch_file(path, &source, directory, &own, err);
    free(directory);
    free(file);
    return status;
}
#else
mrcnn_status mr_fetch_file(char **path, const mr_source *source, const char *directory,
                           const mrcnn_fetch_options *options, mrcnn_error *err) {
    (void)path;
    (void)directory;
    (void)options;
    return mr_fail(err, MRCNN_E_UNSUPPORTED,
                   "%s: this build can't download (it was made without libcurl); get the file "
                   "with a browser and give its path",
                   source->url);
}

mrcnn_status mrcnn_weights_fetch(char **path, const char *name, const mrcnn_fetch_options *options,
                                 mrcnn_error *err) {
    mr_source source = {name ? name : "", NULL, NULL};
    return mr_fetch_file(path, &source, NULL, options, err);
}
#endif
