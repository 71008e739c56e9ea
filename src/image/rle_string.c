/* rle_string.c - run lengths as COCO's compressed string: each count as the difference to the one
 * two before it (from the fourth on), in groups of five bits, lowest first, as characters from '0'
 * on; a sixth bit says that more groups follow. */
#include "base/error.h"
#include "base/memory.h"
#include "image/rle.h"

#include <stdlib.h>
#include <string.h>

enum {
    GROUP_BITS = 5,
    GROUP_MASK = 0x1F,
    SIGN_BIT = 0x10,
    MORE_BIT = 0x20,
    FIRST_CHARACTER = 48,
    MAX_GROUPS = 7 /* a difference of two 32-bit counts has 33 bits with its sign */
};

typedef struct text {
    char *string;
    size_t capacity, length;
} text;

static void put(text *t, char c) {
    if (t->length + 1 < t->capacity) t->string[t->length] = c;
    t->length++;
}

/* Arithmetic shift of a negative number, which C leaves to the implementation. */
static int64_t shift_group(int64_t value) {
    return value >= 0 ? value >> GROUP_BITS : ~(~value >> GROUP_BITS);
}

static void put_number(text *t, int64_t value) {
    for (int more = 1; more;) {
        int group = (int)((uint64_t)value & GROUP_MASK);
        value = shift_group(value);
        more = group & SIGN_BIT ? value != -1 : value != 0;
        put(t, (char)(FIRST_CHARACTER + (more ? group | MORE_BIT : group)));
    }
}

size_t mrcnn_mask_to_string(const mrcnn_mask *mask, char *string, size_t capacity) {
    text t = {string, capacity, 0};
    for (size_t i = 0; i < mask->count; i++)
        put_number(&t, (int64_t)mask->counts[i] - (i > 2 ? (int64_t)mask->counts[i - 2] : 0));
    if (capacity > 0) string[t.length < capacity ? t.length : capacity - 1] = 0;
    return t.length;
}

/* Reads one number and moves *at behind it. 0: not a number of this code. */
static int get_number(const char **at, int64_t *value) {
    uint64_t bits = 0;
    for (int n = 0; n < MAX_GROUPS; n++) {
        int group = (unsigned char)*(*at) - FIRST_CHARACTER;
        if (group < 0 || group > (MORE_BIT | GROUP_MASK)) return 0;
        (*at)++;
        bits |= (uint64_t)(group & GROUP_MASK) << (GROUP_BITS * n);
        if (group & MORE_BIT) continue;
        int64_t sign = group & SIGN_BIT ? (int64_t)1 << (GROUP_BITS * (n + 1)) : 0;
        *value = (int64_t)bits - sign;
        return 1;
    }
    return 0;
}

/* Fills counts, which has room for every character of the string. The sum is checked on the way, so
 * that no count can be out of range. */
static mrcnn_status parse(uint32_t *counts, size_t *count, const char *string, int64_t size,
                          mrcnn_error *err) {
    int64_t sum = 0, value;
    size_t n = 0;
    for (const char *at = string; *at; n++) {
        if (!get_number(&at, &value))
            return mr_fail(err, MRCNN_E_FORMAT,
                           "a mask's RLE string is broken at character %zu: it isn't COCO's "
                           "compressed form",
                           (size_t)(at - string) + 1);
        if (n > 2) value += counts[n - 2];
        if (value < 0 || value > size - sum)
            return mr_fail(err, MRCNN_E_FORMAT,
                           "a mask's RLE string is broken: run %zu has length %lld, and %lld of "
                           "%lld pixels are left",
                           n + 1, (long long)value, (long long)(size - sum), (long long)size);
        counts[n] = (uint32_t)value;
        sum += value;
    }
    *count = n;
    if (sum != size)
        return mr_fail(err, MRCNN_E_FORMAT,
                       "a mask's RLE string covers %lld of the picture's %lld pixels",
                       (long long)sum, (long long)size);
    return MRCNN_OK;
}

mrcnn_status mrcnn_mask_from_string(mrcnn_mask *mask, const char *string, int32_t height,
                                    int32_t width, mrcnn_error *err) {
    mrcnn_status status = mr_rle_check_size(height, width, err);
    if (status != MRCNN_OK) return status;
    if (!string) return mr_fail(err, MRCNN_E_ARGUMENT, "a mask's RLE string is NULL");
    size_t length = strlen(string), count = 0;
    uint32_t *counts = mr_calloc(length, sizeof *counts);
    if (!counts) return mr_fail_memory(err, length * sizeof *counts, "a mask");
    status = parse(counts, &count, string, (int64_t)height * width, err);
    if (status != MRCNN_OK) {
        free(counts);
        return status;
    }
    *mask = (mrcnn_mask){height, width, count, counts};
    return MRCNN_OK;
}
