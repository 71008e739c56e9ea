/* manual_config.c - see manual.h. mrcnn-config(5): the configuration's file, its presets and keys. */
#include "manual.h"

#include <mrcnn/mrcnn.h>

#include <stdlib.h>

static const char about[] =
    "A configuration says what network there is, how pictures are made to fit it, what counts as "
    "a\n"
    "detection, and how to train. Its values come from, in rising order: the defaults, a preset\n"
    "(--preset), the weights (a checkpoint carries its configuration), a YAML file (--config), "
    "and\n"
    "single keys (--set); the later one wins. `mrcnn config show` tells every value and where it "
    "came\n"
    "from.\n"
    "\n"
    "The file is a YAML mapping of keys. The key `preset` chooses the values to start from:\n"
    "\n"
    "  preset: coco\n"
    "  NUM_CLASSES: 3\n"
    "  RPN_ANCHOR_SCALES: [16, 32, 64, 128, 256]\n"
    "  AUGMENTATION:\n"
    "    - Fliplr: 0.5\n"
    "    - Multiply: [0.8, 1.5]\n"
    "\n"
    "An unknown key and a value out of its range are errors. On the command line values are "
    "written\n"
    "as in YAML, on one line: `--set 'RPN_ANCHOR_SCALES=[16, 32, 64, 128, 256]'`.\n";

static const char *const types[][2] = {
    {"int, float", "A number, whole or not."},
    {"bool", "`true` or `false`."},
    {"string", "A word."},
    {"a|b|c", "One of these words."},
    {"ints, floats", "Numbers in brackets: [8, 16, 32]."},
    {"names", "Words in brackets: [one, two]."},
    {"mapping",
     "Names with numbers, in braces: {one: 1, two: 0.5}. One of them is also set alone, as "
     "KEY.one=1."},
    {"operations", "A list of augmentations, each with its parameters: [{Fliplr: 0.5}]."},
};

static void write_key(const roff *page, const mrcnn_config_key *key) {
    roff_macro(page, "TP", "");
    roff_bold(page, key->name);
    roff_text(page, key->help, "IP");
    char *line = text_format("(%s, default %s)", key->type,
                             *key->default_value ? key->default_value : "none");
    roff_macro(page, "br", "");
    roff_text(page, line, "IP");
    free(line);
}

void manual_write_config(FILE *out) {
    roff page = {out, manual_font_of_keys, NULL};
    manual_begin(out, "mrcnn-config", 5);
    fputs(".SH NAME\nmrcnn\\-config \\- configuration keys of mrcnn\n.SH DESCRIPTION\n", out);
    roff_text(&page, about, "PP");
    roff_macro(&page, "SH", "PRESETS");
    const char *name, *help;
    for (size_t i = 0; (name = mrcnn_config_preset(i, &help)); i++)
        roff_item(&page, name, help ? help : "");
    roff_macro(&page, "SH", "VALUES");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        roff_item(&page, types[i][0], types[i][1]);
    roff_macro(&page, "SH", "KEYS");
    const mrcnn_config_key *key;
    for (size_t i = 0; (key = mrcnn_config_key_at(i)); i++) write_key(&page, key);
    fputs(".SH SEE ALSO\n.BR mrcnn (1),\n.BR mrcnn\\-config (1),\n.BR mrcnn\\-train (1)\n", out);
}
