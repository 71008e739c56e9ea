/* yolo_yaml.c - data.yaml: the classes of a YOLO data set, and where the pictures of a subset are. Of
 * its many keys these are the ones that say something about data. */
#include "data/yolo.h"

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/number.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { LARGEST_FILE = 1 << 18, DEEPEST = 100 };

const char *mr_yolo_subset_key(const char *subset) {
    if (!subset) return "train";
    return strcmp(subset, "valid") == 0 || strcmp(subset, "validation") == 0 ? "val" : subset;
}

void mr_yolo_yaml_free(mr_yolo_yaml *yaml) {
    for (size_t i = 0; i < yaml->name_count; i++) free(yaml->names[i]);
    free(yaml->names);
    free(yaml->root);
    mr_listing_free(&yaml->subsets);
    *yaml = (mr_yolo_yaml){0};
}

typedef struct yaml_reader {
    yaml_document_t document;
    mr_yolo_yaml *yaml;
    const char *file;
    mrcnn_error *err;
} yaml_reader;

/* A scalar's text; NULL for anything else, and for one with a 0 byte inside. */
static const char *text_of(const yaml_node_t *node) {
    if (!node || node->type != YAML_SCALAR_NODE) return NULL;
    const char *text = (const char *)node->data.scalar.value;
    return memchr(text, 0, node->data.scalar.length) ? NULL : text;
}

static mrcnn_status fail_at(const yaml_reader *r, const yaml_node_t *node, const char *what) {
    return mr_fail(r->err, MRCNN_E_FORMAT, "%s: line %zu: %s", r->file,
                   node ? node->start_mark.line + 1 : 1, what);
}

/* --------------------------------------------------------------------------------------- names */

static mrcnn_status set_name(yaml_reader *r, int64_t number, const yaml_node_t *node) {
    mr_yolo_yaml *y = r->yaml;
    char name[MR_CLASS_TEXT];
    const char *text = text_of(node);
    if (number < 0 || number >= MR_YOLO_MAX_CLASSES)
        return fail_at(r, node, "names: a class number is not one of 0 to 9999");
    if (!text || !mr_tidy_name(text, name) || !*name)
        return fail_at(r, node, "names: a class name is not a text of at most 200 bytes");
    if ((size_t)number >= y->name_count) {
        char **larger = mr_realloc(y->names, (size_t)number + 1, sizeof *larger);
        if (!larger) return mr_fail_memory(r->err, (size_t)number, "class names");
        y->names = larger;
        while (y->name_count <= (size_t)number) y->names[y->name_count++] = NULL;
    }
    free(y->names[number]);
    y->names[number] = mr_strdup(name);
    return y->names[number] ? MRCNN_OK : mr_fail_memory(r->err, strlen(name), "class names");
}

static mrcnn_status read_named_numbers(yaml_reader *r, const yaml_node_t *names) {
    mrcnn_status status = MRCNN_OK;
    const yaml_node_pair_t *end = names->data.mapping.pairs.top;
    for (const yaml_node_pair_t *p = names->data.mapping.pairs.start; p < end && status == MRCNN_OK;
         p++) {
        int64_t number = -1;
        const yaml_node_t *key = yaml_document_get_node(&r->document, p->key);
        const char *text = text_of(key);
        if (!text || !mr_integer_parse(text, &number))
            return fail_at(r, key, "names: a key is no class number");
        status = set_name(r, number, yaml_document_get_node(&r->document, p->value));
    }
    return status;
}

static mrcnn_status read_names(yaml_reader *r, const yaml_node_t *names) {
    mrcnn_status status = MRCNN_OK;
    if (names->type == YAML_MAPPING_NODE) return read_named_numbers(r, names);
    if (names->type != YAML_SEQUENCE_NODE)
        return fail_at(r, names, "names is neither a list nor a mapping");
    int64_t number = 0;
    for (const yaml_node_item_t *i = names->data.sequence.items.start;
         i < names->data.sequence.items.top && status == MRCNN_OK; i++)
        status = set_name(r, number++, yaml_document_get_node(&r->document, *i));
    return status;
}

/* ------------------------------------------------------------------------------------- subsets */

static mrcnn_status add_subset(yaml_reader *r, const yaml_node_t *node) {
    const char *text = text_of(node);
    if (!text || !*text) return fail_at(r, node, "the pictures' folder is not a text");
    return mr_listing_add(&r->yaml->subsets, text, r->err);
}

