/* tally.c - see tally.h. */
#include "tally.h"

#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void tally_add(tally *counts, const char *name) {
    size_t at = 0;
    while (at < counts->count && strcmp(counts->rows[at].name, name) != 0) at++;
    if (at == counts->count) {
        if ((at & (at - 1)) == 0)
            counts->rows = text_grow(counts->rows, at ? 2 * at : 1, sizeof *counts->rows);
        counts->rows[counts->count++] = (tally_row){name, 0};
    }
    counts->rows[at].count++;
}

static int compare_rows(const void *a, const void *b) {
    const tally_row *x = a, *y = b;
    if (x->count != y->count) return x->count < y->count ? 1 : -1;
    return strcmp(x->name, y->name);
}

void tally_print(tally *counts) {
    enum { MOST_CLASSES = 5 };
    size_t count = counts->count;
    if (count) qsort(counts->rows, count, sizeof *counts->rows, compare_rows);
    for (size_t i = 0; i < count && i < MOST_CLASSES; i++)
        printf("%s%s %zu", i ? ", " : " (", counts->rows[i].name, counts->rows[i].count);
    if (count > MOST_CLASSES) printf(", %zu more classes", count - MOST_CLASSES);
    if (count) putchar(')');
}

void tally_free(tally *counts) {
    free(counts->rows);
    memset(counts, 0, sizeof *counts);
}
