/* memory.c - see memory.h. */
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

int mr_mul_size(size_t a, size_t b, size_t *out) {
    if (b != 0 && a > SIZE_MAX / b) return 0;
    *out = a * b;
    return 1;
}

int mr_add_size(size_t a, size_t b, size_t *out) {
    if (a > SIZE_MAX - b) return 0;
    *out = a + b;
    return 1;
}

void *mr_calloc(size_t count, size_t size) {
    return calloc(count ? count : 1, size ? size : 1); /* calloc checks the product itself */
}

void *mr_realloc(void *old, size_t count, size_t size) {
    size_t bytes;
    if (!mr_mul_size(count, size, &bytes)) return NULL;
    return realloc(old, bytes ? bytes : 1);
}

void *mr_alloc_aligned(size_t bytes) {
    size_t rounded;
    if (!mr_add_size(bytes ? bytes : 1, 63, &rounded)) return NULL;
    return aligned_alloc(64, rounded & ~(size_t)63);
}

char *mr_strdup(const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = malloc(bytes);
    if (copy) memcpy(copy, text, bytes);
    return copy;
}

char *mr_format(const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void mr_give_memory_back(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
