/* json_value.c - looking at the values of a record. */
#include "data/json.h"

#include <math.h>
#include <string.h>

const mr_json *mr_json_get(const mr_json *object, const char *key) {
    const mr_json *found = NULL;
    if (!object || object->kind != MR_JSON_OBJECT) return NULL;
    for (const mr_json *member = object->first; member; member = member->next)
        if (strcmp(member->key, key) == 0) found = member;
    return found;
}

const char *mr_json_text(const mr_json *value) {
    return value && value->kind == MR_JSON_STRING ? value->text : NULL;
}

int mr_json_number(const mr_json *value, double *number) {
    if (!value || value->kind != MR_JSON_NUMBER || !isfinite(value->number)) return 0;
    *number = value->number;
    return 1;
}

int mr_json_numbers(const mr_json *value, double *numbers, uint32_t count) {
    if (!value || value->kind != MR_JSON_ARRAY || value->count != count) return 0;
    for (const mr_json *m = value->first; m; m = m->next)
        if (!mr_json_number(m, numbers++)) return 0;
    return 1;
}

const char *mr_json_kind_name(const mr_json *value) {
    static const char *const names[] = {
        "null",     "true or false", "a number",          "a string",
        "an array", "an object",     "an array or object"};
    return value ? names[value->kind] : "nothing";
}
