/* complete.c - see complete.h. */
#include "complete.h"

#include "shipped.h"

#include <mrcnn/mrcnn.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `mrcnn help weights get` is understood, but is no command with a table. */
static const command help_command = {
    .name = "help", .path = "help", .usage = "[COMMAND]...", .at_most = -1};

/* Where the words before the last one lead. */
typedef struct place {
    const command *root;
    const command *self;    /* NULL: to nothing */
    const option *value_of; /* the option whose value comes next, or NULL */
    int no_options;         /* behind "--" */
    int arguments;          /* seen so far */
    const command *named;   /* by the arguments, for commands that take commands' names */
    int count;              /* of the words that were looked at */
    char *const *words;
} place;

/* What is being completed: `before` is kept ("--save=", "masks,"), and only `part` behind it grows. */
typedef struct target {
    const place *at;
    const char *before;
    const char *list; /* where a list begins whose last word is `part`; else equal to it */
    const char *part; /* inside of `before` */
} target;

static int is_in_list(const target *t, const char *word) {
    size_t length = strlen(word);
    for (const char *it = t->list; it < t->part; it += strcspn(it, ",") + 1)
        if (strcspn(it, ",") == length && strncmp(it, word, length) == 0) return 1;
    return 0;
}

static void offer(const target *t, const char *word, const char *about) {
    if (!is_in_list(t, word))
        printf("%.*s%s\t%s\n", (int)(t->part - t->before), t->before, word, about);
}

/* ------------------------------------------------------------------------ what the library knows */

static void list_presets(const target *t) {
    const char *name, *help;
    for (size_t i = 0; (name = mrcnn_config_preset(i, &help)); i++)
        offer(t, name, help ? help : "");
}

static void list_weights(const target *t) {
    const char *name, *help;
    offer(t, SHIPPED_MODEL, "cell nuclei; comes along");
    for (size_t i = 0; (name = mrcnn_weights_published(i, NULL, &help)); i++) offer(t, name, help);
}

static void list_writers(const target *t) {
    const char *name;
    for (size_t i = 0; (name = mrcnn_dataset_writer(i)); i++) offer(t, name, "");
}

/* The words of "a|b|c", or of a list "a,b,c" those that aren't in it yet. */
static void list_choices(const target *t, const char *choices) {
    text_list words = {0};
    text_split(&words, choices, "|,");
    for (size_t i = 0; i < words.count; i++) offer(t, words.items[i], "");
    text_list_free(&words);
}

static void list_values(const target *t, const mrcnn_config_key *key) {
    if (strcmp(key->type, "bool") == 0)
        list_choices(t, "true|false");
    else if (strchr(key->type, '|'))
        list_choices(t, key->type);
}

/* KEY=, and behind it the values of keys that have few. */
static void list_keys(const target *t) {
    const mrcnn_config_key *key;
    const char *equals = strchr(t->part, '=');
    if (!equals) puts(":nospace");
    for (size_t i = 0; (key = mrcnn_config_key_at(i)); i++) {
        size_t length = strlen(key->name);
        if (!equals) {
            char *word = text_format("%s=", key->name);
            offer(t, word, key->help);
            free(word);
        } else if ((size_t)(equals - t->part) == length &&
                   strncmp(key->name, t->part, length) == 0) {
            target value = {t->at, t->before, equals + 1, equals + 1};
            list_values(&value, key);
        }
    }
}

static void list_commands(const target *t) {
    const command *self = t->at->named;
    for (size_t i = 0; self && self->sub && self->sub[i]; i++)
        offer(t, self->sub[i]->name, self->sub[i]->summary);
}

/* --------------------------------------------------------------------------------------- values */

/* What the words mean that tables call values and arguments. The option's name decides where the word
 * alone doesn't: a NAME is something else for --preset than for --weights. */
typedef struct meaning {
    const char *option; /* NULL: of any option, or an argument */
    const char *word;
    const char *words; /* "a|b" that are offered */
    const char *files; /* their endings, with blanks between; "*": any */
    int folders;
    void (*list)(const target *t);
} meaning;

static const meaning meanings[] = {
    {"weights", "FILE", NULL, ".h5", 1, NULL},
    {"weights", "NAME", NULL, NULL, 0, list_weights},
    {"preset", "NAME", NULL, NULL, 0, list_presets},
    {"set", "KEY=VALUE", NULL, NULL, 0, list_keys},
    {"config", "FILE", NULL, ".yaml .yml", 1, NULL},
    {"dataset", "DIR", "shapes", ".json", 1, NULL},
    {"subset", "NAME", "train|val|test", NULL, 0, NULL},
    {"validation", "NAME", "val", NULL, 0, NULL},
    {"to", "FORMAT", NULL, NULL, 0, list_writers},
    {"json", "FILE", NULL, ".json", 1, NULL},
    {"csv", "FILE", NULL, ".csv", 1, NULL},
    {NULL, "COMMAND", NULL, NULL, 0, list_commands},
    {NULL, "FILE", NULL, "*", 0, NULL},
    {NULL, "INPUT", NULL, "*", 0, NULL},
    {NULL, "PICTURE", NULL, "*", 0, NULL},
    {NULL, "LOG", NULL, "*", 0, NULL},
    {NULL, "DIR", NULL, NULL, 1, NULL},
};

static const meaning *find_meaning(const char *option_name, const char *word) {
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(meanings[i].word, word) == 0 &&
            (!meanings[i].option || (option_name && strcmp(meanings[i].option, option_name) == 0)))
            return &meanings[i];
    return NULL;
}

