/* helper_golden_json.c - see helper_golden_json.h. */
#include "helper_golden_json.h"

#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *p) {
    return p + strspn(p, " \t\r\n");
}

static const char *skip_string(const char *p) {
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1]) p++;
    return *p ? p + 1 : p;
}

/* Past a value: strings hide brackets, brackets nest. */
static const char *skip_value(const char *p) {
    int depth = 0;
    do {
        p = skip_space(p);
        if (!*p) return p;
        if (*p == '"') {
            p = skip_string(p);
        } else if (strchr("[{", *p)) {
            depth++;
            p++;
        } else if (strchr("]}", *p)) {
            depth--;
            p++;
        } else if (strchr(",:", *p)) {
            p++;
        } else {
            p += strcspn(p, " \t\r\n,:[]{}\"");
        }
    } while (depth > 0);
    return p;
}

/* To the next item or member; NULL at the end. */
static const char *next_item(const char *p) {
    p = skip_space(p);
    if (*p == ',' || *p == '[' || *p == '{') p = skip_space(p + 1);
    return *p == ']' || *p == '}' || !*p ? NULL : p;
}

int json_next(const char **cursor, char *key, size_t key_size, const char **value) {
    const char *p = *cursor ? next_item(*cursor) : NULL;
    if (!p || *p != '"') return 0;
    json_text(p, key, key_size);
    p = skip_space(skip_string(p));
    if (*p != ':') return 0;
    *value = skip_space(p + 1);
    *cursor = skip_value(*value);
    return 1;
}

const char *json_get(const char *object, const char *key) {
    char found[96];
    const char *value;
    while (json_next(&object, found, sizeof found, &value))
        if (strcmp(found, key) == 0) return value;
    return NULL;
}

const char *json_item(const char *array, size_t index) {
    const char *p = array && *array == '[' ? next_item(array) : NULL;
    for (; p && index > 0; index--) p = next_item(skip_value(p));
    return p;
}

void json_text(const char *value, char *text, size_t size) {
    size_t length = 0;
    if (value) {
        const char *end = *value == '"' ? skip_string(value) : skip_value(value);
        int quoted = *value == '"' && end > value + 1;
        length = (size_t)(end - value) - (quoted ? 2 : 0);
        if (length > size - 1) length = size - 1;
        memcpy(text, value + quoted, length);
    }
    text[length] = 0;
}

double json_number(const char *value, double otherwise) {
    char *end;
    if (!value) return otherwise;
    double number = strtod(value, &end);
    return end == value ? otherwise : number;
}
