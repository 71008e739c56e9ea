/* inspect_data_samples.c - the page of `mrcnn inspect data`: single pictures as they are annotated, as the
 * network sees them, and what mini masks and augmentation make of them. */
#include "inspect.h"
#include "inspect_data.h"
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOP_MASKS = 4, MOST_CAPTIONS = 12, MOST_MINI = 6, MINI_CELL = 112, MINI_COLUMNS = 8 };

/* What loading costs, and what mini masks lose, over all pictures. */
typedef struct sample_sums {
    size_t loaded;
    double milliseconds, most_milliseconds;
    size_t restored;
    double overlap, least_overlap; /* IoU of restored masks with those of full size */
} sample_sums;

/* A picture that can't be shown is told, and the others go on. */
static void show_trouble(show *s, mrcnn_status status, const mrcnn_error *err) {
    if (status != MRCNN_OK) show_note(s, MRCNN_TONE_BAD, "%s", err->message);
}

/* --------------------------------------------------------------------------------- as annotated */

static void show_truth(show *s, const data_view *v, size_t picture, const char *section,
                       const truth *t) {
    char name[80], *id = set_name(v->set, picture);
    char *caption = text_format("%s: %d x %d pixels, %zu objects", id, t->image.width,
                                t->image.height, t->result->count);
    snprintf(name, sizeof name, "%s-objects", section);
    show_instances(s, name, caption, &t->image, t->result, t->result->count <= MOST_CAPTIONS);
    free(caption);
    free(id);
}

/* Not without cairo. */
static void show_top_masks(show *s, const char *section, const truth *t) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image masks = {0};
    char name[80];
    snprintf(name, sizeof name, "%s-top-masks", section);
    mrcnn_status status = mrcnn_draw_top_masks(&masks, &t->image, t->result, TOP_MASKS, &err);
    if (status == MRCNN_OK)
        show_image(s, name, "The masks of the classes that cover most of it", &masks);
    else if (status != MRCNN_E_UNSUPPORTED)
        show_trouble(s, status, &err);
    mrcnn_image_free(&masks);
}

/* -------------------------------------------------------------------------- as the network sees it */

static char *describe_frame(const data_view *v, size_t picture, const mrcnn_image *input) {
    mrcnn_objects objects = {0};
    mrcnn_placement f = {0};
    char *text = text_format("As the network sees it: %d x %d", input->width, input->height);
    if (mrcnn_dataset_objects(v->set, picture, &objects, NULL) == MRCNN_OK &&
        mrcnn_placement_of(&f, v->config, objects.height, objects.width, NULL) == MRCNN_OK) {
        char *longer = text_format("%s, scaled by %.4g; padding %d above, %d below, %d left, %d "
                                   "right",
                                   text, f.scale, f.y1, f.height - f.y2, f.x1, f.width - f.x2);
        free(text);
        text = longer;
    }
    mrcnn_objects_free(&objects);
    return text;
}

static void show_input(show *s, const data_view *v, size_t picture, const char *section,
                       const mrcnn_image *image, const mrcnn_result *result) {
    char name[80], *caption = describe_frame(v, picture, image);
    snprintf(name, sizeof name, "%s-input", section);
    show_instances(s, name, caption, image, result, 0);
    free(caption);
}

/* ----------------------------------------------------------------------------------- mini masks */

/* The part of a mask inside of a box, white on black. */
static mrcnn_image cut_mask(const mrcnn_mask *mask, const mrcnn_target_object *o) {
    mrcnn_image part = {o->x2 - o->x1, o->y2 - o->y1, 1, NULL};
    uint8_t *bytes = text_grow(NULL, (size_t)mask->height, (size_t)mask->width);
    part.pixels = text_grow(NULL, (size_t)part.height, (size_t)part.width);
    mrcnn_mask_to_bytes(mask, bytes);
    for (int y = 0; y < part.height; y++)
        for (int x = 0; x < part.width; x++)
            part.pixels[(size_t)y * (size_t)part.width + (size_t)x] =
                bytes[(size_t)(o->y1 + y) * (size_t)mask->width + (size_t)(o->x1 + x)] ? 255 : 0;
    free(bytes);
    return part;
}

