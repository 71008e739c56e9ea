/* helper_labels.h - data sets of label pictures, drawn as text: rows of characters with | between
 * them, "..1|.22", where . is 0 and the others are numbers: 1 to 9, then a (10), b (11) and so on. */
#ifndef HELPER_LABELS_H
#define HELPER_LABELS_H

#include "data/writer.h"

#include <mrcnn/mrcnn.h>

/* Writes a PNG, and the folders above it. bytes: of a pixel, 1 or 2. `values` is what the numbers
 * stand for; NULL: themselves. With 3 bytes the values' VOC colours are written, as RGB. */
void labels_write(const char *path, const char *drawing, const uint16_t *values, int bytes);

/* A picture of that size, and the folders above it. */
void labels_picture(const char *path, int width, int height);
void labels_text(const char *path, const char *text);

/* Opens a data set of that format by itself ("auto"), or fails. */
mrcnn_dataset *labels_open(const char *path, const char *subset, const char *format);
/* Opening it must fail with a message that contains the text; format: NULL for "auto". */
void labels_expect_error(const char *path, const char *subset, const char *format,
                         const char *message);

/* What a full check reports must be this, a problem a line: "E a.png 3 text". */
void labels_expect_notes(const mrcnn_dataset *set, const char *notes);

/* An object's mask must be where the drawing isn't '.'; class_id: negative for a crowd. */
void labels_expect_mask(const mrcnn_dataset *set, size_t index, size_t object, const char *drawing,
                        int class_id);

/* Writes a data set in that format. What was lost is listed, a thing a line: "2 objects that ...". */
mrcnn_status labels_convert(const mrcnn_dataset *set, const char *folder, const char *subset,
                            const char *format, char losses[1000], mrcnn_error *err);

/* A writer's job that lists in `lost` what is lost, a thing a line. */
mr_writing labels_writing(const char *folder, const char *const *class_names, int class_count,
                          char lost[1000]);
/* Writes a data set of one picture. */
void labels_write_picture(const mr_dataset_writer *writer, mr_writing *w,
                          const mr_written_picture *picture);
/* So many objects of class 1: the pixels of a single row. Free the block. */
mr_written_object *labels_dots(uint32_t count);

/* Every mask of a picture must be in the other one, in the same order, with the same class name. */
void labels_expect_equal(const mrcnn_dataset *a, const mrcnn_dataset *b);

#endif
