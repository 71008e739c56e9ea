/* plot.c - mrcnn plot: curves of one or several trainings from the logs they wrote. */
#include "plot.h"

#include "commands.h"

#include <string.h>
#include <strings.h>

typedef struct plot_options {
    const char *out, *csv;
    unsigned what;
    int x, log, dark;
    int64_t smooth;
} plot_options;

static const option options[] = {
    {"out", "FILE", OPTION_TEXT, offsetof(plot_options, out),
     "draw the curves into a .png, .svg or .pdf file", 0, 0},
    {"what", PLOT_WORDS, OPTION_CHOICES, offsetof(plot_options, what),
     "what to draw: the whole loss, its five parts, average precision, the learning rate, pictures "
     "a "
     "second, the gradient's norm (default: all that the logs have)",
     0, 0},
    {"x", "epoch|step|time", OPTION_CHOICE, offsetof(plot_options, x),
     "what the curves run over; time is that of the steps, without validation (default epoch)", 0,
     0},
    {"smooth", "N", OPTION_INTEGER, offsetof(plot_options, smooth),
     "average what is logged at each step over about N steps, as a moving average whose weights "
     "fall "
     "exponentially; 1 doesn't (default: a hundredth of the run's steps)",
     1, 1000000000},
    {"log", NULL, OPTION_FLAG, offsetof(plot_options, log), "draw losses on a logarithmic axis", 0,
     0},
    {"dark", NULL, OPTION_FLAG, offsetof(plot_options, dark), "light lines on dark paper", 0, 0},
    {"csv", "FILE|-", OPTION_TEXT, offsetof(plot_options, csv),
     "write all numbers of the logs as a table, a row for each step and each epoch; - is stdout, "
     "in "
     "place of the summary",
     0, 0},
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

/* Before anything is read: a name that can't be drawn to. */
static int check_out(const command *self, const char *path) {
    const char *extension = path ? path_extension(path) : ".png";
    if (strcasecmp(extension, ".png") == 0 || strcasecmp(extension, ".svg") == 0 ||
        strcasecmp(extension, ".pdf") == 0)
        return EXIT_DONE;
    return message_usage(self->path, "--out %s: the name must end in .png, .svg or .pdf", path);
}

static int plot(const plot_options *o, const arguments *logs) {
    plot_runs runs = {0, NULL};
    plot_style style = {o->what, (plot_x)o->x, o->smooth, o->log, o->dark};
    int code = plot_read(&runs, logs->items, logs->count);
    if (code == EXIT_DONE && o->out) code = plot_draw(&runs, &style, o->out);
    if (code == EXIT_DONE && o->csv) code = plot_write_csv(&runs, o->csv);
    if (code == EXIT_DONE && !(o->csv && strcmp(o->csv, "-") == 0)) plot_print(&runs);
    plot_runs_free(&runs);
    return code;
}

static int run_plot(const command *self, int argc, char **argv) {
    plot_options values;
    arguments rest;
    memset(&values, 0, sizeof values);
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    code = check_out(self, values.out);
    if (code == EXIT_DONE) code = plot(&values, &rest);
    options_free(self, &values);
    return code;
}

const command command_plot = {
    .name = "plot",
    .path = "plot",
    .summary = "draw the curves of trainings, and say what became of them",
    .usage = "[OPTION]... LOG...",
    .about =
        "Reads what trainings wrote down (log.jsonl), prints a summary of each run, and draws its\n"
        "curves. LOG is a run's folder, its log.jsonl, or a folder of runs. Of several runs each "
        "has\n"
        "its own colour. A training that still runs may be looked at, too.\n"
        "\n"
        "Losses of steps are drawn smoothed; of one run those of epochs' validation lie over them "
        "in\n"
        "another colour, of several runs in the same one, dashed. What is no finite number is a "
        "gap.",
    .examples = "mrcnn plot logs/balloon20261121T0356 --out curves.png\n"
                "    everything that the run has\n"
                "mrcnn plot logs --what loss,ap --out runs.svg\n"
                "    all runs in a folder, one over the other\n"
                "mrcnn plot logs/balloon20261121T0356 --csv - > numbers.csv\n"
                "    for a spreadsheet",
    .options = options,
    .at_least = 1,
    .at_most = -1,
    .run = run_plot,
};
