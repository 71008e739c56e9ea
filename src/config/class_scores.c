/* class_scores.c - see class_scores.h. */
#include "config/class_scores.h"

#include "base/error.h"
#include "config/text.h"

#include <stdio.h>
#include <string.h>

/* What is left of the text. */
typedef struct cursor {
    const mr_key *key;
    const char *at, *end;
    mrcnn_error *err;
} cursor;

static int is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(cursor *c) {
    while (c->at < c->end && is_blank(*c->at)) c->at++;
}

static void trim_end(cursor *c) {
    while (c->at < c->end && is_blank(c->end[-1])) c->end--;
}

static mrcnn_status fail_syntax(const cursor *c) {
    return mr_fail(
        c->err, MRCNN_E_CONFIG,
        "%s: write {person: 0.8, \"traffic light\": 0.5}, with quotes round names that have "
        "punctuation in them",
        c->key->shown.name);
}

/* What doesn't fit ends in dots, so that it is no number. */
static void copy(char *to, size_t room, const char *begin, const char *end) {
    size_t length = (size_t)(end - begin);
    int is_cut = length >= room;
    if (is_cut) length = room - 1;
    memcpy(to, begin, length);
    to[length] = 0;
    if (is_cut) memcpy(to + length - 3, "...", 3);
}

static int is_none(const char *begin, size_t length) {
    static const char *const words[] = {"none", "None", "NONE", "null", "Null", "NULL", "~", ""};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == length && memcmp(words[i], begin, length) == 0) return 1;
    return 0;
}

/* ---------------------------------------------------------------------------------- the list */

int mr_class_scores_find(const mr_class_scores *scores, const char *name) {
    for (int i = 0; i < scores->count; i++)
        if (strcmp(scores->names[i], name) == 0) return i;
    return -1;
}

/* Zeros behind the last entry keep equal lists equal byte by byte. */
static void take_away(mr_class_scores *scores, int index) {
    int last = --scores->count;
    for (int i = index; i < last; i++) {
        memcpy(scores->names[i], scores->names[i + 1], sizeof *scores->names);
        scores->values[i] = scores->values[i + 1];
    }
    memset(scores->names[last], 0, sizeof *scores->names);
    scores->values[last] = 0;
}

/* What the canonical text of a list needs, with the final 0. */
static size_t text_length(const mr_class_scores *scores) {
    char number[MR_NUMBER_TEXT];
    size_t length = sizeof "{}";
    for (int i = 0; i < scores->count; i++) {
        mr_number_print(scores->values[i], number);
        length += (i ? 2 : 0) + strlen(scores->names[i]) + strlen("\"\": ") + strlen(number);
    }
    return length;
}

static mrcnn_status check_name(const mr_key *key, const char *name, mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    size_t length = strlen(name);
    int good = length > 0 && length < MR_NAME_TEXT;
    for (const char *p = name; *p && good;) {
        long c = mr_text_next(&p);
        good = c >= 0x20 && c != '"' && c != '\\' && !(c >= 0x7F && c < 0xA0) && c != 0x2028 &&
               c != 0x2029 && c != 0xFEFF && c != 0xFFFE && c != 0xFFFF;
    }
    if (good) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_CONFIG,
                   "%s: %s can't be a class's name here; it must have 1 to %d bytes, and no double "
                   "quotes, backslashes or control characters",
                   key->shown.name, mr_text_show(name, shown), MR_NAME_TEXT - 1);
}

static mrcnn_status parse_score(const mr_key *key, const char *name, const char *token,
                                double *score, mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    if (mr_number_parse(token, score) && *score >= key->low && *score <= key->high) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_CONFIG, "%s.%s: %s is no score; it must be between %g and %g",
                   key->shown.name, name, mr_text_show(token, shown), key->low, key->high);
}

/* `token` has no blanks round it. */
static mrcnn_status set(const mr_key *key, const char *name, const char *token,
                        mr_class_scores *scores, mrcnn_error *err) {
    int at = mr_class_scores_find(scores, name);
    double score = 0;
    mrcnn_status status = check_name(key, name, err);
    if (status == MRCNN_OK && is_none(token, strlen(token))) {
        if (at >= 0) take_away(scores, at);
        return MRCNN_OK;
    }
    if (status == MRCNN_OK) status = parse_score(key, name, token, &score, err);
    if (status != MRCNN_OK) return status;
    if (at < 0 && scores->count == key->most)
        return mr_fail(err, MRCNN_E_CONFIG, "%s: more than %d classes", key->shown.name, key->most);
    if (at < 0) {
        at = scores->count++;
        memset(scores->names[at], 0, sizeof *scores->names);
        memcpy(scores->names[at], name, strlen(name));
    }
    scores->values[at] = score;
    if (text_length(scores) <= MR_VALUE_TEXT) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_CONFIG, "%s: its text is longer than %d bytes; name fewer classes",
                   key->shown.name, MR_VALUE_TEXT - 1);
}

