/* overlay.c - matterport's display_instances: masks are blended here, lines and text over them are
 * drawn by annotate.c. */
#include "viz/annotate.h"
#include "viz/blend.h"
#include "viz/canvas.h"
#include "viz/check.h"

#include "base/memory.h"
#include "base/options.h"
#include "image/picture.h"

#include <stdlib.h>
#include <string.h>

mrcnn_draw_options mrcnn_draw_options_default(void) {
    return (mrcnn_draw_options){
        .size = sizeof(mrcnn_draw_options),
        .masks = 1,
        .contours = 1,
        .boxes = 1,
        .captions = 1,
        .alpha = 0.5,
        .color_by_instance = 1,
    };
}

static mrcnn_status read_options(mrcnn_draw_options *options, const mrcnn_draw_options *given,
                                 mrcnn_error *err) {
    *options = mrcnn_draw_options_default();
    mrcnn_status status =
        mr_take_options(options, sizeof *options, given, "mrcnn_draw_options", err);
    if (status != MRCNN_OK) return status;
    if (!(options->alpha >= 0.0 && options->alpha <= 1.0))
        return mr_fail(err, MRCNN_E_ARGUMENT, "draw options: alpha is %g; it must be 0 .. 1",
                       options->alpha);
    return MRCNN_OK;
}

static mrcnn_status choose_colors(mr_color *colors, const mrcnn_result *result,
                                  const mrcnn_draw_options *options, mrcnn_error *err) {
    const int32_t *ids = options->color_by_instance ? options->ids : NULL;
    if (options->color_by_instance && !ids)
        return mr_colors_of_instances(colors, result->count, err);
    for (size_t i = 0; i < result->count; i++)
        colors[i] = mr_color_of_class(ids ? ids[i] : result->instances[i].class_id);
    return MRCNN_OK;
}

/* In the order of the result, best first, as matterport does. */
static mrcnn_status blend_masks(mrcnn_image *canvas, const mrcnn_result *result,
                                const mr_color *colors, double alpha, mrcnn_error *err) {
    uint64_t *rows = mr_calloc((size_t)canvas->height, sizeof *rows);
    if (!rows) return mr_fail_memory(err, (size_t)canvas->height * sizeof *rows, "mask rows");
    for (size_t i = 0; i < result->count; i++)
        mr_blend_mask(canvas, &result->instances[i].mask, colors[i], alpha, rows);
    free(rows);
    return MRCNN_OK;
}

mrcnn_status mrcnn_draw_instances(mrcnn_image *out, const mrcnn_image *image,
                                  const mrcnn_result *result, const mrcnn_draw_options *given,
                                  mrcnn_error *err) {
    mrcnn_draw_options options;
    mrcnn_image canvas = {0};
    mr_color *colors = NULL;
    mrcnn_status status = read_options(&options, given, err);
    if (status == MRCNN_OK) status = mr_check_drawing(out, image, result, err);
    if (status == MRCNN_OK) status = mr_canvas_like(&canvas, image, err);
    if (status != MRCNN_OK) goto cleanup;
    mr_copy_as_rgb(canvas.pixels, image);

    colors = mr_calloc(result->count, sizeof *colors);
    if (!colors) {
        status = mr_fail_memory(err, result->count * sizeof *colors, "colours");
        goto cleanup;
    }
    status = choose_colors(colors, result, &options, err);
    if (status == MRCNN_OK && options.masks)
        status = blend_masks(&canvas, result, colors, options.alpha, err);
    if (status == MRCNN_OK) status = mr_annotate(&canvas, result, &options, colors, err);
    if (status != MRCNN_OK) goto cleanup;
    *out = canvas;
    canvas.pixels = NULL;

cleanup:
    free(canvas.pixels);
    free(colors);
    return status;
}