static mrcnn_status read_subset(yaml_reader *r, const yaml_node_t *node) {
    mrcnn_status status = MRCNN_OK;
    if (node->type != YAML_SEQUENCE_NODE) {
        const char *text = text_of(node);
        return text && !*text ? MRCNN_OK : add_subset(r, node); /* "test:" for none */
    }
    for (const yaml_node_item_t *i = node->data.sequence.items.start;
         i < node->data.sequence.items.top && status == MRCNN_OK; i++)
        status = add_subset(r, yaml_document_get_node(&r->document, *i));
    return status;
}

/* ------------------------------------------------------------------------------------ the file */

static mrcnn_status read_root(yaml_reader *r, const yaml_node_t *node) {
    const char *text = text_of(node);
    if (!text) return fail_at(r, node, "path is not a text");
    free(r->yaml->root);
    r->yaml->root = mr_strdup(text);
    return r->yaml->root ? MRCNN_OK : mr_fail_memory(r->err, strlen(text), "a path");
}

static mrcnn_status read_keys(yaml_reader *r, const char *wanted) {
    static const char *const subsets[] = {"train", "val", "test"};
    const yaml_node_t *root = yaml_document_get_root_node(&r->document);
    mrcnn_status status = MRCNN_OK;
    int has_classes = 0, has_subset = 0;
    if (!root || root->type != YAML_MAPPING_NODE) return MRCNN_OK;
    for (const yaml_node_pair_t *p = root->data.mapping.pairs.start;
         p < root->data.mapping.pairs.top && status == MRCNN_OK; p++) {
        const char *key = text_of(yaml_document_get_node(&r->document, p->key));
        const yaml_node_t *value = yaml_document_get_node(&r->document, p->value);
        if (!key) continue;
        for (size_t i = 0; i < sizeof subsets / sizeof *subsets; i++)
            has_subset |= strcmp(key, subsets[i]) == 0;
        has_classes |= strcmp(key, "names") == 0 || strcmp(key, "nc") == 0;
        if (strcmp(key, "names") == 0) status = read_names(r, value);
        if (strcmp(key, "path") == 0) status = read_root(r, value);
        if (strcmp(mr_yolo_subset_key(key), wanted) == 0) status = read_subset(r, value);
    }
    r->yaml->is_yolo = has_classes && (has_subset || r->yaml->subsets.count);
    return status;
}

/* Brackets in brackets, which take libyaml the square of their number. Those in texts count as well. */
static int is_too_deep(const char *text, size_t length) {
    int depth = 0;
    for (size_t i = 0; i < length; i++) {
        depth += text[i] == '[' || text[i] == '{';
        depth -= (text[i] == ']' || text[i] == '}') && depth > 0;
        if (depth > DEEPEST) return 1;
    }
    return 0;
}

static mrcnn_status parse(yaml_reader *r, const void *text, size_t length, const char *wanted) {
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return mr_fail_memory(r->err, length, r->file);
    yaml_parser_set_input_string(&parser, text, length);
    mrcnn_status status = MRCNN_OK;
    if (yaml_parser_load(&parser, &r->document)) {
        status = read_keys(r, wanted);
        yaml_document_delete(&r->document);
    } else if (parser.error == YAML_MEMORY_ERROR) {
        status = mr_fail_memory(r->err, length, r->file);
    } else {
        status = mr_fail(r->err, MRCNN_E_FORMAT, "%s: line %zu: not YAML: %s", r->file,
                         parser.problem_mark.line + 1,
                         parser.problem ? parser.problem : "it can't be read");
    }
    yaml_parser_delete(&parser);
    return status;
}

mrcnn_status mr_yolo_read_yaml(mr_yolo_yaml *yaml, const char *file, const char *subset,
                               mrcnn_error *err) {
    yaml_reader r = {.yaml = yaml, .file = file, .err = err};
    void *text = NULL;
    size_t length = 0;
    mrcnn_status status = mr_file_read(file, LARGEST_FILE, &text, &length, err);
    if (status == MRCNN_OK && is_too_deep(text, length))
        status = mr_fail(err, MRCNN_E_FORMAT, "%s: brackets are nested more than %d deep", file,
                         (int)DEEPEST);
    if (status == MRCNN_OK) status = parse(&r, text, length, mr_yolo_subset_key(subset));
    free(text);
    if (status != MRCNN_OK) mr_yolo_yaml_free(yaml);
    return status;
}
