/* inspect_targets.c - mrcnn inspect targets: what training would have the network answer for some
 * pictures. */
#include "inspect_targets.h"

#include "inspect.h"
#include "progress.h"
#include "signals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct targets_options {
    set_options set;
    model_options model; /* its config is not used: that of `set` is */
    session_options session;
    const char *out;
    int64_t draw, seed;
    int validation;
} targets_options;

static const option targets_table[] = {
    DATASET_ROWS(targets_options, set.data),
    SUBSET_ROW(targets_options, set.subset),
    CLASSES_ROW(targets_options, set.classes),
    CONFIG_ROWS(targets_options, set.config),
    {"weights", "FILE|NAME", OPTION_TEXT, offsetof(targets_options, model.weights),
     "take RoIs that this network proposes, and tell what it loses (default: random RoIs, most of "
     "them "
     "around objects)",
     0, 0},
    PICTURE_ROWS(targets_options, set),
    {"draw", "N", OPTION_INTEGER, offsetof(targets_options, draw),
     "the first draw, from 0: step s of a training with batches of b pictures has draws (s - 1) b "
     "to "
     "s b - 1 (default 0)",
     0, INT32_MAX},
    {"seed", "N", OPTION_INTEGER, offsetof(targets_options, seed),
     "the training's SEED (default: the configuration's)", 0, INT32_MAX},
    {"validation", NULL, OPTION_FLAG, offsetof(targets_options, validation),
     "pictures as validation sees them: not shuffled, mirrored or augmented", 0, 0},
    {"out", "DIR", OPTION_TEXT, offsetof(targets_options, out),
     "write a page with pictures, report.html, and its figures as report.json", 0, 0},
    SESSION_ROWS(targets_options, session),
    {NULL, NULL, OPTION_FLAG, 0, NULL, 0, 0}};

typedef struct look {
    const command *self;
    targets_options *o;
    mrcnn_config *config;
    mrcnn_model *model; /* NULL: none was given */
    mrcnn_dataset *set;
    mrcnn_target_maker *maker;
    target_sums sums;
    mrcnn_targets **targets; /* of each picture; NULL where there is nothing to learn */
    size_t count;
} look;

/* -------------------------------------------------------------------------------------- opening */

static int set_seed(look *k) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    char seed[24];
    if (k->o->seed < 0) return EXIT_DONE;
    snprintf(seed, sizeof seed, "%lld", (long long)k->o->seed);
    return mrcnn_config_set(k->config, "SEED", seed, &err) == MRCNN_OK ? EXIT_DONE
                                                                       : fail_with(&err);
}

/* With a network its classes count, and its configuration. */
static int open_both(look *k) {
    const char *weights = k->o->model.weights;
    int code = EXIT_DONE;
    if (!weights) return set_open(k->self, &k->o->set, k->config, NULL, &k->set);
    if (strcmp(weights, "none") == 0) code = set_class_count(k->self, &k->o->set, k->config);
    if (code == EXIT_DONE) code = open_model(k->self, &k->o->model, NULL, k->config, &k->model);
    return code == EXIT_DONE ? set_open_for(k->self, &k->o->set, k->model, &k->set) : code;
}

static int open_maker(look *k) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_target_options options = mrcnn_target_options_default();
    options.threads = (int)k->o->session.threads;
    options.executor = k->o->session.executor ? "reference" : "cpu";
    options.validation = k->o->validation;
    mrcnn_status status =
        mrcnn_target_maker_create(&k->maker, k->set, k->config, k->model, &options, &err);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

/* --------------------------------------------------------------------------------------- making */

static void print_targets(const look *k, const mrcnn_targets *t) {
    char *id = set_name(k->set, t->picture);
    printf("%-32s %8zu %8zu %8zu %8zu %8zu", id, t->object_count, t->positive_anchors,
           t->anchor_count - t->positive_anchors, t->positive_rois,
           t->roi_count - t->positive_rois);
    if (t->are_proposals) printf(" %9.4f", t->losses.total);
    putchar('\n');
    free(id);
}

static int make_one(look *k, size_t picture, int64_t draw, size_t place) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_target_maker_make(k->maker, picture, draw, &k->targets[place], &err) != MRCNN_OK)
        return fail_with(&err);
    if (!k->targets[place]) {
        k->sums.nothing++;
        return EXIT_DONE;
    }
    target_sums_add(&k->sums, k->targets[place]);
    print_targets(k, k->targets[place]);
    return EXIT_DONE;
}

