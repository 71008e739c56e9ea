/* write_outline.h - an object as polygons, for the writers of formats that know nothing else. */
#ifndef MR_DATA_WRITE_OUTLINE_H
#define MR_DATA_WRITE_OUTLINE_H

#include "data/writer.h"

typedef struct mr_written_outline {
    const mr_polygon_list *polygons; /* filled as raster.h does, their union is the object's mask */
    mr_polygon_list made;
} mr_written_outline;

/* The polygons that it was annotated with, if they mean the same in the format and are no more than
 * `most`; else one around its mask. Close it in any case. */
mrcnn_status mr_written_outline_open(mr_written_outline *outline, const mr_written_object *object,
                                     size_t most, mrcnn_error *err);
/* One around its mask. */
mrcnn_status mr_written_outline_trace(mr_written_outline *outline, const mr_written_object *object,
                                      mrcnn_error *err);
void mr_written_outline_close(mr_written_outline *outline);

/* The class's name. Formats of text take blanks from its ends and have room for 200 bytes: a name that
 * doesn't come back as it is counts as lost. */
const char *mr_written_class(const mr_writing *w, const mr_written_object *object);

#endif
