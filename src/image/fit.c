/* fit.c - the geometry of the four resize modes: how large a picture becomes, and where in the
 * network's input it lies (NUMERICS N1, N2, N5). */
#include "base/error.h"
#include "image/resize.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { MULTIPLE = 64 };                           /* the pyramid halves its input six times */
static const double max_input_pixels = 268435456; /* the most that a picture may have by default */

static int smaller(int a, int b) {
    return a < b ? a : b;
}

static int larger(int a, int b) {
    return a > b ? a : b;
}

/* Python 3's round: half to even, which is what rint does in the default rounding mode. */
static double scaled_length(int length, double scale) {
    return rint(length * scale);
}

static double find_scale(int height, int width, const mr_settings *s) {
    double scale = 1;
    int shortest = smaller(height, width), longest = larger(height, width);
    if (s->image_min_dim > 0) scale = fmax(1, (double)s->image_min_dim / shortest);
    if (s->image_min_scale > 0 && scale < s->image_min_scale) scale = s->image_min_scale;
    if (s->image_resize_mode == MR_RESIZE_SQUARE &&
        scaled_length(longest, scale) > s->image_max_dim)
        scale = (double)s->image_max_dim / longest;
    return scale;
}

static mrcnn_status check_settings(int height, int width, const mr_settings *s, mrcnn_error *err) {
    if (height < 1 || width < 1)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a picture of %d x %d pixels is empty", width,
                       height);
    switch (s->image_resize_mode) {
    case MR_RESIZE_SQUARE:
        if (s->image_max_dim < 1)
            return mr_fail(err, MRCNN_E_CONFIG,
                           "IMAGE_MAX_DIM is %d: IMAGE_RESIZE_MODE square needs a size",
                           s->image_max_dim);
        break;
    case MR_RESIZE_PAD64:
        if (s->image_min_dim % MULTIPLE)
            return mr_fail(err, MRCNN_E_CONFIG,
                           "IMAGE_MIN_DIM is %d: IMAGE_RESIZE_MODE pad64 needs a multiple of 64",
                           s->image_min_dim);
        break;
    case MR_RESIZE_CROP:
        if (s->image_min_dim < 1)
            return mr_fail(err, MRCNN_E_CONFIG,
                           "IMAGE_MIN_DIM is %d: IMAGE_RESIZE_MODE crop needs a size",
                           s->image_min_dim);
        break;
    case MR_RESIZE_NONE:
        if (height % MULTIPLE || width % MULTIPLE)
            return mr_fail(err, MRCNN_E_ARGUMENT,
                           "a picture of %d x %d pixels doesn't fit the network, which needs "
                           "multiples of 64: use IMAGE_RESIZE_MODE square or pad64",
                           width, height);
        break;
    }
    return MRCNN_OK;
}

/* The resized picture's size, refused while it is still a double: it may be anything. */
static mrcnn_status scale_size(mr_fit *fit, mrcnn_error *err) {
    double height = scaled_length(fit->original_height, fit->scale);
    double width = scaled_length(fit->original_width, fit->scale);
    if (height < 1 || width < 1)
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "a picture of %d x %d pixels is too narrow: it would be resized to "
                       "%.0f x %.0f; crop it first",
                       fit->original_width, fit->original_height, width, height);
    if (!(height * width <= max_input_pixels))
        return mr_fail(err, MRCNN_E_UNSUPPORTED,
                       "a picture of %d x %d pixels would be resized to %.0f x %.0f, which is too "
                       "large: lower IMAGE_MIN_DIM or IMAGE_MIN_SCALE",
                       fit->original_width, fit->original_height, width, height);
    fit->scaled_height = (int)height;
    fit->scaled_width = (int)width;
    return MRCNN_OK;
}

static int next_multiple(int length) {
    return (length + MULTIPLE - 1) / MULTIPLE * MULTIPLE;
}

/* N5: the odd pixel of padding goes to the bottom and to the right. */
static void centre(mr_fit *fit, int height, int width) {
    fit->height = height;
    fit->width = width;
    fit->pad_top = (height - fit->scaled_height) / 2;
    fit->pad_left = (width - fit->scaled_width) / 2;
    const int window[4] = {fit->pad_top, fit->pad_left, fit->pad_top + fit->scaled_height,
                           fit->pad_left + fit->scaled_width};
    memcpy(fit->window, window, sizeof window);
}

/* The window is the whole crop, as matterport has it. */
static void crop_centre(mr_fit *fit, int size) {
    fit->height = fit->width = size;
    fit->crop_y = (fit->scaled_height - size) / 2;
    fit->crop_x = (fit->scaled_width - size) / 2;
    const int window[4] = {0, 0, size, size};
    memcpy(fit->window, window, sizeof window);
}

/* The side of square mode's input; at other factors than 1 the next one that the pyramid can halve. */
static int square_side(const mr_settings *s, double factor) {
    return factor == 1 ? s->image_max_dim : next_multiple((int)ceil(s->image_max_dim * factor));
}

mrcnn_status mr_fit_image_at(mr_fit *fit, int height, int width, double factor,
                             const mr_settings *settings, mrcnn_error *err) {
    mrcnn_status status = check_settings(height, width, settings, err);
    if (status != MRCNN_OK) return status;
    mr_fit f = {.original_height = height, .original_width = width, .scale = factor};
    if (settings->image_resize_mode != MR_RESIZE_NONE)
        f.scale *= find_scale(height, width, settings);
    status = scale_size(&f, err);
    if (status != MRCNN_OK) return status;
    int side = square_side(settings, factor);
    switch (settings->image_resize_mode) {
    case MR_RESIZE_SQUARE: centre(&f, side, side); break;
    case MR_RESIZE_PAD64:
    case MR_RESIZE_NONE: /* a multiple already, at factor 1 */
        centre(&f, next_multiple(f.scaled_height), next_multiple(f.scaled_width));
        break;
    case MR_RESIZE_CROP: crop_centre(&f, settings->image_min_dim); break;
    }
    if ((double)f.height * f.width > max_input_pixels)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "an input of %d x %d pixels is too large: lower IMAGE_MAX_DIM", f.width,
                       f.height);
    *fit = f;
    return MRCNN_OK;
}

mrcnn_status mr_fit_image(mr_fit *fit, int height, int width, const mr_settings *settings,
                          mrcnn_error *err) {
    return mr_fit_image_at(fit, height, width, 1, settings, err);
}
