/* value.c - see value.h. One parser and one printer for each kind of mr_kind. */
#include "config/value.h"

#include "base/error.h"
#include "config/class_scores.h"
#include "config/nearest.h"
#include "config/stages.h"
#include "config/text.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(mr_resize_mode) == sizeof(int) && sizeof(mr_mask_resize) == sizeof(int) &&
                   sizeof(mr_train_bn) == sizeof(int) && sizeof(mr_compat) == sizeof(int) &&
                   sizeof(mr_schedule) == sizeof(int) && sizeof(mr_non_finite) == sizeof(int) &&
                   sizeof(mr_optimizer_kind) == sizeof(int) && sizeof(mr_sampling) == sizeof(int) &&
                   sizeof(mr_suppression) == sizeof(int) && sizeof(mr_test_flips) == sizeof(int) &&
                   sizeof(mr_train_precision) == sizeof(int),
               "choices are stored as int");

enum { TOKEN = 64 }; /* no number or word that means anything is longer */

_Static_assert(sizeof((mr_settings *)0)->name == TOKEN &&
                   sizeof((mr_settings *)0)->backbone == TOKEN && (int)MR_NAME_TEXT == TOKEN,
               "names have the size of a token");

typedef struct span {
    const char *begin, *end;
} span;

static void *field(mr_settings *settings, const mr_key *key) {
    return (char *)settings + key->offset;
}

static const void *const_field(const mr_settings *settings, const mr_key *key) {
    return (const char *)settings + key->offset;
}

/* ------------------------------------------------------------------------------------- words */

static int is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static span trim(const char *begin, const char *end) {
    while (begin < end && is_blank(*begin)) begin++;
    while (begin < end && is_blank(end[-1])) end--;
    span s = {begin, end};
    return s;
}

static span trim_text(const char *text) {
    return trim(text, text + strlen(text));
}

static mrcnn_status copy_span(const mr_key *key, span s, char *token, size_t room,
                              mrcnn_error *err) {
    size_t length = (size_t)(s.end - s.begin);
    if (length >= room)
        return mr_fail(err, MRCNN_E_CONFIG, "%s: a value of %zu characters; the longest has %zu",
                       key->shown.name, length, room - 1);
    memcpy(token, s.begin, length);
    token[length] = 0;
    return MRCNN_OK;
}

static mrcnn_status copy_token(const mr_key *key, span s, char token[TOKEN], mrcnn_error *err) {
    return copy_span(key, s, token, TOKEN, err);
}

/* The words of "a|b|c" in turn; index of `word`, or -1. */
static int word_index(const char *words, const char *word) {
    size_t length = strlen(word);
    for (int index = 0;; index++) {
        size_t n = strcspn(words, "|");
        if (n == length && strncmp(words, word, n) == 0) return index;
        if (words[n] == 0) return -1;
        words += n + 1;
    }
}

/* YAML's and Python's spellings of true, false and null; NULL for any other word. */
static const char *plain_word(const char *token) {
    static const char *const spellings[][2] = {
        {"true|True|TRUE|yes|Yes|YES", "true"},
        {"false|False|FALSE|no|No|NO", "false"},
        {"none|None|NONE|null|Null|NULL|~|", "none"},
    };
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (word_index(spellings[i][0], token) >= 0) return spellings[i][1];
    return NULL;
}

static mrcnn_status parse_bool(const mr_key *key, const char *token, int *value, mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    const char *word = plain_word(token);
    if (!word || strcmp(word, "none") == 0)
        return mr_fail(err, MRCNN_E_CONFIG, "%s: %s is neither true nor false", key->shown.name,
                       mr_text_show(token, shown));
    *value = strcmp(word, "true") == 0;
    return MRCNN_OK;
}

static mrcnn_status parse_choice(const mr_key *key, const char *token, int *value,
                                 mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    const char *plain = plain_word(token);
    int index = word_index(key->shown.type, token);
    if (index < 0 && plain && *token) index = word_index(key->shown.type, plain);
    if (index < 0)
        return mr_fail(err, MRCNN_E_CONFIG, "%s: %s is not one of %s", key->shown.name,
                       mr_text_show(token, shown), key->shown.type);
    *value = index;
    return MRCNN_OK;
}

/* Zeros behind the text keep equal settings equal byte by byte. */
static void copy_padded(char value[TOKEN], const char *token) {
    memset(value, 0, TOKEN);
    memcpy(value, token, strlen(token));
}

