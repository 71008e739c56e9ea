/* frame.c - where a picture lies in the network's input, as inspect.h tells it. */
#include "base/error.h"
#include "image/resize.h"

#include <mrcnn/inspect.h>

mrcnn_status mrcnn_placement_of(mrcnn_placement *place, const mrcnn_config *config, int32_t height,
                                int32_t width, mrcnn_error *err) {
    mr_fit fit;
    if (!place || !config || height < 1 || width < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a frame for a picture of %d x %d pixels", width,
                       height);
    mrcnn_status status = mr_fit_image(&fit, height, width, mr_config_settings(config), err);
    if (status != MRCNN_OK) return status;
    *place = (mrcnn_placement){.height = fit.height,
                               .width = fit.width,
                               .scale = fit.scale,
                               .y1 = fit.window[0],
                               .x1 = fit.window[1],
                               .y2 = fit.window[2],
                               .x2 = fit.window[3]};
    return MRCNN_OK;
}
