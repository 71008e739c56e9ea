/* report_json.h - what programs answer: one value of JSON. */
#ifndef BENCH_REPORT_JSON_H
#define BENCH_REPORT_JSON_H

#include "data/json.h"

/* Gives the value of a text to `take`, which sees it while it runs. 0, or -1 with a reason that begins with `name`. */
int json_take(const char *name, const char *text, void (*take)(void *user, const mr_json *value),
              void *user, char *reason, size_t room);
/* A member of an object; NAN when it isn't there or no number. */
double json_number(const mr_json *object, const char *key);

#endif
