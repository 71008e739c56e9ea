/* memory.c - see memory.h. */
#define _DEFAULT_SOURCE /* madvise */
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

static void *allocate(size_t bytes, size_t alignment) {
    size_t rounded;
    if (!mr_add_size(bytes ? bytes : 1, alignment - 1, &rounded)) return NULL;
    return aligned_alloc(alignment, rounded & ~(alignment - 1));
}

void *mr_alloc_aligned(size_t bytes) {
    return allocate(bytes, 64);
}

void *mr_alloc_workspace(size_t bytes) {
    const size_t huge_page = (size_t)2 << 20;
    if (bytes < 4 * huge_page) return mr_alloc_aligned(bytes);
    void *block = allocate(bytes, huge_page);
#ifdef MADV_HUGEPAGE
    if (block)
        madvise(block, bytes & ~(huge_page - 1), MADV_HUGEPAGE); /* or not: then it is slower */
#endif
    return block;
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
