/* page_buffer.h - text that grows: HTML and JSON are made in memory. Memory that runs out is
 * remembered, so that a long row of calls needs one check. */
#ifndef MR_VIZ_PAGE_BUFFER_H
#define MR_VIZ_PAGE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

/* Start with {0}. */
typedef struct mr_buffer {
    char *text; /* NULL, or with a 0 behind it */
    size_t length, room;
    int failed; /* memory ran out: the text is not whole */
} mr_buffer;

void mr_buffer_free(mr_buffer *buffer);

void mr_buffer_put(mr_buffer *buffer, const char *text);
void mr_buffer_append(mr_buffer *buffer, const mr_buffer *other);
void mr_buffer_format(mr_buffer *buffer, const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 2, 3)))
#endif
    ;
void mr_buffer_base64(mr_buffer *buffer, const uint8_t *bytes, size_t length);

/* Text of any kind for an element or a quoted attribute: escaped, and '?' for control characters and
 * what is no UTF-8. */
void mr_buffer_html(mr_buffer *buffer, const char *text);

/* A string with its quotes (null for NULL), cleaned in the same way; a number (null when it is none). */
void mr_buffer_json(mr_buffer *buffer, const char *text);
void mr_buffer_json_number(mr_buffer *buffer, double number);

/* A number for people: 261,888 or 0.3471. digits: behind the point, -1: four significant ones. A dash
 * when it is none. */
void mr_buffer_number(mr_buffer *buffer, double number, int digits);

#endif
