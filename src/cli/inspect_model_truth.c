/* inspect_model_truth.c - the report's section about an annotated picture: what was to be found beside
 * what was found. */
#include "inspect_model.h"

#include "model.h"

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

static void find_box(mrcnn_instance *it) {
    uint8_t *bytes = text_grow(NULL, (size_t)it->mask.height * (size_t)it->mask.width, 1);
    mrcnn_mask_to_bytes(&it->mask, bytes);
    it->y1 = it->mask.height;
    it->x1 = it->mask.width;
    for (int32_t y = 0; y < it->mask.height; y++)
        for (int32_t x = 0; x < it->mask.width; x++) {
            if (!bytes[(size_t)y * (size_t)it->mask.width + (size_t)x]) continue;
            if (y < it->y1) it->y1 = y;
            if (x < it->x1) it->x1 = x;
            if (y >= it->y2) it->y2 = y + 1;
            if (x >= it->x2) it->x2 = x + 1;
        }
    free(bytes);
}

/* Crowds are left out: nobody has to find them one by one. */
int read_truth(model_page *m, const mrcnn_dataset *set, size_t index) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    size_t count = mrcnn_dataset_picture(set, index)->object_count;
    m->truth = text_grow(NULL, 1, sizeof *m->truth);
    *m->truth = (mrcnn_result){m->image.height, m->image.width, 0,
                               text_grow(NULL, count, sizeof(mrcnn_instance))};
    for (size_t i = 0; i < count; i++) {
        mrcnn_instance it = {.score = 1};
        if (mrcnn_dataset_mask(set, index, i, m->image.height, m->image.width, &it.mask,
                               &it.class_id, &err) != MRCNN_OK)
            return fail_with(&err);
        if (it.class_id < 0 || mrcnn_mask_area(&it.mask) == 0) {
            mrcnn_mask_free(&it.mask);
            continue;
        }
        find_box(&it);
        it.class_name = mrcnn_dataset_class_name(set, it.class_id);
        it.class_id = model_class(m, set, it.class_id);
        m->truth->instances[m->truth->count++] = it;
    }
    return EXIT_DONE;
}

void free_truth(model_page *m) {
    if (!m->truth) return;
    for (size_t i = 0; i < m->truth->count; i++) mrcnn_mask_free(&m->truth->instances[i].mask);
    free(m->truth->instances);
    free(m->truth);
    m->truth = NULL;
}

/* ------------------------------------------------------------------------------------- overlaps */

/* Row-major bytes of a mask. */
static uint8_t *bytes_of(const mrcnn_mask *mask) {
    uint8_t *bytes = text_grow(NULL, (size_t)mask->height * (size_t)mask->width, 1);
    mrcnn_mask_to_bytes(mask, bytes);
    return bytes;
}

/* Intersection over union of all pairs: values[i * truths + k]. */
static double *find_overlaps(const mrcnn_result *found, const mrcnn_result *truth) {
    size_t pixels = (size_t)found->height * (size_t)found->width;
    double *values = text_grow(NULL, found->count * truth->count, sizeof *values);
    for (size_t k = 0; k < truth->count; k++) {
        uint8_t *a = bytes_of(&truth->instances[k].mask);
        for (size_t i = 0; i < found->count; i++) {
            uint8_t *b = bytes_of(&found->instances[i].mask);
            size_t both = 0, either = 0;
            for (size_t p = 0; p < pixels; p++) {
                both += a[p] & b[p];
                either += a[p] | b[p];
            }
            values[i * truth->count + k] = either ? (double)both / (double)either : 0;
            free(b);
        }
        free(a);
    }
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
    double *values = find_overlaps(found, m->truth);
    put_overlaps(m, values);
    put_targets(m, values);
    free(values);
}
