/* validate.c - what single keys can't check: values that must fit one another. Each message says
 * which key to change, and to what. */
#include "base/error.h"
#include "config/config.h"

static mrcnn_status check_levels(const mr_settings *s, mrcnn_error *err) {
    int levels = s->backbone_strides.count, scales = s->rpn_anchor_scales.count;
    if (levels != scales)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "RPN_ANCHOR_SCALES has %d numbers but BACKBONE_STRIDES has %d; give one "
                       "scale for each pyramid level",
                       scales, levels);
    for (int i = 1; i < levels; i++)
        if (s->backbone_strides.values[i] <= s->backbone_strides.values[i - 1])
            return mr_fail(err, MRCNN_E_CONFIG,
                           "BACKBONE_STRIDES: %d follows %d; list the levels from the finest to "
                           "the coarsest",
                           s->backbone_strides.values[i], s->backbone_strides.values[i - 1]);
    return MRCNN_OK;
}

/* The pyramid's coarsest level is 64 times smaller than the picture (NUMERICS 3). */
static mrcnn_status check_multiple(const char *key, int size, const char *mode, mrcnn_error *err) {
    if (size % 64 == 0) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_CONFIG,
                   "%s: %d is not a multiple of 64, as IMAGE_RESIZE_MODE %s needs; take %d or %d",
                   key, size, mode, size / 64 * 64, (size / 64 + 1) * 64);
}

static mrcnn_status check_crop(const mr_settings *s, mrcnn_error *err) {
    if (s->image_min_dim == 0)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "IMAGE_MIN_DIM: 0, but IMAGE_RESIZE_MODE crop cuts squares of that side; "
                       "take a multiple of 64");
    return check_multiple("IMAGE_MIN_DIM", s->image_min_dim, "crop", err);
}

static mrcnn_status check_square(const mr_settings *s, mrcnn_error *err) {
    if (s->image_min_dim > s->image_max_dim)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "IMAGE_MIN_DIM: %d is larger than IMAGE_MAX_DIM, which is %d; lower the one "
                       "or raise the other",
                       s->image_min_dim, s->image_max_dim);
    return check_multiple("IMAGE_MAX_DIM", s->image_max_dim, "square", err);
}

/* IMAGE_MAX_DIM counts in square mode alone (N1, N5). */
static mrcnn_status check_size(const mr_settings *s, mrcnn_error *err) {
    switch (s->image_resize_mode) {
    case MR_RESIZE_SQUARE: return check_square(s, err);
    case MR_RESIZE_PAD64: return check_multiple("IMAGE_MIN_DIM", s->image_min_dim, "pad64", err);
    case MR_RESIZE_CROP: return check_crop(s, err);
    case MR_RESIZE_NONE: break; /* each picture's own size is checked when it comes */
    }
    return MRCNN_OK;
}

static mrcnn_status check_channels(const mr_settings *s, mrcnn_error *err) {
    if (s->mean_pixel.count == s->image_channel_count) return MRCNN_OK;
    return mr_fail(
        err, MRCNN_E_CONFIG,
        "MEAN_PIXEL has %d number%s but IMAGE_CHANNEL_COUNT is %d; give one mean for each "
        "channel",
        s->mean_pixel.count, s->mean_pixel.count == 1 ? "" : "s", s->image_channel_count);
}

static mrcnn_status check_range(const mr_settings *s, mrcnn_error *err) {
    const mr_floats *range = &s->image_value_range;
    if (range->count == 0 || (range->count == 2 && range->values[0] < range->values[1]))
        return MRCNN_OK;
    if (range->count != 2)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "IMAGE_VALUE_RANGE has %d number; give the lowest and the highest value, or "
                       "none",
                       range->count);
    return mr_fail(err, MRCNN_E_CONFIG,
                   "IMAGE_VALUE_RANGE: its first number must be less than its second one");
}

