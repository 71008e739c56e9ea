/* blend.c - see blend.h. */
#include "viz/blend.h"

#include "viz/spans.h"

typedef struct blend {
    uint8_t *pixels;
    size_t width;
    uint8_t red[256], green[256], blue[256]; /* what each value becomes */
} blend;

/* apply_mask of matterport: doubles, truncated. A table makes that exact and fast. */
static void fill_table(uint8_t table[256], double color, double alpha) {
    for (int i = 0; i < 256; i++) table[i] = (uint8_t)(i * (1.0 - alpha) + alpha * color * 255.0);
}

static void blend_span(void *context, int32_t x, int32_t y, int32_t length) {
    const blend *job = context;
    uint8_t *p = job->pixels + 3 * ((size_t)y * job->width + (size_t)x);
    for (uint8_t *end = p + 3 * (size_t)length; p < end; p += 3) {
        p[0] = job->red[p[0]];
        p[1] = job->green[p[1]];
        p[2] = job->blue[p[2]];
    }
}

void mr_blend_mask(mrcnn_image *canvas, const mrcnn_mask *mask, mr_color color, double alpha,
                   uint64_t *rows) {
    blend job = {.pixels = canvas->pixels, .width = (size_t)canvas->width};
    fill_table(job.red, color.r, alpha);
    fill_table(job.green, color.g, alpha);
    fill_table(job.blue, color.b, alpha);
    mr_mask_spans(mask, rows, blend_span, &job);
}
