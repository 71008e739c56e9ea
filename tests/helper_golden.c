/* helper_golden.c - see helper_golden.h. */
#include "helper_golden.h"

#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct golden_file {
    hid_t id;
    char *meta;
};

static char *read_meta(hid_t file) {
    char *copy = NULL, *text = NULL;
    if (H5Aexists(file, "meta") <= 0) return NULL;
    hid_t attribute = H5Aopen(file, "meta", H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute);
    if (H5Tis_variable_str(type) > 0 && H5Aread(attribute, type, (void *)&text) >= 0 && text) {
        copy = malloc(strlen(text) + 1);
        if (copy) strcpy(copy, text);
        H5free_memory(text);
    }
    H5Tclose(type);
    H5Aclose(attribute);
    return copy;
}

golden_file *golden_open(const char *path) {
    golden_file *file = calloc(1, sizeof *file);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (file) file->id = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (!file || file->id < 0) {
        fprintf(stderr, "%s: can't be opened as HDF5\n", path);
        free(file);
        return NULL;
    }
    file->meta = read_meta(file->id);
    return file;
}

void golden_close(golden_file **file) {
    if (!*file) return;
    H5Fclose((*file)->id);
    free((*file)->meta);
    free(*file);
    *file = NULL;
}

const char *golden_meta(const golden_file *file) {
    return file->meta ? file->meta : "";
}

int golden_read(const golden_file *file, const char *name, golden_array *array) {
    memset(array, 0, sizeof *array);
    if (H5Lexists(file->id, name, H5P_DEFAULT) <= 0) return 0;
    hid_t dataset = H5Dopen2(file->id, name, H5P_DEFAULT);
    hid_t space = H5Dget_space(dataset);
    hsize_t shape[5] = {0};
    array->rank = H5Sget_simple_extent_ndims(space);
    int good = array->rank >= 0 && array->rank <= 5;
    if (good) H5Sget_simple_extent_dims(space, shape, NULL);
    array->count = 1;
    for (int i = 0; good && i < array->rank; i++) {
        array->shape[i] = (int64_t)shape[i];
        array->count *= (size_t)shape[i];
    }
    array->values = good ? calloc(array->count + 1, sizeof(double)) : NULL;
    good = array->values &&
           (array->count == 0 ||
            H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, array->values) >= 0);
    if (!good) golden_array_free(array);
    H5Sclose(space);
    H5Dclose(dataset);
    return good;
}

void golden_array_free(golden_array *array) {
    free(array->values);
    memset(array, 0, sizeof *array);
}

int golden_check(golden_table *table, const char *name, double error, double bound) {
    int good = error <= bound;
    table->checks++;
    table->failures += !good;
    if (table->out && (!good || table->verbose))
        fprintf(table->out, "%-6s %-34s %10.3g  of %8.3g\n", good ? "ok" : "FAILED", name, error,
                bound);
    return good;
}

void golden_skip(golden_table *table, const char *name, const char *why) {
    table->skipped++;
    if (table->out) fprintf(table->out, "%-6s %-34s %s\n", "skip", name, why);
}

void golden_note(golden_table *table, const char *name, const char *what) {
    if (table->out && table->verbose) fprintf(table->out, "%-6s %-34s %s\n", "note", name, what);
}

void golden_summary(const golden_table *table) {
    if (table->out)
        fprintf(table->out, "%d checks, %d failures, %d skipped\n", table->checks, table->failures,
                table->skipped);
}

double golden_difference(const float *a, const double *b, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)a[i] - b[i]);
        if (isnan(a[i]) && isnan(b[i])) difference = 0;
        if ((double)a[i] == b[i]) difference = 0; /* infinities too */
        if (isnan(difference)) difference = INFINITY;
        if (difference > largest) largest = difference;
    }
    return largest;
}

double golden_largest(const double *values, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        if (fabs(values[i]) > largest) largest = fabs(values[i]);
    return largest;
}

size_t golden_probe(size_t k, size_t n, size_t size) {
    return (size_t)floor(((double)k + 0.5) * (double)size / (double)n);
}