static mrcnn_status check_stretch(const mr_settings *s, mrcnn_error *err) {
    const mr_floats *p = &s->image_stretch;
    if (p->count == 0 || (p->count == 2 && p->values[0] < p->values[1])) return MRCNN_OK;
    if (p->count != 2)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "IMAGE_STRETCH has %d number; give two percentiles, or none", p->count);
    return mr_fail(err, MRCNN_E_CONFIG,
                   "IMAGE_STRETCH: its first percentile must be less than its second one");
}

/* One transposed convolution doubles the mask head's features. */
static mrcnn_status check_mask(const mr_settings *s, mrcnn_error *err) {
    int side = 2 * s->mask_pool_size;
    if (s->mask_shape.values[0] == side && s->mask_shape.values[1] == side) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_CONFIG,
                   "MASK_SHAPE: [%d, %d] is not twice MASK_POOL_SIZE, which is %d; take [%d, %d]",
                   s->mask_shape.values[0], s->mask_shape.values[1], s->mask_pool_size, side, side);
}

/* A tile is a picture to the network; of tiny ones there would be millions. */
static mrcnn_status check_tiles(const mr_settings *s, mrcnn_error *err) {
    enum { SMALLEST = 64 };
    if (s->tile_size == 0 || s->tile_size >= SMALLEST) return MRCNN_OK;
    return mr_fail(err, MRCNN_E_CONFIG,
                   "TILE_SIZE: tiles of %d pixels are too small; take %d or more, or 0 for none",
                   s->tile_size, SMALLEST);
}

/* Rates fall at rising epochs, and a schedule that has none would change nothing. */
static mrcnn_status check_schedule(const mr_settings *s, mrcnn_error *err) {
    const mr_ints *steps = &s->learning_rate_steps;
    if (s->learning_rate_schedule == MR_LR_STEP && steps->count == 0)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "LEARNING_RATE_SCHEDULE: step, but LEARNING_RATE_STEPS is empty; list the "
                       "epochs after which the learning rate falls");
    for (int i = 1; i < steps->count; i++)
        if (steps->values[i] <= steps->values[i - 1])
            return mr_fail(err, MRCNN_E_CONFIG,
                           "LEARNING_RATE_STEPS: %d follows %d; list the epochs in rising order",
                           steps->values[i], steps->values[i - 1]);
    return MRCNN_OK;
}

/* Hue and saturation are those of RGB; a fourth channel and more are left alone. */
static mrcnn_status check_augmentation(const mr_settings *s, mrcnn_error *err) {
    const char *color = mr_augmentation_needs_color(&s->augmentation);
    if (color && s->image_channel_count < 3)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "AUGMENTATION: %s changes colours, but IMAGE_CHANNEL_COUNT is %d; leave it "
                       "out",
                       color, s->image_channel_count);
    if (s->mosaic > 0 && s->image_resize_mode != MR_RESIZE_SQUARE &&
        s->image_resize_mode != MR_RESIZE_CROP)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "MOSAIC: four pictures need a frame of one size; set IMAGE_RESIZE_MODE to "
                       "square or crop, or MOSAIC to 0");
    return MRCNN_OK;
}

mrcnn_status mr_config_validate(const mrcnn_config *config, mrcnn_error *err) {
    const mr_settings *s = mr_config_settings(config);
    mrcnn_status status = check_levels(s, err);
    if (status == MRCNN_OK) status = check_size(s, err);
    if (status == MRCNN_OK) status = check_channels(s, err);
    if (status == MRCNN_OK) status = check_range(s, err);
    if (status == MRCNN_OK) status = check_stretch(s, err);
    if (status == MRCNN_OK) status = check_mask(s, err);
    if (status == MRCNN_OK) status = check_tiles(s, err);
    if (status == MRCNN_OK) status = check_schedule(s, err);
    return status;
}

mrcnn_status mr_config_validate_training(const mrcnn_config *config, mrcnn_error *err) {
    mrcnn_status status = mr_config_validate(config, err);
    return status == MRCNN_OK ? check_augmentation(mr_config_settings(config), err) : status;
}
