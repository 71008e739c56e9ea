/* coco_resolve.c - after all records of a COCO file: ids become places in lists, and what belongs to
 * nothing is noted and taken out. */
#include "data/coco_read.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT = 320, NONE = UINT16_MAX };

static mr_coco_key *sort_ids(const mr_coco_reading *r, const mr_coco_id *ids, size_t count) {
    mr_coco_key *keys = mr_calloc(count, sizeof *keys);
    for (size_t i = 0; keys && i < count; i++)
        keys[i] = (mr_coco_key){ids[i], &r->ids, (uint32_t)i};
    if (keys) mr_coco_keys_sort(keys, count);
    return keys;
}

/* Notes ids that are there more than once: the first one in the file is meant. */
static mrcnn_status note_repeated(mr_coco_reading *r, const mr_coco_key *keys, size_t count,
                                  const char *what, mrcnn_error *err) {
    char text[TEXT], room[MR_COCO_ID_TEXT];
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 1; i < count && status == MRCNN_OK; i++) {
        if (mr_coco_id_compare(&r->ids, keys[i - 1].id, keys[i].id) != 0) continue;
        snprintf(text, sizeof text, "two %s have the id %.100s: only the first one is used", what,
                 mr_coco_id_text(&r->ids, keys[i].id, room));
        status = mr_dataset_note(r->set, 1, "", -1, text, err);
    }
    return status;
}

/* ----------------------------------------------------------------------------------- categories */

/* Puts them into the order of their ids. numbers[i] becomes the place of the i-th that objects name. */
static mrcnn_status sort_categories(mr_coco_reading *r, const mr_coco_key *keys, uint16_t *numbers,
                                    mrcnn_error *err) {
    mr_coco_index *index = r->index;
    size_t kept = 0;
    mr_coco_category *sorted = mr_calloc(index->category_count, sizeof *sorted);
    if (!sorted) return mr_fail_memory(err, index->category_count * sizeof *sorted, "categories");
    for (size_t i = 0; i < r->named_count; i++) numbers[r->named_categories[i].index] = NONE;
    for (size_t i = 0; i < index->category_count; i++) {
        if (i && mr_coco_id_compare(&r->ids, keys[i - 1].id, keys[i].id) == 0) continue;
        const mr_coco_key *named =
            mr_coco_keys_find(r->named_categories, r->named_count, &r->ids, keys[i].id);
        if (named) numbers[named->index] = (uint16_t)kept;
        sorted[kept++] = index->categories[keys[i].index];
    }
    free(index->categories);
    index->categories = sorted;
    index->category_count = kept;
    return MRCNN_OK;
}

static mrcnn_status resolve_categories(mr_coco_reading *r, uint16_t *numbers, mrcnn_error *err) {
    size_t count = r->index->category_count;
    mr_coco_key *keys = sort_ids(r, r->category_ids, count);
    if (!keys) return mr_fail_memory(err, count * sizeof *keys, "categories");
    mrcnn_status status = note_repeated(r, keys, count, "categories", err);
    if (status == MRCNN_OK) status = sort_categories(r, keys, numbers, err);
    free(keys);
    return status;
}

/* -------------------------------------------------------------------------------------- objects */

typedef struct object_finder {
    mr_coco_reading *r;
    const mr_coco_key *images;
    const mr_coco_key *last; /* that was found: often the next one's, too */
    const uint16_t *categories;
} object_finder;

static const mr_coco_key *find_image(object_finder *f, mr_coco_id id) {
    const mr_coco_reading *r = f->r;
    if (!f->last || f->last->id != id)
        f->last = mr_coco_keys_find(f->images, r->index->image_count, &r->ids, id);
    return f->last;
}

static const char *category_id(const mr_coco_reading *r, uint16_t number,
                               char room[MR_COCO_ID_TEXT]) {
    for (size_t i = 0; i < r->named_count; i++)
        if (r->named_categories[i].index == number)
            return mr_coco_id_text(&r->ids, r->named_categories[i].id, room);
    return "";
}

/* Reads a segmentation that may be anything. Run lengths of another size are a crowd's only, which
 * then counts as the whole picture. */