static mrcnn_status parse_identifier(const mr_key *key, const char *token, char value[TOKEN],
                                     mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    size_t good = strspn(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    if (good == 0 || token[good] != 0)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "%s: %s is no name; it must be made of letters, digits, _ and -",
                       key->shown.name, mr_text_show(token, shown));
    copy_padded(value, token);
    return MRCNN_OK;
}

/* What may stand in a file's name and, in double quotes, in YAML. */
static int is_name_character(long c) {
    if (c == '"' || c == '/' || c == '\\') return 0;
    if (c == 0x2028 || c == 0x2029 || c == 0xFEFF || c == 0xFFFE || c == 0xFFFF) return 0;
    return (c >= 0x20 && c < 0x7F) || c >= 0xA0;
}

static mrcnn_status parse_name(const mr_key *key, const char *token, char value[TOKEN],
                               mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    const char *word = plain_word(token);
    if (word && strcmp(word, "none") == 0) token = "";
    for (const char *p = token; *p;)
        if (!is_name_character(mr_text_next(&p)))
            return mr_fail(err, MRCNN_E_CONFIG,
                           "%s: %s can't be part of a file's name; use no quotes, slashes or "
                           "control characters",
                           key->shown.name, mr_text_show(token, shown));
    copy_padded(value, token);
    return MRCNN_OK;
}

/* The text is kept as it was written, once it is known to be good. */
static mrcnn_status parse_stages(const mr_key *key, const char *text, char value[MR_STAGES_TEXT],
                                 mrcnn_error *err) {
    char token[MR_STAGES_TEXT] = "";
    mr_stages ignored;
    mrcnn_status status = copy_span(key, trim_text(text), token, sizeof token, err);
    if (status != MRCNN_OK) return status;
    const char *word = plain_word(token);
    if (word && strcmp(word, "none") == 0) memset(token, 0, sizeof token);
    if (strpbrk(token, "'\t\r\n"))
        return mr_fail(err, MRCNN_E_CONFIG, "%s: write it on one line, without quotes inside",
                       key->shown.name);
    status = mr_stages_parse(&ignored, token, err);
    if (status == MRCNN_OK) memcpy(value, token, sizeof token);
    return status;
}

/* ----------------------------------------------------------------------------------- numbers */

static mrcnn_status fail_number(const mr_key *key, const char *token, const char *fault,
                                mrcnn_error *err) {
    char low[MR_NUMBER_TEXT], high[MR_NUMBER_TEXT], shown[MR_SHOWN_TEXT];
    double ignored;
    int whole = key->kind == MR_KIND_INT || key->kind == MR_KIND_INTS;
    mr_number_print(key->low, low);
    mr_number_print(key->high, high);
    return mr_fail(err, MRCNN_E_CONFIG, "%s: %s is %s; %s must be %sbetween %s and %s",
                   key->shown.name,
                   mr_number_parse(token, &ignored) ? token : mr_text_show(token, shown), fault,
                   key->most ? "each number" : "it", whole ? "a whole number " : "", low, high);
}

static mrcnn_status parse_int(const mr_key *key, const char *token, int *value, mrcnn_error *err) {
    int64_t n;
    if (!mr_integer_parse(token, &n)) return fail_number(key, token, "not a whole number", err);
    if (n < key->low || n > key->high) return fail_number(key, token, "out of range", err);
    *value = (int)n;
    return MRCNN_OK;
}

static mrcnn_status parse_float(const mr_key *key, const char *token, double *value,
                                mrcnn_error *err) {
    double x;
    if (!mr_number_parse(token, &x)) return fail_number(key, token, "not a number", err);
    if (x < key->low || x > key->high) return fail_number(key, token, "out of range", err);
    *value = x;
    return MRCNN_OK;
}

/* ------------------------------------------------------------------------------------- lists */

/* Takes the brackets off; 0 when they don't match. */
static int open_list(span *list, const char *pairs) {
    if (list->begin == list->end) return 1;
    for (const char *pair = pairs; *pair; pair += 2) {
        int opens = *list->begin == pair[0], closes = list->end[-1] == pair[1];
        if (opens != closes || (opens && list->end - list->begin < 2)) return 0;
        if (opens) {
            *list = trim(list->begin + 1, list->end - 1);
            return 1;
        }
    }
    return 1;
}

