/* augmentation_print.c - a tree as canonical text: short forms where there are any, nothing that is
 * as by default. */
#include "config/augmentation.h"

#include "base/number.h"

#include <stdio.h>
#include <string.h>

/* Counts what doesn't fit, as snprintf does. */
typedef struct writer {
    char *text;
    size_t used, room;
} writer;

static void put(writer *w, const char *more) {
    size_t length = strlen(more);
    if (w->used + length < w->room) memcpy(w->text + w->used, more, length + 1);
    w->used += length;
}

static void put_number(writer *w, double value) {
    char number[MR_NUMBER_TEXT];
    mr_number_print(value, number);
    put(w, number);
}

static void put_range(writer *w, const mr_range *range, mr_parameter_kind kind) {
    if (kind == MR_PARAMETER_YES && (range->low == 0 || range->low == 1)) {
        put(w, range->low == 1 ? "true" : "false");
        return;
    }
    if (range->low == range->high) {
        put_number(w, range->low);
        return;
    }
    put(w, "[");
    put_number(w, range->low);
    put(w, ", ");
    put_number(w, range->high);
    put(w, "]");
}

static int is_range(const mr_range *range, const mr_range *other) {
    return range->low == other->low && range->high == other->high;
}

static int is_normal(const mr_augment_node *node, const mr_range *ranges, int slot,
                     const mr_augment_parameter *parameter) {
    if (parameter->kind == MR_PARAMETER_AXES && !(node->joint & 1u << slot)) return 0;
    for (int s = 0; s < mr_parameter_slots(parameter); s++)
        if (!is_range(&ranges[s], &parameter->normal)) return 0;
    return 1;
}

static void put_value(writer *w, const mr_augment_node *node, const mr_range *ranges, int slot,
                      const mr_augment_parameter *parameter) {
    int alone =
        mr_parameter_slots(parameter) == 1 || node->joint & 1u << slot ||
        (parameter->kind == MR_PARAMETER_X_AXIS && is_range(&ranges[1], &parameter->normal));
    if (!alone) put(w, "{x: ");
    put_range(w, &ranges[0], parameter->kind);
    if (alone) return;
    put(w, ", y: ");
    put_range(w, &ranges[1], parameter->kind);
    put(w, "}");
}

static void put_node(writer *w, const mr_augmentation *tree, int index);

static void put_children(writer *w, const mr_augmentation *tree, int index) {
    put(w, "[");
    for (int i = index + 1; i < tree->nodes[index].end; i = tree->nodes[i].end) {
        if (i > index + 1) put(w, ", ");
        put_node(w, tree, i);
    }
    put(w, "]");
}

/* How many of the parameters are given, and whether that is the main one alone. */
static int given_parameters(const mr_augmentation *tree, int index, int *only_main) {
    const mr_augment_node *node = &tree->nodes[index];
    const mr_augment_kind *kind = &mr_augment_kinds[node->op];
    int given = 0, slot = 0;
    for (int i = 0; i < kind->parameter_count; i++) {
        int normal = is_normal(node, &tree->ranges[node->first + slot], slot, &kind->parameters[i]);
        if (i == 0) *only_main = kind->has_main && !normal;
        if (i > 0 && !normal) *only_main = 0;
        given += !normal;
        slot += mr_parameter_slots(&kind->parameters[i]);
    }
    return given;
}

static void put_parameters(writer *w, const mr_augmentation *tree, int index) {
    const mr_augment_node *node = &tree->nodes[index];
    const mr_augment_kind *kind = &mr_augment_kinds[node->op];
    const char *comma = "";
    int slot = 0;
    put(w, "{");
    for (int i = 0; i < kind->parameter_count; i++) {
        const mr_augment_parameter *parameter = &kind->parameters[i];
        const mr_range *ranges = &tree->ranges[node->first + slot];
        if (!is_normal(node, ranges, slot, parameter)) {
            put(w, comma);
            put(w, parameter->name);
            put(w, ": ");
            put_value(w, node, ranges, slot, parameter);
            comma = ", ";
        }
        slot += mr_parameter_slots(parameter);
    }
    if (kind->takes_list) {
        put(w, comma);
        put(w, "of: ");
        put_children(w, tree, index);
    }
    put(w, "}");
}

static void put_node(writer *w, const mr_augmentation *tree, int index) {
    const mr_augment_node *node = &tree->nodes[index];
    const mr_augment_kind *kind = &mr_augment_kinds[node->op];
    int only_main = 0, given = given_parameters(tree, index, &only_main);
    if (!given && !kind->takes_list) {
        put(w, kind->name);
        return;
    }
    put(w, "{");
    put(w, kind->name);
    put(w, ": ");
    if (!given)
        put_children(w, tree, index);
    else if (only_main)
        put_value(w, node, &tree->ranges[node->first], 0, &kind->parameters[0]);
    else
        put_parameters(w, tree, index);
    put(w, "}");
}

static void put_tree(writer *w, const mr_augmentation *tree) {
    if (tree->count == 0)
        put(w, "none");
    else
        put_children(w, tree, 0);
}

void mr_augmentation_print(const mr_augmentation *tree, char text[MR_AUGMENT_TEXT]) {
    writer w = {text, 0, MR_AUGMENT_TEXT};
    text[0] = 0;
    put_tree(&w, tree);
}

size_t mr_augmentation_length(const mr_augmentation *tree) {
    writer w = {NULL, 0, 0};
    put_tree(&w, tree);
    return w.used;
}
