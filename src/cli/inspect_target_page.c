/* inspect_target_page.c - the page of `mrcnn inspect targets`: what all pictures together teach, then each
 * picture with its anchors, RoIs and mask targets drawn. */
#include "inspect_targets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_MARKS = 60, /* negatives that are drawn */
    MOST_POSITIVES = 120,
    MOST_MASKS = 12, /* RoIs on the sheet of mask targets */
    SHEET_CELL = 112,
    SHEET_COLUMNS = 8
};

/* ------------------------------------------------------------------------------------- together */

static void show_deltas(show *s, const target_sums *sums) {
    static const char *const names[] = {"dy", "dx", "log dh", "log dw"};
    static const char *const columns[] = {"delta", "RPN, mean", "RPN, std", "heads, mean",
                                          "heads, std"};
    mrcnn_cell cells[20];
    for (int i = 0; i < 4; i++) {
        double mean, deviation;
        cells[5 * i] = mrcnn_cell_text(names[i]);
        delta_moments(&sums->rpn, i, &mean, &deviation);
        cells[5 * i + 1] = mrcnn_cell_number(mean, 3);
        cells[5 * i + 2] = mrcnn_cell_number(deviation, 3);
        delta_moments(&sums->heads, i, &mean, &deviation);
        cells[5 * i + 3] = mrcnn_cell_number(mean, 3);
        cells[5 * i + 4] = mrcnn_cell_number(deviation, 3);
    }
    show_section(
        s, "deltas", "Deltas",
        "How far positive anchors and RoIs are to be moved, divided by RPN_BBOX_STD_DEV and "
        "BBOX_STD_DEV: learning is easiest when means are near 0 and standard deviations near 1.");
    show_table(s, "moments", "Mean and standard deviation", columns, 5, cells, 4);
    for (int i = 0; i < 4; i++) {
        char name[32], caption[64];
        snprintf(name, sizeof name, "rpn-delta-%d", i);
        snprintf(caption, sizeof caption, "RPN: %s of positive anchors", names[i]);
        show_histogram(s, name, caption, names[i], sums->rpn.values[i], sums->rpn.count, 40);
    }
}

static void show_classes(show *s, const target_sums *sums, const mrcnn_dataset *set) {
    size_t count = (size_t)sums->class_count - 1;
    const char **names = dataset_class_names(set);
    if (sums->positive_rois && count > 1)
        show_bars(s, "roi-classes", "Classes of the positive RoIs", "RoIs", names + 1,
                  sums->class_rois + 1, count);
    free(names);
}

/* What is worth a look, in words. */
static void show_findings(show *s, const target_sums *sums) {
    if (sums->nothing)
        show_note(s, MRCNN_TONE_WARNING,
                  "%zu of the pictures have nothing to learn from: no object with pixels. Training "
                  "passes "
                  "over them.",
                  sums->nothing);
    if (sums->pictures && !sums->positive_rois)
        show_note(s, sums->are_proposals ? MRCNN_TONE_WARNING : MRCNN_TONE_BAD,
                  "No RoI meets an object with an IoU of 0.5 or more. Then the heads learn "
                  "nothing, since "
                  "without positive RoIs there are no negative ones either (N28).%s",
                  sums->are_proposals ? " At the beginning of a training that is usual." : "");
    size_t blank = sums->empty_masks + sums->full_masks;
    if (sums->positive_rois && blank == sums->positive_rois)
        show_note(
            s, MRCNN_TONE_BAD,
            "All mask targets are blank: each is all 0 or all 1. The mask head would learn to "
            "predict nothing; look at the objects' masks with `mrcnn inspect data`.");
    else if (sums->empty_masks)
        show_note(s, MRCNN_TONE_WARNING, "%zu of %zu mask targets have no pixel of their object.",
                  sums->empty_masks, sums->positive_rois);
    if (sums->objects > sums->objects_in_reach)
        show_note(
            s, MRCNN_TONE_PLAIN,
            "%zu of %zu objects are met by no anchor with an IoU of 0.7 or more; each still has "
            "its best anchor as a positive one. `mrcnn inspect anchors` says what could be done.",
            sums->objects - sums->objects_in_reach, sums->objects);
}

