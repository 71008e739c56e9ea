/* json_cut.c - see json_cut.h: brackets are counted, strings are passed over. */
#include "data/json_cut.h"

/* What a byte outside of strings means. Whatever has no entry can't be in a list of numbers. */
enum { ODD = 0, PLAIN, COMMA, SPACE, NEWLINE, OPEN, CLOSE, QUOTE };

static const uint8_t kinds[256] = {
    ['0'] = PLAIN, ['1'] = PLAIN,  ['2'] = PLAIN,  ['3'] = PLAIN, ['4'] = PLAIN,    ['5'] = PLAIN,
    ['6'] = PLAIN, ['7'] = PLAIN,  ['8'] = PLAIN,  ['9'] = PLAIN, ['.'] = PLAIN,    ['-'] = PLAIN,
    [' '] = SPACE, ['\t'] = SPACE, ['\r'] = SPACE, [','] = COMMA, ['\n'] = NEWLINE, ['['] = OPEN,
    ['{'] = OPEN,  [']'] = CLOSE,  ['}'] = CLOSE,  ['"'] = QUOTE,
};

static size_t pass_string(mr_json_cutter *c, const unsigned char *bytes, size_t length) {
    size_t i = 0;
    for (; i < length && c->in_string; i++) {
        if (c->escaped)
            c->escaped = 0;
        else if (bytes[i] == '\\')
            c->escaped = 1;
        else if (bytes[i] == '"')
            c->in_string = 0;
        else if (bytes[i] == '\n')
            c->newlines++;
    }
    return i;
}

static void open_bracket(mr_json_cutter *c, unsigned char bracket) {
    if (c->depth == 0)
        c->is_object = bracket == '{';
    else
        c->has_content = 1;
    if (++c->depth > 2 || bracket == '{') c->odd = 1;
    c->commas = 0;
}

static void close_bracket(mr_json_cutter *c) {
    if (c->depth == 2 && (c->commas < 5 || c->commas % 2 == 0)) c->odd = 1;
    c->depth--;
}

/* A byte that is not just part of a number. */
static void look_at(mr_json_cutter *c, unsigned char byte) {
    switch (kinds[byte]) {
    case OPEN: open_bracket(c, byte); break;
    case CLOSE: close_bracket(c); break;
    case NEWLINE: c->newlines++; break;
    case QUOTE: c->in_string = 1; /* fall through */
    case ODD: c->odd = c->has_content = 1; break;
    default: break;
    }
}

size_t mr_json_cut_go_on(mr_json_cutter *c, const unsigned char *bytes, size_t length) {
    size_t i = 0;
    while (i < length) {
        if (c->in_string) {
            i += pass_string(c, bytes + i, length - i);
            continue;
        }
        /* Nearly everything is numbers and commas. A number in the outer array makes it odd. */
        uint64_t commas = 0;
        size_t begin = i;
        for (; i < length && (uint8_t)(kinds[bytes[i]] - PLAIN) <= COMMA - PLAIN; i++)
            commas += bytes[i] == ',';
        c->commas += commas;
        if (i > begin + commas) {
            c->has_content = 1;
            if (c->depth == 1) c->odd = 1;
        }
        if (i == length) break;
        look_at(c, bytes[i++]);
        if (c->depth == 0) break;
    }
    return i;
}

mr_json_cut mr_json_cut_result(const mr_json_cutter *c) {
    return (mr_json_cut){.is_pairs = !c->odd && c->has_content && !c->is_object,
                         .is_object = c->is_object,
                         .is_empty = !c->has_content};
}
