/* main.c - the program's entry: the table of commands, --version, and the last look at stdout. */
#include "commands.h"
#include "complete.h"

#include <mrcnn/mrcnn.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const command *const commands[] = {
    &command_detect,  &command_splash, &command_train,   &command_eval,       &command_data,
    &command_weights, &command_config, &command_inspect, &command_quantize,   &command_plot,
    &command_bench,   &command_demo,   &command_man,     &command_completion, NULL};

static const option main_options[] = {
    {"version", NULL, OPTION_FLAG, 0, "print the version and what this build contains", 0, 0},
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

const command command_program = {
    .name = "mrcnn",
    .path = "",
    .summary = "find objects in pictures with Mask R-CNN",
    .usage = "COMMAND [OPTION]... [ARGUMENT]...",
    .about =
        "Finds objects in pictures with Mask R-CNN: a box, a class, a score and a mask for\n"
        "each. Reads the Keras weights of matterport/Mask_RCNN. There is no Python in it.\n"
        "\n"
        "Results go to stdout and to files, messages to stderr. The exit code is 0 when all was\n"
        "done, 1 when something failed, 2 when the command was not understood.\n"
        "`mrcnn COMMAND --help` explains a command.",
    .examples = "mrcnn demo\n"
                "    see it find and learn, on pictures that come along\n"
                "mrcnn detect cells.png\n"
                "    cell nuclei, by the model that comes along\n"
                "mrcnn detect --weights coco --out found photo.jpg\n"
                "    find people, cars, cats and 77 other things in a photo",
    .options = main_options,
    .sub = commands,
};

static int print_version(void) {
    printf("mrcnn %s\n", mrcnn_version());
    for (size_t i = 0;; i++) {
        mrcnn_build_item item = mrcnn_build_info(i);
        if (!item.name) return EXIT_DONE;
        if (strcmp(item.name, "mrcnn") != 0) printf("  %-14s %s\n", item.name, item.value);
    }
}

/* `mrcnn help detect` means `mrcnn detect --help`. */
static int print_help_of(int argc, char **argv) {
    static char help[] = "--help";
    char *moved[8];
    int count = 0;
    while (count < argc && count < 6) {
        moved[count] = argv[count];
        count++;
    }
    moved[count++] = help;
    return options_dispatch(&command_program, count, moved);
}

static int run(int argc, char **argv) {
    if (argc > 0 && strcmp(argv[0], "--version") == 0) return print_version();
    if (argc > 0 && strcmp(argv[0], "help") == 0) return print_help_of(argc - 1, argv + 1);
    if (argc > 0 && strcmp(argv[0], "complete") == 0)
        return complete_print(&command_program, argc - 1, argv + 1);
    return options_dispatch(&command_program, argc, argv);
}

/* A full disk behind `mrcnn ... > file` is found out here. */
static int close_stdout(int code) {
    errno = 0;
    int failed = ferror(stdout);
    if (fclose(stdout) != 0) failed = 1;
    if (!failed) return code;
    message("standard output: can't write it: %s", errno ? strerror(errno) : "the write failed");
    return code == EXIT_DONE ? EXIT_FAILED : code;
}

int main(int argc, char **argv) {
    return close_stdout(run(argc - 1, argv + 1));
}
