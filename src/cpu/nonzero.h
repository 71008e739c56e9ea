/* nonzero.h - where a gradient is anything but zero. RoIs and sampled anchors cover a part of the
 * finest pyramid levels only, so much of their gradients is zero, and what it would be multiplied with
 * need not be looked at. */
#ifndef MR_CPU_NONZERO_H
#define MR_CPU_NONZERO_H

#include <stddef.h>
#include <stdint.h>

/* marks[i] = 1 when one of the `channels` numbers of row i isn't zero, else 0. */
void mr_mark_nonzero(const float *rows, size_t count, size_t channels, uint8_t *marks, int threads);

/* Indices of marked rows, rising; returns how many. */
size_t mr_list_marked(const uint8_t *marks, size_t count, int32_t *index);

/* The 4x4 tiles of n maps of h x w marks (see mr_winograd_tiles) that have a mark in them or up to
 * `reach` pixels around them, rising; returns how many. */
size_t mr_list_tiles(const uint8_t *marks, int n, int h, int w, int reach, int32_t *index);

#endif
