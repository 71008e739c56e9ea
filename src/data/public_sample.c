/* public_sample.c - training samples as mrcnn.h offers them: to be looked at, so with masks of full
 * size. */
#include "data/sample.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/bits.h"

#include <stdlib.h>

static mrcnn_status fill_instance(mrcnn_instance *instance, const mr_sample *s, int object,
                                  const mr_dataset *set, uint8_t *bytes, mrcnn_error *err) {
    const uint8_t *mask = s->masks + (size_t)object * mr_bits_size(s->mask_height, s->mask_width);
    const int32_t *box = s->boxes[object];
    mr_bits_unpack(mask, s->height, s->width, bytes);
    instance->y1 = box[0];
    instance->x1 = box[1];
    instance->y2 = box[2];
    instance->x2 = box[3];
    instance->class_id = s->class_ids[object];
    instance->class_name = mr_dataset_class_name(set, abs(instance->class_id));
    instance->score = 1;
    return mrcnn_mask_from_bytes(&instance->mask, bytes, s->height, s->width, err);
}

static mrcnn_status make_result(mrcnn_result **result, const mr_sample *s, const mr_dataset *set,
                                mrcnn_error *err) {
    size_t pixels = (size_t)s->height * (size_t)s->width;
    mrcnn_status status = MRCNN_OK;
    mrcnn_result *made = mr_calloc(1, sizeof *made);
    uint8_t *bytes = mr_calloc(pixels, 1);
    if (made) made->instances = mr_calloc((size_t)s->count, sizeof *made->instances);
    if (!made || !bytes || !made->instances) {
        status = mr_fail_memory(err, pixels, "a sample's objects");
    } else {
        made->height = s->height;
        made->width = s->width;
        for (int i = 0; i < s->count && status == MRCNN_OK; i++)
            status = fill_instance(&made->instances[made->count++], s, i, set, bytes, err);
    }
    free(bytes);
    if (status == MRCNN_OK)
        *result = made;
    else
        mrcnn_result_free(&made);
    return status;
}

mrcnn_status mrcnn_dataset_sample(const mrcnn_dataset *set, const mrcnn_config *config,
                                  size_t index, int64_t number, mrcnn_image *image,
                                  mrcnn_result **result, mrcnn_error *err) {
    if (!set || !config || !image || !result || number < -1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "mrcnn_dataset_sample: an argument is missing");
    mrcnn_status status = mr_config_validate_training(config, err);
    if (status != MRCNN_OK) return status;
    mr_settings settings = *mr_config_settings(config);
    settings.use_mini_mask = 0;
    mr_sample_options options = {
        .settings = &settings, .seed = (uint64_t)settings.seed, .training = number >= 0};
    mr_sample *s = NULL;
    status = mr_sample_load(&s, set, index, number < 0 ? 0 : (uint64_t)number, &options, err);
    if (status != MRCNN_OK) return status;
    mrcnn_result *made = NULL;
    if (s) status = make_result(&made, s, set, err);
    if (status == MRCNN_OK) {
        *image = (mrcnn_image){0};
        *result = made;
    }
    if (status == MRCNN_OK && s) { /* the pixels change hands */
        *image = (mrcnn_image){s->width, s->height, s->channels, s->pixels};
        s->pixels = NULL;
    }
    mr_sample_free(&s);
    return status;
}
