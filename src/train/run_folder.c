/* run_folder.c - see run_folder.h: making run folders and finding them. */
#include "train/run_folder.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DATE = 13,      /* 20261121T0309 */
    MOST_TRIES = 60 /* runs of a name that begin within one minute */
};

void mr_run_folder_free(mr_run_folder *run) {
    if (!run) return;
    free(run->path);
    *run = (mr_run_folder){0};
}

/* \w of Python's patterns, in which letters beyond ASCII count too. */
static int is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || (unsigned char)c >= 0x80;
}

void mr_run_name(char run_name[MR_RUN_NAME], const char *name) {
    size_t n = 0;
    for (; name[n] && n + 1 < MR_RUN_NAME; n++) {
        char c = name[n];
        run_name[n] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : is_word(c) ? c : '_';
    }
    run_name[n] = 0;
}

static mrcnn_status take_name(mr_run_folder *run, const char *name, mrcnn_error *err) {
    mr_run_name(run->name, name);
    if (run->name[0]) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_CONFIG,
                   "NAME: is not set, and names the folder and the checkpoints of a training; set "
                   "it to a word");
}

/* Rights and read-only file systems show when a file is made, no earlier. */
static mrcnn_status probe(const char *folder, mrcnn_error *err) {
    char *inside = mr_format("%s/probe", folder);
    char *part = inside ? mr_file_part_name(inside) : NULL;
    mrcnn_status status = MRCNN_OK;
    int fd = part ? open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666) : -1;
    if (!part)
        status = mr_fail_memory(err, strlen(folder), "a file name");
    else if (fd < 0)
        status = mr_fail(err, MRCNN_E_IO, "%s: can't write into this folder: %s", folder,
                         strerror(errno));
    if (fd >= 0) {
        close(fd);
        unlink(part);
    }
    free(part);
    free(inside);
    return status;
}

/* ------------------------------------------------------------------------------------- folders */

static void next_minute(struct tm *t) {
    t->tm_min++;
    t->tm_isdst = -1;
    mktime(t);
}

/* mkdir takes a name for one process alone. */
static mrcnn_status make_folder(mr_run_folder *run, const char *logs, const struct tm *now,
                                mrcnn_error *err) {
    struct tm t = *now;
    for (int tries = 0; tries < MOST_TRIES; tries++) {
        run->path = mr_format("%s/%s%04d%02d%02dT%02d%02d", logs, run->name, t.tm_year + 1900,
                              t.tm_mon + 1, t.tm_mday, t.tm_hour, t.tm_min);
        if (!run->path) return mr_fail_memory(err, strlen(logs), "a folder name");
        if (mkdir(run->path, 0777) == 0) return MRCNN_OK;
        if (errno != EEXIST)
            return mr_fail(err, MRCNN_E_IO, "%s: can't make this folder: %s", run->path,
                           strerror(errno));
        free(run->path);
        run->path = NULL;
        next_minute(&t);
    }
    return mr_fail(err, MRCNN_E_IO, "%s: %d runs of %s have begun in this minute already", logs,
                   MOST_TRIES, run->name);
}

mrcnn_status mr_run_folder_create(mr_run_folder *run, const char *logs, const char *name,
                                  const struct tm *now, mrcnn_error *err) {
    mr_run_folder fresh = {0};
    mrcnn_status status = take_name(&fresh, name, err);
    if (status == MRCNN_OK) status = mr_make_directories(logs, err);
    if (status == MRCNN_OK) status = make_folder(&fresh, logs, now, err);
    if (status == MRCNN_OK) status = probe(fresh.path, err);
    if (status == MRCNN_OK)
        *run = fresh;
    else
        mr_run_folder_free(&fresh);
    return status;
}

mrcnn_status mr_run_folder_open(mr_run_folder *run, const char *folder, const char *name,
                                mrcnn_error *err) {
    mr_run_folder found = {.path = mr_strdup(folder)};
    if (!found.path) return mr_fail_memory(err, strlen(folder), "a folder name");
    for (size_t n = strlen(folder); n > 1 && found.path[n - 1] == '/'; n--) found.path[n - 1] = 0;
    mrcnn_status status = take_name(&found, name, err);
    if (status == MRCNN_OK) status = probe(found.path, err);
    if (status == MRCNN_OK)
        *run = found;
    else
        mr_run_folder_free(&found);
    return status;
}

