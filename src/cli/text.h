/* text.h - strings and arrays for the commands. Memory that runs out ends the program with a
 * message: unlike the library, a command has nobody to hand the error to. */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>

#if defined(__GNUC__)
#define CLI_PRINTF(format_index, first_arg) __attribute__((format(printf, format_index, first_arg)))
#else
#define CLI_PRINTF(format_index, first_arg)
#endif

/* realloc for `count` things of `size` bytes; never returns NULL. */
void *text_grow(void *old, size_t count, size_t size);

/* printf into malloc'ed memory; never returns NULL. */
char *text_format(const char *format, ...) CLI_PRINTF(1, 2);
char *text_copy(const char *text);
char *text_copy_part(const char *text, size_t length);

/* A growing list of strings that it owns. Start with {0}. */
typedef struct text_list {
    size_t count;
    char **items;
} text_list;

void text_list_add(text_list *list, char *owned);
void text_list_free(text_list *list);

/* The parts of a text between separators, without the blanks around them; empty parts are left
 * out. */
void text_split(text_list *list, const char *text, const char *separators);

/* The most similar candidate, for "did you mean": offer each one, then read `best` (NULL: none is
 * near enough to be meant). */
typedef struct text_nearest {
    const char *word;
    const char *best;
    size_t distance;
} text_nearest;

text_nearest text_nearest_start(const char *word);
void text_nearest_offer(text_nearest *nearest, const char *candidate);

/* Length in bytes of the valid UTF-8 character at `text`, 0 if the bytes are none (or the end). */
size_t text_utf8_length(const char *text);

/* The text for a terminal or a log line: control bytes and what is no UTF-8 become '?'.
 * malloc'ed. */
char *text_printable(const char *text);

#endif
