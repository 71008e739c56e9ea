/* identity.c - see identity.h. */
#include "base/identity.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
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

/* 1 when the line of /proc/self/maps is about that address and the file is still there. *path: within the line. */
static int is_code(char *line, uintptr_t address, const char **path) {
    unsigned long long first, end, inode;
    struct stat s;
    int at = 0;
    if (sscanf(line, "%llx-%llx %*s %*s %*s %llu %n", &first, &end, &inode, &at) != 3 || !at)
        return 0;
    if (address < first || address >= end) return 0;
    line[strcspn(line, "\n")] = 0;
    *path = line + at;
    return stat(*path, &s) == 0 && s.st_ino == inode;
}

int mr_code_identity(char line[MR_IDENTITY]) {
    static const char here = 0;
    char about[4200];
    const char *path = NULL;
    int found = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (maps && !found && fgets(about, sizeof about, maps))
        found = is_code(about, (uintptr_t)&here, &path);
    if (maps) fclose(maps);
    return found && mr_file_identity(path, line, NULL);
}
