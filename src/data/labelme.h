/* labelme.h - the parts of the LabelMe reader: where the files are, which picture one speaks of, and
 * what its shapes mean. */
#ifndef MR_DATA_LABELME_H
#define MR_DATA_LABELME_H

#include "data/dataset.h"
#include "data/json.h"
#include "data/outline.h"

/* The place is one file and its folder; or, for a folder of them, the folder they are in and (as
 * `file`) the data set's, which is that one or the one above: pictures may lie anywhere in it. */
mrcnn_status mr_labelme_find(mr_place *place, const char *path, const char *subset,
                             mrcnn_error *err);

/* The picture that an annotation file in `folder` speaks of: where its imagePath ("" for none) says,
 * unless that is outside of `root`; else the file of that name, or of the annotation file's, beside the
 * annotations. malloc'ed, *id is its name in there; NULL when there is no such file, or no memory.
 * `folder` is `root` or lies in it. */
char *mr_labelme_picture(const char *root, const char *folder, const char *annotations,
                         const char *image_path, const char **id);

typedef enum mr_shape_result {
    MR_SHAPE_USABLE,
    MR_SHAPE_LINE, /* points and lines: they have no area, and are meant so */
    MR_SHAPE_BAD   /* can't be used; `why` says why */
} mr_shape_result;

enum { MR_SHAPE_WHY = 320 };

/* Reads a shape's type and points into an outline and numbers. */
mr_shape_result mr_labelme_shape(const mr_json *shape, mr_outline *outline, mr_numbers *numbers,
                                 char why[MR_SHAPE_WHY]);

/* The picture of a "mask" shape, in base64, with its top left corner at x, y: a polygon around its
 * pixels that are not 0. */
mr_shape_result mr_labelme_mask(const char *base64, double x, double y, mr_numbers *numbers,
                                char why[MR_SHAPE_WHY]);

#endif
