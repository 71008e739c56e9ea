/* helper_golden.h - golden files (HDF5 arrays and a JSON text `meta`), and the table of checks that
 * comparing with them prints: one line a check, with what was measured and what is allowed. */
#ifndef HELPER_GOLDEN_H
#define HELPER_GOLDEN_H

#include <stdint.h>
#include <stdio.h>

typedef struct golden_array {
    int rank;
    int64_t shape[5];
    size_t count;
    double *values; /* every number type fits */
} golden_array;

typedef struct golden_file golden_file;

/* NULL, with a message on stderr, when it can't be read. */
golden_file *golden_open(const char *path);
void golden_close(golden_file **file);
const char *golden_meta(const golden_file *file); /* "" if there is none */
/* 1 when there is such an array; release it with golden_array_free. */
int golden_read(const golden_file *file, const char *name, golden_array *array);
void golden_array_free(golden_array *array);

typedef struct golden_table {
    FILE *out;   /* NULL: count only */
    int verbose; /* 0: print only what fails or is left out */
    int checks, failures, skipped;
} golden_table;

/* Passes when error <= bound; NaN fails. */
int golden_check(golden_table *table, const char *name, double error, double bound);
void golden_skip(golden_table *table, const char *name, const char *why);
/* A value that is reported, not judged. */
void golden_note(golden_table *table, const char *name, const char *what);
/* "12 checks, 0 failures, 1 skipped". */
void golden_summary(const golden_table *table);

/* Largest |a - b|; NaN in one but not in the other counts as infinite. */
double golden_difference(const float *a, const double *b, size_t count);
double golden_largest(const double *values, size_t count);

/* Index of probe k of n in an array of `size` numbers or rows: floor((k + 0.5) size / n). */
size_t golden_probe(size_t k, size_t n, size_t size);

#endif
