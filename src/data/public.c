/* public.c - data sets as mrcnn.h offers them. */
#include "data/dataset.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/rle.h"

#include <stdlib.h>

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
    if (height < 1 || width < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a mask of %d x %d pixels", width, height);
    mrcnn_status status = mr_rle_check_size(height, width, err);
    if (status != MRCNN_OK) return status;
    uint8_t *drawn = mr_mul_size((size_t)height, (size_t)width, &bytes) ? malloc(bytes) : NULL;
    if (!drawn) return mr_fail_memory(err, bytes, "a mask");
    status = mr_dataset_mask(set, index, object, height, width, drawn, &id, err);
    if (status == MRCNN_OK) status = mrcnn_mask_from_bytes(mask, drawn, height, width, err);
    if (status == MRCNN_OK && class_id) *class_id = id;
    free(drawn);
    return status;
}
