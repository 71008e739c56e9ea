/* layer_pattern.h - which layers a training trains, as text: one of matterport's words (heads, 3+,
 * 4+, 5+, all) or a regular expression that must match a layer's whole name (NUMERICS 6). */
#ifndef MR_CONFIG_LAYER_PATTERN_H
#define MR_CONFIG_LAYER_PATTERN_H

#include <mrcnn/mrcnn.h>
#include <regex.h>

enum { MR_LAYERS_TEXT = 256 };

/* POSIX extended syntax, and matterport's `\_` for `_`. The text may come from a file that somebody
 * else wrote, and what regcomp makes of repetitions grows exponentially: counts, back references
 * and more than a few `+` are refused. On success release *pattern by regfree; on failure it is
 * untouched. */
mrcnn_status mr_layer_pattern_compile(regex_t *pattern, const char *layers, mrcnn_error *err);

/* 1 when the layer is one of the pattern's. */
int mr_layer_pattern_matches(const regex_t *pattern, const char *layer);

/* The words, in rising number of layers; NULL past the end. */
const char *mr_layer_word(size_t index);

#endif
