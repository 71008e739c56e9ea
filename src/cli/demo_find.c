/* demo_find.c - mrcnn demo: the model that comes along, on the pictures that come along. */
#include "demo.h"
#include "files.h"
#include "progress.h"
#include "save.h"
#include "shipped.h"
#include "signals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- opening */

static int open_models(demo *d) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_config *all = NULL;
    mrcnn_status status = mrcnn_model_load(&d->model, d->weights, NULL, &err);
    if (status == MRCNN_OK) status = mrcnn_config_create(&all, NULL, &err);
    if (status == MRCNN_OK) status = mrcnn_config_set(all, "DETECTION_MIN_CONFIDENCE", "0", &err);
    if (status == MRCNN_OK) status = mrcnn_model_load(&d->unsure, d->weights, all, &err);
    mrcnn_config_free(&all);
    if (status != MRCNN_OK) return fail_with(&err);
    int code = open_session(&d->session, d->model, &d->sees);
    return code == EXIT_DONE ? open_session(&d->session, d->unsure, &d->measures) : code;
}

static int open_half(demo *d, demo_half *half) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image_options image = mrcnn_config_image_options(mrcnn_model_config(d->model));
    mrcnn_dataset_options how = mrcnn_dataset_options_default();
    const char **names = model_class_names(d->model);
    how.subset = half->subset;
    how.class_names = names;
    how.image = &image;
    mrcnn_status status = mrcnn_dataset_open(&half->set, d->pictures, &how, &err);
    free(names);
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

int demo_open(demo *d) {
    d->halves[DEMO_TRAINED] = (demo_half){.subset = "train", .kind = "it was trained on"};
    d->halves[DEMO_UNSEEN] = (demo_half){.subset = "val", .kind = "it has never seen"};
    d->weights = shipped_need(SHIPPED_WEIGHTS);
    d->pictures = d->weights ? shipped_need(SHIPPED_PICTURES) : NULL;
    if (!d->pictures || make_folders(d->out) != 0) return EXIT_FAILED;
    int code = open_models(d);
    for (int i = 0; i < DEMO_HALVES && code == EXIT_DONE; i++) code = open_half(d, &d->halves[i]);
    return code;
}

void demo_close(demo *d) {
    for (int i = 0; i < DEMO_HALVES; i++) {
        mrcnn_report_free(&d->halves[i].report);
        mrcnn_dataset_free(&d->halves[i].set);
    }
    mrcnn_session_free(&d->measures);
    mrcnn_session_free(&d->sees);
    mrcnn_model_free(&d->unsure);
    mrcnn_model_free(&d->model);
    free(d->pictures);
    free(d->weights);
}

/* ------------------------------------------------------------------------------------- pictures */

/* Boxes and captions of a hundred nuclei would hide them. */
static const overlay_options shown = {.draw = DRAW_MASKS | DRAW_CONTOURS};

static int find_in_picture(demo *d, demo_half *half, size_t index) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    mrcnn_result *found = NULL;
    const mrcnn_picture *picture = mrcnn_dataset_picture(half->set, index);
    char *stem = path_stem(picture->id);
    mrcnn_status status = mrcnn_dataset_read(half->set, index, &image, &err);
    double start = progress_clock();
    if (status == MRCNN_OK) status = mrcnn_detect(d->sees, &image, 1, &found, &err);
    double milliseconds = 1e3 * (progress_clock() - start);
    int failed = 0;
    if (status == MRCNN_OK) {
        const input in = {.stem = stem};
        finding all = {&in, &image, found, d->out, ".png"};
        failed = save_overlay(&all, &shown);
        printf("  %-18s %4zu found, %4zu annotated, %5.0f ms\n", stem, found->count,
               picture->object_count, milliseconds);
        fflush(stdout);
        half->annotated += picture->object_count;
        half->found += found->count;
    }
    mrcnn_result_free(&found);
    mrcnn_image_free(&image);
    free(stem);
    if (status != MRCNN_OK) return fail_with(&err);
    return failed ? EXIT_FAILED : EXIT_DONE;
}

/* -------------------------------------------------------------------------------------- figures */

/* As many detections count as the model may make: a picture can hold more nuclei than COCO's 100. */
int demo_measure(mrcnn_session *session, const mrcnn_config *config, const mrcnn_dataset *set,
                 mrcnn_report **report) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_evaluate_options options = mrcnn_evaluate_options_default();
    long most = strtol(mrcnn_config_get(config, "DETECTION_MAX_INSTANCES"), NULL, 10);
    if (most > options.max_detections) options.max_detections = (int)most;
    options.progress = progress_or_stop;
    progress_start("measuring", PROGRESS_ITEMS);
    mrcnn_status status = mrcnn_evaluate(session, set, &options, report, &err);
    progress_end();
    return status == MRCNN_OK ? EXIT_DONE : fail_with(&err);
}

static int find_in_half(demo *d, demo_half *half) {
    int code = EXIT_DONE;
    printf("Pictures that %s (%s/%s):\n", half->kind, d->pictures, half->subset);
    for (size_t i = 0; i < mrcnn_dataset_count(half->set) && code == EXIT_DONE; i++)
        code = signals_came() ? EXIT_INTERRUPTED : find_in_picture(d, half, i);
    if (code == EXIT_DONE)
        code = demo_measure(d->measures, mrcnn_model_config(d->unsure), half->set, &half->report);
    if (code == EXIT_DONE)
        printf("  together           %4zu found, %4zu annotated: mask AP %.3f, AP50 %.3f\n\n",
               half->found, half->annotated, half->report->segm.ap, half->report->segm.ap50);
    return code;
}

int demo_find(demo *d) {
    int code = EXIT_DONE;
    for (int i = 0; i < DEMO_HALVES && code == EXIT_DONE; i++)
        code = find_in_half(d, &d->halves[i]);
    return code;
}
