/* json.h - writes JSON to a stream, value by value: nothing is held back, so a file of any length
 * costs no memory. Text that is not UTF-8 (file names may hold any bytes) gets U+FFFD for each bad
 * byte; numbers that JSON can't say (NaN, infinity) become null. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Start with {file, 0, 0, 0, lines}. */
typedef struct json {
    FILE *file;
    int depth;
    int comma;     /* a value stands before the next one */
    int after_key; /* the next value belongs to a key */
    int lines;     /* containers down to this depth put each value on a line of its own */
} json;

void json_begin(json *out, char bracket); /* '{' or '[' */
void json_end(json *out, char bracket);   /* '}' or ']' */
void json_key(json *out, const char *key);
void json_text(json *out, const char *text);
void json_integer(json *out, int64_t number);
void json_real(json *out, double number, int digits); /* significant digits */
void json_null(json *out);
void json_boolean(json *out, int value);

/* A key with its value. */
void json_put_integer(json *out, const char *key, size_t number);
void json_put_real(json *out, const char *key, double number);    /* all digits */
void json_put_text(json *out, const char *key, const char *text); /* null for NULL */

#endif
