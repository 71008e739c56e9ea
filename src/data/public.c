/* public.c - data sets as mrcnn.h offers them. */
#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/mask.h"

#include <stdlib.h>
#include <string.h>

size_t mrcnn_dataset_count(const mrcnn_dataset *set) {
    return mr_dataset_picture_count(set);
}

const mrcnn_picture *mrcnn_dataset_picture(const mrcnn_dataset *set, size_t index) {
    return mr_dataset_picture(set, index);
}

int mrcnn_dataset_class_count(const mrcnn_dataset *set) {
    return mr_dataset_class_count(set);
}

const char *mrcnn_dataset_class_name(const mrcnn_dataset *set, int class_id) {
    return mr_dataset_class_name(set, class_id);
}

const char *mrcnn_dataset_format(const mrcnn_dataset *set) {
    return set->format->name;
}

const char *mrcnn_dataset_annotations(const mrcnn_dataset *set) {
    return set->annotations;
}

mrcnn_status mrcnn_dataset_read(const mrcnn_dataset *set, size_t index, mrcnn_image *image,
                                mrcnn_error *err) {
    return mr_dataset_read(set, index, image, err);
}

mrcnn_status mrcnn_dataset_mask(const mrcnn_dataset *set, size_t index, size_t object,
                                int32_t height, int32_t width, mrcnn_mask *mask, int32_t *class_id,
                                mrcnn_error *err) {
    int id = 0;
    size_t bytes;
    mr_masks masks;
    if (height < 1 || width < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a mask of %d x %d pixels", width, height);
    uint8_t *drawn = mr_mul_size((size_t)height, (size_t)width, &bytes) ? malloc(bytes) : NULL;
    if (!drawn) return mr_fail_memory(err, bytes, "a mask");
    mrcnn_status status = mr_masks_open(&masks, set, index, height, width, err);
    if (status == MRCNN_OK) status = mr_masks_encode(&masks, object, drawn, mask, &id, err);
    if (status == MRCNN_OK && class_id) *class_id = id;
    mr_masks_close(&masks);
    free(drawn);
    return status;
}

/* ---------------------------------------------------------------------------------------- truth */

static mrcnn_status add_object(mrcnn_result *truth, mr_masks *masks, size_t object, uint8_t *drawn,
                               mrcnn_error *err) {
    mrcnn_instance it = {.score = -1};
    int32_t box[4];
    int id = 0;
    mrcnn_status status = mr_masks_encode(masks, object, drawn, &it.mask, &id, err);
    if (status != MRCNN_OK) return status;
    mr_mask_box(&it.mask, box);
    it.y1 = box[0];
    it.x1 = box[1];
    it.y2 = box[2];
    it.x2 = box[3];
    it.class_id = id;
    it.class_name = mr_dataset_class_name(masks->set, abs(id));
    if (it.y2 > it.y1)
        truth->instances[truth->count++] = it;
    else
        mrcnn_mask_free(&it.mask);
    return MRCNN_OK;
}

mrcnn_status mrcnn_dataset_truth(const mrcnn_dataset *set, size_t index, int32_t height,
                                 int32_t width, mrcnn_result **truth, mrcnn_error *err) {
    mr_masks masks;
    size_t bytes = 0, count = mr_dataset_picture(set, index)->object_count;
    if (height < 1 || width < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "masks of %d x %d pixels", height, width);
    mrcnn_result *made = mr_calloc(1, sizeof *made);
    uint8_t *drawn = mr_mul_size((size_t)height, (size_t)width, &bytes) ? malloc(bytes) : NULL;
    if (made) *made = (mrcnn_result){height, width, 0, mr_calloc(count, sizeof *made->instances)};
    mrcnn_status status = mr_masks_open(&masks, set, index, height, width, err);
    if (status == MRCNN_OK && (!drawn || !made || !made->instances))
        status = mr_fail_memory(err, bytes, "the masks of a picture");
    for (size_t i = 0; i < count && status == MRCNN_OK; i++)
        status = add_object(made, &masks, i, drawn, err);
    mr_masks_close(&masks);
    free(drawn);
    if (status == MRCNN_OK)
        *truth = made;
    else
        mrcnn_result_free(&made);
    return status;
}

/* ------------------------------------------------------------------------------- source classes */

const char *mrcnn_dataset_source_class(const mrcnn_dataset *set, int class_id, const char *source) {
    if (class_id < 0 || class_id >= set->class_count || !source) return NULL;
    if (set->format->source_class) return set->format->source_class(set, class_id, source);
    return strcmp(source, set->source) == 0 ? set->class_ids[class_id] : NULL;
}

int mrcnn_dataset_map_source_class(const mrcnn_dataset *set, const char *source_class) {
    const char *dot = source_class ? strchr(source_class, '.') : NULL;
    char *source = dot ? mr_strdup(source_class) : NULL;
    int found = -1;
    if (!source) return -1;
    source[dot - source_class] = 0;
    for (int i = 0; i < set->class_count && found < 0; i++) {
        const char *id = mrcnn_dataset_source_class(set, i, source);
        if (id && strcmp(id, dot + 1) == 0) found = i;
    }
    free(source);
    return found;
}
