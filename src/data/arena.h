/* arena.h - memory that is taken piece by piece and given back at once: a record of an annotation
 * file. */
#ifndef MR_DATA_ARENA_H
#define MR_DATA_ARENA_H

#include <stddef.h>

typedef struct mr_arena_block mr_arena_block;

/* Start with {0}. */
typedef struct mr_arena {
    mr_arena_block *blocks; /* the newest first */
    size_t used;            /* of the newest */
} mr_arena;

/* Aligned for pointers and doubles, not zeroed; NULL when memory is short. */
void *mr_arena_take(mr_arena *arena, size_t bytes);

/* Gives everything back but one block of common size, for the next record. */
void mr_arena_reset(mr_arena *arena);
void mr_arena_free(mr_arena *arena);

#endif
