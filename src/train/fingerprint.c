/* fingerprint.c - see fingerprint.h. Each 8 bytes are mixed with their place, and the results are
 * added up: one multiplication more than reading, and no byte can change unseen.
 */
#include "train/fingerprint.h"

#include "base/prng.h"

#include <string.h>

uint64_t mr_fingerprint(uint64_t before, const void *bytes, size_t length) {
    const unsigned char *from = bytes;
    uint64_t sum = before, word;
    size_t words = length / sizeof word, rest = length % sizeof word;
    for (size_t i = 0; i < words; i++) {
        memcpy(&word, from + i * sizeof word, sizeof word);
        sum += mr_prng_value(word, i);
    }
    word = 0;
    if (rest > 0) memcpy(&word, from + words * sizeof word, rest);
    /* The length tells zeros at the end from nothing. */
    return mr_prng_value(sum + mr_prng_value(word, words), length);
}

uint64_t mr_tensors_fingerprint(const mr_tensors *set) {
    uint64_t sum = 0;
    for (size_t i = 0; i < mr_tensors_count(set); i++) {
        const mr_tensor *t = mr_tensors_at(set, i);
        uint64_t print = mr_fingerprint(0, t->layer, strlen(t->layer));
        print = mr_fingerprint(print, t->param, strlen(t->param));
        print = mr_fingerprint(print, t->shape, (size_t)t->rank * sizeof *t->shape);
        sum += mr_fingerprint(print, t->values, t->count * sizeof *t->values);
    }
    return sum;
}
