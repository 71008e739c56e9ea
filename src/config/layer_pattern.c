/* layer_pattern.c - see layer_pattern.h. */
#include "config/layer_pattern.h"

#include "base/error.h"
#include "config/text.h"

#include <string.h>

/* Each `+` doubles what regcomp makes of what stands before it; layers' names need one or two. */
enum { MOST_PLUSES = 4 };

#define HEADS "(mrcnn_.*)|(rpn_.*)|(fpn_.*)"

static const struct {
    const char *word, *pattern;
} words[] = {
    {"heads", HEADS},
    {"5+", "(res5.*)|(bn5.*)|" HEADS},
    {"4+", "(res4.*)|(bn4.*)|(res5.*)|(bn5.*)|" HEADS},
    {"3+", "(res3.*)|(bn3.*)|(res4.*)|(bn4.*)|(res5.*)|(bn5.*)|" HEADS},
    {"all", ".*"},
};

const char *mr_layer_word(size_t index) {
    return index < sizeof words / sizeof *words ? words[index].word : NULL;
}

static const char *expand_word(const char *layers) {
    for (size_t i = 0; mr_layer_word(i); i++)
        if (strcmp(layers, words[i].word) == 0) return words[i].pattern;
    return layers;
}

static mrcnn_status fail_pattern(const char *layers, const char *problem, mrcnn_error *err) {
    char shown[MR_SHOWN_TEXT];
    return mr_fail(err, MRCNN_E_CONFIG,
                   "layers %s: %s; write heads, 5+, 4+, 3+, all or a regular expression such as "
                   "(res5.*)|(mrcnn_.*)",
                   mr_text_show(layers, shown), problem);
}

static mrcnn_status check_text(const char *layers, mrcnn_error *err) {
    int pluses = 0;
    if (!*layers) return fail_pattern(layers, "there is nothing", err);
    if (strlen(layers) >= MR_LAYERS_TEXT) return fail_pattern(layers, "too long", err);
    for (const char *p = layers; *p; p++) {
        if (*p <= ' ' || *p > '~') return fail_pattern(layers, "blanks or odd characters", err);
        if (*p == '{') return fail_pattern(layers, "counts in braces are not read", err);
        if (*p == '+' && ++pluses > MOST_PLUSES)
            return fail_pattern(layers, "more than four + are not read", err);
    }
    return MRCNN_OK;
}

static int is_letter_or_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What POSIX calls undefined is decided here: `\_` is `_`, as for every sign without a meaning of
 * its own; Python's classes (\d) and back references (\1) are refused. */
static mrcnn_status unescape(const char *layers, const char *from, char *to, mrcnn_error *err) {
    for (; *from; from++) {
        if (*from == '\\') {
            if (!from[1]) return fail_pattern(layers, "a backslash at the end", err);
            if (is_letter_or_digit(from[1]))
                return fail_pattern(layers, "a backslash before a letter or digit is not read",
                                    err);
            if (strchr(".[]()*+?|^$\\", from[1])) *to++ = '\\';
            from++;
        }
        *to++ = *from;
    }
    *to = 0;
    return MRCNN_OK;
}

mrcnn_status mr_layer_pattern_compile(regex_t *pattern, const char *layers, mrcnn_error *err) {
    char plain[MR_LAYERS_TEXT], problem[128];
    mrcnn_status status = check_text(layers, err);
    if (status == MRCNN_OK) status = unescape(layers, expand_word(layers), plain, err);
    if (status != MRCNN_OK) return status;
    regex_t made;
    int code = regcomp(&made, plain, REG_EXTENDED);
    if (code != 0) {
        regerror(code, NULL, problem, sizeof problem);
        return fail_pattern(layers, problem, err);
    }
    *pattern = made;
    return MRCNN_OK;
}

/* POSIX finds the leftmost match and of those the longest: if the whole name can match, it does.
 * Putting ^( and )$ around the text is not as safe: "a)|(b" would become another expression. */
int mr_layer_pattern_matches(const regex_t *pattern, const char *layer) {
    regmatch_t match;
    if (regexec(pattern, layer, 1, &match, 0) != 0) return 0;
    return match.rm_so == 0 && (size_t)match.rm_eo == strlen(layer);
}
