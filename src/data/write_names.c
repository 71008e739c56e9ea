/* write_names.c - what the pictures of a written data set are called: as in the source, as far as
 * that makes names of files which nothing trips over and which don't collide. */
#include "data/write.h"

#include "base/error.h"
#include "base/memory.h"
#include "config/text.h"
#include "data/place.h"

#include <stdlib.h>
#include <string.h>

/* Copies one part of a path without what is no part of a name. Hidden files are not found by those
 * who list folders. */
static char *copy_part(char *to, const char *from, const char *end) {
    if (*from == '.') {
        *to++ = '_';
        from++;
    }
    while (from < end) {
        const char *next = from;
        long character = mr_text_next(&next);
        if (character < 0 || next > end) {
            *to++ = '_';
            from++;
        } else if (character < 0x20 || character == 0x7F) {
            *to++ = '_';
            from = next;
        } else {
            memmove(to, from, (size_t)(next - from));
            to += next - from;
            from = next;
        }
    }
    return to;
}

static int is_way(const char *part, size_t length) {
    return length == 0 || (length == 1 && part[0] == '.') ||
           (length == 2 && part[0] == '.' && part[1] == '.');
}

/* The id as a relative path; malloc'ed. */
static char *clean(const char *id) {
    char *name = malloc(strlen(id) + 2), *to = name;
    if (!name) return NULL;
    for (const char *part = id; *part;) {
        size_t length = strcspn(part, "/");
        if (!is_way(part, length)) {
            if (to != name) *to++ = '/';
            to = copy_part(to, part, part + length);
        }
        part += length;
        part += *part == '/';
    }
    if (to == name) *to++ = '_';
    *to = 0;
    return name;
}

/* The ending of the picture's file, if the id has none. Pictures that are drawn become PNG. */
static char *make_name(const mr_dataset *set, size_t index) {
    int is_file = mr_dataset_is_file(set, index);
    const mr_picture *picture = &set->pictures[index];
    char *name = clean(picture->id);
    if (!name || (is_file && mr_is_picture_name(name))) return name;
    const char *path = is_file ? picture->path : "";
    const char *ending = mr_is_picture_name(path) ? strrchr(path, '.') : ".png";
    size_t length = mr_is_picture_name(name) ? mr_stem_length(name) : strlen(name);
    char *whole = mr_format("%.*s%s", (int)length, name, ending);
    free(name);
    return whole;
}

/* -------------------------------------------------------------------------------- differences */

typedef struct stem {
    const char *name;
    size_t length, index;
} stem;

static int compare_texts(const char *a, size_t a_length, const char *b, size_t b_length) {
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
    return order ? order : (a_length > b_length) - (a_length < b_length);
}

static int compare_stems(const void *a, const void *b) {
    const stem *x = a, *y = b;
    int order = compare_texts(x->name, x->length, y->name, y->length);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

static int is_taken(const stem *sorted, size_t count, const char *name, size_t length) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_texts(sorted[middle].name, sorted[middle].length, name, length);
        if (order == 0) return 1;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* "a.jpg" as "a-2.jpg", with the first number from *number on that nobody has. */
static char *number_name(const stem *sorted, size_t count, const stem *old, size_t *number) {
    for (;; (*number)++) {
        char *name =
            mr_format("%.*s-%zu%s", (int)old->length, old->name, *number, old->name + old->length);
        if (!name || !is_taken(sorted, count, name, mr_stem_length(name))) return name;
        free(name);
    }
}

/* Later ones of the same stem get numbers. Those can't collide with each other: what follows the last
 * dash is a number, and what is before it is the stem that they share. */
static int tell_apart(char **names, const stem *sorted, size_t count) {
    char **fresh = mr_calloc(count, sizeof *fresh);
    size_t number = 2;
    int done = fresh != NULL;
    for (size_t i = 1; i < count && done; i++) {
        const stem *s = &sorted[i], *before = &sorted[i - 1];
        if (compare_texts(s->name, s->length, before->name, before->length) != 0) {
            number = 2;
            continue;
        }
        fresh[i] = number_name(sorted, count, s, &number);
        number++;
        done = fresh[i] != NULL;
    }
    for (size_t i = 0; i < count && fresh; i++) { /* now that nobody looks at the old ones */
        if (!fresh[i]) continue;
        free(names[sorted[i].index]);
        names[sorted[i].index] = fresh[i];
    }
    free(fresh);
    return done;
}

mrcnn_status mr_name_pictures(char ***names, const mr_dataset *set, const uint8_t *chosen,
                              mrcnn_error *err) {
    size_t total = mr_dataset_picture_count(set), count = 0;
    char **made = mr_calloc(total, sizeof *made);
    stem *stems = mr_calloc(total, sizeof *stems);
    int done = made && stems;
    for (size_t i = 0; i < total && done; i++) {
        if (chosen && !chosen[i]) continue;
        made[i] = make_name(set, i);
        done = made[i] != NULL;
        if (done) stems[count++] = (stem){made[i], mr_stem_length(made[i]), i};
    }
    if (done && count) qsort(stems, count, sizeof *stems, compare_stems);
    if (done) done = tell_apart(made, stems, count);
    free(stems);
    if (!done) {
        mr_free_picture_names(made, total);
        return mr_fail_memory(err, total * sizeof *made, "names of pictures");
    }
    *names = made;
    return MRCNN_OK;
}

void mr_free_picture_names(char **names, size_t count) {
    for (size_t i = 0; names && i < count; i++) free(names[i]);
    free(names);
}
