/* pack_folder.c - see pack_folder.h. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "model/pack_folder.h"

#include "base/memory.h"
#include "base/prng.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char suffix[] = ".packs";
static const uint64_t most_bytes = 2000000000;

char *mr_pack_path(const char *cache, const char *weights, const char *precision) {
    enum { LONGEST_STEM = 60 };
    char *real = realpath(weights, NULL);
    const char *slash = strrchr(weights, '/'), *name = slash ? slash + 1 : weights;
    size_t stem = strcspn(name, ".");
    char *path = mr_format(
        "%s/packs/%.*s-%016llx-%s%s", cache, (int)(stem < LONGEST_STEM ? stem : LONGEST_STEM), name,
        (unsigned long long)mr_prng_stream(0, real ? real : weights), precision, suffix);
    free(real);
    return path;
}

void mr_pack_touch(const char *path) {
    utimensat(AT_FDCWD, path, NULL, 0);
}

/* What the folder holds. */
typedef struct survey {
    uint64_t bytes;
    struct timespec oldest;
    char *oldest_path; /* NULL: there is none but the one that stays */
} survey;

static int is_before(struct timespec a, struct timespec b) {
    return a.tv_sec < b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec < b.tv_nsec);
}

static void count_file(survey *s, const char *path, const char *stays) {
    struct stat info;
    if (lstat(path, &info) != 0 || !S_ISREG(info.st_mode)) return;
    s->bytes += (uint64_t)info.st_size;
    if (strcmp(path, stays) == 0 || (s->oldest_path && !is_before(info.st_mtim, s->oldest))) return;
    free(s->oldest_path);
    s->oldest_path = mr_strdup(path);
    s->oldest = info.st_mtim;
}

/* Half a file of a process that was killed: nobody writes at one for an hour. */
static void remove_if_old(const char *path) {
    struct stat info;
    if (lstat(path, &info) == 0 && S_ISREG(info.st_mode) &&
        difftime(time(NULL), info.st_mtime) > 3600)
        unlink(path);
}

static survey look(const char *folder, const char *stays) {
    survey s = {0};
    const struct dirent *item;
    DIR *dir = opendir(folder);
    while (dir && (item = readdir(dir))) {
        const char *end = strstr(item->d_name, suffix);
        char *path = end ? mr_format("%s/%s", folder, item->d_name) : NULL;
        if (path && strcmp(end, suffix) == 0) count_file(&s, path, stays);
        if (path && strncmp(end, ".packs.part-", 12) == 0) remove_if_old(path);
        free(path);
    }
    if (dir) closedir(dir);
    return s;
}

void mr_pack_folder_trim(const char *path) {
    char *folder = mr_strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash) *slash = 0;
    for (int again = slash != NULL; again;) {
        survey s = look(folder, path);
        again = s.bytes > most_bytes && s.oldest_path && unlink(s.oldest_path) == 0;
        free(s.oldest_path);
    }
    free(folder);
}
