/* data_convert.c - mrcnn data convert: the same annotations in another format. */
#include "data.h"
#include "model.h"
#include "signals.h"

#include <stdlib.h>
#include <string.h>

typedef struct convert_options {
    dataset_options data;
    config_options config;
    const char *subset;
    data_target target;
    const char *as;
} convert_options;

static const option convert_table[] = {
    DATASET_ROWS(convert_options, data),
    {"subset", "NAME,...", OPTION_TEXT, offsetof(convert_options, subset),
     "convert this one alone, or several together (default: train, val and test, as far as they "
     "are "
     "there)",
     0, 0},
    {"to", "FORMAT", OPTION_TEXT, offsetof(convert_options, target.to),
     "the format to write: coco, via, labelme, yolo, voc, png (a mask for each object) or labels "
     "(one picture of numbers for all of them)",
     0, 0},
    {"as", "NAME", OPTION_TEXT, offsetof(convert_options, as),
     "what the written subset is called (default: as it is, or train)", 0, 0},
    TARGET_ROWS(convert_options, target),
    CONFIG_ROWS(convert_options, config),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

static const char *const usual_subsets[] = {"train", "val", "test"};
enum { USUAL = 3 };

/* Subsets that are converted together: they get the same classes. */
typedef struct subsets {
    const char *from[USUAL];      /* NULL: the data sets themselves */
    dataset_options where[USUAL]; /* the data sets that have it */
    mrcnn_dataset *sets[USUAL];
    int count;
    text_list classes; /* of all of them, the first one's first */
} subsets;

static void find_subsets(subsets *all, const dataset_options *data, const char *subset) {
    for (int i = 0; i < USUAL && !subset; i++) {
        dataset_options having = dataset_having(data, usual_subsets[i]);
        if (!having.paths.count) continue;
        all->where[all->count] = having;
        all->from[all->count++] = usual_subsets[i];
    }
    if (all->count) return;
    all->where[0].format = data->format;
    for (size_t i = 0; i < data->paths.count; i++)
        text_list_add(&all->where[0].paths, text_copy(data->paths.items[i]));
    all->from[all->count++] = subset;
}

static void free_subsets(subsets *all) {
    for (int i = 0; i < all->count; i++) {
        mrcnn_dataset_free(&all->sets[i]);
        text_list_free(&all->where[i].paths);
    }
    text_list_free(&all->classes);
}

static int has_name(const text_list *names, const char *name) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0) return 1;
    return 0;
}

static void collect_classes(subsets *all) {
    for (int i = 0; i < all->count; i++)
        for (int c = 0; c < mrcnn_dataset_class_count(all->sets[i]); c++) {
            const char *name = mrcnn_dataset_class_name(all->sets[i], c);
            if (!has_name(&all->classes, name)) text_list_add(&all->classes, text_copy(name));
        }
}

static int has_all_classes(const subsets *all, const mrcnn_dataset *set) {
    if ((size_t)mrcnn_dataset_class_count(set) != all->classes.count) return 0;
    for (size_t c = 0; c < all->classes.count; c++)
        if (strcmp(mrcnn_dataset_class_name(set, (int)c), all->classes.items[c]) != 0) return 0;
    return 1;
}

/* Opens them; again with the names of all classes if they don't have the same ones. */
static int open_subsets(subsets *all, const mrcnn_config *config) {
    int code = EXIT_DONE;
    for (int i = 0; i < all->count && code == EXIT_DONE; i++)
        code = data_open(&all->where[i], config, all->from[i], NULL, &all->sets[i]);
    if (code != EXIT_DONE) return code;
    collect_classes(all);
    text_list_add(&all->classes, NULL); /* the list's end */
    all->classes.count--;
    for (int i = 0; i < all->count && code == EXIT_DONE; i++) {
        if (has_all_classes(all, all->sets[i])) continue;
        mrcnn_dataset_free(&all->sets[i]);
        code = data_open(&all->where[i], config, all->from[i],
                         (const char *const *)all->classes.items, &all->sets[i]);
    }
    return code;
}

static int convert(const convert_options *values, const mrcnn_config *config, subsets *all) {
    int code = open_subsets(all, config);
    for (int i = 0; i < all->count && code == EXIT_DONE; i++) {
        mrcnn_dataset_written written;
        const char *subset = values->as ? values->as : all->from[i] ? all->from[i] : "train";
        code = data_report_problems(all->sets[i]);
        if (code == EXIT_DONE)
            code = data_write(all->sets[i], &values->target, subset, NULL, &written);
    }
    return code;
}

static int check_usage(const command *self, const convert_options *values) {
    int code = dataset_check_given(self, &values->data);
    if (code != EXIT_DONE) return code;
    if (!values->target.to)
        return message_usage(self->path, "--to is missing: the format to write");
    if (!values->target.out)
        return message_usage(self->path, "--out is missing: the folder to write to");
    if (values->subset && strchr(values->subset, ',') && !values->as)
        return message_usage(self->path, "--as is missing: what \"%s\" together are called",
                             values->subset);
    return data_check_format(self, values->target.to);
}

/* One name is for one subset. */
static int check_name(const command *self, const convert_options *values, const subsets *all) {
    if (!values->as || all->count == 1) return EXIT_DONE;
    return message_usage(self->path,
                         "--as names one subset, but there are %d: choose one with --subset",
                         all->count);
}

static int run_convert(const command *self, int argc, char **argv) {
    convert_options values = {0};
    mrcnn_config *config = NULL;
    subsets all = {.count = 0};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    signals_catch();
    code = check_usage(self, &values);
    if (code == EXIT_DONE) code = configure(self, &values.config, &config);
    if (code == EXIT_DONE) find_subsets(&all, &values.data, values.subset);
    if (code == EXIT_DONE) code = check_name(self, &values, &all);
    if (code == EXIT_DONE) code = convert(&values, config, &all);
    free_subsets(&all);
    mrcnn_config_free(&config);
    options_free(self, &values);
    return code;
}

const command command_data_convert = {
    .name = "convert",
    .path = "data convert",
    .summary = "write a data set in another format",
    .usage = "--dataset DIR --to FORMAT --out DIR [OPTION]...",
    .about =
        "Writes the pictures and annotations of a data set in another format. Masks stay as they\n"
        "are, pixel by pixel, as far as the format can say it; what it can't (crowds, ids, "
        "objects\n"
        "behind others) is told. Pictures are copied as they are.",
    .examples = "mrcnn data convert --dataset balloon --to coco --out balloon-coco\n"
                "    VIA's regions as COCO's JSON: training and validation set\n"
                "mrcnn data convert --dataset mine --to labelme --polygons --out to-correct\n"
                "    to look at, and to correct, with labelme",
    .options = convert_table,
    .run = run_convert,
};
