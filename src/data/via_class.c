/* via_class.c - the class of a VIA region. VIA lets people name their attributes as they like, so
 * the usual names are tried before the only attribute that has a text. */
#include "data/via.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *const usual_keys[] = {"class", "name", "type", "label", "category"};
static const char *const crowd_key = "iscrowd"; /* ours: VIA knows no crowds */

/* The ticked entry of a checkbox, {"cat": true, "dog": false}; NULL for none. */
static const char *find_ticked(const mr_json *box, int *several) {
    const char *ticked = NULL;
    for (const mr_json *m = box->first; m; m = m->next) {
        if (m->kind != MR_JSON_BOOL || m->number == 0) continue;
        *several |= ticked != NULL;
        ticked = m->key;
    }
    return ticked;
}

/* An attribute as a class name; "" when nothing is chosen. */
static mr_via_result read_value(const mr_json *value, char name[MR_CLASS_TEXT],
                                char why[MR_VIA_WHY]) {
    char number[MR_NUMBER_TEXT];
    const char *text = "";
    int several = 0;
    double n;
    if (value->kind == MR_JSON_STRING) text = value->text;
    if (value->kind == MR_JSON_OBJECT) {
        const char *ticked = find_ticked(value, &several);
        if (ticked) text = ticked;
    }
    if (mr_json_number(value, &n)) {
        mr_number_print(n, number);
        text = number;
    }
    if (several)
        snprintf(why, MR_VIA_WHY,
                 "the region has several classes: more than one of \"%.60s\" is "
                 "ticked",
                 value->key);
    else if (!mr_tidy_name(text, name))
        snprintf(why, MR_VIA_WHY, "the region's class is longer than %d bytes", MR_CLASS_TEXT - 1);
    else
        return MR_VIA_USABLE;
    return MR_VIA_BAD;
}

static const mr_json *find_usual(const mr_json *attributes) {
    for (size_t i = 0; i < sizeof usual_keys / sizeof *usual_keys; i++)
        for (const mr_json *m = attributes->first; m; m = m->next)
            if (strcasecmp(m->key, usual_keys[i]) == 0) return m;
    return NULL;
}

mr_via_result mr_via_class(const mr_json *attributes, char name[MR_CLASS_TEXT],
                           char why[MR_VIA_WHY]) {
    const mr_json *found = NULL;
    name[0] = 0;
    if (!attributes || attributes->kind == MR_JSON_NULL) return MR_VIA_USABLE;
    if (attributes->kind != MR_JSON_OBJECT) {
        snprintf(why, MR_VIA_WHY, "region_attributes is %s instead of an object",
                 mr_json_kind_name(attributes));
        return MR_VIA_BAD;
    }
    const mr_json *usual = find_usual(attributes);
    if (usual) return read_value(usual, name, why);
    for (const mr_json *m = attributes->first; m; m = m->next) {
        char text[MR_CLASS_TEXT];
        if (strcasecmp(m->key, crowd_key) == 0) continue;
        mr_via_result result = read_value(m, text, why);
        if (result != MR_VIA_USABLE) return result;
        if (!text[0]) continue;
        if (found && strcmp(found->key, m->key) != 0) {
            snprintf(why, MR_VIA_WHY,
                     "the region's class may be \"%.60s\" or \"%.60s\": call one "
                     "attribute \"class\"",
                     found->key, m->key);
            return MR_VIA_BAD;
        }
        found = m;
        memcpy(name, text, sizeof text);
    }
    return MR_VIA_USABLE;
}

int mr_via_is_crowd(const mr_json *attributes) {
    static const char *const yes[] = {"1", "true", "yes"};
    if (!attributes || attributes->kind != MR_JSON_OBJECT) return 0;
    for (const mr_json *m = attributes->first; m; m = m->next) {
        char text[MR_CLASS_TEXT] = "", why[MR_VIA_WHY];
        if (strcasecmp(m->key, crowd_key) != 0) continue;
        if (m->kind == MR_JSON_BOOL) return m->number != 0;
        if (read_value(m, text, why) != MR_VIA_USABLE) return 0;
        for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
            if (strcasecmp(text, yes[i]) == 0) return 1;
    }
    return 0;
}
