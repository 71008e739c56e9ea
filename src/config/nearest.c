/* nearest.c - see nearest.h. Levenshtein's distance, one row at a time. */
#include "config/nearest.h"

#include <string.h>

enum { LONGEST = 64 };

mr_nearest mr_nearest_start(const char *word) {
    mr_nearest nearest = {word, NULL, 0};
    return nearest;
}

static char upper(char c) {
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t distance(const char *a, const char *b) {
    size_t row[LONGEST + 1], columns = strlen(b);
    for (size_t j = 0; j <= columns; j++) row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= columns; j++) {
            size_t replaced = diagonal + (upper(a[i - 1]) != upper(b[j - 1]));
            diagonal = row[j];
            row[j] = smaller(replaced, smaller(row[j], row[j - 1]) + 1);
        }
    }
    return row[columns];
}

void mr_nearest_try(mr_nearest *nearest, const char *candidate) {
    size_t length = strlen(nearest->word);
    if (length > LONGEST || strlen(candidate) > LONGEST) return;
    size_t d = distance(nearest->word, candidate);
    if (d > length / 3 || (nearest->best && d >= nearest->distance)) return;
    nearest->best = candidate;
    nearest->distance = d;
}