mrcnn_status mr_sync_folder(const char *folder, mrcnn_error *err) {
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return mr_fail(err, MRCNN_E_IO, "%s: can't open it: %s", folder, strerror(errno));
    int failed = fsync(fd);
    /* Some file systems can't sync folders and say so: they keep names in another way. */
    if (failed && (errno == EINVAL || errno == EROFS || errno == ENOTSUP)) failed = 0;
    int error = errno;
    close(fd);
    if (!failed) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_IO, "%s: can't be made safe on disk: %s", folder, strerror(error));
}

/* --------------------------------------------------------------------------------------- names */

static int all_digits(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (text[i] < '0' || text[i] > '9') return 0;
    return 1;
}

static int between(const char *digits, int low, int high) {
    int value = (digits[0] - '0') * 10 + digits[1] - '0';
    return value >= low && value <= high;
}

/* 1 if the text ends in a date as folders have it. */
static int ends_in_date(const char *text, size_t n) {
    if (n < DATE) return 0;
    const char *d = text + n - DATE;
    return all_digits(d, 8) && d[8] == 'T' && all_digits(d + 9, 4) && between(d + 4, 1, 12) &&
           between(d + 6, 1, 31) && between(d + 9, 0, 23) && between(d + 11, 0, 59);
}

static const char *const kind_words[] = {[MR_CHECKPOINT_INTERRUPTED] = "interrupted",
                                         [MR_CHECKPOINT_BEST] = "best",
                                         [MR_CHECKPOINT_NON_FINITE] = "nonfinite"};
enum { KINDS = sizeof kind_words / sizeof *kind_words };

char *mr_checkpoint_path(const mr_run_folder *run, mr_checkpoint_kind kind, int64_t epoch) {
    if (kind == MR_CHECKPOINT_EPOCH)
        return mr_format("%s/mask_rcnn_%s_%04lld.h5", run->path, run->name, (long long)epoch);
    return mr_format("%s/mask_rcnn_%s_%s.h5", run->path, run->name, kind_words[kind]);
}

/* The digits that end text[0, n): all of them behind a "_", the last four behind anything else.
 * -1 if there are fewer than four. */
static int64_t epoch_at_end(const char *text, size_t n) {
    enum { FEWEST = 4, MOST = 9 };
    size_t digits = 0;
    while (digits < n && all_digits(text + n - digits - 1, 1)) digits++;
    if (digits < FEWEST) return -1;
    if (digits > MOST || digits == n || text[n - digits - 1] != '_') digits = FEWEST;
    int64_t epoch = 0;
    for (const char *p = text + n - digits; p < text + n; p++) epoch = epoch * 10 + (*p - '0');
    return epoch;
}

/* What stands between `start` and `end` in the text; NULL if they don't. */
static const char *middle(const char *text, const char *start, const char *end, size_t *length) {
    size_t n = strlen(text), s = strlen(start), e = strlen(end);
    if (n < s + e || memcmp(text, start, s) != 0 || memcmp(text + n - e, end, e) != 0) return NULL;
    *length = n - s - e;
    return text + s;
}

static int is(const char *text, size_t n, const char *word) {
    return strlen(word) == n && memcmp(text, word, n) == 0;
}

int mr_checkpoint_name_parse(const char *file, const char *run_name, const char *ending,
                             mr_checkpoint_kind *kind, int64_t *epoch) {
    size_t n = 0, name = strlen(run_name);
    const char *rest = middle(file, "mask_rcnn_", ending, &n);
    if (!rest || n < name + 2 || memcmp(rest, run_name, name) != 0 || rest[name] != '_') return 0;
    rest += name + 1;
    n -= name + 1;
    *epoch = -1;
    for (int k = MR_CHECKPOINT_EPOCH + 1; k < KINDS; k++) {
        *kind = (mr_checkpoint_kind)k;
        if (is(rest, n, kind_words[k])) return 1;
    }
    *kind = MR_CHECKPOINT_EPOCH;
    if (n > 9 || !all_digits(rest, n)) return 0;
    *epoch = epoch_at_end(rest - 1, n + 1);
    return *epoch >= 0;
}

