/* error.c - see error.h. */
#include "base/error.h"

/* What the analyzer takes for them. */
#undef mr_fail
#undef mr_fail_memory

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *mrcnn_status_name(mrcnn_status status) {
    switch (status) {
    case MRCNN_OK: return "no error";
    case MRCNN_E_ARGUMENT: return "bad argument";
    case MRCNN_E_MEMORY: return "out of memory";
    case MRCNN_E_IO: return "I/O error";
    case MRCNN_E_FORMAT: return "bad file";
    case MRCNN_E_UNSUPPORTED: return "unsupported";
    case MRCNN_E_CONFIG: return "bad configuration";
    case MRCNN_E_WEIGHTS: return "bad weights";
    case MRCNN_E_NETWORK: return "download failed";
    case MRCNN_E_CANCELLED: return "cancelled";
    }
    return "unknown status";
}

/* A message cut in the middle of a character would not be UTF-8 any more. */
static void drop_broken_character(char *text) {
    size_t n = strlen(text), start = n;
    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80) start--;
    if (start == 0) return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t need = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (n - (start - 1) < need) text[start - 1] = 0;
}

/* Bytes of the character that begins there; 0: it is none of UTF-8's. */
static size_t character_bytes(const unsigned char *s) {
    size_t length = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (s[0] > 0xF4) return 0;
    for (size_t i = 1; i < length; i++) /* stops at the final 0 as well */
        if ((s[i] & 0xC0) != 0x80) return 0;
    /* Forms that are too long, surrogates, and what lies beyond the last character. */
    int is_wrong = (s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
                   (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F);
    return is_wrong ? 0 : length;
}

void mr_clean_text(char *text) {
    for (unsigned char *s = (unsigned char *)text; *s;) {
        size_t bytes = *s < 0x20 || *s == 0x7F ? 0 : character_bytes(s);
        if (bytes == 0) *s = '?';
        s += bytes ? bytes : 1;
    }
}

mrcnn_status mr_fail(mrcnn_error *err, mrcnn_status status, const char *format, ...) {
    if (!err) return status;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (length >= (int)sizeof err->message) drop_broken_character(err->message);
    mr_clean_text(err->message);
    err->status = status;
    return status;
}

mrcnn_status mr_fail_memory(mrcnn_error *err, size_t bytes, const char *what) {
    return mr_fail(err, MRCNN_E_MEMORY, "out of memory: %zu bytes for %s", bytes, what);
}

mrcnn_status mr_prefix(mrcnn_error *err, mrcnn_status status, const char *context) {
    if (!err || status == MRCNN_OK) return status;
    char old[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    return mr_fail(err, status, "%s: %s", context, old);
}
