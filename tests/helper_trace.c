/* helper_trace.c - see helper_trace.h. */
#include "helper_trace.h"

#include "helper_assert.h"
#include "helper_oracle.h"

#include "base/prng.h"
#include "model/model.h"

#include <float.h>
#include <stdlib.h>

void save_network(const char *path, const char *const *names, int overflowing) {
    mrcnn_model *model = NULL;
    mrcnn_error err = MRCNN_ERROR_INIT;
    static const char *const keys[] = {"POST_NMS_ROIS_INFERENCE", "100", "DETECTION_MIN_CONFIDENCE",
                                       "0", NULL};
    if (oracle_tiny_model(&model, 4, keys, &err) != MRCNN_OK) fail_msg("%s", err.message);
    mr_tensor *kernel = mr_tensors_find(model->weights, "rpn_conv_shared", "kernel");
    for (size_t i = 0; overflowing && i < kernel->count; i++) kernel->values[i] = FLT_MAX;
    if ((names && mrcnn_model_set_class_names(model, names, 4, &err) != MRCNN_OK) ||
        mrcnn_model_save(model, path, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    mrcnn_model_free(&model);
}

mrcnn_trace *trace_of_file(mrcnn_model **model, mrcnn_session **session, const char *picture) {
    mrcnn_trace *trace = NULL;
    mrcnn_image image = {0};
    mrcnn_error err = MRCNN_ERROR_INIT;
    if (mrcnn_model_load(model, "net.h5", NULL, &err) != MRCNN_OK ||
        mrcnn_session_create(session, *model, NULL, &err) != MRCNN_OK ||
        mrcnn_image_read(&image, picture, NULL, &err) != MRCNN_OK ||
        mrcnn_trace_create(&trace, *session, &image, NULL, &err) != MRCNN_OK)
        fail_msg("%s", err.message);
    mrcnn_image_free(&image);
    return trace;
}

mrcnn_image noisy_picture(int height, int width, uint64_t seed) {
    mrcnn_image image = {width, height, 3, NULL};
    size_t count = (size_t)height * (size_t)width * 3;
    image.pixels = malloc(count);
    assert_non_null(image.pixels);
    uint64_t fine = mr_prng_stream(seed, "noise"), coarse = mr_prng_stream(seed, "block");
    for (size_t i = 0; i < count; i++) {
        size_t block = i / 3 % (size_t)width / 8 + i / 3 / (size_t)width / 8 * 64;
        double noise = mr_prng_uniform(fine, i);
        image.pixels[i] = (uint8_t)(200 * mr_prng_uniform(coarse, block) + 50 * noise);
    }
    return image;
}
