/* canvas.c - see canvas.h. */
#include "viz/canvas.h"

#include <stdlib.h>

size_t mr_canvas_bytes(const mrcnn_image *image) {
    return (size_t)image->width * 3 * (size_t)image->height;
}

mrcnn_status mr_canvas_like(mrcnn_image *canvas, const mrcnn_image *like, mrcnn_error *err) {
    *canvas = (mrcnn_image){like->width, like->height, 3, NULL};
    canvas->pixels = malloc(mr_canvas_bytes(like));
    if (!canvas->pixels) return mr_fail_memory(err, mr_canvas_bytes(like), "the drawn picture");
    return MRCNN_OK;
}