/* Cuts the next item off the list; a comma may stand behind the last one, as in Python's (1,). */
static int next_item(span *list, span *item) {
    if (list->begin >= list->end) return 0;
    const char *comma = memchr(list->begin, ',', (size_t)(list->end - list->begin));
    const char *end = comma ? comma : list->end;
    *item = trim(list->begin, end);
    *list = trim(comma ? comma + 1 : list->end, list->end);
    return 1;
}

static mrcnn_status fail_count(const mr_key *key, int count, mrcnn_error *err) {
    char allowed[40];
    if (key->fewest == key->most)
        snprintf(allowed, sizeof allowed, "%d", key->most);
    else
        snprintf(allowed, sizeof allowed, "%d to %d", key->fewest, key->most);
    return mr_fail(err, MRCNN_E_CONFIG, "%s: a list of %s%d; it must have %s numbers",
                   key->shown.name, count > key->most ? "more than " : "",
                   count > key->most ? key->most : count, allowed);
}

static int is_none(span list) {
    char token[TOKEN];
    size_t length = (size_t)(list.end - list.begin);
    if (length == 0 || length >= sizeof token) return 0;
    memcpy(token, list.begin, length);
    token[length] = 0;
    const char *word = plain_word(token);
    return word && strcmp(word, "none") == 0;
}

/* Into doubles, which hold every int exactly. */
static mrcnn_status parse_list(const mr_key *key, const char *text, mr_floats *values,
                               mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    span list = trim_text(text), item;
    if (!open_list(&list, "[]()"))
        return mr_fail(err, MRCNN_E_CONFIG, "%s: %s is not a list; write [1, 2]", key->shown.name,
                       mr_text_show(text, shown));
    memset(values, 0, sizeof *values);
    if (key->fewest == 0 && is_none(list)) return MRCNN_OK;
    while (next_item(&list, &item)) {
        char token[TOKEN];
        mrcnn_status status = copy_token(key, item, token, err);
        if (status != MRCNN_OK) return status;
        if (values->count == key->most) return fail_count(key, key->most + 1, err);
        double *value = &values->values[values->count++];
        if (key->kind == MR_KIND_INTS) {
            int n = 0;
            status = parse_int(key, token, &n, err);
            *value = n;
        } else {
            status = parse_float(key, token, value, err);
        }
        if (status != MRCNN_OK) return status;
    }
    return values->count < key->fewest ? fail_count(key, values->count, err) : MRCNN_OK;
}

static mrcnn_status parse_ints(const mr_key *key, const char *text, mr_ints *ints,
                               mrcnn_error *err) {
    mr_floats values;
    mrcnn_status status = parse_list(key, text, &values, err);
    if (status != MRCNN_OK) return status;
    memset(ints, 0, sizeof *ints);
    ints->count = values.count;
    for (int i = 0; i < values.count; i++) ints->values[i] = (int)values.values[i];
    return MRCNN_OK;
}

static mrcnn_status parse_floats(const mr_key *key, const char *text, mr_floats *floats,
                                 mrcnn_error *err) {
    mr_floats values;
    mrcnn_status status = parse_list(key, text, &values, err);
    if (status == MRCNN_OK) *floats = values;
    return status;
}

/* Names of sources; quotes around one are taken off. */
static mrcnn_status parse_list_name(const mr_key *key, span item, char name[TOKEN],
                                    mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT], token[TOKEN];
    size_t length = (size_t)(item.end - item.begin);
    if (length >= 2 && (*item.begin == '"' || *item.begin == '\'') && item.end[-1] == *item.begin) {
        item.begin++;
        item.end--;
    }
    mrcnn_status status = copy_token(key, item, token, err);
    if (status != MRCNN_OK) return status;
    int good = *token != 0 && !strpbrk(token, "[](){}:'");
    for (const char *p = token; *p && good;) good = is_name_character(mr_text_next(&p));
    if (!good)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "%s: %s can't be named here; use no quotes, brackets, colons, slashes or "
                       "control characters",
                       key->shown.name, mr_text_show(token, shown));
    copy_padded(name, token);
    return MRCNN_OK;
}