mrcnn_status mr_class_scores_set(const mr_key *key, const char *name, const char *text,
                                 mr_class_scores *scores, mrcnn_error *err) {
    cursor c = {key, text, text + strlen(text), err};
    char token[MR_NUMBER_TEXT];
    skip_blanks(&c);
    trim_end(&c);
    copy(token, sizeof token, c.at, c.end);
    mr_class_scores changed = *scores;
    mrcnn_status status = set(key, name, token, &changed, err);
    if (status == MRCNN_OK) *scores = changed;
    return status;
}

/* ------------------------------------------------------------------------------------ parsing */

/* A name and the colon behind it. */
static mrcnn_status read_name(cursor *c, char name[MR_NAME_TEXT + 1]) {
    const char *begin = c->at, *end;
    if (*begin == '"' || *begin == '\'') {
        begin++;
        for (end = begin; end < c->end && *end != *c->at;) end++;
        if (end == c->end) return fail_syntax(c);
        c->at = end + 1;
        skip_blanks(c);
    } else {
        while (c->at < c->end && !strchr(":,[](){}", *c->at)) c->at++;
        end = c->at;
        while (end > begin && is_blank(end[-1])) end--;
    }
    if (c->at == c->end || *c->at != ':') return fail_syntax(c);
    c->at++;
    copy(name, MR_NAME_TEXT + 1, begin, end);
    return MRCNN_OK;
}

/* A number and the comma behind it, unless it is the last one. */
static void read_number(cursor *c, char token[MR_NUMBER_TEXT]) {
    skip_blanks(c);
    const char *begin = c->at;
    while (c->at < c->end && *c->at != ',') c->at++;
    const char *end = c->at;
    if (c->at < c->end) c->at++;
    while (end > begin && is_blank(end[-1])) end--;
    copy(token, MR_NUMBER_TEXT, begin, end);
}

static mrcnn_status read_entry(cursor *c, mr_class_scores *scores) {
    char name[MR_NAME_TEXT + 1], token[MR_NUMBER_TEXT], shown[MR_SHOWN_TEXT];
    mrcnn_status status = read_name(c, name);
    if (status != MRCNN_OK) return status;
    if (mr_class_scores_find(scores, name) >= 0)
        return mr_fail(c->err, MRCNN_E_CONFIG, "%s: %s is there twice", c->key->shown.name,
                       mr_text_show(name, shown));
    read_number(c, token);
    return set(c->key, name, token, scores, c->err);
}

mrcnn_status mr_class_scores_parse(const mr_key *key, const char *text, mr_class_scores *scores,
                                   mrcnn_error *err) {
    cursor c = {key, text, text + strlen(text), err};
    mr_class_scores list = {0};
    mrcnn_status status = MRCNN_OK;
    skip_blanks(&c);
    trim_end(&c);
    if (!is_none(c.at, (size_t)(c.end - c.at))) {
        if (c.end - c.at < 2 || *c.at != '{' || c.end[-1] != '}') return fail_syntax(&c);
        c.at++;
        c.end--;
        trim_end(&c);
    } else {
        c.at = c.end;
    }
    for (skip_blanks(&c); status == MRCNN_OK && c.at < c.end; skip_blanks(&c))
        status = read_entry(&c, &list);
    if (status == MRCNN_OK) *scores = list;
    return status;
}

void mr_class_scores_print(const mr_class_scores *scores, char text[MR_VALUE_TEXT]) {
    char number[MR_NUMBER_TEXT];
    size_t used = (size_t)snprintf(text, MR_VALUE_TEXT, "{");
    for (int i = 0; i < scores->count; i++) {
        mr_number_print(scores->values[i], number);
        used += (size_t)snprintf(text + used, MR_VALUE_TEXT - used, "%s\"%s\": %s", i ? ", " : "",
                                 scores->names[i], number);
    }
    snprintf(text + used, MR_VALUE_TEXT - used, "}");
}
