/* error.h - filling mrcnn_error. Every function that can fail ends in `return mr_fail(err, ...)`.
 * Knows nothing but the public status codes. */
#ifndef MR_BASE_ERROR_H
#define MR_BASE_ERROR_H

#include <mrcnn/mrcnn.h>

#if defined(__GNUC__)
#define MR_PRINTF(format_index, first_arg) __attribute__((format(printf, format_index, first_arg)))
#else
#define MR_PRINTF(format_index, first_arg)
#endif

/* Writes the message (truncated on a whole UTF-8 character, cleaned) unless err is NULL; returns status.
 */
mrcnn_status mr_fail(mrcnn_error *err, mrcnn_status status, const char *format, ...)
    MR_PRINTF(3, 4);

/* Question marks for control characters and for bytes that are no UTF-8, as names in files may have. */
void mr_clean_text(char *text);

/* Out of memory, with the number of bytes that were asked for and what for. */
mrcnn_status mr_fail_memory(mrcnn_error *err, size_t bytes, const char *what);

/* Puts "context: " before the message that is already there. Returns err's status. */
mrcnn_status mr_prefix(mrcnn_error *err, mrcnn_status status, const char *context);

#ifdef __clang_analyzer__
/* Checking one file at a time, the analyzer can't know what error.c returns. */
#define mr_fail(err, status, ...) ((void)(mr_fail)(err, status, __VA_ARGS__), (status))
#define mr_fail_memory(err, bytes, what) ((void)(mr_fail_memory)(err, bytes, what), MRCNN_E_MEMORY)
#endif

#endif