static mrcnn_status parse_names(const mr_key *key, const char *text, mr_names_list *names,
                                mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    mr_names_list list = {0};
    span rest = trim_text(text), item;
    const char *word = plain_word(rest.begin);
    if (word && strcmp(word, "none") == 0) rest.begin = rest.end;
    if (!open_list(&rest, "[]()"))
        return mr_fail(err, MRCNN_E_CONFIG, "%s: %s is not a list; write [a, b]", key->shown.name,
                       mr_text_show(text, shown));
    while (next_item(&rest, &item)) {
        if (list.count == key->most)
            return mr_fail(err, MRCNN_E_CONFIG, "%s: a list of more than %d names", key->shown.name,
                           key->most);
        mrcnn_status status = parse_list_name(key, item, list.names[list.count++], err);
        if (status != MRCNN_OK) return status;
    }
    *names = list;
    return MRCNN_OK;
}

/* ------------------------------------------------------------------------------- LOSS_WEIGHTS */

int mr_loss_find(const char *name, mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    mr_nearest nearest = mr_nearest_start(name);
    for (int i = 0; i < MR_LOSS_COUNT; i++) {
        if (strcmp(name, mr_loss_names[i]) == 0) return i;
        mr_nearest_try(&nearest, mr_loss_names[i]);
    }
    mr_fail(err, MRCNN_E_CONFIG, "LOSS_WEIGHTS: there is no loss %s; did you mean %s?",
            mr_text_show(name, shown), nearest.best ? nearest.best : mr_loss_names[0]);
    return -1;
}

static mrcnn_status parse_loss_item(const mr_key *key, span item, mr_floats *weights, int *seen,
                                    mrcnn_error *err) {
    char name[TOKEN], number[TOKEN];
    const char *colon = memchr(item.begin, ':', (size_t)(item.end - item.begin));
    if (!colon)
        return mr_fail(err, MRCNN_E_CONFIG, "%s: write {rpn_class_loss: 1, ...}", key->shown.name);
    mrcnn_status status = copy_token(key, trim(item.begin, colon), name, err);
    if (status == MRCNN_OK) status = copy_token(key, trim(colon + 1, item.end), number, err);
    if (status != MRCNN_OK) return status;
    int loss = mr_loss_find(name, err);
    if (loss < 0) return MRCNN_E_CONFIG;
    if (seen[loss]++)
        return mr_fail(err, MRCNN_E_CONFIG, "%s: %s is there twice", key->shown.name, name);
    return parse_float(key, number, &weights->values[loss], err);
}

/* A loss that is not named has weight 1, as in matterport. */
static mrcnn_status parse_losses(const mr_key *key, const char *text, mr_floats *losses,
                                 mrcnn_error *err) {
    mr_floats weights = {MR_LOSS_COUNT, {1, 1, 1, 1, 1}};
    int seen[MR_LOSS_COUNT] = {0};
    span list = trim_text(text), item;
    if (list.begin == list.end || !open_list(&list, "{}"))
        return mr_fail(err, MRCNN_E_CONFIG, "%s: write {rpn_class_loss: 1, ...}", key->shown.name);
    while (next_item(&list, &item)) {
        mrcnn_status status = parse_loss_item(key, item, &weights, seen, err);
        if (status != MRCNN_OK) return status;
    }
    *losses = weights;
    return MRCNN_OK;
}

static mrcnn_status parse_loss(const mr_key *key, const char *name, const char *text,
                               mr_floats *losses, mrcnn_error *err) {
    char token[TOKEN];
    int loss = mr_loss_find(name, err);
    if (loss < 0) return MRCNN_E_CONFIG;
    mrcnn_status status = copy_token(key, trim_text(text), token, err);
    if (status != MRCNN_OK) return status;
    return parse_float(key, token, &losses->values[loss], err);
}

mrcnn_status mr_value_parse_item(const mr_key *key, const char *name, const char *text,
                                 mr_settings *settings, mrcnn_error *err) {
    void *to = field(settings, key);
    return key->kind == MR_KIND_LOSSES ? parse_loss(key, name, text, to, err)
                                       : mr_class_scores_set(key, name, text, to, err);
}

/* ------------------------------------------------------------------------------- any kind */

