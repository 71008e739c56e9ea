/* inspect_weights.c - mrcnn inspect weights: what matterport's notebook on weights shows, as a table on
 * stdout and as a page. */
#include "inspect.h"
#include "files.h"
#include "model.h"
#include "show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct weights_options {
    const char *weights, *out;
} weights_options;

static const option weights_table[] = {
    {"weights", "FILE|NAME", OPTION_TEXT, offsetof(weights_options, weights),
     "a Keras .h5 file, or a published name (coco), which is fetched once and kept", 0, 0},
    {"out", "DIR", OPTION_TEXT, offsetof(weights_options, out),
     "write a page with histograms, report.html, and its figures as report.json", 0, 0},
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

/* ---------------------------------------------------------------------------------------- names */

/* "(3, 3, 64, 128)"; malloc'ed. */
static char *shape_of(const mrcnn_weights_tensor *tensor) {
    char *text = text_copy("(");
    for (int i = 0; i < tensor->rank; i++) {
        char *longer = text_format("%s%s%lld", text, i ? ", " : "", (long long)tensor->shape[i]);
        free(text);
        text = longer;
    }
    char *whole = text_format("%s%s", text, tensor->rank == 1 ? ",)" : ")");
    free(text);
    return whole;
}

/* matterport's words, then ours; malloc'ed, "" when all is well. */
static char *flags_of(const mrcnn_weight_summary *s) {
    char nan[64] = "", infinite[64] = "";
    if (s->nan) snprintf(nan, sizeof nan, " %zu NaN", s->nan);
    if (s->infinite) snprintf(infinite, sizeof infinite, " %zu infinite", s->infinite);
    char *text = text_format("%s%s%s%s", s->is_dead ? " dead?" : "",
                             s->is_overflow ? " Overflow?" : "", nan, infinite);
    char *flags = text_copy(*text ? text + 1 : text);
    free(text);
    return flags;
}

/* --------------------------------------------------------------------------------------- stdout */

static void print_tensor(const mrcnn_weights_tensor *t, const mrcnn_weight_summary *s) {
    char *name = text_format("%s/%s", t->layer, t->name), *clean = text_printable(name);
    char *shape = shape_of(t), *flags = flags_of(s);
    printf("%-36s %-20s %+10.4f %+10.4f %+10.4f %9.4f%s%s\n", clean, shape, s->least, s->greatest,
           s->mean, s->deviation, *flags ? "  *** " : "", flags);
    free(name);
    free(clean);
    free(shape);
    free(flags);
}

/* ----------------------------------------------------------------------------------------- page */

weights_health weights_measure(const mrcnn_weights *weights) {
    weights_health h = {0};
    for (; mrcnn_weights_at(weights, h.tensors); h.tensors++) {
        h.summaries = text_grow(h.summaries, h.tensors + 1, sizeof *h.summaries);
        mrcnn_weight_summary *s = &h.summaries[h.tensors];
        (void)mrcnn_weights_summarize(weights, h.tensors, s, NULL); /* there is such a tensor */
        h.values += s->count;
        h.dead += (size_t)s->is_dead;
        h.overflow += (size_t)s->is_overflow;
        h.not_finite += s->nan + s->infinite;
    }
    return h;
}

void weights_show_health(show *s, const weights_health *h) {
    show_count(s, "tensors", "Tensors", h->tensors);
    show_count(s, "values", "Values", h->values);
    show_count(s, "dead", "dead?", h->dead);
    show_count(s, "overflow", "Overflow?", h->overflow);
    show_count(s, "not_finite", "Values that are not finite", h->not_finite);
    if (h->not_finite)
        show_note(
            s, MRCNN_TONE_BAD,
            "Some values are no finite numbers: the training that wrote them diverged. Take an "
            "earlier checkpoint.");
    if (h->dead)
        show_note(
            s, MRCNN_TONE_WARNING,
            "A tensor is marked \"dead?\" when all its values are the same, as matterport's "
            "notebook does. Batch norms that nobody trained (gamma 1, beta 0, mean 0, variance 1) "
            "are; kernels should never be.");
    if (h->overflow)
        show_note(
            s, MRCNN_TONE_WARNING,
            "A tensor is marked \"Overflow?\" when a value is beyond 1000 in size, as matterport's "
            "notebook does. Variances of a pretrained backbone's first batch norms may well be.");
}

enum { COLUMNS = 8 };
static const char *const columns[COLUMNS] = {"tensor", "marks", "shape", "min",
                                             "max",    "mean",  "std",   "histogram"};

static void fill_row(show *s, mrcnn_cell *row, const mrcnn_weights_tensor *t,
                     const mrcnn_weight_summary *summary, double *bars) {
    char *shape = shape_of(t), *flags = flags_of(summary);
    for (int i = 0; i < MRCNN_WEIGHT_BARS; i++) bars[i] = (double)summary->bars[i];
    row[0] = show_cell(s, "%s/%s", t->layer, t->name);
    row[1] = show_cell(s, "%s", flags);
    row[1].tone = summary->nan || summary->infinite ? MRCNN_TONE_BAD : MRCNN_TONE_WARNING;
    row[2] = show_cell(s, "%s", shape);
    row[3] = mrcnn_cell_number(summary->least, -1);
    row[4] = mrcnn_cell_number(summary->greatest, -1);
    row[5] = mrcnn_cell_number(summary->mean, -1);
    row[6] = mrcnn_cell_number(summary->deviation, -1);
    row[7] = mrcnn_cell_bars(bars, MRCNN_WEIGHT_BARS);
    free(shape);
    free(flags);
}

void weights_show_table(show *s, const char *key, const char *title, const mrcnn_weights *weights,
                        const weights_health *h, int only_flagged) {
    mrcnn_cell *cells = text_grow(NULL, h->tensors + 1, COLUMNS * sizeof *cells);
    double *bars = text_grow(NULL, h->tensors + 1, MRCNN_WEIGHT_BARS * sizeof *bars);
    size_t rows = 0;
    for (size_t i = 0; i < h->tensors; i++) {
        const mrcnn_weight_summary *m = &h->summaries[i];
        if (only_flagged && !m->is_dead && !m->is_overflow && !m->nan && !m->infinite) continue;
        fill_row(s, cells + rows * COLUMNS, mrcnn_weights_at(weights, i), m,
                 bars + rows * MRCNN_WEIGHT_BARS);
        rows++;
    }
    if (rows) show_table(s, key, title, columns, COLUMNS, cells, rows);
    free(cells);
    free(bars);
}

/* A chart for each kernel of the heads and the pyramid, which training changes most. */
static int is_charted(const mrcnn_weights_tensor *t) {
    static const char *const starts[] = {"conv1", "fpn_", "rpn_", "mrcnn_"};
    if (strcmp(t->name, "kernel") != 0) return 0;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncmp(t->layer, starts[i], strlen(starts[i])) == 0) return 1;
    return 0;
}