static mrcnn_image cut_picture(const mrcnn_image *image, const mrcnn_target_object *o) {
    size_t channels = (size_t)image->channels, row = channels * (size_t)(o->x2 - o->x1);
    mrcnn_image part = {o->x2 - o->x1, o->y2 - o->y1, image->channels, NULL};
    part.pixels = text_grow(NULL, (size_t)part.height, row);
    for (int y = 0; y < part.height; y++)
        memcpy(part.pixels + (size_t)y * row,
               image->pixels +
                   ((size_t)(o->y1 + y) * (size_t)image->width + (size_t)o->x1) * channels,
               row);
    return part;
}

static double overlap_of(const mrcnn_image *a, const mrcnn_image *b) {
    size_t both = 0, any = 0;
    for (size_t i = 0; i < (size_t)a->width * (size_t)a->height; i++) {
        both += a->pixels[i] && b->pixels[i];
        any += a->pixels[i] || b->pixels[i];
    }
    return any ? (double)both / (double)any : 1;
}

/* Four cells: the object, its mask, the mini mask, and what is restored of it. */
static mrcnn_status add_object(mrcnn_sheet *sheet, const mrcnn_targets *t, size_t object,
                               const mrcnn_mask *full, sample_sums *sums, mrcnn_error *err) {
    const mrcnn_target_object *o = &t->objects[object];
    mrcnn_mask mask = {0};
    mrcnn_status status = mrcnn_targets_mask(t, object, &mask, err);
    if (status != MRCNN_OK) return status;
    mrcnn_image mini = {t->mask_width, t->mask_height, 1, NULL};
    size_t values = (size_t)mini.width * (size_t)mini.height;
    mini.pixels = text_grow(NULL, values, 1);
    for (size_t i = 0; i < values; i++) mini.pixels[i] = o->mask[i] ? 255 : 0;
    mrcnn_image cells[] = {cut_picture(&t->image, o), cut_mask(full, o), mini, cut_mask(&mask, o)};
    double overlap = overlap_of(&cells[1], &cells[3]);
    sums->least_overlap = sums->restored ? fmin(sums->least_overlap, overlap) : overlap;
    sums->overlap += overlap;
    sums->restored++;
    for (int i = 0; i < 4 && status == MRCNN_OK && sheet; i++)
        status = mrcnn_sheet_add(sheet, &cells[i], NULL, err);
    for (int i = 0; i < 4; i++) mrcnn_image_free(&cells[i]);
    mrcnn_mask_free(&mask);
    return status;
}

/* Objects of both come in the same order; of more than MAX_GT_INSTANCES some are missing, and which is
 * not known. */
static void show_mini_masks(show *s, const char *section, const mrcnn_targets *t,
                            const mrcnn_result *full, sample_sums *sums) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_sheet *sheet = NULL;
    char name[80];
    size_t shown = t->object_count < MOST_MINI ? t->object_count : MOST_MINI;
    if (!t->has_mini_masks || t->object_count != full->count) return;
    mrcnn_status status = mrcnn_sheet_create(&sheet, MINI_COLUMNS, MINI_CELL, &err);
    for (size_t i = 0; i < t->object_count && status == MRCNN_OK; i++)
        status = add_object(i < shown ? sheet : NULL, t, i, &full->instances[i].mask, sums, &err);
    snprintf(name, sizeof name, "%s-mini-masks", section);
    char *caption =
        text_format("Of %zu objects: picture, mask, mini mask of %d x %d as training keeps "
                    "it, and the mask restored from that",
                    shown, t->mask_height, t->mask_width);
    if (!show_failed(s, status, &err)) show_sheet(s, name, caption, &sheet);
    mrcnn_sheet_free(&sheet);
    free(caption);
}

/* -------------------------------------------------------------------------------------- samples */

/* As training loads it, with the time that takes. */
static mrcnn_status load(const data_view *v, size_t picture, mrcnn_image *image,
                         mrcnn_result **result, sample_sums *sums, mrcnn_error *err) {
    double before = progress_clock();
    mrcnn_status status = mrcnn_dataset_sample(v->set, v->config, picture, -1, image, result, err);
    double milliseconds = 1000 * (progress_clock() - before);
    if (status != MRCNN_OK) return status;
    sums->milliseconds += milliseconds;
    sums->most_milliseconds = fmax(sums->most_milliseconds, milliseconds);
    sums->loaded++;
    return MRCNN_OK;
}

