/* roff.c - see roff.h. */
#include "roff.h"

#include <ctype.h>
#include <string.h>

/* SOURCE_COLUMNS and what escapes add to a word stay below the 80 that mandoc wants. */
enum { SOURCE_COLUMNS = 70, PAGE_INDENT = 7, PAGE_COLUMNS = 78 };

static const char *const font_names[] = {"\\fR", "\\fB", "\\fI"};

/* About as many bytes as put_word makes of a word. */
static size_t source_length(const char *text, size_t length) {
    size_t total = length;
    for (size_t i = 0; i < length; i++)
        total += isupper((unsigned char)text[i]) || islower((unsigned char)text[i]) ? 0 : 2;
    return total;
}

/* Characters as they are meant: a "-" can be copied from the page into a shell. */
static void put_text(const roff *page, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) switch (text[i]) {
        case '\\': fputs("\\e", page->out); break;
        case '-': fputs("\\-", page->out); break;
        case '\'': fputs("\\(aq", page->out); break;
        case '`': fputs("\\(ga", page->out); break;
        case '^': fputs("\\(ha", page->out); break;
        case '~': fputs("\\(ti", page->out); break;
        default: fputc(text[i], page->out);
        }
}

void roff_macro(const roff *page, const char *macro, const char *argument) {
    fprintf(page->out, ".%s%s", macro, *argument ? " " : "");
    put_text(page, argument, strlen(argument));
    fputc('\n', page->out);
}

static void put_in(const roff *page, roff_font font, const char *text, size_t length) {
    if (font != ROFF_ROMAN) fputs(font_names[font], page->out);
    put_text(page, text, length);
    if (font != ROFF_ROMAN) fputs("\\fR", page->out);
}

/* ---------------------------------------------------------------------------------------- words */

static size_t capitals(const char *text, size_t length) {
    size_t n = 0;
    while (n < length && (isupper((unsigned char)text[n]) || text[n] == '_' ||
                          (n > 0 && isdigit((unsigned char)text[n]))))
        n++;
    return n < length && isalnum((unsigned char)text[n]) ? 0 : n;
}

static size_t option_length(const char *text, size_t length) {
    size_t n = 2;
    if (length < 3 || text[0] != '-' || text[1] != '-' || !islower((unsigned char)text[2]))
        return 0;
    while (n < length && (islower((unsigned char)text[n]) || text[n] == '-')) n++;
    return n;
}

/* Length and font of the piece that a word goes on with. */
static size_t piece(const roff *page, const char *text, size_t length, roff_font *font) {
    size_t n = option_length(text, length);
    *font = ROFF_BOLD;
    if (n) return n;
    n = capitals(text, length);
    *font = n > 1 && page->font ? page->font(page->user, text, n) : ROFF_ROMAN;
    if (n) return n;
    *font = ROFF_ROMAN;
    while (n < length && isalnum((unsigned char)text[n])) n++;
    return n ? n : 1;
}

/* A word between blanks. `quoted` tells whether it is inside of `...`, and is kept for the next one. */
static void put_word(const roff *page, const char *text, size_t length, int *quoted) {
    for (size_t at = 0; at < length;) {
        if (text[at] == '`') {
            *quoted = !*quoted;
            at++;
            continue;
        }
        roff_font font = ROFF_BOLD;
        size_t n = 0;
        if (*quoted)
            while (at + n < length && text[at + n] != '`') n++;
        else
            n = piece(page, text + at, length - at, &font);
        put_in(page, font, text + at, n);
        at += n;
    }
}

/* Does a word end with a full stop (or "?", "!"), perhaps inside of quotes or parentheses? */
static int ends_sentence(const char *word, size_t length) {
    while (length && strchr("\")'`", word[length - 1])) length--;
    return length && strchr(".?!", word[length - 1]);
}

/* ----------------------------------------------------------------------------------- paragraphs */

static size_t word_length(const char *text, size_t length) {
    size_t n = 0;
    while (n < length && text[n] != ' ' && text[n] != '\n') n++;
    return n;
}

