/* ranges.h - how large the values of layers get: what 8-bit numbers have to span. Measured on pictures
 * (calibration) and kept with the weights as lines "layer<TAB>number". */
#ifndef MR_GRAPH_RANGES_H
#define MR_GRAPH_RANGES_H

#include <mrcnn/mrcnn.h>

typedef struct mr_ranges mr_ranges;

mr_ranges *mr_ranges_create(void);                  /* NULL: no memory */
mr_ranges *mr_ranges_copy(const mr_ranges *ranges); /* NULL: no memory */
void mr_ranges_free(mr_ranges **ranges);

/* The size that the layer's values are cut off at; 0: not known. */
float mr_ranges_find(const mr_ranges *ranges, const char *layer);
mrcnn_status mr_ranges_set(mr_ranges *ranges, const char *layer, float most, mrcnn_error *err);

/* From and to text, malloc'ed. Lines that are wrong fail, with `path` in the message. */
mrcnn_status mr_ranges_parse(mr_ranges **ranges, const char *text, const char *path,
                             mrcnn_error *err);
char *mr_ranges_text(const mr_ranges *ranges);

#endif