static void show_kernel(show *s, const mrcnn_weights_tensor *t, const mrcnn_weight_summary *m,
                        size_t index) {
    double x[MRCNN_WEIGHT_BARS], y[MRCNN_WEIGHT_BARS];
    double width = (m->greatest - m->least) / MRCNN_WEIGHT_BARS;
    for (int i = 0; i < MRCNN_WEIGHT_BARS; i++) {
        x[i] = m->least + width * (i + 0.5);
        y[i] = (double)m->bars[i];
    }
    mrcnn_series bars = {
        .kind = MRCNN_SERIES_BARS, .count = MRCNN_WEIGHT_BARS, .x = x, .y = y, .color = -1};
    mrcnn_chart chart = mrcnn_chart_default();
    chart.x_label = "value";
    chart.y_label = "weights";
    chart.count = 1;
    chart.series = &bars;
    chart.width = 480;
    chart.height = 260;
    char *caption = text_format("%s/%s", t->layer, t->name);
    char *name = text_format("weights-%zu", index); /* layers may have any name */
    if (width > 0) show_chart(s, name, caption, &chart);
    free(caption);
    free(name);
}

static int write_page(const weights_options *values, const char *path, const mrcnn_weights *weights,
                      const weights_health *h) {
    show s;
    char *file = path_name(path), *title = text_format("Weights: %s", file);
    int code = show_open(&s, values->out, title);
    if (code == EXIT_DONE) {
        show_section(
            &s, "weights", "All tensors",
            "Each tensor of the file with the signs that matterport's notebook looks for.");
        weights_show_health(&s, h);
        weights_show_table(&s, "marked", "Tensors with a mark", weights, h, 1);
        weights_show_table(&s, "table", "All tensors", weights, h, 0);
        show_section(
            &s, "histograms", "Histograms",
            "How the values of the kernels of conv1, the pyramid, the RPN and the heads are "
            "spread. The table above has a small one of every tensor.");
        for (size_t i = 0; i < h->tensors; i++)
            if (is_charted(mrcnn_weights_at(weights, i)))
                show_kernel(&s, mrcnn_weights_at(weights, i), &h->summaries[i], i);
        code = show_close(&s, code, values->out);
    }
    free(file);
    free(title);
    return code;
}

/* ----------------------------------------------------------------------------------- the command */

static int inspect(const weights_options *values) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_weights *weights = NULL;
    char *path = find_weights(values->weights, NULL, NULL);
    if (!path) return EXIT_FAILED;
    int code = EXIT_DONE;
    if (mrcnn_weights_open(&weights, path, &err) != MRCNN_OK) code = fail_with(&err);
    if (code == EXIT_DONE) {
        weights_health h = weights_measure(weights);
        printf("%-36s %-20s %10s %10s %10s %9s\n", "weight", "shape", "min", "max", "mean", "std");
        for (size_t i = 0; i < h.tensors; i++)
            print_tensor(mrcnn_weights_at(weights, i), &h.summaries[i]);
        printf("\n%zu tensors, %zu values; dead? %zu, Overflow? %zu, not finite: %zu values\n",
               h.tensors, h.values, h.dead, h.overflow, h.not_finite);
        if (values->out) code = write_page(values, path, weights, &h);
        free(h.summaries);
    }
    mrcnn_weights_free(&weights);
    free(path);
    return code;
}

static int run(const command *self, int argc, char **argv) {
    weights_options values = {0};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    if (!values.weights)
        return message_usage(self->path, "--weights is missing: a .h5 file, or a published name");
    return inspect(&values);
}

const command command_inspect_weights = {
    .name = "weights",
    .path = "inspect weights",
    .summary = "look weights over: ranges, histograms, signs of trouble",
    .usage = "--weights W [--out DIR]",
    .about =
        "Prints least, greatest and mean value and standard deviation of each tensor, with the "
        "marks\n"
        "of matterport's notebook: \"dead?\" when all values are the same (except for biases of\n"
        "convolutions), \"Overflow?\" when one is beyond 1000 in size; and how many values are NaN "
        "or\n"
        "infinite, which no model can be made of. With --out also a page with histograms.",
    .examples = "mrcnn inspect weights --weights mine.h5 | grep '[*]'\n"
                "    what looks unhealthy\n"
                "mrcnn inspect weights --weights coco --out coco-weights\n"
                "    a page: coco-weights/report.html",
    .options = weights_table,
    .run = run,
};
