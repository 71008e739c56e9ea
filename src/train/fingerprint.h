/* fingerprint.h - 64 bits that tell one set of values from another: damage and mix-ups, not
 * malice. Equal on every run and machine of little-endian numbers.
 */
#ifndef MR_TRAIN_FINGERPRINT_H
#define MR_TRAIN_FINGERPRINT_H

#include "weights/weights.h"

/* Of `length` bytes behind what gave `before` (0: nothing). */
uint64_t mr_fingerprint(uint64_t before, const void *bytes, size_t length);

/* Of names, shapes and values. The order of the tensors does not count: a weight file has its own.
 * Every tensor must have its values. */
uint64_t mr_tensors_fingerprint(const mr_tensors *set);

#endif
