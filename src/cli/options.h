/* options.h - commands and their options as data. One table per command drives parsing and --help
 * alike, so that the two can't disagree. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "message.h"

#include <stddef.h>
#include <stdint.h>

/* What an option's field in the command's struct is. */
typedef enum option_kind {
    OPTION_FLAG,    /* int: 1 once given */
    OPTION_TEXT,    /* const char *: the last one given */
    OPTION_TEXTS,   /* text_list: all that were given, in order */
    OPTION_INTEGER, /* int64_t, from minimum to maximum */
    OPTION_CHOICE,  /* int: which one of value's words ("cpu|reference") */
    OPTION_CHOICES  /* unsigned: a bit for each of value's words; a list "json,masks" is given */
} option_kind;

typedef struct option {
    const char *name;  /* without the dashes; NULL ends a table */
    const char *value; /* what --help calls the value; NULL for a flag */
    option_kind kind;
    size_t offset; /* of the field in the command's struct */
    const char *help;
    int64_t minimum, maximum;
} option;

typedef struct arguments {
    int count;
    char **items;
} arguments;

typedef struct command command;
struct command {
    const char *name;          /* "get" */
    const char *path;          /* "weights get" */
    const char *summary;       /* one line, without a full stop */
    const char *usage;         /* what follows the name: "[OPTION]... INPUT..." */
    const char *about;         /* paragraphs, for --help */
    const char *examples;      /* lines, for --help */
    const option *options;     /* NULL: none */
    int at_least, at_most;     /* arguments that are not options; at_most -1: any number */
    const command *const *sub; /* commands below this one; then run is NULL */
    int (*run)(const command *self, int argc, char **argv);
};

/* Fills `values` (which holds the defaults) from the arguments after the command's name. Returns
 * OPTIONS_READ, or the exit code with which the command is done: help was asked for and printed, or
 * the usage was wrong and that was said. `rest` points into argv, whose order changes. */
enum { OPTIONS_READ = -1 };
int options_parse(const command *self, int argc, char **argv, void *values, arguments *rest);

/* Frees the lists among the values. */
void options_free(const command *self, void *values);

/* Prints the whole help of a command (with its subcommands, if any). */
void options_help(const command *self);

/* Prints paragraphs, broken at 78 columns; lines that begin with a blank stay as they are. */
void options_print_text(const char *text, int indent);

/* The row of an option, the command directly below: NULL if there is none. */
const option *options_row(const command *self, const char *name, size_t length);
const command *options_sub(const command *self, const char *name);

/* The command that words such as "weights", "get" name below `root`; NULL after a message. */
const command *options_find(const command *root, int count, char *const *names);

/* Picks a subcommand by the first argument and runs it. */
int options_dispatch(const command *self, int argc, char **argv);

#endif
