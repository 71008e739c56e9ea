/* demo_page.c - mrcnn demo: what was found and what was learnt, on one page. */
#include "demo.h"
#include "inspect_report.h"
#include "save.h"
#include "signals.h"

#include <math.h>
#include <stdlib.h>

static mrcnn_cell cell_of(double figure) {
    return mrcnn_cell_number(figure < 0 ? NAN : figure, 3);
}

static void show_halves(show *s, const demo *d) {
    static const char *const columns[] = {
        "pictures", "number", "nuclei annotated", "found", "mask AP", "mask AP50", "box AP"};
    enum { COLUMNS = sizeof columns / sizeof *columns };
    mrcnn_cell cells[COLUMNS * DEMO_HALVES];
    show_section(s, "demo", "The model that comes along",
                 "It finds cell nuclei in microscope pictures. Half of the sample pictures were "
                 "among those that it learned from: how well it does there says little. The other "
                 "half it has never seen.");
    for (int i = 0; i < DEMO_HALVES; i++) {
        const demo_half *half = &d->halves[i];
        mrcnn_cell *row = cells + COLUMNS * i;
        row[0] = show_cell(s, "%s: %s", half->subset, half->kind);
        row[1] = mrcnn_cell_number((double)half->report->pictures, 0);
        row[2] = mrcnn_cell_number((double)half->annotated, 0);
        row[3] = mrcnn_cell_number((double)half->found, 0);
        row[4] = cell_of(half->report->segm.ap);
        row[5] = cell_of(half->report->segm.ap50);
        row[6] = cell_of(half->report->bbox.ap);
    }
    show_table(s, "halves", "Both halves", columns, COLUMNS, cells, DEMO_HALVES);
}

/* Without boxes and captions, which would hide small objects. */
static void show_plainly(show *s, const char *name, const char *caption, const mrcnn_image *image,
                         const mrcnn_result *result) {
    static const overlay_options options = {.draw = DRAW_MASKS | DRAW_CONTOURS};
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_draw_options how = overlay_drawing(&options);
    mrcnn_image drawn = {0};
    mrcnn_status status = mrcnn_draw_instances(&drawn, image, result, &how, &err);
    if (!show_failed(s, status, &err)) show_image(s, name, caption, &drawn);
    mrcnn_image_free(&drawn);
}

static void show_found(show *s, const demo *d, const demo_half *half, size_t index) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_result *found = NULL;
    truth t = {0};
    char *id = set_title(half->set, index);
    char *names[3];
    for (int i = 0; i < 3; i++) names[i] = text_format("%s-%zu-%d", half->subset, index, i);
    mrcnn_status status = truth_read(&t, half->set, index, &err);
    if (status == MRCNN_OK) status = mrcnn_detect(d->sees, &t.image, 1, &found, &err);
    if (!show_failed(s, status, &err) && t.result && found) {
        char *there = text_format("Annotated: %zu", t.result->count);
        char *what = text_format("Found: %zu", found->count);
        show_heading(s, id);
        show_image(s, names[0], "The picture", &t.image);
        show_plainly(s, names[1], there, &t.image, t.result);
        show_plainly(s, names[2], what, &t.image, found);
        free(what);
        free(there);
    }
    for (int i = 0; i < 3; i++) free(names[i]);
    free(id);
    mrcnn_result_free(&found);
    truth_free(&t);
}

static void show_pictures(show *s, const demo *d, int which) {
    static const char *const titles[] = {"Pictures that it was trained on",
                                         "Pictures that it has never seen"};
    const demo_half *half = &d->halves[which];
    show_section(s, half->subset, titles[which], NULL);
    for (size_t i = 0; i < mrcnn_dataset_count(half->set) && !signals_came(); i++)
        show_found(s, d, half, i);
}

static void show_training(show *s, const demo *d) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_log *log = NULL;
    const demo_training *t = &d->training;
    if (!t->steps) return;
    show_section(s, "minute", "A minute of training",
                 "The model kept its backbone and pyramid, forgot how to propose, classify and "
                 "outline, and learned it again from the pictures that are for training.");
    show_count(s, "steps", "Steps", t->steps);
    show_figure(s, "seconds", "Seconds", t->seconds, NULL);
    show_figure(s, "first_loss", "Loss at the beginning", t->first, NULL);
    show_figure(s, "last_loss", "Loss at the end", t->last, NULL);
    show_figure(s, "ap50", "mask AP50 of the new heads, unseen pictures",
                t->ap50 < 0 ? NAN : t->ap50, NULL);
    if (!show_failed(s, mrcnn_log_read(&log, t->folder, &err), &err)) report_show_log(s, log);
    mrcnn_log_free(&log);
}

int demo_show(demo *d) {
    show s;
    const demo_half *unseen = &d->halves[DEMO_UNSEEN];
    evaluated e = {.model = d->unsure, .set = unseen->set, .session = d->measures};
    int code = show_open(&s, d->out, "mrcnn demo: cell nuclei");
    if (code != EXIT_DONE) return code;
    show_halves(&s, d);
    show_pictures(&s, d, DEMO_UNSEEN);
    show_pictures(&s, d, DEMO_TRAINED);
    report_show_figures(&s, &e, unseen->report);
    show_training(&s, d);
    report_show_config(&s, mrcnn_model_config(d->model));
    return show_close(&s, signals_came() ? EXIT_INTERRUPTED : EXIT_DONE, d->out);
}