static void offer_files(const char *files, int folders) {
    text_list endings = {0};
    text_split(&endings, files ? files : "", " ");
    for (size_t i = 0; i < endings.count; i++)
        if (strcmp(endings.items[i], "*") == 0)
            puts(":files");
        else
            printf(":files %s\n", endings.items[i]);
    if (folders) puts(":folders");
    text_list_free(&endings);
}

/* One of the words of "none|FILE.h5|NAME". Small letters are meant as they stand. */
static void complete_word(const target *t, const char *option_name, const char *word) {
    const meaning *known = find_meaning(option_name, word);
    if (known) {
        if (known->words) list_choices(t, known->words);
        if (known->list) known->list(t);
        offer_files(known->files, known->folders);
    } else if (isupper((unsigned char)*word)) {
        if (strchr(word, '.')) offer_files(strchr(word, '.'), 1); /* FILE.h5 */
    } else if (strcmp(word, "-") != 0) {
        offer(t, word, "");
    }
}

/* "NAME,..." and "a,b,c" are lists: all but the part behind the last comma is there already. (A file is
 * one, and names that nobody knows can't be completed.) */
static int begin_list(target *t, const char *value) {
    const char *comma = strrchr(t->part, ',');
    if (!strchr(value, ',') || strstr(value, "FILE")) return 0;
    if (comma) t->part = comma + 1;
    return 1;
}

static void complete_value(target t, const char *option_name, const char *value) {
    text_list words = {0};
    text_split(&words, value, "|,");
    if (begin_list(&t, value)) puts(":nospace");
    for (size_t i = 0; i < words.count; i++)
        if (strcmp(words.items[i], "...") != 0) complete_word(&t, option_name, words.items[i]);
    text_list_free(&words);
}

/* ------------------------------------------------------------------------------------ arguments */

/* Arguments stand at the end of "[OPTION]... IN.h5 OUT.h5"; of many, the last word names all. */
static void complete_argument(const target *t) {
    const place *at = t->at;
    text_list words = {0};
    text_split(&words, at->self->usage, " []");
    while (words.count && strcmp(words.items[words.count - 1], "...") == 0)
        free(words.items[--words.count]);
    size_t last = at->self->at_most < 0 ? 1 : (size_t)at->self->at_most - (size_t)at->arguments;
    if (words.count >= last) {
        char *word = words.items[words.count - last], *dots = strstr(word, "...");
        if (dots) *dots = 0;
        complete_value(*t, NULL, word);
    }
    text_list_free(&words);
}

static int is_given(const place *at, const char *name) {
    for (int i = 0; i < at->count; i++) {
        if (strncmp(at->words[i], "--", 2) != 0) continue;
        size_t length = strcspn(at->words[i] + 2, "=");
        if (strlen(name) == length && strncmp(at->words[i] + 2, name, length) == 0) return 1;
    }
    return 0;
}

/* Each once, but for those of which several make sense. */
static void complete_options(const target *t) {
    for (const option *row = t->at->self->options; row && row->name; row++) {
        if (row->kind != OPTION_TEXTS && is_given(t->at, row->name)) continue;
        char *word = text_format("--%s", row->name);
        offer(t, word, row->help);
        free(word);
    }
    offer(t, "--help", "print help and stop");
}

static void complete_subcommands(const target *t) {
    for (size_t i = 0; t->at->self->sub[i]; i++)
        offer(t, t->at->self->sub[i]->name, t->at->self->sub[i]->summary);
    if (t->at->self == t->at->root) offer(t, "help", "explain a command");
}

/* ---------------------------------------------------------------------------------- the whole line */

/* The row that "--name" or "--name=..." means. */
static const option *option_of(const command *self, const char *word) {
    if (strncmp(word, "--", 2) != 0) return NULL;
    return options_row(self, word + 2, strcspn(word + 2, "="));
}

/* Takes one more of the words that are complete. */
static void go_on(place *at, const char *word) {
    if (at->value_of) {
        at->value_of = NULL;
    } else if (!at->no_options && strcmp(word, "--") == 0) {
        at->no_options = 1;
    } else if (!at->no_options && word[0] == '-' && word[1]) {
        const option *row = option_of(at->self, word);
        if (row && row->kind != OPTION_FLAG && !strchr(word, '=')) at->value_of = row;
    } else if (at->self->sub) {
        int is_help = at->self == at->root && strcmp(word, help_command.name) == 0;
        at->self = is_help ? &help_command : options_sub(at->self, word);
    } else {
        at->arguments++;
        at->named = at->named ? options_sub(at->named, word) : NULL;
    }
}

static void complete(const place *at, const char *last) {
    const char *equals = strchr(last, '=');
    const command *self = at->self;
    int is_full = !self->sub && self->at_most >= 0 && at->arguments >= self->at_most;
    target t = {at, last, last, last};
    if (at->value_of) {
        complete_value(t, at->value_of->name, at->value_of->value);
    } else if (!at->no_options && strncmp(last, "--", 2) == 0 && equals) {
        const option *row = option_of(self, last);
        t.list = t.part = equals + 1;
        if (row && row->kind != OPTION_FLAG) complete_value(t, row->name, row->value);
    } else if (!at->no_options && (*last == '-' || is_full)) {
        complete_options(&t);
    } else if (self->sub) {
        complete_subcommands(&t);
    } else if (!is_full) {
        complete_argument(&t);
    }
}

int complete_print(const command *root, int count, char *const *words) {
    place at = {root, root, NULL, 0, 0, root, count - 1, words};
    for (int i = 0; i < count - 1 && at.self; i++) go_on(&at, words[i]);
    if (at.self) complete(&at, count > 0 ? words[count - 1] : "");
    return EXIT_DONE;
}
