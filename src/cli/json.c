/* json.c - see json.h. */
#include "json.h"

#include "text.h"

#include <math.h>
#include <string.h>

static void new_line(json *out) {
    fputc('\n', out->file);
    for (int i = 0; i < out->depth; i++) fputs("  ", out->file);
}

static void separate(json *out) {
    if (out->after_key) {
        out->after_key = 0;
        return;
    }
    if (out->comma) fputc(',', out->file);
    if (out->depth && out->depth <= out->lines)
        new_line(out);
    else if (out->comma)
        fputc(' ', out->file);
}

void json_begin(json *out, char bracket) {
    separate(out);
    fputc(bracket, out->file);
    out->depth++;
    out->comma = 0;
}

void json_end(json *out, char bracket) {
    out->depth--;
    if (out->comma && out->depth < out->lines) new_line(out);
    fputc(bracket, out->file);
    out->comma = 1;
    if (out->depth == 0) fputc('\n', out->file);
}

static void print_text(FILE *file, const char *text) {
    fputc('"', file);
    while (*text) {
        size_t length = text_utf8_length(text);
        if (length == 0)
            fputs("\xEF\xBF\xBD", file);
        else if (*text == '"' || *text == '\\')
            fprintf(file, "\\%c", *text);
        else if ((unsigned char)*text < 0x20 || *text == 0x7F)
            fprintf(file, "\\u%04x", (unsigned)*text);
        else
            fwrite(text, 1, length, file);
        text += length ? length : 1;
    }
    fputc('"', file);
}

void json_key(json *out, const char *key) {
    separate(out);
    print_text(out->file, key);
    fputs(": ", out->file);
    out->after_key = 1;
}

void json_text(json *out, const char *text) {
    separate(out);
    print_text(out->file, text);
    out->comma = 1;
}

void json_integer(json *out, int64_t number) {
    separate(out);
    fprintf(out->file, "%lld", (long long)number);
    out->comma = 1;
}

void json_real(json *out, double number, int digits) {
    if (!isfinite(number)) {
        json_null(out);
        return;
    }
    separate(out);
    fprintf(out->file, "%.*g", digits, number);
    out->comma = 1;
}

void json_null(json *out) {
    separate(out);
    fputs("null", out->file);
    out->comma = 1;
}

void json_boolean(json *out, int value) {
    separate(out);
    fputs(value ? "true" : "false", out->file);
    out->comma = 1;
}

void json_put_integer(json *out, const char *key, size_t number) {
    json_key(out, key);
    json_integer(out, (int64_t)number);
}

void json_put_real(json *out, const char *key, double number) {
    json_key(out, key);
    json_real(out, number, 17);
}

void json_put_text(json *out, const char *key, const char *text) {
    json_key(out, key);
    if (text)
        json_text(out, text);
    else
        json_null(out);
}
