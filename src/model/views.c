/* views.c - see views.h. */
#include "model/views.h"

#include "base/error.h"
#include "base/memory.h"
#include "image/codec.h"

#include <math.h>
#include <string.h>

/* ----------------------------------------------------------------------------------- windows */

static int32_t overlap(const mr_settings *s) {
    return (int32_t)ceil(s->tile_size * s->tile_overlap);
}

int32_t mr_tile_count(const mr_settings *s, int32_t side) {
    if (s->tile_size == 0 || side <= s->tile_size) return 1;
    int32_t common = overlap(s), step = s->tile_size - common;
    return 1 + (side - s->tile_size + step - 1) / step;
}

void mr_tile_span(const mr_settings *s, int32_t side, int32_t index, int32_t span[2]) {
    int32_t count = mr_tile_count(s, side);
    span[0] = 0;
    span[1] = side;
    if (count == 1) return;
    span[0] = (int32_t)((int64_t)index * (side - s->tile_size) / (count - 1));
    span[1] = span[0] + s->tile_size;
}

/* --------------------------------------------------------------------------- turns and scales */

/* EXIF's numbers: 2 mirrors left and right, 4 top and bottom, 3 both; 5 .. 8 turn by 90 degrees as
 * well. */
static int orientations(const mr_settings *s, int list[8]) {
    static const int all[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    list[0] = 1;
    switch (s->test_flips) {
    case MR_FLIPS_NONE: return 1;
    case MR_FLIPS_HORIZONTAL: list[1] = 2; return 2;
    case MR_FLIPS_VERTICAL: list[1] = 4; return 2;
    case MR_FLIPS_BOTH: memcpy(list, all, 4 * sizeof *all); return 4;
    case MR_FLIPS_ALL: memcpy(list, all, sizeof all); return 8;
    }
    return 1;
}

static int is_mirrored_x(int orientation) {
    return orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
}

static int is_mirrored_y(int orientation) {
    return orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
}

static int is_turned(int orientation) {
    return orientation >= 5;
}

int mr_view_count(const mr_settings *s) {
    int list[8];
    return orientations(s, list) * s->test_scales.count;
}

int mr_view_sizes(const mr_settings *s) {
    int turned = s->test_flips == MR_FLIPS_ALL && s->image_resize_mode != MR_RESIZE_SQUARE;
    return s->test_scales.count * (turned ? 2 : 1);
}

int mr_wants_views(const mr_settings *s, int height, int width) {
    return mr_view_count(s) > 1 || s->test_scales.values[0] != 1 || mr_tile_count(s, height) > 1 ||
           mr_tile_count(s, width) > 1;
}

mrcnn_status mr_view_make(mr_view *view, const int32_t window[4], int index, const mr_settings *s,
                          mrcnn_error *err) {
    int list[8], count = orientations(s, list);
    int32_t height = window[2] - window[0], width = window[3] - window[1];
    if (s->image_resize_mode == MR_RESIZE_CROP)
        return mr_fail(err, MRCNN_E_CONFIG,
                       "IMAGE_RESIZE_MODE crop sees the middle of a picture alone: TEST_FLIPS, "
                       "TEST_SCALES and TILE_SIZE need square or pad64");
    memcpy(view->window, window, sizeof view->window);
    view->orientation = list[index % count];
    int turned = is_turned(view->orientation);
    return mr_fit_image_at(&view->fit, turned ? width : height, turned ? height : width,
                           s->test_scales.values[index / count], s, err);
}

/* ----------------------------------------------------------------------------- there and back */

mrcnn_status mr_view_cut(mrcnn_image *cut, const mr_view *view, const mrcnn_image *image,
                         mrcnn_error *err) {
    const int32_t *w = view->window;
    mrcnn_image c = {
        .height = w[2] - w[0], .width = w[3] - w[1], .channels = image->channels, .pixels = NULL};
    size_t row = (size_t)c.width * (size_t)c.channels;
    size_t step = (size_t)image->width * (size_t)c.channels;
    c.pixels = mr_calloc((size_t)c.height, row);
    if (!c.pixels) return mr_fail_memory(err, (size_t)c.height * row, "a view of a picture");
    const uint8_t *from =
        image->pixels + (size_t)w[0] * step + (size_t)w[1] * (size_t)image->channels;
    for (int32_t y = 0; y < c.height; y++)
        memcpy(c.pixels + (size_t)y * row, from + (size_t)y * step, row);
    mrcnn_status status = mr_image_orient(&c, view->orientation, err);
    if (status != MRCNN_OK) {
        mrcnn_image_free(&c);
        return status;
    }
    *cut = c;
    return MRCNN_OK;
}

/* The source of an axis of the picture among those of the view, and whether it is counted from the
 * window's other end. */
static int source(const mr_view *view, int axis, int *mirrored) {
    *mirrored = axis == 0 ? is_mirrored_y(view->orientation) : is_mirrored_x(view->orientation);
    return is_turned(view->orientation) ? 1 - axis : axis;
}

void mr_view_restore_box(const mr_view *view, const int32_t box[4], int32_t out[4]) {
    const int32_t *w = view->window;
    for (int axis = 0; axis < 2; axis++) {
        int mirrored, from = source(view, axis, &mirrored);
        out[axis] = mirrored ? w[2 + axis] - box[2 + from] : w[axis] + box[from];
        out[2 + axis] = mirrored ? w[2 + axis] - box[from] : w[axis] + box[2 + from];
    }
}

/* The same for what isn't rounded: edges count from the first pixel's edge (shift 0), samples from its
 * centre (shift 1: the last centre is one pixel before the window's end). */
static void restore_places(const mr_view *view, const double places[4], double shift,
                           double out[4]) {
    const int32_t *w = view->window;
    for (int axis = 0; axis < 2; axis++) {
        int mirrored, from = source(view, axis, &mirrored);
        double end = w[2 + axis] - shift;
        out[axis] = mirrored ? end - places[2 + from] : w[axis] + places[from];
        out[2 + axis] = mirrored ? end - places[from] : w[axis] + places[2 + from];
    }
}

void mr_view_restore_spot(const mr_view *view, const mr_spot *spot, mr_spot *out) {
    mr_view_restore_box(view, spot->box, out->box);
    restore_places(view, spot->edges, 0, out->edges);
    restore_places(view, spot->samples, 1, out->samples);
}

void mr_view_restore_mask(const mr_view *view, const float *small, int side, float *out) {
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            int row = is_mirrored_y(view->orientation) ? side - 1 - y : y;
            int column = is_mirrored_x(view->orientation) ? side - 1 - x : x;
            int at = is_turned(view->orientation) ? column * side + row : row * side + column;
            *out++ = small[at];
        }
}
