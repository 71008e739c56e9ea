/* yaml.c - configurations as YAML. The reader takes libyaml's events one by one and accepts just
 * what a configuration is made of: one mapping whose values are scalars, flat lists or a flat
 * mapping, and AUGMENTATION's operations inside operations. Anything deeper, aliases included, ends
 * the reading where it begins, so hostile files cost nothing. */
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "config/keys.h"
#include "config/object.h"
#include "config/text.h"
#include "config/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum {
    LARGEST_FILE = 1 << 20,
    NAME_ROOM = 32 + MR_NAME_TEXT,
    MOST_ENTRIES = MR_KEY_COUNT + MR_LOSS_COUNT + MR_MAX_CLASS_SCORES + 1
};

/* One key of the file, as text. */
typedef struct entry {
    char name[NAME_ROOM];
    char value[MR_VALUE_TEXT];
    size_t line, column; /* of the value, from 1 */
} entry;

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    int has_event;
    const char *text; /* what is parsed, to count lines in */
    size_t length;
    const char *source;
    entry *entries;
    int count;
    int quotes_keys; /* the mapping at hand has class names, which are quoted in its text */
    mrcnn_error *err;
} reader;

/* ------------------------------------------------------------------------------------- errors */

/* "file.yaml: line 3, column 5: " before the message. */
static mrcnn_status prefix_place(mrcnn_error *err, mrcnn_status status, const char *source,
                                 size_t line, size_t column) {
    char place[sizeof err->message];
    snprintf(place, sizeof place, "%s: line %zu, column %zu", source, line, column);
    return mr_prefix(err, status, place);
}

static mrcnn_status fail_here(reader *r, mrcnn_status status, const char *problem) {
    mr_fail(r->err, status, "%s", problem);
    return prefix_place(r->err, status, r->source, r->event.start_mark.line + 1,
                        r->event.start_mark.column + 1);
}

