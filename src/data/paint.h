/* paint.h - the objects of a picture as one layer, for formats whose pixels belong to one object
 * each. */
#ifndef MR_DATA_PAINT_H
#define MR_DATA_PAINT_H

#include "data/writer.h"
#include "image/label_png.h"

/* Crowds lie behind objects, earlier objects behind later ones. */
typedef struct mr_painting {
    int32_t height, width;
    size_t count;
    uint16_t *top;     /* for each pixel: the object in front, counted from 1; 0: none */
    uint64_t *visible; /* pixels of each object */
} mr_painting;

/* Pixels and objects that lie behind others are told to w->lose. */
mrcnn_status mr_paint(mr_painting *painting, const mr_writing *w, const mr_written_picture *picture,
                      mrcnn_error *err);
void mr_painting_free(mr_painting *painting);

/* Writes a PNG with values[i] for the pixels of object i and 0 elsewhere. bytes: 1, with VOC's
 * colours as its palette, or 2. Makes the folders above it. */
mrcnn_status mr_painting_write(const mr_painting *painting, const uint16_t *values, int bytes,
                               const char *path, mrcnn_error *err);

#endif
