/* label_png_write.c - writing numbers as PNG files; see label_png.h. */
#include "image/label_png.h"

#include "base/file.h"
#include "image/png_io.h"

#include <stdlib.h>

/* Rows of labels repeat themselves as they are. */
mrcnn_status mr_labels_write(const mr_labels *labels, const char *path, mrcnn_error *err) {
    const mr_png_plan plan = {.name = path,
                              .height = labels->height,
                              .width = labels->width,
                              .bit_depth = labels->bytes * 8,
                              .color_type =
                                  labels->colors ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_GRAY,
                              .pixels = labels->pixels,
                              .stride = (size_t)labels->width * (size_t)labels->bytes,
                              .palette = labels->palette,
                              .colors = labels->colors,
                              .filters = PNG_FILTER_NONE};
    uint8_t *bytes = NULL;
    size_t length = 0;
    mrcnn_status status = mr_png_make(&bytes, &length, &plan, err);
    if (status == MRCNN_OK) status = mr_file_put(path, bytes, length, err);
    free(bytes);
    return status;
}
