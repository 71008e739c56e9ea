/* inspect_view.c - see inspect_view.h. */
#include "inspect_view.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1200, PAPER = 200 };

/* The mean of a square of pixels, cut off at the picture's edge, as RGB. */
static void average(const mrcnn_image *image, int top, int left, int side, uint8_t *out) {
    int colors = image->channels >= 3;
    unsigned sum[3] = {0}, count = 0;
    for (int y = top; y < top + side && y < image->height; y++)
        for (int x = left; x < left + side && x < image->width; x++, count++) {
            const uint8_t *pixel = image->pixels + ((size_t)y * (size_t)image->width + (size_t)x) *
                                                       (size_t)image->channels;
            for (int c = 0; c < 3; c++) sum[c] += pixel[colors ? c : 0];
        }
    if (count == 0) return;
    for (int c = 0; c < 3; c++) out[c] = (uint8_t)((sum[c] + count / 2) / count);
}

void view_make(view *v, const mrcnn_image *image, double margin) {
    int longest = image->height > image->width ? image->height : image->width;
    int side = (longest + LONGEST - 1) / LONGEST;
    int height = (image->height + side - 1) / side, width = (image->width + side - 1) / side;
    v->shrink = side;
    v->margin = (int)(margin * (height > width ? height : width));
    v->image = (mrcnn_image){width + 2 * v->margin, height + 2 * v->margin, 3, NULL};
    size_t bytes = (size_t)v->image.width * (size_t)v->image.height * 3;
    v->image.pixels = text_grow(NULL, bytes, 1);
    memset(v->image.pixels, PAPER, bytes);
    for (int y = 0; y < height; y++) {
        uint8_t *to = v->image.pixels +
                      3 * ((size_t)(y + v->margin) * (size_t)v->image.width + (size_t)v->margin);
        for (int x = 0; x < width; x++, to += 3) average(image, y * side, x * side, side, to);
    }
}

void view_free(view *v) {
    free(v->image.pixels);
    v->image.pixels = NULL;
}

void view_color(size_t index, double rgb[3]) {
    static const double colors[][3] = {{0.25, 0.55, 1.0}, {0.2, 0.85, 0.35}, {1.0, 0.85, 0.1},
                                       {1.0, 0.5, 0.1},   {1.0, 0.35, 0.85}, {0.2, 0.85, 0.9},
                                       {0.75, 0.55, 1.0}, {0.95, 0.3, 0.3}};
    memcpy(rgb, colors[index % (sizeof colors / sizeof *colors)], sizeof colors[0]);
}

void mark_add(mark_list *list, const view *v, const double box[4], const double rgb[3],
              mrcnn_line line, char *caption) {
    const double alpha = 0.9;
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 64;
        list->items = text_grow(list->items, list->room, sizeof *list->items);
    }
    double at[4];
    for (int i = 0; i < 4; i++) at[i] = box[i] / v->shrink + v->margin;
    list->items[list->count++] = (mrcnn_mark){.y1 = at[0],
                                              .x1 = at[1],
                                              .y2 = at[2],
                                              .x2 = at[3],
                                              .red = rgb[0],
                                              .green = rgb[1],
                                              .blue = rgb[2],
                                              .alpha = alpha,
                                              .line = line,
                                              .caption = caption};
    if (caption) text_list_add(&list->captions, caption);
}

void mark_list_free(mark_list *list) {
    free(list->items);
    text_list_free(&list->captions);
}
