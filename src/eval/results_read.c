/* results_read.c - see results.h. What an entry means follows pycocotools' loadRes. */
#include "eval/results.h"

#include "base/error.h"
#include "base/memory.h"
#include "data/coco_raster.h"
#include "image/mask.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct reading {
    mr_results *results;
    mr_lookup lookup;
    const char *path;
    size_t total; /* entries */
} reading;

/* --------------------------------------------------------------------------------------- entries */

/* 0: none is given. */
static int is_box(const mr_json *value) {
    return value && value->kind != MR_JSON_NULL &&
           !(value->kind == MR_JSON_ARRAY && value->count == 0);
}

static int read_box(const mr_json *value, double box[4]) {
    return mr_json_numbers(value, box, 4) && box[2] >= 0 && box[3] >= 0 &&
           isfinite(box[0] + box[1] + box[2] + box[3] + box[2] * box[3]);
}

/* 0: none is given. */
static int is_segmentation(const mr_json *value) {
    return value && value->kind != MR_JSON_NULL &&
           !(value->kind == MR_JSON_CUT && value->cut->is_empty && !value->cut->is_object);
}

static mrcnn_status take_segmentation(const reading *r, const mr_json *value, mr_found *found,
                                      mrcnn_error *err) {
    if (!is_segmentation(value))
        return r->results->has_boxes ? MRCNN_OK
                                     : mr_fail(err, MRCNN_E_FORMAT,
                                               "there is no segmentation, as the first entry has");
    if (value->kind != MR_JSON_CUT)
        return mr_fail(err, MRCNN_E_FORMAT, "segmentation is %s instead of run lengths or polygons",
                       mr_json_kind_name(value));
    if (value->cut->length > INT32_MAX)
        return mr_fail(err, MRCNN_E_FORMAT, "its segmentation is too long");
    found->begin = value->cut->begin;
    found->length = (uint32_t)value->cut->length;
    return MRCNN_OK;
}

static mrcnn_status take_box(const reading *r, const mr_json *value, mr_found *found,
                             mrcnn_error *err) {
    for (int i = 0; i < 4; i++) found->box[i] = NAN;
    if (!r->results->has_boxes && !is_box(value)) return MRCNN_OK;
    if (read_box(value, found->box)) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_FORMAT,
                   value ? "bbox is not [x, y, width, height]"
                         : "there is no bbox, as the first entry has");
}

/* A box that is there and not empty: the file's boxes count. */
static mrcnn_status look_at_first(mr_results *results, const mr_json *entry, mrcnn_error *err) {
    results->has_boxes = is_box(mr_json_get(entry, "bbox"));
    results->has_masks = is_segmentation(mr_json_get(entry, "segmentation"));
    if (results->has_boxes || results->has_masks) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_FORMAT,
                   "there is neither a bbox nor a segmentation (key points and captions are not "
                   "evaluated)");
}

static mrcnn_status fill_entry(reading *r, const mr_json *entry, mr_found *found,
                               mrcnn_error *err) {
    mrcnn_status status = MRCNN_OK;
    if (entry->kind != MR_JSON_OBJECT)
        return mr_fail(err, MRCNN_E_FORMAT, "it is %s instead of an object",
                       mr_json_kind_name(entry));
    if (found->place == 0) status = look_at_first(r->results, entry, err);
    if (status == MRCNN_OK)
        status = mr_lookup_entry(&r->lookup, entry, &found->picture, &found->class_id, err);
    const mr_json *score = mr_json_get(entry, "score");
    if (status == MRCNN_OK && !mr_json_number(score, &found->score))
        status = mr_fail(err, MRCNN_E_FORMAT, "score is %s instead of a number",
                         score && score->kind == MR_JSON_NUMBER ? "too large a number"
                                                                : mr_json_kind_name(score));
    if (status == MRCNN_OK) status = take_box(r, mr_json_get(entry, "bbox"), found, err);
    if (status == MRCNN_OK && r->results->has_masks)
        status = take_segmentation(r, mr_json_get(entry, "segmentation"), found, err);
    return status;
}

static mrcnn_status fail_entry(const char *path, uint32_t place, mrcnn_status status,
                               mrcnn_error *err) {
    char *where = mr_format("%s: entry %u", path, place);
    if (!where) return mr_fail_memory(err, strlen(path), "a message");
    mr_prefix(err, status, where);
    free(where);
    return status;
}

static mrcnn_status add_entry(void *user, const mr_json_place *place, const mr_json *entry,
                              mrcnn_error *err) {
    reading *r = user;
    mr_results *results = r->results;
    mr_found found = {.place = (uint32_t)r->total};
    (void)place;
    if (r->total >= UINT32_MAX)
        return mr_fail(err, MRCNN_E_UNSUPPORTED, "%s: too many entries", r->path);
    mrcnn_status status = fill_entry(r, entry, &found, err);
    if (status != MRCNN_OK) return fail_entry(r->path, found.place, status, err);
    r->total++;
    if (found.class_id == 0) return MRCNN_OK;
    if (!mr_dataset_grow((void **)&results->items, &results->room, results->count, 1,
                         sizeof *results->items))
        return mr_fail_memory(err, sizeof found, "detections");
    results->items[results->count++] = found;
    return MRCNN_OK;
}

static mr_json_choice choose(void *user, const mr_json_place *place) {
    (void)user;
    if (place->depth > 0) return MR_JSON_TAKE;
    return place->kind == MR_JSON_ARRAY ? MR_JSON_WALK : MR_JSON_STOP;
}

