/* spans.h - walks a mask's column-major runs in the order in which pictures lie in memory. Bands
 * of 64 columns are turned into one word a row, so that every cache line of the picture is touched
 * once a band instead of once a column. */
#ifndef MR_VIZ_SPANS_H
#define MR_VIZ_SPANS_H

#include <mrcnn/mrcnn.h>

/* The pixels (x .. x + length - 1, y) are in the mask; 1 <= length <= 64. */
typedef void (*mr_span_visitor)(void *context, int32_t x, int32_t y, int32_t length);

/* Visits each pixel of a checked mask (mr_check_mask) once. `rows` is scratch of mask->height
 * words, all zero before and after. */
void mr_mask_spans(const mrcnn_mask *mask, uint64_t *rows, mr_span_visitor visit, void *context);

#endif
