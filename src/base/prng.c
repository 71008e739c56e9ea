/* prng.c - see prng.h. Mixing constants are those of splitmix64 (Steele, Lea, Flood 2014); stream
 * names are hashed with 64-bit FNV-1a. */
#include "base/prng.h"

static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint64_t fnv1a64(const char *text) {
    uint64_t h = 0xCBF29CE484222325u;
    for (const char *p = text; *p; p++) h = (h ^ (unsigned char)*p) * 0x100000001B3u;
    return h;
}

uint64_t mr_prng_stream(uint64_t seed, const char *name) {
    return mix(seed ^ fnv1a64(name));
}

uint64_t mr_prng_value(uint64_t stream, uint64_t index) {
    return mix(stream + (index + 1) * 0x9E3779B97F4A7C15u);
}

double mr_prng_uniform(uint64_t stream, uint64_t index) {
    return (double)(mr_prng_value(stream, index) >> 11) * 0x1p-53;
}
