/* report_json.c - see report_json.h. */
#include "report_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct taker {
    void (*take)(void *user, const mr_json *value);
    void *user;
} taker;

static mr_json_choice choose_all(void *user, const mr_json_place *place) {
    (void)user;
    (void)place;
    return MR_JSON_TAKE;
}

static mrcnn_status pass_on(void *user, const mr_json_place *place, const mr_json *value,
                            mrcnn_error *err) {
    (void)place;
    (void)err;
    const taker *t = user;
    t->take(t->user, value);
    return MRCNN_OK;
}

int json_take(const char *name, const char *text, void (*take)(void *user, const mr_json *value),
              void *user, char *reason, size_t room) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    taker t = {take, user};
    mr_json_reader reader = {choose_all, pass_on, &t};
    if (mr_json_read_text(name, text, strlen(text), &reader, &err) == MRCNN_OK) return 0;
    snprintf(reason, room, "%s", err.message);
    return -1;
}

double json_number(const mr_json *object, const char *key) {
    double number = 0;
    return mr_json_number(mr_json_get(object, key), &number) ? number : NAN;
}
