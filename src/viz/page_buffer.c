/* page_buffer.c - see page_buffer.h. */
#include "viz/page_buffer.h"

#include "base/base64.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mr_buffer_free(mr_buffer *buffer) {
    free(buffer->text);
    *buffer = (mr_buffer){0};
}

/* Room for so many bytes more and a 0. */
static char *reserve(mr_buffer *buffer, size_t more) {
    size_t need = 0;
    if (buffer->failed || !mr_add_size(buffer->length, more, &need) ||
        !mr_add_size(need, 1, &need)) {
        buffer->failed = 1;
        return NULL;
    }
    if (need > buffer->room) {
        size_t room = need < SIZE_MAX / 2 ? 2 * need : need;
        char *larger = mr_realloc(buffer->text, room, 1);
        if (!larger) {
            buffer->failed = 1;
            return NULL;
        }
        buffer->text = larger;
        buffer->room = room;
    }
    return buffer->text + buffer->length;
}

static void append(mr_buffer *buffer, const char *bytes, size_t length) {
    char *to = reserve(buffer, length);
    if (!to) return;
    memcpy(to, bytes, length);
    to[length] = 0;
    buffer->length += length;
}

void mr_buffer_put(mr_buffer *buffer, const char *text) {
    append(buffer, text, strlen(text));
}

void mr_buffer_append(mr_buffer *buffer, const mr_buffer *other) {
    if (other->failed) buffer->failed = 1;
    if (other->length) append(buffer, other->text, other->length);
}

void mr_buffer_format(mr_buffer *buffer, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof text)
        buffer->failed = 1; /* formats are for short things */
    else
        append(buffer, text, (size_t)length);
}

void mr_buffer_base64(mr_buffer *buffer, const uint8_t *bytes, size_t length) {
    size_t groups = length / 3 + 1, room = 0;
    char *to = mr_mul_size(groups, 4, &room) ? reserve(buffer, room) : NULL;
    if (!to) {
        buffer->failed = 1;
        return;
    }
    buffer->length += mr_base64_encode(to, bytes, length);
}

/* ------------------------------------------------------------------------------------- escaping */

/* A copy without control characters and broken UTF-8. */
static char *cleaned(mr_buffer *buffer, const char *text) {
    char *copy = mr_strdup(text);
    if (copy)
        mr_clean_text(copy);
    else
        buffer->failed = 1;
    return copy;
}

static const char *html_entity(char c) {
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

void mr_buffer_html(mr_buffer *buffer, const char *text) {
    char *copy = cleaned(buffer, text), *from = copy;
    if (!copy) return;
    for (char *c = copy; *c; c++) {
        const char *entity = html_entity(*c);
        if (!entity) continue;
        append(buffer, from, (size_t)(c - from));
        mr_buffer_put(buffer, entity);
        from = c + 1;
    }
    mr_buffer_put(buffer, from);
    free(copy);
}

void mr_buffer_json(mr_buffer *buffer, const char *text) {
    if (!text) {
        mr_buffer_put(buffer, "null");
        return;
    }
    char *copy = cleaned(buffer, text), *from = copy;
    if (!copy) return;
    mr_buffer_put(buffer, "\"");
    for (char *c = copy; *c; c++) {
        if (*c != '"' && *c != '\\') continue;
        append(buffer, from, (size_t)(c - from));
        mr_buffer_put(buffer, "\\");
        from = c;
    }
    mr_buffer_put(buffer, from);
    mr_buffer_put(buffer, "\"");
    free(copy);
}

/* -------------------------------------------------------------------------------------- numbers */

void mr_buffer_json_number(mr_buffer *buffer, double number) {
    char text[MR_NUMBER_TEXT] = "null";
    if (isfinite(number)) mr_number_print(number, text);
    mr_buffer_put(buffer, text);
}

/* 261888 -> 261,888; a sign and a fraction stay. */
static void put_grouped(mr_buffer *buffer, const char *text) {
    size_t digits = strspn(text + (*text == '-'), "0123456789");
    if (*text == '-') append(buffer, text++, 1);
    for (size_t i = 0; i < digits; i++) {
        if (i > 0 && (digits - i) % 3 == 0) mr_buffer_put(buffer, ",");
        append(buffer, text + i, 1);
    }
    mr_buffer_put(buffer, text + digits);
}

void mr_buffer_number(mr_buffer *buffer, double number, int digits) {
    char text[MR_NUMBER_LONG];
    if (!isfinite(number)) {
        mr_buffer_put(buffer, "&ndash;");
        return;
    }
    if (number == 0) number = 0; /* no -0 */
    int is_whole = number == floor(number) && fabs(number) < 1e15;
    int is_large = fabs(number) >= 1000 && fabs(number) < 1e15; /* 14,310 and not 1.431e+04 */
    if (digits >= 0 && fabs(number) < 1e15)
        mr_number_fixed(number, digits, text);
    else if (is_whole || is_large)
        mr_number_fixed(number, 0, text);
    else
        mr_number_short(number, 4, text);
    put_grouped(buffer, text);
}
