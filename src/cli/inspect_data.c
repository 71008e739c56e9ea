/* inspect_data.c - mrcnn inspect data: what a data set holds, and what is wrong with it. */
#include "inspect_data.h"

#include "data.h"
#include "files.h"
#include "inspect.h"
#include "json.h"
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct data_options {
    set_options set; /* its configuration: how pictures are read, and what training makes of them */
    const char *json;
    int check, full;
    int augment;
    const char *out;
    int64_t seed, draws;
} data_options;

enum { MOST_DRAWS = 32, SHEET_PICTURES = 6, PAGE_PICTURES = 4 };

#define HOW_ROWS                                                                                  \
    {"full",                                                                                      \
     NULL,                                                                                        \
     OPTION_FLAG,                                                                                 \
     offsetof(data_options, full),                                                                \
     "decode all pictures and draw all masks, instead of looking at headers and outlines",        \
     0,                                                                                           \
     0},                                                                                          \
    {                                                                                             \
        "json", "FILE|-", OPTION_TEXT, offsetof(data_options, json),                              \
            "write everything, problems included, as JSON; - is stdout, without the tables", 0, 0 \
    }

static const option data_table[] = {
    DATASET_ROWS(data_options, set.data),
    SUBSET_ROW(data_options, set.subset),
    CLASSES_ROW(data_options, set.classes),
    CONFIG_ROWS(data_options, set.config),
    {"check", NULL, OPTION_FLAG, offsetof(data_options, check),
     "print every problem, and fail if something can't be used", 0, 0},
    HOW_ROWS,
    {"augment", NULL, OPTION_FLAG, offsetof(data_options, augment),
     "draw a contact sheet of pictures as training would see them, instead of checking", 0, 0},
    {"out", "DIR|FILE", OPTION_TEXT, offsetof(data_options, out),
     "write a page with pictures, report.html, into this folder; with --augment: the sheet, .png "
     "or "
     ".jpg (default augment.png)",
     0, 0},
    {"seed", "N", OPTION_INTEGER, offsetof(data_options, seed),
     "which draws of augmentation (default: the configuration's SEED)", 0, INT32_MAX},
    PICTURE_ROWS(data_options, set),
    {"draws", "N", OPTION_INTEGER, offsetof(data_options, draws),
     "how many draws of augmentation of each picture (default 5)", 1, MOST_DRAWS},
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

/* What `data check` takes of them. */
static const option check_table[] = {DATASET_ROWS(data_options, set.data),
                                     SUBSET_ROW(data_options, set.subset),
                                     CLASSES_ROW(data_options, set.classes),
                                     CONFIG_ROWS(data_options, set.config),
                                     HOW_ROWS,
                                     {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

static int keep_problem(void *user, const mrcnn_dataset_problem *problem) {
    findings *found = user;
    if (found->count == found->room) {
        found->room = found->room ? 2 * found->room : 64;
        found->items = text_grow(found->items, found->room, sizeof *found->items);
    }
    found->items[found->count++] =
        (finding){problem->level == MRCNN_PROBLEM_ERROR, text_copy(problem->picture),
                  text_copy(problem->text), problem->object};
    return 0;
}

static void free_findings(findings *found) {
    for (size_t i = 0; i < found->count; i++) {
        free(found->items[i].picture);
        free(found->items[i].text);
    }
    free(found->items);
}

/* -------------------------------------------------------------------------------------- tables */

static void print_problems(const findings *found) {
    for (size_t i = 0; i < found->count; i++) {
        const finding *f = &found->items[i];
        char *picture = text_printable(f->picture), *text = text_printable(f->text);
        printf("%s: %s%s", f->is_error ? "error" : "warning", picture, *picture ? ": " : "");
        if (f->object >= 0) printf("object %lld: ", (long long)f->object);
        printf("%s\n", text);
        free(picture);
        free(text);
    }
    if (found->count) putchar('\n');
}

static void print_range(const char *what, const mrcnn_range *range) {
    printf("%-24s %10.6g %10.6g %10.6g\n", what, range->least, range->median, range->most);
}

static void print_summary(const mrcnn_dataset *set, const mrcnn_dataset_summary *s) {
    printf("%-24s %10s %10s\n", "class", "objects", "pictures");
    for (int i = 1; i < s->class_count; i++) {
        char *name = text_printable(mrcnn_dataset_class_name(set, i));
        printf("%-24s %10zu %10zu\n", name, s->class_objects[i], s->class_pictures[i]);
        free(name);
    }
    printf("\n%-24s %10s %10s %10s\n", "", "min", "median", "max");
    print_range("picture width", &s->picture_width);
    print_range("picture height", &s->picture_height);
    print_range("object width", &s->object_width);
    print_range("object height", &s->object_height);
    print_range("objects in a picture", &s->objects_per_picture);
    printf("\n%zu pictures with %zu objects can be used\n", s->pictures, s->objects);
    if (s->without_objects) printf("%zu pictures have no objects\n", s->without_objects);
    if (s->pictures_left_out) printf("%zu pictures are left out\n", s->pictures_left_out);
    if (s->objects_left_out) printf("%zu objects are left out\n", s->objects_left_out);
    if (s->points) printf("%zu points, which have no area, are not used\n", s->points);
    printf("%zu errors, %zu warnings\n", s->errors, s->warnings);
}

static void print_tables(const mrcnn_dataset *set, const mrcnn_dataset_summary *summary,
                         const findings *found, int with_problems) {
    const char *file = mrcnn_dataset_annotations(set);
    char *shown = text_printable(file ? file : "generated pictures");
    printf("%s: %s\n\n", mrcnn_dataset_format(set), shown);
    free(shown);
    if (with_problems) print_problems(found);
    print_summary(set, summary);
    if (!with_problems && summary->errors + summary->warnings)
        printf("--check says which they are\n");
}

/* ---------------------------------------------------------------------------------------- JSON */

static void put_range(json *out, const char *key, const mrcnn_range *range) {
    json_key(out, key);
    json_begin(out, '[');
    json_real(out, range->least, 7);
    json_real(out, range->median, 7);
    json_real(out, range->most, 7);
    json_end(out, ']');
}

static void put_classes(json *out, const mrcnn_dataset *set, const mrcnn_dataset_summary *s) {
    json_key(out, "classes");
    json_begin(out, '[');
    for (int i = 1; i < s->class_count; i++) {
        json_begin(out, '{');
        json_put_integer(out, "id", (size_t)i);
        json_put_text(out, "name", mrcnn_dataset_class_name(set, i));
        json_put_integer(out, "objects", s->class_objects[i]);
        json_put_integer(out, "pictures", s->class_pictures[i]);
        json_end(out, '}');
    }
    json_end(out, ']');
}

static void put_problems(json *out, const findings *found) {
    json_key(out, "problems");
    json_begin(out, '[');
    for (size_t i = 0; i < found->count; i++) {
        const finding *f = &found->items[i];
        json_begin(out, '{');
        json_put_text(out, "level", f->is_error ? "error" : "warning");
        json_put_text(out, "file_name", *f->picture ? f->picture : NULL);
        json_key(out, "object");
        if (f->object >= 0)
            json_integer(out, f->object);
        else
            json_null(out);
        json_put_text(out, "text", f->text);
        json_end(out, '}');
    }
    json_end(out, ']');
}

static void write_json(FILE *stream, const mrcnn_dataset *set, const mrcnn_dataset_summary *s,
                       const findings *found) {
    json out = {stream, 0, 0, 0, 2};
    json_begin(&out, '{');
    json_put_text(&out, "format", mrcnn_dataset_format(set));
    json_put_text(&out, "annotations", mrcnn_dataset_annotations(set));
    json_put_integer(&out, "pictures", s->pictures);
    json_put_integer(&out, "objects", s->objects);
    json_put_integer(&out, "pictures_without_objects", s->without_objects);
    json_put_integer(&out, "pictures_left_out", s->pictures_left_out);
    json_put_integer(&out, "objects_left_out", s->objects_left_out);
    json_put_integer(&out, "points", s->points);
    json_put_integer(&out, "errors", s->errors);
    json_put_integer(&out, "warnings", s->warnings);
    put_range(&out, "picture_width", &s->picture_width);
    put_range(&out, "picture_height", &s->picture_height);
    put_range(&out, "object_width", &s->object_width);
    put_range(&out, "object_height", &s->object_height);
    put_range(&out, "objects_in_a_picture", &s->objects_per_picture);
    put_classes(&out, set, s);
    put_problems(&out, found);
    json_end(&out, '}');
}

static int save_json(const char *path, const mrcnn_dataset *set, const mrcnn_dataset_summary *s,
                     const findings *found) {
    new_file file;
    if (strcmp(path, "-") == 0) {
        write_json(stdout, set, s, found);
        return EXIT_DONE;
    }
    if (new_file_open(&file, path) != 0) return EXIT_FAILED;
    write_json(file.stream, set, s, found);
    return new_file_commit(&file) == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* ----------------------------------------------------------------------------------- the command */

/* Pictures that are looked at closely: those that were named, or some of the set. */
static int choose(const data_options *values, const mrcnn_dataset *set, int64_t usual,
                  size_t **indices, size_t *count) {
    set_options options = values->set;
    if (options.count == 0) options.count = usual;
    return set_choose(&options, set, indices, count);
}

static int write_page(const data_options *values, const mrcnn_config *config,
                      const mrcnn_dataset *set, const mrcnn_dataset_summary *summary,
                      const findings *found) {
    show s;
    size_t *indices = NULL;
    data_view view = {set, config, summary, found, NULL, 0, (int)values->draws};
    char *names = dataset_names(&values->set.data), *title = text_format("Data set: %s", names);
    int code = choose(values, set, PAGE_PICTURES, &indices, &view.count);
    view.indices = indices;
    if (code == EXIT_DONE) code = show_open(&s, values->out, title);
    if (code == EXIT_DONE) {
        data_show_counts(&s, &view);
        data_show_sizes(&s, &view);
        data_show_problems(&s, &view);
        data_show_samples(&s, &view);
        data_show_augmentation(&s, &view);
        code = show_close(&s, code, values->out);
    }
    free(indices);
    free(title);
    free(names);
    return code;
}

static int look_over(const data_options *values, const mrcnn_config *config,
                     const mrcnn_dataset *set) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_check_options options = mrcnn_dataset_check_options_default();
    mrcnn_dataset_summary *summary = NULL;
    findings found = {0};
    int code = EXIT_DONE;
    options.full = values->full;
    options.report = keep_problem;
    options.progress = progress_or_stop;
    options.user = &found;
    progress_start("checking", PROGRESS_ITEMS);
    mrcnn_status status = mrcnn_dataset_check(set, &options, &summary, &err);
    progress_end();
    if (status != MRCNN_OK) {
        code = fail_with(&err);
    } else {
        if (!values->json || strcmp(values->json, "-") != 0)
            print_tables(set, summary, &found, values->check);
        if (values->json) code = save_json(values->json, set, summary, &found);
        if (code == EXIT_DONE && values->out && summary->pictures)
            code = write_page(values, config, set, summary, &found);
        if (summary->pictures == 0 || (values->check && summary->errors)) code = EXIT_FAILED;
    }
    mrcnn_dataset_summary_free(&summary);
    free_findings(&found);
    return code;
}

static int make_sheet(const data_options *values, const mrcnn_config *config,
                      const mrcnn_dataset *set) {
    size_t *indices = NULL, count = 0;
    int code = choose(values, set, SHEET_PICTURES, &indices, &count);
    if (code == EXIT_DONE)
        code = write_sheet(set, config, indices, count, (int)values->draws,
                           values->out ? values->out : "augment.png");
    free(indices);
    return code;
}

static int set_seed(const data_options *values, mrcnn_config *config) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    char seed[24];
    if (values->seed < 0) return EXIT_DONE;
    snprintf(seed, sizeof seed, "%lld", (long long)values->seed);
    return mrcnn_config_set(config, "SEED", seed, &err) == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

static int run(const command *self, int argc, char **argv, int check) {
    data_options values = {.check = check, .seed = -1, .draws = 5};
    arguments rest;
    mrcnn_config *config = NULL;
    mrcnn_dataset *set = NULL;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    code = dataset_check_given(self, &values.set.data);
    if (code == EXIT_DONE) code = configure(self, &values.set.config, &config);
    if (code == EXIT_DONE) code = set_seed(&values, config);
    if (code == EXIT_DONE) code = set_open(self, &values.set, config, NULL, &set);
    if (code == EXIT_DONE)
        code = values.augment ? make_sheet(&values, config, set) : look_over(&values, config, set);
    mrcnn_dataset_free(&set);
    mrcnn_config_free(&config);
    options_free(self, &values);
    return code;
}

static int run_data(const command *self, int argc, char **argv) {
    return run(self, argc, argv, 0);
}

static int run_check(const command *self, int argc, char **argv) {
    return run(self, argc, argv, 1);
}

const command command_data_check = {
    .name = "check",
    .path = "data check",
    .summary = "name what is wrong with a data set",
    .usage = "--dataset DIR [OPTION]...",
    .about =
        "Names what can't be used for training, and what is worth a look: pictures that are\n"
        "missing or broken, objects that lie outside of their picture or have no area, classes\n"
        "that are not known. It fails when something can't be used; training would leave it out.\n"
        "This is `mrcnn inspect data --check`.",
    .examples = "mrcnn data check --dataset balloon\n"
                "    the pictures in balloon/train\n"
                "mrcnn data check --dataset balloon --subset val --classes balloon --full\n"
                "    the validation set, every pixel of it, with the training set's classes",
    .options = check_table,
    .run = run_check,
};

const command command_inspect_data = {
    .name = "data",
    .path = "inspect data",
    .summary = "look a data set over before training on it",
    .usage = "--dataset DIR [OPTION]...",
    .about =
        "Says how many pictures and objects of each class a data set has and how large they are.\n"
        "With --check it names what is wrong: pictures that are missing or broken, objects that\n"
        "lie outside of their picture or have no area, classes that are not known. It fails when\n"
        "something can't be used; training would leave it out. Pictures of other channels than "
        "RGB\n"
        "need the keys that they are trained with (IMAGE_CHANNEL_COUNT, IMAGE_VALUE_RANGE).\n"
        "\n"
        "With --augment it draws what training would see: each row is a picture, first without "
        "any\n"
        "draw, then as AUGMENTATION, HORIZONTAL_FLIP, MOSAIC and random crops make it.\n"
        "\n"
        "With --out DIR it writes a page of all that: classes and sizes as charts, what is wrong, "
        "and\n"
        "a few pictures with their masks, as the network sees them, with mini masks and "
        "augmentation.",
    .examples =
        "mrcnn inspect data --dataset balloon --out balloon-data\n"
        "    a page; open balloon-data/report.html\n"
        "mrcnn inspect data --dataset balloon --check\n"
        "    the pictures in balloon/train\n"
        "mrcnn inspect data --dataset balloon --subset val --classes balloon --check --full\n"
        "    the validation set, every pixel of it, with the training set's classes\n"
        "mrcnn inspect data --dataset nuclei --augment --preset nucleus --out sheet.png\n"
        "    what the nucleus preset's augmentation does to pictures and masks",
    .options = data_table,
    .run = run_data,
};
