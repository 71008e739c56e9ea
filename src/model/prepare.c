/* prepare.c - a picture made ready for a model's network: checked, fitted and resized. Needs no session, so
 * that another thread can do it. */
#include "model/session.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/stretch.h"
#include "model/views.h"

#include <stdlib.h>

mrcnn_status mr_check_image(const mrcnn_image *image, const mr_settings *settings, size_t index,
                            mrcnn_error *err) {
    if (!image->pixels || image->width <= 0 || image->height <= 0)
        return mr_fail(err, MRCNN_E_ARGUMENT, "picture %zu is empty", index);
    if (image->channels != settings->image_channel_count)
        return mr_fail(err, MRCNN_E_ARGUMENT,
                       "picture %zu has %d channels, the model wants %d: read it with the options "
                       "that mrcnn_config_image_options gives",
                       index, image->channels, settings->image_channel_count);
    return MRCNN_OK;
}

mrcnn_status mr_place_picture(mrcnn_prepared *picture, const mrcnn_model *model,
                              const mrcnn_image *image, size_t index, mrcnn_error *err) {
    const mr_settings *settings = mr_config_settings(model->config);
    mrcnn_status status = mr_check_image(image, settings, index, err);
    if (status != MRCNN_OK) return status;
    mrcnn_prepared placed = {.model = model,
                             .image = *image,
                             .wants_views = mr_wants_views(settings, image->height, image->width)};
    if (!placed.wants_views)
        status = mr_fit_image(&placed.fit, image->height, image->width, settings, err);
    if (status == MRCNN_OK) *picture = placed;
    return status;
}

static mrcnn_status resize(mrcnn_prepared *p, mrcnn_error *err) {
    const mr_settings *settings = mr_config_settings(p->model->config);
    size_t bytes = (size_t)p->fit.height * (size_t)p->fit.width * (size_t)p->image.channels;
    p->resized = mr_calloc(bytes, 1);
    if (!p->resized) return mr_fail_memory(err, bytes, "a resized picture");
    return mr_stretch_and_resize(&p->image, &p->fit, settings, p->resized, 1, err);
}

mrcnn_status mrcnn_prepare(mrcnn_prepared **prepared, const mrcnn_model *model,
                           const mrcnn_image *image, mrcnn_error *err) {
    mrcnn_prepared *p = mr_calloc(1, sizeof *p);
    if (!p) return mr_fail_memory(err, sizeof *p, "a picture");
    mrcnn_status status = mr_place_picture(p, model, image, 0, err);
    if (status == MRCNN_OK && !p->wants_views) status = resize(p, err);
    if (status == MRCNN_OK)
        *prepared = p;
    else
        mrcnn_prepared_free(&p);
    return status;
}

void mrcnn_prepared_free(mrcnn_prepared **prepared) {
    if (!prepared || !*prepared) return;
    free((*prepared)->resized);
    free(*prepared);
    *prepared = NULL;
}
