/* type.h - what numbers an array is made of. */
#ifndef MR_BASE_TYPE_H
#define MR_BASE_TYPE_H

#include <stddef.h>

typedef enum mr_type { MR_F32, MR_BF16 } mr_type;

/* Bytes of one number. */
static inline size_t mr_type_size(mr_type type) {
    return type == MR_BF16 ? 2 : 4;
}

#endif