static mrcnn_status look_at(const mr_coco_reading *r, size_t i, const mr_coco_image *image,
                            mrcnn_error *why) {
    mr_coco_segment segment;
    mrcnn_status status = mr_coco_read_segment(&segment, r->file, &r->index->shapes[i], why);
    if (status != MRCNN_OK) return status;
    const mrcnn_mask *runs = &segment.runs;
    if (segment.polygons.rule == MR_RULE_NONE && image->height && image->width &&
        (runs->height != image->height || runs->width != image->width) &&
        !r->index->marks[i].is_crowd)
        status = mr_fail(why, MRCNN_E_FORMAT,
                         "its run lengths are of %d x %d pixels, the image is of %d x %d",
                         runs->width, runs->height, image->width, image->height);
    mr_coco_segment_free(&segment);
    return status;
}

/* Whether the object can be used; notes why not. */
static mrcnn_status judge(object_finder *f, size_t i, int *usable, mrcnn_error *err) {
    mr_coco_reading *r = f->r;
    mr_coco_index *index = r->index;
    mr_coco_mark *mark = &index->marks[i];
    char text[TEXT], room[MR_COCO_ID_TEXT];
    mrcnn_error why = MRCNN_ERROR_INIT;
    const mr_coco_key *image = find_image(f, r->object_images[i]);
    int64_t place = index->shapes[i].place;
    *usable = 0;
    if (!image) {
        snprintf(text, sizeof text, "there is no image with its image_id %.100s",
                 mr_coco_id_text(&r->ids, r->object_images[i], room));
        return mr_coco_leave_out(r, "", place, text, err);
    }
    const mr_coco_image *found = &index->images[image->index];
    const char *picture = index->texts + found->name;
    mark->image = image->index;
    if (f->categories[mark->category] == NONE) {
        snprintf(text, sizeof text, "there is no category with its category_id %.100s",
                 category_id(r, mark->category, room));
        return mr_coco_leave_out(r, picture, place, text, err);
    }
    mark->category = f->categories[mark->category];
    if (mark->form == MR_COCO_NOTHING)
        return mr_coco_leave_out(r, picture, place, "it has no segmentation", err);
    if (mark->form == MR_COCO_BOX_ONLY)
        return mr_coco_leave_out(r, picture, place, "its segmentation is empty: it has only a box",
                                 err);
    if (mark->form == MR_COCO_UNCLEAR && look_at(r, i, found, &why) != MRCNN_OK)
        return why.status == MRCNN_E_MEMORY || why.status == MRCNN_E_IO
                   ? mr_fail(err, why.status, "%s", why.message)
                   : mr_coco_leave_out(r, picture, place, why.message, err);
    *usable = 1;
    return MRCNN_OK;
}

static mrcnn_status resolve_objects(object_finder *f, mrcnn_error *err) {
    mr_coco_index *index = f->r->index;
    size_t kept = 0;
    mrcnn_status status = MRCNN_OK;
    for (size_t i = 0; i < index->object_count && status == MRCNN_OK; i++) {
        int usable;
        status = judge(f, i, &usable, err);
        if (status != MRCNN_OK || !usable) continue;
        index->shapes[kept] = index->shapes[i];
        index->marks[kept++] = index->marks[i];
    }
    index->object_count = kept;
    return status;
}

mrcnn_status mr_coco_resolve(mr_coco_reading *r, mrcnn_error *err) {
    size_t images = r->index->image_count;
    uint16_t *numbers = mr_calloc(r->named_count, sizeof *numbers);
    mr_coco_key *keys = sort_ids(r, r->image_ids, images);
    object_finder f = {.r = r, .images = keys, .categories = numbers};
    mrcnn_status status = numbers && keys ? resolve_categories(r, numbers, err)
                                          : mr_fail_memory(err, images * sizeof *keys, "images");
    if (status == MRCNN_OK) status = note_repeated(r, keys, images, "images", err);
    if (status == MRCNN_OK) status = resolve_objects(&f, err);
    free(keys);
    free(numbers);
    return status;
}
