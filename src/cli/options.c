/* options.c - see options.h. */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 78, HELP_COLUMN = 26, COMMAND_COLUMN = 14 };

/* ------------------------------------------------------------------------------------- help */

/* Prints words from `column` on, broken before COLUMNS, further lines indented. */
static void print_wrapped(const char *text, size_t length, int column, int indent) {
    int first = 1;
    for (size_t at = 0; at < length;) {
        size_t end = at;
        while (end < length && text[end] != ' ' && text[end] != '\n') end++;
        int width = (int)(end - at);
        if (!first && column + 1 + width > COLUMNS) {
            printf("\n%*s", indent, "");
            column = indent;
            first = 1;
        }
        if (!first) putchar(' ');
        printf("%.*s", width, text + at);
        column += width + !first;
        first = 0;
        at = end + (end < length);
    }
    putchar('\n');
}

/* Length of the paragraph at `text`: up to an empty line or one that begins with a blank. */
static size_t paragraph_length(const char *text) {
    size_t length = 0;
    while (text[length] && !(text[length] == '\n' && strchr(" \n", text[length + 1]))) length++;
    return length;
}

void options_print_text(const char *text, int indent) {
    while (*text) {
        int as_it_is = *text == ' ' || *text == '\n';
        size_t length = as_it_is ? strcspn(text, "\n") : paragraph_length(text);
        printf("%*s", length ? indent : 0, "");
        if (as_it_is)
            printf("%.*s\n", (int)length, text);
        else
            print_wrapped(text, length, indent, indent);
        text += length;
        if (*text) text++;
    }
}

static void print_row(const char *left, const char *help, int column) {
    int width = printf("  %s", left);
    if (width + 2 > column) {
        putchar('\n');
        width = 0;
    }
    printf("%*s", column - width, "");
    print_wrapped(help, strlen(help), column, column);
}

static void print_option(const option *row) {
    char *left =
        text_format("--%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
    print_row(left, row->help, HELP_COLUMN);
    free(left);
}

static void print_usage_line(const command *self) {
    printf("Usage: mrcnn%s%s%s%s\n\n", *self->path ? " " : "", self->path, *self->usage ? " " : "",
           self->usage);
}

void options_help(const command *self) {
    print_usage_line(self);
    options_print_text(self->about, 0);
    if (self->sub) {
        printf("\nCommands:\n");
        for (size_t i = 0; self->sub[i]; i++)
            print_row(self->sub[i]->name, self->sub[i]->summary, COMMAND_COLUMN);
    }
    printf("\nOptions:\n");
    for (const option *row = self->options; row && row->name; row++) print_option(row);
    print_row("--help", "print this and stop", HELP_COLUMN);
    printf("\nExamples:\n");
    options_print_text(self->examples, 2);
}

/* ---------------------------------------------------------------------------------- parsing */

static int is_word_end(char c) {
    return c == 0 || c == '|' || c == ',';
}

/* Index of a word in "a|b|c", or -1. */
static int find_choice(const char *choices, const char *word, size_t length) {
    for (int index = 0;; index++) {
        size_t n = 0;
        while (!is_word_end(choices[n])) n++;
        if (n == length && strncmp(choices, word, length) == 0) return index;
        if (choices[n] == 0) return -1;
        choices += n + 1;
    }
}

static int fail_choice(const command *self, const option *row, const char *word) {
    text_list words = {0};
    text_split(&words, row->value, "|,");
    text_nearest nearest = text_nearest_start(word);
    for (size_t i = 0; i < words.count; i++) text_nearest_offer(&nearest, words.items[i]);
    int code = nearest.best
                   ? message_usage(self->path, "--%s: there is no \"%s\"; did you mean %s?",
                                   row->name, word, nearest.best)
                   : message_usage(self->path, "--%s: there is no \"%s\"; there are %s", row->name,
                                   word, row->value);
    text_list_free(&words);
    return code;
}

static int read_choices(const command *self, const option *row, const char *value, void *field) {
    text_list words = {0};
    text_split(&words, value, ",");
    unsigned bits = 0;
    int code = OPTIONS_READ;
    for (size_t i = 0; i < words.count && code == OPTIONS_READ; i++) {
        int index = find_choice(row->value, words.items[i], strlen(words.items[i]));
        if (index < 0)
            code = fail_choice(self, row, words.items[i]);
        else
            bits |= 1u << index;
    }
    if (code == OPTIONS_READ && !bits)
        code = message_usage(self->path, "--%s: name at least one of %s", row->name, row->value);
    text_list_free(&words);
    *(unsigned *)field = bits;
    return code;
}

static int read_integer(const command *self, const option *row, const char *value, void *field) {
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || *end || errno)
        return message_usage(self->path, "--%s: \"%s\" is not a whole number", row->name, value);
    if (number < row->minimum || number > row->maximum)
        return message_usage(self->path, "--%s: %lld is not between %lld and %lld", row->name,
                             number, (long long)row->minimum, (long long)row->maximum);
    *(int64_t *)field = number;
    return OPTIONS_READ;
}

static int read_value(const command *self, const option *row, char *value, void *values) {
    void *field = (char *)values + row->offset;
    switch (row->kind) {
    case OPTION_FLAG: *(int *)field = 1; return OPTIONS_READ;
    case OPTION_TEXT:
        if (!*value) return message_usage(self->path, "--%s: the value is empty", row->name);
        *(const char **)field = value;
        return OPTIONS_READ;
    case OPTION_TEXTS: text_list_add(field, text_copy(value)); return OPTIONS_READ;
    case OPTION_INTEGER: return read_integer(self, row, value, field);
    case OPTION_CHOICES: return read_choices(self, row, value, field);
    case OPTION_CHOICE: break;
    }
    int index = find_choice(row->value, value, strlen(value));
    if (index < 0) return fail_choice(self, row, value);
    *(int *)field = index;
    return OPTIONS_READ;
}

