/* augmentation.c - AUGMENTATION's text into a tree: a recursive descent over YAML's flow syntax,
 * as deep as MR_AUGMENT_DEPTH allows and no deeper. */
#include "config/augmentation.h"

#include "base/error.h"
#include "base/number.h"
#include "config/nearest.h"
#include "config/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WORD = 48, NO_NODE = -1 };

typedef struct parser {
    const char *at;
    mr_augmentation tree;
    int depth;
    mrcnn_error *err;
} parser;

/* --------------------------------------------------------------------------------------- words */

static int is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char peek(parser *p) {
    while (is_blank(*p->at)) p->at++;
    return *p->at;
}

static int take(parser *p, char c) {
    if (peek(p) != c) return 0;
    p->at++;
    return 1;
}

/* What is between punctuation; longer than any word that means something: cut, and unknown. */
static void take_word(parser *p, char word[WORD]) {
    peek(p);
    size_t length = strcspn(p->at, "[]{}:, \t\r\n"), kept = length < WORD ? length : WORD - 1;
    memcpy(word, p->at, kept);
    word[kept] = 0;
    p->at += length;
}

static mrcnn_status fail_at(parser *p, const char *wanted) {
    char shown[MR_SHOWN_TEXT];
    if (!peek(p)) return mr_fail(p->err, MRCNN_E_CONFIG, "the text ends where %s belongs", wanted);
    return mr_fail(p->err, MRCNN_E_CONFIG, "%s belongs where %s is", wanted,
                   mr_text_show(p->at, shown));
}

static const mr_augment_kind *kind_of(const parser *p, int node) {
    return &mr_augment_kinds[p->tree.nodes[node].op];
}

/* ------------------------------------------------------------------------------------- numbers */

static mrcnn_status fail_number(parser *p, int node, const mr_augment_parameter *parameter,
                                const char *word, const char *fault) {
    char low[MR_NUMBER_TEXT], high[MR_NUMBER_TEXT], shown[MR_SHOWN_TEXT];
    mr_number_print(parameter->low, low);
    mr_number_print(parameter->high, high);
    return mr_fail(p->err, MRCNN_E_CONFIG, "%s: %s: %s is %s; it must be between %s and %s",
                   kind_of(p, node)->name, parameter->name, mr_text_show(word, shown), fault, low,
                   high);
}

static int as_yes_or_no(const char *word, double *value) {
    *value = strcmp(word, "true") == 0 || strcmp(word, "True") == 0;
    return *value == 1 || strcmp(word, "false") == 0 || strcmp(word, "False") == 0;
}

static mrcnn_status parse_number(parser *p, int node, const mr_augment_parameter *parameter,
                                 double *value) {
    char word[WORD];
    take_word(p, word);
    if (!*word) return fail_at(p, "a number");
    if (parameter->kind == MR_PARAMETER_YES && as_yes_or_no(word, value)) return MRCNN_OK;
    if (!mr_number_parse(word, value)) return fail_number(p, node, parameter, word, "no number");
    if (!(*value >= parameter->low && *value <= parameter->high))
        return fail_number(p, node, parameter, word, "out of range");
    if (parameter->kind == MR_PARAMETER_WHOLE && *value != floor(*value))
        return fail_number(p, node, parameter, word, "not a whole number");
    *value += 0.0; /* -0 is 0: equal trees are equal byte by byte */
    return MRCNN_OK;
}

static mrcnn_status parse_range(parser *p, int node, const mr_augment_parameter *parameter,
                                mr_range *range) {
    int several = parameter->kind != MR_PARAMETER_ONE && parameter->kind != MR_PARAMETER_YES;
    if (!take(p, '[')) {
        mrcnn_status status = parse_number(p, node, parameter, &range->low);
        range->high = range->low;
        return status;
    }
    if (!several)
        return mr_fail(p->err, MRCNN_E_CONFIG, "%s: %s is one number, not a range",
                       kind_of(p, node)->name, parameter->name);
    mrcnn_status status = parse_number(p, node, parameter, &range->low);
    if (status == MRCNN_OK && !take(p, ','))
        status = fail_at(p, "the comma of a range [low, high]");
    if (status == MRCNN_OK) status = parse_number(p, node, parameter, &range->high);
    if (status == MRCNN_OK && !take(p, ']'))
        status = fail_at(p, "the bracket behind a range [low, high]");
    if (status == MRCNN_OK && range->low > range->high)
        status = mr_fail(p->err, MRCNN_E_CONFIG, "%s: %s: a range begins with its lower end",
                         kind_of(p, node)->name, parameter->name);
    return status;
}