/* Those that were named, or those that training takes from --draw on. */
static int make_all(look *k) {
    size_t *indices = NULL;
    int named = k->o->set.pictures.count > 0;
    int code = set_choose(&k->o->set, k->set, &indices, &k->count);
    if (code != EXIT_DONE) return code;
    if (!named) k->count = (size_t)k->o->set.count;
    k->targets = text_grow(NULL, k->count + 1, sizeof(mrcnn_targets *));
    memset(k->targets, 0, (k->count + 1) * sizeof(mrcnn_targets *));
    k->sums.class_count = mrcnn_dataset_class_count(k->set);
    k->sums.class_rois = text_grow(NULL, (size_t)k->sums.class_count, sizeof(double));
    for (int i = 0; i < k->sums.class_count; i++) k->sums.class_rois[i] = 0;
    printf("%-32s %8s %8s %8s %8s %8s%s\n", "picture", "objects", "anchors+", "anchors-", "RoIs+",
           "RoIs-", k->model ? "      loss" : "");
    for (size_t i = 0; i < k->count && code == EXIT_DONE; i++) {
        int64_t draw = k->o->draw + (int64_t)i;
        size_t picture = named ? indices[i] : mrcnn_target_maker_picture(k->maker, draw);
        code = signals_came() ? EXIT_INTERRUPTED : make_one(k, picture, draw, i);
    }
    free(indices);
    return code;
}

static void print_sums(const target_sums *sums) {
    printf("\nRoIs are %s\n", sums->are_proposals ? "the network's proposals"
                                                  : "random, nine out of ten around objects");
    printf(
        "%zu of %zu objects are met by no anchor with IoU >= 0.7, %zu by no RoI with IoU >= 0.5\n",
        sums->objects - sums->objects_in_reach, sums->objects,
        sums->objects - sums->objects_proposed);
    if (sums->nothing) printf("%zu pictures have nothing to learn from\n", sums->nothing);
    size_t blank = sums->empty_masks + sums->full_masks;
    if (sums->positive_rois && blank == sums->positive_rois)
        printf("warning: all mask targets are blank: each is all 0 or all 1\n");
    else
        printf("%zu of %zu mask targets are all 0, %zu all 1\n", sums->empty_masks,
               sums->positive_rois, sums->full_masks);
}

static int write_page(look *k) {
    show s;
    int code = show_open(&s, k->o->out, "Training targets");
    if (code != EXIT_DONE) return code;
    targets_show_summary(&s, &k->sums, k->set);
    for (size_t i = 0; i < k->count; i++)
        if (k->targets[i]) targets_show_picture(&s, k->targets[i], k->set);
    return show_close(&s, code, k->o->out);
}

/* ----------------------------------------------------------------------------------- the command */

static int inspect(look *k) {
    int code = configure(k->self, &k->o->set.config, &k->config);
    if (code == EXIT_DONE) code = set_seed(k);
    if (code == EXIT_DONE) code = open_both(k);
    if (code == EXIT_DONE) code = open_maker(k);
    if (code == EXIT_DONE) code = make_all(k);
    if (code != EXIT_DONE) return code;
    print_sums(&k->sums);
    return k->o->out ? write_page(k) : EXIT_DONE;
}

static int run(const command *self, int argc, char **argv) {
    targets_options values = {.set = {.count = 4}, .seed = -1};
    arguments rest;
    int code = options_parse(self, argc, argv, &values, &rest);
    if (code != OPTIONS_READ) return code;
    look k = {.self = self, .o = &values};
    values.model.classes = values.set.classes;
    signals_catch();
    code = dataset_check_given(self, &values.set.data);
    if (code == EXIT_DONE) code = inspect(&k);
    for (size_t i = 0; k.targets && i < k.count; i++) mrcnn_targets_free(&k.targets[i]);
    free(k.targets);
    target_sums_free(&k.sums);
    mrcnn_target_maker_free(&k.maker);
    mrcnn_dataset_free(&k.set);
    mrcnn_model_free(&k.model);
    mrcnn_config_free(&k.config);
    options_free(self, &values);
    return code;
}

const command command_inspect_targets = {
    .name = "targets",
    .path = "inspect targets",
    .summary = "what training would have the network answer",
    .usage = "--dataset DIR [OPTION]...",
    .about =
        "Makes the targets of some pictures with the code of training: which anchors are positive\n"
        "and negative and where they are to be moved, which RoIs the heads learn from, and the "
        "masks\n"
        "that are to be predicted. The same SEED and draw give the same numbers as in training.\n"
        "\n"
        "RoIs are what the network of --weights proposes; without it they are random, nine out of\n"
        "ten around objects, as in matterport's notebook. Objects that no anchor meets, and masks\n"
        "that are blank, are pointed out.",
    .examples =
        "mrcnn inspect targets --dataset balloon --out targets\n"
        "    the first four draws of a training; open targets/report.html\n"
        "mrcnn inspect targets --dataset balloon --weights mine.h5 --picture dog.jpg --out t\n"
        "    one picture, with what the network proposes and loses",
    .options = targets_table,
    .run = run,
};
