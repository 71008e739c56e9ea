/* tuning.c - see tuning.h. The file: a line that names the format, one that names the machine, then a line a
 * choice, with a tab between key and choice. */
#include "graph/tuning.h"

#include "base/error.h"
#include "base/file.h"
#include "base/machine.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const char *const format = "mrcnn tuning 1";

enum { MOST_BYTES = 1 << 20, MOST_ENTRIES = 4096, MACHINE = 256 };

typedef struct entry {
    char key[MR_TUNING_TEXT], choice[MR_TUNING_TEXT];
} entry;

struct mr_tuning {
    char *path;
    char machine[MACHINE];
    entry *entries;
    size_t count;
    int changed;
};

/* The text up to the next tab or line end, which must be `end`; NULL: it isn't. *text goes on behind it. */
static const char *take_part(char **text, char end) {
    char *begin = *text, *stop = begin + strcspn(begin, "\t\n");
    if (*stop != end) return NULL;
    *stop = 0;
    *text = stop + 1;
    return begin;
}

static entry *find(const mr_tuning *t, const char *key) {
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->entries[i].key, key) == 0) return &t->entries[i];
    return NULL;
}

/* Room for one more; NULL: there is none. */
static entry *grow(mr_tuning *t) {
    if (t->count == MOST_ENTRIES) return NULL;
    entry *entries = mr_realloc(t->entries, t->count + 1, sizeof *entries);
    if (!entries) return NULL;
    t->entries = entries;
    return &entries[t->count++];
}

static void set(mr_tuning *t, const char *key, const char *choice) {
    if (strlen(key) >= MR_TUNING_TEXT || strlen(choice) >= MR_TUNING_TEXT) return;
    entry *e = find(t, key);
    if (!e) e = grow(t);
    if (!e) return;
    strcpy(e->key, key);
    strcpy(e->choice, choice);
}

/* Lines up to the first one that is none. */
static void parse(mr_tuning *t, char *text) {
    const char *first = take_part(&text, '\n'), *machine = first ? take_part(&text, '\n') : NULL;
    if (!machine || strcmp(first, format) != 0 || strcmp(machine, t->machine) != 0) return;
    while (*text) {
        const char *key = take_part(&text, '\t');
        const char *choice = key ? take_part(&text, '\n') : NULL;
        if (!choice) return;
        if (!find(t, key)) set(t, key, choice);
    }
}

static void read_file(mr_tuning *t) {
    void *bytes = NULL;
    size_t length = 0;
    if (mr_file_read(t->path, MOST_BYTES, &bytes, &length, NULL) == MRCNN_OK) parse(t, bytes);
    free(bytes);
}

mrcnn_status mr_tuning_open(mr_tuning **tuning, const char *directory, mrcnn_error *err) {
    mr_tuning *t = mr_calloc(1, sizeof *t);
    if (t) t->path = mr_format("%s/tuning.txt", directory);
    if (!t || !t->path) {
        free(t);
        return mr_fail_memory(err, sizeof *t, "measurements");
    }
    mr_machine_describe(t->machine, sizeof t->machine);
    read_file(t);
    *tuning = t;
    return MRCNN_OK;
}

void mr_tuning_free(mr_tuning **tuning) {
    if (!*tuning) return;
    free((*tuning)->path);
    free((*tuning)->entries);
    free(*tuning);
    *tuning = NULL;
}

const char *mr_tuning_find(const mr_tuning *t, const char *key) {
    const entry *e = find(t, key);
    return e ? e->choice : NULL;
}

void mr_tuning_set(mr_tuning *t, const char *key, const char *choice) {
    set(t, key, choice);
    t->changed = 1;
}

static char *compose(const mr_tuning *t) {
    size_t room = sizeof t->machine + 64 + t->count * sizeof(entry);
    char *text = mr_calloc(room, 1);
    if (!text) return NULL;
    size_t used = (size_t)snprintf(text, room, "%s\n%s\n", format, t->machine);
    for (size_t i = 0; i < t->count; i++)
        used += (size_t)snprintf(text + used, room - used, "%s\t%s\n", t->entries[i].key,
                                 t->entries[i].choice);
    return text;
}

void mr_tuning_save(mr_tuning *t) {
    if (!t->changed) return;
    t->changed = 0;
    read_file(t); /* another process may have added some */
    char *text = compose(t);
    if (text && mr_make_folder_of(t->path, NULL) == MRCNN_OK)
        mr_file_put(t->path, text, strlen(text), NULL);
    free(text);
}
