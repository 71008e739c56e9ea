/* truth.c - see truth.h. */
#include "eval/truth.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/mask.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- the set */

static size_t count_parts(const mr_dataset *set) {
    const mr_dataset *last = NULL;
    size_t count = 0;
    for (size_t i = 0; i < set->picture_count; i++) {
        size_t index = i;
        const mr_dataset *part = mr_dataset_part(set, &index);
        count += part != last;
        last = part;
    }
    return count;
}

static mrcnn_status open_parts(mr_truth_reader *r, mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    const mr_dataset *last = NULL;
    for (size_t i = 0; i < r->set->picture_count && status == MRCNN_OK; i++) {
        size_t index = i;
        const mr_dataset *set = mr_dataset_part(r->set, &index);
        if (set == last) continue;
        mr_truth_part *part = &r->parts[r->count++];
        *part = (mr_truth_part){.set = set, .first = i, .is_coco = set->format == &mr_format_coco};
        if (part->is_coco) status = mr_coco_truth_read(&part->coco, set, err);
        last = set;
    }
    return status;
}

mrcnn_status mr_truth_reader_open(mr_truth_reader *r, const mr_dataset *set, mrcnn_error *err) {
    size_t count = count_parts(set);
    *r = (mr_truth_reader){.set = set, .parts = mr_calloc(count, sizeof *r->parts)};
    if (!r->parts) return mr_fail_memory(err, count * sizeof *r->parts, "a data set");
    if (set->picture_count >= UINT32_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "a data set of too many pictures");
    return open_parts(r, err);
}

void mr_truth_reader_close(mr_truth_reader *r) {
    for (size_t i = 0; i < r->count; i++) mr_coco_truth_free(&r->parts[i].coco);
    free(r->parts);
    *r = (mr_truth_reader){0};
}

const mr_truth_part *mr_truth_part_of(const mr_truth_reader *r, size_t index) {
    size_t i = r->count - 1;
    while (r->parts[i].first > index) i--;
    return &r->parts[i];
}

uint32_t mr_truth_place(const mr_truth_reader *r, size_t index) {
    const mr_truth_part *part = mr_truth_part_of(r, index);
    if (!part->is_coco) return (uint32_t)index;
    return (uint32_t)part->first + part->coco.ranks[index - part->first];
}

mrcnn_status mr_truth_size(const mr_truth_reader *r, size_t index, int32_t *height, int32_t *width,
                           mrcnn_error *err) {
    const mr_truth_part *part = mr_truth_part_of(r, index);
    if (part->is_coco) {
        const int32_t *size = part->coco.sizes[index - part->first];
        *height = size[0];
        *width = size[1];
        if (size[0] && size[1]) return MRCNN_OK;
    }
    return mr_dataset_picture_size(part->set, index - part->first, height, width, err);
}

/* ------------------------------------------------------------------------------------- objects */

void mr_truths_free(mr_truths *all) {
    for (size_t i = 0; i < all->count; i++) mrcnn_mask_free(&all->items[i].mask);
    free(all->items);
    *all = (mr_truths){0};
}

mrcnn_truth mr_truth_of_mask(const mrcnn_mask *mask, int32_t class_id) {
    int32_t box[4];
    mr_mask_box(mask, box);
    return (mrcnn_truth){.class_id = class_id < 0 ? -class_id : class_id,
                         .is_crowd = class_id < 0,
                         .x = box[1],
                         .y = box[0],
                         .width = (double)box[3] - box[1],
                         .height = (double)box[2] - box[0],
                         .area = (double)mrcnn_mask_area(mask),
                         .mask = *mask};
}

/* The picture's objects, one after the other. */
typedef struct drawing {
    const mr_truth_reader *reader;
    const mr_coco_truth *coco; /* NULL: another format */
    mr_masks masks;
    uint8_t *scratch;
} drawing;

static const mr_coco_measure *measure_of(const drawing *d, size_t object, mr_about_object *about) {
    if (!d->coco) return NULL;
    mr_dataset_about(d->reader->set, d->masks.index, object, about);
    return about->region < d->coco->measure_count ? &d->coco->measures[about->region] : NULL;
}

static void take_measure(mrcnn_truth *truth, const mr_coco_measure *measure) {
    if (!measure) return;
    if (!isnan(measure->area)) truth->area = measure->area;
    if (isnan(measure->box[0])) return;
    truth->x = measure->box[0];
    truth->y = measure->box[1];
    truth->width = measure->box[2];
    truth->height = measure->box[3];
}

/* 1: the annotations say it all. */
static int take_without_mask(const drawing *d, size_t object, mrcnn_truth *truth) {
    mr_about_object about;
    const mr_coco_measure *measure = measure_of(d, object, &about);
    if (!measure || isnan(measure->area) || isnan(measure->box[0])) return 0;
    *truth = (mrcnn_truth){.class_id = about.class_id, .is_crowd = about.is_crowd};
    take_measure(truth, measure);
    return 1;
}

/* Objects without a pixel are left out, as in training (N51), unless they are COCO's: for pycocotools
 * they are there. */
static mrcnn_status draw_object(drawing *d, size_t object, mr_truths *all, mrcnn_error *err) {
    mrcnn_mask mask = {0};
    mr_about_object about;
    int class_id = 0;
    mrcnn_status status = mr_masks_encode(&d->masks, object, d->scratch, &mask, &class_id, err);
    if (status != MRCNN_OK) return status;
    mrcnn_truth truth = mr_truth_of_mask(&mask, class_id);
    if (!d->coco && truth.area == 0) {
        mrcnn_mask_free(&mask);
        return MRCNN_OK;
    }
    take_measure(&truth, measure_of(d, object, &about));
    all->items[all->count++] = truth;
    return MRCNN_OK;
}

mrcnn_status mr_truths_read(mr_truths *all, const mr_truth_reader *r, size_t index, int32_t height,
                            int32_t width, int with_masks, mrcnn_error *err) {
    size_t count = mrcnn_dataset_picture(r->set, index)->object_count, pixels = SIZE_MAX;
    const mr_truth_part *part = mr_truth_part_of(r, index);
    drawing d = {.reader = r, .coco = part->is_coco ? &part->coco : NULL};
    if (height > 0 && width > 0 && mr_mul_size((size_t)height, (size_t)width, &pixels))
        d.scratch = malloc(pixels);
    *all = (mr_truths){mr_calloc(count, sizeof *all->items), 0};
    mrcnn_status status = mr_masks_open(&d.masks, r->set, index, height, width, err);
    if (status == MRCNN_OK && (!all->items || !d.scratch))
        status = mr_fail_memory(err, pixels, "objects");
    for (size_t i = 0; i < count && status == MRCNN_OK; i++) {
        if (!with_masks && take_without_mask(&d, i, &all->items[all->count]))
            all->count++;
        else
            status = draw_object(&d, i, all, err);
    }
    mr_masks_close(&d.masks);
    free(d.scratch);
    if (status != MRCNN_OK) mr_truths_free(all);
    return status;
}