/* -------------------------------------------------------------------------------------- origin */

static size_t base_name(const char *path, size_t n) {
    while (n > 0 && path[n - 1] != '/' && path[n - 1] != '\\') n--;
    return n;
}

static int all_words(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!is_word(text[i])) return 0;
    return n > 0;
}

/* "..._word" */
static int ends_in_word(const char *text, size_t n, const char *word) {
    size_t length = strlen(word);
    return n > length && text[n - length - 1] == '_' && is(text + n - length, length, word);
}

int mr_checkpoint_origin_parse(mr_checkpoint_origin *origin, const char *path, const char *name) {
    char wanted[MR_RUN_NAME];
    mr_run_name(wanted, name);
    size_t file = base_name(path, strlen(path)), n = 0;
    if (file == 0) return 0;
    size_t folder = base_name(path, file - 1), length = file - 1 - folder;
    const char *rest = middle(path + file, "mask_rcnn_", ".h5", &n);
    if (!ends_in_date(path + folder, length) || !all_words(path + folder, length - DATE)) return 0;
    if (!rest || !all_words(rest, n)) return 0;
    int stopped = ends_in_word(rest, n, kind_words[MR_CHECKPOINT_INTERRUPTED]) ||
                  ends_in_word(rest, n, kind_words[MR_CHECKPOINT_NON_FINITE]);
    int64_t epoch = stopped || n < 5 ? -1 : epoch_at_end(rest, n);
    if (!stopped && epoch < 0) return 0;
    mr_checkpoint_kind kind;
    int64_t same;
    *origin =
        (mr_checkpoint_origin){.folder = mr_format("%.*s", (int)(file - 1), path), .epoch = epoch};
    origin->same_name = is(path + folder, length - DATE, wanted) &&
                        mr_checkpoint_name_parse(path + file, wanted, ".h5", &kind, &same);
    return origin->folder != NULL;
}

/* ------------------------------------------------------------------------------------- listing */

static int is_run(const char *entry, const char *run_name) {
    size_t n = strlen(entry);
    return ends_in_date(entry, n) && is(entry, n - DATE, run_name);
}

/* All begin with the same name, and dates of equal width sort as text. */
static int newest_first(const void *a, const void *b) {
    return strcmp(*(char *const *)b, *(char *const *)a);
}

static int append(char ***list, size_t *count, char *text) {
    char **longer = text ? mr_realloc(*list, *count + 1, sizeof **list) : NULL;
    if (!longer) {
        free(text);
        return 0;
    }
    *list = longer;
    (*list)[(*count)++] = text;
    return 1;
}

mrcnn_status mr_run_folders_list(char ***folders, size_t *count, const char *logs, const char *name,
                                 mrcnn_error *err) {
    char run_name[MR_RUN_NAME];
    char **list = NULL;
    size_t n = 0;
    mrcnn_status status = MRCNN_OK;
    mr_run_name(run_name, name);
    DIR *dir = opendir(logs);
    if (!dir && errno != ENOENT)
        return mr_fail(err, MRCNN_E_IO, "%s: can't list this folder: %s", logs, strerror(errno));
    for (struct dirent *e; dir && status == MRCNN_OK && (e = readdir(dir)) != NULL;)
        if (is_run(e->d_name, run_name) && !append(&list, &n, mr_format("%s/%s", logs, e->d_name)))
            status = mr_fail_memory(err, n * sizeof *list, "a list of folders");
    if (dir) closedir(dir);
    if (status != MRCNN_OK) {
        for (size_t i = 0; i < n; i++) free(list[i]);
        free(list);
        return status;
    }
    if (n > 1) qsort(list, n, sizeof *list, newest_first);
    *folders = list;
    *count = n;
    return MRCNN_OK;
}
