/* completion.c - mrcnn completion: what a shell has to read so that Tab completes mrcnn's words. The
 * scripts ask `mrcnn complete` (complete.h) and so know every command, option and key of the program. */
#include "commands.h"
#include "shells.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *script;
} shells[] = {{"bash", shell_bash}, {"zsh", shell_zsh}, {"fish", shell_fish}};

static int run(const command *self, int argc, char **argv) {
    arguments rest;
    int none = 0, code = options_parse(self, argc, argv, &none, &rest);
    if (code != OPTIONS_READ) return code;
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(shells[i].name, rest.items[0]) != 0) continue;
        fputs(shells[i].script, stdout);
        return EXIT_DONE;
    }
    return message_usage(self->path, "there is no script for \"%s\"; there are bash, zsh and fish",
                         rest.items[0]);
}

const command command_completion = {
    .name = "completion",
    .path = "completion",
    .summary = "let the shell complete commands, options and keys",
    .usage = "bash|zsh|fish",
    .about =
        "Prints the script with which a shell completes mrcnn's commands, options, presets,\n"
        "keys, published weights and files when Tab is pressed. An installed mrcnn has put it\n"
        "where shells look for it; this is for a program that was not installed.\n"
        "\n"
        "The scripts ask the program: `mrcnn complete WORD...` prints what the last WORD could\n"
        "become, a line each.",
    .examples = "source <(mrcnn completion bash)\n"
                "    in this shell; in ~/.bashrc: in all of them\n"
                "mrcnn completion zsh > ~/.zfunc/_mrcnn\n"
                "    with fpath+=(~/.zfunc) before compinit in ~/.zshrc\n"
                "mrcnn completion fish > ~/.config/fish/completions/mrcnn.fish\n"
                "    fish reads it when it is needed",
    .at_least = 1,
    .at_most = 1,
    .run = run,
};
