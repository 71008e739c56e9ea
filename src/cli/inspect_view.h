/* inspect_view.h - a picture made ready to be drawn on: at most so large as a page shows it, with a
 * margin for boxes that leave it; and lists of marks in its coordinates. */
#ifndef CLI_INSPECT_VIEW_H
#define CLI_INSPECT_VIEW_H

#include "text.h"

#include <mrcnn/draw.h>

typedef struct view {
    mrcnn_image image; /* RGB */
    int shrink;        /* pixels of the picture that became one, each way */
    int margin;        /* pixels around it */
} view;

/* `margin` is a share of the longer side. Pictures of any channels: grey becomes RGB, of more than
 * three the first three are shown. */
mrcnn_status view_make(view *v, const mrcnn_image *image, double margin, mrcnn_error *err);
void view_free(view *v);

/* Bright colours that can be told apart; counted round. */
void view_color(size_t index, double rgb[3]);

typedef struct mark_list {
    size_t count, room;
    mrcnn_mark *items;
    text_list captions;
} mark_list;

/* Adds a box, given in pixels of the picture; the first one lies on top. `caption` is owned from now
 * on, or NULL. */
void mark_add(mark_list *list, const view *v, const double box[4], const double rgb[3],
              mrcnn_line line, char *caption);
void mark_list_free(mark_list *list);

#endif
