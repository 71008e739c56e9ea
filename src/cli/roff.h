/* roff.h - text as the source of a manual page, in the macros of man(7) that groff and mandoc share. */
#ifndef CLI_ROFF_H
#define CLI_ROFF_H

#include <stddef.h>
#include <stdio.h>

typedef enum roff_font { ROFF_ROMAN, ROFF_BOLD, ROFF_ITALIC } roff_font;

typedef struct roff {
    FILE *out;
    /* The font of a word in capitals ("DIR", "IMAGE_MAX_DIM") in a text. */
    roff_font (*font)(void *user, const char *word, size_t length);
    void *user;
} roff;

/* ".SH TITLE" and the like; an empty argument is left out. */
void roff_macro(const roff *page, const char *macro, const char *argument);

/* Paragraphs as options_print_text takes them, filled. `quoted parts`, --options and, by `font`, words
 * in capitals stand out. Lines that begin with a blank stay as they are. `between` is the macro that
 * separates paragraphs: "PP", or "IP" inside of a list. */
void roff_text(const roff *page, const char *text, const char *between);

/* One line of what is typed: "--weights FILE.h5|NAME" with literal parts in bold, and words that begin
 * with a capital, which stand for something, in italics. */
void roff_typed(const roff *page, const char *text);

/* One line in bold. */
void roff_bold(const roff *page, const char *text);

/* An item of a list: a name in bold, and below it what there is to say. */
void roff_item(const roff *page, const char *name, const char *text);

#endif
