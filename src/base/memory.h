/* memory.h - allocation with checked sizes. Everything here is released with free(). */
#ifndef MR_BASE_MEMORY_H
#define MR_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* a * b and a + b; 0 on overflow (return value), the result in *out. */
int mr_mul_size(size_t a, size_t b, size_t *out);
int mr_add_size(size_t a, size_t b, size_t *out);

/* Zeroed memory for count elements; NULL when count * size overflows or memory is short. Never NULL
 * for 0. */
void *mr_calloc(size_t count, size_t size);

/* realloc with the same check; the old block stays valid on failure. */
void *mr_realloc(void *old, size_t count, size_t size);

/* 64-byte aligned, not zeroed: tensors and scratch. */
void *mr_alloc_aligned(size_t bytes);

/* The same for large blocks that stay, with huge pages where there are any: these are faster to get, and the processor
 * finds them with fewer steps. (Where such a block is freed, small ones would cost a huge page each.) */
void *mr_alloc_workspace(size_t bytes);

/* Gives pages that were freed in between others back to the system, where its library can. Takes some milliseconds. */
void mr_give_memory_back(void);

char *mr_strdup(const char *text);

/* sprintf into fresh memory; NULL when memory is short. */
char *mr_format(const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 1, 2)))
#endif
    ;

#endif