/* {x: range, y: range}; what is missing stays as it is. */
static mrcnn_status parse_axes(parser *p, int node, const mr_augment_parameter *parameter,
                               mr_range axes[2]) {
    int seen[2] = {0, 0};
    while (!take(p, '}')) {
        char word[WORD];
        take_word(p, word);
        int axis = strcmp(word, "y") == 0;
        if (!axis && strcmp(word, "x") != 0)
            return mr_fail(p->err, MRCNN_E_CONFIG, "%s: %s: write a range, or {x: range, y: range}",
                           kind_of(p, node)->name, parameter->name);
        if (seen[axis]++)
            return mr_fail(p->err, MRCNN_E_CONFIG, "%s: %s: %s is there twice",
                           kind_of(p, node)->name, parameter->name, word);
        if (!take(p, ':')) return fail_at(p, "a colon");
        mrcnn_status status = parse_range(p, node, parameter, &axes[axis]);
        if (status != MRCNN_OK) return status;
        if (!take(p, ',') && peek(p) != '}') return fail_at(p, "a comma or }");
    }
    return MRCNN_OK;
}

static mrcnn_status parse_parameter(parser *p, int node, const mr_augment_parameter *parameter,
                                    int slot) {
    mr_augment_node *n = &p->tree.nodes[node];
    mr_range *ranges = &p->tree.ranges[n->first + slot];
    if (mr_parameter_slots(parameter) == 1) return parse_range(p, node, parameter, ranges);
    n->joint &= (uint16_t) ~(1u << slot);
    if (take(p, '{')) return parse_axes(p, node, parameter, ranges);
    mrcnn_status status = parse_range(p, node, parameter, ranges);
    if (parameter->kind == MR_PARAMETER_AXES) {
        ranges[1] = ranges[0];
        n->joint |= (uint16_t)(1u << slot);
    }
    return status;
}

/* ---------------------------------------------------------------------------------- operations */

static mrcnn_status parse_item(parser *p);

static mrcnn_status add_node(parser *p, int op, int *node) {
    mr_augmentation *t = &p->tree;
    int slots = mr_augment_slots((mr_augment_op)op);
    if (t->count == MR_AUGMENT_NODES || t->range_count + slots > MR_AUGMENT_RANGES)
        return mr_fail(p->err, MRCNN_E_CONFIG,
                       "too many operations; there may be %d, and %d numbers", MR_AUGMENT_NODES - 1,
                       MR_AUGMENT_RANGES);
    *node = t->count++;
    t->nodes[*node] = (mr_augment_node){(int16_t)op, 0, (int16_t)t->range_count, 0};
    const mr_augment_kind *kind = &mr_augment_kinds[op];
    for (int i = 0; i < kind->parameter_count; i++) {
        const mr_augment_parameter *parameter = &kind->parameters[i];
        if (parameter->kind == MR_PARAMETER_AXES)
            t->nodes[*node].joint |= (uint16_t)(1u << (t->range_count - t->nodes[*node].first));
        for (int s = 0; s < mr_parameter_slots(parameter); s++)
            t->ranges[t->range_count++] = parameter->normal;
    }
    return MRCNN_OK;
}

static mrcnn_status fail_unknown_op(parser *p, const char *word) {
    char shown[MR_SHOWN_TEXT];
    mr_nearest nearest = mr_nearest_start(word);
    for (int i = 0; i < MR_AUGMENT_OPS; i++) mr_nearest_try(&nearest, mr_augment_kinds[i].name);
    if (nearest.best)
        return mr_fail(p->err, MRCNN_E_CONFIG, "there is no operation %s; did you mean %s?",
                       mr_text_show(word, shown), nearest.best);
    return mr_fail(p->err, MRCNN_E_CONFIG,
                   "there is no operation %s; Fliplr, Affine, Multiply and SomeOf are some",
                   mr_text_show(word, shown));
}