const option *options_row(const command *self, const char *name, size_t length) {
    for (const option *row = self->options; row && row->name; row++)
        if (strlen(row->name) == length && strncmp(row->name, name, length) == 0) return row;
    return NULL;
}

static int fail_unknown_option(const command *self, const char *given) {
    size_t dashes = strspn(given, "-");
    char *name = text_copy_part(given + dashes, strcspn(given + dashes, "="));
    text_nearest nearest = text_nearest_start(name);
    for (const option *row = self->options; row && row->name; row++)
        text_nearest_offer(&nearest, row->name);
    text_nearest_offer(&nearest, "help");
    char *shown = text_copy_part(given, strcspn(given, "="));
    int code = nearest.best ? message_usage(self->path, "unknown option %s; did you mean --%s?",
                                            shown, nearest.best)
                            : message_usage(self->path, "unknown option %s", shown);
    free(shown);
    free(name);
    return code;
}

/* Reads the option at argv[*at], and its value from there or from the next argument. */
static int read_option(const command *self, int argc, char **argv, int *at, void *values) {
    char *given = argv[*at];
    if (strncmp(given, "--", 2) != 0) return fail_unknown_option(self, given);
    size_t length = strcspn(given + 2, "=");
    const option *row = options_row(self, given + 2, length);
    if (!row) return fail_unknown_option(self, given);
    char *value = given[2 + length] ? given + 3 + length : NULL;
    if (row->kind == OPTION_FLAG && value)
        return message_usage(self->path, "--%s takes no value", row->name);
    if (row->kind != OPTION_FLAG && !value) {
        if (*at + 1 >= argc)
            return message_usage(self->path, "--%s needs a value: --%s %s", row->name, row->name,
                                 row->value);
        value = argv[++*at];
    }
    return read_value(self, row, value, values);
}

static int check_count(const command *self, const arguments *rest) {
    if (rest->count < self->at_least)
        return message_usage(self->path, "%s is missing: mrcnn %s %s",
                             rest->count ? "an argument" : "what to work on", self->path,
                             self->usage);
    if (self->at_most >= 0 && rest->count > self->at_most)
        return message_usage(self->path, "\"%s\" is one argument too many: mrcnn %s %s",
                             rest->items[self->at_most], self->path, self->usage);
    return OPTIONS_READ;
}

static int is_help(const char *argument) {
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

int options_parse(const command *self, int argc, char **argv, void *values, arguments *rest) {
    int only_arguments = 0, code = OPTIONS_READ;
    rest->count = 0;
    rest->items = argv;
    for (int i = 0; i < argc && code == OPTIONS_READ; i++) {
        if (only_arguments || argv[i][0] != '-' || argv[i][1] == 0) {
            argv[rest->count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_arguments = 1;
        } else if (is_help(argv[i])) {
            options_help(self);
            code = EXIT_DONE;
        } else {
            code = read_option(self, argc, argv, &i, values);
        }
    }
    if (code == OPTIONS_READ) code = check_count(self, rest);
    if (code != OPTIONS_READ) options_free(self, values);
    return code;
}

void options_free(const command *self, void *values) {
    for (const option *row = self->options; row && row->name; row++)
        if (row->kind == OPTION_TEXTS)
            text_list_free((text_list *)(void *)((char *)values + row->offset));
}

/* --------------------------------------------------------------------------------- commands */

const command *options_sub(const command *self, const char *name) {
    for (size_t i = 0; self->sub && self->sub[i]; i++)
        if (strcmp(self->sub[i]->name, name) == 0) return self->sub[i];
    return NULL;
}

static int fail_unknown_command(const command *self, const char *name) {
    const char *blank = *self->path ? " " : "";
    text_nearest nearest = text_nearest_start(name);
    for (size_t i = 0; self->sub[i]; i++) text_nearest_offer(&nearest, self->sub[i]->name);
    if (nearest.best)
        return message_usage(self->path, "there is no command \"%s%s%s\"; did you mean %s?",
                             self->path, blank, name, nearest.best);
    return message_usage(self->path, "there is no command \"%s%s%s\"", self->path, blank, name);
}

const command *options_find(const command *root, int count, char *const *names) {
    for (int i = 0; i < count; i++) {
        const command *next = options_sub(root, names[i]);
        if (!next && root->sub) fail_unknown_command(root, names[i]);
        if (!next && !root->sub)
            message_usage(root->path, "\"%s\" has no commands below it, so no \"%s\"", root->path,
                          names[i]);
        if (!next) return NULL;
        root = next;
    }
    return root;
}

int options_dispatch(const command *self, int argc, char **argv) {
    if (argc < 1) return message_usage(self->path, "which command? The help lists them");
    if (is_help(argv[0])) {
        options_help(self);
        return EXIT_DONE;
    }
    if (argv[0][0] == '-') return fail_unknown_option(self, argv[0]);
    const command *chosen = options_sub(self, argv[0]);
    if (!chosen) return fail_unknown_command(self, argv[0]);
    if (chosen->sub) return options_dispatch(chosen, argc - 1, argv + 1);
    return chosen->run(chosen, argc - 1, argv + 1);
}
