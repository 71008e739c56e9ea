/* inspect_view.c - see inspect_view.h. */
#include "inspect_view.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1200, PAPER = 200 };

static void copy_row(uint8_t *to, const mrcnn_image *from, int y) {
    const uint8_t *pixel = from->pixels + (size_t)y * (size_t)from->width * (size_t)from->channels;
    for (int x = 0; x < from->width; x++, pixel += from->channels, to += 3)
        for (int c = 0; c < 3; c++) to[c] = pixel[from->channels >= 3 ? c : 0];
}

mrcnn_status view_make(view *v, const mrcnn_image *image, double margin, mrcnn_error *err) {
    int longest = image->height > image->width ? image->height : image->width;
    int side = (longest + LONGEST - 1) / LONGEST;
    mrcnn_image small = {0};
    mrcnn_status status = mrcnn_shrink(&small, image, (image->height + side - 1) / side,
                                       (image->width + side - 1) / side, err);
    if (status != MRCNN_OK) return status;
    v->shrink = side;
    v->margin = (int)(margin * (small.height > small.width ? small.height : small.width));
    v->image = (mrcnn_image){small.width + 2 * v->margin, small.height + 2 * v->margin, 3, NULL};
    size_t bytes = (size_t)v->image.width * (size_t)v->image.height * 3;
    v->image.pixels = text_grow(NULL, bytes, 1);
    memset(v->image.pixels, PAPER, bytes);
    for (int y = 0; y < small.height; y++)
        copy_row(v->image.pixels +
                     3 * ((size_t)(y + v->margin) * (size_t)v->image.width + (size_t)v->margin),
                 &small, y);
    mrcnn_image_free(&small);
    return MRCNN_OK;
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