static mrcnn_status fail_unknown_parameter(parser *p, int node, const char *word) {
    char shown[MR_SHOWN_TEXT], names[160] = "";
    const mr_augment_kind *kind = kind_of(p, node);
    mr_nearest nearest = mr_nearest_start(word);
    for (int i = 0; i < kind->parameter_count; i++) {
        size_t used = strlen(names);
        mr_nearest_try(&nearest, kind->parameters[i].name);
        snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                 kind->parameters[i].name);
    }
    if (kind->takes_list) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%sof", used ? ", " : "");
    }
    if (nearest.best)
        return mr_fail(p->err, MRCNN_E_CONFIG, "%s: there is no parameter %s; did you mean %s?",
                       kind->name, mr_text_show(word, shown), nearest.best);
    return mr_fail(p->err, MRCNN_E_CONFIG, "%s: there is no parameter %s; there are %s", kind->name,
                   mr_text_show(word, shown), names);
}

/* "[a, b, c]". */
static mrcnn_status parse_list(parser *p) {
    if (!take(p, '[')) return fail_at(p, "a list of operations [...]");
    while (!take(p, ']')) {
        mrcnn_status status = parse_item(p);
        if (status != MRCNN_OK) return status;
        if (!take(p, ',') && peek(p) != ']') return fail_at(p, "a comma or ]");
    }
    return MRCNN_OK;
}

/* The operations below one. */
static mrcnn_status parse_children(parser *p, int node) {
    int before = p->tree.count;
    if (++p->depth > MR_AUGMENT_DEPTH)
        return mr_fail(p->err, MRCNN_E_CONFIG, "operations are nested more than %d deep",
                       MR_AUGMENT_DEPTH);
    mrcnn_status status = parse_list(p);
    p->depth--;
    if (status == MRCNN_OK && p->tree.count == before)
        status = mr_fail(p->err, MRCNN_E_CONFIG, "%s: its list of operations is empty",
                         kind_of(p, node)->name);
    return status;
}

/* `name: value` inside an operation's braces; `seen` has a bit for each parameter, and the highest
 * for the list. */
static mrcnn_status parse_named(parser *p, int node, unsigned *seen) {
    enum { LIST = MR_AUGMENT_MOST_PARAMETERS };
    const mr_augment_kind *kind = kind_of(p, node);
    char word[WORD];
    int which = -1, slot = 0;
    take_word(p, word);
    if (kind->takes_list && strcmp(word, "of") == 0) which = LIST;
    for (int i = 0; i < kind->parameter_count && which < 0; i++) {
        if (strcmp(word, kind->parameters[i].name) == 0) which = i;
        if (which < 0) slot += mr_parameter_slots(&kind->parameters[i]);
    }
    if (which < 0) return fail_unknown_parameter(p, node, word);
    if (*seen & 1u << which)
        return mr_fail(p->err, MRCNN_E_CONFIG, "%s: %s is there twice", kind->name, word);
    *seen |= 1u << which;
    if (!take(p, ':')) return fail_at(p, "a colon");
    if (which == LIST) return parse_children(p, node);
    return parse_parameter(p, node, &kind->parameters[which], slot);
}

static mrcnn_status parse_braces(parser *p, int node) {
    unsigned seen = 0;
    while (!take(p, '}')) {
        mrcnn_status status = parse_named(p, node, &seen);
        if (status != MRCNN_OK) return status;
        if (!take(p, ',') && peek(p) != '}') return fail_at(p, "a comma or }");
    }
    return MRCNN_OK;
}