/* -------------------------------------------------------------------------------------- the file */

/* Puts the entries of each picture side by side, in the file's order. */
static mrcnn_status sort_by_picture(mr_results *results, size_t pictures, mrcnn_error *err) {
    size_t count = results->count, sum = 0;
    mr_found *sorted = mr_calloc(count, sizeof *sorted);
    size_t *next = results->first = mr_calloc(pictures + 2, sizeof *next);
    if (!sorted || !next) {
        free(sorted);
        return mr_fail_memory(err, count * sizeof *sorted, "detections");
    }
    for (size_t i = 0; i < count; i++) next[results->items[i].picture + 2]++;
    for (size_t i = 2; i < pictures + 2; i++) next[i] = sum += next[i];
    for (size_t i = 0; i < count; i++)
        sorted[next[results->items[i].picture + 1]++] = results->items[i];
    free(results->items);
    results->items = sorted;
    return MRCNN_OK;
}

static mrcnn_status read_entries(reading *r, mrcnn_error *err) {
    mr_json_reader reader = {choose, add_entry, r};
    mrcnn_status status = mr_json_read_cutting(r->path, "segmentation", &reader, err);
    if (status == MRCNN_E_CANCELLED)
        status = mr_fail(err, MRCNN_E_FORMAT,
                         "%s: this is no file of results: it isn't a list of detections", r->path);
    return status;
}

mrcnn_status mr_results_open(mr_results *results, const char *path, mr_truth_reader *reader,
                             mrcnn_error *err) {
    reading r = {.results = results, .path = path};
    *results = (mr_results){.has_boxes = 1, .has_masks = 1};
    mrcnn_status status = mr_coco_file_open(&results->file, path, err);
    if (status == MRCNN_OK) status = mr_lookup_open(&r.lookup, reader, err);
    if (status == MRCNN_OK) status = read_entries(&r, err);
    if (status == MRCNN_OK) status = mr_lookup_check(&r.lookup, path, r.total, err);
    if (status == MRCNN_OK) status = mr_coco_file_check(&results->file, err);
    if (status == MRCNN_OK) status = sort_by_picture(results, reader->set->picture_count, err);
    mr_lookup_close(&r.lookup);
    return status;
}

void mr_results_close(mr_results *results) {
    mr_coco_file_close(&results->file);
    free(results->items);
    free(results->first);
    *results = (mr_results){.file = {.descriptor = -1}};
}

/* ---------------------------------------------------------------------------------------- masks */

static mrcnn_status draw(mrcnn_mask *mask, const mr_polygon_list *list, int32_t height,
                         int32_t width, mrcnn_error *err) {
    return mr_coco_fill(mask, list->xy, list->points, list->count, height, width, err);
}

/* A box without a segmentation is all that there is of it. */
static mrcnn_status draw_box(mrcnn_mask *mask, const double box[4], int32_t height, int32_t width,
                             mrcnn_error *err) {
    double x1 = box[0], y1 = box[1], x2 = box[0] + box[2], y2 = box[1] + box[3];
    const double xy[] = {x1, y1, x1, y2, x2, y2, x2, y1};
    const size_t points = 4;
    return mr_coco_fill(mask, xy, &points, 1, height, width, err);
}

static mrcnn_status read_mask(const mr_results *results, const mr_found *found, int32_t height,
                              int32_t width, mrcnn_mask *mask, mrcnn_error *err) {
    mr_coco_segment segment;
    mr_coco_shape shape = {.begin = found->begin, .length = found->length};
    if (!found->length) return draw_box(mask, found->box, height, width, err);
    mrcnn_status status = mr_coco_read_segment(&segment, &results->file, &shape, err);
    if (status != MRCNN_OK) return status;
    if (segment.polygons.rule != MR_RULE_NONE) {
        status = draw(mask, &segment.polygons, height, width, err);
    } else if (segment.runs.height != height || segment.runs.width != width) {
        status =
            mr_fail(err, MRCNN_E_FORMAT, "its mask has %d x %d pixels, the picture has %d x %d",
                    segment.runs.width, segment.runs.height, width, height);
    } else {
        *mask = segment.runs;
        segment.runs = (mrcnn_mask){0};
    }
    mr_coco_segment_free(&segment);
    return status;
}

static void take_mask_box(mr_coco_item *item, const mrcnn_mask *mask) {
    int32_t box[4];
    mr_mask_box(mask, box);
    item->x = box[1];
    item->y = box[0];
    item->width = (double)box[3] - box[1];
    item->height = (double)box[2] - box[0];
}

mrcnn_status mr_results_item(const mr_results *results, const mr_found *found, int32_t height,
                             int32_t width, mr_coco_item *item, mrcnn_mask *mask,
                             mrcnn_error *err) {
    *item = (mr_coco_item){.class_id = found->class_id,
                           .score = found->score,
                           .x = found->box[0],
                           .y = found->box[1],
                           .width = found->box[2],
                           .height = found->box[3]};
    double area = found->box[2] * found->box[3];
    if (results->has_masks) {
        mrcnn_status status = read_mask(results, found, height, width, mask, err);
        if (status != MRCNN_OK) return fail_entry(results->file.path, found->place, status, err);
        item->mask = mask;
        if (!results->has_boxes) area = (double)mrcnn_mask_area(mask);
        if (isnan(found->box[0])) take_mask_box(item, mask);
    }
    item->area[MR_COCO_BBOX] = item->area[MR_COCO_SEGM] = area;
    return MRCNN_OK;
}
