/* names.c - see names.h. */
#include "data/names.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Where the name stands or belongs; *found says which. */
static size_t locate(const mr_names *names, const char *text, int *found) {
    size_t low = 0, high = names->count;
    *found = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(names->items[middle].text, text);
        if (order == 0) *found = 1;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int mr_names_find(const mr_names *names, const char *text) {
    int found;
    size_t at = locate(names, text, &found);
    return found ? names->items[at].id : -1;
}

int mr_names_add(mr_names *names, const char *text) {
    int found;
    size_t at = locate(names, text, &found);
    if (found) return names->items[at].id;
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 16;
        mr_name *larger = mr_realloc(names->items, room, sizeof *larger);
        if (!larger) return -1;
        names->items = larger;
        names->room = room;
    }
    char *copy = mr_strdup(text);
    if (!copy) return -1;
    memmove(names->items + at + 1, names->items + at, (names->count - at) * sizeof *names->items);
    names->items[at] = (mr_name){copy, (int)names->count};
    return (int)names->count++;
}

void mr_names_free(mr_names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->items[i].text);
    free(names->items);
    *names = (mr_names){0};
}

static int is_blank(char c) {
    return (unsigned char)c <= ' ';
}

int mr_tidy_name(const char *text, char name[MR_CLASS_TEXT]) {
    while (*text && is_blank(*text)) text++;
    size_t length = strlen(text);
    while (length && is_blank(text[length - 1])) length--;
    if (length >= MR_CLASS_TEXT) return 0;
    for (size_t i = 0; i < length; i++)
        name[i] = is_blank(text[i]) || text[i] == 127 ? ' ' : text[i];
    name[length] = 0;
    return 1;
}
