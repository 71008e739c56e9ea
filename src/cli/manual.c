/* manual.c - see manual.h. The pages of commands. */
#include "manual.h"

#include <mrcnn/mrcnn.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of pages whose date nobody sets: when the manual was last looked through. */
static const char last_revised[] = "2026-11-27";

/* ------------------------------------------------------------------------------ words and fonts */

static int is_whole_word(const char *text, const char *at, size_t length) {
    int before = at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '_');
    return !before && !isalnum((unsigned char)at[length]) && at[length] != '_';
}

/* Is this one of the whole words of a text? */
static int has_word(const char *text, const char *word, size_t length) {
    for (const char *at = text; at && *at; at++)
        if (strncmp(at, word, length) == 0 && is_whole_word(text, at, length)) return 1;
    return 0;
}

roff_font manual_font_of_keys(void *user, const char *word, size_t length) {
    const mrcnn_config_key *key;
    (void)user;
    for (size_t i = 0; (key = mrcnn_config_key_at(i)); i++)
        if (strlen(key->name) == length && strncmp(key->name, word, length) == 0) return ROFF_BOLD;
    return ROFF_ROMAN;
}

/* Keys are typed as they stand; words of the command's usage and of its options stand for something. */
static roff_font font_of(void *user, const char *word, size_t length) {
    const command *self = user;
    if (has_word(self->usage, word, length)) return ROFF_ITALIC;
    for (const option *row = self->options; row && row->name; row++)
        if (row->value && has_word(row->value, word, length)) return ROFF_ITALIC;
    return manual_font_of_keys(NULL, word, length);
}

char *manual_name(const command *self) {
    char *name = text_format("mrcnn%s%s", *self->path ? "-" : "", self->path);
    for (char *c = name; *c; c++)
        if (*c == ' ') *c = '-';
    return name;
}

/* ------------------------------------------------------------------------------------- sections */

/* The day of SOURCE_DATE_EPOCH, as builds that can be repeated set it. */
static void write_date(FILE *out) {
    const char *given = getenv("SOURCE_DATE_EPOCH");
    char *end = NULL, day[32];
    long long seconds = given ? strtoll(given, &end, 10) : 0;
    time_t moment = (time_t)seconds;
    struct tm parts;
    if (given && end != given && !*end && gmtime_r(&moment, &parts) &&
        strftime(day, sizeof day, "%Y-%m-%d", &parts))
        fputs(day, out);
    else
        fputs(last_revised, out);
}

void manual_begin(FILE *out, const char *name, int section) {
    fputs(".\\\" Written by `mrcnn man` from the tables behind --help.\n.TH ", out);
    for (const char *c = name; *c; c++)
        if (*c == '-')
            fputs("\\-", out);
        else
            fputc(toupper((unsigned char)*c), out);
    fprintf(out, " %d ", section);
    write_date(out);
    fprintf(out, " \"mrcnn %s\" \"mrcnn manual\"\n.nh\n.ad l\n", mrcnn_version());
}

static void write_reference(const roff *page, const char *name, int section, const char *behind) {
    char *line = text_format("%s (%d)%s", name, section, behind);
    roff_macro(page, "BR", line);
    free(line);
}

static void write_synopsis(const roff *page, const command *self) {
    char *line = text_format("mrcnn%s%s%s%s", *self->path ? " " : "", self->path,
                             *self->usage ? " " : "", self->usage);
    roff_macro(page, "SH", "SYNOPSIS");
    roff_typed(page, line);
    free(line);
}

static void write_commands(const roff *page, const command *self) {
    if (!self->sub) return;
    roff_macro(page, "SH", "COMMANDS");
    for (size_t i = 0; self->sub[i]; i++) {
        char *name = manual_name(self->sub[i]);
        roff_macro(page, "TP", "");
        write_reference(page, name, 1, "");
        roff_text(page, self->sub[i]->summary, "IP");
        free(name);
    }
}

static void write_option(const roff *page, const option *row) {
    char *line =
        text_format("--%s%s%s", row->name, row->value ? " " : "", row->value ? row->value : "");
    roff_macro(page, "TP", "");
    roff_typed(page, line);
    roff_text(page, row->help, "IP");
    free(line);
}

static void write_options(const roff *page, const command *self) {
    static const option help = {"help", NULL, OPTION_FLAG, 0, "print help and stop", 0, 0};
    roff_macro(page, "SH", "OPTIONS");
    for (const option *row = self->options; row && row->name; row++) write_option(page, row);
    write_option(page, &help);
}

/* Commands, and below each what it does. */
static void write_examples(const roff *page, const command *self) {
    roff_macro(page, "SH", "EXAMPLES");
    const char *at = self->examples;
    for (int after_text = 1; *at;) {
        size_t length = strcspn(at, "\n");
        char *line = text_copy_part(at, length);
        if (*line == ' ') {
            roff_text(page, line + strspn(line, " "), "IP");
        } else {
            roff_macro(page, after_text ? "TP" : "TQ", "");
            roff_bold(page, line);
        }
        after_text = *line == ' ';
        free(line);
        at += length + (at[length] == '\n');
    }
}

