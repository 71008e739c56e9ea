/* identity.c - see identity.h. */
#include "base/identity.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#ifdef __APPLE__
#define CONTENT_TIME st_mtimespec
#define CHANGE_TIME st_ctimespec
#else
#define CONTENT_TIME st_mtim
#define CHANGE_TIME st_ctim
#endif

/* Kernels note times in steps of some milliseconds, old file systems in seconds or two. */
static int is_fresh(struct timespec changed) {
    struct timespec now;
    double step = changed.tv_nsec ? 0.1 : 2.1;
    clock_gettime(CLOCK_REALTIME, &now);
    double age =
        difftime(now.tv_sec, changed.tv_sec) + 1e-9 * (double)(now.tv_nsec - changed.tv_nsec);
    return age < step;
}

int mr_file_identity(const char *path, char line[MR_IDENTITY], int *fresh) {
    struct stat s;
    if (stat(path, &s) != 0) return 0;
    snprintf(
        line, MR_IDENTITY, "device %llu, inode %llu, %llu bytes, changed %lld.%09ld, %lld.%09ld",
        (unsigned long long)s.st_dev, (unsigned long long)s.st_ino, (unsigned long long)s.st_size,
        (long long)s.CONTENT_TIME.tv_sec, (long)s.CONTENT_TIME.tv_nsec,
        (long long)s.CHANGE_TIME.tv_sec, (long)s.CHANGE_TIME.tv_nsec);
    if (fresh) *fresh = is_fresh(s.CHANGE_TIME);
    return 1;
}

int mr_code_identity(char line[MR_IDENTITY]) {
    Dl_info info;
    static const char here = 0;
    return dladdr(&here, &info) && info.dli_fname && mr_file_identity(info.dli_fname, line, NULL);
}
