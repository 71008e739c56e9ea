/* augment_warp.c - movements as backward maps (image/warp.h): where an output pixel comes from.
 * Positions count from the centre of the first pixel. */
#include "data/augment.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/prng.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* The middle of a line of pixels. */
static double middle(int length) {
    return (length - 1) / 2.0;
}

static void add_scaling(mr_warp *warp, double x, double y, double from_x, double from_y) {
    const double matrix[6] = {x, 0, from_x, 0, y, from_y};
    mr_warp_add_affine(warp, matrix);
}

static void add_mirror(mr_warp *warp, int along_x) {
    add_scaling(warp, along_x ? -1 : 1, along_x ? 1 : -1, along_x ? warp->width - 1 : 0,
                along_x ? 0 : warp->height - 1);
}

/* k quarter turns clockwise. A frame that isn't square keeps its size: the turned picture is
 * stretched into it, as imgaug does with keep_size. */
static void add_quarter_turns(mr_warp *warp, int k) {
    int quarters = ((k % 4) + 4) % 4;
    double w = warp->width, h = warp->height, w_h = w / h, h_w = h / w;
    /* Edges lie half a pixel from centres: (x + 0.5) * h / w - 0.5. */
    const double right[6] = {0, w_h, w_h / 2 - 0.5, -h_w, 0, h - 0.5 - h_w / 2};
    const double left[6] = {0, -w_h, w - 0.5 - w_h / 2, h_w, 0, h_w / 2 - 0.5};
    if (quarters == 0) add_scaling(warp, 1, 1, 0, 0); /* each step that moves has its map */
    if (quarters == 2) add_scaling(warp, -1, -1, w - 1, h - 1);
    if (quarters % 2) mr_warp_add_affine(warp, quarters == 1 ? right : left);
}

/* Exact at whole quarter turns. */
static void sine_cosine(double degrees, double *sine, double *cosine) {
    static const double quarter[] = {0, 1, 0, -1, 0};
    double turns = fmod(degrees, 360) / 90;
    if (turns < 0) turns += 4;
    if (turns == floor(turns)) {
        int q = (int)turns % 4;
        *sine = quarter[q];
        *cosine = quarter[q + 1];
        return;
    }
    *sine = sin(degrees * pi / 180);
    *cosine = cos(degrees * pi / 180);
}

/* Forward, about the middle of the frame: scale, shear, rotate (clockwise), then translate. */
static void add_affine(mr_warp *warp, const double v[MR_AUGMENT_MOST_SLOTS]) {
    double s, c, tx = tan(v[MR_SLOT_SHEAR_X] * pi / 180), ty = tan(v[MR_SLOT_SHEAR_Y] * pi / 180);
    double sx = v[MR_SLOT_SCALE_X], sy = v[MR_SLOT_SCALE_Y];
    sine_cosine(v[MR_SLOT_ROTATE], &s, &c);
    /* Shear: x - tx * y, y + ty * x. */
    double a00 = (c - s * ty) * sx, a01 = (-c * tx - s) * sy;
    double a10 = (s + c * ty) * sx, a11 = (-s * tx + c) * sy;
    double determinant = a00 * a11 - a01 * a10;
    if (fabs(determinant) < 1e-9) { /* shears that fold the picture into a line */
        add_scaling(warp, 0, 0, -1, -1);
        return;
    }
    double i00 = a11 / determinant, i01 = -a01 / determinant;
    double i10 = -a10 / determinant, i11 = a00 / determinant;
    double from_x = middle(warp->width), from_y = middle(warp->height);
    double to_x =
        from_x + v[MR_SLOT_TRANSLATE_PERCENT_X] * warp->width + rint(v[MR_SLOT_TRANSLATE_PX_X]);
    double to_y =
        from_y + v[MR_SLOT_TRANSLATE_PERCENT_Y] * warp->height + rint(v[MR_SLOT_TRANSLATE_PX_Y]);
    const double matrix[6] = {i00, i01, from_x - i00 * to_x - i01 * to_y,
                              i10, i11, from_y - i10 * to_x - i11 * to_y};
    mr_warp_add_affine(warp, matrix);
}

/* Pixels added on one side, or cut off when negative: less than half of the frame, so that something
 * is left between two sides. Each side has draws of its own. */
static double draw_side(const mr_augment_step *step, int side, int length) {
    const mr_range *percent = &step->ranges[MR_SLOT_PERCENT], *px = &step->ranges[MR_SLOT_PX];
    double u = mr_prng_uniform(step->stream, 2 * (uint64_t)side);
    double v = mr_prng_uniform(step->stream, 2 * (uint64_t)side + 1);
    double share = percent->low + u * (percent->high - percent->low);
    double pixels = rint(share * length) + floor(px->low + v * (px->high - px->low + 1));
    double least = -floor(0.49 * length);
    return pixels < least ? least : pixels;
}

