/* inspect_model_truth.c - the report's section about an annotated picture: what was to be found beside
 * what was found. */
#include "inspect_model.h"

#include "model.h"

#include <mrcnn/eval.h>

#include <stdlib.h>
#include <string.h>

enum { MOST_ROWS = 16, MOST_NAMES = 100 };

/* ------------------------------------------------------------------------------------ the truth */

/* The model's number of a class of the data set: by name; by number when the model's classes have none
 * ("class 1"). A class that the model doesn't know has a number behind all of the model's. */
static int32_t model_class(const model_page *m, const mrcnn_dataset *set, int class_id) {
    const char *name = mrcnn_dataset_class_name(set, class_id);
    int count = mrcnn_model_class_count(m->model);
    char numbered[32];
    for (int c = 1; c < count; c++)
        if (strcmp(mrcnn_model_class_name(m->model, c), name) == 0) return c;
    snprintf(numbered, sizeof numbered, "class %d", class_id);
    int is_unnamed =
        class_id < count && strcmp(mrcnn_model_class_name(m->model, class_id), numbered) == 0;
    return is_unnamed ? class_id : count + class_id;
}

/* Crowds are left out: nobody has to find them one by one. */
int read_truth(model_page *m, const mrcnn_dataset *set, size_t index) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_dataset_truth(set, index, m->image.height, m->image.width, &m->truth, &err) !=
        MRCNN_OK)
        return fail_with(&err);
    size_t kept = 0;
    for (size_t i = 0; i < m->truth->count; i++) {
        mrcnn_instance it = m->truth->instances[i];
        if (it.class_id < 0) {
            mrcnn_mask_free(&it.mask);
            continue;
        }
        it.class_id = model_class(m, set, it.class_id);
        m->truth->instances[kept++] = it;
    }
    m->truth->count = kept;
    return EXIT_DONE;
}

/* ------------------------------------------------------------------------------------- overlaps */

static mrcnn_mask *masks_of(const mrcnn_result *result) {
    mrcnn_mask *masks = text_grow(NULL, result->count, sizeof *masks);
    for (size_t i = 0; i < result->count; i++) masks[i] = result->instances[i].mask;
    return masks;
}

/* Intersection over union of all pairs: values[i * truths + k]. */
static double *find_overlaps(model_page *m) {
    const mrcnn_result *found = m->trace->result, *truth = m->truth;
    size_t pairs = found->count * truth->count;
    mrcnn_mask *a = masks_of(found), *b = masks_of(truth);
    float *overlaps = text_grow(NULL, pairs, sizeof *overlaps);
    double *values = text_grow(NULL, pairs, sizeof *values);
    memset(overlaps, 0, pairs * sizeof *overlaps);
    if (m->show.err.status == MRCNN_OK)
        (void)mrcnn_compute_overlaps_masks(a, found->count, b, truth->count, overlaps,
                                           &m->show.err);
    for (size_t i = 0; i < pairs; i++) values[i] = overlaps[i] > 0 ? (double)overlaps[i] : 0;
    free(a);
    free(b);
    free(overlaps);
    return values;
}

static char **name_all(const mrcnn_result *result, int with_scores) {
    char **names = text_grow(NULL, result->count, sizeof *names);
    for (size_t i = 0; i < result->count; i++) {
        const mrcnn_instance *it = &result->instances[i];
        names[i] = with_scores ? text_format("%zu %s %.2f", i, it->class_name, (double)it->score)
                               : text_format("%zu %s", i, it->class_name);
    }
    return names;
}

static void free_names(char **names, size_t count) {
    for (size_t i = 0; i < count; i++) free(names[i]);
    free(names);
}

static void put_overlaps(model_page *m, const double *values) {
    const mrcnn_result *found = m->trace->result, *truth = m->truth;
    if (found->count > MOST_NAMES || truth->count > MOST_NAMES) {
        show_text(&m->show, "There are too many objects for a grid of their overlaps.");
        return;
    }
    char **rows = name_all(found, 1), **columns = name_all(truth, 0);
    mrcnn_grid grid = mrcnn_grid_default();
    grid.row_label = "found";
    grid.column_label = "annotated";
    grid.rows = (int)found->count;
    grid.columns = (int)truth->count;
    grid.values = values;
    grid.row_names = (const char *const *)rows;
    grid.column_names = (const char *const *)columns;
    grid.low = 0;
    grid.high = 1;
    if (m->show.err.status == MRCNN_OK)
        mrcnn_page_grid(
            m->show.page, "overlaps",
            "How much the masks of what was found and of what is annotated overlap, as "
            "intersection over union: 1 is the same mask. A good model has one cell near 1 "
            "in each column.",
            &grid, &m->show.err);
    free_names(rows, found->count);
    free_names(columns, truth->count);
}

