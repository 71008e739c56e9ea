/* inspect_data_page.c - the page of `mrcnn inspect data`: classes, sizes, problems. */
#include "inspect_data.h"
#include "progress.h"
#include "signals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PROBLEMS = 300, MOST_BARS = 40, BINS = 40 };

/* -------------------------------------------------------------------------------------- classes */

typedef struct class_count {
    const char *name;
    size_t objects;
} class_count;

static int by_falling_count(const void *a, const void *b) {
    const class_count *x = a, *y = b;
    return x->objects < y->objects ? 1 : x->objects > y->objects ? -1 : strcmp(x->name, y->name);
}

/* The most frequent ones first; of many classes only these. */
static void show_class_chart(show *s, const data_view *v) {
    size_t all = (size_t)v->summary->class_count - 1, count = all < MOST_BARS ? all : MOST_BARS;
    class_count *classes = text_grow(NULL, all + 1, sizeof *classes);
    const char *names[MOST_BARS];
    double values[MOST_BARS];
    for (size_t i = 0; i < all; i++)
        classes[i] = (class_count){mrcnn_dataset_class_name(v->set, (int)i + 1),
                                   v->summary->class_objects[i + 1]};
    qsort(classes, all, sizeof *classes, by_falling_count);
    for (size_t i = 0; i < count; i++) {
        names[i] = classes[i].name;
        values[i] = (double)classes[i].objects;
    }
    char *caption = count < all ? text_format("Objects of the %zu most frequent classes", count)
                                : text_copy("Objects of each class");
    if (count > 1) show_bars(s, "classes", caption, "objects", names, values, count);
    free(caption);
    free(classes);
}

static void show_class_table(show *s, const data_view *v) {
    static const char *const columns[] = {"class", "id", "objects", "pictures"};
    size_t count = (size_t)v->summary->class_count - 1;
    mrcnn_cell *cells = text_grow(NULL, count + 1, 4 * sizeof *cells);
    for (size_t i = 0; i < count; i++) {
        cells[4 * i] = mrcnn_cell_text(mrcnn_dataset_class_name(v->set, (int)i + 1));
        cells[4 * i + 1] = mrcnn_cell_number((double)(i + 1), 0);
        cells[4 * i + 2] = mrcnn_cell_number((double)v->summary->class_objects[i + 1], 0);
        cells[4 * i + 3] = mrcnn_cell_number((double)v->summary->class_pictures[i + 1], 0);
        if (!v->summary->class_objects[i + 1]) cells[4 * i + 2].tone = MRCNN_TONE_WARNING;
    }
    show_table(s, "classes", "Classes", columns, 4, cells, count);
    free(cells);
}

void data_show_counts(show *s, const data_view *v) {
    const mrcnn_dataset_summary *m = v->summary;
    const char *file = mrcnn_dataset_annotations(v->set);
    show_section(s, "data", "Pictures and objects", "What can be used for training.");
    show_text(s, "Format %s: %s", mrcnn_dataset_format(v->set),
              file ? file : "generated pictures, or a file a picture");
    show_count(s, "pictures", "Pictures", m->pictures);
    show_count(s, "objects", "Objects", m->objects);
    show_count(s, "classes_count", "Classes", (size_t)m->class_count - 1);
    show_count(s, "crowds", "Crowds, of the objects", m->crowds);
    show_count(s, "without_objects", "Pictures without objects", m->without_objects);
    show_count(s, "pictures_left_out", "Pictures left out", m->pictures_left_out);
    show_count(s, "objects_left_out", "Objects left out", m->objects_left_out);
    show_count(s, "errors", "Errors", m->errors);
    show_count(s, "warnings", "Warnings", m->warnings);
    show_class_chart(s, v);
    show_class_table(s, v);
}

/* ---------------------------------------------------------------------------------------- sizes */

typedef struct sizes {
    size_t pictures, objects;
    double *widths, *heights, *per_picture; /* of pictures */
    double *sides, *ratios; /* of boxes: side of a square as large, width / height */
} sizes;

