/* inspect_report_eval.c - what the network of a training finds in the validation set: COCO's figures, and
 * pictures with what is there and what was found. */
#include "eval_report.h"
#include "inspect_report.h"
#include "progress.h"
#include "save.h"
#include "signals.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------- twelve figures */

/* -1: there is no object to measure by. */
static mrcnn_cell cell_of(double figure) {
    return mrcnn_cell_number(figure < 0 ? NAN : figure, 3);
}

static void show_twelve(show *s, const mrcnn_report *r) {
    static const char *const columns[] = {"figure", "of", "bbox", "segm"};
    eval_figure figures[EVAL_FIGURES];
    mrcnn_cell cells[4 * EVAL_FIGURES];
    for (int i = 0; i < EVAL_FIGURES; i++) {
        figures[i] = eval_figure_at(r, i);
        cells[4 * i] = mrcnn_cell_text(figures[i].name);
        cells[4 * i + 1] = mrcnn_cell_text(figures[i].help);
        cells[4 * i + 2] = cell_of(figures[i].bbox);
        cells[4 * i + 3] = cell_of(figures[i].segm);
    }
    show_table(s, "coco", "COCO's twelve figures, of boxes and of masks", columns, 4, cells,
               EVAL_FIGURES);
}

static void show_classes(show *s, const evaluated *e, const mrcnn_report *r) {
    static const char *const columns[] = {"class",   "objects",   "bbox AP", "bbox AP50",
                                          "segm AP", "segm AP50", "best F1", "at score"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    size_t count = (size_t)r->class_count - 1;
    mrcnn_cell *cells = text_grow(NULL, count + 1, COLUMNS * sizeof *cells);
    for (size_t i = 0; i < count; i++) {
        const mrcnn_class_figures *c = &r->classes[i + 1];
        mrcnn_cell *row = cells + COLUMNS * i;
        row[0] = mrcnn_cell_text(mrcnn_model_class_name(e->model, (int)i + 1));
        row[1] = mrcnn_cell_number((double)c->objects, 0);
        row[2] = cell_of(c->bbox_ap);
        row[3] = cell_of(c->bbox_ap50);
        row[4] = cell_of(c->segm_ap);
        row[5] = cell_of(c->segm_ap50);
        row[6] = cell_of(c->segm_best.f1);
        row[7] = cell_of(c->segm_best.score);
    }
    show_table(s, "classes", "By class; F1 is that of masks at IoU 0.50", columns, COLUMNS, cells,
               count);
    free(cells);
}

void report_show_figures(show *s, const evaluated *e, const mrcnn_report *r) {
    show_section(s, "evaluation", "Evaluation",
                 "What the checkpoint finds in the validation set, measured as COCO does: average "
                 "precision (AP) and recall (AR) from 0 to 1. Where there is no object to measure "
                 "by there is no figure.");
    show_count(s, "pictures", "Pictures", r->pictures);
    show_count(s, "objects", "Objects", r->objects);
    show_count(s, "detections", "Detections", r->detections);
    show_figure(s, "segm_ap", "segm AP", r->segm.ap < 0 ? NAN : r->segm.ap, NULL);
    show_figure(s, "segm_ap50", "segm AP50", r->segm.ap50 < 0 ? NAN : r->segm.ap50, NULL);
    show_figure(s, "bbox_ap", "bbox AP", r->bbox.ap < 0 ? NAN : r->bbox.ap, NULL);
    show_figure(s, "bbox_ap50", "bbox AP50", r->bbox.ap50 < 0 ? NAN : r->bbox.ap50, NULL);
    show_figure(s, "picture_map50", "matterport's mAP50",
                r->picture_map50 < 0 ? NAN : r->picture_map50, NULL);
    if (r->pictures_left_out)
        show_note(s, MRCNN_TONE_WARNING, "%zu pictures can't be read and are left out.",
                  r->pictures_left_out);
    show_twelve(s, r);
    report_show_curves(s, e, r);
    show_classes(s, e, r);
    report_show_confusion(s, e, r);
}

/* ------------------------------------------------------------------------------------- pictures */

enum { MOST_CAPTIONS = 20 }; /* more would hide a picture of this size */

/* The instances that are sure enough: a view that owns nothing but its list. */
static mrcnn_result sure_ones(const mrcnn_result *all, double confidence) {
    mrcnn_result sure = {all->height, all->width, 0,
                         text_grow(NULL, all->count + 1, sizeof *all->instances)};
    for (size_t i = 0; i < all->count; i++)
        if (all->instances[i].score >= confidence) sure.instances[sure.count++] = all->instances[i];
    return sure;
}

static void show_both(show *s, const evaluated *e, size_t place, const truth *t,
                      const mrcnn_result *found) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image differences = {0};
    mrcnn_result sure = sure_ones(found, e->confidence);
    char name[48], *id = set_title(e->set, e->indices[place]);
    char *there = text_format("What is there: %zu", t->result->count);
    char *what =
        text_format("What was found with a score of %.2g or more: %zu", e->confidence, sure.count);
    show_heading(s, id);
    snprintf(name, sizeof name, "picture-%zu-truth", place);
    show_instances(s, name, there, &t->image, t->result, 0);
    snprintf(name, sizeof name, "picture-%zu-found", place);
    show_instances(s, name, what, &t->image, &sure, sure.count <= MOST_CAPTIONS);
    snprintf(name, sizeof name, "picture-%zu-differences", place);
    mrcnn_status status =
        mrcnn_draw_differences(&differences, &t->image, t->result, found, 0.5, e->confidence, &err);
    if (status == MRCNN_OK)
        show_image(
            s, name,
            "Both: objects green, detections red with score / IoU; dashed where nothing matches",
            &differences);
    if (status != MRCNN_E_UNSUPPORTED) show_failed(s, status, &err); /* without cairo */
    mrcnn_image_free(&differences);
    free(sure.instances);
    free(there);
    free(what);
    free(id);
}

static void show_one(show *s, const evaluated *e, size_t place) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_result *found = NULL;
    truth t = {0};
    mrcnn_status status = truth_read(&t, e->set, e->indices[place], &err);
    if (status == MRCNN_OK) status = mrcnn_detect(e->session, &t.image, 1, &found, &err);
    if (status == MRCNN_OK)
        show_both(s, e, place, &t, found);
    else
        show_note(s, MRCNN_TONE_BAD, "%s", err.message);
    mrcnn_result_free(&found);
    truth_free(&t);
}

void report_show_pictures(show *s, const evaluated *e) {
    show_section(s, "pictures", "Pictures",
                 "Some of the validation set: what is there, what was found, and the differences.");
    progress_start("pictures", PROGRESS_ITEMS);
    for (size_t i = 0; i < e->count && !signals_came(); i++) {
        progress_show(i, e->count);
        show_one(s, e, i);
    }
    progress_end();
}