static void show_sample(show *s, const data_view *v, mrcnn_target_maker *maker, size_t place,
                        sample_sums *sums) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_image image = {0};
    mrcnn_result *result = NULL;
    mrcnn_targets *targets = NULL;
    truth t = {0};
    size_t picture = v->indices[place];
    char section[40], *id = set_title(v->set, picture);
    snprintf(section, sizeof section, "sample-%zu", place);
    show_section(s, section, id, NULL);
    mrcnn_status status = truth_read(&t, v->set, picture, &err);
    if (status == MRCNN_OK) {
        show_truth(s, v, picture, section, &t);
        status = load(v, picture, &image, &result, sums, &err);
    }
    if (status == MRCNN_OK && result) show_input(s, v, picture, section, &image, result);
    if (status == MRCNN_OK) show_top_masks(s, section, &t);
    if (status == MRCNN_OK && !result)
        show_note(s, MRCNN_TONE_WARNING, "There is nothing to learn from: no object has pixels.");
    if (status == MRCNN_OK && result)
        status = mrcnn_target_maker_make(maker, picture, 0, &targets, &err);
    if (status == MRCNN_OK && targets) show_mini_masks(s, section, targets, result, sums);
    show_trouble(s, status, &err);
    mrcnn_targets_free(&targets);
    mrcnn_image_free(&image);
    mrcnn_result_free(&result);
    truth_free(&t);
    free(id);
}

static void show_sums(show *s, const sample_sums *sums) {
    show_section(
        s, "loading", "Loading",
        "Decoding, resizing and drawing masks of the pictures above, one at a time; training does "
        "this in LOADER_THREADS threads beside the network's work.");
    show_count(s, "loaded", "Pictures", sums->loaded);
    show_figure(s, "milliseconds", "Time for a picture, mean",
                sums->milliseconds / (double)sums->loaded, "ms");
    show_figure(s, "most_milliseconds", "Time for a picture, longest", sums->most_milliseconds,
                "ms");
    if (!sums->restored) return;
    show_count(s, "restored", "Mini masks compared", sums->restored);
    show_figure(s, "mini_iou", "IoU of restored masks, mean",
                sums->overlap / (double)sums->restored, NULL);
    show_figure(s, "least_mini_iou", "IoU of restored masks, worst", sums->least_overlap, NULL);
}

void data_show_samples(show *s, const data_view *v) {
    mrcnn_error err = MRCNN_ERROR_INIT;
    mrcnn_target_maker *maker = NULL;
    mrcnn_target_options options = mrcnn_target_options_default();
    sample_sums sums = {0};
    options.validation = 1;
    mrcnn_status status =
        mrcnn_target_maker_create(&maker, v->set, v->config, NULL, &options, &err);
    if (show_failed(s, status, &err)) return;
    progress_start("samples", PROGRESS_ITEMS);
    for (size_t i = 0; i < v->count; i++) {
        progress_show(i, v->count);
        show_sample(s, v, maker, i, &sums);
    }
    progress_end();
    show_sums(s, &sums);
    mrcnn_target_maker_free(&maker);
}

/* --------------------------------------------------------------------------------- augmentation */

void data_show_augmentation(show *s, const data_view *v) {
    mrcnn_image sheet = {0};
    int rows = v->count < 6 ? (int)v->count : 6;
    show_section(
        s, "augmentation", "Augmentation",
        "Each row is a picture: as validation sees it, then as training may see it, drawn by "
        "AUGMENTATION, HORIZONTAL_FLIP, MOSAIC and random crops.");
    show_text(s, "AUGMENTATION: %s", mrcnn_config_get(v->config, "AUGMENTATION"));
    if (draw_sheet(v->set, v->config, v->indices, rows, v->draws, &sheet) == 0)
        show_image(s, "augmentation", "Draws of augmentation", &sheet);
    else
        show_note(s, MRCNN_TONE_BAD, "There is no sheet, as one of the pictures can't be read.");
    mrcnn_image_free(&sheet);
}