/* Sequential and OneOf take their list alone, Fliplr its number; everything takes braces. */
static mrcnn_status parse_arguments(parser *p, int node) {
    const mr_augment_kind *kind = kind_of(p, node);
    if (take(p, '{')) return parse_braces(p, node);
    if (peek(p) == '}') return MRCNN_OK; /* nothing: all as by default */
    if (kind->takes_list) return parse_children(p, node);
    if (kind->has_main) return parse_parameter(p, node, &kind->parameters[0], 0);
    return mr_fail(p->err, MRCNN_E_CONFIG, "%s: say which parameter: {%s: {%s: ...}}", kind->name,
                   kind->name, kind->parameters[0].name);
}

/* What came out must do something. */
static mrcnn_status check_node(parser *p, int node) {
    const mr_augment_kind *kind = kind_of(p, node);
    const mr_augment_node *n = &p->tree.nodes[node];
    if (kind->takes_list && n->end == node + 1)
        return mr_fail(p->err, MRCNN_E_CONFIG, "%s: it needs operations: {%s: {of: [...]}}",
                       kind->name, kind->name);
    if (kind->takes_list || kind->has_main) return MRCNN_OK;
    for (int i = 0, slot = 0; i < kind->parameter_count; i++)
        for (int s = 0; s < mr_parameter_slots(&kind->parameters[i]); s++, slot++) {
            const mr_range *have = &p->tree.ranges[n->first + slot];
            const mr_range *normal = &kind->parameters[i].normal;
            if (have->low != normal->low || have->high != normal->high) return MRCNN_OK;
        }
    return mr_fail(p->err, MRCNN_E_CONFIG, "%s: it would do nothing; give it %s, for one",
                   kind->name, kind->parameters[0].name);
}

/* "Name" or "{Name: arguments}". */
static mrcnn_status parse_item(parser *p) {
    char word[WORD];
    int braces = take(p, '{'), op = 0, node = NO_NODE;
    take_word(p, word);
    if (!*word) return fail_at(p, "an operation");
    while (op < MR_AUGMENT_OPS && strcmp(word, mr_augment_kinds[op].name) != 0) op++;
    if (op == MR_AUGMENT_OPS) return fail_unknown_op(p, word);
    mrcnn_status status = add_node(p, op, &node);
    if (status == MRCNN_OK && braces) {
        status = take(p, ':') ? parse_arguments(p, node) : fail_at(p, "a colon");
        if (status == MRCNN_OK && !take(p, '}')) status = fail_at(p, "a closing brace");
    }
    if (status != MRCNN_OK) return status;
    p->tree.nodes[node].end = (int16_t)p->tree.count;
    return check_node(p, node);
}

/* ------------------------------------------------------------------------------------ the whole */

static int means_none(const char *text) {
    static const char *const words[] = {"none", "None", "NONE", "null", "Null", "NULL", "~", ""};
    while (is_blank(*text)) text++;
    size_t length = strcspn(text, " \t\r\n");
    if (text[length + strspn(text + length, " \t\r\n")]) return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == length && strncmp(words[i], text, length) == 0) return 1;
    return 0;
}

static mrcnn_status parse_top(parser *p) {
    int root;
    mrcnn_status status = add_node(p, MR_AUGMENT_SEQUENTIAL, &root);
    if (status != MRCNN_OK) return status;
    status = peek(p) == '[' ? parse_list(p) : parse_item(p);
    if (status == MRCNN_OK && peek(p)) status = fail_at(p, "the end");
    p->tree.nodes[root].end = (int16_t)p->tree.count;
    return status;
}

mrcnn_status mr_augmentation_parse(mr_augmentation *tree, const char *text, mrcnn_error *err) {
    parser p = {.at = text, .err = err};
    if (!means_none(text)) {
        mrcnn_status status = parse_top(&p);
        if (status != MRCNN_OK) return status;
    }
    if (p.tree.count == 1) memset(&p.tree, 0, sizeof p.tree); /* "[]" */
    if (mr_augmentation_length(&p.tree) >= MR_AUGMENT_TEXT)
        return mr_fail(err, MRCNN_E_CONFIG, "the text is too long: it may have %d characters",
                       MR_AUGMENT_TEXT - 1);
    *tree = p.tree;
    return MRCNN_OK;
}
