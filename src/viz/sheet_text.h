/* sheet_text.h - the captions of a sheet: what needs cairo. */
#ifndef MR_VIZ_SHEET_TEXT_H
#define MR_VIZ_SHEET_TEXT_H

#include "base/error.h"

enum { MR_SHEET_CAPTION = 36 }; /* pixels below a cell: two lines */

typedef struct mr_sheet_caption {
    double left, top, width; /* where it may stand */
    const char *text;
} mr_sheet_caption;

/* Dark on light, in the middle; broken between words into at most two lines. */
mrcnn_status mr_write_sheet_captions(mrcnn_image *canvas, const mr_sheet_caption *captions,
                                     size_t count, mrcnn_error *err);

#endif
