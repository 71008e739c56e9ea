/* inspect_anchors.c - mrcnn inspect anchors: how many there are on which level, what they look like in a
 * picture, and which objects they can meet. */
#include "inspect.h"
#include "inspect_set.h"
#include "progress.h"
#include "show.h"
#include "signals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct anchors_options {
    set_options set;
    const char *out;
} anchors_options;

static const option anchors_table[] = {
    DATASET_ROWS(anchors_options, set.data),
    SUBSET_ROW(anchors_options, set.subset),
    CLASSES_ROW(anchors_options, set.classes),
    CONFIG_ROWS(anchors_options, set.config),
    PICTURE_ROWS(anchors_options, set),
    {"out", "DIR", OPTION_TEXT, offsetof(anchors_options, out),
     "write a page with pictures, report.html, and its figures as report.json", 0, 0},
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

typedef struct look {
    const command *self;
    const anchors_options *o;
    mrcnn_config *config;
    mrcnn_dataset *set; /* NULL: none was given */
    mrcnn_anchors anchors;
    mrcnn_anchor_report report;
    int has_report;
} look;

/* --------------------------------------------------------------------------------------- stdout */

static const char *const sizes[MRCNN_ANCHOR_SIZES] = {"small", "medium", "large", "all"};

static void print_levels(const mrcnn_anchors *a) {
    printf("input %d x %d\n\n%-6s %8s %10s %8s %10s\n", a->width, a->height, "level", "stride",
           "cells", "scale", "anchors");
    for (int l = 0; l < a->level_count; l++) {
        const mrcnn_anchor_level *level = &a->levels[l];
        char cells[32];
        snprintf(cells, sizeof cells, "%d x %d", level->rows, level->columns);
        printf("P%-5d %8d %10s %8.6g %10zu\n", l + 2, level->stride, cells, level->scale,
               level->count);
    }
    printf("%-6s %39zu\n", "all", a->count);
}

static void print_recall(const mrcnn_anchor_report *r) {
    printf("\n%-8s %8s %12s %12s\n", "objects", "", "IoU >= 0.5", "IoU >= 0.7");
    for (int i = 0; i < MRCNN_ANCHOR_SIZES; i++)
        printf("%-8s %8zu %12.3f %12.3f\n", sizes[i], r->recall[i].objects, r->recall[i].at50,
               r->recall[i].at70);
    if (r->is_better) printf("`mrcnn data stats` prints anchors that meet more\n");
}

/* ----------------------------------------------------------------------------------------- page */

static void show_levels(show *s, const mrcnn_anchors *a) {
    static const char *const columns[] = {"level", "stride",  "rows",    "columns",
                                          "scale", "anchors", "share, %"};
    mrcnn_cell cells[7 * MRCNN_MOST_LEVELS];
    show_section(
        s, "anchors", "Anchors",
        "The boxes that the region proposal network begins with: on each level of the pyramid "
        "one for each ratio in each cell.");
    show_count(s, "total", "Anchors", a->count);
    show_count(s, "levels", "Levels", (size_t)a->level_count);
    show_count(s, "ratios", "Ratios, anchors in a cell", (size_t)a->ratio_count);
    show_figure(s, "width", "Width of the input", a->width, "px");
    show_figure(s, "height", "Height of the input", a->height, "px");
    for (int l = 0; l < a->level_count; l++) {
        const mrcnn_anchor_level *level = &a->levels[l];
        mrcnn_cell *row = cells + 7 * l;
        row[0] = show_cell(s, "P%d", l + 2);
        row[1] = mrcnn_cell_number(level->stride, 0);
        row[2] = mrcnn_cell_number(level->rows, 0);
        row[3] = mrcnn_cell_number(level->columns, 0);
        row[4] = mrcnn_cell_number(level->scale, -1);
        row[5] = mrcnn_cell_number((double)level->count, 0);
        row[6] = mrcnn_cell_number(100.0 * (double)level->count / (double)a->count, 2);
    }
    show_table(s, "by_level", "By level", columns, 7, cells, (size_t)a->level_count);
}

static void show_shapes(show *s, const mrcnn_anchors *a) {
    static const char *const columns[] = {"level", "ratio, width / height", "width, px",
                                          "height, px"};
    size_t rows = (size_t)a->level_count * (size_t)a->ratio_count, row = 0;
    mrcnn_cell *cells = text_grow(NULL, rows, 4 * sizeof *cells);
    for (int l = 0; l < a->level_count; l++)
        for (int r = 0; r < a->ratio_count; r++, row++) {
            double root = sqrt(a->ratios[r]);
            cells[4 * row] = show_cell(s, "P%d", l + 2);
            cells[4 * row + 1] = mrcnn_cell_number(a->ratios[r], -1);
            cells[4 * row + 2] = mrcnn_cell_number(a->levels[l].scale * root, -1);
            cells[4 * row + 3] = mrcnn_cell_number(a->levels[l].scale / root, -1);
        }
    show_table(s, "shapes", "Shapes", columns, 4, cells, rows);
    free(cells);
}

/* The anchors of the middle cell of each level, as in matterport's notebook on data. */
static void show_middle(show *s, const mrcnn_anchors *a, const mrcnn_image *image, const char *name,
                        const char *caption) {
    mrcnn_mark marks[MRCNN_MOST_LEVELS * MRCNN_MOST_RATIOS];
    char captions[MRCNN_MOST_LEVELS][32];
    size_t count = 0;
    for (int l = 0; l < a->level_count; l++) {
        const mrcnn_anchor_level *level = &a->levels[l];
        double color[3];
        mrcnn_class_color(l + 1, color);
        snprintf(captions[l], sizeof captions[l], "P%d %.6g", l + 2, level->scale);
        size_t cell =
            (size_t)(level->rows / 2) * (size_t)level->columns + (size_t)(level->columns / 2);
        for (int r = 0; r < a->ratio_count; r++) {
            const double *b = a->boxes[level->first + cell * (size_t)a->ratio_count + (size_t)r];
            marks[count++] = (mrcnn_mark){.y1 = b[0],
                                          .x1 = b[1],
                                          .y2 = b[2],
                                          .x2 = b[3],
                                          .red = color[0],
                                          .green = color[1],
                                          .blue = color[2],
                                          .alpha = 1,
                                          .line = MRCNN_LINE_SOLID,
                                          .caption = r == 0 ? captions[l] : NULL};
        }
    }
    show_marks(s, name, caption, image, marks, count);
}

/* Pictures in the network's frame; of other sizes than the first they have anchors of their own. */
static void show_on_pictures(show *s, look *k, const size_t *indices, size_t count) {
    for (size_t i = 0; i < count; i++) {
        mrcnn_error err = MRCNN_ERROR_INIT;
        mrcnn_image image = {0};
        mrcnn_result *result = NULL;
        mrcnn_anchors own = {0};
        char name[32], *id = set_name(k->set, indices[i]);
        snprintf(name, sizeof name, "anchors-%zu", i);
        mrcnn_status status =
            mrcnn_dataset_sample(k->set, k->config, indices[i], -1, &image, &result, &err);
        if (status == MRCNN_OK && result)
            status = mrcnn_anchors_make(&own, k->config, image.height, image.width, &err);
        if (!show_failed(s, status, &err) && result) show_middle(s, &own, &image, name, id);
        mrcnn_anchors_free(&own);
        mrcnn_image_free(&image);
        mrcnn_result_free(&result);
        free(id);
    }
}

static void show_on_paper(show *s, const mrcnn_anchors *a) {
    size_t bytes = 3 * (size_t)a->height * (size_t)a->width;
    mrcnn_image paper = {a->width, a->height, 3, text_grow(NULL, bytes, 1)};
    memset(paper.pixels, 96, bytes);
    show_middle(s, a, &paper, "anchors-0", "An input of the configuration's size");
    free(paper.pixels);
}

static void show_coverage(show *s, const mrcnn_anchor_report *r) {
    static const char *const columns[] = {
        "size of the box",    "objects",           "IoU 0.5", "IoU 0.7",
        "suggested, IoU 0.5", "suggested, IoU 0.7"};
    mrcnn_cell cells[6 * MRCNN_ANCHOR_SIZES];
    size_t width = r->is_better ? 6 : 4;
    const mrcnn_anchor_recall *all = &r->recall[MRCNN_ANCHOR_ALL];
    show_section(
        s, "coverage", "Coverage of the objects",
        "The share of the data set's objects that the best anchor meets with an IoU of 0.5 or "
        "0.7, once pictures have the network's size. Small boxes are below 32 x 32 pixels of the "
        "input, large ones have 96 x 96 or more.");
    show_count(s, "objects", "Objects", all->objects);
    show_figure(s, "at50", "Met at IoU 0.5", all->at50, NULL);
    show_figure(s, "at70", "Met at IoU 0.7", all->at70, NULL);
    for (int i = 0; i < MRCNN_ANCHOR_SIZES; i++) {
        mrcnn_cell *row = cells + width * (size_t)i;
        row[0] = mrcnn_cell_text(sizes[i]);
        row[1] = mrcnn_cell_number((double)r->recall[i].objects, 0);
        row[2] = mrcnn_cell_number(r->recall[i].at50, 3);
        row[3] = mrcnn_cell_number(r->recall[i].at70, 3);
        if (!r->is_better) continue;
        row[4] = mrcnn_cell_number(r->better_recall[i].at50, 3);
        row[5] = mrcnn_cell_number(r->better_recall[i].at70, 3);
    }
    show_table(s, "recall", "Objects met", columns, width, cells, MRCNN_ANCHOR_SIZES);
}

static char *list_numbers(const double *numbers, int count) {
    char *text = text_copy("[");
    for (int i = 0; i < count; i++) {
        char *longer = text_format("%s%s%.6g", text, i ? ", " : "", numbers[i]);
        free(text);
        text = longer;
    }
    char *whole = text_format("%s]", text);
    free(text);
    return whole;
}

static void show_suggestion(show *s, const mrcnn_anchor_report *r) {
    if (r->is_better) {
        char *scales = list_numbers(r->better_scales, r->scale_count);
        char *ratios = list_numbers(r->better_ratios, r->ratio_count);
        show_note(
            s, MRCNN_TONE_WARNING,
            "Other anchors would meet more: RPN_ANCHOR_SCALES: %s, RPN_ANCHOR_RATIOS: %s. Weights "
            "that were trained with others have to learn them.",
            scales, ratios);
        free(scales);
        free(ratios);
    } else {
        show_note(s, MRCNN_TONE_GOOD, "No anchors were found that meet clearly more.");
    }
}

static int write_page(look *k) {
    show s;
    size_t *indices = NULL, count = 0;
    int code = k->set ? set_choose(&k->o->set, k->set, &indices, &count) : EXIT_DONE;
    if (code == EXIT_DONE) code = show_open(&s, k->o->out, "Anchors");
    if (code == EXIT_DONE) {
        show_levels(&s, &k->anchors);
        show_shapes(&s, &k->anchors);
        show_section(
            &s, "middle", "The anchors of one cell",
            "Those of the cell in the middle of each level, over a picture as the network sees "
            "it. Anchors are neither clipped nor left out at the borders.");
        if (k->set)
            show_on_pictures(&s, k, indices, count);
        else
            show_on_paper(&s, &k->anchors);
        if (k->has_report) {
            show_coverage(&s, &k->report);
            show_suggestion(&s, &k->report);
        }
        code = show_close(&s, code, k->o->out);
    }
    free(indices);
    return code;
}

/* ----------------------------------------------------------------------------------- the command */

static int measure(look *k) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_anchor_options options = mrcnn_anchor_options_default();
    options.progress = progress_or_stop;
    progress_start("anchors", PROGRESS_ITEMS);
    mrcnn_status status = mrcnn_anchors_suggest(k->set, k->config, &options, &k->report, &err);
    progress_end();
    if (status != MRCNN_OK) return fail_with(&err);
    k->has_report = 1;
    return EXIT_DONE;
}