mrcnn_status mr_value_parse(const mr_key *key, const char *text, mr_settings *settings,
                            mrcnn_error *err) {
    void *to = field(settings, key);
    if (key->kind == MR_KIND_INTS) return parse_ints(key, text, to, err);
    if (key->kind == MR_KIND_FLOATS) return parse_floats(key, text, to, err);
    if (key->kind == MR_KIND_LOSSES) return parse_losses(key, text, to, err);
    if (key->kind == MR_KIND_STAGES) return parse_stages(key, text, to, err);
    if (key->kind == MR_KIND_NAMES) return parse_names(key, text, to, err);
    if (key->kind == MR_KIND_CLASS_SCORES) return mr_class_scores_parse(key, text, to, err);
    if (key->kind == MR_KIND_AUGMENTATION)
        return mr_prefix(err, mr_augmentation_parse(to, text, err), key->shown.name);

    char token[TOKEN];
    mrcnn_status status = copy_token(key, trim_text(text), token, err);
    if (status != MRCNN_OK) return status;
    switch (key->kind) {
    case MR_KIND_INT: return parse_int(key, token, to, err);
    case MR_KIND_FLOAT: return parse_float(key, token, to, err);
    case MR_KIND_BOOL: return parse_bool(key, token, to, err);
    case MR_KIND_CHOICE: return parse_choice(key, token, to, err);
    case MR_KIND_IDENTIFIER: return parse_identifier(key, token, to, err);
    case MR_KIND_NAME: return parse_name(key, token, to, err);
    case MR_KIND_STAGES:
    case MR_KIND_AUGMENTATION:
    case MR_KIND_NAMES:
    case MR_KIND_INTS:
    case MR_KIND_FLOATS:
    case MR_KIND_CLASS_SCORES:
    case MR_KIND_LOSSES: break; /* done above */
    }
    return MRCNN_OK;
}

/* Appends to text that has room for it by MR_VALUE_TEXT's choice. */
static void append(char text[MR_VALUE_TEXT], const char *more) {
    size_t used = strlen(text);
    snprintf(text + used, MR_VALUE_TEXT - used, "%s", more);
}

static void append_number(char text[MR_VALUE_TEXT], double value) {
    char number[MR_NUMBER_TEXT];
    mr_number_print(value, number);
    append(text, number);
}

static void print_choice(const char *words, int index, char text[MR_VALUE_TEXT]) {
    for (; index > 0; index--) words += strcspn(words, "|") + 1;
    snprintf(text, MR_VALUE_TEXT, "%.*s", (int)strcspn(words, "|"), words);
}

static void print_list(const char *const *names, const mr_floats *list, char text[MR_VALUE_TEXT]) {
    append(text, names ? "{" : "[");
    for (int i = 0; i < list->count; i++) {
        if (i) append(text, ", ");
        if (names) append(text, names[i]);
        if (names) append(text, ": ");
        append_number(text, list->values[i]);
    }
    append(text, names ? "}" : "]");
}

static void print_ints(const mr_ints *ints, char text[MR_VALUE_TEXT]) {
    mr_floats list = {ints->count, {0}};
    for (int i = 0; i < ints->count; i++) list.values[i] = ints->values[i];
    print_list(NULL, &list, text);
}

/* In quotes: YAML might read something else into a word. */
static void print_names(const mr_names_list *list, char text[MR_VALUE_TEXT]) {
    append(text, "[");
    for (int i = 0; i < list->count; i++) {
        if (i) append(text, ", ");
        append(text, "\"");
        append(text, list->names[i]);
        append(text, "\"");
    }
    append(text, "]");
}

void mr_value_print(const mr_key *key, const mr_settings *settings, char text[MR_VALUE_TEXT]) {
    const void *from = const_field(settings, key);
    const char *word = from;
    text[0] = 0;
    switch (key->kind) {
    case MR_KIND_INT: append_number(text, *(const int *)from); break;
    case MR_KIND_FLOAT: append_number(text, *(const double *)from); break;
    case MR_KIND_BOOL: append(text, *(const int *)from ? "true" : "false"); break;
    case MR_KIND_CHOICE: print_choice(key->shown.type, *(const int *)from, text); break;
    case MR_KIND_IDENTIFIER: append(text, word); break;
    case MR_KIND_STAGES:
    case MR_KIND_NAME: append(text, *word ? word : "none"); break;
    case MR_KIND_AUGMENTATION: mr_augmentation_print(from, text); break;
    case MR_KIND_NAMES: print_names(from, text); break;
    case MR_KIND_INTS: print_ints(from, text); break;
    case MR_KIND_FLOATS: print_list(NULL, from, text); break;
    case MR_KIND_LOSSES: print_list(mr_loss_names, from, text); break;
    case MR_KIND_CLASS_SCORES: mr_class_scores_print(from, text); break;
    }
}
