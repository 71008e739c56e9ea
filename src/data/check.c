/* check.c - looks a data set over before anything is trained on it. */
#include "data/check.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "data/name_list.h"

#include <stdio.h>
#include <stdlib.h>

mrcnn_dataset_check_options mrcnn_dataset_check_options_default(void) {
    mrcnn_dataset_check_options options = {.size = sizeof options};
    return options;
}

/* What the caller gets, and the memory behind its arrays. */
typedef struct made_summary {
    mrcnn_dataset_summary summary; /* first: its address is the caller's */
    size_t numbers[];              /* 2 x class_count */
} made_summary;

/* ------------------------------------------------------------------------------------- reports */

mrcnn_status mr_check_report(mr_checker *c, int is_error, const char *picture, int64_t object,
                             const char *text) {
    mrcnn_dataset_problem problem = {is_error ? MRCNN_PROBLEM_ERROR : MRCNN_PROBLEM_WARNING,
                                     picture, object, text};
    if (is_error)
        c->sum->errors++;
    else
        c->sum->warnings++;
    if (c->options.report && c->options.report(c->options.user, &problem))
        return mr_fail(c->err, MRCNN_E_CANCELLED, "checking the data set was stopped");
    return MRCNN_OK;
}

void mr_check_measure(mr_checker *c, int kind, double value) {
    c->measures[kind].values[c->measures[kind].count++] = value;
}

/* ------------------------------------------------------------------------------------ pictures */

static mrcnn_status find_size(const mr_checker *c, size_t index, int32_t *height, int32_t *width,
                              mrcnn_error *err) {
    mrcnn_image image = {0};
    if (!c->options.full) return mr_dataset_picture_size(c->set, index, height, width, err);
    mrcnn_status status = mr_dataset_read(c->set, index, &image, err);
    if (status != MRCNN_OK) return status;
    *height = image.height;
    *width = image.width;
    mrcnn_image_free(&image);
    return MRCNN_OK;
}

/* Masks that can't be opened take the picture's objects with them. */
static mrcnn_status check_objects(mr_checker *c, size_t index, int32_t height, int32_t width,
                                  uint8_t *seen) {
    const mr_picture *picture = &c->set->pictures[index];
    mrcnn_error broken = MRCNN_ERROR_INIT;
    mr_masks masks;
    mrcnn_status status = mr_scratch_mask(&c->mask, &c->mask_room, height, width, c->err);
    if (status != MRCNN_OK) return status;
    status = mr_masks_open(&masks, c->set, index, height, width, &broken);
    if (status == MRCNN_OK) {
        for (size_t k = 0; k < picture->object_count && status == MRCNN_OK; k++)
            status = mr_check_object(c, &masks, k, seen);
    } else if (status == MRCNN_E_MEMORY) {
        mr_fail(c->err, status, "%s", broken.message);
    } else {
        c->sum->objects_left_out += picture->object_count;
        status = mr_check_report(c, 1, picture->id, -1, broken.message);
    }
    mr_masks_close(&masks);
    return status;
}

static mrcnn_status check_picture(mr_checker *c, size_t index, uint8_t *seen) {
    const mr_picture *picture = &c->set->pictures[index];
    mrcnn_error broken = MRCNN_ERROR_INIT;
    int32_t height = 0, width = 0;
    size_t before = c->sum->objects;
    mrcnn_status status = find_size(c, index, &height, &width, &broken);
    if (status == MRCNN_E_MEMORY) return mr_fail(c->err, status, "%s", broken.message);
    if (status != MRCNN_OK) {
        c->sum->pictures_left_out++;
        c->sum->objects_left_out += picture->object_count;
        return mr_check_report(c, 1, picture->id, -1, broken.message);
    }
    for (int i = 0; i < c->set->class_count; i++) seen[i] = 0;
    status = check_objects(c, index, height, width, seen);
    if (status != MRCNN_OK) return status;
    if (picture->object_count && c->sum->objects == before) {
        c->sum->pictures_left_out++;
        return MRCNN_OK; /* each of its objects was reported */
    }
    for (int i = 0; i < c->set->class_count; i++) c->class_pictures[i] += seen[i];
    mr_check_measure(c, MR_PICTURE_HEIGHT, height);
    mr_check_measure(c, MR_PICTURE_WIDTH, width);
    mr_check_measure(c, MR_OBJECTS, (double)(c->sum->objects - before));
    c->sum->pictures++;
    return MRCNN_OK;
}

static mrcnn_status check_pictures(mr_checker *c) {
    mrcnn_status status = MRCNN_OK;
    uint8_t *seen = mr_calloc((size_t)c->set->class_count, 1);
    if (!seen) return mr_fail_memory(c->err, (size_t)c->set->class_count, "classes");
    for (size_t i = 0; i < c->set->picture_count && status == MRCNN_OK; i++) {
        if (c->options.progress && c->options.progress(c->options.user, i, c->set->picture_count))
            status = mr_fail(c->err, MRCNN_E_CANCELLED, "checking the data set was stopped");
        else
            status = check_picture(c, i, seen);
    }
    free(seen);
    return status;
}

/* ------------------------------------------------------------------------------------- the set */