/* Ends the line behind a sentence, since roff sets sentences by lines; what only looks like the end of one
 * ("1, 2, ... in order") gets a sign that it is none. */
static void end_line(const roff *page, const char *word, size_t length, int is_sentence) {
    if (!is_sentence && ends_sentence(word, length)) fputs("\\&", page->out);
    fputc('\n', page->out);
}

static void put_paragraph(const roff *page, const char *text, size_t length) {
    int quoted = 0;
    size_t column = 0;
    for (size_t at = 0; at < length;) {
        const char *word = text + at;
        size_t n = word_length(word, length - at), next = at + n + (at + n < length);
        size_t after = word_length(text + next, length - next);
        if (!column && (*word == '.' || *word == '\'')) fputs("\\&", page->out);
        put_word(page, word, n, &quoted);
        column += source_length(word, n) + 1;
        int is_last = next >= length;
        int is_sentence =
            ends_sentence(word, n) && (is_last || !islower((unsigned char)text[next]));
        if (is_last || is_sentence || column + source_length(text + next, after) > SOURCE_COLUMNS) {
            end_line(page, word, n, is_sentence);
            column = 0;
        } else {
            fputc(' ', page->out);
        }
        at = next;
    }
}

static int stays(const char *line) {
    return *line == ' ' || *line == '\t';
}

/* Lines that stay as they are, and how wide they are. */
static size_t block_length(const char *text, size_t *width) {
    size_t length = 0;
    *width = 0;
    while (stays(text + length)) {
        size_t n = strcspn(text + length, "\n");
        if (n > *width) *width = n;
        length += n + (text[length + n] == '\n');
    }
    return length;
}

/* Wide ones begin further to the left, so that 80 columns hold them. */
static void put_block(const roff *page, const char *text, size_t length, size_t width) {
    size_t room = PAGE_COLUMNS - PAGE_INDENT, out = width > room ? width - room : 0;
    if (out > PAGE_INDENT) out = PAGE_INDENT;
    fputs(".PP\n.nf\n", page->out);
    if (out) fprintf(page->out, ".in -%zun\n", out);
    for (size_t at = 0; at < length;) {
        size_t n = strcspn(text + at, "\n");
        put_text(page, text + at, n);
        fputc('\n', page->out);
        at += n + 1;
    }
    if (out) fprintf(page->out, ".in +%zun\n", out);
    fputs(".fi\n", page->out);
}

void roff_text(const roff *page, const char *text, const char *between) {
    text += strspn(text, "\n");
    for (int first = 1; *text; first = 0) {
        size_t width, length = block_length(text, &width);
        if (length) {
            put_block(page, text, length, width);
        } else {
            while (text[length] && !(text[length] == '\n' && strchr(" \n", text[length + 1])))
                length++;
            if (length && !first) roff_macro(page, between, "");
            put_paragraph(page, text, length);
        }
        text += length;
        text += strspn(text, "\n");
    }
}

/* ----------------------------------------------------------------------------------- single lines */

void roff_typed(const roff *page, const char *text) {
    for (size_t at = 0; text[at];) {
        size_t n = strcspn(text + at, " |,()[]=");
        size_t dots = n > 3 && strncmp(text + at + n - 3, "...", 3) == 0 ? 3 : 0;
        if (n == 3 && strncmp(text + at, "...", 3) == 0) dots = 3;
        if (n > dots)
            put_in(page, isupper((unsigned char)text[at]) ? ROFF_ITALIC : ROFF_BOLD, text + at,
                   n - dots);
        put_text(page, text + at + n - dots, dots);
        at += n;
        if (text[at]) fputc(text[at++], page->out);
    }
    fputc('\n', page->out);
}

void roff_bold(const roff *page, const char *text) {
    put_in(page, ROFF_BOLD, text, strlen(text));
    fputc('\n', page->out);
}

void roff_item(const roff *page, const char *name, const char *text) {
    roff_macro(page, "TP", "");
    roff_bold(page, name);
    roff_text(page, text, "IP");
}
