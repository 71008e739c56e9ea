/* base64.c - see base64.h. */
#include "base/base64.h"

#include <stdlib.h>
#include <string.h>

/* The six bits of a character; -1: it is none of base64's. */
static int value_of(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

uint8_t *mr_base64_decode(const char *text, size_t *length) {
    uint8_t *bytes = malloc(strlen(text) / 4 * 3 + 3);
    uint32_t bits = 0;
    size_t count = 0, made = 0;
    if (!bytes) return NULL;
    for (; *text && *text != '='; text++) {
        int value = value_of(*text);
        if (is_blank(*text)) continue;
        if (value < 0) break;
        bits = bits << 6 | (uint32_t)value;
        if (++count % 4 == 0) {
            bytes[made++] = (uint8_t)(bits >> 16);
            bytes[made++] = (uint8_t)(bits >> 8);
            bytes[made++] = (uint8_t)bits;
        }
    }
    while (*text == '=' || is_blank(*text)) text++;
    if (*text || count % 4 == 1) {
        free(bytes);
        return NULL;
    }
    if (count % 4 == 2) bytes[made++] = (uint8_t)(bits >> 4);
    if (count % 4 == 3) {
        bytes[made++] = (uint8_t)(bits >> 10);
        bytes[made++] = (uint8_t)(bits >> 2);
    }
    *length = made;
    return bytes;
}

size_t mr_base64_encode(char *text, const uint8_t *bytes, size_t length) {
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *to = text;
    for (size_t i = 0; i < length; i += 3) {
        size_t left = length - i;
        uint32_t bits = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                        (left > 2 ? bytes[i + 2] : 0u);
        *to++ = letters[bits >> 18];
        *to++ = letters[bits >> 12 & 63];
        *to++ = left > 1 ? letters[bits >> 6 & 63] : '=';
        *to++ = left > 2 ? letters[bits & 63] : '=';
    }
    *to = 0;
    return (size_t)(to - text);
}
