/* data_split.c - mrcnn data split: one data set as a training and a validation set. */
#include "data.h"
#include "model.h"
#include "signals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct split_options {
    dataset_options data;
    config_options config;
    const char *subset;
    data_target target;
    const char *val, *test;
    int64_t seed;
} split_options;

static const option split_table[] = {
    DATASET_ROWS(split_options, data),
    {"subset", "NAME,...", OPTION_TEXT, offsetof(split_options, subset),
     "a part of DIR to split, or several together (default: DIR itself if it has annotations, else "
     "train)",
     0, 0},
    {"val", "SHARE", OPTION_TEXT, offsetof(split_options, val),
     "how much of it becomes the validation set (default 0.2)", 0, 0},
    {"test", "SHARE", OPTION_TEXT, offsetof(split_options, test),
     "how much of it becomes a test set (default 0)", 0, 0},
    {"seed", "N", OPTION_INTEGER, offsetof(split_options, seed),
     "which one of the many ways to split (default 0); the same seed splits alike everywhere", 0,
     INT64_MAX},
    {"to", "FORMAT", OPTION_TEXT, offsetof(split_options, target.to),
     "the format to write (default: that of the set if it can be written, else coco)", 0, 0},
    TARGET_ROWS(split_options, target),
    CONFIG_ROWS(split_options, config),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

enum { TRAIN, VAL, TEST, PARTS };
static const char *const part_names[PARTS] = {"train", "val", "test"};

static int read_share(const command *self, const char *option, const char *text, double *share) {
    char *end;
    if (!text) return EXIT_DONE;
    *share = strtod(text, &end);
    if (end == text || *end || !(*share >= 0 && *share < 1))
        return message_usage(self->path, "--%s: \"%s\" is no share: a number from 0 to below 1",
                             option, text);
    return EXIT_DONE;
}

static int read_shares(const command *self, const split_options *values, double shares[PARTS]) {
    shares[VAL] = 0.2;
    shares[TEST] = 0;
    int code = read_share(self, "val", values->val, &shares[VAL]);
    if (code == EXIT_DONE) code = read_share(self, "test", values->test, &shares[TEST]);
    if (code != EXIT_DONE) return code;
    shares[TRAIN] = 1 - shares[VAL] - shares[TEST];
    if (shares[TRAIN] > 1e-9) return EXIT_DONE;
    return message_usage(self->path, "--val %g and --test %g leave nothing to train on",
                         shares[VAL], shares[TEST]);
}

/* ---------------------------------------------------------------------------------- the report */

typedef struct tally {
    size_t pictures[PARTS];
    size_t *objects; /* classes x PARTS */
} tally;

/* Pictures that can't be read were left out, with a message. */
static tally count_parts(const mrcnn_dataset *set, const uint8_t *parts) {
    size_t classes = (size_t)mrcnn_dataset_class_count(set);
    tally t = {{0}, text_grow(NULL, classes * PARTS, sizeof *t.objects)};
    memset(t.objects, 0, classes * PARTS * sizeof *t.objects);
    for (size_t i = 0; i < mrcnn_dataset_count(set); i++) {
        mrcnn_objects objects = {0};
        if (mrcnn_dataset_objects(set, i, &objects, NULL) != MRCNN_OK) continue;
        t.pictures[parts[i]]++;
        for (size_t k = 0; k < objects.count; k++)
            t.objects[(size_t)objects.items[k].class_id * PARTS + parts[i]]++;
        mrcnn_objects_free(&objects);
    }
    return t;
}

static void print_row(const char *name, const size_t *counts) {
    char *shown = text_printable(name);
    printf("%-24s", shown);
    for (int p = 0; p < PARTS; p++) printf(" %8zu", counts[p]);
    putchar('\n');
    free(shown);
}

static void print_tally(const mrcnn_dataset *set, const uint8_t *parts) {
    tally t = count_parts(set, parts);
    printf("\n%-24s", "objects");
    for (int p = 0; p < PARTS; p++) printf(" %8s", part_names[p]);
    putchar('\n');
    for (int c = 1; c < mrcnn_dataset_class_count(set); c++)
        print_row(mrcnn_dataset_class_name(set, c), t.objects + (size_t)c * PARTS);
    print_row("pictures", t.pictures);
    free(t.objects);
}

/* --------------------------------------------------------------------------------- the command */

static int write_parts(const mrcnn_dataset *set, const data_target *target, const uint8_t *parts) {
    size_t count = mrcnn_dataset_count(set);
    uint8_t *chosen = text_grow(NULL, count, 1);
    int code = EXIT_DONE;
    for (int p = 0; p < PARTS && code == EXIT_DONE; p++) {
        mrcnn_dataset_written written;
        for (size_t i = 0; i < count; i++) chosen[i] = parts[i] == p;
        if (memchr(chosen, 1, count))
            code = data_write(set, target, part_names[p], chosen, &written);
    }
    free(chosen);
    return code;
}

static int split(const split_options *values, const mrcnn_config *config,
                 const double shares[PARTS]) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset *set = NULL;
    data_target target = values->target;
    int code = data_open(&values->data, config, values->subset, NULL, &set);
    if (code == EXIT_DONE) code = data_report_problems(set);
    if (code != EXIT_DONE) {
        mrcnn_dataset_free(&set);
        return code;
    }
    if (!target.to)
        target.to = data_can_write(mrcnn_dataset_format(set)) ? mrcnn_dataset_format(set) : "coco";
    uint8_t *parts = text_grow(NULL, mrcnn_dataset_count(set), 1);
    if (mrcnn_dataset_split(set, shares, PARTS, (uint64_t)values->seed, parts, &err) != MRCNN_OK)
        code = fail_with(&err);
    if (code == EXIT_DONE) code = write_parts(set, &target, parts);
    if (code == EXIT_DONE) print_tally(set, parts);
    free(parts);
    mrcnn_dataset_free(&set);
    return code;
}

static int run_split(const command *self, int argc, char **argv) {
    split_options values = {0};
    double shares[PARTS];
    mrcnn_config *config = NULL;
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    signals_catch();
    code = dataset_check_given(self, &values.data);
    if (code == EXIT_DONE && !values.target.out)
        code = message_usage(self->path, "--out is missing: the folder to write to");
    if (code == EXIT_DONE && values.target.to) code = data_check_format(self, values.target.to);
    if (code == EXIT_DONE) code = read_shares(self, &values, shares);
    if (code == EXIT_DONE) code = configure(self, &values.config, &config);
    if (code == EXIT_DONE) code = split(&values, config, shares);
    mrcnn_config_free(&config);
    options_free(self, &values);
    return code;
}

const command command_data_split = {
    .name = "split",
    .path = "data split",
    .summary = "divide a data set into training and validation set",
    .usage = "--dataset DIR --out DIR [OPTION]...",
    .about =
        "Divides the pictures of a data set so that each part has its share of the objects of\n"
        "each class, of rare ones too, and writes the parts as the subsets train, val and test.\n"
        "A picture goes into one part as a whole.",
    .examples = "mrcnn data split --dataset mine --out divided --val 0.2 --seed 1\n"
                "    then `mrcnn train --dataset divided`\n"
                "mrcnn data split --dataset mine --out divided --val 0.15 --test 0.15 --to coco\n"
                "    three parts, in another format",
    .options = split_table,
    .run = run_split,
};