static void show_losses(show *s, const target_sums *sums) {
    const mrcnn_losses *l = &sums->losses;
    double n = (double)sums->pictures;
    if (!sums->are_proposals) return;
    show_heading(s, "What the network loses on them, on average");
    show_figure(s, "loss", "loss", l->total / n, NULL);
    show_figure(s, "rpn_class_loss", "rpn_class_loss", l->rpn_class / n, NULL);
    show_figure(s, "rpn_bbox_loss", "rpn_bbox_loss", l->rpn_bbox / n, NULL);
    show_figure(s, "mrcnn_class_loss", "mrcnn_class_loss", l->mrcnn_class / n, NULL);
    show_figure(s, "mrcnn_bbox_loss", "mrcnn_bbox_loss", l->mrcnn_bbox / n, NULL);
    show_figure(s, "mrcnn_mask_loss", "mrcnn_mask_loss", l->mrcnn_mask / n, NULL);
}

void targets_show_summary(show *s, const target_sums *sums, const mrcnn_dataset *set) {
    show_section(
        s, "targets", "All pictures together",
        sums->are_proposals
            ? "What training would have the network answer. RoIs are the network's own "
              "proposals."
            : "What training would have the network answer. There is no network, so RoIs are "
              "random: nine out of ten around objects.");
    show_count(s, "pictures", "Pictures", sums->pictures);
    show_count(s, "objects", "Objects, without crowds", sums->objects);
    show_count(s, "positive_anchors", "Positive anchors", sums->positive_anchors);
    show_count(s, "negative_anchors", "Negative anchors", sums->negative_anchors);
    show_count(s, "neutral_anchors", "Neutral anchors",
               sums->anchors - sums->positive_anchors - sums->negative_anchors);
    show_count(s, "not_in_reach", "Objects without an anchor of IoU 0.7",
               sums->objects - sums->objects_in_reach);
    show_count(s, "rois", "RoIs to choose from", sums->rois);
    show_count(s, "positive_rois", "Positive RoIs", sums->positive_rois);
    show_count(s, "negative_rois", "Negative RoIs", sums->negative_rois);
    show_count(s, "padding", "Padding instead of RoIs", sums->padding);
    show_figure(s, "ratio", "Positive to negative RoIs",
                (double)sums->positive_rois / (double)sums->negative_rois, NULL);
    show_count(s, "not_proposed", "Objects without a RoI of IoU 0.5",
               sums->objects - sums->objects_proposed);
    show_count(s, "empty_masks", "Mask targets that are all 0", sums->empty_masks);
    show_count(s, "full_masks", "Mask targets that are all 1", sums->full_masks);
    show_losses(s, sums);
    show_findings(s, sums);
    show_classes(s, sums, set);
    show_deltas(s, sums);
}

/* ---------------------------------------------------------------------------------- one picture */

static const double green[3] = {0.2, 0.9, 0.3}, red[3] = {1, 0.25, 0.25},
                    yellow[3] = {1, 0.85, 0.1};

