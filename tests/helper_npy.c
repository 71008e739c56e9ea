/* helper_npy.c - see helper_npy.h. */
#include "helper_npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int complain(const char *path, const char *what) {
    fprintf(stderr, "%s: %s\n", path, what);
    return 0;
}

/* The dictionary in front of the values, as text; malloc'ed. */
static char *read_header(FILE *file) {
    unsigned char start[8], size[4] = {0};
    if (fread(start, 1, 8, file) != 8 || memcmp(start, "\x93NUMPY", 6) != 0) return NULL;
    if (fread(size, 1, start[6] == 1 ? 2 : 4, file) == 0) return NULL;
    size_t length = size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16;
    char *header = calloc(length + 1, 1);
    if (header && fread(header, 1, length, file) == length) return header;
    free(header);
    return NULL;
}

static int parse_dtype(npy_array *out, const char *header) {
    static const char *const known[] = {"f4", "f8", "i4", "i8", "u1", "i1", "b1"};
    const char *descr = strstr(header, "'descr': '");
    if (!descr || strstr(header, "'fortran_order': True")) return 0;
    descr += strlen("'descr': '");
    if (*descr != '<' && *descr != '|') return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(descr + 1, known[i], 2) == 0) {
            strcpy(out->dtype, strcmp(known[i], "b1") == 0 ? "u1" : known[i]);
            return 1;
        }
    return 0;
}

static int parse_shape(npy_array *out, const char *header) {
    const char *at = strstr(header, "'shape': (");
    if (!at) return 0;
    at += strlen("'shape': (");
    out->count = 1;
    while (*at != ')') {
        char *end;
        long long length = strtoll(at, &end, 10);
        if (end == at || length < 0 || out->rank == NPY_MAX_RANK) return 0;
        out->shape[out->rank++] = length;
        out->count *= (size_t)length;
        at = end + strspn(end, ", ");
    }
    return 1;
}

static double value_at(const npy_array *a, size_t i) {
    const char *p = (const char *)a->raw + i * (size_t)(a->dtype[1] - '0');
    float f4;
    double f8;
    int32_t i4;
    int64_t i8;
    if (strcmp(a->dtype, "f4") == 0) return memcpy(&f4, p, 4), f4;
    if (strcmp(a->dtype, "f8") == 0) return memcpy(&f8, p, 8), f8;
    if (strcmp(a->dtype, "i4") == 0) return memcpy(&i4, p, 4), i4;
    if (strcmp(a->dtype, "i8") == 0) return memcpy(&i8, p, 8), (double)i8;
    return a->dtype[0] == 'u' ? (double)*(const uint8_t *)p : (double)*(const int8_t *)p;
}

static int read_values(npy_array *out, FILE *file) {
    size_t size = (size_t)(out->dtype[1] - '0');
    out->raw = calloc(out->count + 1, size);
    out->data = calloc(out->count + 1, sizeof *out->data);
    if (!out->raw || !out->data || fread(out->raw, size, out->count, file) != out->count) return 0;
    for (size_t i = 0; i < out->count; i++) out->data[i] = value_at(out, i);
    return 1;
}

int npy_read(const char *path, npy_array *out) {
    memset(out, 0, sizeof *out);
    FILE *file = fopen(path, "rb");
    if (!file) return complain(path, "can't open it");
    char *header = read_header(file);
    int done =
        header && parse_dtype(out, header) && parse_shape(out, header) && read_values(out, file);
    free(header);
    fclose(file);
    if (done) return 1;
    npy_free(out);
    return complain(path, "not an .npy file of a known kind");
}

void npy_free(npy_array *array) {
    free(array->data);
    free(array->raw);
    memset(array, 0, sizeof *array);
}
