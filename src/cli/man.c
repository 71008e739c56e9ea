/* man.c - mrcnn man: pages of the manual, one on stdout or all into a folder. */
#include "commands.h"
#include "files.h"
#include "manual.h"

#include <stdlib.h>

typedef struct man_options {
    const char *out;
    int keys;
} man_options;

static const option options[] = {
    {"keys", NULL, OPTION_FLAG, offsetof(man_options, keys),
     "the page about the configuration's file and keys, mrcnn-config(5)", 0, 0},
    {"out", "DIR", OPTION_TEXT, offsetof(man_options, out),
     "write all pages instead, into man1 and man5 below this folder", 0, 0},
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

/* One page; `page` is NULL for that of the keys. 0, or -1 after a message. */
static int save(const char *folder, const command *page) {
    char *name = page ? manual_name(page) : text_copy("mrcnn-config");
    int section = page ? 1 : 5;
    char *path = text_format("%s/man%d/%s.%d", folder, section, name, section);
    new_file file;
    int result = new_file_open(&file, path);
    if (result == 0) {
        if (page)
            manual_write_command(file.stream, &command_program, page);
        else
            manual_write_config(file.stream);
        result = new_file_commit(&file);
    }
    free(path);
    free(name);
    return result;
}

static int save_below(const char *folder, const command *page) {
    int result = save(folder, page);
    for (size_t i = 0; page->sub && page->sub[i] && result == 0; i++)
        result = save_below(folder, page->sub[i]);
    return result;
}

static int save_all(const char *folder) {
    char *first = path_join(folder, "man1"), *fifth = path_join(folder, "man5");
    int failed = make_folders(first) != 0 || make_folders(fifth) != 0 || save(folder, NULL) != 0 ||
                 save_below(folder, &command_program) != 0;
    free(fifth);
    free(first);
    return failed ? EXIT_FAILED : EXIT_DONE;
}

static int print(const command *self, const arguments *names, int keys) {
    if (keys && names->count)
        return message_usage(self->path, "--keys is a page of its own: name no command with it");
    if (keys) {
        manual_write_config(stdout);
        return EXIT_DONE;
    }
    const command *page = options_find(&command_program, names->count, names->items);
    if (!page) return EXIT_USAGE;
    manual_write_command(stdout, &command_program, page);
    return EXIT_DONE;
}

static int run(const command *self, int argc, char **argv) {
    man_options values = {0};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    if (values.out && (values.keys || rest.count))
        return message_usage(self->path, "--out writes all pages: name no page with it");
    return values.out ? save_all(values.out) : print(self, &rest, values.keys);
}

const command command_man = {
    .name = "man",
    .path = "man",
    .summary = "print a page of the manual, or write all of them",
    .usage = "[OPTION]... [COMMAND]...",
    .about = "Prints the manual's page about a command, or about the program, for man, groff or\n"
             "mandoc to set. An installed mrcnn has its pages where man looks: `man mrcnn`,\n"
             "`man mrcnn-weights-get`, `man 5 mrcnn-config`; this is for a program that was not\n"
             "installed. They are made from what `mrcnn COMMAND --help` and `mrcnn config keys`\n"
             "print.",
    .examples = "mrcnn man train | man -l -\n"
                "    read about `mrcnn train`\n"
                "mrcnn man --keys | man -l -\n"
                "    every key, as a page\n"
                "mrcnn man --out ~/.local/share/man\n"
                "    all pages, where man finds them",
    .options = options,
    .at_least = 0,
    .at_most = -1,
    .run = run,
};