static mrcnn_mark mark_of(const double box[4], const double color[3], mrcnn_line line,
                          const char *caption) {
    return (mrcnn_mark){.y1 = box[0],
                        .x1 = box[1],
                        .y2 = box[2],
                        .x2 = box[3],
                        .red = color[0],
                        .green = color[1],
                        .blue = color[2],
                        .alpha = 1,
                        .line = line,
                        .caption = caption};
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Positive anchors dashed, where they are to be moved solid. */
static void show_positive_anchors(show *s, const mrcnn_targets *t, const char *name) {
    size_t wanted = least(t->positive_anchors, MOST_POSITIVES), count = 0;
    mrcnn_mark *marks = text_grow(NULL, 2 * wanted + 1, sizeof *marks);
    for (size_t i = 0, seen = 0; i < t->anchor_count && seen < wanted; i++) {
        const mrcnn_target_anchor *a = &t->anchors[i];
        double color[3];
        if (a->match < 0) continue;
        mrcnn_class_color((int)++seen, color);
        marks[count++] = mark_of(a->refined, color, MRCNN_LINE_SOLID, NULL);
        marks[count++] = mark_of(a->box, color, MRCNN_LINE_DASHED, NULL);
    }
    char *caption = text_format(
        "%zu positive anchors, dashed, and where they are to be moved, solid", t->positive_anchors);
    show_marks(s, name, caption, &t->image, marks, count);
    free(caption);
    free(marks);
}

static void show_negative_anchors(show *s, const mrcnn_targets *t, const char *name) {
    size_t negatives = t->anchor_count - t->positive_anchors, count = 0;
    size_t step = negatives / MOST_MARKS + 1;
    mrcnn_mark marks[MOST_MARKS + 1];
    for (size_t i = 0, seen = 0; i < t->anchor_count && count < MOST_MARKS; i++)
        if (t->anchors[i].match < 0 && seen++ % step == 0)
            marks[count++] = mark_of(t->anchors[i].box, red, MRCNN_LINE_SOLID, NULL);
    char *caption = text_format("%zu of %zu negative anchors; %zu are neutral", count, negatives,
                                t->all_anchors - t->anchor_count);
    show_marks(s, name, caption, &t->image, marks, count);
    free(caption);
}

static void show_rois(show *s, const mrcnn_targets *t, const char *name) {
    size_t positives = least(t->positive_rois, MOST_POSITIVES), count = 0;
    size_t negatives = t->roi_count - t->positive_rois, step = negatives / MOST_MARKS + 1;
    mrcnn_mark *marks = text_grow(NULL, positives + MOST_MARKS + 1, sizeof *marks);
    for (size_t i = 0; i < positives; i++)
        marks[count++] = mark_of(t->rois[i].box, green, MRCNN_LINE_SOLID, NULL);
    for (size_t i = 0, drawn = 0; i < negatives && drawn < MOST_MARKS; i += step, drawn++)
        marks[count++] = mark_of(t->rois[t->positive_rois + i].box, red, MRCNN_LINE_DOTTED, NULL);
    char *caption =
        text_format("RoIs: %zu positive, green; %zu negative, red and dotted, %zu of them "
                    "drawn; chosen from %zu",
                    t->positive_rois, negatives, count - positives, t->all_rois);
    show_marks(s, name, caption, &t->image, marks, count);
    free(caption);
    free(marks);
}

static void show_refined_rois(show *s, const mrcnn_targets *t, const mrcnn_dataset *set,
                              const char *name) {
    size_t positives = least(t->positive_rois, MOST_POSITIVES), count = 0;
    mrcnn_mark *marks = text_grow(NULL, 2 * positives + 1, sizeof *marks);
    uint8_t *named = text_grow(NULL, t->object_count + 1, 1);
    memset(named, 0, t->object_count + 1);
    for (size_t i = 0; i < positives; i++) {
        const mrcnn_target_roi *roi = &t->rois[i];
        const char *class_name =
            named[roi->object]++ ? NULL : mrcnn_dataset_class_name(set, roi->class_id);
        marks[count++] = mark_of(roi->refined, yellow, MRCNN_LINE_SOLID, class_name);
    }
    for (size_t i = 0; i < positives; i++)
        marks[count++] = mark_of(t->rois[i].box, green, MRCNN_LINE_DASHED, NULL);
    show_marks(s, name, "Positive RoIs, dashed, and where they are to be moved, solid", &t->image,
               marks, count);
    free(named);
    free(marks);
}

/* --------------------------------------------------------------------------------- mask targets */

static int clamp(double value, int most) {
    return value < 0 ? 0 : value > most ? most : (int)value;
}

/* The picture inside of a box; no pixels when there are none. */
static mrcnn_image cut(const mrcnn_image *image, const double box[4]) {
    int y1 = clamp(floor(box[0]), image->height), y2 = clamp(ceil(box[2]), image->height);
    int x1 = clamp(floor(box[1]), image->width), x2 = clamp(ceil(box[3]), image->width);
    mrcnn_image part = {x2 - x1, y2 - y1, image->channels, NULL};
    if (part.width < 1 || part.height < 1) return part;
    size_t channels = (size_t)image->channels, row = (size_t)part.width * channels;
    part.pixels = text_grow(NULL, (size_t)part.height, row);
    for (int y = 0; y < part.height; y++)
        memcpy(part.pixels + (size_t)y * row,
               image->pixels + ((size_t)(y1 + y) * (size_t)image->width + (size_t)x1) * channels,
               row);
    return part;
}

static mrcnn_image grey_of(const float *mask, int height, int width) {
    mrcnn_image image = {width, height, 1, text_grow(NULL, (size_t)height, (size_t)width)};
    for (size_t i = 0; i < (size_t)height * (size_t)width; i++)
        image.pixels[i] = mask[i] > 0.5f ? 255 : 0;
    return image;
}

/* Beside each other: what a RoI sees, and the mask that it is to answer with. RoIs of different objects
 * come first. */
static void show_mask_targets(show *s, const mrcnn_targets *t, const char *name) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_sheet *sheet = NULL;
    size_t wanted = least(t->positive_rois, MOST_MASKS), shown = 0;
    if (!wanted) return;
    mrcnn_status status = mrcnn_sheet_create(&sheet, SHEET_COLUMNS, SHEET_CELL, &err);
    size_t step = t->positive_rois / wanted;
    for (size_t i = 0; i < t->positive_rois && shown < wanted && status == MRCNN_OK; i += step) {
        mrcnn_image part = cut(&t->image, t->rois[i].box);
        mrcnn_image mask = grey_of(t->rois[i].mask, t->target_height, t->target_width);
        status = mrcnn_sheet_add(sheet, part.pixels ? &part : NULL, NULL, &err);
        if (status == MRCNN_OK) status = mrcnn_sheet_add(sheet, &mask, NULL, &err);
        mrcnn_image_free(&part);
        mrcnn_image_free(&mask);
        shown++;
    }
    char *caption = text_format("Mask targets of %d x %d beside what %zu of the positive RoIs see",
                                t->target_height, t->target_width, shown);
    if (!show_failed(s, status, &err)) show_sheet(s, name, caption, &sheet);
    mrcnn_sheet_free(&sheet);
    free(caption);
}

