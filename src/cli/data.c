/* data.c - mrcnn data: looking at annotated pictures before training on them, and changing their
 * format. What its commands share is here. */
#include "data.h"

#include "commands.h"
#include "model.h"
#include "progress.h"
#include "signals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SHOWN = 20 };

int data_open(const dataset_options *data, const mrcnn_config *config, const char *subset,
              const char *const *names, mrcnn_dataset **set) {
    mrcnn_image_options image = mrcnn_config_image_options(config);
    mrcnn_dataset_options options = mrcnn_dataset_options_default();
    options.image = &image;
    options.class_names = names;
    options.keep_empty = 1;
    return dataset_open(data, subset, &options, set);
}

/* ------------------------------------------------------------------------------------ problems */

static int show_problem(void *user, const mrcnn_dataset_problem *problem) {
    size_t *count = user;
    if (signals_came()) return 1;
    if (problem->level != MRCNN_PROBLEM_ERROR || (*count)++ >= MOST_SHOWN) return 0;
    message("%s%s%s", problem->picture, *problem->picture ? ": " : "", problem->text);
    return 0;
}

int data_report_problems(const mrcnn_dataset *set) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_dataset_summary *summary = NULL;
    mrcnn_dataset_check_options options = mrcnn_dataset_check_options_default();
    size_t count = 0;
    options.report = show_problem;
    options.progress = progress_or_stop;
    options.user = &count;
    progress_start("checking", PROGRESS_ITEMS);
    mrcnn_status status = mrcnn_dataset_check(set, &options, &summary, &err);
    progress_end();
    if (count > MOST_SHOWN)
        message("%zu more problems: `mrcnn data check` names them", count - MOST_SHOWN);
    mrcnn_dataset_summary_free(&summary);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

/* ------------------------------------------------------------------------------------- writing */

int data_can_write(const char *format) {
    for (size_t i = 0; mrcnn_dataset_writer(i); i++)
        if (strcmp(mrcnn_dataset_writer(i), format) == 0) return 1;
    return 0;
}

int data_check_format(const command *self, const char *to) {
    text_nearest nearest = text_nearest_start(to);
    char *known = text_copy("");
    int code = EXIT_DONE;
    for (size_t i = 0; mrcnn_dataset_writer(i); i++) {
        char *longer = text_format("%s%s%s", known, i ? ", " : "", mrcnn_dataset_writer(i));
        text_nearest_offer(&nearest, mrcnn_dataset_writer(i));
        free(known);
        known = longer;
    }
    if (!data_can_write(to))
        code = nearest.best
                   ? message_usage(self->path, "--to: there is no \"%s\"; did you mean %s?", to,
                                   nearest.best)
                   : message_usage(self->path, "--to: there is no \"%s\"; there are %s", to, known);
    free(known);
    return code;
}

static void show_lost(void *user, const char *what, size_t count) {
    const data_target *target = user;
    message("%s can't say %s (%zu of them): that is lost", target->to, what, count);
}

static void show_left_out(void *user, const char *text) {
    (void)user;
    message("left out: %s", text);
}

int data_write(const mrcnn_dataset *set, const data_target *target, const char *subset,
               const uint8_t *chosen, mrcnn_dataset_written *written) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    data_target told = *target;
    mrcnn_dataset_write_options options = mrcnn_dataset_write_options_default();
    options.format = target->to;
    options.subset = subset;
    options.pictures = (mrcnn_write_pictures)target->pictures;
    options.polygons = target->polygons;
    options.chosen = chosen;
    options.progress = progress_or_stop;
    options.lost = show_lost;
    options.left_out = show_left_out;
    options.user = &told;
    progress_start(subset, PROGRESS_ITEMS);
    mrcnn_status status = mrcnn_dataset_write(set, target->out, &options, written, &err);
    progress_end();
    if (status != MRCNN_OK) return fail_with(&err);
    char *folder = text_printable(target->out);
    printf("%s: %zu pictures with %zu objects, as %s in %s\n", subset, written->pictures,
           written->objects, target->to, folder);
    free(folder);
    if (written->pictures_left_out || written->objects_left_out)
        message("%s: %zu pictures and %zu objects are left out", subset, written->pictures_left_out,
                written->objects_left_out);
    return EXIT_DONE;
}

/* ---------------------------------------------------------------------------------- the command */

static const command *const subcommands[] = {&command_data_check, &command_data_stats,
                                             &command_data_convert, &command_data_split, NULL};

const command command_data = {
    .name = "data",
    .path = "data",
    .summary = "look at a data set, change its format, split it",
    .usage = "COMMAND [OPTION]...",
    .about = "What there is to do between annotating pictures and training on them.",
    .examples = "mrcnn data check --dataset mine\n"
                "    what can't be used, picture by picture\n"
                "mrcnn data stats --dataset mine\n"
                "    how many, how large, and which anchors fit\n"
                "mrcnn data split --dataset mine --out divided --val 0.2 --seed 1\n"
                "    a training set and a validation set",
    .sub = subcommands,
};
