/* anchors.c - mrcnn_anchors_suggest: the boxes of a data set, as the network sees them, against its
 * anchors. */
#include "model/anchor_fit.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/options.h"
#include "image/resize.h"

#include <stdlib.h>
#include <string.h>

mrcnn_anchor_options mrcnn_anchor_options_default(void) {
    mrcnn_anchor_options options = {.size = sizeof options};
    return options;
}

typedef struct collected {
    mr_fit_box *boxes;
    size_t count, room, left_out;
} collected;

static int larger(int a, int b) {
    return a > b ? a : b;
}

/* As the loader places it: scaled, and moved by the padding. A crop may lie anywhere, so that all of the
 * scaled picture counts. 0: there is nothing of it. */
static int place_box(const mr_fit *fit, const mrcnn_object *object, mr_fit_box *box) {
    double sy = (double)fit->scaled_height / fit->original_height;
    double sx = (double)fit->scaled_width / fit->original_width;
    double height = (object->y2 - object->y1) * sy, width = (object->x2 - object->x1) * sx;
    *box = (mr_fit_box){.y = object->y1 * sy + height / 2 + fit->pad_top,
                        .x = object->x1 * sx + width / 2 + fit->pad_left,
                        .height = height,
                        .width = width,
                        .input_height = larger(fit->height, fit->scaled_height),
                        .input_width = larger(fit->width, fit->scaled_width)};
    return height > 0 && width > 0;
}

static mrcnn_status make_room(collected *c, size_t count, mrcnn_error *err) {
    if (c->room - c->count >= count) return MRCNN_OK;
    size_t room = c->count + count + c->room / 2;
    mr_fit_box *larger = mr_realloc(c->boxes, room, sizeof *larger);
    if (!larger) return mr_fail_memory(err, room * sizeof *larger, "boxes");
    c->boxes = larger;
    c->room = room;
    return MRCNN_OK;
}

/* Pictures that can't be read, or don't fit the network, are left out. */
static mrcnn_status collect_picture(collected *c, const mrcnn_dataset *set, size_t index,
                                    const mr_settings *settings, mrcnn_error *err) {
    mrcnn_error why = MRCNN_ERROR_INIT;
    mrcnn_objects objects = {0};
    mr_fit fit;
    mrcnn_status status = mrcnn_dataset_objects(set, index, &objects, &why);
    if (status == MRCNN_OK)
        status = mr_fit_image(&fit, objects.height, objects.width, settings, &why);
    if (status == MRCNN_OK) {
        status = make_room(c, objects.count, &why);
        for (size_t k = 0; k < objects.count && status == MRCNN_OK; k++)
            if (!objects.items[k].is_crowd)
                c->count += (size_t)place_box(&fit, &objects.items[k], &c->boxes[c->count]);
    }
    mrcnn_objects_free(&objects);
    if (status == MRCNN_OK) return status;
    if (status == MRCNN_E_MEMORY || status == MRCNN_E_CONFIG)
        return mr_fail(err, status, "%s", why.message);
    c->left_out++;
    return MRCNN_OK;
}

static mrcnn_status collect(collected *c, const mrcnn_dataset *set, const mr_settings *settings,
                            const mrcnn_anchor_options *o, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    size_t total = mrcnn_dataset_count(set);
    for (size_t i = 0; i < total && status == MRCNN_OK; i++)
        status = o->progress && o->progress(o->user, i, total)
                     ? mr_fail(err, MRCNN_E_CANCELLED, "measuring the data set was stopped")
                     : collect_picture(c, set, i, settings, err);
    if (status == MRCNN_OK && c->count == 0)
        status = mr_fail(err, MRCNN_E_ARGUMENT,
                         "the data set has no object that anchors could be compared with");
    return status;
}

static void take_numbers(double *to, const mr_floats *from) {
    for (int i = 0; i < from->count; i++) to[i] = from->values[i];
}

static void fill_report(mrcnn_anchor_report *r, const collected *c, const mr_settings *settings) {
    mr_settings found;
    memset(r, 0, sizeof *r);
    r->is_better = mr_fit_anchors(settings, c->boxes, c->count, &found);
    r->scale_count = settings->rpn_anchor_scales.count;
    r->ratio_count = settings->rpn_anchor_ratios.count;
    take_numbers(r->scales, &settings->rpn_anchor_scales);
    take_numbers(r->ratios, &settings->rpn_anchor_ratios);
    take_numbers(r->better_scales, &found.rpn_anchor_scales);
    take_numbers(r->better_ratios, &found.rpn_anchor_ratios);
    mr_anchor_recall(settings, c->boxes, c->count, r->recall);
    mr_anchor_recall(&found, c->boxes, c->count, r->better_recall);
    r->pictures_left_out = c->left_out;
}

mrcnn_status mrcnn_anchors_suggest(const mrcnn_dataset *set, const mrcnn_config *config,
                                   const mrcnn_anchor_options *options, mrcnn_anchor_report *report,
                                   mrcnn_error *err) {
    mrcnn_anchor_options o = mrcnn_anchor_options_default();
    collected c = {0};
    if (!set || !config || !report)
        return mr_fail(err, MRCNN_E_ARGUMENT, "suggesting anchors: %s is NULL",
                       !set      ? "set"
                       : !config ? "config"
                                 : "report");
    const mr_settings *settings = mr_config_settings(config);
    mrcnn_status status = mr_take_options(&o, sizeof o, options, "mrcnn_anchor_options", err);
    if (status == MRCNN_OK && settings->rpn_anchor_scales.count != settings->backbone_strides.count)
        status = mr_fail(err, MRCNN_E_CONFIG,
                         "RPN_ANCHOR_SCALES has %d numbers but BACKBONE_STRIDES has %d; give one "
                         "scale per pyramid level",
                         settings->rpn_anchor_scales.count, settings->backbone_strides.count);
    if (status == MRCNN_OK) status = collect(&c, set, settings, &o, err);
    if (status == MRCNN_OK) fill_report(report, &c, settings);
    free(c.boxes);
    return status;
}