static void show_objects(show *s, const mrcnn_targets *t, const mrcnn_dataset *set,
                         const char *key) {
    static const char *const columns[] = {"class",          "width",
                                          "height",         "best anchor's IoU",
                                          "best RoI's IoU", "positive anchors",
                                          "positive RoIs"};
    mrcnn_cell *cells = text_grow(NULL, t->object_count + 1, 7 * sizeof *cells);
    for (size_t i = 0; i < t->object_count; i++) {
        const mrcnn_target_object *o = &t->objects[i];
        mrcnn_cell *row = cells + 7 * i;
        row[0] = show_cell(s, "%s%s", mrcnn_dataset_class_name(set, abs(o->class_id)),
                           o->class_id < 0 ? " (crowd)" : "");
        row[1] = mrcnn_cell_number(o->x2 - o->x1, 0);
        row[2] = mrcnn_cell_number(o->y2 - o->y1, 0);
        row[3] = mrcnn_cell_number(o->anchor_iou, 3);
        row[4] = mrcnn_cell_number(o->roi_iou, 3);
        row[5] = mrcnn_cell_number((double)o->anchors, 0);
        row[6] = mrcnn_cell_number((double)o->rois, 0);
        if (o->anchor_iou < 0.7) row[3].tone = MRCNN_TONE_WARNING;
        if (o->roi_iou < 0.5) row[4].tone = MRCNN_TONE_WARNING;
    }
    show_table(s, key, "Objects, in pixels of the input", columns, 7, cells, t->object_count);
    free(cells);
}

void targets_show_picture(show *s, const mrcnn_targets *t, const mrcnn_dataset *set) {
    char *id = set_title(set, t->picture), section[48], name[80];
    char *title = text_format("%s, draw %lld", id, (long long)t->number);
    snprintf(section, sizeof section, "draw-%lld", (long long)t->number);
    show_section(s, section, title, NULL);
    show_count(s, "objects", "Objects", t->object_count);
    show_count(s, "positive_anchors", "Positive anchors", t->positive_anchors);
    show_count(s, "negative_anchors", "Negative anchors", t->anchor_count - t->positive_anchors);
    show_count(s, "positive_rois", "Positive RoIs", t->positive_rois);
    show_count(s, "negative_rois", "Negative RoIs", t->roi_count - t->positive_rois);
    if (t->are_proposals) show_figure(s, "loss", "Loss", t->losses.total, NULL);
    snprintf(name, sizeof name, "%s-positive-anchors", section);
    show_positive_anchors(s, t, name);
    snprintf(name, sizeof name, "%s-negative-anchors", section);
    show_negative_anchors(s, t, name);
    snprintf(name, sizeof name, "%s-rois", section);
    show_rois(s, t, name);
    snprintf(name, sizeof name, "%s-refined-rois", section);
    show_refined_rois(s, t, set, name);
    snprintf(name, sizeof name, "%s-masks", section);
    show_mask_targets(s, t, name);
    show_objects(s, t, set, "object_table");
    free(title);
    free(id);
}