static int inspect(look *k) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    int code = configure(k->self, &k->o->set.config, &k->config);
    if (code == EXIT_DONE && k->o->set.data.paths.count)
        code = set_open(k->self, &k->o->set, k->config, NULL, &k->set);
    if (code == EXIT_DONE && mrcnn_anchors_make(&k->anchors, k->config, 0, 0, &err) != MRCNN_OK)
        code = fail_with(&err);
    if (code == EXIT_DONE && k->set) code = measure(k);
    if (code != EXIT_DONE) return code;
    print_levels(&k->anchors);
    if (k->has_report) print_recall(&k->report);
    return k->o->out ? write_page(k) : EXIT_DONE;
}

static int run(const command *self, int argc, char **argv) {
    anchors_options values = {.set = {.count = 2}};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    look k = {.self = self, .o = &values};
    signals_catch();
    code = inspect(&k);
    mrcnn_anchors_free(&k.anchors);
    mrcnn_dataset_free(&k.set);
    mrcnn_config_free(&k.config);
    options_free(self, &values);
    return code;
}

const command command_inspect_anchors = {
    .name = "anchors",
    .path = "inspect anchors",
    .summary = "the boxes that the network begins with, and which objects they meet",
    .usage = "[--dataset DIR] [OPTION]...",
    .about =
        "Counts the anchors of each level of the pyramid (261,888 in all at 1024 x 1024 pixels).\n"
        "With --dataset it also says how many of the objects they can meet with an IoU of 0.5 and\n"
        "0.7, by size. With --out DIR it writes a page that shows the anchors of one cell of each\n"
        "level over pictures of the data set.",
    .examples = "mrcnn inspect anchors\n"
                "    of the default configuration\n"
                "mrcnn inspect anchors --dataset nuclei --preset nucleus --out anchors\n"
                "    with a data set's objects; open anchors/report.html",
    .options = anchors_table,
    .run = run,
};
