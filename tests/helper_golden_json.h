/* helper_golden_json.h - just enough JSON to read what the oracle wrote: values are found in the
 * text and stay there, nothing is built. Every function accepts NULL (a value that isn't there). */
#ifndef HELPER_GOLDEN_JSON_H
#define HELPER_GOLDEN_JSON_H

#include <stddef.h>

/* The first character of the value of `key` in the object that begins at `object`; NULL if there is
 * none. */
const char *json_get(const char *object, const char *key);

/* Item `index` of an array; NULL past the end. */
const char *json_item(const char *array, size_t index);

/* Walks over an object: *cursor starts as the object's text. Returns 0 at its end. */
int json_next(const char **cursor, char *key, size_t key_size, const char **value);

/* The value as text: a string without its quotes, anything else as written. "" for NULL. */
void json_text(const char *value, char *text, size_t size);

/* A number, `otherwise` for null, no value or anything that isn't a number. */
double json_number(const char *value, double otherwise);

#endif