/* libyaml tells where bad bytes are by their offset alone. */
static yaml_mark_t mark_of_offset(const reader *r, size_t offset) {
    yaml_mark_t mark = {offset, 0, 0};
    for (size_t i = 0; i < offset && i < r->length; i++) {
        mark.column++;
        if (r->text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

static mrcnn_status fail_parser(reader *r) {
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR) return mr_fail_memory(r->err, r->length, r->source);
    yaml_mark_t mark =
        p->error == YAML_READER_ERROR ? mark_of_offset(r, p->problem_offset) : p->problem_mark;
    mr_fail(r->err, MRCNN_E_FORMAT, "not YAML: %s", p->problem ? p->problem : "it can't be read");
    return prefix_place(r->err, MRCNN_E_FORMAT, r->source, mark.line + 1, mark.column + 1);
}

/* ------------------------------------------------------------------------------------- events */

static mrcnn_status next_event(reader *r) {
    if (r->has_event) yaml_event_delete(&r->event);
    r->has_event = yaml_parser_parse(&r->parser, &r->event);
    if (!r->has_event) return fail_parser(r);
    if (r->event.type == YAML_ALIAS_EVENT)
        return fail_here(r, MRCNN_E_FORMAT, "aliases (*name) are not read; write the value out");
    return MRCNN_OK;
}

/* Appends a scalar; the room is what any value that can be right needs. */
static mrcnn_status append_scalar(reader *r, char *text, size_t room) {
    const char *value = (const char *)r->event.data.scalar.value;
    size_t length = r->event.data.scalar.length, used = strlen(text);
    if (memchr(value, 0, length)) return fail_here(r, MRCNN_E_FORMAT, "a 0 byte inside a value");
    if (length >= room - used) return fail_here(r, MRCNN_E_CONFIG, "too long for any key's value");
    memcpy(text + used, value, length + 1);
    return MRCNN_OK;
}

static mrcnn_status append_text(reader *r, char *text, size_t room, const char *more) {
    size_t used = strlen(text), length = strlen(more);
    if (length >= room - used) return fail_here(r, MRCNN_E_CONFIG, "too long for any key's value");
    memcpy(text + used, more, length + 1);
    return MRCNN_OK;
}

static mrcnn_status append_collection(reader *r, char *text, size_t room, int depth);

/* An item must not smuggle in list syntax of its own, as ["1, 2", 3] would. */
static mrcnn_status append_item(reader *r, char *text, size_t room, int depth) {
    if (r->event.type != YAML_SCALAR_EVENT) {
        if (depth > 0) return append_collection(r, text, room, depth - 1);
        return fail_here(r, MRCNN_E_CONFIG, "nested too deeply for this key");
    }
    if (strpbrk((const char *)r->event.data.scalar.value, ",:[](){}"))
        return fail_here(r, MRCNN_E_CONFIG, "punctuation inside a list's item");
    return append_scalar(r, text, room);
}

/* A class's name, which may have any punctuation but quotes in it. */
static mrcnn_status append_class(reader *r, char *text, size_t room) {
    if (r->event.type != YAML_SCALAR_EVENT)
        return fail_here(r, MRCNN_E_CONFIG, "a class's name must be a plain word");
    if (strchr((const char *)r->event.data.scalar.value, '"'))
        return fail_here(r, MRCNN_E_CONFIG, "a double quote inside a class's name");
    mrcnn_status status = append_text(r, text, room, "\"");
    if (status == MRCNN_OK) status = append_scalar(r, text, room);
    return status == MRCNN_OK ? append_text(r, text, room, "\"") : status;
}

/* A sequence as "[a, b]", a mapping as "{a: b, c: d}"; collections inside it to that depth. */
static mrcnn_status append_collection(reader *r, char *text, size_t room, int depth) {
    int mapping = r->event.type == YAML_MAPPING_START_EVENT;
    yaml_event_type_t end = mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    mrcnn_status status = append_text(r, text, room, mapping ? "{" : "[");
    for (int i = 0; status == MRCNN_OK; i++) {
        status = next_event(r);
        if (status != MRCNN_OK || r->event.type == end) break;
        if (i) status = append_text(r, text, room, mapping && i % 2 ? ": " : ", ");
        if (status != MRCNN_OK) break;
        status = mapping && r->quotes_keys && i % 2 == 0 ? append_class(r, text, room)
                                                         : append_item(r, text, room, depth);
    }
    if (status == MRCNN_OK) status = append_text(r, text, room, mapping ? "}" : "]");
    return status;
}

/* ------------------------------------------------------------------------------------ the file */

static mrcnn_status check_entry_name(reader *r, const char *name) {
    mrcnn_status status =
        strcmp(name, "preset") == 0 ? MRCNN_OK : mr_config_check_key(name, r->err);
    if (status != MRCNN_OK)
        return prefix_place(r->err, status, r->source, r->event.start_mark.line + 1,
                            r->event.start_mark.column + 1);
    for (int i = 0; i < r->count; i++)
        if (strcmp(r->entries[i].name, name) == 0)
            return fail_here(r, MRCNN_E_CONFIG, "this key is there twice; remove one of them");
    if (r->count == MOST_ENTRIES)
        return fail_here(r, MRCNN_E_CONFIG, "more keys than a configuration can have");
    return MRCNN_OK;
}

static int takes_collection(const char *name) {
    int key = mr_key_find(name);
    return key >= 0 && mr_keys[key].most > 0;
}

/* Collections inside the key's own: an operation is a mapping, in which are a mapping and a list. */
static int collection_depth(const char *name) {
    return mr_keys[mr_key_find(name)].kind == MR_KIND_AUGMENTATION ? 3 * MR_AUGMENT_DEPTH + 4 : 0;
}

static int is_of_classes(const char *name) {
    int key = mr_key_find(name);
    return key >= 0 && mr_keys[key].kind == MR_KIND_CLASS_SCORES;
}

/* The event is the key's; reads its value. */
static mrcnn_status read_entry(reader *r) {
    if (r->event.type != YAML_SCALAR_EVENT)
        return fail_here(r, MRCNN_E_CONFIG, "a key must be a plain word");
    entry *e = &r->entries[r->count];
    memset(e, 0, sizeof *e);
    mrcnn_status status = append_scalar(r, e->name, sizeof e->name);
    if (status == MRCNN_OK) status = check_entry_name(r, e->name);
    if (status == MRCNN_OK) status = next_event(r);
    if (status != MRCNN_OK) return status;
    e->line = r->event.start_mark.line + 1;
    e->column = r->event.start_mark.column + 1;
    r->quotes_keys = is_of_classes(e->name);
    if (r->event.type == YAML_SCALAR_EVENT)
        status = append_scalar(r, e->value, sizeof e->value);
    else if (takes_collection(e->name))
        status = append_collection(r, e->value, sizeof e->value, collection_depth(e->name));
    else
        status = fail_here(r, MRCNN_E_CONFIG, "a list or mapping; this key takes a single value");
    if (status == MRCNN_OK) r->count++;
    return status;
}

static int is_empty_scalar(const yaml_event_t *event) {
    if (event->type != YAML_SCALAR_EVENT) return 0;
    const char *value = (const char *)event->data.scalar.value;
    return strcmp(value, "") == 0 || strcmp(value, "~") == 0 || strcmp(value, "null") == 0;
}

static mrcnn_status read_mapping(reader *r) {
    if (is_empty_scalar(&r->event)) return MRCNN_OK;
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return fail_here(r, MRCNN_E_CONFIG, "expected a mapping; write KEY: value on each line");
    for (;;) {
        mrcnn_status status = next_event(r);
        if (status != MRCNN_OK || r->event.type == YAML_MAPPING_END_EVENT) return status;
        status = read_entry(r);
        if (status != MRCNN_OK) return status;
    }
}

static mrcnn_status read_stream(reader *r) {
    int documents = 0;
    for (;;) {
        mrcnn_status status = next_event(r);
        if (status != MRCNN_OK || r->event.type == YAML_STREAM_END_EVENT) return status;
        if (r->event.type != YAML_DOCUMENT_START_EVENT) continue; /* stream start, document end */
        if (documents++)
            return fail_here(r, MRCNN_E_CONFIG, "a second document; a configuration has only one");
        status = next_event(r);
        if (status == MRCNN_OK) status = read_mapping(r);
        if (status != MRCNN_OK) return status;
    }
}

/* ----------------------------------------------------------------------- into a configuration */

static mrcnn_status apply_preset(mrcnn_config *config, const reader *r, int keep_explicit) {
    for (int i = 0; i < r->count; i++) {
        const entry *e = &r->entries[i];
        if (strcmp(e->name, "preset") != 0) continue;
        mrcnn_status status = keep_explicit
                                  ? mr_fail(r->err, MRCNN_E_CONFIG, "a preset has no place here")
                                  : mr_config_start_from(config, e->value, r->err);
        if (status != MRCNN_OK) return prefix_place(r->err, status, r->source, e->line, e->column);
    }
    return MRCNN_OK;
}

static mrcnn_status apply_entries(mrcnn_config *config, const mrcnn_config *before, const reader *r,
                                  int keep_explicit) {
    for (int i = 0; i < r->count; i++) {
        const entry *e = &r->entries[i];
        if (strcmp(e->name, "preset") == 0) continue;
        if (keep_explicit && mr_config_is_explicit(before, e->name)) continue;
        mrcnn_status status = mr_config_set_from(config, e->name, e->value, r->source, r->err);
        if (status != MRCNN_OK) return prefix_place(r->err, status, r->source, e->line, e->column);
    }
    return MRCNN_OK;
}

/* All of the file's values or none: they go into a copy first. */
static mrcnn_status apply(mrcnn_config *config, const reader *r, int keep_explicit) {
    mrcnn_config *changed = NULL;
    mrcnn_status status = mrcnn_config_copy(&changed, config, r->err);
    if (status == MRCNN_OK) status = apply_preset(changed, r, keep_explicit);
    if (status == MRCNN_OK) status = apply_entries(changed, config, r, keep_explicit);
    if (status == MRCNN_OK) mr_config_swap(config, changed);
    mrcnn_config_free(&changed);
    return status;
}

mrcnn_status mr_config_from_yaml(mrcnn_config *config, const char *text, size_t length,
                                 const char *source, int keep_explicit, mrcnn_error *err) {
    if (length > LARGEST_FILE)
        return mr_fail(err, MRCNN_E_FORMAT, "%s: %zu bytes; a configuration has at most %d", source,
                       length, (int)LARGEST_FILE);
    reader r = {.text = text, .length = length, .source = source, .err = err};
    r.entries = mr_calloc(MOST_ENTRIES + 1, sizeof *r.entries); /* one more to see a repetition */
    if (!r.entries || !yaml_parser_initialize(&r.parser)) {
        free(r.entries);
        return mr_fail_memory(err, length, source);
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    mrcnn_status status = read_stream(&r);
    if (status == MRCNN_OK) status = apply(config, &r, keep_explicit);
    if (r.has_event) yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    free(r.entries);
    return status;
}

mrcnn_status mrcnn_config_load(mrcnn_config *config, const char *path, mrcnn_error *err) {
    if (!config || !path)
        return mr_fail(err, MRCNN_E_ARGUMENT, "mrcnn_config_load: config or path is NULL");
    void *text = NULL;
    size_t length = 0;
    mrcnn_status status = mr_file_read(path, LARGEST_FILE, &text, &length, err);
    if (status == MRCNN_OK) status = mr_config_from_yaml(config, text, length, path, 0, err);
    free(text);
    return status;
}

/* -------------------------------------------------------------------------------- and back */

/* Words that a user chose need quotes: a backbone may be called "-". Between single ones a
 * backslash means nothing, and stages have none of those. */
static const char *quote_of(const mr_key *key) {
    if (key->kind == MR_KIND_STAGES) return "'";
    return key->kind == MR_KIND_NAME || key->kind == MR_KIND_IDENTIFIER ? "\"" : "";
}

static char *append_line(char *yaml, const mr_key *key, const char *value) {
    const char *quote = quote_of(key);
    char *longer = mr_format("%s%s: %s%s%s\n", yaml, key->shown.name, quote, value, quote);
    free(yaml);
    return longer;
}

char *mr_config_to_yaml(const mrcnn_config *config) {
    char *yaml = mr_strdup("");
    for (int i = 0; i < MR_KEY_COUNT && yaml; i++) {
        const char *value = mrcnn_config_get(config, mr_keys[i].shown.name);
        if (strcmp(value, mr_keys[i].shown.default_value) != 0)
            yaml = append_line(yaml, &mr_keys[i], value);
    }
    return yaml;
}