/* Those of which there were too many to be kept. */
static mrcnn_status report_counted(mr_checker *c) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < c->set->kind_count && status == MRCNN_OK; i++) {
        const mr_problem_kind *kind = &c->set->kinds[i];
        const mr_problem *first = &c->set->problems[kind->first];
        char text[400];
        if (kind->count <= MR_PROBLEMS_KEPT) continue;
        size_t more = kind->count - MR_PROBLEMS_KEPT;
        snprintf(text, sizeof text, "and %zu more like this: %.300s", more, first->text);
        mr_clean_text(text); /* may be cut inside a character */
        status = mr_check_report(c, first->is_error, "", -1, text);
        *(first->is_error ? &c->sum->errors : &c->sum->warnings) += more - 1;
    }
    return status;
}

static mrcnn_status report_notes(mr_checker *c) {
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < c->set->problem_count && status == MRCNN_OK; i++) {
        const mr_problem *p = &c->set->problems[i];
        status = mr_check_report(c, p->is_error, p->picture, p->object, p->text);
    }
    return status == MRCNN_OK ? report_counted(c) : status;
}

static mrcnn_status check_classes(mr_checker *c) {
    char text[600];
    mr_name_list list = {0};
    for (int i = 1; i < c->set->class_count; i++)
        if (!c->class_objects[i]) mr_name_list_add(&list, c->set->class_names[i]);
    if (list.count == 0) return MRCNN_OK;
    if (list.count == 1)
        snprintf(text, sizeof text, "class %s has no object", mr_name_list_text(&list));
    else
        snprintf(text, sizeof text, "%zu classes have no object: %s", list.count,
                 mr_name_list_text(&list));
    mr_clean_text(text);
    return mr_check_report(c, 0, "", -1, text);
}

static int compare_numbers(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static mrcnn_range find_range(mr_measures *m) {
    mrcnn_range range = {0, 0, 0};
    if (m->count == 0) return range;
    qsort(m->values, m->count, sizeof *m->values, compare_numbers);
    range.least = m->values[0];
    range.median = (m->values[(m->count - 1) / 2] + m->values[m->count / 2]) / 2;
    range.most = m->values[m->count - 1];
    return range;
}

static mrcnn_status run_check(mr_checker *c) {
    size_t objects = 0;
    for (size_t i = 0; i < c->set->picture_count; i++) objects += c->set->pictures[i].object_count;
    for (int i = 0; i < MR_MEASURES; i++) {
        size_t room =
            i == MR_OBJECT_HEIGHT || i == MR_OBJECT_WIDTH ? objects : c->set->picture_count;
        c->measures[i].values = mr_calloc(room, sizeof(double));
        if (!c->measures[i].values) return mr_fail_memory(c->err, room * 8, "sizes");
    }
    mrcnn_status status = report_notes(c);
    if (status == MRCNN_OK) status = check_pictures(c);
    if (status == MRCNN_OK) status = check_classes(c);
    c->sum->picture_height = find_range(&c->measures[MR_PICTURE_HEIGHT]);
    c->sum->picture_width = find_range(&c->measures[MR_PICTURE_WIDTH]);
    c->sum->object_height = find_range(&c->measures[MR_OBJECT_HEIGHT]);
    c->sum->object_width = find_range(&c->measures[MR_OBJECT_WIDTH]);
    c->sum->objects_per_picture = find_range(&c->measures[MR_OBJECTS]);
    return status;
}

static made_summary *start_summary(const mr_dataset *set) {
    size_t classes = (size_t)set->class_count;
    made_summary *made = mr_calloc(1, sizeof *made + 2 * classes * sizeof *made->numbers);
    if (!made) return NULL;
    made->summary.class_count = set->class_count;
    made->summary.class_objects = made->numbers;
    made->summary.class_pictures = made->numbers + classes;
    made->summary.without_objects = set->without_objects;
    made->summary.pictures_left_out = set->pictures_left_out;
    made->summary.objects_left_out = set->objects_left_out;
    made->summary.points = set->points;
    return made;
}

mrcnn_status mrcnn_dataset_check(const mrcnn_dataset *set,
                                 const mrcnn_dataset_check_options *options,
                                 mrcnn_dataset_summary **summary, mrcnn_error *err) {
    mr_checker c = {.set = set, .options = mrcnn_dataset_check_options_default(), .err = err};
    if (!set || !summary)
        return mr_fail(err, MRCNN_E_ARGUMENT, "checking a data set: %s is NULL",
                       set ? "summary" : "set");
    mrcnn_status status =
        mr_take_options(&c.options, sizeof c.options, options, "mrcnn_dataset_check_options", err);
    if (status != MRCNN_OK) return status;
    made_summary *made = start_summary(set);
    if (!made) return mr_fail_memory(err, sizeof *made, "the summary of a data set");
    c.sum = &made->summary;
    c.class_objects = made->numbers;
    c.class_pictures = made->numbers + set->class_count;
    status = run_check(&c);
    for (int i = 0; i < MR_MEASURES; i++) free(c.measures[i].values);
    free(c.mask);
    if (status == MRCNN_OK)
        *summary = &made->summary;
    else
        free(made);
    return status;
}

void mrcnn_dataset_summary_free(mrcnn_dataset_summary **summary) {
    if (!summary) return;
    free(*summary); /* one block, of which it is the beginning */
    *summary = NULL;
}
