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

mrcnn_status mr_fail(mrcnn_error *err, mrcnn_status status, const char *format, ...) {
    if (!err) return status;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (length >= (int)sizeof err->message) drop_broken_character(err->message);
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
