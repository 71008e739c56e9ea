/* ranges.c - see ranges.h. */
#include "graph/ranges.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME = 96, MOST = 4096, LINE = NAME + 32 };

typedef struct range {
    char layer[NAME];
    float most;
} range;

struct mr_ranges {
    range *items;
    size_t count;
};

mr_ranges *mr_ranges_create(void) {
    return mr_calloc(1, sizeof(mr_ranges));
}

mr_ranges *mr_ranges_copy(const mr_ranges *ranges) {
    mr_ranges *copy = mr_ranges_create();
    if (!copy || ranges->count == 0) return copy;
    copy->items = mr_calloc(ranges->count, sizeof *copy->items);
    if (!copy->items) {
        mr_ranges_free(&copy);
        return NULL;
    }
    memcpy(copy->items, ranges->items, ranges->count * sizeof *copy->items);
    copy->count = ranges->count;
    return copy;
}

void mr_ranges_free(mr_ranges **ranges) {
    if (!*ranges) return;
    free((*ranges)->items);
    free(*ranges);
    *ranges = NULL;
}

static range *find(const mr_ranges *ranges, const char *layer) {
    for (size_t i = 0; i < ranges->count; i++)
        if (strcmp(ranges->items[i].layer, layer) == 0) return &ranges->items[i];
    return NULL;
}

float mr_ranges_find(const mr_ranges *ranges, const char *layer) {
    const range *found = find(ranges, layer);
    return found ? found->most : 0;
}

mrcnn_status mr_ranges_set(mr_ranges *ranges, const char *layer, float most, mrcnn_error *err) {
    range *found = find(ranges, layer);
    if (!found) {
        if (strlen(layer) >= NAME || ranges->count == MOST)
            return mr_fail(err, MRCNN_E_ARGUMENT, "too many ranges of layers, or too long a name");
        range *items = mr_realloc(ranges->items, ranges->count + 1, sizeof *items);
        if (!items) return mr_fail_memory(err, sizeof *items, "ranges of layers");
        ranges->items = items;
        found = &items[ranges->count++];
        strcpy(found->layer, layer);
    }
    found->most = most;
    return MRCNN_OK;
}

/* One line; its end is cut off. */
static mrcnn_status parse_line(mr_ranges *ranges, char *line, const char *path, mrcnn_error *err) {
    char *tab = strchr(line, '\t');
    double most = 0;
    if (tab) *tab = 0;
    if (!tab || !line[0] || !mr_number_parse(tab + 1, &most) || !(most > 1e-30) || !(most < 1e30))
        return mr_fail(err, MRCNN_E_WEIGHTS,
                       "%s: the ranges of its layers are damaged at '%.60s'; quantize the weights "
                       "anew",
                       path, line);
    if (mr_ranges_set(ranges, line, (float)most, NULL) == MRCNN_OK) return MRCNN_OK;
    return mr_fail(
        err, MRCNN_E_WEIGHTS,
        "%s: the ranges of its layers are damaged: there are too many, or a name is too long; "
        "quantize the weights anew",
        path);
}

mrcnn_status mr_ranges_parse(mr_ranges **out, const char *text, const char *path,
                             mrcnn_error *err) {
    mr_ranges *ranges = mr_ranges_create();
    mrcnn_status status = ranges ? MRCNN_OK : mr_fail_memory(err, sizeof *ranges, "ranges");
    while (status == MRCNN_OK && *text) {
        char line[LINE];
        size_t length = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)(length < LINE ? length : LINE), text);
        status = parse_line(ranges, line, path, err);
        text += length + (text[length] == '\n');
    }
    if (status != MRCNN_OK) mr_ranges_free(&ranges);
    *out = ranges;
    return status;
}

char *mr_ranges_text(const mr_ranges *ranges) {
    char *text = mr_calloc(ranges->count + 1, LINE);
    size_t used = 0;
    for (size_t i = 0; text && i < ranges->count; i++) {
        char number[MR_NUMBER_TEXT];
        mr_number_print((double)ranges->items[i].most, number);
        used += (size_t)snprintf(text + used, LINE, "%s\t%s\n", ranges->items[i].layer, number);
    }
    return text;
}