/* What is left and added is stretched into the frame. */
static void add_crop_and_pad(mr_warp *warp, const mr_augment_step *step) {
    double top = draw_side(step, 0, warp->height), right = draw_side(step, 1, warp->width);
    double bottom = draw_side(step, 2, warp->height), left = draw_side(step, 3, warp->width);
    double x = (warp->width + left + right) / warp->width;
    double y = (warp->height + top + bottom) / warp->height;
    add_scaling(warp, x, y, x / 2 - 0.5 - left, y / 2 - 0.5 - top);
}

/* The scaled frame lies anywhere in the frame or, when it is larger, anywhere around it. */
static void add_jitter(mr_warp *warp, const mr_augment_step *step) {
    double scale = step->values[MR_SLOT_VALUE];
    double left = mr_prng_uniform(step->stream, 0) * warp->width * (1 - scale);
    double top = mr_prng_uniform(step->stream, 1) * warp->height * (1 - scale);
    add_scaling(warp, 1 / scale, 1 / scale, (0.5 - left) / scale - 0.5, (0.5 - top) / scale - 0.5);
}

/* Draw `index` of a standard normal distribution (Box and Muller). */
static double normal(uint64_t stream, uint64_t index) {
    double u = 1 - mr_prng_uniform(stream, 2 * index), v = mr_prng_uniform(stream, 2 * index + 1);
    return sqrt(-2 * log(u)) * cos(2 * pi * v);
}

/* One coordinate of a point of the grid: moved by less than half a cell, so that points stay in
 * order, and not out of the frame. */
static float move_point(int at, int points, int length, double deviation) {
    double cell = (double)length / (points - 1), most = 0.45 * cell;
    double by = deviation * length;
    by = by > most ? most : by < -most ? -most : by;
    double place = at * cell + by - 0.5, end = length - 0.5;
    return (float)(place < -0.5 ? -0.5 : place > end ? end : place);
}

static mrcnn_status add_grid(mr_warp *warp, const mr_augment_step *step, mrcnn_error *err) {
    int rows = (int)step->values[MR_SLOT_GRID_ROWS];
    int columns = (int)step->values[MR_SLOT_GRID_COLUMNS];
    size_t count = (size_t)rows * (size_t)columns;
    float *points = mr_calloc(count, 2 * sizeof *points);
    if (!points) return mr_fail_memory(err, count * 2 * sizeof *points, "a grid");
    double scale = step->values[MR_SLOT_VALUE];
    for (int i = 0; i < rows * columns; i++) {
        uint64_t draw = 2 * (uint64_t)i;
        points[2 * i] =
            move_point(i % columns, columns, warp->width, scale * normal(step->stream, draw));
        points[2 * i + 1] =
            move_point(i / columns, rows, warp->height, scale * normal(step->stream, draw + 1));
    }
    mr_warp_add_grid(warp, rows, columns, points);
    return MRCNN_OK;
}

static mrcnn_status add_step(mr_warp *warp, const mr_augment_step *step, mrcnn_error *err) {
    switch (step->op) {
    case MR_AUGMENT_FLIPLR: add_mirror(warp, 1); break;
    case MR_AUGMENT_FLIPUD: add_mirror(warp, 0); break;
    case MR_AUGMENT_ROT90: add_quarter_turns(warp, (int)step->values[MR_SLOT_VALUE]); break;
    case MR_AUGMENT_AFFINE: add_affine(warp, step->values); break;
    case MR_AUGMENT_CROP_AND_PAD: add_crop_and_pad(warp, step); break;
    case MR_AUGMENT_LARGE_SCALE_JITTER: add_jitter(warp, step); break;
    case MR_AUGMENT_PIECEWISE_AFFINE: return add_grid(warp, step, err);
    default: break; /* moves nothing */
    }
    return MRCNN_OK;
}

mrcnn_status mr_augment_warp(mr_warp *warp, const mr_augment_plan *plan, int height, int width,
                             mrcnn_error *err) {
    mr_warp made = mr_warp_start(height, width);
    mrcnn_status status = MRCNN_OK;
    for (int i = 0; i < plan->count && status == MRCNN_OK; i++)
        status = add_step(&made, &plan->steps[i], err);
    if (status == MRCNN_OK)
        *warp = made;
    else
        mr_warp_free(&made);
    return status;
}