/* --------------------------------------------------------------------------- of the whole program */

static const struct {
    const char *name, *about;
} codes[] = {
    {"0", "All was done."},
    {"1", "Something failed, or some of several inputs did; messages on stderr say what."},
    {"2", "The command was not understood; nothing was done."},
    {"130", "Ctrl-C or SIGTERM ended it. What was found or learnt until then is kept."},
};

static const struct {
    const char *name, *about;
} variables[] = {
    {"XDG_CACHE_HOME", "Published weights, packed ones and measurements are kept in mrcnn below "
                       "this folder. Without it: ~/.cache/mrcnn."},
    {"MRCNN_SHARE",
     "A folder with models/nuclei.h5 and examples/nucleus, in place of share/mrcnn beside "
     "the program's folder, where they are installed."},
    {"OMP_WAIT_POLICY",
     "Threads that wait do so by spinning for a moment, which is best on a machine "
     "that is otherwise idle. On a busy one `passive` is several times as fast."},
    {"https_proxy", "And what else libcurl knows: the way to published weights."},
    {"TERM", "Progress bars are drawn on terminals, but not if this is `dumb`."},
    {"COLUMNS",
     "How wide the line about a training's progress may be, where a terminal doesn't tell."},
    {"SOURCE_DATE_EPOCH", "The date of the pages that `mrcnn man` writes, in seconds since 1970."},
};

static const char *const files[][2] = {
    {"share/mrcnn", "where mrcnn is installed: the model that comes along, and annotated pictures"},
    {"share/doc/mrcnn/docs", "there, too: what help texts call docs/..."},
    {"~/.cache/mrcnn", "published weights, once they were fetched; packs, weights made ready to "
                       "compute with; tuning.txt, what measurements chose: all of it may be "
                       "deleted"},
    {"logs", "a folder for each training: checkpoints, log.jsonl, a log for TensorBoard"},
};

static void write_surroundings(const roff *page) {
    roff_macro(page, "SH", "EXIT STATUS");
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        roff_item(page, codes[i].name, codes[i].about);
    roff_macro(page, "SH", "ENVIRONMENT");
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        roff_item(page, variables[i].name, variables[i].about);
    roff_macro(page, "SH", "FILES");
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        roff_item(page, files[i][0], files[i][1]);
}

/* ------------------------------------------------------------------------------------- see also */

static int mentions(const command *self, const char *text) {
    if (has_word(self->about, text, strlen(text)) || has_word(self->examples, text, strlen(text)))
        return 1;
    for (const option *row = self->options; row && row->name; row++)
        if (has_word(row->help, text, strlen(text))) return 1;
    return 0;
}

/* The command above, those below, and those that the page talks about. */
static int is_related(const command *self, const command *other) {
    if (self == other) return 0;
    size_t length = strlen(other->path);
    if (strncmp(self->path, other->path, length) == 0 && strchr(" ", self->path[length])) return 1;
    for (size_t i = 0; self->sub && self->sub[i]; i++)
        if (self->sub[i] == other) return 1;
    char *typed = text_format("mrcnn %s", other->path);
    int related = mentions(self, typed);
    free(typed);
    return related;
}

static void list_related(const command *self, const command *from, text_list *names) {
    if (is_related(self, from) || (!*from->path && *self->path))
        text_list_add(names, manual_name(from));
    for (size_t i = 0; from->sub && from->sub[i]; i++) list_related(self, from->sub[i], names);
}

static int takes_keys(const command *self) {
    for (const option *row = self->options; row && row->name; row++)
        if (strcmp(row->name, "set") == 0) return 1;
    return strncmp(self->path, "config", 6) == 0 || !*self->path;
}

static void write_see_also(const roff *page, const command *root, const command *self) {
    text_list names = {0};
    list_related(self, root, &names);
    int keys = takes_keys(self);
    roff_macro(page, "SH", "SEE ALSO");
    for (size_t i = 0; i < names.count; i++)
        write_reference(page, names.items[i], 1, i + 1 < names.count || keys ? "," : "");
    if (keys) write_reference(page, "mrcnn-config", 5, "");
    text_list_free(&names);
}

/* ------------------------------------------------------------------------------------- the page */

void manual_write_command(FILE *out, const command *root, const command *self) {
    roff page = {out, font_of, (void *)self};
    char *name = manual_name(self);
    manual_begin(out, name, 1);
    char *line = text_format("%s - %s", name, self->summary);
    roff_macro(&page, "SH", "NAME");
    roff_text(&page, line, "PP");
    free(line);
    write_synopsis(&page, self);
    roff_macro(&page, "SH", "DESCRIPTION");
    roff_text(&page, self->about, "PP");
    write_commands(&page, self);
    write_options(&page, self);
    if (self == root) write_surroundings(&page);
    write_examples(&page, self);
    write_see_also(&page, root, self);
    free(name);
}
