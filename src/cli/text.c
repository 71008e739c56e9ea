/* text.c - see text.h. */
#include "text.h"

#include "message.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *text_grow(void *old, size_t count, size_t size) {
    void *grown = size && count > SIZE_MAX / size ? NULL : realloc(old, count * size + 1);
    if (!grown) {
        fputs("mrcnn: out of memory\n", stderr);
        exit(EXIT_FAILED);
    }
    return grown;
}

char *text_format(const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) return text_copy("");
    char *text = text_grow(NULL, (size_t)length + 1, 1);
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

char *text_copy(const char *text) {
    return text_copy_part(text, strlen(text));
}

char *text_copy_part(const char *text, size_t length) {
    char *copy = text_grow(NULL, length + 1, 1);
    memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

void text_list_add(text_list *list, char *owned) {
    /* Grown when the count reaches a power of two: no capacity to carry along. */
    if ((list->count & (list->count - 1)) == 0)
        list->items = text_grow(list->items, list->count ? 2 * list->count : 1, sizeof(char *));
    list->items[list->count++] = owned;
}

void text_list_free(text_list *list) {
    for (size_t i = 0; i < list->count; i++) free(list->items[i]);
    free(list->items);
    list->items = NULL;
    list->count = 0;
}

void text_split(text_list *list, const char *text, const char *separators) {
    while (*text) {
        size_t length = strcspn(text, separators), first = 0, last = length;
        while (first < last && strchr(" \t\r", text[first])) first++;
        while (last > first && strchr(" \t\r", text[last - 1])) last--;
        if (last > first) text_list_add(list, text_copy_part(text + first, last - first));
        text += length;
        if (*text) text++;
    }
}

/* ---------------------------------------------------------------------------- did you mean? */

enum { LONGEST_WORD = 64 };

/* Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. */
static size_t edit_distance(const char *a, size_t m, const char *b, size_t n) {
    size_t rows[3][LONGEST_WORD + 1];
    size_t *older = rows[0], *old = rows[1], *now = rows[2];
    for (size_t j = 0; j <= n; j++) older[j] = old[j] = j;
    for (size_t i = 1; i <= m; i++) {
        now[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = old[j - 1] + (a[i - 1] != b[j - 1]);
            if (old[j] + 1 < best) best = old[j] + 1;
            if (now[j - 1] + 1 < best) best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                older[j - 2] + 1 < best)
                best = older[j - 2] + 1;
            now[j] = best;
        }
        size_t *free_row = older;
        older = old;
        old = now;
        now = free_row;
    }
    return old[n];
}

text_nearest text_nearest_start(const char *word) {
    size_t third = strlen(word) / 3;
    text_nearest nearest = {word, NULL, third ? third : 1};
    return nearest;
}

void text_nearest_offer(text_nearest *nearest, const char *candidate) {
    size_t m = strlen(nearest->word), n = strlen(candidate);
    if (m > LONGEST_WORD || n > LONGEST_WORD) return;
    size_t distance = edit_distance(nearest->word, m, candidate, n);
    /* A beginning of the candidate ("det", "--save-js") is meant more often than it is near. */
    if (m >= 2 && m < n && strncmp(nearest->word, candidate, m) == 0) distance = 1;
    if (distance > nearest->distance || (nearest->best && distance == nearest->distance)) return;
    nearest->best = candidate;
    nearest->distance = distance;
}

/* -------------------------------------------------------------------------------- characters */

size_t text_utf8_length(const char *text) {
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] == 0) return 0;
    if (s[0] < 0x80) return 1;
    size_t length = s[0] >= 0xC2 && s[0] < 0xE0   ? 2
                    : s[0] >= 0xE0 && s[0] < 0xF0 ? 3
                    : s[0] >= 0xF0 && s[0] < 0xF5 ? 4
                                                  : 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
        (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
        return 0;
    return length;
}

char *text_printable(const char *text) {
    char *copy = text_copy(text);
    for (char *c = copy; *c;) {
        size_t length = (unsigned char)*c < 0x20 || *c == 0x7F ? 0 : text_utf8_length(c);
        if (length == 0) *c = '?';
        c += length ? length : 1;
    }
    return copy;
}
