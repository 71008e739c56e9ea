/* type.h - what numbers an array is made of. */
#ifndef MR_BASE_TYPE_H
#define MR_BASE_TYPE_H

#include <stddef.h>

/* An 8-bit number stands for itself times its array's scale: MR_U8 for what is never negative. */
typedef enum mr_type { MR_F32, MR_BF16, MR_U8, MR_S8 } mr_type;

/* Bytes of one number. */
static inline size_t mr_type_size(mr_type type) {
    return type == MR_F32 ? 4 : type == MR_BF16 ? 2 : 1;
}

static inline int mr_type_is_8bit(mr_type type) {
    return type == MR_U8 || type == MR_S8;
}

/* The largest 8-bit number. */
static inline float mr_type_most(mr_type type) {
    return type == MR_U8 ? 255.0f : 127.0f;
}

/* Numbers [first, first + count) of an array as floats, and from floats: to the nearest, and to the ends of the type's
 * range (NaN becomes the least). scale: of 8-bit numbers. */
void mr_read_numbers(mr_type type, float scale, const void *from, size_t first, float *to,
                     size_t count);
void mr_write_numbers(mr_type type, float scale, const float *from, void *to, size_t first,
                      size_t count);

#endif
