/* arena.c - see arena.h. */
#include "data/arena.h"

#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>

enum { BLOCK = 1 << 16, ALIGNMENT = 8 };

struct mr_arena_block {
    mr_arena_block *next;
    size_t size;
    uint64_t bytes[]; /* for its alignment */
};

static int add_block(mr_arena *arena, size_t size) {
    size_t total;
    if (!mr_add_size(size, sizeof(mr_arena_block), &total)) return 0;
    mr_arena_block *block = malloc(total);
    if (!block) return 0;
    block->next = arena->blocks;
    block->size = size;
    arena->blocks = block;
    arena->used = 0;
    return 1;
}

void *mr_arena_take(mr_arena *arena, size_t bytes) {
    if (bytes > SIZE_MAX - ALIGNMENT) return NULL;
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (!arena->blocks || bytes > arena->blocks->size - arena->used)
        if (!add_block(arena, bytes > BLOCK ? bytes : BLOCK)) return NULL;
    void *taken = (char *)arena->blocks->bytes + arena->used;
    arena->used += bytes;
    return taken;
}

void mr_arena_free(mr_arena *arena) {
    while (arena->blocks) {
        mr_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}

void mr_arena_reset(mr_arena *arena) {
    mr_arena_block *kept = arena->blocks;
    if (kept && kept->size == BLOCK) {
        arena->blocks = kept->next;
        mr_arena_free(arena);
        kept->next = NULL;
        arena->blocks = kept;
    } else {
        mr_arena_free(arena);
    }
}