/* ------------------------------------------------------------------------------- mask targets */

static size_t best_truth(const double *values, size_t truths, size_t instance) {
    size_t best = 0;
    for (size_t k = 1; k < truths; k++)
        if (values[instance * truths + k] > values[instance * truths + best]) best = k;
    return best;
}

/* The share of cells in which the head is right. */
static double agreement(const float *mask, const float *target, size_t pixels) {
    const float half = 0.5f;
    size_t right = 0;
    for (size_t i = 0; i < pixels; i++) right += (mask[i] >= half) == (target[i] >= half);
    return (double)right / (double)pixels;
}

/* Target and prediction of one instance; nothing when it overlaps no object. */
static void add_pair(model_page *m, mrcnn_sheet *sheet, const double *values, size_t instance) {
    const mrcnn_trace *t = m->trace;
    size_t pixels = (size_t)t->mask_height * (size_t)t->mask_width;
    size_t best = best_truth(values, m->truth->count, instance);
    double overlap = values[instance * m->truth->count + best];
    if (m->show.err.status != MRCNN_OK || overlap <= 0) return;
    float *target = text_grow(NULL, pixels, sizeof *target);
    const float *mask = t->masks + instance * pixels;
    if (mrcnn_trace_mask_target(t, instance, &m->truth->instances[best].mask, target,
                                &m->show.err) == MRCNN_OK) {
        char *left = text_format("object %zu in box %zu", best, instance);
        char *right =
            text_format("IoU %.2f, %.0f %% right", overlap, 100 * agreement(mask, target, pixels));
        add_map(m, sheet, target, t->mask_height, t->mask_width, 1, left);
        add_map(m, sheet, mask, t->mask_height, t->mask_width, 1, right);
        free(left);
        free(right);
    }
    free(target);
}

static int any_overlap(const double *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (values[i] > 0) return 1;
    return 0;
}

static void put_targets(model_page *m, const double *values) {
    const int columns = 4;
    size_t count = m->trace->result->count < MOST_ROWS ? m->trace->result->count : MOST_ROWS;
    if (!any_overlap(values, count * m->truth->count)) return;
    mrcnn_sheet *sheet =
        new_sheet(m, columns, cell_of(m->trace->mask_height, m->trace->mask_width));
    for (size_t i = 0; i < count; i++) add_pair(m, sheet, values, i);
    put_sheet(m, sheet, "mask-targets",
              "What the mask head should have said of each instance, if it is the object that its "
              "mask overlaps most, and beside it what it said. Below: the overlap of both in the "
              "picture, and in how many cells the head is on the right side of one half.");
}

void put_truth(model_page *m) {
    const double iou = 0.5;
    const mrcnn_result *found = m->trace->result;
    mrcnn_image drawn = {0};
    show_section(&m->show, "truth", "Found and annotated",
                 "What somebody drew by hand, and what the network found.");
    show_figure(&m->show, "annotated", "annotated", (double)m->truth->count, NULL);
    show_figure(&m->show, "found", "found", (double)found->count, NULL);
    if (m->lines && m->show.err.status == MRCNN_OK &&
        mrcnn_draw_differences(&drawn, &m->image, m->truth, found, iou, 0, &m->show.err) ==
            MRCNN_OK)
        show_image(
            &m->show, "differences",
            "Annotated in green, found in red. A solid box has met its object with an overlap "
            "of 0.5 or more; dashed are objects that were missed, and detections that meet "
            "none. Numbers are score / overlap.",
            &drawn);
    mrcnn_image_free(&drawn);
    if (found->count == 0 || m->truth->count == 0) return;
    double *values = find_overlaps(m);
    put_overlaps(m, values);
    put_targets(m, values);
    free(values);
}