static void add_picture(sizes *z, const mrcnn_objects *objects) {
    z->widths = text_grow(z->widths, z->pictures + 1, sizeof(double));
    z->heights = text_grow(z->heights, z->pictures + 1, sizeof(double));
    z->per_picture = text_grow(z->per_picture, z->pictures + 1, sizeof(double));
    z->widths[z->pictures] = objects->width;
    z->heights[z->pictures] = objects->height;
    z->per_picture[z->pictures++] = (double)objects->count;
    z->sides = text_grow(z->sides, z->objects + objects->count + 1, sizeof(double));
    z->ratios = text_grow(z->ratios, z->objects + objects->count + 1, sizeof(double));
    for (size_t i = 0; i < objects->count; i++) {
        const mrcnn_object *o = &objects->items[i];
        double height = o->y2 - o->y1, width = o->x2 - o->x1;
        if (o->is_crowd || height <= 0 || width <= 0) continue;
        z->sides[z->objects] = sqrt(height * width);
        z->ratios[z->objects++] = width / height;
    }
}

/* Pictures that can't be measured are among the problems. */
static void measure(sizes *z, const data_view *v) {
    size_t count = mrcnn_dataset_count(v->set);
    progress_start("measuring", PROGRESS_ITEMS);
    for (size_t i = 0; i < count && !signals_came(); i++) {
        mrcnn_objects objects = {0};
        progress_show(i, count);
        if (mrcnn_dataset_objects(v->set, i, &objects, NULL) == MRCNN_OK) add_picture(z, &objects);
        mrcnn_objects_free(&objects);
    }
    progress_end();
}

static void fill_range(show *s, mrcnn_cell *row, const char *what, const mrcnn_range *range) {
    row[0] = show_cell(s, "%s", what);
    row[1] = mrcnn_cell_number(range->least, -1);
    row[2] = mrcnn_cell_number(range->median, -1);
    row[3] = mrcnn_cell_number(range->most, -1);
}

static void show_ranges(show *s, const mrcnn_dataset_summary *m) {
    static const char *const columns[] = {"", "min", "median", "max"};
    mrcnn_cell cells[20];
    fill_range(s, cells, "picture width", &m->picture_width);
    fill_range(s, cells + 4, "picture height", &m->picture_height);
    fill_range(s, cells + 8, "object width", &m->object_width);
    fill_range(s, cells + 12, "object height", &m->object_height);
    fill_range(s, cells + 16, "objects in a picture", &m->objects_per_picture);
    show_table(s, "ranges", "Ranges, in pixels of the pictures", columns, 4, cells, 5);
}

/* Width and height as two lines of steps would cross too often: one histogram each. */
void data_show_sizes(show *s, const data_view *v) {
    sizes z = {0};
    measure(&z, v);
    show_section(s, "sizes", "Sizes", "Of pictures, and of the boxes of objects, in pixels.");
    show_ranges(s, v->summary);
    show_histogram(s, "picture-widths", "Widths of pictures", "pixels", z.widths, z.pictures, BINS);
    show_histogram(s, "picture-heights", "Heights of pictures", "pixels", z.heights, z.pictures,
                   BINS);
    show_histogram(s, "objects-per-picture", "Objects in a picture", "objects", z.per_picture,
                   z.pictures, BINS);
    show_histogram(s, "object-sides", "Objects: side of a square as large as the box", "pixels",
                   z.sides, z.objects, BINS);
    show_histogram(s, "object-ratios", "Objects: width / height of the box", "width / height",
                   z.ratios, z.objects, BINS);
    free(z.widths);
    free(z.heights);
    free(z.per_picture);
    free(z.sides);
    free(z.ratios);
}

/* ------------------------------------------------------------------------------------- problems */

void data_show_problems(show *s, const data_view *v) {
    static const char *const columns[] = {"level", "picture", "object", "problem"};
    size_t all = v->found->count, count = all < MOST_PROBLEMS ? all : MOST_PROBLEMS;
    mrcnn_cell *cells = text_grow(NULL, count + 1, 4 * sizeof *cells);
    show_section(s, "problems", "Problems",
                 "Errors can't be used and are left out; warnings are worth a look.");
    if (!all) show_note(s, MRCNN_TONE_GOOD, "None were found.");
    for (size_t i = 0; i < count; i++) {
        const finding *f = &v->found->items[i];
        cells[4 * i] = mrcnn_cell_text(f->is_error ? "error" : "warning");
        cells[4 * i].tone = f->is_error ? MRCNN_TONE_BAD : MRCNN_TONE_WARNING;
        cells[4 * i + 1] = mrcnn_cell_text(f->picture);
        cells[4 * i + 2] = mrcnn_cell_number(f->object >= 0 ? (double)f->object : NAN, 0);
        cells[4 * i + 3] = mrcnn_cell_text(f->text);
    }
    if (all) show_table(s, "problems", "What was found", columns, 4, cells, count);
    if (count < all)
        show_text(s, "%zu more: `mrcnn inspect data --check` prints all of them.", all - count);
    free(cells);
}
