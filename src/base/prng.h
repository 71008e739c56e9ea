/* prng.h - splitmix64 in counter form: value i of a stream is a pure function of (seed, i), so the
 * same seed gives the same numbers on every machine, in any order, on any number of threads. */
#ifndef MR_BASE_PRNG_H
#define MR_BASE_PRNG_H

#include <stdint.h>

/* A stream for one purpose ("conv1/kernel") under one seed. */
uint64_t mr_prng_stream(uint64_t seed, const char *name);
uint64_t mr_prng_value(uint64_t stream, uint64_t index);
/* [0, 1), exact in double. */
double mr_prng_uniform(uint64_t stream, uint64_t index);

#endif
