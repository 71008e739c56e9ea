/* false_color.c - maps of floats (activations, scores) as pictures. */
#include "viz/canvas.h"
#include "viz/shade.h"

#include "base/memory.h"

#include <mrcnn/draw.h>

#include <math.h>

typedef struct map {
    const float *values;
    int32_t height, width;
    ptrdiff_t row_stride, column_stride;
    double low, high; /* of what is finite; low > high: nothing is */
} map;

static float value_at(const map *m, int32_t y, int32_t x) {
    return m->values[(ptrdiff_t)y * m->row_stride + (ptrdiff_t)x * m->column_stride];
}

static void find_range(map *m) {
    m->low = INFINITY;
    m->high = -INFINITY;
    for (int32_t y = 0; y < m->height; y++)
        for (int32_t x = 0; x < m->width; x++) {
            double value = value_at(m, y, x);
            if (!isfinite(value)) continue;
            if (value < m->low) m->low = value;
            if (value > m->high) m->high = value;
        }
}

/* Place in the table of colours. */
static int level(const map *m, double value) {
    if (value == INFINITY) return 255;
    if (value == -INFINITY) return 0;
    if (!(m->low < m->high)) return 128;
    return (int)lrint(255.0 * (value - m->low) / (m->high - m->low));
}

static void paint(mrcnn_image *canvas, const map *m) {
    static const uint8_t magenta[3] = {255, 0, 255};
    uint8_t table[256][3], *to = canvas->pixels;
    for (int i = 0; i < 256; i++) {
        mr_color color = mr_false_color(i / 255.0);
        table[i][0] = (uint8_t)lrint(255.0 * color.r);
        table[i][1] = (uint8_t)lrint(255.0 * color.g);
        table[i][2] = (uint8_t)lrint(255.0 * color.b);
    }
    for (int32_t y = 0; y < m->height; y++)
        for (int32_t x = 0; x < m->width; x++, to += 3) {
            double value = value_at(m, y, x);
            const uint8_t *color = isnan(value) ? magenta : table[level(m, value)];
            for (int c = 0; c < 3; c++) to[c] = color[c];
        }
}

mrcnn_status mrcnn_draw_map(mrcnn_image *out, const float *values, int32_t height, int32_t width,
                            int32_t row_stride, int32_t column_stride, mrcnn_error *err) {
    if (!out || !values)
        return mr_fail(err, MRCNN_E_ARGUMENT, "a map needs values, and a picture to go to");
    size_t bytes;
    if (height <= 0 || width <= 0 || !mr_mul_size((size_t)width * 3, (size_t)height, &bytes))
        return mr_fail(err, MRCNN_E_ARGUMENT, "the map is %d x %d, which is no size", width,
                       height);
    mrcnn_image canvas = {0}, like = {width, height, 3, NULL};
    mrcnn_status status = mr_canvas_like(&canvas, &like, err);
    if (status != MRCNN_OK) return status;
    map m = {values, height, width, row_stride, column_stride, 0.0, 0.0};
    find_range(&m);
    paint(&canvas, &m);
    *out = canvas;
    return MRCNN_OK;
}
